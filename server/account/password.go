package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// Cost of one argon2id hash.
type Cost struct {
	Time      uint32
	MemoryKiB uint32
	Threads   uint8
}

// DefaultCost takes about 160 ms of one processor and 64 MiB.
func DefaultCost() Cost { return Cost{Time: 3, MemoryKiB: 64 << 10, Threads: 1} }

// hasher bounds how many hashes are computed at a time, and how many wait: a flood of logins must
// neither take the memory nor starve everything else.
type hasher struct {
	cost  Cost
	slots chan struct{}
	queue chan struct{}
	dummy string // verified for unknown names, so that they take as long as known ones
}

const (
	hashesAtATime = 2
	hashesWaiting = 32
)

func newHasher(c Cost) *hasher {
	salt, sum := make([]byte, 16), make([]byte, 32)
	_, _ = rand.Read(salt) // never fails
	_, _ = rand.Read(sum)
	return &hasher{c, make(chan struct{}, hashesAtATime), make(chan struct{}, hashesAtATime+hashesWaiting), encodeHash(c, salt, sum)}
}

// enter waits for a slot; ErrBusy when too many wait already.
func (h *hasher) enter(ctx context.Context) (leave func(), err error) {
	select {
	case h.queue <- struct{}{}:
	default:
		return nil, ErrBusy
	}
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots; <-h.queue }, nil
	case <-ctx.Done():
		<-h.queue
		return nil, ctx.Err()
	}
}

// hash is the PHC string of a password.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	leave, err := h.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	sum := argon2.IDKey(normal(password), salt, h.cost.Time, h.cost.MemoryKiB, h.cost.Threads, 32)
	return encodeHash(h.cost, salt, sum), nil
}

// verify compares a password with a PHC string; stale says that the string was made with another
// cost and should be replaced.
func (h *hasher) verify(ctx context.Context, password, phc string) (ok, stale bool, err error) {
	leave, err := h.enter(ctx)
	if err != nil {
		return false, false, err
	}
	defer leave()
	c, salt, want, err := decodeHash(phc)
	if err != nil {
		return false, false, err
	}
	got := argon2.IDKey(normal(password), salt, c.Time, c.MemoryKiB, c.Threads, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1, c != h.cost, nil
}

// normal is the password as it is hashed: the same for every way to type it.
func normal(password string) []byte { return norm.NFC.Bytes([]byte(password)) }

func encodeHash(c Cost, salt, sum []byte) string {
	b := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.MemoryKiB, c.Time, c.Threads, b.EncodeToString(salt), b.EncodeToString(sum))
}

func decodeHash(phc string) (c Cost, salt, sum []byte, err error) {
	parts := strings.Split(phc, "$")
	version := 0
	if len(parts) != 6 || parts[1] != "argon2id" {
		return c, nil, nil, errors.New("read a password hash: it is no argon2id hash")
	}
	if _, err = fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return c, nil, nil, fmt.Errorf("read a password hash: version %q is not known", parts[2])
	}
	if _, err = fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.MemoryKiB, &c.Time, &c.Threads); err != nil || c.Time == 0 || c.Threads == 0 {
		return c, nil, nil, fmt.Errorf("read a password hash: cost %q makes no sense", parts[3])
	}
	if salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err == nil {
		sum, err = base64.RawStdEncoding.DecodeString(parts[5])
	}
	if err != nil || len(sum) < 16 {
		return c, nil, nil, errors.New("read a password hash: salt or sum is damaged")
	}
	return c, salt, sum, nil
}

// checkPassword refuses what is guessed first. There are no rules of composition: length counts.
func checkPassword(name, password string) error {
	weak := func(reason string) error { return &WeakError{"password", reason} }
	p := string(normal(password))
	switch lower := strings.ToLower(p); {
	case len(p) < 12:
		return weak(fmt.Sprintf("want at least 12 bytes, got %d", len(p)))
	case len(p) > 256:
		return weak(fmt.Sprintf("want at most 256 bytes, got %d", len(p)))
	case strings.ContainsRune(p, 0):
		return weak("it has a NUL character")
	case len(name) >= 4 && strings.Contains(lower, strings.ToLower(name)):
		return weak("it contains the user name")
	case distinct(lower) < 5:
		return weak("it has fewer than 5 different characters")
	case common(lower):
		return weak("it is made of what is guessed first: take several unrelated words")
	}
	return nil
}

func distinct(s string) int {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return len(seen)
}

// common reports whether nothing is left of a password without the words and rows of keys that every
// list of leaked passwords begins with, digits and signs aside.
func common(lower string) bool {
	swap := strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i")
	for _, form := range []string{lower, swap.Replace(lower)} {
		for _, word := range guessed() {
			form = strings.ReplaceAll(form, word, "")
		}
		rest := 0
		for _, r := range form {
			if unicode.IsLetter(r) {
				rest++
			}
		}
		if rest <= 2 {
			return true
		}
	}
	return false
}

// guessed are stems, longest first where one holds another.
func guessed() []string {
	return strings.Fields(`qwertyuiop qwertyuio qwertzuiop qwertz qwerty asdfghjkl asdfgh asdf zxcvbnm zxcvbn zxcv 1q2w3e4r qazwsx
		abcdefghijkl abcdefgh abcdef abcd password passwort passwd pass word letmein welcome admin administrator root login user guest
		secret changeme default test hello iloveyou love princess dragon monkey football baseball superman batman master shadow sunshine
		trustno whatever freedom michael jordan summer winter spring autumn backtester backtest trader trading money stock stocks market`)
}
