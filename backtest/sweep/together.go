package sweep

import (
	"context"
	"slices"

	"backtester/backtest/expr"
	"backtester/backtest/parallel"
)

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
	parallel.Each(len(team), (n+some-1)/some, func(k int) {
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
	parallel.Each(len(team), len(team), func(k int) {
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
