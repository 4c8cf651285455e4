package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"backtester/backtest/history"
)

// served measures the server as a process of its own on loopback, with 100,000 runs in its history. The
// limits for strangers are raised by settings, which are printed beside the figures.
func served() error {
	settings := []string{"BACKTESTER_RATE_PER_SECOND=1000000", "BACKTESTER_RATE_BURST=1000000", "BACKTESTER_USER_QUEUED=0", "BACKTESTER_QUEUED=0", "BACKTESTER_MIN_FREE_DISK_MB=0"}
	if out, err := exec.Command("make", "build").CombinedOutput(); err != nil {
		return fmt.Errorf("make build: %w\n%s", err, out)
	}
	results := dir("serve")
	if err := errors.Join(os.RemoveAll(results), fill(filepath.Join(results, "db", "history.db"), 100_000)); err != nil {
		return err
	}
	// The demo market is made beforehand: making it is no part of serving.
	if out, err := exec.Command("bin/backtester", "data", "ls", "--env-file", "none", "--store", "demo", "--data-dir", dir("serve-data")).CombinedOutput(); err != nil {
		return fmt.Errorf("make the demo market: %w\n%s", err, out)
	}
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return err
	}
	fmt.Printf("\nserver, %d processors shared with the clients, load %s; %s\n", runtime.NumCPU(), strings.Fields(string(load))[0], strings.Join(settings, " "))
	url, pid, stop, err := startServer(results, append(settings, "BACKTESTER_AUTH=off"))
	if err != nil {
		return err
	}
	err = measureServer(url, pid)
	stop()
	if err != nil {
		return err
	}
	people := dir("serve-people")
	if err := os.RemoveAll(people); err != nil {
		return err
	}
	// The first account is made by whoever has the machine.
	first := exec.Command("bin/backtester", "user", "add", "--admin", "person0", "--env-file", "none", "--data-dir", dir("serve-data"), "--results-dir", people)
	first.Stdin = strings.NewReader("correct horse battery\n")
	if out, err := first.CombinedOutput(); err != nil {
		return fmt.Errorf("user add: %w\n%s", err, out)
	}
	if url, pid, stop, err = startServer(people, append(settings, "BACKTESTER_AUTH=required", "BACKTESTER_REGISTRATION=open")); err != nil {
		return err
	}
	defer stop()
	return measureQueue(url, pid)
}

// startServer starts serve as a process of its own.
func startServer(results string, settings []string) (url string, pid int, stop func(), err error) {
	c := exec.Command("bin/backtester", "serve", "--port", "0", "--env-file", "none", "--store", "demo", "--data-dir", dir("serve-data"), "--results-dir", results)
	c.Env = append(os.Environ(), settings...)
	stderr, err := c.StderrPipe()
	if err != nil {
		return "", 0, nil, err
	}
	if err := c.Start(); err != nil {
		return "", 0, nil, err
	}
	stop = func() { _ = c.Process.Signal(syscall.SIGTERM); _ = c.Wait() }
	lines := bufio.NewScanner(stderr)
	for url == "" && lines.Scan() {
		url, _ = strings.CutPrefix(lines.Text(), "serving ")
		if !strings.HasPrefix(url, "http") {
			url = ""
		}
	}
	go io.Copy(io.Discard, stderr)
	if url == "" {
		stop()
		return "", 0, nil, errors.New("serve did not come up")
	}
	return url, c.Process.Pid, stop, nil
}

// measureQueue queues 100 runs of five people and looks how busy the processors are until the last has ended:
// the server's share of what nobody else took.
func measureQueue(url string, pid int) error {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: time.Minute}
	call := func(method, path, token, body string, into any) error {
		r, err := http.NewRequest(method, url+path, strings.NewReader(body))
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", "application/json")
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		res, err := client.Do(r)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err == nil && res.StatusCode >= 300 {
			err = fmt.Errorf("%s %s: %d %.300s", method, path, res.StatusCode, text)
		}
		return errors.Join(err, json.Unmarshal(text, into))
	}
	var tokens []string
	for i := range 5 {
		var v struct{ Token string }
		path := "/api/auth/register"
		if i == 0 {
			path = "/api/auth/login"
		}
		if err := call("POST", path, "", fmt.Sprintf(`{"username":"person%d","password":"correct horse battery"}`, i), &v); err != nil {
			return err
		}
		tokens = append(tokens, v.Token)
	}
	all, idle := systemSeconds()
	start, own := time.Now(), ownSeconds(pid)
	type queued struct{ token, id string }
	var list []queued
	for i := range 100 {
		var v struct {
			RunID string `json:"run_id"`
		}
		body := fmt.Sprintf(`{"strategy":{"name":"q%d","universe":{"where":"close > 1","top":50,"by":"sma(close * volume, 20)"},"entry":"crosses_above(close, sma(close, %d))","exit":"close < sma(close, 50)","size":{"weight":0.05,"max_positions":20}}}`, i, 20+i%20)
		if err := call("POST", "/api/backtest/run", tokens[i%5], body, &v); err != nil {
			return err
		}
		list = append(list, queued{tokens[i%5], v.RunID})
	}
	for _, q := range list {
		var v struct{ Status string }
		for v.Status != "succeeded" {
			if err := call("GET", "/api/backtest/results/"+q.id+"?wait=30", q.token, "", &v); err != nil {
				return err
			}
			if v.Status == "failed" {
				return fmt.Errorf("run %s failed", q.id)
			}
		}
	}
	took := time.Since(start).Seconds()
	own = ownSeconds(pid) - own
	allNow, idleNow := systemSeconds()
	others := max(0, allNow-all-(idleNow-idle)-own)
	share := own / max(own, took*float64(runtime.NumCPU())-others)
	shown("100 queued runs of 5 people: processors busy", fmt.Sprintf("%.0f %%", 100*share), fmt.Sprintf(">= 90 %% (%.1f s; others took %.1f processor seconds)", took, others))
	return shownReads(client, url, list[0].id, list[0].token, "by token")
}

// ownSeconds is the processor time of a process so far.
func ownSeconds(pid int) float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	f := strings.Fields(rest)
	user, _ := strconv.ParseFloat(f[11], 64)
	system, _ := strconv.ParseFloat(f[12], 64)
	return (user + system) / 100
}

// systemSeconds are the processor time of everything so far, and how much of it was idle.
func systemSeconds() (all, idle float64) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	line, _, _ := strings.Cut(string(b), "\n")
	for i, word := range strings.Fields(line)[1:9] {
		v, _ := strconv.ParseFloat(word, 64)
		all += v / 100
		if i == 3 || i == 4 { // idle, and waiting for disks
			idle += v / 100
		}
	}
	return all, idle
}

// shown prints one figure beside its goal.
func shown(name, value, goal string) { fmt.Printf("  %-52s %14s   goal %s\n", name, value, goal) }

func measureServer(url string, pid int) error {
	time.Sleep(5 * time.Second)
	shown("idle memory (resident), just started", fmt.Sprintf("%.1f MiB", residentMiB(pid)), "< 60 MiB")
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: time.Minute}
	health, err := latencies(client, 2000, func() (*http.Request, error) { return http.NewRequest("GET", url+"/api/health", nil) })
	if err != nil {
		return err
	}
	shown("GET health, p99", ms(health, 0.99), "< 5 ms")
	page, err := latencies(client, 300, func() (*http.Request, error) {
		return http.NewRequest("GET", url+"/api/backtest/history?limit=50", nil)
	})
	if err != nil {
		return err
	}
	shown("GET history of 100,000 runs, p99", ms(page, 0.99), "< 50 ms")
	const body = `{"strategy":"golden-cross","symbols":["ACME"],"from":"2022-01-03"}`
	spent := ownSeconds(pid)
	runs, err := latencies(client, 60, func() (*http.Request, error) {
		r, err := http.NewRequest("POST", url+"/api/backtest/run", strings.NewReader(body))
		if err == nil {
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Prefer", "wait=30")
		}
		return r, err
	})
	if err != nil {
		return err
	}
	shown("POST run -> finished, p50", ms(runs, 0.5), fmt.Sprintf("< 50 ms (%.0f ms of processor time each)", (ownSeconds(pid)-spent)/60*1000))
	var last struct {
		Items []struct {
			RunID string `json:"run_id"`
		}
	}
	res, err := client.Get(url + "/api/backtest/history?status=succeeded&limit=1")
	if err != nil {
		return err
	}
	if err := errors.Join(json.NewDecoder(res.Body).Decode(&last), res.Body.Close()); err != nil || len(last.Items) == 0 {
		return fmt.Errorf("no run has succeeded: %w", err)
	}
	if err := shownReads(client, url, last.Items[0].RunID, "", "no accounts"); err != nil {
		return err
	}
	client.CloseIdleConnections()
	time.Sleep(40 * time.Second)
	shown("idle memory (resident), at rest after all of this", fmt.Sprintf("%.1f MiB", residentMiB(pid)), "< 60 MiB")
	return nil
}

// latencies asks one after the other and returns the times in order.
func latencies(client *http.Client, n int, request func() (*http.Request, error)) ([]time.Duration, error) {
	var list []time.Duration
	for range n {
		r, err := request()
		if err != nil {
			return nil, err
		}
		start := time.Now()
		res, err := client.Do(r)
		if err != nil {
			return nil, err
		}
		_, _ = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		list = append(list, time.Since(start))
		if res.StatusCode >= 300 {
			return nil, fmt.Errorf("%s %s: status %d", r.Method, r.URL, res.StatusCode)
		}
	}
	slices.Sort(list)
	return list, nil
}

func ms(sorted []time.Duration, quantile float64) string {
	return fmt.Sprintf("%.2f ms", float64(sorted[int(float64(len(sorted)-1)*quantile)].Microseconds())/1000)
}

// cachedReads is how often a second clients are answered that ask for the same thing again and again; those
// who have the answer ask whether it is still right.
func cachedReads(client *http.Client, url, path, token string, have bool) (float64, error) {
	request := func(tag string) (*http.Response, error) {
		r, err := http.NewRequest("GET", url+path, nil)
		if err != nil {
			return nil, err
		}
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		if tag != "" {
			r.Header.Set("If-None-Match", tag)
		}
		res, err := client.Do(r)
		if err != nil {
			return nil, err
		}
		_, err = io.Copy(io.Discard, res.Body)
		return res, errors.Join(err, res.Body.Close())
	}
	res, err := request("")
	if err != nil {
		return 0, err
	}
	tag, want := "", http.StatusOK
	if have {
		tag, want = res.Header.Get("ETag"), http.StatusNotModified
	}
	var n atomic.Int64
	var fault atomic.Pointer[error]
	var wg sync.WaitGroup
	start := time.Now()
	for range 32 {
		wg.Go(func() {
			for time.Since(start) < 3*time.Second && fault.Load() == nil {
				res, err := request(tag)
				if err == nil && res.StatusCode != want {
					err = fmt.Errorf("GET %s: status %d, want %d", path, res.StatusCode, want)
				}
				if err != nil {
					fault.Store(&err)
					return
				}
				n.Add(1)
			}
		})
	}
	wg.Wait()
	if err := fault.Load(); err != nil {
		return 0, *err
	}
	return float64(n.Load()) / time.Since(start).Seconds(), nil
}

// shownReads measures cached reads of a finished run.
func shownReads(client *http.Client, url, run, token, who string) error {
	for _, x := range []struct {
		name, path string
		have       bool
	}{{"cached reads, " + who + ": result (If-None-Match -> 304)", "/api/backtest/results/" + run + "/result", true}, {"cached reads, " + who + ": the run (200)", "/api/backtest/results/" + run, false}} {
		rate, err := cachedReads(client, url, x.path, token, x.have)
		if err != nil {
			return err
		}
		shown(x.name, fmt.Sprintf("%.0f /s", rate), ">= 10,000 /s")
	}
	return nil
}

func residentMiB(pid int) float64 { return float64(memoryOf(pid, "VmRSS:")) / 1024 }

// memoryOf reads a line of a process's status, KiB; 0 when it has ended.
func memoryOf(pid int, line string) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, ok := strings.Cut(string(b), line)
	if !ok {
		return 0
	}
	kib, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	return kib
}

// fill writes a history of n runs.
func fill(path string, n int) error {
	ctx := context.Background()
	db, err := history.Open(ctx, history.Options{Path: path, Now: time.Now})
	if err != nil {
		return err
	}
	for at := 0; at < n && err == nil; at += 5000 {
		err = db.Write(ctx, func(tx *history.Tx) error {
			for i := range min(5000, n-at) {
				r := &history.Run{Owner: "local", Kind: history.KindRun, State: history.Failed, Spec: []byte("{}"), SpecSum: strconv.Itoa(at + i), Strategy: "strategy " + strconv.Itoa(i%50),
					Symbols: []string{"S" + strconv.Itoa(i%500)}, Tags: []string{"t" + strconv.Itoa(i%20)}, Artifacts: []history.Artifact{}}
				if err := tx.Insert(r); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return errors.Join(err, db.Close())
}
