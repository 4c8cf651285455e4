package job

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"backtester/backtest/history"
)

// pace is how often the scheduler looks at the queue when nobody wakes it: other servers of the same
// database do not.
const pace = time.Second

// loop starts runs until ctx ends.
func (s *Service) loop(ctx context.Context) {
	defer close(s.ended)
	for ctx.Err() == nil {
		more, err := s.startOne(ctx)
		if err != nil && ctx.Err() == nil {
			s.Log.Error("cannot look at the queue", "error", err)
		}
		if more && err == nil {
			continue
		}
		t := time.NewTimer(pace)
		select {
		case <-ctx.Done():
		case <-s.wake:
		case <-t.C:
			s.rescue(ctx)
		}
		t.Stop()
	}
}

// rescue takes over runs of servers that died, where several share a database.
func (s *Service) rescue(ctx context.Context) {
	if !s.History.Postgres() {
		return
	}
	var requeued, failed []string
	err := s.History.Write(ctx, func(tx *history.Tx) (err error) {
		requeued, failed, err = tx.Rescue(false, MostAttempts)
		return err
	})
	switch {
	case err != nil && ctx.Err() == nil:
		s.Log.Error("cannot look for runs that lost their worker", "error", err)
	case len(requeued)+len(failed) > 0:
		s.Log.Warn("runs had lost their worker", "queued_again", requeued, "failed", failed)
	}
}

// startOne starts the run whose turn it is, if a worker is free.
func (s *Service) startOne(ctx context.Context) (started bool, err error) {
	s.mu.Lock()
	free := !s.draining && len(s.going) < s.Workers
	s.mu.Unlock()
	if !free {
		return false, nil
	}
	var list []history.Waiting
	if err := s.History.Read(ctx, func(tx *history.Tx) (err error) {
		list, err = tx.Waiting()
		return err
	}); err != nil {
		return false, err
	}
	for _, w := range s.fair(list, true) {
		run, err := s.claim(ctx, w)
		switch {
		case errors.Is(err, history.ErrLost), errors.Is(err, history.ErrNotFound):
			continue // another server was quicker, or its owner cancelled it
		case err != nil:
			return false, err
		}
		s.launch(ctx, run)
		return true, nil
	}
	return false, nil
}

func (s *Service) claim(ctx context.Context, w history.Waiting) (run *history.Run, err error) {
	err = s.History.Write(ctx, func(tx *history.Tx) error {
		if _, err := tx.Start(w.ID, s.worker, s.Now().Add(s.Lease)); err != nil {
			return err
		}
		run, err = tx.Run("", w.ID)
		if err == nil {
			run.Spec, err = tx.Spec(w.ID)
		}
		return err
	})
	if err == nil {
		s.fail("claimed")
	}
	return run, err
}

// fair is the order in which queued runs start: always one of the owner who has the fewest running,
// among equals of the one who was served longest ago, his oldest first. limited leaves out runs of
// owners who have as many running as they may.
func (s *Service) fair(list []history.Waiting, limited bool) []history.Waiting {
	type owner struct {
		name    string
		running int
		served  int64
		queue   []history.Waiting
	}
	byName := map[string]*owner{}
	var owners []*owner
	s.mu.Lock()
	count := s.count
	for _, w := range list {
		o := byName[w.Owner]
		if o == nil {
			o = &owner{name: w.Owner, served: s.served[w.Owner]}
			byName[w.Owner], owners = o, append(owners, o)
		}
		if w.Running {
			o.running++
		} else {
			o.queue = append(o.queue, w)
		}
	}
	s.mu.Unlock()
	var order []history.Waiting
	for {
		var next *owner
		for _, o := range owners {
			if len(o.queue) == 0 || limited && s.Limits.UserRunning > 0 && o.running >= s.Limits.UserRunning {
				continue
			}
			if next == nil || cmp.Or(cmp.Compare(o.running, next.running), cmp.Compare(o.served, next.served), cmp.Compare(o.queue[0].ID, next.queue[0].ID)) < 0 {
				next = o
			}
		}
		if next == nil {
			return order
		}
		count++
		order = append(order, next.queue[0])
		next.queue, next.running, next.served = next.queue[1:], next.running+1, count
	}
}

// Position of a queued run: 1 starts next. 0 when it does not wait.
func (s *Service) Position(ctx context.Context, id string) (int, error) {
	var list []history.Waiting
	if err := s.History.Read(ctx, func(tx *history.Tx) (err error) {
		list, err = tx.Waiting()
		return err
	}); err != nil {
		return 0, err
	}
	return 1 + slices.IndexFunc(s.fair(list, false), func(w history.Waiting) bool { return w.ID == id }), nil
}

// Activity is how many runs this process has begun, and how many of them go on.
func (s *Service) Activity() (begun int64, running int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count, len(s.going)
}

// launch executes a claimed run beside the loop.
func (s *Service) launch(ctx context.Context, run *history.Run) {
	work, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	g := &going{owner: run.Owner, cancel: cancel, finished: make(chan struct{})}
	s.mu.Lock()
	s.going[run.ID] = g
	s.count++
	s.served[run.Owner] = s.count
	s.mu.Unlock()
	go func() {
		s.execute(work, cancel, run)
		cancel(nil)
		s.mu.Lock()
		delete(s.going, run.ID)
		s.mu.Unlock()
		close(g.finished)
		s.Wake()
	}()
}
