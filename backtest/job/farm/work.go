package farm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"backtester/backtest/job"
	"backtester/backtest/sweep"
)

// WorkOptions of a worker.
type WorkOptions struct {
	// Data opens the data of this machine.
	Data     func(context.Context) (*job.Data, error)
	Parallel int // ranges at a time; 0 is as many as there are processors
	Log      *slog.Logger
}

// Work plays ranges until ctx ends. Ranges that it has begun then are given back at once.
func (c *Conn) Work(ctx context.Context, o WorkOptions) error {
	if o.Parallel <= 0 {
		o.Parallel = runtime.GOMAXPROCS(0)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	consumer, err := c.consumer(ctx)
	if err != nil {
		return fmt.Errorf("work for the farm: %w", err)
	}
	w := &worker{conn: c, o: o, plans: map[string]*planned{}, stops: map[string]context.CancelFunc{}}
	defer w.release()
	stop, err := c.nc.Subscribe(stopSubject+"*", func(m *nats.Msg) { w.stop(strings.TrimPrefix(m.Subject, stopSubject)) })
	if err != nil {
		return fmt.Errorf("work for the farm: %w", err)
	}
	defer func() { _ = stop.Unsubscribe() }() // the connection ends anyway
	var wg sync.WaitGroup
	for range o.Parallel {
		wg.Go(func() { w.loop(ctx, consumer) })
	}
	wg.Wait()
	if err := c.nc.FlushTimeout(5 * time.Second); err != nil { // what was given back
		return fmt.Errorf("take leave of the farm: %w", err)
	}
	return nil
}

// worker keeps plans from range to range.
type worker struct {
	conn *Conn
	o    WorkOptions

	mu    sync.Mutex
	uses  int // how often a plan was taken
	plans map[string]*planned
	stops map[string]context.CancelFunc // of ranges that are being played, by sweep and range
}

// planned is a sweep that this worker knows.
type planned struct {
	once sync.Once
	plan *sweep.Plan
	data *job.Data
	ord  order
	err  error

	users, last int // ranges that are being played, and the use of the last one
}

// mostPlans is how many sweeps a worker knows that it is not playing: each holds its bars.
const mostPlans = 4

// use takes the plan of a sweep, which is not forgotten before unuse.
func (w *worker) use(id string) *planned {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.plans[id]
	if p == nil {
		p = &planned{}
		w.plans[id] = p
	}
	p.users++
	w.uses++
	p.last = w.uses
	return p
}

// unuse gives it back. A plan that could not be made is made again the next time, when the data may be another.
func (w *worker) unuse(id string, p *planned) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p.users--; p.err != nil && w.plans[id] == p {
		delete(w.plans, id)
	}
	if p.users == 0 && w.plans[id] != p {
		p.release()
	}
	for {
		oldest, idle := "", 0
		for id, p := range w.plans {
			if p.users > 0 {
				continue
			}
			if idle++; oldest == "" || p.last < w.plans[oldest].last {
				oldest = id
			}
		}
		if idle <= mostPlans {
			return
		}
		w.plans[oldest].release()
		delete(w.plans, oldest)
	}
}

func (w *worker) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.plans {
		p.release()
	}
}

func (p *planned) release() {
	if p.data != nil && p.data.Release != nil {
		p.data.Release()
	}
	p.data = nil
}

func (w *worker) stop(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for key, cancel := range w.stops {
		if strings.HasPrefix(key, id+"/") {
			cancel()
		}
	}
}

// loop takes one range after another.
func (w *worker) loop(ctx context.Context, consumer jetstream.Consumer) {
	for ctx.Err() == nil {
		batch, err := consumer.Fetch(1, jetstream.FetchMaxWait(time.Second))
		if err != nil {
			w.o.Log.Warn("the farm does not answer", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
			continue
		}
		for m := range batch.Messages() {
			w.take(ctx, m)
		}
	}
}

// take plays the range of a message. It is acknowledged after its rows are in the stream of results.
func (w *worker) take(ctx context.Context, m jetstream.Msg) {
	var t task
	if err := decode(m.Data(), &t); err != nil {
		w.o.Log.Error("a message makes no sense", "error", err)
		_ = m.Term() // nobody else would understand it either
		return
	}
	play, cancel := context.WithCancel(ctx)
	key := fmt.Sprintf("%s/%d/%s", t.Sweep, t.From, t.Turn)
	w.mu.Lock()
	w.stops[key] = cancel
	w.mu.Unlock()
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		tick := time.NewTicker(patience / 4)
		defer tick.Stop()
		for {
			select {
			case <-play.Done():
				return
			case <-tick.C:
				_ = m.InProgress() // one that is lost is made up for by the next
			}
		}
	}()
	g, err := w.play(play, t)
	stopped := play.Err() != nil
	cancel()
	<-beating
	w.mu.Lock()
	delete(w.stops, key)
	w.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		_ = m.Nak() // another worker takes it now; without this it would after a while
		return
	case stopped:
		_ = m.Term() // nobody wants it any more
		return
	case err != nil:
		w.o.Log.Error("cannot play a range", "sweep", t.Sweep, "from", t.From, "to", t.To, "error", err)
		_ = w.conn.nc.Publish(faultSubject+t.Sweep, []byte(err.Error())) // for whoever sweeps
		_ = m.NakWithDelay(time.Second)
		return
	}
	b, err := encode(g)
	if err == nil {
		_, err = w.conn.js.Publish(ctx, fmt.Sprintf("%s%s.%s.%d", gainSubject, t.Sweep, t.Turn, t.From), b, jetstream.WithMsgID(fmt.Sprintf("%s/%d", key, t.Round)))
	}
	if err == nil {
		err = m.DoubleAck(ctx)
	}
	if err != nil && ctx.Err() == nil {
		w.o.Log.Error("cannot hand in a range", "sweep", t.Sweep, "from", t.From, "error", err)
		_ = m.NakWithDelay(time.Second) // it is played again, and counts once
	}
}

// play plays a range. An error is one of this worker; what is wrong with the sweep is part of the gain.
func (w *worker) play(ctx context.Context, t task) (*gain, error) {
	p := w.use(t.Sweep)
	defer w.unuse(t.Sweep, p)
	p.once.Do(func() { p.err = w.open(ctx, t.Sweep, p) })
	if p.err != nil {
		return nil, p.err
	}
	g := &gain{Task: t}
	var returns *sweep.Returns
	o := p.ord.options()
	o.From, o.To, o.Workers = t.From, t.To, 1
	if p.ord.Returns {
		o.Returns = func(r *sweep.Returns) error {
			returns = r
			return nil
		}
	}
	o.Row = func(r *sweep.Row) error {
		g.add(r, returns)
		return nil
	}
	summary, err := p.plan.Run(ctx, o)
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		g.Rows, g.Axes, g.Failed = nil, nil, err.Error()
		return g, nil
	}
	if joined, ok := summary.Faults.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			symbol, _, _ := strings.Cut(err.Error(), ": ")
			g.Faults = append(g.Faults, fault{symbol, err.Error()})
		}
	}
	return g, nil
}

// errDiffers says that this worker must not play a sweep.
var errDiffers = errors.New("the data or the engine of this machine differ from those of the sweep")

// open makes the plan of a sweep here.
func (w *worker) open(ctx context.Context, id string, p *planned) error {
	kv, err := w.conn.js.KeyValue(ctx, specBucket)
	if err != nil {
		return err
	}
	entry, err := kv.Get(ctx, id)
	if err != nil {
		return err
	}
	if err := decode(entry.Value(), &p.ord); err != nil {
		return err
	}
	spec, err := job.DecodeSpec(p.ord.Document)
	if err != nil {
		return err
	}
	if p.data, err = w.o.Data(ctx); err != nil {
		return err
	}
	p.plan, err = sweep.NewPlan(ctx, spec.Config, p.data.Source, p.ord.options())
	if err != nil {
		return err
	}
	identity, err := p.plan.Identity(ctx)
	if err == nil && identity != p.ord.Identity {
		err = errDiffers
	}
	return err
}
