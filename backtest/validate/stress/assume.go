package stress

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"backtester/backtest"
	"backtester/backtest/instrument"
	"backtester/backtest/strategy"
)

const (
	mostDelay   = 3  // bars
	mostLeftOut = 12 // symbols, those that moved the result most
	mostStarts  = 6
)

// delay lets conditions act one, two and three bars after they held. Conditions that read the position
// have no value before it, so that they stay in time.
func (t *tester) delay() {
	if len(t.cfg.Strategies) > 0 {
		t.left("execution delay: several strategies decide in this account: test each by itself")
		return
	}
	if t.cfg.Script != "" || t.cfg.Long == nil && t.cfg.Short == nil {
		t.left("execution delay: a script decides, whose decisions cannot be held back from outside")
		return
	}
	late := func(bars int, exits bool) *backtest.Config {
		c := t.copied()
		shift := func(text string) string {
			if text == "" {
				return ""
			}
			return "(" + text + ")[" + strconv.Itoa(bars) + "]"
		}
		for _, side := range []*strategy.Side{c.Long, c.Short} {
			if side == nil {
				continue
			}
			side.Entry.When, side.Entry.Rank = shift(side.Entry.When), shift(side.Entry.Rank)
			for i := range side.Exits {
				if exits {
					side.Exits[i].When = shift(side.Exits[i].When)
				}
			}
		}
		return c
	}
	exits := true
	if _, wrong := late(1, true).Compile(); len(wrong) > 0 {
		exits = false
		if _, wrong = late(1, false).Compile(); len(wrong) > 0 {
			t.left("execution delay: %s", wrong[0].Message)
			return
		}
		t.left("execution delay of exits: their conditions read the position, only entries are delayed")
	}
	list := []Point{t.base("as it is", 0)}
	for n := 1; n <= mostDelay; n++ {
		list = append(list, Point{Label: fmt.Sprintf("%d later", n), At: float64(n)})
	}
	t.report.Delay = list
	t.plan(list, func(p *Point) *backtest.Config { return late(int(p.At), exits) })
}

// costs adds slippage.
func (t *tester) costs() {
	list := []Point{t.base("as it is", 0)}
	for _, bps := range []float64{1, 2, 5, 10, 20, 50} {
		list = append(list, Point{Label: fmt.Sprintf("+%g bps", bps), At: bps})
	}
	t.report.Costs = list
	t.plan(list, func(p *Point) *backtest.Config {
		c := t.copied()
		c.Costs.Slippage.BPS += p.At
		return c
	})
}

// starts begins one to six months later. Where positions last long, the day of the first entry is luck.
func (t *tester) starts() {
	from, errFrom := instrument.ParseDate(t.result.Data.From)
	to, errTo := instrument.ParseDate(t.result.Data.To)
	if errFrom != nil || errTo != nil || int(to)-int(from) < 2*365 {
		t.left("later starts: under two years leave too little to compare")
		return
	}
	list := []Point{t.base(from.String(), 0)}
	for k := 1; k <= mostStarts; k++ {
		list = append(list, Point{Label: (from + instrument.Date(30*k)).String(), At: float64(k)})
	}
	t.report.Starts = list
	t.plan(list, func(p *Point) *backtest.Config {
		c := t.copied()
		c.Data.From = from + instrument.Date(30*int(p.At))
		return c
	})
}

// symbols leaves each out in turn: slots and cash that it took go to others, which only a run can tell.
func (t *tester) symbols() {
	names := t.cfg.Universe.Symbols
	switch {
	case len(names) == 0:
		t.left("leaving symbols out: the universe is not a list")
		return
	case len(names) == 1:
		return
	}
	moved := map[string]float64{}
	for i := range t.result.Trades {
		moved[t.result.Trades[i].Symbol] += t.result.Trades[i].PnL
	}
	order := slices.Clone(names)
	slices.SortStableFunc(order, func(a, b string) int { return cmp.Compare(math.Abs(moved[b]), math.Abs(moved[a])) })
	if n := len(order) - mostLeftOut; n > 0 {
		t.left("leaving symbols out: the %d that moved the result least", n)
		order = order[:mostLeftOut]
	}
	list := make([]Point, len(order))
	for i, name := range order {
		list[i] = Point{Label: name, At: moved[name]}
	}
	t.report.Symbols = list
	t.plan(list, func(p *Point) *backtest.Config {
		c := t.copied()
		c.Universe.Symbols = slices.DeleteFunc(slices.Clone(names), func(s string) bool { return s == p.Label })
		return c
	})
}

// params moves one parameter at a time: to its neighbours in the file's own values where it has some, else
// by a tenth and a fifth.
func (t *tester) params() {
	t.report.Params = make([]Parameter, len(t.cfg.Params))
	for i, p := range t.cfg.Params {
		q := &t.report.Params[i]
		q.Name = p.Name
		for _, v := range neighbours(p.Default, p.Values) {
			point := Point{Label: strconv.FormatFloat(v, 'g', -1, 64), At: v}
			if v == p.Default {
				point = t.base(point.Label, v)
			}
			q.Points = append(q.Points, point)
		}
		t.plan(q.Points, func(p *Point) *backtest.Config {
			c := t.copied()
			c.Params[i].Default, c.Params[i].Values = p.At, []float64{p.At}
			return c
		})
	}
}

// neighbours of a value, itself among them, rising: up to four on each side of those given, or four made.
func neighbours(value float64, given []float64) []float64 {
	list := slices.Clone(given)
	if len(list) < 2 {
		for _, k := range []float64{-2, -1, 1, 2} {
			step := k * .1 * math.Abs(value)
			if value == math.Trunc(value) { // whole numbers stay whole
				step = k * math.Max(1, math.Round(math.Abs(value)*.1))
				if value > 0 && value+step < 1 {
					continue
				}
			}
			list = append(list, value+step)
		}
	}
	list = append(list, value)
	slices.Sort(list)
	list = slices.Compact(list)
	at := slices.Index(list, value)
	return list[max(0, at-4):min(len(list), at+5)]
}
