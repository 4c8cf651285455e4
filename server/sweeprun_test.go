package server_test

import (
	"strings"
	"testing"

	"backtester/backtest/history"
	"backtester/backtest/job"
	"backtester/backtest/stats/overfit"
	"backtester/report"
	"backtester/server"
)

func withSweeps(o *job.Options) {
	o.Execute = map[history.Kind]job.Executor{history.KindSweep: server.SweepBy(server.Here)}
}

const family = `{"name": "family", "universe": {"symbols": ["XYZ"]}, "params": {"a": [1, 2, 3], "b": [2, 4]}, "constraint": "a < b",
	"entry": "close > close[a]", "exit": "close < sma(close, b)", "search": {"objective": "total_return", "min_trades": 0}}`

func TestSweepAsARun(t *testing.T) {
	w := newWorld(t, worldOptions{jobs: withSweeps})
	id := w.finished(body(strings.Replace(family, `"constraint": "a < b"`, `"constraint": ["a < b"]`, 1), `, "kind": "sweep", "options": {"method": "grid"}`))
	v := w.want(200, "GET", "/api/backtest/results/"+id, "")
	summary := v["summary"].(map[string]any)
	if v["kind"] != "sweep" || summary["combinations"] != 4.0 || mustJSON(summary["params"]) != `["a","b"]` || len(summary["best"].([]any)) == 0 {
		t.Errorf("%v", v)
	}
	rows := w.want(200, "GET", "/api/backtest/results/"+id+"/rows", "")
	values := rows["values"].(map[string]any)
	if rows["total"] != 4.0 || mustJSON(values["a"]) != `[1,1,2,3]` || mustJSON(values["b"]) != `[2,4,4,4]` {
		t.Errorf("%v", rows)
	}
	if rec := w.ask("GET", "/api/files/csv/"+id+".csv", ""); rec.Code != 200 || !strings.HasPrefix(rec.Body.String(), "symbol,a,b,") {
		t.Errorf("%d %.100s", rec.Code, rec.Body)
	}
	if rec := w.ask("GET", "/api/backtest/results/"+noRun+"/rows", ""); rec.Code != 404 {
		t.Errorf("rows of no run: %d", rec.Code)
	}
	run := w.finished(body(trend))
	if rec := w.ask("GET", "/api/backtest/results/"+run+"/rows", ""); rec.Code != 404 {
		t.Errorf("rows of a plain run: %d", rec.Code)
	}
	large := strings.Replace(family, `[1, 2, 3]`, `"1..200"`, 1)
	large = strings.Replace(strings.Replace(large, `[2, 4]`, `"2..200"`, 1), `"constraint": "a < b",`, "", 1)
	failed := w.want(202, "POST", "/api/backtest/run", body(large, `, "kind": "sweep"`))["run_id"].(string)
	v = w.want(200, "GET", "/api/backtest/results/"+failed+"?wait=30", "")
	if e, _ := v["error"].(map[string]any); v["status"] != "failed" || e["code"] != "limit-exceeded" || !strings.Contains(mustJSON(e), "10000") {
		t.Errorf("39,800 combinations: %v", v)
	}
	waiting := newWorld(t, worldOptions{jobs: withSweeps, workers: -1})
	queued := waiting.want(202, "POST", "/api/backtest/run", body(family2(), `, "kind": "sweep"`))["run_id"].(string)
	if rec := waiting.ask("GET", "/api/backtest/results/"+queued+"/rows", ""); rec.Code != 409 {
		t.Errorf("rows of a sweep that waits: %d", rec.Code)
	}
}

// Every combination of a sweep is a trial, once: the same sweep again, and a run of one of them, add none.
func TestASweepIsCounted(t *testing.T) {
	w := newWorld(t, worldOptions{jobs: withSweeps})
	w.finished(body(family2(), `, "kind": "sweep"`))
	trials := func(strategy string) int64 {
		t.Helper()
		id := w.finished(body(strategy))
		results, err := report.ReadJSON(w.ask("GET", "/api/backtest/results/"+id+"/result", "").Body, "the answer")
		if err != nil {
			t.Fatal(err)
		}
		var s overfit.Selection
		err = w.db.Read(t.Context(), func(tx *history.Tx) (err error) {
			run, err := tx.Run("", id)
			if err == nil {
				s, err = tx.Select(run.Owner, results[0], 0)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return s.Trials
	}
	one := strings.Replace(strings.Replace(family2(), `[1, 2, 3]`, `2`, 1), `[2, 4]`, `4`, 1)
	if n := trials(one); n != 4 {
		t.Errorf("%d trials, want the 4 combinations that meet the constraint", n)
	}
	w.finished(body(strings.Replace(family2(), `"family"`, `"again"`, 1), `, "kind": "sweep"`))
	if n := trials(one); n != 4 {
		t.Errorf("%d trials after the same sweep under another name, want 4", n)
	}
	if n := trials(strings.Replace(one, `"a": 2`, `"a": 7`, 1)); n != 5 {
		t.Errorf("%d trials with one more combination, want 5", n)
	}
}

func family2() string {
	return strings.Replace(family, `"constraint": "a < b"`, `"constraint": ["a < b"]`, 1)
}
