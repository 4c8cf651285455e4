package report_test

import (
	"bytes"
	"strings"
	"testing"

	"backtester/backtest"
	"backtester/backtest/fill"
	"backtester/backtest/instrument"
	"backtester/backtest/order"
	"backtester/report"
)

// What a trader has to know of the terms of a run stands on the page, and of its course on the screen too:
// where prices were read, what was rebalanced and kept in cash, what minutes settled, what holding made.
func TestTermsAreSaid(t *testing.T) {
	r := pullback(300)
	rate := fill.USFees.Rates(instrument.NewDate(2024, 1, 2), instrument.NewDate(2024, 1, 3))
	prices := fill.Commission{Broker: "ibkr_fixed"}
	broker, ok := prices.Preset()
	if !ok || len(rate) != 2 {
		t.Fatalf("broker %v, rates %v", ok, rate)
	}
	r.Charges = &backtest.Charges{Broker: &broker, Regulatory: rate}
	r.BuyAndHold = &backtest.Holding{Held: 2, Metrics: still().Metrics}
	r.Rebalance = &backtest.RebalanceInfo{Count: 3, Traded: 0.125}
	r.Config.Rebalance = &order.Rebalance{Every: "month", Weights: "equal", Unit: order.Proportional, Gross: 1, Buffer: 0.02, Drift: 0.05}
	r.Counts.SettledBars, r.Counts.Waiting = 2, 1
	var page, screen bytes.Buffer
	if err := report.HTML(&page, r); err != nil {
		t.Fatal(err)
	}
	if err := report.Terminal(&screen, []*backtest.Result{r}, report.Options{Width: 200}); err != nil {
		t.Fatal(err)
	}
	terms := []string{"Interactive Brokers Pro, US stocks, fixed, as of 2024-12-31", "https://www.interactivebrokers.com", "sec_section_31 from 2023-02-27 on: 8 USD a million",
		"finra_taf from 2024-01-01 on: 0.000166 USD a share, at most 8.3"}
	course := []string{"3 rebalances, turning over 12.50% of equity each on average", "2 bars were settled by minutes", "1 entry order still worked unfilled", "2 symbols in equal parts"}
	for _, want := range append(terms, course...) {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for _, want := range append(course, "2% of that kept in cash", "drift of 5%") {
		if !strings.Contains(screen.String(), want) {
			t.Errorf("the screen does not say %q:\n%s", want, screen.String())
		}
	}
}
