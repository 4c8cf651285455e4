// Package farm spreads sweeps over machines by way of NATS JetStream.
//
//	hub, err := farm.Listen(farm.HubOptions{Dir: dir, Addr: "0.0.0.0:4222", Token: token}) // or an external server
//	conn, err := farm.Dial(ctx, "nats://hub:4222", token)
//	summary, err := conn.Sweep(ctx, farm.Sweep{...})  // whoever wants the result
//	err := conn.Work(ctx, farm.WorkOptions{...})      // any number of workers
//
// In: a plan of package sweep. Out: its rows in the order of the plan, bit for bit those of one machine.
// Messages carry ranges of combinations; a range whose worker dies is given to another; a range that was
// played twice counts once, because the database keeps the first and the message is acknowledged only
// afterwards. JetStream is where work waits, the database is what is true.
//
// It refuses workers whose plan, data or engine differ from those of the sweep, and gives up a sweep
// whose range ends one worker after the other, with the range.
package farm

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Names on the server.
const (
	workStream   = "BACKTESTER_WORK"
	resultStream = "BACKTESTER_RESULTS"
	specBucket   = "BACKTESTER_SPECS"
	workSubject  = "backtester.work."
	gainSubject  = "backtester.result."
	stopSubject  = "backtester.stop."
	faultSubject = "backtester.fault."
	workers      = "workers"
)

// mostPayload is the largest message.
const mostPayload = 8 << 20

// HubOptions of an embedded server.
type HubOptions struct {
	Dir   string // where work lies that waits
	Addr  string // HOST:PORT for workers of other machines; "" does not listen
	Token string // what workers must know; required with Addr
}

// Hub is a NATS server inside this process.
type Hub struct {
	server *server.Server
	token  string
}

// Listen starts a server. What waits survives its end, and a loss of power too.
func Listen(o HubOptions) (*Hub, error) {
	so := &server.Options{ServerName: "backtester", DontListen: o.Addr == "", JetStream: true, StoreDir: o.Dir, SyncAlways: true, NoSigs: true,
		MaxPayload: mostPayload, NoLog: true, Authorization: o.Token}
	if o.Addr != "" {
		host, port, err := net.SplitHostPort(o.Addr)
		if err == nil {
			so.Host = host
			so.Port, err = strconv.Atoi(port)
		}
		if err != nil {
			return nil, fmt.Errorf("listen for workers on %q: want HOST:PORT", o.Addr)
		}
		if so.Port == 0 {
			so.Port = server.RANDOM_PORT
		}
		if len(o.Token) < leastToken {
			return nil, fmt.Errorf("listen for workers on %s: the token that they must know has %d characters, at least %d", o.Addr, len(o.Token), leastToken)
		}
	}
	s, err := server.NewServer(so)
	if err != nil {
		return nil, fmt.Errorf("start the queue of the farm: %w", err)
	}
	s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		s.Shutdown()
		return nil, fmt.Errorf("start the queue of the farm on %q: it did not come up", o.Addr)
	}
	return &Hub{s, o.Token}, nil
}

// leastToken is the length of a token that cannot be guessed.
const leastToken = 16

// URL for workers.
func (h *Hub) URL() string { return h.server.ClientURL() }

// Close ends the server.
func (h *Hub) Close() {
	h.server.Shutdown()
	h.server.WaitForShutdown()
}

// Conn is a connection to the server of a farm.
type Conn struct {
	url string
	nc  *nats.Conn
	js  jetstream.JetStream
}

// Connect connects within the process.
func (h *Hub) Connect(ctx context.Context) (*Conn, error) {
	return connect(ctx, h.server.ClientURL(), h.token, nats.InProcessServer(h.server))
}

// Dial connects to a server elsewhere: a Hub, or NATS 2.10 or later with JetStream.
func Dial(ctx context.Context, url, token string) (*Conn, error) { return connect(ctx, url, token) }

func connect(ctx context.Context, url, token string, more ...nats.Option) (*Conn, error) {
	options := append(more, nats.Name("backtester"), nats.MaxReconnects(-1), nats.ReconnectWait(250*time.Millisecond), nats.Timeout(5*time.Second))
	if token != "" {
		options = append(options, nats.Token(token))
	}
	nc, err := nats.Connect(url, options...)
	if err != nil {
		return nil, fmt.Errorf("connect to the farm at %s: %w", url, err)
	}
	c := &Conn{url: url, nc: nc}
	if c.js, err = jetstream.New(nc); err == nil {
		err = c.prepare(ctx)
	}
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("connect to the farm at %s: %w", url, err)
	}
	return c, nil
}

// A server may be away for a while, killed or moved: answer is how long one request waits for it, and absence how long
// requests are made again before a sweep is given up.
var (
	answer  = 5 * time.Second
	absence = 10 * time.Minute
)

// ask makes a request again and again while the server is away.
func (c *Conn) ask(ctx context.Context, request func(context.Context) error) error {
	limit := time.NewTimer(absence)
	defer limit.Stop()
	for {
		short, cancel := context.WithTimeout(ctx, answer)
		err := request(short)
		cancel()
		if err == nil || !away(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-limit.C:
			return fmt.Errorf("the NATS server at %s has not answered for %v: %w", c.url, absence, err)
		case <-time.After(answer / 20):
		}
	}
}

// away tells errors of a server that cannot be reached, or has begun and not found its streams yet, from its answers.
func away(err error) bool {
	for _, one := range []error{context.DeadlineExceeded, nats.ErrTimeout, nats.ErrNoServers, nats.ErrNoResponders, nats.ErrDisconnected, nats.ErrConnectionReconnecting,
		nats.ErrReconnectBufExceeded, jetstream.ErrNoStreamResponse, jetstream.ErrJetStreamNotEnabled} {
		if errors.Is(err, one) {
			return true
		}
	}
	return false
}

// Close ends the connection.
func (c *Conn) Close() { c.nc.Close() }

// prepare makes the streams where they are not there yet.
func (c *Conn) prepare(ctx context.Context) error {
	for name, subject := range map[string]string{workStream: workSubject + ">", resultStream: gainSubject + ">"} {
		_, err := c.js.CreateStream(ctx, jetstream.StreamConfig{Name: name, Subjects: []string{subject}, Retention: jetstream.WorkQueuePolicy,
			Storage: jetstream.FileStorage, Duplicates: 2 * time.Minute})
		if err != nil && !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			return err
		}
	}
	_, err := c.js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: specBucket, Storage: jetstream.FileStorage, TTL: 30 * 24 * time.Hour})
	if errors.Is(err, jetstream.ErrBucketExists) {
		return nil
	}
	return err
}

// consumer is the one that all workers share.
func (c *Conn) consumer(ctx context.Context) (jetstream.Consumer, error) {
	return c.js.CreateOrUpdateConsumer(ctx, workStream, jetstream.ConsumerConfig{Durable: workers, AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: patience, MaxDeliver: mostTries, MaxAckPending: 10_000})
}

// patience is how long a worker may be silent before its range is given to another, and mostTries how
// many workers a range is given to.
const (
	patience  = 10 * time.Second
	mostTries = 5
)
