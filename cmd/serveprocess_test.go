//go:build unix

package cmd_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// process is a serve in a process of its own, started as a service manager starts it: the listener and
// the socket for its notes come from outside.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  bytes.Buffer
}

// start runs serve with a listener that is kept here.
func start(t *testing.T, data, results, notify string, listener *os.File) *process {
	t.Helper()
	named := program(t)
	l, err := net.FileListener(listener)
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String()) // a kept listener of another address is not taken over
	l.Close()
	p := &process{done: make(chan struct{})}
	p.cmd = exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ exec "$0" serve --env-file none --data-dir "$1" --results-dir "$2" --workers 2 --port "$3"`,
		named, data, results, port)
	p.cmd.Env = []string{"HOME=" + results, "PATH=" + os.Getenv("PATH"), "LISTEN_FDS=1", "LISTEN_FDNAMES=stored", "NOTIFY_SOCKET=" + notify,
		"BACKTESTER_RATE_PER_SECOND=100000", "BACKTESTER_RATE_BURST=100000", "BACKTESTER_USER_QUEUED=0", "BACKTESTER_QUEUED=0", "BACKTESTER_MIN_FREE_DISK_MB=0"}
	p.cmd.ExtraFiles = []*os.File{listener}
	p.cmd.Stderr = &p.err
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = p.cmd.Wait(); close(p.done) }()
	t.Cleanup(func() { _ = p.cmd.Process.Kill(); <-p.done })
	return p
}

// end sends a signal and waits for the end.
func (p *process) end(t *testing.T, s syscall.Signal) int {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.done:
	case <-time.After(90 * time.Second):
		t.Fatalf("serve does not end\n%s", p.err.String())
	}
	return p.cmd.ProcessState.ExitCode()
}

// notes are what serve tells the service manager.
func notes(t *testing.T) (path string, next func(want string)) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return path, func(want string) {
		t.Helper()
		b := make([]byte, 4096)
		_ = c.SetReadDeadline(time.Now().Add(2 * time.Minute))
		for {
			n, err := c.Read(b)
			if err != nil {
				t.Fatalf("serve never tells %s: %v", want, err)
			}
			if strings.Contains(string(b[:n]), want) {
				return
			}
		}
	}
}

// Kills and planned restarts under load: no run that was acknowledged is lost, every one ends with the
// same bytes, and planned restarts refuse no request.
func TestKillsAndRestartsUnderLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long; the processes are what is tested, not this one")
	}
	data, results := demoData(t), t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	kept, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	url := "http://" + l.Addr().String()
	l.Close() // kept is open: clients wait in its queue
	path, next := notes(t)
	p := start(t, data, results, path, kept)
	next("READY=1")

	var planned atomic.Bool // from here on no request may fail
	var acknowledged sync.Map
	var asked, failed atomic.Int64
	ctx, stop := context.WithCancel(context.Background())
	var clients sync.WaitGroup
	for i := range 4 {
		clients.Go(func() {
			c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}, Timeout: 2 * time.Minute}
			for n := 0; ctx.Err() == nil; n++ {
				id, err := submit(c, url, fmt.Sprintf(`{"strategy":{"name":"k%d-%d","universe":{"symbols":["ACME"]},"data":{"from":"2024-06-03"},"entry":"close > close[1]","exit":"close < close[1]"}}`, i, n))
				if asked.Add(1); err == nil {
					acknowledged.Store(id, true)
				} else if planned.Load() {
					failed.Add(1)
					t.Errorf("during planned restarts: %v", err)
				}
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
	const kills = 2 // a run that dies with its server three times is given up
	for i := range kills {
		time.Sleep(time.Duration(100+150*i) * time.Millisecond)
		p.end(t, syscall.SIGKILL)
		p = start(t, data, results, path, kept)
		next("READY=1")
	}
	time.Sleep(2 * time.Second) // what the last kill has broken has failed by now
	planned.Store(true)
	for range 2 {
		time.Sleep(500 * time.Millisecond)
		if code := p.end(t, syscall.SIGTERM); code != 0 {
			t.Errorf("after SIGTERM serve ends with %d\n%s", code, p.err.String())
		}
		p = start(t, data, results, path, kept)
		next("READY=1")
	}
	stop()
	clients.Wait()
	n := 0
	acknowledged.Range(func(id, _ any) bool {
		n++
		var v struct{ Status string }
		for range 10 { // two workers have much to do
			res, err := http.Get(url + "/api/backtest/results/" + id.(string) + "?wait=30")
			if err != nil {
				t.Fatal(err)
			}
			err = json.NewDecoder(res.Body).Decode(&v)
			res.Body.Close()
			if err != nil || res.StatusCode != 200 {
				t.Errorf("run %s, which was acknowledged: %d %v", id, res.StatusCode, err)
			}
			if v.Status != "queued" && v.Status != "running" {
				break
			}
		}
		if v.Status != "succeeded" {
			t.Errorf("run %s, which was acknowledged, is %q", id, v.Status)
		}
		return true
	})
	if n < 20 {
		t.Errorf("only %d runs were acknowledged", n)
	}
	t.Logf("%d requests, %d acknowledged runs, %d kills, 2 planned restarts", asked.Load(), n, kills)
	if code := p.end(t, syscall.SIGTERM); code != 0 {
		t.Errorf("serve ends with %d\n%s", code, p.err.String())
	}
}

func submit(c *http.Client, url, body string) (string, error) {
	r, err := http.NewRequest("POST", url+"/api/backtest/run", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/json")
	r.GetBody = nil // not to be repeated by the client itself
	res, err := c.Do(r)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return "", err
	}
	var v struct {
		RunID string `json:"run_id"`
	}
	if err := json.Unmarshal(b, &v); err != nil || res.StatusCode != 202 {
		return "", fmt.Errorf("status %d: %.300s", res.StatusCode, b)
	}
	return v.RunID, nil
}

// The listener goes to the service manager's store; SIGHUP opens the logs anew; nothing secret is in
// them or in any answer.
func TestServiceManagerAndLogs(t *testing.T) {
	data, results, logs := demoData(t), t.TempDir(), t.TempDir()
	socket := filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const canary = "CANARY0123456789abcdefCANARY-key"
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	run := exec.Command(self, "serve", "--env-file", "none", "--port", "0", "--data-dir", data, "--results-dir", results, "--log-dir", logs, "--store", "demo")
	run.Args[0] = "backtester"
	run.Env = []string{"HOME=" + results, "NOTIFY_SOCKET=" + socket, "WATCHDOG_USEC=300000", "FLASK_ENV=production", "FLASK_SECRET_KEY=" + canary,
		"POLYGON_API_KEY=CANARY-polygon-1", "AWS_ACCESS_KEY_ID=CANARY-id-22", "AWS_SECRET_ACCESS_KEY=CANARY-s3-333", "BACKTESTER_LOG_LEVEL=debug", "RUNTIME_DIRECTORY=" + logs}
	pipe, err := run.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	defer func() { _ = run.Process.Kill() }()
	var printed bytes.Buffer
	url := ""
	lines := bufio.NewScanner(pipe)
	for url == "" && lines.Scan() {
		printed.WriteString(lines.Text() + "\n")
		url, _ = strings.CutPrefix(lines.Text(), "serving ")
		if !strings.HasPrefix(url, "http") {
			url = ""
		}
	}
	if url == "" {
		t.Fatalf("serve does not come up:\n%s", printed.String())
	}
	go func() {
		for lines.Scan() {
			printed.WriteString(lines.Text() + "\n")
		}
		ended <- run.Wait()
	}()
	seen := map[string]bool{}
	b, oob := make([]byte, 4096), make([]byte, 256)
	for deadline := time.Now().Add(time.Minute); !(seen["FDSTORE=1"] && seen["READY=1"] && seen["WATCHDOG=1"]) && time.Now().Before(deadline); {
		_ = c.SetReadDeadline(deadline)
		n, oobn, _, _, err := c.ReadMsgUnix(b, oob)
		if err != nil {
			break
		}
		for _, line := range strings.Split(string(b[:n]), "\n") {
			seen[line] = true
		}
		if strings.Contains(string(b[:n]), "FDSTORE=1") && oobn == 0 {
			t.Error("the store is told of a listener and gets none")
		}
	}
	for _, note := range []string{"FDSTORE=1", "READY=1", "WATCHDOG=1"} {
		if !seen[note] {
			t.Errorf("serve never told %s; it told %v", note, seen)
		}
	}
	answers := ""
	for _, path := range []string{"/api/health", "/api/version", "/api/backtest/history", "/api/openapi.json", "/config.js", "/api/data/coverage", "/api/nothing"} {
		res, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(res.Body)
		res.Body.Close()
		answers += fmt.Sprint(res.Header) + string(text)
		if path == "/api/backtest/history" && res.StatusCode != 401 {
			t.Errorf("in production the history is open: %d", res.StatusCode)
		}
	}
	if err := os.Rename(filepath.Join(logs, "access.log"), filepath.Join(logs, "access.log.1")); err != nil {
		t.Fatal(err)
	}
	if err := run.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		res, err := http.Get(url + "/api/version")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if info, err := os.Stat(filepath.Join(logs, "access.log")); err == nil && info.Size() > 0 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	setup := useSetup(t, url, filepath.Join(logs, "setup-token"))
	if err := run.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended: // though nobody reads the manager's notes any more
		if err != nil {
			t.Errorf("serve ends with %v", err)
		}
	case <-time.After(60 * time.Second):
		_ = run.Process.Signal(syscall.SIGQUIT)
		<-ended
		t.Fatalf("serve does not end:\n%s", printed.String())
	}
	all := answers + printed.String()
	for _, name := range []string{"access.log", "access.log.1", "error.log"} {
		text, err := os.ReadFile(filepath.Join(logs, name))
		if err != nil || name != "error.log" && len(text) == 0 {
			t.Errorf("%s: %d bytes, %v", name, len(text), err)
		}
		all += string(text)
	}
	if strings.Contains(all, "CANARY") {
		t.Errorf("a secret is in answers, logs or on the terminal")
	}
	if setup == "" || strings.Contains(all, setup) {
		t.Error("the setup token is in a log")
	}
}

// useSetup registers the first administrator with the token in the file, which is for its owner's eyes and goes then.
func useSetup(t *testing.T, url, file string) string {
	t.Helper()
	token, err := os.ReadFile(file)
	if info, e := os.Stat(file); err != nil || e != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the setup token: %v %v", err, e)
	}
	setup := strings.TrimSpace(string(token))
	for _, want := range []int{http.StatusCreated, http.StatusForbidden} { // it is good once
		res, err := http.Post(url+"/api/auth/register", "application/json", strings.NewReader(fmt.Sprintf(`{"username":"user%d","password":"correct horse battery","setup_token":%q}`, want, setup)))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("registering answers %d, want %d: %s", res.StatusCode, want, text)
		}
	}
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file of the used token stays: %v", err)
	}
	return setup
}
