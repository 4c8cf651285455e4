package instrument

import (
	"fmt"
	"math"
	"time"
)

// Date is a civil date on the exchange's calendar, counted in days since 1970-01-01. It has no time
// zone and is never shifted by one.
type Date int32

const (
	None    Date = math.MinInt32 // no date known
	Forever Date = math.MaxInt32 // no end known
)

// NewDate returns the date of a civil year, month and day; out-of-range days roll over as in
// time.Date.
func NewDate(year int, month time.Month, day int) Date {
	return Date(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// ParseDate reads YYYY-MM-DD and nothing else.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return None, fmt.Errorf("read date %q: want YYYY-MM-DD", s)
	}
	return DateOf(t), nil
}

// DateOf is the civil date of t in t's own location.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return NewDate(y, m, d)
}

// Time is midnight UTC of the date: a label, not an instant of the market.
func (d Date) Time() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// Nanos is midnight UTC of the date in ns since 1970-01-01: the time stamp of daily bars.
func (d Date) Nanos() int64 { return int64(d) * 86400e9 }

// DateOfNanos is the inverse of Nanos: the UTC date of an instant in ns.
func DateOfNanos(ns int64) Date {
	const day = int64(86400e9)
	if ns < 0 {
		return Date((ns - day + 1) / day)
	}
	return Date(ns / day)
}

// Civil is the year, month and day of the date in the proleptic Gregorian calendar, without package
// time: days are counted in eras of 400 years that begin in March (H. Hinnant, "chrono-Compatible
// Low-Level Date Algorithms", 2013).
func (d Date) Civil() (year, month, day int) {
	z := int(d) + 719468
	era := z / 146097
	if z < 0 {
		era = (z - 146096) / 146097
	}
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	year, month, day = yoe+era*400, mp+3, doy-(153*mp+2)/5+1
	if month > 12 {
		year, month = year+1, month-12
	}
	return year, month, day
}

// Weekday of the date.
func (d Date) Weekday() time.Weekday { return time.Weekday((int64(d)%7 + 11) % 7) }

// String is YYYY-MM-DD; "" for None and "forever" for Forever.
func (d Date) String() string {
	switch d {
	case None:
		return ""
	case Forever:
		return "forever"
	}
	return d.Time().Format(time.DateOnly)
}

// MarshalText is String.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (d *Date) UnmarshalText(b []byte) error {
	switch string(b) {
	case "":
		*d = None
		return nil
	case "forever":
		*d = Forever
		return nil
	}
	v, err := ParseDate(string(b))
	*d = v
	return err
}
