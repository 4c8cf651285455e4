package server_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"backtester/backtest/job"
	"backtester/server"
)

// minutes are n bars of one minute each, of whole sessions.
func minutes(n int) string {
	var b strings.Builder
	b.WriteString("time,open,high,low,close,volume\n")
	at := time.Date(2022, 1, 3, 14, 30, 0, 0, time.UTC)
	for i := range n {
		fmt.Fprintf(&b, "%s,10,11,9,10,100\n", at.AddDate(0, 0, i/390).Add(time.Duration(i%390)*time.Minute).Format(time.RFC3339))
	}
	return b.String()
}

// Whoever meets a limit is told the limit and, where it can be counted, what was asked for.
func TestLimitsAreTold(t *testing.T) {
	w := newWorld(t, worldOptions{})
	told := func(w *world, name, method, path, text string, status int, code_ string, words ...string) {
		t.Helper()
		rec := w.ask(method, path, text)
		for _, x := range words {
			if rec.Code != status || code(rec) != code_ || !strings.Contains(rec.Body.String(), x) {
				t.Errorf("%s: %d, want %d %s with %q: %.400s", name, rec.Code, status, code_, x, rec.Body)
			}
		}
	}
	const runs = "/api/backtest/run"
	id := w.finished(body(trend))
	told(w, "body", "POST", runs, body(`"`+strings.Repeat("x", 1<<20)+`"`), 413, "too-large", "1048592 bytes", "at most 1048576")
	told(w, "body of a login", "POST", "/api/auth/login", `{"username":"`+strings.Repeat("x", 16<<10)+`","password":"x"}`, 413, "too-large", "at most 16384")
	told(w, "address", "GET", "/api/backtest/history?q="+strings.Repeat("x", 4096), "", 414, "uri-too-long", "4120 bytes", "at most 4096")
	told(w, "nesting", "POST", runs, strings.Repeat(`{"a":`, 33)+"1"+strings.Repeat("}", 33), 400, "bad-json", "33 levels deep, at most 32")
	told(w, "values", "POST", runs, `{"symbols":[`+strings.Repeat("1,", 200_000)+`1]}`, 413, "too-large", "200001 values and more, at most 200000")
	told(w, "expression", "POST", runs, body(strings.Replace(trend, "close < close[1]", "close < "+strings.Repeat("1 + ", 2500)+"1", 1)), 422, "invalid-strategy", "has 10009 characters; the limit is 10000")
	told(w, "nesting of an expression", "POST", runs, body(strings.Replace(trend, "close < close[1]", "close < "+strings.Repeat("(", 101)+"1"+strings.Repeat(")", 101), 1)), 422, "invalid-strategy", "level 101 of nesting, at most 100")
	told(w, "points", "GET", "/api/backtest/results/"+id+"/equity?points=20001", "", 422, "validation", "20000, got 20001", "points")
	told(w, "items of a page", "GET", "/api/backtest/history?limit=501", "", 422, "validation", "500, got 501", "limit")
	told(w, "runs side by side", "GET", "/api/backtest/compare?ids="+strings.Repeat(noRun+",", 11), "", 422, "validation", "2 to 10 runs, not 11")

	limited := func(l job.Limits) *world { return newWorld(t, worldOptions{limits: l, workers: -1}) }
	told(limited(job.Limits{Bars: 7}), "bars", "POST", runs, body(trend), 422, "limit-exceeded", "bars of a run: 8 bars, at most 7")
	told(limited(job.Limits{Memory: 1599}), "memory", "POST", runs, body(trend), 422, "limit-exceeded", "estimated memory of a run: 1600 bytes, at most 1599")
	queue := limited(job.Limits{UserQueued: 1})
	queue.want(202, "POST", runs, body(trend))
	told(queue, "queued runs", "POST", runs, body(trend), 429, "queue-full", "your queued runs: 2 runs, at most 1")
	all := limited(job.Limits{Queued: 1})
	all.want(202, "POST", runs, body(trend))
	told(all, "queued runs of all", "POST", runs, body(trend), 429, "queue-full", "queued runs of all: 2 runs, at most 1")
	told(limited(job.Limits{FreeDisk: math.MaxInt64}), "room", "POST", runs, body(trend), 503, "disk-full", "are free, new work needs 9223372036854775807")
	full := newWorld(t, worldOptions{limits: job.Limits{UserStorage: 100}})
	full.finished(body(trend))
	told(full, "stored results", "POST", runs, body(trend), 422, "limit-exceeded", "your stored results: ", "at most 100")

	long := newWorld(t, worldOptions{prices: minutes(50_001)})
	told(long, "bars of a preview", "POST", "/api/backtest/preview", body(strings.Replace(trend, `"entry"`, `"data": {"bars": "1m"}, "entry"`, 1)), 422, "limit-exceeded", "50001 bars, at most 50000")
	two := `{"universe": {"symbols": ["XYZ"]}, "data": {"bars": "1m"}, "strategies": ["golden-cross", "rsi-dip"]}`
	told(long, "bars of a preview of two strategies", "POST", "/api/backtest/preview", body(two), 422, "limit-exceeded", "100002 bars, at most 50000")
	often := newWorld(t, worldOptions{server: func(o *server.Options) { o.PerSecond, o.Burst = 1, 1 }})
	often.want(200, "GET", "/api/backtest/history", "")
	told(often, "requests", "GET", "/api/backtest/history", "", 429, "rate-limited", "more than 1 requests a second")
}
