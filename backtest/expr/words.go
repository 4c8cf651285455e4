package expr

import (
	"math"
	"slices"
	"strings"

	"backtester/backtest/bar/spell"
	"backtester/backtest/indicator"
)

// Function describes one name of the language: a function, a column, a constant or a variable.
type Function struct {
	Name      string
	Aliases   []string
	Group     string // column, constant, math, logic, past, calendar, position, cross-section, other bars, indicator
	Signature string // "abs(x)"; just the name where no parentheses follow
	Doc       string
}

// Functions is every name of the language: its own by group, then the indicators by name. Help and completion are made from it.
func Functions() []Function {
	var out []Function
	for _, w := range words {
		f := w.Function
		f.Aliases = slices.Clone(f.Aliases)
		out = append(out, f)
	}
	for _, s := range indicator.Table() {
		s.Aliases = slices.DeleteFunc(s.Aliases, func(n string) bool { return wordIndex[n] != nil })
		if wordIndex[s.Name] != nil {
			continue // the language says it by itself: hl2
		}
		out = append(out, Function{s.Name, s.Aliases, "indicator", signature(&s), s.Doc})
	}
	return out
}

// word is a row of the table: what Functions shows and how calls are checked.
type word struct {
	Function
	// args are the kinds of the arguments: n number, b condition, x either, w a constant number of
	// bars >= 1, + at the end: the last one may be repeated. Empty for names without parentheses.
	args string
	op   op   // what it compiles to; opBad when macro or column says
	n    int  // for op: which column, clock or variable
	kind Kind // of a constant
	num  float64
}

// row is how a word is written down: its name is the signature up to the parenthesis.
type row struct {
	sig, args string
	op        op
	n         int
	kind      Kind
	num       float64
	doc       string
	aliases   []string
}

// chapter is the words of one group.
func chapter(group string, rows []row) []word {
	out := make([]word, len(rows))
	for i, r := range rows {
		name, _, _ := strings.Cut(r.sig, "(")
		out[i] = word{Function{name, r.aliases, group, r.sig, r.doc}, r.args, r.op, r.n, r.kind, r.num}
	}
	return out
}

// words is the table of the language's own names. Never written.
var words = slices.Concat(
	chapter("column", []row{
		{sig: "open", op: opColumn, n: 0, doc: "first price of the bar, USD a share"},
		{sig: "high", op: opColumn, n: 1, doc: "highest price of the bar, USD a share"},
		{sig: "low", op: opColumn, n: 2, doc: "lowest price of the bar, USD a share"},
		{sig: "close", op: opColumn, n: 3, doc: "last price of the bar, USD a share"},
		{sig: "volume", op: opColumn, n: 4, doc: "shares traded in the bar"},
		{sig: "dollar_volume", doc: "close times volume of the bar, both as traded, USD"},
		{sig: "hl2", doc: "(high + low) / 2"},
		{sig: "hlc3", doc: "(high + low + close) / 3"},
		{sig: "typical", doc: "(high + low + close) / 3, another name of hlc3"},
		{sig: "ohlc4", doc: "(open + high + low + close) / 4"},
		{sig: "gap", doc: "open / close[1] - 1: the fraction by which the bar opened away from the last close"},
	}),
	chapter("constant", []row{
		{sig: "true", op: opConst, kind: Bool, num: 1, doc: "always true"},
		{sig: "false", op: opConst, kind: Bool, num: 0, doc: "never true"},
		{sig: "absent", op: opConst, kind: Number, num: math.NaN(), doc: "no value: not a number, neither above nor below anything"},
	}),
	chapter("math", []row{
		{sig: "abs(x)", args: "n", op: opAbs, doc: "x without its sign"},
		{sig: "sign(x)", args: "n", op: opSign, doc: "1, 0 or -1"},
		{sig: "sqrt(x)", args: "n", op: opSqrt, doc: "square root; absent below 0"},
		{sig: "floor(x)", args: "n", op: opFloor, doc: "largest whole number not above x, of prices as traded"},
		{sig: "ceil(x)", args: "n", op: opCeil, doc: "smallest whole number not below x, of prices as traded"},
		{sig: "round(x)", args: "n", op: opRound, doc: "nearest whole number, halves away from zero, of prices as traded"},
		{sig: "log(x)", args: "n", op: opLog, doc: "natural logarithm, of prices as traded; absent for x <= 0; the last bit may differ between processors"},
		{sig: "exp(x)", args: "n", op: opExp, doc: "e to the x; the last bit may differ between processors"},
		{sig: "pow(x, y)", args: "nn", op: opPow, doc: "x to the y; exact products for whole y from -8 to 8, otherwise the last bit may differ between processors"},
		{sig: "min(x, y, ...)", args: "nn+", op: opMin, doc: "the smallest; absent if any is absent"},
		{sig: "max(x, y, ...)", args: "nn+", op: opMax, doc: "the largest; absent if any is absent"},
	}),
	chapter("logic", []row{
		{sig: "if(condition, x, y)", args: "bxx", op: opIf, doc: "x where the condition is true, y where it is false, absent where it is absent; x and y are both numbers or both conditions"},
		{sig: "is_absent(x)", args: "x", op: opIsAbsent, doc: "true where x is absent"},
		{sig: "coalesce(x, y)", args: "nn", op: opCoalesce, doc: "x, or y where x is absent", aliases: []string{"nz"}},
		{sig: "between(x, low, high)", args: "nnn", doc: "x >= low and x <= high"},
		{sig: "crosses_above(x, y)", args: "nn", doc: "x > y and x[1] <= y[1]: above now, at or below on the bar before", aliases: []string{"crossover"}},
		{sig: "crosses_below(x, y)", args: "nn", doc: "x < y and x[1] >= y[1]: below now, at or above on the bar before", aliases: []string{"crossunder"}},
		{sig: "crosses(x, y)", args: "nn", doc: "crosses_above(x, y) or crosses_below(x, y)"},
		{sig: "rises(x, n)", args: "nw", doc: "x > x[n]: higher than n bars ago"},
		{sig: "falls(x, n)", args: "nw", doc: "x < x[n]: lower than n bars ago"},
	}),
	chapter("past", []row{
		{sig: "change(x, n)", args: "nw", doc: "x - x[n]"},
		{sig: "count_when(condition, n)", args: "bw", op: opCount, doc: "on how many of the last n bars the condition was true; absent if it was absent on one of them"},
		{sig: "bars_since(condition, n)", args: "bw", op: opSince, doc: "bars since the condition was last true, 0 on such a bar; absent if it was not in the last n bars"},
		{sig: "value_when(condition, x, n)", args: "bnw", op: opValueWhen, doc: "the value x had when the condition was last true; absent if it was not in the last n bars"},
		{sig: "every(condition, n)", args: "bw", op: opEvery, doc: "the condition was true on each of the last n bars"},
		{sig: "any(condition, n)", args: "bw", op: opAny, doc: "the condition was true on at least one of the last n bars"},
	}),
	chapter("position", []row{
		{sig: "entry_price", op: opPosition, n: int(EntryPrice), doc: "average fill price of the position, USD a share"},
		{sig: "bars_held", op: opPosition, n: int(BarsHeld), doc: "bars since the entry; 1 at the close of the entry bar"},
		{sig: "high_since", op: opPosition, n: int(HighSince), doc: "highest price since the entry, USD a share"},
		{sig: "low_since", op: opPosition, n: int(LowSince), doc: "lowest price since the entry, USD a share"},
		{sig: "open_profit", op: opPosition, n: int(OpenProfit), doc: "profit of the position so far as a fraction of its entry value, before costs; negative is a loss"},
		{sig: "equity", op: opPosition, n: int(Equity), doc: "value of the account, USD"},
		{sig: "gross_exposure", op: opPosition, n: int(GrossExposure), doc: "value of long plus short positions as a fraction of equity"},
		{sig: "net_exposure", op: opPosition, n: int(NetExposure), doc: "value of long minus short positions as a fraction of equity"},
		{sig: "at_entry(x)", args: "n", op: opFrozen, doc: "the value x had at the decision to enter, restated at splits"},
	}),
	clockWords(),
	crossWords(),
	chapter("other bars", []row{
		{sig: `sym("SPY", x)`, args: "x", op: opGiven, doc: `x on the bars of another symbol, its windows counting that symbol's bars: the value at its last bar that had ended; absent when that was more than one session ago, or n with stale = n. sym("SPY").close and sym("SPY").sma(close, 200) are short for it. In sma(sym("SPY").close, 200) the window counts the symbol's own bars instead`},
		{sig: `tf("1w", x)`, args: "x", op: opGiven, doc: `x on longer bars made of the symbol's own: the value at the last one that had ended; absent when that was more than one session (for weeks and months: one more period) ago, or n with stale = n. tf("1w").close and sym("SPY").tf("1w").close are other ways to write it`},
	}),
)

// wordIndex finds words by name and alias; never written after it is made.
var wordIndex = func() map[string]*word {
	m := map[string]*word{}
	for i := range words {
		m[words[i].Name] = &words[i]
		for _, a := range words[i].Aliases {
			m[a] = &words[i]
		}
	}
	return m
}()

// signature of an indicator: name(series, params), those with a default as name = value. Conventions,
// which few calls need, are left out.
func signature(s *indicator.Spec) string { return usageOfIndicator(s, false) }

// usageOfIndicator is signature, with the choices if they are wanted.
func usageOfIndicator(s *indicator.Spec, choices bool) string {
	var args []string
	args = append(args, s.Series...)
	for _, p := range s.Params {
		if p.Required {
			args = append(args, p.Name)
		} else if p.Words == nil || choices {
			args = append(args, p.Name+" = "+p.Text(p.Default))
		}
	}
	return s.Name + "(" + strings.Join(args, ", ") + ")"
}

// elsewhere are names that other tools and spreadsheets have for what this language says otherwise.
var elsewhere = map[string]string{
	"average": "sma(close, 20)", "avg": "sma(close, 20)", "mean": "sma(close, 20)", "movingaverage": "sma(close, 20)", "moving_average": "sma(close, 20)",
	"hhv": "highest(high, 20)", "llv": "lowest(low, 20)", "max_value": "highest(close, 20)", "std": "stdev(close, 20)", "stdevp": "stdev(close, 20)", "stdevs": "stdev(close, 20, ddof = 1)",
	"ref": "close[1], the value of the bar before", "lag": "close[1], the value of the bar before", "shift": "close[1], the value of the bar before", "delay": "close[1], the value of the bar before",
	"prev": "close[1], the value of the bar before", "offset": "close[1], the value of the bar before", "previous": "close[1], the value of the bar before", "yesterday": "close[1], the value of the bar before",
	"iif": "if(condition, x, y)", "iff": "if(condition, x, y)", "ifelse": "if(condition, x, y)", "where": "if(condition, x, y)", "ln": "log(x)", "power": "pow(x, y)",
	"countif": "count_when(condition, n)", "sumif": "sum(if(condition, x, 0), n)", "rolling": "sma(x, n), highest(x, n), stdev(x, n)", "pct_change": "roc(close, 1) / 100", "percentchange": "roc(close, 1) / 100",
	"quartile": "quantile_n(x, n, 0.25)", "today": "close, the bar that has just ended", "price": "close",
}

// example is a call of an indicator as it may be used, ", such as rsi(close, 14)", where one number does.
func example(s *indicator.Spec) string {
	if required(*s) != 1 || len(s.Series) > 1 {
		return ""
	}
	for _, p := range s.Params {
		if p.Required && !p.Integer {
			return ""
		}
	}
	if len(s.Series) == 0 {
		return ", such as " + s.Name + "(14)"
	}
	return ", such as " + s.Name + "(close, 14)"
}

// isTicker reports whether a text looks like one.
func isTicker(s string) bool {
	return len(s) > 0 && len(s) <= 6 && strings.ToUpper(s) == s && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ.") == ""
}

// required is how many numbers every call of an indicator gives.
func required(s indicator.Spec) int {
	n := 0
	for _, p := range s.Params {
		if p.Required {
			n++
		}
	}
	return n
}

// taken says what the language itself means by name, "" if nothing.
func taken(name string) string {
	switch strings.ToLower(name) {
	case "and", "or", "not":
		return "an operator"
	}
	if w, ok := wordIndex[name]; ok {
		switch {
		case w.args != "":
			return "a function"
		case w.Group == "position":
			return "a position variable"
		case w.Group == "calendar":
			return "a calendar variable"
		}
		return "a " + w.Group
	}
	if name == "def" || name == "let" {
		return "a function"
	}
	if _, ok := indicator.Lookup(name); ok {
		return "an indicator"
	}
	return ""
}

// CheckName reports why name cannot name a parameter or a signal: it is not a word of letters,
// digits and _, or it means something already.
func CheckName(name string) error {
	if !isName(name) {
		return badName{name, "a name consists of letters, digits and _, and begins with no digit"}
	}
	if what := taken(name); what != "" {
		return badName{name, "it is " + what + " of the language"}
	}
	return nil
}

type badName struct{ name, why string }

func (e badName) Error() string { return "the name " + e.name + " cannot be used: " + e.why }

// suggest is "did you mean X?" for the known name nearest to what was typed, or "".
func suggest(typed string, more []string) string {
	if w, ok := elsewhere[strings.ToLower(typed)]; ok {
		return "write " + w
	}
	known := slices.Clone(more)
	for i := range words {
		known = append(append(known, words[i].Name), words[i].Aliases...)
	}
	if s := indicator.Suggest(typed); s != "" {
		known = append(known, s)
	}
	at := spell.Nearest(typed, known)
	if spec, ok := indicator.Lookup(strings.TrimRight(typed, "0123456789")); ok && len(spec.Series) == 1 && required(spec) == 1 && spec.Name != typed {
		at = spec.Name + "(close, " + strings.TrimLeft(typed[len(strings.TrimRight(typed, "0123456789")):], "0") + ")" // ema200
	}
	if at == "" {
		return ""
	}
	return "did you mean " + at + "?"
}
