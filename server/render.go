package server

import (
	"context"
	"io"

	"backtester/backtest"
	"backtester/backtest/history"
	"backtester/backtest/job"
	"backtester/report"
)

// mostDrawn is how many symbols a tearsheet draws bars of.
const mostDrawn = 12

// Render makes the files that every run leaves besides its result: a tearsheet and a table of metrics.
// Their names are the run's id: nothing that people write becomes the name of a file.
func Render(ctx context.Context, run *history.Run, result *backtest.Result, data *job.Data) ([]job.File, error) {
	extras := report.Extras{}
	if result.Config != nil && len(result.Data.Symbols) <= mostDrawn && len(result.Fills) > 0 {
		if p, err := backtest.NewPreview(ctx, result.Config, data); err == nil { // else the result stands without pictures of its bars
			extras.Bars = p
		}
	}
	return []job.File{
		{Name: "csv/" + run.ID + ".csv", Write: func(w io.Writer) error { return report.MetricsCSV(w, []*backtest.Result{result}) }},
		{Name: "tearsheets/" + run.ID + ".html", Write: func(w io.Writer) error { return report.HTMLWith(w, result, extras) }},
	}, ctx.Err()
}
