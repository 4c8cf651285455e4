package report

import (
	"io"
	"strings"
	"unicode/utf8"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// column of a text table. Columns with a higher drop go first when the table is too wide; those with
// drop 0 stay.
type column struct {
	head  string
	right bool
	drop  int
}

// textTable writes rows in columns that fit into the width: columns are left out by their drop, and
// when nothing more can go, the widest left-aligned one is cut. It says how many columns were left
// out by returning their heads.
func textTable(w io.Writer, o Options, cols []column, rows [][]string) (dropped []string, err error) {
	keep := make([]int, len(cols))
	for i := range keep {
		keep[i] = i
	}
	widths := columnWidths(cols, rows)
	for tableWidth(widths, keep) > o.width() {
		k := dropOne(cols, keep)
		if k < 0 {
			break
		}
		dropped = append(dropped, cols[keep[k]].head)
		keep = append(keep[:k], keep[k+1:]...)
	}
	limit := make(map[int]int)
	if over := tableWidth(widths, keep) - o.width(); over > 0 {
		if k := widestLeft(cols, keep, widths); k >= 0 {
			limit[k] = max(widths[k]-over, 6)
		}
	}
	align := make([]tw.Align, len(keep))
	head := make([]string, len(keep))
	for i, k := range keep {
		align[i] = tw.AlignLeft
		if cols[k].right {
			align[i] = tw.AlignRight
		}
		head[i] = cols[k].head
	}
	t := newTextTable(w, o, align)
	t.Header(head)
	for _, r := range rows {
		cells := make([]string, len(keep))
		for i, k := range keep {
			cells[i] = r[k]
			if n, ok := limit[k]; ok {
				cells[i] = cut(cells[i], n)
			}
			if !o.Unicode {
				cells[i] = strings.ReplaceAll(cells[i], "…", "~")
			}
		}
		if err := t.Append(cells); err != nil {
			return dropped, err
		}
	}
	return dropped, t.Render()
}

func newTextTable(w io.Writer, o Options, align []tw.Align) *tablewriter.Table {
	style := tw.StyleASCII
	if o.Unicode {
		style = tw.StyleLight
	}
	cells := tw.CellConfig{
		Formatting: tw.CellFormatting{AutoFormat: tw.Off, AutoWrap: tw.WrapNone},
		Alignment:  tw.CellAlignment{PerColumn: align},
	}
	return tablewriter.NewTable(w,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Symbols:  tw.NewSymbols(style),
			Borders:  tw.BorderNone,
			Settings: tw.Settings{Separators: tw.Separators{BetweenColumns: tw.Off}},
		})),
		tablewriter.WithConfig(tablewriter.Config{Header: cells, Row: cells}))
}

// columnWidths are the widths of the cells without escapes. Text from users is cleaned before it
// comes here, so runes are close enough: a wide one only makes the table end later.
func columnWidths(cols []column, rows [][]string) []int {
	widths := make([]int, len(cols))
	for i, c := range cols {
		widths[i] = utf8.RuneCountInString(c.head)
		for _, r := range rows {
			widths[i] = max(widths[i], visible(r[i]))
		}
	}
	return widths
}

// visible is the number of runes of s without colour escapes.
func visible(s string) int {
	n, in := 0, false
	for _, r := range s {
		switch {
		case r == 0x1b:
			in = true
		case in:
			in = r != 'm'
		default:
			n++
		}
	}
	return n
}

func tableWidth(widths, keep []int) int {
	n := 0
	for _, k := range keep {
		n += widths[k] + 2
	}
	return n
}

func dropOne(cols []column, keep []int) int {
	best := -1
	for i, k := range keep {
		if cols[k].drop > 0 && (best < 0 || cols[k].drop >= cols[keep[best]].drop) {
			best = i
		}
	}
	return best
}

func widestLeft(cols []column, keep, widths []int) int {
	best := -1
	for _, k := range keep {
		if !cols[k].right && (best < 0 || widths[k] > widths[best]) {
			best = k
		}
	}
	return best
}
