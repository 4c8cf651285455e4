package backtest

import (
	"cmp"
	"math"
	"slices"

	"backtester/backtest/order"
	"backtester/backtest/strategy"
)

// attendOrders cancels and reprices entries that work, as their rules say at this close. It comes before
// new decisions, so that a condition that holds may order anew.
func (e *engine) attendOrders() {
	for k := 0; k < len(e.orders); {
		i := e.orders[k]
		s := &e.st[i]
		if !s.working || s.coded || !s.here {
			k++
			continue
		}
		entry := &s.intent.Entry
		if e.decideRival(i, entry.Cancel != 0 && e.holds(i, entry.Cancel, s.row)) {
			e.withdraw(i)
			continue
		}
		e.reprice(i, &s.entry, candidate{sym: i, row: s.row, side: s.intent, second: s.second})
		if o := s.other(); o != nil {
			e.reprice(i, &o.entry, candidate{sym: i, row: s.row, side: o.intent, second: o.second})
			s.entry.Reserve = max(s.entry.Reserve, o.entry.Reserve)
			o.entry.Reserve = s.entry.Reserve
		}
		k++
	}
}

// reprice gives a working entry the price and limit of this close, if its rules say so. An absent one
// changes nothing; a trigger that was reached stays reached.
func (e *engine) reprice(i int32, w *order.Working, c candidate) {
	if !c.side.Entry.Settings.Reprice {
		return
	}
	price, limit := e.quoted(&c)
	kind := c.kind()
	if kind == order.Limit {
		price, limit = math.NaN(), price
	}
	by := limit // what the order is sized by
	if kind == order.Stop {
		by = price
	}
	if math.IsNaN(by) || kind.Triggered() && math.IsNaN(price) {
		return
	}
	if !math.IsNaN(w.Trigger) {
		w.Trigger = price
	}
	w.Limit = limit
	w.Price = by
	if !w.Notional() {
		e.setAside(w)
	}
}

// addTo makes a candidate of a position that its side's rules add to.
func (e *engine) addTo(i int32) {
	s := &e.st[i]
	add := s.side.Entry.Add
	if add == 0 || e.retired(i) || s.working || s.exiting || s.adds >= int32(s.side.Entry.Settings.Add.Most) || !e.m.syms[i].in(s.row) {
		return
	}
	if e.holds(i, add, s.row) {
		e.ranked = append(e.ranked, candidate{sym: i, row: s.row, side: s.side})
	}
}

// reverse makes the opposite entry a candidate when it holds at this close and is a market order: the
// position is closed and the opposite one opened at the same auction. Both sides true is no order.
func (e *engine) reverse(i int32) {
	s := &e.st[i]
	rules := e.play(i).rules
	long, short := rules.Long, rules.Short
	if long == nil || short == nil || s.working {
		return
	}
	other := long
	if s.side == long {
		other = short
	}
	bound := e.m.syms[i].bound
	if other.Entry.Settings.Order.Priced() || other.Entry.Settings.TIF == order.CLS || !e.m.syms[i].in(s.row) || !e.holds(i, other.Entry.When, s.row) ||
		e.holds(i, s.side.Entry.When, s.row) {
		return
	}
	if rank := other.Entry.Rank; rank != 0 && math.IsNaN(bound.Column(rank)[s.row]) {
		e.refuse(order.AbsentRank)
		return
	}
	if !e.armed(i, s.row, other) {
		return
	}
	c, w := candidate{sym: i, row: s.row, side: other}, order.Working{}
	if e.terms(&w, &c); other.Entry.Settings.TIF == order.GTD && other.Entry.Settings.Until < e.firstChance(&w) {
		e.refuse(order.UntilOver)
		return
	}
	e.reverseAt(i, other.Entry.Settings.Order, other.Entry.Settings.TIF)
	if e.retired(i) {
		return
	}
	e.ranked = append(e.ranked, c)
}

// departure is the last exit of a side, be it its rules, a margin call or a split that left no whole share.
type departure struct {
	since int32 // row after that of the exit
	of    *strategy.SideRules
}

// leave notes that the position ended in the bar of this row, and with it the entry that it came from or that adds
// to it.
func (s *state) leave() {
	if s.working && s.intent == s.side {
		s.working = false
	}
	if s.gone[0].of != s.side {
		s.gone[1] = s.gone[0]
	}
	s.gone[0] = departure{s.row + 1, s.side}
}

// goneSince is the row after that of the last exit of a side, 0 without one.
func (s *state) goneSince(side *strategy.SideRules) int32 {
	for _, d := range s.gone {
		if d.of == side {
			return d.since
		}
	}
	return 0
}

// armed reports whether the rules of a side let it enter after the last exit of that side.
func (e *engine) armed(i, row int32, side *strategy.SideRules) bool {
	s, set := &e.st[i], &side.Entry.Settings
	gone := s.goneSince(side)
	if gone == 0 {
		return true
	}
	exit := gone - 1
	if row-exit < int32(set.Cool) {
		e.refuse(order.Cooling)
		return false
	}
	if set.Rearm && countTrue(e.m.syms[i].bound.True(side.Entry.When), exit, row+1) == int64(row-exit+1) {
		e.refuse(order.NotRearmed)
		return false
	}
	return true
}

// worstFirst brings the working entries of strategies that place more than they have slots for into the order of
// filling: the lowest rank first. Which of several orders the market reaches first is unknown, and to take those that
// did best would be a choice made afterwards.
func (e *engine) worstFirst() {
	over := func(i int32) bool {
		s := &e.st[i]
		return s.working && !s.coded && s.intent.Entry.Settings.Over > 0
	}
	e.worst = e.worst[:0]
	for _, i := range e.orders {
		if over(i) {
			e.worst = append(e.worst, i)
		}
	}
	slices.SortFunc(e.worst, func(a, b int32) int {
		return cmp.Or(cmp.Compare(e.m.syms[a].play, e.m.syms[b].play), cmp.Compare(e.st[a].entry.Rank, e.st[b].entry.Rank), cmp.Compare(b, a))
	})
	k := 0
	for j, i := range e.orders {
		if over(i) {
			e.orders[j] = e.worst[k]
			k++
		}
	}
}

// activate adds a symbol to the active list, with its row of this step.
func (e *engine) activate(i, row int32) {
	s := &e.st[i]
	k, found := slices.BinarySearch(e.active, i)
	if found {
		return
	}
	e.active = slices.Insert(e.active, k, i)
	s.row, s.here, s.tried, s.doubt, s.ruled = row, true, false, 0, false
	s.split, s.div = 0, 0
	a := &e.m.syms[i].bars.Actions
	if len(a.Splits)+len(a.Dividends) == 0 {
		return
	}
	d := e.m.date[e.t]
	for int(s.split) < len(a.Splits) && a.Splits[s.split].Ex <= d {
		s.split++
	}
	for int(s.div) < len(a.Dividends) && a.Dividends[s.div].Ex <= d {
		s.div++
	}
}
