package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"testing"

	"backtester/backtest"
	"backtester/backtest/stats"
	"backtester/report"
)

func write(t *testing.T, f func(io.Writer, []*backtest.Result) error, rs ...*backtest.Result) string {
	t.Helper()
	var b bytes.Buffer
	if err := f(&b, rs); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func parse(t *testing.T, s string) [][]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(s)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestMetricsCSV(t *testing.T) {
	a, b := pullback(600), named(still(), "still")
	rows := parse(t, write(t, report.MetricsCSV, a, b))
	if len(rows) != 3 || len(rows[0]) != 5+len(stats.Keys()) {
		t.Fatalf("%d rows of %d cells", len(rows), len(rows[0]))
	}
	for i, key := range rows[0] {
		want, ok := a.Metrics.Get(key)
		m, known := stats.Lookup(key)
		if !known || m.Unit == stats.CivilDate {
			continue
		}
		if !ok {
			if rows[1][i] != "" {
				t.Errorf("undefined %s is %q", key, rows[1][i])
			}
			continue
		}
		if got, err := strconv.ParseFloat(rows[1][i], 64); err != nil || got != want {
			t.Errorf("%s is %q, want %v", key, rows[1][i], want)
		}
	}
	if rows[2][0] != "still" || rows[1][1] != "AAPL MSFT JPM XOM JNJ KO" {
		t.Errorf("names are %q, %q", rows[2][0], rows[1][1])
	}
}

func TestTradesAndEquityCSV(t *testing.T) {
	r := pullback(300)
	trades := parse(t, write(t, report.TradesCSV, r))
	if len(trades) != 1+len(r.Trades) {
		t.Fatalf("%d rows for %d trades", len(trades), len(r.Trades))
	}
	if got := trades[1]; got[1] != r.Trades[0].Symbol || got[4] != r.Trades[0].EntryTime || got[16] != "false" {
		t.Errorf("first trade is %v", got)
	}
	equity := parse(t, write(t, report.EquityCSV, r))
	if len(equity) != 302 || equity[1][1] != "2014-12-31" || equity[1][2] != "100000" || equity[1][3] != "0" || equity[1][4] != "100000" {
		t.Errorf("equity begins %v and has %d rows", equity[1], len(equity))
	}
	fills := parse(t, write(t, report.FillsCSV, r))
	if len(fills) != 1+len(r.Fills) || fills[1][4] != "buy" {
		t.Errorf("fills begin %v", fills[1])
	}
}

func TestNoFormulaReachesASpreadsheet(t *testing.T) {
	r := hostile()
	r.Strategy = "=HYPERLINK(\"http://x\")"
	for _, f := range []func(io.Writer, []*backtest.Result) error{report.MetricsCSV, report.TradesCSV, report.FillsCSV, report.EquityCSV} {
		for _, row := range parse(t, write(t, f, r)) {
			for _, c := range row {
				if c == "" {
					continue
				}
				if _, err := strconv.ParseFloat(c, 64); err == nil {
					continue
				}
				if strings.ContainsRune("=+-@\t\r\n", rune(c[0])) || strings.ContainsRune(c, 0x1b) {
					t.Fatalf("cell %q", c)
				}
			}
		}
	}
}

func TestJSONIsTheResult(t *testing.T) {
	a, b := pullback(50), hostile()
	want, err := a.EncodeJSON()
	if err != nil {
		t.Fatal(err)
	}
	if got := write(t, report.JSON, a); got != string(want) {
		t.Error("JSON of one result is not its EncodeJSON")
	}
	var all []json.RawMessage
	if err := json.Unmarshal([]byte(write(t, report.JSON, a, b)), &all); err != nil || len(all) != 2 {
		t.Fatalf("array of %d, %v", len(all), err)
	}
	if string(all[0])+"\n" != string(want) {
		t.Error("an element of the array is not the result's EncodeJSON")
	}
	lines := strings.Split(strings.TrimSuffix(write(t, report.NDJSON, a, b), "\n"), "\n")
	if len(lines) != 2 || lines[0]+"\n" != string(want) {
		t.Errorf("%d lines", len(lines))
	}
	if got := write(t, report.JSON); got != "[\n]\n" {
		t.Errorf("no results are %q", got)
	}
}

func TestReadJSON(t *testing.T) {
	a, b := pullback(50), named(minutes(3), "minutes")
	for name, f := range map[string]func(io.Writer, []*backtest.Result) error{"array": report.JSON, "lines": report.NDJSON} {
		text := write(t, f, a, b)
		back, err := report.ReadJSON(strings.NewReader(text), "x.json")
		if err != nil || len(back) != 2 {
			t.Fatalf("%s: %d results, %v", name, len(back), err)
		}
		if got := write(t, f, back...); got != text {
			t.Errorf("%s: a result changes by being written and read", name)
		}
	}
	for text, want := range map[string]string{
		"":                  "it holds no result",
		"[]":                "it holds no result",
		"{":                 "it is no JSON",
		`{"name": "other"}`: "is not a result of a run",
		`[null]`:            "is not a result of a run",
		`"text"`:            "cannot unmarshal",
		`{"schema": 1, "equity": {"time": ["2024-01-02"], "value": []}}`: "is not a result of a run",
	} {
		if _, err := report.ReadJSON(strings.NewReader(text), "x.json"); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "x.json") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func FuzzReadJSON(f *testing.F) {
	b, _ := pullback(30).EncodeJSON()
	f.Add(string(b))
	f.Add(`[{"schema":1}]`)
	f.Fuzz(func(t *testing.T, s string) {
		rs, err := report.ReadJSON(strings.NewReader(s), "f")
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := report.Terminal(&out, rs, report.Options{}); err != nil {
			t.Fatal(err)
		}
		if err := report.MetricsCSV(&out, rs); err != nil {
			t.Fatal(err)
		}
	})
}

// A cell of 280 zeros is a number to a program and a wall to a reader.
func TestCSVWritesTinyNumbersShort(t *testing.T) {
	r := pullback(60)
	metrics := []byte(`{"jarque_bera_p": 5.23e-278, "var_95": -2.5e-7, "sharpe": 0.000001, "final_equity": 1e21}`)
	if err := json.Unmarshal(metrics, &r.Metrics); err != nil {
		t.Fatal(err)
	}
	rows := parse(t, write(t, report.MetricsCSV, r))
	want := map[string]string{"jarque_bera_p": "5.23e-278", "var_95": "-2.5e-07", "sharpe": "0.000001", "final_equity": "1e+21"}
	for i, key := range rows[0] {
		if w, ok := want[key]; ok && rows[1][i] != w {
			t.Errorf("%s is written %s, want %s", key, rows[1][i], w)
		}
	}
}
