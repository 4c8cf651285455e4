package sweep

import (
	"context"
	"math"
	"sync"

	"backtester/backtest/expr"
	"backtester/backtest/parallel"
)

// A symbol's rows are cut into stretches, by their number alone, so that every processor can visit one and nothing that
// comes out depends on how many processors there are. Shares of the combinations would not do: each share needs nearly
// all columns, and keeping these in order is half of the work.

// stretch keeps the columns in the order of their values from row to row of [lo, hi). Two columns that change places
// are a crossing of that pair, so that a row costs as much as there are columns and crossings, not as there are pairs.
// Columns of equal value are looked at one by one.
//
// Whether a combination holds a position when a stretch begins is known only once the stretch before it is done. Up to
// the first row that ends a position, if there is one, it keeps in mind what would happen (see start); from there on the
// combination is flat whatever it was, and what it does is tallied with an equity of 1 in place of what it then has.
type stretch struct {
	table   // a copy: what a crossing reads is not far away
	lo, hi  int
	order   []int32 // columns by rising value
	tied    []int32
	tile    []float64
	now     []float64 // values of the row in hand
	tallies []tally
	starts  []start
	trades  [][]trade
}

// start is what a combination does until it is flat for certain: the row of the entry if it is flat when the stretch
// begins, and of the exit of whatever it holds by then; -1 for none.
type start struct{ enter, leave int32 }

// States of a tally besides flat (-1) and the row of an entry.
const (
	failed    = -2 // this path cannot finish the combination
	inherited = -3 // flat or not: the stretch before tells
)

// stretches is how many there are of n rows. Each costs as much as some 60 rows, most of it to put tallies together.
func stretches(n int) int {
	k := 1
	for n/(2*k) >= 1024 && (k < 8 || n/(2*k) >= 2048) && k < 64 {
		k *= 2
	}
	return k
}

// run visits all stretches, a crew at a time, and puts together what they came to in the order of the rows.
func (s *sorted) run(ctx context.Context, crew int) error {
	n := s.t.n - 1 // the last close decides nothing
	parts := stretches(n)
	if s.cut > 0 {
		parts = min(s.cut, max(n, 1))
	}
	var mu sync.Mutex
	done, next := make([]*stretch, parts), 0
	parallel.Each(crew, parts, func(k int) {
		mu.Lock()
		f := s.take()
		mu.Unlock()
		f.table, f.lo, f.hi = s.table, n*k/parts, n*(k+1)/parts
		f.begin()
		_ = f.visit(ctx) // an end of ctx is seen below
		mu.Lock()
		defer mu.Unlock()
		for done[k] = f; next < parts && done[next] != nil; next++ {
			s.put(done[next], next == 0)
			done[next] = nil
		}
	})
	return ctx.Err()
}

// take is a stretch that nobody uses.
func (s *sorted) take() *stretch {
	if n := len(s.spare); n > 0 {
		f := s.spare[n-1]
		s.spare = s.spare[:n-1]
		return f
	}
	return &stretch{}
}

// put adds what a stretch came to.
func (s *sorted) put(f *stretch, first bool) {
	s.spare = append(s.spare, f)
	if first {
		s.tallies, f.tallies = f.tallies, s.tallies
		s.trades, f.trades = f.trades, s.trades
		return
	}
	for m := range s.tallies {
		s.add(m, f)
	}
}

// add adds what combination m did in a stretch.
func (s *sorted) add(m int, f *stretch) {
	a, b, at := &s.tallies[m], &f.tallies[m], f.starts[m]
	if a.entered == -1 {
		a.entered = at.enter // -1 for none
	}
	if at.leave < 0 || a.entered == failed {
		return
	}
	if a.entered >= 0 && !s.end(a, m, at.leave, s.trades) {
		return
	}
	if s.keep {
		s.trades[m] = append(s.trades[m], f.trades[m]...)
	}
	a.then(b)
}

// end ends a position at the open of row x, unless a dividend fell into it.
func (s *table) end(a *tally, m int, x int32, trades [][]trade) bool {
	if s.t.paid(int(a.entered), int(x)) {
		a.entered = failed
		return false
	}
	if s.keep {
		trades[m] = append(trades[m], trade{entry: a.entered, exit: x, price: math.NaN()})
	}
	s.t.leave(a, int(x))
	return true
}

// begin makes ready for row lo: the columns in their order at the close before, and every combination with the sign
// that it has there.
func (s *stretch) begin() {
	k, n, i := len(s.columns), len(s.left), s.lo-1
	s.order, s.tied, s.tile = s.order[:0], s.tied[:0], grow(s.tile, tileRows*k)
	s.tallies, s.starts = grow(s.tallies, n), grow(s.starts, n)
	if s.keep {
		s.trades = grow(s.trades, n)
		for m := range s.trades {
			s.trades[m] = s.trades[m][:0]
		}
	}
	if s.lo == 0 {
		for m := range s.tallies {
			s.tallies[m] = s.t.begin()
		}
		return
	}
	s.now = s.tile[:k]
	ties := false
	for c, x := range s.columns {
		s.now[c] = x[i]
		if from := int(s.from[c]); from >= 0 && from <= i {
			ties = s.insert(int32(c)) || ties
		}
	}
	for m := range s.tallies {
		s.starts[m] = start{-1, -1}
		s.tallies[m] = tally{equity: 1, peak: 1, low: 1, dip: 1, entered: inherited, relate: s.relation(int32(m), i)}
	}
	if ties {
		s.equals(i)
	}
}

// visit visits the rows.
func (s *stretch) visit(ctx context.Context) error {
	k := len(s.columns)
	for from := s.lo; from < s.hi; from += tileRows {
		if err := ctx.Err(); err != nil {
			return err
		}
		to := min(from+tileRows, s.hi)
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
func (s *stretch) row(i int) {
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
	if i <= s.settled {
		ties = s.arrive(i) || ties
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

// arrive takes in the columns that have their first value at row i, and reports whether any has an equal.
func (s *stretch) arrive(i int) bool {
	ties := false
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
	return ties
}

// insert puts a column that has its first value into the order, and reports whether it has an equal.
func (s *stretch) insert(c int32) bool {
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
func (s *stretch) equals(i int) {
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

// crossed: column c fell below column d.
func (s *stretch) crossed(c, d, k, i int) {
	for m := s.pair[c*k+d]; m >= 0; m = s.twin[m] {
		s.turn(m, i, -1)
	}
	for m := s.pair[d*k+c]; m >= 0; m = s.twin[m] {
		s.turn(m, i, 1)
	}
}

// touch looks at a combination whose numbers may have changed places at close i.
func (s *stretch) touch(m int32, i int) {
	if is := s.relation(m, i); is != unknown {
		s.turn(m, i, is)
	}
}

// relation is what the left number of a combination is to the right one at close i, whose values are in hand: its sign.
func (s *stretch) relation(m int32, i int) int32 {
	l, r := s.left[m], s.right[m]
	if s.from[l] > int32(i) || s.from[r] > int32(i) || s.from[l] < 0 || s.from[r] < 0 {
		return unknown
	}
	switch x, y := s.now[l], s.now[r]; {
	case x > y:
		return 1
	case x < y:
		return -1
	}
	return 0
}

// turn takes in a sign that may be new.
func (s *stretch) turn(m int32, i int, is int32) {
	a := &s.tallies[m]
	was := a.relate
	if is == was {
		return
	}
	a.relate = is
	switch {
	case a.entered == -1:
		if s.enters(was, is) {
			a.entered = int32(i + 1)
		}
	case a.entered >= 0:
		if s.leaves(was, is) {
			s.end(a, int(m), int32(i+1), s.trades)
		}
	case a.entered == inherited:
		switch at := &s.starts[m]; {
		case s.leaves(was, is):
			at.leave, a.entered = int32(i+1), -1
		case at.enter < 0 && s.enters(was, is):
			at.enter = int32(i + 1)
		}
	}
}

func (s *table) enters(was, is int32) bool {
	switch s.enter {
	case expr.Above:
		return is > 0
	case expr.AtLeast:
		return is >= 0
	}
	return was <= 0 && is > 0
}

func (s *table) leaves(was, is int32) bool {
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
