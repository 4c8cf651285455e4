package backtest

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// parallel runs work(i) for i in [0, n) on all processors; setup is called once a worker.
func parallel(n int, setup func() func(int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	if workers <= 1 {
		work := setup()
		for i := range n {
			work(i)
		}
		return
	}
	var begun atomic.Int64
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			work := setup()
			for i := begun.Add(1); i <= int64(n); i = begun.Add(1) {
				work(int(i - 1))
			}
		})
	}
	all.Wait()
}
