package validate_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"backtester/backtest"
	"backtester/backtest/fill"
	"backtester/backtest/instrument"
	"backtester/backtest/validate"
)

// The market of pencil, all money in it for n = 1 and none for n = 2. What March bought at its start is restated at the next date of
// the rules that decide then: by the month April sells it at its first open, May buys and June sells; by the quarter
// April sells too, and what is chosen for May and June waits for the end of June. A script that says the same makes the same.
func TestWalkForwardCarriesRebalancesByHand(t *testing.T) {
	rest := strings.Replace(strings.Replace(always[strings.Index(always, "size:"):], "weight: 1, ", "", 1), "test: 1m", "test: 1m, carry: true", 1)
	for _, c := range []struct {
		text            string
		held            [4]bool
		trades, carried []int
	}{
		{"rebalance: {every: month, weights: 2 - n, unit: weight}\n", [4]bool{true, false, true, false}, []int{1, 0, 1, 0}, []int{0, 1, 0, 1}},
		{"rebalance: {every: quarter, weights: 2 - n, unit: weight}\n", [4]bool{true, false, false, false}, []int{1, 0, 0, 0}, []int{0, 1, 0, 0}},
		{"signals: {part: 2 - n + 0 * close}\nscript: |\n  rebalance = \"month\"\n  last = []\n  def on_rebalance(now):\n    for b in now.bars:\n      now.target(b, b.part)\n" +
			"  def on_bar(now):\n    if not last:\n      on_rebalance(now)\n    last.append(now.date)\n", [4]bool{true, false, true, false}, []int{1, 0, 1, 0}, []int{0, 1, 0, 1}},
	} {
		f := tested(t, "params: {n: [1, 2]}\n"+c.text+rest, pencil(t), validate.Options{}).WalkForward
		if f == nil || len(f.Windows) != 4 {
			t.Fatalf("%q: %+v", c.text, f)
		}
		equity, shares, price := 100_000.0, 0.0, 1.0
		for k, w := range f.Windows {
			if shares > 0 && !c.held[k] {
				equity, shares = shares*price*(1-.001), 0
			} else if shares == 0 && c.held[k] {
				shares = equity / price / (1 + .001)
			}
			price *= math.Pow([]float64{1 / 1.01, 1.01}[k%2], float64(w.Sessions))
			if shares > 0 {
				equity = shares * price
			}
			if w.Trades != c.trades[k] || w.Carried != c.carried[k] || math.Abs(w.EquityTo-equity) > 1e-6*equity || w.Chosen[0].Value != float64(1+k%2) {
				t.Errorf("%q, %s: %v, %d trades, %d carried, %v at the end, want %d, %d, %v", c.text, w.TestFrom, w.Chosen, w.Trades, w.Carried, w.EquityTo, c.trades[k], c.carried[k], equity)
			}
		}
	}
}

// With parameters that are equal in all windows the account that carries is that of one run from the first test to the
// end of the last, whatever decides.
func TestCarriedWindowsOfEqualParametersAreOneRun(t *testing.T) {
	const rest = "params: {n: [20]}\ndata: {from: 2015-02-01, to: 2016-06-30}\ncosts: {slippage: {bps: 2}}\nsearch: {min_trades: 0}\nvalidate: {walk_forward: {train: 3m, test: 1m, carry: true}}\n"
	for _, text := range []string{
		"entry: close > sma(close, n)\nexit: close < lowest(low, 5)[1]\n",
		"rebalance: {every: week, where: close > sma(close, n), weights: inverse_volatility, lookback: 10}\nexit: {trail: {fraction: 0.02}}\n",
		"universe: {where: close > sma(close, n)}\nentry: close > close[1]\nuniverse_exit: true\n",
		"signals: {up: close > sma(close, n)}\nscript: |\n  seen = []\n  def on_bar(now):\n    seen.append(now.date)\n    for b in now.bars:\n      if b.up and not b.shares:\n        now.enter(b, weight=0.4)\n" +
			"      elif b.shares and not b.up and len(seen) % 2 == 0:\n        now.exit(b)\n",
	} {
		cfg, src := parse(t, text+rest), noise(t, 2, 700, 0.0003)
		f := tested(t, text+rest, src, validate.Options{}).WalkForward
		if f == nil || len(f.Windows) < 10 {
			t.Fatalf("%q: %+v", text, f)
		}
		one := *cfg
		one.Data.From, _ = instrument.ParseDate(f.Windows[0].TestFrom)
		one.Fills.End = fill.EndClose
		whole, err := backtest.Run(t.Context(), &one, src)
		if err != nil {
			t.Fatal(err)
		}
		if days, equity := whole.Equity.Sessions(); !slices.Equal(f.Equity.Value, equity) || len(whole.Trades) < 5 {
			t.Errorf("%q: %d sessions that end with %v, as one run %d that end with %v, and %d trades", text, len(f.Equity.Value), f.Equity.Value[len(f.Equity.Value)-1], len(days), equity[len(equity)-1], len(whole.Trades))
		}
	}
}
