package strategy

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"backtester/backtest/bar"
	"backtester/backtest/expr"
	"backtester/backtest/fill"
	"backtester/backtest/instrument"
	"backtester/backtest/order"
	"backtester/backtest/portfolio"
)

func itoa(i int) string { return strconv.Itoa(i) }

// checker finds settings that are fine one by one and make no sense together.
type checker struct {
	faults
	file *File
	unread
}

// unread says what could not be read: the check leaves unsaid what only follows from that.
type unread struct {
	some  bool            // something, somewhere: absent values prove nothing
	paths map[string]bool // these
}

// check looks at the whole file.
func (f *File) check(u unread) Diagnostics {
	c := &checker{file: f, unread: u}
	c.naming()
	c.universe()
	c.script()
	c.together()
	c.sides()
	c.pairs()
	c.rebalance()
	c.dates()
	c.size()
	c.limits()
	c.costs()
	if v := f.Validate; v != nil && v.PBO%2 != 0 {
		c.fault("out_of_range", "", "validate.pbo is "+itoa(v.PBO)+", want an even number of blocks", "validate.pbo")
	}
	if v := f.Validate; v != nil && v.CPCV != nil && v.CPCV.Tested >= v.CPCV.Groups {
		c.fault("out_of_range", "", "validate.cpcv tests "+itoa(v.CPCV.Tested)+" of "+itoa(v.CPCV.Groups)+" groups, want one left to train on", "validate.cpcv.tested")
	}
	if s := f.Search; s != nil && s.Objective != "" {
		if _, err := expr.Format(s.Objective); err != nil {
			c.fault("bad_name", "", "search.objective is "+strconv.Quote(clip(s.Objective, 40))+", want the name of a metric such as sharpe, or an expression of such names", "search.objective")
		}
	}
	return c.list
}

// given reports whether a key stands in the file.
func (c *checker) given(path string) bool { return c.file.nodes[path] != nil }

// fault reports at the first of the paths that is in the file, else at its top.
func (c *checker) fault(code, hint, message string, paths ...string) {
	at := &node{}
	if c.file.origin != nil {
		at = c.file.origin.root
	}
	for _, p := range paths {
		if n := c.file.nodes[p]; n != nil {
			at = n
			break
		}
	}
	c.add(at, cause{code, hint}, "%s", message)
}

// before reports whether path a stands before path b in the file.
func (c *checker) before(a, b string) bool {
	m, n := c.file.nodes[a], c.file.nodes[b]
	if m == nil || n == nil || m.pos.Line == 0 || n.pos.Line == 0 {
		return m != nil && n != nil && m.pos.Line > 0 // what --set gave comes last
	}
	return m.pos.Line < n.pos.Line || m.pos.Line == n.pos.Line && m.pos.Column < n.pos.Column
}

func (c *checker) naming() {
	name := c.file.Name
	if utf8.RuneCountInString(name) > 120 || strings.ContainsFunc(name, unicode.IsControl) {
		c.fault("bad_name", "", "name is too long or has several lines: want one line of at most 120 characters", "name")
	}
}

func (c *checker) universe() {
	u := &c.file.Universe
	switch {
	case u.Top > 0 && u.By == "" && !c.paths["universe.by"]:
		c.fault("conflict", "", "universe.top needs to know the highest of what: add universe.by, such as by: sma(dollar_volume, 20)", "universe.top")
	case u.By != "" && u.Top == 0 && !c.paths["universe.top"]:
		c.fault("conflict", "", "universe.by orders the symbols, but not how many of them: add universe.top", "universe.by")
	}
	if len(u.Symbols) > 0 && u.Members != "" {
		c.fault("conflict", "", "universe has both symbols and members: keep one", "universe.members")
	}
	if c.file.Leave && !u.Dynamic() && len(u.Type) == 0 && !c.some {
		c.fault("conflict", "", "universe_exit sells what leaves the universe, but nothing ever leaves this one: add universe.where, top, type or members", "universe_exit")
	}
}

func (c *checker) dates() {
	d := c.file.Data
	if d.From != instrument.None && d.To != instrument.None && d.From > d.To {
		c.fault("conflict", "", "data.from "+d.From.String()+" is after data.to "+d.To.String()+": exchange them", "data.from", "data.to")
	}
	if a := c.file.Fills.Ambiguity; a == fill.Magnify && (d.Bars == bar.Minutely || d.Bars.Unit == bar.Week || d.Bars.Unit == bar.Month) {
		c.fault("conflict", "", "fills.ambiguity: magnify looks at the minutes within bars of a day or shorter, data.bars is "+d.Bars.String()+": use 1d, or another rule", "fills.ambiguity")
	}
	if d.Session == bar.Extended && !d.Bars.Intraday() && c.given("data.session") {
		c.fault("conflict", "", "data.session: extended concerns bars within a day, data.bars is "+d.Bars.String(), "data.session")
	}
	if c.file.Fills.Extended == fill.ExtendedLimit && d.Session != bar.Extended && !c.some {
		c.fault("conflict", "", "fills.extended: limit fills orders in extended hours, and data.session does not hold them: set data.session: extended", "fills.extended")
	}
}

func (c *checker) sides() {
	f := c.file
	for _, key := range []string{"entry", "exit"} {
		if c.given(key) && c.given("long") {
			c.fault("conflict", "", key+" at the top level and long: are the same rules twice: keep one", key)
		}
	}
	if f.Long == nil && f.Short == nil && !f.Decides() && !c.some {
		c.fault("missing_key", "", "the file has no entry: say when to open a position, such as entry: close > sma(close, 200)")
	}
	if f.Short != nil && f.Account.Kind == portfolio.Cash {
		c.fault("conflict", "", "short sells borrowed shares, which a cash account cannot: set account: regt", "short")
	}
	for _, s := range []struct {
		side *Side
		name string
	}{{f.Long, "long"}, {f.Short, "short"}} {
		if s.side == nil {
			continue
		}
		prefix := s.name + "."
		if s.name == "long" && !c.given("long") {
			prefix = ""
		}
		if !c.given(prefix+"entry") && s.side.Entry.When == "" && !f.Decides() {
			c.fault("missing_key", "", prefix+"exit has no entry beside it: say when to open a position", prefix+"exit", s.name)
		}
		c.entry(s.side.Entry, prefix+"entry")
		for i, x := range s.side.Exits {
			at := prefix + "exit." + itoa(i)
			if !c.given(at) {
				at = prefix + "exit"
			}
			c.exit(x, at)
		}
	}
}

func (c *checker) entry(e order.Entry, at string) {
	c.prices(e.Order, e.Price, e.Limit, at)
	if o := e.Or; o != nil {
		c.prices(o.Order, o.Price, o.Limit, at+".or")
		switch {
		case c.some:
		case !e.Order.Priced():
			c.fault("conflict", "", at+".or is a second order that waits beside the first, and a "+string(e.Order)+" order waits for no price: set "+at+".order to limit or stop", at+".or")
		case e.TIF == order.CLS || e.TIF == order.OPG:
			c.fault("conflict", "", at+".or: an auction has one price, so that two orders for it are no choice: use another tif", at+".tif")
		case c.file.Fills.Both != "":
			c.fault("conflict", "", at+".or and fills.both_sides: oco would make more than two orders that cancel each other: keep one of them", at+".or")
		}
	}
	switch {
	case e.TIF == order.GTD && e.Until <= 0:
		c.fault("missing_key", "", at+": a gtd order works until a session: add "+at+".until", at+".tif")
	case e.TIF != order.GTD && e.Until > 0:
		c.fault("conflict", "", at+".until is the last session of a gtd order: set "+at+".tif to gtd, or remove it", at+".until")
	case e.TIF == order.IOC && (e.Order == order.MarketOnClose || e.Order == order.Market && c.file.Fills.Market == fill.NextClose):
		c.fault("conflict", "", at+": an ioc order has the next open as its only chance, and this one waits for the close: remove the tif, or let it fill at the open", at+".tif")
	case e.TIF == order.CLS && e.Order != order.Market && e.Order != order.Limit && e.Order != order.MarketOnClose,
		e.TIF == order.OPG && (e.Order.Triggered() || e.Order == order.Stop || e.Order == order.MarketOnClose):
		c.fault("conflict", "", at+": a "+string(e.Order)+" order cannot have tif "+string(e.TIF)+": auctions take market and limit orders", at+".tif")
	}
	if e.Reprice && !e.Order.Priced() && !c.paths[at+".order"] {
		c.fault("conflict", "", at+".requote moves the price of an order that waits, and a "+string(e.Order)+" order has none: remove it", at+".requote")
	}
	if e.Over > 0 && !c.some {
		switch size := &c.file.Size; {
		case !e.Order.Priced() && !c.paths[at+".order"]:
			c.fault("conflict", "", at+".overplace is for orders of which some may not fill, and a "+string(e.Order)+" order always does: set "+at+".order to limit or stop, or remove it", at+".overplace")
		case size.MaxPositions == 0 && size.Sized():
			c.fault("conflict", "", at+".overplace places more orders than there are slots, and without size.max_positions there is one for every order: set size.max_positions, or remove it", at+".overplace")
		}
	}
	if ends := map[order.TIF]string{order.GTC: "until it is filled", order.GTD: "to the end of a session that is named"}[e.TIF]; e.MaxWait > 0 && ends != "" {
		c.fault("conflict", "", at+".max_wait extends day orders, a "+string(e.TIF)+" order works "+ends+": remove one of them", at+".max_wait")
	}
	if e.DNR && e.TIF != order.GTC {
		c.fault("conflict", "", at+".dnr keeps the price that a gtc order would lose on an ex-date, and one with tif "+cmp.Or(string(e.TIF), "day")+" keeps its own: set "+at+".tif to gtc, or remove it", at+".dnr")
	}
	if e.Reprice && e.TIF == order.IOC {
		c.fault("conflict", "", at+".requote is about an order that waits, and an ioc order has one chance: remove one of them", at+".requote")
	}
	if e.Cancel != "" && e.TIF == order.IOC {
		c.fault("conflict", "", at+".cancel_when is about an order that waits, and an ioc order has one chance: remove one of them", at+".cancel_when")
	}
}

// prices checks that an order has the prices of its kind and no others.
func (c *checker) prices(kind order.Kind, named, worst, at string) {
	price := named != "" || c.given(at+".price")
	switch {
	case c.paths[at+".order"]:
	case kind == order.Market && price && !c.given(at+".order"):
		c.fault("conflict", "", at+" has a price but no kind of order: set "+at+".order to limit or stop, or remove the price", at+".price")
	case kind == order.Market && price:
		c.fault("conflict", "", at+": a market order has no price: remove it, or set "+at+".order to limit or stop", at+".price")
	case !kind.Priced() && price:
		c.fault("conflict", "", at+": an order of kind "+string(kind)+" has no price: remove it", at+".price")
	case kind.Priced() && !price && !strings.HasSuffix(at, ".or"): // which cannot be without one
		c.fault("missing_key", "", at+": a "+string(kind)+" order needs a price: add "+at+".price", at+".order", at)
	}
	limit := worst != "" || c.given(at+".limit")
	switch {
	case c.paths[at+".order"]:
	case kind.Triggered() && !limit:
		c.fault("missing_key", "", at+": a "+string(kind)+" order needs the worst price it takes once triggered: add "+at+".limit", at+".order")
	case !kind.Triggered() && limit:
		c.fault("conflict", "", at+".limit belongs to stop_limit and limit_if_touched orders: the limit of a limit order is its price", at+".limit")
	}
}

// pairs checks that both sides can be ordered at once.
func (c *checker) pairs() {
	f := c.file
	if f.Fills.Both == "" || c.some {
		return
	}
	if f.Long == nil || f.Short == nil {
		c.fault("conflict", "", "fills.both_sides is about a long and a short entry at one close, and there is only one side: remove it, or add the other side", "fills.both_sides")
		return
	}
	l, s := &f.Long.Entry, &f.Short.Entry
	switch {
	case !l.Order.Priced() || !s.Order.Priced():
		c.fault("conflict", "", "fills.both_sides: oco places orders that wait for their prices: long.entry.order and short.entry.order must be limit, stop, stop_limit or limit_if_touched", "fills.both_sides")
	case l.TIF != s.TIF || l.Until != s.Until || l.MaxWait != s.MaxWait:
		c.fault("conflict", "", "fills.both_sides: oco orders work as long as each other: give long.entry and short.entry the same tif, until and max_wait", "fills.both_sides")
	}
}

func (c *checker) exit(x order.Exit, at string) {
	if x.When == "" && x.Stop == "" && x.Target == "" && x.Trail == nil && x.MaxBars == 0 && !c.some {
		c.fault("missing_key", "", at+" names no way out: give it when, stop, target, trail or max_bars", at)
	}
	if x.Ratchet && x.Stop == "" && !c.some {
		c.fault("conflict", "", at+".ratchet keeps a stop from being loosened, and there is no stop", at+".ratchet")
	}
	if utf8.RuneCountInString(x.Name) > 60 || strings.ContainsFunc(x.Name, unicode.IsControl) {
		c.fault("bad_name", "", at+".name is too long or has several lines: want one line of at most 60 characters", at+".name")
	}
	t := x.Trail
	switch {
	case t == nil:
	case t.Fraction != 0 && t.Amount != "":
		c.fault("conflict", "", at+".trail has both fraction and amount: keep one", at+".trail.amount")
	case t.Fraction == 0 && c.given(at+".trail.fraction") && !c.some:
		c.fault("out_of_range", "", at+".trail.fraction is 0, want more than 0: the stop would stand at the best price itself", at+".trail.fraction")
	case t.Fraction == 0 && t.Amount == "" && !c.some:
		c.fault("missing_key", "", at+".trail has no distance: give it fraction or amount", at+".trail")
	}
}

func (c *checker) size() {
	s, first, before := c.file.Size, "", len(c.list)
	for _, way := range []struct {
		key   string
		value float64
	}{{"size.shares", s.Shares}, {"size.value", s.Value}, {"size.weight", s.Weight}, {"size.risk", s.Risk}} {
		switch {
		case !c.given(way.key) && way.value == 0:
		case first != "":
			if c.before(way.key, first) {
				first, way.key = way.key, first
			}
			c.fault("conflict", "", "size has both "+first[5:]+" and "+way.key[5:]+": keep one", way.key)
		case way.value == 0 && c.file.nodes[way.key].zero():
			c.fault("out_of_range", "", way.key+" is 0, want more than 0: nothing would ever be traded", way.key)
		}
		if c.given(way.key) || way.value != 0 {
			first = way.key
		}
	}
	for _, way := range []struct {
		key   string
		there bool
		zero  bool
		inner string
	}{{"size.volatility", s.Volatility != nil, s.Volatility != nil && s.Volatility.Target == 0, "target"}, {"size.kelly", s.Kelly != nil, s.Kelly != nil && s.Kelly.Fraction == 0, "fraction"}} {
		switch {
		case !way.there:
			continue
		case first != "":
			c.fault("conflict", "", "size has both "+first[5:]+" and "+way.key[5:]+": keep one", way.key)
		case way.zero && !c.some:
			c.fault("out_of_range", "", way.key+"."+way.inner+" is 0 or absent, want more than 0: nothing would ever be traded", way.key+"."+way.inner, way.key)
		}
		first = way.key
	}
	c.most()
	if f := c.file.Fills; f.Levels == fill.AtCloses && (f.Both != "" || f.Extended != "") {
		c.fault("conflict", "", "fills.levels: close looks at closes only, both_sides and extended at the range of bars: remove one of them", "fills.levels")
	}
	if s.At == order.AtFill && (s.Risk > 0 || s.Volatility != nil || s.Kelly != nil || c.file.Limits != (order.Limits{})) {
		c.fault("conflict", "", "size.at: fill sizes shares, value or weight without limits: remove it", "size.at")
	}
	if missing := c.missingStop(); s.Risk > 0 && len(c.list) == before && missing != "" {
		c.fault("conflict", "", "size.risk is the loss at the stop, and there is no stop: add "+missing+", or size by weight", "size.risk")
	}
	if s.Weight > 1 && c.file.Account.Kind == portfolio.Cash {
		c.fault("conflict", "", "size.weight "+shortest(s.Weight)+" buys with borrowed money, which a cash account cannot: set account: regt, or at most 1", "size.weight")
	}
	switch {
	case s.Lot == 0:
		c.fault("out_of_range", "", "size.lot is 0, want more than 0", "size.lot")
	case s.Fractional && s.Lot != 1:
		c.fault("conflict", "", "size.lot rounds to whole multiples, size.fractional does not round at all: remove one of them", "size.lot")
	case !s.Fractional && math.Mod(s.Shares, s.Lot) != 0:
		c.fault("conflict", "", "size.shares "+shortest(s.Shares)+" is no multiple of the lot of "+shortest(s.Lot)+": change it, or set size.fractional: true", "size.shares")
	}
}

// most checks weights beyond what a cash account can pay.
func (c *checker) most() {
	if c.file.Account.Kind != portfolio.Cash {
		return
	}
	over := func(key string, weight float64) {
		if weight > 1 {
			c.fault("conflict", "", key+" "+shortest(weight)+" buys with borrowed money, which a cash account cannot: set account: regt, or at most 1", key)
		}
	}
	if v := c.file.Size.Volatility; v != nil {
		over("size.volatility.most", v.Most)
	}
	if k := c.file.Size.Kelly; k != nil {
		over("size.kelly.most", k.Most)
	}
}

// limits checks that what is bound is there to be bound.
func (c *checker) limits() {
	l := c.file.Limits
	switch {
	case l.Groups == "" && (l.Group > 0 || l.PerGroup > 0) && !c.some:
		c.fault("conflict", "", "limits.group and per_group need to know the groups: add limits.group_by, such as group_by: sectors.csv", "limits.group", "limits.per_group")
	case l.Groups != "" && l.Group == 0 && l.PerGroup == 0 && !c.some:
		c.fault("conflict", "", "limits.group_by bounds nothing alone: add limits.group or per_group", "limits.group_by")
	case l.File() != "" && !strings.ContainsAny(l.Groups, "./\\"):
		c.fault("unknown_word", "", "limits.group_by is "+strconv.Quote(l.Groups)+": want type or exchange, which the reference data says, or a CSV file such as sectors.csv with the columns symbol and group. "+
			"No list of tickers says sectors: the SEC gives each company's sic, and the vendor each ticker's sic_code (/v3/reference/tickers/TICKER); a column sic_code is taken too", "limits.group_by")
	}
}

// zero reports a number given as 0.
func (n *node) zero() bool {
	if n == nil || n.kind != scalarNode {
		return false
	}
	x, ok := decimal(n.text)
	return ok && x == 0
}

// missingStop is the key of a stop price, from which risk is measured, on a side that has none.
func (c *checker) missingStop() string {
	for _, s := range []struct {
		side *Side
		key  string
	}{{c.file.Long, "exit.stop"}, {c.file.Short, "short.exit.stop"}} {
		if s.side != nil && !slices.ContainsFunc(s.side.Exits, func(x order.Exit) bool { return x.Stop != "" }) {
			return s.key
		}
	}
	return ""
}

func (c *checker) costs() {
	k := c.file.Costs.Commission
	if k.Max > 0 && k.Max < k.Min {
		c.fault("conflict", "", "costs.commission.max "+shortest(k.Max)+" is below min "+shortest(k.Min)+": exchange them", "costs.commission.max")
	}
	full := k.Complete()
	for _, x := range []struct {
		key     string
		charged float64
	}{{"per_share", full.PerShare}, {"per_order", full.PerOrder}, {"bps", full.BPS}, {"min", full.Min}, {"max", full.Max}, {"max_bps", full.MaxBPS}} {
		if at := "costs.commission." + x.key; k.Broker != "" && x.charged > 0 && c.file.nodes[at].zero() {
			c.fault("conflict", "", at+" 0 takes nothing off the list of "+k.Broker+": leave broker out and say what it charges, without "+x.key, at)
		}
	}
	for _, key := range []string{"open", "close"} {
		if at := "costs.volume_cap." + key; c.file.nodes[at].zero() {
			c.fault("conflict", "", at+" 0 is neither no fill nor no cap: leave it out for its default, or set 1 for no cap there", at)
		}
	}
	if v := c.file.Costs.VolumeCap; v.Bar == 0 && (v.Open > 0 || v.Close > 0) && !c.paths["costs.volume_cap.bar"] {
		c.fault("conflict", "", "costs.volume_cap without bar, or with bar 0, is no cap at all, at the open and the close neither: add costs.volume_cap.bar", "costs.volume_cap")
	}
	for i := range k.Tiers {
		if i > 0 && k.Tiers[i].Above <= k.Tiers[i-1].Above {
			c.fault("conflict", "", "costs.commission.tiers must rise: above "+shortest(k.Tiers[i].Above)+" comes after "+shortest(k.Tiers[i-1].Above), "costs.commission.tiers."+itoa(i), "costs.commission.tiers")
		}
	}
}
