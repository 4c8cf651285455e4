package sweep_test

import (
	"context"
	"strings"
	"testing"

	"backtester/backtest/strategy"
	"backtester/backtest/sweep"
)

// What no metrics can answer is found before anything is played, each at its place; what a sweep takes is no fault.
func TestFaults(t *testing.T) {
	const rules = "name: x\nuniverse: {symbols: [A]}\nentry: close > 1\nexit: close < 1\n"
	for _, c := range []struct {
		text         string
		column, long int
		want         string
	}{
		{"", 0, 0, ""},
		{"search: {objective: cagr / volatility, constraints: [max_drawdown > -0.5]}\nrequire: [sharpe > 1]\n", 0, 0, ""},
		{"search: {objective: shrape}\n", 21, 6, "shrape"},
		{"search: {objective: sma(close, 3)}\n", 21, 13, "close"},
		{"search: {constraints: [max_drawdwn > -0.5]}\n", 23, 1, "max_drawdwn"},
		{"require: [shrp > 1]\n", 10, 1, "shrp"},
	} {
		f, wrong := strategy.Parse("x", []byte(rules+c.text))
		if len(wrong) > 0 {
			t.Fatal(wrong)
		}
		got := sweep.Faults(f)
		if c.want == "" {
			if len(got) != 0 {
				t.Errorf("%q: %v", c.text, got)
			}
			continue
		}
		if len(got) != 1 || got[0].Line != 5 || got[0].Column != c.column || got[0].Length != c.long || !strings.Contains(got[0].Message, c.want) {
			t.Errorf("%q: %+v, want %d, %d, %s", c.text, got, c.column, c.long, c.want)
		}
	}
}

// A value that an expression cannot take is found where the file uses it, also by the path that compares numbers.
func TestFaultOfAValueHasItsPlace(t *testing.T) {
	src := source(t, walk(4, "A", 400))
	cfg := parse(t, "params: {a: [4, 5, 5.5, 6], b: [20, 30, 40, 50]}\nentry: sma(close, a) > sma(close, b)\nexit: sma(close, a) < sma(close, b)\nsize: {weight: 1, fractional: true}\n")
	plan, err := sweep.NewPlan(context.Background(), cfg, src, sweep.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = plan.Run(context.Background(), sweep.Options{})
	if err == nil || !strings.Contains(err.Error(), "2:19: sma: n must be a whole number, got 5.5") || !strings.Contains(err.Error(), "3:18: sma") {
		t.Errorf("%v", err)
	}
}
