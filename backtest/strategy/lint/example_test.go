package lint_test

import (
	"fmt"

	"backtester/backtest/strategy/lint"
)

func ExampleText() {
	_, findings := lint.Text("trend.yaml", []byte("params: {n: 20}\nentry: close > 10 and rsi(close, 14) < 0.3\n"))
	for _, f := range findings {
		fmt.Println(f.Severity, f.Code, f)
	}
	// Output:
	// warning zero_costs trend.yaml: neither commission nor slippage: no market is free, and short-term ideas live on it (costs: {commission: {per_share: 0.005, min: 1}, slippage: {bps: 2}} are those of a small account)
	// warning unused trend.yaml:1:13: no rule uses the parameter n (remove it, or use it in a rule)
	// warning out_of_reach trend.yaml:2:23: rsi runs from 0 to 100, not from 0 to 1 (did you mean 30?)
}
