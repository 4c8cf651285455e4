package backtest

import (
	"context"
	"fmt"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// Scan is where a condition holds at one bar, with every number that the strategy looks at.
type Scan struct {
	Strategy  string    `json:"strategy"`
	Condition string    `json:"condition"` // entry, or the name of a signal
	Time      string    `json:"time"`      // the bar
	Scanned   int       `json:"scanned"`   // symbols that traded in it and may be entered
	Columns   []string  `json:"columns"`   // names of the values
	Rows      []ScanRow `json:"rows"`      // by symbol
	Warnings  []Warning `json:"warnings"`
}

// ScanRow is a symbol of which the condition holds.
type ScanRow struct {
	Symbol string `json:"symbol"`
	Side   string `json:"side,omitempty"` // long | short | both; of entries only
	Values Values `json:"values"`
}

// entryCondition is the word for the conditions of entries, long and short.
const entryCondition = "entry"

// NewScan evaluates cfg on the bars of src and lists the symbols of which a condition, entry or a named
// signal, holds at the last bar up to a session; None is the last bar of the range.
func NewScan(ctx context.Context, cfg *Config, src bar.Source, condition string, session instrument.Date) (*Scan, error) {
	c := *cfg
	if session != instrument.None {
		if c.Data.From != instrument.None && session < c.Data.From {
			return nil, fmt.Errorf("scan %s: the range of the strategy begins later, on %s", session, c.Data.From)
		}
		c.Data.To = session
	}
	p, err := NewPreview(ctx, &c, src)
	if err != nil {
		return nil, err
	}
	if condition == "" {
		condition = entryCondition
	}
	out := &Scan{Strategy: p.Strategy, Condition: condition, Columns: []string{"close"}, Rows: []ScanRow{}, Warnings: p.Warnings}
	at := -1 // column of the condition
	latest := int64(0)
	for i := range p.Symbols {
		s := &p.Symbols[i]
		latest = max(latest, s.Time.Nanos[len(s.Time.Nanos)-1])
		if i > 0 {
			continue
		}
		for k := range s.Columns {
			out.Columns = append(out.Columns, s.Columns[k].Name)
			if s.Columns[k].Name == condition && s.Columns[k].Kind == "condition" {
				at = k
			}
		}
	}
	if at < 0 && condition != entryCondition {
		return nil, fmt.Errorf("scan %s: the strategy has no signal of this name that is a condition: want entry or one of its signals", condition)
	}
	for i := range p.Symbols {
		s := &p.Symbols[i]
		last := len(s.Time.Nanos) - 1
		if s.Time.Nanos[last] != latest || s.Members != nil && !s.Members[last] {
			continue
		}
		out.Scanned++
		out.Time = s.Time.At(last)
		row := ScanRow{Symbol: s.Symbol, Values: Values{s.Close[last]}}
		if at >= 0 {
			if s.Columns[at].Values[last] != 1 {
				continue
			}
		} else if row.Side = sideOfScan(s, last); row.Side == "" {
			continue
		}
		for k := range s.Columns {
			row.Values = append(row.Values, s.Columns[k].Values[last])
		}
		out.Rows = append(out.Rows, row)
	}
	if session != instrument.None && p.Data.To != session.String() {
		out.Warnings = append(out.Warnings, Warning{"scan_date", fmt.Sprintf("no symbol of the run traded on %s: what is shown is of %s", session, p.Data.To)})
	}
	return out, nil
}

// sideOfScan is which entry conditions hold at a row.
func sideOfScan(s *SymbolPreview, row int) string {
	long, short := s.Entries != nil && s.Entries[row], s.Shorts != nil && s.Shorts[row]
	switch {
	case long && short:
		return "both"
	case long:
		return "long"
	case short:
		return "short"
	}
	return ""
}
