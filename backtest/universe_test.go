package backtest_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// reference is a source with reference data: types, and tickers that changed hands.
type reference struct {
	bar.Source
	held []bar.Coverage
	own  map[string]*bar.Series // by TICKER@DATE of the request, before the source
}

func (s reference) Coverage(context.Context, bar.Frame) ([]bar.Coverage, error) { return s.held, nil }

func (s reference) Load(ctx context.Context, r bar.Request) (*bar.Series, error) {
	if x := s.own[r.Symbol+"@"+r.To.String()]; x != nil {
		return x, nil
	}
	return s.Source.Load(ctx, r)
}

func held(kind string, s *bar.Series) bar.Coverage {
	first, last := s.Date(0), s.Date(s.Len()-1)
	return bar.Coverage{Frame: s.Frame, First: first, Last: last, Bars: int64(s.Len()), Instrument: instrument.Instrument{Ticker: s.Symbol, Type: kind,
		Spans: []instrument.Span{{Ticker: s.Symbol, From: first, To: last}}}}
}

// Members are what a plain loop over the days finds, from prices alone.
func TestMembersAgainstBruteForce(t *testing.T) {
	const text = "universe: {where: 'close > 30', top: 2, by: 'close * volume'}\nentry: close > 0\n"
	for seed := range uint64(30) {
		series := randomMarket(rand.New(rand.NewPCG(seed, 41)), 5, 120)
		p, err := backtest.NewPreview(t.Context(), parse(t, text), memory(t, series))
		if err != nil {
			t.Fatal(err)
		}
		days := map[instrument.Date][]float64{}
		for _, s := range series {
			for i := range s.Time {
				if s.Volume[i] > 0 && s.Close[i] > 30 {
					days[s.Date(i)] = append(days[s.Date(i)], s.Close[i]*s.Volume[i])
				}
			}
		}
		shown := map[string]backtest.SymbolPreview{}
		for _, s := range p.Symbols {
			shown[s.Symbol] = s
		}
		for _, whole := range series {
			s, once := traded(whole), false
			for i := range s.Time {
				higher := 0
				for _, x := range days[s.Date(i)] {
					if x > s.Close[i]*s.Volume[i] {
						higher++
					}
				}
				want := s.Close[i] > 30 && higher < 2
				once = once || want
				if got := shown[s.Symbol]; len(got.Members) > 0 && got.Members[i] != want || len(got.Members) == 0 && want {
					t.Fatalf("seed %d: %s on %s: member %v, want %v", seed, s.Symbol, s.Date(i), !want, want)
				}
			}
			if _, there := shown[s.Symbol]; there != once {
				t.Fatalf("seed %d: %s is shown: %v, was ever a member: %v", seed, s.Symbol, there, once)
			}
		}
		u := p.Data.Universe
		for k, n := range u.Count {
			if want := min(2, len(days[u.Time.Date(k)])); int(n) != want {
				t.Fatalf("seed %d: %d members on %s, want %d", seed, n, u.Time.At(k), want)
			}
		}
	}
}

// Types come from reference data, and a former owner of a ticker is a security of its own.
func TestCandidatesFromReferenceData(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 43))
	series := randomMarket(r, 3, 200)
	old := *series[0].Slice(0, 80)
	old.ID = "F00" // S00 until the 80th bar; then the ticker is somebody else's
	series[0] = series[0].Slice(100, series[0].Len())
	last := old.Date(79)
	src := reference{Source: memory(t, series), own: map[string]*bar.Series{"S00@" + last.String(): &old}}
	src.held = []bar.Coverage{held("CS", &old), held("CS", series[0]), held("ETF", series[1]), held("ADRC", series[2])}
	slices.SortFunc(src.held, func(a, b bar.Coverage) int {
		if c := strings.Compare(a.Instrument.Ticker, b.Instrument.Ticker); c != 0 {
			return c
		}
		return int(a.First - b.First)
	})
	former := "S00@" + last.String()
	for text, want := range map[string][]string{
		"universe: {type: [CS, ADRC]}\nentry: close > 0\n":                                         {"S00", former, "S02"},
		"universe: {type: ETF}\nentry: close > 0\n":                                                {"S01"},
		"universe: {where: 'type == \"CS\"'}\nentry: close > 0\n":                                  {"S00", former},
		"universe: {where: 'not (type == \"CS\") and rank(close, type) == 1'}\nentry: close > 0\n": {"S01", "S02"},
		"entry: close > 0\n": {"S00", former, "S01", "S02"},
	} {
		res, err := backtest.Run(t.Context(), parse(t, text), src)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !slices.Equal(res.Data.Symbols, want) {
			t.Errorf("%s: symbols %v, want %v", text, res.Data.Symbols, want)
		}
	}
	// Each of them alone, the former owner by its name.
	all, err := backtest.Each(t.Context(), parse(t, "entry: close > 0\n"), src)
	if err != nil || len(all) != 4 || all[1].Data.Symbols[0] != former || all[1].Data.To != last.String() {
		t.Errorf("%v %d", err, len(all))
	}
}

// Within the day, members are those of the last day bar that closed.
func TestUniverseWithinTheDay(t *testing.T) {
	cal := bar.NYSE()
	days := cal.Sessions(instrument.NewDate(2024, 1, 2), instrument.NewDate(2024, 1, 5))
	closes := map[string][]float64{"AAA": {9, 12, 9, 12}, "BBB": {12, 9, 12, 9}}
	var series []*bar.Series
	src := reference{own: map[string]*bar.Series{}}
	for _, name := range []string{"AAA", "BBB"} {
		d := &bar.Series{Symbol: name, Frame: bar.Daily, Delisted: instrument.None}
		m := &bar.Series{Symbol: name, Frame: bar.Frame{N: 30, Unit: bar.Minute}, Session: bar.Regular, Delisted: instrument.None}
		for k, day := range days {
			c := closes[name][k]
			add := func(s *bar.Series, ns int64) {
				s.Time = append(s.Time, ns)
				s.Open, s.High, s.Low = append(s.Open, c), append(s.High, c), append(s.Low, c)
				s.Close, s.Volume = append(s.Close, c), append(s.Volume, 1000)
			}
			add(d, day.Nanos())
			open, closing, _, _ := cal.Hours(day)
			for ns := open; ns < closing; ns += 30 * 60e9 {
				add(m, ns)
			}
		}
		series = append(series, m)
		src.held = append(src.held, held("CS", d))
		src.own[name] = d
	}
	src.Source = memory(t, series)
	text := "data: {bars: 30m}\nuniverse: {where: close > 10}\nentry: close > 0\n"
	p, err := backtest.NewPreview(t.Context(), parse(t, text), daysToo{src})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Symbols {
		for i, member := range s.Members {
			d := cal.DateOf(s.Time.Nanos[i])
			k := slices.Index(days, d)
			if _, closing, _, _ := cal.Hours(d); s.Time.Nanos[i]+30*60e9 < closing {
				k-- // the day is not over
			}
			if want := k >= 0 && closes[s.Symbol][k] > 10; member != want {
				t.Errorf("%s at %s: member %v, want %v", s.Symbol, s.Time.At(i), member, want)
			}
		}
	}
	if len(p.Symbols) != 2 || len(p.Data.Universe.Count) != 4 {
		t.Errorf("%d symbols, %v", len(p.Symbols), p.Data.Universe)
	}
}

// daysToo has day bars beside those of its source.
type daysToo struct{ reference }

func (s daysToo) Load(ctx context.Context, r bar.Request) (*bar.Series, error) {
	if r.Frame == bar.Daily {
		return s.own[r.Symbol], nil
	}
	return s.Source.Load(ctx, r)
}

// What is asked for and not there is an error that says so.
func TestUniverseErrors(t *testing.T) {
	series := randomMarket(rand.New(rand.NewPCG(1, 44)), 2, 60)
	for text, want := range map[string]string{
		"entry: sym(\"SPY\").close > 5\n":                                 "SPY",
		"universe: {where: 'sym(\"SPY\").close > 5'}\nentry: close > 5\n": "SPY",
		"universe: {type: [CS]}\nentry: close > 5\n":                      "no 1d bars",
		"universe: {members: x.csv}\nentry: close > 5\n":                  "its contents were not handed over",
		"series: {vix: v.csv}\nentry: vix > 5\n":                          "its contents were not handed over",
	} {
		_, err := backtest.Run(t.Context(), parse(t, text), memory(t, series))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
		if none := new(backtest.NoDataError); strings.Contains(want, "SPY") && (!errors.As(err, &none) || !errors.Is(err, bar.ErrNoData)) {
			t.Errorf("%s: %v is no lack of data", text, err)
		}
	}
	for _, text := range []string{"entry: rank(close) > 0.5\n", "universe: {top: 1, by: close}\nentry: close > 5\n"} {
		if _, err := backtest.Each(t.Context(), parse(t, text), memory(t, series)); err == nil || !strings.Contains(err.Error(), "none can be alone") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Files at fault are refused with the line and what is wrong with it.
func TestAttachedFilesAtFault(t *testing.T) {
	series := randomMarket(rand.New(rand.NewPCG(1, 45)), 2, 60)
	for _, row := range []struct{ text, data, want string }{
		{"universe: {members: f}\n", "", "read f line 1: want the column names symbol, from, to"},
		{"universe: {members: f}\n", "symbol,from\nS00,2015-01-01\n", "there is no column to among symbol, from"},
		{"universe: {members: f}\n", "symbol,from,to\n", "it names no member"},
		{"universe: {members: f}\n", "symbol,from,to\nS00,2015-01-01\n", "wrong number of fields"},
		{"universe: {members: f}\n", "symbol,from,to\n,2015-01-01,\n", "read f line 2: a ticker is empty"},
		{"universe: {members: f}\n", "to,Symbol,FROM\n2014-01-01,S00,2015-01-01\n", "read f line 2: S00 leaves on 2014-01-01, before it comes on 2015-01-01"},
		{"series: {v: f}\n", "available,value\n2015-01-05,1\n2015-01-05,2\n", "read f line 3: 2015-01-05 does not come after the row before it"},
		{"series: {v: f}\n", "available,value\n05.01.2015,1\n", `read f line 2: column available: "05.01.2015" is neither a date`},
		{"series: {v: f}\n", "available,value\n2015-01-05,NaN\n", `read f line 2: column v: "NaN" is not a number`},
		{"series: {v: f}\n", "date,value\n2015-01-05,1\n", "there is no column available"},
		{"series: {v: f}\n", "available,score\n2015-01-05,1\n", "there is no column v or value among available, score"},
		{"series: {v: f}\n", "available,v,symbol\n2015-01-05,1,S00\n2015-01-05,1,S01\n2015-01-05,1,S00\n", "read f line 4: 2015-01-05 does not come after the row before it"},
		{"series: {v: f}\n", "available,v,symbol\n2015-01-05,1,\n", "read f line 2: a ticker is empty"},
	} {
		cfg := parse(t, row.text+"entry: close > 0\n"+map[bool]string{true: "exit: v > 5\n"}[strings.HasPrefix(row.text, "series")])
		cfg.Attach("f", []byte(row.data))
		if _, err := backtest.Run(t.Context(), cfg, memory(t, series)); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%q: %v, want %q", row.data, err, row.want)
		}
	}
}

// Files that a strategy names are part of what a result stood on.
func TestAttachedFilesCount(t *testing.T) {
	series := randomMarket(rand.New(rand.NewPCG(1, 46)), 1, 60)
	sums := map[string]bool{}
	for _, data := range []string{"available,value\n2015-01-05,1\n", "available,value\n2015-01-05,2\n", "available,value\n2015-01-06,1\n"} {
		cfg := parse(t, "series: {v: f}\nentry: v > 0\n")
		cfg.Attach("f", []byte(data))
		res, err := backtest.Run(t.Context(), cfg, memory(t, series))
		if err != nil {
			t.Fatal(err)
		}
		sums[res.Fingerprint] = true
	}
	if len(sums) != 3 {
		t.Errorf("%d fingerprints of 3 files", len(sums))
	}
}

// Signals from elsewhere: each symbol has its own, read from the time on at which they were known; what
// looks wrong about them is said.
func TestSignalsFromElsewhere(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 47))
	series := randomMarket(r, 3, 250)
	known := map[string]map[instrument.Date]float64{"S00": {}, "S01": {}}
	var honest, prophet strings.Builder
	honest.WriteString("symbol,available,score,other\n")
	prophet.WriteString("symbol,available,score\n")
	rows := 0
	for _, s := range series[:2] {
		s := traded(s)
		for i := range s.Time[:s.Len()-1] {
			if i%3 == 0 {
				x := r.NormFloat64()
				known[s.Symbol][s.Date(i)] = x
				fmt.Fprintf(&honest, "%s,%s,%v,\n", s.Symbol, s.Date(i), x)
				rows++
			}
			fmt.Fprintf(&prophet, "%s,%s,%v\n", s.Symbol, s.Date(i), s.Close[i+1]*shares(s, s.Date(i), s.Date(i+1))/s.Close[i])
		}
	}
	fmt.Fprintf(&honest, "NONE,2015-03-04,1,\nS02,2015-03-07,1,\nS02,2030-01-02,1,\n") // a stranger, a Saturday, after the end
	run := func(data string) *backtest.Result {
		cfg := parse(t, "series: {score: ml.csv}\nentry: score > 0.5\nexit: score < 0\n")
		cfg.Attach("ml.csv", []byte(data))
		p, err := backtest.NewPreview(t.Context(), cfg, memory(t, series))
		if err != nil {
			t.Fatal(err)
		}
		res, err := backtest.Run(t.Context(), cfg, memory(t, series))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range p.Symbols {
			last, there := 0.0, false
			for i := range s.Entries {
				if x, ok := known[s.Symbol][s.Time.Date(i)]; ok {
					last, there = x, true
				}
				if want := there && last > 0.5; data == honest.String() && s.Symbol != "S02" && s.Entries[i] != want {
					t.Fatalf("%s on %s: entry %v, want %v", s.Symbol, s.Time.At(i), s.Entries[i], want)
				}
			}
		}
		return res
	}
	said := func(r *backtest.Result, code string) string {
		for _, w := range r.Warnings {
			if w.Code == code {
				return w.Message
			}
		}
		return ""
	}
	a, b := run(honest.String()), run(prophet.String())
	for code, want := range map[string]string{
		"series_misaligned": fmt.Sprintf("1 of %d rows are dated on days without a session", rows+3),
		"series_future":     fmt.Sprintf("1 of %d rows are dated after the last bar", rows+3),
		"series_symbols":    fmt.Sprintf("1 of %d rows are of symbols that the run does not have", rows+3),
	} {
		if got := said(a, code); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", code, got, want)
		}
	}
	if got := said(a, "series_foresight"); got != "" {
		t.Errorf("random signals: %s", got)
	}
	if got := said(b, "series_foresight"); !strings.Contains(got, "correlation 1.00 over") && !strings.Contains(got, "correlation 0.9") {
		t.Errorf("signals that know the next bar: %q in %v", got, b.Warnings)
	}
	if said(b, "series_misaligned") != "" || said(b, "series_symbols") != "" {
		t.Errorf("%v", b.Warnings)
	}
}

// Everything that was looked at is part of what a result stood on: symbols that were never chosen, and
// those that only expressions read.
func TestWhatWasLookedAtCounts(t *testing.T) {
	for _, text := range []string{"universe: {where: volume > 1000}\nentry: close > 0\n", "universe: {symbols: [S00]}\nentry: sym(\"S01\").close > 0\n"} {
		series := randomMarket(rand.New(rand.NewPCG(2, 48)), 2, 60)
		for i := range series[0].Volume { // S00 is always the one that is chosen
			series[0].Volume[i], series[1].Volume[i%series[1].Len()] = 5000, 10
		}
		before := play(t, text, series)
		if !slices.Equal(before.Data.Symbols, []string{"S00"}) {
			t.Fatalf("symbols %v", before.Data.Symbols)
		}
		series[1].Close[30] = series[1].High[30]
		series[1].High[30] += 0.01
		if after := play(t, text, series); after.Data.SHA256 == before.Data.SHA256 {
			t.Errorf("%s: other data of S01, same digest", text)
		}
	}
}

// A type counts on the dates on which lists said so, and a list from much later is worth a warning.
func TestTypesByDate(t *testing.T) {
	series := randomMarket(rand.New(rand.NewPCG(1, 45)), 4, 300)
	changed := series[0].Date(150)
	src := reference{Source: memory(t, series)}
	for _, s := range series {
		src.held = append(src.held, held("CS", s))
	}
	first := series[0].Date(0)
	src.held[0].Instrument.Types = []instrument.Kind{{From: first, Type: "UNIT"}, {From: changed, Type: "CS"}}
	src.held[1].Instrument.Types = []instrument.Kind{{From: first, Type: "CS"}, {From: changed, Type: "ADRC"}}
	src.held[1].Instrument.Type = "ADRC"
	src.held[2].Instrument.Types = []instrument.Kind{{From: first, Type: "CS"}}
	run := func(text string) *backtest.Result {
		t.Helper()
		res, err := backtest.Run(t.Context(), parse(t, text), src)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return res
	}
	const text = "universe: {type: CS}\nuniverse_exit: true\nentry: close > 0\nsize: {max_positions: 4}\n"
	res := run(text)
	if got := res.Data.Symbols; !slices.Equal(got, []string{"S00", "S01", "S02", "S03"}) {
		t.Errorf("symbols %v", got)
	}
	// Who was a member when, day by day.
	u := res.Data.Universe
	for k := range u.Count {
		want, d := 0, u.Time.Date(k)
		for i, s := range series {
			if j := slices.IndexFunc(s.Time, func(ns int64) bool { return instrument.DateOfNanos(ns) == d }); j < 0 || s.Volume[j] == 0 {
				continue
			}
			if i > 1 || i == 0 && d >= changed || i == 1 && d < changed {
				want++
			}
		}
		if int(u.Count[k]) != want {
			t.Fatalf("%d members on %s, want %d", u.Count[k], d, want)
		}
	}
	for _, f := range res.Fills {
		if f.Symbol == "S00" && f.Side == "buy" && f.Decided < changed.String() || f.Symbol == "S01" && f.Side == "buy" && f.Decided >= changed.String() {
			t.Errorf("%+v: not a common stock then", f)
		}
	}
	if i := slices.IndexFunc(res.Fills, func(f backtest.Fill) bool { return f.Symbol == "S01" && f.Side == "sell" }); i < 0 || res.Fills[i].Decided < changed.String() {
		t.Errorf("S01 left on %s and was sold in fill %d of %+v", changed, i, res.Fills)
	}
	// S03 is in no list: only today's type is known.
	if got := warningOf(res, "types_undated"); !strings.Contains(got, "1 of 4 securities") {
		t.Errorf("types_undated: %q", got)
	}
	// A change after the range is nobody's business, nor is it in the digest.
	before := "data: {to: " + (changed - 1).String() + "}\n" + text
	early := run(before)
	if got := early.Data.Symbols; !slices.Equal(got, []string{"S01", "S02", "S03"}) {
		t.Errorf("symbols %v before the change", got)
	}
	src.held[1].Instrument.Types = src.held[1].Instrument.Types[:1]
	if same := run(before); same.Fingerprint != early.Fingerprint || same.Data.SHA256 != early.Data.SHA256 {
		t.Error("a later change of type reaches back")
	}
	if later := run(text); later.Fingerprint == res.Fingerprint {
		t.Error("another history of types has the same fingerprint")
	}
	// One symbol alone follows its type, whatever path a plan takes.
	all, err := backtest.Each(t.Context(), parse(t, "universe: {type: CS}\nentry: close > 0\n"), src)
	if err != nil || len(all) != 4 {
		t.Fatal(err, len(all))
	}
	for _, f := range all[0].Fills {
		if f.Side == "buy" && f.Decided < changed.String() {
			t.Errorf("alone: %+v", f)
		}
	}
}
