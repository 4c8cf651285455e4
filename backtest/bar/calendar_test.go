package bar_test

import (
	"bufio"
	"os"
	"strings"
	"testing"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"

	"pgregory.net/rapid"
)

func day(t testing.TB, s string) instrument.Date {
	t.Helper()
	d, err := instrument.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func instant(t testing.TB, s string) int64 {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v.UnixNano()
}

// The vectors come from another package's calendar, see the head of the file.
func TestNYSEAgainstIndependentCalendar(t *testing.T) {
	f, err := os.Open("testdata/xnys.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	special := map[instrument.Date]string{}
	sessions := ""
	for s := bufio.NewScanner(f); s.Scan(); {
		k, v, _ := strings.Cut(s.Text(), " ")
		switch {
		case k == "#":
		case k == "sessions":
			sessions = v
		default:
			special[day(t, k)] = v
		}
	}
	if len(special) < 500 || sessions != "11577" {
		t.Fatalf("vectors are incomplete: %d days, %q sessions", len(special), sessions)
	}
	c, ny := bar.NYSE(), location(t)
	from, to := day(t, "1990-01-01"), day(t, "2035-12-31")
	for d := from; d <= to; d++ {
		want := special[d]
		open, closing, early, ok := c.Hours(d)
		weekend := d.Weekday() == time.Saturday || d.Weekday() == time.Sunday
		if wantSession := !weekend && want != "closed"; ok != wantSession || c.IsSession(d) != wantSession {
			t.Fatalf("%s: session %v, want %v", d, ok, wantSession)
		}
		if !ok {
			continue
		}
		if want == "" {
			want = "16:00"
		}
		if got := time.Unix(0, open).In(ny).Format("2006-01-02 15:04"); got != d.String()+" 09:30" {
			t.Fatalf("%s opens at %s", d, got)
		}
		if got := time.Unix(0, closing).In(ny).Format("2006-01-02 15:04"); got != d.String()+" "+want {
			t.Fatalf("%s closes at %s, want %s", d, got, want)
		}
		if early != (want != "16:00") {
			t.Fatalf("%s: early = %v, closes at %s", d, early, want)
		}
	}
	if n := c.Count(from, to); n != 11577 {
		t.Fatalf("%d sessions, want 11577", n)
	}
}

func location(t testing.TB) *time.Location {
	ny, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	return ny
}

// Holidays of three years as the exchange printed them.
func TestNYSEHolidaysByYear(t *testing.T) {
	for year, want := range map[int]string{
		1994: "02-21 04-01 04-27 05-30 07-04 09-05 11-24 12-26",
		2012: "01-02 01-16 02-20 04-06 05-28 07-04 09-03 10-29 10-30 11-22 12-25",
		2022: "01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26", // 1 January was a Saturday
		2025: "01-01 01-09 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25",
	} {
		var got []string
		end := instrument.NewDate(year, time.December, 31)
		for d := instrument.NewDate(year, time.January, 1); d <= end; d++ {
			if w := d.Weekday(); w != time.Saturday && w != time.Sunday && !bar.NYSE().IsSession(d) {
				got = append(got, d.String()[5:])
			}
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%d: closed on %s, want %s", year, s, want)
		}
	}
}

func TestNextPrevSessions(t *testing.T) {
	c := bar.NYSE()
	for _, x := range [][3]string{ // day, previous session, next session
		{"2001-09-12", "2001-09-10", "2001-09-17"},
		{"2024-07-03", "2024-07-02", "2024-07-05"},
		{"2024-07-06", "2024-07-05", "2024-07-08"},
		{"1990-01-01", "", "1990-01-02"},
		{"2040-12-31", "2040-12-28", "forever"},
		{"1889-05-01", "", "1990-01-02"},
		{"2525-01-01", "2040-12-31", "forever"},
	} {
		d := day(t, x[0])
		if p, n := c.Prev(d).String(), c.Next(d).String(); p != x[1] || n != x[2] {
			t.Errorf("%s: Prev %q Next %q, want %q %q", d, p, n, x[1], x[2])
		}
	}
	if c.Next(instrument.Forever) != instrument.Forever || c.Prev(instrument.None) != instrument.None {
		t.Error("ends of time moved")
	}
	if got := c.Sessions(instrument.None, instrument.Forever); len(got) != c.Count(instrument.None, instrument.Forever) || len(got) < 12800 {
		t.Errorf("%d sessions over all time", len(got))
	}
}

func TestSessionsAgreeWithIsSession(t *testing.T) {
	cals := []*bar.Calendar{bar.NYSE(), bar.Always(), bar.FromDates([]instrument.Date{19000, 18990, 18990, 18993})}
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.SampledFrom(cals).Draw(t, "calendar")
		from := instrument.Date(rapid.IntRange(7200, 26000).Draw(t, "from"))
		to := from + instrument.Date(rapid.IntRange(-2, 60).Draw(t, "days"))
		var want []instrument.Date
		for d := from; d <= to; d++ {
			if c.IsSession(d) {
				want = append(want, d)
			}
		}
		got := c.Sessions(from, to)
		if len(got) != len(want) || c.Count(from, to) != len(want) {
			t.Fatalf("%v: Sessions %v, Count %d, want %v", c.Name(), got, c.Count(from, to), want)
		}
		for i, d := range want {
			if got[i] != d {
				t.Fatalf("Sessions %v, want %v", got, want)
			}
			if i > 0 && (c.Next(want[i-1]) != d || c.Prev(d) != want[i-1]) {
				t.Fatalf("Next(%s) = %s, Prev(%s) = %s", want[i-1], c.Next(want[i-1]), d, c.Prev(d))
			}
		}
	})
}

func TestDateOfEqualsTimePackage(t *testing.T) {
	c, ny := bar.NYSE(), location(t)
	check := func(ns int64) {
		t.Helper()
		want := instrument.DateOf(time.Unix(0, ns).In(ny))
		if got := c.DateOf(ns); got != want {
			t.Fatalf("DateOf(%s) = %s, want %s", time.Unix(0, ns).UTC(), got, want)
		}
	}
	for year := 1950; year < 2080; year++ { // beyond the table on both sides
		for d := instrument.NewDate(year, time.January, 1); d < instrument.NewDate(year+1, time.January, 1); d += 3 {
			m := time.Date(year, time.January, 1+int(d-instrument.NewDate(year, time.January, 1)), 0, 0, 0, 0, ny).UnixNano()
			if got := c.Midnight(d); got != m {
				t.Fatalf("Midnight(%s) = %d, want %d", d, got, m)
			}
			check(m)
			check(m - 1)
			check(m + 86400e9/2)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		ns := rapid.Int64Range(-6e17, 3e18).Draw(t, "ns")
		if got, want := c.DateOf(ns), instrument.DateOf(time.Unix(0, ns).In(ny)); got != want {
			t.Fatalf("DateOf(%d) = %s, want %s", ns, got, want)
		}
	})
}

func TestHoursAroundDaylightSaving(t *testing.T) {
	c := bar.NYSE()
	for _, x := range []struct{ date, open, close, pre, post string }{
		{"2024-03-08", "2024-03-08T14:30:00Z", "2024-03-08T21:00:00Z", "2024-03-08T09:00:00Z", "2024-03-09T01:00:00Z"},
		{"2024-03-11", "2024-03-11T13:30:00Z", "2024-03-11T20:00:00Z", "2024-03-11T08:00:00Z", "2024-03-12T00:00:00Z"},
		{"2006-11-03", "2006-11-03T14:30:00Z", "2006-11-03T21:00:00Z", "2006-11-03T09:00:00Z", "2006-11-04T01:00:00Z"}, // changed on 29 October until 2006
		{"2024-11-29", "2024-11-29T14:30:00Z", "2024-11-29T18:00:00Z", "2024-11-29T09:00:00Z", "2024-11-29T22:00:00Z"},
	} {
		d := day(t, x.date)
		open, closing, _, _ := c.Hours(d)
		pre, post, ok := c.ExtendedHours(d)
		if !ok || open != instant(t, x.open) || closing != instant(t, x.close) || pre != instant(t, x.pre) || post != instant(t, x.post) {
			t.Errorf("%s: %v %v %v %v", d, time.Unix(0, open).UTC(), time.Unix(0, closing).UTC(), time.Unix(0, pre).UTC(), time.Unix(0, post).UTC())
		}
	}
	if _, _, ok := c.ExtendedHours(day(t, "2024-12-25")); ok {
		t.Error("extended hours at Christmas")
	}
}

func TestCalendarOfAFile(t *testing.T) {
	saturday, halfDay, monday := day(t, "2024-11-30"), day(t, "2024-11-29"), day(t, "1975-06-02")
	c := bar.FromDates([]instrument.Date{saturday, halfDay, monday, halfDay})
	if got := c.Sessions(instrument.None, instrument.Forever); len(got) != 3 || got[0] != monday || got[2] != saturday {
		t.Fatalf("sessions %v", got)
	}
	for d, want := range map[instrument.Date]string{
		halfDay: "2024-11-29T18:00:00Z", saturday: "2024-11-30T21:00:00Z", monday: "1975-06-02T20:00:00Z",
	} {
		if _, closing, _, ok := c.Hours(d); !ok || closing != instant(t, want) {
			t.Errorf("%s closes at %v, want %s", d, time.Unix(0, closing).UTC(), want)
		}
	}
	if e := bar.FromDates(nil); e.Count(instrument.None, instrument.Forever) != 0 || e.IsSession(saturday) || e.Next(0) != instrument.Forever {
		t.Error("an empty file has sessions")
	}
}

func TestSessionsPerYear(t *testing.T) {
	every := func(step int, skipWeekend bool) (ds []instrument.Date) {
		for d := instrument.Date(18000); d < 20000; d += instrument.Date(step) {
			if w := d.Weekday(); !skipWeekend || w != time.Saturday && w != time.Sunday {
				ds = append(ds, d)
			}
		}
		return ds
	}
	for _, x := range []struct {
		cal  *bar.Calendar
		want float64
	}{
		{bar.NYSE(), 252}, {bar.Always(), 365}, {bar.FromDates(every(1, true)), 252}, {bar.FromDates(every(1, false)), 365},
		{bar.FromDates(every(7, false)), 52}, {bar.FromDates(every(30, false)), 12}, {bar.FromDates(nil), 252},
	} {
		if got := x.cal.SessionsPerYear(); got != x.want {
			t.Errorf("%s: %v sessions a year, want %v", x.cal.Name(), got, x.want)
		}
	}
}

func TestCorrectedCalendar(t *testing.T) {
	mourning, half, sunday := day(t, "2031-03-04"), day(t, "2031-03-05"), day(t, "2031-03-02")
	c := bar.NYSE().With([]bar.Holiday{{Date: mourning, Name: "mourning"}, {Date: half, Early: true}, {Date: sunday}})
	if c.IsSession(mourning) || !bar.NYSE().IsSession(mourning) {
		t.Error("the correction is missing, or it changed the calendar it came from")
	}
	if _, closing, early, ok := c.Hours(half); !ok || !early || closing != instant(t, "2031-03-05T18:00:00Z") {
		t.Error("the half day is missing")
	}
	if n := bar.NYSE().Count(instrument.None, instrument.Forever) - c.Count(instrument.None, instrument.Forever); n != 1 {
		t.Errorf("%d sessions fewer, want 1", n)
	}
}

func BenchmarkDateOf(b *testing.B) {
	c, ns := bar.NYSE(), int64(1_700_000_000e9)
	b.ReportAllocs()
	for b.Loop() {
		ns += int64(c.DateOf(ns) & 1)
	}
}

func BenchmarkFromDates(b *testing.B) {
	ds := bar.NYSE().Sessions(instrument.None, instrument.Forever)
	for b.Loop() {
		bar.FromDates(ds)
	}
}

// The week of currencies runs from Sunday to Friday 17:00 in New York, whatever its clocks do.
func TestForex(t *testing.T) {
	c := bar.Forex()
	if c.Name() != "forex" || c.SessionsPerYear() != 313 || c.IsSession(day(t, "2024-03-09")) || !c.IsSession(day(t, "2024-03-10")) {
		t.Errorf("%s, %v a year", c.Name(), c.SessionsPerYear())
	}
	ny, _ := time.LoadLocation("America/New_York")
	for d := day(t, "1999-12-01"); d < day(t, "2001-12-01"); d++ {
		open, closing, early, ok := c.Hours(d)
		preOpen, postClose, okToo := c.ExtendedHours(d)
		want := [2]time.Time{d.Time(), (d + 1).Time()}
		y, m, n := d.Time().Date()
		switch at := time.Date(y, m, n, 17, 0, 0, 0, ny); d.Weekday() {
		case time.Sunday:
			want[0] = at
		case time.Friday:
			want[1] = at
		}
		if ok != (d.Weekday() != time.Saturday) || okToo != ok || early {
			t.Fatalf("%s: session %v, early %v", d, ok, early)
		}
		if ok && (open != want[0].UnixNano() || closing != want[1].UnixNano() || preOpen != open || postClose != closing) {
			t.Fatalf("%s: %d to %d, want %v", d, open, closing, want)
		}
	}
	shut := c.With([]bar.Holiday{{Date: day(t, "2024-12-25")}})
	if shut.IsSession(day(t, "2024-12-25")) || shut.Count(day(t, "2024-12-20"), day(t, "2024-12-31")) != 9 {
		t.Error("a closed day is a session")
	}
	if _, closing, _, _ := shut.Hours(day(t, "2024-12-27")); closing != day(t, "2024-12-27").Nanos()+22*3600e9 {
		t.Errorf("the Friday after a closed day ends at %d", closing)
	}
	if got := bar.FromDates(c.Sessions(day(t, "2024-01-01"), day(t, "2024-06-30"))).SessionsPerYear(); got != 313 {
		t.Errorf("%v sessions a year by the dates of a file", got)
	}
	for _, name := range bar.CalendarNames() {
		if c, err := bar.CalendarNamed(name); err != nil || c.Name() != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}
