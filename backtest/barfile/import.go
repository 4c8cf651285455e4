package barfile

import (
	"bufio"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// Prices says what the prices of a file are.
type Prices string

const (
	PricesRaw   Prices = "raw"   // as they traded
	PricesSplit Prices = "split" // restated for splits up to the file's end
	PricesTotal Prices = "total" // for splits and cash dividends
)

// ImportOptions say how a file of somebody's own bars is to be read.
type ImportOptions struct {
	Symbol       string        // of a file without a column of symbols; "" = from the file's name
	SymbolColumn string        // its header; "" = symbol, ticker or name
	Prices       Prices        // "" = what the layout usually has: see Import
	Frame        bar.Frame     // zero = as the distance of most rows says; other bars are refused, missing ones of a day are not
	Calendar     *bar.Calendar // of the market, whose clock is meant by times without a zone; nil = that of the US exchanges
}

// Imported is one symbol of a file.
type Imported struct {
	Symbol string
	Series *bar.Series // prices as the file has them; actions and ids are not set
	// Actions are those of the file's own columns, in the form of instrument.Clean; Known says that it
	// has such columns, so that no action means that there was none.
	Actions instrument.Actions
	Known   bool
	// AsPaid is false where the dividends are restated for later splits, as Yahoo's are.
	AsPaid bool
	Prices Prices
	Notes  []Note
}

// Import reads a CSV (plain or gzip) or Parquet file of bars of one symbol or many, in any order of
// rows. It knows three layouts by their headers:
//
//   - Yahoo's: Date,Open,High,Low,Close,Adj Close,Volume, where prices are restated for splits, and that
//     of yfinance with Dividends and Stock Splits, where they are restated for both;
//   - Stooq's: <TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,..., restated for both, with tickers such as AAPL.US;
//   - any other with a date and prices: as traded.
//
// ImportOptions.Prices says otherwise. Symbols come sorted. It refuses what Open refuses, except that
// rows may come in any order; two rows of one symbol and time are refused with both lines.
func Import(path string, o ImportOptions) ([]Imported, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("import bars: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("import bars: %w", err)
	}
	s := &sheet{name: path, options: o, tables: map[string]*symbolTable{}}
	if s.options.Symbol == "" {
		s.options.Symbol = symbolOf(path)
	}
	head := bufio.NewReaderSize(f, 64<<10)
	if magic, _ := head.Peek(4); string(magic) == "PAR1" {
		err = s.parquet(f, info.Size())
	} else {
		err = s.text(head)
	}
	if err != nil {
		return nil, err
	}
	return s.finish()
}

// symbolOf a file by its name: AAPL.csv, aapl.us.txt, BRK.B.csv.gz. Lower case becomes upper case only
// in Stooq's names, which are always lower case.
func symbolOf(path string) string {
	name := filepath.Base(path)
	for _, ext := range []string{".gz", ".csv", ".txt", ".parquet"} {
		name = strings.TrimSuffix(name, ext)
	}
	return stooqSymbol(name)
}

// stooqSymbol is AAPL of AAPL.US and aapl.us; other names stay.
func stooqSymbol(s string) string {
	if stem, ok := strings.CutSuffix(strings.ToUpper(s), ".US"); ok {
		return stem
	}
	return s
}

// finish gives the symbols, sorted, with their rows in the order of time.
func (s *sheet) finish() ([]Imported, error) {
	var out []Imported
	for _, symbol := range slices.Sorted(maps.Keys(s.tables)) {
		t := s.tables[symbol]
		if len(t.time) == 0 {
			continue // rows without any price only
		}
		if err := t.order(); err != nil {
			return nil, fmt.Errorf("read %s: %s: %w", s.name, symbol, err)
		}
		series, notes, err := t.series(File{Symbol: symbol, Path: s.name})
		if err != nil {
			return nil, fmt.Errorf("read %s: %s: %w", s.name, symbol, err)
		}
		if f := s.options.Frame; f.N > 0 && f != series.Frame {
			return nil, fmt.Errorf("read %s: %s: its rows are bars of %s, not of %s", s.name, symbol, series.Frame, f)
		}
		// What became of an adjusted column depends on Prices, and is said by whoever knows.
		notes = slices.DeleteFunc(notes, func(n Note) bool { return n.Code == "adjusted_ignored" })
		out = append(out, Imported{Symbol: symbol, Series: series, Actions: instrument.Clean(t.actions), Known: s.known,
			AsPaid: s.restated == PricesRaw, Prices: s.restated, Notes: notes})
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("read %s: it has a header but no bars: %w", s.name, bar.ErrNoData)
	}
	return out, nil
}

// order sorts the rows by time, keeping each row together, and refuses two of one time.
func (t *table) order() error {
	if !slices.IsSorted(t.time) {
		sort.Stable((*rowsByTime)(t))
	}
	for i := 1; i < len(t.time); i++ {
		if t.time[i] == t.time[i-1] {
			return errors.New(t.twice(i))
		}
	}
	return nil
}

func (t *table) twice(i int) string {
	a, b := t.lines[i-1], t.lines[i]
	return fmt.Sprintf("line %d: a second bar for the time of line %d", max(a, b), min(a, b))
}

type rowsByTime table

func (t *rowsByTime) Len() int           { return len(t.time) }
func (t *rowsByTime) Less(i, j int) bool { return t.time[i] < t.time[j] }
func (t *rowsByTime) Swap(i, j int) {
	t.time[i], t.time[j] = t.time[j], t.time[i]
	t.lines[i], t.lines[j] = t.lines[j], t.lines[i]
	for r := opening; r < nRoles; r++ {
		t.values[r][i], t.values[r][j] = t.values[r][j], t.values[r][i]
	}
	if t.stamps.timed {
		t.stamps.civil[i], t.stamps.civil[j] = t.stamps.civil[j], t.stamps.civil[i]
	}
}
