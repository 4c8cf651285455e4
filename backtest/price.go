package backtest

import (
	"math"

	"backtester/backtest/fill"
	"backtester/backtest/order"
)

// price is the reference price after slippage for so many shares. No slippage carries a limit order
// beyond its limit.
func (e *engine) price(i int32, side order.Side, ref, limit, qty float64) float64 {
	s, bars := &e.st[i], e.m.syms[i].bars
	slip := &e.cfg.Costs.Slippage
	if e.matching.Levels == fill.AtCloses {
		limit = math.NaN()
	}
	var taken fill.Taken
	if slip.VolumeShare > 0 || slip.Impact > 0 {
		taken.Share = qty / bars.Volume[s.row]
	}
	if slip.Impact > 0 {
		taken.Sigma = e.m.syms[i].sigma(int(s.row))
	}
	return slip.Within(side, ref, limit, taken, fill.Range{Low: bars.Low[s.row], High: bars.High[s.row]}, e.cfg.Fills.SlippageClip)
}

// unpriced reports whether a fill in a symbol's row pays less than slippage by volume asks for, because what that is
// measured on is not known.
func (e *engine) unpriced(i, row int32) bool {
	slip, sy := &e.cfg.Costs.Slippage, &e.m.syms[i]
	return (slip.Impact > 0 || slip.VolumeShare > 0) && math.IsNaN(sy.bars.Volume[row]) || slip.Impact > 0 && math.IsNaN(sy.sigma(int(row)))
}

// sigma is the standard deviation (n-1) of the last fill.ImpactBars close-to-close returns before a row, in one
// share basis; NaN with fewer.
func (s *symbol) sigma(row int) float64 {
	const n = fill.ImpactBars
	if row <= n {
		return math.NaN()
	}
	var r [n]float64
	sum := 0.0
	for k := range r {
		now, then := row-1-k, row-2-k
		r[k] = float64(s.bars.Close[now]/s.bars.Close[then]*s.shareRatio(then, now)) - 1
		sum += r[k]
	}
	mean, ss := sum/n, 0.0
	for _, x := range r {
		ss += float64((x - mean) * (x - mean))
	}
	return math.Sqrt(ss / (n - 1))
}

// shareRatio is how many shares of row now one share of row then has become.
func (s *symbol) shareRatio(then, now int) float64 {
	if s.basis.Share == nil {
		return 1
	}
	return s.basis.Share[now] / s.basis.Share[then]
}

// sizedAtFill is the size that a working entry gets now that it fills: a value at the price after slippage,
// or a weight of the money that there is, commission included.
func (e *engine) sizedAtFill(i int32, ref float64) float64 {
	w, size, account := &e.st[i].entry, &e.play(i).cfg.Size, e.cfg.Account
	account.Overdraft = false // of an unbounded amount there is no part
	quantity := func(price float64) float64 {
		if size.Value > 0 {
			return size.Value / price
		}
		return e.commission().Affordable(fill.Billed{}, size.Weight*e.play(i).share*max(0, e.books.Room(&account)), price)
	}
	return size.Floor(quantity(e.priceOf(i, w, ref, quantity)))
}

// priceOf is the price of an order whose quantity follows from it, less as it rises, while slippage that depends
// on volume grows with the quantity: the price at which both agree. A purchase has one, found by halving where it
// can lie down to neighbouring numbers. That of a sale is approached from above; where slippage would eat the
// amount there is none, and the last price above 0 counts.
func (e *engine) priceOf(i int32, w *order.Working, ref float64, quantity func(price float64) float64) float64 {
	after := func(qty float64) float64 { return e.price(i, w.Side, ref, w.Limit, qty) }
	low := after(0)
	if slip := &e.cfg.Costs.Slippage; slip.VolumeShare == 0 && slip.Impact == 0 {
		return low
	}
	if w.Side == order.Sell {
		for range 200 {
			price := after(quantity(low))
			if price >= low || price <= 0 {
				break
			}
			low = price
		}
		return low
	}
	for high := after(quantity(low)); ; {
		mid := low + (high-low)/2
		switch agreed := after(quantity(mid)); {
		case mid <= low || mid >= high:
			return high
		case agreed > mid:
			low = mid
		default:
			high = mid
		}
	}
}
