package job

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"backtester/backtest"
	"backtester/backtest/history"
	"backtester/backtest/sweep"
)

// Sweep is what the row of a sweep, or of a range of it, says: the counts and the best combinations. The
// trials of all of them are columns of their own.
type Sweep struct {
	Method       string   `json:"method"`
	Objective    string   `json:"objective"`
	Independent  bool     `json:"independent"`
	Params       []string `json:"params"`
	Total        int      `json:"total"` // combinations of the plan, of which these are [From, To)
	From         int      `json:"from"`
	To           int      `json:"to"`
	Combinations int      `json:"combinations"`
	Rows         int      `json:"rows"`
	Eligible     int      `json:"eligible"`
	Kept         int      `json:"kept"`
	Best         []Best   `json:"best"`
	Paths        []Taken  `json:"paths"`
}

// Best is one of the best rows of a sweep.
type Best struct {
	Index   int                 `json:"index"`
	Symbol  string              `json:"symbol,omitempty"`
	Params  map[string]float64  `json:"params"`
	Value   *float64            `json:"value"` // the objective; more is better, null when it is infinite
	Metrics map[string]*float64 `json:"metrics"`
}

// Taken says how many rows took a path, and why not a faster one.
type Taken struct {
	Path   string `json:"path"`
	Reason string `json:"reason,omitempty"`
	Rows   int    `json:"rows"`
}

// mostBest is how many of the best rows a row of the history has.
const mostBest = 10

// SweepOf says what combinations [from, to) of a plan came to.
func SweepOf(p *sweep.Plan, s *sweep.Summary, independent bool, from, to int) *Sweep {
	out := &Sweep{Method: p.Method, Objective: p.Objective(), Independent: independent, Params: slices.Clone(p.Space.Names), Total: p.Len(), From: from, To: to,
		Combinations: s.Combinations, Rows: s.Rows, Eligible: s.Eligible, Kept: s.Kept, Best: []Best{}, Paths: []Taken{}}
	keys := append(history.SummaryKeys(), p.Shown()...)
	for _, b := range s.Best {
		row := Best{b.Index, b.Symbol, map[string]float64{}, finite(b.Value), map[string]*float64{}}
		for i, name := range out.Params {
			row.Params[name] = b.Params[i]
		}
		for _, k := range keys {
			if v := finite(p.Metric(b.Metrics, k)); v != nil {
				row.Metrics[k] = v
			}
		}
		out.Best = append(out.Best, row)
	}
	for _, t := range s.Paths {
		out.Paths = append(out.Paths, Taken{t.Path.String(), t.Reason, t.Rows})
	}
	return out
}

func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// Join adds the range that follows.
func (s *Sweep) Join(next *Sweep) {
	s.To = next.To
	s.Combinations, s.Rows, s.Eligible, s.Kept = s.Combinations+next.Combinations, s.Rows+next.Rows, s.Eligible+next.Eligible, s.Kept+next.Kept
	s.Best = append(s.Best, next.Best...)
	slices.SortStableFunc(s.Best, func(a, b Best) int { // ties in the order of the plan
		switch {
		case a.Value == nil || b.Value == nil:
			return 0
		case *a.Value > *b.Value:
			return -1
		case *a.Value < *b.Value:
			return 1
		}
		return 0
	})
	s.Best = s.Best[:min(len(s.Best), mostBest)]
	for _, t := range next.Paths {
		k := slices.IndexFunc(s.Paths, func(o Taken) bool { return o.Path == t.Path && o.Reason == t.Reason })
		if k < 0 {
			s.Paths = append(s.Paths, t)
			continue
		}
		s.Paths[k].Rows += t.Rows
	}
}

// Chain puts rows of one sweep that follow each other together, from combination from up to to: the newest
// ones that lead there. within are those that are not the whole sweep
// and lie in the range; reached is how far the chain leads.
func Chain(rows []*history.Run, from, to int) (all *Sweep, within []*history.Run, reached int, err error) {
	parts := make([]*Sweep, len(rows))
	for i, r := range rows {
		parts[i] = &Sweep{}
		if err := r.ReadSummary(parts[i]); err != nil {
			return nil, nil, from, err
		}
		if p := parts[i]; p.From >= from && p.To <= to && p.To-p.From < p.Total {
			within = append(within, r)
		}
	}
	for reached = from; reached < to; {
		var longest *Sweep
		for _, p := range parts {
			if p.From == reached && p.To <= to && p.To > reached && (longest == nil || p.To > longest.To) {
				longest = p
			}
		}
		if longest == nil {
			return all, within, reached, nil
		}
		reached = longest.To
		if all == nil {
			all = longest
			continue
		}
		all.Join(longest)
	}
	return all, within, reached, nil
}

// RowOfSweep is the row of a sweep, but for who asked and when. The metrics are those of the best row.
func RowOfSweep(p *sweep.Plan, identity string, s *Sweep, symbols []string, from, to string) (*history.Run, error) {
	options, err := json.Marshal(map[string]any{"independent": s.Independent, "method": s.Method, "metrics": p.Metrics})
	if err != nil {
		return nil, fmt.Errorf("write the options of a sweep: %w", err)
	}
	spec, err := Spec{Kind: history.KindSweep, Config: p.Config, Options: options}.Encode()
	if err != nil {
		return nil, err
	}
	run := &history.Run{Kind: history.KindSweep, State: history.Succeeded, Spec: spec, Engine: backtest.EngineVersion, Fingerprint: identity,
		Strategy: p.Config.Name, Symbols: symbols[:min(len(symbols), mostSymbols)], From: from, To: to, Tags: []string{}, Artifacts: []history.Artifact{}}
	return run, Tell(run, s)
}

// SumOfSweep names the work of a row; that of a range is another one than that of the whole.
func SumOfSweep(run *history.Run, s *Sweep) string {
	if s.To-s.From == s.Total {
		return Sum(run.Spec, run.Snapshot)
	}
	return Sum(run.Spec, fmt.Sprintf("%s %d-%d", run.Snapshot, s.From, s.To))
}

// Tell writes what a sweep came to into its row.
func Tell(run *history.Run, s *Sweep) (err error) {
	run.Metrics = map[string]*float64{}
	if len(s.Best) > 0 {
		for _, k := range history.SummaryKeys() {
			if v := s.Best[0].Metrics[k]; v != nil {
				run.Metrics[k] = v
			}
		}
	}
	if run.Summary, err = json.Marshal(s); err != nil {
		return fmt.Errorf("write the summary of a sweep: %w", err)
	}
	return nil
}
