package report

import (
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"

	"backtester/backtest"
	"backtester/backtest/instrument"
	"backtester/backtest/stats"
)

const (
	mostCharts  = 8   // symbols drawn on a page
	mostPanes   = 6   // columns with a pane of their own
	closeUp     = 120 // bars of the close-up
	previewRows = 60  // bars listed on a page
)

// previewPage is the model of the preview's template.
type previewPage struct {
	page
	Synthetic bool
	Alerts    []stats.Caveat
	Facts     []fact
	Rules     []fact
	Symbols   []previewSymbol
	More      string
	Coverage  []backtest.Coverage
	Settings  string
}

type previewSymbol struct {
	Name, Note string
	Charts     []previewChart
	Head       []string
	Rows       [][]string
}

type previewChart struct {
	Title   string
	Legend  []legend
	Drawing template.HTML
}

type legend struct{ Class, Name, Last string }

// PreviewHTML writes bars, indicators and signals as one self-contained page.
func PreviewHTML(w io.Writer, p *backtest.Preview) error {
	m, err := newPreviewPage(p)
	if err == nil {
		err = previewTemplate.Execute(w, m)
	}
	if err != nil {
		return fmt.Errorf("write preview of %s: %w", clean(p.Strategy), err)
	}
	return nil
}

func newPreviewPage(p *backtest.Preview) (*previewPage, error) {
	// A preview is shown like a run that has not traded: the same words for the same settings.
	v := newView(&backtest.Result{Strategy: p.Strategy, Config: p.Config, Data: p.Data, Counts: p.Counts, Warnings: p.Warnings})
	m := &previewPage{page: newPage("preview", v.title(), []byte(`{"series":null}`)), Synthetic: p.Data.Synthetic, Alerts: v.alerts(), Rules: v.rules()}
	m.Subtitle = strings.Join([]string{p.Data.From + " to " + p.Data.To, v.frame() + " bars", list(v.symbols(), 12)}, " · ")
	m.Facts = v.assumptions()
	m.Facts[0].Value = fmt.Sprintf("%s to %s; %s", p.Data.From, p.Data.To, firstDecision(p.Data.Decision))
	m.Facts = append(m.Facts, fact{Name: "Conditions", Value: strings.Join(conditionCounts(&p.Counts), " ")})
	for i := range p.Symbols[:min(mostCharts, len(p.Symbols))] {
		m.Symbols = append(m.Symbols, symbolPage(&p.Symbols[i]))
	}
	if n := len(p.Symbols) - mostCharts; n > 0 {
		m.More = fmt.Sprintf("%d more are not drawn: ask for symbols by name.", n)
	}
	for _, c := range p.Data.Coverage {
		c.Symbol, c.Ended = clean(c.Symbol), clean(c.Ended)
		m.Coverage = append(m.Coverage, c)
	}
	if p.Config != nil {
		b, err := json.MarshalIndent(p.Config, "", "  ")
		if err != nil {
			return nil, err
		}
		m.Settings = clean2(string(b))
	}
	return m, nil
}

// cutout is the bars [from, to) of a symbol, ready to draw.
type cutout struct {
	dates      []instrument.Date
	chart      candleChart
	overlays   []legend
	panes      []backtest.PreviewColumn
	conditions []lane
}

func cutOut(s *backtest.SymbolPreview, from, to int) cutout {
	var c cutout
	for i := from; i < to; i++ {
		c.dates = append(c.dates, s.Time.Session(i))
	}
	part := func(v backtest.Values) []float64 { return v[from:to] }
	c.chart = candleChart{label: "Bars of " + titleOf(s), dates: c.dates, open: part(s.Open), high: part(s.High), low: part(s.Low),
		close: part(s.Close), volume: part(s.Volume), marks: signals(s, from, to),
		warm: s.Warm - from, h: 360}
	for _, m := range c.chart.marks {
		c.conditions = append(c.conditions, lane{m.name, numbers(m.on)})
	}
	for _, col := range s.Columns {
		col.Name, col.Values = clean(col.Name), col.Values[from:to]
		switch {
		case col.Kind == "condition":
			c.conditions = append(c.conditions, lane{col.Name, col.Values})
		case col.Pane == "price":
			class := fmt.Sprintf("c%d", len(c.overlays)%5)
			c.chart.lines = append(c.chart.lines, curveLine{class, col.Values})
			c.overlays = append(c.overlays, legend{class, col.Name, figures(col.Values[len(col.Values)-1])})
		default:
			c.panes = append(c.panes, col)
		}
	}
	return c
}

// signals are the rules that the strategy has, cut to [from, to).
func signals(s *backtest.SymbolPreview, from, to int) []signal {
	var out []signal
	for _, r := range []struct {
		signal
		all []bool
	}{
		{signal{name: "long entry", class: "enter", below: true}, s.Entries}, {signal{name: "long exit", class: "leave"}, s.Exits},
		{signal{name: "short entry", class: "leave hollow"}, s.Shorts}, {signal{name: "short exit", class: "enter hollow", below: true}, s.Covers},
	} {
		if len(r.all) >= to && slices.Contains(r.all, true) {
			r.on, r.before = r.all[from:to], from > 0 && r.all[from-1]
			out = append(out, r.signal)
		}
	}
	return out
}

func numbers(on []bool) []float64 {
	out := make([]float64, len(on))
	for i, b := range on {
		out[i] = float64(b2i(b))
	}
	return out
}

// either is true where a or b is; absent columns are false.
func either(a, b []bool, from, to int) []bool {
	out := make([]bool, to-from)
	for i := range out {
		out[i] = from+i < len(a) && a[from+i] || from+i < len(b) && b[from+i]
	}
	return out
}

// titleOf a symbol, with the strategy that sees it where several share the account.
func titleOf(s *backtest.SymbolPreview) string {
	if s.Strategy == "" {
		return clean(s.Symbol)
	}
	return clean(s.Symbol) + " (" + clean(s.Strategy) + ")"
}

func symbolPage(s *backtest.SymbolPreview) previewSymbol {
	n := s.Time.Len()
	out := previewSymbol{Name: titleOf(s), Note: fmt.Sprintf("%s bars, %d of them warm-up (shaded)", number(float64(n), 0), s.Warm)}
	if n == 0 {
		out.Note = "no bars"
		return out
	}
	all := cutOut(s, 0, n)
	title := "All bars"
	if k := all.chart.perCandle(mostCandles); k > 1 {
		title = fmt.Sprintf("All bars, each candle stands for up to %d", k)
	}
	out.Charts = append(out.Charts, previewChart{title, all.overlays, all.chart.both()})
	if n > 2*closeUp {
		last := cutOut(s, n-closeUp, n)
		out.Charts = append(out.Charts, previewChart{fmt.Sprintf("The last %d bars", closeUp), last.overlays, last.chart.both()})
	}
	for _, col := range all.panes[:min(mostPanes, len(all.panes))] {
		c := curveChart{label: col.Name, dates: all.dates, lines: []curveLine{{"c2", col.Values}}, unit: compact, h: 130}
		out.Charts = append(out.Charts, previewChart{col.Name, nil, c.both()})
	}
	if len(all.conditions) > 0 {
		out.Charts = append(out.Charts, previewChart{"Rules and conditions: filled where true, faint where a value is absent", nil, lanes(all.dates, all.conditions)})
	}
	out.Head, out.Rows = previewTable(s, previewRows)
	return out
}

// previewTable is the last n bars with every column.
func previewTable(s *backtest.SymbolPreview, n int) (head []string, rows [][]string) {
	head = []string{"Time", "Open", "High", "Low", "Close", "Volume"}
	if s.Time.Len() > 0 && len(s.Time.At(0)) > len("2006-01-02") {
		head[0] = "Time, UTC" // the exchange's clock is four or five hours behind
	}
	for _, c := range s.Columns {
		head = append(head, clean(c.Name))
	}
	head = append(head, "Entry", "Exit")
	total := s.Time.Len()
	enter, leave := either(s.Entries, s.Shorts, 0, total), either(s.Exits, s.Covers, 0, total)
	for i := max(0, total-n); i < total; i++ {
		row := []string{short(s.Time.At(i)), price(s.Open[i]), price(s.High[i]), price(s.Low[i]), price(s.Close[i]), compact(s.Volume[i])}
		for _, c := range s.Columns {
			row = append(row, previewCell(c.Kind, c.Values[i]))
		}
		rows = append(rows, append(row, yes(enter[i]), yes(leave[i])))
	}
	return head, rows
}

func previewCell(kind string, x float64) string {
	switch {
	case math.IsNaN(x):
		return "absent"
	case kind != "condition":
		return figures(x)
	}
	return yes(x == 1)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

// Preview writes bars, indicators and signals to a terminal: a chart and the last bars of up to
// three symbols.
func Preview(w io.Writer, p *backtest.Preview, o Options) error {
	s := &screen{w: w, o: o}
	v := newView(&backtest.Result{Strategy: p.Strategy, Config: p.Config, Data: p.Data, Counts: p.Counts, Warnings: p.Warnings})
	s.printf("%s\n", s.bold(cut("Preview of "+v.title(), o.width())))
	s.text(strings.Join([]string{p.Data.From + " .. " + p.Data.To, v.frame(), list(v.symbols(), 8)}, "  "))
	s.alerts(v)
	s.heading("What held how often")
	s.sentences(conditionCounts(&p.Counts))
	for i := range p.Symbols[:min(3, len(p.Symbols))] {
		s.previewSymbol(&p.Symbols[i])
	}
	if n := len(p.Symbols) - 3; n > 0 {
		s.text(fmt.Sprintf("%d more: name a symbol with --symbols to see it", n))
	}
	s.coverage(v)
	return s.err
}

func (s *screen) previewSymbol(p *backtest.SymbolPreview) {
	n := p.Time.Len()
	if n < 2 {
		return
	}
	w := min(s.o.width()-14, 110)
	from := max(0, n-2*w)
	values := p.Close[from:]
	lo, hi := extremes(values)
	if math.IsNaN(lo) {
		return
	}
	s.heading(fmt.Sprintf("%s, close of the last %d bars, USD as traded", titleOf(p), n-from))
	plot := newPlot(w, 9, s.o.Unicode)
	plot.line(values, lo, hi)
	lines := axis(plot.rows(), lo, hi, compact)
	pad := strings.Repeat(" ", strings.Index(lines[0], "|")+2)
	for _, l := range lines {
		s.printf(" %s\n", strings.TrimRight(l, " "))
	}
	up, down := "^", "v"
	if s.o.Unicode {
		up, down = "▲", "▼"
	}
	s.printf(" %s%s\n", pad, s.markRow(either(p.Entries, p.Shorts, from, n), w, up))
	s.printf(" %s%s\n", pad, s.markRow(either(p.Exits, p.Covers, from, n), w, down))
	first, last := p.Time.Session(from).String(), p.Time.Session(n-1).String()
	s.printf(" %s%s%s%s\n", pad, first, strings.Repeat(" ", max(1, w-len(first)-len(last))), last)
	s.printf(" %s%s\n\n", pad, s.dim(up+" an entry rule was true   "+down+" an exit rule was true"))
	head, rows := previewTable(p, 8)
	cols := make([]column, len(head))
	for i, h := range head {
		cols[i] = column{head: cut(h, 24), right: i > 0}
		if i >= 1 && i <= 3 || i == 5 {
			cols[i].drop = 20
		} else if i > 5 && i < len(head)-2 {
			cols[i].drop = i - 5
		}
	}
	s.table(cols, rows)
}

// markRow has a mark in every column of which some bar is set.
func (s *screen) markRow(on []bool, w int, mark string) string {
	var b strings.Builder
	for x := range w {
		i, j := x*len(on)/w, max((x+1)*len(on)/w, x*len(on)/w+1)
		cell := " "
		for _, set := range on[i:min(j, len(on))] {
			if set {
				cell = mark
			}
		}
		b.WriteString(cell)
	}
	return strings.TrimRight(b.String(), " ")
}
