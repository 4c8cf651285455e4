package report_test

import (
	"reflect"
	"testing"

	"backtester/backtest"
	"backtester/report"
)

func TestPairTrades(t *testing.T) {
	trade := func(symbol, entry, exit string, pnl float64, change ...func(*backtest.Trade)) backtest.Trade {
		x := backtest.Trade{Symbol: symbol, Side: "long", Quantity: 10, EntryTime: entry, EntryPrice: 5, ExitTime: exit, ExitPrice: 6, PnL: pnl, ExitReason: "exit"}
		for _, f := range change {
			f(&x)
		}
		return x
	}
	size := func(x *backtest.Trade) { x.Quantity = 11 }
	open := func(x *backtest.Trade) { x.Open, x.ExitReason = true, "" }
	dearer := func(x *backtest.Trade) { x.ExitPrice, x.Commission = 7, 1 }
	a := []backtest.Trade{
		trade("AA", "2024-01-02", "2024-01-05", 1),         // alike
		trade("AA", "2024-01-08", "2024-01-12", 2),         // closed elsewhere on another day
		trade("BB", "2024-01-08", "2024-01-09", 4),         // not made by b
		trade("BB", "2024-01-15", "2024-01-16", 8),         // of another size
		trade("CC", "2024-02-01", "2024-02-05", 16),        // the first of two at one time
		trade("CC", "2024-02-01", "2024-02-05", 32),        // the second has no partner
		trade("DD", "2024-02-01", "2024-03-01", 64, open),  // open in both, marked on other days
		trade("EE", "2024-02-02", "2024-03-01", 128, open), // open in a only
	}
	b := []backtest.Trade{
		trade("AA", "2024-01-02", "2024-01-05", 1),
		trade("ZZ", "2024-01-03", "2024-01-04", 3), // not made by a
		trade("AA", "2024-01-08", "2024-01-11", 5, dearer),
		trade("BB", "2024-01-15", "2024-01-16", 7, size),
		trade("CC", "2024-02-01", "2024-02-05", 9),
		trade("DD", "2024-02-01", "2024-04-01", 11, open),
		trade("EE", "2024-02-02", "2024-03-05", 13),
	}
	want := report.PairedTrades{Same: 3, Differ: 3, OnlyA: 2, OnlyB: 1, BothA: 219, BothB: 46, RestA: 36, RestB: 3,
		In: map[string]int{"exit_time": 2, "exit_price": 1, "commission": 1, "quantity": 1, "exit_reason": 1},
		Pairs: []report.TradePair{
			{A: -1, B: 1, At: "2024-01-03"},
			{A: 2, B: -1, At: "2024-01-08"},
			{A: 1, B: 2, In: []string{"exit_time", "exit_price", "commission"}, At: "2024-01-11"},
			{A: 3, B: 3, In: []string{"quantity"}, At: "2024-01-15"},
			{A: 5, B: -1, At: "2024-02-01"},
			{A: 7, B: 6, In: []string{"exit_time", "exit_reason"}, At: "2024-03-05"},
		}}
	if got := report.PairTrades(a, b); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got := report.PairTrades(a, a); got.Same != len(a) || len(got.Pairs) != 0 {
		t.Errorf("with itself: %+v", got)
	}
}
