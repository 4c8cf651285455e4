//go:build unix

package account_test

import (
	"context"
	"errors"
	"net/netip"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"backtester/backtest/history"
	"backtester/server/account"
)

// spent is how much processor time the process has used: what others on the machine do is not in it.
func spent(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A name that nobody has costs the server as much as a wrong password of one that somebody has, or of one that may
// not log in: of what it does nothing tells which it was. A name that has to wait is not checked at all, whether
// somebody has it or not.
func TestLoginsOfAllKindsCostTheSame(t *testing.T) {
	ctx := context.Background()
	c := &clock{at: time.Date(2024, 2, 28, 12, 0, 0, 0, time.UTC)}
	db, err := history.Open(ctx, history.Options{Path: filepath.Join(t.TempDir(), "h.db"), Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	// A tenth of what servers spend on a password, so that the rest of a login weighs ten times as much here.
	s := account.New(account.Options{DB: db, Secret: []byte("0123456789abcdef0123456789ABCDEF"), Now: c.now, Policy: account.Closed, Cost: account.Cost{Time: 1, MemoryKiB: 16 << 10, Threads: 1}})
	add(t, s, "known", false)
	add(t, s, "disabled", false)
	if err := s.SetDisabled(ctx, "disabled", true); err != nil {
		t.Fatal(err)
	}
	address := 0
	attempt := func(name string) (time.Duration, error) {
		address++
		from := netip.AddrFrom4([4]byte{10, byte(address >> 16), byte(address >> 8), byte(address)})
		before := spent(t)
		_, err := s.Login(ctx, account.Attempt{Name: name, Password: "wrong password", From: from})
		return spent(t) - before, err
	}
	kinds := []string{"known", "unknown", "disabled"}
	// Of a crowded machine the lower quartile is surer than the median: what memory and collector add comes on top.
	quartile := func(list []time.Duration) time.Duration { slices.Sort(list); return list[len(list)/4] }
	round := func() (m [3]time.Duration, apart float64) {
		var took [3][]time.Duration
		for i := range 120 {
			k := i % 3
			d, err := attempt(kinds[k])
			if !errors.Is(err, account.ErrCredentials) {
				t.Fatalf("%s: %v", kinds[k], err)
			}
			took[k] = append(took[k], d)
			c.add(2 * time.Minute) // nobody has to wait
		}
		for k := range m {
			m[k] = quartile(took[k])
		}
		return m, float64(max(m[0], m[1], m[2]))/float64(min(m[0], m[1], m[2])) - 1
	}
	m, apart := round()
	for try := 1; try < 5 && apart > 0.05; try++ { // memory that others are at makes a round uneven, the server every one
		m, apart = round()
	}
	t.Logf("lower quartiles of %v: %v, %.1f%% apart", kinds, m, 100*apart)
	if apart > 0.05 {
		t.Errorf("lower quartiles of %v: %v, %.1f%% apart, want at most 5%%", kinds, m, 100*apart)
	}
	for _, name := range []string{"known", "unknown"} {
		var took []time.Duration
		for range 60 {
			d, err := attempt(name)
			if _, waits := errors.AsType[*account.ThrottledError](err); waits {
				took = append(took, d)
			}
		}
		if len(took) < 40 || quartile(took) > m[0]/4 {
			t.Errorf("%s: %d of 60 had to wait, for which the server spent %s each, %s on a check", name, len(took), quartile(took), m[0])
		}
	}
}
