package sweep

import (
	"context"
	"errors"
	"math"
	"slices"

	"backtester/backtest"
	"backtester/backtest/expr"
	"backtester/backtest/parallel"
)

// table is what a piece of work on one symbol compares: columns, and for each pair of them the combinations that look at
// it.
type table struct {
	columns [][]float64
	from    []int32 // first row with a value, by column
	settled int     // the last of them
	pair    []int32 // combination that compares column a with column b, at a*len(columns)+b; -1 for none
	twin    []int32 // next combination that compares the same two; -1 for none
	of      [][]int32

	t            *lane
	left, right  []int32
	enter, leave expr.Relation
	keep         bool
}

// sorted plays a table: stretches of the rows are visited each by itself, see stretch, and what they came to is put
// together in order.
type sorted struct {
	table
	bound   expr.Bound
	tallies []tally // of the rows up to the last stretch that was put together
	trades  [][]trade
	spare   []*stretch
	cut     int // into so many stretches; 0 is what their rule says. For tests
}

const (
	unknown  = 2
	tileRows = 64
	// mostColumns bounds the table of pairs.
	mostColumns = 2048
	// mostPairs is how many combinations a piece has at the most: what is done is kept piece by piece.
	mostPairs = 1 << 16
)

// playSorted plays what is to do on one symbol, and leaves to do what it cannot.
func (w *worker) playSorted(ctx context.Context, symbol string, combinations [][]float64, out *block) error {
	p, s := w.plan, &w.sorted
	no := func(reason string) error {
		for _, k := range w.todo {
			out.path[k], out.reason[k] = Sparse, reason
		}
		return nil
	}
	c, err := w.common.compared(p, combinations)
	if err != nil {
		return err
	}
	if n := len(c.refs); n > mostColumns || 2*n > len(combinations) && len(combinations) > 1 {
		return no("there are hardly more pairs than numbers")
	}
	l, err := backtest.NewLane(ctx, p.config(symbol), c.program, 0, p.src)
	if err != nil {
		var none *backtest.NoLane
		if errors.As(err, &none) {
			return no(none.Reason)
		}
		return err
	}
	t, err := p.lane(ctx, l, w.crew)
	if err != nil {
		return err
	}
	switch {
	case t.factor != nil || l.Basis.Price != nil:
		return no("prices are restated for corporate actions")
	case t.volume != nil:
		return no("a volume cap looks at every fill")
	case t.gaps:
		return no("the symbol misses sessions")
	}
	l.Bind(c.program, &s.bound, w.arenas()...)
	s.t, s.enter, s.leave = t, p.pairs.enter, p.pairs.leave
	s.keep = w.returns || w.watch != nil
	s.lay(c, w.crew)
	if err := s.run(ctx, w.crew); err != nil {
		return err
	}
	const some = 64
	parallel.Each(w.crew, (len(combinations)+some-1)/some, func(block int) {
		for k := block * some; k < min((block+1)*some, len(combinations)); k++ {
			w.settleSorted(k, out)
		}
	})
	w.todo = w.todo[:0]
	for k := range combinations {
		if out.path[k] != Sorted {
			w.todo = append(w.todo, k)
		}
	}
	return nil
}

// settleSorted writes what combination k came to, or which path has to play it.
func (w *worker) settleSorted(k int, out *block) {
	s := &w.sorted
	a := &s.tallies[k]
	switch {
	case s.from[s.left[k]] < 0 || s.from[s.right[k]] < 0:
		out.path[k], out.reason[k] = Sparse, "a number is absent now and then"
		return
	case a.entered == failed || a.entered >= 0 && s.t.paid(int(a.entered), s.t.n-1):
		out.path[k], out.reason[k] = Fused, "a dividend falls into a position"
		return
	}
	if s.keep && a.entered >= 0 {
		s.trades[k] = append(s.trades[k], trade{entry: a.entered, exit: int32(s.t.n), price: math.NaN()})
	}
	s.t.finish(a, out.row(k))
	out.path[k] = Sorted
	if w.returns {
		s.t.spread(s.trades[k], out.place(s.t.axis, k, len(out.path)))
	}
	if w.watch != nil {
		w.watch(k, s.t, s.trades[k])
	}
}

// lay prepares the tables.
func (s *sorted) lay(c *columns, crew int) {
	n := len(c.left)
	s.left, s.right = grow(s.left, n), grow(s.right, n)
	// What is written in two ways and means the same has one column: they would always tie.
	same, first := make([]int32, len(c.refs)), map[*float64]int32{}
	s.columns = s.columns[:0]
	for i, r := range c.refs {
		x := s.bound.Column(r)
		at, known := first[&x[0]]
		if !known {
			at = int32(len(s.columns))
			first[&x[0]] = at
			s.columns = append(s.columns, x)
		}
		same[i] = at
	}
	for i := range n {
		s.left[i], s.right[i] = same[c.left[i]], same[c.right[i]]
	}
	k := len(s.columns)
	s.from = grow(s.from, k)
	parallel.Each(crew, k, func(i int) { s.from[i] = present(s.columns[i]) })
	s.settled = int(slices.Max(s.from))
	s.pair, s.twin = grow(s.pair, k*k), grow(s.twin, n)
	for i := range s.pair {
		s.pair[i] = -1
	}
	s.of = grow(s.of, k)
	for i := range s.of {
		s.of[i] = s.of[i][:0]
	}
	for i := range n {
		a, b := int(s.left[i]), int(s.right[i])
		s.twin[i], s.pair[a*k+b] = s.pair[a*k+b], int32(i)
		s.of[a] = append(s.of[a], int32(i))
		if a != b {
			s.of[b] = append(s.of[b], int32(i))
		}
	}
}

// present is the first row with a value; -1 when there are absent ones after it.
func present(x []float64) int32 {
	k := 0
	for k < len(x) && x[k] != x[k] {
		k++
	}
	sum := 0.0
	for _, v := range x[k:] {
		sum += v * 0 // NaN if any is
	}
	if sum != 0 {
		return -1
	}
	return int32(k)
}
