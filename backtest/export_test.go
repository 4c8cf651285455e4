package backtest

import (
	"context"

	"backtester/backtest/bar"
	"backtester/backtest/portfolio"
)

// Played is what a run leaves behind in the engine.
type Played struct {
	Curve, Gross, Net []float64
	Closed, Open      []portfolio.Trade
	Fills             []execution
	Counts            Counts
	InMarket          int64
	Weights           weights
}

// Play plays a Config without making a Result: as Run does, or every bar as a step of its own, which no bar at
// rest and no idle one is spared.
func Play(ctx context.Context, cfg *Config, src bar.Source, o Options, steps bool) (*Played, error) {
	rules, err := rulesFor(cfg, o, src)
	if err != nil {
		return nil, err
	}
	k := task{cfg: cfg, rules: rules, options: o}
	m, err := k.load(ctx, src)
	if err != nil {
		return nil, err
	}
	e, err := k.engine(m)
	if err != nil {
		return nil, err
	}
	if !steps {
		err = e.run(ctx)
	} else {
		if e.equity = e.books.Start; m.first == 0 {
			e.curve = append(e.curve, e.equity)
			e.attribute()
			e.expose()
		}
		for e.t = 0; e.t <= e.last && !e.stopped && e.codeFault() == nil; e.t++ {
			e.step()
		}
		err = e.books.Check()
	}
	all, closed := e.trades()
	return &Played{Curve: e.curve, Gross: e.gross, Net: e.netExposure(), Closed: all[:closed], Open: all[closed:], Fills: e.fills, Counts: e.counts,
		InMarket: e.inMarket, Weights: e.weights}, err
}
