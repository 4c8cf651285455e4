package backtest

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"backtester/backtest/bar"
	"backtester/backtest/fill"
	"backtester/backtest/instrument"
)

// Tenure is a stretch of time in which the rules of one Config decide who is entered: orders that may fill in
// the sessions [From, To).
type Tenure struct {
	From, To instrument.Date
	Config   *Config // nil: nobody is entered; tenures with the same Config are one set of rules
}

// Succession is what an account did under one set of rules after another.
type Succession struct {
	Equity Curve
	Trades []Trade
}

// NoSuccession says why rules cannot follow each other in one account.
type NoSuccession struct{ Reason string }

func (e *NoSuccession) Error() string { return e.Reason }

// Succeed plays tenures, which follow each other in time, in the one account of cfg, from cfg.Data.From to its
// end. A position keeps the rules it was entered under until it is closed, by them: their exits, stops and
// targets, and an entry of theirs to the other side as far as it closes. They enter, add and reverse into
// nothing after their tenure; an entry that still works at the last close before the next one is cancelled, and
// that close is the first at which the next rules decide. A symbol is not entered while it is held, and
// positions of all rules count together in slots, limits and what is known of past trades. Tenures of the same
// rules therefore trade as one run of them does.
//
// The Configs differ in what rules are made of, their parameters; account, costs, fills and dates are those of cfg.
// The error is a *NoSuccession where code decides or the symbols depend on the parameters.
func Succeed(ctx context.Context, cfg *Config, tenures []Tenure, src bar.Source) (*Succession, error) {
	m, err := loadLine(ctx, cfg, tenures, src)
	if err != nil {
		return nil, err
	}
	e := newEngine(settled(cfg, m.breadth(), false), m.line[0].rules, m)
	if err := e.hire(Options{}); err != nil {
		return nil, err
	}
	e.finer = magnifier(ctx, cfg, src, m)
	if err := e.run(ctx); err != nil {
		return nil, err
	}
	e.end()
	all, closed := e.trades()
	s, at := &Succession{Equity: e.curveOf(), Trades: make([]Trade, len(all))}, e.stamps()
	for k := range all {
		s.Trades[k] = e.tradeOf(&all[k], k >= closed, at)
	}
	return s, nil
}

// loadLine loads the market once for each set of rules, on the same steps.
func loadLine(ctx context.Context, cfg *Config, tenures []Tenure, src bar.Source) (*market, error) {
	var m *market
	var line []play
	number := map[*Config]int32{}
	for _, t := range tenures {
		if _, known := number[t.Config]; known || t.Config == nil {
			continue
		}
		one := *t.Config
		one.Data, one.Account, one.Costs, one.Fills = cfg.Data, cfg.Account, cfg.Costs, cfg.Fills
		if one.Decides() {
			return nil, &NoSuccession{"a script, a rebalance or several strategies decide, for which no position has rules of its own"}
		}
		rules, err := compile(&one)
		if err != nil {
			return nil, err
		}
		own, err := load(ctx, &one, rules, src, nil)
		if err != nil {
			return nil, err
		}
		if m == nil {
			first := *own
			m, first.syms = &first, slices.Clone(own.syms)
		}
		if !slices.Equal(own.time, m.time) || !slices.EqualFunc(own.syms, m.syms, func(a, b symbol) bool { return a.name == b.name }) {
			return nil, &NoSuccession{"which symbols there are depends on the parameters"}
		}
		k := int32(len(line))
		for i := range own.syms {
			own.syms[i].play = k
		}
		number[t.Config] = k
		line = append(line, play{share: 1, cfg: settled(&one, own.breadth(), false), rules: rules, market: own})
	}
	if m == nil {
		return nil, fmt.Errorf("%w: no tenure has rules", bar.ErrNoData)
	}
	m.line, m.reign = line, make([]int32, len(m.time))
	for t := range m.reign {
		m.reign[t] = m.reignAt(t, cfg.Fills.Market, tenures, number)
	}
	return m, nil
}

// reignAt is the number of the rules that decide at the close of step t, -1 for none: those in whose tenure
// the bar lies at which their orders may fill first.
func (m *market) reignAt(t int, market fill.MarketFill, tenures []Tenure, number map[*Config]int32) int32 {
	d := m.date[t]
	if market != fill.ThisClose && t+1 < len(m.date) {
		d = m.date[t+1]
	}
	k, found := slices.BinarySearchFunc(tenures, d, func(t Tenure, d instrument.Date) int { return cmp.Compare(t.From, d) })
	if !found {
		k--
	}
	if k < 0 || d >= tenures[k].To || tenures[k].Config == nil {
		return -1
	}
	return number[tenures[k].Config]
}

// several reports whether strategies share the account, which each have their part of it.
func (e *engine) several() bool { return len(e.m.plays) > 1 }

// apart reports whether a symbol is none of those that the strategy of that number trades.
func (e *engine) apart(i, play int32) bool { return e.several() && e.m.syms[i].play != play }

// retired reports whether the rules that a symbol is traded by enter nothing any more.
func (e *engine) retired(i int32) bool {
	return e.m.line != nil && e.m.syms[i].play != e.m.reign[e.t]
}

// handOn cancels entries of rules whose tenure is over before this close decides.
func (e *engine) handOn() {
	for k := 0; k < len(e.orders); {
		if i := e.orders[k]; e.st[i].working && e.retired(i) {
			e.withdraw(i)
		} else {
			k++
		}
	}
}

// adopt has a symbol, of which nothing is held or ordered, traded by the rules that decide now. Its rows are
// counted from where their history begins.
func (e *engine) adopt(i int32) {
	if !e.retired(i) {
		return
	}
	if k, found := slices.BinarySearch(e.active, i); found {
		e.active = slices.Delete(e.active, k, k+1)
	}
	e.m.syms[i] = e.m.line[e.m.reign[e.t]].market.syms[i]
}
