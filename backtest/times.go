package backtest

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// Times are the time stamps of a curve: instants in ns UTC, or session dates when Daily. In JSON they
// are strings, YYYY-MM-DD or RFC 3339 UTC, made only when somebody looks: a million of them cost 8 MB.
type Times struct {
	Daily bool
	Nanos []int64 // ns UTC; for Daily midnight UTC of the session date
}

// DaysOf are the stamps of sessions.
func DaysOf(dates []instrument.Date) Times {
	t := Times{Daily: true, Nanos: make([]int64, len(dates))}
	for i, d := range dates {
		t.Nanos[i] = d.Nanos()
	}
	return t
}

// Len is the number of stamps.
func (t Times) Len() int { return len(t.Nanos) }

// At is stamp i as text.
func (t Times) At(i int) string { return stamp(t.Nanos[i], t.Daily) }

// Date is the UTC date of stamp i; for Daily the session date.
func (t Times) Date(i int) instrument.Date { return instrument.DateOfNanos(t.Nanos[i]) }

// Session is the session of stamp i. No session of the exchange, extended hours included, crosses midnight five
// hours west of Greenwich.
func (t Times) Session(i int) instrument.Date {
	if t.Daily {
		return t.Date(i)
	}
	const west = int64(5 * 3600e9)
	return instrument.DateOfNanos(t.Nanos[i] - west)
}

// ExchangeHour is the hour, 0 to 23, of a stamp of a trade or fill by the clock of the exchange, which changes with
// summer time as its hours do; false for a stamp that is a date.
func ExchangeHour(stamp string) (hour int, ok bool) {
	t, err := time.Parse(time.RFC3339, stamp)
	if err != nil {
		return 0, false
	}
	cal, ns := bar.NYSE(), t.UnixNano()
	return int((ns - cal.At(cal.DateOf(ns), 0)) / int64(time.Hour)), true
}

// stamp formats one time as the contract says.
func stamp(ns int64, daily bool) string { return string(appendStamp(make([]byte, 0, 20), ns, daily)) }

// appendStamp is what package time would write, several times as fast: results have a stamp or two for
// every fill and bar.
func appendStamp(b []byte, ns int64, daily bool) []byte {
	y, m, d := instrument.DateOfNanos(ns).Civil()
	if y < 0 || y > 9999 {
		return time.Unix(0, ns).UTC().AppendFormat(b, time.RFC3339)
	}
	b = append(b, byte('0'+y/1000), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10), '-',
		byte('0'+m/10), byte('0'+m%10), '-', byte('0'+d/10), byte('0'+d%10))
	if daily {
		return b
	}
	s := int(((ns/1e9)%86400 + 86400) % 86400)
	return append(b, 'T', byte('0'+s/36000), byte('0'+s/3600%10), ':', byte('0'+s/600%6), byte('0'+s/60%10), ':',
		byte('0'+s/10%6), byte('0'+s%10), 'Z')
}

// MarshalJSON writes an array of strings.
func (t Times) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 2+len(t.Nanos)*len(`"2006-01-02T15:04:05Z",`))
	return append(t.append(append(b, '['), 0, len(t.Nanos)), ']'), nil
}

// append stamps from lo to hi as MarshalJSON writes them, with a comma before all but stamp 0.
func (t Times) append(b []byte, lo, hi int) []byte {
	for i := lo; i < hi; i++ {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = appendStamp(b, t.Nanos[i], t.Daily)
		b = append(b, '"')
	}
	return b
}

// UnmarshalJSON reads what MarshalJSON writes; the first stamp decides whether they are dates.
func (t *Times) UnmarshalJSON(b []byte) error {
	var text []string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	t.Daily = len(text) == 0 || len(text[0]) == len(time.DateOnly)
	t.Nanos = make([]int64, len(text))
	layout := time.RFC3339
	if t.Daily {
		layout = time.DateOnly
	}
	for i, s := range text {
		at, err := time.Parse(layout, s)
		if err != nil {
			return fmt.Errorf("read time %q: %w", s, err)
		}
		t.Nanos[i] = at.UnixNano()
	}
	return nil
}

// stamps are the texts of the steps at which something was decided or filled, each made once: trades name
// the moments of the fills, and a fill is mostly decided at the step before.
type stamps struct {
	m     *market
	steps []int32 // ascending
	texts []string
	near  int // place of the step that was asked for last
}

func (e *engine) stamps() *stamps {
	s := &stamps{m: e.m, steps: make([]int32, 0, 2*len(e.fills))}
	for k := range e.fills {
		s.steps = append(s.steps, e.fills[k].decided, e.fills[k].Step)
	}
	slices.Sort(s.steps)
	s.steps = slices.Compact(s.steps)
	times := make([]int64, len(s.steps)) // first, one right after the other: they are far away in memory
	for k, step := range s.steps {
		times[k] = s.m.at(step)
	}
	s.texts = make([]string, len(s.steps))
	ends := make([]int, len(s.steps))
	b := make([]byte, 0, 20*len(s.steps))
	for k, ns := range times {
		b = appendStamp(b, ns, s.m.daily)
		ends[k] = len(b)
	}
	text, from := string(b), 0 // one piece of memory for all
	for k, end := range ends {
		s.texts[k], from = text[from:end], end
	}
	return s
}

// of is the text of a step. Questions in order of time cost least.
func (s *stamps) of(step int32) string {
	for k := s.near; k < min(s.near+4, len(s.steps)); k++ {
		if s.steps[k] == step {
			s.near = k
			return s.texts[k]
		}
	}
	k, found := slices.BinarySearch(s.steps, step)
	if !found {
		return s.m.stamp(step)
	}
	s.near = k
	return s.texts[k]
}
