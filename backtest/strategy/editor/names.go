package editor

import (
	"strings"

	"backtester/backtest/expr"
	"backtester/backtest/indicator"
	"backtester/backtest/strategy"
)

// Item is something that could be written.
type Item struct {
	Label  string `json:"label"`
	Insert string `json:"insert"` // what to write in place of Completion.Replace
	Kind   string `json:"kind"`   // key | word | operator | column | function | indicator | variable | parameter | signal | series | output | argument
	Detail string `json:"detail,omitempty"`
	Doc    string `json:"doc,omitempty"`
}

// own are the names that the file itself defines, in its order.
func (o *outline) own() []Item {
	var out []Item
	for _, e := range o.entries {
		if len(e.path) != 2 || e.key.from < 0 {
			continue
		}
		text := strings.TrimSpace(o.text[e.value.from:e.value.to])
		switch label := e.path[1]; e.path[0] {
		case "params":
			out = append(out, Item{Label: label, Insert: label, Kind: "parameter", Detail: text, Doc: "parameter of this file"})
		case "signals":
			out = append(out, Item{Label: label, Insert: label, Kind: "signal", Detail: text, Doc: "signal of this file"})
		case "series":
			out = append(out, Item{Label: label, Insert: label, Kind: "series", Detail: text, Doc: "outside series of this file"})
		case "functions":
			bare, _, _ := strings.Cut(label, "(")
			out = append(out, Item{Label: label, Insert: strings.TrimSpace(bare) + "(", Kind: "function", Detail: text, Doc: "function of this file"})
		}
	}
	return out
}

// language are the names of the language; position variables only where there is a position.
func language(position bool) []Item {
	var out []Item
	for _, f := range known().functions {
		if f.Group == "position" && !position {
			continue
		}
		out = append(out, itemOf(f))
	}
	return append(out, Item{Label: "not", Insert: "not ", Kind: "operator"})
}

// operators join conditions.
func operators() []Item {
	return []Item{{Label: "and", Insert: "and ", Kind: "operator"}, {Label: "or", Insert: "or ", Kind: "operator"}}
}

func itemOf(f expr.Function) Item {
	it := Item{Label: f.Name, Insert: f.Name, Kind: "function", Detail: f.Signature, Doc: f.Doc}
	switch f.Group {
	case "column", "calendar", "constant":
		it.Kind = "column"
	case "position":
		it.Kind = "variable"
	case "indicator":
		it.Kind = "indicator"
	}
	if strings.Contains(f.Signature, "(") && !strings.HasSuffix(f.Signature, "()") {
		it.Insert += "("
	}
	if strings.HasSuffix(f.Signature, "]") && !strings.Contains(f.Signature, "(") {
		it.Insert = f.Name
	}
	return it
}

// call is the indicator call that a place is in: its name and the arguments before the place.
func call(text string) (spec indicator.Spec, arguments int, ok bool) {
	depth, commas := 0, 0
	for i := len(text) - 1; i >= 0; i-- {
		switch c := text[i]; {
		case c == ')' || c == ']':
			depth++
		case c == '[' || c == '(' && depth > 0:
			if depth--; depth < 0 {
				return spec, 0, false
			}
		case c == '(':
			spec, ok = indicator.Lookup(lastName(text[:i]))
			return spec, commas, ok
		case c == ',' && depth == 0:
			commas++
		}
	}
	return spec, 0, false
}

// lastName is the name that text ends in.
func lastName(text string) string {
	i := len(text)
	for i > 0 && letter(text[i-1]) {
		i--
	}
	return text[i:]
}

func letter(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// before is the indicator whose output is asked for: text ends in a call or a name and a point.
func before(text string) (indicator.Spec, bool) {
	text = strings.TrimSuffix(text, ".")
	if strings.HasSuffix(text, ")") {
		depth := 0
		for i := len(text) - 1; i >= 0; i-- {
			if text[i] == ')' {
				depth++
			} else if text[i] == '(' {
				if depth--; depth == 0 {
					text = text[:i]
					break
				}
			}
		}
	}
	return indicator.Lookup(lastName(text))
}

func outputs(spec indicator.Spec) []Item {
	var out []Item
	for _, x := range spec.Outputs {
		if x.Name != "" {
			out = append(out, Item{Label: x.Name, Insert: x.Name, Kind: "output", Detail: spec.Name + "(...)." + x.Name, Doc: x.Doc})
		}
	}
	return out
}

// arguments are the numbers that a call may still name.
func arguments(spec indicator.Spec, given int) []Item {
	var out []Item
	for i, p := range spec.Params {
		if i+len(spec.Series) >= given {
			out = append(out, Item{Label: p.Name, Insert: p.Name + " = ", Kind: "argument", Detail: bounds(p), Doc: p.Doc})
		}
	}
	return out
}

func bounds(p indicator.Param) string {
	if !p.Required {
		return "default " + p.Text(p.Default) + ", " + p.Range()
	}
	return p.Range()
}

// words are the values that a key takes by name.
func words(k strategy.Key) []Item {
	list := k.Enum
	switch {
	case k.Type == "true or false":
		list = []string{"true", "false"}
	case k.Type == "bar length":
		list = []string{"1m", "5m", "15m", "1h", "1d", "1w", "1M"}
	case strings.Contains(k.Type, "none"):
		list = []string{"none"}
	}
	var out []Item
	for _, w := range list {
		detail := ""
		if w == k.Default {
			detail = "default"
		}
		out = append(out, Item{Label: w, Insert: w, Kind: "word", Detail: detail})
	}
	return out
}
