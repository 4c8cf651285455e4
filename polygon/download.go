package polygon

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"backtester/backtest/instrument"
	"backtester/backtest/store"
	"backtester/polygon/bucket"
	"backtester/polygon/flatfile"
)

func (b *BarSummary) cover(objects []bucket.Object) {
	if b.Listed = len(objects); b.Listed > 0 {
		b.First, b.Last = session(objects[0]), session(objects[b.Listed-1])
	}
}

// dataset brings whole sessions up to date, part by part.
func (s *syncer) dataset(ctx context.Context, w *store.Writer, j *job) error {
	if err := s.revive(j.objects, w.Sessions(j.dataset.Frame())); err != nil {
		return err
	}
	sum := &BarSummary{Dataset: j.dataset}
	sum.cover(j.objects)
	missing := s.mirror.Missing(j.objects)
	for _, o := range missing {
		sum.Missing++
		sum.Bytes += max(0, o.Size)
	}
	defer func() { s.sum.Bars = append(s.sum.Bars, *sum) }()
	s.Log.Info("listed", "dataset", j.dataset, "files", len(j.objects), "missing", len(missing), "bytes", sum.Bytes)
	if s.Progress != nil && len(missing) > 0 {
		s.Progress.Start(len(missing), sum.Bytes)
		defer s.Progress.Done()
	}
	before := len(s.sum.Faults)
	todo := parts(j.objects, j.dataset)
	for i, part := range todo {
		beyond, err := s.part(ctx, w, part, sum)
		if err != nil {
			return err
		}
		if beyond {
			if i+1 < len(todo) {
				s.sum.fault(part[0].Key, fmt.Errorf("%s files before %s not asked for: %w", j.dataset, session(part[0]), ErrForbidden))
			}
			break
		}
	}
	if j.open {
		s.expected(j, before)
	}
	return nil
}

// expected makes a warning of the faults from index i on that only say that the vendor's plan does not
// reach back further: that was to be expected where nobody said from when.
func (s *syncer) expected(j *job, i int) {
	k := slices.IndexFunc(j.objects, func(o bucket.Object) bool { return len(s.mirror.Missing([]bucket.Object{o})) == 0 })
	if k < 0 {
		return // it includes nothing at all
	}
	oldest := j.objects[k]
	kept := slices.DeleteFunc(slices.Clone(s.sum.Faults[i:]), func(f Fault) bool {
		return errors.Is(f.Err, ErrForbidden) && f.Key < oldest.Key
	})
	if len(kept) < len(s.sum.Faults)-i {
		s.sum.warn("plan_limit", "the vendor's plan has no %s bars before %s", j.dataset, session(oldest))
	}
	s.sum.Faults = append(s.sum.Faults[:i], kept...)
}

// revive makes copies that were pruned count as missing where the store has lost their sessions.
func (s *syncer) revive(objects []bucket.Object, there []instrument.Date) error {
	var gone []bucket.Entry
	for _, o := range objects {
		if e, ok := s.mirror.Entry(o.Key); ok && e.Pruned && !holds(there, session(o)) {
			e.Gone = true
			gone = append(gone, e)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	return s.mirror.Record(gone...)
}

// parts are committed together: years of daily, months of minute bars, the newest first, so that the
// limits of a plan, which reach back from today, are met once.
func parts(objects []bucket.Object, d flatfile.Dataset) [][]bucket.Object {
	period := func(o bucket.Object) string {
		if d.Unit() == flatfile.Minute {
			return session(o).String()[:7]
		}
		return session(o).String()[:4]
	}
	var out [][]bucket.Object
	for i, o := range objects {
		if i == 0 || period(objects[i-1]) != period(o) {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], o)
	}
	slices.Reverse(out)
	return out
}

// part downloads and loads one part. A copy that proves damaged is thrown away and fetched once more.
// It reports whether the plan ended within the part.
func (s *syncer) part(ctx context.Context, w *store.Writer, objects []bucket.Object, sum *BarSummary) (beyond bool, err error) {
	var faults []Fault
	for range 2 {
		faults = faults[:0]
		missing := s.mirror.Missing(objects)
		got, err := s.download(ctx, missing)
		sum.Fetched += len(missing) - len(s.mirror.Missing(missing))
		for _, f := range got {
			faults = append(faults, Fault{f.Key, f.Err})
			beyond = beyond || f.Skipped > 0
		}
		if err != nil {
			s.sum.Faults = append(s.sum.Faults, faults...)
			return false, err
		}
		bad, err := s.load(ctx, w, s.fresh(objects, w), sum)
		faults = append(faults, bad...)
		if err != nil {
			return false, err
		}
		if !slices.ContainsFunc(bad, func(f Fault) bool { return errors.Is(f.Err, flatfile.ErrDamaged) }) {
			break
		}
	}
	s.sum.Faults = append(s.sum.Faults, faults...)
	return beyond, nil
}

// download brings objects to disk from where they come.
func (s *syncer) download(ctx context.Context, objects []bucket.Object) ([]bucket.Fault, error) {
	if s.Source == REST {
		return s.grouped(ctx, objects)
	}
	return s.mirror.Fetch(ctx, s.bucket, objects, bucket.Fetch{Workers: s.Workers, Now: s.Now, Progress: quiet(s.Progress)})
}

// fresh is what of objects is on disk and not in the store as it is on disk.
func (s *syncer) fresh(objects []bucket.Object, w *store.Writer) []file {
	var files []file
	var there []instrument.Date
	for _, o := range objects {
		date := session(o)
		d, _, _ := parseKey(o.Key)
		if there == nil {
			there = w.Sessions(d.Frame())
		}
		e, ok := s.mirror.Entry(o.Key)
		if !ok || e.Loaded && holds(there, date) {
			continue
		}
		files = append(files, file{o.Key, s.mirror.Path(o.Key), d, date})
	}
	return files
}

// load decodes files into the store, commits, and only then records them as loaded.
func (s *syncer) load(ctx context.Context, w *store.Writer, files []file, sum *BarSummary) ([]Fault, error) {
	var faults []Fault
	var done []bucket.Entry
	err := ingest(ctx, w, files, func(r outcome) {
		e, _ := s.mirror.Entry(r.key)
		if r.err != nil {
			faults = append(faults, Fault{r.key, r.err})
			if errors.Is(r.err, flatfile.ErrDamaged) {
				e.Gone = true
				done = append(done, e)
			}
			return
		}
		e.Loaded, e.Rows, e.LeftOut = true, r.rows, r.notes.Faults()
		done = append(done, e)
		sum.add(s.sum, r)
	})
	if err != nil {
		return faults, s.storing(err)
	}
	if len(files) > 0 {
		if err := w.Commit(); err != nil {
			return faults, s.storing(err)
		}
		s.Log.Info("stored", "dataset", sum.Dataset, "from", files[0].session, "to", files[len(files)-1].session, "files", len(files), "faults", len(faults))
	}
	if len(done) == 0 {
		return faults, nil
	}
	return faults, s.mirror.Record(done...)
}

// quiet passes files on and leaves start and end to the dataset as a whole.
func quiet(p Progress) Progress {
	if p == nil {
		return nil
	}
	return filesOnly{p}
}

type filesOnly struct{ Progress }

func (filesOnly) Start(int, int64) {}
func (filesOnly) Done()            {}
