package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"backtester/backtest/stats"
	"backtester/backtest/stats/bootstrap"
)

// sharpeDifferences tests every two runs for a difference of their Sharpe ratios over the common
// period.
func sharpeDifferences(names []string, views []*view, equity [][]float64) comparedTable {
	const draws = 1999 // of each of up to 45 pairs
	t := comparedTable{Title: "Are the Sharpe ratios different?", Head: []string{"Runs", "Difference a year", "95% from", "to", "p", "p, quick"}, Most: mostPairs}
	var p []float64
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
			t.Rows, p = append(t.Rows, row), append(p, d.P)
			pairs++
		}
	}
	sortRows(t.Rows, p)
	t.Note = fmt.Sprintf("The surest differences first. p: two-sided, of equal ratios, by the studentised block bootstrap of Ledoit and Wolf (2008), %d draws a pair, seed %d. Quick: Jobson and Korkie (1981) as corrected by Memmel (2003), for independent normal returns.", draws, seed)
	if pairs > 1 {
		t.Note += fmt.Sprintf(" With %d pairs, one in twenty is under 0.05 by chance alone.", pairs)
	}
	return t
}

// tradesInCommon tells for every two runs which trades both made: those of the same symbol and side that
// began at the same time. Open trades count with their profit so far.
func tradesInCommon(names []string, views []*view) comparedTable {
	t := comparedTable{Title: "Trades in common", Head: []string{"Runs", "both made", "profit in the first", "in the second", "only the first", "profit", "only the second", "profit"}, Most: mostPairs}
	apart := 0
	var shared []float64
	for i := range views {
		for j := i + 1; j < len(views); j++ {
			a, b := views[i].Trades, views[j].Trades
			if len(a) == 0 || len(b) == 0 {
				continue
			}
			p := PairTrades(a, b)
			if p.Same+p.Differ == 0 && len(views)*(len(views)-1)/2 > mostPairs { // of few pairs these are worth a line
				apart++
				continue
			}
			row := comparedRow{Name: names[i] + " - " + names[j]}
			for _, text := range []string{whole(int64(p.Same + p.Differ)), money(p.BothA), money(p.BothB), whole(int64(p.OnlyA)), money(p.RestA), whole(int64(p.OnlyB)), money(p.RestB)} {
				row.Cells = append(row.Cells, comparedCell{Text: text})
			}
			t.Rows, shared = append(t.Rows, row), append(shared, -float64(p.Same+p.Differ))
		}
	}
	sortRows(t.Rows, shared)
	if t.Note = "Most in common first. "; apart > 0 {
		t.Note = "Most in common first; " + pairsApart(apart) + " nothing in common. "
	}
	t.Note += "In common: same symbol, side and time of entry, whatever the size. Profits in USD, over each whole run."
	return t
}

func pairsApart(n int) string {
	if n == 1 {
		return "1 pair has"
	}
	return whole(int64(n)) + " pairs have"
}

// sortRows puts rows in rising order of by, those without a number last, equal ones as they are.
func sortRows(rows []comparedRow, by []float64) {
	at := make([]int, len(rows))
	for i := range at {
		at[i] = i
	}
	slices.SortStableFunc(at, func(a, b int) int {
		if math.IsNaN(by[a]) || math.IsNaN(by[b]) {
			return b2i(math.IsNaN(by[a])) - b2i(math.IsNaN(by[b]))
		}
		return cmp.Compare(by[a], by[b])
	})
	sorted := make([]comparedRow, len(rows))
	for i, k := range at {
		sorted[i] = rows[k]
	}
	copy(rows, sorted)
}
