package store

import (
	"context"
	"fmt"
	"math"
	"sort"
	"sync"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// endedAfter is how many later sessions without a bar make a series ended (rules of the market 6.3).
const endedAfter = 20

// piece is the rows [i, j) of one run.
type piece struct {
	seg  *segment
	run  int
	i, j int
}

// bounds are the times of the first and last row. Rows inside of a run were found by reading its
// times, so the checksum was right.
func (p piece) bounds() (first, last int64) {
	e := p.seg.entry(p.run)
	if p.i == 0 && p.j == e.rows {
		return e.first, e.last
	}
	t := p.seg.view(e).time
	return t[p.i], t[p.j-1]
}

// pieces of an instrument, oldest first, in all segments of a dataset.
func (s *Store) pieces(dataset byte, spans []instrument.Span) ([]piece, error) {
	var ps []piece
	for _, seg := range s.segments {
		if seg.ref.Dataset != dataset {
			continue
		}
		for _, span := range spans {
			if span.From > seg.ref.last() || span.To < seg.ref.first() {
				continue
			}
			if seg.broken != nil {
				return nil, seg.broken
			}
			k, ok := seg.find(span.Ticker)
			if !ok {
				continue
			}
			p, err := cut(seg, k, s.start(dataset, span.From), s.end(dataset, span.To))
			if err != nil {
				return nil, err
			}
			if p.i < p.j {
				ps = append(ps, p)
			}
		}
	}
	return ps, nil
}

// start is the first time that may belong to date d or later; end is the first one after d.
func (s *Store) start(dataset byte, d instrument.Date) int64 {
	if d == instrument.None {
		return -1 << 63
	}
	if d == instrument.Forever {
		return 1<<63 - 1
	}
	if dataset == dayDataset {
		return d.Nanos()
	}
	return s.cal.Midnight(d)
}

func (s *Store) end(dataset byte, d instrument.Date) int64 {
	if d != instrument.None && d != instrument.Forever {
		d++
	}
	return s.start(dataset, d)
}

// cut the rows of a run to times in [from, to). Reads the run only when a bound lies inside of it.
func cut(seg *segment, k int, from, to int64) (piece, error) {
	e := seg.entry(k)
	p := piece{seg, k, 0, e.rows}
	if e.first >= to || e.last < from {
		p.j = 0
		return p, nil
	}
	if e.first >= from && e.last < to {
		return p, nil
	}
	c, err := seg.run(k)
	if err != nil {
		return p, err
	}
	p.i = sort.Search(e.rows, func(i int) bool { return c.time[i] >= from })
	p.j = max(p.i, sort.Search(e.rows, func(i int) bool { return c.time[i] >= to }))
	return p, nil
}

// Load returns an instrument's raw bars, see bar.Source. Bars stored under its earlier tickers come
// first. A range within one file is a view on the mapping, otherwise one copy. Frames that are not
// stored are resampled from minutes or days. When only minutes are stored, days are made of the
// minutes of r.Session (regular by default): their volume lacks what the vendor's day files count
// outside of it, and their prices come from minutes rather than from auctions.
func (s *Store) Load(ctx context.Context, r bar.Request) (*bar.Series, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r.From, r.To = r.Bounds()
	if r.Session == "" {
		r.Session = bar.Regular
	}
	rec, err := s.resolve(r.Symbol, r.To)
	if err != nil {
		return nil, err
	}
	dataset := s.base(r.Frame)
	ps, err := s.pieces(dataset, rec.Instrument.Spans)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", r.Symbol, err)
	}
	out, err := s.cutTo(r, dataset, ps)
	if err != nil {
		return nil, fmt.Errorf("load %s %s: %w", r.Symbol, r.Frame, err)
	}
	if out == nil || out.Warm == out.Len() {
		return nil, s.nothing(r, dataset, ps)
	}
	out.Symbol, out.ID, out.Actions = r.Symbol, rec.Instrument.ID, rec.Actions
	out.Ticker = rec.Instrument.TickerOn(s.dateOf(dataset, out.Time[out.Len()-1]))
	out.Delisted, out.Adjusted = rec.Instrument.Delisted, rec.Instrument.Adjusted
	if out.Delisted != instrument.None && s.cal.Next(s.man.reach(dataset)) < out.Delisted {
		out.Delisted = instrument.None // what is held ends before: nobody stopped trading there
	}
	out.NoVolume = math.IsNaN(out.Volume[0]) || math.IsNaN(out.Volume[out.Len()-1])
	_, last := ps[len(ps)-1].bounds()
	out.Later = s.dateOf(dataset, last) > r.To
	out.Ended = out.Delisted == instrument.None && s.ended(dataset, ps, r.To)
	return out, nil
}

// nothing explains an empty answer: what was asked, what is there.
func (s *Store) nothing(r bar.Request, dataset byte, ps []piece) error {
	have := "nothing"
	if len(ps) > 0 {
		first, _ := ps[0].bounds()
		_, last := ps[len(ps)-1].bounds()
		have = s.dateOf(dataset, first).String() + " to " + s.dateOf(dataset, last).String()
	} else if !s.man.has(dataset) {
		have = "no " + map[byte]string{dayDataset: "day", minuteDataset: "minute"}[dataset] + " bars of any symbol"
	}
	return fmt.Errorf("load %s %s from %q to %q: %s holds %s: %w", r.Symbol, r.Frame, r.From, r.To, s.Name(), have, bar.ErrNoData)
}

// ended reports whether the instrument stopped trading: the store has endedAfter sessions after its
// last bar, and that bar is not after to.
func (s *Store) ended(dataset byte, ps []piece, to instrument.Date) bool {
	_, ns := ps[len(ps)-1].bounds()
	last := s.dateOf(dataset, ns)
	if last > to {
		return false
	}
	later := 0
	for i := len(s.man.Segments) - 1; i >= 0 && later < endedAfter; i-- {
		seg := s.man.Segments[i]
		if seg.Dataset == dataset {
			later += len(seg.Sessions) - sort.Search(len(seg.Sessions), func(k int) bool { return instrument.Date(seg.Sessions[k]) > last })
		}
	}
	return later >= endedAfter
}

// cutTo gives the bars of the request, resampled, with as much warm-up as wanted and there is. Nil
// when there is none.
func (s *Store) cutTo(r bar.Request, dataset byte, ps []piece) (*bar.Series, error) {
	from, to := s.start(dataset, r.From), s.end(dataset, r.To)
	if stored := frameOf(dataset); r.Frame == stored && dataset == dayDataset {
		return s.assemble(ps, window{from, to, r.Warmup}, stored)
	}
	// How many stored bars make one asked for varies: ask for more until it is enough or all.
	if !r.Frame.Intraday() { // a week or month that began before From needs all of its days
		from = s.start(dataset, s.periodStart(r.Frame, r.From))
	}
	for warm := r.Warmup*perBar(r.Frame, dataset) + 1; ; warm *= 4 {
		if r.Warmup == 0 {
			warm = 0
		}
		raw, err := s.assemble(ps, window{from, to, warm}, frameOf(dataset))
		if raw == nil || err != nil {
			return nil, err
		}
		out, err := bar.Resample(raw, r.Frame, r.Session, s.cal)
		if err != nil {
			return nil, err
		}
		whole := raw.Warm < warm || warm == 0 // nothing earlier was left out
		if !whole && out.Len() > 0 {
			out = out.Slice(1, out.Len()) // it may lack its beginning
		}
		first := sort.Search(out.Len(), func(i int) bool { return out.Time[i] >= s.label(r.Frame, r.From) })
		if first >= r.Warmup || whole {
			out.Warm = first
			skip := max(0, first-r.Warmup)
			return out.Slice(skip, out.Len()), nil
		}
	}
}

// label is the time of the first bar of a frame that is not before date d.
func (s *Store) label(f bar.Frame, d instrument.Date) int64 {
	if f.Intraday() {
		return s.start(minuteDataset, d)
	}
	return s.start(dayDataset, d)
}

// periodStart is the first day of the day, week or month of d.
func (s *Store) periodStart(f bar.Frame, d instrument.Date) instrument.Date {
	if d == instrument.None || d == instrument.Forever {
		return d
	}
	return bar.PeriodStart(f, d)
}

// perBar estimates how many stored bars make one of frame f.
func perBar(f bar.Frame, dataset byte) int {
	n := 1
	switch f.Unit {
	case bar.Minute:
		return f.N * 2
	case bar.Hour:
		return f.N * 60 * 2
	case bar.Week:
		n = 6
	case bar.Month:
		n = 24
	}
	if dataset == minuteDataset {
		n *= 400
	}
	return n
}

// window of stored bars: times in [from, to), and warm bars before it.
type window struct {
	from, to int64
	warm     int
}

// assemble the rows of a window. Nil when there is none.
func (s *Store) assemble(ps []piece, w window, frame bar.Frame) (*bar.Series, error) {
	var keep []piece
	rows, warm := 0, 0
	for k := len(ps) - 1; k >= 0; k-- {
		p := ps[k]
		in, err := p.within(w.from, w.to)
		if err != nil {
			return nil, err
		}
		first, _ := p.bounds()
		if first >= w.to {
			continue
		}
		before := min(in.i-p.i, w.warm-warm) // rows of the piece that lie before the window
		in.i -= before
		warm += before
		if in.i < in.j {
			keep, rows = append(keep, in), rows+in.j-in.i
		}
		if in.i > p.i { // rows were left out: nothing earlier is wanted
			break
		}
	}
	if rows == 0 {
		return nil, nil
	}
	c, err := s.concat(keep, rows)
	return &bar.Series{Frame: frame, Time: c.time, Open: c.open, High: c.high, Low: c.low, Close: c.close,
		Volume: c.volume, Warm: warm, Delisted: instrument.None}, err
}

// within cuts a piece to times in [from, to); when none is left it is the empty piece at from.
func (p piece) within(from, to int64) (piece, error) {
	c, err := cut(p.seg, p.run, from, to)
	if err != nil {
		return c, err
	}
	if c.i >= c.j { // all before, or all after
		first, _ := p.bounds()
		if first >= to {
			return piece{p.seg, p.run, p.i, p.i}, nil
		}
		if e := p.seg.entry(p.run); e.last < from {
			return piece{p.seg, p.run, p.j, p.j}, nil
		}
	}
	i := min(max(c.i, p.i), p.j)
	return piece{p.seg, p.run, i, max(i, min(c.j, p.j))}, nil
}

// concat joins pieces that come newest first. One piece is a view. Of several the times may be one all
// the same, where a symbol traded in every session.
func (s *Store) concat(newestFirst []piece, rows int) (columns, error) {
	if len(newestFirst) == 1 {
		p := newestFirst[0]
		c, err := p.seg.run(p.run)
		if err != nil {
			return c, err
		}
		return c.slice(p.i, p.j), nil
	}
	ballast()
	out := makeColumns(rows, false)
	shared := s.shared(newestFirst, rows)
	if shared == nil {
		out.time = make([]int64, 0, rows)
	}
	for k := len(newestFirst) - 1; k >= 0; k-- {
		p := newestFirst[k]
		c, err := p.seg.run(p.run)
		if err != nil {
			return columns{}, err
		}
		c = c.slice(p.i, p.j)
		c.trans = nil
		if shared != nil {
			c.time = nil
		}
		out = out.append(c)
	}
	if shared != nil {
		out.time = shared
	}
	return out, nil
}

// shared is the times of pieces as a part of the table of sessions, nil where they are none.
func (s *Store) shared(newestFirst []piece, rows int) []int64 {
	first, next := 0, -1
	for k := len(newestFirst) - 1; k >= 0; k-- {
		p := newestFirst[k]
		e := p.seg.entry(p.run)
		at := p.seg.base + e.shared + p.i
		if e.flags&flagShared == 0 || p.seg.ref.Dataset != dayDataset || next >= 0 && at != next {
			return nil
		}
		if next < 0 {
			first = at
		}
		next = at + p.j - p.i
	}
	return s.days[first : first+rows : first+rows]
}

// ballast is memory that nobody touches, so that it takes none, and that the collector counts. Without it a
// program that goes through a market, a copy of 200 kB a symbol, would collect garbage for every 4 MB of
// it, which costs as much as all the rest; with it, for every 64 MB.
var ballast = sync.OnceValue(func() []byte { return make([]byte, 64<<20) })

// makeColumns with room for n rows; there is none for times, which may stand elsewhere already.
func makeColumns(n int, trans bool) columns {
	f := make([]float64, 5*n)
	c := columns{
		open: f[0:0:n], high: f[n : n : 2*n], low: f[2*n : 2*n : 3*n],
		close: f[3*n : 3*n : 4*n], volume: f[4*n : 4*n : 5*n],
	}
	if trans {
		c.trans = make([]int32, 0, n)
	}
	return c
}
