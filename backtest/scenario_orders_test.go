package backtest_test

import (
	"strings"
	"testing"

	"backtester/backtest"
)

// checkOrders compares what the last bar leaves for the next session. Whatever a scenario states: asking for
// its orders must work and must not depend on the order of its symbols.
func (sc *scenario) checkOrders(t *testing.T) {
	t.Helper()
	var texts [2]string
	for k, backwards := range []bool{false, true} {
		cfg, src, err := sc.setting(backwards)
		if err != nil {
			t.Fatal(err)
		}
		o, err := backtest.Pending(t.Context(), cfg, src, backtest.Options{})
		if err != nil {
			t.Fatalf("ask for the orders: %v", err)
		}
		for _, p := range o.Orders {
			texts[k] += orderLine(p) + "\n"
		}
	}
	if texts[0] != texts[1] {
		t.Errorf("orders depend on the order of symbols:\n%s%s", texts[0], texts[1])
	}
	if sc.section("orders") == "" {
		return
	}
	var want strings.Builder
	for _, f := range sc.lines("orders") {
		want.WriteString(strings.Join(f, " ") + "\n")
	}
	if !sameNumbers(texts[0], want.String()) {
		t.Errorf("orders:\n%swant:\n%s", texts[0], want.String())
	}
}

// orderLine is: SIDE QTY|$AMOUNT SYMBOL TYPE [PRICE [LIMIT]] TIF [UNTIL] REASON [STRATEGY].
func orderLine(p backtest.PendingOrder) string {
	words := []string{p.Side}
	if p.Quantity != nil {
		words = append(words, num(*p.Quantity))
	} else {
		words = append(words, "$"+num(*p.Amount))
	}
	words = append(words, p.Symbol, p.Type)
	for _, x := range []*float64{p.Price, p.Limit} {
		if x != nil {
			words = append(words, num(*x))
		}
	}
	words = append(words, p.TIF)
	if p.Until != "" {
		words = append(words, p.Until)
	}
	return strings.TrimSpace(strings.Join(append(words, p.Reason, p.Strategy), " "))
}
