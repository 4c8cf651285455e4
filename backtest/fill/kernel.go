package fill

import (
	"math"

	"backtester/backtest/order"
)

// Rule names what set a reference price; it is written into every fill.
type Rule string

const (
	AtOpen     Rule = "open"      // market order at the open
	AtClose    Rule = "close"     // market order at the close
	LimitOpen  Rule = "limit_gap" // limit order, open strictly better than the limit: fills at the open
	LimitInBar Rule = "limit"     // limit order traded through: fills at the limit
	StopOpen   Rule = "stop_gap"  // stop order, open beyond the stop: fills at the open
	StopInBar  Rule = "stop"      // stop or trigger touched, a limit-if-touched one too: fills there
	InLieu     Rule = "split"     // a split left less than one share: paid in cash
	Delisted   Rule = "delisted"  // closed at the last close less the haircut
)

// Bar is one bar of one symbol, USD and shares as traded.
type Bar struct {
	Open, High, Low, Close, Volume float64
}

// LimitAtOpen: a limit order fills at the open if the open is strictly better than the limit.
func LimitAtOpen(side order.Side, limit, open float64) bool {
	return float64(side)*(limit-open) > 0
}

// LimitWithin: otherwise it fills at the limit if the bar traded through it (low < limit for buys,
// high > limit for sells), or, with touch, if the bar reached it.
func LimitWithin(side order.Side, limit float64, b Bar, touch bool) bool {
	best := b.Low
	if side == order.Sell {
		best = b.High
	}
	d := float64(side) * (limit - best)
	return d > 0 || touch && d == 0
}

// StopAtOpen: a stop order fills at the open if the open lies at or beyond the stop.
func StopAtOpen(side order.Side, stop, open float64) bool {
	return float64(side)*(open-stop) >= 0
}

// StopWithin: otherwise it fills at the stop if the bar touched it.
func StopWithin(side order.Side, stop float64, b Bar) bool {
	worst := b.High
	if side == order.Sell {
		worst = b.Low
	}
	return float64(side)*(worst-stop) >= 0
}

// ImpactBars is how many returns before a fill the volatility of its impact is measured on.
const ImpactBars = 20

// Taken is what a fill takes out of a bar, for the slippage that depends on it.
type Taken struct {
	Share float64 // of the bar's volume; NaN without volume
	Sigma float64 // standard deviation of the symbol's bar returns before the fill, a fraction; NaN when unknown
}

// Price is the reference price worsened by slippage, USD:
//
//	ref + side x (ref x bps/10,000 + ticks x tick + spread/2
//	              + ref x volume_share x share^2             as zipline's VolumeShareSlippage
//	              + ref x impact x sigma x sqrt(share))      the square-root law (Almgren et al. 2005 and others)
//
// A tick is 0.01 USD, 0.0001 under 1 USD (Regulation NMS, rule 612). A sale never falls under zero.
func (s *Slippage) Price(side order.Side, ref float64, t Taken) float64 {
	if *s == (Slippage{}) {
		return ref
	}
	move := float64(ref * s.BPS / 1e4)
	tick := 0.01
	if ref < 1 {
		tick = 0.0001
	}
	move += float64(s.Ticks*tick) + s.Spread/2
	if t.Share > 0 {
		move += float64(ref * s.VolumeShare * float64(t.Share*t.Share))
		if t.Sigma > 0 {
			move += float64(ref * s.Impact * t.Sigma * math.Sqrt(t.Share))
		}
	}
	return max(0, ref+float64(side)*move)
}

// Range is the lowest and the highest price of a bar.
type Range struct{ Low, High float64 }

// Within is the price after slippage that a fill has: no slippage carries a limit order beyond its limit
// (NaN is none), and with clip none leaves the range of the bar.
func (s *Slippage) Within(side order.Side, ref, limit float64, t Taken, r Range, clip bool) float64 {
	p := s.Price(side, ref, t)
	if float64(side)*(p-limit) > 0 {
		p = limit
	}
	if clip {
		p = max(r.Low, min(r.High, p))
	}
	return p
}

// Charge is the commission of an order that traded qty shares for value USD over all its fills:
// per_order + per_share x qty + bps x value, at least min, at most max and max_bps of the value.
func (c *Commission) Charge(qty, value float64) float64 {
	if len(c.Tiers) > 0 {
		return c.charge(c.Tiered(qty), qty, value)
	}
	return c.charge(float64(c.PerShare*qty), qty, value)
}

// charge is Charge with what its shares cost.
func (c *Commission) charge(shares, qty, value float64) float64 {
	if qty <= 0 {
		return 0
	}
	fee := c.PerOrder + shares + float64(value*c.BPS/1e4)
	fee = max(fee, c.Min)
	if c.Max > 0 {
		fee = min(fee, c.Max)
	}
	if c.MaxBPS > 0 {
		fee = min(fee, float64(value*c.MaxBPS/1e4))
	}
	return fee
}

// Billed is what an order has traded and been charged so far.
type Billed struct {
	Qty, Value, Charged float64 // shares, USD, USD
	Tiered              float64 // of the charge by tiers, before least and most, USD
}

// Next is the commission of one more fill of an order: what the whole order costs with it, less what
// was charged already.
func (c *Commission) Next(b Billed, qty, price float64) float64 {
	if len(c.Tiers) > 0 {
		return max(0, c.charge(b.Tiered+c.Tiered(qty), b.Qty+qty, b.Value+float64(qty*price))-b.Charged)
	}
	return max(0, c.Charge(b.Qty+qty, b.Value+float64(qty*price))-b.Charged)
}

// Affordable is the largest further quantity of an order for which qty x price + its commission is not
// more than cash, by closed form in each regime of the commission (between min and max, at min, at
// max, at max_bps, nothing more to pay). It is not rounded to lots and never negative. More shares never cost
// less, so the largest candidate that fits is the answer.
func (c *Commission) Affordable(b Billed, cash, price float64) float64 {
	rate, most := c.BPS/1e4, c.MaxBPS/1e4
	best := c.affordableByTiers(b, cash, price)
	for _, q := range [...]float64{
		(cash + b.Charged - c.PerOrder - float64(c.PerShare*b.Qty) - float64(rate*b.Value)) / (float64(price*(1+rate)) + c.PerShare),
		(cash + b.Charged - c.Min) / price,
		(cash + b.Charged - c.Max) / price,
		(cash + b.Charged - float64(most*b.Value)) / float64(price*(1+most)),
		cash / price,
	} {
		if q > best && float64(q*price)+c.Next(b, q, price) <= cash*(1+1e-13) {
			best = q
		}
	}
	return best
}

// affordableByTiers is the largest quantity that ends in some tier and is neither at the least nor at the most
// charge; 0 without tiers.
func (c *Commission) affordableByTiers(b Billed, cash, price float64) float64 {
	best, perShare := 0.0, c.PerShare
	for k := 0; len(c.Tiers) > 0 && k <= len(c.Tiers); k++ {
		// In the tier the cost is a straight line through what the shares before it cost.
		from := 0.0
		if k > 0 {
			from, perShare = max(0, c.Tiers[k-1].Above-c.Traded), c.Tiers[k-1].PerShare
		}
		fixed := c.PerOrder + b.Tiered + c.Tiered(from) - float64(from*perShare) + float64(c.BPS/1e4*b.Value) - b.Charged
		if q := (cash - fixed) / (float64(price*(1+c.BPS/1e4)) + perShare); q > best && float64(q*price)+c.Next(b, q, price) <= cash*(1+1e-13) {
			best = q
		}
	}
	return best
}

// Payable is a further quantity of an order cut to what cash pays including commission.
func (c Commission) Payable(b Billed, want, cash, price float64) float64 {
	if float64(want*price)+c.Next(b, want, price) <= cash {
		return want
	}
	return min(want, c.Affordable(b, cash, price))
}

// stopFirst says which came first in a bar that both a stop and a target could have filled.
func (a Ambiguity) stopFirst(stop, target, open float64) bool {
	switch a {
	case Best:
		return false
	case Nearest:
		return math.Abs(open-stop) <= math.Abs(target-open)
	}
	return true
}

// Entered says when in the current bar a position came to be; it decides which of its exits may
// fill in that bar.
type Entered uint8

const (
	Before  Entered = iota // before this bar: everything may fill, gaps at the open first
	OnOpen                 // at this bar's open: stop and target may fill
	InBar                  // within this bar: the stop may fire, the target may not
	OnClose                // at this bar's close: nothing may fill
)

// Levels of a position's working exits; NaN where there is none.
type Levels struct {
	Stop, Target float64
}

// Hit is an exit that filled.
type Hit struct {
	Ref       float64 // reference price, USD
	Rule      Rule
	Target    bool // the target filled, else the stop
	Ambiguous bool // both could have filled within the bar; Ambiguity decided
}

// ExitAtOpen resolves gaps: a position held before the bar whose stop or target lies beyond the open
// fills there. Gaps decide before any ambiguity. side is that of the exit order.
func ExitAtOpen(side order.Side, l Levels, open float64) (Hit, bool) {
	if StopAtOpen(side, l.Stop, open) {
		return Hit{Ref: open, Rule: StopOpen}, true
	}
	if LimitAtOpen(side, l.Target, open) {
		return Hit{Ref: open, Rule: LimitOpen, Target: true}, true
	}
	return Hit{}, false
}

// ExitOnEntry resolves levels that an entry of this bar, at reference price entry, found beyond it
// already: they fire at once, at that price. After an entry within the bar only the stop does.
func ExitOnEntry(side order.Side, l Levels, when Entered, entry float64) (Hit, bool) {
	switch {
	case when != OnOpen && when != InBar:
	case StopAtOpen(side, l.Stop, entry):
		return Hit{Ref: entry, Rule: StopOpen}, true
	case when == OnOpen && LimitAtOpen(side, l.Target, entry):
		return Hit{Ref: entry, Rule: LimitOpen, Target: true}, true
	}
	return Hit{}, false
}

// ExitWithin resolves a stop and a target between open and close. After an entry within the bar only
// the stop may fire, after one at the close nothing.
func ExitWithin(side order.Side, l Levels, b Bar, when Entered, r Rules) (Hit, bool) {
	if when == OnClose {
		return Hit{}, false
	}
	stop := StopWithin(side, l.Stop, b)
	target := when != InBar && LimitWithin(side, l.Target, b, r.LimitTouch)
	switch {
	case stop && target:
		if r.Ambiguity.stopFirst(l.Stop, l.Target, b.Open) {
			return Hit{Ref: l.Stop, Rule: StopInBar, Ambiguous: true}, true
		}
		return Hit{Ref: l.Target, Rule: LimitInBar, Target: true, Ambiguous: true}, true
	case stop:
		return Hit{Ref: l.Stop, Rule: StopInBar}, true
	case target:
		return Hit{Ref: l.Target, Rule: LimitInBar, Target: true}, true
	}
	return Hit{}, false
}

// Shares left for a fill under the volume cap: frac x volume - used, never negative; +Inf without a
// cap or without volume data.
func Shares(frac, volume, used float64) float64 {
	if frac <= 0 || math.IsNaN(volume) {
		return math.Inf(1)
	}
	return max(0, float64(frac*volume)-used)
}
