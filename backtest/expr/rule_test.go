package expr_test

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"backtester/backtest/bar"
	"backtester/backtest/expr"
	"backtester/backtest/instrument"
)

// Rules with position variables equal the oracle's values at every bar, before and after splits.
func TestRulesEqualDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMarket(t)
		var f *formula
		want := expr.Number
		depth := rapid.IntRange(1, 4).Draw(t, "depth")
		if rapid.Bool().Draw(t, "kind") {
			f, want = condFormula(t, depth, true), expr.Bool
		} else {
			f = numberFormula(t, depth, true)
		}
		c := expr.NewCompiler(expr.Scope{})
		r := c.Add(f.text, expr.Pos{}, want, expr.PositionVars)
		p, ds := c.Program()
		if ds != nil {
			t.Fatal(ds)
		}
		v := &expr.PositionValues{}
		for k := range v.Var {
			v.Var[k] = float64(rapid.IntRange(1, 40).Draw(t, "value")) / 4
		}
		v.Var[expr.HighSince] = math.NaN()
		split := rapid.SampledFrom([]float64{1, 1, 2, 0.25, 8}).Draw(t, "split")
		b := p.Bind(m.Series, m.basis, nil, &expr.Arena{})
		for i := range m.Len() {
			got, want := b.At(r, i, split, v), f.after(m, i, split, v)
			if got != want && !absent(got) || absent(got) != absent(want) {
				t.Fatalf("%s: bar %d, split %v: got %v, want %v", f.text, i, split, got, want)
			}
		}
		if p.Static(r) != (f.with == nil) && p.Static(r) == false {
			t.Fatalf("%s is not static", f.text)
		}
	})
}

// The exits that people write, by hand. Two for one after the third bar.
func TestRulesByHand(t *testing.T) {
	s := series(20, 24, 22, 12)
	s.High, s.Low = []float64{21, 25, 23, 13}, []float64{19, 23, 21, 11}
	s.Actions.Splits = []instrument.Split{{Ex: s.Date(3), From: 1, To: 2}}
	basis, _ := bar.NewBasis(s, bar.AdjustSplit, s.Date)
	c := expr.NewCompiler(expr.Scope{Params: []expr.Param{{Name: "k", Value: 2}}})
	add := func(text string, k expr.Kind) expr.Ref { return c.Add(text, expr.Pos{}, k, expr.PositionVars) }
	stop := add("entry_price - k * sma(high - low, 2)", expr.Number)
	frozen := add("at_entry(close - 4) + 0", expr.Number)
	again := add("max(at_entry(close - 4), at_entry(close) * 0.9)", expr.Number)
	when := add("bars_held >= 3 or open_profit < -0.05 or close < low_since", expr.Bool)
	low := add("low[1]", expr.Number)
	account := add("equity * (1 - gross_exposure) + net_exposure", expr.Number)
	p, ds := c.Program()
	if ds != nil {
		t.Fatal(ds)
	}
	if p.Static(stop) || !p.Static(low) {
		t.Error("wrong about what needs position variables")
	}
	fz := p.Frozen()
	if len(fz) != 2 || fz[0].Unit != (expr.Unit{Price: 1}) || fz[1].Unit != (expr.Unit{Price: 1}) {
		t.Fatalf("frozen: %+v", fz)
	}
	b := p.Bind(s, basis, nil, &expr.Arena{})
	if got := b.Column(fz[0].Ref)[1]; got != 20 {
		t.Errorf("frozen at bar 1: %v", got)
	}
	v := &expr.PositionValues{Frozen: []float64{20, 24}}
	v.Var[expr.EntryPrice], v.Var[expr.BarsHeld], v.Var[expr.OpenProfit], v.Var[expr.LowSince] = 23, 2, -0.01, 21
	v.Var[expr.Equity], v.Var[expr.GrossExposure], v.Var[expr.NetExposure] = 1000, 0.6, 0.5
	expect := func(what string, got, want float64) {
		t.Helper()
		if got != want && !absent(got, want) || absent(got) != absent(want) {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	expect("stop", b.At(stop, 2, 1, v), 23-2*2)
	expect("stop while warming up", b.At(stop, 0, 1, v), math.NaN())
	expect("frozen", b.At(frozen, 2, 1, v), 20)
	expect("both frozen", b.At(again, 2, 1, v), 21.6)
	expect("when", b.At(when, 2, 1, v), 0)
	expect("account", b.At(account, 2, 1, v), 400.5)
	v.Var[expr.BarsHeld] = 3
	expect("when held", b.At(when, 2, 1, v), 1)
	v.Var[expr.BarsHeld], v.Var[expr.OpenProfit] = 2, math.NaN()
	expect("when unknown", b.At(when, 2, 1, v), math.NaN())
	expect("static", b.At(low, 2, 1, nil), 23)
	expect("static at the split", b.At(low, 3, 1, nil), 10.5)

	// The same decision seen after the split: columns of bar 2, everything in new shares.
	v.Var[expr.EntryPrice] = 11.5
	expect("stop after the split", b.At(stop, 2, 2, v), 11.5-2)
	expect("static after the split", b.At(low, 2, 2, nil), 11.5)
}

func TestAtDoesNotAllocate(t *testing.T) {
	c := expr.NewCompiler(expr.Scope{})
	text := "max(entry_price - 2 * atr(14), high_since * 0.9)"
	long := text
	for range 10 {
		long += " + bars_held * entry_price + low_since"
	}
	refs := []expr.Ref{c.Add(text, expr.Pos{}, expr.Number, expr.PositionVars), c.Add(long, expr.Pos{}, expr.Number, expr.PositionVars),
		c.Add("sma(close, 5)", expr.Pos{}, expr.Number, expr.PositionVars), c.Add("close > entry_price and up(1)[1] > 0", expr.Pos{}, expr.Bool, expr.PositionVars)}
	if _, ds := c.Program(); len(ds) != 1 || ds[0].Code != "unknown_function" {
		t.Fatal(ds)
	}
	c = expr.NewCompiler(expr.Scope{})
	for i, x := range []string{text, long, "sma(close, 5)"} {
		refs[i] = c.Add(x, expr.Pos{}, expr.Number, expr.PositionVars)
	}
	refs[3] = c.Add("close > entry_price and rsi(close, 5)[1] > 0", expr.Pos{}, expr.Bool, expr.PositionVars)
	p, ds := c.Program()
	if ds != nil {
		t.Fatal(ds)
	}
	b := p.Bind(walk(100, 1), bar.Basis{}, nil, &expr.Arena{})
	v := &expr.PositionValues{}
	for _, r := range refs {
		if n := testing.AllocsPerRun(50, func() { sink += b.At(r, 50, 2, v) }); n != 0 {
			t.Errorf("At allocates %v times", n)
		}
	}
}

// What a strategy file's own questions get as answers.
func TestProgramFacts(t *testing.T) {
	c := expr.NewCompiler(expr.Scope{
		Params:  []expr.Param{{Name: "n", Value: 20}},
		Signals: []expr.Named{{Name: "slow", Text: "sma(close, 400)"}, {Name: "dip", Text: "close < lowest(low, n)[1] and weekday == 5"}},
	})
	entry := c.Add("dip and volume > 0", expr.Pos{}, expr.Bool, expr.NoVars)
	stop := c.Add("entry_price - at_entry(highest(high, 30))", expr.Pos{}, expr.Number, expr.PositionVars)
	p, ds := c.Program()
	if ds != nil {
		t.Fatal(ds)
	}
	if got := p.WarmupOf(entry); got != 20 {
		t.Errorf("warm-up of the entry %d, want 20", got)
	}
	if got := p.Warmup(); got != 29 { // at_entry counts, the unused signal does not
		t.Errorf("warm-up %d, want 29", got)
	}
	if got := p.Columns().String(); got != "high low close volume" {
		t.Errorf("columns %s", got)
	}
	if !p.NeedsCalendar() || p.Static(stop) || p.Kind(entry) != expr.Bool || p.Unit(stop) != (expr.Unit{Price: 1}) {
		t.Error("wrong facts")
	}
	if got := p.Text(entry); got != "close < lowest(low, 20)[1] and weekday == 5 and volume > 0" {
		t.Errorf("text %s", got)
	}
	if got := p.Text(stop); got != "entry_price - at_entry(highest(high, 30))" {
		t.Errorf("text %s", got)
	}
	if _, ok := p.SignalRef("none"); ok {
		t.Error("found a signal that does not exist")
	}
	seen := map[string]expr.Node{}
	for _, n := range p.Nodes() {
		if _, twice := seen[n.Text]; twice {
			t.Errorf("%s is there twice", n.Text)
		}
		seen[n.Text] = n
	}
	if n := seen["lowest(low, 20)"]; n.Warmup != 19 || n.Columns.String() != "low" || n.Uses != 1 || n.Unit != (expr.Unit{Price: 1}) || !n.Static || n.Memory != "window" {
		t.Errorf("%+v", n)
	}
	if n := seen["close"]; n.Uses != 2 || len(n.Roots) != 0 {
		t.Errorf("%+v", n)
	}
	if n := seen["entry_price - at_entry(highest(high, 30))"]; n.Static || len(n.Roots) != 1 || n.Roots[0] != stop {
		t.Errorf("%+v", n)
	}
}

// Equal parts are one node wherever they are written, and with whatever parameters.
func TestSharing(t *testing.T) {
	p := compile(t, expr.Scope{Params: []expr.Param{{Name: "n", Value: 14}}},
		"rsi(close, 14) < 30", "rsi(close, n) > 70", "macd(close, 12, 26, 9).hist > 0", "macd(close, 12, 26, 9) > macd(close, 12, 26, 9).signal")
	texts := map[string]int{}
	for _, n := range p.Nodes() {
		texts[n.Text] = n.Uses
	}
	if len(texts) != 9 || texts["rsi(close, 14)"] != 2 || texts["close"] != 4 {
		t.Errorf("%v", texts)
	}
}

// A sweep in one Program: each combination equals its own compilation, and shares what it can.
func TestRebind(t *testing.T) {
	scope := func(fast, slow float64) expr.Scope {
		return expr.Scope{Params: []expr.Param{{Name: "fast", Value: fast}, {Name: "slow", Value: slow}},
			Signals: []expr.Named{{Name: "up", Text: "sma(close, fast) > sma(close, slow)"}, {Name: "held", Text: "up and up[1]"}}}
	}
	c := expr.NewCompiler(scope(2, 3))
	type pair struct{ fast, slow float64 }
	refs := map[pair]expr.Ref{}
	for fast := 2.; fast < 8; fast++ {
		for slow := fast + 1; slow < 9; slow++ {
			c.Rebind([]expr.Param{{Name: "slow", Value: slow}, {Name: "fast", Value: fast}})
			refs[pair{fast, slow}] = c.Add("held and close > 5", expr.Pos{}, expr.Bool, expr.NoVars)
		}
	}
	p, ds := c.Program()
	if ds != nil {
		t.Fatal(ds)
	}
	averages := 0
	for _, n := range p.Nodes() {
		if n.Memory != "" {
			averages++
		}
	}
	if averages != 7 {
		t.Errorf("%d averages for windows 2 to 8", averages)
	}
	s := walk(200, 6)
	all := p.Bind(s, bar.Basis{}, nil, &expr.Arena{})
	for k, r := range refs {
		c := expr.NewCompiler(scope(k.fast, k.slow))
		own := c.Add("held and close > 5", expr.Pos{}, expr.Bool, expr.NoVars)
		p, _ := c.Program()
		if !same(p.Bind(s, bar.Basis{}, nil, &expr.Arena{}).Column(own), all.Column(r)) {
			t.Errorf("%v differs", k)
		}
	}
	up, _ := p.SignalRef("up")
	if got := p.Text(up); got != "sma(close, 2) > sma(close, 3)" {
		t.Errorf("the signal is %s", got)
	}

	c = expr.NewCompiler(scope(2, 3))
	for _, slow := range []float64{0, 5, 0} {
		c.Rebind([]expr.Param{{Name: "slow", Value: slow}, {Name: "slw", Value: 1}})
		c.Add("up", expr.Pos{}, expr.Bool, expr.NoVars)
	}
	if _, ds := c.Program(); len(ds) != 2 || ds[0].Code != "unknown_name" || ds[1].Code != "out_of_range" {
		t.Errorf("%v", ds)
	}
}

func TestUnused(t *testing.T) {
	c := expr.NewCompiler(expr.Scope{
		Params: []expr.Param{{Name: "fast", Value: 5}, {Name: "slow", Value: 20}, {Name: "level", Value: 3}, {Name: "k", Value: 2}},
		Signals: []expr.Named{{Name: "entry", Text: "trend and close > 5"}, {Name: "trend", Text: "sma(close, fast) > sma(close, slow)"},
			{Name: "dead", Text: "dying and trend"}, {Name: "dying", Text: "close > level"}},
	})
	c.Add("entry", expr.Pos{}, expr.Bool, expr.NoVars)
	p, ds := c.Program()
	if ds != nil {
		t.Fatal(ds)
	}
	if got := strings.Join(p.Unused(), " "); got != "level k dead dying" {
		t.Errorf("unused: %s", got)
	}
}

func TestConstant(t *testing.T) {
	c := expr.NewCompiler(expr.Scope{Params: []expr.Param{{Name: "fast", Value: 5}, {Name: "slow", Value: 20}}})
	yes := c.Add("fast < slow and slow / fast >= 4", expr.Pos{}, expr.Bool, expr.NoVars)
	three := c.Add("-(2 - pow(fast, 2) / 5)", expr.Pos{}, expr.Number, expr.NoVars)
	no := c.Add("close", expr.Pos{}, expr.Number, expr.NoVars)
	p, ds := c.Program()
	if ds != nil {
		t.Fatal(ds)
	}
	if v, ok := p.Constant(yes); v != 1 || !ok {
		t.Errorf("%v %v", v, ok)
	}
	if v, ok := p.Constant(three); v != 3 || !ok {
		t.Errorf("%v %v", v, ok)
	}
	if _, ok := p.Constant(no); ok {
		t.Error("close is constant")
	}
}
