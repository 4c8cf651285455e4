package bar_test

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"backtester/backtest/bar"

	"pgregory.net/rapid"
)

// wantNumber is the rule in the slowest, plainest form: strconv on decimal spellings only.
func wantNumber(s string) (float64, bool) {
	if strings.Trim(s, "0123456789.+-eE") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

func checkNumber(t interface {
	Helper()
	Fatalf(string, ...any)
}, s string) {
	t.Helper()
	got, ok := bar.ParseNumber([]byte(s))
	want, wantOK := wantNumber(s)
	if ok != wantOK || ok && math.Float64bits(got) != math.Float64bits(want) {
		t.Fatalf("ParseNumber(%q) = %v, %v; strconv says %v, %v", s, got, ok, want, wantOK)
	}
}

func TestParseNumberTable(t *testing.T) {
	for _, s := range []string{
		"0", "-0", "+1", "1", "200.29", ".5", "5.", ".", "", "-", "+", "1.2.3", "1e3", "1E-3", "e3", "1e", "1e400",
		"9007199254740991", "9007199254740992", "9007199254740993", "18446744073709551615", "18446744073709551616",
		"0.00000000000000000000001", "123456789012345678901234567890", "0000000000000000000000001.5",
		"inf", "NaN", "Infinity", "0x1p4", "1_000", " 1", "1 ", "1,5", "\x00", "1.7976931348623157e308", "1.8e308", "5e-324", "--1", "1-1",
		"0.1", "0.3", "2.675", "4.35", "179769313486231570000000000", "1e22", "1e23",
	} {
		checkNumber(t, s)
	}
}

func TestParseNumberEqualsStrconv(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.Float64().Draw(t, "f")
		checkNumber(t, strconv.FormatFloat(f, 'g', -1, 64))
		checkNumber(t, strconv.FormatFloat(f, 'f', rapid.IntRange(0, 25).Draw(t, "digits"), 64))
		checkNumber(t, rapid.StringMatching(`[-+]?[0-9]{0,22}\.?[0-9]{0,24}(e[-+]?[0-9]{1,3})?`).Draw(t, "s"))
	})
}

func FuzzParseNumber(f *testing.F) {
	for _, s := range []string{"1", "200.29", "-1e5", "nan", "0x1p-2", "1_0", ".", "99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkNumber(t, s) })
}

func TestParseNumberAllocatesNothing(t *testing.T) {
	b := []byte("1234.5678")
	if n := testing.AllocsPerRun(100, func() { bar.ParseNumber(b) }); n != 0 {
		t.Fatalf("ParseNumber allocates %v times", n)
	}
}

func BenchmarkParseNumber(b *testing.B) {
	s := []byte("200.29")
	b.ReportAllocs()
	for b.Loop() {
		bar.ParseNumber(s)
	}
}
