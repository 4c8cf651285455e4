package sweep

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"backtester/backtest"
	"backtester/backtest/expr"
	"backtester/backtest/instrument"
	"backtester/backtest/stats"
	"backtester/backtest/strategy"
)

// Axis is the sessions that returns belong to: Dates[0] is the one at whose close the run starts, return k
// leads from Dates[k] to Dates[k+1].
type Axis struct{ Dates []instrument.Date }

// block is the outcome of a piece of work: some combinations on one symbol. Its memory is used again.
type block struct {
	keys    int
	metrics []float64 // by combination, then by metric
	path    []Path
	reason  []string
	axis    *Axis
	returns []float64  // by combination, then by session; empty when nobody asked
	mu      sync.Mutex // of axis and returns, while they are made
}

func (b *block) reset(combinations, keys int) {
	b.keys, b.axis, b.returns = keys, nil, b.returns[:0]
	b.metrics = grow(b.metrics, combinations*keys)
	b.path, b.reason = grow(b.path, combinations), grow(b.reason, combinations)
}

// grow is s with length n, of the same memory where that suffices. What is in it is of no meaning.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

func (b *block) row(k int) []float64 { return b.metrics[k*b.keys : (k+1)*b.keys] }

// returnsOf is where the returns of combination k go.
func (b *block) returnsOf(k int) []float64 {
	n := len(b.axis.Dates) - 1
	return b.returns[k*n : (k+1)*n]
}

// place is where the returns of combination k of n go, whose sessions axis has: several workers ask at
// once. Who begins at the session of the block hands it its own axis, so that all of a lane share one.
func (b *block) place(axis *Axis, k, n int) []float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.axis == nil || len(b.axis.Dates) != len(axis.Dates):
		b.axis = axis
		b.returns = grow(b.returns, n*(len(axis.Dates)-1))
	case b.axis.Dates[0] == axis.Dates[0]:
		b.axis = axis
	}
	return b.returnsOf(k)
}

// worker evaluates pieces of work one after another, with memory that it keeps.
type worker struct {
	plan    *Plan
	returns bool // somebody asked for them
	player  backtest.Player
	arena   expr.Arena
	bound   expr.Bound
	scout   scout
	loop    loop
	sorted  sorted
	hands   []*worker // that help
	crew    int       // processors that work on the symbol in hand
	common  *compiled // of the piece in hand, for every symbol; nil for none
	todo    []int     // places that are not played yet
	left    []int
	watch   func(k int, t *lane, trades []trade) // sees the trades of combinations; for tests
}

// config is the plan's on one symbol, or on all of them.
func (p *Plan) config(symbol string) *backtest.Config {
	if symbol == "" {
		return p.Config
	}
	c := *p.Config
	c.Universe.Symbols = []string{symbol}
	return &c
}

// play evaluates combinations on a symbol by the path of the plan, and those that it cannot do by slower
// ones.
func (w *worker) play(ctx context.Context, symbol string, combinations [][]float64, out *block) error {
	out.reset(len(combinations), len(w.plan.Metrics))
	w.todo = w.todo[:0]
	for k := range combinations {
		out.path[k], out.reason[k] = w.plan.Path, ""
		w.todo = append(w.todo, k)
	}
	if w.plan.Path == Sorted {
		if err := w.playSorted(ctx, symbol, combinations, out); err != nil {
			return err
		}
	}
	if w.plan.Path < Event && len(w.todo) > 0 {
		if err := w.playLane(ctx, symbol, combinations, out); err != nil {
			return err
		}
	}
	return w.shareOut(ctx, symbol, combinations, out)
}

// group is combinations that need the same history, by their places in the piece of work.
type group struct {
	warmup int
	places []int
	rules  []*strategy.Rules
}

// compiled is what the combinations of a piece of work are for every symbol, made by whoever comes first.
type compiled struct {
	once   sync.Once
	groups []group
	err    error

	pairs   sync.Once // on the sorted path
	columns *columns
	wrong   error
}

// compared is what combinations compare with what, see Plan.columns.
func (c *compiled) compared(p *Plan, combinations [][]float64) (*columns, error) {
	if c == nil {
		return p.columns(combinations)
	}
	c.pairs.Do(func() { c.columns, c.wrong = p.columns(combinations) })
	return c.columns, c.wrong
}

// groups are the combinations that are to do, compiled.
func (w *worker) groups(combinations [][]float64) ([]group, error) {
	if w.common == nil || len(w.todo) != len(combinations) {
		return w.plan.compile(combinations, w.todo)
	}
	c := w.common
	c.once.Do(func() { c.groups, c.err = w.plan.compile(combinations, slices.Clone(w.todo)) })
	return c.groups, c.err
}

// compile compiles the combinations at places, in groups of one history each: a result must not depend on
// what its neighbours need, and how much history there is decides where recursive indicators begin. Without
// `from` there is none.
func (p *Plan) compile(combinations [][]float64, places []int) ([]group, error) {
	list := make([][]float64, len(places))
	for i, k := range places {
		list[i] = combinations[k]
	}
	rules, wrong := p.Config.CompileEach(list)
	if len(wrong) > 0 {
		return nil, wrong.Err()
	}
	if p.Config.Data.From == instrument.None {
		return []group{{rules[0].Warmup, places, rules}}, nil
	}
	at := map[int]int{}
	var groups []group
	for i, r := range rules {
		g, ok := at[r.Warmup]
		if !ok {
			g = len(groups)
			at[r.Warmup] = g
			groups = append(groups, group{warmup: r.Warmup})
		}
		groups[g].places = append(groups[g].places, places[i])
	}
	if len(groups) == 1 {
		groups[0].rules = rules
		return groups, nil
	}
	for g := range groups { // a program of their own, so that nothing is evaluated for others
		list = list[:0]
		for _, k := range groups[g].places {
			list = append(list, combinations[k])
		}
		if groups[g].rules, wrong = p.Config.CompileEach(list); len(wrong) > 0 {
			return nil, wrong.Err()
		}
	}
	return groups, nil
}

// playEvent plays what is left in the event engine.
func (w *worker) playEvent(ctx context.Context, symbol string, combinations [][]float64, out *block) error {
	if len(w.todo) == 0 {
		return nil
	}
	p := w.plan
	w.player.Benchmark = p.Config.Benchmark != "" && len(p.Metrics) > len(stats.BasicKeys())
	cfg := p.config(symbol)
	if cfg.Apart() || len(p.rules.Program.Frozen()) > 0 {
		for _, k := range w.todo {
			one := cfg.With(combinations[k])
			rules, faults := one.Compile()
			if err := faults.Err(); err != nil {
				return err
			}
			if err := w.playGroup(ctx, one, group{rules.Warmup, []int{k}, []*strategy.Rules{rules}}, out); err != nil {
				return fmt.Errorf("play %s: %w", p.name(combinations[k]), err)
			}
		}
		return nil
	}
	groups, err := w.groups(combinations)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if err := w.playGroup(ctx, cfg, g, out); err != nil {
			return err
		}
	}
	return nil
}

// playGroup plays combinations of one history.
func (w *worker) playGroup(ctx context.Context, cfg *backtest.Config, g group, out *block) error {
	b, err := backtest.NewBatch(ctx, cfg, g.rules, w.plan.src, &w.arena)
	if err != nil {
		return err
	}
	for i, k := range g.places {
		if err := w.player.Play(ctx, b, i); err != nil {
			return err
		}
		row := out.row(k)
		values := w.player.Basic().Values()
		copy(row, values[:])
		in := w.player.Input()
		if extra := w.plan.Metrics[len(values):]; len(extra) > 0 {
			all := stats.Later(*in)
			for j, key := range extra {
				row[len(values)+j] = math.NaN()
				if v, ok := all.Get(key); ok {
					row[len(values)+j] = v
				}
			}
		}
		out.path[k] = Event
		if w.returns {
			dst := out.place(&Axis{Dates: b.Sessions()}, k, len(out.path))
			clear(dst) // after ruin nothing happens
			stats.Returns(dst, in.Equity)
		}
	}
	return nil
}

// name is a combination in messages.
func (p *Plan) name(params []float64) string {
	s := ""
	for i, n := range p.Space.Names {
		if i > 0 {
			s += " "
		}
		s += fmt.Sprintf("%s=%g", n, params[i])
	}
	return s
}
