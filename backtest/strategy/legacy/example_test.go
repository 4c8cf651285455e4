package legacy_test

import (
	"fmt"

	"backtester/backtest/strategy/legacy"
)

func ExampleConvert() {
	c, faults := legacy.Convert("old.json", []byte(`{"order_type": "MOC", "slippage_bps": 2,
		"entry_conditions": [{"source": "close", "comparison": "crosses_above", "target": "bb_top_20", "threshold_pct": 1}]}`))
	if len(faults) > 0 {
		fmt.Println(faults)
		return
	}
	fmt.Print(string(c.YAML))
	// Output:
	// # - Prices in expressions are adjusted for splits; the application used them as they traded, so that
	// #   a split looked like a crash.
	// # - The application's Bollinger bands used the sample deviation: ddof = 1 says so.
	// entry: close[1] <= bbands(close, 20, 2, ddof = 1).upper[1]
	//   and close >= bbands(close, 20, 2, ddof = 1).upper * 1.01
	// costs: {slippage: {bps: 2}}
	// fills: {market: next_close}
}
