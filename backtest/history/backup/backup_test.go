package backup_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"backtester/backtest/history"
	"backtester/backtest/history/backup"
)

// server writes runs as a real one does: the file first, then the row that names it.
type server struct {
	t       *testing.T
	results string
	db      *history.DB
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{t: t, results: filepath.Join(t.TempDir(), "results")}
	db, err := history.Open(t.Context(), history.Options{Path: filepath.Join(s.results, "db", "history.db"), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	s.db = db
	t.Cleanup(func() { db.Close() })
	return s
}

// run stores one and returns its id: it is acknowledged then.
func (s *server) run(ctx context.Context) (string, error) {
	id := s.db.NewID()
	body := []byte(strings.Repeat(id+"\n", 100))
	name := "csv/" + id + ".csv"
	if err := os.MkdirAll(filepath.Join(s.results, "csv"), 0o750); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(s.results, name), body, 0o640); err != nil {
		return "", err
	}
	sum := sha256.Sum256(body)
	r := &history.Run{ID: id, Owner: "ann", Kind: history.KindRun, State: history.Succeeded, Spec: []byte(`{}`), SpecSum: id, Engine: "1", Strategy: "s",
		Artifacts: []history.Artifact{{Name: name, SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(body))}}}
	return id, s.db.Write(ctx, func(tx *history.Tx) error { return tx.Insert(r) })
}

// missing are the runs that a results folder does not know with their file.
func missing(t *testing.T, results string, ids ...string) []string {
	t.Helper()
	db, err := history.Open(t.Context(), history.Options{Path: filepath.Join(results, "db", "history.db"), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var list []string
	err = db.Read(t.Context(), func(tx *history.Tx) error {
		for _, id := range ids {
			r, err := tx.Run("ann", id)
			if err == nil && len(r.Artifacts) == 1 {
				_, err = os.Stat(filepath.Join(results, r.Artifacts[0].Name))
			}
			if err != nil {
				list = append(list, id)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Four clients write without pause. Whatever was acknowledged before a backup began is in it, whole.
func TestBackupWhileOthersWrite(t *testing.T) {
	s := newServer(t)
	var mu sync.Mutex
	var acknowledged []string
	ctx, stop := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for ctx.Err() == nil {
				id, err := s.run(t.Context())
				if err != nil {
					t.Errorf("a write failed while a backup was made: %v", err)
					return
				}
				mu.Lock()
				acknowledged = append(acknowledged, id)
				mu.Unlock()
			}
		})
	}
	to := t.TempDir()
	count := func() int { mu.Lock(); defer mu.Unlock(); return len(acknowledged) }
	for i := range 3 {
		for before := count(); count() < before+20; {
			time.Sleep(time.Millisecond)
		}
		mu.Lock()
		promised := append([]string{}, acknowledged...)
		mu.Unlock()
		path, m, err := backup.Create(t.Context(), backup.Options{Results: s.results, To: to, Version: "v1", Now: time.Unix(int64(1.7e9)+int64(i), 0)})
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Faults) > 0 {
			t.Errorf("backup %d: %q", i, m.Faults)
		}
		if _, err := backup.Verify(t.Context(), path); err != nil {
			t.Error(err)
		}
		restored := filepath.Join(t.TempDir(), "results")
		if _, kept, err := backup.Restore(t.Context(), path, restored, time.Unix(1.8e9, 0)); err != nil || kept != "" {
			t.Fatalf("restore: %q, %v", kept, err)
		}
		if lost := missing(t, restored, promised...); len(lost) > 0 {
			t.Fatalf("backup %d: %d of %d runs acknowledged before are lost", i, len(lost), len(promised))
		}
		if files, faults, err := backup.Check(t.Context(), restored, true); err != nil || len(faults) > 0 || files < len(promised) {
			t.Errorf("restored: %d files, %q, %v", files, faults, err)
		}
	}
	stop()
	writers.Wait()
	t.Logf("%d runs were written meanwhile", count())
}

// archive is a backup of three runs, the last of which is shared.
func archive(t *testing.T) (s *server, path string) {
	t.Helper()
	s = newServer(t)
	on := true
	for i := range 3 {
		id, err := s.run(t.Context())
		if err == nil && i == 2 {
			err = s.db.Write(t.Context(), func(tx *history.Tx) error {
				_, err := tx.SetLabel("ann", id, 0, history.Label{Shared: &on})
				return err
			})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{".hidden", "csv/half.csv.part", "db/server.lock"} {
		if err := os.WriteFile(filepath.Join(s.results, name), []byte("x"), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	path, m, err := backup.Create(t.Context(), backup.Options{Results: s.results, To: t.TempDir(), Label: "before-upgrade", Version: "v1", Now: time.Unix(1.7e9, 0)})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Files) != 4 || !strings.HasSuffix(path, "backtester-20231114T221320Z-before-upgrade.tar.zst") {
		t.Fatalf("%s holds %+v", path, m.Files)
	}
	return s, path
}

// unpacked is the archive without its compression, nil where that fails.
func unpacked(t *testing.T, b []byte) []byte {
	t.Helper()
	z, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	plain, err := z.DecodeAll(b, nil)
	if err != nil {
		return nil
	}
	return plain
}

func TestDamagedBackupsAreRefused(t *testing.T) {
	_, path := archive(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	plain := unpacked(t, whole)
	results := filepath.Join(t.TempDir(), "results")
	if err := os.MkdirAll(filepath.Join(results, "csv"), 0o750); err != nil {
		t.Fatal(err)
	}
	mine := filepath.Join(results, "csv", "mine.csv")
	if err := os.WriteFile(mine, []byte("x"), 0o640); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(t.TempDir(), "broken.tar.zst")
	try := func(what string, b []byte) {
		t.Helper()
		if err := os.WriteFile(broken, b, 0o640); err != nil {
			t.Fatal(err)
		}
		if _, err := backup.Verify(t.Context(), broken); err == nil {
			t.Errorf("%s: verified", what)
		} else if !strings.Contains(err.Error(), broken) {
			t.Errorf("%s: %v does not name the file", what, err)
		}
		if _, _, err := backup.Restore(t.Context(), broken, results, time.Unix(1.8e9, 0)); err == nil {
			t.Errorf("%s: restored", what)
		}
		if _, err := os.Stat(mine); err != nil {
			t.Fatalf("%s: what was there was touched: %v", what, err)
		}
	}
	harmless := 0
	for i := range 12 {
		at := (i*len(whole))/12 + i%7
		if at >= len(whole) {
			break
		}
		try(fmt.Sprintf("cut at %d of %d", at, len(whole)), whole[:at])
		flipped := append([]byte{}, whole...)
		flipped[at] ^= 0x10
		// A changed back-reference of the compression can point to another place with the same bytes: every
		// file is what it was then, and there is nothing to refuse.
		if bytes.Equal(unpacked(t, flipped), plain) {
			harmless++
			continue
		}
		try(fmt.Sprintf("bit flipped at %d of %d", at, len(whole)), flipped)
	}
	if harmless > 3 {
		t.Errorf("%d of 12 flipped bits changed nothing: the test no longer damages what it means to", harmless)
	}
	try("empty", nil)
	try("something else", []byte("hello"))
}

func TestRestoreKeepsWhatWasThere(t *testing.T) {
	s, path := archive(t)
	late, err := s.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.db.Close()
	m, kept, err := backup.Restore(t.Context(), path, s.results, time.Unix(1.8e9, 0))
	if err != nil || len(m.Files) != 4 {
		t.Fatalf("%+v %v", m, err)
	}
	if len(missing(t, s.results, late)) == 0 {
		t.Error("the database is not the one of the backup")
	}
	db, err := history.Open(t.Context(), history.Options{Path: filepath.Join(s.results, "db", "history.db"), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var p history.Page
	err = db.Read(t.Context(), func(tx *history.Tx) (err error) { p, err = tx.Page(history.Filter{}); return err })
	if err != nil || len(p.Runs) != 3 || !p.Runs[0].Shared || p.Runs[1].Shared || p.Runs[2].Shared {
		t.Errorf("of the runs the last was shared: %+v %v", p.Runs, err)
	}
	if len(missing(t, kept, late)) != 0 {
		t.Errorf("what was there before is not in %s", kept)
	}
}

func TestCheckNamesFaults(t *testing.T) {
	s, _ := archive(t)
	names, err := filepath.Glob(filepath.Join(s.results, "csv", "*.csv"))
	if err != nil || len(names) != 3 {
		t.Fatal(names, err)
	}
	body, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	body[0] ^= 1
	if err := os.WriteFile(names[0], body, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(names[1]); err != nil {
		t.Fatal(err)
	}
	if files, faults, err := backup.Check(t.Context(), s.results, false); err != nil || files != 3 || len(faults) != 1 || !strings.HasSuffix(faults[0], "is missing") {
		t.Errorf("at a glance: %d %q %v", files, faults, err)
	}
	if _, faults, err := backup.Check(t.Context(), s.results, true); err != nil || len(faults) != 2 {
		t.Errorf("deep: %q %v", faults, err)
	}
	_, m, err := backup.Create(t.Context(), backup.Options{Results: s.results, To: t.TempDir(), Now: time.Unix(1.7e9, 0)})
	if err != nil || len(m.Faults) != 2 {
		t.Errorf("a backup of damaged files says %+v, %v", m, err)
	}
}

func TestKeep(t *testing.T) {
	dir := t.TempDir()
	start := time.Date(2024, 1, 1, 3, 17, 0, 0, time.UTC)
	for day := range 400 {
		for hour := range 2 {
			at := start.Add(time.Duration(day*24+hour*6) * time.Hour)
			if err := os.WriteFile(filepath.Join(dir, "backtester-"+at.Format("20060102T150405Z")+".tar.zst"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "my own.tar.zst"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Prune(dir, backup.Keep{Days: 7, Weeks: 4, Months: 6}); err != nil {
		t.Fatal(err)
	}
	list, err := backup.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range list {
		got = append(got, a.Made.Format("0102T15"))
	}
	// Day 399 is 2025-02-03, a Monday. Seven days, of each the later; the weeks before as their Sundays;
	// the months before as their last days.
	want := "0203T09 0202T09 0201T09 0131T09 0130T09 0129T09 0128T09 0126T09 0119T09 1231T09 1130T09 1031T09 0930T09"
	if strings.Join(got, " ") != want {
		t.Errorf("kept %s\nwant %s", strings.Join(got, " "), want)
	}
	if _, err := os.Stat(filepath.Join(dir, "my own.tar.zst")); err != nil {
		t.Error("a file of somebody else was removed")
	}
	if gone, err := backup.Prune(dir, backup.Keep{}); err != nil || len(gone) != len(list)-1 {
		t.Errorf("keeping nothing removed %d of %d, %v", len(gone), len(list), err)
	}
}
