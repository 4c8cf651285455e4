package strategy_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"backtester/backtest/strategy"
)

// A script that stands in the file: no entry is needed, faults have their places in the file, and the
// canonical form reads back.
func TestScriptInFile(t *testing.T) {
	const text = "name: coded\nsignals: {fast: 'sma(close, 10)'}\nexit: {stop: entry_price * 0.9}\nscript: |\n  def on_bar(now):\n    pass\n"
	f, wrong := strategy.Parse("my.yaml", []byte(text))
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	name, script, ok := f.ScriptText()
	if name != "script" || script != "def on_bar(now):\n  pass\n" || !ok || len(f.ScriptSum()) != 64 || len(f.Files()) != 0 {
		t.Errorf("script %q %q %v, files %v", name, script, ok, f.Files())
	}
	rules, wrong := f.Compile()
	if len(wrong) > 0 || rules.Script == nil || rules.Warmup != 9 || len(rules.Unused()) != 0 {
		t.Fatalf("%v: rules %+v", wrong, rules)
	}
	b, err := json.Marshal(f)
	if err != nil || strings.Contains(string(b), `"entry"`) {
		t.Fatalf("%v: %s", err, b)
	}
	var back strategy.File
	if err := json.Unmarshal(b, &back); err != nil || !f.Equal(&back) {
		t.Errorf("%v: %s does not read back", err, b)
	}
	if err := f.Set("size.weight", "0.5"); err != nil || f.Script != script {
		t.Errorf("%v: setting a key changed the script to %q", err, f.Script)
	}

	text2, wrong := f.Explain()
	for _, want := range []string{"Decisions by script, 2 lines of Starlark, after the rules below.\n", "Buy as the script decides.\nClose at whichever comes first:\n  a stop at entry_price * 0.9"} {
		if len(wrong) > 0 || !strings.Contains(text2, want) {
			t.Errorf("%v: explained as\n%s\nwant %q", wrong, text2, want)
		}
	}
	faults := func(text string, want ...string) {
		t.Helper()
		_, wrong := strategy.Parse("my.yaml", []byte(text))
		got := strings.Split(strings.TrimSpace(wrong.Error()), "\n")
		if len(got) != len(want) {
			t.Errorf("%q: %q", text, got)
			return
		}
		for i := range want {
			if !strings.HasPrefix(got[i], want[i]) {
				t.Errorf("%q: %q, want %q", text, got[i], want[i])
			}
		}
	}
	faults("script: |\n  # not a word\n  def on_bar(now):\n    x = clsoe + 1\n", "my.yaml:4:9: undefined: clsoe")
	faults("script: |\n  def on_bar(now):\n    pass\nsignals: {stop: 'close'}\n", "my.yaml:4:17: signals.stop has the name of something that every bar has")
	faults("script: pairs.py\n", "my.yaml:1:9: script is neither a script nor the name of one")
	faults("exit: {max_bars: 5}\n", "my.yaml:1:7: exit has no entry beside it")
	faults("hooks: x\nentry: close > 5\n", `my.yaml:1:1: unknown key "hooks" (did you mean script?)`)
}

// A script in a file of its own is handed over like every file that a strategy names.
func TestScriptInOwnFile(t *testing.T) {
	f, wrong := strategy.Parse("my.yaml", []byte("script: my.star\nsignals: {fast: 'sma(close, 3)'}\n"))
	if len(wrong) > 0 || !slices.Equal(f.Files(), []string{"my.star"}) {
		t.Fatalf("%v, files %v", wrong, f.Files())
	}
	if rules, wrong := f.Compile(); len(wrong) > 0 || rules.Script != nil {
		t.Errorf("%v: a script without its text", wrong)
	}
	f.Attach("my.star", []byte("history = 25\ndef on_bar(now):\n  pass\n"))
	if rules, wrong := f.Compile(); len(wrong) > 0 || rules.Script == nil || rules.Warmup != 25 {
		t.Errorf("%v, rules %+v", wrong, rules)
	}
	f.Attach("my.star", []byte("def on_bar(now):\n  retrun\n"))
	if _, wrong := f.Compile(); len(wrong) != 1 || wrong[0].File != "my.star" || wrong[0].Line != 2 {
		t.Errorf("faults %v", wrong)
	}
}

// Decisions in Go need neither entry nor script.
func TestCompileCoded(t *testing.T) {
	f := strategy.Default()
	f.Signals = []strategy.Signal{{Name: "fast", Expr: "sma(close, 30)"}}
	rules, wrong := f.CompileCoded()
	if len(wrong) > 0 || rules.Script != nil || rules.Warmup != 29 {
		t.Errorf("%v, %+v", wrong, rules)
	}
	f.Script = "my.star"
	if _, wrong := f.CompileCoded(); len(wrong) != 1 || !strings.Contains(wrong[0].Message, "keep one") {
		t.Error(wrong)
	}
}
