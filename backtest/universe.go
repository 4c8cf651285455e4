package backtest

import (
	"math"
	"runtime"
	"slices"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/parallel"
)

// UniverseInfo says who was in the universe of a run.
type UniverseInfo struct {
	Candidates int     `json:"candidates"`      // securities with bars in the range, from which members were chosen
	Members    int     `json:"members"`         // of them, were members at least once
	Dead       int     `json:"dead"`            // of the members, those delisted or no longer traded before the end of the run
	DeadShare  float64 `json:"dead_share"`      // dead / members, a fraction: 0 over many years means survivorship bias
	Time       *Times  `json:"time,omitempty"`  // sessions at whose closes it was chosen, where members change
	Count      []int32 `json:"count,omitempty"` // members at each of them
}

// standing is the universe of a run whose members do not change: of these symbols, nil for all.
func (m *market) standing(of []int32) *UniverseInfo {
	if of != nil {
		info := &UniverseInfo{Candidates: len(of)}
		for _, i := range of {
			info.add(m, &m.syms[i])
		}
		return info
	}
	info := &UniverseInfo{Candidates: len(m.syms)}
	for i := range m.syms {
		info.add(m, &m.syms[i])
	}
	return info
}

// add counts a member.
func (info *UniverseInfo) add(m *market, s *symbol) {
	info.Members++
	if m.dead(s) {
		info.Dead++
	}
	info.DeadShare = float64(info.Dead) / float64(info.Members)
}

// choose evaluates a universe that changes over time: at every close, from all candidates that traded
// in that bar. Symbols that are never members leave the market; the steps stay.
func (l *loader) choose() error {
	u := l.rules.Universe
	m := l.m
	if !l.changes {
		return nil
	}
	listed, err := membersOf(l.cfg)
	if err != nil {
		return err
	}
	for i := range m.syms {
		s := &m.syms[i]
		s.member = listed.bits(s, m)
	}
	if l.typed {
		m.keepTypes()
	}
	if u != nil {
		if err := l.where(listed != nil || l.typed); err != nil {
			return err
		}
	}
	m.universe = &UniverseInfo{Candidates: len(m.syms)}
	m.countMembers()
	kept := m.syms[:0:0]
	for i := range m.syms {
		if s := &m.syms[i]; l.keep[s.name] || slices.ContainsFunc(s.member, func(w uint64) bool { return w != 0 }) {
			kept = append(kept, *s)
		} else {
			m.also = append(m.also, *s) // it was read, and had its part in who was chosen
		}
	}
	m.syms = kept
	return nil
}

// where keeps as members those for which the condition is true and, with top, the highest by rank.
// Comparisons in it run over all candidates, or over those of the members file and of the types.
func (l *loader) where(listed bool) error {
	u, m := l.rules.Universe, l.m
	if err := l.outlook(u.Program); err != nil {
		return err
	}
	var member func(i int) []uint64
	if listed {
		member = func(i int) []uint64 { return m.syms[i].member }
	}
	bounds, err := m.evaluate(l.ctx, u.Program, member)
	if err != nil {
		return err
	}
	for i := range m.syms {
		s := &m.syms[i]
		if s.member == nil {
			s.member = allRows(s.bars.Len())
		}
		if u.Where != 0 {
			for w, word := range bounds[i].True(u.Where) {
				s.member[w] &= word
			}
		}
	}
	if u.By != 0 {
		c := m.newComparison(nil)
		c.topMembers(l.cfg.Universe.Top, func(i int) []float64 { return bounds[i].Column(u.By) })
	}
	return nil
}

// allRows is a bitset of n ones.
func allRows(n int) []uint64 {
	set := make([]uint64, (n+63)/64)
	for r := range n {
		set[r>>6] |= 1 << (r & 63)
	}
	return set
}

// topMembers leaves at each step the n members with the highest value; of equal ones the first by name.
// An absent value is no member.
func (c *comparison) topMembers(n int, value func(i int) []float64) {
	m, blocks := c.m, (int(c.steps)+blockSteps-1)/blockSteps
	for i, l := range c.lanes { // nobody looks at rows before the axis
		for r := range l.before(0) {
			m.syms[i].member[r>>6] &^= 1 << (r & 63)
		}
	}
	drop := make([][]entry, blocks) // words of a bitset belong to several blocks
	parallel.With(runtime.GOMAXPROCS(0), blocks, func() func(int) {
		steps := make([][]entry, blockSteps)
		var sorted []float64
		return func(b int) {
			from := int32(b * blockSteps)
			for t := range steps {
				steps[t] = steps[t][:0]
			}
			for i, l := range c.lanes {
				s, x := &m.syms[i], value(i)
				for r, end := l.before(from), l.before(from+blockSteps); r < end; r++ {
					if s.member[r>>6]>>(r&63)&1 == 0 {
						continue
					}
					if e := (entry{x[r], int32(i), r}); math.IsNaN(x[r]) {
						drop[b] = append(drop[b], e)
					} else {
						steps[l.at(r)-from] = append(steps[l.at(r)-from], e)
					}
				}
			}
			for _, list := range steps {
				if len(list) > n {
					drop[b], sorted = lowest(drop[b], list, n, sorted)
				}
			}
		}
	})
	for _, list := range drop {
		for _, e := range list {
			m.syms[e.sym].member[e.row>>6] &^= 1 << (e.row & 63)
		}
	}
}

// entry is what a symbol would be chosen by at a row.
type entry struct {
	x        float64
	sym, row int32
}

// lowest appends to drop all of list, which is in the order of symbols, but the n highest. sorted is
// memory to use again.
func lowest(drop, list []entry, n int, sorted []float64) ([]entry, []float64) {
	sorted = sorted[:0]
	for _, e := range list {
		sorted = append(sorted, e.x)
	}
	slices.Sort(sorted)
	least := sorted[len(sorted)-n]
	ties := n // how many of those that equal the least are among the highest
	for k := len(sorted) - 1; k >= 0 && sorted[k] > least; k-- {
		ties--
	}
	for _, e := range list {
		switch {
		case e.x > least:
		case e.x == least && ties > 0:
			ties--
		default:
			drop = append(drop, e)
		}
	}
	return drop, sorted
}

// countMembers fills in how many members there are at each step.
func (m *market) countMembers() {
	info := m.universe
	info.Time = &Times{Daily: true, Nanos: make([]int64, len(m.time))} // bars of a day or longer
	for t := range m.time {
		info.Time.Nanos[t] = m.date[t].Nanos()
	}
	info.Count = make([]int32, len(m.time))
	for i := range m.syms {
		s := &m.syms[i]
		once := false
		for r := s.rowsBefore(0); r < s.rowsBefore(int32(len(m.time))); r++ {
			if s.member[r>>6]>>(r&63)&1 != 0 {
				info.Count[s.at(r)]++
				once = true
			}
		}
		if once {
			info.add(m, s)
		}
	}
}

// dead reports whether a symbol's bars end before the run does, for good.
func (m *market) dead(s *symbol) bool {
	b := s.bars
	return s.at(int32(b.Len()-1)) < int32(len(m.time)-1) && (b.Ended || b.Delisted != instrument.None && b.Delisted <= m.date[len(m.date)-1])
}

// in reports whether the symbol is a member at row r.
func (s *symbol) in(r int32) bool { return s.member == nil || s.member[r>>6]>>(r&63)&1 != 0 }

// follow takes over the members that were chosen on days for bars within the day: what was chosen at
// the last close counts until the next one. A symbol that did not trade on that day is no member.
func (m *market) follow(days *market) {
	m.universe = days.universe
	if info := m.universe; len(days.date) > 0 { // the history before the range is nobody's business
		k, _ := slices.BinarySearch(days.date, m.date[0])
		k = min(k, len(info.Count))
		info.Time.Nanos, info.Count = info.Time.Nanos[k:], info.Count[k:]
	}
	closes := make([]int64, len(days.time))
	for t := range days.time {
		_, closes[t], _, _ = m.cal.Hours(days.date[t])
	}
	k := 0
	for i := range m.syms {
		s := &m.syms[i]
		for k < len(days.syms) && days.syms[k].name < s.name {
			k++
		}
		s.member = make([]uint64, (s.bars.Len()+63)/64)
		if k == len(days.syms) || days.syms[k].name != s.name {
			continue
		}
		d := &days.syms[k]
		for r, t := range lastEnded(bar.Ends(s.bars, m.cal), closes) {
			if row := d.rowsBefore(t); t >= 0 && int(row) < d.bars.Len() && d.at(row) == t && d.in(row) {
				s.member[r>>6] |= 1 << (r & 63)
			}
		}
	}
	m.also = append(m.also, days.syms...)
	m.also = append(m.also, days.also...)
}

// breadth is among how many symbols the run chooses, for settings that depend on that. Where members
// change it is at least two, whatever the data shows: nothing may depend on who comes later.
func (m *market) breadth() int {
	if m.universe != nil {
		return max(2, len(m.syms))
	}
	return len(m.syms)
}

// isMember is the member function of evaluate for the rules of a run, nil when everybody always is.
func (m *market) isMember() func(i int) []uint64 {
	if m.universe == nil {
		return nil
	}
	return func(i int) []uint64 { return m.syms[i].member }
}
