package lint_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"backtester/backtest/order"
	"backtester/backtest/strategy"
	"backtester/backtest/strategy/lint"
)

// written are findings as the corpus writes them: CODE LINE:COLUMN+LENGTH.
func written(list []lint.Finding) []string {
	var out []string
	for _, f := range list {
		out = append(out, fmt.Sprintf("%s %d:%d+%d", f.Code, f.Line, f.Column, f.Length))
	}
	return out
}

type oddFile struct {
	name string
	want []string
	data []byte
}

// oddFiles are the entries of testdata/odd.txt.
func oddFiles(t testing.TB) []oddFile {
	t.Helper()
	all, err := os.ReadFile("testdata/odd.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out []oddFile
	for _, part := range strings.Split("\n"+string(all), "\n== ")[1:] {
		head, body, _ := strings.Cut(part, "\n")
		name, want, _ := strings.Cut(head, ":")
		o := oddFile{name: name, data: []byte(body + "\n")}
		if want = strings.TrimSpace(want); want != "" {
			o.want = strings.Split(want, ", ")
		}
		out = append(out, o)
	}
	if len(out) < 40 {
		t.Fatalf("testdata/odd.txt has %d entries, it had more", len(out))
	}
	return out
}

// TestOddFiles: everything odd about each file is found where it stands, and nothing else.
func TestOddFiles(t *testing.T) {
	seen := map[string]int{}
	for _, o := range oddFiles(t) {
		_, got := lint.Text(o.name, o.data)
		if !slices.Equal(written(got), o.want) {
			t.Errorf("%s: got  %s\nwant %s\n%v\n%s", o.name, strings.Join(written(got), ", "), strings.Join(o.want, ", "), got, o.data)
		}
		for _, f := range got {
			if f.Severity == lint.Warning && (f.Message == "" || strings.HasSuffix(f.Message, ".")) {
				t.Errorf("%s: message %q", o.name, f.Message)
			}
			seen[f.Code]++
		}
	}
	for _, code := range sourceCodes(t) {
		if seen[code] < 2 && !slices.Contains([]string{"always_true", "always_false", "never_fires", "never_known"}, code) {
			t.Errorf("code %s has %d odd files, want at least 2", code, seen[code])
		}
	}
}

// sourceCodes reads from the sources which codes the package uses.
func sourceCodes(t *testing.T) []string {
	t.Helper()
	pattern := regexp.MustCompile(`(?:c\.add\(|c\.at\([a-z]+, |return )"([a-z_]+)"`)
	var codes []string
	for _, name := range []string{"condition.go", "setting.go", "probe.go"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range pattern.FindAllSubmatch(b, -1) {
			if code := string(m[1]); !slices.Contains(codes, code) {
				codes = append(codes, code)
			}
		}
	}
	if len(codes) < 12 {
		t.Fatalf("found only the codes %v in the sources", codes)
	}
	return codes
}

// TestBuiltinsAreClean: what the tool ships is a model.
func TestBuiltinsAreClean(t *testing.T) {
	for _, b := range strategy.Builtins() {
		data, err := strategy.FindBuiltin(b.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, got := lint.Text(b.Name, data); len(got) > 0 {
			t.Errorf("%s: %v", b.Name, got)
		}
	}
	first, err := strategy.New("first", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, got := lint.Text("first", first); len(got) > 0 {
		t.Errorf("the first file: %v", got)
	}
}

func TestFaultsAreErrors(t *testing.T) {
	f, got := lint.Text("x.yaml", []byte("entry: clos > 5\nsise: 3\n"))
	if f != nil || len(got) != 2 || got[0].Severity != lint.Error || got[0].Code != "unknown_name" || got[1].Line != 2 {
		t.Errorf("%v %v", f, got)
	}
	byHand := strategy.Default()
	if got := lint.Check(byHand); len(got) != 1 || got[0].Severity != lint.Error {
		t.Errorf("a file without rules: %v", got)
	}
	byHand.Long = &strategy.Side{Entry: order.Entry{When: "close > 5 and close < 4", Order: order.Market, TIF: order.DayOrder}}
	if got := written(lint.Check(byHand)); !slices.Equal(got, []string{"contradiction 0:0+0", "zero_costs 0:0+0"}) {
		t.Errorf("a file built by hand: %v", got)
	}
}

// TestJudge gives counts by hand.
func TestJudge(t *testing.T) {
	f, wrong := strategy.Parse("x.yaml", []byte(`params: {n: 5}
signals:
  a: close > sma(close, n)
  b: (a or close > 7) and not (high < 3 and a)
entry: a and low > 2 and
  close > 1
exit: open_profit > 0.1 or close < 3
`))
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	p := lint.NewProbe(f)
	if p == nil {
		t.Fatal("nothing to count")
	}
	texts := map[string]int{}
	for i, name := range p.Names() {
		j := slices.IndexFunc(p.File().Signals, func(s strategy.Signal) bool { return s.Name == name })
		texts[p.File().Signals[j].Expr] = i
		if strings.Contains(p.File().Signals[j].Expr, "open_profit") {
			t.Errorf("%s needs a position", p.File().Signals[j].Expr)
		}
	}
	if len(f.Signals) != 2 {
		t.Errorf("the file itself was changed: %v", f.Signals)
	}
	counts := make([]lint.Count, len(p.Names()))
	for i := range counts {
		counts[i] = lint.Count{True: 5, False: 5}
	}
	if got := p.Judge(counts, nil); len(got) != 0 {
		t.Errorf("nothing to say, but %v", got)
	}
	set := func(text string, n lint.Count) {
		i, ok := texts[text]
		if !ok {
			t.Fatalf("no part %q in %v", text, texts)
		}
		counts[i] = n
	}
	set("low > 2", lint.Count{True: 10})
	set("high < 3", lint.Count{Absent: 10})
	set("close < 3", lint.Count{False: 9, Absent: 1})
	set("a and low > 2 and close > 1", lint.Count{False: 10})
	set("close > 1", lint.Count{True: 2, False: 8})
	want := []string{"never_known 4:32+8", "never_fires 5:8+17", "always_true 5:14+7", "always_false 7:28+9"}
	got := p.Judge(counts, nil)
	if !slices.Equal(written(got), want) {
		t.Errorf("got  %v\nwant %v\n%v", written(got), want, got)
	}
	if !strings.Contains(got[1].Error(), "close > 1 was true least often: on 2 bars") {
		t.Errorf("who is to blame: %v", got[1])
	}
	if again := p.Judge(counts, got); len(again) != 0 {
		t.Errorf("said twice: %v", again)
	}
	if lint.NewProbe(strategy.Default()) != nil {
		t.Error("a file without rules has something to count")
	}
}

// TestLongConditions: the longest conditions there can be are looked at in no time.
func TestLongConditions(t *testing.T) {
	for _, text := range []string{
		strings.Repeat("close > 5 and ", 700) + "open > 3",
		strings.Repeat("(close > 5 or ", 40) + "open > 3" + strings.Repeat(")", 40),
		strings.Repeat("not ", 90) + "open > 3",
	} {
		begin := time.Now()
		if f, got := lint.Text("x.yaml", []byte("entry: "+text+"\n")); f == nil || len(got) == 0 {
			t.Errorf("%v\n%s", got, text)
		} else {
			lint.NewProbe(f)
		}
		if took := time.Since(begin); took > 20*time.Second {
			t.Errorf("took %v", took)
		}
	}
}

// FuzzText: no panic, findings have places inside the file.
func FuzzText(f *testing.F) {
	for _, o := range oddFiles(f) {
		f.Add(o.data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, list := lint.Text("fuzz.yaml", data)
		for _, x := range list {
			if x.Message == "" || x.Code == "" || x.Line < 0 || (file == nil) != (x.Severity == lint.Error) {
				t.Fatalf("%+v", x)
			}
		}
		if file == nil {
			return
		}
		if p := lint.NewProbe(file); p != nil {
			if _, wrong := p.File().Compile(); len(wrong) > 0 {
				t.Fatalf("the parts do not compile: %v\n%s", wrong, data)
			}
			for _, x := range p.Judge(make([]lint.Count, len(p.Names())), nil) {
				t.Fatalf("judged without bars: %+v", x)
			}
		}
	})
}

// TestContradictionsAreExact: of every two comparisons with numbers, those and only those are faulted
// that no value meets together.
func TestContradictionsAreExact(t *testing.T) {
	holds := map[string]func(x, y float64) bool{
		"<": func(x, y float64) bool { return x < y }, "<=": func(x, y float64) bool { return x <= y }, ">": func(x, y float64) bool { return x > y },
		">=": func(x, y float64) bool { return x >= y }, "==": func(x, y float64) bool { return x == y }, "!=": func(x, y float64) bool { return x != y },
	}
	ops := []string{"<", "<=", ">", ">=", "==", "!="}
	for _, p := range ops {
		for _, q := range ops {
			for _, pair := range [][2]float64{{3, 5}, {5, 3}, {4, 4}} {
				text := fmt.Sprintf("entry: close %s %v and close %s %v\ncosts: {slippage: {bps: 1}}\n", p, pair[0], q, pair[1])
				possible := false
				for x := 1.0; x < 7; x += 0.5 {
					possible = possible || holds[p](x, pair[0]) && holds[q](x, pair[1])
				}
				_, got := lint.Text("x.yaml", []byte(text))
				faulted := slices.ContainsFunc(got, func(f lint.Finding) bool { return f.Code == "contradiction" })
				if faulted == possible {
					t.Errorf("%s faulted: %v, possible: %v (%v)", text, faulted, possible, got)
				}
			}
		}
	}
}
