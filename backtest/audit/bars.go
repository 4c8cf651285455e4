package audit

import (
	"math"
	"slices"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

func timeOrder(w *work) hits {
	h, s := found("bars not later than the one before"), w.days
	for i := 1; i < s.Len(); i++ {
		if s.Time[i] <= s.Time[i-1] {
			h.add(s.Date(i), "after %s", s.Date(i-1))
		}
	}
	w.broken = w.broken || h.n > 0
	return h
}

func priceInvalid(w *work) hits {
	h, s := found("impossible prices"), w.days
	for i := range s.Len() {
		for _, p := range [...]float64{s.Open[i], s.High[i], s.Low[i], s.Close[i]} {
			if !(p > 0 && p <= math.MaxFloat64) {
				h.add(s.Date(i), "has a price of %v", p)
				break
			}
		}
	}
	w.broken = w.broken || h.n > 0
	return h
}

func ohlcOrder(w *work) hits {
	h, s := found("low and high do not enclose open and close"), w.days
	for i := range s.Len() {
		o, hi, lo, c := s.Open[i], s.High[i], s.Low[i], s.Close[i]
		if lo > min(o, c) || hi < max(o, c) {
			h.add(s.Date(i), "open %v high %v low %v close %v", o, hi, lo, c)
		}
	}
	return h
}

func volumeInvalid(w *work) hits {
	h, s := found("impossible volumes"), w.days
	if s.NoVolume {
		return h
	}
	for i, v := range s.Volume {
		if !(v >= 0 && v <= math.MaxFloat64) {
			h.add(s.Date(i), "has a volume of %v", v)
		}
	}
	return h
}

func offCalendar(w *work) hits {
	h, s, cal := found("bars on days without a session"), w.days, w.market.Calendar
	first, last := cal.Known()
	for i := range s.Len() {
		if d := s.Date(i); d >= first && d <= last && !cal.IsSession(d) {
			h.add(d, "was a %s", d.Weekday())
		}
	}
	return h
}

// gap is a run of sessions without a bar.
type gap struct {
	after, before instrument.Date // the bars around it
	n             int
}

// findGaps lists the gaps of a symbol in the sessions that its source holds.
func (w *work) findGaps() {
	s, held := w.days, w.market.Days
	if s == nil || len(held) == 0 {
		return
	}
	k, _ := slices.BinarySearch(held, s.Date(0)+1) // the first session after the bar before
	for i := 1; i < s.Len(); i++ {
		d, n := s.Date(i), 0
		for ; k < len(held) && held[k] < d; k++ {
			n++
		}
		if k < len(held) && held[k] == d {
			k++
		}
		if n > 0 {
			w.gaps = append(w.gaps, gap{s.Date(i - 1), d, n})
			w.missing += n
		}
	}
}

// longGaps are those that the check gap is about: all of them when they are many. The others are
// those of gap_short.
func (w *work) longGaps(long bool) hits {
	h := found("sessions without a bar")
	many := float64(w.missing) > gapShare*float64(w.missing+w.days.Len())
	for _, g := range w.gaps {
		if (many || g.n >= gapRun) == long {
			h.add(g.after, "to %s lacks %d", g.before, g.n)
			h.n += g.n - 1
			h.last = max(h.last, g.before)
		}
	}
	return h
}

func gapsLong(w *work) hits  { return w.longGaps(true) }
func gapsShort(w *work) hits { return w.longGaps(false) }

// tickerJoined looks at gaps within one ticker only: over a change of ticker they say nothing.
func tickerJoined(w *work) hits {
	h := found("long gaps under one ticker")
	in := w.subject.Instrument
	for _, g := range w.gaps {
		if g.n >= reuseGap && in.TickerOn(g.after) == in.TickerOn(g.before) {
			h.add(g.after, "to %s, %d sessions", g.before, g.n)
		}
	}
	return h
}

func dataEnded(w *work) hits {
	h := found("the bars end")
	held := w.market.Days
	if w.subject.Instrument.Delisted != instrument.None || len(held) == 0 {
		return h
	}
	last := w.days.Date(w.days.Len() - 1)
	k, _ := slices.BinarySearch(held, last+1)
	if n := len(held) - k; n >= endedAfter {
		h.add(last, "is the last bar, %d sessions before the source ends", n)
	}
	return h
}

func afterDelisting(w *work) hits {
	h, s := found("bars after the delisting"), w.days
	gone := w.subject.Instrument.Delisted
	if gone == instrument.None {
		return h
	}
	for i := s.Len() - 1; i >= 0 && s.Date(i) >= gone; i-- {
		h.add(s.Date(i), "(delisted %s)", gone)
	}
	return h
}

func zeroVolume(w *work) hits {
	h, s := found("bars without volume"), w.days
	if s.NoVolume {
		return h
	}
	for i, v := range s.Volume {
		if v == 0 {
			h.add(s.Date(i), "")
		}
	}
	if float64(h.n) <= zeroVolumeShare*float64(s.Len()) {
		return hits{}
	}
	return h
}

func frozen(w *work) hits {
	h, s := found("runs of unchanged bars"), w.days
	same := func(i int) bool {
		return s.Open[i] == s.Open[i-1] && s.High[i] == s.High[i-1] && s.Low[i] == s.Low[i-1] && s.Close[i] == s.Close[i-1] &&
			(s.NoVolume || s.Volume[i] == s.Volume[i-1])
	}
	begin := 0
	for i := 1; i <= s.Len(); i++ {
		if i < s.Len() && same(i) {
			continue
		}
		// A bar without volume that repeats the last is a day without a trade, which is not a lie.
		if i-begin >= frozenRun && (s.NoVolume || s.Volume[begin] > 0) {
			h.add(s.Date(begin), "to %s, %d bars", s.Date(i-1), i-begin)
		}
		begin = i
	}
	return h
}

// basis restates the days for their actions, so that bars around one can be compared.
func (w *work) basis() bar.Basis {
	b, _ := bar.NewBasis(w.days, bar.AdjustTotal, w.days.Date)
	return b
}

// step is value b of bar j over value a of bar i < j, restated for the actions between.
func step(x bar.Basis, i, j int, a, b float64) float64 {
	from, _ := x.At(i)
	to, _ := x.At(j)
	return float64(b*to) / float64(a*from)
}

func outliers(w *work) hits {
	h, s, b := found("closes that jump and come back"), w.days, w.basis()
	for i := 1; i+1 < s.Len(); i++ {
		r := step(b, i-1, i, s.Close[i-1], s.Close[i]) - 1
		if math.Abs(r) <= spikeMove {
			continue
		}
		back := step(b, i-1, i+1, s.Close[i-1], s.Close[i+1]) - 1
		if math.Abs(back) >= spikeReturn*math.Abs(r) {
			continue
		}
		if sigma, ok := robustDeviation(s, b, i); !ok || math.Abs(r) > spikeSigmas*sigma {
			h.add(s.Date(i), "%+.0f %%, next close %+.0f %%", 100*r, 100*back)
		}
	}
	return h
}

// robustDeviation of the returns before bar i: 1.4826 x their median absolute value, which for normal
// returns around zero is the standard deviation (Rousseeuw and Croux 1993). False with fewer than 20.
func robustDeviation(s *bar.Series, b bar.Basis, i int) (float64, bool) {
	var sizes []float64
	for k := max(1, i-spikeWindow); k < i; k++ {
		sizes = append(sizes, math.Abs(step(b, k-1, k, s.Close[k-1], s.Close[k])-1))
	}
	if len(sizes) < 20 {
		return 0, false
	}
	slices.Sort(sizes)
	n := len(sizes)
	return 1.4826 * (sizes[(n-1)/2] + sizes[n/2]) / 2, true
}

func outlierRange(w *work) hits {
	h, s := found("highs or lows far outside of open and close"), w.days
	for i := range s.Len() {
		o, hi, lo, c := s.Open[i], s.High[i], s.Low[i], s.Close[i]
		if hi > rangeFactor*max(o, c) || lo*rangeFactor < min(o, c) {
			h.add(s.Date(i), "open %v high %v low %v close %v", o, hi, lo, c)
		}
	}
	return h
}
