// Package job is the one way to execute work that somebody waits for: it queues, limits, runs, watches,
// cancels and keeps it.
//
//	jobs, err := job.New(ctx, job.Options{History: db, Results: dir, Data: open, Render: render, Now: time.Now})
//	ticket, err := jobs.Submit(ctx, job.Request{Owner: "alice", Spec: job.Spec{Kind: history.KindRun, Config: cfg}})
//
// In: a Spec, which is a complete description of the work, and the data it stands on. Out: a run in the
// history and files below the results folder. What Submit returned is on the disk, and ends as
// succeeded, failed or cancelled, whatever is killed meanwhile: the database is the truth, and a run
// whose worker died is started again from the beginning, which gives the same bytes. A run is
// succeeded only after all of its files are on the disk with the sums that the row names.
//
// The queue of runs is the database itself, not a broker beside it: what is acknowledged, its idempotency
// key and its place in the queue are one transaction, so that there is no moment in which one of two stores
// knows of a run and the other does not. Several servers on one PostgreSQL database and one results folder
// share the queue: each claims rows under a lease, takes over what a dead one had begun, and one with no
// workers of its own only takes requests. NATS carries what is too fine for rows: ranges of a sweep for
// workers of other machines (package farm).
//
// It refuses work beyond a limit (a *LimitError with the limit and the value), faulty strategies and
// missing data, before anything is stored; and a second server on the same results folder. It knows
// neither reports nor HTTP: who renders is handed in.
package job

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/history"
)

// Options of the service.
type Options struct {
	History *history.DB
	Results string // folder; files lie in csv/, tearsheets/ and runs/ below it
	// Data opens the data that work stands on. It is called for every submission and every execution, so
	// it should hand out an open store again and again.
	Data func(context.Context) (*Data, error)
	// Render makes the files of a result besides its JSON, nil for none.
	Render func(ctx context.Context, run *history.Run, result *backtest.Result, data *Data) ([]File, error)
	// Execute is how kinds besides run are executed.
	Execute map[history.Kind]Executor
	Limits  Limits
	Workers int // runs at a time; 0 is one, fewer than 0 none: others execute
	Log     *slog.Logger
	Now     func() time.Time
	// Lease is how long a worker may be silent before its run is given to another; 0 is 30 s.
	Lease time.Duration

	fail   func(point string) // tests end the process at these points
	folder *Folder            // tests hand in one that fails
}

// Data is what work stands on.
type Data struct {
	bar.Source
	// Snapshot names the state of the data: equal names promise equal bars. "" is unknown, and work on it
	// is never taken for the same.
	Snapshot string
	// Release gives the data back; nil when there is nothing to give.
	Release func()
}

func (d *Data) release() {
	if d.Release != nil {
		d.Release()
	}
}

// File is one that a run leaves behind.
type File struct {
	Name  string // below the results folder, such as csv/<id>.csv; the id must be in it
	Write func(io.Writer) error
}

// Executor does the work of a kind.
type Executor func(ctx context.Context, w *Work) (*Done, error)

// Work is what an Executor is given.
type Work struct {
	Run  *history.Run
	Spec Spec
	Data *Data // nil of a fetch
	// Tell says how far the work has come. It may be called often and from several goroutines.
	Tell func(Step)
}

// Step is how far work has come.
type Step struct {
	Done, Total int64
	Time        []int64   // new points of the equity curve, nanoseconds since 1970; copied
	Equity      []float64 //
	Rows        *Rows     // further rows of a search; not changed afterwards
	Note        string    // a line for people, kept apart from progress
}

// Done is what work brought.
type Done struct {
	Result  *backtest.Result // of a run; else nil
	Files   []File
	Metrics map[string]*float64 // of history.SummaryKeys; filled in from Result when nil
	Summary []byte              // JSON in one line, what pages of runs show of other kinds
	Trials  []*history.Batch    // of a search, as history.Follow gives them; that of Result is counted by itself
}

// Service executes work. It is safe for concurrent use.
type Service struct {
	Options
	worker string // this process among all servers of a database
	disk   *Folder
	streams
	lock  io.Closer
	wake  chan struct{}
	ended chan struct{} // the loop has ended
	stop  context.CancelFunc

	mu       sync.Mutex
	going    map[string]*going
	served   map[string]int64 // when an owner was served last, as a count
	count    int64
	draining bool
	stored   storage
	closing  sync.Once
	closed   error
}

// going is a run that this process executes.
type going struct {
	owner    string
	cancel   context.CancelCauseFunc
	finished chan struct{}
}

// Causes of a cancelled context.
var (
	errCancelled = errors.New("cancelled by its owner")
	errDraining  = errors.New("the server is going down")
	errLost      = errors.New("another worker has the run")
	errWall      = errors.New("it took longer than a run may")
)

// New starts the service: what a killed server left is put in order, then queued work begins.
func New(ctx context.Context, o Options) (*Service, error) {
	if o.History == nil || o.Now == nil || o.Results == "" || o.Data == nil {
		return nil, errors.New("start the queue: it needs a history, a results folder, data and a clock")
	}
	if o.Lease == 0 {
		o.Lease = 30 * time.Second
	}
	if o.Workers == 0 {
		o.Workers = 1
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.fail == nil {
		o.fail = func(string) {}
	}
	if o.folder == nil {
		o.folder = newFolder(o.Results)
	}
	s := &Service{Options: o, worker: o.History.NewID(), disk: o.folder, wake: make(chan struct{}, 1), ended: make(chan struct{}),
		going: map[string]*going{}, served: map[string]int64{}, stored: storage{by: map[string]storedBytes{}}}
	s.streams.init(o.Now)
	if err := s.begin(ctx); err != nil {
		return nil, fmt.Errorf("start the queue: %w", err)
	}
	return s, nil
}

func (s *Service) begin(ctx context.Context) (err error) {
	if err := s.disk.prepare(); err != nil {
		return err
	}
	// One server owns an embedded database and sweeps its folder; several share PostgreSQL.
	if !s.History.Postgres() {
		if s.lock, err = LockFolder(s.Results); err != nil {
			return err
		}
	}
	if err := s.recover(ctx); err != nil {
		return errors.Join(err, s.unlock())
	}
	loop, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	go s.loop(loop)
	s.Wake()
	return nil
}

func (s *Service) unlock() error {
	if s.lock == nil {
		return nil
	}
	return s.lock.Close()
}

// recover puts in order what a killed server left.
func (s *Service) recover(ctx context.Context) error {
	var requeued, failed []string
	err := s.History.Write(ctx, func(tx *history.Tx) (err error) {
		requeued, failed, err = tx.Rescue(!s.History.Postgres(), MostAttempts)
		if err == nil {
			err = tx.ForgetKeys(s.Now().Add(-keyLife))
		}
		return err
	})
	if err != nil {
		return err
	}
	if len(requeued)+len(failed) > 0 {
		s.Log.Warn("runs had lost their worker", "queued_again", requeued, "failed", failed)
	}
	if s.History.Postgres() {
		return nil // another server may be about to finish what looks like an orphan
	}
	swept, err := s.sweepOrphans(ctx)
	if swept > 0 {
		s.Log.Warn("removed files that no run names", "files", swept)
	}
	return err
}

// MostAttempts is how often a run is started before it is taken for one that kills its worker.
const MostAttempts = 3

// keyLife is how long a request with the same key is the same request.
const keyLife = 24 * time.Hour

// Wake makes the scheduler look at the queue now.
func (s *Service) Wake() {
	select {
	case s.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Drain stops starting runs and waits for those that go on. When ctx ends they are put back in the
// queue, to be started again by the next server.
func (s *Service) Drain(ctx context.Context) error {
	s.mu.Lock()
	s.draining = true
	var list []*going
	for _, g := range s.going {
		list = append(list, g)
	}
	s.mu.Unlock()
	for _, g := range list {
		select {
		case <-g.finished:
			continue
		case <-ctx.Done():
		}
		g.cancel(errDraining)
		<-g.finished
	}
	return nil
}

// Close drains without waiting and ends the service. Closing it again does nothing.
func (s *Service) Close() error {
	s.closing.Do(func() { s.closed = s.close() })
	return s.closed
}

func (s *Service) close() error {
	now, cancel := context.WithCancel(context.Background())
	cancel()
	err := s.Drain(now)
	s.stop()
	<-s.ended
	s.streams.shut()
	return errors.Join(err, s.unlock())
}
