package expr_test

import (
	"math"
	"testing"
	"unicode/utf8"

	"backtester/backtest/bar"
	"backtester/backtest/expr"
)

// FuzzCompile feeds any text to the whole way: no panic, faults inside the text, and what compiles can
// be formatted, explained, bound and evaluated.
func FuzzCompile(f *testing.F) {
	for _, text := range corpus {
		f.Add(text)
	}
	s := walk(80, 1)
	s.Actions.Splits = splitsEvery(s, 30)
	basis, _ := bar.NewBasis(s, bar.AdjustSplit, s.Date)
	arena := &expr.Arena{}
	v := &expr.PositionValues{Frozen: make([]float64, 10_000)}
	f.Fuzz(func(t *testing.T, text string) {
		c := expr.NewCompiler(expr.Scope{
			Params:  []expr.Param{{Name: "n", Value: 5}},
			Signals: []expr.Named{{Name: "up", Text: "close > sma(close, n)"}, {Name: "it", Text: text, Pos: expr.Pos{Line: 1, Column: 1}}},
		})
		r := c.Add(text, expr.Pos{Line: 1, Column: 1}, expr.Bool, expr.PositionVars)
		if r == 0 {
			r = c.Add(text, expr.Pos{Line: 1, Column: 1}, expr.Number, expr.PositionVars)
		}
		p, ds := c.Program()
		for _, d := range ds {
			if d.Code == "" || d.Message == "" || d.Length < 1 || d.Line < 1 && d.Code != "too_large" || utf8.RuneCountInString(text)+1 < d.Column {
				t.Fatalf("%q: %+v", text, d)
			}
		}
		formatted, err := expr.Format(text)
		if err == nil {
			if again, err := expr.Format(formatted); err != nil || again != formatted {
				t.Fatalf("%q formats to %q and then to %q: %v", text, formatted, again, err)
			}
		}
		if len(ds) > 0 {
			if p != nil {
				t.Fatalf("%q: a program with faults", text)
			}
			return
		}
		if err != nil {
			t.Fatalf("%q compiles, but: %v", text, err)
		}
		p.Nodes()
		in := unknown(p, s)
		in.Basis = basis
		for pass := range p.Stages() {
			p.BindStage(pass, &expr.Bound{}, in, arena)
		}
		b := &expr.Bound{}
		p.BindInto(b, in, arena)
		if p.Static(r) {
			b.Column(r)
		}
		b.At(r, 40, 2, v)
	})
}

// unknown is a binding in which everything from elsewhere is absent.
func unknown(p *expr.Program, s *bar.Series) expr.Binding {
	in := expr.Binding{Series: s, Others: make([]bar.Basis, len(p.Others()))}
	for range p.Inputs() {
		x := make([]float64, s.Len())
		for i := range x {
			x[i] = math.NaN()
		}
		in.Inputs = append(in.Inputs, x)
	}
	return in
}

// corpus begins the fuzzing; go test runs it every time.
var corpus = []string{
	"close > sma(close, 200) and rsi(close, 14) < n", "entry_price - 2 * atr(14)", "tf(\"1w\").close[1]", "sym('SPY').sma(close, n=5)",
	"not not -(-close)[2] >= +5e-3 or (a and b", "if(up, bars_held, at_entry(close * 0.9))", "macd(close, 12, 26, 9).hist != 0 == 1 <= 2",
	"1_000.5e+3 / .5", "[", "]", "(((", ")))", ",", "sma(,)", "sma(close 5)", "close[", "close[[1]]", "x = = 5", "\"", "''", "a.b.c(d).e[f]", "\x00\xff", "é€😀 > 1",
	"if if if", "and", "or or", "not", "..", "1.", "1e", "1e+", "__", "0x10", "close ? 1 : 2", "a && b || !c", "max(1, 2, 3, 4, 5, 6)", "pow(close, 8)*pow(close, 8)*pow(close,8)",
	"sma(sma(sma(close, 5), 5), 5)[5][5][5]", "crosses_above(close, 5) or crosses(high, low)", "value_when(close > open, volume, 10)", "close\n>\n5", "tr > obv", "hl2 + gap",
	"is_month_end and weekday == 5", "count_when(is_absent(absent), 5) > 2", "correlation(close, volume, 5)", "log(close) + exp(1)", "close(1)(2)", "(close)(1)", "close.(5)", "- - -1", "1 - -1",
	"at_entry(1) + at_entry(2) * at_entry(close)", "sma(close, 1e300)", "close[1e300]", "close[0/0]", "9e999", "true and false or absent > 1", "if(true, up, false)", "sign(-0) / -0",
	"sym(\"SPY\", sma(close, 20), stale = 3) > sma(sym(\"SPY\").close, 20)", "sym('A').tf('1M').macd(close, 12, 26, 9).hist", "tf('1w', up) and tf(\"1w\").sym(\"SPY\", up)",
	"rank(roc(close, 5)) > 0.8 and top(zscore(rank(close, type)), 10)", "type == \"CS\" and not (exchange != 'XNYS')", "group(close > open) > demean(close)[1]", "sym(", "tf('1w'", "sym('SPY').",
}
