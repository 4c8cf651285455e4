package audit_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"backtester/backtest/audit"
	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

func date(s string) instrument.Date {
	d, err := instrument.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// sample is a symbol with nothing to find: 300 sessions whose prices zigzag by less than 1 %, and minutes of the
// last ten that agree with the days.
func sample() (audit.Market, audit.Subject) {
	cal := bar.NYSE()
	held := cal.Sessions(date("2020-01-02"), date("2021-12-31"))[:300]
	s := &bar.Series{Symbol: "A", Frame: bar.Daily, Delisted: instrument.None}
	m := &bar.Series{Symbol: "A", Frame: bar.Minutely, Session: bar.Extended, Delisted: instrument.None}
	for i, d := range held {
		p := 100 + 0.2*float64(i%7) - 0.2*float64(i%3)
		s.Time = append(s.Time, d.Nanos())
		s.Open, s.High = append(s.Open, p), append(s.High, p*1.01)
		s.Low, s.Close = append(s.Low, p*0.99), append(s.Close, p+0.25)
		s.Volume = append(s.Volume, float64(1000+i))
		if i < 290 {
			continue
		}
		open, close, _, _ := cal.Hours(d)
		for k, t := range []int64{open - 60e9, open, close - 60e9, close} {
			m.Time = append(m.Time, t)
			for _, c := range []*[]float64{&m.Open, &m.High, &m.Low, &m.Close} {
				*c = append(*c, p+0.25)
			}
			m.Volume = append(m.Volume, []float64{200, 300, 400, float64(100 + i)}[k])
		}
	}
	in := instrument.Instrument{ID: "A@2020-01-02", Ticker: "A", Delisted: instrument.None,
		Spans: []instrument.Span{{Ticker: "A", From: held[0], To: instrument.Forever}}}
	return audit.Market{Calendar: cal, Days: slices.Clone(held), Minutes: slices.Clone(held[290:])}, audit.Subject{Instrument: in, Days: s, Minutes: m}
}

// cutDays takes daily bars [i, j) out.
func cutDays(s *bar.Series, i, j int) {
	s.Time = slices.Delete(s.Time, i, j)
	for _, c := range []*[]float64{&s.Open, &s.High, &s.Low, &s.Close, &s.Volume} {
		*c = slices.Delete(*c, i, j)
	}
}

// scale multiplies the prices of bars [i, j) of days.
func scale(s *bar.Series, i, j int, by float64) {
	for _, c := range [][]float64{s.Open, s.High, s.Low, s.Close} {
		for k := i; k < j; k++ {
			c[k] *= by
		}
	}
}

// fault is how the sample is spoilt so that one check must find it.
type fault struct {
	check string
	count int
	spoil func(*audit.Market, *audit.Subject)
	also  []string // other checks that rightly hold too
}

func faults() []fault {
	none := instrument.None
	split := func(d string, from, to float64) instrument.Split {
		return instrument.Split{Ex: date(d), From: from, To: to}
	}
	cash := func(d string, usd float64) instrument.Dividend {
		return instrument.Dividend{Ex: date(d), Pay: none, Cash: usd}
	}
	return []fault{
		{"time_order", 1, func(_ *audit.Market, s *audit.Subject) { s.Days.Time[5] = s.Days.Time[4] }, nil},
		{"price_invalid", 2, func(_ *audit.Market, s *audit.Subject) { s.Days.Close[5], s.Days.Low[7] = math.NaN(), 0 }, nil},
		{"price_invalid", 1, func(_ *audit.Market, s *audit.Subject) { s.Days.High[5] = math.Inf(1) }, nil},
		{"ohlc_order", 2, func(_ *audit.Market, s *audit.Subject) { s.Days.Low[5] += 3; s.Days.High[9] -= 3 }, nil},
		{"volume_invalid", 2, func(_ *audit.Market, s *audit.Subject) { s.Days.Volume[5], s.Days.Volume[6] = -1, math.NaN() }, nil},
		{"off_calendar", 1, func(_ *audit.Market, s *audit.Subject) { s.Days.Time[1] = date("2020-01-04").Nanos() }, []string{"gap_short"}},
		{"gap", 6, func(_ *audit.Market, s *audit.Subject) { cutDays(s.Days, 50, 56) }, nil},
		{"gap", 4, func(_ *audit.Market, s *audit.Subject) {
			for _, i := range []int{80, 60, 40, 20} {
				cutDays(s.Days, i, i+1)
			}
		}, nil},
		{"gap_short", 1, func(_ *audit.Market, s *audit.Subject) { cutDays(s.Days, 50, 51) }, nil},
		{"ticker_joined", 1, func(_ *audit.Market, s *audit.Subject) { cutDays(s.Days, 50, 110) }, []string{"gap"}},
		{"data_ended", 1, func(_ *audit.Market, s *audit.Subject) { cutDays(s.Days, 280, 300); s.Minutes = nil }, nil},
		{"after_delisting", 3, func(_ *audit.Market, s *audit.Subject) { s.Instrument.Delisted = s.Days.Date(297) }, nil},
		{"zero_volume", 16, func(_ *audit.Market, s *audit.Subject) { clear(s.Days.Volume[100:116]) }, nil},
		{"frozen", 1, func(_ *audit.Market, s *audit.Subject) {
			for _, c := range [][]float64{s.Days.Open, s.Days.High, s.Days.Low, s.Days.Close, s.Days.Volume} {
				for i := 101; i < 110; i++ {
					c[i] = c[100]
				}
			}
		}, nil},
		{"outlier", 1, func(_ *audit.Market, s *audit.Subject) { s.Days.Close[100] *= 1.3; s.Days.High[100] *= 1.3 }, nil},
		{"outlier_range", 2, func(_ *audit.Market, s *audit.Subject) { s.Days.High[100] *= 2.2; s.Days.Low[101] /= 2.2 }, nil},
		{"split_missing", 1, func(_ *audit.Market, s *audit.Subject) { scale(s.Days, 0, 150, 2) }, nil},
		{"split_missing", 1, func(_ *audit.Market, s *audit.Subject) { scale(s.Days, 0, 150, 0.1) }, nil},
		{"jump", 1, func(_ *audit.Market, s *audit.Subject) { scale(s.Days, 0, 150, 1.8) }, nil},
		{"split_no_jump", 1, func(_ *audit.Market, s *audit.Subject) {
			s.Days.Actions.Splits = []instrument.Split{split("2020-06-15", 1, 2)}
		}, nil},
		{"split_duplicate", 1, func(_ *audit.Market, s *audit.Subject) {
			scale(s.Days, 0, int(s.Days.Len())/2, 2)
			d := s.Days.Date(150)
			s.Days.Actions.Splits = []instrument.Split{{Ex: d, From: 1, To: 2}, {Ex: d, From: 2, To: 4}}
		}, nil},
		{"split_conflict", 1, func(_ *audit.Market, s *audit.Subject) {
			scale(s.Days, 0, int(s.Days.Len())/2, 2)
			d := s.Days.Date(150)
			s.Days.Actions.Splits = []instrument.Split{{Ex: d, From: 1, To: 2}, {Ex: d, From: 5, To: 6}}
		}, nil},
		{"split_extreme", 1, func(_ *audit.Market, s *audit.Subject) {
			s.Days.Actions.Splits = []instrument.Split{split("2010-06-15", 1000, 1)}
		}, nil},
		{"dividend_above_price", 1, func(_ *audit.Market, s *audit.Subject) {
			s.Days.Actions.Dividends = []instrument.Dividend{cash("2020-06-15", 60), cash("2020-06-15", 60)}
		}, nil},
		{"dividend_high", 1, func(_ *audit.Market, s *audit.Subject) {
			d := s.Days.Date(150)
			s.Days.Actions.Dividends = []instrument.Dividend{{Ex: d, Pay: none, Cash: 25}}
			scale(s.Days, 150, 300, 0.75)
			scale(s.Minutes, 0, s.Minutes.Len(), 0.75)
		}, nil},
		{"action_off_session", 2, func(_ *audit.Market, s *audit.Subject) {
			s.Days.Actions.Splits = []instrument.Split{split("2020-06-14", 20, 21)}
			s.Days.Actions.Dividends = []instrument.Dividend{cash("2020-07-03", 0.1)}
		}, nil},
		{"minute_volume", 1, func(_ *audit.Market, s *audit.Subject) { s.Minutes.Volume[4] *= 2 }, nil},
		{"minute_price", 1, func(_ *audit.Market, s *audit.Subject) { s.Minutes.Close[6] *= 1.2; s.Minutes.High[6] *= 1.2 }, nil},
		{"minute_days", 1, func(_ *audit.Market, s *audit.Subject) { cutDays(s.Minutes, 4, 8) }, nil},
		{"minute_days", 1, func(_ *audit.Market, s *audit.Subject) { cutDays(s.Days, 295, 296) }, []string{"gap_short"}},
	}
}

func ids(r audit.Report) []string {
	var list []string
	for _, f := range r.Findings {
		list = append(list, f.Check)
	}
	return list
}

func TestNothingToFind(t *testing.T) {
	m, s := sample()
	r := m.Check(s)
	if r.Verdict != "OK" || len(r.Findings) != 0 || r.Bars != 300 || r.Minutes != 40 || r.First != date("2020-01-02") {
		t.Errorf("the clean sample: %+v", r)
	}
	if f := m.Overall(nil, nil); len(f) != 0 {
		t.Errorf("the clean market: %+v", f)
	}
	if r := (audit.Market{Calendar: bar.NYSE()}).Check(audit.Subject{}); r.Verdict != "OK" || r.Bars != 0 {
		t.Errorf("a symbol without bars: %+v", r)
	}
}

// Every check finds its fault, counts it, and finds nothing else but what is named.
func TestEachCheck(t *testing.T) {
	severity := map[string]audit.Severity{}
	for _, c := range audit.Checks() {
		severity[c.ID] = c.Severity
	}
	for _, f := range faults() {
		t.Run(f.check, func(t *testing.T) {
			m, s := sample()
			f.spoil(&m, &s)
			r := m.Check(s)
			worst := severity[f.check]
			for _, id := range f.also {
				worst = max(worst, severity[id])
			}
			if r.Verdict != worst.Verdict() {
				t.Errorf("verdict %s, want %s", r.Verdict, worst.Verdict())
			}
			want := append([]string{f.check}, f.also...)
			got := ids(r)
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Fatalf("found %v, want %v: %+v", got, want, r.Findings)
			}
			for _, x := range r.Findings {
				if x.Check == f.check && (x.Count != f.count || x.Message == "" || x.First > x.Last) {
					t.Errorf("%+v, want a count of %d", x, f.count)
				}
			}
		})
	}
}

func TestOverall(t *testing.T) {
	m, s := sample()
	gone := m.Days[10]
	m.Days = slices.Delete(m.Days, 10, 11)
	m.Days = slices.Insert(m.Days, 2, date("2020-01-04"))
	other := s.Instrument
	other.ID, other.Spans = "B", []instrument.Span{{Ticker: "A", From: date("2010-01-04"), To: date("2012-01-03")}}
	got := m.Overall([]bar.Coverage{{Instrument: s.Instrument}, {Instrument: other}}, []audit.Note{
		{"wrong_date", date("2019-08-12"), 5, "2019-08-12.csv.gz: stamped 2019-08-13"},
		{"file_rows", date("2019-08-12"), 2, "x"}, {"file_damaged", date("2019-08-13"), 1, "y"}, {"reference", instrument.None, 3, "z"},
	})
	want := map[string]int{"session_missing": 1, "session_extra": 1, "ticker_reuse": 1, "wrong_date": 5, "file_rows": 2, "file_damaged": 1, "reference": 3}
	if len(got) != len(want) {
		t.Errorf("%d findings, want %d: %+v", len(got), len(want), got)
	}
	for _, f := range got {
		if want[f.Check] != f.Count {
			t.Errorf("%s: count %d, want %d", f.Check, f.Count, want[f.Check])
		}
		if f.Check == "session_missing" && f.First != gone {
			t.Errorf("missing %s, want %s", f.First, gone)
		}
	}
	if audit.Worst(nil, got) != audit.Fail || audit.Worst([]audit.Report{{Findings: []audit.Finding{{Severity: audit.Warn}}}}, nil) != audit.Warn {
		t.Error("the worst severity does not decide")
	}
}

// Each row of the table is proved by a fault above or by TestOverall, and says what it does.
func TestTable(t *testing.T) {
	proved := map[string]bool{}
	for _, f := range faults() {
		proved[f.check] = true
	}
	for _, id := range []string{"session_missing", "session_extra", "ticker_reuse", "wrong_date", "file_rows", "file_damaged", "reference"} {
		proved[id] = true
	}
	seen := map[string]bool{}
	for _, c := range audit.Checks() {
		if c.ID == "" || c.Doc == "" || c.Threshold == "" || seen[c.ID] || !proved[c.ID] {
			t.Errorf("row %+v: twice, incomplete, or without a test", c)
		}
		seen[c.ID] = true
	}
}

// A split that is in the bars and in the actions is no finding; in one of them only, it is.
func TestSplitsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ratio := rapid.SampledFrom([]float64{2, 3, 4, 10, 20, 0.5, 0.1, 0.05}).Draw(t, "ratio")
		at := rapid.IntRange(1, 285).Draw(t, "at")
		m, s := sample()
		scale(s.Days, 0, at, ratio)
		for i := range at {
			s.Days.Volume[i] /= ratio
		}
		known := []instrument.Split{{Ex: s.Days.Date(at), From: 1, To: ratio}}
		if r := m.Check(s); !slices.Equal(ids(r), []string{"split_missing"}) {
			t.Fatalf("a split that nobody knows: %+v", r.Findings)
		}
		s.Days.Actions.Splits = known
		if r := m.Check(s); r.Verdict != "OK" {
			t.Fatalf("a split as it should be: %+v", r.Findings)
		}
		_, s = sample()
		s.Days.Actions.Splits = known
		if r := m.Check(s); !slices.Equal(ids(r), []string{"split_no_jump"}) {
			t.Fatalf("a split without a jump: %+v", r.Findings)
		}
	})
}

// Whatever the numbers are, there is a verdict, and the same one again.
func TestBrokenNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, s := sample()
		cutDays(s.Days, 40, 300)
		value := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, -1, math.NaN(), math.Inf(1), math.Inf(-1), 1e308, 5e-324}))
		for range rapid.IntRange(1, 30).Draw(t, "changes") {
			col := rapid.SampledFrom([][]float64{s.Days.Open, s.Days.High, s.Days.Low, s.Days.Close, s.Days.Volume, s.Minutes.Close, s.Minutes.Volume}).Draw(t, "column")
			col[rapid.IntRange(0, 39).Draw(t, "row")] = value.Draw(t, "value")
		}
		if rapid.Bool().Draw(t, "unsorted") {
			s.Days.Time[rapid.IntRange(0, 39).Draw(t, "row")] = rapid.Int64().Draw(t, "time")
		}
		s.Days.Actions.Splits = []instrument.Split{{Ex: s.Days.Date(5), From: value.Draw(t, "from"), To: value.Draw(t, "to")}}
		s.Days.Actions.Dividends = []instrument.Dividend{{Ex: s.Days.Date(5), Cash: value.Draw(t, "cash")}}
		a, b := m.Check(s), m.Check(s)
		if a.Verdict != b.Verdict || !slices.Equal(ids(a), ids(b)) {
			t.Fatalf("%v then %v", a, b)
		}
	})
}

// Just below a threshold, and what only looks like a fault, is no finding.
func TestBelowThresholds(t *testing.T) {
	for _, c := range []struct {
		check string
		spoil func(*audit.Market, *audit.Subject)
	}{
		{"gap", func(_ *audit.Market, s *audit.Subject) { cutDays(s.Days, 50, 53) }},
		{"ticker_joined", func(_ *audit.Market, s *audit.Subject) { cutDays(s.Days, 50, 109) }},
		{"ticker_joined", func(_ *audit.Market, s *audit.Subject) { // the gap is a change of ticker
			s.Instrument.Spans = []instrument.Span{{Ticker: "OLD", From: s.Days.Date(0), To: s.Days.Date(60)}, {Ticker: "A", From: s.Days.Date(61), To: instrument.Forever}}
			cutDays(s.Days, 50, 120)
		}},
		{"data_ended", func(_ *audit.Market, s *audit.Subject) { cutDays(s.Days, 281, 300) }},
		{"data_ended", func(_ *audit.Market, s *audit.Subject) {
			cutDays(s.Days, 200, 300)
			s.Instrument.Delisted = s.Days.Date(199) + 1
		}},
		{"gap_short", func(m *audit.Market, s *audit.Subject) { // nobody has that session
			cutDays(s.Days, 50, 51)
			m.Days = slices.Delete(m.Days, 50, 51)
		}},
		{"zero_volume", func(_ *audit.Market, s *audit.Subject) { clear(s.Days.Volume[100:115]) }},
		{"zero_volume", func(_ *audit.Market, s *audit.Subject) { s.Days.NoVolume = true }},
		{"volume_invalid", func(_ *audit.Market, s *audit.Subject) { s.Days.NoVolume, s.Days.Volume[0] = true, math.NaN() }},
		{"outlier", func(_ *audit.Market, s *audit.Subject) { s.Days.Close[100] *= 1.24; s.Days.High[100] *= 1.24 }},
		{"outlier", func(_ *audit.Market, s *audit.Subject) { scale(s.Days, 100, 300, 1.3) }}, // it stays
		{"outlier_range", func(_ *audit.Market, s *audit.Subject) { s.Days.High[100] *= 1.9 }},
		{"jump", func(_ *audit.Market, s *audit.Subject) { scale(s.Days, 150, 300, 1.38) }},
		{"split_missing", func(_ *audit.Market, s *audit.Subject) { // halved, but on a wild day
			scale(s.Days, 150, 300, 0.5)
			s.Days.High[150] *= 1.2
		}},
		{"split_no_jump", func(_ *audit.Market, s *audit.Subject) {
			s.Days.Actions.Splits = []instrument.Split{{Ex: s.Days.Date(150), From: 5, To: 6}}
		}},
		{"split_duplicate", func(_ *audit.Market, s *audit.Subject) {
			d := s.Days.Date(150)
			s.Days.Actions.Splits = []instrument.Split{{Ex: d, From: 1, To: 2}, {Ex: d + 11, From: 1, To: 2}}
		}},
		{"dividend_high", func(_ *audit.Market, s *audit.Subject) {
			s.Days.Actions.Dividends = []instrument.Dividend{{Ex: s.Days.Date(150), Cash: 19}}
		}},
		{"minute_volume", func(_ *audit.Market, s *audit.Subject) { s.Minutes.Volume[5] *= 1.1 }},
		{"minute_price", func(_ *audit.Market, s *audit.Subject) { s.Minutes.Close[6] *= 1.08 }},
		{"minute_price", func(_ *audit.Market, s *audit.Subject) { s.Minutes.Close[7] *= 2 }}, // after hours
		{"minute_days", func(_ *audit.Market, s *audit.Subject) { // a session of which nobody has minutes
			s.Days.Volume[294] = 0
			cutDays(s.Minutes, 16, 20)
		}},
	} {
		m, s := sample()
		c.spoil(&m, &s)
		if r := m.Check(s); slices.Contains(ids(r), c.check) {
			t.Errorf("%s: found without reason: %+v", c.check, r.Findings)
		}
	}
}
