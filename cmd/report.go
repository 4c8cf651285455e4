package cmd

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"backtester/backtest"
	"backtester/backtest/stats/overfit"
	"backtester/report"
)

// reportOptions of `backtester report`.
type reportOptions struct {
	*app
	series  seriesOptions
	format  string
	out     string
	html    string
	pdf     string
	browser string
	trials  int64
	// selected says of runs of the history how often their data was searched.
	selected map[*backtest.Result]overfit.Selection
	robust   bool
	explain  bool
	factors  string
	bars     []string
	extras   map[*backtest.Result]report.Extras // of those that were run again
}

func newReport(a *app) *cobra.Command {
	o := &reportOptions{app: a}
	c := &cobra.Command{
		Use:   "report RUN|FILE.json...",
		Short: "Show results again: tables, JSON, CSV, tearsheet; several side by side",
		Long: `Show results again, several of them side by side.

RUN is the id of a run in the history or of a result kept by run --save (or its first digits), FILE.json is what
run --format json or --out wrote, - is standard input. Nothing is computed anew but with --robust,
which runs the rules again on the same data: later execution, dearer trading, later starts, neighbours
of each parameter, each symbol left out; and asks whether entries at random would have done as well.

Two to ten results make a comparison over the period that all of them cover: --html FILE, or
--format html. A curve from elsewhere is reported like a run with --returns or --equity.`,
		Example: `  backtester report results/golden-cross.json
  backtester report results/*.json --format csv
  backtester report results/golden-cross.json --format html > tearsheet.html
  backtester report a.json b.json c.json --html compare.html
  backtester report results/golden-cross.json --pdf tearsheet.pdf
  backtester report results/golden-cross.json --robust --html tearsheet.html
  backtester report a.json b.json --explain
  backtester report --returns fund.csv --benchmark spy.csv --format json
  backtester report results/golden-cross.json --factors french.csv --html tearsheet.html`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return o.report(cmd.Context(), args) },
	}
	f := c.Flags()
	formatFlag(f, &o.format, reportFormats()...)
	serverFlag(f)
	warnFlag(f)
	f.StringVar(&o.out, "out", "", "write NAME.json, .html, _metrics.csv and _trades.csv of each result to this `FOLDER`")
	f.StringVar(&o.html, "html", "", "write the tearsheet, or the comparison of several, to this `FILE`")
	f.StringVar(&o.pdf, "pdf", "", "print it to this `FILE`, by an installed Chromium, Chrome or Edge")
	f.StringVar(&o.browser, "browser", "", "print with this `PROGRAM` (default the first of Chromium, Chrome and Edge that is installed)")
	f.BoolVar(&o.robust, "robust", false, "run it again with one assumption changed at a time, and show what became of it")
	f.StringArrayVar(&o.bars, "bars", nil, "with --robust or --explain: take the bars of a symbol from `SYM=FILE.csv`, as the run did; repeatable")
	f.BoolVar(&o.explain, "explain", false, "say of every figure what it is: value, formula, source, and why it is undefined; of two runs first which fill is the first that differs, and which setting is behind it")
	f.StringVar(&o.factors, "factors", "", "divide the return among factors: `FILE.csv` with date,NAME,NAME... of returns without capital or above the risk-free rate")
	f.Int64Var(&o.trials, "trials", 0, "the data was searched at least `N` times, elsewhere too: may only raise what the history counts")
	o.series.flags(f)
	return c
}

func reportFormats() []string {
	return append(resultFormats(), "html", "markdown", "trades", "fills", "equity")
}

func (o *reportOptions) report(ctx context.Context, args []string) error {
	if err := checkFormat(o.format, reportFormats()...); err != nil {
		return err
	}
	if err := o.series.check(len(args)); err != nil {
		return err
	}
	switch {
	case o.robust && o.series.asked():
		return usagef("--robust runs rules again, and a curve from elsewhere has none: leave it out")
	case len(o.bars) > 0 && !o.robust && !o.explain:
		return usagef("--bars belongs to --robust and --explain: nothing else reads bars again")
	case o.explain && o.format != "table":
		return usagef("--explain explains the table, not --format %s: leave one of them out", o.format)
	}
	if err := writable(o.out, o.html, o.pdf); err != nil {
		return err
	}
	results, err := o.results(ctx, args)
	if err != nil {
		return err
	}
	if err := o.again(ctx, results); err != nil {
		return err
	}
	if err := o.attribute(results); err != nil {
		return err
	}
	if o.out != "" {
		if err := o.writeFiles(o.out, results, o.extrasOf); err != nil {
			return err
		}
	}
	if o.html != "" {
		if err := writeFile(o.html, func(w io.Writer) error { return o.page(w, results) }); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	}
	if o.pdf != "" {
		if err := writePDF(ctx, o.pdf, o.browser, func(w io.Writer) error { return o.page(w, results) }); err != nil {
			return err
		}
	}
	if o.explain && len(results) == 2 { // before the hundreds of figures
		if err := o.difference(ctx, results[0], results[1]); err != nil {
			return err
		}
	}
	return o.show(results)
}

// results are those named, or the curve given.
func (o *reportOptions) results(ctx context.Context, args []string) ([]*backtest.Result, error) {
	if o.series.asked() {
		r, err := o.series.read()
		return []*backtest.Result{r}, err
	}
	server, err := o.remote()
	if err != nil {
		return nil, err
	}
	var results []*backtest.Result
	for _, arg := range args {
		var some []*backtest.Result
		if _, none := os.Stat(arg); server != nil && arg != "-" && none != nil {
			some, err = resultRemote(ctx, server, arg)
		} else {
			some, err = o.readResults(ctx, arg)
		}
		if err != nil {
			return nil, err
		}
		results = append(results, some...)
	}
	return results, nil
}

// show writes results to standard output.
func (o *reportOptions) show(results []*backtest.Result) error {
	switch o.format {
	case "table":
		options := o.reportOptions()
		if len(results) == 1 {
			extras := o.extrasOf(results[0])
			options.Stress, options.Factors = extras.Stress, extras.Factors
		}
		if o.explain {
			return report.Explain(o.io.Out, results, options)
		}
		if err := report.Terminal(o.io.Out, results, options); err != nil {
			return err
		}
		return o.selections(results)
	case "json", "ndjson":
		return o.showJSON(results, o.format == "ndjson")
	case "html":
		return o.page(o.io.Out, results)
	case "markdown":
		return report.Markdown(o.io.Out, results, o.limits())
	case "trades":
		return report.TradesCSV(o.io.Out, results)
	case "fills":
		return report.FillsCSV(o.io.Out, results)
	case "equity":
		return report.EquityCSV(o.io.Out, results)
	}
	return o.render(o.format, results)
}

// page is the tearsheet of one result, or the comparison of several.
func (o *reportOptions) page(w io.Writer, results []*backtest.Result) error {
	if len(results) == 1 {
		return report.HTMLWith(w, results[0], o.extrasOf(results[0]))
	}
	if n := len(results); n > report.MostRuns {
		return usagef("a page compares up to %d results, not %d: use --out FOLDER for a tearsheet of each", report.MostRuns, n)
	}
	return report.CompareHTML(w, results, o.limits())
}

// readResults finds the results an argument means.
func (o *reportOptions) readResults(ctx context.Context, arg string) ([]*backtest.Result, error) {
	if arg == "-" {
		results, err := report.ReadJSON(o.io.In, "from standard input")
		return results, input(err)
	}
	path := arg
	if _, err := os.Stat(arg); err != nil {
		if !looksLikeName(arg) {
			return nil, usagef("read result: %w", err)
		}
		if results, err := o.fromHistory(ctx, arg); results != nil || err != nil {
			return results, err
		}
		if path, err = o.saved(arg); err != nil {
			return nil, err
		}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, usagef("read result: %w", err)
	}
	defer f.Close()
	results, err := report.ReadJSON(io.Reader(f), path)
	return results, input(err)
}

// saved finds a kept result by the first digits of its id.
func (o *reportOptions) saved(id string) (string, error) {
	if o.savedDir() == "" {
		return "", usagef("there is no file %q, and no folder of saved results: HOME is not set: set --results-dir or BACKTESTER_RESULTS_DIR", id)
	}
	entries, err := os.ReadDir(o.savedDir())
	if err != nil && !os.IsNotExist(err) {
		return "", fmt.Errorf("read saved results: %w", err)
	}
	var found []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), id) && strings.HasSuffix(e.Name(), ".json") {
			found = append(found, e.Name())
		}
	}
	switch len(found) {
	case 0:
		return "", usagef("there is no file and no saved result %q in %s; keep one with: backtester run ... --save", id, o.savedDir())
	case 1:
		return filepath.Join(o.savedDir(), found[0]), nil
	}
	return "", usagef("%q could be %s: give more digits", id, strings.Join(found, ", "))
}
