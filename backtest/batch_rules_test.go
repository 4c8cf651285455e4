package backtest_test

import (
	"bytes"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"backtester/backtest"
)

// What a sweep plays is what a run plays, whatever decides and bounds: rebalances, limits, sizes of their
// own, minutes.
func TestBatchesPlayWhatRunsPlay(t *testing.T) {
	const groups = "symbol,group\nS00,a\nS01,a\nS02,b\n"
	for _, text := range []string{
		"rebalance: {every: month, weights: inverse_volatility, lookback: 10, where: close > sma(close, n)}\n",
		"rebalance: {every: week, drift: 0.1, weights: rank(close) + n, band: 0.01}\nlimits: {group: 0.4, group_by: g.csv}\n",
		"entry: close > sma(close, n)\nexit: close < sma(close, n)\nsize: {volatility: {target: 0.1, lookback: 12}}\nlimits: {per_group: 1, group_by: g.csv}\n",
		"entry: close > sma(close, n)\nexit: {stop: entry_price * 0.98, target: entry_price * 1.02}\nsize: {kelly: {fraction: 0.2, trades: 5}}\nfills: {ambiguity: magnify}\n",
	} {
		series := randomMarket(rand.New(rand.NewPCG(3, 23)), 3, 160)
		cfg := parse(t, "params: {n: [3, 9, 20]}\n"+text)
		cfg.Attach("g.csv", []byte(groups))
		src := source(t, cfg, series)
		combinations := [][]float64{{3}, {9}, {20}}
		rules, wrong := cfg.CompileEach(combinations)
		if err := wrong.Err(); err != nil {
			t.Fatal(err)
		}
		longest := 0
		for _, r := range rules {
			longest = max(longest, r.Warmup)
		}
		for k := range rules {
			rules[k].Warmup = longest
		}
		batch, err := backtest.NewBatch(t.Context(), cfg, rules, src, nil)
		if err != nil {
			t.Fatal(err)
		}
		var player backtest.Player
		for k, params := range combinations {
			if err := player.Play(t.Context(), batch, k); err != nil {
				t.Fatal(err)
			}
			alone := cfg.With(params)
			want, err := backtest.Run(t.Context(), alone, src)
			if err != nil {
				t.Fatal(err)
			}
			if got := player.Fills(); len(got) < 10 || !slices.Equal(got, want.Fills) {
				t.Errorf("n = %g of\n%s%s", params[0], text, firstDifference(got, want.Fills))
			}
		}
	}
}

// A worker of Each plays one symbol after another in the same memory: every result is that of a run of its
// own, and stays it when others follow.
func TestEachGivesWhatRunsGive(t *testing.T) {
	for _, text := range []string{
		"entry: crosses_above(close, sma(close, 5))\nexit: {stop: entry_price * 0.97, target: entry_price * 1.03}\nsize: {weight: 1}\nbuy_and_hold: true\n",
		"long: {entry: rsi(close, 5) < 30, exit: {max_bars: 4}}\nshort: {entry: rsi(close, 5) > 70, exit: {trail: {fraction: 0.02}}}\naccount: regt\nsize: {weight: 0.9}\n",
		"script: |\n  def on_bar(now):\n    for bar in now.bars:\n      if bar.close > bar.open:\n        now.enter(bar)\n      else:\n        now.exit(bar)\n",
	} {
		series := randomMarket(rand.New(rand.NewPCG(9, 1)), 6, 200)
		cfg, src := parse(t, text), memory(t, series)
		before := runtime.GOMAXPROCS(1) // one worker for all
		all, err := backtest.Each(t.Context(), cfg, src)
		runtime.GOMAXPROCS(before)
		if err != nil {
			t.Fatal(err)
		}
		for k, got := range all {
			one := *cfg
			one.Universe.Symbols = []string{series[k].Symbol}
			want, err := backtest.Run(t.Context(), &one, src)
			if err != nil {
				t.Fatal(err)
			}
			a, err := got.EncodeJSON()
			if err != nil {
				t.Fatal(err)
			}
			b, err := want.EncodeJSON()
			if err != nil {
				t.Fatal(err)
			}
			if len(want.Fills) < 10 || !bytes.Equal(a, b) {
				t.Errorf("%s alone and among others differ, or trade too little (%d fills), by\n%s", series[k].Symbol, len(want.Fills), text)
			}
		}
	}
}
