package sweep

import (
	"reflect"

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

// classify finds the fastest path and says why there is no faster one.
func (p *Plan) classify(o Options, basic bool) {
	add := func(path Path, reason string) {
		if reason != "" {
			p.Path = max(p.Path, path)
			p.Reasons = append(p.Reasons, reason)
		}
	}
	p.Path = Sorted
	add(Event, p.needsEvent(basic))
	if p.Path < Event {
		add(Fused, p.needsFused())
	}
	if p.Path < Fused {
		var reason string
		p.pairs, reason = p.compared()
		add(Sparse, reason)
	}
	if o.Fastest > p.Path {
		add(o.Fastest, "a slower path was asked for")
	}
}

// needsEvent is the first reason why only the event engine can play the strategy.
func (p *Plan) needsEvent(basic bool) string {
	cfg, rules := p.Config, p.rules
	long := rules.Long
	switch {
	case !basic:
		return "a metric is asked for that only whole runs have"
	case len(p.Symbols) == 1 && p.Symbols[0] == "":
		return "several symbols share the cash"
	case len(cfg.Strategies) > 0:
		return "several strategies share the account"
	case cfg.Script != "" || cfg.Rebalance != nil:
		return "code or weights decide"
	case rules.Universe != nil || cfg.Universe.Dynamic() || cfg.Leave:
		return "the universe changes over time"
	case rules.Short != nil || long == nil:
		return "it sells short"
	case rules.Program.Stages() > 0:
		return "symbols are compared with each other"
	case len(rules.Program.Frozen()) > 0:
		return "levels are frozen at the decision (at_entry)"
	case long.Entry.Rank != 0:
		return "entries are ranked"
	case !plainEntry(long.Entry.Settings):
		return "entries are not market orders at the next open"
	case !plainFills(cfg.Fills):
		return "fills.market, fills.end or fills.ambiguity is not one that fast paths know"
	case !plainAccount(cfg.Account):
		return "the account has margin or interest"
	case !plainCosts(cfg.Costs):
		return "costs are more than commission, slippage and a volume cap"
	case cfg.Costs.Slippage.Impact > 0 || cfg.Costs.Slippage.VolumeShare > 0:
		return "slippage depends on volume"
	case cfg.Size.Risk > 0 || cfg.Size.AllOrNone || cfg.Size.At != "":
		return "sizes are by risk, all or none, or as of the fill"
	case cfg.Data.Begin != "" || cfg.Data.Cross != "" || cfg.Data.EMASeed != "":
		return "data.begin, crossing or ema_seed is that of another tool"
	case cfg.Data.Bars.Unit == bar.Week || cfg.Data.Bars.Unit == bar.Month:
		return "bars are longer than a session"
	case cfg.Data.Session == bar.Extended:
		return "bars of extended hours decide"
	}
	for i := range long.Exits {
		switch x := &long.Exits[i]; {
		case x.Part != 1:
			return "an exit closes a part of the position"
		case x.Intrabar:
			return "a trailing stop follows the bar it works in"
		}
	}
	return ""
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

// needsFused is the first reason why positions must be followed bar by bar.
func (p *Plan) needsFused() string {
	cfg, rules := p.Config, p.rules
	c := cfg.Costs.Commission
	c.BPS = 0
	switch {
	case cfg.Data.Bars.Intraday():
		return "sessions have several bars"
	case !reflect.ValueOf(c).IsZero():
		return "commission is not proportional to the traded value"
	case !cfg.Size.Fractional || cfg.Size.Shares > 0 || cfg.Size.Value > 0 || cfg.Size.Weight < 1:
		return "a position is not all of the cash (size: {weight: 1, fractional: true})"
	}
	for i := range rules.Long.Exits {
		switch x := &rules.Long.Exits[i]; x.Kind {
		case strategy.ExitSignal:
			if !rules.Program.Static(x.When) {
				return "an exit looks at the position at every close"
			}
		case strategy.ExitStop, strategy.ExitTarget:
			vars, columns := rules.Program.Reads(x.Level)
			if x.Ratchet || (columns || vars&^(1<<expr.EntryPrice) != 0) && !rules.Program.Affine(x.Level) {
				return "a stop or target is more than a column, or the price paid and a column"
			}
		case strategy.ExitTrail:
			return "a trailing stop follows the position"
		}
	}
	return ""
}
