package bar

import (
	"slices"
	"sync"
	"time"

	"backtester/backtest/instrument"
)

// Calendar knows the sessions of a market: on which dates it trades, and from when to when. It is
// immutable and safe for concurrent use; every method is O(1) or O(log sessions) and none uses
// time.Time inside the years 1970 to 2050.
//
// A calendar has a range of dates that it knows. Outside of it there are no sessions.
type Calendar struct {
	name     string
	zone     *zone
	everyDay bool // all dates are sessions, of 24 hours; the fields below are unused
	sessions []instrument.Date
	opens    []int16            // minute of the day at which sessions[i] opens; nil: 09:30, with extended hours around it
	closes   []int16            // minute of the day at which sessions[i] closes
	regular  int16              // closing minute of an ordinary day
	first    instrument.Date    // rank[0] belongs to it
	rank     []int32            // rank[d-first] = number of sessions before d; one entry more than dates
	perYear  float64            // sessions a year
	known    [2]instrument.Date // first and last date known
}

const (
	openMinute  = 9*60 + 30 // 09:30 exchange time
	closeMinute = 16 * 60
	preMinute   = 4 * 60
	postMinute  = 20 * 60
	postEarly   = 17 * 60 // end of after-hours trading on half days
	minuteNanos = int64(60e9)
	dayNanos    = int64(86400e9)
)

var newYork = sync.OnceValue(func() *zone { return newZone("America/New_York") })

var nyse = sync.OnceValue(func() *Calendar {
	dates, closes := nyseSessions()
	c := newCalendar("XNYS", dates, closes, 252)
	c.known = [2]instrument.Date{
		instrument.NewDate(nyseFirstYear, time.January, 1), instrument.NewDate(nyseLastYear, time.December, 31),
	}
	return c
})

// NYSE is the calendar of the New York Stock Exchange and Nasdaq, 1990 to 2040: holidays, half days
// (13:00; 14:00 before 1993) and the closures by decree. Hours are the scheduled ones: halts and late
// openings within a day are not in it.
func NYSE() *Calendar { return nyse() }

// FromDates is the calendar of a file: its dates are the sessions, whatever the exchange says. Hours
// are those of NYSE where NYSE has that session, else 09:30 to 16:00 New York time. Dates need not be
// sorted or unique. SessionsPerYear follows from the median distance of the dates: 252 for daily
// ones (more than a tenth of them on weekends: 365, or 313 with hardly a Saturday), 52 for weekly, 12 for monthly.
func FromDates(dates []instrument.Date) *Calendar {
	ds := slices.Clone(dates)
	slices.Sort(ds)
	ds = slices.Compact(ds)
	ref := NYSE()
	closes := make([]int16, len(ds))
	for i, d := range ds {
		closes[i] = closeMinute
		if k, ok := ref.index(d); ok {
			closes[i] = ref.closes[k]
		}
	}
	return newCalendar("dates", ds, closes, sessionsPerYear(ds))
}

// Holiday is one correction of a calendar: the market is closed all day, or closes early.
type Holiday struct {
	Date  instrument.Date
	Name  string
	Early bool          // a half day, not a closed one
	Close time.Duration `json:",omitempty"` // time of day at which a half day ends, whole minutes; 0 means 13:00
}

// With returns the calendar corrected by holidays known later than this program: closed dates are
// taken out, half days close when they say. Dates without a session stay as they are.
func (c *Calendar) With(holidays []Holiday) *Calendar {
	if c.everyDay || len(holidays) == 0 {
		return c
	}
	dates, opens, closes := slices.Clone(c.sessions), slices.Clone(c.opens), slices.Clone(c.closes)
	for _, h := range holidays {
		i, ok := slices.BinarySearch(dates, h.Date)
		switch {
		case !ok:
		case h.Early && h.Close > 0 && h.Close < closeMinute*time.Minute:
			closes[i] = int16(h.Close / time.Minute)
		case h.Early:
			closes[i] = earlyMinute
		default:
			dates, closes = slices.Delete(dates, i, i+1), slices.Delete(closes, i, i+1)
			if opens != nil {
				opens = slices.Delete(opens, i, i+1)
			}
		}
	}
	n := newCalendar(c.name, dates, closes, c.perYear)
	n.known, n.zone, n.opens, n.regular = c.known, c.zone, opens, c.regular
	return n
}

// newCalendar of sorted dates and their closing minutes, in New York.
func newCalendar(name string, dates []instrument.Date, closes []int16, perYear float64) *Calendar {
	c := &Calendar{name: name, zone: newYork(), sessions: dates, closes: closes, regular: closeMinute, perYear: perYear}
	if len(dates) == 0 {
		return c
	}
	c.first = dates[0]
	last := dates[len(dates)-1]
	c.known = [2]instrument.Date{c.first, last}
	c.rank = make([]int32, last-c.first+2)
	k := int32(0)
	for i := range c.rank {
		c.rank[i] = k
		if int(k) < len(dates) && dates[k] == c.first+instrument.Date(i) {
			k++
		}
	}
	return c
}

// sessionsPerYear of a file's dates, see FromDates.
func sessionsPerYear(ds []instrument.Date) float64 {
	if len(ds) < 2 {
		return 252
	}
	gaps := make([]instrument.Date, len(ds)-1)
	saturdays, sundays := 0, 0
	for i := range gaps {
		gaps[i] = ds[i+1] - ds[i]
		switch ds[i].Weekday() {
		case time.Saturday:
			saturdays++
		case time.Sunday:
			sundays++
		}
	}
	slices.Sort(gaps)
	switch gap := gaps[len(gaps)/2]; {
	case gap >= 20:
		return 12
	case gap >= 4:
		return 52
	case sundays*10 > len(ds) && saturdays*10 < sundays:
		return forexSessions
	case (saturdays+sundays)*10 > len(ds):
		return alwaysSessions
	}
	return 252
}

// Name of the calendar: "XNYS", "always", "forex", "dates".
func (c *Calendar) Name() string { return c.name }

// Known is the range of dates, both inclusive, that the calendar can speak about. Outside of it
// nothing is a session.
func (c *Calendar) Known() (first, last instrument.Date) { return c.known[0], c.known[1] }

// SessionsPerYear by which daily figures are annualised: 252 for NYSE.
func (c *Calendar) SessionsPerYear() float64 { return c.perYear }

// before is the number of sessions earlier than d.
func (c *Calendar) before(d instrument.Date) int {
	switch {
	case len(c.sessions) == 0 || d <= c.first:
		return 0
	case d > c.sessions[len(c.sessions)-1]:
		return len(c.sessions)
	}
	return int(c.rank[d-c.first])
}

// index of session d in c.sessions.
func (c *Calendar) index(d instrument.Date) (int, bool) {
	k := c.before(d)
	return k, k < len(c.sessions) && c.sessions[k] == d
}

// IsSession reports whether the market trades on d.
func (c *Calendar) IsSession(d instrument.Date) bool {
	if c.everyDay {
		return true
	}
	_, ok := c.index(d)
	return ok
}

// Sessions from and to, both inclusive, oldest first. The slice belongs to the calendar unless it
// never closes: do not write to it. Always needs real bounds, not None and Forever.
func (c *Calendar) Sessions(from, to instrument.Date) []instrument.Date {
	if from > to {
		return nil
	}
	if c.everyDay {
		ds := make([]instrument.Date, 0, int(to)-int(from)+1)
		for d := from; ; d++ {
			ds = append(ds, d)
			if d == to {
				return ds
			}
		}
	}
	i, j := c.before(from), c.before(to)
	if j < len(c.sessions) && c.sessions[j] == to {
		j++
	}
	return c.sessions[i:j:j]
}

// Count of sessions in [from, to], both inclusive.
func (c *Calendar) Count(from, to instrument.Date) int {
	if from > to {
		return 0
	}
	if c.everyDay {
		return int(to) - int(from) + 1
	}
	return len(c.Sessions(from, to))
}

// Next session strictly after d, or instrument.Forever when the calendar knows none.
func (c *Calendar) Next(d instrument.Date) instrument.Date {
	if d == instrument.Forever {
		return d
	}
	if c.everyDay {
		return d + 1
	}
	if k := c.before(d + 1); k < len(c.sessions) {
		return c.sessions[k]
	}
	return instrument.Forever
}

// Prev is the last session strictly before d, or instrument.None when the calendar knows none.
func (c *Calendar) Prev(d instrument.Date) instrument.Date {
	if d == instrument.None {
		return d
	}
	if c.everyDay {
		return d - 1
	}
	if k := c.before(d); k > 0 {
		return c.sessions[k-1]
	}
	return instrument.None
}

// Hours of the regular session on d: the first instant, and the first one after it, in ns UTC. early
// is set when it ends before the ordinary time. ok is false when d is no session.
func (c *Calendar) Hours(d instrument.Date) (open, close int64, early, ok bool) {
	if c.everyDay {
		return d.Nanos(), d.Nanos() + dayNanos, false, true
	}
	k, ok := c.index(d)
	if !ok {
		return 0, 0, false, false
	}
	noon, opening := c.zone.civil(d), int64(openMinute)
	if c.opens != nil {
		opening = int64(c.opens[k])
	}
	return noon + opening*minuteNanos, noon + int64(c.closes[k])*minuteNanos, c.closes[k] < c.regular, true
}

// ExtendedHours of d: 04:00 to 20:00 exchange time, to 17:00 on half days, as Hours gives them. Markets that
// trade around the clock have none but those of Hours.
func (c *Calendar) ExtendedHours(d instrument.Date) (open, close int64, ok bool) {
	if c.everyDay || c.opens != nil {
		open, close, _, ok = c.Hours(d)
		return open, close, ok
	}
	k, ok := c.index(d)
	if !ok {
		return 0, 0, false
	}
	civil, post := c.zone.civil(d), int64(postMinute)
	if c.closes[k] < c.regular {
		post = postEarly
	}
	return civil + preMinute*minuteNanos, civil + post*minuteNanos, true
}

// SessionLength is how long an ordinary session is: 390 minutes, 16 hours with extended ones, 24 where the market
// trades around the clock.
func (c *Calendar) SessionLength(s Session) time.Duration {
	switch {
	case c.everyDay || c.opens != nil:
		return 24 * time.Hour
	case s == Extended:
		return (postMinute - preMinute) * time.Minute
	}
	return (closeMinute - openMinute) * time.Minute
}

// DateOf is the exchange-local civil date of an instant in ns UTC, whether or not it is a session.
func (c *Calendar) DateOf(ns int64) instrument.Date { return c.zone.date(ns) }

// Midnight is the first instant of the civil date d at the exchange, in ns UTC.
func (c *Calendar) Midnight(d instrument.Date) int64 { return c.zone.midnight(d) }

// At is the instant, in ns UTC, at which the exchange's clocks show the time of day clock on d.
func (c *Calendar) At(d instrument.Date, clock time.Duration) int64 {
	return c.zone.civil(d) + int64(clock)
}
