package strategy_test

import (
	"strings"
	"testing"

	"backtester/backtest/strategy"
)

// What a file says of its orders and ways out is in the words, not what most files say.
func TestExplainSaysWhatIsMeant(t *testing.T) {
	for text, wants := range map[string][]string{
		"entry: close > 5\nexit: {when: close < 4, max_bars: 3}\nfills: {market: next_close}\n": {"By a market order at the next close.", "the next close after a bar on which close < 4", "the next close after 3 bars in the position"},
		"entry: close > 5\nexit: close < 4\nfills: {market: this_close}\n":                      {"By a market order at that very close.", "the very close of a bar on which close < 4"},
		"entry: {when: close > 5, order: moc}\n":                                                {"By a market order in the next closing auction."},
		"entry: {when: close > 5, order: stop_limit, price: high, limit: high + 1, tif: ioc}\n": {"By a stop_limit order at high, no worse than high + 1, with the next open as its only chance."},
		"entry: close > 5\nexit: [{fraction: 0.5, target: entry_price * 2}, {stop: 3}]\n":       {"Close in parts, side by side:", "a target at entry_price * 2, renewed at every close, for 0.5 of the shares entered"},
		"entry: close > 5\ncosts: {slippage: {ticks: 1}}\n":                                     {"market and stop fills 1 ticks worse than the price"},
		"rebalance: month\n": {"Rebalanced at the last close of every month"},
	} {
		f, wrong := strategy.Parse("said.yaml", []byte(text))
		if len(wrong) > 0 {
			t.Fatal(wrong)
		}
		got, wrong := f.Explain()
		for _, want := range wants {
			if len(wrong) > 0 || !strings.Contains(got, want) {
				t.Errorf("%v: %s\nlacks %q", wrong, got, want)
			}
		}
		if f.Rebalance != nil && strings.Contains(got, "Size:") {
			t.Errorf("a rebalance has no size:\n%s", got)
		}
	}
}
