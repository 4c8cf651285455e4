package report

import (
	"fmt"
	"io"

	"backtester/backtest/stats"
)

type warningRow struct{ Name, Severity, When string }

// warningRows are the rules by which figures are warned of.
func warningRows(l stats.Limits) []warningRow {
	var out []warningRow
	for _, r := range stats.CaveatRules() {
		out = append(out, warningRow{r.Code, string(r.Severity), r.Condition(l)})
	}
	return out
}

// Warnings writes every rule of the caveats and every threshold that can be set, in Markdown.
func Warnings(w io.Writer) error {
	text := "# Warnings, and the thresholds behind them\n\n" +
		"A report judges its figures by these rules; `go test ./report -update` writes this page from them. A threshold is set by\n" +
		"`--warn few_trades=50,leveraged=1.5`, by `BACKTESTER_WARN`, or by `warn:` in the settings file, as fractions where it is one. The\n" +
		"report then says that it was changed; the result, which has no warnings of figures in it, stays the same bytes.\n\n" +
		"| warning | severity | speaks when |\n|---|---|---|\n"
	for _, r := range warningRows(nil) {
		text += fmt.Sprintf("| %s | %s | %s |\n", r.Name, r.Severity, r.When)
	}
	text += "\n`report RUN --robust` and the history of a run add delay_fragile, cost_fragile, parameter_fragile, random_entries and searched.\n" +
		"A warning stays silent where one of its figures is undefined.\n\n| threshold | default | unit | what it is |\n|---|---:|---|---|\n"
	for _, r := range stats.LimitTable() {
		text += fmt.Sprintf("| %s | %g | %s | %s |\n", r.Key, r.Default, r.Unit, r.Doc)
	}
	_, err := io.WriteString(w, text)
	return err
}
