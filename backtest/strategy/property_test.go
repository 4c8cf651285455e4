package strategy_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"backtester/backtest/strategy"
)

// drawOverrides makes settings for any key of the grammar, so that a new key is tested without
// anybody thinking of it.
func drawOverrides(t *rapid.T) []strategy.Override {
	var keys []strategy.Key
	for _, k := range strategy.Keys() {
		if !strings.Contains(k.Type, "mapping") && k.Path != "entry.when" {
			keys = append(keys, k)
		}
	}
	var out []strategy.Override
	for range rapid.IntRange(0, 12).Draw(t, "settings") {
		k := rapid.SampledFrom(keys).Draw(t, "key")
		path := strings.Replace(k.Path, "<name>", rapid.SampledFrom([]string{"p1", "my_level", "x_2"}).Draw(t, "name"), 1)
		if strings.HasPrefix(path, "functions.") {
			path += "(my_x, my_n)"
		}
		out = append(out, strategy.Override{Path: path, Value: drawValue(t, k)})
	}
	return out
}

func drawValue(t *rapid.T, k strategy.Key) string {
	switch k.Type {
	case "condition":
		return rapid.SampledFrom([]string{"close > max(open, 2)", "close[1] < 7", "true"}).Draw(t, "condition")
	case "number expression", "expression":
		return rapid.SampledFrom([]string{"close * 0.99", "sma(close, 3)", "5"}).Draw(t, "number")
	case "number":
		return fmt.Sprint(rapid.Float64Range(math.Max(k.Min, -1e6), math.Min(k.Max, 1e6)).Draw(t, "value"))
	case "whole number":
		return fmt.Sprint(rapid.IntRange(int(math.Max(k.Min, -1000)), int(math.Min(k.Max, 1000))).Draw(t, "value"))
	case "true or false":
		return fmt.Sprint(rapid.Bool().Draw(t, "flag"))
	case "word":
		return rapid.SampledFrom(k.Enum).Draw(t, "word")
	case "bar length":
		return rapid.SampledFrom([]string{"1m", "15m", "4h", "1d", "1w", "1M"}).Draw(t, "frame")
	case "date":
		return fmt.Sprintf("%d-%02d-01", rapid.IntRange(1990, 2030).Draw(t, "year"), rapid.IntRange(1, 12).Draw(t, "month"))
	case "length of time":
		return rapid.StringMatching(`[1-9][0-9]?[dwmy]`).Draw(t, "span")
	case "ticker":
		return rapid.StringMatching(`[A-Z]{1,5}`).Draw(t, "ticker")
	case "words":
		return rapid.SampledFrom([]string{"CS", "[CS, ADRC]"}).Draw(t, "words")
	case "file":
		return rapid.StringMatching(`[a-z/]{1,9}\.csv`).Draw(t, "file")
	case "tickers":
		return strings.Join(rapid.SliceOfNDistinct(rapid.StringMatching(`[A-Z]{1,5}(\.[AB])?`), 1, 5, rapid.ID).Draw(t, "tickers"), ",")
	case "condition or list":
		return rapid.SampledFrom([]string{"1 < 2", "[1 < 2, max(1, 2) > 1]"}).Draw(t, "texts")
	case "number, list, range or mapping":
		return rapid.SampledFrom([]string{"5", "[5, 1e-7, 0.1]", "2..9 step 3", "0.1..0.7 step 0.1", "{default: 3, values: 1..4}"}).Draw(t, "param")
	case "text":
		return rapid.StringMatching(`[a-zA-Zäß"'\\<>&#:, -]{1,20}`).Draw(t, "text")
	}
	t.Fatalf("no value for %s, a %s", k.Path, k.Type)
	return ""
}

// TestCanonicalFormReadsBack: whatever a file says, its JSON is the same bytes each time, is a
// strategy file itself, by the schema too, and says the same.
func TestCanonicalFormReadsBack(t *testing.T) {
	accepted, schema := 0, validator(t)
	rapid.Check(t, func(t *rapid.T) {
		base := rapid.SampledFrom([]string{"entry: close > 5", "rebalance: month", "rebalance: {every: week, unit: weight, weights: close / 500}", "rebalance: {drift: 0.1, weights: risk_parity}"}).Draw(t, "base")
		f, wrong := strategy.Parse("base.yaml", []byte("name: base\n"+base+"\n"))
		if len(wrong) > 0 {
			t.Fatal(wrong)
		}
		for _, s := range drawOverrides(t) {
			before := *f
			if f.SetAll([]strategy.Override{s}) == nil {
				accepted++
			} else if !before.Equal(f) {
				t.Fatalf("a refused %v changed the file", s)
			}
		}
		if rapid.Bool().Draw(t, "short") {
			// Ways that sizes contradict each other are refused, the file then stays as it is.
			_ = f.SetAll([]strategy.Override{{Path: "account", Value: "regt"}, {Path: "short.entry.when", Value: "close < 5"}})
		}
		first, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		g, wrong := strategy.Parse("again.json", first)
		if len(wrong) > 0 {
			t.Fatalf("%s\n%v", first, wrong)
		}
		var plain any
		if err := json.Unmarshal(first, &plain); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(plain); err != nil {
			t.Fatalf("%s\nis refused by the schema: %v", first, err)
		}
		second, err := json.Marshal(g)
		if err != nil || string(first) != string(second) || !f.Equal(g) {
			t.Fatalf("%v\n%s\n%s", err, first, second)
		}
		var viaGo strategy.File
		if err := json.Unmarshal(first, &viaGo); err != nil || !viaGo.Equal(f) {
			t.Fatalf("json.Unmarshal: %v", err)
		}
		if _, wrong := g.Compile(); len(wrong) > 0 {
			t.Fatal(wrong)
		}
	})
	if accepted < 100 && !testing.Short() { // rapid draws a fifth as often then
		t.Errorf("only %d settings were accepted: the test proves little", accepted)
	}
}

// FuzzParse: no panic, faults have places inside the file, and what is accepted reads back.
func FuzzParse(f *testing.F) {
	for _, w := range wrongFiles(f) {
		f.Add(w.data)
	}
	for _, b := range strategy.Builtins() {
		data, err := strategy.FindBuiltin(b.Name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(read(f, "testdata/design.yaml")))
	f.Add([]byte("entry: {when: ((((([[[[[{{{{{a[1,(]})"))
	f.Add([]byte("? - |\n x\n: >+\n\n y\n- {a: |, b}"))
	f.Add([]byte(`{"entry":"close \ud83d\ude00 > 5","params":{"n":{"values":[1,null,"2"]}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, wrong := strategy.Parse("fuzz.yaml", data)
		if (file == nil) != (len(wrong) > 0) {
			t.Fatalf("file %v with faults %v", file, wrong)
		}
		lines := strings.Count(strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n").Replace(string(data)), "\n") + 1
		for _, d := range wrong {
			if d.File != "fuzz.yaml" || d.Line < 1 || d.Line > lines+1 || d.Column < 1 || d.Column > len(data)+2 || d.Message == "" || d.Code == "" {
				t.Fatalf("fault without a place in the file of %d lines: %+v", lines, d)
			}
			_ = strategy.Excerpt(data, d)
		}
		if file == nil {
			return
		}
		first, err := json.Marshal(file)
		if err != nil {
			t.Fatal(err)
		}
		again, wrong := strategy.Parse("again.json", first)
		if len(wrong) > 0 || !again.Equal(file) {
			t.Fatalf("%s\n%v", first, wrong)
		}
	})
}
