// Package strategy reads the strategy file: one YAML (or JSON) document that is a whole run. Its
// keys are the settings structs of order, fill and portfolio; decoding, checking, the JSON Schema,
// the documentation and the effective settings all come from their struct tags.
//
// In: bytes and a file name, or the name of a built-in. Out: a File with every default filled in, or
// all faults at once, each with line, column and a suggestion; from a File, the compiled Rules. It
// refuses unknown keys, wrong types, impossible values, unknown names and anything that is not built
// yet.
//
// The YAML is the plain part of it: mappings, lists, quoted and unquoted texts, text blocks, comments.
// Anchors, merge keys, tags, keys given twice and second documents are refused. Numbers are decimal,
// true and false are the only truth values, everything else is taken as the text that stands there.
// Inside { } and [ ] expressions may hold commas and brackets, which YAML proper forbids.
package strategy

import (
	"slices"

	"backtester/backtest/bar"
	"backtester/backtest/expr"
	"backtester/backtest/fill"
	"backtester/backtest/instrument"
	"backtester/backtest/order"
	"backtester/backtest/portfolio"
)

// File is a strategy file after defaults: one complete description of a run. Encoded as JSON it is
// the canonical form that the result echoes and the API takes: itself a strategy file, and reading
// it gives an equal File.
//
// Dates that are absent are instrument.None: a File built by hand starts from Default.
type File struct {
	Name       string            `json:"name" doc:"shown in results; default: the name of the file"`
	Profile    string            `json:"profile,omitempty" enum:"backtesting.py,backtrader,lean,tradingview,vectorbt,zipline" doc:"conventions of another tool as defaults: what the file says itself wins"`
	Notes      string            `json:"notes,omitempty" doc:"free text"`
	Data       Data              `json:"data" doc:"which bars are used"`
	Universe   Universe          `json:"universe" doc:"which symbols may be traded"`
	Leave      bool              `json:"universe_exit,omitempty" doc:"a position is sold when its symbol is no longer in the universe; default: leaving it only blocks entries"`
	Strategies []Part            `json:"strategies,omitempty" doc:"several strategies in this account, in place of rules of its own: they share its cash"`
	Series     []Signal          `json:"series,omitempty" as:"files" doc:"outside numbers by name, such as signals from elsewhere: CSV or Parquet files with the columns available (when a value became known), its name or value, and symbol if each has its own"` // a mapping in the file
	Functions  []Signal          `json:"functions,omitempty" doc:"functions of one's own: NAME(ARGUMENTS): expression"`                                                                                                                                             // a mapping in the file, Name is pullback(x, n)
	Params     []Param           `json:"params,omitempty" doc:"named numbers: a number, a list, a range such as 20..60 step 5, or {default, values}; run uses the default, else the first value"`                                                                   // a mapping in the file
	Signals    []Signal          `json:"signals,omitempty" doc:"named expressions that the others may use"`                                                                                                                                                         // a mapping in the file
	Script     string            `json:"script,omitempty" doc:"decisions in Starlark: the name of a file such as pairs.star beside the strategy file, or the script itself; it reads the signals above as members of bars"`
	Long       *Side             `json:"long,omitempty" doc:"rules for buying first; entry and exit at the top level are the same"`
	Short      *Side             `json:"short,omitempty" doc:"rules for selling borrowed shares first; needs account: regt"`
	Rebalance  *order.Rebalance  `json:"rebalance,omitempty" doc:"a portfolio brought to target weights from time to time, in place of entries; a word is every"`
	Size       order.Size        `json:"size" doc:"how much an entry trades; at most one of shares, value, weight, risk, volatility, kelly"`
	Limits     order.Limits      `json:"limits" doc:"bounds of what new orders may bring about"`
	Costs      fill.Costs        `json:"costs" doc:"costs of trading; absent costs are zero"`
	Fills      fill.Rules        `json:"fills" doc:"rules of matching that have alternatives"`
	Account    portfolio.Account `json:"-" inline:"true"` // its keys stand at the top level of the file
	Benchmark  string            `json:"benchmark,omitempty" as:"ticker" doc:"ticker to compare with: total return, no costs"`

	BuyAndHold bool `json:"buy_and_hold,omitempty" doc:"also buy the symbols of the run in equal parts at its first close and hold them, under its rules and costs, to compare with"`

	Constraint []string  `json:"constraint,omitempty" doc:"conditions on parameters: combinations that break one are not tried by a sweep"`
	Require    []string  `json:"require,omitempty" doc:"conditions on metrics: a sweep leaves out results that break one"`
	Search     *Search   `json:"search,omitempty" doc:"how a sweep looks for the best parameters"`
	Validate   *Validate `json:"validate,omitempty" doc:"how the result is put to the test"`

	// Positions of everything that has one in the file, by dotted path ("entry.when",
	// "params.n", "universe.symbols.0"). Empty for documents without positions.
	Positions map[string]Position `json:"-"`

	// origin is what was read, kept so that Set can change one key of it and check everything
	// again. Nil for a File that was built by hand.
	origin *document
	nodes  map[string]*node // what was read, by dotted path as written

	attached []Attachment
	market   *bar.Calendar // see On
}

// On is f as it is compiled for a market with this calendar: where sessions are longer than those of the exchange,
// longer bars are made of more.
func (f *File) On(c *bar.Calendar) *File {
	if c.SessionLength(f.Data.Session) == bar.NYSE().SessionLength(f.Data.Session) {
		return f
	}
	g := *f
	g.market = c
	return &g
}

// Attachment is a file that a strategy file names, with its contents. Nothing below the command line
// and the API opens files: whoever reads a strategy hands over what Files lists.
type Attachment struct {
	Name string // as in the strategy file
	Data []byte
}

// Files lists the files that f names, each once, in the order of the strategy file. Of strategies that
// share an account these are their files too, and what those name as soon as they are attached.
func (f *File) Files() []string {
	var out []string
	add := func(name string) {
		if name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	add(f.Universe.Members)
	add(f.Limits.File())
	add(f.Costs.Borrow.Table)
	add(f.Account.DebitSeries)
	add(f.Account.CreditSeries)
	if f.scriptFile() {
		add(f.Script)
	}
	for _, s := range f.Series {
		add(s.Expr)
	}
	for i := range f.Strategies {
		p := &f.Strategies[i]
		if !p.builtIn() {
			add(p.File)
		}
		if g, ok, wrong := p.read(f); ok && len(wrong) == 0 {
			g.adopt(f)
			for _, name := range g.Files() {
				add(name)
			}
		}
	}
	return out
}

// Attach hands over the contents of a file that Files lists; of two with the same name the last counts.
func (f *File) Attach(name string, data []byte) {
	f.attached = slices.DeleteFunc(slices.Clone(f.attached), func(a Attachment) bool { return a.Name == name })
	f.attached = append(f.attached, Attachment{name, data})
}

// Attached is the contents of a file that f names.
func (f *File) Attached(name string) ([]byte, bool) {
	i := slices.IndexFunc(f.attached, func(a Attachment) bool { return a.Name == name })
	if i < 0 {
		return nil, false
	}
	return f.attached[i].Data, true
}

// Data says which bars are used.
type Data struct {
	Bars    bar.Frame       `json:"bars" default:"1d" doc:"bar length: 1m, 5m, 15m, 1h, 1d, 1w, 1M"`
	From    instrument.Date `json:"from,omitempty" doc:"first session that may trade; default: all there is"`
	To      instrument.Date `json:"to,omitempty" doc:"last session; default: all there is"`
	Adjust  bar.Adjust      `json:"adjust" enum:"split,total,raw" default:"split" doc:"what restates the history that expressions see; the books are always kept in raw prices plus actions"`
	Begin   Begin           `json:"begin,omitempty" enum:"all,after_all" doc:"first bar of a symbol that may decide an entry: all is the first at which every expression of the rules has a value, after_all the one after the first at which every indicator has one; default: each condition for itself"`
	Cross   expr.Crossing   `json:"crossing,omitempty" enum:"strict,side,ever" doc:"what crossings ask of the bars before: strict is on the other side, not equal; side is that the two differed last on the other side; ever is the default, and the other side at some time; default: on the other side or equal"`
	EMASeed expr.EMASeed    `json:"ema_seed,omitempty" enum:"first,weighted" doc:"seed of ema, and of all that is made of recursive averages, where they name none: see the seed of ema; default: average"`
	Session bar.Session     `json:"session,omitempty" enum:"regular,extended" default:"regular" doc:"which minutes of a day make intraday bars"`
}

// Begin is the first bar that may decide an entry.
type Begin string

const (
	BeginAll      Begin = "all"       // the first at which every expression of the rules has a value
	BeginAfterAll Begin = "after_all" // the one after the first at which every indicator has one
)

// Universe is the set of symbols. Without Symbols and Members it is everything that the data holds,
// delisted securities included. Where, Top and By choose among them at every close.
type Universe struct {
	Symbols []string `json:"symbols,omitempty" as:"tickers" doc:"tickers, read as source text (ON, TRUE and NA are tickers)"`
	Members string   `json:"members,omitempty" doc:"a CSV file with the columns symbol, from and to: who belonged when, both days included, an empty to for still"`
	Type    []string `json:"type,omitempty" as:"types" doc:"kinds of security, such as [CS, ADRC]: a symbol is a member on the dates on which the list of tickers said that it was one"`
	Where   string   `json:"where,omitempty" expr:"bool" doc:"a symbol is a member at the closes of bars at which this is true; within the day: of day bars"`
	Top     int      `json:"top,omitempty" min:"1" unit:"symbols" doc:"of these, only so many, the highest by"`
	By      string   `json:"by,omitempty" expr:"number" doc:"what top compares: highest first, absent = no member, of equal ones the first by ticker"`
}

// Dynamic reports whether members change over time.
func (u *Universe) Dynamic() bool { return u.Where != "" || u.Top > 0 || u.Members != "" }

// Param is a named number. Run uses Default; sweeps use Values.
type Param struct {
	Name    string    `json:"name"`
	Default float64   `json:"default"`
	Values  []float64 `json:"values"` // at least Default
}

// Signal is a named expression that others may use.
type Signal struct {
	Name string `json:"name"`
	Expr string `json:"expr"`
}

// Side holds the rules of one direction.
type Side struct {
	Entry order.Entry  `json:"entry" doc:"when and how a position is opened; a string is its condition"`
	Exits []order.Exit `json:"exit,omitempty" doc:"ways out of a position, the first to come closes it; a string is its condition; none: held to the end"`
}

// Search says how a sweep looks for the best parameters. Only sweep and validate use it.
type Search struct {
	Method      string   `json:"method,omitempty" enum:"grid,random,sobol,tpe" default:"grid" doc:"which combinations are tried: all of them; a sample drawn at random, or spread evenly (sobol); or one that learns from what it has tried (tpe)"`
	Samples     int      `json:"samples,omitempty" min:"1" default:"200" unit:"combinations" doc:"how many combinations random, sobol and tpe try"`
	Seed        int      `json:"seed,omitempty" min:"0" default:"1" doc:"where the chance of random and tpe begins: the same seed tries the same combinations"`
	Objective   string   `json:"objective,omitempty" default:"sharpe" doc:"what makes a combination better than another: a metric, or an expression of metrics such as cagr / volatility; more is better, less where the metric says so"`
	Constraints []string `json:"constraints,omitempty" doc:"conditions on metrics that the best combination must meet"`
	MinTrades   int      `json:"min_trades,omitempty" min:"0" default:"30" unit:"trades" doc:"combinations with fewer closed trades are not eligible"`
}

// Validate says how a result is put to the test. Only validate uses it.
type Validate struct {
	WalkForward *WalkForward `json:"walk_forward,omitempty" doc:"choose parameters on a stretch of history, trade the next one with them, move on"`
	PBO         int          `json:"pbo,omitempty" min:"2" max:"20" unit:"blocks" doc:"even number of blocks for the probability of backtest overfitting; default: 16"`
	CPCV        *CPCV        `json:"cpcv,omitempty" doc:"combinatorial purged cross-validation"`
	KFold       int          `json:"kfold,omitempty" min:"2" max:"30" unit:"folds" doc:"number of folds for purged cross-validation; default: 5"`
	Draws       int          `json:"draws,omitempty" min:"99" max:"20000" unit:"draws" doc:"resamples of the tests against luck; default: 1000"`
	Noise       int          `json:"noise,omitempty" min:"1" max:"500" unit:"runs" doc:"runs on prices with noise, for each of its sizes; default: 20"`
}

// WalkForward has its lengths in calendar time.
type WalkForward struct {
	Train    Span `json:"train" doc:"length of history on which parameters are chosen: 3y, 18m, 52w, 250d"`
	Test     Span `json:"test" doc:"length of the stretch that is then traded; also the step"`
	Anchored bool `json:"anchored,omitempty" default:"false" doc:"every choice sees all history from the start; default: only the last train"`
	Carry    bool `json:"carry,omitempty" default:"false" doc:"positions live on into the next stretches under the parameters they were entered with, those of a rebalance until its next date; default: closed at the end of each"`
}

// CPCV divides history into groups, some of which are tested at a time.
type CPCV struct {
	Groups int `json:"groups,omitempty" min:"3" max:"30" default:"10" unit:"groups" doc:"stretches of equal length that history is divided into"`
	Tested int `json:"tested,omitempty" min:"1" max:"15" default:"2" unit:"groups" doc:"how many of them are tested at a time, in every combination"`
}

// Span is a length of calendar time: a whole number of days (d), weeks (w), months (m) or years (y).
type Span string
