package backtest_test

import (
	"context"
	"reflect"
	"slices"
	"testing"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/strategy"
)

// reused is a source that knows of several owners of tickers.
type reused struct {
	*bar.Memory
	owners map[string][]bar.Owner
}

func (r reused) Owners(_ context.Context, ticker string, _ bar.Frame) ([]bar.Owner, error) {
	return r.owners[ticker], nil
}

// days is a series of n sessions from a date on.
func days(symbol string, id instrument.ID, from instrument.Date, n int) *bar.Series {
	s := &bar.Series{Symbol: symbol, ID: id, Ticker: symbol, Frame: bar.Daily, Delisted: instrument.None}
	for d := from; len(s.Time) < n; d++ {
		if !bar.NYSE().IsSession(d) {
			continue
		}
		s.Time = append(s.Time, d.Nanos())
		s.Open, s.High, s.Low = append(s.Open, 10), append(s.High, 11), append(s.Low, 9)
		s.Close, s.Volume = append(s.Close, 10), append(s.Volume, 1e6)
	}
	return s
}

// The ticker that a security has at the end names it, whichever of its tickers come first.
func TestTickersOfOneSecurity(t *testing.T) {
	from := instrument.NewDate(2024, 1, 2)
	old, now, other := days("OLD", "f1", from, 60), days("NEW", "f1", from, 60), days("ABC", "f2", from, 60)
	old.Ticker = "NEW"
	src, err := bar.NewMemory(bar.NYSE(), old, now, other)
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range []string{"[OLD, NEW, ABC]", "[NEW, ABC, OLD]"} {
		r := played(t, "universe: {symbols: "+list+"}\nentry: close > 5\n", src)
		if want := []string{"ABC", "NEW"}; !reflect.DeepEqual(r.Data.Symbols, want) {
			t.Errorf("%s: symbols %v, want %v", list, r.Data.Symbols, want)
		}
		if got := warningOf(r, "same_security"); got != "OLD and NEW are one security, which is in the run once" {
			t.Errorf("%s: warning %q", list, got)
		}
		if len(r.Trades) != 2 {
			t.Errorf("%s: %d trades, want one of each security", list, len(r.Trades))
		}
	}
}

// A ticker that changed hands within the range is its last owner's, and the warning names the other
// one so that it can be asked for.
func TestOwnersOfOneTicker(t *testing.T) {
	first, last := instrument.NewDate(2023, 1, 3), instrument.NewDate(2024, 1, 2)
	src, err := bar.NewMemory(bar.NYSE(), days("AB", "f2", last, 60))
	if err != nil {
		t.Fatal(err)
	}
	rail := &instrument.Instrument{ID: "f1", Name: "Rail"}
	r := played(t, "universe: {symbols: [AB]}\nentry: close > 5\n", reused{src, map[string][]bar.Owner{"AB": {
		{Ticker: "AB", Instrument: rail, From: first, To: first + 90}, {Ticker: "AB", Instrument: &instrument.Instrument{ID: "f2"}, From: last, To: last + 90}}}})
	if got := warningOf(r, "ticker_reused"); got != "until 2023-04-03 AB was the ticker of another company (Rail), which is not in the run: name it as AB@2023-04-03" {
		t.Errorf("warning %q", got)
	}
	r = played(t, "universe: {symbols: [AB]}\ndata: {from: 2024-01-02}\nentry: close > 5\n", reused{src, map[string][]bar.Owner{"AB": {
		{Ticker: "AB", Instrument: rail, From: first, To: first + 90}, {Ticker: "AB", Instrument: &instrument.Instrument{ID: "f2"}, From: last, To: last + 90}}}})
	if got := warningOf(r, "ticker_reused"); got != "" {
		t.Errorf("the other owner is not in the range, yet: %q", got)
	}
}

func played(t *testing.T, text string, src bar.Source) *backtest.Result {
	t.Helper()
	cfg, faults := strategy.Parse("strategy", []byte(text))
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	r, err := backtest.Run(context.Background(), cfg, src)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func warningOf(r *backtest.Result, code string) string {
	k := slices.IndexFunc(r.Warnings, func(w backtest.Warning) bool { return w.Code == code })
	if k < 0 {
		return ""
	}
	return r.Warnings[k].Message
}
