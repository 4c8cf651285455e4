package stats_test

import (
	"strings"
	"testing"

	"backtester/backtest/stats"
)

func sample() stats.Metrics {
	return stats.Compute(stats.Input{
		Dates: weekdays(4), Equity: []float64{100, 110, 99, 104.5, 120}, PeriodsPerYear: 252,
		InMarketBars: 3, TotalBars: 4,
		Trades: []stats.Trade{{PnL: 20, Return: .2, EntryValue: 100, Bars: 3}},
	})
}

func TestConditions(t *testing.T) {
	m := sample() // total_return 0.2, max_drawdown -0.1, trades 1, win_rate 1, exposure 0.75
	for _, c := range []struct {
		text string
		hit  bool
	}{
		{"total_return < 0.3", true},
		{"total_return<.1", false},
		{"max_drawdown < -0.05", true},
		{"max_drawdown>=-5e-2", false},
		{"trades == 1", true},
		{"trades != 1", false},
		{"0.7 <= exposure", true},
		{"win_rate > total_return", true},
		{"total_return > 1 or trades >= 1", true},
		{"total_return > 1 and trades >= 1", false},
		{"trades > 5 and trades > 6 or trades > 0", true},
		{"trades > 0 or trades > 5 and trades > 6", true},
		{"(trades > 0 or trades > 5) and trades > 6", false},
		{"not trades > 5", true},
		{"not (trades > 5) and not not trades == 1", true},
		{"not trades > 5 and trades > 5", false},
		{"total_return > 0.26 * exposure", true}, // 0.2 > 0.195
		{"total_return > 0.27*exposure", false},
		{"-2 * max_drawdown >= 1 * total_return", true},
	} {
		cond, err := stats.ParseCondition(c.text)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		hit, undefined := cond.Eval(m)
		if hit != c.hit || undefined != nil {
			t.Errorf("%s: %v (%v), want %v", c.text, hit, undefined, c.hit)
		}
	}
}

func TestConditionOnUndefinedMetric(t *testing.T) {
	for _, text := range []string{"cagr < 1", "trades == 1 or cagr < 1", "trades > 5 and profit_factor < 1", "beta > cagr"} {
		cond, err := stats.ParseCondition(text)
		if err != nil {
			t.Fatal(err)
		}
		hit, undefined := cond.Eval(sample())
		if hit || undefined == nil {
			t.Fatalf("%s: %v, %v; want an undefined metric", text, hit, undefined)
		}
		if undefined.Reason == "" || !strings.Contains(undefined.Error(), undefined.Key) {
			t.Errorf("%s: says %q", text, undefined)
		}
	}
}

func TestConditionErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "column 1: want a metric or a number, have the end",
		"sharp < 1":                `column 1: there is no metric "sharp" (did you mean sharpe?)`,
		"Sharpe < 1":               "did you mean sharpe?",
		"max_drawdwn < -1":         "did you mean max_drawdown?",
		"blahblahblah < 1":         `there is no metric "blahblahblah"`,
		"sharpe":                   "want one of < <= > >= == != after sharpe, have the end",
		"sharpe = 1":               "column 8: want a comparison, have = (did you mean ==?)",
		"sharpe < 1 && trades > 1": `column 12: unexpected "&"`,
		"sharpe < 1 trades > 1":    `column 12: unexpected "trades"`,
		"1 < 2":                    "comparison of two numbers",
		"(sharpe < 1":              "want ), have the end",
		"sharpe < 1)":              `unexpected ")"`,
		"sharpe < 1e999":           "is not a number",
		"sharpe < 0x1p3":           "is not a number",
		"sharpe < 1..2":            "is not a number",
		"sharpe < 10%":             `unexpected "%"`,
		"start < 3":                "start is a date",
		"sharpe < inf":             "there is no metric",
		"sharpe < -":               "is not a number",
		"sharpe < 2 *":             "want a metric, have the end",
		"sharpe < 2 * 3":           `there is no metric "3"`,
		"* sharpe < 2":             "want a metric or a number",
		"2 * start < 3":            "start is a date",
		"sharpe < é":               "there is no metric",
		strings.Repeat("(", 500):   "nested too deeply",
	} {
		_, err := stats.ParseCondition(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func FuzzParseCondition(f *testing.F) {
	for _, s := range []string{"sharpe < 1 and max_drawdown < -0.3", "not (a or b) >= 1e-3", "((((", "cagr<=-.5 or not trades!=0", "\x80\xff < 1"} {
		f.Add(s)
	}
	m := sample()
	f.Fuzz(func(t *testing.T, s string) {
		c, err := stats.ParseCondition(s)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "read condition ") {
				t.Fatalf("error without its act: %v", err)
			}
			return
		}
		if len(c.Keys()) == 0 {
			t.Fatalf("%q says nothing about a run", s)
		}
		if hit, undefined := c.Eval(m); hit && undefined != nil {
			t.Fatalf("%q holds and is undefined", s)
		}
	})
}
