package indicator

import "math"

// Highest is the greatest of the last n values of x, n >= 1; the first is at n-1. It returns dst, or a
// new column if dst is too small; dst must not overlap x. O(1) a bar: blocks as in SMA (van Herk
// 1992, Gil and Werman 1993).
func Highest(dst, x []float64, n int) []float64 {
	dst = resize(dst, len(x))
	extreme(dst, x, n, 0)
	return dst
}

// Lowest is the least of the last n values; otherwise like Highest.
func Lowest(dst, x []float64, n int) []float64 {
	dst = resize(dst, len(x))
	extreme(dst, x, n, -1)
	return dst
}

// rank is an integer in the order of the float64s, downwards if flip is -1 instead of 0. Integers
// have a maximum without branches.
func rank(v float64, flip int64) int64 {
	b := int64(math.Float64bits(v))
	return b ^ int64(uint64(b>>63)>>1) ^ flip
}

// value is the inverse of rank.
func value(r, flip int64) float64 {
	r ^= flip
	return math.Float64frombits(uint64(r ^ int64(uint64(r>>63)>>1)))
}

// wait and waiting keep a rank in the place of a value.
func wait(r int64) float64    { return math.Float64frombits(uint64(r)) }
func waiting(v float64) int64 { return int64(math.Float64bits(v)) }

func extreme(dst, x []float64, n int, flip int64) {
	for i := 0; i < len(x); {
		from, to := run(x, i)
		absent(dst[i:min(from+n-1, to)])
		if to-from >= n {
			extremes(dst[from:to], x[from:to], n, flip)
		}
		i = to
	}
}

// extremes is extreme on at least n present values. As in sums, a block's maxima from the left and
// the next block's maxima from the right are two chains in one loop; the latter wait in dst, as ranks.
func extremes(dst, x []float64, n int, flip int64) {
	m := rank(x[0], flip)
	for _, v := range x[1:n] {
		m = max(m, rank(v, flip))
	}
	dst[n-1] = value(m, flip)
	if len(x) == n {
		return
	}
	rightExtremes(dst, x, n, n, flip)
	b := n
	for ; b+2*n <= len(x); b += n {
		block, out, next := x[b:b+n], dst[b:b+n], dst[b+n-1:b+2*n-1]
		out, next = out[:len(block)], next[:len(block)]
		left, right := rank(block[0], flip), rank(block[n-1], flip)
		j := len(block) - 1
		for k := 0; k < len(block)-1 && uint(j) < uint(len(block)); k++ {
			left = max(left, rank(block[k], flip))
			out[k] = value(max(left, waiting(out[k])), flip)
			right = max(right, rank(block[j], flip))
			next[j] = wait(right)
			j--
		}
		out[n-1] = value(max(left, rank(block[n-1], flip)), flip)
	}
	for ; b < len(x); b += n {
		end := min(b+n, len(x))
		left := rank(x[b], flip)
		for i := b; i < end; i++ {
			left = max(left, rank(x[i], flip))
			if i < b+n-1 {
				dst[i] = value(max(left, waiting(dst[i])), flip)
			} else {
				dst[i] = value(left, flip)
			}
		}
		if end < len(x) {
			rightExtremes(dst, x, end, n, flip)
		}
	}
}

// rightExtremes puts the ranks of the maxima from the right of the block that ends before b into the places of the
// windows that end in the block at b.
func rightExtremes(dst, x []float64, b, n int, flip int64) {
	right := rank(x[b-1], flip)
	for j := b - 1; j > b-n; j-- {
		right = max(right, rank(x[j], flip))
		if j+n-1 < len(dst) {
			dst[j+n-1] = wait(right)
		}
	}
}

// HighestBar is how many bars ago the greatest of the last n values was, 0 to n-1; of equal ones the
// newest. Amortised O(1) a bar.
func HighestBar(s *Scratch, dst, x []float64, n int) []float64 {
	return extremeBar(s, dst, x, n, 0)
}

// LowestBar is how many bars ago the least of the last n values was; otherwise like HighestBar.
func LowestBar(s *Scratch, dst, x []float64, n int) []float64 {
	return extremeBar(s, dst, x, n, -1)
}

// extremeBar keeps the bars that may still become the extreme, newest last: their values fall.
func extremeBar(s *Scratch, dst, x []float64, n int, flip int64) []float64 {
	dst = resize(dst, len(x))
	mark := s.used
	queue := s.column(len(x))
	for i := 0; i < len(x); {
		from, to := run(x, i)
		absent(dst[i:min(from+n-1, to)])
		head, tail := 0, 0
		for i = from; i < to; i++ {
			r := rank(x[i], flip)
			if head < tail && int(queue[head]) <= i-n {
				head++
			}
			for head < tail && rank(x[int(queue[tail-1])], flip) <= r {
				tail--
			}
			queue[tail] = float64(i)
			tail++
			if i >= from+n-1 {
				dst[i] = float64(i - int(queue[head]))
			}
		}
	}
	s.release(mark)
	return dst
}
