// Package lint finds what is allowed in a strategy file and probably not meant: names that nothing
// uses, conditions that always or never hold, conditions that contradict each other, units that do not
// fit, costs of zero, choices left to the alphabet.
//
// In: a strategy file, and for some findings how often parts of its conditions held on bars that
// somebody counted. Out: findings with a stable code, the place, the cause and what to do. It refuses
// nothing: what is wrong is for package strategy to say. It reads no bars itself.
package lint

import (
	"sort"

	"backtester/backtest/strategy"
)

// Severity says how bad a finding is.
type Severity string

const (
	Error   Severity = "error"   // the file cannot be run
	Warning Severity = "warning" // it runs, and probably does not do what was meant
)

// Finding is one thing to look at.
type Finding struct {
	strategy.Diagnostic
	Severity Severity
}

// Text reads a strategy file and finds everything that is wrong or odd about it, in the order of the
// places. The File is nil when it cannot be run; then all findings are errors.
func Text(name string, data []byte) (*strategy.File, []Finding) {
	f, faults := strategy.Parse(name, data)
	if f == nil {
		out := make([]Finding, len(faults))
		for i, d := range faults {
			out[i] = Finding{d, Error}
		}
		return nil, out
	}
	return f, Check(f)
}

// Check finds what is odd about a file that can be run, without looking at data.
func Check(f *strategy.File) []Finding {
	rules, faults := f.Compile()
	if len(faults) > 0 {
		out := make([]Finding, len(faults))
		for i, d := range faults {
			out[i] = Finding{d, Error}
		}
		return out
	}
	c := &checker{file: f, rules: rules, said: map[spot]bool{}, fixed: NewProbe(f).fixed()}
	for _, d := range rules.Notes {
		c.list = append(c.list, Finding{d, Warning})
	}
	c.names()
	c.conditions()
	c.sides()
	c.money()
	c.settings()
	return sorted(c.list)
}

// sorted puts findings in the order of their places.
func sorted(list []Finding) []Finding {
	sort.SliceStable(list, func(i, j int) bool {
		a, b := list[i].Pos, list[j].Pos
		return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
	})
	return list
}

// spot is a piece of the file.
type spot struct {
	strategy.Position
	length int
}

func spotOf(d strategy.Diagnostic) spot { return spot{d.Pos, d.Length} }

// checker collects findings.
type checker struct {
	file  *strategy.File
	rules *strategy.Rules
	list  []Finding
	said  map[spot]bool   // where a condition was found to be odd already
	fixed map[key]float64 // parts of conditions that are the same on all bars
}

// add reports at the first of the paths that is in the file; without any, at its top.
func (c *checker) add(code, hint, message string, paths ...string) {
	d := strategy.Diagnostic{Code: code, Message: message, Hint: hint}
	for _, p := range []string{"entry", "long", "short"} {
		d.File = c.file.Positions[p].File
		if d.File != "" {
			break // of the whole file only the name is known
		}
	}
	for _, p := range paths {
		if pos, width := c.file.Place(p, 0, 1<<20); width > 0 {
			d.Pos, d.Length = pos, width
			break
		}
	}
	c.list = append(c.list, Finding{d, Warning})
}

// at reports at a part of an expression, once.
func (c *checker) at(p part, code, hint, message string) {
	d := p.diagnostic(c.file, code, hint, message)
	if d.Line > 0 && c.said[spotOf(d)] {
		return
	}
	c.said[spotOf(d)] = true
	c.list = append(c.list, Finding{d, Warning})
}
