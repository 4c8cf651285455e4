package barfile

import (
	"slices"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// Restore turns prices that were restated (PricesSplit, PricesTotal) back into those that traded, in
// new columns, given the actions in the form of instrument.Clean with dividends as they were paid.
// Raw prices stay as they are. It takes it that every split given had been applied, also one after
// the last bar, as data that is cut after a download has it.
//
// It is the inverse of the formulas of bar.Basis, from the last bar backwards: before a split of b
// for a, prices are multiplied by b/a and volume divided by it. For PricesTotal, with G the product of
// the factors of later dividends, the adjusted close before an ex-date is A = (C - d) x G, so the close
// that traded is C = A/G + d, and what lies before is divided by G x (C-d)/C = A/C from there on.
func Restore(s *bar.Series, prices Prices, a instrument.Actions) *bar.Series {
	if prices == PricesRaw || s.Len() == 0 {
		return s
	}
	date := s.Date
	if s.Frame.Intraday() {
		date = func(i int) instrument.Date { return bar.NYSE().DateOf(s.Time[i]) }
	}
	out := *s
	columns := []*[]float64{&out.Open, &out.High, &out.Low, &out.Close, &out.Volume}
	for _, c := range columns {
		*c = slices.Clone(*c)
	}
	var dividends []instrument.Dividend
	if prices == PricesTotal {
		dividends = a.Dividends
	}
	share, money := 1.0, 1.0 // of bar i: raw = restated x share / money
	k, j := len(a.Splits), len(dividends)
	for i := s.Len() - 1; i >= 0; i-- {
		d := date(i)
		for ; k > 0 && a.Splits[k-1].Ex > d; k-- {
			share *= a.Splits[k-1].To / a.Splits[k-1].From
		}
		cash := 0.0
		for ; j > 0 && dividends[j-1].Ex > d; j-- {
			if i+1 < s.Len() { // those after the last bar are not in it
				cash += a.CashOn(dividends[j-1], instrument.Forever) // in the basis of the restated prices
			}
		}
		if cash > 0 {
			money = s.Close[i] / (s.Close[i]/money + cash)
		}
		for _, c := range columns[:4] {
			(*c)[i] = float64((*c)[i]/money) * share
		}
		out.Volume[i] /= share
	}
	return &out
}

// AsPaid turns dividends that were restated for later splits, as Yahoo's are, back into the cash that
// was paid for a share of their day.
func AsPaid(a instrument.Actions) instrument.Actions {
	out := instrument.Actions{Splits: a.Splits, Dividends: slices.Clone(a.Dividends)}
	for i := range out.Dividends {
		for _, s := range a.Splits {
			if s.Ex > out.Dividends[i].Ex {
				out.Dividends[i].Cash *= s.To / s.From
			}
		}
	}
	return out
}
