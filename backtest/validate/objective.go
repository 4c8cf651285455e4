package validate

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"backtester/backtest/stats"
	"backtester/backtest/stats/overfit"
	"backtester/backtest/sweep"
)

// sessional are the metrics that session returns suffice for: parts of a run can be judged by them without being
// run. The others need the trades or the bars of each part.
var sessional = []string{"total_return", "cagr", "volatility", "sharpe", "sortino", "max_drawdown", "calmar", "final_equity"}

// parting judges parts of history by the objective of the search.
type parting struct {
	t     *tester
	score *sweep.Score
	row   []float64
}

// parting is nil where parts are judged by the Sharpe ratio: it is the objective, or the objective is not a matter of
// session returns.
func (t *tester) parting() (*parting, error) {
	score, err := sweep.NewScore(t.cfg)
	if err != nil {
		return nil, err
	}
	reads := score.Reads()
	if score.Objective == "sharpe" || slices.ContainsFunc(reads, func(k string) bool { return !slices.Contains(sessional, k) }) {
		return nil, nil
	}
	return &parting{t, score, make([]float64, len(score.Keys))}, nil
}

// ratioName is what parts are judged by unless the objective says otherwise.
const ratioName = "Sharpe ratio"

// Ratio reports whether what something was chosen by is a Sharpe ratio, of one session.
func Ratio(by string) bool { return strings.HasPrefix(by, ratioName) }

// by names what parts of history are judged by.
func (t *tester) by(p *parting) string {
	switch objective := t.m.plan.Objective(); {
	case p != nil:
		return objective
	case objective != "sharpe":
		return ratioName + " (" + objective + " needs the trades of each part)"
	}
	return ratioName
}

// part is what is left of the sessions of a part of history.
type part struct {
	n, s, q, d float64 // number, sum of excess returns, of their squares, of squared falls
	growth     float64 // of a dollar
	hi, lo     float64 // of it on the way, start included
	dip        float64 // lowest share of what was highest before
	days       float64 // of the calendar
}

var empty = part{growth: 1, hi: 1, lo: 1, dip: 1}

// then is a part and one that follows it.
func (a part) then(b part) part {
	return part{a.n + b.n, a.s + b.s, a.q + b.q, a.d + b.d, a.growth * b.growth, max(a.hi, a.growth*b.hi), min(a.lo, a.growth*b.lo),
		min(a.dip, b.dip, a.growth*b.lo/a.hi), a.days + b.days}
}

// part of a combination over sessions [from, to).
func (p *parting) part(returns []float64, from, to int) part {
	a := empty
	for _, r := range returns[from:to] {
		e := r - p.t.rf
		down := min(e, 0)
		a.n, a.s, a.q, a.d = a.n+1, a.s+e, a.q+float64(e*e), a.d+float64(down*down)
		a.growth *= 1 + r
		a.hi = max(a.hi, a.growth)
		a.lo = min(a.lo, a.growth)
		a.dip = min(a.dip, a.growth/a.hi)
	}
	a.days = float64(p.t.m.days[to] - p.t.m.days[from])
	return a
}

// worth of a part; NaN for one that does not move, or whose objective is undefined.
func (p *parting) worth(a part) float64 {
	if v := (a.q - float64(a.s*a.s)/a.n) / (a.n - 1); !(a.n > 1) || !(v > 1e-12*a.q/a.n) {
		return math.NaN()
	}
	cash := p.t.cfg.Account.Cash
	b := (&stats.Sums{Returns: int(a.n), Sum: a.s, Squares: a.q, Downside: a.d, Start: cash, Final: cash * a.growth, Drawdown: a.dip, Days: a.days, PerYear: p.t.perYear}).Basic()
	values := b.Values()
	copy(p.row, values[:])
	return p.score.Worth(p.row)
}

// over is the worth of a combination over several ranges one after another.
func (p *parting) over(returns []float64, ranges []overfit.Range) float64 {
	a := empty
	for _, r := range ranges {
		a = a.then(p.part(returns, r.From, r.To))
	}
	return p.worth(a)
}

// cscv is overfit.CSCV by the objective. Parts of all choices of blocks of either half of history are kept, so that
// any choice is two of them.
func (p *parting) cscv(returns [][]float64, blocks int) (*overfit.PBO, error) {
	half, size := blocks/2, len(returns[0])/max(1, blocks)
	const bytes = 9 * 8
	if need := int64(len(returns)) * bytes * 2 << half; need > p.t.memory() {
		return nil, fmt.Errorf("parts of %d combinations in %d blocks need %d MiB, %d are allowed: take fewer blocks, or allow more", len(returns), blocks, need>>20, p.t.memory()>>20)
	}
	skip := len(returns[0]) - size*blocks
	var sets [2][]part
	if half > 0 && blocks <= overfit.MostBlocks {
		for side := range sets {
			sets[side] = make([]part, len(returns)<<half)
			for k, r := range returns {
				row := sets[side][k<<half : (k+1)<<half]
				row[0] = empty
				for set := 1; set < len(row); set++ {
					newest := 0 // of the blocks of set, which are put together in their order
					for 2<<newest <= set {
						newest++
					}
					from := skip + (side*half+newest)*size
					row[set] = row[set&^(1<<newest)].then(p.single(row, r, newest, from, size, set))
				}
			}
		}
	}
	return overfit.CSCVBy(returns, blocks, func(k int, mask uint32) (float64, bool) {
		a := sets[0][k<<half+int(mask)&(1<<half-1)].then(sets[1][k<<half+int(mask)>>half])
		return p.worth(a), a.growth < 1
	})
}

// single is the part of one block, which the row of sets has once its own set was reached.
func (p *parting) single(row []part, returns []float64, block, from, size, set int) part {
	if set == 1<<block {
		return p.part(returns, from, from+size)
	}
	return row[1<<block]
}
