package sweep

import (
	"context"
	"errors"
	"math"

	"backtester/backtest"
	"backtester/backtest/expr"
)

// sorted keeps the columns of a piece of work in the order of their values from row to row. Two columns that
// change places are a crossing of that pair, so that a row costs as much as there are columns and crossings,
// not as there are pairs. Columns of equal value are looked at one by one.
type sorted struct {
	columns [][]float64
	from    []int32 // first row with a value, by column
	order   []int32 // columns by rising value
	pair    []int32 // combination that compares column a with column b, at a*len(columns)+b; -1 for none
	twin    []int32 // next combination that compares the same two; -1 for none
	of      [][]int32
	tallies []tally
	tile    []float64
	tied    []int32
	trades  [][]trade
	bound   expr.Bound

	t            *lane
	left, right  []int32
	enter, leave expr.Relation
	now          []float64 // values of the row in hand
	keep         bool
	notes        []([]note) // of a part of the rows, by share of the combinations; nil: turns are taken at once
	mute         bool       // what is found was found before
	lo           int        // first of these rows
	finders      []sorted
}

const (
	unknown  = 2
	tileRows = 64
	// mostColumns bounds the table of pairs.
	mostColumns = 2048
	// mostPairs is how many combinations a piece has at the most: their numbers have a place of so many in a note.
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
	run := s.run
	if w.crew > 1 && t.n > leastRows {
		run = func(ctx context.Context) error { return s.runTogether(ctx, w.crew) }
	}
	if err := run(ctx); err != nil {
		return err
	}
	const some = 64
	together(w.crew, (len(combinations)+some-1)/some, func(block int) {
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

// failed marks a combination that this path cannot finish.
const failed = -2

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
	together(crew, k, func(i int) { s.from[i] = present(s.columns[i]) })
	s.pair, s.twin, s.tallies = grow(s.pair, k*k), grow(s.twin, n), grow(s.tallies, n)
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
		s.tallies[i] = s.t.begin()
	}
	s.order, s.tied = s.order[:0], s.tied[:0]
	s.tile = grow(s.tile, tileRows*k)
	if s.keep {
		s.trades = grow(s.trades, n)
		for i := range s.trades {
			s.trades[i] = s.trades[i][:0]
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

// run visits the rows.
func (s *sorted) run(ctx context.Context) error { return s.visit(ctx, 0, s.t.n-1) } // the last close decides nothing

// visit visits rows [lo, hi).
func (s *sorted) visit(ctx context.Context, lo, hi int) error {
	k := len(s.columns)
	for from := lo; from < hi; from += tileRows {
		if err := ctx.Err(); err != nil {
			return err
		}
		to := min(from+tileRows, hi)
		for c, x := range s.columns {
			for i, v := range x[from:to] {
				s.tile[i*k+c] = v
			}
		}
		for i := from; i < to; i++ {
			s.now = s.tile[(i-from)*k : (i-from+1)*k]
			s.row(i)
		}
	}
	return nil
}

// row brings the columns into order at one close.
func (s *sorted) row(i int) {
	k, now, order := len(s.columns), s.now, s.order
	ties := false
	if len(order) > 0 {
		before := now[order[0]]
		for p := 1; p < len(order); p++ {
			c := order[p]
			x := now[c]
			if x > before {
				before = x
				continue
			}
			q := p
			for q > 0 {
				d := order[q-1]
				if !(now[d] > x) {
					ties = ties || now[d] == x
					break
				}
				s.crossed(int(c), int(d), k, i)
				order[q] = d
				q--
			}
			order[q] = c
			before = now[order[p]]
		}
	}
	s.order = order
	for c, from := range s.from {
		if int(from) == i {
			ties = s.insert(int32(c)) || ties
		}
	}
	for c, from := range s.from {
		if int(from) == i {
			for _, m := range s.of[c] {
				s.touch(m, i)
			}
		}
	}
	if len(s.tied) > 0 { // of the row before
		for _, m := range s.tied {
			s.touch(m, i)
		}
		s.tied = s.tied[:0]
	}
	if ties {
		s.equals(i)
	}
}

// insert puts a column that has its first value into the order, and reports whether it has an equal.
func (s *sorted) insert(c int32) bool {
	x := s.now[c]
	at := len(s.order)
	s.order = append(s.order, c)
	for at > 0 && s.now[s.order[at-1]] > x {
		s.order[at] = s.order[at-1]
		at--
	}
	s.order[at] = c
	return at > 0 && s.now[s.order[at-1]] == x
}

// equals visits all pairs of columns of one value.
func (s *sorted) equals(i int) {
	k := len(s.columns)
	for from := 0; from < len(s.order); {
		to := from + 1
		for to < len(s.order) && s.now[s.order[to]] == s.now[s.order[from]] {
			to++
		}
		for a := from; a < to; a++ {
			for b := from; b < to; b++ {
				for m := s.pair[int(s.order[a])*k+int(s.order[b])]; m >= 0; m = s.twin[m] {
					s.touch(m, i)
					s.tied = append(s.tied, m)
				}
			}
		}
		from = to
	}
}

// crossed: column c fell below column d. Most of what a sweep finds is found here, so it is noted down without a call.
func (s *sorted) crossed(c, d, k, i int) {
	if s.notes != nil {
		for m := s.pair[c*k+d]; m >= 0; m = s.twin[m] {
			s.jot(m, i, -1)
		}
		for m := s.pair[d*k+c]; m >= 0; m = s.twin[m] {
			s.jot(m, i, 1)
		}
		return
	}
	for m := s.pair[c*k+d]; m >= 0; m = s.twin[m] {
		s.turn(m, i, -1)
	}
	for m := s.pair[d*k+c]; m >= 0; m = s.twin[m] {
		s.turn(m, i, 1)
	}
}

// touch looks at a combination whose numbers may have changed places at close i.
func (s *sorted) touch(m int32, i int) {
	if s.from[s.left[m]] > int32(i) || s.from[s.right[m]] > int32(i) || s.from[s.left[m]] < 0 || s.from[s.right[m]] < 0 {
		return
	}
	x, y := s.now[s.left[m]], s.now[s.right[m]]
	is := int32(0)
	if x > y {
		is = 1
	} else if x < y {
		is = -1
	}
	s.tell(m, i, is)
}

// turn notes what the left number of a combination is to the right one at close i: its sign.
func (s *sorted) turn(m int32, i int, is int32) {
	a := &s.tallies[m]
	was := a.relate
	if is == was {
		return
	}
	a.relate = is
	if a.entered == -1 {
		if s.enters(was, is) {
			a.entered = int32(i + 1)
		}
		return
	}
	if a.entered < 0 || !s.leaves(was, is) {
		return
	}
	if s.t.paid(int(a.entered), i+1) {
		a.entered = failed
		return
	}
	if s.keep {
		s.trades[m] = append(s.trades[m], trade{entry: a.entered, exit: int32(i + 1), price: math.NaN()})
	}
	s.t.leave(a, i+1)
}

func (s *sorted) enters(was, is int32) bool {
	switch s.enter {
	case expr.Above:
		return is > 0
	case expr.AtLeast:
		return is >= 0
	}
	return was <= 0 && is > 0
}

func (s *sorted) leaves(was, is int32) bool {
	switch s.leave {
	case expr.Below:
		return is < 0
	case expr.AtMost:
		return is <= 0
	case expr.CrossesBelow:
		return was != unknown && was >= 0 && is < 0
	}
	return false
}
