package sweep

import (
	"backtester/backtest/parallel"
	"math/bits"
)

// extent is what a range of closes is to a drawdown: its highest, its lowest, and the lowest ratio of a
// close to the highest one before it. Extents of ranges side by side compose.
type extent struct{ hi, lo, dip float64 }

// then is the extent of a and b after it.
func (a extent) then(b extent) extent {
	dip := min(a.dip, b.dip)
	if b.lo < float64(dip*a.hi) {
		dip = b.lo / a.hi
	}
	return extent{max(a.hi, b.hi), min(a.lo, b.lo), dip}
}

// blockBits: closes are cut into blocks of 256, whose extents stay in the cache while all combinations
// look at them.
const blockBits = 8

// ranges answers for the extent of any range of closes in constant time: within a block by a disjoint
// sparse table (two entries a question), across blocks by what is left of the first, what is right of the
// last, and the same kind of table over the blocks between. 240 bytes a close.
type ranges struct {
	close   []float64
	level   [blockBits + 1][]extent // level[k][i]: from i to the middle of its node of 2^k closes, either way
	right   []extent                // from i to the end of its block
	left    []extent                // from the beginning of its block to i
	blocks  [][]extent              // by level over blocks
	summary []extent                // of each block
}

func newRanges(closes []float64, crew int) *ranges {
	n := len(closes)
	t := &ranges{close: closes, right: make([]extent, n), left: make([]extent, n)}
	one := make([]extent, n)
	for i, c := range closes {
		one[i] = extent{c, c, 1}
	}
	parallel.Each(crew, blockBits+1, func(k int) {
		if k == 0 {
			t.edges(one)
			return
		}
		t.level[k] = make([]extent, n)
		disjoint(t.level[k], one, k)
	})
	for k := 1; 1<<(k-1) < len(t.summary); k++ {
		row := make([]extent, len(t.summary))
		disjoint(row, t.summary, k)
		t.blocks = append(t.blocks, row)
	}
	return t
}

// edges fills what is left of a place in its block and right of it, and the summaries of blocks.
func (t *ranges) edges(one []extent) {
	n, size := len(one), 1<<blockBits
	for from := 0; from < n; from += size {
		to := min(from+size, n)
		t.left[from] = one[from]
		for i := from + 1; i < to; i++ {
			t.left[i] = t.left[i-1].then(one[i])
		}
		t.right[to-1] = one[to-1]
		for i := to - 2; i >= from; i-- {
			t.right[i] = one[i].then(t.right[i+1])
		}
		t.summary = append(t.summary, t.left[to-1])
	}
}

// disjoint fills one level: in each node of 2^k entries, from each entry to the middle.
func disjoint(dst, one []extent, k int) {
	n, half := len(one), 1<<(k-1)
	for from := 0; from+half <= n; from += 2 * half {
		mid := from + half
		dst[mid-1] = one[mid-1]
		for i := mid - 2; i >= from; i-- {
			dst[i] = one[i].then(dst[i+1])
		}
		if mid >= n {
			continue
		}
		dst[mid] = one[mid]
		for i := mid + 1; i < min(mid+half, n); i++ {
			dst[i] = dst[i-1].then(one[i])
		}
	}
}

// of is the extent of closes l to r, both included.
func (t *ranges) of(l, r int) extent {
	if l == r {
		c := t.close[l]
		return extent{c, c, 1}
	}
	k := bits.Len(uint(l ^ r))
	if k <= blockBits {
		return t.level[k][l].then(t.level[k][r])
	}
	out := t.right[l]
	a, b := l>>blockBits+1, r>>blockBits-1
	switch {
	case a == b:
		out = out.then(t.summary[a])
	case a < b:
		row := t.blocks[bits.Len(uint(a^b))-1]
		out = out.then(row[a]).then(row[b])
	}
	return out.then(t.left[r])
}
