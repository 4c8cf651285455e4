package sweep

import (
	"context"
	"sync"
)

// Several processors on the combinations of one symbol. Shares of the combinations would all need nearly all columns,
// and keeping these in order is half of the work; so rows are shared for that, and combinations for what comes of
// it. What a combination sees is the same, in the same order, whoever found it.

// note is one turn that was found: what the left number of a combination is to the right one at a close.
type note struct {
	m  int32
	at uint16 // of the part of the rows
	is int8
}

// chunkRows is how many rows one processor looks at before what was found is made use of: the notes of so many stay
// in the cache.
const chunkRows = 512

// tell takes a turn, or notes it down.
func (s *sorted) tell(m int32, i int, is int32) {
	switch {
	case s.notes == nil:
		s.turn(m, i, is)
	case !s.mute:
		share := int(m) >> 4 & (len(s.notes) - 1) // neighbours in memory belong to one processor
		s.notes[share] = append(s.notes[share], note{m, uint16(i % chunkRows), int8(is)})
	}
}

// runTogether is run on several processors.
func (s *sorted) runTogether(ctx context.Context, crew int) error {
	shares := 1
	for shares < crew {
		shares *= 2
	}
	finders := make([]sorted, crew)
	for k := range finders {
		f := &finders[k]
		*f = *s
		f.order, f.tied, f.tile, f.notes = nil, nil, make([]float64, len(s.tile)), make([][]note, shares)
	}
	n := s.t.n - 1 // the last close decides nothing
	for from := 0; from < n; from += crew * chunkRows {
		var wg sync.WaitGroup
		for k := range finders {
			if lo := from + k*chunkRows; lo < n {
				wg.Go(func() { finders[k].find(ctx, lo, min(lo+chunkRows, n)) })
			}
		}
		wg.Wait()
		if err := ctx.Err(); err != nil {
			return err
		}
		for worker := range crew {
			wg.Go(func() {
				for share := worker; share < shares; share += crew {
					for k := range finders {
						lo := from + k*chunkRows
						if lo >= n {
							break
						}
						for _, x := range finders[k].notes[share] {
							s.turn(x.m, lo+int(x.at), int32(x.is))
						}
					}
				}
			})
		}
		wg.Wait()
	}
	return nil
}

// find notes down the turns of rows [lo, hi). An end of ctx is seen by whoever waits.
func (s *sorted) find(ctx context.Context, lo, hi int) {
	for i := range s.notes {
		s.notes[i] = s.notes[i][:0]
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

// shareOut plays what the sorted path left to do on several processors: what falls out of it may be everything.
func (w *worker) shareOut(ctx context.Context, symbol string, combinations [][]float64, out *block) error {
	for len(w.hands) < w.crew {
		w.hands = append(w.hands, &worker{plan: w.plan, returns: w.returns})
	}
	faults := make([]error, w.crew)
	var wg sync.WaitGroup
	for k, hand := range w.hands {
		n := len(w.todo)
		hand.todo = append(hand.todo[:0], w.todo[n*k/w.crew:n*(k+1)/w.crew]...)
		wg.Go(func() { faults[k] = hand.playRest(ctx, symbol, combinations, out) })
	}
	wg.Wait()
	for _, err := range faults {
		if err != nil {
			return err
		}
	}
	return nil
}
