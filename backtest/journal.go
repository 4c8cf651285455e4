package backtest

import (
	"math"

	"backtester/backtest/instrument"
	"backtester/backtest/portfolio"
)

// Happening says what moved money or shares.
type Happening string

// Happenings of a journal.
const (
	Filled   Happening = "fill"
	Split    Happening = "split"    // of what is held, with cash in lieu of a fraction
	Dividend Happening = "dividend" // gone ex: paid at once, or due on a day
	Paid     Happening = "paid"     // dividends that were due
	Interest Happening = "interest"
	Borrowed Happening = "borrow" // fee for the borrowed shares of a symbol
)

// Entry of a journal: one thing that moved money or shares, in the order in which it happened. All entries
// of a run replay to its books.
type Entry struct {
	Time       string    `json:"time"`
	What       Happening `json:"what"`
	Symbol     string    `json:"symbol,omitempty"`
	Strategy   string    `json:"strategy,omitempty"` // which of several
	Side       string    `json:"side,omitempty"`     // buy | sell | short | cover
	Quantity   float64   `json:"quantity,omitempty"`
	Reference  float64   `json:"reference,omitempty"` // price before slippage
	Price      float64   `json:"price,omitempty"`     // paid; of a split the price of a fraction, of a dividend USD a share
	Commission float64   `json:"commission,omitempty"`
	Regulatory float64   `json:"regulatory,omitempty"` // of the commission
	Rule       string    `json:"rule,omitempty"`       // that set the reference
	Why        string    `json:"why,omitempty"`        // entry, or the exit's name
	Decided    string    `json:"decided,omitempty"`    // bar whose close decided it
	Ratio      float64   `json:"ratio,omitempty"`      // new shares for an old one
	Due        string    `json:"due,omitempty"`        // day from which on a dividend is paid
	Amount     float64   `json:"amount"`               // USD that came in (+) or went out (-) of cash
	Shares     float64   `json:"shares"`               // of the symbol and strategy after it, negative when short
	Cash       float64   `json:"cash"`                 // after it
}

// journal writes a run down as it happens.
type journal struct {
	tell func(*Entry)
	cash float64 // after the last entry
}

// write completes an entry about symbol i, or about none with -1, and tells it.
func (e *engine) write(i int32, x Entry) {
	x.Time = e.m.stamp(e.t)
	x.Amount, x.Cash = e.books.Cash-e.journal.cash, e.books.Cash
	e.journal.cash = e.books.Cash
	if i >= 0 {
		x.Symbol, x.Strategy, x.Shares = e.m.syms[i].name, e.strategyOf(i), e.books.Pos[i].Qty
	}
	e.journal.tell(&x)
}

// writeFill writes the latest execution down.
func (e *engine) writeFill() {
	if e.journal == nil {
		return
	}
	x := &e.fills[len(e.fills)-1]
	e.write(x.Sym, Entry{What: Filled, Side: sideWord(x.Side, x.entry), Quantity: x.Qty, Reference: x.Ref, Price: x.Price, Commission: x.Fee,
		Regulatory: x.levy, Rule: string(x.rule), Why: x.Reason, Decided: e.m.stamp(x.decided)})
}

// writeNight writes interest, borrow fees and dividends paid down. Each moves cash by itself.
func (e *engine) writeNight(before portfolio.Flows) {
	if e.journal == nil {
		return
	}
	interest := e.books.Flows.Interest.Value() - before.Interest.Value()
	after := e.books.Cash
	if interest != 0 {
		e.books.Cash = e.journal.cash + interest
		e.write(-1, Entry{What: Interest})
	}
	for _, c := range e.books.Charged {
		if c.Fee != 0 {
			e.books.Cash = e.journal.cash - c.Fee
			e.write(c.Sym, Entry{What: Borrowed})
		}
	}
	e.books.Cash = after
	if rest := after - e.journal.cash; math.Abs(rest) > 1e-9*math.Max(1, math.Abs(after)) {
		e.write(-1, Entry{What: Paid})
	}
	e.journal.cash = after
}

// writeDividend writes a dividend of what is held down.
func (e *engine) writeDividend(i int32, d instrument.Dividend, due instrument.Date) {
	if e.journal == nil || e.books.Pos[i].Qty == 0 {
		return
	}
	x := Entry{What: Dividend, Price: d.Cash}
	if due > e.m.date[e.t] {
		x.Due = due.String()
	}
	e.write(i, x)
}
