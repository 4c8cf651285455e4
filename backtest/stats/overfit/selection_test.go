package overfit_test

import (
	"math"
	"testing"

	"backtester/backtest/stats"
	"backtester/backtest/stats/overfit"
)

// The example of the paper: an annual ratio of 2.5 over five years of 250 sessions, the best of 100 trials
// whose annual ratios have the variance 0.5.
func TestSelectIsThePaper(t *testing.T) {
	s := stats.Sharpe{SR: 2.5 / math.Sqrt(250), N: 1250, Skew: -3, Kurtosis: 10}
	got := overfit.Select(s, 100, .5/250, math.NaN(), 0)
	near := func(name string, x *float64, want, tol float64) {
		t.Helper()
		if x == nil || !(math.Abs(*x-want) <= tol) {
			t.Errorf("%s = %v, want %v", name, x, want)
		}
	}
	near("DSR", got.DSR, .90039683444939, 1e-9)
	near("luck", got.Luck, .1131720, 1e-6)
	near("effective", got.Effective, 100, 0)
	near("PSR", got.PSR, s.PSR(0), 0)
	near("MinTRL", got.MinTRL, s.MinTRL(0, .95), 0)
	// 45 trials reach an annual ratio of 1 within five years: in sessions and years alike.
	year := overfit.Select(stats.Sharpe{SR: 1 / math.Sqrt(250), N: 1250, Kurtosis: 3}, 45, .001, math.NaN(), 0)
	near("MinBTL", year.MinBTL, 250*4.99808700444, 1e-6)
	if !(*got.Haircut < s.SR) || !(*got.Cut > 0) {
		t.Errorf("haircut %v, cut %v", *got.Haircut, *got.Cut)
	}
}

// Trials that nobody measured spread at least as worthless ones do; more trials never help.
func TestSelectWithTrialsFromElsewhere(t *testing.T) {
	s := stats.Sharpe{SR: .08, N: 1000, Kurtosis: 3}
	before := 1.0
	for _, n := range []int64{1, 2, 10, 100, 10000} {
		got := overfit.Select(s, n, math.NaN(), math.NaN(), 0)
		if got.DSR == nil || *got.DSR > before || got.Assumed != (n > 1) {
			t.Errorf("%d trials: DSR %v, assumed %v", n, got.DSR, got.Assumed)
			continue
		}
		if n == 1 && *got.DSR != s.PSR(0) {
			t.Errorf("one trial: %g, PSR %g", *got.DSR, s.PSR(0))
		}
		if n > 1 && *got.Variance != 1/999. {
			t.Errorf("variance %g", *got.Variance)
		}
		before = *got.DSR
	}
	if got := overfit.Select(stats.Sharpe{SR: math.NaN()}, 3, math.NaN(), math.NaN(), 0); got.DSR != nil || got.Reason == "" {
		t.Errorf("a run without a ratio: %+v", got)
	}
}
