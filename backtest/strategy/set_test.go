package strategy_test

import (
	"errors"
	"strings"
	"testing"

	"backtester/backtest/strategy"
)

const setBase = `name: base
entry: close > sma(close, n)
exit: {when: close < 5, max_bars: 3}
params: {n: 10..30 step 10, k: 2}
size: {weight: 0.1}
costs: {volume_cap: 0.1, slippage: none}
`

// TestSet changes a file and compares it with one that says the same.
func TestSet(t *testing.T) {
	for _, c := range []struct {
		what string
		sets []strategy.Override
		want string // replacements in setBase, OLD => NEW
	}{
		{"a new key", []strategy.Override{{Path: "cash", Value: "5_000"}}, "name: base => cash: 5000\nname: base"},
		{"a key of the file", []strategy.Override{{Path: "size.weight", Value: "0.2"}}, "0.1} => 0.2}"},
		{"a parameter by its name", []strategy.Override{{Path: "n", Value: "7"}}, "10..30 step 10 => 7"},
		{"a parameter by its path", []strategy.Override{{Path: "params.n", Value: "1..3"}}, "10..30 step 10 => 1..3"},
		{"a list for a parameter", []strategy.Override{{Path: "n", Value: "[5, 7]"}}, "10..30 step 10 => [5, 7]"},
		{"a default beside a range", []strategy.Override{{Path: "params.n.default", Value: "20"}}, "10..30 step 10 => {default: 20, values: 10..30 step 10}"},
		{"a new parameter", []strategy.Override{{Path: "params.z", Value: "1"}}, "k: 2 => k: 2, z: 1"},
		{"a signal", []strategy.Override{{Path: "signals.up", Value: "close > max(open, 2)"}}, `name: base => signals: {up: "close > max(open, 2)"}` + "\nname: base"},
		{"beside the short form of entry", []strategy.Override{{Path: "entry.rank", Value: "sma(close, 3)"}},
			"entry: close > sma(close, n) => entry: {when: close > sma(close, n), rank: sma(close, 3)}"},
		{"by the other name of entry", []strategy.Override{{Path: "long.entry.rank", Value: "close"}},
			"entry: close > sma(close, n) => entry: {when: close > sma(close, n), rank: close}"},
		{"an expression that YAML would misread", []strategy.Override{{Path: "exit.when", Value: "close < 5 # no comment: none"}}, ""},
		{"beside the short form of a cost", []strategy.Override{{Path: "costs.volume_cap.open", Value: "0.01"}}, "volume_cap: 0.1 => volume_cap: {bar: 0.1, open: 0.01}"},
		{"in place of none", []strategy.Override{{Path: "costs.slippage.bps", Value: "3"}}, "slippage: none => slippage: {bps: 3}"},
		{"tickers", []strategy.Override{{Path: "universe.symbols", Value: "ON,TRUE, BRK.B"}}, "name: base => universe: {symbols: [ON, TRUE, BRK.B]}\nname: base"},
		{"nothing removes", []strategy.Override{{Path: "exit.max_bars", Value: ""}}, ", max_bars: 3 => "},
		{"removing what is not there", []strategy.Override{{Path: "exit.trail.amount", Value: ""}}, "name: base => name: base"},
		{"two that make sense only together", []strategy.Override{{Path: "size.risk", Value: "0.01"}, {Path: "size.weight", Value: ""}, {Path: "exit.stop", Value: "low"}},
			"{weight: 0.1} => {risk: 0.01}; max_bars: 3 => max_bars: 3, stop: low"},
		{"removed and set", []strategy.Override{{Path: "cash", Value: ""}, {Path: "cash", Value: "7"}}, "name: base => cash: 7\nname: base"},
		{"a mapping", []strategy.Override{{Path: "exit", Value: "{when: close < max(open, 5), stop: low}"}},
			"{when: close < 5, max_bars: 3} => {when: close < max(open, 5), stop: low}"},
	} {
		t.Run(c.what, func(t *testing.T) {
			f := parse(t, setBase)
			err := f.SetAll(c.sets)
			if c.want == "" {
				// the comment sign is part of the expression, which the language refuses
				if err == nil || !strings.HasPrefix(err.Error(), "--set exit.when=close < 5 # no comment: none: ") {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			text := setBase
			for _, change := range strings.Split(c.want, "; ") {
				from, to, _ := strings.Cut(change, " => ")
				if !strings.Contains(text, from) {
					t.Fatalf("test is wrong: no %q", from)
				}
				text = strings.Replace(text, from, to, 1)
			}
			same(t, parse(t, text), f)
		})
	}
}

func TestSetRefuses(t *testing.T) {
	for _, c := range []struct{ path, value, want string }{
		{"size.wieght", "1", `--set size.wieght=1: there is no setting "size.wieght" (did you mean size.weight?)`},
		{"weight", "1", `--set weight=1: there is no setting "weight" (did you mean size.weight?)`},
		{"stop_loss", "1", `--set stop_loss=1: there is no setting "stop_loss" (did you mean exit.stop?)`},
		{"m", "1", `--set m=1: there is no setting and no parameter "m": the strategy has the parameters n and k; settings are listed by strategy explain`},
		{"fast", "0", `--set fast=0: there is no setting and no parameter "fast": the strategy has the parameters n and k; settings are listed by strategy explain`},
		{"size.foo", "1", `--set size.foo=1: there is no setting "size.foo"; those of size are listed by strategy explain size`},
		{"search.trials", "5", `--set search.trials=5: there is no setting "search.trials" (did you mean search.samples?)`},
		{"search.trial", "5", `--set search.trial=5: there is no setting "search.trial"; those of search are listed by strategy explain search`},
		{"size.max_bars", "5", `--set size.max_bars=5: there is no setting "size.max_bars" (did you mean exit.max_bars?)`},
		{"cash", "lots", `--set cash=lots: cash is "lots", want a number (USD)`},
		{"account", "none", `--set account=none: account is "none", want cash, regt, covered or proceeds`},
		{"profile", "quantopian", `--set profile=quantopian: profile is "quantopian", want backtesting.py, backtrader, lean, tradingview, vectorbt or zipline`},
		{"universe.stale", "5", `--set universe.stale=5: there is no setting "universe.stale"; those of universe are listed by strategy explain universe`},
		{"universe.where", "clos > 5", "--set universe.where=clos > 5: unknown name clos (did you mean close?)"},
		{"universe.top", "5", "--set universe.top=5: universe.top needs to know the highest of what: add universe.by, such as by: sma(dollar_volume, 20)"},
		{"entry.when", "clos > 5", "--set entry.when=clos > 5: unknown name clos (did you mean close?)"},
		{"size.shares", "5", "--set size.shares=5: size has both weight and shares: keep one"},
		{"universe.symbols", "[A", `--set universe.symbols=[A: the bracket opened here is not closed, or a comma is missing, at character 1 of the value`},
		{"", "1", `--set =1: there is no setting and no parameter "": the strategy has the parameters n and k; settings are listed by strategy explain`},
	} {
		f, before := parse(t, setBase), parse(t, setBase)
		err := f.Set(c.path, c.value)
		var wrong strategy.Diagnostics
		if err == nil || !errors.As(err, &wrong) || err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
		same(t, before, f)
	}
	// Faults of several overrides come together; one in the file keeps its place there.
	f := parse(t, setBase)
	err := f.SetAll([]strategy.Override{{Path: "casch", Value: "1"}, {Path: "nam", Value: "2"}})
	if err == nil || strings.Count(err.Error(), "--set") != 2 {
		t.Errorf("got %v", err)
	}
	err = f.Set("params.n", "")
	if err == nil || !strings.HasPrefix(err.Error(), "test.yaml:2:27: unknown name n, with --set params.n=") {
		t.Errorf("removing a parameter in use: %v", err)
	}
}

// TestSetNamesWhatWasTyped: flags by their names, one setting given twice by both, and for a built-in strategy the
// change that is at fault and not a place in a file that the person never wrote.
func TestSetNamesWhatWasTyped(t *testing.T) {
	text, err := strategy.FindBuiltin("sma-cross")
	if err != nil {
		t.Fatal(err)
	}
	own := strings.Replace(string(text), "5..50", "5..51", 1)
	fast := strategy.Override{Path: "fast", Value: "0"}
	for _, c := range []struct {
		name, text string
		sets       []strategy.Override
		want       string
	}{
		{"sma-cross", string(text), []strategy.Override{fast, {Path: "cash", Value: "5"}},
			"--set fast=0: sma: n must lie between 1 and 10000, got 0, in lines 12 and 13 of the built-in sma-cross"},
		{"sma-cross", own, []strategy.Override{{Path: "cash", Value: "5"}, fast},
			"sma-cross:12:33: sma: n must lie between 1 and 10000, got 0, with --set fast=0\nsma-cross:13:32: sma: n must lie between 1 and 10000, got 0, with --set fast=0"},
		{"my.yaml", string(text), []strategy.Override{fast},
			"my.yaml:12:33: sma: n must lie between 1 and 10000, got 0, with --set fast=0\nmy.yaml:13:32: sma: n must lie between 1 and 10000, got 0, with --set fast=0"},
		{"sma-cross", string(text), []strategy.Override{{Path: "data.from", Value: "2020-13-01", Flag: "--from"}},
			`--from 2020-13-01: --from is "2020-13-01", want a date written as 2015-01-31 (the calendar has no such day)`},
		{"sma-cross", string(text), []strategy.Override{{Path: "data.from", Value: "2024-01-01", Flag: "--from"}, {Path: "data.to", Value: "2023-01-01", Flag: "--to"}},
			"--from 2024-01-01: --from 2024-01-01 is after --to 2023-01-01: exchange them"},
		{"sma-cross", string(text), []strategy.Override{fast, {Path: "params.fast", Value: "3"}},
			"--set params.fast=3: this setting has a value already, by --set fast=0: leave one of them out"},
		{"sma-cross", string(text), []strategy.Override{{Path: "data.to", Value: "2024-01-01"}, {Path: "data.to", Value: "2023-01-01", Flag: "--to"}},
			"--to 2023-01-01: this setting has a value already, by --set data.to=2024-01-01: leave one of them out"},
	} {
		f, wrong := strategy.Parse(c.name, []byte(c.text))
		if len(wrong) > 0 {
			t.Fatal(wrong)
		}
		if err := f.SetAll(c.sets); err == nil || err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
}

func TestSetOnLists(t *testing.T) {
	text := "entry: close > 5\nexit:\n  - close < 4\n  - {max_bars: 3}\n"
	f := parse(t, text)
	if err := f.SetAll([]strategy.Override{{Path: "exit.1.max_bars", Value: "9"}, {Path: "exit.0.name", Value: "fall"}}); err != nil {
		t.Fatal(err)
	}
	same(t, parse(t, "entry: close > 5\nexit:\n  - {name: fall, when: close < 4}\n  - {max_bars: 9}\n"), f)
	err := f.Set("exit.max_bars", "3")
	if want := "--set exit.max_bars=3: exit is a list of 2: say which, counted from 0, as in exit.0"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := f.Set("exit.7.max_bars", "3"); err == nil {
		t.Error("a place beyond the list was accepted")
	}
}

// TestSetKeepsChangesByHand: fields changed in Go are not lost, and a file built by hand can be set.
func TestSetKeepsChangesByHand(t *testing.T) {
	f := parse(t, setBase)
	f.Account.Cash = 77
	f.Params[0].Default = 30
	if err := f.Set("size.weight", "0.5"); err != nil {
		t.Fatal(err)
	}
	if f.Account.Cash != 77 || f.Params[0].Default != 30 || f.Size.Weight != 0.5 || f.Name != "base" {
		t.Errorf("%+v", f)
	}
	g := strategy.Default()
	g.Name, g.Long = "mine", &strategy.Side{}
	g.Long.Entry.When = "close > 5"
	g.Long.Entry.Order, g.Long.Entry.TIF = "market", "day"
	if err := g.Set("cash", "5"); err != nil || g.Account.Cash != 5 || g.Name != "mine" {
		t.Errorf("%v %+v", err, g)
	}
}

func TestSettingsOfOneRun(t *testing.T) {
	f := parse(t, setBase)
	if err := f.SetAll([]strategy.Override{{Path: "cash", Value: "5000"}, {Path: "n", Value: "20"}}); err != nil {
		t.Fatal(err)
	}
	got := map[string]strategy.Setting{}
	for _, s := range f.Effective() {
		if _, twice := got[s.Path]; twice {
			t.Errorf("%s is listed twice", s.Path)
		}
		got[s.Path] = s
		if s.Doc == "" {
			t.Errorf("%s has no documentation", s.Path)
		}
	}
	for _, want := range []strategy.Setting{
		{Path: "cash", Value: "5000", Origin: "--set cash=5000", Unit: "USD"},
		{Path: "params.n", Value: "20", Origin: "--set n=20"},
		{Path: "entry.when", Value: "close > sma(close, n)", Origin: "test.yaml:2"},
		{Path: "entry.order", Value: "market", Default: true, Origin: "default"},
		{Path: "data.bars", Value: "1d", Default: true, Origin: "default"},
		{Path: "data.from", Value: "", Default: true, Origin: "default"},
		{Path: "costs.volume_cap.bar", Value: "0.1", Origin: "test.yaml:6", Unit: "fraction of bar volume"},
		{Path: "costs.slippage.bps", Value: "", Origin: "test.yaml:6", Unit: "bps of the reference price"},
		{Path: "exit.max_bars", Value: "3", Origin: "test.yaml:3", Unit: "bars"},
		{Path: "size.lot", Value: "1", Default: true, Origin: "default", Unit: "shares"},
	} {
		g := got[want.Path]
		if g.Doc = ""; g != want {
			t.Errorf("got %+v, want %+v", g, want)
		}
	}
}

// FuzzSet: no path and no value makes it panic, and a refused one changes nothing.
func FuzzSet(f *testing.F) {
	for _, s := range [][2]string{{"cash", "5"}, {"exit.0.0.0.trail.amount", "2"}, {"params.n.0.x", "1"}, {"params..", "["}, {"n", "{default: 3}"},
		{"long.entry.when", "{}"}, {"costs.volume_cap.bar.x", "none"}, {"signals.a.b", "[1]"}, {"", ""}, {"entry.0", "[[]]"}, {"universe.symbols.0", "A"}} {
		f.Add(s[0], s[1], "exit.0.stop", "low")
	}
	f.Fuzz(func(t *testing.T, path, value, path2, value2 string) {
		for _, base := range []string{setBase, "entry: close > 5\nexit: [close < 5, {max_bars: 3}]\nparams: {n: [1, 2]}"} {
			file, wrong := strategy.Parse("base.yaml", []byte(base))
			if len(wrong) > 0 {
				t.Fatal(wrong)
			}
			before := *file
			sets := []strategy.Override{{Path: path, Value: value}, {Path: path2, Value: value2}, {Path: path, Value: value}}
			if err := file.SetAll(sets); err != nil && (!before.Equal(file) || err.Error() == "") {
				t.Fatalf("refused with %q, and changed", err)
			}
		}
	})
}
