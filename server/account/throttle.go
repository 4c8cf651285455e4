package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"backtester/backtest/history"
)

// Guesses are slowed down, never locked out: a lock would let strangers lock people out. Both counts
// live in the database, so that a restart gives nobody new guesses.
//
//	an address (of IPv6 its /64)   attemptsAMinute a minute
//	a name, known or not           freeFailures, then a wait that doubles from 1 s to 60 s
//
// A name's wait does not hold for a device that has logged in under it before.
const (
	attemptsAMinute = 10
	freeFailures    = 5
	longestWait     = time.Minute
	forgetAfter     = 24 * time.Hour
)

// charge counts an attempt before its outcome is known, so that a thousand at once are a thousand.
func (s *Service) charge(ctx context.Context, name string, from netip.Addr, known bool) error {
	s.guess.Lock()
	defer s.guess.Unlock()
	now := s.Now()
	return s.DB.Write(ctx, func(tx *history.Tx) error {
		if from.IsValid() {
			a, err := attemptsOf(tx, addressKey(from))
			if err != nil {
				return err
			}
			if passed := now.Sub(a.since); passed >= time.Minute || passed < 0 {
				a.count, a.since = 0, now
			}
			if a.count >= attemptsAMinute {
				return &ThrottledError{a.since.Add(time.Minute).Sub(now)}
			}
			a.count++
			if err := a.store(tx); err != nil {
				return err
			}
		}
		if name == "" || known {
			return nil
		}
		a, err := attemptsOf(tx, s.nameRow(name))
		if err != nil {
			return err
		}
		if passed := now.Sub(a.since); passed > forgetAfter || passed < 0 {
			a.count = 0
		}
		if wait := a.since.Add(waitAfter(a.count)).Sub(now); a.count > 0 && wait > 0 {
			return &ThrottledError{wait}
		}
		a.count++
		a.since = now
		return a.store(tx)
	})
}

// waitAfter is the pause after so many failures in a row.
func waitAfter(failures int) time.Duration {
	if failures < freeFailures {
		return 0
	}
	return min(longestWait, time.Second<<min(failures-freeFailures, 10))
}

// forgive forgets the failures of a name after the right password.
func (s *Service) forgive(ctx context.Context, name string) error {
	_, err := s.exec(ctx, "forget failed attempts", `DELETE FROM account_attempts WHERE who = ?`, s.nameRow(name))
	return err
}

// Sweep removes what has no meaning any more: old attempts, expired tokens and invitations.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.Now()
	for _, x := range []struct {
		query  string
		before time.Time
	}{
		{`DELETE FROM account_attempts WHERE since < ?`, now.Add(-forgetAfter)},
		{`DELETE FROM account_tokens WHERE expires > 0 AND expires <= ?`, now},
		{`DELETE FROM account_tokens WHERE idle_until > 0 AND idle_until <= ?`, now},
		{`DELETE FROM account_keys WHERE expires <= ?`, now},
	} {
		if _, err := s.exec(ctx, "sweep accounts", x.query, millis(x.before)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) nameRow(name string) string { return "name:" + s.mac("attempt", nameKey(name))[:32] }

func addressKey(a netip.Addr) string {
	a = a.Unmap()
	if a.Is6() {
		p, err := a.WithZone("").Prefix(64)
		if err == nil {
			return "address:" + p.String()
		}
	}
	return "address:" + a.String()
}

type attempts struct {
	who   string
	count int
	since time.Time
}

func attemptsOf(tx *history.Tx, who string) (attempts, error) {
	a, since := attempts{who: who}, int64(0)
	err := tx.QueryRow(`SELECT count, since FROM account_attempts WHERE who = ?`, who).Scan(&a.count, &since)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return a, fmt.Errorf("read attempts: %w", err)
	}
	a.since = moment(since)
	return a, nil
}

func (a attempts) store(tx *history.Tx) error {
	_, err := tx.Exec(`INSERT INTO account_attempts (who, count, since) VALUES (?, ?, ?)
		ON CONFLICT (who) DO UPDATE SET count = excluded.count, since = excluded.since`, a.who, a.count, millis(a.since))
	if err != nil {
		return fmt.Errorf("store attempts: %w", err)
	}
	return nil
}
