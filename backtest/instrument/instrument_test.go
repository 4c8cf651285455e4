package instrument_test

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"backtester/backtest/instrument"

	"pgregory.net/rapid"
)

func TestCleanSortsAndDropsWhatCannotBe(t *testing.T) {
	got := instrument.Clean(instrument.Actions{
		Splits: []instrument.Split{
			{Ex: 30, From: 1, To: 2}, {Ex: 10, From: 3, To: 1}, {Ex: 30, From: 2, To: 4}, // the same ratio again
			{Ex: 20, From: 1, To: 1}, {Ex: 20, From: 0, To: 1}, {Ex: 20, From: 1, To: -1}, {Ex: 20, From: math.NaN(), To: 1},
			{Ex: 20, From: 1, To: math.Inf(1)}, {Ex: 20, From: 1, To: 0}, {Ex: 30, From: 1, To: 3}, // a conflict is kept: the audit names it
		},
		Dividends: []instrument.Dividend{
			{Ex: 9, Pay: 12, Cash: 0.5}, {Ex: 3, Pay: instrument.None, Cash: 1}, {Ex: 9, Pay: 12, Cash: 0.5}, // paid twice is legitimate
			{Ex: 5, Cash: 0}, {Ex: 5, Cash: -1}, {Ex: 5, Cash: math.NaN()}, {Ex: 5, Cash: math.Inf(1)},
		},
	})
	want := instrument.Actions{
		Splits:    []instrument.Split{{Ex: 10, From: 3, To: 1}, {Ex: 30, From: 1, To: 2}, {Ex: 30, From: 1, To: 3}},
		Dividends: []instrument.Dividend{{Ex: 3, Pay: instrument.None, Cash: 1}, {Ex: 9, Pay: 12, Cash: 0.5}, {Ex: 9, Pay: 12, Cash: 0.5}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// The order in which a vendor lists actions must not matter, and the input must stay as it is.
func TestCleanDoesNotDependOnOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		split := rapid.Custom(func(rt *rapid.T) instrument.Split {
			return instrument.Split{Ex: instrument.Date(rapid.IntRange(0, 5).Draw(rt, "ex")), From: float64(rapid.IntRange(1, 3).Draw(rt, "from")), To: float64(rapid.IntRange(1, 3).Draw(rt, "to"))}
		})
		dividend := rapid.Custom(func(rt *rapid.T) instrument.Dividend {
			return instrument.Dividend{Ex: instrument.Date(rapid.IntRange(0, 5).Draw(rt, "ex")), Pay: instrument.Date(rapid.IntRange(0, 2).Draw(rt, "pay")), Cash: float64(rapid.IntRange(0, 3).Draw(rt, "cash"))}
		})
		a := instrument.Actions{Splits: rapid.SliceOf(split).Draw(rt, "splits"), Dividends: rapid.SliceOf(dividend).Draw(rt, "dividends")}
		b := instrument.Actions{Splits: rapid.Permutation(a.Splits).Draw(rt, "p"), Dividends: rapid.Permutation(a.Dividends).Draw(rt, "q")}
		before, _ := json.Marshal(a)
		x, y := instrument.Clean(a), instrument.Clean(b)
		if after, _ := json.Marshal(a); string(after) != string(before) {
			rt.Fatal("the input was changed")
		}
		if fmt.Sprint(x) != fmt.Sprint(y) {
			rt.Fatalf("%+v\n%+v", x, y)
		}
	})
}

func TestUniqueById(t *testing.T) {
	got := instrument.Unique([]string{"a1", "b2", "a3", "", "", "b4"}, func(s string) string { return s[:min(1, len(s))] })
	if want := []string{"a1", "b2", "", ""}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTickers(t *testing.T) {
	for _, s := range []string{"A", "BRK.B", "BCpC", "NA", "NAN", "TRUE", "KIMpL", "MRTpA.CL", "O:SPY230327P00390000", "X:BTCUSD"} {
		if err := instrument.CheckTicker(s); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
	for _, s := range []string{"", " A", "A B", "A\n", "A\t", "Ä", "\x7f", strings.Repeat("A", 33)} {
		if err := instrument.CheckTicker(s); err == nil {
			t.Errorf("%q was taken", s)
		}
	}
}

func TestTickerOn(t *testing.T) {
	in := instrument.Instrument{ID: "1", Ticker: "META", Spans: []instrument.Span{{Ticker: "FB", From: 10, To: 19}, {Ticker: "META", From: 21, To: instrument.Forever}}}
	if err := in.Validate(); err != nil {
		t.Fatal(err)
	}
	for d, want := range map[instrument.Date]string{9: "", 10: "FB", 19: "FB", 20: "", 21: "META", 99999: "META", instrument.Forever: "META"} {
		if got := in.TickerOn(d); got != want {
			t.Errorf("day %d: %q, want %q", d, got, want)
		}
	}
}

func TestDates(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := instrument.Date(rapid.IntRange(-200_000, 200_000).Draw(rt, "d"))
		if d.Time().Weekday() != d.Weekday() {
			rt.Fatalf("%s is a %s, not a %s", d, d.Time().Weekday(), d.Weekday())
		}
		if y, err := instrument.ParseDate(d.String()); d.Time().Year() >= 1 && (err != nil || y != d) {
			rt.Fatalf("%s read back as %s, %v", d, y, err)
		}
		ns := d.Nanos()
		if d > -100_000 && d < 100_000 && (instrument.DateOfNanos(ns) != d || instrument.DateOfNanos(ns-1) != d-1 || instrument.DateOfNanos(ns+86400e9-1) != d) {
			rt.Fatalf("%s: instants around it have other dates", d)
		}
	})
	for _, s := range []string{"", "2024-1-2", "2024-02-30", "20240102", "2024-01-02 ", "forever"} {
		if d, err := instrument.ParseDate(s); err == nil {
			t.Errorf("%q was read as %s", s, d)
		}
	}
	for _, d := range []instrument.Date{instrument.None, instrument.Forever, instrument.NewDate(2024, time.February, 29)} {
		b, err := json.Marshal(d)
		var back instrument.Date
		if err != nil || json.Unmarshal(b, &back) != nil || back != d {
			t.Errorf("%s is written as %s and read as %s", d, b, back)
		}
	}
}
