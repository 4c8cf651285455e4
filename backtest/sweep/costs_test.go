package sweep_test

import (
	"context"
	"testing"

	"backtester/backtest/strategy"
	"backtester/backtest/sweep"
)

// The fast paths know a list of costs and accounts. A key that is not on it sends the file to the event
// engine, whatever it is: the Config of every one of these is a fast one but for that key.
func TestCostsThatOnlyTheEventEngineKnows(t *testing.T) {
	const fast = "params: {n: 5..9}\nentry: close > sma(close, n)\nexit: close < sma(close, n)\nsize: {weight: 1, fractional: true}\nsearch: {min_trades: 0}\n"
	src := source(t, walk(1, "A", 300))
	path := func(text string) (sweep.Path, []string) {
		cfg, faults := strategy.Parse("costs.yaml", []byte(fast+text))
		if err := faults.Err(); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for _, name := range cfg.Files() {
			cfg.Attach(name, []byte("symbol,date,annual\nA,2000-01-03,0.01\n"))
		}
		plan, err := sweep.NewPlan(context.Background(), cfg, src, sweep.Options{})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return plan.Path, plan.Reasons
	}
	for _, text := range []string{"costs: {commission: {bps: 10}}", "costs: {commission: {per_share: 0.01, min: 1, max: 9}, slippage: {bps: 2}}"} {
		if p, why := path(text); p == sweep.Event {
			t.Errorf("%s is played by the event engine: %v", text, why)
		}
	}
	for _, text := range []string{
		"costs: {regulatory: us}",
		"costs: {commission: {broker: ibkr_fixed}}",
		"costs: {commission: {broker: schwab}}",
		"costs: {commission: {per_share: 0.01, tiers: {above: 100, per_share: 0.005}}}",
		"costs: {commission: {bps: 10, max_bps: 5}}",
		"costs: {borrow: {table: t.csv}}",
		"costs: {borrow: {annual: 0.03, mark: 1.02_ceil}}",
		"credit_series: t.csv",
		"debit_series: t.csv",
	} {
		if p, why := path(text); p != sweep.Event || len(why) == 0 {
			t.Errorf("%s is played by the %s path (%v), want the event engine", text, p, why)
		}
	}
}
