package job_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/history"
	"backtester/backtest/instrument"
	"backtester/backtest/job"
	"backtester/backtest/strategy"
)

// market is a small market in memory.
func market(t testing.TB) bar.Source {
	t.Helper()
	var list []*bar.Series
	for k, name := range []string{"ACME", "MKT", "ZIG"} {
		s := &bar.Series{Symbol: name, Frame: bar.Daily, Delisted: instrument.None}
		for i, day := range bar.NYSE().Sessions(instrument.NewDate(2018, 1, 2), instrument.NewDate(2021, 12, 31)) {
			c := 50 + 10*math.Sin(float64(i*(k+1))/17) + float64(i)/40
			s.Time = append(s.Time, day.Nanos())
			s.Open, s.High, s.Low = append(s.Open, c), append(s.High, c+0.5), append(s.Low, c-0.5)
			s.Close, s.Volume = append(s.Close, c), append(s.Volume, 1e6)
		}
		list = append(list, s)
	}
	src, err := bar.NewMemory(bar.NYSE(), list...)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// config is a strategy; n makes different ones.
func config(t testing.TB, n int) *backtest.Config {
	t.Helper()
	cfg, faults := strategy.Parse("dip.yaml", fmt.Appendf(nil, `
name: dip
universe: {symbols: [ACME, ZIG]}
params: {n: %d}
entry: close < sma(close, n)
exit: {max_bars: 5}
`, n))
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	return cfg
}

// rig is a service on a folder of its own.
type rig struct {
	*job.Service
	dir string
	db  *history.DB
}

func start(t testing.TB, change func(*job.Options)) *rig {
	t.Helper()
	return startIn(t, t.TempDir(), change)
}

func startIn(t testing.TB, dir string, change func(*job.Options)) *rig {
	t.Helper()
	db, err := history.Open(t.Context(), history.Options{Path: filepath.Join(dir, "db", "history.db"), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	src := market(t)
	o := job.Options{History: db, Results: dir, Workers: 2, Now: time.Now,
		Data: func(context.Context) (*job.Data, error) { return &job.Data{Source: src, Snapshot: "s1"}, nil },
		Render: func(_ context.Context, run *history.Run, r *backtest.Result, _ *job.Data) ([]job.File, error) {
			return []job.File{{Name: "csv/" + run.ID + ".csv", Write: func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "trades,%d\n", len(r.Trades))
				return err
			}}}, nil
		}}
	if change != nil {
		change(&o)
	}
	s, err := job.New(t.Context(), o)
	if err != nil {
		t.Fatal(errors.Join(err, db.Close()))
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return &rig{s, dir, db}
}

func (r *rig) submit(t testing.TB, q job.Request) *job.Ticket {
	t.Helper()
	ticket, err := r.Submit(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return ticket
}

func ask(cfg *backtest.Config) job.Request {
	return job.Request{Owner: "ann", Spec: job.Spec{Kind: history.KindRun, Config: cfg}}
}

// ended waits for the end of a run.
func (r *rig) ended(t testing.TB, id string) *history.Run {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	run, err := r.Wait(ctx, "", id)
	if err != nil || !run.State.Ended() {
		t.Fatalf("run %s has not ended: %+v %v", id, run, err)
	}
	return run
}

func TestARunEndsWithTheBytesOfTheCommandLine(t *testing.T) {
	r := start(t, nil)
	name := "my run"
	q := ask(config(t, 10))
	q.Label = history.Label{Name: &name, Tags: &[]string{"x"}}
	run := r.ended(t, r.submit(t, q).Run.ID)
	if run.State != history.Succeeded || run.Name != name || run.Attempt != 1 || len(run.Artifacts) != 2 || run.Metrics["sharpe"] == nil ||
		run.From != "2018-01-02" || run.To != "2021-12-31" || !slices.Equal(run.Symbols, []string{"ACME", "ZIG"}) {
		t.Fatalf("%+v %+v", run, run.Problem)
	}
	want, err := backtest.Run(t.Context(), config(t, 10), market(t))
	if err != nil {
		t.Fatal(err)
	}
	b, err := want.EncodeJSON()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(r.dir, job.ResultName(run.ID)))
	if err != nil || !bytes.Equal(got, b) {
		t.Errorf("the result differs from that of a plain run (%d and %d bytes, %v)", len(got), len(b), err)
	}
	if run.Fingerprint != want.Fingerprint || run.DataSum != want.Data.SHA256 {
		t.Errorf("%+v", run)
	}
	for _, a := range run.Artifacts {
		if err := r.Verify(a); err != nil {
			t.Error(err)
		}
	}
	f, err := r.Open(run.Artifacts[0])
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
}

func TestDamagedFilesAreNoticed(t *testing.T) {
	r := start(t, nil)
	run := r.ended(t, r.submit(t, ask(config(t, 10))).Run.ID)
	a := run.Artifacts[0]
	path := filepath.Join(r.dir, a.Name)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.Verify(a); !errors.Is(err, job.ErrDamaged) {
		t.Errorf("one bit differs: %v", err)
	}
	if err := os.Truncate(path, 3); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Open(a); !errors.Is(err, job.ErrDamaged) {
		t.Errorf("it is short: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Open(a); !errors.Is(err, job.ErrDamaged) {
		t.Errorf("it is gone: %v", err)
	}
	if _, err := r.Open(history.Artifact{Name: "../outside.csv"}); err == nil {
		t.Error("a file outside the results folder was opened")
	}
}

func TestTheSameRequestIsDoneOnce(t *testing.T) {
	r := start(t, nil)
	q := ask(config(t, 10))
	q.Key = "k1"
	first := r.submit(t, q)
	again := r.submit(t, q)
	if again.Run.ID != first.Run.ID || !again.Replayed || first.Replayed {
		t.Errorf("%+v, then %+v", first, again)
	}
	other := ask(config(t, 11))
	other.Key = "k1"
	if _, err := r.Submit(t.Context(), other); !errors.Is(err, job.ErrKeyReused) {
		t.Errorf("another body under the key: %v", err)
	}
	r.ended(t, first.Run.ID)
	if err := r.Remove(t.Context(), "ann", first.Run.ID); err != nil {
		t.Fatal(err)
	}
	if got, err := r.Submit(t.Context(), q); !errors.Is(err, job.ErrKeyGone) {
		t.Errorf("a request that comes again after its run was deleted: %+v %v", got, err)
	}
	bob := q
	bob.Owner = "bob"
	if got := r.submit(t, bob); got.Replayed {
		t.Error("bob was given ann's run")
	}
	for _, key := range []string{"a b", "ü", string(make([]byte, 200))} {
		q.Key = key
		if _, err := r.Submit(t.Context(), q); err == nil {
			t.Errorf("key %q was taken", key)
		}
	}
}

func TestEqualWorkIsRecognised(t *testing.T) {
	snapshot := atomic.Value{}
	snapshot.Store("s1")
	src := market(t)
	r := start(t, func(o *job.Options) {
		o.Data = func(context.Context) (*job.Data, error) {
			return &job.Data{Source: src, Snapshot: snapshot.Load().(string)}, nil
		}
	})
	q := ask(config(t, 10))
	q.Dedupe = true
	first := r.submit(t, q)
	r.ended(t, first.Run.ID)
	if got := r.submit(t, q); !got.Same || got.Run.ID != first.Run.ID || got.Run.State != history.Succeeded {
		t.Errorf("%+v", got)
	}
	plain := ask(config(t, 10))
	if got := r.submit(t, plain); got.Same {
		t.Error("recognised although nobody asked for it")
	}
	snapshot.Store("s2")
	if got := r.submit(t, q); got.Same {
		t.Error("other data was taken for the same")
	}
	snapshot.Store("")
	r.submit(t, q)
	if got := r.submit(t, q); got.Same {
		t.Error("unknown data was taken for the same")
	}
}

// blocker is an Executor that waits to be told.
func blocker(began chan<- string, release <-chan struct{}) job.Executor {
	return func(ctx context.Context, w *job.Work) (*job.Done, error) {
		began <- w.Run.ID
		select {
		case <-release:
			return &job.Done{Summary: []byte(`{"ok":true}`)}, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func fetch(owner string, n int) job.Request {
	return job.Request{Owner: owner, Spec: job.Spec{Kind: history.KindFetch, Options: json.RawMessage(fmt.Sprintf(`{"n":%d}`, n))}}
}

func TestCancel(t *testing.T) {
	began := make(chan string)
	r := start(t, func(o *job.Options) {
		o.Workers = 1
		o.Execute = map[history.Kind]job.Executor{history.KindFetch: blocker(began, nil)}
	})
	running, waiting := r.submit(t, fetch("ann", 1)).Run.ID, r.submit(t, fetch("ann", 2)).Run.ID
	if got := <-began; got != running {
		t.Fatalf("%s began, want %s", got, running)
	}
	if p, err := r.Position(t.Context(), waiting); p != 1 || err != nil {
		t.Errorf("position %d %v", p, err)
	}
	if state, err := r.Cancel(t.Context(), "ann", waiting); state != history.Cancelled || err != nil {
		t.Errorf("%s %v", state, err)
	}
	if _, err := r.Cancel(t.Context(), "bob", running); !errors.Is(err, history.ErrNotFound) {
		t.Errorf("somebody else's: %v", err)
	}
	if state, err := r.Cancel(t.Context(), "ann", running); state != history.Running || err != nil {
		t.Errorf("%s %v", state, err)
	}
	for _, id := range []string{running, waiting} {
		if run := r.ended(t, id); run.State != history.Cancelled {
			t.Errorf("%s is %s", id, run.State)
		}
		if state, err := r.Cancel(t.Context(), "ann", id); state != history.Cancelled || err != nil {
			t.Errorf("again: %s %v", state, err)
		}
	}
}

// A real run notices that it is cancelled in the middle of its bars: it says that it moves, and is held there
// until it has been cancelled.
func TestCancelStopsTheEngine(t *testing.T) {
	moves := make(chan struct{})
	r := start(t, func(o *job.Options) {
		o.Execute = map[history.Kind]job.Executor{history.KindRun: func(ctx context.Context, w *job.Work) (*job.Done, error) {
			held := *w
			var once sync.Once
			held.Tell = func(s job.Step) {
				w.Tell(s)
				once.Do(func() { close(moves); <-ctx.Done() })
			}
			return job.Play(ctx, &held)
		}}
	})
	id := r.submit(t, ask(config(t, 5))).Run.ID
	<-moves
	if state, err := r.Cancel(t.Context(), "ann", id); state != history.Running || err != nil {
		t.Fatalf("%s %v", state, err)
	}
	if run := r.ended(t, id); run.State != history.Cancelled {
		t.Errorf("%s: %+v", run.State, run.Problem)
	}
}

func TestFairTurns(t *testing.T) {
	began, release := make(chan string), make(chan struct{})
	r := start(t, func(o *job.Options) {
		o.Workers = 2
		o.Limits.UserRunning = 1
		o.Execute = map[history.Kind]job.Executor{history.KindFetch: blocker(began, release)}
	})
	owners := map[string]string{}
	for i := range 4 {
		owners[r.submit(t, fetch("ann", i)).Run.ID] = "ann"
	}
	for i := range 2 {
		owners[r.submit(t, fetch("bob", i)).Run.ID] = "bob"
	}
	owners[r.submit(t, fetch("cid", 0)).Run.ID] = "cid"
	var order []string
	order = append(order, owners[<-began], owners[<-began])
	close(release)
	for len(order) < 7 {
		order = append(order, owners[<-began])
	}
	slices.Sort(order[:2])
	if !slices.Equal(order[:2], []string{"ann", "bob"}) {
		t.Errorf("first %v: one of each, although ann has four waiting", order[:2])
	}
	if at := slices.Index(order, "cid"); at != 2 {
		t.Errorf("cid came at place %d of %v: nobody may be served twice before him", at+1, order)
	}
}

// A run that panics is tried three times, then it has failed; others go on.
func TestPanicsAreACrashLoop(t *testing.T) {
	var tries atomic.Int64
	r := start(t, func(o *job.Options) {
		o.Execute = map[history.Kind]job.Executor{history.KindFetch: func(context.Context, *job.Work) (*job.Done, error) {
			tries.Add(1)
			panic("at the disco")
		}}
	})
	bad := r.submit(t, fetch("ann", 1)).Run.ID
	good := r.ended(t, r.submit(t, ask(config(t, 10))).Run.ID)
	run := r.ended(t, bad)
	if run.State != history.Failed || run.Problem.Code != "crash-loop" || tries.Load() != job.MostAttempts {
		t.Errorf("%s %+v after %d tries", run.State, run.Problem, tries.Load())
	}
	if good.State != history.Succeeded {
		t.Errorf("the other is %s", good.State)
	}
}

func TestOneServerAFolder(t *testing.T) {
	r := start(t, nil)
	db, err := history.Open(t.Context(), history.Options{Path: filepath.Join(t.TempDir(), "h.db"), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = job.New(t.Context(), job.Options{History: db, Results: r.dir, Now: time.Now,
		Data: func(context.Context) (*job.Data, error) { return nil, errors.New("none") }})
	if err == nil {
		t.Fatal("a second server works in the folder")
	}
}

// A planned restart puts runs back, and does not count as an attempt.
func TestDrainPutsRunsBack(t *testing.T) {
	dir := t.TempDir()
	began, release := make(chan string, 1), make(chan struct{})
	r := startIn(t, dir, func(o *job.Options) {
		o.Execute = map[history.Kind]job.Executor{history.KindFetch: blocker(began, release)}
	})
	id := r.submit(t, fetch("ann", 1)).Run.ID
	<-began
	sub, err := r.Events(t.Context(), "ann", id, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	if err := r.Service.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Submit(t.Context(), fetch("ann", 2)); !errors.Is(err, job.ErrDraining) {
		t.Errorf("taken while going down: %v", err)
	}
	var last job.Event
	for {
		e, err := sub.Next(t.Context())
		if err != nil {
			break
		}
		last = e
	}
	if last.Type != "restart" {
		t.Errorf("the stream ended with %s", last.Type)
	}
	close(release)
	next := startIn(t, dir, func(o *job.Options) {
		o.Execute = map[history.Kind]job.Executor{history.KindFetch: blocker(began, release)}
	})
	run := next.ended(t, id)
	if run.State != history.Succeeded || run.Attempt != 1 || string(run.Summary) != `{"ok":true}` {
		t.Errorf("%+v", run)
	}
}

func TestRemoveTakesTheFilesAlong(t *testing.T) {
	r := start(t, nil)
	run := r.ended(t, r.submit(t, ask(config(t, 10))).Run.ID)
	if err := r.Remove(t.Context(), "bob", run.ID); !errors.Is(err, history.ErrNotFound) {
		t.Errorf("somebody else's: %v", err)
	}
	if err := r.Remove(t.Context(), "ann", run.ID); err != nil {
		t.Fatal(err)
	}
	for _, a := range run.Artifacts {
		if _, err := os.Stat(filepath.Join(r.dir, a.Name)); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", a.Name, err)
		}
	}
}

func TestOrphansAreSwept(t *testing.T) {
	dir := t.TempDir()
	r := startIn(t, dir, nil)
	run := r.ended(t, r.submit(t, ask(config(t, 10))).Run.ID)
	if err := r.Service.Close(); err != nil {
		t.Fatal(err)
	}
	stray := filepath.Join(dir, "csv", r.db.NewID()+".csv")
	half := filepath.Join(dir, "runs", r.db.NewID()+".json.part")
	mine := filepath.Join(dir, "csv", "my own notes.csv")
	for _, f := range []string{stray, half, mine} {
		if err := os.WriteFile(f, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	startIn(t, dir, nil)
	for f, want := range map[string]bool{stray: false, half: false, mine: true, filepath.Join(dir, run.Artifacts[0].Name): true} {
		if _, err := os.Stat(f); (err == nil) != want {
			t.Errorf("%s: %v, want it there: %v", f, err, want)
		}
	}
}
