package stats

import "math"

// Sums are what is left of a run when its curve is not kept: enough for Basic.
type Sums struct {
	Returns                int     // session returns
	Sum, Squares, Downside float64 // of r, of r^2, and of min(r, 0)^2
	Start, Final           float64 // equity, USD
	Drawdown               float64 // V/peak at its lowest, over bar closes: 1 is none
	Days                   float64 // calendar days of the run
	PerYear                float64 // sessions in a year
	Trades, Wins           int     // closed round trips
	Profit, Loss           float64 // of closed trades that won and lost, USD; Loss <= 0
	InMarket, Bars         int64
}

// Basic are the metrics of a run without interest on cash: those of ComputeBasic but for the rounding of
// sums that were not taken about their mean.
func (s *Sums) Basic() Basic {
	nan := math.NaN()
	b := Basic{TotalReturn: nan, CAGR: nan, Volatility: nan, Sharpe: nan, Sortino: nan, MaxDrawdown: nan, Calmar: nan,
		Trades: float64(s.Trades), WinRate: safeDiv(float64(s.Wins), float64(s.Trades)), ProfitFactor: safeDiv(s.Profit, -s.Loss),
		Exposure: safeDiv(float64(s.InMarket), float64(s.Bars)), FinalEquity: s.Final}
	if n := float64(s.Returns); n > 0 {
		mean := s.Sum / n
		m := moments{n: s.Returns, mean: mean, m2: max(0, s.Squares/n-float64(mean*mean))}
		if m.m2 <= flatVariance {
			m.m2 = 0
		}
		year := math.Sqrt(s.PerYear)
		b.TotalReturn = change(s.Start, s.Final)
		b.CAGR = growthOver(s.Days, s.Start, s.Final)
		b.Volatility = m.sd() * year
		b.Sharpe = safeDiv(mean, m.sd()) * year
		b.Sortino = safeDiv(mean, math.Sqrt(s.Downside/n)) * year
		b.MaxDrawdown = 0
		if d := s.Drawdown - 1; d < -dust {
			b.MaxDrawdown = d
		}
		b.Calmar = safeDiv(b.CAGR, -b.MaxDrawdown)
	}
	b.clean()
	return b
}
