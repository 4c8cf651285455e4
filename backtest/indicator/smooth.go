package indicator

import "math"

// EMA is the exponential moving average: e += 2/(n+1) x (x-e), n >= 1, seeded with the simple average
// of the first n values, so the first is at n-1. It returns dst, or a new column if dst is too small;
// dst must not overlap x. After an absent value it starts anew. O(1) a bar.
func EMA(dst, x []float64, n int) []float64 {
	return smooth(dst, x, n, float64(n-1)/float64(n+1))
}

// RMA is Wilder's moving average, an EMA of 2n-1 bars seeded like one of n: e += 1/n x (x-e).
func RMA(dst, x []float64, n int) []float64 {
	return smooth(dst, x, n, float64(n-1)/float64(n))
}

// smooth is the recursive average that keeps the share keep of its distance from x at every bar.
//
// It carries the distance from the value to the average instead of the average: two dependent
// operations a bar instead of three, no cancellation, and a constant x is its own average exactly.
// Taking two bars at a time leaves two dependent operations for both.
func smooth(dst, x []float64, n int, keep float64) []float64 {
	dst = resize(dst, len(x))
	out, twice := dst[:len(x)], float64(keep*keep)
	for i := 0; i < len(x); {
		i = seek(out, x, i, n)
		if i == len(x) {
			break
		}
		last := x[i]
		away := last - mean(x[i-n+1:i+1])
		out[i] = last - away
		for i++; i < len(x); {
			v := x[i]
			step := v - last
			near := float64(keep * (step + away))
			e := v - near
			if i+1 < len(x) {
				w := x[i+1]
				next := (float64(twice*step) + float64(keep*(w-v))) + float64(twice*away)
				f := w - next
				if z := e + f; z-z == 0 {
					out[i], out[i+1] = e, f
					away, last = next, w
					i += 2
					continue
				}
			}
			if e-e != 0 {
				break
			}
			out[i] = e
			away, last = near, v
			i++
		}
	}
	return dst
}

// seek marks bars absent until n present values in a row have come, and returns the last of them, or
// len(x).
func seek(dst, x []float64, i, n int) int {
	nan, count := math.NaN(), 0
	for ; i < len(x); i++ {
		count++
		if x[i]-x[i] != 0 {
			count = 0
		}
		if count == n {
			return i
		}
		dst[i] = nan
	}
	return i
}

// mean of present values, exact when they are equal.
func mean(x []float64) float64 {
	p, s := x[len(x)-1], 0.0
	for _, v := range x {
		s += v - p
	}
	return p + s/float64(len(x))
}

// keepEMA and keepRMA are what an average of n keeps of its distance from the price at each bar.
func keepEMA(n float64) float64 { return (n - 1) / (n + 1) }
func keepRMA(n float64) float64 { return (n - 1) / n }

// fade is the number of bars after which something kept at the rate keep weighs less than
// SeedWeight: the smallest k with keep^k below it. It multiplies only, so it is the same everywhere.
func fade(keep float64) int {
	if keep <= 0 {
		return 0
	}
	var powers [64]float64 // powers[j] = keep^(2^j)
	top := 0
	powers[0] = keep
	for powers[top] >= SeedWeight {
		powers[top+1] = float64(powers[top] * powers[top])
		top++
	}
	k, weight := 0, 1.0
	for j := top; j >= 0; j-- {
		if w := float64(weight * powers[j]); w >= SeedWeight {
			weight = w
			k += 1 << j
		}
	}
	return k + 1
}

// warmEMA and warmRMA are the warm-up of one average of n.
func warmEMA(n float64) int { return int(n) - 1 + fade(keepEMA(n)) }
func warmRMA(n float64) int { return int(n) - 1 + fade(keepRMA(n)) }
