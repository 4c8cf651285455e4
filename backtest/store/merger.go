package store

import (
	"cmp"
	"path/filepath"
	"slices"
	"sort"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// merger writes one segment from several sources, of which each gives some of its sessions.
type merger struct {
	dir, name string
	dataset   byte
	cal       *bar.Calendar
	inputs    []input
	have      map[instrument.Date]bool // sessions given whole by inputs so far
	all       map[instrument.Date]bool // those, and sessions of patches
	opened    []*segment
	temporary bool // what is written need not survive the process
}

// input is a source and the sessions of it that were replaced by later ones, as time ranges.
type input struct {
	src     source
	first   instrument.Date
	dropped [][2]int64 // [from, to)
	next    int        // run to read next
	rank    int        // the lower one wins
	patch   bool       // replaces by symbol, not by session

	released int64 // bytes of a segment given back to the system
}

// addPending takes what was put, the latest first.
func (m *merger) addPending(items []pending) {
	for i := len(items) - 1; i >= 0; i-- {
		p := items[i]
		if x, ok := p.src.(*patch); ok {
			x.sort()
		}
		m.add(p.src, p.sessions, p.patch)
	}
}

// addStored takes what the store has. Every run is checked when it is read: damage is never copied.
func (m *merger) addStored(refs []segmentRef) error {
	for _, r := range refs {
		data, unmap, err := mapFile(filepath.Join(m.dir, r.File))
		if err != nil {
			return err
		}
		seg := newSegment(r, data)
		seg.unmap = unmap
		m.opened = append(m.opened, seg)
		if seg.broken != nil {
			return seg.broken
		}
		ds := make([]instrument.Date, len(r.Sessions))
		for i, d := range r.Sessions {
			ds[i] = instrument.Date(d)
		}
		m.add(seg, ds, false)
	}
	return nil
}

func (m *merger) add(src source, sessions []instrument.Date, patch bool) {
	if m.have == nil {
		m.have, m.all = map[instrument.Date]bool{}, map[instrument.Date]bool{}
	}
	in := input{src: src, first: sessions[0], rank: len(m.inputs), patch: patch}
	for _, d := range sessions {
		m.all[d] = true
		if patch {
			continue
		}
		if m.have[d] {
			in.dropped = append(in.dropped, [2]int64{m.start(d), m.start(d + 1)})
		}
		m.have[d] = true
	}
	m.inputs = append(m.inputs, in)
}

// start is the first time that belongs to session d or a later one.
func (m *merger) start(d instrument.Date) int64 {
	if m.dataset == minuteDataset {
		return m.cal.Midnight(d)
	}
	return d.Nanos()
}

// sessions of all inputs, oldest first.
func (m *merger) sessions() []instrument.Date {
	ds := make([]instrument.Date, 0, len(m.all))
	for d := range m.all {
		ds = append(ds, d)
	}
	slices.Sort(ds)
	return ds
}

// write the segment: all tickers in order, each with the rows of all inputs in the order of time.
func (m *merger) write() (segmentRef, error) {
	sessions := m.sessions()
	w, err := newSegmentWriter(m.dir, m.name, m.dataset, sessions)
	if err != nil {
		return segmentRef{}, err
	}
	// So that rows come nearly always in order; which input gives a session is decided already.
	slices.SortStableFunc(m.inputs, func(a, b input) int { return cmp.Compare(a.first, b.first) })
	scratch := makeColumns(1024, true)
	for {
		ticker, ok := m.smallest()
		if !ok {
			break
		}
		var c columns
		if c, err = m.gather(ticker, &scratch); err == nil {
			err = w.add(ticker, c)
		}
		if err != nil {
			w.abandon()
			return segmentRef{}, err
		}
	}
	ref, err := w.finish(!m.temporary)
	for _, d := range sessions {
		ref.Sessions = append(ref.Sessions, int32(d))
	}
	return ref, err
}

// smallest ticker that some input has not given yet.
func (m *merger) smallest() (string, bool) {
	least, ok := "", false
	for i := range m.inputs {
		in := &m.inputs[i]
		if in.next < in.src.tickers() {
			if t := in.src.ticker(in.next); !ok || t < least {
				least, ok = t, true
			}
		}
	}
	return least, ok
}

// gather the rows of ticker from all inputs, in the order of time: in scratch, or where they lie when one
// input has them all.
func (m *merger) gather(ticker string, scratch *columns) (columns, error) {
	var mine []*input
	patched := false
	for i := range m.inputs {
		in := &m.inputs[i]
		if in.next < in.src.tickers() && in.src.ticker(in.next) == ticker {
			mine, patched = append(mine, in), patched || in.patch
		}
	}
	if patched {
		slices.SortFunc(mine, func(a, b *input) int { return cmp.Compare(a.rank, b.rank) })
	}
	if len(mine) == 1 && !patched && len(mine[0].dropped) == 0 {
		return mine[0].read()
	}
	dst := scratch.reset()
	var covered [][2]int64 // by patches read so far
	for _, in := range mine {
		c, err := in.read()
		if err != nil {
			return dst, err
		}
		if in.patch && c.len() > 0 {
			dst = keep(dst, c, covered)
			covered = append(covered, m.sessionsOf(c.time)...)
			slices.SortFunc(covered, func(a, b [2]int64) int { return cmp.Compare(a[0], b[0]) })
			continue
		}
		dropped := in.dropped
		if covered != nil {
			dropped = slices.Concat(dropped, covered)
			slices.SortFunc(dropped, func(a, b [2]int64) int { return cmp.Compare(a[0], b[0]) })
		}
		dst = keep(dst, c, dropped)
	}
	if !slices.IsSorted(dst.time) {
		sort.Sort(byTime{dst})
	}
	*scratch = dst
	return dst, nil
}

// read the next run.
func (in *input) read() (columns, error) {
	if seg, ok := in.src.(*segment); ok {
		in.release(seg)
	}
	c, err := in.src.run(in.next)
	in.next++
	return c, err
}

// release gives memory back whose runs were read, a piece at a time: else a merge would hold all that it
// reads, and a month of minutes is gigabytes.
func (in *input) release(seg *segment) {
	const piece = 4 << 20
	if at := seg.entry(in.next).offset; at-in.released >= piece {
		release(seg.data[in.released:at])
		in.released = at
	}
}

// sessionsOf gives the sessions of sorted times as ranges [from, to); those of consecutive dates are one.
func (m *merger) sessionsOf(times []int64) [][2]int64 {
	var list [][2]int64
	for i := 0; i < len(times); {
		d := m.dateOf(times[i])
		from, to := m.start(d), m.start(d+1)
		if n := len(list); n > 0 && list[n-1][1] == from {
			list[n-1][1] = to
		} else {
			list = append(list, [2]int64{from, to})
		}
		for i < len(times) && times[i] < to {
			i++
		}
	}
	return list
}

// dateOf is the session of a stored time.
func (m *merger) dateOf(ns int64) instrument.Date {
	if m.dataset == minuteDataset {
		return m.cal.DateOf(ns)
	}
	return instrument.DateOfNanos(ns)
}

// keep appends the rows of c that were not replaced: those outside of the dropped ranges, which are
// sorted by where they begin.
func keep(dst, c columns, dropped [][2]int64) columns {
	at := 0
	for _, r := range dropped {
		i, _ := slices.BinarySearch(c.time, r[0])
		j, _ := slices.BinarySearch(c.time, r[1])
		if i > at {
			dst = dst.append(c.slice(at, i))
		}
		at = max(at, j)
	}
	return dst.append(c.slice(at, c.len()))
}

// close unmaps what addStored opened.
func (m *merger) close() {
	for _, s := range m.opened {
		s.unmap()
	}
}

// byTime sorts the rows of columns.
type byTime struct{ columns }

func (b byTime) Len() int           { return len(b.time) }
func (b byTime) Less(i, j int) bool { return b.time[i] < b.time[j] }
func (b byTime) Swap(i, j int) {
	b.time[i], b.time[j] = b.time[j], b.time[i]
	for _, c := range [][]float64{b.open, b.high, b.low, b.close, b.volume} {
		c[i], c[j] = c[j], c[i]
	}
	b.trans[i], b.trans[j] = b.trans[j], b.trans[i]
}
