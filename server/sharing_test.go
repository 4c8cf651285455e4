package server_test

import (
	"context"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"backtester/server"
)

// share sets whether others may read a run.
func (w *world) share(id string, on string, headers ...string) map[string]any {
	w.t.Helper()
	return w.want(200, "PATCH", "/api/backtest/runs/"+id, `{"shared":`+on+`}`, headers...)
}

// A shared run is read by everybody who is signed in, on every operation that reads one, and changed by its owner
// alone. What the owner wrote on it is not told, nor is it in anybody else's history.
func TestASharedRunIsReadByAllAndChangedByItsOwner(t *testing.T) {
	w := newWorld(t, worldOptions{accounts: true, jobs: withSweeps})
	alice, bob := w.user("alice", false), w.user("bob", true)
	id := w.finished(body(trend, `, "name": "for all", "notes": "a secret", "tags": ["private"]`), bearer(alice)...)
	grid := w.finished(body(family, `, "kind": "sweep", "options": {"method": "grid"}`), bearer(alice)...)
	w.want(200, "PATCH", "/api/backtest/runs/"+id, `{"starred":true}`, bearer(alice)...)
	for _, x := range []string{id, grid} {
		if v := w.share(x, "true", bearer(alice)...); v["shared"] != true || v["owner"] != nil {
			t.Errorf("its owner is answered %v", v)
		}
	}
	c, err := newContract(w.server.Document())
	if err != nil {
		t.Fatal(err)
	}
	read, refused := 0, 0
	for _, d := range c.operations {
		if !strings.Contains(d.path, "{run_id}") && !strings.Contains(d.path, "{filename}") {
			continue
		}
		which := id
		if strings.HasSuffix(d.path, "/rows") {
			which = grid
		}
		path := strings.Replace(d.path, "{run_id}", which, 1)
		ending := ".json"
		if strings.Contains(path, "tearsheet") {
			ending = ".html"
		} else if strings.Contains(path, "/csv/") {
			ending = ".csv"
		}
		path = strings.Replace(path, "{filename}", which+ending, 1)
		want, text := 200, ""
		if d.method != "GET" {
			want, text = 403, map[string]string{"PATCH": `{"name":"x"}`}[d.method]
			refused++
		} else {
			read++
		}
		rec := w.ask(d.method, path, text, bearer(bob)...)
		if rec.Code != want || want == 403 && code(rec) != "forbidden" {
			t.Errorf("%s %s: status %d, want %d: %.300s", d.method, path, rec.Code, want, rec.Body)
		}
		if strings.Contains(rec.Body.String(), "a secret") || strings.Contains(rec.Body.String(), "private") {
			t.Errorf("%s %s tells what alice wrote: %.600s", d.method, path, rec.Body)
		}
		if rec := w.ask(d.method, path, text); rec.Code != 401 {
			t.Errorf("%s %s of nobody: status %d", d.method, path, rec.Code)
		}
	}
	if read < 11 || refused < 2 {
		t.Errorf("%d operations read and %d changed a run", read, refused)
	}
	for _, change := range []string{`{"shared":false}`, `{"starred":true}`, `{"tags":["mine"]}`, `{}`} {
		if rec := w.ask("PATCH", "/api/backtest/runs/"+id, change, bearer(bob)...); rec.Code != 403 {
			t.Errorf("%s: %d", change, rec.Code)
		}
	}
	if rec := w.ask("DELETE", "/api/backtest/runs/"+id+"?purge=true", "", bearer(bob)...); rec.Code != 403 {
		t.Errorf("purge: %d", rec.Code)
	}
	v := w.want(200, "GET", "/api/backtest/results/"+id, "", bearer(bob)...)
	if v["owner"] != "alice" || v["shared"] != true || v["name"] != "for all" || v["notes"] != "" || v["starred"] != false || len(v["tags"].([]any)) != 0 {
		t.Errorf("bob is told %v", v)
	}
	if v := w.want(200, "GET", "/api/backtest/results/"+id, "", bearer(alice)...); v["notes"] != "a secret" || v["starred"] != true || mustJSON(v["tags"]) != `["private"]` {
		t.Errorf("alice is told %v", v)
	}
	if page := w.want(200, "GET", "/api/backtest/history", "", bearer(bob)...); len(page["items"].([]any)) != 0 {
		t.Errorf("bob's history has %v", page)
	}
	own := w.finished(body(trend), bearer(bob)...)
	compared := mustJSON(w.want(200, "GET", "/api/backtest/compare?ids="+id+","+own, "", bearer(bob)...))
	if strings.Count(compared, `"owner":"alice"`) != 1 || strings.Contains(compared, "a secret") {
		t.Errorf("%.800s", compared)
	}
	w.want(200, "GET", "/api/backtest/compare/trades?a="+id+"&b="+own, "", bearer(bob)...)
	w.want(200, "GET", "/api/backtest/results/"+own, "", bearer(bob)...)
}

// A run that is not shared, or not any more, is answered like one that there is not; so is one that was deleted.
func TestARunThatIsNotSharedIsNotThere(t *testing.T) {
	w := newWorld(t, worldOptions{accounts: true})
	alice, bob := w.user("alice", false), w.user("bob", false)
	id := w.finished(body(trend), bearer(alice)...)
	request := regexp.MustCompile(`"(request_id|instance)":"[^"]*"`)
	answer := func(method, path, id, text string) string {
		rec := w.ask(method, strings.ReplaceAll(path, "ID", id), text, bearer(bob)...)
		return rec.Result().Status + request.ReplaceAllString(strings.ReplaceAll(rec.Body.String(), id, "ID"), "")
	}
	absent := func(when string) {
		t.Helper()
		for _, x := range [][3]string{{"GET", "/api/backtest/results/ID"}, {"GET", "/api/backtest/results/ID/result"}, {"GET", "/api/backtest/results/ID/equity"}, {"GET", "/api/backtest/runs/ID/events"},
			{"GET", "/api/files/tearsheet/ID.html"}, {"GET", "/api/files/csv/ID.csv"}, {"GET", "/api/backtest/compare?ids=ID,ID"}, {"PATCH", "/api/backtest/runs/ID", `{"shared":true}`},
			{"DELETE", "/api/backtest/runs/ID"}, {"DELETE", "/api/backtest/runs/ID?purge=true"}} {
			if got, want := answer(x[0], x[1], id, x[2]), answer(x[0], x[1], noRun, x[2]); got != want || !strings.HasPrefix(got, "404") {
				t.Errorf("%s: %s %s: %s\nof none: %s", when, x[0], x[1], got, want)
			}
		}
	}
	absent("before")
	w.share(id, "true", bearer(alice)...)
	w.want(200, "GET", "/api/backtest/results/"+id+"/equity", "", bearer(bob)...)
	w.share(id, "false", bearer(alice)...)
	absent("after")
	w.share(id, "true", bearer(alice)...)
	w.want(204, "DELETE", "/api/backtest/runs/"+id+"?purge=true", "", bearer(alice)...)
	absent("deleted")
}

// Sharing is a change like the others: it takes the scope to run, counts as a revision, and is refused over a later one.
func TestSharingIsAChange(t *testing.T) {
	w := newWorld(t, worldOptions{accounts: true})
	alice := w.user("alice", false)
	id := w.finished(body(trend), bearer(alice)...)
	reader := w.want(201, "POST", "/api/auth/tokens", `{"name":"r","scopes":["read"]}`, bearer(alice)...)["token"].(string)
	if rec := w.ask("PATCH", "/api/backtest/runs/"+id, `{"shared":true}`, bearer(reader)...); rec.Code != 403 {
		t.Errorf("a token that may only read: %d", rec.Code)
	}
	old := w.ask("GET", "/api/backtest/results/"+id, "", bearer(alice)...).Header().Get("ETag")
	w.share(id, "true", append(bearer(alice), "If-Match", old)...)
	if rec := w.ask("PATCH", "/api/backtest/runs/"+id, `{"shared":false}`, append(bearer(alice), "If-Match", old)...); rec.Code != 412 {
		t.Errorf("over a later change: %d", rec.Code)
	}
	if v := w.want(200, "PATCH", "/api/backtest/runs/"+id, `{"name":"other"}`, bearer(alice)...); v["shared"] != true {
		t.Errorf("a new name ended the sharing: %v", v)
	}
	runner := w.want(201, "POST", "/api/auth/tokens", `{"name":"rr","scopes":["read","run"]}`, bearer(alice)...)["token"].(string)
	if v := w.share(id, "false", bearer(runner)...); v["shared"] != false {
		t.Errorf("%v", v)
	}
}

// Who follows a shared run is told how it goes without what its owner wrote on it, until it is shared no more.
func TestAStreamEndsWithTheSharing(t *testing.T) {
	w := newWorld(t, worldOptions{accounts: true, workers: -1, server: func(o *server.Options) { o.Ping = 100 * time.Millisecond }})
	alice, bob := w.user("alice", false), w.user("bob", false)
	id := w.want(202, "POST", "/api/backtest/run", body(trend, `, "notes": "a secret", "tags": ["private"]`), bearer(alice)...)["run_id"].(string)
	w.share(id, "true", bearer(alice)...)
	follow := func(token string) (told func() string, ended chan struct{}) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		t.Cleanup(cancel)
		r := httptest.NewRequestWithContext(ctx, "GET", "/api/backtest/runs/"+id+"/events", nil)
		r.Host = "localhost"
		r.Header.Set("Authorization", "Bearer "+token)
		rec := httptest.NewRecorder()
		ended = make(chan struct{})
		go func() { defer close(ended); w.handler.ServeHTTP(rec, r) }()
		return func() string { return rec.Body.String() }, ended
	}
	guests, guestEnded := follow(bob)
	owners, ownerEnded := follow(alice)
	time.Sleep(300 * time.Millisecond)
	w.share(id, "false", bearer(alice)...)
	select {
	case <-guestEnded:
	case <-ownerEnded:
		t.Fatal("the owner's stream ended")
	case <-time.After(30 * time.Second):
		t.Fatal("the stream goes on")
	}
	if text := guests(); !strings.Contains(text, "event: state") || !strings.Contains(text, id) || strings.Contains(text, "a secret") || strings.Contains(text, "private") {
		t.Errorf("bob is told %s", text)
	}
	w.want(202, "DELETE", "/api/backtest/runs/"+id, "", bearer(alice)...)
	<-ownerEnded
	if text := owners(); !strings.Contains(text, "a secret") || !strings.Contains(text, "event: cancelled") {
		t.Errorf("alice is told %s", text)
	}
}
