package script

import (
	"fmt"
	"math/big"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// What one operation may make. A script works with prices and tickers: these are far beyond its needs.
const (
	maxItems  = 100_000
	maxLength = 64 << 10 // bytes of a text
	maxBits   = 4096     // of a whole number
	maxTuple  = 1000     // values in a tuple, tuples in it included
	maxPrints = 100      // lines of print that are kept, of at most so many bytes
	maxPrint  = 500
)

// meterKey is where a thread keeps its meter.
const meterKey = "meter"

// meter counts what a run of a script makes.
type meter struct {
	thread  *starlark.Thread
	made    int64 // bytes made by guarded operations since the last weighing
	prints  []string
	dropped int // prints beyond maxPrints
}

// Work counts as steps, so that the limits on steps bound time as well: one for some ten items, or some
// hundred bytes.

// take charges for n items.
func (m *meter) take(n int) error {
	if n > maxItems {
		return fmt.Errorf("this makes %d items, at most %d are possible", n, maxItems)
	}
	m.look(n)
	m.made += 16 * int64(max(n, 0))
	return nil
}

// look charges for looking at n items.
func (m *meter) look(n int) { m.thread.Steps += uint64(max(n, 0)+7) / 8 }

// text charges for n bytes.
func (m *meter) text(n int) error {
	if n > maxLength || n < 0 {
		return fmt.Errorf("this makes a text of more than %d bytes", maxLength)
	}
	m.thread.Steps += uint64(n) / 64
	m.made += int64(n)
	return nil
}

// small charges for a tuple, which must be small: finding one in a dict looks at all of it.
func (m *meter) small(t starlark.Tuple) error {
	if weigh(t, maxTuple) > maxTuple {
		return fmt.Errorf("a tuple holds more than %d values: use a list", maxTuple)
	}
	return m.take(len(t))
}

// weigh counts values, those inside of others included and as often as they are reached; it stops
// counting beyond limit. Texts count by their length.
func weigh(v starlark.Value, limit int) int {
	n := 1
	switch v := v.(type) {
	case starlark.String:
		n += len(v) / 16
	case starlark.Tuple:
		for i := 0; i < len(v) && n <= limit; i++ {
			n += weigh(v[i], limit-n)
		}
	case *starlark.List:
		for i := 0; i < v.Len() && n <= limit; i++ {
			n += weigh(v.Index(i), limit-n)
		}
	case *starlark.Dict:
		for key, value := range v.Entries() {
			if n > limit {
				break
			}
			n += weigh(key, limit-n)
			n += weigh(value, limit-n)
		}
	case *starlark.Set:
		for x := range v.Elements() {
			if n > limit {
				break
			}
			n += weigh(x, limit-n)
		}
	}
	return n
}

type operation = func(m *meter, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error)

// binaryOf is an operator that looks at its operands first.
func binaryOf(op syntax.Token) operation {
	return func(m *meter, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		x, y := args[0], args[1]
		_, float := x.(starlark.Float)
		if _, too := y.(starlark.Float); !float && !too || op == syntax.PERCENT {
			if err := m.admit(op, x, y); err != nil {
				return nil, err
			}
		}
		switch op {
		case syntax.EQL, syntax.NEQ, syntax.LT, syntax.LE, syntax.GT, syntax.GE:
			yes, err := starlark.Compare(op, x, y)
			return starlark.Bool(yes), err
		}
		return starlark.Binary(op, x, y)
	}
}

// extended is x += y: a list grows in place, everything else is x + y.
func extended(m *meter, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	list, ok := args[0].(*starlark.List)
	more, too := args[1].(starlark.Iterable)
	if !ok || !too {
		return binaryOf(syntax.PLUS)(m, args, kwargs)
	}
	if err := m.take(list.Len() + max(starlark.Len(more), 0)); err != nil {
		return nil, err
	}
	var add []starlark.Value // first, for x += x
	for v := range starlark.Elements(more) {
		add = append(add, v)
	}
	for _, v := range add {
		if err := list.Append(v); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// admit charges for x op y.
func (m *meter) admit(op syntax.Token, x, y starlark.Value) error {
	switch op {
	case syntax.PLUS:
		if a, ok := x.(starlark.String); ok {
			return m.text(len(a) + starlark.Len(y))
		}
		if a, ok := x.(starlark.Tuple); ok {
			if b, ok := y.(starlark.Tuple); ok && weigh(a, maxTuple)+weigh(b, maxTuple) > maxTuple {
				return m.small(append(a[:len(a):len(a)], b...))
			}
		}
		if a, ok := x.(starlark.Int); ok {
			return m.digits(a, y, false)
		}
		return m.take(starlark.Len(x) + max(starlark.Len(y), 0))
	case syntax.IN, syntax.NOT_IN:
		if s, ok := y.(starlark.Indexable); ok {
			m.look(s.Len())
		}
	case syntax.MINUS, syntax.PIPE, syntax.AMP, syntax.CIRCUMFLEX:
		return m.take(max(starlark.Len(x), 0) + max(starlark.Len(y), 0))
	case syntax.EQL, syntax.NEQ, syntax.LT, syntax.LE, syntax.GT, syntax.GE:
		n := min(weigh(x, maxItems+1), weigh(y, maxItems+1))
		if n > maxItems {
			return fmt.Errorf("this compares more than %d values", maxItems)
		}
		m.look(n)
	case syntax.STAR:
		return m.repeat(x, y)
	case syntax.LTLT:
		if a, ok := x.(starlark.Int); ok {
			return m.digits(a, starlark.MakeInt(0), false)
		}
	case syntax.PERCENT:
		if format, ok := x.(starlark.String); ok {
			return m.text(len(format) + 32*weigh(y, maxLength/32))
		}
	}
	return nil
}

// repeat charges for x * y.
func (m *meter) repeat(x, y starlark.Value) error {
	times, ok := y.(starlark.Int)
	thing := x
	if !ok {
		if times, ok = x.(starlark.Int); !ok {
			return nil // Starlark will refuse it
		}
		thing = y
	}
	if factor, ok := thing.(starlark.Int); ok {
		return m.digits(times, factor, true)
	}
	n, small := times.Int64()
	if size := int64(starlark.Len(thing)); size > 0 && n > 0 {
		if !small || n > maxItems || size*n > maxItems {
			return fmt.Errorf("this repeats %d items %s times, at most %d items are possible", size, times, maxItems)
		}
		if t, ok := thing.(starlark.Tuple); ok && int64(weigh(t, maxTuple))*n > maxTuple {
			return fmt.Errorf("a tuple holds more than %d values: use a list", maxTuple)
		}
		return m.take(int(size * n))
	}
	return nil
}

// digits bounds whole numbers.
func (m *meter) digits(a starlark.Int, other starlark.Value, product bool) error {
	b, ok := other.(starlark.Int)
	if !ok {
		return nil
	}
	if _, small := a.Int64(); small {
		if _, too := b.Int64(); too {
			return nil
		}
	}
	bits := func(i starlark.Int) int { return new(big.Int).Set(i.BigInt()).BitLen() }
	n := max(bits(a), bits(b))
	if product {
		n = bits(a) + bits(b)
	}
	if n > maxBits {
		return fmt.Errorf("this makes a number of more than %d bits", maxBits)
	}
	m.made += int64(n / 8)
	return nil
}

// sized is a builtin that makes something as large as its arguments.
func sized(name string) *starlark.Builtin {
	own := starlark.Universe[name].(*starlark.Builtin)
	return starlark.NewBuiltin(name, func(t *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		m := t.Local(meterKey).(*meter)
		total := 0
		for _, a := range args {
			total += max(starlark.Len(a), 0)
			if err := m.take(total); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		v, err := starlark.Call(t, own, args, kwargs)
		if err != nil {
			return nil, err
		}
		return v, m.tuples(v)
	})
}

// tuples bounds the tuples that zip, enumerate and tuple make.
func (m *meter) tuples(v starlark.Value) error {
	switch v := v.(type) {
	case starlark.Tuple:
		return m.small(v)
	case *starlark.List:
		for i := range v.Len() {
			t, ok := v.Index(i).(starlark.Tuple)
			if !ok {
				return nil
			}
			if err := m.small(t); err != nil {
				return err
			}
		}
	}
	return nil
}

// spelled is a builtin that writes its arguments out.
func spelled(name string) *starlark.Builtin {
	own := starlark.Universe[name].(*starlark.Builtin)
	return starlark.NewBuiltin(name, func(t *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		n := 32 * weigh(args, maxLength/32)
		if text, ok := first(args).(starlark.String); ok && name == "int" && len(text) > maxBits/4 {
			n = maxLength + 1 // reading digits takes time that grows with their square
		}
		if err := t.Local(meterKey).(*meter).text(n); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return starlark.Call(t, own, args, kwargs)
	})
}

func first(args starlark.Tuple) starlark.Value {
	if len(args) == 0 {
		return starlark.None
	}
	return args[0]
}

// printed keeps the first lines of print for the result.
func printed(t *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	m := t.Local(meterKey).(*meter)
	if len(m.prints) >= maxPrints {
		m.dropped++
		return starlark.None, nil
	}
	if err := m.text(32 * weigh(args, maxLength/32)); err != nil {
		return nil, fmt.Errorf("print: %w", err)
	}
	words := make([]string, len(args))
	for i, a := range args {
		if s, ok := starlark.AsString(a); ok {
			words[i] = s
		} else {
			words[i] = a.String()
		}
	}
	line := strings.ToValidUTF8(strings.Join(words, " "), "?")
	if len(line) > maxPrint {
		line = strings.ToValidUTF8(line[:maxPrint-3], "") + "..."
	}
	m.prints = append(m.prints, line)
	return starlark.None, nil
}

// method is x.name for methods whose work grows with x, or that make something larger.
func method(m *meter, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	name := string(args[1].(starlark.String))
	x, ok := args[0].(starlark.HasAttrs)
	if !ok {
		return nil, fmt.Errorf("%s has no .%s", kindOf(args[0]), name)
	}
	v, err := x.Attr(name)
	if err != nil {
		return nil, err
	}
	own, ok := v.(*starlark.Builtin)
	if !ok {
		if v == nil {
			return nil, fmt.Errorf("%s has no .%s", x.Type(), name)
		}
		return v, nil
	}
	return starlark.NewBuiltin(name, func(t *starlark.Thread, _ *starlark.Builtin, given starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		if err := m.method(name, x, given, kwargs); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return starlark.Call(t, own, given, kwargs)
	}), nil
}

// method charges for a call of x.name.
func (m *meter) method(name string, x starlark.Value, args starlark.Tuple, kwargs []starlark.Tuple) error {
	size := weigh(args, maxLength)
	for _, kw := range kwargs {
		size += weigh(kw, maxLength)
	}
	n := max(starlark.Len(x), 0)
	switch name {
	case "join":
		return m.text(16*size + n*size)
	case "format":
		return m.text(n + 32*size*(1+strings.Count(string(x.(starlark.String)), "{")))
	case "replace":
		return m.text(n + 16*size*(n+1))
	case "extend", "update", "union", "intersection", "difference", "symmetric_difference", "issubset", "issuperset":
	default:
		m.look(n)
		return nil
	}
	total := n
	for _, a := range args {
		total += max(starlark.Len(a), 0)
	}
	return m.take(total)
}
