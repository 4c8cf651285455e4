package hook_test

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/order"
	"backtester/backtest/strategy/hook"
)

func TestCheck(t *testing.T) {
	open := hook.Allowed{Symbols: 2, Short: true}
	cash := hook.Allowed{Symbols: 2}
	nan := math.NaN()
	f := func(in hook.Intent, a hook.Allowed, want string) {
		t.Helper()
		err := in.Check(a)
		if want == "" {
			if err != nil {
				t.Errorf("%+v: %v", in, err)
			}
			return
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", in, err, want)
		}
	}
	buy := func(change func(in *hook.Intent)) hook.Intent {
		in := hook.Intent{Do: hook.Enter, Symbol: 1, Side: order.Buy}
		change(&in)
		return in
	}
	f(buy(func(*hook.Intent) {}), cash, "")
	f(buy(func(in *hook.Intent) { in.Side = order.Sell }), open, "")
	f(buy(func(in *hook.Intent) { in.Side = order.Sell }), cash, "cannot sell short")
	f(buy(func(in *hook.Intent) { in.Side = 0 }), cash, "side is 0")
	f(buy(func(in *hook.Intent) { in.Symbol = 2 }), cash, "no symbol 2")
	f(buy(func(in *hook.Intent) { in.Symbol = -1 }), cash, "no symbol -1")
	f(buy(func(in *hook.Intent) { in.Order, in.Price = order.Limit, 9 }), cash, "")
	f(buy(func(in *hook.Intent) { in.Order = order.Limit }), cash, "a limit order needs a price")
	f(buy(func(in *hook.Intent) { in.Price = 9 }), cash, "a market order has no price")
	f(buy(func(in *hook.Intent) { in.Order, in.Price = order.StopLimit, 9 }), cash, "needs a limit")
	f(buy(func(in *hook.Intent) { in.Order, in.Price, in.Limit = order.StopLimit, 9, 10 }), cash, "")
	f(buy(func(in *hook.Intent) { in.Price = nan }), cash, "price is NaN")
	f(buy(func(in *hook.Intent) { in.Stop = math.Inf(1) }), cash, "stop is +Inf")
	f(buy(func(in *hook.Intent) { in.Shares, in.Weight = 1, 0.1 }), cash, "keep one")
	f(buy(func(in *hook.Intent) { in.Risk = 0.01 }), cash, "there is no stop")
	f(buy(func(in *hook.Intent) { in.Risk, in.Stop = 0.01, 8 }), cash, "")
	f(buy(func(in *hook.Intent) { in.Weight = -0.1 }), cash, "at least 0")
	f(buy(func(in *hook.Intent) { in.Rank = nan }), cash, "finite rank")
	f(buy(func(in *hook.Intent) { in.Order = "iceberg" }), cash, `no "iceberg" order`)
	f(buy(func(in *hook.Intent) { in.TIF = "soon" }), cash, `no time in force "soon"`)
	f(buy(func(in *hook.Intent) { in.TIF = order.GTD }), cash, "needs its last session")
	f(buy(func(in *hook.Intent) { in.TIF, in.Until = order.GTD, 20000 }), cash, "")
	f(buy(func(in *hook.Intent) { in.MaxWait = -1 }), cash, "max_wait is -1")
	f(buy(func(in *hook.Intent) { in.Order, in.Price, in.TIF = order.Stop, 9, order.OPG }), cash, "cannot have tif opg")
	f(buy(func(in *hook.Intent) { in.Order = order.MarketOnClose }), cash, "")
	f(hook.Intent{Do: hook.Exit, Fraction: 1.5}, cash, "at most 1")
	f(hook.Intent{Do: hook.Exit, Fraction: 0.5}, cash, "")
	f(hook.Intent{Do: hook.Target, Weight: -1}, cash, "cannot sell short")
	f(hook.Intent{Do: hook.Target, Weight: -1}, open, "")
	f(hook.Intent{Do: hook.Target, Weight: 11}, open, "within -10..10")
	f(hook.Intent{Do: hook.Protect, Stop: 5}, cash, "")
	f(hook.Intent{Do: 77}, cash, "action 77 is not known")
}

func TestPeriodNumbers(t *testing.T) {
	d := func(s string) instrument.Date {
		x, err := instrument.ParseDate(s)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	for _, c := range []struct {
		p    hook.Period
		a, b string
		same bool
	}{
		{hook.Week, "2024-01-07", "2024-01-08", false}, // Sunday, Monday
		{hook.Week, "2024-01-08", "2024-01-14", true},
		{hook.Week, "1969-12-28", "1969-12-29", false},
		{hook.Month, "2024-01-31", "2024-02-01", false},
		{hook.Month, "2023-12-31", "2024-01-01", false},
		{hook.Quarter, "2024-03-31", "2024-04-01", false},
		{hook.Quarter, "2024-04-01", "2024-06-30", true},
		{hook.Year, "2023-12-31", "2024-01-01", false},
		{hook.Session, "2024-01-08", "2024-01-09", false},
		{hook.Never, "1970-01-01", "2024-01-09", true},
	} {
		a, b := c.p.Number(d(c.a)), c.p.Number(d(c.b))
		if (a == b) != c.same || a > b {
			t.Errorf("%s: %s is %d, %s is %d", c.p, c.a, a, c.b, b)
		}
	}
	if hook.Period("fortnight").Valid() || !hook.Quarter.Valid() {
		t.Error("valid periods are wrong")
	}
}

// series of n daily bars whose numbers say where they stand.
func series(name string, from instrument.Date, n int) *bar.Series {
	s := &bar.Series{Symbol: name, Frame: bar.Daily, Delisted: instrument.None}
	for i := range n {
		x := float64(100 + i)
		s.Time = append(s.Time, (from + instrument.Date(i)).Nanos())
		s.Open, s.High, s.Low = append(s.Open, x), append(s.High, x+2), append(s.Low, x-2)
		s.Close, s.Volume = append(s.Close, x+1), append(s.Volume, 10*x)
	}
	return s
}

func TestViewReads(t *testing.T) {
	s := series("A", 1000, 6)
	basis := bar.Basis{Price: []float64{1, 1, 1, 2, 2, 2}, Share: []float64{1, 1, 1, 2, 2, 2}} // 2 for 1 on the fourth bar
	v := hook.NewView(&hook.Market{Symbols: []hook.Symbol{{Name: "A", Bars: s, Offset: 1000, Basis: basis, Floor: 1, Member: []uint64{0b1010},
		Values: []hook.Values{{Number: []float64{0, 1, 2, 3, 4, 5}}, {True: []uint64{0b001000}, Absent: []uint64{0b000010}}}}},
		Signals: []string{"n", "c"}})
	same := func(what string, got, want float64) {
		t.Helper()
		if got != want && !(got != got && want != want) {
			t.Errorf("%s: %g, want %g", what, got, want)
		}
	}
	nan := math.NaN()
	v.Move(999)
	same("before the first bar", v.Last(0, hook.Close), nan)
	same("a signal before the first bar", v.Signal(0, 0), nan)
	if v.Bars(0) != 0 || v.Traded(0) || v.Member(0) {
		t.Error("something is seen before the first bar")
	}
	v.Move(1001)
	same("condition absent", v.Signal(0, 1), nan)
	v.Move(1003)
	same("close", v.Last(0, hook.Close), 104)
	same("close before the split", v.Ago(0, hook.Close, 1), 103.0/2)
	same("volume before the split", v.Ago(0, hook.Volume, 1), 1020*2)
	same("below the floor", v.Ago(0, hook.Close, 3), nan)
	same("the future", v.Ago(0, hook.Close, -1), nan)
	same("signal", v.Signal(0, 0), 3)
	same("condition", v.Signal(0, 1), 1)
	if got := v.Window(nil, 0, hook.Open, 9); len(got) != 3 || got[0] != 101.0/2 || got[2] != 103 {
		t.Errorf("window %v", got)
	}
	if !v.Traded(0) || !v.Member(0) || v.Bars(0) != 3 || !v.IsCondition(1) || v.IsCondition(0) {
		t.Error("facts about the bar are wrong")
	}
	v.Move(1009)
	if v.Traded(0) || v.Member(0) {
		t.Error("a bar that ended long ago counts as new")
	}
	if i, ok := v.Find("A"); !ok || i != 0 {
		t.Error("A is not found")
	}
	if _, ok := v.Find("B"); ok {
		t.Error("B is found")
	}
}

// What a view shows does not depend on bars after its moment.
func TestViewEndsAtItsMoment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 40).Draw(t, "bars")
		cut := rapid.IntRange(1, n-1).Draw(t, "cut")
		whole := series("A", 1000, n)
		short := whole.Slice(0, cut)
		var seen [2][]float64
		for k, s := range []*bar.Series{whole, short} {
			v := hook.NewView(&hook.Market{Symbols: []hook.Symbol{{Name: "A", Bars: s, Offset: 1000}}})
			for d := range instrument.Date(cut) {
				v.Move(int32(1000 + d))
				seen[k] = v.Window(seen[k], 0, hook.Close, rapid.Just(50).Draw(t, "n"))
				seen[k] = append(seen[k], v.Last(0, hook.High), v.Ago(0, hook.Low, int(d)), float64(v.Bars(0)))
			}
		}
		for i := range seen[0] {
			if seen[0][i] != seen[1][i] {
				t.Fatalf("value %d is %g on all bars, %g on the first %d", i, seen[0][i], seen[1][i], cut)
			}
		}
	})
}
