package backtest

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"backtester/backtest/expr"
	"backtester/backtest/fill"
	"backtester/backtest/order"
	"backtester/backtest/portfolio"
)

// bounds are the limits of a strategy, or with play -1 those of an account of several.
type bounds struct {
	limits    *order.Limits
	share     float64  // of equity, of which they are fractions
	play      int32    // whose positions count
	groups    []int32  // of each symbol of the market, -1 without one; nil when no limit asks
	ungrouped []string // symbols without a group
}

// grouped reads what group each symbol is in, by number; -1 is none.
func (b *bounds) grouped(e *engine, cfg *Config) error {
	l := b.limits
	if l.Groups == "" {
		return nil
	}
	names := make([]string, len(e.m.syms))
	switch l.Groups {
	case order.ByType, order.ByExchange:
		category := expr.TypeCategory
		if l.Groups == order.ByExchange {
			category = expr.ExchangeCategory
		}
		for i := range names {
			names[i] = e.m.syms[i].facts[category]
		}
	default:
		of, err := groupsOf(cfg, l.Groups)
		if err != nil {
			return err
		}
		for i := range names {
			if names[i] = of[e.m.syms[i].name]; names[i] == "" {
				names[i] = of[e.m.syms[i].ticker]
			}
		}
	}
	number := map[string]int32{}
	b.groups = make([]int32, len(names))
	for i, name := range names {
		b.groups[i] = -1
		if b.play >= 0 && e.apart(int32(i), b.play) {
			continue
		}
		if name == "" {
			b.ungrouped = append(b.ungrouped, e.m.syms[i].name)
			continue
		}
		k, known := number[name]
		if !known {
			k = int32(len(number))
			number[name] = k
		}
		b.groups[i] = k
	}
	b.ungrouped = slices.Compact(b.ungrouped)
	return nil
}

// groupsOf reads a file that names the group of each symbol, or its code of the Standard Industrial
// Classification, whose division is the group then.
func groupsOf(cfg *Config, file string) (map[string]string, error) {
	s, err := attached(cfg, file, "symbol", "group|sector|industry|category?", "sic_code|sic?")
	switch {
	case err != nil:
		return nil, err
	case !s.has(1) && !s.has(2):
		return nil, inputf("read %s line 1: there is no column group, sector, industry, category or sic_code", file)
	}
	of := map[string]string{}
	for {
		ok, err := s.next()
		if err != nil || !ok {
			return of, err
		}
		switch {
		case s.has(1):
			of[s.text(0)] = s.text(1)
		case s.text(2) != "":
			code, err := strconv.Atoi(s.text(2))
			if of[s.text(0)] = division(code); err != nil || division(code) == "" {
				return nil, s.fault("%q is no code of the Standard Industrial Classification, such as 3571", s.text(2))
			}
		}
	}
}

// division of the Standard Industrial Classification of 1987 that a code of four digits lies in; "" for none.
func division(code int) string {
	for _, d := range [...]struct {
		first, last int
		name        string
	}{
		{100, 999, "agriculture"}, {1000, 1499, "mining"}, {1500, 1799, "construction"}, {2000, 3999, "manufacturing"}, {4000, 4999, "transport and utilities"},
		{5000, 5199, "wholesale"}, {5200, 5999, "retail"}, {6000, 6799, "finance"}, {7000, 8999, "services"}, {9100, 9729, "public administration"}, {9900, 9999, "other"},
	} {
		if d.first <= code && code <= d.last {
			return d.name
		}
	}
	return ""
}

// warn of symbols that no limit of a group binds.
func (b *bounds) warn(add func(code, format string, args ...any)) {
	if len(b.ungrouped) > 0 {
		add("no_group", "%s has no group for %s: no limit of a group binds them", b.limits.Groups, list(b.ungrouped))
	}
}

// limit cuts a new order to the limits of its strategy, and to those of an account of several. What market
// exits will close by the same auction does not count any more, as in available.
func (e *engine) limit(w *order.Working, i int32, price float64, size *order.Size) order.Refusal {
	why := e.boundBy(w, i, price, size, &e.play(i).bounds)
	if e.overall != nil && why == order.Accepted {
		why = e.boundBy(w, i, price, size, e.overall)
	}
	return why
}

// boundBy cuts a new order to limits.
func (e *engine) boundBy(w *order.Working, i int32, price float64, size *order.Size, by *bounds) order.Refusal {
	l := by.limits
	if *l == (order.Limits{}) {
		return order.Accepted
	}
	room, why := l.Room(w.Side, e.exposure(w, i, by), math.Inf(1))
	cut := w.Amount-room > e.dust()
	if w.Notional() {
		w.Amount = min(w.Amount, room)
	} else if want := w.Qty; want*price > room {
		w.Qty = size.Floor(room / price)
		cut = (want-w.Qty)*price > e.dust()
	}
	switch {
	case !(w.Qty > 0) && !(w.Amount > 0):
		return why
	case size.AllOrNone && cut:
		return order.CutAllOrNone
	}
	return order.Accepted
}

// available is the money of the account and the slots of the strategy that a new order of a symbol may count
// on: what is there, less what works already, plus what market exits will free in the same auction or an
// earlier phase.
func (e *engine) available(w *order.Working, of int32) (money float64, slots int) {
	money = e.books.Room(&e.cfg.Account)
	play := e.m.syms[of].play
	slots = e.plays[play].cfg.Size.MaxPositions - e.heldBy(of)
	for _, i := range e.orders {
		s := &e.st[i]
		if !s.working {
			continue
		}
		money -= s.entry.Reserve
		if (e.books.Pos[i].Qty == 0 || s.intent != s.side) && !e.apart(i, play) {
			slots--
		}
	}
	for n := 0; n < len(e.books.Held); {
		_, qty, mark, next := e.books.Security(n)
		left := qty // of the security, by all strategies
		for _, i := range e.books.Held[n:next] {
			if !e.st[i].exiting || w.Auction != order.CloseOnly && !e.leavesEarly(&e.st[i]) {
				continue // exits at the close come too late for it
			}
			held, closing := e.books.Pos[i].Qty, e.leaving(i)
			if closing >= math.Abs(held) && !e.apart(i, play) {
				slots++
			}
			money -= e.burden(e.leavingFee(i, closing) + e.levy(closesBy(held), closing, mark))
			left -= math.Copysign(closing, held)
		}
		if e.cfg.Account.Kind == portfolio.Proceeds { // to buy back takes cash
			money += float64((qty - left) * mark)
		} else {
			money += float64((math.Abs(qty) - math.Abs(left)) * mark)
		}
		n = next
	}
	return money, slots
}

// leavesEarly reports whether what works to close a position does so before the closing auction.
func (e *engine) leavesEarly(s *state) bool {
	if s.calledIn() {
		return true
	}
	for k := range s.parts {
		if o := &s.parts[k]; o.working && (o.auction == order.CloseOnly || o.auction == order.AnyTime && e.cfg.Fills.Market != fill.NextOpen) {
			return false
		}
	}
	return true
}

// exposure is what a new order of a symbol would join.
func (e *engine) exposure(w *order.Working, i int32, by *bounds) order.Exposure {
	x := order.Exposure{Equity: e.equity * by.share, Grouped: by.groups != nil && by.groups[i] >= 0}
	late := e.cfg.Fills.Market != "next_open" && w.Auction != order.CloseOnly // exits come too late for it
	e.counted = e.counted[:0]
	add := func(k int32, side order.Side, value float64, whole bool) {
		value = float64(value) // of a product: not fused with the sums below, which differ between processors then
		if by.play >= 0 && e.apart(k, by.play) {
			return
		}
		one := e.m.twin(k) == e.m.twin(i)
		same := one && side == w.Side
		if whole && by.play < 0 { // what several strategies hold of one security is one position of the account
			key := e.m.twin(k)
			if side == order.Sell {
				key = ^key
			}
			whole = !slices.Contains(e.counted, key)
			e.counted = append(e.counted, key)
		}
		x.Held = x.Held || same
		if side == order.Buy {
			x.Long += value
		} else {
			x.Short += value
		}
		if whole && !same {
			if side == order.Buy {
				x.Longs++
			} else {
				x.Shorts++
			}
		}
		if one {
			x.Symbol += value
		}
		if x.Grouped && by.groups[k] == by.groups[i] {
			x.Group += value
			if whole && !same {
				x.InGroup++
			}
		}
	}
	for _, k := range e.books.Held {
		p := &e.books.Pos[k]
		qty := math.Abs(p.Qty)
		if e.st[k].exiting && !late {
			qty -= e.leaving(k)
		}
		if qty > 0 {
			add(k, closing(p.Qty > 0).Opposite(), qty*p.Mark, true)
		}
	}
	for _, k := range e.orders {
		s := &e.st[k]
		if !s.working {
			continue
		}
		o := &s.entry
		value := (o.Qty - o.Filled) * o.Price
		if o.Notional() {
			if value = o.Amount; math.IsInf(value, 1) {
				value = o.Reserve
			}
		}
		add(k, o.Side, value, e.books.Pos[k].Qty*float64(o.Side) <= 0)
	}
	return x
}

// trackRecord is how the last n closed trades of a strategy went.
func (e *engine) trackRecord(play int32, n int) order.Record {
	r := order.Record{}
	closed := e.books.Closed
	from := len(closed)
	for own := 0; from > 0 && own < n; {
		if from--; !e.apart(closed[from].Sym, play) {
			own++
		}
	}
	for k := from; k < len(closed); k++ {
		t := &closed[k]
		if e.apart(t.Sym, play) {
			continue
		}
		switch r.Trades++; {
		case t.PnL > 0:
			r.Wins++
			r.Won += t.PnL / t.Value
		case t.PnL < 0:
			r.Losses++
			r.Lost -= t.PnL / t.Value
		}
	}
	return r
}

// crowdWarning says so where more entries work than there are slots.
func (p *play) crowdWarning(add func(code, format string, args ...any)) {
	for _, side := range p.sides {
		if side == nil || side.Entry.Settings.Over == 0 {
			continue
		}
		add("overplaced", "%s", p.named(fmt.Sprintf("up to %d more entries work than there are slots (entry.overplace): of those that one bar reaches the lowest rank fills first, as if the market had picked the worst", side.Entry.Settings.Over)))
	}
}

// kellyWarning says so where a Kelly size has ended a strategy: nothing is held, the last trades ask for no
// weight, and without a trade they stay the last.
func (e *engine) kellyWarning(play int32, add func(code, format string, args ...any)) {
	p := &e.plays[play]
	k := p.cfg.Size.Kelly
	if k == nil {
		return
	}
	for i := range e.books.Pos {
		if e.m.syms[i].play == play && e.books.Pos[i].Qty != 0 {
			return
		}
	}
	r := e.trackRecord(play, k.Trades)
	if n := r.Trades; n >= k.Trades && !(r.Kelly() > 0) {
		add("kelly_stopped", "%s", p.named(fmt.Sprintf("the last %d trades closed, %d with a profit, have a Kelly weight that is not above 0: no entry was made after them, and none can be, as only trades change it",
			n, r.Wins)))
	}
}
