package backtest

import (
	"context"
	"math"
	"runtime"
	"testing"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/order"
	"backtester/backtest/strategy"
	"backtester/backtest/strategy/hook"
)

// One bar of the engine allocates nothing: what memory a run takes is that of its fills and trades,
// which grow by doubling, and of its curves, which are made once. A strategy without fills shows the
// loop itself, one with brackets on every bar shows orders and exits.
func TestEngineAllocatesNothingPerBar(t *testing.T) {
	const bars = 20_000
	series := &bar.Series{Symbol: "A", Frame: bar.Daily, Delisted: instrument.None}
	price := 100.0
	for i := range bars {
		price *= 1 + 0.01*math.Sin(float64(i)*0.7)
		series.Time = append(series.Time, instrument.Date(i).Nanos())
		series.Open, series.Close = append(series.Open, price), append(series.Close, price*1.001)
		series.High, series.Low = append(series.High, price*1.01), append(series.Low, price*0.99)
		series.Volume = append(series.Volume, 1e6)
	}
	src, err := bar.NewMemory(bar.Always(), series)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"idle":      "entry: close < 0",
		"holding":   "entry: close > 0\nexit: {stop: entry_price * 0.1, target: entry_price * 10, trail: {fraction: 0.9}}",
		"orders":    "entry: {when: close > 0, order: limit, price: close * 0.5, rank: close}",
		"brackets":  "entry: close > 0\nexit: {stop: entry_price * 0.995, target: entry_price * 1.005, max_bars: 2}\nsize: {shares: 1}",
		"attended":  "entry: {when: close > 0, order: limit, price: close * 0.5, tif: gtc, requote: true, cancel_when: close < 0, rearm: true}",
		"added":     "entry: {when: close > 0, add: {most: 1000, when: close > entry_price * 2}}\nexit: {stop: entry_price * 0.1}\nsize: {volatility: {target: 0.01, lookback: 10}}\nlimits: {position: 0.5, gross: 0.9}",
		"asked":     "entry: close < 0",
		"rebalance": "rebalance: {every: day, drift: 0.01, weights: inverse_volatility, lookback: 20, where: close > 0}\nsize: {fractional: true}",
	} {
		cfg, faults := strategy.Parse(name, []byte(text))
		if err := faults.Err(); err != nil {
			t.Fatal(err)
		}
		var o Options
		if name == "asked" {
			o.Strategy = &inAndOut{}
		}
		rules, err := rulesFor(cfg, o, src)
		if err != nil {
			t.Fatal(err)
		}
		m, err := load(context.Background(), cfg, rules, src, nil)
		if err != nil {
			t.Fatal(err)
		}
		e := newEngine(settled(cfg, 1, cfg.Decides()), rules, m)
		if err := e.hire(o); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		if err := e.run(context.Background()); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		// Doubling two lists to their length takes some dozens of allocations, whatever the bars.
		if n := after.Mallocs - before.Mallocs; n > 150 {
			t.Errorf("%s: %d allocations in %d bars with %d fills", name, n, bars, len(e.fills))
		}
		if name == "brackets" && len(e.fills) < bars/4 || name == "asked" && len(e.fills) < bars/20 {
			t.Errorf("only %d fills: the test shows little", len(e.fills))
		}
	}
}

// inAndOut is a strategy in Go that looks at its position at every bar, and enters or leaves at every twelfth.
type inAndOut struct {
	asked int
	say   [1]hook.Intent
}

func (s *inAndOut) OnBar(now *hook.View) ([]hook.Intent, error) {
	p := now.Account().Position(0)
	if s.asked++; s.asked%12 != 0 {
		return nil, nil
	}
	s.say[0] = hook.Intent{Do: hook.Exit}
	if p.Shares == 0 {
		s.say[0] = hook.Intent{Do: hook.Enter, Side: order.Buy}
	}
	return s.say[:], nil
}
