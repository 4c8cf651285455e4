package backtest

import (
	"fmt"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// slack is how many sessions later than asked, or earlier, a symbol's bars may begin or end without a
// word: a halt is no news.
const slack = 5

// rangeWarnings say where a run is shorter than asked for, and which of the symbols that were named
// were there for a part of it only. Who comes and goes in a universe that nobody named is its nature.
func (e *engine) rangeWarnings(add func(code, format string, args ...any)) {
	m, d := e.m, &e.cfg.Data
	first, last := instrument.Forever, instrument.None
	for _, all := range [][]symbol{m.syms, m.also} {
		for i := range all {
			a, z := m.held(&all[i])
			first, last = min(first, a), max(last, z)
		}
	}
	from, to := first, last
	if d.From != instrument.None {
		from = m.cal.Next(d.From - 1)
	}
	if d.To != instrument.None {
		to = m.cal.Prev(d.To + 1)
	}
	if first-m.spread() > from || last+m.spread() < to {
		add("range_short", "asked for %s..%s, the bars of the run reach from %s to %s", d.From, d.To, first, last)
		from, to = max(from, first), min(to, last)
	}
	if len(e.cfg.Universe.Symbols) == 0 {
		return
	}
	var parts, holes []string
	for i := range m.syms {
		s := &m.syms[i]
		if m.twin(int32(i)) != int32(i) {
			continue
		}
		a, z := m.held(s)
		late, early := a-m.spread() > from && m.cal.Count(from, a-1) > slack, z+m.spread() < to && m.cal.Count(z+1, to) > slack
		switch {
		case late && early:
			parts = append(parts, fmt.Sprintf("%s from %s to %s", s.name, a, z))
		case late:
			parts = append(parts, fmt.Sprintf("%s from %s", s.name, a))
		case early:
			parts = append(parts, fmt.Sprintf("%s to %s", s.name, z))
		}
		if n, a, z := m.hole(s); n > 0 {
			holes = append(holes, fmt.Sprintf("%s none of %d from %s to %s", s.name, n, a, z))
		}
	}
	if len(parts) > 0 {
		add("partial_symbols", "there for a part of the run only: %s", list(parts))
	}
	if len(holes) > 0 {
		add("missing_bars", "sessions in a row without a bar, over which nothing can be filled and a position keeps its last close: %s", list(holes))
	}
}

// hole is the longest stretch of sessions between two bars in range of a symbol without one, from its first to its
// last day; 0 where none is longer than slack.
func (m *market) hole(s *symbol) (sessions int, first, last instrument.Date) {
	if m.spread() > 0 {
		return 0, 0, 0
	}
	b := s.bars
	for r := max(1, int(s.rowsBefore(0))); r < b.Len(); r++ {
		if b.Time[r]-b.Time[r-1] <= int64(slack*24*time.Hour) {
			continue
		}
		from, to := m.dateOf(b.Time[r-1])+1, m.dateOf(b.Time[r])-1
		if n := m.cal.Count(from, to); n > max(slack, sessions) {
			sessions, first, last = n, m.cal.Next(from-1), m.cal.Prev(to+1)
		}
	}
	return sessions, first, last
}

// held is the sessions of a symbol's first bar in range and of its last one; for bars longer than a
// day, of their first session and of their last.
func (m *market) held(s *symbol) (first, last instrument.Date) {
	b := s.bars
	k := min(b.Warm, b.Len()-1)
	if first = instrument.DateOfNanos(b.Time[k]); !m.daily {
		first = m.dateOf(b.Time[k])
	}
	return first, m.dateOf(b.Time[b.Len()-1])
}

// spread is by how many days the first session of a bar may come after the day asked for although
// nothing is missing.
func (m *market) spread() instrument.Date {
	switch m.frame.Unit {
	case bar.Week:
		return 7
	case bar.Month:
		return 31
	}
	return 0
}
