package strategy

// Place is where characters [from, from+length) of the value at a dotted path stand, and how many of
// them stand on that line: an expression may be quoted or broken over several lines. Characters are
// counted from 0. The zero Position means that the file has no such value or was built by hand; a
// value given on the command line has no line.
func (f *File) Place(path string, from, length int) (Position, int) {
	n := f.nodes[path]
	if n == nil {
		return Position{}, 0
	}
	doc := f.origin
	if doc == nil || n.kind != scalarNode || n.pos.Line == 0 || n.pos.File != doc.name {
		return n.pos, n.width()
	}
	runes := len([]rune(n.text))
	from = max(0, min(from, runes-1))
	start := doc.text.locate(n, from)
	last := max(from, min(from+length, runes)-1)
	if end := doc.text.locate(n, last); end.Line == start.Line {
		return start, end.Column - start.Column + 1
	}
	return start, max(1, len([]rune(string(doc.text.line(start.Line))))-start.Column+1)
}
