package overfit

import (
	"math"

	"backtester/backtest/stats"
)

// Test is a Sharpe ratio under a hypothesis about the true one: variances are those that hold if the
// hypothesis is true, so that error rates are what they are called (Lopez de Prado, Lipton and
// Zoonekynd 2025, How to Use the Sharpe Ratio). Everything is of one period.
type Test struct {
	stats.Sharpe
	// Rho is the first autocorrelation of the returns, 0 for independent ones; NaN results at |Rho| >= 1.
	Rho float64
}

// Variance of the estimated ratio if the true one is sr. For independent normal returns it is
// (1 + sr^2/2)/n (Lo 2002). NaN where moments and Rho cannot go together and the formula falls to 0.
func (t Test) Variance(sr float64) float64 {
	b, c := t.Rho/(1-t.Rho), t.Rho*t.Rho/(1-t.Rho*t.Rho)
	v := (1 + 2*b - (1+b+c)*t.Skew*sr + (1+2*c)*(t.Kurtosis-1)/4*sr*sr) / float64(t.N)
	if !(math.Abs(t.Rho) < 1) || !(v > 0) {
		return math.NaN()
	}
	return v
}

// SE is the standard error at the ratio found.
func (t Test) SE() float64 { return math.Sqrt(t.Variance(t.SR)) }

// PSR is the probability of a smaller ratio than the one found if the true one is target: "PSR (null
// variance)", unlike stats.Sharpe.PSR, whose variance is that of the ratio found.
func (t Test) PSR(target float64) float64 { return stats.Phi(t.z(target)) }

// z is how many standard errors the ratio lies above target if that is the true one.
func (t Test) z(target float64) float64 { return (t.SR - target) / math.Sqrt(t.Variance(target)) }

// MinTRL is the number of returns from which a true ratio of target is rejected at the level alpha;
// NaN when the ratio found does not exceed it.
func (t Test) MinTRL(target, alpha float64) float64 {
	if !(t.SR > target) {
		return math.NaN()
	}
	z := stats.PhiInv(1-alpha) / (t.SR - target)
	return t.Variance(target) * float64(t.N) * z * z
}

// Critical is the ratio above which a true one of target is rejected at the level alpha.
func (t Test) Critical(target, alpha float64) float64 {
	return target + stats.PhiInv(1-alpha)*math.Sqrt(t.Variance(target))
}

// Power is the probability that a true ratio of truth is found where target is the hypothesis tested
// at the level alpha.
func (t Test) Power(target, truth, alpha float64) float64 {
	return 1 - stats.Phi((t.Critical(target, alpha)-truth)/math.Sqrt(t.Variance(truth)))
}

// PlannedFDR is the share of wrong discoveries among all when a share prior of the strategies tried
// has skill, at the level alpha and with the given power.
func PlannedFDR(prior, alpha, power float64) float64 {
	return 1 / (1 + power*prior/(alpha*(1-prior)))
}

// ObservedFDR is the probability that this strategy has no skill, given its ratio: that its true ratio
// is target rather than skilled, when a share prior of the strategies tried are skilled. NaN where the ratio is so large that
// neither law reaches it.
func (t Test) ObservedFDR(target, skilled, prior float64) float64 {
	p0, p1 := stats.Phi(-t.z(target)), stats.Phi(-t.z(skilled)) // not 1 - PSR, which ends at 1e-16
	return p0 * (1 - prior) / (p0*(1-prior) + p1*prior)
}
