package job_test

import (
	"encoding/json"
	"testing"

	"backtester/backtest/history"
	"backtester/backtest/job"
)

// Ranges that follow each other become one with the counts of all and the best of all, ties in the order of
// the plan; a gap ends the chain, whatever lies behind it.
func TestRangesOfASweepBecomeOne(t *testing.T) {
	part := func(id string, from, to int, values ...float64) *history.Run {
		s := &job.Sweep{Total: 10, From: from, To: to, Combinations: to - from, Rows: to - from, Paths: []job.Taken{{Path: "event", Rows: to - from}}}
		for i, v := range values {
			s.Best = append(s.Best, job.Best{Index: from + i, Value: &v})
		}
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		return &history.Run{ID: id, Summary: b}
	}
	rows := []*history.Run{part("whole", 0, 10, 9), part("c", 6, 10, 5), part("b", 3, 6, 7, 1), part("a", 0, 3, 7, 5), part("short", 0, 2, 8)}
	s, within, reached, err := job.Chain(rows[1:], 0, 10)
	if err != nil || reached != 10 || len(within) != 4 {
		t.Fatalf("%d rows lead to %d: %v", len(within), reached, err)
	}
	order := []int{}
	for _, b := range s.Best {
		order = append(order, b.Index)
	}
	if s.From != 0 || s.To != 10 || s.Combinations != 10 || s.Rows != 10 || len(s.Paths) != 1 || s.Paths[0].Rows != 10 ||
		len(order) != 5 || order[0] != 0 || order[1] != 3 || order[2] != 1 || order[3] != 6 || order[4] != 4 {
		t.Errorf("%+v, best %v", s, order)
	}
	if s, within, reached, err := job.Chain(rows, 0, 6); err != nil || reached != 6 || s.Rows != 6 || len(within) != 3 {
		t.Errorf("up to 6: %+v, %d rows, to %d: %v", s, len(within), reached, err)
	}
	if _, _, reached, err := job.Chain([]*history.Run{rows[1], rows[3]}, 0, 10); err != nil || reached != 3 {
		t.Errorf("over a gap it came to %d: %v", reached, err)
	}
	if _, _, _, err := job.Chain([]*history.Run{{ID: "x", Summary: []byte("{")}}, 0, 10); err == nil {
		t.Error("a damaged summary was read")
	}
}
