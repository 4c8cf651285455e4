package expr

import (
	"fmt"
	"slices"
	"strings"

	"backtester/backtest/bar/spell"
	"backtester/backtest/indicator"
)

// indicator is a call of spec; out is the output's name, "" for the first.
func (k *checker) indicator(t *tree, spec *indicator.Spec, out string) termID {
	series, params, ok := k.bindArguments(t, spec)
	if !ok {
		return 0
	}
	g := k.c.g
	args := make([]termID, 0, len(series)+len(spec.Columns))
	units := make([]dims, len(series))
	for i, s := range series {
		units[i] = g.at(s).unit
		args = append(args, s)
	}
	for _, c := range spec.Columns {
		args = append(args, k.c.columnNamed(c))
	}
	index := 0
	if out != "" {
		index, _ = spec.Output(out)
	}
	unit := g.ofIndicator(spec.Outputs[index].Unit, units)
	if spec.Memory == indicator.Cumulative {
		k.note(t, "level", spec.Name+" adds up from the first bar loaded, so only its changes mean something, never its level", "compare it with its own past")
	}
	return g.add(term{op: opIndicator, kind: Number, unit: unit, n: index, args: args, call: g.callOf(spec, params)})
}

// indicatorOutput is call(...).name.
func (k *checker) indicatorOutput(t, call *tree, spec *indicator.Spec) termID {
	if _, ok := spec.Output(t.text); !ok {
		k.indicator(call, spec, "")
		names := make([]string, len(spec.Outputs))
		for i, o := range spec.Outputs {
			names[i] = "." + o.Name
		}
		hint := ""
		if len(names) > 1 {
			hint = "it has " + strings.Join(names, ", ")
		}
		return k.report(fault{t.at, t.at + len(t.text), "unknown_output", fmt.Sprintf("%s has no part .%s", spec.Name, clip(t.text)), hint})
	}
	return k.indicator(call, spec, t.text)
}

// bindArguments sorts the arguments of an indicator call into series and numbers.
func (k *checker) bindArguments(t *tree, spec *indicator.Spec) (series []termID, params []float64, ok bool) {
	places := make([]*tree, len(spec.Series)+len(spec.Params))
	if !k.place(t, spec, places) {
		for _, a := range t.args {
			if a.shape != shapeString { // where it belonged is not known
				k.term(a)
			}
		}
		return nil, nil, false
	}
	ok = true
	for i, s := range spec.Series {
		id := k.want(places[i], Number, subject{name: s, spec: spec})
		ok = ok && id != 0 && k.past(places[i], id, spec.Name)
		series = append(series, id)
	}
	for i, p := range spec.Params {
		a := places[len(spec.Series)+i]
		if a == nil {
			v := p.Default
			if p.Name == "seed" && k.c.emaSeed != "" {
				v = float64(max(0, slices.Index(p.Words, string(k.c.emaSeed))))
			}
			params = append(params, v)
			continue
		}
		if p.Words != nil {
			v := k.choice(a, spec, p)
			ok = ok && v >= 0
			params = append(params, v)
			continue
		}
		v := k.constant(a, subject{name: p.Name, spec: spec})
		if v != v {
			ok = false
		} else if err := p.Check(v); err != nil {
			ok = false
			k.fault(a, "out_of_range", fmt.Sprintf("%s: %v", spec.Name, err), "")
		}
		params = append(params, v)
	}
	return series, params, ok
}

// choice is the number that a word stands for; -1 when it is none of the parameter's.
func (k *checker) choice(t *tree, spec *indicator.Spec, p indicator.Param) float64 {
	if t.shape == shapeString {
		if i := slices.Index(p.Words, t.text); i >= 0 {
			return float64(i)
		}
	}
	hint, least := "", 3
	for _, w := range p.Words {
		if d := spell.Distance(strings.ToLower(t.text), w); d < least && (t.shape == shapeString || t.shape == shapeName) {
			hint, least = fmt.Sprintf("did you mean %q?", w), d
		}
	}
	k.fault(t, "unknown_choice", fmt.Sprintf("%s of %s must be one of %s, not %s", p.Name, spec.Name, p.Range(), k.source(t)), hint)
	return -1
}

// place puts each argument where it belongs: by order, then by name.
func (k *checker) place(t *tree, spec *indicator.Spec, places []*tree) bool {
	names := slices.Clone(spec.Series)
	for _, p := range spec.Params {
		names = append(names, p.Name)
	}
	usage := func() string { return "write " + usageOfIndicator(spec, true) }
	next := 0
	for i, a := range t.args {
		at := next
		if n := t.names[i]; n != "" {
			if at = slices.Index(names, n); at < 0 {
				k.fault(a, "argument_name", fmt.Sprintf("%s has no argument named %s", spec.Name, clip(n)), usage())
				return false
			}
			if places[at] != nil {
				k.fault(a, "argument_name", fmt.Sprintf("%s gets %s twice", spec.Name, n), usage())
				return false
			}
			next = len(places) + 1 // only names from here on
		} else if next++; at >= len(places) {
			if at > len(places) {
				k.fault(a, "argument_name", "an argument without a name cannot follow one with a name", usage())
			} else {
				k.faultCall(t, "wrong_count", fmt.Sprintf("%s takes %s, got %d", spec.Name, most(spec), len(t.args)), usage())
			}
			return false
		}
		places[at] = a
	}
	for i, p := range places {
		if p == nil && (i < len(spec.Series) || spec.Params[i-len(spec.Series)].Required) {
			k.faultCall(t, "wrong_count", fmt.Sprintf("%s needs %s: %s", spec.Name, names[i], signature(spec)), k.completed(t, spec))
			return false
		}
	}
	return true
}

// completed guesses what was meant when arguments are missing: most often the column.
func (k *checker) completed(t *tree, spec *indicator.Spec) string {
	if len(spec.Series) != 1 || len(t.args) == 0 || t.args[0].shape != shapeNumber || slices.ContainsFunc(t.names, func(n string) bool { return n != "" }) {
		return ""
	}
	args := make([]string, len(t.args))
	for i, a := range t.args {
		args[i] = k.source(a)
	}
	return fmt.Sprintf("did you mean %s(close, %s)?", t.text, strings.Join(args, ", "))
}

// most says how many arguments an indicator takes.
func most(spec *indicator.Spec) string {
	n := len(spec.Series) + len(spec.Params)
	least := len(spec.Series)
	for _, p := range spec.Params {
		if p.Required {
			least++
		}
	}
	if least < n {
		return fmt.Sprintf("%d to %s", least, arity(n, false))
	}
	return arity(n, false)
}
