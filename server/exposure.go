package server

import (
	"slices"
	"sort"

	"backtester/backtest"
	"backtester/report"
)

// exposure is what a run had in the market at the closes of its sessions, as the tearsheet draws it.
type exposure struct {
	sessions    backtest.Times
	long, short []float64 // fractions of equity; short is nil where the run never was
}

// exposureOf is computed once for a result that is kept.
func exposureOf(x *storedResult) exposure {
	dates, h, ok := report.Held(backtest.Curve{Time: x.Equity.Time, Value: x.Equity.Value}, x.Trades)
	if !ok {
		return exposure{}
	}
	e := exposure{sessions: backtest.DaysOf(dates), long: h.Long}
	if slices.Max(h.Short) > 0 {
		e.short = h.Short
	}
	return e
}

// exposedCurve is a curve with what was in the market.
func exposedCurve(x *storedResult, in span, points int) Curve {
	c, places := curveOf(x, in, points)
	e := x.exposed()
	for _, i := range places {
		k := lastSession(x.Equity.Time, i, e.sessions)
		if len(e.long) > 0 {
			c.Long = append(c.Long, valueAt(e.long, k))
		}
		if len(e.short) > 0 {
			c.Short = append(c.Short, valueAt(e.short, k))
		}
	}
	return c
}

// valueAt is the value at the close of session k, 0 before the first one.
func valueAt(values []float64, k int) float64 {
	if k < 0 {
		return 0
	}
	return values[k]
}

// lastSession is the place of the last of some sessions that has ended at point i of a curve; -1 when none has.
func lastSession(times backtest.Times, i int, sessions backtest.Times) int {
	day := times.Session(i)
	ended := i+1 == times.Len() || times.Session(i+1) > day
	return sort.Search(sessions.Len(), func(k int) bool { d := sessions.Session(k); return d > day || d == day && !ended }) - 1
}
