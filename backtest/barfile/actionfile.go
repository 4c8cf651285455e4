package barfile

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// SymbolActions is the corporate actions of one symbol.
type SymbolActions struct {
	Symbol string
	instrument.Actions
}

// ReadActions reads splits and dividends from a CSV file. Its columns, in any case and order, others
// ignored:
//
//   - symbol or ticker; without it all rows are of the symbol given;
//   - date, ex_date, ex_dividend_date or execution_date;
//   - split (4:1, 4/1 or 4, new shares for old ones) or stock splits, or split_from and split_to;
//   - dividend, cash_amount, cash or amount: USD a share as paid; or dividends, as Yahoo calls it, USD
//     restated for later splits, which is undone by the splits of the same file;
//   - pay_date; declaration_date or declared, the day on which a dividend was announced.
//
// A row may hold a split, a dividend, both or neither. What the export of actions writes, this reads.
// Symbols come sorted, actions in the form of instrument.Clean. Refused, with the line: no date or
// nothing that is an action in the header, dates that are none, amounts that are no numbers.
func ReadActions(path, symbol string) ([]SymbolActions, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("import actions: %w", err)
	}
	defer f.Close()
	return readActions(f, path, symbol)
}

// actionColumns are where the parts of an action stand in a row; -1 where they do not.
type actionColumns struct {
	symbol, date, ratio, from, to, cash, restated, pay, declared int
}

func findActionColumns(header []string) (actionColumns, error) {
	clean := make([]string, len(header))
	for i, n := range header {
		clean[i] = columnName(strings.TrimPrefix(n, "\xef\xbb\xbf"))
	}
	find := func(names ...string) int {
		for _, n := range names {
			if i := slices.Index(clean, n); i >= 0 {
				return i
			}
		}
		return -1
	}
	c := actionColumns{
		symbol: find("symbol", "ticker"), date: find("date", "ex date", "ex dividend date", "execution date", "ex"),
		ratio: find("split", "stock splits", "stock split", "ratio"), from: find("split from"), to: find("split to"),
		cash: find("dividend", "cash amount", "cash", "amount"), restated: find("dividends"), pay: find("pay date"), declared: find("declaration date", "declared"),
	}
	switch {
	case c.date < 0:
		return c, fmt.Errorf("no date in the header %.80q; want date, ex_date or execution_date", strings.Join(header, ","))
	case c.ratio < 0 && (c.from < 0 || c.to < 0) && c.cash < 0 && c.restated < 0:
		return c, fmt.Errorf("no action in the header %.80q; want split, split_from and split_to, dividend or cash_amount", strings.Join(header, ","))
	case c.cash >= 0 && c.restated >= 0:
		return c, errors.New("columns of dividends both as paid and as restated; leave one of them out")
	}
	return c, nil
}

func readActions(r io.Reader, name, symbol string) ([]SymbolActions, error) {
	rows := csv.NewReader(r)
	rows.ReuseRecord = true
	header, err := rows.Read()
	if err != nil {
		return nil, fmt.Errorf("read %s: no header: %w", name, err)
	}
	cols, err := findActionColumns(header)
	if err != nil {
		return nil, fmt.Errorf("read %s line 1: %w", name, err)
	}
	found := map[string]*instrument.Actions{}
	for {
		row, err := rows.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		line, _ := rows.FieldPos(0)
		who := symbol
		if cols.symbol >= 0 {
			who = strings.Clone(strings.TrimSpace(row[cols.symbol]))
		}
		if err := instrument.CheckTicker(who); err != nil {
			return nil, fmt.Errorf("read %s line %d: %w", name, line, err)
		}
		if found[who] == nil {
			found[who] = &instrument.Actions{}
		}
		if err := cols.read(row, found[who]); err != nil {
			return nil, fmt.Errorf("read %s line %d: %w", name, line, err)
		}
	}
	var out []SymbolActions
	for _, who := range slices.Sorted(maps.Keys(found)) {
		a := instrument.Clean(*found[who])
		if cols.restated >= 0 {
			a = AsPaid(a)
		}
		out = append(out, SymbolActions{who, a})
	}
	return out, nil
}

// read one row into a.
func (c actionColumns) read(row []string, a *instrument.Actions) error {
	cell := func(i int) string {
		if i < 0 || isBlank([]byte(row[i])) {
			return ""
		}
		return strings.TrimSpace(row[i])
	}
	ex, err := dayOf(cell(c.date))
	if err != nil {
		return err
	}
	if text := cell(c.ratio); text != "" {
		from, to, err := splitRatio(text)
		if err != nil {
			return err
		}
		if to > 0 {
			a.Splits = append(a.Splits, instrument.Split{Ex: ex, From: from, To: to})
		}
	}
	if from, to := cell(c.from), cell(c.to); from != "" || to != "" {
		x, ok1 := bar.ParseNumber([]byte(from))
		y, ok2 := bar.ParseNumber([]byte(to))
		if !ok1 || !ok2 || !(x > 0) || !(y > 0) {
			return fmt.Errorf("a split from %q to %q shares; want two numbers above 0", from, to)
		}
		a.Splits = append(a.Splits, instrument.Split{Ex: ex, From: x, To: y})
	}
	text := cmp.Or(cell(c.cash), cell(c.restated))
	if text == "" {
		return nil
	}
	cash, ok := bar.ParseNumber([]byte(text))
	if !ok || cash < 0 {
		return fmt.Errorf("the dividend is %q, which is no amount", text)
	}
	pay := instrument.None
	if p := cell(c.pay); p != "" {
		if pay, err = dayOf(p); err != nil {
			return err
		}
	}
	var declared instrument.Date
	if p := cell(c.declared); p != "" {
		if declared, err = dayOf(p); err != nil {
			return err
		}
	}
	if cash > 0 {
		a.Dividends = append(a.Dividends, instrument.Dividend{Ex: ex, Pay: pay, Cash: cash, Declared: declared})
	}
	return nil
}

// dayOf reads a date, also where a time of day and a zone follow: the date as written counts.
func dayOf(s string) (instrument.Date, error) {
	var x stamps
	b := []byte(s)
	if len(b) > 10 {
		b = b[:10]
	}
	d, ok := x.dateOf(bytes.TrimSpace(b))
	if !ok {
		return instrument.None, fmt.Errorf("%q is not a date: want YYYY-MM-DD", s)
	}
	return d, nil
}
