package strategy

import (
	"path"
	"reflect"
	"strconv"
	"strings"
)

// Default is a file with every default filled in and no rules.
func Default() *File {
	f := &File{}
	setDefaults(reflect.ValueOf(f).Elem(), describeFile())
	return f
}

// Parse reads a strategy file: YAML, or JSON when the bytes are JSON; with a name that ends in .json
// they must be. name is shown in messages, and without folder and ending it names a strategy that has
// no name of its own.
//
// All faults come at once, in the order of their places, those inside expressions included; the File
// is nil when there are any. Cost: well under a millisecond for a usual file; files beyond 1 MiB,
// 16 levels or 50,000 values are refused.
func Parse(name string, data []byte) (*File, Diagnostics) {
	doc, wrong := readDocument(name, data)
	if doc == nil {
		return nil, sortFaults(wrong)
	}
	f, more := doc.decode()
	if wrong = sortFaults(append(wrong, more...)); len(wrong) > 0 {
		return nil, wrong
	}
	return f, nil
}

// decode gives the nodes of a document their meaning.
func (doc *document) decode() (*File, Diagnostics) {
	f := Default()
	f.origin, f.nodes = doc, map[string]*node{}
	d := &decoder{file: f, broken: map[string]bool{}, unread: map[string]bool{}}
	if doc.root.kind != mappingNode {
		d.add(doc.root, cause{code: "wrong_type"}, "a strategy file is a mapping of keys such as entry: and exit:, this is %s", doc.root.noun())
		return nil, d.list
	}
	d.mapping(doc.profiled(), reflect.ValueOf(f).Elem(), describeFile(), "")
	if f.Name == "" && doc.root.get("name") == nil {
		base := path.Base(strings.ReplaceAll(doc.name, `\`, "/"))
		f.Name = strings.TrimSuffix(base, path.Ext(base))
		if f.Name == "" || f.Name == "-" || f.Name == "." || f.Name == "/" {
			f.Name = "unnamed"
		}
	}
	f.Positions = make(map[string]Position, len(f.nodes))
	for at, n := range f.nodes {
		f.Positions[at] = n.pos
	}
	list := append(d.list, f.check(unread{len(d.list) > 0 || doc.faulty, d.unread})...)
	_, wrong := f.compile(d.broken)
	if list = sortFaults(append(list, wrong...)); len(list) > 0 {
		return nil, list
	}
	return f, nil
}

// decoder fills a File from nodes, walking the description of its keys.
type decoder struct {
	faults
	file   *File
	broken map[string]bool // names that were faulted already: using them is no further fault
	unread map[string]bool // paths whose value was faulted
}

// mark remembers where a path stands.
func (d *decoder) mark(path string, n *node) { d.file.nodes[path] = n }

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// mapping reads the keys of n into the struct v.
func (d *decoder) mapping(n *node, v reflect.Value, fields []field, path string) {
	for i, key := range n.keys {
		item, at := n.items[i], join(path, key.text)
		if what, ok := notBuilt(withoutIndex(at)); ok {
			d.add(key, cause{code: "not_built"}, "%s is not built yet: %s", at, what)
			continue
		}
		f := find(fields, key.text)
		if f == nil {
			d.unknownKey(key, path, fields)
			continue
		}
		d.mark(at, item)
		if !d.empty(item, at, f.want()) {
			d.value(item, f.at(v, true), f, at)
		}
	}
	for _, f := range fields {
		if f.required && n.get(f.key) == nil {
			d.add(n, cause{code: "missing_key"}, "%s has no %s: %s", orFile(path), f.key, f.doc)
		}
	}
}

func orFile(path string) string {
	if path == "" {
		return "the file"
	}
	return path
}

// withoutIndex is a path without the places in lists: exit.0.stop is exit.stop.
func withoutIndex(path string) string {
	parts := strings.Split(path, ".")
	kept := parts[:0]
	for _, p := range parts {
		if !isIndex(p) {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, ".")
}

func (d *decoder) unknownKey(key *node, path string, fields []field) {
	if len(d.list) >= maxFaults {
		return // looking for what was meant takes time
	}
	where, hint := "", suggestKey(key.text, fields)
	if path != "" {
		where = " in " + path
	}
	if hint != "" {
		d.add(key, cause{"unknown_key", "did you mean " + hint + "?"}, "unknown key %q%s", clip(key.text, 40), where)
		return
	}
	const most = 14 // more are no help in a message
	if len(fields) > most {
		d.add(key, cause{code: "unknown_key"}, "unknown key %q%s; all keys are listed by strategy explain%s", clip(key.text, 40), where, strings.TrimSuffix(" "+path, " "))
		return
	}
	words := make([]string, len(fields))
	for i, f := range fields {
		words[i] = f.key
	}
	d.add(key, cause{code: "unknown_key"}, "unknown key %q%s, known are %s", clip(key.text, 40), where, list(words, "and"))
}

// empty refuses a key without a value; one that was faulted already is passed over.
func (d *decoder) empty(n *node, path, want string) bool {
	if n.bad {
		return true
	}
	if !n.null() && !(n.kind == scalarNode && strings.TrimSpace(n.text) == "") {
		return false
	}
	d.add(n, cause{code: "empty"}, "%s has no value, want %s", path, want)
	return true
}

// value reads one key of any form into v.
func (d *decoder) value(n *node, v reflect.Value, f *field, path string) {
	if v.Kind() == reflect.Pointer && f.form == formMapping {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
			setDefaults(v.Elem(), f.fields)
		}
		v = v.Elem()
	}
	switch f.form {
	case formMapping:
		d.section(n, v, f, path)
	case formMappings:
		d.sections(n, v, f, path)
	case formTickers:
		v.Set(reflect.ValueOf(d.tickers(n, path, "ticker")))
	case formTypes:
		v.Set(reflect.ValueOf(d.tickers(n, path, "type")))
	case formTexts:
		v.Set(reflect.ValueOf(d.texts(n, path)))
	case formParams:
		v.Set(reflect.ValueOf(d.params(n, path)))
	case formSignals:
		v.Set(reflect.ValueOf(d.signals(n, path)))
	case formFiles:
		v.Set(reflect.ValueOf(d.files(n, path)))
	default:
		d.unread[path] = !d.scalar(n, v, f, path)
	}
}

// section reads a mapping, or what may stand in its place.
func (d *decoder) section(n *node, v reflect.Value, f *field, path string) {
	scalar := n.kind == scalarNode
	short := ""
	switch {
	case n.kind == mappingNode:
		d.mapping(n, v, f.fields, path)
		return
	case scalar && f.short.none && n.text == "none":
		v.SetZero()
		return
	case scalar && f.short.text != "":
		short = f.short.text
	case scalar && f.short.number != "" && n.style == 0:
		if _, ok := decimal(n.text); ok || numberHint(n.text, "") != "" {
			short = f.short.number
		}
	case f.short.list != "":
		short = f.short.list
	}
	if short == "" {
		d.add(n, cause{code: "wrong_type"}, "%s is %s, want %s", path, n.noun(), f.want())
		return
	}
	inner := find(f.fields, short)
	d.mark(join(path, short), n)
	d.value(n, inner.at(v, true), inner, path)
}

// sections reads one mapping or a list of them into the slice v.
func (d *decoder) sections(n *node, v reflect.Value, f *field, path string) {
	items, at := []*node{n}, func(int) string { return path }
	if n.kind == listNode {
		items, at = n.items, func(i int) string { return join(path, strconv.Itoa(i)) }
		if len(items) == 0 {
			d.add(n, cause{code: "empty"}, "%s is an empty list: leave the key out", path)
		}
	}
	out := reflect.MakeSlice(v.Type(), len(items), len(items))
	for i, item := range items {
		setDefaults(out.Index(i), f.fields)
		d.mark(at(i), item)
		if !d.empty(item, at(i), f.want()) {
			d.section(item, out.Index(i), f, at(i))
		}
	}
	v.Set(out)
}

// tickers reads a list of tickers, or of other words like them, as source text; a scalar may hold
// several with commas.
func (d *decoder) tickers(n *node, path, what string) []string {
	example := map[string]string{"ticker": "[AAPL, MSFT]", "type": "[CS, ADRC]"}[what]
	items := n.items
	switch {
	case n.kind == mappingNode:
		d.add(n, cause{code: "wrong_type"}, "%s is a mapping, want a list of %ss, such as %s", path, what, example)
		return nil
	case n.kind == scalarNode:
		items = nil
		for _, part := range strings.Split(n.text, ",") {
			items = append(items, &node{text: strings.TrimSpace(part), style: n.style, pos: n.pos})
		}
	case len(items) == 0:
		d.add(n, cause{code: "empty"}, "%s is an empty list: name at least one %s, or leave the key out", path, what)
	}
	out := make([]string, 0, len(items))
	first := make(map[string]int, len(items))
	for i, item := range items {
		at := join(path, strconv.Itoa(i))
		d.mark(at, item)
		if d.empty(item, at, "a "+what) {
			continue
		}
		if item.kind != scalarNode {
			d.add(item, cause{code: "wrong_type"}, "%s is %s, want a %s", at, item.noun(), what)
			continue
		}
		if !d.ticker(item, item.text, at) {
			continue
		}
		if j, twice := first[item.text]; twice {
			d.add(item, cause{code: "repeated"}, "%s: %s %s is listed twice, first at place %d", at, what, item.text, j+1)
			continue
		}
		first[item.text] = i
		out = append(out, item.text)
	}
	return out
}

// texts reads a text or a list of them.
func (d *decoder) texts(n *node, path string) []string {
	items := []*node{n}
	if n.kind == listNode {
		items = n.items
	}
	var out []string
	for i, item := range items {
		at := path
		if n.kind == listNode {
			at = join(path, strconv.Itoa(i))
		}
		d.mark(at, item)
		switch {
		case item.kind != scalarNode:
			d.add(item, cause{code: "wrong_type"}, "%s is %s, want a condition or a list of them", at, item.noun())
		case !d.empty(item, at, "a condition"):
			out = append(out, item.text)
		}
	}
	return out
}

// signals reads the mapping of named expressions.
func (d *decoder) signals(n *node, path string) []Signal {
	if n.kind != mappingNode {
		if n.kind == scalarNode && strings.Contains(n.text, ".") && !strings.Contains(n.text, " ") {
			d.add(n, cause{"wrong_type", "such as series: {score: " + clip(n.text, 40) + "}"}, "%s: %q: columns of a file are named under series", path, clip(n.text, 40))
		} else {
			d.add(n, cause{code: "wrong_type"}, "%s is %s, want a mapping of names to expressions, such as {up: close > sma(close, 200)}", path, n.noun())
		}
		return nil
	}
	var out []Signal
	for i, key := range n.keys {
		item, at := n.items[i], join(path, key.text)
		d.mark(at, item)
		named := false
		if path == "functions" {
			named = d.function(key)
		} else {
			named = d.name(key, path)
		}
		switch {
		case !named:
			d.broken[key.text] = true
		case item.kind != scalarNode:
			d.add(item, cause{code: "wrong_type"}, "%s is %s, want an expression such as close > sma(close, 200)", at, item.noun())
			d.broken[key.text] = true
		case d.empty(item, at, "an expression"):
			d.broken[key.text] = true
		default:
			out = append(out, Signal{Name: key.text, Expr: item.text})
		}
	}
	return out
}

// files reads the mapping of names to files.
func (d *decoder) files(n *node, path string) []Signal {
	if n.kind != mappingNode {
		d.add(n, cause{code: "wrong_type"}, "%s is %s, want a mapping of names to files, such as {vix: vix.csv}", path, n.noun())
		return nil
	}
	var out []Signal
	for i, key := range n.keys {
		item, at := n.items[i], join(path, key.text)
		d.mark(at, item)
		switch {
		case !d.name(key, path):
			d.broken[key.text] = true
		case item.kind != scalarNode:
			d.add(item, cause{code: "wrong_type"}, "%s is %s, want the name of a CSV file", at, item.noun())
			d.broken[key.text] = true
		case d.empty(item, at, "the name of a CSV file"):
			d.broken[key.text] = true
		default:
			out = append(out, Signal{Name: key.text, Expr: item.text})
		}
	}
	return out
}

// function checks NAME(ARGUMENTS), the key of a function.
func (d *decoder) function(key *node) bool {
	name, args, ok := signature(key.text)
	if !ok {
		d.add(key, cause{"bad_name", "such as pullback(x, n)"}, "%q is no function: want a name and its arguments in parentheses", clip(key.text, 40))
		return false
	}
	for _, word := range append([]string{name}, args...) {
		if !d.name(&node{text: word, pos: key.pos}, "functions") {
			d.broken[name] = true
			return false
		}
	}
	return true
}

// signature takes pullback(x, n) apart.
func signature(text string) (name string, args []string, ok bool) {
	name, rest, ok := strings.Cut(strings.TrimSpace(text), "(")
	rest, closed := strings.CutSuffix(rest, ")")
	if !ok || !closed {
		return "", nil, false
	}
	for _, a := range strings.Split(rest, ",") {
		if a = strings.TrimSpace(a); a == "" {
			return "", nil, false
		}
		args = append(args, a)
	}
	return strings.TrimSpace(name), args, true
}
