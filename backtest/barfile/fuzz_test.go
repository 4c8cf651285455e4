package barfile_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"backtester/backtest/bar"
	"backtester/backtest/barfile"
	"backtester/backtest/instrument"

	"github.com/klauspost/compress/gzip"
	"pgregory.net/rapid"
)

// slow reads daily bars with the standard library only.
func slow(content string) (string, error) {
	r := csv.NewReader(strings.NewReader(content))
	header, err := r.Read()
	if err != nil {
		return "", err
	}
	at := map[string]int{}
	for i, name := range header {
		at[strings.ToLower(strings.TrimSpace(name))] = i
	}
	s := &bar.Series{}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return columns(s), nil
		}
		if err != nil {
			return "", err
		}
		d, err := instrument.ParseDate(row[at["date"]])
		if err != nil {
			return "", err
		}
		s.Time = append(s.Time, d.Nanos())
		for name, c := range map[string]*[]float64{"open": &s.Open, "high": &s.High, "low": &s.Low, "close": &s.Close, "volume": &s.Volume} {
			v, err := strconv.ParseFloat(row[at[name]], 64)
			if err != nil {
				return "", err
			}
			*c = append(*c, v)
		}
	}
}

func TestEqualsStandardLibrary(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cols := rapid.Permutation([]string{"Date", "open", "HIGH", "Low", "close", "volume", "extra"}).Draw(rt, "columns")
		quote := func(s string) string {
			if rapid.IntRange(0, 9).Draw(rt, "quoted") == 0 {
				return `"` + s + `"`
			}
			return s
		}
		end := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(rt, "line end")
		number := func(f float64) string {
			switch rapid.IntRange(0, 2).Draw(rt, "format") {
			case 0:
				return strconv.FormatFloat(f, 'g', -1, 64)
			case 1:
				return strconv.FormatFloat(f, 'e', -1, 64)
			}
			return strconv.FormatFloat(f, 'f', -1, 64)
		}
		b := strings.Join(cols, ",") + end
		d := instrument.Date(rapid.IntRange(-30000, 20000).Draw(rt, "first"))
		for range rapid.IntRange(1, 30).Draw(rt, "rows") {
			d += instrument.Date(rapid.IntRange(1, 5).Draw(rt, "step"))
			lo := rapid.Float64Range(1e-6, 1e6).Draw(rt, "low")
			hi := lo * rapid.Float64Range(1, 2).Draw(rt, "range")
			v := map[string]string{"Date": d.String(), "open": number(lo), "HIGH": number(hi), "Low": number(lo), "close": number(hi),
				"volume": number(rapid.Float64Range(0, 1e15).Draw(rt, "volume")), "extra": rapid.StringMatching(`[a-z ]{0,8}`).Draw(rt, "extra")}
			for i, c := range cols {
				if i > 0 {
					b += ","
				}
				b += quote(v[c])
			}
			b += end
		}
		want, err := slow(b)
		if err != nil {
			rt.Fatalf("the yardstick fails on %q: %v", b, err)
		}
		if got := columns(loadAll(t, openOne(t, b), bar.Daily)); got != want {
			rt.Fatalf("%q\ngot %s\nwant %s", b, got, want)
		}
	})
}

// Whatever the bytes: no panic, and what is taken is sorted and possible.
func FuzzOpen(f *testing.F) {
	f.Add([]byte("date,open,high,low,close,volume\n2024-01-02,10,12,9,11,100.5\n2024-01-03,11,13,10,12,200\n"))
	f.Add([]byte("time,open,high,low,close\n1704171600000,1,1,1,1\n1704171660000,1,1,1,1\n"))
	f.Add([]byte("\"Date\",Open,High,Low,Close\n\"2024-01-02 09:30:00-05:00\",1,2,1,2\n"))
	f.Add([]byte("Timestamp,open,high,low,close\n2024-01-02T09:30:00.123456789Z,1,2,1,2"))
	f.Add([]byte("date,open,high,low,close\n20240102,null,,-,NaN\n"))
	f.Add([]byte("\x1f\x8b\x08\x00\x00"))
	f.Add([]byte("<!DOCTYPE html><html>log in</html>"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(dir, "fuzz.csv")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		src, err := barfile.Open([]barfile.File{{Symbol: "X", Path: path}})
		if err != nil {
			return
		}
		cov, err := src.Coverage(t.Context(), bar.Daily)
		if err != nil || len(cov) != 1 || cov[0].Bars < 1 {
			t.Fatalf("coverage %v %v", cov, err)
		}
		s, err := src.Load(t.Context(), bar.Request{Symbol: "X", Frame: cov[0].Frame, Session: bar.Extended})
		if errors.Is(err, bar.ErrNoData) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range s.Len() {
			if i > 0 && s.Time[i] <= s.Time[i-1] || !(s.Low[i] > 0) || !(s.High[i] <= math.MaxFloat64) || s.Low[i] > min(s.Open[i], s.Close[i]) || s.High[i] < max(s.Open[i], s.Close[i]) {
				t.Fatalf("bar %d cannot be: %s", i, columns(s))
			}
		}
	})
}

// A damaged gzip file is never a shorter history.
func TestDamagedGzip(t *testing.T) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	fmt.Fprint(w, "date,open,high,low,close,volume\n")
	for d := range instrument.Date(2000) {
		fmt.Fprintf(w, "%s,10,12,9,11,%d\n", d, int(d)*7919%1000)
	}
	w.Close()
	whole := b.Bytes()
	path := filepath.Join(t.TempDir(), "x.csv.gz")
	try := func(b []byte, what string) {
		t.Helper()
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := barfile.Open([]barfile.File{{Symbol: "X", Path: path}}); err == nil {
			t.Errorf("%s: taken", what)
		}
	}
	for n := 0; n < len(whole); n += 97 {
		try(whole[:n], fmt.Sprintf("cut after %d of %d bytes", n, len(whole)))
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		c := bytes.Clone(whole)
		i := 10 + r.IntN(len(c)-10) // the ten bytes of the header carry time and name only
		c[i] ^= byte(1 + r.IntN(255))
		try(c, fmt.Sprintf("byte %d changed", i))
	}
}

func benchFile(b *testing.B, rows int, gz bool) string {
	path := filepath.Join(b.TempDir(), "bench.csv")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	var w io.Writer = f
	if gz {
		z := gzip.NewWriter(f)
		defer z.Close()
		w = z
	}
	r := rand.New(rand.NewPCG(1, 1))
	var buf bytes.Buffer
	buf.WriteString("timestamp,open,high,low,close,volume\n")
	p, cal := 100.0, bar.NYSE()
	d := cal.Next(0)
	t, closing, _, _ := cal.Hours(d)
	for range rows {
		if t >= closing {
			d = cal.Next(d)
			t, closing, _, _ = cal.Hours(d)
		}
		p = max(5, p+float64(r.IntN(21)-10)/100)
		fmt.Fprintf(&buf, "%d,%.2f,%.2f,%.2f,%.2f,%d\n", t/1e9, p, p+0.07, p-0.05, p+0.01, r.IntN(100000))
		t += 60e9
	}
	w.Write(buf.Bytes())
	return path
}

func BenchmarkOpenMillionRowsGzip(b *testing.B) { benchOpen(b, true) }
func BenchmarkOpenMillionRows(b *testing.B)     { benchOpen(b, false) }

func benchOpen(b *testing.B, gz bool) {
	path := benchFile(b, 1_000_000, gz)
	for b.Loop() {
		if _, err := barfile.Open([]barfile.File{{Symbol: "X", Path: path}}); err != nil {
			b.Fatal(err)
		}
	}
}
