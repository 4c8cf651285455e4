package history

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"backtester/backtest"
)

// Errors that callers tell apart.
var (
	ErrNotFound = errors.New("not found")         // no such run, or somebody else's
	ErrFinished = errors.New("has ended already") // a run in a terminal state does not change any more
	ErrChanged  = errors.New("was changed by somebody else meanwhile")
	ErrLost     = errors.New("belongs to another worker now") // the lease ran out
)

// Kind of a run.
type Kind string

// Kinds.
const (
	KindRun      Kind = "run"
	KindSweep    Kind = "sweep"
	KindValidate Kind = "validate"
	KindFetch    Kind = "fetch"
)

// State of a run.
type State string

// States: a run goes from queued through running to one of the last three, and back to queued when its
// worker dies.
const (
	Queued    State = "queued"
	Running   State = "running"
	Succeeded State = "succeeded"
	Failed    State = "failed"
	Cancelled State = "cancelled"
)

// Ended reports whether a run in this state stays as it is.
func (s State) Ended() bool { return s == Succeeded || s == Failed || s == Cancelled }

func kinds() []Kind { return []Kind{KindRun, KindSweep, KindValidate, KindFetch} }

func states() []State { return []State{Queued, Running, Succeeded, Failed, Cancelled} }

// Run is one row of the history. Metrics are null where they are undefined.
type Run struct {
	ID      string `json:"run_id"`
	Owner   string `json:"-"`
	Kind    Kind   `json:"kind"`
	State   State  `json:"status"`
	Attempt int    `json:"attempt"` // how often it was started

	Spec     json.RawMessage `json:"-"`           // canonical document of what was asked
	SpecSum  string          `json:"spec_sha256"` // of kind, Spec, Snapshot and EngineVersion: equal is the same work
	Snapshot string          `json:"data_snapshot"`
	Engine   string          `json:"engine_version"`

	Fingerprint string `json:"fingerprint,omitempty"` // of the result
	DataSum     string `json:"data_sha256,omitempty"`

	Strategy string   `json:"strategy"`
	Symbols  []string `json:"symbols"`
	From     string   `json:"from"` // of the result, of the request before
	To       string   `json:"to"`

	Name    string   `json:"name,omitempty"`
	Notes   string   `json:"notes,omitempty"`
	Tags    []string `json:"tags"`
	Starred bool     `json:"starred"`
	// Shared says that everybody may read it; what people wrote on it stays its owner's.
	Shared bool `json:"shared,omitempty"`
	// Revision counts the changes that people made, for If-Match.
	Revision int `json:"revision"`

	Metrics   map[string]*float64 `json:"metrics"`           // see SummaryKeys
	Summary   json.RawMessage     `json:"summary,omitempty"` // what other kinds have to say in one line
	Problem   *Problem            `json:"error,omitempty"`   // of a failed run
	Artifacts []Artifact          `json:"artifacts"`

	Created  time.Time `json:"created_at"`
	Started  time.Time `json:"started_at,omitzero"`
	Finished time.Time `json:"finished_at,omitzero"`

	Cancelling bool      `json:"cancelling,omitempty"` // somebody asked a running one to stop
	Worker     string    `json:"-"`
	Lease      time.Time `json:"-"` // until when the worker may be silent
}

// Problem says why a run failed, in the words of the API.
type Problem struct {
	Code   string          `json:"code"` // a stable word
	Title  string          `json:"title"`
	Detail string          `json:"detail,omitempty"`
	Errors json.RawMessage `json:"errors,omitempty"` // faults of a strategy, missing data
}

// Artifact is a file that a run left behind.
type Artifact struct {
	Name   string `json:"name"` // below the results folder
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
}

// SummaryKeys are the metrics that every row carries, by which pages can be sorted.
func SummaryKeys() []string {
	return []string{"total_return", "cagr", "volatility", "sharpe", "sortino", "max_drawdown", "trades", "win_rate",
		"profit_factor", "exposure", "final_equity"}
}

// MetricsOf are the metrics of a result that its row carries.
func MetricsOf(r *backtest.Result) map[string]*float64 {
	m := make(map[string]*float64)
	for _, k := range SummaryKeys() {
		if v, ok := r.Metrics.Get(k); ok {
			m[k] = &v
		}
	}
	return m
}

// runColumns in the order of scanRun.
const runColumns = `r.id, r.owner, r.kind, r.state, r.attempt, r.spec_sha256, r.snapshot, r.engine_version, r.fingerprint, r.data_sha256,
 r.strategy, r.symbols, r.from_date, r.to_date, r.name, r.notes, r.starred, r.revision, r.problem, r.summary, r.cancelling, r.worker,
 r.lease_until, r.created_at, r.started_at, r.finished_at, r.total_return, r.cagr, r.volatility, r.sharpe, r.sortino, r.max_drawdown,
 r.trades, r.win_rate, r.profit_factor, r.exposure, r.final_equity, r.shared`

// scanner is a row or the current one of many.
type scanner interface{ Scan(...any) error }

func scanRun(row scanner) (*Run, error) {
	var (
		r                                 *Run = &Run{Tags: []string{}, Artifacts: []Artifact{}}
		symbols, problem, summary         string
		starred, cancelling, shared       int64
		lease, created, started, finished int64
	)
	keys := SummaryKeys()
	values := make([]sql.NullFloat64, len(keys))
	to := []any{&r.ID, &r.Owner, &r.Kind, &r.State, &r.Attempt, &r.SpecSum, &r.Snapshot, &r.Engine, &r.Fingerprint, &r.DataSum,
		&r.Strategy, &symbols, &r.From, &r.To, &r.Name, &r.Notes, &starred, &r.Revision, &problem, &summary, &cancelling, &r.Worker,
		&lease, &created, &started, &finished}
	for i := range values {
		to = append(to, &values[i])
	}
	if err := row.Scan(append(to, &shared)...); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			return nil, ErrNotFound
		}
		return nil, err
	}
	r.Symbols = splitList(symbols)
	r.Starred, r.Cancelling, r.Shared = starred != 0, cancelling != 0, shared != 0
	r.Lease, r.Created, r.Started, r.Finished = moment(lease), moment(created), moment(started), moment(finished)
	r.Metrics = make(map[string]*float64, len(keys))
	for i, k := range keys {
		r.Metrics[k] = nil
		if values[i].Valid {
			r.Metrics[k] = &values[i].Float64
		}
	}
	if summary != "" {
		r.Summary = json.RawMessage(summary)
	}
	if problem != "" {
		r.Problem = &Problem{}
		if err := json.Unmarshal([]byte(problem), r.Problem); err != nil {
			return nil, fmt.Errorf("read the problem of run %s: %w", r.ID, err)
		}
	}
	return r, nil
}

func joinList(list []string) string { return strings.Join(list, ",") }

func splitList(s string) []string {
	if s == "" {
		return []string{}
	}
	return strings.Split(s, ",")
}

// Run returns a run of an owner with everything but its Spec; "" owns every run. It is what may change a run:
// see DB.Run for who may read one.
func (t *Tx) Run(owner, id string) (*Run, error) {
	r, err := scanRun(t.QueryRow(`SELECT `+runColumns+` FROM runs r WHERE r.id = ? AND (? = '' OR r.owner = ?)`, id, owner, owner))
	if err != nil {
		return nil, fmt.Errorf("read run %s: %w", id, err)
	}
	return r, t.complete([]*Run{r})
}

// Spec is the document of what was asked.
func (t *Tx) Spec(id string) (json.RawMessage, error) {
	var b []byte
	err := t.QueryRow(`SELECT spec FROM run_specs WHERE run = ?`, id).Scan(&b)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read run %s: %w", id, err)
	}
	return b, nil
}

// Find returns the newest run whose id begins with prefix, for people who type a few characters. Several
// are an error that names them.
func (t *Tx) Find(owner, prefix string) (*Run, error) {
	var ids []string
	prefix = strings.ToUpper(prefix)
	err := t.Each(func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	}, `SELECT id FROM runs WHERE id >= ? AND id < ? AND (? = '' OR owner = ?) ORDER BY id LIMIT 4`, prefix, prefix+"~", owner, owner)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read runs %s*: %w", prefix, err)
	case len(ids) == 0:
		return nil, fmt.Errorf("read run %s: %w", prefix, ErrNotFound)
	case len(ids) > 1 && ids[0] != prefix:
		return nil, fmt.Errorf("read run %s: it could be %s: give more characters", prefix, strings.Join(ids, ", "))
	}
	return t.Run(owner, ids[0])
}

// complete adds tags and artifacts to runs.
func (t *Tx) complete(runs []*Run) error {
	byID := make(map[string]*Run, len(runs))
	var ids []any
	for _, r := range runs {
		byID[r.ID] = r
		ids = append(ids, r.ID)
	}
	for part := range slices.Chunk(ids, 500) {
		in := "(?" + strings.Repeat(", ?", len(part)-1) + ")"
		err := t.Each(func(rows *sql.Rows) error {
			var id, tag string
			if err := rows.Scan(&id, &tag); err != nil {
				return err
			}
			byID[id].Tags = append(byID[id].Tags, tag)
			return nil
		}, `SELECT run, tag FROM run_tags WHERE run IN `+in+` ORDER BY run, tag`, part...)
		if err != nil {
			return fmt.Errorf("read tags: %w", err)
		}
		err = t.Each(func(rows *sql.Rows) error {
			var id string
			var a Artifact
			if err := rows.Scan(&id, &a.Name, &a.SHA256, &a.Bytes); err != nil {
				return err
			}
			byID[id].Artifacts = append(byID[id].Artifacts, a)
			return nil
		}, `SELECT run, name, sha256, bytes FROM artifacts WHERE run IN `+in+` ORDER BY run, name`, part...)
		if err != nil {
			return fmt.Errorf("read artifacts: %w", err)
		}
	}
	return nil
}

// Insert adds a run as it stands, queued or, for work that is done where it was asked, in any other
// state. An empty ID and a zero Created are filled in. Nobody shares it yet.
func (t *Tx) Insert(r *Run) error {
	if !slices.Contains(kinds(), r.Kind) || !slices.Contains(states(), r.State) {
		return fmt.Errorf("add a run: kind %q or state %q is unknown", r.Kind, r.State)
	}
	if r.ID == "" {
		r.ID = t.NewID()
	}
	if r.Created.IsZero() {
		r.Created = t.Now().UTC()
	}
	r.Revision, r.Shared = max(1, r.Revision), false
	problem, err := problemText(r.Problem)
	if err != nil {
		return err
	}
	args := []any{r.ID, r.Owner, r.Kind, r.State, r.Attempt, r.SpecSum, r.Snapshot, r.Engine, r.Fingerprint, r.DataSum,
		r.Strategy, joinList(r.Symbols), r.From, r.To, r.Name, r.Notes, flag(r.Starred), r.Revision, problem, string(r.Summary),
		flag(r.Cancelling), r.Worker, millis(r.Lease), millis(r.Created), millis(r.Started), millis(r.Finished)}
	args = append(append(args, metricValues(r.Metrics)...), r.searchText())
	_, err = t.Exec(`INSERT INTO runs (id, owner, kind, state, attempt, spec_sha256, snapshot, engine_version, fingerprint, data_sha256,
 strategy, symbols, from_date, to_date, name, notes, starred, revision, problem, summary, cancelling, worker, lease_until, created_at,
 started_at, finished_at, total_return, cagr, volatility, sharpe, sortino, max_drawdown, trades, win_rate, profit_factor, exposure,
 final_equity, search) VALUES (?`+strings.Repeat(", ?", len(args)-1)+`)`, args...)
	if err == nil {
		_, err = t.Exec(`INSERT INTO run_specs (run, spec) VALUES (?, ?)`, r.ID, []byte(r.Spec))
	}
	if err == nil {
		err = t.setSymbols(r.ID, r.Symbols)
	}
	if err == nil {
		err = t.setTags(r.ID, r.Tags)
	}
	if err == nil {
		err = t.addArtifacts(r.ID, r.Artifacts)
	}
	if err != nil {
		return fmt.Errorf("add run %s: %w", r.ID, err)
	}
	return nil
}

// searchText is what a search for words looks at, in lower case, because the databases disagree about
// case.
func (r *Run) searchText() string {
	return strings.ToLower(strings.Join(append([]string{r.Name, r.Strategy, r.Notes}, r.Tags...), "\n"))
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// metricValues are the metrics in the order of their columns. What is no finite number is stored as
// absent.
func metricValues(m map[string]*float64) []any {
	var out []any
	for _, k := range SummaryKeys() {
		v := m[k]
		if v == nil || math.IsNaN(*v) || math.IsInf(*v, 0) {
			out = append(out, nil)
			continue
		}
		out = append(out, *v)
	}
	return out
}

func problemText(p *Problem) (string, error) {
	if p == nil {
		return "", nil
	}
	b, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("write the problem of a run: %w", err)
	}
	return string(b), nil
}

func (t *Tx) setSymbols(id string, symbols []string) error {
	if _, err := t.Exec(`DELETE FROM run_symbols WHERE run = ?`, id); err != nil {
		return err
	}
	return t.insertEach(`INSERT INTO run_symbols (run, symbol) VALUES `, id, symbols)
}

func (t *Tx) setTags(id string, tags []string) error {
	if _, err := t.Exec(`DELETE FROM run_tags WHERE run = ?`, id); err != nil {
		return err
	}
	return t.insertEach(`INSERT INTO run_tags (run, tag) VALUES `, id, tags)
}

// insertEach adds rows of a run and a word, words given twice once.
func (t *Tx) insertEach(into, id string, words []string) error {
	words = slices.Compact(slices.Sorted(slices.Values(words)))
	for part := range slices.Chunk(words, 200) {
		var args []any
		for _, w := range part {
			args = append(args, id, w)
		}
		if _, err := t.Exec(into+"(?, ?)"+strings.Repeat(", (?, ?)", len(part)-1), args...); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) addArtifacts(id string, list []Artifact) error {
	var total int64
	for _, a := range list {
		if _, err := t.Exec(`INSERT INTO artifacts (run, name, sha256, bytes) VALUES (?, ?, ?, ?)`, id, a.Name, a.SHA256, a.Bytes); err != nil {
			return err
		}
		total += a.Bytes
	}
	if total == 0 {
		return nil
	}
	_, err := t.Exec(`UPDATE runs SET bytes = bytes + ? WHERE id = ?`, total, id)
	return err
}

// Named reports whether some run names a file.
func (t *Tx) Named(artifact string) (bool, error) {
	var n int
	if err := t.QueryRow(`SELECT COUNT(*) FROM artifacts WHERE name = ?`, artifact).Scan(&n); err != nil {
		return false, fmt.Errorf("look for %s: %w", artifact, err)
	}
	return n > 0, nil
}
