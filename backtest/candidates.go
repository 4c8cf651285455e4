package backtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"backtester/backtest/bar"
	"backtester/backtest/expr"
	"backtester/backtest/instrument"
	"backtester/backtest/parallel"
	"backtester/backtest/strategy"
)

// security is one that may be in the run: named in the file, or held by the source.
type security struct {
	name   string          // in results; a former owner of a ticker is TICKER@LAST-SESSION
	ticker string          // by which the source knows it on day to
	to     instrument.Date // last session to load
	facts  [expr.NumCategories]string
	who    *instrument.Instrument // as the source describes it; nil where nobody asked
	first  instrument.Date        // its first session there
	kinds  []seat                 // when it was of a type of the universe; nil: always
	seats  []seat                 // rows of a members file that are about it; nil: those of its name
}

// loader fills a market.
type loader struct {
	ctx   context.Context
	cfg   *Config
	rules *strategy.Rules
	src   bar.Source
	m     *market
	from  instrument.Date // of the first bar at which other symbols are looked at

	worker *worker // that loads one single symbol after another, nil for none

	typed   bool // types of securities change, and with them who is a member
	changes bool // members change over time

	keep map[string]bool // symbols that stay in the market although they may never be members; nil: none
}

// securities lists what to load, in byte order of the names: the symbols of the file, or all that the
// source holds in the range, delisted ones included, each by the ticker it had then.
func securities(ctx context.Context, cfg *Config, rules *strategy.Rules, src bar.Source) ([]security, error) {
	u := &cfg.Universe
	listed, err := membersOf(cfg)
	if err != nil {
		return nil, err
	}
	asked := slices.Clone(u.Symbols)
	if len(asked) == 0 {
		asked = listed.symbols()
	}
	var held []bar.Coverage
	if len(asked) == 0 || len(u.Type) > 0 || rules.NeedsCategories() || cfg.Limits.Groups != "" && cfg.Limits.File() == "" {
		if held, err = src.Coverage(ctx, frameOfUniverse(cfg)); err != nil {
			return nil, err
		}
	}
	var out []security
	if len(asked) == 0 {
		out = heldIn(held, cfg.Data.From, cfg.Data.To)
	} else {
		for _, name := range asked {
			c := named(name, cfg.Data.To)
			for k := range held {
				if held[k].Instrument.Ticker == name {
					c.describe(&held[k].Instrument, held[k].First) // the latest owner comes last
				}
			}
			out = append(out, c)
		}
	}
	kept := out[:0]
	for i := range out {
		if out[i].ofType(u.Type) {
			kept = append(kept, out[i])
		}
	}
	slices.SortFunc(kept, func(a, b security) int { return cmp.Compare(a.name, b.name) })
	return slices.CompactFunc(kept, func(a, b security) bool { return a.name == b.name }), nil
}

// named is a security asked for by name: a ticker, or TICKER@LAST-SESSION of a former owner.
func named(name string, to instrument.Date) security {
	c := security{name: name, ticker: name, to: to}
	if ticker, last, ok := strings.Cut(name, "@"); ok {
		if d, err := instrument.ParseDate(last); err == nil {
			c.ticker, c.to = ticker, d
			if to != instrument.None {
				c.to = min(d, to)
			}
		}
	}
	return c
}

// frameOfUniverse is the bars on which a universe is chosen: days, also for runs within the day.
func frameOfUniverse(cfg *Config) bar.Frame {
	if cfg.Data.Bars.Intraday() && cfg.Universe.Dynamic() {
		return bar.Daily
	}
	return cfg.Data.Bars
}

// describe says who it is.
func (c *security) describe(in *instrument.Instrument, first instrument.Date) {
	c.who, c.first = in, first
	c.facts[expr.TypeCategory], c.facts[expr.ExchangeCategory] = in.Type, in.Exchange
}

// heldIn is everything of a source that has bars in the range. Of several owners of one ticker the last
// keeps the name.
func heldIn(held []bar.Coverage, from, to instrument.Date) []security {
	var out []security
	for k := range held {
		c := &held[k]
		if to != instrument.None && c.First > to || from != instrument.None && c.Last < from {
			continue
		}
		last := c.Last
		if to != instrument.None {
			last = min(last, to)
		}
		x := security{name: c.Instrument.Ticker, ticker: c.Instrument.TickerOn(last), to: last}
		x.describe(&c.Instrument, c.First)
		if x.ticker == "" {
			x.ticker = x.name
		}
		if k+1 < len(held) && held[k+1].Instrument.Ticker == x.name {
			x.name += "@" + c.Last.String()
		}
		out = append(out, x)
	}
	return out
}

// bars loads the candidates, in parallel. Those without a bar in the range are left out, and listed as
// missing if they were asked for by name.
func (l *loader) bars(list []security, warmup int) error {
	m := l.m
	loaded, faults := make([]symbol, len(list)), make([]error, len(list))
	parallel.With(runtime.GOMAXPROCS(0), len(list), func() func(int) {
		return func(i int) { loaded[i], faults[i] = l.symbol(&list[i], warmup) }
	})
	if err := l.ctx.Err(); err != nil {
		return err
	}
	for i := range loaded {
		switch {
		case errors.Is(faults[i], bar.ErrNoData):
			m.missing = append(m.missing, Missing{Symbol: list[i].name, Reason: faults[i].Error()})
		case faults[i] != nil:
			return fmt.Errorf("load %s: %w", list[i].name, faults[i])
		default:
			m.syms = append(m.syms, loaded[i])
		}
	}
	l.once()
	return nil
}

// symbol reads one security's bars.
func (l *loader) symbol(c *security, warmup int) (symbol, error) {
	d := &l.cfg.Data
	return l.read(c, bar.Request{Symbol: c.ticker, Frame: d.Bars, From: d.From, To: c.to, Warmup: warmup, Session: d.Session})
}

// read loads the traded bars of a request and their share basis.
func (l *loader) read(c *security, r bar.Request) (symbol, error) {
	s, dropped, err := loadTraded(l.ctx, l.src, r)
	if err != nil {
		return symbol{}, err
	}
	if s.Frame != r.Frame {
		return symbol{}, fmt.Errorf("%w: data.bars is %s, the bars of %s are %s: set data.bars to %[3]s", bar.ErrNoData, r.Frame, s.Frame, s.Frame)
	}
	sy := symbol{name: c.name, security: c, bars: s, dropped: dropped, facts: c.facts}
	if s.Len() == 0 {
		return symbol{}, errUntraded
	}
	if _, ok := l.src.(bar.Checked); !ok {
		if err := s.Check(); err != nil {
			return symbol{}, err
		}
	}
	sy.basis, sy.skipped = bar.NewBasis(s, l.cfg.Data.Adjust, func(i int) instrument.Date { return l.m.dateOf(s.Time[i]) })
	return sy, nil
}

// deepen reloads symbols whose history must reach further back because windows look at what compares
// all symbols: each from the same day on, so that a comparison there misses nobody.
func (l *loader) deepen(warmup int) error {
	l.m.history = l.history()
	l.from = l.earliest(l.m.history)
	if l.cfg.Data.From == instrument.None || l.m.history <= 0 || !l.rules.Compares() || l.from >= l.cfg.Data.From {
		return nil
	}
	faults := make([]error, len(l.m.syms))
	l.m.each(func(i int, _ *expr.Arena) {
		old := &l.m.syms[i]
		s, err := l.read(old.security, bar.Request{Symbol: old.ticker, Frame: l.cfg.Data.Bars, From: l.from, To: old.to,
			Warmup: warmup, Session: l.cfg.Data.Session})
		if err != nil {
			faults[i] = fmt.Errorf("load %s: %w", old.name, err)
			return
		}
		s.bars = s.bars.Slice(0, s.bars.Len())
		for s.bars.Warm < s.bars.Len() && l.m.dateOf(s.bars.Time[s.bars.Warm]) < l.cfg.Data.From {
			s.bars.Warm++
		}
		s.align(l.m.time)
		l.m.syms[i] = s
	})
	return errors.Join(faults...)
}

// history is how many bars before the first decision expressions look at other symbols.
func (l *loader) history() int {
	h := l.rules.Program.InputHistory()
	if u := l.rules.Universe; u != nil {
		h = max(h, u.Program.InputHistory())
	}
	return h
}

// earliest is the day of the first bar at which any symbol looks at other symbols.
func (l *loader) earliest(history int) instrument.Date {
	first := l.m.date[0]
	back := max(0, history) + 1
	for i := range l.m.syms {
		b := l.m.syms[i].bars
		if k := max(0, b.Warm-back); k < b.Len() {
			first = min(first, l.m.dateOf(b.Time[k]))
		}
	}
	return first
}

// outlook prepares what expressions of p read besides a symbol's own bars.
func (l *loader) outlook(p *expr.Program) error {
	if l.m.look == nil {
		l.m.look = &outlook{cal: l.m.cal, other: map[string]*view{}, landed: map[*expr.Program]*landing{}, outside: map[string]*outside{}}
	}
	o := l.m.look
	for _, name := range p.Series() {
		s, err := seriesOf(l.cfg, name, l.m.cal)
		if err != nil {
			return err
		}
		o.outside[name] = s
	}
	from := l.from
	o.request = func(name string, warmup int) (*symbol, error) {
		d := &l.cfg.Data
		c := &security{name: name, ticker: name, to: d.To}
		s, err := l.read(c, bar.Request{Symbol: name, Frame: d.Bars, From: from, To: d.To, Warmup: warmup, Session: d.Session})
		if errors.Is(err, bar.ErrNoData) {
			l.m.missing = []Missing{{Symbol: name}}
			return nil, l.m.noData(l.ctx, l.cfg, l.src)
		}
		if err != nil {
			return nil, fmt.Errorf("load %s: %w", name, err)
		}
		l.m.also = append(l.m.also, s)
		return &s, nil
	}
	return nil
}
