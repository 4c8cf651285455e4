package history_test

import (
	"fmt"
	"testing"
	"time"

	"backtester/backtest/history"
)

// Pages of 100,000 runs of 20 people.
func BenchmarkPage(b *testing.B) {
	c := newClock()
	d, err := history.Open(b.Context(), history.Options{Path: b.TempDir() + "/h.db", Now: c.now})
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	for k := range 20 {
		if err := d.Write(b.Context(), func(tx *history.Tx) error {
			for i := range 5000 {
				v := float64(i * 37 % 1009)
				r := queued(fmt.Sprint("user", i%20), fmt.Sprint("strategy", i%30), fmt.Sprint("S", i%500))
				r.State, r.Tags, r.Metrics = history.Succeeded, []string{fmt.Sprint("t", i%40)}, map[string]*float64{"sharpe": &v}
				c.at = c.at.Add(time.Second)
				if err := tx.Insert(r); err != nil {
					return fmt.Errorf("%d %d: %w", k, i, err)
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
	for name, f := range map[string]history.Filter{
		"newest": {Owner: "user3"}, "all": {}, "symbol": {Owner: "user3", Symbol: "S3"}, "tag": {Owner: "user3", Tag: "t3"},
		"strategy": {Owner: "user3", Strategy: "strategy3"}, "words": {Owner: "user3", Query: "strategy3 t3"}, "rare": {Owner: "user3", Query: "nothing"},
		"sharpe": {Owner: "user3", Sort: "-sharpe"}, "sharpe of all": {Sort: "-sharpe"},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := d.Read(b.Context(), func(tx *history.Tx) error { _, err := tx.Page(f); return err }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
