package sweep

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"backtester/backtest/expr"
)

// Several processors on the combinations of one symbol. Shares of the combinations would all need nearly all columns,
// and keeping these in order is half of the work; so rows are shared for that, and combinations for what comes of
// it. What a combination sees is the same, in the same order, whoever found it.

// note is one turn that was found: what the left number of a combination is to the right one at a close. From the top:
// 16 bits for the combination, of which a piece has no more; 14 for the row within the part in hand; 2 for the sign.
type note uint32

func newNote(m int32, at int, is int32) note {
	return note(uint32(m)<<16 | uint32(at)<<2 | uint32(is+1))
}

func (x note) combination() int32 { return int32(x >> 16) }
func (x note) row() int           { return int(x >> 2 & (1<<14 - 1)) }
func (x note) sign() int32        { return int32(x&3) - 1 }

// chunkRows is how many rows one processor looks at, at the most, before what was found is made use of. Every time all
// of them wait for each other, which takes longer than the notes of so many rows take to be read from memory again. There
// are two sets of notes: one that is made, and one that is used.
const chunkRows = 1024

// leastRows is how many rows are worth sharing out.
const leastRows = 1024

// tell takes a turn, or notes it down.
func (s *sorted) tell(m int32, i int, is int32) {
	switch {
	case s.notes == nil:
		s.turn(m, i, is)
	case !s.mute:
		s.jot(m, i, is)
	}
}

// jot notes a turn down.
func (s *sorted) jot(m int32, i int, is int32) {
	to := &s.notes[int(m)>>4&(len(s.notes)-1)] // neighbours in memory belong to one processor
	*to = append(*to, newNote(m, i-s.lo, is))
}

// portions is how many pieces each processor's share of rows and combinations has, so that whoever is done early takes
// one of another's.
const portions = 4

// runTogether is run on several processors: while turns are looked for in some rows, those of the rows before are
// taken, so that nobody waits for the others but once for both.
func (s *sorted) runTogether(ctx context.Context, crew int) error {
	shares := 1
	for shares < crew*portions {
		shares *= 2
	}
	n, parts := s.t.n-1, crew*portions // the last close decides nothing
	rounds := (n + crew*chunkRows - 1) / (crew * chunkRows)
	size := (n + rounds*parts - 1) / (rounds * parts)
	s.finders = grow(s.finders, 2*parts)
	for k := range s.finders {
		s.finders[k].lend(s, shares)
	}
	found, now := s.finders[:0], s.finders[:parts] // nothing is found yet
	next := s.finders[parts:]
	for from := 0; from < n+size*parts; from += size * parts {
		together(crew, shares+parts, func(k int) {
			if k >= shares {
				lo := from + (k-shares)*size
				now[k-shares].find(ctx, min(lo, n), min(lo+size, n))
				return
			}
			for f := range found {
				for _, x := range found[f].notes[k] {
					s.turn(x.combination(), found[f].lo+x.row(), x.sign())
				}
			}
		})
		if err := ctx.Err(); err != nil {
			return err
		}
		found, now, next = now, next, now
	}
	return nil
}

// together calls f with 0 to n-1 on a crew of goroutines, each of which takes the next number when it is done with one.
func together(crew, n int, f func(k int)) {
	crew = min(crew, n)
	if crew <= 1 {
		for k := range n {
			f(k)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range crew {
		wg.Go(func() {
			for k := int(next.Add(1)) - 1; k < n; k = int(next.Add(1)) - 1 {
				f(k)
			}
		})
	}
	wg.Wait()
}

// lend makes f a finder of what s looks at, with notes for shares of the combinations, and with memory of its own.
func (f *sorted) lend(s *sorted, shares int) {
	order, tied, tile, notes := f.order, f.tied, f.tile, f.notes
	*f = *s
	f.order, f.tied, f.tile, f.notes, f.finders = order, tied, grow(tile, len(s.tile)), grow(notes, shares), nil
}

// find notes down the turns of rows [lo, hi). An end of ctx is seen by whoever waits.
func (s *sorted) find(ctx context.Context, lo, hi int) {
	for i := range s.notes {
		s.notes[i] = s.notes[i][:0]
	}
	if s.lo = lo; lo == hi {
		return
	}
	s.order, s.tied = s.order[:0], s.tied[:0]
	if lo > 0 {
		s.begin(lo - 1)
	}
	_ = s.visit(ctx, lo, hi)
}

// begin brings the columns into the order that they have at close i, and looks for equals there; whoever looks at
// row i tells what it means.
func (s *sorted) begin(i int) {
	k := len(s.columns)
	s.now = s.tile[:k]
	for c, x := range s.columns {
		s.now[c] = x[i]
	}
	s.mute = true
	ties := false
	for c, from := range s.from {
		if from >= 0 && int(from) <= i {
			ties = s.insert(int32(c)) || ties
		}
	}
	if ties {
		s.equals(i)
	}
	s.mute = false
}

// leastShared is how many combinations are worth sharing out.
const leastShared = 16

// team is the worker and the hands that help it.
func (w *worker) team() []*worker {
	more := max(w.crew, 1) - 1
	for len(w.hands) < more {
		w.hands = append(w.hands, &worker{plan: w.plan, returns: w.returns, crew: 1})
	}
	return append([]*worker{w}, w.hands[:more]...)
}

// arenas are those of the team.
func (w *worker) arenas() []*expr.Arena {
	var out []*expr.Arena
	for _, hand := range w.team() {
		out = append(out, &hand.arena)
	}
	return out
}

// share has the team play n combinations, each of them as it gets to it, and gathers what they left to do.
func (w *worker) share(ctx context.Context, n int, play func(hand *worker, i int)) error {
	const some = 8 // at a time
	team := w.team()
	if w.watch != nil || n < leastShared {
		team = team[:1]
	}
	for _, hand := range team[1:] {
		hand.left = hand.left[:0]
	}
	idle := make(chan *worker, len(team))
	for _, hand := range team {
		idle <- hand
	}
	together(len(team), (n+some-1)/some, func(k int) {
		hand := <-idle
		for i := k * some; i < min((k+1)*some, n) && ctx.Err() == nil; i++ {
			play(hand, i)
		}
		idle <- hand
	})
	for _, hand := range team[1:] {
		w.left = append(w.left, hand.left...)
	}
	slices.Sort(w.left)
	return ctx.Err()
}

// shareOut plays what is left to do in the event engine, shared out among the team: what falls out of the faster paths
// may be everything.
func (w *worker) shareOut(ctx context.Context, symbol string, combinations [][]float64, out *block) error {
	if w.crew <= 1 || w.watch != nil || len(w.todo) < leastShared {
		return w.playEvent(ctx, symbol, combinations, out)
	}
	team, todo := w.team(), w.todo
	faults := make([]error, len(team))
	together(len(team), len(team), func(k int) {
		n, hand := len(todo), team[k]
		hand.todo = slices.Clone(todo[n*k/len(team) : n*(k+1)/len(team)])
		faults[k] = hand.playEvent(ctx, symbol, combinations, out)
	})
	for _, err := range faults {
		if err != nil {
			return err
		}
	}
	return nil
}
