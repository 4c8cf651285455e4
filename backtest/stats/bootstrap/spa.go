package bootstrap

import (
	"fmt"
	"math"
)

// Superiority asks whether the best of many models beats a benchmark by more than the best of so
// many worthless ones would: White's reality check (2000, Econometrica 68) and Hansen's test of
// superior predictive ability (2005, J. Business and Economic Statistics 23). Models are added one by
// one and not kept: the resamples are drawn first, as how often each session occurs in them, and of
// every resample only the largest statistics so far are remembered.
type Superiority struct {
	n, draws int
	block    float64
	seed     uint64
	weight   []uint16 // draws rows of n sessions, never changed

	models, idle  int
	best          int
	plain, scaled float64   // largest sqrt(n) mean; largest sqrt(n) mean / deviation
	real          []float64 // of each draw, of the reality check
	low, mid, up  []float64 // of each draw, of SPA with its three ways to centre
}

// NewSuperiority draws the resamples of n sessions. Cost: O(draws x n), which is also its memory at
// two bytes each.
func NewSuperiority(n, draws int, block float64, seed uint64) *Superiority {
	if n < 3 || draws < 1 {
		panic(fmt.Sprintf("BUG: a test of superiority with %d draws of %d sessions", draws, n))
	}
	s := &Superiority{n: n, draws: draws, block: block, seed: seed, weight: make([]uint16, draws*n)}
	from := NewStationary(n, block, seed)
	index := make([]int32, n)
	for b := range draws {
		from.Indices(index)
		row := s.weight[b*n : (b+1)*n]
		for _, i := range index {
			row[i]++
		}
	}
	s.reset()
	return s
}

func (s *Superiority) reset() {
	s.models, s.idle, s.best = 0, 0, -1
	s.plain, s.scaled = math.Inf(-1), math.Inf(-1)
	s.real, s.low = fill(s.draws, math.Inf(-1)), make([]float64, s.draws)
	s.mid, s.up = make([]float64, s.draws), make([]float64, s.draws)
}

func fill(n int, v float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = v
	}
	return x
}

// Fork shares the resamples and has seen no model: for use by another goroutine, to be merged later.
func (s *Superiority) Fork() *Superiority {
	f := *s
	f.reset()
	return &f
}

// Merge takes over what a fork has seen, as if its models had been added here, in this order.
func (s *Superiority) Merge(f *Superiority) {
	if f.scaled > s.scaled {
		s.scaled, s.best = f.scaled, s.models+f.best
	}
	s.plain = math.Max(s.plain, f.plain)
	s.models += f.models
	s.idle += f.idle
	for b := range s.draws {
		s.real[b] = math.Max(s.real[b], f.real[b])
		s.low[b] = math.Max(s.low[b], f.low[b])
		s.mid[b] = math.Max(s.mid[b], f.mid[b])
		s.up[b] = math.Max(s.up[b], f.up[b])
	}
}

// Add takes a model's performance less the benchmark's, session by session. A model whose difference
// never changes has no deviation and is counted, not tested. Cost: O(draws x n).
func (s *Superiority) Add(d []float64) {
	if len(d) != s.n {
		panic(fmt.Sprintf("BUG: a model of %d sessions among models of %d", len(d), s.n))
	}
	s.models++
	root := math.Sqrt(float64(s.n))
	mean := meanOf(d)
	deviation := math.Sqrt(Variance(d, s.block))
	if !(deviation > 1e-14) {
		s.idle++
		return
	}
	t := root * mean / deviation
	s.plain = math.Max(s.plain, root*mean)
	if t > s.scaled {
		s.scaled, s.best = t, s.models-1
	}
	centreMid := mean
	if t < -math.Sqrt(2*math.Log(math.Log(float64(s.n)))) {
		centreMid = 0
	}
	for b := range s.draws {
		m := weighted(s.weight[b*s.n:(b+1)*s.n], d) / float64(s.n)
		s.real[b] = math.Max(s.real[b], root*(m-mean))
		s.low[b] = math.Max(s.low[b], root*(m-math.Max(mean, 0))/deviation)
		s.mid[b] = math.Max(s.mid[b], root*(m-centreMid)/deviation)
		s.up[b] = math.Max(s.up[b], root*(m-mean)/deviation)
	}
}

// weighted is the sum of w times d by four sums, so that one addition need not wait for the last.
func weighted(w []uint16, d []float64) float64 {
	var s0, s1, s2, s3 float64
	w = w[:len(d)]
	i := 0
	for ; i+3 < len(d); i += 4 {
		s0 += float64(float64(w[i]) * d[i])
		s1 += float64(float64(w[i+1]) * d[i+1])
		s2 += float64(float64(w[i+2]) * d[i+2])
		s3 += float64(float64(w[i+3]) * d[i+3])
	}
	for ; i < len(d); i++ {
		s0 += float64(float64(w[i]) * d[i])
	}
	return (s0 + s1) + (s2 + s3)
}

// SuperiorityResult are the p-values of the hypothesis that no model beats the benchmark: NaN while
// no model could be tested. Lower <= Consistent <= Upper; Consistent is the one to report.
type SuperiorityResult struct {
	Models, Idle int // added; of them without any movement of their own
	Best         int // number of the model with the largest statistic, -1 without one
	Draws        int
	Block        float64
	Seed         uint64
	Statistic    float64 // Hansen's, at least 0
	RealityCheck float64
	Lower        float64
	Consistent   float64
	Upper        float64
}

// Result counts the draws whose largest statistic exceeds the one found, the sample itself among
// them: (1 + #) / (draws + 1).
func (s *Superiority) Result() SuperiorityResult {
	r := SuperiorityResult{Models: s.models, Idle: s.idle, Best: s.best, Draws: s.draws, Block: s.block, Seed: s.seed,
		Statistic: math.NaN(), RealityCheck: math.NaN(), Lower: math.NaN(), Consistent: math.NaN(), Upper: math.NaN()}
	if s.best < 0 {
		return r
	}
	r.Statistic = math.Max(0, s.scaled)
	exceed := func(draws []float64, x float64) float64 {
		k := 1
		for _, v := range draws {
			if v >= x {
				k++
			}
		}
		return float64(k) / float64(s.draws+1)
	}
	r.RealityCheck = exceed(s.real, s.plain)
	r.Lower, r.Consistent, r.Upper = exceed(s.low, r.Statistic), exceed(s.mid, r.Statistic), exceed(s.up, r.Statistic)
	return r
}
