package instrument

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Clean returns the actions in the form that everybody relies on: sorted by ex-date, without splits
// that cannot be applied (a ratio that is not positive and finite, or 1 for 1), without dividends of
// no cash, and without splits repeated with the same date and ratio. Dividends that look alike are
// kept: several on one ex-date are legitimate, and only the vendor's ids tell repetition from that
// (see Unique).
func Clean(a Actions) Actions {
	ratio := func(s Split) float64 { return s.To / s.From }
	splits := slices.DeleteFunc(slices.Clone(a.Splits), func(s Split) bool {
		return !(s.From > 0 && s.To > 0 && ratio(s) > 0 && ratio(s) <= maxRatio) || s.From == s.To
	})
	slices.SortStableFunc(splits, func(x, y Split) int {
		return cmp.Or(cmp.Compare(x.Ex, y.Ex), cmp.Compare(ratio(x), ratio(y)), cmp.Compare(x.From, y.From))
	})
	splits = slices.CompactFunc(splits, func(x, y Split) bool { return x.Ex == y.Ex && ratio(x) == ratio(y) })
	divs := slices.DeleteFunc(slices.Clone(a.Dividends), func(d Dividend) bool { return !(d.Cash > 0 && d.Cash <= maxRatio) })
	slices.SortStableFunc(divs, func(x, y Dividend) int {
		return cmp.Or(cmp.Compare(x.Ex, y.Ex), cmp.Compare(x.Pay, y.Pay), cmp.Compare(x.Cash, y.Cash))
	})
	return Actions{splits, divs}
}

// maxRatio is beyond every real split and dividend, and below infinity.
const maxRatio = 1e15

// CashOn is the cash of a dividend for one share in the basis of a date at or after its ex-date: splits in
// between have made more or fewer shares of the one that it was for.
func (a Actions) CashOn(d Dividend, on Date) float64 {
	cash := d.Cash
	for _, s := range a.Splits {
		if d.Ex < s.Ex && s.Ex <= on {
			cash *= s.From / s.To
		}
	}
	return cash
}

// Unique drops every item whose id was seen before, keeping the first and the order. Items without an
// id are kept.
func Unique[T any](items []T, id func(T) string) []T {
	seen := make(map[string]bool, len(items))
	return slices.DeleteFunc(slices.Clone(items), func(x T) bool {
		k := id(x)
		twice := k != "" && seen[k]
		seen[k] = true
		return twice
	})
}

// Validate says what is wrong with an instrument: no id, no span, spans that are empty, out of order
// or overlapping, or tickers that cannot be one.
func (in Instrument) Validate() error {
	if in.ID == "" {
		return fmt.Errorf("instrument %s has no id", in.Ticker)
	}
	if len(in.Spans) == 0 {
		return fmt.Errorf("instrument %s has no ticker span", in.ID)
	}
	for i, s := range in.Spans {
		if err := CheckTicker(s.Ticker); err != nil {
			return fmt.Errorf("instrument %s: %w", in.ID, err)
		}
		if s.From > s.To {
			return fmt.Errorf("instrument %s: its time as %s ends (%s) before it begins (%s)", in.ID, s.Ticker, s.To, s.From)
		}
		if i > 0 && in.Spans[i-1].To >= s.From {
			return fmt.Errorf("instrument %s: its times as %s and %s overlap or are out of order", in.ID, in.Spans[i-1].Ticker, s.Ticker)
		}
	}
	if last := in.Spans[len(in.Spans)-1].Ticker; in.Ticker != last {
		return fmt.Errorf("instrument %s: its ticker is %q but its last span says %q", in.ID, in.Ticker, last)
	}
	return nil
}

// TickerOn is the ticker of the instrument on a date; "" when it had none.
func (in Instrument) TickerOn(d Date) string {
	for _, s := range in.Spans {
		if s.From <= d && d <= s.To {
			return s.Ticker
		}
	}
	return ""
}

// TypeOn is the type of the instrument on a date: what the latest dated list up to then said; before the
// first in which it stands, what that said; without any, its latest type.
func (in Instrument) TypeOn(d Date) string {
	kind := in.Type
	for i, k := range in.Types {
		if i > 0 && k.From > d {
			break
		}
		kind = k.Type
	}
	return kind
}

// CheckTicker refuses what cannot be a ticker: nothing, more than 32 bytes, and bytes other than
// printable ASCII without blanks. Case is kept, nothing is a reserved word.
func CheckTicker(s string) error {
	if s == "" {
		return errors.New("a ticker is empty")
	}
	if len(s) > 32 {
		return fmt.Errorf("ticker %.32q... is longer than 32 bytes", s)
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return fmt.Errorf("ticker %q has a byte that no ticker has", s)
		}
	}
	return nil
}
