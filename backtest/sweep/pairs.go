package sweep

import (
	"fmt"

	"backtester/backtest/expr"
	"backtester/backtest/instrument"
	"backtester/backtest/strategy"
)

// pairing is what the sorted path compares: two numbers, each of which depends on some of the parameters.
type pairing struct {
	left, right side
	enter       expr.Relation // of left to right
	leave       expr.Relation // 0: never
}

// side is one of the two numbers.
type side struct {
	text   string
	params []int // those that it may depend on
}

// compared reads entry and exit as comparisons of one pair of numbers, or says why they are none.
func (p *Plan) compared() (out *pairing, why reasons) {
	cfg, scope := p.Config, p.Config.Scope()
	why.when(cfg.Data.From != instrument.None, "with data.from each combination has a history of its own")
	ways := p.rules.Long.Exits
	why.when(len(ways) > 1 || len(ways) == 1 && ways[0].Kind != strategy.ExitSignal, "there are several ways out")
	c, ok := scope.Comparison(cfg.Long.Entry.When)
	why.when(!ok, "the entry is not one comparison of two numbers")
	if len(why) > 0 {
		return nil, why
	}
	out = &pairing{left: p.side(c.Left), right: p.side(c.Right), enter: c.Relation}
	if len(ways) == 1 {
		d, ok := scope.Comparison(cfg.Long.Exits[0].When)
		switch {
		case !ok:
			return nil, reasons{"the exit is not one comparison of two numbers"}
		case d.Left.Text == c.Left.Text && d.Right.Text == c.Right.Text:
			out.leave = d.Relation
		case d.Left.Text == c.Right.Text && d.Right.Text == c.Left.Text:
			out.leave = d.Relation.Swapped()
		default:
			return nil, reasons{"entry and exit compare different numbers"}
		}
	}
	if out.enter == expr.Below || out.enter == expr.AtMost || out.enter == expr.CrossesBelow {
		out.left, out.right, out.enter = out.right, out.left, out.enter.Swapped()
		if out.leave != 0 {
			out.leave = out.leave.Swapped()
		}
	}
	leave := out.leave
	why.when(leave == expr.Above || leave == expr.AtLeast || leave == expr.CrossesAbove || out.enter == expr.AtLeast && leave == expr.AtMost,
		"entry and exit can hold at once")
	why.when(len(out.left.params) == 0 && len(out.right.params) == 0, "the numbers that are compared depend on no parameter")
	if len(why) > 0 {
		return nil, why
	}
	return out, nil
}

func (p *Plan) side(o expr.Operand) side {
	s := side{text: o.Text}
	for i, name := range p.Space.Names {
		for _, n := range o.Names {
			if n == name {
				s.params = append(s.params, i)
				break
			}
		}
	}
	return s
}

// columns compiles the numbers of some combinations: a program of as many expressions as there are different
// ones, and which two each combination compares.
type columns struct {
	program     *expr.Program
	refs        []expr.Ref
	left, right []int32 // by combination: an index into refs
	warmup      []int   // by combination
}

func (p *Plan) columns(combinations [][]float64) (*columns, error) {
	c := &columns{left: make([]int32, len(combinations)), right: make([]int32, len(combinations)), warmup: make([]int, len(combinations))}
	maker := p.Config.Numbers()
	for s, d := range []*side{&p.pairs.left, &p.pairs.right} {
		to := c.left
		if s == 1 {
			to = c.right
		}
		known := map[[maxKey]float64]int32{}
		if len(d.params) > maxKey {
			return nil, fmt.Errorf("a number depends on more than %d parameters", maxKey)
		}
		for k, values := range combinations {
			var key [maxKey]float64
			for i, n := range d.params {
				key[i] = values[n]
			}
			at, ok := known[key]
			if !ok {
				at = int32(len(c.refs))
				known[key] = at
				c.refs = append(c.refs, maker.Add(d.text, values))
			}
			to[k] = at
		}
	}
	program, wrong := maker.Program()
	if len(wrong) > 0 {
		if _, placed := p.Config.CompileEach(combinations); len(placed) > 0 {
			wrong = placed // where in the file, which the numbers by themselves do not know
		}
		return nil, wrong.Err()
	}
	c.program = program
	return c, nil
}

// maxKey is how many parameters a number may depend on.
const maxKey = 6
