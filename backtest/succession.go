package backtest

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"backtester/backtest/bar"
	"backtester/backtest/fill"
	"backtester/backtest/instrument"
	"backtester/backtest/strategy/script"
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
// What a rebalance holds stays as it is until the next rules rebalance for the first time, at a date of their own: then
// it is theirs, ways out included. Until then they measure drift from the targets that stand, and they begin anew only
// where no rules have begun. A script is one script throughout, with all that it remembers: what follow each other are
// its signals, in which parameters come to it. So it decides about all that is held, which stays as it is until then;
// a position that it adds to has the ways out of the rules that decide by then. Where nobody is entered, the last
// rebalance or script decides on, as far as it closes.
//
// The Configs differ in what rules are made of, their parameters; account, costs, fills and dates are those of cfg. A
// universe may depend on them: who is a member says who is entered, and the same symbols are known to all.
// The error is a *NoSuccession where several strategies share the account, which have no parameters.
func Succeed(ctx context.Context, cfg *Config, tenures []Tenure, src bar.Source) (*Succession, error) {
	m, err := loadLine(ctx, cfg, tenures, src)
	if err != nil {
		return nil, err
	}
	e := newEngine(settled(cfg, m.breadth(), cfg.Decides()), m.line[0].rules, m)
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

// loadLine loads the market once for each set of rules, with the same symbols on the same steps.
func loadLine(ctx context.Context, cfg *Config, tenures []Tenure, src bar.Source) (*market, error) {
	var line []play
	number := map[*Config]int32{}
	for _, t := range tenures {
		if _, known := number[t.Config]; known || t.Config == nil {
			continue
		}
		one := *t.Config
		one.Data, one.Account, one.Costs, one.Fills = cfg.Data, cfg.Account, cfg.Costs, cfg.Fills
		if len(one.Strategies) > 0 {
			return nil, &NoSuccession{"several strategies share the account, and a file of several has no parameters: test each strategy in its own file"}
		}
		rules, err := compile(&one, src)
		if err != nil {
			return nil, err
		}
		number[t.Config] = int32(len(line))
		line = append(line, play{share: 1, cfg: &one, rules: rules})
	}
	if line == nil {
		return nil, fmt.Errorf("%w: no tenure has rules", bar.ErrNoData)
	}
	if err := loadRules(ctx, line, src, nil); err != nil {
		return nil, err
	}
	if keep := membersOfAny(line); keep != nil {
		if err := loadRules(ctx, line, src, keep); err != nil {
			return nil, err
		}
	}
	m := *line[0].market
	m.syms = slices.Clone(m.syms)
	for k := range line {
		own := line[k].market
		if !slices.Equal(own.time, m.time) || len(own.syms) != len(m.syms) {
			return nil, &NoSuccession{"which bars are read depends on the parameters"}
		}
		line[k].cfg = settled(line[k].cfg, own.breadth(), cfg.Decides())
	}
	m.line, m.reign = line, make([]int32, len(m.time))
	for t := range m.reign {
		m.reign[t] = m.reignAt(t, cfg.Fills.Market, tenures, number)
	}
	return &m, nil
}

// loadRules loads the market of each set of rules.
func loadRules(ctx context.Context, line []play, src bar.Source, keep map[string]bool) error {
	for k := range line {
		l := &loader{ctx: ctx, cfg: line[k].cfg, rules: line[k].rules, src: src, keep: keep}
		own, err := l.load()
		if err != nil {
			return err
		}
		for i := range own.syms {
			own.syms[i].play = int32(k)
		}
		line[k].market = own
	}
	return nil
}

// membersOfAny are the symbols of all markets; nil where each has all of them.
func membersOfAny(line []play) map[string]bool {
	all, most := map[string]bool{}, 0
	for k := range line {
		for i := range line[k].market.syms {
			all[line[k].market.syms[i].name] = true
		}
	}
	for k := range line {
		if most = len(line[k].market.syms); most < len(all) {
			return all
		}
	}
	return nil
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

// adopt has a symbol, of which nothing is ordered, traded by the rules that decide now. Its rows are counted from where
// their history begins.
func (e *engine) adopt(i int32) {
	if !e.retired(i) {
		return
	}
	old, next := &e.m.syms[i], &e.m.line[e.m.reign[e.t]].market.syms[i]
	further := next.rowsBefore(e.t+1) - old.rowsBefore(e.t+1)
	*old = *next
	if e.books.Pos[i].Qty != 0 {
		e.inherit(i, further)
	} else if k, found := slices.BinarySearch(e.active, i); found {
		e.active = slices.Delete(e.active, k, k+1)
	}
}

// adoptAll adopts every symbol, where rules decide.
func (e *engine) adoptAll() {
	if e.m.line == nil || e.m.reign[e.t] < 0 {
		return
	}
	for i := range e.m.syms {
		e.adopt(int32(i))
	}
}

// claims reports whether code may enter or add to a symbol, which is traded by the rules that decide now from then on.
func (e *engine) claims(i int32) bool {
	if e.m.line == nil {
		return true
	}
	if e.m.reign[e.t] < 0 {
		return false
	}
	e.adopt(i)
	return true
}

// inherit gives a position the ways out of the rules that its symbol has now, at rows that lie so much further. What
// they have in common with those before, such as how far a trailing stop has come and what a part has closed, stays; what they freeze at
// the entry has the value of its decision.
func (e *engine) inherit(i, further int32) {
	s, p, pos := &e.st[i], e.play(i), &e.books.Pos[i]
	of := side(pos.Qty < 0)
	s.row, s.dec.row = s.row+further, s.dec.row+further
	for k := range pos.Lots {
		pos.Lots[k].Row += further
	}
	s.side, s.partly = p.sides[of], false
	for k := range s.side.Exits {
		s.partly = s.partly || s.side.Exits[k].Part < 1
	}
	s.dec.frozen = s.dec.frozen[:0]
	for _, f := range p.rules.Program.Frozen() {
		then := e.m.syms[i].bound.Column(f.Ref)[s.dec.row]
		s.dec.frozen = append(s.dec.frozen, restate(then, f.Unit.Price, f.Unit.Share, s.dec.ratio))
	}
	if s.stands = false; s.here && p.watching[of] {
		e.watch(i)
		e.setLevels(i, s.row, 1, e.t)
	}
}

// scriptOf starts the script of a strategy. Rules that follow each other have one script: their parameters come to it
// in signals.
func (e *engine) scriptOf(by *play, p *script.Program) (*script.Run, error) {
	if e.m.line != nil && by.bounds.play > 0 {
		return e.plays[0].code.script, nil
	}
	return p.New()
}

// inOffice are the rules whose code is asked at this close: those that decide, or the last that did.
func (e *engine) inOffice() []play {
	if k := e.m.reign[e.t]; k >= 0 && k != e.office {
		if next := e.plays[k].code; e.office >= 0 {
			next.succeed(e.plays[e.office].code, e.m.date[e.t])
		} else {
			next.period = next.every.Number(e.m.date[e.t])
		}
		e.office = k
	}
	if e.office < 0 {
		return nil
	}
	return e.plays[e.office : e.office+1]
}

// succeed takes over from other code what it knows of the account, at a session.
func (c *code) succeed(other *code, today instrument.Date) {
	c.told, c.period = other.told, other.period
	if c.every != other.every {
		c.period = c.every.Number(today)
	}
	if c.rule != nil {
		copy(c.rule.target, other.rule.target)
		c.rule.started = other.rule.started
	}
}
