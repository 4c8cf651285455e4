package server

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"backtester/backtest"
	"backtester/backtest/history"
	"backtester/backtest/stats"
	"backtester/server/account"
)

func (s *Server) runOperations() {
	bodyOf := func(id, name string, schema any) {
		// The bodies are one of two shapes, which Go's types cannot say.
		made := s.api.OpenAPI().Paths["/api/backtest/"+id].Post
		made.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: s.bodySchema(name, schema)}}}
	}
	operation(s, route{id: "preview", method: "POST", path: "/api/backtest/preview", tag: "runs", summary: "See bars, indicators and signals of a strategy before any money moves",
		doc:    "Computed at once and kept nowhere. A document of the former application (with entry_conditions) is answered in its shape.",
		status: 200, scope: account.Read, problems: []string{"bad-json", "invalid-strategy", "data-missing", "limit-exceeded"}}, s.preview)
	bodyOf("preview", "PreviewRequest", previewBody{})
	operation(s, route{id: "submit", method: "POST", path: "/api/backtest/run", tag: "runs", summary: "Queue a run",
		doc:    "Answered when the run is safely stored. A document of the former application (with entry_conditions) is waited for, up to 30 seconds, and answered in its shape.",
		status: 202, scope: account.Run, also: []int{200}, problems: []string{"bad-json", "media-type", "too-large", "invalid-strategy", "conflict", "idempotency-mismatch", "limit-exceeded", "data-missing", "queue-full"}}, s.submit)
	bodyOf("run", "RunRequest", runBody{})
	operation(s, route{id: "result", method: "GET", path: "/api/backtest/results/{run_id}", tag: "runs", summary: "Get a run: its state, and what is included", status: 200, scope: account.Read,
		problems: []string{"not-found"}}, s.getRun)
	operation(s, route{id: "result-file", method: "GET", path: "/api/backtest/results/{run_id}/result", tag: "runs", summary: "Get the result, the very bytes of run --format json",
		status: 200, scope: account.Read, content: "application/json", also: []int{206}, bodyless: []int{304}, problems: []string{"range", "not-found", "not-finished"}}, s.resultFile)
	operation(s, route{id: "events", method: "GET", path: "/api/backtest/runs/{run_id}/events", tag: "runs", summary: "Follow a run as server-sent events",
		doc: "The first event is state, with the whole run; then progress, partial (new points of the equity curve) and log; the last one is done, failed or cancelled. " +
			"restart means that the server goes down: come back with Last-Event-ID.",
		status: 200, scope: account.Read, content: "text/event-stream", problems: []string{"not-found"}}, s.events)
	operation(s, route{id: "cancel", method: "DELETE", path: "/api/backtest/runs/{run_id}", tag: "runs", summary: "Cancel a run, or with purge delete one that has ended", status: 202, scope: account.Run,
		bodyless: []int{204}, problems: []string{"not-found", "run-finished"}}, s.cancel)
	operation(s, route{id: "label", method: "PATCH", path: "/api/backtest/runs/{run_id}", tag: "runs", summary: "Change name, notes, tags or star of a run, or share it",
		doc:    "A shared run is read by everybody who is signed in and knows its id; notes, tags and star stay yours, and so does every change.",
		status: 200, scope: account.Run,
		problems: []string{"not-found", "changed", "validation"}}, s.label)
}

type previewBody struct {
	StrategyRequest
	MaxPoints int `json:"max_points,omitempty" minimum:"100" maximum:"20000" default:"5000" doc:"bars of each symbol at most"`
}

type runBody struct {
	StrategyRequest
	Kind    string   `json:"kind,omitempty" enum:"run,sweep,validate" default:"run"`
	Options any      `json:"options,omitempty" doc:"of a sweep or validation"`
	Name    string   `json:"name,omitempty" maxLength:"120"`
	Tags    []string `json:"tags,omitempty" maxItems:"32"`
	Notes   string   `json:"notes,omitempty" maxLength:"20000"`
}

type RunInput struct {
	RunID string `path:"run_id" maxLength:"64"`
}

// RunDetail is a run with what the client asked to include.
type RunDetail struct {
	Run
	AllMetrics Metrics            `json:"all_metrics,omitempty" doc:"include=metrics: every metric; null where undefined"`
	Config     any                `json:"config,omitempty" doc:"include=config: every setting, defaults included"`
	Coverage   any                `json:"data,omitempty" doc:"include=data: what the run stood on"`
	Counts     any                `json:"counts,omitempty" doc:"include=counts: what happened, above all when nothing did"`
	Path       string             `json:"path,omitempty" doc:"which evaluator ran and why"`
	Warnings   []backtest.Warning `json:"warnings,omitempty" doc:"what a careful reader must know about the data and the settings"`
	Caveats    []stats.Caveat     `json:"caveats,omitempty" doc:"what the numbers themselves say about how far to trust them, gravest first"`
	Undefined  map[string]string  `json:"undefined,omitempty" doc:"why a metric of this answer is null"`
	Ambiguity  any                `json:"ambiguity,omitempty" doc:"include=ambiguity: the run again with the stop first in every bar that leaves the order open, and with the target first; absent where no bar does"`
	Equity     *Curve             `json:"equity,omitempty" doc:"include=equity"`
	Trades     []backtest.Trade   `json:"trades,omitempty" doc:"include=trades: the first 50"`
}

type runDetailOutput struct {
	ETag string `header:"ETag"`
	Body RunDetail
}

func (s *Server) getRun(ctx context.Context, in *struct {
	RunInput
	Include string `query:"include" maxLength:"100" doc:"metrics, config, data, counts, ambiguity, equity, trades; separated by commas"`
	Points  int    `query:"points" minimum:"100" maximum:"20000" default:"2000"`
	Wait    int    `query:"wait" minimum:"0" maximum:"30" doc:"seconds to wait for the end of the run"`
}) (*runDetailOutput, error) {
	r, err := s.run(ctx, in.RunID)
	if err == nil && in.Wait > 0 && !r.State.Ended() {
		r, err = s.await(ctx, r.ID, time.Duration(in.Wait)*time.Second)
	}
	if err != nil {
		return nil, err
	}
	out := &runDetailOutput{ETag: revisionTag(r.Revision)}
	if out.Body.Run, err = s.view(ctx, r); err != nil {
		return nil, err
	}
	if r.State == history.Queued {
		if out.Body.Position, err = s.Jobs.Position(ctx, r.ID); err != nil {
			return nil, err
		}
	}
	parts := strings.Split(in.Include, ",")
	if r.State != history.Succeeded || r.Kind != history.KindRun {
		out.Body.Config, err = s.asked(ctx, r.ID, parts)
		return out, err
	}
	return out, s.include(ctx, r, parts, in.Points, &out.Body)
}

func (s *Server) include(ctx context.Context, r *history.Run, parts []string, points int, d *RunDetail) error {
	head, err := s.headOf(ctx, r)
	if p, ok := errors.AsType[*Problem](err); ok && p.Code == "artifact-damaged" && strings.Join(parts, "") == "" {
		s.fail(ctx, err) // the row stands without the file
		d.Warnings = append(d.Warnings, backtest.Warning{Code: "artifact_damaged", Message: "the file of the result is missing or was changed: run it again"})
		return nil
	}
	if err != nil {
		return err
	}
	d.Path, d.Warnings, d.Caveats = head.Path, head.Warnings, stats.Caveats(head.figures, s.Limits)
	d.Undefined = undefined(head, func(key string) bool { _, shown := d.Metrics[key]; return shown })
	for _, part := range parts {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		x, err := s.result(ctx, r)
		if err != nil {
			return err
		}
		switch part {
		case "metrics":
			d.AllMetrics, d.Undefined = x.Metrics, undefined(x, func(string) bool { return true })
		case "config", "params":
			d.Config = decoded(x.Config)
		case "data":
			d.Coverage = decoded(x.Data)
		case "counts":
			d.Counts = decoded(x.Counts)
		case "ambiguity":
			if x.Ambiguity != nil {
				d.Ambiguity = x.Ambiguity.Figures() // their equity is beside that of the run
			}
		case "equity", "drawdown":
			c := exposedCurve(x, span{}, points)
			d.Equity = &c
		case "trades":
			d.Trades = x.Trades[:min(len(x.Trades), 50)]
		default:
			p := problem("validation", "include: there is no part "+strconv.Quote(clip(part, 40)))
			p.Errors = []Fault{{Pointer: "include", Code: "enum", Detail: p.Detail}}
			return p
		}
	}
	return nil
}

// undefined says of the metrics that are shown and have no value what they lack.
func undefined(x *storedResult, shown func(key string) bool) map[string]string {
	out := map[string]string{}
	for key, v := range x.Metrics {
		if v == nil && shown(key) {
			out[key] = x.figures.Reason(key)
		}
	}
	return out
}

func revisionTag(n int) string { return `"r` + strconv.Itoa(n) + `"` }

type cancelOutput struct {
	Status int
	Body   *Cancelled
}

// Cancelled says what becomes of a run.
type Cancelled struct {
	RunID  string `json:"run_id"`
	Status string `json:"status" doc:"cancelled, or cancelling while its worker stops"`
}

func (s *Server) cancel(ctx context.Context, in *struct {
	RunInput
	Purge bool `query:"purge" doc:"delete a run that has ended, with its files"`
}) (*cancelOutput, error) {
	r, err := s.own(ctx, in.RunID)
	if err != nil {
		return nil, err
	}
	if in.Purge && r.State.Ended() {
		return &cancelOutput{Status: http.StatusNoContent}, jobProblem(s.Jobs.Remove(ctx, owner(ctx), r.ID))
	}
	state, err := s.Jobs.Cancel(ctx, owner(ctx), r.ID)
	if err != nil {
		return nil, err
	}
	word := string(state)
	if state == history.Running {
		word = "cancelling"
	}
	return &cancelOutput{Status: http.StatusAccepted, Body: &Cancelled{r.ID, word}}, nil
}

type labelOutput struct {
	ETag string `header:"ETag"`
	Body Run
}

func (s *Server) label(ctx context.Context, in *struct {
	RunInput
	IfMatch string `header:"If-Match" maxLength:"40" doc:"the ETag of the run: the change is refused when it was changed meanwhile"`
	Body    struct {
		Name    *string   `json:"name,omitempty"`
		Notes   *string   `json:"notes,omitempty"`
		Tags    *[]string `json:"tags,omitempty"`
		Starred *bool     `json:"starred,omitempty"`
		Shared  *bool     `json:"shared,omitempty" doc:"whether everybody who is signed in may read it"`
	}
}) (*labelOutput, error) {
	if _, err := s.own(ctx, in.RunID); err != nil {
		return nil, err
	}
	revision := 0
	if in.IfMatch != "" && in.IfMatch != "*" {
		n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(in.IfMatch, `"r`), `"`))
		if err != nil || n < 1 {
			return nil, problem("changed", "If-Match is not the ETag of this run")
		}
		revision = n
	}
	label := history.Label{Name: in.Body.Name, Notes: in.Body.Notes, Tags: in.Body.Tags, Starred: in.Body.Starred, Shared: in.Body.Shared}
	if err := label.Check(); err != nil {
		return nil, problem("validation", err.Error())
	}
	var r *history.Run
	err := s.History.Write(ctx, func(tx *history.Tx) (err error) {
		r, err = tx.SetLabel(owner(ctx), in.RunID, revision, label)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &labelOutput{revisionTag(r.Revision), runView(r)}, nil
}
