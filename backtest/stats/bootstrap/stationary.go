// Package bootstrap says how far a result is from chance by drawing its own sessions, trades and
// positions again.
//
// In: session returns, trade returns, positions, as plain columns, with a seed and a number of draws.
// Out: distributions, intervals and p-values. It refuses columns of unequal length, which are a
// caller's fault, by a panic; a sample too short to be drawn from gives NaN.
//
// Sessions are drawn in blocks by the stationary bootstrap (Politis and Romano 1994), because
// volatility comes in clusters and single draws would hide the drawdowns that follow from it. All
// numbers come from one generator with the given seed, so equal input gives equal output on every
// machine. No draw knows more than the history it draws from: what never happened there does not
// happen here.
package bootstrap

import (
	"math"
	"math/bits"
	"math/rand/v2"
)

// dice are random numbers: PCG-DXSM, whose sequence for a seed is fixed.
type dice struct{ rand.PCG }

func newDice(seed uint64) *dice {
	return &dice{*rand.NewPCG(seed, 0x9e3779b97f4a7c15)}
}

// below is a number from 0 to n-1. The deviation from evenness is n in 2^64.
func (d *dice) below(n int) int {
	hi, _ := bits.Mul64(d.Uint64(), uint64(n))
	return int(hi)
}

// Stationary draws indices of a sample in blocks of random length that wrap around at its end.
type Stationary struct {
	dice    *dice
	n       int
	restart uint64 // a block ends where a random word is below this
}

// NewStationary draws from n observations in blocks of the mean length given, at least 1; a mean
// length of n or more still ends blocks at random.
func NewStationary(n int, block float64, seed uint64) *Stationary {
	if n < 1 {
		panic("BUG: a bootstrap of nothing")
	}
	s := &Stationary{dice: newDice(seed), n: n, restart: math.MaxUint64}
	if q := restartRate(block); q < 1 {
		s.restart = uint64(q * (1 << 64))
	}
	return s
}

// restartRate is the probability that a block ends.
func restartRate(block float64) float64 {
	if !(block > 1) {
		return 1
	}
	return 1 / block
}

// Indices fills dst with the indices of one resample. Each call draws another one.
func (s *Stationary) Indices(dst []int32) {
	at := s.n // so that the first begins a block
	for i := range dst {
		at++
		if i == 0 || s.dice.Uint64() < s.restart {
			at = s.dice.below(s.n)
		} else if at >= s.n {
			at = 0
		}
		dst[i] = int32(at)
	}
}

// Variance is the exact variance that the stationary bootstrap gives to the mean of x, times n: the
// variance of one observation corrected for how observations follow each other within blocks
// (Politis and Romano 1994, lemma 1). Cost: O(n x min(n, 80 x block)).
func Variance(x []float64, block float64) float64 {
	n := len(x)
	if n == 0 {
		return math.NaN()
	}
	q := restartRate(block)
	m := meanOf(x)
	d := make([]float64, n)
	for i, v := range x {
		d[i] = v - m
	}
	total := autocovariance(d, 0)
	stay := 1 - q
	// The weight of lag i falls like stay^i from both ends: what is under 1e-17 is left out.
	reach := n
	if q > 0 {
		reach = int(math.Min(float64(n), 2+40/q))
	}
	for i := 1; i < n; i++ {
		if i > reach && n-i > reach {
			i = n - reach
		}
		k := float64(n-i)/float64(n)*math.Pow(stay, float64(i)) + float64(i)/float64(n)*math.Pow(stay, float64(n-i))
		total += float64(2 * k * autocovariance(d, i))
	}
	return total
}

// autocovariance of lag k of centred values, with n in the denominator.
func autocovariance(d []float64, k int) float64 {
	s := 0.0
	for i := k; i < len(d); i++ {
		s += float64(d[i] * d[i-k])
	}
	return s / float64(len(d))
}

func meanOf(x []float64) float64 {
	s := 0.0
	for _, v := range x {
		s += v
	}
	return s / float64(len(x))
}
