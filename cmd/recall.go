package cmd

import (
	"context"
	"fmt"

	"backtester/backtest"
	"backtester/backtest/history"
	"backtester/backtest/job"
	"backtester/backtest/strategy"
)

// A result is a function of rules, settings, data and engine, and the history keeps the document: where all
// four are those of a run in it, the run is not played again.

// recall is what the history has of a file; nothing unless it has all results of it, and the files of those runs
// are what they wrote.
func (o *runOptions) recall(ctx context.Context, file *strategy.File, src source) outcome {
	if !o.recording() || o.snapshot == "" {
		return outcome{}
	}
	files := []*strategy.File{file}
	if o.independent {
		names, err := backtest.Alone(ctx, file, src)
		if err != nil {
			return outcome{} // the run will say what is wrong
		}
		files = nil
		for i := range names {
			one := *file
			one.Universe.Symbols = names[i : i+1 : i+1]
			files = append(files, &one)
		}
	}
	var out outcome
	if err := o.readHistory(ctx, func(tx *history.Tx) error {
		for _, one := range files {
			run, r := o.same(tx, one)
			if r == nil {
				return history.ErrNotFound
			}
			out.known, out.results = append(out.known, run), append(out.results, r)
		}
		return nil
	}); err != nil {
		return outcome{} // not there, or the record says what is wrong with the history
	}
	return out
}

// recalled says which runs were not played.
func recalled(known []*history.Run) string {
	first := fmt.Sprintf("%s of %s", known[0].ID, known[0].Finished.Format("2006-01-02"))
	if len(known) == 1 {
		return "recalled run " + first + "; --again plays it"
	}
	return fmt.Sprintf("recalled %d runs, the first is %s; --again plays them", len(known), first)
}

// same is the run of the history that did the work of a file, and its result; nil without one. Sizes that the
// file does not give depend on whether there are several symbols, which only the result tells: on the same
// data the same universe has as many.
func (o *runOptions) same(tx *history.Tx, file *strategy.File) (*history.Run, *backtest.Result) {
	for several, symbols := range []int{1, 2} {
		if symbols == 1 && (file.Universe.Dynamic() || len(file.Universe.Type) > 0) {
			continue // taken for several, however many there are
		}
		spec, err := job.Spec{Kind: history.KindRun, Config: backtest.Settled(file, symbols)}.Encode()
		if err != nil {
			return nil, nil
		}
		run, err := tx.Same(localOwner, job.Sum(spec, o.snapshot))
		if err != nil {
			continue
		}
		if kept, err := o.resultsOf(run); err == nil && len(kept) == 1 && min(len(kept[0].Data.Symbols), 2) == several+1 {
			return run, kept[0]
		}
	}
	return nil, nil
}
