package stats

import "math"

var returnRows = []Metric{
	{Key: "start", Name: "Start", Unit: CivilDate, Group: ReturnGroup, Formula: "date of V_0", Source: "definition", Sense: None, Needs: needsSession,
		Doc: "Session at whose close the starting equity stands: the one before the first that could trade.",
		of:  func(w *work) float64 { return w.date(0) }},
	{Key: "end", Name: "End", Unit: CivilDate, Group: ReturnGroup, Formula: "date of V_n", Source: "definition", Sense: None, Needs: needsSession,
		Doc: "Last session.",
		of:  func(w *work) float64 { return w.date(len(w.in.Dates) - 1) }},
	{Key: "calendar_days", Name: "Calendar days", Unit: Days, Group: ReturnGroup, Formula: "end - start", Source: "definition", Sense: None, Needs: needsSession,
		Doc: "Days between the two dates.",
		of:  func(w *work) float64 { return w.date(len(w.in.Dates)-1) - w.date(0) }},
	{Key: "sessions", Name: "Sessions", Unit: Sessions, Group: ReturnGroup, Formula: "n", Source: "definition", Sense: None,
		Doc: "Session returns that the statistics stand on.",
		of:  func(w *work) float64 { return w.n() }},
	{Key: "periods_per_year", Name: "Sessions a year", Unit: Count, Group: ReturnGroup, Formula: "N", Source: "definition", Sense: None, Needs: needsSession,
		Doc: "Scales volatility and ratios to a year.",
		of:  func(w *work) float64 { return w.perYear }},
	{Key: "risk_free", Name: "Risk-free rate", Unit: Fraction, Group: ReturnGroup, Formula: "rf", Source: "definition", Sense: None,
		Doc: "A year's rate, taken off in Sharpe, Sortino, alpha, Treynor, M2 and Martin and nowhere else.",
		of:  func(w *work) float64 { return w.in.RiskFreeAnnual }},
	{Key: "start_equity", Name: "Starting equity", Unit: USD, Group: ReturnGroup, Formula: "V_0", Source: "definition", Sense: None, Needs: needsSession,
		Doc: "Equity before the first decision.",
		of:  func(w *work) float64 { return w.first() }},
	{Key: "final_equity", Name: "Final equity", Unit: USD, Group: ReturnGroup, Formula: "V_n", Source: "definition", Sense: Higher, Needs: needsSession,
		Doc: "Equity at the last close, open positions marked to market.",
		of:  func(w *work) float64 { return w.last() }},
	{Key: "peak_equity", Name: "Peak equity", Unit: USD, Group: ReturnGroup, Formula: "max V over bars", Source: "definition", Sense: Higher, Needs: needsSession,
		Doc: "Highest equity at a bar close.",
		of: func(w *work) float64 {
			if w.underwater().n < 1 {
				return math.NaN()
			}
			return w.underwater().peakEquity
		}},
	{Key: "net_profit", Name: "Net profit", Unit: USD, Group: ReturnGroup, Formula: "V_n - V_0", Source: "definition", Sense: Higher, Needs: needsSession,
		Doc: "After all costs, open positions included.",
		of:  func(w *work) float64 { return w.last() - w.first() }},
	{Key: "total_return", Name: "Total return", Unit: Fraction, Group: ReturnGroup, Formula: "V_n/V_0 - 1", Source: "definition", Sense: Higher, Needs: needsSession,
		Doc: "Growth over the whole run.",
		of: func(w *work) float64 {
			if len(w.r) == 0 {
				return math.NaN()
			}
			return change(w.first(), w.last())
		}},
	{Key: "cagr", Name: "CAGR", Unit: Fraction, Group: ReturnGroup, Formula: "(V_n/V_0)^(365.25/days) - 1", Source: "definition", Sense: Higher, Needs: needsYear,
		Doc: "Growth a year by the calendar. Shorter runs are not annualised.",
		of:  func(w *work) float64 { return w.cagr }},
	{Key: "annual_return", Name: "Return a year by sessions", Unit: Fraction, Group: ReturnGroup, Formula: "(V_n/V_0)^(N/n) - 1", Source: "definition", Sense: Higher, Needs: "a year of sessions and equity that stays positive",
		Doc: "What most libraries call annual return or CAGR: a year is N sessions, whatever the calendar says.",
		of: func(w *work) float64 {
			if w.sessionsInYear < 1 {
				return math.NaN()
			}
			return w.annual()
		}},
	{Key: "annual_mean", Name: "Arithmetic mean a year", Unit: Fraction, Group: ReturnGroup, Formula: "N mean(r)", Source: "definition", Sense: Higher, Needs: needsSession,
		Doc: "Above the CAGR by about half the variance: the numerator of the Sharpe ratio when rf is 0.",
		of:  func(w *work) float64 { return w.perYear * w.raw.mean }},
	{Key: "expected_day", Name: "Geometric mean session", Unit: Fraction, Group: ReturnGroup, Formula: "(prod(1+r))^(1/n) - 1", Source: "definition", Sense: Higher, Needs: needsSession,
		Doc: "Growth of one session.",
		of:  func(w *work) float64 { return math.Expm1(w.trend().mean) }},
	{Key: "expected_month", Name: "Geometric mean month", Unit: Fraction, Group: ReturnGroup, Formula: "over complete months", Source: "definition", Sense: Higher, Needs: needsMonth,
		Doc: "Growth of one complete calendar month.",
		of:  func(w *work) float64 { return geometric(w.calendar().month) }},
	{Key: "mtd", Name: "Month to date", Unit: Fraction, Group: ReturnGroup, Formula: "from the last close of the month before", Source: "definition", Sense: Higher, Needs: "history that reaches back to the month before",
		Doc: "Return of the last calendar month so far.",
		of:  func(w *work) float64 { return w.toDate(false) }},
	{Key: "ytd", Name: "Year to date", Unit: Fraction, Group: ReturnGroup, Formula: "from the last close of the year before", Source: "definition", Sense: Higher, Needs: "history that reaches back to the year before",
		Doc: "Return of the last calendar year so far.",
		of:  func(w *work) float64 { return w.toDate(true) }},
	{Key: "return_3m", Name: "Last 3 months", Unit: Fraction, Group: ReturnGroup, Formula: "from the last close 3 months before the end", Source: "definition", Sense: Higher, Needs: "3 months of history",
		Doc: "Blank when history is shorter.",
		of:  func(w *work) float64 { return w.months0(3) }},
	{Key: "return_6m", Name: "Last 6 months", Unit: Fraction, Group: ReturnGroup, Formula: "from the last close 6 months before the end", Source: "definition", Sense: Higher, Needs: "6 months of history",
		Doc: "Blank when history is shorter.",
		of:  func(w *work) float64 { return w.months0(6) }},
	{Key: "return_1y", Name: "Last year", Unit: Fraction, Group: ReturnGroup, Formula: "from the last close 12 months before the end", Source: "definition", Sense: Higher, Needs: "12 months of history",
		Doc: "Blank when history is shorter.",
		of:  func(w *work) float64 { return w.months0(12) }},
	{Key: "return_3y", Name: "Last 3 years, a year", Unit: Fraction, Group: ReturnGroup, Formula: "(growth over 36 months)^(1/3) - 1", Source: "definition", Sense: Higher, Needs: "36 months of history",
		Doc: "Annualised; blank when history is shorter.",
		of:  func(w *work) float64 { return math.Cbrt(1+w.months0(36)) - 1 }},
	{Key: "return_5y", Name: "Last 5 years, a year", Unit: Fraction, Group: ReturnGroup, Formula: "(growth over 60 months)^(1/5) - 1", Source: "definition", Sense: Higher, Needs: "60 months of history",
		Doc: "Annualised; blank when history is shorter.",
		of:  func(w *work) float64 { return math.Pow(1+w.months0(60), 0.2) - 1 }},
	{Key: "return_10y", Name: "Last 10 years, a year", Unit: Fraction, Group: ReturnGroup, Formula: "(growth over 120 months)^(1/10) - 1", Source: "definition", Sense: Higher, Needs: "120 months of history",
		Doc: "Annualised; blank when history is shorter.",
		of:  func(w *work) float64 { return math.Pow(1+w.months0(120), 0.1) - 1 }},
	{Key: "best_day", Name: "Best session", Unit: Fraction, Group: ReturnGroup, Formula: "max r", Source: "definition", Sense: Higher, Needs: needsSession,
		Doc: "Largest session return.",
		of:  func(w *work) float64 { return most(w.r) }},
	{Key: "worst_day", Name: "Worst session", Unit: Fraction, Group: ReturnGroup, Formula: "min r", Source: "definition", Sense: Higher, Needs: needsSession,
		Doc: "Smallest session return.",
		of:  func(w *work) float64 { return least(w.r) }},
	{Key: "best_month", Name: "Best month", Unit: Fraction, Group: ReturnGroup, Formula: "max over complete months", Source: "definition", Sense: Higher, Needs: needsMonth,
		Doc: "Partial months at the ends do not count.",
		of:  func(w *work) float64 { return most(w.calendar().month) }},
	{Key: "worst_month", Name: "Worst month", Unit: Fraction, Group: ReturnGroup, Formula: "min over complete months", Source: "definition", Sense: Higher, Needs: needsMonth,
		Doc: "Partial months at the ends do not count.",
		of:  func(w *work) float64 { return least(w.calendar().month) }},
	{Key: "best_year", Name: "Best year", Unit: Fraction, Group: ReturnGroup, Formula: "max over complete years", Source: "definition", Sense: Higher, Needs: "at least one complete calendar year",
		Doc: "Partial years at the ends do not count.",
		of:  func(w *work) float64 { return most(w.calendar().year) }},
	{Key: "worst_year", Name: "Worst year", Unit: Fraction, Group: ReturnGroup, Formula: "min over complete years", Source: "definition", Sense: Higher, Needs: "at least one complete calendar year",
		Doc: "Partial years at the ends do not count.",
		of:  func(w *work) float64 { return least(w.calendar().year) }},
	{Key: "average_up_month", Name: "Average rising month", Unit: Fraction, Group: ReturnGroup, Formula: "mean of complete months > 0", Source: "definition", Sense: Higher, Needs: "a rising complete month",
		Doc: "Arithmetic mean.",
		of:  func(w *work) float64 { return meanWhere(w.calendar().month, positive) }},
	{Key: "average_down_month", Name: "Average falling month", Unit: Fraction, Group: ReturnGroup, Formula: "mean of complete months < 0", Source: "definition", Sense: Higher, Needs: "a falling complete month",
		Doc: "Arithmetic mean.",
		of:  func(w *work) float64 { return meanWhere(w.calendar().month, negative) }},
	{Key: "positive_days", Name: "Rising sessions", Unit: Fraction, Group: ReturnGroup, Formula: "count(r > 0)/n", Source: "definition", Sense: Higher, Needs: needsSession,
		Doc: "Flat sessions count as not rising.",
		of:  func(w *work) float64 { rising, _ := w.sides(); return safeDiv(rising, w.n()) }},
	{Key: "positive_months", Name: "Rising months", Unit: Fraction, Group: ReturnGroup, Formula: "count(> 0)/count, complete months", Source: "definition", Sense: Higher, Needs: needsMonth,
		Doc: "Flat months count as not rising.",
		of:  func(w *work) float64 { return share(w.calendar().month, positive) }},
	{Key: "positive_years", Name: "Rising years", Unit: Fraction, Group: ReturnGroup, Formula: "count(> 0)/count, complete years", Source: "definition", Sense: Higher, Needs: "at least one complete calendar year",
		Doc: "Flat years count as not rising.",
		of:  func(w *work) float64 { return share(w.calendar().year, positive) }},
	{Key: "rolling_12m_positive", Name: "Rising 12-month windows", Unit: Fraction, Group: ReturnGroup, Formula: "count(> 0)/count over all runs of 12 complete months", Source: "definition", Sense: Higher, Needs: "12 complete months",
		Doc: "How often a holder of a year came out ahead. The windows overlap.",
		of:  func(w *work) float64 { return share(windows12(w.calendar().month), positive) }},
	{Key: "stability", Name: "Stability", Unit: Ratio, Group: ReturnGroup, Formula: "R^2 of cumulated log returns on time", Source: "ordinary least squares", Sense: Higher, Needs: needsVary,
		Doc: "1 is a straight line of log equity. Values above 0.99 deserve suspicion.",
		of:  func(w *work) float64 { return w.trend().r2 }},
	{Key: "k_ratio", Name: "K-ratio", Unit: Ratio, Group: ReturnGroup, Formula: "slope / standard error of the slope, of cumulated log returns on time", Source: "Kestner 1996", Sense: Higher, Needs: "at least three session returns that vary",
		Doc: "The original version, not divided by the number of observations: grows with the length of the run.",
		of:  func(w *work) float64 { return w.trend().t }},
	{Key: "buy_and_hold_return", Name: "Buy and hold", Unit: Fraction, Group: ReturnGroup, Formula: "V_n/V_0 - 1 of holding the run's symbols under the run's rules", Source: "definition", Sense: Higher, Needs: needsHold,
		Doc: "What doing nothing clever would have made.",
		of:  func(w *work) float64 { return levelReturn(w.buyAndHold) }},
	{Key: "buy_and_hold_cagr", Name: "Buy and hold CAGR", Unit: Fraction, Group: ReturnGroup, Formula: "as cagr", Source: "definition", Sense: Higher, Needs: needsHold,
		Doc: "Growth a year of buy and hold.",
		of:  func(w *work) float64 { return growth(w.in.Dates, w.buyAndHold) }},
	{Key: "buy_and_hold_max_drawdown", Name: "Buy and hold max drawdown", Unit: Fraction, Group: ReturnGroup, Formula: "as max_drawdown, on session closes", Source: "definition", Sense: Higher, Needs: needsHold,
		Doc: "Deepest fall of buy and hold.",
		of: func(w *work) float64 {
			if w.buyAndHold == nil {
				return math.NaN()
			}
			e, _ := scan(nil, w.buyAndHold).worst()
			return e.Depth
		}},
}

func negative(v float64) bool { return v < 0 }

func meanWhere(x []float64, in func(float64) bool) float64 {
	var s sum
	n := 0
	for _, v := range x {
		if in(v) {
			s = s.add(v)
			n++
		}
	}
	return safeDiv(s.value(), float64(n))
}

func (w *work) date(i int) float64 {
	if len(w.in.Dates) < 2 {
		return math.NaN()
	}
	return float64(w.in.Dates[i])
}

// toDate is the return of the last period when the run began before it.
func (w *work) toDate(year bool) float64 {
	ps := w.calendar().months
	if year {
		ps = w.calendar().years
	}
	if len(ps) == 0 || (len(ps) == 1 && sameYearMonth(w, year)) {
		return math.NaN()
	}
	return ps[len(ps)-1].Return
}

// sameYearMonth reports whether the run began in the period it ended in.
func sameYearMonth(w *work, year bool) bool {
	y, m, _ := w.in.Dates[0].Time().Date()
	y2, m2, _ := w.in.Dates[len(w.in.Dates)-1].Time().Date()
	return y == y2 && (year || m == m2)
}

// months0 is the return of the last n months.
func (w *work) months0(n int) float64 {
	if len(w.in.Dates) < 2 {
		return math.NaN()
	}
	return since(w.in.Dates, w.in.Equity, back(w.in.Dates[len(w.in.Dates)-1], n))
}

func levelReturn(v []float64) float64 {
	if len(v) < 2 {
		return math.NaN()
	}
	return change(v[0], v[len(v)-1])
}

func windows12(month []float64) []float64 {
	logs := make([]float64, len(month))
	for i, v := range month {
		logs[i] = math.Log1p(v)
	}
	var out []float64
	for i := 12; i <= len(month); i++ {
		out = append(out, math.Expm1(mean(logs[i-12:i])))
	}
	return out
}

// trended is the regression of cumulated log returns on time.
type trended struct {
	mean  float64 // log return of a session
	r2, t float64 // share explained, slope over its standard error
}

func (w *work) trend() *trended {
	return w.memo.trend.get(func() trended { return trendOf(w.copied(w.r), w.raw.m2 == 0) })
}

// trendOf takes returns, and writes over them.
func trendOf(y []float64, flat bool) trended {
	n := len(y)
	out := trended{mean: math.NaN(), r2: math.NaN(), t: math.NaN()}
	if n == 0 {
		return out
	}
	var run sum
	for i, v := range y {
		run = run.add(math.Log1p(v))
		y[i] = run.value()
	}
	out.mean = y[n-1] / float64(n)
	if n < 2 || flat {
		return out
	}
	mx, my := float64(n-1)/2, mean(y)
	var sxy, syy sum
	for i, v := range y {
		sxy = sxy.add((float64(i) - mx) * (v - my))
		syy = syy.add((v - my) * (v - my))
	}
	if syy.value() <= flatVariance*float64(n) {
		return out
	}
	sxx := float64(n) * (float64(n)*float64(n) - 1) / 12
	out.r2 = safeDiv(sxy.value()*sxy.value(), sxx*syy.value())
	if n < 3 {
		return out
	}
	slope := sxy.value() / sxx
	rest := syy.value() - slope*sxy.value()
	out.t = safeDiv(slope, math.Sqrt(max(0, rest)/float64(n-2)/sxx))
	return out
}
