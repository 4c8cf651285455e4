package validate

import (
	"context"
	"fmt"
	"math"
	"slices"

	"backtester/backtest"
	"backtester/backtest/instrument"
	"backtester/backtest/sweep"
)

// matrix is the session returns of every combination of the search, over the sessions that all of them have.
type matrix struct {
	plan    *sweep.Plan
	days    []instrument.Date // days[0] is the start, return k leads from days[k] to days[k+1]
	returns [][]float64       // by combination
	params  [][]float64
	sharpe  []float64 // annual, of rows
	net     []float64 // average net exposure
	longest float64   // bars that a position was held, of all combinations
	summary *sweep.Summary
}

// search plays every combination over all of the data and keeps what the tests need.
func (t *tester) search(ctx context.Context) error {
	plan, err := sweep.NewPlan(ctx, t.cfg, t.src, sweep.Options{Memory: t.o.Memory, Metrics: []string{"max_bars", "average_net"}})
	if err != nil {
		return err
	}
	m := &matrix{plan: plan}
	starts := []instrument.Date{}
	o := sweep.Options{}
	o.Progress = func(p sweep.Progress) { t.progress("search", p.Done, p.Total) }
	o.Returns = func(r *sweep.Returns) error {
		if need := int64(plan.Len()) * int64(len(r.Values)) * 8; need > t.memory() {
			return fmt.Errorf("validate %s: the returns of %d combinations over %d sessions need %d MiB, %d are allowed: allow more, or give parameters fewer values",
				t.cfg.Name, plan.Len(), len(r.Values), need>>20, t.memory()>>20)
		}
		if len(m.days) == 0 || len(r.Axis.Dates) < len(m.days) {
			m.days = slices.Clone(r.Axis.Dates)
		}
		starts = append(starts, r.Axis.Dates[len(r.Axis.Dates)-1])
		m.returns = append(m.returns, slices.Clone(r.Values))
		return nil
	}
	o.Row = func(r *sweep.Row) error {
		m.params = append(m.params, slices.Clone(r.Params))
		m.sharpe = append(m.sharpe, plan.Metric(r.Metrics, "sharpe"))
		m.net = append(m.net, plan.Metric(r.Metrics, "average_net"))
		if b := plan.Metric(r.Metrics, "max_bars"); b > m.longest {
			m.longest = b
		}
		return nil
	}
	if m.summary, err = t.play(ctx, plan, o); err != nil {
		return err
	}
	if len(m.returns) == 0 || len(m.days) < 2 {
		return fmt.Errorf("validate %s: no combination has a session to be judged on", t.cfg.Name)
	}
	last := m.days[len(m.days)-1]
	for k, r := range m.returns { // a combination that needs more history begins later
		if starts[k] != last {
			return fmt.Errorf("validate %s: combination %s ends on %s, others on %s: name the last session with data.to", t.cfg.Name, plan.Name(m.params[k]), starts[k], last)
		}
		m.returns[k] = r[len(r)-(len(m.days)-1):]
	}
	t.m = m
	return nil
}

// judge runs the combination that stands for the search: the best one, or the values of the file.
func (t *tester) judge(ctx context.Context) error {
	m := t.m
	symbol := m.plan.Symbols[0]
	s := Searched{Method: m.plan.Method, Objective: m.plan.Objective(), Eligibility: m.plan.Eligibility(), Combinations: m.summary.Combinations, Eligible: m.summary.Eligible}
	var params []float64
	if len(m.summary.Best) > 0 {
		params = m.summary.Best[0].Params
	} else {
		s.Default = true
		for _, p := range t.cfg.Params {
			params = append(params, p.Default)
		}
	}
	s.Chosen = named(m.plan.Space.Names, params)
	r, err := backtest.Run(ctx, m.plan.ConfigOf(params, symbol), t.src)
	if err != nil {
		return err
	}
	t.r.Judged, t.r.Search = r, s
	days, equity := r.Equity.Sessions()
	t.days, t.equity = days, equity
	t.perYear, t.riskFree = metric(r, "periods_per_year"), metric(r, "risk_free")
	if !(t.riskFree > -1) {
		t.riskFree = 0
	}
	if t.riskFree != 0 {
		t.rf = math.Pow(1+t.riskFree, 1/t.perYear) - 1
	}
	t.r.Data = Data{Symbols: r.Data.Symbols, From: m.days[1].String(), To: m.days[len(m.days)-1].String(), Sessions: len(m.days) - 1, SHA256: r.Data.SHA256, Synthetic: r.Data.Synthetic}
	return nil
}

// metric of a result, NaN where it is undefined.
func metric(r *backtest.Result, key string) float64 {
	if v, ok := r.Metrics.Get(key); ok {
		return v
	}
	return math.NaN()
}

func named(names []string, values []float64) []Parameter {
	out := make([]Parameter, len(names))
	for i := range names {
		out[i] = Parameter{names[i], values[i]}
	}
	return out
}
