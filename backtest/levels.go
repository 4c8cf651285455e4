package backtest

import (
	"context"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// Levels is the value of one share of a security with its dividends reinvested, day by day, from the last
// session before from: what holding it would have made, without costs. The security is named as in a
// Result: a ticker, or TICKER@LAST-SESSION of a former owner.
func Levels(ctx context.Context, src bar.Source, name string, from, to instrument.Date) ([]instrument.Date, []float64, error) {
	c := named(name, to)
	s, err := src.Load(ctx, bar.Request{Symbol: c.ticker, Frame: bar.Daily, From: from, To: c.to, Warmup: 1, Session: bar.Regular})
	if err != nil {
		return nil, nil, err
	}
	dates := make([]instrument.Date, s.Len())
	for i := range dates {
		dates[i] = s.Date(i)
	}
	return dates, totalReturn(s), nil
}
