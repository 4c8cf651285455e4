package servertest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Every secret that a server has or makes is a text of its own here: none of them is in a log, an answer to others,
// a result, a measure, a profile, a backup or on a terminal, at the level of debugging, after faults too.
func TestSecretsStayInside(t *testing.T) {
	t.Parallel()
	// The vendor repeats the keys in its errors, as S3 does.
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "<Error><Code>InvalidAccessKeyId</Code><AWSAccessKeyId>CANARY-s3-id-1</AWSAccessKeyId><StringToSign>%s</StringToSign></Error>", r.Header.Get("Authorization"))
	}))
	defer vendor.Close()
	results, logs := t.TempDir(), t.TempDir()
	keys := []string{"FLASK_SECRET_KEY=CANARY-0123456789-abcdefghij-KEY-xyz", "POLYGON_API_KEY=CANARY-polygon-2", "AWS_ACCESS_KEY_ID=CANARY-s3-id-1", "AWS_SECRET_ACCESS_KEY=CANARY-s3-secret-3",
		"MASSIVE_S3_ENDPOINT=" + vendor.URL, "BACKTESTER_LOG_LEVEL=debug", "BACKTESTER_AUTH=required", "BACKTESTER_REGISTRATION=invite"}
	s := newServing(t, results, append(keys, "BACKTESTER_LOG_DIR="+logs, "RUNTIME_DIRECTORY="+logs)...)
	var seen bytes.Buffer // answers that may hold no secret
	c := newClient()
	ask := func(method, path, token, text string, into any) int {
		t.Helper()
		r, err := http.NewRequest(method, s.url+path, strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		res, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&seen, res.Header)
		if into != nil && res.StatusCode < 300 {
			if err := json.Unmarshal(b, into); err != nil { // it holds what is told this once
				t.Fatal(err)
			}
		} else {
			seen.Write(b)
		}
		return res.StatusCode
	}
	secrets := []string{"CANARY", "canary-password"}
	setup := strings.TrimSpace(readFile(t, filepath.Join(logs, "setup-token")))
	secrets = append(secrets, setup)
	if err := os.Remove(filepath.Join(logs, "setup-token")); err != nil { // the one place where it may be
		t.Fatal(err)
	}
	var admin, guest struct{ Token string }
	var invite struct{ Invite string }
	var personal struct{ Token, ID string }
	const password = `"password":"canary-password one"`
	for _, x := range []struct {
		path, token, text string
		into              any
		want              int
	}{
		{"/api/auth/register", "", `{"username":"alice",` + password + `,"setup_token":"` + setup + `"}`, &admin, 201},
		{"/api/auth/register", "", `{"username":"mallory",` + password + `,"setup_token":"` + setup + `"}`, nil, 403},
		{"/api/auth/login", "", `{"username":"alice","password":"canary-password wrong"}`, nil, 401},
		{"/api/auth/login", "", `{"username":"canary-password typed as a name","password":"x"}`, nil, 401},
	} {
		if status := ask("POST", x.path, x.token, x.text, x.into); status != x.want {
			t.Errorf("%s: %d, want %d", x.path, status, x.want)
		}
	}
	ask("POST", "/api/auth/invites", admin.Token, "", &invite)
	ask("POST", "/api/auth/register", "", `{"username":"bob",`+password+`,"invite":"`+invite.Invite+`"}`, &guest)
	ask("POST", "/api/auth/tokens", admin.Token, `{"name":"script","scopes":["read","run","data"]}`, &personal)
	for _, x := range []string{admin.Token, guest.Token, invite.Invite, personal.Token} {
		if len(x) < 40 {
			t.Fatalf("a secret is only %q", x)
		}
		secrets = append(secrets, x, x[4:40])
	}
	var good, fetch run
	ask("POST", "/api/backtest/run", personal.Token, strategy(0), &good)
	ask("GET", "/api/backtest/results/"+good.RunID+"?wait=30&include=metrics,config,data,counts,equity,trades", personal.Token, "", nil)
	ask("POST", "/api/data/fetch", personal.Token, `{"dataset":"day","from":"2024-01-02","to":"2024-01-05"}`, &fetch)
	ask("GET", "/api/backtest/results/"+fetch.RunID+"?wait=30", personal.Token, "", nil)
	for _, path := range []string{"/api/health", "/api/health/details", "/api/version", "/api/auth/verify", "/api/auth/tokens", "/api/backtest/history", "/api/backtest/results/" + good.RunID + "/result",
		"/api/files/tearsheet/" + good.RunID + ".html", "/api/files/csv/" + good.RunID + ".csv", "/api/openapi.json", "/config.js", "/api/data/coverage", "/api/nothing?token=x", "/"} {
		ask("GET", path, admin.Token, "", nil)
	}
	ask("GET", "/api/backtest/history", admin.Token[:20]+"x"+admin.Token[21:], "", nil)
	// Without its files and its database a server has faults of its own.
	for _, dir := range []string{"runs", "tearsheets"} {
		if err := os.Rename(filepath.Join(results, dir), filepath.Join(results, dir+".gone")); err != nil {
			t.Fatal(err)
		}
	}
	faults := 0
	for _, path := range []string{"/api/backtest/results/" + good.RunID + "/result", "/api/files/tearsheet/" + good.RunID + ".html", "/api/backtest/results/" + good.RunID + "/equity"} {
		if ask("GET", path, admin.Token, "", nil) >= 500 {
			faults++
		}
	}
	if faults < 2 { // the curve may be in memory
		t.Errorf("only %d answers were faults of the server", faults)
	}
	for _, path := range []string{"/metrics", "/debug/pprof/goroutine?debug=2", "/debug/pprof/heap?debug=1"} {
		status, text, err := call(c, "GET", s.side+path, "", nil)
		if err != nil || status != 200 {
			t.Errorf("%s: %d %v", path, status, err)
		}
		seen.Write(text)
	}
	for _, dir := range []string{"runs", "tearsheets"} {
		if err := os.Rename(filepath.Join(results, dir+".gone"), filepath.Join(results, dir)); err != nil {
			t.Fatal(err)
		}
	}
	// What other commands say with the same settings.
	bounded, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	to := filepath.Join(t.TempDir(), "backups")
	for _, args := range [][]string{{"backup", "create", "--verify", "--to", to}, {"user", "ls"}, {"history", "ls", "--format", "json"}, {"preview", "--effective", "golden-cross", "--symbols", "ACME", "--store", "demo"},
		{"doctor"}, {"fetch", "--dataset", "day", "--from", "2024-01-02", "--to", "2024-01-03"}} {
		cmd := exec.CommandContext(bounded, program, append(args, "--env-file", "none", "--data-dir", data, "--results-dir", results)...)
		cmd.Env = s.env
		out, _ := cmd.CombinedOutput() // some of them find faults, which is their job
		if len(out) == 0 {
			t.Errorf("%v says nothing", args)
		}
		seen.Write(out)
	}
	_ = s.cmd.Process.Signal(syscall.SIGQUIT) // a crash shows every stack
	<-s.done
	seen.WriteString(s.err.String())
	places := map[string]string{"answers and terminals": seen.String()}
	for _, dir := range []string{logs, results, to} {
		for _, name := range left(t, dir) {
			places[name] = readFile(t, filepath.Join(dir, name))
		}
	}
	for place, text := range places {
		for _, x := range secrets {
			if i := strings.Index(text, x); i >= 0 {
				t.Errorf("%s: a secret (%.12s...) stands in it: %.80q", place, x, text[max(0, i-60):i])
			}
		}
	}
	if len(places) < 8 || seen.Len() < 100_000 {
		t.Errorf("only %d places and %d bytes were looked through", len(places), seen.Len())
	}
	t.Logf("%d secrets looked for in %d places", len(secrets), len(places))
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
