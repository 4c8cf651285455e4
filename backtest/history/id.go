package history

import (
	"crypto/rand"
	"io"
	"regexp"
	"time"

	"github.com/oklog/ulid/v2"
)

// idSource makes ids that rise even within a millisecond and when the clock is set back.
type idSource struct {
	now     func() time.Time
	entropy ulid.MonotonicEntropy
	last    uint64
}

func newIDSource(now func() time.Time, entropy io.Reader) *idSource {
	if entropy == nil {
		entropy = rand.Reader
	}
	return &idSource{now: now, entropy: *ulid.Monotonic(entropy, 0)}
}

func (s *idSource) next() string {
	s.last = max(s.last, ulid.Timestamp(s.now()))
	id, err := ulid.New(s.last, &s.entropy)
	for err != nil { // the 80 bits of one millisecond are used up: take the next
		s.last++
		id, err = ulid.New(s.last, &s.entropy)
	}
	return id.String()
}

var idPattern = regexp.MustCompile(`^[0-7][0-9A-HJKMNP-TV-Z]{25}$`)

// ValidID reports whether id could be the id of a run.
func ValidID(id string) bool { return idPattern.MatchString(id) }
