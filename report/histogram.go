package report

import (
	"html/template"
	"math"

	"backtester/backtest/stats"
)

// histogramChart draws how often values occur, with the normal curve of the same mean and deviation
// where asked for, and lines at marks.
type histogramChart struct {
	label string
	h     stats.Histogram
	marks []mark
	bell  bool
	unit  func(float64) string
	turn  float64 // values under it are drawn as losses
}

type mark struct {
	name string
	at   float64
}

func (c histogramChart) both() template.HTML {
	if len(c.h.Count) == 0 {
		return ""
	}
	return template.HTML(c.draw(520, 260, "wide") + c.draw(400, 220, "narrow"))
}

func (c histogramChart) draw(w, height float64, size string) string {
	f := newFrame(w, height)
	f.left = 44
	h := c.h
	total, top := 0, 0
	for _, n := range h.Count {
		total, top = total+n, max(top, n)
	}
	peak := float64(top)
	bell := func(x float64) float64 {
		z := (x - h.Mean) / h.SD
		return float64(total) * h.Width / (h.SD * math.Sqrt(2*math.Pi)) * math.Exp(-z*z/2)
	}
	if c.bell && h.SD > 0 {
		peak = math.Max(peak, bell(h.Mean))
	}
	f.lo, f.hi = 0, peak*1.05
	if named := c.named(); named > 0 { // names of marks stand above the bars
		f.hi = peak * f.plotH() / (f.plotH() - 13*float64(named) - 4)
	}
	f.grid(niceTicks(0, f.hi, 4), compact)
	span := float64(len(h.Count)) * h.Width
	x := func(v float64) float64 { return f.left + (v-h.From)/span*f.plotW() }
	for i, n := range h.Count {
		from := h.From + float64(i)*h.Width
		class := "gain bar"
		if from+h.Width/2 < c.turn {
			class = "loss bar"
		}
		if n > 0 {
			f.rect(class, x(from)+0.5, f.y(float64(n)), x(from+h.Width)-x(from)-1, f.y(0)-f.y(float64(n)))
		}
	}
	for _, v := range niceTicks(h.From, h.From+span, int(w/110)) {
		if x(v) > f.w-f.right-12 { // half of it would be beyond the edge
			continue
		}
		f.text("tick", "middle", x(v), f.h-7, c.unit(v))
	}
	if c.bell && h.SD > 0 {
		f.bell(bell, h.From, span)
	}
	for i, m := range c.marks {
		if !c.shows(m) {
			continue
		}
		f.line("mark", x(m.at), f.top, x(m.at), f.h-f.bottom)
		anchor, shift := "end", -4.0
		if x(m.at) < f.left+110 { // no room on its left
			anchor, shift = "start", 4
		}
		f.text("tick strong", anchor, x(m.at)+shift, f.top+11+13*float64(i), m.name)
	}
	return f.svg("chart "+size, c.label)
}

// shows reports whether a mark is within the bars.
func (c histogramChart) shows(m mark) bool {
	return m.at >= c.h.From && m.at <= c.h.From+float64(len(c.h.Count))*c.h.Width
}

// named is how many lines the names of marks take.
func (c histogramChart) named() int {
	n := 0
	for i, m := range c.marks {
		if c.shows(m) {
			n = i + 1
		}
	}
	return n
}

// bell draws a smooth curve over the span of a histogram.
func (f *frame) bell(y func(float64) float64, from, span float64) {
	const n = 120
	d := ""
	for i := range n + 1 {
		c := "L"
		if i == 0 {
			c = "M"
		}
		d += c + coord(f.left+float64(i)/n*f.plotW()) + " " + coord(f.y(y(from+span*float64(i)/n)))
	}
	f.el("path", "class", "bell line", "d", d)
}
