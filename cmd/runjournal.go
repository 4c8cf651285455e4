package cmd

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"backtester/backtest"
	"backtester/backtest/strategy"
)

// checkJournal refuses a journal of several runs, or of one that is not played here.
func (o *runOptions) checkJournal(args []string) error {
	switch {
	case o.journal == "":
		return nil
	case len(args) > 1 || o.independent:
		return usagef("--journal is of one run: name one strategy, without --independent")
	case o.wanted() || o.settings.get("server") != "":
		return usagef("--journal needs a run of its own: leave --orders, --scan and --server out")
	}
	return nil
}

// playWithJournal runs one file and writes its journal.
func (o *runOptions) playWithJournal(ctx context.Context, file *strategy.File, src source) (*backtest.Result, error) {
	var entries []backtest.Entry
	r, err := backtest.RunWith(ctx, file, src, backtest.Options{Journal: func(x *backtest.Entry) { entries = append(entries, *x) }})
	if err != nil {
		return nil, err
	}
	render := journalLines
	if strings.HasSuffix(strings.ToLower(o.journal), ".csv") {
		render = journalCSV
	}
	if err := writeFile(o.journal, func(w io.Writer) error { return render(w, entries) }); err != nil {
		return nil, fmt.Errorf("write the journal: %w", err)
	}
	fmt.Fprintf(o.io.Err, "wrote %d entries to %s\n", len(entries), o.journal)
	return r, nil
}

// journalLines is one JSON object a line.
func journalLines(w io.Writer, entries []backtest.Entry) error {
	buffer := bufio.NewWriter(w)
	enc := json.NewEncoder(buffer)
	enc.SetEscapeHTML(false)
	for k := range entries {
		if err := enc.Encode(&entries[k]); err != nil {
			return err
		}
	}
	return buffer.Flush()
}

// journalCSV has a column for every key; what does not apply to an entry is empty.
func journalCSV(w io.Writer, entries []backtest.Entry) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"time", "what", "symbol", "side", "quantity", "reference", "price", "commission", "regulatory", "rule", "why", "decided", "ratio", "due", "amount", "shares", "cash"}}
	several := slices.ContainsFunc(entries, func(x backtest.Entry) bool { return x.Strategy != "" })
	if several {
		rows[0] = append(rows[0], "strategy")
	}
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	some := func(x float64) string {
		if x == 0 {
			return ""
		}
		return number(x)
	}
	for k := range entries {
		x := &entries[k]
		rows = append(rows, []string{x.Time, string(x.What), x.Symbol, x.Side, some(x.Quantity), some(x.Reference), some(x.Price), some(x.Commission),
			some(x.Regulatory), x.Rule, x.Why, x.Decided, some(x.Ratio), x.Due, number(x.Amount), number(x.Shares), number(x.Cash)})
		if several {
			rows[len(rows)-1] = append(rows[len(rows)-1], x.Strategy)
		}
	}
	return out.WriteAll(rows)
}
