package stats_test

import (
	"math"
	"testing"

	"backtester/backtest/instrument"
	"backtester/backtest/stats"
)

// A run that is ruined within a month is held against the benchmark's days until then, not against its whole
// month: here the benchmark rises by 10% until the ruin on 14 February and falls to half afterwards.
func TestCaptureEndsWithTheRun(t *testing.T) {
	day := func(month, day int) instrument.Date {
		return instrument.NewDate(2023, 1, 0) + instrument.Date(31*(month-1)+day)
	}
	in := stats.Input{PeriodsPerYear: 252,
		Dates:     []instrument.Date{day(1, 0), day(1, 17), day(1, 31), day(2, 7), day(2, 14), day(2, 21), day(2, 28), day(2, 29)},
		Equity:    []float64{100, 105, 110, 60, 0, 0, 0, 0},
		Benchmark: []float64{100, 102, 105, 110, 115.5, 70, 57.75, 57}}
	m := stats.Compute(in)
	if v, ok := m.Get("down_capture"); ok {
		t.Errorf("down capture %g of a benchmark that never fell while the run lasted", v)
	}
	// January 10% of 5%; February -100% of 10%: the geometric mean of the run is -1, that of the benchmark sqrt(1.155)-1.
	want := -1 / (math.Sqrt(1.05*1.1) - 1)
	if v, ok := m.Get("up_capture"); !ok || v < want-1e-6 || v > want+1e-6 {
		t.Errorf("up capture %g, %v, want %g", v, ok, want)
	}
}
