package sweep

import (
	"context"

	"backtester/backtest"
	"backtester/backtest/instrument"
	"backtester/backtest/strategy"
)

// Market is what the rows of a symbol were played on.
type Market struct {
	Symbols []string          // that one, or all that share the cash
	Days    []instrument.Date // sessions that could trade: those of returns
	PerYear float64           // sessions by which ratios are annual
}

// Market reads what the rows of symbol are about, "" for all symbols that share the cash.
func (p *Plan) Market(ctx context.Context, symbol string) (Market, error) {
	b, err := backtest.NewBatch(ctx, p.config(symbol), []*strategy.Rules{p.rules}, p.src, nil)
	if err != nil {
		return Market{}, err
	}
	days := b.Sessions()
	return Market{b.Symbols(), days[min(1, len(days)):], b.PerYear()}, nil
}

// Replay plays a few combinations once more and calls f with the session returns of each, by their place in
// the list: a sample costs little where returns of all combinations would cost a pass over the sessions of
// each. Symbols that cannot be played are left out.
func (p *Plan) Replay(ctx context.Context, combinations [][]float64, o Options, f func(*Returns) error) error {
	r := newRunner(p, Options{Workers: o.Workers, Memory: o.Memory, Returns: f})
	return r.play(ctx, 0, len(combinations), func(i int, dst []float64) []float64 { return append(dst, combinations[i]...) })
}
