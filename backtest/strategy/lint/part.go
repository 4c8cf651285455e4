package lint

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"backtester/backtest/expr"
	"backtester/backtest/strategy"
)

// part is a piece of a condition: the whole, or what `and`, `or`, `not` and parentheses join.
type part struct {
	path     string // of the value in the file
	whole    string // the value
	from, to int    // bytes of it
	op       string // and, or, not; "" for what cannot be taken apart
	parts    []part
}

// key tells parts of a file apart.
type key struct {
	path     string
	from, to int
}

func (p part) key() key { return key{p.path, p.from, p.to} }

// source is the part as it was written, in one line.
func (p part) source() string {
	return strings.Join(strings.Fields(p.whole[p.from:p.to]), " ")
}

// text is the part in canonical form.
func (p part) text() string {
	s, err := expr.Format(p.source())
	if err != nil {
		return p.source()
	}
	return s
}

func (p part) diagnostic(f *strategy.File, code, hint, message string) strategy.Diagnostic {
	before := utf8.RuneCountInString(p.whole[:p.from])
	pos, width := f.Place(p.path, before, utf8.RuneCountInString(p.whole[p.from:p.to]))
	return strategy.Diagnostic{Pos: pos, Length: width, Code: code, Hint: hint, Message: message}
}

// all calls f for p and everything in it, outermost first.
func (p part) all(f func(part)) {
	f(p)
	for _, q := range p.parts {
		q.all(f)
	}
}

// joined are the parts that op joins, those of parts with the same op among them.
func (p part) joined(op string) []part {
	if p.op != op {
		return []part{p}
	}
	var out []part
	for _, q := range p.parts {
		out = append(out, q.joined(op)...)
	}
	return out
}

// take takes a condition apart. The value must be an expression without faults.
func take(path, value string) part {
	return taking(part{path: path, whole: value, to: len(value)}, 0)
}

const deepest = 60

func taking(p part, depth int) part {
	p = p.bare()
	if depth > deepest {
		return p
	}
	for _, op := range []string{"or", "and"} {
		cuts := p.words(op)
		if len(cuts) == 0 {
			continue
		}
		p.op = op
		from := p.from
		for _, at := range append(cuts, p.to) {
			p.parts = append(p.parts, taking(part{path: p.path, whole: p.whole, from: from, to: at}, depth+1))
			from = at + len(op)
		}
		return p
	}
	if cuts := p.words("not"); len(cuts) > 0 && cuts[0] == p.from {
		p.op = "not"
		p.parts = []part{taking(part{path: p.path, whole: p.whole, from: p.from + 3, to: p.to}, depth+1)}
	}
	return p
}

// bare leaves out white space and parentheses around the whole.
func (p part) bare() part {
	for {
		for p.from < p.to && strings.IndexByte(" \t\r\n", p.whole[p.from]) >= 0 {
			p.from++
		}
		for p.to > p.from && strings.IndexByte(" \t\r\n", p.whole[p.to-1]) >= 0 {
			p.to--
		}
		if p.to-p.from < 2 || p.whole[p.from] != '(' || p.closing() != p.to-1 {
			return p
		}
		p.from++
		p.to--
	}
}

// closing is where the bracket that p begins with is closed.
func (p part) closing() int {
	end := -1
	p.scan(func(at, depth int, _ string) {
		if end < 0 && depth == 0 && p.whole[at] == ')' {
			end = at
		}
	})
	return end
}

// words are the places of a word outside of brackets and quotes.
func (p part) words(word string) []int {
	var out []int
	p.scan(func(at, depth int, name string) {
		if depth == 0 && name == word {
			out = append(out, at)
		}
	})
	return out
}

// scan calls f for every name and every other character that is no part of one, with the number of
// brackets that are open there; a closing bracket counts as outside. Texts in quotes are passed over.
func (p part) scan(f func(at, depth int, name string)) {
	depth := 0
	for i := p.from; i < p.to; i++ {
		c := p.whole[i]
		switch {
		case c == '"' || c == '\'':
			if n := strings.IndexByte(p.whole[i+1:p.to], c); n >= 0 {
				i += n + 1
			}
		case letter(c):
			end := i
			for end < p.to && (letter(p.whole[end]) || p.whole[end] >= '0' && p.whole[end] <= '9') {
				end++
			}
			f(i, depth, p.whole[i:end])
			i = end - 1
		case c == '(' || c == '[':
			f(i, depth, "")
			depth++
		case c == ')' || c == ']':
			depth--
			f(i, depth, "")
		default:
			f(i, depth, "")
		}
	}
}

func letter(c byte) bool { return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// names are the words in p.
func (p part) names() map[string]bool {
	out := map[string]bool{}
	p.scan(func(_, _ int, name string) { out[name] = true })
	return out
}

// comparison is a part of the form left op right, both sides in canonical form. A number stands on the
// right.
type comparison struct {
	left, op, right string
	number          float64
	constant        bool // right is number
}

// compared takes a comparison apart.
func (p part) compared() (comparison, bool) {
	at, width := -1, 0
	p.scan(func(i, depth int, _ string) {
		if depth != 0 || at >= 0 || strings.IndexByte("<>=!", p.whole[i]) < 0 {
			return
		}
		at, width = i, 1
		if i+1 < p.to && p.whole[i+1] == '=' {
			width = 2
		}
	})
	if p.op != "" || at < 0 || p.whole[at:at+width] == "=" {
		return comparison{}, false
	}
	side := func(from, to int) string { return part{whole: p.whole, from: from, to: to}.text() }
	c := comparison{left: side(p.from, at), op: p.whole[at : at+width], right: side(at+width, p.to)}
	if _, ok := number(c.left); ok {
		c.left, c.right = c.right, c.left
		c.op = map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}[c.op]
	}
	c.number, c.constant = number(c.right)
	return c, c.left != "" && c.right != ""
}

func number(text string) (float64, bool) {
	x, err := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64)
	return x, err == nil && text[0] != 'n' && text[0] != 'i' && text[0] != 'N' && text[0] != 'I'
}
