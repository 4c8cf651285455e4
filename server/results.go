package server

import (
	"container/list"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"backtester/backtest"
	"backtester/backtest/history"
	"backtester/backtest/job"
	"backtester/backtest/stats"
)

// storedResult is the result of a run as far as pages need it.
type storedResult struct {
	Config    json.RawMessage `json:"config"`
	Data      json.RawMessage `json:"data"`
	Metrics   Metrics         `json:"-"`
	figures   stats.Metrics
	Trades    []backtest.Trade    `json:"trades"`
	Fills     []backtest.Fill     `json:"fills"`
	Equity    storedCurve         `json:"equity"`
	Benchmark *storedCurve        `json:"benchmark"`
	Counts    json.RawMessage     `json:"counts"`
	Path      string              `json:"path"`
	Warnings  []backtest.Warning  `json:"warnings"`
	Ambiguity *backtest.Ambiguity `json:"ambiguity"`
	size      int64
	exposed   func() exposure
}

// UnmarshalJSON reads the metrics as they are shown, and as what rules judge.
func (x *storedResult) UnmarshalJSON(text []byte) error {
	type plain storedResult // without this method
	var in struct {
		*plain
		Metrics json.RawMessage `json:"metrics"`
	}
	in.plain = (*plain)(x)
	if err := json.Unmarshal(text, &in); err != nil {
		return err
	}
	return errors.Join(json.Unmarshal(in.Metrics, &x.Metrics), json.Unmarshal(in.Metrics, &x.figures))
}

// head is what every answer about the run says: small, however large the result is.
func (x *storedResult) head() *storedResult {
	return &storedResult{Metrics: x.Metrics, figures: x.figures, Path: x.Path, Warnings: x.Warnings, size: headSize}
}

type storedCurve struct {
	Time  backtest.Times `json:"time"`
	Value []float64      `json:"value"`
}

// resultCache keeps the results that were read last: a page asks for its curve, its trades and its
// fills one after the other. A large result has a place of its own, the last one that was read, so that going
// through its pages does not read all of it for each; it is dropped when nobody asked for a while.
type resultCache struct {
	mu    sync.Mutex
	order *list.List // of *cached, the newest first
	byID  map[string]*list.Element
	bytes int64
	most  int64

	reading sync.Mutex // held while a large result is read: two at once would not fit
	large   *cached
	idle    *time.Timer
}

type cached struct {
	key    string
	result *storedResult
}

// What the files of the results that are kept may have together, and what a head counts for.
const (
	mostCached = 32 << 20
	mostHeads  = 4 << 20
	headSize   = 16 << 10
)

// A file of more than this is never kept, and a large one no longer than this after it was asked for.
const (
	mostLarge  = 512 << 20
	largeStays = 2 * time.Minute
)

// isLarge reports whether a file of a size has the place of its own.
func (c *resultCache) isLarge(size int64) bool { return size > c.most/2 }

func newResultCache(most int64) *resultCache {
	return &resultCache{order: list.New(), byID: map[string]*list.Element{}, most: most}
}

func (c *resultCache) get(key string) *storedResult {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.byID[key]; e != nil {
		c.order.MoveToFront(e)
		return e.Value.(*cached).result
	}
	if c.large != nil && c.large.key == key {
		c.idle.Reset(largeStays)
		return c.large.result
	}
	return nil
}

// keepLarge puts a result into the place of its own.
func (c *resultCache) keepLarge(x *cached) {
	if c.idle != nil {
		c.idle.Stop()
	}
	c.large = x
	c.idle = time.AfterFunc(largeStays, func() { c.forget(x) })
}

func (c *resultCache) forget(x *cached) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.large == x {
		c.large = nil
	}
}

func (c *resultCache) put(key string, r *storedResult) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.byID[key] != nil || r.size > mostLarge:
		return
	case c.isLarge(r.size):
		c.keepLarge(&cached{key, r})
		return
	}
	c.byID[key] = c.order.PushFront(&cached{key, r})
	for c.bytes += r.size; c.bytes > c.most; {
		last := c.order.Back()
		old := c.order.Remove(last).(*cached)
		delete(c.byID, old.key)
		c.bytes -= old.result.size
	}
}

// resultArtifact is the file that holds the result of a run.
func resultArtifact(r *history.Run) (history.Artifact, error) {
	for _, a := range r.Artifacts {
		if strings.HasPrefix(a.Name, "runs/") && strings.HasSuffix(a.Name, ".json") {
			return a, nil
		}
	}
	return history.Artifact{}, problem("not-found", "the run has no result of its own")
}

// finished is a run that has succeeded.
func (s *Server) finished(ctx context.Context, id string) (*history.Run, error) {
	r, err := s.run(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case !r.State.Ended():
		return nil, problem("not-finished", "it is "+string(r.State))
	case r.State != history.Succeeded:
		return nil, problem("not-found", "the run has "+string(r.State)+": it left no result")
	}
	return r, nil
}

// run is a run that whoever asks may read: their own, or one that somebody shared with all who are signed in.
// Anything else is not there.
func (s *Server) run(ctx context.Context, id string) (*history.Run, error) {
	if !history.ValidID(id) {
		return nil, problem("not-found", "there is no such run")
	}
	return s.Jobs.Run(ctx, owner(ctx), id)
}

// own is a run that whoever asks may change. That they may read it is no secret any more.
func (s *Server) own(ctx context.Context, id string) (*history.Run, error) {
	r, err := s.run(ctx, id)
	if err == nil && r.Owner != owner(ctx) {
		return nil, problem("forbidden", "somebody else shared this run: only who made it may change it")
	}
	return r, err
}

// result reads the stored result of a run.
func (s *Server) result(_ context.Context, r *history.Run) (*storedResult, error) {
	if r.Kind != history.KindRun {
		return nil, problem("not-found", "it is a "+string(r.Kind)+", which has no trades and no curve of its own")
	}
	a, err := resultArtifact(r)
	if err != nil {
		return nil, err
	}
	if x := s.results.get(a.SHA256); x != nil {
		return x, nil
	}
	if s.results.isLarge(a.Bytes) {
		s.results.reading.Lock()
		defer s.results.reading.Unlock()
		if x := s.results.get(a.SHA256); x != nil {
			return x, nil // somebody else has read it meanwhile
		}
	}
	f, err := s.Jobs.Open(a)
	if err != nil {
		return nil, jobProblem(err)
	}
	defer f.Close()
	if err := job.Check(f, a); err != nil {
		return nil, jobProblem(err)
	}
	x := &storedResult{size: a.Bytes}
	x.exposed = sync.OnceValue(func() exposure { return exposureOf(x) })
	text, err := io.ReadAll(f)
	if err == nil {
		err = json.Unmarshal(text, x)
	}
	if err != nil {
		return nil, fmt.Errorf("read the result of run %s: %w", r.ID, err)
	}
	s.results.put(a.SHA256, x)
	return x, nil
}

// headOf is the head of a run's result.
func (s *Server) headOf(ctx context.Context, r *history.Run) (*storedResult, error) {
	a, err := resultArtifact(r)
	if err != nil {
		return nil, err
	}
	if x := s.heads.get(a.SHA256); x != nil {
		return x, nil
	}
	x, err := s.result(ctx, r)
	if err != nil {
		return nil, err
	}
	s.heads.put(a.SHA256, x.head())
	return x, nil
}
