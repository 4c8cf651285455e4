package sweep_test

import (
	"bytes"
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"backtester/backtest/sweep"
)

// surfaceOf is a surface of made-up objectives: f of the two parameters.
func surfaceOf(t *testing.T, f func(a, b float64) float64) *sweep.Surface {
	t.Helper()
	cfg := parse(t, "params: {a: 1..5, b: 1..4}\nentry: close > a\nexit: close < b\nsearch: {objective: total_return}\n")
	plan, err := sweep.NewPlan(context.Background(), cfg, source(t, walk(1, "A", 50)), sweep.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := sweep.NewSurface(plan)
	metrics := make([]float64, len(plan.Metrics))
	for i := range plan.Len() {
		p := plan.Combination(i, nil)
		metrics[0] = f(p[0], p[1])
		s.Add(&sweep.Row{Params: p, Metrics: metrics})
	}
	return s
}

func TestSurface(t *testing.T) {
	s := surfaceOf(t, func(a, b float64) float64 { return 10*a + b })
	at, best := s.Best()
	if best != 54 || at[0] != 4 || at[1] != 3 {
		t.Errorf("best is %v at %v", best, at)
	}
	// Neighbours of (5, 4): (4, 3) 43, (4, 4) 44, (5, 3) 53.
	n := s.Around(at)
	if n.Neighbours != 3 || n.Median != 44 || n.Worst != 43 || math.Abs(n.Plateau-44.0/54) > 1e-15 || n.Stable != 1 {
		t.Errorf("%+v", n)
	}
	// Variances of the means: a 200, b 1.25, together all of 201.25.
	w := s.Importance()
	if math.Abs(w[0]-200/201.25) > 1e-12 || math.Abs(w[1]-1.25/201.25) > 1e-12 {
		t.Errorf("importance %v", w)
	}
	x := s.Slice(0)
	if x.Best[2] != 34 || x.Median[2] != 32.5 || x.Mean[2] != 32.5 || x.Tried[2] != 4 {
		t.Errorf("%+v", x)
	}
	if h := s.Heat(0, 1); h[2][1] != 32 || len(h) != 5 || len(h[0]) != 4 {
		t.Errorf("%v", h)
	}
	var b bytes.Buffer
	if err := s.CSV(&b); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 21 || lines[0] != "a,b,objective,neighbours,neighbour_median,neighbour_worst,plateau,stable" || lines[20] != "5,4,54,3,44,43,0.8148148148148148,1" {
		t.Errorf("%q", lines)
	}
}

// A needle is told from a plateau.
func TestNeedle(t *testing.T) {
	s := surfaceOf(t, func(a, b float64) float64 {
		if a == 3 && b == 2 {
			return 9
		}
		return 0.5
	})
	at, _ := s.Best()
	if n := s.Around(at); n.Neighbours != 8 || n.Stable != 0 || math.Abs(n.Plateau-0.5/9) > 1e-15 {
		t.Errorf("%+v", n)
	}
	flat := surfaceOf(t, func(a, b float64) float64 { return 2 })
	if w := flat.Importance(); !math.IsNaN(w[0]) {
		t.Errorf("importance of parameters that change nothing: %v", w)
	}
}

// A sweep that cannot fit is refused with the figure, before anything is played.
func TestMemoryIsRefused(t *testing.T) {
	_, err := sweep.NewPlan(context.Background(), parse(t, pairs), source(t, walk(1, "A", 5000)), sweep.Options{Memory: 1 << 20})
	if err == nil || !strings.Contains(err.Error(), "MiB and may take 1") {
		t.Errorf("%v", err)
	}
}

// The fast paths allocate for pieces of work, not for combinations.
func TestAllocations(t *testing.T) {
	src := source(t, walk(3, "A", 400))
	count := func(text string) float64 {
		cfg := parse(t, text)
		plan, err := sweep.NewPlan(context.Background(), cfg, src, sweep.Options{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		return testing.AllocsPerRun(3, func() {
			if _, err := plan.Run(context.Background(), sweep.Options{Workers: 1}); err != nil {
				t.Fatal(err)
			}
		})
	}
	const rest = "\nconstraint: fast < slow\nentry: sma(close, fast) > sma(close, slow)\nexit: sma(close, fast) < sma(close, slow)\nsize: {weight: 1, fractional: true}\ncosts: {commission: {bps: 10}}\n"
	few, many := count("params: {fast: 2..20, slow: 2..60}"+rest), count("params: {fast: 2..40, slow: 2..60}"+rest)
	// 950 combinations more, of no new column.
	if more := many - few; more > 400 {
		t.Errorf("%.0f allocations for 950 combinations more", more)
	}
}

// The best is one that is eligible, however much better others look.
func TestSurfaceBestIsEligible(t *testing.T) {
	cfg := parse(t, "params: {a: 1..5}\nentry: close > a\nsearch: {objective: total_return}\n")
	plan, err := sweep.NewPlan(context.Background(), cfg, source(t, walk(1, "A", 50)), sweep.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		eligible []float64 // values of a
		want     []int
		best     float64
	}{{[]float64{2, 4}, []int{3}, 4}, {[]float64{1}, []int{0}, 1}, {nil, nil, math.NaN()}} {
		s := sweep.NewSurface(plan)
		metrics := make([]float64, len(plan.Metrics))
		for a := 1.0; a <= 5; a++ {
			value := math.NaN()
			if slices.Contains(c.eligible, a) {
				value = a
			}
			metrics[0] = a
			s.Add(&sweep.Row{Params: []float64{a}, Metrics: metrics, Value: value})
		}
		if at, best := s.Best(); !slices.Equal(at, c.want) || best != c.best && best == best {
			t.Errorf("of %v the best is %v at %v", c.eligible, best, at)
		}
		if x := s.Slice(0); x.Tried[4] != 1 || x.Best[4] != 5 {
			t.Errorf("what is not eligible is missing: %+v", x)
		}
	}
}

// Shares of a loss say nothing.
func TestNeighboursOfALoss(t *testing.T) {
	s := surfaceOf(t, func(a, b float64) float64 { return -1 - 0.001*a })
	at, _ := s.Best()
	if n := s.Around(at); n.Neighbours != 3 || n.Stable == n.Stable || n.Plateau == n.Plateau || n.Worst != -1.002 {
		t.Errorf("%+v", n)
	}
}

// A surface takes no more than its share of the memory.
func TestSurfaceIsBounded(t *testing.T) {
	cfg := parse(t, "params: {a: 1..500, b: 1..500}\nentry: close > a\nexit: close < b\n")
	for _, c := range []struct {
		memory int64
		has    bool
	}{{512 << 20, true}, {100 << 20, false}} {
		plan, err := sweep.NewPlan(context.Background(), cfg, source(t, walk(1, "A", 50)), sweep.Options{Memory: c.memory})
		if err != nil {
			t.Fatal(err)
		}
		if s := sweep.NewSurface(plan); (s != nil) != c.has {
			t.Errorf("with %d bytes a surface of %d cells: %v", c.memory, plan.Len(), s != nil)
		}
	}
}

// Of symbols that were played each alone a surface has the mean, and says so.
func TestSurfaceOfSymbols(t *testing.T) {
	cfg := parse(t, "params: {a: 1..3}\nentry: close > a\nsearch: {objective: total_return}\n")
	plan, err := sweep.NewPlan(context.Background(), cfg, source(t, walk(1, "A", 50), walk(2, "B", 50)), sweep.Options{Independent: true})
	if err != nil {
		t.Fatal(err)
	}
	s := sweep.NewSurface(plan)
	metrics := make([]float64, len(plan.Metrics))
	for _, x := range []struct {
		symbol string
		v      float64
	}{{"A", 1}, {"B", 4}} {
		metrics[0] = x.v
		s.Add(&sweep.Row{Symbol: x.symbol, Params: []float64{2}, Metrics: metrics})
	}
	if at, best := s.Best(); best != 2.5 || at[0] != 1 || !s.Averaged || s.Objective != "mean total_return of 2 symbols" {
		t.Errorf("%v at %v, %q", best, at, s.Objective)
	}
}
