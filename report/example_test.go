package report_test

import (
	"fmt"
	"os"

	"backtester/backtest"
	"backtester/backtest/instrument"
	"backtester/report"
)

func ExampleEquityCSV() {
	day := func(d int) int64 { return instrument.NewDate(2024, 1, d).Nanos() }
	r := &backtest.Result{Strategy: "dip", Equity: backtest.Curve{
		Time:  backtest.Times{Daily: true, Nanos: []int64{day(2), day(3), day(4)}},
		Value: []float64{100000, 98000, 101500},
	}}
	if err := report.EquityCSV(os.Stdout, []*backtest.Result{r}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// strategy,time,equity,drawdown,benchmark
	// dip,2024-01-02,100000,0,
	// dip,2024-01-03,98000,-0.02,
	// dip,2024-01-04,101500,0,
}
