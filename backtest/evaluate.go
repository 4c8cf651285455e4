package backtest

import (
	"context"
	"math"
	"runtime"
	"slices"
	"sync"

	"backtester/backtest/bar"
	"backtester/backtest/expr"
	"backtester/backtest/parallel"
)

// Expressions are evaluated in passes: the columns of every symbol first, then what compares them at
// each time step (rank, zscore, top ...), then what is made of that, and so on. A pass holds one column
// of 8 bytes a bar for each comparison and symbol, before and after it: 8,000 symbols of 2,520 bars are
// 160 MB each. Without comparisons there is one pass, and nothing is held but what the rules need.

// evaluate binds p to every symbol of the market. member gives the rows at which a symbol takes part
// in comparisons, as a bitset; nil is all of them. Comparisons reach back as far as m.history says, so
// that who was a member then is known too.
func (m *market) evaluate(ctx context.Context, p *expr.Program, member func(i int) []uint64) ([]*expr.Bound, error) {
	if err := m.look.prepare(ctx, p); err != nil {
		return nil, err
	}
	n := len(m.syms)
	bindings, faults := make([]expr.Binding, n), make([]error, n)
	m.each(func(i int, a *expr.Arena) {
		bindings[i], faults[i] = m.look.binding(p, m.syms[i].view(), a)
	})
	if i := slices.IndexFunc(faults, func(err error) bool { return err != nil }); i >= 0 {
		return nil, faults[i]
	}
	bounds := make([]*expr.Bound, n)
	if p.Stages() > 0 {
		c := m.newComparison(member)
		for stage := range p.Stages() {
			m.each(func(i int, a *expr.Arena) {
				bounds[i] = &expr.Bound{}
				p.BindStage(stage, bounds[i], bindings[i], a)
			})
			for k, in := range p.Inputs() {
				if in.Kind == expr.CrossInput && in.Stage == stage {
					c.run(in.Cross, k, bounds, bindings)
				}
			}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
	}
	side := make([]expr.Bound, n) // side by side: an engine goes through those of all symbols in turn
	m.each(func(i int, a *expr.Arena) {
		bounds[i] = &side[i]
		p.BindInto(bounds[i], bindings[i], a)
	})
	return bounds, ctx.Err()
}

// each runs work on every symbol, in parallel.
func (m *market) each(work func(i int, a *expr.Arena)) {
	if m.arena != nil && len(m.syms) == 1 {
		work(0, m.arena)
		return
	}
	parallel.With(runtime.GOMAXPROCS(0), len(m.syms), func() func(int) {
		var arena expr.Arena
		return func(i int) { work(i, &arena) }
	})
}

// lane says at which step of an axis each row of a symbol is.
type lane struct {
	step   []int32 // nil: row r is at step r + offset
	offset int32
	rows   int32
}

func (l lane) at(r int32) int32 {
	if l.step == nil {
		return r + l.offset
	}
	return l.step[r]
}

// before is the number of rows at steps < t.
func (l lane) before(t int32) int32 {
	if l.step == nil {
		return max(0, min(t-l.offset, l.rows))
	}
	i, _ := slices.BinarySearch(l.step, t)
	return int32(i)
}

// comparison compares all symbols at each step of an axis.
type comparison struct {
	m      *market
	lanes  []lane
	steps  int32
	member func(i int) []uint64
}

// newComparison runs over the steps of the market, and over the bars before them as well where a
// window looks back on what was compared.
func (m *market) newComparison(member func(i int) []uint64) *comparison {
	c := &comparison{m: m, lanes: make([]lane, len(m.syms)), steps: int32(len(m.time)), member: member}
	if m.history <= 0 {
		for i := range m.syms {
			s := &m.syms[i]
			c.lanes[i] = lane{s.step, s.offset, int32(s.bars.Len())}
		}
		return c
	}
	var axis []int64
	for i := range m.syms {
		axis = union(axis, m.syms[i].bars.Time)
	}
	c.steps = int32(len(axis))
	m.each(func(i int, _ *expr.Arena) {
		time := m.syms[i].bars.Time
		l := lane{rows: int32(len(time)), step: make([]int32, len(time))}
		t, _ := slices.BinarySearch(axis, time[0])
		for r := range time {
			for axis[t] != time[r] {
				t++
			}
			l.step[r] = int32(t)
		}
		c.lanes[i] = l
	})
	return c
}

// blockSteps is how many steps are compared at a time: rows of a symbol lie side by side in memory,
// so that taking a few dozen at once costs little more than taking one.
const blockSteps = 64

// run compares input k of all symbols. Steps are independent of each other, so that the outcome does
// not depend on how many are worked on at once; symbols are in byte order of their tickers.
func (c *comparison) run(cross *expr.Cross, k int, bounds []*expr.Bound, bindings []expr.Binding) {
	n := len(bounds)
	args, out, members := make([][]float64, n), make([][]float64, n), make([][]uint64, n)
	for i := range bounds {
		args[i] = bounds[i].Argument(k)
		out[i] = make([]float64, len(args[i]))
		bindings[i].Inputs[k] = out[i]
		if c.member != nil {
			members[i] = c.member(i)
		}
	}
	groups, count := c.m.groups(cross)
	blocks := (int(c.steps) + blockSteps - 1) / blockSteps
	parallel.With(runtime.GOMAXPROCS(0), blocks, func() func(int) {
		tile := make([]float64, blockSteps*n)
		var scratch expr.CrossScratch
		return func(b int) {
			from := int32(b) * blockSteps
			to := min(from+blockSteps, c.steps)
			for j := range tile {
				tile[j] = math.NaN()
			}
			for i, l := range c.lanes {
				for r := l.before(from); r < l.before(to); r++ {
					if members[i] == nil || members[i][r>>6]>>(r&63)&1 != 0 {
						tile[int(l.at(r)-from)*n+i] = args[i][r]
					}
				}
			}
			for t := range int(to - from) {
				row := tile[t*n : (t+1)*n]
				cross.Eval(row, row, groups, count, &scratch)
			}
			for i, l := range c.lanes {
				for r := l.before(from); r < l.before(to); r++ {
					out[i][r] = tile[int(l.at(r)-from)*n+i]
				}
			}
		}
	})
	c.blank(out)
}

// blank makes rows before the axis absent: history that nothing looks at.
func (c *comparison) blank(out [][]float64) {
	for i, l := range c.lanes {
		for r := range l.before(0) {
			out[i][r] = math.NaN()
		}
		for r := l.before(c.steps); r < l.rows; r++ {
			out[i][r] = math.NaN()
		}
	}
}

// groups numbers the categories of the symbols in byte order, -1 for those that are unknown.
func (m *market) groups(cross *expr.Cross) (groups []int32, count int) {
	by, ok := cross.By()
	if !ok {
		return nil, 1
	}
	var names []string
	for i := range m.syms {
		if name := m.syms[i].facts[by]; name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	groups = make([]int32, len(m.syms))
	for i := range m.syms {
		groups[i] = -1
		if k, found := slices.BinarySearch(names, m.syms[i].facts[by]); found {
			groups[i] = int32(k)
		}
	}
	return groups, len(names)
}

// view is the symbol's bars as expressions see them.
func (s *symbol) view() *view {
	v := &view{name: s.name, bars: s.bars, basis: s.basis, facts: s.facts}
	v.base = v
	return v
}

// view is bars that expressions can be evaluated on.
type view struct {
	name  string
	bars  *bar.Series
	basis bar.Basis
	facts [expr.NumCategories]string
	base  *view // the bars in the frame of the run that these were made of; itself for those
	once  sync.Once
	ends  []int64 // from when on each bar is readable, ns UTC; made when first asked for
}

// readable is the end of each bar.
func (v *view) readable(cal *bar.Calendar) []int64 {
	v.once.Do(func() { v.ends = bar.Ends(v.bars, cal) }) // several symbols may ask for it at once
	return v.ends
}
