package backtest

import (
	"fmt"
	"math"
	"slices"

	"backtester/backtest/bar"
	"backtester/backtest/order"
)

// Foreseen is a bar that a run knew before it was there: its outside series, or its decisions, go with
// the return of the bar that comes next, and this is the first of them.
type Foreseen struct {
	Source   string  // "series NAME" or "decisions"
	Strategy string  // whose, where several share the account
	Words    string  // the figures behind it
	At       int64   // start of the bar that decided, ns UTC
	Symbol   string  //
	Value    float64 // of the series as read then; NaN for decisions
	Next     int64   // start of the bar after it
	Close    float64 // of that bar, USD as traded
}

// entered is a decision to enter.
type entered struct {
	sym, row int32
	side     order.Side
}

// ahead is the return from row k of a symbol to the next, restated for splits; NaN for the last row.
func (s *symbol) ahead(k int) float64 {
	if k+1 >= s.bars.Len() {
		return math.NaN()
	}
	now, _ := s.basis.At(k)
	next, _ := s.basis.At(k + 1)
	return float64(s.bars.Close[k+1]*next)/float64(s.bars.Close[k]*now) - 1
}

// foresight is the correlation of values, where they are new, with the return of the bar after the one
// that reads them, over all symbols, and how many pairs there were.
func (m *market) foresight(o *outside) (r float64, n int) {
	var sx, sy, sxx, syy, sxy float64
	for i := range m.syms {
		s := &m.syms[i]
		x, last := o.of(s.name), int32(-1)
		for k, at := range lastEnded(bar.Ends(s.bars, m.cal), x.known) {
			if at == last || k+1 == s.bars.Len() {
				continue
			}
			last = at
			v, ret := x.value[at], s.ahead(k)
			if v != v {
				continue
			}
			n++
			sx, sy = sx+v, sy+ret
			sxx, syy, sxy = sxx+float64(v*v), syy+float64(ret*ret), sxy+float64(v*ret)
		}
	}
	c := float64(n)
	dx, dy := sxx-float64(sx*sx)/c, syy-float64(sy*sy)/c
	if n < 2 || !(dx > 0) || !(dy > 0) {
		return 0, n
	}
	return (sxy - float64(sx*sy)/c) / math.Sqrt(dx*dy), n
}

// knows reports whether a correlation with what comes next is none of chance: six standard errors, and
// more than any honest number has.
func knows(r float64, n int) bool { return n >= 100 && math.Abs(r) > 0.3 && r*r*float64(n) > 36 }

// foreseen lists what knew the next bar, strategy by strategy.
func (e *engine) foreseen(entries []entered) []Foreseen {
	var out []Foreseen
	for k, s := range e.sights() {
		own := entries
		if s.legs != nil {
			own = nil
			for _, x := range entries {
				if e.m.syms[x.sym].play == int32(k) {
					own = append(own, entered{int32(s.number(x.sym)), x.row, x.side})
				}
			}
		}
		for _, x := range s.foreseen(s.rules.Program.Series(), own) {
			x.Strategy = s.name
			out = append(out, x)
		}
	}
	return out
}

// foreseen lists what knew the next bar: series by their values, decisions by where the price went.
func (m *market) foreseen(names []string, entries []entered) []Foreseen {
	var out []Foreseen
	for _, name := range names {
		o := m.look.outside[name]
		if r, n := m.foresight(o); knows(r, n) {
			x := m.told(o, entries)
			x.Source = "series " + name
			x.Words = fmt.Sprintf("correlation %.2f over %d values", r, n)
			out = append(out, x)
		}
	}
	mean, effect, n := m.hindsight(entries)
	if n >= 20 && effect > 0.5 && effect*effect*float64(n) > 36 {
		k := slices.IndexFunc(entries, func(e entered) bool { return int(e.row)+1 < m.syms[e.sym].bars.Len() })
		x := m.bar(entries[k].sym, entries[k].row)
		x.Source, x.Value = "decisions", math.NaN()
		x.Words = fmt.Sprintf("after %d entries the price went their way by %.2g on average in the next bar, %.2f standard deviations", n, mean, effect)
		out = append(out, x)
	}
	return out
}

// hindsight is how far the price went the way of entries in the bar after them, less what it does after
// any bar: as a fraction, and in standard deviations of that.
func (m *market) hindsight(entries []entered) (mean, effect float64, n int) {
	count, s, ss := 0.0, 0.0, 0.0
	for i := range m.syms {
		for k := range m.syms[i].bars.Len() - 1 {
			v := m.syms[i].ahead(k)
			count, s, ss = count+1, s+v, ss+float64(v*v)
		}
	}
	usual := s / count
	sum := 0.0
	for _, e := range entries {
		v := m.syms[e.sym].ahead(int(e.row)) - usual
		if v != v {
			continue
		}
		if e.side == order.Sell {
			v = -v
		}
		n++
		sum += v
	}
	variance := ss/count - float64(usual*usual)
	if n == 0 || !(variance > 0) {
		return 0, 0, n
	}
	mean = sum / float64(n)
	return mean, mean / math.Sqrt(variance), n
}

// told is the first decision that a series could tell something, or without one its first value.
func (m *market) told(o *outside, entries []entered) Foreseen {
	value := func(sym, row int32) float64 {
		s := &m.syms[sym]
		return o.of(s.name).at(bar.Ends(s.bars, m.cal))[row]
	}
	for _, e := range entries {
		if v := value(e.sym, e.row); v == v && int(e.row)+1 < m.syms[e.sym].bars.Len() {
			x := m.bar(e.sym, e.row)
			x.Value = v
			return x
		}
	}
	best := Foreseen{At: math.MaxInt64}
	for i := range m.syms {
		s := &m.syms[i]
		k := slices.IndexFunc(o.of(s.name).at(bar.Ends(s.bars, m.cal)), func(v float64) bool { return v == v })
		if k >= 0 && k+1 < s.bars.Len() && s.bars.Time[k] < best.At {
			best = m.bar(int32(i), int32(k))
			best.Value = value(int32(i), int32(k))
		}
	}
	return best
}

// bar is a row of a symbol and what comes next.
func (m *market) bar(sym, row int32) Foreseen {
	s := &m.syms[sym]
	return Foreseen{At: s.bars.Time[row], Symbol: s.name, Next: s.bars.Time[row+1], Close: s.bars.Close[row+1]}
}
