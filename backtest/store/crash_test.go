package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/store"
)

const writerDir = "STORE_TEST_WRITER_DIR"

// TestMain lets the test binary be the writer that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(writerDir); dir != "" {
		if err := writeForEver(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
	}
	os.Exit(m.Run())
}

// writeForEver adds session after session, each with all tickers of crashTickers, and in every third
// commit replaces an old one too. The reference data names the last session.
func writeForEver(dir string) error {
	w, err := store.Create(dir, store.Options{Buffer: 20_000})
	if err != nil {
		return err
	}
	fmt.Println("ready")
	cal := bar.NYSE()
	have := w.Sessions(bar.Daily)
	d := instrument.NewDate(2020, time.January, 1)
	if len(have) > 0 {
		d = have[len(have)-1]
	}
	for n := 0; ; n++ {
		for range 3 {
			d = cal.Next(d)
			if err := w.Put(bar.Daily, dayBatch(d, crashTickers()...)); err != nil {
				return err
			}
		}
		if old := w.Sessions(bar.Daily); n%3 == 2 {
			if err := w.Put(bar.Daily, dayBatch(old[len(old)/2], crashTickers()...)); err != nil {
				return err
			}
		}
		in := instrument.Instrument{ID: "LAST", Ticker: "LAST", Name: d.String(), Delisted: instrument.None,
			Spans: []instrument.Span{{Ticker: "LAST", From: 0, To: instrument.Forever}}}
		if err := w.PutReference(store.Reference{Instruments: []instrument.Instrument{in}}); err != nil {
			return err
		}
		if err := w.Commit(); err != nil {
			return err
		}
	}
}

func crashTickers() []string {
	var ts []string
	for i := range 200 {
		ts = append(ts, fmt.Sprintf("T%03d", i))
	}
	return ts
}

// checkWhole makes sure that a snapshot is one committed state: every session complete, bars and
// reference data of the same commit, nothing damaged.
func checkWhole(t *testing.T, s *store.Store) int {
	t.Helper()
	ds := s.Sessions(bar.Daily)
	if len(ds)%3 != 0 {
		t.Fatalf("%d sessions: half a commit is visible", len(ds))
	}
	in, _, err := s.Actions("LAST")
	must(t, err)
	if in.Name != ds[len(ds)-1].String() {
		t.Fatalf("reference data of %s with bars up to %s", in.Name, ds[len(ds)-1])
	}
	for _, k := range []string{"T000", "T101", "T199"} {
		out, err := s.Load(context.Background(), bar.Request{Symbol: k, Frame: bar.Daily})
		must(t, err)
		wantDays(t, out, ds, always(k))
	}
	return len(ds)
}

// A writer killed at any moment leaves a whole store behind, and the next one goes on from there.
func TestKilledWriter(t *testing.T) {
	dir, r := t.TempDir(), rand.New(rand.NewPCG(7, 7))
	last := 0
	for range 20 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), writerDir+"="+dir)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		var ready [6]byte
		if _, err := out.Read(ready[:]); err != nil {
			t.Fatalf("the writer did not start: %v %s", err, stderr.String())
		}
		time.Sleep(time.Duration(r.IntN(60_000)) * time.Microsecond)
		must(t, cmd.Process.Kill())
		cmd.Wait()
		if stderr.Len() > 0 {
			t.Fatalf("the writer failed by itself: %s", stderr.String())
		}
		s, err := store.Open(dir)
		if errors.Is(err, bar.ErrNoData) && last == 0 {
			continue
		}
		must(t, err)
		n := checkWhole(t, s)
		faults, err := s.Verify(context.Background())
		must(t, err)
		if len(faults) > 0 || n < last {
			t.Fatalf("faults %v; %d sessions after %d", faults, n, last)
		}
		last = n
		must(t, s.Close())
	}
	if last == 0 {
		t.Fatal("no writer lived long enough to commit: nothing was tested")
	}
	must(t, create(t, dir).Close())
	left, _ := filepath.Glob(filepath.Join(dir, "*.tmp"))
	if len(left) > 0 {
		t.Errorf("orphans after the next writer: %v", left)
	}
	t.Logf("20 kills, %d sessions", last)
}

// Readers that open and read while a writer commits see whole states only, and keep theirs.
func TestSnapshotsWhileWriting(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), writerDir+"="+dir)
	must(t, cmd.Start())
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	var first *store.Store
	states := map[int]bool{}
	// At least 700 ms, and on a busy machine as long as it takes to see the writer at work.
	for start := time.Now(); time.Since(start) < 700*time.Millisecond || len(states) < 2 && time.Since(start) < 30*time.Second; {
		s, err := store.Open(dir)
		if errors.Is(err, bar.ErrNoData) {
			runtime.Gosched()
			continue
		}
		must(t, err)
		states[checkWhole(t, s)] = true
		if first == nil {
			first = s
			defer s.Close()
			continue
		}
		must(t, s.Close())
	}
	if len(states) < 2 {
		t.Fatalf("saw %d states: nothing was written meanwhile", len(states))
	}
	n := checkWhole(t, first) // its files were removed long ago
	if !states[n] {
		t.Errorf("the first snapshot now has %d sessions", n)
	}
}

func TestSecondWriterIsRefused(t *testing.T) {
	dir := t.TempDir()
	w := create(t, dir)
	_, err := store.Create(dir, store.Options{})
	if !errors.Is(err, store.ErrLocked) || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Fatalf("second writer: %v", err)
	}
	must(t, w.Close())
	must(t, w.Close())
	must(t, create(t, dir).Close())
}

// Every byte of every file is under a checksum: whichever changes, it is found and nothing wrong is
// given out.
func TestFlippedByte(t *testing.T) {
	dir, ds := t.TempDir(), sessions(t, "2023-12-01", "2024-01-12")
	w := create(t, dir)
	for i, d := range ds {
		tickers := []string{"A", "B"}
		if i%2 == 0 {
			tickers = append(tickers, "GAPS") // has times of its own
		}
		must(t, w.Put(bar.Daily, dayBatch(d, tickers...)))
	}
	in := instrument.Instrument{ID: "A", Ticker: "A", Delisted: instrument.None, Spans: []instrument.Span{{Ticker: "A", From: instrument.None, To: instrument.Forever}}}
	must(t, w.PutReference(store.Reference{Instruments: []instrument.Instrument{in}}))
	must(t, w.Commit())
	must(t, w.Close())
	readAll := func() error {
		s, err := store.Open(dir)
		if err != nil {
			return err
		}
		defer s.Close()
		for _, k := range []string{"A", "B", "GAPS"} {
			out, err := s.Load(context.Background(), bar.Request{Symbol: k, Frame: bar.Daily})
			if err != nil {
				return err
			}
			want := ds
			if k == "GAPS" {
				want = nil
				for i := 0; i < len(ds); i += 2 {
					want = append(want, ds[i])
				}
			}
			wantDays(t, out, want, always(k))
		}
		return nil
	}
	must(t, readAll())
	tested, mutated, silent, rng := 0, 0, []string(nil), rand.New(rand.NewPCG(8, 8))
	tries, least := 850, 5000
	if testing.Short() {
		tries, least = 20, 1000
	}
	for name, good := range files(t, dir) {
		if name == "LOCK" {
			continue
		}
		step := max(1, len(good)/400)
		for i := 0; i < len(good); i += step {
			bad := slices.Clone(good)
			bad[i] ^= 1 << (i % 8)
			if strings.HasSuffix(name, ".jsonl") && bad[i] == '\n' || good[i] == '\n' && strings.HasSuffix(name, ".jsonl") {
				continue // between the lines; Verify covers it below
			}
			replace(t, filepath.Join(dir, name), bad)
			if err := readAll(); err == nil {
				t.Fatalf("%s: byte %d of %d changed and nothing noticed", name, i, len(good))
			} else if errors.Is(err, bar.ErrNoData) {
				t.Fatalf("%s: byte %d changed, and it looks like absent data: %v", name, i, err)
			}
			if s, err := store.Open(dir); err == nil {
				if faults, _ := s.Verify(context.Background()); len(faults) == 0 || faults[0].File != name || faults[0].Cure == "" {
					t.Fatalf("%s: byte %d changed, Verify says %v", name, i, faults)
				}
				s.Close()
			}
			tested++
		}
		for _, n := range []int{0, 1, len(good) / 2, len(good) - 1} {
			replace(t, filepath.Join(dir, name), good[:n])
			if err := readAll(); err == nil || errors.Is(err, bar.ErrNoData) {
				t.Fatalf("%s cut to %d of %d bytes: %v", name, n, len(good), err)
			}
		}
		for try := range tries {
			bad := spoilt(rng, good, try%5)
			if bytes.Equal(bad, good) || strings.HasSuffix(name, ".jsonl") && try%5 != 0 {
				continue // what the lines of a list are, Verify says
			}
			replace(t, filepath.Join(dir, name), bad)
			if err := readAll(); errors.Is(err, bar.ErrNoData) {
				t.Fatalf("%s, mutation %d: it looks like absent data: %v", name, try, err)
			} else if err == nil && try%5 != 4 {
				silent = append(silent, fmt.Sprintf("%s, mutation %d", name, try))
			}
			mutated++
		}
		replace(t, filepath.Join(dir, name), good)
		must(t, readAll())
	}
	if tested+mutated < least || len(silent) > 0 {
		t.Errorf("%d bytes and %d mutations were tried; not noticed: %v", tested, mutated, silent)
	}
}

// spoilt is a copy of a file with damage of one of five kinds.
func spoilt(rng *rand.Rand, good []byte, kind int) []byte {
	bad, at := slices.Clone(good), rng.IntN(len(good))
	end := min(at+1+rng.IntN(512), len(good))
	switch kind {
	case 0: // bits of several bytes
		for range 1 + rng.IntN(8) {
			bad[rng.IntN(len(bad))] ^= 1 << rng.IntN(8)
		}
	case 1: // what was never written
		clear(bad[at:end])
	case 2:
		bad = bad[:at]
	case 3: // written twice
		bad = slices.Insert(bad, at, bad[at:end]...)
	case 4:
		bad = append(bad, make([]byte, end-at)...)
	}
	return bad
}

// replace a file as a new one, because the old one may be mapped.
func replace(t testing.TB, path string, b []byte) {
	t.Helper()
	must(t, os.WriteFile(path+".new", b, 0o600))
	must(t, os.Rename(path+".new", path))
}

// Damage is never copied into a new segment; setting the file aside makes its sessions missing, and
// putting them again heals the store.
func TestQuarantineHeals(t *testing.T) {
	dir, ds := t.TempDir(), sessions(t, "2023-01-01", "2024-01-31")
	fill(t, dir, ds, "A", "B")
	old, _ := filepath.Glob(filepath.Join(dir, "day-2023-*.seg"))
	b, err := os.ReadFile(old[0])
	must(t, err)
	b[100] ^= 4
	replace(t, old[0], b)
	w := create(t, dir)
	must(t, w.Put(bar.Daily, dayBatch(ds[5], "A")))
	var f *store.Fault
	if err := w.Commit(); !errors.As(err, &f) || f.File != filepath.Base(old[0]) || f.Ticker != "A" {
		t.Fatalf("damage was merged: %v", err)
	}
	must(t, w.Close())
	w = create(t, dir)
	lost, err := w.Quarantine(f.File)
	must(t, err)
	if !slices.Equal(lost, sessions(t, "2023-01-01", "2023-12-31")) || len(w.Sessions(bar.Daily)) != len(ds)-len(lost) {
		t.Fatalf("%d sessions lost", len(lost))
	}
	for _, d := range lost {
		must(t, w.Put(bar.Daily, dayBatch(d, "A", "B")))
	}
	must(t, w.Commit())
	s := open(t, dir)
	wantDays(t, load(t, s, "A", "2023-01-01", "2024-12-31", 0), ds, always("A"))
	if _, err := os.Stat(old[0] + ".damaged"); err != nil {
		t.Errorf("the damaged file is gone: %v", err)
	}
}

func TestOtherFormatVersions(t *testing.T) {
	for version, want := range map[string]string{"0": "old format", "3": "newer backtester", "900": "newer backtester"} {
		dir := t.TempDir()
		fill(t, dir, sessions(t, "2024-01-01", "2024-01-10"), "A")
		path := filepath.Join(dir, "MANIFEST")
		b, err := os.ReadFile(path)
		must(t, err)
		replace(t, path, []byte(strings.Replace(string(b), "backtester-store 2 ", "backtester-store "+version+" ", 1)))
		var v *store.VersionError
		if _, err := store.Open(dir); !errors.As(err, &v) || !strings.Contains(err.Error(), want) {
			t.Errorf("version %s: Open says %v", version, err)
		}
		if _, err := store.Create(dir, store.Options{}); !errors.As(err, &v) {
			t.Errorf("version %s: Create says %v", version, err)
		}
	}
}

// On a full disk a commit fails with the system's reason, readers keep what they had, and with room
// again the same writer's successor completes.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		t.Skip("NOT TESTED HERE: a full disk needs root on Linux, for a small tmpfs")
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("NOT TESTED HERE: a full disk needs mount: %v %s", err, out)
	}
	defer exec.Command("umount", dir).Run()
	ds := sessions(t, "2024-01-01", "2024-03-31")
	fill(t, dir, ds[:5], crashTickers()...)
	w := create(t, dir)
	for _, d := range ds[5:] {
		must(t, w.Put(bar.Daily, dayBatch(d, crashTickers()...)))
	}
	if err := w.Commit(); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("commit on a full disk: %v", err)
	}
	must(t, w.Close())
	s := open(t, dir)
	wantDays(t, load(t, s, "T007", "2024-01-01", "2024-12-31", 0), ds[:5], always("T007"))
	must(t, s.Close())
	if out, err := exec.Command("mount", "-o", "remount,size=20m", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	fill(t, dir, ds[5:], crashTickers()...)
	s = open(t, dir)
	wantDays(t, load(t, s, "T007", "2024-01-01", "2024-12-31", 0), ds, always("T007"))
	must(t, s.Close())
}

func TestManyReadersAtOnce(t *testing.T) {
	dir, ds := t.TempDir(), sessions(t, "2022-01-01", "2024-01-31")
	fill(t, dir, ds, crashTickers()...)
	s := open(t, dir)
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			for i := range 200 {
				k := fmt.Sprintf("T%03d", (i*7+g)%200)
				out, err := s.Load(context.Background(), bar.Request{Symbol: k, Frame: bar.Daily})
				if err != nil || out.Len() != len(ds) || out.Open[9] != priceOf(k, ds[9].Nanos()) {
					t.Errorf("%s: %v", k, err)
					return
				}
			}
		})
	}
	group.Wait()
}
