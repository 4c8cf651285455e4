package report

import (
	"fmt"
	"math"

	"backtester/backtest/stats"
)

// when takes the run apart by time: years, stretches of years, times that are remembered.
func (v *view) when() panel {
	p := panel{ID: "when", Title: "By time"}
	if len(v.equity) < 3 {
		return p
	}
	in := stats.Input{Dates: v.dates, Equity: v.equity, PeriodsPerYear: v.value("periods_per_year"), RiskFreeAnnual: v.value("risk_free")}
	bench := v.benchmark
	years := stats.YearFigures(&in, bench)
	t := panelTable{Title: "Calendar years", Head: []string{"Year", "Return", "Volatility", "Sharpe", "Drawdown", "Best session", "Worst session"}}
	if bench != nil {
		b := v.benchmarkName()
		t.Head = append(t.Head, b, b+" drawdown", "Ahead")
	}
	for _, y := range years {
		name := fmt.Sprint(y.Year)
		if y.Partial {
			name += " (part)"
		}
		row := []string{name, percent(y.Return), percent(y.Volatility), number(y.Sharpe, 2), percent(y.Drawdown), percent(y.BestDay), percent(y.WorstDay)}
		if bench != nil {
			row = append(row, percent(y.Benchmark), percent(y.BenchmarkFall), percent(y.Ahead))
		}
		t.Rows = append(t.Rows, row)
	}
	if len(years) > 1 {
		p.Tables = append(p.Tables, t)
	}
	if h := v.horizons(bench); len(h.Rows) > 0 {
		p.Tables = append(p.Tables, h)
	}
	if s := v.stresses(bench); len(s.Rows) > 0 {
		p.Tables = append(p.Tables, s)
	}
	return p
}

// horizons are the stretches of one, three, five and ten years, whenever they began.
func (v *view) horizons(bench []float64) panelTable {
	t := panelTable{Title: "Growth a year of every stretch", Head: []string{"Held for", "Stretches", "Worst", "From", "5%", "Middle", "95%", "Best", "Lost"}}
	if bench != nil {
		t.Head = append(t.Head, "Behind "+v.benchmarkName())
	}
	for _, h := range stats.Horizons(v.dates, v.equity, bench) {
		name := "1 year"
		if h.Years > 1 {
			name = fmt.Sprintf("%d years", h.Years)
		}
		row := []string{name, number(float64(h.Windows), 0), percent(h.Low), h.WorstStart.String(), percent(h.P5), percent(h.Median), percent(h.P95), percent(h.High), percent(h.Loss)}
		if bench != nil {
			row = append(row, percent(h.Behind))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// stresses are the times that many remember. Made-up prices have none.
func (v *view) stresses(bench []float64) panelTable {
	if v.Data.Synthetic {
		return panelTable{}
	}
	t := panelTable{Title: "Times that many remember", Head: []string{"Time", "From", "To", "Return", "Drawdown"}}
	if bench != nil {
		t.Head = append(t.Head, v.benchmarkName())
	}
	for _, s := range stats.Stresses(v.dates, v.equity, bench) {
		row := []string{s.Name, s.From.String(), s.To.String(), percent(s.Return), percent(s.Drawdown)}
		if bench != nil && !math.IsNaN(s.Benchmark) {
			row = append(row, percent(s.Benchmark))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
