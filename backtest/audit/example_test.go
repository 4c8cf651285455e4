package audit_test

import (
	"fmt"

	"backtester/backtest/audit"
	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// Bars that halve overnight, with no split to explain it.
func ExampleMarket_Check() {
	cal := bar.NYSE()
	days := cal.Sessions(date("2024-03-04"), date("2024-03-08"))
	s := &bar.Series{Symbol: "X", Frame: bar.Daily, Delisted: instrument.None}
	for i, d := range days {
		p := []float64{100, 101, 100, 50, 51}[i]
		s.Time = append(s.Time, d.Nanos())
		s.Open, s.High, s.Low, s.Close = append(s.Open, p), append(s.High, p+1), append(s.Low, p-1), append(s.Close, p)
		s.Volume = append(s.Volume, 1000)
	}
	m := audit.Market{Calendar: cal, Days: days}
	r := m.Check(audit.Subject{Instrument: instrument.Instrument{Ticker: "X", Delisted: instrument.None}, Days: s})
	fmt.Println(r.Verdict)
	for _, f := range r.Findings {
		fmt.Println(f.Check, f.Severity, f.Message)
	}
	// Output:
	// FAIL
	// split_missing fail moves like a split, without one: 2024-03-07 opened at 0.5 times the close before, like 2 for 1
}
