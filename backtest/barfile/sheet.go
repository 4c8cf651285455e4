package barfile

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// Roles of columns that only imports have. They lie beyond those of a table.
const (
	symbolColumn role = nRoles + 1 + iota
	clockColumn
	dividendColumn
	splitColumn
)

// sheet is a file of many symbols being read.
type sheet struct {
	name     string
	options  ImportOptions
	line     int
	roles    []role // nil before the header
	plain    []role // the same for tables, which do not know the roles above
	has      [nRoles]bool
	ignored  []string
	restated Prices // of the layout
	stooq    bool
	known    bool // has columns of actions
	tables   map[string]*symbolTable
	fields   [][]byte
	stamp    []byte
}

// symbolTable is the rows of one symbol, and actions found in them.
type symbolTable struct {
	table
	actions instrument.Actions
}

// text reads a CSV file.
func (s *sheet) text(head *bufio.Reader) error {
	var r io.Reader = head
	if err := sniff(head, s.name); err != nil {
		return err
	}
	if magic, _ := head.Peek(2); string(magic) == "\x1f\x8b" {
		z, err := gzip.NewReader(head)
		if err != nil {
			return broken(s.name, 0, err)
		}
		defer z.Close()
		r = z
	}
	chunks, stop := lines(r)
	defer stop()
	for c := range chunks {
		if c.err != nil {
			return broken(s.name, s.line, c.err)
		}
		if err := s.add(c.b); err != nil {
			return fmt.Errorf("read %s line %d: %w", s.name, s.line, err)
		}
		c.free <- c.b[:0]
	}
	if s.roles == nil {
		return fmt.Errorf("read %s: the file is empty; want a header such as date,open,high,low,close,volume", s.name)
	}
	return nil
}

func (s *sheet) add(b []byte) error {
	for len(b) > 0 {
		row, rest, _ := bytes.Cut(b, []byte("\n"))
		b = rest
		s.line++
		row = bytes.TrimSuffix(row, []byte("\r"))
		if len(row) == 0 {
			continue
		}
		var err error
		if s.fields, err = split(s.fields[:0], row); err != nil {
			return err
		}
		if s.roles == nil {
			names := make([]string, len(s.fields))
			for i, f := range s.fields {
				names[i] = string(bytes.TrimPrefix(f, []byte("\xef\xbb\xbf")))
			}
			err = s.header(names)
		} else {
			err = s.row(s.fields)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// columnName is a header as it is compared: lower case, without the brackets of Stooq, blanks for
// underscores.
func columnName(s string) string {
	s = strings.Trim(strings.ToLower(strings.TrimSpace(s)), "<>")
	return strings.ReplaceAll(s, "_", " ")
}

// header finds out what each column is, and from that whose layout it is.
func (s *sheet) header(names []string) error {
	clean := make([]string, len(names))
	for i, n := range names {
		clean[i] = columnName(n)
		s.stooq = s.stooq || strings.TrimSpace(strings.ToLower(n)) == "<ticker>"
	}
	wanted := columnName(s.options.SymbolColumn)
	if wanted == "" {
		for _, n := range []string{"symbol", "ticker", "name"} {
			if wanted == "" && slices.Contains(clean, n) {
				wanted = n
			}
		}
	} else if !slices.Contains(clean, wanted) {
		return fmt.Errorf("no column %q for the symbols in the header %q", s.options.SymbolColumn, strings.Join(names, ","))
	}
	s.restated = PricesRaw
	s.roles, s.plain = make([]role, len(names)), make([]role, len(names))
	taken := map[role]string{}
	for i, n := range clean {
		r := s.roleIn(n, wanted, slices.Contains(clean, "date"))
		if r == ignored {
			s.ignored = append(s.ignored, n)
			continue
		}
		if first, twice := taken[r]; twice {
			return fmt.Errorf("columns %q and %q say the same; leave one of them out", first, names[i])
		}
		taken[r], s.roles[i] = names[i], r
		if r <= nRoles {
			s.plain[i], s.has[r] = r, true
		}
	}
	return s.complete(names)
}

// roleIn is the role of a column by its name.
func (s *sheet) roleIn(name, symbols string, dated bool) role {
	switch name {
	case symbols:
		return symbolColumn
	case "time":
		if dated {
			return clockColumn
		}
	case "vol":
		return volume
	case "adj close", "adjclose", "adjusted close":
		if s.restated == PricesRaw {
			s.restated = PricesSplit
		}
		return ignored
	case "dividends":
		return dividendColumn
	case "stock splits":
		return splitColumn
	}
	return roleOf(name)
}

// complete refuses headers without a date or prices, and settles the layout.
func (s *sheet) complete(names []string) error {
	var missing []string
	for r := stamp; r <= closing; r++ {
		if !s.has[r] {
			missing = append(missing, roleName(r))
		}
	}
	if len(missing) > 0 {
		return headless([]byte(strings.Join(names, ",")), strings.Join(missing, ", "), "date,open,high,low,close and perhaps volume and symbol")
	}
	s.known = slices.Contains(s.roles, splitColumn)
	if s.stooq || s.known && s.restated == PricesRaw {
		s.restated = PricesTotal // yfinance without Adj Close has adjusted everything
	}
	if s.options.Prices != "" {
		s.restated = s.options.Prices
	}
	return nil
}

// of gives the table of a symbol.
func (s *sheet) of(symbol string) (*symbolTable, error) {
	if t := s.tables[symbol]; t != nil {
		return t, nil
	}
	if err := instrument.CheckTicker(symbol); err != nil {
		return nil, err
	}
	t := &symbolTable{table: table{name: s.name, roles: s.plain, has: s.has, ignored: s.ignored, anyOrder: true, stated: s.options.Frame, stamps: stamps{cal: s.options.Calendar}}}
	s.tables[symbol] = t
	return t, nil
}

func (s *sheet) row(fields [][]byte) error {
	if len(fields) != len(s.roles) {
		return fmt.Errorf("%d fields, but the header has %d", len(fields), len(s.roles))
	}
	symbol := s.options.Symbol
	var clock, dividend, ratio []byte
	when := -1
	for i, r := range s.roles {
		f := fields[i]
		switch r {
		case symbolColumn:
			symbol = string(bytes.TrimSpace(f))
			if s.stooq {
				symbol = stooqSymbol(symbol)
			}
		case clockColumn:
			clock = f
		case dividendColumn:
			dividend = f
		case splitColumn:
			ratio = f
		case stamp:
			when = i
		}
	}
	t, err := s.of(symbol)
	if err != nil {
		return err
	}
	if clock != nil {
		fields[when] = s.joined(fields[when], clock)
	}
	t.line = s.line
	n := len(t.time)
	if err := t.row(fields); err != nil {
		return err
	}
	if len(t.time) == n {
		return nil
	}
	return t.action(dividend, ratio)
}

// joined makes one time of Stooq's two columns, 20240102 and 093000. Midnight is no time of day.
func (s *sheet) joined(date, clock []byte) []byte {
	clock = bytes.TrimSpace(clock)
	if len(clock) == 0 || len(bytes.Trim(clock, "0:")) == 0 {
		return date
	}
	s.stamp = append(s.stamp[:0], date...)
	if len(s.stamp) == 8 {
		s.stamp = slices.Concat(s.stamp[:4], []byte("-"), s.stamp[4:6], []byte("-"), s.stamp[6:])
	}
	s.stamp = append(s.stamp, ' ')
	if len(clock) == 6 && bytes.IndexByte(clock, ':') < 0 {
		return append(s.stamp, clock[0], clock[1], ':', clock[2], clock[3], ':', clock[4], clock[5])
	}
	return append(s.stamp, clock...)
}

// action takes what the columns of actions say in the row read last.
func (t *symbolTable) action(dividend, ratio []byte) error {
	last := len(t.time) - 1
	ex := instrument.DateOfNanos(t.time[last])
	if !t.stamps.dateOnly {
		ex = t.stamps.civil[last]
	}
	if dividend != nil && !isBlank(dividend) {
		cash, ok := bar.ParseNumber(bytes.TrimSpace(dividend))
		if !ok || cash < 0 {
			return fmt.Errorf("the dividend is %q, which is no amount", dividend)
		}
		if cash > 0 {
			t.actions.Dividends = append(t.actions.Dividends, instrument.Dividend{Ex: ex, Pay: instrument.None, Cash: cash})
		}
	}
	if ratio == nil || isBlank(ratio) {
		return nil
	}
	from, to, err := splitRatio(string(bytes.TrimSpace(ratio)))
	if err == nil && to > 0 && from != to {
		t.actions.Splits = append(t.actions.Splits, instrument.Split{Ex: ex, From: from, To: to})
	}
	return err
}

// splitRatio reads 4:1, 4/1, "4 for 1" and 4.0, new shares for old ones. 0 means none.
func splitRatio(s string) (from, to float64, err error) {
	a, b, pair := s, "1", false
	for _, sep := range []string{":", "/", " for "} {
		if x, y, ok := strings.Cut(s, sep); ok && !pair {
			a, b, pair = strings.TrimSpace(x), strings.TrimSpace(y), true
		}
	}
	to, ok1 := bar.ParseNumber([]byte(a))
	from, ok2 := bar.ParseNumber([]byte(b))
	if !ok1 || !ok2 || to < 0 || !(from > 0) || pair && to == 0 {
		return 0, 0, fmt.Errorf("the split is %q; want new shares for old ones, such as 4:1 or 4", s)
	}
	return from, to, nil
}
