package strategy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"backtester/backtest/strategy"
)

// block writes one key in block style under what leads to it, beside an entry, and says where the
// key stands.
func block(path []string, key, value string) (text string, line, column int) {
	var b strings.Builder
	line = 1
	if len(path) == 0 && key != "entry" || len(path) > 0 && path[0] != "entry" {
		b.WriteString("entry: close > 5\n")
		line++
	}
	for depth, part := range path {
		fmt.Fprintf(&b, "%s%s:\n", strings.Repeat("  ", depth), part)
		line++
	}
	indent := strings.Repeat("  ", len(path))
	fmt.Fprintf(&b, "%s%s: %s\n", indent, key, value)
	return b.String(), line, len(indent) + 1
}

// misspelt are ways to mistype a word: a letter left out, doubled, or swapped with its neighbour.
func misspelt(word string) []string {
	var out []string
	for i := range len(word) {
		out = append(out, word[:i]+word[i+1:], word[:i+1]+word[i:])
		if i > 0 && word[i] != word[i-1] {
			out = append(out, word[:i-1]+string(word[i])+string(word[i-1])+word[i+1:])
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// mistyped is a file in which one key of the grammar is misspelt, and where that stands.
type mistyped struct {
	key          strategy.Key
	meant, typo  string
	text         string
	line, column int
}

// eachMisspeltKey mistypes every key of the grammar in every way that is not another key.
func eachMisspeltKey(visit func(mistyped)) {
	known := map[string]bool{}
	for _, k := range strategy.Keys() {
		known[k.Path] = true
	}
	for _, k := range strategy.Keys() {
		path := strings.Split(k.Path, ".")
		above, key := path[:len(path)-1], path[len(path)-1]
		if key == "<name>" {
			continue
		}
		for _, typo := range misspelt(key) {
			if typo == "" || known[strings.Join(append(slices.Clone(above), typo), ".")] {
				continue
			}
			text, line, column := block(above, typo, "5")
			visit(mistyped{k, key, typo, text, line, column})
		}
	}
}

// TestEveryMisspeltKey: each is found where it stands, and what was meant is almost always known.
func TestEveryMisspeltKey(t *testing.T) {
	files, guessed := 0, 0
	eachMisspeltKey(func(m mistyped) {
		_, wrong := strategy.Parse("typo.yaml", []byte(m.text))
		i := slices.IndexFunc(wrong, func(d strategy.Diagnostic) bool {
			return d.Code == "unknown_key" && d.Line == m.line && d.Column == m.column && d.Length == len(m.typo)
		})
		if i < 0 {
			t.Errorf("%s not found at %d:%d\n%s%v", m.typo, m.line, m.column, m.text, wrong)
			return
		}
		files++
		if wrong[i].Hint == "did you mean "+m.meant+"?" {
			guessed++
		} else if len(m.meant) > 4 {
			t.Errorf("%s for %s: hint %q", m.typo, m.key.Path, wrong[i].Hint)
		}
	})
	if files < 1000 || guessed*100 < files*95 {
		t.Errorf("%d files, %d guessed", files, guessed)
	}
}

// TestEveryKeyRefusesOtherTypes gives every key values of the wrong type and finds each where it
// stands.
func TestEveryKeyRefusesOtherTypes(t *testing.T) {
	files := 0
	for _, k := range strategy.Keys() {
		path := strings.Split(k.Path, ".")
		above, key := path[:len(path)-1], path[len(path)-1]
		if key == "<name>" {
			key = "my_name"
		}
		if path[0] == "functions" && len(path) > 1 {
			key = "my_name(x)"
		}
		values := []string{"{zz: 1}", "[[1]]", ""}
		switch k.Type {
		case "number", "whole number":
			values = append(values, "abc", `"1"`, "1%", "0x10", ".inf", "1e999", "-0x", "--1", "1_", "true", "[1]")
		case "true or false":
			values = append(values, "yes", "on", "1", `"true"`, "[true]")
		case "word", "date", "bar length", "length of time":
			values = append(values, "5", "abc", "[abc]", "2020")
		}
		if k.Type == "mapping of names" {
			values = values[1:]
		}
		for _, v := range values {
			text, line, column := block(above, key, v)
			_, wrong := strategy.Parse("type.yaml", []byte(text))
			if !slices.ContainsFunc(wrong, func(d strategy.Diagnostic) bool {
				return d.Line == line && d.Column >= column+len(key)+1
			}) {
				t.Errorf("%s accepts %q\n%s%v", k.Path, v, text, wrong)
			}
			files++
		}
	}
	if files < 500 {
		t.Errorf("only %d files", files)
	}
}
