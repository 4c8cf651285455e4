package expr_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/expr"
)

// tenIndicators is the yardstick of "an expression with ten indicators".
const tenIndicators = `close > sma(close, 50) and sma(close, 50) > sma(close, 200) and ema(close, 12) > ema(close, 26)
	and rsi(close, 14) < 70 and macd(close, 12, 26, 9).hist > 0 and atr(14) / close < 0.05 and roc(close, 20) > 0
	and close > highest(close, 20)[1] * 0.98 and stdev(close, 20) / close < 0.04`

func benchmarkBind(b *testing.B, text string, bars int, basis bool) {
	p := compile(b, expr.Scope{}, text)
	s := walk(bars, 1)
	in := expr.Binding{Series: s}
	if basis {
		s.Actions.Splits = splitsEvery(s, bars/4)
		in.Basis, _ = bar.NewBasis(s, bar.AdjustSplit, s.Date)
	}
	var dst expr.Bound
	var a expr.Arena
	p.BindInto(&dst, in, &a)
	b.ReportAllocs()
	// On a shared machine the fastest run is the one nobody interrupted. A is a dependent addition.
	fastest, yard := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
	for b.Loop() {
		t0, sum := time.Now(), 0.0
		for _, v := range s.Close {
			sum += v
		}
		t1 := time.Now()
		p.BindInto(&dst, in, &a)
		t2 := time.Now()
		sink += sum
		yard, fastest = min(yard, t1.Sub(t0)), min(fastest, t2.Sub(t1))
	}
	perBar := float64(fastest.Nanoseconds()) / float64(bars)
	b.ReportMetric(perBar, "ns/bar")
	b.ReportMetric(1e3/perBar, "Mbars/s")
	b.ReportMetric(float64(fastest)/float64(yard), "A/bar")
}

// Columns of 1,000,000 bars leave the caches; 2,520 bars are ten years of days.
func BenchmarkBind(b *testing.B) {
	for _, c := range []struct {
		name, text string
		bars       int
		basis      bool
	}{
		{"cross", "sma(close, 10) > sma(close, 50)", 1_000_000, false},
		{"cross", "sma(close, 10) > sma(close, 50)", 2_520, false},
		{"cross with splits", "sma(close, 10) > sma(close, 50)", 2_520, true},
		{"logic", "close > open and high > low or not (close > 20)", 2_520, false},
		{"ten indicators", tenIndicators, 2_520, false},
		{"ten indicators", tenIndicators, 1_000_000, false},
		{"ten indicators with splits", tenIndicators, 2_520, true},
	} {
		b.Run(fmt.Sprintf("%s/%d", c.name, c.bars), func(b *testing.B) { benchmarkBind(b, c.text, c.bars, c.basis) })
	}
}

// One evaluation of an exit rule at one bar.
func BenchmarkAt(b *testing.B) {
	c := expr.NewCompiler(expr.Scope{})
	stop := c.Add("max(entry_price - 2 * atr(14), high_since * 0.9)", expr.Pos{}, expr.Number, expr.PositionVars)
	plain := c.Add("lowest(low, 10)", expr.Pos{}, expr.Number, expr.PositionVars)
	p, ds := c.Program()
	if ds != nil {
		b.Fatal(ds)
	}
	s := walk(2_520, 1)
	bound := p.Bind(s, bar.Basis{}, nil, &expr.Arena{})
	v := &expr.PositionValues{}
	v.Var[expr.EntryPrice], v.Var[expr.HighSince] = 100, 110
	for name, r := range map[string]expr.Ref{"rule": stop, "static": plain} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			sum, i := 0.0, 0
			for b.Loop() {
				sum += bound.At(r, i, 1, v)
				if i++; i == s.Len() {
					i = 0
				}
			}
			sink = sum
		})
	}
}

var sink float64

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		compile(b, expr.Scope{}, tenIndicators)
	}
}

// The 4,851 pairs of windows from 2 to 100 as one Program.
func BenchmarkCompileSweep(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		c := expr.NewCompiler(expr.Scope{Params: []expr.Param{{Name: "fast", Value: 10}, {Name: "slow", Value: 50}}})
		n := 0
		for fast := 2.; fast <= 100; fast++ {
			for slow := fast + 1; slow <= 100; slow++ {
				c.Rebind([]expr.Param{{Name: "fast", Value: fast}, {Name: "slow", Value: slow}})
				c.Add("sma(close, fast) > sma(close, slow)", expr.Pos{}, expr.Bool, expr.NoVars)
				n++
			}
		}
		if _, ds := c.Program(); ds != nil || n != 4851 {
			b.Fatal(ds)
		}
	}
}

// Parts of the ten, to see what each costs.
func BenchmarkPart(b *testing.B) {
	for _, text := range []string{
		"close > open", "rsi(close, 14) < 70", "atr(14) / close < 0.05", "ema(close, 12) > ema(close, 26)", "macd(close, 12, 26, 9).hist > 0",
		"roc(close, 20) > 0", "close > highest(close, 20)[1] * 0.98", "stdev(close, 20) / close < 0.04", "sma(close, 50) > sma(close, 200)",
	} {
		b.Run(text, func(b *testing.B) { benchmarkBind(b, text, 2_520, false) })
	}
}
