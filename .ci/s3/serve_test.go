package s3test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"backtester/cmd"
)

const programEnv = "S3TEST_PROGRAM" // this process is the program

// program is what the test program is under that name.
func program() {
	os.Exit(cmd.Main(context.Background(), os.Args[1:], cmd.System(), "test"))
}

// fetching is a serve in a process of its own that fetches from url, its store and results below dir.
type fetching struct {
	t    *testing.T
	url  string
	cmd  *exec.Cmd
	done chan struct{}
}

func startServe(t *testing.T, dir, url string, env ...string) *fetching {
	t.Helper()
	i := strings.LastIndex(url, "/")
	f := &fetching{t: t, done: make(chan struct{})}
	f.cmd = exec.Command(os.Args[0], "serve", "--port", "0", "--env-file", "none", "--data-dir", filepath.Join(dir, "data"), "--results-dir", filepath.Join(dir, "results"))
	f.cmd.Env = append([]string{programEnv + "=1", "HOME=" + dir, "PATH=" + os.Getenv("PATH"), "BACKTESTER_S3_ENDPOINT=" + url[:i], "BACKTESTER_S3_BUCKET=" + url[i+1:],
		"AWS_ACCESS_KEY_ID=" + accessKey, "AWS_SECRET_ACCESS_KEY=" + secretKey, "BACKTESTER_MIN_FREE_DISK_MB=0"}, env...)
	stderr, err := f.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines, printed := bufio.NewScanner(stderr), ""
	for f.url == "" && lines.Scan() {
		printed += lines.Text() + "\n"
		if at, ok := strings.CutPrefix(lines.Text(), "serving "); ok && strings.HasPrefix(at, "http") {
			f.url = at
		}
	}
	go func() {
		_, _ = io.Copy(io.Discard, stderr)
		_ = f.cmd.Wait()
		close(f.done)
	}()
	t.Cleanup(f.kill)
	if f.url == "" {
		t.Fatalf("serve does not come up:\n%s", printed)
	}
	return f
}

func (f *fetching) kill() {
	_ = f.cmd.Process.Kill()
	<-f.done
}

func (f *fetching) ask(method, path, body string) (int, map[string]any) {
	f.t.Helper()
	r, err := http.NewRequest(method, f.url+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		f.t.Fatal(err)
	}
	defer res.Body.Close()
	var v map[string]any
	text, err := io.ReadAll(res.Body)
	if err == nil && len(text) > 0 {
		err = json.Unmarshal(text, &v)
	}
	if err != nil {
		f.t.Fatalf("%s %s: %v: %.300s", method, path, err, text)
	}
	return res.StatusCode, v
}

// ended waits for a job.
func (f *fetching) ended(id string) map[string]any {
	f.t.Helper()
	for range 10 {
		_, v := f.ask("GET", "/api/backtest/results/"+id+"?wait=30", "")
		if s := v["status"]; s != "queued" && s != "running" {
			return v
		}
	}
	f.t.Fatalf("job %s does not end", id)
	return nil
}

func (f *fetching) fetch(body string) string {
	f.t.Helper()
	status, v := f.ask("POST", "/api/data/fetch", body)
	if status != 202 {
		f.t.Fatalf("fetch: %d %v", status, v)
	}
	return v["run_id"].(string)
}

// what fetches of the first twenty sessions ask for
const january = `{"dataset":"day","from":"2024-01-02","to":"2024-01-31"}`

// The whole way of a new server: nothing is stored, so a run is refused with the request that cures it;
// that request fetches from the real S3 server; the run then succeeds on what came.
func TestServeFetches(t *testing.T) {
	v := newVendor(t, 20)
	f := startServe(t, t.TempDir(), endpoint+"/"+v.name, "BACKTESTER_STORE=vendor")
	run := `{"strategy":{"universe":{"symbols":["T001"]},"data":{"from":"2024-01-02","to":"2024-01-30"},"entry":"close > 1","exit":"bars_held >= 2"}}`
	status, refused := f.ask("POST", "/api/backtest/run", run)
	cure, _ := json.Marshal(refused["cure"])
	if status != 424 || !strings.Contains(string(cure), `"dataset":"day"`) {
		t.Fatalf("without data: %d %v", status, refused)
	}
	id := f.fetch(string(cure))
	if _, job := f.ask("GET", "/api/jobs/"+id, ""); job["kind"] != "fetch" {
		t.Errorf("%v", job)
	}
	job := f.ended(id)
	summary, _ := json.Marshal(job["summary"])
	if job["status"] != "succeeded" || !strings.Contains(string(summary), `"no_actions"`) {
		t.Fatalf("%v", job)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) { // serve looks every few seconds
		_, coverage := f.ask("GET", "/api/data/coverage", "")
		frames, _ := json.Marshal(coverage["frames"])
		if strings.Contains(string(frames), `"symbols":400`) && coverage["synthetic"] == false && coverage["can_fetch"] == true {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("coverage after the fetch: %v", coverage)
		}
	}
	if status, done := f.ask("POST", "/api/backtest/run", run); status != 202 || f.ended(done["run_id"].(string))["status"] != "succeeded" {
		t.Errorf("the run after the fetch: %d %v", status, done)
	}
	if status, bars := f.ask("GET", "/api/data/bars/T001?from=2024-01-02&to=2024-01-05", ""); status != 200 || len(bars["data"].(map[string]any)["dates"].([]any)) != 4 {
		t.Errorf("bars: %d %v", status, bars)
	}
	// Again brings nothing: the job says so.
	again := f.ended(f.fetch(january))
	if text, _ := json.Marshal(again["summary"]); again["status"] != "succeeded" || !strings.Contains(string(text), `"fetched":0`) && strings.Contains(string(text), `"fetched":20`) {
		t.Errorf("%s", text)
	}
}

// Faults of the vendor's side end the job as failed, in words, and the server goes on; what passes is
// overcome.
func TestServeTellsWhatTheVendorDoes(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(try int) func(rw, *res)
		fails bool
	}{
		"once":      {spoil: func(try int) func(rw, *res) { return []func(rw, *res){nil, reset(4000)}[try%2] }},
		"slow-down": {spoil: func(try int) func(rw, *res) { return []func(rw, *res){refuse(503, "SlowDown"), nil}[min(try/3, 1)] }},
		"forbidden": {spoil: func(int) func(rw, *res) { return refuse(403, "") }, fails: true},
		"log-in":    {spoil: func(int) func(rw, *res) { return logIn }, fails: true},
		"short":     {spoil: func(int) func(rw, *res) { return short }, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVendor(t, 8)
			_, url := v.startProxy(func(key string, try int) func(rw, *res) {
				if key == "" {
					return nil
				}
				return c.spoil(try)
			})
			f := startServe(t, t.TempDir(), url, "BACKTESTER_STORE=vendor")
			job := f.ended(f.fetch(january))
			e, _ := job["error"].(map[string]any)
			if !c.fails && job["status"] != "succeeded" {
				t.Error(job)
			}
			if c.fails && (job["status"] != "failed" || e == nil || fmt.Sprint(e["detail"]) == "") {
				t.Error(job)
			}
			if text, _ := json.Marshal(job); strings.Contains(string(text), secretKey) || strings.Contains(string(text), accessKey) {
				t.Errorf("a key is in the answer: %s", text)
			}
			if status, _ := f.ask("GET", "/api/health", ""); status != 200 {
				t.Errorf("health %d", status)
			}
		})
	}
}

// kill -9 of serve at any moment of a fetch: no half of a file is ever under its name, and the job, which was
// acknowledged, is done by the servers that come after.
func TestKilledServeCompletesItsFetch(t *testing.T) {
	v := newVendor(t, 20)
	_, url := v.startProxy(func(key string, _ int) func(rw, *res) {
		return func(w rw, r *res) { time.Sleep(8 * time.Millisecond); pass(w, r) }
	})
	rng := rand.New(rand.NewPCG(9, 9))
	killed := 0
	for round := range 3 {
		dir := t.TempDir()
		f := startServe(t, dir, url, "BACKTESTER_STORE=vendor")
		id := f.fetch(january)
		for range 2 { // one that dies with its server three times is given up
			time.Sleep(time.Duration(rng.IntN(150)) * time.Millisecond)
			_ = f.cmd.Process.Signal(syscall.SIGKILL)
			<-f.done
			killed++
			for key, got := range v.onDisk(filepath.Join(dir, "data")) {
				if !strings.HasSuffix(key, ".part") && got != sum(v.files[key]) {
					t.Fatalf("round %d: %s is half-written under its name", round, key)
				}
			}
			f = startServe(t, dir, url, "BACKTESTER_STORE=vendor")
		}
		if job := f.ended(id); job["status"] != "succeeded" {
			t.Errorf("round %d: the job that was acknowledged: %v", round, job)
		}
		f.kill()
		v.complete(filepath.Join(dir, "data"))
	}
	t.Logf("%d kills", killed)
}
