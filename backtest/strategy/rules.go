package strategy

import (
	"slices"

	"backtester/backtest/expr"
	"backtester/backtest/order"
	"backtester/backtest/strategy/script"
)

// Rules is a strategy file with every expression compiled: what the engine runs. Plain data, read
// only once made, safe for concurrent use.
type Rules struct {
	Program *expr.Program
	Warmup  int // bars of own history the expressions need before the first decision
	Begins  int // bars of its history before the first that may decide an entry, by data.begin
	Long    *SideRules
	Short   *SideRules
	// Conditions are the boolean signals in file order, then the entry and exit conditions: what is
	// counted and shown to explain a run.
	Conditions []NamedRef
	// Universe chooses the members; nil when no expression does.
	Universe *UniverseRules
	// Script makes decisions besides the rules; nil without one, or when its file was not handed over.
	Script *script.Program
	// Rebalance makes decisions instead of entries; nil without one.
	Rebalance *RebalanceRules
	// Parts are the strategies that share the account, as far as their files were handed over.
	Parts []PartRules
	// Notes are remarks on expressions that are no faults, with their places in the file.
	Notes Diagnostics
}

// UniverseRules are the compiled expressions of a universe, a program of their own: comparisons in it
// run over everything that could be chosen.
type UniverseRules struct {
	Program *expr.Program
	Warmup  int      // bars of own history it needs before the first decision
	Where   expr.Ref // zero: all
	By      expr.Ref // zero: no limit
}

// Unused names the parameters, signals, functions and series that no rule depends on, in file order.
func (r *Rules) Unused() []string {
	if r.Universe == nil {
		return r.Program.Unused()
	}
	other := r.Universe.Program.Unused()
	return slices.DeleteFunc(slices.Clone(r.Program.Unused()), func(name string) bool {
		return !slices.Contains(other, name) && r.Universe.Program.Knows(name)
	})
}

// Compares reports whether any expression compares symbols with each other.
func (r *Rules) Compares() bool {
	return r.Program.Stages() > 0 || r.Universe != nil && r.Universe.Program.Stages() > 0
}

// NeedsCategories reports whether any expression asks what kind of security a symbol is.
func (r *Rules) NeedsCategories() bool {
	return r.Program.NeedsCategories() || r.Universe != nil && r.Universe.Program.NeedsCategories()
}

// NamedRef is a compiled expression and the name it is shown by: a signal's name, or the path in the
// file such as "entry.when".
type NamedRef struct {
	Name string
	Ref  expr.Ref
}

// SideRules are the compiled rules of one direction.
type SideRules struct {
	Entry EntryRule
	Exits []ExitRule
}

// EntryRule is an entry. Price is zero for market orders, Rank when no ranking was asked for.
type EntryRule struct {
	Settings order.Entry
	When     expr.Ref
	Price    expr.Ref
	Limit    expr.Ref
	Rank     expr.Ref
	Other    OtherRule
	Cancel   expr.Ref // zero: never
	Add      expr.Ref // zero: never
}

// OtherRule is the prices of the second order of an entry, which Settings.Or describes. Zero: none.
type OtherRule struct {
	Price expr.Ref
	Limit expr.Ref
}

// ExitKind says which way out an ExitRule is.
type ExitKind string

const (
	ExitSignal  ExitKind = "signal"   // When, at the next fill of a market order
	ExitStop    ExitKind = "stop"     // Level is the stop price
	ExitTarget  ExitKind = "target"   // Level is the limit price
	ExitTrail   ExitKind = "trail"    // Fraction > 0, or Level is the distance in USD
	ExitMaxBars ExitKind = "max_bars" // after MaxBars bars
)

// ExitRule is one way out of a position. An exit of the file that names several ways (a condition, a
// stop and a target, say) becomes several rules in the order signal, stop, target, trail, max_bars.
type ExitRule struct {
	Kind     ExitKind
	Name     string   // the exit reason: the name given in the file, else Kind
	When     expr.Ref // ExitSignal
	Level    expr.Ref // ExitStop, ExitTarget; ExitTrail when Fraction is 0
	Fraction float64  // ExitTrail: distance as a fraction of the best price, 0 = by Level
	Intrabar bool     // ExitTrail
	Ratchet  bool     // ExitStop: never loosened
	MaxBars  int      // ExitMaxBars, > 0
	Item     int      // which exit of the file it belongs to, counted from 0
	Part     float64  // of the shares entered that the exit closes, (0, 1]
}
