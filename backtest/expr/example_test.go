package expr_test

import (
	"fmt"

	"backtester/backtest/bar"
	"backtester/backtest/expr"
	"backtester/backtest/instrument"
)

func Example() {
	c := expr.NewCompiler(expr.Scope{
		Params:  []expr.Param{{Name: "n", Value: 3}},
		Signals: []expr.Named{{Name: "up", Text: "close > sma(close, n)"}},
	})
	entry := c.Add("up and close > 5", expr.Pos{File: "my.yaml", Line: 4, Column: 8}, expr.Bool, expr.NoVars)
	stop := c.Add("entry_price - 2 * (high - low)", expr.Pos{File: "my.yaml", Line: 5, Column: 8}, expr.Number, expr.PositionVars)
	program, faults := c.Program()
	if err := faults.Err(); err != nil {
		fmt.Println(err)
		return
	}
	closes := []float64{10, 11, 12, 11, 13}
	lows := []float64{9, 10, 11, 10, 12}
	s := &bar.Series{Frame: bar.Daily, Open: closes, High: closes, Low: lows, Close: closes, Volume: closes}
	for i := range closes {
		s.Time = append(s.Time, instrument.NewDate(2024, 3, 4+i).Nanos())
	}
	bound := program.Bind(s, bar.Basis{}, nil, &expr.Arena{})
	fmt.Println("warm-up:", program.Warmup(), "bars; reads:", program.Columns())
	fmt.Println("entry:", bound.Column(entry))
	var position expr.PositionValues
	position.Var[expr.EntryPrice] = 12.5
	fmt.Println("stop:", bound.At(stop, 4, 1, &position))
	// Output:
	// warm-up: 2 bars; reads: high low close
	// entry: [NaN NaN 1 0 1]
	// stop: 10.5
}

// All faults come at once, with their places and what was probably meant.
func ExampleDiagnostics() {
	c := expr.NewCompiler(expr.Scope{})
	c.Add("clsoe > sma(close, 0) and rsi(14) < close[-1]", expr.Pos{File: "my.yaml", Line: 4, Column: 8}, expr.Bool, expr.NoVars)
	_, faults := c.Program()
	fmt.Println(faults)
	// Output:
	// my.yaml:4:8: unknown name clsoe (did you mean close?)
	// my.yaml:4:27: sma: n must lie between 1 and 10000, got 0
	// my.yaml:4:34: rsi needs n: rsi(x, n) (did you mean rsi(close, 14)?)
	// my.yaml:4:50: close[-1] looks into the future (the past has positive numbers: close[1])
}

func ExampleFormat() {
	text, err := expr.Format("close>sma( close,200 )and((rsi(close,14))<10)")
	fmt.Println(text, err)
	_, err = expr.Format("close > sma(close, 200")
	fmt.Println(err)
	// Output:
	// close > sma(close, 200) and (rsi(close, 14) < 10) <nil>
	// 1:12: this ( is never closed (add ))
}

// What a strategy computes, node by node: equal parts are shared.
func ExampleProgram_Nodes() {
	c := expr.NewCompiler(expr.Scope{})
	c.Add("close > ema(close, 20) and close < 2 * ema(close, 20)", expr.Pos{}, expr.Bool, expr.NoVars)
	program, _ := c.Program()
	for _, n := range program.Nodes() {
		fmt.Printf("%3d bars  used %d times  %s\n", n.Warmup, n.Uses, n.Text)
	}
	// Output:
	//   0 bars  used 3 times  close
	// 204 bars  used 2 times  ema(close, 20)
	// 204 bars  used 1 times  close > ema(close, 20)
	// 204 bars  used 1 times  2 * ema(close, 20)
	// 204 bars  used 1 times  close < 2 * ema(close, 20)
	// 204 bars  used 0 times  close > ema(close, 20) and close < 2 * ema(close, 20)
}
