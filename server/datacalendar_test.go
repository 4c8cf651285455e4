package server_test

import (
	"slices"
	"strings"
	"testing"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/job"
	"backtester/server"
)

const holey = `date,open,high,low,close,volume
2024-02-28,10,10.5,9.8,10.2,1000
2024-02-29,10.2,10.4,10,10.1,1000
2024-03-01,10.1,10.3,10,10.2,1000
2024-03-05,10.2,10.6,10.1,10.5,1000
2024-03-06,1050,1060,1040,1055,1000
`

// known is a source that knows of which sessions it has any bar; files know those of their own bars only.
type known struct{ bar.Source }

func (known) Sessions(bar.Frame) []instrument.Date {
	return []instrument.Date{instrument.NewDate(2024, 2, 28), instrument.NewDate(2024, 2, 29), instrument.NewDate(2024, 3, 1), instrument.NewDate(2024, 3, 4), instrument.NewDate(2024, 3, 5), instrument.NewDate(2024, 3, 6), instrument.NewDate(2024, 3, 7)}
}

func TestCalendarOfASymbol(t *testing.T) {
	w := newWorld(t, worldOptions{prices: holey})
	v := w.want(200, "GET", "/api/data/calendar/XYZ", "")
	if mustJSON(v["months"]) != `[{"bars":2,"held":2,"month":"2024-02","sessions":2},{"bars":3,"held":3,"month":"2024-03","sessions":3}]` ||
		mustJSON(v["missing"]) != `[]` || v["sessions"] != 5.0 || v["held"] != 5.0 || v["first"] != "2024-02-28" || v["last"] != "2024-03-06" {
		t.Errorf("%v", v)
	}
	// The close that jumps a hundredfold is found, with a word for what was looked for.
	findings := v["findings"].([]any)
	if v["verdict"] == "OK" || !slices.ContainsFunc(findings, func(x any) bool {
		f := x.(map[string]any)
		return f["first"] == "2024-03-06" && f["about"] != "" && strings.Contains("warn fail", f["severity"].(string))
	}) {
		t.Errorf("%v %v", v["verdict"], findings)
	}
	for path, status := range map[string]int{"NOPE": 404, "..%2fetc": 404, "XYZ?timeframe=1m": 424, "XYZ?timeframe=1h": 422} {
		if rec := w.ask("GET", "/api/data/calendar/"+path, ""); rec.Code != status {
			t.Errorf("%s: %d, want %d", path, rec.Code, status)
		}
	}
}

// A symbol is blamed only for sessions of which the source has any bar.
func TestHolesAreThoseOfTheSource(t *testing.T) {
	informed := func(o *server.Options) {
		open := o.Data
		o.Data = func() (*job.Data, error) {
			d, err := open()
			return &job.Data{Source: known{d.Source}, Snapshot: d.Snapshot}, err
		}
	}
	w := newWorld(t, worldOptions{prices: holey, server: informed})
	if v := w.want(200, "GET", "/api/data/calendar/XYZ", ""); mustJSON(v["missing"]) != `["2024-03-04"]` || v["sessions"] != 6.0 || v["held"] != 5.0 {
		t.Errorf("%v", v)
	}
	item := w.want(200, "GET", "/api/data/tickers", "")["items"].([]any)[0].(map[string]any)
	if item["holes"] != 1.0 || item["bars"] != 5.0 {
		t.Errorf("%v", item)
	}
	gone := newWorld(t, worldOptions{prices: strings.Replace(holey, "2024-03-01,10.1,10.3,10,10.2,1000\n", "", 1), server: informed})
	if item := gone.want(200, "GET", "/api/data/tickers", "")["items"].([]any)[0].(map[string]any); item["holes"] != 2.0 {
		t.Errorf("%v", item)
	}
	if v := gone.want(200, "GET", "/api/data/calendar/XYZ", ""); mustJSON(v["missing"]) != `["2024-03-01","2024-03-04"]` {
		t.Errorf("%v", v["missing"])
	}
}
