package cmd

import (
	"context"
	"sync"
	"time"

	"backtester/backtest/job"
	"backtester/backtest/store"
)

// liveData hands out the store that the settings name, as it is now: when a fetch has committed, whoever
// asks next gets the new state, and who still reads the old one keeps it until he gives it back.
type liveData struct {
	open func(context.Context) (*store.Store, bool, error)
	now  func() time.Time

	mu      sync.Mutex
	current *lent
	looked  time.Time
}

// lent is an open store and how many read it.
type lent struct {
	store    *store.Store
	snapshot string // names what it holds
	users    int
	old      bool // closed by the last who gives it back
}

// lookEvery is how often the disk is asked for a newer state.
const lookEvery = 2 * time.Second

func (a *app) openLiveData() *liveData { return &liveData{open: a.openStore, now: a.io.Now} }

// get is the current state; it must be released.
func (l *liveData) get(ctx context.Context) (*job.Data, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := l.now(); l.current == nil || now.Sub(l.looked) >= lookEvery || now.Before(l.looked) {
		if err := l.look(ctx); err != nil && l.current == nil {
			return nil, err
		}
		l.looked = now
	}
	x := l.current
	x.users++
	return &job.Data{Source: x.store, Snapshot: x.snapshot, Release: sync.OnceFunc(func() { l.release(x) })}, nil
}

// look opens the store again and keeps it where it is newer.
func (l *liveData) look(ctx context.Context) error {
	s, _, err := l.open(ctx)
	if err != nil {
		return err
	}
	snapshot := s.Snapshot()
	if l.current != nil && snapshot == l.current.snapshot {
		return s.Close()
	}
	if old := l.current; old != nil {
		if old.old = true; old.users == 0 {
			err = old.store.Close()
		}
	}
	l.current = &lent{store: s, snapshot: snapshot}
	return err
}

func (l *liveData) release(x *lent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if x.users--; x.users == 0 && x.old {
		_ = x.store.Close() // nothing was written
	}
}

func (l *liveData) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current == nil {
		return nil
	}
	return l.current.store.Close()
}
