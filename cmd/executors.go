package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"

	"backtester/backtest/history"
	"backtester/backtest/job"
	"backtester/backtest/sweep"
	"backtester/polygon"
	"backtester/server"
)

// executors are the kinds of work besides runs that this process can do.
func (s *service) executors() map[history.Kind]job.Executor {
	play := server.Here
	if s.farm != nil {
		play = func(ctx context.Context, plan *sweep.Plan, o sweep.Options) (*sweep.Summary, error) {
			if plan.Method == "tpe" { // it cannot be cut into ranges
				return plan.Run(ctx, o)
			}
			return s.farm.play(ctx, plan, o)
		}
	}
	list := map[history.Kind]job.Executor{history.KindSweep: server.SweepBy(play), history.KindValidate: server.Validate(s.db, play)}
	if s.canFetch() {
		list[history.KindFetch] = s.executeFetch
	}
	return list
}

// executeFetch downloads what a client asked for, as fetch does.
func (s *service) executeFetch(ctx context.Context, w *job.Work) (*job.Done, error) {
	var q server.FetchRequest
	if err := json.Unmarshal(w.Spec.Options, &q); err != nil {
		return nil, fmt.Errorf("read what to fetch: %w", err)
	}
	quiet := *s.app
	quiet.io.Err, quiet.io.ErrTerminal = io.Discard, false
	o := &fetchOptions{app: &quiet, datasets: []string{q.Dataset}, asset: "stocks", from: q.From, to: q.To, workers: 4}
	options, err := o.options()
	if err != nil {
		return nil, err
	}
	options.Log = slog.New(slog.DiscardHandler)
	options.Progress = &fetchSteps{tell: w.Tell}
	sum, err := polygon.Sync(ctx, options)
	if err != nil {
		return nil, err
	}
	summary, err := json.Marshal(sum)
	if err != nil {
		return nil, fmt.Errorf("write what was fetched: %w", err)
	}
	return &job.Done{Summary: summary}, nil
}

// fetchSteps tells watchers how many bytes of a fetch have come.
type fetchSteps struct {
	tell        func(job.Step)
	done, total int64
}

// Start is told how much there is.
func (p *fetchSteps) Start(_ int, bytes int64) { p.total = bytes }

// File is told of each file that has come.
func (p *fetchSteps) File(name string, bytes int64) {
	p.done += bytes
	p.tell(job.Step{Done: p.done, Total: max(p.done, p.total), Note: name})
}

// Done is told at the end.
func (p *fetchSteps) Done() {}
