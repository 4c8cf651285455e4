package backtest

import (
	"math"

	"backtester/backtest/instrument"
	"backtester/backtest/stats"
)

// Sessions are the sessions of a curve, each once, and the last value in each: the close of extended hours, where
// the bars have them, though it is after midnight UTC.
func (c Curve) Sessions() (days []instrument.Date, values []float64) {
	for i := range min(c.Time.Len(), len(c.Value)) {
		d := c.Time.Session(i)
		if n := len(days); n > 0 && days[n-1] == d {
			values[n-1] = c.Value[i]
			continue
		}
		days, values = append(days, d), append(values, c.Value[i])
	}
	return days, values
}

// SharpeOf is the Sharpe ratio of a result in terms of one session, given its session returns. The metric
// knows the risk-free rate and the number of sessions in a year; the latter is in the volatility.
func (r *Result) SharpeOf(returns []float64) stats.Sharpe {
	n := float64(len(returns))
	mean, m2, m3, m4 := 0.0, 0.0, 0.0, 0.0
	for _, x := range returns {
		mean += x / n
	}
	for _, x := range returns {
		d := x - mean
		m2, m3, m4 = m2+d*d/n, m3+d*d*d/n, m4+d*d*d*d/n
	}
	s := stats.Sharpe{SR: math.NaN(), N: len(returns), Skew: m3 / math.Pow(m2, 1.5), Kurtosis: m4 / (m2 * m2)}
	sharpe, ok := r.Metrics.Get("sharpe")
	volatility, also := r.Metrics.Get("volatility")
	if ok && also && volatility > 0 && n > 1 && m2 > 0 {
		s.SR = sharpe * math.Sqrt(m2*n/(n-1)) / volatility
	}
	return s
}
