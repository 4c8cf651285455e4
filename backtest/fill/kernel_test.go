package fill_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"backtester/backtest/fill"
	"backtester/backtest/order"
)

var nan = math.NaN()

func TestLimit(t *testing.T) {
	b := fill.Bar{Open: 10, High: 11, Low: 9, Close: 10.5}
	f := func(side order.Side, limit float64, atOpen, within, touch bool) {
		t.Helper()
		if got := fill.LimitAtOpen(side, limit, b.Open); got != atOpen {
			t.Errorf("%v limit %g: at open %v", side, limit, got)
		}
		if got := fill.LimitWithin(side, limit, b, false); got != within {
			t.Errorf("%v limit %g: within %v", side, limit, got)
		}
		if got := fill.LimitWithin(side, limit, b, true); got != touch {
			t.Errorf("%v limit %g: touch %v", side, limit, got)
		}
	}
	f(order.Buy, 10.5, true, true, true)
	f(order.Buy, 10, false, true, true) // an open at the limit is not better
	f(order.Buy, 9, false, false, true) // touched, not traded through
	f(order.Buy, 8.9, false, false, false)
	f(order.Sell, 9.5, true, true, true)
	f(order.Sell, 10, false, true, true)
	f(order.Sell, 11, false, false, true)
	f(order.Sell, 11.1, false, false, false)
	f(order.Buy, nan, false, false, false)
}

func TestStop(t *testing.T) {
	b := fill.Bar{Open: 10, High: 11, Low: 9, Close: 10.5}
	f := func(side order.Side, stop float64, atOpen, within bool) {
		t.Helper()
		if got := fill.StopAtOpen(side, stop, b.Open); got != atOpen {
			t.Errorf("%v stop %g: at open %v", side, stop, got)
		}
		if got := fill.StopWithin(side, stop, b); got != within {
			t.Errorf("%v stop %g: within %v", side, stop, got)
		}
	}
	f(order.Buy, 10, true, true)
	f(order.Buy, 11, false, true)
	f(order.Buy, 11.01, false, false)
	f(order.Sell, 10, true, true)
	f(order.Sell, 9, false, true)
	f(order.Sell, 8.99, false, false)
	f(order.Sell, nan, false, false)
}

func TestExitWithinAmbiguity(t *testing.T) {
	b := fill.Bar{Open: 10, High: 12, Low: 8, Close: 10}
	f := func(a fill.Ambiguity, l fill.Levels, ref float64, target bool) {
		t.Helper()
		hit, ok := fill.ExitWithin(order.Sell, l, b, fill.Before, fill.Rules{Ambiguity: a})
		if !ok || !hit.Ambiguous || hit.Ref != ref || hit.Target != target {
			t.Errorf("%s: %+v %v", a, hit, ok)
		}
	}
	l := fill.Levels{Stop: 9, Target: 11.5}
	f(fill.Worst, l, 9, false)
	f(fill.Best, l, 11.5, true)
	f(fill.Nearest, l, 9, false)
	f(fill.Nearest, fill.Levels{Stop: 8.5, Target: 11}, 11, true)
	f(fill.Nearest, fill.Levels{Stop: 9, Target: 11}, 9, false) // a tie goes to the stop
}

func TestExitEntryBar(t *testing.T) {
	b := fill.Bar{Open: 10, High: 12, Low: 8, Close: 10}
	l := fill.Levels{Stop: 7, Target: 11}
	if _, ok := fill.ExitWithin(order.Sell, l, b, fill.InBar, fill.Rules{}); ok {
		t.Error("the target fired in the bar of an entry within it")
	}
	if hit, ok := fill.ExitWithin(order.Sell, l, b, fill.OnOpen, fill.Rules{}); !ok || !hit.Target {
		t.Errorf("the target did not fire after an entry at the open: %+v", hit)
	}
	if _, ok := fill.ExitWithin(order.Sell, fill.Levels{Stop: 9, Target: 11}, b, fill.OnClose, fill.Rules{}); ok {
		t.Error("something fired after an entry at the close")
	}
	if hit, ok := fill.ExitOnEntry(order.Sell, fill.Levels{Stop: 10.5, Target: nan}, fill.OnOpen, 10); !ok || hit.Ref != 10 {
		t.Errorf("a stop beyond the entry did not fire at it: %+v", hit)
	}
	if _, ok := fill.ExitOnEntry(order.Sell, fill.Levels{Stop: nan, Target: 9}, fill.InBar, 10); ok {
		t.Error("a target fired at an entry within the bar")
	}
}

func TestCharge(t *testing.T) {
	f := func(c fill.Commission, qty, price, want float64) {
		t.Helper()
		if got := c.Charge(qty, qty*price); math.Abs(got-want) > 1e-12 {
			t.Errorf("%+v: %g x %g costs %g, want %g", c, qty, price, got, want)
		}
	}
	f(fill.Commission{}, 100, 10, 0)
	f(fill.Commission{PerShare: 0.005, Min: 1}, 100, 10, 1)
	f(fill.Commission{PerShare: 0.005, Min: 1}, 1000, 10, 5)
	f(fill.Commission{BPS: 10}, 100, 10, 1) // 0.1 % of 1,000
	f(fill.Commission{PerOrder: 2, PerShare: 0.01, BPS: 1}, 100, 10, 3.1)
	f(fill.Commission{PerShare: 0.005, Min: 1, Max: 4}, 1000, 10, 4)
	f(fill.Commission{PerOrder: 2, Min: 5}, 0, 10, 0)
}

// What Affordable gives can be paid, and a little more cannot.
func TestAffordable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		money := rapid.Float64Range(0, 1e6)
		c := fill.Commission{
			PerShare: rapid.SampledFrom([]float64{0, 0.005, 0.01}).Draw(t, "per share"),
			PerOrder: rapid.SampledFrom([]float64{0, 1, 4.95}).Draw(t, "per order"),
			BPS:      rapid.SampledFrom([]float64{0, 1, 10, 50}).Draw(t, "bps"),
			Min:      rapid.SampledFrom([]float64{0, 1, 10}).Draw(t, "min"),
			Max:      rapid.SampledFrom([]float64{0, 20, 100}).Draw(t, "max"),
		}
		if c.Max > 0 {
			c.Max = max(c.Max, c.Min)
		}
		cash, price := money.Draw(t, "cash"), rapid.Float64Range(0.01, 1e4).Draw(t, "price")
		q := c.Affordable(fill.Billed{}, cash, price)
		cost := func(q float64) float64 { return q*price + c.Charge(q, q*price) }
		if q < 0 || q > 0 && cost(q) > cash*(1+1e-12) {
			t.Fatalf("%g shares cost %g of %g", q, cost(q), cash)
		}
		if more := q*(1+1e-9) + 1e-6; cost(more) < cash*(1-1e-12) {
			t.Fatalf("%g shares were affordable, %g cost %g of %g", q, more, cost(more), cash)
		}
	})
}

// A fill by the kernels never has a reference price outside the bar, and a gap fill is at the open.
func TestReferenceInRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lo := rapid.Float64Range(1, 100).Draw(t, "low")
		hi := lo * rapid.Float64Range(1, 1.2).Draw(t, "range")
		at := func(name string) float64 { return lo + (hi-lo)*rapid.Float64Range(0, 1).Draw(t, name) }
		b := fill.Bar{Open: at("open"), High: hi, Low: lo, Close: at("close")}
		level := rapid.Float64Range(0.5, 130)
		l := fill.Levels{Stop: level.Draw(t, "stop"), Target: level.Draw(t, "target")}
		side := rapid.SampledFrom([]order.Side{order.Buy, order.Sell}).Draw(t, "side")
		hit, ok := fill.ExitAtOpen(side, l, b.Open)
		if ok && hit.Ref != b.Open {
			t.Fatalf("gap filled at %g, open is %g", hit.Ref, b.Open)
		}
		if ok {
			return
		}
		if hit, ok = fill.ExitWithin(side, l, b, fill.Before, fill.Rules{}); ok && (hit.Ref < lo || hit.Ref > hi) {
			t.Fatalf("filled at %g outside [%g, %g]", hit.Ref, lo, hi)
		}
	})
}

// Each part of slippage by hand, on 100 USD (and 0.50 USD for the small tick).
func TestSlippage(t *testing.T) {
	f := func(s fill.Slippage, side order.Side, ref float64, taken fill.Taken, want float64) {
		t.Helper()
		if got := s.Price(side, ref, taken); math.Abs(got-want) > 1e-12 {
			t.Errorf("%+v %v %g %+v: %.12g, want %.12g", s, side, ref, taken, got, want)
		}
	}
	tenth := fill.Taken{Share: 0.1, Sigma: 0.02}
	f(fill.Slippage{}, order.Buy, 100, tenth, 100)
	f(fill.Slippage{BPS: 10}, order.Buy, 100, tenth, 100.1)
	f(fill.Slippage{BPS: 10}, order.Sell, 100, tenth, 99.9)
	f(fill.Slippage{Ticks: 2}, order.Buy, 100, tenth, 100.02)
	f(fill.Slippage{Ticks: 2}, order.Sell, 0.5, tenth, 0.4998)
	f(fill.Slippage{Spread: 0.06}, order.Sell, 100, tenth, 99.97)
	f(fill.Slippage{VolumeShare: 0.1}, order.Buy, 100, tenth, 100.1) // 100 x 0.1 x 0.01
	f(fill.Slippage{Impact: 1}, order.Buy, 100, fill.Taken{Share: 0.04, Sigma: 0.02}, 100.4)
	f(fill.Slippage{VolumeShare: 0.1, Impact: 1}, order.Buy, 100, fill.Taken{Share: nan, Sigma: nan}, 100)
	f(fill.Slippage{Spread: 5}, order.Sell, 1, tenth, 0)
}

func TestShares(t *testing.T) {
	if got := fill.Shares(0.1, 1000, 30); got != 70 {
		t.Errorf("cap leaves %g", got)
	}
	if got := fill.Shares(0, 1000, 0); !math.IsInf(got, 1) {
		t.Errorf("no cap leaves %g", got)
	}
	if got := fill.Shares(0.1, nan, 0); !math.IsInf(got, 1) {
		t.Errorf("no volume leaves %g", got)
	}
}
