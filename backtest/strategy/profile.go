package strategy

import (
	"slices"
	"strings"
)

// Profile is the conventions of another tool: what an absent key means under it.
type Profile struct {
	Name string
	Tool string // what it is called, and which version the conventions are those of
	// Settings are the defaults. A key of the file, a section of costs that the file has, and --set win.
	Settings []Override
	// Basis says how the conventions are known.
	Basis string
	// Standing says that market orders, too, have the entry.tif among the settings, not only those with a price.
	Standing bool
	// Notes are conventions of the tool that cannot be set here, one sentence each: trades may differ
	// because of them.
	Notes []string
}

const fromDocumentation = "from documentation, not compared"

const compared = "compared with it trade by trade, on random strategies and markets"

// resting is the path of a setting for entries on whichever side.
const resting = "entry.tif"

// Profiles lists the conventions of other tools that are known, in the order of their names. Read only.
func Profiles() []Profile { return profiles }

var profiles = []Profile{
	{
		Name: "backtesting.py", Tool: "backtesting.py 0.6", Basis: compared,
		Settings: []Override{{Path: "fills.market", Value: "next_open"}, {Path: "fills.limit_touch", Value: "true"}, {Path: "fills.ambiguity", Value: "stop_first"}, {Path: "fills.entry_bar", Value: "market"},
			{Path: resting, Value: "gtc"}, {Path: "size.at", Value: "fill"}, {Path: "size.all_or_none", Value: "true"}, {Path: "account", Value: "covered"}, {Path: "data.crossing", Value: "strict"},
			{Path: "data.begin", Value: "after_all"}, {Path: "fills.end", Value: "mark"}},
		Notes: []string{
			"Its default size is 0.9999 of the money there is; here size.weight, 1 by default for one symbol.",
			"A position that is not closed counts in its equity, but not in its statistics unless finalize_trades is set, which is fills.end: open here; there it comes after the stops of the last bar, and fills what that bar orders at its open.",
			"A stop with a limit fills at the stop even where the bar opened beyond it, and never on the bar of the stop where the limit lies below; here as rule 3.3 says.",
			"Margin is looked at with the close of the bar of the fill; here with the prices before it. They differ only where positions are added to.",
			"Prices are taken as they are: no splits, no dividends, no fee for borrowed shares.",
		},
	},
	{
		Name: "backtrader", Tool: "backtrader 1.9.78", Basis: compared,
		Settings: []Override{{Path: "fills.market", Value: "next_open"}, {Path: "fills.limit_touch", Value: "true"}, {Path: "fills.ambiguity", Value: "stop_first"}, {Path: "fills.entry_bar", Value: "next_bar"},
			{Path: "fills.slippage_clip", Value: "true"}, {Path: resting, Value: "gtc"}, {Path: "size.all_or_none", Value: "true"}, {Path: "account", Value: "proceeds"}, {Path: "data.crossing", Value: "side"},
			{Path: "data.begin", Value: "all"}, {Path: "fills.end", Value: "mark"}},
		Notes: []string{
			"A fixed size of one share is its default; here a fraction of equity.",
			"Sizes may be fractions of a share; here size: {shares, fractional: true}, or a notional order.",
			"Trailing stops follow the close only.",
			"Stop and limit of a bracket are tried in the order in which they were submitted: buy_bracket submits the stop first, as here.",
			"A limit order to sell that fills at a better open may slip below the low of the bar; here it stays within.",
			"A stop with a limit knows from open and close which of its prices came first; here as rule 3.3 says.",
			"Slippage leaves fills at the open alone where the broker's slip_open is false; set_slippage_perc sets it, as here.",
			"An order that cash does not cover when it fills is cancelled; here a gtc order tries again on the next bar.",
			"Prices are taken as they are: no splits, no dividends.",
		},
	},
	{
		Name: "lean", Tool: "QuantConnect LEAN, US equities, daily bars", Basis: fromDocumentation,
		Settings: []Override{{Path: "fills.market", Value: "next_open"}, {Path: "fills.limit_touch", Value: "false"}, {Path: resting, Value: "gtc"}, {Path: "account", Value: "regt"}, {Path: "data.adjust", Value: "total"},
			{Path: "costs.commission", Value: "{per_share: 0.005, min: 1}"}, {Path: "costs.slippage", Value: "none"}, {Path: "fills.end", Value: "mark"}},
		Notes: []string{
			"Its default account lends up to the value of the equity for as long as one likes; here Regulation T at the entry, maintenance afterwards.",
			"SetHoldings keeps 0.25 % of the equity back and sells before it buys.",
			"Commissions have a ceiling in proportion to the order's value.",
			"A stop limit order is filled at the close of the bar that triggers it, if the limit allows.",
			"Orders are filled on bars that repeat the last price where a symbol did not trade; here there is no fill.",
			"The ledger is kept in adjusted prices; here in prices as traded, with splits and dividends booked.",
		},
	},
	{
		Name: "tradingview", Tool: "TradingView, Pine Script strategies", Basis: fromDocumentation,
		Settings: []Override{{Path: "fills.market", Value: "next_open"}, {Path: "fills.limit_touch", Value: "true"}, {Path: "fills.ambiguity", Value: "nearest"}, {Path: resting, Value: "gtc"}, {Path: "fills.end", Value: "mark"}},
		Notes: []string{
			"Within a bar the price is taken to go to the extreme that is nearer to the open first; here the nearer of stop and target comes first.",
			"One contract is its default size; here a fraction of equity.",
			"An order in the other direction closes and reverses at once, and short sales are allowed: here account: regt.",
			"Trailing stops follow the price assumed within the bar.",
			"One symbol at a time, on prices as the chart shows them: no dividends are booked.",
			"Slippage counts ticks and moves limit fills too where it says so.",
		},
	},
	{
		Name: "vectorbt", Tool: "vectorbt 1.1, Portfolio.from_signals", Basis: compared,
		Settings: []Override{{Path: "fills.market", Value: "this_close"}, {Path: "fills.ambiguity", Value: "stop_first"}, {Path: "fills.limit_touch", Value: "true"}, {Path: "fills.level_slippage", Value: "none"},
			{Path: "size.fractional", Value: "true"}, {Path: "account", Value: "proceeds"}, {Path: "data.crossing", Value: "ever"}, {Path: "data.ema_seed", Value: "first"}, {Path: "fills.end", Value: "mark"}},
		Notes: []string{
			"Orders fill at the close that decided them, which nobody can do: the result warns of it.",
			"An entry and an exit signal on one bar cancel each other (upon_long_conflict); here write them so: entry and not exit, exit and not entry.",
			"A comparison with a value that is absent is false; here absent, so that not of it is absent too: write is_absent(x) or not x.",
			"Its stops are fractions of the close that entered; here any price, so stop: entry_price * 0.95 for sl_stop=0.05 without slippage.",
			"A value is divided by the price before slippage; here by the price paid.",
			"A trailing stop looks at the bar before it follows it, here too, but it starts from the close that entered.",
			"Prices are taken as they are: no splits, no dividends.",
		},
	},
	{
		Name: "zipline", Tool: "zipline-reloaded 3, daily bars", Basis: compared, Standing: true,
		Settings: []Override{{Path: "fills.market", Value: "next_close"}, {Path: "fills.levels", Value: "close"}, {Path: "fills.limit_touch", Value: "true"}, {Path: resting, Value: "gtc"}, {Path: "account", Value: "proceeds"}, {Path: "overdraft", Value: "true"},
			{Path: "dividends", Value: "pay_date"}, {Path: "costs.commission", Value: "{per_share: 0.001}"}, {Path: "costs.slippage", Value: "{bps: 5}"},
			{Path: "costs.volume_cap", Value: "{bar: 0.1, open: 0.1, close: 0.1}"}, {Path: "fills.end", Value: "mark"}},
		Notes: []string{
			"It has no brackets: stops and targets are orders that a script places and cancels itself.",
			"Limit and stop prices are rounded to cents in the order's favour; here they are as the file computes them.",
			"A run goes on with equity below zero; here it ends.",
			"Orders fill in the order in which they were placed; here exits before entries at one close.",
			"Fractions of shares after a split are paid at their cost; here at the market price.",
			"Its pipeline seeds exponential averages by their window; here ema as everywhere.",
		},
	},
}

// FindProfile is the profile of a name.
func FindProfile(name string) (Profile, bool) {
	i := slices.IndexFunc(profiles, func(p Profile) bool { return p.Name == name })
	if i < 0 {
		return Profile{}, false
	}
	return profiles[i], true
}

// ProfileNotes says how far the conventions of the file's profile go: how they are known, then those
// of the tool that cannot be set here. Empty without a profile. A result under a profile warns of
// them.
func (f *File) ProfileNotes() []string {
	p, ok := FindProfile(f.Profile)
	if !ok {
		return nil
	}
	return append([]string{p.Tool + ": conventions " + p.Basis + "."}, p.Notes...)
}

// profilePrefix begins the File of a Position that a profile gave a value to.
const profilePrefix = "profile "

// profiled is the tree with the settings of its profile where it has none of its own. The tree itself
// stays as it is.
func (doc *document) profiled() *node {
	name := doc.root.get("profile")
	if name == nil || name.kind != scalarNode {
		return doc.root
	}
	p, ok := FindProfile(name.text)
	if !ok {
		return doc.root
	}
	root := doc.root.clone()
	for _, s := range p.settingsFor(root) {
		pos := Position{File: profilePrefix + p.Name}
		path := strings.Split(s.Path, ".")
		said := doc.root.says(path)
		if strings.HasSuffix(s.Path, resting) { // an entry in short form says nothing about it
			said = doc.root.at(path) != nil
		}
		if said || s.Path == "size.fractional" && doc.root.says([]string{"size", "lot"}) {
			continue
		}
		value, wrong := overrideValue(s, pos)
		if wrong != nil {
			panic("BUG: profile " + p.Name + ": " + wrong.Error())
		}
		g := grafting{path: path, chain: lookup(describeFile(), path), value: value, pos: pos}
		if err := g.into(root); err != nil {
			panic("BUG: profile " + p.Name + ": " + err.Error())
		}
	}
	return root
}

// settingsFor are the settings of a profile that concern a file, with the paths that they have there: how long
// orders rest concerns the entries that the file has.
func (p *Profile) settingsFor(root *node) []Override {
	var out []Override
	for _, s := range p.Settings {
		if s.Path != resting {
			out = append(out, s)
			continue
		}
		for _, side := range []string{"", "long.", "short."} {
			entry := root.at(strings.Split(side+"entry", "."))
			if entry != nil && (p.Standing || entry.kind == mappingNode && entry.get("price") != nil) {
				out = append(out, Override{Path: side + resting, Value: s.Value})
			}
		}
	}
	return out
}

// at is the node of a path, nil if there is none.
func (n *node) at(path []string) *node {
	for _, part := range path {
		if n == nil || n.kind != mappingNode {
			return nil
		}
		n = n.get(part)
	}
	return n
}

// says reports whether a tree has something to say about a path: the key itself, or one above it in
// short form, such as costs: none.
func (n *node) says(path []string) bool {
	for _, part := range path {
		if n.kind != mappingNode {
			return true
		}
		if n = n.get(part); n == nil {
			return false
		}
	}
	return true
}
