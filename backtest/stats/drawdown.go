package stats

import (
	"math"
	"slices"

	"backtester/backtest/instrument"
)

// Episode is one drawdown: from the last bar at the peak to the first bar back at it.
type Episode struct {
	Depth float64 // fraction, negative
	USD   float64 // money below the peak at the trough, negative
	// Indices of bars into the equity curve. Recovery is the last bar of the curve while Open.
	Peak, Trough, Recovery int
	PeakDate, TroughDate   instrument.Date // None without dates
	RecoveryDate           instrument.Date // of the last bar while Open
	Open                   bool
}

// Bars from the peak to the recovery, or to the last bar while open.
func (e Episode) Bars() int { return e.Recovery - e.Peak }

// Days from the peak to the recovery in calendar days, or to the last bar while open; NaN without
// dates.
func (e Episode) Days() float64 { return daysBetween(e.PeakDate, e.RecoveryDate) }

func daysBetween(a, b instrument.Date) float64 {
	if a == instrument.None || b == instrument.None {
		return math.NaN()
	}
	return float64(b) - float64(a)
}

// Episodes lists every drawdown of equity in the order of time. dates are those of equity, or nil.
// Cost: O(n).
func Episodes(dates []instrument.Date, equity []float64) []Episode {
	return scan(dates, equity).episodes
}

// Worst are the n deepest of the episodes, deepest first, ties in order of time. The slice is new.
func Worst(all []Episode, n int) []Episode {
	out := slices.Clone(all)
	slices.SortStableFunc(out, func(a, b Episode) int {
		switch {
		case a.Depth < b.Depth:
			return -1
		case a.Depth > b.Depth:
			return 1
		}
		return 0
	})
	return out[:min(n, len(out))]
}

// Drawdown writes equity as a fraction below its running peak into dst, as long as equity: 0 at a
// peak, negative under water. Where no peak was positive yet it is 0.
func Drawdown(dst, equity []float64) []float64 {
	dst = dst[:0]
	peak := math.Inf(-1)
	for _, v := range equity {
		peak = max(peak, v)
		dst = append(dst, below(v, peak))
	}
	return dst
}

// dust is a difference of fractions that is rounding: books carry money to about 1e-16 of itself.
const dust = 1e-12

// below is v as a fraction below peak, 0 when it is not or the difference is dust.
func below(v, peak float64) float64 {
	if !(peak > 0) || v >= peak {
		return 0
	}
	if d := change(peak, v); d < -dust {
		return d
	}
	return 0
}

// water is what one pass over the equity curve finds out about drawdown.
type water struct {
	episodes   []Episode
	n          int     // bars after the first
	under      int     // of them under water
	sum, sum2  float64 // of the drawdown fractions and their squares
	runUp      float64 // best rise from a running trough, fraction
	peakEquity float64
}

// scan walks the curve once.
func scan(dates []instrument.Date, equity []float64) water {
	w := water{n: len(equity) - 1}
	if len(equity) == 0 {
		return w
	}
	date := func(i int) instrument.Date {
		if len(dates) != len(equity) {
			return instrument.None
		}
		return dates[i]
	}
	var s, s2 sum
	peak, at, low := equity[0], 0, equity[0]
	open := false
	top := 0.0            // highest since the lowest: the run-up is divided out only when it grows
	same, dd := peak, 0.0 // drawdown at the bar before, for bars that change nothing
	for t := 1; t < len(equity); t++ {
		v := equity[t]
		if v > top && low > 0 {
			w.runUp, top = max(w.runUp, change(low, v)), v
		}
		if v < low {
			low, top = v, 0
		}
		if v != same {
			same, dd = v, below(v, peak)
		}
		if dd == 0 {
			if open {
				e := &w.episodes[len(w.episodes)-1]
				e.Recovery, e.RecoveryDate, e.Open = t, date(t), false
				open = false
			}
			peak, at = max(peak, v), t
			continue
		}
		w.under++
		s = s.add(dd)
		s2 = s2.add(dd * dd)
		if !open {
			w.episodes = append(w.episodes, Episode{Peak: at, PeakDate: date(at), Open: true})
			open = true
		}
		if e := &w.episodes[len(w.episodes)-1]; dd < e.Depth {
			e.Depth, e.USD, e.Trough, e.TroughDate = dd, v-peak, t, date(t)
		}
	}
	if open {
		e := &w.episodes[len(w.episodes)-1]
		e.Recovery, e.RecoveryDate = len(equity)-1, date(len(equity)-1)
	}
	w.sum, w.sum2, w.peakEquity = s.value(), s2.value(), peak
	return w
}

// worst is the deepest episode, the first of those whose depths differ by dust only; false when there
// was none.
func (w water) worst() (Episode, bool) {
	if len(w.episodes) == 0 {
		return Episode{}, false
	}
	e := w.episodes[0]
	for _, x := range w.episodes[1:] {
		if x.Depth < e.Depth-dust {
			e = x
		}
	}
	return e, true
}
