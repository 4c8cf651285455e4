package backtest

import (
	"math"

	"backtester/backtest/portfolio"
	"backtester/backtest/stats"
)

// record one point of the curves.
func (e *engine) record() {
	e.curve = append(e.curve, e.equity)
	if e.t == e.ends || e.stopped {
		e.turn()
	}
}

// turn is what record does besides at the last step of a session.
func (e *engine) turn() {
	e.expose()
	e.begins = e.t + 1
	e.ends = e.m.sessionEnd(e.begins)
}

// expose records the exposure at the close of a session. The net one has a list from the close on at which it is not
// the gross one.
func (e *engine) expose() {
	gross, net := 0.0, 0.0
	switch held := e.books.Held; len(held) {
	case 0:
	case 1:
		p := &e.books.Pos[held[0]]
		value := float64(p.Qty * p.Mark)
		gross, net = math.Abs(value)/e.equity, value/e.equity
	default:
		x := e.books.Exposure()
		gross, net = x.Gross()/e.equity, (x.Long-x.Short)/e.equity
		e.weights.alone(e.gross)
		e.weights.note(x.Largest/e.equity, x.Effective())
	}
	if net != gross && len(e.net) == 0 {
		e.net = append(e.net, e.gross...)
	}
	if len(e.net) > 0 || net != gross {
		e.net = append(e.net, net)
	}
	e.gross = append(e.gross, gross)
}

// netExposure is the net exposure at each session's close.
func (e *engine) netExposure() []float64 {
	if len(e.net) == 0 {
		return e.gross
	}
	return e.net
}

// weights add up how concentrated the positions are at sessions' closes.
type weights struct {
	closes             int // that are in
	most               float64
	largest, effective portfolio.Sum
	held               float64 // session closes with a position that is worth something
}

// note a close: the largest position as a fraction of equity, and how many of one size all are like.
func (w *weights) note(part, effective float64) {
	w.closes++
	if part > 0 {
		w.most = max(w.most, part)
		w.largest.Add(part)
		w.effective.Add(effective)
		w.held++
	}
}

// alone notes the closes with one position or none that are not in yet, of which the exposure says everything.
func (w *weights) alone(gross []float64) {
	for _, part := range gross[w.closes:] {
		w.note(part, 1)
	}
}

func (w *weights) value(gross []float64) *stats.Concentration {
	w.alone(gross)
	return &stats.Concentration{Most: w.most, Largest: w.largest.Value() / w.held, Effective: w.effective.Value() / w.held}
}
