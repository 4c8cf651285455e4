package overfit_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"backtester/backtest/stats/overfit"

	"pgregory.net/rapid"
)

func near(t testing.TB, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*math.Max(1, math.Abs(want))) {
		t.Errorf("%s = %.12g, want %.12g", what, got, want)
	}
}

// lattice is the deterministic example: no random numbers, so that other programs can repeat it.
func lattice(sessions, configurations int) [][]float64 {
	m := make([][]float64, configurations)
	for n := range m {
		m[n] = make([]float64, sessions)
		for t := range m[n] {
			m[n][t] = float64((7*t*t+13*t*n+29*n*n+31*t+17*n)%101-50)/1000 + .001*float64(n)
		}
	}
	return m
}

// The figures were computed with pypbo (github.com/esvhd/pypbo) and by hand-written NumPy. With 16
// blocks some ratios are exactly 0; the probability of loss is that of exact fractions, where the two
// programs call 9 such zeros losses.
func TestCSCVVectors(t *testing.T) {
	for _, c := range []struct {
		sessions, configurations, blocks int
		pbo, loss, slope                 float64
	}{
		{48, 6, 4, 1.0 / 3, 1.0 / 6, -.6258196333368483},
		{48, 6, 6, .45, .2, -.62230991860947},
		{48, 6, 8, .37142857142857144, .18571428571428572, -.6850560044411895},
		{48, 6, 12, .41233766233766234, .19805194805194806, -.623613513917879},
		{48, 6, 16, .4881118881118881, 3239.0 / 12870, -.5535577102162798},
		{96, 20, 8, .08571428571428572, math.NaN(), math.NaN()},
		{96, 20, 12, .05411255411255411, math.NaN(), math.NaN()},
	} {
		p, err := overfit.CSCV(lattice(c.sessions, c.configurations), c.blocks)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "PBO", p.Probability, c.pbo, 1e-9)
		if !math.IsNaN(c.loss) {
			near(t, "probability of loss", p.Loss, c.loss, 1e-9)
			near(t, "slope", p.Slope, c.slope, 1e-9)
		}
		if splits, _ := overfit.Combinations(c.blocks, c.blocks/2); p.Splits != splits || len(p.Logit) != splits {
			t.Errorf("%d splits with %d logits, want %d", p.Splits, len(p.Logit), splits)
		}
	}
}

func noise(seed uint64, sessions, configurations int) [][]float64 {
	rng := rand.New(rand.NewPCG(seed, 1))
	m := make([][]float64, configurations)
	for k := range m {
		m[k] = make([]float64, sessions)
		for t := range m[k] {
			m[k][t] = .01 * rng.NormFloat64()
		}
	}
	return m
}

// Configurations of equal means: what is best in one half is worst in the other, always.
func TestCSCVOfEqualMeansIsCertain(t *testing.T) {
	m := noise(3, 960, 40)
	for _, r := range m {
		var s float64
		for _, v := range r {
			s += v
		}
		for i := range r {
			r[i] -= s / float64(len(r))
		}
	}
	p, err := overfit.CSCV(m, 8)
	if err != nil {
		t.Fatal(err)
	}
	if p.Probability != 1 || p.Loss != 1 || !(p.Slope < 0) {
		t.Errorf("PBO %g, loss %g, slope %g: want 1, 1 and a falling line", p.Probability, p.Loss, p.Slope)
	}
}

// Noise is chosen at random, an edge is found again: means over many samples of known law.
func TestCSCVTellsNoiseFromEdge(t *testing.T) {
	var luck, skill float64
	const samples = 30
	for s := range samples {
		m := noise(uint64(s)+100, 1000, 100)
		p, err := overfit.CSCV(m, 8)
		if err != nil {
			t.Fatal(err)
		}
		luck += p.Probability / samples
		for i := range m[50] {
			m[50][i] += .0015
		}
		p, _ = overfit.CSCV(m, 8)
		skill += p.Probability / samples
	}
	// From 200 samples elsewhere: .52 with a deviation of .15 each; .08 with the edge.
	near(t, "PBO of noise", luck, .52, .08)
	near(t, "PBO with an edge of .15 a session", skill, .08, .05)
}

func TestCSCVProperties(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(2, 8).Draw(rt, "configurations")
		sessions := rapid.IntRange(32, 60).Draw(rt, "sessions")
		m := noise(rapid.Uint64().Draw(rt, "seed"), sessions, n)
		p, err := overfit.CSCV(m, 8)
		if err != nil {
			rt.Fatal(err)
		}
		// Leverage changes no Sharpe ratio, so no choice and no rank.
		for k := range m {
			f := rapid.Float64Range(.1, 5).Draw(rt, "leverage")
			for i := range m[k] {
				m[k][i] *= f
			}
		}
		q, _ := overfit.CSCV(m, 8)
		if p.Probability != q.Probability || p.Loss != q.Loss || p.Dropped != sessions%8 {
			rt.Fatalf("leverage moves PBO from %g to %g (dropped %d)", p.Probability, q.Probability, p.Dropped)
		}
		for i := range p.In {
			if math.Abs(p.In[i]-q.In[i]) > 1e-9 || p.Chosen[i] != q.Chosen[i] {
				rt.Fatalf("split %d: %g of %d becomes %g of %d", i, p.In[i], p.Chosen[i], q.In[i], q.Chosen[i])
			}
		}
		if p.Probability < 0 || p.Probability > 1 || p.Dominance < -1 || p.Dominance > 1 {
			rt.Fatalf("PBO %g, dominance %g", p.Probability, p.Dominance)
		}
	})
}

// Copies of one configuration all have the middle rank: never over the median.
func TestCSCVOfCopies(t *testing.T) {
	m := noise(9, 80, 1)
	p, err := overfit.CSCV([][]float64{m[0], m[0], m[0]}, 4)
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range p.Logit {
		if l != 0 || p.Chosen[i] != 0 {
			t.Fatalf("split %d: logit %g of %d, want 0 of the first", i, l, p.Chosen[i])
		}
	}
	if p.Probability != 1 || p.Dominance != 0 {
		t.Errorf("PBO %g, dominance %g, want 1 and 0", p.Probability, p.Dominance)
	}
}

func TestCSCVOfWhatStandsStill(t *testing.T) {
	flat := make([]float64, 64)
	p, err := overfit.CSCV([][]float64{flat, flat}, 4)
	if err != nil {
		t.Fatal(err)
	}
	if p.Undecided != p.Splits || !math.IsNaN(p.Probability) || !math.IsNaN(p.Dominance) {
		t.Errorf("%d of %d undecided, PBO %g", p.Undecided, p.Splits, p.Probability)
	}
	p, _ = overfit.CSCV([][]float64{flat, noise(4, 64, 1)[0]}, 4)
	for _, k := range p.Chosen {
		if k != 1 {
			t.Fatal("a configuration that does not trade was chosen")
		}
	}
}

func TestCSCVRefuses(t *testing.T) {
	bad := noise(1, 64, 2)
	bad[1][5] = math.NaN()
	for what, c := range map[string]struct {
		m      [][]float64
		blocks int
	}{
		"one configuration": {noise(1, 64, 1), 8}, "an odd number of blocks": {noise(1, 64, 2), 7}, "too many blocks": {noise(1, 640, 2), 22},
		"too few sessions": {noise(1, 15, 2), 8}, "unequal columns": {append(noise(1, 64, 2), noise(1, 63, 1)...), 8}, "a gap": {bad, 8},
	} {
		if _, err := overfit.CSCV(c.m, c.blocks); err == nil {
			t.Errorf("%s is taken", what)
		}
	}
}

// Goal: 12,870 splits of 1,000 configurations in under a second on one core.
func BenchmarkCSCV(b *testing.B) {
	m := noise(5, 2520, 1000)
	for b.Loop() {
		if _, err := overfit.CSCV(m, 16); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleCSCV() {
	p, err := overfit.CSCV(lattice(48, 6), 8)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("PBO %.4f over %d splits, loss %.4f\n", p.Probability, p.Splits, p.Loss)
	// Output:
	// PBO 0.3714 over 70 splits, loss 0.1857
}
