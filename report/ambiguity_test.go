package report_test

import (
	"bytes"
	"strings"
	"testing"

	"backtester/backtest"
	"backtester/report"
)

// Two extra runs stand in the sheet, and survive being written and read.
func TestExtraRunsAreShown(t *testing.T) {
	r := pullback(300)
	worst, best := still(), pullback(200)
	r.Counts.AmbiguousBars, r.Counts.SettledBars, r.Counts.UnsettledBars = 7, 3, 2
	r.Ambiguity = &backtest.Ambiguity{Bars: 7, StopFirst: backtest.Outcome{Bars: 8, Metrics: worst.Metrics}, TargetFirst: backtest.Outcome{Bars: 6, Metrics: best.Metrics}}
	var b bytes.Buffer
	if err := report.JSON(&b, []*backtest.Result{r}); err != nil {
		t.Fatal(err)
	}
	back, err := report.ReadJSON(&b, "test")
	if err != nil || len(back) != 1 || back[0].Ambiguity == nil {
		t.Fatalf("read back: %v", err)
	}
	for _, r := range []*backtest.Result{r, back[0]} {
		var page bytes.Buffer
		if err := report.HTML(&page, r); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"in 7 bars a rule decided", "stop first, ", "target first, ", "no bounds and no trials", "3 bars were settled by minutes", "2 bars could not be settled"} {
			if !strings.Contains(page.String(), want) {
				t.Errorf("the page does not say %q", want)
			}
		}
	}
}
