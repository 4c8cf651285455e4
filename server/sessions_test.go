package server_test

import "testing"

// A person sees the own sessions, which of them asks, and ends any of them; nobody sees another's.
func TestSessionsAreListedAndEnded(t *testing.T) {
	w := newWorld(t, worldOptions{accounts: true})
	first, bob := w.user("ann", false), w.user("bob", false)
	second := w.want(200, "POST", "/api/auth/login", `{"username": "ann", "password": "`+password+`"}`)["token"].(string)
	ask := func(token string) []any {
		t.Helper()
		rec := w.ask("GET", "/api/auth/sessions", "", bearer(token)...)
		var v struct{ Items []any }
		decodeInto(t, rec.Body.Bytes(), &v)
		return v.Items
	}
	list := ask(second)
	other := ""
	for _, x := range list {
		s := x.(map[string]any)
		if s["current"] == false {
			other = s["id"].(string)
		}
		if s["kind"] != "token" || s["created_at"] == "" {
			t.Errorf("%v", s)
		}
	}
	if len(list) != 2 || other == "" {
		t.Fatalf("%v", list)
	}
	if rec := w.ask("DELETE", "/api/auth/sessions/"+other, "", bearer(bob)...); rec.Code != 404 {
		t.Errorf("somebody else ends it: %d", rec.Code)
	}
	if rec := w.ask("DELETE", "/api/auth/sessions/"+other, "", bearer(second)...); rec.Code != 204 {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if rec := w.ask("GET", "/api/auth/sessions", "", bearer(first)...); rec.Code != 401 {
		t.Errorf("an ended session still answers %d", rec.Code)
	}
	if n := len(ask(second)); n != 1 {
		t.Errorf("%d sessions are left", n)
	}
}
