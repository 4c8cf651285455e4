//go:build unix

package cmd_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Three hundred clients that come while no process is there wait in the queue of the kept listener, though that was
// made with a short one, and are all answered by the next process.
func TestClientsWaitWhileNobodyServes(t *testing.T) {
	const clients = 300
	data, results := demoData(t), t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	kept, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	l.Close()
	if err := syscall.Listen(int(kept.Fd()), 1); err != nil {
		t.Fatal(err)
	}
	path, next := notes(t)
	p := start(t, data, results, path, kept)
	next("READY=1")
	if code := p.end(t, syscall.SIGTERM); code != 0 {
		t.Fatalf("serve ends with %d\n%s", code, p.err.String())
	}
	var waiting []net.Conn
	var mu sync.Mutex
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			c, err := net.DialTimeout("tcp", address, 10*time.Second)
			if err != nil {
				t.Errorf("while nobody serves: %v", err)
				return
			}
			mu.Lock()
			waiting = append(waiting, c)
			mu.Unlock()
			const body = `{"text":"entry: close > 5"}`
			_, _ = fmt.Fprintf(c, "POST /api/strategies/check HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		})
	}
	all.Wait()
	p = start(t, data, results, path, kept)
	next("READY=1")
	for _, c := range waiting {
		_ = c.SetReadDeadline(time.Now().Add(time.Minute))
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || res.StatusCode != 200 {
			t.Errorf("who waited got %v %v", res, err)
		}
		c.Close()
	}
	if code := p.end(t, syscall.SIGTERM); code != 0 {
		t.Errorf("serve ends with %d\n%s", code, p.err.String())
	}
}
