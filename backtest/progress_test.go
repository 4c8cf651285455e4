package backtest_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"backtester/backtest"
)

// What a run says on its way is what its result says at the end, and saying it changes nothing.
func TestProgressIsTheCurveInPieces(t *testing.T) {
	cfg := parse(t, `
universe: {symbols: [S00, S01]}
entry: close < close[1]
exit: {max_bars: 3}
`)
	series := randomMarket(rand.New(rand.NewPCG(1, 2)), 2, 900)
	plain, err := backtest.Run(t.Context(), cfg, memory(t, series))
	if err != nil {
		t.Fatal(err)
	}
	var times []int64
	var equity []float64
	calls, last := 0, backtest.Progress{}
	told, err := backtest.RunWith(t.Context(), cfg, memory(t, series), backtest.Options{Progress: func(p backtest.Progress) {
		calls++
		if p.Done <= last.Done || p.Total < p.Done {
			t.Errorf("%d of %d after %d", p.Done, p.Total, last.Done)
		}
		last = p
		times, equity = append(times, p.Time...), append(equity, p.Equity...)
	}})
	if err != nil {
		t.Fatal(err)
	}
	a, _ := plain.EncodeJSON()
	b, _ := told.EncodeJSON()
	if !slices.Equal(a, b) {
		t.Error("watching a run changed its result")
	}
	lead := plain.Equity.Time.Len() - len(times)
	if calls < 2 || last.Done != last.Total || lead < 0 || lead > 1 || !slices.Equal(equity, plain.Equity.Value[lead:]) {
		t.Errorf("%d calls, %d of %d, %d points of %d", calls, last.Done, last.Total, len(equity), len(plain.Equity.Value))
	}
}

// A run is not silent while nothing happens in it: not out of the market, not in it, and not while code is
// asked at every bar, which may take long.
func TestProgressWhileNothingHappens(t *testing.T) {
	series := randomMarket(rand.New(rand.NewPCG(3, 4)), 1, 2000)
	for name, text := range map[string]string{
		"code that never acts": "script: |\n  def on_bar(now):\n    pass\n",
		"code that holds":      "script: |\n  def on_bar(now):\n    for b in now.bars:\n      if not b.shares:\n        now.enter(b)\n",
		"rules that never act": "entry: close < 0\n",
		"rules that hold":      "entry: close > 0\n",
	} {
		cfg := parse(t, "universe: {symbols: [S00]}\n"+text)
		plain, err := backtest.Run(t.Context(), cfg, memory(t, series))
		if err != nil {
			t.Fatal(err)
		}
		longest, last, steps := 0, 0, 0
		told, err := backtest.RunWith(t.Context(), cfg, memory(t, series), backtest.Options{Progress: func(p backtest.Progress) {
			longest, last, steps = max(longest, p.Done-last), p.Done, p.Total
		}})
		if err != nil {
			t.Fatal(err)
		}
		a, _ := plain.EncodeJSON()
		b, _ := told.EncodeJSON()
		if longest > steps/200+1 || last != steps || !slices.Equal(a, b) {
			t.Errorf("%s: %d of %d steps without a word, told until %d; same result: %v", name, longest, steps, last, slices.Equal(a, b))
		}
	}
}
