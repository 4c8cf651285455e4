package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"backtester/backtest"
	"backtester/backtest/instrument"
	"backtester/backtest/stats"
)

// exposure shows what was in the market.
func (v *view) exposure() panel {
	h, ok := inMarket(v.dates, v.equity, v.trades)
	if !ok {
		return panel{}
	}
	p := panel{ID: "held", Title: "In the market"}
	lines, legends := []curveLine{{"run", h.Long}}, []legend{{"", "long", ""}}
	columns := []readout{{"Long", "percent", h.Long, 1e5}}
	if _, most := extremes(h.Short); most > 0 {
		net := make([]float64, len(h.Long))
		short := make([]float64, len(h.Long))
		for i := range net {
			short[i], net[i] = -h.Short[i], h.Long[i]-h.Short[i]
		}
		lines = append(lines, curveLine{"dd", short}, curveLine{"bench", net})
		legends = append(legends, legend{"loss", "short", ""}, legend{"bench", "net", ""})
		columns = append(columns, readout{"Short", "percent", short, 1e5}, readout{"Net", "percent", net, 1e5})
	}
	note := "Positions at their value at entry, as a share of equity at session closes; trades within one session do not show."
	if v.text("average_gross") != undefinedText {
		note += fmt.Sprintf(" At market values the gross exposure was %s on average and %s at most.", v.text("average_gross"), v.text("max_gross"))
	}
	p.figure(figure{Title: "Exposure", Read: "exposure", Legend: legends, Note: note, columns: columns,
		Drawing: curveChart{id: "exposure", label: "Exposure, long and short", dates: v.dates, lines: lines, zero: true, fill: true, unit: axisPercent, h: 190}.both()})
	count := make([]float64, len(h.Positions))
	for i, n := range h.Positions {
		count[i] = float64(n)
	}
	if _, most := extremes(count); most > 1 {
		p.figure(figure{Title: "Number of symbols held", Read: "positions", Drawing: curveChart{id: "positions", label: "Number of symbols held", dates: v.dates,
			lines: []curveLine{{"run", count}}, zero: true, unit: compact, h: 120}.both(), columns: []readout{{"Symbols", "count", count, 1}}})
	}
	p.figure(v.stacked())
	return p
}

// stacked draws what the symbols held of equity, one upon the other.
func (v *view) stacked() figure {
	const most = 8 // and the others
	parts := stats.Holdings(v.dates, v.equity, v.trades, most)
	if len(parts) < 2 {
		return figure{}
	}
	f := figure{Title: "What was held", Read: "stacked", Note: "Positions at their value at entry, as a share of equity; short ones count as positive."}
	sum := make([]float64, len(v.dates))
	var lines []curveLine
	for i, h := range parts {
		for t, x := range h.Share {
			sum[t] += x
		}
		class := fmt.Sprintf("s%d", i)
		lines = append(lines, curveLine{class, slices.Clone(sum)})
		f.Legend = append(f.Legend, legend{class, clean(h.Symbol), ""})
		f.columns = append(f.columns, readout{clean(h.Symbol), "percent", h.Share, 1e4})
	}
	f.Drawing = curveChart{label: "What was held, symbol upon symbol", dates: v.dates, lines: lines, zero: true, stack: true, unit: axisPercent, h: 220}.both()
	return f
}

// Held is what a run had in the market at the close of each session of its curve; false where no trade says what
// it cost.
func Held(equity backtest.Curve, trades []backtest.Trade) ([]instrument.Date, stats.Held, bool) {
	dates, values := equity.Sessions()
	h, ok := inMarket(dates, values, tradesOf(trades))
	return dates, h, ok
}

func inMarket(dates []instrument.Date, equity []float64, trades []stats.Trade) (stats.Held, bool) {
	if !slices.ContainsFunc(trades, func(t stats.Trade) bool { return t.EntryValue > 0 }) {
		return stats.Held{}, false
	}
	return stats.HeldOf(dates, equity, trades), true
}

// flows are what trading moved, session by session.
func (v *view) flows() (traded, cost []float64) {
	flows := make([]stats.Flow, len(v.Fills))
	for i := range v.Fills {
		f := &v.Fills[i]
		flows[i] = stats.Flow{Date: dateOf(f.Time), Traded: math.Abs(f.Quantity * f.Price), Cost: f.Commission + f.Slippage}
	}
	slices.SortStableFunc(flows, func(a, b stats.Flow) int { return cmp.Compare(a.Date, b.Date) })
	return stats.BySession(v.dates, flows)
}

const quarter = 63 // sessions of rolling turnover

// trading shows turnover and what it cost.
func (v *view) trading() panel {
	if len(v.Fills) == 0 || len(v.equity) < 3 {
		return panel{}
	}
	p := panel{ID: "trading", Title: "Turnover and costs"}
	traded, cost := v.flows()
	if len(v.equity) > 2*quarter {
		rate := stats.RollingTurnover(v.equity, traded, quarter, v.value("periods_per_year"))
		p.figure(figure{Title: fmt.Sprintf("Turnover of %d sessions, a year, one-way", quarter), Read: "turnover", columns: []readout{{"Turnover", "ratio", rate, 1e3}},
			Drawing: curveChart{id: "turnover", label: "Turnover of rolling windows", dates: v.dates, lines: []curveLine{{"run", rate}}, zero: true, unit: compact, h: 150}.both()})
	}
	paid := make([]float64, len(cost))
	sum := 0.0
	for i, c := range cost {
		sum += c
		paid[i] = sum
	}
	if sum > 0 {
		free := make([]float64, len(paid))
		for i := range free {
			free[i] = v.equity[i] + paid[i]
		}
		p.figure(figure{Title: "Equity, and without commission and slippage", Read: "free", Legend: []legend{{"", "as it was", ""}, {"bench", "without these costs, which are not invested", ""}},
			Drawing: curveChart{id: "free", label: "Equity with and without costs", dates: v.dates, lines: []curveLine{{"run", v.equity}, {"bench", free}}, unit: compact, h: 190}.both(),
			columns: []readout{{"Equity", "usd", v.equity, 100}, {"Without costs", "usd", free, 100}}})
		p.figure(figure{Title: "Commission and slippage paid so far", Read: "paid", Drawing: curveChart{id: "paid", label: "Commission and slippage paid so far", dates: v.dates,
			lines: []curveLine{{"dd", paid}}, zero: true, unit: compact, h: 130}.both(), columns: []readout{{"Paid", "usd", paid, 100}}})
	}
	return p
}

// perTrade shows closed trades one by one.
func (v *view) perTrade() panel {
	const most = 1500 // points
	p := panel{ID: "each", Title: "Trades one by one"}
	won, lost, longWon, longLost, inRow, outRow := dots{class: "gain"}, dots{class: "loss"}, dots{class: "gain"}, dots{class: "loss"}, dots{class: "gain"}, dots{class: "loss"}
	var returns []float64
	closed := 0
	for i := range v.trades {
		if !v.trades[i].Open {
			closed++
			returns = append(returns, v.trades[i].Return)
		}
	}
	if closed < 2 {
		return panel{}
	}
	every := (closed + most - 1) / most
	k := 0
	for i := range v.trades {
		t := &v.trades[i]
		if t.Open {
			continue
		}
		if k++; (k-1)%every != 0 {
			continue
		}
		a, b, c := &won, &longWon, &inRow
		if t.PnL < 0 {
			a, b, c = &lost, &longLost, &outRow
		}
		c.x, c.y = append(c.x, float64(k)), append(c.y, t.PnL)
		a.x, a.y = append(a.x, t.MAE), append(a.y, t.MFE)
		b.x, b.y = append(b.x, float64(t.Bars)), append(b.y, t.Return)
	}
	legends := []legend{{"", "won", ""}, {"loss", "lost", ""}}
	p.half(figure{Title: "Best and worst open profit", Legend: legends, Note: "Each point a trade, at its worst and its best moment. Winners far to the left were close to being losers.",
		Drawing: scatterChart{label: "Worst against best open profit of each trade", across: "worst open profit (MAE)", up: "best open profit (MFE)", dots: []dots{lost, won}, xUnit: axisPercent, yUnit: axisPercent, slope: math.NaN(), zero: true}.both()})
	p.half(figure{Title: "Return by holding time", Legend: legends, Drawing: scatterChart{label: "Return of each trade by how long it was held", across: "bars held", up: "return", dots: []dots{longLost, longWon},
		xUnit: compact, yUnit: axisPercent, slope: math.NaN(), zero: true}.both()})
	p.half(figure{Title: "Profit in the order of exits", Drawing: scatterChart{label: "Profit of each trade in the order of exits", across: "trade", up: "profit, USD", dots: []dots{outRow, inRow},
		xUnit: compact, yUnit: compact, slope: math.NaN(), zero: true}.both()})
	p.half(figure{Title: "Returns of trades", Drawing: histogramChart{label: "Distribution of the returns of trades", h: stats.HistogramOf(returns), unit: axisPercent,
		marks: []mark{{"mean " + v.text("expectancy_return"), v.value("expectancy_return")}}}.both()})
	p.figure(v.bySymbol())
	return p
}

// bySymbol draws the closed profit of the symbols that moved most, added up over time.
func (v *view) bySymbol() figure {
	const most = 6
	groups := stats.GroupBy(v.trades, func(t *stats.Trade) string { return t.Symbol })
	slices.SortStableFunc(groups, func(a, b stats.GroupRow) int { return cmp.Compare(math.Abs(b.PnL), math.Abs(a.PnL)) })
	groups = groups[:min(most, len(groups))]
	if len(groups) < 2 {
		return figure{}
	}
	place := map[string]int{}
	f := figure{Title: "Closed profit by symbol, added up"}
	var lines []curveLine
	for i, g := range groups {
		place[g.Label] = i
		class := fmt.Sprintf("s%d", i)
		lines = append(lines, curveLine{class, make([]float64, len(v.dates))})
		f.Legend = append(f.Legend, legend{class, clean(g.Label), money(g.PnL)})
	}
	for i := range v.trades {
		t := &v.trades[i]
		k, ok := place[t.Symbol]
		if t.Open || !ok || t.Exit == instrument.None {
			continue
		}
		at, _ := slices.BinarySearch(v.dates, t.Exit)
		lines[k].values[min(at, len(v.dates)-1)] += t.PnL
	}
	for _, l := range lines {
		sum := 0.0
		for i := range l.values {
			sum += l.values[i]
			l.values[i] = sum
		}
	}
	f.Drawing = curveChart{label: f.Title, dates: v.dates, lines: lines, zero: true, unit: compact, h: 220}.both()
	return f
}
