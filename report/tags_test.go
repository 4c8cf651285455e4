package report_test

import (
	"bytes"
	"strings"
	"testing"

	"backtester/backtest"
	"backtester/report"
)

// Where entries have tags, every form shows them; where none has, no form speaks of them.
func TestTags(t *testing.T) {
	with := demo(300)
	with.Trades = append([]backtest.Trade(nil), with.Trades...)
	for i := range with.Trades {
		if i%2 == 0 {
			with.Trades[i].Tag = "dip <b>"
		}
	}
	for tags, r := range map[bool]*backtest.Result{false: demo(300), true: with} {
		var terminal bytes.Buffer
		if err := report.Terminal(&terminal, []*backtest.Result{r}, report.Options{Width: 120}); err != nil {
			t.Fatal(err)
		}
		var html bytes.Buffer
		if err := report.HTML(&html, r); err != nil {
			t.Fatal(err)
		}
		page, csv := visibleHTML(html.String()), write(t, report.TradesCSV, r)
		for form, shows := range map[string]bool{
			"terminal": strings.Contains(terminal.String(), "Trades by tag of entry") && strings.Contains(terminal.String(), "dip <b>"),
			"page":     strings.Contains(page, "<h2>Trades by tag of entry</h2>") && strings.Contains(page, "dip &lt;b&gt;") && strings.Contains(page, "no tag"),
			"table":    strings.Contains(csv, ",borrow,tag\n") && strings.Contains(csv, ",dip <b>\n"),
		} {
			if shows != tags {
				t.Errorf("%s: shows tags %v, there are some %v", form, shows, tags)
			}
		}
		again, err := report.ReadTradesCSV(strings.NewReader(csv), "trades")
		if err != nil || len(again) != len(r.Trades) || again[0].Tag != r.Trades[0].Tag {
			t.Errorf("the table of trades does not come back: %v", err)
		}
	}
}
