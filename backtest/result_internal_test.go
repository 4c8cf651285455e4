package backtest

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"

	"backtester/backtest/strategy"
)

// A result written piece by piece is what package json writes, however long its curve is.
func TestResultIsWrittenAsPackageJSONWould(t *testing.T) {
	for _, points := range []int{0, 1, 4096, 10_000} {
		r := &Result{Strategy: `"equity":{"time":[],"value":[]}`, Config: &strategy.File{Name: "x"}, BuyAndHold: &Holding{}}
		for i := range points {
			r.Equity.Time.Nanos = append(r.Equity.Time.Nanos, int64(i)*86_400e9)
			r.Equity.Value = append(r.Equity.Value, math.Exp(float64(i%100)-50)*float64(i))
		}
		for _, daily := range []bool{false, true} {
			r.Equity.Time.Daily = daily
			r.Benchmark = &r.Equity
			want, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := r.EncodeJSON(); err != nil || !bytes.Equal(got, append(want, '\n')) {
				t.Errorf("%d points, daily %v: %v, %.300s", points, daily, err, got)
			}
		}
	}
	r := &Result{Equity: Curve{Value: []float64{math.NaN()}}}
	if b, err := r.EncodeJSON(); err == nil {
		t.Errorf("no error, but %s", b)
	}
}
