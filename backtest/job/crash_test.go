//go:build unix

package job_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"backtester/backtest"
	"backtester/backtest/history"
	"backtester/backtest/job"
)

// The tests of this file kill servers in the middle of everything. A server is this test program again,
// started with what it shall do in its environment.

const (
	childDir   = "JOB_TEST_DIR"
	childPoint = "JOB_TEST_POINT" // where it kills itself, NAME/N at the N-th time
	childRuns  = "JOB_TEST_RUNS"  // how many it queues
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		os.Exit(serveAsChild(dir))
	}
	os.Exit(m.Run())
}

// child is a testing.TB for a process without a test.
type child struct {
	testing.TB
	cleanups []func()
}

func (c *child) Helper()                  {}
func (c *child) Context() context.Context { return context.Background() }
func (c *child) Cleanup(f func())         { c.cleanups = append(c.cleanups, f) }
func (c *child) Fatal(args ...any)        { fmt.Fprintln(os.Stderr, args...); os.Exit(1) }
func (c *child) Fatalf(f string, a ...any) {
	fmt.Fprintf(os.Stderr, f+"\n", a...)
	os.Exit(1)
}
func (c *child) Error(args ...any) { c.Fatal(args...) }

// serveAsChild queues runs, says on standard output what it was promised, and ends when nothing waits.
func serveAsChild(dir string) int {
	c := &child{}
	point, at, _ := strings.Cut(os.Getenv(childPoint), "/")
	times, _ := strconv.Atoi(at)
	hits := make(chan struct{}, 1000)
	r := startIn(c, dir, func(o *job.Options) {
		job.FailAt(o, func(p string) {
			if p != point {
				return
			}
			hits <- struct{}{}
			if len(hits) == times {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {} // until it takes effect
			}
		})
	})
	n, _ := strconv.Atoi(os.Getenv(childRuns))
	for i := range n {
		q := ask(config(c, 10+i%4))
		q.Key = fmt.Sprint("k", i)
		if os.Getenv(childPoint) == "" {
			q.Key = ""
		}
		fmt.Println("ack", r.submit(c, q).Run.ID)
	}
	for {
		var list []history.Waiting
		if err := r.db.Read(context.Background(), func(tx *history.Tx) (err error) {
			list, err = tx.Waiting()
			return err
		}); err != nil {
			c.Fatal(err)
		}
		if len(list) == 0 {
			break
		}
		time.Sleep(2 * time.Millisecond)
	}
	for i := len(c.cleanups) - 1; i >= 0; i-- {
		c.cleanups[i]()
	}
	return 0
}

// startChild starts a server; the ids that it acknowledged come when it has ended.
func startChild(t *testing.T, dir, point string, runs int) (cmd *exec.Cmd, ended func() (acks []string, err error)) {
	t.Helper()
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir, childPoint+"="+point, childRuns+"="+strconv.Itoa(runs))
	var out, faults bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &faults
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, func() (acks []string, err error) {
		err = cmd.Wait()
		if s := faults.String(); s != "" {
			t.Errorf("a server said: %s", s)
		}
		for lines := bufio.NewScanner(&out); lines.Scan(); {
			if id, ok := strings.CutPrefix(lines.Text(), "ack "); ok && len(id) == 26 {
				acks = append(acks, id)
			}
		}
		return acks, err
	}
}

// killedItself reports whether a server died by the signal that it sent itself.
func killedItself(err error) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
}

// checkFolder requires that what was acknowledged has ended, that files are whole and are what an
// undisturbed run gives, and that there is nothing else.
func checkFolder(t *testing.T, dir string, acks []string, sums map[string]bool) {
	t.Helper()
	db, err := history.Open(t.Context(), history.Options{Path: filepath.Join(dir, "db", "history.db"), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	folder, err := job.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	byID, files := map[string]*history.Run{}, map[string]bool{}
	if err := db.Read(t.Context(), func(tx *history.Tx) error {
		p, err := tx.Page(history.Filter{Limit: history.MostOfPage})
		for _, r := range p.Runs {
			byID[r.ID] = r
		}
		var ok string
		return errors.Join(err, tx.QueryRow("PRAGMA integrity_check").Scan(&ok), map[bool]error{false: errors.New("the database is damaged: " + ok)}[ok == "ok"])
	}); err != nil {
		t.Error(err)
	}
	for _, id := range acks {
		if byID[id] == nil {
			t.Errorf("run %s was acknowledged and is gone", id)
		}
	}
	for id, r := range byID {
		if !r.State.Ended() || r.State == history.Failed && r.Problem.Code != "crash-loop" {
			t.Errorf("run %s is %s: %+v", id, r.State, r.Problem)
		}
		if r.State == history.Succeeded && len(r.Artifacts) != 2 {
			t.Errorf("run %s left %d files", id, len(r.Artifacts))
		}
		for _, a := range r.Artifacts {
			files[filepath.Join(dir, a.Name)] = true
			if err := folder.Verify(a); err != nil {
				t.Error(err)
			}
			if strings.HasPrefix(a.Name, "runs/") && !sums[a.SHA256] {
				t.Errorf("%s is not what an undisturbed run gives", a.Name)
			}
		}
	}
	for _, sub := range []string{"csv", "tearsheets", "runs"} {
		entries, err := os.ReadDir(filepath.Join(dir, sub))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if !files[filepath.Join(dir, sub, e.Name())] {
				t.Errorf("%s/%s belongs to no run", sub, e.Name())
			}
		}
	}
}

// undisturbed are the sums of the results of the runs that children make.
func undisturbed(t *testing.T) map[string]bool {
	t.Helper()
	src := market(t)
	sums := map[string]bool{}
	for i := range 4 {
		r, err := backtest.Run(t.Context(), config(t, 10+i), src)
		if err != nil {
			t.Fatal(err)
		}
		b, err := r.EncodeJSON()
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(b)
		sums[hex.EncodeToString(sum[:])] = true
	}
	return sums
}

// Wherever a server dies, the next one ends every run that was acknowledged with the bytes of an
// undisturbed one, and leaves nothing lying about.
func TestKilledAtEveryStep(t *testing.T) {
	points := []string{"inserted", "committed", "claimed", "opened", "computed", "created", "written", "synced", "renamed", "folder synced",
		"kept", "finishing", "concluded"}
	times := 5
	if testing.Short() {
		times = 1
	}
	sums := undisturbed(t)
	for _, point := range points {
		t.Run(strings.ReplaceAll(point, " ", "-"), func(t *testing.T) {
			for n := 1; n <= times; n++ {
				dir := t.TempDir()
				_, ended := startChild(t, dir, fmt.Sprintf("%s/%d", point, n), 5)
				acks, err := ended()
				if !killedItself(err) {
					t.Fatalf("the server did not die at point %s: %v", point, err)
				}
				_, ended = startChild(t, dir, "", 0)
				if _, err := ended(); err != nil {
					t.Fatalf("the next server: %v", err)
				}
				checkFolder(t, dir, acks, sums)
				if t.Failed() {
					t.Fatalf("after dying at point %s the %d. time", point, n)
				}
			}
		})
	}
}

// A server that is killed again and again at any moment loses nothing that it acknowledged.
func TestKilledAtAnyMoment(t *testing.T) {
	kills := 20
	if testing.Short() {
		kills = 4
	}
	dir, r := t.TempDir(), rand.New(rand.NewPCG(5, 6))
	var acks []string
	slow := 1 // how much longer the machine takes until something is acknowledged
	for range kills {
		cmd, ended := startChild(t, dir, "", 15)
		time.Sleep(time.Duration(slow*(20+r.IntN(200))) * time.Millisecond)
		if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		some, err := ended()
		if err != nil && !killedItself(err) {
			t.Fatal(err)
		}
		if acks = append(acks, some...); len(acks) == 0 {
			slow *= 3
		}
	}
	_, ended := startChild(t, dir, "", 0)
	if _, err := ended(); err != nil {
		t.Fatal(err)
	}
	if len(acks) == 0 {
		t.Error("no run was acknowledged: nothing was tested")
	}
	checkFolder(t, dir, acks, undisturbed(t))
	t.Logf("%d kills, %d runs acknowledged", kills, len(acks))
}
