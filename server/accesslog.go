package server

import (
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
)

// recorder sees what goes out.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// ReadFrom keeps the kernel's way of sending files.
func (w *recorder) ReadFrom(r io.Reader) (int64, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := io.Copy(w.ResponseWriter, r)
	w.bytes += n
	return n, err
}

// Unwrap lets http.ResponseController through.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// observe writes the line of each request and counts it. The line is the combined format that every
// reader of logs knows, with the request id and the time it took behind; there is no query in it: it
// may hold what people look for.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := s.Now()
		rec := &recorder{ResponseWriter: w}
		s.metrics.inFlight.Inc()
		defer func() {
			s.metrics.inFlight.Dec()
			took := max(0, s.Now().Sub(begun))
			route := chi.RouteContext(r.Context()).RoutePattern()
			if route == "" {
				route = "other"
			}
			s.metrics.requests.WithLabelValues(methodLabel(r.Method), route, strconv.Itoa(rec.status)).Inc()
			s.metrics.seconds.WithLabelValues(route).Observe(took.Seconds())
			if s.Access != nil && (s.LogHealth || !strings.HasPrefix(r.URL.Path, "/api/health") || rec.status >= 400) {
				s.access(r, rec, begun, took)
			}
		}()
		next.ServeHTTP(rec, r)
	})
}

func (s *Server) access(r *http.Request, rec *recorder, begun time.Time, took time.Duration) {
	b := make([]byte, 0, 256)
	b = append(b, client(r.Context()).String()...)
	b = append(b, " - - ["...)
	b = begun.AppendFormat(b, "02/Jan/2006:15:04:05 -0700")
	b = append(b, "] "...)
	b = appendQuoted(b, r.Method+" "+r.URL.EscapedPath()+" "+r.Proto)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(rec.status), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, rec.bytes, 10)
	b = append(b, ' ')
	b = appendQuoted(b, "-") // pages do not say where they come from
	b = append(b, ' ')
	b = appendQuoted(b, clip(r.UserAgent(), 200))
	b = append(b, ' ')
	b = append(b, requestID(r.Context())...)
	b = append(b, ' ')
	b = strconv.AppendFloat(b, took.Seconds(), 'f', 6, 64)
	b = append(b, '\n')
	_, _ = s.Access.Write(b) // a log that cannot be written must not stop the service; health says so
}

// appendQuoted quotes so that no client can make up a line of the log.
func appendQuoted(b []byte, s string) []byte {
	if s == "" {
		s = "-"
	}
	return strconv.AppendQuoteToASCII(b, clip(s, 1000))
}

// methodLabel bounds the values of a label: clients may send any method.
func methodLabel(m string) string {
	switch m {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
		return m
	}
	return "other"
}

// stack is where a panic happened.
func stack() string {
	b := make([]byte, 8<<10)
	return string(b[:runtime.Stack(b, false)])
}
