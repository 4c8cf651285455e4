package job_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"backtester/backtest/history"
	"backtester/backtest/history/pgtest"
	"backtester/backtest/job"
)

// Several servers share a PostgreSQL database and a results folder: each run is done by one of them, a
// cancellation reaches the other one, and what a dead one left is taken over.
func TestServersShareTheWork(t *testing.T) {
	pg, err := pgtest.Start()
	if errors.Is(err, pgtest.ErrNone) {
		t.Skip("LEFT OUT: PostgreSQL is not installed")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pg.Stop(); err != nil {
			t.Error(err)
		}
	})
	name, dir := pg.Fresh(), t.TempDir()
	admin, err := sql.Open("pgx", pg.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	began := make(chan string, 10)
	server := func() *rig {
		db, err := history.Open(t.Context(), history.Options{URL: pg.URL(name), Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		src := market(t)
		s, err := job.New(t.Context(), job.Options{History: db, Results: dir, Now: time.Now, Lease: 3 * time.Second,
			Data:    func(context.Context) (*job.Data, error) { return &job.Data{Source: src, Snapshot: "s1"}, nil },
			Execute: map[history.Kind]job.Executor{history.KindFetch: blocker(began, nil)}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := errors.Join(s.Close(), db.Close()); err != nil {
				t.Error(err)
			}
		})
		return &rig{s, dir, db}
	}
	a, b := server(), server()
	var ids []string
	for i := range 6 {
		ids = append(ids, []*rig{a, b}[i%2].submit(t, ask(config(t, 10+i))).Run.ID)
	}
	for i, id := range ids {
		run := []*rig{b, a}[i%2].ended(t, id) // asked of the other one
		if run.State != history.Succeeded || run.Attempt != 1 {
			t.Errorf("%s is %s after %d attempts", id, run.State, run.Attempt)
		}
		for _, f := range run.Artifacts {
			if err := a.Verify(f); err != nil {
				t.Error(err)
			}
		}
	}
	first := a.submit(t, fetch("ann", 1)).Run.ID
	<-began
	for _, r := range []*rig{a, b} { // one of them does not execute it
		if _, err := r.Cancel(t.Context(), "ann", first); err != nil {
			t.Fatal(err)
		}
	}
	if run := b.ended(t, first); run.State != history.Cancelled {
		t.Errorf("%s", run.State)
	}
	var dead string
	if err := a.db.Write(t.Context(), func(tx *history.Tx) error {
		run := &history.Run{Owner: "ann", Kind: history.KindRun, State: history.Running, Attempt: 1, Worker: "dead", Lease: time.Now().Add(time.Second), Strategy: "dip"}
		spec, err := job.Spec{Kind: history.KindRun, Config: config(t, 30)}.Encode()
		run.Spec = spec
		if err == nil {
			err = tx.Insert(run)
		}
		dead = run.ID
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if run := a.ended(t, dead); run.State != history.Succeeded || run.Attempt != 2 {
		t.Errorf("what a dead server left is %s after %d attempts", run.State, run.Attempt)
	}
}
