package portfolio

import (
	"math"
	"slices"
)

// Regulation T and FINRA rule 4210, as fractions of market value.
const (
	initialMargin   = 0.5  // of longs and shorts alike
	longMaintenance = 0.25 // of longs
)

// rounding is what sums of money may be off, as a fraction of what they are held against: equity that just meets a
// requirement calls for nothing, and a price that is that of the purchase gains nothing.
const rounding = 1e-12

// Maintenance is the equity that FINRA rule 4210(c) asks for holding qty shares at price, USD:
// 25 % of longs; for shorts the larger of 30 % and $5 a share, and under $5 the larger of 100 % and
// $2.50 a share.
func Maintenance(qty, price float64) float64 {
	if qty >= 0 {
		return longMaintenance * qty * price
	}
	n := -qty
	if price < 5 {
		return n * max(price, 2.5)
	}
	return n * max(0.3*price, 5)
}

// Room is the value that a new order may have in account a, USD: free cash in a cash account; in a
// margin account what keeps equity >= 50 % of longs plus shorts; in a covered one what keeps it >= all of
// them. With an overdraft there is no bound.
func (b *Books) Room(a *Account) float64 {
	switch {
	case a.Overdraft:
		return math.Inf(1)
	case a.Kind != RegT && a.Kind != Covered:
		return b.Cash
	}
	x := b.Exposure()
	if a.Kind == Covered {
		return b.Equity() - x.Long - x.Short
	}
	return (b.Equity() / initialMargin) - x.Long - x.Short
}

// Deficit is by how much equity falls short of the maintenance requirement; 0 when it does not, and
// always in a cash account.
func (b *Books) Deficit(a *Account) float64 {
	if a.Kind != RegT || len(b.Held) == 0 {
		return 0
	}
	need := 0.0
	for n := 0; n < len(b.Held); {
		_, qty, mark, next := b.Security(n)
		need += Maintenance(qty, mark)
		n = next
	}
	if short := need - b.Equity(); short > rounding*need {
		return short
	}
	return 0
}

// Liquidation lists positions whose closing cures a deficit, the largest requirement first, ties by
// symbol: as many as are needed at their marks. Closing a position frees its requirement; of a security that
// several symbols hold all are closed.
func (b *Books) Liquidation(deficit float64, dst []int32) []int32 {
	dst = dst[:0]
	for slack := rounding * deficit; deficit > slack && len(dst) < len(b.Held); {
		worst, end, most := -1, -1, math.Inf(-1)
		for n := 0; n < len(b.Held); {
			s, qty, mark, next := b.Security(n)
			if m := Maintenance(qty, mark); m > most && !slices.Contains(dst, s) {
				worst, end, most = n, next, m
			}
			n = next
		}
		dst = append(dst, b.Held[worst:end]...)
		deficit -= most
	}
	return dst
}
