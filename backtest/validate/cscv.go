package validate

import (
	"context"
	"fmt"
	"slices"

	"backtester/backtest/stats/overfit"
)

// PBO is the probability of backtest overfitting over every combination of the search, by its objective where session
// returns suffice for that, else by their Sharpe ratio.
type PBO struct {
	By             string `json:"by"`
	Configurations int    `json:"configurations"`
	Blocks         int    `json:"blocks"`
	Splits         int    `json:"splits"`
	Dropped        int    `json:"dropped_sessions"` // the oldest, so that blocks are equally long
	Undecided      int    `json:"undecided"`        // splits in which no combination moved

	Probability Number `json:"probability"`
	Loss        Number `json:"loss"`  // share of splits in which the chosen one lost out of sample
	Slope       Number `json:"slope"` // of its ratio out of sample on the one in sample
	Intercept   Number `json:"intercept"`
	R2          Number `json:"r2"`
	Dominance   Number `json:"dominance"` // > 0: choosing did worse somewhere than taking any

	Logits []Count `json:"logits"` // of the rank of the chosen one out of sample, rising

	In  []float64 `json:"-"` // what the chosen one is worth, a value a split; Sharpe ratios are of one session
	Out []float64 `json:"-"`
}

// Count is how often a value occurs.
type Count struct {
	Value float64 `json:"value"`
	Count int     `json:"count"`
}

// oneCombination is why nothing can be said of a choice.
const oneCombination = "there is one combination, so that nothing was chosen: give params several values"

// cscv computes PBO.
func (t *tester) cscv(context.Context) error {
	t.progress("PBO", 0, 1)
	switch n := len(t.m.returns); {
	case t.m.plan.Method == "tpe":
		t.undefined("pbo", "search.method tpe tries what did well before: its combinations are no sample of the grid; use grid, random or sobol")
		return nil
	case n < 2:
		t.undefined("pbo", oneCombination)
		return nil
	}
	excess := t.m.returns
	if t.rf != 0 {
		excess = make([][]float64, len(t.m.returns))
		for k, r := range t.m.returns {
			excess[k] = make([]float64, len(r))
			for i, x := range r {
				excess[k][i] = x - t.rf
			}
		}
	}
	by, err := t.parting()
	if err != nil {
		return err
	}
	var p *overfit.PBO
	if by == nil {
		p, err = overfit.CSCV(excess, t.want.PBO)
	} else {
		p, err = by.cscv(t.m.returns, t.want.PBO)
	}
	if err != nil {
		t.undefined("pbo", fmt.Sprint(err))
		return nil
	}
	out := &PBO{By: t.by(by), Configurations: p.Configurations, Blocks: p.Blocks, Splits: p.Splits, Dropped: p.Dropped, Undecided: p.Undecided,
		Probability: Number(p.Probability), Loss: Number(p.Loss), Slope: Number(p.Slope), Intercept: Number(p.Intercept), R2: Number(p.R2), Dominance: Number(p.Dominance), In: p.In, Out: p.Out}
	sorted := slices.Sorted(slices.Values(p.Logit))
	for _, l := range sorted {
		if n := len(out.Logits); n > 0 && out.Logits[n-1].Value == l {
			out.Logits[n-1].Count++
		} else {
			out.Logits = append(out.Logits, Count{l, 1})
		}
	}
	t.r.PBO = out
	return nil
}
