package polygon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/store"
	"backtester/polygon/flatfile"
)

// verify reads every byte of the store and of the downloads. Damaged segments are set aside, so that
// their sessions are missing and come again, from the downloads or from the vendor; damaged downloads
// count as never fetched. Everything found is in the summary.
func (s *syncer) verify(ctx context.Context, w *store.Writer) error {
	faults, err := s.storeFaults(ctx, w)
	if err != nil {
		return err
	}
	aside := map[string]bool{}
	for _, f := range faults {
		if aside[f.File] {
			continue // one fault a ticker: the file goes as a whole
		}
		aside[f.File] = true
		d := Damage{File: f.File, What: f.What, First: instrument.None, Last: instrument.None}
		day, minute := len(w.Sessions(bar.Daily)), len(w.Sessions(bar.Minutely))
		lost, err := w.Quarantine(f.File)
		switch {
		case err != nil && lost == nil: // reference data, which was left out and is read again
			d.Healed = true
		case err != nil:
			return err
		default:
			d.First, d.Last = lost[0], lost[len(lost)-1]
			if len(w.Sessions(bar.Daily)) < day {
				s.lose(s.units()[0], lost)
			}
			if len(w.Sessions(bar.Minutely)) < minute {
				s.lose(s.units()[1], lost)
			}
		}
		s.sum.Damaged = append(s.sum.Damaged, d)
	}
	bad, err := s.mirror.Verify(ctx)
	for _, e := range bad {
		d := Damage{File: e.Key, What: "the download is missing or its checksum is wrong: it counts as never fetched", First: instrument.None, Last: instrument.None, Healed: true}
		s.sum.Damaged = append(s.sum.Damaged, d)
	}
	if n := len(s.sum.Damaged); n > 0 && err == nil {
		s.sum.warn("damaged", "%d files on disk have changed since they were written; what they held comes again; the first is %s", n, s.sum.Damaged[0])
	}
	return err
}

func (s *syncer) lose(d flatfile.Dataset, dates []instrument.Date) {
	s.lost[d] = union(s.lost[d], dates)
}

// storeFaults lists the damage in the store. Damaged reference data keeps a store from being opened:
// it is left out, to be put again from the downloads, and the rest is looked at.
func (s *syncer) storeFaults(ctx context.Context, w *store.Writer) ([]store.Fault, error) {
	faults, whole, err := listFaults(ctx, s.StoreDir)
	if err != nil || whole {
		return faults, err
	}
	if err := w.PutReference(store.Reference{}); err != nil {
		return nil, err
	}
	if err := w.Commit(); err != nil {
		return nil, s.storing(err)
	}
	more, _, err := listFaults(ctx, s.StoreDir)
	return append(faults, more...), err
}

// inspect is verify without setting anything right.
func (s *syncer) inspect(ctx context.Context) error {
	faults, _, err := listFaults(ctx, s.StoreDir)
	for i, f := range faults {
		if i == 0 || faults[i-1].File != f.File {
			s.sum.Damaged = append(s.sum.Damaged, Damage{File: f.File, What: f.What, First: instrument.None, Last: instrument.None})
		}
	}
	return err
}

// listFaults reads a store; one that is not there yet has none. whole is false when its reference data
// cannot be read and nothing else was looked at.
func listFaults(ctx context.Context, dir string) (faults []store.Fault, whole bool, err error) {
	st, err := store.Open(dir)
	var f *store.Fault
	switch {
	case errors.Is(err, bar.ErrNoData):
		return nil, true, nil
	case errors.As(err, &f):
		return []store.Fault{*f}, false, nil
	case err != nil:
		return nil, true, err
	}
	defer st.Close()
	if faults, err = st.Verify(ctx); err != nil {
		return faults, true, fmt.Errorf("verify store %s: %w", dir, err)
	}
	return faults, true, nil
}

// settle says which damage was made good: all sessions of the file are stored again.
func (s *syncer) settle(w *store.Writer) {
	days, minutes := w.Sessions(bar.Daily), w.Sessions(bar.Minutely)
	for i := range s.sum.Damaged {
		d := &s.sum.Damaged[i]
		if d.First == instrument.None {
			continue
		}
		d.Healed = true
		for _, lost := range s.lost[s.units()[0]] {
			d.Healed = d.Healed && (lost < d.First || lost > d.Last || holds(days, lost))
		}
		for _, lost := range s.lost[s.units()[1]] {
			d.Healed = d.Healed && (lost < d.First || lost > d.Last || holds(minutes, lost))
		}
	}
}

// prune removes downloads whose bars are in the store, and segments that were set aside and whose
// sessions are all there again.
func (s *syncer) prune(w *store.Writer) error {
	var keys []string
	for _, e := range s.mirror.Entries() {
		d, date, ok := parseKey(e.Key)
		if ok && d.Asset() == s.Asset && e.Loaded && holds(w.Sessions(d.Frame()), date) {
			keys = append(keys, e.Key)
		}
	}
	var err error
	s.sum.Pruned.Files, s.sum.Pruned.Bytes, err = s.mirror.Prune(keys)
	if err != nil || slices.ContainsFunc(s.sum.Damaged, func(d Damage) bool { return !d.Healed }) {
		return err
	}
	files, bytes, err := w.RemoveDamaged()
	s.sum.Pruned.Files += files
	s.sum.Pruned.Bytes += bytes
	return err
}

// parseKey is flatfile.ParseKey for the vendor's files and those of our own making.
func parseKey(key string) (flatfile.Dataset, instrument.Date, bool) {
	return flatfile.ParseKey(strings.TrimPrefix(key, restPrefix))
}

// union of two sorted lists.
func union(a, b []instrument.Date) []instrument.Date {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}
