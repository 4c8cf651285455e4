package expr

import (
	"encoding/binary"

	"backtester/backtest/indicator"
)

// dims says how a number changes when share counts do: with its own instrument's, and with those of
// every other instrument whose prices went into it (close / sym("SPY").close follows two). Comparable;
// the zero value is a plain number.
type dims struct {
	Unit
	far farID
}

// farID is an index into graph.fars: the powers of other instruments. 0 is none.
type farID int32

// farPower is the power with which a number follows one other instrument.
type farPower struct {
	other int // index into graph.others
	Unit
}

func own(u Unit) dims { return dims{Unit: u} }

// otherIndex is the number of another instrument.
func (g *graph) otherIndex(symbol string) int {
	for i, s := range g.others {
		if s == symbol {
			return i
		}
	}
	g.others = append(g.others, symbol)
	return len(g.others) - 1
}

// farOf is the one id of a list of powers, sorted by instrument and without zeros.
func (g *graph) farOf(ps []farPower) farID {
	if len(ps) == 0 {
		return 0
	}
	key := make([]byte, 0, 8*len(ps))
	for _, p := range ps {
		key = binary.LittleEndian.AppendUint32(key, uint32(p.other))
		key = append(key, byte(p.Price), byte(p.Share))
	}
	if id, ok := g.farIndex[string(key)]; ok {
		return id
	}
	if len(g.fars) == 0 {
		g.fars = make([][]farPower, 1, 4)
	}
	g.fars = append(g.fars, ps)
	id := farID(len(g.fars) - 1)
	g.farIndex[string(key)] = id
	return id
}

// powers of other instruments in d.
func (g *graph) powers(d dims) []farPower {
	if d.far == 0 {
		return nil
	}
	return g.fars[d.far]
}

// times is a x b^s for s = 1 or -1; not ok when powers grow beyond their bounds.
func (g *graph) times(a, b dims, s int) (dims, bool) {
	u, ok := bounded(int(a.Price)+s*int(b.Price), int(a.Share)+s*int(b.Share))
	d := dims{Unit: u, far: a.far}
	if !ok {
		return dims{}, false
	}
	if b.far == 0 {
		return d, true
	}
	var out []farPower
	for k := range g.others {
		x, y := powerOf(g.powers(a), k), powerOf(g.powers(b), k)
		u, fine := bounded(int(x.Price)+s*int(y.Price), int(x.Share)+s*int(y.Share))
		ok = ok && fine
		if u != (Unit{}) {
			out = append(out, farPower{k, u})
		}
	}
	if !ok {
		return dims{}, false
	}
	d.far = g.farOf(out)
	return d, true
}

func powerOf(ps []farPower, other int) Unit {
	for _, p := range ps {
		if p.other == other {
			return p.Unit
		}
	}
	return Unit{}
}

// root is the square root of d; not ok when a power is odd.
func (g *graph) root(d dims) (dims, bool) {
	if d.Price%2 != 0 || d.Share%2 != 0 {
		return dims{}, false
	}
	var out []farPower
	for _, p := range g.powers(d) {
		if p.Price%2 != 0 || p.Share%2 != 0 {
			return dims{}, false
		}
		out = append(out, farPower{p.other, Unit{p.Price / 2, p.Share / 2}})
	}
	return dims{Unit{d.Price / 2, d.Share / 2}, g.farOf(out)}, true
}

// ofIndicator is the dims of an indicator's output, from those of its series arguments.
func (g *graph) ofIndicator(u indicator.Unit, args []dims) dims {
	units := func(of func(dims) Unit) []indicator.Unit {
		out := make([]indicator.Unit, len(args))
		for i, a := range args {
			x := of(a)
			out[i] = indicator.Unit{Price: x.Price, Share: x.Share}
		}
		return out
	}
	o := u.Of(units(func(d dims) Unit { return d.Unit })...)
	unit, _ := bounded(int(o.Price), int(o.Share))
	d := own(unit)
	// The columns that it takes by itself are its own instrument's.
	apart := indicator.Unit{Args: u.Args}
	var out []farPower
	for k := range g.others {
		o := apart.Of(units(func(d dims) Unit { return powerOf(g.powers(d), k) })...)
		if x, _ := bounded(int(o.Price), int(o.Share)); x != (Unit{}) {
			out = append(out, farPower{k, x})
		}
	}
	d.far = g.farOf(out)
	return d
}
