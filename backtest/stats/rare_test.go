package stats_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"backtester/backtest/instrument"
	"backtester/backtest/stats"
)

// What PerformanceAnalytics 2.1.0 makes of Bacon's portfolio, of figures that few ask for.
func TestBaconRare(t *testing.T) {
	v := load(t).Bacon
	m := stats.Compute(stats.Input{Dates: monthEnds(24), Equity: curve(v.Portfolio), Benchmark: curve(v.Benchmark), PeriodsPerYear: 12, Complete: true})
	near(t, "up_number", get(t, m, "up_number"), .9333333333)
	near(t, "es_95_cornish_fisher", get(t, m, "es_95_cornish_fisher"), -.0687911039)

	// Normal figures are published with the deviation of the population, ours divide by n-1.
	mean, root := get(t, m, "annual_mean")/12, math.Sqrt(23.0/24)
	near(t, "value at risk, normal", mean+(get(t, m, "var_95_normal")-mean)*root, -.0546818983)
	near(t, "expected shortfall, normal", mean+(get(t, m, "es_95_normal")-mean)*root, -.0708596697)
	// Published with thresholds, which are taken off once and not in every month; the second is cut to three digits.
	downside, _, _, _ := stats.WithThreshold(v.Portfolio, 0)
	for _, c := range []struct{ mar, want, tol float64 }{{.005, -.2207, .00005}, {.05, -.1345, .0005}} {
		strict, _, _, _ := stats.WithThreshold(v.Portfolio, c.mar)
		within(t, "prospect", (get(t, m, "prospect")*downside-c.mar/24)/strict, c.want, c.tol)
	}

	// An open drawdown counts there as if the month after the last had recovered it.
	length, back := 0.0, 0.0
	episodes := stats.Episodes(nil, curve(v.Portfolio))
	for _, e := range episodes {
		more := 0
		if e.Open {
			more = 1
		}
		length, back = length+float64(e.Bars()+more), back+float64(e.Recovery+more-e.Trough)
	}
	near(t, "drawdowns", float64(len(episodes)), 4)
	near(t, "average length", length/4, 4.5)
	near(t, "average recovery", back/4, 2.5)
}

// The example of ffn's issue 303: half an hour's returns, 12,096 a year, printed with 8 digits.
func TestHalfHours(t *testing.T) {
	r := []float64{.001, -.0005, .0007, -.0002, .0004, -.0001, .0003, -.0006, .0008, -.0003}
	m := stats.Compute(stats.Input{Dates: weekdays(len(r)), Equity: curve(r), PeriodsPerYear: 252 * 24 * 60 / 30})
	within(t, "sharpe", get(t, m, "sharpe"), 29.037574, 1e-7/2)
}

// The ten years of prices that the tests of ffn read, of which growth needs the first and the last.
func TestTenYearsOfFFN(t *testing.T) {
	days := []instrument.Date{instrument.NewDate(2004, 3, 10), instrument.NewDate(2014, 3, 10)}
	for _, c := range []struct{ from, to, want float64 }{{13.84, 530.92, .440}, {25.37, 37.82, .041}, {492.1, 49.57, -.205}} {
		m := stats.Compute(stats.Input{Dates: days, Equity: []float64{c.from, c.to}, PeriodsPerYear: 252})
		within(t, "cagr", get(t, m, "cagr"), c.want, .0005)
		near(t, "cagr", get(t, m, "cagr"), math.Pow(c.to/c.from, 365.25/3652)-1)
	}
	within(t, "nineteen days of a year", float64(instrument.NewDate(2004, 3, 29)-instrument.NewDate(2004, 3, 10))/365.25, .0520, .00005)
}

// Trades one after the other, by hand: +30 after it was 10 down and 50 up, -20 after it was 25 down and 5 up,
// +10 after it was 40 down. From the best moment, 50, to 30 - 20 - 40 = -30.
func TestIntraTradeDrawdown(t *testing.T) {
	trade := func(entry, exit int, pnl, mae, mfe float64) stats.Trade {
		return stats.Trade{PnL: pnl, Return: pnl / 100, EntryValue: 100, MAE: mae / 100, MFE: mfe / 100, Entry: instrument.Date(entry), Exit: instrument.Date(exit)}
	}
	all := []stats.Trade{trade(1, 5, 30, -10, 50), trade(5, 6, -20, -25, 5), trade(8, 9, 10, -40, 12)}
	near(t, "fall", get(t, stats.Compute(stats.Input{Trades: all}), "intra_trade_drawdown"), -80)
	// A first trade falls from nothing; one that ends at its worst is no deeper than its end.
	near(t, "fall of one", get(t, stats.Compute(stats.Input{Trades: all[:1]}), "intra_trade_drawdown"), -10)
	near(t, "costs", get(t, stats.Compute(stats.Input{Trades: []stats.Trade{trade(1, 2, -12, -10, 0)}}), "intra_trade_drawdown"), -12)
	all[1].Entry = 4
	if v, ok := stats.Compute(stats.Input{Trades: all}).Get("intra_trade_drawdown"); ok {
		t.Errorf("trades held at once fall by %g", v)
	}
}

// A run that is ahead by the same factor in every month is ahead after any number of months; one that owns its
// benchmark never is.
func TestOutperformance(t *testing.T) {
	r, b := make([]float64, 60), make([]float64, 60)
	for i := range r {
		b[i] = .02 * math.Sin(float64(i))
		r[i] = (1+b[i])*1.001 - 1
	}
	keys := []string{"outperformance_1m", "outperformance_12m", "outperformance_36m"}
	ahead := stats.Compute(stats.Input{Dates: monthEnds(60), Equity: curve(r), Benchmark: curve(b), PeriodsPerYear: 12})
	own := stats.Compute(stats.Input{Dates: monthEnds(60), Equity: curve(b), Benchmark: curve(b), PeriodsPerYear: 12})
	for _, k := range keys {
		near(t, k, get(t, ahead, k), 1)
		near(t, k+" of its benchmark", get(t, own, k), 0)
	}
	short := stats.Compute(stats.Input{Dates: monthEnds(11), Equity: curve(r[:11]), Benchmark: curve(b[:11]), PeriodsPerYear: 12})
	if v, ok := short.Get("outperformance_12m"); ok {
		t.Errorf("eleven months are ahead after a year: %g", v)
	}
}

func TestAscendingIsSorting(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	for _, draw := range []func() float64{
		rng.NormFloat64,
		func() float64 { return math.Floor(3 * rng.Float64()) },    // ties
		func() float64 { return math.Exp(8 * rng.NormFloat64()) },  // nearly all in one cell
		func() float64 { return 1e-12 * rng.NormFloat64() },        // close together
		func() float64 { return b2f(rng.Float64() < .001) * 1e15 }, // outliers
	} {
		for _, n := range []int{0, 1, 199, 200, 3000} {
			x := make([]float64, n)
			for i := range x {
				x[i] = draw()
			}
			want := slices.Sorted(slices.Values(x))
			if got := stats.Ascending(x); !slices.Equal(got, want) {
				t.Fatalf("%d values are out of order", n)
			}
		}
	}
}

func b2f(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// The bound is where a search of the whole finds it, and so it is when one return lies far from the others.
func TestEntropicIsTheLowestBound(t *testing.T) {
	for i, n := range []int{50, 1000, 30000, 1000, 1000} {
		r := noise(n)
		if i > 1 {
			r[n/2] = []float64{-.2, 40, -.9}[i-2]
		}
		f := func(x float64) float64 {
			s := 0.0
			for _, v := range r {
				s += math.Exp(-x * v)
			}
			return (math.Log(s/float64(n)) - math.Log(.05)) / x
		}
		lo, hi := 1.0, 2000.0
		for range 200 { // thirds of a function with one lowest point
			if a, b := lo+(hi-lo)/3, hi-(hi-lo)/3; f(a) < f(b) {
				hi = b
			} else {
				lo = a
			}
		}
		near(t, "bound", stats.Entropic(r), -f(lo))
	}
}
