package backtest

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"backtester/backtest/instrument"
)

// Files that a strategy names come with its Config: nothing here opens any.

// InputError is a mistake of whoever asks for a run beside its Config: a file that the strategy names and that is not
// what it is taken for, or a condition that the strategy does not have.
type InputError struct{ Err error }

// Error is that of Err.
func (e *InputError) Error() string { return e.Err.Error() }

// Unwrap gives Err.
func (e *InputError) Unwrap() error { return e.Err }

func inputf(format string, args ...any) error { return &InputError{fmt.Errorf(format, args...)} }

// attached is the rows of a file as columns by name. Names are read in any case and order; columns that
// are not asked for are passed over. One that may be missing has a ? behind its name; alternatives are
// separated by |.
func attached(cfg *Config, file string, columns ...string) (*sheet, error) {
	data, ok := cfg.Attached(file)
	if !ok {
		return nil, fmt.Errorf("read %s: the strategy names this file, and its contents were not handed over", file)
	}
	s := &sheet{file: file, rows: csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))), at: make([]int, len(columns))}
	s.rows.ReuseRecord, s.rows.TrimLeadingSpace = true, true
	head, err := s.rows.Read()
	if err != nil {
		var names []string
		for _, c := range columns {
			if !strings.HasSuffix(c, "?") {
				names = append(names, strings.ReplaceAll(c, "|", " or "))
			}
		}
		if errors.Is(err, io.EOF) {
			err = errors.New("the file is empty")
		}
		return nil, inputf("read %s line 1: want the column names %s: %w", file, strings.Join(names, ", "), err)
	}
	for k, want := range columns {
		want, optional := strings.CutSuffix(want, "?")
		s.at[k] = -1
		for _, name := range strings.Split(want, "|") {
			if s.at[k] < 0 {
				s.at[k] = slices.IndexFunc(head, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), name) })
			}
		}
		if s.at[k] < 0 && !optional {
			return nil, inputf("read %s line 1: there is no column %s among %s%s", file, strings.ReplaceAll(want, "|", " or "), strings.Join(head, ", "), lacking(want))
		}
	}
	return s, nil
}

// lacking says what a column that is missing is for, where its name does not.
func lacking(column string) string {
	if column == "available" {
		return " (the time from which each value was known: a date alone means the close of that day)"
	}
	return ""
}

// has reports whether a column that may be missing is there.
func (s *sheet) has(k int) bool { return s.at[k] >= 0 }

// sheet reads a file row by row.
type sheet struct {
	file string
	rows *csv.Reader
	at   []int // places of the columns asked for
	line int
	row  []string
}

// next moves to the next row; false at the end.
func (s *sheet) next() (bool, error) {
	row, err := s.rows.Read()
	switch {
	case errors.Is(err, io.EOF):
		return false, nil
	case err != nil:
		return false, inputf("read %s: %w", s.file, err)
	}
	s.line, _ = s.rows.FieldPos(0)
	s.row = row
	return true, nil
}

// text is the value of column k in the row.
func (s *sheet) text(k int) string { return strings.TrimSpace(s.row[s.at[k]]) }

// fault is an error about the row.
func (s *sheet) fault(format string, args ...any) error {
	return inputf("read %s line %d: "+format, append([]any{s.file, s.line}, args...)...)
}

// roll says who belonged to a universe when.
type roll struct{ spans []membership }

type membership struct {
	symbol   string
	from, to instrument.Date // both inclusive
}

// membersOf reads the members file of a universe; nil without one.
func membersOf(cfg *Config) (*roll, error) {
	if cfg.Universe.Members == "" {
		return nil, nil
	}
	s, err := attached(cfg, cfg.Universe.Members, "symbol", "from", "to")
	if err != nil {
		return nil, err
	}
	r := &roll{}
	for {
		ok, err := s.next()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		x := membership{symbol: s.text(0), from: instrument.None, to: instrument.Forever}
		if err := instrument.CheckTicker(x.symbol); err != nil {
			return nil, s.fault("%w", err)
		}
		if x.from, err = dateOr(s.text(1), instrument.None); err != nil {
			return nil, s.fault("column from: %w", err)
		}
		if x.to, err = dateOr(s.text(2), instrument.Forever); err != nil {
			return nil, s.fault("column to: %w", err)
		}
		if x.from > x.to {
			return nil, s.fault("%s leaves on %s, before it comes on %s", x.symbol, x.to, x.from)
		}
		r.spans = append(r.spans, x)
	}
	if len(r.spans) == 0 {
		return nil, inputf("read %s: it names no member", cfg.Universe.Members)
	}
	slices.SortStableFunc(r.spans, func(a, b membership) int {
		return cmp.Or(cmp.Compare(a.symbol, b.symbol), cmp.Compare(a.from, b.from))
	})
	return r, nil
}

// dateOr is a date, or what an empty text means.
func dateOr(text string, open instrument.Date) (instrument.Date, error) {
	if text == "" {
		return open, nil
	}
	return instrument.ParseDate(text)
}

// symbols are the tickers on the roll, each once.
func (r *roll) symbols() []string {
	if r == nil {
		return nil
	}
	var out []string
	for _, x := range r.spans {
		if len(out) == 0 || out[len(out)-1] != x.symbol {
			out = append(out, x.symbol)
		}
	}
	return out
}

// bits is the rows of a symbol on whose dates it belonged; nil without a roll, which means all.
func (r *roll) bits(s *symbol, m *market) []uint64 {
	if r == nil {
		return nil
	}
	set := make([]uint64, (s.bars.Len()+63)/64)
	for _, seat := range s.seatsOf() {
		k, _ := slices.BinarySearchFunc(r.spans, seat.ticker, func(x membership, ticker string) int { return cmp.Compare(x.symbol, ticker) })
		for ; k < len(r.spans) && r.spans[k].symbol == seat.ticker; k++ {
			from, to := max(r.spans[k].from, seat.from), min(r.spans[k].to, seat.to)
			for i, ns := range s.bars.Time {
				if d := m.dateOf(ns); from <= d && d <= to {
					set[i>>6] |= 1 << (i & 63)
				}
			}
		}
	}
	return set
}
