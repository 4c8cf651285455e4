package bootstrap

import (
	"fmt"
	"math"

	"backtester/backtest/stats"
)

// Difference compares the Sharpe ratios of two columns of returns over the same sessions. Ratios are
// those of one session, deviations divided by n; multiply by the root of the sessions in a year for
// annual ones, which changes no p-value.
type Difference struct {
	A, B  float64 // the two ratios
	Delta float64 // A - B
	SE    float64 // robust to fat tails and to returns that follow each other
	P     float64 // two-sided, of equal ratios, by the studentised block bootstrap
	Low   float64 // its 95 % interval of Delta
	High  float64

	MemmelSE, MemmelP float64 // the quick way, for independent normal returns

	Draws int
	Block int
	Seed  uint64
}

// CompareSharpe tests whether two Sharpe ratios differ (Ledoit and Wolf 2008, J. Empirical Finance
// 15): the difference divided by its robust standard error, against the same figure of samples drawn
// in circular blocks. draws <= 0 means 4,999, block <= 0 the one that Block finds for the more
// sluggish of the two. Beside it stands the test of Jobson and Korkie (1981) as corrected by Memmel
// (2003), which is wrong for returns with fat tails. All figures are NaN under 20 sessions or for a
// column that does not move. a and b are excess returns. Cost: O(n + draws x n / block).
func CompareSharpe(a, b []float64, draws, block int, seed uint64) Difference {
	if len(a) != len(b) {
		panic(fmt.Sprintf("BUG: Sharpe ratios of %d and %d sessions compared", len(a), len(b)))
	}
	if draws <= 0 {
		draws = 4999
	}
	if block <= 0 {
		block = int(math.Round(math.Max(Block(a), Block(b))))
	}
	nan := math.NaN()
	d := Difference{A: nan, B: nan, Delta: nan, SE: nan, P: nan, Low: nan, High: nan, MemmelSE: nan, MemmelP: nan, Draws: draws, Block: block, Seed: seed}
	n := len(a)
	if n < 20 || n < 2*block {
		return d
	}
	sums := prefix(a, b, block)
	whole := sums.between(0, n)
	whole.scale(1 / float64(n))
	slope, ok := whole.slope()
	if !ok {
		return d
	}
	d.A, d.B = whole.ratios()
	d.Delta = d.A - d.B
	d.memmel(a, b, whole)
	influence := make([]float64, n)
	for t := range influence {
		x := moment{a[t], b[t], a[t] * a[t], b[t] * b[t]}
		influence[t] = slope.times(x) - slope.times(whole)
	}
	d.SE = math.Sqrt(longVariance(influence) / float64(n))
	d.studentise(sums)
	return d
}

// studentise draws the distribution of the difference over its standard error.
func (d *Difference) studentise(sums *blockSums) {
	if !(d.SE > 1e-15) { // the same column twice
		d.P = 1
		d.Low, d.High = d.Delta, d.Delta
		return
	}
	l := sums.n / d.Block
	dice := newDice(d.Seed)
	parts := make([]moment, l)
	size := make([]float64, 0, d.Draws)
	reached := 0
	for range d.Draws {
		var m moment
		for j := range parts {
			at := dice.below(sums.n)
			parts[j] = sums.between(at, at+d.Block)
			m.add(parts[j])
		}
		m.scale(1 / float64(l*d.Block))
		slope, ok := m.slope()
		if !ok {
			continue
		}
		ra, rb := m.ratios()
		var v float64
		for j := range parts {
			z := slope.times(parts[j]) - float64(float64(d.Block)*slope.times(m))
			v += float64(z * z)
		}
		// Blocks of b sessions: the mean of z^2/b over blocks is the variance of one session.
		se := math.Sqrt(v / float64(l) / float64(d.Block) / float64(l*d.Block))
		t := math.Abs(ra-rb-d.Delta) / se
		size = append(size, t)
		if t >= math.Abs(d.Delta)/d.SE {
			reached++
		}
	}
	d.P = float64(1+reached) / float64(len(size)+1)
	half := d.SE * quantileOf(size, 0.95)
	d.Low, d.High = d.Delta-half, d.Delta+half
}

// memmel is the closed form for independent normal returns.
func (d *Difference) memmel(a, b []float64, m moment) {
	var cov float64
	for t := range a {
		cov += float64((a[t] - m.a) * (b[t] - m.b))
	}
	n := float64(len(a))
	rho := cov / n / math.Sqrt((m.a2-float64(m.a*m.a))*(m.b2-float64(m.b*m.b)))
	v := 2 - 2*rho + (d.A*d.A+d.B*d.B-2*d.A*d.B*rho*rho)/2
	d.MemmelSE = math.Sqrt(v / n)
	d.MemmelP = 1
	if d.MemmelSE > 1e-15 {
		d.MemmelP = 2 * stats.Phi(-math.Abs(d.Delta)/d.MemmelSE)
	}
}

// moment is the first and second moment of both columns, or a sum of them, or a slope over them.
type moment struct{ a, b, a2, b2 float64 }

func (m *moment) add(x moment) { m.a += x.a; m.b += x.b; m.a2 += x.a2; m.b2 += x.b2 }
func (m *moment) scale(f float64) {
	m.a *= f
	m.b *= f
	m.a2 *= f
	m.b2 *= f
}

func (m moment) times(x moment) float64 {
	return float64(m.a*x.a) + float64(m.b*x.b) + float64(m.a2*x.a2) + float64(m.b2*x.b2)
}

func (m moment) ratios() (a, b float64) {
	return m.a / math.Sqrt(m.a2-float64(m.a*m.a)), m.b / math.Sqrt(m.b2-float64(m.b*m.b))
}

// slope is the gradient of the difference of the ratios; false where a column does not move.
func (m moment) slope() (moment, bool) {
	va, vb := m.a2-float64(m.a*m.a), m.b2-float64(m.b*m.b)
	if !(va > 1e-28) || !(vb > 1e-28) {
		return moment{}, false
	}
	ca, cb := va*math.Sqrt(va), vb*math.Sqrt(vb)
	return moment{m.a2 / ca, -m.b2 / cb, -m.a / (2 * ca), m.b / (2 * cb)}, true
}

// blockSums gives the sum over any block that may wrap around the end at once.
type blockSums struct {
	n   int
	sum []moment // of everything before each session
}

func prefix(a, b []float64, block int) *blockSums {
	n := len(a)
	s := &blockSums{n: n, sum: make([]moment, n+block+1)}
	for t := range n + block {
		i := t % n
		m := s.sum[t]
		m.add(moment{a[i], b[i], a[i] * a[i], b[i] * b[i]})
		s.sum[t+1] = m
	}
	return s
}

func (s *blockSums) between(from, to int) moment {
	x, y := s.sum[to], s.sum[from]
	return moment{x.a - y.a, x.b - y.b, x.a2 - y.a2, x.b2 - y.b2}
}

// longVariance is the variance of the mean of centred values times n, with what follows from how
// they follow each other: a first-order prediction is taken out, the rest weighed by the quadratic
// spectral window of automatic width, and the prediction put back (Andrews and Monahan 1992).
func longVariance(u []float64) float64 {
	rho := math.Min(math.Max(firstOrder(u), -0.97), 0.97)
	e := make([]float64, len(u)-1)
	for t := range e {
		e[t] = u[t+1] - float64(rho*u[t])
	}
	n := float64(len(e))
	f := firstOrder(e)
	width := 1.3221 * math.Pow(4*f*f/math.Pow(1-f, 4)*n, 0.2)
	v := autocovariance(e, 0)
	for k := 1; k < len(e) && width > 0; k++ {
		w := quadraticSpectral(float64(k) / width)
		if float64(k) > 40*width { // beyond it weighs less than one in ten thousand
			break
		}
		v += float64(2 * w * autocovariance(e, k))
	}
	return math.Max(v, 0) / ((1 - rho) * (1 - rho)) * n / (n - 4)
}

// firstOrder is the slope of a value on the one before it.
func firstOrder(u []float64) float64 {
	var ab, aa float64
	for t := 1; t < len(u); t++ {
		ab += float64(u[t] * u[t-1])
		aa += float64(u[t-1] * u[t-1])
	}
	if aa == 0 {
		return 0
	}
	return ab / aa
}

// quadraticSpectral is the lag window of Andrews (1991).
func quadraticSpectral(x float64) float64 {
	z := 6 * math.Pi * x / 5
	return 3 / (z * z) * (math.Sin(z)/z - math.Cos(z))
}
