package stats

import (
	"math"
	"time"

	"backtester/backtest/instrument"

	"gonum.org/v1/gonum/stat/distuv"
)

// Rows that stand behind the best known ones of their group.

var moreReturnRows = []Metric{
	{Key: "expected_year", Name: "Expected year", Unit: Fraction, Group: ReturnGroup, Formula: "geometric mean of complete years", Source: "definition", Sense: Higher, Needs: "at least one complete year",
		Doc: "Growth of a calendar year; years covered in part are left out.",
		of:  func(w *work) float64 { return geometric(w.calendar().year) }},
	{Key: "median_day", Name: "Median session", Unit: Fraction, Group: ReturnGroup, Formula: "median of r", Source: "definition", Sense: Higher, Needs: needsSession,
		Doc: "Below 0 with a profit: few sessions carry the result.",
		of:  func(w *work) float64 { return w.ends().median }},
	{Key: "qtd", Name: "Quarter to date", Unit: Fraction, Group: ReturnGroup, Formula: "from the last close of the quarter before", Source: "definition", Sense: None, Needs: "history before the quarter",
		Doc: "Return of the quarter in which the run ends.",
		of:  func(w *work) float64 { return w.quarterToDate() }},
	{Key: "return_1m", Name: "Last month", Unit: Fraction, Group: ReturnGroup, Formula: "from the last close 1 month before the end", Source: "definition", Sense: None, Needs: "a month of history",
		Doc: "Not annualised.",
		of:  func(w *work) float64 { return w.months0(1) }},
	{Key: "best_week", Name: "Best week", Unit: Fraction, Group: ReturnGroup, Formula: "max over complete weeks", Source: "definition", Sense: None, Needs: "at least one complete week",
		Doc: "Weeks from the last close of the one before.",
		of:  func(w *work) float64 { return most(w.weeks()) }},
	{Key: "worst_week", Name: "Worst week", Unit: Fraction, Group: ReturnGroup, Formula: "min over complete weeks", Source: "definition", Sense: Higher, Needs: "at least one complete week",
		Doc: "Weeks from the last close of the one before.",
		of:  func(w *work) float64 { return least(w.weeks()) }},
	{Key: "positive_quarters", Name: "Rising quarters", Unit: Fraction, Group: ReturnGroup, Formula: "count(> 0)/count, complete quarters", Source: "definition", Sense: Higher, Needs: "at least one complete quarter",
		Doc: "Quarters without change count as not rising.",
		of:  func(w *work) float64 { return share(quarters(w.calendar().months), positive) }},
}

var moreRiskRows = []Metric{
	{Key: "monthly_skewness", Name: "Skewness of months", Unit: Ratio, Group: RiskGroup, Formula: "adjusted Fisher-Pearson G1 of complete months", Source: "Joanes and Gill 1998", Sense: Higher, Needs: "at least three complete months that vary",
		Doc: "Sessions may be symmetric where months are not: losses that follow losses.",
		of:  func(w *work) float64 { return momentsOf(w.calendar().month).skewness() }},
	{Key: "monthly_excess_kurtosis", Name: "Excess kurtosis of months", Unit: Ratio, Group: RiskGroup, Formula: "bias-adjusted G2 of complete months", Source: "Joanes and Gill 1998", Sense: Lower, Needs: "at least four complete months that vary",
		Doc: "Near 0 for independent sessions, whatever their own law.",
		of:  func(w *work) float64 { return momentsOf(w.calendar().month).excessKurtosis() }},
	{Key: "hurst", Name: "Hurst index", Unit: Ratio, Group: RiskGroup, Formula: "ln(range of cumulated deviations / sd) / ln n", Source: "Hurst 1951, as in Bacon 2008", Sense: None, Needs: needsVary,
		Doc: "Above 0.5: returns persist; below: they revert. One window only, so a rough figure.",
		of:  func(w *work) float64 { return w.hurst() }},
	{Key: "d_ratio", Name: "D ratio", Unit: Ratio, Group: RiskGroup, Formula: "n_down sum(-r, r < 0) / (n_up sum(r, r > 0))", Source: "Lavinio 1999", Sense: Lower, Needs: "a rising session",
		Doc: "From 0, no falling session, to infinity; near 1 for symmetric returns.",
		of: func(w *work) float64 {
			rising, falling := w.sides()
			return safeDiv(falling*w.lpm(0, 1), rising*w.hpm(0, 1))
		}},
}

var moreDrawdownRows = []Metric{
	{Key: "current_drawdown_days", Name: "Current drawdown, length", Unit: Days, Group: DrawdownGroup, Formula: "end - peak, 0 at a peak", Source: "definition", Sense: Lower, Needs: needsSession,
		Doc: "Calendar days under water at the end.",
		of: func(w *work) float64 {
			all := w.underwater().episodes
			if len(w.r) == 0 {
				return math.NaN()
			}
			if n := len(all); n > 0 && all[n-1].Open {
				return all[n-1].Days()
			}
			return 0
		}},
}

var moreTailRows = []Metric{
	{Key: "worst_5_days", Name: "Worst five sessions", Unit: Fraction, Group: TailGroup, Formula: "mean of the five lowest r", Source: "definition", Sense: Higher, Needs: "at least 100 sessions",
		Doc: "What a very bad session looks like.",
		of: func(w *work) float64 {
			if len(w.r) < 100 { // the tail that is kept sorted holds 5 % and two more
				return math.NaN()
			}
			return mean(w.ends().low.lowest[:5])
		}},
	{Key: "var_95_month", Name: "Value at risk, 95%, month", Unit: Fraction, Group: TailGroup, Formula: "5% quantile of complete months, type 7", Source: "historical", Sense: Higher, Needs: "at least 20 complete months",
		Doc: "One month in twenty is worse.",
		of: func(w *work) float64 {
			m := append([]float64(nil), w.calendar().month...)
			if len(m) < 20 {
				return math.NaN()
			}
			lower(m, len(m)/20+2)
			return Quantile(m, 0.05)
		}},
}

var moreTradeRows = []Metric{
	{Key: "trade_t", Name: "t of the mean trade", Unit: Ratio, Group: TradeGroup, Formula: "mean(profit)/sd(profit) sqrt(n)", Source: "Student 1908", Sense: Higher, Needs: "at least two closed trades that vary",
		Doc: "Under 2: the trades do not tell an edge from luck. Trades at the same time are not independent.",
		of: func(w *work) float64 {
			m := w.trades().money()
			return safeDiv(m.mean, m.sd()) * math.Sqrt(float64(m.n))
		}},
	{Key: "expectancy_low", Name: "Expectancy, lower 95%", Unit: USD, Group: TradeGroup, Formula: "expectancy - t sd/sqrt(n), t of n-1 degrees", Source: "Student 1908", Sense: Higher, Needs: "at least two closed trades",
		Doc: "How low the true mean may be, for independent trades.",
		of:  func(w *work) float64 { return w.trades().money().mean - w.expectancyHalf() }},
	{Key: "expectancy_high", Name: "Expectancy, upper 95%", Unit: USD, Group: TradeGroup, Formula: "expectancy + t sd/sqrt(n), t of n-1 degrees", Source: "Student 1908", Sense: Higher, Needs: "at least two closed trades",
		Doc: "How high it may be.",
		of:  func(w *work) float64 { return w.trades().money().mean + w.expectancyHalf() }},
	{Key: "trade_downside_sd", Name: "Downside deviation of trades", Unit: USD, Group: TradeGroup, Formula: "sqrt(mean(min(profit,0)^2)), all n", Source: "Sortino and Price 1994", Sense: Lower, Needs: needsTrade,
		Doc: "Only losses count, all trades divide.",
		of:  func(w *work) float64 { return math.Sqrt(partial(w.trades().pnl, 0, -1, 2)) }},
	{Key: "kelly_continuous", Name: "Kelly multiple, continuous", Unit: Ratio, Group: TradeGroup, Formula: "mean/variance of trade returns", Source: "Thorp 2006", Sense: None, Needs: "at least two closed trades that vary",
		Doc: "The same question for returns that are near normal. Half of it is the usual ceiling.",
		of:  func(w *work) float64 { m := momentsOf(w.trades().ret); return safeDiv(m.mean, m.sd()*m.sd()) }},
	{Key: "expected_loss_streak", Name: "Losing streak to expect", Unit: Count, Group: TradeGroup, Formula: "ln(n(1-p))/ln(1/p), p the share of losing trades", Source: "Schilling 1990", Sense: Lower, Needs: needsBoth,
		Doc: "Longest run of losses among so many independent trades. Far below what was: losses cluster.",
		of: func(w *work) float64 {
			n, p := float64(w.trades().closed), safeDiv(float64(w.trades().losses), float64(w.trades().closed))
			return streakOf(n, p)
		}},
	{Key: "min_bars", Name: "Shortest holding", Unit: Bars, Group: TradeGroup, Formula: "min bars held", Source: "definition", Sense: None, Needs: needsTrade,
		Doc: "Bars from entry to exit.",
		of:  func(w *work) float64 { return least(w.trades().bars) }},
	{Key: "worst_mae", Name: "Worst adverse excursion", Unit: Fraction, Group: TradeGroup, Formula: "min of the worst open profit on entry value", Source: "Sweeney 1996", Sense: Higher, Needs: needsTrade,
		Doc: "The deepest that any trade was under its entry.",
		of:  func(w *work) float64 { return least(w.trades().mae) }},
	{Key: "best_mfe", Name: "Best favourable excursion", Unit: Fraction, Group: TradeGroup, Formula: "max of the best open profit on entry value", Source: "Sweeney 1996", Sense: None, Needs: needsTrade,
		Doc: "The highest that any trade was above its entry.",
		of:  func(w *work) float64 { return most(w.trades().mfe) }},
	{Key: "end_trade_drawdown", Name: "Given back before exit", Unit: Fraction, Group: TradeGroup, Formula: "mean(return - best open profit)", Source: "definition", Sense: Higher, Needs: needsTrade,
		Doc: "What trades lost from their best moment to their exit.",
		of:  func(w *work) float64 { return mean(w.trades().ret) - mean(w.trades().mfe) }},
	{Key: "exit_efficiency", Name: "Exit efficiency", Unit: Fraction, Group: TradeGroup, Formula: "mean(return)/mean(best open profit)", Source: "Sweeney 1996", Sense: Higher, Needs: "trades that were ahead at some time",
		Doc: "Part of the best open profit that exits kept.",
		of:  func(w *work) float64 { return safeDiv(mean(w.trades().ret), mean(w.trades().mfe)) }},
	{Key: "top_10_trades_share", Name: "Share of the best 10 trades", Unit: Fraction, Group: TradeGroup, Formula: "ten largest profits / net profit of closed trades", Source: "definition", Sense: Lower, Needs: "a net profit of the closed trades",
		Doc: "Concentration. May exceed 1.",
		of:  func(w *work) float64 { return w.trades().topShare(10) }},
	{Key: "concentration_wins", Name: "Concentration of wins", Unit: Fraction, Group: TradeGroup, Formula: "(sum w^2 - 1/n)/(1 - 1/n), w shares of gross_profit", Source: "Lopez de Prado 2018, 14.3", Sense: Lower, Needs: "at least two winning trades",
		Doc: "0: all wins alike; 1: one made all.",
		of:  func(w *work) float64 { return concentration(w.trades().pnl, 1) }},
	{Key: "concentration_losses", Name: "Concentration of losses", Unit: Fraction, Group: TradeGroup, Formula: "as concentration_wins, of gross_loss", Source: "Lopez de Prado 2018, 14.3", Sense: Lower, Needs: "at least two losing trades",
		Doc: "0: all losses alike; 1: one made all.",
		of:  func(w *work) float64 { return concentration(w.trades().pnl, -1) }},
}

var moreBenchmarkRows = []Metric{
	{Key: "relative_drawdown", Name: "Deepest fall behind the benchmark", Unit: Fraction, Group: BenchmarkGroup, Formula: "max drawdown of V/B, session closes", Source: "definition", Sense: Higher, Needs: needsBench,
		Doc: "How far the run fell behind holding the benchmark.",
		of: withBench(func(w *work) float64 {
			low, peak, trough := 0.0, 0.0, 0.0
			for t, v := range w.in.Equity {
				switch x := v / w.bench().level[t]; {
				case x > peak:
					peak, trough = x, x
				case x < trough: // since the peak: only then can the fall be deeper
					trough = x
					low = min(low, safeDiv(x, peak)-1)
				}
			}
			return low
		})},
	{Key: "up_batting", Name: "Batting average, rising sessions", Unit: Fraction, Group: BenchmarkGroup, Formula: "count(r > b)/count, sessions with b >= 0", Source: "empyrical", Sense: Higher, Needs: needsBench + " that did not fall at some session",
		Doc: "How often the run did better when the benchmark did not fall.",
		of:  withBench(func(w *work) float64 { return batting(w.r, w.bench().b, false) })},
	{Key: "down_batting", Name: "Batting average, falling sessions", Unit: Fraction, Group: BenchmarkGroup, Formula: "count(r > b)/count, sessions with b < 0", Source: "empyrical", Sense: Higher, Needs: needsBench + " that fell at some session",
		Doc: "How often the run did better when the benchmark fell.",
		of:  withBench(func(w *work) float64 { return batting(w.r, w.bench().b, true) })},
	{Key: "alpha_low", Name: "Alpha, lower 95%", Unit: Fraction, Group: BenchmarkGroup, Formula: "alpha - t se(alpha), t of n-2 degrees", Source: "ordinary least squares", Sense: Higher, Needs: needsBench + " and three sessions",
		Doc: "How low the true alpha may be, for independent returns.",
		of:  withBench(func(w *work) float64 { return w.bench().alpha*w.perYear - w.alphaHalf() })},
	{Key: "alpha_high", Name: "Alpha, upper 95%", Unit: Fraction, Group: BenchmarkGroup, Formula: "alpha + t se(alpha), t of n-2 degrees", Source: "ordinary least squares", Sense: Higher, Needs: needsBench + " and three sessions",
		Doc: "How high it may be.",
		of:  withBench(func(w *work) float64 { return w.bench().alpha*w.perYear + w.alphaHalf() })},
}

// student95 is the 97.5 % point of Student's law with df degrees of freedom.
func student95(df float64) float64 {
	if !(df >= 1) {
		return math.NaN()
	}
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Quantile(0.975)
}

// expectancyHalf is half the width of the 95 % interval of the mean trade.
func (w *work) expectancyHalf() float64 {
	return *w.memo.expectancyHalf.get(func() float64 {
		m := w.trades().money()
		return student95(float64(m.n-1)) * m.sd() / math.Sqrt(float64(m.n))
	})
}

// alphaHalf is half the width of the 95 % interval of alpha a year.
func (w *work) alphaHalf() float64 {
	return *w.memo.alphaHalf.get(func() float64 {
		return student95(w.n()-2) * math.Abs(safeDiv(w.bench().alpha*w.perYear, w.bench().alphaT))
	})
}

// hurst is the rescaled range of the whole run.
func (w *work) hurst() float64 {
	if len(w.r) < 2 || !(w.raw.sd() > 0) {
		return math.NaN()
	}
	lo, hi := 0.0, 0.0
	var run sum
	for _, v := range w.r {
		run = run.add(v - w.raw.mean)
		lo, hi = min(lo, run.value()), max(hi, run.value())
	}
	return math.Log(safeDiv(hi-lo, w.raw.sd())) / math.Log(w.n())
}

func (w *work) quarterToDate() float64 {
	if len(w.in.Dates) < 2 {
		return math.NaN()
	}
	y, m, _ := w.in.Dates[len(w.in.Dates)-1].Time().Date()
	return since(w.in.Dates, w.in.Equity, instrument.NewDate(y, (m-1)/3*3+1, 0))
}

// quarters are the returns of calendar quarters whose three months are complete.
func quarters(months []Period) []float64 {
	var out []float64
	growth, n := 1.0, 0
	for _, m := range months {
		if (m.Month-1)%3 == 0 {
			growth, n = 1, 0
		}
		if !m.Partial {
			growth *= 1 + m.Return
			n++
		}
		if n == 3 && m.Month%3 == 0 {
			out = append(out, growth-1)
		}
	}
	return out
}

// weeks are the returns of weeks from Monday on: those that the run covers from the close before to Friday,
// or to the last session before another week.
func weeks(dates []instrument.Date, equity []float64) []float64 {
	var out []float64
	number := func(d instrument.Date) int { return int(d+3) / 7 } // 1970-01-01 was a Thursday
	base := -1                                                    // the last session of the week before
	for t := 1; t < len(equity) && equity[t-1] > 0; t++ {
		if number(dates[t]) != number(dates[t-1]) {
			if base >= 0 {
				out = append(out, change(equity[base], equity[t-1]))
			}
			base = t - 1
		}
		if t == len(equity)-1 && base >= 0 && dates[t].Weekday() == time.Friday {
			out = append(out, change(equity[base], equity[t]))
		}
	}
	return out
}

// concentration is the normalised Herfindahl index of the values of one sign.
func concentration(x []float64, sign float64) float64 {
	var s, s2 sum
	n := 0.0
	for _, v := range x {
		if v *= sign; v > 0 {
			s = s.add(v)
			s2 = s2.add(v * v)
			n++
		}
	}
	if n < 2 {
		return math.NaN()
	}
	return math.Max(0, (s2.value()/(s.value()*s.value())-1/n)/(1-1/n))
}

// batting is how often r was above b where b fell, or where it did not.
func batting(r, b []float64, fell bool) float64 {
	won, n := 0, 0 // no branch: returns change sign at random
	for t := range r {
		in := b2i(b[t] < -dust == fell)
		n += in
		won += in & b2i(r[t]-b[t] > dust)
	}
	return safeDiv(float64(won), float64(n))
}
