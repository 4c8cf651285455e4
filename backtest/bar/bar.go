// Package bar holds prices as columns: series of bars, time frames, the exchange calendar and its
// sessions, the share basis, resampling, and Source, from which the engine reads.
//
// In: raw bars as they traded, from a store or a file. Out: the same bars, cut and resampled, never
// changed: adjustment is a Basis beside the columns, applied by whoever reads them.
package bar

import (
	"fmt"
	"math"
	"time"

	"backtester/backtest/instrument"
)

// Series holds the bars of one instrument in one frame, oldest first, as columns of equal length.
// Prices are USD as traded (raw), Volume is shares as traded and may be fractional. The slices may
// lie in a read-only mapped file: nobody writes to them.
type Series struct {
	Symbol string        // the ticker by which it was asked for
	ID     instrument.ID // empty for files without reference data
	Ticker string        // that the instrument has at the last bar, where the source knows
	Frame  Frame
	// Session says which minutes of a day the bars were made of. Empty for frames of a day and
	// longer that come from day files, and the same as Regular for others.
	Session Session

	// Time is the start of each bar in ns UTC, strictly increasing. For frames of a day and longer
	// it is midnight UTC of the (first) session date, a label and not an instant.
	Time                           []int64
	Open, High, Low, Close, Volume []float64

	// Warm is how many leading bars lie before the asked-for From: they warm indicators up and are
	// never traded.
	Warm int

	// Actions known for the instrument, over its whole life, not cut to the bars.
	Actions instrument.Actions
	// Delisted is the first day without listing, or instrument.None, also where the source's bars do not
	// reach up to it. See Ended for the other way a series may end.
	Delisted instrument.Date
	// Ended is set when the source covers at least 20 sessions after the last bar without the
	// instrument trading, although reference data does not say that it was delisted.
	Ended bool
	// Later is set when the source holds bars of the instrument after the last of these.
	Later bool
	// Adjusted is set when the source says its prices are adjusted already: then no action applies.
	Adjusted bool
	// NoVolume is set when the source has no volume column: Volume is then NaN throughout, and
	// volume caps do not apply.
	NoVolume bool
}

// Len is the number of bars.
func (s *Series) Len() int { return len(s.Time) }

// Date of bar i: the session it belongs to. Frames of a day and longer only; intraday bars get
// theirs from the Calendar.
func (s *Series) Date(i int) instrument.Date { return instrument.DateOfNanos(s.Time[i]) }

// Check refuses columns that no rule could be applied to: it names the first bar that is none. Cost:
// O(n).
func (s *Series) Check() error {
	for i := range s.Time {
		o, h, l, c := s.Open[i], s.High[i], s.Low[i], s.Close[i]
		if !(l > 0 && l <= o && l <= c && h >= o && h >= c && h < math.MaxFloat64) || !s.NoVolume && !(s.Volume[i] >= 0) {
			return fmt.Errorf("bar %d (%s): open %g high %g low %g close %g volume %g is not a bar: want 0 < low <= open, close <= high and volume >= 0",
				i, time.Unix(0, s.Time[i]).UTC().Format(time.RFC3339), o, h, l, c, s.Volume[i])
		}
		if i > 0 && s.Time[i] <= s.Time[i-1] {
			return fmt.Errorf("bar %d (%s) does not come after the bar before it", i, time.Unix(0, s.Time[i]).UTC().Format(time.RFC3339))
		}
	}
	return nil
}

// Slice is the bars [i, j) as a view on the same columns; Warm is reduced accordingly.
func (s *Series) Slice(i, j int) *Series {
	c := *s
	c.Time = s.Time[i:j]
	c.Open, c.High, c.Low = s.Open[i:j], s.High[i:j], s.Low[i:j]
	c.Close, c.Volume = s.Close[i:j], s.Volume[i:j]
	c.Warm = max(0, min(s.Warm, j)-i)
	return &c
}
