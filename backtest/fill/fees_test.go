package fill_test

import (
	"math"
	"regexp"
	"testing"

	"backtester/backtest/fill"
	"backtester/backtest/instrument"
	"backtester/backtest/order"
)

// Fees on the days around their changes: 1,000 shares for 100,000 USD, and for the most that a sale pays
// 1,000,000 shares.
func TestRegulatoryFees(t *testing.T) {
	for _, x := range []struct {
		day             string
		section31, most float64
	}{
		{"2013-05-24", 0, 0},
		{"2013-05-25", 1.74, 5.95}, {"2014-03-17", 1.74, 5.95}, {"2014-03-18", 2.21, 5.95}, {"2018-05-21", 2.31, 5.95}, {"2018-05-22", 1.3, 5.95},
		{"2021-02-24", 2.21, 5.95}, {"2021-02-25", 0.51, 5.95}, {"2022-05-13", 0.51, 6.49}, {"2023-02-27", 0.8, 7.27}, {"2024-05-21", 0.8, 8.3},
		{"2024-05-22", 2.78, 8.3}, {"2025-05-13", 2.78, 8.3}, {"2025-05-14", 0, 8.3}, {"2025-12-31", 0, 8.3}, {"2026-01-02", 0, 9.79}, {"2026-04-03", 0, 9.79},
		{"2026-04-04", 2.06, 9.79}, {"2026-09-30", 2.06, 9.79}, {"2026-10-01", 0, 0},
	} {
		d, err := instrument.ParseDate(x.day)
		if err != nil {
			t.Fatal(err)
		}
		if got := fill.USFees.Charge(order.Sell, d, 0, 100_000); math.Abs(got-x.section31) > 1e-12 {
			t.Errorf("%s: section 31 on 100,000 USD is %g, want %g", x.day, got, x.section31)
		}
		if got := fill.USFees.Charge(order.Sell, d, 1e6, 0); math.Abs(got-x.most) > 1e-12 {
			t.Errorf("%s: the activity fee on a million shares is %g, want %g", x.day, got, x.most)
		}
		if got := fill.USFees.Charge(order.Buy, d, 1e6, 1e8); got != 0 {
			t.Errorf("%s: a purchase pays %g", x.day, got)
		}
		if got := fill.Regulatory("").Charge(order.Sell, d, 1e6, 1e8); got != 0 {
			t.Errorf("%s: %g without the setting", x.day, got)
		}
	}
}

// Outside of the days that are known nothing is charged, and no rate is said to have been.
func TestNoRatesOutsideOfTheTable(t *testing.T) {
	for _, x := range [][2]instrument.Date{{fill.FeesFrom - 30, fill.FeesFrom - 1}, {fill.FeesTo + 1, fill.FeesTo + 30}} {
		if got := fill.USFees.Rates(x[0], x[1]); got != nil {
			t.Errorf("%s to %s: %+v", x[0], x[1], got)
		}
	}
	if got := fill.USFees.Rates(fill.FeesTo, fill.FeesTo+1); len(got) != 2 {
		t.Errorf("on the last day there are two rates: %+v", got)
	}
}

// A first day that was reckoned from an appropriation is the 60th day after it.
func TestReckonedFirstDays(t *testing.T) {
	said := regexp.MustCompile(`60th after the appropriation of (\d{4}-\d\d-\d\d) `)
	n := 0
	for _, r := range fill.USFees.Rates(fill.FeesFrom, fill.FeesTo) {
		if r.Source == "" {
			t.Errorf("the rate of %s from %s on has no source", r.Fee, r.From)
		}
		m := said.FindStringSubmatch(r.Source)
		if m == nil {
			continue
		}
		n++
		enacted, err := instrument.ParseDate(m[1])
		if err != nil {
			t.Fatal(err)
		}
		if r.From != enacted+60 {
			t.Errorf("%s from %s on: 60 days after %s are %s", r.Fee, r.From, enacted, enacted+60)
		}
	}
	if n != 5 {
		t.Errorf("%d first days are reckoned, want 5", n)
	}
}

// Every sale that cash is computed for costs no more than the cash, and a little more does.
func TestAffordableWithACap(t *testing.T) {
	for _, c := range []fill.Commission{fill.Commission{PerShare: 0.5, Min: 1, Tiers: []fill.Tier{{Above: 2_000, PerShare: 0.1}, {Above: 2_050, PerShare: 0.02}}}.At(1_990),
		fill.Commission{PerShare: 0.01, Tiers: []fill.Tier{{Above: 10, PerShare: 0.5}}}, {PerShare: 0.05, MaxBPS: 100}, {PerShare: 0.005, Min: 1, MaxBPS: 100}, {PerOrder: 5, BPS: 3, MaxBPS: 2}, {Min: 2, MaxBPS: 50}} {
		for _, price := range []float64{0.3, 1, 7.5, 400} {
			for _, cash := range []float64{20, 1010, 99_999} {
				q := c.Affordable(fill.Billed{}, cash, price)
				cost := func(q float64) float64 { return q*price + c.Next(fill.Billed{}, q, price) }
				if cost(q) > cash*(1+1e-12) || cost(q*(1+1e-9)) <= cash*(1-1e-12) {
					t.Errorf("%+v: %g USD at %g buy %.12g shares for %.12g", c, cash, price, q, cost(q))
				}
			}
		}
	}
}

// A broker's price list fills in what is not said, once and for all.
func TestBrokers(t *testing.T) {
	for _, b := range fill.Brokers() {
		c := fill.Commission{Broker: b.Name}.Complete()
		if again := c.Complete(); again.Charge(1234, 5678) != c.Charge(1234, 5678) || b.Date == "" || b.Source == "" {
			t.Errorf("%s: completed twice is another one, or it has no date and source: %+v", b.Name, b)
		}
	}
	tiered := fill.Commission{Broker: "ibkr_tiered", Min: 2}.Complete()
	if got := tiered.Charge(10_000, 1e6); got != 35 {
		t.Errorf("10,000 shares cost %g, want 35", got)
	}
	busy := tiered.At(300_000)
	if got := busy.Charge(10_000, 1e6); got != 20 {
		t.Errorf("in the second tier 10,000 shares cost %g, want 20", got)
	}
	if got := tiered.Charge(10, 1e6); got != 2 {
		t.Errorf("the key beside the broker does not win: %g, want 2", got)
	}
}
