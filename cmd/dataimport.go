package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"backtester/backtest/bar"
	"backtester/backtest/barfile"
	"backtester/backtest/instrument"
	"backtester/backtest/store"
)

// importOptions of `backtester data import`.
type importOptions struct {
	*app
	format, prices, frame, symbolColumn string
	market                              string
	actions                             []string
	dryRun                              bool
}

func newDataImport(a *app) *cobra.Command {
	o := &importOptions{app: a}
	c := &cobra.Command{
		Use: "import [SYMBOL=]FILE...", Short: "Take your own bars and corporate actions into a store of their own",
		Long: `Take your own bars into a store of their own, named by --store (default imported) and never
mixed with vendor data: read it with the same --store.

Files are CSV (plain or .gz) or Parquet, of one symbol, named by the file, or of many, named by a
column; a folder means all of its files. Bars are of days or of minutes. Prices should be those that
traded. Yahoo's are restated for splits, those of yfinance and Stooq for dividends too: with the
actions in --actions, or in yfinance's own columns, they are turned back. Otherwise they stay as they
are, no action is applied to them, and every result says so. A row replaces the stored one of the same
symbol and session; actions of a symbol replace all that were known of it.

A store has the calendar of one market: that of the US exchanges or, with --calendar, that of one that
never closes (crypto: every date, in UTC) or of currencies (Sunday to Friday 17:00 New York time, dates
in UTC). Bars of other days are left out, and counted.

Actions are CSV: symbol, ex_date, and split (4:1) or split_from and split_to, or cash_amount,
pay_date and declaration_date; the output of data actions --format csv; or what Yahoo gives.`,
		Example: "  backtester data import AAPL.csv MSFT.csv --actions actions.csv\n  backtester data import --store stooq d_us_txt/data/daily/us\n  backtester data import --store coins --calendar always BTC.csv\n  backtester run golden-cross --store imported --symbols AAPL",
		Args:    arguments(0, -1, ""),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },
	}
	f := c.Flags()
	formatFlag(f, &o.format, "table", "json")
	f.StringVar(&o.prices, "prices", "", "what the prices are: raw, `split` (restated for splits), total (for dividends too); default by the layout")
	f.StringVar(&o.frame, "frame", "", "refuse files of other bars: `1d` or 1m, of which rows may be missing")
	f.StringVar(&o.market, "calendar", "", "`NAME` of the market's calendar: XNYS, always, forex (default that of the store, XNYS for a new one)")
	f.StringVar(&o.symbolColumn, "symbol-column", "", "`HEADER` of the column with the symbols (default symbol, ticker or name)")
	f.StringArrayVar(&o.actions, "actions", nil, "CSV `FILE` of splits and dividends, or SYMBOL=FILE; may be repeated")
	f.BoolVar(&o.dryRun, "dry-run", false, "read and judge everything, store nothing")
	return c
}

// importedSymbol is one row of the answer.
type importedSymbol struct {
	Symbol    string   `json:"symbol"`
	File      string   `json:"file"`
	Frame     string   `json:"frame"`
	First     string   `json:"first"`
	Last      string   `json:"last"`
	Bars      int      `json:"bars"`
	LeftOut   int      `json:"left_out"` // days that are no session of the exchange
	Splits    int      `json:"splits"`
	Dividends int      `json:"dividends"`
	Prices    string   `json:"prices"` // raw, restored or adjusted
	Notes     []string `json:"notes"`
}

func (o *importOptions) run(ctx context.Context, args []string) error {
	name := cmp.Or(o.settings.get("store"), "imported")
	if old, err := store.Open(o.importedDir(name)); err == nil {
		o.market = cmp.Or(o.market, old.Calendar().Name())
		old.Close()
	}
	o.market = cmp.Or(o.market, bar.NYSE().Name())
	files, settings, err := o.settle(args)
	if err != nil {
		return err
	}
	x := &importer{o: o, known: map[string]instrument.Actions{}, adjusted: map[string]bool{}, first: map[string]instrument.Date{}, settings: settings}
	if err := x.readActions(o.actions); err != nil {
		return err
	}
	if !o.dryRun {
		if err := o.housed(); err != nil {
			return err
		}
		dir := o.importedDir(name)
		_, none := os.Stat(dir)
		if x.w, err = store.Create(dir, store.Options{Calendar: o.market}); err != nil {
			return err
		}
		defer func() {
			if x.w.Close(); none != nil && !x.committed {
				_ = os.RemoveAll(dir) // made for nothing
			}
		}()
	}
	failed := x.readAll(ctx, files)
	if ctx.Err() != nil {
		return ctx.Err() // nothing was committed
	}
	if x.w != nil && (len(x.rows) > 0 || len(files) == 0) {
		if err := x.commit(o.importedDir(name)); err != nil {
			return err
		}
		x.committed = true
	}
	return errors.Join(o.show(x.rows, name, failed != nil), failed)
}

// importFile is one file to read; Symbol is empty where its name or a column says it.
type importFile struct{ symbol, path string }

// settle checks the flags and finds the files.
func (o *importOptions) settle(args []string) ([]importFile, barfile.ImportOptions, error) {
	settings := barfile.ImportOptions{SymbolColumn: o.symbolColumn, Prices: barfile.Prices(o.prices)}
	if err := checkFormat(o.format, "table", "json"); err != nil {
		return nil, settings, err
	}
	if name := o.settings.get("store"); name == vendorStore || name == demoStore {
		return nil, settings, usagef("import into the store %s: imported bars are never mixed with it; use another --store", name)
	}
	if words := []string{"", "raw", "split", "total"}; !slices.Contains(words, o.prices) {
		return nil, settings, usagef("unknown --prices %q%s: want raw, split or total", o.prices, suggest(o.prices, words[1:]))
	}
	var err error
	if settings.Calendar, err = bar.CalendarNamed(o.market); err != nil {
		return nil, settings, usagef("--calendar: %w", err)
	}
	if o.frame != "" {
		f, err := bar.ParseFrame(o.frame)
		if err != nil {
			return nil, settings, &usageError{err}
		}
		if f != bar.Daily && f != bar.Minutely {
			return nil, settings, usagef("--frame %s: only bars of 1d and 1m are stored; longer ones are made of them", f)
		}
		settings.Frame = f
	}
	if len(args) == 0 && len(o.actions) == 0 {
		return nil, settings, usagef("say what to import: FILE..., SYMBOL=FILE, a folder, or --actions FILE")
	}
	var files []importFile
	for _, arg := range args {
		symbol, path := symbolAndPath(arg)
		found, err := expand(path)
		if err != nil {
			return nil, settings, err
		}
		for _, p := range found {
			files = append(files, importFile{symbol, p})
		}
	}
	return files, settings, nil
}

// symbolAndPath takes SYMBOL=FILE apart; a file that exists under the whole name is just a file.
func symbolAndPath(arg string) (symbol, path string) {
	if _, err := os.Stat(arg); err == nil {
		return "", arg
	}
	if symbol, path, ok := strings.Cut(arg, "="); ok {
		return symbol, path
	}
	return "", arg
}

// expand a folder into the files of bars below it, in order.
func expand(path string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(path, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name := strings.ToLower(strings.TrimSuffix(p, ".gz"))
		if p == path || slices.Contains([]string{".csv", ".txt", ".parquet"}, filepath.Ext(name)) {
			files = append(files, p)
		}
		return nil
	})
	if err != nil {
		return nil, input(fmt.Errorf("import bars: %w", err))
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("import bars from %s: no .csv, .txt or .parquet file below it: %w", path, bar.ErrNoData)
	}
	return files, nil
}

// shownImports are listed one by one in the table.
const shownImports = 20

func (o *importOptions) show(rows []importedSymbol, name string, failed bool) error {
	if o.format == "json" {
		if rows == nil {
			rows = []importedSymbol{}
		}
		return writeJSON(o.io.Out, rows)
	}
	bars, adjusted, off := 0, 0, 0
	var cells [][]string
	for i, r := range rows {
		bars, off = bars+r.Bars, off+r.LeftOut
		if r.Prices == "adjusted" {
			adjusted++
		}
		if i < shownImports {
			cells = append(cells, []string{r.Symbol, r.Frame, r.First, r.Last, strconv.Itoa(r.Bars), strconv.Itoa(r.LeftOut),
				strconv.Itoa(r.Splits), strconv.Itoa(r.Dividends), r.Prices, r.File})
		}
	}
	if adjusted > 0 {
		o.warn("adjusted_prices", fmt.Sprintf("prices of %d symbols are adjusted and their actions unknown: no split or dividend is applied, and price levels are not those that traded (give --actions, or --prices raw if they are)", adjusted))
	}
	if off > 0 {
		o.warn("off_calendar", fmt.Sprintf("%d days that are no sessions by the calendar %s were left out; markets that trade on weekends have --calendar always or forex", off, o.market))
	}
	o.showNotes(rows)
	if len(cells) > 0 {
		header := []string{"symbol", "bars", "first", "last", "rows", "left out", "splits", "dividends", "prices", "file"}
		if err := o.table(o.io.Out, header, cells, 4, 5, 6, 7); err != nil {
			return err
		}
	}
	verb := "imported"
	if o.dryRun {
		verb = "dry run: would import"
	}
	if len(rows) == 0 && failed { // there may be no such store
		_, err := fmt.Fprintln(o.io.Out, verb, "nothing")
		return err
	}
	_, err := fmt.Fprintf(o.io.Out, "%s %d bars of %d symbols into the store %s\n", verb, bars, len(rows), name)
	if err == nil && len(rows) > 0 && !o.dryRun {
		_, err = fmt.Fprintf(o.io.Out, "next: backtester data check --store %s; backtester run golden-cross --store %s --symbols %s\n", name, name, rows[0].Symbol)
	}
	return err
}

// showNotes shows what is worth knowing about files, each kind once.
func (o *importOptions) showNotes(rows []importedSymbol) {
	first, count := map[string]string{}, map[string]int{}
	for _, r := range rows {
		for _, n := range r.Notes {
			code, message, _ := strings.Cut(n, ": ")
			if count[code]++; count[code] == 1 {
				first[code] = message
			}
		}
	}
	for _, code := range sortedKeys(count) {
		message := first[code]
		if more := count[code] - 1; more > 0 {
			message += fmt.Sprintf(" (and %d more symbols)", more)
		}
		o.warn(code, message)
	}
}
