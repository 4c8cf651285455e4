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

// Registration is what somebody who wants an account sends.
type Registration struct {
	Name, Password string
	Setup          string // the setup token, for the first user
	Invite         string
	Kind           Kind
	From           netip.Addr
}

// Register makes an account and logs in. ErrClosed for everybody whom the policy does not let in, a
// *WeakError for what is no name or password, ErrTaken only to those who may register.
func (s *Service) Register(ctx context.Context, r Registration) (Session, error) {
	if err := s.charge(ctx, "", r.From, false); err != nil {
		return Session{}, err
	}
	use, key, err := s.mayRegister(ctx, r)
	if err != nil {
		return Session{}, err
	}
	if err := errors.Join(checkName(r.Name), checkPassword(r.Name, r.Password)); err != nil {
		return Session{}, err
	}
	phc, err := s.hashes.hash(ctx, r.Password)
	if err != nil {
		return Session{}, err
	}
	u := User{ID: newID(), Name: r.Name, Admin: use == "setup", Created: s.Now()}
	err = s.DB.Write(ctx, func(tx *history.Tx) error {
		if use != "" { // used up in the transaction that makes the user: it makes one
			if err := useUp(tx, use, key, s.Now()); err != nil {
				return err
			}
		}
		return insertUser(tx, u, phc)
	})
	if err != nil {
		return Session{}, err
	}
	return s.begin(ctx, u, phc, r.Kind)
}

// mayRegister finds the key that lets somebody in; use is "" where none is needed.
func (s *Service) mayRegister(ctx context.Context, r Registration) (use, key string, err error) {
	none, err := s.NoUsers(ctx)
	if err != nil {
		return "", "", err
	}
	switch {
	case none && wellFormed(r.Setup, setupPrefix):
		use, key = "setup", s.mac("setup", r.Setup)
	case none || s.Policy == Closed || s.Policy == FirstUser:
		return "", "", ErrClosed
	case s.Policy == Open:
		return "", "", nil
	case wellFormed(r.Invite, invitePrefix):
		use, key = "invite", s.mac("invite", r.Invite)
	default:
		return "", "", ErrClosed
	}
	var n int
	err = s.row(ctx, `SELECT count(*) FROM account_keys WHERE mac = ? AND used_for = ? AND expires > ?`, []any{key, use, millis(s.Now())}, &n)
	if err != nil {
		return "", "", fmt.Errorf("look for a key to register with: %w", err)
	}
	if n == 0 {
		return "", "", ErrClosed
	}
	return use, key, nil
}

func useUp(tx *history.Tx, use, key string, now time.Time) error {
	n, err := tx.Exec(`DELETE FROM account_keys WHERE mac = ? AND used_for = ? AND expires > ?`, key, use, millis(now))
	if err != nil {
		return fmt.Errorf("use up a key: %w", err)
	}
	if n != 1 {
		return ErrClosed
	}
	return nil
}

// SetupToken makes the token that the first administrator registers with, good for a day; earlier
// ones are void. "" when there are users already.
func (s *Service) SetupToken(ctx context.Context) (string, error) {
	if none, err := s.NoUsers(ctx); err != nil || !none {
		return "", err
	}
	return s.newKey(ctx, "setup", setupPrefix, 24*time.Hour)
}

// Invite makes a token that one person may register with.
func (s *Service) Invite(ctx context.Context, life time.Duration) (string, error) {
	return s.newKey(ctx, "invite", invitePrefix, life)
}

func (s *Service) newKey(ctx context.Context, use, prefix string, life time.Duration) (string, error) {
	token := newToken(prefix)
	err := s.DB.Write(ctx, func(tx *history.Tx) error {
		if use == "setup" {
			if _, err := tx.Exec(`DELETE FROM account_keys WHERE used_for = 'setup'`); err != nil {
				return fmt.Errorf("void earlier setup tokens: %w", err)
			}
		}
		_, err := tx.Exec(`INSERT INTO account_keys (mac, used_for, expires) VALUES (?, ?, ?)`, s.mac(use, token), use, millis(s.Now().Add(life)))
		if err != nil {
			return fmt.Errorf("store a key: %w", err)
		}
		return nil
	})
	return token, err
}

// NoUsers reports whether nobody has an account yet.
func (s *Service) NoUsers(ctx context.Context) (bool, error) {
	var n int
	if err := s.row(ctx, `SELECT count(*) FROM account_users`, nil, &n); err != nil {
		return false, fmt.Errorf("count users: %w", err)
	}
	return n == 0, nil
}

// Add makes an account without asking the policy: for who has the machine.
func (s *Service) Add(ctx context.Context, name, password string, admin bool) (User, error) {
	if err := errors.Join(checkName(name), checkPassword(name, password)); err != nil {
		return User{}, err
	}
	phc, err := s.hashes.hash(ctx, password)
	if err != nil {
		return User{}, err
	}
	u := User{ID: newID(), Name: name, Admin: admin, Created: s.Now()}
	return u, s.DB.Write(ctx, func(tx *history.Tx) error { return insertUser(tx, u, phc) })
}

func insertUser(tx *history.Tx, u User, phc string) error {
	n, err := tx.Exec(`INSERT INTO account_users (id, name, name_key, password, admin, disabled, created) VALUES (?, ?, ?, ?, ?, 0, ?)
		ON CONFLICT (name_key) DO NOTHING`, u.ID, u.Name, nameKey(u.Name), phc, flag(u.Admin), millis(u.Created))
	if err != nil {
		return fmt.Errorf("store a user: %w", err)
	}
	if n == 0 {
		return ErrTaken
	}
	return nil
}

// Users lists all users by name.
func (s *Service) Users(ctx context.Context) ([]User, error) {
	var list []User
	err := s.DB.Read(ctx, func(tx *history.Tx) error {
		return tx.Each(func(rows *sql.Rows) error {
			u, _, err := scanUser(rows)
			list = append(list, u)
			return err
		}, `SELECT `+userColumns+` FROM account_users ORDER BY name_key`)
	})
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	return list, nil
}

const userColumns = `id, name, admin, disabled, created, password`

func scanUser(row interface{ Scan(...any) error }) (u User, phc string, err error) {
	var admin, disabled, created int64
	err = row.Scan(&u.ID, &u.Name, &admin, &disabled, &created, &phc)
	u.Admin, u.Disabled, u.Created = admin != 0, disabled != 0, moment(created)
	return u, phc, err
}

func (s *Service) userByName(ctx context.Context, name string) (u User, phc string, err error) {
	err = s.DB.Read(ctx, func(tx *history.Tx) error {
		u, phc, err = scanUser(tx.QueryRow(`SELECT `+userColumns+` FROM account_users WHERE name_key = ?`, nameKey(name)))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return u, "", ErrUnknown
	}
	if err != nil {
		return u, "", fmt.Errorf("read a user: %w", err)
	}
	return u, phc, nil
}

// NameOf is the name of the user with an id; ErrUnknown where there is none.
func (s *Service) NameOf(ctx context.Context, id string) (name string, err error) {
	err = s.row(ctx, `SELECT name FROM account_users WHERE id = ?`, []any{id}, &name)
	if errors.Is(err, sql.ErrNoRows) {
		return "", ErrUnknown
	}
	if err != nil {
		return "", fmt.Errorf("read a user: %w", err)
	}
	return name, nil
}

// ChangePassword replaces a user's own password and ends the other sessions.
func (s *Service) ChangePassword(ctx context.Context, who Identity, old, password string, from netip.Addr) error {
	if err := s.charge(ctx, who.User.Name, from, false); err != nil {
		return err
	}
	_, phc, err := s.userByName(ctx, who.User.Name)
	if err != nil {
		return err
	}
	ok, _, err := s.hashes.verify(ctx, old, phc)
	if err != nil {
		return err
	}
	if !ok {
		return ErrCredentials
	}
	if err := checkPassword(who.User.Name, password); err != nil {
		return err
	}
	if err := errors.Join(s.forgive(ctx, who.User.Name), s.storePassword(ctx, who.User.ID, password)); err != nil {
		return err
	}
	return s.endSessions(ctx, who.User.ID, who.Token)
}

// SetPassword replaces a password and ends all sessions, for who has the machine.
func (s *Service) SetPassword(ctx context.Context, name, password string) error {
	u, _, err := s.userByName(ctx, name)
	if err != nil {
		return err
	}
	if err := checkPassword(u.Name, password); err != nil {
		return err
	}
	if err := s.storePassword(ctx, u.ID, password); err != nil {
		return err
	}
	return s.endSessions(ctx, u.ID, "")
}

// SetDisabled keeps a user out, with all tokens, or lets one in again.
func (s *Service) SetDisabled(ctx context.Context, name string, disabled bool) error {
	u, _, err := s.userByName(ctx, name)
	if err != nil {
		return err
	}
	if _, err := s.exec(ctx, "change a user", `UPDATE account_users SET disabled = ? WHERE id = ?`, flag(disabled), u.ID); err != nil {
		return err
	}
	return s.endSessions(ctx, u.ID, "")
}

func (s *Service) storePassword(ctx context.Context, userID, password string) error {
	phc, err := s.hashes.hash(ctx, password)
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, "store a password", `UPDATE account_users SET password = ? WHERE id = ?`, phc, userID)
	return err
}

// rehash stores a password by today's cost in the place of old, unless another one is there by now.
func (s *Service) rehash(ctx context.Context, userID, password, old string) (phc string, err error) {
	if phc, err = s.hashes.hash(ctx, password); err != nil {
		return "", err
	}
	_, err = s.exec(ctx, "store a password", `UPDATE account_users SET password = ? WHERE id = ? AND password = ?`, phc, userID, old)
	return phc, err
}
