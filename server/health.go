package server

import (
	"context"
	"net/http"
	"time"

	"backtester/backtest"
	"backtester/backtest/history"
	"backtester/server/account"
)

func (s *Server) healthOperations() {
	operation(s, route{id: "health", method: "GET", path: "/api/health", tag: "health", summary: "Say whether the server is well", status: 200, open: true, also: []int{503}}, s.health)
	operation(s, route{id: "live", method: "GET", path: "/api/health/live", tag: "health", summary: "Say that the process answers", status: 204, open: true},
		func(context.Context, *empty) (*noBody, error) { return &noBody{}, nil })
	operation(s, route{id: "ready", method: "GET", path: "/api/health/ready", tag: "health", summary: "Say whether new work is taken", status: 204, open: true, problems: []string{"draining"}},
		func(ctx context.Context, _ *empty) (*noBody, error) {
			if s.draining.Load() {
				return nil, retry(problem("draining", ""), 2*time.Second)
			}
			return &noBody{}, s.Alive(ctx)
		})
	operation(s, route{id: "health-details", method: "GET", path: "/api/health/details", tag: "health", summary: "Say how full the queue is and how old the data", status: 200, scope: account.Admin,
		problems: []string{"forbidden"}}, s.details)
	operation(s, route{id: "version", method: "GET", path: "/api/version", tag: "health", summary: "Say which version this is", status: 200, open: true},
		func(ctx context.Context, _ *empty) (*struct{ Body Version }, error) {
			notice, err := s.notice(ctx)
			return &struct{ Body Version }{Version{s.Version, backtest.EngineVersion, s.Accounts != nil, s.kinds(), notice}}, err
		})
}

// Health is how the server is.
type Health struct {
	Status    string    `json:"status" enum:"ok,degraded,draining,failing"`
	Timestamp time.Time `json:"timestamp"`
	Version   string    `json:"version"`
	Engine    string    `json:"engine_version"`
	Synthetic bool      `json:"synthetic" doc:"the prices are made up"`
}

// Version says which program answers, and what it has been set up for.
type Version struct {
	Version  string   `json:"version"`
	Engine   string   `json:"engine_version"`
	Accounts bool     `json:"accounts" doc:"one has to log in"`
	Kinds    []string `json:"kinds" doc:"of work that can be submitted"`
	Notice   string   `json:"notice,omitempty" doc:"what has to be done before anybody can log in"`
}

// notice says that nobody has an account yet. Once somebody has one it is not asked again.
func (s *Server) notice(ctx context.Context) (string, error) {
	if s.Accounts == nil || s.settled.Load() {
		return "", nil
	}
	none, err := s.Accounts.NoUsers(ctx)
	if err != nil {
		return "", err
	}
	if !none {
		s.peopled()
		return "", nil
	}
	return "nobody has an account yet: whoever runs this server makes the first one, the administrator's, with the token that serve wrote to the file setup-token, or with: backtester user add --admin NAME", nil
}

// peopled notes that somebody has an account, however it was made: the token for the first one is void.
func (s *Server) peopled() {
	if s.settled.CompareAndSwap(false, true) && s.FirstUser != nil {
		s.FirstUser()
	}
}

type healthOutput struct {
	Status int
	Body   Health
}

// health reads nothing but memory and the database: it is asked every few seconds.
func (s *Server) health(ctx context.Context, _ *empty) (*healthOutput, error) {
	out := &healthOutput{200, Health{"ok", s.Now().UTC(), s.Version, backtest.EngineVersion, false}}
	d, err := s.Data()
	if err != nil {
		out.Body.Status = "degraded"
	} else {
		out.Body.Synthetic = d.Synthetic()
		release(d)
	}
	switch {
	case s.draining.Load():
		out.Status, out.Body.Status = 503, "draining"
	case s.Alive(ctx) != nil:
		out.Status, out.Body.Status = 503, "failing"
	}
	return out, nil
}

// Alive reports whether the parts that everything needs answer; it is what the watchdog asks.
func (s *Server) Alive(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return s.History.Ping(bounded)
}

// Details are for administrators.
type Details struct {
	Queued        int      `json:"queued"`
	Running       int      `json:"running"`
	Workers       int      `json:"workers"`
	Streams       int      `json:"streams" doc:"open event streams"`
	UptimeSeconds float64  `json:"uptime_s"`
	Database      string   `json:"database" enum:"sqlite,postgres"`
	Data          Coverage `json:"data"`
}

func (s *Server) details(ctx context.Context, _ *empty) (*struct{ Body Details }, error) {
	d := Details{Workers: max(0, s.Jobs.Workers), UptimeSeconds: s.Now().Sub(s.began).Seconds(), Database: "sqlite"}
	if s.History.Postgres() {
		d.Database = "postgres"
	}
	load, err := s.queue(ctx)
	if err != nil {
		return nil, err
	}
	d.Queued, d.Running = load.AllQueued, load.AllRunning
	s.streams.mu.Lock()
	d.Streams = s.streams.all
	s.streams.mu.Unlock()
	c, err := s.coverage(ctx, nil)
	if err == nil {
		d.Data = c.Body
	}
	return &struct{ Body Details }{d}, err
}

func (s *Server) queue(ctx context.Context) (l history.Load, err error) {
	err = s.History.Read(ctx, func(tx *history.Tx) (err error) {
		l, err = tx.Load("")
		return err
	})
	return l, err
}

var _ http.Handler = (*Server)(nil)
