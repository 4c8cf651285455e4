package validate

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/stats"
	"backtester/backtest/stats/overfit"
	"backtester/backtest/strategy"
	"backtester/backtest/sweep"
	"backtester/backtest/validate/stress"
)

// Options of Test. The zero value tests everything.
type Options struct {
	Memory  int64 // bytes for the returns of all combinations, and for the sweep; 0 is 2 GiB
	Workers int   // 0 is as many as there are processors

	// Play, if given, plays a search instead of Plan.Run and must give the same: the one over all of the data, then
	// one in each window of the walk-forward. Whoever counts trials, or has other machines, gives it.
	Play func(context.Context, *sweep.Plan, sweep.Options) (*sweep.Summary, error)
	// Select, if given, says what the history knows of how often the data of the judged run was searched, by these
	// searches too. Without it only the search over all of the data counts.
	Select func(context.Context, *backtest.Result) (*overfit.Selection, error)
	// Trials may only raise the number of trials.
	Trials int64
	// Progress is called now and then with what is being done.
	Progress func(what string, done, total int)
}

// tester makes one Report.
type tester struct {
	cfg  *backtest.Config
	src  bar.Source
	o    Options
	want strategy.Validate
	r    *Report
	m    *matrix

	reasons map[string]string // why questions have no answer

	days     []instrument.Date // of the judged run, days[0] is the start
	equity   []float64
	perYear  float64
	riskFree float64 // a year
	rf       float64 // a session
}

// Test puts cfg to every test, each of which says what it was computed on and what it came to. A test that
// cannot be made is undefined, with its reason; only a search that cannot be played, an end of ctx, and data
// that cannot be read are errors. Cost: the sweep, one more for each window of the walk-forward, and some hundred
// runs.
func Test(ctx context.Context, cfg *backtest.Config, src bar.Source, o Options) (*Report, error) {
	seed, err := seedOf(cfg)
	if err != nil {
		return nil, err
	}
	t := &tester{cfg: cfg, src: src, o: o, want: settingsOf(cfg), r: &Report{Schema: Schema, Engine: backtest.EngineVersion, Strategy: cfg.Name, Seed: seed, Config: cfg}}
	for _, step := range []func(context.Context) error{t.search, t.judge, t.walk, t.cscv, t.cross, t.superior, t.deflate, t.monteCarlo, t.noise, t.stress, t.prove} {
		if err := step(ctx); err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
	}
	t.conclude()
	return t.r, nil
}

// play plays a search.
func (t *tester) play(ctx context.Context, plan *sweep.Plan, o sweep.Options) (*sweep.Summary, error) {
	o.Memory, o.Workers = t.o.Memory, t.o.Workers
	if t.o.Play != nil {
		return t.o.Play(ctx, plan, o)
	}
	return plan.Run(ctx, o)
}

// settingsOf fills in what the file leaves open.
func settingsOf(cfg *backtest.Config) strategy.Validate {
	w := strategy.Validate{}
	if cfg.Validate != nil {
		w = *cfg.Validate
	}
	set := func(to *int, value int) {
		if *to == 0 {
			*to = value
		}
	}
	set(&w.PBO, 16)
	set(&w.KFold, 5)
	set(&w.Draws, 1000)
	set(&w.Noise, 20)
	if w.CPCV == nil {
		w.CPCV = &strategy.CPCV{Groups: 10, Tested: 2}
	}
	if w.WalkForward == nil {
		w.WalkForward = &strategy.WalkForward{Train: "3y", Test: "1y"}
	}
	return w
}

// seedOf is a seed that a Config has everywhere and always: short enough to be typed, exact as a JSON number.
func seedOf(cfg *backtest.Config) (uint64, error) {
	b, err := cfg.MarshalJSON()
	if err != nil {
		return 0, err
	}
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint64(sum[:8]) >> 12, nil
}

func (t *tester) progress(what string, done, total int) {
	if t.o.Progress != nil {
		t.o.Progress(what, done, total)
	}
}

func (t *tester) memory() int64 {
	if t.o.Memory > 0 {
		return t.o.Memory
	}
	return 2 << 30
}

// measure is the statistics of a curve of session closes.
func (t *tester) measure(days []instrument.Date, equity []float64) stats.Metrics {
	return stats.Compute(stats.Input{Dates: days, Equity: equity, PeriodsPerYear: t.perYear, RiskFreeAnnual: t.riskFree, Complete: equity[len(equity)-1] > 0, NoTrades: true, NoCosts: true})
}

// stress runs the judged run again with one assumption changed at a time.
func (t *tester) stress(ctx context.Context) (err error) {
	t.progress("other assumptions", 0, 1)
	t.r.Stress, err = stress.Test(ctx, t.r.Judged, t.src)
	return err
}

// prove makes the proofs of causality and warm-up for the judged run.
func (t *tester) prove(ctx context.Context) (err error) {
	t.progress("causality", 0, 1)
	t.r.Proof, err = Prove(ctx, Subject{Config: t.r.Judged.Config}, t.src, Plan{Seed: 1})
	return err
}

// noData reports whether an error says that a stretch of history has nothing to trade.
func noData(err error) bool { return errors.Is(err, bar.ErrNoData) }
