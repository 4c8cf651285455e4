package expr

import (
	"slices"
	"strconv"
	"sync"
)

// Program is a set of compiled expressions. It is immutable and safe for concurrent use.
type Program struct {
	g       *graph
	roots   []root
	frozen  []Frozen
	signals map[string]Ref
	notes   Diagnostics
	unused  []string
	names   []string // of everything in the scope

	inputs    []Input
	inputOf   map[int]int // by given
	crossArgs []termID    // by input, 0 for those that compare nothing
	stages    int         // passes before the last one

	plans  []passPlan // by pass
	rules  []rule     // of the roots that need position variables
	ruleOf []int      // by root
	leaves []termID   // columns that rules take
}

// passPlan lays a pass out when it is first needed: for bars with nothing to restate, and for bars with
// splits or dividends.
type passPlan struct{ plain, restated func() *plan }

func (p *Program) plan(pass int, restate bool) *plan {
	if restate {
		return p.plans[pass].restated()
	}
	return p.plans[pass].plain()
}

// compile lays out the columns and rules of all roots.
func (p *Program) compile() {
	m := ruleMaker{g: p.g, leaf: map[termID]int{}}
	p.ruleOf = make([]int, len(p.roots))
	for i, r := range p.roots {
		if !p.g.at(r.term).static {
			p.ruleOf[i] = len(p.rules)
			p.rules = append(p.rules, m.rule(r.term))
		}
	}
	p.leaves = m.leaves
	for pass := range p.stages {
		p.plans = append(p.plans, passPlan{
			sync.OnceValue(func() *plan { return p.layoutArguments(pass, false) }),
			sync.OnceValue(func() *plan { return p.layoutArguments(pass, true) }),
		})
	}
	p.plans = append(p.plans, passPlan{
		sync.OnceValue(func() *plan { return p.layout(false, 0, 1) }), sync.OnceValue(func() *plan { return p.layout(true, 0, 1) }),
	})
}

// layoutArguments lays out what the cross-sections of one stage compare.
func (p *Program) layoutArguments(stage int, restate bool) *plan {
	l := newLayout(p, restate)
	l.plan.roots = slices.Repeat([]slot{none}, len(p.roots))
	for k, id := range p.crossArgs {
		s := none
		if id != 0 && p.inputs[k].Stage == stage {
			s = l.keep(id)
		}
		l.plan.args = append(l.plan.args, s)
	}
	l.plan.allocate()
	return l.plan
}

// layout lays out the columns of the last pass, or a share of them: neighbouring expressions, each distinct one once.
// What rules take belongs to share 0.
func (p *Program) layout(restate bool, share, of int) *plan {
	l := newLayout(p, restate)
	distinct := p.distinct()
	for _, r := range p.roots {
		s := none
		if at, ok := distinct[r.term]; ok && at*of/len(distinct) == share {
			s = l.keep(r.term)
		}
		l.plan.roots = append(l.plan.roots, s)
	}
	if share == 0 {
		for _, id := range p.leaves {
			l.plan.leaves = append(l.plan.leaves, l.keep(id))
		}
	}
	l.plan.allocate()
	return l.plan
}

// distinct numbers the terms of expressions that have columns, in their order.
func (p *Program) distinct() map[termID]int {
	out := make(map[termID]int, len(p.roots))
	for _, r := range p.roots {
		if _, known := out[r.term]; !known && p.g.at(r.term).static {
			out[r.term] = len(out)
		}
	}
	return out
}

func (p *Program) term(r Ref) *term {
	if r < 1 || int(r) > len(p.roots) {
		panic("BUG: expression " + strconv.Itoa(int(r)) + " is not of this program")
	}
	return p.g.at(p.roots[r-1].term)
}

func (p *Program) mustBeStatic(r Ref) {
	if !p.term(r).static {
		panic("BUG: an expression with position variables has no column; use At")
	}
}

// Warmup is how many bars of its own history an instrument needs before the first decision, for all
// expressions that were added: windows exactly, recursive indicators until the weight of their seed is
// below 1e-8, summed along the graph. Named signals that nothing uses do not count, unless nothing but
// signals was asked for.
func (p *Program) Warmup() int {
	warm, all := 0, 0
	rules := false
	for _, r := range p.roots {
		w := p.g.at(r.term).warm
		all = max(all, w)
		if !r.signal {
			warm, rules = max(warm, w), true
		}
	}
	if !rules {
		return all
	}
	return warm
}

// Begins is how many bars of an instrument come before the first at which every expression that was added has
// a value: windows, indicators and bars back, seeds as they come. With indicators, bars back do not count.
func (p *Program) Begins(indicators bool) int {
	first := make([]int, len(p.g.terms))
	for id := range p.g.terms { // arguments come before what uses them
		t := &p.g.terms[id]
		for _, a := range t.args {
			first[id] = max(first[id], first[a])
		}
		switch t.op {
		case opShift, opShiftBool:
			if !indicators {
				first[id] += t.n
			}
		case opCount, opEvery, opAny:
			first[id] += t.n - 1
		case opIndicator:
			if spec := t.call.spec; spec.First != nil {
				first[id] += spec.First(t.call.params)
			} else {
				first[id] += spec.Warmup(t.call.params)
			}
		}
	}
	begins := 0
	for _, r := range p.roots {
		if !r.signal {
			begins = max(begins, first[r.term])
		}
	}
	return begins
}

// WarmupOf is Warmup for one expression.
func (p *Program) WarmupOf(r Ref) int { return p.term(r).warm }

// Columns are the bar columns that any expression reads, signals included.
func (p *Program) Columns() ColumnSet {
	var s ColumnSet
	for _, r := range p.roots {
		s |= p.g.at(r.term).columns
	}
	return s
}

// Bytes is the memory that evaluating p on an instrument of so many bars takes, in bytes, with that of the columns
// that are only made on the way.
func (p *Program) Bytes(bars int) int64 {
	numbers, conds := 0, 0
	for pass := range p.plans {
		pl := p.plan(pass, false)
		numbers += pl.keptNumbers + pl.tempNumbers
		conds += pl.keptConds + pl.tempConds
	}
	return int64(numbers)*int64(bars)*8 + int64(conds)*int64(words64(bars))*16
}

// NeedsCalendar reports whether any expression asks for times or sessions.
func (p *Program) NeedsCalendar() bool {
	for _, r := range p.roots {
		if p.g.at(r.term).calendar {
			return true
		}
	}
	return false
}

// Static reports whether r needs no position variable, so that Bound has its column. Those that do
// are evaluated by Bound.At.
func (p *Program) Static(r Ref) bool { return p.term(r).static }

// Kind of r.
func (p *Program) Kind(r Ref) Kind { return p.term(r).kind }

// Constant is the value of r when it is the same on all bars, as conditions on parameters are;
// conditions are 1, 0 and NaN.
func (p *Program) Constant(r Ref) (value float64, ok bool) {
	t := p.term(r)
	return t.num, t.op == opConst
}

// Unit of r: how it is restated at splits. Conditions and plain numbers have the zero Unit.
func (p *Program) Unit(r Ref) Unit { return p.term(r).unit.Unit }

// SignalRef finds a named signal. All of them are evaluated, whether used or not.
func (p *Program) SignalRef(name string) (Ref, bool) {
	r, ok := p.signals[name]
	return r, ok
}

// Frozen lists every at_entry, in the order of PositionValues.Frozen. Not to be written.
func (p *Program) Frozen() []Frozen { return p.frozen }

// Notes are remarks about what was compiled, in the order of their places: units that do not fit,
// functions whose last bit may differ between processors, levels that mean nothing. Not to be written.
func (p *Program) Notes() Diagnostics { return p.notes }

// Unused names the parameters and signals that no added expression depends on, in file order. Not to
// be written.
func (p *Program) Unused() []string { return p.unused }

// Knows reports whether name was in the scope: a parameter, signal, function or series.
func (p *Program) Knows(name string) bool { return slices.Contains(p.names, name) }
