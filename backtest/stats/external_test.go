package stats_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"backtester/backtest/instrument"
	"backtester/backtest/stats"
)

func TestReadEquity(t *testing.T) {
	s, err := stats.ReadSeries(strings.NewReader("\uFEFFDate, note ,EQUITY\r\n2024-01-02,a,100\r\n2024-01-03,\"b,c\",110\r\n2024-01-04,,99\r\n"), "x.csv", stats.AnyKind)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(s.Dates) != "[2024-01-02 2024-01-03 2024-01-04]" || fmt.Sprint(s.Equity) != "[100 110 99]" || s.FromReturns {
		t.Errorf("%+v", s)
	}
	m := stats.Compute(s.Input())
	near(t, "total_return", get(t, m, "total_return"), -.01)
	near(t, "periods_per_year", get(t, m, "periods_per_year"), 252)
	near(t, "max_drawdown", get(t, m, "max_drawdown"), -.1)
}

// Bacon's months as a file give Bacon's numbers.
func TestReadReturns(t *testing.T) {
	v := load(t).Bacon
	var a, b strings.Builder
	a.WriteString("date,return\n")
	b.WriteString("return,date\n")
	for i, d := range monthEnds(24)[1:] {
		fmt.Fprintf(&a, "%s,%g\n", d, v.Portfolio[i])
		fmt.Fprintf(&b, "%g,%s\n", v.Benchmark[i], d)
	}
	s, err := stats.ReadSeries(strings.NewReader(a.String()), "a.csv", stats.AnyKind)
	if err != nil {
		t.Fatal(err)
	}
	bench, err := stats.ReadSeries(strings.NewReader(b.String()), "b.csv", stats.AnyKind)
	if err != nil {
		t.Fatal(err)
	}
	in := s.Input()
	in.Benchmark = bench.On(in.Dates)
	m := stats.Compute(in)
	if got := s.Dates[0].String(); got != "1999-12-31" {
		t.Errorf("starts on %s", got)
	}
	for key, want := range map[string]string{"sharpe": "sharpe_ann", "sortino": "sortino0_ann", "max_drawdown": "maxdd", "beta": "beta", "information_ratio": "ir_arith_ann"} {
		near(t, key, get(t, m, key), v.Expected[want])
	}
}

func TestSeriesOnOtherDates(t *testing.T) {
	s, err := stats.ReadSeries(strings.NewReader("date,return\n2024-01-03,0.1\n2024-01-05,-0.5\n"), "x", stats.AnyKind)
	if err != nil {
		t.Fatal(err)
	}
	if s.Dates[0].String() != "2024-01-02" {
		t.Errorf("starts on %s", s.Dates[0])
	}
	d := s.Dates[0]
	got := s.On([]instrument.Date{d - 1, d, d + 1, d + 2, d + 3, d + 9})
	want := []float64{math.NaN(), 1, 1.1, 1.1, .55, .55}
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-12 || math.IsNaN(got[i]) != math.IsNaN(want[i]) {
			t.Errorf("on day %d: %g, want %g", i, got[i], want[i])
		}
	}
}

func TestReadSeriesErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "read x.csv: no header line",
		"a,b\n1,2\n":                  `line 1: columns are ["a" "b"], want date and one of equity, return`,
		"date,equity\n":               "0 rows of data",
		"date,equity\n2024-01-02,1\n": "1 rows of data",
		"date,equity\n2024-01-02,1\n2024-01-02,2\n":       "line 3: date 2024-01-02 does not come after 2024-01-02",
		"date,equity\n2024-01-02,1\n02.01.2024,2\n":       `line 3: read date "02.01.2024"`,
		"date,equity\n2024-01-02,1\n2024-01-03,0\n":       "line 3: equity 0 is not positive",
		"date,equity\n2024-01-02,NaN\n":                   `line 2: "NaN" is not a number`,
		"date,return\n2024-01-02,1%\n":                    "fractions, not percent",
		"date,return\n2024-01-02,-1.5\n":                  "loses more than everything",
		"date,return\n2024-01-02\n":                       "line 2: 1 cells, want at least 2",
		"date,return\n2024-01-02,0.1\n\"2024-01-03,0.1\n": "line 3",
	} {
		_, err := stats.ReadSeries(strings.NewReader(text), "x.csv", stats.AnyKind)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "x.csv") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestReadSeriesOfAKind(t *testing.T) {
	s, err := stats.ReadSeries(strings.NewReader(",my fund\n2024-01-02,0.1\n2024-01-03,-0.1\n"), "x.csv", stats.Return)
	if err != nil || !s.FromReturns || len(s.Equity) != 3 || math.Abs(s.Equity[2]-.99) > 1e-12 {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := stats.ReadSeries(strings.NewReader("date,nav\n2024-01-02,5\n2024-01-03,6\n"), "x.csv", stats.Equity); err != nil {
		t.Error(err)
	}
	for kind, text := range map[stats.Kind]string{stats.Return: "date,equity\n2024-01-02,1\n2024-01-03,2\n", stats.Equity: "return,date\n0.1,2024-01-02\n0.2,2024-01-03\n"} {
		if _, err := stats.ReadSeries(strings.NewReader(text), "x.csv", kind); err == nil || !strings.Contains(err.Error(), "want "+string(kind)) {
			t.Errorf("%q as %s: %v", text, kind, err)
		}
	}
	// A close called so is a level even of two columns, never a return.
	if _, err := stats.ReadSeries(strings.NewReader("Date,Close\n2024-01-02,5\n2024-01-03,6\n"), "x.csv", stats.Return); err == nil {
		t.Error("closes are read as returns")
	}
}

// What is not known is undefined, not none.
func TestUnknownGroups(t *testing.T) {
	s := stats.Series{Dates: weekdays(30), Equity: curve(noise(30))}
	m := stats.Compute(s.Input())
	for _, row := range stats.Table() {
		_, ok := m.Get(row.Key)
		if g := row.Group; ok && (g == stats.TradeGroup || g == stats.ExposureGroup || g == stats.CostGroup) {
			t.Errorf("%s is known of a bare curve", row.Key)
		}
	}
	if _, ok := m.Get("sharpe"); !ok {
		t.Error("a bare curve has no Sharpe ratio")
	}
}

func FuzzReadSeries(f *testing.F) {
	f.Add("date,equity\n2024-01-02,100\n2024-01-03,101\n")
	f.Add("return,date\n0.1,2024-01-02\n-1,2024-02-03\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := stats.ReadSeries(strings.NewReader(text), "f", stats.AnyKind)
		if err != nil {
			return
		}
		if len(s.Dates) != len(s.Equity) || len(s.Dates) < 2 {
			t.Fatalf("%d dates, %d values", len(s.Dates), len(s.Equity))
		}
		if _, err := stats.Compute(s.Input()).MarshalJSON(); err != nil {
			t.Fatal(err)
		}
	})
}
