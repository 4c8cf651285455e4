package report

import (
	"math"
	"strings"
)

// plot is a chart of text: one character cell is 2 dots wide and 4 dots high in braille, 1 by 1 in
// ASCII.
type plot struct {
	w, h    int // cells
	unicode bool
	dots    []uint8 // braille bits, or 1 for a mark, by row and column of cells
}

func newPlot(w, h int, unicode bool) *plot {
	return &plot{w: w, h: h, unicode: unicode, dots: make([]uint8, w*h)}
}

// size in dots.
func (p *plot) size() (w, h int) {
	if p.unicode {
		return 2 * p.w, 4 * p.h
	}
	return p.w, p.h
}

// brailleBits are the dots of a braille cell by row and column.
var brailleBits = [4][2]uint8{{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}

// set marks the dot in column x from the left and row y from the top.
func (p *plot) set(x, y int) {
	w, h := p.size()
	if x < 0 || y < 0 || x >= w || y >= h {
		return
	}
	if p.unicode {
		p.dots[y/4*p.w+x/2] |= brailleBits[y%4][x%2]
		return
	}
	p.dots[y*p.w+x] = 1
}

// column marks the dots from y0 to y1 in column x.
func (p *plot) column(x, y0, y1 int) {
	if y0 > y1 {
		y0, y1 = y1, y0
	}
	for y := y0; y <= y1; y++ {
		p.set(x, y)
	}
}

// line draws values over the whole width within [lo, hi]. Every column shows the least and the
// greatest of its values, so that no extreme is lost, and is joined to the one before.
func (p *plot) line(values []float64, lo, hi float64) {
	w, h := p.size()
	row := func(v float64) int {
		if !(hi > lo) {
			return h / 2
		}
		// Halved, so that the span of the largest numbers is one too; NaN for infinite ones.
		at := math.Round((hi/2 - v/2) / (hi/2 - lo/2) * float64(h-1))
		if !(at > 0) {
			return 0
		}
		return int(min(at, float64(h-1)))
	}
	last := -1 // row at which the column before ended
	for x := range w {
		i, j := x*len(values)/w, (x+1)*len(values)/w
		j = min(max(j, i+1), len(values))
		least, most := extremes(values[i:j])
		if math.IsNaN(least) {
			last = -1
			continue
		}
		top, bottom := row(most), row(least)
		if last >= 0 {
			if last < top {
				top = last + 1
			} else if last > bottom {
				bottom = last - 1
			}
			top, bottom = min(top, row(most)), max(bottom, row(least))
		}
		p.column(x, top, bottom)
		last = row(values[j-1])
	}
}

// extremes of the values that exist; NaN when none does.
func extremes(values []float64) (least, most float64) {
	least, most = math.NaN(), math.NaN()
	for _, v := range values {
		if math.IsNaN(v) {
			continue
		}
		if !(v >= least) {
			least = v
		}
		if !(v <= most) {
			most = v
		}
	}
	return least, most
}

// rows are the lines of the chart, top first, without trailing blanks.
func (p *plot) rows() []string {
	out := make([]string, p.h)
	for y := range out {
		var b strings.Builder
		for x := range p.w {
			d := p.dots[y*p.w+x]
			switch {
			case d == 0:
				b.WriteByte(' ')
			case p.unicode:
				b.WriteRune(0x2800 + rune(d))
			default:
				b.WriteByte('*')
			}
		}
		out[y] = strings.TrimRight(b.String(), " ")
	}
	return out
}

// axis puts labels before the rows of a chart: the top, middle and bottom value.
func axis(rows []string, lo, hi float64, label func(float64) string) []string {
	width := 0
	text := make([]string, len(rows))
	for i := range rows {
		if i == 0 || i == len(rows)-1 || (len(rows) >= 5 && i == len(rows)/2) {
			v := hi
			if n := len(rows) - 1; n > 0 {
				v = hi - (hi-lo)*float64(i)/float64(n)
			}
			text[i] = label(v)
			width = max(width, len(text[i]))
		}
	}
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = strings.Repeat(" ", width-len(text[i])) + text[i] + " | " + r
	}
	return out
}

// sparkLevels are the eight heights of a block.
var sparkLevels = []rune("▁▂▃▄▅▆▇█")

// sparkline is values in n characters: the last value of each part. In ASCII it is empty.
func sparkline(values []float64, n int, unicode bool) string {
	lo, hi := extremes(values)
	if !unicode || math.IsNaN(lo) {
		return ""
	}
	n = min(n, len(values))
	var b strings.Builder
	for x := range n {
		v := values[(x+1)*len(values)/n-1]
		switch {
		case math.IsNaN(v):
			b.WriteByte(' ')
		case !(hi > lo):
			b.WriteRune(sparkLevels[3])
		default:
			b.WriteRune(sparkLevels[int(math.Round((v-lo)/(hi-lo)*7))])
		}
	}
	return b.String()
}
