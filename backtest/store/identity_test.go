package store_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/store"
)

func span(t testing.TB, ticker, from, to string) instrument.Span {
	t.Helper()
	s := instrument.Span{Ticker: ticker, From: instrument.None, To: instrument.Forever}
	if from != "" {
		s.From = day(t, from)
	}
	if to != "" {
		s.To = day(t, to)
	}
	return s
}

func company(id string, delisted instrument.Date, spans ...instrument.Span) instrument.Instrument {
	return instrument.Instrument{ID: instrument.ID(id), Ticker: spans[len(spans)-1].Ticker, Delisted: delisted, Spans: spans}
}

// The story of FB and META: an ETF traded as META until January 2022, Facebook as FB until 8 June
// 2022 and as META from 9 June on.
func metaStore(t *testing.T) (*store.Store, []instrument.Date) {
	dir, ds := t.TempDir(), sessions(t, "2021-06-01", "2023-02-28")
	w := create(t, dir)
	for _, d := range ds {
		tickers := []string{"OTHER"}
		switch {
		case d <= day(t, "2022-01-28"):
			tickers = append(tickers, "META", "FB")
		case d <= day(t, "2022-06-08"):
			tickers = append(tickers, "FB")
		default:
			tickers = append(tickers, "META")
		}
		must(t, w.Put(bar.Daily, dayBatch(d, tickers...)))
	}
	facebook := company("BBG000MM2P62", instrument.None, span(t, "FB", "2012-05-18", "2022-06-08"), span(t, "META", "2022-06-09", ""))
	etf := company("ETF", day(t, "2022-01-31"), span(t, "META", "2021-06-30", "2022-01-28"))
	must(t, w.PutReference(store.Reference{
		Instruments: []instrument.Instrument{facebook, etf},
		Actions: []store.ActionSet{{ID: "BBG000MM2P62", Actions: instrument.Actions{
			Splits:    []instrument.Split{{Ex: day(t, "2022-07-20"), From: 1, To: 20}, {Ex: day(t, "2022-02-20"), From: 1, To: 2}},
			Dividends: []instrument.Dividend{{Ex: day(t, "2022-05-05"), Pay: instrument.None, Cash: 0.5}},
		}}},
		Holidays: []bar.Holiday{{Date: day(t, "2031-05-07"), Name: "mourning"}},
	}))
	must(t, w.Commit())
	must(t, w.Close())
	return open(t, dir), ds
}

func TestRenamesAreFollowedAndReuseIsNot(t *testing.T) {
	s, ds := metaStore(t)
	facebook := load(t, s, "META", "2021-06-01", "2023-02-28", 0)
	wantDays(t, facebook, ds, func(d instrument.Date) string {
		if d <= day(t, "2022-06-08") {
			return "FB"
		}
		return "META"
	})
	if facebook.ID != "BBG000MM2P62" || len(facebook.Actions.Splits) != 2 || facebook.Actions.Splits[0].To != 2 || len(facebook.Actions.Dividends) != 1 {
		t.Errorf("id %s actions %+v", facebook.ID, facebook.Actions)
	}
	// Warm-up reaches back over the rename.
	short := load(t, s, "META", "2022-06-13", "2022-06-30", 10)
	i, _ := slices.BinarySearch(ds, day(t, "2022-06-13"))
	if short.Warm != 10 || short.Date(0) != ds[i-10] || short.Open[0] != priceOf("FB", ds[i-10].Nanos()) {
		t.Errorf("warm-up over the rename: %d bars from %s", short.Warm, short.Date(0))
	}
	// The old ticker finds the same company, as of any date.
	if fb := load(t, s, "FB", "2021-06-01", "2023-02-28", 0); fb.ID != facebook.ID || fb.Len() != len(ds) {
		t.Errorf("FB is %s with %d bars", fb.ID, fb.Len())
	}
	// As of 2021 META is the fund, whose reference data begins on 30 June.
	fund := load(t, s, "META", "2021-06-01", "2021-12-31", 0)
	wantDays(t, fund, sessions(t, "2021-06-30", "2021-12-31"), always("META"))
	if fund.ID != "ETF" || fund.Delisted != day(t, "2022-01-31") || fund.Ended || len(fund.Actions.Splits) != 0 {
		t.Errorf("the fund: %+v", fund)
	}
	// Before that somebody without reference data used it.
	stranger := load(t, s, "META", "2021-06-01", "2021-06-29", 0)
	wantDays(t, stranger, sessions(t, "2021-06-01", "2021-06-29"), always("META"))
	if stranger.ID != "META@2021-06-01" {
		t.Errorf("the stranger: %s", stranger.ID)
	}
	if s.Calendar().IsSession(day(t, "2031-05-07")) {
		t.Error("the holiday of the reference data is a session")
	}
}

func TestCoverageByInstrument(t *testing.T) {
	s, ds := metaStore(t)
	cov, err := s.Coverage(context.Background(), bar.Daily)
	must(t, err)
	var got []string
	total := int64(0)
	for _, c := range cov {
		got = append(got, string(c.Instrument.ID)+" "+c.Instrument.Ticker+" "+c.First.String()+" "+c.Last.String())
		total += c.Bars
	}
	want := []string{
		"META@2021-06-01 META 2021-06-01 2021-06-29", "ETF META 2021-06-30 2022-01-28",
		"BBG000MM2P62 META 2021-06-01 2023-02-28", "OTHER@2021-06-01 OTHER 2021-06-01 2023-02-28",
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if all := int64(2*len(ds) + bar.NYSE().Count(day(t, "2021-06-01"), day(t, "2022-01-28"))); total != all {
		t.Errorf("%d bars are covered, %d stored: a bar is lost or counted twice", total, all)
	}
	in, actions, err := s.Actions("META")
	if err != nil || in.ID != "BBG000MM2P62" || len(actions.Splits) != 2 {
		t.Errorf("%+v %+v %v", in, actions, err)
	}
	if _, _, err := s.Actions("NOBODY"); !errors.Is(err, bar.ErrNoData) {
		t.Errorf("actions of nobody: %v", err)
	}
	if in, a, err := s.Actions("OTHER"); err != nil || in.ID != "OTHER@2021-06-01" || len(a.Splits) != 0 {
		t.Errorf("%+v %+v %v", in, a, err)
	}
}

// A series is ended when 20 sessions follow without it, not when 19 do, and not when only the range
// that was asked for ends.
func TestEnded(t *testing.T) {
	dir, ds := t.TempDir(), sessions(t, "2023-10-01", "2024-03-28")
	w := create(t, dir)
	n := len(ds)
	for i, d := range ds {
		tickers := []string{"LIVE"}
		if i < n-20 {
			tickers = append(tickers, "ENDED")
		}
		if i < n-19 {
			tickers = append(tickers, "LATE")
		}
		must(t, w.Put(bar.Daily, dayBatch(d, tickers...)))
	}
	must(t, w.Commit())
	s := open(t, dir)
	for _, x := range []struct {
		symbol, to string
		want       bool
	}{{"ENDED", "2024-12-31", true}, {"LATE", "2024-12-31", false}, {"LIVE", "2024-12-31", false}, {"ENDED", "2023-12-31", false}, {"ENDED", ds[n-21].String(), true}, {"ENDED", ds[n-22].String(), false}} {
		if got := load(t, s, x.symbol, "2023-10-01", x.to, 0); got.Ended != x.want || got.Delisted != instrument.None {
			t.Errorf("%s up to %s: ended %v", x.symbol, x.to, got.Ended)
		}
	}
}

// A delisting after the end of what is held is not one yet: the bars end because the store does. One on the day
// after the last session is.
func TestDelistedAfterTheEndOfTheStore(t *testing.T) {
	dir, ds := t.TempDir(), sessions(t, "2023-12-01", "2023-12-29")
	w := create(t, dir)
	for _, d := range ds {
		must(t, w.Put(bar.Daily, dayBatch(d, "LATER", "THEN")))
	}
	must(t, w.PutReference(store.Reference{Instruments: []instrument.Instrument{
		company("1", day(t, "2024-06-01"), span(t, "LATER", "2000-01-03", "2024-05-31")),
		company("2", day(t, "2024-01-02"), span(t, "THEN", "2000-01-03", "2023-12-29")),
	}}))
	must(t, w.Commit())
	s := open(t, dir)
	for symbol, want := range map[string]instrument.Date{"LATER": instrument.None, "THEN": day(t, "2024-01-02")} {
		if got := load(t, s, symbol, "2023-12-01", "2024-12-31", 0); got.Delisted != want || got.Ended {
			t.Errorf("%s: delisted %s, want %s; ended %v", symbol, got.Delisted, want, got.Ended)
		}
	}
}

func TestBadReferenceIsRefused(t *testing.T) {
	w := create(t, t.TempDir())
	good := func() store.Reference {
		return store.Reference{Instruments: []instrument.Instrument{
			company("1", instrument.None, span(t, "A", "2000-01-03", "2010-01-04"), span(t, "B", "2010-01-05", "")),
			company("2", instrument.None, span(t, "A", "2010-01-05", "")),
		}}
	}
	must(t, w.PutReference(good()))
	for name, spoil := range map[string]func(r *store.Reference){
		"no id":             func(r *store.Reference) { r.Instruments[0].ID = "" },
		"id twice":          func(r *store.Reference) { r.Instruments[0].ID = "2" },
		"no span":           func(r *store.Reference) { r.Instruments[0].Spans = nil },
		"spans overlap":     func(r *store.Reference) { r.Instruments[0].Spans[1].From = day(t, "2010-01-04") },
		"span backwards":    func(r *store.Reference) { r.Instruments[0].Spans[0].From = day(t, "2012-01-04") },
		"wrong last ticker": func(r *store.Reference) { r.Instruments[0].Ticker = "A" },
		"ticker of two":     func(r *store.Reference) { r.Instruments[1].Spans[0].From = day(t, "2010-01-04") },
		"tab in ticker":     func(r *store.Reference) { r.Instruments[1].Ticker, r.Instruments[1].Spans[0].Ticker = "A\t", "A\t" },
		"actions of nobody": func(r *store.Reference) { r.Actions = []store.ActionSet{{ID: "3"}} },
		"actions twice":     func(r *store.Reference) { r.Actions = []store.ActionSet{{ID: "1"}, {ID: "1"}} },
	} {
		r := good()
		spoil(&r)
		if err := w.PutReference(r); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestMinutes(t *testing.T) {
	dir := t.TempDir()
	ds := sessions(t, "2024-10-28", "2024-11-29") // daylight saving ends on 3 November, half day on the 29th
	w, err := store.Create(dir, store.Options{Buffer: 100_000})
	must(t, err)
	for _, d := range ds {
		must(t, w.Put(bar.Minutely, minuteBatch(t, d, -30, 400, "A", "B")))
	}
	must(t, w.Commit())
	must(t, w.Close())
	s := open(t, dir)
	request := func(frame, session, from, to string, warm int) *bar.Series {
		t.Helper()
		f, err := bar.ParseFrame(frame)
		must(t, err)
		out, err := s.Load(context.Background(), bar.Request{Symbol: "B", Frame: f, From: day(t, from), To: day(t, to), Warmup: warm, Session: bar.Session(session)})
		must(t, err)
		return out
	}
	minutes := 0
	for _, d := range ds {
		open, closing, _, _ := bar.NYSE().Hours(d)
		minutes += int((closing - open) / 60e9)
	}
	regular := request("1m", "regular", "2024-10-01", "2024-12-31", 0)
	if regular.Len() != minutes || minutes != 23*390+210 || regular.Open[0] != priceOf("B", regular.Time[0]) {
		t.Errorf("%d regular minutes, want %d", regular.Len(), minutes)
	}
	if extended := request("1m", "extended", "2024-10-01", "2024-12-31", 0); extended.Len() != len(ds)*430 {
		t.Errorf("%d extended minutes, want %d", extended.Len(), len(ds)*430)
	}
	// Warm-up counts bars of the frame asked for, and reaches over nights and months.
	whole := request("30m", "regular", "2024-10-28", "2024-12-31", 0)
	cut := request("30m", "regular", "2024-11-04", "2024-11-08", 20)
	if cut.Warm != 20 || cut.Len() != 20+5*13 || cut.Time[20] != bar.NYSE().At(day(t, "2024-11-04"), 9*3600e9+1800e9) {
		t.Errorf("warm %d of %d bars", cut.Warm, cut.Len())
	}
	k, _ := slices.BinarySearch(whole.Time, cut.Time[0])
	if same := whole.Slice(k, k+cut.Len()); !reflect.DeepEqual(same.Close, cut.Close) || !reflect.DeepEqual(same.Volume, cut.Volume) || !reflect.DeepEqual(same.Time, cut.Time) {
		t.Error("a range with warm-up differs from the same bars of the whole")
	}
	// Only minutes are stored: days are made of them.
	days := request("1d", "", "2024-10-28", "2024-12-31", 0)
	if days.Len() != len(ds) || days.Date(0) != ds[0] || days.Open[0] != regular.Open[0] || days.Close[0] != regular.Close[389] {
		t.Errorf("%d days", days.Len())
	}
	week := request("1w", "", "2024-11-11", "2024-11-29", 1)
	if week.Warm != 1 || week.Len() != 4 || week.Date(1) != day(t, "2024-11-11") || week.Date(0) != day(t, "2024-11-04") {
		t.Errorf("weeks: warm %d of %d, from %s", week.Warm, week.Len(), week.Date(0))
	}
	if _, err := s.Load(context.Background(), bar.Request{Symbol: "C", Frame: bar.Minutely}); !errors.Is(err, bar.ErrNoData) {
		t.Errorf("unknown symbol: %v", err)
	}
}

func TestWeeksAndMonthsOfDays(t *testing.T) {
	dir, ds := t.TempDir(), sessions(t, "2021-01-01", "2023-12-31")
	fill(t, dir, ds, "A")
	s := open(t, dir)
	get := func(frame bar.Frame, from, to string, warm int) *bar.Series {
		t.Helper()
		out, err := s.Load(context.Background(), bar.Request{Symbol: "A", Frame: frame, From: day(t, from), To: day(t, to), Warmup: warm})
		must(t, err)
		return out
	}
	month := get(bar.Frame{N: 1, Unit: bar.Month}, "2022-03-01", "2022-05-31", 5)
	if month.Warm != 5 || month.Len() != 8 || month.Date(0) != day(t, "2021-10-01") || month.Date(7) != day(t, "2022-05-02") {
		t.Errorf("months: warm %d of %d from %s to %s", month.Warm, month.Len(), month.Date(0), month.Date(month.Len()-1))
	}
	i, _ := slices.BinarySearch(ds, day(t, "2022-03-01"))
	if month.Open[5] != priceOf("A", ds[i].Nanos()) {
		t.Error("the month does not open with its first session")
	}
	all := get(bar.Frame{N: 1, Unit: bar.Month}, "2021-01-01", "2023-12-31", 500)
	if all.Warm != 0 || all.Len() != 36 {
		t.Errorf("%d months, %d warm", all.Len(), all.Warm)
	}
}

// What Reference gives can be put again and gives the same store.
func TestReferenceComesBack(t *testing.T) {
	s, _ := metaStore(t)
	r, err := s.Reference()
	must(t, err)
	if len(r.Instruments) != 2 || len(r.Actions) != 1 || len(r.Actions[0].Splits) != 2 || len(r.Holidays) != 1 {
		t.Fatalf("%+v", r)
	}
	r.Instruments[1].Adjusted = true
	dir := t.TempDir()
	w := create(t, dir)
	must(t, w.PutReference(r))
	must(t, w.PutSeries("META", seriesOf(sessions(t, "2022-01-03", "2022-01-07"), 1)))
	must(t, w.Commit())
	again, err := open(t, dir).Reference()
	must(t, err)
	if diff := cmp.Diff(r, again); diff != "" {
		t.Error(diff)
	}
	x, err := open(t, dir).Load(context.Background(), bar.Request{Symbol: "META", Frame: bar.Daily, To: day(t, "2022-01-31")})
	must(t, err)
	if x.ID != "ETF" || !x.Adjusted {
		t.Errorf("%s adjusted %v, want ETF and true", x.ID, x.Adjusted)
	}
	empty, err := open(t, fillOne(t)).Reference()
	if err != nil || len(empty.Instruments) != 0 {
		t.Errorf("without reference data: %+v, %v", empty, err)
	}
}

// fillOne is a store of one bar.
func fillOne(t *testing.T) string {
	dir := t.TempDir()
	fill(t, dir, sessions(t, "2024-01-02", "2024-01-02"), "A")
	return dir
}
