package barfile

import (
	"slices"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// OnCalendar leaves out the bars of days that are no sessions of a calendar, for stores that share the
// exchange's: weekends and holidays, and what is older than the calendar. It returns the series itself
// when there are none, and the days of those left out, each once, oldest first.
func OnCalendar(s *bar.Series, cal *bar.Calendar) (*bar.Series, []instrument.Date) {
	date := s.Date
	if s.Frame.Intraday() {
		date = func(i int) instrument.Date { return cal.DateOf(s.Time[i]) }
	}
	var off []instrument.Date
	var keep []int
	for i := range s.Len() {
		d := date(i)
		switch {
		case cal.IsSession(d):
			keep = append(keep, i)
		case len(off) == 0 || off[len(off)-1] != d:
			off = append(off, d)
		}
	}
	if off == nil {
		return s, nil
	}
	out := *s
	out.Time = make([]int64, len(keep))
	for k, i := range keep {
		out.Time[k] = s.Time[i]
	}
	for _, c := range []*[]float64{&out.Open, &out.High, &out.Low, &out.Close, &out.Volume} {
		from := *c
		*c = make([]float64, len(keep))
		for k, i := range keep {
			(*c)[k] = from[i]
		}
	}
	return &out, slices.Clip(off)
}
