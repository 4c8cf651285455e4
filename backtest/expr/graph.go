package expr

import (
	"encoding/binary"
	"math"

	"backtester/backtest/indicator"
)

// termID is an index into graph.terms; 0 is the bad term.
type termID int32

// term is a node of the causal graph. Its arguments have smaller ids, so the order of ids is an order
// of evaluation. Terms say what is meant, in values as traded; in which basis columns are computed is
// decided by plan.
type term struct {
	op   op
	kind Kind
	unit dims
	args []termID
	num  float64 // opConst; conditions 1, 0, NaN
	n    int     // bars, or an index: see op
	text string  // opIs
	call *call   // opIndicator

	// mixed: the operands have different units (a price and a bare number) and meet as traded.
	mixed bool
	// constant: computed on columns restated to one basis, because bars of different bases meet in it.
	constant bool
	static   bool // needs no position variable
	calendar bool
	columns  ColumnSet
	warm     int // bars that must come before
	// outer is how many earlier bars a window over given columns reaches back; -1 without any.
	outer int
	stage int // passes over all symbols that must come before: 0 without cross-sections
	size  int // terms below, counted without sharing
	uses  int
}

// call is one evaluation of an indicator; opIndicator terms with the same call are its outputs.
type call struct {
	spec   *indicator.Spec
	params []float64
}

// graph holds each distinct term once.
type graph struct {
	terms []term
	index map[string]termID
	key   []byte
	calls map[string]*call

	givens     []given
	givenIndex map[string]int
	others     []string // symbols whose prices went into terms
	fars       [][]farPower
	farIndex   map[string]farID
}

func newGraph() *graph {
	return &graph{terms: make([]term, 1, 64), index: map[string]termID{}, calls: map[string]*call{}, givenIndex: map[string]int{}, farIndex: map[string]farID{}}
}

func (g *graph) at(id termID) *term { return &g.terms[id] }

// callOf is the one call of spec with params.
func (g *graph) callOf(spec *indicator.Spec, params []float64) *call {
	key := append([]byte(spec.Name), 0)
	for _, p := range params {
		key = binary.LittleEndian.AppendUint64(key, math.Float64bits(p))
	}
	if c, ok := g.calls[string(key)]; ok {
		return c
	}
	c := &call{spec, params}
	g.calls[string(key)] = c
	return c
}

// add returns the term equal to t, which is new or known. The derived fields are filled in.
func (g *graph) add(t term) termID {
	k := append(g.key[:0], byte(t.op), byte(t.kind), byte(truth(t.mixed)))
	k = binary.LittleEndian.AppendUint64(k, math.Float64bits(t.num))
	k = binary.LittleEndian.AppendUint64(k, uint64(t.n))
	for _, a := range t.args {
		k = binary.LittleEndian.AppendUint32(k, uint32(a))
	}
	if t.call != nil {
		k = append(k, t.call.spec.Name...)
		for _, p := range t.call.params {
			k = binary.LittleEndian.AppendUint64(k, math.Float64bits(p))
		}
	}
	k = append(k, t.text...)
	g.key = k
	if id, ok := g.index[string(k)]; ok {
		return id
	}
	g.derive(&t)
	id := termID(len(g.terms))
	g.terms = append(g.terms, t)
	g.index[string(k)] = id
	return id
}

// derive fills in what follows from the arguments.
func (g *graph) derive(t *term) {
	t.size, t.outer = 1, -1
	t.static = t.op != opPosition && t.op != opFrozen
	t.calendar = t.op == opTime
	if t.op == opColumn {
		t.columns = 1 << t.n
	}
	for _, a := range t.args {
		x := g.at(a)
		x.uses++
		t.static = t.static && x.static
		t.calendar = t.calendar || x.calendar
		t.columns |= x.columns
		t.warm, t.outer, t.stage = max(t.warm, x.warm), max(t.outer, x.outer), max(t.stage, x.stage)
		t.size += x.size
	}
	back := 0
	switch t.op {
	case opShift, opShiftBool:
		back = t.n
	case opCount, opSince, opValueWhen, opEvery, opAny:
		back = t.n - 1
	case opIndicator:
		back = t.call.spec.Warmup(t.call.params)
	case opGiven:
		g.deriveGiven(t)
	}
	t.warm += back
	if t.outer >= 0 {
		t.outer += back
	}
	t.constant = g.natural(t)
}

// natural reports whether t is computed on restated columns: always where bars of several bases can
// meet, and where an operand already is; never where units are mixed, which is done as traded.
func (g *graph) natural(t *term) bool {
	if t.op == opShift || t.op == opIndicator || t.op == opValueWhen {
		return t.unit != (dims{})
	}
	if !t.op.pointwise() || t.mixed || t.unit == (dims{}) {
		return false
	}
	return g.meetsRestated(t)
}

// meetsRestated reports whether an operand of t is natural on restated columns.
func (g *graph) meetsRestated(t *term) bool {
	for _, a := range t.args {
		if g.at(a).constant {
			return true
		}
	}
	return false
}

// number and condition are constants.
func (g *graph) number(v float64) termID {
	if v != v {
		v = math.NaN() // one NaN
	}
	return g.add(term{op: opConst, kind: Number, num: v})
}

func (g *graph) condition(v float64) termID { return g.add(term{op: opConst, kind: Bool, num: v}) }

// column of the bars.
func (g *graph) column(c int) termID {
	u := Unit{Price: 1}
	if 1<<c == VolumeColumn {
		u = Unit{Share: 1}
	}
	return g.add(term{op: opColumn, kind: Number, unit: own(u), n: c})
}

// isConst reports the value of a constant.
func (g *graph) isConst(id termID) (float64, bool) {
	t := g.at(id)
	return t.num, t.op == opConst
}

// neutral reports whether id fits any unit: zero, or absent.
func (g *graph) neutral(id termID) bool {
	v, ok := g.isConst(id)
	return ok && (v == 0 || v != v)
}

// unify is the unit of a sum of a and b, whether they have to meet as traded, and whether they are
// of different kinds altogether (a price and a number of shares).
func (g *graph) unify(a, b termID) (u dims, mixed, odd bool) {
	ua, ub := g.at(a).unit, g.at(b).unit
	switch {
	case ua == ub:
		return ua, false, false
	case g.neutral(a):
		return ub, false, false
	case g.neutral(b):
		return ua, false, false
	case ua == dims{}:
		return ub, true, false
	case ub == dims{}:
		return ua, true, false
	}
	return dims{}, true, true
}

// maxUnit bounds powers; beyond it a product counts as a bare number.
const maxUnit = 16

func bounded(price, share int) (Unit, bool) {
	if max(price, -price, share, -share) > maxUnit {
		return Unit{}, false
	}
	return Unit{int8(price), int8(share)}, true
}

// apply is the pointwise operation o on args, folded when they are constant.
func (g *graph) apply(o op, args ...termID) termID {
	if id, ok := g.fold(o, args); ok {
		return id
	}
	t := term{op: o, kind: o.kind(), args: args}
	switch o {
	case opNeg, opAbs:
		t.unit = g.at(args[0]).unit
	case opSqrt:
		u, ok := g.root(g.at(args[0]).unit)
		t.unit, t.mixed = u, !ok
	case opFloor, opCeil, opRound:
		t.unit = g.at(args[0]).unit
		t.mixed = t.unit != dims{}
	case opLog, opExp, opPow:
		for _, a := range args {
			t.mixed = t.mixed || g.at(a).unit != dims{}
		}
	case opMul, opDiv:
		a, b, s := g.at(args[0]).unit, g.at(args[1]).unit, 1
		if o == opDiv {
			s = -1
		}
		u, ok := g.times(a, b, s)
		t.unit, t.mixed = u, !ok
	case opAdd, opSub, opMin, opMax, opCoalesce:
		t.unit, t.mixed, _ = g.unify(args[0], args[1])
	case opIf:
		t.unit, t.mixed, _ = g.unify(args[1], args[2])
	case opGT, opGE, opLT, opLE, opEQ, opNE:
		_, t.mixed, _ = g.unify(args[0], args[1])
	}
	return g.add(t)
}

// fold is the result on constants, and of logic with one constant operand. Constants are absent,
// true or false like everything else.
func (g *graph) fold(o op, args []termID) (termID, bool) {
	var v [3]float64
	all := true
	for i, a := range args {
		x, ok := g.isConst(a)
		v[i], all = x, all && ok
	}
	if all {
		r := scalar(o, v[0], v[1], v[2])
		if o.kind() == Bool {
			return g.condition(r), true
		}
		return g.number(r), true
	}
	switch o {
	case opAnd, opOr:
		for i, a := range args {
			if x, ok := g.isConst(a); ok && x == x {
				if (x == 1) == (o == opAnd) {
					return args[1-i], true // true and x, false or x
				}
				return a, true // false and x, true or x
			}
		}
	case opNeg:
		if t := g.at(args[0]); t.op == opNeg {
			return t.args[0], true
		}
	case opNot:
		if t := g.at(args[0]); t.op == opNot {
			return t.args[0], true
		}
	}
	return 0, false
}

// raw is the product of a and b as traded, a plain number: dollar_volume.
func (g *graph) raw(a, b termID) termID {
	return g.add(term{op: opMul, kind: Number, args: []termID{a, b}, mixed: true})
}
