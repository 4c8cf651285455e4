package expr_test

import (
	"math"
	"testing"

	"backtester/backtest/bar"
	"backtester/backtest/expr"
	"backtester/backtest/indicator"
)

// The whole of three-valued logic. t, f and a are conditions that are true, false and absent.
func TestThreeValuedLogic(t *testing.T) {
	s := series(1)
	value := map[string]string{"t": "close == 1", "f": "close == 2", "a": "close[1] == 1"}
	num := map[byte]float64{'t': 1, 'f': 0, 'a': nan}
	for _, row := range []struct{ op, table string }{
		// by left operand t f a, for right operands t f a
		{"and", "tfa fff afa"},
		{"or", "ttt tfa taa"},
	} {
		k := 0
		for _, left := range []string{"t", "f", "a"} {
			for _, right := range []string{"t", "f", "a"} {
				want := num[row.table[k]]
				k++
				text := value[left] + " " + row.op + " " + value[right]
				if got := column(t, s, bar.Basis{}, text)[0]; got != want && !absent(got, want) || absent(got) != absent(want) {
					t.Errorf("%s %s %s = %v, want %v", left, row.op, right, got, want)
				}
				// The same with constants, which are folded.
				constants := map[string]string{"t": "true", "f": "false", "a": "(absent > 1)"}
				text = constants[left] + " " + row.op + " " + constants[right]
				if got := column(t, s, bar.Basis{}, text)[0]; got != want && !absent(got, want) || absent(got) != absent(want) {
					t.Errorf("%s = %v, want %v", text, got, want)
				}
			}
			k++ // the space
		}
	}
	check(t, s, bar.Basis{}, "not (close == 1)", 0)
	check(t, s, bar.Basis{}, "not (close == 2)", 1)
	check(t, s, bar.Basis{}, "not (close[1] == 1)", nan)
	check(t, s, bar.Basis{}, "if(close[1] == 1, 5, 6)", nan)
	check(t, s, bar.Basis{}, "if(close == 1, 5, close[1])", 5)
	check(t, s, bar.Basis{}, "if(close[1] == 1, true, true)", nan)
	check(t, s, bar.Basis{}, "is_absent(close[1]) and is_absent(close[1] > 2) and not is_absent(close)", 1)
}

func TestBitsets(t *testing.T) {
	s := walk(130, 4)
	p := compile(t, expr.Scope{}, "close > close[70]", "not (close > close[70])", "true", "absent > 1")
	b := p.Bind(s, bar.Basis{}, nil, &expr.Arena{})
	for _, name := range []string{"qa", "qb", "qc", "qd"} {
		r, _ := p.SignalRef(name)
		yes, gone := b.True(r), b.Absent(r)
		if len(yes) != 3 || len(gone) != 3 {
			t.Fatalf("%d and %d words for 130 bars", len(yes), len(gone))
		}
		col := b.Column(r)
		for i, v := range col {
			y, g := yes[i/64]>>(i%64)&1 == 1, gone[i/64]>>(i%64)&1 == 1
			if y != (v == 1) || g != absent(v) || y && g {
				t.Fatalf("%s: bar %d is %v, bits %v %v", name, i, v, y, g)
			}
			if at := b.At(r, i, 2, nil); at != v && !absent(at, v) {
				t.Fatalf("%s: At %v, column %v", name, at, v)
			}
		}
		if yes[2]>>2 != 0 || gone[2]>>2 != 0 {
			t.Errorf("%s: bits beyond the last bar: %x %x", name, yes[2], gone[2])
		}
	}
}

// Comparisons of values that are awkward for floating point, over whole words and tails.
func TestComparisonOfAwkwardValues(t *testing.T) {
	awkward := []float64{0, math.Copysign(0, -1), 1, -1, math.Inf(1), math.Inf(-1), nan, math.MaxFloat64, -math.MaxFloat64, 5e-324, -5e-324, 1 + 1e-16, 1 - 1.1e-16}
	finite := []float64{0, math.Copysign(0, -1), 1, -1, math.MaxFloat64, -math.MaxFloat64, 5e-324, -5e-324, 1 - 1.1e-16, 2.2250738585072014e-308}
	for _, pool := range [][]float64{awkward, finite} {
		var x, y []float64
		for _, a := range pool {
			for _, b := range pool {
				x, y = append(x, a), append(y, b)
			}
		}
		s := series(x...)
		s.Open = y
		for _, op := range []string{">", ">=", "<", "<=", "==", "!="} {
			got := column(t, s, bar.Basis{}, "close "+op+" open")
			for i := range got {
				if want := comparison(op, x[i], y[i]); got[i] != want && !absent(got[i], want) || absent(got[i]) != absent(want) {
					t.Errorf("%v %s %v = %v", x[i], op, y[i], got[i])
				}
			}
			for _, c := range []string{"0", "1", "-1"} {
				v := map[string]float64{"0": 0, "1": 1, "-1": -1}[c]
				left, right := column(t, s, bar.Basis{}, c+op+"open"), column(t, s, bar.Basis{}, "close"+op+c)
				for i := range left {
					if want := comparison(op, v, y[i]); left[i] != want && !absent(left[i], want) {
						t.Errorf("%v %s %v = %v", v, op, y[i], left[i])
					}
					if want := comparison(op, x[i], v); right[i] != want && !absent(right[i], want) {
						t.Errorf("%v %s %v = %v", x[i], op, v, right[i])
					}
				}
			}
		}
	}
}

// Each function once on values worked by hand.
func TestFunctions(t *testing.T) {
	s := series(4, 1, 2.5, -2.5, 0, 9)
	s.Open = []float64{1, 2, 3, 4, 5, 6}
	for text, want := range map[string][]float64{
		"abs(close)":                             {4, 1, 2.5, 2.5, 0, 9},
		"sign(close)":                            {1, 1, 1, -1, 0, 1},
		"sqrt(close)":                            {2, 1, math.Sqrt(2.5), nan, 0, 3},
		"floor(close)":                           {4, 1, 2, -3, 0, 9},
		"ceil(close)":                            {4, 1, 3, -2, 0, 9},
		"round(close)":                           {4, 1, 3, -3, 0, 9}, // halves away from zero
		"log(close)":                             {math.Log(4), 0, math.Log(2.5), nan, nan, math.Log(9)},
		"exp(close * 1000)":                      {nan, nan, nan, 0, 1, nan}, // beyond all bounds is absent
		"pow(close, 2)":                          {16, 1, 6.25, 6.25, 0, 81},
		"pow(close, -1)":                         {0.25, 1, 0.4, -0.4, nan, 1. / 9},
		"pow(close, 0)":                          {1, 1, 1, 1, 1, 1},
		"pow(close, 0.5)":                        {2, 1, math.Sqrt(2.5), nan, 0, 3},
		"pow(2, open)":                           {2, 4, 8, 16, 32, 64},
		"min(close, open, 3)":                    {1, 1, 2.5, -2.5, 0, 3},
		"max(close, open)":                       {4, 2, 3, 4, 5, 9},
		"close / 0":                              {nan, nan, nan, nan, nan, nan},
		"1 / close":                              {0.25, 1, 0.4, -0.4, nan, 1. / 9},
		"open / close":                           {0.25, 2, 1.2, -1.6, nan, 6. / 9},
		"-close + 1":                             {-3, 0, -1.5, 3.5, 1, -8},
		"2 - close * 3":                          {-10, -1, -5.5, 9.5, 2, -25},
		"between(close, 0, open)":                {0, 1, 1, 0, 1, 0},
		"rises(close, 2)":                        {nan, nan, 0, 0, 0, 1},
		"falls(close, 2)":                        {nan, nan, 1, 1, 1, 0},
		"change(close, 2)":                       {nan, nan, -1.5, -3.5, -2.5, 11.5},
		"crosses_above(close, open)":             {nan, 0, 0, 0, 0, 1},
		"crossover(close, 0)":                    {nan, 0, 0, 0, 0, 1},
		"crosses_below(close, open)":             {0, 1, 0, 0, 0, 0},
		"crosses(close, open)":                   {nan, 1, 0, 0, 0, 1},
		"count_when(close > open, 2)":            {nan, 1, 0, 0, 0, 1},
		"bars_since(close > open, 3)":            {0, 1, 2, nan, nan, 0},
		"bars_since(close[1] > open, 3)":         {nan, 0, 1, 2, nan, nan},
		"value_when(close > open, close * 2, 3)": {8, 8, 8, nan, nan, 18},
		"every(close > 0, 2)":                    {nan, 1, 1, 0, 0, 0},
		"any(close > 3, 2)":                      {1, 1, 0, 0, 0, 1},
		"coalesce(sqrt(close), 7)":               {2, 1, math.Sqrt(2.5), 7, 0, 3},
		"nz(absent, 7)":                          {7, 7, 7, 7, 7, 7},
		"hl2":                                    {4, 1, 2.5, -2.5, 0, 9},
		"hlc3 * 3":                               {12, 3, 7.5, -7.5, 0, 27},
		"typical - hlc3":                         {0, 0, 0, 0, 0, 0},
		"ohlc4 * 4":                              {13, 5, 10.5, -3.5, 5, 33},
		"gap":                                    {nan, -0.5, 2, 0.6, -3, nan},
		"close[0]":                               {4, 1, 2.5, -2.5, 0, 9},
		"close[5]":                               {nan, nan, nan, nan, nan, 4},
		"close[100]":                             {nan, nan, nan, nan, nan, nan},
		"(close > open)[1]":                      {nan, 1, 0, 0, 0, 0},
		"true":                                   {1, 1, 1, 1, 1, 1},
		"3":                                      {3, 3, 3, 3, 3, 3},
		"absent":                                 {nan, nan, nan, nan, nan, nan},
		"close > absent":                         {nan, nan, nan, nan, nan, nan},
		"1_000 + 5e2 + .5 - 1.25e-1":             {1500.375, 1500.375, 1500.375, 1500.375, 1500.375, 1500.375},
		"1 + 2 * 3 - 4 / 2 > 4 and not 1 > 2":    {1, 1, 1, 1, 1, 1},
		"sma(x = open, n = 2)":                   {nan, 1.5, 2.5, 3.5, 4.5, 5.5},
		"sma(open, n = 1 + 1)":                   {nan, 1.5, 2.5, 3.5, 4.5, 5.5},
	} {
		check(t, s, bar.Basis{}, text, want...)
	}
}

// Every name of the table is documented, and what its signature shows can be compiled.
func TestTableOfFunctions(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range expr.Functions() {
		for _, n := range append([]string{f.Name}, f.Aliases...) {
			if seen[n] {
				t.Errorf("%s is in the table twice", n)
			}
			seen[n] = true
			if expr.CheckName(n) == nil {
				t.Errorf("a parameter could be called %s", n)
			}
		}
		if f.Doc == "" || f.Group == "" || f.Signature == "" {
			t.Errorf("%s has no documentation: %+v", f.Name, f)
		}
		if f.Group == "indicator" {
			continue
		}
		scope := expr.Scope{Params: []expr.Param{{Name: "n", Value: 3}, {Name: "x", Value: 1}, {Name: "y", Value: 2}},
			Signals: []expr.Named{{Name: "condition", Text: "close > open"}}}
		c := expr.NewCompiler(scope)
		text := map[string]string{"min": "min(x, y)", "max": "max(x, y)", "between": "between(close, x, y)", "type": `type == "CS"`, "exchange": `exchange == "XNYS"`}[f.Name]
		if text == "" {
			text = f.Signature
		}
		a := c.Add(text, expr.Pos{}, expr.Number, expr.PositionVars)
		_, ds := c.Program()
		if ds != nil && ds[0].Code == "wrong_kind" {
			c = expr.NewCompiler(scope)
			a = c.Add(text, expr.Pos{}, expr.Bool, expr.PositionVars)
			_, ds = c.Program()
		}
		if ds != nil || a == 0 {
			t.Errorf("%s: %v", text, ds)
		}
	}
}

// Where the table of indicators has a name of the language too, both mean the same.
func TestNamesOfBothTables(t *testing.T) {
	s := walk(100, 8)
	for _, f := range expr.Functions() {
		spec, ok := indicator.Lookup(f.Name)
		if !ok || f.Group == "indicator" {
			continue
		}
		if f.Group != "column" || len(spec.Series)+len(spec.Params) > 0 {
			t.Errorf("%s is a %s and an indicator", f.Name, f.Group)
			continue
		}
		in := map[string][]float64{"open": s.Open, "high": s.High, "low": s.Low, "close": s.Close, "volume": s.Volume}
		var cols [][]float64
		for _, c := range spec.Columns {
			cols = append(cols, in[c])
		}
		dst := make([]float64, s.Len())
		spec.Eval(&indicator.Scratch{}, [][]float64{dst}, cols, nil)
		check(t, s, bar.Basis{}, f.Name, dst...)
	}
}

// A condition that is always absent has a text that is a condition.
func TestAbsentConditionReadsBack(t *testing.T) {
	for _, text := range []string{"0 / 0 > 1 and close > open", "not (0 / 0 > 1 and close > open)", "0 / 0 > 1", "close > open or 0 / 0 == 1"} {
		p := compile(t, expr.Scope{}, text)
		r, _ := p.SignalRef("qa")
		canonical := p.Text(r)
		again := compile(t, expr.Scope{}, canonical)
		r2, _ := again.SignalRef("qa")
		if again.Kind(r2) != expr.Bool || again.Text(r2) != canonical {
			t.Errorf("%s is %s, which reads back as %s", text, canonical, again.Text(r2))
		}
	}
}
