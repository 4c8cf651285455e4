package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"time"

	"backtester/server/account"
)

// Person is a user as the API shows one.
type Person struct {
	ID       string `json:"id"`
	Username string `json:"username"`
	Admin    bool   `json:"admin"`
}

func personOf(u account.User) Person { return Person{u.ID, u.Name, u.Admin} }

// Credentials are what one logs in with.
type Credentials struct {
	Username string `json:"username" maxLength:"256"`
	Password string `json:"password" maxLength:"1024"`
	Mode     string `json:"mode,omitempty" enum:"cookie,token" default:"token" doc:"cookie for pages: the session comes as a cookie that scripts cannot read; token for programs"`
}

type loginInput struct {
	Device string `cookie:"bt_device" doc:"of an earlier login"`
	Body   Credentials
}

type registerInput struct {
	Body struct {
		Credentials
		SetupToken string `json:"setup_token,omitempty" maxLength:"200" doc:"makes the first user, who is the administrator"`
		Invite     string `json:"invite,omitempty" maxLength:"200"`
	}
}

// Login is the answer to a login. token and access_token are the same, "" in mode cookie.
type Login struct {
	Success     bool       `json:"success"`
	User        Person     `json:"user"`
	Scopes      []string   `json:"scopes"`
	ExpiresAt   *time.Time `json:"expires_at,omitempty"`
	Token       string     `json:"token,omitempty" doc:"told this once"`
	AccessToken string     `json:"access_token,omitempty" doc:"the same as token"`
}

type loginOutput struct {
	Cookies []http.Cookie `header:"Set-Cookie"`
	Body    Login
}

// Verified says who a token belongs to.
type Verified struct {
	Valid     bool       `json:"valid"`
	Success   bool       `json:"success"`
	User      Person     `json:"user"`
	Kind      string     `json:"kind" enum:"cookie,token,personal,none" doc:"none: this server has no accounts"`
	Scopes    []string   `json:"scopes"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

type empty struct{}

type noBody struct {
	Cookies []http.Cookie `header:"Set-Cookie"`
}

func (s *Server) authOperations() {
	operation(s, route{id: "login", method: "POST", path: "/api/auth/login", tag: "accounts", summary: "Log in", status: 200, open: true, body: maxLogin,
		problems: []string{"wrong-credentials", "https-required", "rate-limited"}}, s.login)
	operation(s, route{id: "register", method: "POST", path: "/api/auth/register", tag: "accounts", summary: "Make an account, where the policy allows it", status: 201, open: true, body: maxLogin,
		problems: []string{"registration-closed", "conflict", "weak-password"}}, s.register)
	operation(s, route{id: "verify", method: "GET", path: "/api/auth/verify", tag: "accounts", summary: "Say who the token belongs to", status: 200,
		problems: []string{"unauthenticated"}},
		func(ctx context.Context, _ *empty) (*struct{ Body Verified }, error) {
			who := identity(ctx)
			return &struct{ Body Verified }{Verified{true, true, personOf(who.User), string(who.Kind), scopeNames(who.Scopes), optional(who.Expires)}}, nil
		})
	operation(s, route{id: "logout", method: "POST", path: "/api/auth/logout", tag: "accounts", summary: "End this session", status: 204,
		problems: []string{"unauthenticated"}}, s.logout)
	operation(s, route{id: "logout-all", method: "POST", path: "/api/auth/logout-all", tag: "accounts", summary: "End all sessions; personal tokens stay", status: 204, person: true,
		problems: []string{"unauthenticated"}}, s.logoutAll)
	operation(s, route{id: "change-password", method: "POST", path: "/api/auth/password", tag: "accounts", summary: "Change the password; other sessions end", status: 204, person: true, body: maxLogin,
		problems: []string{"wrong-credentials", "weak-password"}}, s.password)
	operation(s, route{id: "list-tokens", method: "GET", path: "/api/auth/tokens", tag: "accounts", summary: "List the personal tokens", status: 200, person: true}, s.listTokens)
	operation(s, route{id: "create-token", method: "POST", path: "/api/auth/tokens", tag: "accounts", summary: "Make a personal token for a script", status: 201, person: true, body: maxLogin,
		problems: []string{"validation"}}, s.createToken)
	operation(s, route{id: "delete-token", method: "DELETE", path: "/api/auth/tokens/{id}", tag: "accounts", summary: "Revoke a personal token", status: 204, person: true,
		problems: []string{"not-found"}}, s.deleteToken)
	operation(s, route{id: "invite", method: "POST", path: "/api/auth/invites", tag: "accounts", summary: "Invite somebody to register once, within seven days", status: 201, scope: account.Admin, person: true,
		problems: []string{"forbidden"}}, s.invite)
}

func (s *Server) login(ctx context.Context, in *loginInput) (*loginOutput, error) {
	if s.Accounts == nil {
		// Without accounts everybody is welcome under any name: what logs in first works as it is.
		who := local()
		return &loginOutput{Body: Login{true, personOf(who.User), scopeNames(who.Scopes), nil, "none", "none"}}, nil
	}
	if err := requireHTTPS(ctx); err != nil {
		return nil, err
	}
	session, err := s.Accounts.Login(ctx, account.Attempt{Name: in.Body.Username, Password: in.Body.Password, Kind: kindOf(in.Body.Mode),
		From: client(ctx), Device: in.Device})
	if err != nil {
		if throttled, ok := errors.AsType[*account.ThrottledError](err); errors.Is(err, account.ErrCredentials) || ok && throttled != nil {
			s.metrics.logins.WithLabelValues("refused").Inc()
			sum := sha256.Sum256([]byte(strings.ToLower(in.Body.Username)))
			s.Log.WarnContext(ctx, "auth_fail", "ip", client(ctx).String(), "user_sha", hex.EncodeToString(sum[:8]), "request_id", requestID(ctx))
		}
		return nil, err
	}
	s.metrics.logins.WithLabelValues("accepted").Inc()
	return s.loggedIn(ctx, session), nil
}

func kindOf(mode string) account.Kind {
	if mode == "cookie" {
		return account.Cookie
	}
	return account.Bearer
}

// loggedIn hands a session out: to a browser as a cookie, to a program in the body.
func (s *Server) loggedIn(ctx context.Context, x account.Session) *loginOutput {
	s.peopled()
	out := &loginOutput{Body: Login{Success: true, User: personOf(x.User), Scopes: scopeNames(x.Scopes), ExpiresAt: optional(x.Expires)}}
	if x.Kind == account.Bearer {
		out.Body.Token, out.Body.AccessToken = x.Secret, x.Secret
		return out
	}
	out.Cookies = []http.Cookie{
		*cookie(ctx, cookieName(ctx), x.Secret, x.Expires.Sub(s.Now())),
		*cookie(ctx, "bt_device", x.Device, 180*24*time.Hour),
	}
	return out
}

func cookie(ctx context.Context, name, value string, life time.Duration) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: int(life / time.Second), Secure: secure(ctx), HttpOnly: true, SameSite: http.SameSiteStrictMode}
}

func setCookie(w http.ResponseWriter, ctx context.Context, name, value string, life time.Duration, _ bool) {
	http.SetCookie(w, cookie(ctx, name, value, life))
}

func (s *Server) register(ctx context.Context, in *registerInput) (*loginOutput, error) {
	if s.Accounts == nil {
		return nil, problem("registration-closed", "this server has no accounts")
	}
	if err := requireHTTPS(ctx); err != nil {
		return nil, err
	}
	session, err := s.Accounts.Register(ctx, account.Registration{Name: in.Body.Username, Password: in.Body.Password, Setup: in.Body.SetupToken,
		Invite: in.Body.Invite, Kind: kindOf(in.Body.Mode), From: client(ctx)})
	if err != nil {
		return nil, err
	}
	return s.loggedIn(ctx, session), nil
}

func (s *Server) logout(ctx context.Context, _ *empty) (*noBody, error) {
	if s.Accounts == nil {
		return &noBody{}, nil
	}
	if err := s.Accounts.Logout(ctx, identity(ctx)); err != nil {
		return nil, err
	}
	return s.loggedOut(ctx), nil
}

func (s *Server) logoutAll(ctx context.Context, _ *empty) (*noBody, error) {
	if s.Accounts == nil {
		return &noBody{}, nil
	}
	if err := s.Accounts.LogoutAll(ctx, owner(ctx)); err != nil {
		return nil, err
	}
	return s.loggedOut(ctx), nil
}

func (s *Server) loggedOut(ctx context.Context) *noBody {
	if identity(ctx).Kind != account.Cookie {
		return &noBody{}
	}
	gone := cookie(ctx, cookieName(ctx), "", 0)
	gone.MaxAge = -1
	return &noBody{Cookies: []http.Cookie{*gone}}
}

func (s *Server) password(ctx context.Context, in *struct {
	Body struct {
		Old string `json:"old_password" maxLength:"1024"`
		New string `json:"new_password" maxLength:"1024"`
	}
}) (*noBody, error) {
	if s.Accounts == nil {
		return nil, problem("not-possible-here", "this server has no accounts")
	}
	if err := requireHTTPS(ctx); err != nil {
		return nil, err
	}
	return &noBody{}, s.Accounts.ChangePassword(ctx, identity(ctx), in.Body.Old, in.Body.New, client(ctx))
}

// TokenInfo is a personal token without its value.
type TokenInfo struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Scopes    []string   `json:"scopes"`
	CreatedAt time.Time  `json:"created_at"`
	UsedAt    *time.Time `json:"used_at,omitempty"`
	ExpiresAt time.Time  `json:"expires_at"`
}

// NewToken is a personal token with its value, which is told this once.
type NewToken struct {
	TokenInfo
	Token string `json:"token"`
}

func tokenInfo(t account.PersonalToken) TokenInfo {
	return TokenInfo{t.ID, t.Name, scopeNames(t.Scopes), t.Created, optional(t.Used), t.Expires}
}

type tokensOutput struct {
	Body struct {
		Items []TokenInfo `json:"items"`
	}
}

func (s *Server) listTokens(ctx context.Context, _ *empty) (*tokensOutput, error) {
	out := &tokensOutput{}
	out.Body.Items = []TokenInfo{}
	if s.Accounts == nil {
		return out, nil
	}
	list, err := s.Accounts.Personal(ctx, owner(ctx))
	for _, t := range list {
		out.Body.Items = append(out.Body.Items, tokenInfo(t))
	}
	return out, err
}

func (s *Server) createToken(ctx context.Context, in *struct {
	Body struct {
		Name      string   `json:"name" maxLength:"200"`
		Scopes    []string `json:"scopes" maxItems:"8" doc:"read, run, data, admin"`
		ExpiresIn int64    `json:"expires_in,omitempty" minimum:"0" maximum:"100000000" doc:"seconds; default 90 days"`
	}
}) (*struct{ Body NewToken }, error) {
	if s.Accounts == nil {
		return nil, problem("not-possible-here", "this server has no accounts")
	}
	var scopes []account.Scope
	for _, x := range in.Body.Scopes {
		scopes = append(scopes, account.Scope(x))
	}
	t, secret, err := s.Accounts.NewPersonal(ctx, identity(ctx), in.Body.Name, scopes, time.Duration(in.Body.ExpiresIn)*time.Second)
	if err != nil {
		return nil, err
	}
	return &struct{ Body NewToken }{NewToken{tokenInfo(t), secret}}, nil
}

func (s *Server) deleteToken(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
}) (*noBody, error) {
	if s.Accounts == nil {
		return nil, problem("not-found", "")
	}
	err := s.Accounts.Revoke(ctx, owner(ctx), in.ID)
	if errors.Is(err, account.ErrToken) {
		err = problem("not-found", "you have no such token")
	}
	return &noBody{}, err
}

type inviteOutput struct {
	Body struct {
		Invite    string    `json:"invite" doc:"for POST /api/auth/register"`
		ExpiresAt time.Time `json:"expires_at"`
	}
}

func (s *Server) invite(ctx context.Context, _ *empty) (*inviteOutput, error) {
	if s.Accounts == nil {
		return nil, problem("not-possible-here", "this server has no accounts")
	}
	if p := s.Accounts.Policy; p != account.ByInvite {
		return nil, problem("not-possible-here", "nobody could use an invitation: registration is "+string(p)+"; the setting BACKTESTER_REGISTRATION=invite of the server allows them")
	}
	const life = 7 * 24 * time.Hour
	token, err := s.Accounts.Invite(ctx, life)
	out := &inviteOutput{}
	out.Body.Invite, out.Body.ExpiresAt = token, s.Now().Add(life).UTC()
	return out, err
}

// optional is a time that is left out when there is none.
func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
