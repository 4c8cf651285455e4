package backtest

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"backtester/backtest/expr"
	"backtester/backtest/fill"
	"backtester/backtest/instrument"
	"backtester/backtest/order"
	"backtester/backtest/portfolio"
	"backtester/backtest/strategy"
)

// engine plays a market against the rules of one Config. It is the reference for every other path.
// Its memory is reused from run to run by reset; one step allocates nothing but what results keep.
type engine struct {
	cfg   *Config // of the account
	plays []play  // the strategies in it, one unless a portfolio says otherwise
	m     *market
	books *portfolio.Books
	st    []state

	active []int32 // symbols with a position or a working entry, ascending
	orders []int32 // symbols with a working entry, in order of placement: the order of filling
	events events  // where entry conditions hold

	t          int32
	last       int32   // last step
	final      int32   // last step that may fill: where the run liquidates, the last one of a regular session
	begins     int32   // first step of the session in hand; -1 in that of step 0, which no night came before
	ends       int32   // last step of that session
	quiet      quiet   // bars of a position at rest that are to be taken in
	equity     float64 // at the latest mark
	curve      []float64
	gross      []float64 // exposure at each session's close, fraction of equity
	net        []float64
	weights    weights // of positions at sessions' closes
	fills      []execution
	inMarket   int64
	stopped    bool // equity ran out
	counts     Counts
	ranked     []candidate
	counted    []int32 // see exposure
	worst      []int32 // memory of worstFirst
	liquidate  []int32
	calls      marginCalls
	closers    bool  // something may fill in the closing auction
	levelled   int64 // entries with a stop or target
	beyond     int64 // those at which one was reached by the price paid already
	far        int64 // those of which one lies under a tenth of that price
	watching   bool  // some strategy has exits that read position variables or levels
	varying    bool  // and the levels of one of them do not just follow from the entry price
	exposed    bool  // and something that is evaluated then reads how much is held of everything
	coded      bool  // code or a rebalance decides in some strategy
	waiting    bool  // entries that work may be cancelled or repriced
	crowded    bool  // more entries may work than there are slots
	deciding   bool  // this_close: the closing auction comes after the decisions
	outside    bool  // this step lies in extended hours, and limit orders may fill there
	limited    bool  // cash or slots refused an entry although no rank says which come first
	vars       expr.PositionValues
	follow     *follower          // takes notes for proofs, nil otherwise
	matching   fill.Rules         // of the Config; extra runs differ in what they answer to ambiguity
	overall    *bounds            // of the account of several strategies, nil otherwise
	finer      *finer             // minutes within bars, nil when nothing asks for them
	attributed int                // closed trades whose profit is counted as their strategy's
	traded     monthly            // shares of the month, for tiers of commissions
	tiered     fill.Commission    // of now, where there are tiers
	closeAt    int64              // end of the regular session that closeOf is in
	closeOf    int32              // step, -1 for none
	office     int32              // of rules that follow each other those whose code was asked last, -1 for none
	fees       []portfolio.Charge // of a night, for borrowed shares
	tags       []string           // of entries, as code named them
	benchTo    instrument.Date    // last bar of the benchmark
	tagged     map[string]int32   // their numbers, from 1 on
	cheap      int64              // fills without the impact that the costs ask for
	journal    *journal           // writes down what moves money, nil otherwise
	meter      meter              // tells how far the run has come
}

// execution is a fill before it gets its names and stamps.
type execution struct {
	portfolio.Execution
	rule    fill.Rule
	decided int32
	entry   bool
	volume  float64 // of the bar
	levy    float64 // regulatory fees, part of the fee
}

// state of one symbol.
type state struct {
	row    int32   // latest row at or before this step
	here   bool    // the symbol has a bar at this step
	tried  bool    // the entry had its chance at this bar's open
	used   float64 // shares of the symbol filled in this bar, by all strategies in the state of the first
	usedAt int32   // step that used is of
	split  int32   // next split and dividend to apply
	div    int32
	exDiv  float64 // dividend that went ex today, USD a share
	doubt  uint8   // what minutes said of this bar: 0 not asked, 1 settled, 2 not settled
	ruled  bool    // a rule decided what came first in this bar

	working bool
	entry   order.Working
	intent  *strategy.SideRules // of the working entry
	plan    decision            // that led to the working entry
	rival   *rival              // that cancels the working entry or is cancelled by it, nil before the first one
	second  bool                // the working entry is the one that entry.or describes
	coded   bool                // by code, not by the rules of the file
	adds    int32               // entries into the position that was held already
	gone    [2]departure        // last exits of the two sides, the later one first
	terms   order.Terms         // of it when this bar began, for a replay

	side    *strategy.SideRules // of the position
	entered fill.Entered        // in this bar, or Before
	ref     float64             // reference price of an entry in this bar
	by      order.Kind          // market, limit or stop: what kind of order entered
	joined  fill.Entered        // when in this bar shares were added to the position, or Before
	price   float64             // reference price of what was added in this bar
	before  float64             // shares that a target may close in this bar: what came within it may have come after the best price
	dec     decision            // that led to the position
	held    int32               // bars_held at the latest close
	hi, lo  float64             // high_since and low_since
	initial float64             // shares entered, in today's basis
	parts   []part              // what each exit of the file has closed, after the whole at 0
	ways    []way               // stops and targets that work
	guard   guard               // levels that code set
	levelAt int32               // step whose close set them
	stands  bool                // their prices stay until a fill, a split or code changes what they follow from
	partly  bool                // some exit closes a part of the position
	memory  []float64           // tightest level so far of each exit rule that never loosens
	within  []intrabar
	exiting bool // a market order to close works, see parts
}

// decision to enter: what its levels on the entry bar are computed from.
type decision struct {
	step, row int32
	equity    float64   // at that close
	ratio     float64   // new shares for an old one since then
	frozen    []float64 // at_entry values, in today's basis
	guard     guard
}

const never = math.MaxInt32

func newEngine(cfg *Config, rules *strategy.Rules, m *market) *engine {
	e := &engine{}
	e.begin(cfg, rules, m)
	return e
}

// handOver leaves to a Result what it has of the engine, so that the next run gets other memory for it.
func (e *engine) handOver() {
	e.curve, e.gross, e.net, e.counts = nil, nil, nil, Counts{}
}

// begin puts the engine at the start of a run, and keeps the memory of the run before.
func (e *engine) begin(cfg *Config, rules *strategy.Rules, m *market) {
	old := *e
	*e = engine{cfg: cfg, m: m, begins: -1, quiet: still, closeOf: -1, office: -1, matching: cfg.Fills, last: int32(len(m.time) - 1), plays: old.plays[:0],
		books: old.books, st: old.st, active: old.active[:0], orders: old.orders[:0], events: old.events, curve: old.curve[:0],
		gross: old.gross[:0], net: old.net[:0], fills: old.fills[:0], fees: old.fees[:0], ranked: old.ranked[:0], worst: old.worst[:0], liquidate: old.liquidate[:0], meter: newMeter(Options{}, 0)}
	e.counts.Refused = old.counts.Refused
	if e.plays = append(append(e.plays, m.plays...), m.line...); len(e.plays) == 0 {
		e.plays = append(e.plays, play{share: 1, cfg: cfg, rules: rules})
	}
	if n := len(m.syms); e.books == nil || len(e.st) != n {
		e.books, e.st = portfolio.NewBooks(cfg.Account.Cash, n, e.plays[0].cfg.Size.Fractional), make([]state, n)
		e.books.Net = m.twins
	}
	e.books.Fractional = e.plays[0].cfg.Size.Fractional
	e.books.Reset(cfg.Account.Cash)
	for i := range e.st {
		e.st[i].clear()
	}
	if e.counts.Refused == nil {
		e.counts.Refused = map[string]int64{}
	}
	clear(e.counts.Refused)
	sessions := 2
	if len(m.time) > 0 {
		sessions += int(m.session[len(m.time)-1])
	}
	e.ends = m.sessionEnd(0)
	e.final = int32(m.last)
	for cfg.Fills.Liquidates() && e.final >= 0 && !m.regular(e.final) {
		e.final--
	}
	e.curve = slices.Grow(e.curve, len(m.time)+1)
	e.gross = slices.Grow(e.gross, sessions)
	e.closers = cfg.Fills.Market == fill.NextClose || cfg.Fills.Levels == fill.AtCloses
	for k := range e.plays {
		e.plays[k].begin(e, int32(k))
	}
	e.events.build(m, e.plays)
	fills := min(2*len(e.events.list), 64+len(m.time)/32) // most are entered and left once
	e.fills, e.books.Closed = slices.Grow(e.fills, fills), slices.Grow(e.books.Closed, fills/2)
}

// clear forgets a symbol's past and keeps its memory.
func (s *state) clear() {
	*s = state{row: -1, usedAt: -1, parts: s.parts[:0], ways: s.ways[:0], memory: s.memory[:0], within: s.within[:0],
		rival: s.rival, plan: decision{frozen: s.plan.frozen[:0]}, dec: decision{frozen: s.dec.frozen[:0]}}
}

// watches reports whether some exit of a side needs more at a close than the bitset of a condition.
func watches(p *expr.Program, side *strategy.SideRules) bool {
	if a := side.Entry.Add; a != 0 && !p.Static(a) {
		return true
	}
	for k := range side.Exits {
		x := &side.Exits[k]
		if x.Kind != strategy.ExitMaxBars && (x.Kind != strategy.ExitSignal || !p.Static(x.When)) {
			return true
		}
	}
	return false
}

// stands reports whether the levels of a side stay where they are as long as the entry price does, so that a
// close need not compute them again: numbers and entry_price are all that they are made of. Everything else
// that a close decides must then be known from bitsets.
func stands(p *expr.Program, rules *strategy.Rules, side *strategy.SideRules) bool {
	for _, other := range []*strategy.SideRules{rules.Long, rules.Short} {
		if other != nil && (other.Entry.Add != 0 || !p.Static(other.Entry.When)) {
			return false
		}
	}
	for k := range side.Exits {
		switch x := &side.Exits[k]; x.Kind {
		case strategy.ExitStop, strategy.ExitTarget:
			if vars, columns := p.Reads(x.Level); columns || vars&^(1<<expr.EntryPrice) != 0 {
				return false
			}
		case strategy.ExitSignal:
			if !p.Static(x.When) {
				return false
			}
		case strategy.ExitMaxBars:
		default:
			return false
		}
	}
	return true
}

// run plays every step.
func (e *engine) run(ctx context.Context) error {
	e.equity = e.books.Start
	if e.m.first == 0 { // no bar before the range: the start is a point of its own
		e.curve = append(e.curve, e.equity)
		e.attribute()
		e.expose()
	}
	for k := range e.plays {
		defer e.plays[k].code.attend(ctx)()
	}
	end := e.last
	if e.follow != nil {
		end = e.follow.until
	}
	restful := e.restful()
	for t := int32(0); t <= end && !e.stopped; t++ {
		if t&255 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		e.t = t
		if len(e.active) == 0 && !e.coded && e.idle() {
			e.record()
			e.attribute()
			if t >= e.meter.next {
				e.meter.report(e)
			}
			continue
		}
		e.step()
		if e.follow != nil {
			e.follow.note(e)
		}
		if e.finer != nil && e.finer.err != nil {
			return e.finer.err
		}
		if restful && (!e.coded || e.codeFault() == nil) {
			e.rest(min(end, e.final))
			t = e.t
		}
		if e.coded {
			if err := e.codeFault(); err != nil {
				return cmp.Or(ctx.Err(), err)
			}
		}
		if t >= e.meter.next {
			e.meter.report(e)
		}
	}
	if e.meter.tell != nil && e.meter.told < len(e.curve) {
		e.meter.report(e)
	}
	return e.books.Check()
}

// idle reports whether nothing can happen at this step: nothing is held or ordered, no entry condition
// holds, and no night has to be accounted for.
func (e *engine) idle() bool {
	return len(e.events.at(e.t)) == 0 && (e.t != e.begins || !e.books.Carries(&e.cfg.Account))
}

// step is one bar of the market. See the package comment for the order of phases.
func (e *engine) step() {
	if len(e.active) > 0 {
		e.advance()
		if e.t == e.begins {
			e.newSession()
		}
		before := len(e.books.Held) > 0
		filled := len(e.fills)
		regular := e.m.regular(e.t)
		e.outside = !regular && e.cfg.Fills.Extended == fill.ExtendedLimit && e.t <= e.final
		if regular || e.outside {
			e.openPhase()
			e.withinPhase()
		}
		if ending := e.cfg.Fills.End == fill.EndClose && e.t == e.final; regular && (e.closers && e.closes() || ending) {
			e.closePhase()
		}
		e.midBarDividends()
		e.mark()
		if before || len(e.fills) > filled {
			e.inMarket++
		}
	} else if e.t == e.begins {
		e.carry()
		e.equity = e.books.Equity()
	}
	if e.decides() {
		e.decide()
	}
	e.record()
	e.attribute()
}

// regular reports whether orders work in step t: extended hours may decide, but not fill.
func (m *market) regular(t int32) bool {
	if m.daily || !m.extended {
		return true
	}
	open, closing, _, ok := m.cal.Hours(m.date[t])
	return ok && m.time[t] >= open && m.time[t] < closing
}

// opens reports whether step t holds the opening auction of its session: the regular session begins in its bars, and
// where there are extended hours with them.
func (m *market) opens(t int32) bool {
	if m.daily {
		return true
	}
	open, _, _, ok := m.cal.Hours(m.date[t])
	return ok && m.time[t] <= open && open < m.time[t]+int64(m.frame.Duration()) && (m.time[t] == open || !m.extended)
}

// closing is the end of the regular session of this step, looked up once a session.
func (e *engine) closing() int64 {
	if k := e.closeOf; k < 0 || e.m.session[k] != e.m.session[e.t] || e.m.date[k] != e.m.date[e.t] {
		e.closeAt, e.closeOf = e.m.closing(int(e.t)), e.t
	}
	return e.closeAt
}

// closes reports whether this step holds the closing auction of its session: its bars end with the regular
// session, on half days earlier. One that goes on into extended hours does not: its close is no price of the auction.
func (e *engine) closes() bool {
	if e.m.daily {
		return true
	}
	closing, start := e.closing(), e.m.time[e.t]
	end := start + int64(e.m.frame.Duration())
	return start < closing && (end == closing || end > closing && !e.m.extended)
}

// cutoff is how long before a closing auction within the day its orders must be decided.
const cutoff = int64(10 * time.Minute)

// inTime reports whether an order decided at the close of a step may take part in the closing auction of
// step t.
func (m *market) inTime(decided, t int32) bool {
	if decided == t {
		return false
	}
	if m.daily || m.session[decided] != m.session[t] {
		return true
	}
	closing := m.closing(int(t))
	return m.endStamp(int(decided), closing) <= closing-cutoff
}

// advance finds each active symbol's bar of this step.
func (e *engine) advance() {
	for _, i := range e.active {
		s, sy := &e.st[i], &e.m.syms[i]
		next := s.row + 1
		s.here = int(next) < sy.bars.Len() && sy.at(next) == e.t
		if s.here {
			s.row = next
		}
		s.tried, s.doubt, s.ruled = false, 0, false
		s.entered, s.joined, s.before = fill.Before, fill.Before, math.Inf(1)
	}
}

// bar of an active symbol at this step.
func (e *engine) bar(i int32) fill.Bar {
	b, r := e.m.syms[i].bars, e.st[i].row
	return fill.Bar{Open: b.Open[r], High: b.High[r], Low: b.Low[r], Close: b.Close[r], Volume: b.Volume[r]}
}

// mark values every position at the close and settles what that brings: equity, ruin, margin.
func (e *engine) mark() {
	for _, i := range e.books.Held {
		s := &e.st[i]
		if !s.here {
			continue
		}
		b := e.m.syms[i].bars
		// After an entry within the bar only the close is known to come later; after one at the
		// close nothing does.
		hi, lo, last := b.High[s.row], b.Low[s.row], b.Close[s.row]
		switch s.entered {
		case fill.InBar:
			hi, lo = last, last
		case fill.OnClose:
			hi, lo = s.ref, s.ref
		}
		s.hi, s.lo = max(s.hi, hi), min(s.lo, lo)
		e.books.Extend(i, hi, lo, last)
	}
	e.equity = e.books.Equity()
	e.prune()
	if e.equity <= 0 {
		e.stopped = true
		return
	}
	e.callMargin()
}

// refuse counts an entry that was not placed or not filled.
func (e *engine) refuse(why order.Refusal) { e.counts.Refused[string(why)]++ }

// prune drops expired entries and forgets symbols with neither position nor order.
func (e *engine) prune() {
	if len(e.orders) == 0 && len(e.active) == len(e.books.Held) {
		return
	}
	keep := e.orders[:0]
	for _, i := range e.orders {
		s := &e.st[i]
		if !s.working {
			continue
		}
		if e.expired(s) {
			e.cancel(s)
			continue
		}
		keep = append(keep, i)
	}
	e.orders = keep
	active := e.active[:0]
	for _, i := range e.active {
		if s := &e.st[i]; s.working || e.books.Pos[i].Qty != 0 {
			active = append(active, i)
		}
	}
	e.active = active
}
