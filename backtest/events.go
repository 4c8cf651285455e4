package backtest

import (
	"math/bits"
	"slices"

	"backtester/backtest/expr"
	"backtester/backtest/order"
	"backtester/backtest/strategy"
)

// sides on which an entry condition holds.
const (
	longSide  uint8 = 1
	shortSide uint8 = 2
	bothSides       = longSide | shortSide
)

// event is an entry condition that holds for a symbol at a step.
type event struct {
	sym, row int32
	side     uint8
}

// events lists, step by step, where entry conditions hold, so that a step visits those symbols only.
// Within a step symbols ascend.
type events struct {
	start []int32 // of each step in list, one more than steps
	list  []event
	step  []int32 // of each event in list
	found []found // memory of build
}

// found is an event before the list is in order of steps.
type found struct {
	event
	step int32
}

// at is the events of step t.
func (ev *events) at(t int32) []event {
	if len(ev.list) == 0 {
		return nil
	}
	return ev.list[ev.start[t]:ev.start[t+1]]
}

// next is the first step in [from, to) with events; to if none has.
func (ev *events) next(from, to int32) int32 {
	if len(ev.list) == 0 || int(ev.start[from]) == len(ev.list) {
		return to
	}
	return min(to, ev.step[ev.start[from]])
}

// build lays the list out by counting sort. Cost: O(bars/64 + steps + events).
func (ev *events) build(m *market, plays []play) {
	ev.found, ev.list = ev.found[:0], ev.list[:0]
	if m.line == nil {
		ev.find(m.syms, plays, m)
	}
	for k := range m.line {
		ev.find(m.line[k].market.syms, plays, m)
	}
	if len(ev.found) == 0 {
		return // start is not looked at
	}
	// Counts stand two places on, so that they add up to starts one place on, and the events that are laid out move
	// each of those to its place, the end of its step.
	start := slices.Grow(ev.start[:0], len(m.time)+2)[:len(m.time)+2]
	clear(start)
	for k := range ev.found {
		start[ev.found[k].step+2]++
	}
	for t := 2; t < len(start); t++ {
		start[t] += start[t-1]
	}
	n := len(ev.found)
	ev.list, ev.step = slices.Grow(ev.list, n)[:n], slices.Grow(ev.step[:0], n)[:n]
	for k := range ev.found {
		x := &ev.found[k]
		at := start[x.step+1]
		ev.list[at], ev.step[at] = x.event, x.step
		start[x.step+1]++
	}
	ev.start = start[:len(m.time)+1]
}

// find adds the events of symbols, of rules that follow each other those of their tenure.
func (ev *events) find(syms []symbol, plays []play, m *market) {
	var sets [64]entrySets
	for from := 0; from < len(syms); from += len(sets) {
		// First where the bitsets of several symbols are, which a processor fetches from memory all at once, then they.
		some := syms[from:min(from+len(sets), len(syms))]
		for i := range some {
			sets[i] = some[i].entrySets(plays[some[i].play].rules)
		}
		for i := range some {
			s := &some[i]
			s.eachEntry(&sets[i], plays[s.play].rules, len(m.time), func(t, row int32, side uint8) {
				if m.reign == nil || m.reign[t] == s.play {
					ev.found = append(ev.found, found{event{sym: int32(from + i), row: row, side: side}, t})
				}
			})
		}
	}
}

// entrySets are the bitsets of the entry conditions of a symbol. A side that there is not has the other's, and is left
// out of what is told.
type entrySets struct {
	long, short []uint64
	has         uint8
}

func (s *symbol) entrySets(rules *strategy.Rules) entrySets {
	x := entrySets{has: bothSides}
	if rules.Long != nil {
		x.long = s.bound.True(rules.Long.Entry.When)
	}
	if rules.Short != nil {
		x.short = s.bound.True(rules.Short.Entry.When)
	}
	switch {
	case x.short == nil:
		x.short, x.has = x.long, longSide
	case x.long == nil:
		x.long, x.has = x.short, shortSide
	}
	return x
}

// eachEntry calls visit for every row in range at which an entry condition is true.
func (s *symbol) eachEntry(x *entrySets, rules *strategy.Rules, steps int, visit func(t, row int32, side uint8)) {
	if len(x.long) == 0 {
		return
	}
	long, short := x.long, x.short[:len(x.long)]
	if !anyTrue(long) && (x.has != bothSides || !anyTrue(short)) {
		return
	}
	first := s.begins(rules)
	for w := int(first >> 6); w < len(long); w++ {
		word := long[w] | short[w]
		if word == 0 {
			continue
		}
		if s.member != nil {
			word &= s.member[w]
		}
		for ; word != 0; word &= word - 1 {
			b := bits.TrailingZeros64(word)
			row := int32(w<<6 + b)
			if row < first {
				continue
			}
			if t := s.at(row); int(t) < steps {
				visit(t, row, x.has&(uint8(long[w]>>b&1)*longSide|uint8(short[w]>>b&1)*shortSide))
			}
		}
	}
}

// anyTrue reports whether any bit is set. Few instructions a word, so that what is far away in memory comes in at once.
func anyTrue(set []uint64) bool {
	or := uint64(0)
	for ; len(set) >= 8; set = set[8:] {
		x := (*[8]uint64)(set)
		or |= x[0] | x[1] | x[2] | x[3] | x[4] | x[5] | x[6] | x[7]
	}
	for _, word := range set {
		or |= word
	}
	return or != 0
}

// begins is the first row in range that may decide an entry.
func (s *symbol) begins(rules *strategy.Rules) int32 {
	return max(s.rowsBefore(0), int32(rules.Begins))
}

// nextIn is the first row in [from, to) of a bitset whose bit, flipped where flip has one, is set; to if none is.
func nextIn(set []uint64, flip uint64, from, to int32) int32 {
	for w := from >> 6; w<<6 < to; w++ {
		word := set[w] ^ flip
		if w == from>>6 {
			word &= ^uint64(0) << (from & 63)
		}
		if word != 0 {
			return min(to, w<<6+int32(bits.TrailingZeros64(word)))
		}
	}
	return to
}

// countTrue is the number of set bits in rows [from, to) of a bitset.
func countTrue(set []uint64, from, to int32) int64 {
	n := int64(0)
	for w := from >> 6; w < int32(len(set)) && w<<6 < to; w++ {
		word := set[w]
		if lo := from - w<<6; lo > 0 {
			word &= ^uint64(0) << lo
		}
		if hi := to - w<<6; hi < 64 {
			word &= 1<<hi - 1
		}
		n += int64(bits.OnesCount64(word))
	}
	return n
}

// explain counts what the conditions did over the rows that could decide: without trades this is
// what tells why. taken says which sides of a symbol leave no room for an entry after the last bar.
func explain(c *Counts, m *market, plays []play, taken func(sym int, side order.Side) bool) {
	c.Signals = map[string]int64{}
	for k := range plays {
		for _, n := range plays[k].rules.Conditions {
			c.Signals[plays[k].named(n.Name)] = 0
		}
	}
	for i := range m.syms {
		s := &m.syms[i]
		p := &plays[s.play]
		rules := p.rules
		from, to := s.rowsBefore(0), s.rowsBefore(int32(len(m.time)))
		c.Bars += int64(to - from)
		for _, n := range rules.Conditions {
			if rules.Program.Static(n.Ref) {
				c.Signals[p.named(n.Name)] += countTrue(s.bound.True(n.Ref), from, to)
			} else {
				delete(c.Signals, p.named(n.Name))
			}
		}
		c.Warming += warming(s.bound, rules, from, to)
		if to > from && int(s.at(to-1)) == min(m.last, len(m.time)-1) && s.in(to-1) {
			c.LastBar += held(s.bound, rules, to-1, func(side order.Side) bool { return taken(i, side) })
		}
		if n := refusedOutside(s, rules, from, to); n > 0 {
			c.Refused[string(order.OutsideUniverse)] += n
		}
	}
}

// refusedOutside counts rows at which an entry condition held while the symbol was not in the universe.
func refusedOutside(s *symbol, rules *strategy.Rules, from, to int32) int64 {
	if s.member == nil {
		return 0
	}
	n := int64(0)
	for _, side := range []*strategy.SideRules{rules.Long, rules.Short} {
		if side == nil {
			continue
		}
		held := s.bound.True(side.Entry.When)
		out := make([]uint64, len(held))
		for w, word := range held {
			out[w] = word &^ s.member[w]
		}
		n += countTrue(out, from, to)
	}
	return n
}

// held is 1 if an entry condition held at a row, of a side that is not taken already.
func held(b *expr.Bound, rules *strategy.Rules, row int32, taken func(order.Side) bool) int64 {
	for k, side := range []*strategy.SideRules{rules.Long, rules.Short} {
		if side != nil && !taken([]order.Side{order.Buy, order.Sell}[k]) && b.True(side.Entry.When)[row>>6]>>(row&63)&1 != 0 {
			return 1
		}
	}
	return 0
}

// taken reports that a position on a side, or an entry that works, leaves no room for an entry of a symbol.
func (e *engine) taken(i int, side order.Side) bool {
	return e.st[i].working || e.books.Pos[i].Qty*float64(side) > 0
}

// warming counts rows at which an entry condition was still absent.
func warming(b *expr.Bound, rules *strategy.Rules, from, to int32) int64 {
	n := int64(0)
	for _, side := range []*strategy.SideRules{rules.Long, rules.Short} {
		if side != nil {
			n = max(n, countTrue(b.Absent(side.Entry.When), from, to))
		}
	}
	return n
}
