package bar

import (
	"backtester/backtest/instrument"
)

// Adjust says for which actions an expression's history is restated.
type Adjust string

const (
	AdjustSplit Adjust = "split" // splits only: the default
	AdjustTotal Adjust = "total" // splits and cash dividends
	AdjustRaw   Adjust = "raw"   // nothing
)

// Basis restates a Series for the actions executed on or before each bar, never for later ones.
//
// Rule: at bar t a price of bar i <= t is seen as raw[i] x (product of a/b over splits of b for a
// executed in (i, t]), and with AdjustTotal also x (product of (C-d)/C over ex-dates in (i, t]).
// Stored as running factors from the first bar on, so that
//
//	constant(i) = raw[i] x Price[i]           comparable along the series
//	seen at t   = constant(i) / Price[t]
//	volume seen at t = raw volume[i] / Share[i] x Share[t]
//
// The factors of bar t depend on actions up to t only: adding a later one changes no earlier bit.
// Nil slices mean 1 everywhere.
type Basis struct {
	Price []float64 // multiplies prices
	Share []float64 // divides share counts; equals Price without dividends
}

// NewBasis computes the factors of s; date(i) gives the session date of bar i. Factors start at the
// instrument's first known split, whether or not the series reaches back to it, so that they do not
// depend on how much history is loaded. A dividend needs the raw close of the bar before its ex-date; one that
// is not smaller than that close is skipped and returned.
func NewBasis(s *Series, adjust Adjust, date func(i int) instrument.Date) (b Basis, skipped []instrument.Dividend) {
	if adjust == AdjustRaw || s.Adjusted || s.Len() == 0 {
		return Basis{}, nil
	}
	splits, divs := s.Actions.Splits, s.Actions.Dividends
	if adjust == AdjustSplit {
		divs = nil
	}
	last := date(s.Len() - 1)
	if (len(splits) == 0 || splits[0].Ex > last) && (len(divs) == 0 || divs[0].Ex > last) {
		return Basis{}, nil
	}
	n := s.Len()
	b.Price, b.Share = make([]float64, n), make([]float64, n)
	price, share := 1.0, 1.0
	si, di := 0, 0
	for i := range n {
		d := date(i)
		for ; si < len(splits) && splits[si].Ex <= d; si++ {
			f := splits[si].To / splits[si].From
			price *= f
			share *= f
		}
		cash := 0.0
		for ; di < len(divs) && divs[di].Ex <= d; di++ {
			if i == 0 {
				continue // before the loaded bars: a constant factor that cancels everywhere
			}
			// The close before and the dividend, in the basis of this bar.
			c := s.Close[i-1] * b.Share[i-1] / share
			if all := cash + s.Actions.CashOn(divs[di], d); all < c && all >= cash {
				cash = all
			} else { // also when something is NaN
				skipped = append(skipped, divs[di])
			}
		}
		if cash > 0 {
			c := s.Close[i-1] * b.Share[i-1] / share
			price *= c / (c - cash)
		}
		b.Price[i], b.Share[i] = price, share
	}
	return b, skipped
}

// At is the price and share factor of bar i.
func (b Basis) At(i int) (price, share float64) {
	if b.Price == nil {
		return 1, 1
	}
	return b.Price[i], b.Share[i]
}
