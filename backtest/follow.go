package backtest

import (
	"context"
	"math"

	"backtester/backtest/bar"
	"backtester/backtest/fill"
	"backtester/backtest/order"
	"backtester/backtest/strategy"
)

// Following is what Follow needs beside a Config.
type Following struct {
	Options
	Until int64 // start of the last bars to play, ns UTC; 0 plays all
	Extra int   // bars of history to load beyond what the rules need
}

// Trace is what a run saw, decided and did, step by step: what proofs compare.
type Trace struct {
	Preview *Preview // every column, those of later bars included
	Events  []Event  // in the order in which they came about
	Time    []int64  // start of the bars of each step that was played, ns UTC
	Equity  []float64

	Foreseen []Foreseen // what knew the next bar, in a run that was played to its end
	Entries  int        // decisions to enter
}

// Event is a decision or a fill.
type Event struct {
	At      int64      // start of the bars at whose close it was decided, or in which it filled, ns UTC
	Symbol  string     //
	What    string     // in words: "enter long market", "exit signal", "stop stop", "filled buy entry"; of several strategies after the name of the one
	Numbers [3]float64 // shares (of notional orders USD), price or trigger, limit; NaN where there is none
}

// Follow plays cfg like RunWith up to a bar and tells what it saw and decided, at the close of the last
// bar as well. Liquidation at the end of the run is left out: it moves with the end. The bars are
// evaluated whole, so that whatever of them has an influence backwards in time shows.
func Follow(ctx context.Context, cfg *Config, src bar.Source, f Following) (*Trace, error) {
	rules, err := rulesFor(cfg, f.Options, src)
	if err != nil {
		return nil, err
	}
	open := *cfg
	open.Fills.End = fill.EndMark
	k := task{cfg: &open, rules: deeper(rules, f.Extra), options: f.Options}
	m, err := k.load(ctx, src)
	if err != nil {
		return nil, err
	}
	e, err := k.engine(m)
	if err != nil {
		return nil, err
	}
	e.finer = magnifier(ctx, k.cfg, src, m)
	out := &Trace{}
	if out.Preview, err = previewOf(ctx, k, m, src); err != nil {
		return nil, err
	}
	e.follow = &follower{trace: out, until: e.last}
	if f.Until != 0 {
		for e.follow.until >= 0 && m.time[e.follow.until] > f.Until {
			e.follow.until--
		}
	}
	if err := e.run(ctx); err != nil {
		return nil, err
	}
	played := int(e.follow.until) + 1
	if e.stopped {
		played = int(e.t) + 1
	}
	out.Time = m.time[:min(played, len(m.time))]
	out.Equity = e.curve[len(e.curve)-min(len(e.curve), len(out.Time)):]
	out.Entries = len(e.follow.entries)
	if f.Until == 0 {
		out.Foreseen = e.foreseen(e.follow.entries)
	}
	return out, nil
}

// follower takes notes of a run.
type follower struct {
	trace *Trace // nil for no notes
	until int32  // last step to play
	fills int    // noted so far

	entries []entered
}

// note what happened in a step, and what its close decided.
func (f *follower) note(e *engine) {
	if f.trace == nil {
		return // only the last close was asked for
	}
	for ; f.fills < len(e.fills); f.fills++ {
		x := &e.fills[f.fills]
		f.add(e, x.Sym, "filled "+sideWord(x.Side, x.entry)+" "+x.Reason, [3]float64{x.Qty, x.Price, math.NaN()})
	}
	for _, i := range e.orders {
		s := &e.st[i]
		if !s.working || s.entry.Decided != e.t {
			continue
		}
		f.enter(e, i, &s.entry)
		if o := s.other(); o != nil {
			f.enter(e, i, &o.entry)
		}
	}
	for _, i := range e.books.Held {
		s := &e.st[i]
		for k := range s.parts {
			if p := &s.parts[k]; p.working && p.decided == e.t {
				f.add(e, i, "exit "+p.reason, [3]float64{e.left(i, k), math.NaN(), math.NaN()})
			}
		}
		for _, w := range s.ways {
			kind := strategy.ExitStop
			if w.target {
				kind = strategy.ExitTarget
			}
			f.add(e, i, string(kind)+" "+w.name, [3]float64{math.NaN(), w.price, math.NaN()})
		}
		for _, w := range s.within {
			f.add(e, i, "trail "+w.name, [3]float64{math.NaN(), w.fraction, w.distance})
		}
	}
}

// enter notes an entry that was placed.
func (f *follower) enter(e *engine, i int32, w *order.Working) {
	numbers := [3]float64{w.Qty, w.Trigger, w.Limit}
	if w.Notional() {
		numbers[0] = w.Amount
	}
	f.add(e, i, "enter "+entryWords(w), numbers)
	f.entries = append(f.entries, entered{i, e.m.syms[i].rowsBefore(e.t+1) - 1, w.Side})
}

func (f *follower) add(e *engine, i int32, what string, numbers [3]float64) {
	f.trace.Events = append(f.trace.Events, Event{At: e.m.time[e.t], Symbol: e.m.syms[i].name, What: e.play(i).named(what), Numbers: numbers})
}

// entryWords says which kind of order an entry is.
func entryWords(w *order.Working) string {
	words := "long"
	if w.Side == order.Sell {
		words = "short"
	}
	switch {
	case w.Market():
		words += " market"
	case math.IsNaN(w.Limit):
		words += " stop"
	case math.IsNaN(w.Trigger):
		words += " limit"
	case w.Touch:
		words += " limit_if_touched"
	default:
		words += " stop_limit"
	}
	switch w.Auction {
	case order.OpenOnly:
		words += " at the open"
	case order.CloseOnly:
		words += " at the close"
	}
	return words
}
