package server

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"backtester/server/account"
)

// owner is whose runs a request sees.
func owner(ctx context.Context) string { return identity(ctx).User.ID }

func identity(ctx context.Context) account.Identity {
	who, _ := ctx.Value(keyIdentity).(account.Identity)
	return who
}

// local is who everybody is where there are no accounts.
func local() account.Identity {
	return account.Identity{User: account.User{ID: "local", Name: "local", Admin: true}, Kind: account.None, Scopes: account.Scopes()}
}

// guard lets an operation begin only for who may do it.
func (s *Server) guard(route route) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humachi.Unwrap(ctx)
		who, err := s.who(w, r)
		switch {
		case err != nil:
		case route.scope != "" && !who.May(route.scope):
			err = problem("forbidden", "it takes the scope "+string(route.scope))
		case route.person && who.Kind == account.Personal:
			err = problem("forbidden", "a personal token may not do this: log in")
		}
		if err != nil {
			s.write(w, r, err)
			return
		}
		next(huma.WithValue(ctx, keyIdentity, who))
	}
}

// who says who sends a request. Where both a header and a cookie come, the header counts. A cookie
// whose time has come is replaced on the way.
func (s *Server) who(w http.ResponseWriter, r *http.Request) (account.Identity, error) {
	if s.Accounts == nil {
		return local(), nil
	}
	token, viaCookie := "", false
	if h := r.Header.Get("Authorization"); h != "" {
		scheme, rest, _ := strings.Cut(h, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return account.Identity{}, problem("unauthenticated", "want Authorization: Bearer TOKEN")
		}
		token = rest
	} else if c, err := r.Cookie(cookieName(r.Context())); err == nil {
		token, viaCookie = c.Value, true
	}
	if token == "" {
		return account.Identity{}, problem("unauthenticated", "the token is missing")
	}
	who, renewed, err := s.Accounts.Authenticate(r.Context(), token)
	if errors.Is(err, account.ErrToken) {
		return who, problem("unauthenticated", "the token is not valid, or has ended")
	}
	if err == nil && viaCookie != (who.Kind == account.Cookie) {
		return account.Identity{}, problem("unauthenticated", "the token is not valid here")
	}
	if renewed != "" {
		setCookie(w, r.Context(), cookieName(r.Context()), renewed, who.Expires.Sub(s.Now()), true)
	}
	return who, err
}

// cookieName is that of the session. The prefix makes browsers refuse it from anywhere but this very
// host, over HTTPS; on plain HTTP, which is for one's own machine, they would not take it.
func cookieName(ctx context.Context) string {
	if secure(ctx) {
		return "__Host-bt_session"
	}
	return "bt_session"
}

// requireHTTPS refuses passwords that others can read on their way.
func requireHTTPS(ctx context.Context) error {
	if a := client(ctx); !secure(ctx) && a.IsValid() && !a.IsLoopback() {
		return problem("https-required", "")
	}
	return nil
}

// scopeNames are scopes as words.
func scopeNames(list []account.Scope) []string {
	words := make([]string, len(list))
	for i, x := range list {
		words[i] = string(x)
	}
	slices.Sort(words)
	return words
}
