package report

import (
	"fmt"
	"math"

	"backtester/backtest/stats"
)

// shape shows how returns are distributed.
func (v *view) shape() panel {
	p := panel{ID: "shape", Title: "Shape of returns"}
	if q := stats.QQOf(stats.Returns(nil, v.equity), 400); len(q.Normal) > 0 {
		p.half(figure{Title: "Against the normal law", Note: "Points on the line: as the normal law has it. Below it on the left, above it on the right: more extremes than that.",
			Drawing: scatterChart{label: "Quantiles of session returns against those of the normal law", across: "normal quantile", up: "observed, in deviations",
				dots: []dots{{"run", q.Normal, q.Observed}}, xUnit: compact, yUnit: compact, slope: 1, zero: true}.both()})
	}
	p.half(figure{Title: "By length of the period", Note: "Box: the middle half. Whiskers: 5% to 95%. Dots: the least and the most. Whole periods only.", Drawing: boxes(stats.Boxes(v.dates, v.equity))})
	return p
}

// windows shows figures of rolling windows of half a year, and of a year where the run is long enough.
func (v *view) windows() panel {
	if len(v.equity) <= 2*window {
		return panel{}
	}
	half, year := v.rolling(window), stats.Window{}
	p := panel{ID: "roll", Title: fmt.Sprintf("Windows of %d sessions", window)}
	var key []legend
	if len(v.equity) > 4*window {
		year = v.rolling(2 * window)
		p.Title = fmt.Sprintf("Windows of %d and %d sessions", window, 2*window)
		key = []legend{{"", fmt.Sprintf("%d sessions", window), ""}, {"bench", fmt.Sprintf("%d sessions", 2*window), ""}}
	}
	add := func(id, title, name, unit, note string, short, long []float64, h float64, levels ...level) {
		scale, axis := 1e4, compact
		if unit == "percent" {
			scale, axis = 1e5, axisPercent
		}
		lines, columns := []curveLine{{"run", short}}, []readout{{name, unit, short, scale}}
		if long != nil {
			lines, columns = append(lines, curveLine{"bench", long}), append(columns, readout{name + ", year", unit, long, scale})
		}
		p.figure(figure{Title: title, Read: id, Note: note, Legend: key, columns: columns,
			Drawing: curveChart{id: id, label: title + ", rolling windows", dates: v.dates, lines: lines, zero: true, unit: axis, h: h, level: levels}.both()})
	}
	note, levels := "", []level(nil)
	if x := v.value("sharpe"); !math.IsNaN(x) {
		low, high := stats.SharpeBand(x, v.value("periods_per_year"), window)
		levels = []level{{"mark", "whole run", x}, {"mark faint", "", low}, {"mark faint", "", high}}
		note = fmt.Sprintf("Dashed: the whole run, %s, and the range from %s to %s in which 95%% of windows of %d sessions lie if nothing changes and returns are independent and normal.", number(x, 2), number(low, 2), number(high, 2), window)
	}
	add("sharpe", "Sharpe ratio", "Sharpe", "ratio", note, half.Sharpe, year.Sharpe, 190, levels...)
	add("sortino", "Sortino ratio", "Sortino", "ratio", "", half.Sortino, year.Sortino, 150)
	add("window", "Return over the window", "Return", "percent", "", half.Return, year.Return, 150)
	add("volatility", "Volatility a year", "Volatility", "percent", "", half.Volatility, year.Volatility, 150)
	if half.Beta != nil {
		add("beta", "Beta to "+v.benchmarkName(), "Beta", "ratio", "", half.Beta, year.Beta, 150)
		add("correlation", "Correlation with "+v.benchmarkName(), "Correlation", "ratio", "", half.Correlation, year.Correlation, 150)
		add("alpha", "Alpha a year against "+v.benchmarkName(), "Alpha", "percent", "", half.Alpha, year.Alpha, 150)
	}
	return p
}

// market shows the run against the benchmark.
func (v *view) market() panel {
	const most = 1000 // points
	if v.benchmark == nil || len(v.equity) < 3 || math.IsNaN(v.benchmark[0]) || math.IsNaN(v.value("beta")) {
		return panel{}
	}
	b := v.benchmarkName()
	p := panel{ID: "market", Title: "Against " + b}
	relative := make([]float64, len(v.equity))
	for i := range relative {
		relative[i] = v.equity[i] / v.equity[0] / (v.benchmark[i] / v.benchmark[0])
	}
	p.figure(figure{Title: "Growth of 1 in the run over that in " + b, Read: "relative", columns: []readout{{"Relative", "ratio", relative, 1e4}},
		Drawing: curveChart{id: "relative", label: "Growth of the run over that of the benchmark", dates: v.dates, lines: []curveLine{{"run", relative}}, level: []level{{"mark", "", 1}}, unit: compact, h: 160}.both()})
	y, x := stats.Returns(nil, v.equity), stats.Returns(nil, v.benchmark)
	n := min(len(x), len(y))
	var d dots
	d.class = "run"
	for k := range min(n, most) {
		i := k * n / min(n, most)
		d.x, d.y = append(d.x, x[i]), append(d.y, y[i])
	}
	p.half(figure{Title: "Session returns", Note: fmt.Sprintf("Line: beta %s, alpha %s a year. Rising sessions of %s: beta %s; falling ones: %s.", v.text("beta"), v.text("alpha"), b, v.text("bull_beta"), v.text("bear_beta")),
		Drawing: scatterChart{label: "Session returns of the run against those of the benchmark", across: b, up: "run", dots: []dots{d}, xUnit: axisPercent, yUnit: axisPercent,
			slope: v.value("beta"), intercept: v.value("alpha") / v.value("periods_per_year"), zero: true}.both()})
	m := dots{class: "run big"}
	theirs := stats.Months(v.dates, v.benchmark)
	for i, own := range stats.Months(v.dates, v.equity) {
		if !own.Partial && i < len(theirs) {
			m.x, m.y = append(m.x, theirs[i].Return), append(m.y, own.Return)
		}
	}
	if len(m.x) > 5 {
		p.half(figure{Title: "Returns of whole months", Note: fmt.Sprintf("Captured of rising sessions of %s: %s, of falling ones: %s. Above the line the run did better.", b, v.text("up_capture"), v.text("down_capture")),
			Drawing: scatterChart{label: "Monthly returns of the run against those of the benchmark", across: b, up: "run", dots: []dots{m}, xUnit: axisPercent, yUnit: axisPercent, slope: 1, zero: true}.both()})
	}
	return p
}
