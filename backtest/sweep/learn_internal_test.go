package sweep

import (
	"math"
	"math/rand/v2"
	"testing"
)

// A density is one even part and a Gaussian around each place that was tried, however often it was.
func TestDensityIsASumOfGaussians(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		m := 1 + r.IntN(60)
		z := newParzen(&Space{Names: []string{"a"}, Values: [][]float64{make([]float64, m)}, size: int64(m)}, 1)
		var list []tried
		for range r.IntN(80) {
			list = append(list, tried{digits: []int{r.IntN(m)}})
		}
		d, w := r.IntN(m), math.Max(0.7, float64(m)/10)
		want := 1 / float64(m)
		for _, x := range list {
			u := float64(d-x.digits[0]) / w
			want += math.Exp(-u*u/2) / (w * math.Sqrt(2*math.Pi))
		}
		want /= float64(len(list) + 1)
		if got := z.density(peaksOf(list, 0), len(list), 0, d); math.Abs(got-want) > 1e-13 {
			t.Fatalf("place %d of %d after %d: %v, want %v", d, m, len(list), got, want)
		}
	}
}

// What has to be proposed after thousands of trials comes as soon as after a few.
func BenchmarkProposeAfterThousands(b *testing.B) {
	space := &Space{Names: []string{"a", "b", "c"}, Values: [][]float64{make([]float64, 50), make([]float64, 50), make([]float64, 50)}, size: 50 * 50 * 50}
	z, r := newParzen(space, 1), rand.New(rand.NewPCG(1, 1))
	for range 9000 {
		d := []int{r.IntN(50), r.IntN(50), r.IntN(50)}
		z.done = append(z.done, tried{d, -float64(d[0] + d[1] + d[2])})
	}
	for b.Loop() {
		z.propose(roundSize, false)
	}
}
