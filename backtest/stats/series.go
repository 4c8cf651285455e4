package stats

import (
	"math"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// Returns writes the simple returns of an equity curve into dst and returns it: one shorter than
// equity. It stops where equity is no longer positive, because a return on nothing is undefined;
// the return into that point is kept.
func Returns(dst, equity []float64) []float64 {
	dst = dst[:0]
	for t := 1; t < len(equity); t++ {
		if !(equity[t-1] > 0) {
			break
		}
		dst = append(dst, change(equity[t-1], equity[t]))
	}
	return dst
}

// PeriodsPerYear finds how many observations a year has from their dates, the first of which is the
// start: the nearest of 365, 252, 52, 12, 4 and 1 when that is within 10 %, else the plain rate. NaN
// under two dates.
func PeriodsPerYear(dates []instrument.Date) float64 {
	n := len(dates) - 1
	if n < 1 || dates[n] <= dates[0] {
		return math.NaN()
	}
	raw := float64(n) / (float64(dates[n]-dates[0]) / 365.25)
	best, gap := raw, 0.1
	for _, c := range []float64{365, 252, 52, 12, 4, 1} {
		if g := math.Abs(raw-c) / c; g <= gap {
			best, gap = c, g
		}
	}
	if n < 20 { // too short a span for the rate: the usual gap between observations decides
		best = byGap(dates, best)
	}
	return best
}

// byGap judges a short series by its median gap.
func byGap(dates []instrument.Date, rate float64) float64 {
	gaps := make([]float64, 0, len(dates))
	weekend := false
	for t := 1; t < len(dates); t++ {
		gaps = append(gaps, float64(dates[t]-dates[t-1]))
		d := dates[t].Weekday()
		weekend = weekend || d == time.Saturday || d == time.Sunday
	}
	switch g := middleOf(gaps); {
	case g <= 1.5 && weekend:
		return 365
	case g <= 1.5:
		return 252
	case g >= 5 && g <= 9:
		return 52
	case g >= 28 && g <= 31:
		return 12
	}
	return rate
}

// growth is the calendar rate (last/first)^(365.25/days)-1; NaN under 365 days, because a part of a
// year says nothing about a year.
func growth(dates []instrument.Date, equity []float64) float64 {
	n := len(equity) - 1
	if n < 1 {
		return math.NaN()
	}
	return growthOver(float64(dates[n])-float64(dates[0]), equity[0], equity[n])
}

func growthOver(days, first, last float64) float64 {
	ratio := last / first
	if days < 365 || !(first > 0) || !(ratio >= 0) {
		return math.NaN()
	}
	return math.Pow(ratio, 365.25/days) - 1
}

// Period is the return of a calendar month or year.
type Period struct {
	Year  int
	Month time.Month // 0 for a year
	// Return is a fraction, compounded over the sessions of the period.
	Return float64
	// Drawdown is the deepest fall within the period from the highest close in it, its starting
	// equity included: a fraction, 0 or negative.
	Drawdown float64
	Sessions int
	// Partial is set when the run did not cover the whole period.
	Partial bool
}

// Months returns every calendar month with a session, oldest first, by session closes. The returns
// of all of them compound to the total return.
func Months(dates []instrument.Date, equity []float64) []Period {
	return periods(dates, equity, true)
}

// Years is Months by calendar years.
func Years(dates []instrument.Date, equity []float64) []Period {
	return periods(dates, equity, false)
}

func periods(dates []instrument.Date, equity []float64, monthly bool) []Period {
	ended := 0
	for ended+1 < len(equity) && equity[ended] > 0 {
		ended++
	}
	all := stretches(dates, ended, monthly)
	for i := range all {
		p := &all[i]
		peak := equity[p.from]
		trough := peak
		for _, v := range equity[p.from+1 : p.to+1] {
			if v >= peak {
				peak, trough = v, v
			} else if v < trough { // since the peak: only then can the fall be deeper
				trough = v
				p.Drawdown = min(p.Drawdown, change(peak, v))
			}
		}
	}
	return along(all, equity)
}

// stretch is a period from the close of one session to that of another: indices of dates.
type stretch struct {
	Period
	from, to int
}

// stretches are the calendar periods of the sessions after the first up to the one where a curve ended, in
// the order of time, their returns not yet known.
func stretches(dates []instrument.Date, ended int, monthly bool) []stretch {
	if ended < 1 {
		return nil
	}
	name := func(d instrument.Date) Period {
		y, m, _ := d.Time().Date()
		if !monthly {
			m = 0
		}
		return Period{Year: y, Month: m}
	}
	var out []stretch
	start := name(dates[0])
	for from := 0; from < ended; {
		p := name(dates[from+1])
		next := instrument.NewDate(p.Year+1, time.January, 1) // first date of the next period
		if monthly {
			next = instrument.NewDate(p.Year, p.Month+1, 1)
		}
		to := from + 1
		for to < ended && dates[to+1] < next {
			to++
		}
		// A first period that began before the run is known in part only.
		p.Partial, p.Sessions = from == 0 && start == p, to-from
		out = append(out, stretch{p, from, to})
		from = to
	}
	last := &out[len(out)-1]
	if next := name(nextSession(dates)); next.Year == last.Year && next.Month == last.Month {
		last.Partial = true
	}
	return out
}

// along are the periods with the returns of a curve.
func along(all []stretch, equity []float64) []Period {
	var out []Period
	for _, p := range all {
		p.Return = change(equity[p.from], equity[p.to])
		out = append(out, p.Period)
	}
	return out
}

// nextSession is the day that follows the last of dates: the next session of the exchange, or the
// next day where dates hold weekends. Before and after the years the calendar knows, it is a weekday.
func nextSession(dates []instrument.Date) instrument.Date {
	last := dates[len(dates)-1]
	for _, d := range dates[max(0, len(dates)-7):] {
		if wd := d.Weekday(); wd == time.Saturday || wd == time.Sunday {
			return last + 1
		}
	}
	if next := bar.NYSE().Next(last); next > last {
		return next
	}
	return last + 1
}

// whole are the returns of complete periods.
func whole(ps []Period) []float64 {
	var out []float64
	for _, p := range ps {
		if !p.Partial {
			out = append(out, p.Return)
		}
	}
	return out
}

// back is the date n months before d, the day cut to the length of its month.
func back(d instrument.Date, n int) instrument.Date {
	y, m, day := d.Time().Date()
	first := instrument.NewDate(y, m-time.Month(n), 1)
	y2, m2, _ := first.Time().Date()
	last := instrument.NewDate(y2, m2+1, 0)
	return min(first+instrument.Date(day-1), last)
}

// since is the return from the last close at or before from to the end; NaN when history is
// shorter.
func since(dates []instrument.Date, equity []float64, from instrument.Date) float64 {
	n := len(dates) - 1
	if n < 1 || dates[0] > from {
		return math.NaN()
	}
	lo, hi := 0, n // the last index with dates <= from
	for lo < hi {
		mid := (lo + hi + 1) / 2
		if dates[mid] <= from {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	if !(equity[lo] > 0) {
		return math.NaN()
	}
	return change(equity[lo], equity[n])
}
