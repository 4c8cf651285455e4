package portfolio_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"backtester/backtest/order"
	"backtester/backtest/portfolio"
)

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-9*max(1, math.Abs(want))) {
		t.Errorf("%s is %.12g, want %.12g", what, got, want)
	}
}

func buy(qty, price, fee float64, step int32) portfolio.Execution {
	return portfolio.Execution{Side: order.Buy, Qty: qty, Ref: price, Price: price, Fee: fee, Step: step, Row: step, Reason: "entry"}
}

func sell(qty, price, fee float64, step int32) portfolio.Execution {
	x := buy(qty, price, fee, step)
	x.Side, x.Reason = order.Sell, "signal"
	return x
}

// Two lots, closed first in, first out by one sale of 150.
func TestFIFO(t *testing.T) {
	b := portfolio.NewBooks(10_000, 1, false)
	b.Book(buy(100, 20, 1, 0))
	b.Book(buy(100, 30, 1, 1))
	b.Book(sell(150, 40, 3, 2))
	if len(b.Closed) != 2 {
		t.Fatalf("%d trades", len(b.Closed))
	}
	near(t, "first trade", b.Closed[0].PnL, 100*20-1-2) // two thirds of the commission of the sale
	near(t, "second trade", b.Closed[1].PnL, 50*10-0.5-1)
	near(t, "cash", b.Cash, 10_000-2001-3001+6000-3)
	near(t, "left", b.Pos[0].Qty, 50)
	b.Extend(0, 41, 39, 40)
	near(t, "equity", b.Equity(), b.Cash+2000)
	if err := b.Check(); err != nil {
		t.Error(err)
	}
}

// Parts sold at the price of the whole are neither won nor lost, whatever their shares of what was paid round to.
func TestBreakEven(t *testing.T) {
	for _, long := range []bool{true, false} {
		b := portfolio.NewBooks(100_000, 1, false)
		in, out := buy, sell
		if !long {
			in, out = sell, buy
		}
		b.Book(in(100, 10.1, 0, 0))
		for step, qty := range []float64{33, 18, 7, 42} {
			b.Book(out(qty, 10.1, 0, int32(step)+1))
		}
		b.Book(in(1, 0.02, 0, 6))
		b.Book(out(1, 0.0201, 0, 7)) // the least that prices differ by
		if len(b.Closed) != 5 {
			t.Fatalf("%d trades", len(b.Closed))
		}
		for i, x := range b.Closed[:4] {
			if x.PnL != 0 {
				t.Errorf("long %v: trade %d makes %g", long, i, x.PnL)
			}
		}
		if x := math.Abs(b.Closed[4].PnL); math.Abs(x-0.0001) > 1e-15 {
			t.Errorf("long %v: a hundredth of a cent is %g", long, x)
		}
	}
	if portfolio.Gain(100, 100*(1+1e-13)) != 0 || portfolio.Gain(100, 100*(1-1e-13)) != 0 || portfolio.Gain(100, 100.0001) == 0 || !math.IsNaN(portfolio.Gain(100, math.NaN())) {
		t.Error("what rounding leaves, and what it does not")
	}
}

func TestShort(t *testing.T) {
	b := portfolio.NewBooks(10_000, 1, false)
	b.Book(sell(100, 50, 1, 0))
	near(t, "cash", b.Cash, 14_999)
	b.Extend(0, 55, 45, 40)
	near(t, "equity", b.Equity(), 10_999)
	b.Dividend(0, 0.5, true, 0)
	near(t, "cash after dividend", b.Cash, 14_949)
	x := buy(100, 40, 1, 3)
	x.Reason = "target"
	b.Book(x)
	tr := b.Closed[0]
	near(t, "pnl", tr.PnL, 1000-2-50)
	near(t, "mae", tr.MAE, -0.1)
	near(t, "mfe", tr.MFE, 0.2)
	if tr.Long || tr.Bars != 3 || tr.Reason != "target" {
		t.Errorf("%+v", tr)
	}
	if err := b.Check(); err != nil {
		t.Error(err)
	}
}

// 3 for 2 of 5 shares is 7.5: seven shares and cash for half a share at the open.
func TestSplitCashInLieu(t *testing.T) {
	b := portfolio.NewBooks(1000, 1, false)
	b.Book(buy(5, 60, 0, 0))
	b.Extend(0, 60, 60, 60)
	b.Split(0, 1.5, 42, portfolio.Execution{Step: 1, Row: 1})
	near(t, "shares", b.Pos[0].Qty, 7)
	near(t, "cash", b.Cash, 700+21)
	near(t, "entry price", b.Pos[0].Lots[0].Price, 40)
	b.Extend(0, 42, 42, 42)
	b.Book(sell(7, 42, 0, 2))
	near(t, "pnl", b.Closed[0].PnL, 7*42+21-300)
	near(t, "cash in lieu", b.Closed[0].InLieu, 21)
	near(t, "dividends", b.Closed[0].Dividends, 0)
	if err := b.Check(); err != nil {
		t.Error(err)
	}
}

// 1 for 10 of 7 shares leaves nothing: the position is paid out.
func TestReverseSplitPaysOut(t *testing.T) {
	b := portfolio.NewBooks(1000, 1, false)
	b.Book(buy(7, 10, 0, 0))
	b.Extend(0, 10, 10, 10)
	b.Split(0, 0.1, 90, portfolio.Execution{Step: 1, Row: 1, Reason: "cash_in_lieu"})
	if b.Pos[0].Qty != 0 || len(b.Held) != 0 {
		t.Fatalf("%+v", b.Pos[0])
	}
	near(t, "cash", b.Cash, 930+63)
	if err := b.Check(); err != nil {
		t.Error(err)
	}
}

func TestDividendOnPayDate(t *testing.T) {
	b := portfolio.NewBooks(1000, 1, false)
	b.Book(buy(10, 50, 0, 0))
	b.Extend(0, 50, 50, 50)
	b.Dividend(0, 1, false, 20)
	near(t, "cash before", b.Cash, 500)
	near(t, "equity before", b.Equity(), 1010)
	b.Pay(19)
	near(t, "cash still", b.Cash, 500)
	b.Pay(21)
	near(t, "cash after", b.Cash, 510)
	near(t, "equity after", b.Equity(), 1010)
}

// FINRA rule 4210(c) by hand.
func TestMaintenance(t *testing.T) {
	for _, c := range []struct{ qty, price, want float64 }{
		{100, 40, 1000}, {-100, 40, 1200}, {-100, 10, 500}, {-100, 4, 400}, {-100, 2, 250},
	} {
		near(t, "maintenance", portfolio.Maintenance(c.qty, c.price), c.want)
	}
}

func TestRegTRoom(t *testing.T) {
	b := portfolio.NewBooks(10_000, 2, false)
	a := &portfolio.Account{Kind: portfolio.RegT}
	near(t, "room of cash", b.Room(a), 20_000)
	b.Book(buy(300, 50, 0, 0))
	b.Extend(0, 50, 50, 50)
	near(t, "room beside 15,000", b.Room(a), 5_000)
	b.Extend(0, 50, 30, 44)
	near(t, "room after a loss", b.Room(a), 2*8_200-13_200)
	near(t, "deficit", b.Deficit(a), 0)
	b.Extend(0, 50, 20, 22)
	near(t, "deficit after a crash", b.Deficit(a), 0.25*6600-1600)
}

// Whatever is booked, cash and equity agree with the sums of flows and trades.
func TestBooksBalance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fractional := rapid.Bool().Draw(t, "fractional")
		b := portfolio.NewBooks(100_000, 3, fractional)
		price := rapid.Float64Range(1, 500)
		for step := range rapid.IntRange(1, 60).Draw(t, "events") {
			i := int32(rapid.IntRange(0, 2).Draw(t, "symbol"))
			p := price.Draw(t, "price")
			pos := &b.Pos[i]
			switch rapid.IntRange(0, 4).Draw(t, "event") {
			case 0, 1:
				side := rapid.SampledFrom([]order.Side{order.Buy, order.Sell}).Draw(t, "side")
				qty := float64(rapid.IntRange(1, 300).Draw(t, "qty"))
				if pos.Qty*float64(side) < 0 {
					qty = min(qty, math.Abs(pos.Qty))
				}
				slip := p * (1 + float64(side)*0.001)
				b.Book(portfolio.Execution{Sym: i, Side: side, Qty: qty, Ref: p, Price: slip, Fee: 1, Step: int32(step), Row: int32(step)})
			case 2:
				ratio := rapid.SampledFrom([]float64{2, 1.5, 0.1, 0.5, 20, 1.0 / 3}).Draw(t, "ratio")
				b.Split(i, ratio, p, portfolio.Execution{Step: int32(step)})
			case 3:
				b.Dividend(i, 0.25, rapid.Bool().Draw(t, "now"), int32(step+2))
				b.Pay(int32(step))
			case 4:
				b.Carry(portfolio.Night{Nights: 3, Debit: 0.05, Credit: 0.02, Borrow: 0.03})
			}
			if pos.Qty != 0 {
				b.Extend(i, p, p, p)
			}
			if err := b.Check(); err != nil {
				t.Fatal(err)
			}
			if !fractional && pos.Qty != math.Trunc(pos.Qty) {
				t.Fatalf("%g shares in an account of whole shares", pos.Qty)
			}
		}
	})
}

// A borrow fee is charged to the shorts by value, within one by shares, and comes out with what is
// closed of it; profits are without it.
func TestBorrowOfTrades(t *testing.T) {
	b := portfolio.NewBooks(100_000, 3, false)
	at := func(sym int32, x portfolio.Execution) portfolio.Execution { x.Sym = sym; return x }
	b.Book(at(0, buy(10, 100, 0, 0)))
	b.Book(at(1, sell(100, 30, 0, 0)))
	b.Book(at(2, sell(20, 50, 0, 0)))
	b.Book(at(2, sell(60, 50, 0, 1)))
	for i, mark := range []float64{100, 30, 50} {
		b.Extend(int32(i), mark, mark, mark)
	}
	b.Carry(portfolio.Night{Nights: 1, Borrow: 0.36}) // 3,000 and 4,000: 3 and 4, of which the older lot 1
	b.Book(at(2, buy(50, 50, 0, 2)))                  // all of the older lot and half of the other
	want := []float64{1, 1.5}
	for k, x := range b.Closed {
		near(t, "borrow of a closed trade", x.Borrow, want[k])
		near(t, "its profit", x.PnL, 0)
	}
	b.Carry(portfolio.Night{Nights: 1, Fees: []portfolio.Charge{{Sym: 1, Fee: 2}}})
	open := b.Open(2, func(int32) int32 { return 2 })
	near(t, "borrow of the long", open[0].Borrow, 0)
	near(t, "borrow of the open short", open[1].Borrow, 3+2)
	near(t, "borrow of what is left", open[2].Borrow, 1.5)
	near(t, "all of it", b.Flows.Borrow.Value(), 9)
	if err := b.Check(); err != nil {
		t.Error(err)
	}
}
