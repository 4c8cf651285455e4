package bootstrap

import (
	"math"
	"slices"
)

// ranksOf are the places of n sorted values that quantiles at these levels are read from, rising.
func ranksOf(levels []float64, n int) []int {
	var out []int
	for _, l := range levels {
		i := int(l * float64(n-1))
		out = append(out, i, min(i+1, n-1))
	}
	out = append(out, n-1)
	slices.Sort(out)
	return slices.Compact(out)
}

// bins are the drawers that settle lays values in: of a few thousand values, a handful in each.
const bins = 1024

// settle moves values so that at each of the ranks, which rise, lies what would lie there if x were
// sorted. The rest is in no order. x holds no NaN. Values are laid in drawers of equal width, and only
// drawers that hold a rank are sorted. Cost: O(n), where most values do not share one drawer.
func settle(x []float64, ranks []int) {
	low, high := slices.Min(x), slices.Max(x)
	scale := (bins - 1) / (high - low)
	if !(scale > 0) || math.IsInf(scale, 1) { // all equal, or too far apart
		slices.Sort(x)
		return
	}
	drawer := func(v float64) int { return int(float64((v - low) * scale)) } // never falls where v rises
	var end [bins]int                                                        // at first how many values lie in a drawer
	for _, v := range x {
		end[drawer(v)]++
	}
	at := 0
	for k, n := range end {
		end[k], at = at, at+n // where the drawer begins; after the values are laid, where it ends
	}
	laid := make([]float64, len(x))
	for _, v := range x {
		k := drawer(v)
		laid[end[k]] = v
		end[k]++
	}
	first, k := 0, 0
	for _, r := range ranks {
		if r < first {
			continue // in the drawer that was sorted last
		}
		for ; end[k] <= r; k++ {
			first = end[k]
		}
		slices.Sort(laid[first:end[k]])
		first = end[k]
	}
	copy(x, laid)
}
