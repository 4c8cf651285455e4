package bootstrap

import (
	"fmt"
	"slices"
)

// Timing asks whether positions were taken at the right times: whether the same positions, held at
// other times of the same history, would have done as well.
type Timing struct {
	Draws    int
	Seed     uint64
	Exact    bool      // every shift was tried instead of random ones
	Sharpe   float64   // of one session, of the positions as they were
	Null     []float64 // of the shifted ones, sorted rising
	P        float64   // share of shifts that did as well or better, the real one counted among them
	Observed float64   // mean return of a session as a fraction
}

// TestTiming shifts all positions together around the circle of the sessions, which keeps how long,
// how large and how often they were, and breaks only their tie to what the market did then. A rule
// that merely is long in a rising market gets a high p-value, where a test against zero would praise
// it.
//
// positions[s][t] is the fraction of equity held in symbol s over session t, whose return is
// returns[s][t]; cost is charged on every change of position as a fraction of the value traded. With
// at most draws sessions every shift is tried. nil under 8 sessions. Cost: O(draws x sessions x symbols).
func TestTiming(positions, returns [][]float64, cost float64, draws int, seed uint64) *Timing {
	if len(positions) != len(returns) || len(positions) == 0 {
		panic(fmt.Sprintf("BUG: positions of %d symbols and returns of %d", len(positions), len(returns)))
	}
	n := len(returns[0])
	for s := range returns {
		if len(returns[s]) != n || len(positions[s]) != n {
			panic("BUG: columns of positions and returns are not equally long")
		}
	}
	if n < 8 {
		return nil
	}
	if draws <= 0 {
		draws = 1000
	}
	t := &Timing{Seed: seed, Exact: n-1 <= draws}
	paid := make([]float64, n) // by the positions at t, wherever they are shifted to
	for s := range positions {
		before := positions[s][n-1]
		for i, w := range positions[s] {
			d := w - before
			if d < 0 {
				d = -d
			}
			paid[i] += float64(cost * d)
			before = w
		}
	}
	t.Sharpe, t.Observed = shifted(positions, returns, paid, 0)
	shifts := make([]int, 0, draws)
	if t.Exact {
		for k := 1; k < n; k++ {
			shifts = append(shifts, k)
		}
	} else {
		d := newDice(seed)
		for range draws {
			shifts = append(shifts, 1+d.below(n-1))
		}
	}
	t.Draws = len(shifts)
	reached := 0
	for _, k := range shifts {
		x, _ := shifted(positions, returns, paid, k)
		t.Null = append(t.Null, x)
		if x >= t.Sharpe {
			reached++
		}
	}
	slices.Sort(t.Null)
	t.P = float64(1+reached) / float64(t.Draws+1)
	return t
}

// shifted is the Sharpe ratio and the mean of the positions held k sessions later.
func shifted(positions, returns [][]float64, paid []float64, k int) (sharpe, mean float64) {
	n := len(paid)
	var s, s2 float64
	for t := range n {
		at := t - k
		if at < 0 {
			at += n
		}
		x := -paid[at]
		for i := range positions {
			x += float64(positions[i][at] * returns[i][t])
		}
		s += x
		s2 += float64(x * x)
	}
	return sharpeOf(float64(n), s, s2, 0), s / float64(n)
}
