package backtest_test

import (
	"context"
	"fmt"
	"log"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/strategy"
	"backtester/backtest/strategy/hook"
)

// A strategy file and bars from anywhere are enough to use the engine as a library.
func ExampleRun() {
	cfg, faults := strategy.Parse("dip.yaml", []byte(`
universe: {symbols: [ACME]}
entry: close < close[1]
exit: {max_bars: 2, stop: entry_price * 0.95}
size: {shares: 100}
costs: {commission: {per_share: 0.005, min: 1}}
`))
	if err := faults.Err(); err != nil {
		log.Fatal(err)
	}
	closes := []float64{50, 49, 50, 51, 52, 51.5, 52.5, 53}
	acme := &bar.Series{Symbol: "ACME", Frame: bar.Daily, Delisted: instrument.None}
	for i, day := range bar.NYSE().Sessions(instrument.NewDate(2024, 1, 2), instrument.NewDate(2024, 1, 11)) {
		c := closes[i]
		acme.Time = append(acme.Time, day.Nanos())
		acme.Open, acme.High, acme.Low = append(acme.Open, c), append(acme.High, c+0.5), append(acme.Low, c-0.5)
		acme.Close, acme.Volume = append(acme.Close, c), append(acme.Volume, 1e6)
	}
	source, err := bar.NewMemory(bar.NYSE(), acme)
	if err != nil {
		log.Fatal(err)
	}
	result, err := backtest.Run(context.Background(), cfg, source)
	if err != nil {
		log.Fatal(err)
	}
	for _, t := range result.Trades {
		fmt.Printf("%s %s %g at %.2f, out %s at %.2f (%s): %+.2f\n",
			t.EntryTime, t.Symbol, t.Quantity, t.EntryPrice, t.ExitTime, t.ExitPrice, t.ExitReason, t.PnL)
	}
	equity, _ := result.Metrics.Get("final_equity")
	fmt.Printf("final equity %.2f\n", equity)
	// Output:
	// 2024-01-04 ACME 100 at 50.00, out 2024-01-08 at 52.00 (max_bars): +198.00
	// 2024-01-10 ACME 100 at 52.50, out 2024-01-11 at 53.00 (): +49.00
	// final equity 100247.00
}

// monthEnd holds whatever rose over the last three months, in equal weights, and looks once a month.
type monthEnd struct{ intents []hook.Intent }

func (*monthEnd) OnBar(*hook.View) ([]hook.Intent, error) { return nil, nil }
func (*monthEnd) Every() hook.Period                      { return hook.Month }

func (s *monthEnd) OnRebalance(now *hook.View) ([]hook.Intent, error) {
	s.intents = s.intents[:0]
	var rising []int
	for i := range now.Len() {
		switch {
		case now.Last(i, hook.Close) > now.Ago(i, hook.Close, 63):
			rising = append(rising, i)
		case now.Account().Position(i).Shares > 0:
			s.intents = append(s.intents, hook.Intent{Do: hook.Exit, Symbol: i})
		}
	}
	for _, i := range rising {
		s.intents = append(s.intents, hook.Intent{Do: hook.Target, Symbol: i, Weight: 0.98 / float64(len(rising))})
	}
	return s.intents, nil
}

// Decisions that no expression can say are made in Go: a value with the method OnBar, and if it wants
// OnFill and OnRebalance. What it sees ends at the close it is called at.
func ExampleRunWith() {
	var series []*bar.Series
	for name, slope := range map[string]float64{"DOWN": -0.1, "FLAT": 0.02, "UP": 0.1} {
		s := &bar.Series{Symbol: name, Frame: bar.Daily, Delisted: instrument.None}
		for i, day := range bar.NYSE().Sessions(instrument.NewDate(2024, 1, 2), instrument.NewDate(2024, 6, 28)) {
			c := 50 + slope*float64(i)
			s.Time = append(s.Time, day.Nanos())
			s.Open, s.High, s.Low = append(s.Open, c), append(s.High, c+0.5), append(s.Low, c-0.5)
			s.Close, s.Volume = append(s.Close, c), append(s.Volume, 1e6)
		}
		series = append(series, s)
	}
	source, err := bar.NewMemory(bar.NYSE(), series...)
	if err != nil {
		log.Fatal(err)
	}
	cfg := backtest.Default() // or a strategy file for costs, size, account, dates, and signals to read
	result, err := backtest.RunWith(context.Background(), cfg, source, backtest.Options{Strategy: &monthEnd{}})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range result.Fills {
		fmt.Printf("%s %s %g %s at %.2f\n", f.Time, f.Side, f.Quantity, f.Symbol, f.Price)
	}
	// Output:
	// 2024-05-01 buy 948 FLAT at 51.66
	// 2024-05-01 buy 841 UP at 58.30
	// 2024-06-03 sell 13 UP at 60.50
	// 2024-06-03 buy 13 FLAT at 52.10
}
