package sweep_test

import (
	"context"
	"fmt"

	"backtester/backtest/bar"
	"backtester/backtest/strategy"
	"backtester/backtest/sweep"
)

// A sweep of two averages against each other: rows come in the order of the grid.
func ExampleRun() {
	cfg, faults := strategy.Parse("pairs", []byte(`
params: {fast: [5, 10], slow: [20, 40]}
entry: sma(close, fast) > sma(close, slow)
exit: sma(close, fast) < sma(close, slow)
size: {weight: 1, fractional: true}
search: {objective: total_return, min_trades: 1}
`))
	if len(faults) > 0 {
		fmt.Println(faults)
		return
	}
	src, err := bar.NewMemory(bar.Always(), walk(1, "XYZ", 500))
	if err != nil {
		fmt.Println(err)
		return
	}
	summary, err := sweep.Run(context.Background(), cfg, src, sweep.Options{Row: func(r *sweep.Row) error {
		fmt.Printf("%s %v %.3f\n", r.Symbol, r.Params, r.Metrics[0])
		return nil
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("best %v of %d, by the %s path\n", summary.Best[0].Params, summary.Rows, summary.Paths[0].Path)
	// Output:
	// XYZ [5 20] -0.088
	// XYZ [5 40] -0.201
	// XYZ [10 20] -0.042
	// XYZ [10 40] -0.204
	// best [10 20] of 4, by the sparse path
}
