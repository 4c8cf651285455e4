package expr

import (
	"fmt"
	"slices"
)

// maxWork bounds how many meanings are looked up for one text, so that functions which use each other
// twice at every level cost no more than a limit says.
const maxWork = 200_000

// definition is a function of the strategy file.
type definition struct {
	Definition
	tree *tree
	bad  bool // its own text is at fault
}

// closure is an argument of a function of the file: what was written at the call, and what the names
// there mean. It gets its value where the body uses it, so that sym("SPY", x) in a body is the
// argument on SPY's bars.
type closure struct {
	tree   *tree
	text   string
	pos    Pos
	env    map[string]closure
	calls  []*definition
	signal string
}

// define declares a function of the file and reads its text.
func (c *Compiler) define(d Definition) {
	if !c.declare(d.Name, d.Pos) {
		return
	}
	def := &definition{Definition: d}
	c.functions[d.Name] = def
	for i, a := range d.Args {
		if err := CheckName(a); err != nil {
			c.report(Diagnostic{d.Pos, 1, "name", fmt.Sprintf("argument of %s: %v", d.Name, err), ""})
		} else if slices.Contains(d.Args[:i], a) {
			c.report(Diagnostic{d.Pos, 1, "name", fmt.Sprintf("%s has the argument %s twice", d.Name, a), ""})
		}
	}
	p := c.parse(d.Text)
	def.tree, def.bad = p.tree, len(p.faults) > 0
	for _, f := range p.faults {
		c.report(f.at(d.Text, d.Pos))
	}
}

// signature of a function of the file.
func (d *definition) signature() string {
	s := d.Name + "("
	for i, a := range d.Args {
		if i > 0 {
			s += ", "
		}
		s += a
	}
	return s + ")"
}

// expand is a call of a function of the file: its body with the arguments put in.
func (k *checker) expand(t *tree, d *definition) termID {
	k.use(d.Name)
	for i, n := range t.names {
		if n != "" {
			return k.fault(t.args[i], "argument_name", fmt.Sprintf("the arguments of %s have no names", d.Name), "write "+d.signature())
		}
	}
	switch {
	case len(t.args) != len(d.Args):
		k.each(t.args)
		return k.faultCall(t, "wrong_count", fmt.Sprintf("%s takes %s, got %d", d.Name, arity(len(d.Args), false), len(t.args)), "write "+d.signature())
	case slices.Contains(k.calls, d):
		return k.faultCall(t, "cycle", fmt.Sprintf("function %s uses itself", d.Name), "functions cannot call themselves, directly or by way of others")
	case d.bad:
		return 0
	}
	body := *k
	body.text, body.pos, body.faults = d.Text, d.Pos, 0
	body.calls = append(slices.Clone(k.calls), d)
	body.env = make(map[string]closure, len(d.Args))
	for i, a := range d.Args {
		body.env[a] = closure{t.args[i], k.text, k.pos, k.env, k.calls, k.signal}
	}
	id := body.term(d.tree)
	k.faults += body.faults
	return id
}

// argument is the value of an argument of the function whose body is being read.
func (k *checker) argument(c closure) termID {
	at := *k
	at.text, at.pos, at.env, at.calls, at.signal, at.faults = c.text, c.pos, c.env, c.calls, c.signal, 0
	id := at.term(c.tree)
	k.faults += at.faults
	return id
}
