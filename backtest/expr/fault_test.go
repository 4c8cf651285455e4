package expr_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"backtester/backtest/expr"
)

// place is where the texts of these tests begin.
var place = expr.Pos{File: "s.yaml", Line: 7, Column: 11}

func faults(text string, want expr.Kind, allow expr.Vars) expr.Diagnostics {
	c := expr.NewCompiler(expr.Scope{
		Params:  []expr.Param{{Name: "level", Value: 10}, {Name: "half", Value: 0.5}, {Name: "zero", Value: 0}},
		Signals: []expr.Named{{Name: "up", Text: "close > sma(close, 200)"}, {Name: "strength", Text: "roc(close, 20)"}},
	})
	c.Add(text, place, want, allow)
	p, ds := c.Program()
	if (p == nil) != (len(ds) > 0) {
		panic("a program with faults, or neither")
	}
	return ds
}

// Each row: the text, with the fault marked by « and »; the code; a part of the message with its hint.
func TestFaults(t *testing.T) {
	for _, row := range []struct{ text, code, message string }{
		// lexer
		{"close > «5m»", "bad_number", "write it out"},
		{"close > «1.2.3»", "bad_number", `"1.2.3" is not a number`},
		{"close > «1__0»", "bad_number", "between two digits"},
		{"close > «1_»", "bad_number", "between two digits"},
		{"close > «1e999»", "bad_number", "too large"},
		{"close > «\"abc»", "open_string", "never closed"},
		{"close > 5 «&&» volume > 6", "bad_operator", "write and"},
		{"close > 5 «||» volume > 6", "bad_operator", "write or"},
		{"«!»up", "bad_operator", "write not"},
		{"close > 5«%»", "bad_operator", "write fractions"},
		{"close «^» 2 > 5", "bad_operator", "pow(x, y)"},
		{"close > 5 «?» up : up", "bad_operator", "if(condition, x, y)"},
		{"close «≥» 5", "bad_operator", "write >="},
		{"close «<>» 5", "bad_operator", "write !="},
		{"close > 5 «;»", "bad_operator", "one expression only"},
		{"close > 5 «AND» up", "bad_operator", "did you mean and?"},
		{"«Not» up", "bad_operator", "did you mean not?"},
		{"close > 5 «crosses» open up", "syntax", "write crosses(x, y)"},
		{"close > «ema200»", "unknown_name", "did you mean ema(close, 200)?"},
		{"close > «€»5", "bad_character", "no meaning"},
		{"close > 5 «@»", "bad_character", "no meaning"},
		{"«$»close > 5", "bad_character", "no meaning"},
		// parser
		{"close > «»", "syntax", "a value is missing before the end"},
		{"up and «»", "syntax", "a value is missing before the end"},
		{"«*» close > 5", "syntax", "a value is missing before *"},
		{"close + «*» close > 5", "syntax", "a value is missing before *"},
		{"close «=» 5", "syntax", "did you mean ==?"},
		{"close > 5 «up»", "syntax", "an operator is missing before up"},
		{"close > 5 «(»up)", "syntax", "an operator is missing before ("},
		{"«(»close > 5", "syntax", "never closed"},
		{"close > 5«)»", "syntax", "closes nothing"},
		{"sma«(»close, 5 > 2", "syntax", "never closed"},
		{"close«[»1 > 2", "syntax", "never closed"},
		{"«()» > 2", "syntax", "nothing between"},
		{"sma(close, «)» > 2", "syntax", "a value is missing before )"},
		{"sma(«,» 5) > 2", "syntax", "a value is missing before ,"},
		{"close«.5» > 2", "syntax", ""},
		{"macd(close, 1, 2, 3)«.» > 2", "syntax", "a name is missing after the dot"},
		{"«»", "empty", "is empty"},
		{"«   »", "empty", "is empty"},
		{"1 < close «<» 5", "chained", "write 1 < close and close < 5"},
		{"close == open «==» low", "chained", "write close == open and open == low"},
		{"«average»(close, 20) > 5", "unknown_function", "write sma(close, 20)"},
		{"close == open «==» high", "chained", "do not chain"},
		// names
		{"«clsoe» > 5", "unknown_name", "did you mean close?"},
		{"close > «levl»", "unknown_name", "did you mean level?"},
		{"«Close» > 5", "unknown_name", "did you mean close?"},
		{"«strenght» > 5", "unknown_name", "did you mean strength?"},
		{"«RSI»(close, 14) > 5", "unknown_function", "did you mean rsi?"},
		{"«smaa»(close, 14) > 5", "unknown_function", "did you mean sma?"},
		{"«cross_above»(close, open)", "unknown_function", "did you mean crosses_above?"},
		{"«sma» > 5", "needs_call", "write sma(x, n)"},
		{"«abs» > 5", "needs_call", "write abs(x)"},
		{"«close»(5) > 5", "not_callable", "close is not a function"},
		{"«level»(5) > 5", "not_callable", "without parentheses"},
		{"«up»(5)", "not_callable", "without parentheses"},
		{"close.«sma»(5) > 5", "not_callable", "sma(close, ...)"},
		{"macd(close, 12, 26, 9).«signl» > 0", "unknown_output", "it has .macd, .signal, .hist"},
		{"sma(close, 5).«x» > 0", "unknown_output", "sma has no part .x"},
		{"«close.x» > 0", "no_member", "close has no parts"},
		{"«(close > 5).x»", "no_member", "has no parts"},
		// kinds
		{"«close»", "wrong_kind", "a condition is needed here, but close is a number"},
		{"not «close»", "wrong_kind", "not needs a condition"},
		{"up and «close»", "wrong_kind", "compare it with something, such as close > 0"},
		{"«up» + 1 > 2", "wrong_kind", "+ needs a number, but up is a condition"},
		{"-«up» > 2", "wrong_kind", "- needs a number"},
		{"«up» == true", "wrong_kind", "== needs a number"},
		{"sma(«up», 5) > 2", "wrong_kind", "x of sma(x, n) needs a number, but up is a condition"},
		{"if(«close», 1, 2) > 2", "wrong_kind", "argument 1 of if needs a condition"},
		{"if(up, 1, «up»)  > 2", "wrong_kind", "argument 3 of if needs a number"},
		{"count_when(«close», 5) > 2", "wrong_kind", "argument 1 of count_when needs a condition"},
		{"close[«up»] > 2", "wrong_kind", "needs a number"},
		{"close > «\"5\"»", "text", "no meaning here"},
		// counts and names of arguments
		{"«abs»(close, 5) > 2", "wrong_count", "abs takes 1 argument, got 2"},
		{"«max»(close) > 2", "wrong_count", "max takes at least 2 arguments, got 1"},
		{"«if»(up, 1) > 2", "wrong_count", "if takes 3 arguments, got 2"},
		{"«sma»(close) > 2", "wrong_count", "sma needs n: sma(x, n)"},
		{"«sma»() > 2", "wrong_count", "sma needs x"},
		{"«rsi»(14) > 2", "wrong_count", "did you mean rsi(close, 14)?"},
		{"«sma»(close, 5, 6) > 2", "wrong_count", "sma takes 2 arguments, got 3"},
		{"sma(close, m = «5») > 2", "argument_name", "no argument named m"},
		{"sma(n = 5, «close») > 2", "argument_name", "cannot follow one with a name"},
		{"sma(close, x = «open») > 2", "argument_name", "gets x twice"},
		{"abs(x = «close») > 2", "argument_name", "have no names"},
		// constants and ranges
		{"sma(close, «close») > 2", "not_constant", "n of sma(x, n) must be a number or a parameter, but close changes"},
		{"close[«strength»] > 2", "not_constant", "changes from bar to bar"},
		{"count_when(up, «volume») > 2", "not_constant", "changes from bar to bar"},
		{"sma(close, «0») > 2", "out_of_range", "n must lie between 1 and"},
		{"sma(close, «zero») > 2", "out_of_range", "n must lie between 1 and"},
		{"sma(close, «-5») > 2", "out_of_range", "n must lie between 1 and"},
		{"sma(close, «2.5») > 2", "out_of_range", "n must be a whole number, got 2.5"},
		{"sma(close, «1e9») > 2", "out_of_range", "n must lie between 1 and"},
		{"sma(close, «1/0») > 2", "out_of_range", "is absent"},
		{"count_when(up, «0») > 2", "out_of_range", "between 1 and 100000, not 0"},
		{"change(close, «half») > 2", "out_of_range", "not 0.5"},
		{"close[«half»] > 2", "out_of_range", "whole number of bars, not 0.5"},
		{"close[«100001»] > 2", "out_of_range", "the limit is 100000 bars"},
		{"close[«-1»] > 2", "future", "close[-1] looks into the future"},
		{"sma(close, 5)[«-level»] > 2", "future", "looks into the future"},
		// position variables and what is not there yet
		{"close < «entry_price»", "no_position", "it can be used in exit rules"},
		{"«bars_held» > 5", "no_position", "it can be used in exit rules"},
		{"close < «at_entry(close)»", "no_position", "it can be used in exit rules"},
		// other bars
		{"«sym(\"SPY\")» > 5", "wrong_kind", "says where to look, but not at what"},
		{"«tf» > 5", "needs_call", "write tf("},
		{"«sym»(close) > 5", "wrong_count", "sym needs a ticker in quotation marks"},
		{"«tf»().close > 5", "wrong_count", "tf needs a bar length in quotation marks"},
		{"tf(«\"2w\"»).close > 5", "out_of_range", "read bar length"},
		{"tf(«\"1h\"»).close > 5", "out_of_range", "bars of 1h cannot be made of bars of 1d"},
		{"tf(\"1M\", tf(«\"1w\"»).close) > 5", "out_of_range", "lead to the longest bars first"},
		{"sym(«\"S PY\"»).close > 5", "out_of_range", "a byte that no ticker has"},
		{"sym(\"SPY\", sym(«\"QQQ\"»).close) > 5", "nested", "side by side"},
		{"«sym»(\"SPY\", close, 5) > 5", "wrong_count", "and stale = n"},
		{"sym(\"SPY\", close, days = «5») > 5", "argument_name", "no argument named days"},
		{"sym(\"SPY\", stale = «0»).close > 5", "out_of_range", "at least 1, not 0"},
		{"sym(\"SPY\", stale = «volume»).close > 5", "not_constant", "changes from bar to bar"},
		{"sym(\"SPY\").«clsoe» > 5", "unknown_name", "did you mean close?"},
		{"sym(\"SPY\").sma(close, «0») > 5", "out_of_range", "n must lie between"},
		{"sym(\"SPY\").macd(close, 12, 26, 9).«hst» > 5", "unknown_output", "it has .macd"},
		{"close.«tf»(\"1w\") > 5", "not_callable", "write tf("},
		{"sym(\"SPY\", close).«sma»(close, 5) > 5", "not_callable", "write sym("},
		{"tf(\"1w\", «entry_price») > 5", "no_position", "inside of tf()"},
		{"«ref»(close, 1) > 5", "unknown_function", "write close[1], the value of the bar before"},
		{"volume > 1«,»500", "syntax", "without commas: 1000000"},
		{"«rsi» < 30", "needs_call", "write rsi(x, n), such as rsi(close, 14)"},
		{"close > «\"200\"»", "text", "write it without quotation marks: 200"},
		{"«\"AAPL\"» > 3", "text", "a symbol's prices are sym(\"AAPL\").close"},
		// conventions are chosen by their words
		{"rsi(close, 14, smoothing = «\"simpel\"») > 5", "unknown_choice", "did you mean \"simple\"?"},
		{"atr(14, «simple») > 5", "unknown_choice", "did you mean \"simple\"?"},
		{"ema(close, 14, «1») > 5", "unknown_choice", "must be one of \"average\", \"first\", \"weighted\", not 1"},
		{"sma(close, 14, seed = «\"first\"») > 5", "argument_name", "write sma(x, n)"},
		// comparisons of symbols
		{"close > «top»", "needs_call", "write top(x, n)"},
		{"«rank»() > 0.5", "wrong_count", "rank takes 1 or 2 arguments, got 0"},
		{"«top»(close)", "wrong_count", "top takes 2 arguments, got 1"},
		{"top(close, «0»)", "out_of_range", "between 1 and"},
		{"top(close, «volume»)", "not_constant", "changes from bar to bar"},
		{"rank(«up») > 0.5", "wrong_kind", "argument 1 of rank needs a number"},
		{"rank(close, «5») > 0.5", "wrong_kind", "is a category: type or exchange"},
		{"rank(x = «close») > 0.5", "argument_name", "have no names"},
		{"tf(\"1w\", «rank»(close)) > 0.5", "nested", "write tf() inside of rank()"},
		{"rank(«entry_price») > 0.5", "no_position", "it can be used in exit rules"},
		{"«type» > 5", "wrong_kind", "is a word, not a number"},
		{"type == «5»", "wrong_kind", "compare it with text"},
	} {
		before, rest, _ := strings.Cut(row.text, "«")
		inside, after, _ := strings.Cut(rest, "»")
		text := before + inside + after
		ds := faults(text, expr.Bool, expr.NoVars)
		if len(ds) != 1 {
			t.Errorf("%s: %d faults, want 1:\n%v", text, len(ds), ds)
			continue
		}
		d := ds[0]
		column := place.Column + len([]rune(before))
		if d.Code != row.code || d.Line != place.Line || d.Column != column || d.File != place.File {
			t.Errorf("%s: got %s at column %d, want %s at column %d: %v", text, d.Code, d.Column, row.code, column, d)
		}
		if want := max(1, len([]rune(inside))); d.Length != want && row.code != "empty" {
			t.Errorf("%s: length %d, want %d (%s)", text, d.Length, want, d.Code)
		}
		if !strings.Contains(d.Error(), row.message) {
			t.Errorf("%s: message %q lacks %q", text, d.Error(), row.message)
		}
		if !strings.HasPrefix(d.Error(), fmt.Sprintf("s.yaml:7:%d: ", column)) {
			t.Errorf("%s: %q does not begin with its place", text, d.Error())
		}
	}
}

func TestFaultsOfRules(t *testing.T) {
	for text, want := range map[string]string{
		"sma(entry_price, 5)":                        "position_past",
		"high_since[1]":                              "position_past",
		"highest(close - entry_price, 5)":            "position_past",
		"count_when(close > entry_price, 5)":         "position_past",
		"if(crosses_above(close, high_since), 1, 2)": "position_past",
		"change(bars_held, 1)":                       "position_past",
		"at_entry(entry_price)":                      "position_past",
		"at_entry(close > 5)":                        "wrong_kind",
		"entry_price > 5":                            "wrong_kind",
	} {
		ds := faults(text, expr.Number, expr.PositionVars)
		if len(ds) != 1 || ds[0].Code != want {
			t.Errorf("%s: got %v, want %s", text, ds, want)
		}
	}
}

// All faults of all texts come at once, in the order of their places.
func TestAllFaultsAtOnce(t *testing.T) {
	c := expr.NewCompiler(expr.Scope{
		Params: []expr.Param{{Name: "close", Value: 1}, {Name: "n", Value: 5}, {Name: "n", Value: 6}, {Name: "1a", Value: 2}},
		Signals: []expr.Named{
			{Name: "a", Text: "b and c", Pos: expr.Pos{File: "f", Line: 3, Column: 4}},
			{Name: "b", Text: "not a", Pos: expr.Pos{File: "f", Line: 4, Column: 4}},
			{Name: "c", Text: "c[1] or close > n", Pos: expr.Pos{File: "f", Line: 5, Column: 4}},
			{Name: "rsi", Text: "true", Pos: expr.Pos{File: "f", Line: 6, Column: 4}},
			{Name: "unused", Text: "clsoe > opn", Pos: expr.Pos{File: "f", Line: 7, Column: 4}},
			{Name: "held", Text: "bars_held > 3", Pos: expr.Pos{File: "f", Line: 8, Column: 4}},
		},
	})
	c.Add("sma(close, 0) > foo and\n  bar(1)", expr.Pos{File: "f", Line: 10, Column: 4}, expr.Bool, expr.NoVars)
	c.Add("unused and a", expr.Pos{File: "f", Line: 20, Column: 4}, expr.Bool, expr.NoVars) // nothing new
	p, ds := c.Program()
	if p != nil {
		t.Fatal("a program in spite of faults")
	}
	var got []string
	for _, d := range ds {
		got = append(got, fmt.Sprintf("%d:%d %s", d.Line, d.Column, d.Code))
	}
	want := []string{"0:0 name", "0:0 name", "0:0 name", "4:8 cycle", "5:4 cycle", "6:4 name", "7:4 unknown_name", "7:12 unknown_name", "8:4 no_position",
		"10:15 out_of_range", "10:20 unknown_name", "11:3 unknown_function"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s\n\n%v", strings.Join(got, "\n"), strings.Join(want, "\n"), ds)
	}
	if !strings.Contains(ds.Error(), "signal a depends on itself: a -> b -> a") {
		t.Errorf("the circle is not shown:\n%v", ds)
	}
	var d expr.Diagnostic
	if err := fmt.Errorf("read strategy: %w", ds.Err()); !errors.As(err, &d) || d.Code != "name" {
		t.Errorf("errors.As finds %v", d)
	}
	if expr.Diagnostics(nil).Err() != nil {
		t.Error("no faults are an error")
	}
}

func TestLimits(t *testing.T) {
	double := []expr.Named{{Name: "d0", Text: "close + 1"}}
	for i := range 40 {
		double = append(double, expr.Named{Name: fmt.Sprintf("d%d", i+1), Text: fmt.Sprintf("d%d + d%d", i, i), Pos: expr.Pos{Line: i + 1, Column: 1}})
	}
	many := "entry_price"
	for i := range 300 {
		many += fmt.Sprintf(" + bars_held * %d", i+2)
	}
	for _, row := range []struct {
		name, text, code string
		signals          []expr.Named
	}{
		{"length", "1" + strings.Repeat(" ", 10_000), "too_long", nil},
		{"parentheses", strings.Repeat("(", 5000) + "1" + strings.Repeat(")", 4000), "too_deep", nil},
		{"signs", strings.Repeat("-", 5000) + "1", "too_deep", nil},
		{"calls", strings.Repeat("abs(", 2000) + "1", "too_deep", nil},
		{"indices", "close" + strings.Repeat("[1]", 2000), "too_deep", nil},
		{"doubling", "d40", "too_large", double},
		{"rule", many, "too_large", nil},
	} {
		c := expr.NewCompiler(expr.Scope{Signals: row.signals})
		c.Add(row.text, place, expr.Number, expr.PositionVars)
		_, ds := c.Program()
		if len(ds) != 1 || ds[0].Code != row.code {
			t.Errorf("%s: got %d faults, want %s: %.300v", row.name, len(ds), row.code, ds)
		}
	}
	// The worst texts are answered soon, with no more faults than anybody reads.
	for _, unit := range []string{"zz+", "zz ", "(", "+", "zz(", "f(zz,", "5x ", "close[-1]+", "sma(close,0)+", "$", "a.b", "not ", "[", ",", "1<"} {
		start := time.Now()
		ds := faults(strings.Repeat(unit, 10_000/len(unit)), expr.Bool, expr.NoVars)
		if len(ds) == 0 || len(ds) > 201 {
			t.Errorf("%s...: %d faults", unit, len(ds))
		}
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("%s...: took %v", unit, d)
		}
	}
	// Long and wide are fine below the limits.
	long := "close" + strings.Repeat(" + close", 1200)
	if ds := faults(long, expr.Number, expr.NoVars); ds != nil {
		t.Errorf("a long sum: %v", ds)
	}
}

// Faults put into right expressions on purpose are found where they are. Over a thousand are made.
func TestMadeFaults(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFormula(t)
		bad := rapid.SampledFrom([]struct{ text, code string }{
			{"clsoe", "unknown_name"}, {"smaa(close, 3)", "unknown_function"}, {"entry_price", "no_position"},
			{"sma(close, 0)", "out_of_range"}, {"close[-2]", "future"}, {"abs(1, 2)", "wrong_count"}, {"sma", "needs_call"}, {"5x", "bad_number"},
			{"sma(close, open)", "not_constant"}, {"(1 < 2)", "wrong_kind"}, {"high.x", "no_member"}, {"low(2)", "not_callable"}, {"'a'", "text"},
		}).Draw(t, "fault")
		offsets := map[string]int{"out_of_range": len("sma(close, "), "future": len("close["), "not_constant": len("sma(close, "), "no_member": 0}
		// A column of the right formula becomes the fault.
		for k, name := range []string{"close", "open", "high"} {
			at := strings.Index(f.text, name)
			if at < 0 || strings.HasPrefix(f.text[at:], "highest") || k == 0 && at > 0 && f.text[at-1] == '_' {
				continue
			}
			text := f.text[:at] + bad.text + f.text[at+len(name):]
			if strings.HasPrefix(f.text[at+len(name):], "_") {
				continue
			}
			ds := faults(text, expr.Number, expr.NoVars)
			for _, d := range ds {
				if d.Code == bad.code && d.Column == place.Column+at+offsets[bad.code] || bad.code == "wrong_kind" && d.Code == "wrong_kind" {
					return
				}
			}
			if bad.code == "wrong_kind" && strings.Contains(text, "is_absent((1 < 2))") {
				return // that may be asked of conditions too
			}
			t.Fatalf("%s at %d in %s\ngot %v", bad.code, at, text, ds)
		}
	})
}

// A Diagnostic of a text of several lines, and one without a known place.
func TestPlaces(t *testing.T) {
	c := expr.NewCompiler(expr.Scope{})
	c.Add("close > 5 and\n  («é» > 2)", expr.Pos{File: "x", Line: 4, Column: 9}, expr.Bool, expr.NoVars)
	_, ds := c.Program()
	if ds[0].Line != 5 || ds[0].Column != 4 {
		t.Errorf("%v", ds)
	}
	c = expr.NewCompiler(expr.Scope{})
	c.Add("foo > 5", expr.Pos{}, expr.Bool, expr.NoVars)
	_, ds = c.Program()
	if got := ds.Error(); got != "unknown name foo" {
		t.Errorf("%q", got)
	}
}

func TestNotes(t *testing.T) {
	for text, want := range map[string]string{
		"close > volume":               "units",
		"close + volume":               "units",
		"if(close > 5, close, volume)": "units",
		"log(close)":                   "units",
		"log(close / open)":            "last_bit",
		"exp(2)":                       "last_bit",
		"pow(close, 1.5)":              "last_bit",
		"obv > 0":                      "level",
		"close > 5":                    "",
		"close * 0.99":                 "",
		"pow(close, 2)":                "",
	} {
		p := compile(t, expr.Scope{}, text)
		codes := ""
		for _, n := range p.Notes() {
			codes += n.Code + " "
		}
		if want == "" && codes != "" || !strings.Contains(codes, want) {
			t.Errorf("%s: notes %q, want %q", text, codes, want)
		}
	}
}

func TestCheckName(t *testing.T) {
	for _, n := range []string{"n", "level", "fast_2", "_x", "Up"} {
		if err := expr.CheckName(n); err != nil {
			t.Errorf("%s: %v", n, err)
		}
	}
	for _, n := range []string{"", "2n", "a-b", "é", "close", "sma", "and", "OR", "true", "if", "sym", "entry_price", "month", "nz", "at_entry"} {
		if expr.CheckName(n) == nil {
			t.Errorf("%q can be a name", n)
		}
	}
}
