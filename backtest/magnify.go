package backtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"

	"backtester/backtest/bar"
	"backtester/backtest/fill"
	"backtester/backtest/instrument"
	"backtester/backtest/order"
	"backtester/backtest/stats"
)

// With `fills.ambiguity: magnify` the stored minutes of the regular session say what came first within a
// bar. They settle the order of events only: prices stay those of the rules for whole bars, except that a
// trailing stop that follows the bar it works in follows its minutes. A bar is read when there is a
// doubt about it, not before.

// finer gives the minutes within a bar.
type finer struct {
	ctx    context.Context
	src    bar.Source
	m      *market
	names  map[instrument.ID]*instrument.Instrument // of what minutes are stored of; nil until asked for
	read   map[fineKey]*bar.Series                  // by symbol and session; nil where there is nothing
	series []symbol                                 // what was read, in the order of reading: data of the run
	err    error
}

type fineKey struct {
	sym  int32
	date instrument.Date
}

// magnifier is the source of minutes of a run that asks for them; nil for others.
func magnifier(ctx context.Context, cfg *Config, src bar.Source, m *market) *finer {
	if cfg.Fills.Ambiguity != fill.Magnify {
		return nil
	}
	return &finer{ctx: ctx, src: src, m: m, read: map[fineKey]*bar.Series{}}
}

// within is the minutes of a symbol's bar at step t, nil when none are stored.
func (f *finer) within(i, t int32) *bar.Series {
	d := f.m.date[t]
	k := fineKey{i, d}
	s, known := f.read[k]
	if !known && f.err == nil {
		if s, f.err = f.load(i, d); f.err != nil {
			return nil
		}
		f.read[k] = s
	}
	if s == nil || f.m.daily {
		return s
	}
	from, to := f.m.time[t], f.m.time[t]+int64(f.m.frame.Duration())
	a := sort.Search(s.Len(), func(k int) bool { return s.Time[k] >= from })
	b := sort.Search(s.Len(), func(k int) bool { return s.Time[k] >= to })
	if a == b {
		return nil
	}
	return s.Slice(a, b)
}

// load the traded minutes of a session; nil when there are none.
func (f *finer) load(i int32, d instrument.Date) (*bar.Series, error) {
	sy := &f.m.syms[i]
	ticker, err := f.ticker(sy, d)
	if err != nil {
		return nil, err
	}
	s, err := f.src.Load(f.ctx, bar.Request{Symbol: ticker, Frame: bar.Minutely, From: d, To: d, Session: bar.Regular})
	if errors.Is(err, bar.ErrNoData) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load minutes of %s on %s: %w", sy.name, d, err)
	}
	if _, ok := f.src.(bar.Checked); !ok {
		if err := s.Check(); err != nil {
			return nil, fmt.Errorf("minutes of %s on %s: %w", sy.name, d, err)
		}
	}
	if s, _ = traded(s); s.Len() == 0 || s.Frame != bar.Minutely {
		return nil, nil
	}
	f.series = append(f.series, symbol{name: sy.name + " minutes of " + d.String(), bars: s})
	return s, nil
}

// ticker by which the source knows a symbol on a day: another one than in the run if it was renamed.
func (f *finer) ticker(sy *symbol, d instrument.Date) (string, error) {
	if f.names == nil {
		held, err := f.src.Coverage(f.ctx, bar.Minutely)
		if err != nil {
			return "", err
		}
		f.names = make(map[instrument.ID]*instrument.Instrument, len(held))
		for k := range held {
			f.names[held[k].Instrument.ID] = &held[k].Instrument
		}
	}
	if in := f.names[sy.bars.ID]; in != nil && sy.bars.ID != "" {
		if t := in.TickerOn(d); t != "" {
			return t, nil
		}
	}
	return sy.ticker, nil
}

// minute k of a series.
func minute(s *bar.Series, k int) fill.Bar {
	return fill.Bar{Open: s.Open[k], High: s.High[k], Low: s.Low[k], Close: s.Close[k], Volume: s.Volume[k]}
}

// doubt counts a bar once: as settled if the minutes answered all that was asked of it.
func (e *engine) doubt(s *state, settled bool) {
	switch {
	case settled && s.doubt == 0:
		e.counts.SettledBars++
		s.doubt = 1
	case !settled && s.doubt == 1:
		e.counts.SettledBars--
		fallthrough
	case !settled && s.doubt == 0:
		e.counts.UnsettledBars++
		s.doubt = 2
	}
}

// rule counts a bar in which a rule decides what came first, once.
func (e *engine) rule(s *state) {
	if !s.ruled {
		s.ruled = true
		e.counts.AmbiguousBars++
	}
}

// entryMinute is the minute in which an order filled, -1 when the minutes do not tell. doubtful: its
// trigger and its limit lie in one minute, and nothing proves the one before the other.
func entryMinute(s *bar.Series, t order.Terms, touch bool) (k int, doubtful bool) {
	if s == nil {
		return -1, true
	}
	for k := range s.Len() {
		b := minute(s, k)
		m := fill.EntryAtOpen(t, b.Open)
		if m.Triggered {
			t.Trigger = math.NaN()
		}
		if !m.Hit {
			within := fill.EntryWithin(t, b, touch)
			if within.Triggered {
				t.Trigger = math.NaN()
				doubtful = !within.Hit && fill.LimitWithin(t.Side, t.Limit, b, touch)
			}
			m.Hit = within.Hit
		}
		if m.Hit {
			return k, false
		}
	}
	return -1, doubtful || !math.IsNaN(t.Trigger)
}

// enterWithin is what a bar makes of an entry between open and close. Where the bar cannot prove that the
// limit of a triggered order filled, its minutes may.
func (e *engine) enterWithin(i int32, w *order.Working) fill.Match {
	if !e.works(w) || e.misses(i, w) {
		return fill.Match{}
	}
	m := fill.EntryWithin(w.Terms, e.bar(i), e.matching.LimitTouch)
	if e.finer == nil || m.Hit || !m.Triggered || !fill.LimitWithin(w.Side, w.Limit, e.bar(i), e.matching.LimitTouch) {
		return m
	}
	k, doubtful := entryMinute(e.finer.within(i, e.t), w.Terms, e.matching.LimitTouch)
	e.doubt(&e.st[i], !doubtful)
	if k >= 0 {
		m.Ref, m.Rule, m.Hit = w.Limit, fill.LimitInBar, true
	}
	return m
}

// replayed is what the minutes say of a position's levels.
type replayed struct {
	fill.Hit
	ok      bool // something filled
	trail   int  // which intrabar trailing stop it was, -1 for none
	at      int  // minute
	settled bool
}

// replay finds the first of a stop and a target that the minutes reach, from minute `from` on and before
// `until`. Intrabar trailing stops follow the minutes, the best price of each taken to come before its worst.
func (e *engine) replay(i int32, side order.Side, l fill.Levels, from, until int) replayed {
	s := &e.st[i]
	none := replayed{trail: -1}
	minutes := e.finer.within(i, e.t)
	if minutes == nil {
		return none
	}
	entry := -1
	if s.entered == fill.InBar || s.joined == fill.InBar {
		if entry, _ = entryMinute(minutes, s.terms, e.matching.LimitTouch); entry < 0 {
			return none
		}
		from = max(from, entry)
	}
	follow := side // of the trailing stops; 0 after an entry within the bar, which they do not follow
	if s.entered > fill.OnOpen {
		follow = 0
	}
	reached := false // whether the minutes know at all of what the bar says
	far := fill.Bar{High: math.Inf(-1), Low: math.Inf(1)}
	for k := range min(until, minutes.Len()) {
		b := minute(minutes, k)
		stop, trail := e.trailed(i, follow, l.Stop, far)
		if k >= from && k != entry && fill.StopAtOpen(side, stop, b.Open) {
			return stopped(stop, b.Open, trail, k)
		}
		if k >= from && k != entry && fill.LimitAtOpen(side, l.Target, b.Open) {
			return replayed{Hit: fill.Hit{Ref: l.Target, Rule: fill.LimitInBar, Target: true}, ok: true, trail: -1, at: k, settled: true}
		}
		far.High, far.Low = max(far.High, b.High), min(far.Low, b.Low)
		stop, trail = e.trailed(i, follow, l.Stop, far)
		hit := fill.StopWithin(side, stop, b)
		target := fill.LimitWithin(side, l.Target, b, e.matching.LimitTouch)
		reached = reached || hit || target
		switch {
		case k < from:
		case hit && (k == entry || target):
			return none // in one minute: the rules for whole bars decide
		case hit:
			return stopped(stop, stop, trail, k)
		case target && k != entry:
			return replayed{Hit: fill.Hit{Ref: l.Target, Rule: fill.LimitInBar, Target: true}, ok: true, trail: -1, at: k, settled: true}
		}
	}
	// Nothing was reached: after an entry within the bar what the bar shows may have come before it, and
	// the stop of a trail that knew the whole bar may never have stood there. Levels that the bar reached
	// and no minute did are a contradiction.
	day := e.bar(i)
	fixed := fill.StopWithin(side, l.Stop, day) || fill.LimitWithin(side, l.Target, day, e.matching.LimitTouch)
	none.settled = !fixed || reached && entry >= 0
	return none
}

// stopped is the end by a stop: at its price, for a trailing stop that a minute gapped at its open.
func stopped(stop, price float64, trail, at int) replayed {
	h := fill.Hit{Ref: stop, Rule: fill.StopInBar}
	if trail >= 0 && price != stop {
		h = fill.Hit{Ref: price, Rule: fill.StopOpen}
	}
	return replayed{Hit: h, ok: true, trail: trail, at: at, settled: true}
}

// trailed is the tightest of a stop and the intrabar trailing stops after extremes, and which it was.
func (e *engine) trailed(i int32, side order.Side, stop float64, far fill.Bar) (float64, int) {
	which := -1
	if side == 0 || far.High < far.Low {
		return stop, which
	}
	for n, w := range e.st[i].within {
		if level := w.stop(side, far); tighter(side, stop, level) != stop && e.left(i, w.item) > 0 && e.st[i].parts[w.item].cut <= e.t {
			stop, which = level, n
		}
	}
	return stop, which
}

// Ambiguity is what the other answers to the question of which came first would have made of the run:
// the stop in every bar that leaves it open, and the target in every one. They are no bounds, since
// another fill changes what is traded later, and no trials. Results made before the equity of the extra
// runs was kept have no Sessions.
type Ambiguity struct {
	Bars        int64   `json:"bars"` // of this run whose order a rule decided
	StopFirst   Outcome `json:"stop_first"`
	TargetFirst Outcome `json:"target_first"`
	Sessions    Times   `json:"sessions,omitzero"` // dates of the equity of both, element 0 is the start
}

// Outcome of an extra run.
type Outcome struct {
	Bars    int64         `json:"bars"` // with both in them
	Metrics stats.Metrics `json:"metrics"`
	Equity  []float64     `json:"equity,omitempty"` // USD at the end of each of the Sessions; shorter than they are where nothing was left
}

// Figures are the extra runs without their equity; nil of nil.
func (a *Ambiguity) Figures() *Ambiguity {
	if a == nil {
		return nil
	}
	out := *a
	out.Sessions, out.StopFirst.Equity, out.TargetFirst.Equity = Times{}, nil, nil
	return &out
}

// bothWays plays the two extra runs on what was loaded for the first.
func (k *task) bothWays(ctx context.Context, e *engine, src bar.Source) (*Ambiguity, error) {
	if e.counts.AmbiguousBars == 0 || k.options.Single || k.options.Strategy != nil {
		return nil, nil
	}
	extra := *k
	extra.worker = nil // its engine holds the run that is not told yet
	out := &Ambiguity{Bars: e.counts.AmbiguousBars}
	for _, x := range []struct {
		rule fill.Ambiguity
		to   *Outcome
	}{{fill.Worst, &out.StopFirst}, {fill.Best, &out.TargetFirst}} {
		m := *e.m
		other, err := extra.engine(&m)
		if err != nil {
			return nil, err
		}
		other.matching.Ambiguity, other.finer, other.meter = x.rule, e.finer, newMeter(Options{}, 0)
		if err := other.run(ctx); err != nil {
			return nil, err
		}
		other.end()
		bench, err := other.benchmark(ctx, src)
		if err != nil {
			return nil, err
		}
		all, closed := other.trades()
		in := other.statistics(all, closed, bench)
		x.to.Bars, x.to.Metrics, x.to.Equity = other.counts.AmbiguousBars, stats.Later(in), in.Equity
		if len(in.Dates) > out.Sessions.Len() {
			out.Sessions = DaysOf(in.Dates)
		}
	}
	return out, nil
}

// readMinutes adds the minutes that were looked at to what the run read.
func (e *engine) readMinutes() {
	if e.finer != nil {
		list := slices.Clone(e.finer.series)
		slices.SortFunc(list, func(a, b symbol) int { return cmp.Compare(a.name, b.name) })
		e.m.also = append(slices.Clip(e.m.also), list...)
	}
}

// warning says both ends in words.
func (a *Ambiguity) warning() Warning {
	ends := [2]string{"no equity left", "no equity left"}
	for k, o := range []*Outcome{&a.StopFirst, &a.TargetFirst} {
		if x, ok := o.Metrics.Get("final_equity"); ok {
			ends[k] = fmt.Sprintf("%.2f USD", x)
		}
	}
	bars := "1 bar"
	if a.Bars != 1 {
		bars = fmt.Sprintf("%d bars", a.Bars)
	}
	return Warning{"ambiguous_bars", fmt.Sprintf("%s held both the stop and the target of a position, and a rule decided which came first: "+
		"with the stop first in each the run ends at %s, with the target first at %s", bars, ends[0], ends[1])}
}
