package server

import (
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limiter gives every address a number of requests a second and a reserve for bursts.
type limiter struct {
	perSecond float64
	burst     int
	now       func() time.Time

	mu      sync.Mutex
	buckets map[netip.Prefix]*bucket
	swept   time.Time
}

type bucket struct {
	*rate.Limiter
	used time.Time
}

// mostBuckets bounds the memory that a flood of addresses takes; then the oldest are forgotten early.
const mostBuckets = 50_000

func newLimiter(perSecond float64, burst int, now func() time.Time) *limiter {
	return &limiter{perSecond: perSecond, burst: burst, now: now, buckets: map[netip.Prefix]*bucket{}, swept: now()}
}

// networkOf is whose requests are counted together: an IPv4 address, or the /64 that a home has of IPv6.
func networkOf(a netip.Addr) netip.Prefix {
	bits := 32
	if a = a.Unmap().WithZone(""); a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // of no address: the zero prefix
	return p
}

// take counts one request; wait > 0 when there were too many, left is the reserve otherwise.
func (l *limiter) take(a netip.Addr) (left int, wait time.Duration) {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.swept) > time.Minute || len(l.buckets) >= mostBuckets {
		for k, b := range l.buckets {
			if now.Sub(b.used) > time.Minute || len(l.buckets) >= mostBuckets {
				delete(l.buckets, k)
			}
		}
		l.swept = now
	}
	k := networkOf(a)
	b := l.buckets[k]
	if b == nil {
		b = &bucket{Limiter: rate.NewLimiter(rate.Limit(l.perSecond), l.burst)}
		l.buckets[k] = b
	}
	b.used = now
	r := b.ReserveN(now, 1)
	if wait = r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
		return 0, wait
	}
	return int(b.TokensAt(now)), 0
}

// limits refuses clients that ask too often. What asks whether the server lives is never refused.
func (s *Server) limits(next http.Handler) http.Handler {
	policy := `"api";q=` + strconv.Itoa(s.limiter.burst) + `;w=` + strconv.Itoa(max(1, int(float64(s.limiter.burst)/s.limiter.perSecond)))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/health" || r.URL.Path == "/api/health/live" || r.URL.Path == "/api/health/ready" {
			next.ServeHTTP(w, r)
			return
		}
		left, wait := s.limiter.take(client(r.Context()))
		w.Header().Set("RateLimit-Policy", policy)
		w.Header().Set("RateLimit", `"api";r=`+strconv.Itoa(left)+`;t=`+strconv.Itoa(int((wait+time.Second-1)/time.Second)))
		if wait > 0 {
			s.write(w, r, retry(problem("rate-limited", "more than "+strconv.FormatFloat(s.limiter.perSecond, 'g', -1, 64)+" requests a second"), wait))
			return
		}
		next.ServeHTTP(w, r)
	})
}
