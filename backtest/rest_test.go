package backtest_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/fill"
	"backtester/backtest/instrument"
	"backtester/backtest/portfolio"
	"backtester/backtest/strategy"
	"backtester/backtest/strategy/hook"
)

// observer does what another strategy wants, and writes down all that it was shown.
type observer struct {
	hook.Strategy
	seen []float64
}

func (o *observer) OnBar(now *hook.View) ([]hook.Intent, error) {
	at, a := now.Now(), now.Account()
	o.seen = append(o.seen, float64(at.Time), float64(at.End), float64(at.Date), a.Equity(), a.Cash(), float64(len(a.Held())))
	for i := range now.Len() {
		o.seen = append(o.seen, float64(now.Bars(i)), now.Last(i, hook.Open), now.Last(i, hook.Volume), now.Ago(i, hook.Close, 3))
		for _, yes := range []bool{now.Traded(i), now.Member(i), a.Working(i)} {
			o.seen = append(o.seen, map[bool]float64{true: 1}[yes])
		}
		if len(o.seen)%3 == 0 { // not at every bar: what was not looked at must be known later
			p := a.Position(i)
			o.seen = append(o.seen, p.Shares, p.EntryPrice, float64(p.BarsHeld), p.HighSince, p.LowSince, p.Stop, p.Target)
		}
	}
	return o.Strategy.OnBar(now)
}

// inMinutes is a series of days whose bars lie within sessions, six in each.
func inMinutes(s *bar.Series) *bar.Series {
	days := bar.NYSE().Sessions(instrument.NewDate(2015, 1, 1), instrument.NewDate(2030, 1, 1))
	c := *s
	c.Frame, c.Time = bar.Minutely, make([]int64, s.Len())
	first := instrument.DateOfNanos(s.Time[0])
	day := func(d instrument.Date) instrument.Date { return days[bar.NYSE().Count(first, d)/6] }
	for i, ns := range s.Time {
		d := instrument.DateOfNanos(ns)
		open, _, _, _ := bar.NYSE().Hours(day(d))
		c.Time[i] = open + int64(bar.NYSE().Count(first, d)%6)*60e9
	}
	c.Actions.Splits, c.Actions.Dividends = slices.Clone(s.Actions.Splits), nil
	for i := range c.Actions.Splits {
		c.Actions.Splits[i].Ex = day(c.Actions.Splits[i].Ex)
	}
	for _, x := range s.Actions.Dividends {
		x.Ex, x.Pay = day(x.Ex), day(x.Ex)+3
		c.Actions.Dividends = append(c.Actions.Dividends, x)
	}
	return &c
}

// Bars at which nothing can happen are played in one go. A run of single steps is the same in all that it leaves
// behind and in all that code was shown.
func TestBarsAtRestAreSteps(t *testing.T) {
	rules := []string{
		"entry: rsi(close, 3) < 20\nexit: rsi(close, 3) > 80\nsize: {weight: 0.8}\n",
		"entry: close > sma(close, 30)\nexit: {when: close < sma(close, 50), max_bars: 17}\n",
		"long: {entry: close > sma(close, 20), exit: {max_bars: 70}}\nfills: {end: mark}\n",
		"entry: close < 0\n",
	}
	fills := 0
	for seed := range uint64(120) {
		r := rand.New(rand.NewPCG(seed, 14))
		series := randomMarket(r, 1+int(seed/2%2), 300)
		cfg := strategy.Default()
		if seed%3 < 2 { // of them half besides code
			cfg = parse(t, rules[seed/3%uint64(len(rules))])
		} else {
			cfg.Fills.End, cfg.Costs.Commission.PerOrder = fill.EndMark, 1
		}
		cfg.Costs.Slippage.BPS = 5
		if seed%5 == 1 {
			cfg.Account.Dividends = portfolio.OnPayDate
		}
		if seed%2 == 1 {
			cfg.Data.Bars = bar.Minutely
			for i := range series {
				series[i] = inMinutes(series[i])
			}
		}
		src := memory(t, series)
		var played [2]*backtest.Played
		var seen [2][]float64
		for k := range played {
			var o backtest.Options
			w := &observer{Strategy: &wanton{rand.New(rand.NewPCG(seed, 5))}}
			if seed%3 != 0 {
				o.Strategy = w
			}
			p, err := backtest.Play(t.Context(), cfg, src, o, k == 1)
			if err != nil {
				t.Fatal(err)
			}
			played[k], seen[k] = p, w.seen
		}
		if !slices.EqualFunc(seen[0], seen[1], func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }) {
			t.Errorf("seed %d: code was shown something else than in single steps", seed)
		}
		if a, b := played[0], played[1]; !reflect.DeepEqual(a, b) {
			t.Errorf("seed %d: single steps leave something else behind:\n%s", seed, differences(a, b))
		}
		fills += len(played[0].Fills)
	}
	if fills < 1500 {
		t.Errorf("only %d fills: the test shows little", fills)
	}
}

// differences names the fields in which two runs differ.
func differences(a, b *backtest.Played) string {
	x, y, out := reflect.ValueOf(*a), reflect.ValueOf(*b), ""
	for k := range x.NumField() {
		if i, j := x.Field(k), y.Field(k); !reflect.DeepEqual(i.Interface(), j.Interface()) {
			out += fmt.Sprintf("%s: %.300v\n  steps: %.300v\n", x.Type().Field(k).Name, fmt.Sprint(i), fmt.Sprint(j))
		}
	}
	return out
}

// How much is held is added up at a close only where something reads it: reading it and adding nothing changes
// nothing, and what depends on it sees it.
func TestExposuresWhereTheyAreRead(t *testing.T) {
	series := randomMarket(rand.New(rand.NewPCG(4, 14)), 4, 400)
	run := func(exit string) *backtest.Result {
		cfg := parse(t, "entry: close > sma(close, 3)\nexit: {"+exit+"}\nsize: {weight: 0.3}\n")
		r, err := backtest.Run(t.Context(), cfg, memory(t, series))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, name := range []string{"gross_exposure", "net_exposure"} {
		a, b := run("stop: high_since * 0.98"), run("stop: high_since * 0.98 + 0 * "+name)
		if len(a.Fills) < 100 || !slices.Equal(a.Fills, b.Fills) {
			t.Errorf("%s without weight changes %d fills:\n%s", name, len(a.Fills), firstDifference(a.Fills, b.Fills))
		}
		full, never := run("when: "+name+" > 0.8, stop: high_since * 0.5"), run("when: "+name+" > 1.5, stop: high_since * 0.5")
		if len(full.Fills) < 100 || len(never.Fills) >= len(full.Fills)/2 {
			t.Errorf("%d fills when %s over 0.8 closes, %d when only over 1.5 does", len(full.Fills), name, len(never.Fills))
		}
	}
}
