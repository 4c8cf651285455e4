package stats

import "math"

var exposureRows = []Metric{
	{Key: "exposure", Name: "Time in the market", Unit: Fraction, Group: ExposureGroup, Formula: "bars with a position / bars", Source: "definition", Sense: None, Needs: "at least one bar",
		Doc: "Share of bars with a position, however small; how much was held is the gross exposure.",
		of:  func(w *work) float64 { return safeDiv(float64(w.in.InMarketBars), float64(w.in.TotalBars)) }},
	{Key: "average_gross", Name: "Average gross exposure", Unit: Fraction, Group: ExposureGroup, Formula: "mean((long + |short|)/V) at session closes", Source: "definition", Sense: None, Needs: needsExposure,
		Doc: "1 is fully invested, above 1 is leverage.",
		of:  func(w *work) float64 { return w.gross() }},
	{Key: "max_gross", Name: "Max gross exposure", Unit: Fraction, Group: ExposureGroup, Formula: "max((long + |short|)/V) at session closes", Source: "definition", Sense: Lower, Needs: needsExposure,
		Doc: "Highest leverage at a close.",
		of:  func(w *work) float64 { return most(w.in.Gross) }},
	{Key: "average_net", Name: "Average net exposure", Unit: Fraction, Group: ExposureGroup, Formula: "mean((long - |short|)/V) at session closes", Source: "definition", Sense: None, Needs: needsExposure,
		Doc: "0 is market neutral by value.",
		of:  func(w *work) float64 { return w.net() }},
	{Key: "risk_adjusted_return", Name: "Return on time in the market", Unit: Fraction, Group: ExposureGroup, Formula: "cagr/exposure", Source: "definition", Sense: Higher, Needs: "a CAGR and time in the market",
		Doc: "What full exposure would have made, if returns came at the same pace.",
		of: func(w *work) float64 {
			return safeDiv(w.cagr, safeDiv(float64(w.in.InMarketBars), float64(w.in.TotalBars)))
		}},
	{Key: "turnover", Name: "Turnover a year", Unit: Ratio, Group: ExposureGroup, Formula: "traded value / (2 mean(V)) / (n/N), one-way", Source: "definition", Sense: Lower, Needs: needsSession,
		Doc: "How often the whole portfolio was replaced in a year.",
		of:  func(w *work) float64 { return w.turnover() }},
	{Key: "traded_value", Name: "Traded value", Unit: USD, Group: ExposureGroup, Formula: "sum of |quantity| price over fills", Source: "definition", Sense: None,
		Doc: "Bought plus sold.",
		of:  func(w *work) float64 { return w.in.Traded }},
}

var costRows = []Metric{
	{Key: "total_commission", Name: "Commission", Unit: USD, Group: CostGroup, Formula: "sum over fills", Source: "definition", Sense: Lower,
		Doc: "Paid to the broker.",
		of:  func(w *work) float64 { return w.in.Commission }},
	{Key: "total_slippage", Name: "Slippage", Unit: USD, Group: CostGroup, Formula: "sum over fills of |price - reference| quantity", Source: "definition", Sense: Lower,
		Doc: "Lost between reference price and fill price.",
		of:  func(w *work) float64 { return w.in.Slippage }},
	{Key: "total_borrow", Name: "Borrow fees", Unit: USD, Group: CostGroup, Formula: "sum over nights", Source: "definition", Sense: Lower,
		Doc: "Paid for borrowed shares.",
		of:  func(w *work) float64 { return w.in.Borrow }},
	{Key: "total_interest", Name: "Interest", Unit: USD, Group: CostGroup, Formula: "earned - paid", Source: "definition", Sense: Higher,
		Doc: "Negative when more was paid.",
		of:  func(w *work) float64 { return w.in.Interest }},
	{Key: "total_dividends", Name: "Dividends", Unit: USD, Group: CostGroup, Formula: "received - paid on shorts", Source: "definition", Sense: Higher,
		Doc: "Negative when shorts paid more.",
		of:  func(w *work) float64 { return w.in.Dividends }},
	{Key: "total_costs", Name: "Costs", Unit: USD, Group: CostGroup, Formula: "commission + slippage + borrow", Source: "definition", Sense: Lower,
		Doc: "What trading took.",
		of:  func(w *work) float64 { return w.costs() }},
	{Key: "cost_drag", Name: "Costs a year", Unit: Fraction, Group: CostGroup, Formula: "total_costs / mean(V) / (n/N)", Source: "definition", Sense: Lower, Needs: needsSession,
		Doc: "Costs as a fraction of average equity in a year.",
		of:  func(w *work) float64 { return safeDiv(w.costs(), w.equity()*w.sessionsInYear) }},
	{Key: "cost_share", Name: "Costs of profit before costs", Unit: Fraction, Group: CostGroup, Formula: "total_costs/(net_profit + total_costs)", Source: "definition", Sense: Lower, Needs: "a profit before costs",
		Doc: "Above 0.5: more went to costs than was kept.",
		of: func(w *work) float64 {
			gross := w.last() - w.first() + w.costs()
			if !(gross > 0) {
				return math.NaN()
			}
			return w.costs() / gross
		}},
	{Key: "break_even_cost", Name: "Break-even extra cost", Unit: Fraction, Group: CostGroup, Formula: "net_profit/traded_value, first order", Source: "definition", Sense: Higher, Needs: "a trade",
		Doc: "Extra cost on every traded dollar at which the profit is gone, compounding left out: 0.001 is 10 bps. Small: the result hangs on the cost assumption.",
		of:  func(w *work) float64 { return safeDiv(w.last()-w.first(), w.in.Traded) }},
}

func (w *work) costs() float64 { return w.in.Commission + w.in.Slippage + w.in.Borrow }

func (w *work) turnover() float64 {
	return safeDiv(w.in.Traded, 2*w.equity()*w.sessionsInYear)
}
