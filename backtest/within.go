package backtest

import (
	"math"

	"backtester/backtest/fill"
	"backtester/backtest/order"
)

// exitsWithin resolves a position's levels against the bar. A level that had its chance at the open and was
// cut there waits for the next bar.
func (e *engine) exitsWithin(i int32, b fill.Bar) {
	s := &e.st[i]
	from, ways := 0, len(s.ways) // minute from which a replay goes on; the stops of trails that follow the bar come after these
	for e.books.Pos[i].Qty != 0 && !e.sold(s) && (len(s.ways) > 0 || len(s.within) > 0) {
		side := closing(e.books.Pos[i].Qty > 0)
		l, stop, target := e.nearest(i, side)
		if s.entered != fill.Before && e.matching.EntryBar != "" && (s.by != order.Market || e.matching.EntryBar == fill.EntryBarNext) {
			e.targetOnEntryBar(i, side, l, target, b)
			return
		}
		when, ref := s.entered, s.ref
		if when == fill.Before {
			when, ref = s.joined, s.price
		}
		hit, ok := fill.ExitOnEntry(side, l, when, ref)
		if !ok || e.stopFirst(side, hit, l, b) {
			hit, stop, ok = e.exitWithin(i, side, l, stop, b, &from)
		}
		if !ok {
			break
		}
		if hit.Ambiguous {
			e.rule(s)
		}
		e.fillWay(i, hit, stop, target, within)
		s.ways = s.ways[:ways]
	}
	s.ways = s.ways[:ways]
}

// join notes that shares were added to a position: by the rest of its entry, or by another one.
func (e *engine) join(i int32, ref float64, p phase) {
	s := &e.st[i]
	if s.entry.Dealt == 0 {
		s.adds++
	}
	s.joined, s.price = p.entered(), ref
	if p == within {
		s.before = math.Abs(e.books.Pos[i].Qty)
	}
}

// exitsBefore fills the stops or targets of a position that lie between the open and the price at which an
// order adds to it within the bar: the market reaches them first. If the minutes say that others came before
// it, so do they.
func (e *engine) exitsBefore(i int32, ref float64) {
	s, b := &e.st[i], e.bar(i)
	if e.books.Pos[i].Qty*float64(s.entry.Side) <= 0 {
		return
	}
	side := closing(s.entry.Side == order.Buy)
	way := fill.Bar{Open: b.Open, High: max(b.Open, ref), Low: min(b.Open, ref), Close: ref}
	ways := len(s.ways)
	for e.books.Pos[i].Qty != 0 && !e.sold(s) {
		s.ways = s.ways[:ways]
		l, stop, target := e.nearest(i, side)
		if float64(side)*(ref-b.Open) > 0 { // on the way to where stops are
			stop = e.trailing(i, side, &l, stop, b)
			l.Target = math.NaN()
		} else {
			l.Stop = math.NaN()
		}
		hit, ok := fill.ExitWithin(side, l, way, fill.Before, e.matching)
		if !ok {
			break
		}
		e.fillWay(i, hit, stop, target, within)
	}
	s.ways = s.ways[:ways]
	if e.finer != nil {
		e.exitsBeforeMinute(i, side)
	}
}

// exitsBeforeMinute fills what the minutes before that of an order which adds to a position reach.
func (e *engine) exitsBeforeMinute(i int32, side order.Side) {
	s := &e.st[i]
	until, _ := entryMinute(e.finer.within(i, e.t), s.terms, e.matching.LimitTouch)
	for from, ways := 0, len(s.ways); from < until && e.books.Pos[i].Qty != 0 && !e.sold(s); s.ways = s.ways[:ways] {
		l, stop, target := e.nearest(i, side)
		r := e.replay(i, side, l, from, until)
		if !r.ok {
			return
		}
		e.doubt(s, true)
		from, stop = r.at, s.followed(r, stop)
		e.fillWay(i, r.Hit, stop, target, within)
	}
}

// followed is the index of the stop that a replay came to: an intrabar trailing stop becomes a way out of its own.
func (s *state) followed(r replayed, stop int) int {
	if r.trail < 0 {
		return stop
	}
	w := s.within[r.trail]
	s.ways = append(s.ways, way{price: r.Ref, item: w.item, name: w.name})
	return len(s.ways) - 1
}

// targetOnEntryBar fills the target of a position that a stop order entered in this bar, if the bar reaches it
// and spares the stop: all that works in the bar of an entry by other than a market order, where
// fills.entry_bar says so.
func (e *engine) targetOnEntryBar(i int32, side order.Side, l fill.Levels, target int, b fill.Bar) {
	s := &e.st[i]
	if e.matching.EntryBar != fill.EntryBarMarket || s.by != order.Stop || fill.StopWithin(side, l.Stop, b) || !fill.LimitWithin(side, l.Target, b, e.matching.LimitTouch) {
		return
	}
	hit := fill.Hit{Ref: l.Target, Rule: fill.LimitInBar, Target: true}
	if fill.LimitAtOpen(side, l.Target, s.ref) {
		hit.Ref, hit.Rule = s.ref, fill.LimitOpen
	}
	e.fillWay(i, hit, -1, target, within)
}

// exitWithin is which of a stop and a target fills between open and close, and the index of the stop among
// the ways out. An intrabar trailing stop also follows this bar's own best price, taken to come before its
// worst. Where the bar leaves open what came first, its minutes may say.
func (e *engine) exitWithin(i int32, side order.Side, l fill.Levels, stop int, b fill.Bar, from *int) (fill.Hit, int, bool) {
	s := &e.st[i]
	given, fixed, ways := l, stop, len(s.ways)
	if s.entered <= fill.OnOpen {
		stop = e.trailing(i, side, &l, stop, b)
	}
	hit, ok := fill.ExitWithin(side, l, b, s.entered, e.matching)
	doubtful := hit.Ambiguous || ok && !hit.Target && stop != fixed ||
		(s.entered == fill.InBar || s.joined == fill.InBar) && (fill.StopWithin(side, l.Stop, b) || fill.LimitWithin(side, l.Target, b, e.matching.LimitTouch))
	if e.finer == nil || !doubtful {
		return hit, stop, ok
	}
	r := e.replay(i, side, given, *from, never)
	e.doubt(s, r.settled)
	if !r.settled {
		return hit, stop, ok
	}
	*from, s.ways, s.before = r.at, s.ways[:ways], math.Inf(1)
	stop = s.followed(r, fixed)
	return r.Hit, stop, r.ok
}

// trailing makes the stop of l the tightest intrabar trailing stop after the best price of a bar, where that is
// tighter, and returns its index among the ways out. What the bar reaches beyond a target comes after the target.
func (e *engine) trailing(i int32, side order.Side, l *fill.Levels, stop int, b fill.Bar) int {
	s := &e.st[i]
	if fill.LimitWithin(side, l.Target, b, e.matching.LimitTouch) {
		b.High, b.Low = min(b.High, max(b.Open, l.Target)), max(b.Low, min(b.Open, l.Target))
	}
	for _, w := range s.within {
		if trailed := w.stop(side, b); !e.outside && tighter(side, l.Stop, trailed) != l.Stop && e.left(i, w.item) > 0 && s.parts[w.item].cut <= e.t {
			l.Stop, stop = trailed, len(s.ways)
			s.ways = append(s.ways, way{price: trailed, item: w.item, name: w.name})
		}
	}
	return stop
}

// stop is where an intrabar trailing stop stands in bar b.
func (w intrabar) stop(side order.Side, b fill.Bar) float64 {
	best := b.High
	if side == order.Buy {
		best = b.Low
	}
	return float64(best*(1+float64(side)*w.fraction)) + float64(side)*w.distance
}

// tighter of two stops of an exit order of the given side: the one the market reaches first. NaN is
// no stop.
func tighter(side order.Side, a, b float64) float64 {
	if math.IsNaN(a) || float64(side)*(a-b) > 0 {
		return b
	}
	return a
}
