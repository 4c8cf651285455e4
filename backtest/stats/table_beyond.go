package stats

import (
	"math"
	"slices"
)

// Rows that take apart what others lump together: risk now and of one side, what a bound on any tail
// says, what came from the market, and trades on the account rather than on their own value.

var beyondReturnRows = []Metric{
	{Key: "without_best_days", Name: "Total return without the best sessions", Unit: Fraction, Group: ReturnGroup, Formula: "prod(1 + r) - 1 without the best 1% of sessions, at least one", Source: "definition", Sense: Higher, Needs: needsSession,
		Doc: "Negative for a run that gained: a few sessions made the result.",
		of:  func(w *work) float64 { v, _ := withoutBest(w.copied(w.r), 0.01); return v }},
	{Key: "best_5_days_share", Name: "Share of the best five sessions", Unit: Fraction, Group: ReturnGroup, Formula: "sum of the five largest ln(1 + r) / ln(V_n/V_0)", Source: "definition", Sense: Lower, Needs: "a positive total return over at least 100 sessions",
		Doc: "Concentration in time. May exceed 1.",
		of:  func(w *work) float64 { return w.bestDaysShare() }},
	{Key: "best_year_share", Name: "Share of the best year", Unit: Fraction, Group: ReturnGroup, Formula: "largest ln(1 + year) / ln(V_n/V_0), years in part included", Source: "definition", Sense: Lower, Needs: "a positive total return over two calendar years",
		Doc: "Concentration in time. May exceed 1.",
		of:  func(w *work) float64 { return w.bestYearShare() }},
}

var beyondRiskRows = []Metric{
	{Key: "semi_deviation", Name: "Semi-deviation", Unit: Fraction, Group: RiskGroup, Formula: "sqrt(mean(min(r - mean(r), 0)^2)) sqrt(N), all n", Source: "Markowitz 1959", Sense: Lower, Needs: needsSession,
		Doc: "Deviation below the mean only; for symmetric returns it is the volatility over sqrt(2).",
		of:  func(w *work) float64 { return w.downside(w.raw.mean) * math.Sqrt(w.perYear) }},
	{Key: "ewma_volatility", Name: "Volatility at the end", Unit: Fraction, Group: RiskGroup, Formula: "sqrt(sum(0.94^k r_{n-k}^2)/sum(0.94^k)) sqrt(N)", Source: "RiskMetrics 1996", Sense: Lower, Needs: needsSession,
		Doc: "Weighs the last month or so: far above the volatility of the run, its risk has just changed.",
		of:  func(w *work) float64 { return w.volatilityNow() * math.Sqrt(w.perYear) }},
}

var beyondRatioRows = []Metric{
	{Key: "sharpe_session", Name: "Sharpe ratio of a session", Unit: Ratio, Group: RatioGroup, Formula: "mean(e)/sd(e), n-1", Source: "Sharpe 1994", Sense: Higher, Needs: needsVary,
		Doc: "Not scaled to a year: what standard errors and probabilities are computed from.",
		of:  func(w *work) float64 { return w.sr.SR }},
	{Key: "sharpe_yearly", Name: "Sharpe from years", Unit: Ratio, Group: RatioGroup, Formula: "mean(e)/sd(e), complete years", Source: "Sharpe 1994", Sense: Higher, Needs: "at least two complete years that vary",
		Doc: "A check that needs many years: its standard error is about one over the root of their number.",
		of: func(w *work) float64 {
			m := momentsOf(w.calendar().year)
			return safeDiv(m.mean-w.in.RiskFreeAnnual, m.sd())
		}},
	{Key: "burke_runs", Name: "Burke ratio, runs of losses", Unit: Ratio, Group: RatioGroup, Formula: "(annual_return - rf)/sqrt(sum of squared runs of losing sessions, each compounded)", Source: "PerformanceAnalytics", Sense: Higher, Needs: "a year of sessions and a losing session",
		Doc: "What PerformanceAnalytics calls Burke ratio: a drawdown ends there with the first session that does not lose.",
		of: func(w *work) float64 {
			if w.sessionsInYear < 1 {
				return math.NaN()
			}
			return safeDiv(w.annual()-w.in.RiskFreeAnnual, math.Sqrt(squaredRuns(w.r)))
		}},
}

var beyondTailRows = []Metric{
	{Key: "evar_95", Name: "Entropic value at risk, 95%", Unit: Fraction, Group: TailGroup, Formula: "-min over t > 0 of (ln mean(exp(-t r)) - ln 5%)/t", Source: "Ahmadi-Javid 2012", Sense: Higher, Needs: needsSession,
		Doc: "The tightest bound that the exponential moments put on the value at risk and on the expected shortfall.",
		of:  func(w *work) float64 { return entropic(w.r, w.raw.sd(), 0.05) }},
}

var beyondTradeRows = []Metric{
	{Key: "median_win_bars", Name: "Median holding of winners", Unit: Bars, Group: TradeGroup, Formula: "median bars held", Source: "definition", Sense: None, Needs: needsWin,
		Doc: "Bars from entry to exit.",
		of:  func(w *work) float64 { return median(w.trades().winBars) }},
	{Key: "median_loss_bars", Name: "Median holding of losers", Unit: Bars, Group: TradeGroup, Formula: "median bars held", Source: "definition", Sense: None, Needs: needsLoss,
		Doc: "Compare with that of winners.",
		of:  func(w *work) float64 { return median(w.trades().lossBars) }},
	{Key: "top_symbol_share", Name: "Share of the best symbol", Unit: Fraction, Group: TradeGroup, Formula: "largest profit of a symbol / net profit of closed trades", Source: "definition", Sense: Lower, Needs: "a net profit of the closed trades, of two symbols or more",
		Doc: "Concentration in one company. May exceed 1.",
		of:  func(w *work) float64 { return w.topSymbolShare() }},
	{Key: "expectancy_equity", Name: "Expectancy on equity", Unit: Fraction, Group: TradeGroup, Formula: "mean(profit/V before the entry)", Source: "definition", Sense: Higher, Needs: needsDated,
		Doc: "What a trade adds to the account, whatever part of it was at stake.",
		of:  func(w *work) float64 { return mean(w.onEquity()) }},
	{Key: "worst_trade_equity", Name: "Worst trade on equity", Unit: Fraction, Group: TradeGroup, Formula: "min(profit/V before the entry)", Source: "definition", Sense: Higher, Needs: needsDated,
		Doc: "The most that one trade took of the account.",
		of:  func(w *work) float64 { return least(w.onEquity()) }},
}

var beyondBenchmarkRows = []Metric{
	{Key: "market_return", Name: "Return from the market", Unit: Fraction, Group: BenchmarkGroup, Formula: "beta mean(eb) N", Source: "Jensen 1968, arithmetic", Sense: None, Needs: needsBench,
		Doc: "A year's: with alpha and the risk-free rate of N sessions it is the arithmetic mean a year.",
		of:  withBench(func(w *work) float64 { return w.bench().beta * (w.bench().raw.mean - w.rf) * w.perYear })},
	{Key: "systematic_risk", Name: "Risk from the market", Unit: Fraction, Group: BenchmarkGroup, Formula: "|beta| volatility(b)", Source: "Sharpe 1964", Sense: None, Needs: needsBench,
		Doc: "Part of the volatility that moves with the benchmark.",
		of: withBench(func(w *work) float64 {
			return math.Abs(w.bench().beta) * w.bench().raw.sd() * math.Sqrt(w.perYear)
		})},
	{Key: "specific_risk", Name: "Risk of its own", Unit: Fraction, Group: BenchmarkGroup, Formula: "sd(residual) sqrt(N), n-1", Source: "Sharpe 1964", Sense: None, Needs: needsBench,
		Doc: "Its square and that of the risk from the market add up to the variance.",
		of:  withBench(func(w *work) float64 { return w.specificRisk() })},
	{Key: "capture_ratio", Name: "Capture ratio", Unit: Ratio, Group: BenchmarkGroup, Formula: "up_capture/down_capture", Source: "Morningstar", Sense: Higher, Needs: needsBench + " and complete months in which it rose and fell",
		Doc: "Above 1 while both are positive: more of the rises than of the falls.",
		of: withBench(func(w *work) float64 {
			return safeDiv(w.bench().capture(w, true), w.bench().capture(w, false))
		})},
	{Key: "beta_fragility", Name: "Beta fragility", Unit: Fraction, Group: BenchmarkGroup, Formula: "r where b is least and r where it is most, weighed by their distance from the median of b, less r where b is at the median", Source: "Taleb et al. 2012; empyrical", Sense: Higher, Needs: needsBench + " and three sessions",
		Doc: "Negative: extreme sessions of the benchmark hurt. Three sessions decide it, so it is no more than a hint.",
		of:  withBench(func(w *work) float64 { return fragility(w.r, w.bench().b, w.copied(w.bench().b)) })},
}

var beyondExposureRows = []Metric{
	{Key: "average_long", Name: "Average long exposure", Unit: Fraction, Group: ExposureGroup, Formula: "mean(long/V) at session closes", Source: "definition", Sense: None, Needs: needsExposure,
		Doc: "Half of gross and net exposure together.",
		of:  func(w *work) float64 { return (w.gross() + w.net()) / 2 }},
	{Key: "average_short", Name: "Average short exposure", Unit: Fraction, Group: ExposureGroup, Formula: "mean(|short|/V) at session closes", Source: "definition", Sense: None, Needs: needsExposure,
		Doc: "Half of the difference between gross and net exposure.",
		of:  func(w *work) float64 { return (w.gross() - w.net()) / 2 }},
}

const needsDated = "a closed trade with the date of its entry"

// logGrowth is ln(V_n/V_0); NaN unless it is positive.
func (w *work) logGrowth() float64 {
	if g := math.Log(w.last() / w.first()); g > dust {
		return g
	}
	return math.NaN()
}

func (w *work) bestDaysShare() float64 {
	const days = 5
	if len(w.r) < 100 { // the tail that is kept sorted holds 5 % and two more
		return math.NaN()
	}
	var s sum
	for _, v := range w.ends().high.lowest[:days] {
		s = s.add(math.Log1p(-v))
	}
	return s.value() / w.logGrowth()
}

func (w *work) bestYearShare() float64 {
	years, best := w.calendar().years, 0.0
	if len(years) < 2 {
		return math.NaN()
	}
	for _, y := range years {
		best = max(best, y.Return)
	}
	return math.Log1p(best) / w.logGrowth()
}

func (w *work) topSymbolShare() float64 {
	if !(w.trades().net > 0) {
		return math.NaN()
	}
	profit := map[string]float64{}
	for i := range w.in.Trades {
		if t := &w.in.Trades[i]; !t.Open {
			profit[t.Symbol] += t.PnL
		}
	}
	if len(profit) < 2 {
		return math.NaN()
	}
	best := math.Inf(-1)
	for _, p := range profit { // the largest of them, in whatever order
		best = max(best, p)
	}
	return best / w.trades().net
}

// volatilityNow is the root of the exponentially weighted mean of squared returns.
func (w *work) volatilityNow() float64 {
	const decay = 0.94
	sum, weight := 0.0, 0.0
	for _, v := range w.r {
		sum = float64(decay*sum) + float64(v*v)
		weight = float64(decay*weight) + 1
	}
	return math.Sqrt(safeDiv(sum, weight))
}

// squaredRuns is the sum of the squared returns of unbroken runs of losing sessions.
func squaredRuns(r []float64) float64 {
	var s sum
	growth := 1.0
	for _, v := range r {
		if v < 0 {
			growth *= 1 + v
		} else if growth != 1 {
			s = s.add((growth - 1) * (growth - 1))
			growth = 1
		}
	}
	s = s.add((growth - 1) * (growth - 1))
	return s.value()
}

// onEquity are the closed trades as fractions of equity.
func (w *work) onEquity() []float64 {
	return *w.memo.onEquity.get(func() []float64 { return OnEquity(w.in.Dates, w.in.Equity, w.in.Trades) })
}

func (w *work) specificRisk() float64 {
	return math.Sqrt(w.bench().residual/(w.n()-1)) * math.Sqrt(w.perYear)
}

// fragility is the heuristic of Taleb, Canetti, Kinda, Loukoianova and Schmieder (2012) on what was
// observed: how far the returns at both extremes of the benchmark lie above the one in its middle. c is a
// copy of b, which it puts out of order.
func fragility(r, b, c []float64) float64 {
	n := len(b)
	if n < 3 {
		return math.NaN()
	}
	k := int(math.RoundToEven(float64(n)/2)) + 1
	part(c, k)
	low, middle, high := least(b), most(c[:k]), most(b)
	at := func(v float64) float64 { return r[slices.Index(b, v)] }
	before, after := 0.5, 0.5
	if high > low {
		before, after = (middle-low)/(high-low), (high-middle)/(high-low)
	}
	return float64(before*at(low)) + float64(after*at(high)) - at(middle)
}
