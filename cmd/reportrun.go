package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"backtester/backtest"
	"backtester/backtest/history"
	"backtester/backtest/stats/overfit"
)

// Runs of the history are reported with what the history knows of them: how often their data was
// searched, and what their Sharpe ratio is worth then.

// fromHistory finds the run that arg names, nil when there is none.
func (o *reportOptions) fromHistory(ctx context.Context, arg string) ([]*backtest.Result, error) {
	if len(arg) > 26 || strings.Trim(strings.ToUpper(arg), "0123456789ABCDEFGHJKMNPQRSTVWXYZ") != "" {
		return nil, nil
	}
	if _, err := os.Stat(o.historyPath()); err != nil && o.settings.get("database_url") == "" {
		return nil, nil // nothing was ever written down
	}
	var run *history.Run
	err := o.readHistory(ctx, func(tx *history.Tx) (err error) {
		run, err = tx.Find("", arg)
		return err
	})
	if errors.Is(err, history.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, usagef("%w", err)
	}
	results, err := o.resultsOf(run)
	if err != nil {
		return nil, err
	}
	return results, o.readHistory(ctx, func(tx *history.Tx) error {
		for _, r := range results {
			s, err := tx.Select(run.Owner, r, o.trials)
			if err != nil {
				return err
			}
			if o.selected == nil {
				o.selected = map[*backtest.Result]overfit.Selection{}
			}
			o.selected[r] = s
		}
		return nil
	})
}

// selections prints what the history says of each run.
func (o *reportOptions) selections(results []*backtest.Result) error {
	for _, r := range results {
		s, ok := o.selected[r]
		if !ok {
			continue
		}
		if _, err := fmt.Fprintln(o.io.Out, selectionWords(title(r), s)); err != nil {
			return err
		}
	}
	return nil
}

func selectionWords(name string, s overfit.Selection) string {
	number := func(v *float64) string {
		if v == nil {
			return "undefined"
		}
		return strconv.FormatFloat(*v, 'f', 3, 64)
	}
	trials := fmt.Sprintf("%d trials searched this data", s.Trials)
	if s.Trials == 1 {
		trials = "1 trial searched this data"
	}
	if s.Rho != nil {
		trials += fmt.Sprintf(" (worth %s independent ones: their returns correlate by %s)", number(s.Effective), number(s.Rho))
	}
	if s.DSR == nil {
		return fmt.Sprintf("selection: %s: %s; no deflated Sharpe ratio: %s", name, trials, s.Reason)
	}
	return fmt.Sprintf("selection: %s: %s; deflated Sharpe ratio %s, %s with effective trials; history %s",
		name, trials, number(s.DSR), number(s.DSRLow), s.Snapshot)
}

// showJSON is report.JSON with a selection block in each result that the history knows.
func (o *reportOptions) showJSON(results []*backtest.Result, lines bool) error {
	var parts [][]byte
	for _, r := range results {
		b, err := r.EncodeJSON()
		if err != nil {
			return fmt.Errorf("write result of %s as JSON: %w", r.Strategy, err)
		}
		b = b[:len(b)-1]
		if s, ok := o.selected[r]; ok {
			block, err := json.Marshal(s)
			if err != nil {
				return fmt.Errorf("write the selection of %s as JSON: %w", r.Strategy, err)
			}
			b = append(append(append(b[:len(b)-1], `,"selection":`...), block...), '}')
		}
		parts = append(parts, b)
	}
	separator, end := "\n", "\n"
	if !lines && len(parts) > 1 {
		separator, end = ",\n", "\n]\n"
		parts[0] = append([]byte("[\n"), parts[0]...)
	}
	for i, b := range parts {
		tail := separator
		if i == len(parts)-1 {
			tail = end
		}
		if _, err := io.WriteString(o.io.Out, string(b)+tail); err != nil {
			return fmt.Errorf("write results as JSON: %w", err)
		}
	}
	return nil
}
