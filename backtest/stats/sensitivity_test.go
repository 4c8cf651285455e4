package stats_test

import (
	"fmt"
	"math"
	"testing"

	"backtester/backtest/instrument"
	"backtester/backtest/stats"

	"pgregory.net/rapid"
)

func date(t testing.TB, s string) instrument.Date {
	t.Helper()
	d, err := instrument.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestBySession(t *testing.T) {
	d := weekdays(3) // Friday 27, Monday 30, Tuesday 31, Wednesday 1
	traded, cost := stats.BySession(d, []stats.Flow{{d[1], 100, 1}, {d[1], 50, 2}, {d[1] - 1, 0, 0}, {d[3], 7, 3}, {d[3] + 5, 1, 1}})
	if fmt.Sprint(traded, cost) != "[0 150 0 8] [0 3 0 4]" {
		t.Error(traded, cost)
	}
}

// Worked by hand: half of equity is traded on the second session.
func TestCostSweep(t *testing.T) {
	in := stats.Input{Dates: weekdays(3), Equity: []float64{100, 110, 99, 99}, PeriodsPerYear: 252}
	sweep := stats.CostSweep(&in, []float64{0, 0, 55, 0}, []float64{0, .01, .2})
	near(t, "without", sweep[0].TotalReturn, -.01)
	near(t, "at 1 %", sweep[1].TotalReturn, 1.1*(1-.1-.005)-1)
	near(t, "at 20 %", sweep[2].TotalReturn, 1.1*(1-.1-.1)-1)
	if v := stats.BreakEven(sweep); !math.IsNaN(v) {
		t.Errorf("a loss breaks even at %g", v)
	}
	in.Equity = []float64{100, 110, 110, 110}
	sweep = stats.CostSweep(&in, []float64{0, 0, 110, 0}, []float64{0, .05, .1})
	// 10 % without, 4.5 % at .05, -1 % at .1.
	near(t, "break-even", stats.BreakEven(sweep), .05+.05*.045/.055)
}

func TestCostSweepProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		traded := make([]float64, len(in.Equity))
		for i := range traded {
			traded[i] = rapid.Float64Range(0, 50).Draw(t, "traded")
		}
		sweep := stats.CostSweep(&in, traded, []float64{0, .001, .002})
		b, _ := stats.ComputeBasic(&in, nil)
		same(t, "no extra cost", sweep[0].TotalReturn, b.TotalReturn, 1e-9)
		if sweep[1].TotalReturn > sweep[0].TotalReturn+1e-12 || sweep[2].TotalReturn > sweep[1].TotalReturn+1e-12 {
			t.Fatalf("more cost, more profit: %v", sweep)
		}
	})
}

func TestWithoutBest(t *testing.T) {
	total, n := stats.WithoutBest(curve([]float64{.1, -.05, .2, .01}), .25)
	near(t, "without the best", total, 1.1*.95*1.01-1)
	if n != 1 {
		t.Errorf("%d sessions, want 1", n)
	}
	if total, n = stats.WithoutBest(curve([]float64{.1, .2}), 1); total != 0 || n != 2 {
		t.Errorf("without all: %g of %d", total, n)
	}
	if total, _ = stats.WithoutBest([]float64{1}, .01); !math.IsNaN(total) {
		t.Errorf("without a return: %g", total)
	}
}

func TestStarts(t *testing.T) {
	n := 700
	in := stats.Input{Dates: weekdays(n), Equity: curve(noise(n)), PeriodsPerYear: 252}
	starts := stats.Starts(&in)
	var from []string
	for _, s := range starts {
		from = append(from, s.From.String())
	}
	if fmt.Sprint(from) != "[2019-12-27 2019-12-31 2020-12-31 2021-12-31]" {
		t.Errorf("starts %v", from)
	}
	last := starts[len(starts)-1]
	for i, d := range in.Dates {
		if d == last.From {
			near(t, "total from there", last.TotalReturn, in.Equity[n]/in.Equity[i]-1)
		}
	}
}

func TestHeldOf(t *testing.T) {
	d := weekdays(4)
	eq := []float64{100, 100, 200, 200, 100}
	h := stats.HeldOf(d, eq, []stats.Trade{
		{Entry: d[1], Exit: d[3], EntryValue: 50, Long: true},
		{Entry: d[2], Open: true, Exit: d[4], EntryValue: 20},
		{Entry: d[2], Exit: d[2], EntryValue: 1000, Long: true}, // within a session
	})
	if fmt.Sprint(h.Long, h.Short, h.Positions) != "[0 0.5 0.25 0 0] [0 0 0.1 0.1 0.2] [0 1 2 1 1]" {
		t.Error(h.Long, h.Short, h.Positions)
	}
	// Three parts of one position are one position; its other side, and trades without a symbol, are others.
	h = stats.HeldOf(d, eq, []stats.Trade{
		{Symbol: "A", Entry: d[0], Exit: d[4], Long: true}, {Symbol: "A", Entry: d[0], Exit: d[1], Long: true}, {Symbol: "A", Entry: d[2], Exit: d[3], Long: true},
		{Symbol: "A", Entry: d[1], Exit: d[2]}, {Symbol: "B", Entry: d[3], Open: true, Long: true}, {Entry: d[3], Open: true}, {Entry: d[3], Open: true},
	})
	if fmt.Sprint(h.Positions) != "[1 2 1 4 3]" {
		t.Error(h.Positions)
	}
}

func TestRollingTurnover(t *testing.T) {
	got := stats.RollingTurnover([]float64{100, 100, 300}, []float64{0, 80, 0}, 2, 252)
	if !math.IsNaN(got[1]) {
		t.Error("half a window has a turnover")
	}
	near(t, "turnover", got[2], 80.0/(2*200)*252/2)
}

func TestQQ(t *testing.T) {
	q := stats.QQOf([]float64{1, 2, 3}, 100)
	near(t, "middle", q.Observed[1], 0)
	near(t, "least", q.Observed[0], -1)
	near(t, "expected least", q.Normal[0], stats.PhiInv(.625/3.25))
	many := stats.QQOf(noise(10000), 200)
	if n := len(many.Normal); n > 200 || n < 100 {
		t.Errorf("%d points", n)
	}
	for i := range many.Normal {
		if math.Abs(many.Normal[i]) < 2 && math.Abs(many.Normal[i]-many.Observed[i]) > .1 {
			t.Errorf("normal numbers: %g instead of %g", many.Observed[i], many.Normal[i])
		}
	}
	if q := stats.QQOf([]float64{1, 1, 1}, 10); len(q.Normal) != 0 {
		t.Error("a constant has quantiles")
	}
}

func TestBoxes(t *testing.T) {
	n := 520
	dates, eq := weekdays(n), curve(noise(n))
	boxes := stats.Boxes(dates, eq)
	months := 0
	for _, p := range stats.Months(dates, eq) {
		if !p.Partial {
			months++
		}
	}
	var names []string
	for _, b := range boxes {
		names = append(names, b.Name)
		if b.Name == "month" && b.N != months || b.Name == "day" && b.N != n {
			t.Errorf("%d whole %ss, want %d months", b.N, b.Name, months)
		}
		if !(b.Least <= b.P5 && b.P5 <= b.P25 && b.P25 <= b.P50 && b.P50 <= b.P75 && b.P75 <= b.P95 && b.P95 <= b.Most) {
			t.Errorf("%+v does not rise", b)
		}
	}
	if fmt.Sprint(names) != "[day week month quarter]" {
		t.Errorf("%v", names)
	}
	// Two weeks from Friday to Friday, and three days of a third: two are whole.
	w := stats.Boxes(weekdays(23), curve(noise(23)))[1]
	near(t, "weeks", float64(w.N), 4)
	near(t, "first week", w.Least, minOf(weekly(curve(noise(23)))))
}

// weekly are the returns of the first four weeks of five sessions.
func weekly(eq []float64) []float64 {
	var out []float64
	for i := 5; i <= 20; i += 5 {
		out = append(out, eq[i]/eq[i-5]-1)
	}
	return out
}

func minOf(x []float64) float64 {
	m := x[0]
	for _, v := range x {
		m = math.Min(m, v)
	}
	return m
}

func TestCalendarLabels(t *testing.T) {
	d := date(t, "2024-01-02") // a Tuesday
	rows := stats.GroupBy([]stats.Trade{{Entry: d, PnL: 1}, {Entry: d - 1, PnL: 2}, {Entry: d + 3, PnL: 3}, {Entry: instrument.None}}, stats.ByWeekday)
	var got []string
	for _, r := range stats.InCalendarOrder(rows) {
		got = append(got, r.Label)
	}
	if fmt.Sprint(got) != "[Monday Tuesday Friday unknown]" {
		t.Errorf("%v", got)
	}
	if stats.ByMonth(&stats.Trade{Entry: d}) != "January" || stats.ByMonth(&stats.Trade{Entry: instrument.None}) != "unknown" {
		t.Error("months are mislabelled")
	}
}

func TestSharpeBand(t *testing.T) {
	low, high := stats.SharpeBand(0, 252, 252)
	near(t, "low", low, -1.959963984540054)
	near(t, "high", high, 1.959963984540054)
	low, high = stats.SharpeBand(1, 12, 24)
	near(t, "half", (high-low)/2, 1.959963984540054*math.Sqrt((1+1.0/24)/24*12))
	near(t, "middle", (high+low)/2, 1)
}

// A window over the whole run has the figures of the run.
func TestRollingOverAll(t *testing.T) {
	n := 300
	in := stats.Input{Dates: weekdays(n), Equity: curve(noise(n)), Benchmark: curve(noise(n + 1)[1:]), PeriodsPerYear: 252, RiskFreeAnnual: .02}
	m := stats.Compute(in)
	w := stats.Rolling(in.Equity, in.Benchmark, n, 252, .02)
	for key, column := range map[string][]float64{"total_return": w.Return, "volatility": w.Volatility, "sharpe": w.Sharpe, "sortino": w.Sortino, "beta": w.Beta, "correlation": w.Correlation} {
		near(t, key, column[n], get(t, m, key))
		if !math.IsNaN(column[n-1]) {
			t.Errorf("%s is known before the window is full", key)
		}
	}
}

func TestOnEquity(t *testing.T) {
	d := weekdays(3)
	got := stats.OnEquity(d, []float64{100, 200, 400, 400}, []stats.Trade{
		{Entry: d[1], PnL: 10}, {Entry: d[2], PnL: -20}, {Entry: d[0], PnL: 1}, {Entry: d[2], PnL: 5, Open: true}, {Entry: instrument.None, PnL: 5}})
	if fmt.Sprint(got) != "[0.1 -0.1 0.01]" {
		t.Error(got)
	}
}

func TestLeaveOutYears(t *testing.T) {
	dates := []instrument.Date{date(t, "2019-12-31"), date(t, "2020-12-31"), date(t, "2021-12-31")}
	got := stats.LeaveOutYears(dates, []float64{100, 150, 120})
	if len(got) != 2 || got[0].Year != 2020 {
		t.Fatalf("%+v", got)
	}
	near(t, "2020", got[0].Return, .5)
	near(t, "without 2020", got[0].Without, -.2)
	near(t, "without 2021", got[1].Without, .5)
	if got = stats.LeaveOutYears(dates, []float64{100, 150, 0}); !math.IsNaN(got[1].Without) {
		t.Errorf("without ruin %g", got[1].Without)
	}
}
