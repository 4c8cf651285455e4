package stats_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"backtester/backtest/stats"
)

// factors are columns of 500 normal returns on weekdays.
func factors(n int, names ...string) stats.FactorReturns {
	f := stats.FactorReturns{Dates: weekdays(n)[1:], Names: names}
	for k := range names {
		rng := rand.New(rand.NewPCG(uint64(k), 5))
		x := make([]float64, n)
		for i := range x {
			x[i] = .0003 + .01*rng.NormFloat64()
		}
		f.Values = append(f.Values, x)
	}
	return f
}

// One factor that is the benchmark above the risk-free rate is what the benchmark's metrics say.
func TestAttributionToOneFactorIsTheBenchmark(t *testing.T) {
	in := tenYears()
	in.RiskFreeAnnual = .02
	b := stats.Returns(nil, in.Benchmark)
	rf := math.Pow(1.02, 1.0/252) - 1
	for i := range b {
		b[i] = b[i] - rf
		if i%2 == 0 { // a benchmark that the run follows in part only
			in.Equity[i+1] = in.Equity[i] * (1 + .5*b[i] + .001)
		} else {
			in.Equity[i+1] = in.Equity[i] * (1 + .7*b[i] - .0005)
		}
	}
	m := stats.Compute(in)
	a, err := stats.Attribute(in.Dates, in.Equity, stats.FactorReturns{Dates: in.Dates[1:], Names: []string{"market"}, Values: [][]float64{b}}, 252, .02)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "beta", a.Factors[0].Beta, get(t, m, "beta"))
	near(t, "return from the market", a.Factors[0].Return, get(t, m, "market_return"))
	near(t, "alpha", a.Alpha.Return, get(t, m, "alpha"))
	near(t, "t of alpha", a.Alpha.T, get(t, m, "alpha_t"))
	near(t, "p of alpha", a.Alpha.P, get(t, m, "alpha_p"))
	near(t, "R squared", a.RSquared, get(t, m, "r_squared"))
	near(t, "specific risk", a.Specific*math.Sqrt(2518.0/2519), get(t, m, "specific_risk"))
}

// With two factors each exposure is that of what the other does not explain (Frisch and Waugh 1933).
func TestAttributionToTwoFactors(t *testing.T) {
	const n = 500
	f := factors(n, "size", "value", "noise")
	y := make([]float64, n)
	for i := range y {
		f.Values[1][i] += .6 * f.Values[0][i] // factors that correlate
		y[i] = .0002 + .8*f.Values[0][i] - .3*f.Values[1][i] + .5*f.Values[2][i]
	}
	f.Names, f.Values = f.Names[:2], f.Values[:2]
	a, err := stats.Attribute(weekdays(n), curve(y), f, 252, 0)
	if err != nil {
		t.Fatal(err)
	}
	residuals := func(y, x []float64) (e []float64, slope float64) {
		var sxy, sxx float64
		for i := range x {
			sxy += (x[i] - meanOf(x)) * (y[i] - meanOf(y))
			sxx += (x[i] - meanOf(x)) * (x[i] - meanOf(x))
		}
		for i := range x {
			e = append(e, y[i]-meanOf(y)-sxy/sxx*(x[i]-meanOf(x)))
		}
		return e, sxy / sxx
	}
	squares := func(x []float64) (s float64) {
		for _, v := range x {
			s += v * v
		}
		return s
	}
	sum := a.Alpha.Return
	for k, e := range a.Factors {
		own, _ := residuals(f.Values[k], f.Values[1-k])
		_, beta := residuals(y, own)
		near(t, e.Name, e.Beta, beta)
		other, _ := residuals(y, f.Values[1-k])
		left, _ := residuals(other, own)
		near(t, "error of "+e.Name, e.SE, math.Sqrt(squares(left)/(n-3)/squares(own)))
		near(t, "return of "+e.Name, e.Return, beta*meanOf(f.Values[k])*252)
		sum += e.Return
	}
	near(t, "sum of the parts", sum, a.Mean)
	near(t, "mean", a.Mean, meanOf(y)*252)
}

func meanOf(x []float64) float64 {
	s := 0.0
	for _, v := range x {
		s += v / float64(len(x))
	}
	return s
}

func TestAttributionRefuses(t *testing.T) {
	f := factors(500, "a", "b")
	y := curve(noise(500))
	twice := f
	twice.Values = [][]float64{f.Values[0], f.Values[0]}
	still := f
	still.Values = [][]float64{f.Values[0], make([]float64, 500)}
	for want, call := range map[string]func() (*stats.Attribution, error){
		"depend on each other": func() (*stats.Attribution, error) { return stats.Attribute(weekdays(500), y, twice, 252, 0) },
		"factor b is 0":        func() (*stats.Attribution, error) { return stats.Attribute(weekdays(500), y, still, 252, 0) },
		"16 of 499 sessions":   func() (*stats.Attribution, error) { return stats.Attribute(monthEnds(499), y[:500], f, 252, 0) },
		"explain every return": func() (*stats.Attribution, error) {
			return stats.Attribute(weekdays(500), curve(f.Values[0]), f, 252, 0)
		},
		"59 of 59 sessions, want 60": func() (*stats.Attribution, error) { return stats.Attribute(weekdays(59), y[:60], f, 252, 0) },
	} {
		if a, err := call(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, %v: want %q", a, err, want)
		}
	}
}

func TestReadFactors(t *testing.T) {
	f, err := stats.ReadFactors(strings.NewReader("Date, MKT ,SMB\n2024-01-02,0.01,-0.002\n2024-01-03,0,1e-3\n"), "x.csv")
	if err != nil || fmt.Sprint(f.Names, f.Values, f.Dates) != "[MKT SMB] [[0.01 0] [-0.002 0.001]] [2024-01-02 2024-01-03]" {
		t.Errorf("%+v, %v", f, err)
	}
	for text, want := range map[string]string{
		"":               "no header line",
		"date\n":         "want date and 1 to 20 factors",
		"day,MKT\n":      "want date and 1 to 20 factors",
		"date,MKT,MKT\n": `column 3 is named "MKT"`,
		"date,MKT\n2024-01-02,0.1\n2024-01-02,0.1\n": "line 3: date 2024-01-02 does not come after",
		"date,MKT\n2024-01-02,\n":                    `line 2: "" of MKT is not a number`,
		"date,MKT\n2024-01-02\n":                     "line 2",
		"date,MKT\nJan,0.1\n":                        `line 2: read date "Jan"`,
	} {
		if _, err := stats.ReadFactors(strings.NewReader(text), "x.csv"); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "x.csv") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
