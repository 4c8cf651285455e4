package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// eulerGamma is the Euler-Mascheroni constant.
const eulerGamma = 0.57721566490153286060651209008240243

// z95 is the 97.5 % point of the normal law: half the width of a two-sided 95 % interval.
const z95 = 1.959963984540054

// Phi is the distribution function of the standard normal law.
func Phi(x float64) float64 { return 0.5 * math.Erfc(-x/math.Sqrt2) }

// PhiInv is the inverse of Phi; NaN outside (0, 1).
func PhiInv(p float64) float64 {
	if !(p > 0 && p < 1) {
		return math.NaN()
	}
	return mathext.NormalQuantile(p)
}

// Sharpe describes an observed Sharpe ratio and the sample it comes from. Everything is in terms of
// one period: nothing is annualised.
type Sharpe struct {
	SR       float64 // mean excess return / standard deviation (n-1)
	N        int     // returns
	Skew     float64 // population skewness
	Kurtosis float64 // population kurtosis, 3 for the normal law
}

// bracket is the variance of the estimate times n-1. It can fall to zero or below only for moments
// that no sample has.
func (s Sharpe) bracket() float64 {
	v := 1 - s.Skew*s.SR + (s.Kurtosis-1)/4*s.SR*s.SR
	if !(v > 0) {
		return math.NaN()
	}
	return v
}

// SE is the standard error of SR for independent returns of any law (Mertens 2002): one period's.
func (s Sharpe) SE() float64 {
	if s.N < 2 {
		return math.NaN()
	}
	return math.Sqrt(s.bracket() / float64(s.N-1))
}

// PSR is the probability that the true Sharpe ratio exceeds target, a ratio of one period (Bailey
// and Lopez de Prado 2012, J. Risk 15(2)).
func (s Sharpe) PSR(target float64) float64 { return Phi((s.SR - target) / s.SE()) }

// MinTRL is the number of returns from which PSR(target) reaches confidence, such as 0.95; NaN when
// SR does not exceed the target (same source).
func (s Sharpe) MinTRL(target, confidence float64) float64 {
	if !(s.SR > target) {
		return math.NaN()
	}
	z := PhiInv(confidence) / (s.SR - target)
	return 1 + s.bracket()*z*z
}

// ExpectedMax is the expected largest of n independent standard normal numbers, by the
// approximation of Bailey and Lopez de Prado (2014): within 3 % from n = 5 on. 0 for n <= 1. n need
// not be whole, because effective numbers of trials are not; between 1 and 2, where the approximation
// would be negative, it rises evenly.
func ExpectedMax(n float64) float64 {
	if n <= 1 {
		return 0
	}
	if n < 2 {
		return (n - 1) * ExpectedMax(2)
	}
	return (1-eulerGamma)*PhiInv(1-1/n) + eulerGamma*PhiInv(1-1/(n*math.E))
}

// DSR is the deflated Sharpe ratio: PSR against the best of n trials whose one-period Sharpe ratios
// have the given variance, none of them with an edge (Bailey and Lopez de Prado 2014, J. Portfolio
// Management 40(5)). target is the one-period Sharpe ratio that luck alone reaches.
func (s Sharpe) DSR(variance, n float64) (dsr, target float64) {
	target = math.Sqrt(variance) * ExpectedMax(n)
	return s.PSR(target), target
}

// MinBTL is the length in years below which the best of n worthless trials is expected to show an
// annual Sharpe ratio of sr (Bailey, Borwein, Lopez de Prado, Zhu 2014).
func MinBTL(n, sr float64) float64 {
	x := ExpectedMax(n) / sr
	return x * x
}

// LoEta converts a one-period Sharpe ratio to q periods when returns are first-order
// autoregressive with coefficient rho: sqrt(q) for rho = 0 (Lo 2002, Financial Analysts Journal 58(4)).
func LoEta(q, rho float64) float64 {
	if !(math.Abs(rho) < 1) {
		return math.NaN()
	}
	v := 1 + 2*rho/(1-rho)*(1-(1-math.Pow(rho, q))/(q*(1-rho)))
	return math.Sqrt(q / v)
}

// Wilson is the 95 % interval of a share of successes (Wilson 1927); NaN for no trials.
func Wilson(successes, trials float64) (low, high float64) {
	if !(trials > 0) {
		return math.NaN(), math.NaN()
	}
	p := successes / trials
	z2 := z95 * z95 / trials
	mid := (p + z2/2) / (1 + z2)
	half := z95 / (1 + z2) * math.Sqrt(p*(1-p)/trials+z2/(4*trials))
	return max(0, mid-half), min(1, mid+half)
}

// studentP is the two-sided p-value of t with df degrees of freedom.
func studentP(t, df float64) float64 {
	if math.IsNaN(t) || !(df > 0) {
		return math.NaN()
	}
	return mathext.RegIncBeta(df/2, 0.5, df/(df+t*t))
}

// chiP is the probability of a chi-squared value above x with df degrees of freedom.
func chiP(x, df float64) float64 {
	if math.IsNaN(x) || x < 0 {
		return math.NaN()
	}
	return mathext.GammaIncRegComp(df/2, x/2)
}
