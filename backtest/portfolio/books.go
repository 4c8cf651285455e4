package portfolio

import (
	"fmt"
	"math"

	"backtester/backtest/order"
)

// Books are cash, positions and closed trades of one account. Symbols are small numbers given by the
// engine. All money is USD; nothing here knows about bars or dates but step and row numbers that
// come back in trades.
type Books struct {
	Start      float64 // starting cash
	Cash       float64 // spendable (long account) plus proceeds of shorts, which are collateral
	Receivable float64 // dividends that went ex but are not paid yet; negative when owed
	Pos        []Position
	Held       []int32 // symbols with a position, ascending
	Closed     []Trade // in order of exit
	Flows      Flows

	Charged    []Charge // borrow fees of the latest Carry
	Fractional bool
	// Net names for each symbol the first one that is the same security, for accounts in which several
	// strategies hold the same; these stand beside each other. Nil: every symbol stands for itself. Exposure,
	// margin and borrowed shares are those of the security.
	Net []int32
	due []payment
}

// Charge is what the shares borrowed of a symbol cost over some nights.
type Charge struct {
	Sym int32
	Fee float64 // USD, >= 0
}

// Position of one symbol.
type Position struct {
	Qty  float64 // shares, negative when short, in today's basis
	Mark float64 // last close, in today's basis
	Lots []Lot   // first in, first out
}

// Lot is one opening fill, or what is left of it.
type Lot struct {
	Qty       float64 // shares, > 0
	Price     float64 // entry price after slippage, restated at splits
	Value     float64 // USD at entry of the shares left; splits do not change it
	Fees      float64 // commission of the entry for the shares left
	Dividends float64 // received (long) or paid (short, negative)
	InLieu    float64 // cash for the fraction of a share that splits left (negative when short)
	Borrow    float64 // fees for the shares borrowed, >= 0
	Hi, Lo    float64 // extremes since the entry, restated at splits
	Step, Row int32   // of the entry
	Tag       int32   // of the entry, as its maker numbers them; 0 is none
}

// Trade is a closed lot, or part of one: a round trip matched first in, first out.
type Trade struct {
	Sym                   int32
	Long                  bool
	Qty                   float64 // shares, > 0, in the basis of the exit
	EntryPrice, ExitPrice float64 // after slippage, in the basis of the exit
	Value                 float64 // USD at entry
	PnL                   float64 // after Fees, with Dividends and InLieu, before Borrow
	Fees, Dividends       float64
	InLieu, Borrow        float64
	MAE, MFE              float64 // worst and best open profit, fraction of Value
	EntryStep, ExitStep   int32
	Tag                   int32 // of the entry
	Bars                  int32 // bars held: rows from entry to exit, at least 1 when the entry bar's close was seen
	Reason                string
}

// Flows are sums over everything that moved money, kept apart from Cash so that one can check the
// other. Costs are positive.
type Flows struct {
	Bought, Sold, Commission, Slippage, Dividends, InLieu, Interest, Borrow Sum
}

// Sum is a compensated sum (Neumaier 1974): its error does not grow with the number of terms.
type Sum struct{ hi, lo float64 }

// Add a term.
func (s *Sum) Add(x float64) {
	x = float64(x) // of a product: not fused with the sum, which would differ between processors
	t := s.hi + x
	if math.Abs(s.hi) >= math.Abs(x) {
		s.lo += (s.hi - t) + x
	} else {
		s.lo += (x - t) + s.hi
	}
	s.hi = t
}

// Value of the sum.
func (s *Sum) Value() float64 { return s.hi + s.lo }

type payment struct {
	day    int32 // session number on or after which it is paid
	amount float64
}

// NewBooks returns books of cash for symbols 0..n-1.
func NewBooks(cash float64, n int, fractional bool) *Books {
	return &Books{Start: cash, Cash: cash, Pos: make([]Position, n), Fractional: fractional}
}

// Reset returns the books to cash and no positions, keeping their memory.
func (b *Books) Reset(cash float64) {
	for i := range b.Pos {
		b.Pos[i] = Position{Lots: b.Pos[i].Lots[:0]}
	}
	*b = Books{Start: cash, Cash: cash, Pos: b.Pos, Held: b.Held[:0], Closed: b.Closed[:0], Charged: b.Charged[:0], Fractional: b.Fractional, Net: b.Net, due: b.due[:0]}
}

// Execution is one fill to be booked.
type Execution struct {
	Sym       int32
	Side      order.Side
	Qty       float64 // shares, > 0
	Ref       float64 // price before slippage, USD
	Price     float64 // price after slippage, USD
	Fee       float64 // commission, USD
	Step, Row int32
	Tag       int32 // of an entry
	Reason    string
}

// Book an execution. It either opens or adds (side agrees with the position) or closes, never both:
// closing more than is held is a bug of the caller.
func (b *Books) Book(x Execution) {
	p := &b.Pos[x.Sym]
	value := float64(x.Qty * x.Price)
	if x.Side == order.Buy {
		b.Flows.Bought.Add(value)
	} else {
		b.Flows.Sold.Add(value)
	}
	b.Flows.Commission.Add(x.Fee)
	b.Flows.Slippage.Add(math.Abs(x.Price-x.Ref) * x.Qty)
	b.Cash -= float64(value * float64(x.Side))
	b.Cash -= x.Fee
	if p.Qty*float64(x.Side) >= 0 {
		if p.Qty == 0 {
			p.Mark = x.Ref
			b.hold(x.Sym)
		}
		p.Mark += float64((x.Ref - p.Mark) * (x.Qty / (math.Abs(p.Qty) + x.Qty))) // what is added counts at its own price
		p.Qty += x.Qty * float64(x.Side)
		p.Lots = append(p.Lots, Lot{Qty: x.Qty, Price: x.Price, Value: value, Fees: x.Fee,
			Hi: x.Ref, Lo: x.Ref, Step: x.Step, Row: x.Row, Tag: x.Tag})
		return
	}
	if x.Qty > math.Abs(p.Qty)*(1+1e-12) {
		panic(fmt.Sprintf("BUG: close %g of %g shares", x.Qty, p.Qty))
	}
	b.close(p, x)
}

// close matches an execution against the lots, oldest first.
func (b *Books) close(p *Position, x Execution) {
	long := p.Qty > 0
	all := x.Qty >= math.Abs(p.Qty)*(1-1e-12) // every lot, whatever rounding did to their sum
	left, fee := x.Qty, x.Fee
	for len(p.Lots) > 0 && (all || left > 0) {
		l := &p.Lots[0]
		q := l.Qty
		if !all {
			q = min(left, l.Qty)
		}
		part := q / l.Qty
		feePart := fee
		if q < left && !(all && len(p.Lots) == 1) {
			feePart = fee * (q / left)
		}
		t := Trade{Sym: x.Sym, Long: long, Qty: q, EntryPrice: l.Price, ExitPrice: x.Price,
			Value: l.Value * part, Fees: float64(l.Fees*part) + feePart, Dividends: l.Dividends * part, InLieu: l.InLieu * part, Borrow: l.Borrow * part,
			EntryStep: l.Step, ExitStep: x.Step, Tag: l.Tag, Bars: x.Row - l.Row, Reason: x.Reason}
		hi, lo := max(l.Hi, x.Ref), min(l.Lo, x.Ref)
		t.PnL, t.MAE, t.MFE = profit(long, t, x.Price, l.Price, hi, lo)
		b.Closed = append(b.Closed, t)
		left -= q
		fee -= feePart
		if q == l.Qty {
			n := copy(p.Lots, p.Lots[1:])
			p.Lots = p.Lots[:n]
			continue
		}
		l.Qty -= q
		l.Value -= t.Value
		l.Fees *= 1 - part
		l.Dividends *= 1 - part
		l.InLieu *= 1 - part
		l.Borrow *= 1 - part
	}
	p.Qty = 0
	for i := range p.Lots {
		p.Qty += p.Lots[i].Qty
	}
	if !b.Fractional {
		p.Qty = math.Round(p.Qty) // lots of whole shares cut by splits sum to whole shares but for rounding
	}
	if !long {
		p.Qty = -p.Qty
	}
	if len(p.Lots) == 0 {
		b.release(x.Sym)
	}
}

// profit of a trade closed or marked at price, and its worst and best open profit as fractions.
func profit(long bool, t Trade, price, entry, hi, lo float64) (pnl, mae, mfe float64) {
	gain := Gain(t.Value, float64(t.Qty*price))
	if long {
		return gain - t.Fees + (t.Dividends + t.InLieu), (lo - entry) / entry, (hi - entry) / entry
	}
	return -gain - t.Fees + (t.Dividends + t.InLieu), (entry - hi) / entry, (entry - lo) / entry
}

// Gain is how many USD more than paid something is worth. What a split or the sale of a part leaves in the last digits
// is nothing, so that a trade which breaks even is neither won nor lost: prices differ by more than a part in 1e12.
func Gain(paid, worth float64) float64 {
	if gain := worth - paid; !(math.Abs(gain) <= float64(rounding*paid)) {
		return gain
	}
	return 0
}

// Open lists the lots still held as trades marked at the last close, in order of symbol and entry.
func (b *Books) Open(step int32, row func(sym int32) int32) []Trade {
	var out []Trade
	for _, s := range b.Held {
		p := &b.Pos[s]
		for _, l := range p.Lots {
			t := Trade{Sym: s, Long: p.Qty > 0, Qty: l.Qty, EntryPrice: l.Price, ExitPrice: p.Mark, Value: l.Value,
				Fees: l.Fees, Dividends: l.Dividends, InLieu: l.InLieu, Borrow: l.Borrow, EntryStep: l.Step, ExitStep: step, Tag: l.Tag, Bars: row(s) - l.Row + 1}
			t.PnL, t.MAE, t.MFE = profit(t.Long, t, p.Mark, l.Price, l.Hi, l.Lo)
			out = append(out, t)
		}
	}
	return out
}

// Equity is cash, dividends due and positions at their marks.
func (b *Books) Equity() float64 {
	e := b.Cash + b.Receivable
	for _, s := range b.Held {
		p := &b.Pos[s]
		e += float64(p.Qty * p.Mark)
	}
	return e
}

// Exposure is what positions are worth at their marks: shorts as positive numbers.
type Exposure struct {
	Long, Short float64 // USD
	Largest     float64 // of all positions, USD
	squares     float64
}

// Gross is the value of longs and shorts, USD.
func (x *Exposure) Gross() float64 { return x.Long + x.Short }

// Effective is how many positions of one size would be as concentrated, 1/sum (|value|/gross)^2
// (Herfindahl 1950); 0 without value.
func (x *Exposure) Effective() float64 {
	if x.squares == 0 {
		return 0
	}
	return x.Gross() * x.Gross() / x.squares
}

func (x *Exposure) add(value float64) {
	if value > 0 {
		x.Long += value
	} else {
		x.Short -= value
	}
	x.Largest = max(x.Largest, math.Abs(value))
	x.squares += float64(value * value)
}

// Exposure of the account, of each security once.
func (b *Books) Exposure() (x Exposure) {
	for n := 0; n < len(b.Held); {
		_, _, _, next := b.Security(n)
		value := 0.0 // what was bought since the last close has another mark
		for _, s := range b.Held[n:next] {
			value += float64(b.Pos[s].Qty * b.Pos[s].Mark)
		}
		x.add(value)
		n = next
	}
	return x
}

// Security is what is held of the security of Held[n], the first symbol of it: that symbol, shares, the mark
// of one, and the place in Held of the next security.
func (b *Books) Security(n int) (sym int32, qty, mark float64, next int) {
	sym = b.Held[n]
	for next = n; next < len(b.Held) && (next == n || b.Net != nil && b.Net[b.Held[next]] == b.Net[sym]); next++ {
		qty += b.Pos[b.Held[next]].Qty
		mark = b.Pos[b.Held[next]].Mark
	}
	return sym, qty, mark, next
}

// OpenProfit of a position at its mark, USD: after the commission of its entries, with dividends.
func (p *Position) OpenProfit() float64 {
	sum := 0.0
	for i := range p.Lots {
		l := &p.Lots[i]
		pnl, _, _ := profit(p.Qty > 0, Trade{Qty: l.Qty, Value: l.Value, Fees: l.Fees, Dividends: l.Dividends, InLieu: l.InLieu}, p.Mark, l.Price, l.Hi, l.Lo)
		sum += pnl
	}
	return sum
}

// Extend the extremes of a position's lots by a bar's high and low, and mark it at its close.
func (b *Books) Extend(sym int32, hi, lo, mark float64) {
	p := &b.Pos[sym]
	p.Mark = mark
	for i := range p.Lots {
		l := &p.Lots[i]
		l.Hi, l.Lo = max(l.Hi, hi), min(l.Lo, lo)
	}
}

func (b *Books) hold(sym int32) {
	i := len(b.Held)
	for i > 0 && b.Held[i-1] > sym {
		i--
	}
	b.Held = append(b.Held, 0)
	copy(b.Held[i+1:], b.Held[i:])
	b.Held[i] = sym
}

func (b *Books) release(sym int32) {
	for i, s := range b.Held {
		if s == sym {
			b.Held = append(b.Held[:i], b.Held[i+1:]...)
			return
		}
	}
}

// Check compares cash and equity with the independently summed flows and trades. The tolerance is
// 1e-9 x max(1, everything bought and sold).
func (b *Books) Check() error {
	f := &b.Flows
	gross := b.Start + f.Bought.Value() + f.Sold.Value()
	tolerance := 1e-9 * max(1, gross)
	want := b.Start - f.Bought.Value() + f.Sold.Value() - f.Commission.Value() + f.Dividends.Value() +
		f.InLieu.Value() + f.Interest.Value() - f.Borrow.Value()
	if got := b.Cash + b.Receivable; !(math.Abs(got-want) <= tolerance) {
		return fmt.Errorf("BUG: cash and receivables are %.10g, flows sum to %.10g", got, want)
	}
	all := SumTrades(b.Closed)
	open := SumTrades(b.Open(0, func(int32) int32 { return 0 }))
	want = b.Start + all.PnL + open.PnL + f.Interest.Value() - f.Borrow.Value()
	if got := b.Equity(); !(math.Abs(got-want) <= tolerance) {
		return fmt.Errorf("BUG: equity is %.10g, trades and flows sum to %.10g", got, want)
	}
	for _, x := range []struct {
		what        string
		trades, sum float64
	}{
		{"commissions", all.Fees + open.Fees, f.Commission.Value()},
		{"dividends", all.Dividends + open.Dividends, f.Dividends.Value()},
		{"cash in lieu", all.InLieu + open.InLieu, f.InLieu.Value()},
		{"borrow fees", all.Borrow + open.Borrow, f.Borrow.Value()},
	} {
		if !(math.Abs(x.trades-x.sum) <= tolerance) {
			return fmt.Errorf("BUG: %s of all trades are %.10g, the flows sum to %.10g", x.what, x.trades, x.sum)
		}
	}
	return nil
}

// Totals of trades, USD.
type Totals struct {
	PnL, Fees, Dividends, InLieu, Borrow float64
}

// SumTrades adds trades up.
func SumTrades(trades []Trade) Totals {
	var pnl, fees, dividends, inLieu, borrow Sum
	for i := range trades {
		t := &trades[i]
		pnl.Add(t.PnL)
		fees.Add(t.Fees)
		dividends.Add(t.Dividends)
		inLieu.Add(t.InLieu)
		borrow.Add(t.Borrow)
	}
	return Totals{pnl.Value(), fees.Value(), dividends.Value(), inLieu.Value(), borrow.Value()}
}
