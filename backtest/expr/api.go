package expr

import (
	"math"

	"backtester/backtest/bar"
)

// Kind of an expression.
type Kind uint8

const (
	Number Kind = iota + 1 // float64, NaN = absent
	Bool                   // true, false or absent
)

// String is the word used in messages: "number" or "condition".
func (k Kind) String() string {
	switch k {
	case Number:
		return "number"
	case Bool:
		return "condition"
	}
	return "nothing"
}

// Unit says how a number changes when one share becomes f shares: it is multiplied by
// f^Share / f^Price. A price is {1, 0}, a share count {0, 1}, a ratio or an amount of money {0, 0}.
type Unit struct{ Price, Share int8 }

// Param is a named constant of the strategy file.
type Param struct {
	Name  string
	Value float64
}

// Named is a named expression (a signal of the strategy file) that other expressions may use.
type Named struct {
	Name, Text string
	Pos        Pos
}

// Definition is a function of the strategy file: a name, the names of its arguments, and the
// expression that it stands for.
type Definition struct {
	Name string
	Args []string
	Text string
	Pos  Pos
}

// Scope is what expressions may refer to besides the language's own names, in file order.
type Scope struct {
	Params    []Param
	Signals   []Named
	Functions []Definition
	Series    []string // names of outside series, numbers
	// Frame and Session are those of the bars; zero means daily and regular. With the calendar they decide
	// which longer bars can be made and how much history that takes.
	Frame   bar.Frame
	Session bar.Session
	// Calendar of the market, nil for that of the exchange.
	Calendar *bar.Calendar
	// Crossing changes what crosses_above and its kin mean, EMASeed where recursive averages begin.
	Crossing Crossing
	EMASeed  EMASeed
}

// Crossing is what crossings ask of the bar before; empty is on the other side or equal.
type Crossing string

const (
	CrossStrict Crossing = "strict" // on the other side
	CrossSide   Crossing = "side"   // the last of up to 20 bars on which the two differed was on the other side
	CrossEver   Crossing = "ever"   // on the other side or equal, and on the other side on one of 250 bars
)

// EMASeed is the seed of recursive averages that name none, one of the words of indicators' seed; empty is
// theirs.
type EMASeed string

// Vars says which variables an expression may use besides columns.
type Vars uint8

const (
	NoVars       Vars = iota // entries, ranks, signals: nothing about the position is known
	PositionVars             // exit rules: entry_price, bars_held, high_since, ... and at_entry(x)
)

// Ref names an expression added to a Compiler, in the Program made from it. The zero Ref names
// nothing; Refs of one Compiler are not valid for another's Program.
type Ref int32

// PositionVar is an index into PositionValues.Var.
type PositionVar uint8

const (
	EntryPrice    PositionVar = iota // USD a share, in the share basis of the bar of the decision
	BarsHeld                         // bars; 1 at the close of the entry bar
	HighSince                        // USD a share: highest high since the entry, same basis as EntryPrice
	LowSince                         // USD a share: lowest low since the entry
	OpenProfit                       // fraction of the entry value, before costs; negative is a loss
	Equity                           // USD
	GrossExposure                    // fraction of equity: (long + |short|) / equity
	NetExposure                      // fraction of equity: (long - |short|) / equity

	NumPositionVars = int(iota)
)

// PositionValues are the numbers that only the engine knows, NaN where unknown.
type PositionValues struct {
	Var    [NumPositionVars]float64
	Frozen []float64 // one for each of Program.Frozen, in the share basis of now
}

// Frozen is one at_entry(x): the engine evaluates Ref at the decision that led to the entry, keeps
// the number with the position, restates it at each split of b shares for a (value x (b/a)^Unit.Share
// / (b/a)^Unit.Price) and passes it in PositionValues.Frozen at the same index.
type Frozen struct {
	Ref  Ref
	Unit Unit
}

// ColumnSet is a set of bar columns.
type ColumnSet uint8

const (
	OpenColumn ColumnSet = 1 << iota
	HighColumn
	LowColumn
	CloseColumn
	VolumeColumn
)

// Binding is what a Program is evaluated on: one instrument.
type Binding struct {
	Series   *bar.Series
	Basis    bar.Basis     // nil slices: nothing to restate
	Calendar *bar.Calendar // nil: bar.NYSE
	// Inputs are the columns of Program.Inputs, each as long as Series.
	Inputs [][]float64
	// Others are the factors of Program.Others at each bar of Series; nil slices: nothing to restate.
	Others []bar.Basis
	// Categories are what is known of the instrument, "" where unknown.
	Categories [NumCategories]string
}

// is is whether the category has a value; absent when it is unknown.
func (in *Binding) is(c Category, value string) float64 {
	if in.Categories[c] == "" {
		return math.NaN()
	}
	return truth(in.Categories[c] == value)
}
