package expr_test

import (
	"math"
	"testing"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/expr"
	"backtester/backtest/instrument"
)

// Fifty years of sessions against package time and a walk over the sessions one by one.
func TestDateFunctions(t *testing.T) {
	days := bar.NYSE().Sessions(instrument.NewDate(1990, 1, 1), instrument.NewDate(2040, 12, 31))
	s := &bar.Series{Frame: bar.Daily}
	for _, d := range days {
		s.Time = append(s.Time, d.Nanos())
	}
	x := make([]float64, len(days))
	s.Open, s.High, s.Low, s.Close, s.Volume = x, x, x, x, x
	get := func(text string) []float64 { return column(t, s, bar.Basis{}, text) }
	year, quarter, month, day, weekday := get("year"), get("quarter"), get("month"), get("day"), get("weekday")
	nth, left := get("session_of_month"), get("sessions_to_month_end")
	starts := [][]float64{get("is_week_start"), get("is_month_start"), get("is_quarter_start"), get("is_year_start")}
	ends := [][]float64{get("is_week_end"), get("is_month_end"), get("is_quarter_end"), get("is_year_end")}
	same := []func(a, b time.Time) bool{
		func(a, b time.Time) bool {
			ya, wa := a.ISOWeek()
			yb, wb := b.ISOWeek()
			return ya == yb && wa == wb
		},
		func(a, b time.Time) bool { return a.Year() == b.Year() && a.Month() == b.Month() },
		func(a, b time.Time) bool { return a.Year() == b.Year() && (a.Month()-1)/3 == (b.Month()-1)/3 },
		func(a, b time.Time) bool { return a.Year() == b.Year() },
	}
	for i, d := range days {
		at := d.Time()
		wd := float64((at.Weekday()+6)%7 + 1)
		if year[i] != float64(at.Year()) || month[i] != float64(at.Month()) || day[i] != float64(at.Day()) || weekday[i] != wd || quarter[i] != float64((at.Month()+2)/3) {
			t.Fatalf("%v: %v-%v-%v, weekday %v, quarter %v", d, year[i], month[i], day[i], weekday[i], quarter[i])
		}
		if i == 0 || i == len(days)-1 {
			continue // the calendar's ends
		}
		before, after := days[i-1].Time(), days[i+1].Time()
		for k := range starts {
			if (starts[k][i] == 1) == same[k](before, at) {
				t.Fatalf("%v: start %d is %v", d, k, starts[k][i])
			}
		}
		for k := range ends {
			if (ends[k][i] == 1) == same[k](at, after) {
				t.Fatalf("%v: end %d is %v", d, k, ends[k][i])
			}
		}
		first, last := i, i
		for first > 0 && same[1](days[first-1].Time(), at) {
			first--
		}
		for last < len(days)-1 && same[1](days[last+1].Time(), at) {
			last++
		}
		if nth[i] != float64(i-first+1) || left[i] != float64(last-i) {
			t.Fatalf("%v: session %v of the month with %v left, want %d and %d", d, nth[i], left[i], i-first+1, last-i)
		}
	}
	if !absent(ends[1][len(days)-1]) || !absent(left[len(days)-1]) {
		t.Error("where the calendar ends nobody knows whether the month does")
	}
}

// Dates outside every calendar, long ago and before 1970, still are dates.
func TestCivilDates(t *testing.T) {
	s := &bar.Series{Frame: bar.Daily}
	for d := instrument.NewDate(1599, 12, 25); d < instrument.NewDate(2405, 1, 5); d += 13 {
		s.Time = append(s.Time, d.Nanos())
		if len(s.Time) > 1 && s.Time[len(s.Time)-1] < s.Time[len(s.Time)-2] {
			s.Time = s.Time[:len(s.Time)-1] // beyond what nanoseconds can say
			break
		}
	}
	x := make([]float64, len(s.Time))
	s.Open, s.High, s.Low, s.Close, s.Volume = x, x, x, x, x
	got := column(t, s, bar.Basis{}, "year * 10000 + month * 100 + day")
	for i := range got {
		at := s.Date(i).Time()
		if want := float64(at.Year()*10000 + int(at.Month())*100 + at.Day()); got[i] != want {
			t.Fatalf("%v: %v", at, got[i])
		}
	}
}

// Bars of a week and a month count as their last scheduled session.
func TestLongBars(t *testing.T) {
	s := &bar.Series{Frame: bar.Frame{N: 1, Unit: bar.Week}}
	for _, d := range []instrument.Date{instrument.NewDate(2024, 3, 18), instrument.NewDate(2024, 3, 25), instrument.NewDate(2024, 4, 1)} {
		s.Time = append(s.Time, d.Nanos())
	}
	x := []float64{1, 2, 3}
	s.Open, s.High, s.Low, s.Close, s.Volume = x, x, x, x, x
	check(t, s, bar.Basis{}, "day", 22, 28, 5) // 2024-03-29 was Good Friday
	check(t, s, bar.Basis{}, "is_week_end", 1, 1, 1)
	check(t, s, bar.Basis{}, "is_quarter_end", 0, 1, 0)
	s.Frame.Unit = bar.Month
	s.Time = []int64{instrument.NewDate(2024, 2, 1).Nanos(), instrument.NewDate(2024, 3, 1).Nanos(), instrument.NewDate(2024, 4, 1).Nanos()}
	check(t, s, bar.Basis{}, "day", 29, 28, 30)
	check(t, s, bar.Basis{}, "is_month_end", 1, 1, 1)
	check(t, s, bar.Basis{}, "is_quarter_end", 0, 1, 0)
	check(t, s, bar.Basis{}, "hour", nan, nan, nan)
}

// Minute bars on an ordinary day, a half day and after the clocks changed.
func TestTimesOfDay(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	at := func(y int, m time.Month, d, h, min int) int64 {
		return time.Date(y, m, d, h, min, 0, 0, zone).UnixNano()
	}
	s := &bar.Series{Frame: bar.Frame{N: 5, Unit: bar.Minute}, Time: []int64{
		at(2024, 11, 1, 8, 0), at(2024, 11, 1, 9, 30), at(2024, 11, 1, 15, 55), at(2024, 11, 1, 16, 5),
		at(2024, 11, 4, 9, 35), at(2024, 11, 29, 12, 55),
	}}
	x := make([]float64, len(s.Time))
	s.Open, s.High, s.Low, s.Close, s.Volume = x, x, x, x, x
	check(t, s, bar.Basis{}, "hour", 8, 9, 15, 16, 9, 12)
	check(t, s, bar.Basis{}, "minute", 0, 30, 55, 5, 35, 55)
	check(t, s, bar.Basis{}, "minutes_since_open", -90, 0, 385, 395, 5, 205)
	check(t, s, bar.Basis{}, "bars_since_open", -18, 0, 77, 79, 1, 41)
	check(t, s, bar.Basis{}, "minutes_to_close", 475, 385, 0, -10, 380, 0)
	check(t, s, bar.Basis{}, "weekday", 5, 5, 5, 5, 1, 5)
	check(t, s, bar.Basis{}, "day", 1, 1, 1, 1, 4, 29)
	check(t, s, bar.Basis{}, "is_month_end", 0, 0, 0, 0, 0, 1)
	check(t, s, bar.Basis{}, "is_month_start", 1, 1, 1, 1, 0, 0)
	s.Frame = bar.Frame{N: 1, Unit: bar.Hour}
	s.Time = []int64{at(2024, 11, 1, 9, 30), at(2024, 11, 1, 14, 30), at(2024, 11, 1, 15, 30)} // the last one is cut by the close
	s.Open, s.High, s.Low, s.Close, s.Volume = x[:3], x[:3], x[:3], x[:3], x[:3]
	check(t, s, bar.Basis{}, "minutes_to_close", 330, 30, 0)
	check(t, s, bar.Basis{}, "bars_since_open", 0, 5, 6)
}

// With a calendar made of the file's own dates, the month's end is what the exchange announced, not
// where the file's rows happen to stop: cutting the future off changes nothing.
func TestFileCalendarKnowsNoFuture(t *testing.T) {
	days := bar.NYSE().Sessions(instrument.NewDate(2024, 1, 2), instrument.NewDate(2024, 3, 20))
	s := series(make([]float64, len(days))...)
	for i, d := range days {
		s.Time[i] = d.Nanos()
	}
	p := compile(t, expr.Scope{}, "is_month_end or is_week_end")
	r, _ := p.SignalRef("qa")
	bind := func(n int) []float64 {
		return p.Bind(s.Slice(0, n), bar.Basis{}, bar.FromDates(days[:n]), &expr.Arena{}).Column(r)
	}
	all := bind(len(days))
	for n := 1; n < len(days); n++ {
		if got := bind(n); !same(got, all[:n]) {
			t.Fatalf("cut after %v", days[n-1])
		}
	}
	// A file with weekends is of a market that never closes.
	var every []instrument.Date
	for d := instrument.NewDate(2024, 3, 1); d < instrument.NewDate(2024, 4, 3); d++ {
		every = append(every, d)
	}
	s = series(make([]float64, len(every))...)
	for i, d := range every {
		s.Time[i] = d.Nanos()
	}
	got := compile(t, expr.Scope{}, "is_month_end")
	r, _ = got.SignalRef("qa")
	col := got.Bind(s, bar.Basis{}, bar.FromDates(every), &expr.Arena{}).Column(r)
	for i, d := range every {
		if (col[i] == 1) != (d == instrument.NewDate(2024, 3, 31)) {
			t.Errorf("%v: %v", d, col[i])
		}
	}
}

// Days since actions count from ex-dates on or before the bar, and say nothing of those to come.
func TestDaysSinceActions(t *testing.T) {
	s := walk(30, 1)
	s.Actions.Splits = []instrument.Split{{Ex: s.Date(10), From: 1, To: 2}}
	s.Actions.Dividends = []instrument.Dividend{{Ex: s.Date(3), Cash: 1}, {Ex: s.Date(3), Cash: 2}, {Ex: s.Date(20) - 1, Cash: 1}, {Ex: s.Date(29) + 9, Cash: 1}}
	div, split := column(t, s, bar.Basis{}, "days_since_dividend"), column(t, s, bar.Basis{}, "days_since_split")
	for i := range div {
		since := func(ex instrument.Date) float64 { return float64(s.Date(i) - ex) }
		want, wantSplit := absentValue, absentValue
		switch {
		case s.Date(i) >= s.Date(20)-1:
			want = since(s.Date(20) - 1)
		case i >= 3:
			want = since(s.Date(3))
		}
		if i >= 10 {
			wantSplit = since(s.Date(10))
		}
		if !same(div[i:i+1], []float64{want}) || !same(split[i:i+1], []float64{wantSplit}) {
			t.Fatalf("bar %d: %v and %v, want %v and %v", i, div[i], split[i], want, wantSplit)
		}
	}
}

// Days to a dividend count from the day after its announcement on, never from one that nobody knew of.
func TestDaysToDividend(t *testing.T) {
	s := walk(30, 1)
	s.Actions.Dividends = []instrument.Dividend{
		{Ex: s.Date(3), Cash: 1},                            // announced nobody knows when
		{Ex: s.Date(12), Cash: 1, Declared: s.Date(5)},      //
		{Ex: s.Date(12), Cash: 2},                           // beside it
		{Ex: s.Date(20), Cash: 1},                           // unknown, before one that is known
		{Ex: s.Date(25), Cash: 1, Declared: s.Date(10)},     // announced before the one before it went ex
		{Ex: s.Date(29) + 9, Cash: 1, Declared: s.Date(27)}, // after the last bar
	}
	got := column(t, s, bar.Basis{}, "days_to_dividend")
	for i := range got {
		want := absentValue
		switch {
		case i == 3 || i == 12 || i == 20:
			want = 0
		case i > 5 && i < 12:
			want = float64(s.Date(12) - s.Date(i))
		case i > 12 && i <= 25:
			want = float64(s.Date(25) - s.Date(i))
		case i > 27:
			want = float64(s.Date(29) + 9 - s.Date(i))
		}
		if !same(got[i:i+1], []float64{want}) {
			t.Errorf("bar %d: %v, want %v", i, got[i], want)
		}
	}
}

var absentValue = math.NaN()
