package stats

import (
	"math"
	"slices"
)

// tally is what one pass over the trades finds out.
type tally struct {
	closed, open          int
	wins, losses, even    int
	long                  int // closed long trades
	longPnL, shortPnL     float64
	profit, loss          float64 // gross, USD; loss is negative
	openPnL               float64
	net                   float64 // closed, USD
	largest, smallest     float64 // single trade, USD
	best, worst           float64 // single trade, fraction of its entry value
	winReturn, lossReturn float64 // sums of fractions
	pnl, ret, bars        []float64
	winBars, lossBars     []float64
	mae, mfe              []float64 // fractions
	maeUSD, mfeUSD        []float64
	days                  sum
	winStreak             int // longest
	lossStreak            int
	fall                  float64 // deepest fall of the running sum of closed profits, USD, negative
}

func tallyOf(trades []Trade) tally {
	t := tally{
		largest: math.Inf(-1), smallest: math.Inf(1), best: math.Inf(-1), worst: math.Inf(1),
	}
	for _, x := range []*[]float64{&t.pnl, &t.ret, &t.bars, &t.mae, &t.mfe, &t.maeUSD, &t.mfeUSD} {
		*x = make([]float64, 0, len(trades))
	}
	var profit, loss, open, long, short, winR, lossR, run sum
	streakW, streakL, peak := 0, 0, 0.0
	for i := range trades {
		x := &trades[i]
		if x.Open {
			t.open++
			open.add(x.PnL)
			continue
		}
		t.closed++
		t.pnl, t.ret, t.bars = append(t.pnl, x.PnL), append(t.ret, x.Return), append(t.bars, float64(x.Bars))
		t.mae, t.mfe = append(t.mae, x.MAE), append(t.mfe, x.MFE)
		t.maeUSD, t.mfeUSD = append(t.maeUSD, x.MAE*x.EntryValue), append(t.mfeUSD, x.MFE*x.EntryValue)
		t.days.add(float64(x.Exit - x.Entry))
		if x.Long {
			t.long++
			long.add(x.PnL)
		} else {
			short.add(x.PnL)
		}
		t.largest, t.smallest = max(t.largest, x.PnL), min(t.smallest, x.PnL)
		t.best, t.worst = max(t.best, x.Return), min(t.worst, x.Return)
		switch {
		case x.PnL > 0:
			t.wins++
			streakW, streakL = streakW+1, 0
			profit.add(x.PnL)
			winR.add(x.Return)
			t.winBars = append(t.winBars, float64(x.Bars))
		case x.PnL < 0:
			t.losses++
			streakW, streakL = 0, streakL+1
			loss.add(x.PnL)
			lossR.add(x.Return)
			t.lossBars = append(t.lossBars, float64(x.Bars))
		default:
			t.even++
			streakW, streakL = 0, 0
		}
		t.winStreak, t.lossStreak = max(t.winStreak, streakW), max(t.lossStreak, streakL)
		run.add(x.PnL)
		peak = max(peak, run.value())
		t.fall = min(t.fall, run.value()-peak)
	}
	t.profit, t.loss, t.openPnL = profit.value(), loss.value(), open.value()
	t.longPnL, t.shortPnL, t.net = long.value(), short.value(), run.value()
	t.winReturn, t.lossReturn = winR.value(), lossR.value()
	return t
}

func (t *tally) avgWin() float64  { return t.profit / float64(t.wins) }
func (t *tally) avgLoss() float64 { return t.loss / float64(t.losses) }

// kelly is the growth-optimal stake as a multiple of the stake taken, from the two average outcomes
// (Kelly 1956): p/|average loss| - q/average win, both as fractions of the entry value.
func (t *tally) kelly() float64 {
	if t.wins == 0 || t.losses == 0 {
		return math.NaN()
	}
	p := float64(t.wins) / float64(t.closed)
	q := float64(t.losses) / float64(t.closed)
	win, loss := t.winReturn/float64(t.wins), -t.lossReturn/float64(t.losses)
	if !(win > 0 && loss > 0) {
		return math.NaN()
	}
	return p/loss - q/win
}

// topShare is the part of the net profit that the n best trades made; NaN without a net profit.
func (t *tally) topShare(n int) float64 {
	if !(t.net > 0) {
		return math.NaN()
	}
	x := make([]float64, len(t.pnl))
	for i, v := range t.pnl {
		x[i] = -v
	}
	n = min(n, len(x))
	lower(x, n)
	return -total(x[:n]) / t.net
}

// GroupRow sums up the closed trades that share a label.
type GroupRow struct {
	Label        string
	Trades, Wins int
	PnL          float64 // USD
	WinRate      float64 // fraction
	ProfitFactor float64 // NaN without a losing trade
	AvgReturn    float64 // fraction of the entry value
	AvgBars      float64
	Best, Worst  float64 // USD
	Share        float64 // of the net profit of all; NaN without one
}

// GroupBy sums up closed trades by label, in the order of the labels. Cost: O(trades + labels log labels).
func GroupBy(trades []Trade, label func(*Trade) string) []GroupRow {
	members := map[string][]Trade{}
	var labels []string
	for i := range trades {
		if trades[i].Open {
			continue
		}
		l := label(&trades[i])
		if _, seen := members[l]; !seen {
			labels = append(labels, l)
		}
		members[l] = append(members[l], trades[i])
	}
	slices.Sort(labels)
	all := tallyOf(trades)
	rows := make([]GroupRow, 0, len(labels))
	for _, l := range labels {
		t := tallyOf(members[l])
		row := GroupRow{
			Label: l, Trades: t.closed, Wins: t.wins, PnL: t.net,
			WinRate: float64(t.wins) / float64(t.closed), ProfitFactor: safeDiv(t.profit, -t.loss),
			AvgReturn: mean(t.ret), AvgBars: mean(t.bars), Best: t.largest, Worst: t.smallest, Share: math.NaN(),
		}
		if all.net > 0 {
			row.Share = t.net / all.net
		}
		rows = append(rows, row)
	}
	return rows
}
