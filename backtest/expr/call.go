package expr

import (
	"fmt"
	"math"
	"strings"
)

// call is a function, an indicator, or something not built yet.
func (k *checker) call(t *tree) termID {
	if isElsewhere(t) {
		return k.led(t)
	}
	if t.on {
		return k.method(t)
	}
	if w, ok := wordIndex[t.text]; ok {
		if w.args == "" {
			k.each(t.args)
			return k.faultCall(t, "not_callable", t.text+" is not a function", "write "+w.Signature)
		}
		if w.op == opGiven {
			return k.cross(t, w)
		}
		return k.function(t, w)
	}
	if d, ok := k.c.functions[t.text]; ok {
		return k.expand(t, d)
	}
	if spec, ok := k.c.spec(t.text); ok {
		return k.indicator(t, spec, "")
	}
	k.each(t.args)
	_, isParam := k.c.params[t.text]
	_, isSignal := k.c.signals[t.text]
	if isParam || isSignal {
		return k.faultCall(t, "not_callable", t.text+" is not a function", "write "+t.text+" without parentheses")
	}
	return k.faultCall(t, "unknown_function", "unknown function "+clip(t.text), suggest(t.text, k.c.names))
}

// unled is the call of a method without what it is called on.
func unled(t *tree) *tree {
	c := *t
	c.on, c.args, c.names, c.off = false, t.args[1:], t.names[1:], t.at
	return &c
}

// method is x.name(...), which only other bars have.
func (k *checker) method(t *tree) termID {
	if x := t.args[0]; isElsewhere(x) {
		return k.ledMember(x, t, unled(t))
	}
	k.each(t.args)
	return k.faultCall(t, "not_callable", fmt.Sprintf(".%s is not a function", clip(t.text)), fmt.Sprintf("write %s(%s, ...)", clip(t.text), k.source(t.args[0])))
}

// faultCall reports at the name of a call.
func (k *checker) faultCall(t *tree, code, message, hint string) termID {
	return k.report(fault{t.at, t.at + len(t.text), code, message, hint})
}

// each checks args for their own faults.
func (k *checker) each(args []*tree) {
	for _, a := range args {
		k.term(a)
	}
}

// function is a call of one of the language's own functions.
func (k *checker) function(t *tree, w *word) termID {
	for i, n := range t.names {
		if n != "" {
			k.each(t.args)
			return k.fault(t.args[i], "argument_name", fmt.Sprintf("the arguments of %s have no names", w.Name), "write "+w.Signature)
		}
	}
	kinds, more := strings.CutSuffix(w.args, "+")
	if n := len(t.args); n < len(kinds) || n > len(kinds) && !more {
		k.each(t.args)
		return k.faultCall(t, "wrong_count", fmt.Sprintf("%s takes %s, got %d", w.Name, arity(len(kinds), more), n), "write "+w.Signature)
	}
	args, bars, ok := k.arguments(t, w, kinds)
	if !ok {
		return 0
	}
	return k.applyWord(t, w, args, bars)
}

// arguments checks those of a function. bars is the window, if it has one.
func (k *checker) arguments(t *tree, w *word, kinds string) (args []termID, bars int, ok bool) {
	ok = true
	var either Kind // of the first x argument
	for i, a := range t.args {
		who := subject{name: w.Name}
		if len(t.args) > 1 {
			who.arg = i + 1
		}
		var id termID
		switch kinds[min(i, len(kinds)-1)] {
		case 'n':
			id = k.want(a, Number, who)
		case 'b':
			id = k.want(a, Bool, who)
		case 'x':
			if either == 0 {
				if id = k.term(a); id != 0 {
					either = k.c.g.at(id).kind
				}
			} else {
				id = k.want(a, either, who)
			}
		case 'w':
			n := k.window(a, who)
			bars = n
			ok = ok && n > 0
			continue
		}
		ok = ok && id != 0
		args = append(args, id)
	}
	return args, bars, ok
}

// window is a constant number of bars of at least 1; 0 when that was refused.
func (k *checker) window(t *tree, what subject) int {
	n := k.constant(t, what)
	switch {
	case n != n:
		return 0
	case n < 1 || n > maxWindow || n != math.Trunc(n):
		k.fault(t, "out_of_range", fmt.Sprintf("%s must be a whole number of bars between 1 and %d, not %s", what, maxWindow, plain(n)), "")
		return 0
	}
	return int(n)
}

// applyWord is the meaning of a function on checked arguments.
func (k *checker) applyWord(t *tree, w *word, args []termID, bars int) termID {
	g := k.c.g
	switch w.op {
	case opMin, opMax, opCoalesce:
		k.notWindow(t, w, args)
		x := args[0]
		for _, a := range args[1:] {
			x = k.combine(t, w.op, x, a)
		}
		return x
	case opPow:
		return k.pow(t, args[0], args[1])
	case opIf:
		if g.at(args[1]).kind == Bool {
			return g.apply(opIfBool, args...)
		}
		if _, _, odd := g.unify(args[1], args[2]); odd {
			k.note(t, "units", k.source(t)+" gives values of different units", "they change differently at splits")
		}
		return g.apply(opIf, args...)
	case opIsAbsent:
		if g.at(args[0]).kind == Bool {
			return g.apply(opIsAbsentBool, args[0])
		}
		return g.apply(opIsAbsent, args[0])
	case opLog, opExp:
		k.approximate(t, w.Name)
		if g.at(args[0]).unit != (dims{}) {
			k.note(t, "units", fmt.Sprintf("%s takes %s as traded, so it jumps at splits", w.Name, unitWord(g.at(args[0]).unit)), "take it of a ratio, such as log(close / close[1])")
		}
	case opCount, opSince, opValueWhen, opEvery, opAny:
		return k.overPast(t, w, args, bars)
	case opFrozen:
		return k.atEntry(t, args[0])
	case opBad:
		return k.macro(t, w, args, bars)
	}
	return g.apply(w.op, args...)
}

// notWindow remarks on max(close, 20), which elsewhere is the greatest of the last 20.
func (k *checker) notWindow(t *tree, w *word, args []termID) {
	over := map[op]string{opMax: "highest", opMin: "lowest"}[w.op]
	if over == "" || len(args) != 2 || k.c.g.at(args[0]).unit == (dims{}) || !k.c.g.at(args[0]).static {
		return
	}
	if n, ok := k.c.g.isConst(args[1]); ok && n >= 2 && n == math.Trunc(n) && n <= maxWindow {
		k.note(t, "not_a_window", fmt.Sprintf("%s compares %s with the number %s", k.source(t), unitWord(k.c.g.at(args[0]).unit), plain(n)),
			fmt.Sprintf("the %s of the last %s bars is %s(%s, %s)", over, plain(n), over, k.source(t.args[0]), plain(n)))
	}
}

func (k *checker) approximate(t *tree, name string) {
	k.note(t, "last_bit", fmt.Sprintf("%s may differ in the last bit between processors", name), "")
}

// overPast is a function over the last bars of a condition.
func (k *checker) overPast(t *tree, w *word, args []termID, bars int) termID {
	g := k.c.g
	for i, a := range args {
		if !k.past(t.args[i], a, w.Name) {
			return 0
		}
	}
	u := dims{}
	if w.op == opValueWhen {
		u = g.at(args[1]).unit
	}
	return g.add(term{op: w.op, kind: w.op.kind(), unit: u, n: bars, args: args})
}

// pow is exact for small whole exponents, and keeps units then.
func (k *checker) pow(t *tree, x, y termID) termID {
	g := k.c.g
	n, ok := g.isConst(y)
	if !ok || n != math.Trunc(n) || math.Abs(n) > 8 {
		k.approximate(t, "pow")
		return g.apply(opPow, x, y)
	}
	p := g.number(1)
	for i := range int(math.Abs(n)) {
		if i == 0 {
			p = x
			continue
		}
		p = g.apply(opMul, p, x)
	}
	if n < 0 {
		return g.apply(opDiv, g.number(1), p)
	}
	return p
}

// macro is a function that is short for other terms.
func (k *checker) macro(t *tree, w *word, args []termID, bars int) termID {
	g := k.c.g
	if w.Name == "between" {
		return g.apply(opAnd, k.combine(t, opGE, args[0], args[1]), k.combine(t, opLE, args[0], args[2]))
	}
	for i, a := range args {
		if !k.past(t.args[i], a, w.Name) {
			return 0
		}
	}
	x := args[0]
	cross := func(now, before op) termID { return k.crossing(t, x, args[1], now, before) }
	switch w.Name {
	case "crosses_above":
		return cross(opGT, opLE)
	case "crosses_below":
		return cross(opLT, opGE)
	case "crosses":
		return g.apply(opOr, cross(opGT, opLE), cross(opLT, opGE))
	case "rises":
		return g.apply(opGT, x, g.shift(x, bars))
	case "falls":
		return g.apply(opLT, x, g.shift(x, bars))
	case "change":
		return g.apply(opSub, x, g.shift(x, bars))
	}
	panic("BUG: the function " + w.Name + " has no meaning")
}

// crossing is x on one side of y now, and on the other one before, or equal where the setting lets it.
func (k *checker) crossing(t *tree, x, y termID, now, before op) termID {
	g := k.c.g
	here := k.combine(t, now, x, y)
	other := map[op]op{opGT: opLT, opLT: opGT}[now]
	apart := g.apply(other, x, y)
	was := func(when, what termID, bars int) termID { // what was true of the last bar before, of so many, at which when was
		v := g.add(term{op: opValueWhen, kind: Number, n: bars, args: []termID{when, g.apply(opIf, what, g.number(1), g.number(0))}})
		return g.apply(opGT, g.shift(v, 1), g.number(0))
	}
	switch k.c.crossing {
	case CrossSide:
		return g.apply(opAnd, here, was(g.apply(opNE, x, y), apart, 20))
	case CrossEver:
		here = g.apply(opAnd, here, was(apart, apart, 250))
	case CrossStrict:
		before = other
	}
	return g.apply(opAnd, here, g.apply(before, g.shift(x, 1), g.shift(y, 1)))
}

// atEntry is the value of x at the decision to enter.
func (k *checker) atEntry(t *tree, x termID) termID {
	if !k.position(t, "at_entry(x)") {
		return 0
	}
	if !k.c.g.at(x).static {
		return k.fault(t.args[0], "position_past", "at_entry needs a value that is known before the entry, without position variables", "")
	}
	if k.c.g.at(x).unit.far != 0 {
		return k.fault(t.args[0], "units", "at_entry cannot keep the price of another symbol, whose splits come at other times", "keep a ratio, such as at_entry(sym(\"SPY\").close / sym(\"SPY\", sma(close, 200)))")
	}
	return k.c.freeze(x)
}

// arity is "2 arguments", or "at least 2 arguments".
func arity(n int, more bool) string {
	s := fmt.Sprintf("%d arguments", n)
	if n == 1 {
		s = "1 argument"
	}
	if n == 0 {
		s = "no arguments"
	}
	if more {
		s = "at least " + s
	}
	return s
}
