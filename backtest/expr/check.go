package expr

import (
	"fmt"
	"math"
	"strconv"

	"backtester/backtest/indicator"
)

// maxWindow is the longest look back by x[n] and the functions of past conditions, in bars.
const maxWindow = 100_000

// checker turns the syntax tree of one text into terms of the graph. A method that returns the zero
// term has reported why, or met a part that was reported before.
type checker struct {
	c     *Compiler
	text  string
	pos   Pos
	allow Vars
	// signal is the name of the signal being checked, "" in rules.
	signal string
	within string             // "sym" or "tf" when on other bars
	env    map[string]closure // the arguments of the function whose body this is
	calls  []*definition      // being put in, outermost first
	work   *int               // meanings looked up for this text so far
	faults int                // reported of this text
}

func (k *checker) fault(t *tree, code, message, hint string) termID {
	return k.report(fault{t.off, t.end, code, message, hint})
}

func (k *checker) report(f fault) termID {
	k.faults++
	k.c.report(f.at(k.text, k.pos))
	return 0
}

func (k *checker) note(t *tree, code, message, hint string) {
	k.c.note(fault{t.off, t.end, code, message, hint}.at(k.text, k.pos))
}

// source is how t was written, shortened for a message.
func (k *checker) source(t *tree) string { return clip(k.text[t.off:t.end]) }

// term is the meaning of t.
func (k *checker) term(t *tree) termID {
	id := k.meaning(t)
	if id == 0 {
		return 0
	}
	if n := k.c.g.at(id).size; n > maxTerms {
		return k.fault(t, "too_large", fmt.Sprintf("with all signals put in, this has %d operations, at most %d are possible", n, maxTerms), "")
	}
	return id
}

func (k *checker) meaning(t *tree) termID {
	if k.faults >= maxFaults {
		return 0
	}
	if *k.work++; *k.work > maxWork {
		k.faults = maxFaults
		return k.report(fault{t.off, t.end, "too_large", fmt.Sprintf("with all functions put in, this has %d operations and more, at most %d are possible", *k.work, maxWork), ""})
	}
	switch t.shape {
	case shapeNumber:
		return k.c.g.number(t.num)
	case shapeString:
		hint := ""
		if _, err := strconv.ParseFloat(t.text, 64); err == nil || wordIndex[t.text] != nil {
			hint = "write it without quotation marks: " + t.text
		} else if isTicker(t.text) {
			hint = fmt.Sprintf("a symbol's prices are sym(%s).close", quote(t.text))
		}
		return k.fault(t, "text", "text in quotation marks has no meaning here", hint)
	case shapeName:
		return k.name(t)
	case shapeUnary:
		if t.text == "not" {
			if x := k.want(t.args[0], Bool, subject{name: "not"}); x != 0 {
				return k.c.g.apply(opNot, x)
			}
			return 0
		}
		if x := k.want(t.args[0], Number, subject{name: "-"}); x != 0 {
			return k.c.g.apply(opNeg, x)
		}
		return 0
	case shapeBinary:
		return k.binary(t)
	case shapeIndex:
		return k.shift(t)
	case shapeMember:
		return k.member(t)
	case shapeCall:
		return k.call(t)
	}
	k.each(t.args)
	return 0
}

// subject is who needs an operand or argument, for messages. It is put into words only when there is
// something to say.
type subject struct {
	name string          // of an operator or function
	arg  int             // which argument of it, from 1; 0 when it has only one
	spec *indicator.Spec // name is an argument of this indicator
}

func (s subject) String() string {
	switch {
	case s.spec != nil:
		return s.name + " of " + signature(s.spec)
	case s.arg > 0:
		return fmt.Sprintf("argument %d of %s", s.arg, s.name)
	}
	return s.name
}

// want is the meaning of t, which must be of the given kind because it is an operand or argument of
// what who names.
func (k *checker) want(t *tree, kind Kind, who subject) termID {
	id := k.term(t)
	if id == 0 {
		return 0
	}
	if got := k.c.g.at(id).kind; got != kind {
		hint := ""
		if kind == Bool {
			hint = "compare it with something, such as " + k.source(t) + " > 0"
		}
		return k.fault(t, "wrong_kind", fmt.Sprintf("%s needs a %s, but %s is a %s", who, kind, k.source(t), got), hint)
	}
	return id
}

var binaryOps = map[string]op{
	"+": opAdd, "-": opSub, "*": opMul, "/": opDiv, ">": opGT, ">=": opGE, "<": opLT, "<=": opLE, "==": opEQ, "!=": opNE, "and": opAnd, "or": opOr,
}

func (k *checker) binary(t *tree) termID {
	o, kind := binaryOps[t.text], Number
	if o == opAnd || o == opOr {
		kind = Bool
	}
	if o == opEQ || o == opNE {
		if id, ok := k.compareCategory(t, o); ok {
			return id
		}
		if id := k.term(t.args[0]); id != 0 && k.c.g.at(id).kind == Bool {
			k.term(t.args[1])
			return k.fault(t.args[0], "wrong_kind", fmt.Sprintf("%s needs a number, but %s is a condition", t.text, k.source(t.args[0])), "a condition stands by itself, or after not")
		}
	}
	who := subject{name: t.text}
	a, b := k.want(t.args[0], kind, who), k.want(t.args[1], kind, who)
	if a == 0 || b == 0 {
		return 0
	}
	return k.combine(t, o, a, b)
}

// combine is o on two operands, with a remark when their units do not fit.
func (k *checker) combine(t *tree, o op, a, b termID) termID {
	g := k.c.g
	switch o {
	case opMul, opDiv, opAnd, opOr, opPow:
	default:
		if _, _, odd := g.unify(a, b); odd {
			k.note(t, "units", fmt.Sprintf("%s puts %s and %s together", k.source(t), unitWord(g.at(a).unit), unitWord(g.at(b).unit)), "they change differently at splits")
		}
	}
	return g.apply(o, a, b)
}

// unitWord names a unit for messages.
func unitWord(d dims) string {
	if d.far != 0 {
		return "what follows the price of another symbol"
	}
	u := d.Unit
	switch u {
	case Unit{}:
		return "a plain number"
	case Unit{1, 0}:
		return "a price"
	case Unit{0, 1}:
		return "a number of shares"
	case Unit{1, 1}:
		return "an amount of money"
	}
	return fmt.Sprintf("price^%d x shares^%d", u.Price, u.Share)
}

// name is a bare name: a word of the language, an indicator without required arguments, a parameter
// or a signal.
func (k *checker) name(t *tree) termID {
	if a, ok := k.env[t.text]; ok {
		return k.argument(a)
	}
	if w, ok := wordIndex[t.text]; ok {
		if w.args != "" {
			return k.fault(t, "needs_call", t.text+" is a function", "write "+w.Signature)
		}
		return k.word(t, w)
	}
	if v, ok := k.c.params[t.text]; ok {
		k.use(t.text)
		return k.c.g.number(v)
	}
	if s, ok := k.c.signals[t.text]; ok {
		return k.signalTerm(t, s)
	}
	if d, ok := k.c.functions[t.text]; ok {
		return k.fault(t, "needs_call", t.text+" is a function", "write "+d.signature())
	}
	if k.c.series[t.text] {
		k.use(t.text)
		return k.c.g.add(term{op: opGiven, kind: Number, n: k.c.g.giveOnce(given{kind: SeriesInput, name: t.text})})
	}
	if spec, ok := k.c.spec(t.text); ok {
		for _, p := range spec.Params {
			if p.Required {
				return k.fault(t, "needs_call", t.text+" is an indicator that needs arguments", "write "+signature(spec)+example(spec))
			}
		}
		if len(spec.Series) > 0 {
			return k.fault(t, "needs_call", t.text+" is an indicator that needs arguments", "write "+signature(spec))
		}
		return k.indicator(&tree{shape: shapeCall, text: t.text, off: t.off, end: t.end, at: t.off}, spec, "")
	}
	return k.fault(t, "unknown_name", "unknown name "+clip(t.text), suggest(t.text, k.c.names))
}

// word is a name of the language without parentheses.
func (k *checker) word(t *tree, w *word) termID {
	g := k.c.g
	switch w.op {
	case opConst:
		if w.kind == Bool {
			return g.condition(w.num)
		}
		return g.number(w.num)
	case opColumn:
		return g.column(w.n)
	case opTime:
		return g.add(term{op: opTime, kind: w.kind, n: w.n})
	case opIs:
		return k.fault(t, "wrong_kind", t.text+" is a word, not a number", "compare it with text, such as "+t.text+` == "CS"`)
	case opPosition:
		if !k.position(t, t.text) {
			return 0
		}
		u := Unit{}
		switch PositionVar(w.n) {
		case EntryPrice, HighSince, LowSince:
			u.Price = 1
		}
		return g.add(term{op: opPosition, kind: Number, n: w.n, unit: own(u)})
	}
	o, h, l, c := g.column(0), g.column(1), g.column(2), g.column(3)
	hl := g.apply(opAdd, h, l)
	switch w.Name {
	case "dollar_volume":
		return g.raw(c, g.column(4))
	case "hl2":
		return g.apply(opDiv, hl, g.number(2))
	case "hlc3", "typical":
		return g.apply(opDiv, g.apply(opAdd, hl, c), g.number(3))
	case "ohlc4":
		return g.apply(opDiv, g.apply(opAdd, g.apply(opAdd, g.apply(opAdd, o, h), l), c), g.number(4))
	case "gap":
		return g.apply(opSub, g.apply(opDiv, o, g.shift(c, 1)), g.number(1))
	}
	panic("BUG: the word " + w.Name + " has no meaning")
}

// position reports whether position variables may stand here, and says why not.
func (k *checker) position(t *tree, name string) bool {
	if k.allow == PositionVars {
		return true
	}
	where, hint := "before there is a position", "it can be used in exit rules"
	switch {
	case k.within != "":
		where, hint = "inside of "+k.within+"()", "write it outside of the parentheses"
	case k.signal != "":
		where, hint = "in a named signal", "write it directly into the exit rule"
	}
	k.fault(t, "no_position", fmt.Sprintf("%s has no value %s", name, where), hint)
	return false
}

// shift is x[n].
func (k *checker) shift(t *tree) termID {
	x, n := k.term(t.args[0]), k.constant(t.args[1], subject{name: "the number in " + k.source(t)})
	if x == 0 || n != n {
		return 0
	}
	switch {
	case n < 0:
		return k.fault(t.args[1], "future", fmt.Sprintf("%s looks into the future", k.source(t)), fmt.Sprintf("the past has positive numbers: %s[%s]", k.source(t.args[0]), plain(-n)))
	case n != math.Trunc(n):
		return k.fault(t.args[1], "out_of_range", fmt.Sprintf("the number in %s must be a whole number of bars, not %s", k.source(t), plain(n)), "")
	case n > maxWindow:
		return k.fault(t.args[1], "out_of_range", fmt.Sprintf("the number in %s is %s; the limit is %d bars", k.source(t), plain(n), maxWindow), "")
	}
	if !k.past(t, x, "[n]") {
		return 0
	}
	return k.c.g.shift(x, int(n))
}

// past reports whether the earlier values of x are known, and says why not.
func (k *checker) past(t *tree, x termID, who string) bool {
	if k.c.g.at(x).static {
		return true
	}
	k.fault(t, "position_past", fmt.Sprintf("%s cannot look back on a position variable", who), "apply it to prices and compare the result with the position variable")
	return false
}

// shift is the value x had n bars ago.
func (g *graph) shift(x termID, n int) termID {
	t := g.at(x)
	if n == 0 {
		return x
	}
	o := opShift
	if t.kind == Bool {
		o = opShiftBool
	}
	return g.add(term{op: o, kind: t.kind, unit: t.unit, n: n, args: []termID{x}})
}

// constant is the value of t, which must not change from bar to bar; NaN when that was refused.
func (k *checker) constant(t *tree, what subject) float64 {
	id := k.want(t, Number, what)
	if id == 0 {
		return math.NaN()
	}
	v, ok := k.c.g.isConst(id)
	switch {
	case !ok:
		k.fault(t, "not_constant", fmt.Sprintf("%s must be a number or a parameter, but %s changes from bar to bar", what, k.source(t)), "")
		return math.NaN()
	case v != v:
		k.fault(t, "out_of_range", fmt.Sprintf("%s must be a number, but %s is absent", what, k.source(t)), "")
	}
	return v
}

// member is x.name: an output of an indicator, or of things not built yet.
func (k *checker) member(t *tree) termID {
	x := t.args[0]
	if isElsewhere(x) {
		return k.ledMember(x, t, &tree{shape: shapeName, text: t.text, off: t.at, end: t.end, at: t.at})
	}
	if x.shape == shapeCall && x.on && isElsewhere(x.args[0]) { // sym("SPY").macd(close, 12, 26, 9).hist
		part := *t
		part.args = []*tree{unled(x)}
		return k.ledMember(x.args[0], t, &part)
	}
	if x.shape == shapeCall && !x.on {
		if spec, ok := k.c.spec(x.text); ok {
			return k.indicatorOutput(t, x, spec)
		}
	}
	if x.shape == shapeName {
		if spec, ok := k.c.spec(x.text); ok && len(spec.Series) == 0 {
			return k.indicatorOutput(t, &tree{shape: shapeCall, text: x.text, off: x.off, end: x.end, at: x.off}, spec)
		}
	}
	if k.term(x) == 0 {
		return 0
	}
	return k.fault(t, "no_member", fmt.Sprintf("%s has no parts, so .%s has no meaning", k.source(x), clip(t.text)), "")
}

// plain prints a number as a person writes it.
func plain(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
