package barfile_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/barfile"
	"backtester/backtest/instrument"

	"pgregory.net/rapid"
)

func write(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	b := []byte(content)
	if strings.HasSuffix(name, ".gz") {
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		w.Write(b)
		w.Close()
		b = z.Bytes()
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func openOne(t testing.TB, content string) *barfile.Files {
	t.Helper()
	f, err := barfile.Open([]barfile.File{{Symbol: "X", Path: write(t, "x.csv", content)}})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func day(t testing.TB, s string) instrument.Date {
	t.Helper()
	d, err := instrument.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func loadAll(t testing.TB, f *barfile.Files, frame bar.Frame) *bar.Series {
	t.Helper()
	s, err := f.Load(context.Background(), bar.Request{Symbol: "X", Frame: frame, From: instrument.None, To: instrument.Forever})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func codes(f *barfile.Files) string {
	var cs []string
	for _, n := range f.Notes() {
		cs = append(cs, n.Code)
	}
	return strings.Join(cs, " ")
}

// Every spelling of the same two daily bars gives the same series.
func TestSpellingsOfDailyBars(t *testing.T) {
	for name, x := range map[string]struct{ content, notes string }{
		"plain":               {"date,open,high,low,close,volume\n2024-01-02,10,12,9,11,100.5\n2024-01-03,11,13,10,12,200\n", ""},
		"no line end":         {"date,open,high,low,close,volume\n2024-01-02,10,12,9,11,100.5\n2024-01-03,11,13,10,12,200", ""},
		"case, order, extras": {"Volume,Close,Symbol,Low,HIGH, Open ,Timestamp,vwap\n100.5,11,X,9,12,10,2024-01-02,1\n200,12,X,10,13,11,2024-01-03,1\n", "column_ignored"},
		"Windows, BOM":        {"\xef\xbb\xbfDate,Open,High,Low,Close,Volume\r\n2024-01-02,10,12,9,11,100.5\r\n\r\n2024-01-03,11,13,10,12,200\r\n", ""},
		"quotes":              {`"Date","Open","High","Low","Close","Volume"` + "\n" + `"2024-01-02","10","12","9","11","100.5"` + "\n2024-01-03,11,13,10,12,\"200\"\n", ""},
		"adjusted close":      {"Date,Open,High,Low,Close,Adj Close,Volume\n2024-01-02,10,12,9,11,5,100.5\n2024-01-03,11,13,10,12,6,200\n", "adjusted_ignored"},
		"compact dates":       {"date,open,high,low,close,volume\n20240102,10,12,9,11,100.5\n20240103,11,13,10,12,200\n", ""},
		"slashes":             {"date,open,high,low,close,volume\n2024/01/02,10,12,9,11,100.5\n2024/01/03,11,13,10,12,200\n", ""},
		"written midnights":   {"date,open,high,low,close,volume\n2024-01-02 00:00:00-05:00,10,12,9,11,100.5\n2024-01-03 00:00:00-05:00,11,13,10,12,200\n", ""},
		"UTC midnights":       {"date,open,high,low,close,volume\n2024-01-02T00:00:00Z,10,12,9,11,100.5\n2024-01-03T00:00:00Z,11,13,10,12,200\n", ""},
		"exchange midnights":  {"time,open,high,low,close,volume\n2024-01-02T05:00:00Z,10,12,9,11,100.5\n2024-01-03T05:00:00Z,11,13,10,12,200\n", ""},
		"epoch s, UTC":        {"time,open,high,low,close,volume\n1704153600,10,12,9,11,100.5\n1704240000,11,13,10,12,200\n", ""},
		"epoch ms, exchange":  {"time,open,high,low,close,volume\n1704171600000,10,12,9,11,100.5\n1704258000000,11,13,10,12,200\n", ""},
		"epoch us":            {"time,open,high,low,close,volume\n1704171600000000,10,12,9,11,100.5\n1704258000000000,11,13,10,12,200\n", ""},
		"epoch ns":            {"time,open,high,low,close,volume\n1704171600000000000,10,12,9,11,100.5\n1704258000000000000,11,13,10,12,200\n", ""},
		"null row":            {"date,open,high,low,close,volume\n2024-01-02,10,12,9,11,100.5\n2024-01-02,null,null,null,null,null\n2024-01-03,11,13,10,12,200\n", "empty_rows"},
		"blanks and +, e":     {"date,open,high,low,close,volume\n2024-01-02, 1e1,+12,9.0 ,11.,100.5\n2024-01-03,11,13,10,12,2E2\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := openOne(t, x.content)
			s := loadAll(t, f, bar.Daily)
			want := &bar.Series{
				Time: []int64{day(t, "2024-01-02").Nanos(), day(t, "2024-01-03").Nanos()},
				Open: []float64{10, 11}, High: []float64{12, 13}, Low: []float64{9, 10}, Close: []float64{11, 12}, Volume: []float64{100.5, 200},
			}
			if got, want := columns(s), columns(want); got != want {
				t.Errorf("got %s\nwant %s", got, want)
			}
			if got := codes(f); got != x.notes {
				t.Errorf("notes %q, want %q", got, x.notes)
			}
			if s.Frame != bar.Daily || s.NoVolume || s.Delisted != instrument.None || s.Symbol != "X" {
				t.Errorf("series %+v", s)
			}
		})
	}
}

func columns(s *bar.Series) string {
	return fmt.Sprint(s.Time, s.Open, s.High, s.Low, s.Close, s.Volume)
}

// What must be refused, with the line that is at fault.
func TestRefusals(t *testing.T) {
	const h = "date,open,high,low,close,volume\n"
	const ok = "2024-01-02,10,12,9,11,100\n"
	for content, want := range map[string]string{
		"":                                                 "empty",
		h:                                                  "no bars",
		"\n\n":                                             "", // no header at all
		"2024-01-02,10,12,9,11,100\n":                      "line 1: no column close, date, high, low, open",
		"date;open;high;low;close\n":                       "its fields are separated by semicolons: save it with commas",
		"date,open,high,low,Close,close\n":                 "line 1: column \"close\"",
		"date,timestamp,open,high,low,close\n":             "line 1: column \"timestamp\"",
		"date,open,high,low\n":                             "no column close",
		h + ok + ok:                                        "line 3: \"2024-01-02\" is the same as",
		h + "2024-01-03,10,12,9,11,1\n" + ok:               "line 3: \"2024-01-02\" is before",
		h + ok + "2024-01-03,10,12,9,11\n":                 "line 3: 5 fields, but the header has 6",
		h + ok + "\n2024-01-03,ten,12,9,11,1\n":            "line 4: open is \"ten\"",
		h + ok + "2024-01-03,10,12,9,,1\n":                 "line 3: some prices are missing",
		h + ok + "2024-01-03,10,12,0,11,1\n":               "line 3: a price is not a positive number: correct the row, or leave it out",
		h + ok + "2024-01-03,10,12,9,0,1\n":                "line 3: a price is not a positive number",
		h + ok + "2024-01-03,10,1e300,9,11,1\n":            "line 3: a price is above what any share ever cost",
		h + ok + "2024-01-03,10,12,9,11,1e300\n":           "line 3: the volume is above what ever traded",
		"date\topen\thigh\tlow\tclose\n":                   "separated by tabs",
		"PK\x03\x04\x00\x00":                               "it is a spreadsheet or a zip archive: save the sheet as CSV",
		"\x00\x17\xe0\xd6 abc\n":                           "it is no text: want CSV",
		"PAR1\x15\x04":                                     "take it into a store with data import",
		"<!DOCTYPE html>\n<html>":                          "it is a web page",
		"{\"results\":[]}":                                 "it is JSON",
		h + ok + "2024-01-03,10,inf,9,11,1\n":              "line 3: high is \"inf\"",
		h + ok + "2024-01-03,10,1e999,9,11,1\n":            "line 3: high is \"1e999\"",
		h + ok + "2024-01-03,10,12,10.5,11,1\n":            "line 3: the low is above",
		h + ok + "2024-01-03,10,10.5,9,11,1\n":             "line 3: the high is below",
		h + ok + "2024-01-03,10,12,9,11,-1\n":              "line 3: the volume is negative",
		h + ok + "2024-01-03,10,12,9,11,\n":                "line 3: the volume is missing",
		h + ok + "2024-02-30,10,12,9,11,1\n":               "line 3: \"2024-02-30\" is not a date",
		h + ok + "03.01.2024,10,12,9,11,1\n":               "line 3: \"03.01.2024\"",
		h + ok + "2024-01-03T09:30:00Z,10,12,9,11,1\n":     "line 3",
		h + ok + "\"2024-01-03,10,12,9,11,1\n":             "line 3: a quoted field has no end",
		h + ok + "2024-01-03,1\"0,12,9,11,1\n":             "line 3: a quote stands within",
		h + "2024-01-02T10:00:00+99:00,10,12,9,11,1\n":     "line 2",
		h + "2024-01-02T25:00:00Z,10,12,9,11,1\n":          "line 2",
		h + "12345,10,12,9,11,1\n":                         "line 2: \"12345\" is not a time",
		h + "1704171600,1,1,1,1,1\n1704171607,1,1,1,1,1\n": "7s apart",
		h + "1704171600,1,1,1,1,1\n1704171660.5,1,1,1,1,1": "line 3",
	} {
		_, err := barfile.Open([]barfile.File{{Symbol: "X", Path: write(t, "x.csv", content)}})
		if err == nil {
			t.Errorf("%q was taken", content)
			continue
		}
		if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "x.csv") {
			t.Errorf("%q: %v\nwant the file's name and %q", content, err, want)
		}
	}
}

func TestBarsWithinTheDay(t *testing.T) {
	f := openOne(t, "time,open,high,low,close,volume\n"+
		"2024-03-08T14:25:00Z,1,1,1,1,5\n"+ // before the opening
		"2024-03-08T14:30:00Z,10,12,9,11,100\n"+
		"2024-03-08T14:35:00Z,11,13,10,12,200\n"+
		"2024-03-11T13:30:00Z,12,14,11,13,300\n"+ // daylight saving since the weekend
		"2024-03-11T13:35:00Z,13,15,8,14,400\n"+
		"2024-03-11T20:00:00Z,1,1,1,1,5\n") // after the closing
	five := bar.Frame{N: 5, Unit: bar.Minute}
	s := loadAll(t, f, five)
	if s.Len() != 4 || s.Open[0] != 10 || s.Close[3] != 14 {
		t.Fatalf("regular bars: %s", columns(s))
	}
	d := loadAll(t, f, bar.Daily)
	want := &bar.Series{Time: []int64{day(t, "2024-03-08").Nanos(), day(t, "2024-03-11").Nanos()},
		Open: []float64{10, 12}, High: []float64{13, 15}, Low: []float64{9, 8}, Close: []float64{12, 14}, Volume: []float64{300, 700}}
	if columns(d) != columns(want) {
		t.Errorf("days %s\nwant %s", columns(d), columns(want))
	}
	all, err := f.Load(context.Background(), bar.Request{Symbol: "X", Frame: five, Session: bar.Extended})
	if err != nil || all.Len() != 6 {
		t.Errorf("extended: %v bars, %v", all, err)
	}
	if _, err := f.Load(context.Background(), bar.Request{Symbol: "X", Frame: bar.Minutely}); !errors.Is(err, bar.ErrNoData) {
		t.Errorf("minutes out of five minutes: %v", err)
	}
	naive := openOne(t, "time,open,high,low,close\n2024-07-01 09:30,1,1,1,1\n2024-07-01 10:30,2,2,2,2\n")
	if s := loadAll(t, naive, bar.Frame{N: 1, Unit: bar.Hour}); time.Unix(0, s.Time[0]).UTC().Format(time.RFC3339) != "2024-07-01T13:30:00Z" {
		t.Errorf("times without a zone: %v", time.Unix(0, s.Time[0]).UTC())
	}
	if codes(naive) != "no_volume local_time" {
		t.Errorf("notes %q", codes(naive))
	}
	if got := naive.Notes()[1].Message; !strings.Contains(got, "times without a zone, of a day from 09:30 to 10:30, are taken as New York time") {
		t.Errorf("note %q", got)
	}
}

func TestRangeWarmupAndEnd(t *testing.T) {
	long := []string{"date,open,high,low,close"}
	for i, d := range bar.NYSE().Sessions(day(t, "2024-01-01"), day(t, "2024-03-31")) {
		long = append(long, fmt.Sprintf("%s,%d,%d,%d,%d", d, i+10, i+12, i+9, i+11))
	}
	n := len(long) - 1
	f, err := barfile.Open([]barfile.File{
		{Symbol: "X", Path: write(t, "long.csv", strings.Join(long, "\n"))},
		{Symbol: "DEAD", Path: write(t, "dead.csv.gz", strings.Join(long[:n-19], "\n")), Adjusted: true},
		{Symbol: "LATE", Path: write(t, "late.csv", strings.Join(long[:n-18], "\n"))},
	})
	if err != nil {
		t.Fatal(err)
	}
	req := bar.Request{Symbol: "X", Frame: bar.Daily, From: day(t, "2024-02-01"), To: day(t, "2024-02-10"), Warmup: 5}
	s, err := f.Load(context.Background(), req)
	if err != nil || s.Warm != 5 || s.Len() != 5+7 || s.Date(5) != day(t, "2024-02-01") || !s.NoVolume || !math.IsNaN(s.Volume[0]) || s.Ended {
		t.Errorf("%+v %v", s, err)
	}
	for symbol, ended := range map[string]bool{"DEAD": true, "LATE": false, "X": false} {
		s, err := f.Load(context.Background(), bar.Request{Symbol: symbol, Frame: bar.Daily})
		if err != nil || s.Ended != ended || s.Adjusted != (symbol == "DEAD") {
			t.Errorf("%s: ended %v adjusted %v, %v", symbol, s.Ended, s.Adjusted, err)
		}
	}
	for _, r := range []bar.Request{{Symbol: "Y", Frame: bar.Daily}, {Symbol: "X", Frame: bar.Daily, From: day(t, "2025-01-01"), To: day(t, "2026-01-01")}} {
		if _, err := f.Load(context.Background(), r); !errors.Is(err, bar.ErrNoData) {
			t.Errorf("%+v: %v", r, err)
		}
	}
	cov, _ := f.Coverage(context.Background(), bar.Daily)
	if len(cov) != 3 || cov[2].Bars != int64(n) || f.Calendar().Count(instrument.None, instrument.Forever) != n {
		t.Errorf("coverage %+v", cov)
	}
}

func TestOffCalendarRowsAreKept(t *testing.T) {
	f := openOne(t, "date,open,high,low,close,volume\n1985-01-01,1,1,1,1,1\n2024-12-24,1,1,1,1,1\n2024-12-25,1,1,1,1,1\n2024-12-28,1,1,1,1,1\n")
	if s := loadAll(t, f, bar.Daily); s.Len() != 4 || codes(f) != "off_calendar" || !strings.Contains(f.Notes()[0].Message, "2 dates") {
		t.Errorf("%d bars, notes %v", s.Len(), f.Notes())
	}
	if !f.Calendar().IsSession(day(t, "2024-12-25")) || f.Calendar().IsSession(day(t, "2024-12-26")) {
		t.Error("the calendar is not that of the rows")
	}
}

func TestExportIsReadBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		frame := rapid.SampledFrom([]bar.Frame{bar.Daily, bar.Minutely}).Draw(rt, "frame")
		n := rapid.IntRange(1, 20).Draw(rt, "bars")
		s := &bar.Series{Symbol: "X", Frame: frame, NoVolume: rapid.Bool().Draw(rt, "no volume")}
		ds := bar.NYSE().Sessions(day(t, "2024-01-01"), day(t, "2024-12-31"))
		first, _, _, _ := bar.NYSE().Hours(ds[0])
		for i := range n {
			ns := ds[i].Nanos()
			if frame == bar.Minutely {
				ns = first + int64(i)*60e9
			}
			p := rapid.Float64Range(1e-3, 1e7).Draw(rt, "price")
			v := rapid.Float64Range(0, 1e12).Draw(rt, "volume")
			if s.NoVolume {
				v = math.NaN()
			}
			s.Time = append(s.Time, ns)
			s.Open, s.High = append(s.Open, p), append(s.High, p*1.5)
			s.Low, s.Close = append(s.Low, p/3), append(s.Close, p*1.1)
			s.Volume = append(s.Volume, v)
		}
		var b bytes.Buffer
		if err := barfile.Export(&b, "csv", s); err != nil {
			rt.Fatal(err)
		}
		if got := loadAll(t, openOne(t, b.String()), frame); columns(got) != columns(s) || got.NoVolume != s.NoVolume {
			rt.Fatalf("wrote %s\nread %s", columns(s), columns(got))
		}
	})
	if err := barfile.Export(&bytes.Buffer{}, "xls"); err == nil {
		t.Error("xls was exported")
	}
	if err := barfile.Export(&bytes.Buffer{}, "csv", &bar.Series{Frame: bar.Daily}, &bar.Series{Frame: bar.Minutely}); err == nil {
		t.Error("days and minutes in one file")
	}
}

// A folder, and packed files that were cut off or damaged, say so, by both ways of reading.
func TestBrokenFiles(t *testing.T) {
	var rows strings.Builder
	rows.WriteString("date,open,high,low,close,volume\n")
	for i := range 2000 {
		fmt.Fprintf(&rows, "%s,10,12,9,11,%d\n", instrument.Date(15000+i), 1000+i*7919%1000)
	}
	whole, err := os.ReadFile(write(t, "whole.csv.gz", rows.String()))
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(whole)
	damaged[len(damaged)-6] ^= 1 // of the checksum
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"cut.csv.gz":     {whole[:len(whole)/2], "it ends in the middle, after line"},
		"short.csv.gz":   {whole[:5], "it ends in the middle, after line 0"},
		"damaged.csv.gz": {damaged, "it is damaged"},
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, c.content, 0o600); err != nil {
			t.Fatal(err)
		}
		refuses(t, path, c.want, name)
	}
	refuses(t, t.TempDir(), "it is a folder", "")
}

func refuses(t *testing.T, path string, words ...string) {
	t.Helper()
	_, err1 := barfile.Open([]barfile.File{{Symbol: "X", Path: path}})
	_, err2 := barfile.Import(path, barfile.ImportOptions{})
	for _, err := range []error{err1, err2} {
		for _, w := range words {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %v, want %q", path, err, w)
			}
		}
	}
}
