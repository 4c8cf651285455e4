package server

import (
	"context"
	"errors"
	"time"

	"backtester/server/account"
)

// SessionInfo is a login that has not ended.
type SessionInfo struct {
	ID        string     `json:"id"`
	Kind      string     `json:"kind" enum:"cookie,token" doc:"cookie of a browser, token of a program"`
	Current   bool       `json:"current" doc:"the one that asks"`
	CreatedAt time.Time  `json:"created_at"`
	UsedAt    *time.Time `json:"used_at,omitempty" doc:"roughly"`
	ExpiresAt time.Time  `json:"expires_at" doc:"at the latest"`
}

type sessionsOutput struct {
	Body struct {
		Items []SessionInfo `json:"items"`
	}
}

func (s *Server) sessionOperations() {
	operation(s, route{id: "list-sessions", method: "GET", path: "/api/auth/sessions", tag: "accounts", summary: "List the sessions that have not ended", status: 200, person: true}, s.listSessions)
	operation(s, route{id: "end-session", method: "DELETE", path: "/api/auth/sessions/{id}", tag: "accounts", summary: "End a session", status: 204, person: true,
		problems: []string{"not-found"}}, s.endSession)
}

func (s *Server) listSessions(ctx context.Context, _ *empty) (*sessionsOutput, error) {
	out := &sessionsOutput{}
	out.Body.Items = []SessionInfo{}
	if s.Accounts == nil {
		return out, nil
	}
	list, err := s.Accounts.Sessions(ctx, owner(ctx))
	for _, x := range list {
		kind := "token"
		if x.Kind == account.Cookie {
			kind = "cookie"
		}
		out.Body.Items = append(out.Body.Items, SessionInfo{x.ID, kind, x.ID == identity(ctx).Token, x.Created, optional(x.Used), x.Expires})
	}
	return out, err
}

func (s *Server) endSession(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
}) (*noBody, error) {
	if s.Accounts == nil {
		return nil, problem("not-found", "this server has no accounts")
	}
	err := s.Accounts.EndSession(ctx, owner(ctx), in.ID)
	if errors.Is(err, account.ErrToken) {
		err = problem("not-found", "you have no such session")
	}
	return &noBody{}, err
}
