package expr

import (
	"strings"

	"backtester/backtest/indicator"
)

// Node describes one node of the graph, for people. Equal parts of expressions, wherever they are
// written, are one node and are computed once.
type Node struct {
	Text    string // canonical; parameters and signals are put in; very long texts are cut with ...
	Kind    Kind
	Unit    Unit
	Warmup  int       // bars that must come before the first exact value
	Columns ColumnSet // bar columns it reads
	Static  bool      // needs no position variable
	Uses    int       // by how many other nodes it is used
	Roots   []Ref     // which expressions it is the whole of
	// Memory says how an indicator forgets the past; "" for everything else.
	Memory indicator.Memory
}

// Nodes lists the graph of all expressions in the order of evaluation. Constants are left out.
func (p *Program) Nodes() []Node {
	used := make([]bool, len(p.g.terms))
	roots := map[termID][]Ref{}
	for i, r := range p.roots {
		p.g.mark(r.term, used)
		roots[r.term] = append(roots[r.term], Ref(i+1))
	}
	texts := make([]string, len(p.g.terms))
	var out []Node
	for i := 1; i < len(p.g.terms); i++ {
		id, t := termID(i), p.g.at(termID(i))
		texts[i] = p.g.text(id, texts)
		if !used[i] || t.op == opConst && roots[id] == nil {
			continue
		}
		n := Node{Text: texts[i], Kind: t.kind, Unit: t.unit.Unit, Warmup: t.warm, Columns: t.columns, Static: t.static, Uses: t.uses, Roots: roots[id]}
		if t.op == opIndicator {
			n.Memory = t.call.spec.Memory
		}
		out = append(out, n)
	}
	return out
}

// Text is the canonical text of r with parameters and signals put in.
func (p *Program) Text(r Ref) string {
	return p.g.wholeText(p.roots[r-1].term)
}

// mark marks id and everything below it.
func (g *graph) mark(id termID, used []bool) {
	if used[id] {
		return
	}
	used[id] = true
	for _, a := range g.at(id).args {
		g.mark(a, used)
	}
}

var columnNames = [...]string{"open", "high", "low", "close", "volume"}

// symbols of binary operations.
var symbols = map[op]string{opAdd: "+", opSub: "-", opMul: "*", opDiv: "/", opGT: ">", opGE: ">=", opLT: "<", opLE: "<=", opEQ: "==", opNE: "!=", opAnd: "and", opOr: "or"}

// calls are the names of operations written as functions.
var callNames = map[op]string{
	opAbs: "abs", opSign: "sign", opSqrt: "sqrt", opFloor: "floor", opCeil: "ceil", opRound: "round", opLog: "log", opExp: "exp",
	opMin: "min", opMax: "max", opPow: "pow", opCoalesce: "coalesce", opIf: "if", opIfBool: "if", opIsAbsent: "is_absent", opIsAbsentBool: "is_absent",
	opFrozen: "at_entry", opCount: "count_when", opSince: "bars_since", opValueWhen: "value_when", opEvery: "every", opAny: "any",
}

const maxNodeText = 400

// text of id, given the texts of all terms before it.
func (g *graph) text(id termID, texts []string) string {
	t := g.at(id)
	arg := func(i int, min int) string {
		if s := texts[t.args[i]]; g.power(t.args[i], texts) < min {
			return "(" + s + ")"
		} else {
			return s
		}
	}
	s := ""
	switch t.op {
	case opConst:
		s = constText(t)
	case opColumn:
		s = columnNames[t.n]
	case opTime:
		s = wordOf(opTime, t.n)
	case opGiven:
		s = g.givenText(t, texts)
	case opTruth:
		s = texts[t.args[0]]
	case opIs:
		s = Category(t.n).String() + " == " + quote(t.text)
	case opPosition:
		s = wordOf(opPosition, t.n)
	case opNeg:
		s = "-" + arg(0, powerPostfix)
	case opNot:
		s = "not " + arg(0, powerNot)
	case opShift, opShiftBool:
		s = arg(0, powerPostfix) + "[" + plain(float64(t.n)) + "]"
	case opIndicator:
		s = indicatorText(t, texts)
	case opMul:
		if t.mixed && g.at(t.args[0]).op == opColumn && g.at(t.args[1]).op == opColumn { // see raw
			s = "dollar_volume"
			break
		}
		s = g.infix(t, arg)
	default:
		if _, ok := symbols[t.op]; ok {
			s = g.infix(t, arg)
			break
		}
		s = g.callText(t, texts)
	}
	if len(s) > maxNodeText {
		s = s[:maxNodeText-3] + "..."
	}
	return s
}

// infix is the text of a binary operation; arg gives operands, in parentheses if they bind less.
func (g *graph) infix(t *term, arg func(i, min int) string) string {
	sym := symbols[t.op]
	own := power(sym)
	left := own
	if own == powerCompare {
		left++ // comparisons do not chain
	}
	return arg(0, left) + " " + sym + " " + arg(1, own+1)
}

func constText(t *term) string {
	switch {
	case t.num != t.num && t.kind == Bool:
		return "absent > 0" // absent alone is a number
	case t.num != t.num:
		return "absent"
	case t.kind == Number:
		return plain(t.num)
	case t.num == 1:
		return "true"
	}
	return "false"
}

// wordOf is the name of the n-th clock or position variable.
func wordOf(o op, n int) string {
	for i := range words {
		if words[i].op == o && words[i].n == n && words[i].args == "" {
			return words[i].Name
		}
	}
	return "session" // what indicators see of it
}

func (g *graph) callText(t *term, texts []string) string {
	args := make([]string, 0, 4)
	for _, a := range t.args {
		args = append(args, texts[a])
	}
	if t.op >= opCount && t.op <= opAny {
		args = append(args, plain(float64(t.n)))
	}
	return callNames[t.op] + "(" + strings.Join(args, ", ") + ")"
}

// indicatorText leaves out the columns that the indicator takes by itself.
func indicatorText(t *term, texts []string) string {
	spec := t.call.spec
	var args []string
	for _, a := range t.args[:len(spec.Series)] {
		args = append(args, texts[a])
	}
	named := "" // once a choice is left out, the numbers after it need their names
	for i, v := range t.call.params {
		p := spec.Params[i]
		if p.Words != nil {
			named = p.Name + " = "
		} else if named != "" {
			named = p.Name + " = "
		}
		if named == "" || v != p.Default {
			args = append(args, named+p.Text(v))
		}
	}
	s := spec.Name + "(" + strings.Join(args, ", ") + ")"
	if t.n > 0 {
		s += "." + spec.Outputs[t.n].Name
	}
	return s
}

// power with which the text of id binds.
func (g *graph) power(id termID, texts []string) int {
	t := g.at(id)
	switch {
	case t.op == opConst && t.num < 0, t.op == opNeg:
		return powerSign
	case t.op == opNot:
		return powerNot
	case t.op == opIs, t.op == opConst && t.kind == Bool && t.num != t.num:
		return powerCompare
	case t.op == opMul && texts[id] == "dollar_volume":
		return powerPostfix
	}
	if sym, ok := symbols[t.op]; ok {
		return power(sym)
	}
	return powerPostfix
}

// Names of the columns in s, in the order of a bar.
func (s ColumnSet) Names() []string {
	var out []string
	for i, n := range columnNames {
		if s&(1<<i) != 0 {
			out = append(out, n)
		}
	}
	return out
}

// String is the names, separated by spaces.
func (s ColumnSet) String() string { return strings.Join(s.Names(), " ") }
