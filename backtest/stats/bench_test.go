package stats_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"backtester/backtest/instrument"
	"backtester/backtest/stats"
)

// noise are n returns of 1 % a session from a fixed seed.
func noise(n int) []float64 {
	rng := rand.New(rand.NewPCG(7, 11))
	r := make([]float64, n)
	for i := range r {
		r[i] = .0004 + .01*rng.NormFloat64()
	}
	return r
}

func tenYears() stats.Input {
	const n = 2520
	in := stats.Input{Dates: weekdays(n), Equity: curve(noise(n)), Benchmark: curve(noise(n)), PeriodsPerYear: 252}
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 500 {
		p := rng.NormFloat64() + .1
		in.Trades = append(in.Trades, stats.Trade{PnL: 100 * p, Return: p / 100, Bars: i % 20, Long: i%3 > 0})
	}
	in.Gross, in.Net = make([]float64, n), make([]float64, n)
	return in
}

func BenchmarkTenYears(b *testing.B) {
	in := tenYears()
	b.ReportAllocs()
	for b.Loop() {
		stats.Compute(in)
	}
}

func BenchmarkMillionBars(b *testing.B) {
	const n, perSession = 1_000_000, 390
	v := curve(noise(n))
	in := stats.Input{BarEquity: v, PeriodsPerYear: 252, BarDates: make([]instrument.Date, n+1)}
	in.Dates = weekdays(n / perSession)
	for i := range in.BarDates {
		in.BarDates[i] = in.Dates[min((i+perSession-1)/perSession, len(in.Dates)-1)]
	}
	for i := range in.Dates {
		in.Equity = append(in.Equity, v[i*perSession])
	}
	b.ReportAllocs()
	for b.Loop() {
		stats.Compute(in)
	}
}

func BenchmarkMillionSessions(b *testing.B) {
	in := stats.Input{Dates: make([]instrument.Date, 1_000_001), Equity: curve(noise(1_000_000)), PeriodsPerYear: 252}
	for i := range in.Dates {
		in.Dates[i] = instrument.Date(i / 50)
	}
	b.ReportAllocs()
	for b.Loop() {
		stats.Compute(in)
	}
}

func BenchmarkBasic(b *testing.B) {
	in := tenYears()
	var scratch []float64
	_, scratch = stats.ComputeBasic(&in, scratch)
	b.ReportAllocs()
	for b.Loop() {
		_, scratch = stats.ComputeBasic(&in, scratch)
	}
}

func TestBasicAllocatesNothing(t *testing.T) {
	in := tenYears()
	_, scratch := stats.ComputeBasic(&in, nil)
	if n := testing.AllocsPerRun(20, func() { _, scratch = stats.ComputeBasic(&in, scratch) }); n != 0 {
		t.Errorf("%g allocations", n)
	}
}

func ExampleCompute() {
	day := func(d int) instrument.Date { return instrument.NewDate(2024, 1, d) }
	m := stats.Compute(stats.Input{
		Dates:          []instrument.Date{day(2), day(3), day(4), day(5)},
		Equity:         []float64{10000, 10100, 9999, 10200},
		PeriodsPerYear: 252,
	})
	for _, key := range []string{"total_return", "max_drawdown", "cagr"} {
		if v, ok := m.Get(key); ok {
			fmt.Printf("%s %.4f\n", key, v)
		} else {
			fmt.Printf("%s %s\n", key, m.Reason(key))
		}
	}
	// Output:
	// total_return 0.0200
	// max_drawdown -0.0100
	// cagr needs at least 365 calendar days and equity that stays positive
}

func ExampleParseCondition() {
	c, err := stats.ParseCondition("total_return < 0.05 and max_drawdown < -0.005")
	if err != nil {
		fmt.Println(err)
		return
	}
	day := func(d int) instrument.Date { return instrument.NewDate(2024, 1, d) }
	m := stats.Compute(stats.Input{
		Dates:  []instrument.Date{day(2), day(3), day(4)},
		Equity: []float64{10000, 9900, 10200},
	})
	hit, undefined := c.Eval(m)
	fmt.Println(hit, undefined == nil)
	_, err = stats.ParseCondition("sharp < 1")
	fmt.Println(err)
	// Output:
	// true true
	// read condition "sharp < 1": column 1: there is no metric "sharp" (did you mean sharpe?)
}
