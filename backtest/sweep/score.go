package sweep

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/expr"
	"backtester/backtest/stats"
	"backtester/backtest/strategy"
)

// Score judges the metrics of a combination: its objective, and whether it is eligible.
type Score struct {
	Objective string
	MinTrades int
	Keys      []string // every metric that rows have

	lower    bool
	single   int // of a plain metric: its column; -1 for an expression
	program  *expr.Program
	ref      expr.Ref
	inputs   []int // by input of program: the column
	limits   []stats.Condition
	require  []stats.Condition
	trades   int // column of trades
	bound    expr.Bound
	arena    expr.Arena
	one      bar.Series
	operands [][]float64
	known    stats.Metrics
}

// NewScore reads what cfg says about search and require. more are metrics that rows shall have besides.
// Not safe for concurrent use.
func NewScore(cfg *backtest.Config, more ...string) (*Score, error) {
	search := cfg.Search
	if search == nil {
		search = &strategy.Search{Objective: "sharpe", MinTrades: 30}
	}
	s := &Score{Objective: search.Objective, MinTrades: search.MinTrades, single: -1}
	wanted := slices.Clone(more)
	for i, list := range [][]string{search.Constraints, cfg.Require} {
		for _, text := range list {
			c, err := stats.ParseCondition(text)
			if err != nil {
				return nil, err
			}
			wanted = append(wanted, c.Keys()...)
			if i == 0 {
				s.limits = append(s.limits, c)
			} else {
				s.require = append(s.require, c)
			}
		}
	}
	names, err := s.read()
	if err != nil {
		return nil, err
	}
	wanted = append(wanted, names...)
	basic := stats.BasicKeys()
	s.Keys = basic
	for _, key := range stats.Keys() {
		if slices.Contains(wanted, key) && !slices.Contains(basic, key) {
			s.Keys = append(s.Keys, key)
		}
	}
	for _, key := range wanted {
		if m, ok := stats.Lookup(key); !ok || m.Unit == stats.CivilDate {
			return nil, fmt.Errorf("there is no metric %s that can be compared", key)
		}
	}
	s.trades = s.column("trades")
	if s.program == nil {
		s.single = s.column(s.Objective)
		return s, nil
	}
	for _, in := range s.program.Inputs() {
		s.inputs = append(s.inputs, s.column(in.Name))
		s.operands = append(s.operands, make([]float64, 1))
	}
	none := []float64{1}
	s.one = bar.Series{Time: []int64{0}, Open: none, High: none, Low: none, Close: none, Volume: none}
	return s, nil
}

// Faults finds what a file asks of searches that no metrics can answer, each at its place: an objective or
// conditions for which NewScore has an error.
func Faults(f *strategy.File) strategy.Diagnostics {
	search := strategy.Search{Objective: "sharpe"}
	var list strategy.Diagnostics
	try := func(path string, search strategy.Search, require []string) {
		if _, err := NewScore(&backtest.Config{Search: &search, Require: require}); err != nil {
			at, length := f.Place(path, 0, math.MaxInt32)
			list = append(list, strategy.Diagnostic{Pos: at, Length: length, Code: "bad_metric", Message: err.Error()})
		}
	}
	if f.Search != nil {
		try("search.objective", strategy.Search{Objective: f.Search.Objective}, nil)
		search.Constraints = f.Search.Constraints
		try("search.constraints", search, nil)
		search.Constraints = nil
	}
	try("require", search, f.Require)
	return list
}

func (s *Score) column(key string) int { return slices.Index(s.Keys, key) }

// Basic reports whether the fast metrics suffice.
func (s *Score) Basic() bool { return len(s.Keys) == len(stats.BasicKeys()) }

// read compiles the objective and returns the metrics in it.
func (s *Score) read() ([]string, error) {
	if m, ok := stats.Lookup(s.Objective); ok {
		s.lower = m.Sense == stats.Lower
		return []string{s.Objective}, nil
	}
	var names []string
	for _, word := range strings.FieldsFunc(s.Objective, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
	}) {
		if _, ok := stats.Lookup(word); ok && !slices.Contains(names, word) {
			if err := expr.CheckName(word); err != nil {
				return nil, fmt.Errorf("read search.objective %q: %s stands for something else in expressions: use it alone", s.Objective, word)
			}
			names = append(names, word)
		}
	}
	c := expr.NewCompiler(expr.Scope{Series: names})
	s.ref = c.Add(s.Objective, expr.Pos{Line: 1, Column: 1}, expr.Number, expr.NoVars)
	p, wrong := c.Program()
	if len(wrong) > 0 {
		return nil, fmt.Errorf("read search.objective %q: %s: want the name of a metric such as sharpe, or an expression of such names", s.Objective, wrong[0].Message)
	}
	if p.Columns() != 0 || timed(s.Objective, names) || p.Warmup() > 0 || len(names) == 0 {
		return nil, fmt.Errorf("read search.objective %q: it is made of metrics, not of prices or dates", s.Objective)
	}
	s.program = p
	return names, nil
}

// timed reports whether an expression of these names reads dates.
func timed(text string, names []string) bool {
	scope := expr.Scope{}
	for _, n := range names {
		scope.Params = append(scope.Params, expr.Param{Name: n, Value: 1})
	}
	c := expr.NewCompiler(scope)
	c.Add(text, expr.Pos{Line: 1, Column: 1}, expr.Number, expr.NoVars)
	p, wrong := c.Program()
	return len(wrong) > 0 || p.NeedsCalendar()
}

// Value is the objective of a row of metrics, in the order of Keys; more is better, whatever the sense of
// the metric. NaN: not eligible.
func (s *Score) Value(metrics []float64) float64 {
	if !(metrics[s.trades] >= float64(s.MinTrades)) || !s.holds(s.limits, metrics) || !s.holds(s.require, metrics) {
		return math.NaN()
	}
	return s.Worth(metrics)
}

// Worth is the objective whether eligible or not; more is better, whatever the sense of the metric.
func (s *Score) Worth(metrics []float64) float64 {
	v := s.Raw(metrics)
	if s.lower {
		return -v
	}
	return v
}

// Reads are the metrics that the objective is made of.
func (s *Score) Reads() []string {
	if s.single >= 0 {
		return []string{s.Objective}
	}
	var list []string
	for _, c := range s.inputs {
		list = append(list, s.Keys[c])
	}
	return list
}

// Raw is the objective whether eligible or not, in its own sense.
func (s *Score) Raw(metrics []float64) float64 {
	if s.single >= 0 {
		return metrics[s.single]
	}
	for k, c := range s.inputs {
		s.operands[k][0] = metrics[c]
	}
	s.program.BindInto(&s.bound, expr.Binding{Series: &s.one, Inputs: s.operands}, &s.arena)
	if v := s.bound.Column(s.ref)[0]; !math.IsInf(v, 0) {
		return v
	}
	return math.NaN()
}

// Required reports whether a row meets every `require` of the file: those that do not are left out.
func (s *Score) Required(metrics []float64) bool { return s.holds(s.require, metrics) }

// holds reports whether every condition is met; one on an undefined metric is not.
func (s *Score) holds(list []stats.Condition, metrics []float64) bool {
	if len(list) == 0 {
		return true
	}
	s.known.Fill(s.Keys, metrics)
	for i := range list {
		if hit, undefined := list[i].Eval(&s.known); undefined != nil || !hit {
			return false
		}
	}
	return true
}
