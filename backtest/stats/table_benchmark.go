package stats

import "math"

var benchmarkRows = []Metric{
	{Key: "benchmark_total_return", Name: "Benchmark total return", Unit: Fraction, Group: BenchmarkGroup, Formula: "B_n/B_0 - 1", Source: "definition", Sense: None, Needs: needsBench,
		Doc: "Dividends reinvested, no costs.",
		of:  func(w *work) float64 { return levelReturn(w.bench().level) }},
	{Key: "benchmark_cagr", Name: "Benchmark CAGR", Unit: Fraction, Group: BenchmarkGroup, Formula: "as cagr", Source: "definition", Sense: None, Needs: needsBench + " and 365 calendar days",
		Doc: "Growth a year of the benchmark.",
		of:  func(w *work) float64 { return growth(w.in.Dates, w.bench().level) }},
	{Key: "benchmark_volatility", Name: "Benchmark volatility", Unit: Fraction, Group: BenchmarkGroup, Formula: "as volatility", Source: "definition", Sense: None, Needs: needsBench,
		Doc: "Of the benchmark's session returns.",
		of:  func(w *work) float64 { return w.bench().raw.sd() * math.Sqrt(w.perYear) }},
	{Key: "benchmark_sharpe", Name: "Benchmark Sharpe ratio", Unit: Ratio, Group: BenchmarkGroup, Formula: "as sharpe", Source: "Sharpe 1994", Sense: None, Needs: needsBench,
		Doc: "Of the benchmark.",
		of: func(w *work) float64 {
			return safeDiv(w.bench().raw.mean-w.rf, w.bench().raw.sd()) * math.Sqrt(w.perYear)
		}},
	{Key: "benchmark_sortino", Name: "Benchmark Sortino ratio", Unit: Ratio, Group: BenchmarkGroup, Formula: "as sortino", Source: "Sortino and Price 1994", Sense: None, Needs: needsBench,
		Doc: "Of the benchmark.",
		of: func(w *work) float64 {
			return safeDiv(w.bench().raw.mean-w.rf, math.Sqrt(partial(w.bench().b, w.rf, -1, 2))) * math.Sqrt(w.perYear)
		}},
	{Key: "benchmark_max_drawdown", Name: "Benchmark max drawdown", Unit: Fraction, Group: BenchmarkGroup, Formula: "as max_drawdown, on session closes", Source: "definition", Sense: None, Needs: needsBench,
		Doc: "Deepest fall of the benchmark.",
		of:  withBench(func(w *work) float64 { e, _ := w.bench().water.worst(); return e.Depth })},
	{Key: "benchmark_calmar", Name: "Benchmark MAR", Unit: Ratio, Group: BenchmarkGroup, Formula: "as calmar, on session closes", Source: "Managed Account Reports", Sense: None, Needs: needsBench + " and 365 calendar days",
		Doc: "Of the benchmark.",
		of: withBench(func(w *work) float64 {
			e, _ := w.bench().water.worst()
			return safeDiv(growth(w.in.Dates, w.bench().level), -e.Depth)
		})},
	{Key: "benchmark_best_day", Name: "Benchmark best session", Unit: Fraction, Group: BenchmarkGroup, Formula: "max b", Source: "definition", Sense: None, Needs: needsBench,
		Doc: "Of the benchmark.",
		of:  func(w *work) float64 { return most(w.bench().b) }},
	{Key: "benchmark_worst_day", Name: "Benchmark worst session", Unit: Fraction, Group: BenchmarkGroup, Formula: "min b", Source: "definition", Sense: None, Needs: needsBench,
		Doc: "Of the benchmark.",
		of:  func(w *work) float64 { return least(w.bench().b) }},
	{Key: "benchmark_skewness", Name: "Benchmark skewness", Unit: Ratio, Group: BenchmarkGroup, Formula: "as skewness", Source: "Joanes and Gill 1998", Sense: None, Needs: needsBench,
		Doc: "Of the benchmark.",
		of:  func(w *work) float64 { return w.bench().raw.skewness() }},
	{Key: "benchmark_excess_kurtosis", Name: "Benchmark excess kurtosis", Unit: Ratio, Group: BenchmarkGroup, Formula: "as excess_kurtosis", Source: "Joanes and Gill 1998", Sense: None, Needs: needsBench,
		Doc: "Of the benchmark.",
		of:  func(w *work) float64 { return w.bench().raw.excessKurtosis() }},
	{Key: "benchmark_ulcer_index", Name: "Benchmark ulcer index", Unit: Fraction, Group: BenchmarkGroup, Formula: "as ulcer_index, on session closes", Source: "Martin and McCann 1989", Sense: None, Needs: needsBench,
		Doc: "Of the benchmark.",
		of:  withBench(func(w *work) float64 { return math.Sqrt(w.bench().water.sum2 / float64(w.bench().water.n)) })},
	{Key: "excess_return", Name: "Return above the benchmark", Unit: Fraction, Group: BenchmarkGroup, Formula: "total_return - benchmark_total_return", Source: "definition", Sense: Higher, Needs: needsBench,
		Doc: "Over the whole run, not annualised.",
		of:  func(w *work) float64 { return levelReturn(w.in.Equity) - levelReturn(w.bench().level) }},
	{Key: "beta", Name: "Beta", Unit: Ratio, Group: BenchmarkGroup, Formula: "cov(e, eb)/var(eb)", Source: "Sharpe 1964", Sense: None, Needs: needsBench,
		Doc: "Move of the run for a move of the benchmark.",
		of:  withBench(func(w *work) float64 { return w.bench().beta })},
	{Key: "alpha", Name: "Alpha", Unit: Fraction, Group: BenchmarkGroup, Formula: "(mean(e) - beta mean(eb)) N", Source: "Jensen 1968, arithmetic", Sense: Higher, Needs: needsBench,
		Doc: "Return a year that the benchmark does not explain.",
		of:  withBench(func(w *work) float64 { return w.bench().alpha * w.perYear })},
	{Key: "alpha_t", Name: "t of alpha", Unit: Ratio, Group: BenchmarkGroup, Formula: "alpha over its least squares standard error", Source: "ordinary least squares", Sense: Higher, Needs: needsBench + " and three sessions",
		Doc: "Under 2: alpha is not distinguishable from 0.",
		of:  withBench(func(w *work) float64 { return w.bench().alphaT })},
	{Key: "alpha_p", Name: "p of alpha", Unit: Probability, Group: BenchmarkGroup, Formula: "two-sided Student, n-2", Source: "ordinary least squares", Sense: Lower, Needs: needsBench + " and three sessions",
		Doc: "Chance of such an alpha without skill, for one trial.",
		of:  withBench(func(w *work) float64 { return studentP(w.bench().alphaT, w.n()-2) })},
	{Key: "correlation", Name: "Correlation", Unit: Ratio, Group: BenchmarkGroup, Formula: "cov(r, b)/(sd(r) sd(b))", Source: "Pearson 1895", Sense: None, Needs: needsBench + " and returns that vary",
		Doc: "Of session returns.",
		of:  withBench(func(w *work) float64 { return w.bench().corr })},
	{Key: "r_squared", Name: "R squared", Unit: Fraction, Group: BenchmarkGroup, Formula: "correlation^2", Source: "definition", Sense: None, Needs: needsBench + " and returns that vary",
		Doc: "Share of the variance that the benchmark explains.",
		of:  withBench(func(w *work) float64 { return w.bench().corr * w.bench().corr })},
	{Key: "tracking_error", Name: "Tracking error", Unit: Fraction, Group: BenchmarkGroup, Formula: "sd(r - b) sqrt(N), n-1", Source: "definition", Sense: None, Needs: needsBench,
		Doc: "Volatility of the difference.",
		of:  withBench(func(w *work) float64 { return w.bench().diff.sd() * math.Sqrt(w.perYear) })},
	{Key: "active_return", Name: "Active return", Unit: Fraction, Group: BenchmarkGroup, Formula: "N mean(r - b)", Source: "definition", Sense: Higher, Needs: needsBench,
		Doc: "Arithmetic, a year.",
		of:  withBench(func(w *work) float64 { return w.bench().diff.mean * w.perYear })},
	{Key: "information_ratio", Name: "Information ratio", Unit: Ratio, Group: BenchmarkGroup, Formula: "active_return/tracking_error", Source: "Grinold and Kahn 1999", Sense: Higher, Needs: needsBench + " that the run does not copy",
		Doc: "Sharpe ratio of the difference.",
		of:  withBench(func(w *work) float64 { return safeDiv(w.bench().diff.mean, w.bench().diff.sd()) * math.Sqrt(w.perYear) })},
	{Key: "treynor", Name: "Treynor ratio", Unit: Ratio, Group: BenchmarkGroup, Formula: "(cagr - rf)/beta", Source: "Treynor 1965", Sense: Higher, Needs: needsBench + " and a CAGR",
		Doc: "Growth a year for each unit of beta.",
		of:  withBench(func(w *work) float64 { return safeDiv(w.cagr-w.in.RiskFreeAnnual, w.bench().beta) })},
	{Key: "m2", Name: "M2", Unit: Fraction, Group: BenchmarkGroup, Formula: "rf + sharpe volatility(b)", Source: "Modigliani and Modigliani 1997", Sense: Higher, Needs: needsBench + " and returns that vary",
		Doc: "Return a year if scaled to the volatility of the benchmark.",
		of: withBench(func(w *work) float64 {
			return w.in.RiskFreeAnnual + w.sharpe()*w.bench().raw.sd()*math.Sqrt(w.perYear)
		})},
	{Key: "appraisal", Name: "Appraisal ratio", Unit: Ratio, Group: BenchmarkGroup, Formula: "alpha/(sd(residual) sqrt(N)), n-1", Source: "Treynor and Black 1973", Sense: Higher, Needs: needsBench + " that does not explain the run wholly",
		Doc: "Alpha for each unit of risk of its own.",
		of:  withBench(func(w *work) float64 { return w.appraisal() })},
	{Key: "up_capture", Name: "Up capture", Unit: Ratio, Group: BenchmarkGroup, Formula: "geometric mean of complete months over the benchmark's, months with b > 0", Source: "Morningstar", Sense: Higher, Needs: needsBench + " and a complete month in which it rose",
		Doc: "Part of rising months that was caught.",
		of:  withBench(func(w *work) float64 { return w.bench().capture(w, true) })},
	{Key: "down_capture", Name: "Down capture", Unit: Ratio, Group: BenchmarkGroup, Formula: "as up_capture, months with b < 0", Source: "Morningstar", Sense: Lower, Needs: needsBench + " and a complete month in which it fell",
		Doc: "Part of falling months that was suffered.",
		of:  withBench(func(w *work) float64 { return w.bench().capture(w, false) })},
	{Key: "bull_beta", Name: "Beta when the benchmark rises", Unit: Ratio, Group: BenchmarkGroup, Formula: "beta over sessions with eb > 0", Source: "definition", Sense: None, Needs: needsBench + " and two sessions in which it rose",
		Doc: "Above the bear beta: convexity.",
		of:  withBench(func(w *work) float64 { return w.bench().bull })},
	{Key: "bear_beta", Name: "Beta when the benchmark falls", Unit: Ratio, Group: BenchmarkGroup, Formula: "beta over sessions with eb < 0", Source: "definition", Sense: Lower, Needs: needsBench + " and two sessions in which it fell",
		Doc: "How much of a falling market is shared.",
		of:  withBench(func(w *work) float64 { return w.bench().bear })},
	{Key: "batting_average", Name: "Batting average", Unit: Fraction, Group: BenchmarkGroup, Formula: "count(r > b)/n", Source: "definition", Sense: Higher, Needs: needsBench,
		Doc: "Share of sessions better than the benchmark.",
		of:  withBench(func(w *work) float64 { return w.bench().batting(w) })},
}

// withBench leaves a row undefined without a benchmark.
func withBench(f func(*work) float64) func(*work) float64 {
	return func(w *work) float64 {
		if !w.bench().ok {
			return math.NaN()
		}
		return f(w)
	}
}

func (w *work) appraisal() float64 {
	if w.bench().residual <= flatVariance*w.n() {
		return math.NaN()
	}
	return w.bench().alpha * w.perYear / w.specificRisk()
}
