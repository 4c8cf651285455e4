package backtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"backtester/backtest/bar"
	"backtester/backtest/expr"
	"backtester/backtest/instrument"
	"backtester/backtest/order"
	"backtester/backtest/stats"
	"backtester/backtest/strategy"
)

// Several strategies may share an account (`strategies:` of the file). Each sees the market as if it were
// alone: it is loaded and evaluated for it with its own warm-up and universe. In the engine every pair of a
// security and a strategy is a symbol with a position, orders and levels of its own; money, margin, interest,
// borrow fees, the volume cap and the time steps belong to the account. What the account holds of a security
// is the sum over its strategies.

// play is a strategy in the account.
type play struct {
	name     string
	file     string
	share    float64 // of equity
	cfg      *Config // its sizes, limits and signals
	rules    *strategy.Rules
	aside    []string               // settings of its file that do not count
	universe *UniverseInfo          // from which it chooses
	market   *market                // as it was loaded for it alone, on steps of its own
	sides    [2]*strategy.SideRules // long and short: of the file, without rules where only code decides
	watching [2]bool                // whether exits of the long and the short side read position variables or levels
	standing [2]bool                // whether nothing but the entry price moves those levels
	code     *code                  // decisions made in code, nil without
	bounds   bounds
	legs     []int32 // its symbols, nil for all
	// of a strategy that is not alone:
	gross, net float64   // exposure at this close, fraction of its equity
	realised   float64   // profit of its closed trades
	curve      []float64 // its profit at each point of the equity curve, USD
	orders     int64
}

// begin puts a strategy at the start of a run.
func (p *play) begin(e *engine, number int32) {
	*p = play{name: p.name, file: p.file, share: p.share, cfg: p.cfg, rules: p.rules, aside: p.aside, universe: p.universe, market: p.market,
		sides: [2]*strategy.SideRules{p.rules.Long, p.rules.Short}, bounds: bounds{limits: &p.cfg.Limits, share: p.share, play: number}}
	for k, side := range p.sides {
		if side != nil {
			p.watching[k] = watches(p.rules.Program, side)
			p.standing[k] = p.watching[k] && stands(p.rules.Program, p.rules, side)
			e.watching = e.watching || p.watching[k]
			e.varying = e.varying || p.watching[k] && !p.standing[k]
			e.exposed = e.exposed || e.varying && exposed(p.rules.Program, side)
			e.waiting = e.waiting || side.Entry.Cancel != 0 || side.Entry.Settings.Reprice
			e.crowded = e.crowded || side.Entry.Settings.Over > 0
			e.closers = e.closers || side.Entry.Settings.Order == order.MarketOnClose || side.Entry.Settings.TIF == order.CLS
		}
	}
	if e.m.plays == nil {
		return
	}
	for i := range e.m.syms {
		if e.m.syms[i].play == number {
			p.legs = append(p.legs, int32(i))
		}
	}
}

// exposed reports whether something of a side that is evaluated while a position is open reads exposures.
func exposed(p *expr.Program, side *strategy.SideRules) bool {
	refs := []expr.Ref{side.Entry.When, side.Entry.Cancel, side.Entry.Add}
	for k := range side.Exits {
		refs = append(refs, side.Exits[k].When, side.Exits[k].Level)
	}
	return slices.ContainsFunc(refs, func(r expr.Ref) bool {
		if r == 0 {
			return false
		}
		vars, _ := p.Reads(r)
		return vars&(1<<expr.GrossExposure|1<<expr.NetExposure) != 0
	})
}

// leg is symbol k of the strategy in the market.
func (p *play) leg(k int) int32 {
	if p.legs == nil {
		return int32(k)
	}
	return p.legs[k]
}

// number is which symbol of the strategy a symbol of the market is.
func (p *play) number(leg int32) int {
	if p.legs == nil {
		return int(leg)
	}
	k, _ := slices.BinarySearch(p.legs, leg)
	return k
}

// play that trades a symbol of the market.
func (e *engine) play(i int32) *play { return &e.plays[e.m.syms[i].play] }

// heldBy is how many positions the strategy that trades a symbol has.
func (e *engine) heldBy(i int32) int {
	if !e.several() {
		return len(e.books.Held)
	}
	n := 0
	for _, k := range e.books.Held {
		if e.m.syms[k].play == e.m.syms[i].play {
			n++
		}
	}
	return n
}

// exposures are those of each strategy at this close, as fractions of its equity.
func (e *engine) exposures() {
	for k := range e.plays {
		e.plays[k].gross, e.plays[k].net = 0, 0
	}
	for _, i := range e.books.Held {
		p, pos := e.play(i), &e.books.Pos[i]
		value := pos.Qty * pos.Mark / (e.equity * p.share)
		p.gross += math.Abs(value)
		p.net += value
	}
}

// attribute records the profit of every strategy at this point of the curve: of its closed trades and of
// what it holds. Interest and borrow fees are the account's.
func (e *engine) attribute() {
	if e.m.plays == nil {
		return
	}
	for ; e.attributed < len(e.books.Closed); e.attributed++ {
		t := &e.books.Closed[e.attributed]
		e.play(t.Sym).realised += t.PnL
	}
	for k := range e.plays {
		p := &e.plays[k]
		p.curve = append(p.curve, p.realised)
	}
	at := len(e.curve) - 1
	for _, i := range e.books.Held {
		p, pos := e.play(i), &e.books.Pos[i]
		p.curve[at] += pos.OpenProfit()
	}
}

// loadPlays is load for several strategies: the market of each, laid on steps that all share.
func loadPlays(ctx context.Context, cfg *Config, rules *strategy.Rules, src bar.Source) (*market, error) {
	if len(rules.Parts) < len(cfg.Strategies) {
		return nil, fmt.Errorf("read the strategies of %s: the contents of %s were not handed over", cfg.Name, list(cfg.Files()))
	}
	m := newMarket(cfg, src.Calendar())
	m.history = -1
	seen := map[bar.Note]bool{}
	for k := range rules.Parts {
		part := &rules.Parts[k]
		own, err := load(ctx, part.File, part.Rules, src, nil)
		if err != nil {
			return nil, fmt.Errorf("strategy %s: %w", part.Name, err)
		}
		p := play{name: part.Name, file: cfg.Strategies[k].File, share: part.Share, rules: part.Rules, aside: part.Aside,
			cfg: settled(part.File, own.breadth(), part.File.Decides()), universe: own.universe, market: own}
		m.plays = append(m.plays, p)
		for i := range own.syms {
			s := own.syms[i]
			s.play = int32(k)
			m.syms = append(m.syms, s)
		}
		m.also = append(m.also, own.also...)
		m.missing = append(m.missing, own.missing...)
		for _, n := range own.notes {
			if !seen[n] {
				seen[n] = true
				m.notes = append(m.notes, n)
			}
		}
		m.dated = own.dated
	}
	slices.SortStableFunc(m.syms, func(a, b symbol) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.play, b.play)) })
	slices.SortFunc(m.missing, func(a, b Missing) int { return cmp.Compare(a.Symbol, b.Symbol) })
	m.missing = slices.CompactFunc(m.missing, func(a, b Missing) bool { return a.Symbol == b.Symbol })
	m.twins = make([]int32, len(m.syms))
	for i := range m.syms {
		if m.twins[i] = int32(i); i > 0 && m.syms[i].name == m.syms[i-1].name {
			m.twins[i] = m.twins[i-1]
		}
	}
	for i := range m.syms {
		m.syms[i].step, m.syms[i].offset = nil, 0
	}
	m.steps(nil)
	return m, nil
}

// unique is the market with every security once, for what looks at securities and not at who trades them.
func (m *market) unique() *market {
	if m.twins == nil {
		return m
	}
	c := *m
	c.syms, c.plays, c.twins = nil, nil, nil
	for i := range m.syms {
		if s := m.syms[i]; m.twins[i] == int32(i) {
			s.play = 0
			c.syms = append(c.syms, s)
		}
	}
	return &c
}

// Sleeve is one of several strategies in an account.
type Sleeve struct {
	Name     string        `json:"name"`
	File     string        `json:"file"`
	Share    float64       `json:"share"`  // of equity, of which its sizes are fractions
	Config   *Config       `json:"config"` // its rules under the settings of the account
	PnL      float64       `json:"pnl"`    // of its trades, open ones at their marks; interest and borrow fees are the account's
	Orders   int64         `json:"orders"` // entries placed
	Fills    int           `json:"fills"`
	Metrics  stats.Metrics `json:"metrics"`  // of its share of the starting cash with its profits
	Profit   []float64     `json:"profit"`   // USD, at the times of the account's equity
	Universe *UniverseInfo `json:"universe"` // from which it chose
	Script   *ScriptInfo   `json:"script,omitempty"`

	Rebalance *RebalanceInfo `json:"rebalance,omitempty"`
}

// sleeves describes the strategies of the account; nil for one alone.
func (e *engine) sleeves(in *stats.Input) []Sleeve {
	if e.m.plays == nil {
		return nil
	}
	out := make([]Sleeve, len(e.plays))
	for k := range e.plays {
		p := &e.plays[k]
		x := Sleeve{Name: p.name, File: p.file, Share: p.share, Config: p.cfg, Orders: p.orders, Profit: p.curve,
			Universe: p.universe, Script: p.code.describe(), Rebalance: p.code.rebalanced()}
		x.PnL = p.curve[len(p.curve)-1]
		if x.Universe == nil {
			x.Universe = e.m.standing(p.legs)
		}
		x.Metrics = stats.Later(e.sleeveInput(p, int32(k), in, &x))
		out[k] = x
	}
	return out
}

// sleeveInput is what package stats needs to know of one strategy: its trades and costs, and a curve that
// begins with its share of the cash.
func (e *engine) sleeveInput(p *play, number int32, all *stats.Input, x *Sleeve) stats.Input {
	in := *all
	in.Benchmark, in.Gross, in.Net, in.Concentration, in.Interest, in.Borrow = nil, nil, nil, nil, 0, 0
	in.Trades, in.Traded, in.Commission, in.Slippage, in.Dividends, in.InMarketBars = nil, 0, 0, 0, 0, 0
	base := float64(p.share * e.books.Start)
	curve := make([]float64, len(p.curve))
	for t := range curve {
		curve[t] = base + p.curve[t]
	}
	if in.BarEquity == nil {
		in.Equity = curve
	} else {
		in.BarEquity, in.Equity = curve, nil
		e.sessions(func(_ instrument.Date, k int) { in.Equity = append(in.Equity, curve[k]) })
	}
	for k := range e.fills {
		if f := &e.fills[k]; e.m.syms[f.Sym].play == number {
			x.Fills++
			in.Traded += float64(f.Qty * f.Price)
			in.Commission += f.Fee
			in.Slippage += float64(math.Abs(f.Price-f.Ref) * f.Qty)
		}
	}
	trades, _ := e.trades()
	for k := range trades {
		if e.m.syms[trades[k].Sym].play == number {
			in.Trades = append(in.Trades, all.Trades[k])
			in.Dividends += trades[k].Dividends
		}
	}
	return in
}

// named is a name of the strategy among those of all.
func (p *play) named(name string) string {
	if p.name == "" {
		return name
	}
	return p.name + ": " + name
}

// placed gives the faults of a script the places that they have in the strategy file, if it stands there.
func (p *play) placed(err error) error {
	if err == nil {
		return nil // at every bar: nothing is allocated
	}
	if wrong := strategy.Diagnostics(nil); errors.As(err, &wrong) {
		return p.cfg.InScript(wrong)
	}
	return err
}

// strategyOf a symbol, "" for a strategy alone.
func (e *engine) strategyOf(i int32) string { return e.play(i).name }

// playWarnings are about strategies that share the account.
func (e *engine) playWarnings(add func(code, format string, args ...any)) {
	var said []string
	for k := range e.plays {
		if p := &e.plays[k]; len(p.aside) > 0 {
			said = append(said, p.name+" its "+strings.Join(p.aside, ", "))
		}
	}
	if len(said) > 0 {
		add("put_aside", "files of strategies say settings that are the account's, and those of the account count: %s", strings.Join(said, "; "))
	}
}

// codeFault is the error of code that decides.
func (e *engine) codeFault() error {
	for k := range e.plays {
		if c := e.plays[k].code; c != nil && c.err != nil {
			return c.err
		}
	}
	return nil
}

// sight is a strategy and the market as it was loaded for it.
type sight struct {
	*play
	*market
}

// sights are the strategies of a run with what each of them sees: of one alone that is all there is.
func (e *engine) sights() []sight {
	if e.m.plays == nil {
		return []sight{{&e.plays[0], e.m}}
	}
	out := make([]sight, len(e.plays))
	for k := range e.plays {
		out[k] = sight{&e.plays[k], e.plays[k].market}
	}
	return out
}

// deeper are rules that load extra more bars of history.
func deeper(rules *strategy.Rules, extra int) *strategy.Rules {
	r := *rules
	r.Warmup += extra
	r.Parts = slices.Clone(r.Parts)
	for k := range r.Parts {
		r.Parts[k].Rules = deeper(r.Parts[k].Rules, extra)
	}
	return &r
}
