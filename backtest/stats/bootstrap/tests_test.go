package bootstrap_test

import (
	"math"
	"slices"
	"testing"

	"backtester/backtest/stats/bootstrap"

	"pgregory.net/rapid"
)

func TestReorderKeepsTheEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.SliceOfN(rapid.Float64Range(-.3, .4), 2, 40).Draw(t, "trades")
		r := bootstrap.Reorder(f, 60, rapid.Uint64().Draw(t, "seed"))
		product := 1.0
		for _, x := range f {
			product *= 1 + x
		}
		if math.Abs(r.Growth-product) > 1e-12*math.Max(1, product) {
			t.Fatalf("growth %g, want %g", r.Growth, product)
		}
		// At best the deepest loss stands alone, at worst all losses come in a row.
		worst := 1.0
		for _, x := range f {
			if x < 0 {
				worst *= 1 + x
			}
		}
		for _, d := range append(r.Drawdown, r.Observed) {
			if d > math.Min(0, slices.Min(f))+1e-12 || d < worst-1-1e-12 {
				t.Fatalf("an order falls by %g: a single trade lost %g, all losses together %g", d, slices.Min(f), worst-1)
			}
		}
	})
	if bootstrap.Reorder(slices.Repeat([]float64{.5}, 5000), 10, 1) != nil || bootstrap.Reorder([]float64{.1, -1}, 10, 1) != nil {
		t.Error("a growth of e^2000, or ruin, is reordered")
	}
	// Two losses and a gain, worked by hand: apart 10 %, together 19 %.
	r := bootstrap.Reorder([]float64{-.1, .5, -.1}, 3000, 1)
	near(t, "observed", r.Observed, -.1, 1e-12)
	near(t, "least", r.Drawdown[0], .9*.9-1, 1e-12)
	near(t, "greatest", r.Drawdown[2999], -.1, 1e-12)
	apart := 0
	for _, d := range r.Drawdown {
		if d > -.15 {
			apart++
		}
	}
	near(t, "share of orders with the losses apart", float64(apart)/3000, 1.0/3, .08)
}

// Positions that know the next return have no equal; those that hold always are never special.
func TestTiming(t *testing.T) {
	r := noise(8, 400)
	knows, holds := make([]float64, len(r)), make([]float64, len(r))
	for i, v := range r {
		holds[i] = 1
		if v > 0 {
			knows[i] = 1
		}
	}
	k := bootstrap.TestTiming([][]float64{knows}, [][]float64{r}, 0, 1000, 1)
	if !k.Exact || k.Draws != 399 || k.P != 1.0/400 {
		t.Errorf("perfect timing: p %g of %d shifts", k.P, k.Draws)
	}
	if h := bootstrap.TestTiming([][]float64{holds}, [][]float64{r}, .01, 1000, 1); h.P != 1 {
		t.Errorf("always in the market: p %g", h.P)
	}
	// Cost comes with the positions, wherever they are shifted to.
	paid := bootstrap.TestTiming([][]float64{knows}, [][]float64{r}, .0005, 1000, 1)
	changes := 0.0
	for i := range knows {
		changes += math.Abs(knows[i] - knows[(i+len(knows)-1)%len(knows)])
	}
	near(t, "mean after costs", paid.Observed, k.Observed-.0005*changes/400, 1e-12)
	long := bootstrap.TestTiming([][]float64{slices.Repeat(knows, 4)}, [][]float64{slices.Repeat(r, 4)}, 0, 500, 1)
	if long.Exact || long.Draws != 500 || len(long.Null) != 500 {
		t.Errorf("1,600 sessions: %d shifts", long.Draws)
	}
}

// p-values of positions that know nothing are even.
func TestTimingSize(t *testing.T) {
	under := 0
	for s := range 400 {
		r := noise(uint64(s), 60)
		p := make([]float64, 60)
		for i, v := range noise(uint64(s)+1000, 60) {
			if v > 0 {
				p[i] = 1
			}
		}
		if bootstrap.TestTiming([][]float64{p}, [][]float64{r}, 0, 100, 0).P <= .1 {
			under++
		}
	}
	if under < 20 || under > 62 { // 40 expected, deviation 6
		t.Errorf("%d of 400 p-values are at most .1", under)
	}
}

// naive repeats the test of superior ability with plain loops over resampled columns.
func naive(models [][]float64, n, draws int, block float64, seed uint64) (check, low, mid, up float64) {
	root := math.Sqrt(float64(n))
	var plain, scaled float64 = math.Inf(-1), 0
	dev := make([]float64, len(models))
	for k, d := range models {
		dev[k] = math.Sqrt(bootstrap.Variance(d, block))
		plain, scaled = math.Max(plain, root*mean(d)), math.Max(scaled, root*mean(d)/dev[k])
	}
	s := bootstrap.NewStationary(n, block, seed)
	index := make([]int32, n)
	var count [4]int
	for range draws {
		s.Indices(index)
		m := [4]float64{math.Inf(-1), 0, 0, 0}
		for k, d := range models {
			x := make([]float64, n)
			for t, i := range index {
				x[t] = d[i]
			}
			own, at := mean(d), mean(x)
			cut := own
			if root*own/dev[k] < -math.Sqrt(2*math.Log(math.Log(float64(n)))) {
				cut = 0
			}
			m[0] = math.Max(m[0], root*(at-own))
			m[1] = math.Max(m[1], root*(at-math.Max(own, 0))/dev[k])
			m[2] = math.Max(m[2], root*(at-cut)/dev[k])
			m[3] = math.Max(m[3], root*(at-own)/dev[k])
		}
		for j, limit := range []float64{plain, scaled, scaled, scaled} {
			if m[j] >= limit {
				count[j]++
			}
		}
	}
	p := func(k int) float64 { return float64(1+k) / float64(draws+1) }
	return p(count[0]), p(count[1]), p(count[2]), p(count[3])
}

func TestSuperiorityAgainstTheSlowWay(t *testing.T) {
	const n, draws = 150, 400
	var models [][]float64
	for k := range 12 {
		d := noise(uint64(k)+40, n)
		for i := range d {
			d[i] += .0006*float64(k%4) - .0009*float64(k%5) // some good, some bad
		}
		models = append(models, d)
	}
	s := bootstrap.NewSuperiority(n, draws, 4, 6)
	fork := s.Fork()
	for k, d := range models {
		if k < 7 {
			s.Add(d)
		} else {
			fork.Add(d)
		}
	}
	s.Merge(fork)
	r := s.Result()
	check, low, mid, up := naive(models, n, draws, 4, 6)
	near(t, "reality check", r.RealityCheck, check, 1e-12)
	near(t, "lower", r.Lower, low, 1e-12)
	near(t, "consistent", r.Consistent, mid, 1e-12)
	near(t, "upper", r.Upper, up, 1e-12)
	if r.Models != 12 || !(r.Lower <= r.Consistent && r.Consistent <= r.Upper) {
		t.Errorf("%d models, %g <= %g <= %g", r.Models, r.Lower, r.Consistent, r.Upper)
	}
	whole := bootstrap.NewSuperiority(n, draws, 4, 6)
	for _, d := range models {
		whole.Add(d)
	}
	if whole.Result() != r {
		t.Errorf("in one piece %+v, in two %+v", whole.Result(), r)
	}
}

func TestSuperiority(t *testing.T) {
	s := bootstrap.NewSuperiority(500, 500, 5, 1)
	if r := s.Result(); r.Best != -1 || !math.IsNaN(r.Consistent) {
		t.Errorf("without a model: %+v", r)
	}
	s.Add(make([]float64, 500))
	if r := s.Result(); r.Idle != 1 || r.Best != -1 {
		t.Errorf("with a model that never differs: %+v", r)
	}
	edge := noise(3, 500)
	for i := range edge {
		edge[i] += .003
	}
	s.Add(edge)
	if r := s.Result(); r.Consistent > .01 || r.Best != 1 {
		t.Errorf("an edge of a third of a deviation: %+v", r)
	}
	before := s.Result()
	poor := noise(4, 500)
	for i := range poor {
		poor[i] = 5*poor[i] - .05
	}
	s.Add(poor)
	if r := s.Result(); r.Consistent > before.Consistent+.02 || r.RealityCheck < before.RealityCheck {
		t.Errorf("a hopeless model moves SPA from %g to %g and the reality check from %g to %g", before.Consistent, r.Consistent, before.RealityCheck, r.RealityCheck)
	}
}

// p-values of the best of many worthless models are even, about.
func TestSuperioritySize(t *testing.T) {
	under := 0
	const samples = 200
	for s := range samples {
		spa := bootstrap.NewSuperiority(120, 199, 2, uint64(s))
		for k := range 10 {
			d := noise(uint64(s*10+k)+9000, 120)
			for i := range d {
				d[i] -= .0004
			}
			spa.Add(d)
		}
		if spa.Result().Consistent <= .1 {
			under++
		}
	}
	if under < 8 || under > 36 { // 20 expected, deviation 4
		t.Errorf("%d of %d p-values are at most .1", under, samples)
	}
}

func TestCompareSharpeProperties(t *testing.T) {
	a, b, mix := columns()
	d := bootstrap.CompareSharpe(a, mix, 2000, 5, 1)
	back := bootstrap.CompareSharpe(mix, a, 2000, 5, 1)
	near(t, "turned around", back.Delta, -d.Delta, 1e-12)
	near(t, "its p", back.P, d.P, 1e-12)
	double := slices.Clone(mix)
	for i := range double {
		double[i] *= 2
	}
	levered := bootstrap.CompareSharpe(a, double, 2000, 5, 1)
	near(t, "with leverage", levered.Delta, d.Delta, 1e-9)
	near(t, "its p", levered.P, d.P, 1e-9)
	if same := bootstrap.CompareSharpe(a, a, 100, 5, 1); same.P != 1 || same.Delta != 0 {
		t.Errorf("a column against itself: %+v", same)
	}
	if flat := bootstrap.CompareSharpe(a, make([]float64, len(a)), 100, 5, 1); !math.IsNaN(flat.P) {
		t.Errorf("a column that never moves: p %g", flat.P)
	}
	if d.P > .05 || !(d.Low < d.Delta && d.Delta < d.High) {
		t.Errorf("difference %g in [%g, %g], p %g: it is four standard errors", d.Delta, d.Low, d.High, d.P)
	}
	if w := bootstrap.CompareSharpe(a, b, 0, 0, 1); w.Draws != 4999 || w.Block < 5 {
		t.Errorf("by default %d draws of blocks of %d", w.Draws, w.Block)
	}
}

// Equal true ratios are called different about as often as the level says, correlated or not.
func TestCompareSharpeSize(t *testing.T) {
	under := 0
	const samples = 300
	for s := range samples {
		a, b := noise(uint64(s)+1, 250), noise(uint64(s)+5001, 250)
		for i := range b {
			b[i] = .7*a[i] + .714*b[i] + .0004*(1-.7-.714)
		}
		if bootstrap.CompareSharpe(a, b, 199, 5, uint64(s)).P <= .1 {
			under++
		}
	}
	if under < 16 || under > 46 { // 30 expected, deviation 5
		t.Errorf("%d of %d p-values are at most .1", under, samples)
	}
}
