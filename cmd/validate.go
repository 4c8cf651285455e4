package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"backtester/backtest"
	"backtester/backtest/stats"
	"backtester/backtest/validate"
	"backtester/report"
)

// validateOptions of `backtester validate`.
type validateOptions struct {
	*app
	selection
	format string
	out    string
	failIf []string
	trials int64
	memory string
	farm   farmOptions
}

func newValidate(a *app) *cobra.Command {
	o := &validateOptions{app: a}
	c := &cobra.Command{
		Use:   "validate FILE|NAME",
		Short: "Put a strategy to every test: is it more than luck, and what does it hang on",
		Long: `Put a strategy and the search for its parameters to every test, and answer plainly.

Walk-forward with a new search in every window, purged and combinatorial cross-validation, the
probability of backtest overfitting, reality check and SPA against cash and against holding, the
deflated Sharpe ratio with all trials that the history knows, Monte Carlo, entries at random,
noisy prices, dearer and later trading, causality and warm-up. The file's search says what is
best, its validate how it is tested. What cannot be tested is undefined, with its reason.
With --distributed the searches, that of every window too, are played by workers.
Figures for --fail-if: failures, wf_efficiency, pbo, cpcv_loss, spa_cash, dsr and the others
of "figures" in the JSON; one that is undefined exits with 5 as well.`,
		Example: `  backtester validate my.yaml --symbols AAPL
  backtester validate my.yaml --set 'validate.walk_forward={train: 3y, test: 1y}' --out tests/
  backtester validate my.yaml --format json --fail-if 'pbo > 0.5 or dsr < 0.95'`,
		Args:              arguments(1, 1, "a strategy file or name"),
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args[0]) },
		ValidArgsFunction: completeStrategies,
	}
	f := c.Flags()
	o.selection.flags(f)
	formatFlag(f, &o.format, "table", "json", "html")
	f.StringVar(&o.out, "out", "", "write NAME-validation.json and .html to this `FOLDER`")
	f.StringArrayVar(&o.failIf, "fail-if", nil, "exit with code 5 when this holds, `'pbo > 0.5'`; repeatable")
	f.Int64Var(&o.trials, "trials", 0, "count at least `N` trials: those made elsewhere, that the history does not know")
	o.farm.flags(f)
	f.StringVar(&o.memory, "memory", "2GiB", "most memory that the returns of all combinations may take, such as `512MiB`")
	return c
}

func (o *validateOptions) run(ctx context.Context, arg string) error {
	if err := checkFormat(o.format, "table", "json", "html"); err != nil {
		return err
	}
	if o.trials < 0 {
		return usagef("--trials is %d, want 0 or more", o.trials)
	}
	memory, err := parseBytes(o.memory)
	if err != nil {
		return usagef("read --memory: %w", err)
	}
	var conditions []stats.Condition
	for _, text := range o.failIf {
		c, err := stats.ParseConditionOn(text, validate.FigureKeys())
		if err != nil {
			return usagef("read --fail-if: %w", err)
		}
		conditions = append(conditions, c)
	}
	if err := writable(o.out); err != nil {
		return err
	}
	file, err := o.read(o.app, arg)
	if err != nil {
		return err
	}
	src, err := o.openSource(ctx, o.bars)
	if err != nil {
		return o.noStore(err, []*backtest.Config{file})
	}
	defer src.Close()
	players, err := o.farm.player(ctx, o.app, src)
	if err != nil {
		return err
	}
	defer players.close()
	ledger := &searchLedger{app: o.app, cfg: file, snapshot: snapshotOf(src), atLeast: o.trials, began: o.io.Now(), player: players}
	draw, clear := o.progress()
	options := validate.Options{Memory: memory, Trials: o.trials, Progress: draw, Play: ledger.play, Select: ledger.count}
	r, err := validate.Test(ctx, file, src, options)
	clear()
	if err != nil {
		return explainSweep(o.app, err)
	}
	if err := o.show(r); err != nil {
		return err
	}
	return o.judge(r, conditions)
}

// show writes the report where it is wanted.
func (o *validateOptions) show(r *validate.Report) error {
	var err error
	switch o.format {
	case "json":
		err = report.ValidationJSON(o.io.Out, r)
	case "html":
		err = report.ValidationHTML(o.io.Out, r)
	default:
		err = report.Validation(o.io.Out, r, o.reportOptions())
	}
	if err != nil || o.out == "" {
		return err
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return fmt.Errorf("write the validation: %w", err)
	}
	name := filepath.Join(o.out, fileNames([]*backtest.Result{r.Judged})[0]+"-validation")
	err = errors.Join(writeFile(name+".json", func(w io.Writer) error { return report.ValidationJSON(w, r) }),
		writeFile(name+".html", func(w io.Writer) error { return report.ValidationHTML(w, r) }))
	if err != nil {
		return fmt.Errorf("write the validation: %w", err)
	}
	fmt.Fprintf(o.io.Err, "wrote %s.json and .html\n", name)
	return nil
}

// judge tests every condition; one that needs an undefined figure counts as held.
func (o *validateOptions) judge(r *validate.Report, conditions []stats.Condition) error {
	held := false
	for _, c := range conditions {
		hit, undefined := c.Eval(&r.Figures)
		switch {
		case undefined != nil:
			fmt.Fprintf(o.io.Err, "backtester validate: %s: --fail-if '%s' cannot be decided: %s is undefined: %s\n", title(r.Judged), c, undefined.Key, undefined.Reason)
		case hit:
			fmt.Fprintf(o.io.Err, "backtester validate: %s: --fail-if '%s' holds\n", title(r.Judged), c)
		default:
			continue
		}
		held = true
	}
	if held {
		return &codeError{exitCondition}
	}
	return nil
}

// progress draws what is being done where somebody is watching; clear takes it away.
func (o *validateOptions) progress() (draw func(what string, done, total int), clear func()) {
	if !o.io.ErrTerminal {
		return nil, func() {}
	}
	var b *progressbar.ProgressBar
	last, long := "", o.io.patient()
	draw = func(what string, done, total int) {
		if !long() {
			return
		}
		if b == nil || what != last {
			if b != nil {
				_ = b.Clear() // a bar that cannot be drawn is no reason to stop
			}
			b = progressbar.NewOptions(max(1, total), progressbar.OptionSetWriter(o.io.Err), progressbar.OptionSetDescription(what),
				progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish())
			last = what
		}
		_ = b.Set(done)
	}
	return draw, func() { wipe(b) }
}
