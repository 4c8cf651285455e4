package server

import (
	"slices"
	"testing"
	"time"

	"backtester/backtest"
)

// moments are times of a curve.
func moments(t *testing.T, daily bool, stamps ...string) backtest.Times {
	t.Helper()
	out := backtest.Times{Daily: daily}
	for _, s := range stamps {
		x, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		out.Nanos = append(out.Nanos, x.UnixNano())
	}
	return out
}

// What was in the market stands beside the equity as it was at the last close: a position counts from the session
// of its entry to the one before its exit, at its value at entry.
func TestExposureStandsBesideTheEquity(t *testing.T) {
	x := &storedResult{Equity: storedCurve{Value: []float64{100, 100, 101, 102, 103, 104},
		Time: moments(t, false, "2024-01-02T21:00:00Z", "2024-01-03T15:30:00Z", "2024-01-03T21:00:00Z", "2024-01-04T15:30:00Z", "2024-01-04T21:00:00Z", "2024-01-05T21:00:00Z")},
		Trades: []backtest.Trade{{Side: "long", Quantity: 10, EntryPrice: 5, EntryTime: "2024-01-03T15:00:00Z", ExitTime: "2024-01-05T15:00:00Z"},
			{Side: "short", Quantity: 5, EntryPrice: 4, EntryTime: "2024-01-04T15:00:00Z", Open: true}}}
	x.exposed = func() exposure { return exposureOf(x) }
	c := exposedCurve(x, span{}, 100)
	if long, short := []float64{0, 0, 50. / 101, 50. / 101, 50. / 103, 0}, []float64{0, 0, 0, 0, 20. / 103, 20. / 104}; !slices.Equal(c.Long, long) || !slices.Equal(c.Short, short) {
		t.Errorf("long %v, short %v", c.Long, c.Short)
	}
	last := exposedCurve(x, span{from: x.Equity.Time.Nanos[4]}, 100)
	if !slices.Equal(last.Long, c.Long[4:]) || !slices.Equal(last.Short, c.Short[4:]) {
		t.Errorf("zoomed: long %v, short %v", last.Long, last.Short)
	}
	x.Trades = x.Trades[:1]
	if c := exposedCurve(x, span{}, 100); len(c.Long) != 6 || c.Short != nil {
		t.Errorf("without a short: %v %v", c.Long, c.Short)
	}
	x.Trades = nil
	if c := exposedCurve(x, span{}, 100); c.Long != nil || c.Short != nil {
		t.Errorf("without a trade: %v %v", c.Long, c.Short)
	}
}

// Within a session the extra runs stand where the session before left them; an account with nothing left
// stays as it is.
func TestExtraRunsStandAtTheLastSessionsEnd(t *testing.T) {
	at := func(daily bool, stamps ...string) backtest.Times { return moments(t, daily, stamps...) }
	x := &storedResult{Equity: storedCurve{Value: []float64{100, 100, 101, 102, 103, 104},
		Time: at(false, "2024-01-02T21:00:00Z", "2024-01-03T15:30:00Z", "2024-01-03T21:00:00Z", "2024-01-04T15:30:00Z", "2024-01-04T21:00:00Z", "2024-01-05T21:00:00Z")}}
	x.Ambiguity = &backtest.Ambiguity{Sessions: at(true, "2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z", "2024-01-04T00:00:00Z", "2024-01-05T00:00:00Z"),
		StopFirst: backtest.Outcome{Equity: []float64{100, 90, -5}}, TargetFirst: backtest.Outcome{Equity: []float64{100, 101, 103, 105}}}
	c, _ := curveOf(x, span{}, 100)
	for i, want := range [][2]float64{{100, 100}, {100, 100}, {90, 101}, {90, 101}, {-5, 103}, {-5, 105}} {
		if got := [2]float64{*c.StopFirst[i], *c.TargetFirst[i]}; got != want {
			t.Errorf("at point %d stand %v, want %v", i, got, want)
		}
	}
	x.Ambiguity = x.Ambiguity.Figures() // as results were before
	if c, _ := curveOf(x, span{}, 100); c.StopFirst != nil || c.TargetFirst != nil {
		t.Error("a result without the equity of the extra runs shows one")
	}
}

// Small results share one room and leave it the oldest first; a large one has a place of its own, which
// neither takes theirs nor is taken by them.
func TestLargeResultsAreKeptApart(t *testing.T) {
	c := newResultCache(100)
	put := func(key string, size int64) { c.put(key, &storedResult{size: size}) }
	put("a", 40)
	put("b", 40)
	put("large", 51)
	put("c", 40) // the oldest small one goes
	for key, want := range map[string]bool{"a": false, "b": true, "c": true, "large": true} {
		if got := c.get(key) != nil; got != want {
			t.Errorf("%s is kept: %v, want %v", key, got, want)
		}
	}
	put("larger", 1000)
	if c.get("large") != nil || c.get("larger") == nil || c.get("c") == nil {
		t.Error("the last large result has not the place of the one before, or took that of others")
	}
	put("beyond", mostLarge+1)
	if c.get("beyond") != nil || c.get("larger") == nil {
		t.Error("a result beyond the limit is kept")
	}
	// Nobody asks any more: it goes.
	c.forget(c.large)
	if c.get("larger") != nil {
		t.Error("a large result that nobody asked for stays")
	}
}
