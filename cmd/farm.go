package cmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"backtester/backtest/history"
	"backtester/backtest/job"
	"backtester/backtest/job/farm"
	"backtester/backtest/sweep"
)

// farmOptions say on which machines sweeps are played. The flags are settings as well, so that a service has them.
type farmOptions struct{ cluster string }

func (o *farmOptions) flags(f *pflag.FlagSet) {
	f.Bool("distributed", false, "play on the workers of the NATS server that --cluster names")
	clusterFlag(f, &o.cluster)
	f.String("cluster-listen", "", "let workers of other machines connect to this `HOST:PORT` and help; this machine plays as well")
}

// clusterFlag is the setting of that name.
func clusterFlag(f *pflag.FlagSet, to *string) {
	f.StringVar(to, "cluster", "", "`URL` of the NATS server that hands out work (setting cluster, default nats://127.0.0.1:4222)")
}

// natsURL checks the address of a server.
func natsURL(text string) error {
	if u, err := url.Parse(text); err != nil || u.Scheme != "nats" && u.Scheme != "tls" || u.Host == "" {
		return errors.New("want the URL of a NATS server, such as nats://host:4222")
	}
	return nil
}

// distributed reports whether sweeps are played by a farm.
func (a *app) distributed() bool {
	return a.settings.get("distributed") == "true" || a.settings.get("cluster_listen") != ""
}

// player plays plans on this machine, or on those of a farm.
type player struct {
	conn  *farm.Conn
	db    *history.DB
	leave func()
}

// player opens what playing needs, with a history of its own. It must be closed.
func (o *farmOptions) player(ctx context.Context, a *app, src source) (p *player, err error) {
	if o.cluster != "" && a.settings.get("distributed") != "true" {
		return nil, usagef("--cluster names the server of --distributed, which is missing")
	}
	if !a.distributed() {
		return &player{leave: func() {}}, nil
	}
	db, err := a.openHistory(ctx)
	if err != nil {
		return nil, err
	}
	p, err = a.join(ctx, db, func(context.Context) (*job.Data, error) { return &job.Data{Source: src}, nil })
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	leave := p.leave
	p.leave = func() {
		leave()
		_ = db.Close() // what came in was committed
	}
	return p, nil
}

// play gives what Plan.Run gives.
func (p *player) play(ctx context.Context, plan *sweep.Plan, o sweep.Options) (*sweep.Summary, error) {
	if p.conn == nil {
		return plan.Run(ctx, o)
	}
	return p.conn.Sweep(ctx, farm.Sweep{Plan: plan, Options: o, History: p.db})
}

func (p *player) close() { p.leave() }

// join joins the farm of the settings, or makes one with a worker of its own, which reads data.
func (a *app) join(ctx context.Context, db *history.DB, data func(context.Context) (*job.Data, error)) (*player, error) {
	token, listen := a.settings.get("cluster_token"), a.settings.get("cluster_listen")
	if a.settings.get("distributed") == "true" {
		if listen != "" {
			return nil, usagef("--distributed and --cluster-listen exclude each other: connect to a server, or be it")
		}
		conn, err := farm.Dial(ctx, a.settings.get("cluster"), token)
		if err != nil {
			return nil, err
		}
		return &player{conn, db, conn.Close}, nil
	}
	hub, err := farm.Listen(farm.HubOptions{Dir: filepath.Join(a.dbDir(), "queue"), Addr: listen, Token: token})
	if err != nil {
		return nil, usagef("%w; BACKTESTER_CLUSTER_TOKEN sets it", err)
	}
	conn, err := hub.Connect(ctx)
	if err != nil {
		hub.Close()
		return nil, err
	}
	fmt.Fprintf(a.io.Err, "workers may help: backtester worker --cluster %s\n", hub.URL())
	work, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- conn.Work(work, farm.WorkOptions{Log: a.farmLog(), Data: data}) }()
	return &player{conn, db, func() {
		stop()
		if err := <-ended; err != nil {
			a.warn("cluster", err.Error())
		}
		conn.Close()
		hub.Close()
	}}, nil
}

func (a *app) farmLog() *slog.Logger {
	return slog.New(slog.NewTextHandler(a.io.Err, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// workerOptions of `backtester worker`.
type workerOptions struct {
	*app
	cluster  string
	parallel int
	bars     []string
}

func newWorker(a *app) *cobra.Command {
	o := &workerOptions{app: a}
	c := &cobra.Command{
		Use:   "worker",
		Short: "Help with the sweeps and validations of other machines",
		Long: `Help with the sweeps and validations of other machines until it is stopped.

The setting cluster (BACKTESTER_CLUSTER, --cluster) names a NATS server with JetStream, to which
sweep --distributed and validate --distributed connect as well, or a sweep with --cluster-listen.
The store of this machine must hold the same data as that of whoever sweeps, which is checked. A
worker may be stopped, or killed, at any time: others play what it had begun. The setting
cluster_token (BACKTESTER_CLUSTER_TOKEN) is what all sides must know.`,
		Example: `  nats-server -js -sd queue --auth "$BACKTESTER_CLUSTER_TOKEN"
  backtester worker --cluster nats://hub:4222`,
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.work(cmd.Context()) },
	}
	f := c.Flags()
	clusterFlag(f, &o.cluster)
	f.IntVar(&o.parallel, "parallel", 0, "play `N` ranges at a time (default one a processor)")
	f.StringArrayVar(&o.bars, "bars", nil, "bars of one symbol from a plain file, `SYMBOL=FILE`, as the sweep has them; repeatable")
	return c
}

func (o *workerOptions) work(ctx context.Context) error {
	if o.parallel < 0 {
		return usagef("--parallel is %d, want a number of ranges, 0 for one a processor", o.parallel)
	}
	server := o.settings.get("cluster")
	conn, err := farm.Dial(ctx, server, o.settings.get("cluster_token"))
	if err != nil {
		return err
	}
	defer conn.Close()
	fmt.Fprintf(o.io.Err, "working for %s; Ctrl-C ends it\n", server)
	return conn.Work(ctx, farm.WorkOptions{Parallel: o.parallel, Log: o.farmLog(), Data: func(ctx context.Context) (*job.Data, error) {
		src, err := o.openSource(ctx, o.bars)
		if err != nil {
			return nil, err
		}
		return &job.Data{Source: src, Release: func() { _ = src.Close() }}, nil // it was only read
	}})
}
