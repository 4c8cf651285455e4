package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/stats"
	"backtester/backtest/stats/bootstrap"
	"backtester/backtest/stats/overfit"
	"backtester/backtest/strategy"
	"backtester/report"
)

// statistics are what is computed of a run after it was played, and its page.
func statistics(string) ([]row, error) {
	const sessions, bars = 2520, 1_000_000
	var rows []row
	var err error
	timed := func(scenario string, goal float64, times int, work func() error) {
		took := measure(times, func() error {
			fault := work()
			if err == nil {
				err = fault
			}
			return fault
		})
		rows = append(rows, row{scenario: "s: " + scenario, who: "backtester", cpu: took, goal: goal, equal: "-", first: took})
	}
	days, minutes := played(sessions, 1), played(bars/390, 390)
	timed("all statistics, 1,000 runs x 2,520 sessions", 1, 5, func() error {
		for range 1000 {
			stats.Compute(days)
		}
		return nil
	})
	timed("all statistics, 1 run x 1,000,000 bars", 0.05, 9, func() error {
		stats.Compute(minutes)
		return nil
	})
	r := returns(rand.New(rand.NewPCG(1, 1)), sessions)
	timed("bootstrap with drawdowns, 5,000 paths x 2,520 sessions", 0.5, 5, func() error {
		if p := bootstrap.Simulate(r, 0, bootstrap.Settings{Block: 10}); p.Draws != 5000 {
			return fmt.Errorf("%d paths", p.Draws)
		}
		return nil
	})
	matrix := make([][]float64, 1000)
	for k := range matrix {
		matrix[k] = returns(rand.New(rand.NewPCG(2, uint64(k))), sessions)
	}
	timed("CSCV, 12,870 splits x 1,000 configurations", 1, 3, func() error {
		p, err := overfit.CSCV(matrix, 16)
		if err == nil && p.Splits != 12870 {
			err = fmt.Errorf("%d splits", p.Splits)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	big, err := bigPage()
	return append(rows, big), err
}

// returns are n returns of 1 % a session.
func returns(rng *rand.Rand, n int) []float64 {
	r := make([]float64, n)
	for i := range r {
		r[i] = 0.0004 + 0.01*rng.NormFloat64()
	}
	return r
}

// played is a run of so many sessions with a benchmark and 500 trades.
func played(sessions, perSession int) stats.Input {
	rng := rand.New(rand.NewPCG(3, 1))
	in := stats.Input{PeriodsPerYear: 252, Dates: []instrument.Date{instrument.NewDate(2014, 12, 31)}, Equity: []float64{1e5}, Benchmark: []float64{100}}
	if perSession > 1 {
		in.BarEquity, in.BarDates = []float64{1e5}, in.Dates[:1:1]
	}
	v := 1e5
	for t := range sessions {
		day := in.Dates[0] + instrument.Date(t*7/5+1)
		for range perSession {
			v *= 1 + 0.0004/float64(perSession) + 0.0005*rng.NormFloat64()
			if perSession > 1 {
				in.BarEquity, in.BarDates = append(in.BarEquity, v), append(in.BarDates, day)
			}
		}
		in.Dates, in.Equity = append(in.Dates, day), append(in.Equity, v)
		in.Benchmark = append(in.Benchmark, in.Benchmark[t]*(1+0.01*rng.NormFloat64()))
	}
	in.Gross, in.Net = make([]float64, sessions), make([]float64, sessions)
	for i := range 500 {
		p := rng.NormFloat64() + 0.1
		in.Trades = append(in.Trades, stats.Trade{PnL: 100 * p, Return: p / 100, EntryValue: 1e4, Bars: i % 20, Long: i%3 > 0, MAE: -rng.Float64() / 50, MFE: rng.Float64() / 50})
	}
	return in
}

// bigPage plays a million bars with some 200,000 trades and writes their page, statistics included.
func bigPage() (row, error) {
	const bars, most = 1_000_000, 2 << 20
	name := "s: page of 1,000,000 bars"
	cfg, faults := strategy.Parse("busy", []byte("data: {bars: 1m}\ncash: 1000000\nentry: close > open\nexit: {max_bars: 3}\nsize: {shares: 10}\n"))
	if err := faults.Err(); err != nil {
		return row{}, err
	}
	src, err := bar.NewMemory(bar.Always(), walk(1, "A", bar.Minutely, bars))
	if err != nil {
		return row{}, err
	}
	var r *backtest.Result
	var page bytes.Buffer
	took := 0.0
	for range 3 { // the fastest: each needs a run of its own, whose metrics are computed when they are read
		if r, err = backtest.Run(context.Background(), cfg, src); err != nil {
			return row{}, err
		}
		page.Reset()
		again := measure(1, func() error { err = report.HTML(&page, r); return err })
		if err != nil {
			return row{}, err
		}
		if took == 0 || again < took {
			took = again
		}
	}
	size := fmt.Sprintf("%d trades, %.2f MB of 2", len(r.Trades), float64(page.Len())/1e6)
	if page.Len() > most {
		return row{}, fmt.Errorf("the page of %d trades has %d bytes, more than %d", len(r.Trades), page.Len(), most)
	}
	return row{scenario: name + ", " + size, who: "backtester", cpu: took, goal: 2, equal: "-", first: took}, nil
}
