// Package stress asks how far a result hangs on its assumptions: it runs the same rules on the same data
// again, with one assumption changed at a time.
//
// In: a Result with its Config, and the source of its bars. Out: a Report of what was run again and what
// came of it: later execution, dearer trading, later starts, neighbours of every parameter, each symbol
// left out; and two tests on the run's own symbols that need no run: entries at random, and the same
// positions at other times. It refuses a Result whose data cannot be had again bit by bit, because a
// difference would then say nothing about the assumption. What cannot be tried is named in Left, with its
// reason. Runs of a Report are no trials: nothing is chosen by them. Equal input gives equal output at any
// number of processors.
package stress

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/stats"
	"backtester/backtest/stats/bootstrap"
)

// Report is what came of it. Lists begin with the run itself, but for Symbols.
type Report struct {
	Runs    int         `json:"runs"` // how many runs were made for it
	Delay   []Point     `json:"delay"`
	Costs   []Point     `json:"costs"`
	Starts  []Point     `json:"starts"`
	Symbols []Point     `json:"without_symbol"`
	Params  []Parameter `json:"parameters"`

	Entries *bootstrap.Entries `json:"random_entries"` // nil where it is named in Left
	Timing  *bootstrap.Timing  `json:"timing"`

	Left []string `json:"left"` // what was not tried, and why
}

// Point is one run. Figures that it does not define are NaN, null in JSON.
type Point struct {
	Label       string  `json:"label"`
	At          float64 `json:"at"`   // bars of delay, bps, months, or the value of a parameter
	Base        bool    `json:"base"` // the run itself
	Trades      float64 `json:"trades"`
	TotalReturn Number  `json:"total_return"`
	CAGR        Number  `json:"cagr"`
	Sharpe      Number  `json:"sharpe"`
	MaxDrawdown Number  `json:"max_drawdown"`
	Fault       string  `json:"fault,omitempty"` // why it could not be run
}

// Number is a figure that may be undefined.
type Number float64

// MarshalJSON writes NaN as null.
func (n Number) MarshalJSON() ([]byte, error) {
	if x := float64(n); !math.IsNaN(x) && !math.IsInf(x, 0) {
		return strconv.AppendFloat(nil, x, 'g', -1, 64), nil
	}
	return []byte("null"), nil
}

// Parameter is a parameter with its neighbours, by rising value.
type Parameter struct {
	Name   string  `json:"name"`
	Points []Point `json:"points"`
}

// trial is a run to be made: where its outcome belongs and what it changes.
type trial struct {
	into *Point
	cfg  *backtest.Config
}

type tester struct {
	result *backtest.Result
	cfg    *backtest.Config
	src    bar.Source
	report *Report
	trials []trial
}

// ErrOther says that running a result again does not give what it was.
var ErrOther = errors.New("the data or the engine is not that of the result any more")

// Test runs everything. Cost: some 20 runs, and about 8 for every parameter, as many at a time as there are
// processors.
func Test(ctx context.Context, r *backtest.Result, src bar.Source) (*Report, error) {
	if r.Config == nil {
		return nil, fmt.Errorf("run %s again: the result holds no settings, so that nothing can be run again", r.Strategy)
	}
	again, err := backtest.RunWith(ctx, r.Config, src, backtest.Options{Single: true})
	if err != nil {
		return nil, fmt.Errorf("run %s again: %w", r.Strategy, err)
	}
	if again.Fingerprint != r.Fingerprint {
		return nil, fmt.Errorf("run %s again: %w (data %.12s now, %.12s then): run it anew and report that", r.Strategy, ErrOther, again.Data.SHA256, r.Data.SHA256)
	}
	t := &tester{result: r, cfg: r.Config, src: src, report: &Report{}}
	t.delay()
	t.costs()
	t.starts()
	t.symbols()
	t.params()
	if err := t.runAll(ctx); err != nil {
		return nil, err
	}
	return t.report, t.market(ctx)
}

// left names what is not tried.
func (t *tester) left(format string, a ...any) {
	t.report.Left = append(t.report.Left, fmt.Sprintf(format, a...))
}

// base is the point of the run itself.
func (t *tester) base(label string, at float64) Point {
	p := Point{Label: label, At: at, Base: true}
	p.fill(t.result.Metrics)
	return p
}

func (p *Point) fill(m stats.Metrics) {
	get := func(key string) Number {
		if x, ok := m.Get(key); ok {
			return Number(x)
		}
		return Number(math.NaN())
	}
	p.TotalReturn, p.CAGR, p.Sharpe, p.MaxDrawdown = get("total_return"), get("cagr"), get("sharpe"), get("max_drawdown")
	p.Trades, _ = m.Get("trades")
}

// plan enters a list whose points are to be run; points of the run itself are known already.
func (t *tester) plan(points []Point, change func(p *Point) *backtest.Config) {
	for i := range points {
		if p := &points[i]; !p.Base {
			t.trials = append(t.trials, trial{p, change(p)})
		}
	}
}

// runAll makes the runs. One that fails says so in its point; only an end of ctx ends all.
func (t *tester) runAll(ctx context.Context) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(len(t.trials), runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(t.trials) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				k := &t.trials[i]
				r, err := backtest.RunWith(ctx, k.cfg, t.src, backtest.Options{Single: true})
				if err != nil {
					nan := Number(math.NaN())
					k.into.Fault, k.into.TotalReturn, k.into.CAGR, k.into.Sharpe, k.into.MaxDrawdown = err.Error(), nan, nan, nan, nan
					continue
				}
				k.into.fill(r.Metrics)
			}
		})
	}
	wg.Wait()
	t.report.Runs = len(t.trials) + 1
	return ctx.Err()
}

// copied is the Config, of which rules, costs and parameters may be changed.
func (t *tester) copied() *backtest.Config {
	c := *t.cfg
	c.Params = slices.Clone(c.Params)
	if c.Long != nil {
		side := *c.Long
		side.Exits = slices.Clone(side.Exits)
		c.Long = &side
	}
	if c.Short != nil {
		side := *c.Short
		side.Exits = slices.Clone(side.Exits)
		c.Short = &side
	}
	return &c
}

// BreakEven is the extra cost in bps at which the total return of Costs crosses zero, linear between its
// points; NaN when it does not.
func (r *Report) BreakEven() float64 {
	var sweep []stats.CostPoint
	for _, p := range r.Costs {
		sweep = append(sweep, stats.CostPoint{Extra: p.At, TotalReturn: float64(p.TotalReturn)})
	}
	return stats.BreakEven(sweep)
}
