package sweep

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
)

// Surface is the objective over the grid of parameters: what the pictures of a sweep are drawn from, and
// what says whether the best combination stands on a plateau or on a needle. Symbols that were played each
// alone are averaged. A surface has no holes where trades are few: eligibility decides only which cell is the best.
type Surface struct {
	Names     []string
	Values    [][]float64
	Objective string // in words
	Averaged  bool   // over symbols that were played each alone
	Lower     bool   // less is better

	space *Space
	score *Score
	cells map[int64]*cell
	order []int64 // of the cells, in the order of the plan
}

type cell struct {
	sum      float64
	n        int
	eligible bool // a row of it is
}

// A surface has at most mostCells, each of which takes about cellBytes, the places of the map included.
const (
	mostCells = 2_000_000
	cellBytes = 150
)

// drawn reports whether a surface of p is possible.
func (p *Plan) drawn() bool {
	n := p.Len()
	return n <= mostCells && int64(n)*cellBytes <= p.room/4 && len(p.Space.Names) > 0
}

// NewSurface is an empty one for the rows of p; nil where there are no parameters, or so many combinations that it would
// take more than a quarter of what may live at once.
func NewSurface(p *Plan) *Surface {
	if !p.drawn() {
		return nil
	}
	s := p.score()
	name := s.Objective
	if n := len(p.Symbols); n > 1 {
		name = fmt.Sprintf("mean %s of %d symbols", name, n)
	}
	return &Surface{Names: p.Space.Names, Values: p.Space.Values, Objective: name, Averaged: len(p.Symbols) > 1, Lower: s.lower, space: p.Space, score: s, cells: map[int64]*cell{}}
}

// Add takes a row.
func (s *Surface) Add(r *Row) {
	digits := make([]int, len(s.Values))
	for i, v := range r.Params {
		digits[i] = slices.Index(s.Values[i], v)
	}
	k := s.space.Index(digits)
	c := s.cells[k]
	if c == nil {
		c = &cell{}
		s.cells[k] = c
		s.order = append(s.order, k)
	}
	if v := s.score.Raw(r.Metrics); v == v {
		c.sum += v
		c.n++
		c.eligible = c.eligible || r.Value == r.Value
	}
}

// at is the objective of a cell; NaN when it was not tried or has none.
func (s *Surface) at(k int64) float64 {
	if c := s.cells[k]; c != nil && c.n > 0 {
		return c.sum / float64(c.n)
	}
	return math.NaN()
}

// better reports whether objective a is better than b; everything is better than NaN.
func (s *Surface) better(a, b float64) bool {
	switch {
	case a != a:
		return false
	case b != b:
		return true
	case s.Lower:
		return a < b
	}
	return a > b
}

// Best is the best cell by the objective of those that are eligible, the first of equals, as places in Values; nil when
// none is.
func (s *Surface) Best() ([]int, float64) {
	best, at := math.NaN(), int64(-1)
	sorted := slices.Clone(s.order)
	slices.Sort(sorted)
	for _, k := range sorted {
		if v := s.at(k); s.cells[k].eligible && s.better(v, best) {
			best, at = v, k
		}
	}
	if at < 0 {
		return nil, best
	}
	return s.space.Digits(at, nil), best
}

// Slice is one parameter with the others everywhere they were tried.
type Slice struct {
	Name               string
	Values             []float64
	Best, Median, Mean []float64 // of the objective by value; NaN where there is none
	Tried              []int
}

// Slice over parameter i.
func (s *Surface) Slice(i int) Slice {
	out := Slice{Name: s.Names[i], Values: s.Values[i]}
	lists := make([][]float64, len(s.Values[i]))
	var digits []int
	for _, k := range s.order {
		digits = s.space.Digits(k, digits)
		if v := s.at(k); v == v {
			lists[digits[i]] = append(lists[digits[i]], v)
		}
	}
	for _, list := range lists {
		best, mean, median := s.digest(list)
		out.Best, out.Mean, out.Median = append(out.Best, best), append(out.Mean, mean), append(out.Median, median)
		out.Tried = append(out.Tried, len(list))
	}
	return out
}

// digest is the best, the mean and the median of some objectives.
func (s *Surface) digest(list []float64) (best, mean, median float64) {
	best, mean, median = math.NaN(), math.NaN(), math.NaN()
	if len(list) == 0 {
		return
	}
	sum := 0.0
	for _, v := range list {
		sum += v
		if s.better(v, best) {
			best = v
		}
	}
	slices.Sort(list)
	n := len(list)
	return best, sum / float64(n), (list[(n-1)/2] + list[n/2]) / 2
}

// Heat is the median objective over the values of two parameters: by value of parameter i, then of j.
func (s *Surface) Heat(i, j int) [][]float64 {
	lists := make([][][]float64, len(s.Values[i]))
	for a := range lists {
		lists[a] = make([][]float64, len(s.Values[j]))
	}
	var digits []int
	for _, k := range s.order {
		digits = s.space.Digits(k, digits)
		if v := s.at(k); v == v {
			at := &lists[digits[i]][digits[j]]
			*at = append(*at, v)
		}
	}
	out := make([][]float64, len(lists))
	for a := range lists {
		for _, list := range lists[a] {
			_, _, median := s.digest(list)
			out[a] = append(out[a], median)
		}
	}
	return out
}

// Neighbourhood is what surrounds a combination: every combination that was tried and differs from it by at
// most one step in each parameter.
type Neighbourhood struct {
	Value         float64
	Neighbours    int
	Median, Worst float64 // of the neighbours; NaN without any
	// Plateau is Median / Value, cut to [0, 1] (Value / Median where less is better): 1 is a plateau, 0 a
	// needle. NaN where the value is not positive or nothing surrounds it.
	Plateau float64
	// Stable is the share of neighbours whose objective is at least half as good; NaN where Plateau is.
	Stable float64
}

// Around is the neighbourhood of the combination with these places.
func (s *Surface) Around(digits []int) Neighbourhood {
	out := Neighbourhood{Value: s.at(s.space.Index(digits)), Median: math.NaN(), Worst: math.NaN(), Plateau: math.NaN(), Stable: math.NaN()}
	var list []float64
	near := slices.Clone(digits)
	var visit func(i int)
	visit = func(i int) {
		if i == len(near) {
			if v := s.at(s.space.Index(near)); v == v && !slices.Equal(near, digits) {
				list = append(list, v)
			}
			return
		}
		for d := max(0, digits[i]-1); d <= min(len(s.Values[i])-1, digits[i]+1); d++ {
			near[i] = d
			visit(i + 1)
		}
		near[i] = digits[i]
	}
	if len(digits) <= 10 { // 3^10 neighbours at most
		visit(0)
	}
	if out.Neighbours = len(list); len(list) == 0 {
		return out
	}
	stable := 0.0
	for _, v := range list {
		if out.Worst != out.Worst || s.better(out.Worst, v) {
			out.Worst = v
		}
		if half := out.Value / 2; !s.Lower && v >= half || s.Lower && v <= 2*out.Value {
			stable++
		}
	}
	_, _, out.Median = s.digest(list)
	if out.Value > 0 {
		out.Stable = stable / float64(len(list))
		ratio := out.Median / out.Value
		if s.Lower {
			ratio = out.Value / out.Median
		}
		out.Plateau = max(0, min(1, ratio))
	}
	return out
}

// Importance is the share of the variance of the objective that the values of each parameter explain by
// themselves: the variance of its means over the variance of all (Sobol's first-order index, on what was
// tried). They sum to less than 1 where parameters act together. NaN where nothing varies.
func (s *Surface) Importance() []float64 {
	n, sum, squares := 0, 0.0, 0.0
	for _, k := range s.order {
		if v := s.at(k); v == v {
			n++
			sum += v
			squares += float64(v * v)
		}
	}
	out := make([]float64, len(s.Names))
	mean := sum / float64(n)
	total := squares/float64(n) - float64(mean*mean)
	for i := range out {
		out[i] = math.NaN()
		if n < 2 || !(total > 1e-12*squares/float64(n)) {
			continue
		}
		x := s.Slice(i)
		part := 0.0
		for d, m := range x.Mean {
			if x.Tried[d] > 0 {
				part += float64(x.Tried[d]) / float64(n) * (m - mean) * (m - mean)
			}
		}
		out[i] = min(1, part/total)
	}
	return out
}

// CSV writes a line a combination, in the order of the plan: its parameters, its objective, and its
// neighbourhood.
func (s *Surface) CSV(w io.Writer) error {
	buffered := bufio.NewWriter(w)
	c := csv.NewWriter(buffered)
	if err := c.Write(append(slices.Clone(s.Names), "objective", "neighbours", "neighbour_median", "neighbour_worst", "plateau", "stable")); err != nil {
		return err
	}
	text := func(v float64) string {
		if v != v {
			return ""
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	var digits []int
	for _, k := range s.order {
		digits = s.space.Digits(k, digits)
		a := s.Around(digits)
		var cells []string
		for i, d := range digits {
			cells = append(cells, text(s.Values[i][d]))
		}
		cells = append(cells, text(a.Value), strconv.Itoa(a.Neighbours), text(a.Median), text(a.Worst), text(a.Plateau), text(a.Stable))
		if err := c.Write(cells); err != nil {
			return err
		}
	}
	c.Flush()
	if err := c.Error(); err != nil {
		return err
	}
	return buffered.Flush()
}
