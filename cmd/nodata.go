package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/strategy"
)

// noStore explains that there is no store at all for the files that were to run.
func (a *app) noStore(err error, files []*strategy.File) error {
	var own *inputError // which nothing that could be fetched would cure
	if name := a.settings.get("store"); !errors.Is(err, bar.ErrNoData) || errors.As(err, &own) || len(files) == 0 || name != "" && name != vendorStore {
		return err
	}
	f := files[0]
	gap := &backtest.NoDataError{Source: storeWord + a.storeDir(), Frame: f.Data.Bars.String(), Err: err}
	if f.Data.From > 0 {
		gap.From = f.Data.From.String()
	}
	if f.Data.To > 0 {
		gap.To = f.Data.To.String()
	}
	for _, s := range f.Universe.Symbols {
		gap.Rows = append(gap.Rows, backtest.Missing{Symbol: s, Reason: "nothing has been fetched yet"})
	}
	return a.explain(gap)
}

// explain shows every lack of data in err as one table of what was asked for, what there is and what
// is missing, with the command that fetches it. What else is in err is returned, joined; when there
// is nothing else, the exit code alone.
func (a *app) explain(err error) error {
	var gaps []*backtest.NoDataError
	var rest []error
	for _, e := range flatten(err) {
		var gap *backtest.NoDataError
		if errors.As(e, &gap) {
			gaps = append(gaps, gap)
		} else {
			rest = append(rest, e)
		}
	}
	if len(gaps) == 0 {
		return err
	}
	if err := a.gapTable(gaps); err != nil {
		return err
	}
	return errors.Join(append(rest, &codeError{exitNoData})...)
}

// flatten takes joined errors apart; the faults of one file stay together.
func flatten(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if _, faults := err.(strategy.Diagnostics); faults || !ok {
		return []error{err}
	}
	var list []error
	for _, e := range joined.Unwrap() {
		list = append(list, flatten(e)...)
	}
	return list
}

// gapTable prints what is missing. All gaps are of one run or batch: the first names the place.
func (a *app) gapTable(gaps []*backtest.NoDataError) error {
	fmt.Fprintf(a.io.Err, "backtester: no %s bars in %s to run on\n\n", gaps[0].Frame, gaps[0].Source)
	var rows [][]string
	for _, gap := range gaps {
		asked := orAll(gap.From) + ".." + orAll(gap.To)
		for _, m := range gap.Rows {
			have := m.Have
			if have == "" {
				have = "nothing"
			}
			why := m.Reason
			if m.Have == "" {
				why += suggest(m.Symbol, gap.Held)
			}
			rows = append(rows, []string{m.Symbol, asked, have, why})
		}
		if len(gap.Rows) == 0 {
			rows = append(rows, []string{"any symbol", asked, "nothing", "the store is empty"})
		}
	}
	more := max(0, len(rows)-gapRows)
	if err := a.table(a.io.Err, []string{"symbol", "asked for", "have", "missing"}, rows[:len(rows)-more]); err != nil {
		return err
	}
	if more > 0 {
		fmt.Fprintf(a.io.Err, "and %d more symbols\n", more)
	}
	if strings.HasPrefix(gaps[0].Source, storeWord+a.demoDir()) {
		fmt.Fprint(a.io.Err, "\nThe demo market holds no more than that; real prices come with fetch.\n")
	}
	if !strings.HasPrefix(gaps[0].Source, storeWord) {
		_, err := fmt.Fprint(a.io.Err, "\nNothing but the files of --bars was looked at: add what is missing with --bars SYMBOL=FILE.csv, or name what they hold.\n")
		return err
	}
	_, err := fmt.Fprintf(a.io.Err, "\nFetch it with: %s\nSee what there is with: %s data ls\n", fetchCommand(gaps[0]), a.io.program())
	return err
}

// gapRows is how many symbols a table of what is missing lists.
const gapRows = 20

// storeWord begins the name of every source that is a store, see bar.Source.
const storeWord = "store "

func orAll(date string) string {
	if date == "" {
		return "all"
	}
	return date
}

// fetchCommand is the command line that would download what is missing.
func fetchCommand(gap *backtest.NoDataError) string {
	c := "backtester fetch --dataset day"
	if strings.HasSuffix(gap.Frame, "m") || strings.HasSuffix(gap.Frame, "h") {
		c = "backtester fetch --dataset minute"
	}
	if gap.From != "" {
		c += " --from " + gap.From
	}
	if gap.To != "" {
		c += " --to " + gap.To
	}
	return c
}

// hintMissing says which symbols were probably meant by those that a run is without. It is no part of the
// result, which does not depend on what else a store holds.
func (a *app) hintMissing(ctx context.Context, outcomes []outcome, src bar.Source) {
	told := map[string]bool{}
	var held []string
	for _, out := range outcomes {
		for _, r := range out.results {
			if r == nil || r.Config == nil || !slices.ContainsFunc(r.Warnings, func(w backtest.Warning) bool { return w.Code == "missing_symbols" }) {
				continue
			}
			if held == nil {
				coverage, err := src.Coverage(ctx, r.Config.Data.Bars)
				if err != nil {
					return // the run was made all the same, and says what it is without
				}
				for i := range coverage {
					held = append(held, coverage[i].Instrument.Ticker)
				}
			}
			for _, s := range r.Config.Universe.Symbols {
				if hint := suggest(s, held); hint != "" && !slices.Contains(held, s) && !slices.Contains(r.Data.Symbols, s) && !told[s] {
					told[s] = true
					a.warn("missing_symbols", s+" is not in the data"+hint)
				}
			}
		}
	}
}

// hintTwins says which tickers are left out of runs of each symbol alone.
func (a *app) hintTwins(ctx context.Context, file *strategy.File, src bar.Source) {
	twins, err := backtest.Twins(ctx, file, src)
	if err != nil {
		return // the run says what is wrong with the data
	}
	for _, t := range twins {
		a.warn("same_security", fmt.Sprintf("%s and %s are one security: it is played once, as %s", t.Left, t.Kept, t.Kept))
	}
}
