package polygon

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/store"
	"backtester/polygon/bucket"
	"backtester/polygon/flatfile"
	"backtester/polygon/reference"
)

// restPrefix of the keys of files of our own making.
const restPrefix = "rest/"

// lastWhole is the last session whose bars cannot grow any more: that of yesterday in New York.
func (s *syncer) lastWhole(j *job) instrument.Date { return min(j.to, s.today-1) }

// expect lists what REST should have: a file a session of the calendar. A session that came from the
// vendor's own file stays as it is.
func (s *syncer) expect(j *job) {
	closed := map[string]bool{}
	if d, err := reference.Read(s.referenceDir()); err == nil { // else it is asked for and found empty
		for _, h := range d.Closures {
			closed[h.Date] = true
		}
	}
	first, last := j.span(s.lastWhole(j))
	for _, d := range bar.NYSE().Sessions(first, last) {
		if !j.wants(d) || closed[d.String()] {
			continue
		}
		o := bucket.Object{Key: restPrefix + flatfile.Key(j.dataset, d), Size: -1, ETag: "rest", LastModified: d.Time()}
		if e, ok := s.entry(o.Key); ok {
			if o.ETag = e.ETag; s.provisional(e, d) {
				o.ETag += "+" // differs from what is had
			}
		}
		if e, ok := s.entry(flatfile.Key(j.dataset, d)); ok && (!e.Pruned || holds(j.there, d)) {
			o = bucket.Object{Key: e.Key, Size: e.Size, ETag: e.ETag, LastModified: e.LastModified}
		}
		j.objects = append(j.objects, o)
	}
}

// provisional reports whether an answer is to be asked for once more: the vendor corrects bars for some
// days, and it was had before those were over, which they are now.
func (s *syncer) provisional(e bucket.Entry, last instrument.Date) bool {
	return instrument.DateOf(e.FetchedAt) < last+settled && s.today >= last+settled
}

// entry of the manifest, in a dry run too.
func (s *syncer) entry(key string) (bucket.Entry, bool) {
	if s.mirror != nil {
		return s.mirror.Entry(key)
	}
	e, ok := s.have[key]
	return e, ok
}

// requests that the job takes at least.
func (s *syncer) requests(j *job, missing int) int {
	if len(s.Symbols) == 0 {
		return missing
	}
	n := 0
	for _, p := range s.parcels(j) {
		if !s.covered(p) {
			n++
		}
	}
	return n
}

// grouped asks for whole sessions, the newest first, and keeps each as the flat file it would be.
func (s *syncer) grouped(ctx context.Context, objects []bucket.Object) ([]bucket.Fault, error) {
	var faults []bucket.Fault
	silent := 0
	for i := len(objects) - 1; i >= 0; i-- {
		o := objects[i]
		err := s.restError(ctx, s.groupedSession(ctx, o))
		switch {
		case err == nil:
			silent = 0
		case ctx.Err() != nil, errors.Is(err, ErrUnauthorized), errors.Is(err, bucket.ErrDisk):
			return faults, err
		case errors.Is(err, ErrForbidden):
			return append(faults, bucket.Fault{Key: o.Key, Err: err, Skipped: i + 1}), nil
		default:
			faults = append(faults, bucket.Fault{Key: o.Key, Err: err})
			if silent++; silent == 3 {
				return faults, fmt.Errorf("%d sessions in a row, the last: %w", silent, err)
			}
		}
		if s.Progress != nil {
			s.Progress.File(o.Key, 0)
		}
	}
	return faults, nil
}

func (s *syncer) groupedSession(ctx context.Context, o bucket.Object) error {
	d := session(o)
	var rows []reference.BarRow
	calls, err := s.client.Grouped(ctx, d.String(), func(r reference.BarRow) error {
		rows = append(rows, r)
		return nil
	})
	s.sum.reference().Calls += calls
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		s.sum.warn("no_file", "the vendor has no bars of %s, which the calendar calls a session", d)
		if d >= s.today-settled {
			return nil
		}
		return s.closures(d, d, []instrument.Date{d})
	}
	slices.SortStableFunc(rows, func(a, b reference.BarRow) int { return cmp.Compare(a.Ticker, b.Ticker) })
	b := store.Batch{Session: d, Start: []int32{0}}
	for i, r := range rows {
		if i == 0 || r.Ticker != rows[i-1].Ticker {
			b.Symbols, b.Start = append(b.Symbols, r.Ticker), append(b.Start, int32(i))
		}
		b.Start[len(b.Start)-1] = int32(i + 1)
		appendRow(&b, r)
	}
	return s.keep(bucket.Entry{Key: o.Key, ETag: o.ETag, LastModified: o.LastModified, FetchedAt: s.Now().UTC()}, flatfile.Day, b)
}

// appendRow adds a bar to the columns of a batch. A batch is read again by the decoder of flat files,
// which refuses what cannot be.
func appendRow(b *store.Batch, r reference.BarRow) {
	b.Time = append(b.Time, r.Start*1e6)
	b.Open, b.High = append(b.Open, r.Open), append(b.High, r.High)
	b.Low, b.Close = append(b.Low, r.Low), append(b.Close, r.Close)
	b.Volume = append(b.Volume, r.Volume)
	n := int64(-1)
	if r.Transactions != nil {
		n = *r.Transactions
	}
	b.Transactions = append(b.Transactions, n)
}

// keep writes a batch as a flat file below raw/rest and records it.
func (s *syncer) keep(e bucket.Entry, d flatfile.Dataset, b store.Batch) error {
	for _, t := range b.Symbols {
		if strings.ContainsAny(t, ",\n\r") || t == "" {
			return fmt.Errorf("keep %s: the vendor names a ticker %q: %w", e.Key, t, reference.ErrAnswer)
		}
	}
	var out bytes.Buffer
	if err := flatfile.Write(&out, d, b); err != nil {
		return err
	}
	return s.mirror.Store(e, out.Bytes())
}
