package cmd

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"backtester/backtest"
	"backtester/backtest/history"
	"backtester/backtest/stats"
	"backtester/backtest/strategy"
)

// runOptions of `backtester run`.
type runOptions struct {
	*app
	selection
	output
	tomorrow
	journal     string // file for what moved money
	independent bool
	failIf      []string
	proof       bool
	again       bool
	snapshot    string // of the data
}

func newRun(a *app) *cobra.Command {
	o := &runOptions{app: a}
	c := &cobra.Command{
		Use:   "run FILE|NAME...",
		Short: "Backtest strategies: orders, fills, books, statistics",
		Long: `Backtest strategies and show the results on standard output.

An argument is a strategy file, the name of a built-in strategy (backtester strategy ls),
or - for a file on standard input. Several make a batch: one result each, in argument order,
computed in parallel. Results are kept in the history (backtester history ls), unless the
setting history is off; no other file is written without --out or --save. What the history has
already, of the same rules, settings, data and engine, is taken from there and not played again.`,
		Example: `  backtester run golden-cross --symbols ACME,MKT --from 2015-01-01
  backtester run my.yaml --set n=30 --set costs.slippage.bps=5 --out results/
  backtester run my.yaml --bars XYZ=prices.csv --format json
  backtester run a.yaml b.yaml --fail-if 'sharpe < 1 or max_drawdown < -0.3'
  backtester run my.yaml --orders --format json
  backtester run my.yaml --scan --date 2024-06-28`,
		Args:              arguments(1, -1, "a strategy file or name"),
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },
		ValidArgsFunction: completeStrategies,
	}
	f := c.Flags()
	o.selection.flags(f)
	o.output.flags(f)
	warnFlag(f)
	serverFlag(f)
	o.tomorrow.flags(f)
	f.BoolVar(&o.independent, "independent", false, "run each symbol alone with the full cash, one result each")
	f.StringArrayVar(&o.failIf, "fail-if", nil, "exit with code 5 when this holds for a result, `'sharpe < 1'`; repeatable")
	f.BoolVar(&o.again, "again", false, "play what the history has already, too")
	f.StringVar(&o.journal, "journal", "", "write everything that moved money or shares to this `FILE`: one JSON object a line, or .csv")
	f.BoolVar(&o.proof, "prove", false, "prove that no decision depends on the future; exit with code 1 when one does")
	return c
}

// run executes the batch. Results of runs that worked are shown even if others failed; the exit code
// is the worst of all.
func (o *runOptions) run(ctx context.Context, args []string) error {
	if err := errors.Join(o.output.check(), o.checkTomorrow(), o.checkJournal(args), writable(o.out, o.journal)); err != nil {
		return err
	}
	if o.proof && o.independent {
		return usagef("--prove proves a run as a whole: leave --independent out, or name one symbol with --symbols")
	}
	conditions, err := parseConditions(o.failIf)
	if err != nil {
		return err
	}
	files, err := o.readAll(o.app, args)
	if err != nil {
		return err
	}
	if c, err := o.remote(); err != nil || c != nil {
		if err != nil {
			return err
		}
		outcomes, err := o.runRemote(ctx, c, files)
		if err != nil {
			return err
		}
		return o.finish(outcomes, conditions)
	}
	src, err := o.openSource(ctx, o.bars)
	if err != nil {
		return o.noStore(err, files)
	}
	defer src.Close()
	if o.wanted() {
		return o.showTomorrow(ctx, files, src)
	}
	o.extras, o.snapshot = extrasFor(ctx, src), snapshotOf(src)
	began := o.io.Now()
	outcomes := o.batch(ctx, files, src)
	o.remember(ctx, outcomes, o.io.Now().Sub(began))
	o.hintMissing(ctx, outcomes, src)
	err = o.finish(outcomes, conditions)
	if o.proof && !slices.ContainsFunc(outcomes, func(out outcome) bool { return out.err != nil }) {
		err = errors.Join(err, o.proveAll(ctx, files, src))
	}
	return err
}

// outcome of one file: results in the order of its symbols, and what went wrong.
type outcome struct {
	results []*backtest.Result
	err     error
	known   []*history.Run // of the history, of which the results are
}

// remember writes down what was computed, and says what was not.
func (o *runOptions) remember(ctx context.Context, outcomes []outcome, took time.Duration) {
	var fresh []*backtest.Result
	var known []*history.Run
	for _, out := range outcomes {
		known = append(known, out.known...)
		for _, r := range out.results {
			if r != nil && out.known == nil {
				fresh = append(fresh, r)
			}
		}
	}
	if len(known) > 0 {
		fmt.Fprintln(o.io.Err, recalled(known))
	}
	ids := o.record(ctx, fresh, o.snapshot, took)
	if o.io.ErrTerminal && len(ids) == 1 {
		fmt.Fprintf(o.io.Err, "run %s; see it again: backtester report %s\n", ids[0], ids[0])
	}
}

// batch runs every file, as many at a time as there are processors.
func (o *runOptions) batch(ctx context.Context, files []*strategy.File, src source) []outcome {
	outcomes := make([]outcome, len(files))
	tick := o.progress(len(files))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(len(files), runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(files); i = int(next.Add(1)) - 1 {
				outcomes[i] = o.one(ctx, files[i], src)
				tick()
			}
		})
	}
	wg.Wait()
	return outcomes
}

func (o *runOptions) one(ctx context.Context, file *strategy.File, src source) outcome {
	if o.independent {
		o.hintTwins(ctx, file, src)
	}
	if !o.again && o.journal == "" {
		if out := o.recall(ctx, file, src); out.results != nil {
			return out
		}
	}
	if o.independent {
		results, err := backtest.Each(ctx, file, src)
		return outcome{results: results, err: err}
	}
	play := o.plain
	if o.journal != "" {
		play = o.playWithJournal
	}
	r, err := play(ctx, file, src)
	if err != nil {
		return outcome{err: err}
	}
	return outcome{results: []*backtest.Result{r}}
}

func (o *runOptions) plain(ctx context.Context, file *strategy.File, src source) (*backtest.Result, error) {
	return backtest.Run(ctx, file, src)
}

// progress draws a bar of n runs, where somebody is watching and there is something to wait for.
func (o *runOptions) progress(n int) (tick func()) {
	if n < 2 || !o.io.ErrTerminal {
		return func() {}
	}
	var b *progressbar.ProgressBar
	long := o.io.patient()
	done := 0
	var mu sync.Mutex
	return func() {
		mu.Lock()
		defer mu.Unlock()
		done++
		if b == nil {
			if !long() {
				return
			}
			b = progressbar.NewOptions(n, progressbar.OptionSetWriter(o.io.Err), progressbar.OptionSetDescription("backtesting"),
				progressbar.OptionShowCount(), progressbar.OptionClearOnFinish())
		}
		_ = b.Set(done) // a bar that cannot be drawn is no reason to stop
	}
}

// finish shows what there is and decides the exit code.
func (o *runOptions) finish(outcomes []outcome, conditions []stats.Condition) error {
	var results []*backtest.Result
	var faults []error
	for _, out := range outcomes {
		for _, r := range out.results {
			if r != nil {
				results = append(results, r)
			}
		}
		faults = append(faults, out.err)
	}
	if len(results) > 0 {
		faults = append(faults, o.output.write(o.app, results), o.judge(results, conditions))
	}
	if err := errors.Join(faults...); err != nil {
		return o.explain(err)
	}
	return nil
}

// parseConditions reads the texts of --fail-if.
func parseConditions(texts []string) ([]stats.Condition, error) {
	var list []stats.Condition
	for _, t := range texts {
		c, err := stats.ParseCondition(t)
		if err != nil {
			return nil, usagef("read --fail-if: %w", err)
		}
		list = append(list, c)
	}
	return list, nil
}

// judge tests every condition on every result. One that needs an undefined metric counts as held: a
// gate that cannot decide must not let pass.
func (o *runOptions) judge(results []*backtest.Result, conditions []stats.Condition) error {
	held := false
	for _, r := range results {
		for _, c := range conditions {
			hit, err := c.Eval(r.Metrics)
			switch {
			case err != nil:
				fmt.Fprintf(o.io.Err, "backtester run: %s: --fail-if '%s' cannot be decided: %s\n", title(r), c, err)
			case hit:
				fmt.Fprintf(o.io.Err, "backtester run: %s: --fail-if '%s' holds\n", title(r), c)
			default:
				continue
			}
			held = true
		}
	}
	if held {
		return &codeError{exitCondition}
	}
	return nil
}

// title names a result in messages: the strategy and what it ran on.
func title(r *backtest.Result) string {
	s := r.Data.Symbols
	switch {
	case len(s) == 1:
		return r.Strategy + " " + s[0]
	case len(s) > 1:
		return fmt.Sprintf("%s %s and %d more", r.Strategy, s[0], len(s)-1)
	}
	return r.Strategy
}
