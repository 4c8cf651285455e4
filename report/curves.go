package report

import (
	"io"
	"math"
	"strings"
)

// Curve is a named column of numbers for Curves.
type Curve struct {
	Name   string
	Values []float64 // NaN where absent
	Marks  bool      // only where it is not zero means something: a pattern
}

// curveRows is the height of each curve in lines of text.
const curveRows = 6

// Curves draws columns of the same bars below each other in a terminal, each on a scale of its own.
func Curves(w io.Writer, curves []Curve, o Options) error {
	s := &screen{w: w, o: o}
	wide := min(o.width()-16, 100)
	for _, c := range curves {
		s.printf("\n  %s\n", s.bold(clean(c.Name)))
		if c.Marks {
			s.marks(c.Values, wide)
			continue
		}
		lo, hi := extremes(c.Values)
		if math.IsNaN(lo) {
			s.printf("  %s\n", s.dim("no value on these bars"))
			continue
		}
		plot := newPlot(wide, curveRows, o.Unicode)
		plot.line(c.Values, lo, hi)
		for _, l := range axis(plot.rows(), lo, hi, figures) {
			at := strings.Index(l, "|")
			s.printf("  %s%s\n", strings.Repeat(" ", max(0, 10-at)), strings.TrimRight(l, " "))
		}
	}
	return s.err
}

// marks shows where a column is above and below zero.
func (s *screen) marks(values []float64, wide int) {
	up, down := "^", "v"
	if s.o.Unicode {
		up, down = "▲", "▼"
	}
	above, below := make([]bool, len(values)), make([]bool, len(values))
	any := false
	for i, v := range values {
		above[i], below[i] = v > 0, v < 0
		any = any || v > 0 || v < 0
	}
	if !any {
		s.printf("  %s\n", s.dim("not once on these bars"))
		return
	}
	pad := strings.Repeat(" ", 14)
	for _, row := range []string{s.markRow(above, wide, up), s.markRow(below, wide, down)} {
		if row != "" {
			s.printf("%s%s\n", pad, row)
		}
	}
}
