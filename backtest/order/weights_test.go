package order_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"backtester/backtest/order"
)

// Two securities with volatilities of 20 % and 10 %: whatever their correlation, the weights are 1 to 2.
func TestParityOfTwo(t *testing.T) {
	for _, rho := range []float64{-0.5, 0, 0.9} {
		c := rho * 0.2 * 0.1
		w := make([]float64, 2)
		if !order.Parity(w, []float64{0.04, c, c, 0.01}) || math.Abs(w[0]-1.0/3) > 1e-12 || math.Abs(w[1]-2.0/3) > 1e-12 {
			t.Errorf("correlation %g: %v, want 1/3 and 2/3", rho, w)
		}
	}
}

// Every weight is positive, they sum to 1 and each contributes the same risk.
func TestParityContributions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "n")
		loads := rapid.SliceOfN(rapid.Float64Range(-1, 1), n*n, n*n).Draw(t, "loads")
		cov := make([]float64, n*n)
		for i := range n {
			for j := range n {
				for k := range n {
					cov[i*n+j] += loads[i*n+k] * loads[j*n+k]
				}
			}
			cov[i*n+i] += 0.1
		}
		w := make([]float64, n)
		if !order.Parity(w, cov) {
			t.Fatalf("no answer for %v", cov)
		}
		sum, risk := 0.0, make([]float64, n)
		for i := range w {
			sum += w[i]
			for j := range w {
				risk[i] += w[i] * cov[i*n+j] * w[j]
			}
		}
		for i := range w {
			if !(w[i] > 0) || math.Abs(risk[i]-risk[0]) > 1e-9*math.Abs(risk[0]) {
				t.Fatalf("weights %v contribute %v", w, risk)
			}
		}
		if math.Abs(sum-1) > 1e-12 {
			t.Fatalf("weights %v sum to %g", w, sum)
		}
	})
}

func TestScale(t *testing.T) {
	w := []float64{3, -1, 0}
	if !order.Scale(w, 0.8) || math.Abs(w[0]-0.6) > 1e-15 || math.Abs(w[1]+0.2) > 1e-15 || w[2] != 0 {
		t.Errorf("%v", w)
	}
	if order.Scale([]float64{0, 0}, 1) || order.Scale([]float64{math.Inf(1)}, 1) || order.Scale([]float64{math.NaN()}, 1) {
		t.Error("weights without a sum were scaled")
	}
}
