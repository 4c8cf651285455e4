package history

import (
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Start gives a queued run to a worker until the lease ends. It is ErrLost when the run is not waiting
// any more.
func (t *Tx) Start(id, worker string, lease time.Time) (attempt int, err error) {
	now := millis(t.Now())
	n, err := t.Exec(`UPDATE runs SET state = ?, attempt = attempt + 1, worker = ?, lease_until = ?, cancelling = 0,
 started_at = CASE WHEN created_at > ? THEN created_at ELSE ? END WHERE id = ? AND state = ?`, Running, worker, millis(lease), now, now, id, Queued)
	if err == nil && n == 0 {
		err = ErrLost
	}
	if err == nil {
		err = t.QueryRow(`SELECT attempt FROM runs WHERE id = ?`, id).Scan(&attempt)
	}
	if err != nil {
		return 0, fmt.Errorf("start run %s: %w", id, err)
	}
	return attempt, nil
}

// Renew extends the lease of a running run and reports whether somebody wants it cancelled.
func (t *Tx) Renew(id, worker string, lease time.Time) (cancelling bool, err error) {
	n, err := t.Exec(`UPDATE runs SET lease_until = ? WHERE id = ? AND state = ? AND worker = ?`, millis(lease), id, Running, worker)
	if err == nil && n == 0 {
		err = ErrLost
	}
	var c int64
	if err == nil {
		err = t.QueryRow(`SELECT cancelling FROM runs WHERE id = ?`, id).Scan(&c)
	}
	if err != nil {
		return false, fmt.Errorf("renew the lease of run %s: %w", id, err)
	}
	return c != 0, nil
}

// End is what a worker reports when a run has ended.
type End struct {
	State       State
	Problem     *Problem
	Fingerprint string
	DataSum     string
	Symbols     []string // of the result; nil keeps those of the request
	From, To    string
	Metrics     map[string]*float64
	Summary     []byte
	Artifacts   []Artifact
}

// afterStart is now, twice, or the start of the run where the clock was set back meanwhile: nothing lasts
// less than no time.
const afterStart = `CASE WHEN started_at > ? THEN started_at ELSE ? END`

// Finish ends a running run. It is ErrLost when worker does not hold it any more: then its artifacts
// count for nothing, because another worker makes them again.
func (t *Tx) Finish(id, worker string, e End) error {
	if !e.State.Ended() {
		return fmt.Errorf("end run %s: state %q is not an end", id, e.State)
	}
	problem, err := problemText(e.Problem)
	if err != nil {
		return err
	}
	now := millis(t.Now())
	args := []any{e.State, problem, e.Fingerprint, e.DataSum, string(e.Summary), now, now}
	args = append(args, metricValues(e.Metrics)...)
	n, err := t.Exec(`UPDATE runs SET state = ?, problem = ?, fingerprint = ?, data_sha256 = ?, summary = ?, finished_at = `+afterStart+`, worker = '',
 lease_until = 0, cancelling = 0, total_return = ?, cagr = ?, volatility = ?, sharpe = ?, sortino = ?, max_drawdown = ?, trades = ?,
 win_rate = ?, profit_factor = ?, exposure = ?, final_equity = ? WHERE id = ? AND state = 'running' AND worker = ?`,
		append(args, id, worker)...)
	if err == nil && n == 0 {
		err = ErrLost
	}
	if err == nil && e.Symbols != nil {
		if err = t.setSymbols(id, e.Symbols); err == nil {
			_, err = t.Exec(`UPDATE runs SET symbols = ?, from_date = ?, to_date = ? WHERE id = ?`, joinList(e.Symbols), e.From, e.To, id)
		}
	}
	if err == nil {
		err = t.addArtifacts(id, e.Artifacts)
	}
	if err != nil {
		return fmt.Errorf("end run %s: %w", id, err)
	}
	return nil
}

// Requeue puts a running run back in the queue, to be started again from the beginning. counted says
// that the attempt counts, because the run itself ended it.
func (t *Tx) Requeue(id, worker string, counted bool) error {
	n, err := t.Exec(`UPDATE runs SET state = ?, attempt = attempt - ?, worker = '', lease_until = 0 WHERE id = ? AND state = ? AND worker = ?`,
		Queued, flag(!counted), id, Running, worker)
	if err == nil && n == 0 {
		err = ErrLost
	}
	if err != nil {
		return fmt.Errorf("put run %s back in the queue: %w", id, err)
	}
	return nil
}

// CrashLoop is the problem of a run that ends its worker again and again.
func CrashLoop(attempts int) *Problem {
	return &Problem{Code: "crash-loop", Title: "The run ended its worker again and again",
		Detail: fmt.Sprintf("it was started %d times, and each time its worker died before it ended", attempts)}
}

// Rescue looks after runs whose worker has died: those whose lease ended before now, or all that run
// when all is set, at the start of the only server. Each goes back in the queue, is cancelled if that
// was asked for, or fails when it was started most times already: what kills its worker again and
// again must not do so for ever.
func (t *Tx) Rescue(all bool, most int) (requeued, failed []string, err error) {
	type row struct {
		id         string
		attempt    int
		cancelling int64
	}
	var rows []row
	err = t.Each(func(r *sql.Rows) error {
		var x row
		err := r.Scan(&x.id, &x.attempt, &x.cancelling)
		rows = append(rows, x)
		return err
	}, `SELECT id, attempt, cancelling FROM runs WHERE state = ? AND (? = 1 OR lease_until < ?) ORDER BY id`, Running, flag(all), millis(t.Now()))
	if err != nil {
		return nil, nil, fmt.Errorf("look for runs without a worker: %w", err)
	}
	for _, x := range rows {
		state, problem, finished := Queued, "", int64(0)
		switch {
		case x.cancelling != 0:
			state, finished = Cancelled, millis(t.Now())
		case x.attempt >= most:
			state, finished = Failed, millis(t.Now())
			problem, err = problemText(CrashLoop(x.attempt))
			if err != nil {
				return nil, nil, err
			}
			failed = append(failed, x.id)
		default:
			requeued = append(requeued, x.id)
		}
		if _, err := t.Exec(`UPDATE runs SET state = ?, problem = ?, worker = '', lease_until = 0, cancelling = 0, finished_at = ? WHERE id = ?`,
			state, problem, finished, x.id); err != nil {
			return nil, nil, fmt.Errorf("rescue run %s: %w", x.id, err)
		}
	}
	return requeued, failed, nil
}

// Cancel ends a queued run and marks a running one, whose worker then stops. It returns the state
// afterwards; ErrFinished for a run that has ended otherwise.
func (t *Tx) Cancel(owner, id string) (State, error) {
	r, err := t.Run(owner, id)
	if err != nil {
		return "", err
	}
	switch {
	case r.State == Cancelled:
		return Cancelled, nil
	case r.State.Ended():
		return r.State, fmt.Errorf("cancel run %s: it %w", id, ErrFinished)
	case r.State == Queued:
		now := millis(t.Now())
		_, err = t.Exec(`UPDATE runs SET state = ?, finished_at = CASE WHEN created_at > ? THEN created_at ELSE ? END WHERE id = ?`, Cancelled, now, now, id)
		r.State = Cancelled
	default:
		_, err = t.Exec(`UPDATE runs SET cancelling = 1 WHERE id = ?`, id)
	}
	if err != nil {
		return "", fmt.Errorf("cancel run %s: %w", id, err)
	}
	return r.State, nil
}

// Load is how much work there is.
type Load struct {
	Queued, Running       int // of one owner
	AllQueued, AllRunning int
}

// Load counts what waits and runs.
func (t *Tx) Load(owner string) (Load, error) {
	var l Load
	err := t.QueryRow(`SELECT COALESCE(SUM(CASE WHEN state = 'queued' AND owner = ? THEN 1 ELSE 0 END), 0),
 COALESCE(SUM(CASE WHEN state = 'running' AND owner = ? THEN 1 ELSE 0 END), 0),
 COALESCE(SUM(CASE WHEN state = 'queued' THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN state = 'running' THEN 1 ELSE 0 END), 0)
 FROM runs WHERE state IN ('queued', 'running')`, owner, owner).Scan(&l.Queued, &l.Running, &l.AllQueued, &l.AllRunning)
	if err != nil {
		return Load{}, fmt.Errorf("count runs: %w", err)
	}
	return l, nil
}

// Stored is how many bytes the files of an owner's runs have. Cost: O(runs of the owner).
func (t *Tx) Stored(owner string) (n int64, err error) {
	if err = t.QueryRow(`SELECT COALESCE(SUM(bytes), 0) FROM runs WHERE owner = ?`, owner).Scan(&n); err != nil {
		return 0, fmt.Errorf("add up what is stored: %w", err)
	}
	return n, nil
}

// Waiting is a queued or running run as the scheduler sees it.
type Waiting struct {
	ID, Owner string
	Kind      Kind
	Running   bool
}

// Waiting lists what is queued and what runs, oldest first.
func (t *Tx) Waiting() ([]Waiting, error) {
	var list []Waiting
	err := t.Each(func(r *sql.Rows) error {
		var w Waiting
		var s State
		err := r.Scan(&w.ID, &w.Owner, &w.Kind, &s)
		w.Running = s == Running
		list = append(list, w)
		return err
	}, `SELECT id, owner, kind, state FROM runs WHERE state IN ('queued', 'running') ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("list what waits: %w", err)
	}
	return list, nil
}

// Same is the newest run of owner that did, does or will do the same work; ErrNotFound without one.
func (t *Tx) Same(owner, specSum string) (*Run, error) {
	var id string
	err := t.QueryRow(`SELECT id FROM runs WHERE spec_sha256 = ? AND owner = ? AND state IN ('succeeded', 'queued', 'running') AND cancelling = 0
 ORDER BY CASE state WHEN 'succeeded' THEN 0 ELSE 1 END, id DESC LIMIT 1`, specSum, owner).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("look for the same work: %w", err)
	}
	return t.Run(owner, id)
}

// Key is a request that must not be done twice.
type Key struct {
	Owner, Route, Key string
	SHA256            string // of the request
	Run               string // that it made
	Created           time.Time
}

// Key finds what a key stands for; ErrNotFound when it is new.
func (t *Tx) Key(owner, route, key string) (Key, error) {
	k := Key{Owner: owner, Route: route, Key: key}
	var created int64
	err := t.QueryRow(`SELECT sha256, run, created_at FROM idempotency WHERE owner = ? AND route = ? AND key = ?`, owner, route, key).
		Scan(&k.SHA256, &k.Run, &created)
	if errors.Is(err, sql.ErrNoRows) {
		return Key{}, ErrNotFound
	}
	if err != nil {
		return Key{}, fmt.Errorf("read a key: %w", err)
	}
	k.Created = moment(created)
	return k, nil
}

// KeepKey remembers a key, in the same transaction as the run that it stands for.
func (t *Tx) KeepKey(k Key) error {
	_, err := t.Exec(`INSERT INTO idempotency (owner, route, key, sha256, run, created_at) VALUES (?, ?, ?, ?, ?, ?)`,
		k.Owner, k.Route, k.Key, k.SHA256, k.Run, millis(t.Now()))
	if err != nil {
		return fmt.Errorf("keep a key: %w", err)
	}
	return nil
}

// ForgetKeys drops keys older than the moment given.
func (t *Tx) ForgetKeys(before time.Time) error {
	if _, err := t.Exec(`DELETE FROM idempotency WHERE created_at < ?`, millis(before)); err != nil {
		return fmt.Errorf("forget old keys: %w", err)
	}
	return nil
}
