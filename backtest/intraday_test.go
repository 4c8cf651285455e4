package backtest_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// fiveMinutes is bars of five minutes over the sessions of two dates, a few of them without trade.
func fiveMinutes(r *rand.Rand, name string, from, to instrument.Date) *bar.Series {
	cal := bar.NYSE()
	s := &bar.Series{Symbol: name, Frame: bar.Frame{N: 5, Unit: bar.Minute}, Session: bar.Regular, Delisted: instrument.None}
	price := 50.0
	for _, d := range cal.Sessions(from, to) {
		open, closing, _, _ := cal.Hours(d)
		for ns := open; ns < closing; ns += 5 * 60e9 {
			if r.IntN(12) == 0 {
				continue
			}
			o := cents(price)
			price *= 1 + 0.003*r.NormFloat64()
			c := cents(price)
			s.Time = append(s.Time, ns)
			s.Open, s.Close = append(s.Open, o), append(s.Close, c)
			s.High, s.Low = append(s.High, max(o, c)+cents(r.Float64())), append(s.Low, min(o, c)-cents(r.Float64()))
			s.Volume = append(s.Volume, float64(100+r.IntN(900)))
		}
	}
	return s
}

// Longer bars within the day begin at the open and end with the session at the latest, on half days
// too; no minute of an unfinished one is seen.
func TestLongerBarsWithinTheDay(t *testing.T) {
	cal := bar.NYSE()
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 51))
		s := fiveMinutes(r, "AAA", instrument.NewDate(2023, 11, 15), instrument.NewDate(2023, 11, 30)) // half day on the 24th
		for _, frame := range []string{"15m", "1h", "4h", "1d"} {
			text := fmt.Sprintf("data: {bars: 5m}\nsignals: {h: 'tf(\"%[1]s\").high', c: 'tf(\"%[1]s\").close', v: 'tf(\"%[1]s\").volume', back: 'tf(\"%[1]s\", close[1])'}\nentry: c > 0\n", frame)
			got := columns(t, text, memory(t, []*bar.Series{s}))["AAA"]
			f, err := bar.ParseFrame(frame)
			if err != nil {
				t.Fatal(err)
			}
			type long struct {
				end     int64
				h, c, v float64
			}
			var done []long // in order, the one going on last
			for i, ns := range s.Time {
				open, closing, _, _ := cal.Hours(cal.DateOf(ns))
				end := closing
				if d := int64(f.Duration()); d > 0 {
					end = min(closing, open+((ns-open)/d+1)*d)
				}
				if len(done) == 0 || done[len(done)-1].end != end {
					done = append(done, long{end: end, h: math.Inf(-1)})
				}
				x := &done[len(done)-1]
				x.h, x.c, x.v = max(x.h, s.High[i]), s.Close[i], x.v+s.Volume[i]
				k := len(done) - 1
				if ns+5*60e9 < end {
					k--
				}
				first := 0
				if s.Time[0] != firstOpen(s, cal) {
					first = 1 // the first may have been cut off
				}
				want := map[string]float64{"h": math.NaN(), "c": math.NaN(), "v": math.NaN(), "back": math.NaN()}
				if k >= first {
					want["h"], want["c"], want["v"] = done[k].h, done[k].c, done[k].v
				}
				if k > first {
					want["back"] = done[k-1].c
				}
				for name, w := range want {
					if g := got[name][i]; !near(g, w) {
						t.Fatalf("seed %d, %s: %s at %s is %v, want %v", seed, frame, name, bar.NYSE().DateOf(ns), g, w)
					}
				}
			}
		}
	}
}

func firstOpen(s *bar.Series, cal *bar.Calendar) int64 {
	open, _, _, _ := cal.Hours(cal.DateOf(s.Time[0]))
	return open
}

// Within the day too, the length of stored history and whatever follows change nothing.
func TestWithinTheDayNothingLeaks(t *testing.T) {
	const text = `data: {bars: 5m, from: 2023-11-24}
entry: {when: 'close > tf("1h", sma(close, 3)) and rank(close / tf("1d").close) > 0.5 and sym("CCC").close > sym("CCC").tf("15m").close', rank: "rank(close)"}
exit: {when: 'sma(close / sym("CCC").close, 4) < close / sym("CCC").close', max_bars: 7}
size: {weight: 0.4, max_positions: 2}
`
	fills := 0
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 52))
		var whole, late, cut []*bar.Series
		at := instrument.NewDate(2023, 11, 28)
		for _, name := range []string{"AAA", "BBB", "CCC"} {
			s := fiveMinutes(r, name, instrument.NewDate(2023, 11, 1), instrument.NewDate(2023, 11, 30))
			a, b := 0, 0
			for bar.NYSE().DateOf(s.Time[a]) < instrument.NewDate(2023, 11, 15) {
				a++
			}
			for bar.NYSE().DateOf(s.Time[b]) <= at {
				b++
			}
			whole, late, cut = append(whole, s), append(late, s.Slice(a, s.Len())), append(cut, s.Slice(0, b))
		}
		want := play(t, text, whole)
		fills += len(want.Fills)
		if got := play(t, text, late); firstOther(got, want) != "" {
			t.Fatalf("seed %d, less history: %s", seed, firstOther(got, want))
		}
		got, past := play(t, text, cut), *want
		for len(past.Fills) > 0 && past.Fills[len(past.Fills)-1].Time > (at+1).String() {
			past.Fills = past.Fills[:len(past.Fills)-1]
		}
		if firstOther(got, &past) != "" {
			t.Fatalf("seed %d, cut off: %s", seed, firstOther(got, &past))
		}
	}
	if fills < 40 {
		t.Fatalf("only %d fills", fills)
	}
}

// firstOther is the first fill that differs, "" if none does.
func firstOther(a, b *backtest.Result) string {
	if len(a.Fills) == len(b.Fills) {
		same := true
		for i := range a.Fills {
			same = same && a.Fills[i] == b.Fills[i]
		}
		if same {
			return ""
		}
	}
	return firstDifference(a.Fills, b.Fills)
}

// FuzzAttached feeds any bytes to the readers of the files that a strategy names: an error or a run,
// never a panic, and never a value before its time.
func FuzzAttached(f *testing.F) {
	for _, data := range []string{"", "symbol,from,to\nS00,2015-01-05,\n", "available,value\n2015-01-05,1\n2015-01-06T21:00:00Z,-2.5e3\n",
		"available,v,symbol\n2015-01-05,1,S00\n2015-01-05,,S01\n", "symbol,from,to\n\"S00\n", "\xef\xbb\xbfTO,FROM,SYMBOL\n,,S00\n", "available,value\n9999-12-31,1\n", "a,b\n1,2,3\n"} {
		f.Add([]byte(data))
	}
	series := randomMarket(rand.New(rand.NewPCG(3, 53)), 2, 40)
	src := memory(f, series)
	members, values := parse(f, "universe: {members: f}\nentry: close > 0\n"), parse(f, "series: {v: f}\nentry: v == v\n")
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, cfg := range []*backtest.Config{members, values} {
			c := *cfg
			c.Attach("f", data)
			res, err := backtest.Run(t.Context(), &c, src)
			if (res == nil) == (err == nil) {
				t.Fatalf("%q: neither a result nor an error", data)
			}
		}
	})
}

// Who was a member before the first decision counts for windows that look back on comparisons.
func TestMembersBeforeTheRangeWithinTheDay(t *testing.T) {
	const text = "universe: {top: 2, by: 'sma(volume, 2)'}\nsignals: {a: 'sma(rank(close / close[1]), 100)'}\nentry: a > 0.5\ndata: {bars: 5m}\n"
	cal := bar.NYSE()
	src := reference{own: map[string]*bar.Series{}}
	var all []*bar.Series
	for _, name := range []string{"AAA", "BBB", "CCC", "DDD"} {
		s := fiveMinutes(rand.New(rand.NewPCG(uint64(name[0]), 55)), name, instrument.NewDate(2023, 11, 1), instrument.NewDate(2023, 11, 30))
		d, err := bar.Resample(s, bar.Daily, bar.Regular, cal)
		if err != nil {
			t.Fatal(err)
		}
		src.own[name], src.held, all = d, append(src.held, held("CS", d)), append(all, s)
	}
	src.Source = memory(t, all)
	days, err := bar.NewMemory(cal, src.own["AAA"], src.own["BBB"], src.own["CCC"], src.own["DDD"])
	if err != nil {
		t.Fatal(err)
	}
	from := instrument.NewDate(2023, 11, 20)
	both := dayBars{reference: src, days: days}
	whole, err := backtest.NewPreview(t.Context(), parse(t, text), both)
	if err != nil {
		t.Fatal(err)
	}
	later, err := backtest.NewPreview(t.Context(), parse(t, text[:len(text)-len("data: {bars: 5m}\n")]+"data: {bars: 5m, from: "+from.String()+"}\n"), both)
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, s := range later.Symbols {
		values := map[int64]float64{}
		for _, w := range whole.Symbols {
			for i := range w.Time.Nanos {
				if w.Symbol == s.Symbol {
					values[w.Time.Nanos[i]] = w.Columns[len(w.Columns)-1].Values[i]
				}
			}
		}
		for i, ns := range s.Time.Nanos {
			if got, want := s.Columns[len(s.Columns)-1].Values[i], values[ns]; cal.DateOf(ns) >= from && !near(got, want) {
				t.Fatalf("%s at %s: %v, from the beginning %v", s.Symbol, s.Time.At(i), got, want)
			} else if !math.IsNaN(got) {
				compared++
			}
		}
	}
	if compared < 300 {
		t.Errorf("only %d values", compared)
	}
	if u := later.Data.Universe; len(u.Count) != cal.Count(from-3, instrument.NewDate(2023, 11, 30)) || u.Time.Date(0) != from-3 {
		t.Errorf("members counted from %s on, %d times", u.Time.At(0), len(u.Count))
	}
}

// dayBars has day bars from another source.
type dayBars struct {
	reference
	days bar.Source
}

func (s dayBars) Load(ctx context.Context, r bar.Request) (*bar.Series, error) {
	if r.Frame == bar.Daily {
		return s.days.Load(ctx, r)
	}
	return s.Source.Load(ctx, r)
}
