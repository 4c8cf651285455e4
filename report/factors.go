package report

import (
	"fmt"

	"backtester/backtest"
	"backtester/backtest/stats"
)

// Attribute divides the return of a result among factors.
func Attribute(r *backtest.Result, f stats.FactorReturns) (*stats.Attribution, error) {
	v := newView(r)
	a, err := stats.Attribute(v.dates, v.equity, f, v.value("periods_per_year"), v.value("risk_free"))
	if err != nil {
		return nil, fmt.Errorf("explain %s by factors: %w", v.title(), err)
	}
	return a, nil
}

var factorHead = []string{"Factor", "Exposure", "Standard error", "t", "p", "Return a year"}

// factorRows are the parts of the return, and their sum.
func factorRows(a *stats.Attribution) [][]string {
	var rows [][]string
	for _, e := range append(append([]stats.Exposure{}, a.Factors...), a.Alpha) {
		row := []string{clean(e.Name), ratio(e.Beta), ratio(e.SE), number(e.T, 2), inUnit(stats.Probability, e.P), percent(e.Return)}
		if e.Name == a.Alpha.Name {
			row[1], row[2] = "", "" // of a session: its return says it
		}
		rows = append(rows, row)
	}
	return append(rows, []string{"all together", "", "", "", "", percent(a.Mean)})
}

func factorText(a *stats.Attribution) string {
	text := fmt.Sprintf("Ordinary least squares of the excess returns of %s sessions; standard errors are those of independent residuals. The factors explain %s of the variance; %s a year is risk of its own.",
		whole(int64(a.Sessions)), percent(a.RSquared), percent(a.Specific))
	if a.LeftOut > 0 {
		text += fmt.Sprintf(" %s sessions have no factor return and are left out.", whole(int64(a.LeftOut)))
	}
	return text
}

// attributed shows which factors the return came from.
func (v *view) attributed() panel {
	if v.factors == nil {
		return panel{}
	}
	return panel{ID: "factors", Title: "Where the return came from", Intro: factorText(v.factors),
		Tables: []panelTable{{Title: "By factor", Head: factorHead, Rows: factorRows(v.factors)}}}
}

func (s *screen) attributed(v *view) {
	if v.factors == nil {
		return
	}
	s.heading("Where the return came from")
	cols := make([]column, len(factorHead))
	for i, h := range factorHead {
		cols[i] = column{head: h, right: i > 0}
	}
	s.table(cols, factorRows(v.factors))
	s.text(factorText(v.factors))
}
