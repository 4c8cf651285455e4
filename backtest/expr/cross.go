package expr

import (
	"fmt"
	"math"
	"slices"
)

// Category is something known of an instrument that is a word and not a number, from reference data.
type Category uint8

const (
	TypeCategory     Category = iota // the vendor's type: CS, ADRC, ETF, ...
	ExchangeCategory                 // primary exchange: XNYS, XNAS, ...

	NumCategories = int(iota)
	noCategory    = Category(255)
)

var categoryNames = [NumCategories]string{"type", "exchange"}

// String is its name in expressions.
func (c Category) String() string { return categoryNames[c] }

// crossFn is a function of all symbols at one time.
type crossFn uint8

const (
	crossRank crossFn = iota
	crossPercentile
	crossZScore
	crossDemean
	crossGroup
	crossTop
	crossBottom
)

var crossNames = [...]string{"rank", "percentile", "zscore", "demean", "group", "top", "bottom"}

func (f crossFn) String() string { return crossNames[f] }

// Cross compares the symbols of a universe that have a bar at one time.
type Cross struct {
	fn crossFn
	n  int      // of top and bottom
	by Category // noCategory: all together
}

// By is the category within which symbols are compared; ok is false when they are all compared.
func (c *Cross) By() (by Category, ok bool) { return c.by, c.by != noCategory }

// crossWords are the rows of the table that compare symbols.
func crossWords() []word {
	return chapter("cross-section", []row{
		{sig: "rank(x)", args: "n", op: opGiven, n: int(crossRank), doc: "place of x among the symbols of the universe that have a bar now, ascending, as a fraction in (0, 1]; equal values share the mean of their places. rank(x, type) ranks within symbols of one type, rank(x, exchange) within one exchange"},
		{sig: "percentile(x)", args: "n", op: opGiven, n: int(crossPercentile), doc: "0 for the lowest x among the symbols, 1 for the highest, (place - 1) / (symbols - 1) between; 0.5 when alone; takes a category like rank", aliases: []string{"pct"}},
		{sig: "zscore(x)", args: "n", op: opGiven, n: int(crossZScore), doc: "(x - mean) / standard deviation over the symbols (of the population); absent when all are equal; takes a category like rank; over time it is zscore_n"},
		{sig: "demean(x)", args: "n", op: opGiven, n: int(crossDemean), doc: "x less its mean over the symbols; takes a category like rank"},
		{sig: "group(x)", args: "n", op: opGiven, n: int(crossGroup), doc: "mean of x over the symbols; of a condition, the fraction for which it is true; takes a category like rank"},
		{sig: "top(x, n)", args: "nw", op: opGiven, n: int(crossTop), doc: "x is among the n highest of the symbols; of equal ones the first by ticker"},
		{sig: "bottom(x, n)", args: "nw", op: opGiven, n: int(crossBottom), doc: "x is among the n lowest of the symbols; of equal ones the first by ticker"},
		{sig: "type", op: opIs, n: int(TypeCategory), doc: `kind of security, from reference data as known today: type == "CS"`},
		{sig: "exchange", op: opIs, n: int(ExchangeCategory), doc: `primary exchange, from reference data as known today: exchange == "XNYS"`},
	})
}

// categoryOf is the category that t names.
func categoryOf(t *tree) (Category, bool) {
	if w, ok := wordIndex[t.text]; ok && t.shape == shapeName && w.op == opIs {
		return Category(w.n), true
	}
	return noCategory, false
}

// compareCategory is type == "CS", either way round; ok is false when neither side is a category.
func (k *checker) compareCategory(t *tree, o op) (id termID, ok bool) {
	left, right := t.args[0], t.args[1]
	by, ok := categoryOf(left)
	if !ok {
		left, right = right, left
		if by, ok = categoryOf(left); !ok {
			return 0, false
		}
	}
	if right.shape != shapeString {
		return k.fault(right, "wrong_kind", fmt.Sprintf("%s is a word: compare it with text in quotation marks", left.text), "such as "+left.text+` == "CS"`), true
	}
	id = k.c.g.add(term{op: opIs, kind: Bool, n: int(by), text: right.text})
	if o == opNE {
		id = k.c.g.apply(opNot, id)
	}
	return id, true
}

// cross is a call of a function of all symbols.
func (k *checker) cross(t *tree, w *word) termID {
	fn := crossFn(w.n)
	if k.c.at != (where{}) {
		k.each(t.args[:min(1, len(t.args))])
		return k.faultCall(t, "nested", fmt.Sprintf("%s compares symbols on their own bars and cannot stand inside of %s()", w.Name, k.within), "write "+k.within+"() inside of "+w.Name+"()")
	}
	for i, n := range t.names {
		if n != "" {
			return k.fault(t.args[i], "argument_name", fmt.Sprintf("the arguments of %s have no names", w.Name), "write "+w.Signature)
		}
	}
	c := Cross{fn: fn, by: noCategory}
	least, most := 1, 2
	if fn == crossTop || fn == crossBottom {
		least = 2
	}
	if n := len(t.args); n < least || n > most {
		k.each(t.args[:min(1, n)])
		return k.faultCall(t, "wrong_count", fmt.Sprintf("%s takes %s, got %d", w.Name, crossArity(least), n), "write "+w.Signature)
	}
	x := k.compared(t.args[0], fn)
	switch {
	case least == 2:
		if c.n = k.window(t.args[1], subject{name: w.Name, arg: 2}); c.n == 0 {
			return 0
		}
	case len(t.args) == 2:
		by, ok := categoryOf(t.args[1])
		if !ok {
			return k.fault(t.args[1], "wrong_kind", fmt.Sprintf("argument 2 of %s is a category: type or exchange", w.Name), "")
		}
		c.by = by
	}
	if x == 0 {
		return 0
	}
	out := k.c.g.add(term{op: opGiven, kind: Number, n: k.c.g.giveOnce(given{kind: CrossInput, cross: c, term: x}), args: []termID{x}})
	if least == 2 {
		return k.c.g.apply(opTruth, out)
	}
	return out
}

func crossArity(least int) string {
	if least == 2 {
		return "2 arguments"
	}
	return "1 or 2 arguments"
}

// compared is what a cross-section compares: a number, or for group a condition as 1 and 0.
func (k *checker) compared(t *tree, fn crossFn) termID {
	g := k.c.g
	id := k.term(t)
	if id == 0 || !k.past(t, id, fn.String()) {
		return 0
	}
	switch x := g.at(id); {
	case x.kind == Bool && fn == crossGroup:
		return g.apply(opIf, id, g.number(1), g.number(0))
	case x.kind != Number:
		return k.fault(t, "wrong_kind", fmt.Sprintf("argument 1 of %s needs a number, but %s is a condition", fn, k.source(t)), "")
	case x.unit != (dims{}):
		k.note(t, "units", fmt.Sprintf("%s compares %s between companies", fn, unitWord(x.unit)), "compare ratios, such as close / close[20]")
	}
	return id
}

// CrossScratch is memory that Cross.Eval reuses. The zero value is ready.
type CrossScratch struct {
	order []crossItem
	sum   []float64
	count []float64
}

// crossItem is a value and whose it is.
type crossItem struct {
	x  float64
	at int32
}

// Eval compares the values x of the members at one time, in byte order of their tickers, NaN where
// absent, and writes the outcome to dst, which may be x: NaN where x is, 1 and 0 for top and bottom.
// groups numbers each member's category below count, -1 where it is unknown; such members, and with a
// category only they, are not compared and are absent. Without a category groups is nil. Sums run in
// the order of members, in each group apart. Cost: O(n log n).
func (c *Cross) Eval(dst, x []float64, groups []int32, count int, s *CrossScratch) {
	switch c.fn {
	case crossZScore, crossDemean, crossGroup:
		if groups == nil {
			count = 1
		}
		c.moments(dst, x, groups, count, s)
		return
	}
	s.order = s.order[:0]
	for i, v := range x {
		if v == v && (groups == nil || groups[i] >= 0) {
			s.order = append(s.order, crossItem{v, int32(i)})
		}
	}
	slices.SortFunc(s.order, func(a, b crossItem) int {
		if groups != nil && groups[a.at] != groups[b.at] {
			return int(groups[a.at]) - int(groups[b.at])
		}
		switch {
		case a.x < b.x:
			return -1
		case a.x > b.x:
			return 1
		}
		return int(a.at) - int(b.at)
	})
	fill(dst, math.NaN())
	for from := 0; from < len(s.order); {
		to := len(s.order)
		if groups != nil {
			for to = from + 1; to < len(s.order) && groups[s.order[to].at] == groups[s.order[from].at]; {
				to++
			}
		}
		c.places(dst, s.order[from:to])
		from = to
	}
}

// places writes what follows from the sorted values of one group.
func (c *Cross) places(dst []float64, order []crossItem) {
	n := float64(len(order))
	switch c.fn {
	case crossBottom:
		for i, o := range order {
			dst[o.at] = truth(i < c.n)
		}
		return
	case crossTop:
		c.highest(dst, order)
		return
	}
	for i := 0; i < len(order); {
		j := i + 1
		for j < len(order) && order[j].x == order[i].x {
			j++
		}
		place := float64(i+1+j) / 2 // the mean of i+1 ... j
		v := place / n
		if c.fn == crossPercentile {
			v = 0.5
			if n > 1 {
				v = (place - 1) / (n - 1)
			}
		}
		for ; i < j; i++ {
			dst[order[i].at] = v
		}
	}
}

// highest marks the n highest; of equal values those that come first by ticker.
func (c *Cross) highest(dst []float64, order []crossItem) {
	left := c.n
	for to := len(order); to > 0; {
		from := to - 1
		for from > 0 && order[from-1].x == order[to-1].x {
			from--
		}
		for _, o := range order[from:to] {
			dst[o.at] = truth(left > 0)
			left--
		}
		to = from
	}
}

// moments writes what follows from means and deviations.
func (c *Cross) moments(dst, x []float64, groups []int32, count int, s *CrossScratch) {
	group := func(i int) int32 {
		if groups == nil {
			return 0
		}
		return groups[i]
	}
	s.sum, s.count = zeros(s.sum, 2*count), zeros(s.count, count)
	mean, square := s.sum[:count], s.sum[count:]
	for i, v := range x {
		if g := group(i); v == v && g >= 0 {
			mean[g] += v
			s.count[g]++
		}
	}
	for g := range mean {
		mean[g] /= s.count[g]
	}
	if c.fn == crossZScore {
		for i, v := range x {
			if g := group(i); v == v && g >= 0 {
				d := v - mean[g]
				square[g] += float64(d * d)
			}
		}
	}
	for i, v := range x {
		g := group(i)
		switch {
		case v != v || g < 0:
			dst[i] = math.NaN()
		case c.fn == crossGroup:
			dst[i] = mean[g]
		case c.fn == crossDemean:
			dst[i] = v - mean[g]
		default:
			dst[i] = finite((v - mean[g]) / math.Sqrt(square[g]/s.count[g]))
		}
	}
}

// zeros is a slice of n zeros, in the memory of x if it suffices.
func zeros(x []float64, n int) []float64 {
	if cap(x) < n {
		return make([]float64, n)
	}
	x = x[:n]
	clear(x)
	return x
}
