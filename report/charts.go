package report

import (
	"html/template"
	"math"
	"strconv"

	"backtester/backtest/instrument"
	"backtester/backtest/stats"
)

// Every chart is drawn twice, for wide and for narrow screens: scaled text is unreadable, and the
// page must do without scripts.

// curveChart draws columns over the same sessions.
type curveChart struct {
	id    string // of the chart, for the cross-hair
	label string // what it shows
	dates []instrument.Date
	lines []curveLine
	log   bool
	fill  bool // the first line is filled down to zero
	stack bool // every line is filled down to zero, the last one first: lines are running sums
	zero  bool // zero belongs to the range
	unit  func(float64) string
	h     float64 // height of the wide drawing
	shade [][2]int
	level []level
	band  [2][]float64 // what is between both is shaded; their columns in the page's data follow those of the lines
}

// level is a horizontal line with its name.
type level struct {
	class, name string
	at          float64
}

type curveLine struct {
	class  string
	values []float64
}

// both is the wide and the narrow drawing.
func (c curveChart) both() template.HTML {
	return template.HTML(c.draw(1080, c.h, "wide") + c.draw(400, math.Min(c.h, 220), "narrow"))
}

func (c curveChart) draw(w, h float64, size string) string {
	f := newFrame(w, h)
	f.log = c.log
	f.lo, f.hi = c.bounds()
	ticks := niceTicks(f.lo, f.hi, int(f.plotH()/45)+1)
	if c.log {
		ticks = logTicks(f.lo, f.hi, int(f.plotH()/45)+1)
	}
	n := len(c.dates)
	for _, s := range c.shade {
		x := f.x(float64(s[0]), n)
		f.rect("shade", x, f.top, f.x(float64(s[1]), n)-x, f.plotH())
	}
	f.grid(ticks, c.unit)
	f.dateAxis(c.dates)
	if c.zero && f.lo <= 0 && f.hi >= 0 {
		f.line("zero", f.left, f.y(0), f.w-f.right, f.y(0))
	}
	for _, l := range c.level {
		if l.at > f.lo && l.at < f.hi {
			f.line(l.class, f.left, f.y(l.at), f.w-f.right, f.y(l.at))
		}
	}
	f.between("band", c.band, "data-band", strconv.Itoa(len(c.lines)))
	for i := len(c.lines) - 1; i >= 0; i-- {
		l := c.lines[i]
		if c.stack {
			f.area(l.class+" stack", l.values, 0)
			continue
		}
		if c.fill && i == 0 {
			f.area(l.class+" area", l.values, 0)
		}
		f.path(l.class+" line", l.values, "data-line", strconv.Itoa(i))
	}
	for _, l := range c.level { // over the curves, which would cross the letters
		if l.name != "" && l.at > f.lo && l.at < f.hi {
			f.text("tick strong", "start", f.left+4, f.y(l.at)-4, l.name)
		}
	}
	f.el("line", "class", "cross", "x1", "-9", "x2", "-9", "y1", coord(f.top), "y2", coord(f.h-f.bottom))
	return f.svg("chart "+size, c.label, "data-chart", c.id, "data-left", coord(f.left), "data-right", coord(f.w-f.right), "data-width", coord(f.w),
		"data-top", coord(f.top), "data-bottom", coord(f.h-f.bottom), "data-log", strconv.Itoa(b2i(c.log)), "data-zero", strconv.Itoa(b2i(c.zero)))
}

// bounds of the values with a little room.
func (c curveChart) bounds() (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	columns := [][]float64{c.band[0], c.band[1]}
	for _, l := range c.lines {
		columns = append(columns, l.values)
	}
	for _, values := range columns {
		for _, v := range values {
			if math.IsNaN(v) || math.IsInf(v, 0) || c.log && v <= 0 {
				continue
			}
			lo, hi = math.Min(lo, v), math.Max(hi, v)
		}
	}
	if c.zero {
		lo, hi = math.Min(lo, 0), math.Max(hi, 0)
	}
	for _, l := range c.level {
		lo, hi = math.Min(lo, l.at), math.Max(hi, l.at)
	}
	switch {
	case lo > hi:
		return 0, 1
	case lo == hi:
		return lo - math.Max(math.Abs(lo)*0.01, 1e-9), hi + math.Max(math.Abs(hi)*0.01, 1e-9)
	case c.log:
		room := math.Pow(hi/lo, 0.03)
		return lo / room, hi * room
	case c.zero && hi == 0:
		return lo - 0.04*(hi-lo), 0
	case c.zero && lo == 0:
		return 0, hi + 0.04*(hi-lo)
	}
	room := 0.03 * (hi - lo)
	return lo - room, hi + room
}

// axisPercent labels a fraction.
func axisPercent(x float64) string {
	return compact(math.Round(x*1e6)/1e4) + "%"
}

// yearBars draws the returns of years, run and benchmark beside each other.
func yearBars(run, bench []stats.Period) template.HTML {
	if len(run) == 0 {
		return ""
	}
	lo, hi := 0.0, 0.0
	for _, ps := range [][]stats.Period{run, bench} {
		for _, p := range ps {
			lo, hi = math.Min(lo, p.Return), math.Max(hi, p.Return)
		}
	}
	if hi == lo {
		hi = 0.01
	}
	draw := func(w, h float64, size string) string {
		f := newFrame(w, h)
		f.left = 48
		f.lo, f.hi = lo-0.05*(hi-lo), hi+0.05*(hi-lo)
		f.grid(niceTicks(f.lo, f.hi, 5), axisPercent)
		slot := f.plotW() / float64(len(run))
		half := math.Min(slot*0.38, 26)
		every := int(math.Ceil(34 / slot))
		for i, p := range run {
			mid := f.left + (float64(i)+0.5)*slot
			x := mid - half
			if len(bench) == 0 {
				x = mid - half/2
			}
			f.valueBar("run bar", x, half-1, p.Return)
			if i < len(bench) {
				f.valueBar("bench bar", mid+1, half-1, bench[i].Return)
			}
			if i%every == 0 {
				label := number(float64(p.Year), 0)
				f.text("tick", "middle", mid, f.h-7, label[:1]+label[2:])
			}
		}
		f.line("zero", f.left, f.y(0), f.w-f.right, f.y(0))
		return f.svg("chart "+size, "Returns of calendar years")
	}
	return template.HTML(draw(520, 260, "wide") + draw(400, 220, "narrow"))
}

func (f *frame) valueBar(class string, x, w, v float64) {
	y0, y1 := f.y(0), f.y(v)
	f.rect(class, x, math.Min(y0, y1), w, math.Abs(y1-y0))
}
