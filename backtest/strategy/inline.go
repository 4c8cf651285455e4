package strategy

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// inline writes a value that needs no section of its own: the first line goes behind the key, the
// others are indented below it. False means that the value must be written entry by entry.
func (l *layout) inline(e entry, indent int) ([]string, bool) {
	n, f := e.value, e.field
	room := lineWidth - indent - utf8.RuneCountInString(e.lead) - 1
	if n.kind == scalarNode {
		return l.value(e, indent, room), true
	}
	if len(n.items) == 0 {
		return []string{map[nodeKind]string{mappingNode: "{}", listNode: "[]"}[n.kind]}, true
	}
	names := f != nil && (f.form == formSignals || f.form == formFiles || f.form == formParams)
	if !n.flow || l.spread && names && len(n.items) > 1 || l.remarkWithin(n) {
		return nil, false
	}
	text, plain := flowText(n, f)
	if !plain {
		return nil, false
	}
	if utf8.RuneCountInString(text) <= room {
		return []string{text}, true
	}
	return filled(n, f, room, lineWidth-indent-2)
}

// remarkWithin reports a comment between the beginning of n and its last value.
func (l *layout) remarkWithin(n *node) bool {
	from := l.src.offset(n.pos)
	for n.kind != scalarNode && len(n.items) > 0 {
		n = n.items[len(n.items)-1]
	}
	to := l.src.offset(n.pos)
	i := sort.Search(len(l.remarks), func(i int) bool { return l.remarks[i].offset > from })
	return i < len(l.remarks) && l.remarks[i].offset < to
}

// flowText writes a tree in brackets. It is not plain when an expression in it has commas or brackets
// of its own, which other readers of YAML would not understand there.
func flowText(n *node, f *field) (text string, plain bool) {
	parts, plain := make([]string, len(n.items)), true
	for i, item := range n.items {
		inner, at := f.element(), inFlowList
		if n.kind == mappingNode {
			inner, at = f.child(n.keys[i].text), inFlow
			parts[i] = key(n.keys[i], asFlowKey) + ": "
		}
		s, ok := "", true
		if item.kind == scalarNode {
			s = scalar(item, inner, at)
			ok = !strings.ContainsAny(s, ",[]{}") || s[0] == '"' || s[0] == '\''
		} else {
			s, ok = flowText(item, inner)
		}
		parts[i] += s
		plain = plain && ok
	}
	if n.kind == mappingNode {
		return "{" + strings.Join(parts, ", ") + "}", plain
	}
	return "[" + strings.Join(parts, ", ") + "]", plain
}

// filled writes a long list of plain values on several lines.
func filled(n *node, f *field, room, next int) ([]string, bool) {
	if n.kind != listNode {
		return nil, false
	}
	lines := []string{"["}
	for i, item := range n.items {
		if item.kind != scalarNode {
			return nil, false
		}
		text := scalar(item, f.element(), inFlowList)
		if i < len(n.items)-1 {
			text += ","
		} else {
			text += "]"
		}
		last := &lines[len(lines)-1]
		switch {
		case i == 0:
			*last += text
		case utf8.RuneCountInString(*last)+1+utf8.RuneCountInString(text) <= room:
			*last += " " + text
		default:
			lines, room = append(lines, text), next
		}
	}
	return lines, true
}

// value writes a scalar behind its key or dash. Expressions and texts that are too long are broken.
func (l *layout) value(e entry, indent, room int) []string {
	n, m := e.value, e.field.means(e.value)
	if n.style == '|' && canonical(n, m) == n.text {
		if text := l.textBlock(n); text != nil {
			return text
		}
	}
	if m == asText && n.style != '|' && strings.Contains(n.text, "\n") {
		if text := literal(n.text); text != nil {
			return text
		}
	}
	text := scalar(n, e.field, e.place)
	if utf8.RuneCountInString(text) <= room || text != canonical(n, m) {
		return []string{text}
	}
	switch m {
	case asExpr:
		return conjuncts(text)
	case asText:
		return wrap(text, room, lineWidth-indent-2)
	}
	return []string{text}
}

// textBlock is a literal or folded text as it was written, with its own indentation taken off; nil if
// its sign says more than that, or nothing stands in it.
func (l *layout) textBlock(n *node) []string {
	at := l.src.offset(n.pos)
	sign := l.src.data[at:]
	sign = sign[:len(sign)-len(strings.TrimLeft(string(sign), "|>+-0123456789"))]
	within := l.src.extent(n)
	if strings.ContainsAny(string(sign), "+0123456789") || within.to <= within.from {
		return nil
	}
	out, indent := []string{string(sign)}, -1
	first, last := l.src.position(within.from).Line, l.src.position(within.to).Line
	for i := first; i <= last; i++ {
		line := string(l.src.line(i))
		deep := len(line) - len(strings.TrimLeft(line, " "))
		if indent < 0 && deep < len(line) {
			indent = deep
		}
		if indent < 0 || deep == len(line) && deep <= indent {
			line = ""
		} else {
			line = line[min(indent, deep):]
		}
		out = append(out, line)
	}
	return out
}

// literal writes a text of several lines as a block; nil if a block cannot hold it.
func literal(text string) []string {
	body, ended := strings.CutSuffix(text, "\n")
	lines := strings.Split(body, "\n")
	if strings.HasPrefix(body, " ") || strings.ContainsFunc(body, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) {
		return nil
	}
	for i, line := range lines {
		if strings.TrimRight(line, " ") != line || line == "" && (i == 0 || i == len(lines)-1) {
			return nil
		}
	}
	return append([]string{map[bool]string{true: "|", false: "|-"}[ended]}, lines...)
}

// conjuncts breaks an expression in the form of expr.Format before the loosest of its operators `or`
// and `and` that stand outside of brackets.
func conjuncts(text string) []string {
	for _, word := range []string{" or ", " and "} {
		var out []string
		depth, from := 0, 0
		var quoted byte
		for i := 0; i < len(text); i++ {
			c := text[i]
			switch {
			case quoted != 0:
				if c == quoted {
					quoted = 0
				}
			case c == '"' || c == '\'':
				quoted = c
			case c == '(' || c == '[':
				depth++
			case c == ')' || c == ']':
				depth--
			case depth == 0 && strings.HasPrefix(text[i:], word):
				out, from = append(out, text[from:i]), i+1
			}
		}
		if len(out) > 0 {
			return append(out, text[from:])
		}
	}
	return []string{text}
}

// wrap breaks a text between words that one space separates.
func wrap(text string, room, next int) []string {
	var out []string
	from, at, width := 0, 0, 0 // of the line and of the word being looked at
	for at < len(text) {
		end := at
		for end < len(text) && text[end] != ' ' {
			end++
		}
		word := utf8.RuneCountInString(text[at:end])
		single := at-from >= 2 && text[at-1] == ' ' && text[at-2] != ' ' && word > 0 && text[at] != '#'
		if single && width+word > room {
			out = append(out, text[from:at-1])
			from, width, room = at, 0, next
		}
		width += word + 1
		at = end + 1
	}
	return append(out, text[from:])
}
