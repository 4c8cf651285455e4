package parallel_test

import (
	"sync/atomic"
	"testing"

	"backtester/backtest/parallel"
)

func TestEveryPieceIsDoneOnce(t *testing.T) {
	for _, c := range []struct{ size, n int }{{0, 3}, {1, 3}, {2, 0}, {2, 1}, {3, 1000}, {8, 5}} {
		done := make([]atomic.Int64, c.n)
		var made atomic.Int64
		parallel.With(c.size, c.n, func() func(int) {
			made.Add(1)
			return func(k int) { done[k].Add(1) }
		})
		parallel.Each(c.size, c.n, func(k int) { done[k].Add(1) })
		for k := range done {
			if got := done[k].Load(); got != 2 {
				t.Errorf("size %d: piece %d of %d was done %d times by two calls", c.size, k, c.n, got)
			}
		}
		if want := int64(max(1, min(c.size, c.n))); made.Load() != want {
			t.Errorf("size %d: %d pieces were shared out by %d, want %d", c.size, c.n, made.Load(), want)
		}
	}
}
