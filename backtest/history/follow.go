package history

import (
	"context"
	"fmt"
	"slices"

	"backtester/backtest/sweep"
)

// Follower counts the trials of a plan while it is played. It is for one goroutine at a time, as
// sweep.Options.Row is.
type Follower struct {
	owner    string
	plan     *sweep.Plan
	identity string
	keep     func([]*Batch) error
	workers  int
	memory   int64
	search   *Search
	direct   bool        // returns come with the rows
	from     int         // first combination that keep did not get
	at       int         // combination of the last row
	rows     int         // since from
	most     int         // of them
	spread   int         // of which about `samples` combinations are sampled
	sample   [][]float64 // combinations whose returns are still wanted
	returns  []float64   // of the row to come, when they are wanted
	err      error       // the first fault: nothing is counted after it
}

// Limits of what a follower holds: rows before they are kept, series of returns a sweep about, and
// combinations up to which asking for all returns is cheaper than playing a sample again.
const (
	mostRows   = 1 << 18
	mostSample = 512
	fewRows    = 256
)

// Follow counts, for owner, what is played of plan by o, which it adds to; identity is that of the plan. keep
// gets the trials for Tx.AddTrials in parts of bounded size, and equal parts of one owner under equal names: what
// is played again takes no room again. elsewhere says that rows come from other machines, without returns
// that nobody asked for.
func Follow(ctx context.Context, owner string, plan *sweep.Plan, identity string, o *sweep.Options, elsewhere bool, keep func([]*Batch) error) *Follower {
	to := o.To
	if to == 0 {
		to = plan.Len()
	}
	f := &Follower{owner: owner, plan: plan, identity: identity, keep: keep, workers: o.Workers, memory: o.Memory, from: o.From, at: o.From, most: mostRows}
	f.spread = plan.Len() * max(1, len(plan.Symbols)*samples/mostSample)
	// The event engine spends far more on a combination than its returns cost.
	f.direct = o.Returns != nil || !elsewhere && (plan.Path == sweep.Event || to-o.From <= fewRows)
	if nextReturns := o.Returns; f.direct {
		o.Returns = func(r *sweep.Returns) error {
			f.returns = nil
			if f.wants(r.Index) {
				f.returns = r.Values
			}
			if nextReturns == nil {
				return nil
			}
			return nextReturns(r)
		}
	}
	next := o.Row
	o.Row = func(r *sweep.Row) error {
		if f.err == nil {
			f.err = f.count(ctx, r)
		}
		if next == nil {
			return nil
		}
		return next(r)
	}
	return f
}

// wants reports whether the returns of a combination belong to the sample. The first of a range always does,
// so that no symbol is without.
func (f *Follower) wants(index int) bool { return index == f.from || Wanted(index, f.spread) }

func (f *Follower) count(ctx context.Context, r *sweep.Row) error {
	if r.Index != f.at && f.rows >= f.most {
		if err := f.flush(ctx); err != nil {
			return err
		}
	}
	first := f.rows == 0 || r.Index != f.at
	f.at = r.Index
	f.rows++
	if err := f.meet(ctx, r.Symbol); err != nil {
		return err
	}
	if err := f.search.Add(r.Symbol, r.Params, f.plan.Metric(r.Metrics, "sharpe")); err != nil {
		return err
	}
	switch {
	case f.direct && f.search.fits(r.Symbol, f.returns):
		return f.search.Returns(r.Symbol, r.Params, f.returns)
	case !f.direct && first && f.wants(r.Index):
		f.sample = append(f.sample, slices.Clone(r.Params))
	}
	return nil
}

// meet learns the sessions of a symbol.
func (f *Follower) meet(ctx context.Context, symbol string) error {
	if f.search != nil && f.search.knows(symbol) {
		return nil
	}
	m, err := f.plan.Market(context.WithoutCancel(ctx), symbol)
	if err != nil {
		return fmt.Errorf("count the trials of %s: %w", f.plan.Config.Name, err)
	}
	if f.search == nil {
		if f.search, err = NewSearch(f.plan.Config, f.plan.Space.Names, m.PerYear); err != nil {
			return err
		}
	}
	return f.search.Sessions(symbol, m.Symbols, m.Days)
}

// flush hands out what was counted. Somebody who interrupts does not wait for the sample.
func (f *Follower) flush(ctx context.Context) error {
	if f.rows == 0 {
		return nil
	}
	if len(f.sample) > 0 && ctx.Err() == nil {
		err := f.plan.Replay(ctx, f.sample, sweep.Options{Workers: f.workers, Memory: f.memory}, func(r *sweep.Returns) error {
			if !f.search.fits(r.Symbol, r.Values) {
				return nil
			}
			return f.search.Returns(r.Symbol, f.sample[r.Index], r.Values)
		})
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("sample the returns of %s: %w", f.plan.Config.Name, err)
		}
	}
	list := f.search.Batches(f.owner, fmt.Sprintf("%s/%.32s/%d-%d", f.owner, f.identity, f.from, f.at+1))
	if err := f.keep(list); err != nil {
		return err
	}
	f.search.forget()
	f.from, f.rows, f.sample = f.at+1, 0, nil
	return nil
}

// Finish hands out the rest, also of a sweep that was interrupted, and says what went wrong.
func (f *Follower) Finish(ctx context.Context) error {
	if f.err == nil {
		f.err = f.flush(ctx)
	}
	return f.err
}

// About is what was counted so far is about: its symbols, its first and last session.
func (f *Follower) About() (symbols []string, from, to string) {
	if f.search == nil {
		return nil, "", ""
	}
	var list []string
	first, last := f.search.span()
	for _, symbol := range f.search.order {
		list = append(list, f.search.batches[symbol].Symbols...)
	}
	return list, first.String(), last.String()
}
