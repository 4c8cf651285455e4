package server_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"backtester/backtest/history"
	"backtester/backtest/job"
	"backtester/backtest/stats/overfit"
	"backtester/backtest/sweep"
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
	if mustJSON(rows["eligible"]) != `[true,true,true,true]` || mustJSON(rows["objective"]) != mustJSON(values["total_return"]) {
		t.Errorf("the objective %v of %v, eligible %v", rows["objective"], values["total_return"], rows["eligible"])
	}
	if c, _ := w.want(200, "GET", "/api/backtest/results/"+id+"?include=config", "")["config"].(map[string]any); fmt.Sprint(c["constraint"], c["name"]) != "[a < b]family" {
		t.Errorf("the settings of a sweep: %v", c)
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
	waiting := newWorld(t, worldOptions{jobs: withSweeps, workers: -1})
	queued := waiting.want(202, "POST", "/api/backtest/run", body(family2(), `, "kind": "sweep"`))["run_id"].(string)
	if rec := waiting.ask("GET", "/api/backtest/results/"+queued+"/rows", ""); rec.Code != 409 {
		t.Errorf("rows of a sweep that waits: %d", rec.Code)
	}
}

// Rows are told while a sweep goes on, each with its objective and whether it may be the best one; who comes
// in the middle is told those so far.
func TestASweepIsWatched(t *testing.T) {
	heard := make(chan struct{})
	w := newWorld(t, worldOptions{jobs: func(o *job.Options) {
		o.Execute = map[history.Kind]job.Executor{history.KindSweep: server.SweepBy(func(ctx context.Context, plan *sweep.Plan, so sweep.Options) (*sweep.Summary, error) {
			<-heard
			return server.Here(ctx, plan, so)
		})}
	}})
	s := w.listen()
	events := make(chan []event, 1)
	var once sync.Once
	lower := strings.NewReplacer(`"total_return"`, `"max_drawdown_days"`, `"min_trades": 0`, `"min_trades": 1, "constraints": ["trades < 0"]`).Replace(family2())
	id := w.want(202, "POST", "/api/backtest/run", body(lower, `, "kind": "sweep"`))["run_id"].(string)
	go func() {
		events <- follow(t, s.URL+"/api/backtest/runs/"+id+"/events", "", func(e event) bool {
			once.Do(func() { close(heard) })
			return e.kind == "done"
		})
	}()
	told := map[string]float64{}
	for _, e := range <-events {
		var rows job.Rows
		if e.kind != "rows" {
			continue
		}
		decodeInto(t, []byte(e.data), &rows)
		for i, at := range rows.At {
			if mustJSON(rows.Params) != `["a","b"]` || rows.Symbol[i] != "XYZ" || rows.Eligible[i] || rows.Value[i] == nil || *rows.Value[i] < 0 {
				t.Errorf("a row %v %v %v %v", rows.Params, rows.Symbol[i], rows.Eligible[i], rows.Value[i])
				continue
			}
			told[mustJSON(at)] = *rows.Value[i]
		}
	}
	table := w.want(200, "GET", "/api/backtest/results/"+id+"/rows", "")
	a, b, objective := table["values"].(map[string]any)["a"].([]any), table["values"].(map[string]any)["b"].([]any), table["objective"].([]any)
	if len(told) != len(a) || len(a) != 4 {
		t.Errorf("%d rows were told of %d", len(told), len(a))
	}
	for i := range a {
		if v, ok := told[mustJSON([]any{a[i], b[i]})]; ok && v != objective[i] {
			t.Errorf("row %v, %v was told as %v, and is %v", a[i], b[i], v, objective[i])
		}
	}
}

// A search that is too large, or that could not be played, is refused when it is asked for.
func TestSearchesAreMeasuredBeforeTheyAreTaken(t *testing.T) {
	w := newWorld(t, worldOptions{workers: -1, jobs: func(o *job.Options) {
		withSweeps(o)
		o.Execute[history.KindValidate] = o.Execute[history.KindSweep]
	}})
	search := func(a, b, constraint, search string) string {
		return strings.NewReplacer(`[1, 2, 3]`, a, `[2, 4]`, b, `"a < b"`, constraint, `"min_trades": 0`, `"min_trades": 0`+search).Replace(family)
	}
	for name, x := range map[string]struct {
		text, options string
		code, words   string
	}{
		"as many as may be":          {search(`"1..100"`, `"2..101"`, `"a < 200"`, ""), "", "", ""},
		"one line more":              {search(`"1..101"`, `"2..101"`, `"a < 200"`, ""), "", "limit-exceeded", "at most 10000"},
		"a grid without a condition": {search(`"1..200"`, `"2..200"`, `[]`, ""), "", "limit-exceeded", "39800 combinations, at most 10000"},
		"a condition that prunes":    {search(`"1..200"`, `"2..200"`, `"a * 4 < b"`, ""), "", "", ""},
		"a grid without end":         {strings.Replace(search(`"1..40000"`, `"2..40000"`, `"a < b"`, ""), `"params": {`, `"params": {"c": "1..30000", `, 1), "", "limit-exceeded", "at most 10000"},
		"a sample":                   {search(`"1..400"`, `"2..400"`, `"a < b"`, `, "method": "random", "samples": 10000`), "", "", ""},
		"a large sample":             {search(`"1..400"`, `"2..400"`, `"a < b"`, `, "method": "sobol", "samples": 10001`), "", "limit-exceeded", "10001 combinations, at most 10000"},
		"a sample by option":         {search(`"1..400"`, `"2..400"`, `"a < b"`, ""), `, "options": {"method": "random"}`, "", ""},
		"an unknown method":          {search(`[1]`, `[2]`, `"a < b"`, ""), `, "options": {"method": "luck"}`, "validation", "want grid, random, sobol or tpe"},
		"an unknown metric":          {strings.Replace(search(`[1]`, `[2]`, `"a < b"`, ""), "total_return", "shrape", 1), "", "validation", "shrape"},
		"an unknown requirement":     {search(`[1]`, `[2]`, `"a < b"`, `, "constraints": ["trades_made > 3"]`), "", "validation", "trades_made"},
	} {
		for _, kind := range []string{"sweep", "validate"} {
			if x.options != "" && kind == "validate" {
				continue
			}
			rec := w.ask("POST", "/api/backtest/run", body(x.text, `, "kind": "`+kind+`"`+x.options))
			if x.code == "" && rec.Code != 202 || x.code != "" && (rec.Code != 422 || code(rec) != x.code || !strings.Contains(rec.Body.String(), x.words)) {
				t.Errorf("%s: a %s is answered %d %.400s", name, kind, rec.Code, rec.Body)
			}
		}
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
