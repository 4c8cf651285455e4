package reference_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"backtester/backtest/instrument"
	"backtester/backtest/store"
	"backtester/polygon/reference"

	"pgregory.net/rapid"
)

// world is a small history: FB became META, whose ticker an ETF had before; ES was a company until
// 2014 and another one since; DRAD split and was filed under the name it took later.
const (
	tickers = `{"status":"OK","results":[
	 {"ticker":"META","name":"Meta Platforms","type":"CS","active":true,"composite_figi":"C1","share_class_figi":"S1"},
	 {"ticker":"META","name":"Roundhill ETF","type":"ETF","active":false,"composite_figi":"C2","share_class_figi":"S2","delisted_utc":"2022-01-31T00:00:00Z"},
	 {"ticker":"ES","name":"Eversource","active":true},
	 {"ticker":"ES","name":"EnergySolutions","active":false,"delisted_utc":"2013-05-24T00:00:00Z"},
	 {"ticker":"STRR","name":"Star Equity","active":true,"composite_figi":"C3","share_class_figi":"S3"},
	 {"ticker":"NA","name":"Nano Labs","active":true}]}`
	events = `{"results":[
	 {"composite_figi":"C1","events":[{"type":"ticker_change","date":"2022-06-09","ticker_change":{"ticker":"META"}},{"type":"ticker_change","date":"2012-05-18","ticker_change":{"ticker":"FB"}}]},
	 {"composite_figi":"C3","events":[{"type":"ticker_change","date":"2021-01-08","ticker_change":{"ticker":"STRR"}},{"type":"ticker_change","date":"2004-06-01","ticker_change":{"ticker":"DRAD"}}]}]}`
	splits = `{"results":[
	 {"id":"a","ticker":"STRR","execution_date":"2019-05-31","split_from":10,"split_to":1},
	 {"id":"b","ticker":"NEW","execution_date":"2020-01-02","split_from":1,"split_to":2},
	 {"id":"b","ticker":"NEW","execution_date":"2020-01-02","split_from":1,"split_to":2},
	 {"id":"c","ticker":"NEW","execution_date":"2020-01-02","split_from":2,"split_to":4},
	 {"id":"d","ticker":"NEW","execution_date":"2020-01-02","split_from":1,"split_to":3},
	 {"id":"e","ticker":"NEW","execution_date":"2020-13-02","split_from":1,"split_to":3},
	 {"id":"f","ticker":"NEW","execution_date":"2020-03-02","split_from":0,"split_to":3}]}`
	dividends = `{"results":[
	 {"id":"1","ticker":"META","declaration_date":"2024-02-01","ex_dividend_date":"2024-02-21","pay_date":"2024-03-26","cash_amount":0.5,"currency":"USD"},
	 {"id":"2","ticker":"META","ex_dividend_date":"2021-12-20","cash_amount":0.01},
	 {"id":"3","ticker":"FB","ex_dividend_date":"2020-02-03","cash_amount":0.25},
	 {"id":"4","ticker":"NA","ex_dividend_date":"2024-05-01","cash_amount":1},
	 {"id":"5","ticker":"NA","ex_dividend_date":"2024-05-01","cash_amount":1},
	 {"id":"5","ticker":"NA","ex_dividend_date":"2024-05-01","cash_amount":1},
	 {"id":"6","ticker":"NA","ex_dividend_date":"2024-05-01","cash_amount":9,"currency":"CAD"},
	 {"id":"7","ticker":"ES","ex_dividend_date":"2012-03-01","cash_amount":0.1},
	 {"id":"8","ticker":"ES","declaration_date":"2016-03-02","ex_dividend_date":"2016-03-01","cash_amount":0.4}]}`
)

func build(t *testing.T) (store.Reference, []reference.Note) {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, reference.TickersFile, tickers)
	put(t, dir, reference.EventsFile, events)
	put(t, dir, reference.SplitsFile, splits)
	put(t, dir, reference.DividendsFile, dividends)
	d, err := reference.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return reference.Build(d)
}

func TestBuildKnowsWhoIsWho(t *testing.T) {
	r, notes := build(t)
	got := map[instrument.ID]string{}
	for _, in := range r.Instruments {
		if err := in.Validate(); err != nil {
			t.Error(err)
		}
		got[in.ID] = fmt.Sprint(in.Spans, in.Delisted)
	}
	for id, want := range map[instrument.ID]string{
		"S1":             "[{FB 2012-05-18 2022-06-08} {META 2022-06-09 forever}] ",
		"S2":             "[{META 2003-09-10 2022-01-31}] 2022-02-01",
		"ES@2003-09-10":  "[{ES 2003-09-10 2013-05-24}] 2013-05-25",
		"ES@2013-05-25":  "[{ES 2013-05-25 forever}] ",
		"S3":             "[{DRAD 2004-06-01 2021-01-07} {STRR 2021-01-08 forever}] ",
		"NA@2003-09-10":  "[{NA 2003-09-10 forever}] ",
		"NEW@2003-09-10": "[{NEW 2003-09-10 forever}] ",
	} {
		if got[id] != want {
			t.Errorf("%s: %q, want %q", id, got[id], want)
		}
	}
	if len(got) != 7 {
		t.Errorf("%d instruments: %v", len(got), got)
	}
	actions := map[instrument.ID]string{}
	for _, a := range r.Actions {
		actions[a.ID] = fmt.Sprint(a.Splits, a.Dividends)
	}
	for id, want := range map[instrument.ID]string{
		"S1":             "[] [{2020-02-03  0.25 1970-01-01} {2024-02-21 2024-03-26 0.5 2024-02-01}]",
		"S2":             "[] [{2021-12-20  0.01 1970-01-01}]",
		"S3":             "[{2019-05-31 10 1}] []",
		"NA@2003-09-10":  "[] [{2024-05-01  1 1970-01-01} {2024-05-01  1 1970-01-01}]",
		"ES@2003-09-10":  "[] [{2012-03-01  0.1 1970-01-01}]",
		"ES@2013-05-25":  "[] [{2016-03-01  0.4 1970-01-01}]",
		"NEW@2003-09-10": "[{2020-01-02 1 2}] []",
	} {
		if actions[id] != want {
			t.Errorf("actions of %s: %q, want %q", id, actions[id], want)
		}
	}
	var words []string
	for _, n := range notes {
		words = append(words, fmt.Sprintf("%s %d", n.Code, n.Rows))
	}
	if got := strings.Join(words, ", "); got != "split_conflict 1, bad_row 2, foreign_currency 1" {
		t.Errorf("notes %s", got)
	}
}

// The vendor lists a renamed company a second time under its old ticker, as delisted, and sometimes
// gives two listed tickers one FIGI.
func TestBuildJoinsRowsOfOneSecurity(t *testing.T) {
	r, notes := reference.Build(&reference.Data{Tickers: []reference.TickerRow{
		{Ticker: "NEW", Active: true, ShareFIGI: "S1"},
		{Ticker: "OLD", ShareFIGI: "S1", Delisted: "2019-05-31T00:00:00Z"},
		{Ticker: "ONE", Active: true, ShareFIGI: "S2"},
		{Ticker: "TWO", Active: true, ShareFIGI: "S2"},
	}})
	var got []string
	for _, in := range r.Instruments {
		got = append(got, fmt.Sprint(in.ID, in.Spans))
	}
	want := "S1[{OLD 2003-09-10 2019-05-30} {NEW 2019-05-31 forever}] S2[{ONE 2003-09-10 forever}]"
	if strings.Join(got, " ") != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if len(notes) != 1 || notes[0].Code != "figi_shared" {
		t.Errorf("notes %v", notes)
	}
}

// Whatever the rows say, the store takes the result.
func TestBuildIsAlwaysStorable(t *testing.T) {
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"A", "B", "C"})
		day := rapid.Map(rapid.IntRange(0, 8000), func(n int) string { return instrument.Date(12000 + n).String() })
		d := &reference.Data{}
		for range rapid.IntRange(0, 6).Draw(t, "tickers") {
			row := reference.TickerRow{Ticker: name.Draw(t, "ticker"), Active: rapid.Bool().Draw(t, "active")}
			row.CompositeFIGI = rapid.SampledFrom([]string{"", "C1", "C2"}).Draw(t, "composite")
			row.ShareFIGI = rapid.SampledFrom([]string{"", "S1", "S2"}).Draw(t, "share")
			if !row.Active {
				row.Delisted = day.Draw(t, "delisted") + "T00:00:00Z"
			}
			d.Tickers = append(d.Tickers, row)
		}
		for _, figi := range []string{"C1", "C2"} {
			row := reference.EventsRow{CompositeFIGI: figi}
			for range rapid.IntRange(0, 3).Draw(t, "events") {
				e := reference.Event{Type: "ticker_change", Date: day.Draw(t, "date")}
				e.Change.Ticker = name.Draw(t, "to")
				row.Events = append(row.Events, e)
			}
			d.Events = append(d.Events, row)
		}
		for range rapid.IntRange(0, 4).Draw(t, "splits") {
			d.Splits = append(d.Splits, reference.SplitRow{Ticker: name.Draw(t, "ticker"), Execution: day.Draw(t, "ex"), From: 1, To: 2})
		}
		r, _ := reference.Build(d)
		n++
		w, err := store.Create(fmt.Sprintf("%s/%d", dir, n), store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		if err := w.PutReference(r); err != nil {
			t.Fatal(err)
		}
		again, _ := reference.Build(d)
		if fmt.Sprint(r) != fmt.Sprint(again) {
			t.Fatal("the result depends on something else than the rows")
		}
	})
}

func TestReadRefusesOtherFiles(t *testing.T) {
	for _, bad := range []string{``, `[]`, `{}`, `{"results":{}}`, `{"results":[{"ticker":1}]}`, `{"results":[{"ticker":"A"}`, `{"results":[]`, `<html>`, `{"results":[1]}`} {
		dir := t.TempDir()
		put(t, dir, reference.SplitsFile, bad)
		if _, err := reference.Read(dir); err == nil || !strings.Contains(err.Error(), "splits.json") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	d, err := reference.Read(t.TempDir())
	if err != nil || !d.Empty() || d.Actions() {
		t.Errorf("no files: %+v %v", d, err)
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{tickers, splits, `{"results":null}`, `{"a":{"results":[]},"results":[{}]}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		dir := t.TempDir()
		put(t, dir, reference.TickersFile, text)
		put(t, dir, reference.SplitsFile, text)
		d, err := reference.Read(dir)
		if err != nil {
			return
		}
		r, _ := reference.Build(d)
		if !slices.ContainsFunc(r.Instruments, func(in instrument.Instrument) bool { return in.Validate() != nil }) {
			return
		}
		t.Fatal("an instrument that is not valid")
	})
}

// Types by date follow who had the ticker then; what is not said or about somebody else changes nothing.
func TestTypesByDate(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, reference.TickersFile, tickers)
	put(t, dir, reference.EventsFile, events)
	if err := os.Mkdir(filepath.Join(dir, reference.TypesFolder), 0o755); err != nil {
		t.Fatal(err)
	}
	list := func(date, rows string) {
		put(t, filepath.Join(dir, reference.TypesFolder), date+".json", `{"results":[`+rows+`]}`)
	}
	list("2013-01-02", `{"ticker":"FB","type":"ADRC","share_class_figi":"S1"},{"ticker":"ES","type":"UNIT"},{"ticker":"NA"}`)
	list("2014-01-02", `{"ticker":"FB","type":"CS","share_class_figi":"S1"},{"ticker":"ES","type":"UNIT"},{"ticker":"NA","type":""}`)
	list("2015-01-02", `{"ticker":"FB","type":"CS","share_class_figi":"S1"},{"ticker":"ES","type":"CS"}`)
	list("2022-01-03", `{"ticker":"META","type":"ETF","share_class_figi":"S2"},{"ticker":"FB","type":"FUND","share_class_figi":"S9"}`)
	list("2023-01-03", `{"ticker":"META","type":"CS","share_class_figi":"S1"},{"ticker":"NOBODY","type":"CS"}`)
	d, err := reference.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	ref, _ := reference.Build(d)
	got := map[string]string{}
	for _, in := range ref.Instruments {
		for _, k := range in.Types {
			got[in.Name] += fmt.Sprintf("%s %s ", k.From, k.Type)
		}
	}
	want := map[string]string{"Meta Platforms": "2013-01-02 ADRC 2014-01-02 CS ", "Roundhill ETF": "2022-01-03 ETF ",
		"EnergySolutions": "2013-01-02 UNIT ", "Eversource": "2014-01-02 UNIT 2015-01-02 CS "}
	if !maps.Equal(got, want) {
		t.Errorf("types %v, want %v", got, want)
	}
}
