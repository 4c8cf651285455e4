package lint

import (
	"fmt"
	"strings"

	"backtester/backtest/expr"
	"backtester/backtest/indicator"
	"backtester/backtest/strategy"
)

// named is a condition of the file taken apart.
type named struct {
	path string // as it stands in the file
	part part
}

// conditionsOf are the conditions of a file that the bars of the run decide: signals, entries, exits.
func conditionsOf(f *strategy.File, rules *strategy.Rules) []named {
	var out []named
	add := func(path, value string) {
		if value != "" {
			out = append(out, named{path, take(path, value)})
		}
	}
	for _, s := range f.Signals {
		if ref, ok := rules.Program.SignalRef(s.Name); ok && rules.Program.Kind(ref) == expr.Bool {
			add("signals."+s.Name, s.Expr)
		}
	}
	for _, s := range sidesOf(f) {
		add(s.prefix+"entry.when", s.side.Entry.When)
		for i, x := range s.side.Exits {
			add(s.exit(f, i, "when"), x.When)
		}
	}
	return out
}

// sided is a side of the file and how its keys are written there.
type sided struct {
	side   *strategy.Side
	name   string
	prefix string
}

func sidesOf(f *strategy.File) []sided {
	var out []sided
	if f.Long != nil {
		s := sided{f.Long, "long", ""}
		if _, ok := f.Positions["long"]; ok {
			s.prefix = "long."
		}
		out = append(out, s)
	}
	if f.Short != nil {
		out = append(out, sided{f.Short, "short", "short."})
	}
	return out
}

// exit is the path of a key of exit i.
func (s sided) exit(f *strategy.File, i int, key string) string {
	listed := fmt.Sprintf("%sexit.%d", s.prefix, i)
	if _, ok := f.Positions[listed]; ok {
		return listed + "." + key
	}
	return s.prefix + "exit." + key
}

// conditions looks at every condition by itself and at how its parts fit together.
func (c *checker) conditions() {
	list := conditionsOf(c.file, c.rules)
	if w := c.file.Universe.Where; w != "" {
		list = append(list, named{"universe.where", take("universe.where", w)})
	}
	for _, n := range list {
		if !c.constant(n) {
			n.part.all(func(p part) {
				c.conflicts(p)
				c.reach(p)
			})
		}
		if !c.file.Data.Bars.Intraday() {
			c.clock(n.part)
		}
	}
}

// constant reports conditions and parts of them that are the same on all bars. True says that the
// whole is.
func (c *checker) constant(n named) bool {
	whole := false
	words := map[string]string{"1": "always true", "0": "never true", "NaN": "never known"}
	n.part.all(func(p part) {
		all := p.from == n.part.from && p.to == n.part.to
		if !all && p.op != "" {
			return
		}
		value, ok := c.fixed[p.key()]
		if !ok {
			return
		}
		what := "this part of the condition"
		if all {
			what, whole = "this condition", true
		}
		c.at(p, "constant", "", fmt.Sprintf("%s is %s, whatever the market does: %s", what, words[fmt.Sprint(value)], p.source()))
	})
	return whole
}

// judged is a part with what is compared of it.
type judged struct {
	part
	canonical string
	negates   string // what it is the opposite of: of not x, x
	comparison
	compares bool
}

func judge(p part) judged {
	j := judged{part: p, canonical: p.text()}
	if p.op == "not" {
		j.negates = p.parts[0].text()
	}
	j.comparison, j.compares = p.compared()
	return j
}

// conflicts reports parts that exclude each other, or say the same twice.
func (c *checker) conflicts(p part) {
	if p.op != "and" && p.op != "or" {
		return
	}
	const most = 100 // nobody writes more, and each is compared with all
	var parts []judged
	for _, q := range p.joined(p.op) {
		if len(parts) < most {
			parts = append(parts, judge(q))
		}
	}
	for j, b := range parts {
		for _, a := range parts[:j] {
			switch {
			case a.canonical == b.canonical:
				c.at(b.part, "repeated", "remove one of them", fmt.Sprintf("%s stands here twice", b.source()))
			case p.op == "and" && excludes(a, b):
				c.at(b.part, "contradiction", "", fmt.Sprintf("%s and %s are never true together", a.source(), b.source()))
			case p.op == "or" && opposite(a, b):
				c.at(b.part, "tautology", "", fmt.Sprintf("%s or %s is true on every bar that has a value", a.source(), b.source()))
			}
		}
	}
}

// opposite reports two conditions of which exactly one is true when both are known.
func opposite(a, b judged) bool {
	if a.negates == b.canonical || b.negates == a.canonical {
		return true
	}
	x, y := a.comparison, b.comparison
	switch {
	case !a.compares || !b.compares:
		return false
	case x.left == y.left && x.right == y.right:
		return negated(x.op) == y.op
	}
	return x.left == y.right && x.right == y.left && negated(x.op) == mirrored(y.op)
}

func negated(op string) string {
	return map[string]string{"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}[op]
}

func mirrored(op string) string {
	return map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}[op]
}

// excludes reports two conditions that are never true together.
func excludes(a, b judged) bool {
	if opposite(a, b) {
		return true
	}
	x, y := a.comparison, b.comparison
	if !a.compares || !b.compares {
		return false
	}
	if x.left == y.right && x.right == y.left {
		y.left, y.right, y.op = y.right, y.left, mirrored(y.op)
	}
	if x.left != y.left {
		return false
	}
	if x.right == y.right {
		pair := x.op + " " + y.op
		return strings.Contains("; < >; > <; < ==; == <; > ==; == >; ", "; "+pair+"; ")
	}
	if !x.constant || !y.constant {
		return false
	}
	if above(y.op) || x.op == "==" {
		x, y = y, x
	}
	// Now x bounds from below or is anything, y bounds from above or is a single value.
	switch {
	case x.op == "==" && y.op == "==":
		return x.number != y.number
	case above(x.op) && (below(y.op) || y.op == "=="):
		return x.number > y.number || x.number == y.number && (x.op == ">" || y.op == "<")
	case below(x.op) && y.op == "==":
		return x.number < y.number || x.number == y.number && x.op == "<"
	}
	return false
}

func above(op string) bool { return op == ">" || op == ">=" }
func below(op string) bool { return op == "<" || op == "<=" }

// reach reports comparisons of an indicator with a number that it never gets to.
func (c *checker) reach(p part) {
	x, ok := p.compared()
	if !ok || !x.constant {
		return
	}
	name, rest, call := strings.Cut(x.left, "(")
	spec, known := indicator.Lookup(name)
	if !known || call && !strings.HasSuffix(rest, ")") {
		return // of outputs only the first is looked at
	}
	if in := (part{whole: x.left, to: len(x.left)}); call && (part{whole: x.left, from: len(name), to: in.to}).closing() != in.to-1 {
		return
	}
	out := spec.Outputs[0]
	if out.Min == 0 && out.Max == 0 {
		return
	}
	over, under := x.number > out.Max || x.number == out.Max && (x.op == ">" || x.op == "<="), x.number < out.Min || x.number == out.Min && (x.op == "<" || x.op == ">=")
	runs := fmt.Sprintf("%s runs from %v to %v", spec.Name, out.Min, out.Max)
	switch {
	case (over || under) && x.op != "!=":
		verdict := "never true"
		if over && below(x.op) || under && above(x.op) {
			verdict = "always true"
		}
		c.at(p, "out_of_reach", "", fmt.Sprintf("%s: %s is %s", runs, p.source(), verdict))
	case out.Max-out.Min >= 100 && x.number > 0 && x.number < 1:
		c.at(p, "out_of_reach", fmt.Sprintf("did you mean %v?", x.number*100), runs+", not from 0 to 1")
	}
}

// clock reports words that have no value on bars of a day and longer.
func (c *checker) clock(p part) {
	p.scan(func(at, _ int, name string) {
		switch name {
		case "hour", "minute", "minutes_since_open", "minutes_to_close", "bars_since_open":
			q := part{path: p.path, whole: p.whole, from: at, to: at + len(name)}
			c.at(q, "never_known", "use it with data.bars: 5m or the like", fmt.Sprintf("%s has no value on bars of %s", name, c.file.Data.Bars))
		}
	})
}
