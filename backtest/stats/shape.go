package stats

import (
	"math"
	"slices"
	"time"

	"backtester/backtest/instrument"
)

// QQ is a sample against the normal law: where it is normal, Observed is Normal.
type QQ struct {
	Normal   []float64 // expected order statistics of the standard normal law (Blom 1958)
	Observed []float64 // sorted values less their mean, over their deviation
}

// QQOf takes at most n points of x, and of each tail the outermost 20; empty for a sample that does
// not move.
func QQOf(x []float64, n int) QQ {
	m := momentsOf(x)
	sd := m.sd()
	if !(sd > 0) {
		return QQ{}
	}
	sorted := slices.Clone(x)
	slices.Sort(sorted)
	var q QQ
	size := len(sorted)
	const tail = 20
	step := max(1, (size-2*tail+n-1)/max(n-2*tail, 1))
	for i, v := range sorted {
		if i >= tail && i < size-tail && (i-tail)%step != 0 {
			continue
		}
		q.Normal = append(q.Normal, PhiInv((float64(i)+1-0.375)/(float64(size)+0.25)))
		q.Observed = append(q.Observed, (v-m.mean)/sd)
	}
	return q
}

// Box is the spread of returns over periods of one length. Returns are fractions.
type Box struct {
	Name                                string // day, week, month, quarter, year
	N                                   int    // whole periods
	Least, P5, P25, P50, P75, P95, Most float64
}

// Boxes are the spreads of the returns of sessions, and of whole weeks, months, quarters and years,
// as far as there are at least three of each.
func Boxes(dates []instrument.Date, equity []float64) []Box {
	month := func(d instrument.Date) int { y, m, _ := d.Time().Date(); return 12*y + int(m) - 1 }
	var out []Box
	for _, p := range []struct {
		name string
		key  func(instrument.Date) int
	}{
		{"day", func(d instrument.Date) int { return int(d) }},
		{"week", func(d instrument.Date) int { return int(d-instrument.Date((d.Weekday()+6)%7)) / 7 }}, // from Monday
		{"month", month},
		{"quarter", func(d instrument.Date) int { return month(d) / 3 }},
		{"year", func(d instrument.Date) int { return month(d) / 12 }},
	} {
		r := wholeBy(dates, equity, p.key)
		if len(r) < 3 {
			continue
		}
		slices.Sort(r)
		at := func(q float64) float64 { return Quantile(r, q) }
		out = append(out, Box{p.name, len(r), r[0], at(.05), at(.25), at(.5), at(.75), at(.95), r[len(r)-1]})
	}
	return out
}

// wholeBy are the returns of the periods that key tells apart and that the curve covers whole.
func wholeBy(dates []instrument.Date, equity []float64, key func(instrument.Date) int) []float64 {
	var out []float64
	n := len(dates)
	begin := 0 // at whose close the period starts
	if n > 1 && key(dates[0]) == key(dates[1]) {
		begin = -1 // the first one is known in part
	}
	for t := 1; t < n && equity[t-1] > 0; t++ {
		last := t+1 == n
		if !last && key(dates[t]) == key(dates[t+1]) || last && key(dates[t]) == key(nextSession(dates)) {
			continue
		}
		if begin >= 0 {
			out = append(out, change(equity[begin], equity[t]))
		}
		begin = t
	}
	return out
}

// ByWeekday labels a trade by the weekday of its entry, for GroupBy.
func ByWeekday(t *Trade) string {
	if t.Entry == instrument.None {
		return "unknown"
	}
	return t.Entry.Weekday().String()
}

// ByMonth labels a trade by the calendar month of its entry.
func ByMonth(t *Trade) string {
	if t.Entry == instrument.None {
		return "unknown"
	}
	return t.Entry.Time().Month().String()
}

// InCalendarOrder sorts groups of weekdays or months by the calendar instead of the alphabet.
func InCalendarOrder(rows []GroupRow) []GroupRow {
	place := map[string]int{"unknown": 99}
	for d := range 7 {
		place[time.Weekday(d).String()] = (d + 6) % 7
	}
	for m := time.January; m <= time.December; m++ {
		place[m.String()] = int(m)
	}
	slices.SortStableFunc(rows, func(a, b GroupRow) int { return place[a.Label] - place[b.Label] })
	return rows
}

// SharpeBand is where 95 % of the annual Sharpe ratios of windows of n sessions lie if the true one is
// sharpe all along and returns are independent and normal (Lo 2002).
func SharpeBand(sharpe, perYear float64, n int) (low, high float64) {
	sr := sharpe / math.Sqrt(perYear)
	half := z95 * math.Sqrt((1+sr*sr/2)/float64(n)) * math.Sqrt(perYear)
	return sharpe - half, sharpe + half
}
