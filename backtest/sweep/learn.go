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
	bells [][]float64 // by parameter: the Gaussian of its width, by distance in places
}

func newParzen(space *Space, seed uint64) *parzen {
	z := &parzen{space: space, rand: rand.New(rand.NewPCG(seed, 0xda3e39cb94b95bdb)), seen: map[int64]bool{}}
	z.sieve.space = space
	for _, values := range space.Values {
		bell, w := make([]float64, len(values)), width(len(values))
		for d := range bell {
			x := float64(d) / w
			bell[d] = math.Exp(-x*x/2) / (w * math.Sqrt(2*math.Pi))
		}
		z.bells = append(z.bells, bell)
	}
	return z
}

// learn runs a search by tpe. Several symbols played alone are judged by the mean of what is defined.
func (r *runner) learn(ctx context.Context) error {
	search := searchOf(r.plan.Config)
	z := newParzen(r.plan.Space, uint64(search.Seed))
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
	m := z.model()
	for tries := 0; len(out) < n && tries < 50*maxTries; tries++ {
		k := z.rand.Int64N(z.space.size)
		if !startup && len(m.better) > 0 && tries < 20*n {
			k = z.best(m)
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

// model is what a round knows: the better ones, and by parameter how often each place was tried among them and among
// the others. What it says of a place is reckoned once.
type model struct {
	better []tried
	peaks  [2][]peaks // of the better and of the others, by parameter
	n      [2]int
	known  []map[int]float64 // by parameter, then by place: see likely
}

// peaks are the places of a parameter that were tried, rising, and how often.
type peaks struct {
	place []int
	count []float64
}

func (z *parzen) model() *model {
	better, worse := z.split()
	m := &model{better: better, n: [2]int{len(better), len(worse)}}
	for i := range z.space.Values {
		m.peaks[0], m.peaks[1] = append(m.peaks[0], peaksOf(better, i)), append(m.peaks[1], peaksOf(worse, i))
		m.known = append(m.known, map[int]float64{})
	}
	return m
}

func peaksOf(list []tried, i int) peaks {
	all := make([]int, len(list))
	for k := range list {
		all[k] = list[k].digits[i]
	}
	slices.Sort(all)
	var p peaks
	for k, at := range all {
		if k == 0 || at != all[k-1] {
			p.place, p.count = append(p.place, at), append(p.count, 0)
		}
		p.count[len(p.count)-1]++
	}
	return p
}

// best draws candidates near better ones and takes the one with the largest ratio of densities.
func (z *parzen) best(m *model) int64 {
	most, choice := math.Inf(-1), int64(0)
	digits := make([]int, len(z.space.Values))
	for range candidates {
		score := 0.0
		for i := range digits {
			digits[i] = z.draw(m.better, i)
			score += z.likely(m, i, digits[i])
		}
		if score > most {
			most, choice = score, z.space.Index(digits)
		}
	}
	return choice
}

// likely is the logarithm of how much likelier place d of parameter i is among the better ones than among the others.
func (z *parzen) likely(m *model, i, d int) float64 {
	x, ok := m.known[i][d]
	if !ok {
		x = math.Log(z.density(m.peaks[0][i], m.n[0], i, d)) - math.Log(z.density(m.peaks[1][i], m.n[1], i, d))
		m.known[i][d] = x
	}
	return x
}

// width of the Gaussians over m places.
func width(m int) float64 { return max(0.7, float64(m)/10) }

// draw a place of parameter i: near one of the better ones, or anywhere.
func (z *parzen) draw(better []tried, i int) int {
	m := len(z.space.Values[i])
	if c := z.rand.IntN(len(better) + 1); c < len(better) {
		x := float64(better[c].digits[i]) + width(m)*z.rand.NormFloat64()
		return max(0, min(m-1, int(math.Round(x))))
	}
	return z.rand.IntN(m)
}

// density of place d of parameter i, of which n places were tried.
func (z *parzen) density(p peaks, n, i, d int) float64 {
	bell := z.bells[i]
	sum := 1 / float64(len(bell))
	for k, at := range p.place {
		sum += float64(p.count[k] * bell[max(d-at, at-d)])
	}
	return sum / float64(n+1)
}
