package backtest

import (
	"math"

	"backtester/backtest/fill"
	"backtester/backtest/order"
	"backtester/backtest/strategy"
)

// A pair is two entries of a symbol that work side by side until one of them fills, which cancels the
// other: two orders of one side (entry.or), or one of each side (fills.both_sides: oco). The first is the
// working entry of the symbol, the second its rival. They were decided at one close and live as long as
// each other.

// rival is the second order of a pair.
type rival struct {
	live   bool
	entry  order.Working
	intent *strategy.SideRules
	second bool // it is the order that entry.or describes
}

// other is the rival of a working entry, nil without one.
func (s *state) other() *rival {
	if s.rival == nil || !s.rival.live || !s.working {
		return nil
	}
	return s.rival
}

// swap makes the rival the working entry and the entry its rival.
func (s *state) swap() {
	o := s.rival
	s.entry, o.entry = o.entry, s.entry
	s.intent, o.intent = o.intent, s.intent
	s.second, o.second = o.second, s.second
}

// unfilled is how many orders of a working entry end without a fill if it ends now.
func (s *state) unfilled() int64 {
	switch {
	case s.other() != nil:
		return 2
	case s.working && s.entry.Dealt == 0:
		return 1
	}
	return 0
}

// rivalOf is the second candidate that comes with one, if any.
func (c *candidate) rivalOf() (candidate, bool) {
	d := *c
	switch {
	case c.said > 0:
		return d, false
	case c.pair != nil:
		d.side, d.pair = c.pair, nil
		return d, true
	case c.side.Entry.Settings.Or != nil:
		d.second = true
		return d, true
	}
	return d, false
}

// bothSides makes a candidate of entries that hold on both sides at one close.
func (e *engine) bothSides(ev event) {
	if e.cfg.Fills.Both != fill.OneCancelsOther {
		e.refuse(order.BothSides)
		return
	}
	sides := &e.play(ev.sym).sides
	long, short := e.armed(ev.sym, ev.row, sides[0]), e.armed(ev.sym, ev.row, sides[1])
	c := candidate{sym: ev.sym, row: ev.row, side: sides[0]}
	switch {
	case long && short:
		c.pair = sides[1]
	case short:
		c.side = sides[1]
	case !long:
		return
	}
	e.ranked = append(e.ranked, c)
}

// works reports whether an order may fill in this step: in extended hours only one that rests.
func (e *engine) works(w *order.Working) bool { return !e.outside || w.Resting() }

// either is what a phase makes of a pair, of which each came to the given match alone: the order that
// fills first becomes the working entry.
func (e *engine) either(i int32, first, second fill.Match, p phase) fill.Match {
	s := &e.st[i]
	o := s.rival
	if !second.Hit || first.Hit && !(p == within && e.rivalFirst(i, first, second)) {
		if second.Triggered {
			o.entry.Trigger = math.NaN()
		}
		return first
	}
	if first.Triggered {
		s.entry.Trigger = math.NaN()
	}
	s.swap()
	return second
}

// rivalFirst reports whether, of two orders that could both have filled between open and close, the rival
// did so first: as the minutes say, else by the rule for ambiguous bars. The worst is what is worth less
// at the close of the bar, of equals the first order.
func (e *engine) rivalFirst(i int32, first, second fill.Match) bool {
	s, b := &e.st[i], e.bar(i)
	if e.finer != nil {
		minutes, touch := e.finer.within(i, e.t), e.matching.LimitTouch
		j, _ := entryMinute(minutes, s.entry.Terms, touch)
		k, _ := entryMinute(minutes, s.rival.entry.Terms, touch)
		settled := j >= 0 && k >= 0 && j != k
		e.doubt(s, settled)
		if settled {
			return k < j
		}
	}
	e.rule(s)
	value, other := s.entry.Gain(first.Ref, b.Close), s.rival.entry.Gain(second.Ref, b.Close)
	switch e.matching.Ambiguity {
	case fill.Best:
		return other > value
	case fill.Nearest:
		return math.Abs(second.Ref-b.Open) < math.Abs(first.Ref-b.Open)
	}
	return other < value
}

// decideRival cancels what entry.cancel_when of one side of a pair cancels, and reports whether the working
// entry is to be cancelled as well.
func (e *engine) decideRival(i int32, cancel bool) bool {
	s := &e.st[i]
	o := s.other()
	if o == nil || o.intent == s.intent {
		return cancel
	}
	entry := &o.intent.Entry
	theirs := entry.Cancel != 0 && e.holds(i, entry.Cancel, s.row)
	if theirs == cancel {
		return cancel
	}
	if cancel {
		s.swap()
	}
	o.live = false
	e.counts.Cancelled++
	return false
}
