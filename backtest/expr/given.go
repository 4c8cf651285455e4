package expr

import (
	"fmt"
	"math"
	"strings"

	"backtester/backtest/bar"
)

// InputKind says where the column of an Input comes from.
type InputKind uint8

const (
	CrossInput  InputKind = iota + 1 // compares the symbols that have a bar at the same time
	OtherInput                       // another Program on another symbol's or on longer bars
	SeriesInput                      // an outside series
)

// Input is a column that a Program takes from elsewhere: whoever binds it fills Binding.Inputs, in the
// order of Program.Inputs. Conditions come as 1, 0 and NaN.
type Input struct {
	Kind InputKind

	// CrossInput: the pass that computes its argument (see Program.BindStage), and what to do with it.
	Stage int
	Cross *Cross

	// OtherInput: the column of Ref of Program, evaluated on the bars of Symbol ("" is the instrument's
	// own) in Frame (zero is that of the run). At each bar it has the value of the last bar that had
	// ended, absent when that is more than Stale sessions (for weeks and months: periods) back. Warmup
	// is how many bars of the run's frame Symbol needs before the first bar that is looked at.
	Symbol  string
	Frame   bar.Frame
	Program *Program
	Ref     Ref
	Stale   int
	Warmup  int

	// SeriesInput.
	Name string
}

// given is an input before it is known whether anything uses it.
type given struct {
	kind  InputKind
	cross Cross
	at    where
	stale int
	inner *Compiler // of an OtherInput
	term  termID    // of inner
	ref   Ref       // of inner
	name  string
	warm  int // bars of the outer instrument that must come before
	outer int // see term.outer
	need  int // bars of the other instrument, see Input.Warmup
}

// giveOnce is the index of x among the givens.
func (g *graph) giveOnce(x given) int {
	key := fmt.Sprint(x.kind, x.cross, x.at, x.stale, x.term, x.name)
	if k, ok := g.givenIndex[key]; ok {
		return k
	}
	g.givens = append(g.givens, x)
	g.givenIndex[key] = len(g.givens) - 1
	return len(g.givens) - 1
}

// deriveGiven fills in what follows from where a column comes from.
func (g *graph) deriveGiven(t *term) {
	x := &g.givens[t.n]
	t.calendar = true
	if x.kind == CrossInput {
		t.stage++
		t.outer = max(t.outer, 0)
		return
	}
	t.warm, t.outer = x.warm, x.outer
	if x.kind == OtherInput && x.at.symbol == x.inner.outer.at.symbol {
		t.columns = x.inner.g.at(x.term).columns
	}
}

// givenText is how an input is written.
func (g *graph) givenText(t *term, texts []string) string {
	x := &g.givens[t.n]
	switch x.kind {
	case CrossInput:
		args := make([]string, 0, 3)
		for _, a := range t.args {
			args = append(args, texts[a])
		}
		if x.cross.n > 0 {
			args = append(args, plain(float64(x.cross.n)))
		}
		if x.cross.by != noCategory {
			args = append(args, x.cross.by.String())
		}
		return x.cross.fn.String() + "(" + strings.Join(args, ", ") + ")"
	case SeriesInput:
		return x.name
	}
	s := x.inner.g.wholeText(x.term)
	if x.stale != 1 {
		s += ", stale = " + plain(float64(x.stale))
	}
	if from := x.inner.outer.at; x.at.frame != from.frame {
		s = "tf(" + quote(x.at.frame.String()) + ", " + s + ")"
	}
	if x.at.symbol != x.inner.outer.at.symbol {
		s = "sym(" + quote(x.at.symbol) + ", " + s + ")"
	}
	return s
}

// wholeText is the canonical text of one term.
func (g *graph) wholeText(id termID) string {
	texts := make([]string, id+1)
	for i := 1; i <= int(id); i++ {
		texts[i] = g.text(termID(i), texts)
	}
	return texts[id]
}

// inputs lists the givens that something uses, inner programs included.
func (p *Program) findInputs(c *Compiler) {
	used := make([]bool, len(p.g.terms))
	for _, r := range p.roots {
		p.g.mark(r.term, used)
	}
	p.inputOf = map[int]int{}
	for i := range p.g.terms {
		t := &p.g.terms[i]
		if !used[i] || t.op != opGiven {
			continue
		}
		x := &p.g.givens[t.n]
		in := Input{Kind: x.kind, Name: x.name}
		switch x.kind {
		case CrossInput:
			cross := x.cross
			in.Cross, in.Stage = &cross, t.stage-1
			p.stages = max(p.stages, t.stage)
			p.crossArgs = append(p.crossArgs, t.args[0])
		case OtherInput:
			in.Symbol, in.Frame, in.Stale = x.at.symbol, x.at.frame, x.stale
			in.Ref, in.Warmup = x.ref, x.need
			in.Program = c.program(x.inner)
			p.crossArgs = append(p.crossArgs, 0)
		default:
			p.crossArgs = append(p.crossArgs, 0)
		}
		p.inputOf[t.n] = len(p.inputs)
		p.inputs = append(p.inputs, in)
	}
}

// Carry brings the column of an OtherInput to other bars. b is in.Program bound to the other bars;
// rows[i] is the bar of it that bar i of dst sees, -1 for none. from holds the share basis at the other
// bars: of their instrument, then of in.Program.Others; now holds that of the same instruments at the
// bars of dst. So prices are seen in the shares of the bar that looks at them.
func (in *Input) Carry(dst []float64, b *Bound, rows []int32, from, now []bar.Basis) {
	x, d := b.Column(in.Ref), in.Program.term(in.Ref).unit
	for i, r := range rows {
		if r < 0 {
			dst[i] = math.NaN()
			continue
		}
		dst[i] = x[r]
	}
	move := func(k int, u Unit) {
		if u == (Unit{}) || from[k].Price == nil && now[k].Price == nil {
			return
		}
		for i, r := range rows {
			if r < 0 {
				continue
			}
			price, share := from[k].At(int(r))
			toPrice, toShare := now[k].At(i)
			if price != toPrice || share != toShare {
				dst[i] *= factor(price/toPrice, share/toShare, u)
			}
		}
	}
	move(0, d.Unit)
	for _, p := range in.Program.g.powers(d) {
		move(1+p.other, p.Unit)
	}
}

// Inputs are the columns that the Program takes from elsewhere. Not to be written.
func (p *Program) Inputs() []Input { return p.inputs }

// Others are the symbols whose share basis Binding.Others must give. Not to be written.
func (p *Program) Others() []string { return p.g.others }

// Stages is how many passes over all symbols come before the last one: 0 without cross-sections, 1
// with them, more when one compares what was made from another.
func (p *Program) Stages() int { return p.stages }

// InputHistory is how many bars before the first decision inputs are read at, beyond the bar of the
// decision itself: windows over cross-sections and over other symbols need them there. -1 without
// inputs that depend on other symbols.
func (p *Program) InputHistory() int {
	far := -1
	for _, r := range p.roots {
		far = max(far, p.g.at(r.term).outer)
	}
	return far
}

// Series are the outside series that expressions name, inner programs included, each once.
func (p *Program) Series() []string {
	var out []string
	p.eachInput(func(in *Input) {
		if in.Kind != SeriesInput {
			return
		}
		for _, s := range out {
			if s == in.Name {
				return
			}
		}
		out = append(out, in.Name)
	})
	return out
}

// eachInput visits the inputs of p and of the programs inside of it.
func (p *Program) eachInput(visit func(in *Input)) {
	for i := range p.inputs {
		visit(&p.inputs[i])
		if inner := p.inputs[i].Program; inner != nil {
			inner.eachInput(visit)
		}
	}
}

// NeedsCategories reports whether any expression asks for the type or the exchange of an instrument.
func (p *Program) NeedsCategories() bool {
	for i := range p.g.terms {
		t := &p.g.terms[i]
		if t.op == opIs || t.op == opGiven && p.g.givens[t.n].cross.by != noCategory {
			return true
		}
	}
	return false
}
