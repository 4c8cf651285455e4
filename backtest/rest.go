package backtest

import (
	"backtester/backtest/bar"
	"backtester/backtest/fill"
	"backtester/backtest/instrument"
	"backtester/backtest/portfolio"
	"backtester/backtest/strategy"
)

// Most bars of a position that is held are at rest: no order works, no level stands, no exit holds,
// nothing is split or paid. Such a bar does no more than mark the position. rest does that for as many
// bars as come in a row, with the values that step would give; whatever else might happen is left to
// step, which is the rule. Code that decides is asked at every close, in a position or out of it, and what it
// wants is for the bar after, which is not at rest any more.

// restful reports whether rest knows everything that the settings can make happen at a bar.
func (e *engine) restful() bool {
	c, f := e.cfg, e.m.frame
	plain := f.Intraday() && !e.m.extended || f.Unit == bar.Day
	rules := e.plays[0].rules
	closers := e.closers && (!e.coded || c.Fills.Levels == fill.AtCloses) // of code there are none while nothing works
	return plain && len(e.plays) == 1 && e.follow == nil && e.finer == nil && !closers && !e.watching && !c.Leave &&
		c.Fills.Market == fill.NextOpen && c.Account.Kind != portfolio.RegT &&
		c.Account.DebitRate == 0 && c.Account.CreditRate == 0 && c.Account.DebitSeries == "" && c.Account.CreditSeries == "" && c.Costs.Borrow == (fill.Borrow{}) && (rules.Long == nil || rules.Short == nil) && !adding(rules.Long) && !adding(rules.Short)
}

// adding reports whether positions of a side may be added to.
func adding(s *strategy.SideRules) bool { return s != nil && s.Entry.Add != 0 }

// rest plays the steps after e.t, up to the one before end, in which the only position does nothing but
// rest, or there is none and code is asked. It leaves e.t at the last step that was played.
func (e *engine) rest(end int32) {
	b := e.books
	if len(e.orders) != 0 || b.Carries(e.cfg.Account) || e.stopped {
		return
	}
	if e.coded && len(e.active) == 0 {
		e.restFlat(end)
		return
	}
	if len(e.active) != 1 || len(b.Held) != 1 {
		return
	}
	i := e.active[0]
	s, sy, m := &e.st[i], &e.m.syms[i], e.m
	if s.exiting || len(s.ways) > 0 || len(s.within) > 0 || b.Pos[i].Qty <= 0 || s.side == nil {
		return
	}
	next := s.nextAction(sy.bars)
	for t := e.t + 1; t < end && t&4095 != 0; t++ {
		r := s.row + 1
		if int(r) >= sy.bars.Len() || sy.at(r) != t || m.date[t] >= next || len(m.syms) > 1 && len(e.events.at(t)) > 0 || e.leaves(s, sy, r) {
			return
		}
		if close := sy.bars.Close[r]; b.Cash+float64(b.Pos[i].Qty*close) <= 0 {
			return // ruin
		}
		if m.session[t] != m.session[t-1] {
			s.exDiv = 0
		}
		e.t, s.row, s.here, s.entered = t, r, true, fill.Before
		s.tried, s.exited = false, false
		s.held++
		hi, lo := sy.bars.High[r], sy.bars.Low[r]
		s.hi, s.lo = max(s.hi, hi), min(s.lo, lo)
		b.Extend(i, hi, lo, sy.bars.Close[r])
		e.equity = b.Equity()
		e.inMarket++
		wanted := e.coded && e.asked()
		if e.record(); wanted {
			return
		}
	}
}

// restFlat is rest without a position: nothing moves, and code is asked.
func (e *engine) restFlat(end int32) {
	for t := e.t + 1; t < end && t&4095 != 0 && len(e.events.at(t)) == 0; t++ {
		e.t = t
		wanted := e.asked()
		if e.record(); wanted {
			return
		}
	}
}

// asked asks the code for what it wants after this close, and reports whether that was anything: then the
// bars after it are not at rest.
func (e *engine) asked() bool {
	p := &e.plays[0]
	e.ranked = e.ranked[:0]
	e.consult(p)
	e.placeRanked()
	for _, i := range e.active {
		if s := &e.st[i]; s.exiting || len(s.ways) > 0 {
			return true
		}
	}
	return len(e.orders) > 0 || p.code.err != nil
}

// leaves reports whether an exit of the position holds at a row, or would after so many bars.
func (e *engine) leaves(s *state, sy *symbol, row int32) bool {
	for k := range s.side.Exits {
		x := &s.side.Exits[k]
		if x.Kind == strategy.ExitMaxBars {
			if int(s.held)+1 >= x.MaxBars {
				return true
			}
		} else if sy.bound.True(x.When)[row>>6]>>(row&63)&1 != 0 {
			return true
		}
	}
	return false
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
