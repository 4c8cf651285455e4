package backtest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/expr"
	"backtester/backtest/instrument"
)

// outlook is what expressions read besides a symbol's own bars: other symbols, longer bars, outside
// series. A bar is readable from its end on: at the close of bar t they see the last one that had ended
// by then, in the share basis of then.
type outlook struct {
	cal     *bar.Calendar
	request func(symbol string, warmup int) (*symbol, error) // loads another symbol
	other   map[string]*view                                 // by ticker, in the frame of the run
	landed  map[*expr.Program]*landing                       // programs on other symbols
	outside map[string]*outside                              // by name
}

// landing is a program evaluated on other bars.
type landing struct {
	view   *view
	bound  *expr.Bound
	others []bar.Basis
}

// prepare loads the other symbols that p reads and evaluates what is read there, once for everybody.
func (o *outlook) prepare(ctx context.Context, p *expr.Program) error {
	need := map[string]int{}
	var names []string
	collect(p, need, &names)
	slices.Sort(names) // the order of loading is of no consequence, that of messages is
	for _, name := range names {
		if o.other[name] != nil {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		s, err := o.request(name, need[name])
		if err != nil {
			return err
		}
		o.other[name] = s.view()
	}
	var arena expr.Arena
	return o.land(p, &arena)
}

// collect lists the symbols that p and the programs inside of it read, with the warm-up they need.
func collect(p *expr.Program, need map[string]int, names *[]string) {
	for _, in := range p.Inputs() {
		if in.Kind != expr.OtherInput {
			continue
		}
		if in.Symbol != "" {
			if _, known := need[in.Symbol]; !known {
				*names = append(*names, in.Symbol)
			}
			need[in.Symbol] = max(need[in.Symbol], in.Warmup)
		}
		collect(in.Program, need, names)
	}
}

// land evaluates the programs on other symbols, innermost first.
func (o *outlook) land(p *expr.Program, a *expr.Arena) error {
	for _, in := range p.Inputs() {
		if in.Kind != expr.OtherInput {
			continue
		}
		if err := o.land(in.Program, a); err != nil {
			return err
		}
		if in.Symbol == "" || o.landed[in.Program] != nil {
			continue
		}
		l, err := o.evaluate(&in, o.other[in.Symbol], a)
		if err != nil {
			return err
		}
		o.landed[in.Program] = l
	}
	return nil
}

// evaluate binds the program of an input to bars made of base.
func (o *outlook) evaluate(in *expr.Input, base *view, a *expr.Arena) (*landing, error) {
	v := base
	if in.Frame != (bar.Frame{}) {
		var err error
		if v, err = longer(base, in.Frame, o.cal); err != nil {
			return nil, err
		}
	}
	b, err := o.binding(in.Program, v, a)
	if err != nil {
		return nil, err
	}
	l := &landing{view: v, bound: &expr.Bound{}, others: b.Others}
	in.Program.BindInto(l.bound, b, a)
	return l, nil
}

// binding is what p is bound to on host: all its inputs but comparisons.
func (o *outlook) binding(p *expr.Program, host *view, a *expr.Arena) (expr.Binding, error) {
	b := expr.Binding{Series: host.bars, Basis: host.basis, Calendar: o.cal, Categories: host.facts}
	ins := p.Inputs()
	if len(ins) == 0 {
		return b, nil
	}
	b.Inputs = make([][]float64, len(ins))
	for _, name := range p.Others() {
		b.Others = append(b.Others, o.basisAt(name, host))
	}
	for k := range ins {
		in := &ins[k]
		switch in.Kind {
		case expr.OtherInput:
			l := o.landed[in.Program]
			if in.Symbol == "" {
				var err error
				if l, err = o.evaluate(in, host.base, a); err != nil {
					return b, err
				}
			}
			b.Inputs[k] = o.carry(in, l, host)
		case expr.SeriesInput:
			b.Inputs[k] = o.outside[in.Name].of(host.name).at(host.readable(o.cal))
		}
	}
	return b, nil
}

// carry brings a column of other bars to host.
func (o *outlook) carry(in *expr.Input, l *landing, host *view) []float64 {
	rows := lastEnded(host.readable(o.cal), l.view.readable(o.cal))
	o.dropStale(rows, in.Stale, l.view, host)
	now := []bar.Basis{host.basis}
	if in.Symbol != "" {
		now[0] = o.basisAt(in.Symbol, host)
	}
	for _, name := range in.Program.Others() {
		now = append(now, o.basisAt(name, host))
	}
	dst := make([]float64, len(rows))
	in.Carry(dst, l.bound, rows, append([]bar.Basis{l.view.basis}, l.others...), now)
	return dst
}

// basisAt is the share basis of another symbol at each bar of host: that of its last bar.
func (o *outlook) basisAt(name string, host *view) bar.Basis {
	v := o.other[name]
	if v == nil || v.basis.Price == nil {
		return bar.Basis{}
	}
	rows := lastEnded(host.readable(o.cal), v.readable(o.cal))
	b := bar.Basis{Price: make([]float64, len(rows)), Share: make([]float64, len(rows))}
	for i, r := range rows {
		b.Price[i], b.Share[i] = v.basis.At(max(0, int(r)))
	}
	return b
}

// lastEnded is, for each end of a bar, the last of the others that ended at or before it, -1 for none.
func lastEnded(ends, others []int64) []int32 {
	out := make([]int32, len(ends))
	k := 0
	for i, now := range ends {
		for k < len(others) && others[k] <= now {
			k++
		}
		out[i] = int32(k - 1)
	}
	return out
}

// dropStale makes rows absent whose bar ended too long ago: more than stale sessions have ended since,
// or weeks or months for bars of these lengths.
func (o *outlook) dropStale(rows []int32, stale int, from, host *view) {
	ends, theirs := host.readable(o.cal), from.readable(o.cal)
	const day = int64(24 * time.Hour)
	surely := map[bar.Unit]int64{bar.Week: 7 * day, bar.Month: 28 * day}[from.bars.Frame.Unit]
	surely = max(day, surely) // within which no more than one can have gone by
	for i, r := range rows {
		if r < 0 || ends[i]-theirs[r] <= surely {
			continue
		}
		if o.passed(from.bars.Frame, theirs[r], ends[i]) > stale {
			rows[i] = -1
		}
	}
}

// passed is how many sessions (weeks, months) went by from one instant, the end of such a period, to
// another. A day within which the second lies counts from its beginning, a week or month once it ended.
func (o *outlook) passed(f bar.Frame, from, now int64) int {
	then, today := o.cal.DateOf(from-1), o.cal.DateOf(now-1)
	if f.Unit != bar.Week && f.Unit != bar.Month {
		return o.cal.Count(then+1, today)
	}
	n := periods(f, then, today)
	next := o.cal.Next(today)
	last := next == instrument.Forever || periods(f, today, next) > 0
	_, closing, _, ok := o.cal.Hours(today)
	if n > 0 && !(last && ok && now >= closing) {
		n--
	}
	return n
}

// periods is how many weeks or months lie between those of a and b.
func periods(f bar.Frame, a, b instrument.Date) int {
	if f.Unit == bar.Week {
		return int(bar.PeriodStart(f, b)-bar.PeriodStart(f, a)) / 7
	}
	ya, ma, _ := a.Time().Date()
	yb, mb, _ := b.Time().Date()
	return (yb-ya)*12 + int(mb-ma)
}

// longer makes longer bars of base, each in the share basis of its last bar: a week with a split in it
// has its first days restated. A first bar that history may have cut off is left out, so that what is
// seen does not depend on where loading began.
func longer(base *view, to bar.Frame, cal *bar.Calendar) (*view, error) {
	session := base.bars.Session
	out, err := bar.Resample(base.bars, to, session, cal)
	if err != nil {
		return nil, fmt.Errorf("make bars of %s: %w", base.bars.Symbol, err)
	}
	if out.Len() == 0 {
		return &view{name: base.name, bars: out, facts: base.facts, base: base}, nil
	}
	last := lastRows(base.bars, out, cal)
	if restated := inLastShares(base, last); restated != nil {
		if out, err = bar.Resample(restated, to, session, cal); err != nil {
			return nil, err
		}
	}
	v := &view{name: base.name, bars: out, facts: base.facts, base: base}
	if base.basis.Price != nil {
		for _, r := range last {
			p, s := base.basis.At(int(r))
			v.basis.Price, v.basis.Share = append(v.basis.Price, p), append(v.basis.Share, s)
		}
	}
	if cutOff(base.bars, out, cal) {
		v.bars = out.Slice(1, out.Len())
		if v.basis.Price != nil {
			v.basis.Price, v.basis.Share = v.basis.Price[1:], v.basis.Share[1:]
		}
	}
	return v, nil
}

// stampOf is the time by which bar i of s belongs to one of longer.
func stampOf(s, longer *bar.Series, i int, cal *bar.Calendar) int64 {
	if s.Frame.Intraday() && !longer.Frame.Intraday() {
		return cal.DateOf(s.Time[i]).Nanos()
	}
	return s.Time[i]
}

// lastRows is the last bar of s in each bar of longer.
func lastRows(s, longer *bar.Series, cal *bar.Calendar) []int32 {
	out := make([]int32, longer.Len())
	j := 0
	for i := range s.Len() {
		t := stampOf(s, longer, i, cal)
		for j+1 < longer.Len() && longer.Time[j+1] <= t {
			j++
		}
		if t >= longer.Time[j] {
			out[j] = int32(i)
		}
	}
	return out
}

// inLastShares is the bars of base with each restated to the basis of the last one of its longer bar;
// nil when that changes nothing.
func inLastShares(base *view, last []int32) *bar.Series {
	b := base.basis
	if b.Price == nil {
		return nil
	}
	var c *bar.Series
	j := 0
	for i := range base.bars.Len() {
		for j < len(last)-1 && int32(i) > last[j] {
			j++
		}
		to := last[j]
		if int32(i) > to || b.Price[i] == b.Price[to] && b.Share[i] == b.Share[to] {
			continue
		}
		if c == nil {
			c = base.bars.Slice(0, base.bars.Len())
			for _, col := range []*[]float64{&c.Open, &c.High, &c.Low, &c.Close, &c.Volume} {
				*col = slices.Clone(*col)
			}
		}
		price, share := b.Price[i]/b.Price[to], b.Share[to]/b.Share[i]
		for _, col := range [][]float64{c.Open, c.High, c.Low, c.Close} {
			col[i] *= price
		}
		c.Volume[i] *= share
	}
	return c
}

// cutOff reports whether the first of the longer bars may have begun before the first bar of s.
func cutOff(s, longer *bar.Series, cal *bar.Calendar) bool {
	if longer.Frame == s.Frame {
		return false
	}
	if s.Frame.Intraday() {
		if longer.Frame.Intraday() {
			return s.Time[0] > longer.Time[0]
		}
		open, _, _, ok := cal.Hours(cal.DateOf(s.Time[0]))
		if s.Session == bar.Extended {
			open, _, ok = cal.ExtendedHours(cal.DateOf(s.Time[0]))
		}
		if ok && s.Time[0] > open {
			return true
		}
	}
	first := instrument.DateOfNanos(stampOf(s, longer, 0, cal))
	return cal.Count(bar.PeriodStart(longer.Frame, first), first-1) > 0
}
