package bar

import (
	"fmt"
	"sort"
	"time"

	"backtester/backtest/instrument"
)

// Resample makes longer bars of s. Ends tells from when on each is readable.
//
// From minutes: only those of session count. Intraday bars begin at the session's opening (09:30, or
// 04:00 for Extended) and every multiple of the frame after it; the last one is cut off by the
// closing. A day is one bar, stamped with midnight UTC of its session. From days: weeks run from
// Monday to Sunday and months by date, stamped with the first session that the calendar has in them,
// whether or not the symbol traded on it.
//
// Open, high, low, close are those of the bars that traded; volume is their sum, oldest first
// within a session, then over the sessions.
// Periods without a bar give none. Days made of minutes differ from the vendor's day bars, whose
// prices come from the auctions and whose volume includes extended hours: the two are never mixed.
//
// The result has s's symbol, actions and flags; its Warm counts bars that end before the first bar of
// s that is not warm begins. An equal frame only filters by session, and gives a view where nothing
// lies between. It refuses to make shorter bars of longer ones, and minutes of frames that do not
// divide. Cost: O(n), one allocation a column.
func Resample(s *Series, to Frame, session Session, cal *Calendar) (*Series, error) {
	if !coarser(s.Frame, to) {
		return nil, fmt.Errorf("resample %s: bars of %s cannot be made of bars of %s", s.Symbol, to, s.Frame)
	}
	if session == "" {
		session = Regular
	}
	b := buckets{from: s.Frame, to: to, session: session, cal: cal}
	if !s.Frame.Intraday() {
		session = s.Session
	}
	var out *Series
	if s.Frame == to && s.Frame.Intraday() {
		out = b.filter(s)
	} else {
		out = b.join(s)
		if s.Warm < s.Len() && s.Warm > 0 && b.move(s.Time[s.Warm]) && out.Warm > 0 && out.Time[out.Warm-1] == b.start {
			out.Warm-- // the bar reaches into the time that is traded
		}
	}
	out.Frame, out.Session = to, session
	return out, nil
}

// Ends gives BarEnd of every bar, as one column.
func Ends(s *Series, cal *Calendar) []int64 {
	ends := make([]int64, s.Len())
	for i := range ends {
		ends[i] = BarEnd(s, i, cal)
	}
	return ends
}

// join makes one bar of all those that belong together.
func (b *buckets) join(s *Series) *Series {
	out := *s
	out.reserve(s.Len()/ratio(s.Frame, b.to) + 16)
	last := int64(-1 << 63)
	for i := 0; i < s.Len(); {
		if !b.move(s.Time[i]) {
			i++
			continue
		}
		j := i + 1
		for j < s.Len() && s.Time[j] < b.until {
			j++
		}
		high, low, volume := s.High[i], s.Low[i], s.Volume[i]
		for k := i + 1; k < j; k++ {
			high, low, volume = max(high, s.High[k]), min(low, s.Low[k]), volume+s.Volume[k]
		}
		if b.start == last { // a week or month of minutes: session after session
			k := len(out.Time) - 1
			out.High[k], out.Low[k] = max(out.High[k], high), min(out.Low[k], low)
			out.Close[k], out.Volume[k] = s.Close[j-1], out.Volume[k]+volume
		} else {
			last = b.start
			out.Time = append(out.Time, b.start)
			out.Open, out.Close = append(out.Open, s.Open[i]), append(out.Close, s.Close[j-1])
			out.High, out.Low = append(out.High, high), append(out.Low, low)
			out.Volume = append(out.Volume, volume)
		}
		if i < s.Warm {
			out.Warm = len(out.Time)
		}
		i = j
	}
	return &out
}

// filter keeps the bars of the session: as a view when they are in one piece.
func (b *buckets) filter(s *Series) *Series {
	var keep [][2]int
	rows := 0
	for i := 0; i < s.Len(); {
		if !b.move(s.Time[i]) {
			i++
			continue
		}
		j := i + sort.Search(s.Len()-i, func(k int) bool { return s.Time[i+k] >= b.close })
		if n := len(keep); n > 0 && keep[n-1][1] == i {
			keep[n-1][1] = j
		} else {
			keep = append(keep, [2]int{i, j})
		}
		rows, i = rows+j-i, j
	}
	if len(keep) == 1 {
		return s.Slice(keep[0][0], keep[0][1])
	}
	out := *s
	out.reserve(rows)
	for _, r := range keep {
		c := s.Slice(r[0], r[1])
		out.Time = append(out.Time, c.Time...)
		out.Open, out.High = append(out.Open, c.Open...), append(out.High, c.High...)
		out.Low, out.Close = append(out.Low, c.Low...), append(out.Close, c.Close...)
		out.Volume = append(out.Volume, c.Volume...)
		out.Warm += min(c.Warm, c.Len())
	}
	return &out
}

// reserve empties the columns and makes room for n bars.
func (s *Series) reserve(n int) {
	s.Time, s.Warm = make([]int64, 0, n), 0
	for _, c := range []*[]float64{&s.Open, &s.High, &s.Low, &s.Close, &s.Volume} {
		*c = make([]float64, 0, n)
	}
}

// Makes reports whether Resample can make bars of frame to from bars of frame f.
func (f Frame) Makes(to Frame) bool { return coarser(f, to) }

// coarser reports whether bars of b can be made of bars of a.
func coarser(a, b Frame) bool {
	switch {
	case a == b:
		return true
	case a.Intraday() && b.Intraday():
		return b.Duration() > a.Duration() && b.Duration()%a.Duration() == 0
	case a.Intraday():
		return true
	case a.Unit == Day:
		return b.Unit == Week || b.Unit == Month
	}
	return false
}

// ratio is about how many bars of a make one of b.
func ratio(a, b Frame) int {
	switch {
	case a == b:
		return 1
	case a.Intraday() && b.Intraday():
		return int(b.Duration() / a.Duration())
	case b.Unit == Week:
		return 4
	case b.Unit == Month:
		return 18
	}
	return 2
}

// buckets finds the bar to which an instant belongs, with a memory of the current session so that
// bars of one session cost no look-up.
type buckets struct {
	from, to Frame
	session  Session
	cal      *Calendar

	start, until int64 // of the bar that move found: its stamp, and the first instant after it
	open, close  int64 // of the session in memory
	label        int64 // start of the day, week or month in memory
}

// move to instant t; false when t belongs to no session.
func (b *buckets) move(t int64) bool {
	if !b.from.Intraday() {
		if t < b.open || t >= b.close {
			b.period(instrument.DateOfNanos(t))
		}
		b.start, b.until = b.label, b.close
		return true
	}
	if (t < b.open || t >= b.close) && !b.day(t) {
		return false
	}
	if !b.to.Intraday() {
		b.start, b.until = b.label, b.close
		return true
	}
	d := int64(b.to.Duration())
	b.start = b.open + (t-b.open)/d*d
	b.until = min(b.start+d, b.close)
	return true
}

// day remembers the session of t; false when t lies outside of every session.
func (b *buckets) day(t int64) bool {
	d := b.cal.DateOf(t)
	open, closing, _, ok := b.cal.Hours(d)
	if b.session == Extended {
		open, closing, ok = b.cal.ExtendedHours(d)
	}
	if !ok || t < open || t >= closing {
		return false
	}
	b.open, b.close = open, closing
	b.label = periodLabel(b.to, d, b.cal)
	return true
}

// period remembers the day, week or month of d.
func (b *buckets) period(d instrument.Date) {
	first, next := PeriodStart(b.to, d), periodNext(b.to, d)
	b.open, b.close = first.Nanos(), next.Nanos()
	b.label = periodLabel(b.to, d, b.cal)
}

// periodLabel is the stamp of the period of d: its first session, else d.
func periodLabel(f Frame, d instrument.Date, cal *Calendar) int64 {
	first := PeriodStart(f, d)
	if first != d && !cal.IsSession(first) {
		if first = cal.Next(first); first > d {
			first = d
		}
	}
	return first.Nanos()
}

// PeriodStart is the first date of the week (Monday) or month of d; d itself for shorter frames.
func PeriodStart(f Frame, d instrument.Date) instrument.Date {
	switch f.Unit {
	case Week:
		return d - instrument.Date((d.Weekday()+6)%7)
	case Month:
		return d - instrument.Date(d.Time().Day()-1)
	}
	return d
}

// periodNext is the first date after the period of d.
func periodNext(f Frame, d instrument.Date) instrument.Date {
	switch f.Unit {
	case Week:
		return PeriodStart(f, d) + 7
	case Month:
		t := d.Time()
		return instrument.NewDate(t.Year(), t.Month()+1, 1)
	}
	return d + 1
}

// BarEnd is the instant from which bar i of s is readable: the end of its time, in ns UTC. Intraday
// bars end after their duration, and at the closing of the session if that comes first. Days end at
// the regular close, though the volume of day files counts until the end of extended trading; those made
// of extended hours end with these. Weeks and months end with the last session that the calendar has in them.
func BarEnd(s *Series, i int, cal *Calendar) int64 {
	t := s.Time[i]
	if s.Frame.Intraday() {
		end := t + int64(s.Frame.Duration())
		d := cal.DateOf(t)
		_, closing, _, ok := cal.Hours(d)
		if s.Session == Extended {
			_, closing, ok = cal.ExtendedHours(d)
		}
		if ok && t < closing {
			end = min(end, closing)
		}
		return end
	}
	d := instrument.DateOfNanos(t)
	last := d
	if s.Frame.Unit != Day {
		if p := cal.Prev(periodNext(s.Frame, d)); p > d {
			last = p
		}
	}
	_, closing, _, ok := cal.Hours(last)
	if s.Session == Extended {
		_, closing, ok = cal.ExtendedHours(last)
	}
	if ok {
		return closing
	}
	return cal.zone.civil(last) + closeMinute*int64(time.Minute)
}
