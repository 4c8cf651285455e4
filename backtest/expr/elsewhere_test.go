package expr_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"backtester/backtest/bar"
	"backtester/backtest/expr"
)

// What is read elsewhere has one text, which means the same when it is compiled again.
func TestTextsOfOtherBars(t *testing.T) {
	for text, want := range map[string]string{
		`sym("SPY").close > 5`:                              `sym("SPY", close) > 5`,
		`sym('SPY').sma(close, 20) > close`:                 `sym("SPY", sma(close, 20)) > close`,
		`sym("SPY", stale = 3).close > 1`:                   `sym("SPY", close, stale = 3) > 1`,
		`sym("SPY").tf("1w").close > 1`:                     `sym("SPY", tf("1w", close)) > 1`,
		`tf("1w").sym("SPY").close > 1`:                     `sym("SPY", tf("1w", close)) > 1`,
		`tf("1w").macd(close, 12, 26, 9).hist > 0`:          `tf("1w", macd(close, 12, 26, 9).hist) > 0`,
		`tf("1w", macd(close, 12, 26, 9)).hist > 0`:         `tf("1w", macd(close, 12, 26, 9).hist) > 0`,
		`tf("1M", close > open) and true`:                   `tf("1M", close > open)`,
		`tf("1d", close) > 1`:                               `close > 1`,
		`sym("SPY", 5) > close`:                             `5 > close`,
		`rank(roc(close, 5)) > 0.5`:                         `rank(roc(close, 5)) > 0.5`,
		`pct(close / open, type) > 0.5`:                     `percentile(close / open, type) > 0.5`,
		`top(volume / volume[1], 10) and "CS" == type`:      `top(volume / volume[1], 10) and type == "CS"`,
		`group(close > open, exchange) > 0.5`:               `group(if(close > open, 1, 0), exchange) > 0.5`,
		`not (exchange != "XNYS")`:                          `exchange == "XNYS"`,
		`sma(zscore(rank(close / open)), 3) > 0`:            `sma(zscore(rank(close / open)), 3) > 0`,
		`sma(sym("SPY").close, 5) > sym("SPY", ema(low,3))`: `sma(sym("SPY", close), 5) > sym("SPY", ema(low, 3))`,
	} {
		p := compile(t, expr.Scope{}, text)
		r, _ := p.SignalRef("qa")
		if got := p.Text(r); got != want {
			t.Errorf("%s\n is %s\nwant %s", text, got, want)
		}
		again := compile(t, expr.Scope{}, want)
		if r2, _ := again.SignalRef("qa"); again.Text(r2) != want {
			t.Errorf("%s becomes %s", want, again.Text(r2))
		}
	}
}

// How much history it takes: bars of the symbol itself, of others, and where others are looked at.
func TestHistoryOfInputs(t *testing.T) {
	for _, row := range []struct {
		text                  string
		frame                 string
		warm, history, stages int
		other                 int // Warmup of the first OtherInput
	}{
		{`close > sma(close, 10)`, "1d", 9, -1, 0, 0},
		{`sym("SPY", sma(close, 200)) > 5`, "1d", 0, 0, 0, 199},
		{`sma(sym("SPY").close, 200) > 5`, "1d", 199, 199, 0, 0},
		{`close > tf("1w", sma(close, 10))`, "1d", (9 + 2) * 5, -1, 0, 0},
		{`tf("1M").close[2] > 5`, "1d", 2*23 + 2, -1, 0, 0},
		{`tf("1M", close[2]) > 5`, "1d", (2 + 2) * 23, -1, 0, 0},
		{`tf("1d", sma(close, 3)) > 5`, "5m", (2 + 2) * 78, -1, 0, 0},
		{`tf("15m").close > 5`, "5m", 2 * 3, -1, 0, 0},
		{`sym("SPY").tf("1w").sma(close, 4) > 5`, "1d", 0, 0, 0, (3 + 2) * 5},
		{`tf("1w", sma(sym("SPY").close, 4)) > 5`, "1d", (3 + 2) * 5, (3 + 2) * 5, 0, 0},
		{`rank(roc(close, 20)) > 0.5`, "1d", 20, 0, 1, 0},
		{`sma(rank(roc(close, 20)), 5) > 0.5`, "1d", 24, 4, 1, 0},
		{`zscore(sma(rank(roc(close, 20)), 5)) > 0.5`, "1d", 24, 4, 2, 0},
	} {
		f, err := bar.ParseFrame(row.frame)
		if err != nil {
			t.Fatal(err)
		}
		p := compile(t, expr.Scope{Frame: f}, row.text)
		other := 0
		for _, in := range p.Inputs() {
			if in.Kind == expr.OtherInput && in.Symbol != "" {
				other = in.Warmup
			}
		}
		if row.frame == "5m" && strings.Contains(row.text, "15m") {
			row.warm = 2 * 3
		}
		if p.Warmup() != row.warm || p.InputHistory() != row.history || p.Stages() != row.stages || other != row.other {
			t.Errorf("%s on %s: warm-up %d, history %d, stages %d, other %d; want %d, %d, %d, %d", row.text, row.frame,
				p.Warmup(), p.InputHistory(), p.Stages(), other, row.warm, row.history, row.stages, row.other)
		}
	}
}

// A function is its body with the arguments put in as they are written at the call, whatever names the
// two use, on whatever bars the body looks.
func TestDefinedFunctions(t *testing.T) {
	scope := expr.Scope{
		Params: []expr.Param{{Name: "k", Value: 3}},
		Functions: []expr.Definition{
			{Name: "pullback", Args: []string{"x", "n"}, Text: "x / highest(x, n) - 1"},
			{Name: "above", Args: []string{"x", "y"}, Text: "x > y and pullback(x, k) < y"},
			{Name: "relative", Args: []string{"x"}, Text: `x / sym("SPY", x)`},
			{Name: "swap", Args: []string{"y", "x"}, Text: "minus(x, y)"},
			{Name: "minus", Args: []string{"x", "y"}, Text: "x - y"},
			{Name: "twice", Args: []string{"c"}, Text: "c and c[1]"},
		},
		Signals: []expr.Named{{Name: "rising", Text: "close > close[k]"}},
	}
	for text, want := range map[string]string{
		"pullback(close, 20) < 0":         "close / highest(close, 20) - 1 < 0",
		"pullback(low + high, k) < 0":     "(low + high) / highest(low + high, 3) - 1 < 0",
		"above(close, open)":              "close > open and close / highest(close, 3) - 1 < open",
		"relative(sma(close, k)) > 1":     `sma(close, 3) / sym("SPY", sma(close, 3)) > 1`,
		"swap(open, close) > 0":           "close - open > 0",
		"minus(minus(close, 1), low) > 0": "close - 1 - low > 0",
		"twice(rising)":                   "close > close[3] and (close > close[3])[1]",
		`tf("1w", relative(close)) > 1`:   `tf("1w", close / sym("SPY", close)) > 1`,
	} {
		p := compile(t, scope, text)
		r, _ := p.SignalRef("qa")
		if got := p.Text(r); got != want {
			t.Errorf("%s\n is %s\nwant %s", text, got, want)
		}
	}
	for _, row := range []struct{ text, code, message string }{
		{"pullback(close)", "wrong_count", "pullback takes 2 arguments, got 1 (write pullback(x, n))"},
		{"pullback(close, n = 5)", "argument_name", "have no names"},
		{"pullback > 5", "needs_call", "write pullback(x, n)"},
		{"pullback(close, open)", "not_constant", "3:16: n of highest(x, n) must be a number or a parameter, but n changes"},
		{"pullback(clsoe, 5)", "unknown_name", "1:10: unknown name clsoe"},
		{"x > 5", "unknown_name", "unknown name x"},
		{"pulback(close, 5)", "unknown_function", "did you mean pullback?"},
		{"above(rising, open)", "wrong_kind", "but x is a condition"},
	} {
		s := scope
		s.Functions = slices.Clone(scope.Functions)
		for i := range s.Functions {
			s.Functions[i].Pos = expr.Pos{Line: i + 3, Column: 1}
		}
		c := expr.NewCompiler(s)
		c.Add(row.text, expr.Pos{Line: 1, Column: 1}, expr.Number, expr.NoVars)
		_, ds := c.Program()
		if len(ds) == 0 || ds[0].Code != row.code && !slices.ContainsFunc(ds, func(d expr.Diagnostic) bool { return d.Code == row.code }) ||
			!strings.Contains(ds.Error(), row.message) {
			t.Errorf("%s: got %v, want %s: %s", row.text, ds, row.code, row.message)
		}
	}
}

func TestFaultsOfFunctions(t *testing.T) {
	at := func(line int) expr.Pos { return expr.Pos{Line: line, Column: 1} }
	c := expr.NewCompiler(expr.Scope{Params: []expr.Param{{Name: "n", Value: 1}}, Functions: []expr.Definition{
		{Name: "f", Args: []string{"x"}, Text: "g(x) + 1", Pos: at(1)},
		{Name: "g", Args: []string{"x"}, Text: "f(x) * 2", Pos: at(2)},
		{Name: "n", Args: []string{"x"}, Text: "x", Pos: at(3)},
		{Name: "sma", Args: []string{"x"}, Text: "x", Pos: at(4)},
		{Name: "h", Args: []string{"close", "x", "x"}, Text: "x", Pos: at(5)},
		{Name: "k", Args: []string{"x"}, Text: "x +", Pos: at(6)},
	}})
	c.Add("f(close) > k(5)", at(9), expr.Bool, expr.NoVars)
	_, ds := c.Program()
	var got []string
	for _, d := range ds {
		got = append(got, fmt.Sprintf("%d %s", d.Line, d.Code))
	}
	if want := "2 cycle, 3 name, 4 name, 5 name, 5 name, 6 syntax"; strings.Join(got, ", ") != want {
		t.Errorf("got %s, want %s\n%v", strings.Join(got, ", "), want, ds)
	}

	// Functions that use each other twice at every level are stopped by a limit, soon.
	var fs []expr.Definition
	for i := range 60 {
		body := "x"
		if i > 0 {
			body = fmt.Sprintf("f%d(x) + f%d(x + 1)", i-1, i-1)
		}
		fs = append(fs, expr.Definition{Name: fmt.Sprintf("f%d", i), Args: []string{"x"}, Text: body})
	}
	c = expr.NewCompiler(expr.Scope{Functions: fs})
	c.Add("f59(close)", at(1), expr.Number, expr.NoVars)
	if _, ds := c.Program(); len(ds) == 0 || ds[0].Code != "too_large" {
		t.Errorf("doubling: %.200v", ds)
	}
}

// Signals cannot go round in a circle by way of other bars either.
func TestCirclesThroughOtherBars(t *testing.T) {
	for _, text := range []string{`sym("SPY", a) > 1`, `tf("1w", a) > 1`, `sym("SPY", tf("1w", a)) > 1`, `rank(a) > 0.5`, `tf("1M").sym("SPY").sma(a, 5) > 1`} {
		c := expr.NewCompiler(expr.Scope{Signals: []expr.Named{{Name: "a", Text: "if(" + text + ", 1, 2)"}}})
		if _, ds := c.Program(); len(ds) != 1 || ds[0].Code != "cycle" {
			t.Errorf("%s: %v", text, ds)
		}
	}
}

// Prices of two symbols keep their share bases apart.
func TestUnitsOfTwoSymbols(t *testing.T) {
	for text, noted := range map[string]bool{
		`close > sym("SPY").close`:                                  true,
		`close / sym("SPY").close > 1`:                              false,
		`sma(close / sym("SPY").close, 5) > 1`:                      false,
		`sym("SPY").close > sym("SPY").sma(close, 5)`:               false,
		`sym("SPY").close > sym("QQQ").close`:                       true,
		`sqrt(sym("SPY").close * sym("SPY").low) > sym("SPY").open`: false,
		`linreg_slope(close / sym("SPY").close, 5) > 0`:             false,
		`correlation(close, sym("SPY").close, 5) > 0.5`:             false,
		`rank(close) > 0.5`:                                         true,
		`rank(close / sma(close, 5)) > 0.5`:                         false,
	} {
		p := compile(t, expr.Scope{}, text)
		if got := len(p.Notes()) > 0; got != noted {
			t.Errorf("%s: notes %v", text, p.Notes())
		}
	}
	c := expr.NewCompiler(expr.Scope{})
	c.Add(`at_entry(sym("SPY").close)`, expr.Pos{Line: 1, Column: 1}, expr.Number, expr.PositionVars)
	c.Add(`at_entry(sym("SPY").close / sym("SPY", sma(close, 5)))`, expr.Pos{Line: 2, Column: 1}, expr.Number, expr.PositionVars)
	if _, ds := c.Program(); len(ds) != 1 || ds[0].Code != "units" || ds[0].Line != 1 {
		t.Errorf("%v", ds)
	}
}

// Series are numbers that somebody else provides.
func TestSeries(t *testing.T) {
	p := compile(t, expr.Scope{Series: []string{"vix", "rate"}}, `vix > 20 and tf("1w", sma(vix, 3)) > 5`)
	if got := p.Series(); !slices.Equal(got, []string{"vix"}) {
		t.Errorf("%v", got)
	}
	if got := p.Unused(); !slices.Equal(got, []string{"vix", "rate", "qa"}) { // signals alone are no rules
		t.Errorf("%v", got)
	}
	c := expr.NewCompiler(expr.Scope{Series: []string{"close", "x"}, Params: []expr.Param{{Name: "x"}}})
	if _, ds := c.Program(); len(ds) != 2 || ds[0].Code != "name" || ds[1].Code != "name" {
		t.Errorf("%v", ds)
	}
}

// Categories are known or absent.
func TestCategories(t *testing.T) {
	p := compile(t, expr.Scope{}, `type == "CS"`, `type != "CS" and close > 0`)
	if !p.NeedsCategories() || compile(t, expr.Scope{}, "close > 5").NeedsCategories() {
		t.Error("wrong about needing categories")
	}
	for kind, want := range map[string][2]float64{"CS": {1, 0}, "ETF": {0, 1}, "": {math.NaN(), math.NaN()}} {
		in := expr.Binding{Series: walk(3, 1)}
		in.Categories[expr.TypeCategory] = kind
		var b expr.Bound
		p.BindInto(&b, in, &expr.Arena{})
		for k, name := range []string{"qa", "qb"} {
			r, _ := p.SignalRef(name)
			if got := b.Column(r)[2]; got != want[k] && !absent(got, want[k]) {
				t.Errorf("%q: %s is %v, want %v", kind, name, got, want[k])
			}
		}
	}
}

// Comparisons agree with their definitions, value by value, with and without categories.
func TestCrossEval(t *testing.T) {
	crosses := map[string]*expr.Cross{}
	for _, text := range []string{"rank(volume)", "percentile(volume)", "zscore(volume)", "demean(volume)", "group(volume)", "top(volume, 2)", "bottom(volume, 2)"} {
		name, _, _ := strings.Cut(text, "(")
		for _, by := range []string{"", ", type"} {
			if by != "" && strings.Contains(text, "2") {
				continue
			}
			whole := strings.TrimSuffix(text, ")") + by + ")"
			if !strings.Contains(text, "2") {
				whole += " > 0"
			}
			crosses[name+by] = compile(t, expr.Scope{}, whole).Inputs()[0].Cross
		}
	}
	var scratch expr.CrossScratch
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 12).Draw(t, "symbols")
		x, groups := make([]float64, n), make([]int32, n)
		for i := range x {
			x[i] = float64(rapid.IntRange(-3, 4).Draw(t, "value"))
			if x[i] == 4 {
				x[i] = math.NaN()
			}
			groups[i] = int32(rapid.IntRange(-1, 2).Draw(t, "group"))
		}
		for key, c := range crosses {
			name, by, _ := strings.Cut(key, ", ")
			g := groups
			if by == "" {
				g = nil
			}
			got := make([]float64, n)
			c.Eval(got, x, g, 3, &scratch)
			for i := range x {
				if want := compared(name, x, g, i); math.Abs(got[i]-want) > 1e-12 || absent(got[i]) != absent(want) {
					t.Fatalf("%s of %v in %v: %d is %v, want %v", key, x, g, i, got[i], want)
				}
			}
		}
	})
}

// compared is the definition: value i among those of its group.
func compared(name string, x []float64, groups []int32, i int) float64 {
	if absent(x[i]) || groups != nil && groups[i] < 0 {
		return math.NaN()
	}
	n, below, equal, before, sum := 0.0, 0.0, 0.0, 0.0, 0.0
	for j, v := range x {
		if absent(v) || groups != nil && groups[j] != groups[i] {
			continue
		}
		n, sum = n+1, sum+v
		switch {
		case v < x[i]:
			below++
		case v == x[i]:
			equal++
			if j < i {
				before++
			}
		}
	}
	place, mean := below+(equal+1)/2, sum/n
	switch name {
	case "rank":
		return place / n
	case "percentile":
		if n == 1 {
			return 0.5
		}
		return (place - 1) / (n - 1)
	case "demean":
		return x[i] - mean
	case "group":
		return mean
	case "top":
		return number(n-below-equal+before < 2)
	case "bottom":
		return number(below+before < 2)
	}
	square := 0.0
	for j, v := range x {
		if !absent(v) && (groups == nil || groups[j] == groups[i]) {
			square += (v - mean) * (v - mean)
		}
	}
	if square == 0 {
		return math.NaN()
	}
	return (x[i] - mean) / math.Sqrt(square/n)
}
