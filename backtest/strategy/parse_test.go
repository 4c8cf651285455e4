package strategy_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"backtester/backtest/bar"
	"backtester/backtest/fill"
	"backtester/backtest/instrument"
	"backtester/backtest/order"
	"backtester/backtest/portfolio"
	"backtester/backtest/strategy"
)

// parse reads a file that must be right.
func parse(t testing.TB, text string) *strategy.File {
	t.Helper()
	f, wrong := strategy.Parse("test.yaml", []byte(text))
	if len(wrong) > 0 {
		t.Fatalf("%s\n%v", text, wrong)
	}
	return f
}

func read(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func same(t *testing.T, want, got *strategy.File) {
	t.Helper()
	if !want.Equal(got) {
		a, _ := json.Marshal(want)
		b, _ := json.Marshal(got)
		t.Errorf("files differ (- want, + got):\n%s", cmp.Diff(string(a), string(b)))
	}
}

func TestDesignExample(t *testing.T) {
	f := parse(t, read(t, "testdata/design.yaml"))
	want := strategy.File{
		Name: "pullback",
		Data: strategy.Data{Bars: bar.Daily, From: instrument.NewDate(2015, 1, 1), To: instrument.NewDate(2024, 12, 31),
			Adjust: bar.AdjustSplit, Session: bar.Regular},
		Universe: strategy.Universe{Symbols: []string{"AAPL", "MSFT"}},
		Params: []strategy.Param{
			{Name: "n", Default: 20, Values: []float64{20, 25, 30, 35, 40, 45, 50, 55, 60}},
			{Name: "level", Default: 5, Values: []float64{5, 10, 15}}},
		Signals: []strategy.Signal{{Name: "up", Expr: "close > sma(close, 200)"}, {Name: "dip", Expr: "rsi(close, 14) < level"}},
		Long: &strategy.Side{
			Entry: order.Entry{When: "up and dip", Order: order.Limit, Price: "close * 0.99", TIF: order.DayOrder, Until: instrument.None, Rank: "-rsi(close, 14)"},
			Exits: []order.Exit{{Fraction: 1, When: "close > sma(close, n)", Stop: "entry_price - 2 * atr(14)", MaxBars: 10}}},
		Size: order.Size{Weight: 0.1, Lot: 1, MaxPositions: 10},
		Costs: fill.Costs{Commission: fill.Commission{PerShare: 0.005, Min: 1}, Slippage: fill.Slippage{BPS: 2},
			Borrow: fill.Borrow{Annual: 0.03}, VolumeCap: fill.VolumeCap{Bar: 0.1, Open: 0.01, Close: 0.02}},
		Fills:     fill.Rules{Market: fill.NextOpen, Ambiguity: fill.Worst, End: fill.EndMark},
		Account:   portfolio.Account{Kind: portfolio.Cash, Cash: 100000, Dividends: portfolio.OnExDate},
		Benchmark: "SPY",
		Search:    &strategy.Search{Method: "grid", Samples: 200, Seed: 1, Objective: "sharpe", MinTrades: 30},
		Validate:  &strategy.Validate{WalkForward: &strategy.WalkForward{Train: "3y", Test: "1y"}, PBO: 16},
	}
	// Equal would decide for cmp, and it looks at the encoding only.
	type file strategy.File
	if diff := cmp.Diff(file(want), file(*f), cmpopts.IgnoreUnexported(file{}), cmpopts.IgnoreFields(file{}, "Positions")); diff != "" {
		t.Error(diff)
	}
	for path, at := range map[string]string{"entry.when": "design.yaml:8:15", "params.n": "design.yaml:4:13",
		"universe.symbols.1": "design.yaml:3:28", "costs.volume_cap.open": "design.yaml:11:122", "cash": "design.yaml:13:7"} {
		g, _ := strategy.Parse("design.yaml", []byte(read(t, "testdata/design.yaml")))
		if got := g.Positions[path].String(); got != at {
			t.Errorf("%s stands at %s, got %s", path, at, got)
		}
	}
}

// TestShortForms gives pairs of files that mean the same.
func TestShortForms(t *testing.T) {
	const exit = "name: x\nentry: close > 5\nexit: "
	for _, c := range []struct{ what, short, long string }{
		{"entry as a condition", "name: x\nentry: close > 5", "name: x\nentry: {when: close > 5}"},
		{"top level is long", "name: x\nentry: close > 5\nexit: close < 4", "name: x\nlong: {entry: {when: close > 5}, exit: {when: close < 4}}"},
		{"exit as a condition", exit + "close < 4", exit + "[{when: close < 4}]"},
		{"exit as a list of conditions", exit + "[close < 4, close < 3]", exit + "\n  - {when: close < 4}\n  - when: close < 3"},
		{"exit mapping and list of one", exit + "{max_bars: 3}", exit + "[{max_bars: 3}]"},
		{"no costs by name", exit + "close < 4\ncosts: none", exit + "close < 4"},
		{"no cost by name", exit + "close < 4\ncosts: {commission: none, slippage: none, borrow: none, volume_cap: none}", exit + "close < 4"},
		{"volume cap as a number", exit + "close < 4\ncosts: {volume_cap: 0.1}", exit + "close < 4\ncosts: {volume_cap: {bar: 0.1}}"},
		{"universe as a list", exit + "close < 4\nuniverse: [A, B]", exit + "close < 4\nuniverse: {symbols: [A, B]}"},
		{"symbols with commas", exit + "close < 4\nuniverse: A, B", exit + "close < 4\nuniverse:\n  symbols:\n  - A\n  - B"},
		{"constraint and list of one", exit + "close < 4\nconstraint: 1 < 2", exit + "close < 4\nconstraint: [1 < 2]"},
		{"param as number and list of one", exit + "close < 4\nparams: {n: 3}", exit + "close < 4\nparams: {n: [3]}"},
		{"param range", exit + "close < 4\nparams: {n: 2..8 step 3}", exit + "close < 4\nparams: {n: {default: 2, values: [2, 5, 8]}}"},
		{"digits in groups", exit + "close < 4\ncash: 1_000_000", exit + "close < 4\ncash: 1e6"},
		{"numbers and words as expressions", "name: x\nentry: true\nexit: {stop: 100}", "name: x\nentry: \"true\"\nexit: {stop: '100'}"},
		{"defaults written out", exit + "close < 4", exit + "{when: close < 4, ratchet: false, max_bars: 0}\ndata: {bars: 1d, adjust: split, session: regular}\n" +
			"size: {lot: 1, fractional: false}\nfills: {market: next_open, end: mark, ambiguity: worst}\naccount: cash\ncash: 100000"},
		{"JSON", exit + "close < 4\nparams: {n: 2..4}", `{"name":"x","entry":"close > 5","exit":{"when":"close \u003c 4"},"params":{"n":"2..4"}}`},
	} {
		t.Run(c.what, func(t *testing.T) { same(t, parse(t, c.long), parse(t, c.short)) })
	}
}

// TestFlowStyle shows what would fall to pieces in YAML proper: commas and brackets of expressions.
func TestFlowStyle(t *testing.T) {
	for _, c := range []struct{ text, when string }{
		{`entry: {when: close > sma(close, 20), rank: close}`, "close > sma(close, 20)"},
		{`entry: {when: close > close[1], rank: close}`, "close > close[1]"},
		{`entry: {when: (close > 5 or close < max(open, low)) and true, rank: close}`, "(close > 5 or close < max(open, low)) and true"},
		{`entry: {when: sma(close[1], 3)[2] > 1, rank: close}`, "sma(close[1], 3)[2] > 1"},
		{`entry: {when: "close > sma(close, 20)", rank: close}`, "close > sma(close, 20)"},
		{`entry: {when: 'close[1] > max(close, 1)', rank: close}`, "close[1] > max(close, 1)"},
		{"entry: {\n  # a comment (with, [commas]\n  when: close > sma(close, 20), rank: close}", "close > sma(close, 20)"},
		{"entry: {when: close >\n   sma(close,\n     20), rank: close}", "close > sma(close, 20)"},
		{"notes: |\n  text {with [unclosed (brackets\nentry: {when: close > max(open, 2), rank: close}", "close > max(open, 2)"},
		{"notes: it's, a [b\nentry: {when: close > max(open, 2), rank: close}", "close > max(open, 2)"},
		{"long: {entry: {when: close > max(open, 2), rank: close}}", "close > max(open, 2)"},
	} {
		f, wrong := strategy.Parse("test.yaml", []byte(c.text))
		if len(wrong) > 0 {
			t.Errorf("%s\n%v", c.text, wrong)
			continue
		}
		if e := f.Long.Entry; e.When != c.when || e.Rank != "close" {
			t.Errorf("%s\ngot when %q rank %q", c.text, e.When, e.Rank)
		}
	}
}

func TestTickersAreSourceText(t *testing.T) {
	f := parse(t, "entry: close > 5\nuniverse: {symbols: [ON, TRUE, NA, 1e5, BRK.B, BCpC, 010, Y, null1]}")
	want := []string{"ON", "TRUE", "NA", "1e5", "BRK.B", "BCpC", "010", "Y", "null1"}
	if !slices.Equal(f.Universe.Symbols, want) {
		t.Errorf("got %q, want %q", f.Universe.Symbols, want)
	}
}

func TestRanges(t *testing.T) {
	for text, want := range map[string][]float64{
		"2..5":                {2, 3, 4, 5},
		"2..9 step 3":         {2, 5, 8},
		"2 .. 9 step 3":       {2, 5, 8},
		"0.1..0.5 step 0.1":   {0.1, 0.2, 0.3, 0.4, 0.5}, // not 0.30000000000000004
		"-1..1 step 0.5":      {-1, -0.5, 0, 0.5, 1},
		"5..5":                {5},
		"1..2 step 10":        {1},
		"0.01..0.03 step .01": {0.01, 0.02, 0.03},
	} {
		f, wrong := strategy.Parse("t.yaml", []byte("entry: close > n\nparams: {n: "+text+"}"))
		if len(wrong) > 0 {
			t.Errorf("%s: %v", text, wrong)
		} else if got := f.Params[0]; !slices.Equal(got.Values, want) || got.Default != want[0] {
			t.Errorf("%s: got %v", text, got)
		}
	}
}

func TestNameOfTheFileIsTheDefaultName(t *testing.T) {
	for name, want := range map[string]string{"pullback.yaml": "pullback", "/a/b/my idea.yml": "my idea", `C:\x\y.json`: "y",
		"-": "unnamed", "": "unnamed", "noending": "noending"} {
		if f, wrong := strategy.Parse(name, []byte(`{"entry": "close > 5"}`)); len(wrong) > 0 || f.Name != want {
			t.Errorf("file %q: got %v %v, want name %q", name, f, wrong, want)
		}
	}
}

// tooMuch are files that go beyond a limit, too large for the corpus.
func tooMuch() []struct{ what, text, code string } {
	many := func(n int, each string) string { return strings.Repeat(each, n) }
	doubling := "functions:\n  f0(x): x + x\n" // f17 is 2^18 operations
	for i := range 17 {
		doubling += fmt.Sprintf("  f%d(x): f%d(f%d(x)) + x\n", i+1, i, i)
	}
	return []struct{ what, text, code string }{
		{"bytes", "entry: close > 5\n# " + many(1<<20, "x"), "too_large"},
		{"values", "entry: close > 5\nuniverse: [" + many(60_000, "A,") + "A]", "too_large"},
		{"keys", "entry: close > 5\nparams:\n" + numbered(1001, "  p%d: 1\n"), "too_large"},
		{"depth of lists", "entry: " + many(5000, "[") + many(5000, "]"), "too_deep"},
		{"depth of mappings", "entry: " + many(500, "{a: ") + "1" + many(500, "}"), "too_deep"},
		{"depth of JSON", `{"entry": ` + many(500, `{"a":`) + "1" + many(501, "}"), "too_deep"},
		{"open brackets", "entry: {when: " + many(200_000, "("), "syntax"},
		{"depth of the reader", "entry: " + many(20_000, "["), "syntax"},
		{"aliases", "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nentry: *c", "alias"},
		{"an expression's length", "entry: close > 5" + many(2000, " + 1000"), "too_long"},
		{"a signal's length", "entry: a\nsignals:\n  a: close > 5" + many(2000, " + 1000"), "too_long"},
		{"an expression's parentheses", "entry: " + many(200, "(") + "close" + many(200, ")") + " > 5", "too_deep"},
		{"an expression's calls", "entry: close > 5\nexit: {stop: " + many(200, "abs(") + "close" + many(200, ")") + "}", "too_deep"},
		{"an expression's signs", "entry: " + many(300, "-") + "close > 5", "too_deep"},
		{"operations of functions", doubling + "entry: f17(close) > 5", "too_large"},
	}
}

// TestLimits: what is too large or too deep is refused, quickly, with a place, the value and the limit.
func TestLimits(t *testing.T) {
	told := regexp.MustCompile(`\d.* \d`)
	for _, c := range tooMuch() {
		t.Run(c.what, func(t *testing.T) {
			f, wrong := strategy.Parse("big.yaml", []byte(c.text))
			if f != nil || len(wrong) == 0 || !slices.ContainsFunc(wrong, func(d strategy.Diagnostic) bool { return d.Code == c.code }) {
				t.Errorf("want %s, got %.300s", c.code, wrong.Error())
			}
			for _, d := range wrong {
				if strings.HasPrefix(d.Code, "too_") && !told.MatchString(d.Message) {
					t.Errorf("%s names not both the value and the limit: %s", d.Code, d.Message)
				}
			}
			if len(wrong) > 250 {
				t.Errorf("%d faults: nobody reads that many", len(wrong))
			}
		})
	}
}

func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func TestBytesThatAreNoText(t *testing.T) {
	for text, at := range map[string]string{
		"entry: close > \xff5": "x.yaml:1:16: byte 0xff does not belong into a text file: save it as UTF-8",
		"a: 1\nb: \x00":        "x.yaml:2:4: byte 0x00 does not belong into a text file: save it as UTF-8",
	} {
		if _, wrong := strategy.Parse("x.yaml", []byte(text)); len(wrong) != 1 || wrong[0].Error() != at {
			t.Errorf("%q: got %v, want %s", text, wrong, at)
		}
	}
	if _, wrong := strategy.Parse("x.yaml", []byte("\ufeffentry: close > 5\r\ncash: 5\r\n")); len(wrong) > 0 {
		t.Errorf("byte order mark and Windows line ends: %v", wrong)
	}
}

func TestDefault(t *testing.T) {
	f := strategy.Default()
	if f.Data.From != instrument.None || f.Data.To != instrument.None {
		t.Error("absent dates must be None")
	}
	if f.Account.Cash != 100000 || f.Size.Lot != 1 || f.Data.Bars != bar.Daily || f.Fills.Market != fill.NextOpen || f.Long != nil {
		t.Errorf("%+v", f)
	}
	// A file that is only an entry has the defaults of Default.
	g := parse(t, "entry: close > 5")
	f.Name, f.Long = "test", &strategy.Side{Entry: order.Entry{When: "close > 5", Order: order.Market, TIF: order.DayOrder, Until: instrument.None}}
	same(t, f, g)
}

func TestExcerpt(t *testing.T) {
	data := []byte("a\ndip: sma(clos)\n\tx\n" + strings.Repeat("y", 300))
	at := func(line, column, length int) strategy.Diagnostic {
		return strategy.Diagnostic{Pos: strategy.Position{Line: line, Column: column}, Length: length}
	}
	for _, c := range []struct {
		d    strategy.Diagnostic
		want string
	}{
		{at(2, 10, 4), "   2 | dip: sma(clos)\n     |          ^^^^\n"},
		{at(2, 10, 99), "   2 | dip: sma(clos)\n     |          ^^^^^\n"},
		{at(2, 99, 1), "   2 | dip: sma(clos)\n     |               ^\n"},
		{at(3, 2, 1), "   3 |  x\n     |  ^\n"},
		{at(1, 1, 0), "   1 | a\n     | ^\n"},
		{at(0, 0, 1), ""},
		{at(99, 1, 1), ""},
	} {
		if got := strategy.Excerpt(data, c.d); got != c.want {
			t.Errorf("%v: got\n%swant\n%s", c.d.Pos, got, c.want)
		}
	}
	for line := range strings.Lines(strategy.Excerpt(data, at(4, 290, 5))) {
		if len(line) > 120 || strings.Contains(line, "^") && !strings.Contains(line, " ^^^^^\n") {
			t.Errorf("long line is not cut around the fault: %s", line)
		}
	}
}

func TestKeysAreDocumented(t *testing.T) {
	unset := []string{"profile", "costs.commission.broker", "costs.regulatory", "costs.borrow.mark", "fills.extended", "fills.both_sides",
		"data.begin", "data.crossing", "data.ema_seed", "size.at", "fills.entry_bar", "fills.levels", "fills.level_slippage"} // words that may be left out
	seen := map[string]bool{}
	for _, k := range strategy.Keys() {
		if seen[k.Path] {
			t.Errorf("%s twice", k.Path)
		}
		seen[k.Path] = true
		if k.Doc == "" || k.Type == "" {
			t.Errorf("%s has no documentation: %+v", k.Path, k)
		}
		if k.Type == "word" && !slices.Contains(unset, k.Path) && !slices.Contains(k.Enum, k.Default) {
			t.Errorf("%s: default %q is not among %v", k.Path, k.Default, k.Enum)
		}
		if k.Min > k.Max || math.IsNaN(k.Min) {
			t.Errorf("%s: bounds %v..%v", k.Path, k.Min, k.Max)
		}
	}
	for _, want := range []string{"name", "entry.when", "exit.trail.amount", "size.weight", "costs.volume_cap.open", "cash", "account",
		"params.<name>", "validate.walk_forward.train", "short"} {
		if !seen[want] {
			t.Errorf("no key %s", want)
		}
	}
	if seen["long.entry.when"] || seen["Account"] || seen["Profile"] {
		t.Error("keys that should not be listed are")
	}
}
