package backtest_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// pencilSeries is a symbol whose bars open where the last one closed, from 2015-01-02 on.
func pencilSeries(name string, closes ...float64) *bar.Series {
	days := bar.NYSE().Sessions(instrument.NewDate(2015, 1, 1), instrument.NewDate(2016, 1, 1))
	s := &bar.Series{Symbol: name, ID: instrument.ID(name), Frame: bar.Daily, Delisted: instrument.None}
	last := closes[0]
	for i, c := range closes {
		s.Time = append(s.Time, days[i].Nanos())
		s.Open, s.Close = append(s.Open, last), append(s.Close, c)
		s.High, s.Low = append(s.High, max(last, c)), append(s.Low, min(last, c))
		s.Volume = append(s.Volume, 1e6)
		last = c
	}
	return s
}

// succeed plays the values of the one parameter of a file, the first up to the session of that number, counted
// from 0, then the second; a negative one is none.
func succeed(t *testing.T, text string, seam int, values [2]float64, series ...*bar.Series) *backtest.Succession {
	t.Helper()
	cfg := parse(t, text)
	cfg.Data.From = instrument.DateOfNanos(series[0].Time[1]) // the first bar decides
	at := instrument.DateOfNanos(series[0].Time[seam])
	tenures := []backtest.Tenure{{From: cfg.Data.From, To: at, Config: cfg.With(values[:1])}, {From: at, To: instrument.Forever, Config: cfg.With(values[1:])}}
	for k := range tenures {
		if values[k] < 0 {
			tenures[k].Config = nil
		}
	}
	s, err := backtest.Succeed(t.Context(), cfg, tenures, memory(t, series))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// lives are the sessions, counted from 0, in which the trades of a symbol begin and end, with the reason if they were closed.
func lives(s *backtest.Succession, of *bar.Series) string {
	var out []string
	number := func(stamp string) string {
		k := slices.IndexFunc(of.Time, func(ns int64) bool { return instrument.DateOfNanos(ns).String() == stamp })
		return string(rune('0' + k))
	}
	for _, x := range s.Trades {
		if x.Symbol == of.Symbol {
			out = append(out, strings.TrimSpace(number(x.EntryTime)+number(x.ExitTime)+" "+x.ExitReason))
		}
	}
	return strings.Join(out, ", ")
}

// Sessions 0 to 9 by hand. n is for how many bars a position is held; the rules change for orders of session 4.
func TestRulesSucceedEachOther(t *testing.T) {
	flat := []float64{10, 10, 10, 10, 10, 10, 10, 10, 10, 10}
	long := "params: {n: 1..9}\nentry: close > 0\nexit: bars_held >= n\nsize: {shares: 100}\n"
	for _, c := range []struct {
		name, text string
		values     [2]float64
		want       [2]string // of each symbol
	}{
		// Bought at the open of 1, whose close is bars_held 1: held to the close of 5, sold at the open of 6. The
		// close of 6 is the first that finds nothing held: bought at 7 and held for one bar. At 9 it is bought again.
		{"the position keeps its rules", long, [2]float64{5, 1}, [2]string{"16 signal, 78 signal, 99", "16 signal, 78 signal, 99"}},
		// One slot: what A holds under old rules takes it until its exit is decided at the close of 5.
		{"slots count what is held under old rules", strings.Replace(long, "shares: 100", "shares: 100, max_positions: 1", 1), [2]float64{5, 1}, [2]string{"16 signal, 78 signal, 99", "67 signal, 89 signal"}},
		// Nothing is eligible: what is held lives on, and nothing is entered.
		{"nobody decides", long, [2]float64{5, -1}, [2]string{"16 signal", "16 signal"}},
		// A limit below the market that waits for ever is cancelled at the close of 3; its successor waits at 9.
		{"orders end with their rules", "params: {n: [9, 8]}\nentry: {when: close > 0, order: limit, price: n, tif: gtc}\nsize: {shares: 100}\n", [2]float64{9, 8}, [2]string{"", ""}},
		// Short from the close above n on: the old rules find that at the close of 5 and close the long, no more.
		{"a reversal of old rules closes", "params: {n: [12, 99]}\naccount: regt\nlong: {entry: close < 11}\nshort: {entry: close > n}\nsize: {shares: 100}\n", [2]float64{12, 99}, [2]string{"16 reversal, 89", "19"}},
		// Added to at the opens of 2 and 3, a trade each; at 4, 5 and 6 no more. The next rules add to what is theirs.
		{"old rules do not add", "params: {n: [5, 9]}\nentry: {when: close > 0, add: {most: 6}}\nexit: bars_held >= n\nsize: {shares: 100}\n", [2]float64{5, 9}, [2]string{"16 signal, 26 signal, 36 signal, 79, 89, 99", "16 signal, 26 signal, 36 signal, 79, 89, 99"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := pencilSeries("A", flat...), pencilSeries("B", flat...)
			switch {
			case strings.Contains(c.name, "reversal"):
				a = pencilSeries("A", 10, 10, 10, 10, 10, 13, 13, 10, 10, 10)
			case strings.Contains(c.name, "orders"):
				a = pencilSeries("A", 10, 10, 10, 10, 8.5, 8.5, 10, 10, 10, 10)
			}
			s := succeed(t, c.text, 4, c.values, a, b)
			for k, of := range []*bar.Series{a, b} {
				if got := lives(s, of); got != c.want[k] {
					t.Errorf("%s: %s, want %s", of.Symbol, got, c.want[k])
				}
			}
		})
	}
}

// Tenures of the same rules trade as one run of them.
func TestSuccessionOfTheSameRulesIsOneRun(t *testing.T) {
	trades, carried := 0, false
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 117))
		series := randomMarket(r, 4, 160)
		text := randomStrategy(r)
		cfg := parse(t, text)
		src := source(t, cfg, series)
		if cfg.Data.From == instrument.None {
			cfg.Data.From = instrument.NewDate(2015, 2, 2)
		}
		whole, err := backtest.Run(t.Context(), cfg, src)
		if err != nil {
			t.Fatal(err)
		}
		seam := instrument.NewDate(2015, 5, 1)
		s, err := backtest.Succeed(t.Context(), cfg, []backtest.Tenure{{From: cfg.Data.From, To: seam, Config: cfg}, {From: seam, To: instrument.Forever, Config: cfg}}, src)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if !slices.Equal(s.Trades, whole.Trades) || !slices.Equal(s.Equity.Value, whole.Equity.Value) || !slices.Equal(s.Equity.Time.Nanos, whole.Equity.Time.Nanos) {
			t.Fatalf("seed %d: %d trades, as one run %d, or another equity, in\n%s", seed, len(s.Trades), len(whole.Trades), text)
		}
		trades += len(s.Trades)

		// The same rules under another name: what is held at the seam is left as before, nothing is entered twice. A
		// rebalance goes on as it was.
		other := *cfg
		s, err = backtest.Succeed(t.Context(), cfg, []backtest.Tenure{{From: cfg.Data.From, To: seam, Config: cfg}, {From: seam, To: instrument.Forever, Config: &other}}, src)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if cfg.Rebalance != nil {
			if !slices.Equal(s.Trades, whole.Trades) || !slices.Equal(s.Equity.Value, whole.Equity.Value) {
				t.Fatalf("seed %d: %d trades, as one run %d, or another equity, in\n%s", seed, len(s.Trades), len(whole.Trades), text)
			}
			continue
		}
		for _, x := range s.Trades {
			for _, y := range s.Trades {
				if x.Symbol == y.Symbol && x.EntryTime < seam.String() && y.EntryTime >= seam.String() && x.ExitTime > y.EntryTime {
					t.Fatalf("seed %d: %s is entered on %s, and held to %s under old rules, in\n%s", seed, x.Symbol, y.EntryTime, x.ExitTime, text)
				}
				carried = carried || x.EntryTime < seam.String() && x.ExitTime > seam.String()
			}
		}
	}
	if trades < 500 || !carried {
		t.Errorf("%d trades, carried over the seam: %t: the test shows little", trades, carried)
	}
}

// Several strategies in an account have no parameters that could follow each other.
func TestNoSuccession(t *testing.T) {
	series := []*bar.Series{pencilSeries("A", 10, 10, 10, 10, 10, 10)}
	cfg := portfolioOf(t, 0.5, "entry: close > 0\n", "entry: close > 1\n")
	cfg.Data.From = instrument.DateOfNanos(series[0].Time[1])
	_, err := backtest.Succeed(t.Context(), cfg, []backtest.Tenure{{From: 0, To: instrument.Forever, Config: cfg}}, memory(t, series))
	if no := (*backtest.NoSuccession)(nil); !errors.As(err, &no) || !strings.Contains(no.Reason, "several strategies") {
		t.Errorf("%v", err)
	}
}
