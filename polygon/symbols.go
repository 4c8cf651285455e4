package polygon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/store"
	"backtester/polygon/bucket"
	"backtester/polygon/flatfile"
	"backtester/polygon/reference"
)

// parcel is what one request by symbol brings: a year of days or a month of minutes. It is kept as one
// file, in the shape of the vendor's minute files for both kinds, a day being stamped with midnight in
// New York.
type parcel struct {
	dataset     flatfile.Dataset
	symbol      string
	first, last instrument.Date // of the period
	from, to    instrument.Date // what is asked for of it
}

// folder of the files of one period.
func (p parcel) folder() string {
	return fmt.Sprintf("%ssymbols/%s/%s/", restPrefix, p.dataset, p.first)
}

// key of the file. Lower-case letters are marked, because not every file system tells BCpC from BCPC.
func (p parcel) key() string {
	var name strings.Builder
	for i := range len(p.symbol) {
		switch c := p.symbol[i]; {
		case c >= 'a' && c <= 'z':
			name.WriteByte('^')
			name.WriteByte(c)
		case c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.' && i > 0, c == '-':
			name.WriteByte(c)
		default:
			fmt.Fprintf(&name, "%%%02X", c)
		}
	}
	return p.folder() + name.String() + ".csv.gz"
}

// parcels of a job: the newest period first, symbols in the order given.
func (s *syncer) parcels(j *job) []parcel {
	var out []parcel
	last := s.lastWhole(j)
	for end := last; end >= j.from; {
		p := periodOf(j.dataset, end)
		for _, symbol := range s.Symbols {
			p.symbol, p.from, p.to = symbol, max(p.first, j.from), end
			out = append(out, p)
		}
		end = p.first - 1
	}
	return out
}

// covered reports whether a parcel is had in the range it is wanted in: the entry's ETag is the first
// day asked for, its time the last; and whether that was when corrections were over.
func (s *syncer) covered(p parcel) bool {
	e, ok := s.entry(p.key())
	return ok && e.ETag <= p.from.String() && instrument.DateOf(e.LastModified) >= p.to && !s.provisional(e, p.to)
}

// symbols brings the bars of Options.Symbols up to date, period by period.
func (s *syncer) symbols(ctx context.Context, w *store.Writer, j *job) error {
	sum := &BarSummary{Dataset: j.dataset, First: instrument.None, Last: instrument.None}
	defer func() { s.sum.Bars = append(s.sum.Bars, *sum) }()
	all := s.parcels(j)
	sum.Missing = s.requests(j, 0)
	if s.Progress != nil && sum.Missing > 0 {
		s.Progress.Start(sum.Missing, 0)
		defer s.Progress.Done()
	}
	beyond := map[string]bool{} // symbols for which the plan reaches back no further
	for len(all) > 0 {
		n := len(s.Symbols)
		period := all[:n]
		all = all[n:]
		for _, p := range period {
			if s.covered(p) || beyond[p.symbol] {
				continue
			}
			err := s.restError(ctx, s.fetchParcel(ctx, p))
			switch {
			case err == nil:
				sum.Fetched++
			case ctx.Err() != nil, errors.Is(err, ErrUnauthorized), errors.Is(err, bucket.ErrDisk):
				return err
			case errors.Is(err, ErrForbidden) && j.open && sum.Fetched > 0:
				beyond[p.symbol] = true
				s.sum.warn("plan_limit", "the vendor's plan has no %s bars of %s before %s", j.dataset, p.symbol, p.last+1)
			default:
				beyond[p.symbol] = errors.Is(err, ErrForbidden)
				s.sum.fault(p.key(), err)
			}
			if s.Progress != nil {
				s.Progress.File(p.key(), 0)
			}
		}
		if err := s.loadPeriod(ctx, w, period[0], sum); err != nil {
			return err
		}
	}
	return nil
}

// fetchParcel asks for one parcel and keeps it.
func (s *syncer) fetchParcel(ctx context.Context, p parcel) error {
	b := store.Batch{Session: p.from, Start: []int32{0}}
	calls, err := s.client.Aggregates(ctx, reference.Span{Ticker: p.symbol, Unit: string(p.dataset), From: p.from.String(), To: p.to.String()},
		func(r reference.BarRow) error {
			appendRow(&b, r)
			return nil
		})
	s.sum.reference().Calls += calls
	if err != nil {
		return err
	}
	if n := len(b.Time); n > 0 {
		b.Symbols, b.Start = []string{p.symbol}, append(b.Start, int32(n))
	}
	return s.keep(bucket.Entry{
		Key: p.key(), ETag: p.from.String(), LastModified: p.to.Time(), FetchedAt: s.Now().UTC(), Rows: len(b.Time),
	}, flatfile.Minute, b)
}

// loadPeriod puts the sessions of a period into the store, each with all symbols that files of the
// period hold, unless the store has that session of the whole market.
func (s *syncer) loadPeriod(ctx context.Context, w *store.Writer, p parcel, sum *BarSummary) error {
	var files []bucket.Entry
	stale := slices.ContainsFunc(s.lost[p.dataset], func(l instrument.Date) bool { return l >= p.first && l <= p.last })
	for _, e := range s.mirror.Entries() {
		if strings.HasPrefix(e.Key, p.folder()) && e.Rows > 0 {
			files = append(files, e)
			stale = stale || !e.Loaded
		}
	}
	if !stale || len(files) == 0 {
		return nil
	}
	var days []dayOf
	for i := range files {
		e := &files[i]
		b, err := s.decodeParcel(e, p, sum)
		if err != nil {
			s.sum.fault(e.Key, err)
			continue
		}
		days = append(days, split(b, p.dataset)...)
		e.Loaded = true
	}
	if err := s.put(ctx, w, days, sum); err != nil {
		return s.storing(err)
	}
	if err := w.Commit(); err != nil {
		return s.storing(err)
	}
	return s.mirror.Record(files...)
}

// put puts days into the writer, session by session.
func (s *syncer) put(ctx context.Context, w *store.Writer, days []dayOf, sum *BarSummary) error {
	there := w.Sessions(sum.Dataset.Frame())
	slices.SortStableFunc(days, func(a, b dayOf) int {
		return cmp.Or(cmp.Compare(a.date, b.date), cmp.Compare(a.batch.Symbols[0], b.batch.Symbols[0]))
	})
	for len(days) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := slices.IndexFunc(days, func(x dayOf) bool { return x.date != days[0].date })
		if n < 0 {
			n = len(days)
		}
		one := join(days[:n])
		days = days[n:]
		if s.whole(sum.Dataset, one.Session, there) {
			continue
		}
		if err := w.Put(sum.Dataset.Frame(), one); err != nil {
			return err
		}
		sum.Listed++
		sum.Loaded++
		sum.Rows += int64(len(one.Time))
		if sum.First == instrument.None || one.Session < sum.First {
			sum.First = one.Session
		}
		sum.Last = max(sum.Last, one.Session)
	}
	return nil
}

// mend puts lost sessions again that came symbol by symbol: from the files that are kept of them.
func (s *syncer) mend(ctx context.Context, w *store.Writer) error {
	for _, d := range s.units() {
		there := w.Sessions(d.Frame())
		s.lost[d] = slices.DeleteFunc(s.lost[d], func(l instrument.Date) bool { return holds(there, l) })
		sum := BarSummary{Dataset: d, First: instrument.None, Last: instrument.None}
		done := parcel{}
		for i := 0; i < len(s.lost[d]); i++ {
			p := periodOf(d, s.lost[d][i])
			if p == done {
				continue
			}
			done = p
			if err := s.loadPeriod(ctx, w, p, &sum); err != nil {
				return err
			}
		}
		if sum.Loaded > 0 {
			s.sum.Bars = append(s.sum.Bars, sum)
		}
	}
	return nil
}

// periodOf a date: its year of days, its month of minutes.
func periodOf(d flatfile.Dataset, date instrument.Date) parcel {
	t := date.Time()
	if d == flatfile.Minute {
		return parcel{dataset: d, first: instrument.NewDate(t.Year(), t.Month(), 1), last: instrument.NewDate(t.Year(), t.Month()+1, 1) - 1}
	}
	return parcel{dataset: d, first: instrument.NewDate(t.Year(), time.January, 1), last: instrument.NewDate(t.Year(), time.December, 31)}
}

// decodeParcel reads a file of our own making with all the checks that the vendor's get.
func (s *syncer) decodeParcel(e *bucket.Entry, p parcel, sum *BarSummary) (store.Batch, error) {
	if s.decoder == nil {
		s.decoder = flatfile.NewDecoder()
	}
	f, err := os.Open(s.mirror.Path(e.Key))
	if err != nil {
		e.Gone = true
		return store.Batch{}, fmt.Errorf("read %s: %w; fetch it again", e.Key, err)
	}
	defer f.Close()
	b, notes, err := s.decoder.Decode(flatfile.Source{Dataset: flatfile.Minute, Session: p.first, Until: p.last, Reader: f, Size: e.Size})
	if errors.Is(err, flatfile.ErrDamaged) {
		e.Gone = true
	}
	if err != nil {
		return b, fmt.Errorf("read %s: %w", e.Key, errors.Unwrap(err))
	}
	e.LeftOut = notes.Faults()
	sum.LeftOut += int64(e.LeftOut)
	for _, n := range notes {
		sum.Notes = append(sum.Notes, FileNote{e.Key, n})
	}
	return b, nil
}

// whole reports whether the store has a session of the whole market, which is never replaced by single
// symbols.
func (s *syncer) whole(d flatfile.Dataset, date instrument.Date, there []instrument.Date) bool {
	key := flatfile.Key(d, date)
	for _, k := range []string{key, restPrefix + key} {
		if e, ok := s.mirror.Entry(k); ok && e.Loaded && holds(there, date) {
			return true
		}
	}
	return false
}

// dayOf is one symbol's bars of one session; the batch's columns are copies.
type dayOf struct {
	date  instrument.Date
	batch store.Batch
}

// split cuts a batch of one symbol into its sessions.
func split(b store.Batch, d flatfile.Dataset) []dayOf {
	var out []dayOf
	for i, n := 0, len(b.Time); i < n; {
		date := bar.NYSE().DateOf(b.Time[i])
		k := i
		for k < n && bar.NYSE().DateOf(b.Time[k]) == date {
			k++
		}
		one := store.Batch{
			Session: date, Symbols: []string{b.Symbols[0]}, Start: []int32{0, int32(k - i)}, Time: slices.Clone(b.Time[i:k]),
			Open: slices.Clone(b.Open[i:k]), High: slices.Clone(b.High[i:k]), Low: slices.Clone(b.Low[i:k]),
			Close: slices.Clone(b.Close[i:k]), Volume: slices.Clone(b.Volume[i:k]), Transactions: slices.Clone(b.Transactions[i:k]),
		}
		if d == flatfile.Day {
			one.Time[0] = date.Nanos()
		}
		out = append(out, dayOf{date, one})
		i = k
	}
	return out
}

// join makes one batch of the symbols of one session.
func join(days []dayOf) store.Batch {
	b := store.Batch{Session: days[0].date, Start: []int32{0}}
	for _, d := range days {
		x := d.batch
		b.Symbols = append(b.Symbols, x.Symbols[0])
		b.Time, b.Open, b.High = append(b.Time, x.Time...), append(b.Open, x.Open...), append(b.High, x.High...)
		b.Low, b.Close = append(b.Low, x.Low...), append(b.Close, x.Close...)
		b.Volume, b.Transactions = append(b.Volume, x.Volume...), append(b.Transactions, x.Transactions...)
		b.Start = append(b.Start, int32(len(b.Time)))
	}
	return b
}
