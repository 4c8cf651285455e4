package cmd

import (
	"fmt"
	"slices"
	"strconv"

	"backtester/backtest/history"
	"backtester/backtest/job"
)

// showSweep prints what a sweep came to: what was tried, and the best combinations.
func (o *historyOptions) showSweep(r *history.Run) error {
	var s job.Sweep
	if err := r.ReadSummary(&s); err != nil {
		return err
	}
	by := ""
	if s.Method != "" { // rows that a server wrote do not say it
		by = ", by " + s.Method
	}
	s.Total = max(s.Total, s.Combinations)
	fmt.Fprintf(o.io.Out, "objective %s%s\n", s.Objective, by)
	fmt.Fprintf(o.io.Out, "%d of %d combinations, %d rows, %d eligible, %d kept; every row is a trial\n", s.Combinations, s.Total, s.Rows, s.Eligible, s.Kept)
	if s.Combinations < s.Total {
		fmt.Fprintf(o.io.Out, "combinations %d to %d\n", s.From, s.To)
	}
	for _, t := range s.Paths {
		why := ""
		if t.Reason != "" {
			why = ": " + t.Reason
		}
		fmt.Fprintf(o.io.Out, "path %s, %d rows%s\n", t.Path, t.Rows, why)
	}
	if len(s.Best) == 0 {
		_, err := fmt.Fprintln(o.io.Out, "no row was eligible")
		return err
	}
	head := append([]string{"symbol"}, s.Params...)
	shown := []string{"total_return", "sharpe", "max_drawdown", "trades"}
	if s.Best[0].Metrics[s.Objective] != nil && !slices.Contains(shown, s.Objective) {
		shown = slices.Insert(shown, 0, s.Objective)
	}
	head = append(head, shown...)
	var rows [][]string
	var right []int
	for i := 1; i < len(head); i++ {
		right = append(right, i)
	}
	for _, b := range s.Best {
		cells := []string{b.Symbol}
		if b.Symbol == "" {
			cells[0] = "all"
		}
		for _, name := range s.Params {
			cells = append(cells, strconv.FormatFloat(b.Params[name], 'g', -1, 64))
		}
		for _, key := range shown {
			cell := "-"
			if v := b.Metrics[key]; v != nil {
				cell = shortNumber(*v)
			}
			cells = append(cells, cell)
		}
		rows = append(rows, cells)
	}
	return o.table(o.io.Out, head, rows, right...)
}
