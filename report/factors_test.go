package report_test

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"backtester/backtest"
	"backtester/backtest/stats"
	"backtester/report"
)

// A run against its own benchmark as the only factor: page, terminal and data say what the metrics do.
func TestFactorsAreShown(t *testing.T) {
	r := pullback(800)
	f := stats.FactorReturns{Dates: datesOf(r, 801)[1:], Names: []string{"<b>MKT</b>"}, Values: [][]float64{stats.Returns(nil, r.Benchmark.Value)}}
	a, err := report.Attribute(r, f)
	if err != nil {
		t.Fatal(err)
	}
	var html, text bytes.Buffer
	if err := report.HTMLWith(&html, r, report.Extras{Factors: a, Draws: 100}); err != nil {
		t.Fatal(err)
	}
	if err := report.Terminal(&text, []*backtest.Result{r}, report.Options{Factors: a}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Where the return came from", "all together", "least squares of the excess returns of 800 sessions"} {
		if !strings.Contains(html.String(), want) || !strings.Contains(strings.Join(strings.Fields(text.String()), " "), want) {
			t.Errorf("%q is not on the page or not in the terminal:\n%s", want, text.String())
		}
	}
	if strings.Contains(html.String(), "<b>MKT") {
		t.Error("the name of a factor is not escaped")
	}
	var data stats.Attribution
	if err := json.Unmarshal(embedded(t, html.String())["factors"], &data); err != nil {
		t.Fatal(err)
	}
	beta, _ := r.Metrics.Get("beta")
	alpha, _ := r.Metrics.Get("alpha")
	if math.Abs(data.Factors[0].Beta-beta) > 1e-9 || math.Abs(data.Alpha.Return-alpha) > 1e-9 {
		t.Errorf("exposure %g and alpha %g, the metrics say %g and %g", data.Factors[0].Beta, data.Alpha.Return, beta, alpha)
	}
	if _, err := report.Attribute(pullback(50), f); err == nil || !strings.Contains(err.Error(), "want 60 at least") {
		t.Errorf("50 sessions are explained: %v", err)
	}
}
