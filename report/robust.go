package report

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"

	"backtester/backtest/stats"
	"backtester/backtest/stats/bootstrap"
)

// seed of the simulations: from what the result is a function of, so that it is the same whenever and
// wherever the report is made.
func (v *view) seed() uint64 {
	sum := sha256.Sum256([]byte(v.Fingerprint))
	return binary.BigEndian.Uint64(sum[:8]) >> 12 // short enough to be typed, and exact as a JSON number
}

// mostSteps keeps simulations of long runs within a second: draws times sessions, or trades.
const mostSteps = 30_000_000

// drawsOf is how often a sample of n is drawn, at least so often.
func drawsOf(n, least int) int { return min(5000, max(least, mostSteps/max(1, n))) }

// robust are the chapters about how much of the result is chance.
func (v *view) robust(draws int) []panel {
	if len(v.equity) < 30 {
		return filled(v.selected())
	}
	panels := filled(v.selected(), v.simulated(draws), v.another(), v.sensitive(), v.concentrated(), v.started())
	return append(panels, v.stressed()...)
}

// simulated draws the sessions of the run again.
func (v *view) simulated(draws int) panel {
	r := stats.Returns(nil, v.equity)
	if draws <= 0 {
		draws = drawsOf(len(r), 500)
	}
	perYear := v.value("periods_per_year")
	paths := bootstrap.Simulate(r, v.sessionRate(), bootstrap.Settings{Seed: v.seed(), Draws: draws})
	if paths == nil || !(perYear > 0) {
		return panel{}
	}
	p := panel{ID: "paths", Title: "If the same sessions had come in another order, or some twice"}
	p.Intro = fmt.Sprintf("%s paths of %s sessions, drawn from those of the run with replacement, in blocks of %.1f sessions on average (stationary bootstrap, seed %d). "+
		"What the run never saw is not in them, and neither is the uncertainty about the rules themselves.", number(float64(paths.Draws), 0), number(float64(paths.Horizon), 0), paths.Block, paths.Seed)
	interval := func(key string, i bootstrap.Interval) {
		m, _ := stats.Lookup(key)
		if v.text(key) != undefinedText && !math.IsNaN(i.Low+i.High) && !math.IsInf(i.High-i.Low, 0) {
			p.fact(m.Name, fmt.Sprintf("%s, 95%% between %s and %s", v.text(key), inUnit(m.Unit, i.Low), inUnit(m.Unit, i.High)))
		}
	}
	interval("sharpe", paths.SharpeInterval(perYear))
	interval("sortino", paths.SortinoInterval(perYear))
	interval("cagr", paths.CAGRInterval(v.value("calendar_days")/365.25))
	interval("max_drawdown", paths.DrawdownInterval())
	profits := v.profits()
	interval("profit_factor", bootstrap.ProfitFactor(profits, bootstrap.Settings{Seed: v.seed(), Draws: drawsOf(len(profits), 200)}))
	p.fact("Loss", percent(paths.LossProbability())+" of paths end below their start")
	p.fact("Deeper falls", fmt.Sprintf("%s of paths fall by more than 20%%, %s by more than 50%%, %s further than the run did",
		percent(paths.DrawdownProbability(-0.2)), percent(paths.DrawdownProbability(-0.5)), percent(paths.DrawdownProbability(v.value("max_drawdown")))))
	p.fact("Longest under water", fmt.Sprintf("half of the paths for more than %s sessions, one in twenty for more than %s", number(stats.Quantile(paths.Underwater, .5), 0), number(stats.Quantile(paths.Underwater, .95), 0)))
	actual := make([]float64, len(paths.Step))
	for k, s := range paths.Step {
		actual[k] = v.equity[min(s, len(v.equity)-1)] / v.equity[0]
	}
	p.figure(figure{Title: "Growth of 1 by session: the run, and where 50% and 90% of paths are", Legend: []legend{{"", "the run", ""}, {"bell", "middle path", ""}},
		Drawing: fan{"Growth of the run among simulated paths", paths.Step, paths.Fan, actual}.both()})
	p.half(figure{Title: "Total return at the end", Drawing: histogramChart{label: "Distribution of the total return of simulated paths", h: stats.HistogramOf(upTo(lessOne(paths.Growth), .995)), unit: axisPercent,
		marks: []mark{{"run " + v.text("total_return"), v.value("total_return")}}}.both()})
	p.half(figure{Title: "Maximum drawdown", Drawing: histogramChart{label: "Distribution of the maximum drawdown of simulated paths", h: stats.HistogramOf(paths.Drawdown), unit: axisPercent,
		marks: []mark{{"run " + v.text("max_drawdown"), v.value("max_drawdown")}}}.both()})
	return p
}

// profits are those of the closed trades, in order of exit, USD.
func (v *view) profits() []float64 {
	var out []float64
	for i := range v.trades {
		if !v.trades[i].Open {
			out = append(out, v.trades[i].PnL)
		}
	}
	return out
}

// sessionRate is the risk-free return of a session.
func (v *view) sessionRate() float64 {
	rf := v.value("risk_free")
	if !(rf > -1) || rf == 0 {
		return 0
	}
	return math.Pow(1+rf, 1/v.value("periods_per_year")) - 1
}

func lessOne(x []float64) []float64 {
	out := make([]float64, len(x))
	for i, g := range x {
		out[i] = g - 1
	}
	return out
}

// upTo leaves out what lies above a quantile of sorted values, so that a few do not flatten the rest.
func upTo(sorted []float64, p float64) []float64 {
	return sorted[:int(math.Ceil(p*float64(len(sorted))))]
}

// another shows what other orders of the trades, and other times in the market, would have done.
func (v *view) another() panel {
	p := panel{ID: "another", Title: "If the same trades had come in another order"}
	p.half(v.reordered())
	if v.stress == nil || v.stress.Timing == nil { // the run's own symbols say more
		p.Title += ", or at other times"
		p.half(v.timed())
	}
	return p
}

// reordered shuffles the closed trades.
func (v *view) reordered() figure {
	r := bootstrap.Reorder(stats.OnEquity(v.dates, v.equity, v.trades), 0, v.seed())
	if r == nil || v.value("trades") < 10 {
		return figure{}
	}
	return figure{Title: "Trades in another order: path risk only",
		Text: fmt.Sprintf("%s orders of the closed trades, each as a fraction of equity at its entry, one after the other (seed %d). All end at the same equity, so this says nothing about the end. The deepest fall was %s in the order that was; 90%% of orders fall between %s and %s.",
			number(float64(r.Draws), 0), r.Seed, percent(r.Observed), percent(stats.Quantile(r.Drawdown, .05)), percent(stats.Quantile(r.Drawdown, .95))),
		Note: "Falls within a trade, and of trades at the same time, are not in it.",
		Drawing: histogramChart{label: "Distribution of the drawdown of reordered trades", h: stats.HistogramOf(r.Drawdown), unit: axisPercent,
			marks: []mark{{"as it was " + percent(r.Observed), r.Observed}}}.both()}
}

// timed asks whether the market was held at the right times.
func (v *view) timed() figure {
	if v.benchmark == nil || math.IsNaN(v.benchmark[0]) || len(v.equity) > mostPoints {
		return figure{}
	}
	h, ok := inMarket(v.dates, v.equity, v.trades)
	if !ok {
		return figure{}
	}
	market := stats.Returns(nil, v.benchmark)
	net := make([]float64, len(market)) // held from the close before
	for t := range net {
		net[t] = h.Long[t] - h.Short[t]
	}
	if lo, hi := extremes(net); !(hi > lo) {
		return figure{}
	}
	t := bootstrap.TestTiming([][]float64{net}, [][]float64{market}, 0, 1000, v.seed())
	if t == nil {
		return figure{}
	}
	how := fmt.Sprintf("%s random shifts, seed %d", number(float64(t.Draws), 0), t.Seed)
	if t.Exact {
		how = fmt.Sprintf("all %s shifts", number(float64(t.Draws), 0))
	}
	year := math.Sqrt(v.value("periods_per_year"))
	null := make([]float64, len(t.Null))
	for i, x := range t.Null {
		null[i] = x * year
	}
	return figure{Title: "The market held at other times",
		Text: fmt.Sprintf("The net exposure of the run in %s instead of its own symbols, moved along the sessions as a whole (%s, no costs): it tests when the run was in the market, not what it chose. Its Sharpe ratio is %s; p = %s, the share of shifts that do as well.",
			v.benchmarkName(), how, number(t.Sharpe*year, 2), inUnit(stats.Probability, t.P)),
		Drawing: histogramChart{label: "Distribution of the Sharpe ratio of shifted exposure", h: stats.HistogramOf(null), unit: compact, marks: []mark{{"as it was", t.Sharpe * year}}}.both()}
}

// sensitive charges more for trading.
func (v *view) sensitive() panel {
	if len(v.Fills) == 0 {
		return panel{}
	}
	traded, _ := v.flows()
	bps := []float64{0, 1, 2, 5, 10, 20, 50, 100}
	extras := make([]float64, len(bps))
	for i, b := range bps {
		extras[i] = b / 10000
	}
	in := stats.Input{Dates: v.dates, Equity: v.equity, PeriodsPerYear: v.value("periods_per_year"), RiskFreeAnnual: v.value("risk_free")}
	sweep := stats.CostSweep(&in, traded, extras)
	p := panel{ID: "costs", Title: "If trading had cost more"}
	p.Intro = "Further basis points on every dollar traded, the trades being the same in proportion to equity. Rules that look at costs, and orders that would not have filled, are not tried again."
	table := panelTable{Title: "Extra cost", Head: []string{"Extra", "Total return", "Growth a year", "Sharpe ratio"}}
	d := dots{class: "run big"}
	for i, c := range sweep {
		table.Rows = append(table.Rows, []string{number(bps[i], 0) + " bps", percent(c.TotalReturn), percent(c.CAGR), number(c.Sharpe, 2)})
		d.x, d.y = append(d.x, bps[i]), append(d.y, c.Sharpe)
	}
	p.half(figure{Title: "The same trades at extra cost", Table: &table})
	if x := stats.BreakEven(sweep); !math.IsNaN(x) {
		p.fact("Break-even", fmt.Sprintf("the profit is gone at about %s bps more", number(1e4*x, 1)))
	} else if v.value("total_return") > 0 {
		p.fact("Break-even", "beyond 100 bps more")
	}
	p.half(figure{Title: "Sharpe ratio by extra cost", Drawing: scatterChart{label: "Sharpe ratio by extra cost", across: "extra cost, bps", up: "Sharpe ratio", dots: []dots{d}, xUnit: compact, yUnit: compact, slope: math.NaN(), zero: true, joined: true}.both()})
	return p
}

// concentrated leaves out what made the result.
func (v *view) concentrated() panel {
	p := panel{ID: "parts", Title: "If its best parts had not been"}
	if total, n := stats.WithoutBest(v.equity, .01); !math.IsNaN(total) {
		p.fact("Best sessions", fmt.Sprintf("without the best 1%% of sessions (%d) the total return is %s instead of %s", n, percent(total), v.text("total_return")))
	}
	years := stats.LeaveOutYears(v.dates, v.equity)
	if len(years) > 1 {
		best := years[0]
		for _, y := range years[1:] {
			if y.Return > best.Return {
				best = y
			}
		}
		p.fact("Best year", fmt.Sprintf("%d returned %s; without it the total return is %s", best.Year, percent(best.Return), percent(best.Without)))
	}
	groups := stats.GroupBy(v.trades, func(t *stats.Trade) string { return clean(t.Symbol) })
	if len(groups) > 1 {
		best, sum := groups[0], 0.0
		for _, g := range groups {
			sum += g.PnL
			if g.PnL > best.PnL {
				best = g
			}
		}
		p.fact("Best symbol", fmt.Sprintf("%s made %s of the closed profit of %s; without it %s are left", best.Label, money(best.PnL), money(sum), money(sum-best.PnL)))
	}
	if x := v.text("top_5_trades_share"); x != undefinedText {
		p.fact("Best trades", fmt.Sprintf("the best made %s of the closed profit, the best five %s", v.text("top_trade_share"), x))
	}
	return p
}

// started begins later.
func (v *view) started() panel {
	in := stats.Input{Dates: v.dates, Equity: v.equity, PeriodsPerYear: v.value("periods_per_year"), RiskFreeAnnual: v.value("risk_free")}
	starts := stats.Starts(&in)
	if len(starts) < 2 {
		return panel{}
	}
	p := panel{ID: "starts", Title: "If it had begun later"}
	t := panelTable{Title: "Later starts", Head: []string{"From", "Total return", "Growth a year", "Sharpe ratio", "Maximum drawdown"}}
	for _, s := range starts {
		t.Rows = append(t.Rows, []string{s.From.String(), percent(s.TotalReturn), percent(s.CAGR), number(s.Sharpe, 2), percent(s.MaxDrawdown)})
	}
	p.Tables = append(p.Tables, t)
	return p
}
