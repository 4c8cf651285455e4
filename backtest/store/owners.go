package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

var _ bar.Reuser = (*Store)(nil)

// Owners of a ticker, see bar.Reuser. Bars from before the first owner that reference data knows are
// somebody's too: nobody knows whose, but not that owner's.
func (s *Store) Owners(ctx context.Context, ticker string, frame bar.Frame) ([]bar.Owner, error) {
	dates := s.ref.owners(ticker)
	if len(dates) < 2 {
		return nil, nil
	}
	dataset := s.base(frame)
	if len(dates) == 2 && dates[0] < s.ref.firstSpan(ticker).from { // one span and what may lie before it
		ps, err := s.pieces(dataset, []instrument.Span{{Ticker: ticker, From: instrument.None, To: dates[0]}})
		if err != nil || len(ps) == 0 {
			return nil, err
		}
	}
	var out []bar.Owner
	for _, asOf := range dates {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		rec, err := s.resolve(ticker, asOf)
		if errors.Is(err, bar.ErrNoData) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("find the owners of %s: %w", ticker, err)
		}
		in := &rec.Instrument
		k := slices.IndexFunc(in.Spans, func(x instrument.Span) bool { return x.Ticker == ticker && x.From <= asOf && asOf <= x.To })
		if k < 0 {
			continue
		}
		ps, err := s.pieces(dataset, in.Spans[k:k+1])
		if err != nil {
			return nil, fmt.Errorf("find the owners of %s: %w", ticker, err)
		}
		if len(ps) == 0 {
			continue
		}
		first, _ := ps[0].bounds()
		_, last := ps[len(ps)-1].bounds()
		o := bar.Owner{Ticker: ticker, Instrument: in, From: s.dateOf(dataset, first), To: s.dateOf(dataset, last)}
		if n := len(out); n > 0 && out[n-1].Instrument.ID == in.ID { // it came back to it
			out[n-1].To = o.To
			continue
		}
		out = append(out, o)
	}
	if len(out) < 2 {
		return nil, nil
	}
	return out, nil
}

// firstSpan of a ticker that the reference data knows.
func (r *reference) firstSpan(ticker string) span {
	i, _ := slices.BinarySearchFunc(r.spans, ticker, func(s span, t string) int { return cmp.Compare(s.ticker, t) })
	return r.spans[i]
}
