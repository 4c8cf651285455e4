package expr

import "math"

// bitset is a column of conditions, 64 bars a word: bar i is bit i%64 of word i/64. A bar is true
// (yes), absent (gone), or false (neither); never both. Bits beyond the last bar are 0.
type bitset struct{ yes, gone []uint64 }

func words64(n int) int { return (n + 63) >> 6 }

// trim clears the bits beyond bar n.
func trim(w []uint64, n int) {
	if n&63 != 0 {
		w[len(w)-1] &= 1<<(n&63) - 1
	}
}

func flag(b bool) uint64 {
	var v uint64
	if b {
		v = 1
	}
	return v
}

// compare is dst = a o b for > and == on n bars. It is absent where an operand is.
func compare(o op, dst bitset, n int, p pair) {
	a, b := p.a, p.b
	var left, right [64]float64
	if a == nil {
		fill(left[:], p.c)
	}
	if b == nil {
		fill(right[:], p.c)
	}
	x, y := left[:], right[:]
	for w := range dst.yes {
		from := w << 6
		m := min(64, n-from)
		if a != nil {
			x = a[from : from+m]
		}
		if b != nil {
			y = b[from : from+m]
		}
		yes, known := above(x[:m], y[:m])
		if o == opEQ {
			less, _ := above(y[:m], x[:m])
			yes = known &^ (yes | less)
		}
		dst.yes[w], dst.gone[w] = yes, ^known
	}
	if len(dst.gone) > 0 {
		trim(dst.gone, n)
	}
}

// above says where x > y, and where the two can be compared at all. At most 64 of each.
func above(x, y []float64) (more, known uint64) {
	if len(x) == 64 && len(y) == 64 {
		if m, ok := above64((*[64]float64)(x), (*[64]float64)(y)); ok {
			return m, ^uint64(0)
		}
	}
	for i := range min(len(x), len(y)) {
		more |= flag(x[i] > y[i]) << (uint(i) & 63)
		known |= flag(x[i] <= y[i]) << (uint(i) & 63)
	}
	return more, known | more
}

// above64 reads x > y off the sign of y - x, which is exact: the difference of two different numbers
// is never rounded to 0, and adding 0 takes the sign off a zero. It is not ok when a difference is not a number, or their sum is not by
// chance; then someone else has to look. Signs come in at the top and move down to their places, four in one step: each
// step waits for the one before.
func above64(x, y *[64]float64) (more uint64, ok bool) {
	var s0, s1, s2, s3 float64
	for i := 0; i < 64; i += 4 {
		d0, d1, d2, d3 := y[i]-x[i]+0, y[i+1]-x[i+1]+0, y[i+2]-x[i+2]+0, y[i+3]-x[i+3]+0
		s0, s1, s2, s3 = s0+d0, s1+d1, s2+d2, s3+d3
		low := math.Float64bits(d0)>>63 + math.Float64bits(d1)>>63*2
		high := math.Float64bits(d2)>>63 + math.Float64bits(d3)>>63*2
		more = more>>4 | (low+high*4)<<60
	}
	s := s0 + s1 + (s2 + s3)
	return more, s == s
}

// absentBits says where a is absent.
func absentBits(dst bitset, a []float64) {
	clear(dst.yes)
	clear(dst.gone)
	for i, x := range a {
		dst.yes[i>>6] |= flag(x != x) << uint(i&63)
	}
}

// logic is the three-valued meaning of o on words.
func logic(o op, dst bitset, n int, in []bitset) {
	a := in[0]
	switch o {
	case opNot:
		for w := range dst.yes {
			y, g := a.yes[w], a.gone[w]
			dst.yes[w], dst.gone[w] = ^(y | g), g
		}
	case opIsAbsentBool:
		for w := range dst.yes {
			dst.yes[w], dst.gone[w] = a.gone[w], 0
		}
	case opAnd:
		b := in[1]
		for w := range dst.yes {
			ay, ag, by, bg := a.yes[w], a.gone[w], b.yes[w], b.gone[w]
			dst.yes[w], dst.gone[w] = ay&by, (ay|ag)&(by|bg)&^(ay&by)
		}
	case opOr:
		b := in[1]
		for w := range dst.yes {
			ay, ag, by, bg := a.yes[w], a.gone[w], b.yes[w], b.gone[w]
			dst.yes[w], dst.gone[w] = ay|by, (ag|bg)&^(ay|by)
		}
	case opIfBool:
		b, c := in[1], in[2]
		for w := range dst.yes {
			y, g := a.yes[w], a.gone[w]
			no := ^(y | g)
			dst.yes[w], dst.gone[w] = y&b.yes[w]|no&c.yes[w], g|y&b.gone[w]|no&c.gone[w]
		}
	}
	if len(dst.yes) > 0 {
		trim(dst.yes, n)
		trim(dst.gone, n)
	}
}

// shiftBits is dst at bar i = a at bar i-k, absent in the first k bars. dst is not a.
func shiftBits(dst, a bitset, n, k int) {
	k = min(k, n)
	whole, part := k>>6, uint(k&63)
	for w := range dst.yes {
		var y, g uint64
		if from := w - whole; from >= 0 {
			y, g = a.yes[from]<<part, a.gone[from]<<part
			if part > 0 && from > 0 {
				y |= a.yes[from-1] >> (64 - part)
				g |= a.gone[from-1] >> (64 - part)
			}
		}
		dst.yes[w], dst.gone[w] = y, g
	}
	setRange(dst.gone, k)
	if len(dst.yes) > 0 {
		trim(dst.yes, n)
		trim(dst.gone, n)
	}
}

// setRange sets the bits of the first k bars.
func setRange(w []uint64, k int) {
	for i := range k >> 6 {
		w[i] = ^uint64(0)
	}
	if k&63 != 0 {
		w[k>>6] |= 1<<(k&63) - 1
	}
}

// fillBits makes every bar v.
func fillBits(dst bitset, n int, v float64) {
	clear(dst.yes)
	clear(dst.gone)
	switch {
	case v != v:
		setRange(dst.gone, n)
	case v == 1:
		setRange(dst.yes, n)
	}
}

// at is the condition of bar i as 1, 0 or NaN.
func (b bitset) at(i int) float64 {
	w, k := i>>6, uint(i&63)
	if b.gone[w]>>k&1 != 0 {
		return math.NaN()
	}
	return float64(b.yes[w] >> k & 1)
}

// count is the number of trues in the last n bars, absent where a bar of them is absent or missing.
func count(dst []float64, c bitset, n int) {
	trues, gone := 0, 0
	for i := range dst {
		w, k := i>>6, uint(i&63)
		trues += int(c.yes[w] >> k & 1)
		gone += int(c.gone[w] >> k & 1)
		if j := i - n; j >= 0 {
			w, k := j>>6, uint(j&63)
			trues -= int(c.yes[w] >> k & 1)
			gone -= int(c.gone[w] >> k & 1)
		}
		dst[i] = math.NaN()
		if gone == 0 && i >= n-1 {
			dst[i] = float64(trues)
		}
	}
}

// since is the number of bars since c was last true, absent where that is not within the last n bars
// or where c was absent meanwhile. x not nil: the value it had then instead.
func since(dst []float64, c bitset, x []float64, n int) {
	last, known := -1, false
	for i := range dst {
		w, k := i>>6, uint(i&63)
		switch {
		case c.yes[w]>>k&1 != 0:
			last, known = i, true
		case c.gone[w]>>k&1 != 0:
			known = false
		}
		switch {
		case !known || i-last >= n:
			dst[i] = math.NaN()
		case x != nil:
			dst[i] = x[last]
		default:
			dst[i] = float64(i - last)
		}
	}
}

// throughout is whether c was true on each of the last s.n bars, for opEvery, or on one of them, for
// opAny. Bars before the first are absent.
func throughout(dst, c bitset, bars int, s *step) {
	n, every := s.n, s.op == opEvery
	clear(dst.yes)
	clear(dst.gone)
	decisive, gone := -n, -1 // the last bar that settles it: a false for every, a true for any
	for i := range bars {
		w, k := i>>6, uint(i&63)
		y, g := c.yes[w]>>k&1 != 0, c.gone[w]>>k&1 != 0
		switch {
		case g:
			gone = i
		case y != every:
			decisive = i
		}
		var bits []uint64
		switch {
		case i-decisive < n:
			if every {
				continue
			}
			bits = dst.yes
		case i-gone < n:
			bits = dst.gone
		case every:
			bits = dst.yes
		default:
			continue
		}
		bits[w] |= 1 << k
	}
}
