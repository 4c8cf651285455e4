package account

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"backtester/backtest/history"
)

// Lives of sessions.
const (
	sessionIdle     = 12 * time.Hour      // unused
	sessionLongest  = 30 * 24 * time.Hour // in any case
	sessionRotation = 24 * time.Hour      // a cookie gets a new value
	rotationOverlap = time.Minute         // the value before is still taken, for tabs that ask at once
	touchEvery      = 5 * time.Minute     // use is written down
	sessionsPerUser = 20                  // the oldest ends
	deviceLife      = 180 * 24 * time.Hour
)

// Attempt is a login.
type Attempt struct {
	Name, Password string
	Kind           Kind // Cookie or Bearer
	From           netip.Addr
	Device         string // what an earlier login gave as Session.Device, "" otherwise
}

// Session is what a login gives. Token is told this once.
type Session struct {
	Identity
	Secret string
	Device string // to be kept by the browser; not secret enough to log in with
}

// Login checks a password. The error is ErrCredentials for every reason that the user can mend, a
// *ThrottledError, or ErrBusy.
func (s *Service) Login(ctx context.Context, a Attempt) (Session, error) {
	if len(a.Name) > 256 || len(a.Password) > 1024 {
		return Session{}, ErrCredentials
	}
	if err := s.charge(ctx, a.Name, a.From, s.knownDevice(a.Name, a.Device)); err != nil {
		return Session{}, err
	}
	u, phc, err := s.userByName(ctx, a.Name)
	unknown := errors.Is(err, ErrUnknown)
	if err != nil && !unknown {
		return Session{}, err
	}
	if unknown {
		phc = s.hashes.dummy
	}
	ok, stale, err := s.hashes.verify(ctx, a.Password, phc)
	if err != nil {
		return Session{}, err
	}
	if !ok || unknown || u.Disabled {
		return Session{}, ErrCredentials
	}
	if err := s.forgive(ctx, a.Name); err != nil {
		return Session{}, err
	}
	if stale {
		if phc, err = s.rehash(ctx, u.ID, a.Password, phc); err != nil {
			return Session{}, err
		}
	}
	return s.begin(ctx, u, phc, a.Kind)
}

// begin makes a session for who knew the password of a hash, and ends the oldest ones beyond sessionsPerUser. To check a
// password takes long: where it was replaced meanwhile, or the user kept out, the error is ErrCredentials, because
// the sessions of the old one have been ended already.
func (s *Service) begin(ctx context.Context, u User, phc string, kind Kind) (Session, error) {
	now := s.Now()
	t := Session{Secret: newToken(sessionPrefix), Device: s.deviceFor(u.Name)}
	t.Identity = Identity{User: u, Token: newID(), Kind: kind, Scopes: scopesOf(u), Expires: now.Add(sessionLongest)}
	err := s.DB.Write(ctx, func(tx *history.Tx) error {
		// Writing the row, unlike reading it, makes whoever replaces the password wait for the session that it ends.
		same, err := tx.Exec(`UPDATE account_users SET password = password WHERE id = ? AND password = ? AND disabled = 0`, u.ID, phc)
		if err != nil {
			return fmt.Errorf("look for the user of a session: %w", err)
		}
		if same == 0 {
			return ErrCredentials
		}
		_, err = tx.Exec(`INSERT INTO account_tokens (id, user_id, kind, mac, previous, rotated, name, scopes, created, used, idle_until, expires)
			VALUES (?, ?, ?, ?, '', ?, '', ?, ?, ?, ?, ?)`, t.Token, u.ID, string(kind), s.mac("token", t.Secret), millis(now),
			joinScopes(t.Scopes), millis(now), millis(now), millis(now.Add(sessionIdle)), millis(t.Expires))
		if err != nil {
			return fmt.Errorf("store a session: %w", err)
		}
		_, err = tx.Exec(`DELETE FROM account_tokens WHERE user_id = ? AND kind <> 'personal' AND id NOT IN
			(SELECT id FROM account_tokens WHERE user_id = ? AND kind <> 'personal' ORDER BY created DESC, id DESC LIMIT ?)`, u.ID, u.ID, sessionsPerUser)
		if err != nil {
			return fmt.Errorf("end the oldest sessions: %w", err)
		}
		return nil
	})
	if err != nil {
		return Session{}, err
	}
	s.seen.forget()
	return t, nil
}

// Authenticate says who a token belongs to. renewed is the new value of a cookie whose time has come,
// "" otherwise. ErrToken when the token lets nobody in.
func (s *Service) Authenticate(ctx context.Context, token string) (who Identity, renewed string, err error) {
	if !wellFormed(token, sessionPrefix) && !wellFormed(token, personalPrefix) {
		return Identity{}, "", ErrToken
	}
	mac, now := s.mac("token", token), s.Now()
	if who, ok := s.seen.get(mac, now); ok {
		return who, "", nil
	}
	generation := s.seen.generation()
	row, err := s.tokenRow(ctx, mac)
	if err != nil {
		return Identity{}, "", err
	}
	if row.ended(now) || row.who.User.Disabled {
		return Identity{}, "", ErrToken
	}
	if row.previous == mac {
		if now.Sub(row.rotated) > rotationOverlap {
			// Somebody kept a value that its owner's browser has replaced: one of the two is a thief.
			return Identity{}, "", errors.Join(ErrToken, s.revoke(ctx, row.who.User.ID, row.who.Token))
		}
		return row.who, "", nil
	}
	if row.who.Kind == Cookie && now.Sub(row.rotated) >= sessionRotation {
		renewed, err = s.rotate(ctx, row, now)
		return row.who, renewed, err
	}
	if now.Sub(row.used) >= touchEvery {
		err = s.touch(ctx, row, now)
	}
	s.seen.put(mac, row.who, now, generation)
	return row.who, "", err
}

// Lives is ErrToken when what let somebody in before has ended meanwhile. It asks for the session, not for
// its value: a stream that goes on while another tab was given the next value is no thief, and has no
// answer left to be given one by.
func (s *Service) Lives(ctx context.Context, who Identity) error {
	var idle, expires, disabled int64
	err := s.row(ctx, `SELECT t.idle_until, t.expires, u.disabled FROM account_tokens t JOIN account_users u ON u.id = t.user_id WHERE t.id = ?`,
		[]any{who.Token}, &idle, &expires, &disabled)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read a session: %w", err)
	}
	row := tokenRow{who: Identity{Expires: moment(expires)}, idleUntil: moment(idle)}
	if err != nil || disabled != 0 || row.ended(s.Now()) {
		return ErrToken
	}
	return nil
}

// tokenRow is a stored token with its user.
type tokenRow struct {
	who           Identity
	mac, previous string
	rotated, used time.Time
	idleUntil     time.Time
}

func (r tokenRow) ended(now time.Time) bool {
	past := func(t time.Time) bool { return !t.IsZero() && !now.Before(t) }
	return past(r.who.Expires) || past(r.idleUntil)
}

func (s *Service) tokenRow(ctx context.Context, mac string) (tokenRow, error) {
	var r tokenRow
	var rotated, used, idle, expires, created int64
	var kind, scopes string
	u := &r.who.User
	var admin, disabled int64
	err := s.row(ctx, `SELECT t.id, t.kind, t.mac, t.previous, t.rotated, t.used, t.idle_until, t.expires, t.scopes,
		u.id, u.name, u.admin, u.disabled, u.created FROM account_tokens t JOIN account_users u ON u.id = t.user_id
		WHERE t.mac = ? OR t.previous = ?`, []any{mac, mac},
		&r.who.Token, &kind, &r.mac, &r.previous, &rotated, &used, &idle, &expires, &scopes, &u.ID, &u.Name, &admin, &disabled, &created)
	if errors.Is(err, sql.ErrNoRows) {
		return r, ErrToken
	}
	if err != nil {
		return r, fmt.Errorf("read a token: %w", err)
	}
	r.who.Kind, r.who.Scopes, r.who.Expires = Kind(kind), splitScopes(scopes), moment(expires)
	u.Admin, u.Disabled = admin != 0, disabled != 0
	r.rotated, r.used, r.idleUntil, u.Created = moment(rotated), moment(used), moment(idle), moment(created)
	return r, nil
}

// rotate gives a session a new value. Of several requests at once one wins; the others keep the value
// they have, which is good for rotationOverlap.
func (s *Service) rotate(ctx context.Context, r tokenRow, now time.Time) (renewed string, err error) {
	next := newToken(sessionPrefix)
	n, err := s.exec(ctx, "replace a session's value", `UPDATE account_tokens SET mac = ?, previous = ?, rotated = ?, used = ?, idle_until = ? WHERE id = ? AND mac = ?`,
		s.mac("token", next), r.mac, millis(now), millis(now), millis(now.Add(sessionIdle)), r.who.Token, r.mac)
	if err != nil || n == 0 {
		return "", err
	}
	return next, nil
}

func (s *Service) touch(ctx context.Context, r tokenRow, now time.Time) error {
	idle := int64(0)
	if r.who.Kind != Personal {
		idle = millis(now.Add(sessionIdle))
	}
	_, err := s.exec(ctx, "note the use of a token", `UPDATE account_tokens SET used = ?, idle_until = ? WHERE id = ?`, millis(now), idle, r.who.Token)
	return err
}

// Logout ends the session that a request came with.
func (s *Service) Logout(ctx context.Context, who Identity) error {
	return s.revoke(ctx, who.User.ID, who.Token)
}

// LogoutAll ends all sessions of a user; personal tokens stay.
func (s *Service) LogoutAll(ctx context.Context, userID string) error {
	return s.endSessions(ctx, userID, "")
}

func (s *Service) endSessions(ctx context.Context, userID, except string) error {
	_, err := s.exec(ctx, "end sessions", `DELETE FROM account_tokens WHERE user_id = ? AND kind <> 'personal' AND id <> ?`, userID, except)
	s.seen.forget()
	return err
}

func (s *Service) revoke(ctx context.Context, userID, id string) error {
	n, err := s.exec(ctx, "revoke a token", `DELETE FROM account_tokens WHERE user_id = ? AND id = ?`, userID, id)
	s.seen.forget()
	if err == nil && n == 0 {
		err = ErrToken
	}
	return err
}

// deviceFor is the mark of a device that has logged in as name: a time and its HMAC. It spares the
// device the waits that strangers' guesses cause, nothing else.
func (s *Service) deviceFor(name string) string {
	until := strconv.FormatInt(s.Now().Add(deviceLife).Unix(), 36)
	return until + "." + s.deviceMark(name, until)
}

func (s *Service) deviceMark(name, until string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(s.mac("device", nameKey(name)+"\x00"+until)[:40]))
}

func (s *Service) knownDevice(name, mark string) bool {
	until, sum, ok := strings.Cut(mark, ".")
	if !ok || !equal(sum, s.deviceMark(name, until)) {
		return false
	}
	end, err := strconv.ParseInt(until, 36, 64)
	return err == nil && s.Now().Unix() < end
}

func scopesOf(u User) []Scope {
	list := []Scope{Read, Run, Data}
	if u.Admin {
		list = append(list, Admin)
	}
	return list
}

func joinScopes(list []Scope) string {
	words := make([]string, len(list))
	for i, x := range list {
		words[i] = string(x)
	}
	return strings.Join(words, " ")
}

func splitScopes(text string) []Scope {
	var list []Scope
	for _, w := range strings.Fields(text) {
		list = append(list, Scope(w))
	}
	return list
}
