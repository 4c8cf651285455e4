package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"backtester/backtest/history"
	"backtester/backtest/job"
	"backtester/backtest/strategy"
	"backtester/backtest/strategy/legacy"
)

// StrategyRequest is the body of preview and run: which strategy, on what, with which settings.
type StrategyRequest struct {
	Strategy json.RawMessage            `json:"strategy" doc:"a strategy as a document, its text in YAML, or the name of a built-in or saved one"`
	Symbols  []string                   `json:"symbols,omitempty" doc:"replace the universe"`
	From     string                     `json:"from,omitempty" doc:"first session that may trade, YYYY-MM-DD"`
	To       string                     `json:"to,omitempty" doc:"last session"`
	Set      map[string]json.RawMessage `json:"set,omitempty" doc:"changes by dotted path, or by the name of a parameter"`
	Profile  string                     `json:"profile,omitempty" doc:"conventions of another tool as defaults"`
	Files    map[string]string          `json:"files,omitempty" doc:"contents of the files that the strategy names"`
}

// RunRequest is the body of run.
type RunRequest struct {
	StrategyRequest
	Kind    string          `json:"kind,omitempty" doc:"run, sweep or validate"`
	Options json.RawMessage `json:"options,omitempty" doc:"of a sweep or validation"`
	Name    string          `json:"name,omitempty"`
	Tags    []string        `json:"tags,omitempty"`
	Notes   string          `json:"notes,omitempty"`
}

// PreviewRequest is the body of preview.
type PreviewRequest struct {
	StrategyRequest
	MaxPoints int `json:"max_points,omitempty" doc:"bars of each symbol at most, 100 to 20000"`
}

// decode reads a body without guessing: unknown keys are errors.
func decode(text []byte, into any) error {
	if len(text) == 0 {
		return problem("bad-json", "the body is missing")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		detail := strings.TrimPrefix(err.Error(), "json: ")
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field == "" {
			return problem("bad-json", "want an object, not "+wrong.Value)
		} else if ok {
			p := problem("validation", wrong.Field+": want "+wrong.Type.String()+", not "+wrong.Value)
			p.Errors = []Fault{{Pointer: "/" + strings.ReplaceAll(wrong.Field, ".", "/"), Code: "type", Detail: p.Detail}}
			return p
		}
		return problem("bad-json", detail)
	}
	return nil
}

// isLegacy reports whether a body is a document of the application that this one replaces.
func isLegacy(text []byte) bool {
	var top map[string]json.RawMessage
	if json.Unmarshal(text, &top) != nil {
		return false
	}
	_, snake := top["entry_conditions"]
	_, camel := top["entryConditions"]
	return snake || camel
}

// convert translates a document of the former application; shown adds the columns of its indicators.
func convert(text []byte, shown bool) (*strategy.File, []string, error) {
	c, faults := legacy.Convert("request.json", text)
	if err := faults.Err(); err != nil {
		p := strategyProblem(faults)
		for i := range p.Errors {
			p.Errors[i].Pointer = ""
		}
		return nil, nil, p
	}
	if !shown {
		return c.File, c.Notes, nil
	}
	var sets []strategy.Override
	for _, o := range c.Outputs {
		sets = append(sets, strategy.Override{Path: "signals." + o.Name, Value: o.Expr})
	}
	return c.File, c.Notes, c.File.SetAll(sets)
}

// file is the strategy that a request describes, with all of its changes.
func (s *Server) file(ctx context.Context, q *StrategyRequest) (*strategy.File, error) {
	name, text, err := s.strategyText(ctx, q.Strategy)
	if err != nil {
		return nil, err
	}
	if isLegacy(text) {
		f, _, err := convert(text, false)
		return f, err
	}
	f, faults := strategy.Parse(name, text)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	if err := q.apply(f); err != nil {
		return nil, err
	}
	p := problem("invalid-strategy", "")
	asked := map[string]bool{}
	for list := f.Files(); len(list) > 0; list = slices.DeleteFunc(f.Files(), func(name string) bool { return asked[name] }) {
		named := list[0] // files may name others, which are known once they are there
		asked[named] = true
		content, ok := q.Files[named]
		if !ok {
			p.Errors = append(p.Errors, Fault{Pointer: "/files", Code: "missing_file", Detail: "the strategy names the file " + strconv.Quote(clip(named, 80)) + ": send its contents in files"})
			continue
		}
		f.Attach(named, []byte(content))
	}
	if len(p.Errors) > 0 {
		p.Detail = p.Errors[0].Detail
		return nil, p
	}
	_, faults = f.Compile()
	return f, faults.Err()
}

// strategyName is what the name of a built-in or saved strategy may be.
var strategyName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\pL\pN][\pL\pN ._-]{0,79}(@[0-9]{1,6})?$`) })

// strategyText finds the text of a strategy and the name it is shown by.
func (s *Server) strategyText(ctx context.Context, raw json.RawMessage) (name string, text []byte, err error) {
	missing := func(detail string) error {
		p := problem("validation", detail)
		p.Errors = []Fault{{Pointer: "/strategy", Code: "strategy", Detail: detail}}
		return p
	}
	raw = bytes.TrimSpace(raw)
	if len(raw) > 0 && raw[0] == '{' {
		return "strategy", raw, nil
	}
	var word string
	if len(raw) == 0 || json.Unmarshal(raw, &word) != nil || word == "" {
		return "", nil, missing("strategy: want a document, a text in YAML, or a name")
	}
	if !strategyName().MatchString(word) {
		return "strategy", []byte(word), nil
	}
	saved, err := s.savedText(ctx, owner(ctx), word)
	if err == nil {
		return saved.Name, []byte(saved.Text), nil
	}
	if !errors.Is(err, history.ErrNotFound) {
		return "", nil, err
	}
	text, err = strategy.FindBuiltin(word)
	if err != nil {
		return "", nil, missing(err.Error())
	}
	return word, text, nil
}

// apply sets what the request changes, all at once: only the outcome must make sense.
func (q *StrategyRequest) apply(f *strategy.File) error {
	var sets []strategy.Override
	add := func(path, value string) {
		if value != "" {
			sets = append(sets, strategy.Override{Path: path, Value: value})
		}
	}
	if len(q.Symbols) > 0 { // replaces the universe, however it was chosen
		sets = f.WithoutUniverse()
	}
	add("profile", q.Profile)
	var paths []string
	for path := range q.Set {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	for _, path := range paths {
		value := string(q.Set[path])
		var word string
		if json.Unmarshal(q.Set[path], &word) == nil {
			value = word
		}
		if value == "null" {
			value = ""
		}
		sets = append(sets, strategy.Override{Path: path, Value: value})
	}
	if len(q.Symbols) > 0 {
		for _, x := range q.Symbols {
			if strings.ContainsAny(x, ",[]{}\"'\n") || x == "" {
				p := problem("validation", "symbols: "+strconv.Quote(clip(x, 40))+" is no ticker")
				p.Errors = []Fault{{Pointer: "/symbols", Code: "ticker", Detail: p.Detail}}
				return p
			}
		}
		add("universe.symbols", strings.Join(q.Symbols, ","))
	}
	add("data.from", q.From)
	add("data.to", q.To)
	if len(sets) == 0 {
		return nil
	}
	return f.SetAll(sets)
}

// Submitted is the answer to a run: the run, and for documents of the former application what that one
// answered.
type Submitted struct {
	Run
	Recalled bool        `json:"recalled,omitempty" doc:"with dedupe: it is an earlier run of the same work"`
	Success  *bool       `json:"success,omitempty" doc:"for documents of the former application"`
	Data     *LegacyData `json:"data,omitempty" doc:"for documents of the former application"`
	Changes  []string    `json:"changes,omitempty" doc:"what is done differently from the former application, and why"`
}

// LegacyData is what the former application told of a run.
type LegacyData struct {
	RunID       string  `json:"run_id"`
	TotalTrades int     `json:"total_trades"`
	Metrics     Metrics `json:"metrics"`
}

type submitInput struct {
	Key     string `header:"Idempotency-Key" maxLength:"128" doc:"a repeated request with the same key is the same request, for a day"`
	Prefer  string `header:"Prefer" maxLength:"100" doc:"wait=N: answer when the run has ended, at most N seconds later"`
	Dedupe  bool   `query:"dedupe" doc:"take an earlier run of the same work on the same data"`
	RawBody []byte
}

type submitOutput struct {
	Status   int
	Location string `header:"Location"`
	Replayed string `header:"Idempotency-Replayed"`
	Body     Submitted
}

// legacyWait is how long the former application's clients are used to wait.
const legacyWait = 30 * time.Second

// submit queues a run. 202 is sent after the run is on the disk.
func (s *Server) submit(ctx context.Context, in *submitInput) (*submitOutput, error) {
	if err := checkIdempotencyKey(in.Key); err != nil {
		return nil, err
	}
	q := RunRequest{Kind: "run"}
	var cfg *strategy.File
	var notes []string
	var err error
	old := isLegacy(in.RawBody)
	if old {
		cfg, notes, err = convert(in.RawBody, false)
	} else if err = decode(in.RawBody, &q); err == nil {
		cfg, err = s.file(ctx, &q.StrategyRequest)
	}
	if err != nil {
		return nil, err
	}
	kind := history.Kind(q.Kind)
	if kind != history.KindRun && (s.Jobs.Execute[kind] == nil || kind == history.KindFetch) {
		p := problem("validation", "kind: "+strconv.Quote(clip(q.Kind, 20))+" is not one of "+strings.Join(s.kinds(), ", "))
		p.Errors = []Fault{{Pointer: "/kind", Code: "enum", Detail: p.Detail}}
		return nil, p
	}
	if err := checkOptions(kind, q.Options); err != nil {
		return nil, err
	}
	if err := checkSearch(kind, cfg, q.Options); err != nil {
		return nil, jobProblem(err)
	}
	label := history.Label{Name: &q.Name, Notes: &q.Notes, Tags: &q.Tags}
	t, err := s.Jobs.Submit(ctx, job.Request{Owner: owner(ctx), Spec: job.Spec{Kind: kind, Config: cfg, Options: q.Options}, Label: label, Key: in.Key, Dedupe: in.Dedupe})
	if err != nil {
		return nil, jobProblem(noneStored(err, cfg))
	}
	wait := preferredWait(in.Prefer)
	if old && wait == 0 {
		wait = legacyWait
	}
	run := t.Run
	if wait > 0 && !run.State.Ended() {
		if run, err = s.await(ctx, run.ID, wait); err != nil {
			return nil, err
		}
	}
	out := &submitOutput{Status: 202, Location: "/api/backtest/results/" + run.ID, Body: Submitted{Run: runView(run), Recalled: t.Same, Changes: notes}}
	if t.Replayed {
		out.Replayed = "true"
	}
	if run.State == history.Queued {
		out.Body.Position = max(1, t.Position)
	}
	if run.State.Ended() && (wait > 0 || t.Same) {
		out.Status = 200
	}
	if old && run.State.Ended() {
		return out, s.legacyAnswer(ctx, run, out)
	}
	return out, nil
}

func (s *Server) kinds() []string {
	list := []string{"run"}
	for _, k := range []history.Kind{history.KindSweep, history.KindValidate} {
		if s.Jobs.Execute[k] != nil {
			list = append(list, string(k))
		}
	}
	return list
}

// legacyAnswer adds what the former application answered. It had no runs: a failed one is a problem.
func (s *Server) legacyAnswer(ctx context.Context, run *history.Run, out *submitOutput) error {
	ok := run.State == history.Succeeded
	out.Body.Success = &ok
	if !ok {
		return nil
	}
	result, err := s.result(ctx, run)
	if err != nil {
		return err
	}
	out.Body.Data = &LegacyData{RunID: run.ID, TotalTrades: len(result.Trades), Metrics: result.Metrics}
	return nil
}

// await returns a run when it has ended, or as it is after the wait or when the server goes down.
func (s *Server) await(ctx context.Context, id string, wait time.Duration) (*history.Run, error) {
	bounded, cancel := context.WithTimeout(ctx, min(wait, legacyWait))
	defer cancel()
	stop := context.AfterFunc(bounded, func() {})
	defer stop()
	go func() {
		select {
		case <-s.drain:
			cancel()
		case <-bounded.Done():
		}
	}()
	return s.Jobs.Wait(bounded, owner(ctx), id)
}

// preferredWait reads wait=N of a Prefer header; what is not understood is no preference.
func preferredWait(prefer string) time.Duration {
	for _, p := range strings.Split(prefer, ",") {
		if v, ok := strings.CutPrefix(strings.TrimSpace(p), "wait="); ok {
			if n, err := strconv.Atoi(v); err == nil && n > 0 {
				return min(time.Duration(n)*time.Second, legacyWait)
			}
		}
	}
	return 0
}

func checkIdempotencyKey(key string) error {
	for _, c := range []byte(key) {
		if c <= ' ' || c > '~' {
			p := problem("validation", "Idempotency-Key: want 1 to 128 visible ASCII characters")
			p.Errors = []Fault{{Pointer: "Idempotency-Key", Code: "key", Detail: p.Detail}}
			return p
		}
	}
	return nil
}

// jobProblem translates what the queue refuses.
func jobProblem(err error) error {
	if limit, ok := errors.AsType[*job.LimitError](err); ok {
		p := problem(limit.Code, limit.Error())
		if limit.Code != "limit-exceeded" {
			p.after = 10 * time.Second
		}
		return p
	}
	if label, ok := errors.AsType[*job.LabelError](err); ok {
		return problem("validation", label.Error())
	}
	switch {
	case errors.Is(err, job.ErrKeyReused):
		return problem("idempotency-mismatch", "")
	case errors.Is(err, job.ErrKeyGone):
		return problem("conflict", "the run of this idempotency key has been deleted: a new run takes a new key")
	case errors.Is(err, job.ErrDraining):
		return retry(problem("draining", ""), 2*time.Second)
	case errors.Is(err, job.ErrDamaged):
		p := problem("artifact-damaged", "")
		p.cause = err
		return p
	}
	return err
}
