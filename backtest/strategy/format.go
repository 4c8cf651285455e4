package strategy

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"backtester/backtest/expr"
)

// Format is the canonical layout of a strategy file, as YAML; a file in JSON becomes YAML.
//
// Keys stay in the order in which they stand: it is part of how the author tells the idea, and the
// comments between them keep their meaning. Sections in block style stay so; those in brackets stay
// on one line as long as it has no more than 100 characters, no comment inside, and no expression with
// commas or brackets of its own, which other readers of YAML would not understand there: the result is
// plain YAML. Indentation is two spaces, expressions are in the form of expr.Format, quotes stand only
// where they are needed, at most one empty line in a row is kept, comments at the ends of neighbouring
// lines are aligned. A long expression is broken before its outermost `or`, or else its `and`.
//
// The result means what data means: expressions apart, it is read back and compared, comments
// included, before it is given away. It is idempotent. Faults are those of the YAML itself; a file
// whose settings or expressions are at fault is laid out as far as they can be read. Cost: a few
// milliseconds for a usual file.
func Format(name string, data []byte) ([]byte, Diagnostics) {
	doc, wrong := readDocument(name, data)
	if len(wrong) > 0 {
		return nil, sortFaults(wrong)
	}
	if doc.root.kind != mappingNode || len(doc.root.keys) == 0 {
		_, wrong := doc.decode()
		return nil, wrong
	}
	comments := remarks(doc.text, doc.root)
	l := &layout{src: doc.text, remarks: comments, spread: doc.root.flow}
	root := &field{form: formMapping, fields: describeFile()}
	l.body(doc.root, root, 0)
	l.flush(len(doc.text.data)+1, 0)
	out := l.bytes()

	again, wrong := readDocument("", out)
	if len(wrong) > 0 || !sameMeaning(doc.root, again.root, root) {
		return nil, unlaid(doc, "its values")
	}
	if !slices.Equal(remarkTexts(comments), remarkTexts(remarks(again.text, again.root))) {
		return nil, unlaid(doc, "its comments")
	}
	return out, nil
}

// unlaid is the fault of a file that would not be the same file any more.
func unlaid(doc *document, what string) Diagnostics {
	return Diagnostics{{Pos: doc.root.pos, Length: 1, Code: "layout",
		Message: "this file uses YAML in a way that cannot be laid out without changing " + what + ": it is left as it is"}}
}

func remarkTexts(list []remark) []string {
	var out []string
	for _, r := range list {
		out = append(out, r.text)
	}
	slices.Sort(out)
	return out
}

// meaning is what may be done to a value without changing what it says.
type meaning uint8

const (
	asWritten meaning = iota // quotes matter, such as around a number
	asText                   // quotes do not matter
	asExpr                   // an expression
)

// means says how the scalar n at f is read. f is nil for unknown keys.
func (f *field) means(n *node) meaning {
	if f == nil {
		return asWritten
	}
	if f.short.none && n.text == "none" {
		return asText
	}
	switch f.form {
	case formExpr, formTexts:
		return asExpr
	case formText, formWord, formFrame, formDate, formSpan, formTicker, formTickers, formTypes:
		return asText
	case formMapping, formMappings:
		if f.short.text != "" {
			return find(f.fields, f.short.text).means(n)
		}
	}
	return asWritten
}

// child describes the value of a key below f.
func (f *field) child(key string) *field {
	switch {
	case f == nil:
		return nil
	case f.form == formSignals:
		return &field{form: formExpr}
	case f.form == formFiles:
		return &field{form: formText}
	}
	return find(f.fields, key)
}

// element describes an item of a list at f.
func (f *field) element() *field {
	switch {
	case f == nil:
		return nil
	case f.form == formTickers, f.form == formTypes, f.form == formTexts, f.form == formMappings:
		return f
	case f.form == formMapping && f.short.list != "":
		return find(f.fields, f.short.list)
	}
	return nil
}

// canonical is the text of a scalar as it will be written.
func canonical(n *node, m meaning) string {
	if m != asExpr {
		return n.text
	}
	if text, err := expr.Format(n.text); err == nil {
		return text
	}
	return n.text
}

// sameMeaning compares what was read with what was written.
func sameMeaning(a, b *node, f *field) bool {
	if a.kind != b.kind || len(a.keys) != len(b.keys) || len(a.items) != len(b.items) {
		return false
	}
	if a.kind == scalarNode {
		m := f.means(a)
		return canonical(a, m) == b.text && a.null() == b.null() && (m != asWritten || (a.style == 0) == (b.style == 0))
	}
	for i, item := range a.items {
		inner := f.element()
		if a.kind == mappingNode {
			inner = f.child(a.keys[i].text)
			if a.keys[i].text != b.keys[i].text {
				return false
			}
		}
		if !sameMeaning(item, b.items[i], inner) {
			return false
		}
	}
	return true
}

// place of a scalar: what surrounds it decides what it may hold without quotes.
type place string

const (
	inBlock     place = "k: %"
	inBlockList place = "- %"
	inFlow      place = "{k: %}"
	inFlowList  place = "[%]"
	asKey       place = "%: 1"
	asFlowKey   place = "{%: 1}"
)

// readsPlain reports whether text without quotes is read back as this text.
func (p place) readsPlain(text string) bool {
	word := text != "" && unicode.IsLetter(rune(text[0]))
	for i := range len(text) {
		c := text[i]
		word = word && (c == '_' || c == '.' || c == '-' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z')
	}
	if word {
		return true
	}
	if text == "" || strings.TrimSpace(text) != text || strings.ContainsAny(text, "\n\r") {
		return false
	}
	r := &reader{text: newSource("", []byte(strings.Replace(string(p), "%", text, 1)))}
	root := r.yaml()
	if root == nil || len(r.list) > 0 || len(root.items) != 1 || root.kind == scalarNode {
		return false
	}
	n := root.items[0]
	if p == asKey || p == asFlowKey {
		if root.kind != mappingNode {
			return false
		}
		n = root.keys[0]
	}
	return n.kind == scalarNode && n.style == 0 && n.text == text
}

// quote writes text so that it is read back, with double quotes unless it holds some itself.
func quote(text string) string {
	odd := func(r rune) bool { return r < ' ' || r >= 0x7F && !unicode.IsPrint(r) || r == '\'' }
	if strings.ContainsAny(text, `"\`) && !strings.ContainsFunc(text, odd) {
		return "'" + text + "'"
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xFFFF:
			b.WriteString(`\U` + hex(r, 8))
		default:
			b.WriteString(`\u` + hex(r, 4))
		}
	}
	b.WriteByte('"')
	return b.String()
}

func hex(r rune, width int) string {
	s := strconv.FormatInt(int64(r), 16)
	return strings.Repeat("0", width-len(s)) + s
}

// key writes the key of a mapping.
func key(n *node, p place) string {
	if p.readsPlain(n.text) && (n.style == 0 || n.text != "<<") {
		return n.text
	}
	return quote(n.text)
}

// scalar writes a value on one line.
func scalar(n *node, f *field, p place) string {
	m := f.means(n)
	text := canonical(n, m)
	bare := &node{text: text}
	switch {
	case n.style == 0 && n.null():
		return n.text
	case n.style == 0 || m != asWritten && !bare.null():
		if p.readsPlain(text) {
			return text
		}
	}
	return quote(text)
}
