package expr

import "strings"

// Format is the canonical form of text: one space around binary operators and after commas, double
// quotes, no needless parentheses. Those that make the order of different operators plain are kept.
// It is idempotent, and means the same as text. An error holds Diagnostics without file and line of
// the strategy file.
func Format(text string) (string, error) {
	t, faults := parse(text)
	if len(faults) > 0 {
		ds := make(Diagnostics, len(faults))
		for i, f := range faults {
			ds[i] = f.at(text, Pos{Line: 1, Column: 1})
		}
		return "", ds.sorted()
	}
	var b strings.Builder
	t.print(&b)
	if _, faults := parse(b.String()); len(faults) > 0 {
		return text, nil // at the limit of depth already, and parentheses would go beyond it
	}
	return b.String(), nil
}

// power with which the outermost operator of t binds.
func (t *tree) power() int {
	switch t.shape {
	case shapeBinary:
		return power(t.text)
	case shapeUnary:
		if t.text == "not" {
			return powerNot
		}
		return powerSign
	}
	return powerPostfix
}

func (t *tree) print(b *strings.Builder) {
	switch t.shape {
	case shapeNumber:
		if t.text[0] == '.' {
			b.WriteByte('0')
		}
		b.WriteString(strings.ToLower(t.text))
	case shapeString:
		b.WriteString(quote(t.text))
	case shapeName:
		b.WriteString(t.text)
	case shapeUnary:
		b.WriteString(t.text)
		if t.text == "not" {
			b.WriteByte(' ')
		}
		// A sign binds whatever follows it, another sign included.
		t.args[0].printIn(b, t.args[0].power() < t.power() || t.text == "-" && t.args[0].shape == shapeUnary)
	case shapeBinary:
		t.printBinary(b)
	case shapeIndex:
		t.args[0].printIn(b, t.args[0].power() < powerPostfix)
		b.WriteByte('[')
		t.args[1].print(b)
		b.WriteByte(']')
	case shapeMember:
		t.args[0].printIn(b, t.args[0].power() < powerPostfix)
		b.WriteByte('.')
		b.WriteString(t.text)
	case shapeCall:
		t.printCall(b)
	}
}

// quote puts text in the quotation marks that it does not hold itself.
func quote(text string) string {
	if strings.Contains(text, `"`) {
		return "'" + text + "'"
	}
	return `"` + text + `"`
}

func (t *tree) printIn(b *strings.Builder, parens bool) {
	if parens {
		b.WriteByte('(')
	}
	t.print(b)
	if parens {
		b.WriteByte(')')
	}
}

func (t *tree) printBinary(b *strings.Builder) {
	own := t.power()
	left, right := t.args[0], t.args[1]
	plain := func(x *tree) bool { return x.paren && x.shape == shapeBinary && x.text != t.text } // kept for the reader
	// Comparisons do not chain, so that one inside another needs parentheses on either side. A sign or
	// a not to the left ends where this operator begins only if it binds tighter.
	left.printIn(b, left.power() < own || own == powerCompare && left.power() == own || plain(left))
	b.WriteByte(' ')
	b.WriteString(t.text)
	b.WriteByte(' ')
	right.printIn(b, right.power() <= own || plain(right))
}

func (t *tree) printCall(b *strings.Builder) {
	args, names := t.args, t.names
	if t.on {
		args[0].printIn(b, args[0].power() < powerPostfix)
		b.WriteByte('.')
		args, names = args[1:], names[1:]
	}
	b.WriteString(t.text)
	b.WriteByte('(')
	for i, x := range args {
		if i > 0 {
			b.WriteString(", ")
		}
		if names[i] != "" {
			b.WriteString(names[i] + " = ")
		}
		x.print(b)
	}
	b.WriteByte(')')
}

// at is f with its place in the strategy file: text begins at pos.
func (f fault) at(text string, pos Pos) Diagnostic {
	off, end := min(f.off, len(text)), min(max(f.end, f.off+1), len(text))
	if pos.Line > 0 {
		before := text[:off]
		if n := strings.Count(before, "\n"); n > 0 {
			pos.Line += n
			pos.Column = 1
			before = before[strings.LastIndexByte(before, '\n')+1:]
		}
		pos.Column += runes(before)
	}
	return Diagnostic{Pos: pos, Length: max(1, runes(text[off:max(off, end)])), Code: f.code, Message: f.message, Hint: f.hint}
}

// runes counts characters, taking broken UTF-8 byte by byte.
func runes(s string) int {
	n := 0
	for range s {
		n++
	}
	return n
}
