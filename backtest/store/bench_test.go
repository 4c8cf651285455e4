package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/store"
)

// marketBatch is a session of n symbols with minutes each (1 for a day), cheap to make.
func marketBatch(f bar.Frame, d instrument.Date, n, rows int) store.Batch {
	r := rand.New(rand.NewPCG(uint64(d), 1))
	b := store.Batch{Session: d, Start: []int32{0}}
	start := d.Nanos()
	if f == bar.Minutely {
		start, _, _, _ = bar.NYSE().Hours(d)
	}
	for k := range n {
		b.Symbols = append(b.Symbols, fmt.Sprintf("T%05d", k))
		p := float64(r.IntN(40000)+500) / 100
		for i := range rows {
			b.Time = append(b.Time, start+int64(i)*60e9)
			b.Open, b.High = append(b.Open, p), append(b.High, p+0.07)
			b.Low, b.Close = append(b.Low, p-0.05), append(b.Close, p+0.01)
			b.Volume, b.Transactions = append(b.Volume, float64(r.IntN(1e6))), append(b.Transactions, 7)
		}
		b.Start = append(b.Start, int32(len(b.Time)))
	}
	return b
}

func build(b *testing.B, f bar.Frame, ds []instrument.Date, n, rows int) (string, int64) {
	b.Helper()
	dir := b.TempDir()
	w, err := store.Create(dir, store.Options{})
	must(b, err)
	spent := time.Duration(0)
	for _, d := range ds {
		batch := marketBatch(f, d, n, rows)
		t := time.Now()
		must(b, w.Put(f, batch))
		spent += time.Since(t)
	}
	t := time.Now()
	must(b, w.Commit())
	spent += time.Since(t)
	must(b, w.Close())
	list, _ := filepath.Glob(filepath.Join(dir, "*.seg"))
	size := int64(0)
	for _, path := range list {
		if info, err := os.Stat(path); err == nil {
			size += info.Size()
		}
	}
	total := len(ds) * n * rows
	b.Logf("%s: %d rows written in %v (%.1f M rows/s), %.1f bytes a row, %d files", f, total, spent.Round(time.Millisecond),
		float64(total)/1e6/spent.Seconds(), float64(size)/float64(total), len(list))
	return dir, size
}

// BenchmarkYearOfDays: 11,000 symbols and 252 sessions, from opening the store to the sum of five
// columns, against the same sum in memory. "first" includes the checksums of first use.
func BenchmarkYearOfDays(b *testing.B) {
	dir, _ := build(b, bar.Daily, sessions(b, "2023-01-01", "2023-12-31"), 11_000, 1)
	benchScan(b, dir, bar.Daily)
}

// BenchmarkTwentyYears: 2,000 symbols; every load is a copy of twenty runs.
func BenchmarkTwentyYears(b *testing.B) {
	dir, _ := build(b, bar.Daily, sessions(b, "2004-01-01", "2023-12-31"), 2_000, 1)
	benchScan(b, dir, bar.Daily)
}

func BenchmarkWeekOfMinutes(b *testing.B) {
	dir, _ := build(b, bar.Minutely, sessions(b, "2024-02-05", "2024-02-09"), 5_000, 390)
	benchScan(b, dir, bar.Minutely)
}

func benchScan(b *testing.B, dir string, f bar.Frame) {
	ctx := context.Background()
	s, err := store.Open(dir)
	must(b, err)
	defer s.Close()
	cov, err := s.Coverage(ctx, f)
	must(b, err)
	load := func(s *store.Store, sum float64) float64 {
		for _, c := range cov {
			x, err := s.Load(ctx, bar.Request{Symbol: c.Instrument.Ticker, Frame: f, Session: bar.Extended})
			must(b, err)
			sum += sumOf(x)
		}
		return sum
	}
	var memory []*bar.Series
	for _, c := range cov {
		x, err := s.Load(ctx, bar.Request{Symbol: c.Instrument.Ticker, Frame: f, Session: bar.Extended})
		must(b, err)
		memory = append(memory, x)
	}
	b.Run("memory", func(b *testing.B) {
		for b.Loop() {
			sum := 0.0
			for _, x := range memory {
				sum += sumOf(x)
			}
			sink = sum
		}
	})
	b.Run("again", func(b *testing.B) {
		for b.Loop() {
			sink = load(s, 0)
		}
	})
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			s, err := store.Open(dir)
			must(b, err)
			sink = load(s, 0)
			must(b, s.Close())
		}
	})
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			s, err := store.Open(dir)
			must(b, err)
			must(b, s.Close())
		}
	})
}

var sink float64

func sumOf(s *bar.Series) float64 {
	sum := 0.0
	for _, c := range [][]float64{s.Open, s.High, s.Low, s.Close, s.Volume} {
		for _, v := range c {
			sum += v
		}
	}
	return sum
}

// BenchmarkDailyUpdate appends one session of 11,000 symbols to a year that has 200.
func BenchmarkDailyUpdate(b *testing.B) {
	ds := sessions(b, "2023-01-01", "2023-12-31")
	w, err := store.Create(b.TempDir(), store.Options{})
	must(b, err)
	defer w.Close()
	for _, d := range ds[:200] {
		must(b, w.Put(bar.Daily, marketBatch(bar.Daily, d, 11_000, 1)))
	}
	must(b, w.Commit())
	i := 200
	for b.Loop() {
		if i == len(ds) {
			b.Skip("the year is over: use -benchtime 40x or less")
		}
		must(b, w.Put(bar.Daily, marketBatch(bar.Daily, ds[i], 11_000, 1)))
		must(b, w.Commit())
		i++
	}
}

// BenchmarkReference opens and asks a store with reference data of 30,000 instruments.
func BenchmarkReference(b *testing.B) {
	dir := b.TempDir()
	w, err := store.Create(dir, store.Options{})
	must(b, err)
	var r store.Reference
	for i := range 30_000 {
		t := fmt.Sprintf("T%05d", i)
		in := instrument.Instrument{ID: instrument.ID("ID" + t), Ticker: t, Name: strings.Repeat("name ", 5), Delisted: instrument.None,
			Spans: []instrument.Span{{Ticker: t, From: 12000, To: instrument.Forever}}}
		var a instrument.Actions
		for k := range 40 {
			a.Dividends = append(a.Dividends, instrument.Dividend{Ex: instrument.Date(12000 + 90*k), Pay: instrument.None, Cash: 0.26})
		}
		r.Instruments, r.Actions = append(r.Instruments, in), append(r.Actions, store.ActionSet{ID: in.ID, Actions: a})
	}
	must(b, w.PutReference(r))
	must(b, w.Commit())
	must(b, w.Close())
	for b.Loop() {
		s, err := store.Open(dir)
		must(b, err)
		_, _, err = s.Actions("T12345")
		must(b, err)
		must(b, s.Close())
	}
}

// BenchmarkCoverage asks what there is of 20,000 instruments with ten years of dividends each.
func BenchmarkCoverage(b *testing.B) {
	dir := b.TempDir()
	w, err := store.Create(dir, store.Options{})
	must(b, err)
	var r store.Reference
	for i := range 20_000 {
		t := fmt.Sprintf("T%05d", i)
		in := instrument.Instrument{ID: instrument.ID("ID" + t), Ticker: t, Name: "some name of a company", Delisted: instrument.None,
			Spans: []instrument.Span{{Ticker: t, From: 12000, To: instrument.Forever}}}
		var a instrument.Actions
		for k := range 40 {
			a.Dividends = append(a.Dividends, instrument.Dividend{Ex: instrument.Date(12000 + 90*k), Pay: instrument.None, Cash: 0.26})
		}
		r.Instruments, r.Actions = append(r.Instruments, in), append(r.Actions, store.ActionSet{ID: in.ID, Actions: a})
	}
	must(b, w.PutReference(r))
	must(b, w.Put(bar.Daily, marketBatch(bar.Daily, 19000, 20_000, 1)))
	must(b, w.Put(bar.Daily, marketBatch(bar.Daily, 19400, 20_000, 1)))
	must(b, w.Commit())
	must(b, w.Close())
	s, err := store.Open(dir)
	must(b, err)
	defer s.Close()
	for b.Loop() {
		c, err := s.Coverage(context.Background(), bar.Daily)
		must(b, err)
		if len(c) != 20000 {
			b.Fatal(len(c))
		}
	}
}
