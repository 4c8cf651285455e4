package polygon_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"backtester/backtest/store"
	"backtester/polygon"
	"backtester/polygon/bucket"
	"backtester/polygon/flatfile"
	"backtester/polygon/reference"
)

// vendor is both halves of the vendor, as far as Sync goes; .ci/s3 tests against a real S3 server.
type vendor struct {
	*httptest.Server
	mu    sync.Mutex
	files map[string][]byte
	rest  map[string]string // path, or path?name=value, -> answer; others are 403
	plan  string            // keys before it are not included
	log   []string
}

func newVendor(t *testing.T) *vendor {
	v := &vendor{files: map[string][]byte{}, rest: map[string]string{}}
	v.Server = httptest.NewServer(v)
	t.Cleanup(v.Close)
	for i, s := range []string{"2023-12-28", "2023-12-29", "2024-01-02", "2024-01-03"} {
		v.files[flatfile.Key(flatfile.Day, day(s))] = encode(t, flatfile.Day, oneBar(s, 10+float64(i), "ACME"))
	}
	return v
}

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	path, ok := strings.CutPrefix(r.URL.Path, "/flatfiles")
	if !ok {
		v.log = append(v.log, r.URL.Path)
		body, ok := v.rest[r.URL.Path]
		for k, vs := range r.URL.Query() {
			if special, found := v.rest[r.URL.Path+"?"+k+"="+vs[0]]; found {
				body, ok = special, true
			}
		}
		if ok && r.Header.Get("Authorization") == "Bearer rest-key" {
			io.WriteString(w, body)
			return
		}
		http.Error(w, `{"status":"NOT_AUTHORIZED"}`, http.StatusForbidden)
		return
	}
	if prefix := r.URL.Query().Get("prefix"); r.URL.Query().Has("list-type") {
		io.WriteString(w, `<ListBucketResult><Name>flatfiles</Name>`)
		for key, body := range v.files {
			if strings.HasPrefix(key, prefix) {
				fmt.Fprintf(w, `<Contents><Key>%s</Key><Size>%d</Size><ETag>"e"</ETag><LastModified>2024-01-05T00:00:00Z</LastModified></Contents>`, key, len(body))
			}
		}
		io.WriteString(w, `</ListBucketResult>`)
		return
	}
	v.log = append(v.log, path)
	if key := strings.TrimPrefix(path, "/"); key < v.plan {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	w.Header().Set("ETag", `"e"`)
	w.Write(v.files[strings.TrimPrefix(path, "/")])
}

// took is what was asked for since the last call.
func (v *vendor) took() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	log := v.log
	v.log = nil
	return log
}

func (v *vendor) options(t *testing.T, dir string) polygon.Options {
	t.Helper()
	return polygon.Options{
		Datasets: []string{polygon.Day}, From: day("2023-01-01"), To: day("2024-12-31"),
		RawDir: filepath.Join(dir, "raw"), StoreDir: filepath.Join(dir, "store"),
		S3:   bucket.Config{Endpoint: v.URL, Name: "flatfiles", AccessKey: "a", SecretKey: "b", Attempts: 1},
		REST: reference.Config{BaseURL: v.URL, Attempts: 1},
		Now:  func() time.Time { return time.Date(2024, 1, 5, 12, 0, 0, 0, time.UTC) },
	}
}

func TestSyncWithoutKeyWarns(t *testing.T) {
	v, dir := newVendor(t), t.TempDir()
	s, err := polygon.Sync(t.Context(), v.options(t, dir))
	if err != nil || len(s.Warnings) != 1 || s.Warnings[0].Code != "no_actions" || s.Bars[0].Loaded != 4 || s.Reference != nil {
		t.Fatalf("%+v %v", s, err)
	}
	if got := bars(t, filepath.Join(dir, "store"), "ACME"); got != "01-02:12 01-03:13" {
		t.Error(got)
	}
	o := v.options(t, dir)
	o.Datasets = []string{polygon.Actions}
	if _, err := polygon.Sync(t.Context(), o); !errors.Is(err, polygon.ErrUnauthorized) || !strings.Contains(err.Error(), "POLYGON_API_KEY") {
		t.Errorf("actions without key: %v", err)
	}
}

func TestSyncWithKeyBringsActionsOnceADay(t *testing.T) {
	v, dir := newVendor(t), t.TempDir()
	v.rest["/stocks/v1/splits"] = `{"status":"OK","results":[{"id":"1","ticker":"ACME","execution_date":"2024-01-02","split_from":1,"split_to":2}]}`
	v.rest["/stocks/v1/dividends"] = `{"status":"OK","results":[]}`
	v.rest["/v3/reference/tickers"] = `{"status":"OK","results":[{"ticker":"ACME","active":true,"share_class_figi":"S"}]}`
	v.rest["/v1/marketstatus/upcoming"] = `[]`
	o := v.options(t, dir)
	o.REST.Key = "rest-key"
	o.Now = time.Now // files on disk have the real time
	s, err := polygon.Sync(t.Context(), o)
	// The fake gives the same list for listed and delisted: one instrument.
	if err != nil || len(s.Warnings) != 0 || s.Reference.Instruments != 1 || s.Reference.Splits != 1 || s.Reference.Calls != 5 {
		t.Fatalf("%+v %+v %v", s, s.Reference, err)
	}
	st, err := store.Open(filepath.Join(dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	in, actions, err := st.Actions("ACME")
	if err != nil || in.ID != "S" || len(actions.Splits) != 1 || actions.Splits[0].To != 2 {
		t.Errorf("%+v %+v %v", in, actions, err)
	}
	before := len(v.log)
	if _, err = polygon.Sync(t.Context(), o); err != nil || len(v.log) != before {
		t.Errorf("second time: %v %v", v.log[before:], err)
	}
	o.Datasets = []string{polygon.Calendar} // asked for by name: asked again
	if _, err = polygon.Sync(t.Context(), o); err != nil || len(v.log) != before+1 {
		t.Errorf("by name: %v %v", v.log[before:], err)
	}
}

func TestSyncNamesSessionsWithoutFile(t *testing.T) {
	v := newVendor(t)
	delete(v.files, flatfile.Key(flatfile.Day, day("2023-12-29")))
	o := v.options(t, t.TempDir())
	o.DryRun = true
	s, err := polygon.Sync(t.Context(), o)
	if err != nil || len(s.Warnings) != 1 || s.Warnings[0].Code != "no_file" || !strings.HasSuffix(s.Warnings[0].Message, "of 1 sessions of the calendar: 2023-12-29") {
		t.Errorf("%+v %v", s.Warnings, err)
	}
}

// A plan without reference data does not keep the bars away, and is said.
func TestSyncReferenceForbidden(t *testing.T) {
	v, dir := newVendor(t), t.TempDir()
	o := v.options(t, dir)
	o.REST.Key = "rest-key"
	s, err := polygon.Sync(t.Context(), o)
	if !errors.Is(err, polygon.ErrForbidden) || s.Bars[0].Loaded != 4 || len(s.Faults) != 3 || strings.Contains(err.Error(), "rest-key") {
		t.Errorf("%+v %v", s, err)
	}
}

func TestSyncRefusesNonsense(t *testing.T) {
	v := newVendor(t)
	for want, change := range map[string]func(*polygon.Options){
		`dataset "daily": want one of day, minute`:          func(o *polygon.Options) { o.Datasets = []string{"daily"} },
		"from 2024-01-04 to 2024-01-03: the range is empty": func(o *polygon.Options) { o.From, o.To = day("2024-01-04"), day("2024-01-03") },
		"bucket is not set":                                 func(o *polygon.Options) { o.S3.Name = "" },
	} {
		o := v.options(t, t.TempDir())
		change(&o)
		if s, err := polygon.Sync(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) || s == nil {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if len(v.log) != 0 {
		t.Errorf("requests %v", v.log)
	}
}
