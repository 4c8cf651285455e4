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
	v := newVendor(t, 8)
	spoilt := ""
	_, url := v.startProxy(func(key string, try int) func(rw, *res) {
		switch {
		case key == "":
			return nil
		case spoilt == "once" && try%2 == 1:
			return reset(4000)
		case spoilt == "slow down" && try < 3:
			return func(w rw, _ *res) {
				w.Header().Set("Content-Type", "application/xml")
				w.WriteHeader(503)
				io.WriteString(w, "<Error><Code>SlowDown</Code></Error>")
			}
		case spoilt == "forbidden":
			return func(w rw, _ *res) { w.WriteHeader(403) }
		case spoilt == "log in":
			return func(w rw, _ *res) {
				w.Header().Set("Content-Type", "text/html")
				io.WriteString(w, "<html>log in</html>")
			}
		case spoilt == "short":
			return short
		}
		return nil
	})
	for _, fault := range []string{"once", "slow down", "forbidden", "log in", "short"} {
		spoilt = fault
		f := startServe(t, t.TempDir(), url, "BACKTESTER_STORE=vendor")
		job := f.ended(f.fetch(january))
		e, _ := job["error"].(map[string]any)
		passing := fault == "once" || fault == "slow down"
		if passing && job["status"] != "succeeded" {
			t.Errorf("%s: %v", fault, job)
		}
		if !passing && (job["status"] != "failed" || e == nil || fmt.Sprint(e["detail"]) == "") {
			t.Errorf("%s: %v", fault, job)
		}
		if text, _ := json.Marshal(job); strings.Contains(string(text), secretKey) || strings.Contains(string(text), accessKey) {
			t.Errorf("%s: a key is in the answer: %s", fault, text)
		}
		if status, _ := f.ask("GET", "/api/health", ""); status != 200 {
			t.Errorf("%s: health %d", fault, status)
		}
		f.kill()
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
