package server_test

import (
	"context"
	"fmt"
	"html"
	"os"
	"strings"
	"testing"

	"backtester/backtest/bar"
	"backtester/backtest/history"
	"backtester/backtest/job"
	"backtester/server"
)

// A server on which nothing is stored yet says so, names the request that brings data, and takes it.
func TestAServerWithoutData(t *testing.T) {
	nothing := func() (*job.Data, error) { return nil, fmt.Errorf("open the store: %w", bar.ErrNoData) }
	w := newWorld(t, worldOptions{jobs: func(o *job.Options) {
		o.Data = func(context.Context) (*job.Data, error) { return nothing() }
		o.Execute = map[history.Kind]job.Executor{history.KindFetch: func(context.Context, *job.Work) (*job.Done, error) {
			return &job.Done{Summary: []byte(`{"files":1}`)}, nil
		}}
	}, server: func(o *server.Options) { o.Data, o.CanFetch = nothing, true }})
	const cure = `{"dataset":"day","from":"2024-01-02","to":"2024-01-31"}`
	asked := body(strings.Replace(trend, `"entry"`, `"data": {"from": "2024-01-02", "to": "2024-01-31"}, "entry"`, 1))
	for _, x := range [][3]string{{"POST", "/api/backtest/run", asked}, {"POST", "/api/backtest/preview", asked}, {"GET", "/api/data/bars/XYZ?from=2024-01-02&to=2024-01-31", ""}} {
		if v := w.want(424, x[0], x[1], x[2]); v["code"] != "data-missing" || mustJSON(v["cure"]) != cure {
			t.Errorf("%s: %v", x[1], v)
		}
	}
	if v := w.want(200, "GET", "/api/data/coverage", ""); mustJSON(v["frames"]) != "[]" || v["can_fetch"] != true || v["synthetic"] != false {
		t.Errorf("coverage: %v", v)
	}
	if v := w.want(200, "GET", "/api/data/tickers", ""); mustJSON(v["tickers"]) != "[]" {
		t.Errorf("tickers: %v", v)
	}
	if v := w.want(200, "GET", "/api/health", ""); v["status"] != "degraded" {
		t.Errorf("health: %v", v)
	}
	id := w.want(202, "POST", "/api/data/fetch", cure)["run_id"].(string)
	if v := w.want(200, "GET", "/api/jobs/"+id, ""); v["kind"] != "fetch" {
		t.Errorf("%v", v)
	}
	if v := w.want(200, "GET", "/api/backtest/results/"+id+"?wait=30", ""); v["status"] != "succeeded" {
		t.Errorf("%v", v)
	}
}

// The page that a server without its web application shows asks for a run as it is taken.
func TestThePlainPageShowsARequestThatWorks(t *testing.T) {
	page, err := os.ReadFile("../frontend/static/index.html")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(page), "-d '")
	text, _, ok := strings.Cut(text, "}'</pre>")
	if !ok {
		t.Fatalf("the page shows no request: %s", page)
	}
	w := newWorld(t, worldOptions{})
	w.finished(strings.Replace(html.UnescapeString(text)+"}", "ACME", "XYZ", 1))
}
