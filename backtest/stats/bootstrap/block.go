package bootstrap

import "math"

// BlockLength is the mean length of blocks with which the stationary and the circular bootstrap
// estimate the variance of a mean best, found from the autocorrelation of x (Politis and White 2004,
// corrected by Patton, Politis and White 2009). 1 for a constant sample; NaN under 4 values.
func BlockLength(x []float64) (stationary, circular float64) {
	n := len(x)
	if n < 4 {
		return math.NaN(), math.NaN()
	}
	size := float64(n)
	m := meanOf(x)
	d := make([]float64, n)
	for i, v := range x {
		d[i] = v - m
	}
	run := int(math.Max(5, math.Floor(math.Log10(size))))
	most := min(int(math.Ceil(math.Sqrt(size)))+run, n-1)
	acv := make([]float64, most+1)
	for k := range acv {
		acv[k] = autocovariance(d, k)
	}
	if !(acv[0] > 0) {
		return 1, 1
	}
	reach := min(2*quietFrom(acv, run, size), most)
	long, slope := acv[0], 0.0 // of the spectrum at zero
	for k := 1; k <= reach; k++ {
		w := flatTop(float64(k) / float64(reach))
		long += float64(2 * w * acv[k])
		slope += float64(2 * w * float64(k) * acv[k])
	}
	limit := math.Ceil(math.Min(3*math.Sqrt(size), size/3))
	length := func(d float64) float64 {
		b := math.Cbrt(2*slope*slope/d) * math.Cbrt(size)
		return math.Max(1, math.Min(b, limit))
	}
	return length(2 * long * long), length(4.0 / 3 * long * long)
}

// quietFrom is the first of run lags in a row whose correlation is not distinguishable from none, as
// the authors' program takes it; without such a row the last lag that correlates.
func quietFrom(acv []float64, run int, n float64) int {
	band := 2 * math.Sqrt(math.Log10(n)/n) * acv[0]
	quiet, last := 0, 1
	for k := 1; k < len(acv); k++ {
		if math.Abs(acv[k]) >= band {
			quiet, last = 0, k
			continue
		}
		if quiet++; quiet == run {
			return k - run + 1
		}
	}
	return last
}

// flatTop is the lag window: 1 to the half, then falling to 0.
func flatTop(x float64) float64 {
	if x <= 0.5 {
		return 1
	}
	return 2 * (1 - x)
}

// Block is the mean block length for session returns whose drawdowns matter: the longer of those of
// the returns and of their size, which follows itself for longer, and at least a week. Cost: O(n^1.5).
func Block(r []float64) float64 {
	size := make([]float64, len(r))
	for i, v := range r {
		size[i] = math.Abs(v)
	}
	a, _ := BlockLength(r)
	b, _ := BlockLength(size)
	if math.IsNaN(a) {
		return 1
	}
	return math.Max(1, math.Min(math.Max(math.Max(a, b), 5), float64(len(r))/3))
}
