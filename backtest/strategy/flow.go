package strategy

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// Inside { } and [ ], YAML ends a plain value at every comma and bracket, so that
//
//	exit: {when: close > sma(close, 20), stop: low[1]}
//
// would fall to pieces. Expressions are what these files are made of, so commas and brackets that
// belong to a call or an index (inside balanced parentheses, or directly after a name) are replaced
// by stand-ins of the same width before YAML reads the text, and turned back in every value. Places
// stay what they are. Block style needs none of it and quoted texts are left alone.
const (
	commaStandIn = '\uE000'
	openStandIn  = '\uE001'
	closeStandIn = '\uE002'
)

// protectFlow returns the text with stand-ins and what turns them back, nil when none were needed. A
// text that uses these characters itself is left as it is.
func protectFlow(data []byte) ([]byte, *strings.Replacer) {
	for _, r := range []rune{commaStandIn, openStandIn, closeStandIn} {
		if bytes.ContainsRune(data, r) {
			return data, nil
		}
	}
	p := flowScanner{in: data}
	p.block()
	if !p.changed {
		return data, nil
	}
	return p.out.Bytes(), strings.NewReplacer(
		string(commaStandIn), ",", string(openStandIn), "[", string(closeStandIn), "]")
}

// flowScanner knows just enough of YAML to tell flow style from the rest: where comments, quotes and
// text blocks are. A wrong guess about exotic YAML leaves the text as it was.
type flowScanner struct {
	in       []byte
	at       int
	out      bytes.Buffer
	changed  bool
	hopeless int // brackets opened before this byte are known to be unbalanced
}

func (p *flowScanner) peek(n int) byte {
	if p.at+n < 0 || p.at+n >= len(p.in) {
		return '\n'
	}
	return p.in[p.at+n]
}

// copy passes n bytes through.
func (p *flowScanner) copy(n int) {
	n = min(n, len(p.in)-p.at)
	p.out.Write(p.in[p.at : p.at+n])
	p.at += n
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// block scans the document outside flow style. start is true where a value could begin.
func (p *flowScanner) block() {
	start := true
	for p.at < len(p.in) {
		c := p.in[p.at]
		switch {
		case c == '\n' || c == '\r':
			start = true
			p.copy(1)
		case c == ' ' || c == '\t':
			p.copy(1)
		case c == '#' && blank(p.peek(-1)):
			p.comment()
		case start && (c == '"' || c == '\''):
			p.quoted(c)
			start = false
		case start && (c == '|' || c == '>'):
			p.textBlock()
		case start && (c == '{' || c == '['):
			p.flow()
			start = false
		case start && (c == '-' || c == '?') && blank(p.peek(1)):
			p.copy(1)
		case c == ':' && blank(p.peek(1)):
			start = true
			p.copy(1)
		default:
			start = false
			p.copy(1)
		}
	}
}

func (p *flowScanner) comment() {
	for p.at < len(p.in) && p.in[p.at] != '\n' {
		p.copy(1)
	}
}

func (p *flowScanner) quoted(q byte) {
	p.copy(1)
	for p.at < len(p.in) {
		switch c := p.in[p.at]; {
		case c == '\\' && q == '"':
			p.copy(2)
		case c == q && q == '\'' && p.peek(1) == q:
			p.copy(2)
		case c == q:
			p.copy(1)
			return
		default:
			p.copy(1)
		}
	}
}

// textBlock passes a literal or folded text: the lines indented deeper than what it belongs to.
func (p *flowScanner) textBlock() {
	line := bytes.LastIndexByte(p.in[:p.at], '\n') + 1
	owner := line
	for owner < p.at && p.in[owner] == ' ' {
		owner++
	}
	// In "- key: |" the text belongs to key, in "- |" to the dash.
	for next := owner; p.in[next] == '-' && next+1 < p.at && p.in[next+1] == ' '; {
		for next++; next < p.at && p.in[next] == ' '; next++ {
		}
		if next == p.at {
			break
		}
		owner = next
	}
	indent := owner - line
	for p.comment(); p.at < len(p.in); p.comment() {
		text := p.in[p.at+1:]
		deep := len(text) - len(bytes.TrimLeft(text, " "))
		if deep < len(text) && text[deep] != '\n' && text[deep] != '\r' && deep <= indent {
			return
		}
		p.copy(1)
	}
}

// flow scans one { } or [ ] to its end.
func (p *flowScanner) flow() {
	depth, start := 0, true
	for p.at < len(p.in) {
		c := p.in[p.at]
		switch {
		case blank(c):
			p.copy(1)
		case c == '#' && blank(p.peek(-1)):
			p.comment()
		case start && (c == '"' || c == '\''):
			p.quoted(c)
			start = false
		case c == '(' || c == '[' && !start && joins(p.peek(-1)):
			p.protect()
			start = false
		case c == '{' || c == '[':
			depth++
			start = true
			p.copy(1)
		case c == '}' || c == ']':
			depth--
			start = false
			p.copy(1)
			if depth <= 0 {
				return
			}
		case c == ',', c == ':' && (blank(p.peek(1)) || strings.IndexByte(",[]{}\"'", p.peek(1)) >= 0):
			start = true
			p.copy(1)
		default:
			start = false
			p.copy(1)
		}
	}
}

// joins reports a byte after which [ is an index: the end of a name, a call or another index.
func joins(c byte) bool {
	return c == '_' || c == ')' || c == ']' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// protect passes a balanced ( ) or [ ] with stand-ins; an unbalanced one as it is.
func (p *flowScanner) protect() {
	end, ok := p.at, false
	if p.at >= p.hopeless {
		end, ok = p.balanced()
	}
	if !ok {
		p.hopeless = max(p.hopeless, end)
		p.copy(1)
		return
	}
	for p.at < end {
		switch p.in[p.at] {
		case ',':
			p.stand(commaStandIn)
		case '[':
			p.stand(openStandIn)
		case ']':
			p.stand(closeStandIn)
		default:
			p.copy(1)
		}
	}
}

func (p *flowScanner) stand(r rune) {
	p.out.Write(utf8.AppendRune(nil, r))
	p.at++
	p.changed = true
}

// balanced finds the end of the bracket that opens here. It gives up, and says where, at braces, at
// comments and after the longest expression there can be.
func (p *flowScanner) balanced() (end int, ok bool) {
	const longest = 4096
	limit := min(len(p.in), p.at+longest)
	var open []byte
	var quote byte
	for i := p.at; i < limit; i++ {
		c := p.in[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '(' || c == '[':
			open = append(open, c)
		case c == ')' || c == ']':
			if want := map[byte]byte{')': '(', ']': '['}[c]; open[len(open)-1] != want {
				return i, false
			}
			if open = open[:len(open)-1]; len(open) == 0 {
				return i + 1, true
			}
		case c == '{' || c == '}' || c == '#':
			return i, false
		}
	}
	return limit, false
}
