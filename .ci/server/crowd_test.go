package servertest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const crowd = 1000

// A thousand clients at once read, ask for runs and follow them: no answer is a fault of the server, its memory
// stays bounded, and when they have gone nothing of them is left.
func TestThousandClients(t *testing.T) {
	patience := time.Duration(max(1, crowding(t)) * float64(250*time.Millisecond))
	s := newServing(t, t.TempDir())
	c := newClient()
	var first run
	if status, text, err := call(c, "POST", s.url+"/api/backtest/run", strategy(0), &first); err != nil || status != 202 {
		t.Fatalf("%d %v %s", status, err, text)
	}
	s.ended(c, first.RunID)
	files, routines := s.files(), s.goroutines()
	paths := []string{"/api/health", "/api/backtest/history", "/api/backtest/results/" + first.RunID, "/api/backtest/results/" + first.RunID + "/equity", "/api/data/tickers?limit=10", "/api/openapi.json", "/"}
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	var mu sync.Mutex
	var reads []time.Duration
	var asked, broken, streams atomic.Int64
	most := 0.0
	var all sync.WaitGroup
	for i := range crowd {
		all.Go(func() {
			c := newClient()
			defer c.CloseIdleConnections()
			for n := i; ctx.Err() == nil; n++ {
				switch {
				case i%50 == 0: // runs: a few, or the queue would still be worked at an hour later
					status, text, err := call(c, "POST", s.url+"/api/backtest/run", strategy(n), nil)
					if asked.Add(1); err != nil || status >= 500 || status >= 400 && status != 429 {
						broken.Add(1)
						t.Errorf("POST: %d %v %.200s", status, err, text)
					}
					time.Sleep(3 * time.Second)
				case i%25 == 1: // streams
					r, _ := http.NewRequestWithContext(ctx, "GET", s.url+"/api/backtest/runs/"+first.RunID+"/events", nil)
					res, err := c.Do(r)
					if err != nil {
						if ctx.Err() == nil {
							broken.Add(1)
							t.Errorf("events: %v", err)
						}
						return
					}
					if res.StatusCode >= 500 {
						broken.Add(1)
						t.Errorf("events: %d", res.StatusCode)
					}
					_, _ = io.Copy(io.Discard, res.Body)
					res.Body.Close()
					streams.Add(1)
					time.Sleep(time.Second)
				default:
					start := time.Now()
					status, text, err := call(c, "GET", s.url+paths[n%len(paths)], "", nil)
					took := time.Since(start)
					asked.Add(1)
					if err != nil || status >= 400 {
						broken.Add(1)
						t.Errorf("%s: %d %v %.200s", paths[n%len(paths)], status, err, text)
						return
					}
					mu.Lock()
					reads = append(reads, took)
					mu.Unlock()
					time.Sleep(500 * time.Millisecond)
				}
			}
		})
	}
	for ctx.Err() == nil {
		most = max(most, s.resident())
		time.Sleep(200 * time.Millisecond)
	}
	all.Wait()
	slices.Sort(reads)
	p99 := reads[len(reads)*99/100]
	t.Logf("%d clients, %d requests, %d streams, %d broken; reads p50 %s, p99 %s; at most %.0f MiB", crowd, asked.Load(), streams.Load(), broken.Load(), reads[len(reads)/2], p99, most)
	if p99 > patience {
		t.Errorf("p99 of reads is %s, want at most %s", p99, patience)
	}
	if most > 512 {
		t.Errorf("%.0f MiB of memory", most)
	}
	deadline := time.Now().Add(2 * time.Minute) // the queue is worked at meanwhile
	for s.files() > files+files/20+5 || s.goroutines() > routines+routines/20+5 {
		if time.Now().After(deadline) {
			t.Fatalf("%d files and %d goroutines before, %d and %d after", files, routines, s.files(), s.goroutines())
		}
		time.Sleep(500 * time.Millisecond)
	}
}

// crowding is how many processes of others there are for each processor: they take as much of the time.
func crowding(t *testing.T) float64 {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		t.Fatal(err)
	}
	load, err := strconv.ParseFloat(strings.Fields(string(b))[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	return load / float64(runtime.NumCPU())
}

// A thousand clients that send their headers, and a thousand that send their body, as slowly as they can are
// dropped in time, and others are answered meanwhile.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	s := newServing(t, t.TempDir())
	address := strings.TrimPrefix(s.url, "http://")
	const host = "Host: localhost\r\n"
	type slow struct {
		begin, drip string
		within      time.Duration
	}
	var dropped [2]atomic.Int64
	var longest [2]atomic.Int64
	var all sync.WaitGroup
	for i := range 2 * crowd {
		kind := i % 2
		x := []slow{{"GET /api/health HTTP/1.1\r\n" + host, "X: a\r\n", 15 * time.Second},
			{"POST /api/strategies/check HTTP/1.1\r\n" + host + "Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{", " ", 50 * time.Second}}[kind]
		all.Go(func() {
			c, err := net.Dial("tcp", address)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			start := time.Now()
			fmt.Fprint(c, x.begin)
			gone := make(chan struct{})
			go func() {
				defer close(gone)
				_ = c.SetReadDeadline(start.Add(90 * time.Second))
				_, _ = io.Copy(io.Discard, bufio.NewReader(c))
			}()
			tick := time.NewTicker(time.Second)
			defer tick.Stop()
			for open := true; open; {
				select {
				case <-tick.C:
					_, _ = fmt.Fprint(c, x.drip)
				case <-gone:
					open = false
				}
			}
			took := time.Since(start)
			for old := longest[kind].Load(); int64(took) > old && !longest[kind].CompareAndSwap(old, int64(took)); old = longest[kind].Load() {
			}
			if took < x.within {
				dropped[kind].Add(1)
			}
		})
	}
	var healthy []time.Duration
	c := newClient()
	for range 100 {
		start := time.Now()
		if status, _, err := call(c, "GET", s.url+"/api/health", "", nil); err != nil || status != 200 {
			t.Errorf("health meanwhile: %d %v", status, err)
		}
		healthy = append(healthy, time.Since(start))
		time.Sleep(100 * time.Millisecond)
	}
	busy := max(1, crowding(t)) // two thousand clients and the tests beside this one share the processors
	all.Wait()
	for kind, name := range []string{"headers", "bodies"} {
		t.Logf("slow %s: %d of %d dropped in time, the last after %s", name, dropped[kind].Load(), crowd, time.Duration(longest[kind].Load()).Round(100*time.Millisecond))
		if dropped[kind].Load() != crowd {
			t.Errorf("slow %s: %d of %d were dropped in time", name, dropped[kind].Load(), crowd)
		}
	}
	slices.Sort(healthy)
	t.Logf("health meanwhile: p50 %s, at most %s, with %.1f processes for each processor", healthy[50], healthy[99], busy)
	if most := time.Duration(busy * float64(5300*time.Microsecond)); healthy[50] > most {
		t.Errorf("health meanwhile took %s, want at most %s", healthy[50], most)
	}
}
