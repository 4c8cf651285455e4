package server_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"backtester/backtest/bar"
	"backtester/backtest/history"
	"backtester/backtest/instrument"
	"backtester/backtest/job"
	"backtester/server"
)

func decodeInto(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%v: %.300s", err, text)
	}
}

func withSearches(o *job.Options) {
	o.Execute = map[history.Kind]job.Executor{history.KindSweep: server.SweepBy(server.Here), history.KindValidate: server.Validate(o.History, server.Here)}
}

// years is a market without memory over n sessions.
func years(n int) string {
	r := rand.New(rand.NewPCG(3, 7))
	var b strings.Builder
	b.WriteString("date,open,high,low,close,volume\n")
	price := 100.0
	for _, d := range bar.NYSE().Sessions(instrument.NewDate(2015, 1, 1), instrument.NewDate(2030, 1, 1))[:n] {
		open := price
		price *= 1 + 0.01*r.NormFloat64()
		fmt.Fprintf(&b, "%s,%.4f,%.4f,%.4f,%.4f,1000000\n", d, open, max(open, price), min(open, price), price)
	}
	return b.String()
}

const doubted = `{"name": "doubted", "universe": {"symbols": ["XYZ"]}, "params": {"fall": [0.008, 0.01, 0.012, 0.014], "hold": [1, 2]},
	"entry": "close / close[1] - 1 < -fall", "exit": "bars_held >= hold", "size": {"weight": 1, "fractional": true}, "costs": {"slippage": {"bps": 1}},
	"search": {"min_trades": 5}, "validate": {"walk_forward": {"train": "1y", "test": "6m"}, "pbo": 8, "draws": 99, "noise": 2}}`

func TestValidationAsARun(t *testing.T) {
	w := newWorld(t, worldOptions{jobs: withSearches, prices: years(900)})
	if kinds := w.want(200, "GET", "/api/version", "")["kinds"]; mustJSON(kinds) != `["run","sweep","validate"]` {
		t.Errorf("kinds %v", kinds)
	}
	id := w.finished(body(doubted, `, "kind": "validate"`))
	v := w.want(200, "GET", "/api/backtest/results/"+id, "")
	summary := v["summary"].(map[string]any)
	if v["kind"] != "validate" || summary["combinations"] != 8.0 || summary["verdict"] == "" || len(summary["questions"].([]any)) < 8 {
		t.Errorf("%v", v)
	}
	answer := w.ask("GET", "/api/backtest/results/"+id+"/result", "")
	var doc struct {
		Verdict   string
		Questions []struct{ Key, Verdict, Answer string }
		Selection struct{ Trials int64 }
		Walk      *struct{ Windows []any } `json:"walk_forward"`
	}
	decodeInto(t, answer.Body.Bytes(), &doc)
	// The eight of the search, and those of the training windows that are other data.
	if answer.Code != 200 || doc.Verdict != summary["verdict"] || len(doc.Questions) != len(summary["questions"].([]any)) || doc.Walk == nil || doc.Selection.Trials < 8 {
		t.Errorf("%d %+v", answer.Code, doc)
	}
	if page := w.ask("GET", "/api/files/tearsheet/"+id+".html", ""); page.Code != 200 || !strings.Contains(page.Body.String(), "doubted") {
		t.Errorf("the page: %d", page.Code)
	}
	// It is no run: what only runs have is not there.
	for _, path := range []string{"/equity", "/trades", "/journal", "/bars", "/rows"} {
		if rec := w.ask("GET", "/api/backtest/results/"+id+path, ""); rec.Code != 404 {
			t.Errorf("%s of a validation: %d", path, rec.Code)
		}
	}
	if list := w.want(200, "GET", "/api/backtest/history?kind=validate", "")["items"].([]any); len(list) != 1 {
		t.Errorf("history: %v", list)
	}
	// The same again counts no trial twice, and gives the same bytes.
	again := w.finished(body(doubted, `, "kind": "validate"`))
	if rec := w.ask("GET", "/api/backtest/results/"+again+"/result", ""); rec.Body.String() != answer.Body.String() {
		t.Errorf("the same validation twice differs")
	}
	// More trials can be said to have been made, never fewer; what cannot be read is refused before it is queued.
	more := w.finished(body(doubted, `, "kind": "validate", "options": {"trials": 5000}`))
	decodeInto(t, w.ask("GET", "/api/backtest/results/"+more+"/result", "").Body.Bytes(), &doc)
	if doc.Selection.Trials != 5000 {
		t.Errorf("%d trials, want the 5000 that were said", doc.Selection.Trials)
	}
	for _, x := range []string{`"validate", "options": {"trials": -1}`, `"validate", "options": {"trails": 1}`, `"sweep", "options": {"method": 5}`, `"run", "options": {"x": 1}`} {
		if rec := w.ask("POST", "/api/backtest/run", body(doubted, `, "kind": `+x)); rec.Code != 422 || !strings.Contains(rec.Body.String(), `"/options"`) {
			t.Errorf("%s: %d %s", x, rec.Code, rec.Body)
		}
	}
	// A search that cannot be played is the client's to mend, and says so.
	none := strings.Replace(doubted, `"search": {`, `"constraint": ["fall > 1"], "search": {`, 1)
	failed := w.want(202, "POST", "/api/backtest/run", body(none, `, "kind": "validate"`))["run_id"].(string)
	if e, _ := w.want(200, "GET", "/api/backtest/results/"+failed+"?wait=30", "")["error"].(map[string]any); e["code"] != "validation" {
		t.Errorf("a search without combinations: %v", e)
	}
}

// A validation that goes on tells what it is at, and stops when its owner says so.
func TestValidationIsWatchedAndCancelled(t *testing.T) {
	w := newWorld(t, worldOptions{jobs: withSearches, prices: years(2000)})
	long := strings.Replace(doubted, `"draws": 99`, `"draws": 20000`, 1)
	s := w.listen()
	id := w.want(202, "POST", "/api/backtest/run", body(long, `, "kind": "validate"`))["run_id"].(string)
	events := make(chan []event, 1)
	go func() {
		events <- follow(t, s.URL+"/api/backtest/runs/"+id+"/events", "", func(e event) bool { return e.kind == "log" })
	}()
	list := <-events
	if last := list[len(list)-1]; last.kind != "log" || !strings.Contains(last.data, `{"line":"`) {
		t.Errorf("it tells %+v", last)
	}
	w.want(202, "DELETE", "/api/backtest/runs/"+id, "")
	if v := w.want(200, "GET", "/api/backtest/results/"+id+"?wait=30", ""); v["status"] != "cancelled" {
		t.Errorf("%v", v)
	}
}
