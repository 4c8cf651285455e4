package bootstrap

import (
	"math"
	"runtime"
	"slices"
	"sync"

	"backtester/backtest/parallel"
	"backtester/backtest/stats"
)

// Settings of a simulation. Zero values take the defaults named.
type Settings struct {
	Draws      int     // paths; 0 = 5,000
	Block      float64 // mean length of blocks in sessions; 0 = Block of the returns
	Seed       uint64  // of the random numbers
	Confidence float64 // of intervals; 0 = 0.95
	Horizon    int     // sessions of a path; 0 = as many as there are returns
}

func (s Settings) withDefaults(r []float64) Settings {
	if s.Draws <= 0 {
		s.Draws = 5000
	}
	if !(s.Block >= 1) {
		s.Block = Block(r)
	}
	if !(s.Confidence > 0 && s.Confidence < 1) {
		s.Confidence = 0.95
	}
	if s.Horizon <= 0 {
		s.Horizon = len(r)
	}
	return s
}

// FanLevels are the quantiles of a fan, lowest first.
func FanLevels() []float64 { return []float64{0.05, 0.25, 0.5, 0.75, 0.95} }

const fanSteps = 80 // points of a fan, at most

// Paths are histories made of blocks of the sessions that were, drawn with replacement. All columns
// of draws are sorted rising.
type Paths struct {
	Settings             // as used
	Growth     []float64 // final equity as a multiple of the start
	Drawdown   []float64 // deepest fall from a peak, fraction, 0 or negative
	Underwater []float64 // longest time from a peak to the next in sessions, to the end while open
	Sharpe     []float64 // of one session, not annualised
	Sortino    []float64 // as Sharpe; infinite for a path that rises and has no session under rf
	Step       []int     // sessions at which Fan has a value; the first is 0
	Fan        [][]float64

	sharpe, growth, sortino float64      // of the sample itself
	without                 [3][]float64 // Sharpe, growth of a session (log) and Sortino without one block each
}

// Simulate draws paths of session returns r, which are excess returns if rf is the risk-free return
// of a session that Sharpe shall deduct. nil under 8 returns or where one of them loses everything.
// Cost: O(draws x horizon).
func Simulate(r []float64, rf float64, s Settings) *Paths {
	if len(r) < 8 || slices.ContainsFunc(r, func(v float64) bool { return !(v > -1) }) {
		return nil
	}
	s = s.withDefaults(r)
	p := &Paths{Settings: s, Growth: make([]float64, s.Draws), Drawdown: make([]float64, s.Draws),
		Underwater: make([]float64, s.Draws), Sharpe: make([]float64, s.Draws), Sortino: make([]float64, s.Draws)}
	steps := min(fanSteps, s.Horizon)
	for k := range steps + 1 {
		p.Step = append(p.Step, k*s.Horizon/steps)
	}
	at := make([]float64, len(p.Step)*s.Draws) // a row a step
	p.drawn(r, rf, at)
	p.Fan = make([][]float64, len(p.Step))
	ranks := ranksOf(FanLevels(), s.Draws)
	parallel.Each(runtime.GOMAXPROCS(0), len(p.Step), func(k int) {
		row := at[k*s.Draws : (k+1)*s.Draws]
		settle(row, ranks)
		for _, l := range FanLevels() {
			p.Fan[k] = append(p.Fan[k], stats.Quantile(row, l))
		}
	})
	columns := [][]float64{p.Growth, p.Drawdown, p.Underwater, p.Sharpe, p.Sortino}
	parallel.Each(runtime.GOMAXPROCS(0), len(columns), func(k int) { slices.Sort(columns[k]) })
	p.leaveOut(r, rf)
	return p
}

// drawn walks all draws. The numbers come one after the other from one generator; who walks a draw does
// not matter, since each has places of its own.
func (p *Paths) drawn(r []float64, rf float64, at []float64) {
	type part struct {
		first int
		index []int32 // of draws one after the other
	}
	size := max(1, 1<<16/p.Horizon)
	workers := min(runtime.GOMAXPROCS(0), 8)
	free, ready := make(chan []int32, workers+1), make(chan part)
	for range workers + 1 {
		free <- make([]int32, size*p.Horizon)
	}
	var walkers sync.WaitGroup
	for range workers {
		walkers.Go(func() {
			for x := range ready {
				for k := 0; k*p.Horizon < len(x.index); k++ {
					p.path(x.first+k, r, x.index[k*p.Horizon:(k+1)*p.Horizon], rf, at)
				}
				free <- x.index[:cap(x.index)]
			}
		})
	}
	draw := NewStationary(len(r), p.Block, p.Seed)
	for b := 0; b < p.Draws; b += size {
		x := part{b, (<-free)[:min(size, p.Draws-b)*p.Horizon]}
		for k := 0; k < len(x.index); k += p.Horizon {
			draw.Indices(x.index[k : k+p.Horizon])
		}
		ready <- x
	}
	close(ready)
	walkers.Wait()
}

// path walks draw b and keeps what it needs of it.
func (p *Paths) path(b int, r []float64, index []int32, rf float64, at []float64) {
	v, peak, depth := 1.0, 1.0, 1.0 // depth is the least v/peak
	since, longest := 0, 0
	var sum, squares, falls float64
	first := 0
	for k, end := range p.Step { // Step begins at 0 and ends at the horizon
		for _, i := range index[first:end] {
			x := r[i]
			sum += x
			squares += float64(x * x)
			under := x - rf
			under -= math.Abs(under) // twice what is missing to rf; no branch: returns change sign at random
			falls += float64(under * under)
			v *= 1 + x
			since++
			if v >= peak {
				peak = v
				if since > 1 { // at 1 it rose without having been under water
					longest = max(longest, since)
				}
				since = 0
			} else if v < depth*peak {
				depth = v / peak
			}
		}
		at[k*p.Draws+b], first = v, end
	}
	p.Growth[b], p.Drawdown[b], p.Underwater[b] = v, depth-1, float64(max(longest, since))
	n := float64(len(index))
	p.Sharpe[b], p.Sortino[b] = sharpeOf(n, sum, squares, rf), sortinoOf(n, sum, falls/4, rf)
}

// sortinoOf is the ratio from n, sum and the sum of squares of what is missing to rf; 0 for a sample that
// neither rises nor falls.
func sortinoOf(n, s, falls, rf float64) float64 {
	m := s/n - rf
	if math.Abs(m) <= 1e-14 {
		return 0
	}
	return m / math.Sqrt(falls/n)
}

// sharpeOf is the ratio from n, sum and sum of squares; 0 for a sample that does not move.
func sharpeOf(n, s, s2, rf float64) float64 {
	m := s / n
	v := (s2 - float64(n*m*m)) / (n - 1)
	if !(v > 1e-28) {
		return 0
	}
	return (m - rf) / math.Sqrt(v)
}

// leaveOut computes the sample's own figures, and those without each of its blocks.
func (p *Paths) leaveOut(r []float64, rf float64) {
	type sums struct{ n, s, s2, falls, log float64 }
	add := func(x []float64) (k sums) {
		for _, v := range x {
			under := min(v-rf, 0)
			k.n++
			k.s += v
			k.s2 += float64(v * v)
			k.falls += float64(under * under)
			k.log += math.Log1p(v)
		}
		return k
	}
	all := add(r)
	p.sharpe, p.growth, p.sortino = sharpeOf(all.n, all.s, all.s2, rf), all.log/all.n, sortinoOf(all.n, all.s, all.falls, rf)
	size := max(1, int(math.Round(p.Block)))
	for i := 0; i < len(r); i += size {
		b := add(r[i:min(i+size, len(r))])
		n := all.n - b.n
		if n < 2 {
			return
		}
		p.without[0] = append(p.without[0], sharpeOf(n, all.s-b.s, all.s2-b.s2, rf))
		p.without[1] = append(p.without[1], (all.log-b.log)/n)
		p.without[2] = append(p.without[2], sortinoOf(n, all.s-b.s, all.falls-b.falls, rf))
	}
}

// SharpeInterval is the BCa interval of the annual Sharpe ratio.
func (p *Paths) SharpeInterval(perYear float64) Interval {
	return BCa(p.Sharpe, p.sharpe, p.without[0], p.Confidence).times(math.Sqrt(perYear))
}

// SortinoInterval is the BCa interval of the annual Sortino ratio; an end is infinite where too many
// paths never fall.
func (p *Paths) SortinoInterval(perYear float64) Interval {
	return BCa(p.Sortino, p.sortino, p.without[2], p.Confidence).times(math.Sqrt(perYear))
}

// CAGRInterval is the BCa interval of the growth a year over paths that last so many years.
func (p *Paths) CAGRInterval(years float64) Interval {
	log := make([]float64, len(p.Growth))
	for i, g := range p.Growth {
		log[i] = math.Log(g) / float64(p.Horizon)
	}
	i := BCa(log, p.growth, p.without[1], p.Confidence)
	perYear := float64(p.Horizon) / years
	return Interval{math.Expm1(i.Low * perYear), math.Expm1(i.High * perYear)}
}

// DrawdownInterval is the percentile interval of the deepest fall. It is the range of what the same
// sessions in other orders would have done, more than an estimate of one true figure.
func (p *Paths) DrawdownInterval() Interval { return Percentile(p.Drawdown, p.Confidence) }

// LossProbability is the share of paths that end below their start.
func (p *Paths) LossProbability() float64 { return shareUnder(p.Growth, 1) }

// DrawdownProbability is the share of paths that fall by more than depth, a negative fraction.
func (p *Paths) DrawdownProbability(depth float64) float64 { return shareUnder(p.Drawdown, depth) }

func shareUnder(sorted []float64, x float64) float64 {
	k, _ := slices.BinarySearch(sorted, x)
	return float64(k) / float64(len(sorted))
}
