package sweep

import (
	"context"
	"fmt"
	"math"
	"strings"

	"backtester/backtest"
)

// Tolerance is how far metrics of the fast paths may be from those of the event engine, as a fraction, and
// for numbers under 1 absolutely.
const Tolerance = 1e-9

// Near reports whether two metrics are the same number but for Tolerance; undefined is the same as undefined.
func Near(a, b float64) bool {
	if math.IsNaN(a) || math.IsNaN(b) {
		return math.IsNaN(a) && math.IsNaN(b)
	}
	return math.Abs(a-b) <= Tolerance*max(1, math.Abs(b))
}

// Verify plays the best rows again, each with backtest.Run, and compares every metric. It returns the
// results, which are those of the reference, and an error that names the first difference.
func (p *Plan) Verify(ctx context.Context, best []Best) ([]*backtest.Result, error) {
	var out []*backtest.Result
	for _, b := range best {
		r, err := backtest.Run(ctx, p.ConfigOf(b.Params, b.Symbol), p.src.Source)
		if err != nil {
			return out, fmt.Errorf("play %s again: %w", p.label(b), err)
		}
		out = append(out, r)
		for i, key := range p.Metrics {
			v, ok := r.Metrics.Get(key)
			if !ok {
				v = math.NaN()
			}
			if !Near(b.Metrics[i], v) {
				return out, fmt.Errorf("BUG: %s of %s is %.17g in the sweep and %.17g in the event engine", key, p.label(b), b.Metrics[i], v)
			}
		}
	}
	return out, nil
}

// label names a row in messages.
func (p *Plan) label(b Best) string {
	return strings.TrimSpace(b.Symbol + " " + p.name(b.Params))
}

// mostTried bounds how many rows are played to say which path rows take.
const (
	mostTried   = 2048 // combinations
	mostSymbols = 16
)

// Explain says, line by line, what the sweep is going to do and why. Settings say which path could play it; what
// the bars add (splits, dividends in positions, absent sessions) decides row by row, so that the first rows
// are played, at most mostTried combinations on mostSymbols symbols, unless only the event engine can. The error
// is that of Run.
func (p *Plan) Explain(ctx context.Context) ([]string, error) {
	lines := []string{fmt.Sprintf("combinations: %d of a grid of %d, by %s", p.Len(), p.Space.Size(), p.Method)}
	taken, rows := []Taken{{Path: p.Path}}, 0
	if p.Path < Event && p.Method != "tpe" {
		some := &Plan{Config: p.Config, Space: p.Space, Symbols: p.Symbols[:min(len(p.Symbols), mostSymbols)], Metrics: p.Metrics, Method: p.Method,
			Path: p.Path, Reasons: p.Reasons, picks: p.picks, src: p.src, score: p.score, rules: p.rules, pairs: p.pairs, bars: p.bars, room: p.room, asked: p.asked}
		s, err := some.Run(ctx, Options{To: min(p.Len(), mostTried)})
		if err != nil {
			return nil, err
		}
		taken, rows = s.Paths, s.Rows
		if s.Faults != nil {
			lines = append(lines, "cannot be played: "+strings.ReplaceAll(s.Faults.Error(), "\n", "; "))
		}
	}
	for _, t := range taken {
		switch {
		case rows == 0:
			lines = append(lines, fmt.Sprintf("path: %s", t.Path))
		case len(taken) == 1:
			lines = append(lines, fmt.Sprintf("path: %s (of %d rows tried, all)", t.Path, rows))
		default:
			lines = append(lines, fmt.Sprintf("path: %s (of %d rows tried, %d)", t.Path, rows, t.Rows))
		}
		if t.Reason != "" {
			lines = append(lines, "no faster one: "+t.Reason)
		}
	}
	for _, r := range p.Reasons {
		lines = append(lines, "no faster one: "+r)
	}
	return lines, nil
}
