package reference

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"backtester/backtest/instrument"
)

// Types by date. The list of tickers says what a security is today; who asks for the common stocks of
// 2012 must not be told by that. So lists of past dates are kept, each in a file of its own that is
// never asked for again, and every list of today becomes one of them, at most one a month.

const typesApart = 28 // days between two lists of today that are kept

// FetchTypes asks for the lists of dates that dir does not have yet, the latest first, and returns the
// requests made, about a dozen a date. Interrupted, it goes on where it was.
func (c *Client) FetchTypes(ctx context.Context, dir string, dates []instrument.Date) (calls int, err error) {
	for _, d := range slices.Backward(LackingTypes(dir, dates)) {
		var rows []json.RawMessage
		n, err := c.list(ctx, "/v3/reference/tickers", url.Values{"market": {"stocks"}, "date": {d.String()}, "active": {"true"},
			"limit": {"1000"}, "sort": {"ticker"}, "order": {"asc"}}, func(r json.RawMessage) error {
			var row TypeRow
			if err := json.Unmarshal(r, &row); err != nil {
				return fmt.Errorf("read the tickers of %s: %w: %.60q", d, ErrAnswer, r)
			}
			short, err := json.Marshal(row)
			rows = append(rows, short)
			return err
		})
		if calls += n; err != nil {
			return calls, err
		}
		if err := write(typesPath(dir, d), rows); err != nil {
			return calls, err
		}
	}
	return calls, nil
}

// LackingTypes are those of dates of which dir has no list.
func LackingTypes(dir string, dates []instrument.Date) []instrument.Date {
	return slices.DeleteFunc(slices.Clone(dates), func(d instrument.Date) bool {
		_, err := os.Stat(typesPath(dir, d))
		return err == nil
	})
}

// KeepTypes keeps the list of tickers that was had today as that of its date.
func KeepTypes(dir string, today instrument.Date) error {
	had, err := typeDates(filepath.Join(dir, TypesFolder))
	if err != nil || len(had) > 0 && today-had[len(had)-1] < typesApart {
		return err
	}
	var tickers []TickerRow
	if err := readRows(filepath.Join(dir, TickersFile), &tickers); err != nil {
		return err
	}
	var rows []json.RawMessage
	for _, t := range tickers {
		if !t.Active {
			continue
		}
		row, err := json.Marshal(TypeRow{Ticker: t.Ticker, Type: t.Type, ShareFIGI: t.ShareFIGI})
		if err != nil {
			return fmt.Errorf("write the tickers of %s: %w", today, err)
		}
		rows = append(rows, row)
	}
	return write(typesPath(dir, today), rows)
}

func typesPath(dir string, d instrument.Date) string {
	return filepath.Join(dir, TypesFolder, d.String()+".json")
}

// typeDates are the dates of which there are lists, oldest first.
func typeDates(folder string) ([]instrument.Date, error) {
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read reference data: %w", err)
	}
	var dates []instrument.Date
	for _, e := range entries { // sorted by name
		name, ok := strings.CutSuffix(e.Name(), ".json")
		if d, err := instrument.ParseDate(name); ok && err == nil {
			dates = append(dates, d)
		}
	}
	return dates, nil
}

// readTypes reads all lists. A row that is the same as in the list before says nothing new of a security
// that has a FIGI, and is left out; without one it may be about the next company of that ticker.
func readTypes(folder string, rows *[]TypeRow) error {
	dates, err := typeDates(folder)
	if err != nil {
		return err
	}
	var before map[TypeRow]bool
	for _, d := range dates {
		var list []TypeRow
		if err := readRows(filepath.Join(folder, d.String()+".json"), &list); err != nil {
			return err
		}
		now := make(map[TypeRow]bool, len(list))
		for _, r := range list {
			if now[r] = true; r.ShareFIGI == "" || !before[r] {
				x := r
				x.Date = d
				*rows = append(*rows, x)
			}
		}
		before = now
	}
	return nil
}
