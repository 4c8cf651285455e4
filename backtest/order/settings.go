// Package order holds intent before it meets the market: what a strategy file may say about entries,
// exits and sizes, and the working orders that come of it.
//
// In: settings, plain numbers (equity, prices, distances). Out: working orders with whole or
// fractional quantities. It refuses sizes and levels that make no sense and says which. It never
// sees the portfolio.
package order

import "backtester/backtest/instrument"

// Struct tags of settings, read by package strategy to decode, check, document and generate the
// JSON Schema:
//
//	json     the key                      doc    one line of documentation
//	expr     the value is an expression: bool | number
//	unit     USD, fraction, bps, shares, bars, ...
//	enum     allowed words, comma-separated
//	default  what an absent key means     min, max   inclusive bounds of a number

// Kind of an entry order.
type Kind string

const (
	Market         Kind = "market" // where fills.market says
	Limit          Kind = "limit"
	Stop           Kind = "stop"
	StopLimit      Kind = "stop_limit"       // price is the trigger, limit the worst price then
	LimitIfTouched Kind = "limit_if_touched" // the same with the trigger on the better side
	MarketOnOpen   Kind = "moo"              // the next opening auction, whatever fills.market says
	MarketOnClose  Kind = "moc"              // the next closing auction
)

// Triggered reports whether orders of the kind wait for a trigger and then carry a limit.
func (k Kind) Triggered() bool { return k == StopLimit || k == LimitIfTouched }

// Priced reports whether orders of the kind have a price.
func (k Kind) Priced() bool { return k == Limit || k == Stop || k.Triggered() }

// TIF is how long an entry order works.
type TIF string

const (
	DayOrder TIF = "day" // the symbol's next exchange session only
	GTC      TIF = "gtc" // until filled or cancelled
	GTD      TIF = "gtd" // until the end of session `until`
	IOC      TIF = "ioc" // at the next open, what does not fill is cancelled
	OPG      TIF = "opg" // in the next opening auction only
	CLS      TIF = "cls" // in the next closing auction only
)

// Entry says when and how a position is opened.
type Entry struct {
	When    string          `json:"when" expr:"bool" doc:"open a position when this is true at the close of a bar, while the symbol has no position and no working entry"`
	Order   Kind            `json:"order,omitempty" enum:"market,limit,stop,stop_limit,limit_if_touched,moo,moc" default:"market" doc:"kind of the entry order"`
	Price   string          `json:"price,omitempty" expr:"number" unit:"USD" doc:"limit price of a limit order, trigger price of the others"`
	Limit   string          `json:"limit,omitempty" expr:"number" unit:"USD" doc:"worst price of a stop_limit or limit_if_touched order once its trigger was reached"`
	TIF     TIF             `json:"tif,omitempty" enum:"day,gtc,gtd,ioc,opg,cls" default:"day" doc:"how long the order works"`
	Until   instrument.Date `json:"until,omitempty" doc:"last session of a gtd order"`
	DNR     bool            `json:"dnr,omitempty" default:"false" doc:"do not reduce: a resting gtc order keeps its price on ex-dates"`
	MaxWait int             `json:"max_wait,omitempty" min:"0" max:"1000" unit:"sessions" default:"0" doc:"a day order that could not fill works this many more sessions"`
	Or      *Other          `json:"or,omitempty" doc:"a second order beside it, sized by its own price: whichever fills first cancels the other"`
	Cancel  string          `json:"cancel_when,omitempty" expr:"bool" doc:"the working entry is cancelled when this is true at the close of a bar of its symbol"`
	Reprice bool            `json:"requote,omitempty" doc:"an order that waits takes the price and limit of every close, for the quantity it has; default: those of its decision"`
	Rearm   bool            `json:"rearm,omitempty" doc:"after an exit no entry on that side before when was not true at a close, from the bar of the exit on"`
	Cool    int             `json:"cooldown,omitempty" min:"0" max:"10000" unit:"bars" doc:"after an exit no entry on that side is decided for this many bars, that of the exit included"`
	Add     *Add            `json:"add,omitempty" doc:"further entries while the position is held; default: none"`
	Over    int             `json:"overplace,omitempty" min:"0" max:"1000" default:"0" unit:"orders" doc:"so many more orders may work than there are free slots; nothing is set aside for them, and of those that one bar reaches the lowest rank fills first"`
	Rank    string          `json:"rank,omitempty" expr:"number" doc:"which candidates come first when cash or slots do not suffice for all: highest first, absent = no candidate"`
}

// Other is the second order of an entry. The one that fills first cancels the other.
type Other struct {
	Order Kind   `json:"order,omitempty" enum:"limit,stop,stop_limit,limit_if_touched" default:"limit" doc:"kind of the second order"`
	Price string `json:"price" expr:"number" unit:"USD" doc:"limit price of a limit order, trigger price of the others"`
	Limit string `json:"limit,omitempty" expr:"number" unit:"USD" doc:"worst price of a stop_limit or limit_if_touched order once its trigger was reached"`
}

// Add says when a position that is held is added to, by orders like that of the entry.
type Add struct {
	Most int    `json:"most,omitempty" min:"1" max:"1000" default:"1" unit:"times" doc:"so often at most"`
	When string `json:"when,omitempty" expr:"bool" doc:"add when this is true at the close of a bar and no entry works; it may look at the position, such as close > entry_price * 1.05; default: when of the entry"`
}

// Exit is one way out of a position, or out of a part of it. Whatever of it comes first closes that
// part; then this exit is done.
type Exit struct {
	Name string `json:"name,omitempty" doc:"shown as the exit reason; default: signal, stop, target, trail, max_bars"`
	// Fraction is of the shares that were entered, so that three thirds are everything.
	Fraction float64 `json:"fraction,omitempty" min:"0" max:"1" default:"1" unit:"fraction of the shares entered" doc:"how much of the position this exit closes"`
	When     string  `json:"when,omitempty" expr:"bool" doc:"close at the next fill of a market order when this is true at the close of a bar"`
	Stop     string  `json:"stop,omitempty" expr:"number" unit:"USD" doc:"protective stop price, re-evaluated at every close, working on the next bar"`
	Target   string  `json:"target,omitempty" expr:"number" unit:"USD" doc:"profit target price (a limit order), re-evaluated at every close"`
	Trail    *Trail  `json:"trail,omitempty" doc:"trailing stop"`
	MaxBars  int     `json:"max_bars,omitempty" min:"0" unit:"bars" default:"0" doc:"close after this many bars in the position; 0 = never"`
	Ratchet  bool    `json:"ratchet,omitempty" default:"false" doc:"the stop price never moves away from the market"`
}

// Trail is a stop that follows the best price since the entry. Exactly one of Fraction and Amount.
type Trail struct {
	Fraction float64 `json:"fraction,omitempty" min:"0" max:"0.99" unit:"fraction" doc:"distance as a fraction of the best price"`
	Amount   string  `json:"amount,omitempty" expr:"number" unit:"USD" doc:"distance in USD a share, an expression such as 3 * atr(14)"`
	Intrabar bool    `json:"intrabar,omitempty" default:"false" doc:"follow the extremes of the current bar too; default: up to the bar before"`
}

// Volatility sizes a position so that it moves as much as asked for.
type Volatility struct {
	Target   float64 `json:"target,omitempty" min:"0" max:"10" unit:"fraction a year" doc:"annual volatility of the position as a fraction of equity: weight = target / volatility of the symbol"`
	Lookback int     `json:"lookback,omitempty" min:"3" max:"2000" unit:"bars" default:"20" doc:"returns that the volatility of the symbol is measured on, up to the deciding close"`
	Most     float64 `json:"most,omitempty" min:"0.001" max:"10" unit:"fraction of equity" default:"1" doc:"largest weight"`
}

// Kelly sizes a position by how the run's own trades went so far.
type Kelly struct {
	Fraction float64 `json:"fraction,omitempty" min:"0" max:"2" unit:"fraction" doc:"of the Kelly weight, which is win rate / mean loss - loss rate / mean win, in returns of trades"`
	Trades   int     `json:"trades,omitempty" min:"5" max:"100000" unit:"trades" default:"50" doc:"the last closed trades that it is measured on; before there are as many, start counts"`
	Start    float64 `json:"start,omitempty" min:"0" max:"10" unit:"fraction of equity" default:"0.1" doc:"weight until then"`
	Most     float64 `json:"most,omitempty" min:"0.001" max:"10" unit:"fraction of equity" default:"1" doc:"largest weight"`
}

// SizedAt says when an order gets its size; empty is at the decision.
type SizedAt string

// AtFill sizes orders when they fill.
const AtFill SizedAt = "fill"

// Size says how much an entry buys or sells. At most one of Shares, Value, Weight, Risk, Volatility and
// Kelly.
type Size struct {
	Shares       float64     `json:"shares,omitempty" min:"0" unit:"shares" doc:"a fixed number of shares"`
	Value        float64     `json:"value,omitempty" min:"0" unit:"USD" doc:"a fixed amount of money"`
	Weight       float64     `json:"weight,omitempty" min:"0" max:"10" unit:"fraction of equity" doc:"a fraction of equity at the decision; default 1 for one symbol, else 1/max_positions"`
	Risk         float64     `json:"risk,omitempty" min:"0" max:"1" unit:"fraction of equity" doc:"the loss at the stop as a fraction of equity; needs exit.stop"`
	Volatility   *Volatility `json:"volatility,omitempty" doc:"so much that the position has this volatility; a number is the target"`
	Kelly        *Kelly      `json:"kelly,omitempty" doc:"a part of the weight that would have grown the run's own trades fastest; a number is the fraction"`
	Fractional   bool        `json:"fractional,omitempty" default:"false" doc:"notional orders: quantity = amount / fill price"`
	Lot          float64     `json:"lot,omitempty" min:"0" default:"1" unit:"shares" doc:"whole multiples of this many shares"`
	AllOrNone    bool        `json:"all_or_none,omitempty" default:"false" doc:"an order that money, a limit or volume would cut is not filled at all"`
	At           SizedAt     `json:"at,omitempty" enum:"fill" doc:"when an order gets its size: fill is when it fills, a weight being of the money there is then, commission included, nothing is set aside before, and what money does not cover then is cancelled; default: at its decision"`
	MaxPositions int         `json:"max_positions,omitempty" min:"1" unit:"positions" doc:"most positions plus working entries at a time; default 10 when weight is not given and there is more than one symbol, else unlimited"`
}
