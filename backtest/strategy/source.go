package strategy

import (
	"sort"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// source is the text of a file with the places of its lines.
type source struct {
	name  string
	data  []byte
	lines []int // offset of the first byte of each line
	// marks are the offsets of every markEvery-th character of the lines that are longer than that, so
	// that places in files of one long line are found without counting from its beginning.
	marks map[int][]int
}

const markEvery = 128

func newSource(name string, data []byte) *source {
	s := &source{name: name, data: data, lines: []int{0}}
	for i := 0; i < len(data); {
		n := breakAt(data, i)
		if n == 0 {
			i++
			continue
		}
		i += n
		s.lines = append(s.lines, i)
	}
	s.mark()
	return s
}

// mark fills marks.
func (s *source) mark() {
	for number, from := range s.lines {
		to := len(s.data)
		if number+1 < len(s.lines) {
			to = s.lines[number+1]
		}
		if to-from <= markEvery {
			continue
		}
		var marks []int
		for count := 0; from < to; count++ {
			if count%markEvery == 0 {
				marks = append(marks, from)
			}
			_, size := utf8.DecodeRune(s.data[from:to])
			from += size
		}
		if s.marks == nil {
			s.marks = map[int][]int{}
		}
		s.marks[number] = marks
	}
}

// breakAt is the length of the line break at i, 0 for none: those of YAML, which knows five.
func breakAt(data []byte, i int) int {
	switch c := data[i]; {
	case c == '\r' && i+1 < len(data) && data[i+1] == '\n':
		return 2
	case c == '\n' || c == '\r':
		return 1
	case c == 0xC2 && i+1 < len(data) && data[i+1] == 0x85:
		return 2
	case c == 0xE2 && i+2 < len(data) && data[i+1] == 0x80 && (data[i+2] == 0xA8 || data[i+2] == 0xA9):
		return 3
	}
	return 0
}

// line is the text of a line without its break; "" beyond the end.
func (s *source) line(number int) []byte {
	if number < 1 || number > len(s.lines) {
		return nil
	}
	from := s.lines[number-1]
	to := from
	for to < len(s.data) && breakAt(s.data, to) == 0 {
		to++
	}
	return s.data[from:to]
}

// position of a byte.
func (s *source) position(offset int) Position {
	lo, hi := 0, len(s.lines)
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; s.lines[mid] <= offset {
			lo = mid
		} else {
			hi = mid
		}
	}
	from, before := s.lines[lo], 0
	if marks := s.marks[lo]; len(marks) > 0 {
		i := max(0, sort.SearchInts(marks, offset+1)-1)
		from, before = marks[i], i*markEvery
	}
	return Position{File: s.name, Line: lo + 1, Column: before + utf8.RuneCount(s.data[min(from, offset):offset]) + 1}
}

// offset of a position, at most the end of the text.
func (s *source) offset(p Position) int {
	if p.Line < 1 || p.Line > len(s.lines) {
		return len(s.data)
	}
	at, left := s.lines[p.Line-1], p.Column-1
	if marks := s.marks[p.Line-1]; len(marks) > 0 && left > 0 {
		i := min(left/markEvery, len(marks)-1)
		at, left = marks[i], left-i*markEvery
	}
	for range left {
		if at >= len(s.data) {
			break
		}
		_, size := utf8.DecodeRune(s.data[at:])
		at += size
	}
	return at
}

// at is the character at a position, or utf8.RuneError.
func (s *source) at(p Position) rune {
	r, _ := utf8.DecodeRune(s.data[s.offset(p):])
	return r
}

// locate is the place in the file of a character of a scalar, counted from 0. Quotes, escapes, text
// blocks and folded lines stand between the two: characters of the value are matched one by one with
// those of the file, white space with white space.
func (s *source) locate(n *node, char int) Position {
	if n.pos.Line == 0 {
		return n.pos
	}
	at := s.offset(n.pos)
	switch n.style {
	case '"', '\'':
		at++
	case '|':
		at = s.afterLine(at)
	}
	last := at
	for _, want := range n.text {
		if !unicode.IsSpace(want) {
			at = s.skipTo(at, want, n.style)
		}
		last = at
		if char == 0 {
			break
		}
		char--
		if at < len(s.data) && !unicode.IsSpace(want) {
			_, size := unit(s.data[at:], n.style)
			at += size
		}
	}
	if char > 0 {
		last = at
	}
	return s.position(min(last, len(s.data)))
}

// skipTo finds the next character want, at or after at.
func (s *source) skipTo(at int, want rune, style byte) int {
	for i := at; i < len(s.data); {
		r, size := unit(s.data[i:], style)
		if r == want {
			return i
		}
		i += size
	}
	return at
}

func (s *source) afterLine(at int) int {
	for at < len(s.data) && breakAt(s.data, at) == 0 {
		at++
	}
	return min(at+1, len(s.data))
}

// unit reads one character of a scalar as written: an escape in quotes is one character.
func unit(b []byte, style byte) (r rune, size int) {
	r, size = utf8.DecodeRune(b)
	switch {
	case style == '\'' && r == '\'' && len(b) > 1 && b[1] == '\'':
		return '\'', 2
	case style != '"' || r != '\\' || len(b) < 2:
		return r, size
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[b[1]]
	if digits == 0 {
		r, size = utf8.DecodeRune(b[1:])
		return r, size + 1
	}
	if len(b) < 2+digits {
		return r, size
	}
	code, err := strconv.ParseUint(string(b[2:2+digits]), 16, 32)
	if err != nil {
		return r, size
	}
	return rune(code), 2 + digits
}
