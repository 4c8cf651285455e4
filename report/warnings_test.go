package report_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"backtester/backtest"
	"backtester/backtest/stats"
	"backtester/report"
)

// WARNINGS.md is what the rules say of themselves. -update writes it.
func TestWarningsDocument(t *testing.T) {
	const file = "WARNINGS.md"
	var b bytes.Buffer
	if err := report.Warnings(&b); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if have, err := os.ReadFile(file); err != nil || !bytes.Equal(have, b.Bytes()) {
		t.Errorf("%s is not what the rules say (make golden brings it up to date): %v", file, err)
	}
}

// Every form of the report judges by the thresholds it is given, and says so.
func TestChangedThresholds(t *testing.T) {
	r := demo(700)
	trades, _ := r.Metrics.Get("trades")
	limits := stats.Limits{"few_trades": trades + 1, "moderate_trades": trades + 1}
	forms := map[string]func(stats.Limits) (string, error){
		"terminal": func(l stats.Limits) (string, error) {
			var b bytes.Buffer
			err := report.Terminal(&b, []*backtest.Result{r}, report.Options{Width: 200, Limits: l})
			return b.String(), err
		},
		"page": func(l stats.Limits) (string, error) {
			var b bytes.Buffer
			err := report.HTMLWith(&b, r, report.Extras{Limits: l})
			return b.String(), err
		},
		"markdown": func(l stats.Limits) (string, error) {
			var b bytes.Buffer
			err := report.Markdown(&b, []*backtest.Result{r}, l)
			return b.String(), err
		},
	}
	for name, form := range forms {
		for changed, l := range map[bool]stats.Limits{false: nil, true: limits} {
			text, err := form(l)
			if err != nil {
				t.Fatal(err)
			}
			text = strings.NewReplacer("&lt;", "<", "&gt;", ">").Replace(text)
			if got := strings.Contains(text, "too few to judge"); got != changed {
				t.Errorf("%s, thresholds changed %v: warns of few trades %v", name, changed, got)
			}
			if got := strings.Contains(text, "instead of 30"); name != "markdown" && got != changed { // notes are not for pull requests
				t.Errorf("%s, thresholds changed %v: says so %v", name, changed, got)
			}
		}
	}
}
