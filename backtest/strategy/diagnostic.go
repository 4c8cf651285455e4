package strategy

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"backtester/backtest/expr"
)

// Position is a place in a strategy file, 1-based. For a value given on the command line File is
// "--set PATH=VALUE" and Line is 0.
type Position = expr.Pos

// Diagnostic is one fault with its place; Diagnostics are all of them, an error.
type (
	Diagnostic  = expr.Diagnostic
	Diagnostics = expr.Diagnostics
)

// Excerpt is the line of the file that a fault stands on, with its number, and below it carets under
// what is meant:
//
//	7 |   dip: smaa(close, 14) < level
//	  |        ^^^^
//
// data is the file that was parsed. It is "" for faults without a line. Long lines are cut around the
// fault; control characters are shown as spaces. The result ends in a newline.
func Excerpt(data []byte, d Diagnostic) string {
	line := newSource("", []byte(strings.TrimPrefix(string(data), "\ufeff"))).line(d.Line)
	if d.Line < 1 || d.Column < 1 || len(line) == 0 && d.Line > 1 {
		return ""
	}
	text := []rune(string(line))
	for i, r := range text {
		if r < ' ' || r == 0x7F || r >= 0x80 && r < 0xA0 || r == utf8.RuneError {
			text[i] = ' '
		}
	}
	from := min(d.Column-1, len(text))
	to := max(from+1, min(from+d.Length, len(text)))

	const width = 100
	if len(text) > width {
		left := max(0, min(from-width/3, len(text)-width))
		right := min(len(text), left+width)
		if to > right {
			to = max(from+1, right)
		}
		cut := append([]rune(nil), text[left:right]...)
		text, from, to = cut, from-left, to-left
	}
	number := fmt.Sprintf("%4d", d.Line)
	return fmt.Sprintf("%s | %s\n%s | %s%s\n", number, string(text),
		strings.Repeat(" ", len(number)), strings.Repeat(" ", from), strings.Repeat("^", to-from))
}
