package sweep

import (
	"math"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/expr"
	"backtester/backtest/fill"
	"backtester/backtest/instrument"
	"backtester/backtest/order"
	"backtester/backtest/portfolio"
	"backtester/backtest/stats"
	"backtester/backtest/strategy"
)

// loop is the fused path: it visits the bars of positions only, one after another, with the kernels of the
// event engine. Prices are as traded.
type loop struct {
	t     *lane
	l     *backtest.Lane
	b     *bar.Series // from row 0 of the lane on
	rules *strategy.Rules
	bound *expr.Bound
	vars  expr.PositionValues

	cash, qty    float64
	entry        float64 // price paid, in the basis of now
	value, fees  float64 // of the entry
	dividends    float64
	hi, lo       float64
	held, row    int       // bars, and the row of the entry
	memory       []float64 // tightest level so far, by exit rule
	levels       fill.Levels
	exiting      bool
	split, div   int
	peak, dip    float64
	base         float64 // equity at the last session close that was counted
	day          int32   // session that is not counted yet; -1 for none
	sums         stats.Sums
	profit, loss compensated
	s1, s2, sd   float64
	returns      []float64 // by session, when they are wanted
	keep         bool
	static       [][]uint64 // by exit: where its condition holds, nil where the position decides
	watching     bool       // exits read numbers of the position
	leveled      bool       // there are stops, targets or trailing stops
	why          string
}

// play follows a combination and writes its metrics; otherwise it says why it cannot.
func (f *loop) play(t *lane, l *backtest.Lane, rules *strategy.Rules, b *expr.Bound, s *scout, row []float64) string {
	memory, returns, static := f.memory, f.returns, f.static
	*f = loop{static: static, t: t, l: l, b: l.Bars.Slice(l.Start, l.Bars.Len()), rules: rules, bound: b, memory: memory, keep: s.keep,
		cash: t.start, peak: t.start, dip: 1, base: t.start, day: -1}
	f.prepare()
	if f.keep {
		f.returns = grow(returns, len(t.axis.Dates)-1)
		clear(f.returns)
	}
	s.trades = s.trades[:0]
	enter := bitsOf(b, rules.Long.Entry.When, l.Start, t.n)
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
		next, bought := f.enter(r)
		if bought {
			k := len(s.trades)
			s.trades = append(s.trades, trade{entry: int32(r + 1), exit: int32(t.n), bought: f.entry, shares: f.qty, price: math.NaN()})
			x, price := f.hold(r+1, r)
			if x < t.n {
				s.trades[k].exit, s.trades[k].price = int32(x), price
			}
			next = x
		}
		if f.why != "" {
			return f.why
		}
		i = next
	}
	f.count()
	f.finish(row)
	return ""
}

// enter decides at the close of row r and fills at the open of the next one. Without a fill it says where to
// look on.
func (f *loop) enter(r int) (next int, bought bool) {
	cfg, b, e := f.l.Config, f.b, r+1
	size, c := &cfg.Size, &cfg.Costs.Commission
	want, amount, why := size.Quantity(order.Basis{Equity: f.cash, Price: b.Close[r], Side: order.Buy, Stop: math.NaN()})
	if why != order.Accepted || !(f.cash > 0) {
		return e, false
	}
	notional := !math.IsNaN(amount)
	switch {
	case notional && size.Weight >= 1 && size.Value == 0:
		amount = math.Inf(1)
	case notional:
		amount = min(amount, f.cash)
	default:
		if q := c.Payable(fill.Billed{}, want, f.cash, b.Close[r]); q < want {
			want = size.Floor(q)
		}
		if !(want > 0) {
			return e, false
		}
	}
	f.split, f.div = 0, 0
	f.skipActions(r)
	ratio := f.pending(e)
	if ratio != 1 && !notional {
		f.why = "a split falls into an order of whole shares"
		return e, false
	}
	price := f.price(order.Buy, b.Open[e], math.NaN(), e)
	if notional {
		want = amount / price
	}
	q := size.Floor(c.Payable(fill.Billed{}, want, f.cash, price))
	if f.binds(e, q, 0, cfg.Costs.VolumeCap.Open) {
		f.why = "the volume cap cuts a fill"
		return e, false
	}
	if !(q > 0) {
		if cfg.Data.Bars.Intraday() || f.rules.Long.Entry.Settings.MaxWait > 0 {
			f.why = "an entry could not be paid at the open"
		}
		return e, false
	}
	fee := c.Next(fill.Billed{}, q, price)
	f.flush(e)
	equity := f.cash
	f.value, f.fees, f.dividends = float64(q*price), fee, 0
	f.cash = f.cash - f.value - fee
	f.qty, f.entry, f.held, f.row, f.exiting = q, price, 0, e, false
	f.hi, f.lo = b.Open[e], b.Open[e]
	f.memory = f.memory[:0]
	for range f.rules.Long.Exits {
		f.memory = append(f.memory, math.NaN())
	}
	f.vars.Var = [expr.NumPositionVars]float64{}
	f.vars.Var[expr.EntryPrice], f.vars.Var[expr.HighSince], f.vars.Var[expr.LowSince] = price, f.hi, f.lo
	f.vars.Var[expr.Equity] = equity
	f.setLevels(r, ratio)
	return e, true
}

// skipActions forgets what was executed by row r.
func (f *loop) skipActions(r int) {
	a, d := &f.b.Actions, f.l.Date[r]
	for f.split < len(a.Splits) && a.Splits[f.split].Ex <= d {
		f.split++
	}
	for f.div < len(a.Dividends) && a.Dividends[f.div].Ex <= d {
		f.div++
	}
}

// pending is what splits between the decision and the entry in row e make of a share.
func (f *loop) pending(e int) float64 {
	ratio, d := 1.0, f.l.Date[e]
	if f.b.Adjusted {
		return 1
	}
	a := &f.b.Actions
	for ; f.split < len(a.Splits) && a.Splits[f.split].Ex <= d; f.split++ {
		ratio *= a.Splits[f.split].To / a.Splits[f.split].From
	}
	for f.div < len(a.Dividends) && a.Dividends[f.div].Ex <= d {
		f.div++
	}
	return ratio
}

// hold follows the position from its entry in row e, decided in row r, and returns the row of its exit with
// the price, or the end.
func (f *loop) hold(e, r int) (x int, price float64) {
	b, t := f.b, f.t
	for i := e; i < t.n; i++ {
		f.sums.InMarket++
		if i > e {
			if t.day[i] != t.day[i-1] {
				f.actions(i)
				if f.why != "" {
					return t.n, 0
				}
			}
			if f.exiting {
				return i, f.leave(i, fill.Hit{Ref: b.Open[i]}, f.l.Config.Costs.VolumeCap.Open)
			}
			if !(b.Low[i] <= f.levels.Stop || b.High[i] >= f.levels.Target) {
				f.stay(i)
				continue
			}
			if hit, ok := fill.ExitAtOpen(order.Sell, f.levels, b.Open[i]); ok {
				return i, f.leave(i, hit, f.l.Config.Costs.VolumeCap.Open)
			}
		}
		if b.Low[i] <= f.levels.Stop || b.High[i] >= f.levels.Target {
			if hit, ok := f.within(i, e); ok {
				return i, f.leave(i, hit, f.l.Config.Costs.VolumeCap.Bar)
			}
		}
		f.stay(i)
	}
	return t.n, 0
}

// stay marks the position at the close of row i, and decides.
func (f *loop) stay(i int) {
	f.hi, f.lo = max(f.hi, f.b.High[i]), min(f.lo, f.b.Low[i])
	f.mark(i, f.cash+float64(f.qty*f.b.Close[i]))
	if i < f.t.n-1 {
		f.decide(i)
	}
}

// within resolves the levels between open and close.
func (f *loop) within(i, e int) (fill.Hit, bool) {
	when := fill.Before
	b := f.b
	if i == e {
		when = fill.OnOpen
		if hit, ok := fill.ExitOnEntry(order.Sell, f.levels, when, b.Open[i]); ok {
			return hit, true
		}
	}
	return fill.ExitWithin(order.Sell, f.levels, fill.Bar{Open: b.Open[i], High: b.High[i], Low: b.Low[i], Close: b.Close[i]}, when, f.l.Config.Fills)
}

// actions restates the position for splits and pays dividends before the open of row i.
func (f *loop) actions(i int) {
	if f.b.Adjusted {
		return
	}
	a, d := &f.b.Actions, f.l.Date[i]
	for ; f.split < len(a.Splits) && a.Splits[f.split].Ex <= d; f.split++ {
		if f.pay(a.Splits[f.split].Ex - 1); f.why != "" {
			return
		}
		if !f.l.Config.Size.Fractional {
			f.why = "a split falls into a position of whole shares"
			return
		}
		ratio := a.Splits[f.split].To / a.Splits[f.split].From
		f.qty *= ratio
		f.entry, f.hi, f.lo = f.entry/ratio, f.hi/ratio, f.lo/ratio
		f.levels.Stop, f.levels.Target = f.levels.Stop/ratio, f.levels.Target/ratio
		for k := range f.memory {
			f.memory[k] /= ratio
		}
	}
	f.pay(d)
}

// pay the dividends that go ex up to a date.
func (f *loop) pay(until instrument.Date) {
	a := &f.b.Actions
	for ; f.div < len(a.Dividends) && a.Dividends[f.div].Ex <= until; f.div++ {
		if f.l.Config.Account.Dividends == "pay_date" {
			f.why = "a dividend is paid after its ex-date"
			return
		}
		cash := f.qty * a.Dividends[f.div].Cash
		f.cash += cash
		f.dividends += cash
	}
}

// leave closes the position in row i.
func (f *loop) leave(i int, hit fill.Hit, fraction float64) float64 {
	used := 0.0
	if i == f.row { // one budget a bar for the entry and the exit
		used = f.qty
	}
	if f.binds(i, f.qty, used, fraction) {
		f.why = "the volume cap cuts a fill"
		return 0
	}
	limit := math.NaN()
	if hit.Target {
		limit = f.levels.Target
	}
	price := f.price(order.Sell, hit.Ref, limit, i)
	got := float64(f.qty * price)
	fee := f.l.Config.Costs.Commission.Next(fill.Billed{}, f.qty, price)
	pnl := portfolio.Gain(f.value, got) - (f.fees + fee) + f.dividends
	f.cash = f.cash + got - fee
	f.qty = 0
	f.sums.Trades++
	if pnl > 0 {
		f.sums.Wins++
		f.profit.add(pnl)
	} else {
		f.loss.add(pnl)
	}
	f.mark(i, f.cash)
	return price
}

// decide evaluates the exits at the close of row i.
func (f *loop) decide(i int) {
	f.held++
	if f.watching {
		mark := f.b.Close[i]
		equity := f.cash + float64(f.qty*mark)
		exposure := f.qty * mark / equity
		v := &f.vars.Var
		v[expr.EntryPrice], v[expr.BarsHeld], v[expr.HighSince], v[expr.LowSince] = f.entry, float64(f.held), f.hi, f.lo
		v[expr.OpenProfit] = (mark - f.entry) / f.entry
		v[expr.Equity], v[expr.GrossExposure], v[expr.NetExposure] = equity, exposure, exposure
	}
	row := f.l.Start + i
	for k := range f.rules.Long.Exits {
		x := &f.rules.Long.Exits[k]
		switch {
		case x.Kind == strategy.ExitMaxBars && f.held >= x.MaxBars:
			f.exiting = true
		case x.Kind != strategy.ExitSignal:
		case f.static[k] != nil:
			f.exiting = f.exiting || f.static[k][row>>6]>>(row&63)&1 != 0
		default:
			f.exiting = f.exiting || f.bound.At(x.When, row, 1, &f.vars) == 1
		}
	}
	if !f.exiting && f.leveled {
		f.setLevels(i, 1)
	}
}

// prepare looks at what the exits need at a close.
func (f *loop) prepare() {
	f.static = f.static[:0]
	for k := range f.rules.Long.Exits {
		x := &f.rules.Long.Exits[k]
		f.static = append(f.static, nil)
		switch x.Kind {
		case strategy.ExitSignal:
			if f.rules.Program.Static(x.When) {
				f.static[k] = f.bound.True(x.When)
			} else {
				f.watching = true
			}
		case strategy.ExitStop, strategy.ExitTarget, strategy.ExitTrail:
			f.leveled, f.watching = true, true
		}
	}
}

// setLevels evaluates stops, targets and trailing stops with the columns of a row, for the next bar.
func (f *loop) setLevels(i int, ratio float64) {
	f.levels = fill.Levels{Stop: math.NaN(), Target: math.NaN()}
	row := f.l.Start + i
	for k := range f.rules.Long.Exits {
		x := &f.rules.Long.Exits[k]
		level := math.NaN()
		switch x.Kind {
		case strategy.ExitStop, strategy.ExitTarget:
			level = f.bound.At(x.Level, row, ratio, &f.vars)
		case strategy.ExitTrail:
			if level = f.hi * (1 - x.Fraction); x.Fraction == 0 {
				level = f.hi - f.bound.At(x.Level, row, ratio, &f.vars)
			}
		}
		if x.Kind == strategy.ExitTarget {
			if level == level && !(level >= f.levels.Target) {
				f.levels.Target = level
			}
			continue
		}
		if x.Kind == strategy.ExitTrail || x.Kind == strategy.ExitStop && x.Ratchet && level == level {
			if level == level && !(level <= f.memory[k]) {
				f.memory[k] = level
			}
			level = f.memory[k]
		}
		if level == level && !(level <= f.levels.Stop) {
			f.levels.Stop = level
		}
	}
}

func (f *loop) price(side order.Side, ref, limit float64, i int) float64 {
	return f.l.Config.Costs.Slippage.Within(side, ref, limit, fill.Taken{}, fill.Range{Low: f.b.Low[i], High: f.b.High[i]}, f.l.Config.Fills.SlippageClip)
}

// binds reports whether the volume cap cuts a fill of so many shares, in a row in which used filled already.
func (f *loop) binds(i int, shares, used, fraction float64) bool {
	return fraction > 0 && fill.Shares(fraction, f.b.Volume[i], used) < shares
}

// mark is the equity at the close of row i: it goes into the drawdown, and at the end of a session into the
// returns.
func (f *loop) mark(i int, equity float64) {
	if equity >= f.peak {
		f.peak = equity
	} else if equity < float64(f.dip*f.peak) {
		f.dip = equity / f.peak
	}
	f.day = f.t.day[i]
	if i+1 == f.t.n || f.t.day[i+1] != f.day {
		f.book(equity)
	}
}

// book counts a session that ended at an equity.
func (f *loop) book(equity float64) {
	r := (equity - f.base) / f.base
	f.s1 += r
	f.s2 += float64(r * r)
	f.sd += fall(r)
	if f.keep {
		f.returns[int(f.day)-f.t.first] = r
	}
	f.base, f.day = equity, -1
}

// flush counts the session of the last exit once a later one begins in row e.
func (f *loop) flush(e int) {
	if f.day >= 0 && f.t.day[e] != f.day {
		f.book(f.cash)
	}
}

// count counts the session of the last exit at the end.
func (f *loop) count() {
	if f.day >= 0 {
		f.book(f.cash)
	}
}

// spread writes the session returns.
func (f *loop) spread(dst []float64) { copy(dst, f.returns) }

// finish writes the metrics.
func (f *loop) finish(row []float64) {
	t, s := f.t, &f.sums
	s.Returns, s.Sum, s.Squares, s.Downside = len(t.axis.Dates)-1, f.s1, f.s2, f.sd
	s.Start, s.Drawdown, s.Days, s.PerYear, s.Bars = t.start, f.dip, t.days, t.perYear, int64(t.n-t.first)
	s.Final = f.cash + float64(f.qty*f.b.Close[t.n-1])
	s.Profit, s.Loss = f.profit.value(), f.loss.value()
	values := s.Basic().Values()
	copy(row, values[:])
}
