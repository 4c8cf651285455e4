// Package overfit says how much of a result is owed to choosing it.
//
// In: the session returns of all configurations of a search, or a Sharpe ratio and how many there
// were. Out: the probability of backtest overfitting, splits of history into training and test, and
// p-values and Sharpe ratios corrected for the number of trials. It refuses inputs that cannot be
// split as asked for, with an error. Nothing here is random.
package overfit

import (
	"fmt"
	"math"
	"math/bits"

	"backtester/backtest/stats"
)

// MostBlocks is the largest number of blocks of PBO: C(20, 10) = 184,756 splits.
const MostBlocks = 20

// PBO is what combinatorially symmetric cross-validation finds (Bailey, Borwein, Lopez de Prado and
// Zhu 2017, J. Computational Finance 20(4)): how often the configuration that was best on one half of
// the history came out in the lower half on the other.
type PBO struct {
	Configurations, Blocks, Splits int
	Dropped                        int // oldest sessions left out to make blocks of equal length
	Undecided                      int // splits in which no configuration moved: left out of all shares

	Probability float64 // share of splits in which the chosen one was at the median or under it
	Loss        float64 // share of splits in which the chosen one lost out of sample
	Slope       float64 // of the chosen one's ratio out of sample on the one in sample
	Intercept   float64
	R2          float64

	Logit   []float64 // ln(w/(1-w)) of its relative rank w out of sample, a value a split
	In, Out []float64 // Sharpe ratios of one session of the chosen one in and out of sample
	Chosen  []int     // which configuration it was
	outs    []uint32  // blocks out of sample, a mask a split
	// Dominance is the largest amount by which the distribution of all configurations out of sample
	// lies above that of the chosen ones: positive = choosing did worse somewhere than taking any.
	Dominance float64
}

// CSCV computes PBO. returns[k] are the session returns of configuration k, all over the same
// sessions; blocks is even. A configuration that does not move within one half cannot be chosen
// there, and stands still at a ratio of 0 where it is judged. Ties go to the first. Cost: O(sessions x
// configurations + splits x configurations).
func CSCV(returns [][]float64, blocks int) (*PBO, error) {
	if err := splittable(returns, blocks); err != nil {
		return nil, err
	}
	n, t := len(returns), len(returns[0])
	size := t / blocks
	p := &PBO{Configurations: n, Blocks: blocks, Dropped: t - size*blocks}
	h := newHalves(returns, blocks, size, p.Dropped)
	cdf := newSpread()
	p.turn(n, blocks, cdf, h.ratios)
	p.Dominance = cdf.worst()
	p.conclude(func(i int) bool { return p.Out[i] < 0 })
	return p, nil
}

// Judge says what a configuration is worth over the blocks whose bits mask has (bit 0 is the oldest block): more is
// better, NaN where it does not move; and whether it lost there.
type Judge func(k int, mask uint32) (worth float64, lost bool)

// CSCVBy is CSCV by another measure than the Sharpe ratio: In and Out are of that measure. Dominance, which compares
// on a scale of Sharpe ratios, is undefined. Blocks are those of CSCV: returns without the oldest Dropped ones, in
// equal parts. Cost: splits x configurations calls of judge.
func CSCVBy(returns [][]float64, blocks int, judge Judge) (*PBO, error) {
	if err := splittable(returns, blocks); err != nil {
		return nil, err
	}
	n, t := len(returns), len(returns[0])
	p := &PBO{Configurations: n, Blocks: blocks, Dropped: t - t/blocks*blocks, Dominance: math.NaN()}
	p.turn(n, blocks, nil, func(mask uint32, into []float64) {
		for k := range into {
			into[k], _ = judge(k, mask)
		}
	})
	p.conclude(func(i int) bool {
		_, lost := judge(p.Chosen[i], p.outs[i])
		return lost
	})
	return p, nil
}

// turn makes all splits; worth writes that of every configuration over the blocks of a mask.
func (p *PBO) turn(n, blocks int, cdf *spread, worth func(mask uint32, into []float64)) {
	in, out := make([]float64, n), make([]float64, n)
	full := uint32(1)<<blocks - 1
	for mask := uint32(0); mask <= full; mask++ {
		if bits.OnesCount32(mask) != blocks/2 || mask&1 == 0 {
			continue // the other half of every split is the split turned around
		}
		worth(mask, in)
		worth(full&^mask, out)
		p.split(in, out, full&^mask, cdf)
		p.split(out, in, mask, cdf)
	}
}

func splittable(returns [][]float64, blocks int) error {
	switch {
	case len(returns) < 2:
		return fmt.Errorf("cross-validate %d configurations: it takes 2 or more", len(returns))
	case blocks < 2 || blocks > MostBlocks || blocks%2 != 0:
		return fmt.Errorf("cross-validate with %d blocks: want an even number from 2 to %d", blocks, MostBlocks)
	case len(returns[0]) < 2*blocks:
		return fmt.Errorf("cross-validate %d sessions in %d blocks: every block needs 2 sessions or more", len(returns[0]), blocks)
	}
	for k, r := range returns {
		if len(r) != len(returns[0]) {
			return fmt.Errorf("cross-validate: configuration %d has %d sessions, the first has %d", k, len(r), len(returns[0]))
		}
		for t, v := range r {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("cross-validate: return %d of configuration %d is not a number", t, k)
			}
		}
	}
	return nil
}

// halves hold the sums of returns and of their squares over every choice of blocks of the older half
// of the history and of the newer, so that any choice of blocks is one addition.
type halves struct {
	n, half  int
	sessions []float64    // per number of blocks
	sum, sq  [2][]float64 // a row of configurations for every subset of a half's blocks
	shift    []float64    // of each configuration: its mean, so that squares do not cancel
}

func newHalves(returns [][]float64, blocks, size, skip int) *halves {
	n, half := len(returns), blocks/2
	h := &halves{n: n, half: half, shift: make([]float64, n)}
	for k := range blocks + 1 {
		h.sessions = append(h.sessions, float64(k*size))
	}
	for side := range 2 {
		h.sum[side], h.sq[side] = make([]float64, n<<half), make([]float64, n<<half)
	}
	for k, r := range returns {
		r = r[skip:]
		var mean float64
		for _, v := range r {
			mean += v
		}
		h.shift[k] = mean / float64(len(r))
		for b := range blocks {
			var s, q float64
			for _, v := range r[b*size : (b+1)*size] {
				d := v - h.shift[k]
				s += d
				q += float64(d * d)
			}
			one := (1<<(b%half))*n + k
			h.sum[b/half][one], h.sq[b/half][one] = s, q
		}
	}
	for side := range 2 {
		subsets(h.sum[side], n, half)
		subsets(h.sq[side], n, half)
	}
	return h
}

// subsets fills rows of several blocks from those of single ones.
func subsets(x []float64, n, half int) {
	for set := 1; set < 1<<half; set++ {
		last := set & (set - 1) // without its lowest block
		if last == 0 {
			continue
		}
		a, b := x[last*n:(last+1)*n], x[(set&-set)*n:]
		to := x[set*n : (set+1)*n]
		for k := range to {
			to[k] = a[k] + b[k]
		}
	}
}

// dust is a ratio that is rounding.
const dust = 1e-12

// ratios writes the Sharpe ratio of every configuration over the blocks of mask; NaN for one that
// does not move there.
func (h *halves) ratios(mask uint32, into []float64) {
	low, high := int(mask)&(1<<h.half-1), int(mask)>>h.half
	s0, s1 := h.sum[0][low*h.n:(low+1)*h.n], h.sum[1][high*h.n:(high+1)*h.n]
	q0, q1 := h.sq[0][low*h.n:(low+1)*h.n], h.sq[1][high*h.n:(high+1)*h.n]
	m := h.sessions[bits.OnesCount32(mask)]
	for k := range into {
		mean := (s0[k] + s1[k]) / m
		v := (q0[k] + q1[k] - float64(m*mean*mean)) / (m - 1)
		switch x := (mean + h.shift[k]) / math.Sqrt(v); {
		case !(v > 1e-28):
			into[k] = math.NaN()
		case math.Abs(x) < dust: // no loss, and no gain
			into[k] = 0
		default:
			into[k] = x
		}
	}
}

// split chooses on in and judges on out, the blocks of mask.
func (p *PBO) split(in, out []float64, mask uint32, cdf *spread) {
	best := -1
	for k, v := range in {
		if !math.IsNaN(v) && (best < 0 || v > in[best]) {
			best = k
		}
	}
	p.Splits++
	if best < 0 {
		p.Undecided++
		return
	}
	got := still(out[best])
	less, same := 0, 0
	for _, v := range out {
		v = still(v)
		if v < got {
			less++
		} else if v == got {
			same++
		}
		if cdf != nil {
			cdf.all.add(v)
		}
	}
	if cdf != nil {
		cdf.chosen.add(got)
	}
	rank := float64(less) + (float64(same)+1)/2
	w := rank / float64(len(out)+1)
	p.Logit = append(p.Logit, math.Log(w/(1-w)))
	p.In, p.Out, p.Chosen, p.outs = append(p.In, in[best]), append(p.Out, got), append(p.Chosen, best), append(p.outs, mask)
}

// still is a ratio, 0 for one that did not move.
func still(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}

// conclude sums the splits up; lost says whether the chosen one of a split lost.
func (p *PBO) conclude(lost func(i int) bool) {
	p.Probability, p.Loss, p.Slope, p.Intercept, p.R2 = math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN()
	n := float64(len(p.Logit))
	if n == 0 {
		return
	}
	under, losses := 0, 0
	for i, l := range p.Logit {
		if l <= 0 {
			under++
		}
		if lost(i) {
			losses++
		}
	}
	p.Probability, p.Loss = float64(under)/n, float64(losses)/n
	p.Slope, p.Intercept, p.R2 = line(p.In, p.Out)
}

// line is the least-squares line through points; NaN where x does not move.
func line(x, y []float64) (slope, intercept, r2 float64) {
	r := stats.Correlation(x, y)
	var mx, my, sxx, sxy float64
	for i := range x {
		mx += x[i] / float64(len(x))
		my += y[i] / float64(len(y))
	}
	for i := range x {
		sxx += float64((x[i] - mx) * (x[i] - mx))
		sxy += float64((x[i] - mx) * (y[i] - my))
	}
	if !(sxx > 0) {
		return math.NaN(), math.NaN(), math.NaN()
	}
	slope = sxy / sxx
	return slope, my - float64(slope*mx), r * r
}

// spread compares two distributions on a fixed grid of Sharpe ratios of one session.
type spread struct{ chosen, all grid }

const gridSide = 500 // cells on each side of zero, a thousandth wide, tails within the outermost

type grid struct {
	n    int
	cell [2*gridSide + 1]int
}

func (g *grid) add(v float64) {
	g.n++
	g.cell[min(max(int(math.Round(v*1000))+gridSide, 0), 2*gridSide)]++
}

func newSpread() *spread { return &spread{} }

// worst is the largest lead of the chosen ones' distribution function over that of all.
func (s *spread) worst() float64 {
	if s.chosen.n == 0 {
		return math.NaN()
	}
	worst, a, b := math.Inf(-1), 0, 0
	for i := range s.all.cell {
		a, b = a+s.chosen.cell[i], b+s.all.cell[i]
		worst = math.Max(worst, float64(a)/float64(s.chosen.n)-float64(b)/float64(s.all.n))
	}
	return worst
}
