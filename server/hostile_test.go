package server_test

import (
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// treasure lies where no client may read; every answer is searched for it.
const treasure = "TREASURE-6f1b"

// wayOut are names that lead elsewhere, on one system or another.
func wayOut(id string) []string {
	list := []string{
		"../secret.html", "../../secret.html", "../../../../../../etc/passwd", "/etc/passwd", "//etc/passwd", "....//secret.html", "..;/secret.html",
		"../db/history.db", "../db/secret-key", "../.env", ".env", "..", ".", "", "~", "~root/.bashrc", "..\\secret.html", "..\\..\\secret.html", "C:\\boot.ini", "\\\\host\\share",
		"secret.html", "link.html", "dirlink/secret.html", "fifo.html", "folder.html", "dangling.html", "../tearsheets/" + id + ".html", "./" + id + ".html", id + ".html/", id + ".html/..",
		id + ".html\x00", id + ".html\x00.csv", "\x00", id + ".html ", " " + id + ".html", id + ".HTML", strings.ToLower(id) + ".html", id + ".html::$DATA", id + ".html:stream", id + ".html.", id + ".html~",
		id + ".part", id + ".html.part", "." + id + ".html", id, id + ".", id + ".json", "../runs/" + id + ".json", id + ".html?x", id + ".html#x", id + "%2ehtml", "%2e%2e%2fsecret.html",
		"\u2025/secret.html", "\uff0e\uff0e\uff0fsecret.html", "\xc0\xae\xc0\xae\xc0\xafsecret.html", "\xe0\x80\xae\xe0\x80\xae/secret.html", "..%c0%afsecret.html", "..%255csecret.html",
		"a/../secret.html", "tearsheets/../../secret.html", "../results/secret.html", "../../../../proc/self/environ", "/proc/self/environ", "/dev/stdin", "../../../../dev/zero", "../../../../proc/self/cmdline",
		"CON", "NUL", "aux.html", "LPT1.html", "*", "*.html", "?.html", "[a-z].html", "{a,b}.html", "$HOME", "${HOME}/x", "`id`", "$(id)", "|id", ";id", "'", "\"", "<script>", "%", "%%", "%zz", "%s%n",
		strings.Repeat("../", 50) + "etc/passwd", strings.Repeat("a", 300) + ".html", strings.Repeat("..\\", 20) + "x", "\r\nSet-Cookie: x=1", "\n", "\t", "\u202e.html", "𝒜.html", "e\u0301.html", id + "_x/../../secret.html",
		noRun + ".html", "01ARZ3NDEKTSV4RRFFQ69G5FAV.csv",
	}
	return list
}

// No name leads out of the results, in whatever coding.
func TestTraversal(t *testing.T) {
	w := newWorld(t, worldOptions{})
	id := w.finished(body(trend))
	sheets := filepath.Join(w.dir, "tearsheets")
	write := func(path string) {
		if err := os.WriteFile(path, []byte(treasure), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{w.dir, filepath.Dir(w.dir), sheets, filepath.Join(w.dir, "csv"), filepath.Join(w.dir, "db"), filepath.Join(w.dir, "runs")} {
		if err := os.MkdirAll(dir, 0o700); err != nil { // there is no db on PostgreSQL
			t.Fatal(err)
		}
		write(filepath.Join(dir, "secret.html"))
		write(filepath.Join(dir, ".env"))
		write(filepath.Join(dir, "secret-key"))
	}
	for name, target := range map[string]string{"link.html": filepath.Join(w.dir, "secret.html"), "dirlink": w.dir, "dangling.html": "/nowhere"} {
		if err := os.Symlink(target, filepath.Join(sheets, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(sheets, "folder.html"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(sheets, "fifo.html"), 0o600); err != nil {
		t.Fatal(err)
	}
	tried, leaks := 0, 0
	for _, name := range wayOut(id) {
		for _, coded := range []string{name, url.PathEscape(name), url.PathEscape(url.PathEscape(name))} {
			for _, at := range []string{"/api/files/tearsheet/", "/api/files/csv/", "/api/backtest/results/" + id + "/files/"} {
				tried++
				r := httptest.NewRequest("GET", "/", nil)
				r.Host = "localhost"
				r.URL.Path, r.URL.RawPath, r.RequestURI = at+name, at+coded, at+coded
				if coded != name {
					unescaped, err := url.PathUnescape(coded)
					if err != nil {
						continue
					}
					r.URL.Path = at + unescaped
				}
				rec := httptest.NewRecorder()
				w.handler.ServeHTTP(rec, r)
				page := rec.Body.String()
				// The page of the web application is no leak: an address that is none of the API's.
				if strings.Contains(page, treasure) || strings.Contains(page, "root:x:") || strings.Contains(page, "SQLite format") ||
					rec.Code == 200 && strings.Contains(rec.Header().Get("Content-Security-Policy"), "sandbox") && !strings.Contains(coded, id) {
					leaks++
					t.Errorf("%s%q leads to %.80q", at, coded, page)
				}
				if rec.Code != 404 && rec.Code != 400 && rec.Code != 422 && rec.Code != 414 && rec.Code != 200 {
					t.Errorf("%s%q: status %d", at, coded, rec.Code)
				}
			}
		}
	}
	if tried < 600 {
		t.Errorf("only %d paths were tried", tried)
	}
	for _, path := range []string{"/api/files/csv/" + noRun + ".csv", "/api/files/tearsheet/" + noRun + ".html", "/api/files/tearsheet/secret.html", "/api/files/csv/" + id + ".html"} {
		if rec := w.ask("GET", path, ""); rec.Code != 404 {
			t.Errorf("%s: %d", path, rec.Code)
		}
	}
	// What is there and what is not take the same time. The quickest of many is the same at any load.
	quickest := map[string]time.Duration{}
	names := []string{noRun + ".html", "secret.html", "link.html", "dangling.html", "folder.html", "fifo.html", "none.html"}
	for range 300 {
		for _, name := range names {
			start := time.Now()
			w.ask("GET", "/api/files/tearsheet/"+name, "")
			if took := time.Since(start); quickest[name] == 0 || took < quickest[name] {
				quickest[name] = took
			}
		}
	}
	none := quickest["none.html"]
	for _, name := range names[1:] { // the first has the form of a run, and is looked up
		if d := quickest[name] - none; d > none/2+50*time.Microsecond || -d > none/2+50*time.Microsecond {
			t.Errorf("%s takes %v, a file that does not exist %v", name, quickest[name], none)
		}
	}
	t.Logf("quickest answers: %v", quickest)
}

// Bodies that are too much or that readers disagree about.
func TestBodies(t *testing.T) {
	w := newWorld(t, worldOptions{})
	deep := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	var keys strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&keys, `"k%d":1,`, i)
	}
	for name, x := range map[string]struct {
		text   string
		status int
	}{
		"nothing":               {" ", 400},
		"no JSON":               {`{"strategy":`, 400},
		"a key twice":           {`{"strategy":"a","strategy":"b"}`, 400},
		"a key twice within":    {`{"strategy":{"entry":"close > 1","entry":"close > 2"}}`, 400},
		"text behind":           {body(trend) + "x", 400},
		"two documents":         {body(trend) + body(trend), 400},
		"nested deeply":         {deep(33), 400},
		"nested without end":    {strings.Repeat(`[`, 900_000), 400},
		"broken UTF-8":          {"{\"strategy\":\"\xff\xfe\"}", 400},
		"an unknown key":        {body(trend, `,"sise":1`), 400},
		"two megabytes":         {body(`"` + strings.Repeat("x", 2<<20) + `"`), 413},
		"a long number":         {`{"strategy":` + strings.Repeat("9", 4000) + `}`, 400},
		"100,000 keys":          {`{` + keys.String() + `"strategy":"x"}`, 413},
		"300,000 values":        {`{"symbols":[` + strings.Repeat("1,", 300_000) + `1]}`, 413},
		"no strategy":           {`{}`, 422},
		"an unknown strategy":   {body(`"golden-cros"`), 422},
		"a number as strategy":  {body(`5`), 422},
		"NaN":                   {`{"strategy":NaN}`, 400},
		"a list":                {`[]`, 400},
		"symbols of no tickers": {body(trend, `,"symbols":["A,B"]`), 422},
		"an unknown setting":    {body(trend, `,"set":{"siez.weight":1}`), 422},
		"an unknown kind":       {body(trend, `,"kind":"dance"`), 422},
	} {
		for _, path := range []string{"/api/backtest/run", "/api/backtest/preview"} {
			if path == "/api/backtest/preview" && strings.Contains(name, "kind") {
				continue
			}
			rec := w.ask("POST", path, x.text)
			if rec.Code != x.status && !(name == "two megabytes" && rec.Code == 413) && !(strings.HasPrefix(name, "100,000") && rec.Code == 400) {
				t.Errorf("%s to %s: status %d, want %d: %.200s", name, path, rec.Code, x.status, rec.Body)
			}
		}
	}
	for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/yaml", "", "nonsense"} {
		if rec := w.ask("POST", "/api/backtest/run", body(trend), "Content-Type", kind); rec.Code != 415 {
			t.Errorf("type %q: status %d, want 415", kind, rec.Code)
		}
	}
	for how, status := range map[string]int{"gzip": 415, "identity": 202} {
		if rec := w.ask("POST", "/api/backtest/run", body(trend), "Content-Encoding", how); rec.Code != status {
			t.Errorf("encoding %q: status %d, want %d", how, rec.Code, status)
		}
	}
	if rec := w.ask("POST", "/api/backtest/run", deep(33)); !strings.Contains(rec.Body.String(), "33 levels deep, at most 32") {
		t.Errorf("the limit of nesting is refused with %s", rec.Body)
	}
	if rec := w.ask("POST", "/api/auth/login", `{"username":"`+strings.Repeat("x", 17<<10)+`","password":"x"}`); rec.Code != 413 {
		t.Errorf("a login of 17 kB: status %d", rec.Code)
	}
	if rec := w.ask("GET", "/api/backtest/history?q="+strings.Repeat("x", 5000), ""); rec.Code != 414 {
		t.Errorf("an address of 5 kB: status %d", rec.Code)
	}
}
