package indicator

import "math"

// The window kernels cut a column into blocks as long as the window. A window is then the end of one
// block and the beginning of the next: the sum of its values is a sum from the right, made once a
// block, plus a running sum from the left. Nothing is ever subtracted, so nothing drifts and no
// outlier leaves a residue. All values are taken relative to a pivot inside the window (the first
// of the younger block), so a large price level costs no digits and equal values give exact results.
//
// The sums from the right wait in dst itself, at the places where they will be needed: the one that
// begins at bar j belongs to the window that ends at j+n-1.

// SMA is the simple moving average of the last n values of x, n >= 1; the first is at n-1. It returns
// dst, or a new column if dst is too small; dst must not overlap x. O(1) a bar.
func SMA(dst, x []float64, n int) []float64 {
	dst = resize(dst, len(x))
	windows(dst, x, n, 1, 1/float64(n))
	return dst
}

// Sum is the sum of the last n values of x, n >= 1; otherwise like SMA. Whole numbers below 2^53 sum
// exactly.
func Sum(dst, x []float64, n int) []float64 {
	dst = resize(dst, len(x))
	windows(dst, x, n, float64(n), 1)
	return dst
}

// windows writes base*pivot + scale*(sum of the window relative to the pivot).
func windows(dst, x []float64, n int, base, scale float64) {
	for i := 0; i < len(x); {
		from, to := run(x, i)
		absent(dst[i:min(from+n-1, to)])
		if to-from >= n {
			sums(dst[from:to], x[from:to], n, base, scale)
		}
		i = to
	}
}

// shortWindow is the length up to which adding a window up directly beats blocks.
const shortWindow = 6

// sums is windows on at least n present values.
func sums(dst, x []float64, n int, base, scale float64) {
	if n <= shortWindow {
		shortSums(dst, x, n, base, scale)
		return
	}
	first, tail := dst[:n-1], dst[n-1:]
	_ = first // absent already
	// The first window is a whole block, taken relative to its last value.
	p, s := x[n-1], 0.0
	for _, v := range x[:n-1] {
		s += v - p
	}
	tail[0] = float64(base*p) + float64(scale*s)
	if len(x) == n {
		return
	}
	rightSums(dst, x, n, n)
	b := n
	for ; b+2*n <= len(x); b += n {
		// Two chains of additions that do not wait for each other: this block's windows, and the
		// next block's sums from the right.
		block, out, next := x[b:b+n], dst[b:b+n], dst[b+n-1:b+2*n-1]
		out, next = out[:len(block)], next[:len(block)]
		p, q := block[0], x[b+n]
		level, left, right := float64(base*p), 0.0, 0.0
		j := len(block) - 1
		for k := 0; k < len(block)-1 && uint(j) < uint(len(block)); k++ {
			left += block[k] - p
			out[k] = level + float64(scale*(out[k]+left))
			right += block[j] - q
			next[j] = right
			j--
		}
		left += block[n-1] - p
		out[n-1] = level + float64(scale*left)
	}
	for ; b < len(x); b += n {
		end := min(b+n, len(x))
		leftSums(dst[b:end], x[b:end], n, base, scale)
		if end < len(x) {
			rightSums(dst, x, end, n)
		}
	}
}

// rightSums puts the sums from the right of the block that ends before b into the places of the
// windows that end in the block at b.
func rightSums(dst, x []float64, b, n int) {
	q, right := x[b], 0.0
	for j := b - 1; j > b-n; j-- {
		right += x[j] - q
		if j+n-1 < len(dst) {
			dst[j+n-1] = right
		}
	}
}

// leftSums completes the windows that end in one block.
func leftSums(dst, x []float64, n int, base, scale float64) {
	p, left := x[0], 0.0
	level := float64(base * p)
	for k, v := range x {
		left += v - p
		right := dst[k]
		if k == n-1 {
			right = 0
		}
		dst[k] = level + float64(scale*(right+left))
	}
}

// shortSums adds every window up directly, relative to its last value.
func shortSums(dst, x []float64, n int, base, scale float64) {
	for i := n - 1; i < len(x); i++ {
		p, s := x[i], 0.0
		for _, v := range x[i-n+1 : i] {
			s += v - p
		}
		dst[i] = float64(base*p) + float64(scale*s)
	}
}

// WMA is the linearly weighted moving average: the newest of the last n values weighs n, the oldest
// 1. Otherwise like SMA.
func WMA(dst, x []float64, n int) []float64 {
	dst = resize(dst, len(x))
	for i := 0; i < len(x); {
		from, to := run(x, i)
		absent(dst[i:min(from+n-1, to)])
		if to-from >= n {
			weighted(dst[from:to], x[from:to], n)
		}
		i = to
	}
	return dst
}

// weighted is WMA on at least n present values.
func weighted(dst, x []float64, n int) {
	scale := 2 / (float64(n) * float64(n+1))
	p, s := x[n-1], 0.0
	for k, v := range x[:n-1] {
		s += float64(float64(k+1) * (v - p))
	}
	dst[n-1] = p + float64(scale*s)
	for b := n; b < len(x); b += n {
		end := min(b+n, len(x))
		p := x[b]
		// From the right: moving the window's start one bar back adds 1 to every weight.
		sum, right := 0.0, 0.0
		for j := b - 1; j > b-n; j-- {
			sum += x[j] - p
			right += sum
			if j+n-1 < len(dst) {
				dst[j+n-1] = right
			}
		}
		// From the left: value k of the block weighs rest+k+1, rest being what the right part has.
		plain, left := 0.0, 0.0
		for k, v := range x[b:end] {
			d := v - p
			plain += d
			left += float64(float64(k+1) * d)
			rest, right := float64(n-1-k), 0.0
			if k < n-1 {
				right = dst[b+k]
			}
			dst[b+k] = p + float64(scale*(right+left+float64(rest*plain)))
		}
	}
}

// LinearFit fits a straight line through the last n values of x by least squares, n >= 2: value is the
// line at the newest bar, slope its rise a bar. Columns as in SMA.
func LinearFit(value, slope, x []float64, n int) {
	for i := 0; i < len(x); {
		from, to := run(x, i)
		absent(value[i:min(from+n-1, to)])
		absent(slope[i:min(from+n-1, to)])
		if to-from >= n {
			lines(value[from:to], slope[from:to], x[from:to], n)
		}
		i = to
	}
}

// lines is LinearFit on at least n present values. With m the mean and w the linearly weighted mean of
// the window, the line at its end is 3w-2m and its slope 6(w-m)/(n-1).
func lines(value, slope, x []float64, n int) {
	mean, weigh := 1/float64(n), 2/(float64(n)*float64(n+1))
	rise := 6 / float64(n-1)
	put := func(i int, p, sum, weighted float64) {
		m, w := float64(mean*sum), float64(weigh*weighted)
		value[i] = p + (float64(3*w) - float64(2*m))
		slope[i] = float64(rise * (w - m))
	}
	p, s, w := x[n-1], 0.0, 0.0
	for k, v := range x[:n-1] {
		s += v - p
		w += float64(float64(k+1) * (v - p))
	}
	put(n-1, p, s, w)
	for b := n; b < len(x); b += n {
		end := min(b+n, len(x))
		p := x[b]
		sum, right := 0.0, 0.0
		for j := b - 1; j > b-n; j-- {
			sum += x[j] - p
			right += sum
			if j+n-1 < len(x) {
				slope[j+n-1], value[j+n-1] = sum, right
			}
		}
		plain, left := 0.0, 0.0
		for k, v := range x[b:end] {
			d := v - p
			plain += d
			left += float64(float64(k+1) * d)
			s, w := plain, left
			if rest := float64(n - 1 - k); rest > 0 {
				s += slope[b+k]
				w += value[b+k] + float64(rest*plain)
			}
			put(b+k, p, s, w)
		}
	}
}

// MeanVariance is the mean and the variance of the last n values of x, divided by n-ddof: ddof 0 for
// the population's (TA-Lib, TradingView), 1 for the sample's (pandas). n > ddof. Columns as in SMA.
//
// The pivot lies in the window, so the variance is never less than 1/n^2 of what is subtracted on
// the way, however far the values are from 0 or from what came before.
func MeanVariance(mean, variance, x []float64, n, ddof int) {
	spread(mean, variance, x, n, ddof, false)
}

// spread is MeanVariance, or with root the mean and the standard deviation.
func spread(mean, variance, x []float64, n, ddof int, root bool) {
	for i := 0; i < len(x); {
		from, to := run(x, i)
		absent(mean[i:min(from+n-1, to)])
		absent(variance[i:min(from+n-1, to)])
		if to-from >= n {
			w := deviations{mean[from:to], variance[from:to], x[from:to], ratios{1 / float64(n), 1 / float64(n-ddof)}, root}
			w.fill(n)
		}
		i = to
	}
}

// deviations is the work of spread on at least n present values.
type deviations struct {
	mean, square, x []float64 // square becomes the variance, or with root the deviation
	ratios
	root bool
}

// ratios turn sums into moments.
type ratios struct {
	inv, scale float64 // 1/n and 1/(n-ddof)
}

// fill does the first window, then block by block.
func (w deviations) fill(n int) {
	x := w.x
	p, s, ss := x[n-1], 0.0, 0.0
	for _, v := range x[:n-1] {
		d := v - p
		s += d
		ss += float64(d * d)
	}
	w.settle(n-1, p, s, ss)
	if len(x) == n {
		return
	}
	w.right(n, n)
	b := n
	if w.root {
		b = w.roots(n)
	}
	for ; b < len(x); b += n {
		end := min(b+n, len(x))
		p, s, ss := x[b], 0.0, 0.0
		for i := b; i < end; i++ {
			d := x[i] - p
			s += d
			ss += float64(d * d)
			if i < b+n-1 {
				w.settle(i, p, s+w.mean[i], ss+w.square[i])
			} else {
				w.settle(i, p, s, ss)
			}
		}
		if end < len(x) {
			w.right(end, n)
		}
	}
}

// roots does all blocks that a whole block follows, and is where it stopped. As in sums, this block's
// windows and the next block's sums from the right are chains of additions that do not wait for each
// other, nor for the roots.
func (w deviations) roots(n int) int {
	x, m := w.x, w.ratios
	b := n
	for ; b+2*n <= len(x); b += n {
		block, mean, square := x[b:b+n], w.mean[b:b+n], w.square[b:b+n]
		means, squares := w.mean[b+n-1:b+2*n-1], w.square[b+n-1:b+2*n-1]
		mean, square, means, squares = mean[:len(block)], square[:len(block)], means[:len(block)], squares[:len(block)]
		p, s, ss := block[0], 0.0, 0.0
		q, t, tt := x[b+n], 0.0, 0.0
		j := len(block) - 1
		for k := 0; k < len(block)-1 && uint(j) < uint(len(block)); k++ {
			d, e := block[k]-p, block[j]-q
			s, t = s+d, t+e
			ss, tt = ss+float64(d*d), tt+float64(e*e)
			offset, v := m.moments(s+mean[k], ss+square[k])
			mean[k], square[k] = p+offset, math.Sqrt(v)
			means[j], squares[j] = t, tt
			j--
		}
		d := block[n-1] - p
		w.settle(b+n-1, p, s+d, ss+float64(d*d))
	}
	return b
}

// right puts the sums from the right of the block that ends before b into the places of the windows that
// end in the block at b.
func (w deviations) right(b, n int) {
	p, s, ss := w.x[b], 0.0, 0.0
	for j := b - 1; j > b-n; j-- {
		d := w.x[j] - p
		s += d
		ss += float64(d * d)
		if j+n-1 < len(w.x) {
			w.mean[j+n-1], w.square[j+n-1] = s, ss
		}
	}
}

// settle writes what is asked for of the window that ends at bar i, whose sums are relative to p.
func (w *deviations) settle(i int, p, sum, squares float64) {
	offset, v := w.moments(sum, squares)
	if w.root {
		v = math.Sqrt(v)
	}
	w.mean[i], w.square[i] = p+offset, v
}

// moments are the mean and the variance from a sum and a sum of squares.
func (r ratios) moments(sum, squares float64) (mean, variance float64) {
	mean = float64(r.inv * sum)
	q := squares - float64(sum*mean)
	if q < 0 {
		q = 0
	}
	return mean, float64(r.scale * q)
}

// Variance is the second column of MeanVariance.
func Variance(s *Scratch, dst, x []float64, n, ddof int) []float64 {
	dst = resize(dst, len(x))
	mark := s.used
	spread(s.column(len(x)), dst, x, n, ddof, false)
	s.release(mark)
	return dst
}

// Stdev is the square root of Variance, in units of x.
func Stdev(s *Scratch, dst, x []float64, n, ddof int) []float64 {
	dst = resize(dst, len(x))
	mark := s.used
	spread(s.column(len(x)), dst, x, n, ddof, true)
	s.release(mark)
	return dst
}
