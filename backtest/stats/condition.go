package stats

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"backtester/backtest/bar/spell"
)

// Condition is a parsed expression on metrics, such as "sharpe < 1 and max_drawdown < -0.3".
//
// Grammar: comparisons < <= > >= == != between metric keys, numbers and products of a number and a key, such
// as 0.1 * final_equity, joined by and, or, not and parentheses; not binds tighter than and, and tighter than or.
type Condition struct {
	text string
	root node
}

// Figures are what a condition is about: those of Metrics, or of another document that has figures by name.
type Figures interface {
	Get(key string) (value float64, defined bool)
	Reason(key string) string // why there is no value
}

// UndefinedError says that a condition uses a metric that the run does not define.
type UndefinedError struct {
	Key    string
	Reason string // of Metrics.Reason
}

func (e *UndefinedError) Error() string {
	return fmt.Sprintf("metric %s is undefined: %s", e.Key, e.Reason)
}

// String is the text that was parsed.
func (c Condition) String() string { return c.text }

// Eval reports whether the condition holds for m. When any metric in it is undefined, whatever the
// others say, it answers with the first such metric: a check that cannot be made has not passed.
func (c Condition) Eval(m Figures) (hit bool, undefined *UndefinedError) {
	if c.root == nil {
		return false, nil
	}
	for _, k := range c.Keys() {
		if _, ok := m.Get(k); !ok {
			return false, &UndefinedError{Key: k, Reason: m.Reason(k)}
		}
	}
	return c.root.holds(m), nil
}

// Keys are the metrics that the condition uses, each once, in order of appearance.
func (c Condition) Keys() []string {
	if c.root == nil {
		return nil
	}
	var keys []string
	for _, k := range c.root.keys(nil) {
		if !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	return keys
}

type node interface {
	holds(Figures) bool
	keys([]string) []string
}

type logical struct {
	or   bool
	l, r node
}

func (n logical) holds(m Figures) bool {
	if n.or {
		return n.l.holds(m) || n.r.holds(m)
	}
	return n.l.holds(m) && n.r.holds(m)
}
func (n logical) keys(k []string) []string { return n.r.keys(n.l.keys(k)) }

type negation struct{ x node }

func (n negation) holds(m Figures) bool     { return !n.x.holds(m) }
func (n negation) keys(k []string) []string { return n.x.keys(k) }

type comparison struct {
	op   string
	l, r operand
}

// operand is a number, or num times the figure of key.
type operand struct {
	key string // "" for a number
	num float64
}

func (o operand) value(m Figures) float64 {
	if o.key == "" {
		return o.num
	}
	v, _ := m.Get(o.key)
	return o.num * v
}

func (n comparison) holds(m Figures) bool {
	a, b := n.l.value(m), n.r.value(m)
	switch n.op {
	case "<":
		return a < b
	case "<=":
		return a <= b
	case ">":
		return a > b
	case ">=":
		return a >= b
	case "==":
		return a == b
	}
	return a != b
}

func (n comparison) keys(k []string) []string {
	for _, o := range []operand{n.l, n.r} {
		if o.key != "" {
			k = append(k, o.key)
		}
	}
	return k
}

// ParseCondition reads a condition. An error names the column, 1-based, and for an unknown metric
// the nearest known one.
func ParseCondition(s string) (Condition, error) { return parseCondition(s, nil) }

// ParseConditionOn reads a condition on the figures with these keys, in place of metrics.
func ParseConditionOn(s string, keys []string) (Condition, error) { return parseCondition(s, keys) }

func parseCondition(s string, keys []string) (Condition, error) {
	p := parser{text: s, known: keys}
	p.next()
	n, err := p.either()
	if err == nil && p.tok != "" {
		err = p.errorf("unexpected %q", p.tok)
	}
	if err != nil {
		return Condition{}, fmt.Errorf("read condition %q: %w", s, err)
	}
	return Condition{text: s, root: n}, nil
}

// parser reads by recursive descent; tok is the token at column at, "" at the end.
type parser struct {
	text  string
	pos   int
	tok   string
	at    int
	depth int
	known []string // keys; nil is those of the table
}

func (p *parser) errorf(format string, a ...any) error {
	return fmt.Errorf("column %d: %s", p.at+1, fmt.Sprintf(format, a...))
}

func (p *parser) next() {
	for p.pos < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.pos]) >= 0 {
		p.pos++
	}
	p.at = p.pos
	if p.pos == len(p.text) {
		p.tok = ""
		return
	}
	rest := p.text[p.pos:]
	n := 1
	switch c := rest[0]; {
	case strings.IndexByte("<>=!", c) >= 0:
		if len(rest) > 1 && rest[1] == '=' {
			n = 2
		}
	case wordByte(c) || c == '-' || c == '+':
		for n < len(rest) && (wordByte(rest[n]) || exponentSign(rest[:n+1])) {
			n++
		}
	case c >= 0x80:
		for n < len(rest) && rest[n] >= 0x80 {
			n++
		}
	}
	p.tok, p.pos = rest[:n], p.pos+n
}

func wordByte(c byte) bool {
	return c == '_' || c == '.' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// exponentSign reports whether s, which began a number, ends in the sign of its exponent.
func exponentSign(s string) bool {
	n := len(s)
	return n >= 3 && (s[n-1] == '-' || s[n-1] == '+') && (s[n-2] == 'e' || s[n-2] == 'E') &&
		strings.IndexByte("0123456789.-+", s[0]) >= 0
}

func (p *parser) either() (node, error) { return p.chain("or", p.both) }
func (p *parser) both() (node, error)   { return p.chain("and", p.not) }

func (p *parser) chain(word string, part func() (node, error)) (node, error) {
	n, err := part()
	for err == nil && p.tok == word {
		p.next()
		var r node
		if r, err = part(); err == nil {
			n = logical{or: word == "or", l: n, r: r}
		}
	}
	return n, err
}

func (p *parser) not() (node, error) {
	if p.depth++; p.depth > 100 {
		return nil, p.errorf("nested too deeply")
	}
	defer func() { p.depth-- }()
	switch p.tok {
	case "not":
		p.next()
		n, err := p.not()
		return negation{n}, err
	case "(":
		p.next()
		n, err := p.either()
		if err == nil && p.tok != ")" {
			err = p.errorf("want ), have %s", p.have())
		}
		p.next()
		return n, err
	}
	return p.compare()
}

func (p *parser) compare() (node, error) {
	l, err := p.operand()
	if err != nil {
		return nil, err
	}
	op := p.tok
	switch op {
	case "<", "<=", ">", ">=", "==", "!=":
	case "=":
		return nil, p.errorf("want a comparison, have = (did you mean ==?)")
	default:
		return nil, p.errorf("want one of < <= > >= == != after %s, have %s", l, p.have())
	}
	p.next()
	r, err := p.operand()
	if err != nil {
		return nil, err
	}
	if l.key == "" && r.key == "" {
		return nil, p.errorf("a comparison of two numbers says nothing about the run")
	}
	return comparison{op, l, r}, nil
}

func (o operand) String() string {
	number := strconv.FormatFloat(o.num, 'g', -1, 64)
	switch {
	case o.key == "":
		return number
	case o.num == 1:
		return o.key
	}
	return number + " * " + o.key
}

func (p *parser) have() string {
	if p.tok == "" {
		return "the end"
	}
	return strconv.Quote(p.tok)
}

func (p *parser) operand() (operand, error) {
	tok := p.tok
	if tok == "" || strings.IndexByte("()<>=!*", tok[0]) >= 0 {
		return operand{}, p.errorf("want a metric or a number, have %s", p.have())
	}
	if strings.IndexByte("0123456789.-+", tok[0]) >= 0 {
		v, err := strconv.ParseFloat(tok, 64)
		if err != nil || v-v != 0 || strings.ContainsAny(tok, "xXpP_") {
			return operand{}, p.errorf("%q is not a number", tok)
		}
		if p.next(); p.tok != "*" {
			return operand{num: v}, nil
		}
		p.next()
		return p.figure(v)
	}
	return p.figure(1)
}

// figure reads the key of a figure, to be taken so many times.
func (p *parser) figure(times float64) (operand, error) {
	tok := p.tok
	if p.known != nil {
		if !slices.Contains(p.known, tok) {
			return operand{}, p.errorf("there is no figure %q%s", tok, suggest(tok, p.known))
		}
		p.next()
		return operand{tok, times}, nil
	}
	m, ok := Lookup(tok)
	switch {
	case tok == "":
		return operand{}, p.errorf("want a metric, have the end")
	case !ok:
		return operand{}, p.errorf("there is no metric %q%s", tok, suggest(tok, Keys()))
	case m.Unit == CivilDate:
		return operand{}, p.errorf("%s is a date and cannot be compared", tok)
	}
	p.next()
	return operand{tok, times}, nil
}

// suggest is " (did you mean X?)" for the nearest key, "" when none is near.
func suggest(word string, keys []string) string {
	key := spell.Nearest(word, keys)
	if key == "" {
		return ""
	}
	return " (did you mean " + key + "?)"
}
