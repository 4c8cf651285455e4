package barfile_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"backtester/backtest/bar"
	"backtester/backtest/barfile"
	"backtester/backtest/instrument"
)

func tempFile(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// rowsOf shows an import as text: a line a bar, and a line an action.
func rowsOf(list []barfile.Imported) string {
	var b strings.Builder
	for _, x := range list {
		s := x.Series
		fmt.Fprintf(&b, "%s %s %s known=%v paid=%v\n", x.Symbol, s.Frame, x.Prices, x.Known, x.AsPaid)
		for i := range s.Len() {
			stamp := s.Date(i).String()
			if s.Frame.Intraday() {
				stamp = fmt.Sprint((s.Time[i] - bar.NYSE().Midnight(bar.NYSE().DateOf(s.Time[i]))) / 60e9)
			}
			fmt.Fprintf(&b, "%s %v %v %v %v %v\n", stamp, s.Open[i], s.High[i], s.Low[i], s.Close[i], s.Volume[i])
		}
		for _, a := range x.Actions.Splits {
			fmt.Fprintf(&b, "split %s %v:%v\n", a.Ex, a.To, a.From)
		}
		for _, a := range x.Actions.Dividends {
			fmt.Fprintf(&b, "dividend %s %v\n", a.Ex, a.Cash)
		}
	}
	return b.String()
}

func TestImportLayouts(t *testing.T) {
	for _, c := range []struct{ name, file, text, want string }{
		{"Yahoo", "AAPL.csv", "Date,Open,High,Low,Close,Adj Close,Volume\n2024-01-02,187.15,188.44,183.89,185.64,184.94,82488700\n2024-01-03,184.22,185.88,183.43,184.25,183.55,58414500\n", `
AAPL 1d split known=false paid=false
2024-01-02 187.15 188.44 183.89 185.64 8.24887e+07
2024-01-03 184.22 185.88 183.43 184.25 5.84145e+07
`},
		{"yfinance", "NVDA.csv", "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits\n2024-06-07 00:00:00-04:00,119.6,121.5,117.9,120.7,412386000,0.0,0.0\n2024-06-10 00:00:00-04:00,120.2,123.0,117.0,121.6,314162700,0.0,10.0\n2024-06-11 00:00:00-04:00,121.6,122.8,118.6,120.8,222551200,0.01,0.0\n", `
NVDA 1d total known=true paid=false
2024-06-07 119.6 121.5 117.9 120.7 4.12386e+08
2024-06-10 120.2 123 117 121.6 3.141627e+08
2024-06-11 121.6 122.8 118.6 120.8 2.225512e+08
split 2024-06-10 10:1
dividend 2024-06-11 0.01
`},
		{"Stooq's days", "aapl.us.txt", "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\nBRK-B.US,D,20240102,000000,187.15,188.44,183.88,185.64,82488674,0\n", `
BRK-B 1d total known=false paid=false
2024-01-02 187.15 188.44 183.88 185.64 8.2488674e+07
`},
		{"Stooq's minutes", "x.txt", "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\nAAPL.US,1,20240102,093000,1,2,1,2,10,0\nAAPL.US,1,20240102,093100,2,3,2,3,11,0\n", `
AAPL 1m total known=false paid=false
570 1 2 1 2 10
571 2 3 2 3 11
`},
		{"many symbols, interleaved, newest first", "all.csv", "Name,date,open,high,low,close,volume\nBCpC,2024-01-03,3,4,3,4,1\nBCPC,2024-01-03,5,6,5,6,2\nBCpC,2024-01-02,1,2,1,2,3\nNA,2024-01-02,7,8,7,8,4\n", `
BCPC 1d raw known=false paid=true
2024-01-03 5 6 5 6 2
BCpC 1d raw known=false paid=true
2024-01-02 1 2 1 2 3
2024-01-03 3 4 3 4 1
NA 1d raw known=false paid=true
2024-01-02 7 8 7 8 4
`},
		{"one symbol by the name of the file, no volume", "BRK.B.csv", "timestamp,close,low,high,open\n20240102,2,1,3,1.5\n", `
BRK.B 1d raw known=false paid=true
2024-01-02 1.5 3 1 2 NaN
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := barfile.Import(tempFile(t, c.file, c.text), barfile.ImportOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.TrimPrefix(c.want, "\n"), rowsOf(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestImportOptions(t *testing.T) {
	path := tempFile(t, "x.csv", "sector,code,date,open,high,low,close,volume\ntech,A,2024-01-02,1,2,1,2,3\n")
	got, err := barfile.Import(path, barfile.ImportOptions{SymbolColumn: "Code", Prices: barfile.PricesTotal})
	if err != nil || len(got) != 1 || got[0].Symbol != "A" || got[0].Prices != barfile.PricesTotal {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err = barfile.Import(path, barfile.ImportOptions{Symbol: "OWN"}); err != nil || got[0].Symbol != "OWN" {
		t.Errorf("%+v, %v", got, err)
	}
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	w.Write([]byte("date,open,high,low,close\n2024-01-02,1,2,1,2\n"))
	w.Close()
	if got, err = barfile.Import(tempFile(t, "ZIP.csv.gz", z.String()), barfile.ImportOptions{}); err != nil || got[0].Symbol != "ZIP" {
		t.Errorf("%+v, %v", got, err)
	}
}

// Minutes of a quiet symbol are mostly further apart than one; that they are minutes has to be said, and bars of
// five minutes are none.
func TestImportSparseMinutes(t *testing.T) {
	minutes := func(at ...string) string {
		rows := "time,open,high,low,close\n"
		for _, x := range at {
			rows += "2024-01-02 " + x + ",1,2,1,2\n"
		}
		return tempFile(t, "A.csv", rows)
	}
	quiet := minutes("09:30", "09:31", "10:10", "13:02", "15:59")
	got, err := barfile.Import(quiet, barfile.ImportOptions{Frame: bar.Minutely})
	if err != nil || got[0].Series.Frame != bar.Minutely || got[0].Series.Len() != 5 {
		t.Errorf("%+v, %v: want five bars of a minute", got, err)
	}
	if got, err := barfile.Import(quiet, barfile.ImportOptions{}); err == nil && got[0].Series.Frame == bar.Minutely {
		t.Error("that bars are minutes was guessed from rows that are hours apart")
	}
	if _, err := barfile.Import(minutes("09:30", "09:35", "09:40"), barfile.ImportOptions{Frame: bar.Minutely}); err == nil || !strings.Contains(err.Error(), "bars of 5m, not of 1m") {
		t.Errorf("bars of five minutes as minutes: %v", err)
	}
}

func TestImportFaults(t *testing.T) {
	const head = "symbol,date,open,high,low,close,volume\n"
	for name, c := range map[string]struct {
		text string
		o    barfile.ImportOptions
		want string
	}{
		"no price column":    {"symbol,date,open,high,low\n", barfile.ImportOptions{}, "line 1: no column close"},
		"two dates":          {"date,datetime,open,high,low,close\n", barfile.ImportOptions{}, "say the same"},
		"no symbol column":   {head, barfile.ImportOptions{SymbolColumn: "code"}, `no column "code"`},
		"empty":              {"", barfile.ImportOptions{}, "the file is empty"},
		"header only":        {head, barfile.ImportOptions{}, "no bars"},
		"fields":             {head + "A,2024-01-02,1,2,1,2\n", barfile.ImportOptions{}, "line 2: 6 fields"},
		"ticker":             {head + "A B,2024-01-02,1,2,1,2,3\n", barfile.ImportOptions{}, "line 2: ticker"},
		"number":             {head + "A,2024-01-02,1,2,1,x,3\n", barfile.ImportOptions{}, "line 2: close"},
		"bar":                {head + "A,2024-01-02,1,2,1.5,2,3\n", barfile.ImportOptions{}, "line 2: the low"},
		"date":               {head + "A,02/01/2024,1,2,1,2,3\n", barfile.ImportOptions{}, "line 2: \"02/01/2024\""},
		"twice":              {head + "A,2024-01-03,1,2,1,2,3\nA,2024-01-02,1,2,1,2,3\nA,2024-01-03,1,2,1,2,3\n", barfile.ImportOptions{}, "A: line 4: a second bar for the time of line 2"},
		"other frame":        {head + "A,2024-01-02,1,2,1,2,3\n", barfile.ImportOptions{Frame: bar.Minutely}, "bars of 1d, not of 1m"},
		"some volumes":       {head + "A,2024-01-02,1,2,1,2,\nA,2024-01-03,1,2,1,2,3\n", barfile.ImportOptions{}, "volume is missing"},
		"split":              {"date,open,high,low,close,stock splits\n2024-01-02,1,2,1,2,x\n", barfile.ImportOptions{}, "line 2: the split"},
		"dividend":           {"date,open,high,low,close,dividends\n2024-01-02,1,2,1,2,-1\n", barfile.ImportOptions{}, "line 2: the dividend"},
		"a log-in page":      {"<html><body>Log in</body></html>\n", barfile.ImportOptions{}, "it is a web page"},
		"a damaged Parquet":  {"PAR1 this is none PAR1", barfile.ImportOptions{}, "read "},
		"an absent Parquet":  {"PAR1", barfile.ImportOptions{}, "read "},
		"half an hour apart": {"date,open,high,low,close\n2024-01-02 09:30,1,2,1,2\n2024-01-02 10:00:30,1,2,1,2\n2024-01-02 10:31,1,2,1,2\n", barfile.ImportOptions{}, "no bar length"},
	} {
		_, err := barfile.Import(tempFile(t, "f.csv", c.text), c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := barfile.Import("/nowhere/x.csv", barfile.ImportOptions{}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// randomSeries is sorted bars that can be.
func randomSeries(t *rapid.T, symbol string, frame bar.Frame) *bar.Series {
	s := &bar.Series{Symbol: symbol, Frame: frame, Delisted: instrument.None}
	cal := bar.NYSE()
	days := cal.Sessions(instrument.NewDate(2019, 1, 2), instrument.NewDate(2021, 6, 30))
	from := rapid.IntRange(0, len(days)-300).Draw(t, "from")
	price := rapid.Float64Range(5, 300)
	for i := range rapid.IntRange(3, 60).Draw(t, "bars") {
		d := days[from+i]
		ns := d.Nanos()
		if frame.Intraday() {
			ns = cal.Midnight(days[from]) + int64(570+i)*60e9
		}
		o, c := price.Draw(t, "open"), price.Draw(t, "close")
		s.Time = append(s.Time, ns)
		s.Open, s.Close = append(s.Open, o), append(s.Close, c)
		s.High, s.Low = append(s.High, max(o, c)*1.01), append(s.Low, min(o, c)*0.99)
		s.Volume = append(s.Volume, rapid.Float64Range(0, 1e9).Draw(t, "volume"))
	}
	return s
}

// What is exported is imported with the same bits.
func TestExportImport(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		frame := rapid.SampledFrom([]bar.Frame{bar.Daily, bar.Minutely}).Draw(rt, "frame")
		format := rapid.SampledFrom([]string{barfile.CSV, barfile.Parquet}).Draw(rt, "format")
		in := []*bar.Series{randomSeries(rt, "A", frame), randomSeries(rt, "BCpC", frame), randomSeries(rt, "NA", frame)}
		if rapid.Bool().Draw(rt, "no volume") {
			in[1].NoVolume = true
			for i := range in[1].Volume {
				in[1].Volume[i] = math.NaN()
			}
		}
		var b bytes.Buffer
		if err := barfile.Export(&b, format, in...); err != nil {
			rt.Fatal(err)
		}
		path := filepath.Join(dir, "x")
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			rt.Fatal(err)
		}
		out, err := barfile.Import(path, barfile.ImportOptions{})
		if err != nil || len(out) != len(in) {
			rt.Fatal(len(out), err)
		}
		for i, x := range out {
			if diff := cmp.Diff(in[i], x.Series, cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); diff != "" {
				rt.Fatalf("%s: %s", format, diff)
			}
		}
	})
}

// Restating and restoring are inverse, for any splits and dividends.
func TestRestore(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		raw := randomSeries(rt, "A", bar.Daily)
		var a instrument.Actions
		for range rapid.IntRange(0, 4).Draw(rt, "actions") {
			k := rapid.IntRange(1, raw.Len()-1).Draw(rt, "at")
			if rapid.Bool().Draw(rt, "is a split") {
				a.Splits = append(a.Splits, instrument.Split{Ex: raw.Date(k), From: rapid.Float64Range(1, 10).Draw(rt, "from"), To: rapid.Float64Range(1, 10).Draw(rt, "to")})
			} else {
				a.Dividends = append(a.Dividends, instrument.Dividend{Ex: raw.Date(k), Pay: instrument.None, Cash: rapid.Float64Range(0.001, 0.01).Draw(rt, "cash")})
			}
		}
		raw.Actions = instrument.Clean(a)
		for adjust, prices := range map[bar.Adjust]barfile.Prices{bar.AdjustSplit: barfile.PricesSplit, bar.AdjustTotal: barfile.PricesTotal, bar.AdjustRaw: barfile.PricesRaw} {
			adjusted, skipped := barfile.Adjusted(raw, adjust, bar.NYSE())
			if len(skipped) > 0 {
				rt.Fatal(skipped)
			}
			last := raw.Len() - 1
			if adjusted.Close[last] != raw.Close[last] {
				rt.Fatalf("%s: the last close is %v, not %v", adjust, adjusted.Close[last], raw.Close[last])
			}
			back := barfile.Restore(adjusted, prices, raw.Actions)
			if diff := cmp.Diff(raw, back, cmpopts.EquateApprox(1e-11, 0)); diff != "" {
				rt.Fatalf("%s: %s", adjust, diff)
			}
		}
	})
}

// A split after the last bar had been applied to it, too, by hand: 4 for 1, so 25 was 100.
func TestRestoreByHand(t *testing.T) {
	s := &bar.Series{Frame: bar.Daily, Time: []int64{instrument.NewDate(2020, 8, 27).Nanos(), instrument.NewDate(2020, 8, 28).Nanos()},
		Open: []float64{25, 25}, High: []float64{25, 25}, Low: []float64{25, 25}, Close: []float64{25, 25}, Volume: []float64{400, 400}}
	a := instrument.Actions{
		Splits:    []instrument.Split{{Ex: instrument.NewDate(2020, 8, 31), From: 1, To: 4}},
		Dividends: []instrument.Dividend{{Ex: instrument.NewDate(2020, 8, 7), Cash: 0.205}},
	}
	if r := barfile.Restore(s, barfile.PricesSplit, a); r.Close[0] != 100 || r.Volume[1] != 100 || s.Close[0] != 25 {
		t.Errorf("%v %v", r.Close, r.Volume)
	}
	if paid := barfile.AsPaid(a); paid.Dividends[0].Cash != 0.82 || a.Dividends[0].Cash != 0.205 {
		t.Errorf("paid %v", paid.Dividends)
	}
}

func TestReadActions(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"own", "symbol,ex_date,split_from,split_to,cash_amount,pay_date,declaration_date,note\nB,2020-08-31,1,4,,,,x\nA,2020-08-07,,,0.82,2020-08-13,2020-07-30,\nA,2020-08-07,,,0.1,,,\n",
			"A [] [{2020-08-07  0.1 1970-01-01} {2020-08-07 2020-08-13 0.82 2020-07-30}]\nB [{2020-08-31 1 4}] []\n"},
		{"Yahoo's splits", "Date,Stock Splits\n2020-08-31,4:1\n2014-06-09,7/1\n2000-06-21,2.0\n", "X [{2000-06-21 1 2} {2014-06-09 1 7} {2020-08-31 1 4}] []\n"},
		{"Yahoo's dividends, restated", "Date,Dividends,Stock Splits\n2020-08-07 00:00:00-04:00,0.205,0.0\n2020-08-31 00:00:00-04:00,0.0,4.0\n", "X [{2020-08-31 1 4}] [{2020-08-07  0.82 1970-01-01}]\n"},
	} {
		got, err := barfile.ReadActions(tempFile(t, "a.csv", c.text), "X")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		var b strings.Builder
		for _, x := range got {
			fmt.Fprintln(&b, x.Symbol, x.Splits, x.Dividends)
		}
		if b.String() != c.want {
			t.Errorf("%s:\n%s", c.name, b.String())
		}
	}
	for text, want := range map[string]string{
		"":                                          "no header",
		"symbol,split\n":                            "no date",
		"symbol,date,note\n":                        "no action",
		"date,dividends,cash\n":                     "leave one of them out",
		"date,split\nsoon,4:1\n":                    "line 2: \"soon\"",
		"date,split\n2020-08-31,4:0\n":              "line 2: the split",
		"date,cash\n2020-08-31,much\n":              "line 2: the dividend",
		"date,cash\n2020-08-31\n":                   "wrong number of fields",
		"date,split_from,split_to\n2020-08-31,1,\n": "line 2: a split from",
		"symbol,date,cash\n,2020-08-31,1\n":         "line 2: a ticker is empty",
		"date,cash,pay_date\n2020-08-31,1,x\n":      "line 2: \"x\"",
	} {
		if _, err := barfile.ReadActions(tempFile(t, "a.csv", text), "X"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// Whatever a file holds, it is imported or refused; what is imported can be.
func FuzzImport(f *testing.F) {
	f.Add([]byte("<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>\nA.US,D,20240102,000000,1,2,1,2,3\n"))
	f.Add([]byte("Date,Open,High,Low,Close,Volume,Dividends,Stock Splits\n2024-06-07 00:00:00-04:00,1,2,1,2,3,0.1,2:1\n"))
	f.Add([]byte("symbol,date,open,high,low,close\nA,2024-01-02,1,2,1,2\nB,2024-01-02,1,2,1,2\n"))
	var b bytes.Buffer
	s := &bar.Series{Symbol: "A", Frame: bar.Daily, Time: []int64{0}, Open: []float64{1}, High: []float64{1}, Low: []float64{1}, Close: []float64{1}, Volume: []float64{1}}
	if err := barfile.Export(&b, barfile.Parquet, s); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	for i := 0; i < b.Len(); i += 7 {
		x := bytes.Clone(b.Bytes())
		x[i] ^= 0x41
		f.Add(x)
	}
	path := filepath.Join(f.TempDir(), "F.csv")
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		list, err := barfile.Import(path, barfile.ImportOptions{})
		if err != nil {
			return
		}
		for _, x := range list {
			if instrument.CheckTicker(x.Symbol) != nil || x.Series.Len() == 0 {
				t.Fatalf("%q with %d bars", x.Symbol, x.Series.Len())
			}
			for i := range x.Series.Len() {
				if !(x.Series.Low[i] > 0) || i > 0 && x.Series.Time[i] <= x.Series.Time[i-1] {
					t.Fatalf("row %d of %+v", i, x.Series)
				}
			}
			barfile.Restore(x.Series, x.Prices, barfile.AsPaid(x.Actions))
		}
	})
}

func FuzzReadActions(f *testing.F) {
	f.Add("date,split,dividend,pay_date\n2020-08-31,4:1,,\n2020-09-01,,0.2,2020-09-15\n")
	f.Add("symbol,execution_date,split_from,split_to,dividends\nA,2020-08-31,1,4,0.1\n")
	path := filepath.Join(f.TempDir(), "f.csv")
	f.Fuzz(func(t *testing.T, s string) {
		if err := os.WriteFile(path, []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
		list, err := barfile.ReadActions(path, "X")
		if err != nil {
			return
		}
		for _, x := range list {
			if diff := cmp.Diff(instrument.Clean(x.Actions), x.Actions, cmpopts.EquateEmpty()); diff != "" && !strings.Contains(strings.ToLower(s), "dividends") {
				t.Fatalf("not clean: %s", diff)
			}
		}
	})
}

func TestOnCalendar(t *testing.T) {
	text := "date,open,high,low,close,volume\n1989-12-29,1,1,1,1,1\n2024-01-05,2,2,2,2,2\n2024-01-06,3,3,3,3,3\n2024-01-07,4,4,4,4,4\n2024-01-08,5,5,5,5,5\n"
	list, err := barfile.Import(tempFile(t, "A.csv", text), barfile.ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s, off := barfile.OnCalendar(list[0].Series, bar.NYSE())
	if s.Len() != 2 || s.Close[1] != 5 || s.Volume[0] != 2 || fmt.Sprint(off) != "[1989-12-29 2024-01-06 2024-01-07]" {
		t.Errorf("%+v without %v", s, off)
	}
	if again, off := barfile.OnCalendar(s, bar.NYSE()); again != s || off != nil {
		t.Errorf("a series on the calendar is changed: %v", off)
	}
}
