package history_test

import (
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"backtester/backtest/history"
)

// Every schema that ever was becomes today's, with what was in it; today's is refused by every program
// that does not know it.
func TestEverySchemaOpens(t *testing.T) {
	c := newClock()
	for n, all := 1, 2; n <= all; n++ {
		o := place(t, c)
		old, files, err := history.OpenAt(t.Context(), o, n, "")
		if err != nil {
			t.Fatal(err)
		}
		all = files
		run := queued("ann", "old", "AAPL")
		run.Tags = []string{"kept"}
		write(t, old, func(tx *history.Tx) error { return tx.Insert(run) })
		if err := old.Close(); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time there is nothing to do
			d, err := history.Open(t.Context(), o)
			if err != nil {
				t.Fatalf("from step %d: %v", n, err)
			}
			if got := walk(t, d, history.Filter{Tag: "kept", Symbol: "AAPL"}); len(got) != 1 || got[0].ID != run.ID || got[0].Shared {
				t.Errorf("from step %d: %+v", n, got)
			}
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if n == files {
			continue
		}
		late, _, err := history.OpenAt(t.Context(), o, n, "")
		var newer *history.NewerError
		if !errors.As(err, &newer) || !strings.Contains(err.Error(), "use the newer program; nothing was changed") {
			t.Errorf("the program of step %d opened today's: %v", n, err)
		}
		if late != nil {
			late.Close()
		}
	}
}

// A step in the middle that the program does not know is a newer schema as well.
func TestAGapInTheSteps(t *testing.T) {
	o := history.Options{Path: filepath.Join(t.TempDir(), "history.db"), Now: newClock().now, Readers: 2}
	d, err := history.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	late, _, err := history.OpenAt(t.Context(), o, 1000, "00002_trials.sql")
	var newer *history.NewerError
	if !errors.As(err, &newer) || newer.Have != 2 {
		t.Errorf("%v", err)
	}
	if late != nil {
		late.Close()
	}
}

// Several commands may start at once on a folder that has no database yet.
func TestFirstStartsAtOnce(t *testing.T) {
	o := history.Options{Path: filepath.Join(t.TempDir(), "db", "history.db"), Now: newClock().now}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			d, err := history.Open(t.Context(), o)
			if err != nil {
				t.Error(err)
				return
			}
			err = d.Write(t.Context(), func(tx *history.Tx) error { return tx.Insert(queued("ann", "x")) })
			if err := errors.Join(err, d.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
