package backtest_test

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"backtester/backtest"
)

// A rebalance by rules does what the script does that says the same.
func TestRebalanceAgreesWithScripts(t *testing.T) {
	const script = "script: |\n  rebalance = \"month\"\n  history = 21\n  def on_rebalance(now):\n" +
		"    held = [b for b in now.bars if b.traded]\n    for b in now.bars:\n      if b.traded:\n        "
	fills := 0
	for _, pair := range [][2]string{
		{"rebalance: {every: month, weights: equal, start: false}\n", script + "now.target(b, 1.0 / len(held))\n"},
		{"rebalance: {every: month, weights: 0.1, unit: weight, start: false}\n", script + "now.target(b, 0.1)\n"},
		{"rebalance: {every: month, weights: 7000, unit: value, start: false}\n", script + "now.target(b, value=7000)\n"},
		{"rebalance: {every: month, weights: 70, unit: shares, start: false}\n", script + "now.target(b, shares=70)\n"},
		{"rebalance: {every: month, weights: 0.25, unit: weight, where: close > sma(close, 20), start: false}\n", "signals: {up: close > sma(close, 20)}\n" + script + "now.target(b, 0.25 if b.up else 0)\n"},
	} {
		for seed := range uint64(12) {
			series := randomMarket(rand.New(rand.NewPCG(seed, 19)), 4, 200)
			const rest = "costs: {commission: {per_share: 0.005, min: 1}, slippage: {bps: 2}, volume_cap: 0.05}\n"
			rule, code := play(t, pair[0]+rest, series), play(t, pair[1]+rest, series)
			fills += len(rule.Fills)
			if a, b := bySymbol(rule.Fills), bySymbol(code.Fills); !slices.Equal(a, b) {
				t.Fatalf("%sseed %d: %s", pair[0], seed, firstDifference(a, b))
			}
			if a, b := rule.Equity.Value, code.Equity.Value; !slices.EqualFunc(a, b, func(x, y float64) bool { return math.Abs(x-y) < 1e-6 }) {
				t.Fatalf("%sseed %d: the equity differs", pair[0], seed)
			}
		}
	}
	if fills < 1000 {
		t.Errorf("%d fills do not test much", fills)
	}
}

// bySymbol is fills by time and symbol: the larger of two targets comes first, in scripts the first said.
func bySymbol(fills []backtest.Fill) []backtest.Fill {
	out := slices.Clone(fills)
	slices.SortStableFunc(out, func(a, b backtest.Fill) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Symbol, b.Symbol))
	})
	return out
}
