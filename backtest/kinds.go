package backtest

import (
	"slices"

	"backtester/backtest/instrument"
)

// Types of securities by date: who is a common stock on a day is what the list of tickers of that day says,
// or the latest one before it. A security's first list counts for the time before it, too: it is some
// weeks younger than the security, or there are no older lists, and then a warning says so.

// listsApart is how many days after its first session a security is in a list at the latest, where there
// is one a quarter.
const listsApart = 100

// ofType fills in when the security was of one of the types; false when it never was, up to its last session
// of the run. No types are all types.
func (c *security) ofType(types []string) bool {
	switch {
	case len(types) == 0:
		return true
	case c.who == nil:
		return false // the source knows nothing of it
	}
	from := []instrument.Date{instrument.None}
	for i, k := range c.who.Types {
		if i > 0 && (c.to == instrument.None || k.From <= c.to) {
			from = append(from, k.From)
		}
	}
	c.kinds = nil
	for i, d := range from {
		end := instrument.Forever
		if i+1 < len(from) {
			end = from[i+1] - 1
		}
		if slices.Contains(types, c.who.TypeOn(d)) {
			c.kinds = append(c.kinds, seat{from: d, to: end})
		}
	}
	ever := len(c.kinds) > 0
	if len(c.kinds) == len(from) {
		c.kinds = nil
	}
	return ever
}

// typed reports whether the type of somebody changes.
func typed(list []security) bool {
	return slices.ContainsFunc(list, func(c security) bool { return c.kinds != nil })
}

// keepTypes leaves as members those who were of the types, and makes one of everybody who always was.
func (m *market) keepTypes() {
	for i := range m.syms {
		s := &m.syms[i]
		if s.member == nil {
			s.member = allRows(s.bars.Len())
		}
		if s.kinds == nil {
			continue
		}
		for r, ns := range s.bars.Time {
			d := m.dateOf(ns)
			if !slices.ContainsFunc(s.kinds, func(k seat) bool { return k.from <= d && d <= k.to }) {
				s.member[r>>6] &^= 1 << (r & 63)
			}
		}
	}
}

// noteTypes warns where types on early dates are those of much later lists.
func (l *loader) noteTypes(list []security) {
	undated := 0
	for i := range list {
		known := instrument.Forever
		if t := list[i].who.Types; len(t) > 0 {
			known = t[0].From
		}
		if known > max(list[i].first, l.cfg.Data.From)+listsApart {
			undated++
		}
	}
	if undated > 0 {
		l.m.note("types_undated", "universe.type takes %d of %d securities at first for what a later list of tickers says that they are: "+
			"fetch the lists of earlier dates (fetch --dataset tickers --by-date)", undated, len(list))
	}
}
