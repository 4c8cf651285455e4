//go:build unix

package cmd_test

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
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// program is a path by which the test program is the program.
func program(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	named := filepath.Join(t.TempDir(), "backtester")
	if err := os.Symlink(self, named); err != nil {
		t.Fatal(err)
	}
	return named
}

// desk is a folder in which programs run one after another or side by side.
type desk struct {
	t    *testing.T
	dir  string
	name string // of the program
	env  []string
}

func newDesk(t *testing.T, env ...string) *desk {
	dir := t.TempDir()
	return &desk{t, dir, program(t), append([]string{"HOME=" + dir, "PATH=" + os.Getenv("PATH"), "BACKTESTER_DATA_DIR=" + demoData(t),
		"BACKTESTER_RESULTS_DIR=" + filepath.Join(dir, "results")}, env...)}
}

func (d *desk) write(name, text string) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) read(name string) string {
	d.t.Helper()
	b, err := os.ReadFile(filepath.Join(d.dir, name))
	if err != nil {
		d.t.Fatal(err)
	}
	return string(b)
}

func (d *desk) command(name string, args ...string) (*exec.Cmd, *bytes.Buffer, *bytes.Buffer) {
	c := exec.Command(name, args...)
	var out, faults bytes.Buffer
	c.Dir, c.Env, c.Stdout, c.Stderr = d.dir, d.env, &out, &faults
	return c, &out, &faults
}

// start lets a program run beside the test, which ends it.
func (d *desk) start(name string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	d.t.Helper()
	c, _, faults := d.command(name, args...)
	if err := c.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		_ = c.Process.Kill() // it may have ended
		_ = c.Wait()
	})
	return c, faults
}

// run is what backtester writes to standard output.
func (d *desk) run(args ...string) string {
	d.t.Helper()
	c, out, faults := d.command(d.name, args...)
	if err := c.Run(); err != nil {
		d.t.Fatalf("backtester %s: %v\n%s", strings.Join(args, " "), err, faults)
	}
	return out.String()
}

// Ctrl-C in the middle of a sweep keeps what is done; --resume goes on to the bytes of a sweep that nobody
// interrupted, as often as it is interrupted, and the history has one row and every trial once.
func TestInterruptedSweepsGoOn(t *testing.T) {
	d := newDesk(t)
	d.write("my.yaml", `
params: {n: 3..40, level: 0.950..0.997 step 0.001}
entry: {when: close > sma(close, n), order: limit, price: close * level}
exit: close < sma(close, n)
`)
	whole := strings.Fields("sweep my.yaml --symbols ACME --check 0 --out")
	d.run(append(whole, "whole.csv")...)
	interrupted := 0
	for range 7 {
		c, faults := d.start(d.name, append(whole, "rows.csv", "--resume")...)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = c.Wait() // how it ended is looked at below
		}()
		before := nextOf(d)
		for running := true; running; {
			select {
			case <-ended:
				running = false
			case <-time.After(time.Millisecond):
				if interrupted < 5 && nextOf(d) > before {
					before = 1 << 30
					if err := c.Process.Signal(syscall.SIGINT); err != nil && c.ProcessState == nil {
						t.Log(err)
					}
				}
			}
		}
		if _, err := os.Stat(filepath.Join(d.dir, "rows.csv.state")); c.ProcessState.ExitCode() == 0 || err != nil {
			break // whole, if not told so before Ctrl-C
		}
		if code := c.ProcessState.ExitCode(); code != 130 || !strings.Contains(faults.String(), "--resume goes on with the rest") {
			t.Fatalf("exit code %d, %s", code, faults)
		}
		if next := nextOf(d); next <= 0 || next >= 1824 {
			t.Fatalf("%d of 1824 combinations are done", next)
		}
		interrupted++
	}
	if interrupted == 0 {
		t.Fatal("the sweep was never interrupted")
	}
	if d.read("rows.csv") != d.read("whole.csv") {
		t.Error("the rows of the interrupted sweep are others")
	}
	if rows := strings.Count(d.run("history", "ls", "--format", "json"), `"run_id"`); rows != 2 {
		t.Errorf("%d rows of the history, want one for each of the sweeps", rows)
	}
	t.Logf("interrupted %d times", interrupted)
}

// nextOf is the first combination that rows.csv does not have, 0 while there is none.
func nextOf(d *desk) int {
	var s struct{ Next int }
	b, err := os.ReadFile(filepath.Join(d.dir, "rows.csv.state"))
	if err == nil {
		_ = json.Unmarshal(b, &s) // it is replaced in one step
	}
	return s.Next
}

// A sweep and a validation on the workers of a NATS server, of the program that its makers ship, give the
// bytes of one machine while workers are killed.
func TestDistributedBesideANATSServer(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long; the processes are what is tested, not this one")
	}
	const token = "a-token-that-nobody-guesses"
	port := freePort(t)
	d := newDesk(t, "BACKTESTER_CLUSTER=nats://127.0.0.1:"+port, "BACKTESTER_CLUSTER_TOKEN="+token)
	d.start(natsServer(t), "-js", "-sd", "queue", "-a", "127.0.0.1", "-p", port, "--auth", token)
	answers(t, port)
	d.write("my.yaml", `
params: {n: 3..30, level: [20, 25, 30, 35, 40, 45]}
entry: rsi(close, n) < level
exit: {when: rsi(close, n) > 55, stop: entry_price * 0.9}
data: {from: 2015-01-01, to: 2021-12-31}
search: {min_trades: 3}
validate: {walk_forward: {train: 3y, test: 1y}, pbo: 8, draws: 99, noise: 1}
`)
	alone := strings.Fields("sweep my.yaml --symbols ACME --check 0 --out alone.csv")
	judged := strings.Fields("validate my.yaml --symbols ACME --format json")
	quiet := *d
	quiet.env = append(quiet.env, "BACKTESTER_HISTORY=off") // the count of trials names the state of the history
	quiet.run(alone...)
	want := quiet.run(judged...)

	stop, done := make(chan struct{}), make(chan struct{})
	kills := 0
	go func() {
		defer close(done)
		work := func() *exec.Cmd { c, _ := d.start(d.name, "worker"); return c }
		list := []*exec.Cmd{work(), work()}
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Second):
			}
			if kills < 2 {
				_ = list[0].Process.Kill()
				_ = list[0].Wait()
				list = append(list[1:], work())
				kills++
			}
		}
	}()
	quiet.run(append(alone[:len(alone)-1], "shared.csv", "--distributed")...)
	got := quiet.run(append(judged, "--distributed")...)
	close(stop)
	<-done
	if d.read("shared.csv") != d.read("alone.csv") {
		t.Error("the rows of the workers are others")
	}
	if got != want {
		t.Errorf("the validation with workers is another:\n%.2000s\nwant\n%.2000s", got, want)
	}
	if fmt.Sprint(want) == "" || kills == 0 {
		t.Errorf("%d workers were killed", kills)
	}
	t.Logf("%d workers killed", kills)
}

// natsServer is a path of the program that its makers ship.
func natsServer(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nats-server")
	build := exec.Command("go", "build", "-o", path, "github.com/nats-io/nats-server/v2")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build nats-server: %v\n%s", err, out)
	}
	return path
}

// A NATS server that is killed in the middle of a sweep and started again leaves the sweep with the bytes of one machine: once while all combinations wait for workers, and once while these play, one of
// which is killed with it.
func TestASweepOutlivesItsNATSServer(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long; the processes are what is tested, not this one")
	}
	const token = "a-token-that-nobody-guesses"
	port := freePort(t)
	url := "nats://127.0.0.1:" + port
	d := newDesk(t, "BACKTESTER_CLUSTER="+url, "BACKTESTER_CLUSTER_TOKEN="+token)
	server := natsServer(t)
	serve := func() *exec.Cmd {
		c, _ := d.start(server, "-js", "-sd", "queue", "-a", "127.0.0.1", "-p", port, "--auth", token)
		answers(t, port)
		return c
	}
	kill := func(c *exec.Cmd) {
		_ = c.Process.Kill() // a kill -9
		_ = c.Wait()
	}
	queue := serve()
	d.write("my.yaml", `
params: {n: 3..40, level: 0.950..0.997 step 0.001}
entry: {when: close > sma(close, n), order: limit, price: close * level}
exit: close < sma(close, n)
`)
	alone := strings.Fields("sweep my.yaml --symbols ACME --check 0 --out alone.csv")
	d.run(alone...)
	conn, err := nats.Connect(url, nats.Token(token), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	waiting := func() uint64 { // ranges that no worker has handed in; 0 while nobody answers
		stream, err := js.Stream(t.Context(), "BACKTESTER_WORK")
		if err != nil {
			return 0
		}
		return stream.CachedInfo().State.Msgs
	}
	until := func(what string, ok func() bool) {
		t.Helper()
		for deadline := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("it never comes to %s", what)
			}
		}
	}
	shared, faults := d.start(d.name, append(alone[:len(alone)-1], "shared.csv", "--distributed")...)
	all := uint64(63) // 1,824 combinations in ranges of 29
	until("all ranges waiting", func() bool { return waiting() == all })
	kill(queue)
	time.Sleep(time.Second)
	queue = serve()
	first, _ := d.start(d.name, "worker")
	d.start(d.name, "worker")
	left := uint64(0)
	until("some ranges handed in", func() bool { left = waiting(); return left > 0 && left < all-3 })
	kill(queue)
	kill(first)
	serve()
	d.start(d.name, "worker")
	if err := shared.Wait(); err != nil {
		t.Fatalf("the sweep: %v\n%s", err, faults)
	}
	if d.read("shared.csv") != d.read("alone.csv") {
		t.Error("the rows of the workers are others")
	}
	t.Logf("%d of %d ranges were left at the second kill", left, all)
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// answers waits until somebody listens.
func answers(t *testing.T, port string) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// A server that lets workers help gives the rows of the command line, with workers and with searches that cannot be
// shared.
func TestServersLetWorkersHelp(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long; the processes are what is tested, not this one")
	}
	port, cluster := freePort(t), freePort(t)
	d := newDesk(t, "BACKTESTER_CLUSTER_TOKEN=a-token-that-nobody-guesses", "BACKTESTER_CLUSTER=nats://127.0.0.1:"+cluster)
	const params = `"params": {"n": "3..30", "level": [20, 30, 40]}, "entry": "rsi(close, n) < level", "exit": "rsi(close, n) > 55", "search": {"min_trades": 3, "samples": 20}`
	d.write("my.json", `{"name": "my", `+params+`}`)
	d.start(d.name, "serve", "--port", port, "--cluster-listen", "127.0.0.1:"+cluster, "--metrics-addr", "none")
	answers(t, port)
	d.start(d.name, "worker")
	for _, method := range []string{"grid", "tpe"} {
		d.run("sweep", "my.json", "--symbols", "ACME", "--method", method, "--out", "rows.csv", "--check", "0")
		body := `{"kind": "sweep", "options": {"method": "` + method + `"}, "strategy": {"name": "my", "universe": {"symbols": ["ACME"]}, ` + params + `}}`
		var run struct {
			ID     string          `json:"run_id"`
			Status string          `json:"status"`
			Error  json.RawMessage `json:"error"`
		}
		url := "http://127.0.0.1:" + port + "/api/"
		if text := answer(t, "POST", url+"backtest/run", body); json.Unmarshal([]byte(text), &run) != nil || run.ID == "" {
			t.Fatalf("%s", text)
		}
		for deadline := time.Now().Add(3 * time.Minute); run.Status != "succeeded"; {
			text := answer(t, "GET", url+"backtest/results/"+run.ID+"?wait=5", "")
			if err := json.Unmarshal([]byte(text), &run); err != nil || run.Error != nil && string(run.Error) != "null" || time.Now().After(deadline) {
				t.Fatalf("%s", text)
			}
		}
		if got := answer(t, "GET", url+"files/csv/"+run.ID+".csv", ""); got != d.read("rows.csv") {
			t.Errorf("%s: the rows of the server are others:\n%.500s\nwant\n%.500s", method, got, d.read("rows.csv"))
		}
	}
}

func answer(t *testing.T, method, url, body string) string {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/json")
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
