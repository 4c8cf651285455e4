package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"backtester/backtest/bar"
	"backtester/backtest/strategy"
	"backtester/backtest/validate"
)

// prove runs the proofs of causality of one file and shows them on w, as JSON or as a table. The error
// of a proof that fails has exit code 1 and nothing more to say.
func (a *app) prove(ctx context.Context, w io.Writer, file *strategy.File, src bar.Source, format string) error {
	p, err := validate.Prove(ctx, validate.Subject{Config: file}, src, validate.Plan{Seed: 1})
	if err != nil {
		return a.explain(err)
	}
	if format == "json" {
		err = writeJSON(w, p)
	} else {
		err = a.showProof(w, p)
	}
	if err != nil {
		return err
	}
	if !p.Holds {
		return &codeError{exitFailure}
	}
	return nil
}

// proveAll proves every file of a batch beside its results: on standard output below the tables, else on
// standard error, where it is not among data for programs.
func (o *runOptions) proveAll(ctx context.Context, files []*strategy.File, src bar.Source) error {
	w := o.io.Err
	if o.output.format == "table" {
		w = o.io.Out
	}
	var faults []error
	for _, f := range files {
		faults = append(faults, o.prove(ctx, w, f, src, "table"))
	}
	return errors.Join(faults...)
}

// showProof prints a proof as tables.
func (a *app) showProof(w io.Writer, p *validate.Proof) error {
	verdict := "nothing depends on the future"
	if !p.Holds {
		verdict = "NOT PROVED"
	}
	if _, err := fmt.Fprintf(w, "\n%s: %s\n\n", p.Strategy, verdict); err != nil {
		return err
	}
	var rows [][]string
	for _, c := range p.Checks {
		rows = append(rows, []string{c.Name, string(c.Outcome), c.Detail})
	}
	if err := a.table(w, []string{"check", "outcome", "detail"}, rows); err != nil {
		return err
	}
	if l := p.Leak; l != nil {
		from := "how much data follows, or several later values together"
		if l.FromTime != "" {
			from = "the bar of " + l.FromTime
		}
		if l.FromColumn != "" {
			from = fmt.Sprintf("the %s of %s", l.FromColumn, l.FromTime)
		}
		if l.FromValue != nil {
			from = fmt.Sprintf("the %s of %s of %s, %s", l.FromColumn, l.FromSymbol, l.FromTime, strconv.FormatFloat(*l.FromValue, 'g', -1, 64))
		}
		if _, err := fmt.Fprintf(w, "\nThe decision of %s about %s knew %s.\n", l.Time, l.Symbol, from); err != nil {
			return err
		}
	}
	if len(p.Warmup.Columns) == 0 {
		return nil
	}
	rows = nil
	for _, c := range p.Warmup.Columns {
		rows = append(rows, []string{c.Name, strconv.FormatFloat(c.Error, 'e', 1, 64)})
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return a.table(w, []string{"indicator", "error of its warm-up"}, rows, 1)
}
