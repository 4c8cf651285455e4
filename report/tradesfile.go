package report

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"backtester/backtest"
	"backtester/backtest/instrument"
)

// ReadTradesCSV reads round trips: what TradesCSV writes, or any CSV with a header that names
// entry_time and exit_time (YYYY-MM-DD or RFC 3339), and either pnl, or quantity with entry_price and
// exit_price. symbol, side (long or short; long when there is none), return, commission, dividends,
// in_lieu, borrow, bars, mae, mfe, exit_reason and open are taken where they are; other columns are ignored. Columns
// come in any case and order, trades in the order of their exits. name is for messages. It refuses
// what is not a number or a date, and exits before entries, with the line.
func ReadTradesCSV(r io.Reader, name string) ([]backtest.Trade, error) {
	in := csv.NewReader(r)
	in.FieldsPerRecord = -1
	in.TrimLeadingSpace = true
	head, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("read trades %s: no header line: want entry_time,exit_time,pnl: %w", name, err)
	}
	f := tradeFile{at: map[string]int{}}
	for i, h := range head {
		f.at[strings.ToLower(strings.TrimSpace(strings.TrimPrefix(h, "\uFEFF")))] = i
	}
	if err := f.complete(); err != nil {
		return nil, fmt.Errorf("read trades %s line 1: columns are %q: %w", name, head, err)
	}
	trades := []backtest.Trade{}
	for {
		f.row, err = in.Read()
		if errors.Is(err, io.EOF) {
			return trades, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read trades %s: %w", name, err) // names its line
		}
		t, err := f.trade()
		if err == nil && len(trades) > 0 && t.ExitTime[:10] < trades[len(trades)-1].ExitTime[:10] && !t.Open {
			err = fmt.Errorf("exit %s comes before the one above, %s: sort the file by exit_time", t.ExitTime, trades[len(trades)-1].ExitTime)
		}
		if err != nil {
			line, _ := in.FieldPos(0)
			return nil, fmt.Errorf("read trades %s line %d: %w", name, line, err)
		}
		trades = append(trades, t)
	}
}

// tradeFile is a row being read.
type tradeFile struct {
	at  map[string]int // column by name
	row []string
	err error // the first fault of the row
}

func (f *tradeFile) has(name string) bool { _, ok := f.at[name]; return ok }

func (f *tradeFile) complete() error {
	for _, c := range []string{"entry_time", "exit_time"} {
		if !f.has(c) {
			return fmt.Errorf("there is no %s", c)
		}
	}
	if !f.has("pnl") && !(f.has("quantity") && f.has("entry_price") && f.has("exit_price")) {
		return errors.New("there is neither pnl nor quantity, entry_price and exit_price")
	}
	return nil
}

// text of a column, "" where the row or the file has none. The apostrophe that TradesCSV puts before
// what a spreadsheet would run is taken off again.
func (f *tradeFile) text(name string) string {
	i, ok := f.at[name]
	if !ok || i >= len(f.row) {
		return ""
	}
	s := strings.TrimSpace(f.row[i])
	if len(s) > 1 && s[0] == '\'' && strings.ContainsRune("=+-@", rune(s[1])) {
		return s[1:]
	}
	return s
}

func (f *tradeFile) number(name string) float64 {
	s := f.text(name)
	if s == "" {
		return math.NaN()
	}
	v, err := strconv.ParseFloat(s, 64)
	if (err != nil || math.IsNaN(v) || math.IsInf(v, 0)) && f.err == nil {
		f.err = fmt.Errorf("%s %q is not a number", name, s)
	}
	return v
}

// optional is a number, 0 where there is none.
func (f *tradeFile) optional(name string) float64 {
	if f.text(name) == "" {
		return 0
	}
	return f.number(name)
}

func (f *tradeFile) day(name string) string {
	s := f.text(name)
	if _, err := instrument.ParseDate(s[:min(10, len(s))]); err != nil && f.err == nil {
		f.err = fmt.Errorf("%s: %w", name, err)
	}
	return s
}

func (f *tradeFile) trade() (backtest.Trade, error) {
	f.err = nil
	t := backtest.Trade{Symbol: f.text("symbol"), Side: strings.ToLower(f.text("side")), EntryTime: f.day("entry_time"), ExitTime: f.day("exit_time"),
		Quantity: f.optional("quantity"), EntryPrice: f.optional("entry_price"), ExitPrice: f.optional("exit_price"), Commission: f.optional("commission"),
		Dividends: f.optional("dividends"), InLieu: f.optional("in_lieu"), Borrow: f.optional("borrow"), Bars: int(f.optional("bars")), MAE: f.optional("mae"), MFE: f.optional("mfe"), ExitReason: f.text("exit_reason"), Tag: f.text("tag")}
	switch open := strings.ToLower(f.text("open")); open {
	case "", "false", "0":
	case "true", "1":
		t.Open = true
	default:
		return t, fmt.Errorf("open is %q, want true or false", open)
	}
	switch t.Side {
	case "":
		t.Side = "long"
	case "long", "short":
	default:
		return t, fmt.Errorf("side is %q, want long or short", t.Side)
	}
	if t.PnL = f.number("pnl"); f.text("pnl") == "" {
		sign := 1.0
		if t.Side == "short" {
			sign = -1
		}
		t.PnL = sign*t.Quantity*(t.ExitPrice-t.EntryPrice) - t.Commission + t.Dividends + t.InLieu
	}
	if t.Return = f.number("return"); f.text("return") == "" {
		t.Return = 0
		if v := t.Quantity * t.EntryPrice; v > 0 {
			t.Return = t.PnL / v
		}
	}
	if f.err == nil && t.ExitTime[:10] < t.EntryTime[:10] {
		f.err = fmt.Errorf("exit %s lies before entry %s", t.ExitTime, t.EntryTime)
	}
	return t, f.err
}
