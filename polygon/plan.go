package polygon

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/polygon/bucket"
	"backtester/polygon/flatfile"
	"backtester/polygon/reference"
)

// job is one dataset of bars to bring up to date.
type job struct {
	dataset  flatfile.Dataset
	from, to instrument.Date   // sessions, inclusive
	open     bool              // nobody said from when: the plan may begin later
	there    []instrument.Date // sessions that are stored
	lost     []instrument.Date // sessions to be had again wherever they lie
	objects  []bucket.Object   // what the vendor has of it, by session
}

// wants reports whether a session belongs to the job.
func (j *job) wants(d instrument.Date) bool {
	return d >= j.from && d <= j.to || holds(j.lost, d)
}

// span of all sessions that the job wants when its range ends with to.
func (j *job) span(to instrument.Date) (first, last instrument.Date) {
	if n := len(j.lost); n > 0 {
		return min(j.from, j.lost[0]), max(to, j.lost[n-1])
	}
	return j.from, to
}

func holds(sorted []instrument.Date, d instrument.Date) bool {
	_, ok := slices.BinarySearch(sorted, d)
	return ok
}

// plan makes the jobs from what was asked for, what is stored and what was lost.
func (s *syncer) plan(stored sessions) []job {
	var jobs []job
	had := map[flatfile.Dataset][]instrument.Date{}
	for _, d := range s.units() {
		had[d] = union(stored.Sessions(d.Frame()), s.lost[d])
	}
	empty, update := len(had[s.units()[0]])+len(had[s.units()[1]]) == 0, len(s.Datasets) == 0
	for _, d := range s.units() {
		j := job{dataset: d, from: s.From, to: s.To, open: s.From == instrument.None, there: stored.Sessions(d.Frame()), lost: s.lost[d]}
		wanted := s.wants(string(d.Unit())) || update && (len(had[d]) > 0 || empty && d.Unit() == flatfile.Day)
		switch {
		case !wanted && len(j.lost) == 0:
			continue
		case d.Unit() == flatfile.Minute && s.Source == REST && len(s.Symbols) == 0:
			s.sum.warn("rest_minutes", "REST gives minutes symbol by symbol and none was named: they stay as they are")
			continue
		case !wanted: // only what was lost
			j.from, j.to = instrument.Forever, instrument.None
		case j.open && update && !empty:
			j.from = had[d][0]
		case j.open:
			j.from = FirstSession()
		}
		jobs = append(jobs, j)
	}
	return jobs
}

// list finds out what the vendor has for the job.
func (s *syncer) list(ctx context.Context, j *job) error {
	if s.Source == REST {
		if len(s.Symbols) == 0 {
			s.expect(j)
		}
		return nil
	}
	first, last := j.span(j.to)
	var all []bucket.Object
	for year := first.Time().Year(); year <= last.Time().Year(); year++ {
		objects, err := s.bucket.List(ctx, flatfile.Prefix(j.dataset, year))
		if err != nil {
			return err
		}
		for _, o := range objects {
			if ds, d, ok := flatfile.ParseKey(o.Key); ok && ds == j.dataset && j.wants(d) && s.trades(d) {
				all = append(all, o)
			}
		}
	}
	slices.SortFunc(all, func(x, y bucket.Object) int { return int(session(x) - session(y)) })
	j.objects = all
	if len(all) == 0 {
		s.nothing(j)
		return nil
	}
	return s.compare(j)
}

// nothing is a fault where the exchange had sessions that are settled and the vendor has no file of any:
// whoever asked would take an empty answer for the end of the work.
func (s *syncer) nothing(j *job) {
	first, last := j.span(j.to)
	missing := s.Asset.Calendar().Sessions(first, min(last, s.today-settled))
	if len(missing) == 0 {
		return
	}
	s.sum.fault(string(j.dataset), fmt.Errorf("list %s files from %s to %s: %w: the exchange had %d settled sessions and %s has a file of none: check the dates, the bucket, and that the plan includes this dataset",
		j.dataset, first, last, bar.ErrNoData, len(missing), flatfile.Prefix(j.dataset, last.Time().Year())))
}

// trades reports whether files of the date are taken. Indices have some of days on which the exchanges
// are closed; they are kept on the sessions of stocks, which is what they are compared with. What is quoted
// for currencies on a Saturday nobody can trade.
func (s *syncer) trades(d instrument.Date) bool {
	return s.Asset != flatfile.Indices && s.Asset != flatfile.Forex || s.Asset.Calendar().IsSession(d)
}

// session of an object, a flat file of the vendor's or one of our own making.
func session(o bucket.Object) instrument.Date {
	_, d, _ := parseKey(o.Key)
	return d
}

// settled is how many days after a session the vendor's list is taken to be complete: files have been
// late by more than two days.
const settled = 7

// compare sets the vendor's list beside the calendar, between the first and the last session listed.
// A session of the calendar without a file means that the market was closed unexpectedly, or that the
// file is late or lost: it is a warning, and for daily bars a closure once it is settled.
func (s *syncer) compare(j *job) error {
	if len(j.lost) > 0 {
		return nil
	}
	first, last := session(j.objects[0]), session(j.objects[len(j.objects)-1])
	calendar := s.Asset.Calendar().Sessions(first, last)
	var listed, closed []instrument.Date
	for _, o := range j.objects {
		listed = append(listed, session(o))
	}
	var absent, extra []string
	for _, d := range calendar {
		if holds(listed, d) {
			continue
		}
		absent = append(absent, d.String())
		if d < s.today-settled {
			closed = append(closed, d)
		}
	}
	for _, d := range listed {
		if !holds(calendar, d) {
			extra = append(extra, d.String())
		}
	}
	if n := len(absent); n > 0 {
		s.sum.warn("no_file", "the vendor has no %s file of %d sessions of the calendar: %s", j.dataset, n, strings.Join(absent[:min(n, 5)], ", "))
	}
	if n := len(extra); n > 0 {
		s.sum.warn("extra_file", "the vendor has %s files of %d dates on which the calendar has no session: %s", j.dataset, n, strings.Join(extra[:min(n, 5)], ", "))
	}
	if s.DryRun || j.dataset != flatfile.Day && j.dataset != flatfile.Of(flatfile.Forex, flatfile.Day) {
		return nil // options and indices have the closures of stocks, crypto none
	}
	return s.closures(first, last, closed)
}

// closures writes down on which days between first and last the market was closed against the
// calendar.
func (s *syncer) closures(first, last instrument.Date, closed []instrument.Date) error {
	if err := reference.SetClosures(s.closuresDir(), first, last, closed); err != nil {
		return fmt.Errorf("correct the calendar: %w", err)
	}
	return nil
}
