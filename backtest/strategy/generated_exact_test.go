package strategy_test

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"backtester/backtest/strategy"
)

// broken is an expression with one fault: what it is called, and the bytes it stands on.
type broken struct {
	text     string
	code     string
	from, to int
}

// breakages spoils an expression in every way whose outcome is known without asking the compiler.
func breakages(text string) []broken {
	var out []broken
	add := func(from, to int, put, code string, at, width int) {
		out = append(out, broken{text[:from] + put + text[to:], code, from + at, from + at + width})
	}
	for _, at := range regexp.MustCompile(`[a-z_][a-z_0-9]*`).FindAllStringIndex(text, -1) {
		word, rest := text[at[0]:at[1]], text[at[1]:]
		called := strings.HasPrefix(rest, "(")
		member := at[0] > 0 && text[at[0]-1] == '.'
		switch {
		case word == "and":
			add(at[0], at[1], "&&", "bad_operator", 0, 2)
			add(at[0], at[1], "AND", "bad_operator", 0, 3)
		case word == "or":
			add(at[0], at[1], "||", "bad_operator", 0, 2)
		case word == "not" || member:
		case called:
			add(at[0], at[1], word+"qz", "unknown_function", 0, len(word)+2)
		default:
			add(at[0], at[1], word+"qz", "unknown_name", 0, len(word)+2)
			add(at[0], at[1], "9"+word, "bad_number", 0, len(word)+1)
		}
		if word == "close" && !strings.HasPrefix(rest, "[") {
			add(at[0], at[1], "close[-1]", "future", 6, 2)
			add(at[0], at[1], "close[1.5]", "out_of_range", 6, 3)
			add(at[0], at[1], "close[open]", "not_constant", 6, 4)
			add(at[0], at[1], "close.part", "no_member", 0, 10)
		}
	}
	for _, at := range regexp.MustCompile(`, [0-9]+\)`).FindAllStringIndex(text, -1) {
		from, to := at[0]+2, at[1]-1
		add(from, to, "0", "out_of_range", 0, 1)
		add(from, to, "2.5", "out_of_range", 0, 3)
		add(from, to, "volume", "not_constant", 0, 6)
		add(from, to, "zz = 3", "argument_name", 5, 1)
	}
	add(len(text), len(text), ")", "syntax", 0, 1)
	add(len(text), len(text), ";", "bad_operator", 0, 1)
	add(len(text), len(text), " %", "bad_operator", 1, 1)
	if strings.Count(text, ">")+strings.Count(text, "<") == 1 && !strings.ContainsAny(text, "(&") && !strings.Contains(text, " and ") && !strings.Contains(text, " or ") {
		add(len(text), len(text), " > 3", "chained", 1, 1)
	}
	return out
}

// surroundings are the ways to write a condition into a file; % is where it goes.
func surroundings() []string {
	return []string{
		"entry: %\n",
		"entry:   % # why\n",
		"entry: \"%\"\n",
		"entry: '%'\nexit: close < 1\n",
		"entry:\n  when: %\n  rank: close\n",
		"entry: {when: %, rank: close}\n",
		"# ä\nsignals:\n  s: %\nentry: s\n",
		"signals: {ok: close > 2, s: %}\nentry: ok and s\n",
		"entry: close > 1\nexit:\n  - {name: ü, when: %}\n",
		"entry: close > 1\nexit:\n  when: |\n    %\n",
		"entry: close > 1\nexit:\n- max_bars: 3\n- when: >-\n      high > 1 or\n      %\n",
		"account: regt\nshort:\n    entry: {when: '%'}\n",
		`{"entry": "%"}`,
		"{\"cash\": 5,\n \"entry\": {\"rank\": \"close\", \"when\": \"%\"}}",
	}
}

// TestBrokenExpressions breaks expressions in every way in every surrounding, and demands the code, the
// line, the column and the length of what was broken.
func TestBrokenExpressions(t *testing.T) {
	codes := map[string]int{}
	files := 0
	for _, text := range []string{
		"close > 5", "close > sma(close, 200)", "rsi(close, 14) < 30 and volume > 1000", "not close < highest(high, 20)[1] or gap > 0.01",
		"macd(close, 12, 26, 9).signal > 0", "crosses_above(ema(close, 9), sma(close, 21)) and is_month_end", "(open + close) / 2 > vwma(close, 20)",
	} {
		for _, b := range breakages(text) {
			for _, around := range surroundings() {
				flow := strings.Contains(around, "%,") || strings.Contains(around, "%}")
				if flow && (strings.Count(b.text, "(") != strings.Count(b.text, ")") || b.code == "bad_operator" && strings.Contains(b.text, "%")) {
					continue // the file itself would fall to pieces
				}
				before, after, _ := strings.Cut(around, "%")
				data := before + b.text + after
				line := 1 + strings.Count(before, "\n")
				column := 1 + len([]rune(before[strings.LastIndexByte(before, '\n')+1:])) + b.from
				name := "broken.yaml"
				if strings.HasPrefix(around, "{") {
					name = "broken.json"
				}
				_, wrong := strategy.Parse(name, []byte(data))
				if !slices.ContainsFunc(wrong, func(d strategy.Diagnostic) bool {
					return d.Code == b.code && d.Line == line && d.Column == column && d.Length == b.to-b.from
				}) {
					t.Errorf("want %s %d:%d+%d, got %v\n%s", b.code, line, column, b.to-b.from, found(wrong), data)
				}
				codes[b.code]++
				files++
			}
		}
	}
	if files < 1800 || len(codes) < 11 {
		t.Errorf("%d files with the codes %v: fewer than there were", files, codes)
	}
}

// inFlow writes one key in brackets under what leads to it, and says where its value stands.
func inFlow(path []string, key, value string) (text string, line, column int) {
	before := ""
	if len(path) == 0 && key != "entry" || len(path) > 0 && path[0] != "entry" {
		before = "entry: close > 5\n"
		line++
	}
	open := ""
	for _, part := range path {
		open += part + ": {"
	}
	open = strings.TrimPrefix(open, "{")
	open += key + ": "
	return before + open + value + strings.Repeat("}", len(path)) + "\n", line + 1, len(open) + 1
}

// TestValuesAreFaultedExactly gives every key values that are wrong in a known way, in both styles, and
// demands code, line and column.
func TestValuesAreFaultedExactly(t *testing.T) {
	codes := map[string]int{}
	files := 0
	check := func(text, code string, line, column int) {
		t.Helper()
		_, wrong := strategy.Parse("value.yaml", []byte(text))
		if !slices.ContainsFunc(wrong, func(d strategy.Diagnostic) bool { return d.Code == code && d.Line == line && d.Column == column }) {
			t.Errorf("want %s %d:%d, got %v\n%s", code, line, column, found(wrong), text)
		}
		codes[code]++
		files++
	}
	for _, k := range strategy.Keys() {
		path := strings.Split(k.Path, ".")
		above, key := path[:len(path)-1], path[len(path)-1]
		if key == "<name>" {
			continue
		}
		for value, code := range wrongValues(k) {
			text, line, column := block(above, key, value)
			check(text, code, line, column+len(key)+2)
			text, line, column = inFlow(above, key, value)
			check(text, code, line, column)
		}
		text, line, column := block(above, key, "5")
		check(text+strings.Repeat(" ", column-1)+key+": 6\n", "duplicate_key", line+1, column)
		text, line, column = inFlow(above, key, "5, "+key+": 6")
		if len(above) > 0 {
			check(text, "duplicate_key", line, column+3)
		}
	}
	if files < 900 || len(codes) < 8 {
		t.Errorf("%d files with the codes %v: fewer than there were", files, codes)
	}
}

// wrongValues are values that a key refuses, and the code of the fault.
func wrongValues(k strategy.Key) map[string]string {
	out := map[string]string{}
	switch k.Type {
	case "number", "whole number":
		out["abc"], out[`"1"`], out["{a: 1}"], out["[1]"], out["true"], out["1e999"] = "wrong_type", "wrong_type", "wrong_type", "wrong_type", "wrong_type", "out_of_range"
		if !math.IsInf(k.Min, 0) {
			out[strconv.FormatFloat(k.Min-1, 'f', -1, 64)] = "out_of_range"
		}
		if !math.IsInf(k.Max, 0) {
			out[strconv.FormatFloat(k.Max+1, 'f', -1, 64)] = "out_of_range"
		}
		if k.Type == "whole number" {
			out[fmt.Sprint(math.Max(k.Min, 1)+0.5)] = "wrong_type"
		}
	case "true or false":
		out["yes"], out["1"], out[`"true"`], out["{a: 1}"], out["[true]"] = "wrong_type", "wrong_type", "wrong_type", "wrong_type", "wrong_type"
	case "word":
		out["abc"], out["{a: 1}"], out["[1]"] = "unknown_word", "wrong_type", "wrong_type"
		for _, w := range k.Enum {
			out[w+"q"] = "unknown_word"
		}
	case "date":
		out["2020"], out["2020-13-01"], out["2021-02-29"], out["{a: 1}"] = "bad_date", "bad_date", "bad_date", "wrong_type"
	case "bar length":
		out["1x"], out["daily"], out["0m"], out["[1d]"] = "bad_bars", "bad_bars", "bad_bars", "wrong_type"
	case "length of time":
		out["3"], out["3x"], out["-3y"], out["{a: 1}"] = "bad_span", "bad_span", "bad_span", "wrong_type"
	case "ticker":
		out["A B"], out["[A]"], out["{a: 1}"] = "bad_ticker", "wrong_type", "wrong_type"
	case "condition", "number expression":
		out["[1]"], out["{a: 1}"] = "wrong_type", "wrong_type"
	}
	return out
}
