package strategy_test

import (
	"fmt"

	"backtester/backtest/strategy"
)

// What somebody wrote in haste, and its layout.
func ExampleFormat() {
	text := `
entry:   {when: close>sma(close,200),rank: -rsi( close,14 )}
# the way out
exit:    close<sma(close,200)   # too late, always
`
	out, faults := strategy.Format("trend.yaml", []byte(text))
	if len(faults) > 0 {
		fmt.Println(faults)
	}
	fmt.Print(string(out))
	// Output:
	// entry:
	//   when: close > sma(close, 200)
	//   rank: -rsi(close, 14)
	// # the way out
	// exit: close < sma(close, 200) # too late, always
}
