package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"backtester/backtest"
)

// Idea is a strategy that comes with the tool, and what it did on some data.
type Idea struct {
	Name, Title string
	Source      string // where it was published
	Doc         string // why it might work, and where it does not
	File        string // the strategy file
	Result      *backtest.Result
	Bars        *backtest.Preview // of the Result's config, for the picture of its trades
}

//go:embed page/ideas.html
var ideasHTML string

var ideasTemplate = parse("ideas", ideasHTML)

type ideasPage struct {
	page
	Synthetic bool
	Ideas     []ideaSection
}

type ideaSection struct {
	Idea
	Facts   string
	Equity  template.HTML
	Picture *previewSymbol
}

// IdeasHTML writes strategies as one self-contained page, each with its source, its rationale, its file
// and pictures: the equity of its run, and the bars and fills of the symbol it traded most.
func IdeasHTML(w io.Writer, ideas []Idea) error {
	title := "Strategies"
	if len(ideas) == 1 {
		title = ideas[0].Title
	}
	m := &ideasPage{page: newPage("strategies", clean(title), []byte(`{"series":null}`))}
	m.Subtitle = "Ideas from the literature, and what their rules do"
	for _, x := range ideas {
		m.Synthetic = m.Synthetic || x.Result.Data.Synthetic
		m.Ideas = append(m.Ideas, newIdea(x, len(ideas) == 1))
	}
	if err := ideasTemplate.Execute(w, m); err != nil {
		return fmt.Errorf("write strategies: %w", err)
	}
	return nil
}

// fewFills can be told apart in a chart of all bars.
const fewFills = 40

func fillsOf(r *backtest.Result, symbol string) int {
	n := 0
	for i := range r.Fills {
		if clean(r.Fills[i].Symbol) == symbol {
			n++
		}
	}
	return n
}

func newIdea(x Idea, whole bool) ideaSection {
	v := newView(x.Result)
	s := ideaSection{Idea: x}
	s.Facts = strings.Join([]string{x.Result.Data.From + " to " + x.Result.Data.To, "closed trades: " + number(v.value("trades"), 0),
		"total return " + v.text("total_return"), "greatest drawdown " + v.text("max_drawdown"), "exposure " + v.text("exposure")}, " · ")
	lines := []curveLine{{"run", x.Result.Equity.Value}}
	s.Equity = curveChart{label: "Equity of " + clean(x.Name), dates: v.dates, lines: lines, unit: compact, h: 180}.both()
	if prices, _ := v.prices(x.Bars); len(prices) > 0 {
		p := prices[0]
		if !whole && len(p.Charts) > 1 {
			all, closeUp := p.Charts[:1], p.Charts[1:2]
			if p.Charts = all; fillsOf(x.Result, p.Name) > fewFills {
				p.Charts = closeUp
			}
		}
		s.Picture = &p
	}
	return s
}
