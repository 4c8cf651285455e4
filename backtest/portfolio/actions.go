package portfolio

import (
	"math"

	"backtester/backtest/order"
)

// Split restates a position for a split that makes one share into ratio new ones. Whole-share
// accounts are paid cash in lieu of the fraction at price (the open of the split's session, in the
// new basis, or the last close restated when there is no bar); the value of each lot is unchanged.
func (b *Books) Split(sym int32, ratio, price float64, at Execution) {
	p := &b.Pos[sym]
	if p.Qty == 0 {
		return
	}
	sign := order.Buy
	if p.Qty < 0 {
		sign = order.Sell
	}
	p.Mark /= ratio
	total := 0.0
	for i := range p.Lots {
		l := &p.Lots[i]
		l.Qty = float64(l.Qty * ratio)
		l.Price, l.Hi, l.Lo = l.Price/ratio, l.Hi/ratio, l.Lo/ratio
		total += l.Qty
	}
	p.Qty = float64(sign) * total
	if b.Fractional {
		return
	}
	whole := math.Floor(total + 1e-9)
	fraction := total - whole
	if whole == 0 {
		at.Sym, at.Side, at.Qty, at.Ref, at.Price, at.Fee = sym, sign.Opposite(), total, price, price, 0
		b.Book(at)
		return
	}
	if fraction <= 1e-9 {
		fraction = 0
	}
	cash := float64(float64(sign) * fraction * price)
	b.Cash += cash
	b.Flows.InLieu.Add(cash)
	// The oldest lots give up the fraction and get the cash, so that their profit still adds up.
	for i := 0; fraction > 0 && i < len(p.Lots); i++ {
		l := &p.Lots[i]
		take := min(fraction, l.Qty)
		l.Qty -= take
		l.InLieu += float64(float64(sign) * take * price)
		fraction -= take
	}
	p.Qty = float64(sign) * whole
	b.dropEmpty(p, whole)
}

// dropEmpty removes lots that gave up all their shares, moving their money to the next lot, and
// rounds the first lot so that lots sum to the whole-share position exactly.
func (b *Books) dropEmpty(p *Position, whole float64) {
	for len(p.Lots) > 1 && p.Lots[0].Qty <= 1e-9 {
		gone := p.Lots[0]
		p.Lots = append(p.Lots[:0], p.Lots[1:]...)
		p.Lots[0].Value += gone.Value
		p.Lots[0].Fees += gone.Fees
		p.Lots[0].Dividends += gone.Dividends
		p.Lots[0].InLieu += gone.InLieu
		p.Lots[0].Borrow += gone.Borrow
	}
	rest := 0.0
	for i := 1; i < len(p.Lots); i++ {
		rest += p.Lots[i].Qty
	}
	p.Lots[0].Qty = whole - rest
}

// Dividend credits longs and debits shorts with cash a share. payable is false when it is to be paid
// later, on session number day or the first after it; until then it is receivable.
func (b *Books) Dividend(sym int32, cash float64, payable bool, day int32) {
	p := &b.Pos[sym]
	amount := float64(p.Qty * cash)
	if amount == 0 {
		return
	}
	sign := 1.0
	if p.Qty < 0 {
		sign = -1
	}
	for i := range p.Lots {
		p.Lots[i].Dividends += float64(sign * p.Lots[i].Qty * cash)
	}
	b.Flows.Dividends.Add(amount)
	if payable {
		b.Cash += amount
		return
	}
	b.Receivable += amount
	b.due = append(b.due, payment{day, amount})
}

// Pay moves dividends that are due by session number day from receivable to cash.
func (b *Books) Pay(day int32) {
	kept := b.due[:0]
	for _, d := range b.due {
		if d.day > day {
			kept = append(kept, d)
			continue
		}
		b.Receivable -= d.amount
		b.Cash += d.amount
	}
	if b.due = kept; len(kept) == 0 {
		b.Receivable = 0
	}
}

// Carries reports whether nights change an account that holds nothing: interest, or dividends due.
func (b *Books) Carries(a *Account) bool {
	return a.CreditRate != 0 || a.DebitRate != 0 || a.CreditSeries != "" || a.DebitSeries != "" || len(b.due) > 0
}

// Night is what calendar nights cost, at annual rates.
type Night struct {
	Nights, Debit, Credit float64
	Borrow                float64  // on the marked value of all shorts
	Fees                  []Charge // for borrowed shares besides, of symbols held short
}

// Carry posts what money cost or earned over calendar nights, at annual rates on a 360-day year: debit
// interest on negative free cash, credit interest on positive free cash, and the borrow fee on the marked
// value of shorts. Free cash is cash less the value of shorts, whose proceeds are collateral.
func (b *Books) Carry(n Night) {
	b.Charged = b.Charged[:0]
	if n.Debit == 0 && n.Credit == 0 && n.Borrow == 0 && len(n.Fees) == 0 {
		return
	}
	short := b.Exposure().Short
	free := b.Cash - short
	interest := max(0, free) * n.Credit * n.Nights / 360
	interest -= max(0, -free) * n.Debit * n.Nights / 360
	fee := short * n.Borrow * n.Nights / 360
	besides := 0.0
	for _, c := range n.Fees {
		b.charge(c)
		besides += c.Fee
	}
	for next := 0; fee != 0 && next < len(b.Held); {
		sym, qty, mark, after := b.Security(next)
		if next = after; qty < 0 {
			b.charge(Charge{sym, fee * (-qty * mark / short)})
		}
	}
	fee += besides
	b.Cash += interest - fee
	b.Flows.Interest.Add(interest)
	b.Flows.Borrow.Add(fee)
}

// charge the shorts of a security with a borrow fee, by shares: those of all symbols that it has.
func (b *Books) charge(c Charge) {
	same := func(s int32) bool { return s == c.Sym || b.Net != nil && b.Net[s] == b.Net[c.Sym] }
	short := 0.0
	for _, s := range b.Held {
		if same(s) {
			short += max(0, -b.Pos[s].Qty)
		}
	}
	for _, s := range b.Held {
		p := &b.Pos[s]
		if !same(s) || p.Qty >= 0 {
			continue
		}
		for i := range p.Lots {
			p.Lots[i].Borrow += float64(c.Fee * (p.Lots[i].Qty / short))
		}
		b.Charged = append(b.Charged, Charge{s, c.Fee * (-p.Qty / short)})
	}
}
