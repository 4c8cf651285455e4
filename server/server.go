// Package server answers HTTP over the engine: the second door beside the command line. Both fill the
// same backtest.Config, and a result has the same bytes through either.
//
// In: Options with the queue of runs, the history behind it, the data, and who may come in. Out: an
// http.Handler with every operation of the table in routes.go, described by its own OpenAPI document,
// and a loop that serves it so that a restart loses no request (see Serve).
//
// It refuses, with problem documents (RFC 9457) that name the limit or the place, strategies with
// faults (all at once), bodies that are too large or that readers of JSON disagree about, requests
// without a valid token, requests that a page of a foreign origin makes a browser send, names that are
// not its own, and more than its share from one client. It never opens a file that a client names
// unless the history says that the client's run has made it.
package server

import (
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"backtester/backtest/history"
	"backtester/backtest/job"
	"backtester/backtest/stats"
	"backtester/server/account"
)

// Options of a server.
type Options struct {
	Jobs     *job.Service
	History  *history.DB
	Accounts *account.Service // nil: no accounts, everybody is the one local user
	Data     func() (*job.Data, error)
	Frontend fs.FS     // its root has index.html; nil serves the API alone
	Access   io.Writer // lines of the access log; nil writes none
	Log      *slog.Logger
	Now      func() time.Time
	Version  string
	Secret   []byte // signs cursors; at least 32 bytes

	Hosts          []string       // names besides those of this machine
	Origins        []string       // pages that may call the API, scheme://host[:port]
	LocalOrigins   bool           // pages that this machine serves may, on any port
	TrustedProxies []netip.Prefix // whose X-Forwarded-For counts
	PerSecond      float64        // requests of one client; 0 is 20
	Burst          int            // 0 is 100
	LogHealth      bool           // write lines for /api/health too
	Limits         stats.Limits   // thresholds of warnings that are not the defaults
	CanFetch       bool           // there are credentials for the vendor's data
	FirstUser      func()         // told once, when somebody is seen to have an account; nil: nobody
	Ping           time.Duration  // between signs of life in event streams; 0 is 15 s
}

// Server is a handler and its state. It is safe for concurrent use.
type Server struct {
	Options
	handler     http.Handler
	mux         *chi.Mux
	api         huma.API
	document    []byte // of the API
	documentTag string
	limiter     *limiter
	metrics     *metrics
	results     *resultCache
	heads       *resultCache
	previews    chan struct{} // one for each that may be computed at a time
	streams     *counts       // event streams that are open
	drain       chan struct{} // closed when the server goes down
	draining    atomic.Bool
	settled     atomic.Bool // somebody has an account
	busy        connections
	began       time.Time
}

// New makes a server.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if len(o.Secret) < 32 {
		panic("BUG: the secret key of the server has fewer than 32 bytes")
	}
	if o.PerSecond == 0 {
		o.PerSecond = 20
	}
	if o.Ping == 0 {
		o.Ping = streamPing
	}
	if o.Burst == 0 {
		o.Burst = 100
	}
	s := &Server{Options: o, metrics: newMetrics(), results: newResultCache(mostCached), heads: newResultCache(mostHeads), streams: newCounts(), drain: make(chan struct{}),
		previews: make(chan struct{}, runtime.GOMAXPROCS(0)), began: o.Now()}
	s.limiter = newLimiter(o.PerSecond, o.Burst, o.Now)
	s.metrics.watch(s)
	s.build()
	return s
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// unrouted answers what no route takes: 405 with the methods that the address has, 404 where it has none. The
// address of every page is one of the web application, but none below /api is.
func (s *Server) unrouted(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, m := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		if route := s.mux.Find(chi.NewRouteContext(), m, r.URL.Path); route == "" || route == anyPage && ofAPI(r.URL.Path) {
			continue
		}
		if allowed = append(allowed, m); m == "GET" {
			allowed = append(allowed, "HEAD")
		}
	}
	if len(allowed) == 0 || slices.Contains(allowed, r.Method) {
		s.write(w, r, problem("not-found", "there is nothing at this address"))
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	s.write(w, r, problem("method", strconv.Quote(clip(r.Method, 20))+" is not possible here, only "+strings.Join(allowed, ", ")))
}

// ofAPI reports whether an address is the API's, and never a page's.
func ofAPI(path string) bool { return path == "/api" || strings.HasPrefix(path, "/api/") }

func (s *Server) build() {
	useProblems()
	mux := chi.NewRouter()
	mux.Use(s.identify, s.observe, s.recoverer, s.headers, s.hosts, s.origins(), s.crossOrigin, s.limits, middleware.GetHead)
	mux.NotFound(s.unrouted)
	mux.MethodNotAllowed(s.unrouted)
	s.mux = mux
	s.api = humachi.New(mux, s.apiConfig())
	s.operations()
	s.finishDocument()
	mux.Get("/api/openapi.json", s.openAPI)
	if s.Frontend != nil {
		s.pages(mux)
	}
	s.handler = mux
}
