package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"backtester/backtest/strategy"
	"backtester/backtest/sweep"
	"backtester/report"
)

// sweepOptions of `backtester sweep`.
type sweepOptions struct {
	*app
	selection
	independent bool
	out         string
	resume      bool
	explain     bool
	method      string
	shard       string
	memory      string
	format      string
	check       int
	farm        farmOptions
	report      string
	surface     string
}

func newSweep(a *app) *cobra.Command {
	o := &sweepOptions{app: a}
	c := &cobra.Command{
		Use:   "sweep FILE|NAME",
		Short: "Play a strategy with every combination of its parameters",
		Long: `Play a strategy with every combination of its parameters, one row each.

The params of the file say which values there are, constraint and search which combinations are
tried and what is best. Rows go to --out, or to standard output with --format csv; the best ones
are played again in the event engine and shown. Ctrl-C keeps what is done, --resume goes on. The
.state file beside the rows says of which sweep they are: the same one into the same file is not
played twice.

Every combination is a trial: the history counts it, and the deflated Sharpe ratio of later runs on
the same data allows for it (backtester report RUN). The setting history: off stops that.`,
		Example: `  backtester sweep my.yaml --out rows.csv
  backtester sweep my.yaml --symbols AAPL,MSFT --independent --out rows.parquet
  backtester sweep my.yaml --set 'fast=2..100' --set 'slow=2..100' --set 'constraint=fast < slow'
  backtester sweep my.yaml --shard 3/8 --out part3.csv; backtester merge part*.csv --out rows.csv`,
		Args:              arguments(1, 1, "a strategy file or name"),
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args[0]) },
		ValidArgsFunction: completeStrategies,
	}
	f := c.Flags()
	o.selection.flags(f)
	formatFlag(f, &o.format, "table", "csv")
	f.BoolVar(&o.independent, "independent", false, "each symbol alone with the full cash, one row each")
	f.StringVar(&o.out, "out", "", "write the rows to `FILE.csv` or FILE.parquet")
	f.BoolVar(&o.resume, "resume", false, "go on where an interrupted sweep with the same --out stopped")
	f.BoolVar(&o.explain, "explain-plan", false, "say what would be done, by which path and why, and do nothing")
	f.StringVar(&o.method, "method", "", "which combinations are tried: `grid`, random, sobol or tpe; instead of search.method")
	f.StringVar(&o.shard, "shard", "", "do part `I/N` of the sweep, I from 1 to N; backtester merge puts the parts together")
	f.StringVar(&o.memory, "memory", "2GiB", "most memory that the program may take, pages of stored files aside, such as `512MiB`")
	o.farm.flags(f)
	f.StringVar(&o.report, "report", "", "draw the surface of the objective over the parameters into `FILE.html`")
	f.StringVar(&o.surface, "surface", "", "write the objective and the neighbourhood of each combination to `FILE.csv`")
	f.IntVar(&o.check, "check", 3, "play the best `N` rows again in the event engine and compare")
	return c
}

func (o *sweepOptions) run(ctx context.Context, arg string) error {
	if err := checkFormat(o.format, "table", "csv"); err != nil {
		return err
	}
	if err := writable("", o.out, o.report, o.surface); err != nil {
		return err
	}
	if o.check < 0 {
		return usagef("--check is %d, want a number of rows, 0 for none", o.check)
	}
	if o.resume && o.out == "" {
		return usagef("--resume goes on with a file: name it with --out")
	}
	if o.method != "" && !strings.Contains(" grid random sobol tpe ", " "+o.method+" ") {
		return usagef("--method is %q, want grid, random, sobol or tpe", o.method)
	}
	memory, err := parseBytes(o.memory)
	if err != nil {
		return usagef("read --memory: %w", err)
	}
	// The plan says what lives at once, the limit how much garbage may lie beside it.
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(max(memory-sweep.Program, 0) + Ballast))
	file, err := o.read(o.app, arg)
	if err != nil {
		return err
	}
	src, err := o.openSource(ctx, o.bars)
	if err != nil {
		return o.noStore(err, []*strategy.File{file})
	}
	defer src.Close()
	options := sweep.Options{Independent: o.independent, Method: o.method, Memory: memory}
	plan, err := sweep.NewPlan(ctx, file, src, options)
	if err != nil {
		return explainSweep(o.app, err)
	}
	if o.independent {
		o.hintTwins(ctx, file, src)
	}
	if options.From, options.To, err = shardOf(o.shard, plan.Len()); err != nil {
		return err
	}
	if o.explain {
		lines, err := plan.Explain(ctx)
		if err != nil {
			return o.app.explain(err)
		}
		for _, line := range lines {
			fmt.Fprintln(o.io.Out, line)
		}
		return nil
	}
	players, err := o.farm.player(ctx, o.app, src)
	if err != nil {
		return err
	}
	defer players.close()
	return o.play(ctx, src, players, plan, options)
}

// explainSweep makes faults of settings that only a sweep reads usage errors.
func explainSweep(a *app, err error) error {
	var planned *sweep.PlanError
	if errors.As(err, &planned) {
		return &usageError{err}
	}
	return a.explain(err)
}

// identity is that of the plan, "" where nobody needs it.
func (o *sweepOptions) identity(ctx context.Context, plan *sweep.Plan) (string, error) {
	if o.out == "" && !o.recording() {
		return "", nil
	}
	return plan.Identity(ctx)
}

// play runs the plan, with its rows to where they are wanted.
func (o *sweepOptions) play(ctx context.Context, src source, players *player, plan *sweep.Plan, options sweep.Options) error {
	from, to := options.From, options.To
	identity, err := o.identity(ctx, plan)
	if err != nil {
		return o.app.explain(err)
	}
	file, enough, err := o.file(ctx, plan, identity, from, to)
	if enough || err != nil {
		return err
	}
	rows := &sweepRows{file: file, resumed: from}
	if file != nil {
		rows.resumed = file.Next()
	}
	if plan.Method != "tpe" { // which has to try again what it learnt from
		options.From = rows.resumed
	}
	rows.next = options.From
	missing := ""
	if rows.surface, missing = o.surfaceOf(plan, from, to, options.From); rows.surface == nil && o.report+o.surface != "" {
		return usagef("--report and --surface need the whole sweep at once: %s", missing)
	}
	if o.format == "csv" {
		rows.out = o.io.Out
		fmt.Fprintln(rows.out, strings.Join(plan.Columns(), ","))
	}
	var before *sweep.Summary // what lies in the file came to
	if options.From > from {
		if before, err = file.Earlier(plan, rows.take); err != nil {
			return err
		}
		options.Before = before
	}
	draw, clear := o.bar(plan)
	options.Row = rows.add
	options.Progress = func(p sweep.Progress) {
		draw(p)
		rows.commit()
	}
	if run := o.known(ctx, identity, from, to); run != "" {
		fmt.Fprintf(o.io.Err, "the history knows this sweep (run %s): it has the same rows again, and its trials count once\n", run)
	}
	record := o.recordSweep(ctx, src, plan, identity, &options, players.conn != nil)
	summary := &sweep.Summary{}
	if options.From < to {
		summary, err = players.play(ctx, plan, options)
	}
	clear()
	if err == nil {
		rows.next = to
	}
	err = errors.Join(err, rows.close())
	record.finish(ctx, summary, o.independent, from, rows.next, err)
	if err != nil {
		if errors.Is(err, context.Canceled) && o.out != "" {
			fmt.Fprintf(o.io.Err, "%d of %d combinations are in %s: --resume goes on with the rest\n", rows.reached()-from, to-from, o.out)
		}
		return o.app.explain(err)
	}
	if before != nil {
		before.Join(summary)
		summary = before
	}
	return errors.Join(o.app.explain(summary.Faults), o.show(ctx, plan, summary, options.From-from), o.draw(plan, summary, rows.surface, missing))
}

// file is where the rows go, nil where none is wanted or has them all already. In the latter case nothing is played
// again, and enough says so, if nothing but rows is wanted and the history knows the sweep.
func (o *sweepOptions) file(ctx context.Context, plan *sweep.Plan, identity string, from, to int) (f *sweep.File, enough bool, err error) {
	if o.out == "" {
		return nil, false, nil
	}
	if f, err = sweep.Create(o.out, plan, identity, from, to, o.resume); err != nil || !f.Whole() {
		return f, false, err
	}
	if o.report+o.surface != "" || o.format != "table" || o.recording() && o.known(ctx, identity, from, to) == "" {
		return nil, false, nil
	}
	fmt.Fprintf(o.io.Err, "%s has every row of this sweep already, of the same engine, settings and data: nothing is played again (without %s.state it is)\n",
		o.out, o.out)
	return nil, true, nil
}

// surfaceOf is an empty surface for combinations from to to of a plan, of which those before next lie in the file; nil
// where rows are not at hand or are too many, with the reason.
func (o *sweepOptions) surfaceOf(plan *sweep.Plan, from, to, next int) (s *sweep.Surface, missing string) {
	switch {
	case from > 0 || to < plan.Len():
		return nil, "a shard has but some of the rows"
	case next > from && len(plan.Config.Require) > 0:
		return nil, "the rows that require leaves out are not in " + o.out
	case len(plan.Space.Names) == 0:
		return nil, "there are no params"
	}
	if s = sweep.NewSurface(plan); s == nil {
		return nil, fmt.Sprintf("%d combinations would take too much of --memory, or are more than 2 million", plan.Len())
	}
	return s, ""
}

// draw shows the surface on a terminal and writes the files that were asked for. missing is why there is none.
func (o *sweepOptions) draw(plan *sweep.Plan, s *sweep.Summary, surface *sweep.Surface, missing string) error {
	if s.Rows == 0 {
		return nil
	}
	if surface == nil {
		if o.format == "table" && len(plan.Space.Names) > 0 {
			fmt.Fprintf(o.io.Out, "the surface is not drawn: %s\n", missing)
		}
		return nil
	}
	if o.format == "table" {
		if err := report.SweepTerminal(o.io.Out, surface, o.unicode()); err != nil {
			return err
		}
	}
	var faults []error
	if o.report != "" {
		faults = append(faults, writeFile(o.report, func(w io.Writer) error {
			return report.SweepHTML(w, report.Sweep{Plan: plan, Summary: s, Surface: surface, Synthetic: plan.Synthetic()})
		}))
	}
	if o.surface != "" {
		faults = append(faults, writeFile(o.surface, surface.CSV))
	}
	return errors.Join(faults...)
}

// bar draws the progress where somebody is watching: the rate, how long it will take, the best so far. clear takes
// away what an interruption leaves of it.
func (o *sweepOptions) bar(plan *sweep.Plan) (draw func(sweep.Progress), clear func()) {
	if !o.io.ErrTerminal {
		return func(sweep.Progress) {}, func() {}
	}
	var b *progressbar.ProgressBar
	long := o.io.patient()
	draw = func(p sweep.Progress) {
		if b == nil && !long() {
			return
		}
		if b == nil {
			b = progressbar.NewOptions(p.Total, progressbar.OptionSetWriter(o.io.Err), progressbar.OptionShowIts(), progressbar.OptionSetItsString("rows"),
				progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
		}
		if !math.IsNaN(p.Best) {
			b.Describe(fmt.Sprintf("best %s %.4g at %s", plan.Objective(), p.Best, plan.Name(p.BestParams)))
		}
		_ = b.Set(p.Done) // a bar that cannot be drawn is no reason to stop
	}
	return draw, func() { wipe(b) }
}

// show prints the best rows and how the sweep came to its numbers, earlier combinations of which it found in the file.
// Where rows go to standard output it goes beside them.
func (o *sweepOptions) show(ctx context.Context, plan *sweep.Plan, s *sweep.Summary, earlier int) error {
	if s.Rows == 0 {
		return nil
	}
	w := o.io.Out
	if o.format == "csv" {
		w = o.io.Err
	}
	if len(s.Best) == 0 {
		fmt.Fprintf(w, "%s, none of them eligible: %s\n", plural(s.Rows, "row"), plan.Eligibility())
		return nil
	}
	if err := o.bestTable(w, plan, s); err != nil {
		return err
	}
	if plan.Synthetic() {
		fmt.Fprintln(w, "SYNTHETIC DATA: these prices are made up by the demo market")
	}
	if plan.Expressed() {
		fmt.Fprintf(w, "the objective is %s\n", plan.Objective())
	}
	fmt.Fprintf(w, "%s, %s, %d eligible, %d kept\n", plural(s.Combinations, "combination"), plural(s.Rows, "row"), s.Eligible, s.Kept)
	if earlier > 0 {
		fmt.Fprintf(w, "%d of the combinations were in %s already\n", earlier, o.out)
	}
	for _, t := range s.Paths {
		why := ""
		if t.Reason != "" {
			why = ": " + t.Reason
		}
		fmt.Fprintf(w, "path %s, %d rows%s\n", t.Path, t.Rows, why)
	}
	checked := s.Best[:min(o.check, len(s.Best))]
	if len(checked) == 0 {
		return nil
	}
	if _, err := plan.Verify(ctx, checked); err != nil {
		return err
	}
	fmt.Fprintf(w, "the best %d played again in the event engine: equal to %g\n", len(checked), sweep.Tolerance)
	return nil
}

// bestTable lists the best rows.
func (o *sweepOptions) bestTable(w io.Writer, plan *sweep.Plan, s *sweep.Summary) error {
	shown := plan.Shown()
	head := append([]string{"symbol"}, plan.Space.Names...)
	if plan.Expressed() {
		head = append(head, "objective")
	}
	head = append(head, shown...)
	var rows [][]string
	var right []int
	for i := 1; i < len(head); i++ {
		right = append(right, i)
	}
	for _, b := range s.Best {
		cells := []string{b.Symbol}
		if b.Symbol == "" {
			cells[0] = "all"
		}
		for _, v := range b.Params {
			cells = append(cells, strconv.FormatFloat(v, 'g', -1, 64))
		}
		if plan.Expressed() {
			cells = append(cells, shortNumber(plan.Judged(b.Metrics)))
		}
		for _, key := range shown {
			cells = append(cells, shortNumber(plan.Metric(b.Metrics, key)))
		}
		rows = append(rows, cells)
	}
	return o.table(w, head, rows, right...)
}

func shortNumber(v float64) string {
	if math.IsNaN(v) {
		return "-"
	}
	return strconv.FormatFloat(v, 'g', 5, 64)
}

// shardOf reads I/N as a range of n combinations.
func shardOf(text string, n int) (from, to int, err error) {
	if text == "" {
		return 0, n, nil
	}
	a, b, ok := strings.Cut(text, "/")
	i, err1 := strconv.Atoi(a)
	of, err2 := strconv.Atoi(b)
	if !ok || err1 != nil || err2 != nil || i < 1 || i > of {
		return 0, 0, usagef("read --shard %q: want I/N with I from 1 to N, such as 3/8", text)
	}
	part := func(i int) int { return int(int64(n) * int64(i) / int64(of)) }
	return part(i - 1), part(i), nil
}

// parseBytes reads a size such as 512MiB.
func parseBytes(text string) (int64, error) {
	number := strings.TrimRight(text, "KMGTiB")
	unit := map[string]int64{"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}[text[len(number):]]
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || unit == 0 || !(n > 0) || n*float64(unit) > 1<<60 {
		return 0, fmt.Errorf("%q is no size such as 512MiB or 2GiB", text)
	}
	return int64(n * float64(unit)), nil
}

func newMerge(a *app) *cobra.Command {
	out := ""
	c := &cobra.Command{
		Use:   "merge SHARD.csv... --out FILE",
		Short: "Put the shards of a sweep together",
		Long: `Put the shards of a sweep together, in any order, to the bytes that the whole sweep would have written.

Each shard needs the .state file that the sweep left beside it. Shards of other settings, data or
engines, gaps, repetitions and unfinished shards are refused. In the history the rows of the shards
become one.`,
		Example: `  backtester merge part1.csv part2.csv --out rows.csv`,
		Args:    arguments(1, -1, "a shard"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return usagef("--out is missing: name the file to write")
			}
			whole, err := sweep.Merge(out, args)
			if err == nil {
				a.recordMerge(cmd.Context(), whole)
			}
			return err
		},
	}
	c.Flags().StringVar(&out, "out", "", "write the rows to `FILE.csv` or FILE.parquet")
	return c
}
