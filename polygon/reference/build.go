package reference

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/store"
)

// epoch is the first session of the vendor's files: who has no earlier date is known from then on.
const epoch = instrument.Date(12305) // 2003-09-10

// Note sums up rows that could not be used, or not as they stand.
type Note struct {
	Code  string // bad_row, no_ticker, split_conflict, foreign_currency, ticker_overlap, figi_shared
	Rows  int
	First string
}

func (n Note) String() string {
	return fmt.Sprintf("%s: %d rows, the first: %s", n.Code, n.Rows, n.First)
}

// builder turns rows into instruments.
type builder struct {
	list     []*instrument.Instrument // in order of ticker rows, then of actions
	actions  map[*instrument.Instrument]*instrument.Actions
	byTicker map[string][]*instrument.Instrument // who ever used it
	notes    []Note
}

// Build attaches everything to permanent instruments. The result is the same for the same rows.
//
// delisted_utc names, by the vendor's description, the last day on which a ticker was traded; for
// renames that can be checked (HLS and AGU, 2018-01-02) it is the first session under the new one. Both
// readings are allowed for: a ticker is its company's up to and including that day, and where the same
// security goes on under another ticker, the day belongs to the new one. The days in front of "T" count,
// whatever the time of day behind it: it is midnight in UTC or in New York.
func Build(d *Data) (store.Reference, []Note) {
	b := &builder{actions: map[*instrument.Instrument]*instrument.Actions{}, byTicker: map[string][]*instrument.Instrument{}}
	b.tickers(d)
	b.types(d.Types)
	b.splits(d.Splits)
	b.dividends(d.Dividends)
	r := store.Reference{Holidays: b.holidays(slices.Concat(d.Holidays, d.Closures))}
	for _, in := range b.list {
		r.Instruments = append(r.Instruments, *in)
		if a := b.actions[in]; a != nil {
			r.Actions = append(r.Actions, store.ActionSet{ID: in.ID, Actions: instrument.Clean(*a)})
		}
	}
	return r, b.notes
}

func (b *builder) note(code, format string, args ...any) {
	for i := range b.notes {
		if b.notes[i].Code == code {
			b.notes[i].Rows++
			return
		}
	}
	b.notes = append(b.notes, Note{code, 1, fmt.Sprintf(format, args...)})
}

// tickers makes the instruments and their spans.
func (b *builder) tickers(d *Data) {
	changes := map[string][]Event{}
	for _, e := range d.Events {
		if e.CompositeFIGI != "" {
			changes[e.CompositeFIGI] = e.Events
		}
	}
	rows := slices.Clone(d.Tickers)
	// Who left a ticker earlier comes first; the active one, of which there is at most one, last.
	slices.SortStableFunc(rows, func(x, y TickerRow) int {
		return cmp.Or(strings.Compare(x.Ticker, y.Ticker), cmp.Compare(until(x), until(y)))
	})
	known := map[instrument.ID]*instrument.Instrument{}
	for _, row := range rows {
		if err := instrument.CheckTicker(row.Ticker); err != nil {
			b.note("bad_row", "ticker row: %v", err)
			continue
		}
		in := &instrument.Instrument{
			ID: instrument.ID(row.ShareFIGI), Ticker: row.Ticker, Name: row.Name, Type: row.Type, Exchange: row.Exchange,
			Delisted: instrument.None,
		}
		if end := until(row); end != instrument.Forever {
			in.Delisted = end + 1
		}
		in.Spans = b.spans(row, changes[row.CompositeFIGI])
		if twin := known[in.ID]; twin != nil && in.ID != "" {
			b.merge(twin, in)
			continue
		}
		known[in.ID] = in
		b.list = append(b.list, in)
	}
	b.separate()
	for _, in := range b.list {
		b.index(in)
	}
}

// until is the last day on which a row's ticker is listed.
func until(row TickerRow) instrument.Date {
	if len(row.Delisted) >= 10 {
		if d, err := instrument.ParseDate(row.Delisted[:10]); err == nil {
			return d
		}
	}
	return instrument.Forever
}

// spans of a row, from its ticker changes where there are any.
func (b *builder) spans(row TickerRow, events []Event) []instrument.Span {
	type change struct {
		date   instrument.Date
		ticker string
	}
	var list []change
	for _, e := range events {
		if e.Type != "ticker_change" {
			continue
		}
		d, err := instrument.ParseDate(e.Date)
		if err == nil {
			err = instrument.CheckTicker(e.Change.Ticker)
		}
		if err != nil {
			b.note("bad_row", "ticker change of %s: %v", row.Ticker, err)
			continue
		}
		list = append(list, change{d, e.Change.Ticker})
	}
	slices.SortStableFunc(list, func(x, y change) int { return cmp.Compare(x.date, y.date) })
	list = slices.CompactFunc(list, func(x, y change) bool { return x.ticker == y.ticker })
	if len(list) == 0 || list[len(list)-1].ticker != row.Ticker {
		// Changes that do not lead to today's ticker are another company's or incomplete.
		return []instrument.Span{{Ticker: row.Ticker, From: min(epoch, until(row)), To: until(row)}}
	}
	var spans []instrument.Span
	for i, c := range list {
		end := until(row)
		if i+1 < len(list) {
			end = min(end, list[i+1].date-1)
		}
		if c.date <= end {
			spans = append(spans, instrument.Span{Ticker: c.ticker, From: c.date, To: end})
		}
	}
	if len(spans) == 0 || spans[len(spans)-1].Ticker != row.Ticker {
		return []instrument.Span{{Ticker: row.Ticker, From: min(epoch, until(row)), To: until(row)}}
	}
	return spans
}

// merge is for two rows of one security: the vendor lists a renamed company under its old ticker as
// delisted as well. The later row is the company; an older ticker fills the time before.
func (b *builder) merge(into, other *instrument.Instrument) {
	late, early := into, other
	if end(early) > end(late) {
		late, early = early, late
	}
	first := late.Spans[0]
	before := early.Spans[len(early.Spans)-1]
	if before.Ticker != first.Ticker && before.From < before.To && before.To < first.To && len(late.Spans) == 1 {
		late.Spans = append(slices.Clone(early.Spans), instrument.Span{Ticker: first.Ticker, From: before.To, To: first.To})
		late.Spans[len(early.Spans)-1].To--
	} else if !slices.ContainsFunc(late.Spans, func(s instrument.Span) bool { return s.Ticker == before.Ticker }) {
		b.note("figi_shared", "%s and %s are both %s; actions of the latter are kept apart", late.Ticker, before.Ticker, late.ID)
	}
	*into = *late
}

func end(in *instrument.Instrument) instrument.Date { return in.Spans[len(in.Spans)-1].To }

// separate cuts the spans of different companies under one ticker so that they follow each other: a
// company's time begins at the latest when its predecessor's has ended.
func (b *builder) separate() {
	type use struct {
		in *instrument.Instrument
		k  int
	}
	users := map[string][]use{}
	for _, in := range b.list {
		for k, s := range in.Spans {
			users[s.Ticker] = append(users[s.Ticker], use{in, k})
		}
	}
	for _, in := range b.list { // in a fixed order, each ticker once
		for _, s := range in.Spans {
			list := users[s.Ticker]
			delete(users, s.Ticker)
			slices.SortStableFunc(list, func(x, y use) int {
				sx, sy := x.in.Spans[x.k], y.in.Spans[y.k]
				return cmp.Or(cmp.Compare(sx.To, sy.To), cmp.Compare(sx.From, sy.From))
			})
			end, user := instrument.None, "" // of the ticker so far
			for _, u := range list {
				cur := &u.in.Spans[u.k]
				if cur.From <= end && cur.From != epoch { // not merely unknown
					b.note("ticker_overlap", "%s and %s both use %s on %s", user, u.in.Name, s.Ticker, cur.From)
				}
				if cur.To <= end {
					cur.From, cur.To = instrument.Forever, instrument.None // nothing is left
					continue
				}
				if cur.From <= end {
					cur.From = end + 1
				}
				end, user = cur.To, u.in.Name
			}
		}
	}
	b.list = slices.DeleteFunc(b.list, b.lost)
	for _, in := range b.list {
		if in.ID == "" {
			in.ID = made(in.Ticker, in.Spans[len(in.Spans)-1].From)
		}
	}
}

// lost removes spans of which nothing is left, and reports instruments whose latest ticker is another
// company's throughout: rows that say the same security twice.
func (b *builder) lost(in *instrument.Instrument) bool {
	last := in.Spans[len(in.Spans)-1]
	in.Spans = slices.DeleteFunc(in.Spans, func(s instrument.Span) bool { return s.From > s.To })
	return last.From > last.To
}

// made is the id of a security without FIGI.
func made(ticker string, from instrument.Date) instrument.ID {
	return instrument.ID(ticker + "@" + from.String())
}

// index makes the instrument findable by all its tickers.
func (b *builder) index(in *instrument.Instrument) {
	for i, s := range in.Spans {
		if !slices.ContainsFunc(in.Spans[:i], func(t instrument.Span) bool { return t.Ticker == s.Ticker }) {
			b.byTicker[s.Ticker] = append(b.byTicker[s.Ticker], in)
		}
	}
}

// types gives the instruments their types by date. A list says of a ticker what it was then, so it is about
// whoever had it then; a row without type, or of another security by its FIGI, is about nobody.
func (b *builder) types(rows []TypeRow) {
	for _, r := range rows {
		if r.Type == "" {
			continue
		}
		for _, in := range b.byTicker[r.Ticker] {
			known := r.ShareFIGI != "" && !strings.Contains(string(in.ID), "@")
			if in.TickerOn(r.Date) != r.Ticker || known && string(in.ID) != r.ShareFIGI {
				continue
			}
			if n := len(in.Types); n == 0 || in.Types[n-1].Type != r.Type {
				in.Types = append(in.Types, instrument.Kind{From: r.Date, Type: r.Type})
			}
		}
	}
}

// owner of an action. A ticker that reference data does not know becomes an instrument of its own.
func (b *builder) owner(ticker string, ex instrument.Date) *instrument.Instrument {
	users := b.byTicker[ticker]
	for _, in := range users {
		if in.TickerOn(ex) == ticker {
			return in
		}
	}
	for _, in := range users {
		if in.TickerOn(ex) != "" {
			return in
		}
	}
	if len(users) > 0 {
		b.note("no_ticker", "action of %s on %s: nobody had that ticker then", ticker, ex)
		return nil
	}
	in := &instrument.Instrument{
		ID: made(ticker, epoch), Ticker: ticker, Delisted: instrument.None,
		Spans: []instrument.Span{{Ticker: ticker, From: min(epoch, ex), To: instrument.Forever}},
	}
	b.list = append(b.list, in)
	b.index(in)
	return in
}

func (b *builder) of(in *instrument.Instrument) *instrument.Actions {
	a := b.actions[in]
	if a == nil {
		a = &instrument.Actions{}
		b.actions[in] = a
	}
	return a
}

func positive(v float64) bool { return v > 0 && !math.IsInf(v, 0) }

func (b *builder) splits(rows []SplitRow) {
	for _, r := range instrument.Unique(rows, func(r SplitRow) string { return r.ID }) {
		ex, err := instrument.ParseDate(r.Execution)
		if err != nil || !positive(r.From) || !positive(r.To) || instrument.CheckTicker(r.Ticker) != nil {
			b.note("bad_row", "split %s of %q on %q: %v for %v", r.ID, r.Ticker, r.Execution, r.To, r.From)
			continue
		}
		in := b.owner(r.Ticker, ex)
		if in == nil {
			continue
		}
		a := b.of(in)
		s := instrument.Split{Ex: ex, From: r.From, To: r.To}
		conflict := slices.ContainsFunc(a.Splits, func(o instrument.Split) bool {
			return o.Ex == ex && float64(o.From*s.To) != float64(s.From*o.To)
		})
		if conflict {
			b.note("split_conflict", "%s on %s: %v for %v beside another ratio", r.Ticker, ex, r.To, r.From)
			continue
		}
		a.Splits = append(a.Splits, s)
	}
}

func (b *builder) dividends(rows []DividendRow) {
	for _, r := range instrument.Unique(rows, func(r DividendRow) string { return r.ID }) {
		ex, err := instrument.ParseDate(r.Ex)
		if err != nil || !positive(r.Cash) || instrument.CheckTicker(r.Ticker) != nil {
			b.note("bad_row", "dividend %s of %q on %q: %v", r.ID, r.Ticker, r.Ex, r.Cash)
			continue
		}
		if r.Currency != "" && !strings.EqualFold(r.Currency, "USD") {
			b.note("foreign_currency", "%s on %s: %v %s", r.Ticker, ex, r.Cash, r.Currency)
			continue
		}
		pay := instrument.None
		if r.Pay != "" {
			if pay, err = instrument.ParseDate(r.Pay); err != nil {
				b.note("bad_row", "dividend %s of %s: pay date %q, paid on the ex-date instead", r.ID, r.Ticker, r.Pay)
				pay = instrument.None
			}
		}
		if in := b.owner(r.Ticker, ex); in != nil {
			a := b.of(in)
			a.Dividends = append(a.Dividends, instrument.Dividend{Ex: ex, Pay: pay, Cash: r.Cash, Declared: declared(r.Declared, ex)})
		}
	}
}

// declared is the day of an announcement, 0 for those that are no day before the ex-date: the vendor's rows
// have slips of the pen.
func declared(text string, ex instrument.Date) instrument.Date {
	if d, err := instrument.ParseDate(text); err == nil && d < ex {
		return d
	}
	return 0
}

// holidays of the stock exchanges, each date once, in order.
func (b *builder) holidays(rows []HolidayRow) []bar.Holiday {
	var list []bar.Holiday
	for _, r := range rows {
		if r.Exchange != "NYSE" && r.Exchange != "NASDAQ" {
			continue
		}
		d, err := instrument.ParseDate(r.Date)
		if err != nil || (r.Status != "closed" && r.Status != "early-close") {
			b.note("bad_row", "holiday %q on %q: %q", r.Name, r.Date, r.Status)
			continue
		}
		h := bar.Holiday{Date: d, Name: r.Name, Early: r.Status == "early-close"}
		if h.Early {
			h.Close = b.closing(r, d)
		}
		list = append(list, h)
	}
	slices.SortStableFunc(list, func(x, y bar.Holiday) int { return cmp.Compare(x.Date, y.Date) })
	return slices.CompactFunc(list, func(x, y bar.Holiday) bool { return x.Date == y.Date })
}

// closing is the time of day at the exchange at which a half day ends, 0 when the vendor does not say
// or says something that no half day is.
func (b *builder) closing(r HolidayRow, d instrument.Date) time.Duration {
	if r.Close == "" {
		return 0
	}
	t, err := time.Parse(time.RFC3339, r.Close)
	clock := time.Duration(t.UnixNano() - bar.NYSE().At(d, 0))
	if err != nil || clock <= 10*time.Hour || clock >= 16*time.Hour || clock%time.Minute != 0 {
		b.note("bad_row", "half day %s closes at %q: taken as 13:00", d, r.Close)
		return 0
	}
	return clock
}
