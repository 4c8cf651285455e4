package stats

import (
	"fmt"
	"math"
)

// bench compares the run with a benchmark over the sessions of the run.
type bench struct {
	ok     bool
	level  []float64
	b      []float64 // benchmark returns
	raw    moments   // of b
	diff   moments   // of r - b
	water  water
	months []Period // of the level, over the same sessions as those of the run

	beta, alpha float64 // alpha of one session
	corr        float64
	residual    float64 // sum of squared residuals
	alphaT      float64
	bull, bear  float64 // betas of rising and falling sessions of the benchmark
}

func benchOf(w *work) bench {
	if !sound(w.in.Benchmark, len(w.in.Dates)) || len(w.r) < 2 {
		return bench{}
	}
	k := bench{ok: true, level: w.in.Benchmark}
	k.b = Returns(make([]float64, 0, len(k.level)), k.level)[:len(w.r)]
	k.raw = momentsOf(k.b)
	diff := make([]float64, len(k.b))
	for i := range diff {
		diff[i] = w.r[i] - k.b[i]
	}
	k.diff = momentsOf(diff)
	k.water = scan(w.in.Dates, k.level)
	k.months = along(w.calendar().stretches, k.level) // the last one ends where the run was ruined: what both had
	cov := covariance(w.r, k.b, w.raw.mean, k.raw.mean)
	k.beta = safeDiv(cov, k.raw.m2)
	k.alpha = w.ex.mean - float64(k.beta*(k.raw.mean-w.rf))
	k.corr = safeDiv(cov, math.Sqrt(w.raw.m2)*math.Sqrt(k.raw.m2))
	var s sum
	for i := range k.b {
		e := (w.r[i] - w.rf) - k.alpha - float64(k.beta*(k.b[i]-w.rf))
		s = s.add(e * e)
	}
	k.residual = s.value()
	k.alphaT = k.tOfAlpha(w)
	k.bull = w.betaWhere(diff, k.b, 1)
	k.bear = w.betaWhere(diff, k.b, -1)
	return k
}

// tOfAlpha is alpha over its ordinary least squares standard error.
func (k *bench) tOfAlpha(w *work) float64 {
	n := float64(len(k.b))
	if n < 3 || k.residual <= flatVariance*n {
		return math.NaN()
	}
	x := k.raw.mean - w.rf
	return k.alpha / math.Sqrt(k.residual/(n-2)*(1/n+x*x/(k.raw.m2*n)))
}

func covariance(x, y []float64, mx, my float64) float64 {
	var s sum
	for i := range x {
		s = s.add((x[i] - mx) * (y[i] - my))
	}
	return s.value() / float64(len(x))
}

// betaWhere is beta over the sessions in which the benchmark was above (sign 1) or below (-1) the
// risk-free rate. It writes over x, as long as b.
func (w *work) betaWhere(x, b []float64, sign float64) float64 {
	y, n := w.copied(b), 0
	for i := range b { // no branch: returns change sign at random
		x[n], y[n] = b[i], w.r[i]
		n += b2i(sign*b[i] > sign*w.rf)
	}
	if n < 2 {
		return math.NaN()
	}
	x, y = x[:n], y[:n]
	m := variance(x)
	return safeDiv(covariance(y, x, mean(y), m.mean), m.m2)
}

// capture is the geometric mean return of the run over that of the benchmark, in the complete months
// in which the benchmark rose (or fell).
func (k *bench) capture(w *work, up bool) float64 {
	if !k.ok {
		return math.NaN()
	}
	var r, b []float64
	for i, m := range w.calendar().months {
		if m.Partial || (k.months[i].Return > 0) != up || k.months[i].Return == 0 {
			continue
		}
		r, b = append(r, m.Return), append(b, k.months[i].Return)
	}
	return safeDiv(geometric(r), geometric(b))
}

// batting is the share of sessions in which the run beat the benchmark.
func (k *bench) batting(w *work) float64 {
	won := 0
	for i := range k.b {
		won += b2i(w.r[i]-k.b[i] > dust)
	}
	return safeDiv(float64(won), float64(len(k.b)))
}

// Correlation of two series of equal length (Pearson 1895); NaN when one does not vary.
func Correlation(x, y []float64) float64 {
	if len(x) != len(y) {
		panic(fmt.Sprintf("BUG: correlation of %d and %d values", len(x), len(y)))
	}
	a, b := variance(x), variance(y)
	return safeDiv(covariance(x, y, a.mean, b.mean), math.Sqrt(a.m2)*math.Sqrt(b.m2))
}
