// Package store keeps bars and reference data on disk: columns in immutable, checksummed, memory
// mapped files, named by a manifest that is swapped in one step. FORMAT.md describes every byte.
//
// In: one session's bars of many symbols at a time, under the vendor's ticker of that day, and
// reference data. Out: bar.Source, in which an instrument is followed through its renames and never
// joined to another that used the same ticker. It refuses bars that cannot be, a second writer, other
// format versions, and every byte that changed since it was written.
package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// Store is a consistent snapshot of what is on disk, opened for reading. It keeps showing that state
// while a Writer commits newer ones. Safe for concurrent use.
type Store struct {
	dir      string
	man      *manifest
	segments []*segment // in the order of the manifest
	days     []int64    // sessions of all segments of days, midnight UTC, ns: one table for times of any of them
	ref      *reference
	cal      *bar.Calendar
}

var _ bar.Source = (*Store)(nil)

// Open the newest state under dir. An empty or absent directory is an error matching bar.ErrNoData; a
// store of another format version is a *VersionError. Damage in a segment does not fail Open but
// whoever uses the segment. Cost: one mapping a file, and the checksums of their indexes (48 bytes a
// ticker and file).
func Open(dir string) (*Store, error) {
	if !littleEndian() {
		return nil, fmt.Errorf("open store %s: big-endian machines are not supported", dir)
	}
	// A writer may replace the manifest and remove files between our reading the one and mapping the
	// others; then there is a newer manifest to read.
	for range 100 {
		s, err := openOnce(dir)
		if err != errChanged {
			return s, err
		}
	}
	return nil, fmt.Errorf("open store %s: it changes faster than it can be opened; try again", dir)
}

var errChanged = errors.New("the manifest was replaced meanwhile")

func openOnce(dir string) (s *Store, err error) {
	m, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	s = &Store{dir: dir, man: m}
	defer func() {
		if err != nil {
			s.Close()
			if now, e := readManifest(dir); e == nil && now.Generation != m.Generation {
				err = errChanged
			}
			s = nil
		}
	}()
	for _, r := range m.Segments {
		data, unmap, err := mapFile(filepath.Join(dir, r.File))
		if errors.Is(err, fs.ErrNotExist) {
			if now, e := readManifest(dir); e == nil && now.Generation != m.Generation {
				return s, errChanged
			}
			s.segments = append(s.segments, &segment{ref: r, broken: damage(r.File, "", "the file is missing")})
			continue
		}
		if err != nil {
			return s, fmt.Errorf("open store: %w", err)
		}
		seg := newSegment(r, data)
		seg.unmap = unmap
		if r.Dataset == dayDataset {
			seg.base, s.days = len(s.days), append(s.days, seg.sessions...)
		}
		s.segments = append(s.segments, seg)
	}
	if s.ref, err = openReference(dir, m); err != nil {
		return s, fmt.Errorf("open store %s: %w", dir, err)
	}
	cal, err := calendarOf(m.Calendar)
	if err != nil {
		return s, fmt.Errorf("open store %s: %w", dir, err)
	}
	s.cal = cal.With(s.ref.holidays)
	return s, nil
}

// Close unmaps the files. Series that Load returned must not be read any more.
func (s *Store) Close() error {
	var errs []error
	for _, seg := range s.segments {
		if seg.unmap != nil {
			errs = append(errs, seg.unmap())
		}
	}
	if s.ref != nil && s.ref.unmap != nil {
		errs = append(errs, s.ref.unmap())
	}
	s.segments, s.ref = nil, nil
	return errors.Join(errs...)
}

// Name is "store" and its directory.
func (s *Store) Name() string { return "store " + s.dir }

// Calendar is that of the market with the corrections of the reference data.
func (s *Store) Calendar() *bar.Calendar { return s.cal }

// Synthetic reports whether the store was made for invented prices.
func (s *Store) Synthetic() bool { return s.man.Synthetic }

// Checked says that every bar was looked at when it was put.
func (s *Store) Checked() {}

// Generation counts the commits: two snapshots of one directory with the same number are the same.
func (s *Store) Generation() uint64 { return s.man.Generation }

// Sessions held of a stored frame, bar.Daily or bar.Minutely, oldest first.
func (s *Store) Sessions(f bar.Frame) []instrument.Date { return s.man.sessions(datasetOf(f)) }

func (m *manifest) sessions(dataset byte) []instrument.Date {
	var ds []instrument.Date
	for _, r := range m.Segments {
		if r.Dataset == dataset {
			for _, d := range r.Sessions {
				ds = append(ds, instrument.Date(d))
			}
		}
	}
	return ds
}

func datasetOf(f bar.Frame) byte {
	if f.Intraday() {
		return minuteDataset
	}
	return dayDataset
}

// base is the stored dataset from which a frame is made. Days and longer come from day files; when
// there are none at all, from minutes.
func (s *Store) base(f bar.Frame) byte {
	if datasetOf(f) == dayDataset && s.man.has(dayDataset) {
		return dayDataset
	}
	return minuteDataset
}

// has reports whether any session of a dataset is stored.
func (m *manifest) has(dataset byte) bool {
	return slices.ContainsFunc(m.Segments, func(r segmentRef) bool { return r.Dataset == dataset })
}

func frameOf(dataset byte) bar.Frame {
	if dataset == dayDataset {
		return bar.Daily
	}
	return bar.Minutely
}

// of gives the segments of a dataset, oldest first.
func (s *Store) of(dataset byte) []*segment {
	var segs []*segment
	for _, seg := range s.segments {
		if seg.ref.Dataset == dataset {
			segs = append(segs, seg)
		}
	}
	return segs
}

// Actions of the instrument that uses symbol now, or used it last. A symbol without reference data
// has none; one without bars either is an error matching bar.ErrNoData.
func (s *Store) Actions(symbol string) (instrument.Instrument, instrument.Actions, error) {
	rec, err := s.resolve(symbol, instrument.Forever)
	return rec.Instrument, rec.Actions, err
}

// resolve finds whose bars are meant by symbol as of a date. Where reference data does not know it,
// its bars are an instrument of their own, up to the day somebody else takes the ticker over.
func (s *Store) resolve(symbol string, asOf instrument.Date) (record, error) {
	if asOf == instrument.None {
		asOf = instrument.Forever
	}
	span, found, next := s.ref.lookup(symbol, asOf)
	if found {
		return s.ref.read(span)
	}
	until := instrument.Forever
	if next != instrument.Forever {
		until = next - 1
	}
	in := instrument.Instrument{Ticker: symbol, Delisted: instrument.None,
		Spans: []instrument.Span{{Ticker: symbol, From: instrument.None, To: until}}}
	for _, dataset := range []byte{dayDataset, minuteDataset} {
		ps, err := s.pieces(dataset, in.Spans)
		if err != nil {
			return record{}, err
		}
		if len(ps) > 0 {
			first, _ := ps[0].bounds()
			d := s.dateOf(dataset, first)
			in.ID = instrument.ID(symbol + "@" + d.String())
			in.Spans[0].From = d
			return record{Instrument: in}, nil
		}
	}
	return record{}, fmt.Errorf("find %s in %s: no bars and no reference data under this ticker (case matters): %w",
		symbol, s.Name(), bar.ErrNoData)
}

// dateOf is the session of a stored time.
func (s *Store) dateOf(dataset byte, ns int64) instrument.Date {
	if dataset == dayDataset {
		return instrument.DateOfNanos(ns)
	}
	return s.cal.DateOf(ns)
}

// Coverage lists what is stored for frame, sorted by ticker. For a frame that is not stored it lists
// the stored one that would be resampled, as Coverage.Frame says. Cost: O(tickers x files); bars are
// read only where a ticker changed hands within a file.
func (s *Store) Coverage(ctx context.Context, frame bar.Frame) ([]bar.Coverage, error) {
	dataset := s.base(frame)
	var names []string
	for _, seg := range s.of(dataset) {
		if seg.broken != nil {
			return nil, fmt.Errorf("list %s: %w", s.Name(), seg.broken)
		}
		for i := range seg.runs {
			names = append(names, seg.ticker(i))
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	byID := map[instrument.ID]bool{}
	var out []bar.Coverage
	add := func(name string, asOf instrument.Date) error {
		rec, err := s.resolve(name, asOf)
		if errors.Is(err, bar.ErrNoData) {
			return nil
		}
		if err != nil || byID[rec.Instrument.ID] {
			return err
		}
		byID[rec.Instrument.ID] = true
		c, err := s.coverage(dataset, rec.Instrument)
		if err == nil && c.Bars > 0 {
			out = append(out, c)
		}
		return err
	}
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for _, asOf := range s.ref.owners(name) {
			if err := add(name, asOf); err != nil {
				return nil, fmt.Errorf("list %s: %w", s.Name(), err)
			}
		}
	}
	slices.SortFunc(out, func(a, b bar.Coverage) int {
		return cmp.Or(cmp.Compare(a.Instrument.Ticker, b.Instrument.Ticker), cmp.Compare(a.First, b.First))
	})
	return out, nil
}

// owners gives one date for each instrument that may have used ticker: before the first span of the
// reference data, and at the start of every span.
func (r *reference) owners(ticker string) []instrument.Date {
	dates := []instrument.Date{}
	i, _ := slices.BinarySearchFunc(r.spans, ticker, func(s span, t string) int { return cmp.Compare(s.ticker, t) })
	for ; i < len(r.spans) && r.spans[i].ticker == ticker; i++ {
		if from := r.spans[i].from; len(dates) == 0 && from > instrument.None+1 {
			dates = append(dates, from-1)
		}
		dates = append(dates, r.spans[i].from)
	}
	if len(dates) == 0 {
		return []instrument.Date{instrument.Forever}
	}
	return dates
}

func (s *Store) coverage(dataset byte, in instrument.Instrument) (bar.Coverage, error) {
	c := bar.Coverage{Instrument: in, Frame: frameOf(dataset)}
	ps, err := s.pieces(dataset, in.Spans)
	if err != nil || len(ps) == 0 {
		return c, err
	}
	for _, p := range ps {
		c.Bars += int64(p.j - p.i)
	}
	first, _ := ps[0].bounds()
	_, last := ps[len(ps)-1].bounds()
	c.First, c.Last = s.dateOf(dataset, first), s.dateOf(dataset, last)
	return c, nil
}

// Files counts the files of bars.
func (s *Store) Files() int { return len(s.man.Segments) }
