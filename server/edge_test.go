package server_test

import (
	"fmt"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"backtester/report"
	"backtester/server"
)

// Only listed origins may call and read; a page of another one, whatever cookie its visitor has, reaches
// no handler, and no name but our own is answered.
func TestOriginsAndHosts(t *testing.T) {
	const own = "https://app.example.com"
	w := newWorld(t, worldOptions{accounts: true, server: func(o *server.Options) {
		trustLocalProxy(o)
		o.Origins, o.Hosts = []string{own}, []string{"api.example.com"}
	}})
	token := w.user("alice", false)
	tried := 0
	for origin, allowed := range map[string]bool{
		own: true, "https://app.example.com.evil.example": false, "https://evil.example": false, "http://app.example.com": false, "https://app.example.com:8443": false,
		"https://APP.example.com.": false, "null": false, "https://sub.app.example.com": false, "http://localhost:3000": false, "https://appXexample.com": false,
		"file://": false, "https://app.example.com@evil.example": false,
	} {
		for _, method := range []string{"GET", "POST", "DELETE", "PATCH"} {
			for _, cookie := range []bool{false, true} {
				tried++
				headers := []string{"Origin", origin, "Host", "api.example.com", "X-Forwarded-Proto", "https", "Sec-Fetch-Site", "cross-site"}
				if cookie {
					headers = append(headers, "Cookie", "__Host-bt_session="+token)
				} else {
					headers = append(headers, bearer(token)...)
				}
				path, text := "/api/backtest/history", ""
				switch method {
				case "POST":
					path, text = "/api/strategies/check", `{"text":"entry: close > 5"}`
				case "DELETE", "PATCH":
					path, text = "/api/backtest/runs/"+noRun, `{}`
				}
				rec := w.ask(method, path, text, headers...)
				readable := rec.Header().Get("Access-Control-Allow-Origin")
				if (readable == origin) != allowed || readable == "*" || !strings.Contains(strings.Join(rec.Header().Values("Vary"), ","), "Origin") {
					t.Errorf("%s from %s: Access-Control-Allow-Origin %q, Vary %q", method, origin, readable, rec.Header().Values("Vary"))
				}
				if refused := rec.Code == 403 && code(rec) == "cross-origin"; method != "GET" && refused == allowed {
					t.Errorf("%s from %s: %d %s", method, origin, rec.Code, code(rec))
				}
				pre := w.ask("OPTIONS", path, "", "Origin", origin, "Host", "api.example.com", "Access-Control-Request-Method", method, "Access-Control-Request-Headers", "content-type,authorization")
				if (pre.Header().Get("Access-Control-Allow-Origin") == origin) != allowed {
					t.Errorf("preflight of %s from %s: %v", method, origin, pre.Header())
				}
			}
		}
	}
	if tried < 90 {
		t.Errorf("only %d combinations", tried)
	}
	for host, status := range map[string]int{
		"api.example.com": 200, "API.example.com:443": 200, "api.example.com.": 200, "127.0.0.1:5000": 200, "[::1]:5000": 200, "localhost": 200,
		"evil.example": 421, "10.0.0.1": 421, "": 421, "localhost.evil.example": 421, "api.example.com.evil.example": 421, "0.0.0.0": 421, "2130706433": 421, "api.example.com:x:y": 421,
	} {
		if rec := w.ask("GET", "/api/health", "", "Host", host); rec.Code != status {
			t.Errorf("Host %q: status %d, want %d", host, rec.Code, status)
		}
	}
}

// Without accounts pages of this machine may call, and nobody else's.
func TestLocalOrigins(t *testing.T) {
	w := newWorld(t, worldOptions{server: func(o *server.Options) { o.LocalOrigins = true }})
	for origin, allowed := range map[string]bool{
		"http://localhost:5173": true, "http://127.0.0.1:5000": true, "http://[::1]:3000": true, "http://localhost": true,
		"http://localhost.evil.example": false, "https://evil.example": false, "null": true, "http://localhost:1/": false, "http://localhost@evil.example": false,
	} {
		rec := w.ask("POST", "/api/strategies/check", `{"text":"x"}`, "Origin", origin, "Sec-Fetch-Site", "cross-site")
		if (rec.Code == 200) != allowed {
			t.Errorf("%s: %d", origin, rec.Code)
		}
	}
}

// Every answer, of whatever status, carries the headers that keep browsers from guessing and framing.
func TestHeadersEverywhere(t *testing.T) {
	w := newWorld(t, worldOptions{accounts: true})
	token := w.user("alice", false)
	id := w.finished(body(trend), bearer(token)...)
	for _, x := range []struct {
		method, path string
		headers      []string
		status       int
	}{
		{"GET", "/api/health", nil, 200}, {"GET", "/api/backtest/history", bearer(token), 200}, {"GET", "/api/backtest/history", nil, 401}, {"GET", "/api/nothing", nil, 404},
		{"PUT", "/api/health", nil, 405}, {"GET", "/api/backtest/history?x=1", bearer(token), 422}, {"POST", "/api/backtest/run", bearer(token), 400}, {"GET", "/", nil, 200},
		{"GET", "/api/files/tearsheet/" + id + ".html", bearer(token), 200}, {"GET", "/api/files/csv/" + id + ".csv", bearer(token), 200}, {"GET", "/api/openapi.json", nil, 200},
		{"GET", "/api/health", []string{"Host", "evil.example"}, 421}, {"GET", "/style.css", nil, 200}, {"GET", "/nothing.js", nil, 404}, {"TRACE", "/api/health", nil, 405},
	} {
		rec := w.ask(x.method, x.path, "", x.headers...)
		h := rec.Header()
		sheet := strings.HasPrefix(x.path, "/api/files/tearsheet/") && x.status == 200
		if rec.Code != x.status {
			t.Errorf("%s %s: status %d, want %d", x.method, x.path, rec.Code, x.status)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" || h.Get("X-Request-ID") == "" || h.Get("Backtester-Version") != "test" ||
			(h.Get("X-Frame-Options") == "DENY") == sheet || h.Get("Cross-Origin-Opener-Policy") != "same-origin" || h.Get("Permissions-Policy") == "" || h.Get("Cache-Control") == "" {
			t.Errorf("%s %s: %v", x.method, x.path, h)
		}
		csp := h.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors") || sheet != strings.HasPrefix(csp, "sandbox allow-scripts;") || strings.Contains(csp, "unsafe") && !sheet ||
			strings.Contains(csp, "allow-same-origin") || sheet != strings.Contains(csp, "script-src "+report.ScriptSource()+";") && x.path != "/" {
			t.Errorf("%s %s: Content-Security-Policy %q", x.method, x.path, csp)
		}
		if x.status == 405 && h.Get("Allow") == "" {
			t.Errorf("%s %s: 405 without Allow", x.method, x.path)
		}
	}
}

// A method that an address does not have is refused with those that it has; an address of the API that does not
// exist is nobody's page, with a slash too many neither.
func TestMethods(t *testing.T) {
	w := newWorld(t, worldOptions{})
	for _, x := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"PUT", "/api/health", 405, "GET, HEAD"}, {"OPTIONS", "/api/health", 405, "GET, HEAD"}, {"HEAD", "/api/health", 200, ""},
		{"GET", "/api/backtest/run", 405, "POST"}, {"HEAD", "/api/backtest/run", 405, "POST"}, {"PATCH", "/api/auth/login", 405, "POST"},
		{"GET", "/api/backtest/runs/x", 405, "PATCH, DELETE"}, {"POST", "/api/strategies/x", 405, "GET, HEAD, PUT, DELETE"},
		{"OPTIONS", "/api/nothing", 404, ""}, {"DELETE", "/api/nothing", 404, ""}, {"GET", "/api/nothing", 404, ""}, {"GET", "/api", 404, ""},
		{"GET", "/api/health/", 404, ""}, {"GET", "//api/health", 404, ""}, {"GET", "/./api/health", 404, ""},
		{"POST", "/", 405, "GET, HEAD"}, {"DELETE", "/runs/x", 405, "GET, HEAD"}, {"GET", "/runs/x", 200, ""},
	} {
		rec := w.ask(x.method, x.path, "")
		if rec.Code != x.status || rec.Header().Get("Allow") != x.allow {
			t.Errorf("%s %s: %d, Allow %q; want %d, %q", x.method, x.path, rec.Code, rec.Header().Get("Allow"), x.status, x.allow)
		}
	}
}

// A range that a file does not have is refused as everything else is.
func TestRanges(t *testing.T) {
	w := newWorld(t, worldOptions{})
	id := w.finished(body(trend))
	results := "/api/backtest/results/" + id
	for _, path := range []string{"/api/files/csv/" + id + ".csv", "/api/files/tearsheet/" + id + ".html", results + "/result", results + "/files/" + id + ".csv"} {
		if rec := w.ask("GET", path, "", "Range", "bytes=0-3"); rec.Code != 206 || rec.Body.Len() != 4 {
			t.Errorf("four bytes of %s: %d %q", path, rec.Code, rec.Body)
		}
		for _, wrong := range []string{"bytes=99999999-", "lines=1-2"} {
			rec := w.ask("GET", path, "", "Range", wrong)
			if rec.Code != 416 || code(rec) != "range" || rec.Header().Get("Content-Type") != "application/problem+json" || !strings.Contains(rec.Body.String(), wrong) {
				t.Errorf("%s of %s: %d %v %s", wrong, path, rec.Code, rec.Header(), rec.Body)
			}
		}
	}
}

// Another user finds nothing of mine on any operation, and is told that it is not there.
func TestNobodySeesWhatIsNotTheirs(t *testing.T) {
	w := newWorld(t, worldOptions{accounts: true, jobs: withSweeps})
	alice, bob := w.user("alice", false), w.user("bob", true)
	id := w.finished(body(trend), bearer(alice)...)
	w.want(200, "PUT", "/api/strategies/mine", `{"text":"entry: close > 5"}`, bearer(alice)...)
	c, err := newContract(w.server.Document())
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, d := range c.operations {
		if !strings.Contains(d.path, "{") || strings.Contains(d.path, "{symbol}") {
			continue
		}
		tried++
		path := strings.NewReplacer("{run_id}", id, "{name}", "mine", "{id}", "x").Replace(d.path)
		switch {
		case strings.Contains(d.path, "tearsheet"):
			path = strings.Replace(path, "{filename}", id+".html", 1)
		case strings.Contains(d.path, "/csv/"):
			path = strings.Replace(path, "{filename}", id+".csv", 1)
		default:
			path = strings.Replace(path, "{filename}", id+".json", 1)
		}
		text := ""
		if d.method == "PATCH" {
			text = `{"name":"x"}`
		} else if d.method == "PUT" {
			continue // makes a strategy of bob's own
		}
		if rec := w.ask(d.method, path, text, bearer(bob)...); rec.Code != 404 {
			t.Errorf("%s %s of somebody else: status %d", d.method, path, rec.Code)
		}
		if rec := w.ask(d.method, path, text); rec.Code != 401 {
			t.Errorf("%s %s of nobody: status %d", d.method, path, rec.Code)
		}
	}
	if tried < 15 {
		t.Errorf("only %d operations", tried)
	}
	if page := w.want(200, "GET", "/api/backtest/history", "", bearer(bob)...); len(page["items"].([]any)) != 0 {
		t.Errorf("bob's history has %v", page)
	}
	if rec := w.ask("GET", "/api/backtest/compare?ids="+id+","+id, "", bearer(bob)...); rec.Code != 404 {
		t.Errorf("compare: %d", rec.Code)
	}
	if rec := w.ask("GET", "/api/backtest/compare/trades?a="+id+"&b="+id, "", bearer(bob)...); rec.Code != 404 {
		t.Errorf("compare trades: %d", rec.Code)
	}
	if rec := w.ask("POST", "/api/backtest/run", body(`"mine"`), bearer(bob)...); rec.Code != 422 {
		t.Errorf("somebody else's strategy by name: %d", rec.Code)
	}
	w.want(200, "GET", "/api/backtest/results/"+id, "", bearer(alice)...)
}

// Every operation but those that are meant to asks for a token.
func TestEveryOperationAsksForAToken(t *testing.T) {
	w := newWorld(t, worldOptions{accounts: true})
	c, err := newContract(w.server.Document())
	if err != nil {
		t.Fatal(err)
	}
	public := map[string]bool{"/api/auth/login": true, "/api/auth/register": true, "/api/health": true, "/api/health/live": true, "/api/health/ready": true, "/api/version": true}
	for _, d := range c.operations {
		path := strings.NewReplacer("{run_id}", noRun, "{name}", "x", "{id}", "x", "{filename}", "x.csv", "{symbol}", "XYZ").Replace(d.path)
		if rec := w.ask(d.method, path, ""); (rec.Code == 401) == public[d.path] {
			t.Errorf("%s %s without a token: status %d", d.method, path, rec.Code)
		}
	}
}

// A personal token opens what its one scope is documented to open, and nothing else: what only reads writes
// nothing, and accounts take a person.
func TestEveryScopeOpensItsOperations(t *testing.T) {
	w := newWorld(t, worldOptions{accounts: true})
	admin := bearer(w.user("root", true))
	var document struct {
		Paths map[string]map[string]struct {
			Security []map[string][]string `json:"security"`
		} `json:"paths"`
	}
	decodeInto(t, w.server.Document(), &document)
	for _, scope := range []string{"read", "run", "data", "admin"} {
		token := bearer(w.want(201, "POST", "/api/auth/tokens", `{"name":"x","scopes":["`+scope+`"]}`, admin...)["token"].(string))
		for template, methods := range document.Paths {
			path := strings.NewReplacer("{run_id}", noRun, "{name}", "x", "{id}", "x", "{filename}", "x.csv", "{symbol}", "XYZ").Replace(template)
			for method, o := range methods {
				person := strings.HasPrefix(path, "/api/auth/") && path != "/api/auth/verify"
				if o.Security == nil || path == "/api/auth/logout" {
					continue
				}
				needs := o.Security[0]["token"]
				if slices.Contains(needs, "") {
					t.Errorf("%s %s is documented with a scope without a name", method, path)
				}
				may := !person && (len(needs) == 0 || slices.Contains(needs, scope))
				if rec := w.ask(strings.ToUpper(method), path, "", token...); (rec.Code == 403) == may {
					t.Errorf("%s %s with the scope %s: status %d; it takes %v", method, path, scope, rec.Code, needs)
				}
			}
		}
	}
}

// What a client says of where it comes from counts only when a trusted proxy says it.
func TestClientAddresses(t *testing.T) {
	w := newWorld(t, worldOptions{server: func(o *server.Options) {
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
		o.PerSecond, o.Burst = 0.001, 3
	}})
	ask := func(peer, forwarded string) int {
		return w.ask("GET", "/api/version", "", "RemoteAddr", peer+":4000", "X-Forwarded-For", forwarded, "True-Client-IP", forwarded, "X-Real-IP", forwarded).Code
	}
	for i := range 3 {
		if status := ask("192.0.2.1", "198.51.100."+string(rune('1'+i))); status != 200 {
			t.Fatalf("request %d: %d", i, status)
		}
	}
	if status := ask("192.0.2.1", "198.51.100.9"); status != 429 {
		t.Errorf("a made-up address gives new requests: %d", status)
	}
	for range 3 {
		ask("10.0.0.5", "1.1.1.1, 203.0.113.7")
	}
	if status := ask("10.0.0.6", "9.9.9.9, 203.0.113.7, 10.0.0.5"); status != 429 {
		t.Errorf("behind two proxies the client is another: %d", status)
	}
	if status := ask("10.0.0.6", "203.0.113.8"); status != 200 {
		t.Errorf("another client behind the proxy: %d", status)
	}
	rec := w.ask("GET", "/api/version", "", "RemoteAddr", "192.0.2.1:1")
	if rec.Code != 429 || rec.Header().Get("Retry-After") == "" || !strings.Contains(rec.Header().Get("RateLimit-Policy"), "q=3") || rec.Header().Get("RateLimit") == "" {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
	if rec := w.ask("GET", "/api/health", "", "RemoteAddr", "192.0.2.1:1"); rec.Code != 200 {
		t.Errorf("health is limited: %d", rec.Code)
	}
}

// checkHeaders says what the headers of an answer lack, "" when nothing. Every answer of every test goes through
// it, of whatever operation and status.
func checkHeaders(rec *httptest.ResponseRecorder) string {
	h := rec.Header()
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin"} {
		if h.Get(name) != want {
			return fmt.Sprintf("%s is %q, want %q", name, h.Get(name), want)
		}
	}
	csp := h.Get("Content-Security-Policy")
	switch {
	case h.Get("X-Request-ID") == "" || h.Get("Backtester-Version") == "" || h.Get("Permissions-Policy") == "" || h.Get("Cache-Control") == "":
		return fmt.Sprintf("one is missing of %v", h)
	case !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors"):
		return fmt.Sprintf("Content-Security-Policy is %q", csp)
	case h.Get("X-Frame-Options") != "DENY" && !strings.HasPrefix(csp, "sandbox "): // a tearsheet is shown in a frame
		return "it may be framed"
	case rec.Code == 401 && h.Get("WWW-Authenticate") == "" && code(rec) == "unauthenticated":
		return "401 without WWW-Authenticate"
	case (rec.Code == 429 || rec.Code == 503) && h.Get("Retry-After") == "" && h.Get("Content-Type") == "application/problem+json":
		return "no Retry-After"
	}
	return ""
}
