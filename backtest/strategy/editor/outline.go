package editor

import (
	"strings"
)

// The outline of a file is found without a reader of YAML, because the text is rarely finished while
// somebody types: by indentation, brackets and colons, line by line. A wrong guess costs a suggestion,
// nothing else.

// entry is a key of the file with its value, or a value without a key: an item of a list, or a word
// that may become a key.
type entry struct {
	path  []string // of the value; places in lists are left out
	key   span     // nowhere for a value without a key
	value span     // empty when there is none yet
	group int      // the mapping that it belongs to: items of a list repeat the keys of each other
}

// span is bytes [from, to) of the text.
type span struct{ from, to int }

func nowhere() span { return span{-1, -1} }

func (s span) has(at int) bool { return at >= s.from && at <= s.to }

// region is the inside of a pair of brackets, or of one that is not closed yet.
type region struct {
	span
	path    []string
	mapping bool
	group   int
}

// frame is an open section in block style.
type frame struct {
	indent int // of its key or dash
	key    string
	dash   bool
	group  int // of what is in it
}

// outline is what a scan of the text finds.
type outline struct {
	text    string
	entries []entry
	regions []region // outer ones before inner ones
	open    []frame  // around the end of the text
	depth   int      // of brackets
	groups  int      // numbered so far
}

// maxText and maxDepth bound the time that a text can take; beyond, nothing is known.
const (
	maxText  = 256 << 10
	maxDepth = 32
)

func scan(text string) *outline {
	o := &outline{text: text}
	if len(text) > maxText {
		return o
	}
	for at := 0; at < len(text); {
		at = o.line(at)
	}
	return o
}

// path of the open sections that begin to the left of indent, and of that of a dash there.
func (o *outline) path(indent int) []string {
	var out []string
	for _, f := range o.open {
		if f.key != "" && f.indent < indent {
			out = append(out, f.key)
		}
	}
	return out
}

// group of what stands at indent: that of the innermost section to the left of it.
func (o *outline) group(indent int) int {
	for i := len(o.open) - 1; i >= 0; i-- {
		if f := o.open[i]; f.indent < indent {
			return f.group
		}
	}
	return 0
}

// push opens a section.
func (o *outline) push(f frame) {
	o.groups++
	f.group = o.groups
	o.open = append(o.open, f)
}

// end of the line that at is in.
func (o *outline) end(at int) int {
	if n := strings.IndexByte(o.text[at:], '\n'); n >= 0 {
		return at + n
	}
	return len(o.text)
}

// spaces is the first byte from at on that is no space.
func (o *outline) spaces(at, end int) int {
	for at < end && (o.text[at] == ' ' || o.text[at] == '\t' || o.text[at] == '\r') {
		at++
	}
	return at
}

// line reads what begins on the line at, and returns where the next one begins.
func (o *outline) line(at int) int {
	end := o.end(at)
	i := o.spaces(at, end)
	if i == end || o.text[i] == '#' {
		return end + 1
	}
	for i < end && o.text[i] == '-' && (i+1 == end || o.text[i+1] == ' ') {
		o.leave(i-at, true)
		o.push(frame{indent: i - at, dash: true})
		i = o.spaces(i+1, end)
	}
	indent := i - at
	colon := o.colon(i, end)
	switch {
	case i < end && (o.text[i] == '{' || o.text[i] == '['):
		return o.end(min(o.brackets(i, o.path(indent)), len(o.text))) + 1
	case colon < 0:
		o.word(i, end, indent)
		return end + 1
	}
	o.leave(indent, false)
	path := append(o.path(indent), name(o.text[i:colon]))
	from := o.spaces(colon+1, end)
	e := entry{path: path, key: span{i, colon}, value: span{from, from}, group: o.group(indent)}
	o.push(frame{indent: indent, key: path[len(path)-1]})
	o.entries = append(o.entries, e)
	last := &o.entries[len(o.entries)-1]
	switch {
	case from == end:
	case o.text[from] == '{' || o.text[from] == '[':
		return o.end(min(o.brackets(from, path), len(o.text))) + 1
	case o.text[from] == '|' || o.text[from] == '>':
		return o.block(last, indent, end)
	default:
		last.value.to = o.comment(from, end)
	}
	return end + 1
}

// leave closes the sections that a key or dash at indent does not belong to.
func (o *outline) leave(indent int, dash bool) {
	n := len(o.open)
	for n > 0 && (o.open[n-1].indent > indent || o.open[n-1].indent == indent && (o.open[n-1].dash || !dash)) {
		n--
	}
	o.open = o.open[:n]
}

// colon is where the key that begins at i ends, -1 when there is none.
func (o *outline) colon(i, end int) int {
	quote := byte(0)
	for at := i; at < end; at++ {
		switch c := o.text[at]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case at == i && (c == '"' || c == '\''):
			quote = c
		case c == '#' && at > i && o.text[at-1] == ' ':
			return -1
		case c == ':' && (at+1 == end || strings.IndexByte(" \t\r", o.text[at+1]) >= 0):
			return at
		}
	}
	return -1
}

// comment is where a value that begins at from ends: at the end of the line or before a comment.
func (o *outline) comment(from, end int) int {
	quote := byte(0)
	for at := from; at < end; at++ {
		switch c := o.text[at]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case at == from && (c == '"' || c == '\''):
			quote = c
		case c == '#' && (at == from || o.text[at-1] == ' ' || o.text[at-1] == '\t'):
			return at
		}
	}
	return end
}

// word reads a line without a key: the value above goes on, or a value or key begins.
func (o *outline) word(i, end, indent int) {
	to := o.comment(i, end)
	if n := len(o.entries) - 1; n >= 0 && len(o.open) > 0 {
		top, last := o.open[len(o.open)-1], &o.entries[n]
		started := last.value.to > last.value.from
		if !top.dash && indent > top.indent && started && len(last.path) > 0 && last.path[len(last.path)-1] == top.key {
			last.value.to = to
			return
		}
	}
	o.entries = append(o.entries, entry{o.path(indent), nowhere(), span{i, to}, o.group(indent)})
}

// block passes a text block: all lines deeper than its key.
func (o *outline) block(e *entry, indent, end int) int {
	at := min(end+1, len(o.text))
	e.value = span{at, at}
	for at < len(o.text) {
		stop := o.end(at)
		line := o.text[at:stop]
		deep := len(line) - len(strings.TrimLeft(line, " "))
		if strings.TrimSpace(line) != "" && deep <= indent {
			break
		}
		e.value.to = stop
		at = stop + 1
	}
	return at
}

// brackets reads a value in { } or [ ] that begins at i and returns where it ends.
func (o *outline) brackets(i int, path []string) int {
	at := len(o.regions)
	mapping := o.text[i] == '{'
	o.groups++
	o.regions = append(o.regions, region{span{i + 1, len(o.text)}, path, mapping, o.groups})
	for i++; i < len(o.text); {
		switch c := o.text[i]; {
		case c == ' ' || c == '\t' || c == '\r' || c == ',':
			i++
		case c == '\n':
			if i++; o.outdented(i) {
				o.regions[at].to = i - 1
				return i - 1
			}
		case c == '#':
			i = o.end(i)
		case c == '}' || c == ']':
			o.regions[at].to = i
			return i + 1
		default:
			i = o.item(i, o.regions[at])
		}
	}
	return i
}

// item reads a key with its value, or a value, inside brackets.
func (o *outline) item(i int, in region) int {
	e := entry{path: in.path, key: nowhere(), group: in.group}
	if in.mapping {
		if colon := o.bracketKey(i); colon >= 0 {
			e.path = append(in.path[:len(in.path):len(in.path)], name(o.text[i:colon]))
			e.key = span{i, colon}
			for i = colon + 1; i < len(o.text) && strings.IndexByte(" \t\r\n", o.text[i]) >= 0; i++ {
			}
		}
	}
	e.value = span{i, i}
	if i < len(o.text) && (o.text[i] == '{' || o.text[i] == '[') {
		o.entries = append(o.entries, e)
		if o.depth++; o.depth > maxDepth {
			return len(o.text)
		}
		end := o.brackets(i, e.path)
		o.depth--
		return end
	}
	end := o.scalar(i)
	e.value.to = i + len(strings.TrimRight(o.text[i:end], "\t\r\n"))
	o.entries = append(o.entries, e)
	return max(end, i)
}

// bracketKey is where the key that begins at i inside { } ends, -1 when there is none.
func (o *outline) bracketKey(i int) int {
	const longest = 256
	end := min(o.end(i), i+longest)
	from := i
	if q := o.text[i]; q == '"' || q == '\'' {
		if n := strings.IndexByte(o.text[i+1:end], q); n >= 0 {
			from = i + n + 2
		}
	}
	if n := strings.IndexAny(o.text[from:end], ",{}[]"); n >= 0 {
		end = from + n
	}
	return o.colon(i, end)
}

// scalar is where a scalar inside brackets ends. Commas and brackets within calls and indices belong
// to it.
func (o *outline) scalar(from int) int {
	depth := 0
	for i := from; i < len(o.text); i++ {
		switch c := o.text[i]; {
		case (c == '"' || c == '\'') && i == from:
			if n := strings.IndexByte(o.text[i+1:], c); n >= 0 {
				i += n + 1
			}
		case c == '(' || c == '[' && i > from:
			depth++
		case depth > 0 && (c == ')' || c == ']'):
			depth--
		case c == '}' || depth == 0 && (c == ',' || c == ']'):
			return i
		case c == '\n' && o.outdented(i+1):
			return i
		case c == '#' && i > from && (o.text[i-1] == ' ' || o.text[i-1] == '\n'):
			return i
		}
	}
	return len(o.text)
}

// outdented reports a line that begins a key at the top of the file: brackets before it were not
// closed.
func (o *outline) outdented(at int) bool {
	return at < len(o.text) && strings.IndexByte(" \t\r\n#{}[],", o.text[at]) < 0 && o.colon(at, o.end(at)) > 0
}

// name is a key without quotes.
func name(text string) string {
	return strings.Trim(strings.TrimSpace(text), `"'`)
}
