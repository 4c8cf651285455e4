package bar

import (
	"time"
	_ "time/tzdata" // the exchange's clock must not depend on what the machine has installed

	"backtester/backtest/instrument"
)

// zone is a time zone as a table: the offset from UTC that holds at noon of every date from 1970 to
// 2050. Clocks change before opening hours and never exactly at midnight in the zones used here, so
// the offset at midnight is that of the noon before.
type zone struct {
	loc   *time.Location
	first instrument.Date
	noon  []int64 // ns to add to UTC for local time, by date
}

func newZone(name string) *zone {
	loc, err := time.LoadLocation(name)
	if err != nil {
		panic("BUG: time zone " + name + " is not embedded: " + err.Error())
	}
	z := &zone{loc: loc, first: instrument.NewDate(1969, time.December, 31)}
	last := instrument.NewDate(2051, time.January, 1)
	z.noon = make([]int64, 0, last-z.first+1)
	for d := z.first; d <= last; {
		noon := d.Nanos() + dayNanos/2
		t := time.Unix(0, noon).In(loc)
		_, off := t.Zone()
		offset := int64(off) * 1e9
		z.noon = append(z.noon, offset)
		// Only changes of the clock cost a look-up.
		_, end := t.ZoneBounds()
		for d++; d <= last && (end.IsZero() || d.Nanos()+dayNanos/2-offset < end.UnixNano()); d++ {
			z.noon = append(z.noon, offset)
		}
	}
	return z
}

// offset from UTC at noon of d, in ns.
func (z *zone) offset(d instrument.Date) int64 {
	if i := int64(d) - int64(z.first); i >= 0 && i < int64(len(z.noon)) {
		return z.noon[i]
	}
	_, off := time.Unix(int64(d)*86400+43200, 0).In(z.loc).Zone()
	return int64(off) * 1e9
}

// civil is the instant to which minutes of the trading day are added: what midnight of d would be by
// the clock that holds at noon.
func (z *zone) civil(d instrument.Date) int64 { return d.Nanos() - z.offset(d) }

// midnight is the first instant of d.
func (z *zone) midnight(d instrument.Date) int64 { return d.Nanos() - z.offset(d-1) }

// date of an instant.
func (z *zone) date(ns int64) instrument.Date {
	d := instrument.DateOfNanos(ns)
	d = instrument.DateOfNanos(ns + z.offset(d))
	// The guess used the clock of a neighbouring date: off by one at most.
	if ns < z.midnight(d) {
		return d - 1
	}
	if ns >= z.midnight(d+1) {
		return d + 1
	}
	return d
}
