package cmd

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

func newDataActions(a *app) *cobra.Command {
	o := &dataOptions{app: a}
	c := &cobra.Command{
		Use: "actions SYMBOL...", Short: "Show splits and dividends, in the form that data import --actions reads",
		Example: "  backtester data actions SPLIT YIELD\n  backtester data actions AAPL --format csv > actions.csv",
		Args:    arguments(1, -1, "a symbol"),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.actions(cmd.Context(), args) },
	}
	o.flags(c.Flags(), "table", "json", "csv")
	return c
}

// actionInfo is one row of `data actions`.
type actionInfo struct {
	Symbol string  `json:"symbol"`
	Ex     string  `json:"ex_date"`
	From   float64 `json:"split_from,omitempty"`
	To     float64 `json:"split_to,omitempty"`
	Cash   float64 `json:"cash_amount,omitempty"`
	Pay    string  `json:"pay_date,omitempty"`

	Declared string `json:"declaration_date,omitempty"`
}

func (o *dataOptions) actions(ctx context.Context, symbols []string) error {
	if err := checkFormat(o.format, "table", "json", "csv"); err != nil {
		return err
	}
	s, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	list := []actionInfo{}
	for _, symbol := range symbols {
		_, a, err := s.Actions(symbol)
		if err != nil {
			return err
		}
		for _, x := range a.Splits {
			list = append(list, actionInfo{Symbol: symbol, Ex: x.Ex.String(), From: x.From, To: x.To})
		}
		for _, x := range a.Dividends {
			row := actionInfo{Symbol: symbol, Ex: x.Ex.String(), Cash: x.Cash, Pay: x.Pay.String()}
			if x.Declared != 0 {
				row.Declared = x.Declared.String()
			}
			list = append(list, row)
		}
	}
	if o.format == "json" {
		return writeJSON(o.io.Out, list)
	}
	number := func(x float64) string {
		if x == 0 {
			return ""
		}
		return decimal(x)
	}
	rows := make([][]string, len(list))
	for i, x := range list {
		rows[i] = []string{x.Symbol, x.Ex, number(x.From), number(x.To), number(x.Cash), x.Pay, x.Declared}
	}
	header := []string{"symbol", "ex_date", "split_from", "split_to", "cash_amount", "pay_date", "declaration_date"}
	if o.format == "csv" {
		return o.writeCSV(header, rows)
	}
	if len(rows) == 0 {
		_, err := fmt.Fprintln(o.io.Out, "no splits and no dividends are known")
		return err
	}
	return o.table(o.io.Out, header, rows, 2, 3, 4)
}

// calendarOptions of `backtester data calendar`.
type calendarOptions struct {
	dataOptions
	from, to string
	closed   bool
}

func newDataCalendar(a *app) *cobra.Command {
	o := &calendarOptions{dataOptions: dataOptions{app: a}}
	c := &cobra.Command{
		Use: "calendar", Short: "Show the sessions of the exchange with their hours, half days marked",
		Example: "  backtester data calendar --from 2024-11-25 --to 2024-12-31\n  backtester data calendar --closed --from 2001-09-01 --to 2001-09-30",
		Args:    arguments(0, 0, ""),
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.calendar(cmd.Context()) },
	}
	o.flags(c.Flags(), "table", "json", "csv")
	f := c.Flags()
	f.StringVar(&o.from, "from", "", "first date, `YYYY-MM-DD` (default today)")
	f.StringVar(&o.to, "to", "", "last date, `YYYY-MM-DD` (default 30 days after the first)")
	f.BoolVar(&o.closed, "closed", false, "weekdays without a session instead")
	return c
}

// sessionInfo is one row of `data calendar`. Times are RFC 3339 UTC.
type sessionInfo struct {
	Date  string `json:"date"`
	Day   string `json:"weekday"`
	Open  string `json:"open,omitempty"`
	Close string `json:"close,omitempty"`
	Early bool   `json:"early"`
}

func (o *calendarOptions) calendar(ctx context.Context) error {
	if err := checkFormat(o.format, "table", "json", "csv"); err != nil {
		return err
	}
	s, err := o.open(ctx) // for corrections by reference data
	if err != nil {
		return err
	}
	defer s.Close()
	cal := s.Calendar()
	from := cal.DateOf(o.io.Now().UnixNano())
	if o.from != "" {
		if from, err = instrument.ParseDate(o.from); err != nil {
			return usagef("--from: %w", err)
		}
	}
	to := from + 30
	if o.to != "" {
		if to, err = instrument.ParseDate(o.to); err != nil {
			return usagef("--to: %w", err)
		}
	}
	if first, last := cal.Known(); from > to || from < first || to > last {
		return usagef("--from %s --to %s: want a range within %s to %s", from, to, first, last)
	}
	return o.showCalendar(sessionsIn(cal, from, to, o.closed))
}

// sessionsIn lists the sessions of a range or, with closed, the weekdays that are none.
func sessionsIn(cal *bar.Calendar, from, to instrument.Date, closed bool) []sessionInfo {
	list := []sessionInfo{}
	for d := from; d <= to; d++ {
		open, close, early, ok := cal.Hours(d)
		weekend := d.Weekday() == time.Saturday || d.Weekday() == time.Sunday
		x := sessionInfo{Date: d.String(), Day: d.Weekday().String()}
		switch {
		case closed && !ok && !weekend:
			list = append(list, x)
		case !closed && ok:
			x.Open, x.Close, x.Early = rfc3339(open), rfc3339(close), early
			list = append(list, x)
		}
	}
	return list
}

func rfc3339(ns int64) string { return time.Unix(0, ns).UTC().Format(time.RFC3339) }

func (o *calendarOptions) showCalendar(list []sessionInfo) error {
	if o.format == "json" {
		return writeJSON(o.io.Out, list)
	}
	rows := make([][]string, len(list))
	for i, x := range list {
		rows[i] = []string{x.Date, x.Day, x.Open, x.Close, strconv.FormatBool(x.Early)}
	}
	header := []string{"date", "weekday", "open", "close", "early"}
	if o.format == "csv" {
		return o.writeCSV(header, rows)
	}
	return o.table(o.io.Out, header, rows)
}
