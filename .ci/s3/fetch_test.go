package s3test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/polygon"
	"backtester/polygon/bucket"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func TestFetchAndNothingTwice(t *testing.T) {
	v := newVendor(t, 41)
	for i := range 1100 { // more than a page of names that are no flat files
		v.put(fmt.Sprintf("us_stocks_sip/day_aggs_v1/2024/00-junk-%04d.txt", i), []byte("x"))
	}
	p, url := v.startProxy(func(string, int) func(w rw, r *res) { return nil })
	dir := t.TempDir()
	seen := &progress{}
	o := options(dir, url)
	o.Progress = seen
	s, err := polygon.Sync(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	b := s.Bars[0]
	if b.Listed != 41 || b.Missing != 41 || b.Fetched != 41 || b.Loaded != 41 || b.Rows != 41*400 || b.First.String() != "2024-01-02" {
		t.Errorf("summary %+v", b)
	}
	if len(s.Warnings) != 1 || s.Warnings[0].Code != "no_actions" {
		t.Errorf("warnings %v", s.Warnings)
	}
	if seen.started != 41 || seen.files != 41 || seen.bytes != seen.total || !seen.done {
		t.Errorf("progress %+v", seen)
	}
	v.complete(dir)
	if p.count() != 41 {
		t.Errorf("%d downloads", p.count())
	}

	s, err = polygon.Sync(t.Context(), options(dir, url))
	if err != nil || s.Bars[0].Fetched != 0 || s.Bars[0].Loaded != 0 || p.count() != 41 {
		t.Errorf("second fetch: %+v %v, %d downloads", s.Bars, err, p.count())
	}

	// The store is lost, the downloads are not.
	if err := os.RemoveAll(filepath.Join(dir, "store")); err != nil {
		t.Fatal(err)
	}
	s, err = polygon.Sync(t.Context(), options(dir, url))
	if err != nil || s.Bars[0].Loaded != 41 || p.count() != 41 {
		t.Errorf("fetch without store: %+v %v, %d downloads", s.Bars, err, p.count())
	}
	v.complete(dir)

	// A download is lost.
	if err := os.Remove(filepath.Join(dir, "raw", v.key(7))); err != nil {
		t.Fatal(err)
	}
	if s, err = polygon.Sync(t.Context(), options(dir, url)); err != nil || s.Bars[0].Fetched != 1 || p.count() != 42 {
		t.Errorf("fetch of a lost file: %+v %v", s.Bars, err)
	}
	v.complete(dir)
}

func TestDryRunTouchesNothing(t *testing.T) {
	v := newVendor(t, 3)
	dir := filepath.Join(t.TempDir(), "data")
	o := v.options(dir)
	o.DryRun = true
	s, err := polygon.Sync(t.Context(), o)
	if err != nil || s.Bars[0].Missing != 3 || s.Bars[0].Bytes == 0 {
		t.Errorf("%+v %v", s.Bars, err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder exists: %v", err)
	}
}

func TestChangedAndNewObjectsAreFetchedAgain(t *testing.T) {
	v := newVendor(t, 5)
	dir := t.TempDir()
	if _, err := polygon.Sync(t.Context(), v.options(dir)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond) // last-modified has seconds
	v.put(v.key(2), dayFile(t, sessionOf(v.key(2)), 200))
	v.put(v.key(5), dayFile(t, sessionOf(v.key(5)), 100))
	s, err := polygon.Sync(t.Context(), v.options(dir))
	if err != nil || s.Bars[0].Fetched != 2 || s.Bars[0].Loaded != 2 {
		t.Errorf("%+v %v", s.Bars, err)
	}
	v.complete(dir)
}

// A bit flips in the store, another in a download: both are named, and what they held is had again, in
// the store from the downloads, and from the vendor where these were pruned.
func TestVerifyAndPrune(t *testing.T) {
	v := newVendor(t, 12)
	p, url := v.startProxy(func(string, int) func(w rw, r *res) { return nil })
	dir := t.TempDir()
	o := options(dir, url)
	if _, err := polygon.Sync(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	flip := func(pattern string) {
		t.Helper()
		files, _ := filepath.Glob(filepath.Join(dir, pattern))
		if len(files) != 1 {
			t.Fatalf("%s: %v", pattern, files)
		}
		b, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)/2] ^= 16
		if err := os.WriteFile(files[0], b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	flip("store/day-*.seg")
	flip("raw/" + v.key(3))
	o.Verify = true
	s, err := polygon.Sync(t.Context(), o)
	if err != nil || len(s.Damaged) != 2 || !s.Damaged[0].Healed || s.Damaged[1].File != v.key(3) || s.Bars[0].Fetched != 1 || s.Bars[0].Loaded != 12 {
		t.Errorf("%+v %v", s, err)
	}
	v.complete(dir)
	o.Verify, o.Prune = false, true
	if s, err = polygon.Sync(t.Context(), o); err != nil || s.Pruned.Files != 13 || p.count() != 13 { // twelve downloads, one segment set aside
		t.Errorf("%+v %v, %d downloads", s, err, p.count())
	}
	flip("store/day-*.seg")
	o.Verify, o.Prune = true, false
	if s, err = polygon.Sync(t.Context(), o); err != nil || s.Bars[0].Fetched != 12 || p.count() != 25 {
		t.Errorf("%+v %v, %d downloads", s, err, p.count())
	}
	v.complete(dir)
}

func TestRange(t *testing.T) {
	v := newVendor(t, 10)
	o := v.options(t.TempDir())
	o.From, o.To = instrument.NewDate(2024, 1, 5), instrument.NewDate(2024, 1, 9)
	s, err := polygon.Sync(t.Context(), o)
	if err != nil || s.Bars[0].Listed != 3 || s.Bars[0].First != o.From || s.Bars[0].Last != o.To {
		t.Errorf("%+v %v", s.Bars, err)
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	v := newVendor(t, 1)
	for name, c := range map[string]struct {
		change func(*bucket.Config)
		is     error
		words  string
	}{
		"wrong secret":    {func(c *bucket.Config) { c.SecretKey = "wrong-secret-key" }, polygon.ErrUnauthorized, "SignatureDoesNotMatch"},
		"unknown key":     {func(c *bucket.Config) { c.AccessKey = "nobody" }, nil, "check the keys"},
		"no keys":         {func(c *bucket.Config) { c.SecretKey = "" }, polygon.ErrUnauthorized, "are not set"},
		"wrong bucket":    {func(c *bucket.Config) { c.Name = "no-such-bucket" }, bucket.ErrAbsent, `"no-such-bucket"`},
		"nobody there":    {func(c *bucket.Config) { c.Endpoint = "http://127.0.0.1:1" }, bucket.ErrUnreachable, "refused"},
		"no such host":    {func(c *bucket.Config) { c.Endpoint = "http://host.invalid" }, bucket.ErrUnreachable, "host.invalid"},
		"no endpoint":     {func(c *bucket.Config) { c.Endpoint = "files.massive.com" }, nil, "want http(s)://host"},
		"password in URL": {func(c *bucket.Config) { c.Endpoint = "http://me:hush@localhost" }, nil, "...@localhost"},
	} {
		o := v.options(t.TempDir())
		c.change(&o.S3)
		_, err := polygon.Sync(t.Context(), o)
		if err == nil || (c.is != nil && !errors.Is(err, c.is)) || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && (strings.Contains(err.Error(), secretKey) || strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "wrong-secret-key")) {
			t.Errorf("%s: the error shows a secret: %v", name, err)
		}
	}
}

func TestAbsentMeansNoSession(t *testing.T) {
	v := newVendor(t, 6)
	key := v.key(3)
	if _, err := v.s3.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &v.name, Key: &key}); err != nil {
		t.Fatal(err)
	}
	delete(v.files, key)
	dir := t.TempDir()
	if s, err := polygon.Sync(t.Context(), v.options(dir)); err != nil || s.Bars[0].Listed != 5 {
		t.Errorf("%+v %v", s.Bars, err)
	}
	v.complete(dir)
}

func TestCancelLeavesAResumableState(t *testing.T) {
	v := newVendor(t, 30)
	dir := t.TempDir()
	for n := 1; n <= 25; n += 6 {
		ctx, cancel := context.WithCancel(t.Context())
		_, url := v.startProxy(func(string, int) func(w rw, r *res) { return nil })
		o := options(dir, url)
		o.Workers, o.Progress = 2, &progress{after: n, then: cancel}
		if _, err := polygon.Sync(ctx, o); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		cancel()
		for key, got := range v.onDisk(dir) {
			if got != sum(v.files[key]) {
				t.Fatalf("%s is half-written under its name", key)
			}
		}
	}
	if _, err := polygon.Sync(t.Context(), v.options(dir)); err != nil {
		t.Fatal(err)
	}
	v.complete(dir)
}

func TestTwoFetchesAtOnce(t *testing.T) {
	v := newVendor(t, 20)
	dir := t.TempDir()
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() { _, errs[i] = polygon.Sync(t.Context(), v.options(dir)) })
	}
	wg.Wait()
	good := 0
	for _, err := range errs {
		switch {
		case err == nil:
			good++
		case !errors.Is(err, polygon.ErrBusy):
			t.Errorf("want %v, got %v", polygon.ErrBusy, err)
		}
	}
	if good == 0 {
		t.Error("none succeeded")
	}
	v.complete(dir)
}

// Processes lock each other out, too, and one that is killed holds nothing.
func TestTwoProcessesAtOnce(t *testing.T) {
	v := newVendor(t, 20)
	_, url := v.startProxy(func(key string, _ int) func(w rw, r *res) {
		return func(w rw, r *res) { time.Sleep(10 * time.Millisecond); pass(w, r) }
	})
	dir := t.TempDir()
	var wg sync.WaitGroup
	said := make([]string, 3)
	for i := range said {
		wg.Go(func() {
			out, err := fetchProcess(dir, url).CombinedOutput()
			if said[i] = string(out); err == nil {
				said[i] = "done"
			}
		})
	}
	wg.Wait()
	if !slices.Contains(said, "done") {
		t.Errorf("none succeeded: %q", said)
	}
	for _, s := range said {
		if s != "done" && !strings.Contains(s, "another") {
			t.Errorf("refused with %q", s)
		}
	}
	v.complete(dir)
}

// progress counts and may cancel.
type progress struct {
	started, files int
	total, bytes   int64
	done           bool
	after          int
	then           func()
}

func (p *progress) Start(files int, bytes int64) { p.started, p.total = files, bytes }
func (p *progress) Done()                        { p.done = true }
func (p *progress) File(_ string, bytes int64) {
	p.bytes += bytes
	if p.files++; p.files == p.after {
		p.then()
	}
}

// Where the vendor has no file at all of a range in which the exchange traded, the fetch fails and says so;
// where it may only be late, or the exchange was closed, there is nothing to say.
func TestNothingListedIsSaid(t *testing.T) {
	v := newVendor(t, 3)
	for _, c := range []struct {
		dataset  string
		from, to instrument.Date
		wrong    bool
	}{
		{polygon.Minute, instrument.NewDate(2024, 1, 2), instrument.NewDate(2024, 1, 31), true},
		{polygon.Day, instrument.NewDate(2024, 3, 1), instrument.NewDate(2024, 3, 31), true},
		{polygon.Day, instrument.NewDate(2024, 1, 6), instrument.NewDate(2024, 1, 7), false},   // a weekend
		{polygon.Day, instrument.NewDate(2024, 12, 30), instrument.NewDate(2025, 1, 2), false}, // of this week
	} {
		o := v.options(t.TempDir())
		o.Datasets, o.From, o.To = []string{c.dataset}, c.from, c.to
		_, err := polygon.Sync(t.Context(), o)
		if c.wrong != errors.Is(err, bar.ErrNoData) || c.wrong && !strings.Contains(err.Error(), c.from.String()+" to "+c.to.String()) || !c.wrong && err != nil {
			t.Errorf("%s from %s to %s: %v", c.dataset, c.from, c.to, err)
		}
	}
}
