package backtest_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/order"
	"backtester/backtest/strategy"
	"backtester/backtest/strategy/hook"
)

// pairs of the same strategy, by rules and by a script.
func twins() [][2]string {
	indent := func(body string) string {
		return "script: |\n  def on_bar(now):\n    for b in now.bars:\n" + "      " + strings.ReplaceAll(strings.TrimSpace(body), "\n", "\n      ") + "\n"
	}
	const signals = "signals: {up: 'close > sma(close, 5)', down: 'close < sma(close, 5)', mean: 'sma(close, 8)', strong: 'roc(close, 5)'}\n"
	return [][2]string{
		{signals + "entry: up\nexit: down\n", signals + indent(`
if b.up and not b.shares:
  now.enter(b)
if b.down and b.shares:
  now.exit(b)`)},
		{signals + "entry: {when: up, rank: strong}\nexit: {max_bars: 4}\n", signals + "exit: {max_bars: 4}\n" + indent(`
if b.up and not b.shares and not b.working and b.strong != None:
  now.enter(b, rank=b.strong)`)},
		{signals + "entry: {when: up, order: limit, price: close * 0.99, max_wait: 1}\nexit: {stop: at_entry(close * 0.95), target: at_entry(close * 1.04)}\n", signals + indent(`
if b.up and not b.shares and not b.working:
  now.enter(b, order="limit", price=b.close * 0.99, max_wait=1, stop=b.close * 0.95, target=b.close * 1.04)`)},
		{signals + "entry: {when: up, order: stop_limit, price: high, limit: high * 1.01, tif: gtc}\nexit: {when: down, stop: low * 0.97}\n", signals + indent(`
if b.up and not b.shares and not b.working:
  now.enter(b, order="stop_limit", price=b.high, limit=b.high * 1.01, tif="gtc", stop=b.low * 0.97)
if b.shares:
  now.protect(b, stop=b.low * 0.97)
  if b.down:
    now.exit(b)`)},
		{signals + "account: regt\nlong: {entry: up, exit: {max_bars: 30}}\nshort: {entry: down, exit: {max_bars: 30}}\n", signals + "account: regt\nlong: {exit: {max_bars: 30}}\nshort: {exit: {max_bars: 30}}\n" + indent(`
if b.working:
  continue
if b.up and b.shares <= 0:
  now.enter(b)
if b.down and b.shares >= 0:
  now.enter(b, side="short")`)},
	}
}

// A script that says what rules say gets the same fills, to the bit: there is one way of doing it.
func TestScriptsTradeLikeRules(t *testing.T) {
	sizes := []string{"size: {weight: 0.2}", "size: {shares: 50}", "size: {weight: 0.25, fractional: true, max_positions: 3}", "size: {value: 9000, lot: 10}"}
	costs := "\ncosts: {commission: {per_share: 0.005, min: 1}, slippage: {bps: 2}, volume_cap: 0.1}\n"
	fills := 0
	for k, pair := range twins() {
		for seed := range uint64(12) {
			r := rand.New(rand.NewPCG(seed, 21))
			series := randomMarket(r, 1+r.IntN(4), 150)
			tail := sizes[r.IntN(len(sizes))] + costs
			rules, coded := play(t, pair[0]+tail, series), play(t, pair[1]+tail, series)
			for _, res := range []*backtest.Result{rules, coded} {
				for i := range res.Fills { // levels of code stand from the close that set them, those of rules from the last
					if f := &res.Fills[i]; f.Reason == "stop" || f.Reason == "target" {
						f.Decided = ""
					}
				}
			}
			if !slices.Equal(rules.Fills, coded.Fills) {
				t.Fatalf("pair %d, seed %d: %s", k, seed, firstDifference(coded.Fills, rules.Fills))
			}
			if !slices.Equal(rules.Equity.Value, coded.Equity.Value) {
				t.Fatalf("pair %d, seed %d: equity differs", k, seed)
			}
			fills += len(rules.Fills)
		}
	}
	if fills < 1000 {
		t.Errorf("only %d fills: the test shows little", fills)
	}
}

// steady is bars at given closes, opens equal to the close before.
func steady(name string, closes ...float64) *bar.Series {
	s := &bar.Series{Symbol: name, ID: instrument.ID(name), Frame: bar.Daily, Delisted: instrument.None}
	open := closes[0]
	for i, d := range bar.NYSE().Sessions(instrument.NewDate(2024, 1, 2), instrument.NewDate(2024, 12, 31))[:len(closes)] {
		c := closes[i]
		s.Time = append(s.Time, d.Nanos())
		s.Open, s.High, s.Low = append(s.Open, open), append(s.High, max(open, c)), append(s.Low, min(open, c))
		s.Close, s.Volume = append(s.Close, c), append(s.Volume, 1e6)
		open = c
	}
	return s
}

// Weights with a pencil: 50 % of 100,000 at 100 are 500 shares. After a rise to 120 equity is 110,000:
// 25 % of it are 229 shares, so 271 are sold. 50 % again, of 110,000 at 120, are 458: 229 are added.
func TestTargetWeights(t *testing.T) {
	const text = `
script: |
  plan = {"2024-01-02": 0.5, "2024-01-04": 0.25, "2024-01-05": 0.5, "2024-01-08": 0, "2024-01-10": 0.1}
  def on_bar(now):
    w = plan.get(now.date)
    if w != None:
      now.target("A", w)
      print(now.date, now.equity, now.cash, now.bar("A").shares)
`
	res := play(t, text, []*bar.Series{steady("A", 100, 100, 120, 120, 120, 120, 120, 120)})
	want := []string{
		"2024-01-03 buy 500 @100 entry", "2024-01-05 sell 271 @120 rebalance", "2024-01-08 buy 229 @120 entry",
		"2024-01-09 sell 458 @120 signal", "2024-01-11 buy 91 @120 entry",
	}
	var got []string
	for _, f := range res.Fills {
		got = append(got, fmt.Sprintf("%s %s %g @%g %s", f.Time, f.Side, f.Quantity, f.Price, f.Reason))
	}
	if !slices.Equal(got, want) {
		t.Errorf("fills\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if res.Script == nil || res.Script.Language != "starlark" || len(res.Script.SHA256) != 64 || !strings.Contains(res.Script.Source, "plan =") ||
		len(res.Script.Printed) != 5 || res.Script.Printed[1] != "2024-01-04 110000.0 50000.0 500.0" || res.Script.Steps == 0 {
		t.Errorf("script %+v", res.Script)
	}
}

// Every round trip has the tag of the entry whose shares it closed, first in, first out: 100 of the first entry at
// 100, 20 of what the second target adds.
func TestTagsOfEntries(t *testing.T) {
	const text = `
script: |
  def on_bar(now):
    if now.date == "2024-01-02":
      now.target("A", shares=100, tag="first")
    if now.date == "2024-01-04":
      now.target("A", shares=150, tag="more")
    if now.date == "2024-01-05":
      now.target("A", shares=30)
    if now.date == "2024-01-08":
      now.target("B", shares=10)
`
	prices := []float64{100, 100, 100, 100, 100, 100, 100, 100}
	res := play(t, text+"size: {max_positions: 2}\n", []*bar.Series{steady("A", prices...), steady("B", prices...)})
	var got []string
	for _, x := range res.Trades {
		got = append(got, fmt.Sprintf("%s %g %q open %v", x.Symbol, x.Quantity, x.Tag, x.Open))
	}
	want := []string{`A 100 "first" open false`, `A 20 "more" open false`, `A 30 "more" open true`, `B 10 "" open true`}
	if !slices.Equal(got, want) {
		t.Errorf("trades\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Weights of several symbols: what is sold pays for what is bought at the same open.
func TestRebalance(t *testing.T) {
	const text = `
size: {fractional: true}
script: |
  rebalance = "week"
  def on_rebalance(now):
    print(now.date)
    for b in now.bars:
      now.target(b, 1.0 / len(now.bars))
`
	a, b := []float64{}, []float64{}
	for i := range 30 {
		a, b = append(a, 100+float64(i)), append(b, 200-float64(i))
	}
	res := play(t, text, []*bar.Series{steady("A", a...), steady("B", b...)})
	// Fridays; Thursday the 28th of March would be the last session of its week.
	want := []string{"2024-01-05", "2024-01-12", "2024-01-19", "2024-01-26", "2024-02-02", "2024-02-09"}
	if !slices.Equal(res.Script.Printed, want) {
		t.Errorf("rebalanced on %v, want %v", res.Script.Printed, want)
	}
	// Every Monday both are at half: of equity at the Friday before, whose close is Monday's open.
	held := map[string]float64{}
	for i, f := range res.Fills {
		if f.Side == "buy" {
			held[f.Symbol] += f.Quantity
		} else {
			held[f.Symbol] -= f.Quantity
		}
		if i+1 < len(res.Fills) && res.Fills[i+1].Time == f.Time {
			continue
		}
		k := slices.IndexFunc(res.Equity.Time.Nanos, func(ns int64) bool { return instrument.DateOfNanos(ns).String() == f.Decided })
		for s, n := range held {
			price := map[string][]float64{"A": a, "B": b}[s][k-1]
			if share := n * price / res.Equity.Value[k]; share < 0.4999 || share > 0.5001 {
				t.Errorf("%s: %s has %.4f of equity", f.Time, s, share)
			}
		}
	}
	if len(res.Fills) != 2*len(want) {
		t.Errorf("%d fills, want %d", len(res.Fills), 2*len(want))
	}
}

// recorder is a strategy in Go that remembers what it was told.
type recorder struct {
	calls []string
	do    func(now *hook.View) []hook.Intent
}

func (r *recorder) OnBar(now *hook.View) ([]hook.Intent, error) {
	r.calls = append(r.calls, "bar "+now.Now().Stamp())
	if r.do == nil {
		return nil, nil
	}
	return r.do(now), nil
}

func (r *recorder) OnFill(now *hook.View, f hook.Fill) ([]hook.Intent, error) {
	r.calls = append(r.calls, fmt.Sprintf("fill %s %s %g at %g", now.Now().Stamp(), f.Reason, f.Quantity, f.Price))
	return nil, nil
}

func (r *recorder) Every() hook.Period { return hook.Month }
func (r *recorder) OnRebalance(now *hook.View) ([]hook.Intent, error) {
	r.calls = append(r.calls, "month "+now.Now().Stamp())
	return nil, nil
}

func runGo(t *testing.T, cfg *backtest.Config, s hook.Strategy, series ...*bar.Series) (*backtest.Result, error) {
	t.Helper()
	return backtest.RunWith(t.Context(), cfg, memory(t, series), backtest.Options{Strategy: s})
}

func TestGoStrategy(t *testing.T) {
	s := steady("A", slices.Repeat([]float64{50}, 24)...)
	r := &recorder{do: func(now *hook.View) []hook.Intent {
		switch now.Now().Date.String() {
		case "2024-01-29":
			return []hook.Intent{{Do: hook.Enter, Side: order.Buy, Shares: 10, Stop: 40}}
		case "2024-01-31":
			if p := now.Account().Position(0); p.Shares != 10 || p.BarsHeld != 2 || p.EntryPrice != 50 || p.Stop != 40 {
				t.Errorf("position %+v", p)
			}
			return []hook.Intent{{Do: hook.Exit, Reason: "done"}}
		}
		return nil
	}}
	cfg := strategy.Default()
	cfg.Data.From = instrument.NewDate(2024, 1, 25)
	res, err := runGo(t, cfg, r, s)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"bar 2024-01-24", "bar 2024-01-25", "bar 2024-01-26", "bar 2024-01-29", "fill 2024-01-30 entry 10 at 50", "bar 2024-01-30",
		"month 2024-01-31", "bar 2024-01-31", "fill 2024-02-01 done 10 at 50", "bar 2024-02-01", "bar 2024-02-02"}
	if !slices.Equal(r.calls, want) {
		t.Errorf("calls\n%s\nwant\n%s", strings.Join(r.calls, "\n"), strings.Join(want, "\n"))
	}
	if res.Script == nil || res.Script.Language != "go" || res.Script.Name != "*backtest_test.recorder" {
		t.Errorf("script %+v", res.Script)
	}
	if !slices.ContainsFunc(res.Warnings, func(w backtest.Warning) bool { return w.Code == "go_strategy" }) {
		t.Error("nothing warns that the settings do not repeat the run")
	}
}

// Intents that cannot be done are counted, those that make no sense end the run.
func TestIntentsRefused(t *testing.T) {
	a, b := steady("A", 50, 51, 52, 53, 54, 55), steady("B", 50, 51, 52, 53, 54, 55)
	gap := *b // B does not trade on the second day
	for _, col := range []*[]float64{&gap.Open, &gap.High, &gap.Low, &gap.Close, &gap.Volume} {
		*col = slices.Delete(slices.Clone(*col), 1, 2)
	}
	gap.Time = slices.Delete(slices.Clone(b.Time), 1, 2)
	day := 0
	r := &recorder{do: func(now *hook.View) []hook.Intent {
		buy := hook.Intent{Do: hook.Enter, Side: order.Buy, Shares: 1}
		day++
		switch day {
		case 1:
			return []hook.Intent{buy, buy} // the second finds the first in the way
		case 2:
			other := buy
			other.Symbol = 1
			return []hook.Intent{buy, other} // held; not traded
		}
		return nil
	}}
	res, err := runGo(t, strategy.Default(), r, a, &gap)
	if err != nil {
		t.Fatal(err)
	}
	if got := res.Counts.Refused; got["held"] != 2 || got["not_traded"] != 1 || len(res.Fills) != 1 {
		t.Errorf("refused %v, fills %+v", got, res.Fills)
	}
	for want, in := range map[string]hook.Intent{
		"there is no symbol 7": {Do: hook.Exit, Symbol: 7},
		"cannot sell short":    {Do: hook.Target, Weight: -1},
		"is too long or no":    {Do: hook.Target, Weight: 1, Tag: "a\nb"},
		"want at most 60":      {Do: hook.Enter, Side: order.Buy, Tag: strings.Repeat("t", 61)},
	} {
		_, err := runGo(t, strategy.Default(), &recorder{do: func(*hook.View) []hook.Intent { return []hook.Intent{in} }}, a)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "intent 1 of *backtest_test.recorder at the close of 2024-01-02") {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// Errors of scripts have places, in the strategy file where the script stands there; a script whose text is missing does not run; two makers of decisions
// are one too many.
func TestScriptErrors(t *testing.T) {
	a := steady("A", 50, 51, 52, 53)
	run := func(cfg *backtest.Config, o backtest.Options) error {
		_, err := backtest.RunWith(t.Context(), cfg, memory(t, []*bar.Series{a}), o)
		return err
	}
	cfg := parse(t, "script: |\n  def on_bar(now):\n    now.enter('Z')\n")
	var faults strategy.Diagnostics
	if err := run(cfg, backtest.Options{}); !errors.As(err, &faults) || faults[0].File != "random" || faults[0].Line != 3 ||
		!strings.Contains(err.Error(), `on_bar at the close of 2024-01-02: enter: the run has no symbol "Z"`) {
		t.Error(err)
	}
	if err := run(cfg, backtest.Options{Strategy: &recorder{}}); err == nil || !strings.Contains(err.Error(), "keep one") {
		t.Error(err)
	}
	cfg = parse(t, "script: my.star\n")
	if err := run(cfg, backtest.Options{}); err == nil || !strings.Contains(err.Error(), "read my.star") {
		t.Error(err)
	}
	cfg.Attach("my.star", []byte("def on_bar(now):\n  x = clsoe\n"))
	if err := run(cfg, backtest.Options{}); !errors.As(err, &faults) || faults[0].File != "my.star" || faults[0].Line != 2 {
		t.Error(err)
	}
	cfg.Attach("my.star", []byte("def on_bar(now):\n  for i in range(1000000):\n    for j in range(1000000): pass\n"))
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := backtest.Run(ctx, cfg, memory(t, []*bar.Series{a})); !errors.Is(err, context.DeadlineExceeded) && !strings.Contains(fmt.Sprint(err), "one call took") {
		t.Errorf("a run that was cancelled: %v", err)
	}
}

// What a script keeps lives as long as its run: runs beside each other share nothing.
func TestScriptsOfParallelRunsShareNothing(t *testing.T) {
	cfg := parse(t, "script: |\n  seen = []\n  def on_bar(now):\n    seen.append(now.bars[0].symbol)\n    if len(seen) == 3:\n      print(seen)\n")
	var series []*bar.Series
	for i := range 20 {
		series = append(series, steady(fmt.Sprintf("S%02d", i), 50, 51, 52, 53, 54))
	}
	all, err := backtest.Each(t.Context(), cfg, memory(t, series))
	if err != nil {
		t.Fatal(err)
	}
	for i, res := range all {
		want := fmt.Sprintf(`["S%02d", "S%02d", "S%02d"]`, i, i, i)
		if len(res.Script.Printed) != 1 || res.Script.Printed[0] != want {
			t.Errorf("%s printed %q", res.Data.Symbols, res.Script.Printed)
		}
	}
}

// A strategy in Go sees as much history as its options say.
func TestGoHistory(t *testing.T) {
	a := steady("A", slices.Repeat([]float64{50}, 40)...)
	for _, n := range []int{0, 5} {
		first := -1
		r := &recorder{do: func(now *hook.View) []hook.Intent {
			if first < 0 {
				first = now.Bars(0)
			}
			return nil
		}}
		cfg := strategy.Default()
		cfg.Data.From = a.Date(20)
		if _, err := backtest.RunWith(t.Context(), cfg, memory(t, []*bar.Series{a}), backtest.Options{Strategy: r, History: n}); err != nil {
			t.Fatal(err)
		}
		if first != n+1 {
			t.Errorf("history %d: %d bars at the first decision", n, first)
		}
	}
}

// History before the run is what the script asked for, whatever else is loaded.
func TestScriptHistory(t *testing.T) {
	closes := make([]float64, 60)
	for i := range closes {
		closes[i] = 100 + float64(i)
	}
	a := steady("A", closes...)
	for _, other := range []string{"", "entry: close > sma(close, 40) and close < 0\n"} {
		cfg := parse(t, other+"script: |\n  history = 4\n  seen = []\n  def on_bar(now):\n    if not seen:\n      seen.append(1)\n      print(now.bars[0].history('close', 30))\n")
		cfg.Data.From = a.Date(50)
		res, err := backtest.Run(t.Context(), cfg, memory(t, []*bar.Series{a}))
		if err != nil {
			t.Fatal(err)
		}
		if want := "[145.0, 146.0, 147.0, 148.0, 149.0]"; res.Script.Printed[0] != want {
			t.Errorf("%q: history %s, want %s", other, res.Script.Printed[0], want)
		}
	}
}
