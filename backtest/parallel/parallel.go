// Package parallel shares numbered pieces of work out among goroutines. In come how many may work, how many pieces there
// are and what does one; when a call returns, each piece was done once. It knows no errors and no order: pieces write
// to places of their own, and who may stop early looks at a context in the piece.
package parallel

import (
	"sync"
	"sync/atomic"
)

// Each calls work(k) once for every k in [0, n) on at most size goroutines, each of which takes the next number when it
// is done with one. With a size of 1 or less all is done by the caller, in order.
func Each(size, n int, work func(k int)) { With(size, n, func() func(int) { return work }) }

// With is Each for work that needs something of its own: setup is called once by each goroutine, and what it returns
// does the pieces that this one takes.
func With(size, n int, setup func() func(k int)) {
	size = min(size, n)
	if size <= 1 {
		work := setup()
		for k := range n {
			work(k)
		}
		return
	}
	var next atomic.Int64
	var all sync.WaitGroup
	for range size {
		all.Go(func() {
			work := setup()
			for k := int(next.Add(1)) - 1; k < n; k = int(next.Add(1)) - 1 {
				work(k)
			}
		})
	}
	all.Wait()
}
