package bootstrap

import "slices"

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

// settle moves values so that at each of the ranks, which rise, lies what would lie there if x were
// sorted. The rest is in no order. x holds no NaN. Cost: O(n log(ranks)), where sorting takes O(n log(n)).
func settle(x []float64, ranks []int) { settleFrom(x, ranks, 0) }

func settleFrom(x []float64, ranks []int, offset int) {
	for len(ranks) > 0 {
		if len(x) <= 48 {
			slices.Sort(x)
			return
		}
		// Around the median of three, in three parts: less, equal, greater.
		a, b, c := x[len(x)/4], x[len(x)/2], x[3*len(x)/4]
		pivot := max(min(a, b), min(max(a, b), c))
		less, at, greater := 0, 0, len(x)
		for at < greater {
			switch v := x[at]; {
			case v < pivot:
				x[at], x[less] = x[less], v
				less++
				at++
			case v > pivot:
				greater--
				x[at], x[greater] = x[greater], v
			default:
				at++
			}
		}
		low, _ := slices.BinarySearch(ranks, offset+less)
		high, _ := slices.BinarySearch(ranks, offset+greater)
		settleFrom(x[:less], ranks[:low], offset)
		x, ranks, offset = x[greater:], ranks[high:], offset+greater
	}
}
