package backtest_test

import (
	"context"
	"fmt"
	"slices"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/strategy"
)

// A universe that changes: who belonged when comes from a file, which is handed over with the strategy.
// Of its members, those that rose most are bought while the index stands above its mean of three days.
func ExampleRun_universe() {
	cfg, faults := strategy.Parse("members.yaml", []byte(`
universe: {members: index.csv}
universe_exit: true
functions:
  rise(x, n): x / x[n] - 1
entry: top(rise(close, 2), 1) and sym("IDX").close > sym("IDX", sma(close, 3))
size: {shares: 10}
`))
	if err := faults.Err(); err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range cfg.Files() {
		cfg.Attach(name, []byte("symbol,from,to\nAAA,2024-01-01,2024-01-08\nBBB,2024-01-01,\n"))
	}
	src, err := bar.NewMemory(bar.NYSE(), prices("AAA", 10, 11, 12, 14, 16, 18, 20), prices("BBB", 10, 10, 11, 11, 12, 12, 12), prices("IDX", 50, 51, 52, 53, 54, 55, 56))
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := backtest.Run(context.Background(), cfg, src)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range res.Fills {
		fmt.Println(f.Time, f.Side, f.Quantity, f.Symbol, "@", f.Price, f.Reason)
	}
	fmt.Println("members:", res.Data.Universe.Count)
	// Output:
	// 2024-01-05 buy 10 AAA @ 14 entry
	// 2024-01-10 sell 10 AAA @ 20 universe
	// 2024-01-10 buy 10 BBB @ 12 entry
	// members: [2 2 2 2 2 1 1]
}

// prices is daily bars from 2024-01-02 on whose four prices are the same.
func prices(symbol string, x ...float64) *bar.Series {
	s := &bar.Series{Symbol: symbol, Frame: bar.Daily, Delisted: instrument.None, Open: x, High: x, Low: x, Close: x,
		Volume: slices.Repeat([]float64{1000}, len(x))}
	for _, d := range bar.NYSE().Sessions(instrument.NewDate(2024, 1, 2), instrument.NewDate(2024, 12, 31))[:len(x)] {
		s.Time = append(s.Time, d.Nanos())
	}
	return s
}
