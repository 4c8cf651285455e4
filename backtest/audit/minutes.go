package audit

import (
	"math"
	"slices"
	"sort"

	"backtester/backtest/instrument"
)

// minuteDay is one session's minutes together.
type minuteDay struct {
	date   instrument.Date
	volume float64 // of all minutes
	close  float64 // of the last regular one, NaN when there is none
	day    int     // the daily bar, -1 when there is none
}

// minuteDays sums the minutes up, session by session.
func (w *work) minuteDays(visit func(minuteDay)) {
	s, cal := w.minutes, w.market.Calendar
	for i := 0; i < s.Len(); {
		m := minuteDay{date: cal.DateOf(s.Time[i]), close: math.NaN(), day: -1}
		next := cal.Midnight(m.date + 1)
		open, close, _, ok := cal.Hours(m.date)
		for ; i < s.Len() && s.Time[i] < next; i++ {
			m.volume += s.Volume[i]
			if ok && s.Time[i] >= open && s.Time[i] < close {
				m.close = s.Close[i]
			}
		}
		if k, there := slices.BinarySearch(w.days.Time, m.date.Nanos()); there {
			m.day = k
		}
		visit(m)
	}
}

func minuteVolume(w *work) hits {
	h, n := found("days whose minutes do not add up"), 0
	if w.days.NoVolume || w.minutes.NoVolume {
		return h
	}
	w.minuteDays(func(m minuteDay) {
		if m.day < 0 {
			return
		}
		n++
		v := w.days.Volume[m.day]
		if math.Abs(m.volume-v) > volumeApart*v {
			h.add(m.date, "day %.0f, minutes %.0f", v, m.volume)
		}
	})
	if float64(h.n) <= volumeDays*float64(n) {
		return hits{}
	}
	return h
}

func minutePrice(w *work) hits {
	h := found("minutes far from their day")
	w.minuteDays(func(m minuteDay) {
		if m.day < 0 || math.IsNaN(m.close) {
			return
		}
		if c := w.days.Close[m.day]; distance(m.close/c) > 1+priceApart {
			h.add(m.date, "day closes at %v, minutes at %v", c, m.close)
		}
	})
	return h
}

// minuteDays compares which sessions have bars, as far as the source holds minutes of anybody.
func minuteDays(w *work) hits {
	h, s := found("sessions with only one kind of bars"), w.days
	has := map[instrument.Date]bool{}
	w.minuteDays(func(m minuteDay) {
		has[m.date] = true
		if m.day < 0 {
			h.add(m.date, "has minutes and no day")
		}
	})
	cal := w.market.Calendar
	from, to := cal.DateOf(w.minutes.Time[0]), cal.DateOf(w.minutes.Time[w.minutes.Len()-1])
	for i := sort.Search(s.Len(), func(i int) bool { return s.Date(i) >= from }); i < s.Len() && s.Date(i) <= to; i++ {
		d := s.Date(i)
		_, held := slices.BinarySearch(w.market.Minutes, d)
		if held && !has[d] && (s.NoVolume || s.Volume[i] > 0) {
			h.add(d, "has a day and no minutes")
		}
	}
	return h
}
