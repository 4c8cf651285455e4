package bootstrap

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// At every rank lies what lies there after sorting, whatever the values look like.
func TestSettle(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	shapes := map[string]func(i, n int) float64{
		"random":     func(int, int) float64 { return r.NormFloat64() },
		"few values": func(int, int) float64 { return float64(r.IntN(3)) },
		"all equal":  func(int, int) float64 { return 1 },
		"rising":     func(i, _ int) float64 { return float64(i) },
		"falling":    func(i, n int) float64 { return float64(n - i) },
		"saw":        func(i, _ int) float64 { return float64(i % 7) },
		"outlier":    func(i, _ int) float64 { return r.NormFloat64() + math.Pow(1e9, float64(i%499/498)) },
		"far apart":  func(i, _ int) float64 { return math.MaxFloat64 * float64(i%3-1) },
		"infinite":   func(i, _ int) float64 { return math.Inf(i%5 - 1) },
		"tiny":       func(int, int) float64 { return math.SmallestNonzeroFloat64 * float64(r.IntN(9)) },
	}
	for name, shape := range shapes {
		for _, n := range []int{1, 2, 47, 48, 49, 50, 999, 5000} {
			x := make([]float64, n)
			for i := range x {
				x[i] = shape(i, n)
			}
			want := slices.Sorted(slices.Values(x))
			ranks := ranksOf(FanLevels(), n)
			settle(x, ranks)
			for _, k := range ranks {
				if x[k] != want[k] {
					t.Errorf("%s of %d: %g at rank %d, want %g", name, n, x[k], k, want[k])
				}
			}
			if slices.Sort(x); !slices.Equal(x, want) {
				t.Errorf("%s of %d: values were lost", name, n)
			}
		}
	}
}

func BenchmarkSettle(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 6))
	from, x := make([]float64, 80*5000), make([]float64, 5000)
	for i := range from {
		from[i] = math.Exp(.2 * r.NormFloat64())
	}
	ranks := ranksOf(FanLevels(), len(x))
	for k := 0; b.Loop(); k = (k + 1) % 80 {
		copy(x, from[k*len(x):])
		settle(x, ranks)
	}
}
