package backtest

import (
	"context"
	"math"
	"slices"

	"backtester/backtest/bar"
	"backtester/backtest/expr"
	"backtester/backtest/instrument"
	"backtester/backtest/order"
	"backtester/backtest/portfolio"
	"backtester/backtest/stats"
	"backtester/backtest/strategy"
)

// result turns what the engine kept into a Result.
func (e *engine) result(ctx context.Context, src bar.Source) (*Result, error) {
	m := e.m
	e.end()
	r := &Result{Schema: resultSchema, EngineVersion: EngineVersion, Strategy: e.cfg.Name, Config: e.cfg}
	r.Data = e.dataInfo(src)
	r.Equity = e.curveOf()
	stamps := e.stamps()
	r.Fills = e.fillsOf(stamps)
	r.FillsSHA256 = digestFills(r.Fills)
	r.Charges = e.chargesOf()
	all, closed := e.trades()
	r.Trades = make([]Trade, len(all))
	for k := range all {
		r.Trades[k] = e.tradeOf(&all[k], k >= closed, stamps)
	}
	r.Books = e.booksOf(all, closed)
	bench, err := e.benchmark(ctx, src)
	if err != nil {
		return nil, err
	}
	in := e.statistics(all, closed, bench)
	if r.Strategies = e.sleeves(&in); r.Strategies == nil {
		code := e.plays[0].code
		r.Script, r.Rebalance = code.describe(), code.rebalanced()
	}
	if bench != nil {
		r.Benchmark = e.benchmarkCurve(bench)
	}
	r.Metrics = stats.Later(in)
	explain(&e.counts, m, e.plays, e.taken)
	for k := range e.st {
		e.counts.Waiting += e.st[k].unfilled()
	}
	r.Counts = e.counts
	r.Path = "event: reference engine"
	r.Warnings = e.warnings(src, bench)
	r.Fingerprint, err = fingerprint(e.cfg, r.Data.SHA256)
	return r, err
}

// trades are those closed, so many, and those still open.
func (e *engine) trades() (all []portfolio.Trade, closed int) {
	open := e.books.Open(int32(len(e.m.time)-1), func(s int32) int32 { return e.st[s].row })
	return append(e.books.Closed, open...), len(e.books.Closed)
}

// end forgets what comes after ruin: nothing happened then.
func (e *engine) end() {
	if e.stopped {
		e.m.cut(int(e.t))
	}
}

// cut the steps after t off.
func (m *market) cut(t int) {
	m.time, m.date, m.session = m.time[:t+1], m.date[:t+1], m.session[:t+1]
}

// curveOf stamps the equity curve: element 0 is the start.
func (e *engine) curveOf() Curve {
	if len(e.m.ends) != len(e.curve) {
		e.m.ends = e.m.stampsOf(len(e.curve))
	}
	return Curve{Time: Times{Daily: e.m.daily, Nanos: e.m.ends}, Value: e.curve}
}

// stampsOf are the stamps of so many points of the curve.
func (m *market) stampsOf(points int) []int64 {
	if m.frame == bar.Daily && m.first > 0 {
		return m.time
	}
	ns := make([]int64, 0, points)
	if m.first == 0 {
		ns = append(ns, m.startStamp())
	}
	if m.frame == bar.Daily {
		return append(ns, m.time...)
	}
	for t := 0; t < len(m.time); {
		end, closing := int(m.sessionEnd(int32(t)))+1, m.closing(t)
		for ; t < end; t++ {
			ns = append(ns, m.endStamp(t, closing))
		}
	}
	return ns
}

// startStamp is the close before the first step.
func (m *market) startStamp() int64 {
	d := m.sessionStart()
	if m.daily {
		return d.Nanos()
	}
	if _, end, _, ok := m.cal.Hours(d); ok {
		return end
	}
	return m.time[0]
}

// endStamp is the stamp of the close of step t: the session date, or the instant the bar ends, at the
// latest the closing of its session, be it regular or extended, if it begins before that.
func (m *market) endStamp(t int, closing int64) int64 {
	if m.daily {
		return m.date[t].Nanos()
	}
	end := m.time[t] + int64(m.frame.Duration())
	if m.extended {
		_, closing, _ = m.cal.ExtendedHours(m.date[t])
	}
	if m.time[t] < closing {
		end = min(end, closing)
	}
	return end
}

// closing is the end of the regular session of step t.
func (m *market) closing(t int) int64 {
	_, closing, _, ok := m.cal.Hours(m.date[t])
	if !ok {
		return math.MinInt64
	}
	return closing
}

// goesOn reports whether the regular session of step t is still to come or not over when its bar ends. The clock
// says so, not whether another bar follows, which nobody knows then.
func (m *market) goesOn(t int) bool {
	if m.daily {
		return false
	}
	closing := m.closing(t)
	return m.endStamp(t, closing) < closing
}

// opened reports whether the regular session of step t has begun before its bar ends.
func (m *market) opened(t int) bool {
	open, closing, _, ok := m.cal.Hours(m.date[t])
	return ok && m.endStamp(t, closing) > open
}

// evening reports whether the extended hours of the session of step t are not over when its bar ends.
func (m *market) evening(t int) bool {
	_, closing, ok := m.cal.ExtendedHours(m.date[t])
	return ok && m.extended && m.endStamp(t, m.closing(t)) < closing
}

// stamp of step t for fills and trades: the session date, or the start of the bar.
func (m *market) stamp(t int32) string { return stamp(m.at(t), m.daily) }

// at is the time of step t, of the last one for those beyond it.
func (m *market) at(t int32) int64 { return m.time[min(int(t), len(m.time)-1)] }

func (e *engine) fillsOf(at *stamps) []Fill {
	out := make([]Fill, len(e.fills))
	for k := range e.fills {
		x := &e.fills[k]
		out[k] = Fill{Time: at.of(x.Step), Decided: at.of(x.decided), Symbol: e.m.syms[x.Sym].name,
			Strategy: e.strategyOf(x.Sym),
			Side:     sideWord(x.Side, x.entry), Quantity: x.Qty, Reference: x.Ref, Price: x.Price, Commission: x.Fee, Regulatory: x.levy,
			Slippage: math.Abs(x.Price-x.Ref) * x.Qty, Rule: string(x.rule), Reason: x.Reason}
	}
	return out
}

// sideWord tells an opening from a closing fill.
func sideWord(s order.Side, entry bool) string {
	switch {
	case s == order.Buy && entry:
		return "buy"
	case s == order.Buy:
		return "cover"
	case entry:
		return "short"
	}
	return "sell"
}

func (e *engine) tradeOf(t *portfolio.Trade, open bool, at *stamps) Trade {
	side := "long"
	if !t.Long {
		side = "short"
	}
	return Trade{Symbol: e.m.syms[t.Sym].name, Strategy: e.strategyOf(t.Sym), Side: side, Quantity: t.Qty,
		EntryTime: at.of(t.EntryStep), EntryPrice: t.EntryPrice, ExitTime: at.of(t.ExitStep), ExitPrice: t.ExitPrice,
		PnL: t.PnL, Return: t.PnL / t.Value, Commission: t.Fees, Dividends: t.Dividends, InLieu: t.InLieu, Borrow: t.Borrow, Bars: int(t.Bars),
		MAE: t.MAE, MFE: t.MFE, ExitReason: t.Reason, Open: open, Tag: e.tagAt(t.Tag)}
}

// booksOf adds up what moved the equity.
func (e *engine) booksOf(all []portfolio.Trade, closed int) *Books {
	f := &e.books.Flows
	return &Books{Start: e.books.Start, Closed: portfolio.SumTrades(all[:closed]).PnL, Open: portfolio.SumTrades(all[closed:]).PnL,
		Interest: f.Interest.Value(), Borrow: f.Borrow.Value(), End: e.books.Equity(),
		Commission: f.Commission.Value(), Dividends: f.Dividends.Value(), InLieu: f.InLieu.Value()}
}

// statistics is the input of package stats.
func (e *engine) statistics(all []portfolio.Trade, closed int, bench []float64) stats.Input {
	m, f := e.m, &e.books.Flows
	in := stats.Input{
		PeriodsPerYear: m.perYear(), RiskFreeAnnual: e.riskFree(), Benchmark: bench,
		InMarketBars: e.inMarket, TotalBars: int64(len(m.time) - m.first),
		Traded: f.Bought.Value() + f.Sold.Value(), Commission: f.Commission.Value(), Slippage: f.Slippage.Value(),
		Dividends: f.Dividends.Value(), Interest: f.Interest.Value(), Borrow: f.Borrow.Value(), Complete: !e.stopped,
	}
	in.Gross, in.Net = e.gross, e.netExposure()
	in.Concentration = e.weights.value(e.gross)
	in.VolumeShare, in.Capacity = e.liquidity()
	dates := m.date // of every point of the curves
	if m.first == 0 {
		dates = m.dates[:len(m.date)+1]
	}
	if m.daily { // every bar is a session
		in.Dates, in.Equity = dates, e.curve
	} else {
		in.BarEquity, in.BarDates = e.curve, dates
		e.sessions(func(d instrument.Date, k int) {
			in.Dates = append(in.Dates, d)
			in.Equity = append(in.Equity, e.curve[k])
		})
	}
	in.Trades = make([]stats.Trade, len(all))
	for k := range all {
		t := &all[k]
		in.Trades[k] = stats.Trade{Symbol: m.syms[t.Sym].name, Reason: t.Reason, PnL: t.PnL, Return: t.PnL / t.Value, EntryValue: t.Value,
			Commission: t.Fees, Bars: int(t.Bars), Entry: m.date[t.EntryStep], Exit: m.date[t.ExitStep], Long: t.Long, Open: k >= closed,
			MAE: t.MAE, MFE: t.MFE}
	}
	return in
}

// liquidity is the largest fill as a share of its bar's volume, and the least equity, over all fills, at
// which the fill would have been a tenth of it, were it to grow with the equity at the close before.
// Both are 0 when no bar that was traded had volume.
func (e *engine) liquidity() (share, capacity float64) {
	shift := int32(0)
	if e.m.first == 0 {
		shift = 1
	}
	for k := range e.fills {
		x := &e.fills[k]
		if !(x.volume > 0) || x.Step+shift < 1 {
			continue
		}
		part := x.Qty / x.volume
		share = max(share, part)
		if at := e.curve[x.Step+shift-1] * 0.1 / part; capacity == 0 || at < capacity {
			capacity = at
		}
	}
	return share, capacity
}

// perYear is how many session closes, or bars that are longer than a session, a year has.
func (m *market) perYear() float64 {
	switch m.frame.Unit {
	case bar.Week:
		return 52
	case bar.Month:
		return 12
	}
	return m.cal.SessionsPerYear()
}

// barsPerYear of the run's frame; within the day by those of a whole session.
func (m *market) barsPerYear() float64 {
	if m.daily {
		return m.perYear()
	}
	session := bar.Regular
	if m.extended {
		session = bar.Extended
	}
	return m.perYear() * float64(m.cal.SessionLength(session)) / float64(m.frame.Duration())
}

// sessions visits the start and then the last bar of each session: its date and its place in the
// curves.
func (e *engine) sessions(visit func(d instrument.Date, k int)) {
	m := e.m
	shift := 0
	if m.first == 0 {
		visit(m.sessionStart(), 0)
		shift = 1
	}
	for t := range m.time {
		if t+1 == len(m.time) || m.session[t+1] != m.session[t] {
			visit(m.date[t], t+shift)
		}
	}
}

// dataInfo says what the run stood on.
func (e *engine) dataInfo(src bar.Source) DataInfo {
	m := e.m.unique()
	warmup, decided := 0, false
	for k := range e.plays {
		rules := e.plays[k].rules
		warmup, decided = max(warmup, rules.Warmup), decided || rules.Long == nil && rules.Short == nil && rules.Rebalance == nil
	}
	d := DataInfo{Synthetic: src.Synthetic(), Warmup: warmup,
		From: m.date[min(m.first, len(m.date)-1)].String(), To: m.date[len(m.date)-1].String(),
		SHA256: e.m.digest(e.cfg)}
	if decided {
		d.Decision = Session(m.date[0].String()) // code alone decides, and is asked from the first bar on
	} else if first := e.firstDecision(); first >= 0 {
		d.Decision = Session(m.date[first].String())
	}
	d.Universe = m.universe
	if d.Universe == nil {
		d.Universe = m.standing(nil)
	}
	for i := range m.syms {
		s := &m.syms[i]
		d.Symbols = append(d.Symbols, s.name)
		d.Bars += int64(s.bars.Len())
		d.Coverage = append(d.Coverage, m.coverageOf(s))
	}
	return d
}

// firstDecision is the first step at which an entry, or a rebalance by rules, could be decided, -1 when none could. A
// condition such as `a and b` may be false while a still warms up: as long as it is absent at any later bar
// of its warm-up nothing could be decided.
func (e *engine) firstDecision() int {
	best := int32(math.MaxInt32)
	for i := range e.m.syms {
		s := &e.m.syms[i]
		rules, rows := e.plays[s.play].rules, int32(s.bars.Len())
		for _, side := range []*strategy.SideRules{rules.Long, rules.Short} {
			if side == nil {
				continue
			}
			absent := s.bound.Absent(side.Entry.When)
			from := s.begins(rules)
			warm := rules.Program.WarmupOf(side.Entry.When)
			for _, in := range rules.Program.Inputs() {
				if in.Symbol != "" {
					warm = max(warm, in.Warmup) // of bars of the other symbol, about as many as its own
				}
			}
			for r := min(rows, int32(warm)) - 1; r >= from; r-- {
				if absent[r>>6]>>(r&63)&1 != 0 {
					from = r + 1
				}
			}
			if r := nextIn(absent, ^uint64(0), from, rows); r < rows {
				best = min(best, s.at(r))
			}
		}
		if r := s.firstTarget(rules.Program, rules.Rebalance, s.begins(rules)); r < rows {
			best = min(best, s.at(r))
		}
	}
	if best == math.MaxInt32 {
		return -1
	}
	return min(int(best), len(e.m.time)-1)
}

// firstTarget is the first row from one on at which a rebalance by rules can say whether a symbol takes part, and
// with how much; the number of rows if there is none.
func (s *symbol) firstTarget(p *expr.Program, rules *strategy.RebalanceRules, from int32) int32 {
	if rules == nil {
		return int32(s.bars.Len())
	}
	return s.firstKnown(p, max(from, int32(rules.Settings.History())), rules.Where, rules.By, rules.Weights)
}

// firstKnown is the first row from one on at which none of some expressions is absent, the number of rows if there is none.
func (s *symbol) firstKnown(p *expr.Program, from int32, refs ...expr.Ref) int32 {
	rows := int32(s.bars.Len())
	for r := from; r < rows; r++ {
		if !slices.ContainsFunc(refs, func(ref expr.Ref) bool {
			if ref != 0 && p.Kind(ref) == expr.Bool {
				return s.bound.Absent(ref)[r>>6]>>(r&63)&1 != 0
			}
			return ref != 0 && math.IsNaN(s.bound.Column(ref)[r])
		}) {
			return r
		}
	}
	return rows
}

// firstReady is the first step at which a symbol of a script has a value of every signal, 0 without signals.
func (e *engine) firstReady(by *play) int {
	p := by.rules.Program
	var refs []expr.Ref
	for _, x := range by.cfg.Signals {
		if ref, ok := p.SignalRef(x.Name); ok {
			refs = append(refs, ref)
		}
	}
	best := int32(len(e.m.time))
	for i := range e.m.syms {
		s := &e.m.syms[i]
		if &e.plays[s.play] != by {
			continue
		}
		if r := s.firstKnown(p, s.rowsBefore(0), refs...); r < int32(s.bars.Len()) {
			best = min(best, s.at(r))
		}
	}
	return int(best)
}

func (m *market) coverageOf(s *symbol) Coverage {
	b := s.bars
	n := b.Len()
	first, last := m.cal.DateOf(b.Time[0]), m.dateOf(b.Time[n-1])
	if m.daily {
		first = instrument.DateOfNanos(b.Time[0])
	}
	c := Coverage{Symbol: s.name, First: first.String(), Last: last.String(), Bars: n, Warm: b.Warm}
	if m.frame == bar.Daily {
		c.Missing = max(0, m.cal.Count(first, last)-n)
	}
	switch {
	case last >= m.date[len(m.date)-1]:
	case m.gone(b):
		c.Ended = "delisted"
	case last >= m.date[min(m.last, len(m.date)-1)]:
	case b.Later:
		c.Ended = "not traded"
	default:
		c.Ended = "data ended"
	}
	return c
}
