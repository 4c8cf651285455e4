package report_test

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"backtester/backtest"
	"backtester/backtest/stats"
	"backtester/report"
)

func curveFrom(t *testing.T, text string, kind stats.Kind) stats.Series {
	t.Helper()
	s, err := stats.ReadSeries(strings.NewReader(text), "x.csv", kind)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A run written as CSV and read back has the figures of the run, as far as files can tell.
func TestFromSeriesRepeatsTheRun(t *testing.T) {
	r := pullback(800)
	r.Trades = r.Trades[:len(r.Trades)-1] // those closed, in the order of their exits
	var equity, bench strings.Builder
	equity.WriteString("date,equity\n")
	bench.WriteString("date,equity\n")
	for i := range r.Equity.Value {
		fmt.Fprintf(&equity, "%s,%v\n", r.Equity.Time.At(i), r.Equity.Value[i])
		fmt.Fprintf(&bench, "%s,%v\n", r.Benchmark.Time.At(i), 3*r.Benchmark.Value[i])
	}
	var trades bytes.Buffer
	if err := report.TradesCSV(&trades, []*backtest.Result{r}); err != nil {
		t.Fatal(err)
	}
	ts, err := report.ReadTradesCSV(&trades, "t.csv")
	if err != nil {
		t.Fatal(err)
	}
	b := curveFrom(t, bench.String(), stats.Equity)
	got := report.FromSeries(report.Series{Name: "x", Curve: curveFrom(t, equity.String(), stats.Equity), Benchmark: &b, Trades: ts})
	for _, m := range stats.Table() {
		want, ok := r.Metrics.Get(m.Key)
		have, known := got.Metrics.Get(m.Key)
		switch m.Group {
		case stats.ExposureGroup, stats.CostGroup:
			if known {
				t.Errorf("%s = %g: a file does not tell", m.Key, have)
			}
			continue
		case stats.TradeGroup: // the run's last trade is open
			if m.Key != "win_rate" && m.Key != "profit_factor" && m.Key != "trades" && m.Key != "average_bars" && m.Key != "kelly" {
				continue
			}
		}
		if strings.HasPrefix(m.Key, "buy_and_hold") {
			continue
		}
		if ok != known || ok && math.Abs(have-want) > 1e-12*math.Max(1, math.Abs(want)) {
			t.Errorf("%s = %g, %v; want %g, %v", m.Key, have, known, want, ok)
		}
	}
	var page, again bytes.Buffer
	for _, w := range []*bytes.Buffer{&page, &again} {
		if err := report.HTML(w, got); err != nil {
			t.Fatal(err)
		}
	}
	if page.String() != again.String() {
		t.Error("the page differs the second time")
	}
	for _, want := range []string{"The curve comes from elsewhere and does not tell.", "not_simulated", "round trips, as given"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

func TestFromSeriesOfReturns(t *testing.T) {
	s := report.Series{Name: "fund", Curve: curveFrom(t, "date,return\n2024-01-02,0.1\n2024-01-03,-0.2\n2024-01-04,0.05\n", stats.Return)}
	late := curveFrom(t, "date,return\n2024-01-04,0.1\n2024-01-05,0.1\n", stats.Return)
	s.Benchmark = &late
	r := report.FromSeries(s)
	codes := ""
	for _, w := range r.Warnings {
		codes += w.Code + " "
	}
	if codes != "not_simulated growth_of_one no_benchmark " || r.Benchmark != nil {
		t.Errorf("warnings %s", codes)
	}
	if v, _ := r.Metrics.Get("total_return"); math.Abs(v-(1.1*.8*1.05-1)) > 1e-12 {
		t.Errorf("total return %g", v)
	}
	if _, ok := r.Metrics.Get("trades"); ok {
		t.Error("a file of returns tells how many trades there were")
	}
	// It is a result like others: it can be written, read and shown again.
	b, err := r.EncodeJSON()
	if err != nil {
		t.Fatal(err)
	}
	back, err := report.ReadJSON(bytes.NewReader(b), "x.json")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := report.Terminal(&out, back, report.Options{Width: 100}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "from elsewhere") || strings.Contains(out.String(), "No trade happened") {
		t.Errorf("shown as\n%s", out.String())
	}
}

func TestReadTradesCSV(t *testing.T) {
	const minimal = "Entry_Time,exit_time,quantity,entry_price,exit_price,side,symbol\n2024-01-02,2024-01-05,10,5,6,,'=A1\n2024-01-03T15:00:00Z,2024-01-08T20:00:00Z,10,5,6,Short,NA\n"
	ts, err := report.ReadTradesCSV(strings.NewReader(minimal), "t.csv")
	if err != nil {
		t.Fatal(err)
	}
	if a := ts[0]; a.PnL != 10 || a.Return != .2 || a.Side != "long" || a.Symbol != "=A1" {
		t.Errorf("%+v", a)
	}
	if b := ts[1]; b.PnL != -10 || b.Side != "short" {
		t.Errorf("%+v", b)
	}
	for text, want := range map[string]string{
		"":                       "no header line",
		"a,b\n":                  "there is no entry_time",
		"entry_time,exit_time\n": "neither pnl nor quantity",
		"entry_time,exit_time,pnl\n2024-01-05,2024-01-02,1\n":                        "line 2: exit 2024-01-02 lies before entry",
		"entry_time,exit_time,pnl\n2024-01-02,2024-01-05,1%\n":                       `line 2: pnl "1%" is not a number`,
		"entry_time,exit_time,pnl\n2024-01-02,soon,1\n":                              "line 2: exit_time: ",
		"entry_time,exit_time,pnl\n2024-01-02,2024-01-05,1\n2024-01-01,2024-01-04,1": "line 3: exit 2024-01-04 comes before",
		"entry_time,exit_time,pnl,side\n2024-01-02,2024-01-05,1,up\n":                `side is "up"`,
		"entry_time,exit_time,pnl,open\n2024-01-02,2024-01-05,1,maybe\n":             `open is "maybe"`,
	} {
		if _, err := report.ReadTradesCSV(strings.NewReader(text), "t.csv"); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "t.csv") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func FuzzReadTradesCSV(f *testing.F) {
	f.Add("entry_time,exit_time,pnl\n2024-01-02,2024-01-05,1\n")
	f.Add("exit_time,entry_time,quantity,entry_price,exit_price,open\n2024-01-05,2024-01-02,1,2,3,true\n")
	f.Fuzz(func(t *testing.T, text string) {
		ts, err := report.ReadTradesCSV(strings.NewReader(text), "f")
		if err != nil {
			return
		}
		r := report.FromSeries(report.Series{Curve: stats.Series{Dates: datesOf(pullback(20), 10), Equity: []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}}, Trades: ts})
		if _, err := r.EncodeJSON(); err != nil {
			t.Fatal(err)
		}
	})
}
