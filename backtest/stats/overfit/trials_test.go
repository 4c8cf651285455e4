package overfit_test

import (
	"math"
	"testing"

	"backtester/backtest/stats"
	"backtester/backtest/stats/overfit"

	"pgregory.net/rapid"
)

// The numerical example of Lopez de Prado, Lipton and Zoonekynd (2025), as printed by the authors'
// program (github.com/zoonek/2025-sharpe-ratio).
func TestHowToUseTheSharpeRatio(t *testing.T) {
	s := stats.Sharpe{SR: .036 / .079, N: 24, Skew: -2.448, Kurtosis: 10.164}
	fat, normal := overfit.Test{Sharpe: s}, overfit.Test{Sharpe: stats.Sharpe{SR: s.SR, N: 24, Kurtosis: 3}}
	follow := overfit.Test{Sharpe: s, Rho: .2}
	for _, c := range []struct {
		what      string
		got, want float64
	}{
		{"SE", fat.SE(), .329}, {"SE, normal", normal.SE(), .214}, {"SE, rho .2", follow.SE(), .379},
		{"MinTRL", fat.MinTRL(0, .05), 13.029}, {"PSR(0)", fat.PSR(0), .987}, {"PSR(.1)", fat.PSR(.1), .939},
		{"PSR(0), rho .2", follow.PSR(0), .966}, {"PSR(.1), rho .2", follow.PSR(.1), .900},
		{"critical", fat.Critical(0, .1), .262}, {"power", fat.Power(0, .5, .05), .685},
		{"planned FDR", overfit.PlannedFDR(.05, .05, 1-.315), .581}, {"observed FDR", fat.ObservedFDR(0, .5, .05), .306},
	} {
		near(t, c.what, c.got, c.want, .0006)
	}
}

// Lo (2002), table 1: standard errors of independent normal returns.
func TestLoStandardErrors(t *testing.T) {
	for _, c := range []struct{ sr, n, want float64 }{
		{.5, 12, .306}, {.5, 60, .137}, {.5, 500, .047}, {1, 12, .354}, {1, 60, .158}, {1, 500, .055}, {2, 12, .500}, {2, 60, .224}, {2, 500, .077},
	} {
		near(t, "SE", overfit.Test{Sharpe: stats.Sharpe{SR: c.sr, N: int(c.n), Kurtosis: 3}}.SE(), c.want, .0005)
	}
}

func TestTestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g3 := rapid.Float64Range(-2, 1).Draw(t, "skewness")
		s := overfit.Test{Rho: rapid.Float64Range(-.25, .5).Draw(t, "rho"), Sharpe: stats.Sharpe{SR: rapid.Float64Range(.01, .5).Draw(t, "sr"),
			N: rapid.IntRange(10, 900).Draw(t, "n"), Skew: g3, Kurtosis: 1 + g3*g3 + rapid.Float64Range(.5, 9).Draw(t, "kurtosis")}}
		near := func(what string, got, want float64) {
			if !(math.Abs(got-want) <= 1e-9) {
				t.Fatalf("%s = %g, want %g", what, got, want)
			}
		}
		near("PSR of its own ratio", s.PSR(s.SR), .5)
		near("power where nothing is true", s.Power(0, 0, .05), .05)
		at := s
		at.SR = s.Critical(0, .05)
		near("PSR at the critical ratio", at.PSR(0), .95)
		near("MinTRL at the critical ratio", at.MinTRL(0, .05), float64(s.N))
		near("FDR when all have skill", s.ObservedFDR(0, .5, 1), 0)
		near("FDR when none has", s.ObservedFDR(0, .5, 0), 1)
		if !math.IsNaN(s.MinTRL(.6, .05)) {
			t.Fatal("a ratio under its target becomes significant")
		}
	})
	if v := (overfit.Test{Rho: 1}).Variance(0); !math.IsNaN(v) {
		t.Errorf("variance with a correlation of 1 is %g", v)
	}
}

// Worked by hand.
func TestAdjustments(t *testing.T) {
	near(t, "Sidak", overfit.Sidak(.01, 10), 1-math.Pow(.99, 10), 1e-12)
	near(t, "Bonferroni", overfit.Bonferroni(.01, 10), .1, 1e-12)
	near(t, "Bonferroni", overfit.Bonferroni(.2, 10), 1, 1e-12)
	p := []float64{.01, .04, .03, .005}
	for i, want := range []float64{.03, .06, .06, .02} {
		near(t, "Holm", overfit.Holm(p)[i], want, 1e-12)
	}
	// c(4) = 25/12; ranks .005 .01 .03 .04: .005*4c, .01*2c, .03*4c/3, .04*c, least from above.
	c := 25.0 / 12
	for i, want := range []float64{.02 * c, .04 * c, .04 * c, .02 * c} {
		near(t, "BHY", overfit.BHY(p)[i], want, 1e-12)
	}
}

func TestHaircut(t *testing.T) {
	// A monthly ratio of 0.75 a year over 20 years, 200 trials: t = 3.354, p = .0008; Sidak 0.147.
	s := stats.Sharpe{SR: .75 / math.Sqrt(12), N: 240}
	h := overfit.HaircutSharpe(s, 200)
	near(t, "p", h.P, .000796, .00001)
	near(t, "adjusted", h.Adjusted, 1-math.Pow(1-h.P, 200), 1e-12)
	near(t, "p of the cut ratio", 2*stats.Phi(-h.Sharpe*math.Sqrt(240)), h.Adjusted, 1e-12)
	near(t, "annual after the cut", h.Sharpe*math.Sqrt(12), .3242, .0002)
	if one := overfit.HaircutSharpe(s, 1); one.Cut != 0 || one.Sharpe != s.SR {
		t.Errorf("a single trial is cut by %g", one.Cut)
	}
	if h := overfit.HaircutSharpe(stats.Sharpe{SR: -.1, N: 100}, 5); !math.IsNaN(h.Sharpe) || !math.IsNaN(h.Adjusted) {
		t.Errorf("a negative ratio is cut to %g", h.Sharpe)
	}
	if h := overfit.HaircutSharpe(stats.Sharpe{SR: .001, N: 100}, 1e6); h.Sharpe != 0 || h.Cut != 1 {
		t.Errorf("luck alone leaves a ratio of %g", h.Sharpe)
	}
}

func TestEffectiveNumbers(t *testing.T) {
	near(t, "independent", overfit.EffectiveTrials(0, 50), 50, 0)
	near(t, "the same", overfit.EffectiveTrials(1, 50), 1, 0)
	identity := [][]float64{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}
	near(t, "rank of independent columns", overfit.EffectiveRank(identity), 3, 1e-12)
	same := [][]float64{{1, 1, 1}, {1, 1, 1}, {1, 1, 1}}
	near(t, "rank of one column three times", overfit.EffectiveRank(same), 1, 1e-9)
	// Eigenvalues 1.5 and 0.5: shares 3/4 and 1/4.
	near(t, "rank at a correlation of one half", overfit.EffectiveRank([][]float64{{1, .5}, {.5, 1}}), math.Exp(-.75*math.Log(.75)-.25*math.Log(.25)), 1e-12)
	if v := overfit.EffectiveRank(nil); !math.IsNaN(v) {
		t.Errorf("rank of nothing is %g", v)
	}
}
