package expr

import (
	"math"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// clock is a value that follows from a bar's time and the calendar known beforehand, never from prices
// or from which bars exist later.
type clock int

const (
	clockYear clock = iota
	clockQuarter
	clockMonth
	clockDay
	clockWeekday
	clockSessionOfMonth
	clockSessionsToMonthEnd
	clockWeekStart
	clockWeekEnd
	clockMonthStart
	clockMonthEnd
	clockQuarterEnd
	clockYearEnd
	clockQuarterStart
	clockYearStart
	clockSession  // any number that is the same within a session only: for indicators
	clockDividend // since an action of the instrument
	clockSplit
	clockToDividend

	clockHour // from here on the time within the session counts
	clockMinute
	clockSinceOpen
	clockToClose
	clockBarsSinceOpen
)

// clockWords are the rows of the table that have a clock.
func clockWords() []word {
	return chapter("calendar", []row{
		{sig: "year", op: opTime, kind: Number, n: int(clockYear), doc: "year of the bar's session (of its last one, for weeks and months)"},
		{sig: "quarter", op: opTime, kind: Number, n: int(clockQuarter), doc: "1 to 4"},
		{sig: "month", op: opTime, kind: Number, n: int(clockMonth), doc: "1 to 12"},
		{sig: "day", op: opTime, kind: Number, n: int(clockDay), doc: "day of the month, 1 to 31"},
		{sig: "weekday", op: opTime, kind: Number, n: int(clockWeekday), doc: "1 Monday to 7 Sunday"},
		{sig: "session_of_month", op: opTime, kind: Number, n: int(clockSessionOfMonth), doc: "1 on the first session of the month"},
		{sig: "sessions_to_month_end", op: opTime, kind: Number, n: int(clockSessionsToMonthEnd), doc: "scheduled sessions left in the month after this one, 0 on the last"},
		{sig: "is_week_start", op: opTime, kind: Bool, n: int(clockWeekStart), doc: "the first session of its week"},
		{sig: "is_week_end", op: opTime, kind: Bool, n: int(clockWeekEnd), doc: "the last scheduled session of its week"},
		{sig: "is_month_start", op: opTime, kind: Bool, n: int(clockMonthStart), doc: "the first session of its month"},
		{sig: "is_month_end", op: opTime, kind: Bool, n: int(clockMonthEnd), doc: "the last scheduled session of its month"},
		{sig: "is_quarter_end", op: opTime, kind: Bool, n: int(clockQuarterEnd), doc: "the last scheduled session of its quarter"},
		{sig: "is_year_end", op: opTime, kind: Bool, n: int(clockYearEnd), doc: "the last scheduled session of its year"},
		{sig: "is_quarter_start", op: opTime, kind: Bool, n: int(clockQuarterStart), doc: "the first session of its quarter"},
		{sig: "is_year_start", op: opTime, kind: Bool, n: int(clockYearStart), doc: "the first session of its year"},
		{sig: "days_since_dividend", op: opTime, kind: Number, n: int(clockDividend), doc: "calendar days since the last ex-date of a cash dividend, 0 on it; absent before the first"},
		{sig: "days_to_dividend", op: opTime, kind: Number, n: int(clockToDividend), doc: "calendar days to the next ex-date of a cash dividend that was announced before the day of the bar, 0 on every ex-date; absent where none is known"},
		{sig: "days_since_split", op: opTime, kind: Number, n: int(clockSplit), doc: "calendar days since the last split took effect, 0 on that day; absent before the first"},
		{sig: "hour", op: opTime, kind: Number, n: int(clockHour), doc: "hour in which the bar starts, exchange time; absent on daily and longer bars"},
		{sig: "minute", op: opTime, kind: Number, n: int(clockMinute), doc: "minute of the hour at which the bar starts; absent on daily and longer bars"},
		{sig: "minutes_since_open", op: opTime, kind: Number, n: int(clockSinceOpen), doc: "from the regular open to the start of the bar, negative before it; absent on daily and longer bars"},
		{sig: "minutes_to_close", op: opTime, kind: Number, n: int(clockToClose), doc: "from the end of the bar to the regular close, negative after it; absent on daily and longer bars"},
		{sig: "bars_since_open", op: opTime, kind: Number, n: int(clockBarsSinceOpen), doc: "how many bar lengths lie between the regular open and the start of the bar, 0 on the first; absent on daily and longer bars"},
	})
}

// clockReader reads clocks off the bars of one series.
type clockReader struct {
	series   *bar.Series
	calendar *bar.Calendar // of the hours
	schedule schedule      // of the sessions to come
}

// schedule answers what is known beforehand about sessions. A calendar made from a file's dates knows
// only which bars exist, later ones included; what people knew is the exchange's calendar, or every
// day where the file has weekends.
type schedule struct{ *bar.Calendar }

func newClockReader(s *bar.Series, c *bar.Calendar) clockReader {
	if c == nil {
		c = bar.NYSE()
	}
	known := c
	if c.Name() == "dates" {
		known = bar.NYSE()
		if c.SessionsPerYear() >= 365 {
			known = bar.Always()
		}
	}
	return clockReader{s, c, schedule{known}}
}

// numbers fills dst with c at each bar.
func (r clockReader) numbers(dst []float64, c clock) {
	if c >= clockHour {
		r.times(dst, c)
		return
	}
	switch c {
	case clockDividend, clockSplit:
		r.since(dst, c)
		return
	case clockToDividend:
		r.untilDividend(dst)
		return
	}
	last, v := instrument.None, 0.0
	for i := range dst {
		if d := r.date(i); d != last {
			last, v = d, r.schedule.number(d, c)
		}
		dst[i] = v
	}
}

// since fills dst with the calendar days since the last action of a kind on or before each bar.
func (r clockReader) since(dst []float64, c clock) {
	var ex []instrument.Date
	if c == clockSplit {
		for _, x := range r.series.Actions.Splits {
			ex = append(ex, x.Ex)
		}
	} else {
		for _, x := range r.series.Actions.Dividends {
			ex = append(ex, x.Ex)
		}
	}
	k := 0
	for i := range dst {
		d := r.date(i)
		for k < len(ex) && ex[k] <= d {
			k++
		}
		dst[i] = math.NaN()
		if k > 0 {
			dst[i] = float64(d - ex[k-1])
		}
	}
}

// untilDividend fills dst with the calendar days to the next dividend that was known at each bar. What was
// announced on the day of the bar may have come after its close.
func (r clockReader) untilDividend(dst []float64) {
	all := r.series.Actions.Dividends
	last, days := instrument.None, math.NaN()
	for i := range dst {
		if d := r.date(i); d != last {
			last, days = d, math.NaN()
			for len(all) > 0 && all[0].Ex < d {
				all = all[1:]
			}
			for _, x := range all {
				if x.Ex == d || x.Declared != 0 && x.Declared < d {
					days = float64(x.Ex - d)
					break
				}
			}
		}
		dst[i] = days
	}
}

// conditions fills dst with c at each bar.
func (r clockReader) conditions(dst bitset, n int, c clock) {
	clear(dst.yes)
	clear(dst.gone)
	last, v := instrument.None, 0.0
	for i := range n {
		if d := r.date(i); d != last {
			last, v = d, r.schedule.number(d, c)
		}
		dst.yes[i>>6] |= flag(v == 1) << uint(i&63)
		dst.gone[i>>6] |= flag(v != v) << uint(i&63)
	}
}

// date of the session of bar i; of the last scheduled one of weeks and months.
func (r clockReader) date(i int) instrument.Date {
	switch r.series.Frame.Unit {
	case bar.Minute, bar.Hour:
		return r.calendar.DateOf(r.series.Time[i])
	case bar.Week:
		return r.schedule.last(r.series.Date(i), sameWeek)
	case bar.Month:
		return r.schedule.last(r.series.Date(i), sameMonth)
	}
	return r.series.Date(i)
}

// last session at or after d that belongs together with it.
func (s schedule) last(d instrument.Date, same func(a, b instrument.Date) bool) instrument.Date {
	for {
		n := s.Next(d)
		if n == instrument.Forever || !same(d, n) {
			return d
		}
		d = n
	}
}

func monday(d instrument.Date) instrument.Date {
	return d - instrument.Date((int(d.Weekday())+6)%7)
}

func sameWeek(a, b instrument.Date) bool { return monday(a) == monday(b) }

func sameMonth(a, b instrument.Date) bool {
	ya, ma, _ := civil(a)
	yb, mb, _ := civil(b)
	return ya == yb && ma == mb
}

func sameQuarter(a, b instrument.Date) bool {
	ya, ma, _ := civil(a)
	yb, mb, _ := civil(b)
	return ya == yb && (ma-1)/3 == (mb-1)/3
}

func sameYear(a, b instrument.Date) bool {
	ya, _, _ := civil(a)
	yb, _, _ := civil(b)
	return ya == yb
}

// number is clock c on session d; conditions are 1 and 0. Absent where the calendar ends.
func (s schedule) number(d instrument.Date, c clock) float64 {
	y, m, day := civil(d)
	switch c {
	case clockYear:
		return float64(y)
	case clockQuarter:
		return float64((m-1)/3 + 1)
	case clockMonth:
		return float64(m)
	case clockDay:
		return float64(day)
	case clockWeekday:
		return float64((int(d.Weekday())+6)%7 + 1)
	case clockSession:
		return float64(d)
	case clockSessionOfMonth:
		return float64(s.Count(d-instrument.Date(day-1), d-1) + 1)
	case clockSessionsToMonthEnd:
		if s.Next(d) == instrument.Forever {
			return math.NaN()
		}
		return float64(s.Count(d+1, instrument.NewDate(y, time.Month(m+1), 0)))
	case clockWeekStart:
		return s.edge(d, s.Prev(d), instrument.None, sameWeek)
	case clockMonthStart:
		return s.edge(d, s.Prev(d), instrument.None, sameMonth)
	case clockQuarterStart:
		return s.edge(d, s.Prev(d), instrument.None, sameQuarter)
	case clockYearStart:
		return s.edge(d, s.Prev(d), instrument.None, sameYear)
	case clockWeekEnd:
		return s.edge(d, s.Next(d), instrument.Forever, sameWeek)
	case clockMonthEnd:
		return s.edge(d, s.Next(d), instrument.Forever, sameMonth)
	case clockQuarterEnd:
		return s.edge(d, s.Next(d), instrument.Forever, sameQuarter)
	case clockYearEnd:
		return s.edge(d, s.Next(d), instrument.Forever, sameYear)
	}
	panic("BUG: unknown clock")
}

// edge is whether d and its neighbour do not belong together.
func (schedule) edge(d, neighbour, unknown instrument.Date, same func(a, b instrument.Date) bool) float64 {
	if neighbour == unknown {
		return math.NaN()
	}
	return truth(!same(d, neighbour))
}

// times fills dst with a clock that runs within the session.
func (r clockReader) times(dst []float64, c clock) {
	const minute = int64(time.Minute)
	step := int64(r.series.Frame.Duration())
	if !r.series.Frame.Intraday() {
		fill(dst, math.NaN())
		return
	}
	last := instrument.None
	var midnight, open, closing int64
	session := false
	for i := range dst {
		t := r.series.Time[i]
		if d := r.calendar.DateOf(t); d != last {
			last, midnight = d, r.calendar.Midnight(d)
			open, closing, _, session = r.calendar.Hours(d)
		}
		switch {
		case c == clockHour:
			dst[i] = float64((t - midnight) / (60 * minute))
		case c == clockMinute:
			dst[i] = float64((t - midnight) / minute % 60)
		case !session:
			dst[i] = math.NaN()
		case c == clockSinceOpen:
			dst[i] = float64(t-open) / float64(minute)
		case c == clockBarsSinceOpen:
			dst[i] = math.Floor(float64(t-open) / float64(step))
		default:
			end := t + step
			if r.series.Session == bar.Extended {
				end = bar.BarEnd(r.series, i, r.calendar)
			} else if t < closing {
				end = min(end, closing)
			}
			dst[i] = float64(closing-end) / float64(minute)
		}
	}
}

// civil is the year, month (1 to 12) and day of d in the Gregorian calendar. Years are counted from
// March, so that the leap day comes last and month lengths follow one line.
func civil(d instrument.Date) (year, month, day int) {
	n := int(d) + 719468 // days since 0000-03-01
	era := n / 146097
	if n < 0 {
		era = (n - 146096) / 146097
	}
	n -= era * 146097
	y := (n - n/1460 + n/36524 - n/146096) / 365
	n -= 365*y + y/4 - y/100
	m := (5*n + 2) / 153 // months since March
	day = n - (153*m+2)/5 + 1
	year = y + era*400
	if month = m + 3; month > 12 {
		month -= 12
		year++
	}
	return year, month, day
}
