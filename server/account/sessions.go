package account

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"backtester/backtest/history"
)

// LiveSession is a login that has not ended, without its secret.
type LiveSession struct {
	ID      string
	Kind    Kind      // Cookie of a browser, Bearer of a program
	Created time.Time // the login
	Used    time.Time // roughly: it is not written down at every request
	Expires time.Time // at the latest
}

// Sessions lists a user's sessions that still let somebody in, the one used last first.
func (s *Service) Sessions(ctx context.Context, userID string) ([]LiveSession, error) {
	list := []LiveSession{}
	now := millis(s.Now())
	err := s.DB.Read(ctx, func(tx *history.Tx) error {
		return tx.Each(func(row *sql.Rows) error {
			var x LiveSession
			var kind string
			var created, used, expires int64
			err := row.Scan(&x.ID, &kind, &created, &used, &expires)
			x.Kind, x.Created, x.Used, x.Expires = Kind(kind), moment(created), moment(used), moment(expires)
			list = append(list, x)
			return err
		}, `SELECT id, kind, created, used, expires FROM account_tokens WHERE user_id = ? AND kind <> 'personal' AND expires > ? AND idle_until > ? ORDER BY used DESC, id`, userID, now, now)
	})
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return list, nil
}

// EndSession ends one of a user's sessions; ErrToken when the user has no such one.
func (s *Service) EndSession(ctx context.Context, userID, id string) error {
	n, err := s.exec(ctx, "end a session", `DELETE FROM account_tokens WHERE user_id = ? AND id = ? AND kind <> 'personal'`, userID, id)
	s.seen.forget()
	if err == nil && n == 0 {
		err = ErrToken
	}
	return err
}
