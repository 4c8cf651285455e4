package sweep

import (
	"reflect"
	"slices"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/expr"
	"backtester/backtest/fill"
	"backtester/backtest/order"
	"backtester/backtest/portfolio"
	"backtester/backtest/strategy"
)

// The planner knows what each path can do and takes the settings apart until nothing is left that it does
// not know: a setting that is new to it means the event engine, never a guess.

// reasons is why a path cannot be taken.
type reasons []string

// when adds a reason that holds, once.
func (r *reasons) when(holds bool, reason string) {
	if holds && !slices.Contains(*r, reason) {
		*r = append(*r, reason)
	}
}

// classify finds the fastest path and says what all keeps the strategy off the next faster one.
func (p *Plan) classify(o Options, basic bool) {
	p.Path = Sorted
	if p.Reasons = p.needsEvent(basic); len(p.Reasons) > 0 {
		p.Path = Event
	} else if p.Reasons = p.needsFused(); len(p.Reasons) > 0 {
		p.Path = Fused
	} else if p.pairs, p.Reasons = p.compared(); len(p.Reasons) > 0 {
		p.Path = Sparse
	}
	if o.Fastest > p.Path {
		p.Path, p.Reasons = o.Fastest, reasons{"a slower path was asked for"}
	}
}

// needsEvent is why only the event engine can play the strategy, nothing if others can.
func (p *Plan) needsEvent(basic bool) (why reasons) {
	cfg, rules := p.Config, p.rules
	long := rules.Long
	why.when(!basic, "a metric is asked for that only whole runs have")
	why.when(len(p.Symbols) == 1 && p.Symbols[0] == "", "several symbols share the cash")
	why.when(len(cfg.Strategies) > 0, "several strategies share the account")
	why.when(cfg.Script != "" || cfg.Rebalance != nil, "code or weights decide")
	why.when(rules.Universe != nil || cfg.Universe.Dynamic() || cfg.Leave, "the universe changes over time")
	why.when(rules.Short != nil || long == nil, "it sells short")
	why.when(rules.Program.Stages() > 0, "symbols are compared with each other")
	why.when(len(rules.Program.Frozen()) > 0, "levels are frozen at the decision (at_entry)")
	why.when(!plainFills(cfg.Fills), "fills.market, fills.end or fills.ambiguity is not one that fast paths know")
	why.when(!plainAccount(cfg.Account), "the account has margin or interest")
	why.when(!plainCosts(cfg.Costs), "costs are more than commission, slippage and a volume cap")
	why.when(cfg.Costs.Slippage.Impact > 0 || cfg.Costs.Slippage.VolumeShare > 0, "slippage depends on volume")
	why.when(cfg.Size.Risk > 0 || cfg.Size.AllOrNone || cfg.Size.At != "", "sizes are by risk, all or none, or as of the fill")
	why.when(cfg.Data.Begin != "" || cfg.Data.Cross != "" || cfg.Data.EMASeed != "", "data.begin, crossing or ema_seed is that of another tool")
	why.when(cfg.Data.Bars.Unit == bar.Week || cfg.Data.Bars.Unit == bar.Month, "bars are longer than a session")
	why.when(cfg.Data.Session == bar.Extended, "bars of extended hours decide")
	if long == nil {
		return why
	}
	why.when(long.Entry.Rank != 0, "entries are ranked")
	why.when(!plainEntry(long.Entry.Settings), "entries are not market orders at the next open")
	for i := range long.Exits {
		why.when(long.Exits[i].Part != 1, "an exit closes a part of the position")
		why.when(long.Exits[i].Intrabar, "a trailing stop follows the bar it works in")
	}
	return why
}

func plainEntry(e order.Entry) bool {
	ok := (e.Order == order.Market || e.Order == "") && (e.TIF == order.DayOrder || e.TIF == "")
	e.When, e.Order, e.TIF, e.MaxWait = "", "", "", 0
	e.Until = order.Entry{}.Until
	return ok && (reflect.ValueOf(e).IsZero() || reflect.DeepEqual(e, defaultEntry()))
}

// defaultEntry is an entry of a file that says nothing but a condition.
func defaultEntry() order.Entry {
	f, _ := strategy.Parse("", []byte("entry: close > 0"))
	e := f.Long.Entry
	e.When, e.Order, e.TIF, e.MaxWait = "", "", "", 0
	e.Until = order.Entry{}.Until
	return e
}

func plainFills(f fill.Rules) bool {
	ok := (f.Market == fill.NextOpen || f.Market == "") && (f.End == fill.EndMark || f.End == "") &&
		(f.Ambiguity == "" || f.Ambiguity == fill.Worst || f.Ambiguity == fill.Best || f.Ambiguity == fill.Nearest)
	d := backtest.Default().Fills
	d.Market, d.End, d.Ambiguity, d.LimitTouch, d.SlippageClip = f.Market, f.End, f.Ambiguity, f.LimitTouch, f.SlippageClip
	return ok && reflect.DeepEqual(f, d)
}

// plainCosts knows the keys that the kernels of the fast paths know; any other one is for the event engine.
func plainCosts(c fill.Costs) bool {
	k, s := &c.Commission, &c.Slippage
	k.PerShare, k.PerOrder, k.BPS, k.Min, k.Max = 0, 0, 0, 0, 0
	s.BPS, s.Ticks, s.Spread, s.VolumeShare, s.Impact = 0, 0, 0, 0, 0 // what depends on volume is refused apart
	c.Borrow.Annual, c.VolumeCap = 0, fill.VolumeCap{}
	return reflect.ValueOf(c).IsZero()
}

func plainAccount(a portfolio.Account) bool {
	d := backtest.Default().Account
	d.Cash, d.Dividends, d.Haircut = a.Cash, a.Dividends, a.Haircut
	return reflect.DeepEqual(a, d) && a.Kind == portfolio.Cash
}

// needsFused is why positions must be followed bar by bar.
func (p *Plan) needsFused() (why reasons) {
	cfg, rules := p.Config, p.rules
	c := cfg.Costs.Commission
	c.BPS = 0
	why.when(cfg.Data.Bars.Intraday(), "sessions have several bars")
	why.when(!reflect.ValueOf(c).IsZero(), "commission is not proportional to the traded value")
	why.when(!cfg.Size.Fractional || cfg.Size.Shares > 0 || cfg.Size.Value > 0 || cfg.Size.Weight < 1,
		"a position is not all of the cash (size: {weight: 1, fractional: true})")
	for i := range rules.Long.Exits {
		switch x := &rules.Long.Exits[i]; x.Kind {
		case strategy.ExitSignal:
			why.when(!rules.Program.Static(x.When), "an exit looks at the position at every close")
		case strategy.ExitStop, strategy.ExitTarget:
			vars, columns := rules.Program.Reads(x.Level)
			why.when(x.Ratchet || (columns || vars&^(1<<expr.EntryPrice) != 0) && !rules.Program.Affine(x.Level),
				"a stop or target is more than a column, or the price paid and a column")
		case strategy.ExitTrail:
			why.when(true, "a trailing stop follows the position")
		}
	}
	return why
}
