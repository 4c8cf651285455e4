package expr

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits that keep the cost of any text bounded. They are far beyond what people write.
const (
	maxText  = 10_000 // bytes of one text
	maxDepth = 100    // nested parentheses, calls and operators
	maxTerms = 10_000 // operations of one expression after signals are put in
	maxOps   = 256    // operations of one exit rule that have to be done bar by bar

	maxFaults = 100 // reported of one text; nobody reads more
)

type tokenKind uint8

const (
	tokEnd tokenKind = iota
	tokNumber
	tokName
	tokString
	tokOperator // text is the operator: + - * / < <= > >= == != = ( ) [ ] , . and or not
	tokBad      // something in place of a value, reported already
	tokJunk     // something in place of nothing, reported already
)

type token struct {
	kind     tokenKind
	text     string // numbers and names as written, strings without quotes
	num      float64
	off, end int // bytes [off, end) of the text
}

func (t token) is(op string) bool { return t.kind == tokOperator && t.text == op }

// lexer cuts a text into tokens; faults go to report.
type lexer struct {
	text   string
	at     int
	report func(fault)
	asked  bool // a ? was reported, and its : is no other fault
}

// fault is a Diagnostic whose place is still an offset into its text.
type fault struct {
	off, end            int
	code, message, hint string
}

func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' }

// isName reports whether s can be the name of a parameter or signal.
func isName(s string) bool {
	for i := range len(s) {
		if !isLetter(s[i]) && (i == 0 || !isDigit(s[i])) {
			return false
		}
	}
	return s != ""
}

// next is the token at l.at; the last one is tokEnd for ever.
func (l *lexer) next() token {
	for l.at < len(l.text) && strings.IndexByte(" \t\r\n", l.text[l.at]) >= 0 {
		l.at++
	}
	t := token{off: l.at, end: l.at}
	if l.at == len(l.text) {
		return t
	}
	switch c := l.text[l.at]; {
	case isLetter(c):
		l.name(&t)
	case isDigit(c) || c == '.' && l.at+1 < len(l.text) && isDigit(l.text[l.at+1]):
		l.number(&t)
	case c == '"' || c == '\'':
		l.quoted(&t, c)
	default:
		l.operator(&t)
	}
	l.at = t.end
	return t
}

func (l *lexer) name(t *token) {
	for t.end < len(l.text) && (isLetter(l.text[t.end]) || isDigit(l.text[t.end])) {
		t.end++
	}
	t.kind, t.text = tokName, l.text[t.off:t.end]
	switch lower := strings.ToLower(t.text); lower {
	case "and", "or", "not":
		if lower != t.text {
			hint := "did you mean " + lower + "?"
			if lower != "not" && strings.HasPrefix(strings.TrimLeft(l.text[t.end:], " "), "(") {
				hint = "write it between conditions: a " + lower + " b"
			}
			l.bad(t, "bad_operator", t.text+" is not an operator of this language", hint)
		}
		t.kind, t.text = tokOperator, lower
	}
}

// number reads 5, 0.5, .5, 5e6, 1_000. Underscores stand between digits only.
func (l *lexer) number(t *token) {
	s := l.text
	digits := func() {
		for t.end < len(s) && (isDigit(s[t.end]) || s[t.end] == '_') {
			t.end++
		}
	}
	digits()
	if t.end+1 < len(s) && s[t.end] == '.' && isDigit(s[t.end+1]) {
		t.end++
		digits()
	}
	if t.end < len(s) && (s[t.end] == 'e' || s[t.end] == 'E') {
		k := t.end + 1
		if k < len(s) && (s[k] == '+' || s[k] == '-') {
			k++
		}
		if k < len(s) && isDigit(s[k]) {
			t.end = k
			digits()
		}
	}
	// What follows directly must not look like part of the number: 10x, 1.2.3, 5m.
	tail := t.end
	for tail < len(s) && (isLetter(s[tail]) || isDigit(s[tail]) || s[tail] == '.' && tail+1 < len(s) && isDigit(s[tail+1])) {
		tail++
	}
	t.text = s[t.off:t.end]
	v, err := strconv.ParseFloat(strings.ReplaceAll(t.text, "_", ""), 64)
	t.kind, t.num = tokNumber, v
	switch {
	case tail > t.end:
		t.end = tail
		l.bad(t, "bad_number", fmt.Sprintf("%q is not a number", s[t.off:tail]), "write it out, such as 5000000 or 5e6")
	case strings.HasSuffix(t.text, "_") || strings.Contains(t.text, "__") || strings.Contains(t.text, "_.") || strings.Contains(t.text, "_e") || strings.Contains(t.text, "_E") || strings.Contains(t.text, "._"):
		l.bad(t, "bad_number", fmt.Sprintf("%q is not a number", t.text), "an underscore stands between two digits")
	case err != nil:
		l.bad(t, "bad_number", fmt.Sprintf("the number %s is too large", clip(t.text)), "")
	}
}

func (l *lexer) quoted(t *token, quote byte) {
	n := strings.IndexByte(l.text[t.off+1:], quote)
	if n < 0 || strings.ContainsAny(l.text[t.off+1:t.off+1+n], "\r\n") {
		t.end = len(l.text)
		l.bad(t, "open_string", "this quotation mark is never closed", "")
		return
	}
	t.kind, t.text, t.end = tokString, l.text[t.off+1:t.off+1+n], t.off+n+2
}

// foreign are operators of other languages and what they are called here.
var foreign = [...]struct{ op, hint string }{
	{"&&", "write and"}, {"||", "write or"}, {"**", "write pow(x, y)"}, {"<>", "write !="}, {"=>", "write >="},
	{"=<", "write <="}, {":=", "name it under signals"}, {"&", "write and"}, {"|", "write or"}, {"!", "write not"},
	{"^", "write pow(x, y)"}, {"%", "write fractions: 0.05, not 5%"}, {"?", "write if(condition, x, y)"},
	{":", "write if(condition, x, y)"}, {";", "separate arguments with commas; there is one expression only"}, {"{", "use ( )"}, {"}", "use ( )"}, {"#", "comments belong to the file, not into the expression"},
	{"≤", "write <="}, {"≥", "write >="}, {"≠", "write !="}, {"×", "write *"}, {"−", "write -"},
}

func (l *lexer) operator(t *token) {
	rest := l.text[t.off:]
	t.kind = tokOperator
	for _, op := range [...]string{"<=", ">=", "==", "!="} {
		if strings.HasPrefix(rest, op) {
			t.text, t.end = op, t.off+2
			return
		}
	}
	for _, f := range foreign {
		if strings.HasPrefix(rest, f.op) {
			t.end = t.off + len(f.op)
			if f.op != ":" || !l.asked {
				l.bad(t, "bad_operator", fmt.Sprintf("%q is not an operator of this language", f.op), f.hint)
			}
			l.asked = l.asked || f.op == "?"
			t.kind = tokJunk
			return
		}
	}
	if strings.IndexByte("+-*/<>=()[],.", rest[0]) >= 0 {
		t.text, t.end = rest[:1], t.off+1
		return
	}
	r, n := utf8.DecodeRuneInString(rest)
	t.end = t.off + n
	l.bad(t, "bad_character", fmt.Sprintf("the character %q has no meaning here", r), "")
	t.kind = tokJunk
}

func (l *lexer) bad(t *token, code, message, hint string) {
	t.kind = tokBad
	l.report(fault{t.off, t.end, code, message, hint})
}

// clip shortens s for a message.
func clip(s string) string {
	const most = 40
	if len(s) <= most {
		return s
	}
	n := most
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "..."
}
