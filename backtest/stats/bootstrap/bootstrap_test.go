package bootstrap_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"backtester/backtest/stats"
	"backtester/backtest/stats/bootstrap"

	"pgregory.net/rapid"
)

func noise(seed uint64, n int) []float64 {
	rng := rand.New(rand.NewPCG(seed, 2))
	x := make([]float64, n)
	for i := range x {
		x[i] = .0004 + .01*rng.NormFloat64()
	}
	return x
}

func mean(x []float64) float64 {
	s := 0.0
	for _, v := range x {
		s += v
	}
	return s / float64(len(x))
}

// The variance of the means of many resamples is what the closed form says.
func TestResamplesHaveTheVarianceOfTheTheory(t *testing.T) {
	a, _, _ := columns()
	for _, block := range []float64{1, 7, 40} {
		const draws = 40000
		s := bootstrap.NewStationary(len(a), block, 11)
		index := make([]int32, len(a))
		var m, m2 float64
		for range draws {
			s.Indices(index)
			x := 0.0
			for _, i := range index {
				x += a[i]
			}
			x /= float64(len(a))
			m += x / draws
			m2 += x * x / draws
		}
		near(t, "mean of means", m, mean(a), .02)
		near(t, fmt.Sprintf("variance at block %g", block), (m2-m*m)*float64(len(a)), bootstrap.Variance(a, block), .03)
	}
}

func TestIndices(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 300).Draw(t, "n")
		block := rapid.Float64Range(1, 50).Draw(t, "block")
		seed := rapid.Uint64().Draw(t, "seed")
		s := bootstrap.NewStationary(n, block, seed)
		index, again := make([]int32, 400), make([]int32, 400)
		s.Indices(index)
		bootstrap.NewStationary(n, block, seed).Indices(again)
		if !slices.Equal(index, again) {
			t.Fatal("the same seed draws something else")
		}
		for _, i := range index {
			if i < 0 || int(i) >= n {
				t.Fatalf("index %d of %d", i, n)
			}
		}
	})
	// Blocks have the mean length asked for.
	s := bootstrap.NewStationary(1_000_000, 25, 3)
	index := make([]int32, 1_000_000)
	s.Indices(index)
	blocks := 1
	for i := 1; i < len(index); i++ {
		if index[i] != index[i-1]+1 {
			blocks++
		}
	}
	near(t, "mean length", float64(len(index))/float64(blocks), 25, .02)
}

func TestPathsOfAConstant(t *testing.T) {
	r := slices.Repeat([]float64{.01}, 20)
	p := bootstrap.Simulate(r, 0, bootstrap.Settings{Draws: 50, Block: 3})
	want := math.Pow(1.01, 20)
	for _, g := range p.Growth {
		near(t, "growth", g, want, 1e-12)
	}
	if p.Drawdown[0] != 0 || p.Underwater[49] != 0 || p.LossProbability() != 0 {
		t.Errorf("a constant rise falls by %g, is under water for %g", p.Drawdown[0], p.Underwater[49])
	}
	near(t, "fan at the end", p.Fan[len(p.Fan)-1][2], want, 1e-12)
	near(t, "CAGR", p.CAGRInterval(1).Low, want-1, 1e-12)
	fall := bootstrap.Simulate(slices.Repeat([]float64{-.01}, 20), 0, bootstrap.Settings{Draws: 50, Block: 3})
	near(t, "fall", fall.Drawdown[0], math.Pow(.99, 20)-1, 1e-12)
	if fall.Underwater[0] != 20 || fall.LossProbability() != 1 || fall.DrawdownProbability(-.1) != 1 || fall.DrawdownProbability(-.5) != 0 {
		t.Errorf("a constant fall is under water for %g of 20 sessions", fall.Underwater[0])
	}
}

// Every draw is walked again by the slow way: index by index, with a list of peaks.
func TestPathsAgainstTheSlowWay(t *testing.T) {
	r := noise(5, 120)
	s := bootstrap.Settings{Draws: 200, Block: 6, Seed: 9, Horizon: 90}
	p := bootstrap.Simulate(r, .0001, s)
	draw := bootstrap.NewStationary(len(r), 6, 9)
	index := make([]int32, 90)
	var growth, depth, under, ratio, sortino []float64
	for range 200 {
		draw.Indices(index)
		v := []float64{1}
		var x []float64
		for _, i := range index {
			v = append(v, v[len(v)-1]*(1+r[i]))
			x = append(x, r[i]-.0001)
		}
		worst, longest, at := 0.0, 0, 0
		for k := range v {
			if v[k] >= v[at] {
				at = k
			}
			worst = math.Min(worst, v[k]/slices.Max(v[:k+1])-1)
			if k > at && v[k] < v[at] {
				end := k
				if k+1 < len(v) {
					end = k + 1 // to the session that is back, or is still below
				}
				longest = max(longest, end-at)
			}
		}
		m, sd, falls := mean(x), 0.0, 0.0
		for _, e := range x {
			falls += math.Pow(math.Min(e, 0), 2) / float64(len(x))
			sd += (e - m) * (e - m) / float64(len(x)-1)
		}
		growth, depth, under = append(growth, v[90]), append(depth, worst), append(under, float64(longest))
		ratio, sortino = append(ratio, m/math.Sqrt(sd)), append(sortino, m/math.Sqrt(falls))
	}
	for name, c := range map[string][2][]float64{"growth": {p.Growth, growth}, "drawdown": {p.Drawdown, depth}, "under water": {p.Underwater, under}, "Sharpe": {p.Sharpe, ratio}, "Sortino": {p.Sortino, sortino}} {
		slices.Sort(c[1])
		for i := range c[1] {
			if math.Abs(c[0][i]-c[1][i]) > 1e-9 {
				t.Fatalf("%s %d is %g, want %g", name, i, c[0][i], c[1][i])
			}
		}
	}
	last := p.Fan[len(p.Fan)-1]
	for k, l := range bootstrap.FanLevels() {
		near(t, "fan at the end", last[k], stats.Quantile(growth, l), 1e-9)
	}
	if p.Step[0] != 0 || p.Step[len(p.Step)-1] != 90 || p.Fan[0][0] != 1 {
		t.Errorf("the fan runs from %v to %v", p.Step[0], p.Step[len(p.Step)-1])
	}
}

// A driftless random walk falls by sqrt(pi/2) sigma sqrt(T) on average, less what a discrete walk misses
// between its steps (Magdon-Ismail and Atiya 2004): 1.2195 instead of 1.2533 at 2,500 steps.
func TestExpectedDrawdownOfARandomWalk(t *testing.T) {
	const sigma, n = .0002, 2500 // so small that compounding does not matter
	r := []float64{sigma, -sigma, sigma, -sigma, sigma, -sigma, sigma, -sigma}
	p := bootstrap.Simulate(r, 0, bootstrap.Settings{Draws: 4000, Block: 1, Horizon: n, Seed: 1})
	near(t, "mean drawdown", -mean(p.Drawdown)/(sigma*math.Sqrt(n)), 1.2195, .03)
}

// Intervals hold the true figure about as often as they say. The truths are those of the normal law.
func TestIntervalsCover(t *testing.T) {
	const samples, n, truth = 300, 500, .08 // Sharpe ratio of a session
	density := math.Exp(-truth*truth/2) / math.Sqrt(2*math.Pi)
	above := stats.Phi(truth)
	truths := []float64{truth, truth / math.Sqrt((1+truth*truth)*(1-above)-truth*density), (truth*above + density) / (density - truth*(1-above))}
	inside := make([]int, 3)
	for s := range samples {
		rng := rand.New(rand.NewPCG(uint64(s), 77))
		r := make([]float64, n)
		for i := range r {
			r[i] = .01 * (truth + rng.NormFloat64())
		}
		how := bootstrap.Settings{Draws: 400, Block: 5, Seed: uint64(s)}
		p := bootstrap.Simulate(r, 0, how)
		for k, i := range []bootstrap.Interval{p.SharpeInterval(1), p.SortinoInterval(1), bootstrap.ProfitFactor(r, how)} {
			if i.Low <= truths[k] && truths[k] <= i.High {
				inside[k]++
			}
		}
	}
	for k, what := range []string{"Sharpe", "Sortino", "profit factor"} {
		if share := float64(inside[k]) / samples; share < .90 || share > .985 {
			t.Errorf("%s: 95%% intervals hold the truth in %.1f%% of samples", what, 100*share)
		}
	}
}

func TestProfitFactorWithoutLosses(t *testing.T) {
	if i := bootstrap.ProfitFactor(slices.Repeat([]float64{1}, 20), bootstrap.Settings{}); !math.IsNaN(i.Low) || !math.IsNaN(i.High) {
		t.Errorf("trades that never lose have a profit factor in %v", i)
	}
	if i := bootstrap.ProfitFactor([]float64{1, -1, 1, -1, 1, -1, 1, -1, 1}, bootstrap.Settings{}); !math.IsNaN(i.Low) {
		t.Error("nine trades are drawn from")
	}
	// One loss among twenty: a third of the draws have none, and the upper end is infinite.
	i := bootstrap.ProfitFactor(append(slices.Repeat([]float64{1}, 19), -5), bootstrap.Settings{Block: 1, Draws: 1000})
	if !(i.Low > 0 && i.Low < 19.0/5) || !math.IsInf(i.High, 1) {
		t.Errorf("one loss among twenty trades: %v", i)
	}
}

func TestBCaWithoutBiasAndSkewIsThePercentile(t *testing.T) {
	draws := make([]float64, 1001)
	for i := range draws {
		draws[i] = float64(i - 500)
	}
	b, p := bootstrap.BCa(draws, 0, []float64{-1, 1}, .9), bootstrap.Percentile(draws, .9)
	near(t, "low", b.Low, p.Low, 1e-9)
	near(t, "high", b.High, p.High, 1e-9)
	near(t, "percentile", p.Low, -450, 1e-12)
	// Estimates left of the middle of the draws move the interval to the left.
	if c := bootstrap.BCa(draws, -100, []float64{-1, 1}, .9); !(c.Low < b.Low && c.High < b.High) {
		t.Errorf("bias moves [%g, %g] to [%g, %g]", b.Low, b.High, c.Low, c.High)
	}
}

func TestTooLittleToDrawFrom(t *testing.T) {
	if bootstrap.Simulate(noise(1, 7), 0, bootstrap.Settings{}) != nil || bootstrap.Simulate(append(noise(1, 9), -1), 0, bootstrap.Settings{}) != nil {
		t.Error("seven returns, or ruin, are simulated")
	}
	if bootstrap.Reorder([]float64{.1}, 0, 0) != nil || bootstrap.TestTiming([][]float64{{1, 2}}, [][]float64{{1, 2}}, 0, 0, 0) != nil {
		t.Error("one trade has an order, or two sessions a timing")
	}
	if d := bootstrap.CompareSharpe(noise(1, 19), noise(2, 19), 0, 1, 0); !math.IsNaN(d.P) {
		t.Error("19 sessions are compared")
	}
	if s, _ := bootstrap.BlockLength([]float64{1, 2, 3}); !math.IsNaN(s) {
		t.Error("three values have a block length")
	}
	if s, c := bootstrap.BlockLength(make([]float64, 50)); s != 1 || c != 1 {
		t.Errorf("a constant has blocks of %g and %g", s, c)
	}
}

// Goal: 5,000 paths of 2,520 sessions with drawdowns in under half a second on one core.
func BenchmarkPaths(b *testing.B) {
	r := noise(1, 2520)
	b.ReportAllocs()
	for b.Loop() {
		bootstrap.Simulate(r, 0, bootstrap.Settings{Block: 10})
	}
}

func BenchmarkCompareSharpe(b *testing.B) {
	x, y := noise(1, 2520), noise(2, 2520)
	for b.Loop() {
		bootstrap.CompareSharpe(x, y, 0, 10, 0)
	}
}

func BenchmarkSuperiorityModel(b *testing.B) {
	s := bootstrap.NewSuperiority(2520, 1000, 10, 0)
	x := noise(1, 2520)
	for b.Loop() {
		s.Add(x)
	}
}

func ExampleSimulate() {
	var r []float64
	for i := range 500 {
		r = append(r, .0005+.01*math.Sin(float64(i*i)))
	}
	p := bootstrap.Simulate(r, 0, bootstrap.Settings{Seed: 1, Block: 5})
	i := p.DrawdownInterval()
	fmt.Printf("%d paths, drawdown between %.0f%% and %.0f%%, loss in %.0f%%\n", p.Draws, 100*i.Low, 100*i.High, 100*p.LossProbability())
	// Output:
	// 5000 paths, drawdown between -21% and -6%, loss in 7%
}
