package backtest

import (
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

// expose records the exposure at the close of a session.
func (e *engine) expose() {
	if len(e.books.Held) == 0 {
		e.gross = append(e.gross, 0)
		e.net = append(e.net, 0)
		return
	}
	x := e.books.Exposure()
	gross := x.Gross() / e.equity
	net := gross
	if x.Short != 0 {
		net = (x.Long - x.Short) / e.equity
	}
	e.gross, e.net = append(e.gross, gross), append(e.net, net)
	e.weights.note(&x, e.equity)
}

// weights add up how concentrated the positions are at sessions' closes.
type weights struct {
	most               float64
	largest, effective portfolio.Sum
	held               float64 // session closes with a position that is worth something
}

func (w *weights) note(x *portfolio.Exposure, equity float64) {
	if part := x.Largest / equity; part > 0 {
		w.most = max(w.most, part)
		w.largest.Add(part)
		w.effective.Add(x.Effective())
		w.held++
	}
}

func (w *weights) value() *stats.Concentration {
	return &stats.Concentration{Most: w.most, Largest: w.largest.Value() / w.held, Effective: w.effective.Value() / w.held}
}
