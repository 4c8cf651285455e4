package backtest

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"backtester/backtest/bar"
	"backtester/backtest/fill"
	"backtester/backtest/instrument"
	"backtester/backtest/order"
)

// Orders is what the last bar of a run leaves to be done in the next session: what a trader would send
// to a broker before it. Stops and targets of positions that are yet to be entered are not among them,
// because they depend on the price that is paid.
type Orders struct {
	Strategy string         `json:"strategy"`
	Decided  string         `json:"decided"` // the last bar
	Session  string         `json:"session"` // in which the orders work first
	Cash     float64        `json:"cash"`    // at the last close, USD
	Equity   float64        `json:"equity"`
	Orders   []PendingOrder `json:"orders"` // exits by symbol, then entries in the order in which they are served
	Warnings []Warning      `json:"warnings"`
}

// PendingOrder is an order that works after the last bar.
type PendingOrder struct {
	Symbol   string   `json:"symbol"`
	Ticker   string   `json:"ticker,omitempty"`   // under which it traded last, where that is another than Symbol
	Strategy string   `json:"strategy,omitempty"` // which of several
	Side     string   `json:"side"`               // buy | sell | short | cover
	Quantity *float64 `json:"quantity"`           // shares; null for an amount of money
	Amount   *float64 `json:"amount,omitempty"`
	Type     string   `json:"type"`            // market, limit, stop, stop_limit, limit_if_touched, moo, moc, trailing_stop
	Price    *float64 `json:"price"`           // limit or trigger, USD as traded; null for none
	Limit    *float64 `json:"limit,omitempty"` // worst price once the trigger of price is reached
	Trail    *float64 `json:"trail,omitempty"` // how far a trailing stop follows the price of the session, USD a share
	TIF      string   `json:"tif"`
	Until    string   `json:"until,omitempty"` // last session of a gtd order
	Decided  string   `json:"decided"`         // bar whose close decided it
	Reason   string   `json:"reason"`          // entry, or the exit's name
	OCO      int      `json:"oco,omitempty"`   // number of the pair of entries it belongs to: the first to fill cancels the other
}

// Pending plays cfg like RunWith, lets the last bar decide too, and lists the orders that work then.
// Nothing is liquidated at the end of the run.
func Pending(ctx context.Context, cfg *Config, src bar.Source, o Options) (*Orders, error) {
	rules, err := rulesFor(cfg, o, src)
	if err != nil {
		return nil, err
	}
	open := *cfg
	open.Fills.End = fill.EndMark
	k := task{cfg: &open, rules: rules, options: o}
	m, err := k.load(ctx, src)
	if err != nil {
		return nil, err
	}
	m.cut(m.last) // whatever ends in the next session, it is yet to come
	e, err := k.engine(m)
	if err != nil {
		return nil, err
	}
	e.finer = magnifier(ctx, k.cfg, src, m)
	e.follow = &follower{until: e.last}
	if err := e.run(ctx); err != nil {
		return nil, err
	}
	out := &Orders{Strategy: cfg.Name, Decided: m.stamp(e.last), Session: m.sessionAfter().String(),
		Cash: e.books.Cash, Equity: e.equity, Orders: []PendingOrder{}, Warnings: dropWarning(e.warnings(src, nil), "no_benchmark")}
	if e.stopped {
		out.Decided = m.stamp(e.t)
		return out, nil
	}
	var side []string // symbols of which more is to be sold, or bought back, than is held
	for _, i := range e.books.Held {
		n, sum := len(out.Orders), 0.0
		out.Orders = e.pendingExits(out.Orders, i)
		for _, p := range out.Orders[n:] {
			sum += *p.Quantity
		}
		if held := math.Abs(e.books.Pos[i].Qty); sum > held+1e-9*held && !slices.Contains(side, e.m.syms[i].name) {
			side = append(side, e.m.syms[i].name)
		}
	}
	if len(side) > 0 {
		out.Warnings = append(out.Warnings, Warning{"exits_side_by_side", fmt.Sprintf("several ways out of one position work side by side, together for more than is held: when one fills, reduce or cancel the others (%s)", list(side))})
	}
	pairs := 0
	for _, i := range e.orders {
		s := &e.st[i]
		if !s.working || e.over(&s.entry) {
			continue
		}
		p := e.pendingEntry(i, &s.entry)
		if o := s.other(); o != nil {
			pairs++
			p.OCO = pairs
			out.Orders = append(out.Orders, p)
			p = e.pendingEntry(i, &o.entry)
			p.OCO = pairs
		}
		out.Orders = append(out.Orders, p)
	}
	return out, nil
}

// renamed is the ticker at the last bar, by which an order has to be sent; "" where it is the name.
func (s *symbol) renamed() string {
	if s.bars.Ticker == s.name {
		return ""
	}
	return s.bars.Ticker
}

// sessionAfter is the session whose bars come next: that of the last bar while it goes on.
func (m *market) sessionAfter() instrument.Date {
	t := len(m.time) - 1
	if m.goesOn(t) {
		return m.date[t]
	}
	return m.nextSession(m.date[t])
}

// nextSession is the session after d. A calendar that is made of the rows of a file ends with them: what
// comes then is every day for a market that trades on weekends, else what the exchange has planned.
func (m *market) nextSession(d instrument.Date) instrument.Date {
	switch next := m.cal.Next(d); {
	case next != instrument.Forever:
		return next
	case m.cal.SessionsPerYear() > 300:
		return d + 1
	}
	return bar.NYSE().Next(d)
}

// over reports whether a working entry has no session left after the last bar.
func (e *engine) over(w *order.Working) bool {
	next := e.m.sessionAfter()
	if w.TIF == order.GTD {
		return w.Until < next
	}
	return next > e.m.date[e.last] && w.Expires <= e.m.session[e.last]
}

// firstChance is the session in which an order decided at this close works first.
func (e *engine) firstChance(w *order.Working) instrument.Date {
	switch today := e.m.date[e.t]; {
	case e.thisClose() && w.Auction == order.CloseOnly:
		return today
	case e.t == e.last && e.m.sessionAfter() == today && !e.missed(w):
		return today
	case e.t == e.last && e.m.sessionAfter() > today:
		return e.m.sessionAfter()
	case !e.inSession(w):
		return e.m.nextSession(today)
	default:
		return today
	}
}

// missed reports whether the auction that an order is for is over in the session of this step, which goes on.
func (e *engine) missed(w *order.Working) bool {
	closing := e.m.closing(int(e.t))
	return w.Auction == order.OpenOnly && e.m.opened(int(e.t)) || w.Auction == order.CloseOnly && e.m.endStamp(int(e.t), closing) > closing-cutoff
}

// pendingEntry describes a working entry.
func (e *engine) pendingEntry(i int32, w *order.Working) PendingOrder {
	p := PendingOrder{Symbol: e.m.syms[i].name, Ticker: e.m.syms[i].renamed(), Strategy: e.strategyOf(i), Side: sideWord(w.Side, true), Price: given(w.Trigger), Limit: given(w.Limit),
		TIF: string(w.TIF), Decided: e.m.stamp(w.Decided), Reason: "entry"}
	if w.Notional() {
		p.Amount = given(w.Amount)
		if math.IsInf(w.Amount, 1) { // all cash
			p.Amount = given(cmp.Or(w.Reserve, e.books.Cash))
		}
	} else {
		p.Quantity = given(w.Qty - w.Filled)
		if math.IsInf(w.Qty, 1) {
			p.Quantity = nil // it gets its size when it fills
		}
	}
	switch {
	case w.Market() && w.Auction == order.CloseOnly:
		p.Type = string(order.MarketOnClose)
	case w.Market() && w.Auction == order.OpenOnly:
		p.Type = string(order.MarketOnOpen)
	case w.Market():
		p.Type = string(order.Market)
	case p.Limit == nil:
		p.Type = string(order.Stop)
	case p.Price == nil:
		p.Type, p.Price, p.Limit = string(order.Limit), p.Limit, nil
	case w.Touch:
		p.Type = string(order.LimitIfTouched)
	default:
		p.Type = string(order.StopLimit)
	}
	switch last := e.m.session[e.last]; {
	case w.TIF == order.GTD:
		p.Until = w.Until.String()
	case (w.TIF == order.DayOrder || w.TIF == "") && w.Expires > last+1: // max_wait
		d := e.m.date[e.last]
		for range w.Expires - last {
			d = e.m.nextSession(d)
		}
		p.TIF, p.Until = string(order.GTD), d.String()
	case w.TIF == "":
		p.TIF = string(order.DayOrder)
	}
	return p
}

// pendingExits appends the market orders, stops and targets of a position.
func (e *engine) pendingExits(dst []PendingOrder, i int32) []PendingOrder {
	s := &e.st[i]
	side := closing(e.books.Pos[i].Qty > 0)
	p := PendingOrder{Symbol: e.m.syms[i].name, Ticker: e.m.syms[i].renamed(), Strategy: e.strategyOf(i), Side: sideWord(side, false), TIF: string(order.DayOrder)}
	first := func(o *part) bool { // the open that closes it comes before any level
		return o.working && (o.auction == order.OpenOnly && e.m.daily || o.auction == order.AnyTime && e.due(o, atOpen, false, s.calledIn()))
	}
	for k := range s.parts {
		x := &s.parts[k]
		if !x.working {
			continue
		}
		p.Quantity, p.Type, p.Reason, p.Decided = given(e.left(i, k)), string(order.Market), x.reason, e.m.stamp(x.decided)
		switch {
		case x.auction == order.OpenOnly:
			p.Type = string(order.MarketOnOpen)
		case !e.due(x, atOpen, false, s.calledIn()):
			p.Type = string(order.MarketOnClose)
		}
		dst = append(dst, p)
		if first(x) && e.fraction(s, k) >= 1 {
			return dst // it takes all
		}
	}
	for _, w := range s.ways {
		left := e.left(i, w.item)
		if left <= 0 || first(&s.parts[w.item]) {
			continue
		}
		p.Quantity, p.Type, p.Price, p.Trail, p.Reason, p.Decided = given(left), string(order.Stop), given(w.price), nil, w.name, e.m.stamp(s.levelAt)
		if w.target {
			p.Type = string(order.Limit)
		}
		for _, in := range s.within {
			if w.trails && in.item == w.item {
				p.Type, p.Trail = "trailing_stop", given(in.distance+float64(in.fraction*e.books.Pos[i].Mark))
			}
		}
		dst = append(dst, p)
	}
	return dst
}

// given is a number that may be absent.
func given(x float64) *float64 {
	if math.IsNaN(x) {
		return nil
	}
	return &x
}
