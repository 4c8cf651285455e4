package expr

import "math"

// rule is an expression with position variables: a list of cells, each computed from earlier ones, all
// on one bar. What it takes from the bars comes as columns, the leaves.
type rule struct{ cells []cell }

// cell is one operation of a rule.
type cell struct {
	op      op
	a, b, c int16   // cells
	n       int     // opColumn: leaf; opPosition, opFrozen: index
	num     float64 // opConst
	unit    Unit    // opColumn: how the leaf is restated
	cond    bool    // opColumn: the leaf is a condition
}

// ruleMaker lays out rules and collects their leaves.
type ruleMaker struct {
	g      *graph
	leaves []termID
	leaf   map[termID]int
}

func (m *ruleMaker) rule(id termID) rule {
	r := rule{}
	m.cell(id, &r, map[termID]int16{})
	return r
}

// cell is the index of id's cell in r.
func (m *ruleMaker) cell(id termID, r *rule, done map[termID]int16) int16 {
	if k, ok := done[id]; ok {
		return k
	}
	t := m.g.at(id)
	c := cell{op: t.op, n: t.n, num: t.num}
	switch {
	case t.op == opConst, t.op == opPosition, t.op == opFrozen:
	case t.static:
		k, ok := m.leaf[id]
		if !ok {
			k = len(m.leaves)
			m.leaves = append(m.leaves, id)
			m.leaf[id] = k
		}
		c = cell{op: opColumn, n: k, unit: t.unit.Unit, cond: t.kind == Bool}
	default:
		var in [3]int16
		for i, a := range t.args {
			in[i] = m.cell(a, r, done)
		}
		c.a, c.b, c.c = in[0], in[1], in[2]
	}
	r.cells = append(r.cells, c)
	k := int16(min(len(r.cells)-1, math.MaxInt16))
	done[id] = k
	return k
}

// eval is the rule's value at bar i. Rules are short: most fit the small frame, which costs less to
// clear.
func (r *rule) eval(b *Bound, i int, split float64, v *PositionValues) float64 {
	if len(r.cells) <= 16 {
		var frame [16]float64
		return r.evalIn(frame[:], b, bar1{i, split}, v)
	}
	var frame [maxOps]float64
	return r.evalIn(frame[:], b, bar1{i, split}, v)
}

// bar1 says which bar a rule sees, and the splits since.
type bar1 struct {
	i     int
	split float64
}

func (r *rule) evalIn(frame []float64, b *Bound, at bar1, v *PositionValues) float64 {
	for k := range r.cells {
		c := &r.cells[k]
		var x float64
		switch c.op {
		case opConst:
			x = c.num
		case opPosition:
			x = v.Var[c.n]
		case opFrozen:
			x = v.Frozen[c.n]
		case opColumn:
			switch {
			case c.cond:
				x = b.leafBit[c.n].at(at.i)
			case at.split != 1:
				x = restate(b.leaf[c.n][at.i], at.split, c.unit)
			default:
				x = b.leaf[c.n][at.i]
			}
		case opAdd:
			x = frame[c.a] + frame[c.b]
		case opSub:
			x = frame[c.a] - frame[c.b]
		case opMul:
			x = frame[c.a] * frame[c.b]
		default:
			x = scalar(c.op, frame[c.a], frame[c.b], frame[c.c])
		}
		frame[k] = x
	}
	return frame[len(r.cells)-1]
}
