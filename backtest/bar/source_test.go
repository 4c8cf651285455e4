package bar_test

import (
	"fmt"
	"testing"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

func TestBoundsOfARequest(t *testing.T) {
	for _, x := range []struct{ from, to, wantFrom, wantTo instrument.Date }{
		{0, 0, instrument.None, instrument.Forever},
		{instrument.None, instrument.None, instrument.None, instrument.Forever},
		{100, 0, 100, instrument.Forever},
		{-100, 0, -100, 0}, // up to 1970-01-01
		{100, 200, 100, 200},
		{0, 200, 0, 200},
		{instrument.None, 200, instrument.None, 200},
		{100, instrument.Forever, 100, instrument.Forever},
	} {
		if from, to := (bar.Request{From: x.from, To: x.to}).Bounds(); from != x.wantFrom || to != x.wantTo {
			t.Errorf("%d to %d: %d to %d", x.from, x.to, from, to)
		}
	}
}

func ExampleNYSE() {
	cal := bar.NYSE()
	d, _ := instrument.ParseDate("2024-07-03")
	open, closing, early, _ := cal.Hours(d)
	fmt.Println(cal.Next(d), early, (closing-open)/60e9, "minutes")
	// Output: 2024-07-05 true 210 minutes
}
