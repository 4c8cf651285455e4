package stress_test

import (
	"slices"
	"strings"
	"testing"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/strategy"
	"backtester/backtest/validate/stress"
)

// zigzag has a stop and a target in most bars, gaps, and closes at levels.
func zigzag(t *testing.T) bar.Source {
	t.Helper()
	s := &bar.Series{Symbol: "AAA", ID: "AAA", Frame: bar.Daily, Delisted: instrument.None}
	for i, d := range bar.NYSE().Sessions(instrument.NewDate(2020, 1, 1), instrument.NewDate(2021, 1, 1)) {
		last := 50.0
		if i > 0 {
			last = s.Close[i-1]
		}
		open, close := last+float64(i%3)/2-0.5, 50+float64(i*7%11)-float64(i*3%5)/4
		s.Time = append(s.Time, d.Nanos())
		s.Open = append(s.Open, open)
		s.High, s.Low = append(s.High, max(open, close)+3), append(s.Low, min(open, close)-3)
		s.Close, s.Volume = append(s.Close, close), append(s.Volume, 1e6)
	}
	src, err := bar.NewMemory(bar.NYSE(), s)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

const bracket = "name: bracket\nuniverse: {symbols: [AAA]}\nentry: {when: close > sma(close, 3), order: limit, price: close - 1}\n" +
	"exit: {stop: at_entry(close) - 2, target: at_entry(close) + 2}\nsize: {shares: 100}\ncosts: {commission: {bps: 5}, slippage: {bps: 3}}\n"

var atMarket = strings.Replace(bracket, ", order: limit, price: close - 1", "", 1)

func playWith(t *testing.T, text string, sets ...strategy.Override) *backtest.Result {
	t.Helper()
	cfg, faults := strategy.Parse("s.yaml", []byte(text))
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	if err := cfg.SetAll(sets); err != nil {
		t.Fatal(err)
	}
	r, err := backtest.Run(t.Context(), cfg, zigzag(t))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Of two runs that differ in one setting, that one is behind the first difference; settings beside it that change
// nothing are not.
func TestSettingBehindTheFirstDifference(t *testing.T) {
	idle := []strategy.Override{{Path: "delisting_haircut", Value: "0.3"}, {Path: "costs.borrow.annual", Value: "0.1"}}
	for _, s := range []struct {
		path, value, part string
	}{
		{"fills.ambiguity", "best", "rule"}, {"fills.entry_bar", "next_bar", "time"}, {"costs.commission.bps", "6", "commission"},
		{"costs.slippage.bps", "4", "price"}, {"size.shares", "90", "quantity"}, {"entry.order", "stop", "time"}, {"exit.stop", "at_entry(close) - 1", "time"},
		{"fills.level_slippage", "none", "price"}, {"data.from", "2020-02-03", "time"},
	} {
		text := bracket
		if s.path == "fills.ambiguity" { // wants both levels in one bar
			text = atMarket
		}
		a := playWith(t, text)
		b := playWith(t, text, append(idle, strategy.Override{Path: s.path, Value: s.value})...)
		d, err := stress.FirstDifference(a, b)
		if err != nil || d == nil {
			t.Fatalf("%s: %v, %v", s.path, d, err)
		}
		if !slices.Contains(d.In, s.part) && s.part != "time" {
			t.Errorf("%s: it differs in %v, want %s among them", s.path, d.In, s.part)
		}
		if d.Proved || d.Behind != nil || len(d.Settings) < 3 {
			t.Errorf("%s: before any run: %+v", s.path, d)
		}
		if err := d.Prove(t.Context(), a, b, zigzag(t)); err != nil {
			t.Fatal(err)
		}
		if want := s.path; len(d.Behind) != 1 || d.Behind[0] != want {
			t.Errorf("%s: behind it is %v", want, d.Behind)
		}
	}
}

// Two settings that only together make a fill are named together, and a third is not.
func TestSettingsBehindTheFirstDifferenceTogether(t *testing.T) {
	a := playWith(t, bracket)
	b := playWith(t, bracket, strategy.Override{Path: "size.shares", Value: "90"}, strategy.Override{Path: "costs.slippage.bps", Value: "9"},
		strategy.Override{Path: "entry.price", Value: "close - 2"}, strategy.Override{Path: "delisting_haircut", Value: "0.3"})
	d, err := stress.FirstDifference(a, b)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Prove(t.Context(), a, b, zigzag(t)); err != nil {
		t.Fatal(err)
	}
	slices.Sort(d.Behind)
	if !slices.Equal(d.Behind, []string{"entry.price", "size.shares"}) {
		t.Errorf("behind it is %v", d.Behind)
	}
}

// The settings of a profile are behind what it changes.
func TestDifferenceUnderAProfile(t *testing.T) {
	a, b := playWith(t, atMarket), playWith(t, atMarket, strategy.Override{Path: "profile", Value: "backtrader"})
	d, err := stress.FirstDifference(a, b)
	if err != nil || d == nil {
		t.Fatal(d, err)
	}
	if err := d.Prove(t.Context(), a, b, zigzag(t)); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(d.Behind, []string{"fills.entry_bar"}) {
		t.Errorf("behind it is %v of %+v", d.Behind, d.Settings)
	}
}

func TestNoDifferenceAndOtherData(t *testing.T) {
	a := playWith(t, bracket)
	if d, err := stress.FirstDifference(a, playWith(t, bracket, strategy.Override{Path: "name", Value: "other"})); d != nil || err != nil {
		t.Errorf("%+v, %v", d, err)
	}
	d, err := stress.FirstDifference(a, playWith(t, bracket, strategy.Override{Path: "size.shares", Value: "90"}))
	if err != nil {
		t.Fatal(err)
	}
	other := *a
	other.FillsSHA256 = "of other data"
	if err := d.Prove(t.Context(), &other, a, zigzag(t)); err == nil || !strings.Contains(err.Error(), "not that of the result any more") || d.Proved {
		t.Errorf("proved on other data: %v", err)
	}
}
