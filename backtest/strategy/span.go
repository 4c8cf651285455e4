package strategy

import (
	"strconv"
	"time"

	"backtester/backtest/instrument"
)

// After is the date that lies n spans after d. Months and years keep the day of the month where the month has
// it, and take its last day otherwise.
func (s Span) After(d instrument.Date, n int) instrument.Date {
	k, err := strconv.Atoi(string(s[:max(0, len(s)-1)]))
	if err != nil {
		return d
	}
	k *= n
	switch s[len(s)-1] {
	case 'd':
		return d + instrument.Date(k)
	case 'w':
		return d + instrument.Date(7*k)
	case 'y':
		k *= 12
	}
	year, month, day := d.Civil()
	last := instrument.NewDate(year, time.Month(int(month)+k+1), 0)
	_, _, most := last.Civil()
	return last + instrument.Date(min(day, most)-most)
}
