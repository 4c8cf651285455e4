package server

import (
	"context"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are what a monitor reads, on a listener of their own. Labels have few values: routes, never
// addresses, names or ids.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	inFlight prometheus.Gauge
	panics   prometheus.Counter
	logins   *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "backtester_http_requests_total", Help: "Requests answered."}, []string{"method", "route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "backtester_http_request_seconds", Help: "Time to answer.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}}, []string{"route"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "backtester_http_in_flight", Help: "Requests being answered."}),
		panics:   prometheus.NewCounter(prometheus.CounterOpts{Name: "backtester_panics_total", Help: "Panics of handlers: faults of the program."}),
		logins:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "backtester_logins_total", Help: "Logins by outcome."}, []string{"outcome"}),
	}
	m.registry.MustRegister(m.requests, m.seconds, m.inFlight, m.panics, m.logins, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// watch adds what is counted when a monitor asks.
func (m *metrics) watch(s *Server) {
	gauge := func(name, help string, value func() float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	queue := func(running bool) func() float64 {
		return func() float64 {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			l, err := s.queue(ctx)
			switch {
			case err != nil:
				return -1
			case running:
				return float64(l.AllRunning)
			}
			return float64(l.AllQueued)
		}
	}
	gauge("backtester_runs_queued", "Runs that wait; -1 when the database does not answer.", queue(false))
	gauge("backtester_runs_running", "Runs that are computed; -1 when the database does not answer.", queue(true))
	gauge("backtester_event_streams", "Event streams that are open.", func() float64 {
		s.streams.mu.Lock()
		defer s.streams.mu.Unlock()
		return float64(s.streams.all)
	})
	gauge("backtester_draining", "1 while the server goes down.", func() float64 {
		if s.draining.Load() {
			return 1
		}
		return 0
	})
}

// Metrics answers monitors, and whoever asks what the process spends its time and memory on. It is for a
// listener of its own that only this machine reaches: it asks nobody who he is.
func (s *Server) Metrics() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	return mux
}
