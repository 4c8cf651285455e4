// Package hook is what decisions made in code see and say: the view of a market and an account at the
// close of a bar, and the intents that come of it. Scripts and strategies written in Go decide through
// it; the engine treats their intents exactly as it treats those of a strategy file.
//
// In: the bars, signals and account of a run, handed over by the engine. Out: a View that holds nothing
// later than the close it stands at. It refuses intents that make no sense on their own: an order kind
// without its price, a negative size, a short sale in an account that cannot.
package hook

import (
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"backtester/backtest/instrument"
	"backtester/backtest/order"
)

// Strategy makes decisions in code. One value serves one run, in one goroutine; what it remembers
// between calls is its own. The slice it returns is read before the next call and may be used again.
//
// An error ends the run.
type Strategy interface {
	// OnBar is called at the close of every bar that decides: those of the run but the last, and the
	// close before the first.
	OnBar(now *View) ([]Intent, error)
}

// FillListener is implemented by strategies that want to know of fills. OnFill is called at the close
// of the bar in which the fill happened, before the other calls of that close, in the order of filling.
type FillListener interface {
	OnFill(now *View, f Fill) ([]Intent, error)
}

// Rebalancer is implemented by strategies that act once a period. OnRebalance is called before OnBar at
// the last close of each period as the calendar knew it beforehand; if nothing traded in that session,
// at the next close.
type Rebalancer interface {
	Every() Period
	OnRebalance(now *View) ([]Intent, error)
}

// Period between rebalances.
type Period string

const (
	Never   Period = ""
	Session Period = "session"
	Week    Period = "week"
	Month   Period = "month"
	Quarter Period = "quarter"
	Year    Period = "year"
)

// Valid reports whether p is one of the periods.
func (p Period) Valid() bool {
	switch p {
	case Never, Session, Week, Month, Quarter, Year:
		return true
	}
	return false
}

// Number counts periods: days of one period have one number, later periods greater ones. Weeks begin
// on Mondays.
func (p Period) Number(d instrument.Date) int {
	y, m, _ := d.Civil()
	switch p {
	case Session:
		return int(d)
	case Week:
		return int(d-4+7*100_000) / 7 // 1970-01-05 was a Monday
	case Month:
		return y*12 + m
	case Quarter:
		return y*4 + (m-1)/3
	case Year:
		return y
	}
	return 0
}

// Fill is an execution as a strategy is told of it.
type Fill struct {
	Symbol   int        // in the View
	Side     order.Side // bought or sold
	Entry    bool       // opened or added, not closed
	Quantity float64    // shares, > 0
	Price    float64    // USD as traded, after slippage
	Fee      float64    // commission, USD
	Reason   string     // entry, or the exit's name
}

// Action is what an intent asks for.
type Action uint8

const (
	Enter   Action = iota + 1 // open a position; refused while one is held or ordered, reverses an opposite one
	Exit                      // close at the next fill of a market order
	Target                    // bring the position to a weight, a value or a number of shares, by market orders
	Protect                   // set the stop and target prices of the position
	Cancel                    // cancel the working entry
)

// String is the name of the action in messages.
func (a Action) String() string {
	names := [...]string{Enter: "enter", Exit: "exit", Target: "target", Protect: "protect", Cancel: "cancel"}
	if int(a) < len(names) && a > 0 {
		return names[a]
	}
	return fmt.Sprintf("action %d", uint8(a))
}

// Intent is one decision. Fields that its action does not name are ignored. Prices are USD as traded,
// in the share basis of the deciding bar; 0 is none.
type Intent struct {
	Do     Action
	Symbol int // in the View

	// Enter: which side, by which order. The zero Order is a market order, the zero TIF a day order.
	Side    order.Side
	Order   order.Kind
	Price   float64 // of the kinds that have one: the limit of a limit order, the trigger of the others
	Limit   float64 // of a stop_limit or limit_if_touched order: the worst price once triggered
	TIF     order.TIF
	Until   instrument.Date // last session of a gtd order
	MaxWait int             // sessions a day order works longer
	Rank    float64         // which entries come first when cash or slots do not suffice: highest

	// Enter: at most one of Shares, Value (USD), Weight and Risk (fractions of equity); all 0 is the
	// size of the strategy file. Target: at most one of Weight, Value and Shares, negative for short; all 0
	// closes.
	Shares, Value, Weight, Risk float64

	// Enter and Target: what the report groups the trades of this entry by; "" is nothing.
	Tag string

	// Exit: how much of what is held is closed; 0 and 1 are all of it.
	Fraction float64
	Reason   string // shown as the exit reason; "" is signal

	// Enter and Protect: levels that close the position, from the entry on or from the next bar on.
	// Protect replaces both.
	Stop, Target float64
}

// Allowed says what the settings of a run leave open to intents.
type Allowed struct {
	Symbols int
	Short   bool // the account may sell short
}

// Check says what makes no sense about an intent.
func (in *Intent) Check(a Allowed) error {
	if in.Symbol < 0 || in.Symbol >= a.Symbols {
		return fmt.Errorf("%s: there is no symbol %d, the run has %d", in.Do, in.Symbol, a.Symbols)
	}
	for _, x := range []struct {
		name  string
		value float64
	}{{"price", in.Price}, {"limit", in.Limit}, {"shares", in.size(in.Shares)}, {"value", in.size(in.Value)}, {"risk", in.Risk},
		{"fraction", in.Fraction}, {"stop", in.Stop}, {"target", in.Target}} {
		if !(x.value >= 0) || math.IsInf(x.value, 0) {
			return fmt.Errorf("%s: %s is %g, want a number of at least 0", in.Do, x.name, x.value)
		}
	}
	if math.IsNaN(in.Weight) || math.Abs(in.Weight) > 10 || math.IsNaN(in.Rank) || math.IsInf(in.Rank, 0) {
		return fmt.Errorf("%s: weight %g, rank %g: want a weight within -10..10 and a finite rank", in.Do, in.Weight, in.Rank)
	}
	if len(in.Tag) > mostTag || strings.ContainsFunc(in.Tag, unicode.IsControl) || !utf8.ValidString(in.Tag) {
		return fmt.Errorf("%s: the tag %q is too long or no line of text: want at most %d bytes", in.Do, in.Tag, mostTag)
	}
	switch in.Do {
	case Enter:
		return in.checkEnter(a)
	case Exit:
		if in.Fraction > 1 {
			return fmt.Errorf("exit: fraction is %g, want at most 1", in.Fraction)
		}
	case Target:
		switch {
		case (in.Weight < 0 || in.Value < 0 || in.Shares < 0) && !a.Short:
			return errShort(in.Do)
		case in.Weight != 0 && in.Value != 0, in.Weight != 0 && in.Shares != 0, in.Value != 0 && in.Shares != 0:
			return fmt.Errorf("target: weight %g, value %g, shares %g: keep one", in.Weight, in.Value, in.Shares)
		}
	case Protect, Cancel:
	default:
		return fmt.Errorf("%s is not known", in.Do)
	}
	return nil
}

// mostTag is the longest tag, in bytes.
const mostTag = 60

// size of an amount: targets are negative for short positions, nothing else is.
func (in *Intent) size(x float64) float64 {
	if in.Do == Target {
		return math.Abs(x)
	}
	return x
}

func errShort(a Action) error {
	return fmt.Errorf("%s: a cash account cannot sell short: set account: regt", a)
}

func (in *Intent) checkEnter(a Allowed) error {
	kind := in.Kind()
	switch {
	case in.Side != order.Buy && in.Side != order.Sell:
		return fmt.Errorf("enter: side is %g, want +1 (long) or -1 (short)", float64(in.Side))
	case in.Side == order.Sell && !a.Short:
		return errShort(in.Do)
	case in.Weight < 0 || in.Risk > 1:
		return fmt.Errorf("enter: weight %g, risk %g: want at least 0, and a risk of at most 1", in.Weight, in.Risk)
	case kind.Priced() != (in.Price > 0):
		return fmt.Errorf("enter: a %s order %s", kind, map[bool]string{true: "needs a price", false: "has no price"}[kind.Priced()])
	case kind.Triggered() != (in.Limit > 0):
		return fmt.Errorf("enter: a %s order %s", kind, map[bool]string{true: "needs a limit, the worst price once triggered", false: "has no limit apart from its price"}[kind.Triggered()])
	case in.MaxWait < 0 || in.MaxWait > 1000:
		return fmt.Errorf("enter: max_wait is %d sessions, want 0..1000", in.MaxWait)
	}
	if in.Risk > 0 && in.Stop == 0 {
		return fmt.Errorf("enter: risk is the loss at the stop, and there is no stop")
	}
	sizes := 0
	for _, x := range []float64{in.Shares, in.Value, in.Weight, in.Risk} {
		if x > 0 {
			sizes++
		}
	}
	if sizes > 1 {
		return fmt.Errorf("enter: shares %g, value %g, weight %g, risk %g: keep one", in.Shares, in.Value, in.Weight, in.Risk)
	}
	return in.checkTime(a, kind)
}

func (in *Intent) checkTime(a Allowed, kind order.Kind) error {
	switch kind {
	case order.Market, order.Limit, order.Stop, order.StopLimit, order.LimitIfTouched, order.MarketOnOpen, order.MarketOnClose:
	default:
		return fmt.Errorf("enter: there is no %q order", kind)
	}
	switch tif := in.TIF; {
	case tif == order.GTD && in.Until <= 0:
		return fmt.Errorf("enter: a gtd order needs its last session")
	case tif == order.CLS && kind != order.Market && kind != order.Limit && kind != order.MarketOnClose,
		tif == order.OPG && (kind.Triggered() || kind == order.Stop || kind == order.MarketOnClose):
		return fmt.Errorf("enter: a %s order cannot have tif %s: auctions take market and limit orders", kind, tif)
	}
	switch in.TIF {
	case "", order.DayOrder, order.GTC, order.GTD, order.IOC, order.OPG, order.CLS:
		return nil
	}
	return fmt.Errorf("enter: there is no time in force %q", in.TIF)
}

// Kind of the entry order.
func (in *Intent) Kind() order.Kind {
	if in.Order == "" {
		return order.Market
	}
	return in.Order
}
