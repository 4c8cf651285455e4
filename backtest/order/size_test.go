package order_test

import (
	"math"
	"testing"

	"backtester/backtest/order"
)

func TestQuantity(t *testing.T) {
	basis := order.Basis{Equity: 100_000, Price: 30, Stop: 27, Side: order.Buy}
	f := func(s order.Size, b order.Basis, qty, amount float64, why order.Refusal) {
		t.Helper()
		q, a, w := s.Quantity(b)
		same := func(x, y float64) bool { return x == y || math.IsNaN(x) && math.IsNaN(y) }
		if !same(q, qty) || !same(a, amount) || w != why {
			t.Errorf("%+v: %g shares, %g USD, %q; want %g, %g, %q", s, q, a, w, qty, amount, why)
		}
	}
	nan := math.NaN()
	f(order.Size{Shares: 70}, basis, 70, nan, "")
	f(order.Size{Value: 1000}, basis, 33, nan, "")
	f(order.Size{Weight: 0.1}, basis, 333, nan, "")
	f(order.Size{Weight: 0.1, Lot: 100}, basis, 300, nan, "")
	f(order.Size{Weight: 0.1, Fractional: true}, basis, nan, 10_000, "")
	f(order.Size{Value: 500, Fractional: true}, basis, nan, 500, "")
	f(order.Size{Risk: 0.01}, basis, 333, nan, "")               // 1,000 at risk, 3 a share
	f(order.Size{Risk: 0.01, Weight: 0.05}, basis, 166, nan, "") // at most 5,000 worth
	f(order.Size{Risk: 0.5}, basis, 3333, nan, "")               // at most all of it
	f(order.Size{Value: 10}, basis, nan, nan, order.BelowLot)
	short := basis
	short.Side = order.Sell
	f(order.Size{Risk: 0.01}, short, nan, nan, order.WrongStop)
	short.Stop = 33
	f(order.Size{Risk: 0.01}, short, 333, nan, "")
	absent := basis
	absent.Stop = nan
	f(order.Size{Risk: 0.01}, absent, nan, nan, order.AbsentPrice)
	absent.Price = nan
	f(order.Size{Shares: 1}, absent, nan, nan, order.AbsentPrice)
}

// A quantity that division left a hair under a lot is that lot.
func TestFloor(t *testing.T) {
	s := order.Size{}
	for _, c := range []struct{ in, want float64 }{
		{99.9999999999, 100}, {99.99, 99}, {100, 100}, {0.5, 0}, {1e9 - 1e-3, 1e9 - 1},
	} {
		if got := s.Floor(c.in); got != c.want {
			t.Errorf("floor %.12g = %g, want %g", c.in, got, c.want)
		}
	}
}

func TestWorkingSplit(t *testing.T) {
	w := order.Working{Terms: order.Terms{Limit: 90}, Qty: 101}
	w.Split(2, false)
	if w.Limit != 45 || w.Qty != 202 {
		t.Errorf("2 for 1: %+v", w)
	}
	w.Split(0.25, false)
	if w.Limit != 180 || w.Qty != 50 {
		t.Errorf("1 for 4: %+v", w)
	}
}
