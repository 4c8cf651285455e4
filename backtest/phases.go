package backtest

import (
	"math"

	"backtester/backtest/expr"
	"backtester/backtest/fill"
	"backtester/backtest/instrument"
	"backtester/backtest/order"
	"backtester/backtest/portfolio"
)

// openPhase fills at the open: market exits, gapped stops and targets, then entries in order of
// placement.
func (e *engine) openPhase() {
	ending := e.cfg.Fills.End == fill.EndOpen && e.t == e.final
	for k := 0; k < len(e.books.Held); k++ {
		i := e.books.Held[k]
		s := &e.st[i]
		if !s.here {
			continue
		}
		ending := ending && e.m.goodbye(e.m.syms[i].bars) == instrument.None // else a delisting ends it
		if ending {
			e.exit(i, "end", whole)
		}
		open := e.m.syms[i].bars.Open // read only where it matters: of many symbols, every column is far away
		if s.exiting && !e.outside {
			e.fillExits(i, fill.Hit{Ref: open[s.row], Rule: fill.AtOpen}, atOpen, ending)
		}
		if len(s.ways) > 0 && e.matching.Levels == "" && e.touched(i) {
			e.exitsAtOpen(i, open[s.row])
		}
		if e.books.Pos[i].Qty == 0 {
			k--
		}
	}
	for _, i := range e.orders {
		s := &e.st[i]
		if !s.here || !s.working {
			continue
		}
		if ending {
			s.working = false
			continue
		}
		w := &s.entry
		if w.Auction == order.CloseOnly || e.lookAtClose(w) || w.Auction == order.OpenOnly && !e.m.opens(e.t) {
			continue
		}
		o := s.other()
		if !e.works(w) && (o == nil || !e.works(&o.entry)) {
			continue
		}
		m := e.enterAtOpen(i, w)
		if o != nil {
			m = e.either(i, m, e.enterAtOpen(i, &o.entry), atOpen)
		}
		e.match(i, m, atOpen)
		if w.Once {
			e.cancel(s)
		}
	}
}

// withinPhase fills limits and stops between open and close: entries, then exits. What had its chance
// at the open and was cut there (by volume, cash or slots) waits for the next bar.
func (e *engine) withinPhase() {
	if e.matching.Levels == fill.AtCloses {
		return
	}
	for _, i := range e.orders {
		s := &e.st[i]
		if !s.here || !s.working || s.tried {
			continue
		}
		if w := &s.entry; w.Auction == order.AnyTime {
			m := e.enterWithin(i, w)
			if o := s.other(); o != nil {
				m = e.either(i, m, e.enterWithin(i, &o.entry), within)
			}
			s.terms = w.Terms
			if m.Hit {
				e.exitsBefore(i, m.Ref)
			}
			if s.working {
				e.match(i, m, within)
			}
		}
	}
	for k := 0; k < len(e.books.Held); k++ {
		i := e.books.Held[k]
		s := &e.st[i]
		if !s.here || len(s.within) == 0 && (len(s.ways) == 0 || s.entered == fill.Before && !e.touched(i)) {
			continue
		}
		e.exitsWithin(i, e.bar(i))
		if e.books.Pos[i].Qty == 0 {
			k--
		}
	}
}

// closePhase fills market-on-close orders: exits, then entries; and liquidates at the end of the run
// if so set.
func (e *engine) closePhase() {
	ending := e.cfg.Fills.End == fill.EndClose && e.t == e.final
	for k := 0; k < len(e.books.Held); k++ {
		i := e.books.Held[k]
		s := &e.st[i]
		if !s.here {
			continue
		}
		ending := ending && e.m.goodbye(e.m.syms[i].bars) == instrument.None // else a delisting ends it
		if ending {
			e.exit(i, "end", whole)
		}
		if s.exiting {
			e.fillExits(i, fill.Hit{Ref: e.m.syms[i].bars.Close[s.row], Rule: fill.AtClose}, atClose, ending)
		}
		if e.matching.Levels == fill.AtCloses && e.books.Pos[i].Qty != 0 && len(s.ways) > 0 && s.entered == fill.Before {
			e.exitsAtClose(i, e.m.syms[i].bars.Close[s.row])
		}
		if e.books.Pos[i].Qty == 0 {
			k--
		}
	}
	if ending {
		return
	}
	for _, i := range e.orders {
		s := &e.st[i]
		w := &s.entry
		late := e.lookAtClose(w) && w.Decided < e.t
		if !s.here || !s.working || !late && (w.Auction != order.CloseOnly || !e.deciding && !e.m.inTime(w.Decided, e.t)) {
			continue
		}
		if late {
			e.match(i, fill.EntryLooking(w.Terms, e.m.syms[i].bars.Close[s.row], e.matching.LimitTouch), atClose)
		} else {
			e.match(i, fill.EntryAtClose(w.Terms, e.m.syms[i].bars.Close[s.row]), atClose)
		}
		if w.Once {
			e.cancel(s)
		}
	}
}

// fillExits fills the market orders to close that work and are due; of those for the closing auction only what was
// decided in time for it.
func (e *engine) fillExits(i int32, hit fill.Hit, p phase, ending bool) {
	s := &e.st[i]
	called := s.calledIn()
	s.exiting = false
	late := p == atClose && !e.deciding && !e.m.daily && !ending
	for k := range s.parts {
		o := &s.parts[k]
		if !o.working || e.books.Pos[i].Qty == 0 {
			continue
		}
		if !e.due(o, p, ending, called) || late && !e.m.inTime(o.decided, e.t) {
			s.exiting = true
			continue
		}
		o.working = !e.closeShares(i, exitFill{hit: hit, phase: p, item: k, reason: o.reason, decided: o.decided, limit: math.NaN()})
		if o.working {
			s.exiting, o.cut = true, e.t+1
		}
	}
}

// due reports whether an exit fills in a phase: at the end of the run it does whatever it waits for, and what a margin
// call closes at the open.
func (e *engine) due(o *part, p phase, ending, called bool) bool {
	switch {
	case ending:
		return true
	case called:
		return p == atOpen
	case o.auction == order.OpenOnly:
		return p == atOpen && e.m.opens(e.t)
	case o.auction == order.CloseOnly:
		return p == atClose
	}
	return (p == atOpen) == (e.cfg.Fills.Market == fill.NextOpen)
}

// lookAtClose reports whether an entry looks at the close of a bar, where it fills.
func (e *engine) lookAtClose(w *order.Working) bool {
	return e.matching.Levels == fill.AtCloses && !w.Market() && w.Auction == order.AnyTime
}

// enterAtOpen is what the open makes of an entry.
func (e *engine) enterAtOpen(i int32, w *order.Working) fill.Match {
	if !e.works(w) || e.misses(i, w) {
		return fill.Match{}
	}
	return fill.EntryAtOpen(w.Terms, e.m.syms[i].bars.Open[e.st[i].row])
}

// misses reports whether the bar stays away from the limit of an entry that has no trigger: then neither its open nor
// what comes after fills it. Most bars do, and one column tells.
func (e *engine) misses(i int32, w *order.Working) bool {
	bars, row := e.m.syms[i].bars, e.st[i].row
	switch {
	case !math.IsNaN(w.Trigger):
		return false
	case w.Side == order.Buy:
		return bars.Low[row] > w.Limit
	}
	return bars.High[row] < w.Limit
}

// match acts on what a phase made of a working entry.
func (e *engine) match(i int32, m fill.Match, p phase) {
	if m.Triggered {
		w := &e.st[i].entry
		w.Trigger = math.NaN()
		if e.matching.Levels == fill.AtCloses && w.Market() {
			w.Auction = order.CloseOnly // what is left of it
		}
	}
	if m.Hit {
		e.fillEntry(i, m.Ref, m.Rule, p)
	}
}

// cancel ends a working entry; one that never filled has expired.
func (e *engine) cancel(s *state) {
	e.counts.Expired += s.unfilled()
	s.working = false
}

// annul cancels what still works for a reason other than its time.
func (e *engine) annul(s *state) {
	e.counts.Cancelled += s.unfilled()
	s.working = false
}

// phase of a bar, for what depends on it: the volume cap and the exits that may still follow.
type phase uint8

const (
	atOpen phase = iota
	within
	atClose
)

// entered is when, for later exits, an entry of this phase happened.
func (p phase) entered() fill.Entered {
	return [...]fill.Entered{atOpen: fill.OnOpen, within: fill.InBar, atClose: fill.OnClose}[p]
}

// room is how many shares the volume cap leaves for a fill in this phase. One budget a symbol and
// bar serves all its orders.
func (e *engine) room(i int32, p phase) float64 {
	c := e.cfg.Costs.VolumeCap
	frac := [...]float64{atOpen: c.Open, within: c.Bar, atClose: c.Close}[p]
	return fill.Shares(frac, e.m.syms[i].bars.Volume[e.st[i].row], e.usedOf(i))
}

// usedOf is how many shares of a symbol were filled in this bar.
func (e *engine) usedOf(i int32) float64 {
	if s := &e.st[e.m.twin(i)]; s.usedAt == e.t {
		return s.used
	}
	return 0
}

// fillEntry fills a working entry at a reference price, as far as slots, cash, margin and volume let
// it. What is cut stays working until its time runs out.
func (e *engine) fillEntry(i int32, ref float64, rule fill.Rule, p phase) {
	s := &e.st[i]
	s.tried = true
	w := &s.entry
	pos := &e.books.Pos[i]
	if pos.Qty*float64(w.Side) < 0 {
		return // the opposite position has not gone yet
	}
	size := &e.play(i).cfg.Size
	if slots := size.MaxPositions; slots > 0 && pos.Qty == 0 && e.heldBy(i) >= slots {
		e.refuse(order.NoSlot)
		return
	}
	want, qty, price, why := e.quantity(i, ref, e.room(i, p))
	if why == order.NoCash && qty < want && !math.IsInf(want, 1) {
		e.lack(w, want-qty, price)
	}
	if !(price > 0) {
		qty, why = 0, order.NothingLeft
	}
	if !(qty > 0) || qty*price <= e.dust() {
		e.turnDown(i, why, why)
		return
	}
	if size.AllOrNone && (why == order.NoVolume || (size.Floor(want)-qty)*price > e.dust() && !math.IsInf(want, 1)) {
		e.turnDown(i, order.CutAllOrNone, why)
		return
	}
	if math.IsInf(w.Qty, 1) {
		w.Qty = want
	}
	c, levy := e.commission(), e.levy(w.Side, qty, price)
	fee := c.Next(billed(w), qty, price)
	w.Tiered += c.Tiered(qty)
	if o := s.other(); o != nil {
		o.live = false
		e.counts.Cancelled++
	}
	if pos.Qty == 0 {
		e.enter(i, ref, p, rule)
	} else {
		e.join(i, ref, p)
	}
	e.book(i, w.Side, qty, ref, price, fee, levy, "entry", rule, w.Decided, true, w.Tag)
	s.initial += qty
	if w.Notional() {
		w.Amount -= float64(qty * price)
		w.Reserve = max(0, w.Reserve-float64(qty*price)-fee)
	}
	w.Traded(qty, price, fee)
	if !w.Notional() {
		e.setAside(w)
	}
	if s.entered != fill.Before { // later parts of an order keep the levels of the last close
		e.entryLevels(i)
	}
	if done := w.Notional() && why != order.NoVolume || w.Filled >= w.Qty || why == order.NoCash && qty < want; done {
		s.working = false
	}
}

// quantity is how many shares a working entry gets at a reference price, and the price after slippage: as many as money
// and the cap on them let it; what cut them, and how many were wanted.
func (e *engine) quantity(i int32, ref, cap float64) (want, qty, price float64, why order.Refusal) {
	w, size, money := &e.st[i].entry, &e.play(i).cfg.Size, e.books.Room(&e.cfg.Account)
	if want = w.Qty - w.Filled; math.IsInf(want, 1) {
		want = e.sizedAtFill(i, ref)
	}
	wanted := func(price float64) float64 {
		if w.Notional() {
			return w.Amount / price
		}
		return want
	}
	price = e.priceOf(i, w, ref, func(price float64) float64 {
		return min(cap, e.affordable(w.Side, billed(w), wanted(price), price, money))
	})
	want = wanted(price)
	qty, why = e.affordable(w.Side, billed(w), want, price, money), order.NoCash
	if cap < qty {
		qty, why = cap, order.NoVolume
	}
	qty = size.Floor(qty)
	if at := e.price(i, w.Side, ref, w.Limit, qty); !w.Notional() {
		price = at
	} else if at < price*(1-1e-6) {
		price = 0 // no number of shares brings the amount
	}
	return want, qty, price, why
}

// lack counts an entry of which money does not pay so many shares at a price, USD; each entry once.
func (e *engine) lack(w *order.Working, shares, price float64) {
	if w.Short {
		return
	}
	w.Short = true
	e.counts.Short.Orders++
	e.counts.Short.Most = max(e.counts.Short.Most, float64(shares*price))
}

// turnDown counts a fill that did not come about. An order that gets its size when it fills ends there, if
// the money is not enough.
func (e *engine) turnDown(i int32, shown, why order.Refusal) {
	e.refuse(shown)
	if why == order.NoCash && e.play(i).cfg.Size.At == order.AtFill {
		e.st[i].working = false
	}
}

// billed is what a working entry has traded and been charged so far.
func billed(w *order.Working) fill.Billed {
	return fill.Billed{Qty: w.Dealt, Value: w.Value, Charged: w.Charged, Tiered: w.Tiered}
}

// enter starts a position's state.
func (e *engine) enter(i int32, ref float64, p phase, rule fill.Rule) {
	s := &e.st[i]
	switch s.by = order.Market; rule {
	case fill.LimitOpen, fill.LimitInBar:
		s.by = order.Limit
	case fill.StopOpen, fill.StopInBar:
		s.by = order.Stop
	}
	s.side, s.entered, s.ref = s.intent, p.entered(), ref
	s.joined, s.before = fill.Before, math.Inf(1)
	s.dec, s.plan = s.plan, s.dec // swapped, so that both keep their memory
	s.held, s.hi, s.lo = 0, ref, ref
	if e.deciding {
		s.held = 1 // this close was the entry bar's
	}
	s.exiting, s.guard, s.adds, s.partly = false, s.dec.guard, 0, false
	s.initial, s.parts, s.memory = 0, append(s.parts[:0], part{}), s.memory[:0] // the first part is the whole
	for k := range s.side.Exits {
		for len(s.parts) < s.side.Exits[k].Item+2 {
			s.parts = append(s.parts, part{})
		}
		s.memory = append(s.memory, math.NaN())
		s.partly = s.partly || s.side.Exits[k].Part < 1
	}
	if e.play(i).code != nil {
		s.parts = append(s.parts, part{}) // the last one is for reductions
	}
}

// entryLevels sets the exits that work in the bar of the entry: the decision bar's columns with the
// price actually paid.
func (e *engine) entryLevels(i int32) {
	s := &e.st[i]
	e.vars.Var = [expr.NumPositionVars]float64{}
	e.vars.Var[expr.EntryPrice] = e.entryPrice(i)
	e.vars.Var[expr.HighSince], e.vars.Var[expr.LowSince] = s.ref, s.ref
	e.vars.Var[expr.Equity] = s.dec.equity
	e.vars.Frozen = s.dec.frozen
	e.setLevels(i, s.dec.row, s.dec.ratio, s.dec.step)
	e.countBeyond(i)
}

// book a fill; tag is that of an entry.
func (e *engine) book(i int32, side order.Side, qty, ref, price, fee, levy float64, reason string, rule fill.Rule, decided int32, entry bool, tag int32) {
	s, twin := &e.st[i], &e.st[e.m.twin(i)]
	x := portfolio.Execution{Sym: i, Side: side, Qty: qty, Ref: ref, Price: price, Fee: fee + levy, Step: e.t, Row: s.row, Tag: tag, Reason: reason}
	twin.used, twin.usedAt = e.usedOf(i)+qty, e.t
	s.stands = false
	if len(e.cfg.Costs.Commission.Tiers) > 0 {
		e.month(qty)
	}
	e.books.Book(x)
	volume := e.m.syms[i].bars.Volume[s.row]
	if qty > 0.1*volume {
		e.counts.LargeFills++
	}
	if e.unpriced(i, s.row) {
		e.cheap++
	}
	if decided == e.t && rule == fill.AtClose && reason != "end" {
		e.counts.SameBarFills++
	}
	e.fills = append(e.fills, execution{Execution: x, rule: rule, decided: decided, entry: entry, volume: volume, levy: levy})
	e.writeFill()
}

// entryPrice is the average price of the position's lots, in today's basis.
func (e *engine) entryPrice(i int32) float64 {
	lots := e.books.Pos[i].Lots
	if len(lots) == 1 {
		return lots[0].Price
	}
	value, qty := 0.0, 0.0
	for k := range lots {
		value += float64(lots[k].Qty * lots[k].Price)
		qty += lots[k].Qty
	}
	return value / qty
}
