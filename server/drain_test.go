package server_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A restart under load loses no request. The listener is kept open as the service manager keeps it:
// this test holds a copy while one server goes and the next one comes.
func TestRestartLosesNothing(t *testing.T) {
	w := newWorld(t, worldOptions{})
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
	ctx, stop := context.WithCancel(context.Background())
	var asked, failed atomic.Int64
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}, Timeout: time.Minute}
			for ctx.Err() == nil {
				r, _ := http.NewRequest("POST", url+"/api/strategies/check", strings.NewReader(`{"text":"entry: close > 5"}`))
				r.Header.Set("Content-Type", "application/json")
				r.GetBody = nil // the client must not repeat it by itself
				res, err := c.Do(r)
				asked.Add(1)
				if err != nil || res.StatusCode != 200 {
					failed.Add(1)
					t.Errorf("%v %v", res, err)
				}
				if err == nil {
					res.Body.Close()
				}
			}
		})
	}
	for range 4 {
		serving, end := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- w.server.Serve(serving, l, w.server.HTTP(), nil) }()
		time.Sleep(300 * time.Millisecond)
		end()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if l, err = net.FileListener(kept); err != nil {
			t.Fatal(err)
		}
		w = successor(w)
	}
	go func() { _ = w.server.Serve(context.Background(), l, w.server.HTTP(), nil) }()
	stop()
	clients.Wait()
	l.Close()
	if n := asked.Load(); n < 100 || failed.Load() > 0 {
		t.Errorf("%d of %d requests failed over 4 restarts", failed.Load(), n)
	}
}

// successor is the next server over the same queue and history.
func successor(w *world) *world {
	next := *w
	next.server = newServer(w)
	next.handler = next.server
	return &next
}

// While it goes down the server says so, ends what waits, and takes no more connections.
func TestDraining(t *testing.T) {
	w := newWorld(t, worldOptions{workers: -1})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.server.Serve(ctx, l, w.server.HTTP(), nil) }()
	url := "http://" + l.Addr().String()
	id := w.want(202, "POST", "/api/backtest/run", body(trend))["run_id"].(string)
	waited := make(chan int, 1)
	go func() {
		res, err := http.Get(url + "/api/backtest/results/" + id + "?wait=30")
		if err != nil {
			t.Error(err)
			waited <- 0
			return
		}
		res.Body.Close()
		waited <- res.StatusCode
	}()
	streamed := make(chan []event, 1)
	go func() { streamed <- follow(t, url+"/api/backtest/runs/"+id+"/events", "", nil) }()
	time.Sleep(200 * time.Millisecond)
	begun := time.Now()
	end()
	if list := <-streamed; len(list) == 0 || list[len(list)-1].kind != "restart" {
		t.Errorf("the stream ends with %+v", list)
	}
	if status := <-waited; status != 200 {
		t.Errorf("who waited for a run got %d", status)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took > 15*time.Second {
		t.Errorf("going down took %s though nothing was asked", took)
	}
	if v := w.want(503, "GET", "/api/health", ""); v["status"] != "draining" {
		t.Errorf("%v", v)
	}
	if rec := w.ask("GET", "/api/health/ready", ""); rec.Code != 503 || rec.Header().Get("Connection") != "close" {
		t.Errorf("ready: %d %v", rec.Code, rec.Header())
	}
	if _, err := net.DialTimeout("tcp", l.Addr().String(), time.Second); err == nil {
		t.Error("it takes connections after the end")
	}
}
