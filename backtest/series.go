package backtest

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// outside is a series from a file: numbers by the time at which each became known, for all symbols or
// for each its own. Nothing is read before its time.
type outside struct {
	known []int64 // ns UTC, increasing
	value []float64
	by    map[string]*outside // of a file with a column symbol; then the above are empty

	rows   int // read
	astray int // of these, dated on days without a session
}

// seriesOf reads an outside series by its name in expressions. Columns: available, the time from which
// a value was known (a date alone: the close of that session); the value, under the name of the
// series or as value; and symbol, if each has its own.
func seriesOf(cfg *Config, name string, cal *bar.Calendar) (*outside, error) {
	i := 0
	for cfg.Series[i].Name != name {
		i++
	}
	s, err := attached(cfg, cfg.Series[i].Expr, "available", name+"|value", "symbol?")
	if err != nil {
		return nil, err
	}
	out := &outside{}
	if s.has(2) {
		out.by = map[string]*outside{}
	}
	for {
		ok, err := s.next()
		if err != nil || !ok {
			return out, err
		}
		known, astray, err := knownFrom(s.text(0), cal)
		if err != nil {
			return nil, s.fault("column available: %w", err)
		}
		to := out
		if out.by != nil {
			symbol := s.text(2)
			if err := instrument.CheckTicker(symbol); err != nil {
				return nil, s.fault("%w", err)
			}
			if to = out.by[symbol]; to == nil {
				to = &outside{}
				out.by[symbol] = to
			}
		}
		if n := len(to.known); n > 0 && known <= to.known[n-1] {
			return nil, s.fault("%s does not come after the row before it", s.text(0))
		}
		v, err := valueOf(s.text(1))
		if err != nil {
			return nil, s.fault("column %s: %w", name, err)
		}
		to.known, to.value = append(to.known, known), append(to.value, v)
		out.rows++
		if astray {
			out.astray++
		}
	}
}

// knownFrom is the instant from which a value may be used: RFC 3339, or a date, whose values are known
// from the regular close on; on days without a session, which are astray, from its end.
func knownFrom(text string, cal *bar.Calendar) (ns int64, astray bool, err error) {
	if d, err := instrument.ParseDate(text); err == nil {
		if _, closing, _, ok := cal.Hours(d); ok {
			return closing, false, nil
		}
		return cal.Midnight(d + 1), true, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		if _, local := time.Parse("2006-01-02T15:04:05", strings.Replace(text, " ", "T", 1)); local == nil {
			return 0, false, fmt.Errorf("%q has no time zone: add Z for UTC, or -05:00", text)
		}
		return 0, false, fmt.Errorf("%q is neither a date such as 2024-01-31 nor a time such as 2024-01-31T21:00:00Z", text)
	}
	return t.UnixNano(), false, nil
}

// valueOf is a number; an empty text is an absent value.
func valueOf(text string) (float64, error) {
	if text == "" {
		return math.NaN(), nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
		return 0, fmt.Errorf("%q is not a number", text)
	}
	return v, nil
}

// of is the series of one symbol.
func (o *outside) of(symbol string) *outside {
	if o.by == nil {
		return o
	}
	if x := o.by[symbol]; x != nil {
		return x
	}
	return &outside{}
}

// at is the value known at each instant, NaN before the first.
func (o *outside) at(ends []int64) []float64 {
	out := make([]float64, len(ends))
	for i, r := range lastEnded(ends, o.known) {
		out[i] = math.NaN()
		if r >= 0 {
			out[i] = o.value[r]
		}
	}
	return out
}

// seriesNotes say what looks wrong about outside series: rows that no bar belongs to, and values that
// know the bar after the one at which they are read.
func (m *market) seriesNotes(names []string, open bool) []bar.Note {
	var notes []bar.Note
	add := func(code, format string, args ...any) {
		notes = append(notes, bar.Note{Code: code, Message: fmt.Sprintf(format, args...)})
	}
	for _, name := range names {
		o := m.look.outside[name]
		if o.astray > 0 {
			add("series_misaligned", "series %s: %d of %d rows are dated on days without a session; they count from the next bar on", name, o.astray, o.rows)
		}
		late, strangers := m.unread(o)
		if late > 0 && open {
			add("series_future", "series %s: %d of %d rows are dated after the last bar", name, late, o.rows)
		}
		if strangers > 0 {
			add("series_symbols", "series %s: %d of %d rows are of symbols that the run does not have", name, strangers, o.rows)
		}
		if r, n := m.foresight(o); knows(r, n) {
			add("series_foresight", "series %s goes with the return of the next bar (correlation %.2f over %d values): make sure that each value was known at the time in column available", name, r, n)
		}
	}
	return notes
}

// unread counts the rows of a series after the last bar, and those of symbols that the run does not
// have.
func (m *market) unread(o *outside) (late, strangers int) {
	if o.by == nil {
		last := int64(math.MinInt64)
		for i := range m.syms {
			ends := m.syms[i].view().readable(m.cal)
			last = max(last, ends[len(ends)-1])
		}
		for _, t := range o.known {
			if t > last {
				late++
			}
		}
		return late, 0
	}
	known := 0
	for i := range m.syms {
		x := o.of(m.syms[i].name)
		known += len(x.known)
		b := m.syms[i].bars
		last := bar.BarEnd(b, b.Len()-1, m.cal)
		for _, t := range x.known {
			if t > last {
				late++
			}
		}
	}
	return late, o.rows - known
}
