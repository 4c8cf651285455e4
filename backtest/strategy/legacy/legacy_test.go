package legacy_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"backtester/backtest/bar"
	"backtester/backtest/expr"
	"backtester/backtest/strategy"
	"backtester/backtest/strategy/legacy"
)

// convert translates a document that must be right.
func convert(t testing.TB, doc string) *legacy.Conversion {
	t.Helper()
	c, faults := legacy.Convert("old.json", []byte(doc))
	if len(faults) > 0 {
		t.Fatalf("%v\n%s", faults, doc)
	}
	return c
}

// TestEveryCondition translates every comparison of every series with numbers and other series, with
// and without threshold and delay, and demands that it holds on the same bars as the application's own
// arithmetic.
func TestEveryCondition(t *testing.T) {
	s := market(1600)
	old := application(s)
	var names []string
	for name := range old {
		names = append(names, name)
	}
	slices.Sort(names)
	targets := []string{"close", "sma_50", "bb_top_20", "kc_bottom_20", "100", "50.5"}
	for _, x := range targets[4:] {
		v := 100.0
		if x != "100" {
			v = 50.5
		}
		old[x] = fill(s.Len(), func(int) float64 { return v })
	}
	type one struct {
		doc, op, src, tgt string
		percent           float64
		delay             int
		ref               expr.Ref
	}
	var all []one
	compiler := expr.NewCompiler(expr.Scope{})
	for _, src := range names {
		for _, tgt := range targets {
			for i, op := range []string{"above", ">", "below", "<", "crosses_above", "crosses_below", "equals", "==", "greater_equal", ">=", "less_equal", "<="} {
				c := one{op: op, src: src, tgt: tgt, delay: i % 3}
				if i%2 == len(all)%3%2 && op != "equals" && op != "==" {
					c.percent = 1.5
				}
				target := `"` + tgt + `"`
				if len(all)%2 == 0 {
					target = strings.Trim(target, `"`+strings.Repeat(" ", len(tgt)))
					if strings.Trim(tgt, "0123456789.") != "" {
						target = `"` + tgt + `"`
					}
				}
				c.doc = fmt.Sprintf(`{"entryConditions":[{"source":%q,"comparison":%q,"target":%s,"threshold_pct":%v,"delayBars":%d}]}`, src, op, target, c.percent, c.delay)
				c.ref = compiler.Add(convert(t, c.doc).File.Long.Entry.When, expr.Pos{Line: len(all) + 1, Column: 1}, expr.Bool, expr.NoVars)
				all = append(all, c)
			}
		}
	}
	program, faults := compiler.Program()
	if len(faults) > 0 {
		t.Fatal(faults[:min(5, len(faults))])
	}
	bound := program.Bind(s, bar.Basis{}, nil, &expr.Arena{})
	fired, near := 0, 0
	for _, c := range all {
		bits := bound.True(c.ref)
		for i := 1100; i < s.Len(); i++ { // the first value of an average weighs less than 1e-4 of 1e-1 by then
			at := i - c.delay
			want := holds(c.op, c.percent, old[c.src], old[c.tgt], at)
			if got := bits[i>>6]>>(i&63)&1 != 0; got != want {
				// The two round differently: only a tie may fall to the other side.
				if math.Abs(old[c.src][at]-old[c.tgt][at]) > 1e-6 && math.Abs(old[c.src][at-1]-old[c.tgt][at-1]) > 1e-6 {
					t.Fatalf("bar %d: got %v, want %v (%v, %v)\n%s\n%s", i, got, want, old[c.src][at], old[c.tgt][at], c.doc, program.Text(c.ref))
				}
				near++
			}
			if want {
				fired++
			}
		}
	}
	if len(all) < 1500 || fired < 50_000 || near > len(all) {
		t.Errorf("%d conditions held %d times, %d ties: the test proves little", len(all), fired, near)
	}
}

// TestTranslations keeps whole documents and their translations, read by eye: run with -update and
// read the diff.
func TestTranslations(t *testing.T) {
	in, err := os.ReadFile("testdata/documents.txt")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	seen := map[string]int{"too_large": 3, "too_deep": 2} // TestTooLarge
	documents := strings.Split("\n"+string(in), "\n== ")[1:]
	for _, part := range documents {
		name, body, _ := strings.Cut(part, "\n")
		body, _, _ = strings.Cut(body+"\n", "\n->\n")
		c, faults := legacy.Convert(name, []byte(body))
		fmt.Fprintf(&b, "== %s\n%s\n->\n", name, strings.TrimSuffix(body, "\n"))
		for _, d := range faults {
			fmt.Fprintf(&b, "%s %v\n", d.Code, d)
			seen[d.Code]++
		}
		if len(faults) > 0 {
			continue
		}
		b.Write(c.YAML)
		if f, wrong := strategy.Parse("x.yaml", c.YAML); len(wrong) > 0 || f.Name != c.File.Name && c.File.Name != strings.TrimSuffix(name, ".json") {
			t.Errorf("%s: %v", name, wrong)
		}
		if again, wrong := strategy.Format("x.yaml", c.YAML); len(wrong) > 0 || string(again) != string(c.YAML) {
			t.Errorf("%s is not laid out: %v\n%s", name, wrong, again)
		}
	}
	for _, code := range sourceCodes(t) {
		if seen[code] < 2 {
			t.Errorf("code %s is found %d times in the documents, want at least 2", code, seen[code])
		}
	}
	if len(documents) < 15 {
		t.Errorf("%d documents, there were more", len(documents))
	}
	golden(t, "testdata/documents.txt", b.String())
}

// sourceCodes reads from the sources of the package which codes faults have.
func sourceCodes(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	pattern := regexp.MustCompile(`\.fault\((?:[^"\n]*, )?"([a-z_]+)"`)
	var codes []string
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range pattern.FindAllSubmatch(b, -1) {
			if code := string(m[1]); !strings.HasSuffix(name, "_test.go") && !slices.Contains(codes, code) {
				codes = append(codes, code)
			}
		}
	}
	if len(codes) < 10 {
		t.Fatalf("found only the codes %v in the sources", codes)
	}
	return codes
}

// TestTooLarge refuses documents that no form ever made, with what they have and what is possible.
func TestTooLarge(t *testing.T) {
	for _, x := range []struct{ doc, code, want string }{
		{`{"name": "` + strings.Repeat("x", 1<<21) + `"}`, "too_large", "2097164 bytes, it may have "},
		{`{"entry_conditions": [` + strings.Repeat(`{"source": "close", "comparison": ">", "target": 5},`, 40_000) + `{}]}`, "too_large", " bytes, it may have "},
		{`{"tickers": [` + strings.Repeat(`"A",`, 20_000) + `"A"], "entry_conditions": []}`, "too_large", "20001 values and more, at most 20000"},
		{`{"entry_conditions": ` + strings.Repeat(`[`, 9) + strings.Repeat(`]`, 9) + `}`, "too_deep", "9 levels deep, at most 8"},
		{strings.Repeat(`{"indicators": `, 2000) + "1" + strings.Repeat(`}`, 2000), "too_deep", "9 levels deep, at most 8"},
	} {
		c, faults := legacy.Convert("big.json", []byte(x.doc))
		if c != nil || len(faults) != 1 || faults[0].Code != x.code || !strings.Contains(faults[0].Message, x.want) {
			t.Errorf("%d bytes: got %.200v, want %s with %q", len(x.doc), faults, x.code, x.want)
		}
	}
}

// TestSettingsReachTheFile: everything else of a document, by the value it ends up with.
func TestSettingsReachTheFile(t *testing.T) {
	for _, c := range []struct{ member, path, want string }{
		{`"tickers": "AAPL, MSFT"`, "universe.symbols", "[AAPL, MSFT]"},
		{`"symbol": "BRK.B"`, "universe.symbols", "[BRK.B]"},
		{`"symbols": ["ON"]`, "universe.symbols", "[ON]"},
		{`"startDate": "2015-01-02T00:00:00Z"`, "data.from", "2015-01-02"},
		{`"end_date": "2020-12-31"`, "data.to", "2020-12-31"},
		{`"initialCapital": 25000`, "cash", "25000"},
		{`"initial_capital": "25000"`, "cash", "25000"},
		{`"order_type": "MOC"`, "fills.market", "next_close"},
		{`"orderType": "moo"`, "fills.market", "next_open"},
		{`"slippage_bps": 5`, "costs.slippage.bps", "5"},
		{`"commission_bps": 2.5`, "costs.commission.bps", "2.5"},
		{`"slippage": 0.0007`, "costs.slippage.bps", "7"},
		{`"commission": 0.001`, "costs.commission.bps", "10"},
		{`"maxPositions": 7, "positionSizing": "equal"`, "size.max_positions", "7"},
		{`"name": "my \"old\" idea"`, "name", `my "old" idea`},
		{`"exit_conditions": []`, "exit.when", ""},
		{`"name": null`, "name", "old"},
	} {
		f := convert(t, `{"entry_conditions": [{"source": "close", "comparison": ">", "target": 5}], `+c.member+`}`).File
		got := ""
		for _, s := range f.Effective() {
			if s.Path == c.path {
				got = s.Value
			}
		}
		if got != c.want {
			t.Errorf("%s: %s is %q, want %q", c.member, c.path, got, c.want)
		}
	}
}

func TestRecognises(t *testing.T) {
	for doc, want := range map[string]bool{
		`{"entry_conditions": []}`: true, `{"exitConditions": []}`: true, `{"entry": "close > 5"}`: false, `[]`: false, `{`: false, `null`: false,
	} {
		if legacy.Recognises([]byte(doc)) != want {
			t.Errorf("%s: want %v", doc, want)
		}
	}
}

// FuzzConvert: no panic, faults have places, and what is translated is a strategy.
func FuzzConvert(f *testing.F) {
	in, err := os.ReadFile("testdata/documents.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, part := range strings.Split("\n"+string(in), "\n== ")[1:] {
		_, body, _ := strings.Cut(part, "\n")
		body, _, _ = strings.Cut(body, "\n->\n")
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, faults := legacy.Convert("fuzz.json", data)
		if (c == nil) != (len(faults) > 0) {
			t.Fatalf("%v with %v", c, faults)
		}
		for _, d := range faults {
			if d.Line < 1 || d.Column < 1 || d.Message == "" || d.Code == "" {
				t.Fatalf("fault without a place: %+v", d)
			}
		}
		if c == nil {
			return
		}
		if !json.Valid(data) {
			t.Fatalf("not JSON: %q", data)
		}
		if _, wrong := strategy.Parse("x.yaml", c.YAML); len(wrong) > 0 {
			t.Fatalf("%v\n%s", wrong, c.YAML)
		}
	})
}
