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
	days                  []float64 // calendar days held
	winDays, lossDays     []float64
	winStreak             int // longest
	lossStreak            int
	fall                  float64 // deepest fall of the running sum of closed profits, USD, negative
	onPnL                 once[moments]
	bestTen               once[[]float64] // profits, negated, rising
}

func tallyOf(trades []Trade) tally {
	t := tally{
		largest: math.Inf(-1), smallest: math.Inf(1), best: math.Inf(-1), worst: math.Inf(1),
	}
	all := []*[]float64{&t.pnl, &t.ret, &t.bars, &t.mae, &t.mfe, &t.maeUSD, &t.mfeUSD, &t.days, &t.winBars, &t.lossBars, &t.winDays, &t.lossDays}
	for _, x := range all {
		*x = make([]float64, 0, len(trades))
	}
	var s struct{ profit, loss, open, long, short, winR, lossR, run sum } // too many for registers: one place in memory
	streakW, streakL, peak := 0, 0, 0.0
	for i := range trades {
		x := &trades[i]
		if x.Open {
			t.open++
			s.open = s.open.add(x.PnL)
			continue
		}
		t.closed++
		t.pnl, t.ret, t.bars = append(t.pnl, x.PnL), append(t.ret, x.Return), append(t.bars, float64(x.Bars))
		t.mae, t.mfe = append(t.mae, x.MAE), append(t.mfe, x.MFE)
		t.maeUSD, t.mfeUSD = append(t.maeUSD, x.MAE*x.EntryValue), append(t.mfeUSD, x.MFE*x.EntryValue)
		days := float64(x.Exit - x.Entry)
		t.days = append(t.days, days)
		if x.Long {
			t.long++
			s.long = s.long.add(x.PnL)
		} else {
			s.short = s.short.add(x.PnL)
		}
		t.largest, t.smallest = max(t.largest, x.PnL), min(t.smallest, x.PnL)
		t.best, t.worst = max(t.best, x.Return), min(t.worst, x.Return)
		switch {
		case x.PnL > 0:
			t.wins++
			streakW, streakL = streakW+1, 0
			s.profit = s.profit.add(x.PnL)
			s.winR = s.winR.add(x.Return)
			t.winBars, t.winDays = append(t.winBars, float64(x.Bars)), append(t.winDays, days)
		case x.PnL < 0:
			t.losses++
			streakW, streakL = 0, streakL+1
			s.loss = s.loss.add(x.PnL)
			s.lossR = s.lossR.add(x.Return)
			t.lossBars, t.lossDays = append(t.lossBars, float64(x.Bars)), append(t.lossDays, days)
		default:
			t.even++
			streakW, streakL = 0, 0
		}
		t.winStreak, t.lossStreak = max(t.winStreak, streakW), max(t.lossStreak, streakL)
		s.run = s.run.add(x.PnL)
		peak = max(peak, s.run.value())
		t.fall = min(t.fall, s.run.value()-peak)
	}
	t.profit, t.loss, t.openPnL = s.profit.value(), s.loss.value(), s.open.value()
	t.longPnL, t.shortPnL, t.net = s.long.value(), s.short.value(), s.run.value()
	t.winReturn, t.lossReturn = s.winR.value(), s.lossR.value()
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

// topShare is the part of the net profit that the n best trades made, n up to 10; NaN without a net profit.
func (t *tally) topShare(n int) float64 {
	if !(t.net > 0) {
		return math.NaN()
	}
	x := *t.bestTen.get(func() []float64 {
		x := make([]float64, len(t.pnl))
		for i, v := range t.pnl {
			x[i] = -v
		}
		lower(x, 10)
		return x[:min(10, len(x))]
	})
	return -total(x[:min(n, len(x))]) / t.net
}

// money are the moments of the profits of closed trades.
func (t *tally) money() *moments {
	return t.onPnL.get(func() moments { return momentsOf(t.pnl) })
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
