package sweep_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"backtester/backtest/bar"
	"backtester/backtest/sweep"
)

// What lives at once, whatever lies about beside it, is what was planned: bars, tables and rows of all symbols.
func TestWhatLivesIsPlanned(t *testing.T) {
	var all []*bar.Series
	for k := range 40 {
		all = append(all, walk(uint64(k), fmt.Sprintf("S%d", k), 600))
	}
	src, cfg := source(t, all...), parse(t, "params: {a: 2..101, b: 110..149}\nentry: sma(close, a) > sma(close, b)\nexit: sma(close, a) < sma(close, b)\n"+plain)
	o := sweep.Options{Independent: true, Memory: 88 << 20}
	var m runtime.MemStats
	live := func() int64 {
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before, most := live(), int64(0)
	o.Progress = func(sweep.Progress) { most = max(most, live()-before) }
	if _, err := sweep.Run(context.Background(), cfg, src, o); err != nil {
		t.Fatal(err)
	}
	if planned := (o.Memory - sweep.Program) / 3 * 2; most > planned {
		t.Errorf("%d bytes live at once, planned are %d", most, planned)
	}
}

// A sweep of symbols that share the cash needs room for the bars of all of them, and is told how much.
func TestSharedBarsAreCounted(t *testing.T) {
	var all []*bar.Series
	for k := range 40 {
		all = append(all, walk(uint64(k), fmt.Sprintf("S%d", k), 2500))
	}
	src, cfg := source(t, all...), parse(t, portfolio)
	_, err := sweep.NewPlan(context.Background(), cfg, src, sweep.Options{Memory: 80 << 20})
	if err == nil || !strings.Contains(err.Error(), "it needs at least about ") || !strings.HasSuffix(err.Error(), " MiB and may take 80: allow more, or give parameters fewer values") {
		t.Fatalf("%v", err)
	}
	var need int64
	if _, err := fmt.Sscanf(err.Error()[strings.Index(err.Error(), "about "):], "about %d MiB", &need); err != nil {
		t.Fatal(err)
	}
	if _, err := sweep.NewPlan(context.Background(), cfg, src, sweep.Options{Memory: need << 20}); err != nil {
		t.Errorf("with what it was told to need: %v", err)
	}
}
