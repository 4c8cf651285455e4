package history_test

import (
	"errors"
	"testing"
	"time"

	"backtester/backtest/history"
)

// A run that has ended is read once a second, however often it is asked for; what is written here is told at
// once, what another process writes a second later, and nobody is told what is somebody else's.
func TestRunsOfAMomentAgo(t *testing.T) {
	c := newClock()
	d := open(t, c)
	many(t, d, c, 1)
	var id string
	read(t, d, func(tx *history.Tx) error {
		p, err := tx.Page(history.Filter{Owner: "ann", Sort: "-created", Limit: 1})
		id = p.Runs[0].ID
		return err
	})
	name := func() string {
		t.Helper()
		r, err := d.Run(t.Context(), "ann", id)
		if err != nil {
			t.Fatal(err)
		}
		told := r.Name
		r.Name = "changed by a caller"
		return told
	}
	rename := func(d *history.DB, to string) {
		t.Helper()
		write(t, d, func(tx *history.Tx) error {
			_, err := tx.SetLabel("ann", id, 0, history.Label{Name: &to})
			return err
		})
	}
	name()
	if rename(d, "one"); name() != "one" {
		t.Errorf("a name that was just written is told as %q", name())
	}
	if _, err := d.Run(t.Context(), "bob", id); !errors.Is(err, history.ErrNotFound) {
		t.Errorf("somebody else's run: %v", err)
	}
	if !d.Postgres() {
		other, err := history.Open(t.Context(), history.Options{Path: d.Path(), Now: c.now})
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		name()
		if rename(other, "two"); name() != "one" {
			t.Error("the run is read anew each time")
		}
		if c.at = c.at.Add(time.Second); name() != "two" {
			t.Error("what another process wrote a second ago is not told")
		}
	}
	write(t, d, func(tx *history.Tx) error { _, err := tx.Remove("ann", id); return err })
	if _, err := d.Run(t.Context(), "ann", id); !errors.Is(err, history.ErrNotFound) {
		t.Errorf("a run that was removed: %v", err)
	}
	waiting := queued("ann", "a")
	write(t, d, func(tx *history.Tx) error { return tx.Insert(waiting) })
	if r, err := d.Run(t.Context(), "", waiting.ID); err != nil || r.State != history.Queued {
		t.Errorf("%v %v", r, err)
	}
}
