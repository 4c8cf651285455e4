package expr_test

import (
	"fmt"
	"math"

	"pgregory.net/rapid"

	"backtester/backtest/bar"
	"backtester/backtest/expr"
	"backtester/backtest/instrument"
)

// An oracle beside the language: random expressions come as a text and, made at the same time, as a
// plain recursive definition of their value at a bar. It knows no columns, no bitsets, no restating of
// whole histories: every past price is restated, one by one, for the splits between its bar and the
// bar that looks at it. Prices are multiples of 1/64 and splits are powers of two, so that both sides
// can be compared without tolerance.

// market is what oracle values are computed from.
type market struct {
	*bar.Series
	basis bar.Basis
	ratio []float64 // shares that one share of the first bar has become at each bar
}

func newMarket(s *bar.Series) *market {
	m := &market{Series: s, ratio: make([]float64, s.Len())}
	m.basis, _ = bar.NewBasis(s, bar.AdjustSplit, s.Date)
	r := 1.0
	for i := range m.ratio {
		for _, sp := range s.Actions.Splits {
			if sp.Ex == s.Date(i) {
				r *= sp.To / sp.From
			}
		}
		m.ratio[i] = r
	}
	return m
}

// drawMarket is up to 150 bars with splits, and volumes that are sometimes missing or zero.
func drawMarket(t *rapid.T) *market {
	n := rapid.IntRange(1, 150).Draw(t, "bars")
	s := &bar.Series{Frame: bar.Daily}
	price := func(label string, i int) float64 {
		return float64(rapid.IntRange(1, 12).Draw(t, label))/4 + float64(i%5)/64
	}
	d := instrument.NewDate(2024, 1, 1)
	for i := range n {
		d = bar.NYSE().Next(d)
		s.Time = append(s.Time, d.Nanos())
		s.Open = append(s.Open, price("open", i))
		s.High = append(s.High, price("high", i))
		s.Low = append(s.Low, price("low", i))
		s.Close = append(s.Close, price("close", i))
		v := float64(rapid.IntRange(-2, 6).Draw(t, "volume"))
		if v < 0 {
			v = math.NaN()
		}
		s.Volume = append(s.Volume, v)
	}
	for range rapid.IntRange(0, 4).Draw(t, "splits") {
		sp := instrument.Split{Ex: s.Date(rapid.IntRange(0, n-1).Draw(t, "split")), From: 1, To: 2}
		if rapid.Bool().Draw(t, "reverse") {
			sp.From, sp.To = 4, 1
		}
		s.Actions.Splits = append(s.Actions.Splits, sp)
	}
	sortSplits(s.Actions.Splits)
	return newMarket(s)
}

func sortSplits(ss []instrument.Split) {
	for i := range ss {
		for j := i; j > 0 && ss[j].Ex < ss[j-1].Ex; j-- {
			ss[j], ss[j-1] = ss[j-1], ss[j]
		}
	}
}

// formula is a text and its meaning.
type formula struct {
	text  string
	cond  bool
	unit  expr.Unit
	fixed *float64 // the value of a constant
	// at is the value at bar i as traded: NaN absent, conditions 1 and 0.
	at func(m *market, i int) float64
	// with is at for rules: after split, with position variables. nil for formulas without them.
	with func(m *market, i int, split float64, v *expr.PositionValues) float64
}

// seen is the value f had at bar i in the shares of bar t.
func (f *formula) seen(m *market, i, t int) float64 {
	if i < 0 {
		return math.NaN()
	}
	return adjust(f.at(m, i), m.ratio[t]/m.ratio[i], f.unit)
}

// adjust is x after one share became split.
func adjust(x, split float64, u expr.Unit) float64 {
	return x * math.Pow(split, float64(u.Share-u.Price))
}

func (f *formula) neutral() bool { return f.fixed != nil && (*f.fixed == 0 || *f.fixed != *f.fixed) }

// sum is the unit of what puts a and b side by side.
func sum(a, b *formula) expr.Unit {
	none := expr.Unit{}
	switch {
	case a.unit == b.unit, b.neutral():
		return a.unit
	case a.neutral(), a.unit == none:
		return b.unit
	case b.unit == none:
		return a.unit
	}
	return none
}

// on is a formula whose value at a bar follows from that of its operands there.
func on(text string, cond bool, unit expr.Unit, f func(x []float64) float64, args ...*formula) *formula {
	out := &formula{text: text, cond: cond, unit: unit}
	all, rule := true, false
	for _, a := range args {
		all = all && a.fixed != nil
		rule = rule || a.with != nil
	}
	out.at = func(m *market, i int) float64 {
		x := make([]float64, len(args))
		for k, a := range args {
			x[k] = a.at(m, i)
		}
		return f(x)
	}
	if rule {
		out.with = func(m *market, i int, split float64, v *expr.PositionValues) float64 {
			x := make([]float64, len(args))
			for k, a := range args {
				x[k] = a.after(m, i, split, v)
			}
			return f(x)
		}
	}
	if all {
		v := out.at(nil, 0)
		out.fixed = &v
	}
	return out
}

// after is the value in a rule.
func (f *formula) after(m *market, i int, split float64, v *expr.PositionValues) float64 {
	if f.with != nil {
		return f.with(m, i, split, v)
	}
	return adjust(f.at(m, i), split, f.unit)
}

func absent(x ...float64) bool {
	for _, v := range x {
		if v != v {
			return true
		}
	}
	return false
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// numberFormula draws a formula that is a number, static unless rule says that position variables may
// occur.
func numberFormula(t *rapid.T, depth int, rule bool) *formula {
	if depth == 0 || rapid.IntRange(0, 5).Draw(t, "leaf") == 0 {
		return leafFormula(t, rule)
	}
	sub := func() *formula { return numberFormula(t, depth-1, rule) }
	static := func() *formula { return numberFormula(t, depth-1, false) }
	switch rapid.IntRange(0, 9).Draw(t, "number") {
	case 0, 1:
		return arithmetic(t, sub(), sub())
	case 2:
		return singleFormula(t, sub())
	case 3:
		return shiftFormula(t, static())
	case 4:
		return extremeFormula(t, static())
	case 5:
		c, a, b := condFormula(t, depth-1, rule), sub(), sub()
		return on(fmt.Sprintf("if(%s, %s, %s)", c.text, a.text, b.text), false, sum(a, b), func(x []float64) float64 {
			switch {
			case x[0] != x[0]:
				return x[0]
			case x[0] == 1:
				return x[1]
			}
			return x[2]
		}, c, a, b)
	case 6:
		return pastFormula(t, condFormula(t, depth-1, false), static())
	case 7:
		a := sub()
		unit := expr.Unit{Price: 2 * a.unit.Price, Share: 2 * a.unit.Share}
		return on("pow("+a.text+", 2)", false, unit, func(x []float64) float64 { return x[0] * x[0] }, a)
	case 8:
		a, b := sub(), sub()
		return on(fmt.Sprintf("coalesce(%s, %s)", a.text, b.text), false, sum(a, b), func(x []float64) float64 {
			if absent(x[0]) {
				return x[1]
			}
			return x[0]
		}, a, b)
	}
	return leafFormula(t, rule)
}

func leafFormula(t *rapid.T, rule bool) *formula {
	if rule && rapid.Bool().Draw(t, "position") {
		k := rapid.SampledFrom([]expr.PositionVar{expr.EntryPrice, expr.BarsHeld, expr.HighSince}).Draw(t, "variable")
		f := &formula{text: [...]string{"entry_price", "bars_held", "high_since"}[k]}
		if k != expr.BarsHeld {
			f.unit.Price = 1
		}
		f.with = func(_ *market, _ int, _ float64, v *expr.PositionValues) float64 { return v.Var[k] }
		return f
	}
	price, shares := expr.Unit{Price: 1}, expr.Unit{Share: 1}
	leaf := func(text string, u expr.Unit, at func(m *market, i int) float64) *formula {
		return &formula{text: text, unit: u, at: at}
	}
	switch rapid.IntRange(0, 6).Draw(t, "column") {
	case 0:
		return leaf("open", price, func(m *market, i int) float64 { return m.Open[i] })
	case 1:
		return leaf("high", price, func(m *market, i int) float64 { return m.High[i] })
	case 2, 3:
		return leaf("close", price, func(m *market, i int) float64 { return m.Close[i] })
	case 4:
		return leaf("volume", shares, func(m *market, i int) float64 { return m.Volume[i] })
	case 5:
		return leaf("dollar_volume", expr.Unit{}, func(m *market, i int) float64 { return m.Close[i] * m.Volume[i] })
	}
	v := float64(rapid.IntRange(0, 4).Draw(t, "constant"))
	return &formula{text: fmt.Sprint(v), fixed: &v, at: func(*market, int) float64 { return v }}
}

func arithmetic(t *rapid.T, a, b *formula) *formula {
	text := func(op string) string { return "(" + a.text + " " + op + " " + b.text + ")" }
	ua, ub := a.unit, b.unit
	switch rapid.IntRange(0, 5).Draw(t, "arithmetic") {
	case 0:
		return on(text("+"), false, sum(a, b), func(x []float64) float64 { return x[0] + x[1] }, a, b)
	case 1:
		return on(text("-"), false, sum(a, b), func(x []float64) float64 { return x[0] - x[1] }, a, b)
	case 2:
		return on(text("*"), false, expr.Unit{Price: ua.Price + ub.Price, Share: ua.Share + ub.Share}, func(x []float64) float64 { return x[0] * x[1] }, a, b)
	case 3:
		return on(text("/"), false, expr.Unit{Price: ua.Price - ub.Price, Share: ua.Share - ub.Share}, func(x []float64) float64 {
			if x[1] == 0 {
				return math.NaN()
			}
			return x[0] / x[1]
		}, a, b)
	case 4:
		return on(fmt.Sprintf("min(%s, %s)", a.text, b.text), false, sum(a, b), func(x []float64) float64 { return min(x[0], x[1]) }, a, b)
	}
	return on(fmt.Sprintf("max(%s, %s)", a.text, b.text), false, sum(a, b), func(x []float64) float64 { return max(x[0], x[1]) }, a, b)
}

func singleFormula(t *rapid.T, a *formula) *formula {
	switch rapid.IntRange(0, 4).Draw(t, "single") {
	case 0:
		return on("-("+a.text+")", false, a.unit, func(x []float64) float64 { return -x[0] }, a)
	case 1:
		return on("abs("+a.text+")", false, a.unit, func(x []float64) float64 { return math.Abs(x[0]) }, a)
	case 2:
		return on("floor("+a.text+")", false, a.unit, func(x []float64) float64 { return math.Floor(x[0]) }, a)
	case 3:
		u := expr.Unit{}
		if a.unit.Price%2 == 0 && a.unit.Share%2 == 0 {
			u = expr.Unit{Price: a.unit.Price / 2, Share: a.unit.Share / 2}
		}
		return on("sqrt("+a.text+")", false, u, func(x []float64) float64 { return math.Sqrt(x[0]) }, a)
	}
	return on("sign("+a.text+")", false, expr.Unit{}, func(x []float64) float64 {
		if absent(x[0]) {
			return x[0]
		}
		return number(x[0] > 0) - number(x[0] < 0)
	}, a)
}

func shiftFormula(t *rapid.T, a *formula) *formula {
	n := rapid.IntRange(0, 70).Draw(t, "n")
	return &formula{text: fmt.Sprintf("(%s)[%d]", a.text, n), cond: a.cond, unit: a.unit, at: func(m *market, i int) float64 { return a.seen(m, i-n, i) }}
}

// extremeFormula is an indicator whose kernel makes no rounding error.
func extremeFormula(t *rapid.T, a *formula) *formula {
	n := rapid.IntRange(1, 6).Draw(t, "n")
	return &formula{text: fmt.Sprintf("highest(%s, %d)", a.text, n), unit: a.unit, at: func(m *market, i int) float64 {
		x := math.Inf(-1)
		for k := range n {
			x = max(x, a.seen(m, i-k, i))
		}
		return x
	}}
}

// pastFormula looks back on a condition.
func pastFormula(t *rapid.T, c, x *formula) *formula {
	n := rapid.IntRange(1, 70).Draw(t, "n")
	switch rapid.IntRange(0, 2).Draw(t, "past") {
	case 0:
		return &formula{text: fmt.Sprintf("count_when(%s, %d)", c.text, n), at: func(m *market, i int) float64 {
			total := 0.0
			for k := range n {
				total += c.seen(m, i-k, i)
			}
			return total
		}}
	case 1:
		return &formula{text: fmt.Sprintf("bars_since(%s, %d)", c.text, n), at: func(m *market, i int) float64 { return since(m, c, i, n) }}
	}
	return &formula{text: fmt.Sprintf("value_when(%s, %s, %d)", c.text, x.text, n), unit: x.unit, at: func(m *market, i int) float64 {
		k := since(m, c, i, n)
		if absent(k) {
			return k
		}
		return x.seen(m, i-int(k), i)
	}}
}

func since(m *market, c *formula, i, n int) float64 {
	for k := 0; k < n && k <= i; k++ {
		switch v := c.at(m, i-k); {
		case v == 1:
			return float64(k)
		case absent(v):
			return v
		}
	}
	return math.NaN()
}

// condFormula draws a formula that is a condition.
func condFormula(t *rapid.T, depth int, rule bool) *formula {
	if depth == 0 || rapid.Bool().Draw(t, "compare") {
		a, b := numberFormula(t, max(0, depth-1), rule), numberFormula(t, max(0, depth-1), rule)
		return compareFormula(t, a, b)
	}
	sub := func() *formula { return condFormula(t, depth-1, rule) }
	static := func() *formula { return condFormula(t, depth-1, false) }
	switch rapid.IntRange(0, 7).Draw(t, "condition") {
	case 0:
		a := sub()
		return on("not ("+a.text+")", true, expr.Unit{}, func(x []float64) float64 { return 1 - x[0] }, a)
	case 1:
		a, b := sub(), sub()
		return on("("+a.text+" and "+b.text+")", true, expr.Unit{}, both, a, b)
	case 2:
		a, b := sub(), sub()
		return on("("+a.text+" or "+b.text+")", true, expr.Unit{}, either, a, b)
	case 3:
		return shiftFormula(t, static())
	case 4:
		a := numberFormula(t, depth-1, rule)
		return on("is_absent("+a.text+")", true, expr.Unit{}, func(x []float64) float64 { return number(absent(x[0])) }, a)
	case 5:
		return throughoutFormula(t, static())
	case 6:
		return crossFormula(numberFormula(t, depth-1, false), numberFormula(t, depth-1, false))
	}
	a, b, c := sub(), sub(), sub()
	return on(fmt.Sprintf("if(%s, %s, %s)", a.text, b.text, c.text), true, expr.Unit{}, func(x []float64) float64 {
		if absent(x[0]) {
			return x[0]
		}
		return x[2-int(x[0])]
	}, a, b, c)
}

// both and either are the tables of three-valued logic, written out.
func both(x []float64) float64 {
	switch {
	case x[0] == 0, x[1] == 0:
		return 0
	case x[0] == 1 && x[1] == 1:
		return 1
	}
	return math.NaN()
}

func either(x []float64) float64 { return 1 - both([]float64{1 - x[0], 1 - x[1]}) }

func compareFormula(t *rapid.T, a, b *formula) *formula {
	op := rapid.SampledFrom([]string{">", ">=", "<", "<=", "==", "!="}).Draw(t, "comparison")
	return on("("+a.text+" "+op+" "+b.text+")", true, expr.Unit{}, func(x []float64) float64 { return comparison(op, x[0], x[1]) }, a, b)
}

func comparison(op string, a, b float64) float64 {
	if absent(a, b) {
		return math.NaN()
	}
	return map[string]float64{">": number(a > b), ">=": number(a >= b), "<": number(a < b), "<=": number(a <= b), "==": number(a == b), "!=": number(a != b)}[op]
}

func crossFormula(a, b *formula) *formula {
	return &formula{text: fmt.Sprintf("crosses_above(%s, %s)", a.text, b.text), cond: true, at: func(m *market, i int) float64 {
		return both([]float64{comparison(">", a.at(m, i), b.at(m, i)), comparison("<=", a.seen(m, i-1, i), b.seen(m, i-1, i))})
	}}
}

func throughoutFormula(t *rapid.T, c *formula) *formula {
	n := rapid.IntRange(1, 70).Draw(t, "n")
	name, f := "every", both
	if rapid.Bool().Draw(t, "any") {
		name, f = "any", either
	}
	return &formula{text: fmt.Sprintf("%s(%s, %d)", name, c.text, n), cond: true, at: func(m *market, i int) float64 {
		v := c.at(m, i)
		for k := 1; k < n; k++ {
			v = f([]float64{v, c.seen(m, i-k, i)})
		}
		return v
	}}
}
