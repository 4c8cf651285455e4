package cmd

import (
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Tables are fitted into a width by wrapping their texts. The first column names the row and keeps more of
// its width; numbers and words are never cut.

const (
	columnGap   = 2  // blanks behind a column
	leastColumn = 16 // a column of text that is wrapped keeps as much
	leastFirst  = 30 // so does the first one
)

// fit wraps cells so that a table of the columns is at most width wide; false when that is impossible.
func fit(width int, header []string, rows [][]string, right []int) ([][]string, bool) {
	widths := make([]int, len(header))
	total := 0
	for k, h := range header {
		widths[k] = utf8.RuneCountInString(h)
		for _, r := range rows {
			widths[k] = max(widths[k], utf8.RuneCountInString(r[k]))
		}
		total += widths[k] + columnGap
	}
	narrow := slices.Clone(widths)
	for total -= columnGap; total > width; total-- {
		k := widest(narrow, right)
		if k < 0 {
			return nil, false
		}
		narrow[k]--
	}
	out := make([][]string, len(rows))
	for i, r := range rows {
		out[i] = slices.Clone(r)
		for k := range r {
			if narrow[k] == widths[k] {
				continue
			}
			lines := wrapped(r[k], narrow[k])
			if slices.ContainsFunc(lines, func(l string) bool { return utf8.RuneCountInString(l) > narrow[k] }) {
				return nil, false // a word is longer than its column
			}
			out[i][k] = strings.Join(lines, "\n")
		}
	}
	return out, true
}

// widest column that may be narrowed still, -1 without one.
func widest(widths, right []int) int {
	best := -1
	for k := range widths {
		least := leastColumn
		if k == 0 {
			least = leastFirst
		}
		if widths[k] > least && !slices.Contains(right, k) && (best < 0 || widths[k] > widths[best]) {
			best = k
		}
	}
	return best
}

// stacked prints each row by itself: what names it, and below it the other cells with their heads.
func stacked(w io.Writer, width int, header []string, rows [][]string) error {
	margin := 0
	for _, h := range header[1:] {
		margin = max(margin, utf8.RuneCountInString(h))
	}
	var b strings.Builder
	for _, r := range rows {
		for i, l := range wrapped(r[0], width-columnGap) {
			if i > 0 {
				l = strings.Repeat(" ", columnGap) + l
			}
			b.WriteString(l + "\n")
		}
		for k := 1; k < len(r); k++ {
			if r[k] != "" {
				b.WriteString(hanging("  "+header[k]+strings.Repeat(" ", margin-utf8.RuneCountInString(header[k])+columnGap), r[k], width))
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// hanging is a head with a text behind it, whose further lines begin below the text; width 0 is no limit.
func hanging(head, text string, width int) string {
	indent := utf8.RuneCountInString(head)
	var b strings.Builder
	for i, l := range wrapped(text, width-indent) {
		if i > 0 {
			head = strings.Repeat(" ", indent)
		}
		b.WriteString(strings.TrimRight(head+l, " ") + "\n")
	}
	return b.String()
}

// wrapped breaks a text at blanks, and lists of words behind their bars, into lines of at most n runes where
// its words allow; n under 1 is no limit.
func wrapped(text string, n int) []string {
	if n < 1 || utf8.RuneCountInString(text) <= n {
		return []string{text}
	}
	var lines []string
	line, room := "", n
	add := func(part, between string) {
		size := utf8.RuneCountInString(between) + utf8.RuneCountInString(part)
		if line != "" && size > room {
			lines, line, room = append(lines, line), "", n
			between, size = "", utf8.RuneCountInString(part)
		}
		line, room = line+between+part, room-size
	}
	for _, word := range strings.Fields(text) {
		between := " "
		if line == "" {
			between = ""
		}
		for part := range strings.SplitAfterSeq(word, "|") {
			add(part, between)
			between = ""
		}
	}
	return append(lines, line)
}

// margin of a line: blanks, with a dash or a word and more blanks behind it.
var margin = regexp.MustCompile(`^ *(?:- |\S+ {2,})?`)

// prose prints lines of text, those that are too wide in several: further lines begin where the text of the
// first began, behind its margin.
func (a *app) prose(w io.Writer, text string) error {
	width := a.io.width(w)
	var b strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		n := len(margin.FindString(line))
		b.WriteString(hanging(line[:n], line[n:], width))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
