package expr

import (
	"fmt"
	"math"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// where an expression is evaluated: on the bars of a symbol ("" is the instrument's own) in a frame
// (zero is that of the run).
type where struct {
	symbol string
	frame  bar.Frame
}

// maxContexts bounds the other symbols and frames of one file.
const maxContexts = 200

// defaultStale is how many sessions, or periods, old a value of other bars may be.
const defaultStale = 1

// inside is the compiler of expressions on other bars, one for each place. It shares names and faults
// with the outermost one and has a graph of its own.
func (c *Compiler) inside(at where) *Compiler {
	top := c.top
	for _, in := range top.contexts {
		if in.at == at && in.outer.at == c.at {
			return in
		}
	}
	in := &Compiler{g: newGraph(), at: at, top: top, outer: c, shared: top.shared, signals: map[string]*signal{}}
	for _, s := range top.order {
		sig := &signal{Named: s.Named}
		in.signals[s.Name] = sig
		in.order = append(in.order, sig)
	}
	top.contexts = append(top.contexts, in)
	return in
}

// program is the Program of a compiler of other bars, made once.
func (c *Compiler) program(in *Compiler) *Program {
	if in.made == nil || len(in.made.roots) != len(in.roots) {
		in.made = &Program{g: in.g, roots: in.roots, signals: map[string]Ref{}}
		in.made.findInputs(c)
		in.made.compile()
	}
	return in.made
}

// rootOf is the Ref of a term of c, one for each.
func (c *Compiler) rootOf(id termID) Ref {
	for i, r := range c.roots {
		if r.term == id {
			return Ref(i + 1)
		}
	}
	return c.root(root{id, false, Pos{}})
}

// isElsewhere reports a call of sym or tf.
func isElsewhere(t *tree) bool {
	return t.shape == shapeCall && (t.text == "sym" || t.text == "tf")
}

// elsewhere is where a call of sym or tf leads, and how old its values may be. ok is false when it
// was at fault. What is read there comes back too, for the form with it in the parentheses.
func (k *checker) elsewhere(t *tree) (at where, stale int, read *tree, ok bool) {
	at, stale = k.c.at, defaultStale
	args, names := t.args, t.names
	if t.on {
		if !isElsewhere(args[0]) {
			k.faultCall(t, "not_callable", fmt.Sprintf(".%s is not a function", t.text), "write "+usageOf(t.text))
			return at, 0, nil, false
		}
		var inner *tree
		if at, stale, inner, ok = k.elsewhere(args[0]); !ok {
			return at, 0, nil, false
		}
		if inner != nil {
			k.faultCall(t, "not_callable", fmt.Sprintf(".%s is not a function", t.text), "write "+usageOf(t.text))
			return at, 0, nil, false
		}
		args, names = args[1:], names[1:]
	}
	if len(args) == 0 || names[0] != "" || args[0].shape != shapeString {
		what := map[string]string{"sym": "a ticker in quotation marks", "tf": "a bar length in quotation marks"}[t.text]
		k.faultCall(t, "wrong_count", t.text+" needs "+what, "write "+usageOf(t.text))
		return at, 0, nil, false
	}
	if !k.lead(t.text, args[0], &at) {
		return at, 0, nil, false
	}
	for i, a := range args[1:] {
		switch {
		case names[i+1] == "stale":
			if stale = k.staleness(a); stale < 0 {
				return at, 0, nil, false
			}
		case names[i+1] != "":
			k.fault(a, "argument_name", fmt.Sprintf("%s has no argument named %s", t.text, clip(names[i+1])), "write "+usageOf(t.text))
			return at, 0, nil, false
		case i == 0:
			read = a
		default:
			k.faultCall(t, "wrong_count", fmt.Sprintf("%s takes 1 or 2 arguments, and stale = n", t.text), "write "+usageOf(t.text))
			return at, 0, nil, false
		}
	}
	return at, stale, read, true
}

func usageOf(name string) string {
	if name == "tf" {
		return `tf("1w").close or tf("1w", sma(close, 10))`
	}
	return `sym("SPY").close or sym("SPY", sma(close, 200))`
}

// lead changes at by the text of a call of sym or tf.
func (k *checker) lead(name string, arg *tree, at *where) bool {
	if name == "sym" {
		switch err := instrument.CheckTicker(arg.text); {
		case err != nil:
			k.fault(arg, "out_of_range", err.Error(), "")
			return false
		case at.symbol != "" && at.symbol != arg.text:
			k.fault(arg, "nested", fmt.Sprintf("sym(%q) stands inside of sym(%q)", arg.text, at.symbol), "write the two side by side")
			return false
		}
		at.symbol = arg.text
		return true
	}
	f, err := bar.ParseFrame(arg.text)
	if err != nil {
		k.fault(arg, "out_of_range", err.Error(), "")
		return false
	}
	now := k.c.frameOf(*at)
	if !now.Makes(f) {
		hint := ""
		if now != k.c.frame {
			hint = "lead to the longest bars first"
		}
		k.fault(arg, "out_of_range", fmt.Sprintf("bars of %s cannot be made of bars of %s", f, now), hint)
		return false
	}
	at.frame = f
	if f == k.c.frame {
		at.frame = bar.Frame{}
	}
	return true
}

// frameOf is the frame in force.
func (c *Compiler) frameOf(at where) bar.Frame {
	if at.frame == (bar.Frame{}) {
		return c.frame
	}
	return at.frame
}

// staleness is a whole number of sessions of at least 1; -1 when that was refused.
func (k *checker) staleness(t *tree) int {
	n := k.constant(t, subject{name: "stale"})
	switch {
	case n != n:
		return -1
	case n < 1 || n > maxWindow || n != math.Trunc(n):
		k.fault(t, "out_of_range", fmt.Sprintf("stale must be a whole number of sessions of at least 1, not %s", plain(n)), "")
		return -1
	}
	return int(n)
}

// led is a call of sym or tf with what to read inside of it.
func (k *checker) led(t *tree) termID {
	at, stale, read, ok := k.elsewhere(t)
	if !ok {
		return 0
	}
	if read == nil {
		return k.fault(t, "wrong_kind", k.source(t)+" says where to look, but not at what", "write "+usageOf(t.text))
	}
	return k.readAt(t, at, stale, read)
}

// ledMember is sym("SPY").close, sym("SPY").sma(close, 200), and parts of such calls.
func (k *checker) ledMember(lead, t, read *tree) termID {
	at, stale, inner, ok := k.elsewhere(lead)
	if !ok {
		return 0
	}
	if inner != nil { // sym("SPY", macd(...)).hist
		part := *t
		part.args = []*tree{inner}
		if t.shape != shapeMember {
			return k.faultCall(t, "not_callable", fmt.Sprintf(".%s is not a function", clip(t.text)), "write "+usageOf(lead.text))
		}
		read = &part
	}
	return k.readAt(t, at, stale, read)
}

// readAt is the meaning of read on other bars, as a column on these.
func (k *checker) readAt(t *tree, at where, stale int, read *tree) termID {
	c := k.c
	if at == c.at {
		return k.term(read)
	}
	if len(c.top.contexts) >= maxContexts {
		return k.fault(t, "too_large", fmt.Sprintf("the file looks at %d other symbols and bar lengths and more, at most %d are possible", maxContexts+1, maxContexts), "")
	}
	in := c.inside(at)
	inner := *k
	inner.c, inner.allow, inner.within, inner.faults = in, NoVars, t.text, 0
	id := inner.term(read)
	k.faults += inner.faults
	if id == 0 {
		return 0
	}
	x := in.g.at(id)
	if v, ok := in.g.isConst(id); ok {
		if x.kind == Bool {
			return c.g.condition(v)
		}
		return c.g.number(v)
	}
	g := given{kind: OtherInput, at: at, stale: stale, inner: in, term: id, ref: in.rootOf(id)}
	per := 1
	if at.frame != c.at.frame {
		per = c.barsIn(c.frameOf(c.at), c.frameOf(at))
	}
	spread := func(bars, per int) int {
		if per == 1 {
			return bars
		}
		return (bars + 2) * per // the period going on, and the one that is cut by the first bar
	}
	if at.symbol == c.at.symbol {
		g.warm, g.outer = spread(x.warm, per), -1
		if x.outer >= 0 {
			g.outer = spread(x.outer, per)
		}
	} else {
		whole := 1
		if at.frame != (bar.Frame{}) {
			whole = c.barsIn(c.frame, at.frame)
		}
		g.need = spread(x.warm, whole)
	}
	out := c.g.add(term{op: opGiven, kind: Number, unit: c.g.imported(in, at, x.unit), n: c.g.giveOnce(g)})
	if x.kind == Bool {
		return c.g.apply(opTruth, out)
	}
	return out
}

// imported is what a number of other bars follows, seen from here.
func (g *graph) imported(in *Compiler, at where, d dims) dims {
	out := dims{}
	if at.symbol == in.outer.at.symbol {
		out.Unit = d.Unit
	} else if d.Unit != (Unit{}) {
		out.far = g.farOf([]farPower{{g.otherIndex(at.symbol), d.Unit}})
	}
	for _, p := range in.g.powers(d) {
		more := dims{far: g.farOf([]farPower{{g.otherIndex(in.g.others[p.other]), p.Unit}})}
		out, _ = g.times(out, more, 1)
	}
	return out
}

// barsIn is the most bars of frame a that one bar of frame b is made of.
func (c *Compiler) barsIn(a, b bar.Frame) int {
	sessions := map[bar.Unit]int{bar.Day: 1, bar.Week: 5, bar.Month: 23}
	switch {
	case a == b:
		return 1
	case b.Intraday():
		return int((b.Duration() + a.Duration() - 1) / a.Duration())
	case a.Intraday():
		return sessions[b.Unit] * int((c.day+a.Duration()-1)/a.Duration())
	}
	return sessions[b.Unit] / sessions[a.Unit]
}
