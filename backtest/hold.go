package backtest

import (
	"context"

	"backtester/backtest/bar"
	"backtester/backtest/order"
	"backtester/backtest/stats"
	"backtester/backtest/strategy"
)

// Holding is what buying the symbols of the run and holding them would have made under its rules: equal
// weights of those that could be bought at the first close that decides, the same account, costs and fills,
// without limits and ways out. It is no trial.
type Holding struct {
	Held    int           `json:"held"` // symbols bought
	Metrics stats.Metrics `json:"metrics"`
	Equity  Curve         `json:"equity"`
}

// hold plays buy and hold on what was loaded for the run; nil when the Config does not ask for it.
func (k *task) hold(ctx context.Context, m market, rules *strategy.Rules, src bar.Source) (*Holding, error) {
	if !k.cfg.BuyAndHold || k.options.Single {
		return nil, nil
	}
	cfg := *k.cfg
	cfg.Script, cfg.Limits, cfg.Leave, cfg.Long, cfg.Short = "", order.Limits{}, false, nil, nil
	cfg.Size = order.Size{Fractional: cfg.Size.Fractional, Lot: cfg.Size.Lot}
	once := order.Rebalance{Every: "never", Weights: order.EqualWeights, Unit: order.Proportional, Gross: 1, Start: true}
	cfg.Rebalance = &once
	cfg.Strategies = nil
	plain := &strategy.Rules{Program: rules.Program, Warmup: rules.Warmup, Rebalance: &strategy.RebalanceRules{Settings: once, MaxWait: 1 << 30}} // until they are filled
	all := m.unique()
	if m.plays != nil {
		cfg.Size.Fractional = m.plays[0].cfg.Size.Fractional
	}
	e := newEngine(settled(&cfg, all.breadth(), true), plain, all)
	if err := e.hire(Options{}); err != nil {
		return nil, err
	}
	if err := e.run(ctx); err != nil {
		return nil, err
	}
	e.end()
	bench, err := e.benchmark(ctx, src)
	if err != nil {
		return nil, err
	}
	trades, closed := e.trades()
	out := &Holding{Metrics: stats.Later(e.statistics(trades, closed, bench)), Equity: e.curveOf()}
	if h := e.plays[0].code.rule.info.Held; len(h) > 0 {
		out.Held = int(h[0])
	}
	return out, nil
}
