package cmd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"backtester/cmd"
)

// do runs one command and returns what it prints.
func do(t *testing.T, environ []string, in string, args ...string) (code int, out, faults string) {
	t.Helper()
	var o, e bytes.Buffer
	streams := cmd.IO{In: strings.NewReader(in), Out: &o, Err: &e, Now: time.Now, Environ: environ}
	code = cmd.Main(context.Background(), append(args, "--env-file", "none"), streams, "test")
	return code, o.String(), e.String()
}

// With --server the commands give what they give here, from a server with accounts.
func TestCommandsAskAServer(t *testing.T) {
	data, results := demoData(t), t.TempDir()
	environ := []string{"HOME=" + data, "BACKTESTER_AUTH=required", "BACKTESTER_RESULTS_DIR=" + results}
	const password = "correct horse battery"
	if code, _, faults := do(t, environ, password+"\n", "user", "add", "--admin", "alice"); code != 0 {
		t.Fatalf("user add: %d\n%s", code, faults)
	}
	s := serve(t, environ, "--data-dir", data)
	_, login, _ := s.call(t, "POST", "/api/auth/login", `{"username":"alice","password":"`+password+`"}`)
	_, made, _ := s.call(t, "POST", "/api/auth/tokens", `{"name":"cli","scopes":["read","run"]}`, "Authorization", "Bearer "+login["token"].(string))
	token := made["token"].(string)
	away := []string{"HOME=" + t.TempDir(), "BACKTESTER_DATA_DIR=" + t.TempDir(), "BACKTESTER_SERVER=" + s.url, "BACKTESTER_TOKEN=" + token}
	here := []string{"HOME=" + data, "BACKTESTER_DATA_DIR=" + data, "BACKTESTER_RESULTS_DIR=" + t.TempDir(), "BACKTESTER_HISTORY=off"}

	run := []string{"run", "golden-cross", "--symbols", "ACME", "--from", "2020-01-02", "--set", "costs.slippage.bps=3", "--format", "json"}
	code, remote, faults := do(t, away, "", run...)
	if code != 0 {
		t.Fatalf("run --server: %d\n%s", code, faults)
	}
	if _, local, _ := do(t, here, "", run...); local != remote {
		t.Errorf("run gives %d bytes here and %d there", len(local), len(remote))
	}
	if code, again, faults := do(t, away, "", run...); code != 0 || again != remote || !strings.Contains(faults, "recalled run ") {
		t.Errorf("the same run once more: %d, the same %v\n%s", code, again == remote, faults)
	}
	if code, again, faults := do(t, away, "", append(run, "--again")...); code != 0 || again != remote || strings.Contains(faults, "recalled") {
		t.Errorf("the same run --again: %d, the same %v\n%s", code, again == remote, faults)
	}
	preview := []string{"preview", "golden-cross", "--symbols", "ACME", "--from", "2024-01-02", "--format", "json"}
	code, remote, faults = do(t, away, "", preview...)
	if code != 0 {
		t.Fatalf("preview --server: %d\n%s", code, faults)
	}
	if _, local, _ := do(t, here, "", preview...); local != remote {
		t.Errorf("preview gives here\n%.400s\nand there\n%.400s", local, remote)
	}
	code, out, faults := do(t, away, "", "history", "ls", "--format", "json")
	var runs []struct {
		ID string `json:"run_id"`
	}
	if err := json.Unmarshal([]byte(out), &runs); code != 0 || err != nil || len(runs) != 2 {
		t.Fatalf("history --server: %d %v\n%s\n%s", code, err, out, faults)
	}
	if code, out, faults := do(t, away, "", "report", runs[0].ID); code != 0 || !strings.Contains(out, "ACME") {
		t.Errorf("report --server: %d\n%s\n%s", code, out, faults)
	}

	if code, _, faults := do(t, append(away, "BACKTESTER_TOKEN=btp_wrong"), "", run...); code != 1 || !strings.Contains(faults, "BACKTESTER_TOKEN") || strings.Contains(faults, "btp_wrong") {
		t.Errorf("a wrong token: %d\n%s", code, faults)
	}
	if code, _, faults := do(t, away, "", "run", "golden-cross", "--symbols", "NOPE"); code != 3 || !strings.Contains(faults, "NOPE") {
		t.Errorf("no data there: %d\n%s", code, faults)
	}
	if code, _, _ := do(t, away, "", "run", "golden-cross", "--symbols", "ACME", "--bars", "ACME=x.csv"); code != 2 {
		t.Errorf("--bars with a server: %d", code)
	}
}

func TestUserCommands(t *testing.T) {
	environ := []string{"HOME=" + t.TempDir(), "BACKTESTER_RESULTS_DIR=" + t.TempDir()}
	for _, c := range []struct {
		in   string
		args []string
		code int
		want string
	}{
		{"", []string{"user", "ls"}, 0, "name"},
		{"short\n", []string{"user", "add", "bob"}, 2, "12 bytes"},
		{"", []string{"user", "add", "bob"}, 2, "standard input"},
		{"correct horse battery\n", []string{"user", "add", "bob"}, 0, "added bob"},
		{"correct horse battery\n", []string{"user", "add", "BOB"}, 2, "taken"},
		{"", []string{"user", "ls"}, 0, "bob"},
		{"another good one\n", []string{"user", "passwd", "bob"}, 0, "changed"},
		{"another good one\n", []string{"user", "passwd", "eve"}, 2, "no such user"},
		{"", []string{"user", "disable", "bob"}, 0, "disabled bob"},
		{"", []string{"user", "ls"}, 0, "disabled"},
		{"", []string{"user", "enable", "bob"}, 0, "enabled bob"},
	} {
		code, out, faults := do(t, environ, c.in, c.args...)
		if code != c.code || !strings.Contains(out+faults, c.want) {
			t.Errorf("%v: exit code %d, want %d with %q\n%s%s", c.args, code, c.code, c.want, out, faults)
		}
	}
	if code, _, faults := do(t, append(environ, "FLASK_ENV=production"), "", "user", "ls"); code != 2 || !strings.Contains(faults, "FLASK_SECRET_KEY") {
		t.Errorf("in production without the key: %d\n%s", code, faults)
	}
}
