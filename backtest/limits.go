package backtest

import (
	"math"
	"slices"

	"backtester/backtest/expr"
	"backtester/backtest/order"
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
		s, err := attached(cfg, l.Groups, "symbol", "group|sector|industry|category")
		if err != nil {
			return err
		}
		of := map[string]string{}
		for {
			ok, err := s.next()
			if err != nil {
				return err
			}
			if !ok {
				break
			}
			of[s.text(0)] = s.text(1)
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
	if w.Notional() {
		if w.Amount > room {
			w.Amount = room
		}
		if !(w.Amount > 0) {
			return why
		}
		return order.Accepted
	}
	if w.Qty*price <= room {
		return order.Accepted
	}
	want := w.Qty
	w.Qty = size.Floor(room / price)
	switch {
	case !(w.Qty > 0):
		return why
	case size.AllOrNone && w.Qty < want:
		return order.CutAllOrNone
	}
	return order.Accepted
}

// exposure is what a new order of a symbol would join.
func (e *engine) exposure(w *order.Working, i int32, by *bounds) order.Exposure {
	x := order.Exposure{Equity: e.equity * by.share, Grouped: by.groups != nil && by.groups[i] >= 0}
	late := e.cfg.Fills.Market != "next_open" && w.Auction != order.CloseOnly // exits come too late for it
	add := func(k int32, side order.Side, value float64, whole bool) {
		value = float64(value) // of a product: not fused with the sums below, which differ between processors then
		if by.play >= 0 && e.apart(k, by.play) {
			return
		}
		one := e.m.twin(k) == e.m.twin(i)
		same := one && side == w.Side
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
		if t := &closed[k]; e.apart(t.Sym, play) {
			continue
		} else if t.PnL > 0 {
			r.Wins++
			r.Won += t.PnL / t.Value
		} else {
			r.Losses++
			r.Lost -= t.PnL / t.Value
		}
	}
	return r
}

// barsPerYear of the run's frame; within the day by bars of the regular session of 390 minutes.
func (m *market) barsPerYear() float64 {
	if m.daily {
		return m.perYear()
	}
	return m.perYear() * 390 / m.frame.Duration().Minutes()
}
