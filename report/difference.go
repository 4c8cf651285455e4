package report

import (
	"fmt"
	"math"

	"backtester/backtest/stats"
	"backtester/backtest/stats/bootstrap"
)

// sharpeDifferences tests every two runs for a difference of their Sharpe ratios over the common
// period.
func sharpeDifferences(names []string, views []*view, equity [][]float64) comparedTable {
	const draws = 1999 // of each of up to 45 pairs
	t := comparedTable{Title: "Are the Sharpe ratios different?", Head: []string{"Runs", "Difference a year", "95% from", "to", "p", "p, quick"}}
	seed, pairs := views[0].seed(), 0
	r := make([][]float64, len(equity))
	n := math.MaxInt
	for i, e := range equity {
		r[i] = stats.Returns(nil, e)
		rf := views[i].sessionRate()
		for k := range r[i] {
			r[i][k] -= rf
		}
		n = min(n, len(r[i]))
	}
	year := math.Sqrt(views[0].value("periods_per_year"))
	for i := range r {
		for j := i + 1; j < len(r); j++ {
			d := bootstrap.CompareSharpe(r[i][:n], r[j][:n], draws, 0, seed)
			row := comparedRow{Name: names[i] + " - " + names[j]}
			for _, text := range []string{number(d.Delta*year, 2), number(d.Low*year, 2), number(d.High*year, 2),
				inUnit(stats.Probability, d.P), inUnit(stats.Probability, d.MemmelP)} {
				row.Cells = append(row.Cells, comparedCell{Text: text})
			}
			t.Rows = append(t.Rows, row)
			pairs++
		}
	}
	t.Note = fmt.Sprintf("p: two-sided, of equal ratios, by the studentised block bootstrap of Ledoit and Wolf (2008), %d draws a pair, seed %d. Quick: Jobson and Korkie (1981) as corrected by Memmel (2003), for independent normal returns.", draws, seed)
	if pairs > 1 {
		t.Note += fmt.Sprintf(" With %d pairs, one in twenty is under 0.05 by chance alone.", pairs)
	}
	return t
}

// tradesInCommon tells for every two runs which trades both made: those of the same symbol and side that
// began at the same time. Open trades count with their profit so far.
func tradesInCommon(names []string, views []*view) comparedTable {
	t := comparedTable{Title: "Trades in common", Head: []string{"Runs", "both made", "profit in the first", "in the second", "only the first", "profit", "only the second", "profit"}}
	for i := range views {
		for j := i + 1; j < len(views); j++ {
			a, b := views[i].Trades, views[j].Trades
			if len(a) == 0 || len(b) == 0 {
				continue
			}
			p := PairTrades(a, b)
			row := comparedRow{Name: names[i] + " - " + names[j]}
			for _, text := range []string{whole(int64(p.Same + p.Differ)), money(p.BothA), money(p.BothB), whole(int64(p.OnlyA)), money(p.RestA), whole(int64(p.OnlyB)), money(p.RestB)} {
				row.Cells = append(row.Cells, comparedCell{Text: text})
			}
			t.Rows = append(t.Rows, row)
		}
	}
	t.Note = "In common: same symbol, side and time of entry, whatever the size. Profits in USD, over each whole run."
	return t
}
