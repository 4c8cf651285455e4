package deploytest

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
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
)

func dialTo(d *net.Dialer, address string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		return d.DialContext(ctx, network, address)
	}
}

// site is the shipped nginx.conf in a running nginx: only ports, paths and certificates are others.
type site struct {
	t            *testing.T
	dir          string
	plain, tls   string // addresses
	pool         *x509.CertPool
	seen         chan *http.Request // what arrived at the server behind
	client       *http.Client
	conf, access string
}

// startSite starts Debian's nginx with the shipped file in front of upstream.
func startSite(t *testing.T, upstream string) *site {
	t.Helper()
	bin := program(t, "nginx")
	dir := t.TempDir()
	s := &site{t: t, dir: dir, plain: "127.0.0.1:" + freePort(t), tls: "127.0.0.1:" + freePort(t)}
	s.pool = certificate(t, filepath.Join(dir, "live/yourdomain.com"))
	_, plain, _ := net.SplitHostPort(s.plain)
	_, secure, _ := net.SplitHostPort(s.tls)
	shipped := read(t, filepath.Join(root, "deployment/nginx.conf"))
	text := strings.NewReplacer(
		"listen 80;", "listen "+s.plain+";", "listen [::]:80;", "",
		"listen 443 ssl", "listen "+s.tls+" ssl", "listen [::]:443 ssl http2;", "",
		"/etc/letsencrypt/live/", dir+"/live/",
		"/var/log/nginx/", dir+"/log/",
		"/var/www/html", dir+"/html",
		"/var/www/backtester/frontend", dir+"/frontend",
		"127.0.0.1:5000", upstream,
	).Replace(shipped)
	if plain == secure {
		t.Fatal("one port for both")
	}
	write(t, filepath.Join(dir, "site.conf"), text, 0o644)
	for name, body := range map[string]string{
		"frontend/index.html":                   "<!doctype html><title>backtester</title>",
		"frontend/config.js":                    "export const apiBase = 'https://api.yourdomain.com'\n",
		"frontend/modules/lines-1a2b3c4d.js":    strings.Repeat("export const wide = 1;\n", 500),
		"frontend/.env":                         "SECRET=1\n",
		"html/.well-known/acme-challenge/token": "proof",
		"log/.keep":                             "",
	} {
		write(t, filepath.Join(dir, name), body, 0o644)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	// What Debian's nginx.conf sets around a site, with folders of this test.
	s.conf = filepath.Join(dir, "nginx.conf")
	owner := ""
	if os.Getuid() == 0 {
		owner = "user root;\n"
	}
	write(t, s.conf, owner+fmt.Sprintf(`pid %[1]s/nginx.pid;
error_log %[1]s/log/backtester_error.log warn;
worker_rlimit_nofile 4096;
events { worker_connections 2048; }
http {
  sendfile on; tcp_nopush on; types_hash_max_size 2048;
  include /etc/nginx/mime.types; default_type application/octet-stream;
  ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; ssl_prefer_server_ciphers on;
  access_log %[1]s/log/access.log; gzip on;
  client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
  include %[1]s/site.conf;
}
`, dir), 0o644)
	if out := output(t, bin, "-t", "-q", "-c", s.conf); out != "" {
		t.Fatalf("nginx -t is not silent about the shipped file:\n%s", out)
	}
	cmd := exec.Command(bin, "-c", s.conf, "-g", "daemon off;")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	})
	s.client = client(s.tls, s.pool)
	eventually(t, "nginx listens", func() bool {
		c, err := net.Dial("tcp", s.tls)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return s
}

// behind is a server that shows what nginx passes on: what a request looks like when it arrives,
// events with pauses between them, and nothing of its own.
func behind(t *testing.T, seen chan<- *http.Request) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/api/backtest/runs/one/events", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 5 {
			fmt.Fprintf(w, "id: %d\nevent: progress\ndata: {\"sent\":%d}\n\n", i, time.Now().UnixMilli())
			w.(http.Flusher).Flush()
			time.Sleep(300 * time.Millisecond)
		}
	})
	mux.HandleFunc("/api/slow", func(http.ResponseWriter, *http.Request) { time.Sleep(2 * time.Second) })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		select {
		case seen <- r:
		default:
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		w.Header().Set("Strict-Transport-Security", "max-age=1")
		if r.URL.Path == "/api/own-404" {
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, `{"title":"of the server itself"}`)
			return
		}
		fmt.Fprintf(w, `{"path":%q,"pad":%q}`, r.URL.Path, strings.Repeat("x", 4000))
	})
	server := &http.Server{Handler: mux}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return l.Addr().String()
}

// ask sends one request with headers as "Name: value" and returns the answer and its body.
func (s *site) ask(method, url string, body io.Reader, headers ...string) (*http.Response, string) {
	s.t.Helper()
	r, err := http.NewRequest(method, url, body)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	answer, err := s.client.Do(r)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, url, err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, url, err)
	}
	return answer, string(b)
}

const (
	web = "https://yourdomain.com"
	api = "https://api.yourdomain.com"
)

func newSite(t *testing.T) *site {
	t.Helper()
	seen := make(chan *http.Request, 1000)
	s := startSite(t, behind(t, seen))
	s.seen = seen
	return s
}

func TestSiteGivesFiles(t *testing.T) {
	s := newSite(t)
	for _, c := range []struct {
		path, kind, cache string
		status            int
	}{
		{"/", "text/html", "no-cache", 200},
		{"/runs/01J8/trades", "text/html", "no-cache", 200}, // the application's own address
		{"/config.js", "application/javascript", "no-cache", 200},
		{"/modules/lines-1a2b3c4d.js", "application/javascript", "public, max-age=31536000, immutable", 200},
		{"/modules/lines-gone.js", "application/problem+json", "", 404},
		{"/.env", "application/problem+json", "", 404},
		{"/.git/config", "application/problem+json", "", 404},
	} {
		answer, body := s.ask("GET", web+c.path, nil)
		if answer.StatusCode != c.status || answer.Header.Get("Content-Type") != c.kind || answer.Header.Get("Cache-Control") != c.cache {
			t.Errorf("GET %s: %d %q %q, want %d %q %q", c.path, answer.StatusCode, answer.Header.Get("Content-Type"), answer.Header.Get("Cache-Control"), c.status, c.kind, c.cache)
		}
		if strings.Contains(body, "SECRET") {
			t.Errorf("GET %s gives a secret", c.path)
		}
		for name, want := range map[string]string{
			"Strict-Transport-Security": "max-age=63072000; includeSubDomains", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := answer.Header.Values(name); len(got) != 1 || got[0] != want {
				t.Errorf("GET %s: %s is %q, want %q once", c.path, name, got, want)
			}
		}
		if csp := answer.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "require-trusted-types-for 'script'") || strings.Contains(csp, "unsafe") {
			t.Errorf("GET %s: Content-Security-Policy is %q", c.path, csp)
		}
		if answer.ProtoMajor != 2 {
			t.Errorf("GET %s came by %s, want HTTP/2", c.path, answer.Proto)
		}
		if v := answer.Header.Get("Server"); v != "nginx" {
			t.Errorf("GET %s tells the version: %q", c.path, v)
		}
	}
	if answer, _ := s.ask("GET", web+"/modules/lines-1a2b3c4d.js", nil, "Accept-Encoding: gzip"); answer.Header.Get("Content-Encoding") != "gzip" {
		t.Error("assets are not compressed")
	}
	if answer, _ := s.ask("HEAD", web+"/", nil); answer.StatusCode != 200 {
		t.Errorf("HEAD /: %d", answer.StatusCode)
	}
	if answer, body := s.ask("POST", web+"/", strings.NewReader("{}")); answer.StatusCode != 405 || !isProblem(answer, body, 405) {
		t.Errorf("POST /: %d %s", answer.StatusCode, body)
	}
}

// isProblem says whether an answer is a problem document of this status.
func isProblem(r *http.Response, body string, status int) bool {
	var p struct {
		Type, Title, Code, RequestID string
		Status                       int
	}
	return r.StatusCode == status && r.Header.Get("Content-Type") == "application/problem+json" && json.Unmarshal([]byte(body), &p) == nil &&
		p.Status == status && p.Title != "" && p.Type == "urn:backtester:problem:"+p.Code && strings.Contains(body, r.Header.Get("X-Request-ID"))
}

func TestSitePassesTheAPIOn(t *testing.T) {
	s := newSite(t)
	answer, body := s.ask("GET", api+"/api/data/tickers?q=A%2FB&cursor=secret", nil,
		"Origin: "+web, "X-Forwarded-For: 6.6.6.6", "True-Client-IP: 6.6.6.6", "X-Real-IP: 6.6.6.6", "Forwarded: for=6.6.6.6", "X-Request-ID: forged", "X-Forwarded-Proto: http", "Accept-Encoding: gzip")
	if answer.StatusCode != 200 || answer.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("GET: %d %v %s", answer.StatusCode, answer.Header, body)
	}
	r := <-s.seen
	for name, want := range map[string]string{"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "api.yourdomain.com", "True-Client-Ip": "", "X-Real-Ip": "", "Forwarded": ""} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("the server sees %s = %q, want %q", name, got, want)
		}
	}
	if id := r.Header.Get("X-Request-ID"); len(id) != 32 {
		t.Errorf("the server sees the request id %q", id)
	}
	if r.URL.RawQuery != "q=A%2FB&cursor=secret" || r.Host != "api.yourdomain.com" {
		t.Errorf("the server sees %s%s", r.Host, r.URL)
	}
	if got := answer.Header.Values("Strict-Transport-Security"); len(got) != 1 || got[0] != "max-age=63072000; includeSubDomains" {
		t.Errorf("Strict-Transport-Security is %q", got)
	}
	if got := answer.Header.Values("Access-Control-Allow-Origin"); len(got) != 1 || got[0] != web {
		t.Errorf("Access-Control-Allow-Origin is %q: the server's answer must arrive as it was", got)
	}
	if answer, body := s.ask("GET", api+"/api/own-404", nil); answer.StatusCode != 404 || !strings.Contains(body, "of the server itself") {
		t.Errorf("a refusal of the server became %d %s", answer.StatusCode, body)
	}
	if answer, body := s.ask("GET", api+"/elsewhere", nil); !isProblem(answer, body, 404) {
		t.Errorf("outside /api: %d %s", answer.StatusCode, body)
	}
	if _, err := s.client.Get("https://other.example/"); err == nil {
		t.Error("another name got a certificate")
	}
}

// What nginx refuses by itself is a problem document that the web application may read, and others not.
func TestSiteRefusesWithProblems(t *testing.T) {
	s := newSite(t)
	big := strings.NewReader(strings.Repeat("x", 1<<20+1))
	if answer, body := s.ask("POST", api+"/api/backtest/preview", big, "Origin: "+web); !isProblem(answer, body, 413) || answer.Header.Get("Access-Control-Allow-Origin") != web || answer.Header.Get("Access-Control-Allow-Credentials") != "true" {
		t.Errorf("a body over 1 MiB: %d %v %s", answer.StatusCode, answer.Header, body)
	}
	if answer, body := s.ask("POST", api+"/api/auth/login", strings.NewReader(strings.Repeat("x", 17<<10)), "Origin: https://evil.example"); !isProblem(answer, body, 413) || answer.Header.Get("Access-Control-Allow-Origin") != "" || answer.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("a login over 16 KiB from elsewhere: %d %v %s", answer.StatusCode, answer.Header, body)
	}
	old := client(s.tls, s.pool)
	old.Transport.(*http.Transport).ForceAttemptHTTP2 = false // over HTTP/2 nginx ends the connection instead
	r, _ := http.NewRequest("GET", api+"/api/health", nil)
	r.Header.Set("X-Wide", strings.Repeat("x", 40<<10))
	if answer, err := old.Do(r); err != nil {
		t.Errorf("headers of 40 KiB: %v", err)
	} else if body, _ := io.ReadAll(answer.Body); !isProblem(answer, string(body), 431) {
		t.Errorf("headers of 40 KiB: %d %s", answer.StatusCode, body)
	}
}

// An address may ask so often and so much at a time: more of signing in, of starting runs and of reading is refused,
// and more at once.
func TestSiteLimitsAddresses(t *testing.T) {
	s := newSite(t)
	for _, c := range []struct {
		method, path string
		least, most  int // requests until one is refused
	}{
		{"POST", "/api/auth/login", 11, 12}, {"POST", "/api/backtest/run", 31, 60}, {"GET", "/api/data/tickers", 101 - 60, 1000},
	} {
		var answer *http.Response
		var body string
		asked := 0
		for ; asked < 2000; asked++ {
			if answer, body = s.ask(c.method, api+c.path, strings.NewReader("{}"), "Origin: "+web); answer.StatusCode != 200 {
				break
			}
		}
		if !isProblem(answer, body, 429) || asked < c.least || asked > c.most || answer.Header.Get("Retry-After") == "" || answer.Header.Get("Access-Control-Allow-Origin") != web {
			t.Errorf("after %d of %s %s, want %d to %d: %d %v %s", asked, c.method, c.path, c.least, c.most, answer.StatusCode, answer.Header, body)
		}
		if answer, _ := s.ask("HEAD", web+"/", nil); answer.StatusCode != 200 {
			t.Errorf("who asks the API too often may still have the page: %d", answer.StatusCode)
		}
	}
	time.Sleep(4 * time.Second) // at 20 a second there is room for those that follow
	for _, c := range []struct {
		path  string
		limit int
	}{{"/api/backtest/runs/one/events", 10}, {"/api/slow", 64}} {
		statuses := make(chan int)
		for range c.limit + 1 {
			go func() {
				answer, err := s.client.Get(api + c.path)
				if err != nil {
					statuses <- 0
					return
				}
				io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
				statuses <- answer.StatusCode
			}()
		}
		got := map[int]int{}
		for range c.limit + 1 {
			got[<-statuses]++
		}
		if got[200] != c.limit || got[503] != 1 {
			t.Errorf("%d of %s at once: %v by status, want one too many", c.limit+1, c.path, got)
		}
	}
}

func TestSiteSaysThatTheServerIsDown(t *testing.T) {
	s := startSite(t, "127.0.0.1:"+freePort(t))
	answer, body := s.ask("GET", api+"/api/health", nil, "Origin: "+web)
	if !isProblem(answer, body, 502) || answer.Header.Get("Access-Control-Allow-Origin") != web || answer.Header.Get("Retry-After") == "" {
		t.Errorf("no server: %d %v %s", answer.StatusCode, answer.Header, body)
	}
}

// Events arrive when they are sent. The bound leaves room for a busy machine, and still tells from
// what buffering does: all of them at the end, a second and a half late.
func TestSiteStreamsEvents(t *testing.T) {
	s := newSite(t)
	var late []time.Duration
	for range 3 { // the best of three: what is measured is nginx, not who else has the processor
		r, _ := http.NewRequest("GET", api+"/api/backtest/runs/one/events", nil)
		r.Header.Set("Accept-Encoding", "gzip")
		answer, err := s.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		worst := time.Duration(0)
		scan := bufio.NewScanner(answer.Body)
		events := 0
		for scan.Scan() {
			var e struct{ Sent int64 }
			if data, ok := strings.CutPrefix(scan.Text(), "data: "); ok && json.Unmarshal([]byte(data), &e) == nil {
				events++
				worst = max(worst, time.Since(time.UnixMilli(e.Sent)))
			}
		}
		answer.Body.Close()
		if events != 5 {
			t.Fatalf("%d events of 5", events)
		}
		if late = append(late, worst); worst <= 100*time.Millisecond {
			t.Logf("events come at most %v late", worst)
			return
		}
	}
	t.Errorf("events come late: %v", late)
}

func TestSiteLogsWithoutQueries(t *testing.T) {
	s := newSite(t)
	s.ask("GET", web+"/config.js?token=canary", nil)
	s.ask("GET", api+"/api/data/tickers?token=canary", nil)
	s.ask("GET", api+"/api/gone?token=canary", nil)
	s.ask("GET", api+"/api/health?token=canary", nil)
	logs := map[string][]string{
		"backtester_access.log":     {"GET /config.js HTTP/2.0"},
		"backtester_api_access.log": {"GET /api/data/tickers HTTP/2.0", "GET /api/gone HTTP/2.0"},
		"backtester_error.log":      nil,
	}
	for name, lines := range logs {
		path := filepath.Join(s.dir, "log", name)
		eventually(t, name, func() bool {
			text := read(t, path)
			for _, l := range lines {
				if !strings.Contains(text, l) {
					return false
				}
			}
			return true
		})
		if text := read(t, path); strings.Contains(text, "canary") || strings.Contains(text, "/api/health") {
			t.Errorf("%s has a query string or a health check:\n%s", name, text)
		}
	}
}

func TestSiteTakesHTTPSOnly(t *testing.T) {
	s := newSite(t)
	plain := client(s.plain, nil)
	for _, host := range []string{"yourdomain.com", "www.yourdomain.com", "api.yourdomain.com"} {
		answer, err := plain.Get("http://" + host + "/api/health?x=1")
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if want := "https://" + host + "/api/health?x=1"; answer.StatusCode != 308 || answer.Header.Get("Location") != want {
			t.Errorf("http://%s: %d to %q", host, answer.StatusCode, answer.Header.Get("Location"))
		}
	}
	answer, err := plain.Get("http://yourdomain.com/.well-known/acme-challenge/token")
	if err != nil {
		t.Fatal(err)
	}
	proof, _ := io.ReadAll(answer.Body)
	answer.Body.Close()
	if string(proof) != "proof" {
		t.Errorf("certbot's proof: %d %q", answer.StatusCode, proof)
	}
	for version, want := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		for _, host := range []string{"yourdomain.com", "api.yourdomain.com"} {
			c, err := tls.Dial("tcp", s.tls, &tls.Config{RootCAs: s.pool, ServerName: host, MinVersion: version, MaxVersion: version})
			if (err == nil) != want {
				t.Errorf("%s at %s: %v", tls.VersionName(version), host, err)
			}
			if err == nil {
				c.Close()
			}
		}
	}
}

// A reload takes the same file again without losing a request that is being answered.
func TestSiteReloads(t *testing.T) {
	s := newSite(t)
	done := make(chan error, 1)
	go func() {
		answer, err := s.client.Get(api + "/api/backtest/runs/one/events")
		if err == nil {
			var b []byte
			b, err = io.ReadAll(answer.Body)
			answer.Body.Close()
			if n := strings.Count(string(b), "event: progress"); err == nil && n != 5 {
				err = fmt.Errorf("%d events", n)
			}
		}
		done <- err
	}()
	time.Sleep(300 * time.Millisecond)
	output(t, program(t, "nginx"), "-s", "reload", "-c", s.conf)
	if err := <-done; err != nil {
		t.Errorf("a stream during a reload: %v", err)
	}
	if answer, _ := s.ask("GET", api+"/api/health", nil); answer.StatusCode != 200 {
		t.Errorf("after a reload: %d", answer.StatusCode)
	}
}
