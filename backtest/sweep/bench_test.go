package sweep_test

import (
	"context"
	"testing"

	"backtester/backtest/bar"
	"backtester/backtest/sweep"
)

func benchmark(b *testing.B, text string, bars int, symbols ...string) {
	var series []*bar.Series
	for i, s := range symbols {
		series = append(series, walk(uint64(i+1), s, bars))
	}
	src, cfg := source(b, series...), parse(b, text)
	b.ReportAllocs()
	rows := 0
	for b.Loop() {
		s, err := sweep.Run(context.Background(), cfg, src, sweep.Options{Independent: true})
		if err != nil {
			b.Fatal(err)
		}
		rows += s.Rows
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rows)/float64(bars), "ns/row-bar")
}

const grid = `
params: {fast: 2..100, slow: 2..100}
constraint: fast < slow
entry: sma(close, fast) > sma(close, slow)
exit: sma(close, fast) < sma(close, slow)
size: {weight: 1, fractional: true}
costs: {commission: {bps: 10}, slippage: none}
`

func BenchmarkPairs(b *testing.B) { benchmark(b, grid, 2520, "A", "B", "C") }
func BenchmarkPairsFrom(b *testing.B) {
	benchmark(b, "data: {from: 2004-01-05}\n"+grid, 2520, "A", "B", "C")
}
func BenchmarkPairsLong(b *testing.B) { benchmark(b, grid, 100_000, "A") }

func BenchmarkBrackets(b *testing.B) {
	benchmark(b, `
params: {s: 1..50, t: 1..50}
entry: sma(close, 10) > sma(close, 30)
exit: {stop: entry_price * (1 - s / 1000), target: entry_price * (1 + t / 500)}
size: {weight: 1, fractional: true}
costs: {commission: {bps: 5}, slippage: none}
`, 20_000, "A")
}

func BenchmarkGeneral(b *testing.B) {
	benchmark(b, `
params: {n: 5..24, level: [20, 25, 30, 35], k: [2, 3, 4, 5]}
entry: rsi(close, n) < level and close < bbands(close, 20, 2).lower
exit: {when: "close > bbands(close, 20, 2).middle", stop: entry_price - k * atr(14)}
size: {weight: 1, fractional: true}
costs: {commission: {bps: 5}, slippage: none}
`, 20_000, "A")
}
