package servertest

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"backtester/backtest/history/pgtest"
)

// judge waits for every acknowledged run and compares the results of equal work.
func judge(t *testing.T, s *serving, acknowledged map[string]int) {
	t.Helper()
	c := newClient()
	sums, gaveUp := map[int]string{}, 0
	for id, n := range acknowledged {
		r := s.ended(c, id)
		if r.Status == "failed" && r.Error != nil && r.Error.Code == "crash-loop" {
			gaveUp++ // its server died three times while it ran
			continue
		}
		if r.Status != "succeeded" {
			t.Errorf("run %s, which was acknowledged, is %q %v", id, r.Status, r.Error)
			continue
		}
		status, text, err := call(c, "GET", s.url+"/api/backtest/results/"+id+"/result", "", nil)
		if err != nil || status != 200 {
			t.Errorf("the result of %s: %d %v", id, status, err)
			continue
		}
		sum := sha256.Sum256(text)
		if got := hex.EncodeToString(sum[:]); sums[n%4] == "" {
			sums[n%4] = got
		} else if sums[n%4] != got {
			t.Errorf("run %s gave other bytes than the same work before", id)
		}
	}
	if gaveUp*10 > len(acknowledged) {
		t.Errorf("%d of %d runs were given up", gaveUp, len(acknowledged))
	}
	// And the same bytes as the command line.
	for n, want := range sums {
		file := filepath.Join(t.TempDir(), fmt.Sprintf("s%d.json", n))
		var body struct{ Strategy json.RawMessage }
		if err := json.Unmarshal([]byte(strategy(n)), &body); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, body.Strategy, 0o600); err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256([]byte(command(t, "run", file, "--format", "json", "--store", "demo", "--results-dir", t.TempDir())))
		if hex.EncodeToString(sum[:]) != want {
			t.Errorf("strategy %d gives other bytes on the command line", n)
		}
	}
	t.Logf("%d acknowledged runs, %d given up after three deaths of their server, %d kinds of work", len(acknowledged), gaveUp, len(sums))
}

// load lets clients ask for runs, with a pause after each, until the end is called, which returns what was
// acknowledged, and how many requests there were.
func load(clients int, pause time.Duration, servers ...*serving) (end func() (map[string]int, int)) {
	return newWriters(clients, func() <-chan time.Time { return time.After(pause) }, servers...).end
}

// writers are clients that ask for runs.
type writers struct {
	stop chan struct{}
	all  sync.WaitGroup

	mu           sync.Mutex
	acknowledged map[string]int // the work of each run
	asked        int
}

// newWriters lets clients ask for one run each, and for another whenever next says so.
func newWriters(clients int, next func() <-chan time.Time, servers ...*serving) *writers {
	w := &writers{stop: make(chan struct{}), acknowledged: map[string]int{}}
	for i := range clients {
		w.all.Go(func() {
			c := newClient()
			for n := i; ; n++ {
				var r run
				status, _, err := call(c, "POST", servers[n%len(servers)].url+"/api/backtest/run", strategy(n), &r)
				w.mu.Lock()
				w.asked++
				if err == nil && status == 202 && r.RunID != "" {
					w.acknowledged[r.RunID] = n
				}
				w.mu.Unlock()
				select {
				case <-w.stop:
					return
				case <-next():
				}
			}
		})
	}
	return w
}

// soFar are the runs that were acknowledged until now.
func (w *writers) soFar() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.acknowledged)
}

func (w *writers) end() (map[string]int, int) {
	close(w.stop)
	w.all.Wait()
	return w.acknowledged, w.asked
}

const kills = 60

// kill -9 in sixty places while eight clients ask: what was acknowledged is there, ends, and gives the bytes that
// it would have given undisturbed.
func TestKills(t *testing.T) {
	t.Parallel()
	results := t.TempDir()
	s := newServing(t, results)
	end := load(8, 1500*time.Millisecond, s)
	r := rand.New(rand.NewPCG(1, 2))
	for range kills {
		time.Sleep(time.Duration(r.IntN(700)) * time.Millisecond)
		s.signal(syscall.SIGKILL)
		s.start()
	}
	acknowledged, asked := end()
	if len(acknowledged) < kills {
		t.Errorf("only %d of %d requests were acknowledged", len(acknowledged), asked)
	}
	judge(t, s, acknowledged)
	s.signal(syscall.SIGTERM)
	whole(t, results)
	t.Logf("%d kills, %d requests", kills, asked)
}

// Three servers share a PostgreSQL database and a results folder, as machines of one cluster do; one of them is
// killed again and again: the others finish what it had begun.
func TestServersOnPostgreSQL(t *testing.T) {
	t.Parallel()
	pg, err := pgtest.Start()
	if errors.Is(err, pgtest.ErrNone) {
		t.Skip("LEFT OUT: PostgreSQL is not installed")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer pg.Stop()
	admin, err := sql.Open("pgx", pg.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	name := pg.Fresh()
	if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	results := t.TempDir()
	database := "BACKTESTER_DATABASE_URL=" + pg.URL(name)
	// The first takes requests and computes nothing: the workers are the others.
	front := newServing(t, results, database, "BACKTESTER_WORKERS=0")
	steady, dying := newServing(t, results, database, "BACKTESTER_WORKERS=1"), newServing(t, results, database, "BACKTESTER_WORKERS=2")
	end := load(4, 700*time.Millisecond, front)
	r := rand.New(rand.NewPCG(3, 4))
	for range 5 {
		time.Sleep(time.Duration(400+r.IntN(900)) * time.Millisecond)
		dying.signal(syscall.SIGKILL)
		dying.start()
	}
	acknowledged, _ := end()
	if len(acknowledged) < 10 {
		t.Errorf("only %d runs were acknowledged", len(acknowledged))
	}
	judge(t, front, acknowledged)
	front.signal(syscall.SIGTERM)
	steady.signal(syscall.SIGTERM)
	dying.signal(syscall.SIGTERM)
	for _, s := range []*serving{front, steady, dying} {
		if code := s.cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("serve ends with %d\n%s", code, s.err)
		}
	}
}

// A disk that fills up: new work is refused in words, old results stay readable, and with room it goes on
// without a restart.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	results := t.TempDir()
	if err := syscall.Mount("tmpfs", results, "tmpfs", 0, "size=24m"); err != nil {
		t.Skipf("LEFT OUT: mounting a small file system needs root: %v", err)
	}
	defer syscall.Unmount(results, syscall.MNT_DETACH)
	s := newServing(t, results)
	defer s.signal(syscall.SIGKILL)
	c := newClient()
	submit := func() (int, string, run) {
		var r run
		status, text, err := call(c, "POST", s.url+"/api/backtest/run", strategy(0), &r)
		if err != nil {
			t.Fatal(err)
		}
		return status, string(text), r
	}
	_, _, first := submit()
	if s.ended(c, first.RunID).Status != "succeeded" {
		t.Fatal("the first run did not succeed")
	}
	for round := range 3 {
		ballast := filepath.Join(results, "ballast")
		f, err := os.Create(ballast)
		if err != nil {
			t.Fatal(err)
		}
		block := make([]byte, 1<<16)
		for err == nil {
			_, err = f.Write(block)
		}
		for err = nil; err == nil; { // to the last byte
			_, err = f.Write(block[:512])
		}
		f.Close()
		refused, failed := 0, 0
		for range 12 {
			status, text, r := submit()
			switch {
			case status == 503 && strings.Contains(text, `"disk-full"`):
				refused++
			case status == 202: // there was room for the row
				if e := s.ended(c, r.RunID); e.Status == "failed" && e.Error.Code == "disk-full" {
					failed++
				} else if e.Status != "succeeded" {
					t.Errorf("round %d: a run on a full disk is %s %v", round, e.Status, e.Error)
				}
			default:
				t.Errorf("round %d: %d %.300s", round, status, text)
			}
		}
		if refused+failed == 0 {
			t.Errorf("round %d: the disk never was full", round)
		}
		for _, path := range []string{"/api/health", "/api/backtest/history", "/api/backtest/results/" + first.RunID + "/result", "/api/files/csv/" + first.RunID + ".csv"} {
			if status, text, err := call(c, "GET", s.url+path, "", nil); err != nil || status != 200 {
				t.Errorf("round %d: %s on a full disk: %d %v %.200s", round, path, status, err, text)
			}
		}
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		status, text, r := submit()
		if status != 202 || s.ended(c, r.RunID).Status != "succeeded" {
			t.Errorf("round %d: with room again: %d %.300s", round, status, text)
		}
		t.Logf("round %d: %d refused, %d failed in words", round, refused, failed)
	}
	s.signal(syscall.SIGTERM)
	whole(t, results)
}

// backups is how many are made while clients write: every night fifty (-backups 50), with each change a few.
var backups = flag.Int("backups", 6, "backups that are made and restored while clients write")

// Backups while clients write: each holds everything that was acknowledged before it began, with the right sums.
// A backup is as large as what was written until then, so each lets the clients write a few more runs, while it is
// made, and no more: fifty take some ten times as long as six, not seventy times.
func TestBackupsUnderLoad(t *testing.T) {
	t.Parallel()
	const clients, writes = 3, 6 // writes while one backup is made
	results := t.TempDir()
	s := newServing(t, results)
	more := make(chan time.Time, writes)
	w := newWriters(clients, func() <-chan time.Time { return more }, s)
	during := 0 // writes that were acknowledged between the begin and the end of a backup
	for i := range *backups {
		for len(w.soFar()) < clients+i*writes/2 { // those of the backup before
			time.Sleep(10 * time.Millisecond)
		}
		before := w.soFar()
		for len(more) < writes { // nobody else fills it
			more <- time.Time{}
		}
		to, back := t.TempDir(), t.TempDir()
		made := strings.TrimSpace(command(t, "backup", "create", "--verify", "--results-dir", results, "--to", to))
		during += len(w.soFar()) - len(before)
		back = filepath.Join(back, "results")
		command(t, "backup", "restore", made, "--results-dir", back)
		text := command(t, "history", "ls", "--format", "json", "--limit", "500", "--results-dir", back)
		for id := range before {
			if !strings.Contains(text, id) {
				t.Errorf("backup %d lacks run %s, which was acknowledged before", i, id)
			}
		}
		for _, dir := range []string{to, back} { // fifty of both would fill a small disk
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
		}
	}
	acknowledged, _ := w.end()
	if least := *backups * writes / 2; during < least {
		t.Errorf("clients wrote %d runs while %d backups were made, want at least %d", during, *backups, least)
	}
	judge(t, s, acknowledged)
	t.Logf("%d backups, each restored with every run that was acknowledged before; %d of %d were written while one was made", *backups, during, len(acknowledged))
}
