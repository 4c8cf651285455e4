package order

import "math"

// Scale weights so that their sizes sum to total, keeping signs. It reports whether there was anything to
// scale.
func Scale(w []float64, total float64) bool {
	sum := 0.0
	for _, x := range w {
		sum += math.Abs(x)
	}
	if !(sum > 0) || math.IsInf(sum, 0) {
		return false
	}
	for i := range w {
		w[i] = total * w[i] / sum
	}
	return true
}

// Parity sets w to the weights, summing to 1, of which each contributes the same risk: for all i and j
// w[i] x (C w)[i] = w[j] x (C w)[j], by cyclical coordinate descent (Griveau-Billion, Richard and Roncalli
// 2013). cov is the covariance matrix row by row; it must have a positive diagonal. False if 10,000 rounds
// did not get there, as when two securities hedge each other fully.
func Parity(w, cov []float64) bool {
	n := len(w)
	for i := range w {
		w[i] = 1 / math.Sqrt(cov[i*n+i])
	}
	for range 10_000 {
		moved := 0.0
		for i := range w {
			others := 0.0
			for j := range w {
				if j != i {
					others += float64(cov[i*n+j] * w[j])
				}
			}
			v := cov[i*n+i]
			x := (math.Sqrt(float64(others*others)+float64(4*v)) - others) / (2 * v)
			moved = max(moved, math.Abs(x-w[i])/x)
			w[i] = x
		}
		if moved < 1e-13 {
			return Scale(w, 1)
		}
	}
	return false
}
