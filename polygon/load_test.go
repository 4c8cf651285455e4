package polygon_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/store"
	"backtester/polygon"
	"backtester/polygon/flatfile"
)

func day(s string) instrument.Date {
	d, err := instrument.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// oneBar is a session in which every symbol has one bar, at the open, of the price.
func oneBar(session string, price float64, symbols ...string) store.Batch {
	d := day(session)
	open, _, _, _ := bar.NYSE().Hours(d)
	b := store.Batch{Session: d, Symbols: symbols, Start: []int32{0}}
	for i := range symbols {
		b.Start = append(b.Start, int32(i+1))
		b.Time = append(b.Time, open)
		b.Open, b.High, b.Low, b.Close = append(b.Open, price), append(b.High, price+1), append(b.Low, price-1), append(b.Close, price)
		b.Volume = append(b.Volume, 1000.5)
	}
	return b
}

func encode(t testing.TB, ds flatfile.Dataset, b store.Batch) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := flatfile.Write(&out, ds, b); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func put(t testing.TB, dir, name string, body []byte) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, body, 0o644); err != nil {
		t.Fatal(err)
	}
}

// bars of a symbol in a store, as date:close.
func bars(t testing.TB, dir, symbol string) string {
	t.Helper()
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	series, err := s.Load(context.Background(), bar.Request{Symbol: symbol, Frame: bar.Daily, From: day("2024-01-01"), To: day("2024-12-31"), Session: bar.Regular})
	if errors.Is(err, bar.ErrNoData) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for i := range series.Len() {
		words = append(words, fmt.Sprintf("%s:%v", series.Date(i).String()[5:], series.Close[i]))
	}
	return strings.Join(words, " ")
}

func TestLoadStitchesRenamesAndKeepsGoingPastABadFile(t *testing.T) {
	dir := t.TempDir()
	raw, to := filepath.Join(dir, "raw"), filepath.Join(dir, "store")
	for _, f := range []struct {
		session string
		price   float64
		symbols []string
	}{{"2024-01-02", 10, []string{"BCPC", "BCpC", "NA", "OLD"}}, {"2024-01-03", 11, []string{"BCPC", "NA", "OLD"}}, {"2024-01-04", 12, []string{"BCPC", "NEW"}}} {
		put(t, raw, flatfile.Key(flatfile.Day, day(f.session)), encode(t, flatfile.Day, oneBar(f.session, f.price, f.symbols...)))
	}
	put(t, raw, flatfile.Key(flatfile.Day, day("2024-01-05")), []byte("<html>log in</html>"))
	put(t, raw, flatfile.Key(flatfile.Minute, day("2024-01-04")), encode(t, flatfile.Minute, oneBar("2024-01-04", 12, "NEW")))
	put(t, raw, "us_stocks_sip/day_aggs_v1/2024/01/notes.txt", []byte("not a flat file"))
	put(t, raw, "reference/tickers.json", []byte(`{"results":[{"ticker":"NEW","active":true,"composite_figi":"C","share_class_figi":"S"}]}`))
	put(t, raw, "reference/events.json", []byte(`{"results":[{"composite_figi":"C","events":[{"type":"ticker_change","date":"2024-01-04","ticker_change":{"ticker":"NEW"}},{"type":"ticker_change","date":"2010-01-04","ticker_change":{"ticker":"OLD"}}]}]}`))

	s, err := polygon.Load(t.Context(), polygon.LoadOptions{RawDir: raw, StoreDir: to})
	if !errors.Is(err, flatfile.ErrDamaged) || !strings.Contains(err.Error(), "2024-01-05.csv.gz") || len(s.Faults) != 1 {
		t.Errorf("%v %+v", err, s)
	}
	if len(s.Bars) != 2 || s.Bars[0].Loaded != 3 || s.Bars[0].Rows != 9 || s.Bars[1].Loaded != 1 || s.Warnings[0].Code != "no_actions" {
		t.Errorf("%+v", s)
	}
	for symbol, want := range map[string]string{
		"NEW": "01-02:10 01-03:11 01-04:12", "NA": "01-02:10 01-03:11", "BCpC": "01-02:10", "BCPC": "01-02:10 01-03:11 01-04:12", "bcpc": "",
	} {
		if got := bars(t, to, symbol); got != want {
			t.Errorf("%s: %q, want %q", symbol, got, want)
		}
	}

	// Only what is new is loaded; Again loads all.
	os.Remove(filepath.Join(raw, flatfile.Key(flatfile.Day, day("2024-01-05"))))
	put(t, raw, flatfile.Key(flatfile.Day, day("2024-01-08")), encode(t, flatfile.Day, oneBar("2024-01-08", 13, "NA")))
	for _, want := range []int{1, 0, 4} {
		s, err = polygon.Load(t.Context(), polygon.LoadOptions{RawDir: raw, StoreDir: to, Again: want == 4})
		if err != nil || s.Bars[0].Loaded != want {
			t.Errorf("want %d loaded: %+v %v", want, s.Bars, err)
		}
	}
	if got := bars(t, to, "NA"); got != "01-02:10 01-03:11 01-08:13" {
		t.Errorf("NA: %q", got)
	}
}

func TestLoadSaysWhichRowsWereImpossible(t *testing.T) {
	dir := t.TempDir()
	b := oneBar("2024-01-02", 10, "A", "B")
	b.Low[1] = 99
	put(t, dir, flatfile.Key(flatfile.Day, b.Session), encode(t, flatfile.Day, b))
	s, err := polygon.Load(t.Context(), polygon.LoadOptions{RawDir: dir, StoreDir: filepath.Join(dir, "store")})
	if err == nil || !strings.Contains(err.Error(), "2024-01-02.csv.gz bad_price: 1 rows, first at line 3") || s.Bars[0].LeftOut != 1 || s.Bars[0].Rows != 1 {
		t.Errorf("%v %+v", err, s.Bars)
	}
}

func TestLoadRefusesMixedStores(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, flatfile.Key(flatfile.Day, day("2024-01-02")), encode(t, flatfile.Day, oneBar("2024-01-02", 10, "A")))
	o := polygon.LoadOptions{RawDir: dir, StoreDir: filepath.Join(dir, "store")}
	if _, err := polygon.Load(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	o.Synthetic = true
	if _, err := polygon.Load(t.Context(), o); err == nil || !strings.Contains(err.Error(), "synthetic") {
		t.Errorf("%v", err)
	}
	if _, err := polygon.Load(t.Context(), polygon.LoadOptions{RawDir: filepath.Join(dir, "nothing"), StoreDir: filepath.Join(dir, "s2")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func TestLoadStopsWhenCancelled(t *testing.T) {
	dir := t.TempDir()
	for d := day("2024-01-02"); d < day("2024-03-01"); d = bar.NYSE().Next(d) {
		put(t, dir, flatfile.Key(flatfile.Day, d), encode(t, flatfile.Day, oneBar(d.String(), 10, "A")))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := polygon.Load(ctx, polygon.LoadOptions{RawDir: dir, StoreDir: filepath.Join(dir, "store")}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if got := symbols(t, filepath.Join(dir, "store")); got != 0 {
		t.Errorf("%d symbols stored", got)
	}
}

func symbols(t testing.TB, dir string) int {
	t.Helper()
	s, err := store.Open(dir)
	if errors.Is(err, bar.ErrNoData) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c, err := s.Coverage(context.Background(), bar.Daily)
	if err != nil {
		t.Fatal(err)
	}
	return len(c)
}
