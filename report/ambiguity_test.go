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

// What lies between the extra runs is shaded from where they part on, in every drawing of the equity, and can
// be read at the cross-hair. Of four sessions, 336.7 pixels apart, the third and fourth have both in a bar.
func TestBandOfTheExtraRuns(t *testing.T) {
	r := pullback(3)
	r.Benchmark = nil
	r.Equity.Value = []float64{100, 100, 90, 90}
	r.Ambiguity = &backtest.Ambiguity{Bars: 2, Sessions: r.Equity.Time, StopFirst: backtest.Outcome{Metrics: r.Metrics, Equity: []float64{100, 100, 90, 90}},
		TargetFirst: backtest.Outcome{Metrics: r.Metrics, Equity: []float64{100, 100, 110, 120}}}
	page := func() string {
		var b bytes.Buffer
		if err := report.HTML(&b, r); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	text := page()
	for want, n := range map[string]int{
		`<path class="band" d="`: 4, // wide and narrow, linear and logarithmic
		`<path class="band" d="M394.7 198l336.6-90 336.7-89.9 0 269.8-336.7 0-336.6-89.9Z" data-band="1"/>`: 1,
		`{"chart":"equity","name":"Stop first","unit":"usd","values":[100,100,90,90]}`:                      1,
		`{"chart":"equity","name":"Target first","unit":"usd","values":[100,100,110,120]}`:                  1,
		"two extra runs, no bounds": 1,
	} {
		if got := strings.Count(text, want); got != n {
			t.Errorf("the page has %q %d times, want %d", want, got, n)
		}
	}
	r.Ambiguity = r.Ambiguity.Figures() // as results were before
	if text = page(); strings.Contains(text, `class="band"`) || !strings.Contains(text, "stop first, ") {
		t.Error("without the equity of the extra runs there is a band, or their figures are gone")
	}
}

// Thirty years with a band keep the page small.
func TestBandOfManySessionsKeepsThePageSmall(t *testing.T) {
	r := pullback(8000)
	r.Ambiguity = &backtest.Ambiguity{Bars: 2, Sessions: r.Equity.Time, StopFirst: backtest.Outcome{Metrics: r.Metrics, Equity: r.Equity.Value},
		TargetFirst: backtest.Outcome{Metrics: r.Metrics, Equity: r.Benchmark.Value}}
	var b bytes.Buffer
	if err := report.HTML(&b, r); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 2_000_000 || !strings.Contains(b.String(), "equity in result.ambiguity") {
		t.Errorf("the page has %d bytes, or the whole result in it", b.Len())
	}
}
