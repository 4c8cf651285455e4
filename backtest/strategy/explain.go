package strategy

import (
	"fmt"
	"slices"
	"strings"

	"backtester/backtest/bar"
	"backtester/backtest/expr"
	"backtester/backtest/fill"
	"backtester/backtest/instrument"
	"backtester/backtest/order"
	"backtester/backtest/portfolio"
)

// Explain says in words what the file does: symbols, rules, size, costs, and what history and columns
// the rules need. It is for reading, its wording may change. Faults are those of Compile. The text
// ends in a newline.
func (f *File) Explain() (string, Diagnostics) {
	rules, wrong := f.Compile()
	if len(wrong) > 0 {
		return "", wrong
	}
	e := &explainer{decider: "script decides", market: f.Fills.Market}
	if f.Rebalance != nil {
		e.decider = "rebalance says"
	}
	e.line("%s", f.Name)
	e.scope(f)
	for i, p := range f.Params {
		if i == 0 {
			e.line("Parameters:")
		}
		e.item("%s", paramWords(p))
	}
	for i, s := range f.Series {
		if i == 0 {
			e.line("From files, each value from the time on at which it was known:")
		}
		e.item("%s in %s", s.Name, s.Expr)
	}
	for i, s := range f.Functions {
		if i == 0 {
			e.line("Functions:")
		}
		e.item("%s = %s", s.Name, s.Expr)
	}
	for i, s := range f.Signals {
		if i == 0 {
			e.line("Named:")
		}
		e.item("%s = %s", s.Name, s.Expr)
	}
	if name, text, ok := f.ScriptText(); ok {
		e.line("Decisions by %s, %s of Starlark, after the rules below.", name, count(strings.Count(strings.TrimSpace(text), "\n")+1, "line"))
	} else if f.Script != "" {
		e.line("Decisions by the script %s, which was not read.", f.Script)
	}
	if f.Rebalance != nil {
		for _, words := range rebalanceWords(f.Rebalance) {
			e.line("%s", words)
		}
	}
	e.side(f.Long, rules.Long, "Buy")
	e.side(f.Short, rules.Short, "Sell short")
	for i := range rules.Parts {
		p := &rules.Parts[i]
		e.line("%s, with %s of equity, is the strategy %s.", p.Name, shortest(p.Share), f.Strategies[i].File)
	}
	if len(rules.Parts) > 0 {
		e.line("They share the cash, and the settings of this file are those of the account.")
	} else if f.Rebalance == nil {
		e.line("Size: %s.", sizeWords(f.Size))
	}
	if words := limitWords(&f.Limits); words != "" {
		e.line("New orders are cut to %s.", words)
	}
	e.line("Costs: %s.", costWords(f.Costs))
	e.line("Account: %s, %s USD to start with.", map[portfolio.Kind]string{portfolio.Cash: "cash", portfolio.RegT: "Regulation T margin", portfolio.Covered: "longs and shorts covered in full by equity",
		portfolio.Proceeds: "proceeds of shorts are cash to spend"}[f.Account.Kind], shortest(f.Account.Cash))
	if f.Benchmark != "" {
		e.line("Compared with %s, dividends reinvested, without costs.", f.Benchmark)
	}
	if f.BuyAndHold {
		e.line("Compared with buying the symbols in equal parts and holding them, under the same rules and costs.")
	}
	if len(rules.Parts) > 0 {
		e.line("Needs %s of history before the first decision.", count(rules.Warmup, "bar"))
		return e.String(), nil
	}
	e.line("Needs %s of history before the first decision, and %s of each bar.", count(rules.Warmup, "bar"), columnWords(rules.Program.Columns()))
	return e.String(), nil
}

type explainer struct {
	strings.Builder
	decider string // of what the file's entries do not decide
	market  fill.MarketFill
}

// after is where a market order that a close decided fills.
func (e *explainer) after() string {
	switch e.market {
	case fill.NextClose:
		return "the next close"
	case fill.ThisClose:
		return "that very close"
	}
	return "the next open"
}

func (e *explainer) line(format string, args ...any) { fmt.Fprintf(e, format+"\n", args...) }
func (e *explainer) item(format string, args ...any) { fmt.Fprintf(e, "  "+format+"\n", args...) }

func (e *explainer) scope(f *File) {
	what := "The symbols that are given with the run"
	if s := f.Universe.Symbols; len(s) > 8 {
		what = fmt.Sprintf("%s and %d more symbols", strings.Join(s[:8], ", "), len(s)-8)
	} else if len(s) > 0 {
		what = list(s, "and")
	}
	what = universeWords(what, &f.Universe)
	when := ""
	if f.Data.From != instrument.None {
		when += ", from " + f.Data.From.String()
	}
	if f.Data.To != instrument.None {
		when += ", to " + f.Data.To.String()
	}
	seen := map[bar.Adjust]string{bar.AdjustSplit: "restated for splits", bar.AdjustTotal: "restated for splits and dividends", bar.AdjustRaw: "as traded"}
	e.line("%s, bars of %s%s. Rules see past prices %s; the books are kept in prices as traded.", what, f.Data.Bars, when, seen[f.Data.Adjust])
}

// universeWords says who may be traded.
func universeWords(what string, u *Universe) string {
	if u.Members != "" {
		what = "The symbols listed in " + u.Members + ", each in its time"
	} else if len(u.Symbols) == 0 && (u.Dynamic() || len(u.Type) > 0) {
		what = "All symbols that the data holds, delisted ones included"
	}
	if len(u.Type) > 0 {
		what += ", of type " + list(u.Type, "or")
	}
	if u.Where != "" {
		what += ", while " + u.Where
	}
	if u.Top > 0 {
		what += ", of these the " + itoa(u.Top) + " with the highest " + u.By
	}
	return what
}

func paramWords(p Param) string {
	s := p.Name + " = " + shortest(p.Default)
	if n := len(p.Values); n > 1 {
		s += fmt.Sprintf("; a sweep tries %d values from %s to %s", n, shortest(p.Values[0]), shortest(p.Values[n-1]))
	}
	return s
}

func (e *explainer) side(s *Side, r *SideRules, verb string) {
	if s == nil {
		return
	}
	if s.Entry.When == "" {
		e.line("%s as the %s.", verb, e.decider)
		e.exits(s, r)
		return
	}
	e.line("%s when, at the close of a bar, %s.", verb, s.Entry.When)
	e.item("%s.", e.orderWords(&s.Entry))
	for _, words := range entryWords(&s.Entry) {
		e.item("%s.", words)
	}
	e.exits(s, r)
}

// leave is when a position is left at a condition or after so many bars.
func (e *explainer) leave(of string) string {
	if e.market == fill.ThisClose {
		return "the very close of " + of
	}
	return e.after() + " after " + of
}

// orderWords says by which order a side is entered.
func (e *explainer) orderWords(x *order.Entry) string {
	how := fmt.Sprintf("By a %s order at %s", x.Order, x.Price)
	if x.Limit != "" {
		how += ", no worse than " + x.Limit
	}
	switch {
	case x.Order == order.Market:
		how = "By a market order at " + e.after()
	case x.Order == order.MarketOnOpen:
		how = "By a market order in the next opening auction"
	case x.Order == order.MarketOnClose:
		how = "By a market order in the next closing auction"
	case x.TIF == order.GTC:
		how += ", good till cancelled"
	case x.TIF == order.GTD:
		how += ", good till " + x.Until.String()
	case x.TIF == order.IOC:
		how += ", with the next open as its only chance"
	case x.TIF == order.OPG:
		how += ", in the next opening auction only"
	case x.TIF == order.CLS:
		how += ", in the next closing auction only"
	case x.MaxWait > 0:
		how += fmt.Sprintf(", for the next session and %s more", count(x.MaxWait, "session"))
	default:
		how += ", for the next session"
	}
	if x.Rank != "" {
		how += "; the highest " + x.Rank + " comes first"
	}
	return how
}

// entryWords says what else holds for entries.
func entryWords(e *order.Entry) []string {
	var out []string
	if o := e.Or; o != nil {
		out = append(out, fmt.Sprintf("Or by a %s order at %s, whichever fills first", o.Order, o.Price))
	}
	if e.Cancel != "" {
		out = append(out, "Cancelled when "+e.Cancel)
	}
	if e.Reprice {
		out = append(out, "While it waits it takes the price of every close")
	}
	if a := e.Add; a != nil {
		when := a.When
		if when == "" {
			when = "the same holds again"
		}
		out = append(out, "Added to at most "+count(a.Most, "time")+", when "+when)
	}
	if e.Over > 0 {
		out = append(out, "Up to "+count(e.Over, "order")+" more than there are slots; of those that one bar reaches the lowest rank fills first")
	}
	if e.Rearm {
		out = append(out, "After an exit not before the condition was false once")
	}
	if e.Cool > 0 {
		out = append(out, "Not within "+count(e.Cool, "bar")+" of an exit")
	}
	return out
}

// part reports an exit that closes a part of a position.
func part(x order.Exit) bool { return x.Fraction > 0 && x.Fraction < 1 }

// exits says the ways out of a position.
func (e *explainer) exits(s *Side, r *SideRules) {
	if len(r.Exits) == 0 {
		e.line("Never closed before the end of the run.")
		return
	}
	if slices.ContainsFunc(s.Exits, part) {
		e.line("Close in parts, side by side:")
	} else {
		e.line("Close at whichever comes first:")
	}
	for _, x := range s.Exits {
		for _, way := range e.exitWords(x) {
			if x.Name != "" {
				way = x.Name + ": " + way
			}
			if part(x) {
				way += ", for " + shortest(x.Fraction) + " of the shares entered"
			}
			e.item("%s", way)
		}
	}
}

// exitWords says the ways out in the order of ExitRule.
func (e *explainer) exitWords(x order.Exit) []string {
	var out []string
	if x.When != "" {
		out = append(out, e.leave("a bar on which "+x.When))
	}
	if x.Stop != "" {
		way := "a stop at " + x.Stop + ", renewed at every close"
		if x.Ratchet {
			way = "a stop at " + x.Stop + ", renewed at every close, never loosened"
		}
		out = append(out, way)
	}
	if x.Target != "" {
		out = append(out, "a target at "+x.Target+", renewed at every close")
	}
	if t := x.Trail; t != nil {
		distance := shortest(t.Fraction*100) + " % of it"
		if t.Amount != "" {
			distance = t.Amount + " USD"
		}
		upTo := "up to the bar before"
		if t.Intrabar {
			upTo = "the current bar included"
		}
		out = append(out, "a stop that follows the best price at a distance of "+distance+", "+upTo)
	}
	if x.MaxBars > 0 {
		out = append(out, e.leave(count(x.MaxBars, "bar")+" in the position"))
	}
	return out
}

func sizeWords(s order.Size) string {
	amount := "all equity for one symbol, else an equal part of it for each position there may be"
	switch {
	case s.Shares > 0:
		amount = shortest(s.Shares) + " shares"
	case s.Value > 0:
		amount = shortest(s.Value) + " USD"
	case s.Weight > 0:
		amount = shortest(s.Weight) + " of equity"
	case s.Volatility != nil:
		amount = "a volatility of " + shortest(s.Volatility.Target) + " of equity a year, by the last " + count(s.Volatility.Lookback, "bar") + ", at most " + shortest(s.Volatility.Most) + " of equity"
	case s.Kelly != nil:
		amount = shortest(s.Kelly.Fraction) + " of the Kelly weight of the last " + count(s.Kelly.Trades, "trade") + ", until then " + shortest(s.Kelly.Start) + ", at most " + shortest(s.Kelly.Most) + " of equity"
	case s.Risk > 0:
		amount = "so many shares that the stop loses " + shortest(s.Risk) + " of equity"
	}
	switch {
	case s.Fractional:
		amount += ", fractions of shares allowed"
	case s.Lot != 1:
		amount += ", in lots of " + shortest(s.Lot)
	default:
		amount += ", in whole shares"
	}
	if s.MaxPositions > 0 {
		amount += ", at most " + count(s.MaxPositions, "position")
	}
	if s.AllOrNone {
		amount += ", all or none"
	}
	return amount
}

// limitWords says what new orders are bound by, "" for nothing.
func limitWords(l *order.Limits) string {
	var parts []string
	add := func(there bool, format string, args ...any) {
		if there {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	add(l.Position > 0, "%s of equity in one symbol", shortest(l.Position))
	add(l.Group > 0, "%s in one group by %s", shortest(l.Group), l.Groups)
	add(l.PerGroup > 0, "%s in one group by %s", count(l.PerGroup, "position"), l.Groups)
	add(l.Gross > 0, "%s of longs and shorts together", shortest(l.Gross))
	add(l.Net > 0, "%s of longs less shorts", shortest(l.Net))
	add(l.LongSide > 0, "%s", count(l.LongSide, "long position"))
	add(l.ShortSide > 0, "%s", count(l.ShortSide, "short position"))
	return strings.Join(parts, ", ")
}

func costWords(c fill.Costs) string {
	var parts []string
	add := func(amount float64, format string) {
		if amount > 0 {
			parts = append(parts, fmt.Sprintf(format, shortest(amount)))
		}
	}
	if b := c.Commission.Broker; b != "" {
		parts = append(parts, "the prices of "+b)
	}
	add(c.Commission.PerShare, "%s USD a share")
	if n := len(c.Commission.Tiers); n > 0 {
		parts = append(parts, "less from "+shortest(c.Commission.Tiers[0].Above)+" shares a month on")
	}
	add(c.Commission.PerOrder, "%s USD an order")
	add(c.Commission.BPS, "%s bps of the value")
	add(c.Commission.Min, "at least %s USD an order")
	add(c.Commission.Max, "at most %s USD an order")
	add(c.Commission.MaxBPS, "at most %s bps of the value")
	if c.Regulatory != "" {
		parts = append(parts, "regulatory fees on sales")
	}
	add(c.Slippage.BPS, "market and stop fills %s bps worse than the price")
	add(c.Slippage.Ticks, "market and stop fills %s ticks worse than the price")
	add(c.Slippage.Spread/2, "market and stop fills %s USD a share worse than the price, half the spread")
	add(c.Slippage.VolumeShare, "market and stop fills worse by %s of the price times the square of their share of the bar's volume")
	add(c.Slippage.Impact, "market and stop fills worse by %s volatilities of a bar times the square root of their share of its volume")
	add(c.Borrow.Annual, "borrowed shares %s of their value a year")
	if c.Borrow.Table != "" {
		parts = append(parts, "borrowed shares by "+c.Borrow.Table)
	}
	limit := c.VolumeCap.Complete()
	add(limit.Bar, "fills of at most %s of a bar's volume")
	add(limit.Open, "at most %s of it at the open")
	add(limit.Close, "at most %s of it at the close")
	if len(parts) == 0 {
		return "none, which no market offers"
	}
	return strings.Join(parts, ", ")
}

func columnWords(c expr.ColumnSet) string {
	var names []string
	for i, name := range []string{"open", "high", "low", "close", "volume"} {
		if c&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "nothing"
	}
	return list(names, "and")
}

// count is a number of things, in the plural unless one.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return itoa(n) + " " + thing + "s"
}
