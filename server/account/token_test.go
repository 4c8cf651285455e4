package account_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"backtester/backtest/history"
	"backtester/server/account"
)

// forgeries are tokens that never were: changed, cut, of other kinds, and what libraries of other
// systems have been fooled with.
func forgeries(token string) []string {
	var list []string
	for i := range len(token) {
		for _, bit := range []byte{1, 2, 32, 128} {
			b := []byte(token)
			b[i] ^= bit
			list = append(list, string(b))
		}
		list = append(list, token[:i])
	}
	swap := "btp_"
	if strings.HasPrefix(token, swap) {
		swap = "bts_"
	}
	list = append(list, swap+token[4:], token+"A", token+"=", token+" ", " "+token, token+"\x00", token+"\n", strings.ToUpper(token), token+token, token[4:])
	enc := base64.RawURLEncoding.EncodeToString
	for _, header := range []string{`{"alg":"none"}`, `{"alg":"HS256","typ":"JWT"}`, `{"alg":"RS256"}`, `{"alg":"HS256","kid":"../../../../dev/null"}`} {
		for _, body := range []string{`{"sub":"alice","admin":true}`, `{"user":{"username":"alice"},"exp":9999999999}`} {
			list = append(list, enc([]byte(header))+"."+enc([]byte(body))+".", enc([]byte(header))+"."+enc([]byte(body))+"."+enc(make([]byte, 32)))
		}
	}
	return append(list, "", "null", "undefined", "' OR '1'='1", "bts_", "btp_"+strings.Repeat("A", 48), "*", "%", "../token")
}

func TestForgedTokens(t *testing.T) {
	ctx := context.Background()
	s, _ := open(t, account.Closed)
	add(t, s, "alice", true)
	session := login(t, s, "alice", account.Bearer)
	_, personal, err := s.NewPersonal(ctx, session.Identity, "script", []account.Scope{account.Read}, 0)
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, token := range []string{session.Secret, personal} {
		for _, forged := range forgeries(token) {
			if forged == token {
				continue
			}
			tried++
			if _, _, err := s.Authenticate(ctx, forged); !errors.Is(err, account.ErrToken) {
				t.Errorf("%q: %v", forged, err)
			}
		}
		if !valid(s, token) {
			t.Error("the token itself is not valid: the test tests nothing")
		}
	}
	if tried < 300 {
		t.Errorf("only %d forgeries", tried)
	}
}

// Another secret key revokes everything.
func TestAnotherKey(t *testing.T) {
	ctx := context.Background()
	c := &clock{at: time.Date(2024, 2, 28, 12, 0, 0, 0, time.UTC)}
	db, err := history.Open(ctx, history.Options{Path: filepath.Join(t.TempDir(), "h.db"), Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := service(db, c, account.Closed, "k")
	add(t, s, "alice", true)
	x := login(t, s, "alice", account.Bearer)
	if other := service(db, c, account.Closed, "j"); valid(other, x.Secret) || !valid(s, x.Secret) {
		t.Error("a token outlives its key")
	}
}

func TestLivesOfSessions(t *testing.T) {
	ctx := context.Background()
	s, c := open(t, account.Closed)
	add(t, s, "alice", false)

	idle := login(t, s, "alice", account.Bearer)
	c.add(12*time.Hour + time.Second)
	if valid(s, idle.Secret) {
		t.Error("a session that was idle for 12 hours is valid")
	}
	used := login(t, s, "alice", account.Bearer)
	for range 29*24/11 + 1 {
		c.add(11 * time.Hour)
		if !valid(s, used.Secret) {
			t.Fatal("a session in use ends")
		}
	}
	for range 4 {
		c.add(11 * time.Hour)
		valid(s, used.Secret)
	}
	if valid(s, used.Secret) {
		t.Error("a session is valid after 30 days")
	}
	c.add(-2 * time.Hour) // a clock that is set back neither ends nor revives anything
	if valid(s, used.Secret) {
		t.Error("a clock that is set back revives a session")
	}
	if _, err := s.Login(ctx, account.Attempt{Name: "alice", Password: good}); err != nil {
		t.Errorf("after the clock was set back: %v", err)
	}
}

// A cookie gets a new value every day. The one before is good for parallel tabs; used later, it is
// stolen, and the session ends for both.
func TestRotation(t *testing.T) {
	ctx := context.Background()
	s, c := open(t, account.Closed)
	add(t, s, "alice", false)
	x := login(t, s, "alice", account.Cookie)
	for range 3 {
		c.add(9 * time.Hour)
		_, renewed, err := s.Authenticate(ctx, x.Secret)
		if err != nil {
			t.Fatal(err)
		}
		if renewed == "" {
			continue
		}
		if renewed == x.Secret || !valid(s, renewed) || !valid(s, x.Secret) {
			t.Fatalf("new value valid: %v, the one before within a minute: %v", valid(s, renewed), valid(s, x.Secret))
		}
		c.add(2 * time.Minute)
		if valid(s, x.Secret) {
			t.Error("a replaced value is valid after two minutes")
		}
		if valid(s, renewed) {
			t.Error("after the reuse of a replaced value the session goes on")
		}
		return
	}
	t.Error("the value was never replaced")
}

// A stream that began before a cookie got a new value goes on, and neither it nor the session ends by
// that; it ends with the session, with its user's right to come in, and with its time.
func TestLives(t *testing.T) {
	ctx := context.Background()
	s, c := open(t, account.Closed)
	add(t, s, "alice", false)
	x := login(t, s, "alice", account.Cookie)
	renewed, stream := "", x.Identity
	for range 3 {
		c.add(9 * time.Hour)
		if err := s.Lives(ctx, stream); err != nil { // asked first, it must not use the new value up
			t.Fatalf("before the rotation: %v", err)
		}
		var err error
		if _, renewed, err = s.Authenticate(ctx, x.Secret); err != nil {
			t.Fatal(err)
		}
		if renewed != "" {
			break
		}
	}
	c.add(2 * time.Minute)
	if err := s.Lives(ctx, stream); renewed == "" || err != nil || !valid(s, renewed) {
		t.Errorf("after the rotation to %q: the stream %v, the new value %v", renewed, err, valid(s, renewed))
	}
	if err := s.SetDisabled(ctx, "alice", true); err != nil {
		t.Fatal(err)
	}
	if err := s.Lives(ctx, stream); !errors.Is(err, account.ErrToken) {
		t.Errorf("of a disabled user: %v", err)
	}
	add(t, s, "bob", false)
	y := login(t, s, "bob", account.Bearer)
	c.add(13 * time.Hour)
	if err := s.Lives(ctx, y.Identity); !errors.Is(err, account.ErrToken) {
		t.Errorf("of a session unused for 13 hours: %v", err)
	}
	if err := s.Lives(ctx, account.Identity{Token: "none"}); !errors.Is(err, account.ErrToken) {
		t.Errorf("of no session: %v", err)
	}
}

func TestLogout(t *testing.T) {
	ctx := context.Background()
	s, _ := open(t, account.Closed)
	u := add(t, s, "alice", false)
	a, b := login(t, s, "alice", account.Cookie), login(t, s, "alice", account.Bearer)
	_, personal, err := s.NewPersonal(ctx, a.Identity, "p", []account.Scope{account.Read}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !valid(s, a.Secret) {
		t.Fatal("not logged in")
	}
	if err := s.Logout(ctx, a.Identity); err != nil || valid(s, a.Secret) || !valid(s, b.Secret) {
		t.Errorf("logout: %v; the session is valid: %v, the other: %v", err, valid(s, a.Secret), valid(s, b.Secret))
	}
	if err := s.LogoutAll(ctx, u.ID); err != nil || valid(s, b.Secret) || !valid(s, personal) {
		t.Errorf("logout of all: %v; sessions valid: %v, personal token: %v", err, valid(s, b.Secret), valid(s, personal))
	}
	if err := s.SetDisabled(ctx, "alice", true); err != nil || valid(s, personal) {
		t.Errorf("a disabled user's token is valid: %v", err)
	}
}

func TestSessionsAreBounded(t *testing.T) {
	s, c := open(t, account.Closed)
	add(t, s, "alice", false)
	var all []string
	for range 25 {
		all = append(all, login(t, s, "alice", account.Bearer).Secret)
		c.add(time.Second)
	}
	for i, token := range all {
		if valid(s, token) != (i >= 5) {
			t.Errorf("session %d of 25 valid: %v", i, valid(s, token))
		}
	}
}

func TestPersonalTokens(t *testing.T) {
	ctx := context.Background()
	s, c := open(t, account.Closed)
	add(t, s, "alice", false)
	add(t, s, "bob", false)
	a, b := login(t, s, "alice", account.Bearer), login(t, s, "bob", account.Bearer)
	for _, bad := range []struct {
		name   string
		scopes []account.Scope
		life   time.Duration
	}{
		{"", []account.Scope{account.Read}, 0}, {"x\ny", []account.Scope{account.Read}, 0}, {"x", nil, 0}, {"x", []account.Scope{"root"}, 0},
		{"x", []account.Scope{account.Admin}, 0}, {"x", []account.Scope{account.Read, account.Read}, 0},
		{"x", []account.Scope{account.Read}, time.Minute}, {"x", []account.Scope{account.Read}, 366 * 24 * time.Hour},
	} {
		var weak *account.WeakError
		if _, _, err := s.NewPersonal(ctx, a.Identity, bad.name, bad.scopes, bad.life); !errors.As(err, &weak) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	p, secret, err := s.NewPersonal(ctx, a.Identity, "nightly", []account.Scope{account.Read, account.Run}, 0)
	if err != nil {
		t.Fatal(err)
	}
	who, _, err := s.Authenticate(ctx, secret)
	if err != nil || !who.May(account.Run) || who.May(account.Data) || who.May(account.Admin) || who.User.Name != "alice" {
		t.Errorf("%+v, %v", who, err)
	}
	if err := s.Revoke(ctx, b.User.ID, p.ID); !errors.Is(err, account.ErrToken) || !valid(s, secret) {
		t.Errorf("somebody else revokes it: %v", err)
	}
	list, err := s.Personal(ctx, a.User.ID)
	if err != nil || len(list) != 1 || list[0].Name != "nightly" || fmt.Sprint(list[0]) == "" || strings.Contains(fmt.Sprint(list[0]), secret) {
		t.Errorf("%+v, %v", list, err)
	}
	if err := s.Revoke(ctx, a.User.ID, p.ID); err != nil || valid(s, secret) {
		t.Errorf("revoked: %v, valid %v", err, valid(s, secret))
	}
	_, secret, err = s.NewPersonal(ctx, a.Identity, "short", []account.Scope{account.Read}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	c.add(time.Hour)
	if valid(s, secret) {
		t.Error("an expired token is valid")
	}
	if err := s.Sweep(ctx); err != nil {
		t.Error(err)
	}
	if list, err := s.Personal(ctx, a.User.ID); err != nil || len(list) != 0 {
		t.Errorf("after the sweep: %+v, %v", list, err)
	}
}
