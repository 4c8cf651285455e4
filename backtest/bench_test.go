package backtest_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/strategy"
)

// walk is a random walk of n bars with 1 % a bar, as the published scenarios use, in a market that
// never closes.
func walk(seed uint64, name string, frame bar.Frame, n int) *bar.Series {
	r := rand.New(rand.NewPCG(seed, 1))
	s := &bar.Series{Symbol: name, ID: instrument.ID(name), Frame: frame, Delisted: instrument.None,
		Time: make([]int64, n), Open: make([]float64, n), High: make([]float64, n), Low: make([]float64, n), Close: make([]float64, n), Volume: make([]float64, n)}
	price, step := 100.0, int64(86400e9)
	if frame.Intraday() {
		step = int64(frame.Duration())
	}
	start := instrument.NewDate(2015, 1, 1).Nanos()
	for i := range n {
		s.Time[i] = start + int64(i)*step
		open := price * (1 + 0.002*r.NormFloat64())
		price = math.Max(0.01, price*(1+0.01*r.NormFloat64()))
		s.Open[i], s.Close[i], s.Volume[i] = open, price, 1e6
		s.High[i], s.Low[i] = math.Max(open, price)*1.001, math.Min(open, price)*0.999
	}
	return s
}

const crossing = `
entry: crosses_above(sma(close, 10), sma(close, 50))
exit: sma(close, 10) < sma(close, 50)
size: {weight: 1, fractional: true}
costs: {commission: {bps: 10}}
`

func benchSource(b *testing.B, series ...*bar.Series) bar.Source {
	src, err := bar.NewMemory(bar.Always(), series...)
	if err != nil {
		b.Fatal(err)
	}
	return src
}

// Scenario a: one symbol, a million bars, moving averages 10/50, all in, with statistics.
func BenchmarkOneSymbol(b *testing.B) {
	const bars = 1_000_000
	cfg, faults := strategy.Parse("a", []byte(crossing+"data: {bars: 1m}\n"))
	if err := faults.Err(); err != nil {
		b.Fatal(err)
	}
	src := benchSource(b, walk(1, "A", bar.Minutely, bars))
	b.ReportAllocs()
	for b.Loop() {
		res, err := backtest.Run(context.Background(), cfg, src)
		if err != nil {
			b.Fatal(err)
		}
		sink += len(res.Fills)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/bars, "ns/bar")
}

// Scenario b: 500 symbols of 2,520 bars, each alone.
func BenchmarkIndependentSymbols(b *testing.B) {
	const symbols, bars = 500, 2520
	cfg, faults := strategy.Parse("b", []byte(crossing))
	if err := faults.Err(); err != nil {
		b.Fatal(err)
	}
	series := make([]*bar.Series, symbols)
	for i := range series {
		series[i] = walk(uint64(i), string(rune('A'+i/26))+string(rune('a'+i%26)), bar.Daily, bars)
	}
	src := benchSource(b, series...)
	b.ReportAllocs()
	for b.Loop() {
		all, err := backtest.Each(context.Background(), cfg, src)
		if err != nil {
			b.Fatal(err)
		}
		sink += len(all)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/symbols/bars, "ns/bar")
}

var sink int

// Comparisons and universes over 1,000 symbols of 1,260 days: nanoseconds a bar and symbol.
func BenchmarkComparisons(b *testing.B) {
	const symbols, bars = 1000, 1260
	series := make([]*bar.Series, symbols)
	for i := range series {
		series[i] = walk(uint64(i), fmt.Sprintf("S%04d", i), bar.Daily, bars)
	}
	src := benchSource(b, series...)
	for _, c := range []struct{ name, text string }{
		{"plain", "entry: roc(close, 60) > 5\n"},
		{"rank", "entry: rank(roc(close, 60)) > 0.999\n"},
		{"zscore", "entry: zscore(roc(close, 60)) > 5\n"},
		{"top of all", "universe: {where: close > 5, top: 100, by: 'sma(dollar_volume, 20)'}\nentry: roc(close, 60) > 5\n"},
		{"week and index", "entry: tf(\"1w\").close > 2 * tf(\"1w\", sma(close, 10)) and sym(\"S0000\").close > 0\n"},
	} {
		b.Run(c.name, func(b *testing.B) {
			cfg, faults := strategy.Parse("c", []byte(c.text))
			if err := faults.Err(); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				res, err := backtest.Run(context.Background(), cfg, src)
				if err != nil {
					b.Fatal(err)
				}
				sink += len(res.Fills)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/symbols/bars, "ns/bar")
		})
	}
}
