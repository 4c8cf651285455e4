package server

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/job"
)

// stamp is the time of a bar as text: a date, or within the day an instant.
func stamp(ms int64, f bar.Frame) string {
	t := time.UnixMilli(ms).UTC()
	if f.Intraday() {
		return t.Format(time.RFC3339)
	}
	return t.Format(time.DateOnly)
}

// noBars tells a symbol that the data does not know in any length of bars, which is not there, from one of
// which only these bars are missing, which can be fetched.
func noBars(ctx context.Context, d *job.Data, r bar.Request, err error) error {
	if !errors.Is(err, bar.ErrNoData) {
		return err
	}
	missing := backtest.Missing{Symbol: r.Symbol, Reason: "no bars in the range asked for"}
	known := false
	for _, f := range []bar.Frame{r.Frame, bar.Daily, bar.Minutely} {
		held, e := d.Source.Coverage(ctx, f)
		if e != nil {
			return e
		}
		for _, c := range held {
			if c.Instrument.Ticker != r.Symbol || c.Bars == 0 {
				continue
			}
			known = true
			if f == r.Frame {
				missing.Have = c.First.String() + ".." + c.Last.String()
			}
		}
	}
	if !known {
		return problem("not-found", "the data has no symbol "+r.Symbol)
	}
	if missing.Have == "" {
		missing.Reason = "no " + r.Frame.String() + " bars at all"
	}
	gap := &backtest.NoDataError{Source: d.Name(), Frame: r.Frame.String(), From: r.From.String(), Rows: []backtest.Missing{missing}, Err: err}
	if r.To != instrument.Forever {
		gap.To = r.To.String()
	}
	return gap
}

// runRange is which bars a run stood on.
func runRange(x *storedResult) (f bar.Frame, first, last instrument.Date) {
	var config struct {
		Data struct {
			Bars bar.Frame `json:"bars"`
		} `json:"data"`
	}
	var data struct{ From, To instrument.Date }
	f, first, last = bar.Daily, instrument.None, instrument.Forever
	if json.Unmarshal(x.Config, &config) == nil {
		f = config.Data.Bars
	}
	if json.Unmarshal(x.Data, &data) == nil {
		first, last = data.From, data.To
	}
	return f, first, last
}
