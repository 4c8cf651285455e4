package polygon_test

import (
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/store"
	"backtester/polygon"
	"backtester/polygon/flatfile"
)

// bars of one symbol at times of a date, without volume for indices.
func barsAt(d string, symbol string, times ...int64) store.Batch {
	b := store.Batch{Session: day(d), Symbols: []string{symbol}, Start: []int32{0, int32(len(times))}, Time: times}
	b.NoVolume = strings.HasPrefix(symbol, "I:")
	for i := range times {
		price, volume := 100+float64(i), 2.5
		if b.NoVolume {
			volume = math.NaN()
		}
		b.Open, b.High, b.Low, b.Close = append(b.Open, price), append(b.High, price), append(b.Low, price), append(b.Close, price)
		b.Volume, b.Transactions = append(b.Volume, volume), append(b.Transactions, -1)
	}
	return b
}

func TestAssets(t *testing.T) {
	midnight := func(d string, minute int64) int64 { return day(d).Nanos() + minute*60e9 }
	open, _, _, _ := bar.NYSE().Hours(day("2024-01-02"))
	for _, c := range []struct {
		asset          flatfile.Asset
		symbol         string
		minutes        []int64 // of 2024-01-02
		off            string  // a date off the calendar of stocks
		sessions, name string
	}{
		{flatfile.Crypto, "X:BTCUSD", []int64{midnight("2024-01-02", 0), midnight("2024-01-02", 1439)}, "2024-01-06", "2024-01-02 2024-01-06", "always"},
		{flatfile.Forex, "C:EUR-USD", []int64{midnight("2024-01-02", 5)}, "2024-01-07", "2024-01-02 2024-01-07", "forex"},
		{flatfile.Forex, "C:EUR-USD", []int64{midnight("2024-01-02", 5)}, "2024-01-06", "2024-01-02", "forex"}, // a Saturday
		{flatfile.Options, "O:SPY251219C00650000", []int64{open}, "", "2024-01-02", "XNYS"},
		{flatfile.Indices, "I:SPX", []int64{open, open + 60e9}, "2024-01-01", "2024-01-02", "XNYS"},
	} {
		v, dir := newVendor(t), t.TempDir()
		days, minutes := flatfile.Of(c.asset, flatfile.Day), flatfile.Of(c.asset, flatfile.Minute)
		v.files[flatfile.Key(days, day("2024-01-02"))] = encode(t, days, barsAt("2024-01-02", c.symbol, day("2024-01-02").Nanos()))
		v.files[flatfile.Key(minutes, day("2024-01-02"))] = encode(t, minutes, barsAt("2024-01-02", c.symbol, c.minutes...))
		if c.off != "" {
			v.files[flatfile.Key(days, day(c.off))] = encode(t, days, barsAt(c.off, c.symbol, day(c.off).Nanos()))
		}
		o := v.options(t, dir)
		o.Asset, o.Datasets = c.asset, []string{polygon.Day, polygon.Minute}
		o.REST.Key = "rest-key" // nothing is asked of it
		o.Verify, o.To = true, day("2024-01-07")
		o.Now = func() time.Time { return day("2024-01-08").Time() }
		s := fetch(t, o)
		lacking := 0 // from 2024-01-03 to 2024-01-05 there is no file
		if strings.Contains(c.sessions, " ") {
			lacking = 1
		}
		if len(s.Bars) != 2 || s.Bars[1].Rows != int64(len(c.minutes)) || len(s.Warnings) != lacking || s.Reference != nil {
			t.Errorf("%s: %+v", c.asset, s)
		}
		to := filepath.Join(dir, "store")
		if got := sessionsOf(t, to, bar.Daily); got != c.sessions {
			t.Errorf("%s: sessions %s", c.asset, got)
		}
		st, err := store.Open(to)
		if err != nil {
			t.Fatal(err)
		}
		got, err := st.Load(t.Context(), bar.Request{Symbol: c.symbol, Frame: bar.Minutely, From: day("2024-01-02"), To: day("2024-01-02"), Session: bar.Extended})
		if err != nil || got.Len() != len(c.minutes) || got.NoVolume != (c.asset == flatfile.Indices) || st.Calendar().Name() != c.name {
			t.Errorf("%s: %+v %v", c.asset, got, err)
		}
		if err == nil && got.Time[got.Len()-1] != c.minutes[len(c.minutes)-1] {
			t.Errorf("%s: last minute %d", c.asset, got.Time[got.Len()-1])
		}
		st.Close()
		flip(t, filepath.Join(to, "day-2024-*.seg"))
		if s = fetch(t, o); len(s.Damaged) != 1 || !s.Damaged[0].Healed || sessionsOf(t, to, bar.Daily) != c.sessions {
			t.Errorf("%s: %+v", c.asset, s)
		}
		o.Asset = flatfile.Crypto // a class with another calendar
		if c.name != "XNYS" {
			o.Asset = flatfile.Options
		}
		if _, err := polygon.Sync(t.Context(), o); err == nil || !strings.Contains(err.Error(), "another directory") {
			t.Errorf("%s into the store of %s: %v", o.Asset, c.asset, err)
		}
	}
}

func TestAssetsHaveNoReferenceData(t *testing.T) {
	v := newVendor(t)
	for want, change := range map[string]func(*polygon.Options){
		`asset "bonds": want one of`: func(o *polygon.Options) { o.Asset = "bonds" },
		"actions is for stocks":      func(o *polygon.Options) { o.Asset, o.Datasets = flatfile.Crypto, []string{polygon.Actions} },
		"for stocks only":            func(o *polygon.Options) { o.Asset, o.Source = flatfile.Forex, polygon.REST },
	} {
		o := v.options(t, t.TempDir())
		change(&o)
		if _, err := polygon.Sync(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if len(v.took()) != 0 {
		t.Error("the vendor was asked")
	}
}

// A day on which nobody trades currencies is known by the vendor's files, once they are settled.
func TestForexClosures(t *testing.T) {
	v, dir := newVendor(t), t.TempDir()
	days := flatfile.Of(flatfile.Forex, flatfile.Day)
	for _, d := range bar.Forex().Sessions(day("2024-12-20"), day("2025-01-08")) {
		if d != day("2024-12-25") && d != day("2025-01-01") && d != day("2025-01-07") {
			v.files[flatfile.Key(days, d)] = encode(t, days, barsAt(d.String(), "C:EUR-USD", d.Nanos()))
		}
	}
	o := v.options(t, dir)
	o.To = day("2025-01-08")
	o.Asset, o.Datasets, o.Now = flatfile.Forex, []string{polygon.Day}, func() time.Time { return day("2025-01-10").Time() }
	fetch(t, o)
	s := fetch(t, o) // what the first one found out
	if len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0].Message, "3 sessions of the calendar: 2024-12-25, 2025-01-01, 2025-01-07") {
		t.Errorf("%v", s.Warnings)
	}
	st, err := store.Open(filepath.Join(dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	for d, want := range map[string]bool{"2024-12-24": true, "2024-12-25": false, "2024-12-28": false, "2024-12-29": true, "2025-01-01": false, "2025-01-07": true} {
		if st.Calendar().IsSession(day(d)) != want {
			t.Errorf("%s is a session: %v", d, !want)
		}
	}
	open, closing, early, _ := st.Calendar().Hours(day("2024-12-27"))
	if open != day("2024-12-27").Nanos() || closing-open != 22*3600e9 || early {
		t.Errorf("Friday from %d to %d, %v", open, closing, early)
	}
	if open, closing, _, _ := st.Calendar().Hours(day("2024-07-07")); open-day("2024-07-07").Nanos() != 21*3600e9 || closing != day("2024-07-08").Nanos() {
		t.Errorf("a Sunday in summer from %d to %d", open, closing)
	}
}
