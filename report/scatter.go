package report

import (
	"cmp"
	"html/template"
	"math"
	"slices"
	"strings"

	"backtester/backtest/stats"
)

// scatterChart draws points over two axes of numbers.
type scatterChart struct {
	label        string
	across, up   string // names of the axes
	dots         []dots
	xUnit, yUnit func(float64) string
	slope        float64 // of a line through the points at intercept; NaN = none
	intercept    float64
	zero         bool // draws the axes through zero
	joined       bool // a line joins the points from left to right
}

// dots are points of one kind.
type dots struct {
	class string
	x, y  []float64
}

func (c scatterChart) both() template.HTML {
	if !c.bounded() {
		return ""
	}
	return template.HTML(c.draw(520, 300, "wide") + c.draw(400, 260, "narrow"))
}

func (c scatterChart) bounds() (x0, x1, y0, y1 float64) {
	x0, y0, x1, y1 = math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, d := range c.dots {
		a, b := extremes(d.x)
		x0, x1 = math.Min(x0, a), math.Max(x1, b)
		a, b = extremes(d.y)
		y0, y1 = math.Min(y0, a), math.Max(y1, b)
	}
	return x0, x1, y0, y1
}

func (c scatterChart) bounded() bool {
	x0, x1, y0, y1 := c.bounds()
	return x1 > x0 && y1 > y0
}

func (c scatterChart) draw(w, h float64, size string) string {
	f := newFrame(w, h)
	f.bottom, f.top = 38, 22
	x0, x1, y0, y1 := c.bounds()
	x0, x1 = x0-0.04*(x1-x0), x1+0.04*(x1-x0)
	f.lo, f.hi = y0-0.04*(y1-y0), y1+0.04*(y1-y0)
	x := func(v float64) float64 { return f.left + (v-x0)/(x1-x0)*f.plotW() }
	f.grid(niceTicks(f.lo, f.hi, 5), c.yUnit)
	for _, v := range niceTicks(x0, x1, int(w/90)) {
		f.line("grid", x(v), f.top, x(v), f.h-f.bottom)
		f.text("tick", "middle", x(v), f.h-f.bottom+15, c.xUnit(v))
	}
	f.text("tick", "middle", f.left+f.plotW()/2, f.h-5, c.across)
	f.text("tick strong", "start", f.left, f.top-8, c.up)
	if c.zero {
		if f.lo < 0 && f.hi > 0 {
			f.line("zero", f.left, f.y(0), f.w-f.right, f.y(0))
		}
		if x0 < 0 && x1 > 0 {
			f.line("zero", x(0), f.top, x(0), f.h-f.bottom)
		}
	}
	if c.joined {
		c.join(f, x)
	}
	for _, d := range c.dots {
		var b strings.Builder
		for i := range d.x {
			if !math.IsNaN(d.x[i] + d.y[i]) {
				b.WriteString("M" + coord(x(d.x[i])) + " " + coord(f.y(d.y[i])) + "h0")
			}
		}
		f.el("path", "class", d.class+" dots", "d", b.String())
	}
	if !math.IsNaN(c.slope) {
		c.straight(f, x0, x1)
	}
	return f.svg("chart "+size, c.label)
}

// join draws a line through the points of every kind.
func (c scatterChart) join(f *frame, x func(float64) float64) {
	var at [][2]float64
	for _, d := range c.dots {
		for i := range d.x {
			if !math.IsNaN(d.x[i] + d.y[i]) {
				at = append(at, [2]float64{d.x[i], d.y[i]})
			}
		}
	}
	slices.SortStableFunc(at, func(a, b [2]float64) int { return cmp.Compare(a[0], b[0]) })
	var b strings.Builder
	step := "M"
	for _, p := range at {
		b.WriteString(step + coord(x(p[0])) + " " + coord(f.y(p[1])))
		step = "L"
	}
	f.el("path", "class", "second line", "d", b.String())
}

// straight draws the line, cut to the plot.
func (c scatterChart) straight(f *frame, x0, x1 float64) {
	y := func(x float64) float64 { return c.intercept + c.slope*x }
	from, to := x0, x1
	for _, edge := range []float64{f.lo, f.hi} {
		if c.slope == 0 {
			break
		}
		cut := (edge - c.intercept) / c.slope
		if cut > from && cut < to {
			if (edge == f.lo) == (c.slope > 0) {
				from = cut
			} else {
				to = cut
			}
		}
	}
	x := func(v float64) float64 { return f.left + (v-x0)/(x1-x0)*f.plotW() }
	f.line("bell line", x(from), f.y(y(from)), x(to), f.y(y(to)))
}

// boxes draws the spread of returns over days, weeks, months, quarters and years.
func boxes(bs []stats.Box) template.HTML {
	if len(bs) == 0 {
		return ""
	}
	lo, hi := 0.0, 0.0
	for _, b := range bs {
		lo, hi = math.Min(lo, b.Least), math.Max(hi, b.Most)
	}
	if !(hi > lo) {
		return ""
	}
	draw := func(w, h float64, size string) string {
		f := newFrame(w, h)
		f.lo, f.hi = lo-0.04*(hi-lo), hi+0.04*(hi-lo)
		f.grid(niceTicks(f.lo, f.hi, 6), axisPercent)
		f.line("zero", f.left, f.y(0), f.w-f.right, f.y(0))
		slot := f.plotW() / float64(len(bs))
		for i, b := range bs {
			mid, half := f.left+(float64(i)+0.5)*slot, math.Min(slot*0.28, 26)
			f.line("whisker", mid, f.y(b.P95), mid, f.y(b.P5))
			f.rect("box", mid-half, f.y(b.P75), 2*half, f.y(b.P25)-f.y(b.P75))
			f.line("median", mid-half, f.y(b.P50), mid+half, f.y(b.P50))
			f.el("path", "class", "run dots", "d", "M"+coord(mid)+" "+coord(f.y(b.Least))+"h0M"+coord(mid)+" "+coord(f.y(b.Most))+"h0")
			f.text("tick", "middle", mid, f.h-7, b.Name)
		}
		return f.svg("chart "+size, "Spread of returns over days, weeks, months, quarters and years")
	}
	return template.HTML(draw(520, 300, "wide") + draw(400, 260, "narrow"))
}

// fan draws bands of quantiles over time, the lowest first, and the path that was.
type fan struct {
	label  string
	step   []int       // sessions
	bands  [][]float64 // five quantiles at every step
	actual []float64   // at every step; nil without one
}

func (c fan) both() template.HTML {
	return template.HTML(c.draw(1080, 320, "wide") + c.draw(400, 240, "narrow"))
}

func (c fan) draw(w, h float64, size string) string {
	f := newFrame(w, h)
	f.log = true
	f.lo, f.hi = math.Inf(1), math.Inf(-1)
	for k, q := range c.bands {
		f.lo, f.hi = math.Min(f.lo, q[0]), math.Max(f.hi, q[len(q)-1])
		if c.actual != nil {
			f.lo, f.hi = math.Min(f.lo, c.actual[k]), math.Max(f.hi, c.actual[k])
		}
	}
	room := math.Pow(f.hi/f.lo, 0.03)
	f.lo, f.hi = f.lo/room, f.hi*room
	f.grid(logTicks(f.lo, f.hi, int(f.plotH()/45)+1), compact)
	last := float64(c.step[len(c.step)-1])
	x := func(k int) float64 { return f.left + float64(c.step[k])/last*f.plotW() }
	for _, v := range niceTicks(0, last, int(w/130)) {
		f.text("tick", "middle", math.Min(f.left+v/last*f.plotW(), f.w-f.right-12), f.h-7, compact(v))
	}
	line := func(at func(k int) float64) string {
		d := ""
		for k := range c.step {
			d += []string{"L", "M"}[b2i(k == 0)] + coord(x(k)) + " " + coord(f.y(at(k)))
		}
		return d
	}
	band := func(class string, lower, upper int) {
		d := line(func(k int) float64 { return c.bands[k][upper] })
		for k := len(c.step) - 1; k >= 0; k-- {
			d += "L" + coord(x(k)) + " " + coord(f.y(c.bands[k][lower]))
		}
		f.el("path", "class", class, "d", d+"Z")
	}
	band("fan-wide", 0, 4)
	band("fan-near", 1, 3)
	f.el("path", "class", "bell line", "d", line(func(k int) float64 { return c.bands[k][2] }))
	if c.actual != nil {
		f.el("path", "class", "run line", "d", line(func(k int) float64 { return c.actual[k] }))
	}
	return f.svg("chart "+size, c.label)
}
