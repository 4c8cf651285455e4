package bar

import (
	"time"

	"backtester/backtest/instrument"
)

// The rules of the New York Stock Exchange (Rule 7.2 and its predecessors), as its yearly notices
// applied them. Irregular days are listed by date; whatever can be a rule is one.

const (
	nyseFirstYear = 1990
	nyseLastYear  = 2040
	earlyMinute   = 13 * 60 // half days since 1993
	oldEarly      = 14 * 60 // half days up to 1992
)

// nyseClosed are the days without trading that no rule foresees.
func nyseClosed() []instrument.Date {
	return dates(
		"1994-04-27",                                           // mourning: Nixon
		"2001-09-11", "2001-09-12", "2001-09-13", "2001-09-14", // attacks of 11 September
		"2004-06-11",               // mourning: Reagan
		"2007-01-02",               // mourning: Ford
		"2012-10-29", "2012-10-30", // hurricane Sandy
		"2018-12-05", // mourning: George H. W. Bush
		"2025-01-09", // mourning: Carter
	)
}

// nyseEarly are the half days that no rule foresees, all closing at 13:00.
func nyseEarly() []instrument.Date {
	return dates("1997-12-26", "1999-12-31", "2003-12-26")
}

func dates(ss ...string) []instrument.Date {
	ds := make([]instrument.Date, len(ss))
	for i, s := range ss {
		d, err := instrument.ParseDate(s)
		if err != nil {
			panic("BUG: " + err.Error())
		}
		ds[i] = d
	}
	return ds
}

// nyseSessions lists all sessions with their closing minutes.
func nyseSessions() (ds []instrument.Date, closes []int16) {
	off, early := map[instrument.Date]bool{}, map[instrument.Date]int16{}
	for y := nyseFirstYear; y <= nyseLastYear; y++ {
		for _, d := range nyseHolidays(y) {
			off[d] = true
		}
		nyseHalfDays(y, early)
	}
	for _, d := range nyseClosed() {
		off[d] = true
	}
	for _, d := range nyseEarly() {
		early[d] = earlyMinute
	}
	last := instrument.NewDate(nyseLastYear, time.December, 31)
	for d := instrument.NewDate(nyseFirstYear, time.January, 1); d <= last; d++ {
		if w := d.Weekday(); w == time.Saturday || w == time.Sunday || off[d] {
			continue
		}
		c := int16(closeMinute)
		if e, ok := early[d]; ok {
			c = e
		}
		ds, closes = append(ds, d), append(closes, c)
	}
	return ds, closes
}

// nyseHolidays of year y by rule. Dates on weekends are harmless.
func nyseHolidays(y int) []instrument.Date {
	newYear := instrument.NewDate(y, time.January, 1)
	if newYear.Weekday() == time.Sunday { // on a Saturday it is not made up for
		newYear++
	}
	ds := []instrument.Date{
		newYear,
		nthWeekday(y, time.February, time.Monday, 3), // Washington's birthday
		easter(y) - 2, // Good Friday
		lastMonday(y, time.May),
		nearestWeekday(instrument.NewDate(y, time.July, 4)),
		nthWeekday(y, time.September, time.Monday, 1),
		nthWeekday(y, time.November, time.Thursday, 4),
		nearestWeekday(instrument.NewDate(y, time.December, 25)),
	}
	if y >= 1998 {
		ds = append(ds, nthWeekday(y, time.January, time.Monday, 3)) // Martin Luther King
	}
	if y >= 2022 {
		ds = append(ds, nearestWeekday(instrument.NewDate(y, time.June, 19)))
	}
	return ds
}

// nyseHalfDays of year y by rule, added to early.
func nyseHalfDays(y int, early map[instrument.Date]int16) {
	at := int16(earlyMinute)
	if y < 1993 {
		at = oldEarly
	}
	if y >= 1992 {
		early[nthWeekday(y, time.November, time.Thursday, 4)+1] = at
	}
	if eve := instrument.NewDate(y, time.December, 24); eve.Weekday() <= time.Thursday {
		early[eve] = at
	}
	july3 := instrument.NewDate(y, time.July, 3)
	switch w := july3.Weekday(); {
	case y < 1995:
	case w == time.Monday, w == time.Tuesday, w == time.Thursday, w == time.Wednesday && y >= 2013:
		early[july3] = at
	case w == time.Wednesday: // until 2012 the Friday after was the half day
		early[july3+2] = at
	}
}

// nthWeekday is the n-th w of a month, n from 1.
func nthWeekday(y int, m time.Month, w time.Weekday, n int) instrument.Date {
	d := instrument.NewDate(y, m, 1)
	return d + instrument.Date((int(w)-int(d.Weekday())+7)%7+7*(n-1))
}

func lastMonday(y int, m time.Month) instrument.Date {
	return nthWeekday(y, m+1, time.Monday, 1) - 7
}

// nearestWeekday moves Saturdays to Friday and Sundays to Monday.
func nearestWeekday(d instrument.Date) instrument.Date {
	switch d.Weekday() {
	case time.Saturday:
		return d - 1
	case time.Sunday:
		return d + 1
	}
	return d
}

// easter Sunday of the Gregorian calendar (Meeus, Jones and Butcher; Astronomical Algorithms, 1991,
// chapter 8).
func easter(y int) instrument.Date {
	a, b, c := y%19, y/100, y%100
	d, e := b/4, b%4
	g := (8*b + 13) / 25
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return instrument.NewDate(y, time.Month(n/31), n%31+1)
}
