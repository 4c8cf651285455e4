package farm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"backtester/backtest/history"
	"backtester/backtest/job"
	"backtester/backtest/sweep"
)

// Sweep is one to be spread.
type Sweep struct {
	Plan    *sweep.Plan
	Options sweep.Options // as for Plan.Run: the range; Row, Returns and Progress are called here
	History *history.DB   // keeps what comes in until the sweep is whole: an interrupted one goes on
}

// ahead is how many ranges are with workers at a time, or came in before their turn: a slow one holds the others
// up instead of filling memory.
const ahead = 256

// pause is how long the coordinator waits for ranges before it looks around.
var pause = 500 * time.Millisecond

// rowsOfRange is how many rows a range has, about.
const rowsOfRange = 200

// coordinator of one sweep.
type coordinator struct {
	Sweep
	conn  *Conn
	id    string
	turn  string        // of this coordinator: others may be playing the same sweep
	round int           // how often it asked for what was missing: an answer to a later round is no repeated message
	size  int           // combinations of a range
	next  int           // first combination of the next row to hand out
	have  map[int]*gain // ranges that came in before their turn, by first combination
	seen  map[int]bool  // ranges that came in
	sent  int           // first combination that was not sent
	quiet time.Duration // since something came in
	fault atomic.Value  // string: why a worker could not play a range
	to    int
	all   *sweep.Tally
}

// Sweep plays a plan on the workers of the farm. Rows are those of Plan.Run, in the same order.
func (c *Conn) Sweep(ctx context.Context, s Sweep) (*sweep.Summary, error) {
	if s.Plan.Method == "tpe" {
		return nil, errors.New("sweep on a farm: what tpe tries depends on all that came before: play it on one machine")
	}
	identity, err := s.Plan.Identity(ctx)
	if err != nil {
		return nil, err
	}
	q := &coordinator{Sweep: s, conn: c, id: identity[:32], turn: nuid.Next(), have: map[int]*gain{}, seen: map[int]bool{}, to: s.Options.To, all: s.Plan.NewTally(s.Options)}
	if q.to == 0 {
		q.to = s.Plan.Len()
	}
	q.next, q.sent = s.Options.From, s.Options.From
	rows := rowsOfRange
	if s.Options.Returns != nil {
		q.id += "-returns"
		if rows, err = q.fitting(ctx); err != nil {
			return nil, err
		}
	}
	q.size = max(1, rows/len(s.Plan.Symbols))
	if q.size > 1 {
		q.size = max(1, min(q.size, (q.to-q.next+63)/64)) // small sweeps are shared as well
	}
	if err := q.announce(ctx, identity); err != nil {
		return nil, err
	}
	err = q.run(ctx)
	if clean := q.clear(context.WithoutCancel(ctx), err == nil); err == nil {
		err = clean
	}
	return q.all.Summary(), err
}

// fitting is how many rows with their returns a message holds.
func (q *coordinator) fitting(ctx context.Context) (int, error) {
	sessions := 0
	var first error
	for _, symbol := range q.Plan.Symbols {
		m, err := q.Plan.Market(ctx, symbol)
		if err != nil {
			first = errors.Join(first, err)
			continue
		}
		sessions = max(sessions, len(m.Days))
	}
	if sessions == 0 {
		return 0, first
	}
	return max(1, min(rowsOfRange, int(q.conn.nc.MaxPayload()/2)/(8*(sessions+1)+1024))), nil
}

// announce tells workers what the sweep is.
func (q *coordinator) announce(ctx context.Context, identity string) error {
	document, err := job.Spec{Kind: history.KindSweep, Config: q.Plan.Config}.Encode()
	if err != nil {
		return err
	}
	a := q.Plan.Asked()
	b, err := encode(order{identity, document, a.Independent, a.Method, a.Metrics, a.Memory, a.Fastest, q.Options.Returns != nil})
	if err != nil {
		return err
	}
	if err := q.conn.ask(ctx, func(ctx context.Context) error {
		kv, err := q.conn.js.KeyValue(ctx, specBucket)
		if err == nil {
			_, err = kv.Put(ctx, q.id, b)
		}
		return err
	}); err != nil {
		return fmt.Errorf("announce a sweep to the farm: %w", err)
	}
	return q.purge(ctx, q.id)
}

// purge takes back what waits of this sweep, or below it of one coordinator. One that plays the same sweep at the same
// time asks again.
func (q *coordinator) purge(ctx context.Context, what string) error {
	for name, subject := range map[string]string{workStream: workSubject, resultStream: gainSubject} {
		if err := q.conn.ask(ctx, func(ctx context.Context) error {
			stream, err := q.conn.js.Stream(ctx, name)
			if err == nil {
				err = stream.Purge(ctx, jetstream.WithPurgeSubject(subject+what+".>"))
			}
			return err
		}); err != nil {
			return fmt.Errorf("take back ranges of a sweep: %w", err)
		}
	}
	return nil
}

// clear leaves nothing of the sweep on the farm, and of a whole one nothing in the database.
func (q *coordinator) clear(ctx context.Context, whole bool) error {
	errs := []error{q.purge(ctx, q.id+"."+q.turn)}
	if !whole {
		errs = append(errs, q.conn.nc.Publish(stopSubject+q.id, nil))
	}
	errs = append(errs, q.conn.nc.Flush())
	if whole {
		errs = append(errs, q.History.Write(ctx, func(tx *history.Tx) error { return tx.DropChunks(q.key()) }))
	}
	return errors.Join(errs...)
}

// key names the ranges in the database; ranges of other sizes would not fit together.
func (q *coordinator) key() string {
	return q.id + "/" + strconv.Itoa(q.Options.From) + "-" + strconv.Itoa(q.to) + "/" + strconv.Itoa(q.size)
}

func (q *coordinator) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if err := q.resume(ctx); err != nil {
		return err
	}
	results, err := q.conn.js.CreateOrUpdateConsumer(ctx, resultStream, jetstream.ConsumerConfig{Durable: "of-" + q.turn, FilterSubject: gainSubject + q.id + "." + q.turn + ".>",
		AckPolicy: jetstream.AckExplicitPolicy, AckWait: patience, MaxAckPending: 1000})
	if err != nil {
		return fmt.Errorf("sweep on a farm: %w", err)
	}
	defer func() { _ = q.conn.js.DeleteConsumer(context.WithoutCancel(ctx), resultStream, "of-"+q.turn) }() // it would expire
	watch, err := q.conn.nc.Subscribe("$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES."+workStream+"."+workers, func(m *nats.Msg) {
		if err := q.givenUp(ctx, m.Data); err != nil {
			cancel(err)
		}
	})
	if err != nil {
		return fmt.Errorf("sweep on a farm: %w", err)
	}
	defer func() { _ = watch.Unsubscribe() }()
	told, err := q.conn.nc.Subscribe(faultSubject+q.id, func(m *nats.Msg) { q.fault.Store(string(m.Data)) })
	if err != nil {
		return fmt.Errorf("sweep on a farm: %w", err)
	}
	defer func() { _ = told.Unsubscribe() }()
	for q.next < q.to {
		if err := q.send(ctx); err != nil {
			return because(ctx, err)
		}
		var batch jetstream.MessageBatch
		if err := q.conn.ask(ctx, func(context.Context) (err error) {
			batch, err = results.Fetch(100, jetstream.FetchMaxWait(pause))
			return err
		}); err != nil {
			return because(ctx, err)
		}
		q.quiet += pause
		for m := range batch.Messages() {
			q.quiet = 0
			if err := q.receive(ctx, m); err != nil {
				return because(ctx, err)
			}
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := batch.Error(); errors.Is(err, jetstream.ErrConsumerDeleted) || errors.Is(err, jetstream.ErrConsumerNotFound) {
			return fmt.Errorf("sweep on a farm: %w", err)
		}
		if q.quiet >= 4*pause {
			q.quiet = 0
			if err := q.again(ctx); err != nil {
				return because(ctx, err)
			}
		}
	}
	return nil
}

// again asks once more for ranges that are neither waiting nor being played and have not come in: somebody else who
// plays the same sweep took them, or the server forgot them.
func (q *coordinator) again(ctx context.Context) error {
	var info *jetstream.StreamInfo
	if err := q.conn.ask(ctx, func(ctx context.Context) error {
		stream, err := q.conn.js.Stream(ctx, workStream)
		if err == nil {
			info, err = stream.Info(ctx, jetstream.WithSubjectFilter(workSubject+q.id+"."+q.turn+".>"))
		}
		return err
	}); err != nil {
		return fmt.Errorf("look for ranges of a sweep that wait: %w", err)
	}
	if len(info.State.Subjects) == 0 {
		q.sent = q.next
		q.round++
	}
	return nil
}

// because is the cause for which ctx ended, or err while it goes on.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// givenUp explains a range that nobody could play; nil for one of another sweep.
func (q *coordinator) givenUp(ctx context.Context, advisory []byte) error {
	var a struct {
		Seq uint64 `json:"stream_seq"`
	}
	if err := json.Unmarshal(advisory, &a); err != nil {
		return nil
	}
	stream, err := q.conn.js.Stream(ctx, workStream)
	if err != nil {
		return nil
	}
	m, err := stream.GetMsg(ctx, a.Seq)
	if err != nil {
		return nil
	}
	var t task
	if decode(m.Data, &t) != nil || t.Sweep != q.id {
		return nil
	}
	why, _ := q.fault.Load().(string)
	if why == "" {
		why = "they ended without a word"
	}
	return fmt.Errorf("sweep on a farm: combinations %d to %d were given to workers %d times and none played them: %s", t.From, t.To, mostTries, why)
}

// resume finds out what an earlier run of the same sweep brought in.
func (q *coordinator) resume(ctx context.Context) error {
	return q.History.Read(ctx, func(tx *history.Tx) error {
		list, err := tx.Chunks(q.key())
		for _, first := range list {
			q.seen[first] = true
		}
		return err
	})
}

// send keeps workers busy, and no more than that.
func (q *coordinator) send(ctx context.Context) error {
	if err := q.handOut(ctx); err != nil {
		return err
	}
	for q.sent < q.to && q.sent < q.next+ahead*q.size {
		t := task{q.id, q.turn, q.round, q.sent, min(q.sent+q.size, q.to)}
		q.sent = t.To
		if q.seen[t.From] {
			continue
		}
		b, err := encode(t)
		if err != nil {
			return err
		}
		if err := q.conn.ask(ctx, func(ctx context.Context) error { // what was sent twice is one message
			_, err := q.conn.js.Publish(ctx, workSubject+q.id+"."+q.turn+"."+strconv.Itoa(t.From), b, jetstream.WithMsgID(fmt.Sprintf("%s/%d/%d", q.turn, t.From, t.Round)))
			return err
		}); err != nil {
			return fmt.Errorf("send combinations %d to %d to the farm: %w", t.From, t.To, err)
		}
	}
	return nil
}

// receive keeps a range in the database, then acknowledges it.
func (q *coordinator) receive(ctx context.Context, m jetstream.Msg) error {
	var g gain
	if err := decode(m.Data(), &g); err != nil {
		return err
	}
	if g.Failed != "" {
		_ = m.Ack()
		return fmt.Errorf("sweep on a farm: combinations %d to %d: %s", g.Task.From, g.Task.To, g.Failed)
	}
	fits := g.Task.From >= q.Options.From && g.Task.To <= q.to && (g.Task.From-q.Options.From)%q.size == 0 &&
		g.Task.To == min(g.Task.From+q.size, q.to)
	if fits && !q.seen[g.Task.From] {
		if err := q.History.Write(ctx, func(tx *history.Tx) error {
			return tx.AddChunk(q.key(), history.Chunk{First: g.Task.From, Last: g.Task.To, Content: m.Data()})
		}); err != nil {
			return err
		}
		q.seen[g.Task.From], q.have[g.Task.From] = true, &g
	}
	if err := m.Ack(); err != nil {
		return fmt.Errorf("acknowledge combinations %d to %d: %w", g.Task.From, g.Task.To, err)
	}
	return q.handOut(ctx)
}

// ready is the range whose turn it is, nil while it has not come in. What an earlier run brought in is in the
// database only.
func (q *coordinator) ready(ctx context.Context) (*gain, error) {
	if g := q.have[q.next]; g != nil || !q.seen[q.next] {
		delete(q.have, q.next)
		return g, nil
	}
	var g gain
	err := q.History.Read(ctx, func(tx *history.Tx) error {
		c, err := tx.Chunk(q.key(), q.next)
		if err != nil {
			return err
		}
		return decode(c.Content, &g)
	})
	return &g, err
}

// handOut gives the rows whose turn it is to the caller.
func (q *coordinator) handOut(ctx context.Context) error {
	for q.next < q.to {
		g, err := q.ready(ctx)
		if g == nil || err != nil {
			return err
		}
		q.next = g.Task.To
		q.all.Combinations(g.Task.To - g.Task.From)
		for _, f := range g.Faults {
			q.all.Fault(f.Symbol, errors.New(f.Text))
		}
		for i := range g.Rows {
			r := &g.Rows[i]
			if q.Options.Returns != nil {
				returns, err := g.returns(r)
				if err != nil {
					return err
				}
				if err := q.Options.Returns(returns); err != nil {
					return err
				}
			}
			if err := q.all.Add(&sweep.Row{Index: r.Index, Symbol: r.Symbol, Metrics: r.Metrics, Path: sweep.Path(r.Path), Reason: r.Reason}); err != nil {
				return err
			}
		}
		if q.Options.Progress != nil {
			q.Options.Progress(q.all.Progress((q.to - q.Options.From) * len(q.Plan.Symbols)))
		}
	}
	return nil
}
