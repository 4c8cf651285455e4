package flatfile_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"

	"backtester/backtest/instrument"
	"backtester/backtest/store"
	"backtester/polygon/flatfile"

	"pgregory.net/rapid"
)

func date(t testing.TB, s string) instrument.Date {
	t.Helper()
	d, err := instrument.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// unzip uses the standard library, not the compressor under test.
func unzip(t testing.TB, b []byte) string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The minute lines are the vendor's own sample of 2025-04-16, 04:35 and 04:36 in New York; the
// daily stamps are midnight in New York in winter (05:00 UTC) and in summer (04:00 UTC).
func TestEncodeWritesTheVendorsFormat(t *testing.T) {
	minute := store.Batch{
		Session: date(t, "2025-04-16"),
		Symbols: []string{"AAPL"}, Start: []int32{0, 2},
		Time: []int64{1744792500000000000, 1744792560000000000},
		Open: []float64{200.29, 200.39}, High: []float64{200.63, 200.61},
		Low: []float64{200.29, 200.34}, Close: []float64{200.5, 200.34},
		Volume: []float64{4930, 1815}, Transactions: []int64{129, 57},
	}
	day := store.Batch{
		Session: date(t, "2023-03-13"),
		Symbols: []string{"NA", "BCpC"}, Start: []int32{0, 1, 2},
		Time: make([]int64, 2),
		Open: []float64{11.82, 1e-5}, High: []float64{11.82, 0.25}, Low: []float64{8.09, 1e-5}, Close: []float64{9.83, 0.2},
		Volume: []float64{200.125, 123456789.5}, Transactions: []int64{62, -1},
	}
	winter := day
	winter.Session, winter.Transactions = date(t, "2023-01-03"), nil
	for _, c := range []struct {
		d    flatfile.Dataset
		b    store.Batch
		want string
	}{
		{flatfile.Minute, minute, "AAPL,4930,200.29,200.5,200.63,200.29,1744792500000000000,129\nAAPL,1815,200.39,200.34,200.61,200.34,1744792560000000000,57\n"},
		{flatfile.Day, day, "NA,200.125,11.82,9.83,11.82,8.09,1678680000000000000,62\nBCpC,123456789.5,0.00001,0.2,0.25,0.00001,1678680000000000000,\n"},
		{flatfile.Day, winter, "NA,200.125,11.82,9.83,11.82,8.09,1672722000000000000,\nBCpC,123456789.5,0.00001,0.2,0.25,0.00001,1672722000000000000,\n"},
	} {
		var out bytes.Buffer
		if err := flatfile.Write(&out, c.d, c.b); err != nil {
			t.Fatal(err)
		}
		want := "ticker,volume,open,close,high,low,window_start,transactions\n" + c.want
		if got := unzip(t, out.Bytes()); got != want {
			t.Errorf("%s %s:\n got %q\nwant %q", c.d, c.b.Session, got, want)
		}
	}
}

func TestEncodeRefusesWhatIsNoFile(t *testing.T) {
	good := store.Batch{Session: date(t, "2023-03-13"), Symbols: []string{"A"}, Start: []int32{0, 1}, Time: []int64{0},
		Open: []float64{1}, High: []float64{1}, Low: []float64{1}, Close: []float64{1}, Volume: []float64{1}}
	for name, breakIt := range map[string]func(*store.Batch){
		"columns of 1 and 2":  func(b *store.Batch) { b.High = []float64{1, 2} },
		"transactions":        func(b *store.Batch) { b.Transactions = []int64{1, 2} },
		"row ranges":          func(b *store.Batch) { b.Start = []int32{0, 2} },
		"start after":         func(b *store.Batch) { b.Symbols, b.Start = []string{"A", "B", "C"}, []int32{0, 2, 0, 1} },
		"A row 0: value NaN":  func(b *store.Batch) { b.Low = []float64{math.NaN()} },
		"A row 0: value +Inf": func(b *store.Batch) { b.Volume = []float64{math.Inf(1)} },
	} {
		b := good
		breakIt(&b)
		err := flatfile.Write(io.Discard, flatfile.Day, b)
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "2023-03-13.csv.gz") {
			t.Errorf("want an error with %q and the file, got %v", name, err)
		}
	}
	if err := flatfile.NewEncoder(77).Encode(io.Discard, flatfile.Day, good); err == nil {
		t.Error("level 77 accepted")
	}
}

// Every number must be what strconv writes as the shortest plain decimal.
func TestEncodeNumbersAreShortest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.OneOf(
			rapid.Float64Range(0, 1e17),
			rapid.Map(rapid.Int64Range(0, 1e15), func(n int64) float64 { return float64(n) / 10000 }),
			rapid.Map(rapid.Int64Range(0, 1e9), func(n int64) float64 { return float64(n) / 100 }),
		).Draw(t, "v")
		b := store.Batch{Session: 20000, Symbols: []string{"A"}, Start: []int32{0, 1}, Time: []int64{0},
			Open: []float64{v}, High: []float64{v}, Low: []float64{v}, Close: []float64{v}, Volume: []float64{v}}
		var out bytes.Buffer
		if err := flatfile.NewEncoder(1).Encode(&out, flatfile.Day, b); err != nil {
			t.Fatal(err)
		}
		r, err := gzip.NewReader(&out)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(r)
		got := strings.Split(strings.Split(string(text), "\n")[1], ",")[1]
		if want := strconv.FormatFloat(v, 'f', -1, 64); got != want {
			t.Fatalf("%v written as %s, want %s", v, got, want)
		}
	})
}

func TestKeyAndBack(t *testing.T) {
	d := date(t, "2024-01-02")
	for ds, want := range map[flatfile.Dataset]string{
		flatfile.Day:    "us_stocks_sip/day_aggs_v1/2024/01/2024-01-02.csv.gz",
		flatfile.Minute: "us_stocks_sip/minute_aggs_v1/2024/01/2024-01-02.csv.gz",
	} {
		if got := flatfile.Key(ds, d); got != want {
			t.Errorf("key %q, want %q", got, want)
		}
		if !strings.HasPrefix(want, flatfile.Prefix(ds, 2024)) {
			t.Errorf("prefix %q of %q", flatfile.Prefix(ds, 2024), want)
		}
		gotSet, gotDate, ok := flatfile.ParseKey(want)
		if gotSet != ds || gotDate != d || !ok {
			t.Errorf("ParseKey(%q) = %v %v %v", want, gotSet, gotDate, ok)
		}
	}
	for _, bad := range []string{"", "2024-01-02.csv.gz", "us_stocks_sip/day_aggs_v1/2024/02/2024-01-02.csv.gz",
		"us_stocks_sip/day_aggs_v1/2024/01/2024-01-32.csv.gz", "us_stocks_sip/trades_v1/2024/01/2024-01-02.csv.gz",
		"us_stocks_sip/day_aggs_v1/2024/01/2024-01-02.csv", "../us_stocks_sip/day_aggs_v1/2024/01/2024-01-02.csv.gz"} {
		if _, _, ok := flatfile.ParseKey(bad); ok {
			t.Errorf("ParseKey accepts %q", bad)
		}
	}
}
