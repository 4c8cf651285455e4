package cmd

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"backtester/backtest/bar"
	"backtester/backtest/barfile"
	"backtester/backtest/instrument"
	"backtester/backtest/store"
)

// importer carries what is imported on its way into the store.
type importer struct {
	o        *importOptions
	settings barfile.ImportOptions
	w        *store.Writer // nil in a dry run
	known    map[string]instrument.Actions
	asked    bool // --actions was given: a symbol without a row has none
	adjusted map[string]bool
	first    map[string]instrument.Date // symbols with bars in this import
	rows     []importedSymbol

	committed bool // the store holds what was read
}

// readActions reads the files of --actions.
func (x *importer) readActions(args []string) error {
	for _, arg := range args {
		symbol, path := symbolAndPath(arg)
		list, err := barfile.ReadActions(path, symbol)
		if err != nil {
			return input(err)
		}
		for _, a := range list {
			both := x.known[a.Symbol]
			x.known[a.Symbol] = instrument.Clean(instrument.Actions{
				Splits: append(both.Splits, a.Splits...), Dividends: append(both.Dividends, a.Dividends...)})
		}
		x.asked = true
	}
	return nil
}

// readAll reads files side by side and takes them in order. A file that cannot be used is part of the
// error, and the others go on.
func (x *importer) readAll(ctx context.Context, files []importFile) error {
	var errs []error
	for len(files) > 0 && ctx.Err() == nil {
		part := files[:min(len(files), runtime.GOMAXPROCS(0))]
		files = files[len(part):]
		lists, faults := make([][]barfile.Imported, len(part)), make([]error, len(part))
		var group sync.WaitGroup
		for i, f := range part {
			group.Go(func() {
				settings := x.settings
				settings.Symbol = f.symbol
				lists[i], faults[i] = barfile.Import(f.path, settings)
			})
		}
		group.Wait()
		for i, f := range part {
			err := input(faults[i])
			for k := 0; k < len(lists[i]) && err == nil; k++ {
				if err = x.take(lists[i][k], f.path); err != nil {
					err = fmt.Errorf("import %s: %w", f.path, err)
				}
			}
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// take one symbol: its prices as they traded where that can be told, its sessions, its actions.
func (x *importer) take(in barfile.Imported, path string) error {
	row := importedSymbol{Symbol: in.Symbol, File: filepath.Base(path), Frame: in.Series.Frame.String(), Prices: "raw", Notes: []string{}}
	actions, known := x.known[in.Symbol], x.asked
	if in.Known && !known {
		actions, known = in.Actions, true
		if !in.AsPaid {
			actions = barfile.AsPaid(actions)
		}
	}
	s := in.Series
	switch {
	case in.Prices == barfile.PricesRaw:
	case known:
		s, row.Prices = barfile.Restore(s, in.Prices, actions), "restored"
	default:
		row.Prices = "adjusted"
	}
	s, off := barfile.OnCalendar(s, x.settings.Calendar)
	row.LeftOut = len(off)
	for _, n := range in.Notes {
		if n.Code != "off_calendar" {
			row.Notes = append(row.Notes, n.Code+": "+n.Message)
		}
	}
	if s.Len() == 0 {
		return fmt.Errorf("%s: none of its days is a session by the calendar %s: %w", in.Symbol, x.o.market, bar.ErrNoData)
	}
	if s.Frame != bar.Daily && s.Frame != bar.Minutely {
		return input(fmt.Errorf("%s: it has bars of %s, and only 1d and 1m are stored: run on the file with --bars, or say --frame 1m where it has minutes of which most are missing", in.Symbol, s.Frame))
	}
	if x.w != nil {
		if err := x.w.PutSeries(in.Symbol, s); err != nil {
			return err
		}
	}
	date := func(i int) instrument.Date { return x.settings.Calendar.DateOf(s.Time[i]) }
	if !s.Frame.Intraday() {
		date = s.Date
	}
	first := date(0)
	row.First, row.Last, row.Bars = first.String(), date(s.Len()-1).String(), s.Len()
	row.Splits, row.Dividends = len(actions.Splits), len(actions.Dividends)
	if known {
		x.known[in.Symbol] = actions
	}
	x.adjusted[in.Symbol], x.first[in.Symbol] = row.Prices == "adjusted", first
	x.rows = append(x.rows, row)
	return nil
}

// commit joins what is known of instruments with what the store has, and makes all of it visible.
func (x *importer) commit(dir string) error {
	old, err := store.Open(dir)
	var r store.Reference
	if err == nil {
		r, err = old.Reference()
		defer old.Close()
	} else if errors.Is(err, bar.ErrNoData) {
		err = nil
	}
	if err != nil {
		return err
	}
	at := map[string]int{}
	for i, in := range r.Instruments {
		at[in.Ticker] = i
	}
	for _, s := range sortedKeys(x.first) {
		i, ok := at[s]
		if !ok {
			i, at[s] = len(r.Instruments), len(r.Instruments)
			r.Instruments = append(r.Instruments, instrument.Instrument{
				ID: instrument.ID(s + "@" + x.first[s].String()), Ticker: s, Delisted: instrument.None,
				Spans: []instrument.Span{{Ticker: s, From: instrument.None, To: instrument.Forever}},
			})
		}
		r.Instruments[i].Adjusted = x.adjusted[s]
	}
	x.merge(&r, at)
	if err := x.w.PutReference(r); err != nil {
		return err
	}
	return x.w.Commit()
}

// merge puts the actions into the reference data; those of symbols without bars are left out.
func (x *importer) merge(r *store.Reference, at map[string]int) {
	for _, symbol := range sortedKeys(x.known) {
		i, ok := at[symbol]
		if !ok {
			x.o.warn("no_bars", fmt.Sprintf("%s has actions and no bars: left out", symbol))
			continue
		}
		id := r.Instruments[i].ID
		r.Actions = slices.DeleteFunc(r.Actions, func(a store.ActionSet) bool { return a.ID == id })
		r.Actions = append(r.Actions, store.ActionSet{ID: id, Actions: x.known[symbol]})
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
