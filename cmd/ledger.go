package cmd

import (
	"context"
	"fmt"
	"time"

	"backtester/backtest"
	"backtester/backtest/history"
	"backtester/backtest/job"
	"backtester/backtest/stats/overfit"
	"backtester/backtest/sweep"
)

// searchLedger writes a validation and the trials of its searches into the history, and asks it how often the
// data was searched then. A history that cannot be written is no reason to keep a report from anybody: then a
// warning says so, and the search counts alone.
type searchLedger struct {
	*app
	cfg      *backtest.Config
	snapshot string
	atLeast  int64
	began    time.Time
	player   *player
	broken   bool
}

// lost says, once, what the history does not have.
func (l *searchLedger) lost(err error) {
	if err != nil && !l.broken {
		l.broken = true
		l.warn("no_history", fmt.Sprintf("the trials are not in the history: %s", err))
	}
}

// play plays a plan and counts it, also when it is interrupted.
func (l *searchLedger) play(ctx context.Context, plan *sweep.Plan, o sweep.Options) (*sweep.Summary, error) {
	if !l.recording() || l.broken {
		return l.player.play(ctx, plan, o)
	}
	identity, err := plan.Identity(ctx)
	if err != nil {
		return nil, err
	}
	trials := l.follow(ctx, plan, identity, &o, l.player.conn != nil)
	s, err := l.player.play(ctx, plan, o)
	l.lost(trials.Finish(ctx))
	return s, err
}

// count writes the validation down and counts all trials; nil without a history.
func (l *searchLedger) count(ctx context.Context, judged *backtest.Result) (*overfit.Selection, error) {
	if !l.recording() || l.broken {
		return nil, nil
	}
	var out overfit.Selection
	err := l.writeHistory(context.WithoutCancel(ctx), func(db *history.DB, tx *history.Tx) error {
		run, err := rowOf(db, judged, l.snapshot, l.io.Now().Sub(l.began))
		if err != nil {
			return err
		}
		run.Kind, run.Fingerprint = history.KindValidate, ""
		if run.Spec, err = (job.Spec{Kind: history.KindValidate, Config: l.cfg}).Encode(); err != nil {
			return err
		}
		run.SpecSum = job.Sum(run.Spec, l.snapshot)
		if err := tx.Insert(run); err != nil {
			return err
		}
		out, err = tx.Select(localOwner, judged, l.atLeast)
		return err
	})
	if l.lost(err); err != nil {
		return nil, nil
	}
	return &out, nil
}
