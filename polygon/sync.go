package polygon

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/store"
	"backtester/polygon/bucket"
	"backtester/polygon/flatfile"
	"backtester/polygon/reference"
)

// Sync brings the store up to date with the vendor: it lists which files there are, downloads those
// that are not on disk or have changed, decodes them, and commits a year of daily or a month of minute
// bars at a time, the newest first. What is complete stays: interrupted at any point, the next Sync
// goes on from there, and nothing is downloaded or loaded twice. A session without a file is no
// session, and corrects the store's calendar once it is a week past.
//
// From REST, daily bars of the whole market come one request a session, bars of Options.Symbols one
// request a symbol and year (minutes: month). They are kept as flat files of our own making and never
// replace a session that came from the vendor's. What was asked for within a week of its last day is
// asked for once more after that, for bars that were corrected meanwhile.
//
// A file that cannot be had or used does not stop the others; it is a fault in the Summary, and the
// error is not nil. That a plan does not reach back further is a fault where Options.From asks for
// more, and a warning where nobody said from when. Errors match ErrForbidden, ErrUnauthorized,
// ErrBusy, store.ErrLocked, or those of package bucket. The Summary is never nil.
func Sync(ctx context.Context, o Options) (*Summary, error) {
	s := &syncer{Options: o, sum: &Summary{DryRun: o.DryRun}, lost: map[flatfile.Dataset][]instrument.Date{}}
	if err := s.check(); err != nil {
		return s.sum, err
	}
	s.today = bar.NYSE().DateOf(s.Now().UnixNano())
	if s.DryRun {
		err := s.dry(ctx)
		return s.sum, errors.Join(err, s.sum.err())
	}
	var err error
	if s.mirror, err = bucket.OpenMirror(s.RawDir); err != nil {
		return s.sum, err
	}
	err = s.run(ctx)
	if e := s.mirror.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = s.sum.err()
	}
	return s.sum, err
}

func (s *syncer) run(ctx context.Context) error {
	if !s.Verify { // else what is on disk is judged first, keys or not
		if err := s.open(); err != nil {
			return err
		}
	}
	w, err := store.Create(s.StoreDir, store.Options{Buffer: storeBuffer, Calendar: s.Asset.Calendar().Name()})
	if err != nil {
		return err
	}
	defer w.Close()
	if s.Verify {
		if err := s.verify(ctx, w); err != nil {
			return err
		}
		if err := s.open(); err != nil {
			return err
		}
	}
	jobs := s.plan(w)
	for i := range jobs {
		if err := s.list(ctx, &jobs[i]); err != nil {
			return err
		}
	}
	if err := s.fetchReference(ctx); err != nil {
		return err
	}
	if err := s.loadReference(w); err != nil {
		return err
	}
	if err := w.Commit(); err != nil {
		return s.storing(err)
	}
	for i := range jobs {
		if err := s.do(ctx, w, &jobs[i]); err != nil {
			return err
		}
	}
	if err := s.mend(ctx, w); err != nil {
		return err
	}
	s.compact(w)
	s.settle(w)
	if s.Prune {
		return s.prune(w)
	}
	return nil
}

// compact brings a history into one piece when that costs no more than what was loaded: after years that
// came one by one, and never after a day's update. Where it fails, for want of space, nothing is lost.
func (s *syncer) compact(w *store.Writer) {
	loaded := int64(0)
	for _, b := range s.sum.Bars {
		loaded += b.Rows
	}
	if rows := w.Scattered(); rows == 0 || loaded < rows/2 {
		return
	}
	if err := w.Compact(); err != nil {
		s.sum.warn("not_compacted", "the store is complete but not in one piece: %v; run backtester data compact", err)
	}
}

// do brings one dataset up to date.
func (s *syncer) do(ctx context.Context, w *store.Writer, j *job) error {
	if s.Source == REST && len(s.Symbols) > 0 {
		return s.symbols(ctx, w, j)
	}
	return s.dataset(ctx, w, j)
}

// dry lists and plans, and reads but writes nothing.
func (s *syncer) dry(ctx context.Context) error {
	var err error
	if s.have, err = bucket.ReadManifest(s.RawDir); err != nil {
		return err
	}
	if s.Verify {
		if err := s.inspect(ctx); err != nil {
			return err
		}
	}
	if err := s.open(); err != nil {
		return err
	}
	stored, err := openStored(s.StoreDir)
	if err != nil {
		return err
	}
	jobs := s.plan(stored)
	for i := range jobs {
		j := &jobs[i]
		if err := s.list(ctx, j); err != nil {
			return err
		}
		sum := BarSummary{Dataset: j.dataset}
		sum.cover(j.objects)
		for _, o := range j.objects {
			e, ok := s.have[o.Key]
			if ok && e.Matches(o) && (!e.Pruned || holds(j.there, session(o))) {
				continue
			}
			sum.Missing++
			sum.Bytes += max(0, o.Size)
		}
		if s.Source == REST {
			sum.Requests = s.requests(j, sum.Missing)
			sum.Missing = sum.Requests
		}
		s.sum.Bars = append(s.sum.Bars, sum)
	}
	for _, r := range s.dueReference() {
		s.sum.Due = append(s.sum.Due, r.name)
	}
	if s.datedTickers() {
		n := len(reference.LackingTypes(s.referenceDir(), s.quarters()))
		s.sum.Due = append(s.sum.Due, fmt.Sprintf("tickers of %d past quarters", n))
	}
	return nil
}

// sessions says which sessions of a frame are stored, oldest first.
type sessions interface {
	Sessions(f bar.Frame) []instrument.Date
}

// noSessions is a store that is not there yet.
type noSessions struct{}

func (noSessions) Sessions(bar.Frame) []instrument.Date { return nil }

// openStored reads which sessions a store has, without keeping it open.
func openStored(dir string) (sessions, error) {
	st, err := store.Open(dir)
	if errors.Is(err, bar.ErrNoData) {
		return noSessions{}, nil
	}
	if err != nil {
		return nil, err
	}
	defer st.Close()
	return snapshot{st.Sessions(bar.Daily), st.Sessions(bar.Minutely)}, nil
}

type snapshot struct{ days, minutes []instrument.Date }

func (s snapshot) Sessions(f bar.Frame) []instrument.Date {
	if f == bar.Minutely {
		return s.minutes
	}
	return s.days
}

// storing adds the cure to an error of the store where the disk is full.
func (s *syncer) storing(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w; free some space or choose another --data-dir for %s, then run it again: what is complete is kept", err, s.StoreDir)
	}
	return err
}
