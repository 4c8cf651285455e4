package strategy

import (
	"sort"
	"strings"
	"unicode"
)

// remark is a comment of the file.
type remark struct {
	offset int // of the #
	pos    Position
	text   string // from the # to the end of the line, without white space behind
	alone  bool   // nothing else stands on its line
}

// remarks are the comments of a file in their order: whatever follows a # that belongs to no value.
// Where the values are is known from the nodes, so that no guess about YAML is made here.
func remarks(src *source, root *node) []remark {
	var values []extent
	src.extents(root, &values)
	sort.Slice(values, func(i, j int) bool { return values[i].from < values[j].from })
	var out []remark
	for at := 0; at < len(src.data); at++ {
		if len(values) > 0 && at >= values[0].from {
			at = max(at, values[0].to)
			values = values[1:]
			at--
			continue
		}
		if src.data[at] != '#' || at > 0 && !blank(src.data[at-1]) && src.position(at).Column > 1 {
			continue
		}
		end := at
		for end < len(src.data) && breakAt(src.data, end) == 0 {
			end++
		}
		r := remark{offset: at, pos: src.position(at)}
		r.text = strings.TrimRightFunc(string(src.data[at:end]), unicode.IsSpace)
		before := src.data[src.lines[r.pos.Line-1]:at]
		r.alone = strings.TrimSpace(string(before)) == ""
		out = append(out, r)
		at = end - 1
	}
	return out
}

// extent is where a value stands: bytes [from, to).
type extent struct{ from, to int }

// extents collects the scalars of a tree, keys among them.
func (s *source) extents(n *node, out *[]extent) {
	if n.kind == scalarNode {
		if e := s.extent(n); e.to > e.from {
			*out = append(*out, e)
		}
		return
	}
	for _, k := range n.keys {
		s.extents(k, out)
	}
	for _, item := range n.items {
		s.extents(item, out)
	}
}

// extent of a scalar, quotes included. A text block begins at its sign and ends with its last visible
// line; a comment behind the sign is not part of it.
func (s *source) extent(n *node) extent {
	from := s.offset(n.pos)
	e := extent{from, from}
	switch {
	case n.style == '"' || n.style == '\'':
		e.to = s.closing(from)
	case strings.TrimSpace(n.text) == "":
	default:
		visible := strings.TrimRightFunc(n.text, unicode.IsSpace)
		last := s.offset(s.locate(n, len([]rune(visible))-1))
		if n.style == '|' {
			e.from = s.afterLine(from)
			for last < len(s.data) && breakAt(s.data, last) == 0 {
				last++
			}
			e.to = last
			return e
		}
		e.to = last + 1
	}
	return e
}

// closing is the byte behind the quote that closes the one at from.
func (s *source) closing(from int) int {
	quote := s.data[from]
	for at := from + 1; at < len(s.data); at++ {
		switch c := s.data[at]; {
		case c == '\\' && quote == '"':
			at++
		case c == quote && quote == '\'' && at+1 < len(s.data) && s.data[at+1] == quote:
			at++
		case c == quote:
			return at + 1
		}
	}
	return len(s.data)
}
