package editor

import (
	"slices"
	"strings"

	"backtester/backtest/strategy"
)

// Completion is what could be written at a place, and what it would replace.
type Completion struct {
	Replace Range  `json:"replace"`
	Items   []Item `json:"items"`
}

// Complete lists what could be written at a place: keys that the section does not have yet, words that
// a key takes, and inside expressions the names of the language and of the file, the outputs of an
// indicator and the arguments of a call. What begins with the letters before the cursor comes first,
// then what contains them.
func Complete(text string, line, column int) Completion {
	c := locate(text, line, column)
	var items []Item
	word := span{c.at, c.at}
	switch c.role {
	case aKey:
		word = c.text
		items = c.keys()
	case aValue, aWord:
		word.from -= len(lastName(text[max(c.text.from, 0):c.at]))
		items = c.values()
		if only := strings.TrimSpace(text[c.text.from:word.from]); c.role == aWord && only == "" {
			items = append(c.keys(), items...)
		}
	}
	for word.to < len(text) && c.role != nothing && letter(text[word.to]) {
		word.to++
	}
	items = match(items, text[word.from:c.at])
	for i, it := range items {
		// What stands behind the cursor already is not written again.
		for _, end := range []string{"(", ": "} {
			if bare, ok := strings.CutSuffix(it.Insert, end); ok && strings.HasPrefix(text[word.to:], end[:1]) {
				items[i].Insert = bare
			}
		}
	}
	return Completion{c.within(word), items}
}

// keys are those of the section that are not there yet.
func (c cursor) keys() []Item {
	taken := map[string]bool{}
	for _, e := range c.entries {
		if e.key.from >= 0 && e.group == c.group && !e.key.has(c.at) {
			taken[e.path[len(e.path)-1]] = true
		}
	}
	var out []Item
	for _, k := range keysOf(c.path) {
		label := k.Path[strings.LastIndexByte(k.Path, '.')+1:]
		if len(c.path) == 0 && (taken["long"] && (label == "entry" || label == "exit") || label == "long" && (taken["entry"] || taken["exit"])) {
			continue
		}
		if !taken[label] {
			out = append(out, Item{Label: label, Insert: label + ": ", Kind: "key", Detail: detail(k), Doc: k.Doc})
		}
	}
	return out
}

// detail is the type, unit and default of a key in a few words.
func detail(k strategy.Key) string {
	s := k.Type
	if k.Unit != "" {
		s += ", " + k.Unit
	}
	if k.Default != "" {
		s += ", default " + k.Default
	}
	return s
}

// values are what could stand in the value that the cursor is in.
func (c cursor) values() []Item {
	k, ok := keyOf(c.path)
	if !ok {
		return nil
	}
	written := c.outline.text[c.text.from:c.at]
	switch expression(k) {
	case "":
		if strings.TrimSpace(written) == lastName(written) {
			return words(k)
		}
		return nil
	case "params":
		var out []Item
		for _, it := range c.own() {
			if it.Kind == "parameter" {
				out = append(out, it)
			}
		}
		return append(out, operators()...)
	}
	stem := strings.TrimSuffix(written, lastName(written))
	if strings.HasSuffix(stem, ".") {
		spec, ok := before(stem)
		if !ok {
			return nil
		}
		return outputs(spec)
	}
	items := append(words(k), c.own()...)
	if spec, given, ok := call(stem); ok {
		items = append(arguments(spec, given), items...)
	}
	items = append(items, language(inPosition(c.path))...)
	if end := strings.TrimSpace(stem); end != "" && (letter(end[len(end)-1]) || strings.HasSuffix(end, ")") || strings.HasSuffix(end, "]")) {
		items = append(operators(), items...) // behind an operand
	}
	return items
}

// expression says what kind of expression a key takes: "" for none, params for one of parameters only.
func expression(k strategy.Key) string {
	switch {
	case k.Path == "constraint":
		return "params"
	case k.Path == "require":
		return ""
	case strings.Contains(k.Type, "condition"), strings.Contains(k.Type, "expression"):
		return "all"
	}
	return ""
}

// inPosition reports whether the values of a position are known where a key is evaluated.
func inPosition(path []string) bool {
	return slices.Contains(path, "exit")
}

// match keeps the items that begin with what was typed, then those that contain it, each in order.
func match(items []Item, typed string) []Item {
	typed = strings.ToLower(strings.TrimSpace(typed))
	out := []Item{}
	for _, first := range []bool{true, false} {
		for _, it := range items {
			label := strings.ToLower(it.Label)
			if begins := strings.HasPrefix(label, typed); begins == first && (begins || strings.Contains(label, typed)) {
				out = append(out, it)
			}
		}
	}
	return out
}
