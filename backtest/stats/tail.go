package stats

import (
	"math"
	"slices"
)

// Quantile is the type 7 quantile of values sorted rising (linear between order statistics); NaN when
// there are none or p is NaN. p is cut to [0, 1].
func Quantile(sorted []float64, p float64) float64 { return tail{len(sorted), sorted}.quantile(p) }

// tail is the lowest of n values, rising: as many as what is asked of it touches.
type tail struct {
	n      int
	lowest []float64
}

// inTail is how many of n values the quantiles and tail means of 5 % and less touch.
func inTail(n int) int { return min(int(0.05*float64(n))+2, n) }

// quantile is Quantile of all n values.
func (t tail) quantile(p float64) float64 {
	if t.n == 0 || math.IsNaN(p) {
		return math.NaN()
	}
	h := min(max(p, 0), 1) * float64(t.n-1)
	i := int(h)
	if i+1 >= t.n {
		return t.lowest[t.n-1]
	}
	part, a, b := h-float64(i), t.lowest[i], t.lowest[i+1]
	if part == 0 || a == b { // exact, and defined for infinite values
		return a
	}
	return a + float64(part*(b-a))
}

// mean of the lowest share p of all n values, the last one taken in part, so that it is an exact
// expected shortfall (Rockafellar and Uryasev 2002). With less than one value in the tail it is the
// lowest.
func (t tail) mean(p float64) float64 {
	if t.n == 0 {
		return math.NaN()
	}
	k := p * float64(t.n)
	if k <= 1 {
		return t.lowest[0]
	}
	whole := int(k)
	var s sum
	for _, v := range t.lowest[:whole] {
		s = s.add(v)
	}
	if whole < t.n {
		s = s.add((k - float64(whole)) * t.lowest[whole])
	}
	return s.value() / k
}

// ends are both ends of a sample, 5 % of it each, and its median.
type ends struct {
	low    tail
	high   tail    // of the values negated
	median float64 // NaN when empty
}

// endsOf takes x in rising order.
func endsOf(x []float64) ends {
	n, k := len(x), inTail(len(x))
	e := ends{tail{n, x[:k]}, tail{n, make([]float64, k)}, Quantile(x, 0.5)}
	for i := range k {
		e.high.lowest[i] = -x[n-1-i]
	}
	return e
}

// median of x, which is left alone; NaN when empty.
func median(x []float64) float64 { return middleOf(slices.Clone(x)) }

// middleOf is the median of x, which it puts out of order.
func middleOf(x []float64) float64 {
	n := len(x)
	if n == 0 {
		return math.NaN()
	}
	half := (n + 1) / 2
	part(x, half)
	v := most(x[:half])
	if n%2 == 0 {
		v += (least(x[half:]) - v) / 2
	}
	return v
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
	part(x, k)
	slices.Sort(x[:min(k, len(x))])
}

// part puts the k lowest values of x first, in any order. Cost: O(n), in place.
func part(x []float64, k int) {
	lo, hi := 0, len(x)-1
	for 0 < k && k < len(x) && lo < hi {
		i, j := lo, hi
		pivot := pivotFor(x[lo:hi+1], k-1-lo)
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
			return
		}
	}
}

// pivotFor is a value of x a little beyond its k-th lowest, seen from the nearer end, by a sample: so
// that one pass over x leaves little more than that end (Floyd and Rivest 1975).
func pivotFor(x []float64, k int) float64 {
	n := len(x)
	const size = 63
	if n < 10*size {
		a, b, c := x[0], x[(n-1)/2], x[n-1]
		return max(min(a, b), min(max(a, b), c))
	}
	var sample [size]float64
	for i := range sample {
		sample[i] = x[i*(n-1)/(size-1)]
	}
	slices.Sort(sample[:])
	p := float64(k) / float64(n)
	beyond := 1.5*math.Sqrt(size*p*(1-p)) + 1
	if p > 0.5 {
		beyond = -beyond
	}
	return sample[min(max(int(size*p+beyond), 0), size-1)]
}
