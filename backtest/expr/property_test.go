package expr_test

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"pgregory.net/rapid"

	"backtester/backtest/bar"
	"backtester/backtest/expr"
	"backtester/backtest/instrument"
)

// drawFormula is a number or a condition without position variables.
func drawFormula(t *rapid.T) *formula {
	depth := rapid.IntRange(1, 4).Draw(t, "depth")
	if rapid.Bool().Draw(t, "kind") {
		return condFormula(t, depth, false)
	}
	return numberFormula(t, depth, false)
}

// Columns equal the oracle's values, bar by bar, through splits both ways.
func TestColumnsEqualDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, f := drawMarket(t), drawFormula(t)
		got := values(t, f, m)
		for i, g := range got {
			if want := f.at(m, i); g != want && !absent(g) || absent(g) != absent(want) {
				t.Fatalf("%s: bar %d of %d: got %v, want %v", f.text, i, m.Len(), g, want)
			}
		}
	})
}

// program compiles f as a signal.
func program(t *rapid.T, text string) (*expr.Program, expr.Ref) {
	p, ds := expr.NewCompiler(expr.Scope{Signals: []expr.Named{{Name: "qa", Text: text, Pos: expr.Pos{Line: 1, Column: 1}}}}).Program()
	if ds != nil {
		t.Fatalf("%s: %v", text, ds)
	}
	r, _ := p.SignalRef("qa")
	return p, r
}

func values(t *rapid.T, f *formula, m *market) []float64 {
	p, r := program(t, f.text)
	if u := p.Unit(r); u != f.unit {
		t.Fatalf("%s: unit %v, want %v", f.text, u, f.unit)
	}
	return p.Bind(m.Series, m.basis, nil, &expr.Arena{}).Column(r)
}

// The canonical form is stable and means the same.
func TestFormatKeepsMeaning(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, f := drawMarket(t), drawFormula(t)
		once, err := expr.Format(f.text)
		if err != nil {
			t.Fatal(err)
		}
		if twice, err := expr.Format(once); err != nil || twice != once {
			t.Fatalf("%s\nformats to %s\nand then to %s (%v)", f.text, once, twice, err)
		}
		g := *f
		g.text = once
		if !same(values(t, f, m), values(t, &g, m)) {
			t.Fatalf("%s means something else than %s", once, f.text)
		}
	})
}

// The text that explain shows can be compiled again and means the same.
func TestCanonicalTextMeansTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, f := drawMarket(t), drawFormula(t)
		p, r := program(t, f.text)
		text := p.Text(r)
		if len(text) >= 390 {
			return // cut
		}
		q, s := program(t, text)
		a, b := p.Bind(m.Series, m.basis, nil, &expr.Arena{}).Column(r), q.Bind(m.Series, m.basis, nil, &expr.Arena{}).Column(s)
		for i := range a {
			if a[i] != b[i] && !absent(a[i], b[i]) {
				t.Fatalf("%s\nis shown as %s\nbar %d: %v and %v", f.text, text, i, a[i], b[i])
			}
		}
	})
}

// Nothing at or before t changes when the bars after t are cut off, absent or random, or when a
// split is executed later.
func TestFutureChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, f := drawMarket(t), drawFormula(t)
		all := values(t, f, m)
		n := rapid.IntRange(1, m.Len()).Draw(t, "cut")
		check := func(what string, s *bar.Series) {
			t.Helper()
			if got := values(t, f, newMarket(s))[:n]; !same(got, all[:n]) {
				t.Fatalf("%s: with %s after bar %d of %d\ngot  %v\nwant %v", f.text, what, n, m.Len(), got, all[:n])
			}
		}
		check("nothing", m.Slice(0, n))
		check("absent values", future(m.Series, n, func() float64 { return math.NaN() }))
		r := rand.New(rand.NewPCG(1, uint64(n)))
		check("noise", future(m.Series, n, func() float64 { return r.ExpFloat64() }))
		if n < m.Len() {
			later := *m.Series
			later.Actions.Splits = append(append([]instrument.Split{}, m.Actions.Splits...), instrument.Split{Ex: m.Date(n), From: 1, To: 3})
			sortSplits(later.Actions.Splits)
			check("a split", &later)
		}
	})
}

// future is s with every value from bar n on replaced.
func future(s *bar.Series, n int, value func() float64) *bar.Series {
	c := *s
	replace := func(x []float64) []float64 {
		y := append([]float64{}, x...)
		for i := n; i < len(y); i++ {
			y[i] = value()
		}
		return y
	}
	c.Open, c.High, c.Low, c.Close, c.Volume = replace(s.Open), replace(s.High), replace(s.Low), replace(s.Close), replace(s.Volume)
	return &c
}

// From Warmup bars on, values do not depend on how much earlier history there is.
func TestWarmupSuffices(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, f := drawMarket(t), drawFormula(t)
		p, r := program(t, f.text)
		warm := p.WarmupOf(r)
		if p.Warmup() != warm {
			t.Fatalf("Warmup %d, WarmupOf %d", p.Warmup(), warm)
		}
		from := rapid.IntRange(0, m.Len()-1).Draw(t, "from")
		if from+warm >= m.Len() {
			return
		}
		all := values(t, f, m)[from+warm:]
		short := newMarket(m.Slice(from, m.Len()))
		if got := values(t, f, short)[warm:]; !same(got, all) {
			t.Fatalf("%s: warm-up %d, begun at bar %d\ngot  %v\nwant %v", f.text, warm, from, got, all)
		}
	})
}

// The same holds for indicators that fade, to the weight of their seed.
func TestWarmupOfFadingIndicators(t *testing.T) {
	s := walk(3000, 3)
	for _, text := range []string{"ema(close, 20)", "ema(ema(close, 20), 10)[5]", "atr(14)", "rsi(close, 14)", "macd(close, 12, 26, 9).hist", "sma(rma(close, 30), 7) - ema(high, 9)"} {
		p := compile(t, expr.Scope{}, text)
		r, _ := p.SignalRef("qa")
		warm := p.WarmupOf(r)
		a := &expr.Arena{}
		all := p.Bind(s, bar.Basis{}, nil, a).Column(r)
		for _, from := range []int{1, 500, 1200} {
			short := p.Bind(s.Slice(from, s.Len()), bar.Basis{}, nil, a).Column(r)
			for i := warm; i < len(short); i++ {
				if d := math.Abs(short[i] - all[from+i]); !(d < 1e-5) {
					t.Fatalf("%s: %d bars after the warm-up of %d the values are %v and %v", text, i-warm, warm, short[i], all[from+i])
				}
			}
		}
	}
}

// Columns have the same bits in any number of goroutines, and reading them in several is safe.
func TestConcurrentBinds(t *testing.T) {
	p := compile(t, expr.Scope{}, tenIndicators, "close - sma(close, 20)")
	r, _ := p.SignalRef("qb")
	s := walk(500, 9)
	want := p.Bind(s, bar.Basis{}, nil, &expr.Arena{})
	done := make(chan bool)
	n := 2 * runtime.GOMAXPROCS(0)
	for range n {
		go func() {
			b := p.Bind(s, bar.Basis{}, nil, &expr.Arena{})
			done <- same(b.Column(r), want.Column(r)) && b.At(r, 400, 1, nil) == want.Column(r)[400]
		}()
	}
	for range n {
		if !<-done {
			t.Error("a concurrent Bind gave other values")
		}
	}
}

// A Bound and an Arena that served other programs and lengths leave no trace.
func TestReuse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b expr.Bound
		a := &expr.Arena{}
		for range 3 {
			m, f := drawMarket(t), drawFormula(t)
			p, r := program(t, f.text)
			p.BindInto(&b, expr.Binding{Series: m.Series, Basis: m.basis}, a)
			if got, want := b.Column(r), values(t, f, m); !same(got, want) {
				t.Fatalf("%s: reused %v, fresh %v", f.text, got, want)
			}
		}
	})
}

// Several goroutines on one program give every column, condition and rule the bits that one gives, through splits, with
// expressions that have parts in common, more goroutines than expressions, and memory that served others.
func TestBindTogether(t *testing.T) {
	s := walk(700, 5)
	split := *s
	split.Actions.Splits = splitsEvery(s, 200)
	basis, _ := bar.NewBasis(&split, bar.AdjustSplit, split.Date)
	c := expr.NewCompiler(expr.Scope{})
	var refs []expr.Ref
	for _, text := range []string{"sma(close, 5)", "ema(close, 9) - sma(close, 5)", "sma(close, 5)", "close", "entry_price - 2 * atr(14)"} {
		refs = append(refs, c.Add(text, expr.Pos{}, expr.Number, expr.PositionVars))
	}
	for _, text := range []string{"close > sma(close, 5)", tenIndicators, "close > 5 and ema(close, 9) > 4", "close > entry_price"} {
		refs = append(refs, c.Add(text, expr.Pos{}, expr.Bool, expr.PositionVars))
	}
	p, ds := c.Program()
	if ds != nil {
		t.Fatal(ds)
	}
	v := &expr.PositionValues{}
	v.Var[expr.EntryPrice] = 20
	var dst expr.Bound
	for _, in := range []expr.Binding{{Series: s}, {Series: &split, Basis: basis}, {Series: s}} {
		want := p.Bind(in.Series, in.Basis, nil, &expr.Arena{})
		for _, n := range []int{2, 3, 40, 1} {
			arenas := make([]*expr.Arena, n)
			for k := range arenas {
				arenas[k] = &expr.Arena{}
			}
			p.BindTogether(&dst, in, arenas)
			for k, r := range refs {
				if k != 4 && k != 8 && !same(dst.Column(r), want.Column(r)) {
					t.Errorf("%d goroutines: expression %d has other values", n, k)
				}
				for _, i := range []int{300, 699} {
					if got, one := dst.At(r, i, 1, v), want.At(r, i, 1, v); got != one {
						t.Errorf("%d goroutines: expression %d is %v at bar %d, one says %v", n, k, got, i, one)
					}
				}
			}
		}
	}
}

func TestBindDoesNotAllocate(t *testing.T) {
	s := walk(700, 5)
	s.Actions.Splits = splitsEvery(s, 200)
	basis, _ := bar.NewBasis(s, bar.AdjustSplit, s.Date)
	p := compile(t, expr.Scope{}, tenIndicators, "if(is_month_end, close, close[3]) * 2", "count_when(close > open, 20)")
	var dst expr.Bound
	a := &expr.Arena{}
	for _, b := range []bar.Basis{{}, basis} {
		in := expr.Binding{Series: s, Basis: b}
		p.BindInto(&dst, in, a)
		if n := testing.AllocsPerRun(20, func() { p.BindInto(&dst, in, a) }); n != 0 {
			t.Errorf("BindInto allocates %v times", n)
		}
	}
}
