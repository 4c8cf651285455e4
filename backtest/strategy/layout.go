package strategy

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// lineWidth is the number of characters that a line may have; comments at its end do not count.
const lineWidth = 100

// layout writes a tree of nodes line by line, with the comments where they belong.
//
// A comment on a line of its own belongs to what follows. If it stands deeper than that, it belongs to
// the end of the section before: the deepest open one that does not begin to the right of it. A
// comment behind something belongs to that line.
type layout struct {
	src     *source
	remarks []remark // not yet written
	lines   []printed
	open    []level // sections around the entry written last, outermost first
	lead    string  // dashes to be written before the next entry
	fresh   bool    // the line before opened a section: no empty line here
	line    int     // of the source, on which what was written last begins
	spread  bool    // the source is all in brackets: names of one's own get lines of their own
}

// printed is a line of output.
type printed struct {
	text   string
	remark string // at its end
	blank  bool   // an empty line comes before
	closed bool   // nothing can be written at its end
}

// level is a section in block style.
type level struct {
	column int // of its entries in the source
	indent int // of its entries in the output
}

// entry is a key with its value, or an item of a list.
type entry struct {
	lead  string // the key with its colon, or the dash
	value *node
	field *field
	place place
	start int // first byte in the source
}

// body writes the entries of a mapping or list.
func (l *layout) body(n *node, f *field, indent int) {
	depth := len(l.open)
	for i, item := range n.items {
		e := entry{"-", item, f.element(), inBlockList, l.start(n, i)}
		if n.kind == mappingNode {
			e.lead, e.field, e.place = key(n.keys[i], asKey)+":", f.child(n.keys[i].text), inBlock
		}
		if i == 0 {
			l.open = append(l.open, level{l.column(n), indent})
		}
		l.flush(e.start, depth)
		l.open = l.open[:depth+1]
		l.entry(e, indent)
	}
}

// column is where the entries of a section begin in the source; in brackets, the leftmost of them.
func (l *layout) column(n *node) int {
	column := l.src.position(l.start(n, 0)).Column
	for i := 1; n.flow && i < len(n.items); i++ {
		column = min(column, l.src.position(l.start(n, i)).Column)
	}
	return column
}

// start is the first byte of an entry: its key, or the dash of a list in block style.
func (l *layout) start(n *node, i int) int {
	if n.kind == mappingNode {
		return l.src.offset(n.keys[i].pos)
	}
	at := l.src.offset(n.items[i].pos)
	dash := at - 1
	for !n.flow && dash >= 0 && blank(l.src.data[dash]) {
		dash--
	}
	if !n.flow && dash >= 0 && l.src.data[dash] == '-' {
		return dash
	}
	return at
}

func (l *layout) entry(e entry, indent int) {
	n, line := e.value, l.src.position(e.start).Line
	text, whole := l.inline(e, indent)
	if !whole {
		if e.lead == "-" { // the section begins directly behind the dash
			l.lead += "- "
		} else {
			l.add(e.lead, indent, line)
			l.fresh = true
		}
		l.body(n, e.field, indent+2)
		return
	}
	until := l.src.offset(n.pos)
	if n.style == '|' {
		until = l.src.afterLine(until)
	}
	var behind []remark // between key and value, on the line of the key
	for _, r := range l.take(until) {
		if r.alone {
			l.comment(r, len(l.open)-1)
		} else {
			behind = append(behind, r)
		}
	}
	l.add(strings.TrimRight(e.lead+" "+text[0], " "), indent, line)
	for _, r := range behind {
		l.attach(r, len(l.open)-1)
	}
	for _, s := range text[1:] {
		l.lines = append(l.lines, printed{text: pad(s, indent+2), closed: n.style == '|'})
	}
}

// pad indents a line, unless it is empty.
func pad(s string, indent int) string {
	if s == "" {
		return ""
	}
	return strings.Repeat(" ", indent) + s
}

// add writes the first line of an entry, which stands on a line of the source.
func (l *layout) add(text string, indent, line int) {
	p := printed{text: pad(l.lead+text, indent-len(l.lead))}
	p.blank = !l.fresh && len(l.lines) > 0 && line > l.line && line > 1 && len(bytes.TrimSpace(l.src.line(line-1))) == 0
	l.lines = append(l.lines, p)
	l.lead, l.fresh, l.line = "", false, line
}

// take removes the comments before a byte of the source.
func (l *layout) take(until int) []remark {
	i := 0
	for i < len(l.remarks) && l.remarks[i].offset < until {
		i++
	}
	out := l.remarks[:i]
	l.remarks = l.remarks[i:]
	return out
}

// flush writes the comments before a byte, where an entry of the section at depth begins.
func (l *layout) flush(until, depth int) {
	for _, r := range l.take(until) {
		if r.alone {
			l.comment(r, depth)
		} else {
			l.attach(r, len(l.open)-1)
		}
	}
}

// attach writes a comment behind the last line if there is room, else on a line of its own.
func (l *layout) attach(r remark, depth int) {
	if last := len(l.lines) - 1; last >= 0 && l.lines[last].remark == "" && !l.lines[last].closed {
		l.lines[last].remark = r.text
		return
	}
	r.pos.Column = 1 << 30 // as deep as it can be
	l.comment(r, depth)
}

// comment writes a comment on a line of its own, in the section at depth or in a deeper open one.
func (l *layout) comment(r remark, depth int) {
	indent := 0
	for i, at := range l.open {
		if i == depth || i > depth && at.column <= r.pos.Column {
			indent = at.indent
		}
	}
	lead := l.lead
	l.lead = ""
	l.add(r.text, indent-len(lead), r.pos.Line)
	l.lead = lead
	l.lines[len(l.lines)-1].closed = true
}

// bytes is the output, with comments at the ends of neighbouring lines aligned.
func (l *layout) bytes() []byte {
	var b bytes.Buffer
	width := 0
	for i, p := range l.lines {
		if p.blank {
			b.WriteByte('\n')
		}
		b.WriteString(p.text)
		if p.remark != "" {
			if i == 0 || p.blank || l.lines[i-1].remark == "" {
				width = l.runWidth(i)
			}
			b.WriteString(strings.Repeat(" ", width-utf8.RuneCountInString(p.text)+1) + p.remark)
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// runWidth is the length of the longest line from i on, as far as lines have comments at their ends.
func (l *layout) runWidth(i int) int {
	width := 0
	for j := i; j < len(l.lines) && l.lines[j].remark != "" && (j == i || !l.lines[j].blank); j++ {
		width = max(width, utf8.RuneCountInString(l.lines[j].text))
	}
	return width
}
