package bar_test

import (
	"math"
	"slices"
	"testing"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"

	"pgregory.net/rapid"
)

// daily is a series of closes on consecutive sessions from a date.
func daily(t testing.TB, from string, closes ...float64) *bar.Series {
	t.Helper()
	ds := bar.NYSE().Sessions(day(t, from), instrument.Forever)[:len(closes)]
	s := &bar.Series{Symbol: "X", Frame: bar.Daily, Delisted: instrument.None}
	for i, c := range closes {
		s.Time = append(s.Time, ds[i].Nanos())
		s.Open, s.High = append(s.Open, c), append(s.High, c)
		s.Low, s.Close, s.Volume = append(s.Low, c), append(s.Close, c), append(s.Volume, 100)
	}
	return s
}

// seen is the price of bar i as an expression at bar t sees it, see Basis.
func seen(s *bar.Series, b bar.Basis, i, t int) float64 {
	pi, _ := b.At(i)
	pt, _ := b.At(t)
	return s.Close[i] * pi / pt
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-12*math.Abs(b) }

// Splits of AAPL 2:1 on 2005-02-28, 7:1 on 2014-06-09 and 4:1 on 2020-08-31: the vendor gives the
// factor 0.017857 for bars before the first, which is 1/56.
func TestFactorsOfApple(t *testing.T) {
	s := daily(t, "2005-02-25", 88.99, 44.86)
	s.Time = append(s.Time, day(t, "2014-06-09").Nanos(), day(t, "2020-08-31").Nanos())
	s.Close = append(s.Close, 93.70, 129.04)
	s.Actions.Splits = []instrument.Split{
		{Ex: day(t, "2005-02-28"), From: 1, To: 2}, {Ex: day(t, "2014-06-09"), From: 1, To: 7}, {Ex: day(t, "2020-08-31"), From: 1, To: 4},
	}
	b, skipped := bar.NewBasis(s, bar.AdjustSplit, s.Date)
	if len(skipped) > 0 || b.Price[0] != 1 || b.Price[1] != 2 || b.Price[2] != 14 || b.Price[3] != 56 || !slices.Equal(b.Price, b.Share) {
		t.Fatalf("factors %v %v", b.Price, b.Share)
	}
	if got := seen(s, b, 0, 3); !near(got, 88.99/56) || math.Abs(got/88.99-0.017857) > 1e-6 {
		t.Errorf("2005 as seen in 2020: %v", got)
	}
	if seen(s, b, 0, 0) != 88.99 || seen(s, b, 3, 3) != 129.04 {
		t.Error("a bar does not see its own price as it traded")
	}
}

// A reverse split of ETHA, 1 for 3: 20.34 becomes 61.02, and 45,879 shares 15,293 (the vendor's
// example).
func TestReverseSplit(t *testing.T) {
	s := daily(t, "2026-10-05", 20.34, 61.5)
	s.Volume[0] = 45879
	s.Actions.Splits = []instrument.Split{{Ex: s.Date(1), From: 3, To: 1}}
	b, _ := bar.NewBasis(s, bar.AdjustSplit, s.Date)
	if got := seen(s, b, 0, 1); !near(got, 61.02) {
		t.Errorf("price %v, want 61.02", got)
	}
	if got := s.Volume[0] / b.Share[0] * b.Share[1]; !near(got, 15293) {
		t.Errorf("volume %v, want 15293", got)
	}
}

// Two dividends of 0.26: the vendor's factor for AAPL at the end of October 2025 is
// (1 - 0.26/229.35)(1 - 0.26/268.47) = 0.997899.
func TestDividendFactors(t *testing.T) {
	s := daily(t, "2025-08-08", 229.35, 227.18, 268.47, 269.43)
	s.Actions.Dividends = []instrument.Dividend{{Ex: s.Date(1), Cash: 0.26}, {Ex: s.Date(3), Cash: 0.26}}
	b, skipped := bar.NewBasis(s, bar.AdjustTotal, s.Date)
	if got := seen(s, b, 0, 3) / 229.35; len(skipped) > 0 || math.Abs(got-0.997899) > 5e-7 {
		t.Errorf("factor %v, want 0.997899", got)
	}
	if b.Share[3] != 1 {
		t.Errorf("volume is scaled by a dividend: %v", b.Share)
	}
	if b, _ := bar.NewBasis(s, bar.AdjustSplit, s.Date); b.Price != nil {
		t.Errorf("split adjustment applies dividends: %v", b.Price)
	}
}

// Split and dividend on one day: 100 before, 2 for 1, then 1 USD for each new share: 100 is seen as
// 50 x 49/50 = 49.
func TestSplitAndDividendOnOneDay(t *testing.T) {
	s := daily(t, "2024-01-02", 100, 49, 50)
	s.Actions.Splits = []instrument.Split{{Ex: s.Date(1), From: 1, To: 2}}
	s.Actions.Dividends = []instrument.Dividend{{Ex: s.Date(1), Cash: 0.4}, {Ex: s.Date(1), Cash: 0.6}}
	b, skipped := bar.NewBasis(s, bar.AdjustTotal, s.Date)
	if got := seen(s, b, 0, 1); len(skipped) > 0 || !near(got, 49) {
		t.Errorf("seen as %v, want 49", got)
	}
}

func TestImpossibleDividends(t *testing.T) {
	s := daily(t, "2024-01-02", 100, 99, 98)
	s.Actions.Dividends = []instrument.Dividend{
		{Ex: s.Date(0), Cash: 5}, // before the series: a constant that cancels
		{Ex: s.Date(1), Cash: 100}, {Ex: s.Date(1), Cash: 1}, {Ex: s.Date(2), Cash: math.NaN()},
	}
	b, skipped := bar.NewBasis(s, bar.AdjustTotal, s.Date)
	if len(skipped) != 2 || skipped[0].Cash != 100 || b.Price[0] != 1 || !near(b.Price[1], 100.0/99) || b.Price[2] != b.Price[1] {
		t.Errorf("skipped %v, factors %v", skipped, b.Price)
	}
}

func TestNothingToAdjust(t *testing.T) {
	s := daily(t, "2024-01-02", 100, 99)
	s.Actions.Splits = []instrument.Split{{Ex: s.Date(1), From: 1, To: 2}}
	if b, _ := bar.NewBasis(s, bar.AdjustRaw, s.Date); b.Price != nil {
		t.Error("raw is adjusted")
	}
	s.Adjusted = true
	if b, _ := bar.NewBasis(s, bar.AdjustTotal, s.Date); b.Price != nil {
		t.Error("an adjusted source is adjusted again")
	}
	if p, q := (bar.Basis{}).At(7); p != 1 || q != 1 {
		t.Error("no basis is not 1")
	}
}

// The promise of the market's rules: a later action changes no earlier bit, and neither does cutting
// the future off.
func TestLaterActionsChangeNothingEarlier(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(2, 40).Draw(rt, "bars")
		closes := rapid.SliceOfN(rapid.Float64Range(0.01, 1000), n, n).Draw(rt, "closes")
		s := daily(t, "2024-01-02", closes...)
		draw := func(lo, hi int) instrument.Actions {
			var a instrument.Actions
			for range rapid.IntRange(0, 4).Draw(rt, "splits") {
				a.Splits = append(a.Splits, instrument.Split{Ex: s.Date(0) + instrument.Date(rapid.IntRange(lo, hi).Draw(rt, "ex")),
					From: float64(rapid.IntRange(1, 7).Draw(rt, "from")), To: float64(rapid.IntRange(1, 7).Draw(rt, "to"))})
			}
			for range rapid.IntRange(0, 4).Draw(rt, "dividends") {
				a.Dividends = append(a.Dividends, instrument.Dividend{Ex: s.Date(0) + instrument.Date(rapid.IntRange(lo, hi).Draw(rt, "ex")),
					Cash: rapid.Float64Range(0.01, 20).Draw(rt, "cash")})
			}
			return a
		}
		k := rapid.IntRange(1, n-1).Draw(rt, "cut")
		early := int(s.Date(k-1) - s.Date(0))
		before, later := draw(-10, early), draw(early+1, 100)
		s.Actions = instrument.Clean(before)
		adjust := rapid.SampledFrom([]bar.Adjust{bar.AdjustSplit, bar.AdjustTotal}).Draw(rt, "adjust")
		cut, _ := bar.NewBasis(s.Slice(0, k), adjust, s.Date)
		s.Actions = instrument.Clean(instrument.Actions{
			Splits: append(before.Splits, later.Splits...), Dividends: append(before.Dividends, later.Dividends...)})
		all, _ := bar.NewBasis(s, adjust, s.Date)
		for i := range k {
			p, q := cut.At(i)
			r, u := all.At(i)
			if math.Float64bits(p) != math.Float64bits(r) || math.Float64bits(q) != math.Float64bits(u) {
				rt.Fatalf("bar %d of %d: factors %v %v, with later actions %v %v", i, k, p, q, r, u)
			}
		}
	})
}
