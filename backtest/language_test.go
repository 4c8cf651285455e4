package backtest_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// The parts of the language that look beyond a symbol's own bars, held against what they mean, bar by
// bar, from raw prices and splits alone.

// columns previews one file and gives the named signals of each symbol.
func columns(t testing.TB, text string, src bar.Source) map[string]map[string][]float64 {
	t.Helper()
	p, err := backtest.NewPreview(t.Context(), parse(t, text), src)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	out := map[string]map[string][]float64{}
	for _, s := range p.Symbols {
		out[s.Symbol] = map[string][]float64{}
		for _, c := range s.Columns {
			out[s.Symbol][c.Name] = c.Values
		}
	}
	return out
}

// traded is a series without bars of no volume, as expressions see it.
func traded(s *bar.Series) *bar.Series {
	c := &bar.Series{Symbol: s.Symbol, Frame: s.Frame, Actions: s.Actions, Delisted: instrument.None}
	for i := range s.Time {
		if s.Volume[i] > 0 {
			c.Time = append(c.Time, s.Time[i])
			c.Open, c.High, c.Low = append(c.Open, s.Open[i]), append(c.High, s.High[i]), append(c.Low, s.Low[i])
			c.Close, c.Volume = append(c.Close, s.Close[i]), append(c.Volume, s.Volume[i])
		}
	}
	return c
}

// shares is how many shares one of day a has become by day b.
func shares(s *bar.Series, a, b instrument.Date) float64 {
	f := 1.0
	for _, x := range s.Actions.Splits {
		if x.Ex > a && x.Ex <= b {
			f *= x.To / x.From
		}
	}
	return f
}

// near compares two values, absent ones being one.
func near(a, b float64) bool {
	return math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= 1e-9*math.Max(1, math.Abs(b))
}

// A week is readable from the close of its last scheduled session on, in the shares of the day that
// reads it; no day of the week going on is in it. The week that loading cut off is not seen.
func TestWeeksAreReadableOnceTheyEnded(t *testing.T) {
	const text = "signals: {o: tf('1w').open, h: tf('1w').high, l: tf(\"1w\").low, c: tf('1w').close, v: tf('1w').volume, m: 'tf(\"1w\", sma(close, 3))', prev: tf('1w', close[1])}\nentry: c > 0\n"
	cal := bar.NYSE()
	for seed := range uint64(30) {
		series := randomMarket(rand.New(rand.NewPCG(seed, 21)), 2, 160)
		got := columns(t, text, memory(t, series))
		for _, whole := range series {
			s := traded(whole)
			weeks := weeksOf(s, cal)
			for i := range s.Time {
				d := s.Date(i)
				k := len(weeks) - 1
				for k >= 0 && weeks[k].last > d {
					k--
				}
				want := week{o: math.NaN(), h: math.NaN(), l: math.NaN(), c: math.NaN(), v: math.NaN()}
				mean, prev := math.NaN(), math.NaN()
				if k >= 1 {
					want = weeks[k].seen(s, d)
					if k >= 2 {
						prev = weeks[k-1].seen(s, d).c
					}
					if k >= 3 {
						mean = (weeks[k-2].seen(s, d).c + weeks[k-1].seen(s, d).c + want.c) / 3
					}
				}
				for name, w := range map[string]float64{"o": want.o, "h": want.h, "l": want.l, "c": want.c, "v": want.v, "m": mean, "prev": prev} {
					if g := got[s.Symbol][name][i]; !near(g, w) {
						t.Fatalf("seed %d %s %s: %s is %v, want %v", seed, s.Symbol, d, name, g, w)
					}
				}
			}
		}
	}
}

// week is what traded in a calendar week: the rows of its days.
type week struct {
	last          instrument.Date // last scheduled session
	rows          []int
	o, h, l, c, v float64
}

func weeksOf(s *bar.Series, cal *bar.Calendar) []week {
	var out []week
	for i := range s.Time {
		d := s.Date(i)
		monday := d - instrument.Date((d.Weekday()+6)%7)
		last := cal.Prev(monday + 7)
		if len(out) == 0 || out[len(out)-1].last != last {
			out = append(out, week{last: last})
		}
		w := &out[len(out)-1]
		w.rows = append(w.rows, i)
	}
	return out
}

// seen is the week in the shares of day d.
func (w week) seen(s *bar.Series, d instrument.Date) week {
	w.h, w.l, w.v = math.Inf(-1), math.Inf(1), 0
	for k, i := range w.rows {
		f := shares(s, s.Date(i), d)
		if k == 0 {
			w.o = s.Open[i] / f
		}
		w.h, w.l, w.c, w.v = max(w.h, s.High[i]/f), min(w.l, s.Low[i]/f), s.Close[i]/f, w.v+s.Volume[i]*f
	}
	return w
}

// Another symbol's value is that of its last bar, absent when a whole session went by without one.
// Ratios restate each symbol for its own splits only.
func TestOtherSymbols(t *testing.T) {
	const text = `signals:
  spy: sym("S00").close
  mean: sym("S00", sma(close, 4))
  old: sym("S00", close, stale = 3)
  ratio: close / sym("S00").close
  back: (close / sym("S00").close)[2]
  up: sym("S00", close > close[1])
entry: spy > 0
`
	cal := bar.NYSE()
	for seed := range uint64(30) {
		series := randomMarket(rand.New(rand.NewPCG(seed, 22)), 3, 140)
		series[0] = without(series[0], 30, 33) // long enough to be stale
		got := columns(t, text, memory(t, series))
		spy := traded(series[0])
		look := func(d instrument.Date, stale int) int {
			k := -1
			for k+1 < spy.Len() && spy.Date(k+1) <= d {
				k++
			}
			if k >= 0 && cal.Count(spy.Date(k)+1, d) > stale {
				return -1
			}
			return k
		}
		seen := func(k int, d instrument.Date) float64 {
			if k < 0 {
				return math.NaN()
			}
			return spy.Close[k] / shares(spy, spy.Date(k), d)
		}
		absent := 0
		for _, whole := range series {
			s := traded(whole)
			for i := range s.Time {
				d := s.Date(i)
				k := look(d, 1)
				if k < 0 {
					absent++
				}
				last := instrument.None
				if k >= 0 {
					last = spy.Date(k) // a value is in the shares of the bar it comes from
				}
				want := map[string]float64{"spy": seen(k, last), "ratio": s.Close[i] / seen(k, last), "mean": math.NaN(), "back": math.NaN(), "up": math.NaN(), "old": math.NaN()}
				if k >= 3 {
					want["mean"] = (seen(k, last) + seen(k-1, last) + seen(k-2, last) + seen(k-3, last)) / 4
				}
				if k >= 1 {
					want["up"] = 0
					if seen(k, last) > seen(k-1, last) {
						want["up"] = 1
					}
				}
				if k := look(d, 3); k >= 0 {
					want["old"] = seen(k, spy.Date(k))
				}
				if i >= 2 {
					if k2 := look(s.Date(i-2), 1); k2 >= 0 {
						now := spy.Date(max(0, look(d, 1000)))
						want["back"] = s.Close[i-2] / shares(s, s.Date(i-2), d) / seen(k2, now)
					}
				}
				for name, w := range want {
					if g := got[s.Symbol][name][i]; !near(g, w) {
						t.Fatalf("seed %d %s %s: %s is %v, want %v", seed, s.Symbol, d, name, g, w)
					}
				}
			}
		}
		if absent == 0 {
			t.Fatalf("seed %d: nothing was ever stale", seed)
		}
	}
}

// without is s without the bars [i, j).
func without(s *bar.Series, i, j int) *bar.Series {
	c := *s
	c.Time = slices.Delete(slices.Clone(s.Time), i, j)
	c.Open, c.High = slices.Delete(slices.Clone(s.Open), i, j), slices.Delete(slices.Clone(s.High), i, j)
	c.Low, c.Close = slices.Delete(slices.Clone(s.Low), i, j), slices.Delete(slices.Clone(s.Close), i, j)
	c.Volume = slices.Delete(slices.Clone(s.Volume), i, j)
	return &c
}

// Comparisons run over the symbols that have a bar on the day, whatever bars the others have.
func TestComparisonsAgainstBruteForce(t *testing.T) {
	const text = `signals:
  x: close / close[1]
  place: rank(x)
  part: percentile(x)
  score: zscore(x)
  less: demean(x)
  two: top(x, 2)
  least: bottom(x, 2)
  many: group(close > open)
  again: sma(rank(x), 2)
entry: x > 0
`
	for seed := range uint64(20) {
		series := randomMarket(rand.New(rand.NewPCG(seed, 23)), 6, 90)
		got := columns(t, text, memory(t, series))
		names := []string{"S00", "S01", "S02", "S03", "S04", "S05"}
		days := map[instrument.Date]map[string]int{}
		for i, whole := range series {
			s := traded(whole)
			for r := range s.Time {
				if days[s.Date(r)] == nil {
					days[s.Date(r)] = map[string]int{}
				}
				days[s.Date(r)][names[i]] = r
			}
		}
		for d, rows := range days {
			var x []float64
			for _, n := range names {
				if r, ok := rows[n]; ok && !math.IsNaN(got[n]["x"][r]) {
					x = append(x, got[n]["x"][r])
				}
			}
			mean, dev := 0.0, 0.0
			for _, v := range x {
				mean += v / float64(len(x))
			}
			for _, v := range x {
				dev += (v - mean) * (v - mean) / float64(len(x))
			}
			for n, r := range rows {
				v := got[n]["x"][r]
				if math.IsNaN(v) {
					continue
				}
				below, same := 0.0, 0.0
				for _, y := range x {
					if y < v {
						below++
					} else if y == v {
						same++
					}
				}
				place := below + (same+1)/2
				want := map[string]float64{"place": place / float64(len(x)), "less": v - mean, "score": (v - mean) / math.Sqrt(dev), "part": 0.5}
				if len(x) > 1 {
					want["part"] = (place - 1) / float64(len(x)-1)
				}
				if same == 1 {
					want["two"], want["least"] = 0, 0
					if float64(len(x))-place < 2 {
						want["two"] = 1
					}
					if place <= 2 {
						want["least"] = 1
					}
				}
				if r > 0 {
					want["again"] = (got[n]["place"][r] + got[n]["place"][r-1]) / 2
				}
				for name, w := range want {
					if math.IsInf(w, 0) || name == "score" && dev == 0 {
						continue
					}
					if g := got[n][name][r]; !near(g, w) {
						t.Fatalf("seed %d %s %s: %s is %v, want %v", seed, n, d, name, g, w)
					}
				}
			}
		}
	}
}

// richStrategy uses everything that looks beyond a symbol's own bars.
func richStrategy(r *rand.Rand) string {
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	conditions := []string{
		`sym("S00").close > sym("S00", sma(close, 5))`, `close / sym("S00").close > sma(close / sym("S00").close, 4)`,
		`tf("1w").close > tf("1w", sma(close, 3))`, `close > tf("1w").high`, `close < tf("1w").low * 1.02 and tf("1M").close > 0`,
		`rank(roc(close, 5)) > 0.5`, `top(roc(close, 3), 2)`, `zscore(close / sma(close, 10)) > 0.3`, `sma(rank(roc(close, 2)), 3) > 0.6`,
		`rank(close / sym("S00").close) >= 0.5`, `tf("1w", close / sym("S00").close) > 1`, `sym("S00").tf("1w").close > sym("S00").tf("1w", close[1])`,
		`rank(rank(roc(close, 2)) - rank(volume)) > 0.5`, `group(close > open) > 0.5`, `strength(close, 4) > strength(volume, 3)`,
		`relative(close)[1] < relative(close)`, `demean(roc(close, 3)) > 0 and bottom(volume, 3)`,
	}
	universe := pick("", "", "universe: {where: close > 20}\n", "universe: {top: 2, by: 'roc(close, 5)'}\n",
		"universe: {where: 'rank(close) > 0.3', top: 3, by: 'sma(dollar_volume, 5)'}\nuniverse_exit: true\n",
		"universe: {where: 'tf(\"1w\").close > tf(\"1w\").open'}\nuniverse_exit: true\n", "universe: {where: 'close > sym(\"S00\").close'}\n")
	return "functions:\n  strength(x, n): x / sma(x, n) - 1\n  relative(x): x / sym(\"S00\", x)\n" + universe +
		"entry: {when: '" + pick(conditions...) + "', rank: " + pick("'rank(close)'", "'roc(close, 3)'", "'zscore(volume / volume[1])'") + "}\n" +
		"exit: {when: 'not (" + pick(conditions...) + ")', max_bars: " + pick("3", "9") + pick("", ", stop: entry_price - 2 * atr(5)") + "}\n" +
		"size: {weight: " + pick("0.3", "0.5") + ", max_positions: 3}\ndata: {adjust: " + pick("split", "total", "raw") + pick("", ", from: 2015-03-02") + "}\n"
}

func eachRich(t *testing.T, n int, f func(t *testing.T, r *rand.Rand, text string, series []*bar.Series)) {
	t.Helper()
	traded := 0
	for seed := range uint64(n) {
		r := rand.New(rand.NewPCG(seed, 31))
		text, series := richStrategy(r), randomMarket(r, 4, 110+r.IntN(60))
		traded += len(play(t, text, series).Fills)
		f(t, r, text, series)
		if t.Failed() {
			t.Fatalf("seed %d:\n%s", seed, text)
		}
	}
	if traded < 10*n {
		t.Fatalf("%d fills in %d runs: this proves little", traded, n)
	}
}

// What lies ahead, cut off or replaced by anything else, changes no fill and no equity before it.
func TestLookingAroundSeesNoFuture(t *testing.T) {
	eachRich(t, 80, func(t *testing.T, r *rand.Rand, text string, series []*bar.Series) {
		whole := play(t, text, series)
		cutAt := whole.Equity.Time.Date(10 + r.IntN(len(whole.Equity.Value)-12))
		past := fillsUpTo(whole, cutAt)
		var cut, other []*bar.Series
		for _, s := range series {
			n := 0
			for n < s.Len() && s.Date(n) <= cutAt {
				n++
			}
			cut = append(cut, s.Slice(0, n))
			other = append(other, poisoned(r, s, n))
		}
		for what, changed := range map[string][]*bar.Series{"cut": cut, "replaced": other} {
			got := play(t, text, changed)
			if f := fillsUpTo(got, cutAt); !slices.Equal(f, past) {
				t.Errorf("%s at %s: %s", what, cutAt, firstDifference(f, past))
			}
			for i := range got.Equity.Value {
				if got.Equity.Time.Date(i) <= cutAt && got.Equity.Value[i] != whole.Equity.Value[i] {
					t.Errorf("%s at %s: equity %d is %g, was %g", what, cutAt, i, got.Equity.Value[i], whole.Equity.Value[i])
					return
				}
			}
		}
	})
}

// poisoned is s with the bars from n on replaced by others, and a split among them.
func poisoned(r *rand.Rand, s *bar.Series, n int) *bar.Series {
	c := *s
	c.Open, c.High, c.Low = slices.Clone(s.Open), slices.Clone(s.High), slices.Clone(s.Low)
	c.Close, c.Volume = slices.Clone(s.Close), slices.Clone(s.Volume)
	for i := n; i < s.Len(); i++ {
		f := math.Exp(3 * r.NormFloat64())
		for _, x := range [][]float64{c.Open, c.High, c.Low, c.Close} {
			x[i] *= f
		}
		c.Volume[i] *= 1 + 10*r.Float64()
	}
	c.Actions.Splits = slices.DeleteFunc(slices.Clone(s.Actions.Splits), func(x instrument.Split) bool { return n < s.Len() && x.Ex >= s.Date(n) })
	c.Actions.Dividends = slices.DeleteFunc(slices.Clone(s.Actions.Dividends), func(x instrument.Dividend) bool { return n < s.Len() && x.Ex >= s.Date(n) })
	if n+2 < s.Len() {
		c.Actions.Splits = append(c.Actions.Splits, instrument.Split{Ex: s.Date(n + 1), From: 1, To: 7})
	}
	return &c
}

// Comparisons and universes give the same bytes at any number of processors and with the symbols
// handed over in any order.
func TestLookingAroundIsDeterministic(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	eachRich(t, 30, func(t *testing.T, r *rand.Rand, text string, series []*bar.Series) {
		var first []byte
		for _, procs := range []int{1, 2, 8} {
			runtime.GOMAXPROCS(procs)
			mixed := slices.Clone(series)
			r.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
			b, err := play(t, text, mixed).EncodeJSON()
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = b
			}
			if !bytes.Equal(b, first) {
				t.Errorf("other bytes with %d processors", procs)
			}
		}
	})
}
