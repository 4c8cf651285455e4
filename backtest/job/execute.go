package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/history"
	"backtester/backtest/strategy"
)

// execute does the work of one run and writes down how it ended.
func (s *Service) execute(ctx context.Context, cancel context.CancelCauseFunc, run *history.Run) {
	s.opened(run)
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		s.heartbeat(ctx, cancel, run.ID)
	}()
	bounded, end := ctx, context.CancelFunc(func() {})
	if s.Limits.Wall > 0 {
		bounded, end = context.WithTimeoutCause(ctx, s.Limits.Wall, errWall)
	}
	done, artifacts, err := s.work(bounded, run)
	cause := context.Cause(bounded)
	end()
	if err == nil {
		cause = nil // it was ready before anybody stopped it
	}
	if errors.Is(err, errPanic) {
		cause = errPanic
	}
	s.conclude(ctx, run, done, artifacts, err, cause)
	cancel(nil)
	<-beating
}

// conclude writes down how a run ended. What the disk or the database refuses now is tried again,
// because nobody else knows what this worker knows.
func (s *Service) conclude(ctx context.Context, run *history.Run, done *Done, artifacts []history.Artifact, err, cause error) {
	ctx = context.WithoutCancel(ctx)
	var state history.State
	var write func(tx *history.Tx) error
	switch {
	case errors.Is(cause, errLost):
		s.Log.Warn("another worker has the run", "run", run.ID)
		s.ceased(run.ID)
		return
	case errors.Is(cause, errDraining):
		state, write = history.Queued, func(tx *history.Tx) error { return tx.Requeue(run.ID, s.worker, false) }
	case errors.Is(cause, errPanic):
		s.Log.Error("a run ended in a panic", "run", run.ID, "attempt", run.Attempt, "error", err)
		state, write = history.Queued, func(tx *history.Tx) error { return tx.Requeue(run.ID, s.worker, true) }
		if run.Attempt >= MostAttempts {
			state, write = history.Failed, s.ending(run, history.End{State: history.Failed, Problem: history.CrashLoop(run.Attempt)})
		}
	case errors.Is(cause, errCancelled):
		state, write = history.Cancelled, s.ending(run, history.End{State: history.Cancelled})
	case err != nil:
		if errors.Is(cause, errWall) {
			err = &LimitError{codeLimit, "time of a run", "seconds", int64(s.Limits.Wall / time.Second), int64(s.Limits.Wall/time.Second) + 1}
		}
		p := problemOf(err)
		if p.Code == "internal" {
			s.Log.Error("a run failed", "run", run.ID, "error", err)
		}
		state, write = history.Failed, s.ending(run, history.End{State: history.Failed, Problem: p})
	default:
		trials := s.trialsOf(run, done)
		state, write = history.Succeeded, func(tx *history.Tx) error {
			if err := tx.Finish(run.ID, s.worker, endOf(done, artifacts)); err != nil {
				return err
			}
			for _, b := range trials {
				if err := tx.AddTrials(b); err != nil {
					return err
				}
			}
			s.fail("finishing")
			return nil
		}
	}
	for attempt := 0; ; attempt++ {
		err := s.History.Write(ctx, write)
		if err == nil {
			break
		}
		s.Log.Error("cannot write down how a run ended", "run", run.ID, "state", state, "error", err)
		if errors.Is(err, history.ErrLost) || s.isDraining() {
			s.ceased(run.ID)
			return // the next server puts it right
		}
		wait(ctx, min(5*time.Second, 100*time.Millisecond<<min(attempt, 10)))
	}
	s.stored.add(run.Owner, artifacts)
	s.fail("concluded")
	s.finished(run.ID, state)
}

// trialsOf are the trials that work was: those of its result, and those that it names.
func (s *Service) trialsOf(run *history.Run, done *Done) []*history.Batch {
	if done.Result == nil {
		return done.Trials
	}
	b, err := history.TrialOf(done.Result)
	if err != nil {
		s.Log.Warn("a run counts for no trial", "run", run.ID, "error", err)
		return done.Trials
	}
	b.Owner, b.Run = run.Owner, run.ID
	return append(slices.Clone(done.Trials), b)
}

func (s *Service) ending(run *history.Run, e history.End) func(*history.Tx) error {
	return func(tx *history.Tx) error { return tx.Finish(run.ID, s.worker, e) }
}

func (s *Service) isDraining() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draining
}

// heartbeat keeps the lease while the worker lives, and stops the work when somebody wants that or the
// lease is lost.
func (s *Service) heartbeat(ctx context.Context, cancel context.CancelCauseFunc, id string) {
	every := s.Lease / 3
	if s.History.Postgres() {
		every = min(every, time.Second) // a cancellation may have come to another server
	}
	for {
		wait(ctx, every)
		if ctx.Err() != nil {
			return
		}
		var cancelling bool
		err := s.History.Write(ctx, func(tx *history.Tx) (err error) {
			cancelling, err = tx.Renew(id, s.worker, s.Now().Add(s.Lease))
			return err
		})
		switch {
		case errors.Is(err, history.ErrLost):
			cancel(errLost)
		case err != nil && ctx.Err() == nil:
			s.Log.Error("cannot renew the lease of a run", "run", id, "error", err)
		case cancelling:
			cancel(errCancelled)
		}
	}
}

var errPanic = errors.New("the work panicked")

// caught makes a panic of work an error; it is deferred.
func caught(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v\n%s", errPanic, p, debug.Stack())
	}
}

// work computes a run and keeps its files.
func (s *Service) work(ctx context.Context, run *history.Run) (done *Done, artifacts []history.Artifact, err error) {
	defer caught(&err)
	spec, err := DecodeSpec(run.Spec)
	if err != nil {
		return nil, nil, err
	}
	var data *Data
	if spec.Kind != history.KindFetch {
		if data, err = s.Data(ctx); err != nil {
			return nil, nil, err
		}
		defer data.release()
	}
	s.fail("opened")
	do := s.Execute[spec.Kind]
	if do == nil && spec.Kind == history.KindRun {
		do = play
	}
	if do == nil {
		return nil, nil, fmt.Errorf("execute a %s: this server does not do that", spec.Kind)
	}
	done, err = do(ctx, &Work{Run: run, Spec: spec, Data: data, Tell: func(p Step) { s.progress(run.ID, p) }})
	if err != nil {
		return nil, nil, err
	}
	s.fail("computed")
	files, err := s.filesOf(ctx, run, done, data)
	if err != nil {
		return nil, nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	if artifacts, err = s.disk.keepAll(files, s.fail); err == nil {
		err = ctx.Err() // somebody stopped it meanwhile
	}
	if err != nil {
		if !s.History.Postgres() { // there another worker may have the run by now, and its files have these names
			s.disk.Discard(artifacts)
		}
		return nil, nil, err
	}
	s.fail("kept")
	return done, artifacts, nil
}

// play executes a run.
func play(ctx context.Context, w *Work) (*Done, error) {
	r, err := backtest.RunWith(ctx, w.Spec.Config, w.Data.Source, backtest.Options{Progress: func(p backtest.Progress) {
		w.Tell(Step{Done: int64(p.Done), Total: int64(p.Total), Time: p.Time, Equity: p.Equity})
	}})
	if err != nil {
		return nil, err
	}
	return &Done{Result: r}, nil
}

// ResultName is the file of a run's result: the bytes of the command line's json.
func ResultName(id string) string { return "runs/" + id + ".json" }

// ResultFile is a result as a file of its run.
func ResultFile(id string, r *backtest.Result) File {
	return File{ResultName(id), r.WriteJSON}
}

// RowOf is the row of a run that gave r, but for what is asked and when.
func RowOf(r *backtest.Result) *history.Run {
	e := endOf(&Done{Result: r}, nil)
	return &history.Run{Kind: history.KindRun, State: history.Succeeded, Engine: r.EngineVersion, Fingerprint: e.Fingerprint, DataSum: e.DataSum,
		Strategy: r.Strategy, Symbols: e.Symbols, From: e.From, To: e.To, Metrics: e.Metrics, Tags: []string{}, Artifacts: []history.Artifact{}}
}

func (s *Service) filesOf(ctx context.Context, run *history.Run, done *Done, data *Data) ([]File, error) {
	files := slices.Clone(done.Files)
	if done.Result == nil {
		return files, nil
	}
	files = append(files, ResultFile(run.ID, done.Result))
	if s.Render == nil {
		return files, nil
	}
	more, err := s.Render(ctx, run, done.Result, data)
	return append(files, more...), err
}

// mostSymbols is how many symbols a row of the history names.
const mostSymbols = 200

// endOf is what the history keeps of work that succeeded.
func endOf(done *Done, artifacts []history.Artifact) history.End {
	e := history.End{State: history.Succeeded, Metrics: done.Metrics, Summary: done.Summary, Artifacts: artifacts}
	r := done.Result
	if r == nil {
		return e
	}
	e.Fingerprint, e.DataSum, e.From, e.To = r.Fingerprint, r.Data.SHA256, r.Data.From, r.Data.To
	e.Symbols = symbolsOf(r)
	if e.Metrics == nil {
		e.Metrics = history.MetricsOf(r)
	}
	return e
}

// symbolsOf are the symbols by which a run is found: all that it ran on, or of a large universe those
// that were traded.
func symbolsOf(r *backtest.Result) []string {
	list := r.Data.Symbols
	if len(list) > mostSymbols {
		list = nil
		for _, t := range r.Trades {
			list = append(list, t.Symbol)
		}
		slices.Sort(list)
		list = slices.Compact(list)
	}
	return append([]string{}, list[:min(len(list), mostSymbols)]...)
}

// problemOf puts an error in the words that people see. What is not known stays in the log.
func problemOf(err error) *history.Problem {
	var (
		faults strategy.Diagnostics
		gap    *backtest.NoDataError
		limit  *LimitError
	)
	detail := func(v any) json.RawMessage {
		b, err := json.Marshal(v)
		if err != nil {
			return nil
		}
		return b
	}
	switch {
	case errors.As(err, &faults):
		return &history.Problem{Code: "invalid-strategy", Title: "The strategy has faults", Detail: faults.Error(), Errors: detail(faults)}
	case errors.As(err, &gap):
		return &history.Problem{Code: "data-missing", Title: "There are no bars for what was asked", Detail: gap.Error(), Errors: detail(gap.Rows)}
	case errors.Is(err, bar.ErrNoData):
		return &history.Problem{Code: "data-missing", Title: "There are no bars for what was asked", Detail: err.Error()}
	case errors.As(err, &limit):
		return &history.Problem{Code: limit.Code, Title: "The run met a limit", Detail: limit.Error()}
	case IsFull(err):
		return &history.Problem{Code: codeDiskFull, Title: "There was no room left on the disk", Detail: "the files of the run could not be kept"}
	case IsFailing(err):
		return &history.Problem{Code: "disk-failing", Title: "The disk took no files", Detail: "the files of the run could not be kept: the file system is read-only or fails"}
	}
	if e, ok := errors.AsType[*Failure](err); ok {
		return &history.Problem{Code: e.Code, Title: e.Title, Detail: e.Err.Error()}
	}
	return &history.Problem{Code: "internal", Title: "The run failed", Detail: err.Error()}
}

// Failure is an error of an Executor in words for people.
type Failure struct {
	Code, Title string
	Err         error
}

func (e *Failure) Error() string { return e.Title + ": " + e.Err.Error() }
func (e *Failure) Unwrap() error { return e.Err }
