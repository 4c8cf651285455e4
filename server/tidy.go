package server

import (
	"context"
	"errors"
	"time"

	"backtester/backtest/history"
)

// Tidy removes what has had its time: expired tokens and attempts, and, with keep > 0, runs that ended
// longer ago and that nobody starred, with their files.
func (s *Server) Tidy(ctx context.Context, keep time.Duration) error {
	var errs []error
	if s.Accounts != nil {
		errs = append(errs, s.Accounts.Sweep(ctx))
	}
	if keep > 0 {
		errs = append(errs, s.expire(ctx, s.Now().Add(-keep)))
	}
	return errors.Join(errs...)
}

func (s *Server) expire(ctx context.Context, before time.Time) error {
	f := history.Filter{To: before, Sort: "created", Limit: history.MostOfPage, States: []history.State{history.Succeeded, history.Failed, history.Cancelled}}
	for {
		var p history.Page
		err := s.History.Read(ctx, func(tx *history.Tx) (err error) {
			p, err = tx.Page(f)
			return err
		})
		if err != nil {
			return err
		}
		for _, r := range p.Runs {
			if r.Starred || r.Finished.After(before) {
				continue
			}
			if err := s.Jobs.Remove(ctx, r.Owner, r.ID); err != nil && !errors.Is(err, history.ErrNotFound) {
				return err
			}
			s.Log.InfoContext(ctx, "removed an old run", "run", r.ID)
		}
		if p.Next.ID == "" {
			return nil
		}
		f.After = p.Next
	}
}
