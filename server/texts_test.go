package server_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
)

// texts would be more than text in a page, a table, a shell, a log or a template. The test of the web application
// in a browser reads them too.
func texts(t *testing.T) (list []string) {
	t.Helper()
	b, err := os.ReadFile("testdata/texts.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// Texts of users come back as they are in JSON, and can neither run in a page, a problem or a stream of events, nor
// be a formula in a table, nor make up lines of a log.
func TestTextsOfUsersDoNothing(t *testing.T) {
	w := newWorld(t, worldOptions{})
	list := texts(t)
	scripts := strings.Count(w.ask("GET", "/api/files/tearsheet/"+w.finished(body(trend))+".html", "").Body.String(), "<script")
	for _, x := range list {
		quoted := mustJSON(x)
		tag := []rune(strings.ReplaceAll(x, ",", ";"))
		id := w.finished(body(strings.Replace(trend, `"name": "up"`, `"name": `+quoted+`, "notes": `+quoted, 1), `, "name": `+quoted+`, "notes": `+quoted+`, "tags": [`+mustJSON(string(tag[:min(len(tag), 40)]))+`]`))
		v := w.want(200, "GET", "/api/backtest/results/"+id, "")
		if v["notes"] != x || v["name"] != x || v["strategy"] != x {
			t.Errorf("%q comes back as %q, %q and %q", x, v["name"], v["notes"], v["strategy"])
		}
		sheet := w.ask("GET", "/api/files/tearsheet/"+id+".html", "").Body.String()
		if strings.ContainsAny(x, "<>") && strings.Contains(sheet, x) || strings.Count(sheet, "<script") != scripts || strings.Contains(sheet, `href="javascript:`) {
			t.Errorf("the tearsheet holds %s as it is", x)
		}
		table := w.ask("GET", "/api/files/csv/"+id+".csv", "")
		for _, line := range strings.Split(table.Body.String(), "\n")[1:] {
			for _, cell := range strings.Split(line, `,`) {
				if cell = strings.TrimPrefix(cell, `"`); cell != "" && strings.ContainsAny(cell[:1], "=+@") {
					t.Errorf("a cell of the table begins with %.20q", cell)
				}
			}
		}
		if kind := table.Header().Get("Content-Type") + table.Header().Get("Content-Disposition"); !strings.HasPrefix(kind, "text/csv") || !strings.Contains(kind, "attachment") {
			t.Errorf("the table is sent as %s", kind)
		}
		for where, rec := range map[string]*httptest.ResponseRecorder{
			"a page of runs": w.ask("GET", "/api/backtest/history?limit=1", ""), "a stream": w.ask("GET", "/api/backtest/runs/"+id+"/events", ""),
			"what is sought": w.ask("GET", "/api/backtest/history?q="+url.QueryEscape(x), ""), "a sort order": w.ask("GET", "/api/backtest/history?sort="+url.QueryEscape(x), ""),
			"a symbol": w.ask("POST", "/api/backtest/run", body(trend, `, "symbols": [`+quoted+`]`)), "an expression": w.ask("POST", "/api/strategies/check", `{"text":`+mustJSON("name: a\nentry: "+x)+`}`),
			"a setting": w.ask("POST", "/api/backtest/run", body(trend, `, "set": {`+quoted+`: 1}`)), "a path": w.ask("GET", "/api/data/bars/"+url.PathEscape(x), ""),
		} {
			kind, text := rec.Header().Get("Content-Type"), rec.Body.String()
			if !strings.HasPrefix(kind, "application/json") && !strings.HasPrefix(kind, "application/problem+json") && !strings.HasPrefix(kind, "text/event-stream") || rec.Code >= 500 {
				t.Errorf("%s in %s: %d %s", x, where, rec.Code, kind)
			}
			if strings.ContainsAny(text, "<>") || rec.Header().Get("X-Content-Type-Options") != "nosniff" || rec.Header().Get("Set-Cookie") != "" {
				t.Errorf("%s in %s is answered %.300s", x, where, text)
			}
			if strings.HasSuffix(kind, "json") && !json.Valid(rec.Body.Bytes()) {
				t.Errorf("%s in %s is answered with no JSON: %.300s", x, where, text)
			}
		}
	}
	if len(list) < 60 {
		t.Errorf("only %d texts", len(list))
	}
	r := httptest.NewRequest("GET", "/api/health", nil)
	r.Host = "localhost"
	r.URL.Path = "/api/x\n127.0.0.1 - - forged"
	r.Header.Set("User-Agent", "a\"\n127.0.0.1 - - [x] \"GET /forged")
	w.handler.ServeHTTP(httptest.NewRecorder(), r)
	for _, line := range strings.Split(w.access.String(), "\n") {
		if strings.HasPrefix(line, "127.0.0.1 - - forged") || strings.HasPrefix(line, "127.0.0.1 - - [x]") {
			t.Errorf("a client has written the line %q", line)
		}
	}
	if !strings.Contains(w.access.String(), `"POST /api/backtest/run HTTP/1.1" 200`) {
		t.Errorf("the access log: %.300s", w.access)
	}
}

// bomb is a connection whose n-th write panics.
type bomb struct {
	*httptest.ResponseRecorder
	left int
}

func (b *bomb) Write(p []byte) (int, error) {
	if b.left--; b.left < 0 {
		panic("made by the test")
	}
	return b.ResponseRecorder.Write(p)
}

// A panic in the middle of a stream cuts that stream, gives its place back, and the server lives on.
func TestPanicsInStreams(t *testing.T) {
	w := newWorld(t, worldOptions{})
	id := w.finished(body(trend))
	for n := range 12 { // more than the streams that one user may have
		r := httptest.NewRequest("GET", "/api/backtest/runs/"+id+"/events", nil)
		r.Host = "localhost"
		func() {
			defer func() {
				if p := recover(); p != http.ErrAbortHandler { // half an answer must not be taken for a whole one
					t.Errorf("stream %d: %v comes out", n, p)
				}
			}()
			w.handler.ServeHTTP(&bomb{httptest.NewRecorder(), n % 2}, r)
		}()
	}
	if !strings.Contains(w.log.String(), "made by the test") {
		t.Error("the log says nothing of it")
	}
	if rec := w.ask("GET", "/api/backtest/runs/"+id+"/events", ""); rec.Code != 200 || !strings.Contains(rec.Body.String(), "event: done") {
		t.Errorf("afterwards: %d %s", rec.Code, rec.Body)
	}
}
