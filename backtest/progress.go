package backtest

import "math"

// Progress is how far a run has come. Its slices are the engine's: whoever keeps them copies them.
type Progress struct {
	Done, Total int       // steps of the run: times at which some symbol has a bar
	Time        []int64   // closes since the last call, nanoseconds since 1970 UTC
	Equity      []float64 // at those closes
}

// tellings is how often, at most, a run says how far it has come.
const tellings = 200

// meter calls Options.Progress at even distances. Without one it never comes to a step at which it would.
type meter struct {
	tell  func(Progress)
	next  int32 // step after which to tell
	every int32
	told  int // points of the curve that were told
}

func newMeter(o Options, steps int) meter {
	if o.Progress == nil {
		return meter{next: math.MaxInt32}
	}
	every := int32(max(1, steps/tellings))
	return meter{tell: o.Progress, next: every - 1, every: every}
}

// report says what step t, which is over, brought.
func (w *meter) report(e *engine) {
	points := len(e.curve)
	lead := points - int(e.t+1) // 1 where the start is a point of its own
	times := e.m.time[max(0, w.told-lead) : points-lead]
	w.tell(Progress{Done: int(e.t) + 1, Total: len(e.m.time), Time: times, Equity: e.curve[points-len(times):]})
	w.told, w.next = points, min(e.t, math.MaxInt32-w.every)+w.every
}
