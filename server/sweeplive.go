package server

import (
	"context"
	"encoding/json"
	"math"
	"slices"

	"backtester/backtest/history"
	"backtester/backtest/job"
	"backtester/backtest/sweep"
)

// teller tells the rows of a sweep while it goes on, as many at a time as came since it was last asked how
// far it is. It is called by one goroutine at a time, as sweep.Options says.
type teller struct {
	tell  func(job.Step)
	score *sweep.Score
	names []string
	rows  *job.Rows
}

func newTeller(plan *sweep.Plan, tell func(job.Step)) (*teller, error) {
	score, err := sweep.NewScore(plan.Config, plan.Metrics...)
	return &teller{tell, score, plan.Space.Names, &job.Rows{Params: plan.Space.Names}}, err
}

func (t *teller) row(r *sweep.Row) {
	value := t.score.Value(r.Metrics)
	t.rows.Add(r.Symbol, r.Params, t.score.Raw(r.Metrics), value == value)
}

func (t *teller) progress(p sweep.Progress) {
	t.flush()
	t.tell(job.Step{Done: int64(p.Done), Total: int64(p.Total)})
}

func (t *teller) flush() {
	if len(t.rows.Symbol) > 0 {
		t.tell(job.Step{Rows: t.rows})
		t.rows = &job.Rows{Params: t.names}
	}
}

// specOf is what a run was asked to do.
func (s *Server) specOf(ctx context.Context, id string) (job.Spec, error) {
	var raw json.RawMessage
	err := s.History.Read(ctx, func(tx *history.Tx) (err error) {
		raw, err = tx.Spec(id)
		return err
	})
	if err != nil {
		return job.Spec{}, err
	}
	return job.DecodeSpec(raw)
}

// judge says of the rows of a sweep what its objective makes of them.
func (s *Server) judge(ctx context.Context, id string, t *SweepTable) error {
	spec, err := s.specOf(ctx, id)
	if err != nil {
		return err
	}
	score, err := sweep.NewScore(spec.Config)
	if err != nil {
		return err
	}
	t.Objective, t.Eligible = make([]*float64, len(t.Symbols)), make([]bool, len(t.Symbols))
	columns, metrics := make([][]*float64, len(score.Keys)), make([]float64, len(score.Keys))
	for k, key := range score.Keys {
		columns[k] = t.Values[key]
	}
	for i := range t.Symbols {
		for k, c := range columns {
			metrics[k] = math.NaN()
			if len(c) > i && c[i] != nil {
				metrics[k] = *c[i]
			}
		}
		value := score.Value(metrics)
		t.Objective[i], t.Eligible[i] = finite(score.Raw(metrics)), !math.IsNaN(value)
	}
	return nil
}

// asked is the configuration that a search was made of.
func (s *Server) asked(ctx context.Context, id string, parts []string) (any, error) {
	if !slices.Contains(parts, "config") {
		return nil, nil
	}
	spec, err := s.specOf(ctx, id)
	if err != nil || spec.Config == nil {
		return nil, err
	}
	b, err := spec.Config.MarshalJSON()
	return decoded(b), err
}
