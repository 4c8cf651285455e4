package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"backtester/backtest/barfile"
	"backtester/backtest/history"
	"backtester/backtest/job"
	"backtester/frontend"
	"backtester/server"
	"backtester/server/account"
)

const prices = `date,open,high,low,close,volume
2024-03-01,10,11,9.5,10.5,1000
2024-03-04,10.5,11,10,10.7,1000
2024-03-05,10.7,11.2,10.3,10.9,1000
2024-03-06,11,12,10.5,11.5,1000
2024-03-07,11.4,11.6,11,11.2,1000
2024-03-08,11.3,12,11.1,11.9,1000
2024-03-11,11.8,12.4,11.2,11.4,1000
2024-03-12,11.5,11.9,10.9,11.0,1000
`

// trend trades the prices; run wraps it as the body of a run.
const trend = `{"name": "up", "universe": {"symbols": ["XYZ"]}, "entry": "close > close[1]", "exit": "close < close[1]"}`

func body(strategy string, more ...string) string {
	return `{"strategy": ` + strategy + strings.Join(more, "") + `}`
}

const password = "correct horse battery"

// world is a whole server on disks and clocks of a test.
type world struct {
	t        *testing.T
	dir      string
	db       *history.DB
	jobs     *job.Service
	accounts *account.Service
	server   *server.Server
	options  server.Options
	handler  http.Handler
	log      *lockedBuffer
	access   *lockedBuffer
}

// lockedBuffer is a log that many write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

type worldOptions struct {
	accounts bool
	policy   account.Policy
	limits   job.Limits
	workers  int
	server   func(*server.Options)
	jobs     func(*job.Options)
	prices   string
	now      func() time.Time
	dir      string
	secret   string
}

func source(t testing.TB, dir, text string) *barfile.Files {
	t.Helper()
	path := filepath.Join(dir, "xyz.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	files, err := barfile.Open([]barfile.File{{Symbol: "XYZ", Path: path}})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func newWorld(t *testing.T, o worldOptions) *world {
	t.Helper()
	if o.dir == "" {
		o.dir = t.TempDir()
	}
	if o.prices == "" {
		o.prices = prices
	}
	if o.now == nil {
		o.now = time.Now
	}
	if o.secret == "" {
		o.secret = "0123456789abcdef0123456789ABCDEF"
	}
	w := &world{t: t, dir: o.dir, log: &lockedBuffer{}, access: &lockedBuffer{}}
	var err error
	where := history.Options{Path: filepath.Join(o.dir, "db", "history.db"), Now: o.now}
	if *onPostgres {
		where = history.Options{URL: databaseOf(t, o.dir), Now: o.now}
	}
	w.db, err = history.Open(context.Background(), where)
	if err != nil {
		t.Fatal(err)
	}
	src := source(t, o.dir, o.prices)
	data := func() (*job.Data, error) { return &job.Data{Source: src, Snapshot: "test"}, nil }
	log := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	jo := job.Options{History: w.db, Results: o.dir, Data: func(context.Context) (*job.Data, error) { return data() }, Render: server.Render(w.db, log, nil),
		Limits: o.limits, Workers: o.workers, Log: log, Now: o.now}
	if o.jobs != nil {
		o.jobs(&jo)
	}
	if w.jobs, err = job.New(context.Background(), jo); err != nil {
		t.Fatal(err)
	}
	so := server.Options{Jobs: w.jobs, History: w.db, Data: data, Frontend: frontend.Files(), Access: w.access, Log: log, Now: o.now,
		Version: "test", Secret: []byte(o.secret), PerSecond: 1e6, Burst: 1e6}
	if o.accounts {
		w.accounts = account.New(account.Options{DB: w.db, Secret: []byte(o.secret), Now: o.now, Policy: o.policy, Cost: account.Cost{Time: 1, MemoryKiB: 64, Threads: 1}})
		so.Accounts = w.accounts
	}
	if o.server != nil {
		o.server(&so)
	}
	w.options = so
	w.server = newServer(w)
	w.handler = w.server
	t.Cleanup(w.close)
	return w
}

func (w *world) close() {
	if w.jobs != nil {
		if err := w.jobs.Close(); err != nil {
			w.t.Error(err)
		}
		if err := w.db.Close(); err != nil {
			w.t.Error(err)
		}
		w.jobs = nil
	}
}

// newServer makes a server over what the world holds.
func newServer(w *world) *server.Server { return server.New(w.options) }

// user makes an account and a token for it.
func (w *world) user(name string, admin bool) string {
	w.t.Helper()
	if _, err := w.accounts.Add(context.Background(), name, password, admin); err != nil {
		w.t.Fatal(err)
	}
	x, err := w.accounts.Login(context.Background(), account.Attempt{Name: name, Password: password, Kind: account.Bearer})
	if err != nil {
		w.t.Fatal(err)
	}
	return x.Secret
}

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

// ask sends one request as a client on this machine does, and holds the answer against the document.
func (w *world) ask(method, path, text string, headers ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(text))
	r.Host = "127.0.0.1:5000"
	r.RemoteAddr = "127.0.0.1:40000"
	if text != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		switch headers[i] {
		case "Host":
			r.Host = headers[i+1]
		case "RemoteAddr":
			r.RemoteAddr = headers[i+1]
		default:
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	if fault := checkHeaders(rec); fault != "" {
		w.t.Errorf("%s %s: status %d: %s", method, path, rec.Code, fault)
	}
	if fault := checkContract(w.server.Document(), r, rec); fault != "" {
		w.t.Errorf("%s %s: the answer is not what the document says: %s\n%.600s", method, path, fault, rec.Body)
	}
	return rec
}

// want asks and decodes a JSON answer of the status wanted.
func (w *world) want(status int, method, path, text string, headers ...string) map[string]any {
	w.t.Helper()
	rec := w.ask(method, path, text, headers...)
	if rec.Code != status {
		w.t.Fatalf("%s %s: status %d, want %d\n%.1000s\nlog: %.2000s", method, path, rec.Code, status, rec.Body, w.log)
	}
	var v map[string]any
	if rec.Body.Len() > 0 && strings.Contains(rec.Header().Get("Content-Type"), "json") {
		if err := json.Unmarshal(rec.Body.Bytes(), &v); err != nil {
			w.t.Fatalf("%s %s: %v\n%.500s", method, path, err, rec.Body)
		}
	}
	return v
}

// finished runs a strategy to its end and returns its id.
func (w *world) finished(text string, headers ...string) string {
	w.t.Helper()
	rec := w.ask("POST", "/api/backtest/run", text, append(headers, "Prefer", "wait=30")...)
	var v struct {
		RunID  string `json:"run_id"`
		Status string
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &v); err != nil || rec.Code != 200 || v.Status != "succeeded" {
		w.t.Fatalf("status %d, %v: %s\nlog: %s", rec.Code, err, rec.Body, w.log)
	}
	return v.RunID
}

// listen serves the world on a port; each change is made to the server before it runs.
func (w *world) listen(change ...func(*http.Server)) *httptest.Server {
	s := httptest.NewUnstartedServer(w.handler)
	s.Config = w.server.HTTP()
	s.Config.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(io.Discard, nil), slog.LevelError)
	for _, f := range change {
		f(s.Config)
	}
	s.Start()
	w.t.Cleanup(s.Close)
	return s
}

func code(rec *httptest.ResponseRecorder) string {
	var p struct{ Code string }
	if json.Unmarshal(rec.Body.Bytes(), &p) != nil {
		return fmt.Sprintf("no problem but %.60q", rec.Body)
	}
	return p.Code
}
