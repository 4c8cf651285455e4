package backtest

import (
	"math"

	"backtester/backtest/bar"
	"backtester/backtest/expr"
	"backtester/backtest/fill"
	"backtester/backtest/instrument"
	"backtester/backtest/order"
	"backtester/backtest/portfolio"
	"backtester/backtest/strategy"
)

// newSession runs before the first step of a session: what the nights cost, dividends that are due,
// then for every active symbol splits and dividends by their dates, of one day splits first, and delistings.
func (e *engine) newSession() {
	e.carry()
	e.expire()
	today := e.m.date[e.t]
	for k := 0; k < len(e.active); k++ {
		i := e.active[k]
		s, bars := &e.st[i], e.m.syms[i].bars
		s.exDiv = 0
		if bars.Adjusted {
			e.applyEnd(i)
			continue
		}
		first := min(today, e.m.firstSession(e.t))
		for a := bars.Actions.Splits; int(s.split) < len(a) && a[s.split].Ex <= today; s.split++ {
			e.dividends(i, min(first, a[s.split].Ex-1)) // for the shares of then
			e.applySplit(i, a[s.split])
		}
		e.dividends(i, first)
		e.applyEnd(i)
	}
}

// dividends pays everything that goes ex up to a date, for shares as the splits that were applied have made them.
func (e *engine) dividends(i int32, until instrument.Date) {
	s, a := &e.st[i], &e.m.syms[i].bars.Actions
	basis := instrument.None
	if s.split > 0 {
		basis = a.Splits[s.split-1].Ex
	}
	for ; int(s.div) < len(a.Dividends) && a.Dividends[s.div].Ex <= until; s.div++ {
		d := a.Dividends[s.div]
		d.Cash = a.CashOn(d, basis)
		e.applyDividend(i, d)
	}
}

// midBarDividends pays what went ex after the first session of a bar of weeks or months, to what is
// held at its end: an entry at the bar's open holds the shares by then.
func (e *engine) midBarDividends() {
	if e.m.frame.Unit != bar.Week && e.m.frame.Unit != bar.Month {
		return
	}
	for _, i := range e.active {
		if !e.m.syms[i].bars.Adjusted {
			e.dividends(i, e.m.date[e.t])
		}
	}
}

// firstSession of step t: its date, for weeks and months the date they begin with.
func (m *market) firstSession(t int32) instrument.Date {
	if m.daily {
		return instrument.DateOfNanos(m.time[t])
	}
	return m.date[t]
}

// carry posts interest, borrow fees and due dividends for the calendar nights since the last session.
func (e *engine) carry() {
	if len(e.books.Held) == 0 && !e.books.Carries(&e.cfg.Account) {
		return
	}
	before := e.books.Flows
	e.books.Carry(e.night(e.m.date[e.t-1], e.m.date[e.t]))
	e.books.Pay(int32(e.m.date[e.t]))
	e.writeNight(before)
}

// applySplit restates position, orders and levels. Cash in lieu is paid at the open of the split's session, or at
// the last close restated when the symbol has no bar there, also where this step is a later session.
func (e *engine) applySplit(i int32, sp instrument.Split) {
	s := &e.st[i]
	ratio := sp.To / sp.From
	price := e.books.Pos[i].Mark / ratio
	if s.here && e.m.cal.Prev(e.m.firstSession(e.t)) < sp.Ex {
		price = e.m.syms[i].bars.Open[s.row]
	}
	closed, held := len(e.books.Closed), e.books.Pos[i].Qty != 0
	e.books.Split(i, ratio, price, portfolio.Execution{Step: e.t, Row: s.row, Reason: "cash_in_lieu"})
	if gone := e.books.Closed[closed:]; len(gone) > 0 {
		qty := 0.0
		for k := range gone { // a trade each lot
			qty += gone[k].Qty
		}
		e.fills = append(e.fills, execution{Execution: portfolio.Execution{Sym: i, Side: closing(gone[0].Long), Qty: qty,
			Ref: price, Price: price, Step: e.t, Row: s.row, Reason: "cash_in_lieu"}, rule: fill.InLieu, decided: e.t})
		s.exiting = false
		s.leave()
	}
	if e.journal != nil && held {
		e.write(i, Entry{What: Split, Price: price, Ratio: ratio, Rule: string(fill.InLieu)})
	}
	frozen := e.play(i).rules.Program.Frozen()
	s.dec.restate(frozen, ratio)
	s.plan.restate(frozen, ratio)
	s.hi, s.lo, s.exDiv = s.hi/ratio, s.lo/ratio, s.exDiv/ratio
	for k := range s.within {
		s.within[k].distance /= ratio
	}
	for k := range s.memory {
		s.memory[k] /= ratio
	}
	s.initial *= ratio
	for k := range s.ways {
		s.ways[k].price /= ratio
	}
	for k := range s.parts {
		s.parts[k].closed *= ratio
		s.parts[k].shares *= ratio
	}
	s.guard, s.stands = s.guard.split(ratio), false
	if s.working {
		s.entry.Split(ratio, e.books.Fractional)
		if o := s.other(); o != nil {
			o.entry.Split(ratio, e.books.Fractional)
		}
		if s.entry.Expires == never && ratio < 1 {
			e.annul(s) // resting gtc orders are cancelled on reverse splits
		}
	}
}

// restate keeps what was frozen at a decision in today's basis.
func (d *decision) restate(frozen []expr.Frozen, ratio float64) {
	d.ratio *= ratio
	d.guard = d.guard.split(ratio)
	for k, f := range frozen {
		if k < len(d.frozen) {
			d.frozen[k] = restate(d.frozen[k], f.Unit.Price, f.Unit.Share, ratio)
		}
	}
}

// restate a number with the given powers for a split into ratio.
func restate(x float64, price, share int8, ratio float64) float64 {
	for k := price - share; k > 0; k-- {
		x /= ratio
	}
	for k := price - share; k < 0; k++ {
		x *= ratio
	}
	return x
}

// closing is the side that closes a long (sell) or a short (buy).
func closing(long bool) order.Side {
	if long {
		return order.Sell
	}
	return order.Buy
}

// closesBy is the side that closes a position of so many shares.
func closesBy(qty float64) order.Side { return closing(qty > 0) }

// applyDividend pays holders of the last session's close, now or on the pay date. Resting gtc buy
// limits, those if touched among them, and sell stops drop by the dividend, unless they are marked do-not-reduce.
func (e *engine) applyDividend(i int32, d instrument.Dividend) {
	s := &e.st[i]
	s.exDiv += d.Cash
	pay := d.Pay
	if e.cfg.Account.Dividends != portfolio.OnPayDate || pay == instrument.None {
		pay = d.Ex
	}
	e.books.Dividend(i, d.Cash, pay <= e.m.date[e.t], int32(pay))
	e.writeDividend(i, d, pay)
	if !s.working || s.entry.Expires != never {
		return
	}
	e.reduceOrder(&s.entry, s.intent, d.Cash)
	if o := s.other(); o != nil {
		e.reduceOrder(&o.entry, o.intent, d.Cash)
		s.entry.Reserve = max(s.entry.Reserve, o.entry.Reserve)
		o.entry.Reserve = s.entry.Reserve
	}
}

// reduceOrder lowers the price of a resting order by a dividend, and the money set aside for it.
func (e *engine) reduceOrder(w *order.Working, by *strategy.SideRules, cash float64) {
	switch {
	case by.Entry.Settings.DNR || w.Market():
		return
	case w.Side == order.Buy && math.IsNaN(w.Trigger):
		w.Limit -= cash
	case w.Touch == (w.Side == order.Buy) && !math.IsNaN(w.Trigger):
		w.Trigger -= cash
		w.Limit -= cash
	default:
		return
	}
	if w.Price -= cash; !w.Notional() {
		e.setAside(w)
	}
}

// expire drops entries whose last session is over. Sessions in which no symbol of the run traded have
// no step, but they pass.
func (e *engine) expire() {
	for _, i := range e.orders {
		if s := &e.st[i]; s.working && e.m.session[e.t] > s.entry.Expires {
			e.cancel(s)
		}
	}
}

// expired reports whether a working entry's last session is over when this step ends, by the clock and not by
// what bars follow: the regular session, where the order may fill in extended hours these too.
func (e *engine) expired(s *state) bool {
	switch {
	case s.entry.Expires == never:
		return false
	case s.entry.TIF == order.GTD && e.t == e.last:
		return e.over(&s.entry)
	}
	next := e.m.session[e.t]
	if !e.m.goesOn(int(e.t)) && !(e.late(s) && e.m.evening(int(e.t))) {
		next++
	}
	return next > s.entry.Expires
}

// sessionUntil is the number of the last session up to a day, whether or not it will have a bar; of weeks and months
// that of the last bar there is.
func (e *engine) sessionUntil(until instrument.Date) int32 {
	n := e.m.session[e.t]
	if u := e.m.frame.Unit; u != bar.Week && u != bar.Month {
		return n + int32(e.m.cal.Count(e.m.date[e.t]+1, until))
	}
	for t := e.t + 1; t <= e.last && e.m.date[t] <= until; t++ {
		n = e.m.session[t]
	}
	return n
}

// late reports whether a working entry, or the one beside it, may fill in extended hours.
func (e *engine) late(s *state) bool {
	if e.cfg.Fills.Extended != fill.ExtendedLimit {
		return false
	}
	o := s.other()
	return s.entry.Resting() || o != nil && o.entry.Resting()
}

// applyEnd acts on the session after the last bar of a symbol that was delisted: a position is closed
// at the last close less the haircut, a working entry is cancelled.
func (e *engine) applyEnd(i int32) {
	s, bars := &e.st[i], e.m.syms[i].bars
	p := &e.books.Pos[i]
	if s.here || int(s.row) != bars.Len()-1 || !e.m.gone(bars) {
		return
	}
	e.annul(s)
	s.exiting = false
	if p.Qty == 0 {
		return
	}
	price := p.Mark * (1 - e.cfg.Account.Haircut)
	x := portfolio.Execution{Sym: i, Side: closing(p.Qty > 0), Qty: math.Abs(p.Qty), Ref: price, Price: price, Step: e.t, Row: s.row, Reason: "delisted"}
	e.books.Book(x)
	e.fills = append(e.fills, execution{Execution: x, rule: fill.Delisted, decided: e.t})
	e.writeFill()
}

// goodbyes adds the session after the last bar of a symbol that was delisted, if it lies in the range:
// a position is closed there, although perhaps nothing trades.
func (m *market) goodbyes() {
	for i := range m.syms {
		next := m.goodbye(m.syms[i].bars)
		if next == instrument.None {
			continue
		}
		at := next.Nanos()
		if !m.daily {
			at, _, _, _ = m.cal.Hours(next)
		}
		m.time = union(m.time, []int64{at})
	}
}

// goodbye is the session in which a position in a symbol that was delisted is closed, None for none in the range.
func (m *market) goodbye(b *bar.Series) instrument.Date {
	if !m.gone(b) {
		return instrument.None
	}
	next := m.cal.Next(m.dateOf(b.Time[b.Len()-1]))
	if next == instrument.Forever || m.to != instrument.None && next > m.to {
		return instrument.None
	}
	return next
}

// gone reports whether a symbol's last bar is its last for ever: reference data says that it was
// delisted by the end of the range, or its source covers 20 later sessions without it.
func (m *market) gone(b *bar.Series) bool {
	return b.Ended || b.Delisted != instrument.None && (m.to == instrument.None || b.Delisted <= m.to)
}

// marginCalls are closes at which equity was less than maintenance asks for.
type marginCalls struct {
	closes int
	first  int32   // step of the first of them, with its
	equity float64 // USD
	short  float64 // what was missing, USD
}

// callMargin decides to close what cures a deficit, at the next open.
func (e *engine) callMargin() {
	deficit := e.books.Deficit(&e.cfg.Account)
	if deficit <= 0 {
		return
	}
	if e.calls.closes++; e.calls.closes == 1 {
		e.calls.first, e.calls.equity, e.calls.short = e.t, e.equity, deficit
	}
	e.liquidate = e.books.Liquidation(deficit, e.liquidate)
	for _, i := range e.liquidate {
		e.call(i)
	}
}

// call closes a position for a margin call, at the next open. What works already and closes all of it is hastened.
func (e *engine) call(i int32) {
	s := &e.st[i]
	e.exit(i, "margin_call", whole)
	for k := range s.parts {
		o := &s.parts[k]
		o.called = o.called || o.working && e.fraction(s, k) >= 1
	}
}

// calledIn reports whether the position is closed by a margin call.
func (s *state) calledIn() bool {
	for k := 0; s.exiting && k < len(s.parts); k++ {
		if o := &s.parts[k]; o.working && o.called {
			return true
		}
	}
	return false
}

// delistWarning says what a loss on delisted positions would have cost, where the run assumes none: the last close
// is what nobody may have been paid. What later orders would have been is left out.
func (e *engine) delistWarning(add func(code, format string, args ...any)) {
	if e.cfg.Account.Haircut > 0 {
		return
	}
	n, net := int64(0), 0.0 // positions, and longs less shorts at their last closes, USD
	for k := range e.fills {
		if f := &e.fills[k]; f.rule == fill.Delisted {
			n++
			net += f.Qty * f.Price * -float64(f.Side)
		}
	}
	if n > 0 {
		add("delisted_held", "closed by a delisting at the last close, which nobody may have been paid: %s. The run ends at %.2f USD, with 30 %% of that price lost at %.2f, with all of it at %.2f, later orders apart (delisting_haircut)",
			several(n, "position"), e.equity, e.equity-0.3*net, e.equity-net)
	}
}
