package cmd

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/pflag"

	"backtester/backtest"
	"backtester/backtest/instrument"
	"backtester/backtest/strategy"
)

// tomorrow is what `run` can say about the next session instead of showing results.
type tomorrow struct {
	orders bool
	scan   string
	date   string
}

func (t *tomorrow) flags(f *pflag.FlagSet) {
	f.BoolVar(&t.orders, "orders", false, "print the orders that the last bar decided for the next session instead of the result")
	f.StringVar(&t.scan, "scan", "", "list the symbols for which an entry, or the named `SIGNAL`, holds at the last bar, with values, instead of trading")
	f.Lookup("scan").NoOptDefVal = "entry"
	f.StringVar(&t.date, "date", "", "session of --scan, `YYYY-MM-DD`; default: the last one")
}

// wanted reports whether no result is asked for.
func (t *tomorrow) wanted() bool { return t.orders || t.scan != "" }

// check refuses what belongs to results.
func (o *runOptions) checkTomorrow() error {
	switch {
	case o.date != "" && o.scan == "":
		return usagef("--date is the session of --scan, which is missing; the last session of a run is --to")
	case !o.wanted():
		return nil
	case o.orders && o.scan != "":
		return usagef("--orders and --scan are two questions: ask one at a time")
	case o.settings.get("server") != "":
		return usagef("--orders and --scan are answered here, not by a server: leave --server out")
	case o.independent, len(o.failIf) > 0, o.proof, o.save, o.output.out != "":
		return usagef("--orders and --scan give no result: leave --independent, --fail-if, --prove, --save and --out out")
	}
	return checkFormat(o.format, "table", "json")
}

// showTomorrow answers for every file, in argument order.
func (o *runOptions) showTomorrow(ctx context.Context, files []*strategy.File, src source) error {
	session := instrument.None
	if o.date != "" {
		var err error
		if session, err = instrument.ParseDate(o.date); err != nil {
			return usagef("read --date: %w", err)
		}
	}
	var all []any
	for _, file := range files {
		var answer any
		var err error
		if o.orders {
			answer, err = backtest.Pending(ctx, file, src, backtest.Options{})
		} else {
			answer, err = backtest.NewScan(ctx, file, src, o.scan, session)
		}
		if err != nil {
			return o.explain(err)
		}
		all = append(all, answer)
	}
	if o.format == "json" {
		if len(all) == 1 {
			return writeJSON(o.io.Out, all[0])
		}
		return writeJSON(o.io.Out, all)
	}
	for _, answer := range all {
		if err := o.tableOf(answer); err != nil {
			return err
		}
	}
	return nil
}

// tableOf prints an answer for people: rows on Out, what must be known of them on Err.
func (o *runOptions) tableOf(answer any) error {
	switch x := answer.(type) {
	case *backtest.Orders:
		for _, w := range x.Warnings {
			o.warn(w.Code, w.Message)
		}
		header := []string{"symbol", "side", "quantity", "amount", "type", "price", "limit", "trail", "tif", "until", "reason", "decided"}
		pairs := slices.ContainsFunc(x.Orders, func(p backtest.PendingOrder) bool { return p.OCO > 0 })
		several := slices.ContainsFunc(x.Orders, func(p backtest.PendingOrder) bool { return p.Strategy != "" })
		renamed := slices.ContainsFunc(x.Orders, func(p backtest.PendingOrder) bool { return p.Ticker != "" })
		var rows [][]string
		for _, p := range x.Orders {
			row := []string{p.Symbol, p.Side, shown(p.Quantity), shown(p.Amount), p.Type, shown(p.Price), shown(p.Limit), shown(p.Trail), p.TIF, cmp.Or(p.Until, "-"), p.Reason, p.Decided}
			if pairs {
				row = append(row, strconv.Itoa(p.OCO))
			}
			if several {
				row = append(row, p.Strategy)
			}
			if renamed {
				row = append(row, cmp.Or(p.Ticker, p.Symbol))
			}
			rows = append(rows, row)
		}
		if pairs {
			header = append(header, "oco")
		}
		if several {
			header = append(header, "strategy")
		}
		if renamed {
			header = append(header, "trades as")
		}
		fmt.Fprintf(o.io.Err, "%s: %s for %s, decided up to %s; cash %.2f USD, equity %.2f USD\n", x.Strategy, plural(len(rows), "order"), x.Session, x.Decided, x.Cash, x.Equity)
		return o.table(o.io.Out, header, rows, 2, 3, 5, 6, 7)
	case *backtest.Scan:
		for _, w := range x.Warnings {
			o.warn(w.Code, w.Message)
		}
		header, right := append([]string{"symbol", "side"}, x.Columns...), []int{}
		for k := range x.Columns {
			right = append(right, k+2)
		}
		several := slices.ContainsFunc(x.Rows, func(r backtest.ScanRow) bool { return r.Strategy != "" })
		var rows [][]string
		for _, r := range x.Rows {
			row := []string{r.Symbol, cmp.Or(r.Side, "-")}
			for _, v := range r.Values {
				cell := "-"
				if v == v {
					cell = strconv.FormatFloat(v, 'g', 8, 64)
				}
				row = append(row, cell)
			}
			if several {
				row = append(row, r.Strategy)
			}
			rows = append(rows, row)
		}
		if several {
			header = append(header, "strategy")
		}
		of := plural(x.Scanned, "symbol")
		if several {
			of = plural(x.Scanned, "pair") + " of a symbol and a strategy"
		}
		fmt.Fprintf(o.io.Err, "%s: %s holds for %d of %s at %s\n", x.Strategy, x.Condition, len(rows), of, x.Time)
		return o.table(o.io.Out, header, rows, right...)
	}
	return nil
}

// plural is so many things in words: 1 order, 2 orders.
func plural(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return strconv.Itoa(n) + " " + thing
}

// shown is a number that may be absent.
func shown(x *float64) string {
	if x == nil {
		return "-"
	}
	return strconv.FormatFloat(*x, 'g', 12, 64)
}
