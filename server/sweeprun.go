package server

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"backtester/backtest/history"
	"backtester/backtest/job"
	"backtester/backtest/strategy"
	"backtester/backtest/sweep"
	"backtester/server/account"
)

// MostCombinations is how many combinations a sweep of a server may have.
const MostCombinations = 10_000

// sweepOptions of a sweep that a client asks for.
type sweepOptions struct {
	Method      string `json:"method"`
	Independent bool   `json:"independent"`
}

// checkSearch refuses searches that could not be played or are beyond the limit before they are queued; their
// executors say the same.
func checkSearch(kind history.Kind, cfg *strategy.File, raw json.RawMessage) error {
	var o sweepOptions
	switch kind {
	case history.KindSweep:
		if err := readOptions(raw, &o); err != nil {
			return err
		}
	case history.KindValidate:
	default:
		return nil
	}
	n, err := sweep.Combinations(cfg, o.Method, MostCombinations)
	if err == nil {
		_, err = sweep.NewScore(cfg)
	}
	if err != nil {
		p := problem("validation", err.Error())
		p.Errors = []Fault{{Pointer: "/strategy", Code: "search", Detail: p.Detail}}
		return p
	}
	return combinationsFit(kind, n)
}

// combinationsFit refuses a search with more combinations than one server plays for one person.
func combinationsFit(kind history.Kind, n int64) error {
	if n <= MostCombinations {
		return nil
	}
	noun := "sweep"
	if kind == history.KindValidate {
		noun = "validation"
	}
	return &job.LimitError{Code: "limit-exceeded", Limit: "combinations of a " + noun, Unit: "combinations", Most: MostCombinations, Value: n}
}

// SweepSummary is what a sweep came to.
type SweepSummary struct {
	Objective    string     `json:"objective"`
	Params       []string   `json:"params"`
	Combinations int        `json:"combinations"`
	Rows         int        `json:"rows"`
	Kept         int        `json:"kept"`
	Eligible     int        `json:"eligible"`
	Best         []SweepRow `json:"best"`
}

// SweepRow is one of the best combinations.
type SweepRow struct {
	Symbol  string              `json:"symbol,omitempty"`
	Params  map[string]float64  `json:"params"`
	Metrics map[string]*float64 `json:"metrics"`
	Value   *float64            `json:"value"`
}

// Play plays a plan as Plan.Run does, here or on other machines. Rows of theirs come without returns that nobody asked
// for.
type Play func(context.Context, *sweep.Plan, sweep.Options) (*sweep.Summary, error)

// Here plays on this machine.
func Here(ctx context.Context, plan *sweep.Plan, o sweep.Options) (*sweep.Summary, error) {
	return plan.Run(ctx, o)
}

// SweepBy executes sweeps: their rows become csv/ID.csv, as the command line writes them.
func SweepBy(play Play) job.Executor {
	return func(ctx context.Context, w *job.Work) (*job.Done, error) { return doSweep(ctx, w, play) }
}

func doSweep(ctx context.Context, w *job.Work, play Play) (*job.Done, error) {
	var o sweepOptions
	if err := readOptions(w.Spec.Options, &o); err != nil {
		return nil, err
	}
	options := sweep.Options{Independent: o.Independent, Method: o.Method}
	plan, err := sweep.NewPlan(ctx, w.Spec.Config, w.Data.Source, options)
	if err != nil {
		return nil, searchFailure(err)
	}
	if err := combinationsFit(history.KindSweep, int64(plan.Len())); err != nil {
		return nil, err
	}
	rows := []byte(strings.Join(plan.Columns(), ",") + "\n")
	live, err := newTeller(plan, w.Tell)
	if err != nil {
		return nil, err
	}
	options.Row = func(r *sweep.Row) error {
		if r.Kept {
			rows = sweep.AppendCSV(rows, r)
			live.row(r)
		}
		return nil
	}
	options.Progress = live.progress
	identity, err := plan.Identity(ctx)
	if err != nil {
		return nil, err
	}
	var trials []*history.Batch
	follower := history.Follow(ctx, w.Run.Owner, plan, identity, &options, true, func(list []*history.Batch) error {
		trials = append(trials, list...)
		return nil
	})
	sum, err := play(ctx, plan, options)
	if err != nil {
		return nil, err
	}
	live.flush()
	if err := follower.Finish(ctx); err != nil {
		return nil, err
	}
	if sum.Faults != nil && sum.Rows == 0 {
		return nil, sum.Faults
	}
	summary, err := json.Marshal(summaryOf(plan, sum))
	if err != nil {
		return nil, fmt.Errorf("write what a sweep came to: %w", err)
	}
	file := job.File{Name: "csv/" + w.Run.ID + ".csv", Write: func(out io.Writer) error { _, err := out.Write(rows); return err }}
	return &job.Done{Files: []job.File{file}, Summary: summary, Metrics: bestMetrics(plan, sum), Trials: trials}, nil
}

func paramNames(plan *sweep.Plan) []string {
	names := []string{}
	for _, p := range plan.Config.Params {
		names = append(names, p.Name)
	}
	return names
}

func summaryOf(plan *sweep.Plan, sum *sweep.Summary) SweepSummary {
	out := SweepSummary{Objective: plan.Objective(), Params: paramNames(plan), Combinations: sum.Combinations, Rows: sum.Rows, Kept: sum.Kept, Eligible: sum.Eligible, Best: []SweepRow{}}
	for _, b := range sum.Best {
		row := SweepRow{Symbol: b.Symbol, Params: map[string]float64{}, Metrics: map[string]*float64{}, Value: finite(b.Value)}
		for i, name := range out.Params {
			if i < len(b.Params) {
				row.Params[name] = b.Params[i]
			}
		}
		for i, key := range plan.Metrics {
			row.Metrics[key] = finite(b.Metrics[i])
		}
		out.Best = append(out.Best, row)
	}
	return out
}

// bestMetrics are those of the best combination, by which pages of runs can be sorted.
func bestMetrics(plan *sweep.Plan, sum *sweep.Summary) map[string]*float64 {
	out := map[string]*float64{}
	for _, key := range history.SummaryKeys() {
		out[key] = nil
		if len(sum.Best) > 0 {
			if v := plan.Metric(sum.Best[0].Metrics, key); !math.IsNaN(v) {
				out[key] = finite(v)
			}
		}
	}
	return out
}

// SweepTable are the rows of a sweep as columns.
type SweepTable struct {
	Symbols []string              `json:"symbols" doc:"of each row; empty texts where symbols share the cash"`
	Columns []string              `json:"columns" doc:"parameters, then metrics"`
	Values  map[string][]*float64 `json:"values" doc:"by column, one a row; null where undefined"`

	Objective []*float64 `json:"objective" doc:"of each row, in its own sense: where the metric says less is better, less is better"`
	Eligible  []bool     `json:"eligible" doc:"whether a row meets search.min_trades and search.constraints"`

	Total int `json:"total"`
}

// mostRows is how many rows one answer has at most.
const mostRows = 20_000

func (s *Server) sweepOperations() {
	operation(s, route{id: "rows", method: "GET", path: "/api/backtest/results/{run_id}/rows", tag: "runs", summary: "Get the rows of a sweep as columns", status: 200, scope: account.Read,
		problems: []string{"not-found", "not-finished"}}, s.sweepRows)
}

func (s *Server) sweepRows(ctx context.Context, in *RunInput) (*struct{ Body SweepTable }, error) {
	r, err := s.finished(ctx, in.RunID)
	if err != nil {
		return nil, err
	}
	if r.Kind != history.KindSweep {
		return nil, problem("not-found", "the run is a "+string(r.Kind)+", which has no rows")
	}
	for _, a := range r.Artifacts {
		if strings.HasPrefix(a.Name, "csv/") {
			f, err := s.Jobs.Open(a)
			if err != nil {
				return nil, jobProblem(err)
			}
			defer f.Close()
			if err := job.Check(f, a); err != nil {
				return nil, jobProblem(err)
			}
			t, err := readSweep(f)
			if err == nil {
				err = s.judge(ctx, r.ID, &t)
			}
			return &struct{ Body SweepTable }{t}, err
		}
	}
	return nil, problem("artifact-damaged", "the rows are missing")
}

func readSweep(f *os.File) (SweepTable, error) {
	t := SweepTable{Symbols: []string{}, Columns: []string{}, Values: map[string][]*float64{}}
	c := csv.NewReader(f)
	c.ReuseRecord = true
	header, err := c.Read()
	if err != nil {
		return t, fmt.Errorf("read the rows of a sweep: %w", err)
	}
	t.Columns = append(t.Columns, header[1:]...)
	for _, name := range t.Columns {
		t.Values[name] = []*float64{}
	}
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err != nil {
			return t, fmt.Errorf("read the rows of a sweep: %w", err)
		}
		if t.Total++; t.Total > mostRows {
			continue
		}
		t.Symbols = append(t.Symbols, row[0])
		for i, name := range t.Columns {
			var v *float64
			if x, err := strconv.ParseFloat(row[i+1], 64); err == nil {
				v = finite(x)
			}
			t.Values[name] = append(t.Values[name], v)
		}
	}
}
