package server

import (
	"context"
	"slices"
	"strconv"

	"backtester/backtest"
	"backtester/report"
)

// TradeDifference is a trade that two runs did not make alike.
type TradeDifference struct {
	A      *backtest.Trade `json:"a,omitempty" doc:"absent when this run did not make it"`
	B      *backtest.Trade `json:"b,omitempty"`
	AIndex *int            `json:"a_index,omitempty" minimum:"0" doc:"its place in all trades of the run"`
	BIndex *int            `json:"b_index,omitempty" minimum:"0"`
	In     []string        `json:"in" doc:"what differs when both made it: quantity, entry_price, exit_time, exit_price, exit_reason, commission, dividends, borrow"`
	At     string          `json:"at" doc:"since when the runs differ here"`
}

// TradesCompared are the trades of two runs held against each other.
type TradesCompared struct {
	Same   int               `json:"same" doc:"both made with nothing different"`
	Differ int               `json:"differ" doc:"both made, with differences"`
	OnlyA  int               `json:"only_a"`
	OnlyB  int               `json:"only_b"`
	BothA  float64           `json:"both_profit_a" doc:"profit in a of what both made, USD"`
	BothB  float64           `json:"both_profit_b"`
	RestA  float64           `json:"only_profit_a" doc:"profit of what only a made, USD"`
	RestB  float64           `json:"only_profit_b"`
	In     map[string]int    `json:"in" doc:"of the trades that differ, how many differ in what"`
	Items  []TradeDifference `json:"items" doc:"in the order in which the runs come to differ"`
	Total  int               `json:"total" doc:"of what is shown, on all pages"`
	Cursor *string           `json:"next_cursor"`
}

type compareTradesOutput struct {
	Link string `header:"Link"`
	Body TradesCompared
}

// tradesOf are the trades of a run that has ended well. The rest of its result is let go of: two large ones
// would not fit.
func (s *Server) tradesOf(ctx context.Context, id string) ([]backtest.Trade, error) {
	x, err := s.finishedResult(ctx, id)
	if err != nil {
		return nil, err
	}
	return x.Trades, nil
}

func (s *Server) compareTrades(ctx context.Context, in *struct {
	RowsInput
	A    string `query:"a" required:"true" maxLength:"40" doc:"id of a run"`
	B    string `query:"b" required:"true" maxLength:"40" doc:"id of another"`
	Show string `query:"show" enum:"all,differ,only_a,only_b" default:"all" doc:"which of the trades that are not the same"`
}) (*compareTradesOutput, error) {
	a, err := s.tradesOf(ctx, in.A)
	if err != nil {
		return nil, err
	}
	b, err := s.tradesOf(ctx, in.B)
	if err != nil {
		return nil, err
	}
	p := report.PairTrades(a, b)
	list := slices.DeleteFunc(p.Pairs, func(x report.TradePair) bool {
		is := "differ"
		if x.B < 0 {
			is = "only_a"
		} else if x.A < 0 {
			is = "only_b"
		}
		return in.Show != "all" && in.Show != is
	})
	out := &compareTradesOutput{Body: TradesCompared{Same: p.Same, Differ: p.Differ, OnlyA: p.OnlyA, OnlyB: p.OnlyB,
		BothA: p.BothA, BothB: p.BothB, RestA: p.RestA, RestB: p.RestB, In: p.In, Items: []TradeDifference{}, Total: len(list)}}
	pairs, next, err := part(s, list, "compare "+in.A+" "+in.B+" "+in.Show, PageInput(in.RowsInput))
	if err != nil {
		return nil, err
	}
	for _, x := range pairs {
		d := TradeDifference{In: append([]string{}, x.In...), At: x.At}
		if x.A >= 0 {
			d.A, d.AIndex = &a[x.A], &x.A
		}
		if x.B >= 0 {
			d.B, d.BIndex = &b[x.B], &x.B
		}
		out.Body.Items = append(out.Body.Items, d)
	}
	out.Body.Cursor = next
	out.Link = s.nextLink("/api/backtest/compare/trades", next, "a", in.A, "b", in.B, "show", in.Show, "limit", strconv.Itoa(in.Limit))
	return out, nil
}
