package validate

import (
	"context"
	"errors"
	"math"
	"slices"

	"backtester/backtest/instrument"
	"backtester/backtest/stats"
	"backtester/backtest/stats/overfit"
)

// Cross is a purged cross-validation. Nothing is run again: combinations are chosen on the training sessions of the
// runs over all of the data, by the objective of the search where session returns suffice for that, else by their
// Sharpe ratio, and read on the tested groups.
type Cross struct {
	By      string  `json:"by"`
	Groups  int     `json:"groups"`
	Tested  int     `json:"tested"`
	Purge   int     `json:"purge_sessions"` // on both sides of a tested group: the longest time that a closed position of any combination was held
	Embargo int     `json:"embargo_sessions"`
	Splits  []Split `json:"splits"`
	Paths   []Path  `json:"paths"`
	// Dates are those that the curves of paths are told at: the session before the first, every so many from
	// there on, and the last one. Empty when there are more paths than can be told apart.
	Dates []instrument.Date `json:"dates"`

	Median Number `json:"sharpe_median"` // over paths
	Low    Number `json:"sharpe_p05"`
	High   Number `json:"sharpe_p95"`
	Loss   Number `json:"loss_share"` // of paths that lost
}

// Split is one choice.
type Split struct {
	Tested []int       `json:"tested"`   // numbers of the groups
	Train  int         `json:"sessions"` // it was chosen on
	Chosen []Parameter `json:"chosen"`   // null: none moved, cash
	Worth  Number      `json:"worth"`    // of the chosen one on the training sessions; a Sharpe ratio is of one session

	best int
}

// What curves of paths are for is to be looked at: more than these are neither told apart nor kept.
const (
	mostCurves = 20
	mostPoints = 300
)

// Path is a whole history made of tested groups.
type Path struct {
	Equity      []Number `json:"equity,omitempty"` // USD, at the dates of the Cross; a fall may be deeper between them
	TotalReturn Number   `json:"total_return"`
	Sharpe      Number   `json:"sharpe"`
	MaxDrawdown Number   `json:"max_drawdown"`
}

// cross makes both cross-validations.
func (t *tester) cross(context.Context) error {
	t.progress("cross-validation", 0, 1)
	var err error
	if t.r.CPCV, err = t.purged(t.want.CPCV.Groups, t.want.CPCV.Tested); err != nil {
		t.undefined("cpcv", err.Error())
	}
	if t.r.KFold, err = t.purged(t.want.KFold, 1); err != nil {
		t.undefined("kfold", err.Error())
	}
	return nil
}

// purged makes one of them.
func (t *tester) purged(groups, tested int) (*Cross, error) {
	sessions := len(t.m.days) - 1
	if len(t.m.returns) < 2 {
		return nil, errors.New(oneCombination)
	}
	by, err := t.parting()
	if err != nil {
		return nil, err
	}
	c := &Cross{By: t.by(by), Groups: groups, Tested: tested, Embargo: (sessions + 99) / 100, Purge: t.longest(sessions)}
	plan, err := overfit.NewCPCV(sessions, groups, tested, overfit.Purge{Sessions: c.Purge, Embargo: c.Embargo})
	if err != nil {
		return nil, err
	}
	ratios := make([]float64, len(plan.Splits))
	for i, s := range plan.Splits {
		n := 0
		for _, r := range s.Train {
			n += r.To - r.From
		}
		ratios[i] = math.NaN()
		c.Splits = append(c.Splits, Split{Tested: s.Test, Train: n, best: -1})
	}
	var one, two []float64 // sums of returns and of their squares up to each session
	for k, r := range t.m.returns {
		if by == nil {
			one, two = sums(r, t.rf, one, two)
		}
		for i, s := range plan.Splits {
			x := 0.0
			if by == nil {
				x = sharpeOver(s.Train, one, two)
			} else {
				x = by.over(r, s.Train)
			}
			if x == x && !(x <= ratios[i]) { // ties go to the first
				ratios[i], c.Splits[i].best = x, k
			}
		}
	}
	for i := range c.Splits {
		s := &c.Splits[i]
		s.Worth = Number(ratios[i])
		if s.best >= 0 {
			s.Chosen = named(t.m.plan.Space.Names, t.m.params[s.best])
		}
	}
	if len(plan.Paths) <= mostCurves {
		c.Dates = sampled(t.m.days)
	}
	for _, row := range plan.Paths {
		c.Paths = append(c.Paths, t.path(c, plan, row))
	}
	c.spread()
	return c, nil
}

// longest is the longest time that a position was held, in sessions. Of bars within a day there are as many a
// session as the judged run has.
func (t *tester) longest(sessions int) int {
	bars := t.r.Judged.Equity.Time.Len() - 1
	if bars <= sessions {
		return int(t.m.longest)
	}
	return int(math.Ceil(t.m.longest*float64(sessions)/float64(bars))) + 1
}

// sums are running sums, element k over the sessions before k.
func sums(r []float64, rf float64, one, two []float64) (a, b []float64) {
	one, two = append(one[:0], 0), append(two[:0], 0)
	s, q := 0.0, 0.0
	for _, x := range r {
		x -= rf
		s, q = s+x, q+float64(x*x)
		one, two = append(one, s), append(two, q)
	}
	return one, two
}

// sharpeOver is the ratio of one session over ranges of sessions; NaN for one that does not move.
func sharpeOver(ranges []overfit.Range, one, two []float64) float64 {
	n, s, q := 0.0, 0.0, 0.0
	for _, r := range ranges {
		n, s, q = n+float64(r.To-r.From), s+one[r.To]-one[r.From], q+two[r.To]-two[r.From]
	}
	v := (q - float64(s*s)/n) / (n - 1)
	if !(n > 1) || !(v > 1e-12*q/n) {
		return math.NaN()
	}
	return s / n / math.Sqrt(v)
}

// path reads the chosen combinations on the groups that they were not chosen on.
func (t *tester) path(c *Cross, plan *overfit.CPCV, row []int) Path {
	equity := make([]float64, 1, len(t.m.days))
	equity[0] = t.cfg.Account.Cash
	for g, split := range row {
		r := plan.Groups[g]
		for i := r.From; i < r.To; i++ {
			x := 0.0
			if k := c.Splits[split].best; k >= 0 {
				x = t.m.returns[k][i]
			}
			equity = append(equity, equity[len(equity)-1]*(1+x))
		}
	}
	m := t.measure(t.m.days, equity)
	get := func(key string) Number {
		if v, ok := m.Get(key); ok {
			return Number(v)
		}
		return nan
	}
	p := Path{TotalReturn: get("total_return"), Sharpe: get("sharpe"), MaxDrawdown: get("max_drawdown")}
	if len(c.Dates) > 0 {
		for _, x := range sampled(equity) {
			p.Equity = append(p.Equity, Number(x))
		}
	}
	return p
}

// sampled is the first of a list, every so many from there on, and the last, mostPoints or fewer.
func sampled[T any](list []T) []T {
	every := 1 + (len(list)-2)/(mostPoints-1)
	out := make([]T, 0, mostPoints)
	for i := 0; i < len(list)-1; i += every {
		out = append(out, list[i])
	}
	return append(out, list[len(list)-1])
}

// spread is the distribution over paths. One that never moves has no ratio and counts as none lost.
func (c *Cross) spread() {
	var ratios []float64
	lost := 0
	for _, p := range c.Paths {
		if p.Sharpe == p.Sharpe {
			ratios = append(ratios, float64(p.Sharpe))
		}
		if p.TotalReturn < 0 {
			lost++
		}
	}
	c.Median, c.Low, c.High = nan, nan, nan
	c.Loss = ratio(float64(lost), float64(len(c.Paths)))
	if len(ratios) > 0 {
		slices.Sort(ratios)
		c.Median, c.Low, c.High = Number(stats.Quantile(ratios, .5)), Number(stats.Quantile(ratios, .05)), Number(stats.Quantile(ratios, .95))
	}
}
