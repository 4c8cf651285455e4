package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/spf13/cobra"

	"backtester/backtest/audit"
	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/store"
)

// checkOptions of `backtester data check`.
type checkOptions struct {
	dataOptions
	files, minutes, strict, checks, quiet bool
}

func newDataCheck(a *app) *cobra.Command {
	o := &checkOptions{dataOptions: dataOptions{app: a}}
	c := &cobra.Command{
		Use: "check [SYMBOL...]", Short: "Audit the stored data: gaps, outliers, splits, dividends, minutes against days",
		Long: `Audit the stored data: every symbol, or those named, by the checks that --checks lists.

Each symbol gets a verdict: OK, WARN (look at it before you trust a result) or FAIL (the data is
wrong, or a run on it would be). The exit code is 1 when anything is FAIL, with --strict also when
anything is WARN. With --files the downloaded files are read again, for rows that were left out and
wrong dates in them.`,
		Example: "  backtester data check\n  backtester data check ACME SPLIT --format json\n  backtester data check --checks",
		Args:    arguments(0, -1, ""),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.check(cmd.Context(), args) },
	}
	o.flags(c.Flags(), "table", "json", "csv")
	f := c.Flags()
	f.BoolVar(&o.checks, "checks", false, "list what is checked, with thresholds, and stop")
	f.BoolVar(&o.files, "files", false, "read the downloaded files again too")
	f.BoolVar(&o.minutes, "minutes", true, "read stored minutes too and compare them with the days")
	f.BoolVar(&o.strict, "strict", false, "exit with 1 on WARN too")
	f.BoolVar(&o.quiet, "quiet", false, "leave out what is only worth knowing (severity info)")
	return c
}

// checkAnswer is `data check` as JSON.
type checkAnswer struct {
	Verdict string          `json:"verdict"`
	Counts  map[string]int  `json:"counts"` // symbols by verdict
	Market  []audit.Finding `json:"market"`
	Symbols []audit.Report  `json:"symbols"`
}

func (o *checkOptions) check(ctx context.Context, symbols []string) error {
	if err := checkFormat(o.format, "table", "json", "csv"); err != nil {
		return err
	}
	if o.checks {
		return o.listChecks()
	}
	s, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	covered, err := everything(ctx, s)
	if err != nil {
		return err
	}
	chosen, err := choose(covered, symbols, s.Name())
	if err != nil {
		return err
	}
	market := audit.Market{Calendar: s.Calendar(), Days: s.Sessions(bar.Daily), Minutes: s.Sessions(bar.Minutely)}
	a := checkAnswer{Counts: map[string]int{"OK": 0, "WARN": 0, "FAIL": 0}, Market: []audit.Finding{}}
	if a.Symbols, err = o.audit(ctx, s, market, chosen); err != nil {
		return err
	}
	if len(symbols) == 0 {
		notes, err := o.notes(ctx, s.Synthetic())
		if err != nil {
			return err
		}
		a.Market = market.Overall(covered, notes)
	}
	worst := audit.Worst(a.Symbols, a.Market)
	a.Verdict = worst.Verdict()
	for i := range a.Symbols {
		a.Counts[a.Symbols[i].Verdict]++
		if o.quiet {
			a.Symbols[i].Findings = weighty(a.Symbols[i].Findings)
		}
	}
	if o.quiet {
		a.Market = weighty(a.Market)
	}
	if err := o.show(a); err != nil {
		return err
	}
	if worst == audit.Fail || o.strict && worst == audit.Warn {
		return &codeError{exitFailure}
	}
	return nil
}

func weighty(fs []audit.Finding) []audit.Finding {
	return slices.DeleteFunc(fs, func(f audit.Finding) bool { return f.Severity == audit.Info })
}

// everything that a store covers, in days or in minutes, each instrument once.
func everything(ctx context.Context, s *store.Store) ([]bar.Coverage, error) {
	all, err := s.Coverage(ctx, bar.Daily)
	if err != nil {
		return nil, err
	}
	known := make(map[instrument.ID]bool, len(all))
	for _, c := range all {
		known[c.Instrument.ID] = true
	}
	if len(s.Sessions(bar.Minutely)) > 0 {
		fine, err := s.Coverage(ctx, bar.Minutely)
		if err != nil {
			return nil, err
		}
		for _, c := range fine {
			if !known[c.Instrument.ID] {
				all = append(all, c)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b bar.Coverage) int {
		return cmp.Or(cmp.Compare(a.Instrument.Ticker, b.Instrument.Ticker), cmp.Compare(a.First, b.First))
	})
	return all, nil
}

// choose keeps the instruments that ever traded under the named tickers; all when none is named.
func choose(all []bar.Coverage, symbols []string, where string) ([]bar.Coverage, error) {
	if len(symbols) == 0 {
		return all, nil
	}
	var chosen []bar.Coverage
	var errs []error
	for _, name := range symbols {
		n := len(chosen)
		for _, c := range all {
			if slices.ContainsFunc(c.Instrument.Spans, func(s instrument.Span) bool { return s.Ticker == name }) {
				chosen = append(chosen, c)
			}
		}
		if len(chosen) == n {
			errs = append(errs, fmt.Errorf("check %s: no bars in %s under this ticker (case matters): %w", name, where, bar.ErrNoData))
		}
	}
	return chosen, errors.Join(errs...)
}

// audit the instruments side by side.
func (o *checkOptions) audit(ctx context.Context, s *store.Store, market audit.Market, list []bar.Coverage) ([]audit.Report, error) {
	reports := make([]audit.Report, len(list))
	errs := make([]error, runtime.GOMAXPROCS(0))
	var next atomic.Int64
	var group sync.WaitGroup
	for w := range errs {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(list) && errs[w] == nil; i = int(next.Add(1)) - 1 {
				var subject audit.Subject
				if subject, errs[w] = o.subject(ctx, s, list[i].Instrument); errs[w] == nil {
					reports[i] = market.Check(subject)
				}
			}
		})
	}
	group.Wait()
	return reports, errors.Join(errs...)
}

// subject loads all bars of an instrument. Its last ticker, on the last day that it had it, names it
// beyond doubt, whoever uses the ticker now.
func (o *checkOptions) subject(ctx context.Context, s *store.Store, in instrument.Instrument) (audit.Subject, error) {
	last := in.Spans[len(in.Spans)-1]
	x := audit.Subject{Instrument: in}
	for _, part := range []struct {
		frame bar.Frame
		to    **bar.Series
		want  bool
	}{{bar.Daily, &x.Days, true}, {bar.Minutely, &x.Minutes, o.minutes}} {
		if !part.want || len(s.Sessions(part.frame)) == 0 {
			continue
		}
		series, err := s.Load(ctx, bar.Request{Symbol: last.Ticker, Frame: part.frame, To: last.To, From: instrument.None, Session: bar.Extended})
		switch {
		case err == nil:
			*part.to = series
		case !errors.Is(err, bar.ErrNoData):
			return x, err
		}
	}
	return x, nil
}

func (o *checkOptions) listChecks() error {
	list := audit.Checks()
	if o.format == "json" {
		return writeJSON(o.io.Out, list)
	}
	rows := make([][]string, len(list))
	for i, c := range list {
		rows[i] = []string{c.ID, c.Severity.String(), c.Threshold, c.Doc}
	}
	header := []string{"check", "severity", "from when on", "what it finds"}
	if o.format == "csv" {
		return o.writeCSV(header, rows)
	}
	return o.table(o.io.Out, header, rows)
}

func (o *checkOptions) show(a checkAnswer) error {
	if o.format == "json" {
		return writeJSON(o.io.Out, a)
	}
	var rows [][]string
	add := func(name, verdict string, fs []audit.Finding) {
		for _, f := range fs {
			rows = append(rows, []string{name, verdict, f.Check, f.Severity.String(), strconv.Itoa(f.Count), f.Message})
		}
	}
	add("(market)", audit.Worst(nil, a.Market).Verdict(), a.Market)
	for _, r := range a.Symbols {
		if len(r.Findings) == 0 && (len(a.Symbols) <= 10 || o.format == "csv") {
			rows = append(rows, []string{r.Symbol, r.Verdict, "", "", "0", "nothing found in " + strconv.Itoa(r.Bars) + " days"})
		}
		add(r.Symbol, r.Verdict, r.Findings)
	}
	header := []string{"symbol", "verdict", "check", "severity", "count", "what"}
	if o.format == "csv" {
		return o.writeCSV(header, rows)
	}
	if len(rows) > 0 {
		if err := o.table(o.io.Out, header, rows, 4); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(o.io.Out, "%d symbols: %d OK, %d WARN, %d FAIL; overall %s\n",
		len(a.Symbols), a.Counts["OK"], a.Counts["WARN"], a.Counts["FAIL"], a.Verdict)
	return err
}
