package bar

import (
	"fmt"
	"strconv"
	"time"
)

// Unit of a Frame.
type Unit byte

const (
	Minute Unit = 'm'
	Hour   Unit = 'h'
	Day    Unit = 'd'
	Week   Unit = 'w'
	Month  Unit = 'M'
)

// Frame is the length of a bar: 1m, 5m, 15m, 30m, 1h, 4h, 1d, 1w, 1M.
type Frame struct {
	N    int
	Unit Unit
}

// Frames that have names of their own because they are stored.
var (
	Daily    = Frame{1, Day}
	Minutely = Frame{1, Minute}
)

// ParseFrame reads a frame such as 5m, 1h or 1d. Days, weeks and months come singly; intraday frames
// are 1 to 390 minutes or 1 to 6 hours.
func ParseFrame(s string) (Frame, error) {
	bad := fmt.Errorf("read bar length %q: want minutes, hours, a day, a week or a month, such as 5m, 1h, 1d, 1w, 1M", s)
	if len(s) < 2 {
		return Frame{}, bad
	}
	n, err := strconv.Atoi(s[:len(s)-1])
	f := Frame{n, Unit(s[len(s)-1])}
	switch {
	case err != nil || n < 1 || s[0] == '+':
		return Frame{}, bad
	case f.Unit == Minute && n <= 390, f.Unit == Hour && n <= 6:
		return f, nil
	case (f.Unit == Day || f.Unit == Week || f.Unit == Month) && n == 1:
		return f, nil
	}
	return Frame{}, bad
}

// String is the form ParseFrame reads.
func (f Frame) String() string { return strconv.Itoa(f.N) + string(rune(f.Unit)) }

// Intraday reports whether several bars fit into a session.
func (f Frame) Intraday() bool { return f.Unit == Minute || f.Unit == Hour }

// Duration of an intraday bar; 0 for longer frames, whose bars end by the calendar.
func (f Frame) Duration() time.Duration {
	switch f.Unit {
	case Minute:
		return time.Duration(f.N) * time.Minute
	case Hour:
		return time.Duration(f.N) * time.Hour
	}
	return 0
}

// MarshalText is String.
func (f Frame) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText is ParseFrame.
func (f *Frame) UnmarshalText(b []byte) error {
	v, err := ParseFrame(string(b))
	*f = v
	return err
}

// Session says which minutes of a day count.
type Session string

const (
	Regular  Session = "regular"  // minutes starting in [09:30, close), close from the calendar
	Extended Session = "extended" // 04:00 to 20:00 exchange time
)
