package stats

import (
	"cmp"
	"math"
	"slices"

	"backtester/backtest/instrument"
)

// Flow is what trading moved on one session.
type Flow struct {
	Date   instrument.Date
	Traded float64 // USD, positive
	Cost   float64 // USD lost to commission and slippage, positive
}

// BySession sums flows up by the sessions of dates; flows of other dates go to the session after.
// Cost: O(dates + flows), which are in the order of time.
func BySession(dates []instrument.Date, flows []Flow) (traded, cost []float64) {
	traded, cost = make([]float64, len(dates)), make([]float64, len(dates))
	t := 0
	for _, f := range flows {
		for t+1 < len(dates) && dates[t] < f.Date {
			t++
		}
		if len(dates) > 0 {
			traded[t] += f.Traded
			cost[t] += f.Cost
		}
	}
	return traded, cost
}

// CostPoint is a run as if trading had cost more.
type CostPoint struct {
	Extra                     float64 // of every dollar traded, fraction
	TotalReturn, CAGR, Sharpe float64 // NaN where undefined
}

// CostSweep charges extra on what was traded at each session, as a fraction of the equity before it:
// the same trades in the same proportion to equity, exact while sizes follow equity. traded is as
// long as in.Equity. Cost: O(sessions x extras).
func CostSweep(in *Input, traded, extras []float64) []CostPoint {
	out := make([]CostPoint, 0, len(extras))
	worse := Input{Dates: in.Dates, PeriodsPerYear: in.PeriodsPerYear, RiskFreeAnnual: in.RiskFreeAnnual, Complete: true}
	var scratch []float64
	for _, x := range extras {
		worse.Equity = append(worse.Equity[:0], in.Equity[:min(1, len(in.Equity))]...)
		for t := 1; t < len(in.Equity) && in.Equity[t-1] > 0; t++ {
			r := change(in.Equity[t-1], in.Equity[t]) - x*traded[t]/in.Equity[t-1]
			worse.Equity = append(worse.Equity, worse.Equity[t-1]*(1+math.Max(r, -1)))
		}
		worse.Dates = in.Dates[:len(worse.Equity)]
		var b Basic
		b, scratch = ComputeBasic(&worse, scratch)
		out = append(out, CostPoint{x, b.TotalReturn, b.CAGR, b.Sharpe})
	}
	return out
}

// BreakEven is the extra cost at which the total return of a sweep crosses zero, linear between its
// points, the first of which has no extra cost: NaN when it is not positive there, or positive
// throughout.
func BreakEven(sweep []CostPoint) float64 {
	for k := 1; k < len(sweep); k++ {
		a, b := sweep[k-1], sweep[k]
		if a.TotalReturn > 0 && b.TotalReturn <= 0 {
			return a.Extra + (b.Extra-a.Extra)*a.TotalReturn/(a.TotalReturn-b.TotalReturn)
		}
	}
	return math.NaN()
}

// WithoutBest is the total return without the share p of sessions that were best, and how many those
// are: at least one. NaN without a return.
func WithoutBest(equity []float64, p float64) (total float64, sessions int) {
	return withoutBest(Returns(nil, equity), p)
}

// withoutBest is WithoutBest of returns, which it puts out of order.
func withoutBest(r []float64, p float64) (total float64, sessions int) {
	if len(r) == 0 {
		return math.NaN(), 0
	}
	sessions = min(len(r), max(1, int(math.Ceil(p*float64(len(r))))))
	part(r, len(r)-sessions)
	total = 1
	for _, v := range r[:len(r)-sessions] {
		total *= 1 + v
	}
	return total - 1, sessions
}

// Start is what a run would have shown had it begun later.
type Start struct {
	From instrument.Date // the session whose close it starts at
	Basic
}

// Starts are the curve from its beginning and from the last session before each later calendar year,
// while at least a quarter of a year is left. Cost: O(years x sessions).
func Starts(in *Input) []Start {
	var out []Start
	var scratch []float64
	for t := range in.Dates {
		first := t == 0
		turn := t+1 < len(in.Dates) && in.Dates[t].Time().Year() != in.Dates[t+1].Time().Year()
		if !first && !turn || len(in.Dates)-t < 64 && !first || !(in.Equity[t] > 0) {
			continue
		}
		part := Input{Dates: in.Dates[t:], Equity: in.Equity[t:], PeriodsPerYear: in.PeriodsPerYear, RiskFreeAnnual: in.RiskFreeAnnual, Complete: true}
		s := Start{From: in.Dates[t]}
		s.Basic, scratch = ComputeBasic(&part, scratch)
		out = append(out, s)
	}
	return out
}

// Held is what was in the market at each session close, by the value of positions at their entry.
type Held struct {
	Long, Short []float64 // fractions of equity, Short positive
	Positions   []int     // symbols held, long and short apart; a trade without a symbol counts by itself
}

// stay is how long a trade held its symbol: from one session to the one before another.
type stay struct {
	symbol   string
	long     bool
	from, to int
}

// HeldOf counts each trade from its entry session to the session before its exit, to the end while
// open; trades that hold one symbol together are one position. Trades within one session leave no trace.
// Cost: O(trades log trades + sessions).
func HeldOf(dates []instrument.Date, equity []float64, trades []Trade) Held {
	n := len(dates)
	h := Held{Long: make([]float64, n), Short: make([]float64, n), Positions: make([]int, n)}
	long, short, count := make([]float64, n+1), make([]float64, n+1), make([]int, n+1)
	var stays []stay
	for i := range trades {
		t := &trades[i]
		from, to := firstFrom(dates, t.Entry), n
		if !t.Open {
			to = firstFrom(dates, t.Exit)
		}
		if from >= to {
			continue
		}
		side := long
		if !t.Long {
			side = short
		}
		side[from] += t.EntryValue
		side[to] -= t.EntryValue
		stays = append(stays, stay{t.Symbol, t.Long, from, to})
	}
	slices.SortFunc(stays, func(a, b stay) int {
		if a.symbol == b.symbol && a.long != b.long {
			if a.long {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.symbol, b.symbol), cmp.Compare(a.from, b.from))
	})
	for i, x := range stays {
		if i > 0 && x.symbol != "" && stays[i-1].symbol == x.symbol && stays[i-1].long == x.long {
			x.from = max(x.from, stays[i-1].to) // the trades before hold it until then
			x.to = max(x.from, x.to)
			stays[i].to = x.to
		}
		count[x.from]++
		count[x.to]--
	}
	var l, s float64
	k := 0
	for t := range n {
		l, s, k = l+long[t], s+short[t], k+count[t]
		h.Positions[t] = k
		if equity[t] > 0 && k > 0 { // rounding of the sums stays behind when nothing is held
			h.Long[t], h.Short[t] = math.Max(l, 0)/equity[t], math.Max(s, 0)/equity[t]
		}
	}
	return h
}

// RollingTurnover is what was traded in the last n sessions as a rate a year, one-way, over the mean
// equity of those sessions; NaN until n are full.
func RollingTurnover(equity, traded []float64, n int, perYear float64) []float64 {
	out := nans(len(equity))
	for t := n; n > 0 && t < len(equity); t++ {
		v := total(traded[t-n+1:t+1]) / (2 * mean(equity[t-n+1:t+1])) * perYear / float64(n)
		out[t] = finite(v)
	}
	return out
}

// OnEquity are the profits of closed trades as fractions of the equity at the last session close
// before their entry, in the order given; trades without a dated entry within the curve are left
// out. Compounded they are the run's growth where trades do not overlap.
func OnEquity(dates []instrument.Date, equity []float64, trades []Trade) []float64 {
	out := make([]float64, 0, len(trades))
	at := 0
	for i := range trades {
		t := &trades[i]
		at = firstNear(dates, t.Entry, at)
		if t.Open || t.Entry == instrument.None || at >= len(equity) {
			continue
		}
		if base := equity[max(0, at-1)]; base > 0 {
			out = append(out, t.PnL/base)
		}
	}
	return out
}

// firstNear is firstFrom, sought from an index on: trades in a row enter soon after each other.
func firstNear(dates []instrument.Date, d instrument.Date, near int) int {
	lo := min(near, len(dates))
	for step := 1; lo > 0 && dates[lo-1] >= d; step *= 2 {
		lo = max(0, lo-step)
	}
	hi := lo
	for step := 1; hi < len(dates) && dates[hi] < d; step *= 2 {
		lo, hi = hi+1, min(len(dates), hi+step)
	}
	return lo + firstFrom(dates[lo:hi], d)
}

// firstFrom is the index of the first of rising dates on or after d.
func firstFrom(dates []instrument.Date, d instrument.Date) int {
	lo, hi := 0, len(dates)
	for lo < hi {
		if mid := (lo + hi) / 2; dates[mid] < d {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// WithoutYear is what is left of a total return when one calendar year stands still.
type WithoutYear struct {
	Year            int
	Return, Without float64 // of the year; in total without it; fractions
}

// LeaveOutYears takes each calendar year out in turn. A year in which everything was lost leaves NaN.
func LeaveOutYears(dates []instrument.Date, equity []float64) []WithoutYear {
	if len(equity) < 2 {
		return nil
	}
	all := equity[len(equity)-1] / equity[0]
	var out []WithoutYear
	for _, y := range Years(dates, equity) {
		out = append(out, WithoutYear{y.Year, y.Return, finite(all/(1+y.Return) - 1)})
	}
	return out
}
