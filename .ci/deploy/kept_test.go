package deploytest

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// A server that goes down closes the connections that carry nothing, perhaps just when nginx sends the next request
// on one. What reads is asked again on another connection; what changes something never goes over one that was kept.
func TestSiteLosesNothingOnClosedConnections(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var dropped, writes atomic.Int64
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { // one answer, which says that the connection stays, and none to the request after it
				defer c.Close()
				in := bufio.NewReader(c)
				for n := 0; ; n++ {
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, r.Body)
					if r.Method == "POST" {
						writes.Add(1)
					}
					if n > 0 {
						dropped.Add(1)
						return
					}
					_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
				}
			}()
		}
	}()
	s := startSite(t, l.Addr().String())
	const each = 20
	for range each {
		for _, method := range []string{"GET", "POST"} {
			var body io.Reader
			if method == "POST" {
				body = strings.NewReader("{}")
			}
			if answer, text := s.ask(method, api+"/api/strategies/check", body); answer.StatusCode != 200 {
				t.Errorf("%s: %d %s", method, answer.StatusCode, text)
			}
		}
	}
	if dropped.Load() == 0 || writes.Load() != each {
		t.Errorf("%d requests were dropped on kept connections, want some; %d writes arrived, want %d", dropped.Load(), writes.Load(), each)
	}
}
