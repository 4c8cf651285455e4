package sweep

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
)

// Search by tree-structured Parzen estimators (Bergstra et al. 2011): what was tried is split into the
// better quarter and the rest; what is likely among the former and unlikely among the latter comes next.
// Densities are over the places of values, not over the values, a Gaussian of the width of a tenth of the
// list around each, and one even part for what nobody tried. Combinations are proposed in rounds of fixed
// length, so that what is tried does not depend on how many are played at once.

const (
	roundSize    = 8
	candidates   = 24   // drawn for each proposal
	betterShare  = 0.25 // of what was tried
	mostBetter   = 25
	leastStartup = 10
)

// tried is a combination and what it came to.
type tried struct {
	digits []int
	value  float64 // NaN: not eligible, worse than everything
}

// parzen proposes combinations.
type parzen struct {
	space *Space
	rand  *rand.Rand
	done  []tried
	seen  map[int64]bool
	sieve sieve
}

// learn runs a search by tpe. Several symbols played alone are judged by the mean of what is defined.
func (r *runner) learn(ctx context.Context) error {
	search := searchOf(r.plan.Config)
	z := &parzen{space: r.plan.Space, rand: rand.New(rand.NewPCG(uint64(search.Seed), 0xda3e39cb94b95bdb)), seen: map[int64]bool{}}
	z.sieve.space = r.plan.Space
	startup := max(leastStartup, search.Samples/4)
	total := r.plan.Len()
	r.total = total * len(r.plan.Symbols)
	own := r.o.Row
	defer func() { r.o.Row = own }()
	for n := 0; n < total; {
		round := z.propose(min(roundSize, total-n), n < startup)
		if len(round) == 0 {
			return nil // everything was tried
		}
		sums, counts := make([]float64, len(round)), make([]int, len(round))
		r.o.Row = func(row *Row) error {
			if v := row.Value; !math.IsNaN(v) {
				sums[row.Index-n] += v
				counts[row.Index-n]++
			}
			if own != nil {
				return own(row)
			}
			return nil
		}
		if err := r.play(ctx, n, n+len(round), func(i int, dst []float64) []float64 { return r.plan.Space.At(round[i-n], dst) }); err != nil {
			return err
		}
		for i, k := range round {
			z.done = append(z.done, tried{z.space.Digits(k, nil), sums[i] / float64(counts[i])})
		}
		n += len(round)
	}
	return nil
}

// propose is up to n new combinations that meet the constraint.
func (z *parzen) propose(n int, startup bool) []int64 {
	var out []int64
	better, worse := z.split()
	for tries := 0; len(out) < n && tries < 50*maxTries; tries++ {
		k := z.rand.Int64N(z.space.size)
		if !startup && len(better) > 0 && tries < 20*n {
			k = z.best(better, worse)
		}
		if z.seen[k] {
			continue
		}
		z.sieve.meets([]int64{k}, func(k int64) {
			z.seen[k] = true
			out = append(out, k)
		})
	}
	return out
}

// split is what was tried, the better part first.
func (z *parzen) split() (better, worse []tried) {
	order := slices.Clone(z.done)
	slices.SortStableFunc(order, func(a, b tried) int {
		switch an, bn := math.IsNaN(a.value), math.IsNaN(b.value); {
		case an && bn:
			return 0
		case an:
			return 1
		case bn:
			return -1
		case a.value > b.value:
			return -1
		case a.value < b.value:
			return 1
		}
		return 0
	})
	n := min(mostBetter, int(math.Ceil(betterShare*float64(len(order)))))
	for n > 0 && math.IsNaN(order[n-1].value) {
		n--
	}
	return order[:n], order[n:]
}

// best draws candidates near better ones and takes the one with the largest ratio of densities.
func (z *parzen) best(better, worse []tried) int64 {
	most, choice := math.Inf(-1), int64(0)
	digits := make([]int, len(z.space.Values))
	for range candidates {
		score := 0.0
		for i, values := range z.space.Values {
			m := len(values)
			digits[i] = z.draw(better, i, m)
			score += math.Log(density(better, i, digits[i], m)) - math.Log(density(worse, i, digits[i], m))
		}
		if score > most {
			most, choice = score, z.space.Index(digits)
		}
	}
	return choice
}

// width of the Gaussians over m places.
func width(m int) float64 { return max(0.7, float64(m)/10) }

// draw a place of parameter i: near one of the better ones, or anywhere.
func (z *parzen) draw(better []tried, i, m int) int {
	if c := z.rand.IntN(len(better) + 1); c < len(better) {
		x := float64(better[c].digits[i]) + width(m)*z.rand.NormFloat64()
		return max(0, min(m-1, int(math.Round(x))))
	}
	return z.rand.IntN(m)
}

// density of place d of parameter i.
func density(list []tried, i, d, m int) float64 {
	sum, w := 1/float64(m), width(m)
	for _, t := range list {
		x := float64(d-t.digits[i]) / w
		sum += math.Exp(-x*x/2) / (w * math.Sqrt(2*math.Pi))
	}
	return sum / float64(len(list)+1)
}
