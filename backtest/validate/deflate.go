package validate

import (
	"context"
	"math"

	"backtester/backtest/stats"
	"backtester/backtest/stats/bootstrap"
	"backtester/backtest/stats/overfit"
)

// deflate says what the Sharpe ratio of the judged run is worth after so many trials.
func (t *tester) deflate(ctx context.Context) error {
	if t.o.Select != nil {
		s, err := t.o.Select(ctx, t.r.Judged)
		if err != nil {
			return err
		}
		if s != nil {
			t.r.Selection = s
			return nil
		}
	}
	returns := t.sessions()
	root := math.Sqrt(t.perYear)
	n, mean, m2 := 0.0, 0.0, 0.0
	for _, x := range t.m.sharpe {
		if x == x {
			n++
			d := x/root - mean
			mean += d / n
			m2 += d * (x/root - mean)
		}
	}
	variance := math.NaN()
	if n > 1 {
		variance = m2 / (n - 1)
	}
	rho, sampled := t.correlation()
	s := overfit.Select(t.r.Judged.SharpeOf(returns), max(int64(len(t.m.returns)), t.o.Trials), variance, rho, sampled)
	t.r.Selection = &s
	return nil
}

// sessions are the returns of the judged run.
func (t *tester) sessions() []float64 {
	r := stats.Returns(nil, t.equity)
	return append(r, make([]float64, len(t.equity)-1-len(r))...) // after ruin nothing happens
}

// sampledSeries is how many return series stand for all of them.
const sampledSeries = 64

// correlation is the mean of all pairs in an even sample of the combinations: of standardised series it is what
// the sum of all varies beyond each alone.
func (t *tester) correlation() (rho float64, sampled int) {
	n, sessions := len(t.m.returns), len(t.m.days)-1
	k := min(n, sampledSeries)
	sum := make([]float64, sessions)
	for i := range k {
		r := t.m.returns[i*n/k]
		mean, m2 := 0.0, 0.0
		for _, x := range r {
			mean += x / float64(sessions)
		}
		for _, x := range r {
			m2 += float64((x - mean) * (x - mean))
		}
		if !(m2 > 0) {
			continue
		}
		sampled++
		for s, x := range r {
			sum[s] += (x - mean) / math.Sqrt(m2)
		}
	}
	if sampled < 2 || sessions < 30 {
		return math.NaN(), sampled
	}
	all := 0.0
	for _, x := range sum {
		all += float64(x * x)
	}
	m := float64(sampled)
	return (all - m) / (m * (m - 1)), sampled
}

// MonteCarlo is the sessions of the judged run drawn again in blocks.
type MonteCarlo struct {
	Draws       int     `json:"draws"`
	Block       float64 `json:"block"`
	SharpeLow   Number  `json:"sharpe_low"` // 95 % interval of the annual ratio
	SharpeHigh  Number  `json:"sharpe_high"`
	Loss        Number  `json:"loss"` // share of paths that end below their start
	Drawdown    Number  `json:"max_drawdown_median"`
	DrawdownLow Number  `json:"max_drawdown_p05"` // one path in twenty falls further
}

// monteCarlo draws them.
func (t *tester) monteCarlo(context.Context) error {
	t.progress("Monte Carlo", 0, 1)
	returns := t.sessions()
	p := bootstrap.Simulate(returns, t.rf, bootstrap.Settings{Seed: t.r.Seed, Draws: min(max(t.want.Draws, 1000), 5000)})
	if p == nil || len(returns) < 30 {
		t.undefined("monte_carlo", "it needs 30 sessions or more, none of which loses everything")
		return nil
	}
	i := p.SharpeInterval(t.perYear)
	t.r.MonteCarlo = &MonteCarlo{Draws: p.Draws, Block: p.Block, SharpeLow: Number(i.Low), SharpeHigh: Number(i.High), Loss: Number(p.LossProbability()),
		Drawdown: Number(stats.Quantile(p.Drawdown, .5)), DrawdownLow: Number(stats.Quantile(p.Drawdown, .05))}
	return nil
}
