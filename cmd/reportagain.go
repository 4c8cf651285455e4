package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/stats"
	"backtester/backtest/validate/stress"
	"backtester/report"
)

// again runs results anew with one assumption changed at a time.
func (o *reportOptions) again(ctx context.Context, results []*backtest.Result) error {
	if !o.robust {
		return nil
	}
	src, err := o.openSource(ctx, o.bars)
	if err != nil {
		return err
	}
	defer src.Close()
	bars := extrasFor(ctx, src)
	o.extras = map[*backtest.Result]report.Extras{}
	for _, r := range results {
		fmt.Fprintf(o.io.Err, "running %s again with one assumption changed at a time\n", title(r))
		found, err := stress.Test(ctx, r, src)
		if err != nil {
			return o.orFiles(err)
		}
		extras := bars(r)
		extras.Stress = found
		o.extras[r] = extras
	}
	return nil
}

// attribute divides the return of each result among the factors of a file.
func (o *reportOptions) attribute(results []*backtest.Result) error {
	switch {
	case o.factors == "":
		return nil
	case len(results) > 1 && o.out == "":
		return usagef("--factors explains one result on a page, not %d: name one, or write each with --out FOLDER", len(results))
	}
	file, err := os.Open(o.factors)
	if err != nil {
		return usagef("read factors: %w", err)
	}
	defer file.Close()
	factors, err := stats.ReadFactors(file, o.factors)
	if err != nil {
		return input(err)
	}
	if o.extras == nil {
		o.extras = map[*backtest.Result]report.Extras{}
	}
	for _, r := range results {
		extras := o.extras[r]
		if extras.Factors, err = report.Attribute(r, factors); err != nil {
			return input(err)
		}
		o.extras[r] = extras
	}
	return nil
}

// extrasOf is what a tearsheet can show besides its result.
func (o *reportOptions) extrasOf(r *backtest.Result) report.Extras {
	extras := o.extras[r]
	if s, ok := o.selected[r]; ok {
		extras.Selection = &s
	}
	extras.Limits = o.limits()
	return extras
}

// difference explains the first fill in which two runs differ. The setting behind it is found by running the first
// one again, where its data can be had.
func (o *reportOptions) difference(ctx context.Context, a, b *backtest.Result) error {
	d, err := stress.FirstDifference(a, b)
	if err != nil {
		return err
	}
	why := ""
	if d != nil && len(d.Settings) > 0 {
		if err := o.prove(ctx, d, a, b); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			why = err.Error()
		}
	}
	return report.FirstDifference(o.io.Out, a, b, d, why, o.reportOptions())
}

func (o *reportOptions) prove(ctx context.Context, d *stress.Difference, a, b *backtest.Result) error {
	src, err := o.openSource(ctx, o.bars)
	if err != nil {
		return err
	}
	defer src.Close()
	return o.orFiles(d.Prove(ctx, a, b, src))
}

// orFiles adds to an error of a run made again on other data, or on none, how its files are named.
func (o *reportOptions) orFiles(err error) error {
	if (errors.Is(err, bar.ErrNoData) || errors.Is(err, stress.ErrOther)) && len(o.bars) == 0 {
		return fmt.Errorf("%w; if the run took its bars from files, name them with --bars SYMBOL=FILE.csv", err)
	}
	return err
}
