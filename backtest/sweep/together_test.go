package sweep_test

import (
	"fmt"
	"slices"
	"testing"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/sweep"
)

// Several processors on one symbol find what one finds, bit for bit: on long series, with prices that tie, and where
// dividends throw combinations out.
func TestSeveralProcessorsOnOneSymbol(t *testing.T) {
	plainly, paying := walk(3, "A", 4000), walk(4, "A", 4000)
	for k := range 9 {
		d := instrument.DateOfNanos(paying.Time[300+400*k])
		paying.Actions.Dividends = append(paying.Actions.Dividends, instrument.Dividend{Ex: d, Pay: d + 9, Cash: 0.01})
	}
	ties := walk(5, "A", 4000)
	for i := range ties.Close { // long stretches of one price
		ties.Close[i] = float64(int(ties.Close[i]/4) * 4)
		ties.Open[i], ties.High[i], ties.Low[i] = ties.Close[i], ties.Close[i], ties.Close[i]
	}
	for name, s := range map[string]string{"level": "entry: sma(close, a) > sma(close, b)\nexit: sma(close, a) < sma(close, b)",
		"crossing": "entry: crosses_above(sma(close, a), ema(close, b))\nexit: crosses_below(sma(close, a), ema(close, b))",
		"at least": "entry: highest(close, a) >= highest(close, b)\nexit: highest(close, a) < highest(close, b)"} {
		for k, one := range []*bar.Series{plainly, paying, ties} {
			cfg := parse(t, "params: {a: 2..20, b: 5..30}\n"+s+plain)
			market := source(t, one)
			play := func(workers int) (lines []string, paths string) {
				o := sweep.Options{Independent: true, Workers: workers, Returns: func(r *sweep.Returns) error {
					lines = append(lines, fmt.Sprint(r.Index, r.Values[:50], r.Values[len(r.Values)-50:]))
					return nil
				}}
				got, sum := rows(t, cfg, market, o)
				for _, r := range got {
					lines = append(lines, fmt.Sprint(r.Index, r.Params, r.Metrics, r.Path, r.Reason))
				}
				return lines, fmt.Sprint(sum.Paths)
			}
			want, paths := play(1)
			for _, workers := range []int{2, 3} {
				got, _ := play(workers)
				if !slices.Equal(got, want) {
					t.Errorf("%s, series %d: %d workers give other rows than one", name, k, workers)
				}
			}
			t.Logf("%s, series %d: %s", name, k, paths)
		}
	}
}
