// Package barfile exchanges bars with other programs by files: it runs on plain CSV files without a
// store, reads Yahoo's, Stooq's and other CSV and Parquet files to be imported, and writes series as
// CSV, Parquet and Arrow.
//
// To run on (Open), in: one CSV file a symbol with a header line that names at least date (or time, or
// timestamp), open, high, low and close, in any case and order, plain or gzip. Out: a bar.Source whose
// calendar is the rows of the files, and notes about what a careful reader should know. To import
// (Import, ReadActions), in: files of one symbol or many. Out: a series a symbol, and what its prices
// are; Restore turns restated prices back into those that traded. Refused, with file and line: times
// that are double or, by Open, out of order, values that are no numbers, and bars that cannot be.
package barfile

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// File is a CSV file with the bars of one symbol.
type File struct {
	Symbol   string
	Path     string
	Adjusted bool // its prices are adjusted already: no corporate action applies
}

// Note is something a careful reader should know about a file, the same type as bar.Note so that the
// engine puts it into the result. Codes are stable words: column_ignored, adjusted_ignored,
// no_volume, off_calendar, empty_rows, local_time, always_open.
type Note = bar.Note

// Files is a set of CSV files as a source of bars. It is immutable and safe for concurrent use.
type Files struct {
	names  []string // base names, in the order given
	series map[string]*bar.Series
	order  []string // symbols, sorted
	cal    *bar.Calendar
	notes  []Note
}

var _ bar.Source = (*Files)(nil)

// endedAfter is how many later sessions of the other files make a series ended (market rules 6.3).
const endedAfter = 20

// Open reads files completely. Their bars are daily when rows carry dates only, else the median
// distance of the rows decides. Cost: about 0.1 us a row and core, and 0.2 us more for gzip.
func Open(files []File) (*Files, error) {
	tables, err := readAll(files)
	if err != nil {
		return nil, err
	}
	f := &Files{series: map[string]*bar.Series{}}
	var dates []instrument.Date
	saturdays, sundays, rows := 0, 0, 0
	for i, t := range tables {
		file := files[i]
		if f.series[file.Symbol] != nil {
			return nil, fmt.Errorf("read %s: symbol %s is given twice", file.Path, file.Symbol)
		}
		s, notes, err := t.series(file)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", file.Path, err)
		}
		f.names = append(f.names, filepath.Base(file.Path))
		f.series[file.Symbol], f.order = s, append(f.order, file.Symbol)
		f.notes = append(f.notes, notes...)
		ds := datesOf(s)
		dates = append(dates, ds...)
		rows += len(ds)
		for _, d := range ds {
			switch w := d.Weekday(); {
			case !s.Frame.Intraday():
			case w == time.Saturday:
				saturdays++
			case w == time.Sunday:
				sundays++
			}
		}
	}
	slices.Sort(f.order)
	f.cal = bar.FromDates(dates)
	switch {
	case sundays*10 > rows && saturdays*10 < sundays:
		f.cal = bar.Forex()
		f.notes = append(f.notes, Note{Code: "always_open", Message: "bars within the day on Sundays and hardly any on Saturdays: the market is taken as that of currencies, open from Sunday to Friday 17:00 New York time, days are UTC"})
	case (saturdays+sundays)*10 > rows:
		f.cal = bar.Always()
		f.notes = append(f.notes, Note{Code: "always_open", Message: "bars within the day on Saturdays and Sundays: the market is taken as open around the clock, days are UTC"})
	}
	return f, nil
}

// readAll reads files side by side, as many as there are processors. The first error in the order of
// files is returned.
func readAll(files []File) ([]*table, error) {
	tables, errs := make([]*table, len(files)), make([]error, len(files))
	var group sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, file := range files {
		slots <- struct{}{}
		group.Go(func() {
			tables[i], errs[i] = readFile(file)
			<-slots
		})
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return tables, nil
}

// datesOf the sessions of a series, each once.
func datesOf(s *bar.Series) []instrument.Date {
	var ds []instrument.Date
	for i, t := range s.Time {
		d := instrument.DateOfNanos(t)
		if s.Frame.Intraday() {
			d = bar.NYSE().DateOf(t)
		}
		if i == 0 || ds[len(ds)-1] != d {
			ds = append(ds, d)
		}
	}
	return ds
}

// Snapshot names what the files hold, whatever folder they lie in: equal names are equal runs. Cost: a sha256 of
// all columns.
func (f *Files) Snapshot() string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q\n", f.names, f.notes)
	var b []byte
	for _, symbol := range f.order {
		s := f.series[symbol]
		fmt.Fprintf(h, "%q %s %d %t %t\n", symbol, s.Frame, s.Len(), s.Adjusted, s.NoVolume)
		for i := range s.Len() {
			b = binary.LittleEndian.AppendUint64(b[:0], uint64(s.Time[i]))
			for _, x := range [...]float64{s.Open[i], s.High[i], s.Low[i], s.Close[i], s.Volume[i]} {
				b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
			}
			h.Write(b)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Notes about the files, in their order.
func (f *Files) Notes() []Note { return slices.Clone(f.notes) }

// Symbols of the files, sorted.
func (f *Files) Symbols() []string { return slices.Clone(f.order) }

// Name is the names of the files, without folders.
func (f *Files) Name() string {
	if len(f.names) > 3 {
		return fmt.Sprintf("%s and %d more files", f.names[0], len(f.names)-1)
	}
	return strings.Join(f.names, ", ")
}

// Calendar has a session for every date on which some file has a bar.
func (f *Files) Calendar() *bar.Calendar { return f.cal }

// Synthetic is false: files are what their owner says they are.
func (f *Files) Synthetic() bool { return false }

// Checked says that every row was looked at when its file was read.
func (f *Files) Checked() {}

// Coverage lists the files from which frame can be made, with their own frame and bars.
func (f *Files) Coverage(ctx context.Context, frame bar.Frame) ([]bar.Coverage, error) {
	var out []bar.Coverage
	for _, k := range f.order {
		s := f.series[k]
		if s.Frame != frame && frame.Intraday() && !s.Frame.Intraday() {
			continue
		}
		first, last := f.date(s, 0), f.date(s, s.Len()-1)
		out = append(out, bar.Coverage{Instrument: f.instrument(k), Frame: s.Frame, First: first, Last: last, Bars: int64(s.Len())})
	}
	return out, ctx.Err()
}

func (f *Files) instrument(symbol string) instrument.Instrument {
	return instrument.Instrument{Ticker: symbol, Delisted: instrument.None,
		Spans: []instrument.Span{{Ticker: symbol, From: instrument.None, To: instrument.Forever}}}
}

func (f *Files) date(s *bar.Series, i int) instrument.Date {
	if s.Frame.Intraday() {
		return f.cal.DateOf(s.Time[i])
	}
	return s.Date(i)
}

// Load returns a symbol's bars, see bar.Source: a view when the file has the frame asked for, else
// resampled. Bars within the day are cut to r.Session.
func (f *Files) Load(ctx context.Context, r bar.Request) (*bar.Series, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := f.series[r.Symbol]
	if s == nil {
		return nil, fmt.Errorf("load %s: no file was given for it, only for %s: %w", r.Symbol, strings.Join(f.order, ", "), bar.ErrNoData)
	}
	r.From, r.To = r.Bounds()
	out := s
	if s.Frame.Intraday() || r.Frame != s.Frame {
		var err error
		if out, err = bar.Resample(s, r.Frame, r.Session, f.cal); err != nil {
			return nil, fmt.Errorf("load %s: %s holds bars of %s: %w: %w", r.Symbol, f.Name(), s.Frame, err, bar.ErrNoData)
		}
	}
	i := sort.Search(out.Len(), func(i int) bool { return f.date(out, i) >= r.From })
	j := max(i, sort.Search(out.Len(), func(i int) bool { return f.date(out, i) > r.To }))
	if i == j {
		return nil, fmt.Errorf("load %s from %q to %q: its file has %s to %s: %w",
			r.Symbol, r.From, r.To, f.date(s, 0), f.date(s, s.Len()-1), bar.ErrNoData)
	}
	warm := min(i, max(0, r.Warmup))
	view := out.Slice(i-warm, j)
	view.Warm, view.Later = warm, j < out.Len()
	view.Symbol = r.Symbol
	last := f.date(out, out.Len()-1)
	view.Ended = j == out.Len() && f.cal != nil && f.cal.Name() == "dates" && f.cal.Count(last+1, instrument.Forever) >= endedAfter
	return view, nil
}
