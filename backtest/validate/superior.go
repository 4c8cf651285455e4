package validate

import (
	"context"
	"math"
	"runtime"

	"backtester/backtest"
	"backtester/backtest/parallel"
	"backtester/backtest/stats/bootstrap"
)

// Superiority is White's reality check and Hansen's test of superior predictive ability over all combinations.
type Superiority struct {
	Models       int         `json:"models"`
	Idle         int         `json:"idle"` // never different from what they are held against
	Best         []Parameter `json:"best"` // with the largest statistic
	Draws        int         `json:"draws"`
	Block        float64     `json:"block"` // mean length in sessions
	Consistent   Number      `json:"p"`     // Hansen's, the one to report
	Lower        Number      `json:"p_lower"`
	Upper        Number      `json:"p_upper"`
	RealityCheck Number      `json:"reality_check_p"`
}

// share is how many combinations a worker adds at a time: parts are merged in their order, whoever did them.
const share = 32

// superior tests all combinations against cash, and against buy and hold at their own average exposure.
func (t *tester) superior(ctx context.Context) error {
	if len(t.m.days) < 31 {
		for _, key := range []string{"spa_cash", "spa_holding"} {
			t.undefined(key, "there are under 30 sessions to draw from")
		}
		return nil
	}
	mean := make([]float64, len(t.m.days)-1)
	for _, r := range t.m.returns {
		for i, x := range r {
			mean[i] += x / float64(len(t.m.returns))
		}
	}
	block := bootstrap.Block(mean)
	if !(block >= 1) {
		block = 1
	}
	t.progress("against cash", 0, 1)
	t.r.Cash = t.against(block, func(k int, d []float64) {
		for i, x := range t.m.returns[k] {
			d[i] = x - t.rf
		}
	})
	held, reason, err := t.hold(ctx)
	if err != nil {
		return err
	}
	if held == nil {
		t.undefined("spa_holding", reason)
		return nil
	}
	t.progress("against buy and hold", 0, 1)
	t.r.Holding = t.against(block, func(k int, d []float64) {
		e := t.m.net[k]
		if math.IsNaN(e) {
			e = 0
		}
		for i, x := range t.m.returns[k] {
			d[i] = x - (float64(e*held[i]) + float64((1-e)*t.rf))
		}
	})
	return ctx.Err()
}

// against tests what difference gives for each combination.
func (t *tester) against(block float64, difference func(k int, d []float64)) *Superiority {
	n, sessions := len(t.m.returns), len(t.m.days)-1
	s := bootstrap.NewSuperiority(sessions, t.want.Draws, block, t.r.Seed)
	forks := make([]*bootstrap.Superiority, (n+share-1)/share)
	for i := range forks {
		forks[i] = s.Fork()
	}
	parallel.With(runtime.GOMAXPROCS(0), len(forks), func() func(int) {
		d := make([]float64, sessions)
		return func(i int) {
			for k := i * share; k < min(n, (i+1)*share); k++ {
				difference(k, d)
				forks[i].Add(d)
			}
		}
	})
	for _, f := range forks {
		s.Merge(f)
	}
	r := s.Result()
	out := &Superiority{Models: r.Models, Idle: r.Idle, Draws: r.Draws, Block: r.Block, Consistent: Number(r.Consistent), Lower: Number(r.Lower), Upper: Number(r.Upper), RealityCheck: Number(r.RealityCheck)}
	if r.Best >= 0 {
		out.Best = named(t.m.plan.Space.Names, t.m.params[r.Best])
	}
	return out
}

// hold is the session returns of buying and holding the symbols under the rules of the run, and why there are
// none.
func (t *tester) hold(ctx context.Context) (returns []float64, reason string, err error) {
	cfg := *t.r.Judged.Config
	cfg.BuyAndHold = true
	r, err := backtest.Run(ctx, &cfg, t.src)
	if err != nil {
		return nil, "", err
	}
	if r.BuyAndHold == nil || r.BuyAndHold.Held == 0 {
		return nil, "no symbol could be bought at the first close", nil
	}
	days, value := r.BuyAndHold.Equity.Sessions()
	c := curve{days, value, value[0]}
	returns = make([]float64, len(t.m.days)-1)
	last := c.at(t.m.days[0])
	for i, d := range t.m.days[1:] {
		v := c.at(d)
		returns[i], last = v/last-1, v
	}
	return returns, "", nil
}
