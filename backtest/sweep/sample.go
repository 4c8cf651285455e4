package sweep

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// maxTries bounds how many combinations a sample looks at for each one that it keeps: a constraint that
// hardly any combination meets must not go on for ever.
const maxTries = 1000

// random draws combinations without repetition, each as likely as any other, and puts them in the order of
// the grid. Where that is most of the grid all are listed first.
func (s *Space) random(samples int, seed uint64) ([]int64, error) {
	r := rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))
	if s.size <= int64(samples)*4 {
		all, err := s.all(s.size)
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		out := all[:min(len(all), samples)]
		slices.Sort(out)
		return out, err
	}
	return s.sample(samples, func() int64 { return r.Int64N(s.size) })
}

// sample keeps what draw gives, if it is new and meets the constraint, until there are enough.
func (s *Space) sample(samples int, draw func() int64) ([]int64, error) {
	seen, out, v := map[int64]bool{}, []int64{}, sieve{space: s}
	for tries := 0; len(out) < samples && tries < samples*maxTries; {
		block := make([]int64, 0, min(samples, sieveBlock))
		for range min(samples-len(out), sieveBlock) {
			tries++
			if k := draw(); !seen[k] {
				seen[k] = true
				block = append(block, k)
			}
		}
		v.meets(block, func(k int64) { out = append(out, k) })
	}
	slices.Sort(out)
	return out, nil
}

// sobol takes points of the Sobol sequence (Sobol 1967, direction numbers of Joe and Kuo 2008), which fill
// the grid more evenly than chance does, and puts them in the order of the grid.
func (s *Space) sobol(samples int) ([]int64, error) {
	if len(s.Values) > len(joeKuo)+1 {
		return nil, fmt.Errorf("search.method sobol knows %d parameters at most, the file has %d: use random", len(joeKuo)+1, len(s.Values))
	}
	if s.size <= int64(samples) {
		return s.all(s.size)
	}
	q := newSobol(len(s.Values))
	digits := make([]int, len(s.Values))
	return s.sample(samples, func() int64 {
		for i, u := range q.next() {
			digits[i] = min(int(u*float64(len(s.Values[i]))), len(s.Values[i])-1)
		}
		return s.Index(digits)
	})
}

// joeKuo are primitive polynomials and initial direction numbers for the dimensions after the first: the
// table new-joe-kuo-6 of Joe and Kuo.
var joeKuo = []struct {
	degree int
	a      uint32
	m      []uint32
}{
	{1, 0, []uint32{1}}, {2, 1, []uint32{1, 3}}, {3, 1, []uint32{1, 3, 1}}, {3, 2, []uint32{1, 1, 1}}, {4, 1, []uint32{1, 1, 3, 3}},
	{4, 4, []uint32{1, 3, 5, 13}}, {5, 2, []uint32{1, 1, 5, 5, 17}}, {5, 4, []uint32{1, 1, 5, 5, 5}}, {5, 7, []uint32{1, 1, 7, 11, 19}},
}

// sobolSequence is its points by Gray code (Antonov and Saleev 1979), the origin left out.
type sobolSequence struct {
	n         uint32
	direction [][32]uint32 // by dimension
	x         []uint32
	u         []float64
}

func newSobol(dimensions int) *sobolSequence {
	q := &sobolSequence{direction: make([][32]uint32, dimensions), x: make([]uint32, dimensions), u: make([]float64, dimensions)}
	for d := range q.direction {
		v := &q.direction[d]
		if d == 0 {
			for i := range v {
				v[i] = 1 << (31 - i)
			}
			continue
		}
		p := joeKuo[d-1]
		for i := range v {
			if i < p.degree {
				v[i] = p.m[i] << (31 - i)
				continue
			}
			v[i] = v[i-p.degree] ^ v[i-p.degree]>>p.degree
			for k := 1; k < p.degree; k++ {
				v[i] ^= (p.a >> (p.degree - 1 - k) & 1) * v[i-k]
			}
		}
	}
	return q
}

func (q *sobolSequence) next() []float64 {
	c := bits.TrailingZeros32(^q.n)
	q.n++
	for d := range q.x {
		q.x[d] ^= q.direction[d][min(c, 31)]
		q.u[d] = float64(q.x[d]) / (1 << 32)
	}
	return q.u
}
