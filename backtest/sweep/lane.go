package sweep

import (
	"context"
	"math"
	"sync"

	"backtester/backtest"
	"backtester/backtest/expr"
	"backtester/backtest/fill"
	"backtester/backtest/instrument"
	"backtester/backtest/order"
	"backtester/backtest/parallel"
	"backtester/backtest/portfolio"
	"backtester/backtest/stats"
)

// lanes are the tables of symbols, made when the first piece of work needs them.
type lanes struct {
	mu   sync.Mutex
	made map[string]*lane
	rows int // of all of them, about
}

// laneBytes is what the tables of a row take, about.
const laneBytes = 520

// lane is one symbol as the sparse paths see it. Rows count from the first that decides; prices are in one
// share basis, so that a position is one number of shares from entry to exit. Immutable once made.
type lane struct {
	once sync.Once
	err  error
	plan *Plan

	n       int // rows
	first   int // 1 where row 0 only decides, 0 where it trades as well
	start   float64
	rate    float64 // commission, a fraction of the traded value
	close   []float64
	low     []float64
	high    []float64
	open    []float64
	buy     []float64 // price of an entry at the open, after slippage
	sell    []float64 // price of an exit there
	in      []entering
	out     []leaving
	r1      []float64 // sums of close-to-close returns up to a row, of their squares, and of falls
	r2      []float64
	rd      []float64
	ranges  *ranges
	passes  passes
	day     []int32   // number of each row's session, counted from that of row 0
	gap     []uint64  // rows after which a day order finds no session of the symbol
	gaps    bool      // there are any
	pays    []int32   // dividends up to a row; nil without any
	factor  []float64 // shares in this row's basis for one in the constant basis; nil without splits
	volume  []float64 // of the cap; nil without one
	capped  float64   // fraction of it at the open
	within  float64   // and between open and close
	days    float64
	perYear float64
	axis    *Axis
	date    []instrument.Date
}

// entering at the open of a row: shares for a dollar, and what the row adds to the sums.
type entering struct{ shares, r1, r2, rd, price float64 }

// leaving at the open of a row: dollars for a share, and what the row adds to the sums.
type leaving struct{ dollars, r1, r2, rd, price float64 }

// lane is that of a symbol, made by a crew. where it is read from is the same for every length of history.
func (p *Plan) lane(ctx context.Context, l *backtest.Lane, crew int) (*lane, error) {
	p.lanes.mu.Lock()
	t := p.lanes.made[l.Symbol]
	if t == nil {
		if p.lanes.made == nil || int64(p.lanes.rows)*laneBytes > p.room/8 { // old ones are made again when needed
			p.lanes.made, p.lanes.rows = map[string]*lane{}, 0
		}
		t = &lane{plan: p}
		p.lanes.made[l.Symbol] = t
		p.lanes.rows += l.Bars.Len()
	}
	p.lanes.mu.Unlock()
	t.once.Do(func() { t.fill(l, crew) })
	return t, t.err
}

func (t *lane) fill(l *backtest.Lane, crew int) {
	cfg, b := l.Config, l.Bars.Slice(l.Start, l.Bars.Len())
	t.n, t.first, t.start, t.rate = b.Len(), l.First-l.Start, cfg.Account.Cash, cfg.Costs.Commission.BPS/1e4
	t.perYear, t.date = l.PerYear, l.Date
	t.days = float64(l.Date[t.n-1]) - float64(l.Base)
	t.axis = &Axis{Dates: l.Sessions()}
	t.open, t.high, t.low, t.close = b.Open, b.High, b.Low, b.Close
	t.buy, t.sell = make([]float64, t.n), make([]float64, t.n)
	for i := range t.n {
		t.buy[i], t.sell[i] = t.price(cfg, order.Buy, b.Open[i], i), t.price(cfg, order.Sell, b.Open[i], i)
	}
	t.actions(l)
	if c := cfg.Costs.VolumeCap; c != (fill.VolumeCap{}) && !b.NoVolume {
		t.volume, t.capped, t.within = b.Volume, c.Open, c.Bar
	}
	t.gap = make([]uint64, (t.n+63)/64)
	for i := range t.n - 1 {
		if s := l.Session; s[i+1] != s[i] && s[i+1] > l.DayOrder(i)+int32(t.plan.rules.Long.Entry.Settings.MaxWait) {
			t.gap[i>>6] |= 1 << (i & 63)
			t.gaps = true
		}
	}
	parallel.Each(crew, 3, func(k int) {
		switch k {
		case 0:
			t.sums()
		case 1:
			t.ranges = newRanges(t.close, crew)
		case 2:
			t.passes = newPasses(t.low, t.high)
		}
	})
	t.day = make([]int32, t.n)
	for i := 1; i < t.n; i++ {
		t.day[i] = t.day[i-1]
		if l.Session[i] != l.Session[i-1] {
			t.day[i]++
		}
	}
}

// price after slippage of a fill in row i, which does not depend on its size.
func (t *lane) price(cfg *backtest.Config, side order.Side, ref float64, i int) float64 {
	p := cfg.Costs.Slippage.Price(side, ref, fill.Taken{})
	if cfg.Fills.SlippageClip {
		p = max(t.low[i], min(t.high[i], p))
	}
	return p
}

// actions brings prices to one share basis and counts dividends.
func (t *lane) actions(l *backtest.Lane) {
	if l.Bars.Adjusted {
		return
	}
	splits, divs := l.Bars.Actions.Splits, l.Bars.Actions.Dividends
	if len(splits)+len(divs) == 0 {
		return
	}
	f, moved := 1.0, false
	factor, pays, paid := make([]float64, t.n), make([]int32, t.n), int32(0)
	s, d := 0, 0
	for i := range t.n {
		for ; s < len(splits) && splits[s].Ex <= l.Date[i]; s++ {
			if i > 0 {
				f *= splits[s].To / splits[s].From
				moved = true
			}
		}
		for ; d < len(divs) && divs[d].Ex <= l.Date[i]; d++ {
			if i > 0 {
				paid++
			}
		}
		factor[i], pays[i] = f, paid
	}
	if paid > 0 {
		t.pays = pays
	}
	if !moved {
		return
	}
	t.factor = factor
	for _, c := range []*[]float64{&t.open, &t.high, &t.low, &t.close, &t.buy, &t.sell} {
		x := make([]float64, t.n)
		for i, v := range *c {
			x[i] = v * factor[i]
		}
		*c = x
	}
}

// sums lays out what entries, exits and the rows between them add.
func (t *lane) sums() {
	t.r1, t.r2, t.rd = make([]float64, t.n), make([]float64, t.n), make([]float64, t.n)
	var s1, s2, sd compensated
	for i := 1; i < t.n; i++ {
		r := (t.close[i] - t.close[i-1]) / t.close[i-1]
		s1.add(r)
		s2.add(float64(r * r))
		sd.add(fall(r))
		t.r1[i], t.r2[i], t.rd[i] = s1.value(), s2.value(), sd.value()
	}
	t.in, t.out = make([]entering, t.n), make([]leaving, t.n)
	for i := range t.n {
		shares := 1 / (t.buy[i] * (1 + t.rate))
		r := float64(t.close[i]*shares) - 1
		t.in[i] = entering{shares, r - t.r1[i], float64(r*r) - t.r2[i], fall(r) - t.rd[i], t.buy[i]}
		if i == 0 {
			continue
		}
		dollars := t.sell[i] * (1 - t.rate)
		r = dollars/t.close[i-1] - 1
		t.out[i] = leaving{dollars, r + t.r1[i-1], float64(r*r) + t.r2[i-1], fall(r) + t.rd[i-1], t.sell[i]}
	}
}

// fall is min(r, 0)^2, without a branch.
func fall(r float64) float64 {
	d := (r - math.Abs(r)) / 2
	return float64(d * d)
}

// compensated adds numbers and the rounding errors of adding them.
type compensated struct{ s, c float64 }

func (k *compensated) add(x float64) {
	t := k.s + x
	b := t - k.s
	k.c += (k.s - (t - b)) + (x - b)
	k.s = t
}

func (k *compensated) value() float64 { return k.s + k.c }

// tally is a combination on its way through a lane: a position that is all of the cash, or none.
type tally struct {
	equity     float64 // cash, while flat; at the entry, while held
	peak       float64 // highest equity at a close so far
	low        float64 // lowest
	dip        float64 // lowest equity at a close as a fraction of the highest before
	s1, s2, sd float64
	profit     float64
	loss       float64
	trades     int32
	wins       int32
	market     int32 // rows with a position
	entered    int32 // row of the entry; -1 while flat
	relate     int32 // in the sorted path: the sign of left number - right number, or unknown
}

func (t *lane) begin() tally {
	return tally{equity: t.start, peak: t.start, low: t.start, dip: 1, entered: -1, relate: unknown}
}

// leave closes the position at the open of row x.
func (t *lane) leave(a *tally, x int) {
	e := int(a.entered)
	in, out := &t.in[e], &t.out[x]
	shares := a.equity * in.shares
	a.hold(shares, t.ranges.of(e, x-1))
	a.s1 += in.r1 + out.r1
	a.s2 += in.r2 + out.r2
	a.sd += in.rd + out.rd
	t.settle(a, shares, in.price, out.price, float64(shares*out.dollars))
	a.market += int32(x - e + 1)
}

// leaveAt closes it within row x, or at its open, at a price after slippage.
func (t *lane) leaveAt(a *tally, x int, price float64) {
	e := int(a.entered)
	in := &t.in[e]
	shares := a.equity * in.shares
	dollars := price * (1 - t.rate)
	if x == e {
		r := float64(dollars*in.shares) - 1
		a.s1 += r
		a.s2 += float64(r * r)
		a.sd += fall(r)
	} else {
		a.hold(shares, t.ranges.of(e, x-1))
		r := dollars/t.close[x-1] - 1
		a.s1 += in.r1 + (r + t.r1[x-1])
		a.s2 += in.r2 + (float64(r*r) + t.r2[x-1])
		a.sd += in.rd + (fall(r) + t.rd[x-1])
	}
	t.settle(a, shares, t.buy[e], price, float64(shares*dollars))
	a.market += int32(x - e + 1)
}

// hold adds the closes of a position to the drawdown.
func (a *tally) hold(shares float64, x extent) {
	lo := shares * x.lo
	if lo < float64(a.dip*a.peak) {
		a.dip = lo / a.peak
	}
	a.low = min(a.low, lo)
	a.dip = min(a.dip, x.dip)
	a.peak = max(a.peak, shares*x.hi)
}

// settle books a closed trade.
func (t *lane) settle(a *tally, shares, bought, sold, cash float64) {
	paid, got := shares*bought, shares*sold
	pnl := portfolio.Gain(paid, got)
	if t.rate != 0 {
		pnl = pnl - float64(paid*t.rate) - float64(got*t.rate)
	}
	// Without branches: whether a trade wins is as good as chance to a processor.
	a.trades++
	a.wins += int32(math.Float64bits(0-pnl) >> 63)
	won := (pnl + math.Abs(pnl)) / 2
	a.profit += won
	a.loss += pnl - won
	if cash < float64(a.dip*a.peak) {
		a.dip = cash / a.peak
	}
	a.peak, a.low = max(a.peak, cash), min(a.low, cash)
	a.equity, a.entered = cash, -1
}

// then adds b, which began flat with an equity of 1, to a, which is flat.
func (a *tally) then(b *tally) {
	a.hold(a.equity, extent{b.peak, b.low, b.dip})
	a.s1, a.s2, a.sd = a.s1+b.s1, a.s2+b.s2, a.sd+b.sd
	a.profit += float64(a.equity * b.profit)
	a.loss += float64(a.equity * b.loss)
	a.trades, a.wins, a.market = a.trades+b.trades, a.wins+b.wins, a.market+b.market
	a.equity, a.entered = a.equity*b.equity, b.entered
}

// finish marks an open position at the last close and writes the metrics.
func (t *lane) finish(a *tally, row []float64) {
	final := a.equity
	if e := int(a.entered); e >= 0 {
		in, last := &t.in[e], t.n-1
		shares := a.equity * in.shares
		a.hold(shares, t.ranges.of(e, last))
		a.s1 += in.r1 + t.r1[last]
		a.s2 += in.r2 + t.r2[last]
		a.sd += in.rd + t.rd[last]
		a.market += int32(t.n - e)
		final = shares * t.close[last]
	}
	s := stats.Sums{Returns: t.n - t.first, Sum: a.s1, Squares: a.s2, Downside: a.sd, Start: t.start, Final: final, Drawdown: a.dip,
		Days: t.days, PerYear: t.perYear, Trades: int(a.trades), Wins: int(a.wins), Profit: a.profit, Loss: a.loss,
		InMarket: int64(a.market), Bars: int64(t.n - t.first)}
	values := s.Basic().Values()
	copy(row, values[:])
}

// pays reports whether a position from row e to row x gets a dividend.
func (t *lane) paid(e, x int) bool { return t.pays != nil && t.pays[x] > t.pays[e] }

// binds reports whether the volume cap cuts a fill of so many shares of the constant basis, in a row in which
// used filled already.
func (t *lane) binds(row int, shares, used, fraction float64) bool {
	if t.volume == nil {
		return false
	}
	if t.factor != nil {
		shares, used = shares*t.factor[row], used*t.factor[row]
	}
	return fill.Shares(fraction, t.volume[row], used) < shares
}

// bits of a condition by rows of the lane.
type rowBits struct {
	words []uint64
	start int // row 0
	n     int
}

// next is the first row >= from that is set, n when there is none.
func (b rowBits) next(from int) int {
	at := from + b.start
	w := at >> 6
	if w >= len(b.words) {
		return b.n
	}
	word := b.words[w] &^ (1<<(at&63) - 1)
	for word == 0 {
		if w++; w >= len(b.words) {
			return b.n
		}
		word = b.words[w]
	}
	return w<<6 + trailing(word) - b.start
}

func bitsOf(b *expr.Bound, r expr.Ref, start, n int) rowBits { return rowBits{b.True(r), start, n} }
