package strategy_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	yaml "go.yaml.in/yaml/v4"
	"pgregory.net/rapid"

	"backtester/backtest/expr"
	"backtester/backtest/strategy"
)

// TestFormatLayouts: each case of testdata/format.txt is a file as somebody wrote it, and its layout
// as it was found right by eye.
func TestFormatLayouts(t *testing.T) {
	all, err := os.ReadFile("testdata/format.txt")
	if err != nil {
		t.Fatal(err)
	}
	cases := strings.Split("\n"+string(all), "\n== ")[1:]
	if len(cases) < 15 {
		t.Fatalf("testdata/format.txt has %d cases, it had more", len(cases))
	}
	var now strings.Builder
	for _, c := range cases {
		name, body, _ := strings.Cut(c, "\n")
		in, _, ok := strings.Cut(body+"\n", "\n->\n")
		if !ok {
			t.Fatalf("%s: no -> between what was written and its layout", name)
		}
		got, wrong := strategy.Format(name, []byte(in+"\n"))
		if len(wrong) > 0 {
			t.Errorf("%s: %v", name, wrong)
		}
		fmt.Fprintf(&now, "== %s\n%s\n->\n%s", name, in, got)
		again, wrong := strategy.Format("again.yaml", got)
		if len(wrong) > 0 || string(again) != string(got) {
			t.Errorf("%s: not idempotent: %v\n%s", name, wrong, again)
		}
	}
	golden(t, "testdata/format.txt", now.String())
}

// TestFormatLeavesShippedFilesAlone: what the tool writes itself is laid out already.
func TestFormatLeavesShippedFilesAlone(t *testing.T) {
	check := func(name string, data []byte) {
		got, wrong := strategy.Format(name, data)
		if len(wrong) > 0 || string(got) != string(data) {
			t.Errorf("%s: %v\n%s", name, wrong, got)
		}
	}
	for _, b := range strategy.Builtins() {
		data, err := strategy.FindBuiltin(b.Name)
		if err != nil {
			t.Fatal(err)
		}
		check(b.Name, data)
	}
	first, err := strategy.New("first", "")
	if err != nil {
		t.Fatal(err)
	}
	check("starter", first)
}

// TestFormatReadsTheWrongCorpus: faults of settings do not hinder the layout, faults of YAML do, and
// either way nothing is lost.
func TestFormatReadsTheWrongCorpus(t *testing.T) {
	done := 0
	for _, w := range wrongFiles(t) {
		got, wrong := strategy.Format(w.name, w.data)
		if len(wrong) > 0 {
			if _, parsed := strategy.Parse(w.name, w.data); !slices.Contains(found(parsed), found(wrong)[0]) {
				t.Errorf("%s: %v, but Parse says %v", w.name, wrong, parsed)
			}
			continue
		}
		done++
		_, before := strategy.Parse(w.name, w.data)
		_, after := strategy.Parse("x.yaml", got)
		codes := func(ds strategy.Diagnostics) (out []string) {
			for _, d := range ds {
				out = append(out, d.Code)
			}
			slices.Sort(out)
			return out
		}
		if a, b := codes(before), codes(after); !slices.Equal(a, b) && len(before) < 100 {
			t.Errorf("%s: faults %v became %v\n%s", w.name, a, b, got)
		}
	}
	if done < 50 {
		t.Errorf("only %d files were laid out", done)
	}
}

// sameRun compares two files apart from how their expressions are spaced.
func sameRun(t interface{ Fatal(...any) }, a, b *strategy.File) bool {
	flat := func(f *strategy.File) string {
		raw, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		texts := regexp.MustCompile(`"((?:[^"\\]|\\.)*)"`)
		return texts.ReplaceAllStringFunc(string(raw), func(q string) string {
			var s string
			if err := json.Unmarshal([]byte(q), &s); err != nil {
				t.Fatal(err)
			}
			if plain, err := expr.Format(s); err == nil && strings.ContainsAny(s, "()<>") {
				return plain
			}
			return q
		})
	}
	return flat(a) == flat(b)
}

// writer writes a strategy file in one of the many ways that people do.
type writer struct {
	t       *rapid.T
	b       strings.Builder
	remarks int
}

func (w *writer) chance(percent int) bool {
	return rapid.IntRange(0, 99).Draw(w.t, "chance") < percent
}

// remark may write comments and empty lines of their own.
func (w *writer) remark() {
	for w.chance(20) {
		switch {
		case w.chance(40):
			w.b.WriteString("\n")
		default:
			w.remarks++
			fmt.Fprintf(&w.b, "%s# c%d\n", strings.Repeat(" ", rapid.IntRange(0, 8).Draw(w.t, "column")), w.remarks)
		}
	}
}

// end ends a line, perhaps with a comment.
func (w *writer) end() {
	if w.chance(20) {
		w.remarks++
		fmt.Fprintf(&w.b, "%s# c%d: x, [y", rapid.SampledFrom([]string{" ", "   ", "\t"}).Draw(w.t, "gap"), w.remarks)
	}
	w.b.WriteString(rapid.SampledFrom([]string{"\n", "\n", "\n", "  \n"}).Draw(w.t, "end"))
}

// scalar writes a value in quotes or without.
func (w *writer) scalar(s string) string {
	if strings.ContainsAny(s[:1], "0123456789[t") {
		return s // quotes would make it a text
	}
	odd := strings.Contains(s, ": ")
	switch {
	case odd || w.chance(15):
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
	case w.chance(15):
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	case w.chance(30):
		return strings.NewReplacer(" > ", ">", ", ", ",", " * ", "  *  ").Replace(s)
	}
	return s
}

// section writes a mapping under a key.
func (w *writer) section(indent int, key string, pairs [][2]string) {
	w.remark()
	pad := strings.Repeat(" ", indent)
	if w.chance(40) {
		w.flow(pad, key, pairs)
		return
	}
	w.b.WriteString(pad + key + ":")
	w.end()
	const deep = "          " // deeper than any comment, which would be part of the text
	inner := pad + strings.Repeat(" ", rapid.IntRange(1, 5).Draw(w.t, "indent"))
	for _, p := range pairs {
		w.remark()
		if strings.Contains(p[1], " and ") && w.chance(20) {
			w.b.WriteString(inner + p[0] + ": " + rapid.SampledFrom([]string{"|", ">-", ">"}).Draw(w.t, "sign") + "\n")
			w.b.WriteString(inner + deep + strings.Replace(p[1], " and ", "\n"+inner+deep+"and ", 1) + "\n")
			continue
		}
		w.b.WriteString(inner + p[0] + ": " + w.scalar(p[1]))
		w.end()
	}
}

func (w *writer) flow(pad, key string, pairs [][2]string) {
	w.b.WriteString(pad + key + ": {")
	broken := w.chance(40)
	if broken {
		w.end()
	}
	for i, p := range pairs {
		if broken {
			w.remark()
			w.b.WriteString(pad + "     ")
		}
		w.b.WriteString(p[0] + ": " + w.scalar(p[1]))
		if i < len(pairs)-1 {
			w.b.WriteString(",")
		}
		if broken {
			w.end()
		}
		w.b.WriteString(" ")
	}
	if broken {
		w.remark()
		w.b.WriteString(pad + " ")
	}
	w.b.WriteString("}")
	w.end()
}

// TestFormatProperties: whatever way a file was written, its layout is stable, says the same, and has
// every comment.
func TestFormatProperties(t *testing.T) {
	long := "close > sma(close, 200) and volume > 1000000 and rsi(close, 14) < 30 and atr(14) * 2 > 1 and high > low"
	rapid.Check(t, func(t *rapid.T) {
		w := &writer{t: t}
		parts := []func(){
			func() { w.section(0, "size", [][2]string{{"lot", "1"}, {"all_or_none", "true"}}) },
			func() {
				w.section(0, "signals", [][2]string{{"up", "close > sma(close, 20)"}, {"loud", long}, {"far", "sma(close, 5)[3] * 2"}})
			},
			func() { w.section(0, "params", [][2]string{{"n", "20..60 step 5"}, {"m", "[5, 10]"}}) },
			func() {
				w.section(0, "entry", [][2]string{{"when", rapid.SampledFrom([]string{"up", long}).Draw(t, "when")}, {"rank", "-rsi(close, 14)"}})
			},
			func() {
				w.section(0, "exit", [][2]string{{"name", "it's out: \"now\" "}, {"when", "close > max(open, 2)"}, {"max_bars", "5"}})
			},
			func() { w.remark(); w.b.WriteString("notes: " + "some  words # in"); w.end() },
		}
		for _, i := range rapid.Permutation([]int{0, 1, 2, 3, 4, 5}).Draw(t, "order") {
			parts[i]()
		}
		w.remark()
		text := w.b.String()
		a, wrong := strategy.Parse("a.yaml", []byte(text))
		if len(wrong) > 0 {
			t.Fatalf("%v\n%s", wrong, text)
		}
		out, faults := strategy.Format("a.yaml", []byte(text))
		if len(faults) > 0 {
			t.Fatalf("%v\n%s", faults, text)
		}
		again, faults := strategy.Format("b.yaml", out)
		if len(faults) > 0 || string(again) != string(out) {
			t.Fatalf("not idempotent %v\n%s--- once\n%s--- twice\n%s", faults, text, out, again)
		}
		for i := 1; i <= w.remarks; i++ {
			if !regexp.MustCompile(fmt.Sprintf(`(?m)(^|\s)# c%d(: x, \[y)?$`, i)).Match(out) {
				t.Fatalf("comment c%d is gone\n%s--- out\n%s", i, text, out)
			}
		}
		var anything map[string]any
		if err := yaml.Unmarshal(out, &anything); err != nil {
			t.Fatalf("other readers do not understand it: %v\n%s", err, out)
		}
		b, after := strategy.Parse("a.yaml", out)
		if len(after) > 0 || !sameRun(t, a, b) {
			t.Fatalf("%v\n%s--- out\n%s", after, text, out)
		}
	})
}

// FuzzFormat: no panic; a file is laid out or has faults; layouts are stable and read back.
func FuzzFormat(f *testing.F) {
	for _, w := range wrongFiles(f) {
		f.Add(w.data)
	}
	f.Add([]byte(read(f, "testdata/design.yaml")))
	f.Add([]byte(read(f, "testdata/format.txt")))
	f.Add([]byte("a: # x\n  - # y\n    - b\n    # z\n  - {c: [1, # w\n 2]}\n# v"))
	f.Add([]byte("entry: 'a''b # c' # d\nnotes: >-\n\n  x\n   y\n\n# e"))
	f.Add([]byte("entry: \"a\\\"b # c\\n\" # d\nnotes: |2\n   x\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		out, wrong := strategy.Format("fuzz.yaml", data)
		if (out == nil) != (len(wrong) > 0) {
			t.Fatalf("%q with faults %v", out, wrong)
		}
		if out == nil {
			return
		}
		again, wrong := strategy.Format("again.yaml", out)
		if len(wrong) > 0 || string(again) != string(out) {
			t.Fatalf("not idempotent: %v\n%q\n%q\n%q", wrong, data, out, again)
		}
		a, _ := strategy.Parse("fuzz.yaml", data)
		b, after := strategy.Parse("fuzz.yaml", out)
		if a != nil && (b == nil || !sameRun(t, a, b)) {
			t.Fatalf("%v\n%q\n%q", after, data, out)
		}
	})
}
