package reference

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"backtester/backtest/instrument"
)

// FetchHolidays adds the coming holidays to holidays.json in dir. The vendor tells the future only, so
// dates that have passed are kept; what it says about a date replaces what it said before.
func (c *Client) FetchHolidays(ctx context.Context, dir, today string) (calls int, err error) {
	data, err := Read(dir)
	if err != nil {
		return 0, err
	}
	u := c.base.JoinPath("/v1/marketstatus/upcoming")
	body, err := c.get(ctx, u)
	if err != nil {
		return 1, err
	}
	var fresh []HolidayRow
	if err := json.Unmarshal(body, &fresh); err != nil {
		return 1, fmt.Errorf("get %s: %w: it begins with %.60q", u.Path, ErrAnswer, body)
	}
	all := slices.DeleteFunc(data.Holidays, func(h HolidayRow) bool { return h.Date >= today })
	all = append(all, fresh...)
	slices.SortStableFunc(all, func(a, b HolidayRow) int { return strings.Compare(a.Date, b.Date) })
	return 1, writeHolidays(filepath.Join(dir, HolidaysFile), all)
}

// SetClosures writes down on which days between first and last, both included, the exchange was closed
// although the calendar does not know it: the vendor has no file of them. What was written before of
// other days stays, so that a file that came late takes its closure back.
func SetClosures(dir string, first, last instrument.Date, closed []instrument.Date) error {
	path := filepath.Join(dir, ClosuresFile)
	var had []HolidayRow
	if err := readRows(path, &had); err != nil {
		return err
	}
	all := slices.DeleteFunc(slices.Clone(had), func(h HolidayRow) bool { return h.Date >= first.String() && h.Date <= last.String() })
	for _, d := range closed {
		all = append(all, HolidayRow{Date: d.String(), Exchange: "NYSE", Name: "no file from the vendor", Status: "closed"})
	}
	slices.SortStableFunc(all, func(a, b HolidayRow) int { return strings.Compare(a.Date, b.Date) })
	if slices.Equal(all, had) {
		return nil
	}
	return writeHolidays(path, all)
}

// writeHolidays replaces a file of holidays.
func writeHolidays(path string, all []HolidayRow) error {
	rows := make([]json.RawMessage, 0, len(all))
	for _, h := range all {
		raw, err := json.Marshal(h)
		if err != nil {
			return err
		}
		rows = append(rows, raw)
	}
	return write(path, rows)
}
