package strategy_test

import (
	"strings"
	"testing"

	"backtester/backtest/strategy"
)

func TestBuiltins(t *testing.T) {
	all := strategy.Builtins()
	if len(all) < 20 {
		t.Errorf("%d built-in strategies, there were more", len(all))
	}
	for i, b := range all {
		t.Run(b.Name, func(t *testing.T) {
			data, err := strategy.FindBuiltin(b.Name)
			if err != nil {
				t.Fatal(err)
			}
			f, wrong := strategy.Parse(b.Name+".yaml", data)
			if len(wrong) > 0 {
				t.Fatal(wrong)
			}
			if f.Name != b.Name || len(f.Universe.Symbols) > 0 || f.Data.From.String() != "" {
				t.Errorf("name %q, symbols %v, from %v: a built-in runs for any --symbols and dates", f.Name, f.Universe.Symbols, f.Data.From)
			}
			if len(b.Title) < 5 || len(b.Source) < 30 || len(b.Doc) < 150 {
				t.Errorf("not documented: %+v", b)
			}
			if f.Costs.Commission.PerShare == 0 || f.Costs.Slippage.BPS == 0 {
				t.Error("without costs")
			}
			rules, wrong := f.Compile()
			if len(wrong) > 0 || rules.Long == nil || len(rules.Conditions) == 0 {
				t.Errorf("%+v %v", rules, wrong)
			}
			if i > 0 && all[i-1].Name >= b.Name {
				t.Error("not sorted")
			}
		})
	}
}

func TestFindBuiltinSuggests(t *testing.T) {
	for name, want := range map[string]string{
		"golden_cross":      `there is no built-in strategy "golden_cross" (did you mean golden-cross?)`,
		"goldencros":        `there is no built-in strategy "goldencros" (did you mean golden-cross?)`,
		"../builtin/x":      "there is no built-in strategy",
		"./golden-cross":    "there is no built-in strategy",
		"":                  "there is no built-in strategy",
		"golden-cross.yaml": "did you mean golden-cross?",
	} {
		if _, err := strategy.FindBuiltin(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", name, err, want)
		}
	}
}

func TestNew(t *testing.T) {
	templates := []string{""}
	for _, b := range strategy.Builtins() {
		templates = append(templates, b.Name)
	}
	for _, template := range templates {
		for _, name := range []string{"my idea", `quote " and \`, "null", "- x", "a: b", "ünïcode", "5"} {
			data, err := strategy.New(name, template)
			if err != nil {
				t.Fatal(err)
			}
			f, wrong := strategy.Parse("x.yaml", data)
			if len(wrong) > 0 || f.Name != name {
				t.Errorf("%q from %q: %v\n%s", name, template, wrong, data)
			}
		}
	}
	for _, c := range []struct{ name, template string }{{"two\nlines", ""}, {"", ""}, {"x", "golden"}} {
		if _, err := strategy.New(c.name, c.template); err == nil {
			t.Errorf("%+v was accepted", c)
		}
	}
}

// TestExplain: every built-in can be told in words, and a faulty file cannot.
func TestExplain(t *testing.T) {
	for _, b := range strategy.Builtins() {
		data, err := strategy.FindBuiltin(b.Name)
		if err != nil {
			t.Fatal(err)
		}
		words, wrong := parse(t, string(data)).Explain()
		if len(wrong) > 0 || !strings.HasPrefix(words, b.Name+"\n") || !strings.Contains(words, "Costs: 0.005 USD a share") {
			t.Errorf("%s: %v\n%s", b.Name, wrong, words)
		}
	}
	f := parse(t, `
name: all of it
account: regt
entry: {when: close > 5, order: stop, price: high, max_wait: 1}
exit: {name: out, trail: {fraction: 0.1}, target: close + 1, stop: low, ratchet: true}
short: {entry: {when: close < 5, order: limit, price: low, tif: gtc}, exit: {stop: high}}
size: {risk: 0.01, lot: 100, all_or_none: true}
`)
	words, _ := f.Explain()
	for _, want := range []string{"By a stop order at high, for the next session and 1 session more.", "out: a stop at low, renewed at every close, never loosened",
		"out: a stop that follows the best price at a distance of 10 % of it, up to the bar before", "Sell short when", "good till cancelled",
		"so many shares that the stop loses 0.01 of equity, in lots of 100, all or none", "Costs: none, which no market offers.",
		"Account: Regulation T margin", "Needs 0 bars of history before the first decision, and high, low and close of each bar."} {
		if !strings.Contains(words, want) {
			t.Errorf("no %q in\n%s", want, words)
		}
	}
	f.Short.Exits = nil
	if _, wrong := f.Explain(); len(wrong) != 1 || !strings.HasSuffix(wrong[0].Error(), "add short.exit.stop, or size by weight") {
		t.Errorf("risk without a stop on the short side: %v", wrong)
	}
}
