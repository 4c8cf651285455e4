package demo_test

import (
	"context"
	"path/filepath"
	"testing"

	"backtester/backtest/instrument"
	"backtester/polygon/demo"
	"backtester/polygon/reference"
)

// The reference files are read and attached without a single remark by the code for the vendor's.
func TestReferenceIsUnderstood(t *testing.T) {
	dir := t.TempDir()
	if err := demo.Write(context.Background(), dir, 2); err != nil {
		t.Fatal(err)
	}
	data, err := reference.Read(filepath.Join(dir, "reference"))
	if err != nil {
		t.Fatal(err)
	}
	ref, notes := reference.Build(data)
	for _, n := range notes {
		t.Errorf("note: %s", n)
	}
	actions := map[instrument.ID]instrument.Actions{}
	for _, a := range ref.Actions {
		actions[a.ID] = a.Actions
	}
	byTicker := map[string][]instrument.Instrument{}
	for _, i := range ref.Instruments {
		byTicker[i.Ticker] = append(byTicker[i.Ticker], i)
	}
	one := func(ticker string) instrument.Instrument {
		if len(byTicker[ticker]) != 1 {
			t.Fatalf("%d instruments are called %s, want 1", len(byTicker[ticker]), ticker)
		}
		return byTicker[ticker][0]
	}
	if got := one("NEWCO").Spans; len(got) != 2 || got[0].Ticker != "OLDCO" || got[0].To.String() != "2021-06-08" || got[1].From.String() != "2021-06-09" {
		t.Errorf("NEWCO traded as %+v, want OLDCO to 2021-06-08, then NEWCO", got)
	}
	if got := one("GONE").Delisted.String(); got != "2019-06-29" {
		t.Errorf("GONE is not listed from %q on, want the day after its last session, 2019-06-29", got)
	}
	if len(byTicker["REUSE"]) != 2 {
		t.Errorf("%d companies used REUSE, want 2", len(byTicker["REUSE"]))
	}
	splits := actions[one("SPLIT").ID].Splits
	if len(splits) != 2 || splits[0].To/splits[0].From != 2 || splits[1].To/splits[1].From != 1.5 {
		t.Errorf("SPLIT has splits %+v, want 2:1 and 3:2", splits)
	}
	if s := actions[one("REVRS").ID].Splits; len(s) != 1 || s[0].From != 10 || s[0].To != 1 {
		t.Errorf("REVRS has splits %+v, want 1:10", s)
	}
	special := 0
	for _, d := range actions[one("YIELD").ID].Dividends {
		if d.Cash == 3.5 {
			special++
		}
	}
	if special != 1 {
		t.Errorf("YIELD paid %d dividends of 3.50, want the special one", special)
	}
	if x := one("OILY"); x.TypeOn(instrument.NewDate(2018, 9, 28)) != "ADRC" || x.TypeOn(instrument.NewDate(2018, 10, 1)) != "CS" || len(x.Types) != 2 {
		t.Errorf("OILY was %+v, want ADRC up to the list of 2018-10-01", x.Types)
	}
	if x := one("LATE"); len(x.Types) != 1 || x.Types[0].Type != "CS" || x.Types[0].From.String() != "2018-10-01" {
		t.Errorf("LATE was %+v, want CS from its first list on", x.Types)
	}
	for _, ticker := range []string{"BCPC", "BCpC", "NA"} {
		one(ticker)
	}
}
