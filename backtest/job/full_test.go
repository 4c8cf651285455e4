//go:build unix

package job_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"

	"backtester/backtest/history"
	"backtester/backtest/job"
)

// A disk that is full at any write of a run fails that run in plain words, harms nothing that is
// there, and is forgotten as soon as there is room.
func TestFullAtEveryWrite(t *testing.T) {
	for _, cause := range []error{syscall.ENOSPC, syscall.EIO} {
		for n := int64(1); ; n++ {
			var count, at atomic.Int64
			at.Store(1 << 60)
			r := start(t, func(o *job.Options) {
				job.FullAt(o, func() error {
					if count.Add(1) >= at.Load() {
						return &os.PathError{Op: "write", Path: "x", Err: cause}
					}
					return nil
				})
			})
			before := r.ended(t, r.submit(t, ask(config(t, 10))).Run.ID)
			at.Store(count.Load() + n)
			failed := r.ended(t, r.submit(t, ask(config(t, 11))).Run.ID)
			operations := count.Load() - at.Load() + n
			at.Store(1 << 60)
			after := r.ended(t, r.submit(t, ask(config(t, 12))).Run.ID)
			if before.State != history.Succeeded || after.State != history.Succeeded {
				t.Fatalf("operation %d: before %s, after %s", n, before.State, after.State)
			}
			for _, a := range append(before.Artifacts, after.Artifacts...) {
				if err := r.Verify(a); err != nil {
					t.Error(err)
				}
			}
			if failed.State == history.Succeeded {
				if n < 10 {
					t.Errorf("a run of %d operations was not disturbed by the %d. that failed", operations, n)
				}
				break
			}
			want := map[error]string{syscall.ENOSPC: "disk-full", syscall.EIO: "disk-failing"}[cause]
			if failed.Problem.Code != want || len(failed.Artifacts) != 0 {
				t.Errorf("operation %d: %+v with %d files", n, failed.Problem, len(failed.Artifacts))
			}
			left, err := filepath.Glob(filepath.Join(r.dir, "*", failed.ID+"*"))
			if err != nil || len(left) > 0 {
				t.Errorf("operation %d left %v %v", n, left, err)
			}
		}
	}
}

// A database without room refuses new work and keeps what it has.
func TestFullDatabase(t *testing.T) {
	r := start(t, nil)
	before := r.ended(t, r.submit(t, ask(config(t, 10))).Run.ID)
	limit := func(pages int64) {
		t.Helper()
		if err := r.db.Write(t.Context(), func(tx *history.Tx) error {
			if pages == 0 {
				if err := tx.QueryRow("PRAGMA page_count").Scan(&pages); err != nil {
					return err
				}
			}
			var got int64
			return tx.QueryRow("PRAGMA max_page_count = " + strconv.FormatInt(pages, 10)).Scan(&got)
		}); err != nil {
			t.Fatal(err)
		}
	}
	limit(0)
	var refused *job.LimitError
	for i := range 200 { // until the free pages are used up
		if _, err := r.Submit(t.Context(), ask(config(t, 20+i))); err != nil {
			if !errors.As(err, &refused) || refused.Code != "disk-full" {
				t.Fatalf("%v", err)
			}
			break
		}
	}
	if refused == nil {
		t.Fatal("a full database took everything")
	}
	if got, err := r.Run(t.Context(), "ann", before.ID); err != nil || got.State != history.Succeeded {
		t.Errorf("%+v %v", got, err)
	}
	limit(1 << 30)
	if run := r.ended(t, r.submit(t, ask(config(t, 9))).Run.ID); run.State != history.Succeeded {
		t.Errorf("with room again: %s %+v", run.State, run.Problem)
	}
}
