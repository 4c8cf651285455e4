package editor

import (
	"strings"
	"sync"
	"unicode/utf8"

	"backtester/backtest/expr"
	"backtester/backtest/strategy"
)

// role is what stands, or could stand, at a place.
type role uint8

const (
	nothing role = iota
	aKey         // a key of the section path
	aValue       // the value of path
	aWord        // at the beginning of a line or item: a key of path, or its value
)

// cursor is a place in the text and what it means.
type cursor struct {
	*outline
	role role
	path []string // of the section for aKey, else of the value
	text span     // of the key or value that the place is in
	at   int
	// group is the mapping whose keys could stand here.
	group int
}

// offset of a line and column in the text; columns beyond a line's end are its end.
func offset(text string, line, column int) int {
	at := 0
	for ; line > 1; line-- {
		n := strings.IndexByte(text[at:], '\n')
		if n < 0 {
			return len(text)
		}
		at += n + 1
	}
	for ; column > 1 && at < len(text) && text[at] != '\n'; column-- {
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	return at
}

// within is the range of a span, cut to the line it begins on.
func (o *outline) within(s span) Range {
	start := strings.LastIndexByte(o.text[:s.from], '\n') + 1
	to := min(s.to, o.end(s.from))
	from := 1 + utf8.RuneCountInString(o.text[start:s.from])
	return Range{Line: 1 + strings.Count(o.text[:s.from], "\n"), From: from, To: from + utf8.RuneCountInString(o.text[s.from:to])}
}

// locate finds out what a place is for.
func locate(text string, line, column int) cursor {
	o := scan(text)
	c := cursor{outline: o, at: offset(text, line, column)}
	if len(text) > maxText || o.commented(c.at) {
		return c
	}
	for i := len(o.entries) - 1; i >= 0; i-- {
		e := o.entries[i]
		switch {
		case e.key.from >= 0 && e.key.has(c.at):
			c.role, c.path, c.text, c.group = aKey, e.path[:len(e.path)-1], e.key, e.group
			return c
		case e.value.has(c.at) && (e.value.from < e.value.to || e.value.from > e.key.to):
			c.role, c.path, c.text, c.group = aValue, e.path, e.value, e.group
			if e.key.from < 0 {
				c.role = aWord
			}
			return c
		}
	}
	for i := len(o.regions) - 1; i >= 0; i-- {
		if r := o.regions[i]; r.has(c.at) {
			c.role, c.path, c.text, c.group = aWord, r.path, span{c.at, c.at}, r.group
			if r.mapping {
				c.role = aKey
			}
			return c
		}
	}
	return c.blank(text)
}

// blank is a place on a line where nothing stands: what could begin there depends on how far it is
// indented.
func (c cursor) blank(text string) cursor {
	start := strings.LastIndexByte(text[:c.at], '\n') + 1
	if strings.Trim(text[start:c.at], " -") != "" {
		return c
	}
	before := scan(text[:start])
	indent := c.at - start
	if dash := strings.LastIndexByte(text[start:c.at], '-'); dash >= 0 {
		before.leave(dash, true)
	}
	c.role, c.path, c.text, c.group = aWord, before.path(indent), span{c.at, c.at}, before.group(indent)
	return c
}

// commented reports a place behind a #.
func (o *outline) commented(at int) bool {
	start := strings.LastIndexByte(o.text[:at], '\n') + 1
	quote := byte(0)
	for i := start; i < at; i++ {
		switch c := o.text[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '#' && (i == start || o.text[i-1] == ' ' || o.text[i-1] == '\t'):
			return true
		}
	}
	return false
}

// tables are what the reader of strategy files knows. Made once, never written.
type tables struct {
	keys      []strategy.Key
	functions []expr.Function
}

var known = sync.OnceValue(func() tables { return tables{strategy.Keys(), expr.Functions()} })

// keysOf are the keys that a section may have; the sections of one's own names have none.
func keysOf(path []string) []strategy.Key {
	prefix := grammar(path)
	if prefix != "" {
		prefix += "."
	}
	side := len(path) == 1 && (path[0] == "long" || path[0] == "short")
	var out []strategy.Key
	for _, k := range known().keys {
		rest, ok := strings.CutPrefix(k.Path, prefix)
		if side && (k.Path == "entry" || k.Path == "exit") {
			rest, ok = k.Path, true
		}
		if ok && !strings.Contains(rest, ".") && !strings.HasPrefix(rest, "<") {
			out = append(out, k)
		}
	}
	if len(path) == 2 && path[0] == "params" {
		for _, word := range [][2]string{{"default", "the value that run uses"}, {"values", "what a sweep tries: a list or a range"}} {
			out = append(out, strategy.Key{Path: prefix + word[0], Type: "number", Doc: word[1]})
		}
	}
	return out
}

// keyOf is what is known about the key at a path.
func keyOf(path []string) (strategy.Key, bool) {
	want := grammar(path)
	for _, k := range known().keys {
		if k.Path == want {
			return k, true
		}
	}
	if len(path) == 3 && path[0] == "params" {
		for _, k := range keysOf(path[:2]) {
			if strings.HasSuffix(k.Path, "."+path[2]) {
				return k, true
			}
		}
	}
	return strategy.Key{}, false
}

// grammar is a path as strategy.Keys has it: names of one's own are <name>, both sides are written as
// the long one at the top.
func grammar(path []string) string {
	if len(path) > 1 && (path[0] == "long" || path[0] == "short") {
		path = path[1:]
	}
	out := strings.Join(path, ".")
	if len(path) > 1 {
		for _, k := range known().keys {
			if k.Path == path[0]+".<name>" {
				out = strings.Join(append([]string{path[0], "<name>"}, path[2:]...), ".")
			}
		}
	}
	return out
}
