package report

import (
	"fmt"
	"math"

	"backtester/backtest/stats"
	"backtester/backtest/stats/bootstrap"
	"backtester/backtest/validate/stress"
)

// stressed are the chapters about what other assumptions would have given, each of them a run.
func (v *view) stressed() []panel {
	s := v.stress
	if s == nil {
		return nil
	}
	p := panel{ID: "again", Title: "Run again with one assumption changed"}
	p.Intro = fmt.Sprintf("%d runs of the same rules on the same data. They are not trials: nothing is chosen by them.", s.Runs)
	for _, text := range s.Left {
		p.fact("Not tried", clean(text))
	}
	p.half(again("Acting later", "Delay", "bars after the decision", s.Delay, ""))
	even := ""
	switch x := s.BreakEven(); {
	case !math.IsNaN(x):
		even = fmt.Sprintf("The profit is gone at about %s bps more.", number(x, 1))
	case len(s.Costs) > 0 && s.Costs[len(s.Costs)-1].TotalReturn > 0:
		even = fmt.Sprintf("Even %s bps more leave a profit.", number(s.Costs[len(s.Costs)-1].At, 0))
	}
	p.half(again("Dearer trading", "Slippage", "more slippage, bps", s.Costs, even))
	for _, q := range s.Params {
		p.half(again("Parameter "+clean(q.Name), clean(q.Name), clean(q.Name), q.Points, ""))
	}
	p.half(again("Starting later", "From", "months later", s.Starts, ""))
	if len(s.Symbols) > 0 {
		t := pointTable("Without", s.Symbols)
		p.half(figure{Title: "Leaving a symbol out", Table: &t, Note: "", Text: "What it took in cash and slots went to the others."})
	}
	return filled(p, chanced(v, s.Entries, s.Timing))
}

// again is a table of runs with their Sharpe ratios drawn over what was changed.
func again(title, head, across string, points []stress.Point, note string) figure {
	if len(points) < 2 {
		return figure{}
	}
	t := pointTable(head, points)
	f := figure{Title: title, Table: &t, Text: note}
	d, base := dots{class: "run big"}, dots{class: "gain big"}
	for _, q := range points {
		to := &d
		if q.Base {
			to = &base
		}
		if x := float64(q.Sharpe); !math.IsNaN(x) {
			to.x, to.y = append(to.x, q.At), append(to.y, x)
		}
	}
	f.Drawing = scatterChart{label: "Sharpe ratio: " + title, across: across, up: "Sharpe ratio", dots: []dots{d, base}, xUnit: compact, yUnit: compact, slope: math.NaN(), zero: true, joined: true}.both()
	return f
}

func pointTable(head string, points []stress.Point) panelTable {
	t := panelTable{Title: head, Head: []string{head, "Return", "Sharpe", "Drawdown", "Trades"}}
	for _, q := range points {
		label := clean(q.Label)
		if q.Base {
			label += " (the run)"
		}
		if q.Fault != "" {
			t.Rows = append(t.Rows, []string{label, undefinedText, undefinedText, undefinedText, cut(clean(q.Fault), 60)})
			continue
		}
		t.Rows = append(t.Rows, []string{label, percent(float64(q.TotalReturn)), number(float64(q.Sharpe), 2), percent(float64(q.MaxDrawdown)), number(q.Trades, 0)})
	}
	return t
}

// chanced are the tests on the run's own symbols.
func chanced(v *view, e *bootstrap.Entries, t *bootstrap.Timing) panel {
	p := panel{ID: "entries", Title: "If it had bought the same symbols at other times"}
	year := math.Sqrt(v.value("periods_per_year"))
	if e != nil {
		p.half(figure{Title: "Entries at random",
			Text: fmt.Sprintf("%s draws (seed %d): each of the %s positions that lasted over a close, as large, as long and as dear, in its own symbol from a session at random, valued from close to close with dividends. The real entries have a Sharpe ratio of %s in this; p = %s, the share of draws that do as well. %s of draws grew more.",
				number(float64(e.Draws), 0), e.Seed, number(float64(e.Spells), 0), number(e.Observed*year, 2), inUnit(stats.Probability, e.P), percent(e.Better)),
			Drawing: histogramChart{label: "Distribution of the Sharpe ratio of random entries", h: stats.HistogramOf(scaled(e.Null, year)), unit: compact, marks: []mark{{"as it was", e.Observed * year}}}.both()})
	}
	if t != nil {
		p.half(figure{Title: "The same positions, moved together",
			Text: fmt.Sprintf("All positions moved along the sessions as a whole (%s, costs included): which symbols and how much stay as they were, only the time changes. Sharpe ratio %s; p = %s.",
				shifts(t), number(t.Sharpe*year, 2), inUnit(stats.Probability, t.P)),
			Drawing: histogramChart{label: "Distribution of the Sharpe ratio of shifted positions", h: stats.HistogramOf(scaled(t.Null, year)), unit: compact, marks: []mark{{"as it was", t.Sharpe * year}}}.both()})
	}
	return p
}

func shifts(t *bootstrap.Timing) string {
	if t.Exact {
		return fmt.Sprintf("all %s shifts", number(float64(t.Draws), 0))
	}
	return fmt.Sprintf("%s random shifts, seed %d", number(float64(t.Draws), 0), t.Seed)
}

func scaled(x []float64, k float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = v * k
	}
	return out
}

// stressed shows in the terminal what was run again.
func (s *screen) stressed(v *view) {
	if v.stress == nil {
		return
	}
	s.heading("Run again with one assumption changed")
	s.text(fmt.Sprintf("%d runs, none of them a trial. The run itself is marked *.", v.stress.Runs))
	var rows [][]string
	add := func(what string, points []stress.Point, whole bool) {
		for _, q := range points {
			if q.Base && !whole {
				continue // it is in the first list
			}
			label := clean(q.Label)
			if q.Base {
				label += " *" // the run itself
			}
			rows = append(rows, []string{what, label, percent(float64(q.TotalReturn)), percent(float64(q.CAGR)), number(float64(q.Sharpe), 2), percent(float64(q.MaxDrawdown)), number(q.Trades, 0)})
			what = ""
		}
	}
	add("delay", v.stress.Delay, true)
	add("costs", v.stress.Costs, len(rows) == 0)
	for _, q := range v.stress.Params {
		add("parameter "+clean(q.Name), q.Points, true)
	}
	add("start", v.stress.Starts, false)
	add("without", v.stress.Symbols, false)
	s.table([]column{{head: "changed"}, {head: "to"}, {head: "return", right: true}, {head: "cagr", right: true, drop: 2}, {head: "sharpe", right: true}, {head: "drawdown", right: true, drop: 1}, {head: "trades", right: true, drop: 3}}, rows)
	if e := v.stress.Entries; e != nil {
		s.text(fmt.Sprintf("Entries at random: p = %s over %d draws.", inUnit(stats.Probability, e.P), e.Draws))
	}
	if t := v.stress.Timing; t != nil {
		s.text(fmt.Sprintf("The same positions at other times: p = %s over %s.", inUnit(stats.Probability, t.P), shifts(t)))
	}
	for _, text := range v.stress.Left {
		s.text("Not tried: " + clean(text) + ".")
	}
}
