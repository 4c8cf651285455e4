package report

import (
	"fmt"
	"strconv"
	"strings"

	"backtester/backtest"
	"backtester/backtest/fill"
	"backtester/backtest/order"
)

// assumptions say what the run stands on, in words.
func (v *view) assumptions() []fact {
	if v.external() {
		return v.externalFacts()
	}
	out := []fact{
		{Name: "Period", Value: fmt.Sprintf("%s to %s, %s sessions; %s", v.Data.From, v.Data.To, v.text("sessions"), firstDecision(v.Data.Decision))},
		{Name: "Bars", Value: fmt.Sprintf("%s read, %d of warm-up needed", number(float64(v.Data.Bars), 0), v.Data.Warmup)},
		{Name: "Universe", Value: v.universe()},
	}
	c := v.Config
	if c == nil {
		return out
	}
	out[1].Value = fmt.Sprintf("%s, %s; signals see prices adjusted for %s, the books are kept in raw prices plus corporate actions",
		c.Data.Bars, out[1].Value, map[string]string{"split": "splits", "total": "splits and dividends", "raw": "nothing"}[string(c.Data.Adjust)])
	out = append(out,
		fact{Name: "Fills", Value: fills(c.Fills)},
		fact{Name: "Costs", Value: costs(c.Costs)})
	out = append(append(out, priced(v.Charges)...),
		fact{Name: "Account", Value: fmt.Sprintf("%s, %s at the start; debit interest %s, credit interest %s a year", c.Account.Kind, money(c.Account.Cash),
			share(c.Account.DebitRate), share(c.Account.CreditRate))},
		fact{Name: "Taxes", Value: "none"})
	if h := v.BuyAndHold; h != nil {
		out = append(out, fact{Name: "Buy and hold", Value: held(h)})
	}
	if r := v.Rebalance; r != nil {
		out = append(out, fact{Name: "Rebalances", Value: rebalances(r)})
	}
	if n := &v.Counts; n.Orders > 0 || len(n.Refused) > 0 {
		out = append(out, fact{Name: "Orders", Value: strings.Join(orderCounts(n), " ")})
	}
	if a := v.Ambiguity; a != nil {
		out = append(out, fact{Name: "Stop and target", Value: fmt.Sprintf("in %s bars a rule decided which came first. Two extra runs, no bounds and no trials: stop first, %s; target first, %s",
			whole(a.Bars), outcome(&a.StopFirst), outcome(&a.TargetFirst))})
	}
	if c.Benchmark != "" {
		out = append(out, fact{Name: "Benchmark", Value: clean(c.Benchmark) + ", dividends reinvested at the close of the ex-date, no costs"})
	}
	return out
}

// held is what buying and holding made of the symbols of the run.
func held(h *backtest.Holding) string {
	return fmt.Sprintf("%s in equal parts from the first close on, under the same rules and costs: %s", count(int64(h.Held), "symbol"), outcome(&backtest.Outcome{Metrics: h.Metrics}))
}

// outcome is the end of an extra run in words.
func outcome(o *backtest.Outcome) string {
	figure := func(key string, show func(float64) string) string {
		if x, ok := o.Metrics.Get(key); ok {
			return show(x)
		}
		return "not defined"
	}
	return fmt.Sprintf("%s at the end, return %s, deepest loss %s, %s trades", figure("final_equity", money), figure("total_return", percent),
		figure("max_drawdown", percent), figure("trades", func(x float64) string { return number(x, 0) }))
}

// externalFacts say what is known of a curve from elsewhere.
func (v *view) externalFacts() []fact {
	out := []fact{{Name: "Period", Value: fmt.Sprintf("%s to %s, %s returns, %s a year; it starts at %s on %s", v.Data.From, v.Data.To, v.text("sessions"),
		number(v.value("periods_per_year"), 0), money(v.value("start_equity")), v.Data.Decision)}}
	trades := "not known"
	if n := len(v.Result.Trades); n > 0 {
		trades = number(float64(n), 0) + " round trips, as given"
	}
	out = append(out, fact{Name: "Trades", Value: trades}, fact{Name: "Costs", Value: "as far as they are in the curve; exposure and turnover are not known"},
		fact{Name: "Risk-free", Value: share(v.value("risk_free")) + " a year"})
	if v.benchmark != nil {
		out = append(out, fact{Name: "Benchmark", Value: "as given, by its last value at or before each date of the curve"})
	}
	return out
}

func fills(r fill.Rules) string {
	market := map[fill.MarketFill]string{
		fill.NextOpen: "a decision at a close fills at the next open", fill.NextClose: "a decision at a close fills in the next closing auction",
		fill.ThisClose: "a decision at a close fills at that same close, which nobody can do",
	}[r.Market]
	limit := "limit orders need the price to trade through them"
	if r.LimitTouch {
		limit = "limit orders fill when touched"
	}
	both := map[fill.Ambiguity]string{fill.Worst: "stop and target in one bar: the stop came first", fill.Best: "stop and target in one bar: the target came first",
		fill.Nearest:   "stop and target in one bar: the level nearer to the open came first",
		fill.Magnify:   "stop and target in one bar: as its minutes say, else the stop came first",
		fill.StopFirst: "stop and target in one bar: the stop came first, even where the bar opens beyond the target"}[r.Ambiguity]
	entered := map[fill.EntryBar]string{fill.EntryBarMarket: "in the bar of their entry stops and targets work after market orders only, and the target after a stop order that the bar spares",
		fill.EntryBarNext: "stops and targets work from the bar after the entry on"}[r.EntryBar]
	levels := map[fill.LooksAt]string{fill.AtCloses: "limits, stops and targets look at closes only, and fill there"}[r.Levels]
	cost := map[fill.LevelCost]string{fill.LevelCostNone: "stops and targets fill without slippage"}[r.LevelCost]
	end := map[fill.End]string{fill.EndMark: "open positions are marked at the end", fill.EndClose: "positions are sold at the last close", fill.EndOpen: "positions are sold at the last open"}[r.End]
	var out []string
	extended, pair := "", ""
	if r.Both == fill.OneCancelsOther {
		pair = "of a long and a short entry at one close the first to fill cancels the other"
	}
	if r.Extended == fill.ExtendedLimit {
		extended = "limit orders fill in extended hours too"
	}
	for _, s := range []string{market, limit, extended, pair, both, entered, levels, cost, end} {
		if s != "" {
			out = append(out, s)
		}
	}
	return strings.Join(out, "; ")
}

func costs(c fill.Costs) string {
	var out []string
	add := func(ok bool, format string, a ...any) {
		if ok {
			out = append(out, fmt.Sprintf(format, a...))
		}
	}
	m := c.Commission
	add(m.Broker != "", "the prices of %s", m.Broker)
	add(m.PerShare > 0, "commission %s a share", plainUSD(m.PerShare))
	add(m.PerOrder > 0, "commission %s an order", plainUSD(m.PerOrder))
	add(m.BPS > 0, "commission %g bps", m.BPS)
	add(m.Min > 0, "at least %s", plainUSD(m.Min))
	add(m.Max > 0, "at most %s", plainUSD(m.Max))
	add(len(m.Tiers) > 0, "tiers by the shares of a month")
	add(m.MaxBPS > 0, "at most %g bps", m.MaxBPS)
	add(c.Regulatory != "", "regulatory fees on sales")
	add(c.Slippage.BPS > 0, "slippage %g bps", c.Slippage.BPS)
	add(c.Borrow.Annual > 0, "borrowing %s a year", share(c.Borrow.Annual))
	add(c.Borrow.Table != "", "borrowing by %s", c.Borrow.Table)
	v := c.VolumeCap
	add(v.Bar > 0 || v.Open > 0 || v.Close > 0, "at most %s of the volume of a bar", share(v.Bar))
	if len(out) == 0 {
		return "none: real trading is not free"
	}
	return strings.Join(out, ", ")
}

// share is a setting in percent, in as many digits as it was given.
func share(x float64) string { return fmt.Sprintf("%.10g%%", 100*x) }

func plainUSD(x float64) string { return fmt.Sprintf("$%g", x) }

// rules are the strategy in its own language.
func (v *view) rules() []fact {
	c := v.Config
	if c == nil {
		return nil
	}
	var out []fact
	add := func(name, value string) {
		if value = clean(value); value != "" {
			out = append(out, fact{Name: name, Value: value, Code: true})
		}
	}
	if n := clean(c.Notes); n != "" {
		out = append(out, fact{Name: "Notes", Value: cut(n, 600)})
	}
	for _, p := range c.Params {
		add("Parameter "+clean(p.Name), fmt.Sprintf("%g", p.Default))
	}
	for _, s := range c.Signals {
		add(clean(s.Name), s.Expr)
	}
	if v.Result != nil {
		for k := range v.Strategies {
			x := &v.Strategies[k]
			add("Strategy "+clean(x.Name), x.File+", "+share(x.Share)+" of equity")
		}
	}
	if c.Long != nil {
		rulesOf("Long", c.Long.Entry, c.Long.Exits, add)
	}
	if c.Short != nil {
		rulesOf("Short", c.Short.Entry, c.Short.Exits, add)
	}
	if x := c.Rebalance; x != nil {
		add("Rebalance", rebalance(x))
	}
	add("Size", size(c.Size))
	add("Limits", limits(&c.Limits))
	return out
}

func rulesOf(side string, e order.Entry, exits []order.Exit, add func(name, value string)) {
	entry := e.When
	if e.Order != "" && e.Order != order.Market {
		entry += fmt.Sprintf(", %s at %s, %s", e.Order, e.Price, e.TIF)
	}
	if o := e.Or; o != nil {
		entry += fmt.Sprintf(", or %s at %s", o.Order, o.Price)
	}
	if e.Cancel != "" {
		entry += ", cancelled when " + e.Cancel
	}
	if e.Reprice {
		entry += ", repriced at every close"
	}
	if a := e.Add; a != nil {
		entry += fmt.Sprintf(", added to %d times at most", a.Most)
		if a.When != "" {
			entry += " when " + a.When
		}
	}
	if e.Rearm {
		entry += ", re-armed by a close without it"
	}
	if e.Cool > 0 {
		entry += fmt.Sprintf(", not within %d bars of an exit", e.Cool)
	}
	add(side+" entry", entry)
	if e.Rank != "" {
		add("Rank", e.Rank)
	}
	for _, x := range exits {
		var parts []string
		part := func(ok bool, format string, a ...any) {
			if ok {
				parts = append(parts, fmt.Sprintf(format, a...))
			}
		}
		part(x.When != "", "%s", x.When)
		part(x.Stop != "", "stop %s", x.Stop)
		part(x.Target != "", "target %s", x.Target)
		if t := x.Trail; t != nil {
			part(t.Fraction > 0, "trail %g", t.Fraction)
			part(t.Amount != "", "trail %s", t.Amount)
		}
		part(x.MaxBars > 0, "after %d bars", x.MaxBars)
		part(x.Fraction > 0 && x.Fraction < 1, "closes %g of the position", x.Fraction)
		add(side+" exit "+clean(x.Name), strings.Join(parts, "; "))
	}
}

// priced says where prices of trading were read that are no numbers of the settings.
func priced(c *backtest.Charges) []fact {
	if c == nil {
		return nil
	}
	var out []fact
	if b := c.Broker; b != nil {
		out = append(out, fact{Name: "Price list", Value: fmt.Sprintf("%s, as of %s, without %s. Source: %s", b.Title, b.Date, b.Leaves, b.Source)})
	}
	var rates []string
	for _, r := range c.Regulatory {
		rate := fmt.Sprintf("%g USD a million", r.PerMillion)
		if r.PerShare > 0 {
			rate = fmt.Sprintf("%s USD a share, at most %g", strconv.FormatFloat(r.PerShare, 'f', -1, 64), r.Most)
		}
		rates = append(rates, fmt.Sprintf("%s from %s on: %s (%s)", r.Fee, r.From, rate, r.Source))
	}
	if len(rates) > 0 {
		out = append(out, fact{Name: "Fees of sales", Value: strings.Join(rates, "; ")})
	}
	return out
}

// rebalances is how many there were, and what they traded.
func rebalances(r *backtest.RebalanceInfo) string {
	return fmt.Sprintf("%s, turning over %s of equity each on average", count(int64(r.Count), "rebalance"), percent(r.Traded))
}

// rebalance is when and to what a portfolio is brought.
func rebalance(r *order.Rebalance) string {
	var out []string
	add := func(ok bool, format string, a ...any) {
		if ok {
			out = append(out, fmt.Sprintf(format, a...))
		}
	}
	add(r.Every != "never", "every %s", r.Every)
	out = append(out, "weights "+r.Weights)
	add(r.Drift > 0, "drift of %s", share(r.Drift))
	add(r.Unit != order.Proportional, "in %s", r.Unit)
	add(r.Where != "", "where %s", r.Where)
	add(r.Top > 0, "top %d", r.Top)
	add(r.Bottom > 0, "bottom %d", r.Bottom)
	add(r.By != "", "by %s", r.By)
	add(r.Gross != 1, "%s of equity", share(r.Gross))
	add(r.Buffer > 0, "%s of that kept in cash", share(r.Buffer))
	add(r.Band > 0, "band of %s", share(r.Band))
	return strings.Join(out, "; ")
}

// limits are what new orders are bound by.
func limits(l *order.Limits) string {
	var out []string
	add := func(ok bool, format string, a ...any) {
		if ok {
			out = append(out, fmt.Sprintf(format, a...))
		}
	}
	add(l.Position > 0, "%s in one symbol", share(l.Position))
	add(l.Group > 0, "%s in one group", share(l.Group))
	add(l.PerGroup > 0, "%d positions in one group", l.PerGroup)
	add(l.Groups != "", "groups by %s", l.Groups)
	add(l.Gross > 0, "gross %s", share(l.Gross))
	add(l.Net > 0, "net %s", share(l.Net))
	add(l.LongSide > 0, "%d longs", l.LongSide)
	add(l.ShortSide > 0, "%d shorts", l.ShortSide)
	return strings.Join(out, ", ")
}

func size(s order.Size) string {
	var out []string
	add := func(ok bool, format string, a ...any) {
		if ok {
			out = append(out, fmt.Sprintf(format, a...))
		}
	}
	add(s.Shares > 0, "%g shares", s.Shares)
	add(s.Value > 0, "%s", money(s.Value))
	add(s.Weight > 0, "%s of equity", share(s.Weight))
	add(s.Risk > 0, "risk %s of equity to the stop", share(s.Risk))
	if x := s.Volatility; x != nil {
		add(true, "volatility of %s a year over %d bars, at most %s of equity", share(x.Target), x.Lookback, share(x.Most))
	}
	if x := s.Kelly; x != nil {
		add(true, "%g of the Kelly weight of the last %d trades, %s until then, at most %s of equity", x.Fraction, x.Trades, share(x.Start), share(x.Most))
	}
	add(s.Fractional, "fractional shares")
	add(s.MaxPositions > 0, "at most %d positions", s.MaxPositions)
	return strings.Join(out, ", ")
}
