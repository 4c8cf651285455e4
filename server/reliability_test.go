package server_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"backtester/backtest"
	"backtester/backtest/history"
	"backtester/backtest/job"
	"backtester/server"
	"backtester/server/account"
)

// Work that brings its worker down each time is given up after three attempts; the server stands and others'
// work goes on.
func TestCrashLoopOverHTTP(t *testing.T) {
	var tries atomic.Int64
	w := newWorld(t, worldOptions{workers: 2, jobs: func(o *job.Options) {
		render := o.Render
		o.Render = func(ctx context.Context, run *history.Run, r *backtest.Result, d *job.Data) ([]job.File, error) {
			if run.Strategy == "bomb" {
				tries.Add(1)
				panic("made by the test")
			}
			return render(ctx, run, r, d)
		}
	}})
	bomb := w.want(202, "POST", "/api/backtest/run", body(strings.Replace(trend, `"up"`, `"bomb"`, 1)))["run_id"].(string)
	for range 3 {
		w.finished(body(trend))
	}
	v := w.want(200, "GET", "/api/backtest/results/"+bomb+"?wait=30", "")
	e, _ := v["error"].(map[string]any)
	if v["status"] != "failed" || e["code"] != "crash-loop" || tries.Load() != job.MostAttempts || strings.Contains(mustJSON(v), "made by the test") {
		t.Errorf("after %d attempts: %v", tries.Load(), v)
	}
	w.want(200, "GET", "/api/health", "")
	w.finished(body(trend))
}

// Wherever a panic or an error of the system strikes, the answer is a problem without the inside of the
// server, the process lives, and nothing is left running.
func TestFaultsAtEverySite(t *testing.T) {
	var strike atomic.Pointer[func() error]
	faults := map[string]func() error{
		"panic":             func() error { panic("SECRET-INSIDE") },
		"input/output":      func() error { return fmt.Errorf("read SECRET-INSIDE: %w", syscall.EIO) },
		"permission":        func() error { return fmt.Errorf("open SECRET-INSIDE: %w", syscall.EACCES) },
		"too many files":    func() error { return fmt.Errorf("open SECRET-INSIDE: %w", syscall.EMFILE) },
		"read-only":         func() error { return fmt.Errorf("open SECRET-INSIDE: %w", syscall.EROFS) },
		"no room":           func() error { return fmt.Errorf("write SECRET-INSIDE: %w", syscall.ENOSPC) },
		"nothing like that": func() error { return errors.New("SECRET-INSIDE") },
	}
	w := newWorld(t, worldOptions{server: func(o *server.Options) {
		data := o.Data
		o.Data = func() (*job.Data, error) {
			if f := strike.Load(); f != nil {
				if err := (*f)(); err != nil {
					return nil, err
				}
			}
			return data()
		}
	}, jobs: func(o *job.Options) {
		data := o.Data
		o.Data = func(ctx context.Context) (*job.Data, error) {
			if f := strike.Load(); f != nil {
				if err := (*f)(); err != nil {
					return nil, err
				}
			}
			return data(ctx)
		}
	}})
	id := w.finished(body(trend))
	before := runtime.NumGoroutine()
	for name, f := range faults {
		strike.Store(&f)
		for _, x := range [][3]string{{"POST", "/api/backtest/run", body(trend)}, {"POST", "/api/backtest/preview", body(trend)}, {"GET", "/api/data/tickers", ""}, {"GET", "/api/data/coverage", ""},
			{"GET", "/api/data/bars/XYZ", ""}, {"GET", "/api/backtest/results/" + id + "/bars", ""}, {"GET", "/api/health/details", ""}} {
			rec := w.ask(x[0], x[1], x[2])
			if want := cmp.Or(map[string]int{"no room": 503, "read-only": 503, "input/output": 503}[name], 500); rec.Code != want || (want == 503) != (rec.Header().Get("Retry-After") != "") || strings.Contains(rec.Body.String(), "SECRET-INSIDE") || !strings.Contains(rec.Body.String(), "request_id") {
				t.Errorf("%s at %s: %d %s", name, x[1], rec.Code, rec.Body)
			}
		}
		strike.Store(nil)
		w.want(200, "GET", "/api/data/tickers", "")
	}
	w.finished(body(trend))
	for range 100 {
		if runtime.NumGoroutine() <= before+3 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("%d goroutines before, %d after", before, runtime.NumGoroutine())
}

// The clock is set back a day, forth by a month, beyond 2038 and 2100, over a leap day and changes of the hour:
// sessions end neither early nor never, nothing lasts less than no time, ids stay unique and rise.
func TestTheClockJumps(t *testing.T) {
	var mu sync.Mutex
	now := time.Date(2024, 2, 28, 23, 59, 50, 0, time.UTC)
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(time.Millisecond)
		return now
	}
	jump := func(to time.Time) { mu.Lock(); now = to; mu.Unlock() }
	began := make(chan string, 1)
	release := make(chan struct{})
	w := newWorld(t, worldOptions{accounts: true, now: clock, jobs: func(o *job.Options) {
		o.Execute = map[history.Kind]job.Executor{history.KindFetch: func(_ context.Context, x *job.Work) (*job.Done, error) {
			began <- x.Run.ID
			<-release
			return &job.Done{Summary: []byte(`{}`)}, nil
		}}
	}})
	token := bearer(w.user("alice", true))
	start := now
	jumps := []time.Time{start.AddDate(0, 0, -1), start.Add(time.Minute), time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC).Add(-24 * time.Hour), start.Add(5 * time.Hour), start.Add(-time.Hour)}
	var ids []string
	for _, to := range jumps {
		id := w.want(202, "POST", "/api/data/fetch", `{"dataset":"day"}`, token...)["run_id"].(string)
		<-began
		jump(to) // while it runs
		release <- struct{}{}
		v := w.want(200, "GET", "/api/backtest/results/"+id+"?wait=30", "", token...)
		parse := func(key string) time.Time {
			x, err := time.Parse(time.RFC3339Nano, fmt.Sprint(v[key]))
			if err != nil {
				t.Fatal(err)
			}
			return x
		}
		if v["status"] != "succeeded" || parse("finished_at").Before(parse("started_at")) || parse("started_at").Before(parse("created_at")) {
			t.Errorf("to %s: %v, asked for %v, begun %v, ended %v", to, v["status"], v["created_at"], v["started_at"], v["finished_at"])
		}
		ids = append(ids, id)
	}
	if sorted := slices.Sorted(slices.Values(ids)); !slices.Equal(sorted, ids) || len(slices.Compact(sorted)) != len(ids) {
		t.Errorf("ids %v", ids)
	}
	// A session ends after its time, by the wall clock, however it got there; new ones can be made in any century.
	for _, to := range []time.Time{start.AddDate(0, 0, 31), time.Date(2038, 1, 19, 3, 14, 8, 0, time.UTC), time.Date(2100, 3, 1, 0, 0, 0, 0, time.UTC)} {
		jump(to)
		if rec := w.ask("GET", "/api/auth/verify", "", token...); rec.Code != 401 {
			t.Errorf("a session of before at %s: %d", to, rec.Code)
		}
		x, err := w.accounts.Login(context.Background(), account.Attempt{Name: "alice", Password: password, Kind: account.Bearer})
		if err != nil {
			t.Fatal(err)
		}
		token = bearer(x.Secret)
		w.want(200, "GET", "/api/auth/verify", "", token...)
		if v := w.want(200, "GET", "/api/backtest/results/"+w.finished(body(trend), token...), "", token...); v["status"] != "succeeded" {
			t.Errorf("a run at %s: %v", to, v)
		}
	}
}

// injections are texts that would be something else within a statement.
func injections() []string {
	list := []string{"'", "''", `"`, "\\", "\\'", "%", "_", "%%", "%_%", "\\%", ";", "--", "/*", "*/", "#", "`", "$1", "$$", "?", ":a", "@a", "\x00", "\n", "NULL", "0", "-1", "1e309", "'||'", "'+'"}
	for _, open := range []string{"'", `"`, "')", "'))", `")`, "`", "", "1", "1)", "%'", "x'", "0x1", "-1", "1.0)", "';", `";`, "1;", `\'`, `\"`, "]", "%' ESCAPE '!", "' COLLATE BINARY"} {
		for _, rest := range []string{" OR 1=1 --", " OR '1'='1", "; DROP TABLE runs; --", " UNION SELECT sql, 1, 2 FROM sqlite_master --", " UNION SELECT password FROM account_users --", "; UPDATE runs SET owner='local'; --",
			" AND (SELECT COUNT(*) FROM runs) > 0 --", "; ATTACH DATABASE '/tmp/x' AS x; --", "; PRAGMA writable_schema=1; --", " OR pg_sleep(5) --", "; COPY runs TO '/tmp/x'; --", " RETURNING *", " ORDER BY 99 --", " LIMIT 0 OFFSET 9 --",
			" || (SELECT spec FROM run_specs) || ", "/**/OR/**/1=1", " OR 1=randomblob(1e9) --", "; DELETE FROM idempotency; --", " LIKE '%", " GLOB '*", " COLLATE NOCASE", " IN (SELECT id FROM runs) --"} {
			list = append(list, open+rest)
		}
	}
	return append(list, strings.Repeat("'", 200), strings.Repeat("((", 100), "\u02bc OR 1=1", "\uff07 OR 1=1", "%27 OR 1=1", "char(39)", "0x27", "\xbf' OR 1=1")
}

// No text in any place becomes a part of a statement: nothing is found by it that a literal search would not
// find, nothing is changed, and the schema stays what it is.
func TestInjection(t *testing.T) {
	w := newWorld(t, worldOptions{})
	id := w.finished(body(trend, `, "name": "plain", "tags": ["one"], "notes": "nothing special"`))
	tables := `SELECT name || ' ' || COALESCE(sql, '') FROM sqlite_master ORDER BY name`
	if *onPostgres {
		tables = `SELECT table_name || '.' || column_name || ' ' || data_type FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1`
	}
	schema := func() (text string) {
		err := w.db.Read(t.Context(), func(tx *history.Tx) error {
			rows, err := tx.Query(tables)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var s string
				if err := rows.Scan(&s); err != nil {
					return err
				}
				text += s + "\n"
			}
			return rows.Err()
		})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	before, row := schema(), mustJSON(w.want(200, "GET", "/api/backtest/results/"+id, ""))
	tried := 0
	list := injections()
	for _, x := range list {
		coded := url.QueryEscape(x)
		for _, path := range []string{"/api/backtest/history?q=", "/api/backtest/history?symbol=", "/api/backtest/history?strategy=", "/api/backtest/history?tag=", "/api/backtest/history?sort=", "/api/backtest/history?status=",
			"/api/backtest/history?kind=", "/api/backtest/history?from=", "/api/backtest/history?cursor=", "/api/backtest/history?starred=", "/api/data/tickers?q=", "/api/data/tickers?type=", "/api/backtest/compare?ids="} {
			tried++
			rec := w.ask("GET", path+coded, "")
			// Found by a text that it has, by none, and as one that has no star.
			literal := strings.Contains("plain nothing special up XYZ one", strings.TrimSpace(x)) || strings.HasSuffix(path, "starred=")
			if rec.Code >= 500 {
				t.Errorf("%s%q: %d %.200s", path, x, rec.Code, rec.Body)
			}
			if rec.Code == 200 && strings.Contains(path, "/history") && !literal && strings.Contains(rec.Body.String(), id) {
				t.Errorf("%s%q finds the run", path, x)
			}
		}
	}
	for i, x := range list {
		if i%8 != 0 {
			continue
		}
		for _, path := range []string{"/api/backtest/results/", "/api/strategies/", "/api/files/csv/", "/api/data/bars/", "/api/backtest/runs/"} {
			r := httptest.NewRequest("GET", "/", nil)
			r.Host, r.URL.Path, r.URL.RawPath, r.RequestURI = "localhost", path+x, path+url.PathEscape(x), path+url.PathEscape(x)
			rec := httptest.NewRecorder()
			w.handler.ServeHTTP(rec, r)
			if rec.Code >= 500 || rec.Code == 200 && path != "/api/strategies/" {
				t.Errorf("%s%q: %d", path, x, rec.Code)
			}
			tried++
		}
		text := mustJSON(map[string]any{"strategy": "up", "name": x, "notes": x, "tags": []string{x}, "symbols": []string{x}, "from": x, "profile": x, "set": map[string]string{x: x}})
		for _, headers := range [][]string{nil, {"Idempotency-Key", strings.Map(visible, x)}, {"Prefer", strings.Map(visible, x)}, {"Authorization", "Bearer " + strings.Map(visible, x)}, {"Last-Event-ID", strings.Map(visible, x)}} {
			if rec := w.ask("POST", "/api/backtest/run", text, headers...); rec.Code >= 500 {
				t.Errorf("%q: %d %s", x, rec.Code, rec.Body)
			}
			tried++
		}
		if rec := w.ask("PATCH", "/api/backtest/runs/"+id, mustJSON(map[string]any{"notes": x}), "If-Match", strings.Map(visible, x)); rec.Code >= 500 {
			t.Errorf("%q: %d", x, rec.Code)
		}
	}
	if _, err := w.jobs.Run(t.Context(), "local", id); err != nil {
		t.Errorf("the run is gone: %v", err)
	}
	w.want(200, "PATCH", "/api/backtest/runs/"+id, `{"notes":"nothing special"}`)
	after := w.want(200, "GET", "/api/backtest/results/"+id, "")
	delete(after, "revision")
	if schema() != before {
		t.Error("the schema has changed")
	}
	if got := mustJSON(after); !strings.Contains(row, `"fingerprint":"`+fmt.Sprint(after["fingerprint"])) || after["name"] != "plain" || mustJSON(after["tags"]) != `["one"]` {
		t.Errorf("the run has changed:\n%s\n%s", row, got)
	}
	if len(list) < 500 || tried < 500*13 {
		t.Errorf("%d texts in %d places", len(list), tried)
	}
}

// visible leaves out what no header can have.
func visible(r rune) rune {
	if r < ' ' || r > '~' {
		return -1
	}
	return r
}
