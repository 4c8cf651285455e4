package backtest_test

import (
	"bytes"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"backtester/backtest"
	"backtester/backtest/fill"
	"backtester/backtest/order"
	"backtester/backtest/strategy"
	"backtester/backtest/strategy/hook"
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

// So is what code decides.
func TestBatchesPlayCode(t *testing.T) {
	series := randomMarket(rand.New(rand.NewPCG(3, 24)), 3, 300)
	cfg := strategy.Default()
	cfg.Universe.Symbols = []string{"S00", "S01", "S02"}
	src := memory(t, series)
	rules, wrong := cfg.CompileCoded()
	if err := wrong.Err(); err != nil {
		t.Fatal(err)
	}
	batch, err := backtest.NewBatch(t.Context(), cfg, []*strategy.Rules{rules}, src, nil)
	if err != nil {
		t.Fatal(err)
	}
	var player backtest.Player
	for seed := range uint64(5) {
		player.Strategy = &wanton{rand.New(rand.NewPCG(seed, 5))}
		if err := player.Play(t.Context(), batch, 0); err != nil {
			t.Fatal(err)
		}
		want, err := backtest.RunWith(t.Context(), cfg, src, backtest.Options{Strategy: &wanton{rand.New(rand.NewPCG(seed, 5))}})
		if err != nil {
			t.Fatal(err)
		}
		if got := player.Fills(); len(got) < 10 || !slices.Equal(got, want.Fills) {
			t.Errorf("seed %d: %s", seed, firstDifference(got, want.Fills))
		}
	}
}

// A worker of Each plays one symbol after another in the same memory: every result is that of a run of its
// own, and stays it when others follow.
func TestEachGivesWhatRunsGive(t *testing.T) {
	for _, text := range []string{
		"entry: crosses_above(close, sma(close, 5))\nexit: {stop: entry_price * 0.97, target: entry_price * 1.03}\nsize: {weight: 1}\nbuy_and_hold: true\n",
		"entry: close > sma(close, 3)\nexit: {stop: entry_price * 0.985, target: entry_price * 1.015}\nsize: {weight: 0.3}\nfills: {ambiguity: nearest}\n", // with extra runs
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

// wanton decides by chance.
type wanton struct{ r *rand.Rand }

func (w *wanton) OnBar(now *hook.View) ([]hook.Intent, error) {
	in := hook.Intent{Side: order.Buy}
	switch close := now.Last(0, hook.Close); w.r.IntN(40) {
	case 0, 1:
		in.Do, in.Weight = hook.Enter, 0.3+w.r.Float64()/2
	case 2:
		in.Do, in.Order, in.Price, in.Weight = hook.Enter, order.Limit, close*0.99, 0.5
	case 3:
		in.Do = hook.Exit
	case 4:
		in.Do, in.Fraction = hook.Exit, 0.5
	case 5:
		in.Do, in.Stop, in.Target = hook.Protect, close*0.97, close*1.03
	case 6:
		in.Do, in.Weight = hook.Target, w.r.Float64()
	case 7:
		in.Do = hook.Cancel
	default:
		return nil, nil
	}
	return []hook.Intent{in}, nil
}

// What code decides is played in one go from one decision to the next. Follow plays every bar as a step of its
// own: both are the same run.
func TestBarsAtRestUnderCode(t *testing.T) {
	fills := 0
	for seed := range uint64(60) {
		series := randomMarket(rand.New(rand.NewPCG(seed, 4)), 1, 300)
		cfg, src := strategy.Default(), memory(t, series)
		cfg.Fills.End, cfg.Costs.Commission.PerOrder = fill.EndMark, 1
		options := func() backtest.Options {
			return backtest.Options{Strategy: &wanton{rand.New(rand.NewPCG(seed, 5))}, Single: true}
		}
		got, err := backtest.RunWith(t.Context(), cfg, src, options())
		if err != nil {
			t.Fatal(err)
		}
		want, err := backtest.Follow(t.Context(), cfg, src, backtest.Following{Options: options()})
		if err != nil {
			t.Fatal(err)
		}
		if curve := got.Equity.Value; !slices.Equal(curve[len(curve)-len(want.Equity):], want.Equity) {
			t.Errorf("seed %d: the equity differs from that of single steps", seed)
		}
		k := 0
		for _, e := range want.Events {
			if !strings.HasPrefix(e.What, "filled ") {
				continue
			}
			if k == len(got.Fills) || got.Fills[k].Quantity != e.Numbers[0] || got.Fills[k].Price != e.Numbers[1] {
				t.Fatalf("seed %d: fill %d is not %v", seed, k, e)
			}
			k++
		}
		if k != len(got.Fills) {
			t.Errorf("seed %d: %d fills, %d in single steps", seed, len(got.Fills), k)
		}
		fills += k
	}
	if fills < 500 {
		t.Errorf("only %d fills: the test shows little", fills)
	}
}

// Levels that follow from the entry price alone are computed once, others at every close: a price that is added
// zero times makes the one kind into the other, and changes nothing.
func TestLevelsThatStand(t *testing.T) {
	fills := 0
	for seed := range uint64(40) {
		series := randomMarket(rand.New(rand.NewPCG(seed, 6)), 3, 400)
		for _, text := range []string{
			"entry: close > sma(close, 3)\nexit: {stop: 'entry_price * 0.97LATER', target: 'entry_price * 1.03LATER', when: rsi(close, 3) > 95}\nsize: {weight: 0.3}\n",
			"entry: {when: close > sma(close, 3), tif: gtc}\nexit: [{name: out, stop: 'entry_price * 0.96LATER'}, {name: half, target: 'entry_price * 1.02LATER', fraction: 0.5}, {name: far, target: 'entry_price * 1.06LATER'}]\nsize: {weight: 0.6}\ncosts: {volume_cap: {open: 0.01, bar: 0.01, close: 0.01}}\n",
			"long: {entry: close > sma(close, 5), exit: {stop: 'entry_price - 2LATER', max_bars: 6}}\nshort: {entry: close < sma(close, 5), exit: {target: 'entry_price * 0.97LATER', stop: 'entry_price * 1.02LATER'}}\naccount: regt\nsize: {weight: 0.4}\n",
			"entry: close > sma(close, 3)\nexit: {stop: 'sqrt(0 - entry_price)LATER', target: 'entry_price * 1.02LATER', max_bars: 9}\nsize: {weight: 0.3}\n",
		} {
			var all [2]*backtest.Result
			for k, later := range []string{"", " + 0 * close"} {
				cfg := parse(t, strings.ReplaceAll(text, "LATER", later))
				r, err := backtest.Run(t.Context(), cfg, memory(t, series))
				if err != nil {
					t.Fatal(err)
				}
				all[k] = r
			}
			a, b := all[0], all[1]
			if !slices.Equal(a.Fills, b.Fills) || !slices.Equal(a.Equity.Value, b.Equity.Value) || a.Counts.AbsentExits != b.Counts.AbsentExits {
				t.Fatalf("seed %d: standing levels play another run: %d and %d absent\n%s%s", seed, a.Counts.AbsentExits, b.Counts.AbsentExits, text, firstDifference(a.Fills, b.Fills))
			}
			fills += len(a.Fills)
		}
	}
	if fills < 5000 {
		t.Errorf("only %d fills: the test shows little", fills)
	}
}
