package report

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"

	"backtester/backtest/instrument"
)

// candleChart draws bars with lines over them, volume below, and marks at bars. All slices are as
// long as dates.
type candleChart struct {
	label                          string
	dates                          []instrument.Date
	open, high, low, close, volume []float64
	lines                          []curveLine
	marks                          []signal
	fills                          []placedFill
	trips                          []trip
	warm                           int // leading bars that are there for warm-up only
	h                              float64
}

// mostCandles is how many candles a wide chart can show; with more bars each candle stands for
// several.
const mostCandles = 260

// bars that one candle of a drawing of n slots stands for.
func (c candleChart) perCandle(n int) int {
	return max(1, (len(c.dates)+n-1)/n)
}

func (c candleChart) both() template.HTML {
	return template.HTML(c.draw(1080, c.h, mostCandles, "wide") + c.draw(400, 260, 90, "narrow"))
}

func (c candleChart) draw(w, h float64, most int, size string) string {
	f := newFrame(w, h)
	f.lo, f.hi = c.bounds()
	n := len(c.dates)
	if c.warm > 0 && c.warm < n {
		f.rect("warmup", f.left, f.top, f.x(float64(c.warm)-0.5, n)-f.left, f.plotH())
	}
	f.grid(niceTicks(f.lo, f.hi, int(f.plotH()/45)+1), compact)
	f.dateAxis(c.dates)
	c.volumes(f, most)
	c.candles(f, most)
	for _, l := range c.lines {
		f.path(l.class+" line", l.values)
	}
	f.drawTrips(c.trips, n)
	f.drawFills(c.fills, n)
	for _, m := range c.marks {
		if m.below {
			f.marks(m, c.low, 1)
		} else {
			f.marks(m, c.high, -1)
		}
	}
	return f.svg("chart "+size, c.label)
}

// bounds of highs, lows and lines, with room for marks.
func (c candleChart) bounds() (lo, hi float64) {
	lo, _ = extremes(c.low)
	_, hi = extremes(c.high)
	for _, l := range c.lines {
		a, b := extremes(l.values)
		lo, hi = least(lo, a), -least(-hi, -b)
	}
	if math.IsNaN(lo) || math.IsNaN(hi) {
		return 0, 1
	}
	room := math.Max(0.06*(hi-lo), math.Max(math.Abs(hi)*1e-4, 1e-6))
	return lo - room, hi + room
}

func least(a, b float64) float64 {
	if math.IsNaN(a) || b < a {
		return b
	}
	return a
}

// candles draws each group of bars as one: first open, highest high, lowest low, last close.
func (c candleChart) candles(f *frame, most int) {
	k, n := c.perCandle(most), len(c.dates)
	slot := f.plotW() / float64(max(n, 1)) * float64(k)
	body := math.Max(1, math.Min(slot*0.64, 9))
	var wicks, bodies [2]strings.Builder // rising, falling
	for i := 0; i < n; i += k {
		j := min(i+k, n)
		low, _ := extremes(c.low[i:j])
		_, high := extremes(c.high[i:j])
		open, close := c.open[i], c.close[j-1]
		if math.IsNaN(low + high + open + close) {
			continue
		}
		x := f.x(float64(i+j-1)/2, n)
		s := b2i(close < open)
		fmt.Fprintf(&wicks[s], "M%s %sV%s", coord(x), coord(f.y(high)), coord(f.y(low)))
		top, bottom := f.y(math.Max(open, close)), f.y(math.Min(open, close))
		fmt.Fprintf(&bodies[s], "M%s %sh%sv%sh-%sz", coord(x-body/2), coord(top), coord(body), coord(math.Max(bottom-top, 0.8)), coord(body))
	}
	for s, class := range []string{"up", "down"} {
		if wicks[s].Len() > 0 {
			f.el("path", "class", class+" wick", "d", wicks[s].String())
			f.el("path", "class", class, "d", bodies[s].String(), "stroke-width", "0")
		}
	}
}

// volumes draws bars from the bottom, a sixth of the height at most.
func (c candleChart) volumes(f *frame, most int) {
	_, top := extremes(c.volume)
	if !(top > 0) {
		return
	}
	k, n := c.perCandle(most), len(c.dates)
	w := math.Max(0.8, f.plotW()/float64(n)*float64(k)*0.64)
	var d strings.Builder
	for i := 0; i < n; i += k {
		_, v := extremes(c.volume[i:min(i+k, n)])
		if v > 0 {
			h := v / top * f.plotH() / 6
			fmt.Fprintf(&d, "M%s %sh%sv-%sh-%sz", coord(f.x(float64(i)+float64(k-1)/2, n)-w/2), coord(f.h-f.bottom), coord(w), coord(h), coord(w))
		}
	}
	f.el("path", "class", "volume", "d", d.String())
}

// signal is a rule of the strategy over the bars, marked where it becomes true.
type signal struct {
	name, class string
	below       bool // the mark stands below the bar and points up
	before      bool // it was true at the bar before the first
	on          []bool
}

// marks draws triangles below (dir 1) or above (dir -1) the bars at which a rule becomes true.
func (f *frame) marks(s signal, at []float64, dir float64) {
	var d strings.Builder
	was := s.before
	for i, is := range s.on {
		began := is && !was
		if was = is; !began || math.IsNaN(at[i]) {
			continue
		}
		x, y := f.x(float64(i), len(s.on)), f.y(at[i])+4*dir
		fmt.Fprintf(&d, "M%s %sl4 %sh-8z", coord(x), coord(y), coord(7*dir))
	}
	if d.Len() > 0 {
		f.el("path", "class", s.class, "d", d.String())
	}
}

// lane is a condition over time.
type lane struct {
	name   string
	values []float64 // 1, 0 or NaN
}

// lanes draws conditions as bars of their own height: filled where true, faint where absent.
func lanes(dates []instrument.Date, ls []lane) template.HTML {
	draw := func(w float64, size string) string {
		f := newFrame(w, float64(len(ls))*22+34)
		f.left = 150
		if w < 600 {
			f.left = 92
		}
		f.dateAxis(dates)
		for k, l := range ls {
			y := f.top + float64(k)*22
			f.text("tick", "end", f.left-8, y+13, cut(l.name, int(f.left/7.2)))
			f.runs("on", l.values, y, func(v float64) bool { return v == 1 })
			f.runs("absent", l.values, y, func(v float64) bool { return math.IsNaN(v) })
		}
		return f.svg("chart "+size, "Bars at which each condition held")
	}
	return template.HTML(draw(1080, "wide") + draw(400, "narrow"))
}

// runs draws one rectangle for each unbroken run of values.
func (f *frame) runs(class string, values []float64, y float64, is func(float64) bool) {
	n := len(values)
	var d strings.Builder
	for i := 0; i < n; {
		j := i
		for j < n && is(values[j]) {
			j++
		}
		if j > i {
			x0, x1 := f.x(float64(i)-0.5, n), f.x(float64(j)-0.5, n)
			fmt.Fprintf(&d, "M%s %sh%sv14h-%sz", coord(math.Max(x0, f.left)), coord(y+3), coord(math.Max(x1-x0, 0.8)), coord(math.Max(x1-x0, 0.8)))
		}
		i = max(j, i+1)
	}
	if d.Len() > 0 {
		f.el("path", "class", class, "d", d.String())
	}
}

// figures formats an indicator's value by its size.
func figures(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return ""
	}
	if a := math.Abs(x); a >= 1e6 {
		return compact(x)
	} else if a >= 1 {
		return number(x, 2)
	}
	return strconv.FormatFloat(x, 'g', 4, 64)
}
