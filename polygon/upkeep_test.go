package polygon_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/store"
	"backtester/polygon"
	"backtester/polygon/bucket"
	"backtester/polygon/flatfile"
)

const acme2024 = "01-02:12 01-03:13"

// flip changes one bit in the middle of the one file that matches.
func flip(t *testing.T, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) != 1 {
		t.Fatalf("%s: %v %v", pattern, files, err)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/3] ^= 1
	if err := os.WriteFile(files[0], b, 0o644); err != nil {
		t.Fatal(err)
	}
	return filepath.Base(files[0])
}

func fetch(t *testing.T, o polygon.Options) *polygon.Summary {
	t.Helper()
	s, err := polygon.Sync(t.Context(), o)
	if err != nil {
		t.Fatalf("%v\n%+v", err, s)
	}
	return s
}

// A byte of the store flips: reading says so, --verify names the file and its sessions, and they are
// put again from the downloads, or fetched where those were pruned.
func TestVerifyHealsTheStore(t *testing.T) {
	for _, pruned := range []bool{false, true} {
		v, dir := newVendor(t), t.TempDir()
		o := v.options(t, dir)
		o.Prune = pruned
		fetch(t, o)
		v.took()
		name := flip(t, filepath.Join(dir, "store", "day-2024-*.seg"))
		st, err := store.Open(filepath.Join(dir, "store"))
		if err != nil {
			t.Fatal(err)
		}
		var fault *store.Fault
		if _, err := st.Load(t.Context(), bar.Request{Symbol: "ACME", Frame: bar.Daily, From: day("2024-01-01")}); !errors.As(err, &fault) {
			t.Errorf("the damage is not seen: %v", err)
		}
		st.Close()

		o.Verify, o.DryRun, o.Prune = true, true, false
		s, err := polygon.Sync(t.Context(), o)
		if err == nil || !strings.Contains(err.Error(), "damaged: "+name) || len(s.Damaged) != 1 {
			t.Errorf("only looking: %v", err)
		}
		o.DryRun = false
		o.From = day("2024-01-03") // the whole of the damaged file is had again, whatever is asked for
		s = fetch(t, o)
		if len(s.Damaged) != 1 || !s.Damaged[0].Healed || s.Damaged[0].File != name || s.Damaged[0].First != day("2024-01-02") || s.Bars[0].Loaded != 2 {
			t.Errorf("%+v", s)
		}
		if got := len(v.took()); got != map[bool]int{false: 0, true: 2}[pruned] {
			t.Errorf("pruned %v: %d downloads", pruned, got)
		}
		if got := bars(t, filepath.Join(dir, "store"), "ACME"); got != acme2024 {
			t.Errorf("%q", got)
		}
		if s = fetch(t, o); len(s.Damaged) != 0 || s.Bars[0].Loaded != 0 {
			t.Errorf("the second time: %+v", s)
		}
		aside := filepath.Join(dir, "store", name+".damaged")
		if _, err := os.Stat(aside); err != nil {
			t.Error(err)
		}
		o.Prune = true
		fetch(t, o)
		if _, err := os.Stat(aside); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("after pruning: %v", err)
		}
	}
}

// Damaged downloads are fetched again; damaged reference data comes again from the downloads.
func TestVerifyHealsDownloadsAndReference(t *testing.T) {
	v, dir := newVendor(t), t.TempDir()
	put(t, filepath.Join(dir, "raw"), "reference/tickers.json", []byte(`{"results":[{"ticker":"ACME","active":true,"share_class_figi":"S"}]}`))
	fetch(t, v.options(t, dir))
	v.took()
	flip(t, filepath.Join(dir, "raw", filepath.FromSlash(flatfile.Key(flatfile.Day, day("2023-12-28")))))
	index := flip(t, filepath.Join(dir, "store", "reference-*.index"))
	segment := flip(t, filepath.Join(dir, "store", "day-2023-*.seg"))
	o := v.options(t, dir)
	o.Verify = true
	s := fetch(t, o)
	var named []string
	for _, d := range s.Damaged {
		named = append(named, d.File)
	}
	if got := strings.Join(named, " "); got != index+" "+segment+" us_stocks_sip/day_aggs_v1/2023/12/2023-12-28.csv.gz" {
		t.Error(got)
	}
	if got := v.took(); len(got) != 1 || s.Bars[0].Loaded != 2 {
		t.Errorf("%v %+v", got, s.Bars)
	}
	st, err := store.Open(filepath.Join(dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if in, _, err := st.Actions("ACME"); err != nil || in.ID != "S" {
		t.Errorf("%+v %v", in, err)
	}
}

// What is damaged and cannot be had again is an error; it can be once the keys are there.
func TestVerifyWithoutKeys(t *testing.T) {
	v, dir := newVendor(t), t.TempDir()
	fetch(t, v.options(t, dir))
	flip(t, filepath.Join(dir, "store", "day-2024-*.seg"))
	o := v.options(t, dir)
	o.Verify, o.S3.SecretKey = true, ""
	s, err := polygon.Sync(t.Context(), o)
	if !errors.Is(err, polygon.ErrUnauthorized) || len(s.Damaged) != 1 || s.Damaged[0].Healed {
		t.Errorf("%v %+v", err, s.Damaged)
	}
	o.S3.SecretKey = "b"
	if s = fetch(t, o); s.Bars[0].Loaded != 2 {
		t.Errorf("%+v", s)
	}
}

func TestPruneKeepsTheStoreAndAsksForNothing(t *testing.T) {
	v, dir := newVendor(t), t.TempDir()
	o := v.options(t, dir)
	o.Prune = true
	s := fetch(t, o)
	if s.Pruned.Files != 4 || s.Pruned.Bytes == 0 {
		t.Errorf("%+v", s.Pruned)
	}
	left, _ := filepath.Glob(filepath.Join(dir, "raw", "us_stocks_sip", "*", "*", "*", "*"))
	if len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	v.took()
	for _, dry := range []bool{true, false} {
		o.DryRun = dry
		if s = fetch(t, o); s.Bars[0].Missing != 0 || len(v.took()) != 0 || s.Pruned.Files != 0 {
			t.Errorf("%+v", s)
		}
	}
	if err := os.RemoveAll(filepath.Join(dir, "store")); err != nil {
		t.Fatal(err)
	}
	o.DryRun = true
	if s = fetch(t, o); s.Bars[0].Missing != 4 {
		t.Errorf("dry, without store: %+v", s.Bars)
	}
	o.DryRun = false
	if s = fetch(t, o); s.Bars[0].Fetched != 4 || s.Bars[0].Loaded != 4 || s.Pruned.Files != 4 {
		t.Errorf("without store: %+v", s)
	}
	if got := bars(t, filepath.Join(dir, "store"), "ACME"); got != acme2024 {
		t.Errorf("%q", got)
	}
}

// Without datasets the store is brought up to date from its own first session on.
func TestUpdate(t *testing.T) {
	v, dir := newVendor(t), t.TempDir()
	o := v.options(t, dir)
	o.From = day("2024-01-02")
	fetch(t, o)
	key := flatfile.Key(flatfile.Day, day("2024-01-04"))
	v.files[key] = encode(t, flatfile.Day, oneBar("2024-01-04", 14, "ACME"))
	o.Datasets, o.From = nil, 0
	v.took()
	if s := fetch(t, o); s.Bars[0].Listed != 3 || s.Bars[0].Loaded != 1 || len(s.Bars) != 1 {
		t.Errorf("%+v", s.Bars)
	}
	if got := v.took(); len(got) != 1 || got[0] != "/"+key {
		t.Errorf("%v", got)
	}
	o = v.options(t, t.TempDir())
	o.Datasets, o.From = nil, 0
	if s := fetch(t, o); s.Bars[0].Loaded != 5 || len(s.Bars) != 1 {
		t.Errorf("nothing stored yet: %+v", s.Bars)
	}
}

// A plan that begins later is what there is, unless more was asked for; one without anything is not.
func TestPlanLimit(t *testing.T) {
	v := newVendor(t)
	v.plan = flatfile.Key(flatfile.Day, day("2024-01-02"))
	o := v.options(t, t.TempDir())
	o.From = 0
	s := fetch(t, o)
	if n := len(s.Warnings); n != 2 || s.Warnings[n-1].Code != "plan_limit" || !strings.HasSuffix(s.Warnings[n-1].Message, "before 2024-01-02") || s.Bars[0].Loaded != 2 {
		t.Errorf("%+v", s)
	}
	if _, err := polygon.Sync(t.Context(), v.options(t, t.TempDir())); !errors.Is(err, polygon.ErrForbidden) {
		t.Errorf("asked for more: %v", err)
	}
	v.plan = "z"
	o = v.options(t, t.TempDir())
	o.From = 0
	if _, err := polygon.Sync(t.Context(), o); !errors.Is(err, polygon.ErrForbidden) {
		t.Errorf("nothing included: %v", err)
	}
}

// A session without a file becomes a closure of the store's calendar, until the file comes.
func TestMissingFileCorrectsTheCalendar(t *testing.T) {
	v, dir := newVendor(t), t.TempDir()
	key := flatfile.Key(flatfile.Day, day("2023-12-29"))
	body := v.files[key]
	delete(v.files, key)
	o := v.options(t, dir)
	isSession := func() bool {
		st, err := store.Open(filepath.Join(dir, "store"))
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		return st.Calendar().IsSession(day("2023-12-29"))
	}
	s := fetch(t, o)
	if !isSession() || !strings.Contains(s.Warnings[0].Message+s.Warnings[1].Message, "2023-12-29") {
		t.Errorf("a week later the file may only be late: %+v", s.Warnings)
	}
	later := o.Now().AddDate(0, 0, 5)
	o.Now = func() time.Time { return later }
	fetch(t, o)
	if isSession() {
		t.Error("two weeks later the market was closed")
	}
	v.files[key] = body
	fetch(t, o)
	if !isSession() {
		t.Error("the file came: it was a session")
	}
}

func TestMirrorVerifyCountsLostFiles(t *testing.T) {
	v, dir := newVendor(t), t.TempDir()
	fetch(t, v.options(t, dir))
	m, err := bucket.OpenMirror(filepath.Join(dir, "raw"))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	key := flatfile.Key(flatfile.Day, day("2023-12-28"))
	if err := os.Remove(m.Path(key)); err != nil {
		t.Fatal(err)
	}
	bad, err := m.Verify(t.Context())
	if err != nil || len(bad) != 1 || bad[0].Key != key {
		t.Errorf("%v %v", bad, err)
	}
	if _, known := m.Entry(key); known {
		t.Error("the lost file still counts")
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Years that come one by one are brought into one piece at the end; a little more later is not worth it.
func TestHistoryComesToOnePiece(t *testing.T) {
	v, dir := newVendor(t), t.TempDir()
	o := v.options(t, dir)
	o.From = day("2021-01-01")
	add := func(from, to string) {
		for _, d := range bar.NYSE().Sessions(day(from), day(to)) {
			v.files[flatfile.Key(flatfile.Day, d)] = encode(t, flatfile.Day, oneBar(d.String(), 10, "NA"))
		}
	}
	add("2024-01-02", "2024-01-03")
	add("2023-10-02", "2023-11-30")
	add("2022-12-27", "2022-12-29")
	files := func() int {
		st, err := store.Open(o.StoreDir)
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		return st.Files()
	}
	if fetch(t, o); files() != 2 {
		t.Errorf("%d files, want the past and the year at hand", files())
	}
	add("2021-12-29", "2021-12-30")
	if fetch(t, o); files() != 3 {
		t.Errorf("%d files, want another one for two sessions of a year before", files())
	}
}
