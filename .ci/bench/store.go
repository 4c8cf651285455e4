package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/indicator"
	"backtester/backtest/instrument"
	"backtester/backtest/store"
)

// Size of the scenario: all US stocks over twenty years of days.
const (
	marketSymbols = 11_000
	marketFrom    = "2004-01-02"
	marketTo      = "2023-12-29"
)

// wholeMarket builds a store of twenty years of the whole market, and measures opening, loading and
// summing it against the same columns in memory.
func wholeMarket(string) ([]row, error) {
	folder := dir("market")
	if err := os.RemoveAll(folder); err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder) // 2.4 GB
	last, err := buildMarket(folder)
	if err != nil {
		return nil, err
	}
	list, err := againstMemory(folder)
	if err != nil {
		return nil, err
	}
	const name = "store: 11,000 symbols x 20 years, SMA(20) summed"
	past, err := timed(3, func() error { return fromDisk(folder, scan{n: marketSymbols, f: smaOf}) })
	if err != nil {
		return nil, err
	}
	today, err := timed(3, func() error { return fromDisk(folder, scan{n: marketSymbols, f: smaOf, to: last}) })
	if err != nil {
		return nil, err
	}
	wall, err := wallTime(3, func() error { return parallelScan(folder) })
	if err != nil {
		return nil, err
	}
	if !(sink > 0) {
		return nil, fmt.Errorf("what was loaded sums up to %v", sink)
	}
	fmt.Printf("%s: %.2f s by the clock on %d cores\n", name, wall, runtime.GOMAXPROCS(0))
	return append(list,
		row{scenario: name, who: "open, check every byte, load, SMA", cpu: past, goal: 1, equal: "-", first: past},
		row{scenario: name, who: "the same, up to today: one copy", cpu: today, goal: 1, equal: "-", first: past}), nil
}

// againstMemory compares reading part of the store with reading memory.
func againstMemory(folder string) ([]row, error) {
	const symbols = 2_000
	memory, err := inMemory(folder, symbols)
	if err != nil {
		return nil, err
	}
	sum, _ := timed(5, func() error {
		for _, s := range memory {
			sink += sumAll(s, nil)
		}
		return nil
	})
	s, err := store.Open(folder)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	again, err := timed(5, func() error { return scan{n: symbols, f: sumAll}.of(s) })
	if err != nil {
		return nil, err
	}
	first, err := timed(5, func() error { return fromDisk(folder, scan{n: symbols, f: sumAll}) })
	const name = "store: 2,000 symbols x 20 years, sum of 5 columns"
	return []row{
		{scenario: name, who: "sum in memory", cpu: sum, equal: "-", first: again},
		{scenario: name, who: "load, sum", cpu: again, goal: 1.5 * sum, equal: "-", first: again},
		{scenario: name, who: "open, check every byte, load, sum", cpu: first, equal: "-", first: again},
	}, err
}

// sink takes results, so that no loop is left out by the compiler.
var sink float64

// buildMarket commits every session of the range, and one of the next year, so that the twenty years
// are over: one era and a tail, which then grows by updates of one session each.
func buildMarket(folder string) (last instrument.Date, err error) {
	from, _ := instrument.ParseDate(marketFrom)
	to, _ := instrument.ParseDate(marketTo)
	sessions := append(slices.Clone(bar.NYSE().Sessions(from, to)), bar.NYSE().Next(to))
	w, err := store.Create(folder, store.Options{Buffer: 1 << 30})
	if err != nil {
		return 0, err
	}
	defer w.Close()
	start, used := time.Now(), cpu()
	r := rand.New(rand.NewPCG(7, 7))
	b := store.Batch{Start: []int32{0}}
	for k := range marketSymbols {
		b.Symbols, b.Start = append(b.Symbols, fmt.Sprintf("S%05d", k)), append(b.Start, int32(k+1))
		p := 5 + 200*r.Float64()
		b.Time, b.Transactions = append(b.Time, 0), append(b.Transactions, 100)
		b.Open, b.High, b.Low, b.Close = append(b.Open, p), append(b.High, p), append(b.Low, p), append(b.Close, p)
		b.Volume = append(b.Volume, float64(1000+r.IntN(1e6)))
	}
	for _, d := range sessions {
		b.Session = d
		for i := range b.Time {
			b.Time[i] = d.Nanos()
			o := b.Close[i]
			c := max(0.5, o+float64(r.IntN(201)-100)/100)
			b.Open[i], b.Close[i], b.High[i], b.Low[i] = o, c, max(o, c)+0.01, min(o, c)-0.01
		}
		if err := w.Put(bar.Daily, b); err != nil {
			return 0, err
		}
	}
	if err := w.Commit(); err != nil {
		return 0, err
	}
	files, size := filesOf(folder)
	rows := float64(len(sessions)) * marketSymbols
	fmt.Printf("store of the whole market: %.1f M rows, %d files, %.2f GB (%.1f MB a million rows), written in %.0f s, %.0f CPU s\n",
		rows/1e6, files, size/1e9, size/rows, time.Since(start).Seconds(), cpu()-used)
	return update(w, folder, b)
}

// updates is how many sessions are added one by one: most of the tail that a year can have.
const updates = 234

// update adds sessions after that of b, and says what that rewrites.
func update(w *store.Writer, folder string, b store.Batch) (last instrument.Date, err error) {
	used, total, most := cpu(), 0.0, 0.0
	for range updates {
		before := namesOf(folder)
		b.Session = bar.NYSE().Next(b.Session)
		for i := range b.Time {
			b.Time[i] = b.Session.Nanos()
		}
		if err := w.Put(bar.Daily, b); err != nil {
			return 0, err
		}
		if err := w.Commit(); err != nil {
			return 0, err
		}
		written := 0.0
		for name, size := range namesOf(folder) {
			if _, had := before[name]; !had {
				written += size
			}
		}
		total, most = total+written, max(most, written)
	}
	files, _ := filesOf(folder)
	fmt.Printf("updates of one session of the market: %.1f MB written on average, %.1f MB at most, %.0f CPU ms; %d files after %d of them\n",
		total/updates/1e6, most/1e6, 1000*(cpu()-used)/updates, files, updates)
	return b.Session, nil
}

// namesOf the segments with their sizes.
func namesOf(folder string) map[string]float64 {
	sizes := map[string]float64{}
	entries, _ := os.ReadDir(folder)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && filepath.Ext(e.Name()) == ".seg" {
			sizes[e.Name()] = float64(info.Size())
		}
	}
	return sizes
}

func filesOf(folder string) (n int, size float64) {
	for _, bytes := range namesOf(folder) {
		n, size = n+1, size+bytes
	}
	return n, size
}

// scan gives symbols one after the other to f.
type scan struct {
	n  int
	f  func(*bar.Series, []float64) float64
	to instrument.Date // 0 = the end of the twenty years
}

// request asks for the twenty years of one symbol, or from then up to a later date.
func (x scan) request(k int) bar.Request {
	from, _ := instrument.ParseDate(marketFrom)
	to, _ := instrument.ParseDate(marketTo)
	return bar.Request{Symbol: fmt.Sprintf("S%05d", k), Frame: bar.Daily, From: from, To: max(to, x.to)}
}

func (x scan) of(s *store.Store) error {
	scratch := make([]float64, 6000)
	for k := range x.n {
		series, err := s.Load(context.Background(), x.request(k))
		if err != nil {
			return err
		}
		sink += x.f(series, scratch)
	}
	return nil
}

// fromDisk opens the store first, so that every byte used is checked.
func fromDisk(folder string, x scan) error {
	s, err := store.Open(folder)
	if err != nil {
		return err
	}
	defer s.Close()
	return x.of(s)
}

// inMemory copies the first n symbols out of the store.
func inMemory(folder string, n int) ([]*bar.Series, error) {
	s, err := store.Open(folder)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	var list []*bar.Series
	for k := range n {
		x, err := s.Load(context.Background(), scan{}.request(k))
		if err != nil {
			return nil, err
		}
		c := *x
		for _, col := range []*[]float64{&c.Open, &c.High, &c.Low, &c.Close, &c.Volume} {
			*col = slices.Clone(*col)
		}
		list = append(list, &c)
	}
	return list, nil
}

// sumAll adds up five columns.
func sumAll(s *bar.Series, _ []float64) float64 {
	total := 0.0
	for _, c := range [][]float64{s.Open, s.High, s.Low, s.Close, s.Volume} {
		for _, v := range c {
			total += v
		}
	}
	return total
}

// smaOf adds up the 20-day average of the closes.
func smaOf(s *bar.Series, scratch []float64) float64 {
	total := 0.0
	for _, v := range indicator.SMA(scratch[:s.Len()], s.Close, 20) {
		if v == v {
			total += v
		}
	}
	return total
}

// parallelScan is scan of all symbols on all cores.
func parallelScan(folder string) error {
	s, err := store.Open(folder)
	if err != nil {
		return err
	}
	defer s.Close()
	errs := make([]error, runtime.GOMAXPROCS(0))
	var next atomic.Int64
	var group sync.WaitGroup
	for w := range errs {
		group.Go(func() {
			scratch := make([]float64, 6000)
			for k := next.Add(1) - 1; k < marketSymbols; k = next.Add(1) - 1 {
				x, err := s.Load(context.Background(), scan{}.request(int(k)))
				if err != nil {
					errs[w] = err
					return
				}
				smaOf(x, scratch)
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

// timed gives the least CPU time of n rounds, after one that does not count.
func timed(n int, f func() error) (float64, error) {
	if err := f(); err != nil {
		return 0, err
	}
	least := 0.0
	for i := range n {
		start := cpu()
		if err := f(); err != nil {
			return 0, err
		}
		if t := cpu() - start; i == 0 || t < least {
			least = t
		}
	}
	return least, nil
}

// wallTime is timed by the clock.
func wallTime(n int, f func() error) (float64, error) {
	least := 0.0
	for i := range n {
		start := time.Now()
		if err := f(); err != nil {
			return 0, err
		}
		if t := time.Since(start).Seconds(); i == 0 || t < least {
			least = t
		}
	}
	return least, nil
}
