package report

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"backtester/backtest/stats"
	"backtester/backtest/sweep"
)

//go:embed page/sweep.html
var sweepHTML string

var sweepTemplate = parse("sweep", sweepHTML)

// Sweep is what the pictures of a sweep are drawn from.
type Sweep struct {
	Plan      *sweep.Plan
	Summary   *sweep.Summary
	Surface   *sweep.Surface
	Synthetic bool // the prices are those of the demo market
}

// sweepPage is the model of the page of a sweep.
type sweepPage struct {
	page
	Synthetic bool
	Objective string
	Head      []string
	Rows      [][]string
	Note      string
	Facts     []sweepFact
	Weights   template.HTML
	Heats     []figure
	Slices    []figure
}

type sweepFact struct{ Name, Value, Note string }

// SweepHTML writes the parameter surface of a sweep as one self-contained page: the best rows, the ground the
// best one stands on, the importance of each parameter, heat maps and slices. Equal sweeps give equal bytes.
func SweepHTML(w io.Writer, s Sweep) error {
	p := &sweepPage{Synthetic: s.Synthetic, Objective: s.Surface.Objective}
	p.table(s)
	p.ground(s.Surface)
	weights := s.Surface.Importance()
	p.Weights = importanceChart(s.Surface.Names, weights)
	for _, pair := range pairsToDraw(s.Surface, weights) {
		if f, ok := heatMap(s.Surface, pair[0], pair[1]); ok {
			p.Heats = append(p.Heats, f)
		}
	}
	for i := range s.Surface.Names {
		if f, ok := sliceChart(s.Surface, i); ok {
			p.Slices = append(p.Slices, f)
		}
	}
	data, err := json.Marshal(sweepData(s, weights))
	if err != nil {
		return fmt.Errorf("write sweep of %s: %w", clean(s.Plan.Config.Name), err)
	}
	p.page = newPage("parameter sweep", clean(s.Plan.Config.Name), data)
	p.Subtitle = fmt.Sprintf("%d combinations by %s, %d rows, %d of them eligible", s.Summary.Combinations, s.Plan.Method, s.Summary.Rows, s.Summary.Eligible)
	if err := sweepTemplate.Execute(w, p); err != nil {
		return fmt.Errorf("write sweep of %s: %w", clean(s.Plan.Config.Name), err)
	}
	return nil
}

// sweepData is every number that the page shows, for programs.
func sweepData(s Sweep, weights []float64) any {
	type slice struct {
		Name   string     `json:"name"`
		Values []float64  `json:"values"`
		Best   []*float64 `json:"best"`
		Median []*float64 `json:"median"`
	}
	out := struct {
		Objective  string              `json:"objective"`
		Best       []map[string]any    `json:"best"`
		Importance map[string]*float64 `json:"importance"`
		Slices     []slice             `json:"slices"`
	}{Objective: s.Plan.Objective(), Best: []map[string]any{}, Importance: map[string]*float64{}}
	for _, b := range s.Summary.Best {
		row := map[string]any{"symbol": b.Symbol}
		for i, n := range s.Plan.Space.Names {
			row["params."+n] = b.Params[i]
		}
		for i, key := range s.Plan.Metrics {
			row[key] = orNull(b.Metrics[i])
		}
		out.Best = append(out.Best, row)
	}
	for i, n := range s.Surface.Names {
		out.Importance[n] = orNull(weights[i])
		x := s.Surface.Slice(i)
		y := slice{Name: n, Values: x.Values}
		for k := range x.Values {
			y.Best, y.Median = append(y.Best, orNull(x.Best[k])), append(y.Median, orNull(x.Median[k]))
		}
		out.Slices = append(out.Slices, y)
	}
	return out
}

func orNull(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// table lists the best rows.
func (p *sweepPage) table(s Sweep) {
	shown := s.Plan.Shown()
	p.Head = append([]string{"Symbol"}, s.Plan.Space.Names...)
	if s.Plan.Expressed() {
		p.Head = append(p.Head, s.Plan.Objective())
	}
	for _, key := range shown {
		m, _ := stats.Lookup(key)
		p.Head = append(p.Head, m.Name)
	}
	for _, b := range s.Summary.Best {
		cells := []string{b.Symbol}
		if b.Symbol == "" {
			cells[0] = "all"
		}
		for _, v := range b.Params {
			cells = append(cells, plainNumber(v))
		}
		if s.Plan.Expressed() {
			cells = append(cells, plainNumber(s.Plan.Judged(b.Metrics)))
		}
		for _, key := range shown {
			m, _ := stats.Lookup(key)
			cells = append(cells, inUnit(m.Unit, s.Plan.Metric(b.Metrics, key)))
		}
		p.Rows = append(p.Rows, cells)
	}
	var ways []string
	for _, t := range s.Summary.Paths {
		way := fmt.Sprintf("%d rows by the %s path", t.Rows, t.Path)
		if t.Reason != "" {
			way += " (" + t.Reason + ")"
		}
		ways = append(ways, way)
	}
	p.Note = "Eligible: " + s.Plan.Eligibility() + ". " + strings.Join(ways, ", ") + "."
}

// plainNumber has five significant digits; undefined is a dash.
func plainNumber(v float64) string {
	if math.IsNaN(v) {
		return "-"
	}
	return strconv.FormatFloat(v, 'g', 5, 64)
}

// wholePercent is a whole percentage; undefined is a dash.
func wholePercent(v float64) string {
	if math.IsNaN(v) {
		return "-"
	}
	return fmt.Sprintf("%.0f%%", 100*v)
}

// ground describes the neighbourhood of the best cell.
func (p *sweepPage) ground(s *sweep.Surface) {
	at, best := s.Best()
	if at == nil {
		return
	}
	n := s.Around(at)
	where := make([]string, len(at))
	for i, d := range at {
		where[i] = s.Names[i] + "=" + plainNumber(s.Values[i][d])
	}
	p.Facts = []sweepFact{
		{"Best " + s.Objective, plainNumber(best), strings.Join(where, " ")},
		{"Plateau", plainNumber(n.Plateau), "median of neighbours / best"},
		{"Stable neighbours", wholePercent(n.Stable), "at least half as good"},
		{"Neighbours", strconv.Itoa(n.Neighbours), "that were tried"},
		{"Their median", plainNumber(n.Median), ""},
		{"The worst", plainNumber(n.Worst), ""},
	}
}

// pairsToDraw are the pairs of parameters with several values, at most six, the weightiest first.
func pairsToDraw(s *sweep.Surface, weights []float64) [][2]int {
	var several []int
	for i, v := range s.Values {
		if len(v) > 1 {
			several = append(several, i)
		}
	}
	slices.SortStableFunc(several, func(a, b int) int {
		switch x, y := weights[a], weights[b]; {
		case x > y || math.IsNaN(y) && !math.IsNaN(x):
			return -1
		case x < y || math.IsNaN(x) && !math.IsNaN(y):
			return 1
		}
		return a - b
	})
	var out [][2]int
	for i := range several {
		for j := range i {
			a, b := several[j], several[i]
			out = append(out, [2]int{min(a, b), max(a, b)})
		}
	}
	return out[:min(len(out), 6)]
}

// mostHeat bounds the cells of a heat map along one side.
const mostHeat = 150

// folded is a grid in which a cell stands for up to da by db of them: for their median.
func folded(grid [][]float64, da, db int) [][]float64 {
	var out [][]float64
	for a := 0; a < len(grid); a += da {
		var line []float64
		for b := 0; b < len(grid[0]); b += db {
			var list []float64
			for _, from := range grid[a:min(a+da, len(grid))] {
				for _, v := range from[b:min(b+db, len(from))] {
					if v == v {
						list = append(list, v)
					}
				}
			}
			slices.Sort(list)
			median := math.NaN()
			if len(list) > 0 {
				median = stats.Quantile(list, .5)
			}
			line = append(line, median)
		}
		out = append(out, line)
	}
	return out
}

// span is what the values of a cell from place at on are called.
func span(values []float64, at, n int) string {
	last := min(at+n, len(values)) - 1
	if last == at {
		return plainNumber(values[at])
	}
	return plainNumber(values[at]) + ".." + plainNumber(values[last])
}

// heatMap draws the median objective over two parameters: blue above zero, red below, the stronger the
// further; the best cell has a frame.
func heatMap(s *sweep.Surface, i, j int) (figure, bool) {
	grid := s.Heat(i, j)
	da, db := (len(grid)+mostHeat-1)/mostHeat, (len(grid[0])+mostHeat-1)/mostHeat
	note := "Median over the other parameters. "
	if da > 1 || db > 1 {
		grid = folded(grid, da, db)
		note = fmt.Sprintf("Median over the other parameters, of %d values of %s by %d of %s in a cell. ", da, s.Names[i], db, s.Names[j])
	}
	most := 0.0
	for _, line := range grid {
		for _, v := range line {
			if v == v {
				most = max(most, math.Abs(v))
			}
		}
	}
	if most == 0 {
		return figure{}, false
	}
	title := fmt.Sprintf("%s over %s and %s", s.Objective, s.Names[i], s.Names[j])
	best, _ := s.Best()
	draw := func(w, h float64, size string) string {
		f := newFrame(w, h)
		f.bottom = 40
		rows, cols := len(grid), len(grid[0])
		cw, ch := f.plotW()/float64(cols), f.plotH()/float64(rows)
		for a, line := range grid {
			for b, v := range line {
				if v != v {
					continue
				}
				class := "gain bar"
				if v < 0 {
					class = "loss bar"
				}
				x, y := f.left+float64(b)*cw, f.top+float64(rows-1-a)*ch
				f.open("rect", "class", class, "x", coord(x), "y", coord(y), "width", coord(cw), "height", coord(ch),
					"fill-opacity", strconv.FormatFloat(0.06+0.94*math.Abs(v)/most, 'f', 2, 64))
				f.b.WriteString("<title>" + s.Names[i] + " " + span(s.Values[i], a*da, da) + ", " + s.Names[j] + " " + span(s.Values[j], b*db, db) + ": " + plainNumber(v) + "</title></rect>")
			}
		}
		if best != nil { // over its neighbours, whose cells would cover the frame
			x, y := f.left+float64(best[j]/db)*cw, f.top+float64(rows-1-best[i]/da)*ch
			f.el("rect", "x", coord(x-1), "y", coord(y-1), "width", coord(cw+2), "height", coord(ch+2), "class", "best", "fill", "none")
		}
		for b := 0; b < cols; b += max(1, int(math.Ceil(float64(cols)*40/f.plotW()))) {
			f.text("tick", "middle", f.left+(float64(b)+0.5)*cw, f.h-24, plainNumber(s.Values[j][b*db]))
		}
		for a := 0; a < rows; a += max(1, int(math.Ceil(float64(rows)*18/f.plotH()))) {
			f.text("tick", "end", f.left-6, f.top+(float64(rows-1-a)+0.5)*ch+4, plainNumber(s.Values[i][a*da]))
		}
		f.text("tick strong", "middle", f.left+f.plotW()/2, f.h-6, s.Names[j])
		f.text("tick strong", "start", 2, f.top+8, s.Names[i])
		return f.svg("chart "+size, title)
	}
	return figure{Title: title, Drawing: template.HTML(draw(1040, 420, "wide") + draw(400, 320, "narrow")),
		Note: note + "Blue is above zero, red below, the strongest colour is " + plainNumber(most) + "; the frame is the best of those that are eligible, the others are drawn as well."}, true
}

// sliceChart draws the best and the median objective over one parameter.
func sliceChart(s *sweep.Surface, i int) (figure, bool) {
	x := s.Slice(i)
	lo, hi := extremes(append(slices.Clone(x.Best), x.Median...))
	if len(x.Values) < 2 || math.IsNaN(lo) {
		return figure{}, false
	}
	title := s.Objective + " over " + s.Names[i]
	draw := func(w, h float64, size string) string {
		f := newFrame(w, h)
		f.lo, f.hi = lo, hi
		if f.hi == f.lo {
			f.lo, f.hi = f.lo-1, f.hi+1
		}
		f.grid(niceTicks(f.lo, f.hi, 5), compact)
		n := len(x.Values)
		for k := 0; k < n; k += max(1, int(math.Ceil(float64(n)*60/f.plotW()))) {
			f.text("tick", "middle", f.x(float64(k), n), f.h-7, plainNumber(x.Values[k]))
		}
		f.path("s1 line", x.Median)
		f.path("s0 line", x.Best)
		return f.svg("chart "+size, title)
	}
	return figure{Title: title, Drawing: template.HTML(draw(1040, 240, "wide") + draw(400, 220, "narrow"))}, true
}

// importanceChart draws a bar a parameter.
func importanceChart(names []string, weights []float64) template.HTML {
	if len(names) < 2 || !slices.ContainsFunc(weights, func(v float64) bool { return v == v }) {
		return ""
	}
	draw := func(w float64, size string) string {
		f := newFrame(w, 20+26*float64(len(names)))
		f.left, f.bottom = 120, 10
		for i, n := range names {
			y := f.top + 26*float64(i)
			f.text("tick strong", "end", f.left-8, y+14, cut(n, 16))
			if v := weights[i]; v == v {
				f.rect("run bar", f.left, y+2, v*(f.plotW()-60), 16)
				f.text("tick", "start", f.left+v*(f.plotW()-60)+6, y+14, percent(v))
			} else {
				f.text("tick", "start", f.left+6, y+14, "-")
			}
		}
		return f.svg("chart "+size, "Importance of the parameters")
	}
	return template.HTML(draw(1040, "wide") + draw(400, "narrow"))
}

// SweepTerminal writes the surface as text: importance, a line a parameter, and a map of the two weightiest.
func SweepTerminal(w io.Writer, s *sweep.Surface, unicode bool) error {
	var b strings.Builder
	weights := s.Importance()
	if s.Averaged {
		fmt.Fprintf(&b, "the surface is the %s\n", s.Objective)
	}
	if at, _ := s.Best(); at != nil {
		switch n := s.Around(at); {
		case n.Neighbours == 0:
			b.WriteString("no neighbour of the best was tried: a grid around it would tell a plateau from a needle\n")
		case n.Stable != n.Stable:
			fmt.Fprintf(&b, "%d neighbours of the best: their median %s, the worst %s\n", n.Neighbours, plainNumber(n.Median), plainNumber(n.Worst))
		default:
			fmt.Fprintf(&b, "plateau %s: of %d neighbours of the best %s are at least half as good, their median %s, the worst %s\n",
				plainNumber(n.Plateau), n.Neighbours, wholePercent(n.Stable), plainNumber(n.Median), plainNumber(n.Worst))
		}
	}
	for i, name := range s.Names {
		x := s.Slice(i)
		if len(x.Values) < 2 {
			continue
		}
		fmt.Fprintf(&b, "%-12s importance %-6s %s..%s  %s\n", cut(name, 12), plainNumber(math.Round(weights[i]*1000)/1000), plainNumber(x.Values[0]), plainNumber(x.Values[len(x.Values)-1]), sparkline(x.Median, 40, unicode))
	}
	for _, pair := range pairsToDraw(s, weights)[:min(1, len(pairsToDraw(s, weights)))] {
		textMap(&b, s, pair[0], pair[1], unicode)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// textMap draws a heat map of characters, at most 60 by 20; of larger grids every so many-th cell.
func textMap(b *strings.Builder, s *sweep.Surface, i, j int, unicode bool) {
	grid := s.Heat(i, j)
	rows, cols := min(20, len(grid)), min(60, len(grid[0]))
	var all []float64
	for _, line := range grid {
		all = append(all, line...)
	}
	lo, hi := extremes(all)
	shades := []rune(" .:-=+*#%@")
	if unicode {
		shades = []rune(" ░▒▓█")
	}
	fmt.Fprintf(b, "%s: %s up, %s across, light %s to dark %s\n", s.Objective, s.Names[i], s.Names[j], plainNumber(lo), plainNumber(hi))
	for r := rows - 1; r >= 0; r-- {
		var line strings.Builder
		for c := range cols {
			v := grid[(2*r+1)*len(grid)/(2*rows)][(2*c+1)*len(grid[0])/(2*cols)]
			switch {
			case v != v:
				line.WriteByte(' ')
			case !(hi > lo):
				line.WriteRune(shades[len(shades)-1])
			default:
				line.WriteRune(shades[1+int(math.Round((v-lo)/(hi-lo)*float64(len(shades)-2)))])
			}
		}
		fmt.Fprintf(b, "%8s %s\n", plainNumber(s.Values[i][(2*r+1)*len(grid)/(2*rows)]), strings.TrimRight(line.String(), " "))
	}
}
