package stats

import "math"

// Window is a statistic over the last sessions of each session, as long as the curve it comes from:
// NaN until the window is full.
type Window struct {
	Return, Volatility, Sharpe, Sortino []float64 // growth over the window, fraction; fraction a year; ratios a year
	Beta, Correlation, Alpha            []float64 // nil without a benchmark; Alpha a year
}

// Rolling computes the statistics of windows of n sessions. benchmark may be nil. Each window is
// computed on its own, so that no error is carried along. Cost: O(sessions x n).
func Rolling(equity, benchmark []float64, n int, perYear, riskFreeAnnual float64) Window {
	w := Window{Return: nans(len(equity)), Volatility: nans(len(equity)), Sharpe: nans(len(equity)), Sortino: nans(len(equity))}
	r := Returns(nil, equity)
	rf := perPeriod(riskFreeAnnual, perYear)
	year := math.Sqrt(perYear)
	var b []float64
	if sound(benchmark, len(equity)) {
		b = Returns(nil, benchmark)
		w.Beta, w.Correlation, w.Alpha = nans(len(equity)), nans(len(equity)), nans(len(equity))
	}
	for t := n; n >= 2 && t <= len(r); t++ {
		x := r[t-n : t]
		m := variance(x)
		w.Return[t] = change(equity[t-n], equity[t])
		w.Volatility[t] = m.sd() * year
		w.Sharpe[t] = safeDiv(m.mean-rf, m.sd()) * year
		w.Sortino[t] = safeDiv(m.mean-rf, math.Sqrt(partial(x, rf, -1, 2))) * year
		if b != nil {
			y := b[t-n : t]
			mb := variance(y)
			cov := covariance(x, y, m.mean, mb.mean)
			w.Beta[t] = safeDiv(cov, mb.m2)
			w.Alpha[t] = finite(m.mean-rf-w.Beta[t]*(mb.mean-rf)) * perYear
			w.Correlation[t] = safeDiv(cov, math.Sqrt(m.m2)*math.Sqrt(mb.m2))
		}
	}
	return w
}

func nans(n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = math.NaN()
	}
	return x
}

// Histogram counts values in bins of equal width.
type Histogram struct {
	From, Width float64 // lower edge of the first bin, width of every bin
	Count       []int
	Mean, SD    float64 // of the values, sd with n-1
}

// HistogramOf spreads values over at most 61 bins of a round width, 0 being an edge. Values that are
// not finite are left out. An empty Count means that there was nothing to count.
func HistogramOf(x []float64) Histogram {
	var v []float64
	for _, a := range x {
		if !math.IsNaN(a) && !math.IsInf(a, 0) {
			v = append(v, a)
		}
	}
	if len(v) == 0 {
		return Histogram{}
	}
	m := momentsOf(v)
	h := Histogram{Mean: m.mean, SD: m.sd()}
	lo, hi := least(v), most(v)
	h.Width = roundWidth((hi - lo) / 40)
	first, last := math.Floor(lo/h.Width), math.Floor(hi/h.Width)
	for last-first > 60 {
		h.Width = roundWidth(h.Width * 1.5)
		first, last = math.Floor(lo/h.Width), math.Floor(hi/h.Width)
	}
	h.From = first * h.Width
	h.Count = make([]int, int(last-first)+1)
	for _, a := range v {
		i := int(math.Floor(a/h.Width) - first)
		h.Count[min(max(i, 0), len(h.Count)-1)]++
	}
	return h
}

// roundWidth is the next of 1, 2, 2.5 and 5 times a power of ten at or above w.
func roundWidth(w float64) float64 {
	if !(w > 1e-12) {
		w = 1e-12
	}
	p := math.Pow10(int(math.Floor(math.Log10(w))))
	for _, f := range []float64{1, 2, 2.5, 5, 10} {
		if f*p >= w*(1-1e-12) {
			return f * p
		}
	}
	return 10 * p
}
