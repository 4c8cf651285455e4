package indicator_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"backtester/backtest/indicator"
)

// benchBars is long enough to leave the first-level cache and short enough to stay in the second.
const benchBars = 100_000

// walk is a geometric random walk of n bars, 1 % a bar.
func walk(n int, seed uint64) []float64 {
	r := rand.New(rand.NewPCG(seed, 1))
	x := make([]float64, n)
	p := 100.0
	for i := range x {
		p *= 1 + 0.01*r.NormFloat64()
		x[i] = p
	}
	return x
}

// best runs f until b is satisfied and reports the fastest run per bar: on a shared machine the
// fastest is the one nobody interrupted. The unit A is one dependent addition of float64 a bar,
// measured in the same breath.
func best(b *testing.B, f func()) {
	x := walk(benchBars, 1)
	sink := 0.0
	add := func() {
		s := 0.0
		for _, v := range x {
			s += v
		}
		sink += s
	}
	f()
	fastest, yard := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
	b.ReportAllocs()
	for b.Loop() {
		t0 := time.Now()
		add()
		t1 := time.Now()
		f()
		t2 := time.Now()
		yard, fastest = min(yard, t1.Sub(t0)), min(fastest, t2.Sub(t1))
	}
	b.ReportMetric(float64(fastest.Nanoseconds())/benchBars, "ns/bar")
	b.ReportMetric(float64(fastest)/float64(yard), "A/bar")
	if math.IsNaN(sink) {
		b.Fatal("sum of prices is NaN")
	}
}

// BenchmarkKernel times the kernels that others are made of.
func BenchmarkKernel(b *testing.B) {
	x := walk(benchBars, 1)
	d, e := make([]float64, benchBars), make([]float64, benchBars)
	h, l := make([]float64, benchBars), make([]float64, benchBars)
	for i, v := range x {
		h[i], l[i] = 1.004*v, 0.997*v
	}
	var s indicator.Scratch
	kernels := []struct {
		name string
		run  func()
	}{
		{"SMA20", func() { indicator.SMA(d, x, 20) }},
		{"SMA200", func() { indicator.SMA(d, x, 200) }},
		{"EMA20", func() { indicator.EMA(d, x, 20) }},
		{"WMA20", func() { indicator.WMA(d, x, 20) }},
		{"LinearFit20", func() { indicator.LinearFit(d, e, x, 20) }},
		{"Stdev20", func() { indicator.Stdev(&s, d, x, 20, 0) }},
		{"Stdev200", func() { indicator.Stdev(&s, d, x, 200, 0) }},
		{"Highest20", func() { indicator.Highest(d, x, 20) }},
		{"Highest252", func() { indicator.Highest(d, x, 252) }},
		{"HighestBar20", func() { indicator.HighestBar(&s, d, x, 20) }},
		{"RSI14", func() { indicator.RSI(d, x, 14) }},
		{"ATR14", func() { indicator.ATR(d, h, l, x, 14) }},
	}
	for _, k := range kernels {
		b.Run(k.name, func(b *testing.B) { best(b, k.run) })
	}
}

// BenchmarkRow times every row of the table with windows of ordinary length.
func BenchmarkRow(b *testing.B) {
	m := newMarket(benchBars, 1)
	for _, s := range indicator.Table() {
		in, p := m.inputs(s), sets(s)[min(1, len(sets(s))-1)]
		dst := make([][]float64, len(s.Outputs))
		for k := range dst {
			dst[k] = make([]float64, benchBars)
		}
		var scratch indicator.Scratch
		b.Run(s.Name, func(b *testing.B) { best(b, func() { s.Eval(&scratch, dst, in, p) }) })
	}
}
