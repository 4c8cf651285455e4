package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// Rows that few ask for: every other figure of the catalogues of quantstats, pyfolio, LEAN,
// PerformanceAnalytics and skfolio that says what it claims to say. CATALOGUE.md lists those that do not.

var rareBenchmarkRows = []Metric{
	{Key: "up_number", Name: "Rises with the market", Unit: Fraction, Group: BenchmarkGroup, Formula: "count(r > 0 and b > 0)/count(b > 0)", Source: "Bacon 2008", Sense: Higher, Needs: needsBench + " that rose at some session",
		Doc: "How often the run gained when the benchmark did.",
		of:  withBench(func(w *work) float64 { return jointly(w.r, w.bench().b, 1) })},
	{Key: "down_number", Name: "Falls with the market", Unit: Fraction, Group: BenchmarkGroup, Formula: "count(r < 0 and b < 0)/count(b < 0)", Source: "Bacon 2008", Sense: Lower, Needs: needsBench + " that fell at some session",
		Doc: "How often the run lost when the benchmark did.",
		of:  withBench(func(w *work) float64 { return jointly(w.r, w.bench().b, -1) })},
	{Key: "outperformance_1m", Name: "Months ahead of the benchmark", Unit: Fraction, Group: BenchmarkGroup, Formula: "count(run > benchmark)/count, complete months", Source: "PerformanceAnalytics", Sense: Higher, Needs: needsBench + " and " + needsMonth,
		Doc: "How often a holder was ahead after a month.",
		of:  withBench(func(w *work) float64 { return w.ahead(1) })},
	{Key: "outperformance_12m", Name: "Years ahead of the benchmark, rolling", Unit: Fraction, Group: BenchmarkGroup, Formula: "count(run > benchmark)/count over all runs of 12 complete months", Source: "PerformanceAnalytics", Sense: Higher, Needs: needsBench + " and twelve complete months",
		Doc: "How often a holder was ahead after a year, whenever it began. The windows overlap.",
		of:  withBench(func(w *work) float64 { return w.ahead(12) })},
	{Key: "outperformance_36m", Name: "Three years ahead of the benchmark, rolling", Unit: Fraction, Group: BenchmarkGroup, Formula: "count(run > benchmark)/count over all runs of 36 complete months", Source: "PerformanceAnalytics", Sense: Higher, Needs: needsBench + " and 36 complete months",
		Doc: "How often a holder was ahead after three years, whenever it began. The windows overlap.",
		of:  withBench(func(w *work) float64 { return w.ahead(36) })},
}

var rareRiskRows = []Metric{
	{Key: "gini", Name: "Gini's mean difference", Unit: Fraction, Group: RiskGroup, Formula: "mean|r_i - r_j| over all pairs", Source: "Gini 1912; Yitzhaki 1982", Sense: Lower, Needs: needsTwo,
		Doc: "Two sessions differ by so much on average. For normal returns 1.128 times the deviation of a session; it needs no second moment.",
		of:  func(w *work) float64 { return meanDifference(w.rising()) }},
	{Key: "gain_deviation", Name: "Gain deviation", Unit: Fraction, Group: RiskGroup, Formula: "sd(r, r > 0) sqrt(N), n-1", Source: "Bacon 2008", Sense: None, Needs: "at least two rising sessions",
		Doc: "How much gains differ from each other; zero when all are alike, however large.",
		of:  func(w *work) float64 { return w.sideDeviation(1) * math.Sqrt(w.perYear) }},
	{Key: "loss_deviation", Name: "Loss deviation", Unit: Fraction, Group: RiskGroup, Formula: "sd(r, r < 0) sqrt(N), n-1", Source: "Bacon 2008", Sense: Lower, Needs: "at least two falling sessions",
		Doc: "How much losses differ from each other. Not the downside deviation, which counts how large they are.",
		of:  func(w *work) float64 { return w.sideDeviation(-1) * math.Sqrt(w.perYear) }},
}

var rareRatioRows = []Metric{
	{Key: "sortino_se", Name: "Sortino, standard error", Unit: Ratio, Group: RatioGroup, Formula: "sqrt(mean(i^2)/n) sqrt(N), i = (e - m)/d - m (min(e,0)^2 - d^2)/(2 d^3), m = mean(e), d = sqrt(mean(min(e,0)^2))", Source: "delta method", Sense: Lower, Needs: "a losing session",
		Doc: "For independent returns of any law.",
		of:  func(w *work) float64 { return w.sortinoSE() * math.Sqrt(w.perYear) }},
	{Key: "sortino_low", Name: "Sortino, lower 95%", Unit: Ratio, Group: RatioGroup, Formula: "sortino - 1.96 sortino_se", Source: "delta method", Sense: Higher, Needs: "a losing session",
		Doc: "How low the true ratio may be.",
		of:  func(w *work) float64 { return w.sortino() - z95*w.sortinoSE()*math.Sqrt(w.perYear) }},
	{Key: "sortino_high", Name: "Sortino, upper 95%", Unit: Ratio, Group: RatioGroup, Formula: "sortino + 1.96 sortino_se", Source: "delta method", Sense: Higher, Needs: "a losing session",
		Doc: "How high it may be.",
		of:  func(w *work) float64 { return w.sortino() + z95*w.sortinoSE()*math.Sqrt(w.perYear) }},
	{Key: "probabilistic_sortino", Name: "Probabilistic Sortino", Unit: Probability, Group: RatioGroup, Formula: "Phi(sortino/sortino_se)", Source: "delta method", Sense: Higher, Needs: "a losing session",
		Doc: "Probability that the true ratio is above 0. Not the formula of the probabilistic Sharpe ratio with another number put in.",
		of: func(w *work) float64 {
			return Phi(safeDiv(w.sortino(), w.sortinoSE()*math.Sqrt(w.perYear)))
		}},
	{Key: "prospect", Name: "Prospect ratio", Unit: Ratio, Group: RatioGroup, Formula: "mean(max(r,0) + 2.25 min(r,0))/sqrt(mean(min(r,0)^2)), one session", Source: "Watanabe 2006", Sense: Higher, Needs: "a losing session",
		Doc: "A loss weighs 2.25 times a gain, as people were found to feel it: negative for most stocks.",
		of: func(w *work) float64 {
			return safeDiv(w.hpm(0, 1)-2.25*w.lpm(0, 1), w.downside(0))
		}},
}

var rareDrawdownRows = []Metric{
	{Key: "edar_95", Name: "Entropic drawdown at risk, 95%", Unit: Fraction, Group: DrawdownGroup, Formula: "as evar_95, of dd over bars", Source: "Cajas 2021", Sense: Higher, Needs: needsSession,
		Doc: "The tightest bound that the exponential moments put on the drawdown at risk, below the conditional one.",
		of: func(w *work) float64 {
			u, n := w.underwater(), float64(w.underwater().n)
			return entropic(w.depths().lowest, math.Sqrt(max(0, u.sum2/n-u.sum/n*(u.sum/n))), 0.05)
		}},
	{Key: "max_drawdown_fall_bars", Name: "Max drawdown, fall in bars", Unit: Bars, Group: DrawdownGroup, Formula: "peak to trough", Source: "definition", Sense: None, Needs: needsDrawdown,
		Doc: "Bars down.",
		of: func(w *work) float64 {
			return w.worst(func(e Episode) float64 { return float64(e.Trough - e.Peak) })
		}},
	{Key: "max_drawdown_recovery_bars", Name: "Max drawdown, way back in bars", Unit: Bars, Group: DrawdownGroup, Formula: "trough to recovery", Source: "definition", Sense: Lower, Needs: "a deepest drawdown that was recovered",
		Doc: "Bars up again. Empty while the drawdown is open.",
		of: func(w *work) float64 {
			return w.worst(closedOnly(func(e Episode) float64 { return float64(e.Recovery - e.Trough) }))
		}},
	{Key: "average_recovery_days", Name: "Average way back", Unit: Days, Group: DrawdownGroup, Formula: "mean of trough to recovery, recovered episodes", Source: "definition", Sense: Lower, Needs: "a drawdown that was recovered",
		Doc: "Calendar days up again.",
		of: func(w *work) float64 {
			var days []float64
			for _, e := range w.underwater().episodes {
				if !e.Open {
					days = append(days, daysBetween(e.TroughDate, e.RecoveryDate))
				}
			}
			return mean(days)
		}},
}

var rareTailRows = []Metric{
	{Key: "var_99_normal", Name: "Value at risk, 99%, normal", Unit: Fraction, Group: TailGroup, Formula: "mean(r) - 2.326 sd(r)", Source: "RiskMetrics 1996", Sense: Higher, Needs: needsVary,
		Doc: "Far above the quantile of what happened: the tail is fatter than the normal law's.",
		of:  func(w *work) float64 { return w.raw.mean + PhiInv(0.01)*w.raw.sd() }},
	{Key: "es_99_normal", Name: "Expected shortfall, 99%, normal", Unit: Fraction, Group: TailGroup, Formula: "mean(r) - phi(2.326)/0.01 sd(r)", Source: "Rockafellar and Uryasev 2000", Sense: Higher, Needs: needsVary,
		Doc: "Average of the worst session in a hundred if returns were normal.",
		of:  func(w *work) float64 { return w.raw.mean - density(PhiInv(0.01))/0.01*w.raw.sd() }},
	{Key: "es_95_cornish_fisher", Name: "Expected shortfall, 95%, Cornish-Fisher", Unit: Fraction, Group: TailGroup, Formula: "mean - phi(h)/0.05 (1 + h^3 S/6 + (h^4 - 2h^2 - 1) K/24 + (h^6 - 9h^4 + 9h^2 + 3) S^2/72) sd, h of var_95_cornish_fisher, population moments", Source: "Boudt, Peterson and Croux 2008", Sense: Higher, Needs: needsVary + ", in the range of the expansion",
		Doc: "The normal law's, corrected for skewness and tails.",
		of:  func(w *work) float64 { return cornishFisherShortfall(w.raw, 0.05) }},
	{Key: "outlier_win", Name: "Outlier win ratio", Unit: Ratio, Group: TailGroup, Formula: "99% quantile of r, type 7 / mean(r, r > 0)", Source: "quantstats, zeros apart", Sense: None, Needs: "a rising session",
		Doc: "How many average gains the best session in a hundred is.",
		of:  func(w *work) float64 { return safeDiv(-w.ends().high.quantile(0.01), w.sideMean(1)) }},
	{Key: "outlier_loss", Name: "Outlier loss ratio", Unit: Ratio, Group: TailGroup, Formula: "1% quantile of r, type 7 / mean(r, r < 0)", Source: "quantstats", Sense: Lower, Needs: "a falling session",
		Doc: "How many average losses the worst session in a hundred is.",
		of:  func(w *work) float64 { return safeDiv(w.ends().low.quantile(0.01), w.sideMean(-1)) }},
}

var rareExposureRows = []Metric{
	{Key: "max_long", Name: "Largest long exposure", Unit: Fraction, Group: ExposureGroup, Formula: "max(long/V) at session closes", Source: "definition", Sense: None, Needs: needsExposure,
		Doc: "Above 1: bought with borrowed money.",
		of:  func(w *work) float64 { return w.oneSide(1) }},
	{Key: "max_short", Name: "Largest short exposure", Unit: Fraction, Group: ExposureGroup, Formula: "max(|short|/V) at session closes", Source: "definition", Sense: None, Needs: needsExposure,
		Doc: "Losses on it have no bound.",
		of:  func(w *work) float64 { return w.oneSide(-1) }},
	{Key: "max_net", Name: "Largest net exposure", Unit: Fraction, Group: ExposureGroup, Formula: "max((long - |short|)/V) at session closes", Source: "definition", Sense: None, Needs: needsExposure,
		Doc: "The most that was bet on rising prices.",
		of:  func(w *work) float64 { return most(w.in.Net) }},
	{Key: "min_net", Name: "Least net exposure", Unit: Fraction, Group: ExposureGroup, Formula: "min((long - |short|)/V) at session closes", Source: "definition", Sense: None, Needs: needsExposure,
		Doc: "Negative: the most that was bet on falling prices.",
		of:  func(w *work) float64 { return least(w.in.Net) }},
	{Key: "capital_days", Name: "Days to turn the account over", Unit: Days, Group: ExposureGroup, Formula: "365.25/turnover", Source: "definition", Sense: None, Needs: "something traded",
		Doc: "Calendar days in which as much is bought, and as much sold, as the account is worth.",
		of:  func(w *work) float64 { return safeDiv(365.25, w.turnover()) }},
}

// jointly is the share of sessions with sign*b > 0 in which r had that sign too.
func jointly(r, b []float64, sign float64) float64 {
	n, both := 0, 0
	for i, v := range b { // no branch: returns change sign at random
		is := b2i(sign*v > 0)
		n += is
		both += is & b2i(sign*r[i] > 0)
	}
	return safeDiv(float64(both), float64(n))
}

// ahead is the share of windows of so many complete months after which the run was ahead of its benchmark.
func (w *work) ahead(months int) float64 {
	var ratio []float64 // growth of the run over that of the benchmark, since the first complete month
	at := 1.0
	for i, m := range w.calendar().months {
		if m.Partial {
			continue
		}
		if len(ratio) == 0 {
			ratio = append(ratio, 1)
		}
		at *= (1 + m.Return) / (1 + w.bench().months[i].Return)
		ratio = append(ratio, at)
	}
	won, n := 0, 0
	for i := months; i < len(ratio); i++ {
		n++
		won += b2i(ratio[i] > ratio[i-months]*(1+dust))
	}
	return safeDiv(float64(won), float64(n))
}

// meanDifference is the mean distance of all pairs of values that rise: the sum of (2i - n - 1) x_i over
// n(n-1)/2 (Yitzhaki 1982).
func meanDifference(c []float64) float64 {
	n := len(c)
	if n < 2 {
		return math.NaN()
	}
	middle := c[n/2] // the weights add up to 0: distances from the middle keep the terms small
	var s sum
	for i, v := range c {
		s = s.add(float64(2*i-n+1) * (v - middle))
	}
	return s.value() / (float64(n) / 2 * float64(n-1))
}

// ascending are the values of x sorted, by distributing them over as many cells as there are values: the few
// that share a cell are sorted by comparison. Cost: O(n) for values without gaps, O(n log n) at worst.
func ascending(x []float64, m moments) []float64 {
	n, half := len(x), 4*math.Sqrt(m.m2)
	out := make([]float64, n)
	if n < 200 || !(half > 0) || math.IsInf(half, 0) {
		copy(out, x)
		slices.Sort(out)
		return out
	}
	low, per := m.mean-half, float64(n)/(2*half)
	cell := func(v float64) int { return min(max(int((v-low)*per), 0), n-1) }
	end, at := make([]int32, n), int32(0)
	for _, v := range x {
		end[cell(v)]++
	}
	for i, k := range end {
		end[i] = at
		at += k
	}
	for _, v := range x {
		i := cell(v)
		out[end[i]] = v
		end[i]++
	}
	for from, i := int32(0), 0; i < n; from, i = end[i], i+1 {
		if end[i]-from > 1 {
			slices.Sort(out[from:end[i]])
		}
	}
	return out
}

// sides are how many returns are above and below 0.
func (w *work) sides() (rising, falling float64) {
	n := w.memo.sides.get(func() [2]float64 {
		var n [2]int
		for _, v := range w.r { // no branch: returns change sign at random
			n[0] += b2i(v > 0)
			n[1] += b2i(v < 0)
		}
		return [2]float64{float64(n[0]), float64(n[1])}
	})
	return n[0], n[1]
}

// sideMean is the mean of the returns with this sign.
func (w *work) sideMean(sign float64) float64 {
	n, falling := w.sides()
	if sign < 0 {
		n = falling
	}
	return sign * safeDiv(w.partial(0, sign, 1)*w.n(), n)
}

// sideDeviation is the deviation of the returns with this sign: from their sums, unless they differ so
// little that nothing would be left of it.
func (w *work) sideDeviation(sign float64) float64 {
	n, falling := w.sides()
	if sign < 0 {
		n = falling
	}
	if n < 2 {
		return math.NaN()
	}
	m := w.sideMean(sign)
	v := w.partial(0, sign, 2)*w.n()/n - float64(m*m)
	if v < 1e-4*m*m {
		return variance(onSide(w.r, sign)).sd()
	}
	return math.Sqrt(v * n / (n - 1))
}

// onSide are the values of x with this sign, in a new slice.
func onSide(x []float64, sign float64) []float64 {
	out := make([]float64, 0, len(x))
	for _, v := range x {
		if sign*v > 0 {
			out = append(out, v)
		}
	}
	return out
}

// sortinoSE is the standard error of the ratio of one session: the mean square of what each session
// contributes to it, to first order.
func (w *work) sortinoSE() float64 {
	return *w.memo.sortinoSE.get(func() float64 {
		m, d2 := w.ex.mean, w.lpm(w.rf, 2)
		d := math.Sqrt(d2)
		if !(d > 0) {
			return math.NaN()
		}
		own, square := 1/d, m/(2*d2*d)
		var s sum
		for lo := 0; lo < len(w.r); lo += 256 { // squares: plain sums of blocks lose nothing that matters
			b := 0.0
			for _, v := range w.r[lo:min(lo+256, len(w.r))] {
				e := v - w.rf
				low := (e - math.Abs(e)) / 2
				i := float64((e-m)*own) - float64((float64(low*low)-d2)*square)
				b += float64(i * i)
			}
			s = s.add(b)
		}
		return math.Sqrt(s.value()) / w.n()
	})
}

// cornishFisherShortfall is the mean below the Cornish-Fisher quantile by the Edgeworth expansion of the
// same order; NaN where cornishFisher is.
func cornishFisherShortfall(m moments, p float64) float64 {
	v := cornishFisher(m, p)
	root := math.Sqrt(m.m2)
	h := (v - m.mean) / root
	s, k, h2 := m.g3(), m.g4()-3, h*h
	e := density(h) / p * (1 + h*h2*s/6 + (h2*h2-2*h2-1)*k/24 + (h2*h2*h2-9*h2*h2+9*h2+3)*s*s/72)
	return m.mean - e*root
}

// density is that of the standard normal law.
func density(z float64) float64 { return math.Exp(-z*z/2) / math.Sqrt(2*math.Pi) }

// oneSide is the largest long (sign 1) or short (-1) exposure of any session close; NaN when not known.
func (w *work) oneSide(sign float64) float64 {
	top := math.NaN()
	for i := range min(len(w.in.Gross), len(w.in.Net)) {
		if v := (w.in.Gross[i] + sign*w.in.Net[i]) / 2; !(v <= top) {
			top = v
		}
	}
	return top
}

// edge is the probability that the share of winners among trades that are not even is above 1/(1+payoff),
// where winners of that payoff and losers cancel out: by the uniform prior its law is Beta(1+wins,
// 1+losses). The payoff is taken as it was.
func (t *tally) edge() float64 {
	if t.wins == 0 || t.losses == 0 {
		return math.NaN()
	}
	payoff := t.avgWin() / -t.avgLoss()
	return mathext.RegIncBeta(1+float64(t.losses), 1+float64(t.wins), payoff/(1+payoff))
}
