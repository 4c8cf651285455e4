// Package account knows who may use the server: users with passwords, the sessions of browsers,
// personal tokens of scripts, and what slows down those who guess.
//
// In: a database that has the tables of the accounts, a secret key and a clock. Out: an Identity for
// every valid token. Nothing that is stored lets anybody in: passwords are argon2id hashes, tokens
// are HMACs under the secret key, so that another key revokes every token at once. It refuses weak
// passwords, names that are taken, tokens that were changed, expired, replaced or revoked, and more
// guesses than a person makes; what it says never tells whether a name exists.
package account

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"backtester/backtest/history"
)

// Policy says who may register.
type Policy string

const (
	FirstUser Policy = "first-user" // the first one, with the setup token; then nobody
	ByInvite  Policy = "invite"     // who has an invitation of an administrator
	Open      Policy = "open"       // everybody
	Closed    Policy = "closed"     // nobody
)

// Options of a Service.
type Options struct {
	DB     *history.DB
	Secret []byte // at least 32 bytes
	Now    func() time.Time
	Policy Policy
	Cost   Cost // of a password hash; the zero Cost is DefaultCost
}

// Service is safe for concurrent use.
type Service struct {
	Options
	hashes *hasher
	seen   *recent
	guess  sync.Mutex // one decision about a guess at a time
}

// What can go wrong and what the caller can do about it.
var (
	ErrCredentials = errors.New("name or password is wrong")
	ErrToken       = errors.New("the token is not valid")
	ErrClosed      = errors.New("registration is closed")
	ErrTaken       = errors.New("the name is taken")
	ErrUnknown     = errors.New("there is no such user")
	ErrBusy        = errors.New("too many passwords are being checked")
)

// ThrottledError says that too many guesses were made, and when the next one is heard.
type ThrottledError struct{ After time.Duration }

func (e *ThrottledError) Error() string {
	return fmt.Sprintf("too many attempts: wait %s", e.After.Round(time.Second))
}

// WeakError says why a name or a password is not taken.
type WeakError struct{ Field, Reason string }

func (e *WeakError) Error() string { return e.Field + ": " + e.Reason }

// User is somebody with an account.
type User struct {
	ID       string
	Name     string
	Admin    bool
	Disabled bool
	Created  time.Time
}

// Scope is what a token may do.
type Scope string

const (
	Read  Scope = "read"  // see runs, strategies and data
	Run   Scope = "run"   // start, change and cancel runs, save strategies
	Data  Scope = "data"  // fetch data
	Admin Scope = "admin" // invite and see details of the server; for administrators only
)

// Scopes lists all scopes.
func Scopes() []Scope { return []Scope{Read, Run, Data, Admin} }

// Identity is who a request comes from.
type Identity struct {
	User    User
	Token   string // id of the token, "" without accounts
	Kind    Kind
	Scopes  []Scope
	Expires time.Time // zero: never
}

// May reports whether the identity has a scope. Admin needs an administrator besides.
func (i Identity) May(s Scope) bool {
	for _, x := range i.Scopes {
		if x == s {
			return s != Admin || i.User.Admin
		}
	}
	return false
}

// New makes a service. The secret must have at least 32 bytes: BUG otherwise, settings are checked
// where they are read.
func New(o Options) *Service {
	if len(o.Secret) < 32 {
		panic("BUG: the secret key of accounts has fewer than 32 bytes")
	}
	if o.Policy == "" {
		o.Policy = FirstUser
	}
	if o.Cost == (Cost{}) {
		o.Cost = DefaultCost()
	}
	return &Service{Options: o, hashes: newHasher(o.Cost), seen: newRecent()}
}

// mac is what is stored of a token; use says what for, so that a token of one kind is none of another.
func (s *Service) mac(use, token string) string {
	h := hmac.New(sha256.New, s.Secret)
	h.Write([]byte(use + "\x00" + token))
	return hex.EncodeToString(h.Sum(nil))
}

// Derive is a key of its own for another use of the secret, such as the signatures of cursors.
func Derive(secret []byte, use string) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte("derive\x00" + use))
	return h.Sum(nil)
}

// newID is a random name of a row: 26 letters and digits.
func newID() string { return rand.Text() }

// exec runs one statement in a transaction of its own and returns how many rows it changed; what says
// what it is for.
func (s *Service) exec(ctx context.Context, what, query string, args ...any) (changed int64, err error) {
	err = s.DB.Write(ctx, func(tx *history.Tx) error {
		changed, err = tx.Exec(query, args...)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("%s: %w", what, err)
	}
	return changed, nil
}

// row reads one row; sql.ErrNoRows where there is none.
func (s *Service) row(ctx context.Context, query string, args []any, to ...any) error {
	return s.DB.Read(ctx, func(tx *history.Tx) error { return tx.QueryRow(query, args...).Scan(to...) })
}

// checkName refuses what is no name; names differ in more than the case of letters.
func checkName(name string) error {
	if !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@+-]{1,63}$`).MatchString(name) {
		return &WeakError{"username", "want 2 to 64 letters, digits and . _ @ + -, beginning with a letter or digit"}
	}
	return nil
}

func nameKey(name string) string { return strings.ToLower(name) }

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
