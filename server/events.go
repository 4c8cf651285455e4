package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"backtester/backtest/job"
	"backtester/server/account"
)

// Event streams are bounded: each holds a connection.
const (
	streamsPerUser = 10
	streamsOfAll   = 500
	streamPing     = 15 * time.Second
	streamWrite    = 10 * time.Second
	streamLongest  = 30 * time.Minute
)

// counts are how many streams are open, by user.
type counts struct {
	mu  sync.Mutex
	by  map[string]int
	all int
}

func newCounts() *counts { return &counts{by: map[string]int{}} }

func (c *counts) enter(user string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by[user] >= streamsPerUser || c.all >= streamsOfAll {
		return false
	}
	c.by[user]++
	c.all++
	return true
}

func (c *counts) leave(user string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all--
	if c.by[user]--; c.by[user] == 0 {
		delete(c.by, user)
	}
}

type eventsInput struct {
	RunInput
	LastEventID string `header:"Last-Event-ID" maxLength:"40"`
}

type streamOutput struct {
	Body func(huma.Context)
}

func (s *Server) events(ctx context.Context, in *eventsInput) (*streamOutput, error) {
	run, err := s.run(ctx, in.RunID)
	if err != nil {
		return nil, err
	}
	after, _ := strconv.ParseInt(in.LastEventID, 10, 64) // what is no id of ours begins anew
	who := owner(ctx)
	if !s.streams.enter(who) {
		return nil, retry(problem("rate-limited", "at most "+strconv.Itoa(streamsPerUser)+" event streams of one user, "+strconv.Itoa(streamsOfAll)+" of all"), 5*time.Second)
	}
	sub, err := s.Jobs.Events(ctx, who, in.RunID, max(0, after))
	if err != nil {
		s.streams.leave(who)
		return nil, err
	}
	return &streamOutput{func(c huma.Context) {
		defer s.streams.leave(who)
		defer sub.Close()
		r, w := humachi.Unwrap(c)
		s.stream(w, r.WithContext(ctx), sub, follower{s, run.ID, run.Owner != who})
	}}, nil
}

// follower is who follows a run.
type follower struct {
	s     *Server
	run   string
	guest bool // it is somebody else's, who shared it
}

// may reports whether the run is still theirs to read.
func (f follower) may(ctx context.Context) bool {
	if !f.guest {
		return true
	}
	_, err := f.s.run(ctx, f.run)
	return err == nil
}

// told is an event as they may see it.
func (f follower) told(e job.Event) job.Event {
	if f.guest && e.Type == "state" {
		e.Data = unlabelled(e.Data)
	}
	return e
}

// stream writes events until the run has ended or is not shared any more, the client or the server goes, or the
// session ends.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, sub *job.Subscription, who follower) {
	ctx, cancel := context.WithTimeout(r.Context(), streamLongest)
	defer cancel()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	out := &eventWriter{w: w, control: http.NewResponseController(w), now: s.Now}
	if out.write("retry: 2000\n\n") != nil {
		return
	}
	events := make(chan job.Event)
	var failed error
	go func() {
		defer close(events)
		for {
			e, err := sub.Next(ctx)
			if err != nil {
				failed = err
				return
			}
			select {
			case events <- e:
			case <-ctx.Done():
				return
			}
		}
	}()
	defer func() { cancel(); drainEvents(events) }()
	ping := time.NewTicker(s.Ping)
	defer ping.Stop()
	for {
		var err error
		select {
		case e, open := <-events:
			if !open {
				if failed != nil && !errors.Is(failed, io.EOF) && ctx.Err() == nil {
					s.fail(ctx, failed)
				}
				return
			}
			err = out.event(who.told(e))
		case <-ping.C:
			if s.Accounts != nil && errors.Is(s.Accounts.Lives(ctx, identity(ctx)), account.ErrToken) || !who.may(ctx) {
				return // logged out, or shut out
			}
			err = out.write(": ping\n\n")
		case <-s.drain:
			_ = out.write("event: restart\ndata: {}\n\n") // it goes either way
			return
		}
		if err != nil {
			return
		}
	}
}

// drainEvents lets the reader of a subscription end before it is closed.
func drainEvents(events <-chan job.Event) {
	for range events {
	}
}

// eventWriter writes with a deadline: a client that does not read must not hold a worker's events.
type eventWriter struct {
	w       io.Writer
	control *http.ResponseController
	now     func() time.Time
}

func (o *eventWriter) write(text string) error {
	if err := o.control.SetWriteDeadline(o.now().Add(streamWrite)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := io.WriteString(o.w, text); err != nil {
		return err
	}
	return o.control.Flush()
}

func (o *eventWriter) event(e job.Event) error {
	return o.write("id: " + strconv.FormatInt(e.ID, 10) + "\nevent: " + e.Type + "\ndata: " + string(e.Data) + "\n\n")
}
