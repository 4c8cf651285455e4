package strategy

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v4"
)

// Limits of a strategy file. The longest honest file lists some thousand tickers.
const (
	maxBytes = 1 << 20
	maxDepth = 16
	maxNodes = 50_000
)

// document is a strategy file as written, before its keys mean anything.
type document struct {
	name string
	text *source
	root *node
	// faulty says that the nodes themselves had faults: something may be missing from them.
	faulty bool
}

type nodeKind uint8

const (
	scalarNode nodeKind = iota
	mappingNode
	listNode
)

// node is a scalar, a mapping or a list with its place. YAML and JSON both become nodes.
type node struct {
	kind  nodeKind
	text  string // of a scalar
	style byte   // of a scalar: 0 plain, '"', '\'', '|' for text blocks
	pos   Position
	keys  []*node // of a mapping, scalars, each once
	items []*node // of a mapping or list
	flow  bool    // of a mapping or list: written with brackets
	bad   bool    // reported already: its value says nothing
}

// null reports a value that was left out, or a null.
func (n *node) null() bool {
	return n.kind == scalarNode && n.style == 0 && (n.text == "" || n.text == "~" || n.text == "null")
}

// get is the value of a key, nil when it is not there.
func (n *node) get(key string) *node {
	for i, k := range n.keys {
		if k.text == key {
			return n.items[i]
		}
	}
	return nil
}

// key is the node of a key, nil when it is not there.
func (n *node) key(key string) *node {
	for _, k := range n.keys {
		if k.text == key {
			return k
		}
	}
	return nil
}

// width is the number of characters to underline when n is at fault.
func (n *node) width() int {
	w := utf8.RuneCountInString(n.text)
	if n.style == '"' || n.style == '\'' {
		w += 2
	}
	if n.kind != scalarNode || n.style == '|' {
		return 1
	}
	return max(w, 1)
}

// faults collects what is wrong, in any order and without end of patience up to maxFaults.
type faults struct{ list Diagnostics }

const maxFaults = 200

// cause is the code of a fault and what the person probably wanted, if known.
type cause struct{ code, hint string }

func (fs *faults) add(n *node, c cause, format string, args ...any) {
	if len(fs.list) < maxFaults {
		fs.list = append(fs.list, Diagnostic{Pos: n.pos, Length: n.width(), Code: c.code,
			Message: fmt.Sprintf(format, args...), Hint: c.hint})
	}
}

// readDocument turns bytes into nodes: JSON when they are valid JSON or the name says so, else YAML.
// The document is nil when its faults leave nothing to look at.
func readDocument(name string, data []byte) (*document, Diagnostics) {
	top := Position{File: name, Line: 1, Column: 1}
	if len(data) > maxBytes {
		return nil, Diagnostics{{Pos: top, Code: "too_large", Message: fmt.Sprintf(
			"the file has %d bytes, a strategy file may have %d", len(data), maxBytes)}}
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	text := newSource(name, data)
	if at := strangeByte(data); at >= 0 {
		return nil, Diagnostics{{Pos: text.position(at), Length: 1, Code: "syntax", Message: fmt.Sprintf(
			"byte 0x%02x does not belong into a text file: save it as UTF-8", data[at])}}
	}
	r := &reader{text: text}
	var root *node
	if isJSON, fault := looksJSON(text); fault != nil {
		return nil, Diagnostics{*fault}
	} else if isJSON {
		root = r.json()
	} else {
		root = r.yaml()
	}
	if root == nil && len(r.list) == 0 {
		r.list = Diagnostics{{Pos: top, Length: 1, Code: "syntax", Message: "the file is empty: it needs at least an entry",
			Hint: "`backtester strategy new` writes a first one"}}
	}
	if root == nil {
		return nil, r.list
	}
	return &document{name: name, text: text, root: root, faulty: len(r.list) > 0}, r.list
}

// strangeByte finds the first byte that is neither UTF-8 nor printable, -1 when there is none.
func strangeByte(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && size == 1, r == 0xFEFF, r == 0x7F, r == 0xFFFE, r == 0xFFFF,
			r < ' ' && r != '\n' && r != '\r' && r != '\t', r >= 0x80 && r < 0xA0 && r != 0x85:
			return i
		}
		i += size
	}
	return -1
}

// reader makes nodes, counting them.
type reader struct {
	faults
	text  *source
	count int
	undo  *strings.Replacer // turns the stand-ins of protectFlow back, nil when there are none
}

func (r *reader) yaml() *node {
	data, undo := protectFlow(r.text.data)
	r.undo = undo
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		panic("BUG: make a YAML loader: " + err.Error())
	}
	var doc, next yaml.Node
	if err := loader.Load(&doc); err != nil {
		r.yamlFault(err)
		return nil
	}
	if len(doc.Content) == 0 {
		return nil
	}
	root := r.convert(doc.Content[0], 0)
	if err := loader.Load(&next); err == nil {
		at := &node{pos: r.place(&next)}
		r.add(at, cause{code: "many_documents"}, "a second document starts here (---): one file is one strategy")
	} else if len(r.list) == 0 {
		r.yamlFault(err)
	}
	return root
}

func (r *reader) place(y *yaml.Node) Position {
	return Position{File: r.text.name, Line: y.Line, Column: y.Column}
}

// convert checks what YAML allows and strategy files do not: aliases, merge keys, tags, keys that
// are no words, and keys given twice.
func (r *reader) convert(y *yaml.Node, depth int) *node {
	n := &node{pos: r.place(y), text: y.Value, flow: y.Style&yaml.FlowStyle != 0}
	if r.undo != nil {
		n.text = r.undo.Replace(n.text)
	}
	if !r.admit(n, depth) {
		return nil
	}
	if y.Anchor != "" || y.Kind == yaml.AliasNode {
		r.add(n, cause{code: "alias"}, "anchors and aliases (&, *) are not used in strategy files: write the value out, "+
			"or quote a text that starts with & or *")

		n.bad = true
		return n
	}
	if y.Style&yaml.TaggedStyle != 0 {
		r.add(n, cause{code: "tag"}, "the YAML tag %s is not used in strategy files: write the plain value", y.Tag)
	}
	switch y.Kind {
	case yaml.ScalarNode:
		switch {
		case y.Style&yaml.DoubleQuotedStyle != 0:
			n.style = '"'
		case y.Style&yaml.SingleQuotedStyle != 0:
			n.style = '\''
		case y.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
			n.style = '|'
		}
	case yaml.SequenceNode:
		n.kind = listNode
		for _, c := range y.Content {
			if item := r.convert(c, depth+1); item != nil {
				n.items = append(n.items, item)
			}
		}
	case yaml.MappingNode:
		n.kind = mappingNode
		for i := 0; i+1 < len(y.Content); i += 2 {
			key, item := r.convert(y.Content[i], depth+1), r.convert(y.Content[i+1], depth+1)
			if key != nil && item != nil {
				r.pair(n, key, item)
			}
		}
	}
	return n
}

// pair adds a key and its value to a mapping.
func (r *reader) pair(n, key, item *node) {
	switch {
	case key.kind != scalarNode:
		r.add(key, cause{code: "syntax"}, "a key must be a word, not %s", key.noun())
	case key.text == "<<" && key.style == 0:
		r.add(key, cause{code: "alias"}, "merge keys (<<) are not used in strategy files: write the keys out")
	case n.key(key.text) != nil:
		r.add(key, cause{code: "duplicate_key"}, "key %q stands here a second time, first on line %d: remove one",
			clip(key.text, 40), n.key(key.text).pos.Line)

	case len(n.keys) == maxKeys:
		r.add(key, cause{code: "too_large"}, "%d keys in one mapping and more, at most %d are possible", maxKeys+1, maxKeys)
		r.count = maxNodes + 1
	default:
		n.keys, n.items = append(n.keys, key), append(n.items, item)
	}
}

// maxKeys bounds the keys of one mapping, so that looking for twins stays cheap.
const maxKeys = 1000

// admit counts a node and refuses what is too deep or too much.
func (r *reader) admit(n *node, depth int) bool {
	r.count++
	switch {
	case depth > maxDepth:
		r.add(n, cause{code: "too_deep"}, "nested %d levels deep, at most %d are possible", depth, maxDepth)
		return false
	case r.count == maxNodes+1:
		r.add(n, cause{code: "too_large"}, "%d values in one file and more, at most %d are possible", r.count, maxNodes)
	}
	return r.count <= maxNodes
}

// yamlFault turns an error of the YAML reader into one that says what to do.
func (r *reader) yamlFault(err error) {
	var le *yaml.LoadError
	if !errors.As(err, &le) {
		return // the end of the file
	}
	if le.Mark.Line == 0 {
		return // no documents
	}
	at := &node{pos: Position{File: r.text.name, Line: le.Mark.Line, Column: max(le.Mark.Column, 1)}}
	switch msg := le.Message; {
	case strings.Contains(msg, "unknown anchor"):
		r.add(at, cause{code: "alias"}, "anchors and aliases (&, *) are not used in strategy files: write the value out, "+
			"or quote a text that starts with & or *")

	case strings.Contains(msg, "mapping values are not allowed"):
		r.add(at, cause{code: "syntax"}, `a colon and a space start a value here, where none can be: indent the line like its neighbours, `+
			`or put a text that contains ": " in quotes`)

	case strings.Contains(msg, "cannot start any token"):
		switch c := r.text.at(at.pos); c {
		case '\t':
			r.add(at, cause{code: "syntax"}, "a tab indents this line: use spaces")
		default:
			r.add(at, cause{code: "syntax"}, "a value cannot start with %q: put it in quotes", c)
		}
	case strings.Contains(msg, "expected ',' or"):
		at.pos = Position{File: r.text.name, Line: le.ContextMark.Line, Column: max(le.ContextMark.Column, 1)}
		r.add(at, cause{code: "syntax"}, "the bracket opened here is not closed, or a comma is missing, before line %d column %d",
			le.Mark.Line, le.Mark.Column)

	case strings.Contains(msg, "unexpected end of stream"):
		at.pos = Position{File: r.text.name, Line: max(le.ContextMark.Line, 1), Column: max(le.ContextMark.Column, 1)}
		r.add(at, cause{code: "syntax"}, "what is opened here is not closed before the end of the file")
	case le.ContextMsg != "":
		r.add(at, cause{code: "syntax"}, "this is not YAML: %s %s", le.ContextMsg, msg)
	default:
		r.add(at, cause{code: "syntax"}, "this is not YAML: %s", msg)
	}
}

// noun names what n is, for messages: a mapping, a list, nothing, or the text itself.
func (n *node) noun() string {
	switch {
	case n.kind == mappingNode:
		return "a mapping"
	case n.kind == listNode:
		return "a list"
	case n.null():
		return "nothing"
	}
	if _, ok := decimal(n.text); ok && n.style == 0 {
		return n.text
	}
	return strconv.Quote(clip(n.text, 40))
}

// clip shortens a text for a message.
func clip(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-3]) + "..."
}
