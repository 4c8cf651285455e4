package strategy_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/strategy"
)

// walks are eight years of random prices for some symbols: trends that last for months, with wild and
// calm ones among them, so that rules of every kind find something to do.
func walks(t testing.TB, symbols int) bar.Source {
	t.Helper()
	r := rand.New(rand.NewPCG(11, 3))
	var days []instrument.Date
	for d := instrument.NewDate(2011, 1, 3); d < instrument.NewDate(2019, 1, 1); d = bar.NYSE().Next(d) {
		days = append(days, d)
	}
	cents := func(x float64) float64 { return math.Max(1, math.Round(x*100)) / 100 }
	var series []*bar.Series
	for k := range symbols {
		s := &bar.Series{Symbol: string(rune('A'+k)) + "X", ID: instrument.ID(string(rune('a' + k))), Frame: bar.Daily, Delisted: instrument.None}
		last, drift, wild := 20+10*float64(k), 0.0, 0.008+0.003*float64(k)
		for i, d := range days {
			if i%120 == 0 {
				drift = 0.004 * (r.Float64() - 0.42)
			}
			o := cents(last * (1 + wild*0.3*r.NormFloat64()))
			c := cents(o * (1 + drift + wild*r.NormFloat64()))
			s.Time = append(s.Time, d.Nanos())
			s.Open, s.Close = append(s.Open, o), append(s.Close, c)
			s.High = append(s.High, cents(max(o, c)*(1+wild*0.5*r.Float64())))
			s.Low = append(s.Low, cents(min(o, c)*(1-wild*0.5*r.Float64())))
			s.Volume = append(s.Volume, float64(200_000+r.IntN(800_000)))
			last = c
		}
		series = append(series, s)
	}
	src, err := bar.NewMemory(bar.NYSE(), series...)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// TestBuiltinsRun plays every built-in strategy: it trades, ends what it begins, stays within its
// cash, and says nothing that needs a warning but what a random market brings with it.
func TestBuiltinsRun(t *testing.T) {
	src := walks(t, 6)
	for _, b := range strategy.Builtins() {
		t.Run(b.Name, func(t *testing.T) {
			data, err := strategy.FindBuiltin(b.Name)
			if err != nil {
				t.Fatal(err)
			}
			f := parse(t, string(data))
			if err := f.Set("universe.symbols", "AX,BX,CX,DX,EX,FX"); err != nil {
				t.Fatal(err)
			}
			res, err := backtest.Run(context.Background(), f, src)
			if err != nil {
				t.Fatal(err)
			}
			closed := 0
			for _, x := range res.Trades {
				if !x.Open {
					closed++
				}
			}
			switch {
			case b.Name == "buy-and-hold":
				if len(res.Trades) != 6 || closed != 0 {
					t.Errorf("%d trades, %d of them closed", len(res.Trades), closed)
				}
			case closed < 5 || len(res.Fills) < 2*closed:
				t.Errorf("%d closed trades of %d, %d fills: too few to say that it works", closed, len(res.Trades), len(res.Fills))
			}
			for i, v := range res.Equity.Value {
				if !(v > 0) {
					t.Fatalf("equity %v at %d", v, i)
				}
			}
			for _, w := range res.Warnings {
				switch w.Code {
				case "no_benchmark", "no_rank", "open_trades", "short_history", "data_ended":
				default:
					t.Errorf("warning %s: %s", w.Code, w.Message)
				}
			}
		})
	}
}
