package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"backtester/backtest/job"
	"backtester/server"
)

// raw sends bytes as they are and reads the status line.
func raw(t *testing.T, address, text string) (status int) {
	t.Helper()
	c, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(c, text); err != nil {
		return 0
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		return 0
	}
	_, _ = fmt.Sscanf(line, "HTTP/1.1 %d", &status)
	return status
}

// Requests that are no HTTP, or that two readers would take for different ones, are refused or closed.
func TestMalformedHTTP(t *testing.T) {
	w := newWorld(t, worldOptions{})
	s := w.listen()
	address := s.Listener.Addr().String()
	const host = "Host: localhost\r\n"
	post := "POST /api/strategies/check HTTP/1.1\r\n" + host + "Content-Type: application/json\r\n"
	tried := 0
	for name, x := range map[string]struct {
		text string
		want []int
	}{
		"two lengths":                {post + "Content-Length: 4\r\nContent-Length: 5\r\n\r\n{}  ", []int{400}},
		"a negative length":          {post + "Content-Length: -1\r\n\r\n{}", []int{400}},
		"a length in words":          {post + "Content-Length: two\r\n\r\n{}", []int{400}},
		"a length with a plus":       {post + "Content-Length: +2\r\n\r\n{}", []int{400}},
		"two hosts":                  {"GET /api/health HTTP/1.1\r\n" + host + "Host: evil.example\r\n\r\n", []int{400}},
		"no host":                    {"GET /api/health HTTP/1.1\r\n\r\n", []int{400, 421}},
		"a header with NUL":          {"GET /api/health HTTP/1.1\r\n" + host + "X: a\x00b\r\n\r\n", []int{400}},
		"a header name with a blank": {"GET /api/health HTTP/1.1\r\n" + host + "X Y: a\r\n\r\n", []int{400}},
		"an unknown coding":          {post + "Transfer-Encoding: rot13\r\n\r\n{}", []int{501, 400}},
		"a bad chunk":                {post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", []int{400}},
		"a chunk of minus one":       {post + "Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n", []int{400}},
		"20 kB of headers":           {"GET /api/health HTTP/1.1\r\n" + host + "X: " + strings.Repeat("a", 30<<10) + "\r\n\r\n", []int{431}},
		"10,000 headers":             {"GET /api/health HTTP/1.1\r\n" + host + strings.Repeat("A: b\r\n", 10_000) + "\r\n", []int{431, 0}},
		"an absolute address":        {"GET http://evil.example/api/health HTTP/1.1\r\n" + host + "\r\n", []int{421, 400}},
		"another version":            {"GET /api/health HTTP/3.7\r\n" + host + "\r\n", []int{400, 505}},
		"no version":                 {"GET /api/health\r\n\r\n", []int{400, 0}},
		"a made-up method":           {"BREW /api/health HTTP/1.1\r\n" + host + "\r\n", []int{405}},
		"a method of bytes":          {"\x80\x81 /api/health HTTP/1.1\r\n" + host + "\r\n", []int{400}},
		"CONNECT":                    {"CONNECT evil.example:443 HTTP/1.1\r\n" + host + "\r\n", []int{400, 404, 405, 421}},
		"a star":                     {"OPTIONS * HTTP/1.1\r\n" + host + "\r\n", []int{200, 400, 404, 405}},
		"TLS on plain":               {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", []int{400, 0}},
		"an address with a blank":    {"GET /api/ health HTTP/1.1\r\n" + host + "\r\n", []int{400}},
		"a bad escape":               {"GET /api/%zz HTTP/1.1\r\n" + host + "\r\n", []int{400}},
		"upgrade to h2c":             {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []int{400, 421, 505, 0}},
		"a length and chunks":        {post + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG", []int{400}},
		"a header on two lines":      {"GET /api/health HTTP/1.1\r\n" + host + "X: a\r\n b\r\n\r\n", []int{200, 400}}, // net/http joins them
		"codings twice":              {post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", []int{400, 501}},
		"a coding with a tab":        {post + "Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n", []int{400, 501}},
		"lengths in one line":        {post + "Content-Length: 2, 3\r\n\r\n{}", []int{400}},
		"a length in hex":            {post + "Content-Length: 0x2\r\n\r\n{}", []int{400}},
		"a chunk without end":        {post + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}\r\n0\r\n\r\n", []int{400}},
		"1 GiB announced":            {post + "Content-Length: 1073741824\r\n\r\n", []int{413}},
		"a gzip bomb":                {post + "Content-Encoding: gzip\r\nContent-Length: 10\r\n\r\n\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", []int{415}},
	} {
		tried++
		got := raw(t, address, x.text)
		ok := false
		for _, want := range x.want {
			ok = ok || got == want
		}
		if !ok {
			t.Errorf("%s: status %d, want one of %v", name, got, x.want)
		}
	}
	if tried < 30 {
		t.Errorf("only %d requests", tried)
	}
	if got := raw(t, address, "GET /api/health HTTP/1.1\r\n"+host+"\r\n"); got != 200 {
		t.Errorf("afterwards health answers %d", got)
	}
}

// endless is a body without end.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

func TestEndlessBody(t *testing.T) {
	w := newWorld(t, worldOptions{})
	s := w.listen()
	r, err := http.NewRequest("POST", s.URL+"/api/backtest/run", endless{})
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := (&http.Client{Timeout: time.Minute}).Do(r)
	if err != nil {
		return // the server has cut it off
	}
	defer res.Body.Close()
	if res.StatusCode != 413 {
		t.Errorf("status %d, want 413", res.StatusCode)
	}
}

// Many clients that never finish their headers neither keep others out nor stay.
func TestSlowloris(t *testing.T) {
	const many = 300
	w := newWorld(t, worldOptions{})
	s := w.listen(func(s *http.Server) { s.ReadHeaderTimeout = time.Second }) // the server's is five
	var open []net.Conn
	for range many {
		c, err := net.Dial("tcp", s.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = io.WriteString(c, "GET /api/health HTTP/1.1\r\nHost: localhost\r\nX-")
		open = append(open, c)
	}
	res, err := http.Get(s.URL + "/api/health")
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("health beside %d slow clients: %v %v", many, res, err)
	}
	res.Body.Close()
	for i, c := range open {
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
		if _, err := io.Copy(io.Discard, c); err != nil {
			t.Fatalf("slow client %d is not closed: %v", i, err)
		}
	}
	h := w.server.HTTP()
	if h.ReadHeaderTimeout != 5*time.Second || h.ReadTimeout != 30*time.Second || h.MaxHeaderBytes != 16<<10 || h.IdleTimeout == 0 || h.WriteTimeout == 0 {
		t.Errorf("limits of the server: %+v", h)
	}
}

// Many clients at once are answered, all of them.
func TestManyClients(t *testing.T) {
	w := newWorld(t, worldOptions{workers: 2})
	s := w.listen()
	id := w.finished(body(trend))
	var wg sync.WaitGroup
	var bad, asked atomic.Int64
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 200}, Timeout: time.Minute}
	for i := range 200 {
		wg.Go(func() {
			for _, path := range []string{"/api/health", "/api/backtest/history?limit=5", "/api/backtest/results/" + id + "/equity", "/api/data/tickers"} {
				res, err := client.Get(s.URL + path)
				asked.Add(1)
				if err != nil || res.StatusCode >= 400 {
					bad.Add(1)
					t.Errorf("client %d: %s: %v %v", i, path, res, err)
				}
				if err == nil {
					_, _ = io.Copy(io.Discard, res.Body)
					res.Body.Close()
				}
			}
		})
	}
	wg.Wait()
	if asked.Load() != 800 || bad.Load() != 0 {
		t.Errorf("%d of %d answers are wrong", bad.Load(), asked.Load())
	}
}

// A panic of a handler is an answer, and the server lives on.
func TestPanicsAreAnswered(t *testing.T) {
	w := newWorld(t, worldOptions{server: func(o *server.Options) {
		data := o.Data
		calls := 0
		o.Data = func() (*job.Data, error) {
			if calls++; calls%2 == 1 {
				panic("made by the test, with the secret of nobody")
			}
			return data()
		}
	}})
	rec := w.ask("GET", "/api/data/tickers", "")
	if rec.Code != 500 || code(rec) != "internal" || strings.Contains(rec.Body.String(), "made by the test") || !strings.Contains(rec.Body.String(), "request_id") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if !strings.Contains(w.log.String(), "made by the test") || !strings.Contains(w.log.String(), rec.Header().Get("X-Request-ID")) {
		t.Errorf("the log says nothing of it: %s", w.log)
	}
	w.want(200, "GET", "/api/data/tickers", "")
}
