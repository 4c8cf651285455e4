package bootstrap

import (
	"math"
	"slices"
)

// ProfitFactor is the BCa interval of the gross profit over the gross loss of trades, drawn again in
// blocks of trades that followed each other, with their mean length by BlockLength unless Settings has
// one. pnl are profits in order of exit, USD. An end is infinite where too many draws have no losing
// trade, and NaN under ten trades or where the trades themselves have none. Cost: O(draws x trades).
func ProfitFactor(pnl []float64, s Settings) Interval {
	undefined := Interval{math.NaN(), math.NaN()}
	gross := func(x []float64) (profit, loss float64) {
		for _, v := range x {
			size := math.Abs(v)
			profit, loss = profit+(size+v)/2, loss+(size-v)/2
		}
		return profit, loss
	}
	profit, loss := gross(pnl)
	if len(pnl) < 10 || !(loss > 0) {
		return undefined
	}
	if !(s.Block >= 1) {
		s.Block, _ = BlockLength(pnl)
	}
	s = s.withDefaults(pnl)
	factor := func(profit, loss float64) float64 {
		if profit == 0 {
			return 0
		}
		return profit / max(loss, 0)
	}
	draw, index, drawn := NewStationary(len(pnl), s.Block, s.Seed), make([]int32, len(pnl)), make([]float64, len(pnl))
	draws := make([]float64, s.Draws)
	for k := range draws {
		draw.Indices(index)
		for i, at := range index {
			drawn[i] = pnl[at]
		}
		draws[k] = factor(gross(drawn))
	}
	slices.Sort(draws)
	var without []float64
	size := max(1, int(math.Round(s.Block)))
	for i := 0; i < len(pnl); i += size {
		p, l := gross(pnl[i:min(i+size, len(pnl))])
		if l = loss - l; l > 1e-12*loss {
			without = append(without, factor(profit-p, l))
		}
	}
	return BCa(draws, profit/loss, without, s.Confidence)
}
