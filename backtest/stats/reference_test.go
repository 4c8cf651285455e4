package stats_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"backtester/backtest/instrument"
	"backtester/backtest/stats"
)

// concentration of columns that have 0 at closes without a position.
func concentration(largest, effective []float64) *stats.Concentration {
	c, held := stats.Concentration{}, 0.0
	for i, v := range largest {
		if v > 0 {
			c.Most, c.Largest, c.Effective, held = max(c.Most, v), c.Largest+v, c.Effective+effective[i], held+1
		}
	}
	c.Largest, c.Effective = c.Largest/held, c.Effective/held
	return &c
}

// TestReference compares every row of the table with an independent calculation of it: none may lack
// one.
func TestReference(t *testing.T) {
	data, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var ref struct {
		Input struct {
			Dates                                                     []instrument.Date
			Equity, Benchmark, Hold, Gross, Net, Largest, Effective   []float64
			PeriodsPerYear                                            float64 `json:"periods_per_year"`
			RiskFree                                                  float64 `json:"risk_free"`
			VolumeShare                                               float64 `json:"volume_share"`
			Capacity                                                  float64
			Traded, Commission, Slippage, Dividends, Interest, Borrow float64
			InMarket                                                  int64 `json:"in_market"`
			Bars                                                      int64
			Trades                                                    []struct {
				Symbol                    string
				PnL, Ret, Value, MAE, MFE float64
				Bars                      int
				Entry, Exit               instrument.Date
				Long, Open                bool
			}
		}
		Metrics map[string]json.RawMessage
	}
	if err := json.Unmarshal(data, &ref); err != nil {
		t.Fatal(err)
	}
	x := &ref.Input
	in := stats.Input{Dates: x.Dates, Equity: x.Equity, Benchmark: x.Benchmark, BuyAndHold: x.Hold, PeriodsPerYear: x.PeriodsPerYear, RiskFreeAnnual: x.RiskFree,
		Gross: x.Gross, Net: x.Net, Concentration: concentration(x.Largest, x.Effective), VolumeShare: x.VolumeShare, Capacity: x.Capacity, InMarketBars: x.InMarket, TotalBars: x.Bars, Traded: x.Traded, Commission: x.Commission, Slippage: x.Slippage,
		Dividends: x.Dividends, Interest: x.Interest, Borrow: x.Borrow, Complete: true}
	for _, s := range x.Trades {
		in.Trades = append(in.Trades, stats.Trade{Symbol: s.Symbol, PnL: s.PnL, Return: s.Ret, EntryValue: s.Value, Bars: s.Bars, Entry: s.Entry, Exit: s.Exit,
			Long: s.Long, Open: s.Open, MAE: s.MAE, MFE: s.MFE})
	}
	m := stats.Compute(in)
	undefined := 0
	for _, row := range stats.Table() {
		raw, ok := ref.Metrics[row.Key]
		got, defined := m.Get(row.Key)
		switch {
		case !ok:
			t.Errorf("%s has no reference: add it to testdata/reference.py", row.Key)
		case string(raw) == "null":
			undefined++
			if defined {
				t.Errorf("%s = %v, want it undefined", row.Key, got)
			}
		case !defined:
			t.Errorf("%s is undefined (%s), want %s", row.Key, m.Reason(row.Key), raw)
		case row.Unit == stats.CivilDate:
			if d, err := instrument.ParseDate(string(raw[1 : len(raw)-1])); err != nil || d != instrument.Date(got) {
				t.Errorf("%s = %s, want %s", row.Key, instrument.Date(got), raw)
			}
		default:
			var want float64
			if err := json.Unmarshal(raw, &want); err != nil {
				t.Fatal(err)
			}
			if !(math.Abs(got-want) <= 1e-9*math.Max(1, math.Abs(want))) {
				t.Errorf("%s = %.15g, want %.15g", row.Key, got, want)
			}
		}
	}
	if undefined > 2 {
		t.Errorf("%d metrics are undefined in the reference: it proves nothing about them", undefined)
	}
}
