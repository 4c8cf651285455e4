package editor_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"backtester/backtest/expr"
	"backtester/backtest/strategy"
	"backtester/backtest/strategy/editor"
)

// marked takes the | out of a text and says where it stood.
func marked(t testing.TB, text string) (plain string, line, column int) {
	t.Helper()
	before, after, ok := strings.Cut(text, "|")
	if !ok {
		t.Fatalf("no | in %q", text)
	}
	return before + after, 1 + strings.Count(before, "\n"), 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
}

func labels(items []editor.Item) []string {
	var out []string
	for _, it := range items {
		out = append(out, it.Label)
	}
	return out
}

// TestComplete: | is the cursor. want begins the list; no must not be in it.
func TestComplete(t *testing.T) {
	for _, c := range []struct{ text, want, no string }{
		// keys
		{"na|", "name", "size"},
		{"name: x\nnot|", "notes", "name"},
		{"name: x\n|", "profile notes data", "name"},
		{"|\nname: x\n", "profile notes data", "name"},
		{"entry: close > 5\n|", "name", "entry long"},
		{"long: {entry: close > 5}\n|", "name", "long entry exit"},
		{"size:\n  |", "shares value weight risk", "name"},
		{"size:\n  we|", "weight", "shares"},
		{"size:\n  weight: 1\n  |", "shares value risk", "weight"},
		{"size: {|}", "shares value weight", "name"},
		{"size: {weight: 1, |}", "shares value risk", "weight"},
		{"size: {weight: 1, max|", "max_positions", "weight"},
		{"size: {weight: 1}\nco|", "costs constraint account", "size"},
		{"costs: {commission: {per_share: 0.01, m|}}", "min max", "per_share"},
		{"costs:\n  commission:\n    per_share: 0.01\n    |", "tiers per_order bps min max", "per_share"},
		{"costs:\n  commission:\n    per_share: 0.01\n  |", "slippage regulatory borrow", "commission per_share"},
		{"exit:\n  - stop: low\n    |", "name fraction when target", "stop"},
		{"exit:\n  - stop: low\n  - |", "name fraction when stop", ""},
		{"exit:\n- stop: low\n- tar|", "target", ""},
		{"exit: [{stop: low}, {|}]", "name fraction when stop", ""},
		{"exit:\n  trail: {|", "fraction amount intrabar", "stop"},
		{"short:\n  entry: {when: close < 5, |}", "order price", "when"},
		{"params: {n: {|}}", "default values", ""},
		{"params:\n  n:\n    default: 3\n    |", "values", "default"},
		{"params: {|}", "", "default"},
		{"validate: {walk_forward: {tr|}}", "train", ""},
		{"siz|e: {weight: 1}\n", "size", ""},
		// words
		{"account: |", "cash regt", "close"},
		{"account: r|", "regt", ""},
		{"fills: {market: next_c|}", "next_close", "next_open"},
		{"fills:\n  ambiguity: |", "worst best nearest", ""},
		{"data: {bars: |}", "1m 5m 15m", ""},
		{"size: {fractional: |}", "true false", ""},
		{"costs: |", "none", ""},
		{"costs: {commission: n|}", "none", ""},
		{"cash: |", "", "close"},
		{"cash: 10|", "", ""},
		{"name: clo|", "", "close"},
		// expressions
		{"entry: clo|", "close", "entry_price"},
		{"entry: close > sm|", "sma", "close"},
		{"entry: {when: close > 5, rank: vol|}", "volume", ""},
		{"entry:\n  when: close > sma(cl|ose, 5)", "close", ""},
		{"entry: >\n  close > 5\n  and hig|", "high", ""},
		{"entry: close > 5\n  and hig|", "high", ""},
		{"params: {level: 5, lev2: 6}\nentry: close > lev|", "level lev2", ""},
		{"signals: {uptrend: close > 5}\nentry: up|", "uptrend", ""},
		{"entry: up|\nsignals: {uptrend: close > 5}\n", "uptrend", ""},
		{"functions:\n  far(x, n): abs(x)\nentry: fa|", "far(x, n)", ""},
		{"series: {vix: a.csv}\nentry: vi|", "vix", ""},
		{"entry: macd(close, 12, 26, 9).|", "macd signal hist", "close"},
		{"entry: {when: close > 5 and macd(close, 12, 26, 9).si|, rank: close}", "signal", "hist"},
		{"entry: bbands(close, 20, |)", "k ddof", "n"},
		{"entry: bbands(close, |", "n k ddof", ""},
		{"entry: close > 5 an|", "and", ""},
		{"exit: entry_p|", "entry_price", ""},
		{"exit: {stop: high_s|}", "high_since", ""},
		{"exit: {trail: {amount: at_|}}", "at_entry", ""},
		{"entry: bars_h|", "", "bars_held"},
		{"params: {n: 5, m: 6}\nconstraint: n|", "n and", "close"},
		{"universe: {where: dollar_v|}", "dollar_volume", ""},
		// nothing
		{"# size: |", "", "weight name"},
		{"entry: close > 5 # clo|", "", "close"},
		{"zzz: {|}", "", "name"},
		{"universe: {symbols: [A|]}", "", "close"},
	} {
		text, line, column := marked(t, c.text)
		got := labels(editor.Complete(text, line, column).Items)
		want := strings.Fields(strings.ReplaceAll(c.want, "far(x, n)", "far(x,_n)"))
		for i := range want {
			want[i] = strings.ReplaceAll(want[i], "far(x,_n)", "far(x, n)")
		}
		if len(got) < len(want) || !slices.Equal(got[:len(want)], want) || c.want == "" && len(got) > 0 {
			t.Errorf("%q: got %v, want %v first", c.text, got[:min(8, len(got))], want)
		}
		for _, no := range strings.Fields(c.no) {
			if slices.Contains(got, no) {
				t.Errorf("%q: %s is offered", c.text, no)
			}
		}
	}
}

// TestCompletionReplaces: what is accepted stands in place of the word that was begun.
func TestCompletionReplaces(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"siz|\n", "size: \n"},
		{"entry: close > sm|", "entry: close > sma("},
		{"entry: close > sm|a(close, 5)", "entry: close > sma(close, 5)"},
		{"siz|e: {weight: 1}", "size: {weight: 1}"},
		{"ä: ö\nentry: äö and vol|ume > 5", "ä: ö\nentry: äö and volume > 5"},
		{"entry: bbands(close, 20, d|", "entry: bbands(close, 20, ddof = "},
		{"account: |", "account: cash"},
	} {
		text, line, column := marked(t, c.text)
		done := editor.Complete(text, line, column)
		if len(done.Items) == 0 {
			t.Errorf("%q: nothing offered", c.text)
			continue
		}
		lines := strings.Split(text, "\n")
		runes := []rune(lines[done.Replace.Line-1])
		lines[done.Replace.Line-1] = string(runes[:done.Replace.From-1]) + done.Items[0].Insert + string(runes[done.Replace.To-1:])
		if got := strings.Join(lines, "\n"); got != c.want {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
}

func TestHover(t *testing.T) {
	for _, c := range []struct{ text, title, line string }{
		{"si|ze: {weight: 1}", "size", "how much an entry trades"},
		{"size: {we|ight: 1}", "size.weight", "from 0 to 10"},
		{"size: {weight|: 1}", "size.weight", "number (fraction of equity)"},
		{"short:\n  entry: {ra|nk: close}", "short.entry.rank", "highest first"},
		{"params: {n: {def|ault: 5}}", "params.n.default", "the value that run uses"},
		{"params: {n|: 5}", "params.n", "20..60 step 5"},
		{"account: re|gt", "account: regt", "Regulation T"},
		{"data: {bars: 1|d}", "data.bars: 1d", "bar length"},
		{"entry: clo|se > 5", "close", "last price"},
		{"entry: close > s|ma(close, 200)", "sma(x, n)", "warm-up here: 199 bars"},
		{"params: {k: 20}\nentry: close > s|ma(close, k)", "sma(x, n)", "warm-up here: 19 bars"},
		{"entry: {when: close > s|ma(close, 20)[1], rank: close}", "sma(x, n)", "formula: sum(x, n) / n"},
		{"entry: crosses_ab|ove(close, open)", "crosses_above(x, y)", "above now"},
		{"entry: macd(close, 12, 26, 9).si|gnal > 0", "macd(...).signal", "its EMA"},
		{"entry: bol|linger(close, 20) > 5", "bbands", "ddof: 0 divides by n"},
		{"params: {level: 5}\nentry: close > lev|el", "level", "5"},
		{"entry: u|p\nsignals: {up: close > 5}", "up", "close > 5"},
		{"exit:\n  - stop: entry_pr|ice - 5", "entry_price", "average fill price"},
		{"exit: {stop: low, ratc|het: true}", "exit.ratchet", "never moves away"},
		{"entry: zz|zz", "", ""},
		{"zz|zz: 5", "", ""},
		{"entry: close| > 5", "close", "last price"},
		{"entry: close  |> 5", "", ""},
		{"# clo|se", "", ""},
		{"name: clo|se", "", ""},
		{"cash: 1|0", "", ""},
		{"|", "", ""},
	} {
		text, line, column := marked(t, c.text)
		h, ok := editor.Hover(text, line, column)
		if ok != (c.title != "") || ok && (!strings.HasPrefix(h.Title, c.title) || !strings.Contains(strings.Join(h.Lines, "\n"), c.line)) {
			t.Errorf("%q: got %q %q, want %q with %q", c.text, h.Title, h.Lines, c.title, c.line)
		}
		if ok {
			runes := []rune(strings.Split(text, "\n")[h.Line-1])
			if h.Line != line || h.From > column || h.To < column || h.To > len(runes)+1 {
				t.Errorf("%q: the hint stands at %+v", c.text, h.Range)
			}
		}
	}
}

// shipped are files without faults: what the tool brings along, and the one of the documentation in
// both ways to write sections.
func shipped(t testing.TB) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, b := range strategy.Builtins() {
		data, err := strategy.FindBuiltin(b.Name)
		if err != nil {
			t.Fatal(err)
		}
		out[b.Name] = string(data)
	}
	first, err := strategy.New("first", "")
	if err != nil {
		t.Fatal(err)
	}
	out["first"] = string(first)
	out["all"] = `name: pullback
data: {bars: 1d, from: 2015-01-01, to: 2024-12-31, adjust: split}
universe: {symbols: [AAPL, MSFT]}
params: {n: 20..60 step 5, level: [5, 10, 15]}
signals: {up: close > sma(close, 200), dip: "rsi(close, 14) < level"}
entry: {when: up and dip, order: limit, price: close * 0.99, tif: day, rank: -rsi(close, 14)}
exit:
  - {name: out, when: close > sma(close, n), stop: entry_price - 2 * atr(14)}
  - when: >
      close < open
      and volume > 5
    max_bars: 10
costs: {commission: {per_share: 0.005, min: 1}, slippage: {bps: 2}, volume_cap: {bar: 0.1}}
fills: {market: next_open, ambiguity: worst}
validate: {walk_forward: {train: 3y, test: 1y}, pbo: 16}
`
	return out
}

// TestEveryKeyAndName: of every key and every name of the shipped files, completion at its end offers
// it and hovering explains it.
func TestEveryKeyAndName(t *testing.T) {
	known := map[string]bool{}
	for _, f := range expr.Functions() {
		known[f.Name] = true
	}
	keys, names := 0, 0
	for file, text := range shipped(t) {
		f, wrong := strategy.Parse(file, []byte(text))
		if len(wrong) > 0 {
			t.Fatal(wrong)
		}
		for path, pos := range f.Positions {
			if pos.Line == 0 || strings.HasSuffix(path, ".0") || strings.HasSuffix(path, ".1") {
				continue
			}
			key := path[strings.LastIndexByte(path, '.')+1:]
			line := strings.Split(text, "\n")[pos.Line-1]
			at := regexp.MustCompile(`(^|[ {,])` + regexp.QuoteMeta(key) + `:`).FindStringIndex(line)
			if at == nil {
				continue // the value stands on a later line, or the key is not written
			}
			column := at[1]
			if !strings.HasPrefix(path, "params.") && !strings.HasPrefix(path, "signals.") {
				if got := labels(editor.Complete(text, pos.Line, column).Items); !slices.Contains(got, key) {
					t.Errorf("%s: %s is not offered at %d:%d: %v", file, path, pos.Line, column, got)
				}
			}
			if h, ok := editor.Hover(text, pos.Line, column-1); !ok || !strings.HasSuffix(h.Title, key) {
				t.Errorf("%s: %s is not explained at %d:%d: %v", file, path, pos.Line, column, h)
			}
			keys++
		}
		for i, line := range strings.Split(text, "\n") {
			if strings.HasPrefix(line, "#") {
				continue
			}
			for _, at := range regexp.MustCompile(`[a-z_0-9]+`).FindAllStringIndex(line, -1) {
				word := line[at[0]:at[1]]
				if !known[word] || strings.HasPrefix(line[at[1]:], ":") || strings.Contains(line[:at[0]], "#") ||
					regexp.MustCompile(`(name|market|adjust|tif|order): ?[-a-z_ ]*$`).MatchString(line[:at[0]]) {
					continue
				}
				got := labels(editor.Complete(text, i+1, at[1]+1).Items)
				h, ok := editor.Hover(text, i+1, at[0]+1)
				if !slices.Contains(got, word) || !ok || !strings.HasPrefix(h.Title, word) && !strings.HasSuffix(h.Title, word) {
					t.Errorf("%s: %s at %d:%d is offered: %v, explained: %v", file, word, i+1, at[1], slices.Contains(got, word), h)
				}
				names++
			}
		}
	}
	if keys < 150 || names < 150 {
		t.Errorf("%d keys and %d names were tried: the test proves little", keys, names)
	}
}

// TestOfferedKeysAreRead: whatever key is offered in a section, the reader of files knows it there.
func TestOfferedKeysAreRead(t *testing.T) {
	tried := 0
	for _, k := range strategy.Keys() {
		if strings.Contains(k.Path, "<name>") {
			continue
		}
		parts := strings.Split(k.Path, ".")
		var b strings.Builder
		for i, p := range parts {
			fmt.Fprintf(&b, "%s%s:\n", strings.Repeat("  ", i), p)
		}
		lines := strings.Count(b.String(), "\n")
		done := editor.Complete(b.String()+strings.Repeat("  ", len(parts)), lines+1, 2*len(parts)+1)
		for _, it := range done.Items {
			if it.Kind != "key" {
				continue
			}
			text := b.String() + strings.Repeat("  ", len(parts)) + it.Insert + "5\n"
			_, wrong := strategy.Parse("x.yaml", []byte(text))
			if slices.ContainsFunc(wrong, func(d strategy.Diagnostic) bool { return d.Code == "unknown_key" }) {
				t.Errorf("%v\n%s", wrong, text)
			}
			tried++
		}
	}
	if tried < 50 {
		t.Errorf("only %d keys were offered", tried)
	}
}

func TestDiagnose(t *testing.T) {
	got := editor.Diagnose("entry: clos > 5\nsise: 3\n")
	want := []editor.Diagnostic{
		{Range: editor.Range{Line: 1, From: 8, To: 12}, Severity: "error", Code: "unknown_name", Message: "unknown name clos", Hint: "did you mean close?"},
		{Range: editor.Range{Line: 2, From: 1, To: 5}, Severity: "error", Code: "unknown_key", Message: `unknown key "sise"`, Hint: "did you mean size?"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	odd := editor.Diagnose("entry: close > 5 and close < 4\n")
	if len(odd) != 2 || odd[0].Severity != "warning" || odd[0].Line != 0 || odd[1].Code != "contradiction" {
		t.Errorf("%+v", odd)
	}
	b, err := json.Marshal(editor.Diagnose("entry: close > 5\ncosts: {slippage: {bps: 1}}\n"))
	if err != nil || string(b) != "[]" {
		t.Errorf("nothing to say is %s, %v", b, err)
	}
	b, err = json.Marshal(editor.Complete("account: re", 1, 12))
	if err != nil || string(b) != `{"replace":{"line":1,"from":10,"to":12},"items":[{"label":"regt","insert":"regt","kind":"word"},{"label":"covered","insert":"covered","kind":"word"}]}` {
		t.Errorf("%s %v", b, err)
	}
}

// TestHostileTexts: no text takes long, however it is made.
func TestHostileTexts(t *testing.T) {
	for name, unit := range map[string]string{"braces": "{a: ", "brackets": "[", "parentheses": "a: (", "dashes": "- ", "keys": "a: b\n", "quotes": "'", "words": "ab cd",
		"lines": "{a, b\n", "deep": "x:\n ", "calls": "entry: f(", "items": "{a: b}, "} {
		for _, size := range []int{20_000, 250_000, 2_000_000} {
			text := strings.Repeat(unit, size/len(unit))
			begin := time.Now()
			editor.Complete(text, 1, 1<<30)
			editor.Hover(text, 1+strings.Count(text, "\n"), 3)
			editor.Complete(text, 1+strings.Count(text, "\n"), 1)
			if took := time.Since(begin); took > 20*time.Second { // what grows with the square would take minutes
				t.Errorf("%d bytes of %s took %v", size, name, took)
			}
		}
	}
}

// FuzzPlaces: no panic at any place of any text; ranges lie in the text.
func FuzzPlaces(f *testing.F) {
	for _, text := range shipped(f) {
		f.Add(text)
	}
	f.Add("a: {b: [c, {d: (e, f[g\n- h: |\n   i\n 'j\": }")
	f.Add("- - a: b\n  - {")
	f.Add("exit:\n- stop: low\n- tar\nsize: {weight: 1, max\nentry: macd(close, 12, 26, 9).\n  and hig # x")
	f.Add("entry: >\n  close > 5\n  and hig\nparams: {n: {default: 3, \"q\": [1,2]}}\nexit: [{stop: low}, {}]")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1500 || !utf8.ValidString(text) {
			return
		}
		lines := strings.Split(text, "\n")
		for i, line := range lines {
			for column := 1; column <= utf8.RuneCountInString(line)+1; column += 1 + len(text)/100 {
				check := func(r editor.Range) {
					if r.Line < 1 || r.Line > len(lines) || r.From < 1 || r.To < r.From || r.To > utf8.RuneCountInString(lines[r.Line-1])+1 {
						t.Fatalf("%+v at %d:%d of %q", r, i+1, column, text)
					}
				}
				check(editor.Complete(text, i+1, column).Replace)
				if h, ok := editor.Hover(text, i+1, column); ok {
					check(h.Range)
				}
			}
		}
	})
}
