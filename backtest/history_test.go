package backtest_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// How much more history is stored than a run needs changes nothing.
func TestMoreHistoryChangesNothing(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 33))
		series := randomMarket(r, 4, 400)
		text := richStrategy(r)
		from := instrument.NewDate(2016, 3, 1)
		cfg := parse(t, text)
		cfg.Data.From = from
		var less []*bar.Series
		for _, s := range series { // months and means of five of them are the longest history
			n := 0
			for s.Date(n) < from-240 {
				n++
			}
			less = append(less, s.Slice(n, s.Len()))
		}
		var results [2]*backtest.Result
		for i, data := range [][]*bar.Series{series, less} {
			res, err := backtest.Run(t.Context(), cfg, memory(t, data))
			if err != nil {
				t.Fatal(err)
			}
			results[i] = res
		}
		if a, b := results[0], results[1]; !slices.Equal(a.Fills, b.Fills) || !slices.Equal(a.Equity.Value, b.Equity.Value) {
			t.Fatalf("seed %d: %s\n%s", seed, firstDifference(a.Fills, b.Fills), fmt.Sprint(text))
		}
	}
}

// A run that begins later sees, from its first decision on, what a run from the beginning sees: the
// history that windows over comparisons, other symbols and longer bars need is all there.
func TestHistoryIsEnough(t *testing.T) {
	const long = `signals:
  a: sma(rank(roc(close, 2)), 3)
  b: highest(zscore(volume / volume[3]), 4)
  c: sma(close / sym("S00").close, 4)
  d: tf("1w", sma(close, 3))
  e: sma(rank(sma(rank(close / sym("S00", sma(close, 5))), 2)), 3)
  f: tf("1M", close / sym("S00").close)[2]
  g: sma(demean(tf("1w").close / close), 2)
entry: a > 0 and b > 0 and c > 0 and d > 0 and e > 0 and f > 0 and g > 0
`
	const short = "signals: {a: 'sma(rank(close / close[1]), 3)', b: 'rank(close / sym(\"S00\").close)[2]'}\nentry: a > b\n"
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 34))
		series := randomMarket(r, 4, 260)
		k := 1 + r.IntN(3)
		series[k] = without(series[k], 90+r.IntN(30), 135) // somebody's history reaches far back
		from := traded(series[0]).Date(130 + r.IntN(10))
		for _, text := range []string{long, short} {
			for _, universe := range []string{"", "universe: {where: 'rank(close) > 0.2'}\n", "universe: {top: 3, by: 'sma(rank(volume), 3)'}\n"} {
				if what := differsFrom(t, universe+text, memory(t, series), from); what != "" {
					t.Fatalf("seed %d, %s: %s", seed, universe, what)
				}
			}
		}
	}
}

// differsFrom compares the signals of a run from a date on with those of a run from the beginning; ""
// when they are the same.
func differsFrom(t *testing.T, text string, src bar.Source, from instrument.Date) string {
	t.Helper()
	whole, err := backtest.NewPreview(t.Context(), parse(t, text), src)
	if err != nil {
		t.Fatal(err)
	}
	later, err := backtest.NewPreview(t.Context(), parse(t, text+"data: {from: "+from.String()+"}\n"), src)
	if err != nil {
		t.Fatal(err)
	}
	at := map[string][]float64{}
	for _, s := range whole.Symbols {
		for i := range s.Time.Nanos {
			for _, c := range s.Columns {
				key := s.Symbol + s.Time.At(i)
				at[key] = append(at[key], c.Values[i])
			}
		}
	}
	for _, s := range later.Symbols {
		for i := range s.Time.Nanos {
			for k, c := range s.Columns {
				if want := at[s.Symbol+s.Time.At(i)][k]; s.Time.Date(i) >= from && !near(c.Values[i], want) {
					return fmt.Sprintf("%s on %s: %s is %v, from the beginning %v", s.Symbol, s.Time.At(i), c.Name, c.Values[i], want)
				}
			}
		}
	}
	return ""
}
