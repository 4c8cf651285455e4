package editor

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"backtester/backtest/expr"
	"backtester/backtest/indicator"
	"backtester/backtest/strategy"
)

// Hint is what is known about a word of the file.
type Hint struct {
	Range
	Title string   `json:"title"`
	Lines []string `json:"lines"` // plain text, one fact each
}

// Hover explains what stands at a place: a key, a word that a key takes, a name in an expression. False
// when there is nothing to say.
func Hover(text string, line, column int) (Hint, bool) {
	c := locate(text, line, column)
	switch c.role {
	case aKey:
		key := append(c.path[:len(c.path):len(c.path)], name(text[c.text.from:c.text.to]))
		k, ok := keyOf(key)
		return Hint{c.within(c.text), strings.Join(key, "."), keyLines(k)}, ok
	case aValue, aWord:
		word := span{c.at, c.at}
		for word.from > c.text.from && letter(text[word.from-1]) {
			word.from--
		}
		for word.to < c.text.to && letter(text[word.to]) {
			word.to++
		}
		if word.from == word.to {
			return Hint{}, false
		}
		h, ok := c.explain(word)
		h.Range = c.within(word)
		return h, ok
	}
	return Hint{}, false
}

// keyLines are the facts about a key.
func keyLines(k strategy.Key) []string {
	out := []string{k.Doc, k.Type}
	if k.Unit != "" {
		out[1] += " (" + k.Unit + ")"
	}
	if len(k.Enum) > 0 {
		out = append(out, "one of "+strings.Join(k.Enum, ", "))
	}
	switch low, high := !math.IsInf(k.Min, 0), !math.IsInf(k.Max, 0); {
	case low && high && k.Type != "":
		out = append(out, "from "+plain(k.Min)+" to "+plain(k.Max))
	case low && k.Type != "":
		out = append(out, "at least "+plain(k.Min))
	}
	if k.Default != "" {
		out = append(out, "default: "+k.Default)
	}
	if k.Required {
		out = append(out, "required")
	}
	return out
}

func plain(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// explain is the hint for a word of a value.
func (c cursor) explain(word span) (Hint, bool) {
	text := c.outline.text[word.from:word.to]
	k, ok := keyOf(c.path)
	if !ok {
		return Hint{}, false
	}
	for _, w := range words(k) {
		if w.Label == text {
			return Hint{Title: strings.Join(c.path, ".") + ": " + text, Lines: keyLines(k)}, true
		}
	}
	if expression(k) == "" {
		return Hint{}, false
	}
	for _, it := range c.own() {
		if bare, _, _ := strings.Cut(it.Label, "("); bare == text {
			return Hint{Title: it.Label, Lines: []string{it.Doc, it.Detail}}, true
		}
	}
	if word.from > c.text.from && c.outline.text[word.from-1] == '.' {
		if spec, ok := before(c.outline.text[c.text.from:word.from]); ok {
			for _, x := range spec.Outputs {
				if x.Name == text {
					return Hint{Title: spec.Name + "(...)." + x.Name, Lines: []string{x.Doc, spec.Title}}, true
				}
			}
		}
	}
	if spec, ok := indicator.Lookup(text); ok {
		return c.indicator(spec, word), true
	}
	for _, f := range known().functions {
		if f.Name == text || contains(f.Aliases, text) {
			return Hint{Title: f.Signature, Lines: []string{f.Doc}}, true
		}
	}
	return Hint{}, false
}

func contains(list []string, word string) bool {
	for _, x := range list {
		if x == word {
			return true
		}
	}
	return false
}

// indicator is the hint for an indicator, with the warm-up of this call if it can be told.
func (c cursor) indicator(spec indicator.Spec, word span) Hint {
	h := Hint{Title: spec.Name, Lines: []string{spec.Title, spec.Doc, "formula: " + spec.Formula}}
	for _, f := range known().functions {
		if f.Name == spec.Name {
			h.Title = f.Signature
		}
	}
	for _, p := range spec.Params {
		h.Lines = append(h.Lines, p.Name+": "+p.Doc+", "+bounds(p))
	}
	var names []string
	for _, x := range spec.Outputs {
		if x.Name != "" {
			names = append(names, x.Name)
		}
	}
	if len(names) > 1 {
		h.Lines = append(h.Lines, "outputs: "+strings.Join(names, ", "))
	}
	if n, ok := c.warmup(word); ok {
		h.Lines = append(h.Lines, fmt.Sprintf("warm-up here: %d bars", n))
	}
	h.Lines = append(h.Lines, "source: "+spec.Source)
	return h
}

// warmup of the call that begins with a word, with the parameters of the file.
func (c cursor) warmup(word span) (int, bool) {
	text, end := c.outline.text, word.to
	if end < len(text) && text[end] == '(' {
		depth := 0
		for ; end < c.text.to; end++ {
			if text[end] == '(' {
				depth++
			} else if text[end] == ')' {
				if depth--; depth == 0 {
					end++
					break
				}
			}
		}
	}
	file, _ := strategy.Parse("strategy.yaml", []byte(text))
	scope := expr.Scope{}
	if file != nil {
		for _, p := range file.Params {
			scope.Params = append(scope.Params, expr.Param{Name: p.Name, Value: p.Default})
		}
		for _, s := range file.Signals {
			scope.Signals = append(scope.Signals, expr.Named{Name: s.Name, Text: strings.Join(strings.Fields(s.Expr), " ")})
		}
	}
	compiler := expr.NewCompiler(scope)
	ref := compiler.Add(strings.Join(strings.Fields(text[word.from:min(end, len(text))]), " "), expr.Pos{}, expr.Number, expr.NoVars)
	program, faults := compiler.Program()
	if len(faults) > 0 {
		return 0, false
	}
	return program.WarmupOf(ref), true
}
