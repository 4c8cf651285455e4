package sweep_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/sweep"
)

// Several processors on one symbol find what one finds, bit for bit, on every path: in several rounds, with prices that
// tie, and where dividends or volume throw combinations out.
func TestSeveralProcessorsOnOneSymbol(t *testing.T) {
	plainly, paying, ties, thin := walk(3, "A", 4500), walk(4, "A", 1500), walk(5, "A", 1500), walk(6, "A", 1100)
	for k := range 4 {
		d := instrument.DateOfNanos(paying.Time[200+300*k])
		paying.Actions.Dividends = append(paying.Actions.Dividends, instrument.Dividend{Ex: d, Pay: d + 9, Cash: 0.01})
	}
	for i := range ties.Close { // long stretches of one price
		ties.Close[i] = float64(int(ties.Close[i]/4) * 4)
		ties.Open[i], ties.High[i], ties.Low[i] = ties.Close[i], ties.Close[i], ties.Close[i]
	}
	for i := range thin.Volume { // now and then too small for a fill
		thin.Volume[i] = []float64{1e9, 1e9, 1e9, 40}[i%200/50]
	}
	level := "entry: sma(close, a) > sma(close, b)\nexit: sma(close, a) < sma(close, b)"
	crossing := "entry: crosses_above(sma(close, a), ema(close, b))\nexit: crosses_below(sma(close, a), ema(close, b))"
	least := "entry: highest(close, a) >= highest(close, b)\nexit: highest(close, a) < highest(close, b)"
	stop := "entry: rsi(close, a) < 30 + b\nexit: {when: \"rsi(close, a) > 60\", stop: entry_price - 2 * atr(b)}"
	trail := "entry: close > sma(close, a)\nexit: {when: bars_held >= b, trail: {fraction: 0.05}}"
	for _, c := range []struct {
		series *bar.Series
		text   string
		path   sweep.Path // of the last rows in the summary
	}{
		{plainly, level, sweep.Sorted}, {plainly, crossing, sweep.Sorted}, {ties, level, sweep.Sorted}, {ties, least, sweep.Sorted},
		{paying, crossing, sweep.Fused}, {paying, least, sweep.Fused}, {paying, stop, sweep.Fused}, {ties, stop, sweep.Sparse},
		{thin, trail, sweep.Fused}, {thin, level, sweep.Event},
	} {
		rest := plain
		if c.path == sweep.Event {
			rest = strings.Replace(plain, "slippage: none", "slippage: none, volume_cap: 0.1", 1)
		}
		cfg := parse(t, "params: {a: 2..9, b: 5..16}\n"+c.text+rest)
		market := source(t, c.series)
		play := func(workers int) (lines []string) {
			o := sweep.Options{Independent: true, Workers: workers, Returns: func(r *sweep.Returns) error {
				lines = append(lines, fmt.Sprint(r.Index, r.Values[:50], r.Values[len(r.Values)-50:]))
				return nil
			}}
			got, sum := rows(t, cfg, market, o)
			for _, r := range got {
				lines = append(lines, fmt.Sprint(r.Index, r.Params, r.Metrics, r.Path, r.Reason))
			}
			if last := sum.Paths[len(sum.Paths)-1]; last.Path != c.path {
				t.Errorf("%s: rows took %+v, want some on the %s path", c.text, sum.Paths, c.path)
			}
			return lines
		}
		want := play(1)
		for _, workers := range []int{2, 3} {
			if !slices.Equal(play(workers), want) {
				t.Errorf("%s: %d workers give other rows than one", c.text, workers)
			}
		}
	}
}

// Symbols that cannot be dealt out evenly are played by all processors, with the same rows.
func TestSeveralProcessorsOnTheSymbolsLeftOver(t *testing.T) {
	market := source(t, walk(1, "A", 1200), walk(2, "B", 1200), walk(3, "C", 1200))
	cfg := parse(t, "params: {a: 2..9, b: 5..16}\nentry: sma(close, a) > sma(close, b)\nexit: sma(close, a) < sma(close, b)"+plain)
	want, _ := rows(t, cfg, market, sweep.Options{Independent: true, Workers: 1})
	for _, workers := range []int{2, 3, 4, 7} {
		got, _ := rows(t, cfg, market, sweep.Options{Independent: true, Workers: workers})
		if len(want) != 3*8*12 || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%d workers give other rows than one", workers)
		}
	}
}
