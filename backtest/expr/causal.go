package expr

import (
	"fmt"

	"backtester/backtest/indicator"
)

// Reading says which bars a node of the graph reads, and if that cannot be shown, why.
type Reading struct {
	Text  string // canonical text of the node
	Reads string // in words: "its own bar", "3 bars back", "other bars that have ended"
	Fault string // "" when no later bar can be read
}

// Readings walks the program and those inside of it, node by node in the order of evaluation, and checks
// that none reads past its own time: arguments come before their node, shifts and windows reach
// backwards, other and longer bars are read once they have ended, symbols are compared at one close. A
// node of a kind that is not known here is a fault.
func (p *Program) Readings() []Reading {
	var out []Reading
	used := make([]bool, len(p.g.terms))
	for _, r := range p.roots {
		p.g.mark(r.term, used)
	}
	texts := make([]string, len(p.g.terms))
	for i := 1; i < len(p.g.terms); i++ {
		id := termID(i)
		texts[i] = p.g.text(id, texts)
		if t := p.g.at(id); used[i] && t.op != opConst {
			reads, fault := p.reads(id, t)
			out = append(out, Reading{texts[i], reads, fault})
		}
	}
	for i := range p.inputs {
		if in := &p.inputs[i]; in.Program != nil {
			out = append(out, in.Program.Readings()...)
		}
	}
	return out
}

// reads says what one node reads.
func (p *Program) reads(id termID, t *term) (reads, fault string) {
	for _, a := range t.args {
		if a >= id || a < 1 {
			return "", "an argument does not come before it"
		}
	}
	back := func(n, least int, words string) (string, string) {
		if n < least {
			return "", fmt.Sprintf("it reaches %d bars back", n)
		}
		return words, ""
	}
	switch o := t.op; {
	case o == opColumn, o == opIs, o.pointwise():
		return "its own bar", ""
	case o == opTime:
		return "the calendar, as known beforehand, and actions executed by then", ""
	case o == opPosition:
		return "the position at the close", ""
	case o == opFrozen:
		return "the close that decided the entry", ""
	case o == opShift, o == opShiftBool:
		return back(t.n, 0, fmt.Sprintf("%d bars back", t.n))
	case o == opCount, o == opSince, o == opValueWhen, o == opEvery, o == opAny:
		return back(t.n, 1, fmt.Sprintf("the last %d bars", t.n))
	case o == opIndicator:
		spec, known := indicator.Lookup(t.call.spec.Name)
		if !known || spec.Name != t.call.spec.Name {
			return "", "the indicator is not in the table whose rows are tested for causality"
		}
		return back(spec.Warmup(t.call.params), 0, fmt.Sprintf("bars up to its own (%s)", spec.Memory))
	case o == opGiven:
		return p.readsGiven(&p.g.givens[t.n])
	}
	return "", "what it reads is not known"
}

// readsGiven says what a column from elsewhere reads.
func (p *Program) readsGiven(x *given) (reads, fault string) {
	switch x.kind {
	case CrossInput:
		return "members of the universe with a bar at the same close", ""
	case OtherInput:
		if x.inner == nil || x.stale < 1 {
			return "", "it is not read by the end of its bars"
		}
		return "the last bar that had ended", ""
	case SeriesInput:
		return "the last value known by then", ""
	}
	return "", "where it comes from is not known"
}
