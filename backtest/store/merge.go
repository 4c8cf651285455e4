package store

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"backtester/backtest/instrument"
)

// How segments are cut. Minutes: a month that is over is one segment. Days: the years that are over
// are an era, a few large segments, of which a commit takes those in whose sessions it changes, then
// neighbours while they have less than twice the rows taken so far; so one long history is one
// segment, where loading a symbol copies nothing. The newest year of days and the newest month of
// minutes are a tail of parts: new sessions become a part, which takes the one before it in by the
// same rule, as digits carry. So there are about log2(sessions) parts, and a row is written about
// that often.

// source is sorted runs: a segment, a batch or a patch.
type source interface {
	tickers() int
	ticker(i int) string
	run(i int) (columns, error)
}

// group is what becomes one segment: bars of one period that were put, and segments that are written
// anew with them.
type group struct {
	dataset byte
	period  int
	items   []pending
	old     []segmentRef
}

// era is the period of all years of days that are over.
const era = -1

// period of a date: the year of day bars, the month of minute bars.
func period(dataset byte, d instrument.Date) int {
	t := d.Time()
	if dataset == dayDataset {
		return t.Year()
	}
	return t.Year()*12 + int(t.Month()) - 1
}

// groups sorts pending bars by dataset and period, keeping the order of Put within.
func groups(ps []pending, period func(byte, instrument.Date) int) []group {
	var gs []group
	for _, p := range ps {
		k := period(p.dataset, p.sessions[0])
		i := slices.IndexFunc(gs, func(g group) bool { return g.dataset == p.dataset && g.period == k })
		if i < 0 {
			gs, i = append(gs, group{dataset: p.dataset, period: k}), len(gs)
		}
		gs[i].items = append(gs[i].items, p)
	}
	slices.SortFunc(gs, func(a, b group) int {
		return cmp.Or(cmp.Compare(a.dataset, b.dataset), cmp.Compare(a.period, b.period))
	})
	return gs
}

// plan decides which segments a commit writes and from what. With compact, closed periods and the
// newest one become a segment each.
func (w *Writer) plan(compact bool) []group {
	newest := map[byte]int{}
	for _, p := range w.pending {
		newest[p.dataset] = max(newest[p.dataset], period(p.dataset, p.sessions[len(p.sessions)-1]))
	}
	for _, r := range w.man.Segments {
		newest[r.Dataset] = max(newest[r.Dataset], period(r.Dataset, r.last()))
	}
	zone := func(dataset byte, d instrument.Date) int {
		if k := period(dataset, d); dataset != dayDataset || k == newest[dataset] {
			return k
		}
		return era
	}
	gs := groups(w.pending, zone)
	stored := groupsOf(w.man.Segments, zone)
	for _, g := range stored {
		known := slices.ContainsFunc(gs, func(x group) bool { return x.dataset == g.dataset && x.period == g.period })
		over := g.period != newest[g.dataset]
		if n := len(g.old); !known && n > 1 && (compact || over && (g.dataset == minuteDataset || uneven(g.old))) {
			gs = append(gs, group{dataset: g.dataset, period: g.period})
		}
	}
	for i := range gs {
		g := &gs[i]
		at := slices.IndexFunc(stored, func(x group) bool { return x.dataset == g.dataset && x.period == g.period })
		if at < 0 {
			continue
		}
		all := stored[at].old
		switch {
		case compact || g.dataset == minuteDataset && g.period != newest[g.dataset]:
			g.old = all
		default:
			g.old = taken(all, g.items)
		}
	}
	return gs
}

// groupsOf sorts segments by dataset and period, oldest first within.
func groupsOf(refs []segmentRef, period func(byte, instrument.Date) int) []group {
	var gs []group
	for _, r := range refs {
		k := period(r.Dataset, r.last())
		i := slices.IndexFunc(gs, func(g group) bool { return g.dataset == r.Dataset && g.period == k })
		if i < 0 {
			gs, i = append(gs, group{dataset: r.Dataset, period: k}), len(gs)
		}
		gs[i].old = append(gs[i].old, r)
	}
	return gs
}

// uneven reports whether the last segment of an era takes the one before it in: after a year is over,
// what was the tail stands at the end of the era, in parts or as one.
func uneven(old []segmentRef) bool {
	a, b := old[len(old)-2], old[len(old)-1]
	return a.Rows < 2*b.Rows || period(a.Dataset, a.last()) == period(b.Dataset, b.first())
}

// merge writes the segments that are planned and gives the new list of all.
func (w *Writer) merge(generation uint64, compact bool) ([]segmentRef, error) {
	out := slices.Clone(w.man.Segments)
	for n, g := range w.plan(compact) {
		m := merger{dir: w.dir, dataset: g.dataset, cal: w.cal}
		m.addPending(g.items)
		err := m.addStored(g.old)
		var ref segmentRef
		if err == nil {
			m.name = fmt.Sprintf("%s-%d-%d.seg", m.span(), generation, n)
			ref, err = w.make(&m, g)
		}
		m.close()
		if err != nil {
			return nil, err
		}
		out = slices.DeleteFunc(out, func(r segmentRef) bool {
			return slices.ContainsFunc(g.old, func(o segmentRef) bool { return o.File == r.File })
		})
		out = append(out, ref)
	}
	slices.SortFunc(out, func(a, b segmentRef) int {
		return cmp.Or(cmp.Compare(a.Dataset, b.Dataset), cmp.Compare(a.first(), b.first()))
	})
	return out, nil
}

// make the segment of a group: write it, or take the spilled file where it is the whole of it.
func (w *Writer) make(m *merger, g group) (segmentRef, error) {
	if len(g.items) != 1 || len(g.old) > 0 || g.items[0].spilled == nil || g.items[0].patch {
		return m.write()
	}
	ref := g.items[0].spilled.ref
	from, to := filepath.Join(w.dir, ref.File), filepath.Join(w.dir, m.name)
	ref.File = m.name
	return ref, errors.Join(syncFile(from), os.Rename(from, to))
}

// syncFile brings a file that was written earlier to the disk.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// span names the kind and the periods of a segment: day-2004-2023, minute-202401.
func (m *merger) span() string {
	ds := m.sessions()
	name, layout := "day", "2006"
	if m.dataset == minuteDataset {
		name, layout = "minute", "200601"
	}
	first, last := ds[0].Time().Format(layout), ds[len(ds)-1].Time().Format(layout)
	name += "-" + first
	if last != first {
		name += "-" + last
	}
	return name
}

// taken chooses which of the segments of a zone, oldest first, are written anew together with items:
// those whose sessions mix with the new ones, those of a tail that is no longer the newest, then
// neighbours while they are not much larger. What it chooses is adjacent, so that segments never
// overlap.
func taken(old []segmentRef, items []pending) []segmentRef {
	first, last := instrument.Forever, instrument.None
	rows := int64(0)
	for _, p := range items {
		first, last = min(first, p.sessions[0]), max(last, p.sessions[len(p.sessions)-1])
		for i := range p.src.tickers() {
			rows += int64(rowsOf(p.src, i))
		}
	}
	if len(items) == 0 { // a tail that is over, in as many parts as its year has
		k := len(old) - 1
		for year := period(old[k].Dataset, old[k].last()); k > 0 && period(old[k].Dataset, old[k-1].last()) == year; k-- {
		}
		first, last = old[k].first(), old[len(old)-1].last()
	}
	i := 0 // old[i:j] mix with [first, last]
	for i < len(old) && old[i].last() < first {
		i++
	}
	j := i
	for ; j < len(old) && old[j].first() <= last; j++ {
		rows += old[j].Rows
	}
	for {
		switch {
		case i > 0 && old[i-1].Rows < 2*rows:
			i--
			rows += old[i].Rows
		case j < len(old) && old[j].Rows < 2*rows:
			rows += old[j].Rows
			j++
		default:
			return old[i:j]
		}
	}
}

func rowsOf(s source, i int) int {
	switch s := s.(type) {
	case *batch:
		return int(s.start[i+1] - s.start[i])
	case *patch:
		return s.cols[i].len()
	case *segment:
		return s.entry(i).rows
	}
	panic("BUG: a source of unknown kind")
}
