package server

import (
	"context"
	"encoding/json"
	"errors"
	"path"
	"strings"
	"time"

	"backtester/backtest"
	"backtester/backtest/history"
	"backtester/backtest/strategy"
	"backtester/server/account"
)

// Run is a run as the API shows it.
type Run struct {
	RunID         string              `json:"run_id"`
	Kind          string              `json:"kind" enum:"run,sweep,validate,fetch"`
	Status        string              `json:"status" enum:"queued,running,succeeded,failed,cancelled"`
	Position      int                 `json:"position,omitempty" doc:"in the queue, from 1"`
	Cancelling    bool                `json:"cancelling,omitempty" doc:"somebody asked it to stop"`
	Attempt       int                 `json:"attempt" doc:"how often it was started"`
	Strategy      string              `json:"strategy"`
	Symbols       []string            `json:"symbols"`
	From          string              `json:"from" doc:"YYYY-MM-DD; empty for all there is"`
	To            string              `json:"to"`
	Name          string              `json:"name"`
	Notes         string              `json:"notes"`
	Tags          []string            `json:"tags"`
	Starred       bool                `json:"starred"`
	Shared        bool                `json:"shared" doc:"everybody who is signed in may read it"`
	Owner         string              `json:"owner,omitempty" doc:"who made and shared it, and alone may change it: their notes, tags and star are not told; absent from your own"`
	Revision      int                 `json:"revision" doc:"counts changes of name, notes, tags, star and sharing; for If-Match"`
	Metrics       map[string]*float64 `json:"metrics" doc:"the main ones; null where undefined"`
	Summary       any                 `json:"summary,omitempty" doc:"of sweeps and validations"`
	Error         *RunProblem         `json:"error,omitempty" doc:"why it failed"`
	Artifacts     []Artifact          `json:"artifacts"`
	CreatedAt     time.Time           `json:"created_at"`
	StartedAt     *time.Time          `json:"started_at,omitempty"`
	FinishedAt    *time.Time          `json:"finished_at,omitempty"`
	EngineVersion string              `json:"engine_version"`
	DataSnapshot  string              `json:"data_snapshot"`
	SpecSHA256    string              `json:"spec_sha256" doc:"equal for the same work on the same data"`
	Fingerprint   string              `json:"fingerprint,omitempty"`
	DataSHA256    string              `json:"data_sha256,omitempty"`
}

// RunProblem says why a run failed.
type RunProblem struct {
	Code    string             `json:"code"`
	Title   string             `json:"title"`
	Detail  string             `json:"detail,omitempty"`
	Errors  []Fault            `json:"errors,omitempty" doc:"faults of the strategy that showed when it ran"`
	Missing []backtest.Missing `json:"missing,omitempty" doc:"symbols without data"`
}

// Artifact is a file of a run.
type Artifact struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
	URL    string `json:"url"`
}

// view is a run as whoever asks may see it: what others wrote on theirs stays theirs.
func (s *Server) view(ctx context.Context, r *history.Run) (Run, error) {
	v := runView(r)
	if r.Owner == owner(ctx) {
		return v, nil
	}
	v.Notes, v.Tags, v.Starred, v.Owner = "", []string{}, false, r.Owner
	if s.Accounts == nil {
		return v, nil
	}
	name, err := s.Accounts.NameOf(ctx, r.Owner)
	if err == nil {
		v.Owner = name
	}
	if errors.Is(err, account.ErrUnknown) {
		err = nil // from before there were accounts
	}
	return v, err
}

// unlabelled is the state of a run in an event without what its owner wrote on it.
func unlabelled(state json.RawMessage) json.RawMessage {
	var v map[string]json.RawMessage
	if json.Unmarshal(state, &v) != nil {
		return json.RawMessage("{}")
	}
	delete(v, "notes")
	if v["run_id"] != nil { // not only the word of a change
		v["tags"], v["starred"] = json.RawMessage("[]"), json.RawMessage("false")
	}
	b, _ := json.Marshal(v) // of what was JSON
	return b
}

// runView is a run as its owner sees it.
func runView(r *history.Run) Run {
	v := Run{RunID: r.ID, Kind: string(r.Kind), Status: string(r.State), Cancelling: r.Cancelling, Attempt: r.Attempt, Strategy: r.Strategy,
		Symbols: r.Symbols, From: r.From, To: r.To, Name: r.Name, Notes: r.Notes, Tags: r.Tags, Starred: r.Starred, Shared: r.Shared, Revision: r.Revision,
		Metrics: r.Metrics, Artifacts: []Artifact{}, CreatedAt: r.Created, StartedAt: optional(r.Started), FinishedAt: optional(r.Finished),
		EngineVersion: r.Engine, DataSnapshot: r.Snapshot, SpecSHA256: r.SpecSum, Fingerprint: r.Fingerprint, DataSHA256: r.DataSum}
	if v.Symbols == nil {
		v.Symbols = []string{}
	}
	if v.Tags == nil {
		v.Tags = []string{}
	}
	if v.Metrics == nil {
		v.Metrics = map[string]*float64{}
	}
	if len(r.Summary) > 0 {
		v.Summary = decoded(r.Summary)
	}
	if p := r.Problem; p != nil {
		v.Error = runProblem(p)
	}
	for _, a := range r.Artifacts {
		v.Artifacts = append(v.Artifacts, Artifact{path.Base(a.Name), a.SHA256, a.Bytes, artifactURL(r.ID, a.Name)})
	}
	return v
}

// runProblem gives what is stored of a failure the shape of a problem.
func runProblem(p *history.Problem) *RunProblem {
	q := &RunProblem{Code: p.Code, Title: p.Title, Detail: p.Detail}
	var faults strategy.Diagnostics
	if p.Code == "data-missing" {
		_ = json.Unmarshal(p.Errors, &q.Missing) // the detail says it too
	} else if json.Unmarshal(p.Errors, &faults) == nil {
		q.Errors = faultsOf(faults)
	}
	return q
}

// artifactURL is where a client finds a file of a run.
func artifactURL(id, name string) string {
	switch dir, file := path.Split(name); {
	case dir == "tearsheets/":
		return "/api/files/tearsheet/" + file
	case dir == "csv/":
		return "/api/files/csv/" + file
	case strings.HasSuffix(file, ".json"):
		return "/api/backtest/results/" + id + "/result"
	}
	return "/api/backtest/results/" + id + "/files/" + path.Base(name)
}

// decoded is JSON as a value, nil when there is none.
func decoded(raw json.RawMessage) any {
	if len(raw) == 0 {
		return nil
	}
	return raw
}
