package stats

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"backtester/backtest/instrument"
)

// Series is an equity curve from elsewhere. Element 0 is its start.
type Series struct {
	Dates  []instrument.Date // strictly increasing
	Equity []float64         // positive; a series of returns grows from 1
	// FromReturns is set when the file held returns: then Dates[0] is not in the file but the day
	// before its first one, as far as the usual gap between its dates tells.
	FromReturns bool
}

// Kind is what a file of a series holds.
type Kind string

// Kinds of series.
const (
	AnyKind Kind = "" // as the header says
	Equity  Kind = "equity"
	Return  Kind = "return"
)

// ErrNoRows says that a file is in order and has too few rows to say anything.
var ErrNoRows = errors.New("too little data")

// ReadSeries reads a CSV with a header that names a column date and either equity or return (in any
// case and order; other columns are ignored): YYYY-MM-DD, oldest first, USD or a fraction. Where the
// kind is known, a file of two columns may call them what it likes, date first. name is for
// messages. It refuses a file of another kind, what is not a number, equity that is not positive,
// returns under -1, and dates that do not rise, with the line.
func ReadSeries(r io.Reader, name string, kind Kind) (Series, error) {
	in := csv.NewReader(r)
	in.FieldsPerRecord = -1
	in.TrimLeadingSpace = true
	head, err := in.Read()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("the file is empty")
		}
		return Series{}, fmt.Errorf("read %s: no header line: want date,equity or date,return: %w", name, err)
	}
	date, value, returns, err := seriesColumns(head, kind)
	if err != nil {
		return Series{}, fmt.Errorf("read %s line 1: %w", name, err)
	}
	s := Series{FromReturns: returns}
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Series{}, fmt.Errorf("read %s: %w", name, err) // names its line
		}
		if err := s.add(row, date, value); err != nil {
			line, _ := in.FieldPos(0)
			return Series{}, fmt.Errorf("read %s line %d: %w", name, line, err)
		}
	}
	if len(s.Dates) < 2 {
		return Series{}, fmt.Errorf("read %s: %d rows of data, want at least 2: %w", name, len(s.Dates), ErrNoRows)
	}
	if returns {
		s.compound()
	}
	return s, nil
}

func seriesColumns(head []string, kind Kind) (date, value int, returns bool, err error) {
	date, value = -1, -1
	for i, h := range head {
		switch strings.ToLower(strings.TrimSpace(strings.TrimPrefix(h, "\uFEFF"))) {
		case "date", "time", "timestamp":
			date = i
		case "equity", "value", "close", "nav":
			value, returns = i, false
		case "return", "returns":
			value, returns = i, true
		}
	}
	if value < 0 && kind != AnyKind && len(head) == 2 && date <= 0 {
		return 0, 1, kind == Return, nil
	}
	if date < 0 || value < 0 {
		return 0, 0, false, fmt.Errorf("columns are %q, want date and one of equity, return", head)
	}
	if have := map[bool]Kind{false: Equity, true: Return}[returns]; kind != AnyKind && kind != have {
		return 0, 0, false, fmt.Errorf("column %q holds %s, want %s", head[value], have, kind)
	}
	return date, value, returns, nil
}

func (s *Series) add(row []string, date, value int) error {
	if len(row) <= max(date, value) {
		return fmt.Errorf("%d cells, want at least %d", len(row), max(date, value)+1)
	}
	text := strings.TrimSpace(row[date])
	d, err := instrument.ParseDate(text[:min(len(text), len(time.DateOnly))])
	if err != nil {
		return err
	}
	if n := len(s.Dates); n > 0 && d <= s.Dates[n-1] {
		return fmt.Errorf("date %s does not come after %s: sort the file, one row a date", d, s.Dates[n-1])
	}
	text = strings.TrimSpace(row[value])
	v, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || math.IsNaN(v) || math.IsInf(v, 0):
		return fmt.Errorf("%q is not a number (fractions, not percent: 0.01 is one percent)", text)
	case s.FromReturns && v < -1:
		return fmt.Errorf("return %s loses more than everything (fractions, not percent: -0.01 is minus one percent)", text)
	case !s.FromReturns && v <= 0:
		return fmt.Errorf("equity %s is not positive", text)
	}
	s.Dates, s.Equity = append(s.Dates, d), append(s.Equity, v)
	return nil
}

// compound turns returns into the growth of 1.
func (s *Series) compound() {
	equity := make([]float64, 1, len(s.Equity)+1)
	equity[0] = 1
	for i, r := range s.Equity {
		equity = append(equity, equity[i]*(1+r))
	}
	s.Equity = equity
	s.Dates = append([]instrument.Date{before(s.Dates)}, s.Dates...)
}

// before is the date before the first one.
func before(dates []instrument.Date) instrument.Date {
	first := dates[0]
	gaps := make([]float64, 0, len(dates))
	for t := 1; t < len(dates); t++ {
		gaps = append(gaps, float64(dates[t]-dates[t-1]))
	}
	gap := median(gaps)
	switch {
	case gap >= 28 && gap <= 31:
		y, m, _ := first.Time().Date()
		return instrument.NewDate(y, m, 0) // the end of the month before
	case gap <= 3:
		d := first - 1
		for d.Weekday() == time.Saturday || d.Weekday() == time.Sunday {
			d--
		}
		return d
	}
	return first - instrument.Date(math.Round(gap))
}

// On gives the series at other dates: the last value at or before each, NaN before the first. That
// aligns a benchmark by its level, so that no return is dropped.
func (s Series) On(dates []instrument.Date) []float64 {
	out := make([]float64, len(dates))
	k := -1
	for i, d := range dates {
		for k+1 < len(s.Dates) && s.Dates[k+1] <= d {
			k++
		}
		out[i] = math.NaN()
		if k >= 0 {
			out[i] = s.Equity[k]
		}
	}
	return out
}

// Input is what Compute takes for the series alone: trades, positions and costs are not known.
func (s Series) Input() Input {
	return Input{Dates: s.Dates, Equity: s.Equity, PeriodsPerYear: PeriodsPerYear(s.Dates), Complete: true, NoTrades: true, NoCosts: true}
}
