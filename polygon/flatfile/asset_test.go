package flatfile_test

import (
	"bytes"
	"math"
	"testing"

	"backtester/polygon/flatfile"
)

// Files of other classes, in the vendor's columns; the index file as published, stamped with midnight in
// Chicago.
func TestDecodeAssets(t *testing.T) {
	for _, c := range []struct {
		dataset flatfile.Dataset
		text    string
		symbols string
		notes   string
	}{
		{flatfile.Of(flatfile.Indices, flatfile.Day), "ticker,open,close,high,low,window_start\n" +
			"I:NDX,16000.5,16100,16200,15900,1704261600000000000\nI:SPREAD,-2,-1,0,-3,1704261600000000000\nI:SPX,4700,4710,4720,4690,1704261600000000000\n", "I:NDX I:SPX", "not_positive"},
		{flatfile.Of(flatfile.Options, flatfile.Day), head + "O:SPY251219C00650000,200,11.82,9.83,11.82,8.09," + stamp + ",62\nSPY,1,1,1,1,1," + stamp + ",1\n", "O:SPY251219C00650000", "bad_ticker"},
		{flatfile.Of(flatfile.Crypto, flatfile.Minute), head + "X:BTC-USD,0.00012,45000.123456789012345,45000.5,45001,45000,1704326340000000000,3\n", "X:BTC-USD", ""},
		{flatfile.Of(flatfile.Forex, flatfile.Day), head + "C:EURUSD,81234,1.09432,1.09513,1.09961,1.0934,1704240000000000000,81234\n", "C:EURUSD", ""},
	} {
		b, notes, err := flatfile.NewDecoder().Decode(flatfile.Source{Dataset: c.dataset, Session: date(t, "2024-01-03"), Reader: bytes.NewReader(zip(t, c.text))})
		got, codes := "", ""
		for _, s := range b.Symbols {
			got += s + " "
		}
		for _, n := range notes {
			codes += string(n.Code)
		}
		if err != nil || got != c.symbols+" " || codes != c.notes {
			t.Errorf("%s: %q %v %v", c.dataset, got, notes, err)
			continue
		}
		if index := c.dataset.Asset() == flatfile.Indices; math.IsNaN(b.Volume[0]) != index || b.NoVolume != index || index && b.Transactions[0] != -1 {
			t.Errorf("%s: volume %v, transactions %v", c.dataset, b.Volume, b.Transactions)
		}
	}
	stocks := zip(t, "ticker,open,close,high,low,window_start\nA,1,1,1,1,"+stamp+"\n")
	if _, _, err := flatfile.NewDecoder().Decode(flatfile.Source{Dataset: flatfile.Day, Session: date(t, "2024-01-03"), Reader: bytes.NewReader(stocks)}); err == nil {
		t.Error("a file of stocks without volume is taken")
	}
}

func TestKeysOfAssets(t *testing.T) {
	want := map[flatfile.Asset]string{
		flatfile.Stocks: "us_stocks_sip", flatfile.Options: "us_options_opra", flatfile.Indices: "us_indices",
		flatfile.Crypto: "global_crypto", flatfile.Forex: "global_forex",
	}
	for _, a := range flatfile.Assets() {
		for _, unit := range []flatfile.Dataset{flatfile.Day, flatfile.Minute} {
			d := flatfile.Of(a, unit)
			key := flatfile.Key(d, date(t, "2024-01-03"))
			if key != want[a]+"/"+string(unit)+"_aggs_v1/2024/01/2024-01-03.csv.gz" {
				t.Error(key)
			}
			if got, session, ok := flatfile.ParseKey(key); !ok || got != d || got.Asset() != a || got.Unit() != unit || session != date(t, "2024-01-03") {
				t.Errorf("%s: %v %v %v", key, got, session, ok)
			}
		}
	}
	if _, _, ok := flatfile.ParseKey("us_bonds/day_aggs_v1/2024/01/2024-01-03.csv.gz"); ok {
		t.Error("a key of nobody's is taken")
	}
}
