package order

import (
	"math"

	"backtester/backtest/instrument"
)

// Side of an order or fill: +1 buys, -1 sells. A quantity times its side is the change of position.
type Side float64

const (
	Buy  Side = 1
	Sell Side = -1
)

// Opposite side.
func (s Side) Opposite() Side { return -s }

// Terms are what an order asks of the market.
type Terms struct {
	Side    Side
	Trigger float64 // price that must be reached first, USD; NaN when there is none, or it was reached
	Touch   bool    // the trigger lies on the better side (if touched), not on the worse one (stop)
	Limit   float64 // worst price, USD; NaN for none
}

// Auction restricts an order to one part of a bar.
type Auction uint8

const (
	AnyTime   Auction = iota
	OpenOnly          // the opening auction: the first bar of a regular session
	CloseOnly         // the closing auction
)

// Working is an entry order between decision and fill. Quantities are shares in the current basis.
type Working struct {
	Terms
	Auction Auction
	Once    bool            // whatever does not fill at the first chance is cancelled
	TIF     TIF             // as it was ordered
	Until   instrument.Date // of a gtd order
	Qty     float64         // shares asked for; +Inf for a notional order that may spend all cash
	Amount  float64         // USD still to spend for a notional order (fractional sizes); NaN otherwise
	Price   float64         // by which it was sized, USD
	Reserve float64         // cash set aside at the decision, USD
	Filled  float64         // shares filled so far, of those asked for since the last split
	Dealt   float64         // shares filled so far in all, each as it was then: what commission is charged for
	Value   float64         // USD traded so far
	Charged float64         // commission charged so far, USD
	Tiered  float64         // of it by tiers, before least and most, USD
	Rank    float64         // at the decision
	Decided int32           // time step of the decision
	Tag     int32           // of the entry, as its maker numbers them; 0 is none
	Short   bool            // money paid only a part of it, and it is counted
	Expires int32           // last session number (engine's count) in which it works; math.MaxInt32 for gtc
}

// Gain is what the shares still to fill, filled at one price, have made at another, USD; of an order that takes all
// the money there is, what each USD of it has made.
func (w *Working) Gain(at, now float64) float64 {
	shares := w.Qty - w.Filled
	if w.Notional() {
		shares = w.Amount / at
	}
	if math.IsInf(shares, 1) {
		shares = 1 / at
	}
	return float64(shares*float64(w.Side)) * (now - at)
}

// Split restates what is left of the order for a split that makes one share into ratio new ones (ratio = to/from).
// Whole-share quantities are floored; nothing is owed for the fraction, since nothing is held.
func (w *Working) Split(ratio float64, fractional bool) {
	w.Trigger /= ratio
	w.Limit /= ratio
	w.Price /= ratio
	w.Qty, w.Filled = float64((w.Qty-w.Filled)*ratio), 0
	if !fractional {
		w.Qty = math.Floor(w.Qty + 1e-9)
	}
}

// Traded adds a fill at a price, and the commission charged for it, USD.
func (w *Working) Traded(qty, price, fee float64) {
	w.Filled += qty
	w.Dealt += qty
	w.Value += float64(qty * price)
	w.Charged += fee
}

// Market reports whether the order takes any price.
func (w *Working) Market() bool { return math.IsNaN(w.Limit) && math.IsNaN(w.Trigger) }

// Resting reports whether the order is a limit order that no auction holds and no trigger holds back: the
// only kind that works in extended hours.
func (w *Working) Resting() bool {
	return w.Auction == AnyTime && math.IsNaN(w.Trigger) && !math.IsNaN(w.Limit)
}

// Notional reports whether the order is an amount of money, to be divided by the fill price.
func (w *Working) Notional() bool { return !math.IsNaN(w.Amount) }
