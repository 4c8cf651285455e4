package sweep

import (
	"fmt"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/expr"
)

// Space is the grid of a file's parameters: every combination of their values, the last parameter
// running fastest. Immutable once made.
type Space struct {
	Names  []string
	Values [][]float64 // by parameter

	size       int64
	constraint *expr.Program // nil without one; parameters are its inputs
	refs       []expr.Ref
	binding    []int // by input: which parameter it is
}

// maxSize bounds grids: numbers of combinations stay exact as float64 too.
const maxSize = int64(1) << 53

// NewSpace is the grid of cfg, whose expressions must compile.
func NewSpace(cfg *backtest.Config) (*Space, error) {
	s := &Space{size: 1}
	for _, p := range cfg.Params {
		s.Names, s.Values = append(s.Names, p.Name), append(s.Values, p.Values)
		if n := int64(len(p.Values)); s.size > maxSize/n {
			return nil, fmt.Errorf("sweep %s: its parameters have more than %d combinations: give them fewer values", cfg.Name, maxSize)
		}
		s.size *= int64(len(p.Values))
	}
	return s, s.constrain(cfg.Constraint)
}

// Size is the number of combinations, whether they meet the constraint or not.
func (s *Space) Size() int64 { return s.size }

// At writes combination k into dst and returns it.
func (s *Space) At(k int64, dst []float64) []float64 {
	n := len(s.Values)
	dst = append(dst[:0], make([]float64, n)...)
	for i := n - 1; i >= 0; i-- {
		v := s.Values[i]
		dst[i] = v[k%int64(len(v))]
		k /= int64(len(v))
	}
	return dst
}

// Digits are the places of combination k in the values of each parameter.
func (s *Space) Digits(k int64, dst []int) []int {
	n := len(s.Values)
	dst = append(dst[:0], make([]int, n)...)
	for i := n - 1; i >= 0; i-- {
		m := int64(len(s.Values[i]))
		dst[i] = int(k % m)
		k /= m
	}
	return dst
}

// Index is the combination with these places.
func (s *Space) Index(digits []int) int64 {
	k := int64(0)
	for i, d := range digits {
		k = k*int64(len(s.Values[i])) + int64(d)
	}
	return k
}

// constrain compiles the conditions on parameters with the parameters as columns, so that a block of
// combinations is tested at once.
func (s *Space) constrain(texts []string) error {
	if len(texts) == 0 {
		return nil
	}
	c := expr.NewCompiler(expr.Scope{Series: s.Names})
	for _, t := range texts {
		s.refs = append(s.refs, c.Add(t, expr.Pos{Line: 1, Column: 1}, expr.Bool, expr.NoVars))
	}
	p, wrong := c.Program()
	if len(wrong) > 0 {
		return fmt.Errorf("read constraint: %w", wrong.Err())
	}
	if p.Warmup() > 0 {
		return fmt.Errorf("read constraint: a parameter has no earlier values: compare it with other parameters and numbers")
	}
	for _, in := range p.Inputs() {
		for i, name := range s.Names {
			if in.Name == name {
				s.binding = append(s.binding, i)
			}
		}
	}
	s.constraint = p
	return nil
}

// sieve tests combinations. Not safe for concurrent use.
type sieve struct {
	space   *Space
	columns [][]float64
	dummy   bar.Series
	bound   expr.Bound
	arena   expr.Arena
	digits  []int
}

// sieveBlock is how many combinations are tested at once.
const sieveBlock = 4096

// meets reports which of the combinations meet every condition: keep(i) is called for those that do, in
// order. ks may be as long as sieveBlock.
func (v *sieve) meets(ks []int64, keep func(k int64)) {
	s := v.space
	if s.constraint == nil {
		for _, k := range ks {
			keep(k)
		}
		return
	}
	if v.columns == nil {
		v.columns = make([][]float64, len(s.binding))
		for i := range v.columns {
			v.columns[i] = make([]float64, sieveBlock)
		}
		empty := make([]float64, sieveBlock)
		v.dummy = bar.Series{Time: make([]int64, sieveBlock), Open: empty, High: empty, Low: empty, Close: empty, Volume: empty}
	}
	for r, k := range ks {
		v.digits = s.Digits(k, v.digits)
		for i, p := range s.binding {
			v.columns[i][r] = s.Values[p][v.digits[p]]
		}
	}
	s.constraint.BindInto(&v.bound, expr.Binding{Series: &v.dummy, Inputs: v.columns}, &v.arena)
	for r, k := range ks {
		ok := true
		for _, ref := range s.refs {
			ok = ok && v.bound.True(ref)[r>>6]>>(r&63)&1 != 0
		}
		if ok {
			keep(k)
		}
	}
}

// all lists every combination that meets the constraint, at most most of them.
func (s *Space) all(most int64) ([]int64, error) {
	if s.constraint == nil && s.size > most {
		return nil, tooMany(s.size, most)
	}
	out := []int64{}
	v := sieve{space: s}
	block := make([]int64, 0, sieveBlock)
	for from := int64(0); from < s.size; from += sieveBlock {
		block = block[:0]
		for k := from; k < min(from+sieveBlock, s.size); k++ {
			block = append(block, k)
		}
		v.meets(block, func(k int64) { out = append(out, k) })
		if int64(len(out)) > most {
			return nil, tooMany(int64(len(out)), most)
		}
	}
	return out, nil
}

func tooMany(have, most int64) error {
	return fmt.Errorf("%d combinations or more are too many to list (the memory allowed holds %d): give parameters fewer values, a constraint, or search.method: random", have, most)
}
