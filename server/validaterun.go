package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"backtester/backtest"
	"backtester/backtest/history"
	"backtester/backtest/job"
	"backtester/backtest/stats/overfit"
	"backtester/backtest/sweep"
	"backtester/backtest/validate"
	"backtester/report"
)

// mostReturns is the memory that the returns of all combinations of a validation may take.
const mostReturns = 1 << 30

// validateOptions of a validation that a client asks for.
type validateOptions struct {
	Trials int64 `json:"trials"` // count at least so many: those made elsewhere, that the history does not know
}

// readOptions reads the options of a kind of work. They are read before it is queued, too.
func readOptions(raw json.RawMessage, into any) error {
	if len(raw) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if v, ok := into.(*validateOptions); err == nil && ok && v.Trials < 0 {
		err = fmt.Errorf("trials: %d is less than 0", v.Trials)
	}
	if err != nil {
		return &job.Failure{Code: "validation", Title: "The options are not valid", Err: err}
	}
	return nil
}

// checkOptions refuses options that the executor of a kind would.
func checkOptions(kind history.Kind, raw json.RawMessage) error {
	var into any
	want := "none"
	switch kind {
	case history.KindSweep:
		into, want = &sweepOptions{}, "method and independent"
	case history.KindValidate:
		into, want = &validateOptions{}, "trials, 0 or more"
	default:
		into = &struct{}{}
	}
	err := readOptions(raw, into)
	if f, ok := errors.AsType[*job.Failure](err); ok {
		p := problem("validation", "options of a "+string(kind)+": want "+want+": "+strings.TrimPrefix(f.Err.Error(), "json: "))
		p.Errors = []Fault{{Pointer: "/options", Code: "options", Detail: p.Detail}}
		return p
	}
	return err
}

// ValidateSummary is what a validation came to.
type ValidateSummary struct {
	Verdict      string         `json:"verdict"` // the worst answer
	Combinations int            `json:"combinations"`
	Questions    []AnsweredLine `json:"questions"`
}

// AnsweredLine is the answer to one question in short.
type AnsweredLine struct {
	Key     string   `json:"key"`
	Verdict string   `json:"verdict"`
	Figure  string   `json:"figure"`
	Value   *float64 `json:"value"`
}

// Validate is the executor of validations. Their trials are counted in db, with all that the owner made
// before. What is kept are the JSON and the page of the command line.
func Validate(db *history.DB, play Play) job.Executor {
	return func(ctx context.Context, w *job.Work) (*job.Done, error) {
		var o validateOptions
		if err := readOptions(w.Spec.Options, &o); err != nil {
			return nil, err
		}
		last := ""
		options := validate.Options{Memory: mostReturns, Trials: o.Trials, Progress: func(what string, done, total int) {
			step := job.Step{Done: int64(done), Total: int64(total)}
			if what != last {
				step.Note, last = what, what
			}
			w.Tell(step)
		}}
		options.Play = func(ctx context.Context, plan *sweep.Plan, so sweep.Options) (*sweep.Summary, error) {
			return playCounted(ctx, db, w.Run.Owner, plan, so, play)
		}
		options.Select = func(ctx context.Context, judged *backtest.Result) (*overfit.Selection, error) {
			var s overfit.Selection
			err := db.Read(ctx, func(tx *history.Tx) (err error) {
				s, err = tx.Select(w.Run.Owner, judged, o.Trials)
				return err
			})
			return &s, err
		}
		r, err := validate.Test(ctx, w.Spec.Config, w.Data.Source, options)
		if err != nil {
			return nil, searchFailure(err)
		}
		summary, err := json.Marshal(validateSummary(r))
		if err != nil {
			return nil, fmt.Errorf("write what a validation came to: %w", err)
		}
		id := w.Run.ID
		return &job.Done{Summary: summary, Metrics: history.MetricsOf(r.Judged), Files: []job.File{
			{Name: job.ResultName(id), Write: func(out io.Writer) error { return report.ValidationJSON(out, r) }},
			{Name: "tearsheets/" + id + ".html", Write: func(out io.Writer) error { return report.ValidationHTML(out, r) }},
		}}, nil
	}
}

// playCounted plays a search and writes its trials down. What a killed server has written already is
// written again under the same names.
func playCounted(ctx context.Context, db *history.DB, owner string, plan *sweep.Plan, o sweep.Options, play Play) (*sweep.Summary, error) {
	if err := combinationsFit(history.KindValidate, int64(plan.Len())); err != nil {
		return nil, err
	}
	identity, err := plan.Identity(ctx)
	if err != nil {
		return nil, err
	}
	trials := history.Follow(ctx, owner, plan, identity, &o, true, func(list []*history.Batch) error {
		return db.Write(ctx, func(tx *history.Tx) error {
			for _, b := range list {
				if err := tx.AddTrials(b); err != nil {
					return err
				}
			}
			return nil
		})
	})
	s, err := play(ctx, plan, o)
	if err != nil {
		return s, err
	}
	return s, trials.Finish(ctx)
}

// searchFailure tells a search that cannot be played, which is whoever asked for it's to mend.
func searchFailure(err error) error {
	if planned, ok := errors.AsType[*sweep.PlanError](err); ok {
		return &job.Failure{Code: "validation", Title: "The search cannot be played", Err: planned}
	}
	return err
}

func validateSummary(r *validate.Report) ValidateSummary {
	out := ValidateSummary{Verdict: string(r.Verdict), Combinations: r.Search.Combinations, Questions: []AnsweredLine{}}
	for _, q := range r.Questions {
		out.Questions = append(out.Questions, AnsweredLine{q.Key, string(q.Verdict), q.Figure, finite(float64(q.Value))})
	}
	return out
}
