package stats_test

import (
	"math"
	"testing"

	"backtester/backtest/instrument"
	"backtester/backtest/stats"
)

func TestYearFigures(t *testing.T) {
	v := curve(noise(600))
	d := weekdays(600)
	in := stats.Input{Dates: d, Equity: v, PeriodsPerYear: 252}
	years := stats.YearFigures(&in, v)
	total, sessions := 1.0, 0
	for _, y := range years {
		total *= 1 + y.Return
		first, last := sessions, sessions+y.Sessions
		sessions = last
		m := stats.Compute(stats.Input{Dates: d[first : last+1], Equity: v[first : last+1], PeriodsPerYear: 252})
		near(t, "volatility", y.Volatility, get(t, m, "volatility"))
		near(t, "sharpe", y.Sharpe, get(t, m, "sharpe"))
		near(t, "drawdown", y.Drawdown, get(t, m, "max_drawdown"))
		near(t, "best", y.BestDay, get(t, m, "best_day"))
		near(t, "worst", y.WorstDay, get(t, m, "worst_day"))
		near(t, "itself", y.Benchmark, y.Return)
		near(t, "ahead of itself", y.Ahead, 0)
	}
	near(t, "the years compound", total, v[600]/v[0])
	if sessions != 600 {
		t.Errorf("the years have %d sessions of 600", sessions)
	}
	if y := stats.YearFigures(&in, nil)[0]; !math.IsNaN(y.Benchmark) {
		t.Errorf("without a benchmark it returned %g", y.Benchmark)
	}
}

// Constant growth of 10 % a year gives 10 % over every stretch, and nothing is longer than the run.
func TestHorizons(t *testing.T) {
	d := weekdays(1000)
	v, flat := make([]float64, len(d)), make([]float64, len(d))
	for i := range d {
		v[i], flat[i] = math.Pow(1.1, float64(d[i]-d[0])/365.25), 1
	}
	all := stats.Horizons(d, v, flat)
	if len(all) != 2 || all[0].Years != 1 || all[1].Years != 3 {
		t.Fatalf("stretches %+v", all)
	}
	for _, h := range all {
		within(t, "middle", h.Median, .1, .002) // a stretch ends on the first session after so many years
		if h.Loss != 0 || h.Behind != 0 || h.Low > h.P5 || h.P95 > h.High || h.Windows < 2 {
			t.Errorf("%+v", h)
		}
	}
	if h := stats.Horizons(d, flat, v)[0]; h.Behind != 1 || h.Loss != 0 {
		t.Errorf("flat against growth: %+v", h)
	}
	if got := stats.Horizons(weekdays(200), curve(noise(200)), nil); got != nil {
		t.Errorf("200 sessions have stretches: %+v", got)
	}
}

func TestStresses(t *testing.T) {
	d := weekdays(200) // from 2019-12-27: the fall and the recovery of 2020 are whole
	v := make([]float64, len(d))
	for i := range d {
		switch {
		case d[i] <= instrument.NewDate(2020, 2, 19):
			v[i] = 100
		case d[i] < instrument.NewDate(2020, 3, 23):
			v[i] = 50
		case d[i] == instrument.NewDate(2020, 3, 23):
			v[i] = 60
		default:
			v[i] = 90
		}
	}
	all := stats.Stresses(d, v, v)
	if len(all) != 2 || all[0].Name != "Covid, the fall" {
		t.Fatalf("times %+v", all)
	}
	near(t, "fall", all[0].Return, -.4)
	near(t, "deepest", all[0].Drawdown, -.5)
	near(t, "recovery", all[1].Return, .5)
	near(t, "benchmark", all[1].Benchmark, .5)
	if all[1].Drawdown != 0 {
		t.Errorf("the recovery fell by %g", all[1].Drawdown)
	}
}

func TestHoldings(t *testing.T) {
	d := weekdays(9)
	v := make([]float64, 10)
	for i := range v {
		v[i] = 1000
	}
	trades := []stats.Trade{
		{Symbol: "A", EntryValue: 100, Entry: d[1], Exit: d[3], Long: true},
		{Symbol: "B", EntryValue: 300, Entry: d[2], Exit: d[9], Long: true},
		{Symbol: "C", EntryValue: 50, Entry: d[2], Open: true},
	}
	all := stats.Holdings(d, v, trades, 1)
	if len(all) != 2 || all[0].Symbol != "B" || all[1].Symbol != "others" {
		t.Fatalf("holdings %+v", all)
	}
	near(t, "B", all[0].Share[2], .3)
	near(t, "B after its exit", all[0].Share[9], 0)
	near(t, "others together", all[1].Share[2], .15)
	near(t, "others, the short one left", all[1].Share[5], .05)
	whole := stats.HeldOf(d, v, trades)
	for i := range d {
		near(t, "sum", all[0].Share[i]+all[1].Share[i], whole.Long[i]+whole.Short[i])
	}
}
