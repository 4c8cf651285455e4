package barfile

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// Formats that bars are exported in.
const (
	CSV     = "csv"
	Parquet = "parquet" // zstd; read by pandas, polars, DuckDB, Spark, ...
	Arrow   = "arrow"   // Arrow IPC file, also known as Feather 2; uncompressed, to be mapped
)

// Exporter writes series one after the other into one table: symbol, date (bars of days and longer) or
// time (shorter ones, instants in UTC), open, high, low, close, volume. Volume is null where a series
// has none. Close ends the table; without it the file is not complete.
type Exporter interface {
	Add(s *bar.Series) error
	Close() error
}

// NewExporter writes to w in a format. All series must be of days or longer, or all shorter, as frame
// is; Add refuses others.
func NewExporter(w io.Writer, format string, frame bar.Frame) (Exporter, error) {
	switch format {
	case CSV:
		return newCSV(w, frame), nil
	case Parquet:
		return newParquet(w, frame), nil
	case Arrow:
		return newArrow(w, frame)
	}
	return nil, fmt.Errorf("export bars as %q: want %s, %s or %s", format, CSV, Parquet, Arrow)
}

// Export writes series as they are in a format. What is written for one series as CSV is read by
// Open, and everything in CSV and Parquet by Import.
func Export(w io.Writer, format string, series ...*bar.Series) error {
	frame := bar.Daily
	if len(series) > 0 {
		frame = series[0].Frame
	}
	out, err := NewExporter(w, format, frame)
	if err != nil {
		return err
	}
	for _, s := range series {
		if err := out.Add(s); err != nil {
			return err
		}
	}
	return out.Close()
}

// fits refuses a series of the other kind of bars.
func fits(s *bar.Series, frame bar.Frame) error {
	if s.Frame.Intraday() != frame.Intraday() {
		return fmt.Errorf("export bars: %s has bars of %s, the others of %s; export them apart", s.Symbol, s.Frame, frame)
	}
	return nil
}

// Adjusted is s restated for the actions it knows: prices and volume in the share basis of its last
// bar for bar.AdjustSplit, prices for cash dividends too for bar.AdjustTotal, so that returns between
// bars are those of a holder. With bar.AdjustRaw it is s itself. Dividends that are not smaller than
// the price restate nothing and are returned.
func Adjusted(s *bar.Series, adjust bar.Adjust, cal *bar.Calendar) (*bar.Series, []instrument.Dividend) {
	date := s.Date
	if s.Frame.Intraday() {
		date = func(i int) instrument.Date { return cal.DateOf(s.Time[i]) }
	}
	b, skipped := bar.NewBasis(s, adjust, date)
	if b.Price == nil {
		return s, skipped
	}
	n := s.Len()
	price, share := b.At(n - 1)
	out := *s
	for _, c := range []struct {
		from, factor []float64
		to           *[]float64
		last         float64
		divide       bool
	}{
		{s.Open, b.Price, &out.Open, price, false}, {s.High, b.Price, &out.High, price, false},
		{s.Low, b.Price, &out.Low, price, false}, {s.Close, b.Price, &out.Close, price, false},
		{s.Volume, b.Share, &out.Volume, share, true},
	} {
		*c.to = make([]float64, n)
		for i, v := range c.from {
			if c.divide {
				(*c.to)[i] = v * (c.last / c.factor[i])
			} else {
				(*c.to)[i] = v * (c.factor[i] / c.last)
			}
		}
	}
	return &out, skipped
}

// csvExporter writes numbers in the shortest form that reads back to the same bits.
type csvExporter struct {
	out   *bufio.Writer
	frame bar.Frame
	line  []byte
}

func newCSV(w io.Writer, frame bar.Frame) *csvExporter {
	e := &csvExporter{out: bufio.NewWriterSize(w, 64<<10), frame: frame}
	stamp := "date"
	if frame.Intraday() {
		stamp = "time"
	}
	e.out.WriteString("symbol," + stamp + ",open,high,low,close,volume\n")
	return e
}

func (e *csvExporter) Add(s *bar.Series) error {
	if err := fits(s, e.frame); err != nil {
		return err
	}
	for i := range s.Len() {
		e.line = appendRow(e.line[:0], s, i)
		if _, err := e.out.Write(e.line); err != nil {
			return fmt.Errorf("export bars: %w", err)
		}
	}
	return nil
}

func (e *csvExporter) Close() error {
	if err := e.out.Flush(); err != nil {
		return fmt.Errorf("export bars: %w", err)
	}
	return nil
}

func appendRow(b []byte, s *bar.Series, i int) []byte {
	b = append(append(b, s.Symbol...), ',')
	if s.Frame.Intraday() {
		b = time.Unix(0, s.Time[i]).UTC().AppendFormat(b, time.RFC3339Nano)
	} else {
		b = append(b, s.Date(i).String()...)
	}
	for _, v := range [...]float64{s.Open[i], s.High[i], s.Low[i], s.Close[i], s.Volume[i]} {
		b = append(b, ',')
		if !math.IsNaN(v) {
			b = strconv.AppendFloat(b, v, 'f', -1, 64)
		}
	}
	return append(b, '\n')
}
