package stats

import "math"

var riskRows = []Metric{
	{Key: "volatility", Name: "Volatility", Unit: Fraction, Group: RiskGroup, Formula: "sd(r) sqrt(N), n-1", Source: "definition", Sense: Lower, Needs: needsTwo,
		Doc: "Standard deviation of session returns, scaled to a year.",
		of:  func(w *work) float64 { return w.raw.sd() * math.Sqrt(w.perYear) }},
	{Key: "monthly_volatility", Name: "Volatility from months", Unit: Fraction, Group: RiskGroup, Formula: "sd(complete months) sqrt(12)", Source: "definition", Sense: Lower, Needs: "at least two complete months",
		Doc: "Far from the figure from sessions when returns are autocorrelated.",
		of:  func(w *work) float64 { return momentsOf(w.calendar().month).sd() * math.Sqrt(12) }},
	{Key: "downside_deviation", Name: "Downside deviation", Unit: Fraction, Group: RiskGroup, Formula: "sqrt(mean(min(r,0)^2)) sqrt(N), all n", Source: "Sortino and Price 1994", Sense: Lower, Needs: needsSession,
		Doc: "Only losses count, all sessions divide.",
		of:  func(w *work) float64 { return w.downside(0) * math.Sqrt(w.perYear) }},
	{Key: "upside_deviation", Name: "Upside deviation", Unit: Fraction, Group: RiskGroup, Formula: "sqrt(mean(max(r,0)^2)) sqrt(N), all n", Source: "definition", Sense: None, Needs: needsSession,
		Doc: "Only gains count, all sessions divide.",
		of:  func(w *work) float64 { return math.Sqrt(w.hpm(0, 2)) * math.Sqrt(w.perYear) }},
	{Key: "mean_absolute_deviation", Name: "Mean absolute deviation", Unit: Fraction, Group: RiskGroup, Formula: "mean|r - mean(r)|", Source: "definition", Sense: Lower, Needs: needsSession,
		Doc: "Of one session; less moved by outliers than the standard deviation.",
		of: func(w *work) float64 {
			return partial(w.r, w.raw.mean, 1, 1) + partial(w.r, w.raw.mean, -1, 1)
		}},
	{Key: "skewness", Name: "Skewness", Unit: Ratio, Group: RiskGroup, Formula: "adjusted Fisher-Pearson G1 of r", Source: "Joanes and Gill 1998", Sense: Higher, Needs: "at least three session returns that vary",
		Doc: "Negative: losses come larger than gains.",
		of:  func(w *work) float64 { return w.raw.skewness() }},
	{Key: "excess_kurtosis", Name: "Excess kurtosis", Unit: Ratio, Group: RiskGroup, Formula: "bias-adjusted G2 of r, 0 for the normal law", Source: "Joanes and Gill 1998", Sense: Lower, Needs: "at least four session returns that vary",
		Doc: "Above 0: extreme sessions are more frequent than the normal law says.",
		of:  func(w *work) float64 { return w.raw.excessKurtosis() }},
	{Key: "jarque_bera_p", Name: "Jarque-Bera p", Unit: Probability, Group: RiskGroup, Formula: "P(chi2_2 > n/6 (g3^2 + (g4-3)^2/4))", Source: "Jarque and Bera 1980", Sense: None, Needs: needsVary,
		Doc: "Small: the returns are not normal.",
		of: func(w *work) float64 {
			s, k := w.raw.g3(), w.raw.g4()-3
			return chiP(w.n()/6*(s*s+k*k/4), 2)
		}},
	{Key: "autocorrelation", Name: "Autocorrelation, lag 1", Unit: Ratio, Group: RiskGroup, Formula: "sum (r_t-m)(r_{t-1}-m) / sum (r_t-m)^2", Source: "definition", Sense: None, Needs: needsVary,
		Doc: "Above 0.1: returns are smoothed or prices stale, and annualised ratios flatter.",
		of:  func(w *work) float64 { return w.lagOne() }},
	{Key: "ljung_box_p", Name: "Ljung-Box p, 10 lags", Unit: Probability, Group: RiskGroup, Formula: "P(chi2_10 > n(n+2) sum rho_k^2/(n-k))", Source: "Ljung and Box 1978", Sense: None, Needs: "at least 11 session returns that vary",
		Doc: "Small: returns depend on earlier returns.",
		of:  func(w *work) float64 { return w.ljungBox(10) }},
}

var ratioRows = []Metric{
	{Key: "sharpe", Name: "Sharpe ratio", Unit: Ratio, Group: RatioGroup, Formula: "mean(e)/sd(e) sqrt(N), n-1", Source: "Sharpe 1994", Sense: Higher, Needs: needsVary,
		Doc: "Excess return a year for each unit of volatility. Read it with its interval.",
		of:  func(w *work) float64 { return w.sharpe() }},
	{Key: "sharpe_se", Name: "Sharpe standard error", Unit: Ratio, Group: RatioGroup, Formula: "sqrt((1 - g3 SR + (g4-1)/4 SR^2)/(n-1)) sqrt(N)", Source: "Mertens 2002", Sense: Lower, Needs: needsVary,
		Doc: "For independent returns of any law; SR of one session, population moments.",
		of:  func(w *work) float64 { return w.sharpeSE() }},
	{Key: "sharpe_low", Name: "Sharpe, lower 95%", Unit: Ratio, Group: RatioGroup, Formula: "sharpe - 1.96 sharpe_se", Source: "Mertens 2002", Sense: Higher, Needs: needsVary,
		Doc: "Below 0: the sample does not tell the strategy from luck.",
		of:  func(w *work) float64 { return w.sharpe() - z95*w.sharpeSE() }},
	{Key: "sharpe_high", Name: "Sharpe, upper 95%", Unit: Ratio, Group: RatioGroup, Formula: "sharpe + 1.96 sharpe_se", Source: "Mertens 2002", Sense: Higher, Needs: needsVary,
		Doc: "Upper end of the interval.",
		of:  func(w *work) float64 { return w.sharpe() + z95*w.sharpeSE() }},
	{Key: "sharpe_t", Name: "t of the mean return", Unit: Ratio, Group: RatioGroup, Formula: "mean(e)/sd(e) sqrt(n)", Source: "Student 1908", Sense: Higher, Needs: needsVary,
		Doc: "After many trials, 3 rather than 2 is the bar (Harvey, Liu and Zhu 2016).",
		of:  func(w *work) float64 { return w.sr.SR * math.Sqrt(w.n()) }},
	{Key: "sharpe_lo", Name: "Sharpe, autocorrelation-adjusted", Unit: Ratio, Group: RatioGroup, Formula: "SR eta(N), eta for first-order autoregressive returns", Source: "Lo 2002", Sense: Higher, Needs: needsVary,
		Doc: "What the Sharpe ratio would be if annualised with the autocorrelation of the returns.",
		of:  func(w *work) float64 { return w.sr.SR * LoEta(w.perYear, w.lagOne()) }},
	{Key: "sharpe_monthly", Name: "Sharpe from months", Unit: Ratio, Group: RatioGroup, Formula: "mean(e)/sd(e) sqrt(12), complete months", Source: "Sharpe 1994", Sense: Higher, Needs: "at least two complete months that vary",
		Doc: "A check: far below the figure from sessions means autocorrelation.",
		of: func(w *work) float64 {
			m := momentsOf(w.calendar().month)
			return safeDiv(m.mean-perPeriod(w.in.RiskFreeAnnual, 12), m.sd()) * math.Sqrt(12)
		}},
	{Key: "probabilistic_sharpe", Name: "Probabilistic Sharpe", Unit: Probability, Group: RatioGroup, Formula: "Phi(SR sqrt(n-1)/sqrt(1 - g3 SR + (g4-1)/4 SR^2))", Source: "Bailey and Lopez de Prado 2012", Sense: Higher, Needs: needsVary,
		Doc: "Probability that the true Sharpe ratio is above 0, had this been the only trial.",
		of:  func(w *work) float64 { return w.sr.PSR(0) }},
	{Key: "min_track_record", Name: "Minimum track record", Unit: Sessions, Group: RatioGroup, Formula: "1 + (1 - g3 SR + (g4-1)/4 SR^2)(1.645/SR)^2", Source: "Bailey and Lopez de Prado 2012", Sense: Lower, Needs: "a positive Sharpe ratio",
		Doc: "Sessions after which this Sharpe ratio differs from 0 at 95%.",
		of:  func(w *work) float64 { return w.sr.MinTRL(0, 0.95) }},
	{Key: "sortino", Name: "Sortino ratio", Unit: Ratio, Group: RatioGroup, Formula: "mean(r-rf) N / (sqrt(mean(min(r-rf,0)^2)) sqrt(N))", Source: "Sortino and Price 1994", Sense: Higher, Needs: "a losing session",
		Doc: "As Sharpe, with losses only as risk. All sessions divide.",
		of:  func(w *work) float64 { return w.sortino() }},
	{Key: "adjusted_sortino", Name: "Sortino / sqrt 2", Unit: Ratio, Group: RatioGroup, Formula: "sortino/sqrt(2)", Source: "Schwager 2012", Sense: Higher, Needs: "a losing session",
		Doc: "Comparable with the Sharpe ratio for symmetric returns.",
		of:  func(w *work) float64 { return w.sortino() / math.Sqrt2 }},
	{Key: "omega", Name: "Omega", Unit: Ratio, Group: RatioGroup, Formula: "sum(max(r,0))/sum(max(-r,0))", Source: "Keating and Shadwick 2002", Sense: Higher, Needs: "a losing session",
		Doc: "Gains over losses of sessions, threshold 0.",
		of:  func(w *work) float64 { return w.omega(0) }},
	{Key: "calmar", Name: "MAR (Calmar, whole run)", Unit: Ratio, Group: RatioGroup, Formula: "cagr/|max_drawdown|", Source: "Managed Account Reports", Sense: Higher, Needs: "a CAGR and a drawdown",
		Doc: "Growth a year for each unit of the deepest fall. Young's Calmar of 36 months is calmar_36m.",
		of:  func(w *work) float64 { return w.over(w.cagr) }},
	{Key: "calmar_36m", Name: "Calmar, last 36 months", Unit: Ratio, Group: RatioGroup, Formula: "return a year / |max drawdown| of the last 36 months, session closes", Source: "Young 1991", Sense: Higher, Needs: "36 months of history and a drawdown in them",
		Doc: "The original definition.",
		of:  func(w *work) float64 { return w.calmar36() }},
	{Key: "sterling", Name: "Sterling ratio", Unit: Ratio, Group: RatioGroup, Formula: "cagr/(|max_drawdown| + 10%)", Source: "Bacon 2008", Sense: Higher, Needs: "a CAGR",
		Doc: "Calmar softened for small drawdowns.",
		of:  func(w *work) float64 { return w.cagr / (0.1 - w.maxDrawdown()) }},
	{Key: "burke", Name: "Burke ratio", Unit: Ratio, Group: RatioGroup, Formula: "cagr/sqrt(sum of squared episode depths)", Source: "Burke 1994", Sense: Higher, Needs: "a CAGR and a drawdown",
		Doc: "Punishes several deep drawdowns, where Calmar sees one.",
		of:  func(w *work) float64 { return safeDiv(w.cagr, w.rootOfDepths()) }},
	{Key: "pain_ratio", Name: "Pain ratio", Unit: Ratio, Group: RatioGroup, Formula: "cagr/pain_index", Source: "Becker and Moore 2006", Sense: Higher, Needs: "a CAGR and a drawdown",
		Doc: "Growth a year for each unit of average depth.",
		of:  func(w *work) float64 { return safeDiv(w.cagr, w.pain()) }},
	{Key: "martin", Name: "Martin ratio (UPI)", Unit: Ratio, Group: RatioGroup, Formula: "(cagr - rf)/ulcer_index", Source: "Martin and McCann 1989", Sense: Higher, Needs: "a CAGR and a drawdown",
		Doc: "Ulcer performance index.",
		of:  func(w *work) float64 { return safeDiv(w.cagr-w.in.RiskFreeAnnual, w.ulcer()) }},
	{Key: "serenity", Name: "Serenity ratio", Unit: Ratio, Group: RatioGroup, Formula: "(cagr - rf)/(ulcer_index |cdar_95|/volatility)", Source: "KeyQuant 2014", Sense: Higher, Needs: "a CAGR, a drawdown and returns that vary",
		Doc: "Martin ratio divided by the pitfall, how deep drawdowns are for the volatility.",
		of: func(w *work) float64 {
			return safeDiv(w.cagr-w.in.RiskFreeAnnual, w.ulcer()*-w.cdar()/(w.raw.sd()*math.Sqrt(w.perYear)))
		}},
	{Key: "kappa_3", Name: "Kappa 3", Unit: Ratio, Group: RatioGroup, Formula: "mean(r)/cbrt(mean(max(-r,0)^3)), one session", Source: "Kaplan and Knowles 2004", Sense: Higher, Needs: "a losing session",
		Doc: "Sortino's form with the third moment, threshold 0.",
		of:  func(w *work) float64 { return w.kappa3(0) }},
	{Key: "upside_potential", Name: "Upside potential ratio", Unit: Ratio, Group: RatioGroup, Formula: "mean(max(r,0))/sqrt(mean(min(r,0)^2))", Source: "Sortino, van der Meer and Plantinga 1999", Sense: Higher, Needs: "a losing session",
		Doc: "Average gain over downside deviation, threshold 0, one session.",
		of:  func(w *work) float64 { return w.upsidePotential(0) }},
	{Key: "adjusted_sharpe", Name: "Adjusted Sharpe", Unit: Ratio, Group: RatioGroup, Formula: "SR(1 + g3/6 SR - (g4-3)/24 SR^2), annual SR", Source: "Pezier and White 2006", Sense: Higher, Needs: needsVary,
		Doc: "Takes off for negative skewness and fat tails.",
		of: func(w *work) float64 {
			s := w.sharpe()
			return s * (1 + w.ex.g3()/6*s - (w.ex.g4()-3)/24*s*s)
		}},
	{Key: "gain_to_pain", Name: "Gain to pain, months", Unit: Ratio, Group: RatioGroup, Formula: "sum(month)/|sum(month < 0)|, complete months", Source: "Schwager 2012", Sense: Higher, Needs: "a losing complete month",
		Doc: "Above 1 is good for a liquid strategy.",
		of: func(w *work) float64 {
			return safeDiv(total(w.calendar().month), partial(w.calendar().month, 0, -1, 1)*float64(len(w.calendar().month)))
		}},
	{Key: "rachev", Name: "Rachev ratio", Unit: Ratio, Group: RatioGroup, Formula: "mean of the best 5% / |mean of the worst 5%|, exact tails", Source: "Biglova et al. 2004", Sense: Higher, Needs: "a loss in the lower tail",
		Doc: "Size of the best sessions against the worst.",
		of:  func(w *work) float64 { return w.rachev() }},
}

func (w *work) sharpe() float64   { return w.sr.SR * math.Sqrt(w.perYear) }
func (w *work) sharpeSE() float64 { return w.sr.SE() * math.Sqrt(w.perYear) }

func (w *work) kappa3(mar float64) float64 {
	return safeDiv(w.raw.mean-mar, math.Cbrt(w.lpm(mar, 3)))
}

func (w *work) upsidePotential(mar float64) float64 {
	return safeDiv(w.hpm(mar, 1), w.downside(mar))
}

func (w *work) rachev() float64 {
	loss := -w.ends().low.mean(0.05)
	if !(loss > 0) {
		return math.NaN()
	}
	return -w.ends().high.mean(0.05) / loss
}

func (w *work) ljungBox(lags int) float64 {
	n := len(w.r)
	if n <= lags {
		return math.NaN()
	}
	var s sum
	for k := 1; k <= lags; k++ {
		a := autocorrelation(w.r, w.raw, k)
		s = s.add(a * a / float64(n-k))
	}
	return chiP(w.n()*(w.n()+2)*s.value(), float64(lags))
}

// calmar36 takes the window of the last 36 months, the close before it included.
func (w *work) calmar36() float64 {
	if len(w.in.Dates) < 2 {
		return math.NaN()
	}
	from := back(w.in.Dates[len(w.in.Dates)-1], 36)
	i := len(w.in.Dates) - 1
	for i > 0 && w.in.Dates[i] > from {
		i--
	}
	if w.in.Dates[i] > from || !(w.in.Equity[i] > 0) {
		return math.NaN()
	}
	e, _ := scan(nil, w.in.Equity[i:]).worst()
	return safeDiv(math.Cbrt(w.last()/w.in.Equity[i])-1, -e.Depth)
}
