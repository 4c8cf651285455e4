package fill

import (
	"math"

	"backtester/backtest/order"
)

// Match is what one phase of a bar makes of an entry order.
type Match struct {
	Ref       float64 // reference price, USD, when Hit
	Rule      Rule
	Hit       bool
	Triggered bool // the trigger was reached: from now on the order is what it triggers
}

// EntryAtOpen matches an order against the open. A stop whose trigger the open has reached is a market
// order there, or the limit order that it carries; an order to buy (sell) if touched has its trigger
// reached by an open at or below (above) it.
func EntryAtOpen(t order.Terms, open float64) Match {
	if !math.IsNaN(t.Trigger) {
		if t.Touch && float64(t.Side)*(t.Trigger-open) < 0 || !t.Touch && !StopAtOpen(t.Side, t.Trigger, open) {
			return Match{}
		}
		if math.IsNaN(t.Limit) {
			return Match{Ref: open, Rule: StopOpen, Hit: true, Triggered: true}
		}
		return Match{Ref: open, Rule: LimitOpen, Hit: LimitAtOpen(t.Side, t.Limit, open), Triggered: true}
	}
	if math.IsNaN(t.Limit) {
		return Match{Ref: open, Rule: AtOpen, Hit: true}
	}
	return Match{Ref: open, Rule: LimitOpen, Hit: LimitAtOpen(t.Side, t.Limit, open)}
}

// EntryWithin matches an order between open and close. When a trigger is reached within the bar, the
// limit it sets free fills in the same bar only if that is certain: at the trigger if the limit lies
// beyond it, at the limit if the close, which comes later, is better than the limit.
func EntryWithin(t order.Terms, b Bar, touch bool) Match {
	if math.IsNaN(t.Trigger) {
		if math.IsNaN(t.Limit) {
			return Match{} // a market order had its chance at the open
		}
		return Match{Ref: t.Limit, Rule: LimitInBar, Hit: LimitWithin(t.Side, t.Limit, b, touch)}
	}
	if t.Touch && !LimitWithin(t.Side, t.Trigger, b, true) || !t.Touch && !StopWithin(t.Side, t.Trigger, b) {
		return Match{}
	}
	switch {
	case math.IsNaN(t.Limit), float64(t.Side)*(t.Limit-t.Trigger) > 0:
		return Match{Ref: t.Trigger, Rule: StopInBar, Hit: true, Triggered: true}
	case float64(t.Side)*(t.Limit-b.Close) > 0:
		return Match{Ref: t.Limit, Rule: LimitInBar, Hit: true, Triggered: true}
	}
	return Match{Triggered: true}
}

// EntryLooking matches an order with a price against the close of a bar, at which it fills: a stop that the
// close has reached, a limit that the close is better than, with touch also one that it is at.
func EntryLooking(t order.Terms, closing float64, touch bool) Match {
	at := Bar{Open: closing, High: closing, Low: closing, Close: closing}
	reached := math.IsNaN(t.Trigger) || t.Touch && LimitWithin(t.Side, t.Trigger, at, true) || !t.Touch && StopWithin(t.Side, t.Trigger, at)
	hit := math.IsNaN(t.Limit) || LimitWithin(t.Side, t.Limit, at, touch)
	return Match{Ref: closing, Rule: AtClose, Hit: reached && hit, Triggered: reached}
}

// EntryAtClose matches an order for the closing auction: a market order fills at the close, a limit
// order if the close is strictly better than its limit.
func EntryAtClose(t order.Terms, closing float64) Match {
	hit := math.IsNaN(t.Limit) || LimitAtOpen(t.Side, t.Limit, closing)
	return Match{Ref: closing, Rule: AtClose, Hit: hit && math.IsNaN(t.Trigger)}
}
