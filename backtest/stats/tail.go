package stats

import (
	"math"
	"slices"
)

// Quantile is the type 7 quantile of values sorted rising (linear between order statistics); NaN when
// there are none or p is NaN. p is cut to [0, 1].
func Quantile(sorted []float64, p float64) float64 {
	n := len(sorted)
	if n == 0 || math.IsNaN(p) {
		return math.NaN()
	}
	h := min(max(p, 0), 1) * float64(n-1)
	i := int(h)
	if i+1 >= n {
		return sorted[n-1]
	}
	return sorted[i] + float64((h-float64(i))*(sorted[i+1]-sorted[i]))
}

// tailMean is the mean of the lowest share p of sorted values, the last one taken in part, so that
// it is an exact expected shortfall (Rockafellar and Uryasev 2002). With less than one value in the
// tail it is the lowest.
func tailMean(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	k := p * float64(len(sorted))
	if k <= 1 {
		return sorted[0]
	}
	whole := int(k)
	var s sum
	for _, v := range sorted[:whole] {
		s.add(v)
	}
	if whole < len(sorted) {
		s.add((k - float64(whole)) * sorted[whole])
	}
	return s.value() / k
}

// cornishFisher is the p quantile of a law with these moments by the Cornish-Fisher expansion. It
// is valid only while the expansion rises, which needs |skewness| under 2.48 and a kurtosis in its
// range; NaN outside.
func cornishFisher(m moments, p float64) float64 {
	s, k := m.g3(), m.g4()-3
	z := PhiInv(p)
	slope := 1 + z*s/3 + (z*z-1)*k/8 - (6*z*z-5)*s*s/36
	if !(math.Abs(s) < 2.48) || !(slope > 0) {
		return math.NaN()
	}
	h := z + (z*z-1)*s/6 + (z*z*z-3*z)*k/24 - (2*z*z*z-5*z)*s*s/36
	return m.mean + h*math.Sqrt(m.m2)
}

// lower selects: afterwards x[:k] holds the k lowest values of x in rising order, and the rest
// follows in any order. Cost: O(n + k log k), in place.
func lower(x []float64, k int) {
	lo, hi := 0, len(x)-1
	k = min(k, len(x))
	for k > 0 && lo < hi {
		i, j := lo, hi
		pivot := medianOf3(x[lo], x[lo+(hi-lo)/2], x[hi])
		for i <= j {
			for x[i] < pivot {
				i++
			}
			for x[j] > pivot {
				j--
			}
			if i <= j {
				x[i], x[j] = x[j], x[i]
				i++
				j--
			}
		}
		switch {
		case k-1 <= j:
			hi = j
		case k-1 >= i:
			lo = i
		default:
			lo = hi
		}
	}
	slices.Sort(x[:k])
}

func medianOf3(a, b, c float64) float64 {
	return max(min(a, b), min(max(a, b), c))
}
