package backtest

import (
	"cmp"
	"math"
	"slices"

	"backtester/backtest/order"
	"backtester/backtest/strategy"
	"backtester/backtest/strategy/hook"
)

// A rebalance by rules decides the way a script does: it is asked at the last close of a period, and its
// targets become orders as those of a script do. Nothing below places an order.

// RebalanceInfo says how often a portfolio was rebalanced, and how much of it was turned over.
type RebalanceInfo struct {
	Count    int       `json:"count"`
	Traded   float64   `json:"traded"`   // mean of turnover
	Time     Times     `json:"time"`     // of the closes that decided
	Held     []int32   `json:"held"`     // symbols with a target other than 0
	Turnover []float64 `json:"turnover"` // one way: half of what the targets buy and sell, as a fraction of equity
	Gross    []float64 `json:"gross"`    // sum of the target weights without their signs
}

// rebalancer brings a portfolio to target weights.
type rebalancer struct {
	e       *engine
	by      *play
	rules   *strategy.RebalanceRules
	info    RebalanceInfo
	target  []float64 // weight of each symbol of the market at the last rebalance
	chosen  []chosen  // of this close
	weights []float64 // of chosen, in its order
	cov     []float64
	rows    []int32
	returns []float64
	out     []hook.Intent
	started bool
}

// chosen is a symbol that takes part.
type chosen struct {
	sym, row int32
	by       float64
	short    bool
}

func newRebalancer(e *engine, by *play, rules *strategy.RebalanceRules) *rebalancer {
	r := &rebalancer{e: e, by: by, rules: rules, target: make([]float64, len(e.m.syms))}
	r.started = !rules.Settings.Start
	r.info.Time.Daily = e.m.daily
	return r
}

// Every is the period of the settings.
func (r *rebalancer) Every() hook.Period {
	switch r.rules.Settings.Every {
	case "never":
		return hook.Never
	case "day":
		return hook.Session
	}
	return hook.Period(r.rules.Settings.Every)
}

// OnRebalance sets targets at the end of a period.
func (r *rebalancer) OnRebalance(now *hook.View) ([]hook.Intent, error) { return r.aim(now), nil }

// OnBar sets targets at the start, and when something held has drifted too far. A period that ended at
// this close has set them already.
func (r *rebalancer) OnBar(now *hook.View) ([]hook.Intent, error) {
	if n := len(r.info.Time.Nanos); n > 0 && r.info.Time.Nanos[n-1] == r.stamp() {
		return nil, nil
	}
	if !r.started || r.drifted() {
		return r.aim(now), nil
	}
	return nil, nil
}

// stamp of this close.
func (r *rebalancer) stamp() int64 { return r.e.m.endStamp(int(r.e.t), r.e.m.closing(int(r.e.t))) }

// drifted reports whether something held is further from its target than the settings allow. What is not
// held is not looked at: an order that could not be filled, or a way out, is no drift.
func (r *rebalancer) drifted() bool {
	limit := r.rules.Settings.Drift
	if limit == 0 {
		return false
	}
	for _, i := range r.e.books.Held {
		if !r.e.apart(i, r.by.bounds.play) && math.Abs(r.weight(i)-r.target[i]) > limit {
			return true
		}
	}
	return false
}

// weight of a position at this close.
func (r *rebalancer) weight(i int32) float64 {
	p := &r.e.books.Pos[i]
	return p.Qty * p.Mark / r.equity()
}

// equity of which the weights are fractions.
func (r *rebalancer) equity() float64 { return r.e.equity * r.by.share }

// symbols of the strategy, as its code counts them.
func (r *rebalancer) symbols() int {
	if r.by.legs == nil {
		return len(r.target)
	}
	return len(r.by.legs)
}

// aim chooses who takes part, weighs them, and says what to bring each to. Without anyone all is closed;
// without an answer to how much all is left alone.
func (r *rebalancer) aim(now *hook.View) []hook.Intent {
	r.out = r.out[:0]
	r.e.adoptAll()
	r.choose(now)
	if !r.weigh() || len(r.chosen) == 0 && !r.started {
		return nil
	}
	r.started = true
	set := &r.rules.Settings
	turnover, gross, k := 0.0, 0.0, 0
	aimed := 0
	for of := range r.symbols() {
		i := r.by.leg(of)
		want, price, current := 0.0, now.Last(of, hook.Close), r.weight(i)
		in := hook.Intent{Do: hook.Target, Symbol: of, MaxWait: r.rules.MaxWait}
		if k < len(r.chosen) && r.chosen[k].sym == i {
			amount := r.weights[k]
			k++
			switch want = amount; set.Unit {
			case order.OfMoney:
				in.Value, want = amount, amount/r.equity()
			case order.OfShares:
				in.Shares, want = amount, amount*price/r.equity()
			default:
				in.Weight = amount
			}
		} else if current == 0 && !r.e.st[i].working {
			r.target[i] = 0
			continue
		} else if !now.Traded(of) {
			continue // without a bar it is left as it is
		}
		r.target[i] = want
		if want != 0 {
			aimed++
		}
		gross += math.Abs(want)
		if want != 0 && current != 0 && math.Abs(want-current) <= set.Band {
			continue
		}
		turnover += math.Abs(want - current)
		in.Rank = math.Abs(want)
		r.out = append(r.out, in)
	}
	r.info.Count++
	r.info.Time.Nanos = append(r.info.Time.Nanos, r.stamp())
	r.info.Held = append(r.info.Held, int32(aimed))
	r.info.Turnover = append(r.info.Turnover, turnover/2)
	r.info.Gross = append(r.info.Gross, gross)
	return r.out
}

// choose lists who takes part, by symbol: members that traded in this bar, that meet the condition, of
// these the buckets.
func (r *rebalancer) choose(now *hook.View) {
	set, e := &r.rules.Settings, r.e
	r.chosen = r.chosen[:0]
	for of := range r.symbols() {
		if !now.Traded(of) || !now.Member(of) {
			continue
		}
		i := r.by.leg(of)
		c := chosen{sym: i, row: e.m.syms[i].rowsBefore(e.t+1) - 1}
		bound := e.m.syms[i].bound
		if ref := r.rules.Where; ref != 0 && bound.True(ref)[c.row>>6]>>(c.row&63)&1 == 0 {
			continue
		}
		if ref := r.rules.By; ref != 0 {
			if c.by = bound.Column(ref)[c.row]; math.IsNaN(c.by) {
				e.refuse(order.AbsentRank)
				continue
			}
		}
		if set.History() > 0 && !(e.m.syms[i].volatility(int(c.row), set.Lookback) > 0) {
			e.refuse(order.AbsentWeight)
			continue
		}
		r.chosen = append(r.chosen, c)
	}
	r.buckets()
}

// buckets keeps the highest and the lowest. Nobody is in both: the top comes first.
func (r *rebalancer) buckets() {
	set := &r.rules.Settings
	if set.Top == 0 && set.Bottom == 0 {
		return
	}
	slices.SortFunc(r.chosen, func(a, b chosen) int { return cmp.Or(cmp.Compare(b.by, a.by), cmp.Compare(a.sym, b.sym)) })
	n := len(r.chosen)
	top := min(set.Top, n)
	low := min(set.Bottom, n-top)
	if low > 0 { // of equal ones at the lower edge the first by symbol are the lowest, as they are the highest above
		slices.SortFunc(r.chosen[top:], func(a, b chosen) int { return cmp.Or(cmp.Compare(a.by, b.by), cmp.Compare(a.sym, b.sym)) })
	}
	r.chosen = r.chosen[:top+low]
	for k := top; k < len(r.chosen); k++ {
		r.chosen[k].short = true
	}
	slices.SortFunc(r.chosen, func(a, b chosen) int { return cmp.Compare(a.sym, b.sym) })
}

// weigh sets the weights of the chosen. False if the rules could not say.
func (r *rebalancer) weigh() bool {
	set, e := &r.rules.Settings, r.e
	r.weights = r.weights[:0]
	keep := r.chosen[:0]
	for _, c := range r.chosen {
		w := 1.0
		switch {
		case r.rules.Weights != 0:
			w = e.m.syms[c.sym].bound.Column(r.rules.Weights)[c.row]
			if math.IsNaN(w) || math.IsInf(w, 0) {
				e.refuse(order.AbsentWeight)
				continue
			}
			if w < 0 && !e.shortable() {
				e.refuse(order.NoMargin)
				continue
			}
		case set.Weights == order.InverseVolatility:
			w = 1 / e.m.syms[c.sym].volatility(int(c.row), set.Lookback)
		}
		if c.short {
			w = -w
		}
		if w != 0 {
			keep = append(keep, c)
			r.weights = append(r.weights, w)
		}
	}
	r.chosen = keep
	if len(keep) == 0 || set.Unit != order.Proportional {
		return true
	}
	if set.Weights == order.RiskParity && !r.parity() {
		e.refuse(order.AbsentWeight)
		return false
	}
	return r.scale()
}

// scale brings weights to gross less the buffer, with both buckets half of it to each side.
func (r *rebalancer) scale() bool {
	set := &r.rules.Settings
	total := set.Gross * (1 - set.Buffer)
	if set.Top == 0 || set.Bottom == 0 {
		return order.Scale(r.weights, total)
	}
	sums := [2]float64{}
	for k, c := range r.chosen {
		sums[side(c.short)] += math.Abs(r.weights[k])
	}
	for k, c := range r.chosen {
		if sum := sums[side(c.short)]; sum > 0 {
			r.weights[k] = total / 2 * (r.weights[k] / sum) // halves that are equal, whatever rounds
		}
	}
	return true
}

func side(short bool) int {
	if short {
		return 1
	}
	return 0
}

// parity weighs each side of the chosen so that all contribute the same risk, by the returns between the
// bars that all of it have among the last of each.
func (r *rebalancer) parity() bool {
	for _, short := range []bool{false, true} {
		var of []int
		for k, c := range r.chosen {
			if c.short == short {
				of = append(of, k)
			}
		}
		if len(of) == 0 {
			continue
		}
		n := r.common(of)
		if n < 3 || 2*n < r.rules.Settings.Lookback {
			return false
		}
		r.covariances(len(of), n)
		w := make([]float64, len(of))
		for k := range w {
			if !(r.cov[k*len(w)+k] > 1e-12*1e-12) { // the square of such a volatility
				return false
			}
		}
		if !order.Parity(w, r.cov) {
			return false
		}
		for k, x := range w {
			r.weights[of[k]] = x * (1 - 2*float64(side(short)))
		}
	}
	return true
}

// common fills in the returns of the given of the chosen between the bars that all of them have among the
// last Lookback+1 of each, and says how many there are.
func (r *rebalancer) common(of []int) int {
	look := r.rules.Settings.Lookback
	r.returns = r.returns[:0]
	first := &r.e.m.syms[r.chosen[of[0]].sym]
	last := r.chosen[of[0]].row
	r.rows = r.rows[:0]
	n := 0
	before := make([]int32, len(of)) // rows of the common bar before
	at := make([]int32, len(of))
	for k, o := range of {
		at[k] = max(0, r.chosen[o].row-int32(look))
	}
	for row := max(0, last-int32(look)); row <= last; row++ {
		ns, all := first.bars.Time[row], true
		for k, o := range of {
			c := &r.chosen[o]
			t := r.e.m.syms[c.sym].bars.Time
			for at[k] < c.row && t[at[k]] < ns {
				at[k]++
			}
			all = all && t[at[k]] == ns
		}
		if !all {
			continue
		}
		if n++; n > 1 {
			for k, o := range of {
				r.returns = append(r.returns, r.e.m.syms[r.chosen[o].sym].change(int(before[k]), int(at[k])))
			}
		}
		copy(before, at)
	}
	return max(0, n-1)
}

// covariances of n returns of so many symbols.
func (r *rebalancer) covariances(symbols, n int) {
	r.cov = append(r.cov[:0], make([]float64, symbols*symbols)...)
	mean := make([]float64, symbols)
	for i := range r.returns {
		mean[i%symbols] += r.returns[i] / float64(n)
	}
	for t := range n {
		x := r.returns[t*symbols:][:symbols]
		for i := range x {
			for j := range x {
				r.cov[i*symbols+j] += float64((x[i]-mean[i])*(x[j]-mean[j])) / float64(n-1)
			}
		}
	}
}

// describe is what the result says of the rebalancing; nil without one.
func (r *rebalancer) describe() *RebalanceInfo {
	if r == nil {
		return nil
	}
	for _, x := range r.info.Turnover {
		r.info.Traded += x / float64(len(r.info.Turnover))
	}
	return &r.info
}

// shortable reports whether the account may sell short.
func (e *engine) shortable() bool { return e.cfg.Account.Kind != "cash" }

// change is the return of a symbol between two rows, as expressions see prices.
func (s *symbol) change(then, now int) float64 {
	x := s.bars.Close[now] / s.bars.Close[then]
	if p := s.basis.Price; p != nil {
		x *= p[now] / p[then]
	}
	return x - 1
}

// volatility is the standard deviation (n-1) of the last n returns up to a row; NaN with fewer, and 0 where rounding
// is all that moves.
func (s *symbol) volatility(row, n int) float64 {
	if row < n {
		return math.NaN()
	}
	sum := 0.0
	for k := row - n + 1; k <= row; k++ {
		sum += s.change(k-1, k)
	}
	mean, ss := sum/float64(n), 0.0
	for k := row - n + 1; k <= row; k++ {
		d := s.change(k-1, k) - mean
		ss += float64(d * d)
	}
	if v := math.Sqrt(ss / float64(n-1)); v > 1e-12 {
		return v
	}
	return 0
}
