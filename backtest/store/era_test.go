package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/store"
)

// segmentInfo is what the manifest says of a segment.
type segmentInfo struct {
	File     string  `json:"file"`
	Dataset  byte    `json:"dataset"`
	Rows     int64   `json:"rows"`
	Sessions []int32 `json:"sessions"`
}

// layout reads the manifest and checks that no two segments of a dataset overlap in time.
func layout(t interface{ Fatalf(string, ...any) }, dir string) []segmentInfo {
	b, err := os.ReadFile(filepath.Join(dir, "MANIFEST"))
	if err != nil {
		t.Fatalf("%v", err)
	}
	_, body, _ := strings.Cut(string(b), "\n")
	var m struct {
		Segments []segmentInfo `json:"segments"`
	}
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		t.Fatalf("%v", err)
	}
	for i := 1; i < len(m.Segments); i++ {
		a, b := m.Segments[i-1], m.Segments[i]
		if a.Dataset == b.Dataset && a.Sessions[len(a.Sessions)-1] >= b.Sessions[0] {
			t.Fatalf("%s and %s overlap", a.File, b.File)
		}
	}
	return m.Segments
}

// yearly is four sessions in each year from 2005 on: enough to have many years in a small store.
func yearly(t testing.TB, from, to int) []instrument.Date {
	var ds []instrument.Date
	for y := from; y <= to; y++ {
		ds = append(ds, sessions(t, fmt.Sprintf("%d-03-01", y), fmt.Sprintf("%d-12-31", y))[:4]...)
	}
	return ds
}

// What comes in one commit is one era and a tail, where a past range is a view.
func TestHistoryIsOneSegment(t *testing.T) {
	dir, ds := t.TempDir(), yearly(t, 2005, 2024)
	fill(t, dir, ds, "A", "B")
	segs := layout(t, dir)
	if len(segs) != 2 || len(segs[0].Sessions) != 19*4 || !strings.HasPrefix(segs[0].File, "day-2005-2023-") || !strings.HasPrefix(segs[1].File, "day-2024-") {
		t.Fatalf("%+v", segs)
	}
	s := open(t, dir)
	a, b := load(t, s, "A", "2006-01-01", "2023-12-31", 1), load(t, s, "A", "2006-01-01", "2023-12-31", 1)
	if &a.Close[0] != &b.Close[0] || a.Len() != 18*4+1 {
		t.Error("a range of closed years is a copy")
	}
	whole, other := load(t, s, "B", "1990-01-01", "2030-01-01", 0), load(t, s, "A", "1990-01-01", "2030-01-01", 0)
	wantDays(t, whole, ds, always("B"))
	if &whole.Time[0] != &other.Time[0] {
		t.Error("times up to today are copied although every session is there")
	}
}

// Year after year of updates, forwards or backwards: few segments, each row written a few times.
func TestErasCarry(t *testing.T) {
	for _, backwards := range []bool{false, true} {
		dir, rows := t.TempDir(), 0
		w := create(t, dir)
		seen := map[string]bool{}
		for i := range 20 {
			y := 2005 + i
			if backwards {
				y = 2024 - i
			}
			for _, d := range yearly(t, y, y) {
				must(t, w.Put(bar.Daily, dayBatch(d, "A", "B")))
			}
			must(t, w.Commit())
			for _, s := range layout(t, dir) {
				if !seen[s.File] {
					seen[s.File] = true
					rows += int(s.Rows)
				}
			}
		}
		if n := len(layout(t, dir)); n > 6 {
			t.Errorf("backwards %v: %d segments", backwards, n)
		}
		if most := 6 * 20 * 8; rows > most {
			t.Errorf("backwards %v: %d rows written for %d", backwards, rows, 20*8)
		}
		must(t, w.Compact())
		if n := len(layout(t, dir)); n != 2 {
			t.Errorf("backwards %v: %d segments after compaction", backwards, n)
		}
		wantDays(t, load(t, open(t, dir), "A", "1990-01-01", "2030-01-01", 0), yearly(t, 2005, 2024), always("A"))
		must(t, w.Close())
	}
}

// Compacting twice writes nothing the second time but the manifest.
func TestCompactIsIdempotent(t *testing.T) {
	dir := t.TempDir()
	w := create(t, dir)
	for _, d := range slices.Concat(yearly(t, 2022, 2024), sessions(t, "2024-05-01", "2024-05-20")) {
		must(t, w.Put(bar.Daily, dayBatch(d, "A")))
		must(t, w.Put(bar.Minutely, minuteBatch(t, d, 0, 3, "A")))
		must(t, w.Commit())
	}
	must(t, w.Compact())
	before := layout(t, dir)
	must(t, w.Compact())
	if after := layout(t, dir); fmt.Sprint(before) != fmt.Sprint(after) {
		t.Errorf("compacting again changed %v to %v", before, after)
	}
}

// A store of format 1, which has a file a year, is read as it is and becomes format 2 with the next
// commit.
func TestMigration(t *testing.T) {
	dir, ds := t.TempDir(), yearly(t, 2005, 2024)
	w := create(t, dir)
	for y := 2024; y >= 2005; y -= 1 {
		for _, d := range yearly(t, y, y) {
			must(t, w.Put(bar.Daily, dayBatch(d, "A")))
		}
		must(t, w.Commit())
	}
	must(t, w.Close())
	path := filepath.Join(dir, "MANIFEST")
	b, err := os.ReadFile(path)
	must(t, err)
	replace(t, path, []byte(strings.Replace(string(b), "backtester-store 2 ", "backtester-store 1 ", 1)))
	wantDays(t, load(t, open(t, dir), "A", "1990-01-01", "2030-01-01", 0), ds, always("A"))
	next := sessions(t, "2024-04-01", "2024-04-01")[0]
	w = create(t, dir)
	must(t, w.Put(bar.Daily, dayBatch(next, "A")))
	must(t, w.Commit())
	if b, err = os.ReadFile(path); err != nil || !strings.HasPrefix(string(b), "backtester-store 2 ") {
		t.Errorf("after a commit the manifest begins %.30q, %v", b, err)
	}
	wantDays(t, load(t, open(t, dir), "A", "1990-01-01", "2030-01-01", 0), append(ds, next), always("A"))
}

// seriesOf is bars of a ticker with prices that edition changes.
func seriesOf(ds []instrument.Date, edition float64) *bar.Series {
	s := &bar.Series{Frame: bar.Daily}
	for _, d := range ds {
		p := edition + float64(d)
		s.Time = append(s.Time, d.Nanos())
		s.Open, s.High, s.Low, s.Close = append(s.Open, p), append(s.High, p), append(s.Low, p), append(s.Close, p)
		s.Volume = append(s.Volume, 1)
	}
	return s
}

// Whatever is put in whatever order, by session or by symbol, spilt, compacted or not: what is loaded
// is what a plain map says.
func TestAgainstAModel(t *testing.T) {
	all := yearly(t, 2019, 2024)
	tickers := []string{"A", "B", "C"}
	root := t.TempDir()
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		dir := filepath.Join(root, fmt.Sprint(run))
		model := map[string]map[instrument.Date]float64{"A": {}, "B": {}, "C": {}}
		w, err := store.Create(dir, store.Options{Buffer: int64(rapid.IntRange(100, 5000).Draw(rt, "buffer"))})
		if err != nil {
			rt.Fatal(err)
		}
		defer w.Close()
		edition := 0.0
		for range rapid.IntRange(1, 4).Draw(rt, "commits") {
			bySymbol := rapid.Bool().Draw(rt, "by symbol")
			for range rapid.IntRange(1, 5).Draw(rt, "puts") {
				edition += 1000
				from := rapid.IntRange(0, len(all)-1).Draw(rt, "from")
				ds := all[from:rapid.IntRange(from+1, len(all)).Draw(rt, "to")]
				if bySymbol {
					name := rapid.SampledFrom(tickers).Draw(rt, "ticker")
					ds = rapid.SliceOfNDistinct(rapid.SampledFrom(ds), 1, -1, rapid.ID).Draw(rt, "dates")
					slices.Sort(ds)
					if err := w.PutSeries(name, seriesOf(ds, edition)); err != nil {
						rt.Fatal(err)
					}
					for _, d := range ds {
						model[name][d] = edition + float64(d)
					}
					continue
				}
				d := ds[0]
				who := rapid.SliceOfNDistinct(rapid.SampledFrom(tickers), 1, 3, rapid.ID).Draw(rt, "who")
				if err := w.Put(bar.Daily, batchAt(d, edition, who)); err != nil {
					rt.Fatal(err)
				}
				for _, k := range tickers {
					delete(model[k], d)
					if slices.Contains(who, k) {
						model[k][d] = edition + float64(d)
					}
				}
			}
			err := w.Commit
			if rapid.IntRange(0, 3).Draw(rt, "compact") == 0 {
				err = w.Compact
			}
			if err := err(); err != nil {
				rt.Fatal(err)
			}
			layout(rt, dir)
			compareModel(rt, dir, model)
		}
	})
}

func batchAt(d instrument.Date, edition float64, who []string) store.Batch {
	slices.Sort(who)
	b := store.Batch{Session: d, Start: []int32{0}}
	for i, k := range who {
		p := edition + float64(d)
		b.Symbols, b.Start, b.Time = append(b.Symbols, k), append(b.Start, int32(i+1)), append(b.Time, d.Nanos())
		b.Open, b.High, b.Low, b.Close = append(b.Open, p), append(b.High, p), append(b.Low, p), append(b.Close, p)
		b.Volume, b.Transactions = append(b.Volume, 1), append(b.Transactions, 1)
	}
	return b
}

func compareModel(t *rapid.T, dir string, model map[string]map[instrument.Date]float64) {
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if faults, err := s.Verify(context.Background()); err != nil || len(faults) > 0 {
		t.Fatalf("%v %v", faults, err)
	}
	for k, want := range model {
		x, err := s.Load(context.Background(), bar.Request{Symbol: k, Frame: bar.Daily, From: instrument.None, To: instrument.Forever})
		if len(want) == 0 && errors.Is(err, bar.ErrNoData) {
			continue
		}
		if err != nil || x.Len() != len(want) {
			t.Fatalf("%s: %v, want %d bars", k, err, len(want))
		}
		for i := range x.Len() {
			if x.Close[i] != want[x.Date(i)] || i > 0 && x.Time[i] <= x.Time[i-1] {
				t.Fatalf("%s on %s: %v, want %v", k, x.Date(i), x.Close[i], want[x.Date(i)])
			}
		}
	}
}

// By symbol: minutes, data without volume, and what is refused.
func TestPutSeries(t *testing.T) {
	dir, d := t.TempDir(), day(t, "2024-03-08")
	w := create(t, dir)
	must(t, w.Put(bar.Minutely, minuteBatch(t, d, 0, 10, "A", "B")))
	must(t, w.Commit())
	m := &bar.Series{Frame: bar.Minutely, NoVolume: true}
	for i := range 3 {
		m.Time = append(m.Time, bar.NYSE().Midnight(d)+int64(572+i)*60e9)
		for _, c := range []*[]float64{&m.Open, &m.High, &m.Low, &m.Close} {
			*c = append(*c, 5)
		}
		m.Volume = append(m.Volume, math.NaN())
	}
	must(t, w.PutSeries("N", m))
	must(t, w.PutSeries("A", m)) // replaces the whole session of A
	if err := w.Put(bar.Daily, dayBatch(d, "A")); err == nil || !strings.Contains(err.Error(), "commit between them") {
		t.Errorf("mixing is not refused: %v", err)
	}
	must(t, w.Commit())
	s := open(t, dir)
	ask := func(k string) *bar.Series {
		x, err := s.Load(context.Background(), bar.Request{Symbol: k, Frame: bar.Minutely, From: d, To: d})
		must(t, err)
		return x
	}
	if x := ask("N"); x.Len() != 3 || !x.NoVolume || !math.IsNaN(x.Volume[0]) {
		t.Errorf("N: %+v", x)
	}
	if x := ask("A"); x.Len() != 3 || x.Close[2] != 5 {
		t.Errorf("A: %+v", x)
	}
	if x := ask("B"); x.Len() != 10 || x.NoVolume {
		t.Errorf("B: %+v", x)
	}
	good := seriesOf([]instrument.Date{d, d + 3}, 1)
	for name, spoil := range map[string]func(*bar.Series){
		"only 1d and 1m": func(s *bar.Series) { s.Frame = bar.Frame{N: 5, Unit: bar.Minute} },
		"row 1: a price": func(s *bar.Series) { s.Low[1] = 0 },
		"not after":      func(s *bar.Series) { s.Time[1] = s.Time[0] },
		"midnight":       func(s *bar.Series) { s.Time[0]++ },
		"the volume":     func(s *bar.Series) { s.Volume[0] = math.NaN() },
		"there are none": func(s *bar.Series) { *s = *s.Slice(0, 0) },
	} {
		x := seriesOf([]instrument.Date{d, d + 3}, 1)
		spoil(x)
		if err := w.PutSeries("A", x); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := w.PutSeries("", good); err == nil {
		t.Error("an empty ticker is taken")
	}
}
