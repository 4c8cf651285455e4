package bar_test

import (
	"math"
	"testing"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"

	"pgregory.net/rapid"
)

func frame(t testing.TB, s string) bar.Frame {
	t.Helper()
	f, err := bar.ParseFrame(s)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// minutes is a series of one-minute bars at the given instants; bar k opens at k+1, has a high 10
// above, a low half of it, and closes at k+1.5 with volume k+1.
func minutes(t testing.TB, at ...string) *bar.Series {
	t.Helper()
	s := &bar.Series{Symbol: "X", Frame: bar.Minutely, Delisted: instrument.None}
	for k, v := range at {
		p := float64(k + 1)
		s.Time = append(s.Time, instant(t, v))
		s.Open, s.High = append(s.Open, p), append(s.High, p+10)
		s.Low, s.Close, s.Volume = append(s.Low, p/2), append(s.Close, p+0.5), append(s.Volume, p)
	}
	return s
}

type want struct {
	start, end string // instants, or the date of a longer bar
	o, h, l, c float64
	v          float64
}

func check(t *testing.T, s *bar.Series, ends []int64, ws []want) {
	t.Helper()
	if s.Len() != len(ws) || len(ends) != len(ws) {
		t.Fatalf("%d bars and %d ends, want %d", s.Len(), len(ends), len(ws))
	}
	for i, w := range ws {
		start := s.Date(i).String()
		if s.Frame.Intraday() {
			start = time.Unix(0, s.Time[i]).UTC().Format(time.RFC3339)
		}
		got := want{start, time.Unix(0, ends[i]).UTC().Format(time.RFC3339), s.Open[i], s.High[i], s.Low[i], s.Close[i], s.Volume[i]}
		if got != w {
			t.Errorf("bar %d: %+v\nwant   %+v", i, got, w)
		}
	}
}

// A half day: 29 November 2024, 14:30Z to 18:00Z.
func halfDay(t testing.TB) *bar.Series {
	return minutes(t, "2024-11-29T14:29:00Z", "2024-11-29T14:30:00Z", "2024-11-29T15:29:00Z", "2024-11-29T15:30:00Z",
		"2024-11-29T17:31:00Z", "2024-11-29T17:59:00Z", "2024-11-29T18:00:00Z", "2024-12-02T20:59:00Z")
}

func TestHoursBeginAtTheOpening(t *testing.T) {
	s, err := bar.Resample(halfDay(t), frame(t, "1h"), bar.Regular, bar.NYSE())
	if err != nil {
		t.Fatal(err)
	}
	check(t, s, bar.Ends(s, bar.NYSE()), []want{
		{"2024-11-29T14:30:00Z", "2024-11-29T15:30:00Z", 2, 13, 1, 3.5, 5},
		{"2024-11-29T15:30:00Z", "2024-11-29T16:30:00Z", 4, 14, 2, 4.5, 4},
		{"2024-11-29T17:30:00Z", "2024-11-29T18:00:00Z", 5, 16, 2.5, 6.5, 11}, // cut off by the closing
		{"2024-12-02T20:30:00Z", "2024-12-02T21:00:00Z", 8, 18, 4, 8.5, 8},
	})
}

func TestExtendedHoursBeginAtFour(t *testing.T) {
	s, err := bar.Resample(halfDay(t), frame(t, "1h"), bar.Extended, bar.NYSE())
	if err != nil {
		t.Fatal(err)
	}
	check(t, s, bar.Ends(s, bar.NYSE()), []want{
		{"2024-11-29T14:00:00Z", "2024-11-29T15:00:00Z", 1, 12, 0.5, 2.5, 3},
		{"2024-11-29T15:00:00Z", "2024-11-29T16:00:00Z", 3, 14, 1.5, 4.5, 7},
		{"2024-11-29T17:00:00Z", "2024-11-29T18:00:00Z", 5, 16, 2.5, 6.5, 11},
		{"2024-11-29T18:00:00Z", "2024-11-29T19:00:00Z", 7, 17, 3.5, 7.5, 7},
		{"2024-12-02T20:00:00Z", "2024-12-02T21:00:00Z", 8, 18, 4, 8.5, 8},
	})
}

func TestDaysOfMinutes(t *testing.T) {
	s, err := bar.Resample(halfDay(t), bar.Daily, bar.Regular, bar.NYSE())
	if err != nil {
		t.Fatal(err)
	}
	check(t, s, bar.Ends(s, bar.NYSE()), []want{
		{"2024-11-29", "2024-11-29T18:00:00Z", 2, 16, 1, 6.5, 20},
		{"2024-12-02", "2024-12-02T21:00:00Z", 8, 18, 4, 8.5, 8},
	})
}

// The week of 3 July 2023: Monday a half day, Tuesday a holiday. New Year's week begins on Tuesday.
func TestWeeksAndMonths(t *testing.T) {
	closes := make([]float64, 8)
	for i := range closes {
		closes[i] = float64(i + 1)
	}
	s, err := bar.Resample(daily(t, "2023-06-29", closes...), frame(t, "1w"), "", bar.NYSE())
	if err != nil {
		t.Fatal(err)
	}
	check(t, s, bar.Ends(s, bar.NYSE()), []want{ // 29, 30 June | 3, 5, 6, 7 July | 10, 11 July
		{"2023-06-26", "2023-06-30T20:00:00Z", 1, 2, 1, 2, 200},
		{"2023-07-03", "2023-07-07T20:00:00Z", 3, 6, 3, 6, 400},
		{"2023-07-10", "2023-07-14T20:00:00Z", 7, 8, 7, 8, 200},
	})
	s, err = bar.Resample(daily(t, "2023-06-29", closes...), frame(t, "1M"), "", bar.NYSE())
	if err != nil {
		t.Fatal(err)
	}
	check(t, s, bar.Ends(s, bar.NYSE()), []want{
		{"2023-06-01", "2023-06-30T20:00:00Z", 1, 2, 1, 2, 200},
		{"2023-07-03", "2023-07-31T20:00:00Z", 3, 8, 3, 8, 600},
	})
}

// The end of a bar made of bars ends by the calendar, not by the bars that happen to be there.
func TestEndsDoNotMoveWithTheFuture(t *testing.T) {
	full := daily(t, "2024-03-01", make([]float64, 60)...)
	for _, f := range []string{"1w", "1M"} {
		all, err := bar.Resample(full, frame(t, f), "", bar.NYSE())
		if err != nil {
			t.Fatal(err)
		}
		ends := bar.Ends(all, bar.NYSE())
		for n := 1; n < full.Len(); n++ {
			part, err := bar.Resample(full.Slice(0, n), frame(t, f), "", bar.NYSE())
			if err != nil {
				t.Fatal(err)
			}
			cut := bar.Ends(part, bar.NYSE())
			for i := range cut {
				if cut[i] != ends[i] {
					t.Fatalf("%s: with %d days bar %d ends at %d, with all at %d", f, n, i, cut[i], ends[i])
				}
			}
		}
	}
}

func TestWarmBarsStayWarm(t *testing.T) {
	s := daily(t, "2024-01-02", make([]float64, 30)...) // 2 January is a Tuesday
	for warm, want := range map[int]int{0: 0, 1: 0, 3: 0, 4: 1, 5: 1, 8: 1, 9: 2, 30: 7} {
		s.Warm = warm
		out, err := bar.Resample(s, frame(t, "1w"), "", bar.NYSE())
		if err != nil || out.Warm != want {
			t.Errorf("%d warm days: %d warm weeks of %d, want %d (%v)", warm, out.Warm, out.Len(), want, err)
		}
	}
}

func TestResampleRefusals(t *testing.T) {
	for _, x := range [][2]string{{"1d", "1h"}, {"5m", "1m"}, {"5m", "7m"}, {"1w", "1d"}, {"1w", "1M"}, {"1M", "1w"}, {"1h", "90m"}} {
		s := &bar.Series{Symbol: "X", Frame: frame(t, x[0])}
		if _, err := bar.Resample(s, frame(t, x[1]), bar.Regular, bar.NYSE()); err == nil {
			t.Errorf("%s was made of %s", x[1], x[0])
		}
	}
}

// Whatever minutes there are, and whatever the frame: bars keep volume, extremes, order, and end
// after the last minute in them; resampling in two steps gives the same as in one.
func TestResampleProperties(t *testing.T) {
	cal := bar.NYSE()
	rapid.Check(t, func(rt *rapid.T) {
		s := &bar.Series{Frame: bar.Minutely}
		d := cal.Next(instrument.Date(rapid.IntRange(10000, 20000).Draw(rt, "day")))
		volume, high := 0.0, math.Inf(-1)
		for range rapid.IntRange(1, 5).Draw(rt, "days") {
			open, closing, _, _ := cal.Hours(d)
			for ns := open; ns < closing; ns += 60e9 * rapid.Int64Range(1, 120).Draw(rt, "step") {
				p := rapid.Float64Range(1, 100).Draw(rt, "price")
				s.Time = append(s.Time, ns)
				s.Open, s.High = append(s.Open, p), append(s.High, p+1)
				s.Low, s.Close, s.Volume = append(s.Low, p-0.5), append(s.Close, p+0.5), append(s.Volume, float64(int(p)))
				volume, high = volume+float64(int(p)), max(high, p+1)
			}
			d = cal.Next(d)
		}
		step := rapid.SampledFrom([]string{"5m", "15m", "30m", "1h"}).Draw(rt, "step")
		to := rapid.SampledFrom([]string{"1h", "2h", "6h", "1d", "1w", "1M"}).Draw(rt, "to")
		direct, err := bar.Resample(s, frame(t, to), bar.Regular, cal)
		if err != nil {
			rt.Fatal(err)
		}
		ends := bar.Ends(direct, cal)
		sum, top := 0.0, math.Inf(-1)
		for i := range direct.Len() {
			sum, top = sum+direct.Volume[i], max(top, direct.High[i])
			if i > 0 && (direct.Time[i] <= direct.Time[i-1] || ends[i] <= ends[i-1]) || to[1] != 'd' && ends[i] <= direct.Time[i] {
				rt.Fatalf("bar %d: starts %v ends %v", i, direct.Time, ends)
			}
		}
		if sum != volume || top != high || ends[len(ends)-1] < s.Time[s.Len()-1]+60e9 {
			rt.Fatalf("volume %v of %v, high %v of %v, end %v", sum, volume, top, high, ends[len(ends)-1])
		}
		half, err := bar.Resample(s, frame(t, step), bar.Regular, cal)
		if err != nil {
			rt.Fatal(err)
		}
		again, err := bar.Resample(half, frame(t, to), bar.Regular, cal)
		if err != nil {
			rt.Fatal(err)
		}
		for i := range direct.Len() {
			if again.Time[i] != direct.Time[i] || again.Open[i] != direct.Open[i] || again.Close[i] != direct.Close[i] || again.Low[i] != direct.Low[i] || again.Volume[i] != direct.Volume[i] {
				rt.Fatalf("bar %d differs when made of %s", i, step)
			}
		}
	})
}

func TestFrames(t *testing.T) {
	for _, s := range []string{"1m", "5m", "390m", "1h", "6h", "1d", "1w", "1M"} {
		if f := frame(t, s); f.String() != s {
			t.Errorf("%s is written %s", s, f)
		}
	}
	for _, s := range []string{"", "m", "0m", "-1m", "+1m", "391m", "7h", "2d", "2w", "1y", "1", "1D", " 1d"} {
		if f, err := bar.ParseFrame(s); err == nil {
			t.Errorf("%q was read as %s", s, f)
		}
	}
}
