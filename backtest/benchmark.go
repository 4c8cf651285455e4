package backtest

import (
	"context"
	"errors"
	"math"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// benchmark is the total-return level of the benchmark at the start and at each session's close,
// aligned by date on price, staying where its bars end, starting at the account's cash: dividends are reinvested at the close of
// their ex-date, splits keep the value, and there are no costs. Nil when none is set or its data is
// missing at the start.
func (e *engine) benchmark(ctx context.Context, src bar.Source) ([]float64, error) {
	if e.cfg.Benchmark == "" {
		return nil, nil
	}
	s, err := e.benchmarkBars(ctx, src)
	if errors.Is(err, bar.ErrNoData) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	e.benchTo = s.Date(s.Len() - 1)
	level := totalReturn(s)
	var out []float64
	row := -1
	e.sessions(func(d instrument.Date, _ int) {
		for row+1 < s.Len() && s.Date(row+1) <= d {
			row++
		}
		if row < 0 {
			out = append(out, math.NaN())
			return
		}
		out = append(out, level[row])
	})
	first := 0
	for first < len(out) && math.IsNaN(out[first]) {
		first++
	}
	// A benchmark that starts with the range has no close before it: its first open stands in.
	if first == 1 && s.Len() > 0 {
		out[0], first = level[0]*s.Open[0]/s.Close[0], 0
	}
	if first != 0 {
		return nil, nil
	}
	scale := e.books.Start / out[0]
	for i := range out {
		out[i] *= scale
	}
	return out, nil
}

// benchmarkBars are daily bars from the session of the start on.
func (e *engine) benchmarkBars(ctx context.Context, src bar.Source) (*bar.Series, error) {
	c := named(e.cfg.Benchmark, e.cfg.Data.To)
	return src.Load(ctx, bar.Request{Symbol: c.ticker, Frame: bar.Daily, From: e.m.date[0], To: c.to, Warmup: 1, Session: bar.Regular})
}

// totalReturn is the value of one share with dividends reinvested, by bar.
func totalReturn(s *bar.Series) []float64 {
	level := make([]float64, s.Len())
	shares := 1.0
	splits, divs := s.Actions.Splits, s.Actions.Dividends
	if s.Adjusted {
		splits, divs = nil, nil
	}
	for i := range level {
		d := s.Date(i)
		for ; len(splits) > 0 && splits[0].Ex <= d; splits = splits[1:] {
			if i > 0 {
				shares *= splits[0].To / splits[0].From
			}
		}
		for ; len(divs) > 0 && divs[0].Ex <= d; divs = divs[1:] {
			if i > 0 {
				shares += float64(shares*s.Actions.CashOn(divs[0], d)) / s.Close[i]
			}
		}
		level[i] = shares * s.Close[i]
	}
	return level
}

// benchmarkCurve stamps the benchmark at the session closes.
func (e *engine) benchmarkCurve(level []float64) *Curve {
	ns := make([]int64, 0, len(level))
	e.sessions(func(d instrument.Date, _ int) { ns = append(ns, d.Nanos()) })
	return &Curve{Time: Times{Daily: true, Nanos: ns}, Value: level}
}
