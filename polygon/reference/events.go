package reference

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
)

// eventsChunk is how many answers are fetched between two writes of events.json, so that an
// interruption costs little.
const eventsChunk = 200

// FetchEvents adds the ticker changes of listed securities to events.json in dir, one request each,
// for all that the file does not have yet, or had under another ticker: tickers.json says which there are. Only securities whose
// composite FIGI is known can be asked for. With few requests a minute this takes long; it can be
// interrupted and goes on where it was.
func (c *Client) FetchEvents(ctx context.Context, dir string) (calls int, err error) {
	data, err := Read(dir)
	if err != nil {
		return 0, err
	}
	have, ticker := map[string]bool{}, map[string]string{}
	for _, t := range data.Tickers {
		ticker[t.CompositeFIGI] = t.Ticker
	}
	rows := make([]json.RawMessage, 0, len(data.Events))
	for _, e := range data.Events {
		if t := ticker[e.CompositeFIGI]; t != "" && e.AskedAs != "" && e.AskedAs != t {
			continue // it was renamed since
		}
		raw, err := json.Marshal(e)
		if err != nil {
			return 0, err
		}
		rows = append(rows, raw)
		have[e.CompositeFIGI] = true
	}
	fresh := 0
	flush := func() error {
		if fresh == 0 {
			return nil
		}
		fresh = 0
		return write(filepath.Join(dir, EventsFile), rows)
	}
	for _, t := range data.Tickers {
		if t.CompositeFIGI == "" || have[t.CompositeFIGI] {
			continue
		}
		have[t.CompositeFIGI] = true
		raw, err := c.events(ctx, t.CompositeFIGI, ticker[t.CompositeFIGI])
		if calls++; err != nil {
			return calls, errors.Join(err, flush())
		}
		rows = append(rows, raw)
		if fresh++; fresh == eventsChunk {
			if err := flush(); err != nil {
				return calls, err
			}
		}
	}
	return calls, flush()
}

// events of one security; one without any, or not known, has an empty list.
func (c *Client) events(ctx context.Context, figi, ticker string) (json.RawMessage, error) {
	row := EventsRow{CompositeFIGI: figi, Events: []Event{}, AskedAs: ticker}
	u := c.base.JoinPath("/vX/reference/tickers", url.PathEscape(figi), "events")
	u.RawQuery = "types=ticker_change"
	body, err := c.get(ctx, u)
	if err != nil && !errors.Is(err, errAbsent) {
		return nil, err
	}
	if err == nil {
		var answer struct {
			Results EventsRow `json:"results"`
		}
		if err := json.Unmarshal(body, &answer); err != nil {
			return nil, fmt.Errorf("get %s: %w: it begins with %.60q", u.Path, ErrAnswer, body)
		}
		row.Name = answer.Results.Name
		row.Events = append(row.Events, answer.Results.Events...)
	}
	return json.Marshal(row)
}
