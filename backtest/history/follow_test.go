package history_test

import (
	"slices"
	"strings"
	"testing"

	"backtester/backtest/history"
	"backtester/backtest/strategy"
	"backtester/backtest/sweep"
)

// Following a plan counts the keys that its runs would have, in parts and once, and keeps a sample of returns.
func TestFollowing(t *testing.T) {
	src := market(t)
	d := open(t, newClock())
	cfg, faults := strategy.Parse("x.yaml", []byte(strings.Replace(dip("x", "A, B", 5, "2018-06-01", "2020-06-30"), "n: 5", "n: 3..40", 1)))
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		elsewhere bool
		most      int
		asked     bool // for returns, by somebody else
	}{{false, 1 << 18, false}, {true, 1 << 18, false}, {true, 10, false}, {false, 10, true}, {true, 1 << 18, true}} {
		o := sweep.Options{}
		series := 0
		if c.asked {
			o.Returns = func(*sweep.Returns) error { series++; return nil }
		}
		plan, err := sweep.NewPlan(t.Context(), cfg, src, o)
		if err != nil {
			t.Fatal(err)
		}
		f := history.Follow(t.Context(), "me", plan, "identity", &o, c.elsewhere, func(list []*history.Batch) error {
			write(t, d, func(tx *history.Tx) error {
				for _, b := range list {
					if len(b.Returns) == 0 || len(b.Keys) > c.most || b.Owner != "me" {
						t.Errorf("%d series of %d trials of %q", len(b.Returns), len(b.Keys), b.Owner)
					}
					if err := tx.AddTrials(b); err != nil {
						return err
					}
				}
				return nil
			})
			return nil
		})
		f.Limit(c.most)
		if _, err := plan.Run(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		if err := f.Finish(t.Context()); err != nil {
			t.Fatal(err)
		}
		if want := plan.Len(); c.asked && series != want {
			t.Errorf("who asked got %d series, want %d", series, want)
		}
		symbols, first, last := f.About()
		r := result(t, src, dip("y", "A, B", 5, "2018-06-01", "2020-06-30"))
		days, _ := history.SessionReturns(r)
		if !slices.Equal(symbols, r.Data.Symbols) || first != days[0].String() || last != days[len(days)-1].String() {
			t.Errorf("it is about %v from %s to %s, want %v from %s to %s", symbols, first, last, r.Data.Symbols, days[0], days[len(days)-1])
		}
		if n, _ := trialsOf(t, d, "me", r, 0); n != int64(plan.Len()) {
			t.Errorf("%d trials, want the %d of the plan, the run among them", n, plan.Len())
		}
	}
}
