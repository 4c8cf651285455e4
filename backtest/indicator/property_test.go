package indicator_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"backtester/backtest/indicator"
)

const testBars = 1200

// TestNoLookAhead cuts the future off: no bit of the past may change.
func TestNoLookAhead(t *testing.T) {
	m := newMarket(testBars, 1)
	each(t, func(t *testing.T, s indicator.Spec, p []float64) {
		in := m.inputs(s)
		whole := eval(s, in, p)
		for _, end := range []int{1, 2, 3, 5, 8, 17, 40, 101, 350, 777, testBars - 1} {
			part := eval(s, cut(in, 0, end), p)
			for k := range part {
				for i, v := range part[k] {
					if !same(v, whole[k][i]) {
						t.Fatalf("%s%v %s: bar %d is %v with %d bars, %v with all", s.Name, p, s.Outputs[k].Name, i, v, end, whole[k][i])
					}
				}
			}
		}
		// A wild future must not matter either.
		wild := edit(in, func(k int, c []float64) {
			for i := 500; i < len(c); i++ {
				c[i] = []float64{math.NaN(), 1e12, 0, math.Inf(1), -7}[(i+k)%5]
			}
		})
		for k, c := range eval(s, wild, p) {
			for i, v := range c[:500] {
				if !same(v, whole[k][i]) {
					t.Fatalf("%s%v %s: bar %d is %v before a wild future, %v before the real one", s.Name, p, s.Outputs[k].Name, i, v, whole[k][i])
				}
			}
		}
	})
}

// TestFirst checks the promised first value, that all outputs are there after the warm-up, that
// values are finite and in bounds.
func TestFirst(t *testing.T) {
	m := newMarket(testBars, 2)
	each(t, func(t *testing.T, s indicator.Spec, p []float64) {
		out := eval(s, m.inputs(s), p)
		first := s.First(p)
		if w := s.Warmup(p); w < first {
			t.Fatalf("%s%v: warm-up %d is shorter than the first value %d", s.Name, p, w, first)
		}
		for i := range first {
			if !math.IsNaN(out[0][i]) {
				t.Fatalf("%s%v: value %v at bar %d, promised first at %d", s.Name, p, out[0][i], i, first)
			}
		}
		if math.IsNaN(out[0][first]) && !degenerate(s.Name) {
			t.Fatalf("%s%v: no value at bar %d, where the first is promised", s.Name, p, first)
		}
		for k, c := range out {
			o, missing := s.Outputs[k], 0
			for i, v := range c {
				if math.IsInf(v, 0) || v == 1e300 {
					t.Fatalf("%s%v %s: bar %d is %v", s.Name, p, o.Name, i, v)
				}
				if math.IsNaN(v) && i >= s.Warmup(p) {
					missing++
				}
				if (o.Min != 0 || o.Max != 0) && (v < o.Min-1e-9 || v > o.Max+1e-9) {
					t.Fatalf("%s%v %s: bar %d is %v, outside [%v, %v]", s.Name, p, o.Name, i, v, o.Min, o.Max)
				}
			}
			if missing > 0 && !degenerate(s.Name) {
				t.Errorf("%s%v %s: %d bars absent after the warm-up", s.Name, p, o.Name, missing)
			}
		}
	})
}

// degenerate are the rows whose definition leaves values open on bars without movement or volume.
func degenerate(name string) bool {
	switch name {
	case "vwma", "vwap_n", "cmf", "chop", "correlation", "vwap", "anchored_vwap", "marketfi", "rvol", "eom", "vosc", "pvo", "cvi", "massi",
		"swing", "beta", "skew", "kurtosis", "linreg_r2", "cti", "autocorrelation", "hurst":
		return true
	}
	return false
}

// TestStart begins the columns later: after the warm-up the values must be the same, exactly but for
// rounding where the memory is a window, to the seed's weight where it fades.
func TestStart(t *testing.T) {
	each(t, func(t *testing.T, s indicator.Spec, p []float64) {
		if s.Memory == indicator.Cumulative {
			return
		}
		testBars := s.Warmup(p) + 800
		in := newMarket(testBars, 3).inputs(s)
		whole := eval(s, in, p)
		tolerance := 1e-12
		if s.Memory == indicator.Fading {
			tolerance = 50 * indicator.SeedWeight
		}
		for _, from := range []int{1, 7, 64, 333, 500} {
			if s.Memory == indicator.Today {
				from = from / 39 * 39
			}
			part := eval(s, cut(in, from, testBars), p)
			compared := 0
			for k := range part {
				scale := scaleOf(whole[k])
				for i := s.Warmup(p); i < len(part[k]); i++ {
					if v := part[k][i]; !near(v, whole[k][from+i], tolerance, scale) {
						t.Fatalf("%s%v %s: bar %d is %v when columns begin at bar %d, %v when they begin at 0", s.Name, p, s.Outputs[k].Name, from+i, v, from, whole[k][from+i])
					}
					compared++
				}
			}
			if compared == 0 {
				t.Fatalf("%s%v: warm-up %d leaves nothing to compare in %d bars", s.Name, p, s.Warmup(p), testBars)
			}
		}
	})
}

// TestLeadingAbsence puts absent bars in front: everything must move by their number, bit for bit.
func TestLeadingAbsence(t *testing.T) {
	m := newMarket(400, 4)
	each(t, func(t *testing.T, s indicator.Spec, p []float64) {
		in := m.inputs(s)
		plain := eval(s, in, p)
		const shift = 13
		moved := make([][]float64, len(in))
		for k, c := range in {
			moved[k] = append(make([]float64, shift), c...)
			for i := range shift {
				moved[k][i] = []float64{math.NaN(), math.Inf(1), math.Inf(-1)}[i%3]
			}
		}
		for k, c := range eval(s, moved, p) {
			for i, v := range c {
				want := math.NaN()
				if i >= shift {
					want = plain[k][i-shift]
				}
				if !same(v, want) {
					t.Fatalf("%s%v %s: bar %d is %v behind %d absent bars, want %v", s.Name, p, s.Outputs[k].Name, i, v, shift, want)
				}
			}
		}
	})
}

// TestGap makes a bar absent, or its volume, or one series argument: the bar itself is absent, and
// afterwards the values are those of columns that begin behind the gap.
func TestGap(t *testing.T) {
	const bars, gap = 1200, 300
	m := newMarket(bars, 5)
	each(t, func(t *testing.T, s indicator.Spec, p []float64) {
		in := m.inputs(s)
		holes := map[string]func(column string) bool{"bar": func(c string) bool { return c != indicator.Session }}
		for _, name := range s.Series {
			holes[name] = func(c string) bool { return c == name }
		}
		if slices.Contains(s.Columns, indicator.Volume) {
			holes[indicator.Volume] = func(c string) bool { return c == indicator.Volume }
		}
		for hole, affects := range holes {
			for _, nothing := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
				holed := edit(in, func(k int, c []float64) {
					if affects(slices.Concat(s.Series, s.Columns)[k]) {
						c[gap] = nothing
					}
				})
				got, fresh := eval(s, holed, p), eval(s, cut(in, gap+1, bars), p)
				for k := range got {
					if err := checkGap(s, p, got[k], fresh[k], gap, hole == "bar"); err != nil {
						t.Fatalf("%s%v %s with %v as %s: %v", s.Name, p, s.Outputs[k].Name, nothing, hole, err)
					}
				}
			}
		}
	})
}

// checkGap compares with a fresh start; a whole bar that is missing leaves nothing to the next one.
func checkGap(s indicator.Spec, p []float64, got, fresh []float64, gap int, whole bool) error {
	if !math.IsNaN(got[gap]) {
		return fmt.Errorf("bar %d is %v", gap, got[gap])
	}
	if s.Memory == indicator.Cumulative || s.Memory == indicator.Today {
		return nil
	}
	scale, tolerance := scaleOf(fresh), 1e-12
	if !whole {
		tolerance += 50 * indicator.SeedWeight
	}
	for i, v := range fresh {
		// The seed of what fades is new at once. A window may look back across the gap, as x - x[n] does,
		// and a change of price across a bar that only lacks volume is known.
		if (s.Memory == indicator.Window || !whole) && i < s.Warmup(p) {
			continue
		}
		if !near(got[gap+1+i], v, tolerance, scale) {
			return fmt.Errorf("bar %d is %v, a start behind the gap gives %v", gap+1+i, got[gap+1+i], v)
		}
	}
	return nil
}

// TestUnits scales prices, volumes and series by powers of two, which is exact: outputs must follow
// their units bit for bit.
func TestUnits(t *testing.T) {
	m := newMarket(600, 6)
	each(t, func(t *testing.T, s indicator.Spec, p []float64) {
		in := m.inputs(s)
		plain := eval(s, in, p)
		const price, volume = 4, 0.25
		args := []float64{16, 0.5}
		scaled := edit(in, func(k int, c []float64) {
			f := 1.0
			switch {
			case k < len(s.Series):
				f = args[k]
			case s.Columns[k-len(s.Series)] == indicator.Volume:
				f = volume
			case s.Columns[k-len(s.Series)] != indicator.Session:
				f = price
			}
			for i := range c {
				c[i] *= f
			}
		})
		for k, c := range eval(s, scaled, p) {
			u := s.Outputs[k].Unit
			f := power(price, u.Price) * power(volume, u.Share) * power(args[0], u.Args[0]) * power(args[1], u.Args[1])
			for i, v := range c {
				if !same(v, f*plain[k][i]) {
					t.Fatalf("%s%v %s: bar %d is %v after restating, want %v x %v", s.Name, p, s.Outputs[k].Name, i, v, f, plain[k][i])
				}
			}
		}
	})
}

func power(x float64, n int8) float64 {
	r := 1.0
	for ; n > 0; n-- {
		r *= x
	}
	for ; n < 0; n++ {
		r /= x
	}
	return r
}

// TestConstant feeds one price for ever: averages are it, deviations are 0, exactly.
func TestConstant(t *testing.T) {
	const bars, price = 700, 10.1
	c := make([]float64, bars)
	for i := range c {
		c[i] = price
	}
	for name, want := range map[string]float64{"sma": price, "ema": price, "rma": price, "wma": price, "dema": price, "tema": price,
		"hma": price, "trima": price, "zlema": price, "kama": price, "linreg": price, "highest": price, "lowest": price,
		"stdev": 0, "variance": 0, "zscore_n": 0, "linreg_slope": 0, "mom": 0, "roc": 0, "macd": 0, "dpo": 0, "rsi": 50} {
		s, ok := indicator.Lookup(name)
		if !ok {
			t.Fatalf("no %s", name)
		}
		for _, p := range sets(s) {
			for i, v := range eval(s, [][]float64{c}, p)[0] {
				if i >= s.First(p) && v != want {
					t.Fatalf("%s%v: bar %d is %v on a constant %v, want %v", name, p, i, v, price, want)
				}
			}
		}
	}
}

// TestNoAllocation evaluates every row twice with the same memory.
func TestNoAllocation(t *testing.T) {
	m := newMarket(300, 8)
	each(t, func(t *testing.T, s indicator.Spec, p []float64) {
		in := m.inputs(s)
		dst := make([][]float64, len(s.Outputs))
		for k := range dst {
			dst[k] = make([]float64, 300)
		}
		var scratch indicator.Scratch
		if n := testing.AllocsPerRun(3, func() { s.Eval(&scratch, dst, in, p) }); n != 0 {
			t.Errorf("%s%v: %v allocations a call", s.Name, p, n)
		}
	})
}

// TestShort gives fewer bars than any window needs, and none.
func TestShort(t *testing.T) {
	m := newMarket(3, 9)
	each(t, func(t *testing.T, s indicator.Spec, p []float64) {
		for bars := range 4 {
			for k, c := range eval(s, cut(m.inputs(s), 0, bars), p) {
				for i, v := range c {
					if k == 0 && i < s.First(p) && !math.IsNaN(v) {
						t.Fatalf("%s%v: bar %d of %d is %v", s.Name, p, i, bars, v)
					}
				}
			}
		}
	})
}

// TestOutlier lets an enormous value pass through every window: afterwards nothing of it may be left.
func TestOutlier(t *testing.T) {
	m := newMarket(400, 10)
	each(t, func(t *testing.T, s indicator.Spec, p []float64) {
		if s.Memory != indicator.Window {
			return
		}
		in := m.inputs(s)
		plain := eval(s, in, p)
		spiked := edit(in, func(k int, c []float64) {
			if k < len(s.Series) || s.Columns[k-len(s.Series)] != indicator.Session {
				c[100] *= 1e12
			}
		})
		for k, c := range eval(s, spiked, p) {
			scale := scaleOf(plain[k])
			for i := 101 + s.Warmup(p); i < len(c); i++ {
				if !near(c[i], plain[k][i], 1e-12, scale) {
					t.Fatalf("%s%v %s: bar %d is %v after an outlier at 100, %v without", s.Name, p, s.Outputs[k].Name, i, c[i], plain[k][i])
				}
			}
		}
	})
}

// TestWild feeds rubbish: zeros, negative prices, absent values everywhere, sizes from 1e-60 to 1e60.
// Nothing may panic or become infinite, and the past may not change.
func TestWild(t *testing.T) {
	each(t, func(t *testing.T, s indicator.Spec, p []float64) {
		for seed := range uint64(6) {
			r := rand.New(rand.NewPCG(seed, 3))
			in := edit(newMarket(200, seed).inputs(s), func(_ int, c []float64) {
				for i := range c {
					if r.IntN(4) == 0 {
						continue
					}
					c[i] = []float64{0, -c[i], math.NaN(), math.Inf(1), math.Inf(-1), c[i] * 1e60, c[i] * 1e-60, math.Copysign(0, -1), c[max(i-1, 0)], 1, 1, 1}[r.IntN(12)]
				}
			})
			whole := eval(s, in, p)
			part := eval(s, cut(in, 0, 120), p)
			for k, c := range whole {
				for i, v := range c {
					if math.IsInf(v, 0) {
						t.Fatalf("%s%v %s: bar %d is %v", s.Name, p, s.Outputs[k].Name, i, v)
					}
					if i < 120 && !same(v, part[k][i]) {
						t.Fatalf("%s%v %s: bar %d is %v, without the future %v", s.Name, p, s.Outputs[k].Name, i, v, part[k][i])
					}
				}
			}
		}
	})
}

// Spare outputs left out change nothing in the others, to the bit.
func TestSpareOutputsMayBeLeftOut(t *testing.T) {
	m := newMarket(300, 9)
	spare := 0
	for _, s := range indicator.Table() {
		var scratch indicator.Scratch
		whole, part := make([][]float64, len(s.Outputs)), make([][]float64, len(s.Outputs))
		some := false
		for k, o := range s.Outputs {
			whole[k] = make([]float64, 300)
			if some = some || o.Spare; !o.Spare {
				part[k] = make([]float64, 300)
			}
		}
		if !some {
			continue
		}
		spare++
		p := sets(s)[0]
		s.Eval(&scratch, whole, m.inputs(s), p)
		s.Eval(&scratch, part, m.inputs(s), p)
		for k, c := range part {
			for i := range c {
				if math.Float64bits(c[i]) != math.Float64bits(whole[k][i]) {
					t.Fatalf("%s.%s at bar %d: %v without spare outputs, %v with them", s.Name, s.Outputs[k].Name, i, c[i], whole[k][i])
				}
			}
		}
	}
	if spare == 0 {
		t.Error("no indicator has spare outputs")
	}
}
