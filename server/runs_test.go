package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"backtester/backtest"
	"backtester/backtest/strategy"
)

func TestRunFromStartToEnd(t *testing.T) {
	w := newWorld(t, worldOptions{})
	accepted := w.want(202, "POST", "/api/backtest/run", body(trend, `, "tags": ["a","b"], "notes": "first", "name": "mine"`))
	id := accepted["run_id"].(string)
	done := w.want(200, "GET", "/api/backtest/results/"+id+"?wait=30&include=metrics,config,data,counts,equity,trades", "")
	if done["status"] != "succeeded" || done["strategy"] != "up" || done["name"] != "mine" {
		t.Fatalf("%v", done)
	}
	if done["all_metrics"].(map[string]any)["trades"] == nil || len(done["equity"].(map[string]any)["t"].([]any)) != 9 {
		t.Errorf("%v", done)
	}
	// What one must know is told with every answer: the data's warnings, the caveats of the numbers, and why
	// a metric is null.
	plain := w.want(200, "GET", "/api/backtest/results/"+id, "")
	for _, v := range []map[string]any{plain, done} {
		shown, _ := v["metrics"].(map[string]any)
		if all, ok := v["all_metrics"].(map[string]any); ok {
			shown = all
		}
		reasons, _ := v["undefined"].(map[string]any)
		for key, value := range shown {
			if reason, _ := reasons[key].(string); (value == nil) != (reason != "") {
				t.Errorf("%s is %v, its reason %q", key, value, reason)
			}
		}
		if !strings.Contains(mustJSON(v["warnings"]), "zero_costs") || !strings.Contains(mustJSON(v["caveats"]), `"severity"`) || len(reasons) == 0 {
			t.Errorf("warnings %v, caveats %v, undefined %v", v["warnings"], v["caveats"], reasons)
		}
	}
	for _, path := range []string{"/equity", "/equity?from=2024-03-05&to=2024-03-07", "/trades", "/trades?symbol=XYZ&limit=1", "/journal", "/bars", "/bars?symbol=XYZ&points=100"} {
		w.want(200, "GET", "/api/backtest/results/"+id+path, "")
	}
	page := w.want(200, "GET", "/api/backtest/history?status=succeeded&tag=a&q=first&symbol=XYZ&strategy=up&kind=run", "")
	if items := page["items"].([]any); len(items) != 1 || items[0].(map[string]any)["run_id"] != id {
		t.Errorf("history: %v", page)
	}
	for _, a := range done["artifacts"].([]any) {
		if rec := w.ask("GET", a.(map[string]any)["url"].(string), ""); rec.Code != 200 || rec.Body.Len() == 0 {
			t.Errorf("%v: status %d", a, rec.Code)
		}
	}
}

// The API's bytes are those of the engine as a library, which are those of the command line.
func TestResultIsTheEnginesBytes(t *testing.T) {
	w := newWorld(t, worldOptions{})
	src := source(t, t.TempDir(), prices)
	file, faults := strategy.Parse("other name", []byte(trend))
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	result, err := backtest.Run(context.Background(), file, src)
	if err != nil {
		t.Fatal(err)
	}
	want, err := result.EncodeJSON()
	if err != nil {
		t.Fatal(err)
	}
	id := w.finished(body(trend))
	rec := w.ask("GET", "/api/backtest/results/"+id+"/result", "")
	if !bytes.Equal(rec.Body.Bytes(), want) {
		t.Errorf("the API answers\n%s\nthe engine\n%s", rec.Body, want)
	}
	if len(result.Fills) == 0 {
		t.Error("nothing was traded: the test compares nothing")
	}
	tag := rec.Header().Get("ETag")
	if rec := w.ask("GET", "/api/backtest/results/"+id+"/result", "", "If-None-Match", tag); rec.Code != 304 || tag == "" {
		t.Errorf("with its tag %q: status %d", tag, rec.Code)
	}
}

// All faults of a strategy come at once, each with its place.
func TestFaultsHavePlaces(t *testing.T) {
	w := newWorld(t, worldOptions{})
	text, _ := json.Marshal("name: x\nentry: clos > 5\nsise: {weight: 1}\n")
	for _, path := range []string{"/api/backtest/run", "/api/backtest/preview"} {
		rec := w.ask("POST", path, body(string(text)))
		var p struct {
			Code   string
			Errors []struct {
				Pointer, Code, Detail string
				Line, Column          int
			}
		}
		if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil || rec.Code != 422 || p.Code != "invalid-strategy" {
			t.Fatalf("status %d, %v: %s", rec.Code, err, rec.Body)
		}
		lines := map[int]bool{}
		for _, e := range p.Errors {
			lines[e.Line] = true
			if e.Code == "" || e.Detail == "" || e.Column < 1 || e.Pointer != "/strategy" {
				t.Errorf("fault without code, detail or place: %+v", e)
			}
		}
		if !lines[2] || !lines[3] {
			t.Errorf("faults on lines %v, want 2 and 3", lines)
		}
	}
}

// A fault that shows only when a script runs has the shape of those that show before.
func TestFaultsOfScriptsHavePlaces(t *testing.T) {
	w := newWorld(t, worldOptions{})
	v := w.want(200, "POST", "/api/backtest/run", `{"strategy": {"name": "s", "universe": {"symbols": ["XYZ"]}, "script": "s.star"}, "files": {"s.star": "def on_bar(now):\n    fail('no such day')\n"}}`, "Prefer", "wait=30")
	e, _ := v["error"].(map[string]any)
	if v["status"] != "failed" || e["code"] != "invalid-strategy" {
		t.Fatalf("%v", v)
	}
	faults, _ := e["errors"].([]any)
	if len(faults) != 1 {
		t.Fatalf("%v", e)
	}
	f := faults[0].(map[string]any)
	if f["code"] != "script" || f["line"] != 2.0 || f["column"].(float64) < 1 || !strings.Contains(fmt.Sprint(f["detail"]), "no such day") {
		t.Errorf("%v", f)
	}
}

func TestPreview(t *testing.T) {
	w := newWorld(t, worldOptions{})
	p := w.want(200, "POST", "/api/backtest/preview", body(trend, `, "max_points": 100`))
	symbols := p["symbols"].([]any)
	if len(symbols) != 1 || len(symbols[0].(map[string]any)["entries"].([]any)) != 8 {
		t.Errorf("%v", p)
	}
	p = w.want(200, "POST", "/api/backtest/preview", body(`{"universe": {"symbols": ["XYZ"]}, "strategies": [{"file": "golden-cross"}, {"name": "dip", "file": "rsi-dip"}]}`))
	if symbols = p["symbols"].([]any); len(symbols) != 2 || symbols[0].(map[string]any)["strategy"] != "golden-cross" || symbols[1].(map[string]any)["strategy"] != "dip" {
		t.Errorf("of two strategies on one symbol: %v", symbols)
	}
	if rec := w.ask("POST", "/api/backtest/preview", body(trend, `, "symbols": ["NOPE"]`)); rec.Code != 424 || !strings.Contains(rec.Body.String(), `"cure":{"dataset":"day"`) {
		t.Errorf("status %d: %s", rec.Code, rec.Body)
	}
}

// Symbols replace the universe of the file, and what is set besides counts, as on the command line.
func TestSymbolsReplaceTheUniverse(t *testing.T) {
	w := newWorld(t, worldOptions{})
	chosen := strings.Replace(trend, `"symbols": ["XYZ"]`, `"where": "close > 1000"`, 1)
	universe := func(more string) any {
		id := w.finished(body(chosen, `, "symbols": ["XYZ"]`+more))
		config := w.want(200, "GET", "/api/backtest/results/"+id+"?include=config", "")["config"].(map[string]any)
		return config["universe"].(map[string]any)["where"]
	}
	if where := universe(""); where != nil {
		t.Errorf("the condition of the file stays: %v", where)
	}
	if where := universe(`, "set": {"universe.where": "close > 10"}`); where != "close > 10" {
		t.Errorf("the condition that was set is %v", where)
	}
}

// A run in which bars leave the order of stop and target open says what both answers would have made of it.
func TestBothAnswersStandBesideARun(t *testing.T) {
	w := newWorld(t, worldOptions{})
	last := ""
	both := func(exit string) map[string]any {
		id := w.finished(body(`{"name": "both", "universe": {"symbols": ["XYZ"]}, "entry": "close > 0", "exit": ` + exit + `}`))
		a, _ := w.want(200, "GET", "/api/backtest/results/"+id+"?include=ambiguity", "")["ambiguity"].(map[string]any)
		last = id
		return a
	}
	a := both(`{"stop": "entry_price * 0.9999", "target": "entry_price * 1.0001"}`)
	if n, _ := a["bars"].(float64); n < 1 {
		t.Fatalf("%v", a)
	}
	end := func(key string) float64 {
		return a[key].(map[string]any)["metrics"].(map[string]any)["final_equity"].(float64)
	}
	curve := w.want(200, "GET", "/api/backtest/results/"+last+"/equity", "")
	first, second := curve["stop_first"].([]any), curve["target_first"].([]any)
	if n := len(curve["t"].([]any)); len(first) != n || len(second) != n || first[0] != second[0] || first[n-1] != end("stop_first") || second[n-1] != end("target_first") {
		t.Errorf("beside %d points of equity stand %v and %v", n, first, second)
	}
	if a["sessions"] != nil {
		t.Error("the figures of the extra runs have their equity with them")
	}
	if end("stop_first") >= end("target_first") {
		t.Errorf("with the stop first %v is left, with the target first %v", end("stop_first"), end("target_first"))
	}
	if a := both(`{"stop": "entry_price * 0.5"}`); a != nil {
		t.Errorf("nothing is open, and yet %v", a)
	}
}
