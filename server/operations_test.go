package server_test

import (
	"context"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"backtester/backtest/history"
	"backtester/backtest/job"
	"backtester/server"
	"backtester/server/library"
)

func trustLocalProxy(o *server.Options) {
	o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
}

const noRun = "01HZZZZZZZZZZZZZZZZZZZZZZZ"

func TestSeriesPagesAndErrors(t *testing.T) {
	w := newWorld(t, worldOptions{})
	id := w.finished(body(trend))
	in := "/api/backtest/results/" + id
	for _, list := range []string{"/trades", "/journal"} {
		first := w.want(200, "GET", in+list+"?limit=1", "")
		next, ok := first["next_cursor"].(string)
		if !ok {
			t.Fatalf("%s: %v", list, first)
		}
		second := w.want(200, "GET", in+list+"?limit=1&cursor="+next, "")
		if mustJSON(first["items"]) == mustJSON(second["items"]) {
			t.Errorf("%s: the second page is the first", list)
		}
		for _, bad := range []string{"x", next + "A", next[:len(next)-1], strings.ToUpper(next)} {
			if rec := w.ask("GET", in+list+"?limit=1&cursor="+bad, ""); rec.Code != 400 || code(rec) != "bad-cursor" {
				t.Errorf("%s cursor %q: %d", list, bad, rec.Code)
			}
		}
	}
	trades := w.want(200, "GET", in+"/trades?limit=1", "")["next_cursor"].(string)
	if rec := w.ask("GET", in+"/journal?cursor="+trades, ""); rec.Code != 400 {
		t.Errorf("a cursor of another list: %d", rec.Code)
	}
	if rec := w.ask("GET", in+"/bars?symbol=NOPE", ""); rec.Code != 424 || !strings.Contains(rec.Body.String(), "bars of NOPE") {
		t.Errorf("bars of a symbol that the run has not: %d %s", rec.Code, rec.Body)
	}
	for _, path := range []string{"", "/result", "/equity", "/trades", "/journal", "/bars", "/files/x.json"} {
		if rec := w.ask("GET", "/api/backtest/results/"+noRun+path, ""); rec.Code != 404 {
			t.Errorf("%s of no run: %d", path, rec.Code)
		}
	}
	for _, query := range []string{"?points=99", "?points=20001", "?from=yesterday", "?to=2024-13-01", "?nonsense=1"} {
		if rec := w.ask("GET", in+"/equity"+query, ""); rec.Code != 422 {
			t.Errorf("equity%s: %d", query, rec.Code)
		}
	}
	rec := w.ask("GET", in+"/files/"+id+".json", "")
	if rec.Code != 200 || !strings.HasPrefix(rec.Header().Get("Content-Disposition"), "attachment") {
		t.Errorf("the file: %d %v", rec.Code, rec.Header())
	}
	for _, path := range []string{in + "/files/" + id + ".json", "/api/files/csv/" + id + ".csv", "/api/files/tearsheet/" + id + ".html"} {
		tag := w.ask("GET", path, "").Header().Get("ETag")
		if rec := w.ask("GET", path, "", "If-None-Match", tag); rec.Code != 304 {
			t.Errorf("%s with its tag %s: %d", path, tag, rec.Code)
		}
	}
	if rec := w.ask("GET", "/api/jobs/"+id, ""); rec.Code != 200 {
		t.Errorf("as a job: %d", rec.Code)
	}
	if rec := w.ask("GET", "/api/jobs/"+noRun, ""); rec.Code != 404 {
		t.Errorf("no job: %d", rec.Code)
	}
}

// A run that waits or has been cancelled has no result; states are told as conflicts.
func TestRunsThatHaveNotEnded(t *testing.T) {
	w := newWorld(t, worldOptions{workers: -1})
	accepted := w.want(202, "POST", "/api/backtest/run", body(trend))
	id := accepted["run_id"].(string)
	if accepted["position"] != 1.0 || accepted["status"] != "queued" {
		t.Errorf("%v", accepted)
	}
	second := w.want(202, "POST", "/api/backtest/run", body(trend))["run_id"].(string)
	for _, path := range []string{"/result", "/equity", "/trades", "/journal", "/bars"} {
		if rec := w.ask("GET", "/api/backtest/results/"+id+path, ""); rec.Code != 409 || code(rec) != "not-finished" {
			t.Errorf("%s: %d", path, rec.Code)
		}
	}
	if rec := w.ask("GET", "/api/backtest/compare/trades?a="+id+"&b="+second, ""); rec.Code != 409 {
		t.Errorf("trades of a run that goes on: %d %s", rec.Code, rec.Body)
	}
	if rec := w.ask("GET", "/api/backtest/compare?ids="+id+","+second, ""); rec.Code != 409 {
		t.Errorf("compare: %d", rec.Code)
	}
	if v := w.want(200, "GET", "/api/backtest/results/"+second, ""); v["position"] != 2.0 {
		t.Errorf("position of the second: %v", v["position"])
	}
	begun := time.Now()
	w.want(200, "GET", "/api/backtest/results/"+id+"?wait=1", "")
	if took := time.Since(begun); took < 900*time.Millisecond {
		t.Errorf("waited %s for a run that does not end, want a second", took)
	}
	for range 2 { // again is the same
		if v := w.want(202, "DELETE", "/api/backtest/runs/"+id, ""); v["status"] != "cancelled" {
			t.Errorf("%v", v)
		}
	}
	if rec := w.ask("GET", "/api/backtest/results/"+id+"/result", ""); rec.Code != 404 {
		t.Errorf("result of a cancelled run: %d", rec.Code)
	}
	w.want(204, "DELETE", "/api/backtest/runs/"+id+"?purge=true", "")
	if rec := w.ask("DELETE", "/api/backtest/runs/"+id, ""); rec.Code != 404 {
		t.Errorf("a deleted run: %d", rec.Code)
	}
}

func TestLabels(t *testing.T) {
	w := newWorld(t, worldOptions{})
	id := w.finished(body(trend))
	at := "/api/backtest/runs/" + id
	if rec := w.ask("DELETE", at, ""); rec.Code != 409 || code(rec) != "run-finished" {
		t.Errorf("cancel of a run that ended: %d", rec.Code)
	}
	rec := w.ask("PATCH", at, `{"name":"n","tags":["b","a","a"],"notes":"x","starred":true}`)
	tag := rec.Header().Get("ETag")
	var v server.Run
	if err := json.Unmarshal(rec.Body.Bytes(), &v); err != nil || rec.Code != 200 || v.Name != "n" || len(v.Tags) != 2 || !v.Starred {
		t.Fatalf("%d %v %+v", rec.Code, err, v)
	}
	if rec := w.ask("PATCH", at, `{"name":"m"}`, "If-Match", tag); rec.Code != 200 {
		t.Errorf("with the tag: %d", rec.Code)
	}
	if rec := w.ask("PATCH", at, `{"name":"l"}`, "If-Match", tag); rec.Code != 412 || code(rec) != "changed" {
		t.Errorf("with the tag of before: %d", rec.Code)
	}
	for _, bad := range []string{`{"tags":[""]}`, `{"name":"` + strings.Repeat("x", 121) + `"}`, `{"notes":"a\u0000b"}`, `{"name":"\u202etxt.exe"}`} {
		if rec := w.ask("PATCH", at, bad); rec.Code != 422 {
			t.Errorf("%.40s: %d", bad, rec.Code)
		}
	}
	if rec := w.ask("PATCH", "/api/backtest/runs/"+noRun, `{"name":"m"}`); rec.Code != 404 {
		t.Errorf("no run: %d", rec.Code)
	}
	if page := w.want(200, "GET", "/api/backtest/history?starred=true&q=x", ""); len(page["items"].([]any)) != 1 {
		t.Errorf("%v", page)
	}
}

func TestHistoryPages(t *testing.T) {
	w := newWorld(t, worldOptions{})
	var ids []string
	for range 5 {
		ids = append(ids, w.finished(body(trend)))
	}
	seen, cursor := map[string]bool{}, ""
	for range 10 {
		page := w.want(200, "GET", "/api/backtest/history?limit=2&sort=-sharpe"+cursor, "")
		for _, x := range page["items"].([]any) {
			seen[x.(map[string]any)["run_id"].(string)] = true
		}
		next, more := page["next_cursor"].(string)
		if !more {
			break
		}
		cursor = "&cursor=" + next
	}
	if len(seen) != len(ids) {
		t.Errorf("pages hold %d runs of %d", len(seen), len(ids))
	}
	if rec := w.ask("GET", "/api/backtest/history?limit=2&sort=sharpe"+cursor, ""); rec.Code != 400 {
		t.Errorf("the cursor of another order: %d", rec.Code)
	}
	for _, bad := range []string{"sort=id;drop table runs", "sort=owner", "status=lost", "kind=x", "from=1.1.2024", "limit=0", "limit=501", "nonsense=1"} {
		if rec := w.ask("GET", "/api/backtest/history?"+strings.ReplaceAll(bad, " ", "%20"), ""); rec.Code != 422 {
			t.Errorf("%s: %d", bad, rec.Code)
		}
	}
	compared := w.want(200, "GET", "/api/backtest/compare?ids="+ids[0]+","+ids[1], "")
	if items := compared["items"].([]any); len(items) != 2 || items[0].(map[string]any)["run_id"] != ids[0] {
		t.Errorf("%v", compared)
	}
	if rec := w.ask("GET", "/api/backtest/compare?ids="+ids[0]+","+noRun, ""); rec.Code != 404 || !strings.Contains(rec.Body.String(), noRun) {
		t.Errorf("compare with no run: %d %s", rec.Code, rec.Body)
	}
	if rec := w.ask("GET", "/api/backtest/compare?ids="+ids[0], ""); rec.Code != 422 {
		t.Errorf("compare one: %d", rec.Code)
	}
}

// The trades in which two runs differ are told page after page, each with its place in its run; a run does not
// differ from itself.
func TestCompareTrades(t *testing.T) {
	w := newWorld(t, worldOptions{})
	a := w.finished(body(trend))
	b := w.finished(body(`{"name": "longer", "universe": {"symbols": ["XYZ"]}, "entry": "close > close[1]", "exit": "close < close[2]"}`))
	at := "/api/backtest/compare/trades?a=" + a + "&b=" + b
	listed := map[string][]any{}
	for _, id := range []string{a, b} {
		listed[id] = w.want(200, "GET", "/api/backtest/results/"+id+"/trades?limit=5000", "")["items"].([]any)
	}
	whole := w.want(200, "GET", at+"&limit=5000", "")
	n := func(key string) int { return int(whole[key].(float64)) }
	if n("same")+n("differ")+n("only_a") != len(listed[a]) || n("same")+n("differ")+n("only_b") != len(listed[b]) || n("differ") == 0 || n("only_a") == 0 {
		t.Fatalf("%d and %d trades: %v", len(listed[a]), len(listed[b]), whole)
	}
	items := whole["items"].([]any)
	if len(items) != n("total") || n("total") != n("differ")+n("only_a")+n("only_b") {
		t.Errorf("%d items of %d", len(items), n("total"))
	}
	for _, x := range items {
		d := x.(map[string]any)
		for side, id := range map[string]string{"a": a, "b": b} {
			if place, ok := d[side+"_index"].(float64); ok && mustJSON(listed[id][int(place)]) != mustJSON(d[side]) {
				t.Fatalf("%s: place %v holds %s", mustJSON(d), place, mustJSON(listed[id][int(place)]))
			}
		}
	}
	first := w.want(200, "GET", at+"&limit=1&show=only_a", "")
	next, more := first["next_cursor"].(string)
	if first["total"] != whole["only_a"] || more != (n("only_a") > 1) {
		t.Errorf("a page of one: %v", first)
	}
	if !more {
		next = "none"
	}
	if rec := w.ask("GET", at+"&limit=1&show=only_b&cursor="+next, ""); rec.Code != 400 {
		t.Errorf("the cursor of another list: %d", rec.Code)
	}
	if rec := w.ask("GET", at+"&show=some", ""); rec.Code != 422 {
		t.Errorf("what there is not: %d", rec.Code)
	}
	if same := w.want(200, "GET", "/api/backtest/compare/trades?a="+a+"&b="+a, ""); int(same["same"].(float64)) != len(listed[a]) || same["total"] != 0.0 {
		t.Errorf("with itself: %v", same)
	}
	if rec := w.ask("GET", "/api/backtest/compare/trades?a="+a+"&b="+noRun, ""); rec.Code != 404 {
		t.Errorf("with no run: %d", rec.Code)
	}
}

func TestStrategies(t *testing.T) {
	w := newWorld(t, worldOptions{})
	text := mustJSON(map[string]string{"text": "name: mine\nuniverse: {symbols: [XYZ]}\nparams: {n: [2, 3]}\nentry: close > sma(close, n)\nexit: close < sma(close, n)\n"})
	rec := w.ask("PUT", "/api/strategies/mine", text, "If-None-Match", "*")
	tag := rec.Header().Get("ETag")
	if rec.Code != 200 || tag != `"v1"` || !strings.Contains(rec.Body.String(), `"params":[{"name":"n"`) {
		t.Fatalf("%d %s %s", rec.Code, tag, rec.Body)
	}
	if rec := w.ask("PUT", "/api/strategies/mine", text, "If-None-Match", "*"); rec.Code != 412 {
		t.Errorf("a name that is taken: %d", rec.Code)
	}
	broken := mustJSON(map[string]string{"text": "entry: clos > 5"})
	if v := w.want(200, "PUT", "/api/strategies/mine", broken, "If-Match", tag); v["version"] != 2.0 || len(v["findings"].([]any)) == 0 {
		t.Errorf("%v", v)
	}
	if rec := w.ask("PUT", "/api/strategies/mine", text, "If-Match", tag); rec.Code != 412 {
		t.Errorf("an old version is changed: %d", rec.Code)
	}
	for _, bad := range []string{"check", "..", "a%2fb", "-x", "a%00", "format"} {
		if rec := w.ask("PUT", "/api/strategies/"+bad, text); rec.Code != 422 && rec.Code != 405 && rec.Code != 404 {
			t.Errorf("name %s: %d", bad, rec.Code)
		}
	}
	// A built-in one's name means that one, in whatever case; one that was saved before it came stays its owner's.
	for _, name := range []string{"golden-cross", "Golden-Cross"} {
		if rec := w.ask("PUT", "/api/strategies/"+name, text); rec.Code != 422 || !strings.Contains(rec.Body.String(), "the name of a built-in strategy") {
			t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
		}
	}
	if _, err := (library.Shelf{DB: w.db}).Save(t.Context(), "local", "golden-cross", "entry: close > 1\n", 0); err != nil {
		t.Fatal(err)
	}
	if v := w.want(200, "PUT", "/api/strategies/golden-cross", text); v["version"] != 2.0 {
		t.Errorf("%v", v)
	}
	w.want(204, "DELETE", "/api/strategies/golden-cross", "")
	if v := w.want(200, "GET", "/api/strategies/golden-cross", ""); v["origin"] != "built-in" {
		t.Errorf("%v", v)
	}
	if v := w.want(200, "GET", "/api/strategies/mine?version=1", ""); v["latest"] != 2.0 || !strings.Contains(v["text"].(string), "sma") {
		t.Errorf("%v", v)
	}
	shrape := mustJSON(map[string]string{"text": "name: m\nuniverse: {symbols: [XYZ]}\nentry: close > 5\nexit: close < 5\nsearch: {objective: shrape}\n"})
	if v := w.want(200, "POST", "/api/strategies/check", shrape); v["valid"] != false || !strings.Contains(mustJSON(v["findings"]), "shrape") {
		t.Errorf("an objective that is no metric: %v", v)
	}
	w.finished(body(`"mine@1"`))
	if rec := w.ask("POST", "/api/backtest/run", body(`"mine"`)); rec.Code != 422 || code(rec) != "invalid-strategy" {
		t.Errorf("a saved text with faults: %d", rec.Code)
	}
	if v := w.want(200, "GET", "/api/strategies/mine/versions", ""); len(v["items"].([]any)) != 2 {
		t.Errorf("%v", v)
	}
	list := mustJSON(w.want(200, "GET", "/api/strategies", ""))
	if !strings.Contains(list, `"origin":"saved"`) || !strings.Contains(list, "golden-cross") {
		t.Errorf("%.300s", list)
	}
	w.want(200, "GET", "/api/strategies/golden-cross", "")
	w.want(204, "DELETE", "/api/strategies/mine", "")
	for _, x := range [][2]string{{"DELETE", ""}, {"GET", ""}, {"GET", "/versions"}} {
		if rec := w.ask(x[0], "/api/strategies/mine"+x[1], ""); rec.Code != 404 {
			t.Errorf("%v after the deletion: %d", x, rec.Code)
		}
	}
}

func TestEditor(t *testing.T) {
	w := newWorld(t, worldOptions{})
	text := func(s string, more string) string { return `{"text":` + mustJSON(s) + more + `}` }
	if v := w.want(200, "POST", "/api/strategies/check", text("entry: close > 5\nuniverse: {symbols: [XYZ]}\n", "")); v["valid"] != true {
		t.Errorf("%v", v)
	}
	if v := w.want(200, "POST", "/api/strategies/check", text("entry: clos > 5\n", "")); v["valid"] != false {
		t.Errorf("%v", v)
	}
	if v := w.want(200, "POST", "/api/strategies/format", text("entry:   close>5\n", "")); v["text"] != "entry: close > 5\n" {
		t.Errorf("%q", v["text"])
	}
	if rec := w.ask("POST", "/api/strategies/format", text("a: [", "")); rec.Code != 422 {
		t.Errorf("format of nonsense: %d", rec.Code)
	}
	if v := w.want(200, "POST", "/api/strategies/complete", text("entry: sm", `,"line":1,"column":10`)); !strings.Contains(mustJSON(v), `"sma`) {
		t.Errorf("%v", v)
	}
	if v := w.want(200, "POST", "/api/strategies/hover", text("entry: sma(close, 5) > 1", `,"line":1,"column":9`)); v["hint"] == nil {
		t.Errorf("%v", v)
	}
	if v := w.want(200, "POST", "/api/strategies/explain", body(trend)); v["text"] == "" || len(v["settings"].([]any)) < 10 {
		t.Errorf("%v", v)
	}
	if rec := w.ask("POST", "/api/strategies/explain", body(`"entry: clos > 1\n"`)); rec.Code != 422 {
		t.Errorf("explain of faults: %d", rec.Code)
	}
	if v := w.want(200, "GET", "/api/schema", ""); v["$schema"] == nil {
		t.Errorf("the schema: %.100v", v)
	}
	if v := w.want(200, "GET", "/api/metrics", ""); len(v["items"].([]any)) < 100 {
		t.Errorf("%d metrics", len(v["items"].([]any)))
	}
	if v := w.want(200, "GET", "/api/indicators", ""); len(v["items"].([]any)) < 50 {
		t.Errorf("%d indicators", len(v["items"].([]any)))
	}
	w.want(200, "GET", "/api/profiles", "")
}

func TestDataOverHTTP(t *testing.T) {
	w := newWorld(t, worldOptions{jobs: func(o *job.Options) {
		o.Execute = map[history.Kind]job.Executor{history.KindFetch: func(context.Context, *job.Work) (*job.Done, error) {
			return &job.Done{Summary: []byte(`{"files":1}`)}, nil
		}}
	}})
	v := w.want(200, "GET", "/api/data/tickers?q=xy&limit=1", "")
	if mustJSON(v["tickers"]) != `["XYZ"]` || v["success"] != true {
		t.Errorf("%v", v)
	}
	bars := w.want(200, "GET", "/api/data/bars/XYZ?start_date=2024-03-07&end_date=2024-03-08", "")
	if got := mustJSON(bars["data"].(map[string]any)["dates"]); got != `["2024-03-07","2024-03-08"]` || mustJSON(bars["data"].(map[string]any)["open"]) != `[11.4,11.3]` {
		t.Errorf("%v", bars)
	}
	for path, status := range map[string]int{
		"/api/data/bars/NOPE": 404, "/api/data/bars/XYZ?from=7.3.2024": 422, "/api/data/bars/XYZ?form=2024-03-07": 422, "/api/data/bars/..%2f..%2fetc": 404,
		"/api/data/bars/XYZ?from=2025-01-02&to=2025-02-03": 424, "/api/data/bars/XYZ?timeframe=1m": 424, "/api/data/bars/XYZ?from=2024-03-08&to=2024-03-07": 422,
		"/api/data/bars/a%00b": 404, "/api/data/bars/XYZ?timeframe=1x": 422, "/api/data/tickers?cursor=x": 400, "/api/data/tickers?timeframe=9": 422, "/api/data/tickers?limit=0": 422,
	} {
		if rec := w.ask("GET", path, ""); rec.Code != status {
			t.Errorf("%s: %d, want %d", path, rec.Code, status)
		}
	}
	gap := w.want(424, "GET", "/api/data/bars/XYZ?from=2025-01-02&to=2025-02-03", "")
	if mustJSON(gap["cure"]) != `{"dataset":"day","from":"2025-01-02","to":"2025-02-03"}` || !strings.Contains(mustJSON(gap["missing"]), "2024-03-01..2024-03-12") {
		t.Errorf("%v", gap)
	}
	if cure := w.want(424, "GET", "/api/data/bars/XYZ?timeframe=1m", "")["cure"]; mustJSON(cure) != `{"dataset":"minute"}` {
		t.Errorf("%v", cure)
	}
	w.want(200, "GET", "/api/data/coverage", "")
	id := w.want(202, "POST", "/api/data/fetch", `{"dataset":"day","from":"2024-01-02"}`)["run_id"].(string)
	if v := w.want(200, "GET", "/api/backtest/results/"+id+"?wait=10", ""); v["status"] != "succeeded" || v["kind"] != "fetch" || v["name"] != "Daily bars from 2024-01-02" {
		t.Errorf("%v", v)
	}
	if rec := w.ask("POST", "/api/data/fetch", `{"dataset":"everything"}`); rec.Code != 422 {
		t.Errorf("an unknown dataset: %d", rec.Code)
	}
	if rec := newWorld(t, worldOptions{}).ask("POST", "/api/data/fetch", `{"dataset":"day"}`); rec.Code != 501 {
		t.Errorf("without credentials: %d", rec.Code)
	}
}

func TestHealth(t *testing.T) {
	w := newWorld(t, worldOptions{accounts: true})
	if v := w.want(200, "GET", "/api/health", ""); v["status"] != "ok" || v["version"] != "test" {
		t.Errorf("%v", v)
	}
	w.want(204, "GET", "/api/health/live", "")
	w.want(204, "GET", "/api/health/ready", "")
	w.want(200, "GET", "/api/version", "")
	w.want(200, "HEAD", "/api/health", "")
	w.want(200, "GET", "/api/health/details", "", bearer(w.user("root", true))...)
	if rec := w.ask("GET", "/api/health/details", "", bearer(w.user("bob", false))...); rec.Code != 403 {
		t.Errorf("details for everybody: %d", rec.Code)
	}
}

// Documents of the former application are waited for and answered in its shape.
func TestFormerApplication(t *testing.T) {
	w := newWorld(t, worldOptions{})
	const old = `{"symbol":"XYZ","startDate":"2024-03-01","endDate":"2024-03-12","indicators":{"sma":{"period":2}},
		"entryConditions":[{"source":"close","comparison":"above","target":"sma_2"}],"exitConditions":[{"source":"close","comparison":"below","target":"sma_2"}]}`
	v := w.want(200, "POST", "/api/backtest/run", old)
	data, _ := v["data"].(map[string]any)
	if v["success"] != true || data == nil || data["run_id"] != v["run_id"] || data["total_trades"].(float64) < 1 || data["metrics"].(map[string]any)["total_return"] == nil {
		t.Errorf("%v", v)
	}
	p := w.want(200, "POST", "/api/backtest/preview", old)
	data = p["data"].(map[string]any)
	dates, signals := data["dates"].([]any), data["signals"].(map[string]any)
	if p["success"] != true || len(dates) != 8 || len(signals["entry"].([]any)) != 8 || data["summary"].(map[string]any)["total_bars"] != 8.0 || data["ohlcv"].(map[string]any)["close"] == nil {
		t.Errorf("%v", p)
	}
	// The columns of all indicators that were set, by the names that scripts know, used or not.
	p = w.want(200, "POST", "/api/backtest/preview", strings.Replace(old, `{"sma":{"period":2}}`, `{"sma":{"period":2},"rsi":{"period":3},"bb":{"period":3,"std_dev":2},"macd":{"fast":2,"slow":3,"signal":2}}`, 1))
	columns := p["data"].(map[string]any)["indicators"].(map[string]any)
	for _, name := range []string{"SMA_2", "RSI", "BB_UPPER", "BB_MIDDLE", "BB_LOWER", "MACD", "MACD_SIGNAL", "MACD_HIST"} {
		if list, _ := columns[name].([]any); len(list) != 8 || list[7] == nil {
			t.Errorf("%s is %v", name, columns[name])
		}
	}
	if up, low := columns["BB_UPPER"].([]any)[7].(float64), columns["BB_LOWER"].([]any)[7].(float64); up <= low {
		t.Errorf("the bands are %g and %g", up, low)
	}
	if rec := w.ask("POST", "/api/backtest/run", `{"symbol":"XYZ","entry_conditions":[{"source":"nonsense_9","comparison":"above","target":1}]}`); rec.Code != 422 || !strings.Contains(rec.Body.String(), `"line":1`) {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

func TestIdempotency(t *testing.T) {
	w := newWorld(t, worldOptions{limits: job.Limits{UserQueued: 3}, workers: -1})
	key := []string{"Idempotency-Key", "abc-1"}
	first := w.ask("POST", "/api/backtest/run", body(trend), key...)
	again := w.ask("POST", "/api/backtest/run", body(trend), key...)
	var a, b struct {
		RunID string `json:"run_id"`
	}
	_, _ = json.Unmarshal(first.Body.Bytes(), &a), json.Unmarshal(again.Body.Bytes(), &b)
	if a.RunID == "" || a.RunID != b.RunID || again.Header().Get("Idempotency-Replayed") != "true" || first.Header().Get("Idempotency-Replayed") != "" {
		t.Errorf("%s %s %v", a.RunID, b.RunID, again.Header())
	}
	if rec := w.ask("POST", "/api/backtest/run", body(trend, `,"from":"2024-03-05"`), key...); rec.Code != 422 || code(rec) != "idempotency-mismatch" {
		t.Errorf("another body: %d %s", rec.Code, rec.Body)
	}
	if rec := w.ask("POST", "/api/backtest/run", body(trend), "Idempotency-Key", "a b"); rec.Code != 422 {
		t.Errorf("a key with a blank: %d", rec.Code)
	}
	w.want(202, "DELETE", "/api/backtest/runs/"+a.RunID, "")
	w.want(204, "DELETE", "/api/backtest/runs/"+a.RunID+"?purge=true", "")
	if rec := w.ask("POST", "/api/backtest/run", body(trend), key...); rec.Code != 409 || !strings.Contains(rec.Body.String(), "new key") {
		t.Errorf("the key of a deleted run: %d %s", rec.Code, rec.Body)
	}
	w.want(202, "POST", "/api/backtest/run", body(trend))
	w.want(202, "POST", "/api/backtest/run", body(trend))
	if v := w.want(202, "POST", "/api/backtest/run?dedupe=true", body(trend)); v["recalled"] != true || v["run_id"] == a.RunID {
		t.Errorf("a run of the same work waits already: %v", v)
	}
	w.want(202, "POST", "/api/backtest/run", body(trend))
	rec := w.ask("POST", "/api/backtest/run", body(trend))
	if rec.Code != 429 || code(rec) != "queue-full" || rec.Header().Get("Retry-After") == "" || !strings.Contains(rec.Body.String(), "at most 3") {
		t.Errorf("a full queue: %d %s", rec.Code, rec.Body)
	}
	if rec := w.ask("POST", "/api/backtest/run", body(trend, `,"symbols":["NOPE"]`)); rec.Code != 424 {
		t.Errorf("no data: %d %s", rec.Code, rec.Body)
	}
}
