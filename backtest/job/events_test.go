package job_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"testing"
	"time"

	"backtester/backtest/history"
	"backtester/backtest/job"
)

func collect(t *testing.T, sub *job.Subscription) (all []job.Event) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		e, err := sub.Next(ctx)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%v after %d events", err, len(all))
		}
		all = append(all, e)
	}
}

func TestEventsBeginWithTheStateAndEndWithTheEnd(t *testing.T) {
	step := make(chan job.Step)
	r := start(t, func(o *job.Options) {
		o.Execute = map[history.Kind]job.Executor{history.KindFetch: func(_ context.Context, w *job.Work) (*job.Done, error) {
			for p := range step {
				w.Tell(p)
			}
			return &job.Done{}, nil
		}}
	})
	id := r.submit(t, fetch("ann", 1)).Run.ID
	if _, err := r.Events(t.Context(), "bob", id, 0); !errors.Is(err, history.ErrNotFound) {
		t.Fatalf("somebody else's: %v", err)
	}
	sub, err := r.Events(t.Context(), "ann", id, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	first, err := sub.Next(t.Context())
	if err != nil || first.Type != "state" {
		t.Fatalf("%+v %v", first, err)
	}
	var run struct {
		ID     string `json:"run_id"`
		Status string `json:"status"`
	}
	if err := json.Unmarshal(first.Data, &run); err != nil || run.ID != id {
		t.Fatalf("%s %v", first.Data, err)
	}
	const n = 5000
	for i := range n {
		step <- job.Step{Done: int64(i + 1), Total: n, Time: []int64{int64(i) * 1e9}, Equity: []float64{float64(i)}}
	}
	step <- job.Step{Note: "nearly there"}
	close(step)
	all := collect(t, sub)
	last := first.ID
	kinds := map[string]int{}
	var lastPoint float64
	for _, e := range all {
		if e.ID <= last {
			t.Fatalf("id %d after %d", e.ID, last)
		}
		last = e.ID
		kinds[e.Type]++
		if e.Type == "partial" {
			var p struct{ Value []float64 }
			if err := json.Unmarshal(e.Data, &p); err != nil || len(p.Value) > 200 {
				t.Fatalf("%d points %v", len(p.Value), err)
			}
			lastPoint = p.Value[len(p.Value)-1]
		}
	}
	if all[len(all)-1].Type != "done" || kinds["progress"] == 0 || kinds["log"] != 1 || lastPoint != n-1 {
		t.Errorf("%v, the last is %s, the last point %v", kinds, all[len(all)-1].Type, lastPoint)
	}
	if kinds["progress"] > n/10 {
		t.Errorf("%d events of progress for %d steps", kinds["progress"], n)
	}
	// Somebody who comes late is told how it ended.
	late, err := r.Events(t.Context(), "ann", id, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	if got := collect(t, late); len(got) != 2 || got[0].Type != "state" || got[1].Type != "done" {
		t.Errorf("%d events", len(got))
	}
}

func TestEventsGoOnWhereTheyWereLeft(t *testing.T) {
	step := make(chan job.Step)
	r := start(t, func(o *job.Options) {
		o.Execute = map[history.Kind]job.Executor{history.KindFetch: func(_ context.Context, w *job.Work) (*job.Done, error) {
			for p := range step {
				w.Tell(p)
			}
			return nil, errors.New("it broke")
		}}
	})
	id := r.submit(t, fetch("ann", 1)).Run.ID
	sub, err := r.Events(t.Context(), "ann", id, 0)
	if err != nil {
		t.Fatal(err)
	}
	if e, err := sub.Next(t.Context()); err != nil || e.Type != "state" {
		t.Fatalf("%+v %v", e, err)
	}
	step <- job.Step{Note: "one"}
	step <- job.Step{Note: "two"}
	var one int64 // the id of the first line
	for one == 0 {
		e, err := sub.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if e.Type == "log" {
			one = e.ID
		}
	}
	sub.Close()
	sub, err = r.Events(t.Context(), "ann", id, one)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	if e, err := sub.Next(t.Context()); err != nil || e.Type != "log" || string(e.Data) != `{"line":"two"}` {
		t.Errorf("%+v %v: want the event after the one named, without a snapshot", e, err)
	}
	for range 1500 { // more than are kept
		step <- job.Step{Note: "x"}
	}
	gone, err := r.Events(t.Context(), "ann", id, one)
	if err != nil {
		t.Fatal(err)
	}
	defer gone.Close()
	if e, err := gone.Next(t.Context()); err != nil || e.Type != "state" {
		t.Errorf("%+v %v: what is gone is made up for by a snapshot", e, err)
	}
	if e, err := sub.Next(t.Context()); err != nil || e.Type != "state" {
		t.Errorf("%+v %v: a slow reader gets a snapshot", e, err)
	}
	close(step)
	for _, s := range []*job.Subscription{sub, gone} {
		if all := collect(t, s); all[len(all)-1].Type != "failed" {
			t.Errorf("the last is %s", all[len(all)-1].Type)
		}
	}
}

// Rows of a search are told as they come, and all of them to whoever comes later or lost the way.
func TestRowsOfASearchAreToldToEverybody(t *testing.T) {
	step := make(chan job.Step)
	r := start(t, func(o *job.Options) {
		o.Execute = map[history.Kind]job.Executor{history.KindFetch: func(_ context.Context, w *job.Work) (*job.Done, error) {
			for p := range step {
				w.Tell(p)
			}
			return &job.Done{}, nil
		}}
	})
	id := r.submit(t, fetch("ann", 1)).Run.ID
	rows := func(from, to int) *job.Rows {
		x := &job.Rows{Params: []string{"n"}}
		for i := from; i < to; i++ {
			value := float64(i)
			if i == 1 {
				value = math.NaN()
			}
			x.Add("A", []float64{float64(i)}, value, i > 0)
		}
		return x
	}
	seen := func(sub *job.Subscription, most int) (told map[float64]*float64) {
		t.Helper()
		told = map[float64]*float64{}
		last := int64(0)
		for len(told) < most {
			e, err := sub.Next(t.Context())
			if err != nil || e.ID <= last {
				t.Fatalf("event %d after %d: %v", e.ID, last, err)
			}
			if last = e.ID; e.Type != "rows" {
				continue
			}
			var x job.Rows
			if err := json.Unmarshal(e.Data, &x); err != nil || len(x.At) != len(x.Value) || len(x.At) != len(x.Eligible) || x.Params[0] != "n" {
				t.Fatalf("%s %v", e.Data, err)
			}
			for i, at := range x.At {
				told[at[0]] = x.Value[i]
			}
		}
		return told
	}
	first, err := r.Events(t.Context(), "ann", id, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	step <- job.Step{Rows: rows(0, 3)}
	step <- job.Step{Done: 3, Total: 5}
	if got := seen(first, 3); got[1] != nil || *got[2] != 2 {
		t.Errorf("%v", got)
	}
	late, err := r.Events(t.Context(), "ann", id, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	step <- job.Step{Rows: rows(3, 5)}
	close(step)
	for name, sub := range map[string]*job.Subscription{"the first": first, "a later one": late} {
		want := 5
		if sub == first {
			want = 2
		}
		if got := seen(sub, want); got[4] == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}
