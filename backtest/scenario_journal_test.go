package backtest_test

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"backtester/backtest"
	"backtester/backtest/instrument"
	"backtester/backtest/order"
	"backtester/backtest/portfolio"
)

// checkJournal plays the scenario again with a journal: the result may not change, and what the journal says
// must replay, in books of its own, to the same cash after every entry, the same positions, trades and equity.
func (sc *scenario) checkJournal(t *testing.T, r *backtest.Result) {
	t.Helper()
	cfg, src, err := sc.setting(false)
	if err != nil {
		t.Fatal(err)
	}
	var entries []backtest.Entry
	again, err := backtest.RunWith(t.Context(), cfg, src, backtest.Options{Journal: func(x *backtest.Entry) { entries = append(entries, *x) }})
	if err != nil {
		t.Fatal(err)
	}
	a, _ := r.EncodeJSON()
	if b, _ := again.EncodeJSON(); !bytes.Equal(a, b) {
		t.Errorf("the result with a journal differs:\n%s%s", a, b)
	}
	fills := 0
	symbols, fractional := positionsOf(r), r.Config.Size.Fractional
	if len(r.Strategies) > 0 {
		fractional = r.Strategies[0].Config.Size.Fractional
	}
	b := portfolio.NewBooks(r.Config.Account.Cash, len(symbols), fractional)
	for k, x := range entries {
		if x.What == backtest.Filled {
			fills++
		}
		i := slices.Index(symbols, position{x.Symbol, x.Strategy})
		replay(t, b, int32(i), x)
		if off := math.Abs(b.Cash - x.Cash); off > 1e-9*math.Max(1, math.Abs(x.Cash)) {
			t.Fatalf("entry %d, %+v: replayed cash is %.12g", k, x, b.Cash)
		}
		if i >= 0 && math.Abs(b.Pos[i].Qty-x.Shares) > 1e-9 {
			t.Fatalf("entry %d, %+v: replayed shares are %.12g", k, x, b.Pos[i].Qty)
		}
	}
	inLieu := 0 // a split that left less than a share is a fill of the result and a split of the journal
	for _, f := range r.Fills {
		if f.Rule == "split" {
			inLieu++
		}
	}
	if fills+inLieu != len(r.Fills) {
		t.Errorf("the journal has %d fills, the result %d", fills, len(r.Fills))
	}
	sc.compareBooks(t, b, r)
}

// position is who holds what.
type position struct{ symbol, strategy string }

// positionsOf a run: those of every strategy that shares the account apart.
func positionsOf(r *backtest.Result) []position {
	var out []position
	for _, name := range r.Data.Symbols {
		for k := range r.Strategies {
			out = append(out, position{name, r.Strategies[k].Name})
		}
		if len(r.Strategies) == 0 {
			out = append(out, position{name, ""})
		}
	}
	return out
}

// replay an entry.
func replay(t *testing.T, b *portfolio.Books, sym int32, x backtest.Entry) {
	t.Helper()
	switch x.What {
	case backtest.Filled:
		side := order.Buy
		if x.Side == "sell" || x.Side == "short" {
			side = order.Sell
		}
		b.Book(portfolio.Execution{Sym: sym, Side: side, Qty: x.Quantity, Ref: x.Reference, Price: x.Price, Fee: x.Commission, Reason: x.Why})
	case backtest.Split:
		b.Split(sym, x.Ratio, x.Price, portfolio.Execution{Reason: "cash_in_lieu"})
	case backtest.Dividend:
		b.Dividend(sym, x.Price, x.Due == "", int32(day(t, x.Due)))
	case backtest.Paid:
		b.Pay(int32(day(t, x.Time[:10])))
	case backtest.Interest:
		b.Cash += x.Amount
		b.Flows.Interest.Add(x.Amount)
	case backtest.Borrowed:
		b.Carry(portfolio.Night{Fees: []portfolio.Charge{{Sym: sym, Fee: -x.Amount}}})
	default:
		t.Fatalf("unknown entry %+v", x)
	}
}

func day(t *testing.T, text string) instrument.Date {
	t.Helper()
	if text == "" {
		return instrument.None
	}
	d, err := instrument.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// compareBooks compares replayed books with the trades and the last equity of a result.
func (sc *scenario) compareBooks(t *testing.T, b *portfolio.Books, r *backtest.Result) {
	t.Helper()
	marks, closed := map[position]float64{}, 0
	for _, x := range r.Trades {
		if x.Open {
			marks[position{x.Symbol, x.Strategy}] = x.ExitPrice
			continue
		}
		if closed >= len(b.Closed) {
			t.Fatalf("the journal replays to %d trades only", len(b.Closed))
		}
		if y := &b.Closed[closed]; math.Abs(y.PnL-x.PnL) > 1e-9*math.Max(1, y.Value) || math.Abs(y.Qty-x.Quantity) > 1e-9 || y.Reason != x.ExitReason {
			t.Errorf("trade %d replays to %+v, want %+v", closed, *y, x)
		}
		closed++
	}
	if closed != len(b.Closed) {
		t.Errorf("the journal replays to %d trades, want %d", len(b.Closed), closed)
	}
	for i, of := range positionsOf(r) {
		b.Pos[i].Mark = marks[of]
	}
	if err := b.Check(); err != nil {
		t.Error(err)
	}
	if want := r.Equity.Value[len(r.Equity.Value)-1]; math.Abs(b.Equity()-want) > 1e-9*math.Max(1, math.Abs(want)) {
		t.Errorf("the journal replays to equity %.12g, want %.12g", b.Equity(), want)
	}
}
