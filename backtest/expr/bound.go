package expr

import (
	"backtester/backtest/bar"
	"backtester/backtest/indicator"
)

// Arena holds temporary columns, reused from Bind to Bind. One a worker: it is not safe for concurrent
// use. It grows to the largest need and stays there; the zero value is ready.
type Arena struct {
	numbers [][]float64
	conds   []bitset
	scratch indicator.Scratch
	// Columns of the run, by slot.
	number    [][]float64
	cond      []bitset
	operands  [3]bitset
	dst, srcs [][]float64
}

// Bound is a Program evaluated on one instrument: the columns of its expressions, and of what rules
// that need position variables take from the bars. Safe for concurrent reads. Columns may be those of
// the Series: nobody writes to them.
type Bound struct {
	program *Program
	plan    *plan
	bars    int
	numbers [][]float64 // memory of kept columns
	conds   []bitset
	number  [][]float64 // by root, for numbers
	cond    []bitset    // by root, for conditions
	args    [][]float64 // by input: arguments of cross-sections
	leaf    [][]float64 // by leaf of the rules
	leafBit []bitset
	shares  []*Bound // of BindTogether
}

// Bind evaluates all columns for one instrument. cal may be nil, which means bar.NYSE; a is used
// during the call only.
func (p *Program) Bind(s *bar.Series, b bar.Basis, cal *bar.Calendar, a *Arena) *Bound {
	dst := &Bound{}
	p.BindInto(dst, Binding{Series: s, Basis: b, Calendar: cal}, a)
	return dst
}

// BindInto is Bind that reuses the memory of an earlier Bound, of whatever Program, whose columns
// become invalid. Once dst and a have grown to the need, it allocates nothing.
func (p *Program) BindInto(dst *Bound, in Binding, a *Arena) { p.BindStage(p.Stages(), dst, in, a) }

// BindStage is BindInto for one pass over all symbols, of p.Stages() many: afterwards dst.Argument has
// the columns that cross-sections of this stage compare, and in.Inputs must hold the cross-sections of
// all earlier stages. The pass after the last one is BindInto.
func (p *Program) BindStage(stage int, dst *Bound, in Binding, a *Arena) {
	restate := in.restates()
	pl := p.plan(stage, restate)
	if restate {
		in = in.whole()
	}
	p.evaluate(pl, dst, in, a)
}

// evaluate takes the steps of pl one after another.
func (p *Program) evaluate(pl *plan, dst *Bound, in Binding, a *Arena) {
	n := in.Series.Len()
	dst.program, dst.plan, dst.bars = p, pl, n
	dst.numbers = growNumbers(dst.numbers, pl.keptNumbers, n)
	dst.conds = growConds(dst.conds, pl.keptConds, n)
	a.numbers = growNumbers(a.numbers, pl.tempNumbers, n)
	a.conds = growConds(a.conds, pl.tempConds, n)
	r := run{a, in, n, p.g}
	r.lay(pl, dst)
	for i := range pl.steps {
		r.step(&pl.steps[i])
	}
	dst.collect(a)
	clear(a.number) // do not hold on to the series
	clear(a.cond)
}

// restates reports whether there is anything to restate.
func (in *Binding) restates() bool {
	if moves(in.Basis) {
		return true
	}
	for _, b := range in.Others {
		if moves(b) {
			return true
		}
	}
	return false
}

func moves(b bar.Basis) bool {
	for i, p := range b.Price {
		if p != 1 || b.Share[i] != 1 {
			return true
		}
	}
	return false
}

// whole is in with factors written out where they are 1 everywhere.
func (in Binding) whole() Binding {
	if in.Basis.Price == nil {
		in.Basis = ones(in.Series.Len())
	}
	for k, b := range in.Others {
		if b.Price == nil {
			others := append([]bar.Basis(nil), in.Others...)
			others[k] = ones(in.Series.Len())
			in.Others = others
		}
	}
	return in
}

func ones(n int) bar.Basis {
	x := make([]float64, n)
	fill(x, 1)
	return bar.Basis{Price: x, Share: x}
}

func growNumbers(cols [][]float64, count, n int) [][]float64 {
	for len(cols) < count {
		cols = append(cols, nil)
	}
	for i := range count {
		if cap(cols[i]) < n {
			cols[i] = make([]float64, n)
		}
		cols[i] = cols[i][:n]
	}
	return cols
}

func growConds(cols []bitset, count, n int) []bitset {
	w := words64(n)
	for len(cols) < count {
		cols = append(cols, bitset{})
	}
	for i := range count {
		if cap(cols[i].yes) < w {
			cols[i] = bitset{make([]uint64, w), make([]uint64, w)}
		}
		cols[i].yes, cols[i].gone = cols[i].yes[:w], cols[i].gone[:w]
	}
	return cols
}

// run is one evaluation.
type run struct {
	a *Arena
	Binding
	bars int
	g    *graph
}

// lay points every slot of pl at its memory.
func (r *run) lay(pl *plan, dst *Bound) {
	s := r.Series
	columns := [...][]float64{s.Open, s.High, s.Low, s.Close, s.Volume}
	r.a.number, r.a.cond = r.a.number[:0], r.a.cond[:0]
	for _, p := range pl.numbers {
		switch p.store {
		case raw:
			r.a.number = append(r.a.number, columns[p.n][:r.bars])
		case temp:
			r.a.number = append(r.a.number, r.a.numbers[p.n])
		case input:
			r.a.number = append(r.a.number, r.Inputs[p.n][:r.bars])
		default:
			r.a.number = append(r.a.number, dst.numbers[p.n])
		}
	}
	for _, p := range pl.conds {
		if p.store == temp {
			r.a.cond = append(r.a.cond, r.a.conds[p.n])
		} else {
			r.a.cond = append(r.a.cond, dst.conds[p.n])
		}
	}
}

// numbers is the column of a slot, nil for none.
func (r *run) numbers(s slot) []float64 {
	if s == none {
		return nil
	}
	return r.a.number[s]
}

// step computes one step.
func (r *run) step(s *step) {
	switch {
	case s.op == opIndicator:
		r.indicator(s)
	case s.cond:
		r.condition(s, r.a.cond[s.out[0]])
	default:
		r.number(s, r.a.number[s.out[0]])
	}
}

func (r *run) number(s *step, dst []float64) {
	switch s.op {
	case opConst:
		fill(dst, s.num)
	case opTime:
		newClockReader(r.Series, r.Calendar).numbers(dst, clock(s.n))
	case opScale:
		scale(dst, r.numbers(s.in[0]), r.Basis, s.unit.Unit)
		for _, p := range r.g.powers(s.unit) {
			scale(dst, dst, r.Others[p.other], p.Unit)
		}
	case opUnscale:
		unscale(dst, r.numbers(s.in[0]), r.Basis, s.unit.Unit)
		for _, p := range r.g.powers(s.unit) {
			unscale(dst, dst, r.Others[p.other], p.Unit)
		}
	case opShift:
		shift(dst, r.numbers(s.in[0]), s.n)
	case opIf:
		choose(dst, r.a.cond[s.in[0]], r.numbers(s.in[1]), r.numbers(s.in[2]))
	case opCount:
		count(dst, r.a.cond[s.in[0]], s.n)
	case opSince:
		since(dst, r.a.cond[s.in[0]], nil, s.n)
	case opValueWhen:
		since(dst, r.a.cond[s.in[0]], r.numbers(s.in[1]), s.n)
	default:
		if len(s.in) == 1 {
			unary(s.op, dst, r.numbers(s.in[0]))
		} else {
			pairwise(s.op, dst, pair{r.numbers(s.in[0]), r.numbers(s.in[1]), s.num})
		}
	}
}

func (r *run) condition(s *step, dst bitset) {
	switch s.op {
	case opConst:
		fillBits(dst, r.bars, s.num)
	case opTime:
		newClockReader(r.Series, r.Calendar).conditions(dst, r.bars, clock(s.n))
	case opIs:
		fillBits(dst, r.bars, r.is(Category(s.n), s.text))
	case opTruth:
		compare(opGT, dst, r.bars, pair{r.numbers(s.in[0]), nil, 0.5})
	case opGT, opEQ:
		compare(s.op, dst, r.bars, pair{r.numbers(s.in[0]), r.numbers(s.in[1]), s.num})
	case opIsAbsent:
		absentBits(dst, r.numbers(s.in[0]))
	case opShiftBool:
		shiftBits(dst, r.a.cond[s.in[0]], r.bars, s.n)
	case opEvery, opAny:
		throughout(dst, r.a.cond[s.in[0]], r.bars, s)
	default:
		in := r.a.operands[:0]
		for _, k := range s.in {
			in = append(in, r.a.cond[k])
		}
		logic(s.op, dst, r.bars, in)
	}
}

func (r *run) indicator(s *step) {
	a := r.a
	a.dst, a.srcs = a.dst[:0], a.srcs[:0]
	for _, o := range s.out {
		a.dst = append(a.dst, r.numbers(o))
	}
	for _, i := range s.in {
		a.srcs = append(a.srcs, a.number[i])
	}
	s.call.spec.Eval(&a.scratch, a.dst, a.srcs, s.call.params)
	clear(a.dst)
	clear(a.srcs)
}

// collect takes the columns that were asked for out of the run.
func (b *Bound) collect(a *Arena) {
	p := b.program
	b.number, b.cond = b.number[:0], b.cond[:0]
	for i, s := range b.plan.roots {
		var x []float64
		var c bitset
		if s != none {
			if p.g.at(p.roots[i].term).kind == Bool {
				c = a.cond[s]
			} else {
				x = a.number[s]
			}
		}
		b.number, b.cond = append(b.number, x), append(b.cond, c)
	}
	b.args = b.args[:0]
	for _, s := range b.plan.args {
		var x []float64
		if s != none {
			x = a.number[s]
		}
		b.args = append(b.args, x)
	}
	b.leaf, b.leafBit = b.leaf[:0], b.leafBit[:0]
	for i, s := range b.plan.leaves {
		var x []float64
		var c bitset
		if p.g.at(p.leaves[i]).kind == Bool {
			c = a.cond[s]
		} else {
			x = a.number[s]
		}
		b.leaf, b.leafBit = append(b.leaf, x), append(b.leafBit, c)
	}
}

// Len is the number of bars.
func (b *Bound) Len() int { return b.bars }

// Argument is what input k, a cross-section, compares: a value at each bar, as traded, NaN where absent.
// Only after a BindStage of that input's stage. Not to be written.
func (b *Bound) Argument(k int) []float64 { return b.args[k] }

// Column is the value of r at each bar, NaN where absent; prices as traded, in the share basis of
// their own bar. Conditions come as 1 and 0, into a new slice. r must be static. Not to be written.
func (b *Bound) Column(r Ref) []float64 {
	b.program.mustBeStatic(r)
	if b.program.Kind(r) == Number {
		return b.number[r-1]
	}
	out := make([]float64, b.bars)
	for i := range out {
		out[i] = b.cond[r-1].at(i)
	}
	return out
}

// True is the bitset of bars on which the condition r is true: bar i is bit i%64 of word i/64, bits
// beyond the last bar are 0. r must be static. Not to be written.
func (b *Bound) True(r Ref) []uint64 {
	b.program.mustBeStatic(r)
	return b.cond[r-1].yes
}

// Absent is the bitset of bars on which the condition r is absent; see True.
func (b *Bound) Absent(r Ref) []uint64 {
	b.program.mustBeStatic(r)
	return b.cond[r-1].gone
}

// At evaluates r at the close of bar i with the position's numbers v; conditions are 1, 0 and NaN.
// split is the number of shares that one share of bar i has become since (product of b/a, 1 without
// splits): prices of the bars are divided by it and share counts multiplied, while v is taken as it
// is. v may be nil when r is static. It allocates nothing.
func (b *Bound) At(r Ref, i int, split float64, v *PositionValues) float64 {
	p := b.program
	t := p.g.at(p.roots[r-1].term)
	switch {
	case !t.static:
		return p.rules[p.ruleOf[r-1]].eval(b, i, split, v)
	case t.kind == Bool:
		return b.cond[r-1].at(i)
	case split != 1:
		return restate(b.number[r-1][i], split, t.unit.Unit)
	}
	return b.number[r-1][i]
}

// restate is x after one share became split shares.
func restate(x, split float64, u Unit) float64 {
	switch u {
	case Unit{}:
		return x
	case Unit{1, 0}:
		return x / split
	case Unit{0, 1}:
		return x * split
	}
	return x / factor(split, split, u)
}
