package account

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"backtester/backtest/history"
)

// Lives of personal tokens.
const (
	personalLife    = 90 * 24 * time.Hour
	personalLongest = 365 * 24 * time.Hour
	personalPerUser = 50
)

// PersonalToken is a token for scripts, as listed: without its value.
type PersonalToken struct {
	ID      string
	Name    string
	Scopes  []Scope
	Created time.Time
	Used    time.Time
	Expires time.Time
}

// NewPersonal makes a personal token; its value is told this once. life 0 is 90 days. A *WeakError
// says what cannot be had.
func (s *Service) NewPersonal(ctx context.Context, who Identity, name string, scopes []Scope, life time.Duration) (PersonalToken, string, error) {
	if life == 0 {
		life = personalLife
	}
	var wrong error
	switch n := len([]rune(name)); {
	case n == 0 || n > 80 || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		wrong = &WeakError{"name", "want 1 to 80 printable characters"}
	case len(scopes) == 0:
		wrong = &WeakError{"scopes", "want at least one of read, run, data, admin"}
	case life < time.Hour || life > personalLongest:
		wrong = &WeakError{"expires_in", "want an hour to 365 days"}
	}
	for i, sc := range scopes {
		if !slices.Contains(Scopes(), sc) || slices.Contains(scopes[:i], sc) {
			wrong = &WeakError{"scopes", fmt.Sprintf("%q is no scope, or stands there twice: want read, run, data, admin", string(sc))}
		} else if !who.May(sc) {
			wrong = &WeakError{"scopes", fmt.Sprintf("%q is more than you may do", string(sc))}
		}
	}
	if wrong != nil {
		return PersonalToken{}, "", wrong
	}
	have, err := s.Personal(ctx, who.User.ID)
	if err != nil {
		return PersonalToken{}, "", err
	}
	if len(have) >= personalPerUser {
		return PersonalToken{}, "", &WeakError{"name", fmt.Sprintf("you have %d tokens already: delete one", len(have))}
	}
	now, secret := s.Now(), newToken(personalPrefix)
	t := PersonalToken{ID: newID(), Name: name, Scopes: scopes, Created: now, Expires: now.Add(life)}
	_, err = s.exec(ctx, "store a personal token", `INSERT INTO account_tokens
		(id, user_id, kind, mac, previous, rotated, name, scopes, created, used, idle_until, expires) VALUES (?, ?, 'personal', ?, '', ?, ?, ?, ?, 0, 0, ?)`,
		t.ID, who.User.ID, s.mac("token", secret), millis(now), name, joinScopes(scopes), millis(now), millis(t.Expires))
	return t, secret, err
}

// Personal lists a user's personal tokens, the newest first.
func (s *Service) Personal(ctx context.Context, userID string) ([]PersonalToken, error) {
	list := []PersonalToken{}
	err := s.DB.Read(ctx, func(tx *history.Tx) error {
		return tx.Each(func(row *sql.Rows) error {
			var t PersonalToken
			var scopes string
			var created, used, expires int64
			err := row.Scan(&t.ID, &t.Name, &scopes, &created, &used, &expires)
			t.Scopes, t.Created, t.Used, t.Expires = splitScopes(scopes), moment(created), moment(used), moment(expires)
			list = append(list, t)
			return err
		}, `SELECT id, name, scopes, created, used, expires FROM account_tokens WHERE user_id = ? AND kind = 'personal' ORDER BY created DESC, id`, userID)
	})
	if err != nil {
		return nil, fmt.Errorf("list personal tokens: %w", err)
	}
	return list, nil
}

// Revoke ends one of a user's personal tokens; ErrToken when the user has no such one.
func (s *Service) Revoke(ctx context.Context, userID, id string) error {
	n, err := s.exec(ctx, "revoke a personal token", `DELETE FROM account_tokens WHERE user_id = ? AND id = ? AND kind = 'personal'`, userID, id)
	s.seen.forget()
	if err == nil && n == 0 {
		err = ErrToken
	}
	return err
}
