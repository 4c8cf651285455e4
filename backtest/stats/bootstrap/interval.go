package bootstrap

import (
	"math"
	"slices"

	"backtester/backtest/stats"
)

// Interval is a range that holds the truth with the confidence it was asked for, as far as the
// sample speaks for the future; NaN where there is none.
type Interval struct{ Low, High float64 }

func (i Interval) times(x float64) Interval { return Interval{i.Low * x, i.High * x} }

// Percentile takes the interval of the given confidence from draws, sorted rising; NaN when there are none.
func Percentile(sorted []float64, confidence float64) Interval {
	tail := (1 - confidence) / 2
	return Interval{stats.Quantile(sorted, tail), stats.Quantile(sorted, 1-tail)}
}

// BCa takes the interval from draws, sorted rising, corrected for their bias and for how the spread
// of the estimate moves with it (Efron 1987, J. American Statistical Association 82). leftOut are the
// estimates without one block each. Where the correction is undefined it is that of Percentile.
func BCa(sorted []float64, estimate float64, leftOut []float64, confidence float64) Interval {
	bias := stats.PhiInv(shareBelow(sorted, estimate))
	a := acceleration(leftOut)
	if math.IsNaN(bias) || math.IsNaN(a) {
		return Percentile(sorted, confidence)
	}
	at := func(p float64) float64 {
		z := bias + stats.PhiInv(p)
		return stats.Quantile(sorted, stats.Phi(bias+z/(1-a*z)))
	}
	tail := (1 - confidence) / 2
	return Interval{at(tail), at(1 - tail)}
}

// shareBelow is the share of sorted draws under x, those equal to it by half.
func shareBelow(sorted []float64, x float64) float64 {
	lo, _ := slices.BinarySearch(sorted, x)
	hi := lo
	for hi < len(sorted) && sorted[hi] == x {
		hi++
	}
	return (float64(lo) + float64(hi-lo)/2) / float64(len(sorted))
}

// acceleration is a sixth of the skewness of the jackknife estimates, turned around.
func acceleration(leftOut []float64) float64 {
	m := meanOf(leftOut)
	var s2, s3 float64
	for _, v := range leftOut {
		d := m - v
		s2 += float64(d * d)
		s3 += float64(d * d * d)
	}
	if !(s2 > 0) {
		return math.NaN()
	}
	return s3 / (6 * s2 * math.Sqrt(s2))
}

// quantileOf sorts a copy.
func quantileOf(x []float64, p float64) float64 {
	s := slices.Clone(x)
	slices.Sort(s)
	return stats.Quantile(s, p)
}
