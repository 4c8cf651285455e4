package server

import (
	"context"
	"io"
	"log/slog"

	"backtester/backtest"
	"backtester/backtest/history"
	"backtester/backtest/job"
	"backtester/backtest/stats"
	"backtester/backtest/stats/overfit"
	"backtester/report"
)

// mostDrawn is how many symbols a tearsheet draws bars of.
const mostDrawn = 12

// Render makes the files that every run leaves besides its result: a tearsheet and a table of metrics.
// Their names are the run's id: nothing that people write becomes the name of a file. The tearsheet
// deflates the Sharpe ratio by the trials that db knows of the run's owner when it is made.
func Render(db *history.DB, log *slog.Logger, limits stats.Limits) func(context.Context, *history.Run, *backtest.Result, *job.Data) ([]job.File, error) {
	return func(ctx context.Context, run *history.Run, result *backtest.Result, data *job.Data) ([]job.File, error) {
		return render(ctx, run, result, data, report.Extras{Selection: selectionOf(ctx, db, log, run, result), Limits: limits})
	}
}

// selectionOf is what the history says of a result; nil where it cannot, which the tearsheet then says.
func selectionOf(ctx context.Context, db *history.DB, log *slog.Logger, run *history.Run, result *backtest.Result) *overfit.Selection {
	if days, _ := history.SessionReturns(result); result.Config == nil || len(days) == 0 {
		return nil
	}
	var s overfit.Selection
	err := db.Read(ctx, func(tx *history.Tx) (err error) {
		s, err = tx.Select(run.Owner, result, 0)
		return err
	})
	if err != nil {
		log.WarnContext(ctx, "count the trials for a tearsheet", "run", run.ID, "error", err)
		return nil
	}
	return &s
}

func render(ctx context.Context, run *history.Run, result *backtest.Result, data *job.Data, extras report.Extras) ([]job.File, error) {
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
