package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/expr"
	"backtester/backtest/strategy"
)

// tenIndicators is the yardstick of a long expression.
const tenIndicators = `close > sma(close, 50) and sma(close, 50) > sma(close, 200) and ema(close, 12) > ema(close, 26)
	and rsi(close, 14) < 70 and macd(close, 12, 26, 9).hist > 0 and atr(14) / close < 0.05 and roc(close, 20) > 0
	and close > highest(close, 20)[1] * 0.98 and stdev(close, 20) / close < 0.04`

// gatesOfTen is what its indicators may cost a bar by their gates: two averages, two exponential ones,
// rsi, macd, atr, the highest and a deviation, and 1 A for the rate of change.
const gatesOfTen = 2*2 + 2*2.5 + 3 + 3 + 3 + 6 + 4.5 + 1

// language measures expressions alone: ten indicators over 8,000 symbols of ten years; a universe chosen,
// ranked and traded among 2,000 symbols; and what a call of a script costs.
//
// The goal of 150 million bars a second counts bars of indicators, ten for a bar of a symbol: counted by
// symbols it would be 6.7 ns a bar, when the gates of the same ten kernels add up to 29.5 A, or 24 ns where they were set. Both
// figures are printed.
func language(string) ([]row, error) {
	const symbols, bars, different = 8000, 2520, 40
	c := expr.NewCompiler(expr.Scope{})
	c.Add(tenIndicators, expr.Pos{}, expr.Bool, expr.NoVars)
	p, faults := c.Program()
	if err := faults.Err(); err != nil {
		return nil, err
	}
	series := make([]*bar.Series, different)
	for i := range series {
		series[i] = walk(uint64(i), fmt.Sprint(i), bar.Daily, bars)
	}
	var bound expr.Bound
	var arena expr.Arena
	ten := measure(3, func() error {
		for i := range symbols {
			p.BindInto(&bound, expr.Binding{Series: series[i%different]}, &arena)
		}
		return nil
	})
	next := 0
	ns, unit := fastest(series[0].Close, 4000, func() {
		p.BindInto(&bound, expr.Binding{Series: series[next%different]}, &arena)
		next++
	})
	fmt.Printf("e: 10 indicators, %.0f M bars of indicators a CPU second (goal 150), %.0f M in the fastest runs;\n", 10*symbols*bars/ten/1e6, 10e3/ns)
	fmt.Printf("   counted by symbols %.0f M bars a CPU second, %.0f M in the fastest runs: %.1f ns or %.1f A a bar; the gates of its kernels alone add up to %.1f A\n",
		symbols*bars/ten/1e6, 1e3/ns, ns, ns/unit, gatesOfTen)
	chosen, err := chooseAndRank()
	if err != nil {
		return nil, err
	}
	script, err := callScript()
	name := fmt.Sprintf("e: 10 indicators, %d symbols x %d bars", symbols, bars)
	return []row{
		{scenario: name, who: "backtester", cpu: ten, goal: symbols * bars * 10 / 150e6, equal: "-", first: ten},
		chosen, script,
	}, err
}

// callScript runs a script that looks at one bar on each of 100,000, and says what a call costs.
func callScript() (row, error) {
	const bars = 100_000
	cfg, faults := strategy.Parse("scripted", []byte(`
universe: {symbols: [A]}
data: {bars: 1m}
signals: {fast: "sma(close, 10)", slow: "sma(close, 50)"}
script: |
  def on_bar(now):
      b = now.bar("A")
      if b.fast and b.slow and b.fast > b.slow * 1.5 and not b.shares:
          now.enter(b)
`))
	if err := faults.Err(); err != nil {
		return row{}, err
	}
	src, err := bar.NewMemory(bar.Always(), walk(1, "A", bar.Minutely, bars))
	if err != nil {
		return row{}, err
	}
	var fault error
	took := measure(5, func() error {
		_, err := backtest.Run(context.Background(), cfg, src)
		fault = errors.Join(fault, err)
		return err
	})
	fmt.Printf("g: %.0f ns a call of on_bar, the engine's share of a bar included\n", took/bars*1e9)
	return row{scenario: "g: script, on_bar on 100,000 bars", who: "backtester", cpu: took, equal: "-", first: took}, fault
}

// chooseAndRank runs a strategy that compares all symbols at every close.
func chooseAndRank() (row, error) {
	const symbols, bars = 2000, 2520
	cfg, faults := strategy.Parse("ranked", []byte(`
universe: {where: close > 5, top: 500, by: "sma(dollar_volume, 20)"}
entry: {when: rank(roc(close, 60)) > 0.98, rank: "roc(close, 60)"}
exit: rank(roc(close, 60)) < 0.8
size: {weight: 0.1, max_positions: 10}
`))
	if err := faults.Err(); err != nil {
		return row{}, err
	}
	series := make([]*bar.Series, symbols)
	for i := range series {
		series[i] = walk(uint64(i), fmt.Sprintf("S%04d", i), bar.Daily, bars)
	}
	src, err := bar.NewMemory(bar.Always(), series...)
	if err != nil {
		return row{}, err
	}
	var fault error
	took := measure(3, func() error {
		res, err := backtest.Run(context.Background(), cfg, src)
		if err == nil && len(res.Fills) == 0 {
			err = errors.New("the ranked strategy trades nothing")
		}
		fault = errors.Join(fault, err)
		return err
	})
	return row{scenario: fmt.Sprintf("f: top 500 of %d symbols x %d, ranked", symbols, bars), who: "backtester", cpu: took, equal: "-", first: took}, fault
}

// measure is the median CPU time of several runs.
func measure(times int, work func() error) float64 {
	var took []float64
	for range times {
		start := cpu()
		if work() != nil {
			break
		}
		took = append(took, cpu()-start)
	}
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return took[len(took)/2]
}
