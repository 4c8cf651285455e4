package report

import (
	"fmt"
	"io"
	"strings"

	"backtester/backtest"
	"backtester/backtest/stats"
)

// Markdown writes the headline figures of one or several runs as a table for a pull request, the
// grave and cautionary warnings before it, by thresholds that nil leaves at their defaults.
func Markdown(w io.Writer, rs []*backtest.Result, limits stats.Limits) error {
	views := make([]*view, len(rs))
	var b strings.Builder
	for i, r := range rs {
		views[i] = newView(r)
		views[i].limits = limits
	}
	names := labels(views)
	for i, v := range views {
		for _, a := range v.alerts() {
			if a.Severity != stats.Note {
				fmt.Fprintf(&b, "- **%s** %s: %s%s\n", a.Severity, markdownText(names[i]), markdownText(a.Message), markdownText(inBrackets(a.Rule)))
			}
		}
	}
	if b.Len() > 0 {
		b.WriteByte('\n')
	}
	row := func(head string, cell func(i int) string) {
		b.WriteString("| " + head + " |")
		for i := range views {
			b.WriteString(" " + cell(i) + " |")
		}
		b.WriteByte('\n')
	}
	row("", func(i int) string { return markdownText(names[i]) })
	row("---", func(int) string { return "---:" })
	row("Period", func(i int) string { return markdownText(views[i].Data.From + " to " + views[i].Data.To) })
	row("Dead symbols", func(i int) string { return markdownText(views[i].deadShare()) })
	for _, block := range headline {
		for _, k := range block {
			row(name(k), func(i int) string { return markdownText(views[i].ranged(k)) })
		}
	}
	row("Fingerprint", func(i int) string { return markdownText(head(views[i].Fingerprint)) })
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write results as Markdown: %w", err)
	}
	return nil
}

// markdownText escapes what would be markup, HTML or the end of a cell.
func markdownText(s string) string {
	return strings.NewReplacer("\\", "\\\\", "|", "\\|", "<", "&lt;", ">", "&gt;", "&", "&amp;", "`", "\\`", "*", "\\*", "_", "\\_",
		"[", "\\[", "]", "\\]", "#", "\\#", "!", "\\!", "@", "&#64;", "://", "&#58;//").Replace(clean(s))
}
