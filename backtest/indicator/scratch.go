package indicator

import "math"

// Scratch is working memory for Eval, reused from call to call: it grows to the largest need and
// stays there. The zero value is ready. One goroutine at a time; nothing in it outlives a call.
type Scratch struct {
	columns     [][]float64
	used        int
	cycle       hilbert
	candles     candles
	conventions conventions // of the evaluation that runs
}

// column lends a column of n undefined values until release.
func (s *Scratch) column(n int) []float64 {
	if s.used == len(s.columns) {
		s.columns = append(s.columns, make([]float64, n))
	}
	if cap(s.columns[s.used]) < n {
		s.columns[s.used] = make([]float64, n)
	}
	c := s.columns[s.used][:n]
	s.used++
	return c
}

// release takes back everything lent since s.used was mark.
func (s *Scratch) release(mark int) { s.used = mark }

// resize returns dst with length n, or a new column if it has not the room.
func resize(dst []float64, n int) []float64 {
	if cap(dst) < n {
		return make([]float64, n)
	}
	return dst[:n]
}

// absent fills dst with NaN.
func absent(dst []float64) {
	nan := math.NaN()
	for i := range dst {
		dst[i] = nan
	}
}

// present reports whether x is a number: neither NaN nor infinite.
func present(x float64) bool { return x-x == 0 }

// run is the next [from, to) of present values in x at or after i; from == to == len(x) at the end.
func run(x []float64, i int) (from, to int) {
	for i < len(x) && x[i]-x[i] != 0 {
		i++
	}
	from = i
	// Sixteen at a time: a sum is finite only if all that it adds are. Where it is not, by chance or for
	// cause, each is looked at.
	for ; i+16 <= len(x); i += 16 {
		q := x[i : i+16 : i+16]
		a, b := (q[0]+q[1])+(q[2]+q[3]), (q[4]+q[5])+(q[6]+q[7])
		c, d := (q[8]+q[9])+(q[10]+q[11]), (q[12]+q[13])+(q[14]+q[15])
		if sum := (a + b) + (c + d); sum-sum != 0 {
			break
		}
	}
	for i < len(x) && x[i]-x[i] == 0 {
		i++
	}
	return from, i
}
