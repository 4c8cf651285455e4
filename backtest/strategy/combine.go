package strategy

import (
	"slices"

	"backtester/backtest/expr"
)

// With is f with its parameters fixed at values, given in the order of f.Params: what `--set` makes of
// it when it names every parameter.
func (f *File) With(values []float64) *File {
	c := *f
	c.Params = make([]Param, len(f.Params))
	for i, p := range f.Params {
		c.Params[i] = Param{Name: p.Name, Default: values[i], Values: []float64{values[i]}}
	}
	return &c
}

// Apart reports whether combinations of parameters must be compiled each for itself: a script is told
// its parameters when it is compiled, a universe is chosen by a program of its own, and so are weights and
// the strategies of a portfolio.
func (f *File) Apart() bool {
	return f.Script != "" || f.Universe.Where != "" || f.Universe.By != "" || f.Rebalance != nil || len(f.Strategies) > 0
}

// CompileEach compiles the file for each combination of parameters, given in the order of f.Params. The
// Rules share one Program, in which combinations have in common whatever they can: 4,851 pairs of
// averages are 99 averages. Each has the warm-up that it has alone. The file must have passed Compile,
// and must not be Apart.
func (f *File) CompileEach(combinations [][]float64) ([]*Rules, Diagnostics) {
	c := &compilation{file: f, again: map[textKey]flatText{}}
	scope := c.scope()
	c.Compiler = expr.NewCompiler(scope)
	params := slices.Clone(scope.Params)
	out := make([]*Rules, len(combinations))
	kept := make([]Rules, len(combinations))
	alone := f.Short == nil
	for k, values := range combinations {
		for i := range params {
			params[i].Value = values[i]
		}
		c.Rebind(params)
		c.conditions = nil
		out[k] = &kept[k]
		out[k].Long, out[k].Short = c.side(f.Long, "long", alone), c.side(f.Short, "short", false)
		out[k].Rebalance = c.rebalance()
		out[k].Conditions = c.conditions
	}
	program, wrong := c.Program()
	if wrong = c.placed(wrong); len(wrong) > 0 || program == nil {
		return nil, sortFaults(wrong)
	}
	for _, r := range out {
		r.Program, r.Warmup = program, max(f.history(), r.Rebalance.warmup(program))
		for _, side := range []*SideRules{r.Long, r.Short} {
			r.Warmup = max(r.Warmup, side.warmup(program))
		}
	}
	return out, nil
}

// warmup is how many bars of history the expressions of a side need before the first decision.
func (s *SideRules) warmup(p *expr.Program) int {
	if s == nil {
		return 0
	}
	most := 0
	see := func(r expr.Ref) {
		if r != 0 {
			most = max(most, p.WarmupOf(r))
		}
	}
	see(s.Entry.When)
	see(s.Entry.Price)
	see(s.Entry.Limit)
	see(s.Entry.Rank)
	see(s.Entry.Other.Price)
	see(s.Entry.Other.Limit)
	see(s.Entry.Cancel)
	see(s.Entry.Add)
	for i := range s.Exits {
		see(s.Exits[i].When)
		see(s.Exits[i].Level)
	}
	return most
}

// Scope is what expressions of the file may refer to.
func (f *File) Scope() expr.Scope { return (&compilation{file: f}).scope() }

// Numbers compiles numbers with one combination of parameters after another.
type Numbers struct {
	c      *compilation
	params []expr.Param
}

// Numbers of the file, which must have passed Compile.
func (f *File) Numbers() *Numbers {
	c := &compilation{file: f}
	scope := c.scope()
	c.Compiler = expr.NewCompiler(scope)
	return &Numbers{c, slices.Clone(scope.Params)}
}

// Add compiles text with parameters in the order of f.Params.
func (n *Numbers) Add(text string, values []float64) expr.Ref {
	for i := range n.params {
		n.params[i].Value = values[i]
	}
	n.c.Rebind(n.params)
	return n.c.Compiler.Add(text, expr.Pos{Line: 1, Column: 1}, expr.Number, expr.NoVars)
}

// Program is everything that was added.
func (n *Numbers) Program() (*expr.Program, Diagnostics) {
	p, wrong := n.c.Compiler.Program()
	return p, sortFaults(n.c.placed(wrong))
}
