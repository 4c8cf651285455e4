package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"backtester/backtest"
	"backtester/backtest/history"
	"backtester/backtest/job"
	"backtester/report"
)

// The command line writes what it computed into the same history as the server. A history that cannot be
// written is no reason to keep a result from anybody: then a warning says so.

// mostKept is how many results of one command are kept whole; of larger batches the history has the
// rows, the metrics and the trials.
const mostKept = 100

// recording reports whether runs are written down.
func (a *app) recording() bool {
	return a.settings.get("history") == "on" && a.settings.get("results_dir") != ""
}

// record writes results down and returns the ids of their rows, none when there is no history.
func (a *app) record(ctx context.Context, results []*backtest.Result, snapshot string, took time.Duration) []string {
	if !a.recording() || len(results) == 0 {
		return nil
	}
	ids, err := a.recordAll(context.WithoutCancel(ctx), results, snapshot, took)
	if err != nil {
		a.warn("no_history", fmt.Sprintf("the runs are not in the history: %s", err))
		return nil
	}
	return ids
}

func (a *app) recordAll(ctx context.Context, results []*backtest.Result, snapshot string, took time.Duration) (ids []string, err error) {
	db, err := a.openHistory(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	folder, err := a.openResults()
	if err != nil {
		return nil, err
	}
	var runs []*history.Run
	var trials []*history.Batch
	defer func() {
		for _, run := range runs {
			if err != nil {
				folder.Discard(run.Artifacts)
			}
		}
	}()
	for _, r := range results {
		run, err := rowOf(db, r, snapshot, took)
		if err != nil {
			return nil, err
		}
		if len(results) <= mostKept {
			kept, err := folder.Keep(job.ResultFile(run.ID, r))
			if err != nil {
				return nil, err
			}
			run.Artifacts = append(run.Artifacts, kept)
		}
		runs, ids = append(runs, run), append(ids, run.ID)
		if b, err := history.TrialOf(r); err == nil { // a run without sessions tried nothing
			b.Owner, b.Run = run.Owner, run.ID
			trials = append(trials, b)
		}
	}
	return ids, db.Write(ctx, func(tx *history.Tx) error {
		for _, run := range runs {
			if err := tx.Insert(run); err != nil {
				return err
			}
		}
		for _, b := range trials {
			if err := tx.AddTrials(b); err != nil {
				return err
			}
		}
		return nil
	})
}

// rowOf is the row of a run that has been played already.
func rowOf(db *history.DB, r *backtest.Result, snapshot string, took time.Duration) (*history.Run, error) {
	spec, err := job.Spec{Kind: history.KindRun, Config: r.Config}.Encode()
	if err != nil {
		return nil, err
	}
	run := job.RowOf(r)
	run.ID, run.Owner, run.Attempt, run.Spec, run.Snapshot = db.NewID(), localOwner, 1, spec, snapshot
	run.SpecSum = job.Sum(spec, snapshot)
	run.Finished = db.Now().UTC()
	run.Created, run.Started = run.Finished.Add(-took), run.Finished.Add(-took)
	return run, nil
}

// snapshotter is a source that can name its state.
type snapshotter interface{ Snapshot() string }

// snapshotOf is the name of what a source holds, "" when it has none.
func snapshotOf(src source) string {
	if s, ok := src.(snapshotter); ok {
		return s.Snapshot()
	}
	return ""
}

// resultsOf reads the result that a run left.
func (a *app) resultsOf(run *history.Run) ([]*backtest.Result, error) {
	if run.Kind == history.KindSweep {
		return nil, fmt.Errorf("read the result of run %s: it is a sweep, which has many: see backtester history show %s", run.ID, run.ID)
	}
	if run.Kind != history.KindRun {
		return nil, fmt.Errorf("read the result of run %s: it is a %s, which has no result of a run: see backtester history show %[1]s", run.ID, run.Kind)
	}
	folder, err := a.openResults()
	if err != nil {
		return nil, err
	}
	for _, kept := range run.Artifacts {
		if kept.Name != job.ResultName(run.ID) {
			continue
		}
		if err := folder.Verify(kept); err != nil {
			return nil, err
		}
		f, err := folder.Open(kept)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return report.ReadJSON(f, kept.Name)
	}
	if run.State != history.Succeeded {
		return nil, fmt.Errorf("read the result of run %s: it is %s", run.ID, run.State)
	}
	return nil, fmt.Errorf("read the result of run %s: its result was not kept (one of a large batch): run it again", run.ID)
}
