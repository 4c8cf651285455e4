package backtest

import (
	"cmp"
	"math"
	"slices"

	"backtester/backtest/expr"
	"backtester/backtest/fill"
	"backtester/backtest/order"
	"backtester/backtest/portfolio"
	"backtester/backtest/strategy"
)

// candidate is a symbol whose entry condition holds at this close.
type candidate struct {
	sym    int32
	row    int32
	side   *strategy.SideRules
	pair   *strategy.SideRules // the other side, whose entry holds as well
	rank   float64
	second bool // it is the order that entry.or describes
	said   int  // which intent of the code at this close, counted from 1; 0 for the rules of the file
}

// decides reports whether decisions are made at the close of this step: not at one that ruins the account. With
// fills at the close that decides, the one before the range makes none, because nothing fills there, and the last one
// does, unless all is liquidated.
func (e *engine) decides() bool {
	switch {
	case e.stopped || e.thisClose() && int(e.t) < e.m.first:
		return false
	case e.follow != nil:
		return true
	case e.t == e.final:
		return e.thisClose() && !e.cfg.Fills.Liquidates()
	}
	return e.t < e.final
}

// decide makes the decisions of this step's close: exits and levels of positions, then entries.
func (e *engine) decide() {
	e.ranked = e.ranked[:0]
	if e.m.line != nil {
		e.handOn()
	}
	if e.waiting && len(e.orders) > 0 {
		e.attendOrders()
	}
	if len(e.books.Held) > 0 {
		if e.varying {
			e.positionVars()
		}
		for _, i := range e.books.Held {
			if e.st[i].here {
				e.decideExit(i)
			}
		}
	}
	for _, ev := range e.events.at(e.t) {
		s := &e.st[ev.sym]
		if e.books.Pos[ev.sym].Qty != 0 || s.working {
			continue
		}
		e.adopt(ev.sym)
		if ev.side == bothSides {
			e.bothSides(ev)
			continue
		}
		side := e.play(ev.sym).sides[ev.side-longSide]
		if s.goneSince(side) == ev.row+1 && e.cfg.Fills.Market == fill.ThisClose {
			continue // its position ended within this bar, on which no entry of that side works any more
		}
		if e.armed(ev.sym, ev.row, side) {
			e.ranked = append(e.ranked, candidate{sym: ev.sym, row: ev.row, side: side})
		}
	}
	if e.coded {
		asked := e.plays
		if e.m.line != nil {
			asked = e.inOffice()
		}
		for k := range asked {
			if p := &asked[k]; p.code != nil && e.codeFault() == nil {
				e.consult(p)
			}
		}
	}
	e.placeRanked()
	if e.thisClose() {
		e.deciding = true
		e.closePhase()
		e.deciding = false
		for _, i := range e.orders {
			if s := &e.st[i]; s.entry.Auction == order.CloseOnly && s.entry.Decided == e.t {
				s.working = false // it was for this auction only
			}
		}
		e.markClose()
	}
}

// placeRanked places the orders of this close's candidates.
func (e *engine) placeRanked() {
	if len(e.ranked) == 0 {
		return
	}
	e.rankCandidates()
	for k := range e.ranked {
		e.place(&e.ranked[k])
	}
	if e.crowded {
		e.worstFirst()
	}
}

// markClose revalues after fills at the close that decided them.
func (e *engine) markClose() {
	for _, i := range e.books.Held {
		if s := &e.st[i]; s.here {
			e.books.Extend(i, s.ref, s.ref, e.m.syms[i].bars.Close[s.row])
		}
	}
	e.equity = e.books.Equity()
	e.stopped = e.equity <= 0
	e.prune()
}

// positionVars sets the variables that are the same for all positions.
func (e *engine) positionVars() {
	e.vars.Var[expr.Equity] = e.equity
	if !e.exposed {
		return
	}
	x := e.books.Exposure()
	e.vars.Var[expr.GrossExposure] = x.Gross() / e.equity
	e.vars.Var[expr.NetExposure] = (x.Long - x.Short) / e.equity
	if e.several() {
		e.exposures()
	}
}

// rankCandidates orders them: by strategy as the file has them, then highest rank first, ties by symbol; an
// absent rank is no candidate.
func (e *engine) rankCandidates() {
	keep := e.ranked[:0]
	for _, c := range e.ranked {
		if c.said == 0 && c.side.Entry.Rank != 0 {
			c.rank = e.m.syms[c.sym].bound.Column(c.side.Entry.Rank)[c.row]
			if math.IsNaN(c.rank) {
				e.refuse(order.AbsentRank)
				continue
			}
		}
		keep = append(keep, c)
	}
	e.ranked = keep
	slices.SortFunc(keep, func(a, b candidate) int {
		if e.m.syms[a.sym].play != e.m.syms[b.sym].play {
			return cmp.Compare(e.m.syms[a.sym].play, e.m.syms[b.sym].play)
		}
		return cmp.Or(cmp.Compare(b.rank, a.rank), cmp.Compare(a.sym, b.sym))
	})
}

// place turns a candidate into a working order, if slots and cash (at the limit or stop price, or the
// decision close, with fees) suffice for it beside everything that works already. Of a pair the order that
// can be placed is, if only one can; money is set aside for the dearer one.
func (e *engine) place(c *candidate) {
	s := &e.st[c.sym]
	if s.working {
		e.refuse(order.Held) // code asked twice
		return
	}
	w, placed := e.draft(c)
	d, paired := c.rivalOf()
	var second order.Working
	if paired {
		second, paired = e.draft(&d)
	}
	switch {
	case placed && paired:
		if s.rival == nil {
			s.rival = &rival{}
		}
		w.Reserve = max(w.Reserve, second.Reserve)
		second.Reserve = w.Reserve
		*s.rival = rival{live: true, entry: second, intent: d.side, second: d.second}
		e.counts.Orders++
		e.play(c.sym).orders++
	case paired:
		w, c = second, &d
		fallthrough
	case placed:
		if s.rival != nil {
			s.rival.live = false
		}
	default:
		return
	}
	s.entry, s.intent, s.second, s.working, s.coded = w, c.side, c.second, true, c.said > 0
	e.closers = e.closers || w.Auction == order.CloseOnly
	e.orders = append(e.orders, c.sym)
	e.counts.Orders++
	e.play(c.sym).orders++
	e.activate(c.sym, c.row)
}

// draft is the order that a candidate wants, cut to what limits, slots and cash leave; false if they leave
// nothing, which is counted.
func (e *engine) draft(c *candidate) (order.Working, bool) {
	s, p := &e.st[c.sym], e.play(c.sym)
	set, size := &c.side.Entry.Settings, &p.cfg.Size
	if c.said > 0 {
		set, size = p.settings(c)
	}
	equity := e.equity * p.share
	bound := e.m.syms[c.sym].bound
	w := order.Working{Terms: order.Terms{Side: order.Buy, Trigger: math.NaN(), Limit: math.NaN()}, Decided: e.t}
	if c.side == p.sides[1] {
		w.Side = order.Sell
	}
	price := e.terms(&w, c)
	next := decision{step: e.t, row: c.row, equity: equity, ratio: 1, frozen: s.plan.frozen[:0]}
	for _, f := range p.rules.Program.Frozen() {
		next.frozen = append(next.frozen, bound.Column(f.Ref)[c.row])
	}
	if c.said > 0 {
		in := &p.code.said[c.said-1]
		next.guard, w.Tag = guard{in.Stop, in.Target}, e.tagOf(in.Tag)
	}
	s.plan = next
	stop := math.NaN()
	if size.Risk > 0 {
		stop = e.plannedStop(c, w.Side, price)
	}
	var why order.Refusal
	basis := order.Basis{Equity: equity, Price: price, Side: w.Side, Stop: stop}
	switch {
	case size.Volatility != nil:
		basis.Sigma = e.m.syms[c.sym].volatility(int(c.row), size.Volatility.Lookback) * math.Sqrt(e.m.barsPerYear())
	case size.Kelly != nil:
		basis.Record = e.trackRecord(e.m.syms[c.sym].play, size.Kelly.Trades)
	}
	w.Price = price
	w.Qty, w.Amount, why = size.Quantity(basis)
	if why == order.Accepted {
		why = e.limit(&w, c.sym, price, size)
	}
	if why == order.Accepted {
		adds := e.books.Pos[c.sym].Qty*float64(w.Side) > 0
		why = e.reserve(&w, c.sym, price, size, set.Over, adds)
		if set.Over > 0 {
			w.Reserve, w.Rank = 0, c.rank // who knows which of them fill
		}
	}
	if why != order.Accepted {
		e.limited = e.limited || (why == order.NoCash || why == order.NoSlot) && c.rank == 0 && (c.said > 0 || c.side.Entry.Rank == 0)
		e.refuse(why)
		return w, false
	}
	if e.lifetime(&w, set); set.TIF == order.GTD && w.Until < e.firstChance(&w) {
		e.refuse(order.UntilOver)
		return w, false
	}
	return w, true
}

// kind of the order that a candidate of the rules wants.
func (c *candidate) kind() order.Kind {
	if c.second {
		return c.side.Entry.Settings.Or.Order
	}
	return c.side.Entry.Settings.Order
}

// terms fills in what the order asks of the market and returns the price it is sized by: the limit if
// there is one, else the trigger, else the deciding close.
func (e *engine) terms(w *order.Working, c *candidate) float64 {
	kind := c.kind()
	if c.said > 0 {
		kind = e.play(c.sym).code.entry.Order
	}
	switch kind {
	case order.Limit:
		w.Limit, _ = e.quoted(c)
		return w.Limit
	case order.Stop:
		w.Trigger, _ = e.quoted(c)
		return w.Trigger
	case order.StopLimit, order.LimitIfTouched:
		w.Trigger, w.Limit = e.quoted(c)
		w.Touch = kind == order.LimitIfTouched
		if math.IsNaN(w.Trigger) {
			return math.NaN()
		}
		return w.Limit
	case order.MarketOnClose:
		w.Auction = order.CloseOnly
	case order.MarketOnOpen:
		w.Auction, w.Once = order.OpenOnly, true
	default:
		if e.cfg.Fills.Market != fill.NextOpen {
			w.Auction = order.CloseOnly
		}
	}
	return e.m.syms[c.sym].bars.Close[c.row]
}

// quoted is the price and the limit that an entry names, of the rules or of the code.
func (e *engine) quoted(c *candidate) (price, limit float64) {
	if c.said > 0 {
		in := &e.play(c.sym).code.said[c.said-1]
		return in.Price, in.Limit
	}
	bound, entry := e.m.syms[c.sym].bound, &c.side.Entry
	at, worst := entry.Price, entry.Limit
	if c.second {
		at, worst = entry.Other.Price, entry.Other.Limit
	}
	price, limit = bound.Column(at)[c.row], math.NaN()
	if worst != 0 {
		limit = bound.Column(worst)[c.row]
	}
	return price, limit
}

// inSession reports whether a day order decided at the close of step t ends with the session that goes
// on: it does while that one is open by the clock, whether it has a bar to come or not. For the auctions
// that is another question of time.
func (e *engine) inSession(w *order.Working) bool {
	m, t := e.m, int(e.t)
	if m.daily || w.Auction == order.OpenOnly && m.opened(t) {
		return false
	}
	if w.Auction == order.CloseOnly && !e.thisClose() {
		closing := m.closing(t)
		return m.endStamp(t, closing) <= closing-cutoff
	}
	return m.goesOn(t)
}

// thisClose reports whether market orders fill at the close that decides them.
func (e *engine) thisClose() bool { return e.cfg.Fills.Market == fill.ThisClose }

// lifetime is how long an order works: a day order, then what its time in force changes about that.
func (e *engine) lifetime(w *order.Working, set *order.Entry) {
	switch set.TIF { // what auctions it is for
	case order.OPG:
		w.Auction, w.Once = order.OpenOnly, true
	case order.CLS:
		w.Auction, w.Once = order.CloseOnly, true
	}
	w.Expires = e.m.session[e.t] + 1 + int32(set.MaxWait)
	if e.inSession(w) {
		w.Expires-- // decided within a session, a day order ends with that session
	}
	w.TIF, w.Until = set.TIF, set.Until
	switch set.TIF {
	case order.GTC:
		w.Expires = never
	case order.GTD:
		w.Expires = e.sessionUntil(set.Until)
	case order.IOC:
		w.Once = true
	}
}

// plannedStop is the tightest stop that a risk size is measured against, as if entered at price.
func (e *engine) plannedStop(c *candidate, side order.Side, price float64) float64 {
	stop := math.NaN()
	if g := e.st[c.sym].plan.guard; g.stop > 0 {
		stop = g.stop
	}
	e.vars.Var[expr.EntryPrice], e.vars.Var[expr.BarsHeld] = price, 0
	e.vars.Var[expr.HighSince], e.vars.Var[expr.LowSince], e.vars.Var[expr.OpenProfit] = price, price, 0
	e.vars.Var[expr.Equity] = e.equity * e.play(c.sym).share
	e.vars.Frozen = e.st[c.sym].plan.frozen
	bound := e.m.syms[c.sym].bound
	exit := side.Opposite()
	for k := range c.side.Exits {
		x := &c.side.Exits[k]
		level := math.NaN()
		switch {
		case x.Kind == strategy.ExitStop:
			level = bound.At(x.Level, int(c.row), 1, &e.vars)
		case x.Kind == strategy.ExitTrail && x.Fraction > 0:
			level = price * (1 + float64(exit)*x.Fraction)
		case x.Kind == strategy.ExitTrail:
			level = price + float64(exit)*bound.At(x.Level, int(c.row), 1, &e.vars)
		}
		if !math.IsNaN(level) {
			stop = tighter(exit, stop, level)
		}
	}
	return stop
}

// reserve sets slots, and over more of them, and money aside for a new order, cutting it to what is left.
func (e *engine) reserve(w *order.Working, i int32, price float64, size *order.Size, over int, adds bool) order.Refusal {
	free, slots := e.available(w, i)
	if size.MaxPositions > 0 && slots+over <= 0 && !adds {
		return order.NoSlot
	}
	if size.At == order.AtFill {
		if size.Shares == 0 {
			w.Qty, w.Amount = math.Inf(1), math.NaN()
		}
		return order.Accepted
	}
	unsecured := e.cfg.Account.Kind == portfolio.Proceeds && w.Side == order.Sell
	margin := e.cfg.Account.Kind == portfolio.RegT || e.cfg.Account.Kind == portfolio.Covered || unsecured || e.cfg.Account.Overdraft
	if unsecured {
		free = math.Inf(1)
	}
	if w.Notional() {
		short := false
		if !margin && size.Weight >= 1 && size.Value == 0 && e.cfg.Limits == (order.Limits{}) && !e.several() {
			w.Amount, w.Reserve = math.Inf(1), free // weight 1 spends all cash at the fill
		} else {
			want := w.Amount
			if w.Amount = min(want, free); w.Amount < want {
				e.lack(w, want-max(0, w.Amount), 1)
				short = size.AllOrNone && want-w.Amount > e.dust()
			}
			if w.Reserve = w.Amount; unsecured {
				w.Reserve = 0
			}
		}
		w.Qty = math.NaN()
		switch {
		case !(free > e.dust()):
			return order.NoCash
		case short:
			return order.CutAllOrNone
		}
		return order.Accepted
	}
	want := w.Qty
	if w.Qty = e.affordable(w.Side, fill.Billed{}, want, price, free); w.Qty < want {
		w.Qty = size.Floor(w.Qty)
		e.lack(w, want-w.Qty, price)
	}
	nothing := !(w.Qty*price > e.dust())
	switch {
	case nothing && margin:
		return order.NoMargin
	case nothing:
		return order.NoCash
	case size.AllOrNone && (want-w.Qty)*price > e.dust():
		return order.CutAllOrNone
	}
	w.Reserve = e.cost(w.Side, fill.Billed{}, w.Qty, price)
	if unsecured {
		w.Reserve = 0
	}
	return order.Accepted
}

// setAside is reserve for what is left of an order that has filled in part, or has another price: its commission
// is one over all its fills. An order for which nothing was set aside goes on without.
func (e *engine) setAside(w *order.Working) {
	if w.Reserve > 0 {
		w.Reserve = e.cost(w.Side, billed(w), max(0, w.Qty-w.Filled), w.Price)
	}
}
