package backtest

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	"backtester/backtest/bar"
	"backtester/backtest/expr"
	"backtester/backtest/indicator"
	"backtester/backtest/order"
	"backtester/backtest/strategy"
)

// Preview is what a strategy sees before any money moves: bars, indicators, signals and coverage.
type Preview struct {
	Strategy string          `json:"strategy"`
	Config   *Config         `json:"config"`
	Data     DataInfo        `json:"data"`
	Counts   Counts          `json:"counts"` // how often each condition held, and how many bars were warming up
	Symbols  []SymbolPreview `json:"symbols"`
	Warnings []Warning       `json:"warnings"`
}

// SymbolPreview is one symbol as one strategy sees it. All columns are as long as Time; the first Warm bars
// lie before the range and are there to warm indicators up.
type SymbolPreview struct {
	Symbol   string          `json:"symbol"`
	Strategy string          `json:"strategy,omitempty"` // where several share the account
	Warm     int             `json:"warm"`
	Time     Times           `json:"time"`
	Open     Values          `json:"open"` // USD as traded
	High     Values          `json:"high"`
	Low      Values          `json:"low"`
	Close    Values          `json:"close"`
	Volume   Values          `json:"volume"`            // shares
	Columns  []PreviewColumn `json:"columns"`           // indicators and named signals, in order of first use
	Members  []bool          `json:"members,omitempty"` // in the universe, where that changes over time
	Entries  []bool          `json:"entries"`           // long entry condition true
	Exits    []bool          `json:"exits"`             // long exit condition true, as far as it needs no position
	Shorts   []bool          `json:"shorts,omitempty"`
	Covers   []bool          `json:"covers,omitempty"`
}

// PreviewColumn is one indicator or signal. Conditions are 1, 0 or absent.
type PreviewColumn struct {
	Name   string `json:"name"`
	Kind   string `json:"kind"` // number | condition
	Pane   string `json:"pane"` // price | own: whether it belongs on the price chart
	Values Values `json:"values"`
}

// Values is a column in JSON: NaN (absent) is null.
type Values []float64

// MarshalJSON writes an array of numbers and nulls.
func (v Values) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 2+len(v)*8)
	b = append(b, '[')
	for i, x := range v {
		if i > 0 {
			b = append(b, ',')
		}
		if math.IsNaN(x) || math.IsInf(x, 0) {
			b = append(b, "null"...)
		} else {
			b = strconv.AppendFloat(b, x, 'g', -1, 64)
		}
	}
	return append(b, ']'), nil
}

// NewPreview evaluates cfg on the bars of src without trading. Errors are those of Run.
func NewPreview(ctx context.Context, cfg *Config, src bar.Source) (*Preview, error) {
	rules, err := compile(cfg, src)
	if err != nil {
		return nil, err
	}
	k := task{cfg: cfg, rules: rules}
	m, err := k.load(ctx, src)
	if err != nil {
		return nil, err
	}
	return previewOf(ctx, k, m, src)
}

// previewOf shows a market that was loaded.
func previewOf(ctx context.Context, k task, m *market, src bar.Source) (*Preview, error) {
	cfg := settled(k.cfg, m.breadth(), k.coded())
	e := newEngine(cfg, k.rules, m) // not run: it knows how to describe data and what to warn of
	p := &Preview{Strategy: cfg.Name, Config: cfg, Data: e.dataInfo(src), Warnings: e.warnings(src, nil)}
	p.Warnings = dropWarning(p.Warnings, "no_benchmark")
	explain(&e.counts, m, e.plays, func(int, order.Side) bool { return false }) // nothing is held
	p.Counts = e.counts
	for _, s := range e.sights() {
		list, err := s.preview(ctx)
		if err != nil {
			return nil, err
		}
		p.Symbols = append(p.Symbols, list...)
	}
	slices.SortStableFunc(p.Symbols, func(a, b SymbolPreview) int { return cmp.Compare(a.Symbol, b.Symbol) })
	return p, nil
}

// preview of every symbol that a strategy sees.
func (g sight) preview(ctx context.Context) ([]SymbolPreview, error) {
	rules, m := g.rules, g.market
	shown, names, err := indicators(rules)
	if err != nil {
		return nil, err
	}
	bounds, err := m.evaluate(ctx, shown, m.isMember())
	if err != nil {
		return nil, err
	}
	var out []SymbolPreview
	for i := range m.syms {
		s := &m.syms[i]
		b := s.bars
		sp := SymbolPreview{Symbol: s.name, Strategy: g.name, Warm: b.Warm, Time: Times{Daily: m.daily, Nanos: b.Time}, Open: b.Open, High: b.High, Low: b.Low,
			Close: b.Close, Volume: b.Volume}
		bound := bounds[i]
		if s.member != nil {
			sp.Members = make([]bool, b.Len())
			for r := range sp.Members {
				sp.Members[r] = s.in(int32(r))
			}
		}
		for k, name := range names {
			sp.Columns = append(sp.Columns, previewColumn(shown, bound, expr.Ref(k+1), name))
		}
		for _, sig := range g.cfg.Signals {
			if ref, ok := rules.Program.SignalRef(sig.Name); ok {
				sp.Columns = append(sp.Columns, previewColumn(rules.Program, s.bound, ref, sig.Name))
			}
		}
		sp.Entries, sp.Exits = marks(rules, s, rules.Long)
		sp.Shorts, sp.Covers = marks(rules, s, rules.Short)
		out = append(out, sp)
	}
	return out, nil
}

// indicators compiles every indicator that the rules use into a program of its own, so that their
// columns can be shown: Refs 1, 2, ... in the order of names.
func indicators(rules *strategy.Rules) (*expr.Program, []string, error) {
	c := expr.NewCompiler(expr.Scope{})
	var names []string
	for _, n := range rules.Program.Nodes() {
		if n.Memory == "" || n.Kind != expr.Number || !n.Static || strings.Contains(n.Text, "...") {
			continue
		}
		c.Add(n.Text, expr.Pos{}, expr.Number, expr.NoVars)
		names = append(names, n.Text)
	}
	p, faults := c.Program()
	return p, names, faults.Err()
}

// previewColumn of a compiled expression.
func previewColumn(p *expr.Program, b *expr.Bound, r expr.Ref, name string) PreviewColumn {
	c := PreviewColumn{Name: name, Kind: p.Kind(r).String(), Pane: "own", Values: b.Column(r)}
	if p.Kind(r) == expr.Number && p.Unit(r) == (expr.Unit{Price: 1}) && !oscillates(name) {
		c.Pane = "price"
	}
	return c
}

// oscillates reports whether an indicator in USD is a difference of prices, such as atr or macd, which
// has no place on the price chart.
func oscillates(text string) bool {
	name, _, _ := strings.Cut(text, "(")
	spec, ok := indicator.Lookup(name)
	return ok && spec.Picture != indicator.Overlay
}

// marks are the entry and exit conditions of a side by bar, nil without the side. Exits that need a
// position are not among them.
func marks(rules *strategy.Rules, s *symbol, side *strategy.SideRules) (entries, exits []bool) {
	if side == nil {
		return nil, nil
	}
	n := s.bars.Len()
	entries, exits = make([]bool, n), make([]bool, n)
	set := func(dst []bool, bits []uint64) {
		for i := range dst {
			dst[i] = dst[i] || bits[i>>6]>>(i&63)&1 != 0
		}
	}
	set(entries, s.bound.True(side.Entry.When))
	for _, x := range side.Exits {
		if x.Kind == strategy.ExitSignal && rules.Program.Static(x.When) {
			set(exits, s.bound.True(x.When))
		}
	}
	return entries, exits
}

// dropWarning removes a code.
func dropWarning(w []Warning, code string) []Warning {
	out := w[:0]
	for _, x := range w {
		if x.Code != code {
			out = append(out, x)
		}
	}
	return out
}
