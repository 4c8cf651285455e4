package store

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"backtester/backtest/instrument"
)

// A record reads back to the same bits, and so does one as format 1 wrote it.
func TestRecords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := record{Instrument: instrument.Instrument{ID: "A", Ticker: "A", Name: rapid.String().Draw(t, "name"), Delisted: instrument.None,
			Spans: []instrument.Span{{Ticker: "A", From: instrument.None, To: instrument.Forever}}}}
		date := func(name string) instrument.Date { return instrument.Date(rapid.IntRange(-20000, 40000).Draw(t, name)) }
		amount := rapid.Float64Range(5e-324, 1e15)
		for range rapid.IntRange(0, 3).Draw(t, "splits") {
			r.Actions.Splits = append(r.Actions.Splits, instrument.Split{Ex: date("ex"), From: amount.Draw(t, "from"), To: amount.Draw(t, "to")})
		}
		for range rapid.IntRange(0, 5).Draw(t, "dividends") {
			d := instrument.Dividend{Ex: date("ex"), Pay: date("pay"), Cash: amount.Draw(t, "cash")}
			if rapid.Bool().Draw(t, "no pay date") {
				d.Pay = instrument.None
			}
			if rapid.Bool().Draw(t, "announced") {
				d.Declared = date("declared")
			}
			r.Actions.Dividends = append(r.Actions.Dividends, d)
		}
		b, err := encodeRecord(r)
		if err != nil {
			t.Fatal(err)
		}
		old, err := json.Marshal(struct {
			Instrument instrument.Instrument `json:"instrument"`
			Actions    instrument.Actions    `json:"actions"`
		}{r.Instrument, r.Actions})
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range [][]byte{b, old} {
			got, err := decodeRecord(b)
			if diff := cmp.Diff(r, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
				t.Fatalf("%s: %v %s", b, err, diff)
			}
		}
	})
}

func FuzzRecord(f *testing.F) {
	f.Add(`{"instrument":{"ID":"A"},"splits":"18505 1 4;18506 2 1","dividends":"18481 18487 0.82 18400;18482 - 1e-3"}`)
	f.Add(`{"instrument":{"ID":"A"},"splits":"18505 1","dividends":"- - -"}`)
	f.Add(`{"actions":{"Splits":[{"Ex":"2020-08-31","From":1,"To":4}]}}`)
	f.Fuzz(func(t *testing.T, s string) {
		r, err := decodeRecord([]byte(s))
		if err != nil {
			return
		}
		b, err := encodeRecord(r)
		if err != nil {
			return // numbers that JSON does not have, in the old form
		}
		again, err := decodeRecord(b)
		if diff := cmp.Diff(r, again, cmpopts.EquateEmpty(), cmpopts.EquateNaNs()); err != nil || diff != "" {
			t.Fatalf("%s: %v %s", b, err, diff)
		}
	})
}
