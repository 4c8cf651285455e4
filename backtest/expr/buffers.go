package expr

// slots tells which of a step's slots are numbers and which are conditions.
func (s *step) slots() (numbersIn, condsIn, numbersOut, condsOut []slot) {
	switch {
	case s.op == opIf || s.op == opValueWhen:
		condsIn, numbersIn = s.in[:1], s.in[1:]
	case s.op >= opNot && s.op <= opIfBool || s.op == opIsAbsentBool || s.op == opShiftBool || s.op >= opCount && s.op <= opAny:
		condsIn = s.in
	default:
		numbersIn = s.in
	}
	if s.cond {
		return numbersIn, condsIn, nil, s.out
	}
	return numbersIn, condsIn, s.out, nil
}

// allocate gives every temporary column a buffer, reusing those whose last reader has passed. Pointwise
// steps may write onto an operand that dies with them; all others get buffers of their own.
func (p *plan) allocate() {
	lastNumber, lastCond := make([]int, len(p.numbers)), make([]int, len(p.conds))
	for i := range p.steps {
		ni, ci, no, co := p.steps[i].slots()
		for _, s := range append(append([]slot{}, ni...), no...) {
			if s != none {
				lastNumber[s] = i
			}
		}
		for _, s := range append(append([]slot{}, ci...), co...) {
			lastCond[s] = i
		}
	}
	numbers, conds := pool{places: p.numbers, last: lastNumber}, pool{places: p.conds, last: lastCond}
	for i := range p.steps {
		s := &p.steps[i]
		p.leaveOut(s, i, lastNumber)
		ni, ci, no, co := s.slots()
		over := s.op.pointwise() || s.op == opScale || s.op == opUnscale
		if over {
			numbers.free(ni, i)
			conds.free(ci, i)
		}
		numbers.take(no)
		conds.take(co)
		if !over {
			numbers.free(ni, i)
			conds.free(ci, i)
		}
		numbers.free(no, i) // outputs that nobody reads and that cost nothing extra
		conds.free(co, i)
	}
	p.tempNumbers, p.tempConds = numbers.count, conds.count
}

// leaveOut takes spare outputs of an indicator, step i, that nobody reads out of it.
func (p *plan) leaveOut(s *step, i int, last []int) {
	if s.op != opIndicator {
		return
	}
	for k, o := range s.out {
		if s.call.spec.Outputs[k].Spare && last[o] == i && p.numbers[o].store == temp {
			s.out[k] = none
		}
	}
}

// pool hands out buffers to places, in order.
type pool struct {
	places []place
	last   []int // the last step at which a slot is used
	idle   []int
	count  int
}

func (p *pool) take(slots []slot) {
	for _, s := range slots {
		if s == none || p.places[s].store != temp {
			continue
		}
		if n := len(p.idle); n > 0 {
			p.places[s].n, p.idle = p.idle[n-1], p.idle[:n-1]
			continue
		}
		p.places[s].n = p.count
		p.count++
	}
}

// free returns the buffers of slots that step i is the last to use.
func (p *pool) free(slots []slot, i int) {
	for k, s := range slots {
		if s == none || p.last[s] != i || p.places[s].store != temp {
			continue
		}
		twice := false
		for _, earlier := range slots[:k] {
			twice = twice || earlier == s
		}
		if !twice {
			p.idle = append(p.idle, p.places[s].n)
		}
	}
}
