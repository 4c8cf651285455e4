package deploytest

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestMain also is the visitors: started again inside the machine, whose network only its own processes
// reach, it asks and counts.
func TestMain(m *testing.M) {
	if text := os.Getenv("DEPLOY_LOAD"); text != "" {
		var l load
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			panic(err)
		}
		json.NewEncoder(os.Stdout).Encode(l.run())
		os.Exit(0)
	}
	dir, err := os.MkdirTemp("", "deploy-")
	if err != nil {
		panic(err)
	}
	shared = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// shared is a folder for what several tests need.
var shared string

// load is many visitors, each with an address of its own.
type load struct {
	Visitors int
	Pause    time.Duration // between two requests of one
	Stop     string        // file that ends it
	Token    string
	Acks     string // file that gets a line for each run that was acknowledged; "" starts none
	Count    string // file that tells how many requests were answered so far; "" is none
}

// counted is what visitors saw.
type counted struct {
	Answers map[string]int // by kind of request and status
	Failed  []string       // the first few
	Fails   int
	Worst   float64 // seconds
}

func (l load) run() counted {
	c := counted{Answers: map[string]int{}}
	var mu sync.Mutex
	note := func(what string, status int, took time.Duration, err error) {
		mu.Lock()
		defer mu.Unlock()
		c.Worst = max(c.Worst, took.Seconds())
		if err == nil && status < 400 {
			c.Answers[fmt.Sprint(what, " ", status)]++
			return
		}
		c.Fails++
		if len(c.Failed) < 10 {
			c.Failed = append(c.Failed, fmt.Sprint(what, " ", status, " ", err))
		}
	}
	total := 0
	if l.Count != "" {
		told := note
		note = func(what string, status int, took time.Duration, err error) {
			told(what, status, took, err)
			mu.Lock()
			defer mu.Unlock()
			if total++; total%100 == 0 {
				_ = os.WriteFile(l.Count+".new", fmt.Append(nil, total), 0o644) // who reads it waits for the next
				_ = os.Rename(l.Count+".new", l.Count)
			}
		}
	}
	var all sync.WaitGroup
	for i := range l.Visitors {
		all.Go(func() { l.visitor(i, note) })
	}
	all.Wait()
	return c
}

// visitor asks until the file is there: reads and writes in turn, over connections that stay.
func (l load) visitor(i int, note func(string, int, time.Duration, error)) {
	dialer := &net.Dialer{Timeout: 30 * time.Second, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, byte(1+i/250), byte(1+i%250))}}
	c := &http.Client{Timeout: 2 * time.Minute, Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, "127.0.0.1:443")
		},
		TLSClientConfig: &tls.Config{}, ForceAttemptHTTP2: i%2 == 0,
	}}
	kinds := []struct{ what, method, path, body string }{
		{"read", "GET", "/api/data/tickers?limit=5", ""},
		{"version", "GET", "/api/version", ""},
		{"write", "POST", "/api/strategies/check", `{"text":"name: a\nentry: close > sma(close, 20)\nexit: close < sma(close, 20)\n"}`},
	}
	if l.Acks != "" {
		kinds = kinds[:0]
		kinds = append(kinds, struct{ what, method, path, body string }{"run", "POST", "/api/backtest/run", `{"strategy":"golden-cross","symbols":["ACME"],"from":"2020-01-01","tags":["load"]}`})
	}
	for n := i; ; n++ {
		if _, err := os.Stat(l.Stop); err == nil {
			return
		}
		k := kinds[n%len(kinds)]
		r, _ := http.NewRequest(k.method, "https://api.yourdomain.com"+k.path, strings.NewReader(k.body))
		r.Header.Set("Authorization", "Bearer "+l.Token)
		if k.method == "POST" {
			r.Header.Set("Content-Type", "application/json")
		}
		began := time.Now()
		answer, err := c.Do(r)
		status := 0
		if err == nil {
			var b []byte
			b, err = io.ReadAll(answer.Body)
			answer.Body.Close()
			status = answer.StatusCode
			if err == nil && status >= 400 {
				err = fmt.Errorf("%.200s", b)
			}
			if err == nil && l.Acks != "" {
				l.acknowledge(b)
			}
		}
		note(k.what, status, time.Since(began), err)
		time.Sleep(l.Pause)
	}
}

var acks sync.Mutex

// acknowledge writes down a run that the server has promised.
func (l load) acknowledge(answer []byte) {
	var a struct {
		RunID string `json:"run_id"`
	}
	if json.Unmarshal(answer, &a) != nil || a.RunID == "" {
		return
	}
	acks.Lock()
	defer acks.Unlock()
	f, err := os.OpenFile(l.Acks, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err == nil {
		fmt.Fprintln(f, a.RunID)
		f.Close()
	}
}

// under runs f while visitors ask, and returns what they saw.
func (m *machine) under(t *testing.T, l load, f func()) counted {
	t.Helper()
	l.Stop = "/run/stop-load"
	m.do(t, "rm -f "+l.Stop)
	text, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	cmd := m.command("env", "DEPLOY_LOAD="+string(text), "/srv/visitors")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer m.try("touch " + l.Stop)
	time.Sleep(time.Second)
	f()
	time.Sleep(time.Second)
	m.do(t, "touch "+l.Stop)
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	var c counted
	if err := json.Unmarshal(out.Bytes(), &c); err != nil {
		t.Fatalf("visitors: %v\n%s", err, out.String())
	}
	return c
}
