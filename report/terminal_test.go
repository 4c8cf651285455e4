package report_test

import (
	"bytes"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"backtester/backtest"
	"backtester/report"
)

var update = flag.Bool("update", false, "rewrite the golden files of testdata; read the difference before committing")
var pages = flag.String("pages", "", "folder to write HTML pages to, to look at them")

// golden compares got with testdata/name.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (write it with -update)", err)
	}
	if !bytes.Equal(got, want) {
		a, b := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Fatalf("%s line %d:\n got %q\nwant %q", name, i+1, a[i], b[i])
			}
		}
		t.Fatalf("%s has %d lines, want %d", name, len(a), len(b))
	}
}

func terminal(t *testing.T, o report.Options, rs ...*backtest.Result) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.Terminal(&b, rs, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTerminalGolden(t *testing.T) {
	golden(t, "one-wide.txt", []byte(terminal(t, report.Options{Width: 130, Unicode: true}, demo(2516))))
	golden(t, "one-ascii-80.txt", []byte(terminal(t, report.Options{Width: 80}, pullback(500))))
	golden(t, "nothing.txt", []byte(terminal(t, report.Options{Width: 100, Unicode: true}, still())))
	golden(t, "three.txt", []byte(terminal(t, report.Options{Width: 110, Unicode: true}, pullback(1000), named(demo(700), "dip"), named(still(), "still"))))
	var many []*backtest.Result
	for i := range 6 {
		many = append(many, named(pullback(400+200*i), "run %d", i))
	}
	golden(t, "six.txt", []byte(terminal(t, report.Options{Width: 100, Unicode: true}, many...)))
}

func TestTerminalFitsTheWidth(t *testing.T) {
	for _, width := range []int{60, 80, 100, 160} {
		for name, r := range map[string]*backtest.Result{"demo": demo(600), "still": still(), "minutes": minutes(20)} {
			for i, l := range strings.Split(terminal(t, report.Options{Width: width, Unicode: true}, r), "\n") {
				if n := utf8.RuneCountInString(l); n > width {
					t.Errorf("%s at %d: line %d has %d columns: %s", name, width, i+1, n, l)
				}
			}
		}
	}
}

func TestColourOnlyWhenAsked(t *testing.T) {
	if s := terminal(t, report.Options{Width: 120, Unicode: true}, demo(400)); strings.Contains(s, "\x1b") {
		t.Error("escapes without colour")
	}
	plain := terminal(t, report.Options{Width: 120}, demo(400))
	for _, r := range plain {
		if r > 126 {
			t.Fatalf("%q in ASCII output", r)
		}
	}
	if s := terminal(t, report.Options{Width: 120, Color: true}, demo(400)); !strings.Contains(s, "\x1b[1;31mGRAVE\x1b[0m") {
		t.Error("no colour when asked")
	}
}

func TestTerminalSurvivesHostileText(t *testing.T) {
	for _, s := range []string{terminal(t, report.Options{Width: 100, Unicode: true}, hostile()),
		terminal(t, report.Options{Width: 100}, hostile(), hostile())} {
		for _, bad := range []string{"\x1b", "\x07", "\u202E", "\r", "\x00"} {
			if strings.Contains(s, bad) {
				t.Errorf("%q reached the terminal", bad)
			}
		}
	}
}

// Where no bar could decide, "still warming up" would promise that waiting helps.
func TestNothingCouldDecide(t *testing.T) {
	r := still()
	r.Counts.Warming = r.Counts.Bars
	out := strings.Join(strings.Fields(terminal(t, report.Options{Width: 100}, r)), " ")
	if want := "None of 1,800 bars could decide"; !strings.Contains(out, want) || strings.Contains(out, "still warming up") {
		t.Errorf("want %q in\n%s", want, out)
	}
}

// The span of the largest numbers is infinite: a chart of them must end, and stay in its frame.
func TestChartsOfExtremeNumbers(t *testing.T) {
	for _, values := range [][]float64{{1e308, -1e308}, {math.MaxFloat64, -math.MaxFloat64, 0}, {5e-324, 1e308}, {math.Inf(1), 0}, {math.Inf(-1), math.Inf(1), math.NaN()}} {
		r := pullback(60)
		for i := range r.Equity.Value {
			r.Equity.Value[i] = values[i%len(values)]
		}
		out := terminal(t, report.Options{Width: 80}, r)
		if !strings.Contains(out, "Equity, USD") {
			t.Errorf("%v: no chart in\n%s", values, out)
		}
		for _, line := range strings.Split(out, "\n") {
			if utf8.RuneCountInString(line) > 200 {
				t.Errorf("%v: a line of %d characters", values, utf8.RuneCountInString(line))
			}
		}
	}
}
