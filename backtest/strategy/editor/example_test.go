package editor_test

import (
	"fmt"

	"backtester/backtest/strategy/editor"
)

// The cursor stands behind "ma".
func ExampleComplete() {
	c := editor.Complete("entry: close > 5\nsize: {ma}\n", 2, 10)
	for _, it := range c.Items {
		fmt.Printf("%s: %s\n", it.Label, it.Detail)
	}
	// Output:
	// max_positions: whole number, positions
}
