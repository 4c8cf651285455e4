package report

import "html/template"

// panel is a chapter of the tearsheet made of figures, facts and tables.
type panel struct {
	ID, Title, Intro string
	Figures          []figure // over the whole width
	Halves           []figure // two beside each other
	Facts            []fact
	Tables           []panelTable
}

// figure is a drawing with its title. Read names the columns that the cross-hair reads.
type figure struct {
	Title, Read, Note string
	Text              string // before the drawing
	Table             *panelTable
	Legend            []legend
	Drawing           template.HTML
	columns           []readout
}

// readout is a column that the cross-hair reads, over the sessions of the run.
type readout struct {
	name, unit string // unit: usd, percent, ratio or count
	values     []float64
	scale      float64 // as many decimals are kept as it has zeros
}

type panelTable struct {
	Title string
	Head  []string
	Rows  [][]string
	Words bool // the last column is text
}

// Left reports whether a column is text.
func (t panelTable) Left(column int) bool {
	return column == 0 || t.Words && column == len(t.Head)-1
}

// half adds a figure unless there is nothing to draw.
func (p *panel) half(f figure) {
	if f.Drawing != "" || f.Table != nil {
		p.Halves = append(p.Halves, f)
	}
}

// figure adds a wide figure unless there is nothing to draw.
func (p *panel) figure(f figure) {
	if f.Drawing != "" {
		p.Figures = append(p.Figures, f)
	}
}

func (p *panel) fact(name, value string) { p.Facts = append(p.Facts, fact{Name: name, Value: value}) }

func (p *panel) empty() bool {
	return len(p.Figures) == 0 && len(p.Halves) == 0 && len(p.Facts) == 0 && len(p.Tables) == 0
}

// filled are the panels that have something in them.
func filled(panels ...panel) []panel {
	var out []panel
	for _, p := range panels {
		if !p.empty() {
			out = append(out, p)
		}
	}
	return out
}
