package barfile

import (
	"fmt"
	"strconv"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// stamps reads the time column. What it understands: YYYY-MM-DD, YYYY/MM/DD and YYYYMMDD; the same
// with a time of day, in RFC 3339 or with a blank for the T; without a zone it is exchange time; whole
// numbers of 9 to 19 digits are seconds, milliseconds, microseconds or nanoseconds since 1970 UTC,
// by their size.
type stamps struct {
	dateOnly, timed  bool  // kinds seen so far
	naive            bool  // some time had no zone
	earliest, latest int64 // of those, nanoseconds from midnight
	notMidnight      bool  // some time of day, as written, was not 00:00
	civil            []instrument.Date
	cal              *bar.Calendar // whose clock it is where no zone is said; nil: that of the US exchanges

	text [10]byte // the date read last, and its value: rows of one day share it
	date instrument.Date
}

// read a field as ns UTC: of a date, midnight UTC.
func (s *stamps) read(b []byte) (int64, error) {
	if d, ok := s.dateOf(b); ok {
		if s.timed {
			return 0, fmt.Errorf("%q is a date, but rows above have a time of day", b)
		}
		s.dateOnly = true
		return d.Nanos(), nil
	}
	if s.dateOnly {
		return 0, fmt.Errorf("%q is not a date as in the rows above", b)
	}
	ns, civil, err := s.instant(b)
	if err != nil {
		return 0, err
	}
	s.timed = true
	s.civil = append(s.civil, civil)
	return ns, nil
}

// dateOf a field that is a date and nothing else.
func (s *stamps) dateOf(b []byte) (instrument.Date, bool) {
	if len(b) == 8 {
		y, ok1 := digits(b[:4])
		m, ok2 := digits(b[4:6])
		d, ok3 := digits(b[6:])
		if ok1 && ok2 && ok3 {
			return civil(y, m, d)
		}
		return 0, false
	}
	if len(b) != 10 {
		return 0, false
	}
	if string(s.text[:]) == string(b) {
		return s.date, true
	}
	y, ok1 := digits(b[:4])
	m, ok2 := digits(b[5:7])
	d, ok3 := digits(b[8:])
	if !ok1 || !ok2 || !ok3 || b[4] != b[7] || b[4] != '-' && b[4] != '/' {
		return 0, false
	}
	v, ok := civil(y, m, d)
	if ok {
		copy(s.text[:], b)
		s.date = v
	}
	return v, ok
}

// civil date, refusing days that a month does not have.
func civil(y, m, d int) (instrument.Date, bool) {
	if y < 1600 || m < 1 || m > 12 || d < 1 || d > 31 {
		return 0, false
	}
	v := instrument.NewDate(y, time.Month(m), d)
	return v, d <= 28 || v < instrument.NewDate(y, time.Month(m+1), 1)
}

func digits(b []byte) (int, bool) {
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// instant of a field that is not a bare date, and the date as it is written there.
func (s *stamps) instant(b []byte) (int64, instrument.Date, error) {
	if len(b) <= 10 || b[4] != '-' && b[4] != '/' {
		ns, ok := epoch(b)
		if !ok {
			return 0, 0, badTime(b)
		}
		d := instrument.DateOfNanos(ns)
		s.notMidnight = s.notMidnight || ns != d.Nanos()
		return ns, d, nil
	}
	d, ok := s.dateOf(b[:10])
	if !ok || b[10] != 'T' && b[10] != ' ' && b[10] != 't' {
		return 0, 0, badTime(b)
	}
	clock, rest, ok := clockOf(b[11:])
	if !ok {
		return 0, 0, badTime(b)
	}
	s.notMidnight = s.notMidnight || clock != 0
	if len(rest) == 0 {
		if !s.naive || clock < s.earliest {
			s.earliest = clock
		}
		s.naive, s.latest = true, max(s.latest, clock)
		return s.clock().At(d, time.Duration(clock)), d, nil
	}
	offset, ok := zoneOf(rest)
	if !ok {
		return 0, 0, badTime(b)
	}
	return d.Nanos() + clock - offset, d, nil
}

// clock of the market.
func (s *stamps) clock() *bar.Calendar {
	if s.cal == nil {
		return bar.NYSE()
	}
	return s.cal
}

func badTime(b []byte) error {
	return fmt.Errorf("%q is not a time: want YYYY-MM-DD, RFC 3339, or a whole number of seconds, ms, us or ns since 1970", b)
}

// epoch reads 9 to 19 digits; 8 would be a date. The year 1973 in seconds has 9, so has 5138 in none
// of the finer units: sizes do not overlap for times that bars can have.
func epoch(b []byte) (int64, bool) {
	if len(b) < 9 || len(b) > 19 {
		return 0, false
	}
	v, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil || v < 0 {
		return 0, false
	}
	switch {
	case v < 1e11:
		return v * 1e9, true
	case v < 1e14:
		return v * 1e6, true
	case v < 1e17:
		return v * 1e3, true
	}
	return v, true
}

// clockOf reads HH:MM[:SS[.fraction]] and gives ns since midnight and what follows.
func clockOf(b []byte) (int64, []byte, bool) {
	if len(b) < 5 || b[2] != ':' {
		return 0, nil, false
	}
	h, ok1 := digits(b[:2])
	m, ok2 := digits(b[3:5])
	if !ok1 || !ok2 || h > 23 || m > 59 {
		return 0, nil, false
	}
	ns := (int64(h)*60 + int64(m)) * 60e9
	b = b[5:]
	if len(b) < 3 || b[0] != ':' {
		return ns, b, true
	}
	sec, ok := digits(b[1:3])
	if !ok || sec > 59 {
		return 0, nil, false
	}
	ns += int64(sec) * 1e9
	b = b[3:]
	if len(b) < 2 || b[0] != '.' {
		return ns, b, true
	}
	unit, i := int64(1e8), 1
	for ; i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
		ns += int64(b[i]-'0') * unit
		unit /= 10
	}
	return ns, b[i:], i > 1
}

// zoneOf reads Z, +HH:MM or +HHMM as ns east of UTC.
func zoneOf(b []byte) (int64, bool) {
	if len(b) == 1 && (b[0] == 'Z' || b[0] == 'z') {
		return 0, true
	}
	if len(b) == 6 && b[3] == ':' {
		b = []byte{b[0], b[1], b[2], b[4], b[5]}
	}
	if len(b) != 5 || b[0] != '+' && b[0] != '-' {
		return 0, false
	}
	h, ok1 := digits(b[1:3])
	m, ok2 := digits(b[3:5])
	ns := (int64(h)*60 + int64(m)) * 60e9
	if b[0] == '-' {
		ns = -ns
	}
	return ns, ok1 && ok2 && h <= 23 && m <= 59
}
