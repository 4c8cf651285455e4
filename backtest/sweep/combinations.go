package sweep

import (
	"cmp"

	"backtester/backtest"
)

// mostTested is how many combinations Combinations holds against a constraint: a second's worth.
const mostTested = 10_000_000

// Combinations is how many combinations a search by method would play at most, "" for the method of the file.
// It looks at no data, so that a search beyond a limit is refused before anything is loaded: counting ends
// beyond most, and of a grid that is too large to be held against its constraint it is the size. A
// *PlanError is one that NewPlan would give as well. Cost: O(min(size of the grid, mostTested)).
func Combinations(cfg *backtest.Config, method string, most int64) (int64, error) {
	space, err := NewSpace(cfg)
	if err != nil {
		return 0, &PlanError{err}
	}
	search := searchOf(cfg)
	switch method = cmp.Or(method, search.Method, "grid"); method {
	case "random", "sobol", "tpe":
		return min(int64(search.Samples), space.size), nil
	case "grid":
	default:
		return 0, &PlanError{noMethod(method)}
	}
	if space.constraint == nil || space.size > mostTested {
		return space.size, nil
	}
	n, v := int64(0), sieve{space: space}
	block := make([]int64, 0, sieveBlock)
	for from := int64(0); from < space.size && n <= most; from += sieveBlock {
		block = block[:0]
		for k := from; k < min(from+sieveBlock, space.size); k++ {
			block = append(block, k)
		}
		v.meets(block, func(int64) { n++ })
	}
	return n, nil
}
