package bootstrap

import (
	"fmt"
	"math"
	"slices"
)

// Reordering is what the same trades in other orders would have done. Their product is always the
// same, so that it says something about the way only, nothing about the end: there is no
// distribution of final wealth in it.
type Reordering struct {
	Draws    int
	Seed     uint64
	Growth   float64   // product of all 1 + f: the same for every order
	Drawdown []float64 // deepest fall of each order, sorted rising, fractions
	Observed float64   // that of the order that was
}

// Reorder shuffles trade returns f, each a fraction of the equity at its entry, and follows the
// equity of trade after trade: drawdowns within a trade, and of trades at the same time, are not in
// it. draws <= 0 means 5,000, or fewer where there are so many trades that it would take long. nil
// under 2 trades, where one of them loses everything, or where some order leaves the range of numbers.
func Reorder(f []float64, draws int, seed uint64) *Reordering {
	if len(f) < 2 || !chains(f) {
		return nil
	}
	if draws <= 0 {
		draws = min(5000, max(200, 20_000_000/len(f)))
	}
	r := &Reordering{Draws: draws, Seed: seed, Drawdown: make([]float64, draws)}
	r.Growth, r.Observed = chain(f)
	order := slices.Clone(f)
	d := newDice(seed)
	for b := range r.Drawdown {
		for i := len(order) - 1; i > 0; i-- { // Fisher and Yates
			j := d.below(i + 1)
			order[i], order[j] = order[j], order[i]
		}
		growth, depth := chain(order)
		if !(math.Abs(growth-r.Growth) <= 1e-9*math.Max(1, r.Growth)) {
			panic(fmt.Sprintf("BUG: an order of trades ends at %g, another at %g", growth, r.Growth))
		}
		r.Drawdown[b] = depth
	}
	slices.Sort(r.Drawdown)
	return r
}

// chains reports whether every order of f stays within the range of numbers.
func chains(f []float64) bool {
	var up, down float64
	for _, v := range f {
		if !(v > -1) {
			return false
		}
		up += math.Max(0, math.Log1p(v))
		down -= math.Min(0, math.Log1p(v))
	}
	return up < 600 && down < 600
}

// chain compounds trade returns: the product, and the deepest fall on the way.
func chain(f []float64) (growth, depth float64) {
	v, peak, low := 1.0, 1.0, 1.0
	for _, x := range f {
		v *= 1 + x
		if v >= peak {
			peak = v
		} else if v < low*peak {
			low = v / peak
		}
	}
	return v, low - 1
}
