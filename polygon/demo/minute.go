package demo

import (
	"math"

	"backtester/backtest/instrument"
)

const minuteNanos = int64(60e9)

// hours of one session in ns UTC: before the open, the regular session, after the close.
type hours struct{ early, open, close, late int64 }

// minuteBars are the minutes of one security and session, oldest first.
type minuteBars struct {
	time                           []int64
	open, high, low, close, volume []float64
}

func (m *minuteBars) add(t int64, o, h, l, c, v float64) {
	m.time = append(m.time, t)
	m.open, m.high = append(m.open, o), append(m.high, h)
	m.low, m.close = append(m.low, l), append(m.close, c)
	m.volume = append(m.volume, v)
}

// minutes invents the minutes between a day bar's open and close and then sets the day bar's high,
// low and volume to theirs, as the vendor's files relate: the day's prices come from the regular
// session, its volume from the extended one too.
func minutes(s security, b *dayBar, d instrument.Date, h hours) minuteBars {
	rnd := seeded(s.figi + d.String())
	var m minuteBars
	b.volume *= float64(h.close-h.open) / float64(390*minuteNanos)
	extended(&m, &rnd, s, h.early, h.open, b.before, b)
	first := len(m.time)
	regular(&m, &rnd, s, b, h)
	b.high, b.low = b.open, b.open
	for i := first; i < len(m.time); i++ {
		b.high, b.low = max(b.high, m.high[i]), min(b.low, m.low[i])
	}
	extended(&m, &rnd, s, h.close, h.late, b.close, b)
	b.volume = 0
	for _, v := range m.volume {
		b.volume += v // whole numbers and quarters: exact in any order
	}
	return m
}

// regular lays a random bridge from the day's open to its close; the first and the last minute
// always have a print.
func regular(m *minuteBars, rnd *random, s security, b *dayBar, h hours) {
	n := int((h.close - h.open) / minuteNanos)
	spread := float64(0.6 * (b.high - b.low) / b.open / math.Sqrt(float64(n)))
	walk := make([]float64, n+1)
	for k := range n {
		walk[k+1] = walk[k] + float64(spread*rnd.normal())
	}
	at := func(k int) float64 {
		done := float64(k) / float64(n)
		bridge := walk[k] - float64(done*walk[n])
		return cents(b.open + float64(done*(b.close-b.open)) + float64(bridge*b.open))
	}
	for k := range n {
		o, c := at(k), at(k+1)
		reach := float64(0.5 * float64(spread*b.open))
		hi := cents(max(o, c) + float64(reach*rnd.uniform()))
		lo := cents(min(o, c) - float64(reach*rnd.uniform()))
		x := float64(2*k-n) / float64(n) // -1 at the open, +1 at the close
		v := float64(b.volume / float64(n) * (0.5 + float64(1.5*float64(x*x))) * (0.5 + rnd.uniform()))
		if inner := k > 0 && k < n-1; inner && rnd.uniform() >= s.minutes {
			continue // nobody traded
		}
		m.add(h.open+int64(k)*minuteNanos, o, max(hi, o, c), min(lo, o, c), c, shares(v, s, rnd))
	}
}

// extended adds the sparse minutes of [from, to) around a price.
func extended(m *minuteBars, rnd *random, s security, from, to int64, price float64, b *dayBar) {
	last := price
	for t := from; t < to; t += minuteNanos {
		if rnd.uniform() >= 0.10*s.minutes {
			continue
		}
		o := last
		c := cents(price * (1 + float64(0.001*rnd.normal())))
		m.add(t, o, max(o, c), min(o, c), c, shares(b.volume/8000*(0.5+rnd.uniform()), s, rnd))
		last = c
	}
}

// shares rounds a volume to whole shares, at least one, or to quarters where a security trades in
// fractions.
func shares(v float64, s security, rnd *random) float64 {
	n := float64(int64(v)) + 1
	if s.fractional && rnd.uniform() < 0.5 {
		n += 0.25 * float64(1+rnd.next()%3)
	}
	return n
}
