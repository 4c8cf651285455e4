package reference

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
)

// BarRow is a bar as /v2/aggs gives it, not adjusted for anything.
type BarRow struct {
	Ticker       string  `json:"T"` // of grouped days only
	Start        int64   `json:"t"` // ms UTC: where the bar starts; of grouped days where it ends
	Open         float64 `json:"o"`
	High         float64 `json:"h"`
	Low          float64 `json:"l"`
	Close        float64 `json:"c"`
	Volume       float64 `json:"v"`
	Transactions *int64  `json:"n"` // nil when the vendor does not say
}

// Grouped calls row for the day bar of every US stock that traded on a date (YYYY-MM-DD): for none when
// it was no session, or is not published yet. Without stocks traded over the counter, as in flat files.
func (c *Client) Grouped(ctx context.Context, date string, row func(BarRow) error) (calls int, err error) {
	return c.bars(ctx, "/v2/aggs/grouped/locale/us/market/stocks/"+date, url.Values{"adjusted": {"false"}}, row)
}

// Span names bars of one ticker.
type Span struct {
	Ticker   string
	Unit     string // day or minute
	From, To string // YYYY-MM-DD, both inclusive
}

// Aggregates calls row for every bar of a span, the oldest first; extended hours are included.
func (c *Client) Aggregates(ctx context.Context, s Span, row func(BarRow) error) (calls int, err error) {
	path := fmt.Sprintf("/v2/aggs/ticker/%s/range/1/%s/%s/%s", url.PathEscape(s.Ticker), s.Unit, s.From, s.To)
	return c.bars(ctx, path, url.Values{"adjusted": {"false"}, "sort": {"asc"}, "limit": {"50000"}}, row)
}

func (c *Client) bars(ctx context.Context, path string, q url.Values, row func(BarRow) error) (int, error) {
	return c.list(ctx, path, q, func(raw json.RawMessage) error {
		var b BarRow
		if err := json.Unmarshal(raw, &b); err != nil {
			return fmt.Errorf("get %s: %w: a bar reads %.80q", path, ErrAnswer, raw)
		}
		return row(b)
	})
}
