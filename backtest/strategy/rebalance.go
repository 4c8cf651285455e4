package strategy

import (
	"backtester/backtest/expr"
	"backtester/backtest/fill"
	"backtester/backtest/order"
	"backtester/backtest/portfolio"
)

// RebalanceRules are the compiled rules by which a portfolio is brought to target weights.
type RebalanceRules struct {
	Settings order.Rebalance
	Weights  expr.Ref // zero: by the rule that Settings.Weights names
	Where    expr.Ref // zero: all
	By       expr.Ref // zero: without buckets
	MaxWait  int      // sessions that an order works beyond the first
}

// Decides reports whether something besides entries decides what is held: a script, a rebalance, or the
// strategies that share the account.
func (f *File) Decides() bool {
	return f.Script != "" || f.Rebalance != nil || len(f.Strategies) > 0
}

// history is how many bars settings need before the first decision, apart from expressions.
func (f *File) history() int {
	n := 0
	if v := f.Size.Volatility; v != nil {
		n = v.Lookback
	}
	if f.Rebalance != nil {
		n = max(n, f.Rebalance.History())
	}
	if f.Costs.Slippage.Impact > 0 {
		n = max(n, fill.ImpactBars)
	}
	return n
}

// warmup is how many bars of history the expressions of a rebalance need.
func (r *RebalanceRules) warmup(p *expr.Program) int {
	n := 0
	if r != nil {
		for _, ref := range []expr.Ref{r.Weights, r.Where, r.By} {
			if ref != 0 {
				n = max(n, p.WarmupOf(ref))
			}
		}
	}
	return n
}

// rebalance compiles the expressions of a rebalance; nil without one.
func (c *compilation) rebalance() *RebalanceRules {
	r := c.file.Rebalance
	if r == nil {
		return nil
	}
	out := &RebalanceRules{Settings: *r,
		Where: c.add(r.Where, expr.Bool, expr.NoVars, "rebalance.where"),
		By:    c.add(r.By, expr.Number, expr.NoVars, "rebalance.by")}
	if !r.Named() {
		out.Weights = c.add(r.Weights, expr.Number, expr.NoVars, "rebalance.weights", "rebalance")
	}
	if r.Where != "" {
		c.conditions = append(c.conditions, NamedRef{"rebalance.where", out.Where})
	}
	return out
}

// rebalance checks that the settings of a rebalance agree with each other and with the rest of the file.
func (c *checker) rebalance() {
	f, r := c.file, c.file.Rebalance
	if r == nil {
		return
	}
	for _, s := range []struct {
		side *Side
		name string
	}{{f.Long, "entry"}, {f.Short, "short.entry"}} {
		if s.side != nil && s.side.Entry.When != "" {
			c.fault("conflict", "", s.name+" and rebalance both say what is bought: keep one (ways out may stand beside a rebalance)", s.name, "long."+s.name, "rebalance")
		}
	}
	if f.Script != "" {
		c.fault("conflict", "", "script and rebalance both say what is held: keep one (a script has on_rebalance)", "rebalance")
	}
	if r.Every == "never" && r.Drift == 0 && !c.some {
		c.fault("missing_key", "", "rebalance says nothing about when: add every, such as every: month, or drift", "rebalance")
	}
	buckets := r.Top > 0 || r.Bottom > 0
	switch {
	case c.some:
	case buckets && r.By == "":
		c.fault("conflict", "", "rebalance.top and bottom need to know the highest of what: add rebalance.by, such as by: roc(close, 126)", "rebalance.top", "rebalance.bottom")
	case !buckets && r.By != "":
		c.fault("conflict", "", "rebalance.by orders the symbols, but not how many of them: add rebalance.top or bottom", "rebalance.by")
	}
	cash := f.Account.Kind == portfolio.Cash
	if r.Bottom > 0 && cash {
		c.fault("conflict", "", "rebalance.bottom sells borrowed shares, which a cash account cannot: set account: regt", "rebalance.bottom")
	}
	if r.Gross > 1 && cash {
		c.fault("conflict", "", "rebalance.gross "+shortest(r.Gross)+" buys with borrowed money, which a cash account cannot: set account: regt, or at most 1", "rebalance.gross")
	}
	if r.Unit != order.Proportional && r.Named() {
		c.fault("conflict", "", "rebalance.unit says what an expression in weights is, and weights is "+r.Weights+": remove unit", "rebalance.unit")
	}
	for _, key := range []string{"gross", "buffer"} {
		if r.Unit != order.Proportional && !r.Named() && c.given("rebalance."+key) {
			c.fault("conflict", "", "rebalance."+key+" scales proportional weights, and weights are "+string(r.Unit)+" already: remove one of them", "rebalance."+key)
		}
	}
	if r.History() == 0 && c.given("rebalance.lookback") {
		c.fault("conflict", "", "rebalance.lookback is for inverse_volatility and risk_parity: remove it, or set weights to one of them", "rebalance.lookback")
	}
	for _, key := range []string{"shares", "value", "weight", "risk", "volatility", "kelly"} {
		if c.given("size." + key) {
			c.fault("conflict", "", "size."+key+" says how much an entry buys, and rebalance has weights for that: remove it", "size."+key)
		}
	}
}

// rebalanceWords says when and to what a portfolio is rebalanced.
func rebalanceWords(r *order.Rebalance) []string {
	when := ""
	if r.Every != "never" {
		when = "at the last close of every " + r.Every
	}
	if r.Drift > 0 {
		if when != "" {
			when += ", and "
		}
		when += "when something held is more than " + shortest(r.Drift) + " of equity off its target"
	}
	if r.Start {
		when += ", first at the first close with a target"
	}
	who := "Of the members of the universe"
	if r.Where != "" {
		who += " for which " + r.Where
	}
	switch {
	case r.Top > 0 && r.Bottom > 0:
		who += ", long the " + itoa(r.Top) + " highest and short the " + itoa(r.Bottom) + " lowest by " + r.By
	case r.Top > 0:
		who += ", the " + itoa(r.Top) + " highest by " + r.By
	case r.Bottom > 0:
		who += ", short the " + itoa(r.Bottom) + " lowest by " + r.By
	}
	weights := map[string]string{order.EqualWeights: "equal weights",
		order.InverseVolatility: "weights by the inverse of the volatility of " + itoa(r.Lookback) + " bars",
		order.RiskParity:        "weights that contribute the same risk by the returns of " + itoa(r.Lookback) + " bars"}[r.Weights]
	switch {
	case weights != "":
	case r.Unit == order.Proportional:
		weights = "weights in proportion to " + r.Weights
	case r.Unit == order.OfEquity:
		weights = r.Weights + " of equity"
	case r.Unit == order.OfMoney:
		weights = r.Weights + " USD"
	default:
		weights = r.Weights + " shares"
	}
	if r.Unit == order.Proportional {
		weights += ", together " + shortest(r.Gross*(1-r.Buffer)) + " of equity"
	}
	if r.Band > 0 {
		weights += "; what is no more than " + shortest(r.Band) + " off is left alone"
	}
	return []string{who + ": " + weights + ".", "Rebalanced " + when + "."}
}
