package account_test

import (
	"context"
	"errors"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"backtester/backtest/history"
	"backtester/server/account"
)

// clock is moved by tests.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

const good = "correct horse battery"

func open(t *testing.T, policy account.Policy) (*account.Service, *clock) {
	t.Helper()
	c := &clock{at: time.Date(2024, 2, 28, 12, 0, 0, 0, time.UTC)}
	db, err := history.Open(context.Background(), history.Options{Path: filepath.Join(t.TempDir(), "h.db"), Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return service(db, c, policy, "k"), c
}

func service(db *history.DB, c *clock, policy account.Policy, key string) *account.Service {
	return account.New(account.Options{DB: db, Secret: []byte(strings.Repeat(key, 40)), Now: c.now, Policy: policy,
		Cost: account.Cost{Time: 1, MemoryKiB: 64, Threads: 1}})
}

func login(t *testing.T, s *account.Service, name string, kind account.Kind) account.Session {
	t.Helper()
	x, err := s.Login(context.Background(), account.Attempt{Name: name, Password: good, Kind: kind})
	if err != nil {
		t.Fatalf("login of %s: %v", name, err)
	}
	return x
}

func valid(s *account.Service, token string) bool {
	_, _, err := s.Authenticate(context.Background(), token)
	return err == nil
}

func add(t *testing.T, s *account.Service, name string, admin bool) account.User {
	t.Helper()
	u, err := s.Add(context.Background(), name, good, admin)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// Of twenty who register with the setup token at once, exactly one becomes the administrator.
func TestSetupTokenMakesOneAdministrator(t *testing.T) {
	ctx := context.Background()
	s, _ := open(t, account.FirstUser)
	void, err := s.SetupToken(ctx)
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.SetupToken(ctx)
	if err != nil || token == void {
		t.Fatalf("second setup token %q, %v", token, err)
	}
	if _, err := s.Register(ctx, account.Registration{Name: "early", Password: good, Setup: void}); !errors.Is(err, account.ErrClosed) {
		t.Errorf("the token before lets in: %v", err)
	}
	if _, err := s.Register(ctx, account.Registration{Name: "nobody", Password: good}); !errors.Is(err, account.ErrClosed) {
		t.Errorf("no token lets in: %v", err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	made := 0
	for i := range 20 {
		wg.Go(func() {
			x, err := s.Register(ctx, account.Registration{Name: "user" + string(rune('a'+i)), Password: good, Setup: token, Kind: account.Bearer})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				made++
				if !x.User.Admin || !x.May(account.Admin) {
					t.Errorf("the first user %+v is no administrator", x.User)
				}
			} else if !errors.Is(err, account.ErrClosed) {
				t.Errorf("refused with %v", err)
			}
		})
	}
	wg.Wait()
	users, err := s.Users(ctx)
	if err != nil || made != 1 || len(users) != 1 {
		t.Errorf("%d registered, %d users, %v; want one", made, len(users), err)
	}
	if again, err := s.SetupToken(ctx); again != "" || err != nil {
		t.Errorf("setup token %q, %v with a user there", again, err)
	}
}

func TestPolicies(t *testing.T) {
	ctx := context.Background()
	for policy, want := range map[account.Policy]error{
		account.FirstUser: account.ErrClosed, account.Closed: account.ErrClosed, account.ByInvite: account.ErrClosed, account.Open: nil,
	} {
		s, _ := open(t, policy)
		add(t, s, "first", true)
		if _, err := s.Register(ctx, account.Registration{Name: "second", Password: good}); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", policy, err, want)
		}
	}
	s, c := open(t, account.ByInvite)
	add(t, s, "first", true)
	invite, err := s.Invite(ctx, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Register(ctx, account.Registration{Name: "First", Password: good, Invite: invite}); !errors.Is(err, account.ErrTaken) {
		t.Errorf("a name that is taken but for its case: %v", err)
	}
	x, err := s.Register(ctx, account.Registration{Name: "second", Password: good, Invite: invite})
	if err != nil || x.User.Admin {
		t.Errorf("invited: %+v, %v", x.User, err)
	}
	if _, err := s.Register(ctx, account.Registration{Name: "third", Password: good, Invite: invite}); !errors.Is(err, account.ErrClosed) {
		t.Errorf("an invitation twice: %v", err)
	}
	late, _ := s.Invite(ctx, time.Hour)
	c.add(time.Hour)
	if _, err := s.Register(ctx, account.Registration{Name: "late", Password: good, Invite: late}); !errors.Is(err, account.ErrClosed) {
		t.Errorf("an expired invitation: %v", err)
	}
}

func TestWeakNamesAndPasswords(t *testing.T) {
	s, _ := open(t, account.Open)
	for _, x := range [][2]string{
		{"alice", "short"}, {"alice", "elevenbytes"}, {"alice", strings.Repeat("a", 13)}, {"alice", "abababababab"},
		{"alice", "password1234"}, {"alice", "P@ssw0rd2024"}, {"alice", "qwertyuiop123"}, {"alice", "alice-is-great"},
		{"alice", strings.Repeat("longer ", 40)}, {"alice", "nul\x00 in the middle"},
		{"", good}, {"a", good}, {"a b", good}, {"../etc", good}, {"-x", good}, {"al\nice", good}, {strings.Repeat("a", 65), good},
	} {
		var weak *account.WeakError
		if _, err := s.Add(context.Background(), x[0], x[1], false); !errors.As(err, &weak) {
			t.Errorf("name %q, password %q: %v, want a WeakError", x[0], x[1], err)
		}
	}
	add(t, s, "alice", false)
	// The same word typed with combining characters is the same password.
	if _, err := s.Add(context.Background(), "bob", "cafe\u0301 und kuchen", false); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Login(context.Background(), account.Attempt{Name: "BOB", Password: "caf\u00e9 und kuchen"}); err != nil {
		t.Errorf("composed characters: %v", err)
	}
}

// Unknown names, wrong passwords and disabled users are told the same.
func TestNoEnumeration(t *testing.T) {
	ctx := context.Background()
	s, _ := open(t, account.Closed)
	add(t, s, "known", false)
	add(t, s, "disabled", false)
	if err := s.SetDisabled(ctx, "disabled", true); err != nil {
		t.Fatal(err)
	}
	for _, x := range [][2]string{{"unknown", good}, {"known", "wrong password"}, {"disabled", good}, {strings.Repeat("x", 300), good}} {
		if _, err := s.Login(ctx, account.Attempt{Name: x[0], Password: x[1]}); err != account.ErrCredentials {
			t.Errorf("%.20s: %v", x[0], err)
		}
	}
}

// A thousand guesses in a minute meet no more than a few checks, whether the name exists or not and
// however many addresses they come from; a device that logged in before is not kept out by them.
func TestGuessesAreSlowed(t *testing.T) {
	ctx := context.Background()
	s, c := open(t, account.Closed)
	add(t, s, "victim", false)
	device := login(t, s, "victim", account.Cookie).Device
	for _, name := range []string{"victim", "nobody"} {
		heard := 0
		for i := range 1000 {
			from := netip.AddrFrom4([4]byte{10, byte(i / 250), byte(i % 250), 1})
			_, err := s.Login(ctx, account.Attempt{Name: name, Password: "guess", From: from})
			var wait *account.ThrottledError
			switch {
			case errors.Is(err, account.ErrCredentials):
				heard++
			case !errors.As(err, &wait) || wait.After <= 0 || wait.After > time.Minute:
				t.Fatalf("guess %d: %v", i, err)
			}
			c.add(60 * time.Millisecond)
		}
		if heard < 5 || heard > 12 {
			t.Errorf("%s: %d guesses of 1,000 in a minute were checked, want 5 to 12", name, heard)
		}
	}
	for i := range 30 {
		_, _ = s.Login(ctx, account.Attempt{Name: "victim", Password: "guess", From: netip.AddrFrom4([4]byte{10, 9, byte(i), 1})})
	}
	if _, err := s.Login(ctx, account.Attempt{Name: "victim", Password: good}); err == nil {
		t.Error("another device is let in during the wait")
	}
	if _, err := s.Login(ctx, account.Attempt{Name: "victim", Password: good, Device: device}); err != nil {
		t.Errorf("a known device: %v", err)
	}
	for _, forged := range []string{device + "A", strings.Replace(device, ".", "1.", 1), "zzzzzz.", ""} {
		for range 8 {
			_, _ = s.Login(ctx, account.Attempt{Name: "victim", Password: "guess"})
		}
		if _, err := s.Login(ctx, account.Attempt{Name: "victim", Password: good, Device: forged}); err == nil {
			t.Errorf("the made-up device %q is known", forged)
		}
	}
	c.add(2 * time.Minute)
	login(t, s, "victim", account.Cookie)
}

// One address, an IPv6 network of a home included, has ten attempts a minute, whatever name it tries,
// and a restart gives it no more.
func TestOneAddress(t *testing.T) {
	ctx := context.Background()
	c := &clock{at: time.Date(2024, 2, 28, 12, 0, 0, 0, time.UTC)}
	path := filepath.Join(t.TempDir(), "h.db")
	for _, from := range []string{"192.0.2.7", "2001:db8:1:2::"} {
		heard := 0
		for i := range 100 {
			db, err := history.Open(ctx, history.Options{Path: path, Now: c.now})
			if err != nil {
				t.Fatal(err)
			}
			a := netip.MustParseAddr(from)
			if a.Is6() {
				b := a.As16()
				b[15] = byte(i)
				a = netip.AddrFrom16(b)
			}
			s := service(db, c, account.Closed, "k")
			for range 10 {
				if _, err := s.Login(ctx, account.Attempt{Name: "u" + string(rune('a'+i%26)), Password: "guess", From: a}); errors.Is(err, account.ErrCredentials) {
					heard++
				}
			}
			db.Close()
			if i == 4 {
				break
			}
		}
		if heard != 10 {
			t.Errorf("%s: %d attempts were heard, want 10", from, heard)
		}
	}
}

func TestPasswordChangeEndsOtherSessions(t *testing.T) {
	ctx := context.Background()
	s, _ := open(t, account.Closed)
	add(t, s, "alice", false)
	mine, other := login(t, s, "alice", account.Cookie), login(t, s, "alice", account.Bearer)
	if err := s.ChangePassword(ctx, mine.Identity, "wrong", "another good one", netip.Addr{}); !errors.Is(err, account.ErrCredentials) {
		t.Errorf("a wrong old password: %v", err)
	}
	var weak *account.WeakError
	if err := s.ChangePassword(ctx, mine.Identity, good, "short", netip.Addr{}); !errors.As(err, &weak) {
		t.Errorf("a weak new password: %v", err)
	}
	if err := s.ChangePassword(ctx, mine.Identity, good, "another good one", netip.Addr{}); err != nil {
		t.Fatal(err)
	}
	if !valid(s, mine.Secret) || valid(s, other.Secret) {
		t.Errorf("own session valid: %v, other: %v; want true, false", valid(s, mine.Secret), valid(s, other.Secret))
	}
	if err := s.SetPassword(ctx, "alice", good); err != nil || valid(s, mine.Secret) {
		t.Errorf("a password set by the machine's owner leaves sessions: %v", err)
	}
	if err := s.SetPassword(ctx, "bob", good); !errors.Is(err, account.ErrUnknown) {
		t.Errorf("password of nobody: %v", err)
	}
}

// A password that is replaced between the check of the old one and the session it would give lets nobody in.
func TestPasswordReplacedDuringALogin(t *testing.T) {
	ctx := context.Background()
	first, c := open(t, account.Closed)
	add(t, first, "alice", false)
	calls, last, during := 0, 0, func() error { return nil }
	s := account.New(account.Options{DB: first.DB, Secret: []byte(strings.Repeat("k", 40)), Policy: account.Closed,
		Cost: account.Cost{Time: 1, MemoryKiB: 64, Threads: 1}, Now: func() time.Time {
			if calls++; calls == last {
				if err := during(); err != nil {
					t.Error(err)
				}
			}
			return c.now()
		}})
	login(t, s, "alice", account.Cookie)
	calls, last = 0, calls // the clock is asked last just before the session is stored
	during = func() error { return first.SetPassword(ctx, "alice", "another good one") }
	got, err := s.Login(ctx, account.Attempt{Name: "alice", Password: good, Kind: account.Cookie})
	if calls < last || !errors.Is(err, account.ErrCredentials) || got.Secret != "" || valid(first, got.Secret) {
		t.Errorf("%d of %d readings of the clock, error %v, session %q; want ErrCredentials and none", calls, last, err, got.Secret)
	}
	if _, err := s.Login(ctx, account.Attempt{Name: "alice", Password: "another good one", Kind: account.Cookie}); err != nil {
		t.Errorf("the new password: %v", err)
	}
}
