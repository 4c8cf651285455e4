package stats_test

import (
	"math"
	"slices"
	"testing"

	"backtester/backtest/instrument"
	"backtester/backtest/stats"

	"pgregory.net/rapid"
)

// drawSharpe is a Sharpe ratio of one period with moments that a sample can have: the kurtosis is at
// least one plus the squared skewness.
func drawSharpe(t *rapid.T) stats.Sharpe {
	g3 := rapid.Float64Range(-2, 2).Draw(t, "skewness")
	return stats.Sharpe{SR: rapid.Float64Range(-.5, .5).Draw(t, "sr"), N: rapid.IntRange(10, 5000).Draw(t, "n"), Skew: g3,
		Kurtosis: 1 + g3*g3 + rapid.Float64Range(.1, 10).Draw(t, "kurtosis")}
}

func TestInferenceProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSharpe(t)
		same(t, "PSR of its own ratio", s.PSR(s.SR), .5, 1e-12)
		dsr, target := s.DSR(rapid.Float64Range(0, .1).Draw(t, "variance"), 1)
		if target != 0 || dsr != s.PSR(0) {
			t.Fatalf("one trial deflates: %g, target %g, PSR %g", dsr, target, s.PSR(0))
		}
		less, _ := s.DSR(.001, 10)
		more, _ := s.DSR(.001, 1000)
		if more > less {
			t.Fatalf("more trials make it surer: %g after 10, %g after 1000", less, more)
		}
		if s.PSR(-.6) < s.PSR(0) || s.PSR(0) < s.PSR(.6) {
			t.Fatal("PSR does not fall with its target")
		}
		// After as many returns as the minimum track record, PSR is at the confidence.
		if n := s.MinTRL(0, .95); s.SR > 1e-3 {
			at := s
			at.N = int(math.Ceil(n))
			under := s
			under.N = at.N - 1
			if at.N > 2 && (at.PSR(0) < .95-1e-12 || under.N > 2 && under.PSR(0) > .95+1e-12) {
				t.Fatalf("PSR is %g after %d returns and %g after %d, want 0.95 between", under.PSR(0), under.N, at.PSR(0), at.N)
			}
		} else if s.SR <= 0 && !math.IsNaN(n) {
			t.Fatalf("a ratio of %g becomes significant after %g returns", s.SR, n)
		}
	})
}

func TestPhi(t *testing.T) {
	for _, c := range []struct{ x, p float64 }{ // Abramowitz and Stegun, table 26.1
		{0, .5}, {1, .841344746068543}, {1.96, .975002104851780}, {3, .998650101968370}, {-2, .022750131948179},
	} {
		near(t, "Phi", stats.Phi(c.x), c.p)
	}
	for p := 1e-12; p < 1; p = p*1.7 + 1e-9 {
		if got := stats.Phi(stats.PhiInv(p)); math.Abs(got-p) > 1e-13+1e-12*p {
			t.Errorf("Phi(PhiInv(%g)) = %g", p, got)
		}
	}
	for _, p := range []float64{0, 1, -1, 2, math.NaN()} {
		if x := stats.PhiInv(p); !math.IsNaN(x) {
			t.Errorf("PhiInv(%g) = %g", p, x)
		}
	}
}

// Wilson's interval as worked out by hand: 8 of 10, and the ends.
func TestWilson(t *testing.T) {
	low, high := stats.Wilson(8, 10)
	// (0.8 + z^2/20 +- z sqrt(0.016 + z^2/400)) / (1 + z^2/10), z = 1.959964
	within(t, "low", low, .490162, 1e-6)
	within(t, "high", high, .943318, 1e-6)
	if low, _ := stats.Wilson(0, 5); low != 0 {
		t.Errorf("none of five: from %g", low)
	}
	if _, high := stats.Wilson(5, 5); high < 1-1e-12 || high > 1 {
		t.Errorf("five of five: to %g", high)
	}
	if low, high := stats.Wilson(0, 0); !math.IsNaN(low) || !math.IsNaN(high) {
		t.Error("no trial has an interval")
	}
}

// Worked examples of github.com/esvhd/pypbo (from investexcel.net): Sortino and omega.
func TestPypboExamples(t *testing.T) {
	r := []float64{.17, .15, .23, -.05, .12, .09, .13, -.04}
	m := stats.Compute(stats.Input{Dates: weekdays(len(r)), Equity: curve(r), PeriodsPerYear: 1})
	within(t, "sortino", get(t, m, "sortino"), 4.417261, 1e-6)
	_, _, _, omega := stats.WithThreshold([]float64{.0089, .0012, -.002, .01, -.0002, .02, .03, .01, -.003, .01, .0102, -.01}, .01)
	near(t, "omega .01", omega, .463901689)
}

// Pinned by the tests of pypbo (a Sharpe ratio above a benchmark of 5 %) and of ffn (Apple's closes of two weeks,
// to three digits).
func TestRatesOfOthers(t *testing.T) {
	r := []float64{.259, .198, .364, -.081, .057, .055, .188, .317, .24, .184, -.01, .526}
	m := stats.Compute(stats.Input{Dates: weekdays(len(r)), Equity: curve(r), PeriodsPerYear: 1, RiskFreeAnnual: .05})
	within(t, "sharpe", get(t, m, "sharpe"), .834364, 1e-6)

	var days []instrument.Date
	for _, d := range []int{10, 11, 12, 15, 16, 17, 18, 19, 22, 23} {
		days = append(days, instrument.NewDate(2004, 3, d))
	}
	apple := []float64{13.84, 13.575, 13.78, 13.225, 12.91, 13.095, 12.835, 12.93, 12.93, 12.645}
	m = stats.Compute(stats.Input{Dates: days, Equity: apple})
	within(t, "max_drawdown", get(t, m, "max_drawdown"), -.086, .0005)
	if v, ok := m.Get("cagr"); ok {
		t.Errorf("two weeks grow by %g a year", v)
	}
	within(t, "growth by the calendar", math.Pow(1+get(t, m, "total_return"), 365.25/get(t, m, "calendar_days"))-1, -.921, .0005)

	// 53 weeks of +0.6 % are scaled by the calendar, not by 52.
	var weeks []instrument.Date
	for i := range 54 {
		weeks = append(weeks, instrument.NewDate(2020, 1, 3)+instrument.Date(7*i))
	}
	m = stats.Compute(stats.Input{Dates: weeks, Equity: curve(slices.Repeat([]float64{.006}, 53))})
	near(t, "cagr of weeks", get(t, m, "cagr"), math.Pow(1.006, 365.25/7)-1)
	near(t, "weeks a year", get(t, m, "periods_per_year"), 52)
}

// Trade statistics pinned by the tests of QuantConnect LEAN.
func TestLEANTrades(t *testing.T) {
	compute := func(pnl ...float64) stats.Metrics {
		var ts []stats.Trade
		for _, p := range pnl {
			ts = append(ts, stats.Trade{PnL: p, Return: p / 100, EntryValue: 100})
		}
		return stats.Compute(stats.Input{Trades: ts})
	}
	m := compute(20, 20, 10)
	near(t, "expectancy", get(t, m, "expectancy"), 50.0/3)
	near(t, "trade_sd", get(t, m, "trade_sd"), 5.77350269189626)
	near(t, "mean over sd", get(t, m, "sqn")/math.Sqrt(3), 2.88675134594813)
	if _, ok := m.Get("profit_factor"); ok {
		t.Error("profit factor without a loss is a number")
	}
	m = compute(-20, -20, 10)
	for key, want := range map[string]float64{"profit_factor": .25, "payoff": .5, "win_rate": 1.0 / 3, "trade_sd": 17.3205080756888, "closed_trade_drawdown": -40, "max_loss_streak": 2} {
		near(t, key, get(t, m, key), want)
	}
	near(t, "mean over sd", get(t, m, "sqn")/math.Sqrt(3), -.57735026919)
}

// More trials never expect less, down to a fraction of one: correlated trials are worth few.
func TestExpectedMaxRises(t *testing.T) {
	before := 0.0
	for n := 1.0; n < 20; n += .01 {
		x := stats.ExpectedMax(n)
		if x < before || n > 1.005 && x <= 0 {
			t.Fatalf("the best of %.2f is expected at %g, of one less at %g", n, x, before)
		}
		before = x
	}
	s := stats.Sharpe{SR: .06, N: 2700, Kurtosis: 3}
	if dsr, _ := s.DSR(3e-6, 1.1); dsr > s.PSR(0) {
		t.Errorf("1.1 trials make a ratio better than one: %g over %g", dsr, s.PSR(0))
	}
}
