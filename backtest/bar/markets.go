package bar

import (
	"fmt"
	"sync"
	"time"

	"backtester/backtest/instrument"
)

// Sessions a year of markets beside the exchanges.
const (
	alwaysSessions = 365
	forexSessions  = 313 // Sundays to Fridays
)

var always = sync.OnceValue(func() *Calendar {
	return &Calendar{
		name: "always", zone: newZone("UTC"), everyDay: true, perYear: alwaysSessions,
		known: [2]instrument.Date{instrument.None, instrument.Forever},
	}
})

// Always is the calendar of markets that never close: every date is a session of 24 hours UTC.
func Always() *Calendar { return always() }

// forexClose is when the week of currencies begins on Sundays and ends on Fridays, in New York.
const forexClose = 17 * 60

var forex = sync.OnceValue(func() *Calendar {
	last := instrument.NewDate(nyseLastYear, time.December, 31)
	var dates []instrument.Date
	var opens, closes []int16
	for d := instrument.NewDate(1971, time.January, 1); d <= last; d++ {
		open, closing := int16(0), int16(24*60)
		edge := int16((NYSE().zone.civil(d) + forexClose*minuteNanos - d.Nanos()) / minuteNanos) // 21:00 or 22:00 UTC
		switch d.Weekday() {
		case time.Saturday:
			continue
		case time.Sunday:
			open = edge
		case time.Friday:
			closing = edge
		}
		dates, opens, closes = append(dates, d), append(opens, open), append(closes, closing)
	}
	c := newCalendar("forex", dates, closes, forexSessions)
	c.zone, c.opens, c.regular = newZone("UTC"), opens, 0 // no session counts as a half day
	return c
})

// Forex is the calendar of currencies, 1971 to 2040: sessions are dates in UTC, Sundays to Fridays, from
// Sunday 17:00 to Friday 17:00 New York time. Holidays are not in it: on some of them there is little trade,
// and which have none is said by whoever has the bars (With).
func Forex() *Calendar { return forex() }

// CalendarNames in the order in which they are shown.
func CalendarNames() []string { return []string{NYSE().Name(), Always().Name(), Forex().Name()} }

// CalendarNamed is the calendar of a market: that of the US exchanges, Always or Forex.
func CalendarNamed(name string) (*Calendar, error) {
	for _, c := range []*Calendar{NYSE(), Always(), Forex()} {
		if c.Name() == name {
			return c, nil
		}
	}
	return nil, fmt.Errorf("calendar %q is not known: want XNYS, always or forex", name)
}
