package expr_test

import (
	"math"
	"os"
	"strings"
	"testing"

	"backtester/backtest/bar"
	"backtester/backtest/expr"
	"backtester/backtest/indicator"
	"backtester/backtest/instrument"
)

// callOf is a call of an output of spec on the bars' own columns, with windows of a few bars.
func callOf(spec indicator.Spec, out int) string {
	var args []string
	for i := range spec.Series {
		args = append(args, []string{"close", "volume"}[i%2])
	}
	for i, p := range spec.Params {
		v := p.Default
		if p.Required {
			v = max(p.Min, min(p.Max, float64(5+2*i)))
		}
		args = append(args, p.Text(v))
	}
	text := spec.Name + "(" + strings.Join(args, ", ") + ")"
	if out > 0 {
		text += "." + spec.Outputs[out].Name
	}
	return text
}

// Every output of every indicator: what it says at a bar does not change when the future does, and a
// two-for-one split that leaves the company what it was changes values by their unit and no more.
func TestEveryIndicatorThroughTimeAndSplits(t *testing.T) {
	const n, k = 260, 170
	s := walk(n, 11)
	// The same company, had it split on bar k: twice the price and half the shares before.
	split := *s
	double, half := func(x []float64) []float64 { return scaled(x, k, 2) }, func(x []float64) []float64 { return scaled(x, k, 0.5) }
	split.Open, split.High, split.Low, split.Close, split.Volume = double(s.Open), double(s.High), double(s.Low), double(s.Close), half(s.Volume)
	split.Actions.Splits = []instrument.Split{{Ex: s.Date(k), From: 1, To: 2}}
	basis, _ := bar.NewBasis(&split, bar.AdjustSplit, split.Date)

	for _, spec := range indicator.Table() {
		for out := range spec.Outputs {
			text := callOf(spec, out)
			p := compile(t, expr.Scope{}, text)
			r, _ := p.SignalRef("qa")
			bind := func(s *bar.Series, b bar.Basis) []float64 { return p.Bind(s, b, nil, &expr.Arena{}).Column(r) }
			want := bind(s, bar.Basis{})
			for _, cut := range []int{1, 77, k, n - 1} {
				if got := bind(s.Slice(0, cut), bar.Basis{}); !same(got, want[:cut]) {
					t.Errorf("%s: values up to bar %d change with what follows", text, cut)
				}
				gone := future(s, cut, func() float64 { return math.NaN() })
				if got := bind(gone, bar.Basis{})[:cut]; !same(got, want[:cut]) {
					t.Errorf("%s: values up to bar %d change when what follows is absent", text, cut)
				}
			}
			got, u := bind(&split, basis), p.Unit(r)
			for i := range got {
				w := want[i]
				if i < k {
					w *= math.Pow(2, float64(u.Price-u.Share))
				}
				if got[i] != w && !(absent(got[i]) && absent(w)) {
					t.Errorf("%s: unit %v, bar %d: %v with the split, %v without", text, u, i, got[i], w)
					break
				}
			}
		}
	}
}

// scaled is x with its first k values multiplied by f.
func scaled(x []float64, k int, f float64) []float64 {
	y := append([]float64{}, x...)
	for i := range k {
		y[i] *= f
	}
	return y
}

// A convention is chosen by its word, and is part of what a call means: equal calls are one node, others
// are not, and the canonical text says so and reads back.
func TestConventions(t *testing.T) {
	s := walk(300, 5)
	for _, c := range []struct {
		text, canonical string
		params          []float64
	}{
		{`rsi(close, 14)`, `rsi(close, 14)`, []float64{14, 0, 0}},
		{`rsi(close, 14, "simple")`, `rsi(close, 14, smoothing = "simple")`, []float64{14, 1, 0}},
		{`rsi(close, 14, seed = "first")`, `rsi(close, 14, seed = "first")`, []float64{14, 0, 1}},
		{`ema(close, n, seed = "weighted")`, `ema(close, 9, seed = "weighted")`, []float64{9, 2}},
		{`rvi(close, 14, 10, 1)`, `rvi(close, 14, 10, 1)`, []float64{14, 10, 1, 0, 0}},
		{`atr(n, smoothing = "exponential", seed = "average")`, `atr(9, smoothing = "exponential")`, []float64{9, 2, 0}},
	} {
		scope := expr.Scope{Params: []expr.Param{{Name: "n", Value: 9}}}
		p := compile(t, scope, c.text)
		r, _ := p.SignalRef("qa")
		if got := p.Text(r); got != c.canonical {
			t.Errorf("%s is %s, want %s", c.text, got, c.canonical)
		}
		again := compile(t, scope, c.canonical)
		r2, _ := again.SignalRef("qa")
		got, same2 := p.Bind(s, bar.Basis{}, nil, &expr.Arena{}).Column(r), again.Bind(s, bar.Basis{}, nil, &expr.Arena{}).Column(r2)
		if !same(got, same2) {
			t.Errorf("%s and its canonical text %s differ", c.text, c.canonical)
		}
		name, _, _ := strings.Cut(c.text, "(")
		spec, _ := indicator.Lookup(name)
		columns := map[string][]float64{"high": s.High, "low": s.Low, "close": s.Close}
		in := [][]float64{}
		if len(spec.Series) > 0 {
			in = append(in, s.Close)
		}
		for _, n := range spec.Columns {
			in = append(in, columns[n])
		}
		want := [][]float64{make([]float64, s.Len())}
		spec.Eval(&indicator.Scratch{}, want, in, c.params)
		if !same(got, want[0]) {
			t.Errorf("%s is not %s%v of the table", c.text, name, c.params)
		}
	}
}

// Every function of TA-Lib has a way to be said, or a reason why not.
func TestTALibIsCovered(t *testing.T) {
	text, err := os.ReadFile("testdata/talib.txt")
	if err != nil {
		t.Fatal(err)
	}
	said, refused := 0, 0
	s := walk(300, 3)
	for line := range strings.Lines(string(text)) {
		name, how, _ := strings.Cut(strings.TrimSpace(line), " ")
		how = strings.TrimSpace(how)
		switch {
		case name == "#":
			continue
		case strings.HasPrefix(how, "- "):
			refused++
			continue
		}
		p := compile(t, expr.Scope{}, how)
		r, _ := p.SignalRef("qa")
		p.Bind(s, bar.Basis{}, nil, &expr.Arena{}).Column(r)
		said++
	}
	if said < 185 || refused > 15 {
		t.Errorf("%d functions can be said, %d cannot", said, refused)
	}
}
