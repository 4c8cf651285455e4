package job

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"backtester/backtest"
	"backtester/backtest/history"
)

// Request asks for work.
type Request struct {
	Owner string
	Spec  Spec
	Label history.Label
	// Key makes a repeated request the same one: 1 to 128 visible ASCII characters, "" for none.
	Key string
	// Dedupe takes a run of the same owner that did, does or will do the same work instead of a new one.
	Dedupe bool
}

// Ticket is the answer to a Request.
type Ticket struct {
	Run      *history.Run
	Position int  // in the queue, from 1; 0 when it runs or has ended
	Replayed bool // the key was known: this is the run of the first request
	Same     bool // an earlier run does the same work
}

// ErrKeyReused says that a key was used before for another request.
var ErrKeyReused = errors.New("the idempotency key was used for another request")

// ErrKeyGone says that the run that a key made has been deleted: the request that comes again is not to bring
// it back.
var ErrKeyGone = errors.New("the run of the idempotency key has been deleted")

// ErrDraining says that the server is going down and takes nothing new.
var ErrDraining = errors.New("the server is going down")

// routeSubmit is the scope of keys.
const routeSubmit = "submit"

// Submit queues work. When it returns without an error the run is on the disk.
func (s *Service) Submit(ctx context.Context, q Request) (*Ticket, error) {
	run, sum, err := s.prepare(ctx, q)
	if err != nil {
		return nil, err
	}
	var t *Ticket
	err = s.History.Write(ctx, func(tx *history.Tx) (err error) {
		one := *run
		t, err = s.take(tx, q, &one, sum)
		return err
	})
	if err != nil {
		if history.IsFull(err) {
			err = &LimitError{codeDiskFull, "free disk", "bytes", s.Limits.FreeDisk, 0}
		}
		return nil, err
	}
	s.fail("committed")
	s.Wake()
	if t.Run.State == history.Queued {
		t.Position, err = s.Position(ctx, t.Run.ID)
	}
	return t, err
}

// prepare checks a request and makes the row that it would become; sum is that of what was asked.
func (s *Service) prepare(ctx context.Context, q Request) (*history.Run, string, error) {
	s.mu.Lock()
	draining := s.draining
	s.mu.Unlock()
	if draining {
		return nil, "", ErrDraining
	}
	if err := checkKey(q.Key); err != nil {
		return nil, "", err
	}
	if err := q.Label.Check(); err != nil {
		return nil, "", &LabelError{err}
	}
	if err := s.check(q.Spec); err != nil {
		return nil, "", err
	}
	encoded, err := q.Spec.Encode()
	if err != nil {
		return nil, "", err
	}
	snapshot := ""
	if q.Spec.Kind != history.KindFetch { // a fetch is what brings data
		data, err := s.Data(ctx)
		if err != nil {
			return nil, "", err
		}
		defer data.release()
		if err := s.measure(ctx, q.Spec.Config, data); err != nil {
			return nil, "", err
		}
		snapshot = data.Snapshot
	}
	if err := s.diskRoom(); err != nil {
		return nil, "", err
	}
	label, err := json.Marshal(q.Label)
	if err != nil {
		return nil, "", err
	}
	asked := sha256.Sum256(append(encoded, label...))
	return newRun(q, encoded, snapshot), hex.EncodeToString(asked[:]), nil
}

// LabelError is a fault of the name, notes or tags of a request.
type LabelError struct{ Err error }

func (e *LabelError) Error() string { return e.Err.Error() }
func (e *LabelError) Unwrap() error { return e.Err }

func checkKey(key string) error {
	if len(key) > 128 {
		return fmt.Errorf("the idempotency key has %d characters, at most 128", len(key))
	}
	for _, c := range []byte(key) {
		if c <= ' ' || c > '~' {
			return errors.New("the idempotency key holds other characters than visible ASCII")
		}
	}
	return nil
}

func newRun(q Request, encoded []byte, snapshot string) *history.Run {
	r := &history.Run{Owner: q.Owner, Kind: q.Spec.Kind, State: history.Queued, Spec: encoded, Snapshot: snapshot, Engine: backtest.EngineVersion,
		SpecSum: Sum(encoded, snapshot), Symbols: []string{}, Tags: []string{}, Artifacts: []history.Artifact{}}
	if cfg := q.Spec.Config; cfg != nil {
		r.Strategy = cfg.Name
		r.Symbols = append(r.Symbols, cfg.Universe.Symbols[:min(len(cfg.Universe.Symbols), mostSymbols)]...)
		r.From, r.To = cfg.Data.From.String(), cfg.Data.To.String()
	}
	l := q.Label
	if l.Name != nil {
		r.Name = *l.Name
	}
	if l.Notes != nil {
		r.Notes = *l.Notes
	}
	if l.Tags != nil {
		r.Tags = *l.Tags
	}
	if l.Starred != nil {
		r.Starred = *l.Starred
	}
	return r
}

// take decides what a request becomes, in one transaction.
func (s *Service) take(tx *history.Tx, q Request, run *history.Run, sum string) (*Ticket, error) {
	if q.Key != "" {
		k, err := tx.Key(q.Owner, routeSubmit, q.Key)
		switch {
		case err == nil && k.SHA256 != sum:
			return nil, ErrKeyReused
		case err == nil:
			r, err := tx.Run(q.Owner, k.Run)
			if errors.Is(err, history.ErrNotFound) {
				err = ErrKeyGone
			}
			return &Ticket{Run: r, Replayed: true}, err
		case !errors.Is(err, history.ErrNotFound):
			return nil, err
		}
	}
	t := &Ticket{Run: run}
	if q.Dedupe && run.Snapshot != "" {
		r, err := tx.Same(q.Owner, run.SpecSum)
		if err == nil {
			t.Run, t.Same = r, true
		} else if !errors.Is(err, history.ErrNotFound) {
			return nil, err
		}
	}
	if !t.Same {
		if err := s.room(tx, q.Owner); err != nil {
			return nil, err
		}
		if err := tx.Insert(run); err != nil {
			return nil, err
		}
	}
	if q.Key != "" {
		if err := tx.KeepKey(history.Key{Owner: q.Owner, Route: routeSubmit, Key: q.Key, SHA256: sum, Run: t.Run.ID}); err != nil {
			return nil, err
		}
	}
	s.fail("inserted")
	return t, nil
}

// Cancel ends a run: a queued one at once, a running one as soon as its worker looks up.
func (s *Service) Cancel(ctx context.Context, owner, id string) (history.State, error) {
	var state history.State
	err := s.History.Write(ctx, func(tx *history.Tx) (err error) {
		state, err = tx.Cancel(owner, id)
		return err
	})
	if err != nil {
		return state, err
	}
	s.mu.Lock()
	g := s.going[id]
	s.mu.Unlock()
	if g != nil {
		g.cancel(errCancelled)
	} else if state == history.Cancelled {
		s.finished(id, history.Cancelled)
	}
	return state, nil
}

// Wait returns a run when it has ended, or as it is when ctx ends.
func (s *Service) Wait(ctx context.Context, reader, id string) (*history.Run, error) {
	sub, err := s.Events(ctx, reader, id, 0)
	if err != nil {
		return nil, err
	}
	defer sub.Close()
	for {
		if _, err := sub.Next(ctx); err != nil {
			break // the end of the stream or of the patience
		}
	}
	return s.Run(context.WithoutCancel(ctx), reader, id)
}

// Run is a run of the history that a reader may read, see history.DB.Run.
func (s *Service) Run(ctx context.Context, reader, id string) (*history.Run, error) {
	return s.History.Run(ctx, reader, id)
}
