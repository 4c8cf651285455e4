package expr

import "strings"

// Relation that two numbers are asked to have.
type Relation uint8

// Relations. The crossings look at the bar before as well.
const (
	Above Relation = iota + 1
	AtLeast
	Below
	AtMost
	CrossesAbove
	CrossesBelow
)

// Crossing reports whether the relation looks at two bars.
func (r Relation) Crossing() bool { return r == CrossesAbove || r == CrossesBelow }

// Swapped is the relation of the right number to the left one.
func (r Relation) Swapped() Relation {
	return [...]Relation{0, Above: Below, AtLeast: AtMost, Below: Above, AtMost: AtLeast, CrossesAbove: CrossesBelow, CrossesBelow: CrossesAbove}[r]
}

// Comparison is a condition that compares two numbers and does nothing else.
type Comparison struct {
	Relation    Relation
	Left, Right Operand
}

// Operand is one side of a Comparison.
type Operand struct {
	Text  string
	Names []string // every name in it, those that signals and functions in it mention included
}

// Comparison reads text as one, through the names of signals. It is about the text alone: whether the
// operands make sense is for a Compiler to say.
func (s *Scope) Comparison(text string) (Comparison, bool) {
	for range maxDepth {
		t, faults := parse(text)
		if len(faults) > 0 {
			return Comparison{}, false
		}
		if t.shape == shapeName {
			next, ok := s.signalText(t.text)
			if !ok {
				return Comparison{}, false
			}
			text = next
			continue
		}
		return s.compared(t)
	}
	return Comparison{}, false
}

func (s *Scope) compared(t *tree) (Comparison, bool) {
	out := Comparison{}
	switch {
	case t.shape == shapeUnary && t.text == "not":
		in, ok := s.compared(t.args[0])
		in.Relation = [...]Relation{0, Above: AtMost, AtLeast: Below, Below: AtLeast, AtMost: Above, CrossesAbove: 0, CrossesBelow: 0}[in.Relation]
		return in, ok && in.Relation != 0
	case t.shape == shapeBinary:
		out.Relation = map[string]Relation{">": Above, ">=": AtLeast, "<": Below, "<=": AtMost}[t.text]
	case t.shape == shapeCall && !t.on && len(t.args) == 2 && t.names[0] == "" && t.names[1] == "":
		out.Relation = map[string]Relation{"crosses_above": CrossesAbove, "crossover": CrossesAbove,
			"crosses_below": CrossesBelow, "crossunder": CrossesBelow}[t.text]
	}
	if out.Relation == 0 {
		return out, false
	}
	out.Left, out.Right = s.operand(t.args[0]), s.operand(t.args[1])
	return out, true
}

func (s *Scope) operand(t *tree) Operand {
	var b strings.Builder
	t.print(&b)
	o := Operand{Text: b.String()}
	s.names(t, map[string]bool{}, &o.Names)
	return o
}

// names collects every name in t, each once.
func (s *Scope) names(t *tree, seen map[string]bool, out *[]string) {
	if (t.shape == shapeName || t.shape == shapeCall) && !seen[t.text] {
		seen[t.text] = true
		*out = append(*out, t.text)
		if text, ok := s.signalText(t.text); ok {
			in, _ := parse(text)
			s.names(in, seen, out)
		}
		for _, f := range s.Functions {
			if f.Name == t.text {
				in, _ := parse(f.Text)
				s.names(in, seen, out)
			}
		}
	}
	for _, a := range t.args {
		s.names(a, seen, out)
	}
}

func (s *Scope) signalText(name string) (string, bool) {
	for i := range s.Signals {
		if s.Signals[i].Name == name {
			return s.Signals[i].Text, true
		}
	}
	return "", false
}

// Reads says what an expression takes besides constants: position variables, as a set of bits by PositionVar,
// and anything that changes from bar to bar.
func (p *Program) Reads(r Ref) (vars uint16, columns bool) {
	seen := map[termID]bool{}
	var visit func(id termID)
	visit = func(id termID) {
		if seen[id] {
			return
		}
		seen[id] = true
		t := p.g.at(id)
		switch {
		case t.op == opConst:
		case t.op == opPosition:
			vars |= 1 << t.n
		case t.op == opFrozen || t.static:
			columns = true
		default:
			for _, a := range t.args {
				visit(a)
			}
		}
	}
	visit(p.roots[r-1].term)
	return vars, columns
}

// Affine is an expression that is Entry x entry_price + Sign x Column at every bar, where nothing has to be
// restated. Entry is 0 or 1.
type Affine struct {
	Entry, Sign float64
	Column      []float64
}

// Affine takes r apart, if it is one.
func (b *Bound) Affine(r Ref) (Affine, bool) {
	p := b.program
	t := p.g.at(p.roots[r-1].term)
	if t.kind != Number {
		return Affine{}, false
	}
	if t.static {
		return Affine{0, 1, b.number[r-1]}, true
	}
	cells := p.rules[p.ruleOf[r-1]].cells
	if len(cells) != 3 || cells[2].op != opSub && cells[2].op != opAdd {
		return Affine{}, false
	}
	x, y := &cells[cells[2].a], &cells[cells[2].b]
	sign := 1.0
	if cells[2].op == opSub {
		sign = -1
	} else if x.op == opColumn {
		x, y = y, x
	}
	if x.op != opPosition || PositionVar(x.n) != EntryPrice || y.op != opColumn || y.cond {
		return Affine{}, false
	}
	return Affine{1, sign, b.leaf[y.n]}, true
}

// Affine reports whether Bound.Affine will take r apart.
func (p *Program) Affine(r Ref) bool {
	t := p.term(r)
	if t.static {
		return t.kind == Number
	}
	b := Bound{program: p, leaf: make([][]float64, len(p.leaves))}
	_, ok := b.Affine(r)
	return ok
}
