package store_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/store"
)

func day(t testing.TB, s string) instrument.Date {
	t.Helper()
	d, err := instrument.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// priceOf gives a ticker a price that depends on ticker, time and nothing else, so that every test can
// say what it expects without asking the store.
func priceOf(ticker string, ns int64) float64 {
	h := uint64(1469598103934665603)
	for i := range len(ticker) {
		h = (h ^ uint64(ticker[i])) * 1099511628211
	}
	h = (h ^ uint64(ns/60e9)) * 1099511628211
	h ^= h >> 29
	return 10 + float64(h%9000)/100
}

// batchOf is a batch of one row a ticker and time.
func batchOf(d instrument.Date, times func(ticker string) []int64, tickers ...string) store.Batch {
	slices.Sort(tickers)
	b := store.Batch{Session: d, Start: []int32{0}}
	for _, k := range tickers {
		for _, ns := range times(k) {
			p := priceOf(k, ns)
			b.Time = append(b.Time, ns)
			b.Open, b.High = append(b.Open, p), append(b.High, p+1)
			b.Low, b.Close = append(b.Low, p-1), append(b.Close, p+0.5)
			b.Volume, b.Transactions = append(b.Volume, p*100.25), append(b.Transactions, int64(p))
		}
		b.Symbols, b.Start = append(b.Symbols, k), append(b.Start, int32(len(b.Time)))
	}
	return b
}

func dayBatch(d instrument.Date, tickers ...string) store.Batch {
	return batchOf(d, func(string) []int64 { return []int64{d.Nanos()} }, tickers...)
}

// sessions of the exchange.
func sessions(t testing.TB, from, to string) []instrument.Date {
	return bar.NYSE().Sessions(day(t, from), day(t, to))
}

func create(t testing.TB, dir string) *store.Writer {
	t.Helper()
	w, err := store.Create(dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(dir)
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// fill commits daily bars of tickers on all sessions in one go.
func fill(t testing.TB, dir string, ds []instrument.Date, tickers ...string) {
	t.Helper()
	w := create(t, dir)
	for _, d := range ds {
		must(t, w.Put(bar.Daily, dayBatch(d, tickers...)))
	}
	must(t, w.Commit())
	must(t, w.Close())
}

func load(t testing.TB, s *store.Store, symbol, from, to string, warm int) *bar.Series {
	t.Helper()
	out, err := s.Load(context.Background(), bar.Request{Symbol: symbol, Frame: bar.Daily, From: day(t, from), To: day(t, to), Warmup: warm})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// wantDays checks that a series is exactly the bars of tickerOn on the dates.
func wantDays(t testing.TB, s *bar.Series, ds []instrument.Date, tickerOn func(instrument.Date) string) {
	t.Helper()
	if s.Len() != len(ds) {
		t.Fatalf("%s: %d bars, want %d", s.Symbol, s.Len(), len(ds))
	}
	for i, d := range ds {
		p := priceOf(tickerOn(d), d.Nanos())
		if s.Date(i) != d || s.Open[i] != p || s.High[i] != p+1 || s.Low[i] != p-1 || s.Close[i] != p+0.5 || s.Volume[i] != p*100.25 {
			t.Fatalf("%s bar %d: %s open %v, want %s open %v", s.Symbol, i, s.Date(i), s.Open[i], d, p)
		}
	}
}

func always(ticker string) func(instrument.Date) string {
	return func(instrument.Date) string { return ticker }
}

func TestWhatIsPutIsLoaded(t *testing.T) {
	dir, ds := t.TempDir(), sessions(t, "2022-11-01", "2024-02-29")
	tickers := []string{"A", "BCPC", "BCpC", "BRK.B", "NA", "NAN", "TRUE", "ZVZZT"}
	fill(t, dir, ds, tickers...)
	s := open(t, dir)
	for _, k := range tickers {
		wantDays(t, load(t, s, k, "1990-01-01", "2030-01-01", 0), ds, always(k))
	}
	for _, k := range []string{"bcpc", "BCPc", "", "AA", "na"} {
		if _, err := s.Load(context.Background(), bar.Request{Symbol: k, Frame: bar.Daily, From: ds[0], To: ds[9]}); !errors.Is(err, bar.ErrNoData) {
			t.Errorf("%q: %v, want no data", k, err)
		}
	}
	cov, err := s.Coverage(context.Background(), bar.Daily)
	must(t, err)
	if len(cov) != len(tickers) {
		t.Fatalf("coverage of %d instruments, want %d", len(cov), len(tickers))
	}
	for i, c := range cov {
		if c.Instrument.Ticker != tickers[i] || c.First != ds[0] || c.Last != ds[len(ds)-1] || c.Bars != int64(len(ds)) {
			t.Errorf("coverage %+v", c)
		}
		if want := instrument.ID(tickers[i] + "@2022-11-01"); c.Instrument.ID != want {
			t.Errorf("id %s, want %s", c.Instrument.ID, want)
		}
	}
	if faults, err := s.Verify(context.Background()); err != nil || len(faults) > 0 {
		t.Errorf("a healthy store has faults: %v %v", faults, err)
	}
	if got := s.Sessions(bar.Daily); !slices.Equal(got, ds) {
		t.Errorf("%d sessions, want %d", len(got), len(ds))
	}
}

func TestRangeAndWarmupOverYears(t *testing.T) {
	dir, ds := t.TempDir(), sessions(t, "2020-01-01", "2023-12-31")
	fill(t, dir, ds, "A", "B")
	s := open(t, dir)
	at := func(d string) int { i, _ := slices.BinarySearch(ds, day(t, d)); return i }
	for _, x := range []struct {
		from, to string
		warm     int
	}{
		{"2022-01-03", "2022-12-30", 0}, {"2022-01-03", "2022-12-30", 1}, {"2022-01-01", "2022-12-31", 300}, {"2022-01-03", "2022-01-03", 600},
		{"2021-06-01", "2021-07-01", 50}, {"2020-01-02", "2020-01-10", 20}, {"2020-02-03", "2023-12-31", 1000}, {"2023-12-29", "2030-01-01", 251}, {"2023-12-29", "2030-01-01", 249},
	} {
		i, j := at(x.from), at(x.to)
		if j < len(ds) && ds[j] == day(t, x.to) {
			j++
		}
		warm := min(x.warm, i)
		got := load(t, s, "B", x.from, x.to, x.warm)
		if got.Warm != warm {
			t.Errorf("%+v: warm %d, want %d", x, got.Warm, warm)
		}
		wantDays(t, got, ds[i-warm:j], always("B"))
	}
	_, err := s.Load(context.Background(), bar.Request{Symbol: "B", Frame: bar.Daily, From: day(t, "2025-01-01"), To: day(t, "2025-12-31"), Warmup: 10})
	if !errors.Is(err, bar.ErrNoData) {
		t.Errorf("bars after the end: %v", err)
	}
}

// A range within one file must not be copied, and what is loaded must equal what a copy gives.
func TestOneSegmentIsAView(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, sessions(t, "2022-01-01", "2023-12-31"), "A")
	s := open(t, dir)
	a, b := load(t, s, "A", "2022-02-01", "2022-11-30", 5), load(t, s, "A", "2022-03-01", "2022-10-31", 0)
	if &a.Close[a.Warm+19] != &b.Close[0] {
		t.Error("two loads from one segment do not share their bytes")
	}
	req := bar.Request{Symbol: "A", Frame: bar.Daily, From: day(t, "2022-02-01"), To: day(t, "2022-11-30")}
	if n := testing.AllocsPerRun(50, func() { s.Load(context.Background(), req) }); n > 30 {
		t.Errorf("a load within one segment allocates %v times", n)
	}
}

func TestSessionsAreReplaced(t *testing.T) {
	dir, ds := t.TempDir(), sessions(t, "2023-01-01", "2024-06-30")
	fill(t, dir, ds, "A", "B", "C")
	w := create(t, dir)
	fresh := []string{"A", "AB", "C"} // B vanishes from the session, AB is new
	for _, d := range []instrument.Date{ds[10], ds[100], ds[len(ds)-1], ds[len(ds)-2]} {
		must(t, w.Put(bar.Daily, dayBatch(d, "B"))) // replaced again before the commit
		must(t, w.Put(bar.Daily, dayBatch(d, fresh...)))
	}
	must(t, w.Commit())
	s := open(t, dir)
	wantDays(t, load(t, s, "A", "2023-01-01", "2024-12-31", 0), ds, always("A"))
	wantDays(t, load(t, s, "C", "2023-01-01", "2024-12-31", 0), ds, always("C"))
	wantDays(t, load(t, s, "AB", "2023-01-01", "2024-12-31", 0),
		[]instrument.Date{ds[10], ds[100], ds[len(ds)-2], ds[len(ds)-1]}, always("AB"))
	rest := slices.Concat(ds[:10], ds[11:100], ds[101:len(ds)-2])
	wantDays(t, load(t, s, "B", "2023-01-01", "2024-12-31", 0), rest, always("B"))
	if got := w.Sessions(bar.Daily); !slices.Equal(got, ds) {
		t.Errorf("%d sessions, want %d", len(got), len(ds))
	}
}

// A year of daily updates: the bars stay right, the parts few, and the bytes written small.
func TestDailyUpdatesCarry(t *testing.T) {
	dir, ds := t.TempDir(), sessions(t, "2023-07-01", "2024-03-28")
	w := create(t, dir)
	most := 0
	for i, d := range ds {
		tickers := []string{"A", "B"}
		if i%3 == 0 {
			tickers = append(tickers, "GAPS")
		}
		must(t, w.Put(bar.Daily, dayBatch(d, tickers...)))
		must(t, w.Commit())
		files, _ := filepath.Glob(filepath.Join(dir, "*.seg"))
		most = max(most, len(files))
	}
	if most > 10 {
		t.Errorf("up to %d segments for %d sessions", most, len(ds))
	}
	s := open(t, dir)
	wantDays(t, load(t, s, "A", "2023-01-01", "2024-12-31", 0), ds, always("A"))
	var third []instrument.Date
	for i := 0; i < len(ds); i += 3 {
		third = append(third, ds[i])
	}
	wantDays(t, load(t, s, "GAPS", "2023-01-01", "2024-12-31", 0), third, always("GAPS"))
	closed, _ := filepath.Glob(filepath.Join(dir, "day-2023-*.seg"))
	if len(closed) != 1 {
		t.Errorf("the closed year is in %d files: %v", len(closed), closed)
	}
}

func TestSpillingChangesNothing(t *testing.T) {
	ds := sessions(t, "2023-11-01", "2024-02-28")
	put := func(buffer int64) map[string][]byte {
		dir := t.TempDir()
		w, err := store.Create(dir, store.Options{Buffer: buffer})
		must(t, err)
		for i := range ds {
			d := ds[(i*37)%len(ds)] // out of order
			must(t, w.Put(bar.Daily, dayBatch(d, "X")))
			must(t, w.Put(bar.Daily, dayBatch(d, "A", "B", "Z")))
		}
		must(t, w.Commit())
		must(t, w.Close())
		return files(t, dir)
	}
	a, b := put(0), put(500)
	if len(a) < 3 || len(a) != len(b) {
		t.Fatalf("%d and %d files", len(a), len(b))
	}
	for name := range a {
		if name != "LOCK" && string(a[name]) != string(b[name]) {
			t.Errorf("%s differs when the buffer spills", name)
		}
	}
}

func files(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	list, err := os.ReadDir(dir)
	must(t, err)
	m := map[string][]byte{}
	for _, e := range list {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		must(t, err)
		m[e.Name()] = b
	}
	return m
}

func TestBadBatchesAreRefused(t *testing.T) {
	w := create(t, t.TempDir())
	d := day(t, "2024-01-03")
	for name, spoil := range map[string]func(b *store.Batch){
		"NaN open":           func(b *store.Batch) { b.Open[1] = math.NaN() },
		"infinite high":      func(b *store.Batch) { b.High[1] = math.Inf(1) },
		"zero low":           func(b *store.Batch) { b.Low[1] = 0 },
		"negative low":       func(b *store.Batch) { b.Low[1] = -1 },
		"NaN low":            func(b *store.Batch) { b.Low[1] = math.NaN() },
		"low above close":    func(b *store.Batch) { b.Low[1] = b.Close[1] + 0.01 },
		"high below open":    func(b *store.Batch) { b.High[1] = b.Open[1] - 0.01 },
		"NaN close":          func(b *store.Batch) { b.Close[1] = math.NaN() },
		"negative volume":    func(b *store.Batch) { b.Volume[1] = -1 },
		"NaN volume":         func(b *store.Batch) { b.Volume[1] = math.NaN() },
		"infinite volume":    func(b *store.Batch) { b.Volume[1] = math.Inf(1) },
		"transactions":       func(b *store.Batch) { b.Transactions[1] = math.MaxInt32 + 1 },
		"another day":        func(b *store.Batch) { b.Time[1] += 86400e9 },
		"not midnight":       func(b *store.Batch) { b.Time[1]++ },
		"unsorted symbols":   func(b *store.Batch) { b.Symbols[0], b.Symbols[1] = b.Symbols[1], b.Symbols[0] },
		"duplicate symbols":  func(b *store.Batch) { b.Symbols[1] = b.Symbols[0] },
		"empty symbol":       func(b *store.Batch) { b.Symbols[0] = "" },
		"blank in symbol":    func(b *store.Batch) { b.Symbols[0] = "A B" },
		"short column":       func(b *store.Batch) { b.High = b.High[:2] },
		"ranges too short":   func(b *store.Batch) { b.Start[3] = 2 },
		"symbol without row": func(b *store.Batch) { b.Start[1] = 0 },
	} {
		b := dayBatch(d, "A", "B", "C")
		spoil(&b)
		if err := w.Put(bar.Daily, b); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	m := minuteBatch(t, d, 0, 3, "A")
	m.Time[2] = m.Time[1]
	if err := w.Put(bar.Minutely, m); err == nil {
		t.Error("a minute twice: taken")
	}
	m = minuteBatch(t, d, 0, 3, "A")
	m.Time[0] = bar.NYSE().Midnight(d) - 1
	if err := w.Put(bar.Minutely, m); err == nil {
		t.Error("a minute of the day before: taken")
	}
	if err := w.Put(bar.Frame{N: 5, Unit: bar.Minute}, m); err == nil {
		t.Error("5m: taken")
	}
	if n := len(w.Sessions(bar.Daily)) + len(w.Sessions(bar.Minutely)); n != 0 {
		t.Errorf("%d sessions after refusals only", n)
	}
}

// minuteBatch has the minutes [from, to) after the opening.
func minuteBatch(t testing.TB, d instrument.Date, from, to int, tickers ...string) store.Batch {
	t.Helper()
	first, _, _, ok := bar.NYSE().Hours(d)
	if !ok {
		t.Fatalf("%s is no session", d)
	}
	return batchOf(d, func(string) []int64 {
		var ns []int64
		for i := from; i < to; i++ {
			ns = append(ns, first+int64(i)*int64(time.Minute))
		}
		return ns
	}, tickers...)
}

func TestEmptyStore(t *testing.T) {
	if _, err := store.Open(filepath.Join(t.TempDir(), "nowhere")); !errors.Is(err, bar.ErrNoData) {
		t.Errorf("absent directory: %v", err)
	}
	dir := t.TempDir()
	if _, err := store.Open(dir); !errors.Is(err, bar.ErrNoData) {
		t.Errorf("empty directory: %v", err)
	}
	w := create(t, dir)
	must(t, w.Put(bar.Daily, dayBatch(day(t, "2024-01-03"), "A")))
	must(t, w.Close())
	if _, err := store.Open(dir); !errors.Is(err, bar.ErrNoData) {
		t.Errorf("closed without commit: %v", err)
	}
}

func TestSyntheticIsKept(t *testing.T) {
	dir := t.TempDir()
	w, err := store.Create(dir, store.Options{Synthetic: true})
	must(t, err)
	must(t, w.Put(bar.Daily, dayBatch(day(t, "2024-01-03"), "A")))
	must(t, w.Commit())
	must(t, w.Close())
	if s := open(t, dir); !s.Synthetic() {
		t.Error("synthetic prices are not labelled")
	}
	if _, err := store.Create(dir, store.Options{}); err == nil {
		t.Error("real prices may be written among synthetic ones")
	}
}

// A store of a market that never closes dates its minutes in UTC, keeps bars without volume, and says so
// to whoever opens it.
func TestCalendarAndBarsWithoutVolume(t *testing.T) {
	dir := t.TempDir()
	sunday := instrument.NewDate(2024, 1, 7)
	b := store.Batch{Session: sunday, Symbols: []string{"I:X"}, Start: []int32{0, 2}, NoVolume: true,
		Time: []int64{sunday.Nanos(), sunday.Nanos() + 86399e9/60e9*60e9}, Open: []float64{1, 2}, High: []float64{1, 2}, Low: []float64{1, 2},
		Close: []float64{1, 2}, Volume: []float64{math.NaN(), math.NaN()}, Transactions: []int64{-1, -1}}
	w, err := store.Create(dir, store.Options{Calendar: "always"})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Put(bar.Minutely, b), w.Commit(), w.Close()); err != nil {
		t.Fatal(err)
	}
	b.NoVolume = false
	if w, err = store.Create(dir, store.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := w.Put(bar.Minutely, b); err == nil {
		t.Error("bars that should have a volume are taken without one")
	}
	w.Close()
	for _, other := range []string{"XNYS", "moon"} {
		if _, err := store.Create(dir, store.Options{Calendar: other}); err == nil {
			t.Errorf("calendar %q is taken", other)
		}
	}
	if _, err := store.Create(t.TempDir(), store.Options{Calendar: "moon"}); err == nil {
		t.Error("a new store takes a calendar that nobody knows")
	}
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got, err := s.Load(t.Context(), bar.Request{Symbol: "I:X", Frame: bar.Daily, From: sunday, To: sunday})
	if err != nil || s.Calendar().Name() != "always" || got.Len() != 1 || !got.NoVolume || got.Close[0] != 2 || got.Date(0) != sunday {
		t.Errorf("%+v %v", got, err)
	}
}
