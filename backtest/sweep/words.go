package sweep

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Objective is what makes a row better than another, as the file says it.
func (p *Plan) Objective() string { return searchOf(p.Config).Objective }

// Expressed reports whether the objective is more than a metric, so that no column of the rows shows it.
func (p *Plan) Expressed() bool { return !slices.Contains(p.Metrics, p.Objective()) }

// Judged is the objective of a row, as the file says it; NaN where it is undefined.
func (p *Plan) Judged(metrics []float64) float64 { return p.score().Raw(metrics) }

// Synthetic reports whether the prices are those of the demo market.
func (p *Plan) Synthetic() bool { return p.src.Synthetic() }

// Name is a combination in words: fast=10 slow=50.
func (p *Plan) Name(params []float64) string { return p.name(params) }

// Metric is a metric of a row by its key; NaN when the row has no such metric.
func (p *Plan) Metric(metrics []float64, key string) float64 {
	if i := slices.Index(p.Metrics, key); i >= 0 {
		return metrics[i]
	}
	return math.NaN()
}

// Shown are the metrics that a short table of rows has: the objective and what is not in the short list but
// asked for, then the usual ones.
func (p *Plan) Shown() []string {
	out := slices.Clone(p.Metrics[min(len(p.Metrics), 12):])
	if slices.Contains(p.Metrics, p.Objective()) && !slices.Contains(out, p.Objective()) {
		out = slices.Insert(out, 0, p.Objective())
	}
	for _, key := range []string{"total_return", "sharpe", "max_drawdown", "trades"} {
		if !slices.Contains(out, key) {
			out = append(out, key)
		}
	}
	return out
}

// Eligibility says what a row must meet to be the best one.
func (p *Plan) Eligibility() string {
	s := searchOf(p.Config)
	parts := []string{fmt.Sprintf("the objective %s must be defined", s.Objective)}
	if s.MinTrades > 0 {
		parts = append(parts, fmt.Sprintf("at least %d closed trades are needed (search.min_trades)", s.MinTrades))
	}
	parts = append(append(parts, s.Constraints...), p.Config.Require...)
	return strings.Join(parts, ", ")
}
