package backtest

import (
	"math"
	"slices"

	"backtester/backtest/bar"
	"backtester/backtest/fill"
	"backtester/backtest/instrument"
	"backtester/backtest/portfolio"
	"backtester/backtest/strategy"
	"backtester/backtest/strategy/hook"
)

// Most bars of a position that is held are at rest: no order works, no level stands, no exit holds,
// nothing is split or paid. Such a bar does no more than mark the position. rest does that for as many
// bars as come in a row, with the values that step would give; whatever else might happen is left to
// step, which is the rule. Code that decides is asked at every close, in a position or out of it, and what it
// wants is for the bar after, which is not at rest any more; code that has periods is asked by step.

// restful reports whether rest knows everything that the settings can make happen at a bar.
func (e *engine) restful() bool {
	c, f := e.cfg, e.m.frame
	plain := f.Intraday() && !e.m.extended || f.Unit == bar.Day
	rules := e.plays[0].rules
	if code := e.plays[0].code; code != nil && (code.rebalance != nil || e.m.line != nil) {
		return false
	}
	closers := e.closers && (!e.coded || c.Fills.Levels == fill.AtCloses) // of code there are none while nothing works
	return plain && e.m.plays == nil && e.follow == nil && e.finer == nil && !closers && !e.watching && !c.Leave &&
		c.Fills.Market == fill.NextOpen && c.Account.Kind != portfolio.RegT &&
		c.Account.DebitRate == 0 && c.Account.CreditRate == 0 && c.Account.DebitSeries == "" && c.Account.CreditSeries == "" && c.Costs.Borrow == (fill.Borrow{}) && (rules.Long == nil || rules.Short == nil) && !adding(rules.Long) && !adding(rules.Short)
}

// adding reports whether positions of a side may be added to.
func adding(s *strategy.SideRules) bool { return s != nil && s.Entry.Add != 0 }

// rest plays the steps after e.t, up to the one before end, in which the only position does nothing but
// rest, or there is none and none is entered. It leaves e.t at the last step that was played.
func (e *engine) rest(end int32) {
	b := e.books
	until := min(end, e.t|4095+1)
	if e.meter.next < until {
		until = e.meter.next + 1 // the run says how far it has come at this step
	}
	flat := len(e.active) == 0
	if len(e.active) > 1 || until <= e.t+1 || len(e.orders) != 0 || b.Carries(&e.cfg.Account) || e.stopped {
		return
	}
	if len(e.m.syms) > 1 || flat { // a condition to enter what is held is none
		until = e.events.next(e.t+1, until)
	}
	if flat {
		e.restFlat(until)
		return
	}
	if len(b.Held) != 1 {
		return
	}
	i := e.active[0]
	s := &e.st[i]
	if s.exiting || s.exDiv != 0 || len(s.ways) > 0 || len(s.within) > 0 || b.Pos[i].Qty <= 0 || s.side == nil {
		return
	}
	before := e.t
	e.restHeld(i, until)
	e.inMarket += int64(e.t - before)
	e.see(i)
}

// restFlat is rest without a position: nothing moves, and code, if any decides, is asked.
func (e *engine) restFlat(until int32) {
	c := e.plays[0].code
	for t := e.t + 1; t < until; t++ {
		e.t = t
		wanted := false
		if c != nil {
			c.view.Move(t)
			if list, err := c.strategy.OnBar(c.view); len(list) > 0 || err != nil {
				wanted = e.answered(c, list, err)
			}
		}
		if e.record(); wanted {
			return
		}
	}
}

// restHeld is rest with a position in symbol i. It asks nothing at every bar that can be asked once, and leaves
// it to see to take in what the bars came to.
func (e *engine) restHeld(i, until int32) {
	s, sy, b, c, q := &e.st[i], &e.m.syms[i], e.books, e.plays[0].code, &e.quiet
	pos, step, first, start := &b.Pos[i], sy.step, s.row+1, e.t+1
	if next := s.nextAction(sy.bars); next != instrument.Forever {
		k, _ := slices.BinarySearch(e.m.date[start:until], next)
		until = start + int32(k)
	}
	rows := e.stays(s, sy, min(first+until-start, int32(sy.bars.Len())))
	last, high, low := sy.bars.Close[first:rows], sy.bars.High[first:rows], sy.bars.Low[first:rows]
	qty, cash, due := pos.Qty, b.Cash, b.Receivable
	for k, x := range last {
		t, value := start+int32(k), float64(qty*x)
		if step != nil && step[first+int32(k)] != t || cash+value <= 0 { // no bar, ruin
			return
		}
		e.t = t
		q.bars++
		if high[k] > q.hi {
			q.hi = high[k]
		}
		if low[k] < q.lo {
			q.lo = low[k]
		}
		pos.Mark = x
		e.equity = cash + due + value
		wanted := false
		if c != nil {
			c.view.Move(t)
			if list, err := c.strategy.OnBar(c.view); len(list) > 0 || err != nil {
				e.see(i)
				wanted = e.answered(c, list, err)
			}
		}
		if e.record(); wanted {
			return
		}
	}
}

// quiet is what bars of a position at rest came to that are not taken in yet.
type quiet struct {
	bars   int32
	hi, lo float64 // their extremes
}

// still is quiet of no bars.
var still = quiet{lo: math.Inf(1)}

// see takes in what the latest bars of a position at rest came to.
func (e *engine) see(i int32) {
	s, q := &e.st[i], &e.quiet
	s.row, s.held = s.row+q.bars, s.held+q.bars
	s.hi, s.lo = max(s.hi, q.hi), min(s.lo, q.lo)
	e.books.Extend(i, q.hi, q.lo, e.books.Pos[i].Mark)
	*q = still
}

// answered does what code wants after this close, and reports whether that was anything: then the bars after it
// are not at rest. Nothing has been filled that it is to be told of.
func (e *engine) answered(c *code, list []hook.Intent, err error) bool {
	e.ranked, c.said = e.ranked[:0], c.said[:0]
	e.heed(&e.plays[0], list, err)
	e.placeRanked()
	for _, i := range e.active {
		if s := &e.st[i]; s.exiting || len(s.ways) > 0 {
			return true
		}
	}
	return len(e.orders) > 0 || c.err != nil
}

// stays is the first row after that of this step, at most end, at which an exit of the position holds or
// would after so many bars.
func (e *engine) stays(s *state, sy *symbol, end int32) int32 {
	first := s.row + 1
	for k := range s.side.Exits {
		x := &s.side.Exits[k]
		if x.Kind == strategy.ExitMaxBars {
			end = min(end, first+max(0, int32(x.MaxBars)-s.held-1))
			continue
		}
		end = nextIn(sy.bound.True(x.When), 0, first, end)
	}
	return end
}

// nextAction is the ex-date of the next split or dividend, Forever when none is known.
func (s *state) nextAction(b *bar.Series) instrument.Date {
	next := instrument.Forever
	if b.Adjusted {
		return next
	}
	if a := b.Actions.Splits; int(s.split) < len(a) {
		next = a[s.split].Ex
	}
	if a := b.Actions.Dividends; int(s.div) < len(a) {
		next = min(next, a[s.div].Ex)
	}
	return next
}
