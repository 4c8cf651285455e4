package strategy

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"backtester/backtest/expr"
)

// maxValues bounds the values of one parameter.
const maxValues = 100_000

// params reads the mapping of parameters. One that is at fault stays in, as 1, so that expressions
// which use it are not faulted as well.
func (d *decoder) params(n *node, path string) []Param {
	if n.kind != mappingNode {
		d.add(n, cause{code: "wrong_type"}, "%s is %s, want a mapping of names to values, such as {n: 20..60 step 5}", path, n.noun())
		return nil
	}
	var out []Param
	for i, key := range n.keys {
		p := Param{Name: key.text, Default: 1, Values: []float64{1}}
		if !d.name(key, path) {
			d.broken[key.text] = true
		}
		at := path + "." + key.text
		d.mark(at, n.items[i])
		d.param(n.items[i], &p, at)
		if !d.broken[key.text] {
			out = append(out, p)
		}
	}
	return out
}

// name checks the name of a parameter or signal.
func (d *decoder) name(key *node, path string) bool {
	name := key.text
	ok := name != "" && len(name) <= 64
	for i := range len(name) {
		c := name[i]
		ok = ok && (c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || i > 0 && c >= '0' && c <= '9')
	}
	if !ok {
		d.add(key, cause{code: "bad_name"}, "%q cannot be a name in %s: use letters, digits and _, a letter first", clip(name, 40), path)
		return false
	}
	if err := expr.CheckName(name); err != nil {
		d.add(key, cause{"name_taken", "choose another, such as my_" + name}, "%s.%s: %v", path, name, err)
		return false
	}
	if path == "signals" && slices.ContainsFunc(d.file.origin.params(), func(p *node) bool { return p.text == name }) {
		d.add(key, cause{"name_taken", "choose another, such as my_" + name}, "signals.%s: %s is a parameter already", name, name)
		return false
	}
	return true
}

// params are the names in the mapping of parameters.
func (doc *document) params() []*node {
	if p := doc.root.get("params"); p != nil {
		return p.keys
	}
	return nil
}

func (d *decoder) param(n *node, p *Param, path string) {
	if d.empty(n, path, "a number, a list or a range") {
		return
	}
	values := n
	if n.kind == mappingNode {
		values = n.get("values")
		before := len(d.list)
		for i, key := range n.keys {
			if key.text != "default" && key.text != "values" {
				d.unknownKey(key, path, []field{{key: "default"}, {key: "values"}})
			}
			d.mark(path+"."+key.text, n.items[i])
		}
		if def := n.get("default"); def == nil && values == nil {
			if len(d.list) == before {
				d.add(n, cause{code: "missing_key"}, "%s has neither default nor values", path)
			}
			return
		} else if def != nil {
			x, ok := d.number(def, "a number", path+".default")
			if !ok {
				return
			}
			p.Default, p.Values = x, []float64{x}
		}
	}
	if values == nil {
		return
	}
	found, ok := d.values(values, path)
	if !ok {
		return
	}
	p.Values = found
	if n.get("default") == nil {
		p.Default = found[0]
	}
}

// values reads a number, a list of numbers, or a range.
func (d *decoder) values(n *node, path string) ([]float64, bool) {
	const want = "a number, a list such as [5, 10], or a range such as 20..60 step 5"
	switch {
	case n.kind == mappingNode:
		d.add(n, cause{code: "wrong_type"}, "%s is a mapping, want %s", path, want)
		return nil, false
	case n.kind == scalarNode && strings.Contains(n.text, ".."):
		return d.span(n, path)
	case n.kind == scalarNode:
		if hint := rangeHint(n.text); hint != "" {
			d.add(n, cause{"bad_range", hint}, "%s is %s, want %s", path, n.noun(), want)
			return nil, false
		}
		x, ok := d.number(n, want, path)
		return []float64{x}, ok
	case len(n.items) == 0:
		d.add(n, cause{code: "empty"}, "%s is an empty list, want at least one number", path)
		return nil, false
	}
	var out []float64
	seen := map[float64]bool{}
	good := true
	for i, item := range n.items {
		x, ok := d.number(item, "a number", path+"."+strconv.Itoa(i))
		if ok && seen[x] {
			d.add(item, cause{code: "repeated"}, "%s lists %s twice: every combination would be counted twice", path, item.text)
			ok = false
		}
		seen[x] = true
		out, good = append(out, x), good && ok
	}
	return out, good
}

// rangeHint recognises the ways in which ranges are written elsewhere.
func rangeHint(text string) string {
	for _, sep := range []string{" to ", ":", "-", "…"} {
		parts := strings.Split(text, sep)
		if len(parts) < 2 || len(parts) > 3 {
			continue
		}
		good := true
		for i := range parts {
			parts[i] = strings.TrimSpace(parts[i])
			_, ok := decimal(parts[i])
			good = good && ok
		}
		if good && len(parts) == 2 {
			return "did you mean " + parts[0] + ".." + parts[1] + "?"
		} else if good {
			return "did you mean " + parts[0] + ".." + parts[1] + " step " + parts[2] + "?"
		}
	}
	return ""
}

// span reads FIRST..LAST and FIRST..LAST step STEP; both ends belong to it, LAST as far as the steps
// reach it.
func (d *decoder) span(n *node, path string) ([]float64, bool) {
	ends, by, stepped := strings.Cut(n.text, "step")
	first, last, _ := strings.Cut(ends, "..")
	texts := []string{strings.TrimSpace(first), strings.TrimSpace(last), "1"}
	if stepped {
		texts[2] = strings.TrimSpace(by)
	}
	places, ok := 0, true
	for _, t := range texts {
		_, good := decimal(t)
		ok = ok && good && !strings.ContainsAny(t, "eE")
		if _, frac, found := strings.Cut(t, "."); found {
			places = max(places, len(frac))
		}
	}
	if !ok || places > 9 {
		d.add(n, cause{code: "bad_range"}, "%s is %s, want a range such as 20..60 step 5", path, n.noun())
		return nil, false
	}
	// Counted in whole units of the last decimal place, so that 0.1..0.5 step 0.1 holds 0.3 and not
	// 0.30000000000000004.
	var whole [3]float64
	for i, t := range texts {
		x, _ := decimal(t)
		whole[i] = math.Round(x * pow10(places))
		ok = ok && math.Abs(whole[i]) < 1<<53
	}
	from, to, step := whole[0], whole[1], whole[2]
	switch {
	case !ok:
		d.add(n, cause{code: "out_of_range"}, "%s is %s: these numbers are too large for a range", path, n.noun())
	case step <= 0:
		d.add(n, cause{code: "bad_range"}, "%s has step %s, want one above 0", path, texts[2])
	case to < from:
		d.add(n, cause{"bad_range", "did you mean " + texts[1] + ".." + texts[0] + "?"}, "%s runs from %s down to %s", path, texts[0], texts[1])
	case (to-from)/step >= maxValues:
		d.add(n, cause{code: "too_large"}, "%s has %.0f values, at most %d are possible", path, math.Floor((to-from)/step)+1, maxValues)
	default:
		out := make([]float64, 0, int((to-from)/step)+1)
		for i := 0; from+float64(float64(i)*step) <= to; i++ {
			out = append(out, (from+float64(float64(i)*step))/pow10(places))
		}
		return out, true
	}
	return nil, false
}

// pow10 is exact for the small powers used here.
func pow10(n int) float64 {
	x := 1.0
	for range n {
		x *= 10
	}
	return x
}
