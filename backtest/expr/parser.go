package expr

import (
	"fmt"
	"strings"
)

// shape says what a node of the syntax tree is.
type shape uint8

const (
	shapeBad    shape = iota // a fault was reported here; only the args, if any, are checked
	shapeNumber              // num, text as written
	shapeString              // text
	shapeName                // text
	shapeUnary               // text is the operator, args[0]
	shapeBinary              // text is the operator, args[0] and args[1]
	shapeIndex               // args[0][args[1]]
	shapeMember              // args[0].text
	shapeCall                // text(args...), names[i] is "" or the name before =; of a Member when on
)

// tree is a node of the syntax tree.
type tree struct {
	shape    shape
	text     string
	num      float64
	args     []*tree
	names    []string
	on       bool // shapeCall: args[0] is what the method is called on, as in tf("1w").sma(close, 20)
	paren    bool // stood in parentheses
	off, end int  // bytes of the text, without these parentheses
	from, to int  // the same with them
	at       int  // offset of the name or operator, where it differs from off
}

// start and stop are where t begins and ends, its parentheses included.
func (t *tree) start() int {
	if t.paren {
		return t.from
	}
	return t.off
}

func (t *tree) stop() int {
	if t.paren {
		return t.to
	}
	return t.end
}

// parser is a Pratt parser that goes on after faults, so that all of them are found at once.
type parser struct {
	lex    lexer
	tok    token
	depth  int
	faults []fault
	deep   bool // reported already
	lost   bool // two values without an operator between them were reported already
}

// parse reads one expression. The tree is never nil; it has Bad nodes where faults are.
func parse(text string) (*tree, []fault) {
	p := &parser{}
	if len(text) > maxText {
		return &tree{end: len(text)}, []fault{{0, 1, "too_long", fmt.Sprintf("the expression has %d characters; the limit is %d", len(text), maxText), "split it into named signals"}}
	}
	p.lex = lexer{text: text, report: p.report}
	p.advance()
	if p.tok.kind == tokEnd {
		p.report(fault{0, len(text), "empty", "the expression is empty", ""})
		return &tree{}, p.faults
	}
	t := p.expression(0)
	for p.tok.kind != tokEnd {
		p.leftover()
		if p.tok.kind != tokEnd {
			p.expression(0) // only for its faults
		}
	}
	return t, p.faults
}

// report keeps f, unless a fault at the same place is known: the first one says what is wrong, those
// that follow come of it.
func (p *parser) report(f fault) {
	if len(p.faults) == maxFaults {
		return
	}
	for _, g := range p.faults {
		if g.off == f.off {
			return
		}
	}
	p.faults = append(p.faults, f)
}

func (p *parser) advance() { p.tok = p.lex.next() }

// advise completes the fault of a chain of comparisons, left op right, with what to write instead.
func (p *parser) advise(op token, left, right *tree) {
	hint := "write a < b and b < c"
	if left.shape == shapeBinary && right.shape != shapeBad {
		middle := strings.TrimSpace(p.lex.text[left.args[1].start():left.args[1].stop()])
		hint = fmt.Sprintf("write %s and %s %s %s", strings.TrimSpace(p.lex.text[left.start():left.stop()]), middle, op.text, strings.TrimSpace(p.lex.text[right.start():right.stop()]))
	}
	if len(hint) > 120 {
		hint = "write a < b and b < c"
	}
	for i := range p.faults {
		if f := &p.faults[i]; f.off == op.off && f.code == "chained" {
			f.hint = hint
		}
	}
}

// leftover reports a token that cannot follow what stands before it, and steps over it if it cannot
// begin an expression either.
func (p *parser) leftover() {
	t := p.tok
	switch {
	case t.kind == tokBad, t.kind == tokJunk: // reported
	case t.is(")"), t.is("]"):
		p.report(fault{t.off, t.end, "syntax", fmt.Sprintf("this %s closes nothing", t.text), ""})
	case t.is("="):
		p.report(fault{t.off, t.end, "syntax", "= does not compare", "did you mean ==?"})
	case t.kind == tokOperator && !t.is("("):
		p.report(fault{t.off, t.end, "syntax", fmt.Sprintf("%s is not expected here", t.text), p.thousands(t)})
	default:
		p.unjoined(t)
	}
	if t.kind == tokJunk || t.kind == tokOperator && !t.is("(") && !t.is("not") && !t.is("-") {
		p.advance()
	}
}

// thousands is advice about a comma within a number such as 1,000,000.
func (p *parser) thousands(t token) string {
	text := p.lex.text
	digit := func(i int) bool { return i >= 0 && i < len(text) && text[i] >= '0' && text[i] <= '9' }
	if t.is(",") && digit(t.off-1) && digit(t.end) && digit(t.end+1) && digit(t.end+2) && !digit(t.end+3) {
		return "write large numbers without commas: 1000000, 1_000_000 or 1e6"
	}
	return ""
}

// unjoined reports a value that follows another one. From here on the parser guesses, so that only
// the first is worth reporting.
func (p *parser) unjoined(t token) {
	if p.lost {
		return
	}
	p.lost = true
	hint := ""
	if w, ok := wordIndex[t.text]; ok && t.kind == tokName && w.args != "" {
		hint = "write " + w.Signature
	}
	p.report(fault{t.off, t.end, "syntax", fmt.Sprintf("an operator is missing before %s", p.shown(t)), hint})
}

func (p *parser) shown(t token) string {
	if t.kind == tokEnd {
		return "the end"
	}
	return clip(p.lex.text[t.off:t.end])
}

// Binding powers, loosest first. Comparisons do not chain.
const (
	powerOr = iota + 1
	powerAnd
	powerNot
	powerCompare
	powerSum
	powerProduct
	powerSign
	powerPostfix
)

// power of a binary operator, 0 for everything else.
func power(op string) int {
	switch op {
	case "or":
		return powerOr
	case "and":
		return powerAnd
	case "<", "<=", ">", ">=", "==", "!=":
		return powerCompare
	case "+", "-":
		return powerSum
	case "*", "/":
		return powerProduct
	}
	return 0
}

// expression reads operators that bind tighter than min.
func (p *parser) expression(min int) *tree {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxDepth {
		return p.tooDeep()
	}
	left := p.prefix()
	for p.tok.kind == tokOperator {
		op := p.tok
		bind := power(op.text)
		if bind == 0 || bind <= min {
			break
		}
		chained := bind == powerCompare && power(left.text) == powerCompare && !left.paren
		if chained && left.shape == shapeBinary {
			p.report(fault{op.off, op.end, "chained", "comparisons do not chain", ""})
		}
		p.advance()
		right := p.expression(bind)
		if chained {
			p.advise(op, left, right)
		}
		left = &tree{shape: shapeBinary, text: op.text, args: []*tree{left, right}, off: left.start(), end: right.stop(), at: op.off}
		if chained {
			left.shape = shapeBad
		}
	}
	return left
}

// tooDeep reports once and skips to the end: nothing sensible can follow.
func (p *parser) tooDeep() *tree {
	if !p.deep {
		p.deep = true
		p.report(fault{p.tok.off, p.tok.end, "too_deep", fmt.Sprintf("level %d of nesting, at most %d are possible", p.depth, maxDepth), "split it into named signals"})
	}
	t := &tree{off: p.tok.off, end: len(p.lex.text)}
	p.lex.at = len(p.lex.text)
	p.lex.report = func(fault) {}
	p.tok = token{off: p.lex.at, end: p.lex.at}
	return t
}

func (p *parser) prefix() *tree {
	for p.tok.kind == tokJunk {
		p.advance()
	}
	op := p.tok
	switch {
	case op.is("-"), op.is("+"):
		p.advance()
		x := p.expression(powerSign)
		if op.text == "+" {
			return x
		}
		return &tree{shape: shapeUnary, text: "-", args: []*tree{x}, off: op.off, end: x.stop(), at: op.off}
	case op.is("not"):
		p.advance()
		x := p.expression(powerNot)
		return &tree{shape: shapeUnary, text: "not", args: []*tree{x}, off: op.off, end: x.stop(), at: op.off}
	}
	return p.postfix(p.primary())
}

func (p *parser) primary() *tree {
	t := p.tok
	n := &tree{text: t.text, num: t.num, off: t.off, end: t.end, at: t.off}
	switch {
	case t.kind == tokNumber:
		n.shape = shapeNumber
	case t.kind == tokString:
		n.shape = shapeString
	case t.kind == tokName:
		n.shape = shapeName
	case t.kind == tokBad:
		// a hole, reported by the lexer
	case t.is("("):
		p.advance()
		if p.tok.is(")") {
			p.report(fault{t.off, p.tok.end, "syntax", "there is nothing between these parentheses", ""})
			p.advance()
			return n
		}
		x := p.expression(0)
		end, closed := p.close(")", t)
		x.from, x.to, x.paren = t.off, end, true
		if !closed {
			return &tree{args: []*tree{x}, off: t.off, end: end}
		}
		return x
	default:
		if !p.deep {
			p.report(fault{t.off, t.end, "syntax", fmt.Sprintf("a value is missing before %s", p.shown(t)), ""})
		}
		// Closers and separators belong to someone outside; all else would stop the loop above.
		if t.kind == tokEnd || t.is(")") || t.is("]") || t.is(",") || power(t.text) > 0 {
			n.end = n.off
			return n
		}
	}
	p.advance()
	return n
}

// close steps over the closing mark that belongs to open, or reports that it is missing. What was
// read is then not what was meant.
func (p *parser) close(mark string, open token) (end int, ok bool) {
	for !p.tok.is(mark) {
		if p.tok.kind == tokEnd {
			if !p.deep {
				p.report(fault{open.off, open.end, "syntax", fmt.Sprintf("this %s is never closed", open.text), fmt.Sprintf("add %s", mark)})
			}
			return p.tok.off, false
		}
		// A wrong closer, or something without an operator before it: say so and look further.
		p.leftover()
		if p.tok.kind != tokEnd && !p.tok.is(mark) && !p.tok.is(",") && !p.tok.is("]") && !p.tok.is(")") {
			p.expression(0)
		}
	}
	end = p.tok.end
	p.advance()
	return end, true
}

// postfix reads what may follow a value: [n], .name and (arguments).
func (p *parser) postfix(x *tree) *tree {
	for p.tok.kind == tokOperator {
		open := p.tok
		switch open.text {
		case "[":
			p.advance()
			n := p.expression(0)
			end, closed := p.close("]", open)
			x = &tree{shape: shapeIndex, args: []*tree{x, n}, off: x.start(), end: end, at: open.off}
			if !closed {
				x.shape = shapeBad
			}
		case ".":
			p.advance()
			if p.tok.kind != tokName {
				p.report(fault{open.off, open.end, "syntax", "a name is missing after the dot", ""})
				return &tree{args: []*tree{x}, off: x.start(), end: open.end}
			}
			x = &tree{shape: shapeMember, text: p.tok.text, args: []*tree{x}, off: x.start(), end: p.tok.end, at: p.tok.off}
			p.advance()
		case "(":
			if x.paren || x.shape != shapeName && x.shape != shapeMember {
				return x
			}
			p.advance()
			x = p.arguments(x, open)
		default:
			return x
		}
		if p.depth++; p.depth > maxDepth { // a chain such as x[1][1][1]... nests as well
			defer func() { p.depth-- }()
			return p.tooDeep()
		}
		defer func() { p.depth-- }()
	}
	return x
}

// arguments reads what stands between the parentheses of a call to fn.
func (p *parser) arguments(fn *tree, open token) *tree {
	call := &tree{shape: shapeCall, text: fn.text, off: fn.start(), at: fn.at}
	if fn.shape == shapeMember {
		call.on = true
		call.args, call.names = []*tree{fn.args[0]}, []string{""}
	}
	for !p.tok.is(")") && p.tok.kind != tokEnd {
		name := ""
		x := p.expression(0)
		if p.tok.is("=") && x.shape == shapeName && !x.paren {
			name = x.text
			p.advance()
			x = p.expression(0)
		}
		call.args = append(call.args, x)
		call.names = append(call.names, name)
		for !p.tok.is(",") && !p.tok.is(")") && p.tok.kind != tokEnd { // a fault; read on
			p.leftover()
			if p.tok.kind != tokEnd && !p.tok.is(",") && !p.tok.is(")") {
				p.expression(0)
			}
		}
		if !p.tok.is(",") {
			break
		}
		p.advance()
		if p.tok.is(")") {
			p.report(fault{p.tok.off, p.tok.end, "syntax", "a value is missing before )", ""})
			call.args, call.names = append(call.args, &tree{off: p.tok.off, end: p.tok.off}), append(call.names, "")
		}
	}
	closed := false
	if call.end, closed = p.close(")", open); !closed {
		call.shape = shapeBad
	}
	return call
}
