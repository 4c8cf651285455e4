package server

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// A planned restart loses no request. http.Server.Shutdown alone drops a request that it has read and
// not begun, so it comes last, when nothing is left to drop:
//
//  1. the listener is closed; whoever keeps the port open meanwhile (the service manager, which has the
//     listener too) lets clients wait for the next server,
//  2. every answer says Connection: close,
//  3. connections that carry a request are waited for, at least settle and at most patience: with what else goes
//     down this is less than the service manager waits (TimeoutStopSec), and less than a proxy waits for an answer,
//  4. then Shutdown.
const (
	settle   = 300 * time.Millisecond
	patience = 35 * time.Second
)

// connections counts those that may carry a request.
type connections struct {
	mu   sync.Mutex
	open map[net.Conn]http.ConnState
}

// track is a ConnState hook.
func (c *connections) track(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == nil {
		c.open = map[net.Conn]http.ConnState{}
	}
	switch state {
	case http.StateNew, http.StateActive:
		c.open[conn] = state
	default:
		delete(c.open, conn)
	}
}

func (c *connections) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.open)
}

// HTTP is a server for the handler with all limits of time and size.
func (s *Server) HTTP() *http.Server {
	h := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      2 * time.Minute, // event streams move theirs
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ConnState:         s.busy.track,
	}
	return h
}

// Serve answers on l until ctx ends, then drains; hard ends the drain early. draining is told when the
// draining begins. Runs are not touched: drain the queue afterwards.
func (s *Server) Serve(ctx context.Context, l net.Listener, h *http.Server, draining func()) error {
	failed := make(chan error, 1)
	go func() { failed <- h.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	s.draining.Store(true)
	if draining != nil {
		draining()
	}
	err := l.Close()
	<-failed // it says that the listener was closed
	close(s.drain)
	s.settle()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if e := h.Shutdown(stop); e != nil {
		return errors.Join(err, h.Close())
	}
	return err
}

// settle waits until no connection carries a request.
func (s *Server) settle() {
	const step = 10 * time.Millisecond
	bounded, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	quiet := time.Duration(0) // counted in looks: a process that gets no time looks seldom
	for bounded.Err() == nil && quiet < settle {
		time.Sleep(step)
		if quiet += step; s.busy.count() > 0 {
			quiet = 0
		}
	}
}
