package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/order"
	"backtester/backtest/strategy"
	"backtester/backtest/strategy/hook"
)

// What only the event engine plays: a portfolio that shares cash and is rebalanced (e), trailing stops (f),
// brackets in a market of 10,000 symbols, and a strategy in Go that is asked at every bar.

const (
	rotation = `
cash: 1000000
rebalance: {every: month, by: roc(close, 126), top: 50, gross: 0.98, start: false}
size: {fractional: true}
fills: {market: this_close}
costs: {commission: none, slippage: none}
`
	trailing = `
data: {bars: 1m}
cash: 1000000
entry: rsi(close, 14) < 30
exit: {trail: {amount: at_entry(3 * atr(14))}}
size: {shares: 100}
costs: {commission: none, slippage: none}
`
	// Once a month the fifty strongest of the year are wanted, by limits that wait for the rest of it.
	brackets = `
cash: 10000000
entry:
  when: is_month_end and top(roc(close, 252), 50)
  order: limit
  price: close * 0.99
  tif: gtc
  cancel_when: is_month_end
  rank: roc(close, 252)
exit: {stop: entry_price * 0.95, target: entry_price * 1.1}
size: {weight: 0.02, max_positions: 50}
costs: {commission: {per_share: 0.005, min: 1}, slippage: {bps: 2}}
`
)

// engines are the rows of the event engine.
func engines(python string) ([]row, error) {
	var rows []row
	for _, f := range []func(string) ([]row, error){rotate, trail, wide, asked} {
		more, err := f(python)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// whole measures one strategy on all symbols.
func whole(text string, series []*bar.Series) (*outcome, error) {
	return outcomeOf("bench", text, series, func(ctx context.Context, cfg *backtest.Config, src bar.Source) ([]*backtest.Result, error) {
		r, err := backtest.Run(ctx, cfg, src)
		return []*backtest.Result{r}, err
	})
}

// sessions is a market of days that goes on for as many bars as wanted.
func sessions(seed uint64, symbols, bars int) []*bar.Series {
	out := make([]*bar.Series, symbols)
	for i := range out {
		out[i] = walk(seed+uint64(i), fmt.Sprintf("S%05d", i), bar.Daily, bars)
	}
	return out
}

func rotate(python string) ([]row, error) {
	return against("e: 500 symbols x 2,520 bars, monthly equal weight of the top 50", rotation, 0.05, python, "e",
		[]rival{{"vectorbt", 500, 2520}, {"bt", 500, 2520}, {"backtrader", 100, 504}}, func(symbols, bars int) []*bar.Series { return sessions(1000, symbols, bars) })
}

func trail(python string) ([]row, error) {
	return against("f: 1,000,000 bars, RSI(14) entries, ATR trailing stop", trailing, 0.10, python, "f",
		[]rival{{"vectorbt", 1, 1_000_000}, {"backtrader", 1, 20_000}}, func(_, bars int) []*bar.Series {
			return []*bar.Series{walk(77, "A", bar.Minutely, bars)}
		})
}

// rival is a peer and how much of the scenario it plays: what it takes is scaled up to the whole.
type rival struct {
	who           string
	symbols, bars int
}

// against plays a scenario with us and with peers, each on data on which the results are compared first.
func against(name, text string, goal float64, python, scenario string, rivals []rival, data func(symbols, bars int) []*bar.Series) ([]row, error) {
	full := rivals[0]
	ours, err := whole(text, data(full.symbols, full.bars))
	if err != nil {
		return nil, err
	}
	rows := []row{{scenario: name, who: "backtester", cpu: ours.CPU, goal: goal, equal: "-", first: ours.CPU}}
	if python == "" {
		return rows, nil
	}
	for _, p := range rivals {
		series, mine := data(p.symbols, p.bars), ours
		if p != (rival{p.who, full.symbols, full.bars}) {
			if mine, err = whole(text, series); err != nil {
				return nil, err
			}
		}
		file := dir(scenario + "-" + p.who + ".bin")
		if err := writeColumns(file, series); err != nil {
			return nil, err
		}
		theirs, err := callEngine(python, p, scenario, file)
		if err != nil {
			return nil, err
		}
		scale := float64(full.symbols*full.bars) / float64(p.symbols*p.bars)
		r := row{scenario: name, who: p.who, cpu: theirs.CPU * scale, first: ours.CPU, equal: same(mine, theirs)}
		if scale > 1 {
			r.who += fmt.Sprintf(" (x%.0f)", scale)
		}
		if !strings.HasPrefix(r.equal, "yes") {
			r.cpu = 0
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func callEngine(python string, p rival, scenario, file string) (*outcome, error) {
	return callTool(python, ".ci/bench/engines.py", p.who, scenario, file, fmt.Sprint(p.bars))
}

// writeColumns writes the columns of the series as little-endian float64, each symbol's one after another.
func writeColumns(path string, series []*bar.Series) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	for _, s := range series {
		for _, c := range [][]float64{s.Open, s.High, s.Low, s.Close} {
			if err := binary.Write(f, binary.LittleEndian, c); err != nil {
				return errors.Join(err, f.Close())
			}
		}
	}
	return f.Close()
}

// wide is 10,000 symbols in one account: what the engine takes once the market is loaded and evaluated, for
// each symbol and bar.
func wide(string) ([]row, error) {
	const symbols, bars = 10_000, 2520
	cfg, faults := strategy.Parse("brackets", []byte(brackets))
	if err := faults.Err(); err != nil {
		return nil, err
	}
	src, err := bar.NewMemory(bar.Always(), sessions(20_000, symbols, bars)...)
	if err != nil {
		return nil, err
	}
	rules, faults := cfg.Compile()
	if err := faults.Err(); err != nil {
		return nil, err
	}
	ctx := context.Background()
	batch, err := backtest.NewBatch(ctx, cfg, []*strategy.Rules{rules}, src, nil)
	if err != nil {
		return nil, err
	}
	var p backtest.Player
	best, median, _, err := steady(41, func() error { return p.Play(ctx, batch, 0) })
	if err != nil {
		return nil, err
	}
	fmt.Printf("10,000 symbols x 2,520 bars with brackets: %.2f ns a symbol-bar at the lowest, %.2f at the median; %d trades\n",
		best*1e9/(symbols*bars), median*1e9/(symbols*bars), len(p.Input().Trades))
	return []row{{scenario: "10,000 symbols x 2,520 bars, brackets, one account (engine)", who: "backtester", cpu: best, goal: yardstick() * symbols * bars / 1e9, equal: "-", first: best}}, nil
}

// everyBar is a strategy in Go that looks at every bar, keeps two averages and is long while the fast one is
// above the slow one.
type everyBar struct {
	fast, slow float64
	long       bool
	asked      int
	say        [1]hook.Intent
}

// OnBar enters and leaves by market orders.
func (s *everyBar) OnBar(now *hook.View) ([]hook.Intent, error) {
	x := now.Last(0, hook.Close)
	if s.asked++; s.asked == 1 {
		s.fast, s.slow = x, x
	}
	s.fast += (x - s.fast) / 20
	s.slow += (x - s.slow) / 100
	if above := s.fast > s.slow; above != s.long {
		s.long = above
		s.say[0] = hook.Intent{Do: hook.Exit}
		if above {
			s.say[0] = hook.Intent{Do: hook.Enter, Side: order.Buy}
		}
		return s.say[:], nil
	}
	return nil, nil
}

// look is a strategy in Go that reads the bar, the equity and its position at every close, and stays out of the
// market or, from the first close on, in it.
type look struct {
	in    bool
	sum   float64
	asked int
	say   [1]hook.Intent
}

func (s *look) OnBar(now *hook.View) ([]hook.Intent, error) {
	a := now.Account()
	s.sum += now.Last(0, hook.Close) + a.Equity() + a.Position(0).Shares
	if s.asked++; s.in && s.asked == 1 {
		s.say[0] = hook.Intent{Do: hook.Enter, Side: order.Buy}
		return s.say[:], nil
	}
	return nil, nil
}

// asked is what the engine takes for a bar with a callback, and what a whole run with its results does.
func asked(string) ([]row, error) {
	const bars = 1_000_000
	series := walk(5, "A", bar.Minutely, bars)
	src, err := bar.NewMemory(bar.Always(), series)
	if err != nil {
		return nil, err
	}
	cfg := backtest.Default()
	cfg.Data.Bars, cfg.Universe.Symbols = bar.Minutely, []string{"A"}
	cfg.Size.Weight = 1
	rules, faults := cfg.CompileCoded()
	if err := faults.Err(); err != nil {
		return nil, err
	}
	ctx := context.Background()
	batch, err := backtest.NewBatch(ctx, cfg, []*strategy.Rules{rules}, src, nil)
	if err != nil {
		return nil, err
	}
	var p backtest.Player
	play := func(s hook.Strategy) error { p.Strategy = s; return p.Play(ctx, batch, 0) }
	took := map[string]float64{}
	for _, c := range []struct {
		what string
		work func() error
	}{
		{"the engine and a strategy of two averages", func() error { return play(&everyBar{}) }},
		{"that strategy alone, without an engine", func() error { return bare(series) }},
		{"the engine and that strategy, results made", func() error {
			_, err := backtest.RunWith(ctx, cfg, src, backtest.Options{Strategy: &everyBar{}})
			return err
		}},
		{"the engine and one that reads bar, equity and position, out of the market", func() error { return play(&look{}) }},
		{"the engine and one that reads bar, equity and position, in the market", func() error { return play(&look{in: true}) }},
	} {
		low, median, mallocs, err := steady(21, c.work)
		if err != nil {
			return nil, err
		}
		took[c.what] = low
		fmt.Printf("a callback in Go at every bar: %s: %.2f ns a bar at the lowest, %.2f at the median, %.6f allocations\n",
			c.what, low*1e9/bars, median*1e9/bars, float64(mallocs)/bars)
	}
	whole, alone := took["the engine and a strategy of two averages"], took["that strategy alone, without an engine"]
	results := took["the engine and that strategy, results made"]
	return []row{
		{scenario: "1,000,000 bars, a callback in Go at each (engine, fills included)", who: "backtester", cpu: whole - alone, goal: 12 * yardstick() * bars / 1e9, equal: "-", first: whole - alone},
		{scenario: "the same with what the strategy takes, and results", who: "backtester", cpu: results, equal: "-", first: results},
	}, nil
}

// bare asks the strategy of two averages at every bar without an engine.
func bare(series *bar.Series) error {
	v, s := hook.NewView(&hook.Market{Symbols: []hook.Symbol{{Name: series.Symbol, Bars: series}}}), &everyBar{}
	for t := range int32(series.Len()) {
		v.Move(t)
		if _, err := s.OnBar(v); err != nil {
			return err
		}
	}
	return nil
}

// steady repeats work: CPU seconds of the quickest time and of the median, and how often the quickest one
// allocated memory. Garbage of what was measured before is gone first, and given back.
func steady(times int, work func() error) (low, median float64, mallocs uint64, err error) {
	debug.FreeOSMemory()
	took := make([]float64, times)
	mallocs = math.MaxUint64
	for k := range took {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := cpu()
		if err := work(); err != nil {
			return 0, 0, 0, err
		}
		took[k] = cpu() - start
		runtime.ReadMemStats(&after)
		mallocs = min(mallocs, after.Mallocs-before.Mallocs)
	}
	slices.Sort(took)
	return took[0], took[times/2], mallocs, nil
}
