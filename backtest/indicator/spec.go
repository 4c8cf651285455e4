package indicator

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Spec is one row of the table: everything that anyone needs to know about an indicator. Help,
// schema, the language's calls, forms and documentation are made from it.
type Spec struct {
	Name    string   // as in a strategy file: lower case, words joined by _
	Aliases []string // other names for exactly the same thing
	Title   string   // spelled out: "Relative Strength Index"
	Family  Family   // chapter of the documentation
	Doc     string   // one or two sentences: what it says, and conventions where peers differ
	Formula string   // in the language's own notation where possible
	Source  string   // author, work, year of the definition
	Oracle  string   // the independent implementation that its test vectors come from

	Series  []string  // series arguments that the caller gives, in order
	Columns []string  // bar columns that it takes by itself, in order; see the Column constants
	Params  []Param   // numbers, in order, after the series arguments
	Outputs []Output  // at least one; the first is what the bare call means, others are call(...).name
	Memory  Memory    // how it forgets the past
	Picture Picture   // how a chart shows it
	Levels  []float64 // horizontal lines that a chart of it shows

	// Warmup is how many bars must come before a bar for all outputs there to be right: exact for a
	// Window, until the weight of the start is below SeedWeight for Fading. For Path it is the
	// stated number of bars after which paths have met in practice; for Cumulative and Today, the bars
	// until the first value. p must satisfy Check.
	Warmup func(p []float64) int
	// First is the index of the first bar at which the first output is present, on input without
	// gaps. Other outputs may follow later, but never after Warmup.
	First func(p []float64) int
	// Eval fills dst, one column for each of Outputs (nil for Spare ones that nobody wants), from in: the
	// Series in order, then the Columns in order. All columns have the same length, dst overlaps nothing. Absent values are
	// NaN. It is pure, allocates nothing once s has grown, and costs O(bars) unless Doc says
	// otherwise. p must satisfy Check.
	Eval func(s *Scratch, dst, in [][]float64, p []float64)
}

// SeedWeight is the weight in a recursive indicator's value below which its start no longer counts.
const SeedWeight = 1e-8

// Names that Spec.Columns uses.
const (
	Open    = "open"    // USD
	High    = "high"    // USD
	Low     = "low"     // USD
	Close   = "close"   // USD
	Volume  = "volume"  // shares
	Session = "session" // any number that is equal for bars of one session and differs from that of the session before
)

// Family groups indicators in documentation.
type Family string

const (
	Average    Family = "moving averages"
	Momentum   Family = "momentum"
	Trend      Family = "trend"
	Volatility Family = "volatility"
	Flow       Family = "volume"
	Statistic  Family = "statistics"
	Transform  Family = "price transforms"
	Cycle      Family = "cycles"
	Pattern    Family = "candlestick patterns"
)

// Memory says on which bars a value depends.
type Memory string

const (
	Window     Memory = "window"     // on the last Warmup+1 bars only
	Fading     Memory = "fading"     // on all bars, with weights that fall geometrically
	Today      Memory = "session"    // on the session's bars so far: columns must begin with a session
	Path       Memory = "path"       // on a state (a trend, a trailing level) that is forgotten when it flips
	Cumulative Memory = "cumulative" // on every bar since the first: only changes mean something, never the level
)

// Param is a number that an indicator takes. Min and Max are inclusive.
type Param struct {
	Name     string
	Min, Max float64
	Integer  bool
	Default  float64 // when not Required
	Required bool    // every window length is
	// Words are what 0, 1, ... stand for when the parameter is a choice: the language takes these words,
	// in quotes, and no numbers.
	Words []string
	Doc   string
}

// Output is one column of an indicator.
type Output struct {
	Name string
	Doc  string
	Unit Unit
	Draw Draw
	// Min and Max bound the values (inclusive) where the definition does; both 0 means unbounded.
	Min, Max float64
	// Spare ones cost extra: Eval leaves out those whose column is nil.
	Spare bool
}

// Unit is the dimension of an output. It says how the value changes when history is restated for
// splits and dividends: prices times c and volumes times v make the output times
//
//	c^Price x v^Share x (factor of series argument k)^Args[k], for every k
//
// The zero Unit is a pure number, unchanged by restating.
type Unit struct {
	Price, Share int8
	Args         [2]int8
}

// Units that occur often.
var (
	None       = Unit{}                     // a pure number: rsi, adx, a count of bars
	USD        = Unit{Price: 1}             // atr, vwap
	Shares     = Unit{Share: 1}             // obv
	SameAsX    = Unit{Args: [2]int8{1, 0}}  // sma(x, n)
	SquareOfX  = Unit{Args: [2]int8{2, 0}}  // variance(x, n)
	ProductXY  = Unit{Args: [2]int8{1, 1}}  // covariance(x, y, n)
	RatioXY    = Unit{Args: [2]int8{1, -1}} // slope of x on y
	InverseOfX = Unit{Args: [2]int8{-1, 0}} // 1/x
	Dollars    = Unit{Price: 1, Share: 1}   // money flow
	MoveByFlow = Unit{Price: 2, Share: -1}  // ease of movement
)

// Of is the unit's powers of price and share once those of the series arguments are known.
func (u Unit) Of(args ...Unit) Unit {
	out := Unit{Price: u.Price, Share: u.Share}
	for k, a := range args {
		if k < len(u.Args) {
			out.Price += u.Args[k] * a.Price
			out.Share += u.Args[k] * a.Share
		}
	}
	return out
}

// Picture says where a chart shows an indicator.
type Picture string

const (
	Overlay Picture = "overlay" // over the bars, on the price scale
	Pane    Picture = "pane"    // below, on a scale of its own
)

// Draw says how a chart shows one output.
type Draw string

const (
	Line      Draw = "line"
	Histogram Draw = "histogram"
	Dots      Draw = "dots"
	Marker    Draw = "marker" // only where it is not zero
	Hidden    Draw = "hidden" // not drawn unless asked for
)

// Check reports why p does not fit the indicator's parameters: count, bounds, whole numbers. All
// further demands between parameters (fast below slow) do not exist: any values in bounds work.
func (s Spec) Check(p []float64) error {
	if len(p) != len(s.Params) {
		return fmt.Errorf("%s takes %d numbers, got %d", s.Name, len(s.Params), len(p))
	}
	for k, q := range s.Params {
		if err := q.Check(p[k]); err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
	}
	return nil
}

// Check reports why v cannot be the parameter's value.
func (q Param) Check(v float64) error {
	switch {
	case math.IsNaN(v) || v < q.Min || v > q.Max:
		return fmt.Errorf("%s must lie between %v and %v, got %v", q.Name, q.Min, q.Max, v)
	case q.Integer && v != math.Trunc(v):
		return fmt.Errorf("%s must be a whole number, got %v", q.Name, v)
	}
	return nil
}

// Text is v as a call writes it: a number, or the quoted word that it stands for.
func (q Param) Text(v float64) string {
	if k := int(v); v == math.Trunc(v) && k >= 0 && k < len(q.Words) {
		return `"` + q.Words[k] + `"`
	}
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// Range is what the parameter may be, for people: "1 to 10000", or its words.
func (q Param) Range() string {
	if len(q.Words) == 0 {
		return q.Text(q.Min) + " to " + q.Text(q.Max)
	}
	all := make([]string, len(q.Words))
	for k := range q.Words {
		all[k] = q.Text(float64(k))
	}
	return strings.Join(all, ", ")
}

// Output finds an output by name; its index is that of Eval's dst.
func (s Spec) Output(name string) (index int, ok bool) {
	i := slices.IndexFunc(s.Outputs, func(o Output) bool { return o.Name == name })
	return i, i >= 0
}

// clone is a copy that shares no memory with s.
func (s Spec) clone() Spec {
	s.Aliases = slices.Clone(s.Aliases)
	s.Series = slices.Clone(s.Series)
	s.Columns = slices.Clone(s.Columns)
	s.Params = slices.Clone(s.Params)
	s.Outputs = slices.Clone(s.Outputs)
	s.Levels = slices.Clone(s.Levels)
	return s
}
