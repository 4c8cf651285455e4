package indicator_test

import (
	"math"
	"math/big"
	"testing"

	"backtester/backtest/indicator"
	"pgregory.net/rapid"
)

// column draws values that hurt: large levels, ties, tiny steps, absent bars.
func column(t *rapid.T) []float64 {
	level := rapid.SampledFrom([]float64{0, 1, 50, 1e9, -1e9}).Draw(t, "level")
	step := rapid.SampledFrom([]float64{1e-3, 0.5, 1, 1e4}).Draw(t, "step")
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) float64 {
		if rapid.IntRange(0, 30).Draw(t, "absent") == 0 {
			return math.NaN()
		}
		return level + step*float64(rapid.IntRange(-8, 8).Draw(t, "steps"))
	}), 0, 120).Draw(t, "x")
}

// window is the last n values at bar i, or nil if one is absent.
func window(x []float64, i, n int) []float64 {
	if i < n-1 {
		return nil
	}
	w := x[i-n+1 : i+1]
	for _, v := range w {
		if math.IsNaN(v) {
			return nil
		}
	}
	return w
}

// exact arithmetic: rationals of any length.
func rational(v float64) *big.Rat { return new(big.Rat).SetFloat64(v) }

func float(r *big.Rat) float64 { f, _ := r.Float64(); return f }

// TestWindowsExactly compares the window kernels with rational arithmetic on each window by itself.
// The tolerance is a few units in the last place of the values, and of the spread for deviations.
func TestWindowsExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := column(t)
		n := rapid.IntRange(2, 25).Draw(t, "n")
		bars := len(x)
		var s indicator.Scratch
		sma, sum, wma := indicator.SMA(nil, x, n), indicator.Sum(nil, x, n), indicator.WMA(nil, x, n)
		variance := indicator.Variance(&s, nil, x, n, 0)
		fit, slope := make([]float64, bars), make([]float64, bars)
		indicator.LinearFit(fit, slope, x, n)
		high, low := indicator.Highest(nil, x, n), indicator.Lowest(nil, x, n)
		highBar := indicator.HighestBar(&s, nil, x, n)
		for i := range x {
			w := window(x, i, n)
			if w == nil {
				for k, c := range [][]float64{sma, sum, wma, variance, fit, slope, high, low, highBar} {
					if !math.IsNaN(c[i]) {
						t.Fatalf("kernel %d: bar %d is %v although its window is not complete", k, i, c[i])
					}
				}
				continue
			}
			e := exactly(w)
			size := math.Abs(w[0]) + e.spread
			within(t, "sma", i, sma[i], e.mean, 4e-16*size)
			within(t, "sum", i, sum[i], e.sum, 4e-16*size*float64(n))
			within(t, "wma", i, wma[i], e.weighted, 8e-16*size)
			within(t, "variance", i, variance[i], e.variance, 4e-16*float64(n*n)*e.variance)
			within(t, "slope", i, slope[i], e.slope, 1e-14*e.spread)
			within(t, "fit", i, fit[i], e.fit, 4e-16*size+1e-14*e.spread)
			within(t, "highest", i, high[i], e.high, 0)
			within(t, "lowest", i, low[i], e.low, 0)
			within(t, "highest_bar", i, highBar[i], e.highBar, 0)
		}
	})
}

func within(t *rapid.T, what string, i int, got, want, tolerance float64) {
	if !(math.Abs(got-want) <= tolerance) {
		t.Fatalf("%s: bar %d is %v, exactly %v: off by %v, allowed %v", what, i, got, want, got-want, tolerance)
	}
}

// truth holds what rational arithmetic says of one window.
type truth struct{ sum, mean, weighted, variance, slope, fit, high, low, highBar, spread float64 }

func exactly(w []float64) truth {
	n := int64(len(w))
	sum, weighted, square := new(big.Rat), new(big.Rat), new(big.Rat)
	e := truth{high: w[0], low: w[0]}
	for k, v := range w {
		r := rational(v)
		sum.Add(sum, r)
		weighted.Add(weighted, new(big.Rat).Mul(r, big.NewRat(int64(k)+1, 1)))
		square.Add(square, new(big.Rat).Mul(r, r))
		e.low = min(e.low, v)
		if v >= e.high {
			e.high, e.highBar = v, float64(len(w)-1-k)
		}
	}
	mean := new(big.Rat).Mul(sum, big.NewRat(1, n))
	wma := new(big.Rat).Mul(weighted, big.NewRat(2, n*(n+1)))
	variance := new(big.Rat).Sub(new(big.Rat).Mul(square, big.NewRat(1, n)), new(big.Rat).Mul(mean, mean))
	slope := new(big.Rat).Mul(new(big.Rat).Sub(wma, mean), big.NewRat(6, max(n-1, 1)))
	// The least squares line at its end: mean + slope * (n-1)/2.
	fit := new(big.Rat).Add(mean, new(big.Rat).Mul(slope, big.NewRat(n-1, 2)))
	e.sum, e.mean, e.weighted, e.variance = float(sum), float(mean), float(wma), float(variance)
	e.slope, e.fit, e.spread = float(slope), float(fit), e.high-e.low
	return e
}

// TestEMAExactly compares the recursive averages with the recursion in rational arithmetic.
func TestEMAExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := column(t)
		n := rapid.IntRange(1, 12).Draw(t, "n")
		ema, rma := indicator.EMA(nil, x, n), indicator.RMA(nil, x, n)
		for k, got := range [][]float64{ema, rma} {
			factor := new(big.Float).SetPrec(300).SetRat([]*big.Rat{big.NewRat(2, int64(n)+1), big.NewRat(1, int64(n))}[k])
			var e *big.Float
			for i := range x {
				switch {
				case math.IsNaN(x[i]):
					e = nil
				case e != nil:
					step := new(big.Float).Sub(new(big.Float).SetPrec(300).SetFloat64(x[i]), e)
					e.Add(e, step.Mul(step, factor))
				default:
					if w := window(x, i, n); w != nil {
						e = new(big.Float).SetPrec(300).SetFloat64(exactly(w).mean)
					}
				}
				if e == nil {
					if !math.IsNaN(got[i]) {
						t.Fatalf("average %d: bar %d is %v before its seed", k, i, got[i])
					}
					continue
				}
				want, _ := e.Float64()
				within(t, "average", i, got[i], want, 2e-15*scaleOf(x))
			}
		}
	})
}

// TestReusesColumns gives destinations with room and without.
func TestReusesColumns(t *testing.T) {
	x := walk(50, 3)
	room := make([]float64, 10, 64)
	got := indicator.SMA(room, x, 5)
	if len(got) != 50 || &got[0] != &room[0] {
		t.Errorf("a destination with room for 64 was not used: %d values", len(got))
	}
	if got := indicator.RSI(make([]float64, 3), x, 5); len(got) != 50 {
		t.Errorf("a destination without room gives %d values, want 50", len(got))
	}
	if n := testing.AllocsPerRun(5, func() { indicator.ATR(room, x, x, x, 5) }); n != 0 {
		t.Errorf("%v allocations with a destination that has room", n)
	}
}
