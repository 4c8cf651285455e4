package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"backtester/backtest/bar"
	"backtester/backtest/history"
	"backtester/backtest/job"
	"backtester/frontend"
	"backtester/server"
)

func newServe(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve the same engine over HTTP, with the web page",
		Long: `Serve the same engine over HTTP, with the web page: runs in a queue that survives restarts,
results, history, strategies, data, and accounts.

In development nobody has to log in, so only this machine is served. In production (FLASK_ENV or
BACKTESTER_ENV) accounts are required, the first administrator registers with the one-time token
that serve writes to a file, or comes by backtester user add, and unsafe settings are refused with
exit code 78 and a list of what to mend.

SIGTERM or Ctrl-C finishes what is asked, lets runs end or puts them back in the queue, and exits;
a second one exits at once. SIGHUP (systemctl reload) opens the log files anew, and nothing else:
settings, limits and origins among them, are read at the start, so a change of them takes a restart,
which loses no request under a service manager that keeps the listener.`,
		Example: "  backtester serve\n  backtester serve --port 8080 --workers 4\n  FLASK_ENV=production FLASK_SECRET_KEY=$(backtester secret) backtester serve",
		Args:    arguments(0, 0, ""),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.serve(cmd.Context()) },
	}
	f := c.Flags()
	f.String("host", "", "`ADDRESS` to listen on (default 127.0.0.1)")
	f.String("port", "", "`PORT` to listen on (default 5000)")
	f.String("auth", "", "required or off: whether one has to `LOG` in")
	f.String("workers", "", "`NUMBER` of runs that are computed at a time (default as many as processors)")
	f.String("metrics-addr", "", "`ADDRESS:PORT` of this machine for monitors, or none")
	(&farmOptions{}).flags(f)
	f.String("log-dir", "", "`FOLDER` of access.log and error.log")
	f.String("frontend-dir", "", "`FOLDER` of web pages in place of those in the program")
	f.String("public-url", "", "`URL` by which clients reach this server behind a proxy")
	return c
}

// Lengths of the steps of going down; together they are less than service managers wait.
const runGrace = 15 * time.Second

// service is everything that serve holds open.
type service struct {
	*app
	logs    *serveLogs
	db      *history.DB
	data    *liveData
	farm    *player // nil: sweeps are played here
	jobs    *job.Service
	server  *server.Server
	manager *manager
}

func (a *app) serve(ctx context.Context) (err error) {
	if faults := a.unsafeSettings(); len(faults) > 0 {
		return unsafef("serve refuses unsafe settings:\n  %s", strings.Join(faults, "\n  "))
	}
	s := &service{app: a, manager: a.manager()}
	if s.logs, err = a.openLogs(); err != nil {
		return unsafef("serve: open the logs: %w", err)
	}
	l, err := s.listener()
	if err != nil {
		return err
	}
	defer l.Close()
	if err := lengthen(l); err != nil {
		s.logs.log.Warn("the queue of connections stays as long as it is: a restart under load may refuse some", "error", err)
	}
	if err := s.open(ctx); err != nil {
		return errors.Join(err, s.close())
	}
	return errors.Join(s.run(ctx, l), s.close())
}

// listener is the one that the process before left with the service manager, or a new one.
func (s *service) listener() (net.Listener, error) {
	host, port := s.settings.get("host"), s.settings.get("port")
	l, err := s.manager.inherited()
	if err != nil {
		return nil, fmt.Errorf("serve: take over the listener: %w", err)
	}
	if l != nil && listensAt(l.Addr(), host, port) {
		s.logs.log.Info("listening goes on", "address", l.Addr().String())
		return l, nil
	}
	if l != nil { // the setting has changed since: nobody must be served at the old place
		s.logs.log.Info("listening elsewhere from now on", "before", l.Addr().String())
		s.manager.tell("FDSTOREREMOVE=1\nFDNAME=" + storedName)
		l.Close()
	}
	if path, ok := strings.CutPrefix(host, "unix:"); ok {
		os.Remove(path) // of a process that was killed
		l, err = net.Listen("unix", path)
	} else {
		l, err = net.Listen("tcp", net.JoinHostPort(host, port))
	}
	if err != nil {
		return nil, fmt.Errorf("serve: %w", err)
	}
	if err := s.manager.keep(l); err != nil {
		s.logs.log.Warn("the service manager does not keep the listener: a restart refuses connections for a moment", "error", err)
	}
	return l, nil
}

// listensAt reports whether an address is the one that the settings name.
func listensAt(have net.Addr, host, port string) bool {
	if path, ok := strings.CutPrefix(host, "unix:"); ok {
		return have.Network() == "unix" && have.String() == path
	}
	at, ok := have.(*net.TCPAddr)
	want, err := net.ResolveTCPAddr("tcp", net.JoinHostPort(host, port))
	if !ok || err != nil {
		return false
	}
	any := want.IP == nil || want.IP.IsUnspecified()
	return (want.Port == 0 || want.Port == at.Port) && (any && at.IP.IsUnspecified() || want.IP.Equal(at.IP))
}

// open opens data, database, queue and accounts and makes the server.
func (s *service) open(ctx context.Context) (err error) {
	s.data = s.openLiveData()
	d, err := s.data.get(ctx)
	switch {
	case errors.Is(err, bar.ErrNoData): // a new server has accounts before it has data
		s.warn("no_data", "nothing is stored yet, so runs are refused until backtester fetch has brought data")
	case err != nil:
		return s.noStore(err, nil)
	default:
		if d.Synthetic() {
			s.warn("synthetic_data", "there is no vendor data: serving the demo market")
		}
		d.Release()
	}
	if s.db, err = s.openHistory(ctx); err != nil {
		return err
	}
	if s.distributed() {
		if s.farm, err = s.join(context.WithoutCancel(ctx), s.db, s.data.get); err != nil {
			return err
		}
	}
	key, err := s.secretKey()
	if err != nil {
		return err
	}
	if s.jobs, err = job.New(ctx, s.jobOptions()); err != nil {
		return err
	}
	web, err := s.pages()
	if err != nil {
		return err
	}
	allowed, _ := origins(s.settings.get("cors_origins"), false) // checked already
	proxies, _ := prefixes(s.settings.get("trusted_proxies"))
	o := server.Options{Jobs: s.jobs, History: s.db, Data: func() (*job.Data, error) { return s.data.get(context.WithoutCancel(ctx)) },
		Frontend: web, Access: s.logs.writer(), Log: s.logs.log, Now: s.io.Now, Version: s.version, Secret: key,
		Hosts: s.ownHosts(), Origins: allowed, LocalOrigins: !s.needsLogin(), TrustedProxies: proxies,
		PerSecond: float64(s.settings.number("rate_per_second")), Burst: s.settings.number("rate_burst"), CanFetch: s.canFetch(), Limits: s.limits()}
	if s.needsLogin() {
		if o.Accounts, err = s.openAccounts(s.db); err != nil {
			return err
		}
		path, err := s.offerSetup(ctx, o.Accounts)
		if err != nil {
			return err
		}
		if path != "" {
			o.FirstUser = func() { _ = os.Remove(path) } // the token is void; a file that stays goes at the next start
			s.warn("no_users", "nobody has an account yet: register the first administrator with the token in "+path+", or with: backtester user add --admin NAME")
		}
	}
	if host := s.settings.get("host"); s.settings.get("env") == "production" && !server.Loopback(host) && !strings.HasPrefix(host, "unix:") {
		s.warn("exposed", "serve listens on "+host+": behind nginx on this machine that only adds an unencrypted way past it; set FLASK_HOST=127.0.0.1")
	}
	s.server = server.New(o)
	return nil
}

func (s *service) jobOptions() job.Options {
	n := s.settings.number
	workers := n("workers")
	switch s.settings.get("workers") {
	case "":
		workers = runtime.GOMAXPROCS(0)
	case "0":
		workers = -1
	}
	limits := job.DefaultLimits()
	limits.UserRunning, limits.UserQueued, limits.Queued = n("user_running"), n("user_queued"), n("queued")
	limits.Wall = time.Duration(n("run_minutes")) * time.Minute
	limits.UserStorage, limits.FreeDisk = int64(n("user_storage_mb"))<<20, int64(n("min_free_disk_mb"))<<20
	if !s.needsLogin() {
		limits.UserRunning = 0 // one person has the machine
	}
	return job.Options{History: s.db, Results: s.settings.get("results_dir"), Data: s.data.get, Render: server.Render(s.db, s.logs.log, s.limits()), Execute: s.executors(),
		Limits: limits, Workers: workers, Log: s.logs.log, Now: s.io.Now}
}

// pages are the web application: of a folder, or the one within the program.
func (s *service) pages() (fs.FS, error) {
	dir := s.settings.get("frontend_dir")
	if dir == "" {
		return frontend.Files(), nil
	}
	if _, err := os.Stat(dir + "/index.html"); err != nil {
		return nil, unsafef("serve: frontend_dir has no index.html: %w", err)
	}
	return os.DirFS(dir), nil
}

// run serves until ctx ends, and then finishes what was begun.
func (s *service) run(ctx context.Context, l net.Listener) error {
	side, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	go s.tend(side, hangups)
	go s.shrink(side)
	if err := s.serveMetrics(side); err != nil {
		return err
	}
	h := s.server.HTTP()
	h.ErrorLog = slog.NewLogLogger(s.logs.log.Handler(), slog.LevelWarn)
	go s.manager.watch(side, s.server.Alive)
	debug.FreeOSMemory() // what the start took, above all a demo market that was made
	s.manager.tell("READY=1\nSTATUS=serving " + l.Addr().String())
	fmt.Fprintf(s.io.Err, "serving http://%s\n", l.Addr())
	err := s.server.Serve(ctx, l, h, func() { s.manager.tell("STOPPING=1\nSTATUS=finishing requests") })
	s.manager.tell("STATUS=finishing runs")
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), runGrace)
	defer cancel()
	if e := s.jobs.Drain(bounded); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// tend opens logs anew on SIGHUP and removes once an hour what has had its time.
func (s *service) tend(ctx context.Context, hangups <-chan os.Signal) {
	t := time.NewTicker(time.Hour)
	defer t.Stop()
	for {
		if err := s.server.Tidy(ctx, s.settings.days("keep_days")); err != nil && ctx.Err() == nil {
			s.logs.log.Error("cannot tidy up", "error", err)
		}
		select {
		case <-hangups:
			s.logs.reopen()
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}

// restAfter is how long no run must have gone on before the memory of the last ones is given back.
const restAfter = 10 * time.Second

// keptIdle is how much memory that nothing lies in may stay when no run goes on: readers leave it behind, too.
const keptIdle = 16 << 20

// idleHeap is how many bytes the runtime holds that nothing lies in.
func idleHeap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapIdle - m.HeapReleased
}

// shrink gives memory back to the system when the server has come to rest: the runtime alone would keep it
// for long.
func (s *service) shrink(ctx context.Context) {
	t := time.NewTicker(restAfter)
	defer t.Stop()
	seen, freed := int64(0), int64(-1)
	for {
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
		begun, running := s.jobs.Activity()
		if running == 0 && begun == seen && (begun != freed || idleHeap() > keptIdle) {
			debug.FreeOSMemory()
			if err := letGoOfProgram(); err != nil {
				s.logs.log.Debug("the pages of the program stay in memory", "error", err)
			}
			freed = begun
		}
		seen = begun
	}
}

// serveMetrics answers monitors on a listener of their own.
func (s *service) serveMetrics(ctx context.Context) error {
	address := s.settings.get("metrics_addr")
	if address == "none" {
		return nil
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("serve metrics: %w", err)
	}
	fmt.Fprintf(s.io.Err, "metrics at http://%s/metrics\n", l.Addr())
	h := &http.Server{Handler: s.server.Metrics(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second}
	go func() { _ = h.Serve(l) }() // it ends with the process
	context.AfterFunc(ctx, func() { _ = h.Close() })
	return nil
}

// close closes what is open, the last first.
func (s *service) close() error {
	var errs []error
	if s.jobs != nil {
		errs = append(errs, s.jobs.Close())
	}
	if s.farm != nil {
		s.farm.close()
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.data != nil {
		errs = append(errs, s.data.close())
	}
	return errors.Join(errs...)
}

// canFetch reports whether there are credentials for the vendor's flat files.
func (a *app) canFetch() bool {
	return a.settings.get("s3_access_key_id") != "" && a.settings.get("s3_secret_access_key") != ""
}
