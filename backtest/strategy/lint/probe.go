package lint

import (
	"fmt"
	"strings"

	"backtester/backtest/expr"
	"backtester/backtest/strategy"
)

// Count says on how many bars a condition was true, false and absent.
type Count struct{ True, False, Absent int }

// Probe is what must be counted on bars to know which parts of a file's conditions never matter.
type Probe struct {
	file    *strategy.File // with one more signal for each part
	of      *strategy.File
	names   []string
	parts   []part
	whole   []bool // the part is the whole condition
	entries []bool // of an entry
}

// maxParts bounds the signals that are added.
const maxParts = 200

// NewProbe adds a named signal to a copy of f for every part of every condition that needs no
// position. Nil when there is nothing to count. f must be without faults.
func NewProbe(f *strategy.File) *Probe {
	rules, faults := f.Compile()
	if len(faults) > 0 {
		return nil
	}
	p := &Probe{of: f}
	prefix := "lint_part"
	for taken(f, prefix) {
		prefix += "_"
	}
	position := positionWords()
	var sets []strategy.Override
	for _, n := range conditionsOf(f, rules) {
		n.part.all(func(q part) {
			if q.op == "not" || len(p.parts) == maxParts {
				return
			}
			for name := range q.names() {
				if position[name] {
					return
				}
			}
			name := fmt.Sprintf("%s%d", prefix, len(p.parts))
			sets = append(sets, strategy.Override{Path: "signals." + name, Value: q.source()})
			whole := q.from == n.part.from && q.to == n.part.to
			p.names, p.parts = append(p.names, name), append(p.parts, q)
			p.whole, p.entries = append(p.whole, whole), append(p.entries, strings.HasSuffix(n.path, "entry.when"))
		})
	}
	changed := *f
	if len(sets) == 0 || changed.SetAll(sets) != nil {
		return nil
	}
	p.file = &changed
	return p
}

// taken reports whether names of parameters or signals begin with prefix.
func taken(f *strategy.File, prefix string) bool {
	for _, s := range f.Signals {
		if strings.HasPrefix(s.Name, prefix) {
			return true
		}
	}
	for _, s := range f.Params {
		if strings.HasPrefix(s.Name, prefix) {
			return true
		}
	}
	return false
}

// positionWords are the words that have a value only in a position.
func positionWords() map[string]bool {
	out := map[string]bool{}
	for _, f := range expr.Functions() {
		if f.Group == "position" {
			out[f.Name] = true
			for _, a := range f.Aliases {
				out[a] = true
			}
		}
	}
	return out
}

// fixed are the parts that are the same on all bars, with their values: 1, 0, NaN.
func (p *Probe) fixed() map[key]float64 {
	out := map[key]float64{}
	if p == nil {
		return out
	}
	rules, faults := p.file.Compile()
	if len(faults) > 0 {
		panic("BUG: a condition cannot be taken apart: " + faults.Error())
	}
	for i, name := range p.names {
		ref, ok := rules.Program.SignalRef(name)
		if !ok {
			continue
		}
		if v, ok := rules.Program.Constant(ref); ok {
			out[p.parts[i].key()] = v
		}
	}
	return out
}

// File is the strategy to be evaluated; Names are its signals to be counted.
func (p *Probe) File() *strategy.File { return p.file }

// Names are the signals of File whose values are to be counted.
func (p *Probe) Names() []string { return p.names }

// Judge finds conditions that were the same on all bars, and what in them was, given the counts of
// Names over the bars that may trade. already are findings that say so without data.
func (p *Probe) Judge(counts []Count, already []Finding) []Finding {
	said := map[spot]bool{}
	for _, f := range already {
		said[spotOf(f.Diagnostic)] = true
	}
	var out []Finding
	whole := "" // the verdict on the condition that the part belongs to
	for i, q := range p.parts {
		n := counts[i]
		code, message := verdict(n)
		what := "this part"
		if p.whole[i] {
			whole, what = code, "this condition"
		}
		if code == "" || !p.whole[i] && (q.op != "" || whole == "always_true") {
			continue
		}
		hint := ""
		if p.whole[i] && p.entries[i] && code == "always_false" {
			code, what, hint = "never_fires", "the entry", p.blame(i, counts)
		}
		d := q.diagnostic(p.of, code, hint, fmt.Sprintf("%s %s on %d bars: %s", what, message, n.True+n.False+n.Absent, q.source()))
		if d.Line == 0 || !said[spotOf(d)] {
			said[spotOf(d)] = true
			out = append(out, Finding{d, Warning})
		}
	}
	return sorted(out)
}

// verdict says what a count means.
func verdict(n Count) (code, message string) {
	switch {
	case n.True+n.False+n.Absent == 0:
		return "", ""
	case n.True+n.False == 0:
		return "never_known", "has no value"
	case n.True == 0:
		return "always_false", "is never true"
	case n.False == 0:
		return "always_true", "is always true"
	}
	return "", ""
}

// blame names the part of a condition that was true least often.
func (p *Probe) blame(i int, counts []Count) string {
	least, name := 0, ""
	for _, q := range p.parts[i].joined("and") {
		for j, r := range p.parts {
			if r.path == q.path && r.from == q.from && r.to == q.to && j != i && (name == "" || counts[j].True < least) {
				least, name = counts[j].True, r.source()
			}
		}
	}
	if name == "" {
		return ""
	}
	return fmt.Sprintf("of its parts, %s was true least often: on %d bars", name, least)
}
