// Package servertest holds the server's promises against the program, as processes of their own.
package servertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program is the binary, and data a folder with the demo market.
var program, data string

func TestMain(m *testing.M) {
	program = os.Getenv("PROGRAM_UNDER_TEST")
	if program == "" {
		fmt.Println("PROGRAM_UNDER_TEST names no program: start .ci/server/run")
		os.Exit(1)
	}
	var err error
	if data, err = os.MkdirTemp("", "backtester-server-"); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	out, err := exec.Command(program, "data", "ls", "--env-file", "none", "--store", "demo", "--data-dir", data).CombinedOutput()
	code := 1
	if err == nil {
		code = m.Run()
	} else {
		fmt.Printf("make the demo market: %v\n%s", err, out)
	}
	os.RemoveAll(data)
	os.Exit(code)
}

// serving is a serve.
type serving struct {
	t    *testing.T
	url  string
	side string // where metrics are
	port string
	args []string
	env  []string
	cmd  *exec.Cmd
	done chan struct{}

	files64 bool // start it with 64 file descriptors
	err     *log
}

// log is what a process says, read while it does.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// newServing starts a serve with limits for strangers lifted, on a port that it keeps when it is started again.
func newServing(t *testing.T, results string, env ...string) *serving {
	t.Helper()
	s := &serving{t: t, port: freePort(t)}
	metrics := freePort(t)
	s.url, s.side = "http://127.0.0.1:"+s.port, "http://127.0.0.1:"+metrics
	s.args = []string{"serve", "--env-file", "none", "--store", "demo", "--data-dir", data, "--results-dir", results, "--port", s.port, "--metrics-addr", "127.0.0.1:" + metrics}
	s.env = append([]string{"HOME=" + results, "PATH=" + os.Getenv("PATH"), "BACKTESTER_AUTH=off", "BACKTESTER_RATE_PER_SECOND=1000000", "BACKTESTER_RATE_BURST=1000000",
		"BACKTESTER_USER_QUEUED=0", "BACKTESTER_QUEUED=0", "BACKTESTER_MIN_FREE_DISK_MB=0"}, env...)
	s.start()
	t.Cleanup(func() { s.signal(syscall.SIGKILL) })
	return s
}

func (s *serving) start() {
	s.t.Helper()
	s.err = &log{}
	s.done = make(chan struct{})
	s.cmd = exec.Command(program, s.args...)
	if s.files64 {
		s.cmd = exec.Command("sh", append([]string{"-c", `ulimit -n 64 && exec "$0" "$@"`, program}, s.args...)...)
	}
	s.cmd.Env, s.cmd.Stderr = s.env, s.err
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	cmd, done := s.cmd, s.done
	go func() { _ = cmd.Wait(); close(done) }()
	for range 1200 {
		if strings.Contains(s.err.String(), "serving http") {
			return
		}
		select {
		case <-s.done:
			s.t.Fatalf("serve ended:\n%s", s.err)
		case <-time.After(50 * time.Millisecond):
		}
	}
	s.t.Fatalf("serve does not come up:\n%s", s.err)
}

// signal sends a signal and waits for the end.
func (s *serving) signal(x syscall.Signal) {
	_ = s.cmd.Process.Signal(x)
	<-s.done
}

// call asks; an error is one of the connection.
func call(c *http.Client, method, url, body string, into any) (status int, text []byte, err error) {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	r.GetBody = nil // the client must not repeat it by itself
	res, err := c.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	if text, err = io.ReadAll(res.Body); err != nil {
		return 0, nil, err
	}
	if into != nil && res.StatusCode < 400 {
		err = json.Unmarshal(text, into)
	}
	return res.StatusCode, text, err
}

// newRequest is a request with a token and without a body.
func newRequest(method, url, token string) (*http.Request, error) {
	r, err := http.NewRequest(method, url, nil)
	if err == nil {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r, err
}

func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}, Timeout: 2 * time.Minute}
}

// strategy is one of a few small ones; equal numbers are the same work.
func strategy(n int) string {
	return fmt.Sprintf(`{"strategy":{"name":"s%d","universe":{"symbols":["ACME"]},"data":{"from":"2024-06-03"},"entry":"close > close[%d]","exit":"close < close[1]","costs":{"slippage":{"bps":1}}}}`, n%4, 1+n%4)
}

type run struct {
	RunID  string `json:"run_id"`
	Status string
	Error  *struct{ Code string }
}

// ended waits until a run has ended.
func (s *serving) ended(c *http.Client, id string) run {
	s.t.Helper()
	var r run
	for range 10 {
		status, text, err := call(c, "GET", s.url+"/api/backtest/results/"+id+"?wait=30", "", &r)
		if err != nil || status != 200 {
			s.t.Errorf("run %s, which was acknowledged: %d %v %.300s", id, status, err, text)
			return r
		}
		if r.Status != "queued" && r.Status != "running" {
			return r
		}
	}
	s.t.Errorf("run %s does not end: %s", id, r.Status)
	return r
}

// command runs another command of the program.
func command(t *testing.T, args ...string) string {
	t.Helper()
	c := exec.Command(program, append(args, "--env-file", "none", "--data-dir", data)...)
	c.Stdin = strings.NewReader("correct horse battery\n") // for those that ask for a password
	var out, faults bytes.Buffer
	c.Stdout, c.Stderr = &out, &faults
	if err := c.Run(); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, faults.String())
	}
	return out.String()
}

// resident is the memory of a process in MiB.
func (s *serving) resident() float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "VmRSS:")
	kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	return kb / 1024
}

func (s *serving) files() int {
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.cmd.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	return len(list)
}

// goroutines of the process, as its side listener tells them.
func (s *serving) goroutines() int {
	_, text, err := call(http.DefaultClient, "GET", s.side+"/debug/pprof/goroutine?debug=1", "", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	_, n, _ := strings.Cut(strings.SplitN(string(text), "\n", 2)[0], "total ")
	k, err := strconv.Atoi(n)
	if err != nil {
		s.t.Fatalf("%.100s", text)
	}
	return k
}

// whole checks that every artifact of a results folder is what its run wrote, through a backup that is read back.
func whole(t *testing.T, results string) {
	t.Helper()
	command(t, "backup", "create", "--verify", "--results-dir", results, "--to", filepath.Join(t.TempDir(), "backups"))
}
