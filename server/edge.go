package server

import (
	"context"
	"crypto/rand"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-chi/cors"
)

// The edge is what every request passes before an operation sees it. In this order: the id of the
// request, its line in the log, a panic becomes a problem, who is asking, headers, the name that was
// asked for, origins, and how often.

type contextKey int

const (
	keyRequestID contextKey = iota
	keyClient
	keyIdentity
	keySecure
)

func requestID(ctx context.Context) string {
	id, _ := ctx.Value(keyRequestID).(string)
	return id
}

// client is the address that a request comes from, behind the proxies that are trusted.
func client(ctx context.Context) netip.Addr {
	a, _ := ctx.Value(keyClient).(netip.Addr)
	return a
}

// secure reports whether the client speaks HTTPS, with this server or with the proxy before it.
func secure(ctx context.Context) bool {
	s, _ := ctx.Value(keySecure).(bool)
	return s
}

// identify gives the request its id and the address of its client. What a proxy says is taken from
// trusted proxies only: anybody can send such headers.
func (s *Server) identify(next http.Handler) http.Handler {
	wanted := regexp.MustCompile(`^[A-Za-z0-9-]{8,64}$`)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer := peerOf(r)
		from, id, https := peer, "", r.TLS != nil
		if s.trusted(peer) {
			from = s.forwarded(r, peer)
			if x := r.Header.Get("X-Request-ID"); wanted.MatchString(x) {
				id = x
			}
			https = https || r.Header.Get("X-Forwarded-Proto") == "https"
		}
		if id == "" {
			id = rand.Text()
		}
		ctx := context.WithValue(r.Context(), keyRequestID, id)
		ctx = context.WithValue(ctx, keyClient, from)
		ctx = context.WithValue(ctx, keySecure, https)
		w.Header().Set("X-Request-ID", id)
		if s.draining.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func peerOf(r *http.Request) netip.Addr {
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{} // a unix socket
	}
	return a.Addr().Unmap()
}

func (s *Server) trusted(a netip.Addr) bool {
	return slices.ContainsFunc(s.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// forwarded walks the list of X-Forwarded-For from its end, past trusted proxies: the first other
// address is the client. What stands before it, the client may have made up.
func (s *Server) forwarded(r *http.Request, peer netip.Addr) netip.Addr {
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	from := peer
	for _, hop := range slices.Backward(hops) {
		a, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			return from
		}
		if from = a.Unmap(); !s.trusted(from) {
			return from
		}
	}
	return from
}

// recoverer answers a panic, which is a fault of this program, with a problem. A panic after the
// answer began cuts the connection, so that nobody takes half an answer for a whole one.
func (s *Server) recoverer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler {
				panic(p)
			}
			s.metrics.panics.Inc()
			s.Log.ErrorContext(r.Context(), "handler panicked", "request_id", requestID(r.Context()), "path", r.URL.Path, "panic", p, "stack", stack())
			if rec, ok := w.(*recorder); ok && rec.status != 0 {
				panic(http.ErrAbortHandler)
			}
			s.write(w, r, problem("internal", ""))
		}()
		next.ServeHTTP(w, r)
	})
}

// headers that keep browsers from doing more than is needed. Tearsheets and pages replace the policy.
func (s *Server) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Backtester-Version", s.Version)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-site")
		h.Set("Permissions-Policy", "accelerometer=(), camera=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cache-Control", "no-store")
		if secure(r.Context()) {
			h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
		}
		next.ServeHTTP(w, r)
	})
}

// hosts refuses names that are not this server's. Without it a web page could point a name of its own
// at this address and read the answers (DNS rebinding).
func (s *Server) hosts(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !s.ownHost(r.Host):
			s.write(w, r, problem("misdirected", "the Host is not one of this server; backtester serve --hosts sets them"))
		case len(r.RequestURI) > maxURL:
			s.write(w, r, problem("uri-too-long", "the address has "+plural(len(r.RequestURI), "byte")+", at most 4096"))
		case !utf8.ValidString(r.URL.Path) || strings.ContainsRune(r.URL.Path, 0): // no name can be that, and databases refuse to compare it
			s.write(w, r, problem("not-found", "the address holds something that is no text: broken UTF-8 or the character U+0000"))
		case !storable(r.URL.RawQuery):
			s.write(w, r, problem("bad-request", "the query holds something that is no text: broken UTF-8, a broken escape or the character U+0000"))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

const maxURL = 4096

// storable reports whether a query is made of texts that databases can be asked for.
func storable(query string) bool {
	text, err := url.QueryUnescape(query)
	return err == nil && utf8.ValidString(text) && !strings.ContainsRune(text, 0)
}

func (s *Server) ownHost(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return Loopback(host) || slices.Contains(s.Hosts, host)
}

// Loopback reports whether a host, a name or an address with or without brackets, is this machine.
func Loopback(host string) bool {
	if n := len(host); n > 2 && host[0] == '[' && host[n-1] == ']' {
		host = host[1 : n-1]
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// origins answers preflights and lets pages of listed origins read answers.
func (s *Server) origins() func(http.Handler) http.Handler {
	return cors.Handler(cors.Options{
		AllowOriginFunc:  func(_ *http.Request, origin string) bool { return s.ownOrigin(origin) },
		AllowedMethods:   []string{"GET", "POST", "PATCH", "PUT", "DELETE"},
		AllowedHeaders:   []string{"Content-Type", "Authorization", "Idempotency-Key", "If-Match", "If-None-Match", "Last-Event-ID", "Prefer"},
		ExposedHeaders:   []string{"Location", "Retry-After", "X-Request-ID", "ETag", "Link", "RateLimit", "RateLimit-Policy", "Idempotency-Replayed", "Content-Disposition", "Backtester-Version"},
		AllowCredentials: true,
		MaxAge:           600,
	})
}

// ownOrigin reports whether pages of an origin may call this server: those listed, and on a machine
// without accounts those that the machine itself serves, and files that it opens, whose origin is null.
func (s *Server) ownOrigin(origin string) bool {
	if slices.Contains(s.Origins, origin) {
		return true
	}
	if !s.LocalOrigins {
		return false
	}
	if origin == "null" {
		return true
	}
	rest, ok := strings.CutPrefix(origin, "http://")
	if !ok || strings.ContainsAny(rest, "/?#@") {
		return false
	}
	if h, _, err := net.SplitHostPort(rest); err == nil {
		rest = h
	}
	return Loopback(rest)
}

// crossOrigin refuses requests that change something and come from pages of origins that are not
// listed, whatever cookies they carry.
func (s *Server) crossOrigin(next http.Handler) http.Handler {
	guard := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := guard.Check(r); err != nil && !s.ownOrigin(r.Header.Get("Origin")) {
			s.write(w, r, problem("cross-origin", "its origin is not one of cors_origins"))
			return
		}
		next.ServeHTTP(w, r)
	})
}
