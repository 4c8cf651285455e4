package job

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"time"

	"backtester/backtest/history"
)

// Event is something that happened to a run. IDs rise, across restarts too.
type Event struct {
	ID   int64
	Type string // state, progress, partial, rows, log; done, failed and cancelled are the last; restart ends a stream early
	Data json.RawMessage
}

// ringSize is how many events of a run are kept for those who come back.
const ringSize = 1000

// spacing is the least time between two events of progress.
const spacing = 100 * time.Millisecond

// mostPoints of the equity curve in one event.
const mostPoints = 200

// progressData is the data of a progress event.
type progressData struct {
	Fraction float64  `json:"fraction"`
	Done     int64    `json:"done"`
	Total    int64    `json:"total"`
	ETA      *float64 `json:"eta_s"` // seconds; null while nothing can be said
}

// partialData is the data of a partial event: new points of the equity curve.
type partialData struct {
	Time  []string  `json:"time"`
	Value []float64 `json:"value"`
}

// streams are the events of runs.
type streams struct {
	now  func() time.Time
	mu   sync.Mutex
	runs map[string]*stream
}

// stream of one run that this process knows of: executed here, or watched from here.
type stream struct {
	ring    []Event
	next    int64         // id of the next event
	changed chan struct{} // closed at the next event
	over    bool          // the last event is in the ring
	users   int

	started  time.Time
	told     time.Time
	latest   progressData
	pending  partialData
	rows     Rows // of a search so far
	untold   Rows // those of them that were not told
	unspoken bool // latest was not told
}

func (s *streams) init(now func() time.Time) { s.now, s.runs = now, map[string]*stream{} }

// stream finds or makes that of a run. Ids begin at the clock, so that they rise over restarts.
func (s *streams) stream(id string) *stream {
	st := s.runs[id]
	if st == nil {
		st = &stream{next: s.now().UnixMilli() << 10, changed: make(chan struct{})}
		s.runs[id] = st
	}
	return st
}

func (st *stream) add(kind string, data any) {
	b, err := json.Marshal(data)
	if err != nil {
		b = []byte(`null`) // numbers that are not finite are left out before
	}
	if len(st.ring) == ringSize {
		st.ring = append(st.ring[:0], st.ring[ringSize/10:]...)
	}
	st.ring = append(st.ring, Event{st.next, kind, b})
	st.next++
	close(st.changed)
	st.changed = make(chan struct{})
}

// opened says that a run starts.
func (s *streams) opened(run *history.Run) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stream(run.ID)
	st.started, st.over, st.rows, st.untold = s.now(), false, Rows{}, Rows{}
	st.add("state", run)
}

// progress tells how far a run is, at most ten times a second.
func (s *streams) progress(id string, p Step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.runs[id]
	if st == nil || st.over {
		return
	}
	if p.Note != "" {
		st.add("log", map[string]string{"line": p.Note})
	}
	for i, ns := range p.Time {
		st.pending.Time = append(st.pending.Time, time.Unix(0, ns).UTC().Format(time.RFC3339))
		st.pending.Value = append(st.pending.Value, p.Equity[i])
	}
	if p.Rows != nil && len(st.rows.Symbol) < mostTold {
		st.rows.join(p.Rows)
		st.untold.join(p.Rows)
	}
	if p.Total > 0 {
		st.latest = progressData{Fraction: float64(p.Done) / float64(p.Total), Done: p.Done, Total: p.Total}
		if took := s.now().Sub(st.started).Seconds(); p.Done > 0 && took > 0 {
			left := took / float64(p.Done) * float64(p.Total-p.Done)
			st.latest.ETA = &left
		}
		st.unspoken = true
	}
	if now := s.now(); now.Sub(st.told) >= spacing {
		st.told = now
		st.flush()
	}
}

// flush says what was held back.
func (st *stream) flush() {
	if st.unspoken {
		st.add("progress", st.latest)
		st.unspoken = false
	}
	if len(st.pending.Time) > 0 {
		st.add("partial", st.pending.thinned())
		st.pending = partialData{}
	}
	if len(st.untold.Symbol) > 0 {
		st.add("rows", &st.untold)
		st.untold = Rows{}
	}
}

// thinned keeps the last point and an even choice of the others.
func (p partialData) thinned() partialData {
	n := len(p.Time)
	if n <= mostPoints {
		return p
	}
	var out partialData
	for k := 1; k <= mostPoints; k++ {
		i := k*n/mostPoints - 1
		out.Time, out.Value = append(out.Time, p.Time[i]), append(out.Value, p.Value[i])
	}
	return out
}

// finished says how a run ended; a run that goes back in the queue goes on later.
func (s *streams) finished(id string, state history.State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.runs[id]
	if st == nil {
		return
	}
	st.flush()
	switch state {
	case history.Succeeded:
		st.add("done", stateData{state})
	case history.Failed, history.Cancelled:
		st.add(string(state), stateData{state})
	default:
		st.add("state", stateData{state})
		return
	}
	st.over = true
	s.drop(id, st)
}

type stateData struct {
	Status history.State `json:"status"`
}

// ceased says that this process knows no more of a run.
func (s *streams) ceased(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.runs[id]; st != nil {
		st.add("restart", struct{}{})
		st.over = true
		s.drop(id, st)
	}
}

// drop forgets a stream that is over and that nobody reads: the history knows the rest.
func (s *streams) drop(id string, st *stream) {
	if st.over && st.users == 0 {
		delete(s.runs, id)
	}
}

// shut ends every stream with a restart event: their readers come back to the next server.
func (s *streams) shut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range s.runs {
		if !st.over {
			st.add("restart", struct{}{})
			st.over = true
		}
	}
}

// Subscription reads the events of a run. It is for one goroutine.
type Subscription struct {
	s          *Service
	reader, id string
	stream     *stream // nil for a run that had ended
	after      int64
	ended      *history.Run // told at once when the run had ended before
	fresh      bool         // the next event is a snapshot of the state
	begun      bool         // that snapshot was told: the rows of a search so far come next
	closed     bool
}

// Events follows a run from after the event given; 0, and events that are not kept any more, begin with
// a state event that holds all of the run, and of a search a rows event with all of its rows. The stream ends with done, failed, cancelled or restart.
func (s *Service) Events(ctx context.Context, reader, id string, after int64) (*Subscription, error) {
	run, err := s.Run(ctx, reader, id)
	if err != nil {
		return nil, err
	}
	sub := &Subscription{s: s, reader: reader, id: id, after: after, fresh: true}
	s.streams.mu.Lock()
	defer s.streams.mu.Unlock()
	st := s.runs[id]
	if st == nil {
		if run.State.Ended() {
			sub.ended = run
			return sub, nil
		}
		st = s.streams.stream(id)
	}
	st.users++
	sub.stream = st
	if n := len(st.ring); n > 0 && after >= st.ring[0].ID-1 && after < st.next && after != 0 {
		sub.fresh = false
	}
	return sub, nil
}

// Next waits for the next event. It is io.EOF after the last one.
func (u *Subscription) Next(ctx context.Context) (Event, error) {
	if u.stream == nil {
		return u.past()
	}
	for {
		e, changed, err := u.look(ctx)
		if err != nil || changed == nil {
			return e, err
		}
		t := time.NewTimer(pace)
		select {
		case <-changed:
		case <-t.C:
			u.check(ctx)
		case <-ctx.Done():
			t.Stop()
			return Event{}, ctx.Err()
		}
		t.Stop()
	}
}

// past tells of a run that had ended before anybody asked.
func (u *Subscription) past() (Event, error) {
	base := u.ended.Finished.UnixMilli()<<10 | 1023 // after everything that was told while it ran
	switch {
	case u.fresh:
		u.fresh = false
		if u.after >= base+1 {
			return Event{}, io.EOF
		}
		return event(base, "state", u.ended), nil
	case u.closed:
		return Event{}, io.EOF
	}
	u.closed = true
	kind := string(u.ended.State)
	if u.ended.State == history.Succeeded {
		kind = "done"
	}
	return event(base+1, kind, stateData{u.ended.State}), nil
}

func event(id int64, kind string, data any) Event {
	b, err := json.Marshal(data)
	if err != nil {
		b = []byte(`null`)
	}
	return Event{id, kind, b}
}

// look takes the next event that is there, or says what to wait for.
func (u *Subscription) look(ctx context.Context) (e Event, changed chan struct{}, err error) {
	u.s.streams.mu.Lock()
	st := u.stream
	first := st.next
	if len(st.ring) > 0 {
		first = st.ring[0].ID
	}
	if !u.fresh && u.after < first-1 {
		u.fresh = true // too slow: what it missed is gone
	}
	if u.fresh {
		last := st.next - 1
		over := st.over
		u.s.streams.mu.Unlock()
		run, err := u.s.Run(ctx, u.reader, u.id)
		if err != nil {
			return Event{}, nil, err
		}
		u.fresh, u.begun = false, true
		u.after = last
		if over {
			u.after = last - 1 // the end is told apart
		}
		return event(u.after-1, "state", run), nil, nil
	}
	defer u.s.streams.mu.Unlock()
	if u.begun {
		u.begun = false
		if len(st.rows.Symbol) > 0 {
			return event(u.after, "rows", &st.rows), nil, nil // some may be told again later
		}
	}
	for i := range st.ring {
		if st.ring[i].ID > u.after {
			u.after = st.ring[i].ID
			return st.ring[i], nil, nil
		}
	}
	if st.over {
		return Event{}, nil, io.EOF
	}
	return Event{}, st.changed, nil
}

// check looks whether another server has ended the run, for all who follow it here.
func (u *Subscription) check(ctx context.Context) {
	run, err := u.s.Run(ctx, "", u.id)
	gone := errors.Is(err, history.ErrNotFound)
	if err != nil && !gone || err == nil && !run.State.Ended() {
		return
	}
	u.s.mu.Lock()
	here := u.s.going[u.id] != nil
	u.s.mu.Unlock()
	switch {
	case here:
	case gone:
		u.s.ceased(u.id)
	default:
		u.s.finished(u.id, run.State)
	}
}

// Close ends the subscription.
func (u *Subscription) Close() {
	if u.stream == nil || u.closed {
		return
	}
	u.closed = true
	u.s.streams.mu.Lock()
	defer u.s.streams.mu.Unlock()
	u.stream.users--
	u.s.drop(u.id, u.stream)
}
