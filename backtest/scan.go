package backtest

import (
	"context"
	"fmt"
	"math"
	"slices"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// Scan is where a condition holds at one bar, with every number that the strategy looks at.
type Scan struct {
	Strategy  string    `json:"strategy"`
	Condition string    `json:"condition"` // entry, or the name of a signal
	Time      string    `json:"time"`      // the bar
	Scanned   int       `json:"scanned"`   // symbols that traded in it and may be entered; of several strategies each by itself
	Columns   []string  `json:"columns"`   // names of the values, of several strategies those of all
	Rows      []ScanRow `json:"rows"`      // by symbol, of several strategies in their order
	Warnings  []Warning `json:"warnings"`
}

// ScanRow is a symbol of which the condition holds.
type ScanRow struct {
	Symbol   string `json:"symbol"`
	Strategy string `json:"strategy,omitempty"` // whose condition it is, where several share the account
	Side     string `json:"side,omitempty"`     // long | short | both; of entries only
	Values   Values `json:"values"`             // null where the strategy does not look at the number
}

// entryCondition is the word for the conditions of entries, long and short.
const entryCondition = "entry"

// NewScan evaluates cfg on the bars of src and lists the symbols of which a condition, entry or a named
// signal, holds at the last bar up to a session; None is the last bar of the range.
func NewScan(ctx context.Context, cfg *Config, src bar.Source, condition string, session instrument.Date) (*Scan, error) {
	c := *cfg
	if session != instrument.None {
		if c.Data.From != instrument.None && session < c.Data.From {
			return nil, inputf("scan %s: the range of the strategy begins later, on %s", session, c.Data.From)
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
	if condition == entryCondition && !slices.ContainsFunc(p.Symbols, func(s SymbolPreview) bool { return s.Entries != nil || s.Shorts != nil }) {
		return nil, inputf("scan entry: the strategy has no entry condition, its rebalance or script decides: name one of its signals")
	}
	out := &Scan{Strategy: p.Strategy, Condition: condition, Columns: []string{"close"}, Rows: []ScanRow{}, Warnings: p.Warnings}
	named := false // there is a condition of this name
	latest := int64(0)
	column := map[string]int{}
	seen := map[string]bool{} // strategies
	for i := range p.Symbols {
		s := &p.Symbols[i]
		latest = max(latest, s.Time.Nanos[len(s.Time.Nanos)-1])
		if seen[s.Strategy] {
			continue
		}
		seen[s.Strategy] = true
		for _, c := range s.Columns {
			if _, there := column[c.Name]; !there {
				column[c.Name] = len(out.Columns)
				out.Columns = append(out.Columns, c.Name)
			}
			named = named || c.Name == condition && c.Kind == "condition"
		}
	}
	if !named && condition != entryCondition {
		return nil, inputf("scan %s: the strategy has no signal of this name that is a condition: want entry or one of its signals", condition)
	}
	for i := range p.Symbols {
		s := &p.Symbols[i]
		last := len(s.Time.Nanos) - 1
		if s.Time.Nanos[last] != latest || s.Members != nil && !s.Members[last] {
			continue
		}
		row := ScanRow{Symbol: s.Symbol, Strategy: s.Strategy, Values: make(Values, len(out.Columns))}
		for k := range row.Values {
			row.Values[k] = math.NaN()
		}
		row.Values[0] = s.Close[last]
		for _, c := range s.Columns {
			row.Values[column[c.Name]] = c.Values[last]
		}
		out.Scanned++
		out.Time = s.Time.At(last)
		switch {
		case named && row.Values[column[condition]] != 1:
		case named:
			out.Rows = append(out.Rows, row)
		default:
			if row.Side = sideOfScan(s, last); row.Side != "" {
				out.Rows = append(out.Rows, row)
			}
		}
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
