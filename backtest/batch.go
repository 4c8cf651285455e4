package backtest

import (
	"context"

	"backtester/backtest/bar"
	"backtester/backtest/expr"
	"backtester/backtest/instrument"
	"backtester/backtest/stats"
	"backtester/backtest/strategy"
	"backtester/backtest/strategy/hook"
)

// Batch is a market that was read once, on which rules that were compiled together are played one after
// another: what sweeps are made of. It is immutable and safe for concurrent use.
type Batch struct {
	cfg   *Config
	given *Config // cfg without the defaults that depend on the market
	rules []*strategy.Rules
	m     *market
	src   bar.Source
}

// NewBatch reads the market of cfg and evaluates the program of rules on it. The rules share one Program
// (see strategy.File.CompileEach) and one length of history; the parameters of cfg are not looked at,
// unless it has a script. a holds temporaries; nil for new ones.
func NewBatch(ctx context.Context, cfg *Config, rules []*strategy.Rules, src bar.Source, a *expr.Arena) (*Batch, error) {
	m, err := load(ctx, cfg, rules[0], src, &worker{arena: a})
	if err != nil {
		return nil, err
	}
	return &Batch{settled(cfg, m.breadth(), (&task{cfg: cfg}).coded()), cfg, rules, m, src}, nil
}

// Player plays the rules of batches with memory that it keeps. Not safe for concurrent use.
type Player struct {
	// Benchmark compares with the benchmark of the Config, which costs a pass over its bars for every run.
	Benchmark bool
	// Strategy makes decisions in Go in the next Play, as Options.Strategy does in a run, of rules that
	// strategy.File.CompileCoded made.
	Strategy hook.Strategy

	e     engine
	bench []float64   // equity of the benchmark
	made  bool        // in is of this run
	in    stats.Input // see Input
	r     []float64
}

// Play plays rules k of b in the event engine. What it leaves behind can be read until the next one.
func (p *Player) Play(ctx context.Context, b *Batch, k int) error {
	o, cfg := Options{Strategy: p.Strategy}, b.cfg
	if o.Strategy != nil {
		cfg = settled(b.given, b.m.breadth(), true)
	}
	p.e.begin(cfg, b.rules[k], b.m)
	if err := p.e.hire(o); err != nil {
		return err
	}
	p.e.finer = magnifier(ctx, cfg, b.src, b.m)
	if err := p.e.run(ctx); err != nil {
		return err
	}
	if p.e.stopped { // ruined: nothing after that step happened
		m := *b.m
		m.time, m.date, m.session = m.time[:p.e.t+1], m.date[:p.e.t+1], m.session[:p.e.t+1]
		p.e.m = &m
	}
	p.bench, p.made = nil, false
	if p.Benchmark {
		var err error
		if p.bench, err = p.e.benchmark(ctx, b.src); err != nil {
			return err
		}
	}
	return nil
}

// Input is what the run left behind, for package stats. It is made when it is first asked for: a look at every
// trade and fill.
func (p *Player) Input() *stats.Input {
	if !p.made {
		books := p.e.books
		closed := len(books.Closed)
		all := append(books.Closed, books.Open(int32(len(p.e.m.time)-1), func(s int32) int32 { return p.e.st[s].row })...)
		p.in, p.made = p.e.statistics(all, closed, p.bench), true
	}
	return &p.in
}

// Basic are the metrics that a search compares.
func (p *Player) Basic() stats.Basic {
	var b stats.Basic
	b, p.r = stats.ComputeBasic(p.Input(), p.r)
	return b
}

// Fills of the run, as in a Result.
func (p *Player) Fills() []Fill { return p.e.fillsOf(p.e.stamps()) }

// Lane is one symbol alone as the fast paths of a sweep see it: rows are its traded bars, those before
// Start only history.
type Lane struct {
	Symbol   string
	Config   *Config // with the defaults that depend on the number of symbols
	Bars     *bar.Series
	Basis    bar.Basis         // nil slices: no action restates a price
	Start    int               // first row that decides
	First    int               // first row that may trade: Start, or the one after it
	Date     []instrument.Date // session of each row from Start on
	Session  []int32           // number of that session
	Base     instrument.Date   // date of the starting equity
	PerYear  float64           // sessions
	binding  expr.Binding
	sessions []instrument.Date
	market   *market
}

// DayOrder is the number of the session with which a day order ends that a row, from Start on, decides.
func (l *Lane) DayOrder(row int) int32 {
	if l.market.goesOn(row) {
		return l.Session[row]
	}
	return l.Session[row] + 1
}

// Lane is the only symbol of the batch; an error says in a few words why there is none that can be
// looked at by itself.
func (b *Batch) Lane() (*Lane, error) { return laneOf(b.cfg, b.m) }

func laneOf(cfg *Config, m *market) (*Lane, error) {
	switch {
	case len(m.syms) != 1:
		return nil, &NoLane{"several symbols share the cash"}
	case cfg.Universe.Dynamic() || m.syms[0].kinds != nil:
		return nil, &NoLane{"the universe changes over time"}
	case m.extended:
		return nil, &NoLane{"bars of extended hours decide"}
	}
	s := &m.syms[0]
	if len(m.time) != s.bars.Len()-int(s.rowsBefore(0)) {
		return nil, &NoLane{"the symbol was delisted in the range"}
	}
	l := &Lane{Symbol: s.name, Config: cfg, Bars: s.bars, Basis: s.basis, Start: int(s.rowsBefore(0)), Date: m.date, Session: m.session,
		Base: m.date[0], PerYear: m.perYear(), sessions: sessionsOf(m), market: m}
	l.First = l.Start + m.first
	if m.first == 0 {
		l.Base = m.sessionStart()
	}
	return l, nil
}

// NoLane says why a market cannot be looked at as one symbol alone.
type NoLane struct{ Reason string }

func (e *NoLane) Error() string { return e.Reason }

// NewLane reads the market of cfg, which has one symbol, without evaluating anything; warmup is how many
// bars of history are wanted. Bind then evaluates programs on it.
func NewLane(ctx context.Context, cfg *Config, p *expr.Program, warmup int, src bar.Source) (*Lane, error) {
	l := &loader{ctx: ctx, cfg: cfg, rules: &strategy.Rules{Program: p, Warmup: warmup}, src: src,
		m: newMarket(cfg, src.Calendar())}
	list, err := securities(ctx, cfg, l.rules, src)
	if err != nil {
		return nil, err
	}
	if err := l.lay(list, warmup); err != nil {
		return nil, err
	}
	if err := l.outlook(p); err != nil {
		return nil, err
	}
	lane, err := laneOf(settled(cfg, l.m.breadth(), false), l.m)
	if err != nil {
		return nil, err
	}
	if p.Stages() > 0 {
		return nil, &NoLane{"symbols are compared with each other"}
	}
	if err := l.m.look.prepare(ctx, p); err != nil {
		return nil, err
	}
	lane.binding, err = l.m.look.binding(p, l.m.syms[0].view(), &expr.Arena{})
	return lane, err
}

// Bind evaluates the program that the lane was read for, on as many goroutines as there are arenas.
func (l *Lane) Bind(p *expr.Program, dst *expr.Bound, arenas ...*expr.Arena) {
	p.BindTogether(dst, l.binding, arenas)
}

// Sessions are the dates that session returns of the batch lie between: the first is that of the starting
// equity.
func (b *Batch) Sessions() []instrument.Date { return sessionsOf(b.m) }

func sessionsOf(m *market) []instrument.Date {
	out := make([]instrument.Date, 0, len(m.date)+1)
	if m.first == 0 {
		out = append(out, m.sessionStart())
	}
	for t := range m.date {
		if t+1 == len(m.date) || m.session[t+1] != m.session[t] {
			out = append(out, m.date[t])
		}
	}
	return out
}

// Symbols are those of the market, as data.symbols names them in a Result.
func (b *Batch) Symbols() []string {
	out := make([]string, len(b.m.syms))
	for i := range b.m.syms {
		out[i] = b.m.syms[i].name
	}
	return out
}

// PerYear is how many sessions a year has, by which ratios are annual.
func (b *Batch) PerYear() float64 { return b.m.perYear() }

// Digest identifies everything that was read, as data.sha256 does in a Result.
func (b *Batch) Digest() string { return b.m.digest(b.cfg) }

// Sessions are the dates that session returns of the lane lie between, see Batch.Sessions.
func (l *Lane) Sessions() []instrument.Date { return l.sessions }
