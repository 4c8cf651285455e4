package backtest

import (
	"math"

	"backtester/backtest/expr"
	"backtester/backtest/fill"
	"backtester/backtest/order"
	"backtester/backtest/strategy"
)

// way is a stop or target that works on the next bar.
type way struct {
	price  float64
	item   int // index into parts
	target bool
	name   string
	cut    int32 // step after that of the bar in which volume cut it
	trails bool  // within the bar
}

// part is what one exit of the file has closed of the position so far, as one order.
type part struct {
	closed float64     // shares
	shares float64     // to close; 0: by the fraction of the exit
	billed fill.Billed // commission is that of one order over all its fills

	working bool          // a market order works for what is left
	auction order.Auction // which it waits for; AnyTime is that of all market exits
	called  bool          // by a margin call: it fills at the next open, whatever market orders do
	reason  string
	decided int32 // step whose close decided it
	cut     int32 // step after that of the bar in which volume cut it
}

// whole is the index into parts of what closes everything: reversal, margin call, end.
const whole = 0

// intrabar is a trailing stop that follows the bar it works in; none when both distances are 0.
type intrabar struct {
	fraction, distance float64 // of the best price; USD a share
	item               int     // index into parts
	name               string
}

// left is how many shares an exit still has to close. An exit of the full fraction closes all there
// is.
func (e *engine) left(i int32, item int) float64 {
	held := math.Abs(e.books.Pos[i].Qty)
	s := &e.st[i]
	if n := s.parts[item].shares; n > 0 {
		return min(held, e.entire(s, n-s.parts[item].closed))
	}
	f := e.fraction(s, item)
	if f >= 1 {
		return held
	}
	return min(held, e.entire(s, e.lot(i, item, f)-s.parts[item].closed))
}

// lot is how many of the shares entered an exit of fraction f closes. Where the fractions of the file make up the
// whole, the last of them has what the others leave: floored, all of them could be nothing.
func (e *engine) lot(i int32, item int, f float64) float64 {
	s, size := &e.st[i], &e.play(i).cfg.Size
	n, rest, sum, last := size.Floor(f*s.initial), s.initial, 0.0, 0
	for k := range s.side.Exits {
		x := &s.side.Exits[k]
		if x.Part >= 1 || x.Item+1 == last { // the ways out of one item stand side by side
			continue
		}
		sum, last = sum+x.Part, x.Item+1
		if last != item {
			rest -= size.Floor(x.Part * s.initial)
		}
	}
	if item == last && sum > 1-1e-9 && rest > n+1e-9 {
		return rest
	}
	return n
}

// entire is a number of shares without the fraction that a split may have left, unless fractions are
// traded, and without what rounding leaves of the shares entered; never negative.
func (e *engine) entire(s *state, shares float64) float64 {
	if !e.books.Fractional {
		shares = math.Floor(shares + 1e-9)
	}
	if shares <= float64(1e-12*s.initial) {
		return 0
	}
	return shares
}

// fraction of the shares entered that an exit closes.
func (e *engine) fraction(s *state, item int) float64 {
	switch {
	case item == whole:
		return 1
	case s.parts[item].shares > 0:
		return 0
	}
	for k := range s.side.Exits {
		if x := &s.side.Exits[k]; x.Item+1 == item {
			return x.Part
		}
	}
	return 1
}

// exit places a market order that closes what exit item has left, unless one for it works already, or
// one that closes everything does.
func (e *engine) exit(i int32, reason string, item int) { e.exitAs(i, reason, item, e.t) }

// exitAs is exit for a decision made at an earlier close. An exit that waits for an auction of its own is in the
// way of no other.
func (e *engine) exitAs(i int32, reason string, item int, decided int32) {
	s := &e.st[i]
	for k := range s.parts {
		if o := &s.parts[k]; o.working && o.auction == order.AnyTime && (k == item || e.fraction(s, k) >= 1) {
			return
		}
	}
	o := &s.parts[item]
	o.working, o.auction, o.called, o.reason, o.decided = true, order.AnyTime, false, reason, decided
	s.exiting = true
}

// reverseAt decides to close a position at the auction at which the opposite entry, a market order, fills.
func (e *engine) reverseAt(i int32, kind order.Kind, tif order.TIF) {
	e.exit(i, "reversal", whole)
	o := &e.st[i].parts[whole]
	if !o.working || o.reason != "reversal" || o.decided != e.t {
		return // another exit comes first
	}
	switch {
	case kind == order.MarketOnOpen || tif == order.OPG:
		o.auction = order.OpenOnly
	case kind == order.MarketOnClose:
		o.auction, e.closers = order.CloseOnly, true
	}
}

// decideExit evaluates the exits of a position at this close.
func (e *engine) decideExit(i int32) {
	s := &e.st[i]
	pos := &e.books.Pos[i]
	s.held++
	side := 0
	if pos.Qty < 0 {
		side = 1
	}
	p := e.play(i)
	watching := p.watching[side] && !s.stands
	if watching {
		e.watch(i)
	}
	if p.cfg.Leave && !e.m.syms[i].in(s.row) {
		e.exit(i, "universe", whole)
	}
	for k := range s.side.Exits {
		x := &s.side.Exits[k]
		switch {
		case x.Kind == strategy.ExitSignal && e.holds(i, x.When, s.row),
			x.Kind == strategy.ExitMaxBars && int(s.held) >= x.MaxBars:
			if e.left(i, x.Item+1) > 0 {
				e.exit(i, x.Name, x.Item+1)
			}
		}
	}
	switch {
	case watching:
		absent := e.counts.AbsentExits // counted at every close
		e.setLevels(i, s.row, 1, e.t)
		s.stands = p.standing[side] && e.counts.AbsentExits == absent
	case s.stands:
		s.levelAt = e.t
	}
	e.reverse(i)
	e.addTo(i) // not to what is told to go
}

// watch sets the position variables of a symbol at this close.
func (e *engine) watch(i int32) {
	s := &e.st[i]
	pos := &e.books.Pos[i]
	price := e.entryPrice(i)
	v := &e.vars.Var
	if e.several() {
		p := e.play(i)
		v[expr.Equity], v[expr.GrossExposure], v[expr.NetExposure] = e.equity*p.share, p.gross, p.net
	}
	v[expr.EntryPrice], v[expr.BarsHeld] = price, float64(s.held)
	v[expr.HighSince], v[expr.LowSince] = s.hi, s.lo
	v[expr.OpenProfit] = (pos.Mark - price) / price
	if pos.Qty < 0 {
		v[expr.OpenProfit] = -v[expr.OpenProfit]
	}
	e.vars.Frozen = s.dec.frozen
}

// holds reports whether a condition is true at a row, by its bitset when it has one.
func (e *engine) holds(i int32, r expr.Ref, row int32) bool {
	b := e.m.syms[i].bound
	if e.play(i).rules.Program.Static(r) {
		return b.True(r)[row>>6]>>(row&63)&1 != 0
	}
	return b.At(r, int(row), 1, &e.vars) == 1
}

// setLevels evaluates stops, targets and trailing stops with the columns of a row, for the next bar.
// An absent price places no order and is counted.
func (e *engine) setLevels(i, row int32, ratio float64, decided int32) {
	s := &e.st[i]
	bound := e.m.syms[i].bound
	side := closing(e.books.Pos[i].Qty > 0)
	s.ways, s.levelAt, s.within = s.ways[:0], decided, s.within[:0]
	for k := range s.side.Exits {
		x := &s.side.Exits[k]
		var level float64
		switch x.Kind {
		case strategy.ExitSignal, strategy.ExitMaxBars:
			continue
		case strategy.ExitTrail:
			level = e.trailLevel(i, k, row, ratio)
		default:
			level = bound.At(x.Level, int(row), ratio, &e.vars)
		}
		if math.IsNaN(level) {
			e.counts.AbsentExits++
			continue
		}
		if x.Ratchet && x.Kind == strategy.ExitStop {
			s.memory[k] = tighter(side, s.memory[k], level)
			level = s.memory[k]
		}
		s.ways = append(s.ways, way{price: level, item: x.Item + 1, target: x.Kind == strategy.ExitTarget, name: x.Name, trails: x.Intrabar})
	}
	s.ways = s.guard.appendTo(s.ways)
}

// trailLevel is where trailing stop k stands: it follows the best price since the entry and never
// loosens.
func (e *engine) trailLevel(i int32, k int, row int32, ratio float64) float64 {
	s := &e.st[i]
	x, b, side := &s.side.Exits[k], e.m.syms[i].bound, closing(e.books.Pos[i].Qty > 0)
	best := s.hi
	if side == order.Buy {
		best = s.lo
	}
	level, distance := best*(1+float64(side)*x.Fraction), 0.0
	if x.Fraction == 0 {
		distance = b.At(x.Level, int(row), ratio, &e.vars)
		level = best + float64(side)*distance
	}
	if x.Intrabar && !math.IsNaN(level) {
		s.within = append(s.within, intrabar{fraction: x.Fraction, distance: distance, item: x.Item + 1, name: x.Name})
	}
	if !math.IsNaN(level) {
		s.memory[k] = tighter(side, s.memory[k], level)
	}
	return s.memory[k]
}

// nearest picks, of the ways that have shares left to close, the stop and the target that the market
// reaches first.
func (e *engine) nearest(i int32, side order.Side) (l fill.Levels, stop, target int) {
	s := &e.st[i]
	l, stop, target = fill.Levels{Stop: math.NaN(), Target: math.NaN()}, -1, -1
	for k := range s.ways {
		w := &s.ways[k]
		switch {
		case s.partly && e.left(i, w.item) <= 0, s.parts[w.item].cut > e.t, w.cut > e.t, e.outside && !w.target, w.target && s.before <= 0:
			continue
		}
		switch {
		case w.target && (target < 0 || float64(side)*(l.Target-w.price) < 0):
			l.Target, target = w.price, k
		case !w.target && (stop < 0 || float64(side)*(l.Stop-w.price) > 0):
			l.Stop, stop = w.price, k
		}
	}
	return l, stop, target
}

// touched reports whether this bar reaches some stop or target of a position. Where it does not, neither its open
// nor what comes after fills any, however the settings read a touch.
func (e *engine) touched(i int32) bool {
	s, bars := &e.st[i], e.m.syms[i].bars
	high, low, long := bars.High[s.row], bars.Low[s.row], e.books.Pos[i].Qty > 0
	for k := range s.ways {
		if w := &s.ways[k]; w.target == long && high >= w.price || w.target != long && low <= w.price {
			return true
		}
	}
	return false
}

// sold reports whether a market order for all of a position was cut in this bar: then no stop or target works in it.
func (e *engine) sold(s *state) bool {
	for k := range s.parts {
		if s.parts[k].cut > e.t && e.fraction(s, k) >= 1 {
			return true
		}
	}
	return false
}

// exitsAtOpen fills gapped stops and targets at the open, the nearest first.
func (e *engine) exitsAtOpen(i int32, open float64) {
	s := &e.st[i]
	for len(s.ways) > 0 && e.books.Pos[i].Qty != 0 && !e.sold(s) {
		side := closing(e.books.Pos[i].Qty > 0)
		l, stop, target := e.nearest(i, side)
		hit, ok := fill.ExitAtOpen(side, l, open)
		if !ok || e.stopFirst(side, hit, l, e.bar(i)) {
			return
		}
		e.fillWay(i, hit, stop, target, atOpen)
	}
}

// stopFirst reports whether a target that the open has reached gives way to a stop in the same bar.
func (e *engine) stopFirst(side order.Side, hit fill.Hit, l fill.Levels, b fill.Bar) bool {
	return hit.Target && e.matching.Ambiguity == fill.StopFirst && fill.StopWithin(side, l.Stop, b)
}

// exitsAtClose fills the stops and targets that the close of a bar has reached, where only closes count.
func (e *engine) exitsAtClose(i int32, last float64) {
	s := &e.st[i]
	at := fill.Bar{Open: last, High: last, Low: last, Close: last}
	for len(s.ways) > 0 && e.books.Pos[i].Qty != 0 && !e.sold(s) {
		side := closing(e.books.Pos[i].Qty > 0)
		l, stop, target := e.nearest(i, side)
		hit := fill.Hit{Ref: last, Rule: fill.AtClose}
		if !fill.StopWithin(side, l.Stop, at) {
			if hit.Target = true; !fill.LimitWithin(side, l.Target, at, e.matching.LimitTouch) {
				return
			}
		}
		e.fillWay(i, hit, stop, target, atClose)
	}
}

// fillWay fills the stop or target that was hit. A stop that is cut is a market order from then on, a target
// waits for the next bar.
func (e *engine) fillWay(i int32, hit fill.Hit, stop, target int, p phase) {
	s := &e.st[i]
	w := s.ways[stop&^(stop>>31)]
	limit := math.NaN()
	if hit.Target {
		w = s.ways[target]
		limit = w.price
		if e.matching.LevelCost == fill.LevelCostNone {
			limit = hit.Ref
		}
	} else if s.exDiv > 0 && e.books.Pos[i].Qty > 0 && e.m.syms[i].bars.Low[s.row]+s.exDiv > w.price {
		e.counts.ExDateStops++
	}
	if !hit.Target && e.matching.LevelCost == fill.LevelCostNone {
		limit = hit.Ref
	}
	done := e.closeShares(i, exitFill{hit: hit, phase: p, item: w.item, reason: w.name, decided: s.levelAt, limit: limit})
	switch {
	case done:
	case hit.Target:
		s.ways[target].cut = e.t + 1
	default:
		s.parts[w.item].cut = e.t + 1
		e.exitAs(i, w.name, w.item, s.levelAt)
	}
}

// exitFill is what closeShares needs to know.
type exitFill struct {
	hit     fill.Hit
	phase   phase
	item    int
	reason  string
	decided int32
	limit   float64 // NaN without one
}

// closeShares closes what an exit has left, as far as the volume cap lets it, and reports whether that
// was all. The commission of an exit is that of one order over all its fills.
func (e *engine) closeShares(i int32, x exitFill) bool {
	s := &e.st[i]
	pos := &e.books.Pos[i]
	side := closing(pos.Qty > 0)
	want := e.left(i, x.item)
	if x.hit.Target {
		want = min(want, s.before)
	}
	qty := want
	if cap := e.room(i, x.phase); cap < qty {
		qty = e.play(i).cfg.Size.Floor(cap)
	}
	if qty <= 0 {
		if want > 0 {
			e.refuse(order.NoVolume)
			return false
		}
		return true
	}
	o := &s.parts[x.item]
	price := e.price(i, side, x.hit.Ref, x.limit, qty)
	c := e.commission()
	fee := c.Next(o.billed, qty, price)
	o.closed += qty
	s.before -= qty
	o.billed = fill.Billed{Qty: o.billed.Qty + qty, Value: o.billed.Value + float64(qty*price), Charged: o.billed.Charged + fee,
		Tiered: o.billed.Tiered + c.Tiered(qty)}
	e.book(i, side, qty, x.hit.Ref, price, fee, e.levy(side, qty, price), x.reason, x.hit.Rule, x.decided, false, 0)
	if pos.Qty == 0 {
		s.leave()
		return true
	}
	if qty < want {
		return false
	}
	o.billed = fill.Billed{} // what is added later gives it more to close: another order
	return true
}
