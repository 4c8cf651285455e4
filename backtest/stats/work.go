package stats

import (
	"math"

	"backtester/backtest/instrument"
)

// work is what the rows of the table read: everything that more than one of them needs, computed
// once.
type work struct {
	in      *Input
	perYear float64 // sessions in a year
	rf      float64 // risk-free return of one session

	r   []float64 // session returns
	raw moments   // of r
	ex  moments   // of r - rf
	sr  Sharpe    // of one session

	cagr           float64
	buyAndHold     []float64
	years365       float64 // calendar span in years of 365.25 days
	sessionsInYear float64 // n / N

	partials []partialMoments // those asked for so far
	spare    []float64        // see copied
	memo     memo
}

// memo is what only some rows need: each is computed when it is first asked for.
type memo struct {
	trades                    once[tally]
	bench                     once[bench]
	trend                     once[trended]
	ends                      once[ends]
	calendar                  once[calendar]
	weeks                     once[[]float64]
	water                     once[water]
	depths                    once[tail]
	deepest, lag              once[float64]
	pareto                    once[pareto]
	forecast                  once[breaches]
	expectancyHalf, alphaHalf once[float64]
	sortinoSE                 once[float64]
	sides                     once[[2]float64]
	onEquity                  once[[]float64]
	rising                    once[[]float64]
	gross, net, equity        once[float64]
}

// once is a value that is computed when it is first asked for.
type once[T any] struct {
	done  bool
	value T
}

func (o *once[T]) get(compute func() T) *T {
	if !o.done {
		o.value, o.done = compute(), true
	}
	return &o.value
}

func newWork(in *Input) *work {
	w := &work{in: in, perYear: in.PeriodsPerYear, cagr: math.NaN()}
	if !(w.perYear > 0) {
		w.perYear = PeriodsPerYear(in.Dates)
	}
	w.r = Returns(make([]float64, 0, len(in.Equity)), in.Equity)
	w.rf = perPeriod(in.RiskFreeAnnual, w.perYear)
	w.raw = momentsOf(w.r)
	w.ex = w.raw
	w.ex.mean = w.raw.mean - w.rf
	w.sr = Sharpe{SR: safeDiv(w.ex.mean, w.ex.sd()), N: w.ex.n, Skew: w.ex.g3(), Kurtosis: w.ex.g4()}
	if n := len(in.Dates); n > 1 {
		w.years365 = (float64(in.Dates[n-1]) - float64(in.Dates[0])) / 365.25
		w.cagr = growth(in.Dates, in.Equity)
	}
	w.sessionsInYear = float64(len(w.r)) / w.perYear
	if sound(in.BuyAndHold, len(in.Dates)) {
		w.buyAndHold = in.BuyAndHold
	}
	return w
}

func (w *work) trades() *tally {
	return w.memo.trades.get(func() tally { return tallyOf(w.in.Trades) })
}
func (w *work) bench() *bench { return w.memo.bench.get(func() bench { return benchOf(w) }) }

// rising are the returns in rising order.
func (w *work) rising() []float64 {
	return *w.memo.rising.get(func() []float64 { return ascending(w.r, w.raw) })
}

// ends returns both tails of the returns and their median.
func (w *work) ends() *ends { return w.memo.ends.get(func() ends { return endsOf(w.rising()) }) }

// gross, net and equity are the means of what session closes showed.
func (w *work) gross() float64 {
	return *w.memo.gross.get(func() float64 { return mean(w.in.Gross) })
}
func (w *work) net() float64 { return *w.memo.net.get(func() float64 { return mean(w.in.Net) }) }
func (w *work) equity() float64 {
	return *w.memo.equity.get(func() float64 { return mean(w.in.Equity) })
}

// copied is x in memory that the next call takes again, for work that puts x out of order.
func (w *work) copied(x []float64) []float64 {
	w.spare = append(w.spare[:0], x...)
	return w.spare
}

// calendar is calendar months and years, their drawdowns not looked for, and the returns of the complete ones.
type calendar struct {
	stretches     []stretch // of the months
	months, years []Period
	month, year   []float64
}

func (w *work) calendar() *calendar {
	return w.memo.calendar.get(func() calendar {
		var c calendar
		if len(w.in.Dates) > 1 {
			c.stretches = stretches(w.in.Dates, len(w.r), true)
			c.months, c.years = along(c.stretches, w.in.Equity), along(stretches(w.in.Dates, len(w.r), false), w.in.Equity)
		}
		c.month, c.year = whole(c.months), whole(c.years)
		return c
	})
}

// weeks are the returns of whole weeks.
func (w *work) weeks() []float64 {
	return *w.memo.weeks.get(func() []float64 { return weeks(w.in.Dates, w.in.Equity) })
}

// underwater is what is known of drawdowns.
func (w *work) underwater() *water {
	return w.memo.water.get(func() water { return scan(w.in.bars()) })
}

// lagOne is the first autocorrelation of the returns.
func (w *work) lagOne() float64 {
	return *w.memo.lag.get(func() float64 { return autocorrelation(w.r, w.raw, 1) })
}

// bars are the curve at bar closes and its dates.
func (in *Input) bars() ([]instrument.Date, []float64) {
	if in.BarEquity != nil {
		return in.BarDates, in.BarEquity
	}
	return in.Dates, in.Equity
}

// depths are the drawdowns at every bar after the first, as far as quantiles of 5 % need them in order.
func (w *work) depths() tail {
	return *w.memo.depths.get(func() tail {
		_, equity := w.in.bars()
		if len(equity) == 0 {
			return tail{}
		}
		deep := Drawdown(make([]float64, 0, len(equity)), equity)[1:]
		lower(deep, inTail(len(deep)))
		return tail{len(deep), deep}
	})
}

// perPeriod de-annualises a rate.
func perPeriod(annual, perYear float64) float64 {
	if annual == 0 {
		return 0
	}
	return math.Pow(1+annual, 1/perYear) - 1
}

// autocorrelation of lag k with n in both denominators; NaN for a constant sample.
func autocorrelation(x []float64, m moments, k int) float64 {
	if len(x) <= k {
		return math.NaN()
	}
	// Terms of either sign and of one size: plain sums of blocks lose nothing that matters.
	var s sum
	for lo := k; lo < len(x); lo += 256 {
		var a, b float64
		now, then := x[lo:min(lo+256, len(x))], x[lo-k:]
		i := 0
		for ; i+1 < len(now); i += 2 {
			a += (now[i] - m.mean) * (then[i] - m.mean)
			b += (now[i+1] - m.mean) * (then[i+1] - m.mean)
		}
		if i < len(now) {
			a += (now[i] - m.mean) * (then[i] - m.mean)
		}
		s = s.add(a + b)
	}
	return safeDiv(s.value()/float64(len(x)), m.m2)
}

// n is the number of session returns.
func (w *work) n() float64 { return float64(len(w.r)) }

func (w *work) first() float64 { return w.at(w.in.Equity, 0) }
func (w *work) last() float64  { return w.at(w.in.Equity, len(w.in.Equity)-1) }

func (w *work) at(x []float64, i int) float64 {
	if i < 0 || i >= len(x) {
		return math.NaN()
	}
	return x[i]
}

// annual is the rate of growth over sessions, (V_n/V_0)^(N/n)-1.
func (w *work) annual() float64 {
	ratio := w.last() / w.first()
	if len(w.r) == 0 || !(w.first() > 0) || !(ratio >= 0) {
		return math.NaN()
	}
	return math.Pow(ratio, w.perYear/w.n()) - 1
}

// lpm is the lower partial moment mean(max(mar-r,0)^k) of the session returns, hpm the upper one,
// mean(max(r-mar,0)^k); k is 1, 2 or 3.
func (w *work) lpm(mar float64, k int) float64 { return w.partial(mar, -1, k) }
func (w *work) hpm(mar float64, k int) float64 { return w.partial(mar, 1, k) }

// partialMoments are those on one side of one threshold: several ratios rest on the same few.
type partialMoments struct {
	mar, sign float64
	moment    [4]float64
}

func (w *work) partial(mar, sign float64, k int) float64 {
	for i := range w.partials {
		if p := &w.partials[i]; p.mar == mar && p.sign == sign {
			return p.moment[k]
		}
	}
	w.partials = append(w.partials, partialMoments{mar, sign, partials(w.r, mar, sign)})
	return w.partials[len(w.partials)-1].moment[k]
}

// partial is mean(max(sign*(r-mar), 0)^k) for k of 1, 2 or 3.
func partial(r []float64, mar, sign float64, k int) float64 { return partials(r, mar, sign)[k] }

// partials are partial of every k. All terms have one sign, so plain sums of blocks lose nothing that
// matters.
func partials(r []float64, mar, sign float64) [4]float64 {
	var s1, s2, s3 sum
	for lo := 0; lo < len(r); lo += 256 {
		var one, two, three float64
		for _, v := range r[lo:min(lo+256, len(r))] { // no branch: returns change sign at random
			d := sign * (v - mar)
			d = (math.Abs(d) + d) / 2
			one += d
			two += float64(d * d)
			three += float64(float64(d*d) * d)
		}
		s1, s2, s3 = s1.add(one), s2.add(two), s3.add(three)
	}
	n := float64(len(r))
	return [4]float64{1: s1.value() / n, 2: s2.value() / n, 3: s3.value() / n}
}

func (w *work) downside(mar float64) float64 { return math.Sqrt(w.lpm(mar, 2)) }
func (w *work) sortino() float64 {
	return safeDiv(w.ex.mean, w.downside(w.rf)) * math.Sqrt(w.perYear)
}
func (w *work) omega(l float64) float64 { return safeDiv(w.hpm(l, 1), w.lpm(l, 1)) }

// worst is a number of the deepest drawdown; NaN when there was none.
func (w *work) worst(f func(Episode) float64) float64 {
	e, ok := w.underwater().worst()
	if !ok {
		return math.NaN()
	}
	return f(e)
}

// maxDrawdown is the depth of the deepest drawdown, which takes no list of them all.
func (w *work) maxDrawdown() float64 {
	return *w.memo.deepest.get(func() float64 {
		_, equity := w.in.bars()
		return deepest(equity)
	})
}

// over is x divided by the depth of the deepest drawdown; NaN when there was none.
func (w *work) over(x float64) float64 { return safeDiv(x, -w.maxDrawdown()) }

// sound reports whether a level can be used: as long as the dates, finite and positive.
func sound(level []float64, n int) bool {
	if n < 2 || len(level) != n {
		return false
	}
	for _, v := range level {
		if !(v > 0) || math.IsInf(v, 1) {
			return false
		}
	}
	return true
}

func count(x []float64, is func(float64) bool) float64 {
	k := 0
	for _, v := range x {
		if is(v) {
			k++
		}
	}
	return float64(k)
}

func share(x []float64, is func(float64) bool) float64 {
	return safeDiv(count(x, is), float64(len(x)))
}

func positive(v float64) bool { return v > 0 }

// least and most are the extreme values; NaN when there are none or one is NaN. Four lanes, so that one
// comparison need not wait for the last.
func least(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	a, b, c, d := x[0], x[0], x[0], x[0]
	for ; len(x) >= 4; x = x[4:] {
		a, b, c, d = min(a, x[0]), min(b, x[1]), min(c, x[2]), min(d, x[3])
	}
	for _, v := range x {
		a = min(a, v)
	}
	return min(a, b, c, d)
}

func most(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	a, b, c, d := x[0], x[0], x[0], x[0]
	for ; len(x) >= 4; x = x[4:] {
		a, b, c, d = max(a, x[0]), max(b, x[1]), max(c, x[2]), max(d, x[3])
	}
	for _, v := range x {
		a = max(a, v)
	}
	return max(a, b, c, d)
}

// geometric is the mean growth of periods, -1 where one of them lost everything.
func geometric(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	var s sum
	for _, v := range x {
		if v == -1 {
			return -1 // its logarithm is no number to add
		}
		s = s.add(math.Log1p(v))
	}
	return math.Expm1(s.value() / float64(len(x)))
}
