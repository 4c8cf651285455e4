package expr_test

import (
	"math"
	"testing"

	"backtester/backtest/bar"
	"backtester/backtest/expr"
	"backtester/backtest/instrument"
)

var nan = math.NaN()

// check compares a column with values worked by hand.
func check(t *testing.T, s *bar.Series, b bar.Basis, text string, want ...float64) {
	t.Helper()
	got := column(t, s, b, text)
	for i := range got {
		if !(math.Abs(got[i]-want[i]) <= 1e-12*math.Abs(want[i])) && !absent(got[i], want[i]) || absent(got[i]) != absent(want[i]) {
			t.Errorf("%s\n got %v\nwant %v", text, got, want)
			return
		}
	}
}

// Two for one on the third bar: 20, 22 | 11, 12, 10.
func TestSplitTwoForOne(t *testing.T) {
	s := series(20, 22, 11, 12, 10)
	s.Volume = []float64{100, 200, 500, 400, 300}
	s.Actions.Splits = []instrument.Split{{Ex: s.Date(2), From: 1, To: 2}}
	b, _ := bar.NewBasis(s, bar.AdjustSplit, s.Date)

	check(t, s, b, "close", 20, 22, 11, 12, 10)            // as traded
	check(t, s, b, "close[1]", nan, 20, 11, 11, 12)        // 22 was 11 of the new shares
	check(t, s, b, "close[2]", nan, nan, 10, 11, 11)       //
	check(t, s, b, "sma(close, 2)", nan, 21, 11, 11.5, 11) //
	check(t, s, b, "close / close[1] - 1", nan, 0.1, 0, 1./11, 10./12-1)
	check(t, s, b, "gap", nan, 0.1, 0, 1./11, 10./12-1)
	check(t, s, b, "volume[1]", nan, 100, 400, 500, 400)            // 200 old shares were 400 new ones
	check(t, s, b, "sum(volume, 2)", nan, 300, 900, 900, 700)       //
	check(t, s, b, "close > 15", 1, 1, 0, 0, 0)                     // a bare number meets the traded price
	check(t, s, b, "close > close[1]", nan, 1, 0, 1, 0)             // no fall at the split
	check(t, s, b, "close == highest(close, 3)", nan, nan, 1, 1, 0) //
	check(t, s, b, "crosses_below(close, 11.5)", 0, 0, 0, 0, 1)     // 22 was 11 of the new shares: no crossing at the split
	check(t, s, b, "dollar_volume", 2000, 4400, 5500, 4800, 3000)
	check(t, s, b, "sum(dollar_volume, 2)", nan, 6400, 9900, 10300, 7800)
	check(t, s, b, "sum(close * volume, 2)", nan, 6400, 9900, 10300, 7800)
	check(t, s, b, "close * volume > 5000", 0, 0, 1, 0, 0)
	check(t, s, b, "(close + 1)[1]", nan, 21, 11.5, 12, 13) // 23 at its bar, which is 11.5 of the new shares
	check(t, s, b, "(close > 15)[1]", nan, 1, 1, 0, 0)      // a condition is not restated
	check(t, s, b, "max(close - close[1], 0)", nan, 2, 0, 1, 0)
	check(t, s, b, "sqrt(pow(close[1], 2))", nan, 20, 11, 11, 12)
	check(t, s, b, "floor(close[1] / 4)", nan, 5, 2, 2, 3)
	check(t, s, b, "value_when(close > 21, close, 4)", nan, 22, 11, 11, 11)
	check(t, s, b, "count_when(close > 15, 2)", nan, 2, 1, 0, 0)
	check(t, s, b, "coalesce(close[1], close)", 20, 20, 11, 11, 12)
	check(t, s, b, "if(close > 11, close[1], high)", nan, 20, 11, 11, 10)
}

// One for ten on the second bar, and a price that follows the factors of no power of two.
func TestSplitOneForTen(t *testing.T) {
	s := series(1.01, 10.3, 9.9)
	s.Volume = []float64{1000, 90, 80}
	s.Actions.Splits = []instrument.Split{{Ex: s.Date(1), From: 10, To: 1}}
	b, _ := bar.NewBasis(s, bar.AdjustSplit, s.Date)

	check(t, s, b, "close[1]", nan, 10.1, 10.3)
	check(t, s, b, "volume[1]", nan, 100, 90)
	check(t, s, b, "change(close, 1)", nan, 0.2, -0.4)
	check(t, s, b, "sma(close, 2)", nan, 10.2, 10.1)
	check(t, s, b, "close < 5", 1, 0, 0)
	check(t, s, b, "crosses_above(close, 5)", 0, 0, 0) // 1.01 was 10.10 of the new shares
	check(t, s, b, "close * 0.99", 1.01*0.99, 10.3*0.99, 9.9*0.99)

	// What looks at one bar only never goes through the factors: it is exactly as traded.
	if got := column(t, s, b, "close * 0.99 - (high - low) / 3"); got[2] != float64(9.9*0.99)-0 {
		t.Errorf("close * 0.99 is %v, not exactly %v", got[2], 9.9*0.99)
	}
}

// A dividend of 2 on the third bar, after a close of 22; total return restates 22 as 20, as 11 after
// the two-for-one on the fourth bar.
func TestTotalReturn(t *testing.T) {
	s := series(20, 22, 21, 10)
	s.Volume = []float64{100, 200, 300, 400}
	s.Actions.Dividends = []instrument.Dividend{{Ex: s.Date(2), Pay: instrument.None, Cash: 2}}
	s.Actions.Splits = []instrument.Split{{Ex: s.Date(3), From: 1, To: 2}}
	b, skipped := bar.NewBasis(s, bar.AdjustTotal, s.Date)
	if len(skipped) > 0 {
		t.Fatal(skipped)
	}
	check(t, s, b, "close", 20, 22, 21, 10)                      // the value at t is the traded price
	check(t, s, b, "close[1]", nan, 20, 20, 10.5)                // (22-2)/22 of 22
	check(t, s, b, "close[2]", nan, nan, 20*20./22, 10)          //
	check(t, s, b, "close / close[1]", nan, 1.1, 1.05, 10/10.5)  //
	check(t, s, b, "volume[1]", nan, 100, 200, 600)              // volume follows splits only
	check(t, s, b, "dollar_volume", 2000, 4400, 6300, 4000)      //
	check(t, s, b, "dollar_volume[1]", nan, 2000, 4400, 6300)    // raw close times raw volume, for ever
	check(t, s, b, "(close * volume)[1]", nan, 2000, 4000, 6300) // restated price times restated volume
	check(t, s, b, "close * volume == dollar_volume", 1, 1, 1, 1)

	// Dividends alone.
	s.Actions.Splits = nil
	s.Close = []float64{20, 22, 21, 20}
	s.Open, s.High, s.Low = s.Close, s.Close, s.Close
	b, _ = bar.NewBasis(s, bar.AdjustTotal, s.Date)
	check(t, s, b, "close[1]", nan, 20, 20, 21)
	b, _ = bar.NewBasis(s, bar.AdjustSplit, s.Date)
	check(t, s, b, "close[1]", nan, 20, 22, 21)
}

// A basis of ones costs nothing and changes no bit.
func TestBasisOfOnes(t *testing.T) {
	s := walk(400, 2)
	ones := make([]float64, s.Len())
	for i := range ones {
		ones[i] = 1
	}
	for _, text := range []string{tenIndicators, "atr(14)", "close[3]", "close + volume"} {
		if !same(column(t, s, bar.Basis{}, text), column(t, s, bar.Basis{Price: ones, Share: ones}, text)) {
			t.Errorf("%s differs", text)
		}
	}
}

func TestUnits(t *testing.T) {
	price, shares, none := expr.Unit{Price: 1}, expr.Unit{Share: 1}, expr.Unit{}
	for text, want := range map[string]expr.Unit{
		"close": price, "volume": shares, "close * volume": {Price: 1, Share: 1}, "dollar_volume": none,
		"2 * atr(14)": price, "close + 1": price, "1 - close": price, "close - 0": price, "close / open": none,
		"close * close": {Price: 2}, "sqrt(close * close)": price, "sqrt(close)": none, "1 / close": {Price: -1},
		"pow(close, 3)": {Price: 3}, "pow(close, -1)": {Price: -1}, "pow(close, 0.5)": none, "log(close)": none,
		"sma(close, 5)": price, "sma(volume, 5)": shares, "sma(close / open, 5)": none, "rsi(close, 14)": none,
		"variance(close, 5)": {Price: 2}, "bbands(close, 20).upper": price, "macd(close, 12, 26, 9).signal": price,
		"max(close, 5)": price, "if(close > 5, close, 0)": price, "if(close > 5, 1, 2)": none, "coalesce(absent, close)": price,
		"close + volume": none, "count_when(close > 5, 3)": none, "value_when(close > 5, volume, 3)": shares, "month": none,
		"round(close)": price, "sign(close)": none, "hl2": price, "gap": none, "-volume": shares, "abs(close - open)": price,
	} {
		p := compile(t, expr.Scope{}, text)
		r, _ := p.SignalRef("qa")
		if got := p.Unit(r); got != want {
			t.Errorf("%s: unit %v, want %v", text, got, want)
		}
	}
}
