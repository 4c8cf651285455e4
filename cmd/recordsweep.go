package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"backtester/backtest/history"
	"backtester/backtest/job"
	"backtester/backtest/sweep"
)

// A sweep is one row of the history, and all of its combinations are trials: whoever picks the best of
// thousands has searched the data thousands of times, whether or not the winner is run afterwards. What an
// interrupted sweep had played is counted too; when it goes on, and when shards are merged, the rows of the
// parts become one.

// sweepRecord writes a sweep down while it is played. nil when there is no history.
type sweepRecord struct {
	*app
	plan     *sweep.Plan
	identity string
	snapshot string
	trials   *history.Follower
	first    int // combination with which this process began
	started  time.Time
}

// recordSweep makes o count the trials of plan.
func (a *app) recordSweep(ctx context.Context, src source, plan *sweep.Plan, identity string, o *sweep.Options, elsewhere bool) *sweepRecord {
	if !a.recording() {
		return nil
	}
	r := &sweepRecord{app: a, plan: plan, identity: identity, snapshot: snapshotOf(src), first: o.From, started: a.io.Now()}
	r.trials = a.follow(ctx, plan, identity, o, elsewhere)
	return r
}

// known is the run of the history by which combinations from to to of a sweep were played before, by this engine
// on this data: rows are the same again, and nothing is counted twice. "" where there is none.
func (a *app) known(ctx context.Context, identity string, from, to int) string {
	if !a.recording() || from >= to {
		return ""
	}
	var rows []*history.Run
	if err := a.readHistory(ctx, func(tx *history.Tx) (err error) {
		rows, err = tx.Ranges(localOwner, identity)
		return err
	}); err != nil {
		return "" // whoever writes the row says what is wrong with the history
	}
	if _, _, reached, err := job.Chain(rows, from, to); err != nil || reached != to {
		return ""
	}
	return rows[0].ID
}

// follow writes the trials that o plays of plan into the history.
func (a *app) follow(ctx context.Context, plan *sweep.Plan, identity string, o *sweep.Options, elsewhere bool) *history.Follower {
	ctx = context.WithoutCancel(ctx)
	return history.Follow(ctx, localOwner, plan, identity, o, elsewhere, func(list []*history.Batch) error {
		return a.writeHistory(ctx, func(_ *history.DB, tx *history.Tx) error {
			for _, b := range list {
				if err := tx.AddTrials(b); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// writeHistory opens the history for one change of it.
func (a *app) writeHistory(ctx context.Context, f func(db *history.DB, tx *history.Tx) error) error {
	return a.useHistory(ctx, func(db *history.DB) error {
		return db.Write(ctx, func(tx *history.Tx) error { return f(db, tx) })
	})
}

// finish writes the row of the combinations up to next of a range that begins at from; failed is why not all
// of them were played.
func (r *sweepRecord) finish(ctx context.Context, s *sweep.Summary, independent bool, from, next int, failed error) {
	if r == nil || s == nil || s.Rows == 0 {
		return
	}
	err := r.trials.Finish(ctx)
	if err == nil {
		err = r.row(context.WithoutCancel(ctx), job.SweepOf(r.plan, s, independent, r.first, next), from, failed)
	}
	if err != nil {
		r.warn("no_history", fmt.Sprintf("the sweep is not in the history: %s", err))
	}
}

func (r *sweepRecord) row(ctx context.Context, s *job.Sweep, from int, failed error) error {
	symbols, first, last := r.trials.About()
	return r.writeHistory(ctx, func(db *history.DB, tx *history.Tx) error {
		var before *job.Sweep
		var gone []*history.Run
		rows, err := tx.Ranges(localOwner, r.identity)
		if err != nil {
			return err
		}
		switch {
		case r.plan.Method == "tpe": // which goes on by playing all of it again
			if _, gone, _, err = job.Chain(rows, from, s.To); err != nil {
				return err
			}
		case s.From > from: // it went on
			var reached int
			if before, gone, reached, err = job.Chain(rows, from, s.From); err != nil {
				return err
			}
			if reached < s.From {
				before, gone = nil, nil
			}
		}
		if before != nil {
			before.Join(s)
			s = before
		}
		run, err := job.RowOfSweep(r.plan, r.identity, s, symbols, first, last)
		if err != nil {
			return err
		}
		switch {
		case errors.Is(failed, context.Canceled):
			run.State = history.Cancelled
		case failed != nil:
			run.State, run.Problem = history.Failed, &history.Problem{Code: "failed", Title: "The sweep failed.", Detail: failed.Error()}
		}
		run.ID, run.Owner, run.Attempt, run.Snapshot = db.NewID(), localOwner, 1, r.snapshot
		run.SpecSum = job.SumOfSweep(run, s)
		run.Created, run.Started, run.Finished = r.started.UTC(), r.started.UTC(), db.Now().UTC()
		return replaceRows(tx, gone, run)
	})
}

// replaceRows puts one row in the place of its parts. Those that somebody labelled stay.
func replaceRows(tx *history.Tx, gone []*history.Run, run *history.Run) error {
	for _, old := range gone {
		if old.Labelled() {
			continue
		}
		if _, err := tx.Remove(localOwner, old.ID); err != nil {
			return err
		}
	}
	return tx.Insert(run)
}

// recordMerge makes one row of those of the shards. Shards of other machines are in their histories, not in
// this one: their trials cannot be counted here, which a warning says.
func (a *app) recordMerge(ctx context.Context, whole sweep.Merged) {
	if !a.recording() {
		return
	}
	err := a.writeHistory(context.WithoutCancel(ctx), func(db *history.DB, tx *history.Tx) error {
		rows, err := tx.Ranges(localOwner, whole.Identity)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(rows, func(r *history.Run) bool {
			var s job.Sweep
			return r.ReadSummary(&s) == nil && s.From == 0 && s.To == s.Total
		}) {
			return nil // merged before, or swept in one piece
		}
		s, gone, reached, err := job.Chain(rows, 0, whole.Total)
		if err != nil {
			return err
		}
		if reached < whole.Total {
			return fmt.Errorf("combinations %d to %d were played with another history: deflated Sharpe ratios of this one do not know of all trials", reached, whole.Total)
		}
		run := *gone[0]
		run.State, run.Problem = history.Succeeded, nil
		run.Name, run.Notes, run.Starred, run.Tags = "", "", false, []string{}
		if err := job.Tell(&run, s); err != nil {
			return err
		}
		run.ID, run.SpecSum, run.Finished = db.NewID(), job.SumOfSweep(&run, s), db.Now().UTC()
		for _, part := range gone {
			if part.Created.Before(run.Created) {
				run.Created, run.Started = part.Created, part.Started
			}
		}
		return replaceRows(tx, gone, &run)
	})
	if err != nil {
		a.warn("no_history", fmt.Sprintf("the merged sweep is not a row of the history: %s", err))
	}
}
