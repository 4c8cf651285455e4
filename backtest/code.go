package backtest

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"backtester/backtest/bar"
	"backtester/backtest/expr"
	"backtester/backtest/fill"
	"backtester/backtest/order"
	"backtester/backtest/strategy"
	"backtester/backtest/strategy/hook"
	"backtester/backtest/strategy/script"
)

// Decisions made in code: a script, or a strategy in Go, is asked at every close after the rules of the
// file, and its intents go the way that those of the rules go. Without code nothing here is called.

// ScriptInfo says which code made decisions.
type ScriptInfo struct {
	Language string   `json:"language"` // starlark | go
	Name     string   `json:"name"`     // of the file, or of the Go type
	SHA256   string   `json:"sha256,omitempty"`
	Source   string   `json:"source,omitempty"`
	Steps    uint64   `json:"steps,omitempty"`   // of the interpreter
	Printed  []string `json:"printed,omitempty"` // the first lines
	Dropped  int      `json:"dropped,omitempty"` // further lines
}

// code is what decides besides the rules of the file.
type code struct {
	strategy  hook.Strategy
	fills     hook.FillListener // nil: does not listen
	rebalance hook.Rebalancer   // nil: never
	view      *hook.View
	script    *script.Run // nil for Go
	rule      *rebalancer // nil unless a rebalance decides
	facts     ScriptInfo
	told      int // fills that the code knows of
	every     hook.Period
	period    int           // number of the period that the last step lay in
	said      []hook.Intent // of this close, entries only
	entry     order.Entry   // settings and size of the one that is being placed
	size      order.Size
	err       error
}

// guard is a stop and a target price set by code, USD; 0 is none.
type guard struct{ stop, target float64 }

// split restates the levels when one share becomes ratio.
func (g guard) split(ratio float64) guard { return guard{g.stop / ratio, g.target / ratio} }

// appendTo adds the levels to the ways out of a position. They close all of it.
func (g guard) appendTo(ways []way) []way {
	if g.stop > 0 {
		ways = append(ways, way{price: g.stop, item: whole, name: string(strategy.ExitStop)})
	}
	if g.target > 0 {
		ways = append(ways, way{price: g.target, item: whole, target: true, name: string(strategy.ExitTarget)})
	}
	return ways
}

// hire sets to work what decides besides the rules of each strategy, and says who is in which group.
func (e *engine) hire(o Options) error {
	if o.Strategy != nil && e.several() {
		return fmt.Errorf("run %s: strategies in files share this account, and a strategy in Go has none of its own: keep one", e.cfg.Name)
	}
	for k := range e.plays {
		p := &e.plays[k]
		if err := p.bounds.grouped(e, p.cfg); err != nil {
			return err
		}
		if err := e.employ(p, o); err != nil {
			return err
		}
	}
	if !e.several() {
		return nil
	}
	e.overall = &bounds{limits: &e.cfg.Limits, share: 1, play: -1}
	return e.overall.grouped(e, e.cfg)
}

// employ sets to work what decides besides the rules of a strategy: a script, a rebalance, a strategy in Go,
// or nothing of the kind.
func (e *engine) employ(by *play, o Options) error {
	s, history := o.Strategy, o.History
	c := &code{strategy: s, facts: ScriptInfo{Language: "go", Name: fmt.Sprintf("%T", s)}}
	rules := by.rules.Rebalance
	switch p := by.rules.Script; {
	case s == nil && rules != nil:
		c.rule, c.facts.Name = newRebalancer(e, by, rules), "rebalance"
		c.strategy = c.rule
	case rules != nil:
		return fmt.Errorf("run %s: both a rebalance and a strategy in Go make decisions: keep one", e.cfg.Name)
	case s == nil && by.cfg.Script == "":
		return nil
	case s != nil && by.cfg.Script != "":
		return fmt.Errorf("run %s: both a script and a strategy in Go make decisions: keep one", e.cfg.Name)
	case s == nil && p == nil:
		return fmt.Errorf("read %s: the strategy names this script, and its text was not handed over", by.cfg.Script)
	case s == nil:
		run, err := e.scriptOf(by, p)
		if err != nil {
			return err
		}
		c.script, c.strategy, history = run, run, p.History()
		name, text, _ := by.cfg.ScriptText()
		c.facts = ScriptInfo{Language: "starlark", Name: name, SHA256: by.cfg.ScriptSum(), Source: text}
	}
	c.fills, _ = c.strategy.(hook.FillListener)
	if r, ok := c.strategy.(hook.Rebalancer); ok && r.Every() != hook.Never {
		c.rebalance, c.every, c.period = r, r.Every(), r.Every().Number(e.m.date[0])
	}
	c.view = hook.NewView(e.sight(by, history))
	by.code, e.coded = c, true
	e.closers = e.closers || e.cfg.Fills.Market != fill.NextOpen // otherwise from the first order for that auction on
	for k := range by.sides {
		if by.sides[k] == nil {
			by.sides[k] = &strategy.SideRules{}
		}
	}
	return nil
}

// sight is the market as code sees it: of the bars before the first step only those that it asked for,
// whatever else was loaded for the rules.
func (e *engine) sight(by *play, history int) *hook.Market {
	cfg, m := by.cfg, e.m
	if m.line != nil {
		m = by.market
	}
	symbols := len(m.syms)
	if by.legs != nil {
		symbols = len(by.legs)
	}
	out := &hook.Market{Account: &ledger{e: e, by: by}, Clock: e, Allowed: hook.Allowed{Symbols: symbols, Short: cfg.Account.Kind != "cash"}}
	p := by.rules.Program
	var refs []expr.Ref
	for _, s := range cfg.Signals {
		if ref, ok := p.SignalRef(s.Name); ok {
			out.Signals, refs = append(out.Signals, s.Name), append(refs, ref)
		}
	}
	for k := range symbols {
		s := &m.syms[by.leg(k)]
		x := hook.Symbol{Name: s.name, Bars: s.bars, Step: s.step, Offset: s.offset, Basis: s.basis, Member: s.member, Floor: max(0, int(s.rowsBefore(0))-history)}
		for _, ref := range refs {
			if p.Kind(ref) == expr.Bool {
				x.Values = append(x.Values, hook.Values{True: s.bound.True(ref), Absent: s.bound.Absent(ref)})
			} else {
				x.Values = append(x.Values, hook.Values{Number: s.bound.Column(ref)})
			}
		}
		out.Symbols = append(out.Symbols, x)
	}
	return out
}

// Moment is the close of step t, which is the latest one.
func (e *engine) Moment(t int32) hook.Moment {
	m := e.m
	return hook.Moment{Time: m.time[t], End: m.endStamp(int(t), e.closing()), Date: m.date[t], Daily: m.daily}
}

// consult asks the code of a strategy at this step's close. Exits and levels take effect at once; entries
// become candidates beside those of the rules.
func (e *engine) consult(by *play) {
	c, m := by.code, e.m
	c.said = c.said[:0]
	c.view.Move(e.t)
	for ; c.told < len(e.fills) && c.err == nil; c.told++ {
		if x := &e.fills[c.told]; c.fills != nil && !e.apart(x.Sym, by.bounds.play) {
			list, err := c.fills.OnFill(c.view, hook.Fill{Symbol: by.number(x.Sym), Side: x.Side, Entry: x.entry, Quantity: x.Qty, Price: x.Price,
				Fee: x.Fee, Reason: x.Reason})
			e.heed(by, list, err)
		}
	}
	if c.rebalance != nil && c.err == nil {
		next := m.date[e.t] // of the session that the next bar may lie in
		if closing := e.closing(); m.daily || m.endStamp(int(e.t), closing) >= closing {
			next = m.cal.Next(next)
		}
		if k := c.every.Number(next); k != c.period {
			c.period = k
			list, err := c.rebalance.OnRebalance(c.view)
			e.heed(by, list, err)
		}
	}
	if c.err == nil {
		list, err := c.strategy.OnBar(c.view)
		e.heed(by, list, err)
	}
}

// heed does what the code wants.
func (e *engine) heed(by *play, list []hook.Intent, err error) {
	c := by.code
	c.err = by.placed(err)
	for k := 0; k < len(list) && c.err == nil; k++ {
		in := &list[k]
		if err := in.Check(c.view.Allowed()); err != nil {
			c.err = fmt.Errorf("intent %d of %s at the close of %s: %w", k+1, c.facts.Name, c.view.Now().Stamp(), err)
			return
		}
		e.intend(by, in)
	}
}

func (e *engine) intend(by *play, in *hook.Intent) {
	i := by.leg(in.Symbol)
	s, held := &e.st[i], e.books.Pos[i].Qty
	switch in.Do {
	case hook.Enter:
		e.enterBy(by, in)
	case hook.Exit:
		if held == 0 {
			return
		}
		reason := in.Reason
		if reason == "" {
			reason = string(strategy.ExitSignal)
		}
		if in.Fraction > 0 && in.Fraction < 1 {
			e.reduce(i, by.cfg.Size.Floor(in.Fraction*math.Abs(held)), reason)
		} else {
			e.exit(i, reason, whole)
		}
	case hook.Target:
		e.rebalance(by, in)
	case hook.Protect:
		levels := guard{in.Stop, in.Target}
		if s.working {
			s.plan.guard = levels
		}
		if held != 0 {
			s.guard = levels
			s.ways = levels.appendTo(slices.DeleteFunc(s.ways, func(w way) bool { return w.item == whole }))
			s.levelAt, s.stands = e.t, false
		}
	case hook.Cancel:
		e.withdraw(i)
	}
}

// enterBy makes a candidate of an intent to enter. An opposite market entry reverses.
func (e *engine) enterBy(by *play, in *hook.Intent) {
	i, v := by.leg(in.Symbol), by.code.view
	s, held := &e.st[i], e.books.Pos[i].Qty
	switch {
	case !v.Traded(in.Symbol):
		e.refuse(order.NotTraded)
	case !v.Member(in.Symbol):
		e.refuse(order.NotMember)
	case s.working, held*float64(in.Side) > 0, held != 0 && (in.Kind().Priced() || in.TIF == order.CLS):
		e.refuse(order.Held)
	default:
		if held != 0 {
			e.reverseAt(i, in.Kind(), in.TIF)
		}
		e.nominate(by, *in)
	}
}

// nominate makes a candidate.
func (e *engine) nominate(by *play, in hook.Intent) {
	c, i := by.code, by.leg(in.Symbol)
	if !e.claims(i) {
		return
	}
	c.said = append(c.said, in)
	side := by.sides[0]
	if in.Side == order.Sell {
		side = by.sides[1]
	}
	e.ranked = append(e.ranked, candidate{sym: i, row: e.m.syms[i].rowsBefore(e.t+1) - 1, side: side, rank: in.Rank, said: len(c.said)})
}

// rebalance brings a position to a weight, a value or a number of shares: by an order that opens, adds,
// closes or reverses it. What an earlier target left unfilled is superseded.
func (e *engine) rebalance(by *play, in *hook.Intent) {
	i, v, size := by.leg(in.Symbol), by.code.view, &by.cfg.Size
	held := e.books.Pos[i].Qty
	e.withdraw(i)
	goal := cmp.Or(in.Weight, in.Value, in.Shares) // at most one is given; its sign is the side
	if goal == 0 {
		if held != 0 {
			e.exit(i, string(strategy.ExitSignal), whole)
		}
		return
	}
	if held != 0 {
		e.st[i].supersede()
	}
	enter := hook.Intent{Do: hook.Enter, Symbol: in.Symbol, Side: order.Buy, Rank: in.Rank, Tag: in.Tag, MaxWait: in.MaxWait,
		Weight: math.Abs(in.Weight), Value: math.Abs(in.Value), Shares: size.Floor(math.Abs(in.Shares))}
	if goal < 0 {
		enter.Side = -enter.Side
	}
	turn := held*goal < 0
	price := v.Last(in.Symbol, hook.Close)
	more := size.Floor(enter.Shares+enter.Value/price+enter.Weight*(e.equity*by.share)/price) - math.Abs(held)
	if held != 0 && !turn {
		leaving := e.leaving(i)
		if leaving >= math.Abs(held) || math.Abs(more)*price <= e.dust() {
			return // told to go, or what rounding leaves
		}
		if more < 0 {
			e.reduce(i, -more-leaving, "rebalance")
			return
		}
	}
	switch {
	case !v.Traded(in.Symbol):
		e.refuse(order.NotTraded)
		return
	case !v.Member(in.Symbol):
		e.refuse(order.NotMember)
		return
	}
	if held != 0 && !turn {
		enter.Weight, enter.Value, enter.Shares = 0, 0, more
		if size.Fractional && in.Shares == 0 {
			enter.Value, enter.Shares = more*price, 0
		}
	}
	if turn {
		e.exit(i, "reversal", whole)
	}
	if enter.Shares+enter.Value+enter.Weight == 0 {
		e.refuse(order.BelowLot)
		return
	}
	e.nominate(by, enter)
}

// supersede ends an order to reduce the position that is not filled yet.
func (s *state) supersede() {
	s.parts[len(s.parts)-1].working = false
	s.exiting = slices.ContainsFunc(s.parts, func(p part) bool { return p.working })
}

// settings are the terms and the size of an entry that code asked for.
func (p *play) settings(cand *candidate) (*order.Entry, *order.Size) {
	c := p.code
	in := &c.said[cand.said-1]
	c.entry = order.Entry{Order: in.Kind(), TIF: in.TIF, Until: in.Until, MaxWait: in.MaxWait}
	c.size = p.cfg.Size
	if in.Shares > 0 || in.Value > 0 || in.Weight > 0 || in.Risk > 0 {
		c.size.Shares, c.size.Value, c.size.Weight, c.size.Risk = in.Shares, in.Value, in.Weight, in.Risk
		c.size.Volatility, c.size.Kelly = nil, nil
	}
	return &c.entry, &c.size
}

// reduce places a market order that closes so many shares; it takes the place of one that works.
func (e *engine) reduce(i int32, shares float64, reason string) {
	s := &e.st[i]
	if !(shares > 0) || s.parts[whole].working {
		return
	}
	s.parts[len(s.parts)-1] = part{shares: shares, working: true, reason: reason, decided: e.t}
	s.exiting = true
}

// leaving is how many shares of a position its market orders close.
func (e *engine) leaving(i int32) float64 {
	s, n := &e.st[i], 0.0
	for k := range s.parts {
		if s.parts[k].working {
			n += e.left(i, k)
		}
	}
	return min(n, math.Abs(e.books.Pos[i].Qty))
}

// withdraw cancels a working entry, so that another may be placed at the same close.
func (e *engine) withdraw(i int32) {
	if s := &e.st[i]; s.working {
		e.annul(s)
		e.orders = slices.DeleteFunc(e.orders, func(k int32) bool { return k == i })
	}
}

// rebalanced is what the result says of a rebalance; nil without one.
func (c *code) rebalanced() *RebalanceInfo {
	if c == nil {
		return nil
	}
	return c.rule.describe()
}

// describe is what the result says of the code; nil without any.
func (c *code) describe() *ScriptInfo {
	if c == nil || c.rule != nil {
		return nil
	}
	if c.script != nil {
		c.facts.Steps = c.script.Steps()
		c.facts.Printed, c.facts.Dropped = c.script.Prints()
	}
	return &c.facts
}

// ledger answers code's questions about the account, of which a strategy that is not alone sees its part.
type ledger struct {
	e    *engine
	by   *play
	held []int32         // memory
	told []hook.Position // of each symbol what was said of it last, made when a position is first asked for
	none hook.Position
}

func (l *ledger) Equity() float64    { return l.e.equity * l.by.share }
func (l *ledger) Cash() float64      { return l.e.books.Cash }
func (l *ledger) Working(k int) bool { return l.e.st[l.by.leg(k)].working }

func (l *ledger) Held() []int32 {
	if l.by.legs == nil {
		return l.e.books.Held
	}
	l.held = l.held[:0]
	for _, i := range l.e.books.Held {
		if l.e.play(i) == l.by {
			l.held = append(l.held, int32(l.by.number(i)))
		}
	}
	return l.held
}

// Position at this close: bars_held and the extremes count it.
func (l *ledger) Position(k int) *hook.Position {
	i := l.by.leg(k)
	s, p := &l.e.st[i], &l.e.books.Pos[i]
	if p.Qty == 0 {
		l.none = hook.Position{}
		return &l.none
	}
	if l.told == nil {
		l.told = make([]hook.Position, len(l.e.st))
	}
	q, to := &l.e.quiet, &l.told[i]
	to.Shares, to.EntryPrice, to.BarsHeld = p.Qty, l.e.entryPrice(i), int(s.held+q.bars)
	to.HighSince, to.LowSince = max(s.hi, q.hi), min(s.lo, q.lo)
	to.Stop, to.Target = s.guard.stop, s.guard.target
	return to
}

// Options of a run beside its Config.
type Options struct {
	// Strategy makes decisions in Go, besides the rules of the Config, which may then have none: see
	// package hook. The value serves this run alone. What it does is not in the Config: the Result names
	// its type and warns.
	Strategy hook.Strategy
	// History is how many bars before the first decision the Strategy may see.
	History int
	// Single leaves the extra runs by stop first and target first out.
	Single bool
	// Journal is called for everything that moves money or shares, in the order in which it happens; the
	// Entry is the caller's. Extra runs are not in it.
	Journal func(*Entry)
	// Progress is called from time to time while the run goes on, and at its end; nil costs nothing.
	Progress func(Progress)
}

// RunWith is Run with options.
func RunWith(ctx context.Context, cfg *Config, src bar.Source, o Options) (*Result, error) {
	rules, err := rulesFor(cfg, o, src)
	if err != nil {
		return nil, err
	}
	return runRules(ctx, task{cfg: cfg, rules: rules, options: o}, src)
}

// rulesFor compiles a Config, which needs no entry when there is a strategy in Go.
func rulesFor(cfg *Config, o Options, src bar.Source) (*strategy.Rules, error) {
	if o.Strategy == nil {
		return compile(cfg, src)
	}
	rules, faults := cfg.On(src.Calendar()).CompileCoded()
	if err := faults.Err(); err != nil {
		return nil, err
	}
	rules.Warmup = max(rules.Warmup, o.History)
	return rules, nil
}

// attend ends a call of the script that is going on when ctx is cancelled.
func (c *code) attend(ctx context.Context) (stop func() bool) {
	if c == nil || c.script == nil {
		return func() bool { return true }
	}
	return context.AfterFunc(ctx, func() { c.script.Cancel("the run was cancelled") })
}
