package strategy_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"backtester/backtest/order"
	"backtester/backtest/strategy"
)

func TestRules(t *testing.T) {
	f := parse(t, `
account: regt
params: {n: [3, 5]}
signals: {up: close > sma(close, n), distance: close - low}
long:
  entry: {when: up, order: stop, price: high[1], rank: distance}
  exit:
    - {name: bail out, when: not up, stop: entry_price - 2 * atr(14), ratchet: true, target: entry_price * 1.1, max_bars: 9}
    - trail: {fraction: 0.1, intrabar: true}
short:
  entry: not up
  exit: {trail: {amount: 2 * atr(20)}}
`)
	r, wrong := f.Compile()
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	p := r.Program
	type way struct {
		Kind              strategy.ExitKind
		Name              string
		When, Level       bool
		Fraction          float64
		Intrabar, Ratchet bool
		MaxBars           int
	}
	ways := func(s *strategy.SideRules) (out []way) {
		for _, x := range s.Exits {
			out = append(out, way{x.Kind, x.Name, x.When != 0, x.Level != 0, x.Fraction, x.Intrabar, x.Ratchet, x.MaxBars})
		}
		return out
	}
	if diff := cmp.Diff([]way{
		{Kind: "signal", Name: "bail out", When: true},
		{Kind: "stop", Name: "bail out", Level: true, Ratchet: true},
		{Kind: "target", Name: "bail out", Level: true},
		{Kind: "max_bars", Name: "bail out", MaxBars: 9},
		{Kind: "trail", Name: "trail", Fraction: 0.1, Intrabar: true},
	}, ways(r.Long)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]way{{Kind: "trail", Name: "trail", Level: true}}, ways(r.Short)); diff != "" {
		t.Error(diff)
	}
	e := r.Long.Entry
	if e.Settings.Order != order.Stop || e.When == 0 || e.Price == 0 || e.Rank == 0 {
		t.Errorf("%+v", e)
	}
	if s := r.Short.Entry; s.When == 0 || s.Price != 0 || s.Rank != 0 {
		t.Errorf("%+v", s)
	}
	var names []string
	for _, c := range r.Conditions {
		names = append(names, c.Name)
		if p.Kind(c.Ref).String() != "condition" {
			t.Errorf("%s is a %v", c.Name, p.Kind(c.Ref))
		}
	}
	if got, want := strings.Join(names, " "), "up long.entry.when long.exit.0.when short.entry.when"; got != want {
		t.Errorf("conditions %s, want %s", got, want)
	}
	if !p.Static(e.When) || p.Static(r.Long.Exits[1].Level) {
		t.Error("the stop needs the entry price, the entry does not")
	}
	if r.Warmup != p.Warmup() || r.Warmup < 14 {
		t.Errorf("warm-up %d", r.Warmup)
	}
}

// TestParametersChangeTheRules: the compiled program is that of the parameters' defaults.
func TestParametersChangeTheRules(t *testing.T) {
	f := parse(t, "entry: close > sma(close, n)\nparams: {n: 10..50 step 10}")
	for _, n := range []float64{10, 50, 200} {
		f.Params[0].Default = n
		r, wrong := f.Compile()
		if len(wrong) > 0 || r.Warmup != int(n)-1 {
			t.Errorf("n = %v: warm-up %v, want %v; %v", n, r, n-1, wrong)
		}
	}
	f.Params[0].Default = 0
	if _, wrong := f.Compile(); len(wrong) != 1 || wrong[0].Line != 1 || wrong[0].Column < 8 {
		t.Errorf("a window of 0 bars: %v", wrong)
	}
}

// TestCompileByHand: a File that no text stands behind is checked all the same.
func TestCompileByHand(t *testing.T) {
	f := strategy.Default()
	f.Name = "by hand"
	f.Long = &strategy.Side{Entry: order.Entry{When: "close > sma(close, 5)", Order: order.Market, TIF: order.DayOrder}}
	if r, wrong := f.Compile(); len(wrong) > 0 || r.Warmup != 4 {
		t.Fatalf("%+v %v", r, wrong)
	}
	for _, c := range []struct {
		change func()
		want   string
	}{
		{func() { f.Size.Weight = 20 }, "size.weight is 20, want at most 10"},
		{func() { f.Size = order.Size{Weight: 0.1, Value: 5, Lot: 1} }, "size has both value and weight: keep one"},
		{func() { f.Size = order.Size{Lot: 1}; f.Long.Entry.TIF = "fok" }, "entry.tif: fok is not built yet"},
		{func() { f.Long.Entry.TIF = "gtc"; f.Long.Entry.When = "clos > 3" }, "unknown name clos"},
		{func() { f.Long = nil }, "the file has no entry"},
	} {
		c.change()
		_, wrong := f.Compile()
		if len(wrong) != 1 || !strings.HasPrefix(wrong[0].Error(), c.want) {
			t.Errorf("got %v, want %s", wrong, c.want)
		}
	}
}

// TestNotes: remarks on expressions have their places in the file, too.
func TestNotes(t *testing.T) {
	r, wrong := parse(t, "entry:\n  when: >\n    log(close) > 3").Compile()
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	if len(r.Notes) == 0 {
		t.Error("no note on the logarithm of a price")
	}
	for _, n := range r.Notes {
		if n.Pos.String() != "test.yaml:3:5" {
			t.Errorf("want the note at test.yaml:3:5, got %v", n)
		}
	}
	if r, _ := parse(t, "entry: close > open").Compile(); len(r.Notes) != 0 {
		t.Errorf("notes on nothing: %v", r.Notes)
	}
}

// TestFaultsInsideExpressions: characters of an expression are found again in the file, through
// quotes, escapes and folded lines.
func TestFaultsInsideExpressions(t *testing.T) {
	for _, c := range []struct{ text, at string }{
		{"entry: close > foo", "1:16"},
		{"entry: 'close > foo'", "1:17"},
		{`entry: "close > foo"`, "1:17"},
		{`entry: "close \u003e foo"`, "1:22"},
		{`{"entry": "close \u003e foo"}`, "1:25"},
		{"entry: |\n  close >\n   foo", "3:4"},
		{"entry: >-\n\n  close\n\n  > foo\n", "5:5"},
		{"entry: close\n  > foo", "2:5"},
		{"entry:   # why\n  close > foo # because", "2:11"},
		{"entry: \"close >\\\n  foo\"", "2:3"},
		{"notes: ünïcode 日本\nentry: {when: close > max(1, foo)}", "2:30"},
		{"entry: {when: close[1] > max(close[2], foo)}", "1:40"},
		{"name: x\r\nentry: >\r\n  close\r\n  > foo\r\n", "4:5"},
	} {
		_, wrong := strategy.Parse("x.yaml", []byte(c.text))
		if len(wrong) != 1 || wrong[0].Pos.String() != "x.yaml:"+c.at || wrong[0].Length != 3 {
			t.Errorf("%q: want one fault at %s, got %v", c.text, c.at, wrong)
		}
	}
}
