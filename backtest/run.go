package backtest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"backtester/backtest/bar"
	"backtester/backtest/expr"
	"backtester/backtest/instrument"
	"backtester/backtest/parallel"
	"backtester/backtest/strategy"
)

// Run plays cfg on the bars of src. It is safe to call concurrently. The error is
// strategy.Diagnostics for a faulty Config, a *NoDataError when nothing is there to run on, or what
// src returned. Cancelling ctx stops it within a few thousand bars.
func Run(ctx context.Context, cfg *Config, src bar.Source) (*Result, error) {
	rules, err := compile(cfg, src)
	if err != nil {
		return nil, err
	}
	return runRules(ctx, task{cfg: cfg, rules: rules}, src)
}

// Each plays cfg on every symbol of its universe alone, with the full cash, one Result each in the
// order of the symbols given; a security that has two of them is played once, see Twins. Symbols run in parallel; the error joins those of the symbols that
// failed, whose Results are nil.
func Each(ctx context.Context, cfg *Config, src bar.Source) ([]*Result, error) {
	rules, err := compile(cfg, src)
	if err != nil {
		return nil, err
	}
	names, err := alone(ctx, cfg, rules, src)
	if err != nil {
		return nil, err
	}
	results, faults := make([]*Result, len(names)), make([]error, len(names))
	parallel.With(runtime.GOMAXPROCS(0), len(names), func() func(int) {
		w := &worker{arena: &expr.Arena{}}
		return func(i int) {
			one, own := *cfg, rules
			one.Universe.Symbols = names[i : i+1 : i+1]
			if len(rules.Parts) > 0 { // they have the universe of the account in them
				own, faults[i] = compile(&one, src)
			}
			if faults[i] == nil {
				results[i], faults[i] = runRules(ctx, task{cfg: &one, rules: own, worker: w}, src)
			}
			if faults[i] != nil {
				faults[i] = fmt.Errorf("%s: %w", names[i], faults[i])
			}
		}
	})
	return results, errors.Join(faults...)
}

// Alone lists the symbols of cfg that Each runs, one by one.
func Alone(ctx context.Context, cfg *Config, src bar.Source) ([]string, error) {
	rules, err := compile(cfg, src)
	if err != nil {
		return nil, err
	}
	return alone(ctx, cfg, rules, src)
}

func alone(ctx context.Context, cfg *Config, rules *strategy.Rules, src bar.Source) ([]string, error) {
	names := cfg.Universe.Symbols
	if cfg.Universe.Top > 0 || rules.Compares() || cfg.Rebalance != nil {
		return nil, errors.New("run each symbol alone: the strategy compares symbols with each other, so that none can be alone")
	}
	for k := range rules.Parts {
		if p := &rules.Parts[k]; p.File.Universe.Top > 0 || p.Rules.Compares() || p.File.Rebalance != nil {
			return nil, fmt.Errorf("run each symbol alone: the strategy %s compares symbols with each other, so that none can be alone", p.Name)
		}
	}
	if len(names) == 0 && len(cfg.Strategies) > 0 {
		return nil, fmt.Errorf("run each symbol alone: %s names no symbols, and its strategies may each have others: name them with --symbols, or in its universe", cfg.Name)
	}
	if len(names) == 0 {
		list, err := securities(ctx, cfg, rules, src)
		if err != nil {
			return nil, err
		}
		for i := range list {
			names = append(names, list[i].name)
		}
	}
	twins, err := twinsOf(ctx, cfg, src, names)
	if err != nil {
		return nil, err
	}
	for _, t := range twins {
		names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == t.Left })
	}
	return names, nil
}

// Twin is a ticker of a security that is asked for under another ticker too.
type Twin struct{ Left, Kept string }

// Twins lists which tickers of cfg Each leaves out: of several of one security the last one stays. Tickers that more
// than one company used stay all.
func Twins(ctx context.Context, cfg *Config, src bar.Source) ([]Twin, error) {
	return twinsOf(ctx, cfg, src, cfg.Universe.Symbols)
}

func twinsOf(ctx context.Context, cfg *Config, src bar.Source, names []string) ([]Twin, error) {
	if len(names) < 2 {
		return nil, nil
	}
	held, err := src.Coverage(ctx, cfg.Data.Bars)
	if err != nil {
		return nil, err
	}
	owners := map[string][]*instrument.Instrument{}
	for i := range held {
		x, seen := &held[i].Instrument, map[string]bool{}
		for _, span := range x.Spans {
			if !seen[span.Ticker] {
				seen[span.Ticker] = true
				owners[span.Ticker] = append(owners[span.Ticker], x)
			}
		}
	}
	kept := map[instrument.ID]string{}
	var out []Twin
	for _, name := range names {
		if len(owners[name]) != 1 || owners[name][0].ID == "" {
			continue
		}
		x := owners[name][0]
		first, twice := kept[x.ID]
		switch {
		case !twice:
			kept[x.ID] = name
		case first == name:
		case name == x.Ticker:
			out, kept[x.ID] = append(out, Twin{first, name}), name
		default:
			out = append(out, Twin{name, first})
		}
	}
	for i := range out { // the one that stayed in the end
		out[i].Kept = kept[owners[out[i].Left][0].ID]
	}
	return out, nil
}

// compile checks a Config for the market of src.
func compile(cfg *Config, src bar.Source) (*strategy.Rules, error) {
	rules, faults := cfg.On(src.Calendar()).Compile()
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return rules, nil
}

// task is what is to be played.
type task struct {
	cfg     *Config
	rules   *strategy.Rules
	worker  *worker // whose memory to use again, nil for memory of its own
	options Options
}

// worker plays one task after another in the same memory.
type worker struct {
	arena  *expr.Arena
	engine engine
	market *market // of the task before, nil for none
}

func runRules(ctx context.Context, k task, src bar.Source) (*Result, error) {
	m, err := k.load(ctx, src)
	if err != nil {
		return nil, err
	}
	if m.twins == nil { // else several strategies have the same columns
		digestEach(m.syms)
	}
	e, err := k.engine(m)
	if err != nil {
		return nil, err
	}
	e.finer = magnifier(ctx, k.cfg, src, m)
	if k.options.Journal != nil {
		e.journal = &journal{tell: k.options.Journal, cash: e.books.Cash}
	}
	if err := e.run(ctx); err != nil {
		return nil, err
	}
	e.readMinutes()
	both, err := k.bothWays(ctx, e, src)
	if err != nil {
		return nil, err
	}
	held, err := k.hold(ctx, *m, k.rules, src)
	if err != nil {
		return nil, err
	}
	r, err := e.result(ctx, src)
	if err != nil {
		return nil, err
	}
	r.BuyAndHold, r.Ambiguity = held, both
	if both != nil {
		r.Warnings = append(r.Warnings, both.warning())
	}
	return r, nil
}

// load the market of a task.
func (k *task) load(ctx context.Context, src bar.Source) (*market, error) {
	return load(ctx, k.cfg, k.rules, src, k.worker)
}

// engine makes the engine of a task.
func (k *task) engine(m *market) (*engine, error) {
	e := &engine{}
	if k.worker != nil {
		e = &k.worker.engine
		e.handOver()
	}
	e.begin(settled(k.cfg, m.breadth(), k.coded()), k.rules, m)
	e.meter = newMeter(k.options, len(m.time))
	return e, e.hire(k.options)
}

// coded reports whether code makes decisions.
func (k *task) coded() bool { return k.options.Strategy != nil || k.cfg.Decides() }

// noData explains an empty market: what was asked for and what the source has instead.
func (m *market) noData(ctx context.Context, cfg *Config, src bar.Source) error {
	e := &NoDataError{Source: src.Name(), Frame: cfg.Data.Bars.String(), From: cfg.Data.From.String(), To: cfg.Data.To.String(),
		Rows: m.missing, Err: bar.ErrNoData}
	held, err := src.Coverage(ctx, cfg.Data.Bars)
	if err != nil {
		held = nil
	}
	for i := range held {
		e.Held = append(e.Held, held[i].Instrument.Ticker)
	}
	if len(e.Rows) == 0 { // nothing was named: what is held lies outside the range
		for _, name := range e.Held {
			e.Rows = append(e.Rows, Missing{Symbol: name})
		}
	}
	outside := "no bars in the range asked for"
	if from, to := cfg.Data.From, cfg.Data.To; from > 0 && to > 0 && m.cal != nil && m.cal.Count(from, to) == 0 {
		outside = "the exchange had no session in the range asked for"
	}
	for i := range e.Rows {
		r := &e.Rows[i]
		r.Reason = "not in the data"
		for _, c := range held {
			if c.Instrument.Ticker != r.Symbol {
				continue
			}
			r.Have = c.First.String() + ".." + c.Last.String()
			r.Reason = outside
			break
		}
	}
	return e
}

// sessionStart is the session before the first step: the stamp of the starting equity when no bar
// before the range decides.
func (m *market) sessionStart() instrument.Date {
	if d := m.cal.Prev(m.date[0]); d != instrument.None {
		return d
	}
	return m.date[0] - 1
}
