package stats

import "math"

// Basic are the metrics that a search compares, the same numbers as in Metrics, bit for bit, at a
// fraction of the cost. NaN = undefined.
type Basic struct {
	TotalReturn, CAGR, Volatility, Sharpe, Sortino, MaxDrawdown, Calmar float64
	Trades, WinRate, ProfitFactor, Exposure, FinalEquity                float64
}

// BasicKeys are the keys of Basic in the order of Values.
func BasicKeys() []string {
	return []string{"total_return", "cagr", "volatility", "sharpe", "sortino", "max_drawdown", "calmar",
		"trades", "win_rate", "profit_factor", "exposure", "final_equity"}
}

// Values of b in the order of BasicKeys.
func (b Basic) Values() [12]float64 {
	return [12]float64{b.TotalReturn, b.CAGR, b.Volatility, b.Sharpe, b.Sortino, b.MaxDrawdown, b.Calmar,
		b.Trades, b.WinRate, b.ProfitFactor, b.Exposure, b.FinalEquity}
}

// ComputeBasic computes the basic metrics of in, of which Benchmark, BuyAndHold, Gross, Net and the
// costs are not looked at. scratch holds the session returns in between: pass the same slice again
// and again to allocate nothing. Cost: O(sessions + bars + trades), two passes over the sessions.
func ComputeBasic(in *Input, scratch []float64) (Basic, []float64) {
	nan := math.NaN()
	b := Basic{TotalReturn: nan, CAGR: nan, Volatility: nan, Sharpe: nan, Sortino: nan, MaxDrawdown: nan,
		Calmar: nan, WinRate: nan, ProfitFactor: nan, FinalEquity: nan}
	b.trades(in.Trades)
	b.Exposure = safeDiv(float64(in.InMarketBars), float64(in.TotalBars))
	r := Returns(scratch, in.Equity)
	if n := len(in.Equity); n > 0 {
		b.FinalEquity = in.Equity[n-1]
	}
	if len(r) > 0 {
		b.returns(in, r)
	}
	b.clean()
	return b, r
}

// returns fills in what comes from the equity curve, whose session returns r are.
func (b *Basic) returns(in *Input, r []float64) {
	perYear := in.PeriodsPerYear
	if !(perYear > 0) {
		perYear = PeriodsPerYear(in.Dates)
	}
	rf := perPeriod(in.RiskFreeAnnual, perYear)
	m := variance(r)
	year := math.Sqrt(perYear)
	b.TotalReturn = change(in.Equity[0], b.FinalEquity)
	b.CAGR = growth(in.Dates, in.Equity)
	b.Volatility = m.sd() * year
	b.Sharpe = safeDiv(m.mean-rf, m.sd()) * year
	b.Sortino = safeDiv(m.mean-rf, math.Sqrt(partial(r, rf, -1, 2))) * year
	bars := in.BarEquity
	if bars == nil {
		bars = in.Equity
	}
	b.MaxDrawdown = deepest(bars)
	b.Calmar = safeDiv(b.CAGR, -b.MaxDrawdown)
}

// clean turns infinities into NaN.
func (b *Basic) clean() {
	for _, v := range []*float64{&b.TotalReturn, &b.CAGR, &b.Volatility, &b.Sharpe, &b.Sortino,
		&b.Calmar, &b.ProfitFactor, &b.FinalEquity} {
		*v = finite(*v)
	}
}

func (b *Basic) trades(ts []Trade) {
	var profit, loss sum
	closed, wins := 0, 0
	for i := range ts {
		t := &ts[i]
		if t.Open {
			continue
		}
		closed++
		switch {
		case t.PnL > 0:
			wins++
			profit = profit.add(t.PnL)
		case t.PnL < 0:
			loss = loss.add(t.PnL)
		}
	}
	b.Trades = float64(closed)
	b.WinRate = safeDiv(float64(wins), float64(closed))
	b.ProfitFactor = safeDiv(profit.value(), -loss.value())
}

// variance is momentsOf without the higher moments.
func variance(x []float64) moments {
	m := moments{n: len(x), mean: mean(x)}
	var s sum
	for lo := 0; lo < len(x); lo += 256 {
		b := 0.0
		for _, v := range x[lo:min(lo+256, len(x))] {
			d := v - m.mean
			b += float64(d * d)
		}
		s = s.add(b)
	}
	m.m2 = s.value() / float64(len(x))
	if m.m2 <= flatVariance {
		m.m2 = 0
	}
	return m
}

// deepest is the depth of the deepest drawdown; NaN under two values.
func deepest(equity []float64) float64 {
	if len(equity) < 2 {
		return math.NaN()
	}
	peak, trough, worst := equity[0], equity[0], 0.0
	for _, v := range equity[1:] {
		if v >= peak {
			peak, trough = v, v
		} else if v < trough { // since the peak: only then can the fall be deeper
			trough = v
			worst = min(worst, below(v, peak))
		}
	}
	return worst
}
