package cmd

import (
	"context"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/report"
)

// mostDrawn is how many symbols a run may have for its bars to be read again for the tearsheet.
const mostDrawn = 60

// extrasFor gives a tearsheet the bars of a result, which are not part of it, from the source of the
// run. Where they cannot be had the tearsheet does without.
func extrasFor(ctx context.Context, src bar.Source) func(*backtest.Result) report.Extras {
	return func(r *backtest.Result) report.Extras {
		if r.Config == nil || len(r.Data.Symbols) > mostDrawn || len(r.Fills) == 0 {
			return report.Extras{}
		}
		p, err := backtest.NewPreview(ctx, r.Config, src)
		if err != nil {
			return report.Extras{} // the result stands without pictures of its bars
		}
		return report.Extras{Bars: p}
	}
}
