package reference_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"backtester/backtest/instrument"
	"backtester/polygon/reference"
)

const key = "SECRET-api-key-123"

// api is a fake of the vendor's REST interface: lists by path, split into pages.
type api struct {
	t        *testing.T
	url      string
	lists    map[string][][]string // path?active -> pages of rows
	status   []int                 // answers to give before the good ones
	requests []string
	slept    []time.Duration
	next     func(page int) string // overrides next_url
}

func newAPI(t *testing.T) *api {
	a := &api{t: t, lists: map[string][][]string{}}
	s := httptest.NewServer(a)
	t.Cleanup(s.Close)
	a.url = s.URL
	return a
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.requests = append(a.requests, r.URL.RequestURI())
	if r.Header.Get("Authorization") != "Bearer "+key || strings.Contains(r.URL.RawQuery, key) {
		http.Error(w, `{"status":"ERROR","error":"Unknown API Key `+r.Header.Get("Authorization")+`"}`, http.StatusUnauthorized)
		return
	}
	if len(a.status) > 0 {
		code := a.status[0]
		a.status = a.status[1:]
		http.Error(w, `{"status":"ERROR","error":"you sent `+r.Header.Get("Authorization")+`"}`, code)
		return
	}
	name := r.URL.Path
	if active := r.URL.Query().Get("active"); active != "" {
		name += "?" + active
	}
	pages, ok := a.lists[name]
	if !ok {
		http.Error(w, `{"status":"NOT_FOUND"}`, http.StatusNotFound)
		return
	}
	page := 0
	fmt.Sscan(r.URL.Query().Get("cursor"), &page)
	next := ""
	if page+1 < len(pages) {
		next = fmt.Sprintf(`,"next_url":"%s%s?cursor=%d&active=%s"`, a.url, r.URL.Path, page+1, r.URL.Query().Get("active"))
	}
	if a.next != nil {
		next = fmt.Sprintf(`,"next_url":%q`, a.next(page))
	}
	fmt.Fprintf(w, `{"status":"OK","request_id":"x","results":[%s]%s}`, strings.Join(pages[page], ","), next)
}

func (a *api) client(change ...func(*reference.Config)) *reference.Client {
	c := reference.Config{BaseURL: a.url, Key: key, Sleep: func(ctx context.Context, d time.Duration) error {
		a.slept = append(a.slept, d)
		return ctx.Err()
	}}
	for _, f := range change {
		f(&c)
	}
	client, err := reference.Open(c)
	if err != nil {
		a.t.Fatal(err)
	}
	return client
}

func TestFetchActionsFollowsPages(t *testing.T) {
	a := newAPI(t)
	a.lists["/stocks/v1/splits"] = [][]string{
		{`{"id":"1","ticker":"A","execution_date":"2020-08-31","split_from":1,"split_to":4}`},
		{`{"id":"2","ticker":"B","execution_date":"2021-01-04","split_from":10,"split_to":1.5,"historical_adjustment_factor":6.666}`}, {},
	}
	a.lists["/stocks/v1/dividends"] = [][]string{{`{"id":"9","ticker":"A","ex_dividend_date":"2020-08-07","pay_date":"2020-08-13","cash_amount":0.82,"currency":"USD"}`}}
	dir := filepath.Join(t.TempDir(), "reference")
	calls, err := a.client().FetchActions(t.Context(), dir)
	if err != nil || calls != 4 {
		t.Fatal(calls, err)
	}
	d, err := reference.Read(dir)
	if err != nil || !d.Actions() || len(d.Splits) != 2 || len(d.Dividends) != 1 {
		t.Fatalf("%+v %v", d, err)
	}
	if s := d.Splits[1]; s.Ticker != "B" || s.From != 10 || s.To != 1.5 {
		t.Errorf("%+v", s)
	}
	if !strings.Contains(a.requests[0], "limit=5000") {
		t.Errorf("first request %s", a.requests[0])
	}
	text, _ := os.ReadFile(filepath.Join(dir, reference.SplitsFile))
	if !json.Valid(text) || !strings.Contains(string(text), "historical_adjustment_factor") {
		t.Errorf("not the vendor's rows: %s", text)
	}
}

func TestFetchTickersActiveAndDelisted(t *testing.T) {
	a := newAPI(t)
	a.lists["/v3/reference/tickers?true"] = [][]string{{`{"ticker":"A","active":true}`}, {`{"ticker":"NA","active":true}`}}
	a.lists["/v3/reference/tickers?false"] = [][]string{{`{"ticker":"OLD","active":false,"delisted_utc":"2019-05-03T00:00:00Z"}`}}
	dir := t.TempDir()
	if _, err := a.client().FetchTickers(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	d, err := reference.Read(dir)
	if err != nil || len(d.Tickers) != 3 || d.Tickers[1].Ticker != "NA" || d.Tickers[2].Delisted == "" {
		t.Errorf("%+v %v", d, err)
	}
}

// Lists of past dates come once; the list of today is kept at most once a month.
func TestFetchTypes(t *testing.T) {
	a := newAPI(t)
	a.lists["/v3/reference/tickers?true"] = [][]string{{`{"ticker":"A","name":"Long name","type":"CS","active":true}`}, {`{"ticker":"NA","type":"ADRC","share_class_figi":"S","active":true}`}}
	a.lists["/v3/reference/tickers?false"] = [][]string{{`{"ticker":"OLD","type":"CS","active":false}`}}
	dir := t.TempDir()
	dates := []instrument.Date{instrument.NewDate(2019, 1, 2), instrument.NewDate(2019, 4, 1)}
	calls, err := a.client().FetchTypes(t.Context(), dir, dates)
	if err != nil || calls != 4 || !strings.Contains(a.requests[0], "date=2019-04-01") || !strings.Contains(a.requests[2], "date=2019-01-02") {
		t.Fatal(calls, err, a.requests)
	}
	if calls, err := a.client().FetchTypes(t.Context(), dir, append(dates, instrument.NewDate(2019, 7, 1))); err != nil || calls != 2 {
		t.Errorf("a second time: %d requests, %v", calls, err)
	}
	text, err := os.ReadFile(filepath.Join(dir, reference.TypesFolder, "2019-01-02.json"))
	if err != nil || strings.Contains(string(text), "Long name") || !strings.Contains(string(text), `{"ticker":"NA","type":"ADRC","share_class_figi":"S"}`) {
		t.Errorf("%v: %s", err, text)
	}
	a.status = []int{403}
	if _, err := a.client().FetchTypes(t.Context(), dir, []instrument.Date{instrument.NewDate(2004, 1, 2)}); !errors.Is(err, reference.ErrForbidden) {
		t.Error(err)
	}
	if _, err := a.client().FetchTickers(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	for _, day := range []int{1, 2, 28, 29} {
		if err := reference.KeepTypes(dir, instrument.NewDate(2024, 1, day)); err != nil {
			t.Fatal(err)
		}
	}
	files, _ := os.ReadDir(filepath.Join(dir, reference.TypesFolder))
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
	}
	if got := strings.Join(names, " "); got != "2019-01-02.json 2019-04-01.json 2019-07-01.json 2024-01-01.json 2024-01-29.json" {
		t.Errorf("kept %s", got)
	}
	d, err := reference.Read(dir)
	if err != nil || len(d.Types) != 6 { // the later lists say the same, which is left out where a FIGI tells whose it is
		t.Errorf("%+v %v", d.Types, err)
	}
}

func TestTriesAgainAndNotForEver(t *testing.T) {
	a := newAPI(t)
	a.lists["/stocks/v1/splits"], a.lists["/stocks/v1/dividends"] = [][]string{{}}, [][]string{{}}
	a.status = []int{500, 429, 503}
	if _, err := a.client().FetchActions(t.Context(), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(a.slept) != "[2s 12s 8s]" {
		t.Errorf("slept %v", a.slept)
	}
	a.status = []int{500, 500, 500, 500, 500, 500, 500}
	dir := t.TempDir()
	_, err := a.client().FetchActions(t.Context(), dir)
	if !errors.Is(err, reference.ErrUnreachable) || len(a.status) != 1 {
		t.Errorf("%v, %d answers left", err, len(a.status))
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestErrorsNeverShowTheKey(t *testing.T) {
	a := newAPI(t)
	for code, want := range map[int]error{401: reference.ErrKey, 403: reference.ErrForbidden, 500: reference.ErrUnreachable, 400: reference.ErrAnswer, 302: reference.ErrAnswer} {
		a.status = []int{code, code}
		_, err := a.client(func(c *reference.Config) { c.Attempts = 2 }).FetchActions(t.Context(), t.TempDir())
		if !errors.Is(err, want) || strings.Contains(err.Error(), key) {
			t.Errorf("%d: %v", code, err)
		}
		a.status = nil
	}
	_, err := a.client(func(c *reference.Config) { c.BaseURL, c.Attempts = "http://127.0.0.1:1", 2 }).FetchActions(t.Context(), t.TempDir())
	if !errors.Is(err, reference.ErrUnreachable) || strings.Contains(err.Error(), key) {
		t.Error(err)
	}
	for _, bad := range []reference.Config{{}, {Key: "with blank"}, {Key: "a\nb"}, {Key: key, BaseURL: "api.massive.com"}, {Key: key, BaseURL: "https://u:p@api.massive.com"}} {
		if _, err := reference.Open(bad); err == nil || strings.Contains(err.Error(), "u:p") {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestKeyStaysWithTheHost(t *testing.T) {
	stolen := false
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen = true }))
	defer thief.Close()
	for _, next := range []string{thief.URL + "/x", "https://api.massive.com.evil.example/x", "https://api.massive.com/x", "//evil.example/x", "file:///etc/passwd"} {
		a := newAPI(t)
		a.lists["/stocks/v1/splits"] = [][]string{{}}
		a.next = func(int) string { return next }
		_, err := a.client().FetchActions(t.Context(), t.TempDir())
		if !errors.Is(err, reference.ErrAnswer) || stolen {
			t.Errorf("%s: %v", next, err)
		}
	}
}

func TestAnswersThatAreNoList(t *testing.T) {
	for _, body := range []string{"<html>log in</html>", `{"status":"ERROR","error":"no"}`, `[]`, ``, `{"results":{}}`} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }))
		c, err := reference.Open(reference.Config{BaseURL: s.URL, Key: key})
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if _, err := c.FetchActions(t.Context(), dir); !errors.Is(err, reference.ErrAnswer) {
			t.Errorf("%q: %v", body, err)
		}
		s.Close()
	}
}

// Five requests a minute on a clock that only our own sleeping moves.
func TestRateLimit(t *testing.T) {
	a := newAPI(t)
	for range 11 {
		a.lists["/stocks/v1/splits"] = append(a.lists["/stocks/v1/splits"], []string{})
	}
	a.lists["/stocks/v1/dividends"] = [][]string{{}}
	now := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	start := now
	c := a.client(func(c *reference.Config) {
		c.PerMinute, c.Now = 5, func() time.Time { return now }
		c.Sleep = func(_ context.Context, d time.Duration) error { now = now.Add(d); return nil }
	})
	calls, err := c.FetchActions(t.Context(), t.TempDir())
	if err != nil || calls != 12 {
		t.Fatal(calls, err)
	}
	if got := now.Sub(start).Round(time.Second); got != 11*12*time.Second {
		t.Errorf("12 requests took %v", got)
	}
}

func TestEventsGoOnWhereTheyWere(t *testing.T) {
	a := newAPI(t)
	dir := t.TempDir()
	put(t, dir, reference.TickersFile, `{"results":[{"ticker":"A","composite_figi":"F1"},{"ticker":"B","composite_figi":"F2"},{"ticker":"C"},{"ticker":"D","composite_figi":"F3"}]}`)
	put(t, dir, reference.EventsFile, `{"results":[{"composite_figi":"F1","events":[]}]}`)
	// F2 is not known (404); F3's answer is an object, which the fake cannot give: a server of its own.
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.requests = append(a.requests, r.URL.Path)
		if strings.Contains(r.URL.Path, "F2") {
			http.Error(w, "{}", http.StatusNotFound)
			return
		}
		fmt.Fprint(w, `{"status":"OK","results":{"name":"D Corp","events":[{"type":"ticker_change","date":"2022-06-09","ticker_change":{"ticker":"D"}}]}}`)
	}))
	defer s.Close()
	c := a.client(func(c *reference.Config) { c.BaseURL = s.URL })
	for range 2 { // the second time there is nothing to do
		if _, err := c.FetchEvents(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
	}
	d, err := reference.Read(dir)
	if err != nil || len(d.Events) != 3 || d.Events[2].Events[0].Change.Ticker != "D" || len(a.requests) != 2 {
		t.Errorf("%+v %v %v", d.Events, a.requests, err)
	}
}

func TestHolidaysKeepThePast(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, reference.HolidaysFile, `{"results":[{"date":"2025-01-09","exchange":"NYSE","name":"Mourning","status":"closed"},{"date":"2025-07-04","exchange":"NYSE","name":"taken back","status":"closed"}]}`)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `[{"date":"2025-11-28","exchange":"NYSE","name":"Thanksgiving","status":"early-close","open":"2025-11-28T14:30:00.000Z","close":"2025-11-28T18:15:00.000Z"},{"date":"2025-11-28","exchange":"NASDAQ","name":"Thanksgiving","status":"early-close"},{"date":"2025-11-28","exchange":"OTC","name":"Thanksgiving","status":"early-close"}]`)
	}))
	defer s.Close()
	c, err := reference.Open(reference.Config{BaseURL: s.URL, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.FetchHolidays(t.Context(), dir, "2025-06-01"); err != nil {
		t.Fatal(err)
	}
	d, err := reference.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	r, notes := reference.Build(d)
	if got := fmt.Sprint(r.Holidays, notes); got != "[{2025-01-09 Mourning false 0s} {2025-11-28 Thanksgiving true 13h15m0s}] []" {
		t.Error(got)
	}
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A key of the free plan is found out by the first refusal, unless the plan was named.
func TestFirstRefusalSlowsDown(t *testing.T) {
	for _, named := range []int{0, 300} {
		refusals := 1
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if refusals > 0 {
				refusals--
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			fmt.Fprint(w, `[]`)
		}))
		defer s.Close()
		now := time.Date(2024, 1, 5, 12, 0, 0, 0, time.UTC)
		start := now
		c, err := reference.Open(reference.Config{BaseURL: s.URL, Key: key, PerMinute: named, Now: func() time.Time { return now },
			Sleep: func(_ context.Context, d time.Duration) error { now = now.Add(d); return nil }})
		if err != nil {
			t.Fatal(err)
		}
		for range 11 {
			if _, err := c.FetchHolidays(t.Context(), t.TempDir(), "2024-01-05"); err != nil {
				t.Fatal(err)
			}
		}
		took, want := now.Sub(start).Round(time.Second), 12*time.Second
		if named == 0 {
			want = 132 * time.Second // eleven requests after the refused one, 12 s apart
		}
		if took > want+2*time.Second || took < want-12*time.Second || c.PerMinute() != max(named, 5) {
			t.Errorf("named %d: %v, %d a minute", named, took, c.PerMinute())
		}
	}
}
