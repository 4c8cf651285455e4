package sweep

import (
	"context"
	"errors"
	"math"
	"math/bits"

	"backtester/backtest"
	"backtester/backtest/expr"
	"backtester/backtest/fill"
	"backtester/backtest/order"
	"backtester/backtest/strategy"
)

func trailing(w uint64) int { return bits.TrailingZeros64(w) }

// trade is a round trip by rows of the lane; the last one of a combination may be open.
type trade struct {
	entry, exit int32   // exit n: open
	price       float64 // after slippage, of an exit between opens; NaN at the open of exit
	bought      float64 // price of the entry, and shares, where they are not those of all the cash
	shares      float64
}

// scout follows combinations through a lane by the set bits of their conditions.
type scout struct {
	merged [][]uint64 // of exits that are several conditions
	levels fill.Levels
	moves  []moving // stops and targets that follow a column
	fixed  []*strategy.ExitRule
	vars   expr.PositionValues
	trades []trade
	keep   bool // trades are wanted
}

// playLane plays what is to do on one symbol by the sparse path or the fused one, and leaves to do what
// neither can.
func (w *worker) playLane(ctx context.Context, symbol string, combinations [][]float64, out *block) error {
	groups, err := w.groups(combinations)
	if err != nil {
		return err
	}
	w.left = w.left[:0]
	cfg := w.plan.config(symbol)
	for _, g := range groups {
		l, err := backtest.NewLane(ctx, cfg, g.rules[0].Program, g.warmup, w.plan.src)
		if err != nil {
			var no *backtest.NoLane
			if !errors.As(err, &no) {
				return err
			}
			for _, k := range g.places {
				w.pass(out, k, Event, no.Reason)
			}
			continue
		}
		t, err := w.plan.lane(ctx, l, w.crew)
		if err != nil {
			return err
		}
		l.Bind(g.rules[0].Program, &w.bound, w.arenas()...)
		if err := w.share(ctx, len(g.places), func(hand *worker, i int) {
			hand.playOne(t, l, g.rules[i], &w.bound, g.places[i], out)
		}); err != nil {
			return err
		}
	}
	w.todo = append(w.todo[:0], w.left...)
	return nil
}

// pass hands combination k on to a slower path, for a reason: what the next faster one cannot do, whatever those before
// it could not.
func (w *worker) pass(out *block, k int, to Path, reason string) {
	out.path[k], out.reason[k] = to, reason
	if to == Event {
		w.left = append(w.left, k)
	}
}

// playOne plays one combination.
func (w *worker) playOne(t *lane, l *backtest.Lane, rules *strategy.Rules, bound *expr.Bound, k int, out *block) {
	w.scout.keep = w.returns || w.watch != nil
	if out.path[k] < Fused {
		if reason, to := w.scout.play(t, l, rules, bound, out.row(k)); reason != "" {
			w.pass(out, k, to, reason)
		} else {
			out.path[k] = Sparse
		}
	}
	if out.path[k] == Fused {
		if reason := w.loop.play(t, l, rules, bound, &w.scout, out.row(k)); reason != "" {
			w.pass(out, k, Event, reason)
		}
	}
	if out.path[k] == Event || !w.scout.keep {
		return
	}
	if w.returns {
		dst := out.place(t.axis, k, len(out.path))
		if out.path[k] == Fused {
			clear(dst)
			w.loop.spread(dst)
		} else {
			t.spread(w.scout.trades, dst)
		}
	}
	if w.watch != nil {
		w.watch(k, t, w.scout.trades)
	}
}

// exits is where an exit condition holds.
func (s *scout) exits(b *expr.Bound, rules *strategy.Rules, start, n int) (rowBits, bool) {
	found := 0
	var one, all []uint64
	for i := range rules.Long.Exits {
		x := &rules.Long.Exits[i]
		if x.Kind != strategy.ExitSignal || !rules.Program.Static(x.When) {
			continue
		}
		one = b.True(x.When)
		if found++; found == 2 {
			if len(s.merged) == 0 {
				s.merged = append(s.merged, nil)
			}
			all = grow(s.merged[0], len(one))
			s.merged[0] = all
			copy(all, b.True(firstSignal(rules)))
		}
		if found >= 2 {
			for w := range all {
				all[w] |= one[w]
			}
		}
	}
	if found >= 2 {
		one = all
	}
	return rowBits{one, start, n}, found > 0
}

// firstSignal is the condition of the first exit that is one.
func firstSignal(rules *strategy.Rules) expr.Ref {
	for i := range rules.Long.Exits {
		if x := &rules.Long.Exits[i]; x.Kind == strategy.ExitSignal && rules.Program.Static(x.When) {
			return x.When
		}
	}
	return 0
}

// play follows a combination and writes its metrics; otherwise it says why not and who can.
func (s *scout) play(t *lane, l *backtest.Lane, rules *strategy.Rules, b *expr.Bound, row []float64) (reason string, to Path) {
	enter := bitsOf(b, rules.Long.Entry.When, l.Start, t.n)
	leave, signals := s.exits(b, rules, l.Start, t.n)
	levels, bars := s.sortLevels(l, rules, b)
	if levels && t.factor != nil {
		return "a split moves stops and targets", Fused
	}
	a := t.begin()
	s.trades = s.trades[:0]
	last := t.n - 1
	for i := 0; i < last; {
		r := enter.next(i)
		if r >= last {
			break
		}
		if t.gap[r>>6]>>(r&63)&1 != 0 {
			i = r + 1
			continue
		}
		e := r + 1
		if t.volume != nil && t.binds(e, a.equity*t.in[e].shares, 0, t.capped) {
			return "the volume cap cuts a fill", Event
		}
		a.entered = int32(e)
		x := t.n // of the market order
		if signals {
			if d := leave.next(e); d < last {
				x = d + 1
			}
		}
		if bars > 0 && e+bars < x && e+bars <= last {
			x = e + bars
		}
		if levels {
			hit, at, ok := s.passage(t, l, b, e, x)
			if ok {
				if t.paid(e, at) {
					return "a dividend falls into a position", Fused
				}
				price := s.exitPrice(t, l, hit, at)
				shares, used := a.equity*t.in[e].shares, 0.0
				if at == e { // one budget a bar for the entry and the exit
					used = shares
				}
				if t.volume != nil && t.binds(at, shares, used, s.fraction(t, hit)) {
					return "the volume cap cuts a fill", Event
				}
				if s.keep {
					s.trades = append(s.trades, trade{entry: int32(e), exit: int32(at), price: price})
				}
				t.leaveAt(&a, at, price)
				i = at
				continue
			}
		}
		if t.paid(e, min(x, last)) {
			return "a dividend falls into a position", Fused
		}
		if s.keep {
			s.trades = append(s.trades, trade{entry: int32(e), exit: int32(x), price: math.NaN()})
		}
		if x >= t.n {
			break
		}
		if t.volume != nil && t.binds(x, a.equity*t.in[e].shares, 0, t.capped) {
			return "the volume cap cuts a fill", Event
		}
		t.leave(&a, x)
		i = x
	}
	t.finish(&a, row)
	return "", Sparse
}

// fraction of the volume that a stop or target may take.
func (s *scout) fraction(t *lane, hit fill.Hit) float64 {
	if hit.Rule == fill.StopOpen || hit.Rule == fill.LimitOpen {
		return t.capped
	}
	return t.within
}

// exitPrice is the price after slippage of a stop or target that was hit in row x.
func (s *scout) exitPrice(t *lane, l *backtest.Lane, hit fill.Hit, x int) float64 {
	limit := math.NaN()
	if hit.Target {
		limit = s.levels.Target
	}
	return l.Config.Costs.Slippage.Within(order.Sell, hit.Ref, limit, fill.Taken{}, fill.Range{Low: t.low[x], High: t.high[x]}, l.Config.Fills.SlippageClip)
}

// moving is a stop or target that follows a column, of rows from the one before that of the lane on.
type moving struct {
	expr.Affine
	target bool
}

// sortLevels tells the levels that follow a column from those that an entry fixes. It reports whether there
// are any, and after how many bars a position ends at the latest; 0 is never.
func (s *scout) sortLevels(l *backtest.Lane, rules *strategy.Rules, b *expr.Bound) (levels bool, bars int) {
	s.moves, s.fixed = s.moves[:0], s.fixed[:0]
	for i := range rules.Long.Exits {
		x := &rules.Long.Exits[i]
		if x.Kind == strategy.ExitMaxBars && (bars == 0 || x.MaxBars < bars) {
			bars = x.MaxBars
		}
		if x.Kind != strategy.ExitStop && x.Kind != strategy.ExitTarget {
			continue
		}
		if vars, columns := rules.Program.Reads(x.Level); !columns && vars&^(1<<expr.EntryPrice) == 0 {
			s.fixed = append(s.fixed, x)
			continue
		}
		a, _ := b.Affine(x.Level) // the planner saw that it is one
		a.Column = a.Column[l.Start:]
		s.moves = append(s.moves, moving{a, x.Kind == strategy.ExitTarget})
	}
	return len(s.moves)+len(s.fixed) > 0, bars
}

// higher and lower are the nearer of two stops and targets; NaN is none.
func higher(a, b float64) float64 {
	if b == b && !(b <= a) {
		return b
	}
	return a
}

func lower(a, b float64) float64 {
	if b == b && !(b >= a) {
		return b
	}
	return a
}

// passage is the first stop or target that is hit from the entry in row e on, before a market order fills at
// the open of row x.
func (s *scout) passage(t *lane, l *backtest.Lane, b *expr.Bound, e, x int) (fill.Hit, int, bool) {
	fixed := fill.Levels{Stop: math.NaN(), Target: math.NaN()}
	s.vars.Var[expr.EntryPrice] = t.buy[e]
	for _, exit := range s.fixed {
		v := b.At(exit.Level, l.Start+e-1, 1, &s.vars)
		if exit.Kind == strategy.ExitStop {
			fixed.Stop = higher(fixed.Stop, v)
		} else {
			fixed.Target = lower(fixed.Target, v)
		}
	}
	to := min(x, t.n)
	for j := s.reach(t, fixed, e, e, to); j < to; j = s.reach(t, fixed, e, j+1, to) {
		if hit, ok := s.resolve(t, l, e, j); ok {
			return hit, j, true
		}
	}
	return fill.Hit{}, 0, false
}

// reach is the first row from j on whose range touches a level, which is then in s.levels: to, when there is
// none. The level of a row was set at the close before it.
func (s *scout) reach(t *lane, fixed fill.Levels, e, j, to int) int {
	if len(s.moves) == 0 {
		s.levels = fixed
		return t.passes.first(j, to, fixed.Stop, fixed.Target)
	}
	paid := t.buy[e]
	if m := &s.moves[0]; len(s.moves) == 1 && !m.target && fixed.Stop != fixed.Stop && fixed.Target != fixed.Target {
		base, sign := float64(m.Entry*paid), m.Sign
		low, column := t.low[j:to], m.Column[j-1:to-1]
		for k, v := range column {
			if stop := base + float64(sign*v); low[k] <= stop {
				s.levels = fill.Levels{Stop: stop, Target: math.NaN()}
				return j + k
			}
		}
		return to
	}
	for ; j < to; j++ {
		s.levels = fixed
		for k := range s.moves {
			m := &s.moves[k]
			v := float64(m.Entry*paid) + float64(m.Sign*m.Column[j-1])
			if m.target {
				s.levels.Target = lower(s.levels.Target, v)
			} else {
				s.levels.Stop = higher(s.levels.Stop, v)
			}
		}
		if t.low[j] <= s.levels.Stop || t.high[j] >= s.levels.Target {
			return j
		}
	}
	return to
}

// resolve asks the rules of the market what comes of the levels in row j.
func (s *scout) resolve(t *lane, l *backtest.Lane, e, j int) (fill.Hit, bool) {
	when := fill.Before
	hit, ok := fill.Hit{}, false
	if j == e {
		when = fill.OnOpen
		hit, ok = fill.ExitOnEntry(order.Sell, s.levels, when, t.open[e])
	} else {
		hit, ok = fill.ExitAtOpen(order.Sell, s.levels, t.open[j])
	}
	if ok {
		return hit, true
	}
	bar := fill.Bar{Open: t.open[j], High: t.high[j], Low: t.low[j], Close: t.close[j]}
	return fill.ExitWithin(order.Sell, s.levels, bar, when, l.Config.Fills)
}

// spread writes the session returns of trades.
func (t *lane) spread(trades []trade, dst []float64) {
	clear(dst)
	put := func(row int, r float64) { dst[row-t.first] = r }
	for _, x := range trades {
		e, end := int(x.entry), int(x.exit)
		in := t.in[e].shares
		sold := x.price
		if end < t.n && math.IsNaN(sold) {
			sold = t.sell[end]
		}
		dollars := sold * (1 - t.rate)
		if end == e {
			put(e, float64(dollars*in)-1)
			continue
		}
		put(e, float64(t.close[e]*in)-1)
		for i := e + 1; i < end && i < t.n; i++ {
			put(i, (t.close[i]-t.close[i-1])/t.close[i-1])
		}
		if end < t.n {
			put(end, dollars/t.close[end-1]-1)
		}
	}
}
