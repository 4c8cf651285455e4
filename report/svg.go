package report

import (
	"html"
	"math"
	"slices"
	"strconv"
	"strings"

	"backtester/backtest/instrument"
)

// frame is an SVG drawing with a plot area and axes. Colours and fonts come from the classes of the
// page's style sheet, so that it follows the theme.
type frame struct {
	b                        strings.Builder
	w, h                     float64 // whole drawing, pixels
	left, right, top, bottom float64 // margins of the plot area
	lo, hi                   float64 // values at the bottom and at the top
	log                      bool
}

func newFrame(w, h float64) *frame {
	return &frame{w: w, h: h, left: 58, right: 12, top: 10, bottom: 24}
}

func (f *frame) plotW() float64 { return f.w - f.left - f.right }
func (f *frame) plotH() float64 { return f.h - f.top - f.bottom }

// x of position i of n, the first at the left edge and the last at the right one.
func (f *frame) x(i float64, n int) float64 {
	if n < 2 {
		return f.left + f.plotW()/2
	}
	return f.left + i/float64(n-1)*f.plotW()
}

func (f *frame) y(v float64) float64 {
	lo, hi := f.lo, f.hi
	if f.log {
		v, lo, hi = math.Log(v), math.Log(lo), math.Log(hi)
	}
	if !(hi > lo) {
		return f.top + f.plotH()/2
	}
	return f.top + (hi-v)/(hi-lo)*f.plotH()
}

// coord writes a coordinate with a tenth of a pixel.
func coord(x float64) string {
	s := strconv.FormatFloat(x, 'f', 1, 64)
	s = strings.TrimSuffix(s, ".0")
	if s == "-0" {
		return "0"
	}
	return s
}

// el writes an empty element; attributes come in pairs, their values are escaped.
func (f *frame) el(name string, attrs ...string) {
	f.tag(name, attrs)
	f.b.WriteString("/>")
}

func (f *frame) open(name string, attrs ...string) {
	f.tag(name, attrs)
	f.b.WriteByte('>')
}

func (f *frame) tag(name string, attrs []string) {
	f.b.WriteByte('<')
	f.b.WriteString(name)
	for i := 0; i+1 < len(attrs); i += 2 {
		f.b.WriteByte(' ')
		f.b.WriteString(attrs[i])
		f.b.WriteString(`="`)
		f.b.WriteString(html.EscapeString(attrs[i+1]))
		f.b.WriteByte('"')
	}
}

func (f *frame) line(class string, x1, y1, x2, y2 float64) {
	f.el("line", "class", class, "x1", coord(x1), "y1", coord(y1), "x2", coord(x2), "y2", coord(y2))
}

func (f *frame) rect(class string, x, y, w, h float64) {
	f.el("rect", "class", class, "x", coord(x), "y", coord(y), "width", coord(math.Max(w, 0)), "height", coord(math.Max(h, 0)))
}

// text is anchored at start, middle or end.
func (f *frame) text(class, anchor string, x, y float64, s string) {
	f.open("text", "class", class, "x", coord(x), "y", coord(y), "text-anchor", anchor)
	f.b.WriteString(html.EscapeString(s))
	f.b.WriteString("</text>")
}

// path draws values as a line; absent values break it. With more values than two a pixel, each pixel
// column keeps its least and greatest value in their order, so that no extreme is lost. attrs are
// further attributes in pairs.
func (f *frame) path(class string, values []float64, attrs ...string) {
	if d := f.pathData(values); d != "" {
		f.el("path", append([]string{"class", class, "d", d}, attrs...)...)
	}
}

// area fills between values and the level base.
func (f *frame) area(class string, values []float64, base float64) {
	if len(values) < 2 {
		return
	}
	if d := f.pathData(values); d != "" && strings.Count(d, "M") == 1 {
		n := len(values)
		y := coord(f.y(base))
		f.el("path", "class", class, "d", d+"L"+coord(f.x(float64(n-1), n))+" "+y+"L"+coord(f.x(0, n))+" "+y+"Z")
	}
}

// between fills what is between two columns of the same sessions, from where they part on. With more values
// than pixels each pixel has the least and the greatest of both. What a logarithmic scale does not have lies
// at its lower end.
func (f *frame) between(class string, columns [2][]float64, attrs ...string) {
	n := len(columns[0])
	width := min(n, int(f.plotW()))
	var top, bottom [][2]float64
	for k := range width {
		i, j := k*n/width, (k+1)*n/width
		lo, hi := extremes(slices.Concat(columns[0][i:j], columns[1][i:j]))
		if math.IsNaN(lo) || math.IsInf(hi-lo, 0) {
			continue
		}
		if f.log {
			lo, hi = math.Max(lo, f.lo), math.Max(hi, f.lo)
		}
		if len(top) == 1 && top[0] == bottom[0] && lo == hi {
			top, bottom = nil, nil
		}
		x := f.x(float64(i+j-1)/2, n)
		top, bottom = append(top, [2]float64{x, f.y(hi)}), append(bottom, [2]float64{x, f.y(lo)})
	}
	if len(top) < 2 {
		return
	}
	var p pen
	slices.Reverse(bottom)
	for _, at := range append(top, bottom...) {
		p.to(at[0], at[1])
	}
	f.el("path", append([]string{"class", class, "d", p.b.String() + "Z"}, attrs...)...)
}

func (f *frame) pathData(values []float64) string {
	var p pen
	for _, i := range keepExtremes(values, int(f.plotW())) {
		v := values[i]
		if math.IsNaN(v) || math.IsInf(v, 0) || f.log && v <= 0 {
			p.lift()
			continue
		}
		p.to(f.x(float64(i), len(values)), f.y(v))
	}
	return p.b.String()
}

// pen writes the data of a path in tenths of a pixel: steps from point to point, which are shorter
// than places, and exact because they are steps between rounded places. The letter of a step and
// separators are left out where they can be.
type pen struct {
	b    strings.Builder
	x, y int // where it is, in tenths
	down bool
	step bool // the last letter was that of a step
	last string
}

func (p *pen) lift() { p.down = false }

// to draws a line from where the pen is, or begins a new one there.
func (p *pen) to(x, y float64) {
	a, b := int(math.Round(10*x)), int(math.Round(10*y))
	if !p.down {
		p.letter('M')
		p.number(a)
		p.number(b)
		p.step = false
	} else if a != p.x || b != p.y {
		if !p.step {
			p.letter('l')
			p.step = true
		}
		p.number(a - p.x)
		p.number(b - p.y)
	}
	p.x, p.y, p.down = a, b, true
}

func (p *pen) letter(c byte) {
	p.b.WriteByte(c)
	p.last = ""
}

// number needs no separator after a letter, before a minus, and before a point when the number before
// has one.
func (p *pen) number(n int) {
	s := tenths(n)
	if p.last != "" && s[0] != '-' && !(s[0] == '.' && strings.Contains(p.last, ".")) {
		p.b.WriteByte(' ')
	}
	p.b.WriteString(s)
	p.last = s
}

// tenths writes a number of tenths in the fewest characters.
func tenths(n int) string {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	switch {
	case n%10 == 0:
		return sign + strconv.Itoa(n/10)
	case n < 10:
		return sign + "." + strconv.Itoa(n)
	}
	return sign + strconv.Itoa(n/10) + "." + strconv.Itoa(n%10)
}

// keepExtremes picks the indices to draw in about width pixels: all of them, or the first, the last and
// of each bucket the least and the greatest.
func keepExtremes(values []float64, width int) []int {
	n := len(values)
	out := make([]int, 0, min(n, 2*width+2))
	if n <= 2*width {
		for i := range n {
			out = append(out, i)
		}
		return out
	}
	for k := range width {
		i, j := k*n/width, (k+1)*n/width
		least, most := i, i
		for t := i; t < j; t++ {
			if values[t] < values[least] || math.IsNaN(values[least]) {
				least = t
			}
			if values[t] > values[most] || math.IsNaN(values[most]) {
				most = t
			}
		}
		if k == 0 && min(least, most) > 0 {
			out = append(out, 0)
		}
		if out = append(out, min(least, most)); least != most {
			out = append(out, max(least, most))
		}
	}
	if out[len(out)-1] < n-1 {
		out = append(out, n-1)
	}
	return out
}

// grid draws horizontal lines with labels at ticks, and labelled dates.
func (f *frame) grid(ticks []float64, label func(float64) string) {
	for _, v := range ticks {
		y := f.y(v)
		f.line("grid", f.left, y, f.w-f.right, y)
		f.text("tick", "end", f.left-6, y+4, label(v))
	}
}

func (f *frame) dateAxis(dates []instrument.Date) {
	n := len(dates)
	last := math.Inf(-1)
	for _, t := range dateTicks(dates, int(f.plotW()/78)) {
		x := f.x(float64(t.at), n)
		if x-last < 56 || x > f.w-f.right-10 || x+3.7*float64(len(t.label)) > f.w { // half of it would be beyond the edge
			continue
		}
		f.line("grid", x, f.top, x, f.h-f.bottom)
		f.text("tick", "middle", x, f.h-7, t.label)
		last = x
	}
}

// svg closes the drawing: class names it for the style sheet, label says to those who cannot see it
// what it shows, data are further attributes in pairs.
func (f *frame) svg(class, label string, data ...string) string {
	head := frame{}
	head.open("svg", append([]string{"xmlns", "http://www.w3.org/2000/svg", "class", class, "viewBox", "0 0 " + coord(f.w) + " " + coord(f.h),
		"role", "img", "aria-label", label}, data...)...)
	return head.b.String() + f.b.String() + "</svg>"
}

// niceTicks are at most about n round numbers within [lo, hi].
func niceTicks(lo, hi float64, n int) []float64 {
	if !(hi > lo) {
		return []float64{lo}
	}
	var out []float64
	for more := n; len(out) < 3 && more <= 2*n+2; more++ { // a round step may leave one or two: then a smaller one
		step := roundStep((hi - lo) / float64(more))
		out = out[:0]
		for k := math.Ceil(lo/step - 1e-9); k*step <= hi+step*1e-9; k++ {
			out = append(out, k*step+0) // + 0 makes minus zero zero
		}
	}
	return out
}

// logTicks are 1, 2 and 5 times powers of ten; where fewer than three fall within the range, round
// numbers of even distance.
func logTicks(lo, hi float64, n int) []float64 {
	var out []float64
	for e := math.Floor(math.Log10(lo)); e <= math.Ceil(math.Log10(hi)); e++ {
		for _, m := range []float64{1, 2, 5} {
			if v := m * math.Pow10(int(e)); v >= lo && v <= hi {
				out = append(out, v)
			}
		}
	}
	if len(out) < 3 {
		return niceTicks(lo, hi, n)
	}
	return out
}

func roundStep(x float64) float64 {
	p := math.Pow10(int(math.Floor(math.Log10(x))))
	for _, f := range []float64{1, 2, 2.5, 5} {
		if f*p >= x*(1-1e-9) {
			return f * p
		}
	}
	return 10 * p
}

type dateTick struct {
	at    int
	label string
}

// dateTicks labels the beginnings of years, of months, or single days, at most about n.
func dateTicks(dates []instrument.Date, n int) []dateTick {
	if len(dates) < 2 {
		return nil
	}
	n = max(n, 2)
	months := int(dates[len(dates)-1]-dates[0]) / 30
	step := 0
	for _, s := range []int{1, 2, 3, 6, 12, 24, 60, 120, 240} {
		if step == 0 && months/s <= n {
			step = s
		}
	}
	var out []dateTick
	if months < 3 {
		var days []int // a day of many bars is named once, where it begins
		for i := range dates {
			if i == 0 || dates[i] != dates[i-1] {
				days = append(days, i)
			}
		}
		k := max(1, (len(days)+n-1)/n)
		for i := k / 2; i < len(days); i += k {
			out = append(out, dateTick{days[i], dates[days[i]].Time().Format("2 Jan")})
		}
		return out
	}
	index := func(d instrument.Date) int { y, m, _ := d.Time().Date(); return 12*y + int(m) - 1 }
	for i := 1; i < len(dates); i++ {
		m := index(dates[i])
		if m == index(dates[i-1]) || step == 0 || m%step != 0 {
			continue
		}
		label := dates[i].Time().Format("2006")
		if m%12 != 0 || step < 6 {
			label = dates[i].Time().Format("Jan 2006")
		}
		out = append(out, dateTick{i, label})
	}
	return out
}
