// Package fill matches working orders against one bar: reference prices, slippage, commissions,
// volume caps. Its kernels are small pure functions on plain numbers, shared by every path that
// fills orders.
//
// In: one bar's open, high, low, close, volume and an order. Out: a price, a quantity, a cost and
// the rule that set them, or the reason why nothing filled. A reference price never lies outside
// the range of a bar that traded.
package fill

// Costs of trading. An absent cost is zero, and a run without any cost carries a warning.
type Costs struct {
	Commission Commission `json:"commission,omitempty" doc:"broker's charge for each fill; 'none' for none"`
	Slippage   Slippage   `json:"slippage,omitempty" doc:"worsening of the fill price; 'none' for none"`
	Regulatory Regulatory `json:"regulatory,omitempty" enum:"us" doc:"regulatory fees that sales pay, by their dated rates: us is section 31 of the Exchange Act and FINRA's trading activity fee; default: none"`
	Borrow     Borrow     `json:"borrow,omitempty" doc:"fee for borrowed shares; 'none' for none"`
	VolumeCap  VolumeCap  `json:"volume_cap,omitempty" doc:"largest share of a bar's volume that may fill; 'none' for none; a number sets bar"`
}

// Commission = per_order + per_share x shares + bps of the value, at least min, at most max and max_bps of
// the value.
type Commission struct {
	PerShare float64 `json:"per_share,omitempty" min:"0" unit:"USD a share" doc:"charge for each share"`
	Tiers    []Tier  `json:"tiers,omitempty" doc:"other charges for the shares beyond so many that the account trades in a calendar month"`
	PerOrder float64 `json:"per_order,omitempty" min:"0" unit:"USD" doc:"charge for each order"`
	BPS      float64 `json:"bps,omitempty" min:"0" max:"10000" unit:"bps of traded value" doc:"charge on the traded value; 10 bps = 0.1 %"`
	Min      float64 `json:"min,omitempty" min:"0" unit:"USD" doc:"least charge for an order"`
	Max      float64 `json:"max,omitempty" min:"0" unit:"USD" doc:"most charge for an order; 0 = no limit"`
	MaxBPS   float64 `json:"max_bps,omitempty" min:"0" max:"10000" unit:"bps of traded value" doc:"most charge for an order by its value, also where that is less than min; 0 = no limit"`
	Broker   string  `json:"broker,omitempty" enum:"alpaca,ibkr_fixed,ibkr_tiered,schwab" doc:"the price list of a broker, whose date and source the result names; keys beside it win"`

	// Traded is how many shares the account has traded in the calendar month so far, for tiers; of a run.
	Traded float64 `json:"-"`
}

// Tier is a charge for each share beyond so many in a calendar month.
type Tier struct {
	Above    float64 `json:"above" min:"0" unit:"shares" doc:"shares that the account has traded in the calendar month, from which on the tier begins"`
	PerShare float64 `json:"per_share" min:"0" unit:"USD a share" doc:"charge for each further share"`
}

// Slippage is added to the reference price against the trader: the sum of its parts. A part that needs
// volume is zero where the source has none.
type Slippage struct {
	BPS         float64 `json:"bps,omitempty" min:"0" max:"10000" unit:"bps of the reference price" doc:"worsening as a fraction of the price"`
	Ticks       float64 `json:"ticks,omitempty" min:"0" max:"1000" unit:"ticks of 0.01 USD, 0.0001 under 1 USD" doc:"worsening by price steps"`
	Spread      float64 `json:"spread,omitempty" min:"0" max:"100" unit:"USD a share" doc:"bid-ask spread, of which half is paid"`
	VolumeShare float64 `json:"volume_share,omitempty" min:"0" max:"100" unit:"fraction of the price at the whole volume" doc:"impact growing with the square of the share of the bar's volume"`
	Impact      float64 `json:"impact,omitempty" min:"0" max:"100" unit:"standard deviations of a bar's return at the whole volume" doc:"impact growing with the square root of the share of the bar's volume, in volatilities of the 20 bars before; with fewer there is none, and a warning says so"`
}

// Borrow fee of short positions: |shares| x prior close x annual x calendar nights / 360.
type Borrow struct {
	Annual float64    `json:"annual,omitempty" min:"0" max:"10" unit:"fraction a year" doc:"annual rate on the value borrowed"`
	Table  string     `json:"table,omitempty" doc:"CSV file with the columns symbol, annual and perhaps from, the first night of the rate; what is not in it pays annual"`
	Mark   BorrowMark `json:"mark,omitempty" enum:"1.02_ceil" doc:"value of a borrowed share: 1.02_ceil is 102 % of the last close, rounded up to whole USD; default: the last close"`
}

// BorrowMark is how borrowed shares are valued for the fee.
type BorrowMark string

// MarkCeil is the custom of stock lending: 102 % of the close, rounded up to the next dollar.
const MarkCeil BorrowMark = "1.02_ceil"

// VolumeCap limits fills to a share of the bar's volume, by the part of the bar they happen in.
type VolumeCap struct {
	Bar   float64 `json:"bar,omitempty" min:"0" max:"1" unit:"fraction of bar volume" doc:"for fills within the bar; 0 = no cap at all"`
	Open  float64 `json:"open,omitempty" min:"0" max:"1" unit:"fraction of bar volume" doc:"for fills at the open; default 0.01, at most bar"`
	Close float64 `json:"close,omitempty" min:"0" max:"1" unit:"fraction of bar volume" doc:"for fills at the close; default 0.02, at most bar"`
}

// Complete is the cap with absent parts filled in: with a cap within the bar, 1 % of its volume at
// the open and 2 % at the close, but never more than within.
func (c VolumeCap) Complete() VolumeCap {
	if c.Bar == 0 {
		return c
	}
	if c.Open == 0 {
		c.Open = min(c.Bar, 0.01)
	}
	if c.Close == 0 {
		c.Close = min(c.Bar, 0.02)
	}
	return c
}

// Rules of matching that have alternatives.
type Rules struct {
	Market       MarketFill `json:"market,omitempty" enum:"next_open,next_close,this_close" default:"next_open" doc:"where a market order decided at a close fills"`
	Ambiguity    Ambiguity  `json:"ambiguity,omitempty" enum:"worst,best,nearest,magnify,stop_first" default:"worst" doc:"stop and target in one bar, or both orders of a pair of entries: which came first; magnify asks the stored minutes of the bar; stop_first is worst even where the bar opens beyond the target"`
	Extended     Extended   `json:"extended,omitempty" enum:"limit" doc:"what may fill in extended hours, with data.session: extended: limit orders, entries and targets; default: nothing"`
	Both         Both       `json:"both_sides,omitempty" enum:"oco" doc:"long and short entry true at one close: oco places both orders, of which the first to fill cancels the other, for entries with a price; default: no order"`
	LimitTouch   bool       `json:"limit_touch,omitempty" default:"false" doc:"a limit order fills when its price is touched; default: only when traded through"`
	SlippageClip bool       `json:"slippage_clip,omitempty" default:"false" doc:"keep prices after slippage within the bar's range"`
	EntryBar     EntryBar   `json:"entry_bar,omitempty" enum:"market,next_bar" doc:"when stops and targets work in the bar of their entry: market is after a market order only, and the target after a stop order if the bar does not reach the stop; next_bar is never; default: after an entry at the open, and the stop after one within the bar"`
	Levels       LooksAt    `json:"levels,omitempty" enum:"close" doc:"what limits, stops and targets look at: close is the close of the bar, where they fill, slippage added whatever the limit; default: its whole range"`
	LevelCost    LevelCost  `json:"level_slippage,omitempty" enum:"none" doc:"slippage of stops and targets of positions: none; default: that of costs"`
	End          End        `json:"end,omitempty" enum:"mark,close,open" default:"mark" doc:"open positions at the end of the run: marked to market, or liquidated at the last close or open"`
}

// MarketFill is where market orders fill.
type MarketFill string

const (
	NextOpen  MarketFill = "next_open"
	NextClose MarketFill = "next_close" // in the closing auction, within the day too
	ThisClose MarketFill = "this_close" // the bar that decided: for comparison with other tools only
)

// Extended says what may fill outside the regular session.
type Extended string

// ExtendedLimit lets limit orders fill, the one kind that brokers take there.
const ExtendedLimit Extended = "limit"

// Both says what becomes of entries on both sides at one close.
type Both string

// OneCancelsOther places both.
const OneCancelsOther Both = "oco"

// Ambiguity resolves a bar in which both stop and target could have filled.
type Ambiguity string

const (
	Worst   Ambiguity = "worst"   // the stop came first
	Best    Ambiguity = "best"    // the target came first
	Nearest Ambiguity = "nearest" // the level nearer to the open came first, ties to the stop
	Magnify Ambiguity = "magnify" // stored minutes say, and where they do not, the stop came first

	StopFirst Ambiguity = "stop_first" // the stop came first, even before a target that the open had reached
)

// EntryBar says when stops and targets work in the bar of their entry. The empty one is the rule of the
// simulated market: after an entry at the open both, after one within the bar the stop alone.
type EntryBar string

const (
	EntryBarMarket EntryBar = "market"   // after market orders; the target after a stop order whose bar spares the stop
	EntryBarNext   EntryBar = "next_bar" // never
)

// LooksAt is what limits, stops and targets look at; empty is the range of the bar.
type LooksAt string

// AtCloses looks at closes only, and fills there.
const AtCloses LooksAt = "close"

// LevelCost is what slippage does to stops and targets of positions; empty is the same as to all fills.
type LevelCost string

// LevelCostNone leaves it out.
const LevelCostNone LevelCost = "none"

// End of the run.
type End string

const (
	EndMark  End = "mark"
	EndClose End = "close"
	EndOpen  End = "open"
)

// Liquidates reports whether positions are closed at the end of the run.
func (r *Rules) Liquidates() bool { return r.End == EndClose || r.End == EndOpen }
