package server_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"backtester/backtest/history"
	"backtester/backtest/job"
	"backtester/server"
)

// event is one of a stream.
type event struct{ id, kind, data string }

// follow reads events of a stream until f is satisfied or the stream ends.
func follow(t *testing.T, url string, last string, f func(event) bool) []event {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if kind := res.Header.Get("Content-Type"); res.StatusCode != 200 || kind != "text/event-stream" || res.Header.Get("X-Accel-Buffering") != "no" {
		t.Fatalf("status %d, %v", res.StatusCode, res.Header)
	}
	var list []event
	var e event
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "id: "):
			e.id = line[4:]
		case strings.HasPrefix(line, "event: "):
			e.kind = line[7:]
		case strings.HasPrefix(line, "data: "):
			e.data = line[6:]
		case line == "" && e.kind != "":
			list = append(list, e)
			if f != nil && f(e) {
				return list
			}
			e = event{}
		}
	}
	return list
}

// steps is work that goes on step by step when the test says so.
func steps(step <-chan int64) func(*job.Options) {
	return func(o *job.Options) {
		o.Execute = map[history.Kind]job.Executor{history.KindSweep: func(ctx context.Context, w *job.Work) (*job.Done, error) {
			for {
				select {
				case n, more := <-step:
					if !more {
						return &job.Done{Summary: []byte(`{"rows":7}`)}, nil
					}
					w.Tell(job.Step{Done: n, Total: 100, Note: "step"})
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			}
		}}
	}
}

// A stream begins with all of the run, tells its progress, can be taken up where it broke off, and ends
// with how the run ended.
func TestEventsAndResume(t *testing.T) {
	step := make(chan int64)
	w := newWorld(t, worldOptions{jobs: steps(step)})
	s := w.listen()
	id := w.want(202, "POST", "/api/backtest/run", body(trend, `,"kind":"sweep"`))["run_id"].(string)
	url := s.URL + "/api/backtest/runs/" + id + "/events"
	go func() { step <- 10 }()
	first := follow(t, url, "", func(e event) bool { return e.kind == "progress" || e.kind == "log" })
	if first[0].kind != "state" || !strings.Contains(first[0].data, id) {
		t.Errorf("the first event is %+v", first[0])
	}
	last := first[len(first)-1]
	go func() { step <- 50; close(step) }()
	rest := follow(t, url, last.id, nil)
	if len(rest) == 0 || rest[len(rest)-1].kind != "done" {
		t.Fatalf("after the resume: %+v", rest)
	}
	for _, e := range rest {
		if e.id <= last.id && len(e.id) == len(last.id) {
			t.Errorf("event %s was told before %s already", e.id, last.id)
		}
		last = e
	}
	after := follow(t, url, "", nil)
	if len(after) != 2 || after[0].kind != "state" || after[1].kind != "done" {
		t.Errorf("of a run that has ended: %+v", after)
	}
	if v := w.want(200, "GET", "/api/backtest/results/"+id, ""); v["summary"].(map[string]any)["rows"] != 7.0 {
		t.Errorf("%v", v)
	}
	if rec := w.ask("GET", "/api/backtest/runs/"+noRun+"/events", ""); rec.Code != 404 {
		t.Errorf("events of no run: %d", rec.Code)
	}
	if rec := w.ask("GET", "/api/backtest/runs/"+id+"/events", "", "Last-Event-ID", "nonsense"); rec.Code != 200 {
		t.Errorf("an id that is none: %d", rec.Code)
	}
}

// Cancelling stops a running run, and its stream says so.
func TestCancelWhileRunning(t *testing.T) {
	step := make(chan int64)
	w := newWorld(t, worldOptions{jobs: steps(step)})
	s := w.listen()
	id := w.want(202, "POST", "/api/backtest/run", body(trend, `,"kind":"sweep"`))["run_id"].(string)
	step <- 1
	ended := make(chan []event)
	go func() { ended <- follow(t, s.URL+"/api/backtest/runs/"+id+"/events", "", nil) }()
	if v := w.want(202, "DELETE", "/api/backtest/runs/"+id, ""); v["status"] != "cancelling" && v["status"] != "cancelled" {
		t.Errorf("%v", v)
	}
	list := <-ended
	if len(list) == 0 || list[len(list)-1].kind != "cancelled" {
		t.Errorf("%+v", list)
	}
}

// One user has so many streams at a time.
func TestStreamsAreBounded(t *testing.T) {
	w := newWorld(t, worldOptions{workers: -1, server: func(o *server.Options) { o.Ping = 50 * time.Millisecond }})
	s := w.listen()
	id := w.want(202, "POST", "/api/backtest/run", body(trend))["run_id"].(string)
	var open []*http.Response
	refused := 0
	for range 12 {
		res, err := http.Get(s.URL + "/api/backtest/runs/" + id + "/events")
		if err != nil {
			t.Fatal(err)
		}
		if open = append(open, res); res.StatusCode == 429 {
			refused++
		}
	}
	for _, res := range open {
		res.Body.Close()
	}
	if refused != 2 {
		t.Errorf("%d of 12 streams were refused, want 2", refused)
	}
	for range 100 { // streams that their clients left make room
		res, err := http.Get(s.URL + "/api/backtest/runs/" + id + "/events")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode == 200 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Error("streams that were left take their places for ever")
}
