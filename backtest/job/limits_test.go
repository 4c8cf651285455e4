package job_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/history"
	"backtester/backtest/instrument"
	"backtester/backtest/job"
	"backtester/backtest/strategy"
)

func TestLimits(t *testing.T) {
	began := make(chan string, 10)
	r := start(t, func(o *job.Options) {
		o.Workers = 1
		o.Limits = job.Limits{UserQueued: 2, Queued: 3, Symbols: 2, Bars: 2500}
		o.Execute = map[history.Kind]job.Executor{history.KindFetch: blocker(began, nil)}
	})
	refused := func(q job.Request, code, limit string, most, value int64) {
		t.Helper()
		_, err := r.Submit(t.Context(), q)
		var e *job.LimitError
		if !errors.As(err, &e) || e.Code != code || e.Limit != limit || e.Most != most || e.Value != value {
			t.Errorf("%v, want limit %q", err, limit)
		}
	}
	three := config(t, 10)
	three.Universe.Symbols = []string{"ACME", "MKT", "ZIG"}
	refused(ask(three), "limit-exceeded", "symbols of a run", 2, 3)
	three.Universe.Symbols = []string{"NONE", "NIL", "NADA"} // known or not
	refused(ask(three), "limit-exceeded", "symbols of a run", 2, 3)
	// What is measured is what was asked for, wherever it stands among what is stored.
	for _, name := range []string{"ACME", "MKT", "ZIG"} {
		one := start(t, func(o *job.Options) { o.Limits = job.Limits{Symbols: 1, Bars: 1100} })
		c := config(t, 10)
		c.Universe.Symbols = []string{name}
		one.submit(t, ask(c))
		c.Data.From, c.Data.To = instrument.NewDate(2001, 1, 2), instrument.NewDate(2001, 2, 2)
		var gap *backtest.NoDataError
		if _, err := one.Submit(t.Context(), ask(c)); !errors.As(err, &gap) || len(gap.Rows) != 1 || gap.Rows[0].Have != "2018-01-02..2021-12-31" {
			t.Errorf("%s outside of what is stored: %v", name, err)
		}
	}
	if r.submit(t, ask(config(t, 10))); true {
		long := config(t, 10)
		long.Universe.Symbols = nil
		refused(ask(long), "limit-exceeded", "symbols of a run", 2, 3)
	}
	if _, err := r.Submit(t.Context(), ask(func() *backtest.Config { c := config(t, 9); c.Universe.Symbols = []string{"NONE"}; return c }())); !errors.Is(err, bar.ErrNoData) {
		t.Errorf("unknown symbol: %v", err)
	}
	r.submit(t, fetch("ann", 0))
	<-began
	for i := range 2 {
		r.submit(t, fetch("ann", i))
	}
	refused(fetch("ann", 3), "queue-full", "your queued runs", 2, 3)
	r.submit(t, fetch("bob", 4))
	refused(fetch("cid", 5), "queue-full", "queued runs of all", 3, 4)

	r2 := start(t, func(o *job.Options) { o.Limits = job.Limits{Memory: 1000, FreeDisk: 1} })
	_, err := r2.Submit(t.Context(), ask(config(t, 10)))
	var e *job.LimitError
	if !errors.As(err, &e) || e.Limit != "estimated memory of a run" || e.Value < 1000 {
		t.Errorf("%v", err)
	}
	r3 := start(t, func(o *job.Options) { o.Limits.FreeDisk = math.MaxInt64 })
	if _, err := r3.Submit(t.Context(), ask(config(t, 10))); !errors.As(err, &e) || e.Code != "disk-full" {
		t.Errorf("%v", err)
	}
	r4 := start(t, func(o *job.Options) {
		o.Limits.Wall = 20 * time.Millisecond
		o.Execute = map[history.Kind]job.Executor{history.KindFetch: blocker(began, nil)}
	})
	run := r4.ended(t, r4.submit(t, fetch("ann", 0)).Run.ID)
	if run.State != history.Failed || run.Problem.Code != "limit-exceeded" {
		t.Errorf("%s %+v", run.State, run.Problem)
	}
}

func TestFaultyWorkIsRefusedBeforeItIsStored(t *testing.T) {
	r := start(t, nil)
	bad := backtest.Default() // without any rule
	var faults strategy.Diagnostics
	if _, err := r.Submit(t.Context(), ask(bad)); !errors.As(err, &faults) {
		t.Errorf("%v", err)
	}
	name := "\x00"
	q := ask(config(t, 10))
	q.Label.Name = &name
	var label *job.LabelError
	if _, err := r.Submit(t.Context(), q); !errors.As(err, &label) {
		t.Errorf("%v", err)
	}
	if _, err := r.Submit(t.Context(), fetch("ann", 1)); err == nil {
		t.Error("a kind that nobody executes was taken")
	}
	if err := r.db.Read(t.Context(), func(tx *history.Tx) error {
		p, err := tx.Page(history.Filter{})
		if len(p.Runs) != 0 {
			t.Errorf("%d runs were stored", len(p.Runs))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
