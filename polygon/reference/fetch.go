package reference

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
)

// FetchActions replaces splits.json and dividends.json in dir by all the vendor knows. Each file is
// replaced only when its list is complete. It returns the requests made.
func (c *Client) FetchActions(ctx context.Context, dir string) (calls int, err error) {
	n, err := c.replace(ctx, filepath.Join(dir, SplitsFile), query{"/stocks/v1/splits", url.Values{"limit": {"5000"}, "sort": {"execution_date.asc"}}})
	if calls += n; err != nil {
		return calls, err
	}
	n, err = c.replace(ctx, filepath.Join(dir, DividendsFile), query{"/stocks/v1/dividends", url.Values{"limit": {"5000"}, "sort": {"ex_dividend_date.asc"}}})
	return calls + n, err
}

// FetchTickers replaces tickers.json in dir by all US stocks, listed and delisted.
func (c *Client) FetchTickers(ctx context.Context, dir string) (calls int, err error) {
	list := func(active string) query {
		return query{"/v3/reference/tickers", url.Values{"market": {"stocks"}, "active": {active}, "limit": {"1000"}, "sort": {"ticker"}, "order": {"asc"}}}
	}
	return c.replace(ctx, filepath.Join(dir, TickersFile), list("true"), list("false"))
}

// FetchRecentActions replaces what splits.json and dividends.json say of ex-dates from since
// (YYYY-MM-DD) on, which is a few requests instead of some hundred. What the vendor changed about
// earlier ones is had by FetchActions.
func (c *Client) FetchRecentActions(ctx context.Context, dir, since string) (calls int, err error) {
	for _, l := range []struct{ file, path, field string }{
		{SplitsFile, "/stocks/v1/splits", "execution_date"},
		{DividendsFile, "/stocks/v1/dividends", "ex_dividend_date"},
	} {
		path := filepath.Join(dir, l.file)
		var rows []json.RawMessage
		if err := readRows(path, &rows); err != nil {
			return calls, err
		}
		rows = slices.DeleteFunc(rows, func(r json.RawMessage) bool { return dateIn(r, l.field) >= since })
		q := url.Values{"limit": {"5000"}, "sort": {l.field + ".asc"}, l.field + ".gte": {since}}
		n, err := c.list(ctx, l.path, q, func(r json.RawMessage) error {
			rows = append(rows, r)
			return nil
		})
		if calls += n; err != nil {
			return calls, err
		}
		if err := write(path, rows); err != nil {
			return calls, err
		}
	}
	return calls, nil
}

// dateIn a row; a row without one is sorted before all dates, and so kept.
func dateIn(row json.RawMessage, field string) string {
	var fields map[string]json.RawMessage
	var date string
	if json.Unmarshal(row, &fields) != nil || json.Unmarshal(fields[field], &date) != nil {
		return ""
	}
	return date
}

// query is one list of the API.
type query struct {
	path   string
	values url.Values
}

// replace writes the rows of all queries into one file.
func (c *Client) replace(ctx context.Context, path string, queries ...query) (calls int, err error) {
	w, err := create(path)
	if err != nil {
		return 0, err
	}
	for _, q := range queries {
		n, err := c.list(ctx, q.path, q.values, w.add)
		if calls += n; err != nil {
			w.discard()
			return calls, err
		}
	}
	return calls, w.commit()
}

// write replaces a file by rows.
func write(path string, rows []json.RawMessage) error {
	w, err := create(path)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if err := w.add(r); err != nil {
			w.discard()
			return fmt.Errorf("write %s: %w", path, err)
		}
	}
	return w.commit()
}
