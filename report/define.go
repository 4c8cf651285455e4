package report

import (
	"fmt"
	"io"

	"backtester/backtest"
	"backtester/backtest/stats"
)

// Explain writes of every figure of the table its value in each result, its formula and source, what is
// good about it, and why it is undefined where it is.
func Explain(w io.Writer, rs []*backtest.Result, o Options) error {
	s := &screen{w: w, o: o}
	group := stats.Group("")
	views := make([]*view, len(rs))
	for i, r := range rs {
		views[i] = newView(r)
	}
	names := labels(views)
	for _, m := range stats.Table() {
		if m.Group != group {
			group = m.Group
			s.heading(string(group))
		}
		s.printf("%s (%s)\n", s.bold(m.Name), m.Key)
		for i, v := range views {
			value := v.text(m.Key)
			if value == undefinedText {
				value += ": " + v.Metrics.Reason(m.Key)
			}
			if len(rs) > 1 {
				value = names[i] + ": " + value
			}
			s.text("= " + value)
		}
		sense := map[stats.Sense]string{stats.Higher: "; more is better", stats.Lower: "; less is better"}[m.Sense]
		s.text(fmt.Sprintf("%s  [%s%s]", m.Formula, m.Unit, sense))
		s.text(m.Doc)
		s.text("Source: " + m.Source)
	}
	return s.err
}
