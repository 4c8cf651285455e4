package server_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"backtester/server"
	"backtester/server/account"
)

// Who keeps the token of the first administrator is told once that it is void, however the first account was made.
func TestFirstUserIsTold(t *testing.T) {
	for name, seen := range map[string]func(*world){
		"the first page": func(w *world) { w.want(200, "GET", "/api/version", "") },
		"the login": func(w *world) {
			w.want(200, "POST", "/api/auth/login", `{"username":"alice","password":"`+password+`","mode":"token"}`)
		},
	} {
		w := newWorld(t, worldOptions{accounts: true})
		told := 0
		w.server.FirstUser = func() { told++ }
		if w.want(200, "GET", "/api/version", ""); told != 0 {
			t.Errorf("%s: told %d times before there is a user", name, told)
		}
		if _, err := w.accounts.Add(context.Background(), "alice", password, true); err != nil { // as user add does
			t.Fatal(err)
		}
		seen(w)
		if w.want(200, "GET", "/api/version", ""); told != 1 {
			t.Errorf("%s: told %d times, want once", name, told)
		}
	}
}

func TestAccountsOverHTTP(t *testing.T) {
	w := newWorld(t, worldOptions{accounts: true, policy: account.ByInvite})
	setup, err := w.accounts.SetupToken(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	register := func(name, password, extra string) string {
		return `{"username":"` + name + `","password":"` + password + `"` + extra + `}`
	}
	if v := w.want(200, "GET", "/api/version", ""); !strings.Contains(mustJSON(v["notice"]), "nobody has an account yet") || strings.Contains(mustJSON(v), setup) {
		t.Errorf("before the first account: %v", v)
	}
	if rec := w.ask("POST", "/api/auth/register", register("eve", password, "")); rec.Code != 403 || code(rec) != "registration-closed" {
		t.Errorf("without a token: %d %s", rec.Code, rec.Body)
	}
	if rec := w.ask("POST", "/api/auth/register", register("al", "short", `,"setup_token":"`+setup+`"`)); rec.Code != 422 || !strings.Contains(rec.Body.String(), "/password") {
		t.Errorf("a weak password: %d %s", rec.Code, rec.Body)
	}
	admin := w.want(201, "POST", "/api/auth/register", register("alice", password, `,"setup_token":"`+setup+`"`))["token"].(string)
	if v := w.want(200, "GET", "/api/version", ""); v["notice"] != nil {
		t.Errorf("after it: %v", v)
	}
	invite := w.want(201, "POST", "/api/auth/invites", "", bearer(admin)...)["invite"].(string)
	if rec := w.ask("POST", "/api/auth/register", register("Alice", password, `,"invite":"`+invite+`"`)); rec.Code != 409 {
		t.Errorf("a name that is taken: %d %s", rec.Code, rec.Body)
	}
	bob := w.want(201, "POST", "/api/auth/register", register("bob", password, `,"invite":"`+invite+`"`))["token"].(string)
	if rec := w.ask("POST", "/api/auth/invites", "", bearer(bob)...); rec.Code != 403 {
		t.Errorf("who is no administrator invites: %d", rec.Code)
	}

	who := w.want(200, "GET", "/api/auth/verify", "", bearer(bob)...)
	if who["success"] != true || who["valid"] != true || who["user"].(map[string]any)["username"] != "bob" {
		t.Errorf("verify: %v", who)
	}
	for _, bad := range []string{"", "Bearer", "Bearer x", "Basic YWxpY2U6YWxpY2U=", "Bearer " + strings.ToUpper(bob), "bearer"} {
		rec := w.ask("GET", "/api/auth/verify", "", "Authorization", bad)
		if rec.Code != 401 || rec.Header().Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("Authorization %q: %d %v", bad, rec.Code, rec.Header())
		}
	}
	for _, x := range [][2]string{{"bob", "wrong password"}, {"nobody", password}} {
		if rec := w.ask("POST", "/api/auth/login", register(x[0], x[1], "")); rec.Code != 401 || code(rec) != "wrong-credentials" {
			t.Errorf("login as %s: %d %s", x[0], rec.Code, rec.Body)
		}
	}
	if !strings.Contains(w.log.String(), "auth_fail ip=127.0.0.1 user_sha=") || strings.Contains(w.log.String(), "wrong password") {
		t.Errorf("the log of failed logins: %s", w.log)
	}
	login := w.want(200, "POST", "/api/auth/login", register("bob", password, ""))
	if login["success"] != true || login["token"] == "" || login["token"] != login["access_token"] {
		t.Errorf("login: %v", login)
	}
}

func TestInvitationsThatNobodyCouldUseAreNotMade(t *testing.T) {
	w := newWorld(t, worldOptions{accounts: true}) // after the first one nobody registers
	rec := w.ask("POST", "/api/auth/invites", "", bearer(w.user("alice", true))...)
	if rec.Code != 501 || code(rec) != "not-possible-here" || !strings.Contains(rec.Body.String(), "BACKTESTER_REGISTRATION=invite") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

func TestPersonalTokensOverHTTP(t *testing.T) {
	w := newWorld(t, worldOptions{accounts: true})
	alice, bob := w.user("alice", false), w.user("bob", false)
	if rec := w.ask("POST", "/api/auth/tokens", `{"name":"x","scopes":["root"]}`, bearer(alice)...); rec.Code != 422 || code(rec) != "validation" || !strings.Contains(rec.Body.String(), `"/scopes"`) {
		t.Errorf("an unknown scope: %d %s", rec.Code, rec.Body)
	}
	made := w.want(201, "POST", "/api/auth/tokens", `{"name":"nightly","scopes":["read"],"expires_in":86400}`, bearer(alice)...)
	token, id := made["token"].(string), made["id"].(string)
	if list := w.want(200, "GET", "/api/auth/tokens", "", bearer(alice)...); len(list["items"].([]any)) != 1 || strings.Contains(mustJSON(list), token) {
		t.Errorf("%v", list)
	}
	w.want(200, "GET", "/api/backtest/history", "", bearer(token)...)
	if rec := w.ask("POST", "/api/backtest/run", body(trend), bearer(token)...); rec.Code != 403 || code(rec) != "forbidden" {
		t.Errorf("a token that may only read runs: %d", rec.Code)
	}
	for _, path := range []string{"/api/auth/tokens", "/api/auth/logout-all", "/api/auth/password"} {
		text := `{"name":"y","scopes":["read"]}`
		switch path {
		case "/api/auth/logout-all":
			text = ""
		case "/api/auth/password":
			text = `{"old_password":"a","new_password":"b"}`
		}
		if rec := w.ask("POST", path, text, bearer(token)...); rec.Code != 403 {
			t.Errorf("a personal token on %s: %d", path, rec.Code)
		}
	}
	if rec := w.ask("DELETE", "/api/auth/tokens/"+id, "", bearer(bob)...); rec.Code != 404 {
		t.Errorf("somebody else revokes it: %d", rec.Code)
	}
	w.want(204, "DELETE", "/api/auth/tokens/"+id, "", bearer(alice)...)
	if rec := w.ask("GET", "/api/backtest/history", "", bearer(token)...); rec.Code != 401 {
		t.Errorf("a revoked token: %d", rec.Code)
	}
}

func TestPasswordAndLogout(t *testing.T) {
	w := newWorld(t, worldOptions{accounts: true})
	first, second := w.user("alice", false), ""
	second = w.want(200, "POST", "/api/auth/login", `{"username":"alice","password":"`+password+`"}`)["token"].(string)
	change := func(old, new string) string { return `{"old_password":"` + old + `","new_password":"` + new + `"}` }
	if rec := w.ask("POST", "/api/auth/password", change("wrong", "another good one"), bearer(first)...); rec.Code != 401 {
		t.Errorf("a wrong old password: %d", rec.Code)
	}
	if rec := w.ask("POST", "/api/auth/password", change(password, "short"), bearer(first)...); rec.Code != 422 {
		t.Errorf("a weak new password: %d", rec.Code)
	}
	w.want(204, "POST", "/api/auth/password", change(password, "another good one"), bearer(first)...)
	if rec := w.ask("GET", "/api/auth/verify", "", bearer(second)...); rec.Code != 401 {
		t.Errorf("another session after the change: %d", rec.Code)
	}
	w.want(204, "POST", "/api/auth/logout-all", "", bearer(first)...)
	for _, path := range []string{"/api/auth/logout", "/api/auth/logout-all"} {
		if rec := w.ask("POST", path, "", bearer(first)...); rec.Code != 401 {
			t.Errorf("%s after the logout: %d", path, rec.Code)
		}
	}
	third := w.want(200, "POST", "/api/auth/login", `{"username":"alice","password":"another good one"}`)["token"].(string)
	w.want(204, "POST", "/api/auth/logout", "", bearer(third)...)
}

// A browser's session is a cookie that scripts cannot read; it counts only as a cookie, and over HTTPS
// only with the prefix that binds it to this host.
func TestCookies(t *testing.T) {
	w := newWorld(t, worldOptions{accounts: true, server: trustLocalProxy})
	w.user("alice", false)
	https := []string{"X-Forwarded-Proto", "https", "X-Forwarded-For", "192.0.2.1"}
	rec := w.ask("POST", "/api/auth/login", `{"username":"alice","password":"`+password+`","mode":"cookie"}`, https...)
	var session, device *http.Cookie
	for _, c := range rec.Result().Cookies() {
		switch c.Name {
		case "__Host-bt_session":
			session = c
		case "bt_device":
			device = c
		}
	}
	if session == nil || device == nil || !session.Secure || !session.HttpOnly || session.SameSite != http.SameSiteStrictMode || session.Path != "/" || session.Domain != "" {
		t.Fatalf("cookies: %v", rec.Result().Cookies())
	}
	if strings.Contains(rec.Body.String(), session.Value) {
		t.Error("the body tells the cookie's value")
	}
	if rec.Header().Get("Strict-Transport-Security") == "" {
		t.Error("no HSTS over HTTPS")
	}
	w.want(200, "GET", "/api/auth/verify", "", append(https, "Cookie", "__Host-bt_session="+session.Value)...)
	for name, headers := range map[string][]string{
		"without the prefix":       append(https, "Cookie", "bt_session="+session.Value),
		"as a bearer":              append(https, bearer(session.Value)...),
		"over plain HTTP":          {"Cookie", "__Host-bt_session=" + session.Value},
		"beside a bad header":      append(https, "Cookie", "__Host-bt_session="+session.Value, "Authorization", "Bearer x"),
		"a bearer token as cookie": append(https, "Cookie", "__Host-bt_session="+w.want(200, "POST", "/api/auth/login", `{"username":"alice","password":"`+password+`"}`, https...)["token"].(string)),
	} {
		if rec := w.ask("GET", "/api/auth/verify", "", headers...); rec.Code != 401 {
			t.Errorf("%s: status %d", name, rec.Code)
		}
	}
	out := w.ask("POST", "/api/auth/logout", "", append(https, "Cookie", "__Host-bt_session="+session.Value)...)
	if c := out.Result().Cookies(); out.Code != 204 || len(c) != 1 || c[0].MaxAge >= 0 {
		t.Errorf("logout: %d %v", out.Code, c)
	}
	plain := []string{"X-Forwarded-For", "192.0.2.1"}
	if rec := w.ask("POST", "/api/auth/login", `{"username":"alice","password":"`+password+`"}`, plain...); rec.Code != 403 || code(rec) != "https-required" {
		t.Errorf("a login over plain HTTP from elsewhere: %d %s", rec.Code, rec.Body)
	}
}

// Guesses are refused with a time to wait, and the right password of a known device gets through.
func TestGuessesOverHTTP(t *testing.T) {
	w := newWorld(t, worldOptions{accounts: true, server: trustLocalProxy})
	w.user("alice", false)
	refused := 0
	for i := range 40 {
		rec := w.ask("POST", "/api/auth/login", `{"username":"alice","password":"guess"}`, "X-Forwarded-Proto", "https", "X-Forwarded-For", "1.2.3.4, 192.0.2."+string(rune('0'+i%10)))
		if rec.Code == 429 {
			refused++
			if rec.Header().Get("Retry-After") == "" {
				t.Error("429 without Retry-After")
			}
		} else if rec.Code != 401 {
			t.Fatalf("guess %d: %d %s", i, rec.Code, rec.Body)
		}
	}
	if refused < 25 {
		t.Errorf("only %d of 40 guesses were refused", refused)
	}
}

func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// Logging out ends an event stream that is open.
func TestLogoutEndsStreams(t *testing.T) {
	w := newWorld(t, worldOptions{accounts: true, workers: -1, server: func(o *server.Options) { o.Ping = 100 * time.Millisecond }})
	token := w.user("alice", false)
	id := w.want(202, "POST", "/api/backtest/run", body(trend), bearer(token)...)["run_id"].(string)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, "GET", "/api/backtest/runs/"+id+"/events", nil)
	r.Host = "localhost"
	r.Header.Set("Authorization", "Bearer "+token)
	ended := make(chan struct{})
	go func() { defer close(ended); w.handler.ServeHTTP(httptest.NewRecorder(), r) }()
	w.want(204, "POST", "/api/auth/logout", "", bearer(token)...)
	select {
	case <-ended:
	case <-ctx.Done():
		t.Error("the stream goes on after the logout")
	}
}
