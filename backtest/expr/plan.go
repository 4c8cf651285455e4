package expr

import "encoding/binary"

// plan is the graph laid out as steps on columns, for one way of keeping prices: as they are, or
// restated between a constant and the traded basis.
type plan struct {
	steps   []step
	numbers []place // of each column of numbers, by slot
	conds   []place // of each column of conditions, by slot
	roots   []slot  // by root: where its column is; none when it is not static
	leaves  []slot  // by leaf of the rules
	args    []slot  // by input: where the argument of a cross-section is; none for all others
	// how many buffers of each sort a run needs
	tempNumbers, tempConds, keptNumbers, keptConds int
}

// slot is an index into plan.numbers or plan.conds, by the kind of what it holds.
type slot int32

const none slot = -1

// step computes columns from columns. in and out are slots; which table they belong to follows from
// op. An operand none is the constant num, a result none is not wanted.
type step struct {
	op   op
	in   []slot
	out  []slot
	num  float64
	n    int
	text string
	unit dims
	call *call
	cond bool // the result is a condition
}

// place says where a column lives.
type place struct {
	store store
	n     int
}

type store uint8

const (
	raw   store = iota // a column of the bars, n is its index
	temp               // buffer n of the arena
	kept               // buffer n of the Bound
	input              // a column that came with the Binding, n is the input
)

// basis in which a column is wanted. Without a unit, or without anything to restate, there is only
// one.
type basis uint8

const (
	tradedBasis   basis = iota // each bar in its own shares, as it traded
	constantBasis              // all bars in one, so that they compare
)

// layout builds a plan.
type layout struct {
	g       *graph
	inputOf map[int]int // by given
	restate bool
	plan    *plan
	numbers map[numberKey]slot
	conds   map[termID]slot
	bits    map[bitsKey]slot
	calls   map[string][]slot // outputs of an indicator call, by call and arguments
}

type numberKey struct {
	term  termID
	basis basis
}

// bitsKey is a step of a comparison: several comparisons of the same columns have steps in common.
type bitsKey struct {
	op   op
	a, b slot
	num  float64
	n    int
}

func newLayout(p *Program, restate bool) *layout {
	return &layout{g: p.g, inputOf: p.inputOf, restate: restate, plan: &plan{}, numbers: map[numberKey]slot{}, conds: map[termID]slot{}, bits: map[bitsKey]slot{}, calls: map[string][]slot{}}
}

// keep marks the column of id, as traded, to outlive the run, and is its slot.
func (l *layout) keep(id termID) slot {
	if l.g.at(id).kind == Bool {
		s := l.cond(id)
		if p := &l.plan.conds[s]; p.store == temp {
			*p = place{kept, l.plan.keptConds}
			l.plan.keptConds++
		}
		return s
	}
	s := l.number(id, tradedBasis)
	if p := &l.plan.numbers[s]; p.store == temp {
		*p = place{kept, l.plan.keptNumbers}
		l.plan.keptNumbers++
	}
	return s
}

func (l *layout) newNumber(p place) slot {
	l.plan.numbers = append(l.plan.numbers, p)
	return slot(len(l.plan.numbers) - 1)
}

func (l *layout) newCond() slot {
	l.plan.conds = append(l.plan.conds, place{temp, 0})
	return slot(len(l.plan.conds) - 1)
}

// number is the slot of id's column in basis b, computed if it is not there yet.
func (l *layout) number(id termID, b basis) slot {
	t := l.g.at(id)
	if !l.restate || t.unit == (dims{}) {
		b = tradedBasis
	}
	key := numberKey{id, b}
	if s, ok := l.numbers[key]; ok {
		return s
	}
	var s slot
	if own := l.own(t); own != b {
		from := l.number(id, own)
		s = l.newNumber(place{temp, 0})
		o := opScale
		if own == constantBasis {
			o = opUnscale
		}
		l.emit(step{op: o, in: []slot{from}, out: []slot{s}, unit: t.unit})
	} else {
		s = l.compute(id, t)
	}
	l.numbers[key] = s
	return s
}

// own is the basis in which t is computed.
func (l *layout) own(t *term) basis {
	if l.restate && t.constant {
		return constantBasis
	}
	return tradedBasis
}

// meeting is the basis in which the operands of t are taken.
func (l *layout) meeting(t *term) basis {
	if t.mixed || !l.g.meetsRestated(t) {
		return tradedBasis
	}
	return constantBasis
}

func (l *layout) emit(s step) { l.plan.steps = append(l.plan.steps, s) }

// compute lays out t in its own basis.
func (l *layout) compute(id termID, t *term) slot {
	switch t.op {
	case opColumn:
		return l.newNumber(place{raw, t.n})
	case opGiven:
		return l.newNumber(place{input, l.inputOf[t.n]})
	case opIndicator:
		return l.indicator(t)
	}
	s := step{op: t.op, num: t.num, n: t.n}
	switch t.op {
	case opConst, opTime:
	case opShift:
		s.in = []slot{l.number(t.args[0], constantBasis)}
	case opCount, opSince:
		s.in = []slot{l.cond(t.args[0])}
	case opValueWhen:
		s.in = []slot{l.cond(t.args[0]), l.number(t.args[1], constantBasis)}
	case opIf:
		b := l.meeting(t)
		s.in = []slot{l.cond(t.args[0]), l.number(t.args[1], b), l.number(t.args[2], b)}
	default:
		s.in = l.operands(t.args, l.meeting(t), &s.num)
	}
	s.out = []slot{l.newNumber(place{temp, 0})}
	l.emit(s)
	return s.out[0]
}

// operands are the columns of a pointwise operation. One of two may be a constant, which goes into num.
func (l *layout) operands(args []termID, b basis, num *float64) []slot {
	in := make([]slot, len(args))
	for i, a := range args {
		if v, ok := l.g.isConst(a); ok && len(args) == 2 {
			in[i], *num = none, v
			continue
		}
		in[i] = l.number(a, b)
	}
	return in
}

// indicator lays out a call once for all its outputs.
func (l *layout) indicator(t *term) slot {
	key := l.callKey(t)
	if out, ok := l.calls[key]; ok {
		return out[t.n]
	}
	s := step{op: opIndicator, call: t.call}
	for _, a := range t.args {
		s.in = append(s.in, l.number(a, constantBasis))
	}
	for range t.call.spec.Outputs {
		s.out = append(s.out, l.newNumber(place{temp, 0}))
	}
	l.emit(s)
	l.calls[key] = s.out
	return s.out[t.n]
}

func (l *layout) callKey(t *term) string {
	k := []byte(t.call.spec.Name)
	for _, p := range t.call.params {
		k = binary.LittleEndian.AppendUint64(k, bits(p))
	}
	for _, a := range t.args {
		k = binary.LittleEndian.AppendUint64(k, uint64(a))
	}
	return string(k)
}

// cond is the slot of a condition's column.
func (l *layout) cond(id termID) slot {
	if s, ok := l.conds[id]; ok {
		return s
	}
	t := l.g.at(id)
	if t.op >= opGT && t.op <= opNE {
		l.conds[id] = l.comparison(t)
		return l.conds[id]
	}
	s := step{op: t.op, num: t.num, n: t.n, text: t.text, cond: true}
	switch t.op {
	case opConst, opTime, opIs:
	case opIsAbsent, opTruth:
		s.in = []slot{l.number(t.args[0], tradedBasis)}
	default:
		for _, a := range t.args {
			s.in = append(s.in, l.cond(a))
		}
	}
	s.out = []slot{l.newCond()}
	l.emit(s)
	l.conds[id] = s.out[0]
	return s.out[0]
}

// comparison lays out a comparison of two numbers by > and == alone: a < b is b > a, and a <= b is not a > b. What is
// asked of both numbers so many bars ago was asked of them then: bits are looked up, not columns. A crossing, which
// asks for a > b now and a <= b before, compares its columns once.
func (l *layout) comparison(t *term) slot {
	args, at, back := t.args, l.meeting(t), l.back(t)
	if back > 0 {
		args, at = []termID{l.g.at(args[0]).args[0], l.g.at(args[1]).args[0]}, constantBasis
	}
	k := bitsKey{op: opGT}
	in := l.operands(args, at, &k.num)
	k.a, k.b = in[0], in[1]
	switch t.op {
	case opLT, opGE:
		k.a, k.b = k.b, k.a
	case opEQ, opNE:
		k.op = opEQ
	}
	s := l.condition(k)
	if t.op == opGE || t.op == opLE || t.op == opNE {
		s = l.condition(bitsKey{op: opNot, a: s, b: none})
	}
	if back > 0 {
		s = l.condition(bitsKey{op: opShiftBool, a: s, b: none, n: back})
	}
	return s
}

// back is how many bars back both operands of a comparison are, 0 where they are not, or where it matters at which
// bar they are compared: as traded, or of two constants, which are absent before the first bar.
func (l *layout) back(t *term) int {
	a, b := l.g.at(t.args[0]), l.g.at(t.args[1])
	if a.op != opShift || b.op != opShift || a.n != b.n || l.restate && t.mixed {
		return 0
	}
	if l.g.at(a.args[0]).op == opConst && l.g.at(b.args[0]).op == opConst {
		return 0
	}
	return a.n
}

// condition is the slot of a step of a comparison.
func (l *layout) condition(k bitsKey) slot {
	if s, ok := l.bits[k]; ok {
		return s
	}
	s := step{op: k.op, in: []slot{k.a, k.b}, out: []slot{l.newCond()}, num: k.num, n: k.n, cond: true}
	if k.op == opNot || k.op == opShiftBool {
		s.in = s.in[:1]
	}
	l.emit(s)
	l.bits[k] = s.out[0]
	return s.out[0]
}
