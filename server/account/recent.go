package account

import (
	"crypto/subtle"
	"sync"
	"time"
)

// recent remembers who tokens belong to for a second, so that a page that asks for twenty things at
// once reads the database once. Everything that ends a token here forgets all of it; what another
// server ends is still taken for that second.
type recent struct {
	mu   sync.Mutex
	rows map[string]seenToken
	age  uint64 // how often everything was forgotten
}

type seenToken struct {
	who Identity
	at  time.Time
}

const (
	recentLife = time.Second
	recentSize = 10_000
)

func newRecent() *recent { return &recent{rows: map[string]seenToken{}} }

func (r *recent) get(mac string, now time.Time) (Identity, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	x, ok := r.rows[mac]
	passed := now.Sub(x.at)
	return x.who, ok && passed >= 0 && passed < recentLife
}

// generation is to be asked before the database is: put drops what was read before a forget.
func (r *recent) generation() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.age
}

func (r *recent) put(mac string, who Identity, now time.Time, generation uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if generation != r.age {
		return
	}
	if len(r.rows) >= recentSize {
		clear(r.rows)
	}
	r.rows[mac] = seenToken{who, now}
}

func (r *recent) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.rows)
	r.age++
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
