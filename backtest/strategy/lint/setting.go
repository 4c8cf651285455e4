package lint

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"backtester/backtest/expr"
	"backtester/backtest/fill"
	"backtester/backtest/portfolio"
)

// names reports parameters, signals, functions and series that no rule uses.
func (c *checker) names() {
	f := c.file
	constraint := part{whole: strings.Join(f.Constraint, " ")}
	constraint.to = len(constraint.whole)
	universe := part{whole: f.Universe.Where + " " + f.Universe.By}
	universe.to = len(universe.whole)
	for _, name := range c.rules.Program.Unused() {
		if universe.names()[name] {
			continue
		}
		thing, path, what := "parameter ", "params."+name, ""
		for _, p := range f.Params {
			if p.Name == name && len(p.Values) > 1 {
				what = ": a sweep would try the same rules again and again"
			}
		}
		if constraint.names()[name] {
			what = ", only a constraint does"
		}
		for _, s := range f.Signals {
			if s.Name == name {
				thing, path, what = "signal ", "signals."+name, ": it is only shown and counted"
			}
		}
		for _, s := range f.Series {
			if s.Name == name {
				thing, path = "series ", "series."+name
			}
		}
		for _, s := range f.Functions {
			if bare, _, _ := strings.Cut(s.Name, "("); strings.TrimSpace(bare) == name {
				thing, path = "function ", "functions."+s.Name
			}
		}
		c.add("unused", "remove it, or use it in a rule", "no rule uses the "+thing+name+what, path)
	}
	c.constraints()
}

// constraints evaluates the conditions on parameters with their defaults.
func (c *checker) constraints() {
	for i, s := range c.file.Constraint {
		path := "constraint." + strconv.Itoa(i)
		if _, ok := c.file.Positions[path]; !ok {
			path = "constraint"
		}
		p := take(path, s)
		if v, ok := c.evaluate(s, expr.Bool); ok && v != 1 {
			c.at(p, "default_excluded", "choose other defaults, or change the constraint", "the parameters' defaults break this constraint: run would trade what no sweep tries")
		} else if len(c.file.Params) > 0 && !c.mentionsParam(p) {
			c.at(p, "constant", "", "this constraint has no parameter in it")
		}
	}
}

func (c *checker) mentionsParam(p part) bool {
	names := p.names()
	for _, x := range c.file.Params {
		if names[x.Name] {
			return true
		}
	}
	return false
}

// sides compares entries with exits and with each other.
func (c *checker) sides() {
	sides := sidesOf(c.file)
	for _, s := range sides {
		entry := take(s.prefix+"entry.when", s.side.Entry.When)
		needed := entry.joined("and")
		for i, x := range s.side.Exits {
			if x.When == "" {
				continue
			}
			exit := take(s.exit(c.file, i, "when"), x.When)
			for _, e := range exit.joined("or") {
				if e.text() == entry.text() {
					c.at(e, "exit_at_entry", "", "the exit holds whenever the entry does: a position is closed as soon as it is open")
				} else if slices.ContainsFunc(needed, func(n part) bool { return n.text() == e.text() }) {
					c.at(e, "exit_at_entry", "", fmt.Sprintf("the entry needs %s, and the exit closes on it: most positions end at once", e.source()))
				}
			}
		}
		if r := s.side.Entry.Rank; r != "" {
			if v, ok := c.evaluate(r, expr.Number); ok {
				c.add("constant", "rank by something that differs, such as roc(close, 60)", fmt.Sprintf("the rank is %v for every symbol: the alphabet decides", v), s.prefix+"entry.rank")
			}
		}
	}
	if len(sides) == 2 {
		long, short := take("", sides[0].side.Entry.When), take("short.entry.when", sides[1].side.Entry.When)
		if long.text() == short.text() {
			c.at(short, "contradiction", "", "long and short have the same entry: when both are true, nothing is ordered")
		}
	}
}

// evaluate is the value of an expression that parameters alone decide.
func (c *checker) evaluate(text string, kind expr.Kind) (float64, bool) {
	scope := expr.Scope{}
	for _, x := range c.file.Params {
		scope.Params = append(scope.Params, expr.Param{Name: x.Name, Value: x.Default})
	}
	compiler := expr.NewCompiler(scope)
	ref := compiler.Add(strings.Join(strings.Fields(text), " "), expr.Pos{}, kind, expr.NoVars)
	program, faults := compiler.Program()
	if len(faults) > 0 {
		return 0, false
	}
	return program.Constant(ref)
}

// money looks at costs, sizes and the choice between symbols.
func (c *checker) money() {
	f := c.file
	k := f.Costs
	if k.Commission.Broker == "" && k.Commission.None() && k.Slippage == (fill.Slippage{}) {
		c.add("zero_costs", "costs: {commission: {per_share: 0.005, min: 1}, slippage: {bps: 2}} are those of a small account",
			"neither commission nor slippage: no market is free, and short-term ideas live on it", "costs.commission", "costs")
	}
	if f.Short != nil && k.Borrow == (fill.Borrow{}) {
		c.add("zero_costs", "costs.borrow: {annual: 0.03}, and much more for what everybody wants to sell", "shares are borrowed without a fee", "short")
	}
	size, many := f.Size, len(f.Universe.Symbols)
	if n := size.MaxPositions; n > 0 && (many == 0 || many > n) {
		for _, s := range sidesOf(f) {
			if s.side.Entry.Rank == "" {
				c.add("no_rank", "add entry.rank, such as rank: roc(close, 60)",
					fmt.Sprintf("at most %d positions and no rank: when more symbols qualify, the alphabet decides", n), s.prefix+"entry", "size.max_positions")
			}
		}
	}
	if n := float64(size.MaxPositions); size.Weight > 0 && n > 0 && f.Account.Kind == portfolio.Cash && size.Weight*n > 1+1e-9 {
		c.add("over_invested", fmt.Sprintf("at most %s for all of them", strconv.FormatFloat(1/n, 'g', 4, 64)),
			fmt.Sprintf("%v of equity for each of %v positions is more than there is: the last ones are not bought", size.Weight, n), "size.weight", "size")
	}
}

// settings looks at everything else.
func (c *checker) settings() {
	f := c.file
	if f.Benchmark != "" && slices.Contains(f.Universe.Symbols, f.Benchmark) {
		c.add("benchmark_traded", "compare with something that is not traded, or leave it out of universe.symbols",
			f.Benchmark+" is both traded and compared with", "benchmark")
	}
	if f.Fills.Market == fill.ThisClose {
		c.add("same_bar_fill", "next_open, or next_close for an order at the close", "orders fill at the very close that decided them, which nobody can do", "fills.market")
	}
	for _, s := range sidesOf(f) {
		closed := 0.0
		for _, x := range s.side.Exits {
			closed += cmp.Or(x.Fraction, 1)
		}
		if closed > 0 && closed < 1-1e-9 {
			c.add("remainder", "give one of them the rest, or add an exit without fraction", fmt.Sprintf("all ways out together close %v of a position: the rest is held to the end of the run", closed), s.prefix+"exit.0", s.prefix+"exit")
		}
		for i, x := range s.side.Exits {
			if x.Stop == "" || x.Target == "" {
				continue
			}
			if stop, target := take("", x.Stop), take(s.exit(f, i, "target"), x.Target); stop.text() == target.text() {
				c.at(target, "contradiction", "", "stop and target are the same price")
			}
		}
	}
}
