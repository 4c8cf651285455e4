package expr

import (
	"cmp"
	"fmt"
	"math"
	"strings"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/indicator"
)

// Compiler collects expressions, and all their faults. Not safe for concurrent use.
type Compiler struct {
	*shared
	g       *graph
	signals map[string]*signal
	order   []*signal
	roots   []root
	frozen  []Frozen

	// Expressions on other bars have compilers of their own, see context.go.
	at         where
	top, outer *Compiler   // top and outer of the outermost are itself
	contexts   []*Compiler // of the outermost: all of them
	made       *Program
}

// shared is what a compiler has in common with those of expressions on other bars.
type shared struct {
	params    map[string]float64
	functions map[string]*definition
	series    map[string]bool
	names     []string  // of parameters, signals, functions and series, in order, for suggestions
	open      []*signal // being resolved, outermost first
	specs     map[string]*indicator.Spec
	faults    Diagnostics
	notes     Diagnostics
	used      map[string]bool     // names that rules depend on
	known     map[Diagnostic]bool // faults and notes already kept
	parsed    map[string]parsed
	frame     bar.Frame
	day       time.Duration // a session
	crossing  Crossing
	emaSeed   EMASeed
}

// parsed is a text's syntax tree, which is never written again.
type parsed struct {
	tree   *tree
	faults []fault
}

// root is an expression somebody asked for.
type root struct {
	term   termID
	signal bool // a named signal, which may be there for show only
	pos    Pos
}

type signal struct {
	Named
	state state
	term  termID
	ref   Ref
	uses  []string // names of parameters and signals in it
}

type state uint8

const (
	unseen state = iota
	resolving
	resolved
)

// NewCompiler checks the names of s and all its signals, whether or not they are used. Signals may
// refer to each other in any order, but not in a circle.
func NewCompiler(s Scope) *Compiler {
	c := &Compiler{g: newGraph(), signals: map[string]*signal{}, shared: &shared{
		params: map[string]float64{}, functions: map[string]*definition{}, series: map[string]bool{}, specs: map[string]*indicator.Spec{},
		known: map[Diagnostic]bool{}, used: map[string]bool{}, parsed: map[string]parsed{}, frame: s.Frame, day: cmp.Or(s.Calendar, bar.NYSE()).SessionLength(s.Session), crossing: s.Crossing, emaSeed: s.EMASeed,
	}}
	c.top, c.outer = c, c
	if c.frame == (bar.Frame{}) {
		c.frame = bar.Daily
	}
	for _, name := range s.Series {
		if c.declare(name, Pos{}) {
			c.series[name] = true
		}
	}
	for _, p := range s.Params {
		if c.declare(p.Name, Pos{}) {
			c.params[p.Name] = p.Value
		}
	}
	for _, n := range s.Signals {
		if c.declare(n.Name, n.Pos) {
			sig := &signal{Named: n}
			c.signals[n.Name] = sig
			c.order = append(c.order, sig)
		}
	}
	for _, d := range s.Functions {
		c.define(d)
	}
	for _, sig := range c.order {
		c.resolve(sig)
	}
	return c
}

// declare reports whether name is free, and says why not.
func (c *Compiler) declare(name string, pos Pos) bool {
	err := CheckName(name)
	_, param := c.params[name]
	_, signal := c.signals[name]
	_, function := c.functions[name]
	switch {
	case err != nil:
		c.report(Diagnostic{pos, 1, "name", err.Error(), ""})
	case param || signal || function || c.series[name]:
		c.report(Diagnostic{pos, 1, "name", "the name " + name + " is given twice", ""})
	default:
		c.names = append(c.names, name)
		return true
	}
	return false
}

// report keeps a fault, and note a remark, once.
func (c *Compiler) report(d Diagnostic) {
	if !c.known[d] {
		c.known[d] = true
		c.faults = append(c.faults, d)
	}
}

func (c *Compiler) note(d Diagnostic) {
	if !c.known[d] {
		c.known[d] = true
		c.notes = append(c.notes, d)
	}
}

// Rebind gives parameters other values for all that is added from now on; names that it leaves out
// keep theirs. A whole sweep becomes one Program in this way, in which combinations share whatever
// they have in common: 4,851 pairs of averages are 99 averages. Signals take the new values where they
// are used; SignalRef keeps naming those with the first ones. A name that NewCompiler did not get is a
// fault.
func (c *Compiler) Rebind(params []Param) {
	for _, p := range params {
		if _, ok := c.params[p.Name]; !ok {
			c.report(Diagnostic{Length: 1, Code: "unknown_name", Message: "there is no parameter " + clip(p.Name), Hint: suggest(p.Name, c.names)})
			continue
		}
		c.params[p.Name] = p.Value
	}
	for _, s := range c.order {
		s.state = unseen
	}
	for _, in := range c.contexts {
		for _, s := range in.order {
			s.state = unseen
		}
	}
}

// parse is parse, once for each text.
func (c *Compiler) parse(text string) parsed {
	p, ok := c.parsed[text]
	if !ok {
		p.tree, p.faults = parse(text)
		c.parsed[text] = p
	}
	return p
}

func (c *Compiler) resolve(s *signal) {
	if s.state != unseen {
		return
	}
	s.state, s.uses = resolving, s.uses[:0]
	c.open = append(c.open, s)
	k := checker{c: c, text: s.Text, pos: s.Pos, allow: NoVars, signal: s.Name, work: new(int)}
	s.term = k.whole()
	c.open = c.open[:len(c.open)-1]
	s.state = resolved
	if s.ref == 0 && c.top == c {
		s.ref = c.root(root{s.term, true, s.Pos})
	}
}

// whole is the meaning of the checker's text.
func (k *checker) whole() termID {
	p := k.c.parse(k.text)
	for _, f := range p.faults {
		k.c.report(f.at(k.text, k.pos))
	}
	id := k.term(p.tree)
	if len(p.faults) > 0 {
		return 0 // what could be read is not what was meant
	}
	return id
}

// signalTerm is the meaning of a reference to s.
func (k *checker) signalTerm(t *tree, s *signal) termID {
	if s.state == resolving {
		var path strings.Builder
		on := false
		for _, o := range k.c.open {
			if on = on || o == s; on {
				path.WriteString(o.Name + " -> ")
			}
		}
		return k.fault(t, "cycle", fmt.Sprintf("signal %s depends on itself: %s%s", s.Name, path.String(), s.Name), "a past value is a function of bars, not of the signal's own past")
	}
	k.c.resolve(s)
	k.use(s.Name)
	return s.term
}

// Add compiles one expression that must be of kind want; pos is where its first byte stands. Faults
// are kept for Program. The Ref is meaningful only if there are none.
func (c *Compiler) Add(text string, pos Pos, want Kind, allow Vars) Ref {
	k := checker{c: c, text: text, pos: pos, allow: allow, work: new(int)}
	id := k.whole()
	if id == 0 {
		return 0
	}
	if got := c.g.at(id).kind; got != want {
		hint := ""
		if want == Bool {
			hint = "compare it with something"
		}
		k.report(fault{0, len(text), "wrong_kind", fmt.Sprintf("a %s is needed here, but %s is a %s", want, clip(text), got), hint})
		return 0
	}
	return c.root(root{id, false, pos})
}

func (c *Compiler) root(r root) Ref {
	c.roots = append(c.roots, r)
	return Ref(len(c.roots))
}

// freeze is the value of x at the decision, kept by the engine.
func (c *Compiler) freeze(x termID) termID {
	u := c.g.at(x).unit
	n := len(c.frozen)
	for i, f := range c.frozen {
		if c.roots[f.Ref-1].term == x {
			n = i
		}
	}
	if n == len(c.frozen) {
		c.frozen = append(c.frozen, Frozen{c.root(root{x, false, Pos{}}), u.Unit})
	}
	return c.g.add(term{op: opFrozen, kind: Number, unit: u, n: n, args: []termID{x}})
}

// use notes that the text being checked depends on name: a rule at once and for good, a signal only
// once a rule depends on it.
func (k *checker) use(name string) {
	if k.signal != "" {
		s := k.c.top.signals[k.signal]
		s.uses = append(s.uses, name)
		return
	}
	k.c.markUsed(name)
}

func (c *Compiler) markUsed(name string) {
	if c.used[name] {
		return
	}
	c.used[name] = true
	if s, ok := c.top.signals[name]; ok {
		for _, u := range s.uses {
			c.markUsed(u)
		}
	}
}

// spec looks an indicator up, once.
func (c *Compiler) spec(name string) (*indicator.Spec, bool) {
	if s, ok := c.specs[name]; ok {
		return s, s != nil
	}
	s, ok := indicator.Lookup(name)
	c.specs[name] = nil
	if ok {
		c.specs[name] = &s
	}
	return c.specs[name], ok
}

// columnNamed is a column that indicators take.
func (c *Compiler) columnNamed(name string) termID {
	switch name {
	case indicator.Open:
		return c.g.column(0)
	case indicator.High:
		return c.g.column(1)
	case indicator.Low:
		return c.g.column(2)
	case indicator.Close:
		return c.g.column(3)
	case indicator.Volume:
		return c.g.column(4)
	case indicator.Session:
		return c.g.add(term{op: opTime, kind: Number, n: int(clockSession)})
	}
	panic("BUG: an indicator takes the unknown column " + name)
}

// Program is everything added so far, or all faults in the order of their places.
func (c *Compiler) Program() (*Program, Diagnostics) {
	p := &Program{g: c.g, roots: c.roots, frozen: c.frozen, signals: map[string]Ref{}, notes: c.notes.sorted(), names: c.names}
	for _, s := range c.order {
		p.signals[s.Name] = s.ref
	}
	for _, n := range c.names {
		if !c.used[n] {
			p.unused = append(p.unused, n)
		}
	}
	if len(c.faults) > 0 {
		return nil, c.faults.sorted()
	}
	p.findInputs(c)
	p.compile()
	for i, r := range p.roots {
		if p.g.at(r.term).static {
			continue
		}
		if n := len(p.rules[p.ruleOf[i]].cells); n > maxOps {
			c.report(Diagnostic{Pos: r.pos, Length: 1, Code: "too_large", Message: fmt.Sprintf("this takes %d operations at every bar of a position; the limit is %d", n, maxOps)})
		}
	}
	if len(c.faults) > 0 {
		return nil, c.faults.sorted()
	}
	return p, nil
}

// bits is the key of a number in maps.
func bits(v float64) uint64 { return math.Float64bits(v) }
