package report

import (
	"fmt"
	"math"

	"backtester/backtest/stats"
	"backtester/backtest/stats/overfit"
)

// selected is the chapter about how often the data was searched, from the history.
func (v *view) selected() panel {
	s := v.selection
	if s == nil {
		return panel{}
	}
	p := panel{ID: "selection", Title: "After so many trials"}
	p.Intro = fmt.Sprintf("A trial is another set of rules or parameters on at least half of the same symbols and sessions, under any name, whose result was computed. State of the history: %s.", clean(s.Snapshot))
	add := func(name string, x *float64, text func(float64) string, note string) {
		if x != nil {
			p.fact(name, text(*x)+note)
		}
	}
	year := math.Sqrt(v.value("periods_per_year"))
	ratio := func(x float64) string { return number(x*year, 2) + " a year" }
	plain := func(x float64) string { return number(x, 3) }
	probability := func(x float64) string { return inUnit(stats.Probability, x) }
	sessions := func(x float64) string { return number(math.Ceil(x), 0) + " sessions" }
	p.fact("Trials", number(float64(s.Trials), 0)+", this run included")
	if s.Rho != nil {
		add("Effective trials", s.Effective, plain, fmt.Sprintf(": returns of %d of them correlate by %s on average", s.Sampled, number(*s.Rho, 2)))
	}
	spread := ", of their Sharpe ratios of a session"
	if s.Assumed {
		spread = ", that of worthless trials: the history has too few to tell how they spread"
	}
	add("Variance", s.Variance, func(x float64) string { return fmt.Sprintf("%.3g", x) }, spread)
	add("Probabilistic Sharpe", s.PSR, probability, ", had this been the only trial")
	add("Deflated Sharpe", s.DSR, probability, ": the probability that the true ratio is above what the best of so many worthless trials would show"+luck(s.Luck, ratio))
	if s.Rho != nil {
		add("With effective trials", s.DSRLow, probability, luck(s.LuckLow, ratio))
	}
	add("Haircut Sharpe", s.Haircut, ratio, haircut(s.Cut)+" (Sidak, effective trials)")
	add("Minimum track record", s.MinTRL, sessions, " until the ratio differs from 0 at 95%, were it the only trial")
	add("Minimum backtest", s.MinBTL, sessions, fmt.Sprintf(": in fewer, the best of so many worthless trials is expected to show this ratio; the run has %s", v.text("sessions")))
	if s.Reason != "" {
		p.fact("Undefined", clean(s.Reason))
	}
	return p
}

func luck(x *float64, ratio func(float64) string) string {
	if x == nil {
		return ""
	}
	return " (" + ratio(*x) + ")"
}

func haircut(x *float64) string {
	if x == nil {
		return ""
	}
	return ", " + percent(*x) + " of it gone"
}

// judged is the caveat that a search leaves.
func judged(s *overfit.Selection, l stats.Limits) []stats.Caveat {
	if s == nil || s.DSR == nil || s.Trials < 2 || *s.DSR >= l.Of("searched") {
		return nil
	}
	return []stats.Caveat{{Code: "searched", Severity: stats.Caution, Rule: "deflated Sharpe ratio under " + l.Text("searched"),
		Message: fmt.Sprintf("After %d trials on this data the deflated Sharpe ratio is %.3f: the best of so many worthless ones may look like this.", s.Trials, *s.DSR)}}
}
