package backtest_test

import (
	"slices"
	"testing"
	"time"

	"backtester/backtest"
	"backtester/backtest/instrument"
)

// Extended hours of winter end at 01:00 UTC of the day after: their last bar closes the session they belong to.
func TestSessionsOfExtendedHours(t *testing.T) {
	at := func(s string) int64 {
		x, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return x.UnixNano()
	}
	c := backtest.Curve{Value: []float64{1, 2, 3, 4, 5}, Time: backtest.Times{Nanos: []int64{at("2024-01-08T21:00:00Z"), at("2024-01-08T23:59:00Z"),
		at("2024-01-09T01:00:00Z"), at("2024-01-09T14:31:00Z"), at("2024-01-10T00:30:00Z")}}}
	days, values := c.Sessions()
	if want := []instrument.Date{instrument.NewDate(2024, 1, 8), instrument.NewDate(2024, 1, 9)}; !slices.Equal(days, want) || !slices.Equal(values, []float64{3, 5}) {
		t.Errorf("sessions %v with %v", days, values)
	}
}
