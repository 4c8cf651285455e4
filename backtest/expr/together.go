package expr

import "sync"

// BindTogether is BindInto on as many goroutines as there are arenas, with the same bits in every column: each evaluates
// a share of neighbouring expressions. What expressions of two shares have in common is computed in both, and shares are
// laid out anew in each call, so it is for long series and many expressions that differ.
func (p *Program) BindTogether(dst *Bound, in Binding, arenas []*Arena) {
	of := len(arenas)
	if of == 1 {
		p.BindInto(dst, in, arenas[0])
		return
	}
	restate := in.restates()
	if restate {
		in = in.whole()
	}
	for len(dst.shares) < of {
		dst.shares = append(dst.shares, &Bound{})
	}
	var wg sync.WaitGroup
	for k, a := range arenas {
		wg.Go(func() { p.evaluate(p.layout(restate, k, of), dst.shares[k], in, a) })
	}
	wg.Wait()
	dst.gather(dst.shares[:of])
}

// gather takes the columns of shares together.
func (b *Bound) gather(shares []*Bound) {
	first := shares[0]
	b.program, b.plan, b.bars = first.program, first.plan, first.bars
	b.number, b.cond = append(b.number[:0], first.number...), append(b.cond[:0], first.cond...)
	b.args = append(b.args[:0], first.args...)
	b.leaf, b.leafBit = append(b.leaf[:0], first.leaf...), append(b.leafBit[:0], first.leafBit...)
	for _, share := range shares[1:] {
		for i, s := range share.plan.roots {
			if s != none {
				b.number[i], b.cond[i] = share.number[i], share.cond[i]
			}
		}
	}
}
