package report

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"backtester/backtest"
	"backtester/backtest/instrument"
	"backtester/backtest/stats"
)

// The CSV files have one header line, a comma, and quotes where RFC 4180 needs them. Numbers are
// plain (fractions, not percent; shortest form that reads back exactly), undefined ones are empty.

// plain protects a text cell from being run as a formula by a spreadsheet: text that begins with one
// of = + - @, a tab or a line break gets an apostrophe before it.
func plain(s string) string {
	if s == "" {
		return s
	}
	switch s[0] {
	case '=', '+', '-', '@', '\t', '\r', '\n':
		return "'" + clean(s)
	}
	if c := clean(s); c != s {
		return plain(c)
	}
	return s
}

// exact writes very small and very large numbers with an exponent, as JSON does: a probability of
// 1e-278 would take 280 digits.
func exact(x float64) string {
	form := byte('f')
	if a := math.Abs(x); a != 0 && (a < 1e-6 || a >= 1e21) {
		form = 'e'
	}
	return strconv.FormatFloat(x, form, -1, 64)
}

// csvFile is a CSV file being written; the first fault stays.
type csvFile struct {
	w    *csv.Writer
	what string
	err  error
}

func newCSV(w io.Writer, what string, header ...string) *csvFile {
	f := &csvFile{w: csv.NewWriter(w), what: what}
	f.row(header...)
	return f
}

func (f *csvFile) row(cells ...string) {
	if f.err == nil {
		f.err = f.w.Write(cells)
	}
}

func (f *csvFile) close() error {
	f.w.Flush()
	if f.err == nil {
		f.err = f.w.Error()
	}
	if f.err != nil {
		return fmt.Errorf("write %s as CSV: %w", f.what, f.err)
	}
	return nil
}

// MetricsCSV writes one row a result: strategy, symbols (blank-separated), from, to, fingerprint,
// then every metric of the table in its order.
func MetricsCSV(w io.Writer, rs []*backtest.Result) error {
	f := newCSV(w, "metrics", append([]string{"strategy", "symbols", "from", "to", "fingerprint"}, stats.Keys()...)...)
	for _, r := range rs {
		symbols := ""
		for i, s := range r.Data.Symbols {
			if i > 0 {
				symbols += " "
			}
			symbols += clean(s)
		}
		row := []string{plain(r.Strategy), plain(symbols), r.Data.From, r.Data.To, plain(r.Fingerprint)}
		for _, m := range stats.Table() {
			row = append(row, metricCell(r, m))
		}
		f.row(row...)
	}
	return f.close()
}

func metricCell(r *backtest.Result, m stats.Metric) string {
	x, ok := r.Metrics.Get(m.Key)
	switch {
	case !ok:
		return ""
	case m.Unit == stats.CivilDate:
		return instrument.Date(x).String()
	}
	return exact(x)
}

// TradesCSV writes one row a round trip of every result; of several strategies in one account each has its own.
// Where some entry has a tag, a last column has the tags.
func TradesCSV(w io.Writer, rs []*backtest.Result) error {
	head := []string{"strategy", "symbol", "side", "quantity", "entry_time", "entry_price", "exit_time", "exit_price",
		"pnl", "return", "commission", "dividends", "bars", "mae", "mfe", "exit_reason", "open", "in_lieu", "borrow"}
	tags := slices.ContainsFunc(rs, func(r *backtest.Result) bool { return tagged(r.Trades) })
	if tags {
		head = append(head, "tag")
	}
	f := newCSV(w, "trades", head...)
	for _, r := range rs {
		for _, t := range r.Trades {
			row := []string{plain(cmp.Or(t.Strategy, r.Strategy)), plain(t.Symbol), t.Side, exact(t.Quantity), t.EntryTime, exact(t.EntryPrice), t.ExitTime, exact(t.ExitPrice),
				exact(t.PnL), exact(t.Return), exact(t.Commission), exact(t.Dividends), strconv.Itoa(t.Bars), exact(t.MAE), exact(t.MFE),
				plain(t.ExitReason), strconv.FormatBool(t.Open), exact(t.InLieu), exact(t.Borrow)}
			if tags {
				row = append(row, plain(t.Tag))
			}
			f.row(row...)
		}
	}
	return f.close()
}

// tagged reports whether some entry has a tag.
func tagged(trades []backtest.Trade) bool {
	return slices.ContainsFunc(trades, func(t backtest.Trade) bool { return t.Tag != "" })
}

// FillsCSV writes one row an execution of every result.
func FillsCSV(w io.Writer, rs []*backtest.Result) error {
	f := newCSV(w, "fills", "strategy", "time", "decided", "symbol", "side", "quantity", "reference", "price", "commission", "slippage", "rule", "reason")
	for _, r := range rs {
		for _, x := range r.Fills {
			f.row(plain(cmp.Or(x.Strategy, r.Strategy)), x.Time, x.Decided, plain(x.Symbol), x.Side, exact(x.Quantity), exact(x.Reference), exact(x.Price),
				exact(x.Commission), exact(x.Slippage), plain(x.Rule), plain(x.Reason))
		}
	}
	return f.close()
}

// EquityCSV writes one row a bar close of every result: equity, drawdown from the highest equity
// before, and the benchmark where it has a value at that very time.
func EquityCSV(w io.Writer, rs []*backtest.Result) error {
	f := newCSV(w, "equity", "strategy", "time", "equity", "drawdown", "benchmark")
	for _, r := range rs {
		dd := stats.Drawdown(nil, r.Equity.Value)
		k := 0
		for i, v := range r.Equity.Value {
			bench := ""
			if b := r.Benchmark; b != nil {
				for k < len(b.Value) && b.Time.Nanos[k] < r.Equity.Time.Nanos[i] {
					k++
				}
				if k < len(b.Value) && b.Time.Nanos[k] == r.Equity.Time.Nanos[i] {
					bench = exact(b.Value[k])
				}
			}
			f.row(plain(r.Strategy), r.Equity.Time.At(i), exact(v), exact(dd[i]), bench)
		}
	}
	return f.close()
}
