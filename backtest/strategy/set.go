package strategy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"backtester/backtest/bar/spell"
)

// Override is one key given outside the file, as --set PATH=VALUE does. Flag is the flag that gave it when it
// has one of its own, such as --from: messages name what was typed.
type Override struct{ Path, Value, Flag string }

// String is how it was given.
func (s Override) String() string {
	if s.Flag != "" {
		return s.Flag + " " + clip(s.Value, 40)
	}
	return "--set " + s.Path + "=" + clip(s.Value, 40)
}

// Set changes one key and checks the whole file again; on an error nothing is changed. See SetAll.
func (f *File) Set(path, value string) error { return f.SetAll([]Override{{Path: path, Value: value}}) }

// SetAll changes several keys at once: only the outcome must make sense, not the steps. It is how the
// flags of a command reach the file, after which Compile must be called again.
//
// A path is dotted (size.weight, exit.stop, params.n); a bare name that is a parameter means
// params.NAME. A value is written as in the file: an expression, a number, a YAML list or mapping; a
// list of tickers may be A,B,C. An empty value removes the key, so that its default is back. One key with two
// values is refused.
//
// The error is of type Diagnostics: unknown paths and impossible values are "--set PATH=VALUE: ...",
// faults that a change causes elsewhere have their place in the file, or in a built-in strategy that
// of the change, and say which change it was.
func (f *File) SetAll(sets []Override) error {
	doc, err := f.document()
	if err != nil {
		return err
	}
	changed, wrong := doc.with(sets)
	if len(wrong) > 0 {
		return doc.blame(wrong, sets)
	}
	if _, named := changed.Positions["name"]; changed.Name == "unnamed" || !named {
		changed.Name = f.Name
	}
	changed.attached = f.attached
	*f = *changed
	return nil
}

// WithoutUniverse are the changes that remove whatever the file says of how its universe is chosen, but for the
// list of symbols. They come before all others where symbols are given in place of the universe.
func (f *File) WithoutUniverse() []Override {
	var sets []Override
	for _, key := range []string{"universe.members", "universe.type", "universe.where", "universe.top", "universe.by", "universe_exit"} {
		if _, given := f.Positions[key]; given {
			sets = append(sets, Override{Path: key})
		}
	}
	return sets
}

// with decodes the document with changes.
func (doc *document) with(sets []Override) (*File, Diagnostics) {
	root := doc.root.clone()
	var wrong Diagnostics
	given := map[string]Override{}
	for _, s := range sets {
		at, d := graft(root, s)
		if d == nil && s.Value != "" {
			if first, twice := given[at]; twice {
				d = &Diagnostic{Pos: Position{File: s.String()}, Code: "duplicate_key", Message: "this setting has a value already, by " + first.String() + ": leave one of them out"}
			}
			given[at] = s
		}
		if d != nil {
			wrong = append(wrong, *d)
		}
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	return (&document{name: doc.name, text: doc.text, root: root}).decode()
}

// document is what f was read from, or its canonical form when it was built or changed by hand.
func (f *File) document() (*document, error) {
	if f.origin != nil {
		if read, wrong := f.origin.decode(); len(wrong) == 0 && read.Equal(f) {
			return f.origin, nil
		}
	}
	b, err := json.Marshal(f)
	if err != nil {
		return nil, err
	}
	doc, wrong := readDocument("strategy", b)
	return doc, wrong.Err()
}

// clone copies the mappings and lists of a tree, which graft changes in place.
func (n *node) clone() *node {
	c := *n
	c.keys, c.items = slices.Clone(n.keys), slices.Clone(n.items)
	for i, item := range c.items {
		c.items[i] = item.clone()
	}
	return &c
}

// put sets a key of a mapping; nil removes it.
func (n *node) put(key, value *node) {
	for i, k := range n.keys {
		if k.text != key.text {
			continue
		}
		if value == nil {
			n.keys, n.items = slices.Delete(n.keys, i, i+1), slices.Delete(n.items, i, i+1)
		} else {
			n.keys[i], n.items[i] = key, value
		}
		return
	}
	if value != nil {
		n.keys, n.items = append(n.keys, key), append(n.items, value)
	}
}

// graft changes one key of the tree, making the mappings on the way. It says which one that was.
func graft(root *node, s Override) (at string, wrong *Diagnostic) {
	pos := Position{File: s.String()}
	fault := func(code, hint, format string, args ...any) (string, *Diagnostic) {
		return "", &Diagnostic{Pos: pos, Code: code, Hint: hint, Message: fmt.Sprintf(format, args...)}
	}
	path := strings.Split(s.Path, ".")
	if params := root.get("params"); len(path) == 1 && params != nil && find(describeFile(), s.Path) == nil && params.get(s.Path) != nil {
		path = []string{"params", s.Path}
	}
	// entry and long.entry are the same; follow the way the file is written.
	if root.get("long") != nil && (path[0] == "entry" || path[0] == "exit") {
		path = append([]string{"long"}, path...)
	} else if root.get("long") == nil && path[0] == "long" && len(path) > 1 &&
		(root.get("entry") != nil || root.get("exit") != nil) {
		path = path[1:]
	}
	free := (path[0] == "params" || path[0] == "signals" || path[0] == "series" || path[0] == "functions") && len(path) >= 2
	chain := lookup(describeFile(), path)
	if what, ok := notBuilt(withoutIndex(strings.Join(path, "."))); ok {
		return fault("not_built", "", "%s is not built yet: %s", s.Path, what)
	}
	if chain == nil && !free {
		hint := pathHint(root, s.Path)
		parent, _, dotted := cutLast(s.Path)
		switch {
		case hint != "":
			return fault("unknown_key", hint, "there is no setting %q", s.Path)
		case dotted && lookup(describeFile(), strings.Split(parent, ".")) != nil:
			return fault("unknown_key", "", "there is no setting %q; those of %s are listed by strategy explain %s", s.Path, parent, parent)
		case dotted:
			return fault("unknown_key", "", "there is no setting %q; all settings are listed by strategy explain", s.Path)
		}
		return fault("unknown_key", "", "there is no setting and no parameter %q%s", s.Path, parametersOf(root))
	}
	value, wrong := overrideValue(s, pos)
	if wrong != nil {
		return "", wrong
	}
	g := grafting{path: path, chain: chain, value: value, pos: pos}
	if err := g.into(root); err != nil {
		return fault("unknown_key", "", "%v", err)
	}
	return strings.Join(path, "."), nil
}

// parametersOf says what a bare name could have been, and where all settings are listed.
func parametersOf(root *node) string {
	names := "no parameters"
	if params := root.get("params"); params != nil && len(params.keys) > 0 {
		var words []string
		for _, k := range params.keys {
			words = append(words, k.text)
		}
		names = "the parameters " + list(words, "and")
		if len(words) == 1 {
			names = "the parameter " + words[0]
		}
	}
	return ": the strategy has " + names + "; settings are listed by strategy explain"
}

// grafting puts a value at a path that is known to exist in the grammar.
type grafting struct {
	path  []string
	chain []*field // of the parts of path that are keys; nil inside params and signals
	value *node    // nil to remove
	pos   Position
}

// short is the shorthand of the mapping at a level.
func (g *grafting) short(level int) shorthand {
	switch {
	case g.chain == nil && level == 1: // params.n.default beside values that were written short
		return shorthand{list: "values", text: "values"}
	case level < len(g.chain):
		return g.chain[level].short
	}
	return shorthand{}
}

func (g *grafting) into(n *node) error {
	level := 0 // chain[level] describes the next key; places in lists have no level of their own
	for i, part := range g.path {
		last := i == len(g.path)-1
		if n.kind == listNode {
			j, err := strconv.Atoi(part)
			if at := strings.Join(g.path[:i], "."); err != nil || j < 0 || j >= len(n.items) {
				return fmt.Errorf("%s is a list of %d: say which, counted from 0, as in %s.0", at, len(n.items), at)
			}
			switch {
			case last && g.value == nil:
				n.items = slices.Delete(n.items, j, j+1)
			case last:
				n.items[j] = g.value
			default:
				n.items[j] = unfold(n.items[j], g.short(level-1))
				n = n.items[j]
			}
			continue
		}
		key := &node{text: part, pos: g.pos}
		if last {
			n.put(key, g.value)
			return nil
		}
		next := n.get(part)
		switch {
		case next == nil && g.value == nil:
			return nil
		case next == nil:
			next = &node{kind: mappingNode, pos: g.pos}
		default:
			next = unfold(next, g.short(level))
		}
		n.put(key, next)
		n = next
		level++
	}
	return nil
}

// unfold turns the shorthand of a mapping into the mapping, so that another key can join it.
func unfold(n *node, short shorthand) *node {
	key := short.text
	switch _, ok := decimal(n.text); {
	case n.kind == mappingNode, n.kind == listNode && short.list == "":
		return n
	case n.kind == listNode:
		key = short.list
	case ok && short.number != "":
		key = short.number
	}
	out := &node{kind: mappingNode, pos: n.pos}
	if key != "" {
		out.put(&node{text: key, pos: n.pos}, n)
	}
	return out
}

// overrideValue reads VALUE of --set PATH=VALUE; nil for an empty one. Lists and mappings are YAML,
// everything else is taken as it is, so that expressions need no second layer of quotes.
func overrideValue(s Override, pos Position) (*node, *Diagnostic) {
	text := strings.TrimSpace(s.Value)
	if text == "" {
		return nil, nil
	}
	if text[0] != '[' && text[0] != '{' {
		return &node{text: text, pos: pos}, nil
	}
	doc, wrong := readDocument(pos.File, []byte(text))
	if len(wrong) > 0 {
		d := wrong[0]
		message, _, _ := strings.Cut(d.Message, ", before line")
		d.Message = fmt.Sprintf("%s, at character %d of the value", message, d.Column)
		d.Pos = pos
		return nil, &d
	}
	doc.root.place(pos)
	return doc.root, nil
}

// place puts a whole tree at one position.
func (n *node) place(pos Position) {
	n.pos = pos
	for _, k := range n.keys {
		k.pos = pos
	}
	for _, item := range n.items {
		item.place(pos)
	}
}

// pathHint finds what an unknown path probably meant: a parameter, or a key with the same end. Within a mapping
// that there is, a key elsewhere is meant only by its own name.
func pathHint(root *node, path string) string {
	var words []string
	if params := root.get("params"); params != nil {
		for _, k := range params.keys {
			words = append(words, k.text)
		}
	}
	all := paths(describeFile(), "")
	parent, last, dotted := cutLast(path)
	for _, w := range all {
		if _, end, _ := cutLast(w); !dotted || spell.Nearest(last, []string{end}) != "" { // size.foo is no size.lot
			words = append(words, w)
		}
	}
	if w := spell.Nearest(path, words); w != "" {
		return "did you mean " + w + "?"
	}
	if w := elsewhere(last); w != "" {
		return "did you mean " + w + "?"
	}
	ends := make([]string, len(all))
	for i, p := range all {
		_, ends[i], _ = cutLast(p)
	}
	if w := spell.Nearest(last, ends); w != "" && (w == last || !slices.Contains(all, parent)) {
		return "did you mean " + all[slices.Index(ends, w)] + "?"
	}
	return ""
}
