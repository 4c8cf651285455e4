package backtest_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"backtester/backtest"
	"backtester/backtest/bar"
)

// magnified is a strategy whose bars often hold a stop and a target.
const magnified = "entry: {when: close > sma(close, 3), order: limit, price: close * 0.99}\n" +
	"exit: {stop: entry_price * 0.985, target: entry_price * 1.015, max_bars: 5}\nsize: {weight: 0.3}\n"

// Minutes settle bars, what they do not settle is what the stop-first rule makes of it, and symbols
// without minutes are played as if nobody had asked.
func TestMagnifySettles(t *testing.T) {
	var settled, unsettled int64
	for seed := range uint64(30) {
		series := randomMarket(rand.New(rand.NewPCG(seed, 13)), 3, 200)
		cfg := parse(t, magnified+"fills: {ambiguity: magnify}\n")
		with, err := backtest.Run(t.Context(), cfg, source(t, cfg, series))
		if err != nil {
			t.Fatal(err)
		}
		settled += with.Counts.SettledBars
		unsettled += with.Counts.UnsettledBars
		without, err := backtest.Run(t.Context(), cfg, memory(t, series))
		if err != nil {
			t.Fatal(err)
		}
		if worst := play(t, magnified, series); !slices.Equal(without.Fills, worst.Fills) || without.Counts.SettledBars != 0 {
			t.Fatalf("seed %d: without minutes: %s", seed, firstDifference(without.Fills, worst.Fills))
		}
		if with.Data.SHA256 == without.Data.SHA256 && with.Counts.SettledBars > 0 {
			t.Fatalf("seed %d: minutes decided fills and are not in the digest of the data", seed)
		}
	}
	if settled < 50 || unsettled < 20 {
		t.Errorf("%d bars settled, %d not: the markets do not test much", settled, unsettled)
	}
}

// The extra runs are those of the rules by which they are called.
func TestExtraRunsAreThoseOfTheRules(t *testing.T) {
	const text = "entry: close > sma(close, 3)\nexit: {stop: entry_price * 0.985, target: entry_price * 1.015}\nsize: {weight: 0.3}\n"
	seen := 0
	for seed := range uint64(20) {
		series := randomMarket(rand.New(rand.NewPCG(seed, 17)), 2, 150)
		res := play(t, text+"fills: {ambiguity: nearest}\n", series)
		if res.Ambiguity == nil {
			if res.Counts.AmbiguousBars > 0 {
				t.Fatalf("seed %d: %d ambiguous bars and no extra runs", seed, res.Counts.AmbiguousBars)
			}
			continue
		}
		seen++
		for rule, o := range map[string]backtest.Outcome{"worst": res.Ambiguity.StopFirst, "best": res.Ambiguity.TargetFirst} {
			alone := play(t, text+"fills: {ambiguity: "+rule+"}\n", series)
			for _, key := range alone.Metrics.Keys() {
				a, ok1 := o.Metrics.Get(key)
				b, ok2 := alone.Metrics.Get(key)
				if a != b || ok1 != ok2 {
					t.Fatalf("seed %d, %s: %s is %g, of a run by the rule %g", seed, rule, key, a, b)
				}
			}
			if !slices.Equal(o.Equity, alone.Equity.Value) || !slices.Equal(res.Ambiguity.Sessions.Nanos, alone.Equity.Time.Nanos) {
				t.Fatalf("seed %d, %s: the equity at the end of each session is not that of a run by the rule", seed, rule)
			}
			if o.Bars != alone.Counts.AmbiguousBars {
				t.Fatalf("seed %d, %s: %d ambiguous bars, of a run by the rule %d", seed, rule, o.Bars, alone.Counts.AmbiguousBars)
			}
		}
		single, err := backtest.RunWith(t.Context(), parse(t, text), memory(t, series), backtest.Options{Single: true})
		if err != nil || single.Ambiguity != nil {
			t.Fatalf("seed %d: a single run has extra ones (%v)", seed, err)
		}
	}
	if seen < 10 {
		t.Errorf("%d runs of 20 had ambiguous bars", seen)
	}
}

// Minutes are looked at under the ticker of their day.
func TestMagnifyAfterRenaming(t *testing.T) {
	series := randomMarket(rand.New(rand.NewPCG(5, 13)), 1, 200)
	cfg := parse(t, magnified+"fills: {ambiguity: magnify}\n")
	plain, err := backtest.Run(t.Context(), cfg, source(t, cfg, series))
	if err != nil {
		t.Fatal(err)
	}
	minutes := minutesOf(series[0])
	minutes.Symbol = "OLD" // the same security, known by another ticker where minutes are stored
	src, err := bar.NewMemory(bar.NYSE(), series[0], minutes)
	if err != nil {
		t.Fatal(err)
	}
	renamed, err := backtest.Run(t.Context(), cfg, src)
	if err != nil {
		t.Fatal(err)
	}
	if plain.Counts.SettledBars == 0 || renamed.Counts.SettledBars != plain.Counts.SettledBars || !slices.Equal(renamed.Fills, plain.Fills) {
		t.Errorf("%d bars settled under another ticker, %d under the same", renamed.Counts.SettledBars, plain.Counts.SettledBars)
	}
}
