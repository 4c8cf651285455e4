package polygon_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/store"
	"backtester/polygon"
	"backtester/polygon/flatfile"
)

const groupedPath = "/v2/aggs/grouped/locale/us/market/stocks/"

// rest takes flat files away and gives a key instead.
func (v *vendor) restOptions(t *testing.T, dir string) polygon.Options {
	o := v.options(t, dir)
	o.Source, o.From, o.To = polygon.REST, day("2024-01-02"), day("2024-01-05")
	o.REST.Key = "rest-key"
	o.S3.AccessKey, o.S3.SecretKey = "", ""
	o.Now = func() time.Time { return time.Date(2024, 1, 5, 12, 0, 0, 0, time.UTC) }
	// Reference data is there and not due.
	put(t, filepath.Join(dir, "raw"), "reference/fetched.json", []byte(`{"actions":"2024-01-06T00:00:00Z","tickers":"2024-01-06T00:00:00Z","calendar":"2024-01-06T00:00:00Z"}`))
	return o
}

// grouped is an answer for a whole session; its times are the ends of the bars.
func grouped(rows ...string) string {
	return `{"status":"OK","adjusted":false,"resultsCount":` + fmt.Sprint(len(rows)) + `,"results":[` + strings.Join(rows, ",") + `]}`
}

func row(ticker string, price float64, at int64) string {
	return fmt.Sprintf(`{"T":%q,"o":%v,"h":%v,"l":%v,"c":%v,"v":1000.5,"vw":1,"t":%d,"n":7}`, ticker, price, price+1, price-1, price, at)
}

func TestRESTWholeMarket(t *testing.T) {
	v, dir := newVendor(t), t.TempDir()
	end := bar.NYSE().At(day("2024-01-02"), 16*time.Hour) / 1e6
	v.rest[groupedPath+"2024-01-02"] = grouped(row("NA", 10, end), row("BCpC", 11, end), row("BCPC", 12, end))
	v.rest[groupedPath+"2024-01-03"] = grouped(row("NA", 11, end))
	v.rest[groupedPath+"2024-01-04"] = `{"status":"OK","resultsCount":0}`
	o := v.restOptions(t, dir)
	o.DryRun = true
	if s := fetch(t, o); s.Bars[0].Requests != 3 || s.Bars[0].Missing != 3 || len(s.Due) != 0 {
		t.Errorf("dry: %+v", s)
	}
	o.DryRun = false
	s := fetch(t, o)
	if b := s.Bars[0]; b.Loaded != 2 || b.Fetched != 2 || b.Rows != 4 || s.Warnings[0].Code != "no_actions" && s.Warnings[0].Code != "no_file" {
		t.Errorf("%+v", s)
	}
	to := filepath.Join(dir, "store")
	for symbol, want := range map[string]string{"NA": "01-02:10 01-03:11", "BCpC": "01-02:11", "BCPC": "01-02:12"} {
		if got := bars(t, to, symbol); got != want {
			t.Errorf("%s: %q, want %q", symbol, got, want)
		}
	}
	v.took()
	v.rest[groupedPath+"2024-01-04"] = grouped(row("NA", 12, end))
	if s = fetch(t, o); s.Bars[0].Fetched != 1 || len(v.took()) != 1 || bars(t, to, "NA") != "01-02:10 01-03:11 01-04:12" {
		t.Errorf("only what is missing: %+v", s.Bars)
	}

	// The vendor's own file replaces what came by REST, and is not replaced by it.
	o2 := v.options(t, dir)
	o2.From = day("2024-01-03")
	v.files[flatfile.Key(flatfile.Day, day("2024-01-03"))] = encode(t, flatfile.Day, oneBar("2024-01-03", 50, "NA"))
	if s = fetch(t, o2); s.Bars[0].Loaded != 1 {
		t.Errorf("%+v", s.Bars)
	}
	v.took()
	for range 2 {
		if s = fetch(t, o); len(v.took()) != 0 || bars(t, to, "NA") != "01-02:10 01-03:50 01-04:12" {
			t.Errorf("%+v %s", s.Bars, bars(t, to, "NA"))
		}
		o.Prune = true // then also when the files are not kept
	}
}

func TestRESTFaults(t *testing.T) {
	v := newVendor(t)
	v.rest[groupedPath+"2024-01-04"] = grouped(row("NA", 10, 1))
	o := v.restOptions(t, t.TempDir())
	s, err := polygon.Sync(t.Context(), o)
	if !errors.Is(err, polygon.ErrForbidden) || s.Bars[0].Loaded != 1 || len(s.Faults) != 1 {
		t.Errorf("a plan that ends: %v %+v", err, s)
	}
	o = v.restOptions(t, t.TempDir())
	o.From = 0
	if s = fetch(t, o); s.Bars[0].Loaded != 1 || s.Warnings[len(s.Warnings)-1].Code != "plan_limit" {
		t.Errorf("nobody said from when: %+v", s)
	}
	for want, answer := range map[string]string{
		"prices are adjusted":  `{"status":"OK","adjusted":true,"results":[` + row("NA", 10, 1) + `]}`,
		`names a ticker "A,B"`: grouped(row("A,B", 10, 1)),
		"a bar reads":          grouped(`{"T":"NA","o":"ten"}`),
		"are impossible":       grouped(`{"T":"NA","o":10,"h":9,"l":8,"c":8,"v":1,"t":1}`),
	} {
		v.rest[groupedPath+"2024-01-04"] = answer
		o := v.restOptions(t, t.TempDir())
		o.From = day("2024-01-04")
		if _, err := polygon.Sync(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	for want, change := range map[string]func(*polygon.Options){
		"symbol by symbol":                 func(o *polygon.Options) { o.Datasets = []string{polygon.Minute} },
		"cannot be had by symbol":          func(o *polygon.Options) { o.Source, o.Symbols = polygon.FlatFiles, []string{"A"} },
		"want flatfiles or rest":           func(o *polygon.Options) { o.Source = "s3" },
		"API key missing":                  func(o *polygon.Options) { o.REST.Key = "" },
		"has a byte that no ticker has":    func(o *polygon.Options) { o.Symbols = []string{"A B"} },
		"2024-01-05 to 2024-01-04: the ra": func(o *polygon.Options) { o.From, o.To = day("2024-01-05"), day("2024-01-04") },
	} {
		o := v.restOptions(t, t.TempDir())
		change(&o)
		if _, err := polygon.Sync(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func aggs(symbol, unit, from, to string) string {
	return fmt.Sprintf("/v2/aggs/ticker/%s/range/1/%s/%s/%s", symbol, unit, from, to)
}

// start of a session's day, or of its minute n after the open, in ms.
func start(date string, minute int) int64 {
	open, _, _, _ := bar.NYSE().Hours(day(date))
	if minute < 0 {
		return bar.NYSE().Midnight(day(date)) / 1e6
	}
	return open/1e6 + int64(minute)*60000
}

func TestRESTSymbols(t *testing.T) {
	v, dir := newVendor(t), t.TempDir()
	o := v.restOptions(t, dir)
	o.From = day("2023-12-28")
	o.Symbols = []string{"BCpC", "NA"}
	v.rest[aggs("BCpC", "day", "2023-12-28", "2023-12-31")] = grouped(row("", 10, start("2023-12-28", -1)), row("", 11, start("2023-12-29", -1)))
	v.rest[aggs("BCpC", "day", "2024-01-01", "2024-01-04")] = grouped(row("", 12, start("2024-01-03", -1)))
	v.rest[aggs("NA", "day", "2023-12-28", "2023-12-31")] = grouped()
	v.rest[aggs("NA", "day", "2024-01-01", "2024-01-04")] = grouped(row("", 20, start("2024-01-02", -1)), row("", 21, start("2024-01-03", -1)))
	o.DryRun = true
	if s := fetch(t, o); s.Bars[0].Requests != 4 {
		t.Errorf("dry: %+v", s.Bars)
	}
	o.DryRun = false
	s := fetch(t, o)
	if b := s.Bars[0]; b.Fetched != 4 || b.Loaded != 4 || b.Rows != 5 || b.First != day("2023-12-28") || b.Last != day("2024-01-03") {
		t.Errorf("%+v", b)
	}
	v.took()
	if s = fetch(t, o); len(v.took()) != 0 || s.Bars[0].Loaded != 0 {
		t.Errorf("twice: %+v", s.Bars)
	}

	// Another symbol joins those there are; a day later only the year at hand is asked for again.
	o.Symbols = []string{"NEW"}
	o.From = day("2024-01-02")
	v.rest[aggs("NEW", "day", "2024-01-02", "2024-01-04")] = grouped(row("", 30, start("2024-01-03", -1)))
	fetch(t, o)
	to := filepath.Join(dir, "store")
	for symbol, want := range map[string]string{"NA": "01-02:20 01-03:21", "BCpC": "01-03:12", "NEW": "01-03:30"} {
		if got := bars(t, to, symbol); got != want {
			t.Errorf("%s: %q, want %q", symbol, got, want)
		}
	}
	v.took()
	o.Now, o.To = func() time.Time { return time.Date(2024, 1, 6, 12, 0, 0, 0, time.UTC) }, 0
	v.rest[aggs("NEW", "day", "2024-01-02", "2024-01-05")] = grouped(row("", 30, start("2024-01-03", -1)), row("", 31, start("2024-01-05", -1)))
	fetch(t, o)
	if got := v.took(); len(got) != 1 || bars(t, to, "NEW") != "01-03:30 01-05:31" || bars(t, to, "NA") != "01-02:20 01-03:21" {
		t.Errorf("%v %s", got, bars(t, to, "NEW"))
	}

	// A damaged year comes back from what is kept, without a request.
	name := flip(t, filepath.Join(dir, "store", "day-2023-*.seg"))
	o.Verify = true
	if s = fetch(t, o); len(s.Damaged) != 1 || s.Damaged[0].File != name || !s.Damaged[0].Healed || len(v.took()) != 0 {
		t.Errorf("%+v", s)
	}
	if got := sessionsOf(t, to, bar.Daily); got != "2023-12-28 2023-12-29 2024-01-02 2024-01-03 2024-01-05" {
		t.Error(got)
	}
}

func TestRESTMinutes(t *testing.T) {
	v, dir := newVendor(t), t.TempDir()
	o := v.restOptions(t, dir)
	o.Datasets, o.Symbols, o.From = []string{polygon.Minute}, []string{"ACME"}, day("2023-12-29")
	v.rest[aggs("ACME", "minute", "2023-12-29", "2023-12-31")] = grouped(row("", 9, start("2023-12-29", 0)))
	// Two pages: the second is asked for where the first says.
	v.rest[aggs("ACME", "minute", "2024-01-01", "2024-01-04")] = strings.TrimSuffix(grouped(row("", 10, start("2024-01-02", 0)), row("", 11, start("2024-01-02", 5))), "}") +
		`,"next_url":"` + v.URL + `/page2"}`
	v.rest["/page2"] = grouped(row("", 12, start("2024-01-03", 389)))
	s := fetch(t, o)
	if b := s.Bars[0]; b.Fetched != 2 || b.Rows != 4 || b.Loaded != 3 || s.Reference.Calls != 3 {
		t.Errorf("%+v %+v", b, s.Reference)
	}
	st, err := store.Open(filepath.Join(dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	got, err := st.Load(t.Context(), bar.Request{Symbol: "ACME", Frame: bar.Minutely, From: day("2024-01-01"), To: instrument.Forever, Session: bar.Regular})
	if err != nil || got.Len() != 3 || got.Time[1] != start("2024-01-02", 5)*1e6 || got.Close[2] != 12 {
		t.Errorf("%+v %v", got, err)
	}
}

func sessionsOf(t *testing.T, dir string, f bar.Frame) string {
	t.Helper()
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	var words []string
	for _, d := range st.Sessions(f) {
		words = append(words, d.String())
	}
	return strings.Join(words, " ")
}

// Recent actions are asked for daily, all of them once a month, tickers once a week.
func TestReferenceComesIncrementally(t *testing.T) {
	v, dir := newVendor(t), t.TempDir()
	splits, since := "/stocks/v1/splits", "2023-11-06"
	old := `{"id":"1","ticker":"ACME","execution_date":"2020-01-02","split_from":1,"split_to":2,"more":[1]}`
	v.rest[splits] = `{"status":"OK","results":[` + old + `,{"id":"2","ticker":"ACME","execution_date":"2024-01-02","split_from":1,"split_to":3}]}`
	v.rest[splits+"?execution_date.gte="+since] = `{"status":"OK","results":[{"id":"3","ticker":"ACME","execution_date":"2024-01-03","split_from":1,"split_to":5}]}`
	v.rest["/stocks/v1/dividends"] = `{"status":"OK","results":[]}`
	v.rest["/v3/reference/tickers"] = `{"status":"OK","results":[]}`
	v.rest["/v1/marketstatus/upcoming"] = `[]`
	now := time.Date(2024, 1, 4, 12, 0, 0, 0, time.UTC)
	o := v.options(t, dir)
	o.REST.Key, o.Now = "rest-key", func() time.Time { return now }
	o.DryRun = true
	if s := fetch(t, o); strings.Join(s.Due, " ") != "actions tickers calendar" {
		t.Errorf("%v", s.Due)
	}
	o.DryRun = false
	fetch(t, o)
	v.took()
	want := func(days, requests int, splits string) {
		t.Helper()
		now = now.AddDate(0, 0, days)
		s := fetch(t, o)
		st, err := store.Open(filepath.Join(dir, "store"))
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		_, a, err := st.Actions("ACME")
		var got []string
		for _, x := range a.Splits {
			got = append(got, fmt.Sprintf("%s:%v", x.Ex, x.To))
		}
		if err != nil || s.Reference.Calls != requests || strings.Join(got, " ") != splits {
			t.Errorf("after %d days: %d requests, %v %v", days, s.Reference.Calls, got, err)
		}
	}
	want(0, 0, "2020-01-02:2 2024-01-02:3")
	want(1, 3, "2020-01-02:2 2024-01-03:5") // the vendor took one back and has another
	delete(v.rest, splits+"?execution_date.gte="+since)
	want(6, 5, "2020-01-02:2 2024-01-02:3") // the fake gives all to whoever asks for recent ones
	if b := read(t, filepath.Join(dir, "raw", "reference", "splits.json")); !strings.Contains(b, `"more":[1]`) {
		t.Errorf("columns we do not know are kept: %s", b)
	}
}

// The lists of past quarters come once, and say what a security was then.
func TestTickersByDate(t *testing.T) {
	v, dir := newVendor(t), t.TempDir()
	v.rest["/v3/reference/tickers"] = `{"status":"OK","results":[{"ticker":"ACME","type":"CS","active":true,"share_class_figi":"S"}]}`
	v.rest["/v3/reference/tickers?date=2023-10-02"] = `{"status":"OK","results":[{"ticker":"ACME","type":"ADRC","share_class_figi":"S"}]}`
	o := v.options(t, dir)
	o.REST.Key, o.Datasets, o.ByDate = "rest-key", []string{polygon.Tickers}, true
	o.From, o.Now = day("2023-06-01"), func() time.Time { return time.Date(2024, 1, 4, 12, 0, 0, 0, time.UTC) }
	o.DryRun = true
	if s := fetch(t, o); strings.Join(s.Due, ", ") != "tickers, tickers of 3 past quarters" {
		t.Errorf("due: %v", s.Due)
	}
	o.DryRun = false
	for _, calls := range []int{5, 2} {
		if s := fetch(t, o); s.Reference.Calls != calls {
			t.Errorf("%d requests, want %d", s.Reference.Calls, calls)
		}
	}
	st, err := store.Open(filepath.Join(dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	who, _, err := st.Actions("ACME")
	if got := fmt.Sprint(who.Types); err != nil || len(who.Types) != 3 || who.TypeOn(day("2023-09-29")) != "CS" || who.TypeOn(day("2023-10-02")) != "ADRC" || who.TypeOn(day("2024-01-02")) != "CS" {
		t.Errorf("%v %v", got, err)
	}
}

// What was had within a week of its day is asked for once more when the week is over, and never again.
func TestRESTCorrections(t *testing.T) {
	for _, symbols := range [][]string{nil, {"NA"}} {
		v, dir := newVendor(t), t.TempDir()
		o := v.restOptions(t, dir)
		o.From, o.To, o.Symbols = day("2024-01-02"), day("2024-01-02"), symbols
		o.Now = func() time.Time { return time.Date(2024, 1, 4, 12, 0, 0, 0, time.UTC) }
		put(t, filepath.Join(dir, "raw"), "reference/fetched.json", []byte(`{"actions":"2024-01-11T00:00:00Z","tickers":"2024-01-11T00:00:00Z","calendar":"2024-01-11T00:00:00Z"}`))
		path, when := groupedPath+"2024-01-02", start("2024-01-02", 389)+60000
		if symbols != nil {
			path, when = aggs("NA", "day", "2024-01-02", "2024-01-02"), start("2024-01-02", -1)
		}
		to := filepath.Join(dir, "store")
		v.rest[path] = grouped(row("NA", 10, when))
		fetch(t, o)
		v.took()
		v.rest[path] = grouped(row("NA", 11, when))
		if fetch(t, o); len(v.took()) != 0 || bars(t, to, "NA") != "01-02:10" {
			t.Errorf("%v: the week is not over: %s", symbols, bars(t, to, "NA"))
		}
		o.Now = func() time.Time { return time.Date(2024, 1, 10, 12, 0, 0, 0, time.UTC) }
		if fetch(t, o); bars(t, to, "NA") != "01-02:11" {
			t.Errorf("%v: the correction is not there: %s", symbols, bars(t, to, "NA"))
		}
		v.took()
		if fetch(t, o); len(v.took()) != 0 {
			t.Errorf("%v: asked for a third time", symbols)
		}
	}
}
