package overfit

import (
	"cmp"
	"math"
	"slices"

	"backtester/backtest/stats"

	"gonum.org/v1/gonum/mat"
)

// Sidak is the p-value of the best of n independent trials, each tested with p: the probability that
// at least one of n worthless ones does as well. n need not be whole.
func Sidak(p, n float64) float64 { return -math.Expm1(n * math.Log1p(-p)) }

// Bonferroni is the same bound for trials that depend on each other in any way.
func Bonferroni(p, n float64) float64 { return math.Min(1, p*n) }

// Holm adjusts the p-values of a family for the chance that any of them is wrong (Holm 1979). The
// result is in the order of p.
func Holm(p []float64) []float64 {
	out := make([]float64, len(p))
	worst := 0.0
	for i, k := range rising(p) {
		worst = math.Max(worst, math.Min(1, p[k]*float64(len(p)-i)))
		out[k] = worst
	}
	return out
}

// BHY adjusts the p-values of a family for the share of those called significant that are wrong, under
// any dependence (Benjamini and Yekutieli 2001). The result is in the order of p.
func BHY(p []float64) []float64 {
	n := len(p)
	c := 0.0
	for i := range n {
		c += 1 / float64(i+1)
	}
	out := make([]float64, n)
	order := rising(p)
	least := 1.0
	for i := n - 1; i >= 0; i-- {
		k := order[i]
		least = math.Min(least, p[k]*float64(n)*c/float64(i+1))
		out[k] = least
	}
	return out
}

// rising is the order of p, ties as they stand.
func rising(p []float64) []int {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	return order
}

// Haircut is a Sharpe ratio as if it had been the only one tried (Harvey and Liu 2015, J. Portfolio
// Management 42(1)).
type Haircut struct {
	P        float64 // two-sided, of the ratio as found
	Adjusted float64 // after n trials
	Sharpe   float64 // the ratio, of one session, whose p-value alone is Adjusted
	Cut      float64 // share of the ratio that is gone
}

// HaircutSharpe corrects the ratio of s for n independent trials by Sidak's formula. The ratio is
// tested by its own standard error under no skill; a ratio of 0 or less has nothing to cut: NaN.
func HaircutSharpe(s stats.Sharpe, n float64) Haircut {
	root := math.Sqrt(float64(s.N))
	p := 2 * stats.Phi(-s.SR*root)
	h := Haircut{P: p, Adjusted: Sidak(p, n), Sharpe: math.NaN(), Cut: math.NaN()}
	if !(s.SR > 0) {
		h.P, h.Adjusted = math.NaN(), math.NaN()
		return h
	}
	h.Sharpe = 0
	if h.Adjusted < 1 {
		h.Sharpe = math.Max(0, -stats.PhiInv(h.Adjusted/2)/root)
	}
	if n <= 1 {
		h.Sharpe = s.SR // without going through the tails of the law and back
	}
	h.Cut = 1 - h.Sharpe/s.SR
	return h
}

// EffectiveTrials is how many independent trials n trials are worth whose returns have the mean
// correlation rho (Bailey and Lopez de Prado 2014, appendix): n at 0, 1 at 1.
func EffectiveTrials(rho, n float64) float64 { return rho + (1-rho)*n }

// EffectiveRank is the number of independent directions in a correlation matrix, rows of equal
// length: the exponential of the entropy of its eigenvalues (Roy and Vetterli 2007). NaN for a matrix
// that has no eigenvalues.
func EffectiveRank(correlation [][]float64) float64 {
	n := len(correlation)
	if n == 0 {
		return math.NaN()
	}
	m := mat.NewSymDense(n, nil)
	for i, row := range correlation {
		for j := i; j < n; j++ {
			m.SetSym(i, j, row[j])
		}
	}
	var e mat.EigenSym
	if !e.Factorize(m, false) {
		return math.NaN()
	}
	values := e.Values(nil)
	total := 0.0
	for _, v := range values {
		total += math.Max(v, 0)
	}
	h := 0.0
	for _, v := range values {
		if p := v / total; p > 0 {
			h -= p * math.Log(p)
		}
	}
	return math.Exp(h)
}
