package demo

import (
	"math"
	"sort"

	"backtester/backtest/instrument"
)

// factor is the market's own path: its return and its standard deviation at every session.
type factor struct{ ret, sigma []float64 }

// newFactor lets volatility cluster around the level of each regime: today's variance is made of the
// regime's, yesterday's and yesterday's surprise.
func newFactor(sessions []instrument.Date) factor {
	rnd := seeded("market factor")
	f := factor{make([]float64, len(sessions)), make([]float64, len(sessions))}
	list, k := regimes(), 0
	variance, surprise := 0.0, 0.0
	for i, d := range sessions {
		for d >= day(list[k].until, instrument.Forever) {
			k++
			variance = list[k].sigma * list[k].sigma
		}
		r := list[k]
		base := float64(r.sigma * r.sigma)
		variance = float64(0.10*base) + float64(0.80*variance) + float64(0.10*float64(surprise*surprise))
		f.sigma[i] = math.Sqrt(variance)
		surprise = float64(f.sigma[i] * rnd.normal())
		f.ret[i] = r.mu + surprise
	}
	return f
}

// dayBar is one session of one security in raw prices and the share basis of that session.
type dayBar struct {
	session                        int // index into the sessions
	open, high, low, close, volume float64
	before                         float64 // close of the session before, in this session's basis, dividends taken off
}

// payment is a cash dividend of one security.
type payment struct {
	ex, pay instrument.Date
	usd     float64 // a share, in the basis of the ex-date
	special bool
}

// path is everything that happened to one security.
type path struct {
	security
	bars      []dayBar // oldest first; without halted sessions
	dividends []payment
}

// state of the walk of one security.
type state struct {
	rnd              random
	level            float64 // price without rounding
	anchor           float64
	variance, before float64 // of the own return; the own return of the last session
	direction        float64 // of a trending one: +1 or -1
}

// newPath walks one security through the sessions. O(sessions).
func newPath(s security, sessions []instrument.Date, f factor) path {
	p := path{security: s}
	st := state{rnd: seeded(s.figi), level: s.price, anchor: s.price, variance: s.sigma * s.sigma, direction: 1}
	first := day(s.spans[0].from, instrument.None)
	last := day(s.spans[len(s.spans)-1].to, instrument.Forever)
	halted := day(s.halted, instrument.None)
	phase := int(seeded(s.figi) % 40) // companies pay on different days of the quarter
	for i, d := range sessions {
		if d < first || d > last {
			continue
		}
		listed := len(p.bars) > 0
		shares := 1.0
		if listed {
			shares = st.split(s, d)
			p.pay(&st, i, phase, sessions)
		}
		before := st.level
		ret := st.step(s, f.ret[i])
		if d == halted {
			continue
		}
		sigma := math.Sqrt(st.variance) + float64(math.Abs(s.beta)*f.sigma[i])
		b := st.bar(before, ret, sigma)
		b.session, b.before = i, cents(before)
		s.volume *= shares
		b.volume = float64(s.volume * (0.55 + float64(0.6*st.rnd.uniform()) + float64(0.25*math.Abs(ret)/sigma)))
		p.bars = append(p.bars, b)
	}
	return p
}

// split restates the level on an execution date and returns how many new shares an old one became.
func (st *state) split(s security, d instrument.Date) float64 {
	for _, x := range s.splits {
		if day(x.date, instrument.None) == d {
			st.level *= x.from / x.to
			st.anchor *= x.from / x.to
			return x.to / x.from
		}
	}
	return 1
}

// pay takes a dividend off the level on its ex-date: the regular one every 63 sessions.
func (p *path) pay(st *state, i, phase int, sessions []instrument.Date) {
	d := sessions[i]
	add := func(usd float64, special bool) {
		p.dividends = append(p.dividends, payment{ex: d, pay: d + 21, usd: usd, special: special})
		st.level -= usd
	}
	if p.yield > 0 && i%63 == 15+phase {
		add(cents(st.level*p.yield/4), false)
	}
	if p.special.usd > 0 && day(p.special.date, instrument.None) == d {
		add(p.special.usd, true)
	}
}

// step moves the level by one session and returns the return, between -30 % and +35 %.
func (st *state) step(s security, market float64) float64 {
	base := float64(s.sigma * s.sigma)
	st.variance = float64(0.08*base) + float64(0.84*st.variance) + float64(0.08*float64(st.before*st.before))
	own := float64(math.Sqrt(st.variance) * st.rnd.normal())
	if st.rnd.uniform() < 0.008 {
		own *= 3 // news
	}
	lean := s.drift
	switch s.manner {
	case trend:
		if st.rnd.uniform() < 1.0/160 {
			st.direction = -st.direction
		}
		lean += float64(0.05 * float64(st.direction*s.sigma))
	case revert:
		st.anchor += float64(s.drift * st.anchor)
		lean += float64(0.02 * (st.anchor/st.level - 1))
	case bounce:
		lean -= float64(0.35 * st.before)
	}
	st.before = own
	ret := float64(s.beta*market) + own + lean
	ret = min(max(ret, -0.30), 0.35)
	st.level += float64(st.level * ret)
	return ret
}

// bar spreads a session's return over the overnight gap and the day, in whole cents.
func (st *state) bar(before, ret, sigma float64) dayBar {
	gap := float64(0.35*ret) + float64(0.25*float64(sigma*st.rnd.normal()))
	gap = min(max(gap, -0.25), 0.25)
	o, c := cents(before+float64(before*gap)), cents(st.level)
	up := float64(0.45 * float64(sigma*math.Abs(st.rnd.normal())))
	down := float64(0.45 * float64(sigma*math.Abs(st.rnd.normal())))
	h := cents(float64(max(o, c) * (1 + up)))
	l := cents(float64(min(o, c) * (1 - down)))
	return dayBar{open: o, high: max(h, o, c), low: min(l, o, c), close: c}
}

// ticker of a security on a date.
func (s security) ticker(d instrument.Date) string {
	k := sort.Search(len(s.spans), func(k int) bool { return d <= day(s.spans[k].to, instrument.Forever) })
	return s.spans[k].ticker
}
