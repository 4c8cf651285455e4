package bar

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sort"

	"backtester/backtest/instrument"
)

// Memory is a Source of series that somebody already has: prices from elsewhere, or made for a test.
// It is immutable once made.
type Memory struct {
	cal    *Calendar
	series []*Series // by symbol and frame
}

var _ Source = (*Memory)(nil)

// NewMemory returns a Source of the given series, one a symbol and frame. Each is checked: columns of equal
// length, times increasing, possible prices. Series of zero Warm are expected; Load sets it.
func NewMemory(cal *Calendar, series ...*Series) (*Memory, error) {
	m := &Memory{cal: cal, series: slices.Clone(series)}
	slices.SortFunc(m.series, compareSeries)
	for i, s := range m.series {
		if i > 0 && compareSeries(m.series[i-1], s) == 0 {
			return nil, fmt.Errorf("make source: %s is given twice", s.Symbol)
		}
		n := s.Len()
		for _, c := range [][]float64{s.Open, s.High, s.Low, s.Close, s.Volume} {
			if len(c) != n {
				return nil, fmt.Errorf("make source: %s has %d times and a column of %d values", s.Symbol, n, len(c))
			}
		}
		if err := s.Check(); err != nil {
			return nil, fmt.Errorf("make source: %s: %w", s.Symbol, err)
		}
	}
	return m, nil
}

// compareSeries orders them by symbol, then by frame.
func compareSeries(a, b *Series) int {
	return cmp.Or(cmp.Compare(a.Symbol, b.Symbol), cmp.Compare(a.Frame.Unit, b.Frame.Unit), cmp.Compare(a.Frame.N, b.Frame.N))
}

// Checked says that every bar was looked at.
func (m *Memory) Checked() {}

// Name is "memory".
func (m *Memory) Name() string { return "memory" }

// Calendar as given to NewMemory.
func (m *Memory) Calendar() *Calendar { return m.cal }

// Synthetic is false: whoever made the series knows.
func (m *Memory) Synthetic() bool { return false }

// Coverage lists the series of a frame.
func (m *Memory) Coverage(_ context.Context, frame Frame) ([]Coverage, error) {
	var out []Coverage
	for _, s := range m.series {
		if s.Frame != frame || s.Len() == 0 {
			continue
		}
		first, last := m.date(s, 0), m.date(s, s.Len()-1)
		out = append(out, Coverage{Frame: frame, First: first, Last: last, Bars: int64(s.Len()),
			Instrument: instrument.Instrument{ID: s.ID, Ticker: s.Symbol, Delisted: s.Delisted,
				Spans: []instrument.Span{{Ticker: s.Symbol, From: first, To: last}}}})
	}
	return out, nil
}

// date of bar i.
func (m *Memory) date(s *Series, i int) instrument.Date {
	if s.Frame.Intraday() {
		return m.cal.DateOf(s.Time[i])
	}
	return s.Date(i)
}

// Load returns a view on the series. It does not resample: another frame than the series' own has no
// data.
func (m *Memory) Load(_ context.Context, r Request) (*Series, error) {
	i, found := slices.BinarySearchFunc(m.series, &Series{Symbol: r.Symbol, Frame: r.Frame}, compareSeries)
	if !found {
		return nil, fmt.Errorf("%w: no %s bars of %s", ErrNoData, r.Frame, r.Symbol)
	}
	s := m.series[i]
	from, to := 0, s.Len()
	if r.From != instrument.None {
		from = sort.Search(s.Len(), func(k int) bool { return m.date(s, k) >= r.From })
	}
	if r.To != instrument.None {
		to = sort.Search(s.Len(), func(k int) bool { return m.date(s, k) > r.To })
	}
	if from >= to {
		return nil, fmt.Errorf("%w: no %s bars of %s from %s to %s", ErrNoData, r.Frame, r.Symbol, r.From, r.To)
	}
	warm := min(from, r.Warmup)
	out := s.Slice(from-warm, to)
	out.Warm, out.Later = warm, to < s.Len()
	return out, nil
}
