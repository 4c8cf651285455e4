package stats_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"sync"
	"testing"

	"backtester/backtest/stats"
)

// A metric has the same bits whenever and in whatever order it is asked for.
func TestLaterEqualsCompute(t *testing.T) {
	in := tenYears()
	now, later := stats.Compute(in), stats.Later(in)
	keys := stats.Keys()
	slices.Reverse(keys)
	var wg sync.WaitGroup
	for _, half := range [][]string{keys, stats.Keys()} {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for _, k := range half {
				a, ok1 := now.Get(k)
				b, ok2 := later.Get(k)
				if a != b || ok1 != ok2 {
					t.Errorf("%s: %v %v later, %v %v at once", k, b, ok2, a, ok1)
				}
			}
		}()
	}
	wg.Wait()
	a, err1 := json.Marshal(now)
	b, err2 := json.Marshal(stats.Later(in))
	if err1 != nil || err2 != nil || !bytes.Equal(a, b) {
		t.Errorf("%v %v\n%s\n%s", err1, err2, a, b)
	}
}
