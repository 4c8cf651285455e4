package barfile

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// series makes the bars of a file of its rows, and says what is worth knowing about them.
func (t *table) series(file File) (*bar.Series, []Note, error) {
	if file.Symbol == "" {
		return nil, nil, errors.New("no symbol was given for it")
	}
	if len(t.time) == 0 {
		return nil, nil, fmt.Errorf("it has a header but no bars: %w", bar.ErrNoData)
	}
	if t.unsure > 0 && t.filled > 0 {
		return nil, nil, fmt.Errorf("line %d: the volume is missing, though other rows have one", t.unsure)
	}
	s := &bar.Series{
		Symbol: file.Symbol, Time: t.time, Open: t.values[opening], High: t.values[high], Low: t.values[low],
		Close: t.values[closing], Volume: t.values[volume], Adjusted: file.Adjusted, Delisted: instrument.None,
		NoVolume: !t.has[volume] || t.filled == 0,
	}
	if s.NoVolume {
		for i := range s.Volume {
			s.Volume[i] = math.NaN()
		}
	}
	if err := t.frame(s); err != nil {
		return nil, nil, err
	}
	return s, t.notes(file, s), nil
}

// frame finds the length of the bars and, for days, turns times into the dates of their sessions.
func (t *table) frame(s *bar.Series) error {
	if t.stamps.dateOnly {
		s.Frame = bar.Daily
		return nil
	}
	if f := t.stated; f.Intraday() && t.stamps.notMidnight && apart(t.time) == f.Duration() {
		s.Frame = f // most minutes of a quiet symbol may be without a row
		return nil
	}
	gaps := make([]int64, max(0, len(t.time)-1))
	for i := range gaps {
		gaps[i] = t.time[i+1] - t.time[i]
	}
	slices.Sort(gaps)
	gap := int64(time.Minute)
	if len(gaps) > 0 {
		gap = gaps[len(gaps)/2]
	}
	if !t.stamps.notMidnight || gap >= int64(20*time.Hour) {
		return t.days(s)
	}
	f, err := bar.ParseFrame(fmt.Sprintf("%dm", gap/int64(time.Minute)))
	if gap%int64(time.Hour) == 0 {
		f, err = bar.ParseFrame(fmt.Sprintf("%dh", gap/int64(time.Hour)))
	}
	if err != nil || gap%int64(time.Minute) != 0 {
		return fmt.Errorf("its rows are mostly %s apart, which is no bar length known here (1m to 390m, 1h to 6h, 1d)", time.Duration(gap))
	}
	s.Frame = f
	return nil
}

// apart is the longest time of which all distances between rows are multiples.
func apart(times []int64) time.Duration {
	step := int64(0)
	for k := 1; k < len(times); k++ {
		for gap := times[k] - times[k-1]; gap != 0; {
			step, gap = gap, step%gap
		}
	}
	return time.Duration(step)
}

// days gives instants of daily bars their dates: as written when every row says midnight in its own
// zone, else the date at the exchange.
func (t *table) days(s *bar.Series) error {
	s.Frame = bar.Daily
	for i, ns := range t.time {
		d := t.stamps.civil[i]
		if t.stamps.notMidnight {
			d = t.stamps.clock().DateOf(ns)
		}
		s.Time[i] = d.Nanos()
		if i > 0 && s.Time[i] <= s.Time[i-1] {
			return fmt.Errorf("line %d: a second daily bar for %s", t.lines[i], d)
		}
	}
	return nil
}

// clockText is a time of day in nanoseconds from midnight: 09:30.
func clockText(ns int64) string {
	return fmt.Sprintf("%02d:%02d", ns/int64(time.Hour), ns/int64(time.Minute)%60)
}

// notes about a file.
func (t *table) notes(file File, s *bar.Series) []Note {
	var ns []Note
	note := func(code, format string, args ...any) {
		ns = append(ns, Note{Code: code, Message: file.Symbol + ": " + fmt.Sprintf(format, args...)})
	}
	var others []string
	for _, name := range t.ignored {
		if strings.HasPrefix(name, "adj") {
			note("adjusted_ignored", "column %q is ignored: prices are taken as traded", name)
		} else {
			others = append(others, fmt.Sprintf("%q", name))
		}
	}
	if len(others) > 0 {
		note("column_ignored", "ignored columns: %s", strings.Join(others, ", "))
	}
	if s.NoVolume {
		note("no_volume", "the file has no volume: volume caps do not apply and volume is absent")
	}
	if t.blank > 0 {
		note("empty_rows", "%d rows without any price were left out", t.blank)
	}
	if t.stamps.naive && s.Frame.Intraday() {
		zone := "New York time"
		if t.stamps.clock() != bar.NYSE() {
			zone = "UTC"
		}
		note("local_time", "times without a zone, of a day from %s to %s, are taken as %s", clockText(t.stamps.earliest), clockText(t.stamps.latest), zone)
	}
	if off := offCalendar(s); len(off) > 0 {
		shown := off[:min(3, len(off))]
		note("off_calendar", "%d dates with bars are not sessions of the exchange, such as %s; they are kept", len(off), strings.Join(shown, ", "))
	}
	return ns
}

// offCalendar lists dates that the exchange's calendar knows not to be sessions.
func offCalendar(s *bar.Series) []string {
	cal := bar.NYSE()
	first, last := cal.Known()
	var off []string
	for _, d := range datesOf(s) {
		if d >= first && d <= last && !cal.IsSession(d) {
			off = append(off, d.String())
		}
	}
	return off
}
