package indicator_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"backtester/backtest/indicator"
)

// market is a made-up history: a random walk in cents with flat stretches, bars without range or
// volume, equal closes, a jump and a collapse.
type market map[string][]float64

func newMarket(bars int, seed uint64) market {
	r := rand.New(rand.NewPCG(seed, 7))
	m := market{}
	for _, c := range []string{indicator.Open, indicator.High, indicator.Low, indicator.Close, indicator.Volume, indicator.Session} {
		m[c] = make([]float64, bars)
	}
	cents := func(x float64) float64 { return math.Round(x*100) / 100 }
	last := 50.0
	for i := range bars {
		open := cents(last * (1 + 0.004*r.NormFloat64()))
		c := cents(open * (1 + 0.012*r.NormFloat64()))
		high := cents(max(open, c) * (1 + 0.006*r.Float64()))
		low := cents(min(open, c) * (1 - 0.006*r.Float64()))
		volume := math.Round(1e6 * math.Abs(1+0.5*r.NormFloat64()))
		switch {
		case i%97 >= 70 && i%97 < 82:
			open, high, low, c = last, last, last, last
			volume = float64(i % 2 * 100)
		case i%53 == 0:
			c = last
			high, low = max(high, c), min(low, c)
		case i == bars*2/5:
			open, high, low, c = 3*open, 3*high, 3*low, 3*c
		case i == bars*4/5:
			open, high, low, c = open/4, high/4, low/4, c/4
		}
		m[indicator.Open][i], m[indicator.High][i], m[indicator.Low][i] = open, high, low
		m[indicator.Close][i], m[indicator.Volume][i] = c, volume
		m[indicator.Session][i] = float64(i / 39)
		last = c
	}
	return m
}

// inputs are the columns that s takes; series arguments become the close and the open.
func (m market) inputs(s indicator.Spec) [][]float64 {
	var in [][]float64
	for k := range s.Series {
		in = append(in, m[[]string{indicator.Close, indicator.Open}[k]])
	}
	for _, c := range s.Columns {
		in = append(in, m[c])
	}
	return in
}

// cut is [from, to) of every column.
func cut(in [][]float64, from, to int) [][]float64 {
	out := make([][]float64, len(in))
	for k, c := range in {
		out[k] = c[from:to]
	}
	return out
}

// edit is a deep copy of columns after change was applied to each.
func edit(in [][]float64, change func(k int, c []float64)) [][]float64 {
	out := make([][]float64, len(in))
	for k, c := range in {
		out[k] = append([]float64(nil), c...)
		change(k, out[k])
	}
	return out
}

// eval runs s into fresh columns full of rubbish, so that a bar left unwritten shows.
func eval(s indicator.Spec, in [][]float64, p []float64) [][]float64 {
	dst := make([][]float64, len(s.Outputs))
	for k := range dst {
		dst[k] = make([]float64, len(in[0]))
		for i := range dst[k] {
			dst[k][i] = 1e300
		}
	}
	s.Eval(new(indicator.Scratch), dst, in, p)
	return dst
}

// sets are the parameters that rows are tried with: defaults with short windows of different lengths,
// longer ones, the least allowed, and long ones that fall from the first to the last.
func sets(s indicator.Spec) [][]float64 {
	short, long, least, falling := []float64{}, []float64{}, []float64{}, []float64{}
	for k, q := range s.Params {
		switch {
		case q.Required && !q.Integer:
			short, long, least = append(short, (q.Min+q.Max)/2), append(long, q.Max), append(least, q.Min)
			falling = append(falling, q.Min)
		case q.Required:
			short = append(short, max(q.Min, []float64{5, 8, 4, 3, 6, 7, 2, 9, 10}[k]))
			long = append(long, max(q.Min, []float64{12, 26, 9, 7, 20, 15, 11, 8, 14}[k]))
			least = append(least, q.Min)
			falling = append(falling, max(q.Min, float64(40-4*k)))
		default:
			short, long = append(short, q.Default), append(long, q.Default)
			least, falling = append(least, q.Default), append(falling, q.Default)
		}
	}
	if len(s.Params) == 0 {
		return [][]float64{short}
	}
	all := [][]float64{short, long, least, falling}
	for k, q := range s.Params { // every convention that is not the default
		if q.Required || !q.Integer || q.Max-q.Min > 2 {
			continue
		}
		for v := q.Min; v <= q.Max; v++ {
			if p := slices.Clone(long); v != q.Default {
				p[k] = v
				all = append(all, p)
			}
		}
	}
	return all
}

// each runs a check on every row with every set of parameters.
func each(t *testing.T, check func(t *testing.T, s indicator.Spec, p []float64)) {
	for _, s := range indicator.Table() {
		t.Run(s.Name, func(t *testing.T) {
			for _, p := range sets(s) {
				if err := s.Check(p); err != nil {
					t.Fatalf("parameters of the test: %v", err)
				}
				check(t, s, p)
			}
		})
	}
}

// same reports whether a and b are the same bits, any NaN counting as the same.
func same(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || math.IsNaN(a) && math.IsNaN(b)
}

// near reports whether a and b agree to tolerance, relative to the larger or to scale.
func near(a, b, tolerance, scale float64) bool {
	if math.IsNaN(a) || math.IsNaN(b) {
		return math.IsNaN(a) && math.IsNaN(b)
	}
	return math.Abs(a-b) <= tolerance*max(math.Abs(a), math.Abs(b), scale)
}

// scaleOf is the largest size a column reaches.
func scaleOf(c []float64) float64 {
	m := 0.0
	for _, v := range c {
		if !math.IsNaN(v) {
			m = max(m, math.Abs(v))
		}
	}
	return m
}
