package strategy_test

import (
	"fmt"

	"backtester/backtest/strategy"
)

// A faulty file is reported as a whole, each fault with its place.
func ExampleParse() {
	text := []byte(`name: dip
entry: close > smaa(close, 200) and rsi(close, 2) < levl
exit: {when: close > sma(close, 5), stoploss: 0.05}
params: {level: 5..15 step 5}
cash: 10,000
`)
	_, faults := strategy.Parse("dip.yaml", text)
	for _, f := range faults {
		fmt.Println(f)
		fmt.Print(strategy.Excerpt(text, f))
	}
	// Output:
	// dip.yaml:2:16: unknown function smaa (did you mean sma?)
	//    2 | entry: close > smaa(close, 200) and rsi(close, 2) < levl
	//      |                ^^^^
	// dip.yaml:2:53: unknown name levl (did you mean level?)
	//    2 | entry: close > smaa(close, 200) and rsi(close, 2) < levl
	//      |                                                     ^^^^
	// dip.yaml:3:37: unknown key "stoploss" in exit (did you mean exit.stop?)
	//    3 | exit: {when: close > sma(close, 5), stoploss: 0.05}
	//      |                                     ^^^^^^^^
	// dip.yaml:5:7: cash is "10,000", want a number (USD) (write 10000)
	//    5 | cash: 10,000
	//      |       ^^^^^^
}

// Settings from flags reach the file by SetAll.
func ExampleFile_SetAll() {
	text, err := strategy.FindBuiltin("sma-cross")
	if err != nil {
		fmt.Println(err)
		return
	}
	file, faults := strategy.Parse("sma-cross.yaml", text)
	if len(faults) > 0 {
		fmt.Println(faults)
		return
	}
	err = file.SetAll([]strategy.Override{{Path: "fast", Value: "10"}, {Path: "universe.symbols", Value: "AAPL,MSFT"}, {Path: "size.weight", Value: "0.5"}})
	fmt.Println(err, file.Params[0].Default, file.Universe.Symbols, file.Size.Weight)
	fmt.Println(file.Set("wieght", "0.5"))
	// Output:
	// <nil> 10 [AAPL MSFT] 0.5
	// --set wieght=0.5: there is no setting "wieght" (did you mean size.weight?)
}

func ExampleFile_Explain() {
	text, err := strategy.FindBuiltin("pullback")
	if err != nil {
		fmt.Println(err)
		return
	}
	file, faults := strategy.Parse("pullback.yaml", text)
	if len(faults) > 0 {
		fmt.Println(faults)
		return
	}
	words, _ := file.Explain()
	fmt.Print(words)
	// Output:
	// pullback
	// The symbols that are given with the run, bars of 1d. Rules see past prices restated for splits; the books are kept in prices as traded.
	// Parameters:
	//   n = 20; a sweep tries 6 values from 10 to 60
	//   level = 30; a sweep tries 3 values from 20 to 40
	// Named:
	//   up = close > sma(close, 200)
	//   dip = rsi(close, 14) < level
	// Buy when, at the close of a bar, up and dip.
	//   By a limit order at close * 0.99, for the next session; the highest -rsi(close, 14) comes first.
	// Close at whichever comes first:
	//   the next open after a bar on which close > sma(close, n)
	//   a stop at entry_price - 2 * atr(14), renewed at every close
	//   the next open after 10 bars in the position
	// Size: 0.1 of equity, in whole shares, at most 10 positions.
	// Costs: 0.005 USD a share, at least 1 USD an order, market and stop fills 2 bps worse than the price, fills of at most 0.1 of a bar's volume, at most 0.01 of it at the open, at most 0.02 of it at the close.
	// Account: cash, 100000 USD to start with.
	// Needs 263 bars of history before the first decision, and high, low and close of each bar.
}
